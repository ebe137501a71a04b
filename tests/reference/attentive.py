"""An LSTM with attention inside, by definition: one number at a time, one sequence after the other."""
import math

import numpy as np

from tests.reference import lstm


def queries(h, Q):
    """(1)"""
    return np.array([[sum(Q[m][i] * row[i] for i in range(len(row))) for m in range(len(Q))] for row in h])


def alignments(a, u, w, n):
    """(2)"""
    B, S, A = u.shape
    P = np.zeros((B, S))
    for b in range(B):
        Z = [sum(w[m] * math.tanh(a[b, m] + u[b, j, m]) for m in range(A)) for j in range(n[b])]
        total = sum(math.exp(z - max(Z)) for z in Z)
        for j in range(n[b]):
            P[b, j] = math.exp(Z[j] - max(Z)) / total
    return P


def contexts(P, K):
    """(3)"""
    B, S, C = K.shape
    return np.array([[sum(P[b, j] * K[b, j, d] for j in range(S) if P[b, j]) for d in range(C)] for b in range(B)])


def states_after(x, k, h, c, W, U, b):
    """(4)"""
    both = np.array([[*x_row, *k_row] for x_row, k_row in zip(x, k)])
    z, y = lstm.states(lstm.gates(lstm.arguments(both, h, W, U, b, [0.0] * len(b))), c)
    return y, z


def attentive_lstm(X, K, u, n, h, c, W, U, b, Q, w):
    """h, k and P of every step."""
    hidden, read, looks = [], [], []
    for x in X:
        P = alignments(queries(h, Q), u, w, n)
        k = contexts(P, K)
        h, c = states_after(x, k, h, c, W, U, b)
        hidden.append(h)
        read.append(k)
        looks.append(P)
    return np.array(hidden), np.array(read), np.array(looks)


def context_gradients(s, v, W, K):
    """(5)"""
    B, S, C = K.shape
    first = len(W[0]) - C
    dk = np.array([[v[b, d] + sum(s[b, r] * W[r][first + d] for r in range(len(W))) for d in range(C)]
                   for b in range(B)])
    return dk, np.array([[sum(dk[b, d] * K[b, j, d] for d in range(C)) for j in range(S)] for b in range(B)])


def query_gradients(P, dP, a, u, w):
    """(6)"""
    (B, S, A), da = u.shape, np.zeros(a.shape)
    for b in range(B):
        mean = sum(P[b, j] * dP[b, j] for j in range(S))
        for m in range(A):
            da[b, m] = w[m] * sum(P[b, j] * (dP[b, j] - mean) * (1 - math.tanh(a[b, m] + u[b, j, m])**2)
                                  for j in range(S))
    return da


def state_gradients(s, U, da, Q):
    """(7)"""
    return np.array([[sum(s_row[r] * U[r][i] for r in range(len(U))) + sum(a_row[m] * Q[m][i] for m in range(len(Q)))
                      for i in range(len(U[0]))] for s_row, a_row in zip(s, da)])


def weight_gradients(G, X, O, Y, R):
    """(8)"""
    (T, B, F), D, C, H, A = G.shape, X.shape[2], O.shape[2], Y.shape[2], R.shape[2]
    dW, dU, dQ = np.zeros((F, D + C)), np.zeros((F, H)), np.zeros((A, H))
    for t in range(T):
        for b in range(B):
            for r in range(F):
                dW[r, :D] += G[t, b, r] * X[t, b]
                dW[r, D:] += G[t, b, r] * O[t, b]
                dU[r] += G[t, b, r] * Y[t, b]
            for m in range(A):
                dQ[m] += R[t, b, m] * Y[t, b]
    return dW, dU, dQ


def key_gradients(L, V):
    """(9)"""
    (T, B, S), C = L.shape, V.shape[2]
    return np.array([[[sum(L[t, b, j] * V[t, b, d] for t in range(T)) for d in range(C)] for j in range(S)]
                     for b in range(B)])
