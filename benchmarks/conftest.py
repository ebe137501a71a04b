"""Turns the CASES of a bench file into parameters of `test_contender`."""
import pytest

from benchmarks import Growth


def pytest_generate_tests(metafunc):
    if {"case", "contender"} <= set(metafunc.fixturenames):
        cases = [case for given in metafunc.module.CASES
                 for case in (given.cases() if isinstance(given, Growth) else [given])]
        metafunc.parametrize("case, contender", [pytest.param(case, name, id=f"{case.name}-{name}")
                                                 for case in cases for name in case.contenders])
