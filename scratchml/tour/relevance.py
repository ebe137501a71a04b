"""Workday or weekend?  69 features of each day on a motorway, which of them tell, and none once labels are shuffled.

Each of 365 days becomes a row of 69 numbers, and each number is tested against the calendar.  tsfresh finds as many
features relevant; with labels in random order there are none.  Relevant is not useful: what a feature is worth shows on
days that it was not chosen by.  So the most telling feature of the first half of the year, with a threshold halfway
between the medians of both kinds of day, is asked about the second half.  Of the days that it mistakes some are
holidays, which the labels count as workdays and the cars do not.

Then two questions about the day after, which no calendar answers: the total of its cars, and whether there are more.
"""
import numpy as np

from scratchml.datasets import load_traffic
from scratchml.timeseries.feature_extractor import extract_features
from scratchml.timeseries.relevance import relevance_table
from scratchml.timeseries.windows import regular_grid
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.timeseries.relevance"
DATA = "traffic on a motorway by the hour, 365 days of 2017"
PEER = "tsfresh 0.21.2"
SHUFFLES, SHOWN, HALF = 20, 10, 181                      # how often, how many, days until the end of June


def run(seed, pictures, full):
    """Rows of the table: how many are relevant for what; the most telling, and a day's kind by one of them."""
    days, dates = traffic()
    weekend = ~np.is_busday(dates)
    extract_features(days), relevance_table(days, weekend), relevance_table(days, days.sum(axis=1))      # compiles
    (X, names), seconds = timed(extract_features, days)
    yield Row("features of a day", str(X.shape[1]), "69", PEER, seconds)
    table, seconds = timed(relevance_table, X, weekend, names=names)
    yield Row("not the same on all days", str(sum(row.type != "constant" for row in table)), "62", PEER)
    yield Row("tell weekends, Yekutieli", relevant(table), "55", PEER, seconds)
    yield Row("tell weekends, Hochberg", relevant(relevance_table(X, weekend, hypotheses_independent=True)), "55", PEER)
    yield Row("smallest p", f"{table[0].p_value:.2e}", "2.55e-69", PEER)
    shuffled, seconds = timed(shuffles, X, weekend, seed)
    yield Row(f"tell shuffled labels, most of {SHUFFLES} times", str(max(shuffled)), "0", "what there is", seconds)
    total = days.sum(axis=1)
    yield Row("tell the next day's total", relevant(relevance_table(X[:-1], total[1:])), "50", PEER)
    yield Row("tell whether the next day has more", relevant(relevance_table(X[:-1], np.diff(total) > 0)), "40", PEER)
    best, right, wrong = by_one_feature(X, names, weekend, dates)
    yield Row(f"second half by {best} alone", f"{right:.4f}", f"{1 - weekend[HALF:].mean():.4f}", "share of workdays")
    yield Example("The most telling, p, and their medians on workdays and weekends:", columns(
        list(most_telling(table, X, names, weekend))))
    yield Example("Out, and why:", columns([(plain(row.feature), row.reason) for row in table if not row.relevant][:9]))
    yield Example(f"Days of the second half that {best} mistakes:", columns(wrong))
    if pictures:
        draw(pictures, table, X, names, weekend)


def traffic():
    """24 values of each day, (365, 24), and its date; gaps interpolated."""
    series = load_traffic()
    hours = regular_grid(series.times, series.values, fill="interpolate")
    return hours.values.reshape(-1, 24), hours.times[::24].astype("M8[D]")


def relevant(table):
    """How many, in words."""
    return str(sum(row.relevant for row in table))


def plain(name):
    """A feature's name without that of the series."""
    return name.removeprefix("value__")


def shuffles(X, labels, seed):
    """How many features are relevant for the labels in random order, time and again."""
    rng = np.random.default_rng(seed)
    return [sum(row.relevant for row in relevance_table(X, rng.permutation(labels))) for _ in range(SHUFFLES)]


def most_telling(table, X, names, weekend):
    """(feature, p, median of workdays, median of weekends)"""
    yield "", "p", "workday", "weekend"
    for row in table[:SHOWN]:
        x = X[:, names.index(row.feature)]
        medians = (f"{np.median(x[kind]):.4g}" for kind in (~weekend, weekend))
        yield plain(row.feature), f"{row.p_value:.1e}", *medians


def by_one_feature(X, names, weekend, dates):
    """What tells most in the first half, how often it is right in the second, and (date, kind, holiday) where not."""
    first = np.arange(len(X)) < HALF
    best = relevance_table(X[first], weekend[first], names=names)[0].feature
    x = X[:, names.index(best)]
    low, high = (np.median(x[first & kind]) for kind in (~weekend, weekend))
    told = (x > (low + high) / 2) == (high > low)
    wrong = (told != weekend) & ~first
    holidays = named_holidays()
    listed = [(str(day), "weekend" if kind else "workday", holidays.get(day, ""))
              for day, kind in zip(dates[wrong], weekend[wrong])]
    return plain(best), (told == weekend)[~first].mean(), listed


def named_holidays():
    """{date: name}"""
    series = load_traffic()
    some = series.holidays != ""
    return dict(zip(series.times[some].astype("M8[D]"), series.holidays[some]))


def draw(pictures, table, X, names, weekend):
    """How the most telling features are distributed on workdays and on weekends."""
    figure = pictures.figure(15, 6)
    for axes, row in zip(figure.subplots(2, SHOWN // 2).flat, table):
        x = X[:, names.index(row.feature)]
        bins = np.linspace(x.min(), x.max(), 25)
        for kind, name, color in ((~weekend, "workday", "C0"), (weekend, "weekend", "C3")):
            axes.hist(x[kind], bins, density=True, alpha=0.6, color=color, label=name)
        axes.set_title(f"{plain(row.feature).replace('__', chr(10), 1)}\np = {row.p_value:.1e}", fontsize=8)
        axes.set_yticks([])
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right", "left"]].set_visible(False)
    figure.axes[0].legend(frameon=False)
    figure.suptitle("A day's traffic: the ten features that tell most", fontsize=11)
    pictures.save(figure, "relevance-days")
