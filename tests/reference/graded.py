"""Graded metrics by definition: the mean over all orders that equal scores leave open, each judged place by place."""
from itertools import combinations, permutations, product
from math import log2, prod


def discounts(k):
    """(1)"""
    return [1 / log2(1 + r) for r in range(1, k + 1)]


def exponential_gains(y):
    """(2)"""
    return [2.0**grade - 1 for grade in y]


def orders(s):
    """All orders of the documents by falling score."""
    groups = [[i for i in range(len(s)) if s[i] == value] for value in sorted(set(s), reverse=True)]
    return [[i for group in chosen for i in group] for chosen in product(*map(permutations, groups))]


def dcg(g, s, k):
    """(3)"""
    found = [sum(g[i] / log2(1 + r) for r, i in enumerate(order[:k], 1)) for order in orders(list(s))]
    return sum(found) / len(found)


def ndcg(g, s, k):
    """(4)  The best of all orders is what the sum is divided by."""
    return dcg(g, s, k) / max(dcg(g, order, k) for order in permutations(range(len(g))))


def contentment(y, y_max):
    """(5)"""
    return [(2.0**grade - 1) / 2.0**y_max for grade in y]


def subset_means(x):
    """(6)"""
    means = []
    for j in range(len(x) + 1):
        subsets = list(combinations(x, j))
        means.append(sum(map(prod, subsets)) / len(subsets))
    return means


def expected_reciprocal_rank(p, s, k):
    """(7)  The reader goes down each order, and stops where content."""
    found = []
    for order in orders(list(s)):
        looking, total = 1.0, 0.0
        for r, i in enumerate(order[:k], 1):
            total += looking * p[i] / r
            looking *= 1 - p[i]
        found.append(total)
    return sum(found) / len(found)
