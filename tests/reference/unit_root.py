"""The Dickey-Fuller test as it is stated, in fractions: what is compared with it has all of the rounding."""
import math
from fractions import Fraction

TERMS = {"n": 0, "c": 1, "ct": 2, "ctt": 3}


def solve(A, b):
    """x with A x = b in fractions, by elimination."""
    rows = [list(map(Fraction, row)) + [Fraction(value)] for row, value in zip(A, b)]
    for i in range(len(rows)):
        pivot = next(r for r in range(i, len(rows)) if rows[r][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for r in range(len(rows)):
            if r != i:
                rows[r] = [value - rows[r][i] * one for value, one in zip(rows[r], rows[i])]
    return [row[-1] for row in rows]


def least_squares(X, dy):
    """Coefficients, SSR and the diagonal of (XᵀX)⁻¹; X and dy floats, each taken exactly, or fractions."""
    X, dy = [list(map(Fraction, row)) for row in X], list(map(Fraction, dy))
    k = len(X[0])
    gram = [[sum(row[i] * row[j] for row in X) for j in range(k)] for i in range(k)]
    b = solve(gram, [sum(row[i] * d for row, d in zip(X, dy)) for i in range(k)])
    SSR = sum((d - sum(x * one for x, one in zip(row, b))) ** 2 for row, d in zip(X, dy))
    return b, SSR, [solve(gram, [int(i == j) for j in range(k)])[i] for i in range(k)]


def root(value):
    """The square root of a fraction, as a float."""
    return math.sqrt(value.numerator / value.denominator) if value else 0.0


def design(y, p, d):
    """(1)  Rows t = p+1 ... T-1 of D_t, y_{t-1}, Δy_{t-1} ... Δy_{t-p}, and Δy_t; D_t counts rows from 1/n to 1."""
    T = len(y)
    n = T - 1 - p
    X = []
    for row, t in enumerate(range(p + 1, T)):
        u = (row + 1) / n
        X.append([1, u, u * u][:TERMS[d]] + [y[t - 1]] + [y[t - lag] - y[t - lag - 1] for lag in range(1, p + 1)])
    return X, [y[t] - y[t - 1] for t in range(p + 1, T)]


def tau(X, dy, g):
    """(2)"""
    b, SSR, inverse = least_squares(X, dy)
    s2 = SSR / (len(X) - len(X[0]))
    return float(b[g]) / root(s2 * inverse[g])


def most_lags(T, d):
    """(3)"""
    return min(T // 2 - TERMS[d] - 1, math.ceil(12 * (T / 100) ** .25))


def all_lags(X, dy, g):
    """(4)  A regression of its own for each number of lags: SSR and the t of the last column."""
    n, SSRs, ts = len(X), [], []
    for k in range(g + 1, len(X[0]) + 1):
        b, SSR, inverse = least_squares([row[:k] for row in X], dy)
        SSRs.append(float(SSR))
        ts.append(float(b[-1]) / root(SSR / (n - k) * inverse[-1]))
    return SSRs, ts


def information(SSR, n, k, weight):
    """(5)  -2 ln L + weight · k of a normal likelihood at its greatest."""
    out = []
    for one, parameters in zip(SSR, k):
        variance = one / n
        log_likelihood = sum(-math.log(2 * math.pi * variance) / 2 for _ in range(n)) - n / 2
        out.append(-2 * log_likelihood + weight * parameters)
    return out


def last_significant(t):
    """(6)"""
    best = 0
    for p in range(len(t)):
        if p > 0 and abs(t[p]) >= 1.6448536269514722:
            best = p
    return best
