"""Distances by definition, in exact arithmetic: what a result differs by is the result's own rounding."""
from fractions import Fraction
from math import isqrt

import numpy as np


def table(entry, X, Y):
    """One number for each row of X and row of Y, which reach `entry` as lists of exact fractions."""
    X, Y = ([[Fraction(float(value)) for value in row] for row in rows] for rows in (X, Y))
    return np.array([[float(entry(x, y)) for y in Y] for x in X])


def dot(x, y):
    return sum(a * b for a, b in zip(x, y))


def root(square):
    """√ of a fraction, right to 30 digits whatever its size: the integer root of a fraction with 200 more bits."""
    shift = max(0, 200 + square.denominator.bit_length() - square.numerator.bit_length())
    shift += shift % 2
    return Fraction(isqrt((square.numerator << shift) // square.denominator), 1 << shift // 2)


def squared_euclidean(X, Y):
    """(1)"""
    return table(lambda x, y: sum((a - b) ** 2 for a, b in zip(x, y)), X, Y)


def euclidean(X, Y):
    """(2)"""
    return table(lambda x, y: root(sum((a - b) ** 2 for a, b in zip(x, y))), X, Y)


def manhattan(X, Y):
    """(3)"""
    return table(lambda x, y: sum(abs(a - b) for a, b in zip(x, y)), X, Y)


def cosine_similarity(X, Y):
    """(4)"""
    def cosine(x, y):
        lengths = root(dot(x, x)) * root(dot(y, y))
        return dot(x, y) / lengths if lengths else 0
    return table(cosine, X, Y)


def cosine_distances(X, Y):
    """(5)"""
    return 1 - cosine_similarity(X, Y)
