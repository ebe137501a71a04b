"""Tables by column, times by the microsecond, durations in words: what `Prophet` is given, and what it gives back.

A table is a data frame, or a dict of arrays where pandas is not there.  What is given back is of the kind that came.
"""
import datetime
import re
import sys
from collections.abc import Mapping

import numpy as np

from scratchml.core.checks import as_floats, finite, in_order, whole_number
from scratchml.timeseries.time_axis import as_axis, as_times, items, usual_step

SECOND, DAY = 10**6, 86_400 * 10**6                      # in microseconds
UNITS = {"us": 1, "microsecond": 1, "ms": 1000, "millisecond": 1000, "s": SECOND, "sec": SECOND, "second": SECOND,
         "min": 60 * SECOND, "minute": 60 * SECOND, "T": 60 * SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
         "H": 3600 * SECOND, "hr": 3600 * SECOND, "hour": 3600 * SECOND, "D": DAY, "d": DAY, "day": DAY,
         "W": 7 * DAY, "w": 7 * DAY, "week": 7 * DAY}
MONTHS = {"MS": (1, 0), "M": (1, 1), "ME": (1, 1), "QS": (3, 0), "Q": (3, 1), "QE": (3, 1), "YS": (12, 0),
          "AS": (12, 0),
          "Y": (12, 1), "YE": (12, 1), "A": (12, 1)}     # how many months, and whether their last day
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

# --- columns -------------------------------------------------------------------------------------


def columns_of(table, name="df"):
    """{column: values} of a data frame or a dict of arrays.  Raises ValueError for all else."""
    if isinstance(table, Mapping):                       # what can be read once is read here
        return {column: list(values) if in_order(values) and not hasattr(values, "__len__") else values
                for column, values in table.items()}
    if not hasattr(table, "columns") or not hasattr(table, "__getitem__"):
        raise ValueError(f"{name}: expected a data frame, or a dict of arrays, got {type(table).__name__}")
    names = list(table.columns)
    twice = [column for column in names if names.count(column) > 1]
    if twice:
        raise ValueError(f"{name}: two columns are named {twice[0]!r}; leave one out")
    return {column: table[column] for column in names}


def length_of(columns, name="df"):
    """The number of rows.  Raises ValueError where columns differ in it."""
    sizes = {column: len(items(values, f"{name}[{column!r}]")) for column, values in columns.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"{name}: expected columns of one length, got {sizes}")
    return next(iter(sizes.values()), 0)


def of_kind(table, columns):
    """`columns`, {name: array}, as a data frame if `table` is one of pandas', else as they are."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(table, pandas.DataFrame):
        return columns
    return pandas.DataFrame({name: _in_nanoseconds(values) for name, values in columns.items()}, copy=False)


def series_of_kind(table, values, name):
    """`values` as a Series of pandas' if `table` is a data frame of pandas', else as they are."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(table, pandas.DataFrame):
        return values
    return pandas.Series(_in_nanoseconds(values), name=name)


def _in_nanoseconds(values):
    """Times as all versions of pandas keep them, where they can."""
    if values.dtype.kind not in "mM" or values.size and np.abs(values.astype(f"{values.dtype.kind}8[D]").astype(
            np.int64)).max() > 106_000:
        return values
    return values.astype(f"{values.dtype.kind}8[ns]")


def numbers(values, name, allow_nan=False):
    """A column (T,) of float64; text is read as numbers.  Raises ValueError for inf and, unless `allow_nan`, for
    NaN."""
    values = items(values, name)
    if np.asarray(values).dtype.kind in "OUT":
        values = [np.nan if value is None else value for value in np.asarray(values, object)]
        texts = any(isinstance(value, str) for value in values)
        try:
            values = np.array([float(value) for value in values]) if texts else np.array(values, object)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: expected numbers: {error}") from error
    array = as_floats(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected a column (T,), got shape {array.shape}")
    return finite(array, name, allow_nan=allow_nan).astype(np.float64)


# --- times ---------------------------------------------------------------------------------------


def ticks_of(times, name="ds"):
    """Dates as microseconds since 1970, int64 (T,).

    Raises ValueError for NaT, for what is no date, and for times with a zone: a holiday is a day of the clock, not of
    UTC.
    """
    values = items(times, name)
    array = np.asarray(values)
    if getattr(getattr(times, "dtype", None), "tz", None) is not None or array.dtype.kind in "OUT" and any(
            map(_has_zone, array.ravel())):
        raise ValueError(f"{name}: expected times without a zone; to keep the clock of the zone, take "
                         "df['ds'].dt.tz_localize(None)")
    if array.dtype.kind not in "MOUT" and not str(getattr(times, "dtype", "")).startswith("period"):
        raise ValueError(f"{name}: expected dates, such as 2024-02-29, got {array.dtype}; for numbers say what they "
                         "count, as in np.datetime64('2024-01-01') + days.astype('m8[D]')")
    try:
        instants = as_times(times, name)
    except ValueError:
        pandas = sys.modules.get("pandas")
        if pandas is None or array.dtype.kind == "M" or not array.size:
            raise
        instants = _by_pandas(pandas, array, name)
    if instants.dtype.kind != "M":
        raise ValueError(f"{name}: expected dates, got {instants[0]!r}")
    return _microseconds(instants, name)


def _by_pandas(pandas, array, name):
    """Dates in other words than ISO's, as pandas reads them."""
    try:
        instants = np.asarray(pandas.to_datetime(array))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: expected dates, such as 2024-02-29: {error}") from error
    if instants.dtype.kind != "M" or np.isnat(instants).any():
        raise ValueError(f"{name}: expected dates, such as 2024-02-29, and a date in every row")
    return instants


def _microseconds(instants, name):
    ticks = instants.astype("M8[us]")
    days = instants.astype("M8[D]").astype(np.int64)     # a far date wraps around in microseconds
    if (abs(days) > 10**8).any():
        raise ValueError(f"{name}: {instants[abs(days).argmax()]} is too far from 1970")
    return ticks.astype(np.int64)


def _has_zone(value):
    if isinstance(value, str) and len(value) > 10:
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return False
    return getattr(value, "tzinfo", None) is not None


def duration(value, name):
    """Microseconds of "365 days", "4.5 h", "1 days 02:00:00", a timedelta of Python's, NumPy's or pandas'.

    Raises ValueError for all else.
    """
    if hasattr(value, "to_timedelta64"):
        value = value.to_timedelta64()
    if isinstance(value, (np.timedelta64, datetime.timedelta)):
        found = np.timedelta64(value, "us")
        if not found > np.timedelta64(0, "us"):          # NaT is no more either
            raise ValueError(f"{name}={value!r}: expected some time, such as '30 days'")
        return int(found.astype(np.int64))
    if isinstance(value, str):
        text = value.strip()
        clock = re.search(r"(\d+):(\d\d):(\d\d(?:\.\d*)?)$", text)
        total = 0.0
        if clock:
            total = SECOND * (3600 * int(clock[1]) + 60 * int(clock[2]) + float(clock[3]))
            text = text[:clock.start()].strip()
        parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]+)", text)
        known = [(float(number), UNITS.get(unit, UNITS.get(unit.lower().removesuffix("s")))) for number, unit in parts]
        left_over = re.sub(r"(\d+(?:\.\d*)?|\.\d+)\s*[A-Za-z]+|[\s,]|and", "", text)
        if not left_over and all(unit for _, unit in known) and (known or clock):
            total += sum(number * unit for number, unit in known)
            if 1 <= total < 2**62:
                return round(total)
    raise ValueError(f"{name}={value!r}: expected a time such as '30 days' or '12 hours', or a timedelta")


def later(last, periods, freq, history):
    """`periods` times (microseconds) after `last`, at a frequency as pandas names it; None for that of `history`.

    Raises ValueError for a frequency that is not known.
    """
    whole_number(periods, "periods", least=0)
    if freq is None:
        return _as_before(last, periods, history)
    read = re.fullmatch(r"(\d*)([A-Za-z]+)(?:-([A-Z]{3}))?", freq) if isinstance(freq, str) else None
    times, unit, day = (int(read[1] or 1), read[2], read[3]) if read else (0, "", None)
    if times and unit in MONTHS and day is None:
        return _months(last, periods, times, *MONTHS[unit])
    if times == 1 and unit == "W" and (day is None or day in WEEKDAYS):
        today = last // DAY
        ahead = (WEEKDAYS.index(day or "SUN") - (today + 3) % 7) % 7 or 7        # 1970-01-01 was a Thursday
        return last + DAY * (ahead + 7 * np.arange(periods))
    if times and day is None and unit in UNITS and unit not in ("m", "w", "W"):
        return last + times * UNITS[unit] * np.arange(1, periods + 1)
    return _by_offset(last, periods, freq)


def _as_before(last, periods, history):
    axis = as_axis(np.unique(history)[-5:].astype("M8[us]"))
    steps = np.diff(axis.ticks)
    if len(steps) < 2 or (steps != steps[0]).any():
        raise ValueError("freq=None: the last times are not equally spaced; pass a frequency, such as 'D'")
    step = usual_step(axis)
    if axis.kind.startswith("month"):
        return _months(last, periods, 1, int(step), int(axis.kind != "month"))
    return last + step * np.arange(1, periods + 1)


def _months(last, periods, times, months, at_end):
    """First days, or last ones, of every so many months, the time of the day as it is."""
    clock = last % DAY
    month = int(np.datetime64(int(last) // DAY, "D").astype("M8[M]").astype(np.int64))
    ends = month + np.arange((periods + 2) * times * months)
    ends = ends[(ends + at_end) % months == 0]           # a quarter begins in January
    days = (ends + at_end).astype("M8[M]").astype("M8[D]").astype(np.int64) - at_end
    found = days * DAY + clock
    return found[found > last][(times - 1) * int(found[0] == last)::times][:periods] if times > 1 else \
        found[found > last][:periods]


def _by_offset(last, periods, freq):
    pandas = sys.modules.get("pandas")
    if pandas is None:
        raise ValueError(f"freq={freq!r}: expected one such as 'D', 'h', '15min', 'W', 'MS', 'ME', 'QS' or 'YS', with "
                         "a number in front where wanted; others need pandas")
    first = pandas.Timestamp(last, unit="us")
    try:
        dates = pandas.date_range(first, periods=periods + 1, freq=freq)
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise ValueError(f"freq={freq!r}: expected a frequency as pandas names it: {error}") from error
    return np.asarray(dates[dates > first][:periods]).astype("M8[us]").astype(np.int64)

