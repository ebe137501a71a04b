"""The steps as they are stated, one number at a time."""
import numpy as np


def descend(theta, g, eta, lam):
    """(1)"""
    return np.array([(1 - eta * lam) * t - eta * s for t, s in zip(theta, g)])


def step_size(eta, lam, k):
    """(2)  As the sum it comes from: 1 / η_k grows by λ a step."""
    inverse = 1 / eta
    for _ in range(int(k)):
        inverse += lam
    return 1 / inverse


def correct(theta, phi, best):
    """(3)"""
    return np.array([t + a - b for t, a, b in zip(theta, phi, best)])


def mean_weights(theta, u, n):
    """(4)"""
    return np.array([t - s / n for t, s in zip(theta, u)])


def missing(s_y, s_best, m):
    """(5)"""
    return m - (s_y - s_best)


def passive_aggressive(theta, delta, l, c, kind=1):
    """(6)"""
    square = sum(d * d for d in delta)
    tau = {0: l / square, 1: min(c, l / square), 2: l / (square + 1 / (2 * c))}[kind]
    return np.array([t + tau * d for t, d in zip(theta, delta)])


def adapted_weights(theta, delta, l, v, gamma):
    """(7)"""
    alpha = l / (gamma + sum(s * d * d for s, d in zip(v, delta)))
    return np.array([t + alpha * s * d for t, s, d in zip(theta, v, delta)])


def adapted_variances(v, delta, gamma):
    """(8)"""
    return np.array([1 / (1 / s + d * d / gamma) for s, d in zip(v, delta)])
