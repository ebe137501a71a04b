"""Ranked lists judged by definition, user by user and place by place; T is a matrix, NaN where nothing is wanted."""
from itertools import permutations
from math import inf, isnan, log2


def top_k(S, k):
    """(1)  Of all lists of k items the one that no swap of two items makes better, ties in order of number."""
    lists = []
    for scores in S:
        better = {m: sum(s > scores[m] or (s == scores[m] and n < m) for n, s in enumerate(scores))
                  for m in range(len(scores))}
        ordered = sorted(better, key=better.get)[:k]
        lists.append([m if scores[m] > -inf else -1 for m in ordered])
    return lists


def wanted(T):
    return [{m for m, t in enumerate(row) if not isnan(t)} for row in T]


def hits(R, T, k):
    """(2)"""
    return [[item in items for item in shown[:k]] for shown, items in zip(R, wanted(T))]


def mean(R, T, score, judge=bool):
    """The mean over users who want something."""
    scores = [score(shown, items) for shown, items in zip(R, wanted(T)) if judge(items)]
    return sum(scores) / len(scores)


def precision_at_k(R, T, k):
    """(3)"""
    return mean(R, T, lambda shown, items: len(items & set(shown[:k])) / k)


def recall_at_k(R, T, k):
    """(4)"""
    return mean(R, T, lambda shown, items: len(items & set(shown[:k])) / len(items))


def hit_rate_at_k(R, T, k):
    """(5)"""
    return mean(R, T, lambda shown, items: not items.isdisjoint(shown[:k]))


def average_precision_at_k(R, T, k):
    """(6)  Precisions at the places of hits, over how many hits there could have been."""
    def score(shown, items):
        precisions = [len(items & set(shown[:i])) / i for i in range(1, k + 1) if shown[i - 1] in items]
        return sum(precisions) / min(len(items), k)
    return mean(R, T, score)


def reciprocal_rank_at_k(R, T, k):
    """(7)  One over the place of the first hit."""
    return mean(R, T, lambda shown, items: next((1 / i for i in range(1, k + 1) if shown[i - 1] in items), 0))


def dcg(gains):
    return sum(g / log2(i + 1) for i, g in enumerate(gains, 1))


def ndcg_at_k(R, T, k, graded=False):
    """(8)  The best list is found among all permutations of the gains."""
    scores = []
    for shown, row in zip(R, T):
        gain = {m: t if graded else 1 for m, t in enumerate(row) if not isnan(t)}
        best = max((dcg(order[:k]) for order in permutations(gain.values())), default=0)
        if best > 0:
            scores.append(dcg([gain.get(item, 0) for item in shown[:k]]) / best)
    return sum(scores) / len(scores)


def catalogue_coverage(R, M, k):
    """(9)"""
    return sum(any(m in shown[:k] for shown in R) for m in range(M)) / M


def novelty(R, A, k):
    """(10)"""
    bits = []
    for shown in R:
        for item in shown[:k]:
            if item >= 0:
                have = sum(item in items for items in wanted(A))
                bits.append(-log2(have / len(A)) if have else inf)
    return sum(bits) / len(bits)


def auc(S, T, A):
    """(11)  Over all pairs of a wanted item and one that is neither wanted nor known."""
    each = []
    for scores, wants, knows in zip(S, wanted(T), wanted(A)):
        others = set(range(len(scores))) - wants - knows
        pairs = [(scores[m] > scores[n]) + (scores[m] == scores[n]) / 2 for m in wants for n in others]
        if pairs:
            each.append(sum(pairs) / len(pairs))
    return sum(each) / len(each)
