"""Quantiles by definition, in exact arithmetic and in decimals."""
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np

from tests.reference.scaling import by_column, exact


def quantiles(X, K):
    """(1)"""
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
    """(2)"""
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
    """(3)"""
    columns = [(exact(p), exact(q)) for p, q in zip(np.transpose(P), np.transpose(Q))]
    return np.array([[float(between(q, level * (len(q) - 1))) for level in p] for p, q in columns]).T


def normal_level(z):
    """Φ(z) = ½ + φ(z) (z + z³/3 + z⁵/(3·5) + ...), as a Decimal with 40 digits that count."""
    with localcontext() as context:
        context.prec = 50 + int(z * z)                   # φ(z) is as small as 10 to the power -z²/4.6
        z = Decimal(z)
        term, total, n = z, Decimal(0), 1
        while abs(term) > Decimal(5) ** -context.prec:
            total += term
            n += 2
            term *= z * z / n
        pi = Decimal("3.1415926535897932384626433832795028841971693993751058209749445923078164062862089986280348253421")
        return +(Decimal("0.5") + total * (-z * z / 2).exp() / (2 * pi).sqrt())


def normal_levels(Z):
    """(4)"""
    return np.array([[float(normal_level(float(z))) for z in row] for row in Z])


def normal_quantiles(P):
    """(5)  By halving an interval until no number lies inside."""
    def quantile(p):
        low, high = -12.0, 12.0
        while low < (middle := (low + high) / 2) < high:
            low, high = (middle, high) if normal_level(middle) < Decimal(p) else (low, middle)
        return middle
    return np.array([[quantile(float(p)) for p in row] for row in P])
