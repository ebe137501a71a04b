"""Tails of distributions by definition: exact sums of fractions, and series in decimals.

(1) to (6) are Decimals, (7) to (9) Fractions, or arrays of them.
"""
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np

from tests.reference.special import decimals, erfc, erfc_inverse, incomplete_beta


@decimals
def normal_cdf(z):
    """(1)"""
    return normal_sf(-z)


@decimals
def normal_sf(z):
    """(2)"""
    return erfc(z / Decimal(2).sqrt()) / 2


@decimals
def normal_isf(q):
    """(3)"""
    return Decimal(2).sqrt() * erfc_inverse(2 * q)


@decimals
def student_sf(t, ν):
    """(4)"""
    if t < 0:
        return 1 - student_sf(-t, ν)
    return incomplete_beta(ν / (ν + t * t), ν / 2, Decimal("0.5")) / 2


@decimals
def student_cdf(t, ν):
    """(5)"""
    return student_sf(-t, ν)


@decimals
def student_isf(q, ν):
    """(6)  By halving an interval of ln t, until it is below 1e-20."""
    half = Decimal("0.5")
    if q >= half:
        return Decimal(0) if q == half else -student_isf(1 - q, ν)
    low, high = Decimal(-50), Decimal(50)
    while student_sf(high.exp(), ν) > q:
        low, high = high, 2 * high
    while high - low > Decimal("1e-20"):
        middle = (low + high) / 2
        low, high = (middle, high) if student_sf(middle.exp(), ν) > q else (low, middle)
    return low.exp()


def student_sf_of_whole(t, ν):
    """(4) for whole ν as a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4), in float64."""
    angle = math.atan(t / math.sqrt(ν))
    cosine = math.cos(angle)
    if ν % 2:
        terms = [math.prod(2 * i / (2 * i + 1) for i in range(1, j + 1)) * cosine ** (2 * j + 1)
                 for j in range((ν - 1) // 2)]
        within = 2 / math.pi * (angle + math.sin(angle) * math.fsum(terms))
    else:
        terms = [math.prod((2 * i - 1) / (2 * i) for i in range(1, j + 1)) * cosine ** (2 * j) for j in range(ν // 2)]
        within = math.sin(angle) * math.fsum(terms)
    return (1 - within) / 2


def hypergeometric_pmf(k, M, K, n):
    """(7)"""
    return ways_over_all(k, M, K, n, lambda k: [k])


def hypergeometric_cdf(k, M, K, n):
    """(8)"""
    return ways_over_all(k, M, K, n, lambda k: range(min(k, n) + 1))


def hypergeometric_sf(k, M, K, n):
    """(9)"""
    return ways_over_all(k, M, K, n, lambda k: range(max(k, -1) + 1, n + 1))


def ways_over_all(k, M, K, n, which):
    """The ways to draw one of which(k) marked, by all ways to draw n."""
    if np.ndim(k):
        return np.array([ways_over_all(one, M, K, n, which) for one in k], object)
    ways = sum(math.comb(K, j) * math.comb(M - K, n - j) for j in which(int(k)) if 0 <= j <= n)
    return Fraction(ways, math.comb(M, n))
