"""Time series: what comes next, how far ahead that can be said, and whether the series stands still."""
from scratchml.timeseries.anomalies import SHESD, Anomalies, anomaly_detection_ts, anomaly_detection_vec
from scratchml.timeseries.backtesting import Backtest, Fold, Predictions, TimeSeriesFold, backtesting_forecaster
from scratchml.timeseries.conformal import ConformalForecaster
from scratchml.timeseries.direction import (
    DirectionWindows, TwoBranches, TwoHeads, direction_windows, ladder, purged_split, value_and_direction)
from scratchml.timeseries.feature_extractor import FeatureExtractor, extract_features
from scratchml.timeseries.level import LevelTest, kpss
from scratchml.timeseries.noise import noise_by_copies
from scratchml.timeseries.outliers import ESD, generalized_esd
from scratchml.timeseries.prophet import Prophet, regressor_coefficients
from scratchml.timeseries.prophet_diagnostics import (
    cross_validation, performance_metrics, plot_cross_validation_metric, register_performance_metric)
from scratchml.timeseries.prophet_plots import add_changepoints_to_plot
from scratchml.timeseries.prophet_storage import model_from_json, model_to_json
from scratchml.timeseries.relevance import Relevance, RelevanceSelector, relevance_table, select_features
from scratchml.timeseries.ridge import Ridge
from scratchml.timeseries.stl import STL, Decomposition
from scratchml.timeseries.strategies import (
    ForecasterDirect, ForecasterDirectRecursive, ForecasterRecursive, ForecasterSeasonalNaive, ForecasterShift)
from scratchml.timeseries.unit_root import DickeyFuller, adfuller
from scratchml.timeseries.windows import RegularGrid, folds, lag_windows, regular_grid

CHAPTERS = ("windows", "ridge", "strategies", "conformal", "backtesting", "unit_root_law", "unit_root", "level",
            "value_features", "order_features", "relevance_tests", "relevance", "loess", "stl", "outliers", "anomalies",
            "noise", "direction", "trend_season", "trend_season_sums", "trend_season_fit", "trend_paths", "prophet",
            "prophet_diagnostics")

__all__ = ["Anomalies", "Backtest", "ConformalForecaster", "Decomposition", "DickeyFuller", "DirectionWindows", "ESD",
           "FeatureExtractor", "Fold", "ForecasterDirect", "ForecasterDirectRecursive", "ForecasterRecursive",
           "ForecasterSeasonalNaive", "ForecasterShift", "LevelTest", "Predictions", "Prophet", "RegularGrid",
           "Relevance", "RelevanceSelector", "Ridge", "SHESD", "STL", "TimeSeriesFold", "TwoBranches", "TwoHeads",
           "add_changepoints_to_plot", "adfuller", "anomaly_detection_ts", "anomaly_detection_vec",
           "backtesting_forecaster", "cross_validation", "direction_windows", "extract_features", "folds",
           "generalized_esd", "kpss", "ladder", "lag_windows", "model_from_json", "model_to_json", "noise_by_copies",
           "performance_metrics", "plot_cross_validation_metric", "purged_split", "register_performance_metric",
           "regressor_coefficients", "regular_grid", "relevance_table", "select_features", "value_and_direction"]
