"""Several steps ahead: a model for each shift, one model told the shift, or one that feeds on its own predictions.

A regression of the next value on those before it forecasts one step.  For the 24 hours of tomorrow there are these
ways.

Direct: 24 models, each trained on the targets of its own shift.  Each does as well as it can; none knows what the
others say.  With the shift as an input: one model, trained on all 24 targets of each window, in rows that say which is
meant.  A linear model can only add a number for each shift, the same for all windows: it is of use to models that are
not linear.  Recursive: one model for the next value, whose forecast becomes the newest input for the value after that.
It learns from the most, the simplest task, and its errors feed on themselves.  Between them, direct-recursive: a model
for each shift, which sees what the models before it have forecast.  Beside all of them, what costs nothing: the value
of one season ago.

Symbols
    w  (F, P)     windows that end where a forecast begins, the newest value last; P = l_0 or more
    W  (F, p)     their inputs, as X: W_fj lies l_j before the first value that is forecast
    X  (n, p)     inputs of the training rows, see the chapter on windows
    Y  (n, H)     their targets, the next H values
    Z  (n, H, E)  columns known in advance, at the times of the targets; E may be 0
    V  (F, H, E)  the same for the forecasts
    l  (p,)       lags, the farthest first
    fit           a function that makes a model of rows and a target for each: fit(rows, targets)
    g  (H,)       models, one a shift: g_h; with predict(rows)
    f             one model
    m             the season
    H             how many steps are learned, or asked for
    e  (H, H)     e_h is 1 at h and 0 elsewhere

Equations
    (1)  g_h = fit of the rows (X_i, Z_ih) to Y_ih                                         direct
    (2)  ŷ_h = g_h(W, V_h)                                                                 direct_forecasts
    (3)  R_{iH+h} = (X_i, e_h, Z_ih)                                                       with_shift
    (4)  ŷ_h = f(inputs of (w, ŷ_1, ..., ŷ_{h-1}), V_h)                                    recursive_forecasts
    (5)  g_h = fit of the rows (X_i, Y_i1, ..., Y_{i,h-1}, Z_ih) to Y_ih                   direct_recursive
    (6)  ŷ_h = g_h(W, ŷ_1, ..., ŷ_{h-1}, V_h)                                              direct_recursive_forecasts
    (7)  ŷ_h = w_{P-m+((h-1) mod m)}                                                       seasonal_naive

Choices
    All shifts learn from the same n rows, those whose H targets all exist.  (4) has H = 1, and H - 1 rows more.
    An estimator with `fit_windows`, as Ridge, is given the series itself where there is no exog, instead of the table
    of (1), (3) or (5): it finds the same weights, faster.
    Columns known in advance enter a model at the time of its target, and only these.
    Forecasts for several windows are made together; a model that predicts each row by itself gives each the same bits.

Cost
    H fits of n rows for (1) and (5), one of n H rows for (3), one of n rows for (4).  With Ridge, (1) is one
    factorisation: O((T + P + H) (P + H) + p³).

>>> y = [2.0, 1, 3, 4, 7, 11, 18, 29, 47]               # the sum of the last two, from 1 and 3 on
>>> rule = dict(estimator=Ridge(alpha=0, fit_intercept=False), lags=2)
>>> ForecasterRecursive(**rule).fit(y).predict(3).round(6).tolist()
[76.0, 123.0, 199.0]
>>> ForecasterDirect(steps=3, **rule).fit(y).predict().round(6).tolist()
[76.0, 123.0, 199.0]
>>> ForecasterSeasonalNaive(2).fit(y).predict(3).tolist()
[29.0, 47.0, 29.0]

Source: S. Ben Taieb, G. Bontempi, A. Atiya and A. Sorjamaa, "A review and comparison of strategies for multi-step ahead
time series forecasting", Expert Systems with Applications 39 (2012), section 2, for (1), (4) and (5).
"""
import numpy as np

from scratchml.core.checks import one_of, whole_number
from scratchml.timeseries.forecaster import Forecaster, fresh, predicted
from scratchml.timeseries.ridge import Ridge
from scratchml.timeseries.windows import as_lags, lag_windows, number_of_windows

# --- the equations -------------------------------------------------------------------------------


def direct(fit, X, Z, Y):
    """(1)  g_h = fit of the rows (X_i, Z_ih) to Y_ih

    Shapes: fit, X (n, p), Z (n, H, E), Y (n, H) -> (H)
    """
    return [fit(np.concatenate([X, Z[:, h]], axis=1), Y[:, h]) for h in range(Y.shape[1])]


def direct_forecasts(g, W, V):
    """(2)  ŷ_h = g_h(W, V_h)

    Shapes: g (H), W (F, p), V (F, H, E) -> (F, H)
    """
    return np.stack([predicted(g[h], np.concatenate([W, V[:, h]], axis=1)) for h in range(V.shape[1])], axis=1)


def with_shift(X, Z):
    """(3)  R_{iH+h} = (X_i, e_h, Z_ih)

    Shapes: X (n, p), Z (n, H, E) -> (n*H, p+H+E)
    """
    n, H, _ = Z.shape
    return np.concatenate([np.repeat(X, H, axis=0), np.tile(np.eye(H), (n, 1)), Z.reshape(n * H, -1)], axis=1)


def recursive_forecasts(f, w, l, V):
    """(4)  ŷ_h = f(inputs of (w, ŷ_1, ..., ŷ_{h-1}), V_h)

    Shapes: f, w (F, P), l (p), V (F, H, E) -> (F, H)
    """
    P, H = w.shape[1], V.shape[1]
    known = np.concatenate([w, np.empty((len(w), H))], axis=1)
    for h in range(H):
        known[:, P + h] = predicted(f, np.concatenate([known[:, P + h - l], V[:, h]], axis=1))
    return known[:, P:]


def direct_recursive(fit, X, Z, Y):
    """(5)  g_h = fit of the rows (X_i, Y_i1, ..., Y_{i,h-1}, Z_ih) to Y_ih

    Shapes: fit, X (n, p), Z (n, H, E), Y (n, H) -> (H)
    """
    return [fit(np.concatenate([X, Y[:, :h], Z[:, h]], axis=1), Y[:, h]) for h in range(Y.shape[1])]


def direct_recursive_forecasts(g, W, V):
    """(6)  ŷ_h = g_h(W, ŷ_1, ..., ŷ_{h-1}, V_h)

    Shapes: g (H), W (F, p), V (F, H, E) -> (F, H)
    """
    found = np.empty(V.shape[:2])
    for h in range(V.shape[1]):
        found[:, h] = predicted(g[h], np.concatenate([W, found[:, :h], V[:, h]], axis=1))
    return found


def seasonal_naive(w, m, steps):
    """(7)  ŷ_h = w_{P-m+((h-1) mod m)}

    Shapes: w (F, P), m, H -> (F, H)
    """
    return w[:, w.shape[1] - m + np.arange(steps) % m]


# --- forecasters ---------------------------------------------------------------------------------


class _OnLags(Forecaster):
    """A strategy that learns from windows."""

    def _window_size(self):
        return int(as_lags(self.lags)[0])

    def _learn(self, y, Z):
        self.lags_ = as_lags(self.lags)
        self._learn_windows(y, Z)

    def _inputs(self, W):
        """The lags (F, p) of windows (F, P)."""
        return W[:, W.shape[1] - self.lags_]

    def _tables(self, y, Z, H):
        """X (n, p), Z (n, H, E) and Y (n, H)."""
        l = self.lags_
        X, Y = lag_windows(y, l, H)
        frames = np.lib.stride_tricks.sliding_window_view(Z[l[0]:], H, axis=0)           # (n, E, H)
        return X, frames.transpose(0, 2, 1), Y

    def _fit(self, rows, targets):
        return fresh(self.estimator).fit(rows, targets)

    def _sees_the_series(self, Z):
        """Whether the estimator itself makes windows of a series."""
        return not Z.shape[1] and hasattr(self._check_estimator(), "fit_windows")


class _ForSteps(_OnLags):
    """A strategy that learns a number of steps."""

    def _longest(self):
        return whole_number(self.steps, "steps")


class ForecasterDirect(_ForSteps):
    """A model for each step: (1) and (2).

    Parameters
    ----------
    estimator : object
        What learns, with fit and predict; a fresh one for each step.
    steps : int
        H, how many steps to learn.
    lags : int or list of int
        How far back the inputs lie; a number for 1 to that number.
    transformer_y : object or None, default=None
        With fit, transform and inverse_transform: what the series goes through before, and forecasts after.
    transformer_exog : object or None, default=None
        With fit and transform: what other columns go through.

    Attributes
    ----------
    estimators_ : list of H estimators
        The fitted models, that of the next step first.
    lags_ : array (p,)
        The lags, the farthest first.
    last_window_ : array (P,)
        The end of the series that was learned from.
    n_exog_ : int
        How many other columns there were.
    transformer_y_, transformer_exog_ : object or None
        The fitted transformers.
    """

    def __init__(self, estimator, steps, lags, transformer_y=None, transformer_exog=None):
        self.estimator = estimator
        self.steps = steps
        self.lags = lags
        self.transformer_y = transformer_y
        self.transformer_exog = transformer_exog

    def _learn_windows(self, y, Z):
        H = self._longest()
        if self._sees_the_series(Z):
            joint = fresh(self.estimator).fit_windows(y, self.lags, H)
            self.estimators_ = joint.one_a_target()
        else:
            self.estimators_ = direct(self._fit, *self._tables(y, Z, H))

    def _continue(self, W, Z, steps):
        return direct_forecasts(self.estimators_, self._inputs(W), Z)


class ForecasterShift(_ForSteps):
    """One model that is told the step: (3), in whose rows all windows meet all steps.

    Parameters
    ----------
    estimator : object
        What learns, with fit and predict.  A linear one can only add a number for each step.
    steps : int
        H, how many steps to learn.
    lags : int or list of int
        How far back the inputs lie; a number for 1 to that number.
    encoding : {"one-hot", "number"}, default="one-hot"
        How the step is told: by H columns of which one is 1, or by one column with its number.
    transformer_y : object or None, default=None
        With fit, transform and inverse_transform: what the series goes through before, and forecasts after.
    transformer_exog : object or None, default=None
        With fit and transform: what other columns go through.

    Attributes
    ----------
    estimator_ : object
        The fitted model.
    lags_ : array (p,)
        The lags, the farthest first.
    last_window_ : array (P,)
        The end of the series that was learned from.
    n_exog_ : int
        How many other columns there were.
    transformer_y_, transformer_exog_ : object or None
        The fitted transformers.
    """

    def __init__(self, estimator, steps, lags, encoding="one-hot", transformer_y=None, transformer_exog=None):
        self.estimator = estimator
        self.steps = steps
        self.lags = lags
        self.encoding = encoding
        self.transformer_y = transformer_y
        self.transformer_exog = transformer_exog

    def _rows(self, X, Z, H):
        """The rows of (3), which know of H steps, for as many steps as Z has."""
        n, steps, E = Z.shape
        if self._told == "number":
            numbers = np.broadcast_to(np.arange(1.0, steps + 1)[:, None], (n, steps, 1))
            beside = np.concatenate([numbers, Z], axis=2).reshape(n * steps, -1)
            return np.concatenate([np.repeat(X, steps, axis=0), beside], axis=1)
        padded = np.concatenate([Z, np.zeros((n, H - steps, E))], axis=1)
        R = with_shift(X, padded)
        return R if steps == H else R.reshape(n, H, -1)[:, :steps].reshape(n * steps, -1)

    def _learn_windows(self, y, Z):
        H, self._told = self._longest(), one_of(self.encoding, "encoding", ("one-hot", "number"))
        if self._falls_apart(Z):
            self.estimator_ = fresh(self.estimator).fit_shifted_windows(y, self.lags, H)
        else:
            X, Z, Y = self._tables(y, Z, H)
            self.estimator_ = self._fit(self._rows(X, Z, H), Y.ravel())

    def _falls_apart(self, Z):
        """Whether the estimator needs no table of all windows with all shifts: a linear one that has an intercept."""
        return self._sees_the_series(Z) and self._told == "one-hot" and \
            hasattr(self.estimator, "fit_shifted_windows") and self.estimator.fit_intercept

    def _continue(self, W, Z, steps):
        rows = self._rows(self._inputs(W), Z, self._learned)
        return predicted(self.estimator_, rows).reshape(len(W), steps)


class ForecasterRecursive(_OnLags):
    """One model for the next value, fed with its own predictions: (4).

    Parameters
    ----------
    estimator : object
        What learns, with fit and predict.
    lags : int or list of int
        How far back the inputs lie; a number for 1 to that number.
    transformer_y : object or None, default=None
        With fit, transform and inverse_transform: what the series goes through before, and forecasts after.
    transformer_exog : object or None, default=None
        With fit and transform: what other columns go through.

    Attributes
    ----------
    estimator_ : object
        The fitted model.
    lags_ : array (p,)
        The lags, the farthest first.
    last_window_ : array (P,)
        The end of the series that was learned from.
    n_exog_ : int
        How many other columns there were.
    transformer_y_, transformer_exog_ : object or None
        The fitted transformers.
    """

    def __init__(self, estimator, lags, transformer_y=None, transformer_exog=None):
        self.estimator = estimator
        self.lags = lags
        self.transformer_y = transformer_y
        self.transformer_exog = transformer_exog

    def _learn_windows(self, y, Z):
        if self._sees_the_series(Z):
            self.estimator_ = fresh(self.estimator).fit_windows(y, self.lags).one_a_target()[0]
        else:
            X, Z, Y = self._tables(y, Z, 1)
            self.estimator_ = direct(self._fit, X, Z, Y)[0]

    def _continue(self, W, Z, steps):
        return recursive_forecasts(self.estimator_, W, self.lags_, Z)


class ForecasterDirectRecursive(_ForSteps):
    """A model for each step that also sees the forecasts of the steps before: (5) and (6).

    Parameters
    ----------
    estimator : object
        What learns, with fit and predict; a fresh one for each step.
    steps : int
        H, how many steps to learn.
    lags : int or list of int
        How far back the inputs of the first step lie; a number for 1 to that number.
    transformer_y : object or None, default=None
        With fit, transform and inverse_transform: what the series goes through before, and forecasts after.
    transformer_exog : object or None, default=None
        With fit and transform: what other columns go through.

    Attributes
    ----------
    estimators_ : list of H estimators
        The fitted models, that of the next step first.
    lags_ : array (p,)
        The lags, the farthest first.
    last_window_ : array (P,)
        The end of the series that was learned from.
    n_exog_ : int
        How many other columns there were.
    transformer_y_, transformer_exog_ : object or None
        The fitted transformers.
    """

    def __init__(self, estimator, steps, lags, transformer_y=None, transformer_exog=None):
        self.estimator = estimator
        self.steps = steps
        self.lags = lags
        self.transformer_y = transformer_y
        self.transformer_exog = transformer_exog

    def _learn_windows(self, y, Z):
        H, l = self._longest(), self.lags_
        if self._sees_the_series(Z):
            number_of_windows(len(y), l, H)
            self.estimators_ = [self._grown(y[:len(y) - H + h + 1], l, h) for h in range(H)]
        else:
            self.estimators_ = direct_recursive(self._fit, *self._tables(y, Z, H))

    def _grown(self, y, l, h):
        """Same result as (5) for step h + 1, because its inputs are lags again: those of X and h more, then h ... 1."""
        return fresh(self.estimator).fit_windows(y, np.concatenate([l + h, np.arange(h, 0, -1)])).one_a_target()[0]

    def _continue(self, W, Z, steps):
        return direct_recursive_forecasts(self.estimators_, self._inputs(W), Z)


class ForecasterSeasonalNaive(Forecaster):
    """The value of one season ago: (7).  It learns nothing but the last season, and does not look at other columns.

    Parameters
    ----------
    season : int
        m, how many steps a season has; 1 for the last value.

    Attributes
    ----------
    last_window_ : array (m,)
        The last season.
    """

    def __init__(self, season):
        self.season = season

    def _window_size(self):
        return whole_number(self.season, "season")

    def _learn(self, y, Z):
        if len(y) < self._window_size():
            raise ValueError(f"y: expected at least {self.season} values, a season, got {len(y)}")

    def _continue(self, W, Z, steps):
        return seasonal_naive(W, W.shape[1], steps)
