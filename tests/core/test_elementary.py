"""exp, tanh and log against the exact values, each alone and in a loop over an array, which is compiled otherwise."""
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.elementary import (EXP_LEAST, EXP_LEAST_32, EXP_MOST, EXP_MOST_32, double, exp, exp32, log,
                                       sigmoid_row, tanh, tanh32, tanh_row)
from scratchml.core.jit import kernel
from tests.reference import elementary as reference
from tests.strategies.elementary import around, single

# The errors that the chapter states, in units of the last place.
BOUND = {exp: 1.1, tanh: 3, log: 1, exp32: 1.1, tanh32: 3}
INF, NAN, LEAST, MOST = math.inf, math.nan, 5e-324, float(np.finfo(float).max)
SPECIAL = {
    exp: [(0.0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (MOST, INF), (-MOST, 0), (LEAST, 1), (709.79, INF), (-708.4, 0)],
    tanh: [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (MOST, 1), (-MOST, -1), (LEAST, LEAST), (-1e-310, -1e-310),
           (22.0, 1)],
    log: [(0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (-1.0, NAN), (-LEAST, NAN), (-MOST, NAN), (1.0, 0.0),
          (MOST, 709.782712893384), (LEAST, -744.4400719213812), (2.0**-1022, -708.3964185322641)],
    exp32: [(0.0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (3e38, INF), (-3e38, 0), (1e-45, 1), (88.73, INF), (-87.34, 0)],
    tanh32: [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (3e38, 1), (-3e38, -1), (2.0**-149, 2.0**-149),
             (-2.0**-140, -2.0**-140), (10.0, 1)],
}
each_function = pytest.mark.parametrize("f", BOUND, ids=lambda f: f.__name__)


def type_of(f):
    return np.float32 if f in (exp32, tanh32) else np.float64


def ulps(got, exact, type_):
    """The distance of a number from an exact value, in units of the value's last place."""
    place = np.spacing(np.nextafter(type_(abs(exact)), type_(0)))       # at a power of two the narrower one
    return abs(Decimal(float(got)) - exact) / Decimal(float(place))


def test_the_remainder_of_the_series_is_as_small_as_is_said():
    """Σ_{n>13} rⁿ/n! beside e^r - 1 and e^r, at both ends of the range, in exact arithmetic but for e^r itself."""
    for r in (Fraction(math.log(2) / 2), -Fraction(math.log(2) / 2)):
        rest = abs(float(sum(r**n / math.factorial(n) for n in range(14, 30))))
        assert 0.03 * np.spacing(abs(math.expm1(r))) < rest < 0.08 * np.spacing(abs(math.expm1(r)))
        assert rest < 0.04 * np.spacing(math.exp(r))


# The same source as a loop: written out five times, because a kernel takes no function.

@kernel(contract=True)
def exp_of_all(x, y):
    for i in range(x.size):
        y[i] = exp(x[i])


@kernel(contract=True)
def tanh_of_all(x, y):
    for i in range(x.size):
        y[i] = tanh(x[i])


@kernel(contract=True)
def log_of_all(x, y):
    for i in range(x.size):
        y[i] = log(x[i])


@kernel(contract=True)
def exp32_of_all(x, y):
    for i in range(x.size):
        y[i] = exp32(x[i])


@kernel(contract=True)
def tanh32_of_all(x, y):
    for i in range(x.size):
        y[i] = tanh32(x[i])


LOOP = {exp: exp_of_all, tanh: tanh_of_all, log: log_of_all, exp32: exp32_of_all, tanh32: tanh32_of_all}


def of_all(f, x):
    x = np.asarray(x, type_of(f))
    y = np.empty_like(x)
    LOOP[f](x, y)
    return y


# --- equal to the definition

@given(st.floats(EXP_LEAST, EXP_MOST) | around(0, -350, 350).filter(lambda x: EXP_LEAST < x < EXP_MOST))
def test_exp(x):
    assert ulps(exp(x), reference.exp(x), np.float64) <= BOUND[exp]


@given(st.floats(-25, 25) | around(0, 0.2, 0.55))
def test_tanh(x):
    assert ulps(tanh(x), reference.tanh(x), np.float64) <= BOUND[tanh]


@given(st.floats(0, exclude_min=True, allow_infinity=False) | around(1, 0.7, 1.4, 2).filter(lambda x: x > 0))
def test_log(x):
    assert x == 1 or ulps(log(x), reference.log(x), np.float64) <= BOUND[log]


@given(single(st.floats(-87.33, 88.72) | around(0, 20, -40).filter(lambda x: -87.33 < x < 88.72)))
def test_exp32(x):
    got = exp32(np.float32(x))
    assert got == np.float32(got) and ulps(got, reference.exp32(x), np.float32) <= BOUND[exp32]


@given(single(st.floats(-12, 12) | around(0, 0.2, 0.55)))
def test_tanh32(x):
    got = tanh32(np.float32(x))
    assert got == np.float32(got) and (x == 0 or ulps(got, reference.tanh32(x), np.float32) <= BOUND[tanh32])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows(dtype):
    x = np.concatenate([np.linspace(-9, 9, 41), [1e-30, -200, 200, -1e4, 1e4, -np.inf, np.inf, np.nan]]).astype(dtype)
    y, z, eps = x.copy(), x.copy(), np.finfo(dtype).eps
    tanh_row(y), sigmoid_row(z)
    np.testing.assert_allclose(y, np.tanh(x.astype(float)), rtol=3 * eps)
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-x.astype(float)))
    np.testing.assert_allclose(z, expected, rtol=4 * eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("f, low, high", [
    (exp, -708.3, 709.7), (exp, -2, 2), (tanh, 0.05, 0.5), (tanh, -20, 0), (log, 0.6, 1.6), (log, 0, 1e9),
    (log, 0.7072, 0.71), (log, 1.41, 1.4142), (exp32, -87, 88), (exp32, -2, 2),       # for log, f is largest there
    (tanh32, 0.05, 0.5), (tanh32, -9, 0),
])
def test_a_loop_is_as_exact_as_a_call(f, low, high):
    x = np.random.default_rng(0).uniform(low, high, 500).astype(type_of(f))
    exact = [getattr(reference, f.__name__)(number) for number in x]
    worst = max(ulps(got, value, type_of(f)) for got, value in zip(of_all(f, x), exact))
    assert 0.4 < worst <= BOUND[f]                       # 0.4: the yardstick itself measures something


# --- the edges

@each_function
def test_special_values(f):
    for x, expected in SPECIAL[f]:
        got = f(type_of(f)(x))
        assert got == expected or math.isnan(got) and math.isnan(expected), (x, got)
        assert math.copysign(1, got) == math.copysign(1, expected) or math.isnan(expected), (x, got)


@each_function
def test_special_values_in_a_loop(f):
    np.testing.assert_array_equal(of_all(f, [x for x, _ in SPECIAL[f]]), type_of(f)([y for _, y in SPECIAL[f]]))


@each_function
def test_every_nan_gives_nan(f):
    bits = {np.float64: [0x7FF8000000000000, 0xFFF8000000000000, 0x7FFFFFFFFFFFFFFF, 0x7FF800000BADBEEF],
            np.float32: [0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0x7FC0BEEF]}[type_of(f)]
    x = np.array(bits, np.uint64 if type_of(f) is np.float64 else np.uint32).view(type_of(f))
    assert np.isnan([f(number) for number in x]).all() and np.isnan(of_all(f, x)).all()


@pytest.mark.parametrize("f, least, most", [(exp, EXP_LEAST, EXP_MOST), (exp32, EXP_LEAST_32, EXP_MOST_32)])
def test_nothing_is_lost_between_0_and_infinity(f, least, most):
    """The bounds are the last arguments with a normal result, and their own results are right."""
    type_ = type_of(f)
    least, most, limits = type_(least), type_(most), np.finfo(type_)
    assert ulps(f(least), reference.exp(least), type_) < 1.1 and ulps(f(most), reference.exp(most), type_) < 1.1
    assert f(np.nextafter(least, type_(-INF))) == 0 and f(np.nextafter(most, type_(INF))) == INF
    assert Decimal(float(limits.tiny)) < reference.exp(least) < Decimal(float(limits.tiny)) * Decimal("1.0001")
    assert reference.exp(most) < Decimal(float(limits.max)) < reference.exp(np.nextafter(most, type_(INF)))


def test_log_of_every_power_of_two_subnormal_ones_too():
    for k in range(-1074, 1024):
        assert k == 0 or ulps(log(2.0**k), reference.log(2.0**k), np.float64) <= BOUND[log]


# --- laws

@given(st.floats(-700, 700))
def test_log_undoes_exp(x):
    # 1.1 units of exp's last place are 2.2 eps in the logarithm, whose own error is one unit of the last place of x.
    assert abs(log(exp(x)) - x) <= 2.2 * np.finfo(float).eps + np.spacing(abs(x))


@given(st.floats(-INF, INF))
def test_tanh_is_odd_and_below_one(x):
    assert tanh(-x) == -tanh(x) and abs(tanh(x)) <= 1


@given(st.floats(2.0**-20, 80, width=32))
def test_a_float32_is_taken_in_double_precision(x):
    x = np.float32(x)
    assert (exp(x), tanh(x), log(x)) == (exp(float(x)), tanh(float(x)), log(float(x)))


@given(st.floats(-80, 80))
def test_exp32_takes_any_number_as_a_float32(x):
    assert exp32(x) == exp32(np.float32(x))


def test_double_is_a_plain_number():
    assert type(double(np.float32(0.1))) is float and double(np.float32(0.1)) == float(np.float32(0.1))
