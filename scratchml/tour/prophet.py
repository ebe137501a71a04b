"""Page views forecast by Prophet's model, without Stan: holidays, intervals that hold too little, and a season of
months.

The page is that of a quarterback: seasons of football, weeks, playoffs and superbowls are all in it.  F is the negative
logarithm of the posterior: less is better, and what the package's optimiser reached is beside what is exact.

Then the forecasts are judged: from eleven cutoffs a year ahead.  Of intervals that promise 80 percent, 59 hold what
came, ours and the package's alike: the model says how the trend may bend, and nothing of how wrong it is.  Conformal
intervals beside them are as wide as the errors of earlier cutoffs were, at about the same horizon.

Last, carbon dioxide by the month.  A season of ten waves has seen twelve days of the year, and goes through these; on
days between them it may be anything.
"""
import warnings

import numpy as np

from scratchml.datasets import load_co2, load_peyton_manning
from scratchml.timeseries.conformal import absolute_errors, intervals, widths
from scratchml.timeseries.prophet import Prophet
from scratchml.timeseries.prophet_diagnostics import cross_validation, performance_metrics
from scratchml.timeseries.prophet_plots import add_changepoints_to_plot, season_values
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.timeseries.prophet"
DATA = "page views of Wikipedia by the day, carbon dioxide over Hawaii by the month"
PEER = "prophet 1.5.0"
PLAYOFFS = ("2008-01-13", "2009-01-03", "2010-01-16", "2010-01-24", "2010-02-07", "2011-01-08", "2013-01-12",
            "2014-01-12", "2014-01-19", "2014-02-02", "2015-01-11", "2016-01-17", "2016-01-24", "2016-02-07")
SUPERBOWLS = ("2010-02-07", "2014-02-02", "2016-02-07")
FITS = (                                                 # name, parameters, cap, F that prophet reaches
    ("linear", {}, None, "-8004.69"), ("multiplicative", {"seasonality_mode": "multiplicative"}, None, "-8012.15"),
    ("logistic", {"growth": "logistic"}, 14.0, "-7903.43"), ("with games", {}, None, "-8154.96"))
BY_HORIZON = {                                           # of prophet: mean absolute error, share of it, coverage
    37: (".506", "5.86 %", ".68"), 90: (".540", "6.46 %", ".61"), 180: (".601", "7.04 %", ".60"),
    270: (".658", "8.01 %", ".56"), 365: (".891", "10.65 %", ".49")}
BIN = 30                                                 # days of horizon whose errors go together


def run(seed, pictures, full):
    """Rows of the table: four fits, a forecast, errors over all; what games add, errors by horizon, months and days."""
    views = page_views()
    Prophet(random_state=seed).fit(views).predict()      # compiles
    fitted = {}
    for name, parameters, cap, stated in FITS:
        holidays = games() if name == "with games" else None
        model = Prophet(random_state=seed, holidays=holidays, **parameters)
        df = views if cap is None else {**views, "cap": np.full(len(views["y"]), cap)}
        fitted[name], seconds = timed(model.fit, df)
        yield Row(f"page views, {name}: F", f"{-model.params['lp__'].item():.2f}", stated, PEER, seconds)
    model = fitted["linear"]
    forecast, seconds = timed(model.predict, model.make_future_dataframe(365))
    last = [forecast[name][-1] for name in ("yhat", "yhat_lower", "yhat_upper")]
    yield Row("forecast for 2017-01-19, and its interval", "{:.2f} [{:.2f}, {:.2f}]".format(*last), "8.16 [7.48, 8.90]",
              PEER, seconds)
    found, seconds = timed(cross_validation, model, "365 days", "180 days", "730 days")
    over_all = performance_metrics(found, rolling_window=1)
    yield Row("11 cutoffs: mean absolute error", f"{over_all['mae'][0]:.3f}", ".630", PEER, seconds)
    yield Row("11 cutoffs: 80 % intervals hold", f"{over_all['coverage'][0]:.2f}", ".59", PEER)
    games_add = fitted["with games"].predict({"ds": np.array(["2014-02-02", "2014-02-03"], "M8[D]")})
    yield Example("What games add to the logarithm of the views, and the next day:", columns(
        [(name, *(f"{value:+.2f}" for value in games_add[name])) for name in ("playoff", "superbowl")]))
    yield Example("By horizon: mean absolute error, share, coverage; the same of prophet:",
                  columns(list(by_horizon(found))))
    yield Example("The same 80 percent from errors of earlier cutoffs, over the cutoffs that have such:",
                  columns(list(conformal(found))))
    carbon = Prophet(random_state=seed).fit(series(load_co2))
    yield Example("Carbon dioxide by the month: its season in ppm, lowest and highest:",
                  columns(list(months_and_days(carbon))))
    if pictures:
        draw(pictures, fitted["with games"], found, carbon)


def series(load):
    found = load()
    return {"ds": found.times, "y": found.values}


def page_views():
    return series(load_peyton_manning)


def games():
    """The table of playoffs and superbowls, each with the day after it."""
    n = len(PLAYOFFS) + len(SUPERBOWLS)
    return {"holiday": ["playoff"] * len(PLAYOFFS) + ["superbowl"] * len(SUPERBOWLS), "ds": PLAYOFFS + SUPERBOWLS,
            "lower_window": [0] * n, "upper_window": [1] * n}


def by_horizon(found):
    """(days, ours, prophet's) at some horizons."""
    table = performance_metrics(found, ["mae", "mape", "coverage"])
    days = (table["horizon"] / np.timedelta64(1, "D")).astype(int).tolist()
    for horizon, stated in BY_HORIZON.items():
        mae, mape, coverage = (table[name][days.index(horizon)] for name in ("mae", "mape", "coverage"))
        yield (f"{horizon} days", f"{mae:.3f}"[1:], f"{100 * mape:.2f} %", f"{coverage:.2f}"[1:], "", *stated)


def conformal(found, α=0.2):
    """(what, coverage, mean width) of the model's intervals, and of such as wide as earlier errors were.

    A cutoff knows the errors of those whose year was over by then, of horizons in the same 30 days.
    """
    cutoff, bins = found["cutoff"], ((found["ds"] - found["cutoff"]) / np.timedelta64(BIN, "D")).astype(int)
    lower, upper = np.full((2, len(bins)), np.nan)
    for now in np.unique(cutoff):
        for k in np.unique(bins):
            over = (cutoff + np.timedelta64(365, "D") <= now) & (bins == k)
            if over.any():
                here = (cutoff == now) & (bins == k)
                q = widths(absolute_errors(found["y"][over, None], found["yhat"][over, None]), α)
                ends = intervals(found["yhat"][here, None], q)
                lower[here], upper[here] = (end[:, 0] for end in ends)
    there = ~np.isnan(lower)
    for name, low, high in (("the model's", found["yhat_lower"], found["yhat_upper"]), ("conformal", lower, upper)):
        inside = (low <= found["y"]) & (found["y"] <= high)
        yield (name, f"hold {inside[there].mean():.2f}", f"mean width {(high - low)[there].mean():.2f}")


def months_and_days(model):
    """(days, lowest, highest) of the season, on first days of months, on all days, and how many are warned of."""
    years = np.arange("2002-01-01", "2004-01-01", dtype="M8[D]")
    firsts = np.arange("2002-01", "2004-01", dtype="M8[M]").astype("M8[D]")
    for name, days in (("first days of months", firsts), ("all days", years)):
        season = season_values(model, "yearly", days.astype(np.int64).astype(np.float64))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.predict({"ds": days})
        yield (name, f"{season.min():+.2f}", f"{season.max():+.2f}", "with a warning" if caught else "")


def draw(pictures, model, found, carbon):
    """The forecast with bends of the trend, its components, errors by horizon, and the season between months."""
    ahead = model.predict(model.make_future_dataframe(365))
    figure = pictures.figure(11, 5)
    axes = figure.subplots()
    model.plot(ahead, ax=axes, xlabel="", ylabel="logarithm of views")
    add_changepoints_to_plot(axes, model, ahead)
    axes.set_title("Page views: values, forecast with 80 % intervals, trend and where it bends")
    pictures.save(figure, "prophet-page-views")
    pictures.save(model.plot_components(ahead), "prophet-components", dpi=90)
    figure = pictures.figure(11, 3.5)
    axes = figure.subplots(1, 2)
    table = performance_metrics(found, ["mae", "coverage"])
    days = table["horizon"] / np.timedelta64(1, "D")
    for panel, name, title in zip(axes, ("mae", "coverage"), ("mean absolute error", "80 % intervals hold")):
        panel.plot(days, table[name])
        panel.set(xlabel="horizon in days", title=title, ylim=(0, None if name == "mae" else 1))
        panel.spines[["top", "right"]].set_visible(False)
    axes[1].axhline(0.8, color="0.6", linestyle="--")
    pictures.save(figure, "prophet-by-horizon")
    figure = pictures.figure(11, 3.5)
    axes = figure.subplots()
    days = np.arange("2002-01-01", "2003-01-01", dtype="M8[D]")
    firsts = days.astype("M8[M]").astype("M8[D]") == days
    season = season_values(carbon, "yearly", days.astype(np.int64).astype(np.float64))
    axes.plot(days.astype("M8[s]"), season, color="0.6", label="on all days")
    axes.plot(days[firsts].astype("M8[s]"), season[firsts], "o", color="C3", label="on first days, which were seen")
    axes.set(ylabel="ppm", title="Carbon dioxide: a season of ten waves, learned from months")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    pictures.save(figure, "prophet-months")
