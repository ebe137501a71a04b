"""The decomposition by definition, phase by phase; a smoother is (q, degree, jump)."""
import math

from tests.reference.loess import local_fit, loess


def cycle_subseries(x, ρ, P, Q):
    """(1)"""
    q, g, r = Q
    X = [math.nan] * (len(x) + 2 * P)
    for k in range(P):
        part, counts = x[k::P], ρ[k::P]
        inner = loess(part, q, g, min(r, len(part)), counts)
        before, after = local_fit(part, counts, -1, q, g), local_fit(part, counts, len(part), q, g)
        before = inner[0] if math.isnan(before) else before
        after = inner[-1] if math.isnan(after) else after
        X[k::P] = [before, *inner, after]
    return X


def moving_average(x, m):
    return [sum(x[i:i + m]) / m for i in range(len(x) - m + 1)]


def low_pass(X, P, B):
    """(2)"""
    means = moving_average(moving_average(moving_average(X, P), P), 3)
    q, g, r = B
    return loess(means, q, g, r, [1.0] * len(means))


def inner_loop(y, u, ρ, P, Q, U, B):
    """(3)"""
    T = len(y)
    X = cycle_subseries([y[t] - u[t] for t in range(T)], ρ, P, Q)
    L = low_pass(X, P, B)
    s = [X[P + t] - L[t] for t in range(T)]
    q, g, r = U
    return s, loess([y[t] - s[t] for t in range(T)], q, g, r, ρ)


def median(numbers):
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def robustness_weights(e):
    """(4)"""
    h = 6 * median([abs(r) for r in e])
    return [1.0 if abs(r) <= 0.001 * h else (1 - (abs(r) / h) ** 2) ** 2 if abs(r) <= 0.999 * h else 0.0 for r in e]


def periodic_season(s, P):
    """(5)"""
    return [sum(s[t % P::P]) / len(s[t % P::P]) for t in range(len(s))]


def decompose(y, P, Q, U, B, inner, outer):
    """Season, trend and weights after all rounds."""
    s, u, ρ = [0.0] * len(y), [0.0] * len(y), [1.0] * len(y)
    for iteration in range(outer + 1):
        if iteration:
            e = [y[t] - s[t] - u[t] for t in range(len(y))]
            ρ = robustness_weights([0.0 if abs(r) < 1e-14 * max(map(abs, y)) else r for r in e])
        for _ in range(inner):
            s, u = inner_loop(y, u, ρ, P, Q, U, B)
    return s, u, ρ
