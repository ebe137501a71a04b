"""The evidence for a number of principal components, factor by factor."""
from math import gamma, inf, log, pi


def log_prior(D, F):
    """(1)"""
    p = 1.0
    for i in range(1, F + 1):
        p *= gamma((D - i + 1) / 2) / pi ** ((D - i + 1) / 2) / 2
    return log(p)


def _after(λ, F):
    """λ̂"""
    rest = [λ[j] for j in range(len(λ)) if j >= F]
    return [λ[j] if j < F else sum(rest) / len(rest) for j in range(len(λ))]


def curvatures(λ, F, N):
    """(2)  As {(i, j): A_ij}, numbered from 1."""
    after = _after(λ, F)
    return {(i, j): max(N * (λ[i - 1] - λ[j - 1]) * (1 / after[j - 1] - 1 / after[i - 1]), 2 / pi)
            for i in range(1, F + 1) for j in range(i + 1, len(λ) + 1)}


def log_evidence(λ, F, N):
    """(3)"""
    D, after = len(λ), _after(λ, F)
    total = log_prior(D, F) + (D * F - F * (F + 1) / 2 + F) / 2 * log(2 * pi) - F / 2 * log(N)
    for variance in after:
        total -= N / 2 * log(variance)
    for A in curvatures(λ, F, N).values():
        total -= log(A) / 2
    return total


def most_evident(λ, N):
    """(4)"""
    best, most = None, -inf
    for F in range(1, len(λ)):
        evidence = log_evidence(λ, F, N)
        if evidence > most:
            best, most = F, evidence
    return best
