"""Distances of all pairs: the formula in NumPy, ours, and scikit-learn's."""
import numpy as np

from benchmarks import Case, close, peer, test_contender
from scratchml.core import distances


def formula_squared_euclidean(X, Y):
    return ((X[:, None] - Y) ** 2).sum(axis=2)


def formula_manhattan(X, Y):
    return np.abs(X[:, None] - Y).sum(axis=2)


def formula_cosine_similarity(X, Y):
    return (X / np.linalg.norm(X, axis=1, keepdims=True)) @ (Y / np.linalg.norm(Y, axis=1, keepdims=True)).T


@peer("sklearn.metrics.pairwise")
def sklearn_squared_euclidean(X, Y):
    """‖x‖² - 2 x·y + ‖y‖²: a matrix product, fast, and exact only near the origin, as here."""
    from sklearn.metrics.pairwise import euclidean_distances
    return euclidean_distances(X, Y, squared=True)


@peer("sklearn.metrics.pairwise")
def sklearn_manhattan(X, Y):
    from sklearn.metrics.pairwise import manhattan_distances
    return manhattan_distances(X, Y)


@peer("sklearn.metrics.pairwise")
def sklearn_cosine_similarity(X, Y):
    from sklearn.metrics.pairwise import cosine_similarity
    return cosine_similarity(X, Y)


MEASURES = {
    "squared Euclidean": (formula_squared_euclidean, distances.squared_euclidean, sklearn_squared_euclidean),
    "Manhattan": (formula_manhattan, distances.manhattan, sklearn_manhattan),
    "cosine similarity": (formula_cosine_similarity, distances.cosine_similarity, sklearn_cosine_similarity),
}


def points(N, D):
    return tuple(np.random.default_rng(0).normal(size=(2, N, D)))


CASES = [Case(f"{name}, 1,000 x 1,000 points of 32 features", lambda: points(1_000, 32),
              {"formula": formula, "scratchml": ours, "scikit-learn": theirs}, close(rtol=1e-9, atol=1e-12))
         for name, (formula, ours, theirs) in MEASURES.items()]
CASES += [Case(f"{name}, 4,000 x 4,000 points of 64 features", lambda: points(4_000, 64),
               {"scratchml": ours, "scikit-learn": theirs}, close(rtol=1e-9, atol=1e-12))
          for name, (_, ours, theirs) in MEASURES.items()]
