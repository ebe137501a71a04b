"""Losses by definition: entry by entry, with probabilities that are computed as such."""
import math

import numpy as np


def each(f, *arrays):
    """f of corresponding entries."""
    return np.array([f(*entries) for entries in zip(*(array.ravel() for array in arrays))]).reshape(arrays[0].shape)


def squared(x, y):
    """(1)"""
    return each(lambda x, y: x * x - 2 * x * y + y * y, x, y)


def absolute(x, y):
    """(2)"""
    return each(lambda x, y: max(x, y) - min(x, y), x, y)


def huber(x, y, δ):
    """(3)"""
    return each(lambda x, y: (x - y) ** 2 / 2 if abs(x - y) < δ else δ * (abs(x - y) - δ / 2), x, y)


def binary_surprise(x, y):
    """(4)  By way of the probabilities of both outcomes, for logits that leave them above 0."""
    def surprise(x, y):
        yes, no = 1 / (1 + math.exp(-x)), 1 / (1 + math.exp(x))
        return -(y * math.log(yes) + (1 - y) * math.log(no))
    return each(surprise, x, y)


def divergence(x, y):
    """(5)"""
    return each(lambda x, y: y * math.log(y / math.exp(x)) if y else 0.0, x, y)


def negative_log_likelihood(x, t, w):
    """(6)"""
    return np.array([-w[label] * row[label] for row, label in zip(x, t)])


def margin_ranking(u, v, s, m):
    """(7)  How much the greater one is short of the margin."""
    return each(lambda u, v, s: max(0.0, m - (u - v if s == 1 else v - u)), u, v, s)


def hinge_embedding(u, s, m):
    """(8)"""
    return each(lambda u, s: u if s == 1 else max(0.0, m - u), u, s)


def triplet_margin(u, v, m):
    """(9)"""
    return each(lambda u, v: max(0.0, u - v + m), u, v)


def cosines(a, p, ε):
    """(10)"""
    def length(row):
        return math.sqrt(math.fsum(x * x for x in row) + ε)
    return np.array([math.fsum(x * y for x, y in zip(*rows)) / (length(rows[0]) * length(rows[1]))
                     for rows in zip(a, p)])


def cosine_embedding(u, s, m):
    """(11)"""
    return each(lambda u, s: 1 - u if s == 1 else max(0.0, u - m), u, s)


def surprise(x, y):
    """(12)"""
    def of(p):
        return max(math.log(p), -100) if p > 0 else -100
    return each(lambda x, y: -(y * of(x) + (1 - y) * of(1 - x)), x, y)


def surprise_gradients(x, y):
    """(13)  The derivatives of (12), term by term, away from its bounds."""
    return each(lambda x, y: (1 - y) / (1 - x) - y / x, x, y), each(lambda x, y: math.log(1 - x) - math.log(x), x, y)
