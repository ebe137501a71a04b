"""Special functions by definition: series of positive terms in decimals of 60 digits, and exact sums of fractions.

Every result is a Decimal, or an array of them.
"""
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from math import comb

import numpy as np

DIGITS = 60


def decimals(function):
    """Run `function` on Decimals with `DIGITS` digits, element by element where the arguments are arrays."""
    def on_numbers(*arguments):
        with localcontext() as context:
            context.prec, context.Emin, context.Emax = DIGITS, -10**9, 10**9
            return +function(*(exact(argument) for argument in arguments))

    def wrapped(*arguments):
        if any(np.ndim(argument) for argument in arguments):
            return np.vectorize(on_numbers, otypes=[object])(*arguments)
        return on_numbers(*arguments)
    wrapped.__doc__ = function.__doc__
    return wrapped


def exact(x):
    if isinstance(x, Fraction):
        return Decimal(x.numerator) / Decimal(x.denominator)
    return x if isinstance(x, Decimal) else Decimal(float(x))


@lru_cache
def pi(digits):
    """16 arctan(1/5) - 4 arctan(1/239), in an integer scaled by 10^(digits + 10)."""
    one = 10 ** (digits + 10)

    def arctan_inverse(n):
        total, term, k = 0, one // n, 1
        while term:
            total += term // k if k % 4 == 1 else -(term // k)
            term, k = term // (n * n), k + 2
        return total
    return Decimal(16 * arctan_inverse(5) - 4 * arctan_inverse(239)) / Decimal(one)


def erf_series(x):
    """2/√π e^{-x²} Σ_n 2^n x^{2n+1} / (2n+1)!!, a sum of terms of one sign, to the digits of the context."""
    with localcontext() as context:
        context.prec += 10
        term = total = x
        n = 0
        while abs(term) > abs(total) * Decimal(10) ** -context.prec:
            n += 1
            term *= 2 * x * x / (2 * n + 1)
            total += term
        return 2 * total * (-x * x).exp() / pi(context.prec).sqrt()


@decimals
def erf(x):
    """(1)"""
    return erf_series(x)


@decimals
def erfc(x):
    """(2)  1 - erf(x), with digits enough to survive the difference."""
    with localcontext() as context:
        context.prec += int(x * x / 2)                   # 10^-n is about e^-2.3n
        return 1 - erf_series(x)


@decimals
def erfc_inverse(q):
    """(4)  Newton's method on ln erfc, which is concave, from a point to the right: it cannot miss."""
    if q > 1:
        return -erfc_inverse(2 - q)
    x = (-q.ln()).sqrt()
    while True:
        value = erfc(x)
        step = (value / q).ln() * value * (x * x).exp() * pi(DIGITS).sqrt() / 2
        x += step
        if abs(step) < Decimal("1e-25"):                 # the next would be below 1e-50
            return x


@decimals
def erf_inverse(p):
    """(3)  The solution of erfc(x) = 1 - p; Newton's method on erf itself where p is small, and erf nearly a line."""
    if abs(p) > Decimal("0.1"):
        return erfc_inverse(1 - p)
    x, scale = p, pi(DIGITS).sqrt() / 2
    for _ in range(8):
        x += (p - erf_series(x)) * (x * x).exp() * scale
    return x


@decimals
def log1p_minus(z):
    """(5)"""
    with localcontext() as context:
        context.prec += 2 * max(0, -z.adjusted())
        return (1 + z).ln() - z


@lru_cache
def bernoulli(n):
    if n == 0:
        return Fraction(1)
    return -sum(comb(n + 1, k) * bernoulli(k) for k in range(n)) / Fraction(n + 1)


def log_gamma(a):
    """ln Γ(a): Γ(a + 1) = a Γ(a) until a > 80, then Stirling's series."""
    with localcontext() as context:
        context.prec += 15 + max(0, 2 * a.adjusted())
        product = Decimal(1)
        while a < 80:
            product, a = product * a, a + 1
        total = (a - Decimal("0.5")) * a.ln() - a + (2 * pi(context.prec)).ln() / 2
        for k in range(1, 60):
            c = bernoulli(2 * k) / (2 * k * (2 * k - 1))
            total += Decimal(c.numerator) / Decimal(c.denominator) / a ** (2 * k - 1)
        return total - product.ln()


@decimals
def stirling_error(m):
    """(6)"""
    with localcontext() as context:
        context.prec += 15 + max(0, 2 * m.adjusted())
        half = Decimal("0.5")
        return log_gamma(m + 1) - (m + half) * m.ln() + m - half * (2 * pi(context.prec)).ln()


@decimals
def log_gamma_ratio(a, d):
    """(7)"""
    with localcontext() as context:
        context.prec += abs(a.adjusted()) + abs(d.adjusted() if d else 0)
        return log_gamma(a + d) - log_gamma(a)


@decimals
def beta_power(x, a, b):
    """(8)"""
    if not 0 < x < 1:
        return Decimal(0)
    return (a * x.ln() + b * (1 - x).ln() + log_gamma(a + b) - log_gamma(a) - log_gamma(b)).exp()


def beta_series(x, a, b):
    """x^a (1-x)^b / (a B(a, b)) Σ_n (a+b)_n / (a+1)_n x^n, a sum of positive terms."""
    with localcontext() as context:
        total = term = Decimal(1)
        n = 0
        while term > total * Decimal(10) ** -context.prec or (a + b + n) * x > a + 1 + n:
            term *= (a + b + n) / (a + 1 + n) * x
            n += 1
            total += term
        return (a * x.ln() + b * (1 - x).ln() + log_gamma(a + b) - log_gamma(a) - log_gamma(b)).exp() * total / a


@decimals
def incomplete_beta(x, a, b):
    """(9)  The series, or where it converges slowly 1 minus that of the rest, with digits to survive the difference."""
    if not 0 < x < 1:
        return x
    if x < Decimal("0.99"):
        return beta_series(x, a, b)
    with localcontext() as context:
        context.prec += 60
        return 1 - beta_series(1 - x, b, a)


def incomplete_beta_of_integers(x, a, b):
    """(9) for whole a and b, an exact sum: the probability of at least a successes in a + b - 1 trials."""
    x, n = Fraction(x), a + b - 1
    return sum(comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))
