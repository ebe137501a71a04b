"""Distances pair by pair, and the nearest by sorting all points."""
import math


def euclidean(Q, X):
    """(1)"""
    return [[math.sqrt(sum((a - b) ** 2 for a, b in zip(q, x))) for x in X] for q in Q]


def cosine_gap(Q, X):
    """(2)  By the right-hand side."""
    def cosine(q, x):
        lengths = math.sqrt(sum(a * a for a in q)) * math.sqrt(sum(b * b for b in x))
        return sum(a * b for a, b in zip(q, x)) / lengths if lengths else 0.0
    return [[1 - cosine(q, x) for x in X] for q in Q]


def negative_product(Q, X):
    """(3)"""
    return [[-sum(a * b for a, b in zip(q, x)) for x in X] for q in Q]


def nearest(d, n):
    """(4)  Python's sort keeps the order of equals."""
    return [sorted(range(len(row)), key=row.__getitem__)[:n] for row in d]


def within(d, r):
    """(5)"""
    return [[j for j in range(len(row)) if row[j] <= r] for row in d]


def closeness(Q, X):
    """(6)"""
    return [[sum(a * b for a, b in zip(q, x)) - sum(b * b for b in x) / 2 for x in X] for q in Q]


def stale_share(before, now):
    """(7)"""
    return sum(j not in set(old) for old, new in zip(before, now) for j in new) / sum(len(new) for new in now)
