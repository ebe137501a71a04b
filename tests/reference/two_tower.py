"""Cosines, and steps of Adam."""
from math import sqrt


def scaled_cosine(u, v, τ):
    """(1)"""
    def cosine(x, y):
        lengths = sqrt(sum(a * a for a in x)) * sqrt(sum(a * a for a in y))
        return sum(a * b for a, b in zip(x, y)) / lengths / τ if lengths else 0.0
    return [[cosine(x, y) for y in v] for x in u]


def adam(E, gradients, lr, β1=0.9, β2=0.999, ε=1e-8):
    """The table after steps with these gradients, each of all its rows."""
    m, s = 0 * E, 0 * E
    for t, g in enumerate(gradients, 1):
        m, s = β1 * m + (1 - β1) * g, β2 * s + (1 - β2) * g * g
        E = E - lr * (m / (1 - β1 ** t)) / ((s / (1 - β2 ** t)) ** 0.5 + ε)
    return E
