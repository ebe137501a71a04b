"""What would a customer buy, by what all have bought?  Factors of customers and items, beside two plainer answers.

It begins with a table as shops have it: names of customers and of things, how often, and when.  `read_table` numbers
the names, `leave_last_out` parts the table by its times, and what is recommended goes back to names.  Then the figures,
of all customers.  The purchases of an online shop are parted in two ways: a fifth of each customer's items is held out
at random, or the five that were bought last.  Each customer is shown ten items that are not among the rest.  All
settings were chosen on the rest, parted once more in the same way: `python -m scratchml.tour.als` does that again, in
some minutes, for ours and for implicit's over one grid, if implicit is installed.  The figures to compare with are
means of implicit's with the seeds 0, 1 and 2.

Recall@10 is the share of what was held out that is among the ten; in NDCG@10 a hit counts the more, the higher it
stands.  Novelty is how rare what is shown is among all purchases: 0 bits if everybody has it, 1 if every other does.
"""
import itertools
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from scratchml.core.sparse import Rows, known_entries
from scratchml.datasets import load_online_retail
from scratchml.datasets.loaders import FIRST_DAY
from scratchml.metrics.ranking import catalogue_coverage, ndcg_at_k, novelty, recall_at_k
from scratchml.recommend.als import ALS
from scratchml.recommend.item_neighbors import ItemCosine, Popularity
from scratchml.recommend.raw_table import read_table
from scratchml.recommend.splits import leave_last_out, random_split
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.recommend.als"
DATA = "purchases of the customers of an online shop"
PEER = "implicit 0.7.3"
GRID = dict(factors=(128, 256), alpha=(1.0, 2.0), regularization=(10.0, 30.0))
NEIGHBORS = (3, 5, 10, 20)
ITERATIONS = 6
CHOSEN = {                                               # by recall@10 in the validation part
    "a random fifth": ({}, dict(n_neighbors=3), dict(factors=256, alpha=2.0, regularization=30.0)),
    "the last five": ({}, dict(n_neighbors=5), dict(factors=256, alpha=1.0, regularization=30.0)),
}
STATED = {"a random fifth": ("0.1549", "0.2933"), "the last five": ("0.1952", "0.1867")}
CUSTOMER = 3784                                          # of whom one in five is found, as on average


class Parts(NamedTuple):
    """What is learned from and what is held out, and the days of the former."""
    train: Rows
    test: Rows
    days: np.ndarray


def run(seed, pictures, full):
    """A raw table, there and back; hits of three recommenders, and how much of the catalogue they show; one list."""
    bought = load_online_retail()
    yield from from_names(bought)
    makers = {"popularity": _popularity, "item cosines": _cosines, "ALS": _als}
    little = known_entries([[1, 2], [np.nan, 1]])
    for make, settings in zip(makers.values(), next(iter(CHOSEN.values()))):
        make(little, seed, **settings).recommend(0, n=1)                     # compiles
    scores = {}
    for split, chosen in CHOSEN.items():
        parts = part(*matrix(bought), split, 0)
        for (name, make), settings in zip(makers.items(), chosen):
            model, fitting = timed(make, parts.train, seed, **settings)
            (items, _), asking = timed(model.recommend, np.arange(parts.train.shape[0]))
            seconds = fitting + asking
            scores[split, name] = recall_at_k(items, parts.test), ndcg_at_k(items, parts.test)
            stated, peer = (STATED[split], PEER) if name == "ALS" else (("", ""), "")
            for measure, score, theirs in zip(("recall", "NDCG"), scores[split, name], stated):
                yield Row(f"{measure}@10 of {name}, {split} held out", f"{score:.4f}", theirs, peer, seconds)
            if split == "a random fifth":
                M = parts.train.shape[1]
                coverage = catalogue_coverage(items, M)
                yield Row(f"share of the catalogue that {name} shows", f"{coverage:.3f}")
                yield Row(f"novelty of {name}, in bits", f"{novelty(items, parts.train):.2f}")
    yield from one_customer(bought, parts, model)
    if pictures:
        draw_scores(pictures, scores)


def from_names(bought, customers=500):
    """A table of names and dates of the first customers, and what it takes to recommend by it, in names again."""
    few = bought.users < customers
    who = [f"customer {u}" for u in bought.users[few].tolist()]
    what = [name.capitalize() for name in bought.item_names[bought.items[few]].tolist()]
    counts, when = bought.counts[few], np.datetime64(FIRST_DAY) + bought.days[few]
    yield Example("A table as shops have it begins so:", columns(
        [("who", "what", "how often", "when"), *((*row[:2], str(row[2]), str(row[3])) for row in
                                                  itertools.islice(zip(who, what, counts, when), 4))]))

    def both():
        names = read_table(who, what, counts, when, repeated="sum")
        train, test = leave_last_out(names, n=5, random_state=0)
        return names, test, ItemCosine(5).fit(unit_rows(train))
    (names, test, model), seconds = timed(both)
    items, _ = model.recommend(np.arange(len(names.users)))
    yield Row(f"recall@10 of item cosines, the last five of {customers} customers, from a table of names",
              f"{recall_at_k(items, test):.4f}", seconds=seconds)
    shown, scores = model.recommend(names.users.encode("customer 7"), n=4)
    yield Example("What customer 7 of that table is shown, by item cosines:", columns(
        [(f"{score:.2f}", name) for score, name in zip(scores, names.items.decode(shown))]))


def matrix(bought):
    """The counts (U, M) as Rows, and the day of each in their order."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(bought.users))])
    return Rows(indptr, bought.items.astype(np.int32), bought.counts.astype(np.float64),
                (len(indptr) - 1, len(bought.item_names))), bought.days


def part(A, days, split, seed):
    """`A` parted as the name of the split says; the same seed parts the days in the same way."""
    def parted(values):
        if split == "a random fifth":
            return random_split(values, 0.2, random_state=seed)
        return leave_last_out(values, days, 5, random_state=seed)
    return Parts(*parted(A), parted(A._replace(data=days.astype(np.float64))).train.data)


def unit_rows(A):
    """1 / √n in place of each of a user's n counts: who has bought everything says little about what is alike."""
    counts = np.diff(A.indptr)
    return A._replace(data=np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts))


def _popularity(train, seed):
    return Popularity().fit(train)


def _cosines(train, seed, n_neighbors):
    return ItemCosine(n_neighbors).fit(unit_rows(train))


def _als(train, seed, **settings):
    return ALS(**settings, iterations=ITERATIONS, tol=0, solver="cg", random_state=seed).fit(train)


def one_customer(bought, parts, model):
    """What one customer has bought most often, and what it is shown, with the purchase that speaks most for it."""
    names, (train, test, _) = bought.item_names, parts
    here = slice(*train.indptr[CUSTOMER:CUSTOMER + 2])
    has, counts = train.indices[here], train.data[here]
    later = set(test.indices[test.indptr[CUSTOMER]:test.indptr[CUSTOMER + 1]].tolist())
    yield Example(f"What customer {CUSTOMER} has bought most often, and how often:", columns(
        [(f"{counts[k]:.0f}", names[has[k]].capitalize()) for k in np.lexsort((has, -counts))[:8]]))
    shown = []
    for item, score in zip(*model.recommend(CUSTOMER)):
        why = model.explain(CUSTOMER, item, n=1).items[0]
        shown.append((f"{score:.2f}", names[item].capitalize(), f"because of {names[why].lower()}",
                      "held out" if item in later else ""))
    yield Example("What it is shown, and whether that is among what was held out:", columns(shown))


# --- choosing the settings -----------------------------------------------------------------------


def choose():
    """Print recall@10 and NDCG@10 of every setting in the validation part, and of the best ones in the test."""
    bought = load_online_retail()
    makers = {"item cosines": (_cosines, [dict(n_neighbors=n) for n in NEIGHBORS]),
              "ALS": (_als, [dict(zip(GRID, values)) for values in itertools.product(*GRID.values())])}
    if find_spec("implicit"):
        makers["implicit"] = _implicit, makers["ALS"][1]
    for split in CHOSEN:
        outer = part(*matrix(bought), split, 0)
        inner = part(outer.train, outer.days, split, 1)
        for name, (make, grid) in makers.items():
            tried = [_measure(f"{split}: {name}", make, inner, settings, 0) for settings in grid]
            best = grid[int(np.argmax(tried))]
            for seed in range(3):
                _measure(f"{split}, test: {name}", make, outer, best, seed)


def _measure(title, make, parts, settings, seed):
    items, _ = make(parts.train, seed, **settings).recommend(np.arange(parts.train.shape[0]))
    recall = recall_at_k(items, parts.test)
    print(f"{title} {settings}: {recall:.4f} {ndcg_at_k(items, parts.test):.4f}", flush=True)
    return recall


class _Implicit(NamedTuple):
    """A model of implicit that recommends as ours do."""
    model: object
    counts: object

    def recommend(self, users):
        return self.model.recommend(users, self.counts[users], N=10)


def _implicit(train, seed, factors, alpha, regularization):
    import scipy.sparse
    from implicit.als import AlternatingLeastSquares
    confidence = (1 + alpha * train.data).astype(np.float32)
    confidence = scipy.sparse.csr_matrix((confidence, train.indices, train.indptr), train.shape)
    model = AlternatingLeastSquares(factors, regularization=regularization, alpha=1.0, iterations=ITERATIONS,
                                    random_state=seed)
    model.fit(confidence, show_progress=False)
    return _Implicit(model, confidence)


# --- a picture -----------------------------------------------------------------------------------


def draw_scores(pictures, scores):
    """A bar for the recall of each recommender, in each split, with implicit's as a line."""
    splits = list(dict.fromkeys(split for split, _ in scores))
    figure = pictures.figure(4 * len(splits), 3.6)
    for axes, split in zip(figure.subplots(1, len(splits), sharey=True, squeeze=False).flat, splits):
        found = {name: score[0] for (where, name), score in scores.items() if where == split}
        axes.bar(list(found), list(found.values()), color=["C7", "C0", "C1"])
        axes.axhline(float(STATED[split][0]), color="black", linewidth=1, linestyle=":", label=f"ALS of {PEER}")
        axes.set_ylim(0, 0.23)                           # the legend stands above the bars
        axes.set_title(f"{split} held out", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8, loc="upper left")
    figure.supylabel("recall@10", fontsize=10)
    pictures.save(figure, "als-recall")


if __name__ == "__main__":
    choose()
