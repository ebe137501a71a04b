"""Prophet: a forecast from a table of dates and values.

The model is that of chapter `trend_season`, fitted exactly by `trend_season_fit`; `trend_paths` draws the intervals.
Names, parameters and columns are those of the package Prophet, so that a script runs after changing the import.  What
differs:

There is no Stan, and so no sampling: mcmc_samples must be 0, and what `fit` there passes on to Stan is taken and makes
no difference.  Countries' holidays are not known; pass a table.  Where the floor of the values is not 0 and a term
multiplies, yhat = floor + (trend - floor) (1 + multiplicative_terms) + additive_terms, as in the fit; there the floor
is multiplied too.  A cross-validation keeps the model's scaling.  Forecasts between the phases of a season that were
seen, and holidays that fall on no day of the history, are warned of.
"""
import copy
import warnings
from collections.abc import Mapping

import numpy as np

from scratchml.core.checks import finite, safe_to_square, true_or_false
from scratchml.core.progress import report
from scratchml.timeseries import prophet_plots
from scratchml.timeseries.prophet_design import mean_and_deviation
from scratchml.timeseries.prophet_forecast import design_of, forecast, samples, warn_of_unseen
from scratchml.timeseries.prophet_parts import Parts
from scratchml.timeseries.prophet_rows import auto_seasonalities, check_cap, places_to_bend, read_rows
from scratchml.timeseries.prophet_tables import DAY, columns_of, later, of_kind, series_of_kind, ticks_of
from scratchml.timeseries.trend_season_fit import LEAST_NOISE, Optimum, Posterior, fit, start

STAN = {"algorithm", "seed", "init", "inits", "iter", "chains", "show_progress", "show_console", "sig_figs", "jacobian",
        "tol_obj", "tol_rel_obj", "tol_grad", "tol_rel_grad", "tol_param", "history_size", "init_alpha", "refresh",
        "adapt_delta", "max_treedepth", "control", "save_iterations", "output_dir", "require_converged", "timeout"}


class Prophet(Parts):
    """Trend, seasons and holidays of a series, and what they say of the future.

    Parameters
    ----------
    growth : {"linear", "logistic", "flat"}, default="linear"
        How the trend goes; "logistic" needs a column cap, and may have a column floor.
    changepoints : array (S,) of dates or None, default=None
        Where the trend may bend; by default at `n_changepoints` rows.
    n_changepoints : int, default=25
        At how many.
    changepoint_range : float, default=0.8
        In which first share of the rows.
    yearly_seasonality, weekly_seasonality, daily_seasonality : {"auto"}, bool or int, default="auto"
        Whether there is such a season, or of how many waves; "auto" for two of them at least, and finer steps.
    holidays : data frame, dict of arrays or None, default=None
        Columns holiday and ds; if wanted lower_window and upper_window, how many days before, negative, and after it
        count too, and prior_scale.
    seasonality_mode : {"additive", "multiplicative"}, default="additive"
        Whether seasons are added to the trend or multiply it.
    seasonality_prior_scale, holidays_prior_scale : float, default=10.0
        Standard deviations of the priors of the weights; a smaller one holds them back.
    changepoint_prior_scale : float, default=0.05
        Scale of the prior of the changes of slope; a larger one lets the trend bend more.
    mcmc_samples : int, default=0
        Only 0: there is no sampling.
    interval_width : float, default=0.8
        How likely a value lies between the ends of its interval.
    uncertainty_samples : int, default=1000
        How many futures are drawn; 0 for no intervals.
    stan_backend : object or None, default=None
        Not used: there is no Stan.
    scaling : {"absmax", "minmax"}, default="absmax"
        Unit of the values: the largest magnitude above the floor, or from the least to the largest.
    holidays_mode : {"additive", "multiplicative"} or None, default=None
        The same for holidays; None for `seasonality_mode`.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the futures that are drawn.
    verbose : int, default=0
        1 for a line to stderr after each step of the fit.
    callback : callable or None, default=None
        Called with a `Progress` after each step of the fit; if it returns True, the fit stops there.

    Attributes
    ----------
    params : dict of arrays (1, n)
        k, m, delta, beta and sigma_obs in units of y_scale; lp__, the logarithm of the posterior, without constants.
    changepoints : array (S,) of dates
        Where the trend may bend.
    history : data frame or dict of arrays (T,)
        What was learned from, by date, with its scaled columns; of the kind that was passed.
    """

    # --- fit

    def fit(self, df, **kwargs):
        """Find the most probable curve.  Returns itself.

        Rows whose y is NaN are left out.  Raises ValueError for bad input, for less than two rows (T,) or times, and
        for a model that has been fitted.

        Parameters
        ----------
        df : data frame or dict of arrays
            Columns ds, dates without a zone, and y (T,); cap and floor if the trend is logistic; regressors,
            conditions.
        **kwargs : object
            What the package Prophet passes on to Stan; the optimum is the same.
        """
        if self.history is not None:
            raise ValueError("a Prophet is fitted once; make a new one")
        unknown = sorted(kwargs.keys() - STAN)
        if unknown:
            raise ValueError(f"{unknown[0]}: fit takes no argument of this name; parameters of the model are those of "
                             "Prophet(...)")
        df = columns_of(df) if isinstance(df, Mapping) else df
        before = dict(vars(self), seasonalities=dict(self.seasonalities),
                      extra_regressors=copy.deepcopy(self.extra_regressors))
        try:
            self._fit(df, kwargs)
        except BaseException:                            # Ctrl-C included
            vars(self).clear()
            vars(self).update(before)
            raise
        return self

    def _fit(self, df, kwargs):
        self._check_parameters()
        if self.mcmc_samples:
            raise ValueError(f"mcmc_samples={self.mcmc_samples}: expected 0, there is no sampling here")
        logistic = self.growth == "logistic"
        rows = read_rows(df, self._conditions(), self.extra_regressors, with_y=True, needs_cap=logistic)
        history_dates = np.unique(rows.ds)
        rows = rows.only(~np.isnan(rows.y))
        if len(rows.y) < 2 or rows.ticks[0] == rows.ticks[-1]:
            raise ValueError(f"df: expected at least two rows with a value, at two times, got {len(rows.y)}"
                             + (f", all at {rows.ds[0]}" if len(rows.y) else ""))
        floor = self._set_units(rows)
        self.seasonalities |= auto_seasonalities(
            rows.ticks, {name: getattr(self, f"{name}_seasonality") for name in ("yearly", "weekly", "daily")},
            self.seasonalities, self.seasonality_prior_scale, self.seasonality_mode)
        found = design_of(self, rows)
        self._warn_of_holidays(found)
        bends = places_to_bend(rows.ticks, self._wanted_bends(), self.n_changepoints, self.changepoint_range)
        self.n_changepoints = len(bends)
        self.changepoints = series_of_kind(df, bends.astype("M8[us]"), "ds")
        t, s = ((ticks - rows.ticks[0]) / float(rows.ticks[-1] - rows.ticks[0]) for ticks in (rows.ticks, bends))
        y = (rows.y - floor) / self.y_scale
        posterior = Posterior(y, t, s[:0] if self.growth == "flat" else s,
                              (rows.cap - floor) / self.y_scale if logistic else None,
                              safe_to_square(found.X, "regressors"), found.multiplies, found.prior_scales,
                              self.changepoint_prior_scale, self.growth == "flat")
        if rows.y.min() == rows.y.max() and not logistic:
            optimum = Optimum(*start(posterior), np.zeros(len(s)), np.zeros(len(found.columns)), LEAST_NOISE, [np.nan])
        else:
            optimum = fit(posterior, report=lambda iteration, F: report(self, iteration, F))
        self._keep(df, rows, floor, found, optimum, t, y, s)
        self.history_dates = series_of_kind(df, history_dates, "ds")
        self.fit_kwargs = copy.deepcopy(kwargs)
        self._fit_predictors(df)

    def _set_units(self, rows):
        """The units of time, of y and of the regressors; returns the floor, a number or (T,)."""
        self.start, self.t_scale = rows.ticks[0].astype("M8[us]"), (rows.ticks[-1] - rows.ticks[0]).astype("m8[us]")
        for name, regressor in self.extra_regressors.items():
            regressor["mu"], regressor["std"] = mean_and_deviation(
                finite(rows.regressors[name], name), regressor["standardize"], name)
        return self._set_scale(rows)

    def _set_scale(self, rows):
        """The unit of y, and the floor, a number or (T,)."""
        self.logistic_floor = rows.floor is not None
        if self.logistic_floor and np.isnan(rows.floor).any():
            raise ValueError(f"floor: expected a number in every row, got NaN at {rows.ds[np.isnan(rows.floor)][0]}")
        floor = rows.floor if self.logistic_floor else 0.0
        with np.errstate(over="ignore"):
            if self.scaling == "absmax":
                self.y_scale, self.y_min = float(np.abs(rows.y - floor).max()), 0.0
            elif self.logistic_floor:
                self.y_min = float(rows.floor.min())
                self.y_scale = float(rows.cap.max() - self.y_min)
            else:
                floor = self.y_min = float(rows.y.min())
                self.y_scale = float(rows.y.max() - self.y_min)
        if not np.isfinite(self.y_scale):
            raise ValueError("y: the span of its values overflows; divide them by some number")
        self.y_scale = self.y_scale or 1.0
        if rows.cap is not None:
            check_cap(rows, floor)
        return floor

    def _warn_of_holidays(self, found):
        unseen = [name for name in self.known_holidays().names if not found.X[:, found.components[name]].any()]
        if unseen:
            warnings.warn(f"holidays: {', '.join(map(repr, unseen))} fall on no day of the history, so nothing is "
                          "known of their effect, and it is taken for 0", stacklevel=4)

    def _keep(self, df, rows, floor, found, optimum, t, y, s):
        """Set what `predict` needs, in the form of the package Prophet."""
        if not len(s) or self.growth == "flat":
            optimum = optimum._replace(δ=np.zeros(max(len(s), 1)))
        self.changepoints_t = s if len(s) else np.zeros(1)
        β = optimum.β if len(optimum.β) else np.zeros(1)
        self.params = {"k": np.array([[optimum.k]]), "m": np.array([[optimum.m]]), "delta": optimum.δ[None],
                       "sigma_obs": np.array([[optimum.σ]]), "beta": β[None], "lp__": np.array([[-optimum.F[-1]]])}
        self.component_modes = found.modes
        members = {name: np.isin(np.arange(len(found.columns)), places).astype(np.int64)
                   for name, places in found.components.items()}
        self.train_component_cols = of_kind(df, members)
        names = self.known_holidays().names
        self.train_holiday_names = series_of_kind(df, np.array(names, object), None) if names else None
        columns = {"ds": rows.ds, "y": rows.y, **rows.regressors, **rows.conditions}
        columns["floor"] = np.full(len(t), 1.0) * floor
        if rows.cap is not None:
            columns["cap"], columns["cap_scaled"] = rows.cap, (rows.cap - floor) / self.y_scale
        self.history = of_kind(df, {**columns, "t": t, "y_scaled": y})

    def _fit_predictors(self, df):
        """A Prophet for each regressor that is to be forecast."""
        columns = columns_of(df)
        for name, regressor in self.extra_regressors.items():
            if regressor["predictor_spec"] is not None:
                model = type(self)(**{"random_state": self.random_state, **regressor["predictor_spec"]})
                regressor["predictor"] = model.fit(of_kind(df, {"ds": np.asarray(columns["ds"]),
                                                                "y": np.asarray(columns[name])}))

    # --- forecast

    def predict(self, df=None, vectorized=True):
        """The forecast: trend, components, yhat and the ends of their intervals, by date.

        Returns a table of the kind of `df`, else of that which was fitted.  Raises ValueError for bad input, and before
        `fit`.

        Parameters
        ----------
        df : data frame, dict of arrays or None, default=None
            Column ds (T,), and what `fit` asked for besides y; None for the history.
        vectorized : bool, default=True
            Not used: there is one way to draw.
        """
        rows, floor, sampled = self._rows(df)
        warn_of_unseen(self, rows, ticks_of(columns_of(self.history)["ds"]) / DAY)
        return of_kind(self.history if df is None else df, forecast(self, rows, floor, sampled))

    def predictive_samples(self, df, vectorized=True):
        """Futures that were drawn: {"yhat": (T, P), "trend": (T, P)}, P = uncertainty_samples.

        Raises ValueError as `predict` does.

        Parameters
        ----------
        df : data frame or dict of arrays
            As for `predict`.
        vectorized : bool, default=True
            Not used.
        """
        rows, floor, sampled = self._rows(df)
        if not self.uncertainty_samples:
            raise ValueError("uncertainty_samples=0: expected how many to draw")
        return samples(self, rows, floor, sampled)

    def _rows(self, df):
        """The rows to forecast, their floor, and what was drawn for regressors that are forecasts."""
        if self.history is None:
            raise ValueError("the model is not fitted; call fit first")
        self._check_parameters()
        logistic = self.growth == "logistic"
        forecasts = {name for name, regressor in self.extra_regressors.items() if regressor["predictor"] is not None}
        rows = read_rows(self.history if df is None else df, self._conditions(), self.extra_regressors,
                         needs_cap=logistic, needs_floor=self.logistic_floor, lacking=forecasts)
        sampled = None
        if df is not None and forecasts:
            rows, sampled = self._with_forecasts(rows, forecasts)
        floor = rows.floor if self.logistic_floor else self.y_min
        if self.logistic_floor and np.isnan(floor).any():
            raise ValueError("floor: expected a number in every row, got NaN")
        if logistic:
            check_cap(rows, floor)
        return rows if self.logistic_floor else rows._replace(floor=None), floor, sampled

    def _with_forecasts(self, rows, names):
        """The rows with the values of regressors that are forecast after the history, and what was drawn of these."""
        history, values, sampled = columns_of(self.history), dict(rows.regressors), {}
        seen = ticks_of(history["ds"])
        future = rows.ticks > seen[-1]
        for name in names:
            found = values.get(name, np.full(len(rows.ticks), np.nan)).copy()
            gaps = np.isnan(found) & ~future
            found[gaps] = np.interp(rows.ticks[gaps], seen, np.asarray(history[name], np.float64))
            model = self.extra_regressors[name]["predictor"]
            if future.any():
                there = {"ds": rows.ticks[future].astype("M8[us]")}
                found[future] = model.predict(there)["yhat"]
                if self.uncertainty_samples:
                    drawn = type(model).predictive_samples(_drawing(model, self.uncertainty_samples), there)["yhat"]
                    sampled[name] = np.repeat(found[:, None], self.uncertainty_samples, axis=1)
                    sampled[name][future] = drawn
            values[name] = found
        return rows._replace(regressors=values), sampled

    def regressor_place(self, name):
        """Which column of the curve a regressor is.  Raises ValueError for a name that is none.

        Parameters
        ----------
        name : str
            Of the regressor.
        """
        if name not in self.extra_regressors:
            raise ValueError(f"name={name!r}: expected a regressor, one of {list(self.extra_regressors)}")
        return int(np.flatnonzero(np.asarray(columns_of(self.train_component_cols)[name]))[0])

    def make_future_dataframe(self, periods, freq="D", include_history=True):
        """A table of dates that go on after the history.  Raises ValueError for a frequency that is not known.

        Parameters
        ----------
        periods : int
            How many.
        freq : str or None, default="D"
            A step as pandas names it: "D", "h", "15min", "W", "MS", "ME"; None for that of the last dates.
        include_history : bool, default=True
            Whether the dates (T,) of the history come before them.
        """
        if self.history is None:
            raise ValueError("the model is not fitted; call fit first")
        dates = np.asarray(self.history_dates)
        ticks = ticks_of(dates)
        found = later(ticks[-1], periods, freq, ticks).astype("M8[us]")
        if true_or_false(include_history, "include_history"):
            found = np.concatenate([dates.astype("M8[us]"), found])
        exact = found.astype(dates.dtype)
        return of_kind(self.history, {"ds": exact if (exact == found).all() else found})

    # --- pictures

    def plot(self, fcst, ax=None, uncertainty=True, plot_cap=True, xlabel="ds", ylabel="y", figsize=(10, 6),
             include_legend=False):
        """A matplotlib figure of the values and a forecast.  Raises ImportError where matplotlib is missing.

        Parameters
        ----------
        fcst : data frame or dict of arrays
            What `predict` returned (T,).
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.
        uncertainty, plot_cap : bool, default=True
            Whether intervals, and what the trend cannot exceed, are drawn.
        xlabel : str, default="ds"
            Name of the axis of time.
        ylabel : str, default="y"
            And of the other.
        figsize : tuple, default=(10, 6)
            Its size in inches.
        include_legend : bool, default=False
            Whether it has a legend.
        """
        return prophet_plots.plot(self, fcst, ax, uncertainty, plot_cap, xlabel, ylabel, figsize, include_legend)

    def plot_components(self, fcst, uncertainty=True, plot_cap=True, weekly_start=0, yearly_start=0, figsize=None):
        """A matplotlib figure of trend, holidays, seasons and regressors.  Raises ImportError without matplotlib.

        Parameters
        ----------
        fcst : data frame or dict of arrays
            What `predict` returned (T,).
        uncertainty, plot_cap : bool, default=True
            Whether the interval of the trend, and what it cannot exceed, are drawn.
        weekly_start, yearly_start : int, default=0
            With which day a week begins, 0 for Sunday, and how many days after 1 January a year.
        figsize : tuple or None, default=None
            Its size in inches.
        """
        return prophet_plots.plot_components(self, fcst, uncertainty, plot_cap, weekly_start, yearly_start, figsize)


def regressor_coefficients(m):
    """By how much a step of 1 of each regressor (R,) changes y, or the trend's share: a table with a row for each.

    Columns regressor, regressor_mode, center, coef, and its ends coef_lower and coef_upper, the same where nothing is
    sampled.  Raises ValueError for a model that is not fitted, or has none.

    Parameters
    ----------
    m : Prophet
        A fitted one.
    """
    if m.history is None or not m.extra_regressors:
        raise ValueError("m: expected a fitted Prophet with a regressor")
    rows = []
    for name, regressor in m.extra_regressors.items():
        unit = (m.y_scale if regressor["mode"] == "additive" else 1) / regressor["std"]
        rows.append((name, regressor["mode"], regressor["mu"], m.params["beta"][0, m.regressor_place(name)] * unit))
    names, modes, centers, coefficients = zip(*rows)
    coefficients = np.array(coefficients)
    return of_kind(m.history, {
        "regressor": np.array(names, object), "regressor_mode": np.array(modes, object), "center": np.array(centers),
        "coef_lower": coefficients, "coef": coefficients, "coef_upper": coefficients})


def _drawing(model, P):
    """A copy of `model` that draws P futures."""
    twin = copy.copy(model)
    twin.uncertainty_samples = P
    return twin
