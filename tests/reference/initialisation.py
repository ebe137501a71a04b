"""Initialisation by definition: counted connections, and variances that are made to be what they should."""
import math

import numpy as np


def fans(shape):
    """(1)  The connections of one output and of one input, counted in a weight of ones."""
    weight = np.ones([int(length) for length in shape])
    return weight[0].sum(), weight[:, 0].sum()


def leaky_gain(s):
    """(2)  The root of E[x²] / E[f(x)²] for x = ±1."""
    f = [x if x > 0 else s * x for x in (-1.0, 1.0)]
    return math.sqrt(((-1) ** 2 + 1 ** 2) / (f[0] ** 2 + f[1] ** 2))


def xavier_bound(n, m, γ):
    """(3)  A uniform number has the variance a²/3."""
    return math.sqrt(3 * xavier_deviation(n, m, γ) ** 2)


def xavier_deviation(n, m, γ):
    """(4)  The variance is one over the mean of the fans, times γ²."""
    return math.sqrt(γ ** 2 / ((n + m) / 2))


def kaiming_bound(n, γ):
    """(5)"""
    return math.sqrt(3 * kaiming_deviation(n, γ) ** 2)


def kaiming_deviation(n, γ):
    """(6)  A sum of n products has the variance n σ² = γ²."""
    return math.sqrt(γ ** 2 / n)


def orthogonal_columns(G):
    """(7)  The Gram-Schmidt process: its R has a positive diagonal, so the signs are those of W."""
    W = np.zeros(G.shape)
    for d in range(G.shape[1]):
        rest = G[:, d].copy()
        for _ in range(2):                               # twice is enough to be orthogonal to rounding
            for k in range(d):
                rest = rest - (W[:, k] @ rest) * W[:, k]
        W[:, d] = rest / np.sqrt(rest @ rest)
    return W
