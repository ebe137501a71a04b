"""Prophet without Stan beside prophet: fits of several kinds, cross-validation with intervals, and how time grows.

What is compared is F, the negative logarithm of the posterior: ours must not lie above theirs.
"""
import logging
import warnings

import numpy as np

from benchmarks import Case, Growth, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.datasets import load_co2, load_electrical_equipment, load_peyton_manning, load_traffic
from scratchml.timeseries import Prophet, cross_validation, performance_metrics

FOLDS = ("365 days", "180 days", "730 days")             # horizon, period, initial: 11 cutoffs


def table(load, **columns):
    """A data frame, which prophet wants; a dict of arrays where pandas is not."""
    series = load()
    found = {"ds": series.times.astype("M8[ns]"), "y": series.values, **columns}
    try:
        import pandas
    except ImportError:
        return found
    return pandas.DataFrame(found)


def quiet_peer():
    logging.getLogger("cmdstanpy").setLevel(logging.CRITICAL)
    logging.getLogger("prophet").setLevel(logging.CRITICAL)
    from prophet import Prophet as Peer
    return Peer


def fits(**options):
    def ours(df):
        return -Prophet(**options).fit(df).params["lp__"].item()

    @peer("prophet")
    def prophet(df):
        return -quiet_peer()(**options).fit(df).params["lp__"].item()
    return {"scratchml": ours, "prophet": prophet}


def not_below(theirs, ours):
    """But for the digits that Stan prints."""
    assert ours <= theirs + 1e-7 * abs(theirs) + 1e-3


def validated(df):
    found = cross_validation(Prophet(random_state=0).fit(df), *FOLDS)
    return overall(performance_metrics(found, ["mae", "coverage"], rolling_window=1))


@peer("prophet.diagnostics")
def validated_by_prophet(df):
    model = quiet_peer()().fit(df)
    from prophet import diagnostics
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = diagnostics.cross_validation(model, *FOLDS, disable_tqdm=True)
    return overall(diagnostics.performance_metrics(found, ["mae", "coverage"], rolling_window=1))


def overall(measures):
    return tuple(float(np.asarray(measures[name])[0]) for name in ("mae", "coverage"))


def nearly(theirs, ours):
    np.testing.assert_allclose(theirs, ours, atol=0.02)


def forecast(df):
    model = Prophet(random_state=0).fit(df)
    return np.asarray(model.predict(model.make_future_dataframe(365))["yhat"])


@peer("prophet")
def forecast_by_prophet(df):
    model = quiet_peer()().fit(df)
    return model.predict(model.make_future_dataframe(365))["yhat"].to_numpy()


def hours(n):
    """A year of traffic again and again, from 1990 on."""
    series = load_traffic()
    y = np.tile(series.values, -(-n // len(series.values)))[:n]
    return ({"ds": np.datetime64("1990-01-01T00") + np.arange(n), "y": y + 0.1 * np.arange(n) ** 0.5},)


CASES = [
    Case("page views, 2,905 days", lambda: (table(load_peyton_manning),), fits(), not_below),
    Case("page views, multiplicative", lambda: (table(load_peyton_manning),), fits(seasonality_mode="multiplicative"),
         not_below),
    Case("page views, logistic", lambda: (table(load_peyton_manning, cap=14.0),), fits(growth="logistic"), not_below),
    Case("page views, 11 cutoffs with intervals", lambda: (table(load_peyton_manning),),
         {"scratchml": validated, "prophet": validated_by_prophet}, nearly),
    Case("page views, fit and forecast of a year", lambda: (table(load_peyton_manning),),
         {"scratchml": forecast, "prophet": forecast_by_prophet}, lambda theirs, ours: np.testing.assert_allclose(
             theirs, ours, atol=0.1)),
    Case("carbon dioxide, 526 months", lambda: (table(load_co2),), fits(), not_below),
    Case("electrical equipment, 257 months", lambda: (table(load_electrical_equipment),), fits(), not_below),
    Case("traffic, 8,713 hours", lambda: (table(load_traffic),), fits(), not_below),
    Case("traffic, multiplicative", lambda: (table(load_traffic),), fits(seasonality_mode="multiplicative"), not_below),
    Growth("hours, additive", hours, {"scratchml": fits()["scratchml"]}, (10_000, 40_000, 160_000), stated=1),
    Growth("hours, multiplicative", hours, {"scratchml": fits(seasonality_mode="multiplicative")["scratchml"]},
           (10_000, 40_000, 160_000), stated=1),
]
