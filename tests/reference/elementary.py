"""exp, tanh and log by definition, in decimals with as many digits as it takes.  Every result is a Decimal."""
from decimal import Context, Decimal

DIGITS = Context(prec=60, Emin=-10**6, Emax=10**6, traps=[])


def exp(x):
    """(1)"""
    return DIGITS.exp(Decimal(float(x)))


def tanh(x):
    """(2)  (e^x - e^-x) / (e^x + e^-x), with digits enough to survive the difference at a tiny x."""
    x = Decimal(float(x))
    digits = DIGITS.copy()
    digits.prec += 2 * max(0, -x.adjusted())
    up, down = digits.exp(x), digits.exp(-x)
    return digits.divide(digits.subtract(up, down), digits.add(up, down))


def log(x):
    """(3)"""
    return DIGITS.ln(Decimal(float(x)))


def exp32(x):
    """(4)"""
    return exp(x)


def tanh32(x):
    """(5)"""
    return tanh(x)
