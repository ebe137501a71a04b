"""What a fitted `Prophet` says of rows: the trend, each component, and between which values a value lies."""
import warnings
from typing import NamedTuple

import numpy as np

from scratchml.core.distributions import normal_isf
from scratchml.core.random import generator
from scratchml.timeseries.prophet_design import design, standardised
from scratchml.timeseries.prophet_rows import far_phases
from scratchml.timeseries.trend_paths import deviations, draw_changes, quantiles, run_blocks
from scratchml.timeseries.trend_season import linear_trend, sigmoid


class Curve(NamedTuple):
    """The expected values of rows and what they are made of; all but `floor` in units of y_scale above it."""
    t: np.ndarray                                        # (T,) 0 to 1 in the history
    z: np.ndarray                                        # (T,) (3) of trend_season, for a logistic trend its logit
    C: np.ndarray | None                                 # (T,) for a logistic trend
    floor: np.ndarray                                    # (T,)
    times: np.ndarray                                    # (T,) what the trend is multiplied by
    plus: np.ndarray                                     # (T,) what is added
    components: dict                                     # {name: (T,)}, those added in units of y

    def trend(self, D=0.0):
        """(T,), or (T, P) for deviations D (T, P) of z."""
        def along(values):
            return values[:, None] if np.ndim(D) else values
        z = along(self.z) + D
        return z if self.C is None else along(self.C) * sigmoid(z)

    def only(self, rows):
        """Those rows, without components."""
        return Curve(*(None if values is None else values[rows] for values in self[:6]), {})


def curve_of(model, rows, floor):
    """The `Curve` of a fitted model for `rows`, regressors standardised."""
    k, m, δ, β = (model.params[name][0] for name in ("k", "m", "delta", "beta"))
    k, m = float(k[0]), float(m[0])
    t = (rows.ticks - _ticks(model.start)) / float(_ticks(model.t_scale))
    C = None
    if model.growth == "flat":
        z = np.full(len(t), m)
    elif model.growth == "linear":
        z = linear_trend(t, model.changepoints_t, k, m, δ)
    else:
        C = (rows.cap - floor) / model.y_scale
        z = linear_trend(t, model.changepoints_t, k, -k * m if k else 0.0, δ)
    found = design_of(model, rows)
    effects = found.X * β[:len(found.columns)]
    times, plus = 1 + effects @ found.multiplies, effects @ (1 - found.multiplies)
    components = {}
    for name, columns in found.components.items():
        added = name in model.component_modes["additive"]
        components[name] = effects[:, columns].sum(1) * (model.y_scale if added else 1)
    return Curve(t, z, C, np.broadcast_to(floor, t.shape), times, plus, components)


def design_of(model, rows):
    """The columns of the curve for `rows`."""
    values = {name: standardised(rows.regressors[name], regressor)
              for name, regressor in model.extra_regressors.items()}
    return design(rows.days, model.seasonalities, rows.conditions, model.known_holidays(), model.holidays_mode,
                  model.holidays_prior_scale, model.extra_regressors, values)


def _ticks(time):
    return int(time.astype(np.int64))


def forecast(model, rows, floor, sampled=None):
    """{column: (T,)}, in the order of the package Prophet's.

    `sampled`, {regressor: (T, P)}, are values drawn for regressors that are themselves forecasts.
    """
    curve = curve_of(model, rows, floor)
    scale, found = model.y_scale, {"ds": rows.ds, "trend": curve.floor + model.y_scale * curve.trend()}
    if rows.cap is not None:
        found["cap"] = rows.cap
    if model.logistic_floor:
        found["floor"] = curve.floor
    if model.uncertainty_samples:
        found |= intervals(model, curve, sampled)
    for name, values in curve.components.items():
        found[name] = values
        if model.uncertainty_samples:
            found[f"{name}_lower"] = found[f"{name}_upper"] = values
    found["yhat"] = curve.floor + scale * (curve.trend() * curve.times + curve.plus)
    return found


def intervals(model, curve, sampled=None):
    """The ends of the intervals of yhat and trend: of what is drawn for the future, of the noise alone for the past."""
    share = (1 - model.interval_width) / 2
    σ, scale = float(model.params["sigma_obs"][0, 0]), model.y_scale
    trend = curve.floor + scale * curve.trend()
    yhat, half = curve.floor + scale * (curve.trend() * curve.times + curve.plus), normal_isf(share) * σ * scale
    ends = {"yhat_lower": yhat - half, "yhat_upper": yhat + half, "trend_lower": trend, "trend_upper": trend.copy()}
    future = curve.t > 1 if model.growth != "flat" else np.zeros(len(trend), bool)
    for values in (sampled or {}).values():              # (T, P), the same in every path where a value was known
        future |= np.ptp(values, axis=1) > 0
    future = np.flatnonzero(future)

    def keep(rows, V, trends):
        at = future[rows]
        ends["yhat_lower"][at], ends["yhat_upper"][at] = quantiles(V, [share, 1 - share])
        ends["trend_lower"][at], ends["trend_upper"][at] = quantiles(trends, [share, 1 - share])
    _draw(model, curve, future, sampled, keep)
    return ends


def samples(model, rows, floor, sampled=None):
    """{"yhat": (T, P), "trend": (T, P)}, drawn."""
    curve, P = curve_of(model, rows, floor), model.uncertainty_samples
    found = {name: np.empty((len(curve.t), P)) for name in ("yhat", "trend")}

    def keep(rows, V, trends):
        found["yhat"][rows], found["trend"][rows] = V, trends
    _draw(model, curve, np.arange(len(curve.t)), sampled, keep)
    return found


def _draw(model, curve, at, sampled, keep):
    """`keep(rows of at, values, trends)`, both (rows, P), for blocks of the rows `at` of a curve."""
    if not len(at):
        return
    P, scale, σ = model.uncertainty_samples, model.y_scale, float(model.params["sigma_obs"][0, 0])
    rng = generator(model.random_state)
    end = curve.t.max() if model.growth != "flat" else 1.0
    changes = draw_changes(rng, end, model.params["delta"][0], len(model.changepoints_t), P)

    def work(rows, rng):
        part = curve.only(at[rows])
        trend = part.trend(deviations(part.t, *changes, P))
        times, plus = part.times[:, None], part.plus[:, None]
        for name, values in (sampled or {}).items():
            β = model.params["beta"][0, model.regressor_place(name)] / model.extra_regressors[name]["std"]
            more = β * (values[at[rows]] - values[at[rows]].mean(axis=1, keepdims=True))
            times, plus = (times + more, plus) if model.extra_regressors[name]["mode"] == "multiplicative" else \
                (times, plus + more)
        noise, V, floor = rng.standard_normal(trend.shape), trend * times, part.floor[:, None]
        noise *= σ                                       # in place: what is new has to be fetched from the system
        V += plus
        V += noise
        for values in (V, trend):
            values *= scale
            values += floor
        keep(rows, V, trend)
    run_blocks(work, len(at), P, rng)


def warn_of_unseen(model, rows, history):
    """Warns of each season whose phase in some of `rows` lies far from all those that were learned from."""
    for name, season in model.seasonalities.items():
        if season["condition_name"] is None and far_phases(
                history, rows.days, season["period"], season["fourier_order"]):
            warnings.warn(f"{name}: some times to forecast lie where the history has none within the {name} season, "
                          "and the season may be anything there; forecast at the steps of the history, or give the "
                          "season fewer waves", stacklevel=4)
