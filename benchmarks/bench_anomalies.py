"""Anomalies beside the season: ours, and the literal loop on statsmodels' STL with the settings of R.

Hours of water flow, the traffic of a year, and ten made-up days by the minute.
"""
import math
import warnings

import numpy as np

from benchmarks import Case, Growth, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.datasets import load_traffic, load_water_flow
from scratchml.timeseries import anomaly_detection_vec, regular_grid
from scratchml.timeseries.outliers import critical_value, extremes, outlier_count


def water():
    return load_water_flow().values, 24, 0.1


def traffic(share=0.1):
    series = load_traffic()
    return regular_grid(series.times, series.values, fill="interpolate").values, 24, share


def minutes(share):
    rng = np.random.default_rng(0)
    minute = np.arange(14_400)
    return 100 * np.sin(2 * np.pi * minute / 1440) + 10 * rng.standard_t(3, minute.size), 1440, share


def ours(y, P, share):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                  # of the cap
        return anomaly_detection_vec(y, P, share, "both").index


def odd(number):
    return math.ceil(number) + (math.ceil(number) + 1) % 2


@peer("statsmodels.tsa.seasonal")
def literal(y, P, share):
    """statsmodels takes no window of P for what is slower than a period, so an odd P has the next."""
    from statsmodels.tsa.seasonal import STL
    q = 10 * len(y) + 1
    windows = {"seasonal": q, "trend": odd(1.5 * P / (1 - 1.5 / q)), "low_pass": odd(P + 1)}
    jumps = {f"{name}_jump": math.ceil(window / 10) for name, window in windows.items()}
    fit = STL(y, period=P, **windows, **jumps, seasonal_deg=0, robust=True).fit(inner_iter=1, outer_iter=15)
    phase = np.arange(len(y)) % P
    s = (np.bincount(phase, fit.seasonal) / np.bincount(phase))[phase]
    gone, R = extremes(y - s - np.median(y), int(share * len(y)))
    λ = critical_value(np.arange(1, len(R) + 1), len(y), 0.05)
    return np.sort(gone[:outlier_count(R, λ)])


def agree(theirs, ours):
    assert theirs.tolist() == ours.tolist()


def grown(n):
    return np.tile(traffic()[0], -(-n // 8760))[:n], 24, 0.05


BOTH = {"scratchml": ours, "loop and statsmodels": literal}

CASES = [
    Case("water flow, 1,268 hours, K = 126", water, BOTH, agree),
    Case("traffic, 8,760 hours, K = 876", traffic, BOTH, agree),
    Case("14,400 minutes, K = 288", lambda: minutes(0.02), BOTH, agree),
    Case("14,400 minutes, K = 1,440", lambda: minutes(0.1), BOTH, agree),
    Growth("K = n / 20", grown, {"scratchml": ours}, (10_000, 40_000, 160_000), stated=1),
]
