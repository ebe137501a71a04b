"""The shop as a problem of ranking: which of a hundred candidates will a customer buy next?

One query a customer, a hundred candidates of four recommenders, 24 features of each pair, and the label 1 if the item
was bought later.  Rows for learning come from recommenders that have seen nothing of their labels, rows for the test
from recommenders that were fitted again to all but the test.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.sparse import Rows
from scratchml.datasets import load_online_retail
from scratchml.metrics.ranking import hits
from scratchml.recommend.als import ALS
from scratchml.recommend.candidate_lists import Pool, pool_of
from scratchml.recommend.content import ContentBased
from scratchml.recommend.item_neighbors import ItemCosine
from scratchml.recommend.pair_features import facts, features_of_pairs
from scratchml.recommend.word_weights import Tfidf
from scratchml.tour import als

GENERATORS = ("content", "ALS", "cosines of 20", "cosines of 5")
DEPTH = 200                                              # places of each list
CANDIDATES = 100


class Judged(NamedTuple):
    """Candidates as rows, a query after the other, and what they were made of."""
    X: np.ndarray                                        # (K, 24)
    y: np.ndarray                                        # (K,) 1 if bought later, else 0
    qid: np.ndarray                                      # (K,) the customer
    names: list                                          # of the columns of X
    pool: Pool
    wanted: Rows                                         # what was bought later, found or not


class RankingRows(NamedTuple):
    learning: Judged
    testing: Judged


def ranking_rows(split="the last five", seed=0):
    """Rows to learn from and rows for the test, 430,300 each of 4,303 customers: `RankingRows`.

    Parameters
    ----------
    split : {"the last five", "a random fifth"}, default="the last five"
        What was held out of each customer's purchases.
    seed : int, default=0
        Of the first factors of ALS; the splits are those of `als`.
    """
    bought = load_online_retail(items=True)
    words = Tfidf(ngram_range=(1, 2)).fit_transform(bought.item_names)
    prices = {"log price": np.log(np.maximum(bought.prices, 0.01))}
    outer = als.part(*als.matrix(bought), split, 0)
    inner = als.part(outer.train, outer.days, split, 1)
    return RankingRows(*(judged(parts, words, prices, seed) for parts in (inner, outer)))


def judged(parts, words, prices, seed):
    """The candidates that recommenders fitted to parts.train make, and whether they are in parts.test."""
    users, M = np.arange(parts.train.shape[0]), parts.train.shape[1]
    lists = [model.recommend(users, DEPTH) for model in generators(parts.train, words, seed)]
    pool = pool_of([items for items, _ in lists], [scores for _, scores in lists], M, CANDIDATES)
    X, names = features_of_pairs(facts(parts.train, parts.days, prices), users, pool, GENERATORS)
    there = pool.items >= 0
    y = hits(pool.items, parts.test)[there].astype(np.int64)
    return Judged(X, y, np.repeat(users, there.sum(axis=1)), names, pool, parts.test)


def generators(train, words, seed):
    """The four recommenders, fitted."""
    unit = als.unit_rows(train)
    yield ContentBased().fit(train, words)
    yield ALS(128, alpha=1.0, regularization=30.0, iterations=als.ITERATIONS, solver="cg", random_state=seed).fit(train)
    yield ItemCosine(20).fit(unit)
    yield ItemCosine(5).fit(unit)
