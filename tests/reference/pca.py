"""Principal components by definition: sums over rows, one at a time."""
from math import fsum

import numpy as np


def mean(X):
    """(1)"""
    return np.array([fsum(column) / len(X) for column in X.T])


def covariance(X, μ):
    """(2)"""
    return sum(np.outer(x - μ, x - μ) for x in X) / (len(X) - 1)


def principal_axes(S):
    """(3)  A symmetric S without negative eigenvalues is its own singular value decomposition."""
    _, λ, V = np.linalg.svd(S)
    return λ, V


def fix_signs(W):
    """(4)"""
    def largest(row):
        return max(row, key=abs)                         # max() keeps the first of several
    return np.array([row if largest(row) >= 0 else -row for row in W])


def project(X, μ, W):
    """(5)"""
    return np.array([[sum(a * b for a, b in zip(row, x - μ)) for row in W] for x in X])


def reconstruct(Z, μ, W):
    """(6)"""
    return np.array([sum((a * row for a, row in zip(z, W)), start=μ) for z in Z])


def explained_ratio(λ):
    """(7)"""
    return np.array([part / sum(λ) if sum(λ) > 0 else 0 for part in λ])


def noise_variance(λ, F):
    """(8)"""
    return np.mean(λ[F:]) if F < len(λ) else 0


def log_density(X, μ, W, λ, σ2):
    """(9)  The normal density with its whole covariance matrix, solved row by row."""
    D = len(μ)
    S = sum((part - σ2) * np.outer(row, row) for part, row in zip(λ, W)) + σ2 * np.eye(D)
    _, log_determinant = np.linalg.slogdet(2 * np.pi * S)
    return np.array([-(log_determinant + (x - μ) @ np.linalg.solve(S, x - μ)) / 2 for x in X])
