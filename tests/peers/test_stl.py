"""The decomposition of statsmodels, on real and on drawn series."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.datasets import load_co2, load_electrical_equipment, load_traffic
from scratchml.timeseries import STL, regular_grid
from tests.strategies.stl import decompositions
from tests.timeseries.test_stl import settings

seasonal = pytest.importorskip("statsmodels.tsa.seasonal")


def assert_same(ours, theirs, y, rtol=1e-11):
    for name in ("seasonal", "trend", "resid"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=0, atol=rtol * np.abs(y).max())


def traffic():
    series = load_traffic()
    return regular_grid(series.times, series.values, fill="interpolate").values


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("load, period", [(load_co2, 12), (load_electrical_equipment, 12), (traffic, 24)])
def test_real_series(load, period, robust):
    y = getattr(load(), "values", None) if load is not traffic else traffic()
    ours, theirs = (kind(y, period=period, robust=robust).fit() for kind in (STL, seasonal.STL))
    assert_same(ours, theirs, y)
    np.testing.assert_allclose(ours.weights, theirs.weights, rtol=0, atol=1e-8)


@given(decompositions())
def test_drawn_series(drawn):
    """Two rounds of weights; after many, where half of the values have no remainder, rounding decides about the rest.

    Where two periods leave none at all, statsmodels weighs by what rounding left.
    """
    y, P, Q, U, B = drawn
    options = settings(Q, U._replace(window=2 * P + 1 + U.window // 2 * 2), B._replace(window=2 * P + 1))
    ours, theirs = (kind(y, period=P, **options).fit(2, 2) for kind in (STL, seasonal.STL))
    if np.median(np.abs(ours.resid)) > 1e-12 * np.abs(y).max():
        assert_same(ours, theirs, y, 1e-8)


def test_scripts_of_theirs_run():
    y = load_co2().values
    for options in ({}, dict(seasonal=13, trend=25, low_pass=15, seasonal_deg=0, trend_deg=0, low_pass_deg=0,
                             robust=True, seasonal_jump=2, trend_jump=3, low_pass_jump=2)):
        assert_same(STL(y, period=12, **options).fit(), seasonal.STL(y, period=12, **options).fit(), y)
