"""Two towers on the purchases of a shop: vectors of customers and items, trained against the other items of a batch.

The shop and the split are those of `als`: the five items that each customer bought last are to be found.  Where popular
items are wrong answers as often as they are bought, they are pushed down for it; the logarithm of how often an item is
drawn takes that back.  With --full the vectors have 128 numbers and each pair is read ten times, which takes some
minutes.

A customer may also be what he has, without a vector of his own.  And where 325 items are hidden with all purchases, as
in the demonstration of `content`, towers that know the words of names have a place for them: they find more of what is
bought than names that are merely compared.
"""
import numpy as np

from scratchml.core.sparse import some_rows
from scratchml.datasets import load_online_retail
from scratchml.metrics.ranking import catalogue_coverage, ndcg_at_k, novelty, recall_at_k, top_k
from scratchml.recommend.two_tower import TwoTower
from scratchml.recommend.word_weights import Tfidf
from scratchml.tour import als
from scratchml.tour.content import COLD, hidden_items
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.recommend.two_tower"
DATA = "purchases of the customers of an online shop"
PEER = "PyTorch 2.13.0"
LITTLE = dict(factors=32, batch_size=256, epochs=1)
WHOLE = dict(factors=128, batch_size=1024, epochs=10)
MEASURES = "recall@10", "NDCG@10", "coverage", "novelty"
STATED = {True: ("0.1759", "0.1613", "", ""), False: ("", "", "", "")}
RECORDED = "2026-11-30", {True: ("0.1765", "0.1636", "0.670", "3.66"), False: ("0.0903", "0.0810", "1.000", "5.69")}
QUERIES = dict(factors=64, epochs=5, history=True)
NEW = dict(factors=128, epochs=2)
MORE = {"recall@10, customers as what they have, 64 numbers, five epochs": "0.1466",
        "hidden items, recall@10 of towers with words, two epochs": "0.3214"}
ITEM = "WHITE HANGING HEART T-LIGHT HOLDER"


def run(seed, pictures, full):
    """Rows of the table: hits with ln q and without, of a short training and of the whole one; what is near to an
    item."""
    bought = load_online_retail()
    parts = als.part(*als.matrix(bought), "the last five", 0)
    lists = {}
    for log_q in (True, False):
        model, seconds = timed(TwoTower(**LITTLE, log_q=log_q, random_state=seed).fit, parts.train)
        yield from rows(model, parts, f"{_name(log_q)}, one epoch", seconds)[:2]
        if log_q:
            shown = model
        lists[_name(log_q)] = model.recommend(np.arange(parts.train.shape[0]))[0]
    if pictures:
        draw_popularity(pictures, lists, parts.train)
    for log_q in (True, False):
        if full:
            model, seconds = timed(TwoTower(**WHOLE, log_q=log_q, random_state=seed).fit, parts.train)
            found, shown = rows(model, parts, f"{_name(log_q)}, ten epochs", seconds), model if log_q else shown
        else:
            found = [Row(f"{measure}, {_name(log_q)}, ten epochs", figure, recorded=RECORDED[0])
                     for measure, figure in zip(MEASURES, RECORDED[1][log_q])]
        yield from (row._replace(reference=stated, package=PEER if stated else "") for row,
                    stated in zip(found, STATED[log_q]))
    yield from more(bought, parts, seed, full)
    names = bought.item_names
    near, cosines = shown.similar_items(int(np.flatnonzero(names == ITEM)[0]), 5)
    yield Example(f"What is nearest to {ITEM.capitalize()}:", columns(
        [(f"{cosine:.2f}", names[item].capitalize()) for item, cosine in zip(near, cosines)]))


def more(bought, parts, seed, full):
    """Recall of customers who are what they have, and of items that nobody has yet, as found now or as recorded."""
    compare = ("", ""), (COLD["words and pairs"], "names alone, scikit-learn 1.9.1")
    for (measure, recorded), way, (theirs, package) in zip(MORE.items(), (by_history, of_hidden), compare):
        if full:
            recall, seconds = timed(way, bought, parts, seed)
            yield Row(measure, f"{recall:.4f}", theirs, package, seconds)
        else:
            yield Row(measure, recorded, theirs, package, recorded=RECORDED[0])


def by_history(bought, parts, seed):
    model = TwoTower(**QUERIES, random_state=seed).fit(parts.train)
    return recall_at_k(model.recommend(np.arange(parts.train.shape[0]))[0], parts.test)


def of_hidden(bought, parts, seed):
    warm, cold, train, test = hidden_items(bought)
    X = Tfidf(ngram_range=(1, 2)).fit_transform(bought.item_names.tolist())
    model = TwoTower(**NEW, random_state=seed).fit(train, some_rows(X, warm))
    new = model.add_items(some_rows(X, cold))
    return recall_at_k(top_k(model.user_vectors_ @ model.item_vectors_[new].T, 10), test)


def _name(log_q):
    return "with ln q" if log_q else "without"


def rows(model, parts, name, seconds):
    items, _ = model.recommend(np.arange(parts.train.shape[0]))
    figures = (f"{recall_at_k(items, parts.test):.4f}", f"{ndcg_at_k(items, parts.test):.4f}",
               f"{catalogue_coverage(items, parts.train.shape[1]):.3f}", f"{novelty(items, parts.train):.2f}")
    return [Row(f"{measure}, {name}", figure, seconds=seconds) for measure, figure in zip(MEASURES, figures)]


def draw_popularity(pictures, lists, train):
    """How many customers an item is shown to, beside how many have it, after one epoch."""
    bought = np.bincount(train.indices, minlength=train.shape[1])
    figure = pictures.figure(8, 3.6)
    for axes, (name, items) in zip(figure.subplots(1, 2, sharey=True), lists.items()):
        shown = np.bincount(items[items >= 0], minlength=train.shape[1])
        axes.scatter(bought + 1, shown + 1, s=5, alpha=0.4, linewidths=0)
        axes.set(xscale="log", yscale="log", xlabel="customers who have an item, and 1")
        axes.set_title(name, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supylabel("customers to whom it is shown, and 1", fontsize=10)
    pictures.save(figure, "two_tower-popularity")
