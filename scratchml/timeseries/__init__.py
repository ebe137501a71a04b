"""Time series: what comes next, how far ahead that can be said, and whether the series stands still."""
from scratchml.timeseries.windows import RegularGrid, folds, lag_windows, regular_grid

CHAPTERS = ("windows",)

__all__ = ["RegularGrid", "folds", "lag_windows", "regular_grid"]
