"""What a `Prophet` is made of before it is fitted: parameters, seasons, holidays, regressors, and their names."""
import copy
from collections.abc import Mapping

import numpy as np

from scratchml.core.checks import in_order, one_of, real_number, true_or_false, whole_number
from scratchml.timeseries.prophet_design import MODES, Holidays, check_name, prior_scale, read_holidays
from scratchml.timeseries.prophet_tables import columns_of, ticks_of

NO_HOLIDAYS = Holidays([], {}, {})


class Parts:
    """The constructor of `Prophet`, and what adds to it before `fit`."""

    def __init__(self, growth="linear", changepoints=None, n_changepoints=25, changepoint_range=0.8,
                 yearly_seasonality="auto", weekly_seasonality="auto", daily_seasonality="auto", holidays=None,
                 seasonality_mode="additive", seasonality_prior_scale=10.0, holidays_prior_scale=10.0,
                 changepoint_prior_scale=0.05, mcmc_samples=0, interval_width=0.8, uncertainty_samples=1000,
                 stan_backend=None, scaling="absmax", holidays_mode=None, random_state=None, verbose=0, callback=None):
        self.growth = growth
        self.specified_changepoints = changepoints is not None
        self.changepoints = _dates(changepoints)
        self.n_changepoints = len(self.changepoints) if self.specified_changepoints else n_changepoints
        self.changepoint_range = changepoint_range
        self.yearly_seasonality = yearly_seasonality
        self.weekly_seasonality = weekly_seasonality
        self.daily_seasonality = daily_seasonality
        self.holidays = columns_of(holidays, "holidays") if isinstance(holidays, Mapping) else holidays
        self.seasonality_mode = seasonality_mode
        self.seasonality_prior_scale = seasonality_prior_scale
        self.holidays_prior_scale = holidays_prior_scale
        self.changepoint_prior_scale = changepoint_prior_scale
        self.mcmc_samples = mcmc_samples
        self.interval_width = interval_width
        self.uncertainty_samples = uncertainty_samples
        self.scaling = scaling
        self.holidays_mode = seasonality_mode if holidays_mode is None else holidays_mode
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback
        self.seasonalities, self.extra_regressors, self.params, self.fit_kwargs = {}, {}, {}, {}
        self.start = self.t_scale = self.y_min = self.y_scale = self.changepoints_t = None
        self.history = self.history_dates = self.component_modes = self.train_component_cols = None
        self.train_holiday_names = None
        self.logistic_floor = False
        self._check_parameters()

    def _check_parameters(self):
        """Raises ValueError for a parameter that cannot be."""
        one_of(self.growth, "growth", ("linear", "logistic", "flat"))
        one_of(self.scaling, "scaling", ("absmax", "minmax"))
        one_of(self.seasonality_mode, "seasonality_mode", MODES)
        one_of(self.holidays_mode, "holidays_mode", MODES)
        whole_number(self.n_changepoints, "n_changepoints", least=0)
        if real_number(self.changepoint_range, "changepoint_range") > 1:
            raise ValueError(f"changepoint_range={self.changepoint_range!r}: expected a share, 0 to 1")
        if real_number(self.interval_width, "interval_width", above=0.0) >= 1:
            raise ValueError(f"interval_width={self.interval_width!r}: expected a probability below 1")
        for name in ("seasonality_prior_scale", "holidays_prior_scale", "changepoint_prior_scale"):
            prior_scale(getattr(self, name), name)
        if self.uncertainty_samples not in (None, False):
            whole_number(self.uncertainty_samples, "uncertainty_samples", least=0)
        whole_number(self.mcmc_samples, "mcmc_samples", least=0)
        for name in self.known_holidays().names:
            check_name(name, {"season": self.seasonalities, "regressor": self.extra_regressors})

    def known_holidays(self):
        """The `Holidays` of the table that was passed."""
        return NO_HOLIDAYS if self.holidays is None else read_holidays(self.holidays)

    # --- what the curve is made of

    def add_seasonality(self, name, period, fourier_order, prior_scale=None, mode=None, condition_name=None):
        """Add a season.  Returns itself.  Raises ValueError for a name that is taken, and after `fit`.

        Parameters
        ----------
        name : str
            Its name; "yearly", "weekly" or "daily" takes the place of the automatic one.
        period : float
            Its length in days.
        fourier_order : int
            How many waves it is made of.
        prior_scale : float or None, default=None
            Standard deviation of the prior of its weights; None for `seasonality_prior_scale`.
        mode : {"additive", "multiplicative"} or None, default=None
            None for `seasonality_mode`.
        condition_name : str or None, default=None
            A column of True and False: where there is such a season.
        """
        self._check_open("a season")
        if name not in ("daily", "weekly", "yearly"):
            check_name(name, self._taken("season"))
        if condition_name is not None:
            check_name(condition_name, self._taken())
        self.seasonalities[name] = {
            "period": _whole_if_it_is(real_number(period, "period", above=0.0)),
            "fourier_order": whole_number(fourier_order, "fourier_order"),
            "prior_scale": self._scale(prior_scale, self.seasonality_prior_scale),
            "mode": one_of(self.seasonality_mode if mode is None else mode, "mode", MODES),
            "condition_name": condition_name}
        return self

    def add_regressor(self, name, prior_scale=None, standardize="auto", mode=None, regressor_predictor=None):
        """Add a column that is known in advance.  Returns itself.  Raises ValueError as `add_seasonality` does.

        Parameters
        ----------
        name : str
            Of the column.
        prior_scale : float or None, default=None
            Standard deviation of the prior of its weight; None for `holidays_prior_scale`.
        standardize : {"auto"} or bool, default="auto"
            Whether its mean is taken away and its deviation is the unit; "auto" unless it is 0 or 1.
        mode : {"additive", "multiplicative"} or None, default=None
            None for `seasonality_mode`.
        regressor_predictor : bool, dict or None, default=None
            True if a Prophet of its own forecasts it, or the parameters of that; the column is then not asked for.
        """
        self._check_open("a regressor")
        check_name(name, self._taken("regressor"))
        if not (isinstance(standardize, str) and standardize == "auto"):
            true_or_false(standardize, "standardize")
        if regressor_predictor is not None and not isinstance(regressor_predictor, dict):
            regressor_predictor = {} if true_or_false(regressor_predictor, "regressor_predictor") else None
        self.extra_regressors[name] = {
            "prior_scale": self._scale(prior_scale, self.holidays_prior_scale), "standardize": standardize,
            "mu": 0.0, "std": 1.0, "mode": one_of(self.seasonality_mode if mode is None else mode, "mode", MODES),
            "predictor_spec": copy.deepcopy(regressor_predictor), "predictor": None}
        return self

    def add_country_holidays(self, country_name):
        """Raises ValueError: no country's holidays are known; pass a table (T,) of them as `holidays`.

        Parameters
        ----------
        country_name : str
            A country.
        """
        raise ValueError(f"country_name={country_name!r}: no country's holidays are known here; pass a table with "
                         "columns 'ds' and 'holiday' as holidays=")

    def _check_open(self, what):
        if self.history is not None:
            raise ValueError(f"{what} must be added before fit; make a new Prophet")

    def _taken(self, but=None):
        """Names that a new component cannot have; one of the kind `but` may be replaced."""
        taken = {"holiday": self.known_holidays().names, "season": self.seasonalities,
                 "regressor": self.extra_regressors}
        return {what: names for what, names in taken.items() if what != but}

    def _scale(self, scale, default):
        return prior_scale(default if scale is None else scale)

    def _conditions(self):
        return list(dict.fromkeys(season["condition_name"] for season in self.seasonalities.values()
                                  if season["condition_name"] is not None))

    def _wanted_bends(self):
        if not self.specified_changepoints:
            return None
        return ticks_of(self.changepoints, "changepoints") if len(self.changepoints) else np.zeros(0, np.int64)

    # --- for cross-validation

    def columns(self, *more):
        """Names of the columns that `predict` asks for, and `more`: the floor too, where there is one.

        Parameters
        ----------
        *more : str
            Further names.
        """
        cap = ["cap"] * (self.growth == "logistic") + ["floor"] * self.logistic_floor
        return {"ds", *more, *cap, *self._conditions(), *self.extra_regressors}

    def unfitted(self, last, random_state=None):
        """A new model with the same parameters and seasons, for a history until `last`.

        Parameters
        ----------
        last : int
            In microseconds since 1970: places to bend that were asked for are kept if they lie before.
        random_state : int, numpy.random.Generator or None, default=None
            Seed or source of the futures that it draws.
        """
        bends = self._wanted_bends()
        twin = type(self)(
            self.growth, None if bends is None else bends[bends < last].astype("M8[us]"), self.n_changepoints,
            self.changepoint_range, False, False, False, self.holidays, self.seasonality_mode,
            self.seasonality_prior_scale, self.holidays_prior_scale, self.changepoint_prior_scale, self.mcmc_samples,
            self.interval_width, self.uncertainty_samples, None, self.scaling, self.holidays_mode, random_state)
        twin.seasonalities = copy.deepcopy(self.seasonalities)
        twin.logistic_floor = self.logistic_floor
        twin.extra_regressors = {name: {**regressor, "mu": 0.0, "std": 1.0, "predictor": None}
                                 for name, regressor in self.extra_regressors.items()}
        return twin


def _dates(changepoints):
    """Dates (S,) of an array, None for None, no date for an empty list."""
    if changepoints is None:
        return None
    if not in_order(changepoints):
        raise ValueError(f"changepoints={changepoints!r}: expected a list of dates")
    changepoints = changepoints if hasattr(changepoints, "__len__") else list(changepoints)
    return (ticks_of(changepoints, "changepoints") if len(changepoints) else np.zeros(0, np.int64)).astype("M8[us]")


def _whole_if_it_is(period):
    return int(period) if period == int(period) else period
