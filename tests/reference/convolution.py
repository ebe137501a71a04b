"""Convolution by definition: every entry that every window sees."""
import numpy as np


def windows(x, K, s, d):
    """(1)"""
    N, C, T = x.shape
    starts = [t for t in range(0, T, s) if t + d * (K - 1) < T]
    return np.array([[[[x[n, c, t + d * k] for t in starts] for k in range(K)] for c in range(C)]
                     for n in range(N)]).reshape(N, C, K, len(starts))


def convolved(X, W, b):
    """(2)"""
    return np.array([[[sum(W[h, c, k] * X[n, c, k, t] for c in range(X.shape[1]) for k in range(X.shape[2])) + b[h]
                       for t in range(X.shape[3])] for h in range(len(W))] for n in range(len(X))])


def convolved_by_weight(g, X):
    """(3)"""
    W = np.zeros((g.shape[1], *X.shape[1:3]))
    for n, h, t in np.ndindex(g.shape):
        for c, k in np.ndindex(X.shape[1:3]):
            W[h, c, k] += g[n, h, t] * X[n, c, k, t]
    return W


def convolved_by_windows(g, W):
    """(4)"""
    G = np.zeros((len(g), *W.shape[1:], g.shape[2]))
    for n, h, t in np.ndindex(g.shape):
        for c, k in np.ndindex(W.shape[1:]):
            G[n, c, k, t] += W[h, c, k] * g[n, h, t]
    return G


def windows_by_input(G, T, s, d):
    """(5)"""
    N, C, K, S = G.shape
    x = np.zeros((N, C, T))
    for n, c, k, t in np.ndindex(G.shape):
        x[n, c, s * t + d * k] += G[n, c, k, t]
    return x


def positions(T, K, s, d):
    """(6)  The starts from which the whole window lies inside."""
    return len([t for t in range(0, int(T), int(s)) if t + d * (K - 1) <= T - 1])
