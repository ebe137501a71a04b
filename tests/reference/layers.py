"""Layers by definition: entry by entry."""
import numpy as np


def linear(x, W, b):
    """(1)"""
    return np.array([[sum(W[h, d] * x[n, d] for d in range(W.shape[1])) + b[h] for h in range(len(W))]
                     for n in range(len(x))]).reshape(len(x), len(W))


def linear_by_input(g, W):
    """(2)  y_nh contains x_nd with the factor W_hd."""
    return np.array([[sum(g[n, h] * W[h, d] for h in range(len(W))) for d in range(W.shape[1])]
                     for n in range(len(g))]).reshape(len(g), W.shape[1])


def linear_by_weight(g, x):
    """(3)  y_nh contains W_hd with the factor x_nd, for every n."""
    return np.array([[sum(g[n, h] * x[n, d] for n in range(len(x))) for d in range(x.shape[1])]
                     for h in range(g.shape[1])])


def linear_by_bias(g):
    """(4)"""
    return np.array([sum(g[n, h] for n in range(len(g))) for h in range(g.shape[1])])


def embed(E, i):
    """(5)"""
    return np.array([[E[word, d] for d in range(E.shape[1])] for word in i]).reshape(len(i), E.shape[1])


def embed_by_table(e, i, V):
    """(6)"""
    return np.array([[sum(e[n, d] for n in range(len(i)) if i[n] == v) for d in range(e.shape[1])]
                     for v in range(V)], float).reshape(V, e.shape[1])


def drop(u, m, p):
    """(7)"""
    return np.array([[u[n, h] / (1 - p) if m[n, h] else 0.0 for h in range(u.shape[1])]
                     for n in range(len(u))]).reshape(u.shape)
