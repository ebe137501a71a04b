"""Losses over a sample, a term at a time."""
from math import exp, inf, log, sqrt


def log_q_corrected(s, q):
    """(1)"""
    return [[score - log(p) for score, p in zip(row, q)] for row in s]


def without_accidental_hits(s, t, c):
    """(2)"""
    return [[-inf if c[j] == t[i] and j != i else score for j, score in enumerate(row)] for i, row in enumerate(s)]


def batch_softmax(s, r):
    """(3)"""
    return -sum(weight * log(exp(row[i]) / sum(map(exp, row))) for i, (row, weight) in enumerate(zip(s, r))) / sum(r)


def softmax_gradient(s, r):
    """(4)"""
    return [[(exp(score) / sum(map(exp, row)) - (i == j)) * r[i] / sum(r) for j, score in enumerate(row)]
            for i, row in enumerate(s)]


def mixed_frequency(f, B, D):
    """(5)"""
    return [(B * share + D / len(f)) / (B + D) for share in f]


def bpr_loss(x):
    """(6)"""
    return -sum(log(1 / (1 + exp(-above))) for above in x) / len(x)


def unit_gradient(g, u):
    """(7)"""
    rows = []
    for gi, ui in zip(g, u):
        length = sqrt(sum(a * a for a in ui))
        unit = [a / length for a in ui] if length else [0.0] * len(ui)
        along = sum(a * b for a, b in zip(gi, unit))
        rows.append([(a - along * b) / length if length else 0.0 for a, b in zip(gi, unit)])
    return rows
