"""Tails and quantiles of the normal, Student's and the hypergeometric distribution: ours, and SciPy's."""
from functools import partial

import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.core import distributions


def levels(N):
    return (10.0 ** -np.random.default_rng(0).uniform(0, 20, N),)


def thresholds(N):
    rng = np.random.default_rng(0)
    return rng.normal(size=N) * 3, rng.integers(1, 15_000, N).astype(float)


def critical_levels(n):
    """What the generalised ESD test asks for: α / (2 (n - i + 1)) at n - i - 1 degrees of freedom, i = 1 ... n / 10."""
    i = np.arange(1, n // 10 + 1)
    return 0.025 / (n - i + 1), n - i - 1.0


def draws(N):
    return np.arange(N) % 400, 100_000, 5000, 4000


@peer("scipy.special")
def scipy_normal_isf(q):
    from scipy.special import ndtri
    return -ndtri(q)


@peer("scipy.stats")
def scipy_student_sf(t, ν):
    from scipy.stats import t as student
    return student.sf(t, ν)


@peer("scipy.stats")
def scipy_student_isf(q, ν):
    from scipy.stats import t as student
    return student.isf(q, ν)


@peer("scipy.stats")
def scipy_hypergeometric_sf(k, M, K, n):
    from scipy.stats import hypergeom
    return hypergeom.sf(k, M, K, n)


CASES = [
    Case("normal quantile of 100,000", partial(levels, 100_000),
         {"scratchml": distributions.normal_isf, "SciPy": scipy_normal_isf}, close(1e-12)),
    Case("Student's tail of 10,000", partial(thresholds, 10_000),
         {"scratchml": distributions.student_sf, "SciPy": scipy_student_sf}, close(1e-9)),
    Case("Student's quantile, 1,440 steps of ESD", partial(critical_levels, 14_400),
         {"scratchml": distributions.student_isf, "SciPy": scipy_student_isf}, close(1e-10)),
    Case("one of Student's quantiles, ν = 7", lambda: (0.025, 7.0),
         {"scratchml": distributions.student_isf, "SciPy": scipy_student_isf}, close(1e-12)),
    Case("one of Student's quantiles, ν = 100,000", lambda: (1e-6, 1e5),
         {"scratchml": distributions.student_isf, "SciPy": scipy_student_isf}, close(1e-12)),
    Case("hypergeometric tail of 2,000", partial(draws, 2_000),
         {"scratchml": distributions.hypergeometric_sf, "SciPy": scipy_hypergeometric_sf}, close(1e-7, 1e-12)),
]
