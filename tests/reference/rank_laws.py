"""Laws of ranks by definition: paths counted one by one, or place by place in whole numbers; a series in decimals."""
import itertools
import math
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from tests.reference.special import decimals


@lru_cache(maxsize=None)
def ways(u, n, m):
    """N(u; n, m), by the last step of the path."""
    if u < 0 or u > n * m:
        return 0
    if n == 0 or m == 0:
        return int(u == 0)
    return ways(u - m, n - 1, m) + ways(u, n, m - 1)


def mann_whitney_cdf(u, n, m):
    """(1)"""
    return Fraction(sum(ways(v, n, m) for v in range(u + 1)), math.comb(n + m, m))


def areas(n, m):
    """The areas of all paths, each drawn: pairs of a value of the first sample with one of the second before it."""
    for firsts in itertools.combinations(range(n + m), n):
        yield sum(place - k for k, place in enumerate(firsts))


def farthest(n, m):
    """How far from the diagonal each path strays, in units of 1 over the least common multiple."""
    unit = math.lcm(n, m)
    for firsts in itertools.combinations(range(n + m), n):
        i = j = most = 0
        for place in range(n + m):
            i, j = (i + 1, j) if place in firsts else (i, j + 1)
            most = max(most, abs(i * (unit // n) - j * (unit // m)))
        yield most


def smirnov_tail(d, n, m):
    """(2)  The paths that never stray so far, counted in whole numbers, and all the others."""
    unit, near = math.lcm(n, m), {}
    for i in range(n + 1):
        for j in range(m + 1):
            inside = abs(i * (unit // n) - j * (unit // m)) < d
            before = 1 if i == j == 0 else near.get((i - 1, j), 0) + near.get((i, j - 1), 0)
            near[i, j] = before if inside else 0
    return 1 - Fraction(near[n, m], math.comb(n + m, m))


@decimals
def kolmogorov_sf(z):
    """(3)"""
    if z == 0:
        return Decimal(1)
    total, k = Decimal(0), 1
    while (term := (-2 * k * k * z * z).exp()) > Decimal(10) ** -400:
        total += term if k % 2 else -term
        k += 1
    return 2 * total
