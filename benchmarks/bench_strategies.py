"""Forecasting several steps ahead: the windows of a series as a table, as a sum along the series, and skforecast's.

On the hourly traffic of ten months.  The formula is ridge regression on the table of all windows, with NumPy's
products.
"""
import warnings

import numpy as np

from benchmarks import Case, close, peer, test_contender
from scratchml.datasets import load_traffic
from scratchml.timeseries import (ForecasterDirect, ForecasterDirectRecursive, ForecasterRecursive, Ridge,
                                  TimeSeriesFold,
                                  backtesting_forecaster, regular_grid)

STEPS, TRAIN = 24, 304 * 24


def traffic():
    series = load_traffic()
    return regular_grid(series.times, series.values, fill="interpolate").values


def on(lags):
    return lambda: (traffic()[:TRAIN], lags)


def formula(y, lags):
    """(XᵀX + I)⁻¹ XᵀY less the means, of the table."""
    frames = np.lib.stride_tricks.sliding_window_view(y, lags + STEPS)
    μ = frames.mean(axis=0)
    X, Y = frames[:, :lags] - μ[:lags], frames[:, lags:] - μ[lags:]
    B = np.linalg.solve(X.T @ X + np.eye(lags), X.T @ Y)
    return (y[-lags:] - μ[:lags]) @ B + μ[lags:]


def ours(y, lags):
    return ForecasterDirect(Ridge(), STEPS, lags).fit(y).predict()


def ours_recursive(y, lags):
    return ForecasterRecursive(Ridge(), lags).fit(y).predict(STEPS)


def ours_direct_recursive(y, lags):
    return ForecasterDirectRecursive(Ridge(), STEPS, lags).fit(y).predict()


@peer("skforecast.direct")
def skforecast(y, lags):
    return _skforecast("direct", y, steps=STEPS, lags=lags, n_jobs=1)


@peer("skforecast.recursive")
def skforecast_recursive(y, lags):
    return _skforecast("recursive", y, lags=lags)


def _skforecast(strategy, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas
        from sklearn.linear_model import Ridge as Theirs
        from skforecast.direct import ForecasterDirect
        from skforecast.recursive import ForecasterRecursive
        cls = ForecasterDirect if strategy == "direct" else ForecasterRecursive
        forecaster = cls(estimator=Theirs(), **options)
        forecaster.fit(pandas.Series(y, pandas.date_range("2017-01-01", periods=len(y), freq="h")))
        return forecaster.predict(STEPS).to_numpy()


def ours_backtest(y):
    cv = TimeSeriesFold(STEPS, TRAIN, 25, allow_incomplete_fold=False)
    return backtesting_forecaster(ForecasterRecursive(Ridge(), 168), y, cv, "mean_absolute_error").predictions.pred


@peer("skforecast.model_selection")
def skforecast_backtest(y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas
        from sklearn.linear_model import Ridge as Theirs
        from skforecast.model_selection import TimeSeriesFold, backtesting_forecaster
        from skforecast.recursive import ForecasterRecursive
        series = pandas.Series(y, pandas.date_range("2017-01-01", periods=len(y), freq="h"))
        cv = TimeSeriesFold(STEPS, TRAIN, 25, allow_incomplete_fold=False, verbose=False)
        found = backtesting_forecaster(ForecasterRecursive(estimator=Theirs(), lags=168), series, cv,
                                       "mean_absolute_error",
                                       n_jobs=1, show_progress=False)
        return found[1]["pred"].to_numpy()


near = close(rtol=0, atol=1e-8)                          # of thousands of cars

CASES = [
    Case("direct ridge, 24 steps, 168 lags, 7,296 hours", on(168),
         {"formula": formula, "scratchml": ours, "skforecast": skforecast}, near),
    Case("direct ridge, 24 steps, 48 lags, 7,296 hours", on(48),
         {"formula": formula, "scratchml": ours, "skforecast": skforecast}, near),
    Case("recursive ridge, 24 steps, 168 lags, 7,296 hours", on(168),
         {"scratchml": ours_recursive, "skforecast": skforecast_recursive}, near),
    Case("direct-recursive ridge, 24 steps, 168 lags, 7,296 hours", on(168),
         {"scratchml": ours_direct_recursive}, near),
    Case("backtest of recursive ridge, 58 origins", lambda: (traffic(),),
         {"scratchml": ours_backtest, "skforecast": skforecast_backtest}, near),
]
