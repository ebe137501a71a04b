"""The series against what is published about them, and their files against the script that made them."""
import importlib.metadata
import importlib.util
import io
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from scratchml.datasets import (load_co2, load_electrical_equipment, load_euro_rates, load_nile, load_peyton_manning,
                                load_real_gdp, load_sunspots, load_traffic, load_water_flow, loaders, rebuild,
                                rebuild_series)
from scratchml.datasets.series import CURRENCIES

ENDS = {                                                 # first time and value, last time and value, how many
    load_co2: ("1958-03", 316.1, "2001-12", 371.02, 526),
    load_electrical_equipment: ("1995-01", 66.19, "2016-05", 97.86, 257),
    load_euro_rates: ("1999-01-04", 1.1789, "2024-12-31", 1.0389, 6658),
    load_nile: ("1871", 1120, "1970", 740, 100),
    load_peyton_manning: ("2007-12-10", 9.59076113897809, "2016-01-20", 8.89137400948464, 2905),
    load_real_gdp: ("1959-01", 2710.349, "2009-07", 12990.341, 203),
    load_sunspots: ("1700", 5, "2008", 2.9, 309),
    load_traffic: ("2017-01-01T00", 1848, "2017-12-31T23", 1580, 8713),
    load_water_flow: ("2022-03-20T10", 100.59, "2022-05-16T20", 104.1, 1268),
}
MISSING = {load_peyton_manning: 59, load_traffic: 47, load_water_flow: 111}
FILES = {load: load.__name__.removeprefix("load_") for load in ENDS}
each_series = pytest.mark.parametrize("load", ENDS, ids=FILES.values())


def file_of(load):
    [file] = [name for name in rebuild.SOURCES if name.split(".")[0] == FILES[load]]
    return file


# --- what every loader promises

@each_series
def test_first_and_last(load):
    first, start, last, end, count = ENDS[load]
    times, values = load()[:2]
    assert times.shape == values.shape == (count,) and values.dtype == np.float64 and times.dtype.kind == "M"
    assert (str(times[0]), str(times[-1])) == (first, last)
    np.testing.assert_allclose([values[0], values[-1]], [start, end], rtol=1e-14)
    assert np.isfinite(values).all() and not np.isnat(times).any()


@each_series
def test_times_rise_and_leave_as_many_gaps_as_stated(load):
    steps = np.diff(load().times).astype(int)
    assert steps.min() > 0
    if load is load_euro_rates:
        assert steps.max() == 5 and np.is_busday(load().times).all()
    else:
        step = np.median(steps)
        assert (steps % step == 0).all() and (steps // step - 1).sum() == MISSING.get(load, 0)


@each_series
def test_the_docstring_states_how_many_from_when_to_when(load):
    first, _, last, _, count = ENDS[load]
    assert re.search(rf"^    {count:,} \w+, {first} to {last}\.$", load.__doc__, re.MULTILINE)
    assert f"{MISSING.get(load, '')}" in load.__doc__


@each_series
def test_a_caller_may_change_what_it_gets(load):
    first, before = load(), load()
    for part in first:
        part[:] = part[:1] * len(part) if isinstance(part, list) else part[-1]
    for again, value in zip(load(), before):
        np.testing.assert_array_equal(again, value)


@each_series
def test_readme_and_docstring_name_the_same_licence(load):
    licence = re.search(r"^    (Licence: .*)\.$", load.__doc__, re.MULTILINE)[1]
    readme = (loaders.DATA / "README.md").read_text(encoding="utf-8")
    assert f"\n- {licence}\n" in readme.split(f"\n## {file_of(load)}\n")[1].split("\n## ")[0]


@each_series
def test_a_damaged_file_is_named(load, tmp_path, monkeypatch):
    for file in loaders.DATA.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(loaders, "DATA", tmp_path)
    file = tmp_path / file_of(load)
    file.write_bytes(file.read_bytes()[:-2] + b"\1\1")
    with pytest.raises(ValueError, match=f"^{re.escape(str(file))}: damaged"):
        load()


def test_all_data_stay_below_four_megabytes():
    assert sum(file.stat().st_size for file in loaders.DATA.iterdir()) < 4_000_000


# --- one by one

def test_months_of_co2_are_means_of_their_weeks():
    times, values = load_co2()
    assert values[:4].round(6).tolist() == [316.1, 317.2, 317.433333, 316.529167]  # June 1958: interpolated
    assert str(times[values.argmin()]) == "1959-10" and str(times[values.argmax()]) == "2001-05"
    assert (np.diff(times).astype(int) == 1).all()


def test_rates_of_all_currencies():
    assert [load_euro_rates(currency).values[-1] for currency in CURRENCIES] == [1.0389, .82918, 163.06, .9412]
    for wrong in ("EUR", "usd", None):
        with pytest.raises(ValueError, match="currency: got .*, expected one of USD, GBP, JPY, CHF"):
            load_euro_rates(wrong)


def test_the_nile_has_a_quarter_less_from_1899_on():
    times, values = load_nile()
    later = times >= np.datetime64("1899")
    assert 0.72 < values[later].mean() / values[~later].mean() < 0.78


def test_page_views_are_whole_numbers():
    views = np.exp(load_peyton_manning().values)
    np.testing.assert_allclose(views, np.rint(views), rtol=1e-13)
    assert np.rint(views[:2]).tolist() == [14629, 5012]


def test_traffic_of_the_hours_of_a_holiday():
    traffic = load_traffic()
    days = traffic.times.astype("datetime64[D]")
    christmas = days == np.datetime64("2017-12-25")
    assert set(traffic.holidays[christmas].tolist()) == {"Christmas Day"} and christmas.sum() == 24
    assert len(set(traffic.holidays.tolist()) - {""}) == len(set(days[traffic.holidays != ""].tolist())) == 11
    assert traffic.exog_names == ["temp", "clouds_all", "holiday"] and traffic.exog.shape == (8713, 3)
    np.testing.assert_array_equal(traffic.exog[:, 2], traffic.holidays != "")
    assert traffic.exog[:, 0].min() == 246.15 and traffic.exog[:, 0].max() == 307.02
    assert traffic.exog[:, 1].min() == 0 and traffic.exog[:, 1].max() == 92
    assert {"Snow", "Rain", "Clear"} < set(traffic.weather.tolist()) and len(set(traffic.weather.tolist())) == 9


def test_water_flow_has_ten_gaps():
    steps = np.diff(load_water_flow().times).astype(int)
    assert (steps > 1).sum() == 10 and "in 10 gaps" in load_water_flow.__doc__


# --- from the original

def read(monkeypatch, tmp_path, file, content, load, *arguments):
    """What the loader makes of `content` in the place of its file."""
    (tmp_path / file).write_bytes(content)
    (tmp_path / "SHA256SUMS").write_bytes(rebuild.checksums({file: content}))
    monkeypatch.setattr(loaders, "DATA", tmp_path)
    return load(*arguments)


def test_weeks_become_months(monkeypatch, tmp_path):
    text = b"date,co2\n19580329,316.1\n19580405,\n19580412,318\n19580419,317\n19580607,\n19580705,320\n19580802,316.5\n"
    stored = rebuild_series.co2(text)
    assert stored.splitlines()[:3] == [b"week\tppm", b"1958-03-29\t316.1", b"1958-04-05\tnan"]
    times, values = read(monkeypatch, tmp_path, "co2.tsv", stored, load_co2)
    assert [str(time) for time in times] == [f"1958-0{month}" for month in range(3, 9)]
    np.testing.assert_allclose(values, [316.1, 317.5, 317.5 + 2.5 / 3, 317.5 + 5 / 3, 320, 316.5], rtol=1e-15)


def test_quarters_and_months_have_their_first_day(monkeypatch, tmp_path):
    stored = rebuild_series.real_gdp(b"year,quarter,realgdp,x\n1959,1,2710.349,0\n1959,4,2785.204,0\n")
    times, values = read(monkeypatch, tmp_path, "real_gdp.tsv", stored, load_real_gdp)
    assert [str(time) for time in times] == ["1959-01", "1959-10"] and values.tolist() == [2710.349, 2785.204]
    stored = rebuild_series.electrical_equipment(b"DATE,STS.M.I7.W.TOVT.NS0016.4.000\n"
                                                 b"Jan-1-1995,66.19\nDec-1-1995,85.59\n")
    assert stored == b"month\tindex\n1995-01\t66.19\n1995-12\t85.59\n"


def test_rates_from_the_last_day_back(monkeypatch, tmp_path):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr("eurofxref-hist.csv", "Date,USD,JPY,GBP,CHF,XXX,\n2025-01-02,1.1,1.1,1.1,1.1,N/A,\n"
                                              "2024-12-31,1.0389,163.06,0.82918,0.9412,N/A,\n"
                                              "1999-01-04,1.1789,133.73,0.7111,1.6168,2,\n")
    stored = rebuild_series.euro_rates(archive.getvalue())
    for currency, rates in {"USD": [1.1789, 1.0389], "JPY": [133.73, 163.06], "GBP": [.7111, .82918]}.items():
        times, values = read(monkeypatch, tmp_path, "euro_rates.npz", stored, load_euro_rates, currency)
        assert values.tolist() == rates and [str(time) for time in times] == ["1999-01-04", "2024-12-31"]


def test_the_first_line_of_an_hour_counts_and_a_holiday_lasts_all_day(monkeypatch, tmp_path):
    text = b"""holiday,temp,rain_1h,snow_1h,clouds_all,weather_main,weather_description,date_time,traffic_volume
Labor Day,280.5,0.0,0.0,40,Rain,light rain,2016-12-31 00:00:00,1
None,280.5,0.0,0.0,40,Rain,light rain,2016-12-31 23:00:00,1
Labor Day,271.30000000000001,0.0,0.0,40,Rain,light rain,2017-09-04 00:00:00,5545
Labor Day,288.36,0.0,0.0,75,Mist,mist,2017-09-04 00:00:00,5545
None,289.125,0.0,0.0,90,Clear,sky,2017-09-04 23:00:00,4767
None,290.13,0.0,0.0,90,Rain,rain,2017-09-05 00:00:00,5026
None,290.13,0.0,0.0,90,Rain,rain,2018-01-01 00:00:00,1
"""
    traffic = read(monkeypatch, tmp_path, "traffic.npz", rebuild_series.traffic(text), load_traffic)
    assert [str(time) for time in traffic.times] == ["2017-09-04T00", "2017-09-04T23", "2017-09-05T00"]
    assert traffic.values.tolist() == [5545, 4767, 5026]
    assert traffic.exog.tolist() == [[271.3, 40, 1], [289.125, 90, 1], [290.13, 90, 0]]
    assert traffic.weather.tolist() == ["Rain", "Clear", "Rain"]
    assert traffic.holidays.tolist() == ["Labor Day", "Labor Day", ""]


def test_hours_of_water_are_utc(monkeypatch, tmp_path):
    text = (b"Time,Water flow [l/s]\n2022-03-20T11:00:00+01:00,100.59\n2022-03-27T01:00:00+01:00,99.125\n"
            b"2022-03-27T03:00:00+02:00,98\n")
    times, values = read(monkeypatch, tmp_path, "water_flow.npz", rebuild_series.water_flow(text), load_water_flow)
    assert [str(time) for time in times] == ["2022-03-20T10", "2022-03-27T00", "2022-03-27T01"]
    assert values.tolist() == [100.59, 99.125, 98]


def test_numbers_that_are_not_whole_are_not_stored():
    with pytest.raises(ValueError, match="expected multiples of 1/1000, got 0.12345"):
        rebuild_series.water_flow(b"Time,Water flow [l/s]\n2022-03-20T11:00:00+01:00,0.12345\n")


def test_every_week_of_co2_is_a_saturday():
    weeks = [line.split("\t")[0] for line in (loaders.DATA / "co2.tsv").read_text().splitlines()[1:]]
    assert weeks == [(date(1958, 3, 29) + timedelta(7 * w)).isoformat() for w in range(2284)]


@pytest.mark.parametrize("file", rebuild.SOURCES)
def test_the_file_is_what_the_installed_package_has(file):
    package, member, convert = rebuild.SOURCES[file]
    name, version = package.split()[0].split("==")
    try:
        installed = importlib.metadata.version(name) == version
    except importlib.metadata.PackageNotFoundError:
        installed = False
    if not installed or "--no-binary" in package:
        pytest.skip(f"{name} {version} is not installed")
    folder = importlib.util.find_spec(member.split("/")[0]).submodule_search_locations[0]
    assert (loaders.DATA / file).read_bytes() == convert(Path(folder).parent.joinpath(member).read_bytes())
