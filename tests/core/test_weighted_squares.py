"""Tails of weighted squares against exact sums of exponentials, the plain integral, and the normal distribution."""
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.distributions import normal_sf
from scratchml.core.weighted_squares import chi_square_mixture_cdf, chi_square_mixture_sf
from tests.reference import weighted_squares as reference
from tests.reference.special import erfc, pi
from tests.strategies.special import magnitudes
from tests.strategies.weighted_squares import weights

EPS, INF, NAN, TINY = float(np.finfo(float).eps), math.inf, math.nan, Decimal(2.3e-308)


def assert_near(got, expected, relative):
    """`got` is a float, and as near as stated, but where numbers lose their digits below 2.3e-308."""
    assert type(got) is float and not math.isnan(got)
    loss = Decimal("1e-323") if abs(expected) < TINY else 0
    assert abs(Decimal(got) - expected) <= Decimal(relative) * abs(expected) + loss, (got, expected)


# --- equal to the definition

@given(weights(least=4, most=7), st.floats(-4, 1))
def test_chi_square_mixture_is_the_integral(λ, power):
    x = λ.sum() * 10**power
    expected = reference.chi_square_mixture_sf(x, λ)
    assert abs(chi_square_mixture_sf(x, λ) - expected) < 1e-7
    assert abs(chi_square_mixture_cdf(x, λ) - reference.chi_square_mixture_cdf(x, λ)) < 1e-7


@given(weights(), st.floats(-1.5, 2.4))
def test_chi_square_mixture_of_pairs_is_a_sum(λ, power):
    x = λ.sum() * 10**power
    upper = reference.pairs_of_weights_sf(x, λ)
    assert_near(chi_square_mixture_sf(x, np.repeat(λ, 2)), upper, 1e-12)
    if 1 - upper > Decimal("1e-40"):
        assert_near(chi_square_mixture_cdf(x, np.repeat(λ, 2)), 1 - upper, 1e-12)


@given(st.integers(1, 40), magnitudes(-3, 3))
def test_chi_square_mixture_of_equal_weights_is_chi_square(pairs, x):
    assert_near(chi_square_mixture_sf(3 * x, np.full(2 * pairs, 3)), reference.chi_square_sf(x, pairs), 1e-12)


@given(magnitudes(-306, 3))
def test_chi_square_mixture_of_one_weight_is_a_normal_square(x):
    exact = Decimal(x)
    upper = erfc((exact / 2).sqrt())
    assert_near(chi_square_mixture_sf(x, [1]), upper, 1e-12)
    lower = 1 - upper if x > 1e-12 else (2 * exact / pi(60)).sqrt() * (1 - exact / 6)
    assert_near(chi_square_mixture_cdf(x, [1]), lower, 1e-12)


@given(magnitudes(-200, -7))
def test_the_lower_tail_begins_as_a_power(x):
    """Three weights: x^{3/2} / ((λ_1 λ_2 λ_3)^{1/2} 2^{3/2} Γ(5/2)), and the next term is smaller by about x."""
    expected = Decimal(x) ** Decimal("1.5") / (Decimal(2) ** Decimal("1.5") * Decimal(math.gamma(2.5)))
    assert_near(chi_square_mixture_cdf(x, [0.5, 4, 0.5]), expected, 1e-12 + 2 * x)


@pytest.mark.parametrize("x", [1e-320, 1e-300, 1e-281, 1e-280, 1e-279])
def test_the_lower_tail_of_the_smallest_numbers(x):
    assert math.isclose(chi_square_mixture_cdf(x, [2]), math.sqrt(x) / math.sqrt(math.pi), rel_tol=1e-12)
    assert math.isclose(chi_square_mixture_cdf(x, [2, 0.5]), 0.5 * x, rel_tol=1e-12, abs_tol=1e-323)


@pytest.mark.parametrize("x, published", [(0.34730, 0.1), (0.46136, 0.05), (0.58061, 0.025), (0.74346, 0.01),
                                          (1.16786, 0.001)])
def test_the_law_of_cramer_and_von_mises(x, published):
    """Σ Z_k² / (kπ)², five of its published points; the weights beyond 400 by their mean."""
    λ = 1 / (math.pi * np.arange(1, 401)) ** 2
    assert abs(chi_square_mixture_sf(x - (1 / 6 - λ.sum()), λ) / published - 1) < 2e-4


# --- laws

@given(weights(most=5), magnitudes(-8, 8), st.floats(-2, 1.5))
def test_chi_square_mixture_follows_units_and_ignores_zeros_and_order(λ, unit, power):
    x = λ.sum() * 10**power
    p = chi_square_mixture_sf(x, λ)
    assert math.isclose(chi_square_mixture_sf(x * unit, λ[::-1] * unit), p, rel_tol=1e-12)
    assert chi_square_mixture_sf(x, [0, *λ, 0]) == p
    assert abs(p + chi_square_mixture_cdf(x, λ) - 1) <= 2 * EPS


@given(weights(most=5))
def test_chi_square_mixture_falls_from_1_to_0(λ):
    x = np.concatenate([[0], λ.sum() * np.logspace(-3, 2, 40)])
    p = chi_square_mixture_sf(x, λ)
    assert p[0] == 1 and (np.diff(p) <= 1e-15).all() and p[-1] < 1e-8


# --- the edges

@pytest.mark.parametrize("f, x, weights, expected", [
    (chi_square_mixture_sf, 0, [1], 1), (chi_square_mixture_sf, -3, [1, 2], 1), (chi_square_mixture_sf, INF, [1], 0),
    (chi_square_mixture_cdf, 0, [1], 0), (chi_square_mixture_cdf, -INF, [1], 0), (chi_square_mixture_cdf, INF, [1], 1),
    (chi_square_mixture_sf, 1e5, [1], 0), (chi_square_mixture_sf, 1e300, [1e-300, 3e-300], 0),
    (chi_square_mixture_cdf, 1e-300, [1e300, 3e300], 0),
])
def test_ends(f, x, weights, expected):
    assert f(x, weights) == expected and type(f(x, weights)) is float


@pytest.mark.parametrize("x, weights, words", [
    (1, [], "λ: expected weights"), (1, [0, 0], "λ: expected weights"), (1, [1, -1], "λ: expected weights"),
    (1, [NAN], "λ"), (1, [INF], "λ"), (1, 1.0, "λ"), (1, [[1.0]], "λ"), (NAN, [1], "x: got nan"), ("a", [1], "x"),
    (1, [1, 1e-101], "leave it out"),
])
def test_what_makes_no_sense_is_refused_in_words(x, weights, words):
    for f in (chi_square_mixture_sf, chi_square_mixture_cdf):
        with pytest.raises(ValueError, match=words):
            f(x, weights)


@pytest.mark.parametrize("λ", [[1.0, 1e-99], [1.0] * 3 + [1e-50] * 40, list(0.5 ** np.arange(300.0)), [1.0] * 1000])
@pytest.mark.parametrize("power", [-250, -100, -9, -1, -0.1, 0, 0.1, 1, 2])
def test_weights_and_thresholds_of_any_size_give_a_probability(λ, power):
    x = sum(λ) * 10.0**power
    p, q = chi_square_mixture_sf(x, λ), chi_square_mixture_cdf(x, λ)
    assert 0 <= p <= 1 and 0 <= q <= 1 and abs(p + q - 1) < 4e-16


def test_many_weights_are_nearly_normal():
    """By Edgeworth, P(w) = sf(w) + γ (w² - 1) φ(w) / 6, w standardised, γ the skewness; terms of order 1/W are left."""
    λ = np.linspace(1, 2, 1000)
    mean, spread, skewness = λ.sum(), math.sqrt(2 * (λ**2).sum()), 8 * (λ**3).sum() / (2 * (λ**2).sum()) ** 1.5
    for w in (-2, -0.5, 0, 1, 2):
        bend = skewness * (w * w - 1) * math.exp(-w * w / 2) / math.sqrt(2 * math.pi) / 6
        assert abs(chi_square_mixture_sf(mean + w * spread, λ) - normal_sf(w) - bend) < 1e-3


def test_arrays_of_any_shape():
    assert chi_square_mixture_sf(np.ones((2, 1)), [1, 2]).tolist() == [[chi_square_mixture_sf(1, [1, 2])]] * 2
    assert chi_square_mixture_cdf([], [1]).shape == (0,)
    x = np.arange(6, dtype=np.float32)
    assert np.array_equal(chi_square_mixture_cdf(x[::-2], [3]), chi_square_mixture_cdf(x, [3])[::-2])
