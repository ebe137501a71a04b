"""exp, tanh and log without branches, so that a loop over them fills the vector registers.

The mathematical library computes one exponential at a time, with branches and tables on the way, so a compiled loop
of `math.exp` does one number where the processor could do four or eight.  The functions here are straight lines of
additions and multiplications.  They use that a floating-point number already is a power of two times something near
1: split off the power, which costs a few operations on the bits, and a dozen terms of a series do the rest.

Symbols
    x      the argument, a number
    k      a whole number: the power of two in exp(x), exp(2|x|) or x
    r      what the power of two leaves of the exponent, |r| <= ln(2) / 2
    E      e^2|x| - 1
    f      what the power of two leaves of x, 1/√2 <= 1 + f < √2
    s      f / (2 + f), so that log(1 + f) = 2 artanh(s)

Equations
    (1)  exp(x) = 2^k e^r with k = round(x / ln 2), r = x - k ln 2                     exp
    (2)  tanh(x) = ± E / (E + 2) with E = 2^k (e^r - 1) + (2^k - 1)                    tanh
         with the k and r of (1) for 2|x|, and the sign of x
    (3)  log(x) = k ln 2 + 2 (s + s³/3 + s⁵/5 + ...) with x = 2^k (1 + f)              log
    (4)  exp32(x) = 2^k e^r, all of it in single precision                             exp32
    (5)  tanh32(x) = ± E / (E + 2), all of it in single precision                      tanh32

Choices
    Errors, against the exact value, in units of the last place: below 1.1 for exp and exp32, 3 for tanh and tanh32, 1
    for log.
    NaN gives NaN; exp(-inf) = 0, exp(inf) = inf, tanh(±inf) = ±1, log(inf) = inf, log(±0) = -inf, log(x < 0) = NaN,
    tanh(-0) = -0.  Too large a result is inf.  An exponential so small that it would be subnormal is 0: exp(x) for
    x < -708.396, exp32(x) for x < -87.336.  tanh and log take subnormal numbers and are right for them.
    ln 2 stands as a sum of two numbers, the first with so few bits that k times it is exact (Cody and Waite): in
    x - k ln 2 most digits of x cancel, and a rounded product would show in those that remain.
    A float32 is made a float64 first; exp32 and tanh32 alone are float32 throughout.
    Without fused multiply-adds, as in plain Python, the last bit may differ; the bounds hold there too.

Cost
    In a loop over an array a fraction of what `math` takes.  A lone call waits for the whole chain of operations, and
    is slower than `math.exp`.  `python -m benchmarks elementary` times both.

>>> [round(value, 14) for value in (exp(1.0), tanh(0.5), log(10.0))]
[2.71828182845905, 0.46211715726001, 2.30258509299405]
>>> exp(-np.inf), log(0.0)
(0.0, -inf)

Sources: W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", Prentice-Hall 1980, chapters 5, 6
and 13; P. T. P. Tang, "Table-driven implementation of the expm1 function", ACM TOMS 18 (1992), for E; the order of the
additions in (3) is that of fdlibm's e_log.c (Sun Microsystems 1993).
"""
import math

import numpy as np

from scratchml.core.jit import kernel

LOG2E = 1 / math.log(2)
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10       # 32 bits of ln 2, and the rest
TAYLOR = tuple(1 / math.factorial(n) for n in range(14))                         # of e^r
ARTANH = tuple(2 / (2 * n + 1) for n in range(11))                               # of 2 artanh(s) / s, in s²

# Adding 1.5 * 2^52 to a number below 2^51 leaves no bit for a fraction: the sum is rounded to a whole number,
# which stands in its lowest bits.
ROUND = 1.5 * 2.0**52
EXP_LEAST, EXP_MOST = -708.3964185, 709.782712893384                             # beyond: 0, inf


@kernel
def double(x):
    """`x` in double precision; in plain Python a float, which overflows to inf without a warning."""
    return float(np.float64(x))


# --- exponentials -------------------------------------------------------------------------------


@kernel(contract=True)
def _exp_minus_1(r):
    """e^r - 1 for |r| <= ln(2) / 2: its Taylor series.

    The remainder is below 0.08 units of the last place of e^r - 1, and below 0.04 of that of e^r.
    """
    p = TAYLOR[13]
    p = p * r + TAYLOR[12]
    p = p * r + TAYLOR[11]
    p = p * r + TAYLOR[10]
    p = p * r + TAYLOR[9]
    p = p * r + TAYLOR[8]
    p = p * r + TAYLOR[7]
    p = p * r + TAYLOR[6]
    p = p * r + TAYLOR[5]
    p = p * r + TAYLOR[4]
    p = p * r + TAYLOR[3]
    p = p * r + TAYLOR[2]
    return r + r * r * p


@kernel(contract=True)
def exp(x):
    """(1)  exp(x) = 2^k e^r with k = round(x / ln 2), r = x - k ln 2

    Shapes: x -> ()
    """
    x = double(x)
    inside = min(max(EXP_LEAST, x), EXP_MOST)            # in this order NaN gives EXP_LEAST
    rounded = inside * LOG2E + ROUND
    k = rounded - ROUND
    r = inside - k * LN2_HIGH - k * LN2_LOW
    bits = np.float64(1.0 + _exp_minus_1(r)).view(np.int64)
    bits += np.float64(rounded).view(np.int64) << np.int64(52)        # adds k to the exponent
    y = double(np.int64(bits).view(np.float64))
    y = 0.0 if x < EXP_LEAST else y
    y = np.inf if x > EXP_MOST else y
    return x if x != x else y


@kernel(contract=True)
def tanh(x):
    """(2)  tanh(x) = ± E / (E + 2) with E = 2^k (e^r - 1) + (2^k - 1)

    For a small x the power is 2^0 and E = e^r - 1 keeps all its digits, where e^2x - 1 would have lost them.

    Shapes: x -> ()
    """
    x = double(x)
    inside = min(44.0, 2.0 * abs(x))                     # tanh(22) is 1 to the last bit; NaN gives 44
    rounded = inside * LOG2E + ROUND
    k = rounded - ROUND
    r = inside - k * LN2_HIGH - k * LN2_LOW
    bits = (np.float64(rounded).view(np.int64) << np.int64(52)) + np.float64(1.0).view(np.int64)
    power = double(np.int64(bits).view(np.float64))
    E = power * _exp_minus_1(r) + (power - 1.0)
    y = math.copysign(E / (E + 2.0), x)
    return x if x != x else y


# --- the logarithm ------------------------------------------------------------------------------


@kernel(contract=True)
def log(x):
    """(3)  log(x) = k ln 2 + 2 (s + s³/3 + s⁵/5 + ...) with x = 2^k (1 + f)

    The sum is taken as f - f²/2 + s (f²/2 + ...), whose largest term f is exact.

    Shapes: x -> ()
    """
    inside = abs(double(x))                              # what has no logarithm gives a number that is replaced below
    scaled = inside * 2.0**54 if inside < 2.0**-1022 else inside      # a subnormal number has too few bits
    bits = np.float64(scaled).view(np.int64)
    power = (bits - np.float64(0.5**0.5).view(np.int64)) >> np.int64(52)
    f = double(np.int64(bits - (power << np.int64(52))).view(np.float64)) - 1.0
    k = double(power) - (54.0 if inside < 2.0**-1022 else 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = ARTANH[10]
    p = p * z + ARTANH[9]
    p = p * z + ARTANH[8]
    p = p * z + ARTANH[7]
    p = p * z + ARTANH[6]
    p = p * z + ARTANH[5]
    p = p * z + ARTANH[4]
    p = p * z + ARTANH[3]
    p = p * z + ARTANH[2]
    p = p * z + ARTANH[1]
    half_square = 0.5 * f * f
    y = k * LN2_HIGH - ((half_square - (s * (half_square + z * p) + k * LN2_LOW)) - f)
    y = -np.inf if x == 0.0 else y
    y = np.nan if x < 0.0 else y
    y = np.inf if x == np.inf else y
    return x if x != x else y


# --- single precision ---------------------------------------------------------------------------

LOG2E_32 = np.float32(LOG2E)
LN2_HIGH_32, LN2_LOW_32 = np.float32(0.693359375), np.float32(math.log(2) - 0.693359375)
TAYLOR_32 = tuple(np.float32(1 / math.factorial(n)) for n in range(8))
ROUND_32 = np.float32(1.5 * 2.0**23)
EXP_LEAST_32, EXP_MOST_32 = np.float32(-87.3365), np.float32(88.72283)
TANH_MOST_32, TWO_32 = np.float32(10), np.float32(2)     # tanh(10) is 1 to the last bit


@kernel(contract=True)
def _exp_minus_1_32(r):
    """e^r - 1 for |r| <= ln 2 / 2, by eight terms of the series."""
    p = TAYLOR_32[7]
    p = p * r + TAYLOR_32[6]
    p = p * r + TAYLOR_32[5]
    p = p * r + TAYLOR_32[4]
    p = p * r + TAYLOR_32[3]
    p = p * r + TAYLOR_32[2]
    return np.float32(r + r * r * p)


@kernel(contract=True)
def exp32(x):
    """(4)  exp32(x) = 2^k e^r, all of it in single precision

    Twice the lanes of (1), and eight terms of the series instead of fourteen.

    Shapes: x -> ()
    """
    x = np.float32(x)
    inside = min(max(EXP_LEAST_32, x), EXP_MOST_32)
    rounded = inside * LOG2E_32 + ROUND_32
    k = rounded - ROUND_32
    r = inside - k * LN2_HIGH_32 - k * LN2_LOW_32
    bits = np.float32(TAYLOR_32[0] + _exp_minus_1_32(r)).view(np.int32)
    bits = np.int32(bits + np.int32(np.float32(rounded).view(np.int32) << np.int32(23)))
    y = bits.view(np.float32)
    y = np.float32(0.0) if x < EXP_LEAST_32 else y
    y = np.float32(np.inf) if x > EXP_MOST_32 else y
    return x if x != x else y


@kernel(contract=True)
def tanh32(x):
    """(5)  tanh32(x) = ± E / (E + 2), all of it in single precision

    With the E of (2).

    Shapes: x -> ()
    """
    x = np.float32(x)
    inside = TWO_32 * min(TANH_MOST_32, abs(x))          # NaN gives that of TANH_MOST_32
    rounded = inside * LOG2E_32 + ROUND_32
    k = rounded - ROUND_32
    r = inside - k * LN2_HIGH_32 - k * LN2_LOW_32
    bits = np.int32(np.float32(rounded).view(np.int32) << np.int32(23))
    power = np.int32(bits + np.float32(1.0).view(np.int32)).view(np.float32)
    E = power * _exp_minus_1_32(r) + (power - TAYLOR_32[0])
    y = np.float32(math.copysign(E / (E + TWO_32), x))
    return x if x != x else y


# --- whole rows, float64 or float32, in place: with a second array the compiler would have to rule out that they
# overlap


@kernel(contract=True)
def tanh_row(y):
    """Replace each number of `y` (N,) by its tanh."""
    if y.itemsize == 4:
        for j in range(y.size):
            y[j] = tanh32(y[j])
    else:
        for j in range(y.size):
            y[j] = tanh(y[j])


@kernel(contract=True)
def sigmoid_row(y):
    """Replace each number x of `y` (N,) by 1 / (1 + e^-x)."""
    if y.itemsize == 4:
        for j in range(y.size):
            y[j] = TAYLOR_32[0] / (TAYLOR_32[0] + exp32(-y[j]))
    else:
        for j in range(y.size):
            y[j] = 1.0 / (1.0 + exp(-y[j]))
