"""Windows against their definition, sums without the table, folds in order, and grids with their gaps."""
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries import folds, lag_windows, regular_grid
from scratchml.timeseries.time_axis import read_series, require_regular
from scratchml.timeseries.windows import hankel_gram, hankel_scatter, hankel_sums, window_moments
from tests.reference import windows as reference
from tests.strategies.windows import framed, series_of

EPS = np.finfo(float).eps


# --- windows

@given(framed())
def test_windows_are_their_definition(drawn):
    y, l, H = drawn
    X, Y = lag_windows(y, l, H)
    expected = reference.lag_windows(y.tolist(), l.tolist(), H)
    assert X.tolist() == expected[0] and Y.tolist() == expected[1]


def test_the_index_series_shows_where_everything_lies():
    X, Y = lag_windows(np.arange(9), [1, 2, 5], horizon=3)
    assert X.tolist() == [[0, 3, 4], [1, 4, 5]] and Y.tolist() == [[5, 6, 7], [6, 7, 8]]
    X, Y = lag_windows(range(5), 4)
    assert X.tolist() == [[0, 1, 2, 3]] and Y.tolist() == [[4]]


@pytest.mark.parametrize("lags", [3, [3, 2, 1], (1, 2, 3), range(1, 4), np.array([2, 1, 3]), np.int8(3),
                                  iter([1, 2, 3])])
def test_lags_in_any_form(lags):
    assert lag_windows([5, 6, 7, 8, 9], lags)[0].tolist() == [[5, 6, 7], [6, 7, 8]]


def test_what_is_returned_is_the_callers_own():
    y = np.arange(9.0)
    y.flags.writeable = False
    X, Y = lag_windows(y, 3, 2)
    X[:], Y[:] = -1, -1
    assert y.tolist() == list(range(9))


@pytest.mark.parametrize("y, lags, horizon, message", [
    (np.arange(6), 4, 3, "y: expected at least 7 values, the farthest lag 4 and 3 to forecast; got 6"),
    (np.arange(9), 0, 1, "lags=0: expected a whole number of at least 1"), (np.arange(9), [2, 0], 1, r"lags\[1\]=0"),
    (np.arange(9), [2, 3, 2], 1, "lags: 2 comes twice"), (np.arange(9), [], 1, "lags: expected at least one"),
    (np.arange(9), True, 1, "lags=True"), (np.arange(9), 2.0, 1, "lags=2.0"), (np.arange(9), "23", 1, "lags='23'"),
    (np.arange(9), 2, 0, "horizon=0"), ([1, 2, np.nan, 4], 1, 1, r"y: Input contains NaN, first at \[2\]"),
    (np.ones((9, 1)), 1, 1, r"y: expected an array of shape \(N,\), got shape \(9, 1\)"),
    (7, 1, 1, "y: expected an array"),
    ({1: 2}, 1, 1, "y: expected an array or a list of numbers, got dict"),
])
def test_no_windows(y, lags, horizon, message):
    with pytest.raises(ValueError, match=message):
        lag_windows(y, lags, horizon)


# --- sums

def terms(y, m):
    """What bounds the rounding of a sum of n products, or of its definition: n eps times the terms' magnitudes."""
    n = len(y) - m + 1
    X = np.abs(np.lib.stride_tricks.sliding_window_view(y, m))
    return (2 * n + 4 * m) * EPS * (X.T @ X), (2 * n + 4 * m) * EPS * X.sum(axis=0)


@given(framed())
def test_recursions_are_their_definitions(drawn):
    y, l, H = drawn
    m, n = int(l[0]) + H, len(y) - int(l[0]) - H + 1
    largest = np.abs(y).max()
    G, s = hankel_gram(y, m), hankel_sums(y, m)
    bound = (n + 4 * m) * EPS * largest                  # each step of the recursion rounds what it adds and takes away
    np.testing.assert_allclose(s, reference.hankel_sums(y.tolist(), m), rtol=0, atol=n * bound)
    np.testing.assert_allclose(G, reference.hankel_gram(y.tolist(), m), rtol=0, atol=n * bound * largest)
    expected = reference.hankel_scatter(G.tolist(), s.tolist(), n)
    atol = 8 * EPS * (np.abs(G) + np.outer(s, s)).max()
    np.testing.assert_allclose(hankel_scatter(G, s, n), expected, rtol=0, atol=atol)


@given(framed())
def test_the_compiled_sums_never_subtract(drawn):
    """So a value of 1e9 beside ones spoils the products that it is in, and no other."""
    y, l, H = drawn
    m = int(l[0]) + H
    products, sums = terms(y, m)
    moments = window_moments(y, m, centred=False)
    assert (np.abs(moments.scatter - np.array(reference.hankel_gram(y.tolist(), m))) <= products).all()
    assert not moments.means.any()


@given(framed())
def test_moments_are_those_of_the_table_or_none(drawn):
    y, l, H = drawn
    m, n = int(l[0]) + H, len(y) - int(l[0]) - H + 1
    moments = window_moments(y, m)
    if moments is not None:
        X = np.lib.stride_tricks.sliding_window_view(y, m).astype(np.longdouble)
        centred = X - X.mean(axis=0)
        away = np.abs(X - y.astype(np.longdouble).mean()).max(axis=0)
        atol = (4 * n + 8 * m) * EPS * np.outer(away, away) * n + 4 * EPS * np.abs(y).max() * away.max() * n
        assert (np.abs(moments.scatter - centred.T @ centred) <= atol).all()
        means = X.mean(axis=0).astype(float)
        np.testing.assert_allclose(moments.means, means, rtol=0, atol=8 * n * EPS * np.abs(y).max())


def test_a_column_without_digits_is_noticed():
    y = np.ones(40) + 1e-9 * np.random.default_rng(0).normal(size=40)
    y[0] = 1e6
    assert window_moments(y, 5) is None and window_moments(y[1:], 5) is not None
    assert window_moments(np.full(20, 7.0), 3).scatter.tolist() == np.zeros((3, 3)).tolist()


def test_threads_do_not_matter(monkeypatch):
    y = series_of(3000, "trend", 0)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = window_moments(y, 20)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "3")
    assert window_moments(y, 20).scatter.tobytes() == alone.scatter.tobytes()


# --- folds

@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 9), st.integers(1, 9), st.integers(0, 5))
def test_folds_are_their_definition(T, o, r, H, g):
    if o + g < T:
        found = folds(T, o, r, H, g)
        assert found.tolist() == reference.folds(T, o, r, H, g)
        assert (found[:, 0] <= found[:, 1]).all() and (found[:, 1] < found[:, 2]).all()


def test_without_a_gap_the_test_begins_at_the_origin():
    assert folds(7, 5, 1, 3).tolist() == [[5, 5, 7], [6, 6, 7]]


def test_a_series_that_is_over_before_the_test():
    with pytest.raises(ValueError, match="origin=5: with a gap of 2, expected more than 7 values, got 7"):
        folds(7, 5, 1, 3, gap=2)
    for arguments in ((0, 1, 1, 1), (9, 0, 1, 1), (9, 3, 0, 1), (9, 3, 1, 0), (9, 3, 1, 1, -1), (9, 3, 1.5, 1)):
        with pytest.raises(ValueError, match="expected a whole number"):
            folds(*arguments)


# --- grids

def test_a_gap_is_counted_and_filled_only_when_asked():
    times, values = [0, 1, 2, 5, 6], [1.0, 2, 4, 10, 9]
    found = regular_grid(times, values)
    assert (found.step, found.missing) == (1, 2) and found.values.tolist() == values and found.times.tolist() == times
    found = regular_grid(times, values, fill="interpolate")
    assert found.times.tolist() == list(range(7)) and found.missing == 2
    assert found.values.tolist() == [1, 2, 4, 6, 8, 10, 9]
    assert np.isnan(regular_grid(times, values, fill="nan").values).nonzero()[0].tolist() == [3, 4]
    assert regular_grid(times, values, fill=-1).values.tolist() == [1, 2, 4, -1, -1, 10, 9]
    wide = regular_grid(times, np.c_[values, values[::-1]], fill="interpolate")
    assert wide.values[3:5].tolist() == [[6, 4 - 2 / 3], [8, 4 - 4 / 3]]


def test_two_times_and_steps_of_every_kind():
    assert regular_grid([3, 5], [1.0, 2]).step == 2 and regular_grid([3, 5], [1.0, 2], step=1).missing == 1
    days = np.array(["2024-01-01", "2024-01-03"], "M8[D]")
    assert regular_grid(days, [1, 2], step=1).missing == \
        regular_grid(days, [1, 2], step=np.timedelta64(1, "D")).missing == 1
    assert regular_grid([0.0, 0.5, 1.5], [1, 2, 4], step=0.25).missing == 4
    with pytest.raises(ValueError, match="step=.*expected a whole number"):
        regular_grid([0, 1], [1, 2], step=np.timedelta64(1, "D"))


def test_nan_is_missing_and_filling_twice_is_filling_once():
    times, values = np.array([0, 1, 2, 4]), [1.0, np.nan, 3, 5]
    assert regular_grid(times, values).missing == 2
    holes = regular_grid(times, values, fill="nan")
    assert regular_grid(holes.times, holes.values, fill="interpolate").values.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("days, step", [
    (["2024-01-01", "2024-02-01", "2024-03-01", "2024-05-01"], 1),
    (["2023-12-31", "2024-01-31", "2024-02-29", "2024-04-30"], 1),
    (["2024-01-15", "2024-04-15", "2024-07-15", "2025-01-15"], 3),
    (["2021-07-01", "2021-08-01", "2021-09-01", "2021-11-01"], 1),
])
def test_months_and_quarters_are_steps(days, step):
    found = regular_grid(np.array(days, "M8[s]"), [1, 2, 3, 5], fill="interpolate")
    assert found.step == np.timedelta64(step, "M") and found.missing == 1 and found.values.tolist() == [1, 2, 3, 4, 5]
    assert found.times.dtype == "M8[s]"
    assert found.times[[0, -1]].astype("M8[D]").astype(str).tolist() == [days[0], days[-1]]


def test_times_that_count_months_or_years():
    for unit, first, step in (("M", "2023-11", 1), ("Y", "2019", 12)):
        times = np.datetime64(first, unit) + np.array([0, 1, 2, 4])
        found = regular_grid(times, [1, 2, 3, 5], fill="interpolate")
        assert found.values.tolist() == [1, 2, 3, 4, 5] and found.step == np.timedelta64(step, "M")
        assert found.times.tolist() == (times[0] + np.arange(5)).tolist() and found.times.dtype == times.dtype


def test_days_hours_and_decimals():
    hours = np.arange("2024-03-31T00", "2024-03-31T06", dtype="M8[h]")
    assert regular_grid(np.delete(hours, 2), np.arange(5), fill="interpolate").values.tolist() == [0, 1, 1.5, 2, 3, 4]
    assert regular_grid(np.delete(hours, 2), np.arange(5)).step == np.timedelta64(1, "h")
    assert regular_grid(hours[::2], np.arange(3), step=np.timedelta64(60, "m").astype("m8[h]"), fill="nan").missing == 2
    tenths = 1e6 + 0.1 * np.array([0, 1, 2, 4])
    assert regular_grid(tenths, [1, 2, 3, 5], fill="interpolate").values == pytest.approx([1, 2, 3, 4, 5])


def test_zones_become_utc():
    """The clock of Berlin was put forward at 02:00 on 31 March 2024: its hours 01:00 and 03:00 are neighbours."""
    winter, summer = timezone(timedelta(hours=1)), timezone(timedelta(hours=2))
    moments = [datetime(2024, 3, 31, 0, tzinfo=winter), datetime(2024, 3, 31, 1, tzinfo=winter),
               datetime(2024, 3, 31, 3, tzinfo=summer), datetime(2024, 3, 31, 4, tzinfo=summer)]
    for times in (moments, [moment.isoformat() for moment in moments]):
        found = regular_grid(times, [1, 2, 3, 4])
        assert found.missing == 0 and found.times[0] == np.datetime64("2024-03-30T23:00")
    assert regular_grid([date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)], [1, 2, 3]).missing == 0
    assert regular_grid(["2024-01", "2024-02", "2024-03"], [1, 2, 3]).step == np.timedelta64(1, "M")


@pytest.mark.parametrize("times, values, options, message", [
    ([0, 1, 1, 2], [1, 2, 3, 4], {}, r"times that increase, got twice the same, 1 at \[1\] and 1 at \[2\]"),
    ([0, 2, 1], [1, 2, 3], {}, r"got a step back, 2 at \[1\] and 1 at \[2\]"),
    (np.array(["2024-01-01", "NaT"], "M8[D]"), [1, 2], {}, r"expected dates, got NaT, first at \[1\]"),
    ([0, 1, np.nan], [1, 2, 3], {}, "times: Input contains NaN"), ([0, 1, 2], [1, 2], {}, r"values: expected 3 rows"),
    ([0, 10, 20, 25, 40], np.ones(5), {}, r"25 at \[3\] is no whole number of steps after the first; the step is 10"
     r".*, keep its clock and leave the zone out, as tz_localize\(None\) does"),
    ([0, 0.5, 1.2], [1, 2, 3], {}, "is no whole number of steps"), ([7], [1], {}, "times: expected at least 2"),
    ([0, 1, 2], [np.nan, 1, 2], dict(fill="interpolate"), "values: the first is missing"),
    ([0, 1, 2], [1, 1, np.inf], {}, r"values: contains infinity, first at \[2\]"),
    ([0, 1, 2], [1, 1, 2], dict(fill="ffill"), "fill='ffill'"), ([0, 1, 2], [1, 1, 2], dict(fill=np.nan), "fill=nan"),
    ([0, 1, 2], [1, 1, 2], dict(step=0), "step=0"), (["yesterday", "today"], [1, 2], {}, "expected a date such as"),
    (np.array(["2024-01-01", "2024-01-02"], "M8[D]"), [1, 2], dict(step=np.timedelta64(90, "m")),
     "step=.*of the unit D"),
    ([0, 10**9], [1, 2], dict(step=1), "step: 1 would make a grid of 1000000001 times out of 2"),
    (5, [1], {}, "times: "),
])
def test_no_grid(times, values, options, message):
    with pytest.raises(ValueError, match=message):
        regular_grid(times, values, **options)


def test_who_needs_equal_steps_names_the_remedy():
    times = np.array(["2024-01-01T00", "2024-01-01T01", "2024-01-01T04", "2024-01-01T05", "2024-01-01T07"], "M8[h]")
    message = r"2 gap\(s\) with 3 missing time\(s\), the first after 2024-01-01T01 at \[1\]; regular_grid"
    with pytest.raises(ValueError, match=message):
        require_regular(times, 5)
    with pytest.raises(ValueError, match="expected 4 times"):
        require_regular(times, 4)
    assert require_regular(times[:2], 2) is not None and read_series([1, 2])[1] is None
