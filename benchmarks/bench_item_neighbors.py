"""Item-item cosines and what they recommend: the formula in NumPy, ours, and implicit's, on the purchases of a shop."""
import warnings
from functools import lru_cache

import numpy as np

from benchmarks import Case, close, peer, test_contender
from scratchml.core.selection import largest
from scratchml.core.sparse import Rows, dense
from scratchml.datasets import load_online_retail
from scratchml.recommend import ItemCosine

NEIGHBORS = 20


def purchases():
    """Log-like counts, so that hardly any two cosines are equal."""
    bought = load_online_retail()
    indptr = np.concatenate([[0], np.cumsum(np.bincount(bought.users))])
    return (Rows(indptr, bought.items.astype(np.int32), np.log1p(bought.counts),
                 (len(indptr) - 1, len(bought.item_names))),)


def many_items(U=20_000, M=60_000, each=20):
    """`each` items a user, drawn by a power law; weights are random, so that hardly any two cosines are equal."""
    rng = np.random.default_rng(0)
    share = 1 / (10 + np.arange(M))
    pairs = np.unique(np.repeat(np.arange(U), each) * M + rng.choice(M, U * each, p=share / share.sum()))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(pairs // M, minlength=U))])
    return (Rows(indptr, (pairs % M).astype(np.int32), rng.random(pairs.size) + 0.5, (U, M)),)


def compressed(A):
    import scipy.sparse
    return scipy.sparse.csr_matrix((A.data, A.indices, A.indptr), A.shape)


# --- the nearest neighbours of each item: their cosines (M, 20), falling


def formula(A):
    X = dense(A)
    B = X / np.sqrt((X * X).sum(axis=0))
    c = B.T @ B
    np.fill_diagonal(c, 0)
    return -np.sort(-c, axis=1)[:, :NEIGHBORS]


def rows_of(C):
    """The values of each row, falling, filled up with 0."""
    values = np.zeros((C.shape[0], NEIGHBORS))
    for row, first, last in zip(values, C.indptr, C.indptr[1:]):
        row[:last - first] = -np.sort(-C.data[first:last])
    return values


def ours(A):
    return rows_of(ItemCosine(NEIGHBORS).fit(A).item_similarity_)


@peer("implicit")
def implicit(A):
    similarity = implicit_model(A).similarity.tocsr()
    similarity.setdiag(0)
    similarity.eliminate_zeros()
    return rows_of(similarity)


def implicit_model(A):
    from implicit.nearest_neighbours import CosineRecommender
    model = CosineRecommender(K=NEIGHBORS + 1)           # an item is its own neighbour there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                  # it hands itself a matrix that it then complains of
        model.fit(compressed(A), show_progress=False)
    return model


# --- ten items for every customer: their scores (U, 10)


@lru_cache(maxsize=1)
def fitted():
    return ItemCosine(NEIGHBORS).fit(*purchases())


def formula_recommends(A):
    C = dense(fitted().item_similarity_)
    scores = dense(A) @ C
    scores[dense(A) > 0] = -np.inf
    return -np.sort(-scores, axis=1)[:, :10]


def ours_recommends(A):
    return fitted().recommend(np.arange(A.shape[0]))[1]


@lru_cache(maxsize=1)
def fitted_by_implicit():
    return implicit_model(*purchases())


@peer("implicit")
def implicit_recommends(A):
    return fitted_by_implicit().recommend(np.arange(A.shape[0]), compressed(A), N=10)[1]


# --- the ten largest of each row


def sorting(S):
    return -np.sort(-S, axis=1)[:, :10]


def partitioning(S):
    return -np.sort(-np.partition(S, S.shape[1] - 10, axis=1)[:, -10:], axis=1)


CASES = [
    Case("cosines of 3,253 items, 20 neighbours", purchases,
         {"formula": formula, "scratchml": ours, "implicit": implicit}, close(rtol=1e-6, atol=1e-9)),
    Case("cosines of 60,000 items of 20,000 users, 20 neighbours", many_items,
         {"scratchml": ours, "implicit": implicit}, close(rtol=1e-6, atol=1e-9)),
    Case("ten items for 4,303 customers", purchases,
         {"formula": formula_recommends, "scratchml": ours_recommends, "implicit": implicit_recommends},
         close(rtol=1e-5, atol=1e-9)),
    Case("the ten largest of each row, 2,000 x 10,000", lambda: (np.random.default_rng(0).normal(size=(2000, 10_000)),),
         {"formula": sorting, "np.partition": partitioning, "scratchml": lambda S: largest(S, 10)[1]}),
]
