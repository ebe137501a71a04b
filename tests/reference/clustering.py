"""How good a clustering is, by definition: over all pairs of points, and over all permutations of the labels."""
from itertools import combinations, permutations
from math import log, sqrt

import numpy as np


def contingency(a, b):
    """(1)"""
    return np.array([[sum(s == i and t == j for s, t in zip(a, b)) for j in sorted(set(b))] for i in sorted(set(a))])


def entropy(y):
    """(2)"""
    shares = [list(y).count(k) / len(y) for k in set(y)]
    return -sum(p * log(p) for p in shares)


def pairs(a, b):
    """How many pairs of points there are, how many are together in a, in b, in both."""
    every = list(combinations(range(len(a)), 2))
    in_a, in_b = ({(s, t) for s, t in every if y[s] == y[t]} for y in (a, b))
    return len(every), len(in_a), len(in_b), len(in_a & in_b)


def adjusted_rand_score(a, b):
    """(3)  Where it is 0 / 0, the labelings are the same."""
    P, P_a, P_b, P_ab = pairs(a, b)
    if P_a == P_b and P_a in (0, P):
        return 1.0
    return (P_ab - P_a * P_b / P) / ((P_a + P_b) / 2 - P_a * P_b / P)


def mutual_info_score(a, b):
    """(4)"""
    n, N = contingency(a, b), len(a)
    return sum(n[i, j] / N * log(N * n[i, j] / (n[i].sum() * n[:, j].sum())) for i, j in zip(*np.nonzero(n)))


def expected_mutual_info(a, b):
    """(5)  Every permutation there is."""
    return np.mean([mutual_info_score(a, shuffled) for shuffled in permutations(b)])


def normalized_mutual_info_score(a, b):
    """(6)"""
    mean = (entropy(a) + entropy(b)) / 2
    return mutual_info_score(a, b) / mean if mean > 0 else 1.0


def adjusted_mutual_info_score(a, b):
    """(7)"""
    if len(set(a)) == len(set(b)) and len(set(a)) in (1, len(a)):
        return 1.0
    expected = expected_mutual_info(a, b)
    return (mutual_info_score(a, b) - expected) / ((entropy(a) + entropy(b)) / 2 - expected)


def homogeneity_score(a, b):
    return mutual_info_score(a, b) / entropy(a) if entropy(a) > 0 else 1.0


def completeness_score(a, b):
    return mutual_info_score(a, b) / entropy(b) if entropy(b) > 0 else 1.0


def v_measure_score(a, b, beta=1):
    """(8)"""
    h, c = homogeneity_score(a, b), completeness_score(a, b)
    return (1 + beta) * h * c / (beta * h + c) if h > 0 and c > 0 else 0.0


def fowlkes_mallows_score(a, b):
    """(9)"""
    _, P_a, P_b, P_ab = pairs(a, b)
    return P_ab / sqrt(P_a * P_b) if P_ab else 0.0
