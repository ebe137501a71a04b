"""Who is nearest, without asking everybody?  A graph, inverted lists, codes and planes beside the look at all.

Two searches: images of digits by Euclidean distance, of which the last 397 are asked for; and items of a shop by inner
products with its customers' factors, which is how a recommender scores.  Recall@10 is the share of what was found that
is as near as the true tenth, seconds are those of all queries together, the best of three times.  With so few points a
look at all takes little; what an index saves grows with their number: `python -m benchmarks exhaustive ivf`.  For codes
all lists are looked through, so what is missed is lost by the codes alone.

Planes know angles alone, so their digits are those nearest by cosine.  Products are harder than distances: the items
with the longest factors are everybody's, wherever they point, and lie in lists of their own.  A textbook turns products
into distances by one more coordinate, and a graph of those finds far less than one of the products themselves.  And
lists that were made beforehand go stale: items that came since are not in them.  Here that takes long, for the factors
of items that are new are shorter than those of others.
"""
from typing import NamedTuple

import numpy as np

from scratchml.datasets import load_digits, load_online_retail
from scratchml.neighbors import HNSW, IVF, Hyperplanes, NearestNeighbors
from scratchml.neighbors.exhaustive import stale_share
from scratchml.recommend.als import ALS
from scratchml.tour.als import matrix
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.neighbors.exhaustive"
DATA = "handwritten digits, and the factors of a shop's customers and items"
K = 10
ASKED = 397                                              # digits that are queries
FACTORS, CUSTOMERS = 64, 1000
EFS, PROBES, BYTES, TABLES = (10, 20, 40, 80), (1, 2, 4, 8, 16, 32, 64), (8, 16, 32), (2, 4, 8, 16, 32)
SHOWN = {"graph": (40,), "lists": (4, 32), "codes": (16,), "planes": (16,)}      # the settings that the table shows
METRICS = {"l2": "euclidean", "ip": "inner_product", "cosine": "cosine"}
NEW = (0.01, 0.05, 0.1, 0.2)                             # shares of the items that come after the lists were made


class Task(NamedTuple):
    """Points, queries, the distance, and how far the true tenth of each query is."""
    X: np.ndarray
    Q: np.ndarray
    space: str
    far: np.ndarray


class Found(NamedTuple):
    """One index at one setting."""
    index: str
    setting: str
    value: int
    recall: float
    seconds: float
    speed: float                                         # queries a second


def run(seed, pictures, full):
    """Rows of the table: recall of each index beside the look at all; what settings buy, two warnings."""
    digits, bought = load_digits().data.astype(np.float32), load_online_retail(items=True)
    users, items = shop(bought, seed)
    tasks = {"digits": task_of(digits[:-ASKED], digits[-ASKED:], "l2"), "shop": task_of(items, users, "ip")}
    found = {}
    for name, task in tasks.items():
        found[name] = list(searches(task, seed))
        for one in found[name]:
            if one.value in SHOWN.get(one.index, (one.value,)):
                yield Row(f"{name}: recall@{K}, {one.index}{one.setting}", f"{one.recall:.3f}", seconds=one.seconds)
    for name, ones in found.items():
        yield Example(f"What ef, nprobe and the length of a code buy, {name}:", columns(list(bargains(ones))))
    for ef, direct, reduced in products_in_a_graph(tasks["shop"], seed):
        yield Row(f"shop: graph of inner products, ef = {ef}", f"{direct:.3f}", f"{reduced:.3f}",
                  "the same reduced to distances")
    for share, stale in staleness(users, items, bought.first_days):
        yield Row(f"shop: lists stale after {share:.0%} of the items are new", f"{stale:.3f}", f"{share:.3f}",
                  "if new were as old")
    if pictures:
        draw_recall(pictures, found)


def task_of(X, Q, space):
    return Task(X, Q, space, NearestNeighbors(K, metric=METRICS[space]).fit(X).kneighbors(Q)[0][:, -1])


def shop(bought, seed):
    """Factors of some customers and of all items, by alternating least squares."""
    model = ALS(FACTORS, iterations=3, tol=0, solver="cg", random_state=seed).fit(matrix(bought)[0])
    some = np.random.default_rng(seed).choice(len(model.user_factors_), CUSTOMERS, replace=False)
    return np.ascontiguousarray(model.user_factors_[some]), model.item_factors_


# --- recall against time -------------------------------------------------------------------------


def searches(task, seed):
    """`Found` of the look at all, and of each index at each of its settings."""
    X, Q, space, _ = task
    whole = NearestNeighbors(K, metric=METRICS[space]).fit(X)
    yield asked("look at all", "", 0, task, lambda Q, k: whole.kneighbors(Q, k)[::-1])
    graph = HNSW(space, random_state=seed).fit(X)
    for ef in EFS:
        graph.set_ef(ef)
        yield asked("graph", f", ef = {ef}", ef, task, graph.knn_query)
    lists = IVF(space=space, random_state=seed).fit(X)
    for nprobe in PROBES:
        yield asked("lists", f", nprobe = {nprobe}", nprobe, task, lists.set_params(nprobe=nprobe).knn_query)
    for m in BYTES:
        codes = IVF(nprobe=len(X), m=m, nbits=6, space=space, random_state=seed).fit(X)
        yield asked("codes", f" of {m} bytes", m, task, codes.knn_query)
    if space == "l2":
        task = task_of(X, Q, "cosine")
        for tables in TABLES:
            planes = Hyperplanes(tables, 10, random_state=seed).fit(X)
            yield asked("planes", f", {tables} tables", tables, task, planes.knn_query)


def asked(index, setting, value, task, query):
    numbers, _ = query(task.Q, K)                        # compiles
    seconds = min(timed(query, task.Q, K)[1] for _ in range(3))
    return Found(index, setting, value, recall(task, numbers), seconds, len(task.Q) / seconds)


def recall(task, numbers):
    """The share of the K places that hold a point as near as the true tenth, or nearer; -1 is none."""
    X, Q, space, far = task
    x = X[numbers]                                       # (B, K, D)
    if space == "l2":
        d = np.linalg.norm(x - Q[:, None], axis=2)
    else:
        d = -np.einsum("bkd,bd->bk", x, Q)
        if space == "cosine":
            d = 1 + d / np.linalg.norm(x, axis=2) / np.linalg.norm(Q, axis=1)[:, None]
    return float(((d <= (far + 1e-5 * abs(far) + 1e-7)[:, None]) & (numbers >= 0)).mean())


def bargains(ones):
    """Lines of a table: recall and queries a second of each setting."""
    for one in ones:
        yield f"{one.index}{one.setting}", f"recall {one.recall:.3f}", f"{one.speed:>9,.0f} queries a second"


# --- two warnings --------------------------------------------------------------------------------


def products_in_a_graph(task, seed):
    """(ef, recall of a graph of inner products, recall of one of distances that order in the same way)."""
    X, Q, *_ = task
    squares = (X.astype(np.float64) ** 2).sum(axis=1)
    more = np.sqrt(squares.max() - squares).astype(X.dtype)
    longer, asked_for = np.c_[X, more], np.c_[Q, np.zeros(len(Q), Q.dtype)]
    direct, reduced = HNSW("ip", random_state=seed).fit(X), HNSW("l2", random_state=seed).fit(longer)
    for ef in (10, 40, 160):
        direct.set_ef(ef)
        reduced.set_ef(ef)
        yield ef, recall(task, direct.knn_query(Q, K)[0]), recall(task, reduced.knn_query(asked_for, K)[0])


def staleness(users, items, first_days):
    """(share of new items, share of the lists' places for items that were not there when the lists were made)."""
    order = np.argsort(first_days, kind="stable")
    now = order[nearest(users, items[order])]
    for share in NEW:
        known = order[:round((1 - share) * len(order))]
        yield share, stale_share(known[nearest(users, items[known])], now)


def nearest(users, items):
    return NearestNeighbors(K, metric="inner_product").fit(items).kneighbors(users, return_distance=False)


# --- a picture -----------------------------------------------------------------------------------


def draw_recall(pictures, found):
    """Recall against queries a second, a panel for each search."""
    figure = pictures.figure(11, 4)
    for axes, (name, ones) in zip(figure.subplots(1, len(found)), found.items()):
        for k, index in enumerate(dict.fromkeys(one.index for one in ones)):
            points = [(one.speed, one.recall) for one in ones if one.index == index]
            mark, size = ("*", 10) if k == 0 else ("o-", 4)
            axes.plot(*zip(*points), mark, color=f"C{k}", markersize=size, label=index)
        axes.set_xscale("log")
        axes.set(title=name, xlabel="queries a second", ylabel=f"recall@{K}")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    pictures.save(figure, "neighbors-recall")
