"""The conditional random field by definition: every path there is.  -inf is what is forbidden."""
from itertools import product

import numpy as np


def step(A, t):
    """The transitions from place t to place t + 1."""
    return A if np.ndim(A) == 2 else A[t]


def log_sum(values):
    """The logarithm of the sum of the exponentials; the sum of nothing is 0."""
    values = [value for value in values if value > -np.inf]
    if not values:
        return -np.inf
    return max(values) + np.log(sum(np.exp(value - max(values)) for value in values))


def every_path(E):
    """All K^T paths, in the order of the labels read from the last place to the first."""
    T, K = np.shape(E)
    return [backwards[::-1] for backwards in product(range(K), repeat=T)]


def path_score(E, A, y):
    """(1)"""
    return sum(E[t][y[t]] for t in range(len(y))) + sum(step(A, t - 1)[y[t - 1]][y[t]] for t in range(1, len(y)))


def forward(E, A):
    """(2)  The sum over all beginnings, not the recursion."""
    T, K = np.shape(E)
    return np.array([[log_sum(path_score(E[:t + 1], A, y) for y in every_path(E[:t + 1]) if y[-1] == j)
                      for j in range(K)] for t in range(T)])


def backward(E, A):
    """(3)  The sum over all ends: the scores of all that comes after place t."""
    T, K = np.shape(E)

    def after(t, y):
        return sum(E[s][y[s - t]] + step(A, s - 1)[y[s - 1 - t]][y[s - t]] for s in range(t + 1, T))
    return np.array([[log_sum(after(t, y) for y in every_path(E[t:]) if y[0] == i) for i in range(K)]
                     for t in range(T)])


def log_partition(E, A):
    """(4)"""
    return log_sum(path_score(E, A, y) for y in every_path(E))


def probabilities(E, A):
    """{path: its probability}"""
    log_Z = log_partition(E, A)
    return {y: np.exp(path_score(E, A, y) - log_Z) for y in every_path(E)}


def node_marginals(E, A):
    """(5)"""
    gamma = np.zeros(np.shape(E))
    for y, p in probabilities(E, A).items():
        for t, j in enumerate(y):
            gamma[t, j] += p
    return gamma


def edge_marginals(E, A):
    """(6)"""
    T, K = np.shape(E)
    xi = np.zeros((T - 1, K, K))
    for y, p in probabilities(E, A).items():
        for t in range(T - 1):
            xi[t, y[t], y[t + 1]] += p
    return xi


def log_likelihood(E, A, y):
    """(7)"""
    return path_score(E, A, y) - log_partition(E, A)


def log_likelihood_gradient(E, A, y):
    """(8)  What y has of each score, minus the mean over all paths."""
    T, K = np.shape(E)
    dE, dA = np.zeros((T, K)), np.zeros((T - 1, K, K))
    for path, p in [(tuple(y), 1.0)] + [(path, -p) for path, p in probabilities(E, A).items()]:
        for t in range(T):
            dE[t, path[t]] += p
        for t in range(T - 1):
            dA[t, path[t], path[t + 1]] += p
    return dE, sum(dA, np.zeros((K, K))) if np.ndim(A) == 2 else dA


def k_best(E, A, R):
    """(10)  sorted() keeps the order of `every_path` among equals."""
    possible = [(path_score(E, A, y), y) for y in every_path(E) if path_score(E, A, y) > -np.inf]
    best = sorted(possible, key=lambda pair: -pair[0])[:R]
    return [y for _, y in best], [score for score, _ in best]


def viterbi(E, A):
    """(9)"""
    paths, scores = k_best(E, A, 1)
    return paths[0], scores[0]


def posterior_decode(E, A):
    """(11)"""
    return [max(range(len(row)), key=lambda j: row[j]) for row in node_marginals(E, A)]


def sample(E, A):
    """(12)  How often each path is to be drawn."""
    return probabilities(E, A)


def entropy(E, A):
    """(13)  -Σ_y p(y) log p(y)"""
    return -sum(p * np.log(p) for p in probabilities(E, A).values() if p > 0)
