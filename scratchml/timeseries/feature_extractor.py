"""69 features of every series, in one pass: a table that any classifier takes, made of series of any length.

The features are those of the chapters `value_features` and `order_features`, under tsfresh's names, which give the
settings too, in the order of the alphabet: value__quantile__q_0.1 is the quantile at 0.1 of the series called value.
Series are a table (N, T), a list of arrays of different lengths, or two columns in long form, (ids, values).

Each series is sorted once and centred once, and all its features come from the three arrays; the series are shared
among the cores.  A series depends on no other, so its features are the same bits alone and among others.

Numbers too large or too small to be squared are computed with in another unit, a power of two: what has no unit is then
as good as for any series, and what has one is infinite or 0 only where float64 has no number for it.  A series with
NaN has NaN for all its features, one too short for some of them has NaN there; a warning counts both.

>>> days = [[2.0, 7, 2, 4, 5], [1, 3, 8]]
>>> X, names = extract_features(days, features=["maximum", "mean_change", "quantile__q_0.3", "number_peaks__n_1"])
>>> names
['value__maximum', 'value__mean_change', 'value__quantile__q_0.3', 'value__number_peaks__n_1']
>>> X.round(3)
array([[7.  , 0.75, 2.4 , 1.  ],
       [8.  , 3.5 , 2.2 , 0.  ]])
"""
import warnings
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_floats, as_matrix, finite, in_order, is_missing, unmasked
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.jit import kernel, run_chunks
from scratchml.timeseries import order_features as order, value_features as value
from scratchml.timeseries.time_axis import items, read_series

# --- their names ---------------------------------------------------------------------------------


class Feature(NamedTuple):
    """A column of the table: its name, which power of the unit of the pass it comes in, and the least T that it takes.

    The power is 0 also for those that are found among the values as they came.
    """
    name: str
    power: int
    least: int = 1


QUANTILES, NEIGHBOURS, LAGS = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9), (1, 3, 5, 10, 50), (1, 2, 3, 7)

# In the order of the two kernels below.
OF_VALUES = (
    Feature("sum_values", 1), Feature("mean", 1), Feature("median", 0), Feature("variance", 2),
    Feature("standard_deviation", 1), Feature("variation_coefficient", 0), Feature("skewness", 0, 3),
    Feature("kurtosis", 0, 4), Feature("root_mean_square", 1), Feature("minimum", 0), Feature("maximum", 0),
    Feature("absolute_maximum", 0), Feature("abs_energy", 2),
    *(Feature(f"quantile__q_{q}", 0) for q in QUANTILES),
    Feature("count_above_mean", 0), Feature("count_below_mean", 0),
    *(Feature(f"ratio_beyond_r_sigma__r_{r}", 0) for r in (1, 2, 3)), Feature("large_standard_deviation__r_0.25", 0),
    Feature("symmetry_looking__r_0.25", 0), Feature("has_duplicate_max", 0), Feature("has_duplicate_min", 0),
    Feature("has_duplicate", 0), Feature("ratio_value_number_to_time_series_length", 0),
    Feature("binned_entropy__max_bins_10", 0),
)
OF_ORDER = (
    Feature("mean_abs_change", 1, 2), Feature("mean_change", 1, 2), Feature("mean_second_derivative_central", 1, 3),
    Feature("absolute_sum_of_changes", 1), *(Feature(f"number_peaks__n_{n}", 0) for n in NEIGHBOURS),
    Feature("longest_strike_above_mean", 0), Feature("longest_strike_below_mean", 0),
    Feature("first_location_of_maximum", 0), Feature("last_location_of_maximum", 0),
    Feature("first_location_of_minimum", 0), Feature("last_location_of_minimum", 0),
    Feature("number_crossing_m__m_0", 0), Feature("cid_ce__normalize_True", 0), Feature("c3__lag_1", 3, 3),
    Feature("time_reversal_asymmetry_statistic__lag_1", 3, 3),
    *(Feature(f"autocorrelation__lag_{l}", 0, l + 1) for l in LAGS),
    Feature('agg_autocorrelation__f_agg_"mean"__maxlag_40', 0), Feature("partial_autocorrelation__lag_2", 0, 6),
    Feature('linear_trend__attr_"slope"', 1, 2), Feature('linear_trend__attr_"intercept"', 1, 2),
    Feature('linear_trend__attr_"rvalue"', 0, 2),
    *(Feature(f'agg_linear_trend__attr_"slope"__chunk_len_10__f_agg_"{f}"', power, 11)
      for f, power in (("mean", 1), ("max", 1), ("min", 1), ("var", 2))),
    Feature('change_quantiles__f_agg_"mean"__isabs_True__qh_0.8__ql_0.2', 1), Feature("index_mass_quantile__q_0.4", 0),
    Feature("energy_ratio_by_chunks__num_segments_10__segment_focus_0", 0),
    Feature("permutation_entropy__dimension_3__tau_1", 0, 3),
)
FEATURES = OF_VALUES + OF_ORDER
PLACES = {feature.name: k for k, feature in enumerate(FEATURES)}
POWERS = np.array([feature.power for feature in FEATURES])
LARGE, LARGEST_SHIFT = 200, 1000                         # exponents of two

# --- extraction ----------------------------------------------------------------------------------


def extract_features(X, *, features=None, names="value"):
    """The features of each series, (N, F), and a list of their F names.

    Warns once, with counts, where series contain NaN, whose features are all NaN, and where series are too short for
    some features, which are NaN there.  Raises ValueError for inf, an index with gaps, a feature that there is not, and
    what is no collection of series.

    Parameters
    ----------
    X : array (N, T), list of arrays (T_i,), or tuple (ids, values)
        Series, equally spaced.  In long form the values of one id are its series, in the order in which they come; the
        rows of the result are in the order of the sorted ids, np.unique(ids).
    features : list of str or None, default=None
        Names of features, with or without that of the series in front, in the order of the columns; None for all.
    names : str, default='value'
        What the series are called, in front of each feature's name.
    """
    chosen = _chosen(features, names)
    flat, starts, places = _as_series(X)
    return _table(flat, starts, chosen, places), [f"{names}__{FEATURES[k].name}" for k in chosen]


def _chosen(features, names):
    """The places in FEATURES of the features that are asked for.  Raises ValueError."""
    if not isinstance(names, str):
        raise ValueError(f"names={names!r}: expected a string, what the series are called")
    if features is None:
        return np.arange(len(FEATURES))
    if not in_order(features):
        raise ValueError(f"features={features!r}: expected a list of names of features, or None for all")
    wanted = [name.removeprefix(f"{names}__") if isinstance(name, str) else name for name in features]
    for name in wanted:
        if not isinstance(name, str) or name not in PLACES:
            raise ValueError(f"features: {name!r} is none of the {len(FEATURES)} that there are; "
                             "[f.name for f in feature_extractor.FEATURES] lists them")
    if len(set(wanted)) < len(wanted):
        twice = next(name for name in wanted if wanted.count(name) > 1)
        raise ValueError(f"features: {twice!r} comes twice; name each feature once")
    return np.array([PLACES[name] for name in wanted], np.int64)


def _table(flat, starts, chosen, places):
    """Rows of the chosen features of series n = flat[starts[n]:starts[n+1]]; warns the caller of its caller."""
    N = len(starts) - 1
    lengths, unknown = np.diff(starts), np.zeros(N, bool)
    unknown[np.searchsorted(starts, np.flatnonzero(np.isnan(flat)), side="right") - 1] = True
    table = np.full((N, len(FEATURES)), np.nan)
    rows = np.flatnonzero(~unknown & (lengths > 0))
    if rows.size:
        shifts, chunk = _shifts(flat, starts, lengths), max(1, 4000 * N // flat.size)
        units = np.ldexp(1.0, shifts)
        run_chunks(_sort_and_extract, len(rows), rows, flat, flat.copy(), starts, units, table, chunk=chunk)
        moved = np.flatnonzero(shifts)
        with np.errstate(over="ignore", under="ignore"):
            table[moved] = np.ldexp(table[moved], -shifts[moved, None] * POWERS)
    _warn(lengths, unknown, chosen, places)
    return np.ascontiguousarray(table[:, chosen])


def _shifts(flat, starts, lengths):
    """By which power of two each series is multiplied, so that its fourth powers, and sums of them, can be held."""
    largest = np.zeros(len(lengths))
    largest[lengths > 0] = np.maximum.reduceat(np.abs(flat), starts[:-1][lengths > 0])
    exponents = np.frexp(np.nan_to_num(largest))[1]
    return np.where(np.abs(exponents) > LARGE, np.minimum(-exponents, LARGEST_SHIFT), 0)


def _warn(lengths, unknown, chosen, places):
    """Count the series with NaN, and those that are too short for some of the chosen features."""
    if unknown.any():
        warnings.warn(f"{unknown.sum()} of {len(unknown)} series contain NaN, and so do all their features; the first "
                      f'is {places(int(unknown.argmax()))}. regular_grid(times, values, fill="interpolate") fills gaps',
                      UserWarning, stacklevel=4)
    least = np.array([FEATURES[k].least for k in chosen], np.int64)
    short = ~unknown & (lengths < least.max(initial=1))
    if short.any():
        shortest = int(lengths[short].min())
        lacking = [f"{FEATURES[k].name} ({FEATURES[k].least})" for k in chosen if FEATURES[k].least > shortest]
        listed = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
        warnings.warn(f"{short.sum()} of {len(short)} series are too short for some features, which are NaN there; the "
                      f"shortest has {shortest} value(s), too few for {listed}; the first is "
                      f"{places(int(short.argmax()))}", UserWarning, stacklevel=4)


# --- series in whatever form they come -----------------------------------------------------------


def _as_series(X):
    """Series end to end, float64, where each starts and the last ends, and a function that names one.  ValueError."""
    if isinstance(X, tuple):
        return _from_long_form(X)
    if isinstance(X, np.ndarray) and X.ndim > 1 or hasattr(X, "columns") or hasattr(X, "toarray"):
        X = as_matrix(X, min_samples=0, allow_nan=True).astype(np.float64, copy=False)
        return X.ravel(), np.arange(len(X) + 1) * X.shape[1], "X[{}]".format
    if not in_order(X):
        raise ValueError(f"X: expected an array (N, T), a list of series or (ids, values), got {type(X).__name__}")
    if len(getattr(X, "shape", "")) == 1 and X.dtype != object:
        raise ValueError(f"X: expected several series, got one of shape {tuple(X.shape)}; pass [x] for one series")
    series = [_one(x, f"X[{n}]") for n, x in enumerate(X)]
    starts = np.concatenate([[0], np.cumsum([len(x) for x in series])]).astype(np.int64)
    return np.concatenate([*series, np.empty(0)]), starts, "X[{}]".format


def _one(x, name):
    """One series of a list."""
    return np.empty(0) if hasattr(x, "__len__") and len(x) == 0 else read_series(x, name, allow_nan=True)[0]


def _from_long_form(X):
    """The same of (ids, values), sorted by id; of one id, values stay in their order."""
    if len(X) != 2:
        raise ValueError(f"X: a tuple is expected to be (ids, values), got {len(X)} things; pass a list of series")
    ids, values = X
    indexes = [part.index for part in X if hasattr(getattr(part, "index", None), "equals")]
    if len(indexes) == 2 and not indexes[0].equals(indexes[1]):
        raise ValueError("X: ids and values have not the same index; take both from one data frame")
    values = as_floats(items(values, "values"), "values").astype(np.float64, copy=False)
    ids = _ids(ids)
    if ids.ndim != 1 or values.shape != ids.shape:
        raise ValueError(f"X: expected ids and values (n,), got shapes {ids.shape} and {values.shape}")
    values = finite(values, "values", allow_nan=True)
    try:
        known, which = np.unique(ids, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"ids: expected ids that can be sorted, {error}") from error
    starts = np.concatenate([[0], np.cumsum(np.bincount(which, minlength=len(known)))]).astype(np.int64)
    return values[np.argsort(which, kind="stable")], starts, lambda n: f"that of id {known[n]}"


def _ids(ids):
    """As an array.  Raises ValueError for missing ones, and for fractions, which are values of a series as a rule."""
    ids = np.asarray(unmasked(items(ids, "ids"), "ids"))
    if ids.dtype.kind in "OfmM" and (missing := np.array([is_missing(one) for one in ids.flat], bool)).any():
        raise ValueError(f"ids: {missing.sum()} are missing, first at [{missing.argmax()}]; leave their values out")
    if ids.dtype.kind == "f" and (ids != np.floor(ids)).any():
        raise ValueError("X: a tuple is expected to be (ids, values), but its first part has fractions; pass a list of "
                         "series, or ids that are whole numbers or words")
    return ids


# --- as an estimator -----------------------------------------------------------------------------


class FeatureExtractor(Transformer, Estimator):
    """Features of series, as the first step of a pipeline.

    Parameters
    ----------
    features : list of str or None, default=None
        Names of features, in the order of the columns; None for all.
    names : str, default='value'
        What the series are called, in front of each feature's name.

    Attributes
    ----------
    features_ : list of str
        The names of the columns.
    """

    _takes_a_table = False

    def __init__(self, features=None, names="value"):
        self.features = features
        self.names = names

    def fit(self, X, y=None):
        """Look at the names alone, as no feature depends on other series.  Returns itself.

        Raises ValueError for a feature that there is not.

        Parameters
        ----------
        X : array (N, T), list of arrays (T_i,), or tuple (ids, values)
            Series, which `transform` reads.
        y : None, default=None
            Ignored.
        """
        self._chosen = _chosen(self.features, self.names)
        self.features_ = [f"{self.names}__{FEATURES[k].name}" for k in self._chosen]
        return self

    def transform(self, X):
        """The features (N, F) of each series; warns and raises as `extract_features` does.

        Parameters
        ----------
        X : array (N, T), list of arrays (T_i,), or tuple (ids, values)
            Series, of any lengths.
        """
        self._check_fitted()
        flat, starts, places = _as_series(X)
        return self._output(_table(flat, starts, self._chosen, places), X if hasattr(X, "columns") else None)

    def get_feature_names_out(self, input_features=None):
        """The names of the columns, (F,).

        Parameters
        ----------
        input_features : None, default=None
            Ignored: columns of a table of series are times.
        """
        self._check_fitted()
        return np.array(self.features_, dtype=object)


# --- compiled ------------------------------------------------------------------------------------


def _sort_and_extract(c, start, stop, rows, flat, ordered, starts, units, table):
    """Sort the series rows[start:stop] of `ordered`, a copy of `flat`; then their features.

    NumPy sorts with vector instructions where there are any, and lets other threads run meanwhile.
    """
    for n in rows[start:stop].tolist():
        ordered[starts[n]:starts[n + 1]].sort()
    _rows(rows[start:stop], flat, ordered, starts, units, table)


@kernel
def _rows(rows, flat, ordered, starts, units, table):
    """All features of these series, in the order of FEATURES."""
    for n in rows:
        x, s = flat[starts[n]:starts[n + 1]], ordered[starts[n]:starts[n + 1]]
        y, t = (x, s) if units[n] == 1.0 else (x * units[n], s * units[n])
        μ, d = value.mean(y), value.centred(y)
        _of_values(s, y, t, d, μ, table[n])
        _of_order(y, t, d, μ, table[n, len(OF_VALUES):])


@kernel
def _of_values(s, y, t, d, μ, out):
    """`s` are the values as they came, sorted; `y` and `t` the same in a unit whose powers can be held; d = y - μ."""
    out[0], out[1], out[2] = value.sum_values(y), μ, value.median(s)
    out[3], out[4] = value.variance(d), value.standard_deviation(d)
    out[5], out[6], out[7] = value.variation_coefficient(d, μ), value.skewness(d), value.kurtosis(d)
    out[8], out[9], out[10] = value.root_mean_square(y), value.minimum(s), value.maximum(s)
    out[11], out[12] = value.absolute_maximum(s), value.abs_energy(y)
    for k in range(8):
        out[13 + k] = value.quantile(s, QUANTILES[k])
    out[21], out[22] = value.count_above_mean(d), value.count_below_mean(d)
    for k in range(3):
        out[23 + k] = value.ratio_beyond_r_sigma(d, k + 1.0)
    out[26], out[27] = value.large_standard_deviation(d, t, 0.25), value.symmetry_looking(t, μ, 0.25)
    out[28], out[29], out[30] = value.has_duplicate_max(s), value.has_duplicate_min(s), value.has_duplicate(s)
    out[31], out[32] = value.ratio_value_number_to_time_series_length(s), value.binned_entropy(t, 10)


@kernel
def _of_order(y, t, d, μ, out):
    """The same arrays."""
    out[0], out[1], out[2] = order.mean_abs_change(y), order.mean_change(y), order.mean_second_derivative_central(y)
    out[3] = order.absolute_sum_of_changes(y)
    order.peak_counts(y, NEIGHBOURS, out[4:9])
    out[9], out[10] = order.longest_strike_above_mean(d), order.longest_strike_below_mean(d)
    out[11], out[12] = order.first_location_of_maximum(y), order.last_location_of_maximum(y)
    out[13], out[14] = order.first_location_of_minimum(y), order.last_location_of_minimum(y)
    out[15], out[16] = order.number_crossing_m(y, 0.0), order.cid_ce(y, value.standard_deviation(d))
    out[17], out[18] = order.c3(y), order.time_reversal_asymmetry_statistic(y)
    for k in range(4):
        out[19 + k] = order.autocorrelation(d, LAGS[k])
    out[23], out[24] = order.agg_autocorrelation(d, 40), order.partial_autocorrelation(d)
    out[25], out[26] = order.linear_trend_slope(d), order.linear_trend_intercept(d, μ)
    out[27] = order.linear_trend_rvalue(d)
    for f in range(4):
        out[28 + f] = order.agg_linear_trend(y, 10, f)
    out[32] = order.change_quantiles(y, value.quantile(t, 0.2), value.quantile(t, 0.8))
    out[33], out[34] = order.index_mass_quantile(y, 0.4), order.energy_ratio_by_chunks(y, 10)
    out[35] = order.permutation_entropy(y)
