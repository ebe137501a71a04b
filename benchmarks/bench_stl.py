"""Seasonal-trend decomposition by loess, beside statsmodels', and how its time grows with the series.

Carbon dioxide by the month, and the hourly traffic of a year with a period of a day.
"""
import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.datasets import load_co2, load_traffic
from scratchml.timeseries import STL, regular_grid


def carbon_dioxide():
    return load_co2().values, 12


def traffic():
    series = load_traffic()
    return regular_grid(series.times, series.values, fill="interpolate").values, 24


def decomposed(**options):
    def ours(y, P):
        fit = STL(y, P, **options).fit()
        return fit.seasonal, fit.trend

    @peer("statsmodels.tsa.seasonal")
    def statsmodels(y, P):
        from statsmodels.tsa.seasonal import STL as peers
        fit = peers(y, period=P, **options).fit()
        return fit.seasonal, fit.trend
    return {"scratchml": ours, "statsmodels": statsmodels}


def long_series(n):
    return np.tile(traffic()[0], -(-n // 8760))[:n], 24


CASES = [
    Case("carbon dioxide, 526 months", carbon_dioxide, decomposed(), close(rtol=0, atol=1e-11 * 400)),
    Case("carbon dioxide, 526 months, robust", carbon_dioxide, decomposed(robust=True),
         close(rtol=0, atol=1e-11 * 400)),
    Case("traffic, 8,760 hours, robust", traffic, decomposed(robust=True), close(rtol=0, atol=1e-11 * 8000)),
    Growth("a period of a day, not robust", long_series, {"scratchml": decomposed()["scratchml"]},
           (10_000, 40_000, 160_000), stated=1),
]
