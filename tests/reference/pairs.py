"""Losses of pairs, a pair at a time."""
from math import exp, log, log2


def pair_probability(s, σ):
    """(1)"""
    return [[1 / (1 + exp(-σ * (a - b))) for b in s] for a in s]


def ranknet(s, y, σ):
    """(2)"""
    return sum(log(1 + exp(-σ * (s[i] - s[j]))) for i in range(len(s)) for j in range(len(s)) if y[i] > y[j])


def ranknet_gradient(s, y, σ):
    """(3)"""
    λ = [0.0] * len(s)
    for i in range(len(s)):
        for j in range(len(s)):
            if y[i] > y[j]:
                push = -σ / (1 + exp(σ * (s[i] - s[j])))
                λ[i] += push
                λ[j] -= push
    return λ


def ranknet_curvature(s, y, σ):
    """(4)"""
    h = [0.0] * len(s)
    for i in range(len(s)):
        for j in range(len(s)):
            if y[i] != y[j]:
                ρ = 1 / (1 + exp(σ * (s[i] - s[j])))
                h[i] += σ * σ * ρ * (1 - ρ)
    return h


def ranks(s):
    """(5)"""
    order = sorted(range(len(s)), key=lambda i: (-s[i], i))
    return [order.index(i) + 1 for i in range(len(s))]


def delta_ndcg(g, r, T):
    """(6)"""
    best = sum(gain / log2(2 + place) for place, gain in enumerate(sorted(g, reverse=True)[:T]))

    def Z(i, j):
        if min(r[i], r[j]) > T or not best:
            return 0.0
        return abs(g[i] - g[j]) * abs(1 / log2(1 + r[i]) - 1 / log2(1 + r[j])) / best
    return [[Z(i, j) for j in range(len(g))] for i in range(len(g))]


def lambdas(s, g, Z, σ):
    """(7)"""
    λ, h = [0.0] * len(s), [0.0] * len(s)
    for i in range(len(s)):
        for j in range(len(s)):
            if g[i] > g[j]:
                ρ = 1 / (1 + exp(σ * (s[i] - s[j])))
                for at, sign in ((i, -1), (j, 1)):
                    λ[at] += sign * σ * Z[i][j] * ρ
                    h[at] += σ * σ * Z[i][j] * ρ * (1 - ρ)
    return λ, h


def normalised_lambdas(s, g, Z, σ):
    """(8)"""
    if len(set(s)) > 1:
        Z = [[Z[i][j] / (0.01 + abs(s[i] - s[j])) for j in range(len(s))] for i in range(len(s))]
    λ, h = lambdas(s, g, Z, σ)
    total = 0.0
    for i in range(len(s)):
        for j in range(len(s)):
            if g[i] > g[j]:
                total += 2 * σ * Z[i][j] / (1 + exp(σ * (s[i] - s[j])))
    factor = log2(1 + total) / total if total else 1.0
    return [factor * one for one in λ], [factor * one for one in h]
