"""Principal components batch by batch, by definition.  `merge` is one turn of (1) to (4)."""
import numpy as np

from tests.reference.pca import fix_signs


def merged_mean(n, μ, X):
    """(1)"""
    return (n * μ + sum(X)) / (n + len(X))


def mean_correction(n, μ, X):
    """(2)"""
    N = len(X)
    return np.sqrt(n * N / (n + N)) * (μ - sum(X) / N)


def merged_scatter_rows(σ, W, n, μ, X):
    """(3)"""
    rows = [s * w for s, w in zip(σ, W)] + [x - sum(X) / len(X) for x in X] + [mean_correction(n, μ, X)]
    return np.array(rows)


def truncate(M, F):
    """(4)"""
    _, σ, V = np.linalg.svd(M, full_matrices=False)
    return σ[:F], fix_signs(V[:F])


def merge(σ, W, n, μ, X, F):
    """What is known after batch X: the state (σ, W, n, μ), to F components or as many as there are."""
    M = merged_scatter_rows(σ, W, n, μ, X)
    return *truncate(M, min(F, n + len(X), X.shape[1])), n + len(X), merged_mean(n, μ, X)
