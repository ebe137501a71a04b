"""The truncated singular value decomposition by definition, of the matrix written out."""
import numpy as np


def leading_terms(A, F):
    """(1)  By eigenvectors of AᵀA; their signs by the largest entry."""
    values, axes = np.linalg.eigh(A.T @ A)
    s, W = np.sqrt(np.maximum(values[::-1][:F], 0)), axes.T[::-1][:F].copy()
    for v in W:
        if v[np.argmax(np.abs(v))] < 0:
            v *= -1
    return s, W, project(A, W)


def project(A, W):
    """(2)"""
    return np.array([[np.dot(v, a) for v in W] for a in A])


def reconstruct(Z, W):
    """(3)"""
    return sum(np.outer(Z[:, f], W[f]) for f in range(len(W)))


def explained_ratio(Z, total):
    """(4)"""
    return [sum((z - sum(column) / len(column)) ** 2 for z in column) / len(column) / total for column in Z.T]
