"""Scaling by definition, in exact arithmetic: what a result differs by is the result's own rounding."""
from fractions import Fraction

import numpy as np

from tests.reference.distances import root


def exact(values):
    return [Fraction(float(value)) for value in values]


def by_column(f, X, *vectors):
    """`f` of each column of X and its entry in every vector, as a list of results."""
    return [f(exact(column), *exact(entries)) for column, *entries in zip(np.transpose(X), *vectors)]


def weighted(X, w):
    """Of each column, the values that are no NaN with their weights, 1 each if there are none; as Fractions."""
    w = np.ones(len(X)) if w is None else w
    return [[(Fraction(float(weight)), Fraction(float(x))) for weight, x in zip(w, column) if x == x]
            for column in np.transpose(X)]


def known(X, w=None):
    """n"""
    return np.array([float(sum(weight for weight, _ in column)) for column in weighted(X, w)])


def mean(X, w=None):
    """(1)"""
    return np.array([float(sum(w * x for w, x in column) / sum(w for w, _ in column)) for column in weighted(X, w)])


def deviation(X, m, w=None):
    """(2)"""
    return np.array([float(root(sum(w * (x - m) ** 2 for w, x in column) / sum(w for w, _ in column)))
                     for column, m in zip(weighted(X, w), exact(m))])


def merge(n1, m1, s1, n2, m2, s2):
    """(3)"""
    n = n1 + n2
    columns = [exact(column) for column in zip(m1, s1, m2, s2)]
    m = [float((n1 * m1 + n2 * m2) / n) for m1, _, m2, _ in columns]
    s = [float(root((n1 * s1**2 + n2 * s2**2) / n + n1 * n2 * (m1 - m2) ** 2 / Fraction(n) ** 2))
         for m1, s1, m2, s2 in columns]
    return np.array(m), np.array(s)


def standard_score(X, m, s):
    """(4)"""
    return np.array(by_column(lambda x, m, s: [float((a - m) / s) for a in x], X, m, s)).T


def min_max(X, l, g, a, b):
    """(5)"""
    a, b = exact([a, b])
    return np.array(by_column(lambda x, l, g: [float(a + (b - a) * (v - l) / g) for v in x], X, l, g)).T
