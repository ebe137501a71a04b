"""The names of the package prophet with ours behind them, for its own tests to import.

What these call besides the things that a user calls is given here, where we have it under another name.
"""
import logging
import types
import warnings

import numpy as np
import pandas as pd

from scratchml import timeseries
from scratchml.timeseries.prophet_design import design, read_holidays, standardised
from scratchml.timeseries.prophet_forecast import design_of
from scratchml.timeseries.prophet_rows import auto_seasonalities, places_to_bend, read_rows
from scratchml.timeseries.prophet_tables import DAY, ticks_of
from scratchml.timeseries.trend_season import fourier, linear_trend, logistic_trend
from scratchml.timeseries.trend_season_fit import Posterior, start


def logged(function, *arguments):
    """What it returns; what it warns of goes where prophet's warnings go."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = function(*arguments)
    for warning in caught:
        logging.getLogger("prophet").warning(str(warning.message))
    return found


class Prophet(timeseries.Prophet):
    """Ours, with names of parts that the tests call."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.stan_backend = types.SimpleNamespace(cleanup=lambda: None)
        self.stan_fit = self.country_holidays = None
        if self.changepoints is not None:
            self.changepoints = pd.Series(self.changepoints, name="ds")

    def fit(self, df, **options):
        return logged(lambda: super(Prophet, self).fit(df, **options))

    def predict(self, df=None, vectorized=True):
        return logged(super().predict, df, vectorized)

    @staticmethod
    def fourier_series(dates, period, series_order):
        return fourier(ticks_of(dates) / DAY, period, series_order)

    @staticmethod
    def piecewise_linear(t, deltas, k, m, changepoint_ts):
        return linear_trend(t, changepoint_ts, k, m, deltas)

    @staticmethod
    def piecewise_logistic(t, cap, deltas, k, m, changepoint_ts):
        return logistic_trend(t, changepoint_ts, k, m, deltas, cap)

    @staticmethod
    def flat_trend(t, m):
        return linear_trend(np.asarray(t, float), [], 0.0, m, [])

    def make_holiday_features(self, dates, holidays):
        holidays = read_holidays(holidays)
        found = design(ticks_of(dates) / DAY, {}, {}, holidays, self.holidays_mode, self.holidays_prior_scale, {}, {})
        return pd.DataFrame(found.X, columns=found.columns), found.prior_scales.tolist(), holidays.names

    def make_all_seasonality_features(self, df):
        rows = read_rows(df, self._conditions(), self.extra_regressors)
        found = design_of(self, rows)
        members = pd.DataFrame({name: np.isin(np.arange(len(found.columns)), places).astype(int)
                                for name, places in found.components.items()})
        return pd.DataFrame(found.X, columns=found.columns), found.prior_scales.tolist(), members, found.modes

    def setup_dataframe(self, df, initialize_scales=False):
        conditions, logistic = self._conditions(), self.growth == "logistic"
        rows = read_rows(df, conditions, self.extra_regressors, with_y=True, needs_cap=logistic)
        floor = self._set_units(rows) if initialize_scales else 0.0
        columns = {"ds": rows.ds, "y": rows.y, "t": (rows.ticks - rows.ticks[0]) / np.ptp(rows.ticks),
                   "y_scaled": (rows.y - floor) / self.y_scale, **rows.conditions}
        if logistic:
            columns["cap_scaled"] = (rows.cap - floor) / self.y_scale
        columns |= {name: standardised(rows.regressors[name], regressor)
                    for name, regressor in self.extra_regressors.items()}
        return pd.DataFrame(columns)

    def set_auto_seasonalities(self):
        asked = {name: getattr(self, f"{name}_seasonality") for name in ("yearly", "weekly", "daily")}
        self.seasonalities |= auto_seasonalities(ticks_of(self.history["ds"]), asked, self.seasonalities,
                                                 self.seasonality_prior_scale, self.seasonality_mode)

    def set_changepoints(self):
        ticks = ticks_of(self.history["ds"])
        bends = places_to_bend(ticks, self._wanted_bends(), self.n_changepoints, self.changepoint_range)
        self.n_changepoints = len(bends)
        self.changepoints_t = (bends - ticks[0]) / np.ptp(ticks) if len(bends) else np.zeros(1)

    @staticmethod
    def _start(history, flat=False, C=None):
        t, none = np.asarray(history["t"]), np.zeros(0)
        return start(Posterior(np.asarray(history["y_scaled"]), t, none, C, np.zeros((len(t), 0)), none, none, 1.0,
                               flat))

    def linear_growth_init(self, df):
        return self._start(df)

    def logistic_growth_init(self, df):
        return self._start(df, C=np.asarray(df["cap_scaled"]))

    def flat_growth_init(self, df):
        return self._start(df, flat=True)
