"""Sides of planes one by one, and the probabilities as the sums over what may happen that they stand for."""
import math
from itertools import product


def signature(X, W):
    """(1)"""
    return [[sum(a * b for a, b in zip(x, w)) > 0 for w in W] for x in X]


def collision_probability(x, y):
    """(2)"""
    lengths = math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))
    cosine = sum(a * b for a, b in zip(x, y)) / lengths
    return 1 - math.acos(max(-1.0, min(1.0, cosine))) / math.pi


def found_probability(p, b, L):
    """(3)  Over all outcomes of the L tables: found if one of them has all b bits alike."""
    alike, total = p**b, 0.0
    for outcome in product([False, True], repeat=L):
        if any(outcome):
            total += math.prod(alike if hit else 1 - alike for hit in outcome)
    return total
