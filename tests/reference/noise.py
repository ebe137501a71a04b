"""Noise on the inputs: expectations by all signs or quadrature, copies one number at a time, slopes by differences."""
import itertools

import numpy as np


def noisy_least_squares(X, w, y, σ):
    """(1), the mean over all noise of ±σ, which is independent, of mean 0 and variance σ²."""
    N, D = len(X), len(X[0])
    losses = []
    for signs in itertools.product([-1, 1], repeat=N * D):
        losses.append(sum((sum((X[n][j] + σ * signs[n * D + j]) * w[j] for j in range(D)) - y[n])**2 for n in range(N)))
    return sum(losses) / len(losses)


def noise_by_copies(X, y, σ):
    """(2)"""
    N, D = len(X), len(X[0])
    rows, targets = [], []
    for sign in (1, -1):
        for j in range(D):
            for n in range(N):
                rows.append([X[n][i] + sign * σ * D**0.5 * (i == j) for i in range(D)])
                targets.append(y[n])
    return np.array(rows), np.array(targets)


def slopes(net, X, h=1e-3):
    """(3), of a function from (N, D) to (N,), by differences of order h⁴."""
    f, G, Δ = net(X), np.zeros(X.shape), np.zeros(len(X))
    for j in range(X.shape[1]):
        e = h * (np.arange(X.shape[1]) == j)
        a, b, c, d = (net(X + k * e) for k in (-2, -1, 1, 2))
        G[:, j] = (a - 8 * b + 8 * c - d) / (12 * h)
        Δ += (-a + 16 * b - 30 * f + 16 * c - d) / (12 * h**2)
    return f, G, Δ


def tikhonov(net, X, y, σ, nodes=12):
    """(4), its left side by Gauss's and Hermite's quadrature in each of D dimensions."""
    z, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / weights.sum()
    total = np.zeros(len(X))
    for places in itertools.product(range(nodes), repeat=X.shape[1]):
        total += np.prod(weights[list(places)]) * (net(X + σ * z[list(places)]) - y)**2
    return total
