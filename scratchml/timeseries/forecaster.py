"""What forecasters share: a series read and transformed, columns that are known in advance, the window that is
continued.

A forecaster learns from a series y (T,) and is asked for the values after its last, or after the last of another
window.  Beside y there may be `exog` (T, E), other columns, one row for each time.  The row that belongs to the
*target's* time is an input, so these columns must be known in advance: the hour, a holiday, a price that is set.  What
is only known afterwards, as the weather, enters shifted by the horizon: the row of time t then holds what was measured
at t - steps.

`transformer_y` and `transformer_exog` are fitted on the series that is learned from and on nothing else.
"""
import copy

import numpy as np

from scratchml.core.checks import as_floats, finite, whole_number
from scratchml.core.estimator import Estimator
from scratchml.timeseries.time_axis import as_times, items, read_series, require_regular


def fresh(estimator):
    """An estimator with the same parameters that has learned nothing; a copy if it has no parameters to ask for."""
    if hasattr(estimator, "get_params") and not isinstance(estimator, type):
        return type(estimator)(**{name: fresh(value) for name, value in estimator.get_params(deep=False).items()})
    return copy.deepcopy(estimator)


def able_to(estimator, name, *methods):
    """`estimator` itself.  Raises ValueError unless it is an object with these methods."""
    lacking = [method for method in methods if not callable(getattr(estimator, method, None))]
    if lacking or isinstance(estimator, type):
        raise ValueError(f"{name}: expected an object with {' and '.join(methods)}, got {estimator!r}"
                         + (f" without {', '.join(lacking)}" if lacking else ", a class; call it"))
    return estimator


def predicted(model, X):
    """What `model` predicts for the rows of X, (N,) in float64.  Raises ValueError for NaN, and another number of
    them."""
    values = np.asarray(model.predict(X), np.float64)
    if values.size != len(X):
        raise ValueError(f"estimator: expected {len(X)} predictions of {type(model).__name__}, one a row, got an array "
                         f"of shape {values.shape}")
    return finite(values.reshape(len(X)), f"predictions of {type(model).__name__}")


# --- columns beside the series -------------------------------------------------------------------


def as_rows(exog, name="exog"):
    """`exog` as something that can be cut into rows: an array, or a data frame as it is."""
    if exog is None or hasattr(exog, "iloc"):
        return exog
    return np.asarray(items(exog, name))


def names_of(exog):
    """The names of the columns of a data frame, None for what has none."""
    columns = getattr(exog, "columns", None)
    return None if columns is None else list(columns)


def rows_of(exog, start, stop):
    """Rows start ... stop - 1 of what `as_rows` returned."""
    return None if exog is None else exog.iloc[start:stop] if hasattr(exog, "iloc") else exog[start:stop]


def numbers_of(exog, name="exog"):
    """A table (T, E) of finite float64."""
    table = finite(as_floats(exog, name), name).astype(np.float64, copy=False)
    if table.ndim not in (1, 2):
        raise ValueError(f"{name}: expected a table (T, E), got shape {table.shape}")
    return table.reshape(len(table), -1)


def require_rows(exog, size, times, name="exog"):
    """`exog` itself, if it has `size` rows, and where both have times the times of its rows are `times`."""
    if len(exog) != size:
        raise ValueError(f"{name}: expected {size} rows, one for each time, got {len(exog)}")
    index = getattr(exog, "index", None)
    if times is not None and index is not None and not callable(index):
        theirs = as_times(index, f"{name}.index")
        differ = theirs != times if theirs.dtype.kind == times.dtype.kind else np.ones(size, bool)
        if np.any(differ):
            t = int(np.argmax(differ))
            raise ValueError(f"{name}.index: expected the times of y, {times[t]} at [{t}], got {theirs[t]}")
    return exog


# --- the forecaster ------------------------------------------------------------------------------


class Forecaster(Estimator):
    """Fit and predict; a strategy adds `_window_size`, `_learn` and `_continue`."""

    _takes_a_table = False

    # --- what a strategy says

    def _window_size(self):
        """How many of the last values a forecast needs."""
        raise NotImplementedError

    def _longest(self):
        """How many steps it was asked to learn; None for as many as one likes."""
        return None

    def _learn(self, y, Z):
        """Learn from y (T,), transformed, and Z (T, E), E = 0 where there is no exog; set fitted attributes."""
        raise NotImplementedError

    def _continue(self, W, Z, steps):
        """Forecasts (F, steps) after windows W (F, P), with Z (F, steps, E) of the times of the targets."""
        raise NotImplementedError

    # --- what users call

    def fit(self, y, exog=None):
        """Learn from a series.  Returns itself.

        Raises ValueError for NaN and inf, an index with gaps, a series too short, and another number of rows in `exog`.

        Parameters
        ----------
        y : array (T,) or Series
            The series, equally spaced.
        exog : array (T, E), data frame or None, default=None
            Other columns, of which the row of the target's time is an input.
        """
        values, times = read_series(y)
        exog = as_rows(exog)
        if exog is not None:
            require_rows(exog, len(values), times)
        scaler = self._fit_transformer("transformer_y", values[:, None], "inverse_transform")
        table = self._fit_transformer("transformer_exog", exog) if exog is not None else None
        Z = np.zeros((len(values), 0)) if exog is None else numbers_of(table.transform(exog) if table else exog)
        size = self._window_size()
        learned = values if scaler is None else _column(scaler.transform(values[:, None]), "transformer_y")
        self._learn(learned, Z)
        self.transformer_y_, self.transformer_exog_ = scaler, table
        self.last_window_, self._learned = values[len(values) - size:].copy(), self._longest()
        self.n_exog_, self._exog_names = 0 if exog is None else Z.shape[1], names_of(exog)
        self._last_times = None if times is None else times[-2:]
        return self

    def predict(self, steps=None, last_window=None, exog=None):
        """Forecasts (steps,) of the values that come next.

        Raises ValueError for more steps than were learned, a window that is too short, and rows of `exog` that are not
        one for each step.

        Parameters
        ----------
        steps : int or None, default=None
            How many; None for all that were learned.
        last_window : array (L,), Series or None, default=None
            The values before the forecast, of which the last are used; None for the end of the series learned from.
        exog : array (steps, E), data frame or None, default=None
            The rows of the times that are forecast, if `fit` had such columns.
        """
        self._check_fitted()
        steps = self._steps(steps)
        window, times = self.last_window_, self._last_times
        if last_window is not None:
            window, times = read_series(last_window, "last_window")
        size = len(self.last_window_)
        if len(window) < size:
            raise ValueError(f"last_window: expected at least {size} values, the farthest that is looked back, got "
                             f"{len(window)}")
        exog = as_rows(exog)
        if exog is not None and times is not None and hasattr(exog, "index") and len(exog):
            joined = np.concatenate([times[-2:], as_times(exog.index, "exog.index")])
            require_regular(joined, len(joined), "exog.index after that of y")
        return self._forecasts(window[None, len(window) - size:], [exog], steps)[0]

    # --- inside

    def _forecasts(self, windows, exogs, steps):
        """Forecasts (F, steps) after the windows (F, P), with the rows of `exog` for each."""
        Z = np.stack([self._exog_numbers(exog, steps) for exog in exogs])
        scaler = self.transformer_y_
        W = windows if scaler is None else _each(scaler.transform, windows, "transformer_y")
        found = self._continue(W, Z, steps)
        return found if scaler is None else _each(scaler.inverse_transform, found, "transformer_y")

    def _steps(self, steps):
        longest = self._learned
        if steps is None and longest is not None:
            return longest
        steps = whole_number(steps, "steps")
        if longest is not None and steps > longest:
            raise ValueError(f"steps={steps}: {type(self).__name__} has learned {longest}; fit it with steps={steps}")
        return steps

    def _exog_numbers(self, exog, steps):
        """The rows of one forecast, (steps, E)."""
        if exog is None:
            if self.n_exog_:
                raise ValueError(f"exog: expected {steps} rows of {self.n_exog_} columns, as in fit, got None")
            return np.zeros((steps, 0))
        if len(exog) != steps:
            raise ValueError(f"exog: expected {steps} rows, one for each step, got {len(exog)}")
        names = names_of(exog)
        if None not in (names, self._exog_names) and names != self._exog_names:
            raise ValueError(f"exog: expected the columns {self._exog_names}, as in fit and in their order, got "
                             f"{names}")
        Z = numbers_of(self.transformer_exog_.transform(exog) if self.transformer_exog_ else exog)
        if Z.shape[1] != self.n_exog_:
            raise ValueError(f"exog: expected {self.n_exog_} columns, as in fit, got {Z.shape[1]}")
        return Z

    def _fit_transformer(self, name, table, *more):
        transformer = getattr(self, name, None)
        if transformer is None:
            return None
        return fresh(able_to(transformer, name, "fit", "transform", *more)).fit(table)

    def _check_estimator(self):
        return able_to(self.estimator, "estimator", "fit", "predict")


def _column(table, name):
    """A table (N, 1) that a transformer has returned as (N,)."""
    values = finite(as_floats(table, name), name).astype(np.float64, copy=False)
    if values.ndim not in (1, 2) or values.size != len(values):
        raise ValueError(f"{name}: expected one column back for one column in, got shape {values.shape}")
    return values.reshape(-1)


def _each(function, table, name):
    """`function`, which takes a column, applied to every number of `table`."""
    return _column(function(table.reshape(-1, 1)), name).reshape(table.shape)
