"""Popularity and cosines from a full matrix A, NaN where nothing is known."""
from math import isnan, sqrt


def popularity(A):
    """(1)"""
    return [sum(not isnan(a) for a in column) for column in zip(*A)]


def filled(A):
    return [[0.0 if isnan(a) else a for a in row] for row in A]


def item_cosine(A):
    """(2)  0 where a column is."""
    columns = list(zip(*filled(A)))

    def cosine(x, y):
        lengths = sqrt(sum(a * a for a in x)) * sqrt(sum(a * a for a in y))
        return sum(a * b for a, b in zip(x, y)) / lengths if lengths else 0.0
    return [[cosine(x, y) if l != m else 0.0 for m, y in enumerate(columns)] for l, x in enumerate(columns)]


def nearest_items(c, n):
    """(3)  From the cosines c themselves: those that fewer than n others beat, ties in order of number."""
    def beaten(row, m):
        return sum(v > row[m] or (v == row[m] and l < m) for l, v in enumerate(row))
    return [[v if v > 0 and beaten(row, m) < n else 0.0 for m, v in enumerate(row)] for row in c]


def neighbor_scores(A, C):
    """(4)"""
    return [[sum(a * C[l][m] for l, a in enumerate(row)) for m in range(len(C))] for row in filled(A)]
