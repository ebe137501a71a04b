"""Profiles and scores from full matrices, NaN in A where nothing is known."""
from math import isnan, log1p, sqrt

WEIGHTS = {"log1p": log1p, "binary": lambda a: 1.0, "linear": float}


def profiles(A, X, weight="log1p"):
    """(1)"""
    g = WEIGHTS[weight]
    return [[sum(g(a) * x[w] for a, x in zip(row, X) if not isnan(a)) for w in range(len(X[0]))] for row in A]


def length(x):
    return sqrt(sum(value * value for value in x))


def contributions(p, x):
    """(4)"""
    lengths = length(p) * length(x)
    return [a * b / lengths if lengths else 0.0 for a, b in zip(p, x)]


def content_scores(P, X):
    """(2)"""
    return [[sum(contributions(p, x)) for x in X] for p in P]


def query_scores(P, Y):
    """(3)"""
    return [[sum(a * b for a, b in zip(p, y)) for y in Y] for p in P]
