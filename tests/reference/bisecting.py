"""Bisecting k-means by definition: one point and one cut at a time."""
from math import dist

import numpy as np


def left_over(X, w, C, y):
    """(1)"""
    return np.array([sum(w[i] * dist(X[i], C[k]) ** 2 for i in range(len(X)) if y[i] == k) for k in range(len(C))])


def worst(J):
    """(2)"""
    return min(k for k in range(len(J)) if J[k] == max(J))


def replay(X, T, t):
    """(3)"""
    def leaf(x):
        y = 0
        for l, cluster in enumerate(t):
            if y == cluster and sum((x - T[l][1]) ** 2) < sum((x - T[l][0]) ** 2):
                y = l + 1
        return y
    return np.array([leaf(x) for x in X])
