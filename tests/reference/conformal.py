"""Intervals from errors that have been seen, one number at a time."""
from fractions import Fraction
from math import ceil


def absolute_errors(y, f):
    """(1)"""
    return [[abs(a - b) for a, b in zip(*rows)] for rows in zip(y, f)]


def rank(n, α):
    """(2)  With α as the decimal that it is written as."""
    return ceil((n + 1) * (1 - Fraction(str(α))))


def widths(r, α):
    """(3)"""
    k = rank(len(r), α)
    return [sorted(row[h] for row in r)[k - 1] for h in range(len(r[0]))]


def intervals(ŷ, q):
    """(4)"""
    return [[a - b for a, b in zip(row, q)] for row in ŷ], [[a + b for a, b in zip(row, q)] for row in ŷ]
