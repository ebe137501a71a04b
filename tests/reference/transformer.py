"""The parts of a transformer by definition: place by place."""
import math

import numpy as np


def sinusoids(T, D):
    """(1)"""
    def entry(t, d):
        angle = t / 10000 ** ((d - d % 2) / D)
        return math.cos(angle) if d % 2 else math.sin(angle)
    return np.array([[entry(t, d) for d in range(D)] for t in range(T)]).reshape(T, D)


def feed_forward(x, W, b, U, c, a):
    """(2)"""
    y = np.empty((*x.shape[:2], len(U)))
    for at in np.ndindex(x.shape[:2]):
        hidden = [a(sum(W[h, d] * x[at][d] for d in range(W.shape[1])) + b[h]) for h in range(len(W))]
        y[at] = [sum(U[d, h] * hidden[h] for h in range(len(W))) + c[d] for d in range(len(U))]
    return y


def at_every_place(x, change):
    """`change` of the vector of each place of each sequence."""
    return np.array([[change(n, t) for t in range(x.shape[1])] for n in range(len(x))])


def post_norm(x, f, n):
    """(3)  f may mix places, n may not."""
    added = f(x)
    return at_every_place(x, lambda i, t: n(x[i, t] + added[i, t]))


def pre_norm(x, f, n):
    """(4)"""
    added = f(at_every_place(x, lambda i, t: n(x[i, t])))
    return at_every_place(x, lambda i, t: x[i, t] + added[i, t])
