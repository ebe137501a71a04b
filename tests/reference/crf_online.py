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
