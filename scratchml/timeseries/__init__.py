"""Time series: what comes next, how far ahead that can be said, and whether the series stands still."""
from scratchml.timeseries.anomalies import SHESD, Anomalies, anomaly_detection_ts, anomaly_detection_vec
from scratchml.timeseries.backtesting import Backtest, Fold, Predictions, TimeSeriesFold, backtesting_forecaster
from scratchml.timeseries.conformal import ConformalForecaster
from scratchml.timeseries.level import LevelTest, kpss
from scratchml.timeseries.outliers import ESD, generalized_esd
from scratchml.timeseries.ridge import Ridge
from scratchml.timeseries.stl import STL, Decomposition
from scratchml.timeseries.strategies import (
    ForecasterDirect, ForecasterDirectRecursive, ForecasterRecursive, ForecasterSeasonalNaive, ForecasterShift)
from scratchml.timeseries.unit_root import DickeyFuller, adfuller
from scratchml.timeseries.windows import RegularGrid, folds, lag_windows, regular_grid

CHAPTERS = ("windows", "ridge", "strategies", "conformal", "backtesting", "unit_root_law", "unit_root", "level",
            "loess", "stl", "outliers", "anomalies", "trend_season",
            "trend_season_sums", "trend_season_fit")

__all__ = ["Anomalies", "Backtest", "ConformalForecaster", "Decomposition", "DickeyFuller", "ESD", "Fold",
           "ForecasterDirect", "ForecasterDirectRecursive", "ForecasterRecursive", "ForecasterSeasonalNaive",
           "ForecasterShift", "LevelTest", "Predictions", "RegularGrid", "Ridge", "SHESD", "STL", "TimeSeriesFold",
           "adfuller", "anomaly_detection_ts", "anomaly_detection_vec", "backtesting_forecaster", "folds",
           "generalized_esd", "kpss", "lag_windows", "regular_grid"]
