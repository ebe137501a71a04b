"""Errors of forecasts as they are stated, in plain Python."""
from math import sqrt
from statistics import median


def mean_absolute_error(y, f):
    """(1)"""
    return sum(abs(a - b) for a, b in zip(y, f)) / len(y)


def mean_squared_error(y, f):
    """(2)"""
    return sum((a - b) ** 2 for a, b in zip(y, f)) / len(y)


def root_mean_squared_error(y, f):
    """(3)"""
    return sqrt(sum((a - b) ** 2 for a, b in zip(y, f)) / len(y))


def mean_absolute_percentage_error(y, f):
    """(4)"""
    return sum(abs(a - b) / abs(a) for a, b in zip(y, f)) / len(y)


def median_absolute_percentage_error(y, f):
    """(5)"""
    return median(abs(a - b) / abs(a) for a, b in zip(y, f))


def symmetric_mean_absolute_percentage_error(y, f):
    """(6)"""
    return 2 * sum(abs(a - b) / (abs(a) + abs(b)) if a or b else 0 for a, b in zip(y, f)) / len(y)


def mean_absolute_scaled_error(y, f, x, m):
    """(7)"""
    return mean_absolute_error(y, f) / (sum(abs(x[t] - x[t - m]) for t in range(m, len(x))) / (len(x) - m))


def root_mean_squared_scaled_error(y, f, x, m):
    """(8)"""
    return root_mean_squared_error(y, f) / sqrt(sum((x[t] - x[t - m]) ** 2 for t in range(m, len(x))) / (len(x) - m))


def mean_pinball_loss(y, f, α):
    """(9)"""
    return sum(max(α * (a - b), (α - 1) * (a - b)) for a, b in zip(y, f)) / len(y)


def calculate_coverage(y, l, u):
    """(10)"""
    return sum(low <= a <= high for a, low, high in zip(y, l, u)) / len(y)


def direction_accuracy(y, f, o):
    """(11)  a, se, n and what is left out of it."""
    def sign(d):
        return (d > 0) - (d < 0)
    judged = [(b - c, a - c) for a, b, c in zip(y, f, o) if a != c and b != c]
    n = len(judged)
    a = sum(sign(said) == sign(came) for said, came in judged) / n
    return a, sqrt(a * (1 - a) / n), n, len(y) - n
