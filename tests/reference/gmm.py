"""Gaussian mixtures by definition: densities from determinants and inverses, Bayes' rule, sums over points."""
from itertools import product
from math import exp, log, pi

import numpy as np


def log_gaussian(x, m, P):
    """log N(x; m, P⁻¹)"""
    return 0.5 * (log(np.linalg.det(P)) - (x - m) @ P @ (x - m) - len(x) * log(2 * pi))


def log_gaussians(X, μ, U):
    """(1)"""
    return np.array([[log_gaussian(x, μ[k], U[k] @ U[k].T) for k in range(len(μ))] for x in X])


def log_weights(π, U, ε):
    """(2)"""
    return np.array([log(π[k]) - ε / 2 * np.trace(U[k] @ U[k].T) for k in range(len(π))])


def joint(X, μ, U, a):
    """a_k + log N_ik, and for each point the largest of them."""
    f = np.array(a) + log_gaussians(X, μ, U)
    return f, f.max(axis=1)


def log_densities(X, μ, U, a):
    """(3)"""
    f, most = joint(X, μ, U, a)
    return np.array([m + log(sum(exp(v - m) for v in row)) for row, m in zip(f, most)])


def responsibilities(X, μ, U, a):
    """(4)  Bayes' rule."""
    f, most = joint(X, μ, U, a)
    r = [[exp(v - m) for v in row] for row, m in zip(f, most)]
    return np.array([[v / sum(row) for v in row] for row in r])


def weights(r):
    """(5)"""
    return np.array([sum(row[k] for row in r) / len(r) for k in range(r.shape[1])])


def means(X, r):
    """(6)"""
    return np.array([sum(r[i, k] * X[i] for i in range(len(X))) / sum(r[:, k]) for k in range(r.shape[1])])


def scatters(X, r, μ):
    """(7)"""
    return np.array([sum(r[i, k] * np.outer(X[i] - μ[k], X[i] - μ[k]) for i in range(len(X))) / sum(r[:, k])
                     for k in range(r.shape[1])])


def covariances(S, π, ε, covariance_type="full"):
    """(8)  For every component a whole matrix, whatever the type."""
    D = S.shape[1]
    if covariance_type == "tied":
        S = np.array([sum(p * s for p, s in zip(π, S))] * len(π))
    if covariance_type == "diag":
        S = np.array([np.diag(np.diag(s)) for s in S])
    if covariance_type == "spherical":
        S = np.array([np.trace(s) / D * np.eye(D) for s in S])
    return S + ε * np.eye(D)


def precision_factors(Σ):
    """(9)  The inverse, and its only triangular factor with a positive diagonal, one column after another."""
    return np.array([upper_factor(np.linalg.inv(one)) for one in Σ])


def upper_factor(P):
    U = np.zeros_like(P)
    for j in reversed(range(len(P))):
        U[j, j] = np.sqrt(P[j, j] - sum(U[j, k] ** 2 for k in range(j + 1, len(P))))
        for i in range(j):
            U[i, j] = (P[i, j] - sum(U[i, k] * U[j, k] for k in range(j + 1, len(P)))) / U[j, j]
    return U


def free_parameters(K, D, covariance_type="full"):
    """(10)  Counted one by one."""
    entries = [(i, j) for i in range(D) for j in range(i + 1)]
    free = {"full": [(k, *e) for k in range(K) for e in entries], "tied": entries,
            "diag": [(k, i) for k in range(K) for i in range(D)], "spherical": list(range(K))}[covariance_type]
    return len(list(range(K))[1:]) + len(list(product(range(K), range(D)))) + len(free)


def bayesian_information(ℓ, p):
    """(11)"""
    return p * log(len(ℓ)) - 2 * sum(ℓ)


def akaike_information(ℓ, p):
    """(12)"""
    return 2 * p - 2 * sum(ℓ)


# --- what they lead to

def em(X, π, μ, Σ, ε, n_iter, covariance_type="full"):
    """[(J, π, μ, Σ)] of the start and after each iteration, until a component has lost all points; Σ whole matrices."""
    steps = []
    for _ in range(n_iter + 1):
        U = precision_factors(Σ)
        a = log_weights(π, U, ε)
        steps.append((np.mean(log_densities(X, μ, U, a)), π, μ, Σ))
        r = responsibilities(X, μ, U, a)
        π = weights(r)
        if min(π) == 0:
            break
        μ = means(X, r)
        Σ = covariances(scatters(X, r, μ), π, ε, covariance_type)
    return steps


def by_enumeration(X, π, μ, Σ):
    """log p(X) and the responsibilities as sums over all K^N ways in which the points can have come about."""
    density = np.exp(log_gaussians(X, μ, precision_factors(Σ)))
    total, shares = 0.0, np.zeros(density.shape)
    for y in product(range(len(π)), repeat=len(X)):
        p = np.prod([π[k] * density[i, k] for i, k in enumerate(y)])
        total += p
        for i, k in enumerate(y):
            shares[i, k] += p
    return log(total), shares / total
