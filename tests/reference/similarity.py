"""Norms and cosines by definition: vector by vector."""
import math

import numpy as np


def norm(row, p):
    if p == math.inf:
        return max((abs(x) for x in row), default=0.0)
    if p == 0:
        return float(sum(x != 0 for x in row))
    return math.fsum(abs(x) ** p for x in row) ** (1 / p)


def norms(u, p):
    """(1)"""
    return np.array([norm(row, p) for row in u])


def norms_of_differences(a, b, ε, p):
    """(2)"""
    return np.array([norm([x - y + ε for x, y in zip(*rows)], p) for rows in zip(a, b)])


def cosines_above(a, b, ε):
    """(3)"""
    return np.array([math.fsum(x * y for x, y in zip(*rows)) / (max(norm(rows[0], 2), ε) * max(norm(rows[1], 2), ε))
                     for rows in zip(a, b)])


def unit_vectors(u, p, ε):
    """(4)"""
    return np.array([[x / max(norm(row, p), ε) for x in row] for row in u])
