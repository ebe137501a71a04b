"""Cross-entropy by definition: the logarithm of each probability, in extended precision, and its derivative."""
import math

import numpy as np


def log_sums(z):
    """(1)  Every exponential relative to the first finite score; terms that underflow do not matter."""
    sums = []
    for row in z:
        top = max(row)
        sums.append(-math.inf if top == -math.inf else
                    top + math.log(math.fsum(math.exp(x - top) for x in sorted(row))))
    return np.array(sums)


def smoothed(t, α, K):
    """(2)"""
    return np.array([[(1 - α if k == label else 0) + α / K for k in range(K)] for label in t]).reshape(len(t), K)


def surprises(z, t, w, α):
    """(3)  What has no weight does not count, be it infinite."""
    l, q = log_sums(z), smoothed(t, α, z.shape[1])
    return np.array([math.fsum(w[k] * q[n, k] * (l[n] - z[n, k]) for k in range(z.shape[1]) if w[k] * q[n, k])
                     for n in range(len(z))])


def surprises_by_scores(z, t, w, α, g):
    """(4)  Of -Σ_k w_k q_k log p_k, where ∂ log p_k / ∂z_j = [k = j] - p_j."""
    q, p = smoothed(t, α, z.shape[1]), np.exp(z - log_sums(z)[:, None])
    K = range(z.shape[1])
    return np.array([[g[n] * math.fsum(-w[k] * q[n, k] * ((k == j) - p[n, j]) for k in K) for j in K]
                     for n in range(len(z))]).reshape(z.shape)


def weighted_mean(ℓ, t, w):
    """(5)"""
    return math.fsum(ℓ) / math.fsum(w[label] for label in t)
