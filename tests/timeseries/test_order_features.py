"""In which order the values come: each number against its definition, and laws."""
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries import order_features as ours
from scratchml.timeseries.value_features import centred, mean, standard_deviation
from tests.reference import order_features as reference
from tests.strategies.value_features import series, series_of

ROUNDED = ("noise", "walk", "wave", "whole", "two values", "constant", "zeros", "skew", "steps", "rising")


def near(found, expected, size, digits=1e-11):
    """Within rounding of sums whose terms have this size."""
    assert found == pytest.approx(expected, rel=digits, abs=digits * size, nan_ok=True)


# --- against the definition

@given(series())
def test_how_rough_it_is(x):
    size = np.abs(x).max()
    near(ours.absolute_sum_of_changes(x), reference.absolute_sum_of_changes(x), 0)
    near(ours.mean_abs_change(x), reference.mean_abs_change(x), 0)
    near(ours.mean_change(x), reference.mean_change(x), size, 1e-14)
    near(ours.mean_second_derivative_central(x), reference.mean_second_derivative_central(x), size, 1e-14)


@given(series(kinds=ROUNDED), st.sampled_from([0.1, 0.2, 0.45]), st.sampled_from([0.0, 0.5, -1.0]))
def test_changes_within_a_corridor_and_of_sides(x, low, m):
    near(ours.cid_ce(x, standard_deviation(centred(x))), reference.cid_ce(x), 0)
    u, v = np.quantile(x, low), np.quantile(x, 1 - low)
    near(ours.change_quantiles(x, u, v), reference.change_quantiles(x, u, v), 0)
    assert ours.number_crossing_m(x, m) == reference.number_crossing_m(x, m)


@given(series(), st.sampled_from([1, 2, 3, 5, 10, 50]))
def test_where_it_peaks(x, n):
    assert ours.number_peaks(x, n) == reference.number_peaks(x, n)
    values = x.tolist()
    assert ours.first_location_of_maximum(x) == reference.first_location_of_maximum(values)
    assert ours.first_location_of_minimum(x) == reference.first_location_of_minimum(values)
    near(ours.last_location_of_maximum(x), reference.last_location_of_maximum(values), 1, 1e-15)
    near(ours.last_location_of_minimum(x), reference.last_location_of_minimum(values), 1, 1e-15)


@given(series(), st.sampled_from([0.1, 0.4, 1.0]), st.integers(1, 12))
def test_how_long_it_stays(x, q, S):
    d = centred(x)
    assert ours.longest_strike_above_mean(d) == reference.longest_strike_above_mean(x)
    assert ours.longest_strike_below_mean(d) == reference.longest_strike_below_mean(x)
    near(ours.index_mass_quantile(x, q), reference.index_mass_quantile(x, q), 0)
    near(ours.energy_ratio_by_chunks(x, S), reference.energy_ratio_by_chunks(x, S), 0)


@given(series(kinds=ROUNDED), st.sampled_from([1, 2, 3, 7]), st.sampled_from([1, 5, 40]))
def test_what_it_remembers(x, l, L):
    d = centred(x)
    near(ours.autocorrelation(d, l), reference.autocorrelation(x, l), 1)
    near(ours.agg_autocorrelation(d, L), reference.agg_autocorrelation(x, L), 1)
    one = reference.autocorrelation(x, 1)
    if not abs(1 - one * one) < 1e-9:                    # nothing is divided by what rounding leaves
        near(ours.partial_autocorrelation(d), reference.partial_autocorrelation(x), 1, 1e-9)


@given(series())
def test_means_of_products_and_orders(x):
    size = np.abs(x).max() ** 3
    near(ours.c3(x), reference.c3(x), size)
    near(ours.time_reversal_asymmetry_statistic(x), reference.time_reversal_asymmetry_statistic(x), size)
    near(ours.permutation_entropy(x), reference.permutation_entropy(x), 1)


@given(series())
def test_where_it_goes(x):
    d, size = centred(x), np.abs(x).max()
    near(ours.linear_trend_slope(d), reference.linear_trend_slope(x), size)
    near(ours.linear_trend_intercept(d, mean(x)), reference.linear_trend_intercept(x), size)
    near(ours.linear_trend_rvalue(d), reference.linear_trend_rvalue(x), 1, 1e-8)


@pytest.mark.parametrize("f", range(4))
@given(x=series(most=40), C=st.integers(1, 12))
def test_where_chunks_go(f, x, C):
    size = np.abs(x - x[0]).max() ** 2 + np.abs(x).max()
    near(ours.agg_linear_trend(x, C, f), reference.agg_linear_trend(x, C, f), size)


@given(series(most=130))
def test_peaks_for_several_n_at_once(x):
    neighbours, counts = (1, 3, 5, 10, 50), np.full(5, 9.0)
    ours.peak_counts(x, neighbours, counts)
    assert counts.tolist() == [reference.number_peaks(x, n) for n in neighbours]


# --- laws

@given(series(least=3, kinds=("noise", "walk", "whole")))
def test_backwards(x):
    back = x[::-1].copy()
    size = np.abs(x).max() ** 3
    near(ours.time_reversal_asymmetry_statistic(back), -ours.time_reversal_asymmetry_statistic(x), size)
    near(ours.c3(back), ours.c3(x), size)
    near(ours.linear_trend_slope(centred(back)), -ours.linear_trend_slope(centred(x)), size)
    assert ours.number_peaks(back, 2) == ours.number_peaks(x, 2)
    near(ours.first_location_of_maximum(back), 1 - ours.last_location_of_maximum(x), 1, 1e-15)


def test_a_straight_line():
    x = 3 - 0.5 * np.arange(40)
    d = centred(x)
    assert ours.linear_trend_slope(d) == pytest.approx(-0.5, rel=1e-14)
    assert ours.linear_trend_intercept(d, mean(x)) == pytest.approx(3, rel=1e-13)
    assert ours.linear_trend_rvalue(d) == pytest.approx(-1, rel=1e-14)
    assert [ours.agg_linear_trend(x, 10, f) for f in range(3)] == pytest.approx([-5, -5, -5])
    assert ours.agg_linear_trend(x, 10, 3) == pytest.approx(0, abs=1e-12) and ours.permutation_entropy(x) == 0
    assert ours.mean_change(x) == -0.5 and ours.number_peaks(x, 1) == 0


def test_the_partial_autocorrelation_of_a_chain_is_0():
    """x_t = φ x_{t-1} + noise: nothing is left of two steps when one is taken away; of two steps φ_2 is left."""
    rng, chain, pair = np.random.default_rng(2), np.zeros(4000), np.zeros(4000)
    for t, noise in enumerate(rng.normal(size=3998), 2):
        chain[t] = 0.8 * chain[t - 1] + noise
        pair[t] = 0.3 * pair[t - 1] + 0.5 * pair[t - 2] + noise
    assert abs(ours.partial_autocorrelation(centred(chain))) < 3 / np.sqrt(4000)
    assert abs(ours.partial_autocorrelation(centred(pair)) - 0.5) < 3 / np.sqrt(4000)


@pytest.mark.parametrize("T", [1, 2, 3, 5, 11])
def test_what_a_constant_series_gives(T):
    x = np.full(T, 0.1)
    d = centred(x)
    assert ours.cid_ce(x, 0.0) == ours.agg_autocorrelation(d, 40) == ours.change_quantiles(x, 0.1, 0.1) == 0
    assert math.isnan(ours.autocorrelation(d, 1)) and math.isnan(ours.linear_trend_rvalue(d))
    assert math.isnan(ours.partial_autocorrelation(d)) and ours.number_peaks(x, 1) == 0
    assert math.isnan(ours.index_mass_quantile(0 * x, 0.4)) and math.isnan(ours.energy_ratio_by_chunks(0 * x, 10))


@pytest.mark.parametrize("of, least", [
    (ours.mean_abs_change, 2), (ours.mean_change, 2), (ours.mean_second_derivative_central, 3), (ours.c3, 3),
    (ours.time_reversal_asymmetry_statistic, 3), (ours.permutation_entropy, 3), (ours.linear_trend_slope, 2),
    (ours.linear_trend_rvalue, 2), (lambda x: ours.linear_trend_intercept(x, 1.0), 2),
    (ours.partial_autocorrelation, 6), (lambda x: ours.autocorrelation(x, 3), 4),
    (lambda x: ours.agg_linear_trend(x, 10, 3), 11)])
def test_too_short(of, least):
    for T in range(1, least):
        assert math.isnan(of(series_of(T, "noise", 0)))
    assert math.isfinite(of(series_of(least, "noise", 0)))
