"""The series of data/, for chapter `rebuild`: from the bytes of a package's file to the bytes of ours.

Whole numbers are stored: a decimal number times the power of ten that makes it whole, divided again by the loader, is
the same float as the decimal number read.
"""
import csv
import io
import zipfile
from datetime import datetime, timezone

import numpy as np

from scratchml.datasets.series import CURRENCIES
from scratchml.datasets.writing import npz

YEAR = "2017"                                            # of the traffic, the only one that is nearly complete
LAST_DAY = "2024-12-31"                                  # of the rates


def co2(text):
    """Every week, by the Saturday on which it ends."""
    return _two_columns("week", "ppm", [(f"{row['date'][:4]}-{row['date'][4:6]}-{row['date'][6:]}", row["co2"] or "nan")
                                        for row in _rows(text)])


def electrical_equipment(text):
    def month(day):
        return datetime.strptime(day, "%b-%d-%Y").strftime("%Y-%m")
    return _two_columns("month", "index", [(month(row["DATE"]), row["STS.M.I7.W.TOVT.NS0016.4.000"])
                                           for row in _rows(text)])


def nile(text):
    return _two_columns("year", "volume", [(row["year"], row["volume"]) for row in _rows(text)])


def real_gdp(text):
    return _two_columns("quarter", "gdp", [(f"{row['year']}-{3 * int(row['quarter']) - 2:02}", row["realgdp"])
                                           for row in _rows(text)])


def sunspots(text):
    return _two_columns("year", "sunspots", [(row["YEAR"], row["SUNACTIVITY"]) for row in _rows(text)])


def peyton_manning(text):
    """The original has logarithms; what they are of is whole to 1e-7."""
    rows = _rows(text)
    views = np.exp([float(row["y"]) for row in rows])
    return npz(times=_times([row["ts"] for row in rows], "D"), views=_whole(views, 1))


def euro_rates(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as inside:
        rows = [row for row in _rows(inside.read("eurofxref-hist.csv")) if row["Date"] <= LAST_DAY][::-1]
    rates = {name: _whole([float(row[name]) for row in rows], 100_000) for name in CURRENCIES}
    return npz(times=_times([row["Date"] for row in rows], "D"), **rates)


def traffic(text):
    """Of the lines of an hour, one for each word about its weather, the first; holidays, marked at midnight, all day.

    No rain and no snow is recorded for that year, whatever the words say: both columns are left out.
    """
    hours, names = {}, {}
    for row in _rows(text):
        if row["date_time"].startswith(YEAR):
            hours.setdefault(row["date_time"], row)
            if row["holiday"] != "None":
                names[row["date_time"][:10]] = row["holiday"]
    rows = list(hours.values())
    weathers = sorted({row["weather_main"] for row in rows})
    holidays = ["", *sorted(set(names.values()))]
    return npz(times=_times([hour[:13].replace(" ", "T") for hour in hours], "h"),
               cars=np.array([int(row["traffic_volume"]) for row in rows], np.int16),
               temperature=_whole([float(row["temp"]) for row in rows], 1000),
               clouds=np.array([int(row["clouds_all"]) for row in rows], np.int8),
               weather=np.array([weathers.index(row["weather_main"]) for row in rows], np.int8),
               weathers=np.array(weathers, "S"),
               holiday=np.array([holidays.index(names.get(hour[:10], "")) for hour in hours], np.int8),
               holidays=np.array(holidays, "S"))


def water_flow(text):
    rows = _rows(text)
    utc = [datetime.fromisoformat(row["Time"]).astimezone(timezone.utc) for row in rows]
    return npz(times=_times([time.strftime("%Y-%m-%dT%H") for time in utc], "h"),
               flow=_whole([float(row["Water flow [l/s]"]) for row in rows], 1000))


def _rows(text):
    return list(csv.DictReader(text.decode().splitlines()))


def _two_columns(time, value, rows):
    return "".join(f"{a}\t{b}\n" for a, b in [(time, value), *rows]).encode()


def _times(texts, unit):
    """Since 1970, in `unit`."""
    return np.array(texts, dtype=f"datetime64[{unit}]").astype(np.int64).astype(np.int32)


def _whole(values, power):
    """`values` times `power`, which are whole but for rounding."""
    scaled = np.asarray(values) * power
    whole = np.rint(scaled)
    if np.abs(scaled - whole).max() > 1e-6:
        raise ValueError(f"expected multiples of 1/{power}, got {values[np.abs(scaled - whole).argmax()]!r}")
    return whole.astype(np.int32)
