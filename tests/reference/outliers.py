"""Rosner's test, one number at a time."""
from decimal import Decimal
from math import sqrt

from tests.reference.distributions import student_isf


def mean_and_deviation(x):
    """(1)"""
    c = sum(x) / len(x)
    return c, sqrt(sum((v - c) ** 2 for v in x) / (len(x) - 1))


def median_and_mad(x):
    """(2)"""
    c = median(x)
    return c, 1.4826 * median([abs(v - c) for v in x])


def median(x):
    x, h = sorted(x), len(x) // 2
    return x[h] if len(x) % 2 else (x[h - 1] + x[h]) / 2


def extremes(x, K, centre_and_scale=median_and_mad, direction="both"):
    """(3)  Until the scale is 0."""
    distance = {"both": lambda v, c: abs(v - c), "pos": lambda v, c: v - c, "neg": lambda v, c: c - v}[direction]
    left, gone, R = list(enumerate(x)), [], []
    for _ in range(K):
        c, s = centre_and_scale([v for _, v in left])
        if s == 0:
            break
        far = max(distance(v, c) for _, v in left)
        first = next(j for j, v in left if distance(v, c) == far)
        gone.append(first)
        R.append(far / s)
        left = [(j, v) for j, v in left if j != first]
    return gone, R


def critical_value(i, n, α, g=2):
    """(4)  Of one i, a Decimal."""
    m = n - i + 1
    t = student_isf(Decimal(α) / (g * m), Decimal(m - 2))
    return (m - 1) * t / ((m - 2 + t * t) * m).sqrt()


def outlier_count(R, λ):
    """(5)"""
    return max((i for i in range(1, len(R) + 1) if R[i - 1] > λ[i - 1]), default=0)
