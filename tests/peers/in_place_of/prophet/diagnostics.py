"""prophet.diagnostics."""
import concurrent.futures                                # noqa: F401  the tests look for it here

from prophet import Prophet, logged
from prophet.metrics import (                            # noqa: F401
    PERFORMANCE_METRICS, coverage, mae, mape, mdape, mse, performance_metrics, register_performance_metric, rmse,
    rolling_mean_by_h, rolling_median_by_h, smape)
from scratchml.timeseries import cross_validation as ours
from scratchml.timeseries.prophet_tables import ticks_of


def cross_validation(*arguments, **options):
    return logged(lambda: ours(*arguments, **options))


def prophet_copy(m, cutoff=None):
    return m.unfitted(2**62 if cutoff is None else ticks_of([cutoff])[0])


__all__ = ["Prophet"]
