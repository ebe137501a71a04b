"""The GRU by definition: every unit of every sequence by itself, one step after the other."""
import math

import numpy as np

from tests.reference.lstm import logistic


def each_unit(h, f):
    """f(b, j) for every unit of every sequence, (B, H)."""
    return np.array([[f(b, j) for j in range(h.shape[1])] for b in range(h.shape[0])])


def gate(s, b, j):
    """n, r, z, m of unit j in sequence b."""
    H = s.shape[1] // 4
    return s[b, j], s[b, H + j], s[b, 2 * H + j], s[b, 3 * H + j]


def arguments(x, h, W, U, p, q):
    """(1)"""
    rows = range(len(p))
    return (np.array([[sum(W[r][d] * x[b][d] for d in range(len(x[b]))) + p[r] for r in rows] for b in range(len(x))]),
            np.array([[sum(U[r][j] * h[b][j] for j in range(len(h[b]))) + q[r] for r in rows] for b in range(len(h))]))


def gates(a, k):
    """(2)"""
    B, H = len(a), a.shape[1] // 3
    s = np.empty((B, 4 * H))
    for b in range(B):
        for j in range(H):
            r, z, m = logistic(a[b, j] + k[b, j]), logistic(a[b, H + j] + k[b, H + j]), k[b, 2 * H + j]
            s[b, j::H] = math.tanh(a[b, 2 * H + j] + r * m), r, z, m
    return s


def state(s, h):
    """(3)"""
    def new(b, j):
        n, _, z, _ = gate(s, b, j)
        return (1 - z) * n + z * h[b, j]
    return each_unit(h, new)


def gate_gradient(s, h, v):
    """(4)"""
    H = h.shape[1]
    d = np.empty(s.shape)
    for b in range(len(h)):
        for j in range(H):
            n, r, z, m = gate(s, b, j)
            dn = v[b, j] * (1 - z) * (1 - n**2)
            d[b, j::H] = dn, dn * m * r * (1 - r), v[b, j] * (h[b, j] - n) * z * (1 - z), dn * r
    return d


def state_gradient(s, h, v, U):
    """(5)"""
    d, H = gate_gradient(s, h, v), h.shape[1]
    return each_unit(h, lambda b, j: gate(s, b, j)[2] * v[b, j] + sum(d[b, H + r] * U[r][j] for r in range(3 * H)))


def gru(X, h, W, U, p, q):
    """(6)"""
    hidden = []
    for x in X:
        h = state(gates(*arguments(x, h, W, U, p, q)), h)
        hidden.append(h)
    return np.array(hidden), h


def gate_gradients(S, Y, V, v, U):
    """(7)"""
    A = [None] * len(S)
    for t in reversed(range(len(S))):
        v = v + V[t]
        A[t] = gate_gradient(S[t], Y[t], v)
        v = state_gradient(S[t], Y[t], v, U)
    return np.array(A), v


def weight_gradients(A, X, Y, W):
    """(8)"""
    T, B, H = Y.shape
    W = np.asarray(W)
    dW, dU, dp, dq, dx = np.zeros(W.shape), np.zeros((3 * H, H)), np.zeros(3 * H), np.zeros(3 * H), np.zeros(X.shape)
    for t in range(T):
        for b in range(B):
            for j in range(H):
                dn, dr, dz, dm = gate(A[t], b, j)
                for r, by_input, by_state in ((j, dr, dr), (H + j, dz, dz), (2 * H + j, dn, dm)):
                    dW[r] += by_input * X[t, b]
                    dU[r] += by_state * Y[t, b]
                    dp[r] += by_input
                    dq[r] += by_state
                    dx[t, b] += by_input * W[r]
    return dW, dU, dp, dq, dx


def every_gradient(X, h, W, U, p, q, V, v):
    """Of x, h, W, U, p, q, from the derivatives V, v by the results of (6)."""
    S, Y = [], [h]
    for x in X:
        S.append(gates(*arguments(x, Y[-1], W, U, p, q)))
        Y.append(state(S[-1], Y[-1]))
    A, dh = gate_gradients(np.array(S), np.array(Y[:-1]), V, v, U)
    dW, dU, dp, dq, dx = weight_gradients(A, X, np.array(Y[:-1]), W)
    return dx, dh, dW, dU, dp, dq
