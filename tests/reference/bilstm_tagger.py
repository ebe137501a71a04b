"""A tagger that reads both ways, by definition: token by token, unit by unit."""
import math

import numpy as np


def token_vectors(G, P):
    """(1)  G (N, M) is a plain matrix."""
    return np.array([[sum(G[t, m] * P[m, d] for m in range(len(P))) for d in range(P.shape[1])] for t in range(len(G))])


def sigma(a):
    return 1 / (1 + math.exp(-a))


def step(x, h, c, R):
    """One step of an LSTM, its gates in the order input, forget, cell, output."""
    H = len(h)
    inputs = [*x, *h, 1.0]
    a = [sum(w * value for w, value in zip(row, inputs)) for row in R]
    c = [sigma(a[H + k]) * c[k] + sigma(a[k]) * math.tanh(a[2 * H + k]) for k in range(H)]
    return [sigma(a[3 * H + k]) * math.tanh(c[k]) for k in range(H)], c


def both_ways(x, R, S):
    """(2)  The first states are 0 on either side."""
    H, N = len(R) // 4, len(x)
    u, v = np.zeros((N, H)), np.zeros((N, H))
    h, c = [0.0] * H, [0.0] * H
    for t in range(N):
        h, c = step(x[t], h, c, R)
        u[t] = h
    h, c = [0.0] * H, [0.0] * H
    for t in reversed(range(N)):
        h, c = step(x[t], h, c, S)
        v[t] = h
    return u, v


def emissions(u, v, W, b):
    """(3)"""
    return np.array([[sum(w * value for w, value in zip(row, [*u[t], *v[t]])) + bias for row, bias in zip(W, b)]
                     for t in range(len(u))])


def token_loss(E, y):
    """(4)  The mean over the tokens whose label is known."""
    terms = [-math.log(token_marginals(E)[t][y[t]]) for t in range(len(y)) if y[t] >= 0]
    return sum(terms) / len(terms)


def token_marginals(E):
    """(5)"""
    return [[math.exp(E[t][j]) / sum(math.exp(s) for s in E[t]) for j in range(len(E[t]))] for t in range(len(E))]
