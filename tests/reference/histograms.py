"""Derivatives in whole numbers and their sums by definition, in Python's integers, which have no end."""
import math
from fractions import Fraction


def above(x):
    """The least exponent of a power of two that is greater than x; 1 for 0."""
    if x == 0:
        return 1
    k, x = -1200, Fraction(x)
    while not x < Fraction(2) ** k:
        k += 1
    return k


def whole_gradients(g):
    """(1)"""
    k = 61 - above(len(g)) - above(max(map(abs, g)))
    return [round(Fraction(value) * Fraction(2) ** k) for value in g], k


def whole_hessians(h):
    """(2)"""
    c = above(len(h))
    k = 62 - 2 * c - above(max(h))
    return [2**c * round(Fraction(value) * Fraction(2) ** k) + 1 for value in h], k


def histogram(b, q, w, rows):
    """(3)"""
    D = len(b[0])
    S = [[[0, 0] for _ in range(256)] for _ in range(D)]
    for f in range(D):
        for place in range(256):
            S[f][place] = [sum(q[n] for n in rows if b[n][f] == place), sum(w[n] for n in rows if b[n][f] == place)]
    return S


def sibling(S, S_c):
    """(4)"""
    return [[[p - c for p, c in zip(*pair)] for pair in zip(*bins)] for bins in zip(S, S_c)]


def unit(k):
    return math.ldexp(1.0, -k)
