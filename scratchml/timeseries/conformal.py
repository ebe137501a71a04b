"""Intervals from errors that have been seen: as wide as most of them, whatever made the forecast.

How wrong may this forecast be?  A model's own formula answers for a world in which the model is right.  Conformal
prediction asks the past instead: keep the end of the series from the model, forecast it from each place in it, and note
how far off each forecast was, for each number of steps apart.  An interval that reaches as far on both sides as most of
these errors did would have held most of them.

The guarantee: if the n errors noted and the one to come are exchangeable, which means that each of the n + 1 is as
likely as another to be the k-th largest, the interval misses with probability α at most.  No shape of errors is
assumed, nor that the model is any good; a bad one has wide intervals.  The assumption is strong all the same: errors of
neighbouring origins are alike, and a series that changes makes later errors larger than those that were noted.  So
measure the coverage: `backtesting_forecaster` counts it, at each horizon.  Of intervals that promise 80 percent around
direct forecasts, fitted once, 78 percent held for page views of a month, 71 for the traffic of a day, and 45 for a year
of CO2, which had risen for years since the fit (python -m scratchml run strategies).

Symbols
    y  (n, H)  what came after n origins that the model has not learned from: y_ih at step h
    f  (n, H)  what it forecast: f_ih
    r  (n, H)  absolute errors: r_ih
    n          how many origins
    α          the share of misses that is allowed
    k          the rank of the error that is taken
    q  (H,)    half the width of the interval at step h
    ŷ  (F, H)  forecasts, from F origins
    l  (F, H)  lower ends, u upper ends

Equations
    (1)  r_ih = |y_ih - f_ih|                                                   absolute_errors
    (2)  k = ⌈(n + 1) (1 - α)⌉                                                  rank
    (3)  q_h = the k-th smallest of r_1h, ..., r_nh                             widths
    (4)  l_h = ŷ_h - q_h, u_h = ŷ_h + q_h                                       intervals

Why (2).  Let the new error be r_0.  Among n + 1 exchangeable numbers its rank is any of 1 ... n + 1 with the same
probability (ties only help), so P(r_0 ≤ the k-th smallest of all) ≥ k / (n + 1) ≥ 1 - α.  And r_0 is at most the k-th
smallest of all if, and only if, it is at most the k-th smallest of the others.

Choices
    Every origin counts whose H targets lie in the calibration part.  Where k > n no error is large enough: an error.
    The model learns from what comes before the calibration part alone; forecasts start from the end of the series.
    Each h has an interval of its own: α is the share of misses at h, not that of paths that leave the band somewhere.

Cost
    One fit, and n forecasts of H steps.

>>> r = absolute_errors(np.array([[1.0, 5], [2, 2], [4, 9], [3, 1]]), np.array([[1.5, 1], [2, 4], [1, 2], [4, 4]]))
>>> rank(len(r), 0.4), widths(r, 0.4).tolist()
(3, [1.0, 4.0])

Sources: V. Vovk, A. Gammerman and G. Shafer, "Algorithmic learning in a random world" (2005), section 4.1; J. Lei et
al., "Distribution-free predictive inference for regression", JASA 113 (2018), theorem 2.2.
"""
import math

import numpy as np

from scratchml.core.checks import real_number, whole_number
from scratchml.timeseries.forecaster import Forecaster, as_rows, fresh, require_rows, rows_of
from scratchml.timeseries.time_axis import read_series

# --- the equations -------------------------------------------------------------------------------


def absolute_errors(y, f):
    """(1)  r_ih = |y_ih - f_ih|

    Shapes: y (n, H), f (n, H) -> (n, H)
    """
    return np.abs(y - f)


def rank(n, α):
    """(2)  k = ⌈(n + 1) (1 - α)⌉

    What rounding adds to a whole number is no reason for the next.

    Shapes: n, α -> ()
    """
    return math.ceil(round((n + 1) * (1 - α), 9))


def widths(r, α):
    """(3)  q_h = the k-th smallest of r_1h, ..., r_nh

    Raises ValueError where k > n.

    Shapes: r (n, H), α -> (H)
    """
    n = len(r)
    k = rank(n, α)
    if k > n:
        raise ValueError(f"calibration_size: {n} forecasts are too few for an interval that misses {α:.3g} of the "
                         f"time, expected at least {math.ceil(round(1 / α, 9)) - 1}")
    return np.sort(r, axis=0)[max(k, 1) - 1]


def intervals(ŷ, q):
    """(4)  l_h = ŷ_h - q_h, u_h = ŷ_h + q_h

    Shapes: ŷ (F, H), q (H) -> (F, H), (F, H)
    """
    return ŷ - q, ŷ + q


# --- the forecaster ------------------------------------------------------------------------------


class ConformalForecaster(Forecaster):
    """A forecaster with intervals: it learns from the beginning of a series, and its errors at the end are the widths.

    Parameters
    ----------
    forecaster : Forecaster
        What forecasts; a fresh one is fitted.
    steps : int
        H, for how many steps there are intervals.
    calibration_size : int
        How many values at the end of the series are for the errors.
    interval : float, default=0.8
        1 - α, the share of values that should lie inside.

    Attributes
    ----------
    forecaster_ : Forecaster
        The fitted one.
    widths_ : array (H,)
        q of (3).
    n_calibration_ : int
        How many errors each is taken from.
    last_window_ : array (P,)
        The end of the series, from which forecasts start.
    """

    def __init__(self, forecaster, steps, calibration_size, interval=0.8):
        self.forecaster = forecaster
        self.steps = steps
        self.calibration_size = calibration_size
        self.interval = interval

    def _longest(self):
        return whole_number(self.steps, "steps")

    def fit(self, y, exog=None):
        """Learn from the beginning of a series, and the widths from its end.  Returns itself.

        Raises ValueError as the forecaster does, and for a calibration part that is too short for steps and interval.

        Parameters
        ----------
        y : array (T,) or Series
            The series, equally spaced.
        exog : array (T, E), data frame or None, default=None
            Other columns, of which the row of the target's time is an input.
        """
        if not isinstance(self.forecaster, Forecaster):
            raise ValueError(f"forecaster: expected one of the package, such as ForecasterDirect, got "
                             f"{self.forecaster!r}")
        share = real_number(self.interval, "interval", above=0)
        if share >= 1:
            raise ValueError(f"interval={self.interval!r}: expected a share below 1; no width holds all errors to come")
        (values, times), exog, H = read_series(y), as_rows(exog), self._longest()
        if exog is not None:
            require_rows(exog, len(values), times)
        first = len(values) - whole_number(self.calibration_size, "calibration_size", least=H)
        if first < 1:
            raise ValueError(f"calibration_size={self.calibration_size}: expected less than the "
                             f"{len(values)} values of y")
        model = fresh(self.forecaster).fit(values[:first], rows_of(exog, 0, first))
        origins = np.arange(first, len(values) - H + 1)
        self.widths_ = widths(absolute_errors(*_from_origins(model, values, exog, origins, H)), 1 - share)
        self.forecaster_, self.n_calibration_, self._learned = model, len(origins), H
        self.last_window_ = values[len(values) - len(model.last_window_):].copy()
        self._last_times = None if times is None else times[-2:]
        return self

    def predict_interval(self, steps=None, last_window=None, exog=None):
        """Forecasts with the ends of their intervals: (steps, 3), a row (forecast, lower, upper) for each step.

        Raises ValueError as `predict` does.

        Parameters
        ----------
        steps : int or None, default=None
            How many; None for all that were learned.
        last_window : array (L,), Series or None, default=None
            The values before the forecast, of which the last are used; None for the end of the series learned from.
        exog : array (steps, E), data frame or None, default=None
            The rows of the times that are forecast, if `fit` had such columns.
        """
        f = self.predict(steps, last_window, exog)
        return np.stack([f, *intervals(f, self.widths_[:len(f)])], axis=1)

    def _forecasts(self, windows, exogs, steps):
        return self.forecaster_._forecasts(windows, exogs, self.forecaster_._steps(steps))


def _from_origins(model, y, exog, origins, steps):
    """What came in the `steps` after each origin, and what `model` forecasts there: both (n, steps)."""
    P = len(model.last_window_)
    W = y[origins[:, None] + np.arange(-P, 0)]
    f = model._forecasts(W, [rows_of(exog, o, o + steps) for o in origins], model._steps(steps))
    return y[origins[:, None] + np.arange(steps)], f
