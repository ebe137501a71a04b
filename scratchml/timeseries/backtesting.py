"""How good would it have been?  Forecasts from many places of the past, each from what was known there, all counted.

A forecaster is judged by what it says of values that it has not seen.  Go back to some time, the origin, learn from
what lay before it, forecast H steps, compare; move the origin forward, and again.

Three things flatter.  A transform fitted on the whole series, or a validation part drawn at random, has seen the
future: here all is fitted anew on what lies before the origin.  Origins that all stand at midnight judge forecasts of
one hour after midnight as "one step ahead": a stride that shares no divisor with the season lets every hour take part.
And where forecasts overlap, there are several of one time: who keeps the last made of them has kept the easiest.  Here
every pair of an origin and a horizon counts once.

Symbols
    y  (T,)     the series
    o  (K,)     origins: fold k knows y[..o_k)
    g           how many values after an origin are left out
    H           how many steps are tested
    h           steps from the origin, g+1 ... g+H; 1 is the next value
    t  (K, H)   which value a forecast is of; beyond T - 1 there is none, and such a pair does not count
    f  (K, H)   forecasts: f_kh
    d           an error measure: a function of what came and what was forecast

Equations
    (1)  t_kh = o_k - 1 + h, h = g+1 ... g+H                  target_times
    (2)  s = d of all pairs (y_{t_kh}, f_kh), t_kh < T        score
    (3)  s_h = d of the pairs of that h, t_kh < T             score_by_horizon

Choices
    The model of a fold is that of the last fold which was refitted; its inputs are always the values before the origin.
    A column of `exog` at the time of a target is known, as in `fit`: the backtest believes that.
    Scaled errors are in units of the naive forecast's on the first fold's training part, in every fold.

Cost
    A fit for each fold that is refitted; the forecasts of all folds between are made together.

>>> cv = TimeSeriesFold(steps=3, initial_train_size=6, fold_stride=2, allow_incomplete_fold=False)
>>> y = np.arange(12.0) ** 2
>>> found = backtesting_forecaster(ForecasterSeasonalNaive(1), y, cv, "mean_absolute_error")
>>> found.predictions.origin.tolist(), found.predictions.time.tolist()
([6, 6, 6, 8, 8, 8], [6, 7, 8, 8, 9, 10])
>>> found.by_horizon["mean_absolute_error"].tolist(), round(found.metric["mean_absolute_error"], 6)
([13.0, 28.0, 45.0], 28.666667)

Source: L. Tashman, "Out-of-sample tests of forecasting accuracy: an analysis and review", International Journal of
Forecasting 16 (2000).
"""
import inspect
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import in_order, whole_number
from scratchml.core.estimator import Estimator
from scratchml.metrics import forecasting
from scratchml.timeseries.conformal import intervals
from scratchml.timeseries.forecaster import Forecaster, as_rows, fresh, require_rows, rows_of
from scratchml.timeseries.strategies import ForecasterSeasonalNaive
from scratchml.timeseries.time_axis import read_series
from scratchml.timeseries.windows import folds

METRICS = tuple(name for name in vars(forecasting) if name.endswith("_error") and name[0] != "_")

# --- the equations -------------------------------------------------------------------------------


def target_times(o, g, H):
    """(1)  t_kh = o_k - 1 + h, h = g+1 ... g+H

    Shapes: o (K), g, H -> (K, H)
    """
    return np.asarray(o)[:, None] + g + np.arange(H)


def score(d, y, t, f):
    """(2)  s = d of all pairs (y_{t_kh}, f_kh), t_kh < T

    Shapes: d, y (T), t (K, H), f (K, H) -> ()
    """
    there = t < len(y)
    return float(d(y[t[there]], f[there]))


def score_by_horizon(d, y, t, f):
    """(3)  s_h = d of the pairs of that h, t_kh < T

    Shapes: d, y (T), t (K, H), f (K, H) -> (H)
    """
    return np.array([score(d, y, t[:, [h]], f[:, [h]]) for h in range(t.shape[1])])


# --- folds ---------------------------------------------------------------------------------------


class Fold(NamedTuple):
    """One origin: indices into the series, ends excluded."""
    train_start: int
    train_stop: int                                      # the origin, where what is known ends
    test_start: int
    test_stop: int
    refit: bool                                          # whether the model learns anew


class TimeSeriesFold(Estimator):
    """Origins in order of time, what each learns from, and what it is tested on.

    Parameters
    ----------
    steps : int
        H, how many values are tested.
    initial_train_size : int
        How many values the first fold learns from.
    fold_stride : int or None, default=None
        How far the next origin lies; None for `steps`, so that tests touch and do not overlap.
    refit : bool or int, default=False
        Whether every fold learns anew; a number n for every n-th, False for the first alone.
    fixed_train_size : bool, default=True
        Whether folds that learn anew forget the oldest values, so that all learn from as many.
    gap : int, default=0
        How many values after the origin are left out.
    skip_folds : int, list of int or None, default=None
        A number n keeps every n-th fold, a list names those to leave out, counted from 0.
    allow_incomplete_fold : bool, default=True
        Whether folds count that are tested on fewer than H values, where the series ends.
    """

    _takes_a_table = False

    def __init__(self, steps, initial_train_size, fold_stride=None, refit=False, fixed_train_size=True, gap=0,
                 skip_folds=None, allow_incomplete_fold=True):
        self.steps = steps
        self.initial_train_size = initial_train_size
        self.fold_stride = fold_stride
        self.refit = refit
        self.fixed_train_size = fixed_train_size
        self.gap = gap
        self.skip_folds = skip_folds
        self.allow_incomplete_fold = allow_incomplete_fold

    def split(self, y):
        """A list of `Fold`s.  Raises ValueError for numbers that are not whole, and where no fold is left.

        Folds that are skipped do not count towards every n-th that learns anew.

        Parameters
        ----------
        y : int, array (T,) or Series
            The series, or its length.
        """
        T = int(y) if isinstance(y, (int, np.integer)) and not isinstance(y, bool) else len(read_series(y)[0])
        steps, first = whole_number(self.steps, "steps"), whole_number(self.initial_train_size, "initial_train_size")
        stride = steps if self.fold_stride is None else whole_number(self.fold_stride, "fold_stride")
        gap, every = whole_number(self.gap, "gap", least=0), self._every()
        rows = folds(T, first, stride, steps, gap)
        kept = rows[self._kept(len(rows))]
        if not self.allow_incomplete_fold:
            kept = kept[kept[:, 2] - kept[:, 1] == steps]
        if not len(kept):
            raise ValueError(f"initial_train_size={first}: with {T} values, a gap of {gap} and {steps} steps, no fold "
                             "is left; lower them, skip fewer folds, or allow_incomplete_fold")
        found = []
        for k, (origin, start, stop) in enumerate(kept.tolist()):
            learns = k == 0 or every > 0 and k % every == 0
            found.append(Fold(origin - first if self.fixed_train_size and every else 0, origin, start, stop, learns))
        return found

    def _every(self):
        """How many folds a fit is for; 0 for all."""
        if isinstance(self.refit, (bool, np.bool_)):
            return int(self.refit)
        return whole_number(self.refit, "refit")

    def _kept(self, number):
        """Which of the folds are not skipped (K,)."""
        keep = np.ones(number, bool)
        if self.skip_folds is None:
            return keep
        if in_order(self.skip_folds):
            left_out = [whole_number(k, "skip_folds", least=0) for k in self.skip_folds]
            wrong = [k for k in left_out if k >= number]
            if wrong:
                raise ValueError(f"skip_folds: there is no fold {wrong[0]}, the folds are 0 to {number - 1}")
            keep[left_out] = False
            return keep
        return np.arange(number) % whole_number(self.skip_folds, "skip_folds") == 0


# --- the backtest --------------------------------------------------------------------------------


class Predictions(NamedTuple):
    """One element for each pair of an origin and a horizon, fold after fold."""
    fold: np.ndarray
    origin: np.ndarray                                   # the index of the first value that was not known
    h: np.ndarray                                        # steps from the origin
    time: np.ndarray                                     # when: of the index of y, or its number in the series
    true: np.ndarray
    pred: np.ndarray
    lower_bound: np.ndarray | None = None                # with a forecaster that has intervals
    upper_bound: np.ndarray | None = None


class Backtest(NamedTuple):
    """Errors over all pairs, the forecasts, and errors at each horizon."""
    metric: dict
    predictions: Predictions
    by_horizon: dict                                     # {name: (H,)}


def backtesting_forecaster(forecaster, y, cv, metric, exog=None):
    """Forecast from each fold's origin, from what was known there, and compare with what came.

    Returns a `Backtest`.  A forecaster with intervals, as ConformalForecaster, brings their ends, and "coverage" among
    the measures.  Raises ValueError for bad input (T,), a metric that there is not, and where no fold has all steps.

    Parameters
    ----------
    forecaster : Forecaster
        What forecasts; it is not changed.
    y : array (T,) or Series
        The series, equally spaced.
    cv : TimeSeriesFold
        The folds.
    metric : str, callable or list of these
        Names of error measures in `scratchml.metrics`, or functions of what came and what was forecast.
    exog : array (T, E), data frame or None, default=None
        Columns known in advance.
    """
    if not isinstance(forecaster, Forecaster):
        raise ValueError(f"forecaster: expected one of the package, such as ForecasterDirect, got {forecaster!r}")
    if not isinstance(cv, TimeSeriesFold):
        raise ValueError(f"cv: expected a TimeSeriesFold, got {cv!r}")
    (values, times), exog = read_series(y), as_rows(exog)
    if exog is not None:
        require_rows(exog, len(values), times)
    parts, H, g = cv.split(len(values)), cv.steps, cv.gap
    if max(part.test_stop - part.test_start for part in parts) < H:
        raise ValueError(f"initial_train_size={cv.initial_train_size}: no fold has all {H} steps within {len(values)} "
                         "values; lower initial_train_size or steps")
    measures = _measures(metric, values[:cv.initial_train_size])
    f, widths = _forecast_all(forecaster, values, exog, parts, H + g)
    f, widths = f[:, g:], widths[:, g:]
    t = target_times([part.train_stop for part in parts], g, H)
    over_all = {name: score(d, values, t, f) for name, d in measures.items()}
    by_horizon = {name: score_by_horizon(d, values, t, f) for name, d in measures.items()}
    k, h = (t < len(values)).nonzero()
    at = t[k, h]
    predictions = Predictions(k, t[k, 0] - g, g + h + 1, at if times is None else times[at], values[at], f[k, h])
    if not np.isnan(widths).all():
        lower, upper = (ends[k, h] for ends in intervals(f, widths))
        predictions = predictions._replace(lower_bound=lower, upper_bound=upper)
        inside = (lower <= values[at]) & (values[at] <= upper)
        over_all["coverage"] = float(inside.mean())
        by_horizon["coverage"] = np.bincount(h, inside) / np.bincount(h)
    return Backtest(over_all, predictions, by_horizon)


def _forecast_all(forecaster, y, exog, parts, steps):
    """Forecasts (K, steps), NaN where the series is over, and widths (K, steps), NaN without intervals."""
    f, widths = np.full((len(parts), steps), np.nan), np.full((len(parts), steps), np.nan)
    learns = [k for k, part in enumerate(parts) if part.refit] + [len(parts)]
    for first, last in zip(learns, learns[1:]):
        start, stop = parts[first][:2]
        model = fresh(forecaster).fit(y[start:stop], rows_of(exog, start, stop))
        P = len(model.last_window_)
        ks = np.arange(first, last)
        lengths = np.array([parts[k].test_stop - parts[k].train_stop for k in ks])
        for length in np.unique(lengths):                # folds at the end are shorter
            these = ks[lengths == length]
            origins = np.array([parts[k].train_stop for k in these])
            exogs = [rows_of(exog, o, o + length) for o in origins]
            W = y[origins[:, None] + np.arange(-P, 0)]
            f[these, :length] = model._forecasts(W, exogs, model._steps(int(length)))
            if hasattr(model, "widths_"):
                widths[these, :length] = model.widths_[:length]
    return f, widths


def _measures(metric, y_train):
    """{name: function of what came and what was forecast}."""
    metrics = list(metric) if in_order(metric) else [metric]
    found = {}
    for one in metrics:
        name = one if isinstance(one, str) else getattr(one, "__name__", type(one).__name__)
        if isinstance(one, str) and one not in METRICS or not isinstance(one, str) and not callable(one):
            raise ValueError(f"metric={one!r}: expected a function, or one of {', '.join(METRICS)}")
        function = getattr(forecasting, one) if isinstance(one, str) else one
        if "y_train" in inspect.signature(function).parameters:
            function = _in_units_of(function, y_train)
        found[name] = function
    if not found:
        raise ValueError("metric: expected at least one, got an empty list")
    return found


def _in_units_of(function, y_train):
    return lambda y_true, y_pred: function(y_true, y_pred, y_train)
