"""Columns, dates and durations, in the many ways in which they are written."""
import datetime

import numpy as np
import pytest

from scratchml.timeseries.prophet_tables import DAY, SECOND, columns_of, duration, later, numbers, ticks_of


@pytest.mark.parametrize("value, seconds", [
    ("365 days", 365 * 86400), ("1 day", 86400), ("4h", 14400), ("12 hours", 43200), ("1.5 D", 129600),
    ("90 min", 5400),
    ("1 days 02:00:00", 93600), ("02:30:15.5", 9015.5), ("2 weeks", 1209600), ("1W", 604800), ("30 s", 30),
    ("5 ms", 0.005),
    ("1 day and 6 hours", 108000), (datetime.timedelta(days=2), 172800), (np.timedelta64(3, "h"), 10800)])
def test_durations(value, seconds):
    assert duration(value, "horizon") == round(seconds * SECOND)
    pandas = pytest.importorskip("pandas")
    if not (isinstance(value, str) and ("and" in value or "weeks" in value)):
        assert duration(pandas.Timedelta(value), "horizon") == round(seconds * SECOND)


@pytest.mark.parametrize("value", ["", "days", "3", "3 years", "-3 days", "3 days!", 3, None, np.timedelta64("NaT"),
                                   np.timedelta64(0, "D"), datetime.timedelta(-1), True, "1e400 days"])
def test_what_is_no_duration(value):
    with pytest.raises(ValueError, match="horizon"):
        duration(value, "horizon")


def test_dates():
    expected = [18_262 * DAY, 18_262 * DAY + 3600 * SECOND]
    ds = np.array(["2020-01-01T00", "2020-01-01T01"], "M8[h]")
    for same in (ds, ds.astype("M8[ns]"), ds.astype(str), ds.astype(object), ["2020-01-01", "2020-01-01 01:00:00"],
                 [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, 1)]):
        assert ticks_of(same).tolist() == expected
    assert ticks_of([datetime.date(2020, 1, 1)]).tolist() == expected[:1]
    pandas = pytest.importorskip("pandas")
    assert ticks_of(pandas.Series(pandas.period_range("2020-01-01", periods=2, freq="h"))).tolist() == expected
    assert ticks_of(pandas.Series(ds, index=[7, 8])).tolist() == ticks_of(pandas.DatetimeIndex(ds)).tolist() == expected


def test_months_from_the_middle_of_one():
    last = ticks_of(["2020-01-31T10:00"])[0]
    for freq, expected in (("MS", "2020-02-01T10"), ("ME", "2020-02-29T10"), ("QE", "2020-03-31T10"),
                           ("2ME", "2020-03-31T10")):
        assert later(last, 1, freq, None).astype("M8[us]")[0] == np.datetime64(expected)
    assert later(ticks_of(["2020-01-15"])[0], 2, "2MS", None).astype("M8[us]").astype("M8[D]").astype(str).tolist() == \
        ["2020-02-01", "2020-04-01"]


def test_columns_and_numbers():
    assert columns_of({"a": [1]}) == {"a": [1]}
    assert numbers(["1.5", None, "2"], "x", allow_nan=True)[[0, 2]].tolist() == [1.5, 2]
    assert numbers(iter([1, 2]), "x").tolist() == [1, 2]
    for wrong in ([[1, 2]], 3, "12", ["a"], [1, np.inf], [1j], {1, 2}):
        with pytest.raises((ValueError, TypeError), match="x"):
            numbers(wrong, "x")
