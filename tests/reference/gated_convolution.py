"""Gated convolution by definition: every tap of every row of every sequence."""
import math

import numpy as np


def sequence_of(starts, r):
    """The sequence that row r is of; None for a row of none."""
    return next((s for s in range(len(starts) - 1) if starts[s] <= r < starts[s + 1]), None)


def seen(starts, R, K, d, o):
    """(r, k, row) for each tap k of a row r < R that sees a row of its own sequence."""
    return [(r, k, r + o - d * (K - 1 - k)) for r in range(R) for k in range(K)
            if sequence_of(starts, r + o - d * (K - 1 - k)) == sequence_of(starts, r)]


def neighbourhoods(X, starts, K, d, o):
    """(1)"""
    N = np.zeros((len(X), K, X.shape[1]))
    for r, k, row in seen(starts, len(X), K, d, o):
        N[r, k] = X[row]
    return N.reshape(len(X), -1)


def halves(N, W, b):
    """(2)"""
    _, C, K = W.shape
    return np.array([[sum(N[r, k * C + c] * W[h, c, k] for k in range(K) for c in range(C)) + b[h]
                      for h in range(len(W))] for r in range(len(N))])


def sigmoid(q):
    return 1 / (1 + math.exp(-q))


def gated(H):
    """(3)"""
    C = H.shape[1] // 2
    return np.array([[row[c] * sigmoid(row[C + c]) for c in range(C)] for row in H])


def residual(H, X):
    """(4)"""
    return math.sqrt(1 / 2) * (X + gated(H))


def halves_gradient(g, H):
    """(5)"""
    δ, C = np.zeros(H.shape), g.shape[1]
    for r, c in np.ndindex(g.shape):
        p, s = H[r, c], sigmoid(H[r, C + c])
        δ[r, c], δ[r, C + c] = g[r, c] * s, g[r, c] * p * s * (1 - s)
    return δ


def product_gradients(δ, N, W):
    """(6)"""
    _, C, K = W.shape
    by_W, G = np.zeros(W.shape), np.zeros(N.shape)
    for h, c, k in np.ndindex(W.shape):
        for r in range(len(N)):
            by_W[h, c, k] += δ[r, h] * N[r, k * C + c]
            G[r, k * C + c] += δ[r, h] * W[h, c, k]
    return by_W, np.array([sum(δ[:, h]) for h in range(len(W))]), G


def rows_gradient(G, starts, K, d, o):
    """(7)"""
    by_X = np.zeros((len(G), G.shape[1] // K))
    for r, k, row in seen(starts, len(G), K, d, o):
        by_X[row] += G[r, k * by_X.shape[1]:(k + 1) * by_X.shape[1]]
    return by_X


def receptive_field(sizes, gaps):
    """(8)  How many positions a chain of taps, one in each layer, leads to."""
    reached = {0}
    for size, gap in zip(sizes, gaps):
        reached |= {u - gap * k for u in reached for k in range(int(size))}
    return max(reached) - min(reached) + 1
