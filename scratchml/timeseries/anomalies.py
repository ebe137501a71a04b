"""Anomalies: what is far out once the season is taken away (seasonal hybrid ESD, S-H-ESD).

Much traffic at six in the evening is not strange; as much at three in the morning is.  So the season goes first, by
`STL`, robust, lest anomalies become a part of it.  What is left is judged by the hybrid test of chapter `outliers`: how
far is it from the median, in medians of the absolute deviations.

Twitter's package AnomalyDetection for R made this known, and here it is as that package really does it.  It does not
take the trend away, only the median of the series.  Where the level rises or falls, that hides what is strange;
remove="trend" judges what `STL` leaves over instead, and `longterm` takes the level as constant for two weeks each.

Two settings look like sensitivities.  α is one: a smaller one moves the border out, gently.  max_anoms is none; it is
how many are looked for, at most.  Where as many are found there may be more, which is said in a warning.  And the
period decides what is expected: with a period of a day every weekend is strange.

Symbols
    y  (T,)    the series: y_t
    T, P       its length, and that of a period
    s  (T,)    its season: s_t
    u  (T,)    its trend: u_t
    r  (T,)    what is judged: r_t
    v  (T,)    what was expected: v_t
    a          which share may be anomalies, at most
    K          how many that are
    α          the probability of an anomaly where there is none
    A  (n,)    where the anomalies are

Equations
    (1)  s, u = season and trend of y by STL, robust, the season periodic               season_and_trend
    (2)  r_t = y_t - s_t - median(y)                                                    remainder
    (3)  K = max(1, ⌊a T⌋)                                                              most_anomalies
    (4)  A = the outliers of r by the hybrid test, of at most K                         anomalies
    (5)  v_t = u_t + s_t                                                                expected_value

Choices
    (1) has R's settings: one inner round, 15 outer ones.
    The scale of (4) is at least 1000 eps of the largest |y_t|: what rounding makes of (1) is no anomaly.  So in a
    constant series every other value is one, and where most values are the same, whatever differs.
    Missing values at the ends are left out, but counted in T of (3); elsewhere they are refused.
    `longterm` cuts the series into pieces, each by itself; the last is as long as the others, and overlaps.
    Other than in R: the period follows from the median of all steps, not from the last one, and may be of any number of
    minutes, weeks or months; gaps are refused, where R shifts the phase; where the scale is 0, R finds nothing, and
    where it is rounding, anything; the values of (5) are not cut to whole numbers.

Cost
    O(T) for (1), 16 rounds in which a tenth of a window lies between two fits; O(T log T) for (4).
    `python -m benchmarks anomalies` times both beside the literal loop on statsmodels' STL.

>>> hour = np.arange(24 * 7)
>>> y = np.round(10 * np.sin(hour * np.pi / 12)) + hour % 5
>>> y[[30, 100]] = 25, -30
>>> found = anomaly_detection_vec(y, 24, direction="both", e_value=True)
>>> found.index, found.anoms, found.expected_value.round(1)
(array([ 30, 100]), array([ 25., -30.]), array([11.8, 12.1]))

Sources: O. Vallis, J. Hochenbaum and A. Kejariwal, "A novel technique for long-term anomaly detection in the cloud",
HotCloud (2014); the options are those of AnomalyDetection 1.0 for R.
"""
import warnings
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_vector, finite, one_of, real_number, true_or_false, whole_number
from scratchml.core.estimator import Estimator
from scratchml.timeseries.outliers import SIDES, esd_of, level
from scratchml.timeseries.stl import STL
from scratchml.timeseries.time_axis import as_axis, items, read_series, require_regular, usual_step

ROUNDING = 1000 * np.finfo(float).eps
THRESHOLDS = {"med_max": 0.5, "p95": 0.95, "p99": 0.99}
MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800        # in seconds

# --- the equations -------------------------------------------------------------------------------


def season_and_trend(y, P):
    """(1)  s, u = season and trend of y by STL, robust, the season periodic

    Shapes: y (T), P -> (T), (T)
    """
    parts = STL(y, P, seasonal="periodic", robust=True).fit(inner_iter=1, outer_iter=15)
    return parts.seasonal, parts.trend


def remainder(y, s):
    """(2)  r_t = y_t - s_t - median(y)

    Shapes: y (T), s (T) -> (T)
    """
    return y - s - np.median(y)


def most_anomalies(a, T):
    """(3)  K = max(1, ⌊a T⌋)

    Shapes: a, T -> ()
    """
    return max(1, int(a * T))


def anomalies(r, K, α=0.05, side=0, least=0.0):
    """(4)  A = the outliers of r by the hybrid test, of at most K

    In order of time.  `side` is 1 for those above alone, -1 for those below; `least` is the least scale.

    Shapes: r (T), K -> (n)
    """
    return np.sort(esd_of(r, K, α, True, side, least).indices)


def expected_value(u, s):
    """(5)  v_t = u_t + s_t

    Shapes: u (T), s (T) -> (T)
    """
    return u + s


# --- the detection -------------------------------------------------------------------------------


class Anomalies(NamedTuple):
    """What is strange in a series, in order of time."""
    index: np.ndarray                                    # (n,) int64: the rows
    timestamp: np.ndarray                                # (n,): their times; the rows where there are none
    anoms: np.ndarray                                    # (n,): their values
    expected_value: np.ndarray | None                    # (n,): what had been expected, if asked for


class _Settings(NamedTuple):
    """Checked arguments."""
    period: int
    share: float
    side: int
    alpha: float
    threshold: float | None                              # a quantile
    remove: str


def _settings(period, max_anoms, direction, alpha, threshold, remove):
    """Raises ValueError."""
    share = real_number(max_anoms, "max_anoms")
    if share > 0.49:
        raise ValueError(f"max_anoms={max_anoms!r}: expected at most 0.49; where half of the values are strange, the "
                         "median is one of them")
    threshold = None if threshold is None else THRESHOLDS[one_of(threshold, "threshold", THRESHOLDS)]
    return _Settings(whole_number(period, "period", least=2), share, SIDES[one_of(direction, "direction", SIDES)],
                     level(alpha), threshold, one_of(remove, "remove", ("median", "trend")))


def _longest(longterm_period, settings):
    """Rows of a piece, or None.  Raises ValueError for less than two periods."""
    return None if longterm_period is None else whole_number(longterm_period, "longterm_period",
                                                             least=2 * settings.period)


def _detect(y, name, settings, longest=None, floor=None):
    """Rows (n,) of the anomalies, what is expected (T,), and each K that was reached; the ends of y (T,) may be NaN.

    Pieces of `longest` rows are judged by themselves.  `floor` is the least value that counts; by default that of the
    threshold in each piece.
    """
    size = len(y) if longest is None else min(longest, len(y))
    found, expected, bound = np.zeros(len(y), bool), np.full(len(y), np.nan), []
    for start in reversed(range(0, max(len(y), 1), max(size, 1))):   # of two that overlap, the first has the last word
        start = min(start, len(y) - size)
        rows, v, K = _judge(y[start:start + size], name, start, settings)
        if len(rows) == K:
            bound.append(K)
        if floor is not None or settings.threshold is not None:
            least = _usual_maximum(y[start:start + size], settings) if floor is None else floor
            rows = rows[y[start + rows] >= least]
        found[start + rows] = True
        expected[start:start + size] = np.where(np.isnan(v), expected[start:start + size], v)
    return found.nonzero()[0], expected, bound


def _judge(y, name, start, settings):
    """Rows of the anomalies of one piece, what is expected (T,), and K."""
    known, P = np.flatnonzero(~np.isnan(y)), settings.period
    first, last = (known[0], known[-1] + 1) if known.size else (0, 0)
    inner = y[first:last]
    if known.size < len(inner):
        t = start + first + int(np.isnan(inner).argmax())
        raise ValueError(f"{name}: contains NaN between others, first at [{t}]; "
                         'regular_grid(times, values, fill="interpolate") fills gaps')
    if len(inner) < 2 * P:
        raise ValueError(f"{name}: expected at least two periods, {2 * P} values with period={P}, got {len(inner)}"
                         + (f" from [{start}] on" if start else ""))
    s, u = season_and_trend(inner, P)
    r = inner - s - u if settings.remove == "trend" else remainder(inner, s)
    K = min(most_anomalies(settings.share, len(y)), len(inner) - 2)
    rows = anomalies(r, K, settings.alpha, settings.side, float(ROUNDING * np.abs(inner).max()))
    v = np.full(len(y), np.nan)
    v[first:last] = expected_value(u, s)
    return first + rows, v, K


def _usual_maximum(y, settings):
    """The quantile of the maxima of blocks of a period."""
    return _quantile_of_maxima(y, np.arange(len(y)) // settings.period, settings.threshold)


def _quantile_of_maxima(y, block, q):
    """The q-quantile of the largest value of each block; `block` (T,) ascends."""
    known = ~np.isnan(y)
    y, block = y[known], block[known]
    starts = np.flatnonzero(np.append(True, block[1:] != block[:-1]))
    return np.quantile(np.maximum.reduceat(y, starts), q)


def _warn_of_the_cap(settings, bound, depth):
    """Warn the caller `depth` calls up if a K of (3) was reached."""
    if bound:
        found = f"{bound[0]} anomalies" if len(bound) == 1 else f"{sum(bound)} anomalies, in {len(bound)} pieces,"
        warnings.warn(f"max_anoms={settings.share:g} allows no more than the {found} that were found, and there may be "
                      "more: raise it. It is a cap, not a sensitivity; for fewer anomalies lower alpha", UserWarning,
                      stacklevel=depth + 1)


def anomaly_detection_vec(x, period, max_anoms=0.1, direction="pos", alpha=0.05, only_last=False, threshold=None,
                          e_value=False, longterm_period=None, remove="median"):
    """Which values of a series (T,) are strange, by its rows.

    Returns `Anomalies`.  Warns where as many are found as `max_anoms` allows.  Raises ValueError for fewer than two
    periods, NaN between other values, inf, an index with gaps, and settings that are none.

    Parameters
    ----------
    x : array (T,) or Series
        The series, at equal steps; NaN at its ends are left out.
    period : int
        P, how many steps lie between what is alike.
    max_anoms : float, default=0.1
        Which share of the values is looked for, at most; not above 0.49, and never less than one value.
    direction : {"pos", "neg", "both"}, default="pos"
        Whether what is strange is too high, too low, or either.
    alpha : float, default=0.05
        The level of the test; fewer anomalies for a smaller one.
    only_last : bool, default=False
        Whether to name only those of the last period; the whole series is judged all the same.
    threshold : {"med_max", "p95", "p99"} or None, default=None
        Name only values that are at least the median, or the 95 or 99 % quantile, of the largest of each period.
    e_value : bool, default=False
        Whether to say what had been expected.
    longterm_period : int or None, default=None
        How many rows have a median of their own; None for all.
    remove : {"median", "trend"}, default="median"
        What is taken away beside the season; the trend, where that hides anomalies.
    """
    settings = _settings(period, max_anoms, direction, alpha, threshold, remove)
    only_last, e_value = true_or_false(only_last, "only_last"), true_or_false(e_value, "e_value")
    y, times = read_series(x, "x", allow_nan=True)
    longest = _longest(longterm_period, settings)
    rows, expected, bound = _detect(y, "x", settings, longest)
    _warn_of_the_cap(settings, bound, 2)
    if only_last:
        rows = rows[rows >= len(y) - settings.period]
    return Anomalies(rows, rows if times is None else times[rows], y[rows], expected[rows] if e_value else None)


def anomaly_detection_ts(times, values, max_anoms=0.1, direction="pos", alpha=0.05, only_last=None, threshold=None,
                         e_value=False, longterm=False, piecewise_median_period_weeks=2, period=None, remove="median"):
    """Which values of a series (T,) are strange, by their dates.

    Returns `Anomalies`.  Warns where as many are found as `max_anoms` allows.  Raises ValueError for times that are no
    dates, do not increase or have gaps, fewer than two periods, NaN between other values, inf, and settings that are
    none.

    Steps below a minute are summed to minutes, unless `period` is given; `index` then counts these.

    Parameters
    ----------
    times : array (T,) of datetime64
        When each value was measured; zones become UTC.
    values : array (T,)
        What was measured; NaN at the ends are left out.
    max_anoms : float, default=0.1
        Which share of the values is looked for, at most; not above 0.49, and never less than one value.
    direction : {"pos", "neg", "both"}, default="pos"
        Whether what is strange is too high, too low, or either.
    alpha : float, default=0.05
        The level of the test; fewer anomalies for a smaller one.
    only_last : {"day", "hr"} or None, default=None
        Name only those of the last day or hour, counted from the last value; of days the hour, too, is the day.
    threshold : {"med_max", "p95", "p99"} or None, default=None
        Name only values that are at least the median, or the 95 or 99 % quantile, of the largest of each day.
    e_value : bool, default=False
        Whether to say what had been expected.
    longterm : bool, default=False
        Whether pieces of some weeks have a median of their own.
    piecewise_median_period_weeks : int, default=2
        How many weeks, at least 2.
    period : int or None, default=None
        P, how many steps lie between what is alike; None for the steps of a day, of a week for days, of a year for
        weeks and months.
    remove : {"median", "trend"}, default="median"
        What is taken away beside the season; the trend, where that hides anomalies.
    """
    times, y, seconds = _read(times, values, by_minute=period is None)
    settings = _settings(_usual_period(times, seconds) if period is None else period, max_anoms, direction, alpha,
                         threshold, remove)
    longterm, e_value = true_or_false(longterm, "longterm"), true_or_false(e_value, "e_value")
    weeks = whole_number(piecewise_median_period_weeks, "piecewise_median_period_weeks", least=2)
    last = None if only_last is None else one_of(only_last, "only_last", ("day", "hr"))
    floor = None
    if settings.threshold is not None:
        floor = _quantile_of_maxima(y, times.astype("M8[D]").astype(np.int64), settings.threshold)
    longest = _rows_of_weeks(weeks, seconds) if longterm else None
    rows, expected, bound = _detect(y, "values", settings, longest, floor)
    _warn_of_the_cap(settings, bound, 2)
    if last is not None:
        span = np.timedelta64(HOUR if last == "hr" else DAY, "s")        # of days both leave the last
        rows = rows[times[rows].astype("M8[s]") > times[-1].astype("M8[s]") - span]
    return Anomalies(rows, times[rows], y[rows], expected[rows] if e_value else None)


def _read(times, values, by_minute):
    """Times and values (T,), and the seconds of a step, None where steps are months."""
    y = items(values, "values")
    y = finite(as_vector(y, name="values", allow_nan=True), "values", allow_nan=True).astype(np.float64, copy=False)
    times = require_regular(times, len(y))
    if times.dtype.kind != "M":
        raise ValueError(f"times: expected dates, got {times.dtype}; anomaly_detection_vec takes values without dates, "
                         "and the period")
    if len(y) < 2:
        raise ValueError(f"values: expected at least two periods, got {len(y)} value(s)")
    axis = as_axis(times)
    if axis.kind != "date":
        return times, y, None
    seconds = usual_step(axis) * (np.timedelta64(1, np.datetime_data(times.dtype)) / np.timedelta64(1, "s"))
    if seconds >= MINUTE or not by_minute:
        return times, y, float(seconds)
    minutes = times.astype("M8[m]")
    starts = np.flatnonzero(np.append(True, minutes[1:] != minutes[:-1]))
    return minutes[starts], np.add.reduceat(y, starts), float(MINUTE)


def _usual_period(times, seconds):
    """The steps of a day; of a week for days, of a year for weeks and months.  Raises ValueError for other steps."""
    if seconds is None:
        step = int(usual_step(as_axis(times)))           # in months
        year, step_in_words = 12, f"{step} months"
    else:
        step, step_in_words = seconds, f"{seconds:g} seconds"
        if seconds in (DAY, WEEK):
            return 7 if seconds == DAY else 52
        year = DAY
    if year % step or year == step:
        raise ValueError(f"period: expected a number where a day or a year is no whole number of steps; the step is "
                         f"{step_in_words}")
    return int(year // step)


def _rows_of_weeks(weeks, seconds):
    """How many rows have a median of their own: one more for days, as in R."""
    if seconds is None or seconds > DAY or DAY % seconds:
        raise ValueError("longterm=True: expected steps that divide a day; for others, anomaly_detection_vec takes "
                         "longterm_period, in rows")
    return 7 * weeks * int(DAY // seconds) + (seconds == DAY)


# --- as an estimator -----------------------------------------------------------------------------


class SHESD(Estimator):
    """Anomalies of a series, as an outlier detector.

    Parameters
    ----------
    period : int
        P, how many steps lie between what is alike.
    max_anoms : float, default=0.1
        Which share of the values is looked for, at most; not above 0.49, and never less than one value.
    direction : {"pos", "neg", "both"}, default="pos"
        Whether what is strange is too high, too low, or either.
    alpha : float, default=0.05
        The level of the test; fewer anomalies for a smaller one.
    threshold : {"med_max", "p95", "p99"} or None, default=None
        Name only values that are at least that of the largest of each period.
    longterm_period : int or None, default=None
        How many rows have a median of their own; None for all.
    remove : {"median", "trend"}, default="median"
        What is taken away beside the season.

    Attributes
    ----------
    labels_ : array (T,)
        -1 for what is strange, 1 for all else.
    anomalies_ : array (n,)
        The rows of what is strange.
    expected_ : array (T,)
        What had been expected; NaN where the series is.
    """

    _estimator_type = "outlier_detector"
    _takes_a_table = False

    def __init__(self, period, max_anoms=0.1, direction="pos", alpha=0.05, threshold=None, longterm_period=None,
                 remove="median"):
        self.period = period
        self.max_anoms = max_anoms
        self.direction = direction
        self.alpha = alpha
        self.threshold = threshold
        self.longterm_period = longterm_period
        self.remove = remove

    def fit(self, X, y=None):
        """Judge a series.  Returns itself; raises ValueError and warns as `anomaly_detection_vec` does.

        Parameters
        ----------
        X : array (T,) or (T, 1), or Series
            The series, at equal steps; NaN at its ends are left out.
        y : None, default=None
            Ignored.
        """
        return self._judge(X)

    def fit_predict(self, X, y=None):
        """The same as `fit(X)`, returning `labels_` (T,).

        Parameters
        ----------
        X : array (T,) or (T, 1), or Series
            The series.
        y : None, default=None
            Ignored.
        """
        return self._judge(X).labels_

    def _judge(self, X):
        settings = _settings(self.period, self.max_anoms, self.direction, self.alpha, self.threshold, self.remove)
        longest = _longest(self.longterm_period, settings)
        if getattr(X, "ndim", 1) == 2 and X.shape[1] == 1:
            X = X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0]
        series, _ = read_series(X, "X", allow_nan=True)
        self.anomalies_, self.expected_, bound = _detect(series, "X", settings, longest)
        self.labels_ = np.ones(len(series), np.int64)
        self.labels_[self.anomalies_] = -1
        _warn_of_the_cap(settings, bound, 3)
        return self
