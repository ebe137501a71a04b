"""The variational autoencoder by its definitions: one sample, one draw at a time; densities as they stand."""
import math

import numpy as np

from tests.reference.autoencoder import encode


def posterior(X, e, a):
    """(1)"""
    h = np.array(encode(X, e, a))
    F = h.shape[1] // 2
    return h[:, :F], np.array([[20 * math.tanh(value / 20) for value in row[F:]] for row in h])


def reparameterised(μ, l, ε):
    """(2)"""
    return [[m + math.sqrt(math.exp(v)) * e for m, v, e in zip(*rows)] for rows in zip(μ, l, ε)]


def gaussian_kl(μ, l):
    """(3), by the definition ∫ q log(q / p), on a grid of 20 deviations to either side."""
    totals = []
    for means, logs in zip(μ, l):
        total = 0.0
        for m, v in zip(means, logs):
            σ = math.exp(v / 2)
            z = m + σ * np.linspace(-20, 20, 4001)
            q = np.exp(-0.5 * ((z - m) / σ) ** 2) / (σ * math.sqrt(2 * math.pi))
            log_ratio = -0.5 * ((z - m) / σ) ** 2 - math.log(σ) + 0.5 * z ** 2
            total += (q * log_ratio).sum() * (z[1] - z[0])
        totals.append(total)
    return totals


def bernoulli_surprise(X, Y):
    """(4), through the probability."""
    def surprise(x, y):
        p = 1 / (1 + math.exp(-y))
        return -x * math.log(p) - (1 - x) * math.log(1 - p)
    return [sum(surprise(*pair) for pair in zip(*rows)) for rows in zip(X, Y)]


def gaussian_surprise(X, Y, s2):
    """(5), the logarithm of a product of densities."""
    def density(x, y):
        return math.exp(-0.5 * (x - y) ** 2 / s2) / math.sqrt(2 * math.pi * s2)
    return [-sum(math.log(density(*pair)) for pair in zip(*rows)) for rows in zip(X, Y)]


def negative_elbo(R, Q, β):
    """(6)"""
    return sum(r + β * q for r, q in zip(R, Q)) / len(R)


def normal(z, m, variance):
    return math.exp(-0.5 * (z - m) ** 2 / variance) / math.sqrt(2 * math.pi * variance)


def importance_bound(A, Z, μ, l):
    """(7)"""
    found = []
    for i in range(len(μ)):
        total = 0.0
        for k in range(len(A)):
            prior = math.prod(normal(z, 0, 1) for z in Z[k][i])
            proposal = math.prod(normal(z, m, math.exp(v)) for z, m, v in zip(Z[k][i], μ[i], l[i]))
            total += math.exp(A[k][i]) * prior / proposal
        found.append(math.log(total / len(A)))
    return found


def kl_slopes(μ, l):
    """(8), by central differences of ½ Σ (μ² + e^l - 1 - l)."""
    def kl(m, v):
        return 0.5 * (m * m + math.exp(v) - 1 - v)
    h = 1e-5
    by_μ = [[(kl(m + h, v) - kl(m - h, v)) / (2 * h) for m, v in zip(*rows)] for rows in zip(μ, l)]
    by_l = [[(kl(m, v + h) - kl(m, v - h)) / (2 * h) for m, v in zip(*rows)] for rows in zip(μ, l)]
    return by_μ, by_l


def pathwise_gradient(G):
    """(9)"""
    return [sum(row[j] for row in G) / len(G) for j in range(len(G[0]))]


def score_gradient(f, u, v):
    """(10): f times the slope of log q(z), which is (z - μ) / σ², with z - μ = σ u."""
    σ = [math.exp(value / 2) for value in v]
    return [sum(f[k] * (σ[j] * u[k][j]) / σ[j] ** 2 for k in range(len(f))) / len(f) for j in range(len(v))]


def linear_elbo(X, V, W, v, s2):
    """(11), its expectation over z by the mean and the covariance of W z."""
    total = 0.0
    for x in X:
        μ, D = V @ x, len(x)
        apart = (x - W @ μ) @ (x - W @ μ) + np.trace(W @ np.diag(np.exp(v)) @ W.T)
        total += 0.5 * (apart / s2 + D * math.log(2 * math.pi * s2))
        total += 0.5 * (μ @ μ + np.exp(v).sum() - len(v) - v.sum())
    return total / len(X)


def linear_optimum(c, F):
    """(12), the mean log-density of data of covariance diag(c) under the normal distribution of probabilistic PCA."""
    noise = sum(c[F:]) / (len(c) - F)
    model = [*c[:F], *[noise] * (len(c) - F)]
    return sum(-0.5 * (math.log(2 * math.pi * m) + value / m) for m, value in zip(model, c))
