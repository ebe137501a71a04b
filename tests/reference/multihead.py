"""Multi-head attention by definition: each head with arrays of its own."""
import numpy as np

from tests.reference import attention


def split_heads(u, H):
    """(1)"""
    B, T, E = u.shape
    A = E // H
    return np.array([[[[u[b, t, n * A + a] for a in range(A)] for t in range(T)] for n in range(H)] for b in range(B)])


def merge_heads(h):
    """(2)"""
    B, H, T, A = h.shape
    return np.array([[[h[b, n, t, a] for n in range(H) for a in range(A)] for t in range(T)] for b in range(B)])


def combined_mask(F, G):
    """(3)  With a dimension of length 1 for the heads, which all have the same."""
    (L, S), B = F.shape, len(G)
    return np.array([[[[-np.inf if F[i, j] or G[b, j] else 0.0 for j in range(S)] for i in range(L)]]
                     for b in range(B)])


def context(q, k, v, M, H):
    """(4)"""
    B, L, E = q.shape
    A = E // H
    c = np.empty((B, L, E))
    for n in range(H):
        part = slice(n * A, (n + 1) * A)
        c[..., part] = attention.attention(q[..., part], k[..., part], v[..., part], 1 / np.sqrt(A), M[:, n])
    return c


def mean_weights(W):
    """(5)"""
    B, H, L, S = W.shape
    return np.array([[[sum(W[b, n, i, j] for n in range(H)) / H for j in range(S)] for i in range(L)]
                     for b in range(B)])
