"""S-H-ESD against its definition, and against the counts that the R package gives on three series; hostile input."""
import os
import warnings
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.datasets import load_peyton_manning, load_traffic, load_water_flow
from scratchml.timeseries import SHESD, anomaly_detection_ts, anomaly_detection_vec, regular_grid
from scratchml.timeseries.anomalies import (
    ROUNDING, anomalies, expected_value, most_anomalies, remainder, season_and_trend)
from tests.reference import anomalies as reference
from tests.strategies.anomalies import series, strange

EPS = np.finfo(float).eps
SIDES = {"both": 0, "pos": 1, "neg": -1}
filled = pytest.mark.filterwarnings("ignore:max_anoms")
compiled = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="minutes in plain Python")


def hours(T, start="2024-02-28T05"):
    return np.datetime64(start, "h") + np.arange(T)


def day_with(strange_rows, days=6, height=50.0):
    """Hours with the rhythm of a day and some noise, and `height` more at the rows."""
    hour = np.arange(24 * days)
    y = 10 * np.sin(hour * np.pi / 12) + np.random.default_rng(5).normal(size=hour.size)
    y[strange_rows] += height
    return y


# --- against the definition

@given(series())
def test_season_and_trend_are_their_definition(drawn):
    """Rounding of a round is halved by the next, if the weights of (1) do not tip."""
    y, P = drawn
    expected = reference.season_and_trend(y.tolist(), P)
    for found, definition in zip(season_and_trend(y, P), expected):
        np.testing.assert_allclose(found, definition, rtol=0, atol=1e-9 * np.abs(y).max())


@given(series())
def test_remainder_and_expected_value_are_their_definitions(drawn):
    y, P = drawn
    s, u = season_and_trend(y, P)
    assert remainder(y, s).tolist() == reference.remainder(y.tolist(), s.tolist())
    assert expected_value(u, s).tolist() == reference.expected_value(u.tolist(), s.tolist())


@given(st.floats(0, 0.49), st.integers(4, 200))
def test_the_cap_is_its_definition(a, T):
    assert most_anomalies(a, T) == reference.most_anomalies(a, T)


@given(series(most=30), st.sampled_from(list(SIDES)), st.integers(1, 5))
def test_anomalies_are_their_definition(drawn, direction, K):
    r = drawn[0] - np.median(drawn[0])
    found = anomalies(r, K, 0.05, SIDES[direction])
    assert found.tolist() == reference.anomalies(r.tolist(), K, direction=direction)


@filled
@given(series(), st.sampled_from(list(SIDES)), st.sampled_from([0.0, 0.1, 0.3]))
def test_a_detection_is_its_steps_in_turn(drawn, direction, share):
    y, P = drawn
    s, u = season_and_trend(y, P)
    K = most_anomalies(share, len(y))
    for remove, r in (("median", remainder(y, s)), ("trend", y - s - u)):
        found = anomaly_detection_vec(y, P, share, direction, e_value=True, remove=remove)
        assert found.index.tolist() == anomalies(r, K, 0.05, SIDES[direction], ROUNDING * np.abs(y).max()).tolist()
        assert found.anoms.tolist() == y[found.index].tolist() and found.timestamp.tolist() == found.index.tolist()
        assert found.expected_value.tolist() == (u + s)[found.index].tolist()
    assert anomaly_detection_vec(y, P, share, direction).expected_value is None


# --- R's counts

def traffic():
    loaded = load_traffic()
    return regular_grid(loaded.times, loaded.values, fill="interpolate")


COUNTS = [                                               # both .02, both .1, pos, neg .02, neg .1; sums of the rows
    ("water", 24, (25, 50, 3, 25, 47), (8774, 19468, 748, 8774, 18720)),
    ("traffic", 24, (175, 876, 49, 175, 847), (764592, 3926475, 200206, 764592, 3816158)),
    ("page views", 7, (15, 15, 18, 0, 0), (25599, 25599, 31727, 0, 0)),
]


@filled
@compiled
@pytest.mark.parametrize("name, period, counts, sums", COUNTS)
def test_counts_are_those_of_r(name, period, counts, sums):
    """AnomalyDetection 1.0 in R 4.2.2; the sums of the rows are those of the literal loop on statsmodels' STL."""
    y = {"water": load_water_flow, "traffic": traffic, "page views": load_peyton_manning}[name]().values
    settings = [("both", 0.02), ("both", 0.1), ("pos", 0.1), ("neg", 0.02), ("neg", 0.1)]
    found = [anomaly_detection_vec(y, period, share, direction).index for direction, share in settings]
    assert tuple(map(len, found)) == counts and tuple(int(rows.sum()) for rows in found) == sums
    assert anomaly_detection_vec(y, period, 0.02, "pos").index.tolist() == found[2].tolist()


@filled
@compiled
def test_counts_by_date_are_those_of_r():
    flow, cars = load_water_flow(), traffic()
    grid = regular_grid(flow.times, flow.values, fill="interpolate")
    counts = [len(anomaly_detection_ts(grid.times, grid.values, share, direction).index) for direction, share in (
        ("both", 0.02), ("both", 0.1), ("pos", 0.1), ("neg", 0.02), ("neg", 0.1))]
    assert counts == [27, 56, 7, 27, 48]
    assert len(anomaly_detection_ts(grid.times, grid.values, 0.1, "both", longterm=True).index) == 50
    assert len(anomaly_detection_ts(cars.times, cars.values, 0.02, "both").index) == 175
    assert len(anomaly_detection_ts(cars.times, cars.values, 0.1, "both", longterm=True).index) == 843


@filled
@compiled
def test_the_level_moves_the_border_and_the_period_what_is_expected():
    y = traffic().values
    assert [len(anomaly_detection_vec(y, 24, 0.2, "both", α).index) for α in (0.001, 0.05, 0.1)] == [770, 903, 925]
    assert len(anomaly_detection_vec(y, 168, 0.2, "both").index) == 429
    views = load_peyton_manning().values
    assert [len(anomaly_detection_vec(views, 7, 0.1, "both", α).index) for α in (0.001, 0.05, 0.1)] == [5, 15, 18]
    flow = load_water_flow().values
    assert [len(anomaly_detection_vec(flow, 168, share, "both").index) for share in (0.1, 0.2)] == [50, 50]


def test_the_four_described_anomalies_of_the_water_flow_and_nothing_else():
    flow = load_water_flow()
    found = anomaly_detection_vec(flow.values, 24, 0.1, "both", e_value=True)
    segments = np.split(flow.times[found.index], np.flatnonzero(np.diff(found.index) > 1) + 1)
    assert [(str(part[0]), str(part[-1]), len(part)) for part in segments] == [
        ("2022-03-24T07", "2022-03-25T00", 18), ("2022-03-29T04", "2022-03-29T18", 15),
        ("2022-04-03T04", "2022-04-03T04", 1), ("2022-04-27T13", "2022-04-28T04", 16)]
    peak = found.index.tolist().index(np.flatnonzero(flow.times == np.datetime64("2022-04-03T04"))[0])
    assert found.anoms.min() < 24.3 and found.anoms[peak] == 109.68 and found.expected_value[peak] < 102
    with pytest.warns(UserWarning, match="max_anoms=0.02 allows no more than the 25 anomalies"):
        capped = anomaly_detection_vec(flow.values, 24, 0.02, "both")
    assert peak not in capped.index and set(capped.index) < set(found.index)


# --- options

def test_only_the_last_day_or_hour_of_what_is_found_in_all():
    y, times = day_with([30, 100, 120, 142, 143]), hours(144)
    everything = anomaly_detection_ts(times, y, 0.1)
    assert everything.index.tolist() == [30, 100, 120, 142, 143]
    assert everything.timestamp.tolist() == times[everything.index].tolist()
    assert anomaly_detection_ts(times, y, 0.1, only_last="day").index.tolist() == [120, 142, 143]
    assert anomaly_detection_ts(times, y, 0.1, only_last="hr").index.tolist() == [143]
    assert anomaly_detection_vec(y, 24, 0.1, only_last=True).index.tolist() == [120, 142, 143]
    y[119] += 60
    assert 119 in anomaly_detection_ts(times, y, 0.1).index
    assert anomaly_detection_ts(times, y, 0.1, only_last="day").index.tolist() == [120, 142, 143]


def test_of_days_the_last_hour_is_the_last_day():
    y = np.tile([0.0, 2, 5, 1, 3, 9, 7], 6) + np.random.default_rng(0).normal(size=42) / 10
    y[[20, 41]] += 30
    days = np.datetime64("2024-01-01") + np.arange(42)
    for last in "day", "hr":
        assert anomaly_detection_ts(days, y, only_last=last).index.tolist() == [41]
    assert anomaly_detection_ts(days, y).index.tolist() == [20, 41]


def test_a_threshold_is_a_quantile_of_daily_maxima():
    """Days of the calendar by date, blocks of a period by row; low anomalies vanish."""
    y, times = day_with([]), hours(144)                  # from 5 o'clock on: 7 days of the calendar, 6 blocks
    y[[30, 90]] += 40, 60
    y[50] -= 60
    assert anomaly_detection_vec(y, 24, 0.1, "both").index.tolist() == [30, 50, 90]
    for name, q in (("med_max", 0.5), ("p95", 0.95), ("p99", 0.99)):
        day = times.astype("M8[D]")
        daily = np.quantile([y[day == d].max() for d in np.unique(day)], q)
        blocks = np.quantile(y.reshape(6, 24).max(axis=1), q)
        found = anomaly_detection_ts(times, y, 0.1, "both", threshold=name)
        assert found.index.tolist() == [t for t in (30, 50, 90) if y[t] >= daily]
        found = anomaly_detection_vec(y, 24, 0.1, "both", threshold=name)
        assert found.index.tolist() == [t for t in (30, 50, 90) if y[t] >= blocks]
    y[[30, 54, 78, 102]] = 90.0                          # the largest of most days: what is just as large counts
    for found in (anomaly_detection_ts(times, y, 0.1, "pos", threshold="med_max"),
                  anomaly_detection_vec(y, 24, 0.1, "pos", threshold="med_max")):
        assert found.index.tolist() == [30, 54, 78, 102]


def test_a_threshold_lets_the_largest_of_usual_days_go():
    y, times = day_with([30, 90], height=40), hours(144)
    y[90] += 20
    assert anomaly_detection_ts(times, y, 0.1, "both", threshold="med_max").index.tolist() == [30, 90]
    assert anomaly_detection_ts(times, y, 0.1, "both", threshold="p95").index.tolist() == [90]


@compiled
def test_pieces_have_a_median_of_their_own():
    """On a level that rises by ten times the anomaly; the last piece is as long as the others."""
    T = 24 * 7 * 5                                       # five weeks: pieces of weeks 1 and 2, 3 and 4, 4 and 5
    y = np.tile(day_with([]), 6)[:T] + np.repeat([0.0, 0, 400, 400, 400], T // 5)
    y[[100, 600, 700]] += 60
    assert 100 not in anomaly_detection_vec(y, 24, 0.02, "pos").index
    found = anomaly_detection_vec(y, 24, 0.02, "pos", longterm_period=336, e_value=True)
    assert found.index.tolist() == [100, 600, 700]
    by_date = anomaly_detection_ts(hours(T), y, 0.02, "pos", longterm=True, e_value=True)
    assert by_date.index.tolist() == [100, 600, 700]
    assert by_date.expected_value.tolist() == found.expected_value.tolist()
    for start, rows in ((0, [100]), (336, [600]), (T - 336, [T - 336 + 196])):
        piece = anomaly_detection_vec(y[start:start + 336], 24, 0.02, "pos", e_value=True)
        assert set(rows) & set(start + piece.index) == set(rows) & {100, 600, 700}
    first = season_and_trend(y[336:672], 24)
    assert found.expected_value[1] == (first[0] + first[1])[600 - 336]           # rows 504 to 671 are in two pieces


@filled
def test_pieces_of_days_have_one_day_more():
    rng = np.random.default_rng(2)
    y = np.tile([0.0, 4, 2, 9, 1, 7, 3], 10) + rng.normal(size=70)
    y[[16, 44, 69]] += 20
    days = np.datetime64("2024-01-01") + np.arange(70)
    found = anomaly_detection_ts(days, y, 0.2, longterm=True)
    assert found.index.tolist() == anomaly_detection_vec(y, 7, 0.2, longterm_period=15).index.tolist()
    three = anomaly_detection_ts(days, y, 0.2, longterm=True, piecewise_median_period_weeks=3)
    assert three.index.tolist() == anomaly_detection_vec(y, 7, 0.2, longterm_period=22).index.tolist()
    assert {16, 44, 69} <= set(found.index)


@filled
@compiled
@pytest.mark.parametrize("step, unit, period", [(1, "m", 1440), (5, "m", 288), (15, "m", 96), (1, "h", 24), (6, "h", 4),
                                                (1, "D", 7), (7, "D", 52), (1, "M", 12), (3, "M", 4), (1, "W", 52)])
def test_the_period_follows_from_the_usual_step(step, unit, period):
    T = max(3 * period, 100)
    rng = np.random.default_rng(0)
    y = 4 * rng.normal(size=period)[np.arange(T) % period] + rng.normal(size=T)
    y[period + 1] += 70
    times = np.datetime64("2001-01-01" if unit != "M" else "2001-01", unit) + step * np.arange(T)
    found, expected = (anomaly_detection_ts(times, y, 0.1, "both", e_value=True, period=P) for P in (None, period))
    assert period + 1 in found.index
    assert found.index.tolist() == expected.index.tolist()
    assert found.expected_value.tolist() == expected.expected_value.tolist()


@filled
@compiled
def test_seconds_are_summed_to_minutes():
    y = np.random.default_rng(0).normal(size=3 * 1440) + 9 * np.sin(np.arange(3 * 1440) / 1440 * 2 * np.pi)
    y[1000] += 80
    minutes = np.datetime64("2024-03-01T00:00", "m") + np.arange(len(y))
    by_minute = anomaly_detection_ts(minutes, y, 0.01)
    quarters = np.datetime64("2024-03-01T00:00:00", "s") + 15 * np.arange(4 * len(y))
    summed = anomaly_detection_ts(quarters, np.repeat(y / 4, 4), 0.01)
    assert summed.index.tolist() == by_minute.index.tolist() and 1000 in summed.index
    assert (summed.timestamp == by_minute.timestamp).all()
    np.testing.assert_allclose(summed.anoms, by_minute.anoms, rtol=4 * EPS)
    kept = anomaly_detection_ts(quarters[:400], np.repeat(y / 4, 4)[:400], 0.01, period=50)
    assert len(kept.index) == 0 or kept.index.max() < 400


def test_times_in_any_form():
    y, times = day_with([30, 100]), hours(144)
    expected = anomaly_detection_ts(times, y).index.tolist()
    assert expected == [30, 100]
    start = datetime(2024, 2, 28, 6, tzinfo=timezone(timedelta(hours=1)))
    zoned = [start + timedelta(hours=h) for h in range(144)]
    found = anomaly_detection_ts(zoned, y.tolist())
    assert found.index.tolist() == expected and (found.timestamp == times[expected]).all()
    assert anomaly_detection_ts(times.astype("M8[ns]"), y.astype(np.float32)).index.tolist() == expected
    assert anomaly_detection_ts([str(t) + ":00" for t in times], iter(y)).index.tolist() == expected


def test_a_series_of_pandas_brings_its_times():
    pandas = pytest.importorskip("pandas")
    y = pandas.Series(day_with([30, 100]), pandas.date_range("2024-02-28 05:00", periods=144, freq="h"))
    found = anomaly_detection_vec(y, 24)
    assert found.index.tolist() == [30, 100] and (found.timestamp == hours(144)[[30, 100]]).all()
    assert anomaly_detection_ts(y.index, y).index.tolist() == [30, 100]
    assert anomaly_detection_ts(y.index.tz_localize("UTC").tz_convert("Asia/Tokyo"), y).index.tolist() == [30, 100]
    assert SHESD(24).fit(y.to_frame()).anomalies_.tolist() == SHESD(24).fit(y).anomalies_.tolist() == [30, 100]
    with pytest.raises(ValueError, match="1 gap"):
        anomaly_detection_vec(y.drop(y.index[50]), 24)


# --- the estimator

def test_an_outlier_detector():
    y = day_with([30, 100])
    y[64] -= 50
    detector = SHESD(24, direction="both")
    labels = detector.fit_predict(y)
    found = anomaly_detection_vec(y, 24, direction="both", e_value=True)
    assert np.flatnonzero(labels == -1).tolist() == found.index.tolist() == [30, 64, 100]
    assert detector.anomalies_.tolist() == [30, 64, 100]
    assert set(labels.tolist()) == {-1, 1} and detector.labels_ is labels
    assert detector.expected_[found.index].tolist() == found.expected_value.tolist() and len(detector.expected_) == 144
    assert SHESD(24).fit_predict(y[:, None]).tolist() == SHESD(24).fit_predict(y.tolist()).tolist()
    again = SHESD(**detector.get_params())
    assert repr(again) == "SHESD(period=24, direction='both')" and again.fit_predict(y).tolist() == labels.tolist()
    pieces = SHESD(24, 0.05, "neg", 0.01, "med_max", 72, "trend").fit(y)
    assert pieces.anomalies_.tolist() == anomaly_detection_vec(y, 24, 0.05, "neg", 0.01, False, "med_max", False, 72,
                                                               "trend").index.tolist()


@pytest.mark.parametrize("detect", [
    lambda y: anomaly_detection_vec(y, 24, 0.01), lambda y: anomaly_detection_ts(hours(144), y, 0.01),
    lambda y: SHESD(24, 0.01).fit(y), lambda y: SHESD(24, 0.01).fit_predict(y)])
def test_a_cap_that_binds_is_a_warning_to_the_caller(detect):
    with pytest.warns(UserWarning, match="max_anoms=0.01 allows no more than the 1 anomalies") as caught:
        detect(day_with([30, 100]))
    assert [one.filename for one in caught] == [__file__]


# --- hostile input

@compiled
@pytest.mark.parametrize("remove", ["median", "trend"])
@pytest.mark.parametrize("T, P", [(200, 12), (400, 7), (300, 24), (2000, 288)])
@pytest.mark.parametrize("y", [lambda t, P: np.zeros(t.size), lambda t, P: np.full(t.size, 1e9 + 1 / 3),
                               lambda t, P: 1e300 * np.ones(t.size), lambda t, P: 0.1 * t - 7,
                               lambda t, P: 100 + t / 10 + 7 * np.sin(2 * np.pi * t / P)])
def test_rounding_is_no_anomaly(y, T, P, remove):
    y = y(np.arange(T), P)
    assert anomaly_detection_vec(y, P, 0.2, "both", remove=remove).index.tolist() == []
    y[T // 3] += 1 + np.abs(y).max()
    found = anomaly_detection_vec(y, P, 0.2, "both", remove="trend").index.tolist()
    assert found == [T // 3]


@pytest.mark.parametrize("far", [1e17, -1e300])
def test_one_value_however_far(far):
    y = np.random.default_rng(0).normal(size=200)
    y[50] = far
    for remove in "median", "trend":
        assert anomaly_detection_vec(y, 12, 0.1, "both", remove=remove).index.tolist() == [50]


@compiled
def test_a_trend_hides_what_taking_it_away_shows():
    y = np.arange(1, 5001.0)
    y[2000:2030] = 3000
    assert anomaly_detection_vec(y, 168, 0.1, "both").index.tolist() == []
    assert anomaly_detection_vec(y, 168, 0.1, "both", remove="trend").index.tolist() == list(range(2000, 2030))


@pytest.mark.parametrize("T", [48, 49, 50])
def test_a_spike_at_the_end_and_as_few_as_can_be(T):
    rng = np.random.default_rng(1)
    y = rng.normal(size=T)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(anomaly_detection_vec(y, T // 2, 0, "both").index) <= 1       # P = T / 2, K = 1
    long = np.tile(rng.normal(size=6), 9) + rng.normal(size=54) / 10
    long[[0, -1]] += 40
    assert anomaly_detection_vec(long, 6, 0.1).index.tolist() == [0, 53]


@pytest.mark.parametrize("share, K", [(0, 1), (1 / 49, 1), (1e-9, 1), (0.02, 2), (0.49, 68)])
def test_the_cap_is_at_least_one(share, K):
    assert most_anomalies(share, 140 if K > 1 else 49) == K


def test_missing_values_at_the_ends_count_in_the_cap_alone():
    y = day_with([30, 100])
    padded = np.concatenate([np.full(3, np.nan), y, np.full(5, np.nan)])
    found = anomaly_detection_vec(padded, 24, e_value=True)
    assert found.index.tolist() == [33, 103]
    inner = anomaly_detection_vec(y, 24, e_value=True)
    assert found.expected_value.tolist() == inner.expected_value.tolist()
    assert anomaly_detection_ts(hours(152), padded).index.tolist() == [33, 103]
    detector = SHESD(24).fit(padded)
    assert np.isnan(detector.expected_[[0, 2, -1]]).all() and (detector.labels_[[0, -1]] == 1).all()
    with pytest.warns(UserWarning, match="the 3 anomalies"):                     # ⌊.02 · 152⌋
        assert len(anomaly_detection_vec(np.where(np.arange(152) == 70, 99, padded), 24, 0.02).index) == 3


def test_what_was_given_stays_as_it_was():
    y = day_with([30])
    y.flags.writeable = False
    before = y.copy()
    anomaly_detection_ts(hours(144), y)
    assert y.tolist() == before.tolist()


Y, H = day_with([30]), hours(144)
GAP = np.delete(H, 50)


@pytest.mark.parametrize("call, message", [
    (lambda: anomaly_detection_vec(Y[:47], 24), "x: expected at least two periods, 48 values .*, got 47"),
    (lambda: anomaly_detection_vec([], 2), "expected"), (lambda: anomaly_detection_vec([1.0, 2], 2), "two periods"),
    (lambda: anomaly_detection_vec(np.full(60, np.nan), 24), "two periods, 48 values with period=24, got 0"),
    (lambda: anomaly_detection_vec(np.where(np.arange(144) == 70, np.nan, Y), 24), r"x: contains NaN .*\[70\]"),
    (lambda: anomaly_detection_vec(np.where(np.arange(144) == 70, np.inf, Y), 24), "infinity"),
    (lambda: anomaly_detection_vec(Y, 1), "period=1: expected a whole number of at least 2"),
    (lambda: anomaly_detection_vec(Y, 24.0), "period=24.0"), (lambda: anomaly_detection_vec(Y, None), "period=None"),
    (lambda: anomaly_detection_vec(Y, 24, 0.5), "max_anoms=0.5: expected at most 0.49"),
    (lambda: anomaly_detection_vec(Y, 24, -0.1), "max_anoms=-0.1"),
    (lambda: anomaly_detection_vec(Y, 24, np.nan), "max_anoms=nan"),
    (lambda: anomaly_detection_vec(Y, 24, alpha=0), "alpha=0"),
    (lambda: anomaly_detection_vec(Y, 24, alpha=1), "alpha=1"),
    (lambda: anomaly_detection_vec(Y, 24, direction="up"), "direction='up': expected one of 'both', 'pos', 'neg'"),
    (lambda: anomaly_detection_vec(Y, 24, threshold="p90"), "threshold='p90': expected one of 'med_max', 'p95', 'p99'"),
    (lambda: anomaly_detection_vec(Y, 24, remove="mean"), "remove='mean': expected one of 'median', 'trend'"),
    (lambda: anomaly_detection_vec(Y, 24, only_last="day"), "only_last='day': expected True or False"),
    (lambda: anomaly_detection_vec(Y, 24, longterm_period=47), "longterm_period=47: expected .* at least 48"),
    (lambda: anomaly_detection_vec(np.ones((144, 2)), 24), "x: expected an array of shape"),
    (lambda: anomaly_detection_ts(GAP, Y[:143]), r"1 gap\(s\) with 1 missing time\(s\).*regular_grid"),
    (lambda: anomaly_detection_ts(np.insert(H[:-1], 50, H[50]), Y), r"twice the same, 2024-03-01T07 at \[50\]"),
    (lambda: anomaly_detection_ts(H[::-1], Y), "a step back"),
    (lambda: anomaly_detection_ts(H[:-1], Y), "expected 144 times"),
    (lambda: anomaly_detection_ts(np.append(H[:-1], np.datetime64("NaT")), Y), "NaT"),
    (lambda: anomaly_detection_ts(np.arange(144), Y), "times: expected dates, got int64"),
    (lambda: anomaly_detection_ts(H[:1], Y[:1]), "two periods"),
    (lambda: anomaly_detection_ts(H[:2], Y[:2]), "two periods"),
    (lambda: anomaly_detection_ts(H, Y, only_last="hour"), "only_last='hour': expected one of 'day', 'hr'"),
    (lambda: anomaly_detection_ts(H, Y, longterm=1), "longterm=1: expected True or False"),
    (lambda: anomaly_detection_ts(H, Y, longterm=True, piecewise_median_period_weeks=1), "weeks=1"),
    (lambda: anomaly_detection_ts(H[0] + 7 * np.arange(144), Y), "period: expected a number .* step is 25200 seconds"),
    (lambda: anomaly_detection_ts(H[0] + 7 * np.arange(144), Y, period=24, longterm=True), "longterm=True: "),
    (lambda: anomaly_detection_ts(np.datetime64("2001") + np.arange(144), Y), "the step is 12 months"),
    (lambda: SHESD(24).fit(Y[:40]), "X: expected at least two periods"),
    (lambda: anomaly_detection_ts(H[:40], Y[:40]), "values: expected at least two periods"),
    (lambda: SHESD(24).fit(np.ones((144, 2))), "X: expected an array of shape"), (lambda: SHESD(0).fit(Y), "period=0"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
