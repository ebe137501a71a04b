"""When the values of a series were measured: dates, numbers or nothing, read once and counted in equal steps.

A time axis is an array of datetime64, of numbers in a unit of their own, or None for 0, 1, 2, ...  What pandas,
Python's datetime and text say is read too.  Times with a zone become UTC: an hour that the clock of a zone repeats or
leaves out in spring and autumn is then an hour like any other.  Months have no length, so an axis of firsts, or of last
days, of months is counted in months.
"""
from datetime import date, datetime, timezone
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_vector, in_order

MONTH = 28 * 24 * 3600                                   # no month has fewer seconds


class Axis(NamedTuple):
    """Times as numbers: whole ones that count units of time since 1970, months since then, or numbers as they came."""
    ticks: np.ndarray                                    # (T,) int64, or float64 for numbers that are not whole
    kind: str                                            # "number", "date", "month" or "month's end"
    unit: np.dtype                                       # of the times that were read
    within: np.timedelta64 | None = None                 # how far into its month every time lies


def read_series(y, name="y", allow_nan=False):
    """The values (T,) of a series in float64, and its times, or None where it has none.

    A pandas Series brings its index, which may begin anywhere, but must be equally spaced.  Raises ValueError else, and
    for inf and, unless `allow_nan`, NaN, with the first place.
    """
    times = getattr(y, "index", None)
    values = as_vector(items(y, name), name=name, allow_nan=allow_nan).astype(np.float64, copy=False)
    if times is None or callable(times):                 # a list has a method of that name
        return values, None
    times = as_times(times, f"{name}.index")
    require_regular(times, len(values), f"{name}.index")
    return values, times


def rounding_of(y):
    """eps of the numbers that `y` holds: that of float32 or float16 if they are of that type, else that of float64."""
    dtype = getattr(y, "dtype", None)
    narrow = isinstance(dtype, np.dtype) and dtype.kind == "f" and dtype.itemsize < 8
    return float(np.finfo(dtype if narrow else np.float64).eps)


def items(things, name):
    """`things`, or a list of them if they can only be walked through; one number is no series."""
    if hasattr(things, "__array__") or isinstance(things, (list, tuple)):
        return things
    if not in_order(things):
        raise ValueError(f"{name}: expected an array or a list of numbers, got {type(things).__name__}")
    return list(things)


def as_times(times, name="times"):
    """`times` (T,) as datetime64 in UTC, int64 or float64.  Raises ValueError for all else, NaT and NaN among it."""
    dtype = getattr(times, "dtype", None)
    if str(dtype).startswith("period"):                  # a period by its beginning
        times = getattr(times, "dt", times).to_timestamp()
    elif getattr(dtype, "tz", None) is not None:
        times = np.asarray(times, "M8[ns]")
    values = np.asarray(items(times, name))
    if values.dtype.kind in "OU" and values.size and isinstance(values.flat[0], (date, np.datetime64, str)):
        values = np.array([_instant(value, name) for value in values.flat], "M8[us]").reshape(values.shape)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{name}: expected times (T,), got shape {values.shape}")
    if values.dtype.kind == "M":
        if np.isnat(values).any():
            raise ValueError(f"{name}: expected dates, got NaT, first at [{np.isnat(values).argmax()}]")
        if values.dtype == "M8":
            raise ValueError(f"{name}: expected dates with a unit, such as datetime64[s], got {values.dtype}")
        return values
    if values.dtype.kind in "iu" and values.max() < 2**62:
        return values.astype(np.int64)
    return as_vector(values, name=name).astype(np.float64)


def _instant(value, name):
    """One date of Python's or in words, without a zone, in UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:                               # 2024-02 is a month to NumPy
            try:
                return np.datetime64(value, "us")
            except ValueError as error:
                raise ValueError(f"{name}: expected a date such as 2024-02-29T13:00, got {value!r}") from error
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(timezone.utc).replace(tzinfo=None)
    return np.datetime64(value, "us")


# --- steps ---------------------------------------------------------------------------------------


def as_axis(times, name="times"):
    """`times` as an `Axis`.  Raises ValueError unless they increase, with the first pair that does not."""
    times = as_times(times, name)
    late = ~(times[1:] > times[:-1])
    if late.any():
        t = int(late.argmax())
        what = "twice the same" if times[t] == times[t + 1] else "a step back"
        raise ValueError(f"{name}: expected times that increase, got {what}, {times[t]} at [{t}] and {times[t + 1]} at "
                         f"[{t + 1}]; sort them, and keep one value for each")
    if times.dtype.kind != "M":
        return Axis(times, "number", times.dtype)
    if np.datetime_data(times.dtype)[0] in "YM":
        return Axis(times.astype("M8[M]").astype(np.int64), "month", times.dtype, np.timedelta64(0, "D"))
    for kind, shift in (("month", np.timedelta64(0, "D")), ("month's end", np.timedelta64(1, "D"))):
        months = (times + shift).astype("M8[M]")
        within = (times + shift) - months
        if len(times) > 1 and (within == within[0]).all() and np.diff(times).min() >= np.timedelta64(MONTH, "s"):
            return Axis(months.astype(np.int64), kind, times.dtype, within[0])
    return Axis(times.astype(np.int64), "date", times.dtype)


def times_at(axis, ticks):
    """The times, of the kind that was read, at `ticks`."""
    if axis.kind == "number":
        return ticks
    if axis.kind == "date":
        return ticks.astype(axis.unit)
    shift = np.timedelta64(1 if axis.kind == "month's end" else 0, "D")
    return (ticks.astype("M8[M]") + axis.within - shift).astype(axis.unit)


def usual_step(axis):
    """The median of the differences, the lower of two."""
    return np.sort(np.diff(axis.ticks))[(len(axis.ticks) - 2) // 2]


def places(axis, step, name="times"):
    """Which step of the grid each time is, int64 (T,), from 0.  Raises ValueError for a time between two."""
    ticks = axis.ticks
    if ticks.dtype.kind == "i":
        found, off = np.divmod(ticks - ticks[0], step)
        off = off != 0
    else:
        exact = (ticks - ticks[0]) / step
        found = np.rint(exact).astype(np.int64)
        off = np.abs(exact - found) > 1e-6 + 8 * np.finfo(float).eps * np.abs(ticks).max() / step
    if off.any():
        t = int(off.argmax())
        raise ValueError(f"{name}: {times_at(axis, ticks)[t]} at [{t}] is no whole number of steps after the first; "
                         f"the step is {step_in_words(axis, step)}. Pass another step, or take means over steps first; "
                         "where a zone's days have 23 or 25 hours, keep its clock and leave the zone out, as "
                         "tz_localize(None) does")
    return found


def step_in_words(axis, step):
    """1 month, 3600 seconds, 0.5."""
    if axis.kind.startswith("month"):
        return f"{step} months" if step > 1 else "1 month"
    return str(step.astype(f"m8[{np.datetime_data(axis.unit)[0]}]")) if axis.kind == "date" else str(step)


def require_regular(times, size, name="times"):
    """`times` as they were read, if they are `size` many and equally spaced; else a ValueError with the remedy."""
    times = as_times(times, name)
    if len(times) != size:
        raise ValueError(f"{name}: expected {size} times, one for each value, got {len(times)}")
    axis = as_axis(times, name)
    if size > 1:
        steps = np.diff(places(axis, usual_step(axis), name))
        if (steps > 1).any():
            t = int((steps > 1).argmax())
            raise ValueError(f"{name}: expected equal steps, got {(steps > 1).sum()} gap(s) with {(steps - 1).sum()} "
                             f"missing time(s), the first after {times[t]} at [{t}]; "
                             'regular_grid(times, values, fill="interpolate") fills them')
    return times
