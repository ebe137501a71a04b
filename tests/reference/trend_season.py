"""The model as Taylor and Letham state it, row by row; the logistic trend with their offsets γ."""
import math


def unit_time(d):
    """(1)"""
    return [(x - d[0]) / (d[-1] - d[0]) for x in d]


def changepoints(t, q, n):
    """(2)"""
    last = int(q * len(t)) - 1
    return [t[round(j * (last / n))] for j in range(1, n + 1)]


def linear_trend(t, s, k, m, δ):
    """(3)"""
    g = []
    for x in t:
        slope = k + sum(b for a, b in zip(s, δ) if x >= a)
        offset = m + sum(-a * b for a, b in zip(s, δ) if x >= a)
        g.append(slope * x + offset)
    return g


def logistic_trend(t, s, k, m, δ, C):
    """(4)"""
    rates, γ = [k], []
    for j, a in enumerate(s):
        rates.append(rates[-1] + δ[j])
        γ.append((a - m - sum(γ)) * (1 - rates[j] / rates[j + 1]))
    g = []
    for x, c in zip(t, C):
        past = sum(x >= a for a in s)
        g.append(c / (1 + math.exp(-rates[past] * (x - m - sum(γ[:past])))))
    return g


def fourier(d, P, N):
    """(5)"""
    return [[wave(2 * math.pi * n * x / P) for n in range(1, N + 1) for wave in (math.sin, math.cos)] for x in d]


def holiday_columns(d, h, o):
    """(6)"""
    return [[float(any(math.floor(x) == day + offset for day in h)) for offset in o] for x in d]


def mean(g, X, u, β):
    """(7)"""
    found = []
    for trend, row in zip(g, X):
        times = sum(x * b for x, b, multiplies in zip(row, β, u) if multiplies)
        plus = sum(x * b for x, b, multiplies in zip(row, β, u) if not multiplies)
        found.append(trend * (1 + times) + plus)
    return found


def negative_log_posterior(y, e, k, m, δ, β, σ, τ, b):
    """(8)"""
    F = len(y) * math.log(σ) + sum((a - f) ** 2 for a, f in zip(y, e)) / (2 * σ ** 2)
    F += (k ** 2 + m ** 2) / (2 * 5 ** 2) + sum(map(abs, δ)) / τ
    return F + sum(x ** 2 / (2 * width ** 2) for x, width in zip(β, b)) + σ ** 2 / (2 * 0.5 ** 2)
