"""Affinities by definition: sums over points, one at a time, in the order of the text."""
import math

import numpy as np


def conditional(Δ, β):
    """(1)"""
    N = len(Δ)
    R = np.zeros((N, N))
    for i in range(N):
        densities = {j: math.exp(-β[i] * Δ[i, j]) for j in range(N) if j != i}
        for j in densities:
            R[i, j] = densities[j] / sum(densities.values())
    return R


def perplexities(R):
    """(2)"""
    return np.array([math.exp(-sum(p * math.log(p) for p in row if p > 0)) for row in R])


def precisions(Δ, u):
    """(3)  Plain bisection on the logarithm; within 100 powers of e of the mean distance of others."""
    found = []
    for i in range(len(Δ)):
        row = np.delete(Δ[i], i)
        row = row - row.min()
        unit = row.mean() if row.any() else 1.0
        low, high = -100.0, 100.0
        for _ in range(200):
            t = (low + high) / 2
            p = np.exp(-np.exp(t) * row / unit)
            if perplexities([p / p.sum()])[0] > u:
                low = t
            else:
                high = t
        found.append(math.exp(t) / unit)
    return np.array(found)


def joint(R):
    """(4)"""
    N = len(R)
    return np.array([[(R[i, j] + R[j, i]) / (2 * N) for j in range(N)] for i in range(N)])


def affinities(X, u):
    """The whole way from points to P."""
    Δ = np.array([[sum((a - b) ** 2 for a, b in zip(x, y)) for y in X] for x in X])
    least = np.min(Δ + np.diag([np.inf] * len(X)), axis=1, keepdims=True)
    return joint(conditional(np.maximum(Δ - least, 0), precisions(Δ, u)))
