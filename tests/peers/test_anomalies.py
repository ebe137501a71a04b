"""Whole detections, by rows: against the literal loop on statsmodels' STL, which gives the counts of R."""
import numpy as np
import pytest

from scratchml.datasets import load_peyton_manning, load_traffic, load_water_flow
from scratchml.timeseries import anomaly_detection_vec, regular_grid
from scratchml.timeseries.anomalies import season_and_trend
from scratchml.timeseries.outliers import critical_value, extremes, outlier_count
from tests.reference.anomalies import odd
from tests.timeseries.test_anomalies import SIDES

seasonal = pytest.importorskip("statsmodels.tsa.seasonal")


def traffic():
    series = load_traffic()
    return regular_grid(series.times, series.values, fill="interpolate")


def theirs(y, P):
    """Season and trend; an odd P has the next odd window for what is slower than a period, which they ask for."""
    windows = 10 * len(y) + 1, odd(1.5 * P / (1 - 1.5 / (10 * len(y) + 1))), odd(P + 1)
    jumps = [-(-window // 10) for window in windows]
    fit = seasonal.STL(y, P, *windows, 0, 1, 1, True, *jumps).fit(inner_iter=1, outer_iter=15)
    phase = np.arange(len(y)) % P
    return (np.bincount(phase, fit.seasonal) / np.bincount(phase))[phase], fit.trend


@pytest.mark.filterwarnings("ignore:max_anoms")
@pytest.mark.parametrize("load, P", [(load_water_flow, 24), (load_water_flow, 168), (traffic, 24), (traffic, 168),
                                     (load_peyton_manning, 7)])
def test_the_same_rows(load, P):
    y = load().values
    s, u = theirs(y, P)
    if P % 2 == 0:
        for found, expected in zip(season_and_trend(y, P), (s, u)):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(y).max())
    for direction, side in SIDES.items():
        gone, R = extremes(y - s - np.median(y), int(0.1 * len(y)), side=side)
        λ = critical_value(np.arange(1, len(R) + 1), len(y), 0.05, 1 if side else 2)
        found = anomaly_detection_vec(y, P, 0.1, direction, e_value=True)
        assert found.index.tolist() == sorted(gone[:outlier_count(R, λ)])
