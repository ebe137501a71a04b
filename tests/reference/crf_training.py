"""Losses of a conditional random field by definition: sums over features, and over all paths."""
import numpy as np

from tests.reference import crf


def emissions(G, W):
    """(1)"""
    return np.array([[sum(g * w for g, w in zip(row, W[:, j])) for j in range(W.shape[1])] for row in G])


def transitions(G, U, V):
    """(2)"""
    K = len(U)
    return np.array([[[U[i, j] + sum(G[t, d] * V[d, i, j] for d in range(G.shape[1])) for j in range(K)]
                      for i in range(K)] for t in range(1, len(G))]).reshape(len(G) - 1, K, K)


def agrees(path, y):
    return all(known < 0 or label == known for label, known in zip(path, y))


def loss(E, A, y):
    """(3)  Minus the logarithm of the probability of what is known."""
    return -np.log(sum(p for path, p in crf.probabilities(E, A).items() if agrees(path, y)))


def loss_slopes(E, A, y):
    """(4)  Expected over all paths, minus expected over those that agree with y."""
    T, K = np.shape(E)
    every = crf.probabilities(E, A)
    known = sum(p for path, p in every.items() if agrees(path, y))
    dE, dA = np.zeros((T, K)), np.zeros((T - 1, K, K))
    for path, p in every.items():
        share = p - (p / known if agrees(path, y) else 0)
        for t in range(T):
            dE[t, path[t]] += share
        for t in range(T - 1):
            dA[t, path[t], path[t + 1]] += share
    return dE, dA


def weight_slopes(G, dE, dA):
    """(5)"""
    T, D = G.shape
    K = dE.shape[1]
    dW, dU, dV = np.zeros((D, K)), np.zeros((K, K)), np.zeros((D, K, K))
    for t in range(T):
        for d in range(D):
            dW[d] += G[t, d] * dE[t]
            if t:
                dV[d] += G[t, d] * dA[t - 1]
    for step in dA:
        dU += step
    return dW, dU, dV


def penalty(theta, c1, c2):
    """(6)"""
    return sum(c1 * abs(t) + c2 * t * t for t in theta)
