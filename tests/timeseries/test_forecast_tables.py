"""What each strategy reaches on three series, to the digits that are printed."""
import os

import numpy as np
import pytest

from scratchml.datasets import load_co2, load_peyton_manning, load_traffic
from scratchml.metrics import direction_accuracy
from scratchml.timeseries import (ConformalForecaster, ForecasterDirect, ForecasterDirectRecursive, ForecasterRecursive,
                                  ForecasterSeasonalNaive, ForecasterShift, Ridge, TimeSeriesFold,
                                  backtesting_forecaster, regular_grid)

pytestmark = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="in plain Python this takes minutes")

DIRECT, RECURSIVE, NAIVE = ForecasterDirect, ForecasterRecursive, ForecasterSeasonalNaive
SERIES = {                                               # series, values to learn from, steps, stride
    "traffic": (load_traffic, 304 * 24, 24, 25), "co2": (load_co2, 408, 12, 1),
    "page views": (load_peyton_manning, -730, 30, 7),
}


def backtest(name, forecaster):
    load, first, steps, stride = SERIES[name]
    series = load()
    y = regular_grid(series.times, series.values, fill="interpolate").values
    cv = TimeSeriesFold(steps, first % len(y), stride, allow_incomplete_fold=False)
    found = backtesting_forecaster(forecaster, y, cv, "mean_absolute_error")
    next_step = found.predictions.h == 1
    p = found.predictions
    try:
        direction = direction_accuracy(p.true[next_step], p.pred[next_step], y[p.origin[next_step] - 1])
    except ValueError:                                   # the last value names no direction
        direction = None
    by_horizon = found.by_horizon["mean_absolute_error"]
    return found.metric["mean_absolute_error"], by_horizon[0], by_horizon[-1], direction


@pytest.mark.parametrize("forecaster, mae, first, last, direction", [
    (NAIVE(1), "2187.2", "605.4", "553.0", None), (NAIVE(24), "580.3", "578.9", "553.0", ".776"),
    (NAIVE(168), "430.1", "456.5", "290.7", ".810"), (DIRECT(Ridge(), 24, 168), "407.34", "265.8", "302.1", ".862"),
    (RECURSIVE(Ridge(), 168), "435.89", "265.8", "331.5", ".862"),
    (DIRECT(Ridge(), 24, 48), "624.62", "336.2", "660.8", ".810"),
    (RECURSIVE(Ridge(), 48), "617.97", "336.1", "681.5", ".828"),
    (ForecasterDirectRecursive(Ridge(), 24, 168), "407.34", "265.8", "302.1", ".862"),
    (ForecasterShift(Ridge(), 24, 168), "1705.1", "1775.6", "1786.7", ".431"),
])
def test_traffic_of_the_next_day(forecaster, mae, first, last, direction):
    """58 origins, an hour later each day, so that all hours of the day take part."""
    found = backtest("traffic", forecaster)
    assert (shown(found[0], mae), shown(found[1], first), shown(found[2], last)) == (mae, first, last)
    assert direction is None and found[3] is None or f"{found[3].accuracy:.3f}" == f"0{direction}"


def shown(number, like):
    """`number` with as many decimals as `like`, without a leading 0."""
    return f"{number:.{len(like.partition('.')[2])}f}".removeprefix("0")


@pytest.mark.parametrize("name, forecaster, expected", [
    ("co2", DIRECT(Ridge(), 12, 24), [".585"]), ("co2", RECURSIVE(Ridge(), 24), [".517", ".263", ".712"]),
    ("co2", NAIVE(12), ["1.584"]), ("page views", DIRECT(Ridge(), 30, 28), [".421"]),
    ("page views", RECURSIVE(Ridge(), 28), [".427"]), ("page views", NAIVE(7), [".465"]),
    ("page views", NAIVE(1), [".687"]),
])
def test_the_next_year_and_the_next_month(name, forecaster, expected):
    assert [shown(number, like) for number, like in zip(backtest(name, forecaster), expected)] == expected


def test_page_views_go_where_the_direct_forecast_says():
    """Of 101 days one was as the day before; 80 of the others went where the forecast said."""
    found = backtest("page views", DIRECT(Ridge(), 30, 28))[3]
    assert (round(found.accuracy * found.n), found.n, found.ties) == (80, 100, 1) and shown(80 / 101, ".792") == ".792"


@pytest.mark.parametrize("name, lags, calibration, refit, expected", [
    ("traffic", 168, 60 * 24, False, "0.71"), ("co2", 24, 96, False, "0.45"), ("page views", 28, 365, False, "0.80"),
    ("co2", 24, 96, True, "0.78"), ("page views", 28, 365, True, "0.82"),
])
def test_how_often_intervals_of_eighty_percent_hold(name, lags, calibration, refit, expected):
    """What the chapter on conformal intervals states."""
    load, first, steps, stride = SERIES[name]
    series = load()
    y = regular_grid(series.times, series.values, fill="interpolate").values
    cv = TimeSeriesFold(steps, first % len(y), stride, refit, False, allow_incomplete_fold=False)
    forecaster = ConformalForecaster(DIRECT(Ridge(), steps, lags), steps, calibration)
    coverage = backtesting_forecaster(forecaster, y, cv, "mean_absolute_error").metric["coverage"]
    assert f"{coverage:.2f}" == expected


def test_what_is_known_of_overlapping_forecasts_is_every_one():
    """Keep of the forecasts of each month only the last made, and CO2's error seems to be that of one step."""
    y = load_co2().values
    found = backtesting_forecaster(RECURSIVE(Ridge(), 24), y, TimeSeriesFold(12, 408, 1, allow_incomplete_fold=False),
                                   "mean_absolute_error")
    p = found.predictions
    assert len(p.pred) == 107 * 12 and f"{found.metric['mean_absolute_error']:.3f}" == "0.517"
    last = {time: abs(true - pred) for time, true, pred in zip(p.time.tolist(), p.true, p.pred)}
    assert f"{np.mean(list(last.values())):.3f}" == "0.325"
