"""Ranks among candidates by definition: every set that can be drawn, every order of those that tie."""
from fractions import Fraction
from itertools import combinations, permutations


def wrong_scores(S, y, Ω):
    """For each question the score of the right candidate, and a list of those of the wrong ones."""
    return [(row[right], [s for s, w in zip(row, wrong) if w]) for row, right, wrong in zip(S, y, Ω)]


def rivals(S, y, Ω):
    """(1)"""
    each = [(sum(t > s for t in others), sum(t == s for t in others), len(others))
            for s, others in wrong_scores(S, y, Ω)]
    return tuple(map(list, zip(*each)))


def ranks(S, y, Ω):
    """(2)  The mean place of the right one over all orders of those that tie with it."""
    return [sum(places) / Fraction(len(places)) for places in map(all_places, *zip(*wrong_scores(S, y, Ω)))]


def all_places(s, others):
    """The place of the right one, whose score is s, for each order of it and those that tie with it."""
    tied = ["right"] + ["wrong"] * sum(t == s for t in others)
    return [1 + sum(t > s for t in others) + order.index("right") for order in permutations(tied)]


def share_in_first(g, e, k):
    """(3)  How many of the e + 1 places behind g better ones are among the first k."""
    return [Fraction(sum(better + p < k for p in range(ties + 1)), ties + 1) for better, ties in zip(g, e)]


def recall_at_k_of_n(S, y, Ω, k, n):
    """(4)  Of all draws of n - 1 wrong ones, and all orders of ties in each, the share with a place of at most k."""
    each = []
    for s, others in wrong_scores(S, y, Ω):
        draws = list(combinations(others, n - 1))
        found = [Fraction(sum(place <= k for place in places), len(places))
                 for places in (all_places(s, drawn) for drawn in draws)]
        each.append(sum(found) / Fraction(len(draws)))
    return sum(each) / Fraction(len(each))


def mean_reciprocal_rank(S, y, Ω):
    """(5)"""
    each = [sum(Fraction(1, place) for place in places) / Fraction(len(places))
            for places in (all_places(s, others) for s, others in wrong_scores(S, y, Ω))]
    return sum(each) / Fraction(len(each))
