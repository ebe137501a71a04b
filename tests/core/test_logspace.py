"""Sums in log space against their definition, and with infinities and NaN as the values they are."""
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.jit import kernel
from scratchml.core.logspace import logaddexp, logsumexp, logsumexp_rows
from tests.reference import logspace as reference
from tests.strategies.logspace import logarithm, logarithms, rows

EPS, INF, NAN = float(np.finfo(float).eps), math.inf, math.nan


def assert_close(got, exact, terms, type_=np.float64):
    """Within the bound that the chapter states: (N + 4) eps, and one unit of the result's last place."""
    if not exact.is_finite():
        assert got == float(exact)
    else:
        bound = (terms + 4) * EPS + float(np.spacing(type_(abs(float(exact)))))
        assert abs(Decimal(float(got)) - exact) <= Decimal(bound), (got, exact)


# --- equal to the definition

@given(logarithm, logarithm)
def test_sum_of_two(a, b):
    assert_close(logaddexp(a, b), reference.logaddexp(a, b), 2)


@given(logarithms(12))
def test_sum_of_many(x):
    assert_close(logsumexp(x), reference.logsumexp(x), x.size)


@pytest.mark.parametrize("scale", [0.01, 1, 30, 1e4])
@pytest.mark.parametrize("n", [1, 7, 64, 301])
def test_sum_of_very_many(n, scale):                     # enough to fill vector registers, and a rest
    x = np.random.default_rng(n).normal(size=n) * scale
    assert_close(logsumexp(x), reference.logsumexp(x), n)


@given(rows(5, 6))
def test_rows(X):
    got = logsumexp_rows(X)
    assert got.shape == (len(X),) and got.dtype == np.float64
    for value, exact in zip(got, reference.logsumexp_rows(X)):
        assert_close(value, exact, X.shape[1])


@given(rows(5, 40))
def test_float32_is_summed_in_double_precision_and_rounded_once(X):
    X = X.astype(np.float32)
    got = logsumexp_rows(X)
    assert got.dtype == np.float32 and np.array_equal(got, logsumexp_rows(X.astype(np.float64)).astype(np.float32))
    assert [logsumexp(x) for x in X] == [logsumexp(x) for x in X.astype(np.float64)]
    assert all(logaddexp(x, np.float32(0.1)) == logaddexp(float(x), float(np.float32(0.1))) for x in X.ravel())


# --- infinities

@pytest.mark.parametrize("type_", [np.float64, np.float32])
@pytest.mark.parametrize("x, expected", [
    ([], -INF), ([-INF], -INF), ([-INF] * 20, -INF),                    # sums of nothing, and of zeros
    ([INF], INF), ([INF, INF], INF), ([INF, -INF], INF), ([-INF, INF], INF), ([2, INF, 3], INF),
    ([-INF, 2], 2), ([2, -INF], 2), ([-INF] * 9 + [2] + [-INF] * 9, 2),
    ([NAN], NAN), ([NAN, INF], NAN), ([INF, NAN], NAN), ([NAN, -INF], NAN), ([-INF, NAN], NAN), ([NAN, 1], NAN),
    ([1, NAN], NAN),
])
def test_infinity_is_a_value(x, expected, type_):
    x = np.array(x, type_)
    np.testing.assert_equal(logsumexp(x), expected)
    np.testing.assert_array_equal(logsumexp_rows(np.stack([x, x])), [expected, expected])
    if x.size == 2:
        np.testing.assert_equal(logaddexp(x[0], x[1]), expected)
        np.testing.assert_equal(logaddexp(float(x[0]), float(x[1])), expected)


@given(logarithms(40), st.data())
def test_nan_anywhere_is_nan(x, data):
    x = np.insert(x, data.draw(st.integers(0, x.size)), NAN)
    assert np.isnan(logsumexp(x)) and np.isnan(logsumexp_rows(x[None])).all()


@pytest.mark.parametrize("x, expected", [
    ([1e300, -1e300], 1e300), ([1.7e308, -1.7e308], 1.7e308), ([-1.7e308, 1.7e308], 1.7e308),
    ([-1.7e308, -1.7e308], -1.7e308), ([1e4, 1e4], 1e4 + math.log(2)), ([-1e4, -1e4], -1e4 + math.log(2)),
    ([5e-324, 0.0], math.log(2)),
])
def test_extreme_magnitudes(x, expected):
    assert logsumexp(np.array(x)) == logaddexp(*x) == expected


# --- laws

@given(logarithms(40))
def test_lies_between_the_largest_and_log_n_more(x):
    largest, bound = x.max(initial=-INF), (x.size + 4) * EPS
    if largest == -INF:
        assert logsumexp(x) == -INF
    else:
        highest = largest + math.log(x.size)
        assert largest <= logsumexp(x) <= highest + bound + np.spacing(abs(highest))


@given(logarithms(40), st.integers(-1000, 1000))
def test_follows_a_shift(x, shift):
    """Where the shift is exact, the exponentials stay what they were; only the last addition rounds otherwise."""
    x = np.round(x)
    np.testing.assert_allclose(logsumexp(x + shift), logsumexp(x) + shift, rtol=2 * EPS, atol=1000 * 2 * EPS)


@given(logarithms(20), logarithms(20))
def test_parts_add_up(x, y):
    largest = max(x.max(initial=-INF), y.max(initial=-INF))
    np.testing.assert_allclose(logaddexp(logsumexp(x), logsumexp(y)), logsumexp(np.concatenate([x, y])), rtol=0,
                               atol=60 * EPS + 4 * np.spacing(abs(largest)) if largest > -INF else 0)


@given(logarithm, logarithm)
def test_sum_of_two_is_symmetric_and_the_sum_of_many(a, b):
    assert logaddexp(a, b) == logaddexp(b, a)
    assert_close(logsumexp(np.array([a, b])), Decimal(logaddexp(a, b)), 4)


@given(logarithm)
def test_the_sum_of_one_is_itself(a):
    assert logsumexp(np.array([a])) == logaddexp(a, -INF) == logaddexp(-INF, a) == a


# --- from inside a kernel

@kernel
def _totals(X, totals):
    totals[0] = logsumexp(X[1])
    totals[1] = logsumexp(logsumexp_rows(X))
    totals[2] = -np.inf
    for n in range(X.shape[0]):
        for k in range(X.shape[1]):
            totals[2] = logaddexp(totals[2], X[n, k])


def test_kernels_call_them():
    X, totals = np.random.default_rng(0).normal(size=(4, 9)) * 10, np.empty(3)
    _totals(X, totals)
    assert totals[0] == logsumexp(X[1])
    np.testing.assert_allclose(totals[1:], logsumexp(X.ravel()), rtol=1e-14)
