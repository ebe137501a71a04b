"""Ridge regression, its sums one term at a time, its weights by the inverse that the equation has."""
import numpy as np


def products(X, Y, μ, ν):
    """(1)"""
    N, D, H = len(X), len(X[0]), len(Y[0])
    S = [[sum((X[i][j] - μ[j]) * (X[i][k] - μ[k]) for i in range(N)) for k in range(D)] for j in range(D)]
    C = [[sum((X[i][j] - μ[j]) * (Y[i][h] - ν[h]) for i in range(N)) for h in range(H)] for j in range(D)]
    return S, C


def ridge_weights(S, C, λ):
    """(2)"""
    return np.linalg.inv(S + λ * np.eye(len(S))) @ C


def intercepts(B, μ, ν):
    """(3)"""
    return [ν[h] - sum(B[j][h] * μ[j] for j in range(len(μ))) for h in range(len(ν))]


def weighted_sums(X, B, b):
    """(4)"""
    return [[sum(x[j] * B[j][h] for j in range(len(x))) + b[h] for h in range(len(b))] for x in X]


def minimum(X, Y, λ):
    """What (2) minimises, as least squares of the rows and of √λ I, in as many digits as there are."""
    D = X.shape[1]
    A = np.concatenate([X, np.sqrt(λ) * np.eye(D)])
    return np.linalg.lstsq(A, np.concatenate([Y, np.zeros((D, Y.shape[1]))]), rcond=None)[0]
