"""Pictures of a forecast: the values and what lies ahead, and the components."""
import sys

import numpy as np

from scratchml.core.checks import whole_number
from scratchml.timeseries.prophet_design import REGRESSORS
from scratchml.timeseries.prophet_tables import columns_of, ticks_of
from scratchml.timeseries.trend_season import fourier

BLUE, PALE = "#0072B2", 0.2                              # colour of a forecast, opacity of its interval
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def figure_and_axes(ax, figsize, rows=1):
    """The figure of `ax`, or a new one, and its axes; shown by pyplot only if that is in use."""
    if ax is not None:
        return ax.get_figure(), [ax]
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('pictures need matplotlib: pip install "scratchml[tour]"') from error
    pyplot = sys.modules.get("matplotlib.pyplot")
    figure = (pyplot.figure if pyplot else Figure)(figsize=figsize, layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(rows, 1)))


def plot(model, fcst, ax, uncertainty, plot_cap, xlabel, ylabel, figsize, include_legend):
    """The history as dots, the forecast as a line with its interval."""
    columns, history = columns_of(fcst, "fcst"), columns_of(model.history)
    figure, (axes,) = figure_and_axes(ax, figsize)
    times = _dates(columns["ds"])
    axes.plot(_dates(history["ds"]), history["y"], "k.", markersize=3, label="observed")
    axes.plot(times, columns["yhat"], color=BLUE, label="forecast")
    _limits(axes, times, columns, plot_cap)
    if uncertainty and "yhat_lower" in columns:
        axes.fill_between(times, columns["yhat_lower"], columns["yhat_upper"], color=BLUE, alpha=PALE, linewidth=0,
                          label="interval")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    _grid(axes)
    if include_legend:
        axes.legend()
    return figure


def plot_components(model, fcst, uncertainty, plot_cap, weekly_start, yearly_start, figsize):
    """One panel for the trend, the holidays, each season over one period, and the regressors of each mode."""
    whole_number(weekly_start, "weekly_start", least=0)
    whole_number(yearly_start, "yearly_start", least=0)
    columns = columns_of(fcst, "fcst")
    panels = ["trend"] + [name for name in ("holidays", *model.seasonalities, *REGRESSORS) if name in columns]
    figure, all_axes = figure_and_axes(None, figsize or (9, 3 * len(panels)), len(panels))
    for axes, name in zip(all_axes, panels):
        if name in model.seasonalities:
            _season(axes, model, name, {"weekly": weekly_start, "yearly": yearly_start}.get(name, 0))
        else:
            _component(axes, columns, name, uncertainty)
            if name == "trend":
                _limits(axes, _dates(columns["ds"]), columns, plot_cap)
        if name in model.component_modes["multiplicative"]:
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_ylabel(name)
        _grid(axes)
    return figure


def add_changepoints_to_plot(ax, m, fcst, threshold=0.01, cp_color="r", cp_linestyle="--", trend=True):
    """Draw the trend, and a line where it bends, into the axes that `Prophet.plot` drew in.

    Returns what was drawn.  Raises ValueError for a model that is not fitted.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    m : Prophet
        A fitted one, with S places to bend (S,).
    fcst : data frame or dict of arrays
        What its `predict` returned.
    threshold : float, default=0.01
        From which change of slope on a bend is drawn.
    cp_color : str, default="r"
        Its colour.
    cp_linestyle : str, default="--"
        And how the line is drawn.
    trend : bool, default=True
        Whether the trend is drawn.
    """
    if m.history is None:
        raise ValueError("m: the model is not fitted; call fit first")
    columns, drawn = columns_of(fcst, "fcst"), []
    if trend:
        drawn += ax.plot(_dates(columns["ds"]), columns["trend"], color=cp_color)
    bends = _dates(m.changepoints) if len(m.changepoints) else []
    for time, change in zip(bends, m.params["delta"][0]):
        if abs(change) >= threshold:
            drawn.append(ax.axvline(time, color=cp_color, linestyle=cp_linestyle))
    return drawn


def _dates(values):
    return ticks_of(values).astype("M8[us]")


def _grid(axes):
    axes.grid(True, color="gray", alpha=PALE)


def _limits(axes, times, columns, wanted):
    for name in ("cap", "floor"):
        if wanted and name in columns:
            axes.plot(times, columns[name], "k--", linewidth=1, label=name)


def _component(axes, columns, name, uncertainty):
    times = _dates(columns["ds"])
    axes.plot(times, columns[name], color=BLUE)
    if uncertainty and f"{name}_lower" in columns:
        axes.fill_between(times, columns[f"{name}_lower"], columns[f"{name}_upper"], color=BLUE, alpha=PALE,
                          linewidth=0)


def _season(axes, model, name, start):
    """A season over one period: a week from Sunday, a year from January, others from 1970 on."""
    period = model.seasonalities[name]["period"]
    first = {"weekly": 3, "yearly": 17_167}.get(name, 0) + start         # 1970-01-04 was a Sunday, 17,167 is 2017-01-01
    days = first + np.linspace(0, period, 400)
    axes.plot(days - first, season_values(model, name, days), color=BLUE)
    if name == "weekly":
        axes.set_xticks(range(8), [WEEKDAYS[(start + k) % 7] for k in range(8)])
    elif name == "yearly":
        months = np.arange("2017-01", "2018-02", dtype="M8[M]").astype("M8[D]")
        places = (months.astype(np.int64) - first) % 365
        axes.set_xticks(places[:-1], [str(month)[5:] for month in months[:-1]])
    axes.set_xlabel({"weekly": "day of the week", "yearly": "day of the year"}.get(name, "days"))


def season_values(model, name, days):
    """What a season adds, in units of y, or by which share it multiplies, on `days` (T,) since 1970."""
    season = model.seasonalities[name]
    places = np.flatnonzero(np.asarray(columns_of(model.train_component_cols)[name]))
    values = fourier(days, float(season["period"]), season["fourier_order"]) @ model.params["beta"][0, places]
    return values * (model.y_scale if season["mode"] == "additive" else 1)
