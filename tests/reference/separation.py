"""How well clusters lie apart, by definition: over all points and all clusters."""
from math import dist, inf

import numpy as np


def distances_to_clusters(X, y):
    """(1)"""
    return np.array([[sum(dist(x, z) for z, label in zip(X, y) if label == k) for k in sorted(set(y))] for x in X])


def silhouette_samples(X, y):
    """(2)"""
    scores = []
    for i in range(len(X)):
        means = {k: np.mean([dist(X[i], X[j]) for j in range(len(X)) if y[j] == k and j != i] or 0) for k in set(y)}
        inside, outside = means[y[i]], min(means[k] for k in means if k != y[i])
        alone = list(y).count(y[i]) == 1
        scores.append(0.0 if alone or inside == outside == 0 else (outside - inside) / max(inside, outside))
    return np.array(scores)


def silhouette_score(X, y):
    """(3)"""
    return sum(silhouette_samples(X, y)) / len(X)


def members(X, y):
    return [X[[label == k for label in y]] for k in sorted(set(y))]


def calinski_harabasz_score(X, y):
    """(4)"""
    clusters, middle = members(X, y), X.mean(axis=0)
    between = sum(len(c) * dist(c.mean(axis=0), middle) ** 2 for c in clusters) / (len(clusters) - 1)
    within = sum(dist(x, c.mean(axis=0)) ** 2 for c in clusters for x in c) / (len(X) - len(clusters))
    return between / within if within > 0 else inf


def davies_bouldin_score(X, y):
    """(5)"""
    clusters = members(X, y)
    centres = [c.mean(axis=0) for c in clusters]
    widths = [np.mean([dist(x, centre) for x in c]) for c, centre in zip(clusters, centres)]

    def overlap(k, l):
        apart, both = dist(centres[k], centres[l]), widths[k] + widths[l]
        return both / apart if apart > 0 else inf if both > 0 else 0.0
    K = range(len(clusters))
    return sum(max(overlap(k, l) for l in K if l != k) for k in K) / len(clusters)
