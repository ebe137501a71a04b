"""How good would its forecasts have been?  Cut the history off again and again, forecast, and sort errors by horizon.

From each cutoff the model learns all that lies before it, and forecasts what lies up to a horizon behind it.  An error
of a day ahead and one of a year ahead are two things, so the table has a row for each horizon.  Of a single horizon
there are as many errors as cutoffs, few, so each row is a mean over a window of rows: those of its horizon and of
shorter ones, until there are w.  The shortest of them counts by a part, such that there are w exactly.

Symbols
    d  (T,)    when there are values, ascending
    H, P, I    horizon, period from one cutoff to the next, and the least time before the first
    x  (n,)    errors
    h  (n,)    their horizons, ascending
    w          how many errors a window has

Equations
    (1)  c = d_T - H, d_T - H - P, ... while c >= d_1 + I                           cutoffs
    (2)  mean of the last w errors up to h, those of the least horizon alike        rolling_mean_by_h
    (3)  median of all errors of h, or if they are fewer of the last w              rolling_median_by_h

Choices
    Where no value lies between a cutoff and H behind it, the cutoff goes back to H before the last value there is.
    Horizons that have no full window have no row.
    A fold has the seasons, the scaling and the parameters of the model that is passed, and as many places to bend.
    Errors relative to a value of 0 are infinite, or 0 if they are none; "mape" is left out where a value is near 0.

Cost
    A fit and a forecast for each cutoff; O(n log n) for the table.

>>> h, means = rolling_mean_by_h(np.array([1.0, 2, 4, 8]), np.array([1, 2, 2, 3]), 2)
>>> h.tolist(), means.tolist()
([2, 3], [3.0, 5.5])

Source: S. Taylor and B. Letham, "Forecasting at scale", The American Statistician 72 (2018), section 4.
"""
import warnings

import numpy as np

from scratchml.core.checks import in_order, one_of, real_number, true_or_false
from scratchml.core.random import generator
from scratchml.timeseries import prophet_plots
from scratchml.timeseries.prophet import Prophet
from scratchml.timeseries.prophet_tables import DAY, columns_of, duration, length_of, numbers, of_kind, ticks_of

PARALLEL = ("threads", "processes", "dask")
NEAR_ZERO = 1e-8                                         # a value of which no share is taken on average

# --- the equations -------------------------------------------------------------------------------


def cutoffs(d, H, P, I):
    """(1)  c = d_T - H, d_T - H - P, ... while c >= d_1 + I

    Ascending.  Raises ValueError where there is none.

    Shapes: d (T), H, P, I -> (K)
    """
    c, found = d[-1] - H, []
    if c < d[0]:
        raise ValueError("horizon: the history is shorter than the horizon; make the horizon shorter")
    while c >= d[0] + I:
        found.append(c)
        c = c - P
        nearest = np.searchsorted(d, c, "right")         # the first value behind the cutoff
        if d[nearest if c >= d[0] else 0] > c + H and c > d[0]:
            c = d[nearest - 1] - H
    if not found:
        raise ValueError("initial: no cutoff has as much time before it and the horizon behind it; make one of them "
                         "shorter")
    return np.array(found[::-1])


def rolling_mean_by_h(x, h, w):
    """(2)  mean of the last w errors up to h, those of the least horizon alike

    Returns the horizons and the means.

    Shapes: x (n), h (n), w -> (K), (K)
    """
    horizons, first = np.unique(h, return_index=True)
    N = np.append(first, len(x))                         # errors before each horizon
    full = np.flatnonzero(N[1:] >= w)
    means = []
    for stop in N[full + 1]:
        j = np.searchsorted(N, stop - w, "right") - 1    # the horizon that the window begins in
        least = x[N[j]:N[j + 1]]
        rest = x[N[j + 1]:stop]
        means.append(((w - len(rest)) * least.mean() + rest.sum()) / w)
    return horizons[full], np.array(means, np.float64)


def rolling_median_by_h(x, h, w):
    """(3)  median of all errors of h, or if they are fewer of the last w

    Returns the horizons and the medians.

    Shapes: x (n), h (n), w -> (K), (K)
    """
    horizons, first = np.unique(h, return_index=True)
    last = np.append(first[1:], len(x))
    full = last >= w
    medians = [np.median(x[min(start, stop - w):stop]) for start, stop in zip(first[full], last[full])]
    return horizons[full], np.array(medians, np.float64)


# --- folds ---------------------------------------------------------------------------------------


def cross_validation(model, horizon, period=None, initial=None, parallel=None, cutoffs=None, disable_tqdm=False,
                     extra_output_columns=None):
    """Forecasts from cutoffs in the past, each from what was known there, beside what came.

    Returns a table of the kind that the model was fitted to: ds, yhat, the ends of its interval, y and cutoff (T,).
    Raises ValueError for a model that is not fitted, and where no cutoff has time enough before and behind it.

    Parameters
    ----------
    model : Prophet
        A fitted one; it is not changed.
    horizon : str or timedelta
        How far is forecast: "365 days", "12 hours".
    period : str, timedelta or None, default=None
        From one cutoff to the next; None for half the horizon.
    initial : str, timedelta or None, default=None
        Least time before the first cutoff; None for three horizons, or the longest season if that is more.
    parallel : str, object or None, default=None
        Not used: each fit and forecast uses all cores.
    cutoffs : array (K,) of dates or None, default=None
        The cutoffs themselves, in place of `period` and `initial`.
    disable_tqdm : bool, default=False
        Not used: there is no progress bar.
    extra_output_columns : str, list of str or None, default=None
        What else of the forecast is kept, such as "trend".
    """
    if not isinstance(model, Prophet) or model.history is None:
        raise ValueError(f"model: expected a fitted Prophet, got {type(model).__name__}"
                         + (", not fitted" if isinstance(model, Prophet) else ""))
    if not (parallel is None or parallel in PARALLEL or not isinstance(parallel, str) and hasattr(parallel, "map")):
        raise ValueError(f"'parallel' should be one of {', '.join(PARALLEL)}, or an object with a method map")
    history = {name: np.asarray(values) for name, values in columns_of(model.history).items()}
    d, H = ticks_of(history["ds"]), duration(horizon, "horizon")
    c = _cutoffs(model, d, H, period, initial, cutoffs)
    wanted = ["ds", "yhat"] + ["yhat_lower", "yhat_upper"] * bool(model.uncertainty_samples)
    wanted += [name for name in _names(extra_output_columns) if name not in wanted]
    rng, parts, said = generator(model.random_state), [], {}
    for cutoff in c:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parts.append(_fold(model, history, d, cutoff, H, wanted, rng))
        for message in {str(one.message) for one in caught}:
            said[message] = said.get(message, 0) + 1
    for message, count in said.items():
        warnings.warn(f"in {count} of {len(c)} folds: {message}", stacklevel=2)
    return of_kind(model.history, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _cutoffs(model, d, H, period, initial, given):
    """Where folds end, in microseconds."""
    longest = int(max((season["period"] for season in model.seasonalities.values()), default=0) * DAY)
    if given is None:
        P = H // 2 if period is None else duration(period, "period")
        least = max(3 * H, longest) if initial is None else duration(initial, "initial")
        c = cutoffs(d, H, max(P, 1), least)
    else:
        c = ticks_of(given if in_order(given) else [given], "cutoffs")
        if c.min() <= d[0] or c.max() > d[-1] - H:
            raise ValueError(f"cutoffs: expected times after the first of the history, {d[0].astype('M8[us]')}, and up "
                             f"to a horizon before the last, {(d[-1] - H).astype('M8[us]')}")
        least = c.min() - d[0]
    if least < longest:
        warnings.warn(f"initial: the first fold learns from {least / DAY:.0f} days, less than the longest season, "
                      f"{longest / DAY:.0f} days; make it longer", stacklevel=3)
    return c


def _fold(model, history, d, cutoff, H, wanted, rng):
    """The forecast of one fold, y and cutoff by column."""
    past, ahead = d <= cutoff, (d > cutoff) & (d <= cutoff + H)
    if past.sum() < 2:
        raise ValueError(f"initial: before the cutoff {cutoff.astype('M8[us]')} there are less than two values; make "
                         "it longer")
    fold = model.unfitted(d[past][-1], rng)
    fold.fit({name: values[past] for name, values in history.items() if name in fold.columns("y")})
    test = {name: values[ahead] for name, values in history.items()
            if name in fold.columns() and model.extra_regressors.get(name, {}).get("predictor_spec") is None}
    found = fold.predict(test) if ahead.any() else dict.fromkeys(wanted, np.zeros(0))
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise ValueError(f"extra_output_columns: expected columns of the forecast, {', '.join(found)}, got "
                         f"{unknown[0]!r}")
    kept = {name: found[name] for name in wanted}
    kept["ds"] = history["ds"][ahead]
    return {**kept, "y": history["y"][ahead], "cutoff": np.full(ahead.sum(), cutoff).astype("M8[us]")}


def _names(names):
    return [] if names is None else [names] if isinstance(names, str) else list(names)


# --- the table -----------------------------------------------------------------------------------


def _mse(errors, w):
    return _rolled(errors["error"] ** 2, errors, w)


def _rmse(errors, w):
    h, found = _mse(errors, w)
    return h, np.sqrt(found)


def _mae(errors, w):
    return _rolled(abs(errors["error"]), errors, w)


def _mape(errors, w):
    return _rolled(abs(errors["error"] / errors["y"]), errors, w)


def _mdape(errors, w):
    shares = _share(abs(errors["error"]), abs(errors["y"]))
    return (errors["horizon"], shares) if w < 0 else rolling_median_by_h(shares, errors["horizon"], w)


def _smape(errors, w):
    return _rolled(_share(abs(errors["error"]), (abs(errors["y"]) + abs(errors["yhat"])) / 2), errors, w)


def _coverage(errors, w):
    inside = (errors["y"] >= errors["yhat_lower"]) & (errors["y"] <= errors["yhat_upper"])
    return _rolled(inside.astype(np.float64), errors, w)


def _rolled(x, errors, w):
    return (errors["horizon"], x) if w < 0 else rolling_mean_by_h(x, errors["horizon"], w)


def _share(part, whole):
    """part / whole, 0 where there is no part."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(part == 0, 0.0, part / whole)


METRICS = {"mse": _mse, "rmse": _rmse, "mae": _mae, "mape": _mape, "mdape": _mdape, "smape": _smape,
           "coverage": _coverage}
registered = {}                                          # those of `register_performance_metric`


def register_performance_metric(func):
    """Let `performance_metrics` know a metric by the name of its function.  Returns it.

    It is called with the rows (T,) sorted by horizon, a table of the kind of `cross_validation` with a column horizon,
    and the size of the window, negative for none; it returns a table with columns horizon and its name.  Raises
    ValueError for what cannot be called.

    Parameters
    ----------
    func : callable
        The metric.
    """
    if not callable(func):
        raise ValueError(f"func={func!r}: expected a function of a table and a window")
    registered[func.__name__] = func
    return func


def performance_metrics(df, metrics=None, rolling_window=0.1, monthly=False):
    """Errors by horizon: a table with a row for each horizon, of the kind of `df` (T,); None if no metric is left.

    Raises ValueError for a metric that there is not, or twice, and a table without the columns of `cross_validation`.

    Parameters
    ----------
    df : data frame or dict of arrays
        What `cross_validation` returned.
    metrics : list of str or None, default=None
        Among "mse", "rmse", "mae", "mape", "mdape", "smape", "coverage" and those registered; None for these seven.
    rolling_window : float, default=0.1
        Which share of the rows a window has; 0 for a mean of each horizon, 1 for one of all, negative for no means.
    monthly : bool, default=False
        Whether horizons are counted in months.
    """
    wanted = list(METRICS) if metrics is None else _names(metrics)
    for name in wanted:
        one_of(name, "metrics", (*METRICS, *registered))
    if len(set(wanted)) < len(wanted):
        raise ValueError(f"metrics: expected each once, got {wanted}")
    columns = columns_of(df)
    errors = _errors(columns, true_or_false(monthly, "monthly"))
    if "yhat_lower" not in errors:
        wanted = [name for name in wanted if name != "coverage"]
    if "mape" in wanted and abs(errors["y"]).min() < NEAR_ZERO:
        wanted.remove("mape")
    if not wanted:
        return None
    share = real_number(rolling_window, "rolling_window", least=-np.inf)
    w = -1 if share < 0 else min(max(int(share * len(errors["y"])), 1), len(errors["y"]))
    found = {name: registered[name](of_kind(df, errors), w) if name in registered else METRICS[name](errors, w)
             for name in wanted}
    horizon = None
    for name, values in found.items():
        if name in registered:
            table = columns_of(values, name)
            values = np.asarray(table["horizon"]), np.asarray(table[name])
        horizon = values[0] if horizon is None else horizon
        if len(horizon) != len(values[0]):
            raise ValueError(f"metrics: {name!r} has {len(values[0])} horizons, others have {len(horizon)}")
        found[name] = values[1]
    return of_kind(df, {"horizon": horizon, **found})


def _errors(columns, monthly):
    """What metrics are made of, rows sorted by horizon."""
    missing = [name for name in ("ds", "cutoff", "y", "yhat") if name not in columns]
    if missing:
        raise ValueError(f"df: expected the columns of cross_validation, but there is no {missing[0]!r}")
    if length_of(columns) == 0:
        raise ValueError("df: expected at least one row, got none")
    ds, cutoff = ticks_of(columns["ds"]), ticks_of(columns["cutoff"], "cutoff")
    if monthly:
        to, since = (ticks.astype("M8[us]").astype("M8[M]").astype(np.int64) for ticks in (ds, cutoff))
        horizon = to - since
    else:
        horizon = (ds - cutoff).astype("m8[us]")
    order = np.argsort(horizon, kind="stable")
    found = {name: numbers(columns[name], name)[order] for name in ("y", "yhat", "yhat_lower", "yhat_upper")
             if name in columns}
    if "yhat_upper" not in found:
        found.pop("yhat_lower", None)
    times = {"ds": ds[order].astype("M8[us]"), "cutoff": cutoff[order].astype("M8[us]")}
    return {**times, **found, "error": found["y"] - found["yhat"], "horizon": horizon[order]}


def plot_cross_validation_metric(df_cv, metric, rolling_window=0.1, ax=None, figsize=(10, 6), color="b",
                                 point_color="gray"):
    """A matplotlib figure of the errors of all rows (T,), as dots, and a metric by horizon, as a line.

    Raises ValueError as `performance_metrics` does, ImportError where matplotlib is missing.

    Parameters
    ----------
    df_cv : data frame or dict of arrays
        What `cross_validation` returned.
    metric : str
        One of those of `performance_metrics`.
    rolling_window : float, default=0.1
        As there.
    ax : matplotlib Axes or None, default=None
        Where to draw; None for a new figure.
    figsize : tuple, default=(10, 6)
        Its size in inches.
    color : str, default="b"
        Of the line.
    point_color : str, default="gray"
        Of the dots.
    """
    rolled = performance_metrics(df_cv, [metric], rolling_window)
    if rolled is None:
        raise ValueError(f"metric={metric!r}: cannot be had of these rows; values are near 0, or there are no "
                         "intervals")
    each, rolled = columns_of(performance_metrics(df_cv, [metric], -1)), columns_of(rolled)
    figure, (axes,) = prophet_plots.figure_and_axes(ax, figsize)
    dots = dict(linestyle="", marker=".", color=point_color, alpha=0.4)
    for table, style in ((each, dots), (rolled, dict(color=color))):
        days = np.asarray(table["horizon"]).astype("m8[us]").astype(np.int64) / DAY
        axes.plot(days, np.asarray(table[metric]), **style)
    axes.set(xlabel="horizon in days", ylabel=metric)
    axes.grid(True, color="gray", alpha=0.2)
    return figure
