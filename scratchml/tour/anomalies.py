"""What is strange here?  Water in a pipeline, cars on a motorway and page views, judged beside their season.

The water flow has four stretches that are known to be anomalous, three of them low and one a small peak; all four are
found, and nothing else.  R is Twitter's package AnomalyDetection, whose counts are beside ours.

Then what the settings do.  The level α moves the border.  The share max_anoms does nothing as long as it does not bind,
and where it binds the count is the share itself; with 2 % the small peak is lost.  The period decides what is expected:
where every day should be like the others, weekends on the motorway are strange; where every week should, weekends are
no more strange than other days, and holidays are.
"""
import warnings

import numpy as np

from scratchml.datasets import load_peyton_manning, load_traffic, load_water_flow
from scratchml.timeseries.anomalies import anomaly_detection_vec
from scratchml.timeseries.windows import regular_grid
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.timeseries.anomalies"
DATA = "water flow by the hour, traffic on a motorway in 2017, page views of Wikipedia"
PEER = "AnomalyDetection, R 4.2.2"
TASKS = (                                                # series, period, max_anoms, direction, what R finds
    ("water", 24, 0.02, "both", 25), ("water", 24, 0.1, "both", 50), ("water", 24, 0.1, "pos", 3),
    ("water", 24, 0.1, "neg", 47), ("traffic", 24, 0.02, "both", 175), ("traffic", 24, 0.1, "both", 876),
    ("traffic", 24, 0.1, "pos", 49), ("traffic", 24, 0.1, "neg", 847), ("traffic", 168, 0.1, "both", 429),
    ("page views", 7, 0.1, "both", 15), ("page views", 7, 0.1, "pos", 18), ("page views", 7, 0.1, "neg", 0),
)
LEVELS, SHARES = (0.001, 0.01, 0.05, 0.1), (0.005, 0.02, 0.05, 0.1, 0.2, 0.4)
PERIODS = {"water": 24, "traffic": 24, "page views": 7}
FORTNIGHT = slice(24 * 141, 24 * 155)                    # of traffic, with Memorial Day: Monday, 22 May, to 4 June


def run(seed, pictures, full):
    """Rows of the table: how many are strange; the stretches of the water flow; what α, max_anoms and the period do."""
    data = {"water": load_water_flow(), "traffic": traffic(), "page views": load_peyton_manning()}
    detect(data["water"], 24, 0.1)                       # compiles
    for name, period, share, direction, stated in TASKS:
        found, seconds = timed(detect, data[name], period, share, direction)
        side = {"both": "", "pos": ", high", "neg": ", low"}[direction]
        measure = f"{name}, period {period}, at most {share:.0%}{side}"
        yield Row(measure, str(len(found.index)), str(stated), PEER, seconds)
    yield Example("The water flow, hours in a row (UTC), their lowest and highest value, and what was expected:",
                  columns(list(stretches(data["water"], detect(data["water"], 24, 0.1)))))
    yield Example("How many for a smaller or larger α, at most 40 %:", columns([
        ("α", *map(str, LEVELS))] + [(name, *(str(len(detect(series, PERIODS[name], 0.4, level=level).index))
                                             for level in LEVELS)) for name, series in data.items()]))
    yield Example("How many for a smaller or larger max_anoms, * where it binds:", columns([
        ("max_anoms", *map(str, SHARES))] + [(name, *(capped(series, PERIODS[name], share) for share in SHARES))
                                             for name, series in data.items()]))
    yield Example("Traffic: which share of the strange hours lies on which days:",
                  columns(list(by_day(data["traffic"]))))
    if pictures:
        draw_water(pictures, data["water"])
        draw_traffic(pictures, data["traffic"])


def traffic():
    """The traffic at equal steps, gaps interpolated."""
    found = load_traffic()
    return regular_grid(found.times, found.values, fill="interpolate")


def detect(series, period, share, direction="both", level=0.05):
    """The anomalies of the rows, as they are, and without a warning where the cap binds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return anomaly_detection_vec(series.values, period, share, direction, level, e_value=True)


def stretches(series, found):
    """(first, last, hours, least, most, expected) of what is strange in a row."""
    for part in np.split(np.arange(len(found.index)), np.flatnonzero(np.diff(found.index) > 1) + 1):
        times, values = series.times[found.index[part]], found.anoms[part]
        yield (f"{times[0]}", f"to {times[-1]}", f"{len(part)} h", f"{values.min():.2f}", f"{values.max():.2f}",
               f"expected {found.expected_value[part].mean():.0f}")


def capped(series, period, share):
    """How many are found, with a * if there could be more."""
    count = len(detect(series, period, share).index)
    return f"{count}{'*' * (count == int(share * len(series.values)))}"


def by_day(series):
    """(which hours, how many, share on working days, on Saturdays and Sundays, on holidays)"""
    loaded = load_traffic()
    holidays = np.unique(loaded.times[loaded.holidays != ""].astype("M8[D]"))
    for name, index in (("all", slice(None)), ("period 24", detect(series, 24, 0.4).index),
                        ("period 168", detect(series, 168, 0.4).index)):
        days = series.times[index].astype("M8[D]")
        holiday = np.isin(days, holidays)
        weekend = ~np.is_busday(days) & ~holiday
        shares = (("working days", ~holiday & ~weekend), ("weekends", weekend), ("holidays", holiday))
        yield (name, f"{len(days)} hours", *(f"{what} {part.mean():.0%}" for what, part in shares))


def draw_water(pictures, series):
    """The flow, what was expected of it in what is strange, and the strange."""
    found = detect(series, 24, 0.1)
    figure = pictures.figure(11, 3.5)
    axes = figure.subplots()
    axes.plot(series.times, series.values, color="0.6", linewidth=0.8, label="flow")
    axes.scatter(series.times[found.index], found.anoms, s=12, color="C3", label="strange", zorder=3)
    axes.scatter(series.times[found.index], found.expected_value, s=4, color="C0", label="expected there", zorder=3)
    axes.set(ylabel="litres per second", title="Water flow: four stretches are strange")
    finish(axes)
    pictures.save(figure, "anomalies-water")


def draw_traffic(pictures, series):
    """A fortnight of traffic, and what is strange in it with a period of a day and one of a week."""
    figure = pictures.figure(11, 5)
    rows = np.arange(len(series.values))[FORTNIGHT]
    for axes, (period, name) in zip(figure.subplots(2, 1, sharex=True), ((24, "day"), (168, "week"))):
        index = detect(series, period, 0.4).index
        index = index[(index >= rows[0]) & (index <= rows[-1])]
        axes.plot(series.times[rows].astype("M8[s]"), series.values[rows], color="0.6", linewidth=0.8, label="cars")
        axes.scatter(series.times[index].astype("M8[s]"), series.values[index], s=12, color="C3", label="strange",
                     zorder=3)
        axes.set(ylabel="cars an hour", xticks=series.times[rows[::48]].astype("M8[s]"),
                 title=f"period of a {name}: {len(index)} of {len(rows)} hours are strange")
        finish(axes)
    pictures.save(figure, "anomalies-traffic")


def finish(axes):
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
