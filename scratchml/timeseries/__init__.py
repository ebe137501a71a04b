"""Time series: what comes next, how far ahead that can be said, and whether the series stands still."""
from scratchml.timeseries.backtesting import Backtest, Fold, Predictions, TimeSeriesFold, backtesting_forecaster
from scratchml.timeseries.conformal import ConformalForecaster
from scratchml.timeseries.ridge import Ridge
from scratchml.timeseries.strategies import (
    ForecasterDirect, ForecasterDirectRecursive, ForecasterRecursive, ForecasterSeasonalNaive, ForecasterShift)
from scratchml.timeseries.windows import RegularGrid, folds, lag_windows, regular_grid

CHAPTERS = ("windows", "ridge", "strategies", "conformal", "backtesting")

__all__ = ["Backtest", "ConformalForecaster", "Fold", "ForecasterDirect", "ForecasterDirectRecursive",
           "ForecasterRecursive", "ForecasterSeasonalNaive", "ForecasterShift", "Predictions", "RegularGrid", "Ridge",
           "TimeSeriesFold", "backtesting_forecaster", "folds", "lag_windows", "regular_grid"]
