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
