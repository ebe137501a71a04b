"""Losses of lists, a term at a time."""
from math import exp, log, prod


def top_one(s):
    """(1)"""
    return [exp(one) / sum(map(exp, s)) for one in s]


def shares(y):
    """(2)"""
    return [grade / sum(y) for grade in y]


def top_one_loss(s, w):
    """(3)"""
    return -sum(weight * log(p) for weight, p in zip(w, top_one(s)) if weight)


def top_one_gradient(s, w):
    """(4)"""
    return [sum(w) * p - weight for weight, p in zip(w, top_one(s))]


def permutation_probability(s, π):
    """(5)"""
    return prod(exp(s[π[t]]) / sum(exp(s[π[u]]) for u in range(t, len(π))) for t in range(len(π)))


def listmle(s, π, k):
    """(6)"""
    return -sum(log(exp(s[π[t]]) / sum(exp(s[π[u]]) for u in range(t, len(π)))) for t in range(k))


def listmle_gradient(s, π, k):
    """(7)"""
    slopes = [0.0] * len(s)
    for v in range(k):
        for t in range(v, len(s)):
            slopes[π[t]] += exp(s[π[t]]) / sum(exp(s[π[u]]) for u in range(v, len(s)))
        slopes[π[v]] -= 1
    return slopes
