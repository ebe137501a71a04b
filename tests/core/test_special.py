"""Special functions against exact sums and long decimals, to the digits that the chapter states."""
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.jit import kernel
from scratchml.core.special import (beta_power, erf, erf_inverse, erfc, erfc_inverse, incomplete_beta,
                                    incomplete_beta_one, log1p_minus, log_gamma_ratio, stirling_error)
from tests.reference import special as reference
from tests.strategies.special import arguments, between, gammas, levels, magnitudes

EPS, INF, NAN, TINY = float(np.finfo(float).eps), math.inf, math.nan, 2.3e-308


def assert_near(got, exact, relative, absolute=0.0):
    """`got` is a float, and as near as stated; 1e-323 more, where numbers have lost their digits."""
    assert type(got) is float
    bound = Decimal(relative) * abs(exact) + Decimal(absolute) + (Decimal("1e-323") if abs(exact) < TINY else 0)
    assert abs(Decimal(got) - exact) <= bound, (got, exact)


# --- equal to the definition

@given(arguments)
def test_erf(x):
    assert_near(erf(x), reference.erf(x), 4 * EPS)


@given(arguments)
def test_erfc(x):
    assert_near(erfc(x), reference.erfc(x), 4 * EPS)


@given(st.one_of(st.floats(-1, 1), magnitudes(-300, 0)).filter(lambda p: abs(p) < 1))
def test_erf_inverse(p):
    assert_near(erf_inverse(p), reference.erf_inverse(p), 4 * EPS)


@given(levels.filter(lambda q: q > 1e-100), st.booleans())
def test_erfc_inverse(q, mirrored):
    q = 2 - q if mirrored and 2 - q < 2 else q
    assert_near(erfc_inverse(q), reference.erfc_inverse(q), 4 * EPS)


@pytest.mark.parametrize("q", [5e-324, 2.5e-320, 1e-308, 9.9e-291, 1.01e-290, 1e-200, 0.49999999999999994, 0.5, 1.5])
def test_erfc_inverse_where_the_method_changes(q):
    assert_near(erfc_inverse(q), reference.erfc_inverse(q), 4 * EPS)


@given(st.one_of(st.floats(-0.999, 5), magnitudes(-100, -0.1), magnitudes(-100, -0.1).map(lambda z: -z)))
def test_log1p_minus(z):
    assert_near(log1p_minus(z), reference.log1p_minus(z), 5 * EPS)


@given(gammas)
def test_stirling_error(m):
    assert_near(stirling_error(m), reference.stirling_error(m), 8 * EPS, 1e-15)


@given(gammas, st.one_of(gammas, magnitudes(-9, 0), st.just(0.5)))
def test_log_gamma_ratio(a, d):
    assert_near(log_gamma_ratio(a, d), reference.log_gamma_ratio(a, d), 1e-14, 1e-14 * min(1, d))


@given(between, gammas, gammas)
def test_beta_power(x, a, b):
    expected = reference.beta_power(x, a, b)
    assert_near(beta_power(x, a, b), expected, 2e-13 if expected > TINY else 1)


@given(between, gammas.filter(lambda a: a < 500), gammas.filter(lambda b: b < 500))
def test_incomplete_beta(x, a, b):
    expected = reference.incomplete_beta(x, a, b)
    assert_near(incomplete_beta(x, a, b), expected, 2e-13 if expected > TINY else 1)


@given(between, st.integers(1, 60), st.integers(1, 60))
def test_incomplete_beta_is_an_exact_sum_for_whole_numbers(x, a, b):
    expected = reference.exact(reference.incomplete_beta_of_integers(x, a, b))
    assert_near(incomplete_beta(x, a, b), expected, 2e-13)


@pytest.mark.parametrize("a, b", [(1e4, 1e4), (1e5, 3e5), (3.5e5, 2e5), (2e6, 0.5), (0.5, 1e6), (7, 1e6), (1e6, 1e-3),
                                  (1e4, 1e-6), (30, 1e-9)])
@pytest.mark.parametrize("deviations", [-30, -5, -1, 0, 1e-3, 2, 6])
def test_incomplete_beta_of_large_arguments(a, b, deviations):
    mean = a / (a + b)
    x = min(max(mean + deviations * math.sqrt(mean * (1 - mean) / (a + b)), mean / 50), 1 - (1 - mean) / 50)
    expected = reference.incomplete_beta(x, a, b)
    assert_near(incomplete_beta(x, a, b), expected, 2e-13 + 10 * EPS * math.sqrt(min(a, b)))


# --- laws

@given(arguments)
def test_erf_is_odd_and_the_complement_of_erfc(x):
    assert erf(-x) == -erf(x)
    assert abs(erf(x) + erfc(x) - 1) <= 2 * EPS and abs(erfc(x) + erfc(-x) - 2) <= 4 * EPS


@given(st.floats(-5, 5))
def test_the_inverses_undo(x):
    # An error of eps in erfc moves x by eps erfc(x) / erfc'(x), in x itself at most x eps.
    assert abs(erfc_inverse(erfc(x)) - x) <= 4 * EPS * (abs(x) + erfc(x) * math.exp(x * x))
    assert abs(erf_inverse(erf(x)) - x) <= 4 * EPS * (abs(x) + math.exp(x * x))


@given(levels, levels)
def test_erfc_inverse_falls(p, q):
    assert (erfc_inverse(p) >= erfc_inverse(q)) == (p <= q) or erfc_inverse(p) == erfc_inverse(q)


@given(gammas, magnitudes(-3, 3), magnitudes(-3, 3))
def test_log_gamma_ratios_add_up(a, d, e):
    total = log_gamma_ratio(a, d) + log_gamma_ratio(a + d, e)
    size = 1 + abs(log_gamma_ratio(a, d)) + abs(log_gamma_ratio(a + d, e))
    assert abs(total - log_gamma_ratio(a, d + e)) <= 4e-14 * size


@given(gammas)
def test_gamma_grows_by_its_argument(a):
    assert abs(log_gamma_ratio(a, 1) - math.log(a)) <= 1e-14 * (1 + abs(math.log(a)))


@given(st.integers(0, 2**20).map(lambda i: i / 2**20), gammas, gammas)
def test_incomplete_beta_and_its_mirror_image_are_one(x, a, b):
    assert abs(incomplete_beta(x, a, b) + incomplete_beta(1 - x, b, a) - 1) <= 2e-13


@given(gammas, gammas)
def test_incomplete_beta_rises(a, b):
    values = incomplete_beta(np.linspace(0, 1, 41), a, b)
    assert values[0] == 0 and values[-1] == 1 and (np.diff(values) >= -1e-15).all()


@given(between, gammas)
def test_incomplete_beta_where_one_argument_is_1(x, a):
    assert_near(incomplete_beta(x, a, 1), Decimal(x) ** Decimal(a), 2e-13 if x**a > TINY else 1)


# --- the edges

@pytest.mark.parametrize("f, x, expected", [
    (erf, 0.0, 0), (erf, INF, 1), (erf, -INF, -1), (erf, 5e-324, 5e-324), (erfc, INF, 0), (erfc, -INF, 2), (erfc, 0, 1),
    (erfc, 28, 0), (erf_inverse, 1, INF), (erf_inverse, -1, -INF), (erf_inverse, 0, 0), (erfc_inverse, 0, INF),
    (erfc_inverse, 2, -INF), (erfc_inverse, 1, 0),
])
def test_ends(f, x, expected):
    assert f(x) == expected and type(f(x)) is float


@pytest.mark.parametrize("f, given, name", [
    (erf, (NAN,), "x"), (erfc, (NAN,), "x"), (erf_inverse, (1.0000001,), "p"), (erf_inverse, (NAN,), "p"),
    (erfc_inverse, (-1e-9,), "q"), (erfc_inverse, (INF,), "q"), (erfc_inverse, (NAN,), "q"),
    (log_gamma_ratio, (0.0, 1), "a"), (log_gamma_ratio, (-1.5, 1), "a"), (log_gamma_ratio, (1, -1e-9), "d"),
    (log_gamma_ratio, (INF, 1), "a"), (log_gamma_ratio, (1, NAN), "d"), (log_gamma_ratio, (1e151, 1), "a"),
    (incomplete_beta, (1.01, 1, 1), "x"), (incomplete_beta, (NAN, 1, 1), "x"), (incomplete_beta, (0.5, 0, 1), "a"),
    (incomplete_beta, (0.5, 1, INF), "b"), (incomplete_beta, (0.5, 1e-151, 1), "a"),
    (incomplete_beta, (0.5, 1e11, 1e12), "min"), (beta_power, (-0.1, 1, 1), "x"), (beta_power, (0.5, 1, 0), "b"),
])
def test_what_lies_outside_is_refused_by_name(f, given, name):
    with pytest.raises(ValueError, match=rf"{name}.*expected numbers from"):
        f(*given)


def test_the_message_says_where():
    with pytest.raises(ValueError, match=r"q: got 3.0 at \[1, 0\], expected numbers from 0 to 2"):
        erfc_inverse([[1, 1], [3, 1]])
    with pytest.raises(ValueError, match=r"\(3,\) and \(2,\) do not go together"):
        log_gamma_ratio(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="numbers"):
        erf("high")


@given(between, magnitudes(-150, 150), magnitudes(-150, 150))
def test_arguments_of_any_size_give_a_probability(x, a, b):
    if min(a, b) <= 1e6:
        assert 0 <= incomplete_beta(x, a, b) <= 1 and beta_power(x, a, b) >= 0


@pytest.mark.parametrize("a, b", [(1e150, 1e-150), (1e-150, 1e150), (1e-150, 1e-150), (1e150, 3), (3, 1e150)])
@pytest.mark.parametrize("x", [5e-324, 1e-300, 1e-150, 1e-9, 0.5, 1 - 2**-53])
def test_corners(x, a, b):
    assert 0 <= incomplete_beta(x, a, b) <= 1
    assert math.isfinite(log_gamma_ratio(a, b)) and math.isfinite(beta_power(x, a, b))


# --- arrays

@pytest.mark.parametrize("type_", [np.float32, np.int64, bool, object, list])
def test_any_kind_of_numbers(type_):
    x = [0, 1] if type_ is list else np.array([0, 1], type_)
    got = erf(x)
    assert got.dtype == np.float64 and got.tolist() == [erf(0), erf(1)]


def test_shapes_broadcast_and_layouts_do_not_matter():
    x, a = np.linspace(0.1, 0.9, 6).reshape(2, 3), np.array([[0.5], [7.0]])
    got = incomplete_beta(x, a, 2)
    assert got.shape == (2, 3)
    assert got.tolist() == [[incomplete_beta(x[i, j], a[i, 0], 2) for j in range(3)] for i in range(2)]
    x.flags.writeable = False
    assert np.array_equal(incomplete_beta(np.asfortranarray(x), a, 2), got)
    assert np.array_equal(incomplete_beta(x[:, ::-1], a, 2), got[:, ::-1])
    assert erf(np.empty((0, 3))).shape == (0, 3) and type(erf(np.array(0.5))) is float


def test_the_number_of_threads_does_not_matter(monkeypatch):
    q = np.linspace(0, 2, 5001)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = erfc_inverse(q)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    assert np.array_equal(erfc_inverse(q), alone) and alone[17] == erfc_inverse(q[17])


@kernel
def _from_a_kernel(x, out):
    for i in range(x.size):
        out[i] = incomplete_beta_one(float(x[i]), 2.5, 4.0)


def test_kernels_call_them():
    x, out = np.linspace(0, 1, 7), np.empty(7)
    _from_a_kernel(x, out)
    assert np.array_equal(out, incomplete_beta(x, 2.5, 4.0))
