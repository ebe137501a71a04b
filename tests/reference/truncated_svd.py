"""The truncated singular value decomposition by definition, of the matrix written out."""
import numpy as np


def times(A, B):
    """(1)  Over all places, zeros too."""
    return [[sum(A[i][j] * B[j][f] for j in range(len(B))) for f in range(len(B[0]))] for i in range(len(A))]


def leading_terms(A, F):
    """(2)  By eigenvectors of AᵀA; their signs by the largest entry."""
    values, axes = np.linalg.eigh(A.T @ A)
    s, W = np.sqrt(np.maximum(values[::-1][:F], 0)), axes.T[::-1][:F].copy()
    for v in W:
        if v[np.argmax(np.abs(v))] < 0:
            v *= -1
    return s, W


def project(A, W):
    """(3)"""
    return np.array([[np.dot(v, a) for v in W] for a in A])


def reconstruct(Z, W):
    """(4)"""
    return sum(np.outer(Z[:, f], W[f]) for f in range(len(W)))


def explained_ratio(Z, total):
    """(5)"""
    return [sum((z - sum(column) / len(column)) ** 2 for z in column) / len(column) / total for column in Z.T]
