"""The fit's parts by definition: differences, all patterns of signs, bisection."""
import itertools
import math

import numpy as np

from tests.reference.trend_season import linear_trend, mean


def curve(t, s, C, X, u, θ):
    z = linear_trend(t, s, θ[1], θ[0], θ[2:2 + len(s)])
    g = z if C is None else [c / (1 + math.exp(-x)) for c, x in zip(C, z)]
    return mean(g, X, u, θ[2 + len(s):])


def slopes(t, s, C, X, u, θ):
    """(1) by differences."""
    J = []
    for j in range(len(θ)):
        high, low = list(θ), list(θ)
        high[j] += 6e-6
        low[j] -= 6e-6
        J.append([(a - b) / 12e-6 for a, b in zip(curve(t, s, C, X, u, high), curve(t, s, C, X, u, low))])
    return np.transpose(J)


def lasso(A, c, l):
    """(2): of all signs that x may have, those that fit and give the least."""
    A, c, l = np.asarray(A), np.asarray(c), np.asarray(l)
    best, least = None, math.inf
    for signs in itertools.product((-1, 0, 1), repeat=len(c)):
        signs = np.array(signs)
        on, x = signs != 0, np.zeros(len(c))
        if on.any():
            x[on] = np.linalg.solve(A[np.ix_(on, on)], (c - l * signs)[on])
        value = x @ A @ x / 2 - c @ x + l @ np.abs(x)
        if (x * signs >= 0).all() and value < least:
            best, least = x, value
    return best


def noise_scale(E, T):
    """(3): where the slope of T ln σ + E / 2σ² + 2σ² changes its sign."""
    low, high = 1e-12, 1e6
    while high / low > 1 + 1e-15:
        middle = math.sqrt(low * high)
        if middle in (low, high):
            break
        low, high = (middle, high) if 4 * middle**4 + T * middle**2 < E else (low, middle)
    return middle
