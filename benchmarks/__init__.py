"""How fast, and against whom: the formula in NumPy, ours, and the library that people use today, in one run.

    python -m benchmarks                        every chapter
    python -m benchmarks kmeans pca             some
    python -m benchmarks kmeans --times         medians alone, without the fresh processes
    python -m benchmarks tsne --plot pictures   time against n drawn, too
    python -m benchmarks --readme               the ten timings of README.md, written there
    python -m pytest benchmarks/bench_kmeans.py the same cases under pytest-benchmark

A file bench_<chapter>.py defines CASES, a list of Case and Growth, and imports `test_contender`, which pytest-benchmark
runs:

    from benchmarks import Case, close, peer, test_contender

    @peer("sklearn.metrics")
    def scikit_learn(X, Y):
        from sklearn.metrics import pairwise
        return pairwise.euclidean_distances(X, Y)

    CASES = [Case("euclidean, 2,000 x 2,000 x 64", data=lambda: (X, Y),
                  contenders={"formula": ..., "scratchml": euclidean, "scikit-learn": scikit_learn},
                  agree=close(rtol=1e-9))]

How it measures: every contender runs once, which compiles, and its result is compared with ours.  Then they take turns,
so that a busy moment hits all of them.  Each runs with one, with two and with all BLAS threads, and is given its best
median.  The ratio is that median by ours: above 1 they are slower.
The rest comes from fresh processes, two for each contender, whose cache of compiled code is empty before the first:
`compiled` is the first call of the first process, `cached` that of the second, and `memory` is the peak of the second
process in one more call, on top of data, libraries and compiled code (but for Linux: also compiling).
"""
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

OURS = "scratchml"


def close(rtol=1e-9, atol=0.0):
    """An `agree` that compares two results of one structure: numbers, arrays, or tuples of them."""
    def agree(theirs, ours):
        for a, b in zip(theirs, ours, strict=True) if isinstance(ours, tuple) else [(theirs, ours)]:
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
    return agree


@dataclass(frozen=True, eq=False)
class Case:
    """One task, done by every contender on the same data."""
    name: str
    data: Callable[[], tuple]                            # makes the arguments that every contender is called with
    contenders: dict[str, Callable]                      # name -> function; "scratchml" is ours
    agree: Callable = close()                            # agree(theirs, ours) raises AssertionError


@dataclass(frozen=True, eq=False)
class Growth:
    """One task at several sizes: is the time the power of n that the chapter states?"""
    name: str
    data: Callable[[int], tuple]                         # the same for size n
    contenders: dict[str, Callable]
    sizes: tuple[int, ...]
    stated: float                                        # the exponent that the text states for ours
    agree: Callable = close()

    def cases(self):
        return [Case(f"{self.name}, n = {n:,}", partial(self.data, n), self.contenders, self.agree) for n in self.sizes]


def peer(package):
    """Mark a contender as one that needs `package`; without it, it is skipped with a word."""
    def mark(function):
        function.package = package
        return function
    return mark


def missing(contender):
    """Why a contender cannot run here; None if it can."""
    try:
        importlib.import_module(getattr(contender, "package", "numpy"))
    except ImportError as error:
        return f"skipped: {error}"


# --- under pytest-benchmark; conftest.py hands in the cases of the module


def test_contender(benchmark, case, contender):
    """Time one contender and compare its result with ours."""
    function = case.contenders[contender]
    if why := missing(function):
        import pytest
        pytest.skip(why)
    arguments, ours = _prepared(case)
    function(*arguments)                                 # compile outside the timing
    benchmark.group = case.name
    case.agree(benchmark(function, *arguments), ours)


@lru_cache(maxsize=1)
def _prepared(case):
    arguments = case.data()
    return arguments, case.contenders[OURS](*arguments)
