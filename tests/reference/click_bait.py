"""Logistic regression on counts, item by item and feature by feature, from a full matrix X."""
from math import exp, log


def probabilities(z):
    """(1)"""
    return [1 / (1 + exp(-one)) for one in z]


def loss(z, k, n, w, λ):
    """(2)"""
    total = sum(bad * log(1 + exp(-one)) + (taken - bad) * log(1 + exp(one)) for one, bad, taken in zip(z, k, n))
    return total + λ * sum(weight * weight for weight in w) / 2


def loss_gradient(X, z, k, n, w, λ):
    """(3)"""
    over = [taken * p - bad for p, bad, taken in zip(probabilities(z), k, n)]
    return [sum(one * x[j] for one, x in zip(over, X)) + λ * w[j] for j in range(len(w))], sum(over)


def smoothed_rate(k, n, P, m):
    """(4)"""
    return [(bad + m * p) / (taken + m) for bad, taken, p in zip(k, n, P)]


def worth_showing_below(g, c):
    """(5)"""
    return g / (g + c)
