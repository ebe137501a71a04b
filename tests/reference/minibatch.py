"""k-means on batches by definition."""
import numpy as np


def seen(w, y, v):
    """(1)"""
    return np.array([v[k] + sum(w[i] for i in range(len(y)) if y[i] == k) for k in range(len(v))])


def step(X, w, y, C, v):
    """(2)"""
    moved = np.array(C, dtype=float)
    for k in range(len(C)):
        if v[k] > 0:
            moved[k] = C[k] + sum(w[i] * (X[i] - C[k]) / v[k] for i in range(len(X)) if y[i] == k)
    return moved


def smoothed(m, j, a):
    """(3)"""
    return (1 - a) * m + a * j
