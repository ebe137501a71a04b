"""Scaling by definition, in exact arithmetic: what a result differs by is the result's own rounding."""
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np

from tests.reference.distances import root


def exact(values):
    return [Fraction(float(value)) for value in values]


def by_column(f, X, *vectors):
    """`f` of each column of X and its entry in every vector, as a list of results."""
    return [f(exact(column), *exact(entries)) for column, *entries in zip(np.transpose(X), *vectors)]


def mean(X):
    """(1)"""
    return np.array([float(m) for m in by_column(lambda x: sum(x) / len(x), X)])


def deviation(X, m):
    """(2)"""
    return np.array([float(s) for s in by_column(lambda x, m: root(sum((a - m) ** 2 for a in x) / len(x)), X, m)])


def merge(n1, m1, s1, n2, m2, s2):
    """(3)"""
    n = n1 + n2
    columns = [exact(column) for column in zip(m1, s1, m2, s2)]
    m = [float((n1 * m1 + n2 * m2) / n) for m1, _, m2, _ in columns]
    s = [float(root((n1 * s1**2 + n2 * s2**2) / n + n1 * n2 * (m1 - m2) ** 2 / Fraction(n) ** 2))
         for m1, s1, m2, s2 in columns]
    return np.array(m), np.array(s)


def standard_score(X, m, s):
    """(4)"""
    return np.array(by_column(lambda x, m, s: [float((a - m) / s) for a in x], X, m, s)).T


def min_max(X, l, g, a, b):
    """(5)"""
    a, b = exact([a, b])
    return np.array(by_column(lambda x, l, g: [float(a + (b - a) * (v - l) / g) for v in x], X, l, g)).T


def quantiles(X, K):
    """(6)"""
    def of(x):
        x = sorted(x)
        places = [Fraction(k * (len(x) - 1), K - 1) if K > 1 else Fraction(0) for k in range(K)]
        return [float(between(x, place)) for place in places]
    return np.array(by_column(of, X)).T


def between(x, place):
    """The value at a place between two entries of the list x, on the straight line from one to the other."""
    j = min(int(place), len(x) - 1)
    return x[j] + (place - j) * (x[min(j + 1, len(x) - 1)] - x[j])


def empirical_levels(X, Q):
    """(7)"""
    def level(x, q):
        last = len(q) - 1
        if x <= q[0]:
            return 0
        if x >= q[last]:
            return 1
        equal = [k for k in range(len(q)) if q[k] == x]
        if equal:
            return Fraction(equal[0] + equal[-1], 2 * last)
        k = max(k for k in range(len(q)) if q[k] < x)
        return (k + (x - q[k]) / (q[k + 1] - q[k])) / last
    columns = [(exact(x), exact(q)) for x, q in zip(np.transpose(X), np.transpose(Q))]
    return np.array([[float(level(value, q)) for value in x] for x, q in columns]).T


def empirical_quantiles(P, Q):
    """(8)"""
    columns = [(exact(p), exact(q)) for p, q in zip(np.transpose(P), np.transpose(Q))]
    return np.array([[float(between(q, level * (len(q) - 1))) for level in p] for p, q in columns]).T


def normal_level(z):
    """Φ(z) = ½ + φ(z) (z + z³/3 + z⁵/(3·5) + ...), as a Decimal with 40 digits that count."""
    with localcontext() as context:
        context.prec = 50 + int(z * z)                   # φ(z) is as small as 10 to the power -z²/4.6
        z = Decimal(z)
        term, total, n = z, Decimal(0), 1
        while abs(term) > Decimal(10) ** -context.prec:
            total += term
            n += 2
            term *= z * z / n
        pi = Decimal("3.1415926535897932384626433832795028841971693993751058209749445923078164062862089986280348253421")
        return +(Decimal("0.5") + total * (-z * z / 2).exp() / (2 * pi).sqrt())


def normal_levels(Z):
    """(9)"""
    return np.array([[float(normal_level(float(z))) for z in row] for row in Z])


def normal_quantiles(P):
    """(10)  By halving an interval until no number lies inside."""
    def quantile(p):
        low, high = -12.0, 12.0
        while low < (middle := (low + high) / 2) < high:
            low, high = (middle, high) if normal_level(middle) < Decimal(p) else (low, middle)
        return middle
    return np.array([[quantile(float(p)) for p in row] for row in P])
