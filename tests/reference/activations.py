"""Activations by definition: entry by entry, slopes as limits from the right side."""
import math

import numpy as np


def leaky_relu(u, s):
    """(1)"""
    return np.array([[max(x, 0) + s * min(x, 0) for x in row] for row in u]).reshape(u.shape)


def leaky_relu_by_input(g, u, s):
    """(2)"""
    return np.array([[g[n, h] * (1 if u[n, h] > 0 else s) for h in range(u.shape[1])]
                     for n in range(len(u))]).reshape(u.shape)


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x > -700 else math.exp(x)


def glu(u, v):
    """(3)"""
    return np.array([[u[n, h] * sigmoid(v[n, h]) for h in range(u.shape[1])] for n in range(len(u))]).reshape(u.shape)


def glu_by_input(g, u, v):
    """(4)  The slope of σ at v is σ(v) σ(-v)."""
    by_u, by_v = np.zeros(u.shape), np.zeros(u.shape)
    for at in np.ndindex(u.shape):
        by_u[at] = g[at] * sigmoid(v[at])
        by_v[at] = g[at] * u[at] * sigmoid(v[at]) * sigmoid(-v[at])
    return by_u, by_v


def activity(u, λ):
    """(5)"""
    return sum(λ * sum(x * x for x in row) for row in u) / len(u)


def activity_by_input(u, λ):
    """(6)"""
    return [[2 * λ * x / len(u) for x in row] for row in u]
