"""All features in one pass: each by its name against its definition; series in every form; hostile series."""
import math
import os
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries import FeatureExtractor, extract_features
from scratchml.timeseries.feature_extractor import FEATURES
from tests.reference import order_features as order, value_features as value
from tests.strategies.distances import seeds
from tests.strategies.value_features import series_of

# Each by its name, and the power of the series' unit in which it grows.
DEFINITIONS = {
    "sum_values": (1, value.sum_values), "mean": (1, value.mean), "median": (1, value.median),
    "variance": (2, value.variance), "standard_deviation": (1, value.standard_deviation),
    "variation_coefficient": (0, value.variation_coefficient), "skewness": (0, value.skewness),
    "kurtosis": (0, value.kurtosis), "root_mean_square": (1, value.root_mean_square), "minimum": (1, min),
    "maximum": (1, max), "absolute_maximum": (1, value.absolute_maximum), "abs_energy": (2, value.abs_energy),
    "quantile__q_0.1": (1, lambda x: value.quantile(x, 0.1)), "quantile__q_0.2": (1, lambda x: value.quantile(x, 0.2)),
    "quantile__q_0.3": (1, lambda x: value.quantile(x, 0.3)), "quantile__q_0.4": (1, lambda x: value.quantile(x, 0.4)),
    "quantile__q_0.6": (1, lambda x: value.quantile(x, 0.6)), "quantile__q_0.7": (1, lambda x: value.quantile(x, 0.7)),
    "quantile__q_0.8": (1, lambda x: value.quantile(x, 0.8)), "quantile__q_0.9": (1, lambda x: value.quantile(x, 0.9)),
    "count_above_mean": (0, value.count_above_mean), "count_below_mean": (0, value.count_below_mean),
    "ratio_beyond_r_sigma__r_1": (0, lambda x: value.ratio_beyond_r_sigma(x, 1)),
    "ratio_beyond_r_sigma__r_2": (0, lambda x: value.ratio_beyond_r_sigma(x, 2)),
    "ratio_beyond_r_sigma__r_3": (0, lambda x: value.ratio_beyond_r_sigma(x, 3)),
    "large_standard_deviation__r_0.25": (0, lambda x: value.large_standard_deviation(x, 0.25)),
    "symmetry_looking__r_0.25": (0, lambda x: value.symmetry_looking(x, 0.25)),
    "has_duplicate_max": (0, value.has_duplicate_max), "has_duplicate_min": (0, value.has_duplicate_min),
    "has_duplicate": (0, value.has_duplicate),
    "ratio_value_number_to_time_series_length": (0, value.ratio_value_number_to_time_series_length),
    "binned_entropy__max_bins_10": (0, lambda x: value.binned_entropy(x, 10)),
    "mean_abs_change": (1, order.mean_abs_change), "mean_change": (1, order.mean_change),
    "mean_second_derivative_central": (1, order.mean_second_derivative_central),
    "absolute_sum_of_changes": (1, order.absolute_sum_of_changes),
    "number_peaks__n_1": (0, lambda x: order.number_peaks(x, 1)),
    "number_peaks__n_3": (0, lambda x: order.number_peaks(x, 3)),
    "number_peaks__n_5": (0, lambda x: order.number_peaks(x, 5)),
    "number_peaks__n_10": (0, lambda x: order.number_peaks(x, 10)),
    "number_peaks__n_50": (0, lambda x: order.number_peaks(x, 50)),
    "longest_strike_above_mean": (0, order.longest_strike_above_mean),
    "longest_strike_below_mean": (0, order.longest_strike_below_mean),
    "first_location_of_maximum": (0, order.first_location_of_maximum),
    "last_location_of_maximum": (0, order.last_location_of_maximum),
    "first_location_of_minimum": (0, order.first_location_of_minimum),
    "last_location_of_minimum": (0, order.last_location_of_minimum),
    "number_crossing_m__m_0": (0, lambda x: order.number_crossing_m(x, 0)),
    "cid_ce__normalize_True": (0, order.cid_ce), "c3__lag_1": (3, order.c3),
    "time_reversal_asymmetry_statistic__lag_1": (3, order.time_reversal_asymmetry_statistic),
    "autocorrelation__lag_1": (0, lambda x: order.autocorrelation(x, 1)),
    "autocorrelation__lag_2": (0, lambda x: order.autocorrelation(x, 2)),
    "autocorrelation__lag_3": (0, lambda x: order.autocorrelation(x, 3)),
    "autocorrelation__lag_7": (0, lambda x: order.autocorrelation(x, 7)),
    'agg_autocorrelation__f_agg_"mean"__maxlag_40': (0, lambda x: order.agg_autocorrelation(x, 40)),
    "partial_autocorrelation__lag_2": (0, order.partial_autocorrelation),
    'linear_trend__attr_"slope"': (1, order.linear_trend_slope),
    'linear_trend__attr_"intercept"': (1, order.linear_trend_intercept),
    'linear_trend__attr_"rvalue"': (0, order.linear_trend_rvalue),
    'agg_linear_trend__attr_"slope"__chunk_len_10__f_agg_"mean"': (1, lambda x: order.agg_linear_trend(x, 10, 0)),
    'agg_linear_trend__attr_"slope"__chunk_len_10__f_agg_"max"': (1, lambda x: order.agg_linear_trend(x, 10, 1)),
    'agg_linear_trend__attr_"slope"__chunk_len_10__f_agg_"min"': (1, lambda x: order.agg_linear_trend(x, 10, 2)),
    'agg_linear_trend__attr_"slope"__chunk_len_10__f_agg_"var"': (2, lambda x: order.agg_linear_trend(x, 10, 3)),
    'change_quantiles__f_agg_"mean"__isabs_True__qh_0.8__ql_0.2':
        (1, lambda x: order.change_quantiles(x, np.quantile(x, 0.2), np.quantile(x, 0.8))),
    "index_mass_quantile__q_0.4": (0, lambda x: order.index_mass_quantile(x, 0.4)),
    "energy_ratio_by_chunks__num_segments_10__segment_focus_0": (0, lambda x: order.energy_ratio_by_chunks(x, 10)),
    "permutation_entropy__dimension_3__tau_1": (0, order.permutation_entropy),
}
UNITS = np.array([power for power, _ in DEFINITIONS.values()])
NAMES = [feature.name for feature in FEATURES]
KINDS = ("noise", "walk", "wave", "whole", "skew", "rising")


def drawn(lengths, seed=0):
    return [series_of(T, kind, seed) for kind in KINDS for T in lengths]


def table(X, **options):
    """The features alone, however short the series are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return extract_features(X, **options)[0]


# --- each by its name

def test_there_are_69_each_in_the_column_of_its_name():
    assert NAMES == list(DEFINITIONS) and len(NAMES) == 69
    series = [*drawn((12, 41)), series_of(110, "walk", 2), series_of(110, "skew", 3)]
    X, names = extract_features(series)
    assert names == [f"value__{name}" for name in NAMES] and X.dtype == np.float64
    for found, x in zip(X, series):
        expected = np.array([define(x.tolist()) for _, define in DEFINITIONS.values()])
        off = np.abs(found - expected) > 1e-9 * np.abs(expected) + 1e-9 * np.abs(x).max() ** UNITS
        assert not [(NAMES[k], found[k], expected[k]) for k in np.flatnonzero(off)]


@given(seeds, st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True), st.booleans())
def test_some_of_them_in_the_order_that_is_asked_for(seed, chosen, prefixed):
    series = drawn((12,), seed)
    X, names = extract_features(series, features=[f"day__{name}" if prefixed else name for name in chosen], names="day")
    assert names == [f"day__{name}" for name in chosen]
    np.testing.assert_array_equal(X, extract_features(series)[0][:, [NAMES.index(name) for name in chosen]])


def test_none_of_them():
    X, names = extract_features([[1.0, 2]], features=[])
    assert X.shape == (1, 0) and names == []


# --- a series depends on no other

def test_one_alone_is_the_same_as_among_others_on_any_number_of_threads(monkeypatch):
    series = drawn((150, 12) if os.environ.get("NUMBA_DISABLE_JIT") else (150, 2700, 13), 3)     # several chunks
    alone = np.concatenate([extract_features([x])[0] for x in series])
    for threads in "1", "2", "5":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        np.testing.assert_array_equal(extract_features(series)[0], alone)
    np.testing.assert_array_equal(extract_features(series[::-1])[0], alone[::-1])


# --- in whatever form they come

TABLE = np.random.default_rng(0).integers(-9, 10, size=(5, 12)).astype(float)


@pytest.mark.parametrize("form", [
    list, np.asfortranarray, lambda X: X.tolist(), lambda X: X.astype(int), lambda X: X.astype(np.float32), iter,
    lambda X: [tuple(x) for x in X], lambda X: X.astype(object), lambda X: (list(x) for x in X),
    lambda X: [iter(x) for x in X], lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    lambda X: (np.repeat(np.arange(5), 12), X.ravel()),
    lambda X: (list("ab" * 12 + "c" * 12 + "d" * 12 + "e" * 12), np.concatenate([X[:2].T.ravel(), X[2:].ravel()])),
    lambda X: (np.repeat(["e", "d", "c", "b", "a"], 12), X[::-1].ravel()),
    lambda X: (np.repeat([3, 1, 2, 0, 4], 12).astype(object), X[[3, 1, 2, 0, 4]].ravel()),
    lambda X: (iter(np.repeat(np.arange(5), 12).tolist()), iter(X.ravel().tolist())),
    lambda X: (np.repeat(np.datetime64("2024-01-01") + np.arange(5), 12), X.ravel()),
])
def test_one_table_in_many_forms(form):
    expected = extract_features(TABLE)[0]
    np.testing.assert_array_equal(extract_features(form(TABLE.copy()))[0], expected)


def test_an_array_that_holds_arrays():
    ragged = np.empty(3, object)
    ragged[:] = [TABLE[0], TABLE[1, :11], TABLE[2]]
    np.testing.assert_array_equal(extract_features(ragged)[0], extract_features(list(ragged))[0])


def test_series_stay_as_they_were():
    series = [series_of(20, "walk", 1) * 2.0**600, series_of(30, "noise", 2)]
    before = [x.copy() for x in series]
    for x in series:
        x.flags.writeable = False
    extract_features(series)
    assert all((x == y).all() for x, y in zip(series, before))
    fixed = TABLE.copy()
    fixed.flags.writeable = False
    np.testing.assert_array_equal(extract_features(fixed)[0], extract_features(TABLE)[0])


@pytest.mark.parametrize("nothing", [[], np.empty((0, 9)), ([], []), np.empty(0, object)])
def test_no_series(nothing):
    assert extract_features(nothing)[0].shape == (0, 69)


# --- hostile series

@pytest.mark.parametrize("power", [-1040, -700, -201, -30, 30, 199, 260, 498, 900])
def test_a_unit_does_not_matter(power):
    """What has no unit keeps every bit; what has one is right, or beyond the numbers: infinite, or 0."""
    series = [np.rint(x) for x in drawn((41,), 5)]
    X, scaled = table(series), table([np.ldexp(x, power) for x in series])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(scaled, np.ldexp(X, power * UNITS))


@pytest.mark.parametrize("size", [1e150, 1e-150, 1e154, 1.7e308, 5e-324])
def test_as_large_and_as_small_as_numbers_are(size):
    x = np.array([1.0, -1, 1, 1, -1, 0, 1, -1, -1, 1, 0, 1]) * size
    X = dict(zip(NAMES, table([x])[0]))
    assert X["maximum"] == X["absolute_maximum"] == size and X["minimum"] == -size and X["median"] == size / 2
    assert X["skewness"] == pytest.approx(table([np.sign(x)])[0][NAMES.index("skewness")], rel=1e-12)
    assert X["binned_entropy__max_bins_10"] == table([np.sign(x)])[0][NAMES.index("binned_entropy__max_bins_10")]
    assert X["mean"] == pytest.approx(size / 6, rel=1e-12) or size < 1e-300
    assert X["abs_energy"] == (math.inf if size > 1e153 else pytest.approx(10 * size * size, rel=1e-12))
    assert not np.isnan(list(X.values())).any()


def test_very_large_and_very_small_together():
    x = np.array([1e300, 1e-300, 2e-300, 3e-300, -1e-300] * 3)
    X = dict(zip(NAMES, table([x])[0]))
    assert X["ratio_value_number_to_time_series_length"] == 5 / 15 and X["minimum"] == -1e-300
    assert X["quantile__q_0.4"] == pytest.approx(np.quantile(x, 0.4)) and X["median"] == 2e-300
    assert not table([[1e300, 1e-300, 2e-300], [-1e300, 1e-300, 2e-300]],
                     features=["has_duplicate_min", "has_duplicate", "has_duplicate_max"]).any()


@pytest.mark.parametrize("T", [1, 2, 3, 5, 6, 10, 11])
def test_each_feature_is_nan_below_its_least_length_and_only_there(T):
    x = series_of(T, "noise", 1)
    for feature, found in zip(FEATURES, table([x])[0]):
        assert math.isnan(found) == (T < feature.least), feature.name


def test_series_that_are_too_short_are_counted_once():
    series = [np.arange(20.0) ** 2, [1, 2, 3.0], [5.0], np.arange(12.0)]
    with pytest.warns(UserWarning, match=r"^2 of 4 series are too short for some features, which are NaN there; the "
                                         r"shortest has 1 value\(s\), too few for skewness \(3\), kurtosis \(4\), "
                                         r"mean_abs_change \(2\) and 17 more; the first is X\[1\]") as issued:
        X, _ = extract_features(series)
    assert len(issued) == 1 and issued[0].filename == __file__
    assert np.isfinite(X[[0, 3]]).all()
    extract_features(series, features=["mean", "number_peaks__n_50"])            # long enough for these


def test_a_series_without_a_value_is_too_short_for_all():
    with pytest.warns(UserWarning, match="1 of 2 series are too short"):
        X, _ = extract_features([[], [1.0, 2]], features=["mean", "maximum"])
    np.testing.assert_array_equal(X, [[np.nan, np.nan], [1.5, 2]])


def test_series_with_nan_have_nan_for_all_and_are_counted_once():
    broken = TABLE.copy()
    broken[1, 3] = broken[4, 0] = np.nan
    with pytest.warns(UserWarning, match=r"^2 of 5 series contain NaN, and so do all their features; the first is "
                                         r"X\[1\]") as issued:
        X, _ = extract_features(broken)
    assert len(issued) == 1 and np.isnan(X[[1, 4]]).all()
    np.testing.assert_array_equal(X[[0, 2, 3]], extract_features(TABLE)[0][[0, 2, 3]])
    with pytest.warns(UserWarning, match="1 of 1 series contain NaN.* that of id b"):
        extract_features((["b", "b"], [np.nan, 1.0]))


@pytest.mark.parametrize("value", [0.1, 0.0, -3e-9, 1e150])
def test_constant_series(value):
    X = dict(zip(NAMES, table([np.full(12, value)])[0]))
    nan = {name for name in NAMES if name.startswith(("autocorr", "partial"))} | {'linear_trend__attr_"rvalue"'}
    if not value:
        nan |= {"variation_coefficient", "index_mass_quantile__q_0.4",
                "energy_ratio_by_chunks__num_segments_10__segment_focus_0"}
    assert {name for name in NAMES if math.isnan(X[name])} == nan
    assert X["mean"] == X["median"] == X["quantile__q_0.7"] == value and X["has_duplicate"] == 1
    for name in ("variance", "skewness", "kurtosis", "count_above_mean", "count_below_mean",
                 "binned_entropy__max_bins_10", "cid_ce__normalize_True",
                 'agg_autocorrelation__f_agg_"mean"__maxlag_40', "mean_abs_change",
                 "permutation_entropy__dimension_3__tau_1", 'linear_trend__attr_"slope"'):
        assert X[name] == 0, name


def test_duplicates_of_the_largest_at_both_ends():
    x = [7.0, 1, 2, 3, 7]
    X = table([x], features=["has_duplicate_max", "first_location_of_maximum", "last_location_of_maximum"])
    assert X.tolist() == [[1, 0, 1]]


# --- bad input

@pytest.mark.parametrize("X, message", [
    ([[1.0, np.inf]], r"X\[0\]: Input contains infinity, first at \[1\]"),
    (np.full((2, 3), np.inf), "X: Input contains inf"),
    (np.arange(9.0), r"X: expected several series, got one of shape \(9,\); pass \[x\]"),
    ([1.0, 2.0], r"X\[0\]: expected an array or a list of numbers, got float"), (7, "X: expected an array"),
    ("abc", "X: expected an array"), ({"a": [1.0]}, "X: expected an array"),
    (["ab"], r"X\[0\]: expected an array or a list"),
    ([[1.0], ["a"]], r"X\[1\]: expected numbers"), ([np.ones((2, 2))], r"X\[0\]: expected an array of shape \(N,\)"),
    (np.ones((2, 3, 4)), "X: Found array with dim 3"), (np.ones((2, 0)), "0 feature"),
    ([np.ma.array([1.0, 2], mask=[0, 1])], r"X\[0\]: contains masked values"),
    (([1, 2],), r"X: a tuple is expected to be \(ids, values\), got 1 things"),
    (([1.0, 2], [3.0], [4.0]), "got 3 things; pass a list of series"), (([1, 1], [1.0]), "X: expected ids and values"),
    ((["a", None], [1.0, 2]), r"ids: 1 are missing, first at \[1\]"), (([1.0, np.nan], [1.0, 2]), "ids: 1 are missing"),
    ((TABLE[0] + 0.5, TABLE[1]), "its first part has fractions; pass a list of series"),
    (([1, 1], [1.0, np.inf]), r"values: Input contains infinity, first at \[1\]"),
    ((np.array(["a", 1], object), [1.0, 2]), "ids: expected ids that can be sorted"),
])
def test_what_is_no_series(X, message):
    with pytest.raises(ValueError, match=message):
        extract_features(X)


@pytest.mark.parametrize("options, message", [
    ({"features": ["maen"]}, "features: 'maen' is none of the 69"),
    ({"features": "mean"}, "features='mean': expected a list"),
    ({"features": ["mean", "value__mean"]}, "features: 'mean' comes twice"),
    ({"names": 3}, "names=3: expected a string"),
    ({"features": [3]}, "features: 3 is none"),
    ({"features": [["mean"]]}, "features: .'mean'. is none"),
    ({"features": ["day__mean"]}, "features: 'day__mean' is none"),
])
def test_what_is_no_feature(options, message):
    with pytest.raises(ValueError, match=message):
        extract_features(TABLE, **options)
    with pytest.raises(ValueError, match=message):
        FeatureExtractor(**options).fit(TABLE)


# --- as an estimator

def test_as_an_estimator():
    extractor = FeatureExtractor(["mean", "maximum"], names="day").fit(TABLE)
    assert extractor.get_feature_names_out().tolist() == extractor.features_ == ["day__mean", "day__maximum"]
    np.testing.assert_array_equal(extractor.transform(TABLE), extract_features(TABLE, features=["mean", "maximum"])[0])
    np.testing.assert_array_equal(extractor.fit_transform(iter(TABLE)), extractor.transform(list(TABLE)))
    extractor.set_params(features=["median"], names="hour")
    assert extractor.transform(TABLE).shape == (5, 2), "until it is fitted again"
    assert extractor.fit(TABLE).features_ == ["hour__median"]
    with pytest.raises(ValueError, match="not fitted"):
        FeatureExtractor().transform(TABLE)
    with pytest.warns(UserWarning, match="too short") as issued:
        FeatureExtractor().fit(TABLE).transform(TABLE[:, :5])
    assert issued[0].filename == __file__
