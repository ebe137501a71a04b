"""The LSTM by definition: every unit of every sequence by itself, one step after the other."""
import math

import numpy as np


def logistic(a):
    return 1 / (1 + math.exp(-a)) if a > 0 else math.exp(a) / (1 + math.exp(a))


def arguments(x, h, W, U, p, q):
    """(1)"""
    D, H = len(x[0]), len(h[0])
    return np.array([[sum(W[r][d] * x[b][d] for d in range(D)) + sum(U[r][k] * h[b][k] for k in range(H)) + p[r] + q[r]
                      for r in range(4 * H)] for b in range(len(x))])


def gates(a):
    """(2)"""
    H = a.shape[1] // 4
    return np.array([[math.tanh(value) if 2 * H <= r < 3 * H else logistic(value) for r, value in enumerate(row)]
                     for row in a])


def gate(s, b, j):
    """i, f, g, o of unit j in sequence b."""
    H = s.shape[1] // 4
    return s[b, j], s[b, H + j], s[b, 2 * H + j], s[b, 3 * H + j]


def each_unit(c, f):
    """f(b, j) for every unit of every sequence, (B, H)."""
    return np.array([[f(b, j) for j in range(c.shape[1])] for b in range(c.shape[0])])


def states(s, c):
    """(3)"""
    def cell(b, j):
        i, f, g, _ = gate(s, b, j)
        return f * c[b, j] + i * g
    C = each_unit(c, cell)
    return C, each_unit(c, lambda b, j: gate(s, b, j)[3] * math.tanh(C[b, j]))


def cell_gradient(s, C, v, e):
    """(4)"""
    return each_unit(C, lambda b, j: e[b, j] + v[b, j] * gate(s, b, j)[3] * (1 - math.tanh(C[b, j])**2))


def argument_gradient(s, c, C, v, e):
    """(5)"""
    dC = cell_gradient(s, C, v, e)
    da = np.empty(s.shape)
    H = c.shape[1]
    for b in range(len(c)):
        for j in range(H):
            i, f, g, o = gate(s, b, j)
            da[b, j] = dC[b, j] * g * i * (1 - i)
            da[b, H + j] = dC[b, j] * c[b, j] * f * (1 - f)
            da[b, 2 * H + j] = dC[b, j] * i * (1 - g**2)
            da[b, 3 * H + j] = v[b, j] * math.tanh(C[b, j]) * o * (1 - o)
    return da


def state_gradient(s, c, C, v, e, U):
    """(6)"""
    da, dC = argument_gradient(s, c, C, v, e), cell_gradient(s, C, v, e)
    return (each_unit(c, lambda b, j: sum(da[b, r] * U[r][j] for r in range(len(U)))),
            each_unit(c, lambda b, j: gate(s, b, j)[1] * dC[b, j]))


def lstm(X, h, c, W, U, p, q):
    """(7)"""
    hidden = []
    for x in X:
        c, h = states(gates(arguments(x, h, W, U, p, q)), c)
        hidden.append(h)
    return np.array(hidden), h, c


def argument_gradients(S, c, Z, V, v, e, U):
    """(8)"""
    A = [None] * len(S)
    for t in reversed(range(len(S))):
        before = Z[t - 1] if t else c
        v = v + V[t]
        A[t] = argument_gradient(S[t], before, Z[t], v, e)
        v, e = state_gradient(S[t], before, Z[t], v, e, U)
    return np.array(A), v, e


def weight_gradients(A, X, Y, W):
    """(9)"""
    W = np.asarray(W)
    dW, dU, db = np.zeros(W.shape), np.zeros((A.shape[2], Y.shape[2])), np.zeros(A.shape[2])
    dx = np.zeros(X.shape)
    for t in range(A.shape[0]):
        for b in range(A.shape[1]):
            for r in range(A.shape[2]):
                dW[r] += A[t, b, r] * X[t, b]
                dU[r] += A[t, b, r] * Y[t, b]
                db[r] += A[t, b, r]
                dx[t, b] += A[t, b, r] * W[r]
    return dW, dU, db, dx


def every_gradient(X, h, c, W, U, p, q, V, v, e):
    """Of x, h, c, W, U, p, q, from the derivatives V, v, e by the results of (7)."""
    S, Z, Y, cell = [], [], [h], c
    for x in X:
        S.append(gates(arguments(x, Y[-1], W, U, p, q)))
        cell, y = states(S[-1], cell)
        Z.append(cell)
        Y.append(y)
    A, dh, dc = argument_gradients(np.array(S), c, np.array(Z), V, v, e, U)
    dW, dU, db, dx = weight_gradients(A, X, np.array(Y[:-1]), W)
    return dx, dh, dc, dW, dU, db, db
