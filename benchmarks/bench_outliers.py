"""Outliers by the hybrid and by Rosner's test: the literal loop in NumPy, and ours on the sorted values.

What is left of ten days by the minute looks like this: heavy tails on both sides.  The literal loop has the same
critical values, all in one call.
"""
from functools import partial

import numpy as np

from benchmarks import Case, Growth, close, test_contender          # noqa: F401  pytest runs it
from scratchml.timeseries.outliers import (
    critical_value, extremes, generalized_esd, mean_and_deviation, median_and_mad, outlier_count)


def values(n, K=None):
    return np.random.default_rng(0).standard_t(4, n), n // 10 if K is None else K


def literal(centre_and_scale, x, K):
    gone, R = extremes(x, K, centre_and_scale)
    λ = critical_value(np.arange(1, K + 1), len(x), 0.05)
    return gone[:outlier_count(R, λ)], R, λ


def ours(hybrid, x, K):
    return tuple(generalized_esd(x, K, hybrid=hybrid))


HYBRID = {"formula": partial(literal, median_and_mad), "scratchml": partial(ours, True)}
BY_MEAN = {"formula": partial(literal, mean_and_deviation), "scratchml": partial(ours, False)}

CASES = [
    Case("hybrid ESD, n = 14,400, K = 1,440", partial(values, 14_400), HYBRID, close(1e-12)),
    Case("hybrid ESD, n = 14,400, K = 288", partial(values, 14_400, 288), HYBRID, close(1e-12)),
    Case("generalised ESD, n = 14,400, K = 1,440", partial(values, 14_400), BY_MEAN, close(1e-10)),
    Growth("hybrid ESD, K = n / 10", values, {"scratchml": partial(ours, True)},
           (10_000, 30_000, 100_000, 300_000, 1_000_000), stated=1),
]
