"""S-H-ESD, on the literal decomposition and the literal test."""
from math import ceil

from tests.reference import outliers, stl


def odd(number):
    """The least odd number that is at least `number`."""
    return ceil(number) + (ceil(number) + 1) % 2


def season_and_trend(y, P):
    """(1)  R's windows, degrees and jumps for a season that never changes."""
    windows = 10 * len(y) + 1, odd(1.5 * P / (1 - 1.5 / (10 * len(y) + 1))), odd(P)
    Q, U, B = [(q, degree, ceil(q / 10)) for q, degree in zip(windows, (0, 1, 1))]
    s, u, _ = stl.decompose(y, P, Q, U, B, inner=1, outer=15)
    return stl.periodic_season(s, P), u


def remainder(y, s):
    """(2)"""
    middle = outliers.median(y)
    return [y[t] - s[t] - middle for t in range(len(y))]


def most_anomalies(a, T):
    """(3)"""
    return next((K for K in range(T, 0, -1) if K <= a * T), 1)


def anomalies(r, K, α=0.05, direction="both"):
    """(4)"""
    gone, R = outliers.extremes(r, K, direction=direction)
    g = 2 if direction == "both" else 1
    λ = [float(outliers.critical_value(i + 1, len(r), α, g)) for i in range(len(R))]
    return sorted(gone[:outliers.outlier_count(R, λ)])


def expected_value(u, s):
    """(5)"""
    return [a + b for a, b in zip(u, s)]
