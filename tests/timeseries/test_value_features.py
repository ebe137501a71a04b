"""What the values of a series are: each number against its definition, and laws."""
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries import value_features as ours
from tests.reference import value_features as reference
from tests.strategies.distances import seeds
from tests.strategies.value_features import KINDS, series, series_of

EPS = np.finfo(float).eps


def near(found, expected, size, digits=1e-12):
    """Within rounding of sums whose terms have this size."""
    assert found == pytest.approx(expected, rel=digits, abs=digits * size, nan_ok=True)


# --- against the definition

@given(series())
def test_where_the_values_lie(x):
    s, size = np.sort(x), np.abs(x).max()
    near(ours.sum_values(x), reference.sum_values(x), len(x) * size)
    near(ours.mean(x), reference.mean(x), 4 * EPS * size)
    assert (ours.median(s), ours.minimum(s)) == (reference.median(x), reference.minimum(x))
    assert (ours.maximum(s), ours.absolute_maximum(s)) == (reference.maximum(x), reference.absolute_maximum(x))
    near(ours.abs_energy(x), reference.abs_energy(x), 0)
    near(ours.root_mean_square(x), reference.root_mean_square(x), 0)


@given(series(), st.sampled_from([0.0, 0.1, 0.3, 0.7, 0.9, 1.0]))
def test_quantiles(x, q):
    near(ours.quantile(np.sort(x), q), reference.quantile(x, q), np.abs(x).max(), 1e-14)


@given(series(), st.sampled_from([0.25, 0.5, 1.0, 1.9]))
def test_how_far_they_spread(x, r):
    d, s, lost = ours.centred(x), np.sort(x), 16 * EPS * np.abs(x).max()
    σ = reference.standard_deviation(x)
    near(ours.variance(d), reference.variance(x), lost**2)
    near(ours.standard_deviation(d), σ, lost)
    near(ours.variation_coefficient(d, ours.mean(x)), reference.variation_coefficient(x), 0)
    edges = np.abs(np.abs(x - reference.mean(x)) - r * σ)
    if edges.min() > lost or not σ:                      # no value lies on the border, where rounding decides
        assert ours.ratio_beyond_r_sigma(d, r) == reference.ratio_beyond_r_sigma(x, r)
    if abs(σ - r * np.ptp(x)) > lost or not σ:
        assert ours.large_standard_deviation(d, s, r) == reference.large_standard_deviation(x, r)


@given(series(kinds=[kind for kind in KINDS if kind != "offset"]), st.sampled_from([0.05, 0.25]))
def test_how_they_are_shaped(x, r):
    d, s, μ = ours.centred(x), np.sort(x), ours.mean(x)
    near(ours.skewness(d), reference.skewness(x), 1)
    near(ours.kurtosis(d), reference.kurtosis(x), 10)
    assert ours.count_above_mean(d) == reference.count_above_mean(x)
    assert ours.count_below_mean(d) == reference.count_below_mean(x)
    if abs(abs(μ - np.median(x)) - r * np.ptp(x)) > 16 * EPS * np.abs(x).max() or not np.ptp(x):
        assert ours.symmetry_looking(s, μ, r) == reference.symmetry_looking(x, r)


@given(series(), st.integers(2, 12))
def test_binned_entropy_has_the_bins_of_the_definition(x, B):
    near(ours.binned_entropy(np.sort(x), B), reference.binned_entropy(x, B), 1)


def test_values_on_the_edges_of_bins_go_to_the_right():
    """0, 0.1, ..., 0.9 and 1: where the quotient rounds down, 0.3 / 0.1, the edge says so."""
    for low in 0.0, -0.7, 1.1:
        x = low + np.arange(11) / 10
        assert ours.binned_entropy(x, 10) == pytest.approx(reference.binned_entropy(x, 10), rel=1e-14)


@given(series())
def test_how_often_they_repeat(x):
    s = np.sort(x)
    assert ours.has_duplicate_max(s) == reference.has_duplicate_max(x)
    assert ours.has_duplicate_min(s) == reference.has_duplicate_min(x)
    assert ours.has_duplicate(s) == reference.has_duplicate(x)
    assert ours.ratio_value_number_to_time_series_length(s) == reference.ratio_value_number_to_time_series_length(x)


def test_duplicates_at_one_end():
    for s, expected in (([1.0, 1, 2], (0, 1)), ([1.0, 2, 2], (1, 0)), ([1.0, 2, 2, 3], (0, 0))):
        assert (ours.has_duplicate_max(np.array(s)), ours.has_duplicate_min(np.array(s))) == expected


# --- laws

@given(series(kinds=("noise", "walk", "whole", "skew")), seeds)
def test_nothing_changes_if_the_values_are_shuffled(x, seed):
    shuffled = np.random.default_rng(seed).permutation(x)
    d, e = ours.centred(x), ours.centred(shuffled)
    near(ours.mean(x), ours.mean(shuffled), 4 * EPS * np.abs(x).max())
    near(ours.skewness(d), ours.skewness(e), 1)
    near(ours.kurtosis(d), ours.kurtosis(e), 10)


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.3, -7e-9, 1 / 3])
@pytest.mark.parametrize("T", [1, 2, 7, 49, 1000])
def test_where_all_values_are_equal_rounding_is_no_deviation(value, T):
    x = np.full(T, value)
    d = ours.centred(x)
    assert ours.mean(x) == ours.median(x) == ours.quantile(x, 0.3) == value and not d.any()
    assert ours.count_above_mean(d) == ours.count_below_mean(d) == ours.ratio_beyond_r_sigma(d, 1.0) == 0
    assert ours.binned_entropy(x, 10) == ours.large_standard_deviation(d, x, 0.25) == 0
    for of, least in (ours.skewness, 3), (ours.kurtosis, 4):
        assert of(d) == 0 if T >= least else math.isnan(of(d))


@pytest.mark.parametrize("x, above", [([0.1, 0.2, 0.3], 1), ([0.7, 0.1, 0.4], 1), ([0.1, 0.3, 0.2, 0.2, 0.2], 1),
                                      ([1.1, 1.3, 1.2, 1.25, 1.15], 2)])
def test_a_value_that_is_the_mean_but_for_rounding_is_neither_above_nor_below(x, above):
    for scale in 1.0, 1e-9, 1e9:
        d = ours.centred(np.array(x) * scale)
        assert ours.count_above_mean(d) == ours.count_below_mean(d) == above


@pytest.mark.parametrize("T", [2, 10, 1000])
@pytest.mark.parametrize("low, high", [(0.1, 0.3), (0.7, 1.1), (-1e-9, 1.3e9), (1 / 3, 5 / 7)])
def test_what_lies_on_a_border_is_not_beyond_it(low, high, T):
    """Of two values, each as often, all are one deviation away; with three times the one, the mean is a quarter off."""
    x = np.tile([low, high], T // 2)
    assert ours.ratio_beyond_r_sigma(ours.centred(x), 1.0) == 0
    x = np.tile([low, low, high, low], T)
    assert ours.symmetry_looking(np.sort(x), ours.mean(x), 0.25) == 0
    assert ours.large_standard_deviation(ours.centred(x), np.sort(x), np.sqrt(3) / 4) == 0


def test_far_from_zero_deviations_keep_their_digits():
    x = 1e9 + np.array([0.25, -0.5, 1.0, 3.5, -2.0])
    d = ours.centred(x)
    near(ours.variance(d), 3.31, 0, 1e-14)
    near(ours.skewness(d), reference.skewness((x - 1e9).tolist()), 0, 1e-13)
    near(ours.kurtosis(d), reference.kurtosis((x - 1e9).tolist()), 0, 1e-13)


def test_the_shape_of_a_normal_sample_is_0_on_average_however_small_it_is():
    samples = np.random.default_rng(0).normal(size=(2000, 6))
    shapes = np.array([(ours.skewness(x - x.mean()), ours.kurtosis(x - x.mean())) for x in samples])
    assert (np.abs(shapes.mean(axis=0)) < 3 * shapes.std(axis=0) / np.sqrt(2000)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_entropies_lie_between_0_and_that_of_equal_shares(kind):
    for T in 1, 2, 11, 60:
        assert 0 <= ours.binned_entropy(np.sort(series_of(T, kind, 1)), 10) <= math.log(10)
