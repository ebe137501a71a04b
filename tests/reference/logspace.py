"""Log-space sums by definition: exponentiate, add, take the logarithm, in decimals that neither overflow nor underflow.

Every result is a Decimal, or an array of them.
"""
from decimal import Context, Decimal

import numpy as np

DIGITS = Context(prec=60, Emin=-10**9, Emax=10**9, traps=[])


def logsumexp(x):
    """(2)"""
    total = Decimal(0)
    for value in x:
        total = DIGITS.add(total, DIGITS.exp(Decimal(float(value))))
    return DIGITS.ln(total)


def logaddexp(a, b):
    """(1)"""
    return logsumexp([a, b])


def logsumexp_rows(X):
    """(3)"""
    return np.array([logsumexp(x) for x in X], object)
