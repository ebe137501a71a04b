"""Trustworthiness by definition: sort the others, and count."""
import numpy as np


def order(X, i):
    """The others by their distance from x_i; of equally far ones the first comes first, as sorting is stable."""
    return sorted((j for j in range(len(X)) if j != i), key=lambda j: sum((a - b) ** 2 for a, b in zip(X[i], X[j])))


def neighbour_ranks(X):
    """(1)"""
    r = np.zeros((len(X), len(X)), int)
    for i in range(len(X)):
        for rank, j in enumerate(order(X, i), 1):
            r[i, j] = rank
    return r


def trustworthiness(X, Y, n):
    """(2)"""
    N, r = len(X), neighbour_ranks(X)
    lies = sum(max(0, r[i, j] - n) for i in range(N) for j in order(Y, i)[:n])
    return 1 - 2 / (N * n * (2 * N - 3 * n - 1)) * lies
