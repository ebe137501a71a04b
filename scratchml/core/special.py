"""The functions that probabilities are made of: the integrals of e^{-t²} and of u^{a-1} (1 - u)^{b-1}.

No finite formula gives them.  What works depends on the place: a power series near the middle, a continued fraction in
the tail, and between neighbouring arguments an identity that leaves a series for large arguments alone.  The tail is
what matters: a p-value of 1e-40, or a threshold exceeded once in a million, is a tail that has lost all its digits if
it is computed as 1 minus the rest.  So nothing is subtracted from 1 that is near it, and where two large numbers
nearly cancel, their difference has a name, l(z) or λ, and is computed as what it is.

Symbols
    x  (N,)  arguments of (1) and (2); of (8) and (9) where they lie in [0, 1], and y = 1 - x
    p  (N,)  values of erf, from -1 to 1
    q  (N,)  values of erfc, from 0 to 2
    z        a number above -1
    a, b     (N,)  arguments of Γ, the gamma function, above 0
    d  (N,)  by how much a grows, at least 0
    m        such an argument, one number
    c_k      B_{2k} / (2k (2k - 1)) with the Bernoulli numbers B: 1/12, -1/360, 1/1260, ...
    λ        a y - b x, how far x is below a / (a + b), times a + b
    B(a, b)  Γ(a) Γ(b) / Γ(a + b)

Equations
    (1)  erf(x) = 2/√π ∫_0^x e^{-t²} dt                                                     erf
    (2)  erfc(x) = 2/√π ∫_x^∞ e^{-t²} dt                                                    erfc
    (3)  erf⁻¹(p) = the x with erf(x) = p                                                   erf_inverse
    (4)  erfc⁻¹(q) = the x with erfc(x) = q                                                 erfc_inverse
    (5)  l(z) = ln(1 + z) - z                                                               log1p_minus
    (6)  δ(m) = ln Γ(m + 1) - (m + ½) ln m + m - ½ ln 2π = Σ_k c_k / m^{2k-1}               stirling_error
    (7)  ln r(a, d) = ln Γ(a + d) - ln Γ(a)                                                 log_gamma_ratio
    (8)  x^a y^b / B(a, b) = √(ab / 2π(a + b)) exp(a l(-λ/a) + b l(λ/b) + δ(a + b) - δ(a) - δ(b))  beta_power
    (9)  I_x(a, b) = ∫_0^x u^{a-1} (1 - u)^{b-1} du / B(a, b)                               incomplete_beta

Choices
    Arrays of any shapes that broadcast; float64 throughout, float32 and whole numbers are made it.  Where all arguments
    are scalars the result is a Python float.  NaN and what lies outside the domain raise ValueError; infinity is an
    argument of (1) and (2), and the result of (3) and (4) at the ends.
    (5) and (6) are kernels of one number that check nothing, as are all names in _one, for use in other kernels.
    Relative errors: (1) to (5) 4 eps; (8) and (9) 4e-13 for min(a, b) up to 1e4, and beyond what a rounding of x does
    by itself, 10 eps √min(a, b).  (6) is off by 1e-15, (7) by 1e-14 max(|ln r|, min(1, d)): ln r changes
    its sign.  Below 1e-308 results lose digits, and then are 0.
    The arguments of Γ go from 1e-150 to 1e150; (9) takes time √min(a, b), and refuses min(a, b) > 1e10.

Cost
    O(1) a number for (1) to (7).  (9) takes the more steps the larger min(a, b) is, up to O(√min(a, b)) where x is near
    a / (a + b).  Arrays are cut into pieces that all cores share.  `python -m benchmarks special` times all beside
    SciPy.

>>> round(erf(0.5), 14), 1 - erf(9), erfc([6, 9.0])
(0.52049987781305, 0.0, array([2.15197367e-17, 4.13703175e-37]))
>>> round(erf_inverse(0.5), 13), round(erfc_inverse(1e-300), 11)
(0.4769362762045, 26.20946996052)
>>> round(incomplete_beta(0.25, 3, 2), 13), round(log_gamma_ratio(1e9, 0.5), 12)
(0.05078125, 10.361632918348)

Sources: M. Abramowitz, I. Stegun, "Handbook of mathematical functions" (1964), 7.1.23 and 26.2.23 for (4); C. Loader,
"Fast and accurate computation of binomial probabilities" (2000) for the idea of (8); A. DiDonato, A. Morris,
"Algorithm 708: significant digit computation of the incomplete beta function ratios", ACM TOMS 18 (1992), sections 2
and 3, for the fraction of (9).
"""
import math

import numpy as np

from scratchml.core.checks import as_floats
from scratchml.core.elementary import double
from scratchml.core.jit import kernel, readable, run_chunks

LEAST, MOST, LARGEST_SMALLER = 1e-150, 1e150, 1e10       # of the arguments of Γ; of the smaller one in (9)
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)       # c_1 ... c_8
ARTANH = tuple(1 / (2 * n + 1) for n in range(1, 12))    # of (artanh(s) / s - 1) / s², in s²
CHUNK = 2000


# --- arrays in, arrays out ----------------------------------------------------------------------


def numbers_between(x, name, least, most):
    """`x` as an array of float64 in [least, most].  Raises ValueError that names the first other one, or a NaN."""
    x = as_floats(x, name).astype(np.float64, copy=False)
    wrong = ~((x >= least) & (x <= most))
    if wrong.any():
        where = np.unravel_index(wrong.argmax(), x.shape)
        place = f" at [{', '.join(map(str, where))}]" if x.ndim else ""
        raise ValueError(f"{name}: got {x[where]}{place}, expected numbers from {least:g} to {most:g}")
    return x


def together(*arguments):
    """The arguments as arrays of one shape.  Raises ValueError if they do not broadcast."""
    arrays = [np.asarray(argument) for argument in arguments]
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError as error:
        shapes = " and ".join(str(np.shape(argument)) for argument in arguments)
        raise ValueError(f"shapes {shapes} do not go together: expected equal ones, or such that broadcast") from error
    return [array if array.shape == shape else np.broadcast_to(array, shape) for array in arrays]


def elementwise(chunk_kernel, *arguments):
    """chunk_kernel(c, start, stop, *arguments, out) of the arguments broadcast and flat; a float if all are scalars."""
    arrays = together(*arguments)
    out = np.empty(arrays[0].shape)
    flat = [readable(np.ascontiguousarray(array).reshape(-1)) for array in arrays]
    run_chunks(chunk_kernel, out.size, *flat, out.reshape(-1), chunk=CHUNK)
    return out if out.ndim else float(out)


# --- the integral of e^{-t²} --------------------------------------------------------------------


def erf(x):
    """(1)  erf(x) = 2/√π ∫_0^x e^{-t²} dt

    The C library's, for arrays.  Raises ValueError for NaN.

    Shapes: x (N) -> (N)
    """
    return elementwise(_erf_chunk, numbers_between(x, "x", -np.inf, np.inf))


def erfc(x):
    """(2)  erfc(x) = 2/√π ∫_x^∞ e^{-t²} dt

    1 - erf(x), but with all its digits where that is small.  Raises ValueError for NaN.

    Shapes: x (N) -> (N)
    """
    return elementwise(_erfc_chunk, numbers_between(x, "x", -np.inf, np.inf))


def erf_inverse(p):
    """(3)  erf⁻¹(p) = the x with erf(x) = p

    ±inf for p = ±1.  Raises ValueError for p outside [-1, 1] and NaN.

    Shapes: p (N) -> (N)
    """
    return elementwise(_erf_inverse_chunk, numbers_between(p, "p", -1, 1))


def erfc_inverse(q):
    """(4)  erfc⁻¹(q) = the x with erfc(x) = q

    inf for q = 0, -inf for q = 2.  Raises ValueError for q outside [0, 2] and NaN.

    Shapes: q (N) -> (N)
    """
    return elementwise(_erfc_inverse_chunk, numbers_between(q, "q", 0, 2))


# --- gamma functions ----------------------------------------------------------------------------


@kernel
def log1p_minus(z):
    """(5)  l(z) = ln(1 + z) - z

    About -z²/2, which the difference of two numbers near z would not know.  With s = z / (2 + z), ln(1 + z) is
    2 artanh(s) = 2 s + 2 s³/3 + ..., and 2 s - z = -z s.

    Shapes: z -> ()
    """
    if abs(z) > 0.3:
        return math.log1p(z) - z
    s = z / (2.0 + z)
    total = 0.0
    for n in range(10, -1, -1):
        total = total * s * s + ARTANH[n]
    return 2.0 * s * s * s * total - z * s


@kernel
def stirling_error(m):
    """(6)  δ(m) = ln Γ(m + 1) - (m + ½) ln m + m - ½ ln 2π = Σ_k c_k / m^{2k-1}

    From 10 on eight terms of the series are all that matter.  Below, δ(m) - δ(m + 1) = (m + ½) ln(1 + 1/m) - 1 leads
    there.

    Shapes: m -> ()
    """
    if m < 1.0:
        return math.lgamma(m + 1.0) - (m + 0.5) * math.log(m) + m - HALF_LOG_2PI
    total = 0.0
    while m < 10.0:
        total += (m + 0.5) * math.log1p(1.0 / m) - 1.0
        m += 1.0
    series = 0.0
    for k in range(7, -1, -1):
        series = series / m / m + STIRLING[k]
    return total + series / m


def log_gamma_ratio(a, d):
    """(7)  ln r(a, d) = ln Γ(a + d) - ln Γ(a)

    The difference of two logarithms of Γ would lose the digits in which a ln a exceeds the result: nine of sixteen at
    a = 1e9.  Raises ValueError for a outside [1e-150, 1e150] and d outside [0, 1e150].

    Shapes: a (N), d (N) -> (N)
    """
    return elementwise(_log_gamma_ratio_chunk, numbers_between(a, "a", LEAST, MOST), numbers_between(d, "d", 0, MOST))


# --- the incomplete beta function ---------------------------------------------------------------


def beta_power(x, a, b):
    """(8)  x^a y^b / B(a, b) = √(ab / 2π(a + b)) exp(a l(-λ/a) + b l(λ/b) + δ(a + b) - δ(a) - δ(b))

    The left side is a quotient of tiny numbers, whose logarithms have size a ln a.  By (6) all that is large cancels.
    Raises ValueError for x outside [0, 1], and a or b outside [1e-150, 1e150].

    Shapes: x (N), a (N), b (N) -> (N)
    """
    return elementwise(_beta_power_chunk, numbers_between(x, "x", 0, 1), numbers_between(a, "a", LEAST, MOST),
                       numbers_between(b, "b", LEAST, MOST))


def incomplete_beta(x, a, b):
    """(9)  I_x(a, b) = ∫_0^x u^{a-1} (1 - u)^{b-1} du / B(a, b)

    1 - I_x(a, b) is incomplete_beta(1 - x, b, a), for where I_x is near 1.  Raises ValueError for x outside [0, 1], a
    or b outside [1e-150, 1e150], and pairs whose smaller one is above 1e10.

    Shapes: x (N), a (N), b (N) -> (N)
    """
    a, b = numbers_between(a, "a", LEAST, MOST), numbers_between(b, "b", LEAST, MOST)
    numbers_between(np.minimum(*together(a, b)), "min(a, b)", LEAST, LARGEST_SMALLER)
    return elementwise(_incomplete_beta_chunk, numbers_between(x, "x", 0, 1), a, b)


# --- compiled: one number -----------------------------------------------------------------------


@kernel
def erf_inverse_middle(p):
    """(3) for |p| <= ½: three terms of the inverse series of (1), then Halley's method twice, which cubes the error."""
    w = math.pi * p * p
    x = 0.5 * math.sqrt(math.pi) * p * (1.0 + w / 12.0 + 7.0 * w * w / 480.0)
    for _ in range(2):
        u = 0.5 * math.sqrt(math.pi) * (math.erf(x) - p) * math.exp(x * x)
        x -= u / (1.0 + x * u)
    return x


@kernel
def erfc_inverse_tail(q):
    """(4) for q <= ½: a rational start within 5e-4, then Halley's method twice.

    Below 1e-290, where erfc itself runs out of digits, x² = -ln(q √π x) + ln(1 - 1/2x² + 3/4x⁴ - ...) is iterated.
    """
    if q == 0.0:
        return np.inf
    if q < 1e-290:
        x = math.sqrt(-math.log(q))
        for _ in range(7):                               # each divides the error by 2 x² > 1300
            w = 0.5 / (x * x)
            series = -w * (1.0 - w * (3.0 - w * (15.0 - w * (105.0 - w * 945.0))))
            x = math.sqrt(math.log1p(series) - math.log(q) - 0.5 * math.log(math.pi) - math.log(x))
        return x
    t = math.sqrt(-2.0 * math.log(0.5 * q))
    x = math.sqrt(0.5) * (t - (2.515517 + t * (0.802853 + t * 0.010328))
                          / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))))
    for _ in range(2):
        u = 0.5 * math.sqrt(math.pi) * (q - math.erfc(x)) * math.exp(x * x)
        x -= u / (1.0 + x * u)
    return x


@kernel
def erf_inverse_one(p):
    """(3); 1 - |p| is exact where it is used."""
    return erf_inverse_middle(p) if abs(p) <= 0.5 else math.copysign(erfc_inverse_tail(1.0 - abs(p)), p)


@kernel
def erfc_inverse_one(q):
    """(4); 1 - q and 2 - q are exact where they are used."""
    if q > 1.5:
        return -erfc_inverse_tail(2.0 - q)
    return erfc_inverse_tail(q) if q < 0.5 else erf_inverse_middle(1.0 - q)


@kernel
def log_gamma_ratio_one(a, d):
    """(7): by Γ(a + 1) = a Γ(a) until a >= 10, then the difference of two of Stirling's series, term by term."""
    total = 0.0
    while a < 10.0:
        total -= math.log1p(d / a)
        a += 1.0
    L = math.log1p(d / a)
    total += (a - 0.5) * L + d * (math.log(a + d) - 1.0)
    power = 1.0 / a
    for k in range(8):                                   # c_k ((a + d)^{1-2k} - a^{1-2k})
        total += STIRLING[k] * power * math.expm1(-(2 * k + 1) * L)
        power = power / a / a
    return total


@kernel
def log_deviance(m, z, ratio):
    """m l(z), where ratio = 1 + z: from z if that is small, else from the ratio, in which -1 + 1e-9 loses no digits."""
    return m * log1p_minus(z) if abs(z) < 0.3 else m * (math.log(ratio) - z)


@kernel
def beta_power_one(x, y, a, b, gap):
    """(8) for 0 < x < 1, with gap = λ."""
    exponent = log_deviance(a, -gap / a, x * (1.0 + b / a)) + log_deviance(b, gap / b, y * (1.0 + a / b))
    exponent += stirling_error(a + b) - stirling_error(a) - stirling_error(b)
    return math.sqrt(a / (a + b) * b / (2.0 * math.pi)) * math.exp(exponent)


@kernel
def beta_fraction(x, y, a, b, gap):
    """F with I_x(a, b) = x^a y^b / (B(a, b) F): a continued fraction, good for λ = gap > x - y.

    F = β_0 + α_1 / (β_1 + α_2 / (β_2 + ...)), evaluated forwards (Lentz): C is the quotient of successive numerators,
    1/D of denominators.
    """
    F = a / (a + 1.0) * (gap + 1.0)
    C, D = F, 0.0
    change, n = 0.0, 0.0
    while abs(change - 1.0) > 3e-16:
        n += 1.0
        odd = a + (2.0 * n - 1.0)
        alpha = (a + (n - 1.0)) / odd * ((a + b + (n - 1.0)) / odd) * n * (b - n) * x * x
        beta = n + n * (b - n) * x / odd + (a + n) / (odd + 2.0) * (gap + 1.0 + n * (1.0 + y))
        D = 1.0 / (beta + alpha * D)
        C = beta + alpha / C
        change = C * D
        F *= change
    return F


@kernel
def beta_series(y, b, a):
    """S with I_y(b, a) = y^b Γ(a + b) / (Γ(a) Γ(b + 1)) (1 + b S): the binomial series, integrated; y a below 2."""
    term, total, n = 1.0, 0.0, 0.0
    while abs(term) > 1e-17 * abs(total):
        n += 1.0
        term *= (n - a) / n * y
        total += term / (b + n)
    return total


@kernel
def incomplete_beta_one(x, a, b):
    """(9): the fraction below about a / (a + b); above, 1 minus the fraction or series of the rest."""
    y = 1.0 - x
    gap = a * y - b * x
    if x == 0.0 or y == 0.0:
        return x
    if gap > x - y:
        power = beta_power_one(x, y, a, b, gap)
        return min(1.0, power / beta_fraction(x, y, a, b, gap)) if power > 0.0 else 0.0
    if b > 1.0:
        return max(0.0, 1.0 - beta_power_one(x, y, a, b, gap) / beta_fraction(y, x, b, a, -gap))
    rest = math.log1p(b * beta_series(y, b, a)) + log_gamma_ratio_one(a, b) - log_gamma_ratio_one(1.0, b)
    return -math.expm1(min(0.0, b * math.log(y) + rest)) # with a small b the rest is near 1, and this near 0


# --- compiled: a piece of an array --------------------------------------------------------------


@kernel
def _erf_chunk(c, start, stop, x, out):
    for i in range(start, stop):
        out[i] = math.erf(x[i])


@kernel
def _erfc_chunk(c, start, stop, x, out):
    for i in range(start, stop):
        out[i] = math.erfc(x[i])


@kernel
def _erf_inverse_chunk(c, start, stop, p, out):
    for i in range(start, stop):
        out[i] = erf_inverse_one(double(p[i]))


@kernel
def _erfc_inverse_chunk(c, start, stop, q, out):
    for i in range(start, stop):
        out[i] = erfc_inverse_one(double(q[i]))


@kernel
def _log_gamma_ratio_chunk(c, start, stop, a, d, out):
    for i in range(start, stop):
        out[i] = log_gamma_ratio_one(double(a[i]), double(d[i]))


@kernel
def _beta_power_chunk(c, start, stop, x, a, b, out):
    for i in range(start, stop):
        X, A, B = double(x[i]), double(a[i]), double(b[i])
        out[i] = beta_power_one(X, 1.0 - X, A, B, A * (1.0 - X) - B * X) if 0.0 < X < 1.0 else 0.0


@kernel
def _incomplete_beta_chunk(c, start, stop, x, a, b, out):
    for i in range(start, stop):
        out[i] = incomplete_beta_one(double(x[i]), double(a[i]), double(b[i]))
