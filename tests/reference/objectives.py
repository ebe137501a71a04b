"""The losses of factorisation by definition, over every pair.  A is dense, with NaN where nothing is known."""
import numpy as np


def pairs(A):
    """(i, j, A_ij, whether it is known) of every place."""
    for i in range(len(A)):
        for j in range(len(A[0])):
            yield i, j, A[i][j], not np.isnan(A[i][j])


def product(u, v):
    return sum(u[f] * v[f] for f in range(len(u)))


def observed_error(A, U, V):
    """(1)"""
    return sum((r - product(U[i], V[j])) ** 2 for i, j, r, known in pairs(A) if known)


def weighted_error(A, U, V, w):
    """(2)"""
    return observed_error(A, U, V) + w * sum(product(U[i], V[j]) ** 2 for i, j, _, known in pairs(A) if not known)


def squared_error(A, U, V):
    """(3)"""
    return np.linalg.norm(np.nan_to_num(A, nan=0.0) - U @ V.T) ** 2


def confidence_error(A, U, V, a):
    """(4)  A preference of 1 where there is an entry, else 0, and a confidence of 1 + a r in it, r = 0 elsewhere."""
    total = 0.0
    for i, j, r, known in pairs(A):
        preference, confidence = (1, 1 + a * r) if known else (0, 1)
        total += confidence * (preference - product(U[i], V[j])) ** 2
    return total


def biased_error(A, U, V, b, d, μ):
    """(5)"""
    return sum((r - μ - b[i] - d[j] - product(U[i], V[j])) ** 2 for i, j, r, known in pairs(A) if known)


def penalty(X, k, λ):
    """(6)"""
    return λ * sum(k[i] * X[i][f] ** 2 for i in range(len(X)) for f in range(len(X[i])))


def family_error(A, U, V, family):
    """(7)"""
    growth, slope, level, w = family
    return sum((1 + growth * r) * (slope * r + level - product(U[i], V[j])) ** 2 if known
               else w * product(U[i], V[j]) ** 2 for i, j, r, known in pairs(A))


def gradient(A, U, V, L, family):
    """(8)"""
    growth, slope, level, w = family
    G = np.array([[2 * L[i] * U[i][f] for f in range(len(U[0]))] for i in range(len(U))])
    for i, j, r, known in pairs(A):
        c, t = (1 + growth * r, slope * r + level) if known else (w, 0)
        for f in range(len(U[0])):
            G[i, f] += 2 * c * (product(U[i], V[j]) - t) * V[j][f]
    return G
