"""Edges and bins by definition."""
import math
from fractions import Fraction


def shares(c, B):
    """(1)"""
    N, ends, before = c[-1], [], 0
    for b in range(B):
        later = [j for j in range(len(c)) if not ends or j > ends[-1]]
        if not later:
            break
        share = before + Fraction(N - before, B - b)
        ends.append(min(later, key=lambda j: (abs(c[j] - share), j)))
        before = c[ends[-1]]
    return ends


def bins_of(x, e):
    """(2)"""
    return [255 if math.isnan(value) else sum(edge < value for edge in e) for value in x]


def edges(x, B):
    """Those of a feature, NaN and all."""
    known = sorted(value for value in x if not math.isnan(value))
    distinct = sorted(set(known))
    if len(distinct) <= B:
        return distinct[:-1]
    return [distinct[j] for j in shares([sum(value <= v for value in known) for v in distinct], B)[:-1]]
