"""The plain recurrent layer by definition: every unit of every sequence by itself, one step after the other."""
import math

import numpy as np

from tests.reference.gru import each_unit


def argument(x, h, W, U, p, q):
    """(1)"""
    return each_unit(h, lambda b, j: sum(W[j, d] * x[b, d] for d in range(x.shape[1]))
                     + sum(U[j, k] * h[b, k] for k in range(h.shape[1])) + p[j] + q[j])


def curve(a, f):
    """(2)"""
    return each_unit(a, lambda b, j: math.tanh(a[b, j]) if f == "tanh" else max(a[b, j], 0.0))


def argument_gradient(v, y, f):
    """(3)  The slope of tanh by way of its argument."""
    def slope(y):
        return 1 / math.cosh(math.atanh(y)) ** 2 if f == "tanh" else float(y > 0)
    return each_unit(v, lambda b, j: v[b, j] * slope(y[b, j]))


def elman(X, h, W, U, p, q, f):
    """(4)"""
    hidden = []
    for x in X:
        h = curve(argument(x, h, W, U, p, q), f)
        hidden.append(h)
    return np.array(hidden), h


def argument_gradients(Y, V, v, U, f):
    """(5)"""
    A = [None] * len(Y)
    for t in reversed(range(len(Y))):
        A[t] = argument_gradient(v + V[t], Y[t], f)
        v = each_unit(v, lambda b, k: sum(A[t][b, j] * U[j, k] for j in range(len(U))))
    return np.array(A), v


def weight_gradients(A, X, Z, W):
    """(6)"""
    dW, dU, dp, dx = np.zeros(W.shape), np.zeros((len(W), len(W))), np.zeros(len(W)), np.zeros(X.shape)
    for t, b, j in np.ndindex(A.shape):
        dW[j] += A[t, b, j] * X[t, b]
        dU[j] += A[t, b, j] * Z[t, b]
        dp[j] += A[t, b, j]
        dx[t, b] += A[t, b, j] * W[j]
    return dW, dU, dp, dx
