"""Weights of features and their loss, candidate by candidate."""
from math import exp, log


def linear_scores(Z, w):
    """(1)"""
    return [sum(a * b for a, b in zip(z, w)) for z in Z]


def queries(y, g):
    """The candidates of each query in which something is right."""
    every = [[k for k, q in enumerate(g) if q == query] for query in sorted(set(g))]
    return [some for some in every if sum(y[k] for k in some) > 0]


def softmax_loss(s, y, g):
    """(2)"""
    asked, total = queries(y, g), 0.0
    for some in asked:
        whole, right = sum(exp(s[k]) for k in some), sum(y[k] for k in some)
        total -= sum(y[k] / right * log(exp(s[k]) / whole) for k in some)
    return total / len(asked)


def softmax_gradient(s, y, g):
    """(3)"""
    asked, slope = queries(y, g), [0.0] * len(s)
    for some in asked:
        whole, right = sum(exp(s[k]) for k in some), sum(y[k] for k in some)
        for k in some:
            slope[k] = (exp(s[k]) / whole - y[k] / right) / len(asked)
    return slope
