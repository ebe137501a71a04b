"""Pooling by definition: window by window."""
import math

import numpy as np


def largest_of_windows(x, K, s, d, p, S):
    """(1)"""
    y, i = np.empty((*x.shape[:2], S)), np.empty((*x.shape[:2], S), int)
    for n, c, t in np.ndindex(y.shape):
        seen = [u for k in range(K) if 0 <= (u := s * t + d * k - p) < x.shape[2]]
        at = max(seen, key=lambda u: (x[n, c, u], -u))
        y[n, c, t], i[n, c, t] = x[n, c, at], at
    return y, i


def largest_by_input(g, i, T):
    """(2)"""
    dx = np.zeros((*g.shape[:2], T))
    for n, c, t in np.ndindex(g.shape):
        dx[n, c, i[n, c, t]] += g[n, c, t]
    return dx


def means_of_windows(x, b, e, n):
    """(3)"""
    return np.stack([x[:, :, b[t]:e[t]].sum(2) / n[t] for t in range(len(b))], 2)


def means_by_input(g, b, e, n, T):
    """(4)"""
    dx = np.zeros((*g.shape[:2], T))
    for t in range(len(b)):
        for u in range(T):
            if b[t] <= u < e[t]:
                dx[:, :, u] += g[:, :, t] / n[t]
    return dx


def shares(T, S):
    """(5)"""
    return (np.array([math.floor(t * T / S) for t in range(S)]),
            np.array([math.ceil((t + 1) * T / S) for t in range(S)]))
