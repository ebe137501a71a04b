"""Cars on a road, hour by hour, by questions: one tree, and a hundred that each mend what those before left over.

A fifth of the days are held out.  The mean of each hour of the week is a table of 168 numbers; a tree of 31 leaves
asks for the hour, the weekday, holidays and the day of the year, and boosted trees ask again: they find the weeks
that are unlike others.  Squared loss: the gradient of a row is its score less the truth, its second derivative 1.  A
value that is missing is no obstacle, in training or later.
"""
import numpy as np

from scratchml.datasets import load_traffic
from scratchml.ranking.bins import bin_edges, binned
from scratchml.ranking.trees import feature_importances, grow, predict_trees, tree_text
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.ranking.trees"
DATA = "cars on Interstate 94 in each hour of 2017"
PEER = "LightGBM 4.7.0"
NAMES = ["hour", "weekday", "holiday", "day"]            # weekday 0 is Monday, day 0 is January 1
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
TREES, RATE = 100, 0.1
STATED = {"a tree of 31 leaves": "504", "100 trees": "455", "100 trees, a fifth of the values missing": "1003"}


def run(seed, pictures, full):
    """Rows of the table: errors on the days held out; a small tree in words, and which features matter."""
    X, y, later = road()
    grow_some(X[~later][:100], y[~later][:100], 2)       # compiles
    yield Row("off by, cars an hour (root mean square): mean of each hour of the week",
              words(error(weekly_means(X, y, later), y, later)))
    lacking = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    found = {}
    for name, stated in STATED.items():
        table = lacking if "missing" in name else X
        many = (TREES, RATE) if "100" in name else (1, 1.0)
        found[name], seconds = timed(grow_some, table[~later], y[~later], *many)
        yield Row(name, words(error(scores(found[name], table), y, later)), stated, PEER, seconds)
    _, trees = found["100 trees"]
    small = grow_some(X[~later][:, :2], y[~later], 1, 1.0, num_leaves=6)
    yield Example("Six leaves that ask for hour and day alone; values are above or below the mean, cars an hour:",
                  tree_text(small[1][0], NAMES).splitlines())
    often, won = (feature_importances(trees, len(NAMES), kind) for kind in ("split", "gain"))
    yield Example("What the hundred trees ask for: how often, and the share of what the loss went down:", columns(
        [(NAMES[f], f"{often[f]:.0f}", f"{won[f] / won.sum():.1%}") for f in np.argsort(-won)]))
    if pictures:
        draw(pictures, X, y, later)


def road():
    """Features (N, 4), cars, and which rows are of the days held out."""
    traffic = load_traffic()
    hours = traffic.times.astype("M8[h]").astype(int)
    days = hours // 24
    day = days - days[0]
    X = np.column_stack([hours % 24, (days + 3) % 7, traffic.exog[:, traffic.exog_names.index("holiday")], day])
    held_out = np.random.default_rng(0).permutation(365)[:73]
    return X, traffic.values, np.isin(day, held_out)     # 1970 began on a Thursday, weekday 3


def grow_some(X, y, n, rate=RATE, **limits):
    """The mean of y, and n trees for what is left over."""
    table, mean = binned(X, bin_edges(X)), y.mean()
    F, trees = np.full(len(y), mean), []
    for _ in range(n):
        tree, leaf_of = grow(table, F - y, np.ones(len(y)), **limits)
        trees.append(tree.shrunk(rate))
        F += trees[-1].value[leaf_of]
    return mean, trees


def scores(grown, X):
    mean, trees = grown
    return mean + predict_trees(trees, X)


def weekly_means(X, y, later):
    """For each row the mean of its hour of the week on the days that are not held out."""
    place = (24 * X[:, 1] + X[:, 0]).astype(int)
    sums, counts = (np.bincount(place[~later], weights, 168) for weights in (y[~later], None))
    return (sums / counts)[place]


def error(F, y, later):
    return float(np.sqrt(np.mean((F - y)[later] ** 2)))


def words(error):
    return f"{error:.0f}"


def draw(pictures, X, y, later):
    """Hour and day as a map: one tree's leaves, and a hundred trees'."""
    figure = pictures.figure(9, 3.6)
    grid = np.array([(hour, day) for day in range(7) for hour in range(24)], float)
    for axes, (n, rate) in zip(figure.subplots(1, 2), ((1, 1.0), (TREES, RATE))):
        cars = scores(grow_some(X[~later][:, :2], y[~later], n, rate), grid).reshape(7, 24)
        image = axes.imshow(cars, aspect="auto", cmap="viridis", vmin=0, vmax=6500)
        axes.set(xlabel="hour", xticks=range(0, 24, 4), yticks=range(7), yticklabels=DAYS,
                 title="one tree, 31 leaves" if n == 1 else f"{n} trees")
    figure.colorbar(image, ax=figure.axes, label="cars an hour")
    pictures.save(figure, "trees-traffic")
