"""Normalisation by definition: group by group, and gradients as sums over the matrix of all derivatives."""
import math

import numpy as np


def moments(values):
    """The mean and the mean squared deviation from it."""
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((x - mean) ** 2 for x in values) / len(values)


def hat(values, mean, variance, ε):
    return np.array([(x - mean) / math.sqrt(variance + ε) for x in values])


def slopes(values, ε):
    """∂x̂_m/∂x_n (M, N) of one group: the quotient rule, with ∂s/∂x_n = (x_n - μ) / (N s)."""
    N, (mean, variance) = len(values), moments(values)
    s = math.sqrt(variance + ε)
    return np.array([[((m == n) - 1 / N) / s - (values[m] - mean) / s ** 2 * (values[n] - mean) / (N * s)
                      for n in range(N)] for m in range(N)])


# --- channels

def channel_moments(x):
    """(1)"""
    return tuple(np.array(part) for part in zip(*(moments(x[:, c]) for c in range(x.shape[1]))))


def normalised_channels(x, μ, V, w, b, ε):
    """(2)"""
    return np.stack([w[c] * hat(x[:, c], μ[c], V[c], ε) + b[c] for c in range(x.shape[1])], axis=1)


def channels_by_weight(g, x, μ, V, ε):
    """(3)"""
    C = range(x.shape[1])
    return (np.array([math.fsum(g[:, c] * hat(x[:, c], μ[c], V[c], ε)) for c in C]),
            np.array([math.fsum(g[:, c]) for c in C]))


def channels_by_input(g, x, μ, V, w, ε):
    """(4)  For the μ and V of x itself."""
    return np.stack([(w[c] * g[:, c]) @ slopes(x[:, c], ε) for c in range(x.shape[1])], axis=1)


def moved_towards(r, m, α):
    """(5)"""
    return np.array([r[c] + α * (m[c] - r[c]) for c in range(len(r))])


# --- rows

def row_moments(x):
    """(6)"""
    return channel_moments(x.T)


def normalised_rows(x, w, b, ε):
    """(7)"""
    return np.stack([w * hat(row, *moments(row), ε) + b for row in x])


def rows_by_weight(g, x, ε):
    """(8)"""
    x_hat = np.stack([hat(row, *moments(row), ε) for row in x])
    return (np.array([math.fsum(g[:, c] * x_hat[:, c]) for c in range(x.shape[1])]),
            np.array([math.fsum(g[:, c]) for c in range(x.shape[1])]))


def rows_by_input(g, x, w, ε):
    """(9)"""
    return np.stack([(w * g[n]) @ slopes(x[n], ε) for n in range(len(x))])
