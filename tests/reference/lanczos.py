"""Block Lanczos by definition: matrices written out, sums one term at a time, residuals of the vectors themselves."""
import numpy as np


def times(A, B):
    """(1)  Over all places, zeros too."""
    return [[sum(A[i][j] * B[j][f] for j in range(len(B))) for f in range(len(B[0]))] for i in range(len(A))]


def shifted_times(A, g, h, B):
    """(2)  Of the matrix whose entries are A_ij - g_i h_j."""
    return times([[A[i][j] - g[i] * h[j] for j in range(len(h))] for i in range(len(g))], B)


def split(K, W):
    """(3)  Column by column: how long it is along each row of K, and what is left of it."""
    H = np.array([[sum(k * w) for w in W.T] for k in K]).reshape(len(K), W.shape[1])
    return H, np.array([w - sum(h * k for h, k in zip(column, K)) for w, column in zip(W.T, H.T)]).T


def next_block(K, E):
    """(4)  An orthonormal basis, in rows, of what E spans beyond K: as many as it has dimensions."""
    U, s, _ = np.linalg.svd(split(K, E)[1], full_matrices=False)
    return U[:, s > 1e-12 * s.max(initial=0)].T


def ritz_pairs(K, T, F):
    """(5)  A symmetric T without negative eigenvalues is its own singular value decomposition."""
    _, θ, Y = np.linalg.svd(T)
    return θ[:F], np.array([sum(y * k for y, k in zip(row, K)) for row in Y[:F]]), Y[:F].T


def residuals(C, θ, V):
    """(6)  Of the pairs themselves."""
    return [np.sqrt(sum((C @ v - value * v) ** 2)) for value, v in zip(θ, V)]


def project_and_decompose(A, Q):
    """(7)  The singular value decomposition of Q Qᵀ A, as many of its parts as Q has columns."""
    U, s, Vt = np.linalg.svd(Q @ Q.T @ A, full_matrices=False)
    L = Q.shape[1]
    return U[:, :L], s[:L], Vt[:L]
