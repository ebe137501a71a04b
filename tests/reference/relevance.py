"""The price of asking often by definition: from the largest set downwards, in fractions."""
from fractions import Fraction


def benjamini_hochberg(p, q, price=1):
    """(1)"""
    m = len(p)
    levels = [Fraction(i) * Fraction(float(q)) / m / price for i in range(1, m + 1)]
    for i in range(m, 0, -1):
        if sum(Fraction(float(each)) <= levels[i - 1] for each in p) >= i:
            return levels[i - 1]
    return levels[0]


def benjamini_yekutieli(p, q):
    """(2)"""
    return benjamini_hochberg(p, q, sum(Fraction(1, i) for i in range(1, len(p) + 1)))
