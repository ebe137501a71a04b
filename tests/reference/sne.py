"""The three costs and their gradients by definition: sums over pairs, one at a time."""
import math

import numpy as np


def square(y, z):
    return sum((a - b) ** 2 for a, b in zip(y, z))


def others(Y, i):
    return [j for j in range(len(Y)) if j != i]


def pairs(Y):
    return [(i, j) for i in range(len(Y)) for j in others(Y, i)]


def matrix(Y, entries):
    Q = np.zeros((len(Y), len(Y)))
    for (i, j), q in entries.items():
        Q[i, j] = q
    return Q


def sne_similarities(Y):
    """(1)"""
    return matrix(Y, {(i, j): math.exp(-square(Y[i], Y[j])) / sum(math.exp(-square(Y[i], Y[k])) for k in others(Y, i))
                      for i, j in pairs(Y)})


def symmetric_similarities(Y):
    """(2)"""
    Z = sum(math.exp(-square(Y[k], Y[l])) for k, l in pairs(Y))
    return matrix(Y, {(i, j): math.exp(-square(Y[i], Y[j])) / Z for i, j in pairs(Y)})


def heavy_tail(y, z):
    return 1 / (1 + square(y, z))


def tsne_similarities(Y):
    """(3)"""
    Z = sum(heavy_tail(Y[k], Y[l]) for k, l in pairs(Y))
    return matrix(Y, {(i, j): heavy_tail(Y[i], Y[j]) / Z for i, j in pairs(Y)})


def divergence(P, Q, Y):
    return sum(P[i, j] * math.log(P[i, j] / Q[i, j]) for i, j in pairs(Y) if P[i, j] > 0)


def sne_cost(R, Y):
    """(4)"""
    return divergence(R, sne_similarities(Y), Y) / len(Y)


def symmetric_cost(P, Y):
    """(5)"""
    return divergence(P, symmetric_similarities(Y), Y)


def tsne_cost(P, Y):
    """(6)"""
    return divergence(P, tsne_similarities(Y), Y)


def sne_gradient(R, Y):
    """(7)"""
    Q = sne_similarities(Y)
    return np.array([2 / len(Y) * sum((R[i, j] - Q[i, j] + R[j, i] - Q[j, i]) * (Y[i] - Y[j]) for j in others(Y, i))
                     for i in range(len(Y))])


def symmetric_gradient(P, Y):
    """(8)"""
    Q = symmetric_similarities(Y)
    return np.array([4 * sum((P[i, j] - Q[i, j]) * (Y[i] - Y[j]) for j in others(Y, i)) for i in range(len(Y))])


def tsne_gradient(P, Y):
    """(9)"""
    Q = tsne_similarities(Y)
    return np.array([4 * sum((P[i, j] - Q[i, j]) * heavy_tail(Y[i], Y[j]) * (Y[i] - Y[j]) for j in others(Y, i))
                     for i in range(len(Y))])
