"""The scaled sums by definition: beginnings and ends of paths, as probabilities."""
from itertools import product

import numpy as np


def weight(e, M, y):
    """What a path multiplies up to."""
    return np.prod([e[t, y[t]] for t in range(len(y))]) * np.prod([M[y[t - 1], y[t]] for t in range(1, len(y))])


def paths(T, K):
    return list(product(range(K), repeat=T))


def exponentials(E):
    """(1)"""
    m = np.array([max(row) for row in E])
    return np.exp(E - m[:, None]), m


def scaled_forward(e, M):
    """(2)  The share of label j among all beginnings up to t; the divisors are the ratios of their sums."""
    T, K = e.shape
    sums = np.array([[sum(weight(e[:t + 1], M, y) for y in paths(t + 1, K) if y[-1] == j) for j in range(K)]
                     for t in range(T)])
    totals = sums.sum(axis=1)
    return sums / totals[:, None], totals / np.concatenate([[1], totals[:-1]])


def scaled_backward(e, Mt, c):
    """(3)  The sum over all ends after (t, i), over the divisors of the places after t."""
    T, K = e.shape

    def after(t, i):
        if t == T - 1:
            return 1.0
        return sum(Mt[y[0], i] * weight(e[t + 1:], Mt.T, y) for y in paths(T - 1 - t, K))
    return np.array([[after(t, i) / np.prod(c[t + 1:]) for i in range(K)] for t in range(T)])


def scaled_log_partition(c, m):
    """(4)"""
    return sum(np.log(c)) + sum(m)


def scaled_node_marginals(a, b):
    """(5)"""
    return np.array([[a[t, j] * b[t, j] for j in range(a.shape[1])] for t in range(len(a))])


def scaled_edge_sums(a, b, e, c, M):
    """(6)"""
    T, K = a.shape
    return np.array([[M[i, j] * sum(a[t - 1, i] * e[t, j] * b[t, j] / c[t] for t in range(1, T)) for j in range(K)]
                     for i in range(K)])
