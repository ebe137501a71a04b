"""Boosting by definition: losses of single rows, summed one by one, and their derivatives."""
from math import exp, log


def squared_start(y, w):
    """(1)"""
    return sum(b * a for a, b in zip(y, w)) / sum(w)


def squared_slopes(y, w, F):
    """(2)"""
    return [b * (f - a) for a, b, f in zip(y, w, F)], list(w)


def squared_loss(y, w, F):
    """(3)"""
    return sum(b * (a - f)**2 for a, b, f in zip(y, w, F)) / sum(w)


def logistic_start(y, w):
    """(4)"""
    q = squared_start(y, w)
    return log(q / (1 - q))


def logistic_slopes(y, w, F):
    """(5)"""
    p = [1 / (1 + exp(-f)) for f in F]
    return [b * (c - a) for a, b, c in zip(y, w, p)], [b * c * (1 - c) for b, c in zip(w, p)]


def logistic_loss(y, w, F):
    """(6)  The surprise of what was seen."""
    p = [1 / (1 + exp(-f)) for f in F]
    return -sum(b * log(c if a else 1 - c) for a, b, c in zip(y, w, p)) / sum(w)


def step(F, v, l, η):
    """(7)"""
    return [f + η * v[leaf] for f, leaf in zip(F, l)]
