"""The test of Kwiatkowski, Phillips, Schmidt and Shin as it is stated: sums over t, one after the other."""
import math

import numpy as np


def partial_sums(x, d):
    """(1)  Residuals by the normal equations of a line, or of a level."""
    T = len(x)
    x = np.asarray(x, np.longdouble)
    t = np.arange(T, dtype=np.longdouble) - (T - 1) / np.longdouble(2)
    e = x - x.mean()
    if d == "ct":
        e = e - t * (t * e).sum() / (t * t).sum()
    S = [e[:i + 1].sum() for i in range(T)]
    return np.array(e, float), float(sum(s * s for s in S) / T**2)


def long_run_variance(e, l):
    """(2)"""
    T = len(e)
    total = sum(one * one for one in e) / T
    for j in range(1, l + 1):
        total += 2 / T * (1 - j / (l + 1)) * sum(e[t] * e[t - j] for t in range(j, T))
    return total


def statistic(x, d, l):
    """(3)"""
    e, η = partial_sums(x, d)
    return η / long_run_variance(e, l)


def bandwidth(e):
    """(4)"""
    T = len(e)
    γ = [sum(e[t] * e[t - j] for t in range(j, T)) / T for j in range(int(T ** (2 / 9)) + 1)]
    s0 = γ[0] + 2 * sum(γ[1:])
    s1 = 2 * sum(j * γ[j] for j in range(1, len(γ)))
    return min(T - 1, int(1.1447 * ((s1 / s0) ** 2) ** (1 / 3) * T ** (1 / 3)))


def null_weights(d):
    """(5)  200 weights of each kind; the roots of tan z = z by bisection of sin z - z cos z between kπ and (k + ½)π."""
    if d == "c":
        return np.array([1 / (k * math.pi) ** 2 for k in range(1, 401)])
    first, second = [], []
    for k in range(1, 201):
        first.append(1 / (2 * math.pi * k) ** 2)
        low, high = k * math.pi, (k + .5) * math.pi
        for _ in range(60):
            z = (low + high) / 2
            if (math.sin(z) - z * math.cos(z)) * math.cos(k * math.pi) < 0:
                low = z
            else:
                high = z
        second.append(1 / (2 * low) ** 2)
    return np.array(first + second)


def p_value(r, d):
    """(6)  Imhof's integral by the trapezoidal rule in ln u, of 400 weights, the rest of the mean added to them."""
    λ = null_weights(d)
    x = r - ({"c": 1 / 6, "ct": 1 / 15}[d] - λ.sum())
    w = np.linspace(-25, 9, 40_001)
    u = np.exp(w) / λ.max()
    θ, log_ρ = -.5 * x * u, np.zeros(len(u))
    for one in λ:
        θ += .5 * np.arctan(one * u)
        log_ρ += .25 * np.log1p((one * u) ** 2)
    return .5 + (np.sin(θ) * np.exp(-log_ρ)).sum() * (w[1] - w[0]) / math.pi
