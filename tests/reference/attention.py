"""Attention by definition: one query, one key and one number at a time.  -inf is what is forbidden."""
import numpy as np


def table(N, L, S, entry):
    """The array (N, L, S) of entry(n, i, j)."""
    return np.array([[[entry(n, i, j) for j in range(S)] for i in range(L)] for n in range(N)]).reshape(N, L, S)


def sizes(q, k):
    return len(q), q.shape[1], k.shape[1]


def scores(q, k, s, M):
    """(1)"""
    return table(*sizes(q, k), lambda n, i, j: s * sum(a * b for a, b in zip(q[n, i], k[n, j])) + M[n, i, j])


def attention_weights(Z):
    """(2)  The share of each exponential, of differences to the largest; nothing where all are forbidden."""
    def share(n, i, j):
        top = max(Z[n, i])
        return 0.0 if top == -np.inf else np.exp(Z[n, i, j] - top) / sum(np.exp(z - top) for z in Z[n, i])
    return table(*Z.shape, share)


def dropped(P, X, p):
    """(3)"""
    return table(*P.shape, lambda n, i, j: P[n, i, j] / (1 - p) if X[n, i, j] else 0.0)


def weighted_values(W, v):
    """(4)"""
    N, L, S = W.shape
    return table(N, L, v.shape[2], lambda n, i, c: sum(W[n, i, j] * v[n, j, c] for j in range(S)))


def value_gradient(W, dy):
    """(5)"""
    N, L, S = W.shape
    return table(N, S, dy.shape[2], lambda n, j, c: sum(W[n, i, j] * dy[n, i, c] for i in range(L)))


def weight_gradient(dy, v):
    """(6)"""
    return table(*sizes(dy, v), lambda n, i, j: sum(a * b for a, b in zip(dy[n, i], v[n, j])))


def score_gradient(P, dP):
    """(7)  By the matrix of all ∂P[i,j]/∂Z[i,l]."""
    def jacobian(n, i, j, l):
        return P[n, i, j] * ((j == l) - P[n, i, l])
    N, L, S = P.shape
    return table(N, L, S, lambda n, i, l: sum(dP[n, i, j] * jacobian(n, i, j, l) for j in range(S)))


def query_key_gradients(dZ, q, k, s):
    """(8)"""
    N, L, S = dZ.shape
    D = q.shape[2]
    return (table(N, L, D, lambda n, i, d: s * sum(dZ[n, i, j] * k[n, j, d] for j in range(S))),
            table(N, S, D, lambda n, j, d: s * sum(dZ[n, i, j] * q[n, i, d] for i in range(L))))


def attention(q, k, v, s, M):
    """(1), (2) and (4)"""
    return weighted_values(attention_weights(scores(q, k, s, M)), v)
