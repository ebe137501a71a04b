"""k-means by definition: sums over points, one at a time, and every partition there is."""
from itertools import product

import numpy as np


def squared_distance(x, c):
    return sum((a - b) ** 2 for a, b in zip(x, c))


def inertia(X, w, C, y):
    """(1)"""
    return sum(w[i] * squared_distance(X[i], C[y[i]]) for i in range(len(X)))


def assign(X, C):
    """(2)  min() keeps the first of several that are equally near."""
    return np.array([min(range(len(C)), key=lambda k: squared_distance(x, C[k])) for x in X])


def recentre(X, w, y, C):
    """(3)"""
    centres = np.array(C, dtype=float)
    for k in range(len(C)):
        weight = sum(w[i] for i in range(len(X)) if y[i] == k)
        if weight > 0:
            centres[k] = sum(w[i] * X[i] for i in range(len(X)) if y[i] == k) / weight
    return centres


def fill_empty(X, w, C, y):
    """(4)  max() keeps the first of several that are equally far."""
    points, filled, moved = range(len(X)), np.array(y), []
    for k in range(len(C)):
        if any(w[i] > 0 and filled[i] == k for i in points):
            continue
        movable = [i for i in points if w[i] > 0 and i not in moved
                   and any(w[j] > 0 and filled[j] == filled[i] for j in points if j != i)]
        if movable:
            farthest = max(movable, key=lambda i: squared_distance(X[i], C[y[i]]))
            filled[farthest] = k
            moved.append(farthest)
    return filled


def seeding_probabilities(w, d):
    """(5)"""
    p = np.array([w[i] * d[i] for i in range(len(w))])
    return p / sum(p) if p.any() else np.array(w) / sum(w)


def potential(X, w, d, Y):
    """(6)"""
    return np.array([sum(w[i] * min(d[i], squared_distance(X[i], c)) for i in range(len(X))) for c in Y])


# --- what the steps lead to

def lloyd(X, w, C, tol=0, max_iter=300):
    """The centres, labels and J of the start and after each turn of (2), (4), (3); and whether they came to rest."""
    threshold = tol * np.mean([np.mean((column - np.mean(column)) ** 2) for column in X.T])
    y = assign(X, C)
    steps, owners = [(C, y, inertia(X, w, C, y))], fill_empty(X, w, C, y)
    for _ in range(max_iter):
        before, last = C, owners
        C = recentre(X, w, owners, C)
        y = assign(X, C)
        owners = fill_empty(X, w, C, y)
        steps.append((C, y, inertia(X, w, C, y)))
        if (owners == last).all() or sum(squared_distance(*pair) for pair in zip(C, before)) <= threshold:
            return steps, True
    return steps, False


def least_inertia(X, w, K):
    """The smallest J of all K^N assignments, each with its best centres."""
    def best(y):
        return inertia(X, w, recentre(X, w, y, np.zeros((K, X.shape[1]))), y)
    return min(best(y) for y in product(range(K), repeat=len(X)))
