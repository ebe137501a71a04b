"""How unlikely is that?  Tails of the few distributions that tests of significance and thresholds need.

A test reduces data to one number, and asks with what probability chance alone would have made it as large.  If the
data are a great many, the number is normal; if their deviation had to be estimated too, it is Student's t; if a few of
a finite lot were drawn, it is hypergeometric.  (If it is a sum of weighted squares, chapter `weighted_squares` has its
tails.)  What is asked for is the upper tail q, down to 1e-300, or the threshold that is exceeded with a given q.  So q
is the argument throughout: 1 - q would have lost its digits.

Symbols
    z, q  (N,)  thresholds and probabilities of exceeding them
    t     (N,)  thresholds on Student's scale, ν degrees of freedom
    ν     (N,)  degrees of freedom, at least 1e-150; not whole ones too
    I_x         the incomplete beta function of chapter `special`
    k     (N,)  how many of the drawn are marked
    M, K, n     how many there are, how many of them are marked, how many are drawn
    C(n, k)     binomial coefficients

Equations
    (1)  Φ(z) = ½ erfc(-z / √2)                                                       normal_cdf
    (2)  P(Z > z) = ½ erfc(z / √2)                                                    normal_sf
    (3)  z = the number with P(Z > z) = q                                             normal_isf
    (4)  P(T_ν > t) = ½ I_{ν/(ν+t²)}(ν/2, ½) for t >= 0, and 1 - P(T_ν > -t) else     student_sf
    (5)  P(T_ν <= t) = P(T_ν > -t)                                                    student_cdf
    (6)  t = the number with P(T_ν > t) = q                                           student_isf
    (7)  P(k) = C(K, k) C(M - K, n - k) / C(M, n)                                     hypergeometric_pmf
    (8)  P(k or fewer) = Σ_{j <= k} P(j)                                              hypergeometric_cdf
    (9)  P(more than k) = Σ_{j > k} P(j)                                              hypergeometric_sf

Choices
    Arrays of any shapes that broadcast; the results are float64, a Python float where all arguments are scalars.  NaN,
    q outside [0, 1], ν outside [1e-150, 1e150] and counts that cannot be raise ValueError.  Thresholds may be infinite,
    and are for q = 0 and q = 1.  The lower quantile of (3) and (6) is -isf(p).
    Relative errors: (1) and (2) eps (4 + z²), (3) 4 eps, (4) to (6) 2e-13 for ν >= 1, whatever t and q; below, (6) as
    much as a rounding of q does, 1e-12 / ν; (7) to (9) 4e-13.  Near 0, t and z keep their relative digits too.  Below
    1e-308 results lose digits, and then are 0.
    M is at most 2³¹ - 1, so that k M - K n is an exact whole number.

Cost
    O(1) a number for (1) to (3) and (7), at most 200 steps of a fraction for (4) and (5) whatever ν, and as many for
    each step of Newton's method in (6).  (8) and (9) add up O(√n) terms.  `python -m benchmarks distributions` times
    all beside SciPy.

>>> f"{normal_sf(6.0):.12g}", round(normal_isf(0.025), 11), round(student_isf(0.025, 5), 12)
('9.86587645038e-10', 1.95996398454, 2.570581835636)
>>> round(hypergeometric_sf(2, 50, 5, 10), 15), hypergeometric_sf([4, 5], 50, 5, 10).round(7)
(0.048260303196209, array([0.0001189, 0.       ]))

Sources: W. Gosset ("Student"), Biometrika 6 (1908); D. Wallace, "Bounds on normal approximations to Student's and the
chi-square distributions", Annals of Math. Statistics 30 (1959), for the start of (6); C. Loader, "Fast and accurate
computation of binomial probabilities" (2000), for (7).
"""
import math

import numpy as np

from scratchml.core.elementary import double
from scratchml.core.jit import kernel
from scratchml.core.special import (LEAST, MOST, beta_fraction, beta_series, elementwise, erfc, erfc_inverse,
                                    erfc_inverse_one, log_deviance, log_gamma_ratio_one, numbers_between,
                                    stirling_error, together)
from scratchml.core.weighted_squares import chi_square_mixture_cdf, chi_square_mixture_sf      # noqa: F401  a relative

MOST_COUNTED = 2**31 - 1
INF = float("inf")

# --- the normal distribution --------------------------------------------------------------------


def normal_cdf(z):
    """(1)  Φ(z) = ½ erfc(-z / √2)

    Raises ValueError for NaN.

    Shapes: z (N) -> (N)
    """
    return 0.5 * erfc(-numbers_between(z, "z", -INF, INF) * math.sqrt(0.5))


def normal_sf(z):
    """(2)  P(Z > z) = ½ erfc(z / √2)

    Raises ValueError for NaN.

    Shapes: z (N) -> (N)
    """
    return 0.5 * erfc(numbers_between(z, "z", -INF, INF) * math.sqrt(0.5))


def normal_isf(q):
    """(3)  z = the number with P(Z > z) = q

    inf for q = 0, -inf for q = 1.  Raises ValueError for q outside [0, 1] and NaN.

    Shapes: q (N) -> (N)
    """
    return math.sqrt(2) * erfc_inverse(2 * numbers_between(q, "q", 0, 1))


# --- Student's distribution ---------------------------------------------------------------------


def student_sf(t, ν):
    """(4)  P(T_ν > t) = ½ I_{ν/(ν+t²)}(ν/2, ½) for t >= 0, and 1 - P(T_ν > -t) else

    Raises ValueError for NaN and ν outside [1e-150, 1e150].

    Shapes: t (N), ν (N) -> (N)
    """
    return elementwise(_student_sf_chunk, numbers_between(t, "t", -INF, INF), numbers_between(ν, "ν", LEAST, MOST))


def student_cdf(t, ν):
    """(5)  P(T_ν <= t) = P(T_ν > -t)

    Raises ValueError as (4) does.

    Shapes: t (N), ν (N) -> (N)
    """
    return student_sf(-numbers_between(t, "t", -INF, INF), ν)


def student_isf(q, ν):
    """(6)  t = the number with P(T_ν > t) = q

    Newton's method on the logarithm of (4), as a function of ln t: it is concave, so the method cannot miss, and in a
    tail that is a power of t it is a line, so one step suffices.

    ±inf for q = 0 and 1, and where t is beyond 1.8e308.  Raises ValueError for q outside [0, 1], ν outside
    [1e-150, 1e150], and NaN.

    Shapes: q (N), ν (N) -> (N)
    """
    if isinstance(q, float) and isinstance(ν, (float, int)) and 0 <= q <= 1 and LEAST <= ν <= MOST:
        return float(student_isf_one(float(q), float(ν)))            # an array costs far more than the number in it
    return elementwise(_student_isf_chunk, numbers_between(q, "q", 0, 1), numbers_between(ν, "ν", LEAST, MOST))


# --- the hypergeometric distribution ------------------------------------------------------------


def hypergeometric_pmf(k, M, K, n):
    """(7)  P(k) = C(K, k) C(M - K, n - k) / C(M, n)

    The order is that of SciPy: what is looked at, of all M, the marked K, the drawn n.  0 where k cannot be.
    Raises ValueError for what is no whole number, M above 2³¹ - 1, negative counts, K > M and n > M.

    Shapes: k (N), M, K, n -> (N)
    """
    return elementwise(_hypergeometric_pmf_chunk, *_counts(k, M, K, n))


def hypergeometric_cdf(k, M, K, n):
    """(8)  P(k or fewer) = Σ_{j <= k} P(j)

    Raises ValueError as (7) does.

    Shapes: k (N), M, K, n -> (N)
    """
    return elementwise(_hypergeometric_cdf_chunk, *_counts(k, M, K, n))


def hypergeometric_sf(k, M, K, n):
    """(9)  P(more than k) = Σ_{j > k} P(j)

    Raises ValueError as (7) does.

    Shapes: k (N), M, K, n -> (N)
    """
    return elementwise(_hypergeometric_sf_chunk, *_counts(k, M, K, n))


def _counts(k, M, K, n):
    """The four as arrays of int64 of one shape."""
    k = numbers_between(k, "k", -INF, INF).clip(-1, MOST_COUNTED)        # beyond, nothing changes
    M, K, n = (numbers_between(value, name, 0, MOST_COUNTED) for value, name in ((M, "M"), (K, "K"), (n, "n")))
    k, M, K, n = together(k, M, K, n)
    for value, name in ((k, "k"), (M, "M"), (K, "K"), (n, "n")):
        if (wrong := value != np.floor(value)).any():
            raise ValueError(f"{name}: got {value[wrong].flat[0]}, expected whole numbers")
    for value, name, what in ((K, "K", "marked"), (n, "n", "drawn")):
        if (wrong := value > M).any():
            raise ValueError(f"{name}: {value[wrong].flat[0]:.0f} {what} of {M[wrong].flat[0]:.0f}; expected at most M")
    return [value.astype(np.int64) for value in (k, M, K, n)]


# --- compiled: Student --------------------------------------------------------------------------


@kernel
def student_middle(t, ν, ratio):
    """P(0 < T < t) = ½ I_y(½, ν/2), y = t² / (ν + t²), by the series; for t² (ν + 2) <= 3 ν; ratio = ln r(ν/2, ½)."""
    y = (t / ν) * t / (1.0 + (t / ν) * t)
    S = beta_series(y, 0.5, 0.5 * ν)
    return math.sqrt(y / math.pi) * math.exp(ratio) * (1.0 + 0.5 * S)


@kernel
def log_student_sf(t, ν, ratio):
    """ln P(T > t) for t > 0, by the fraction of I; near the middle by the series of what is left of ½."""
    if t * t * (ν + 2.0) <= 3.0 * ν:
        return math.log(0.5 - student_middle(t, ν, ratio))
    r = t / math.sqrt(ν)
    square = r * r if r < 1e150 else 1e300
    log_square = math.log1p(square) if r < 1e150 else 2.0 * math.log(r)
    x, y = 1.0 / (1.0 + square), square / (1.0 + square)
    F = beta_fraction(x, y, 0.5 * ν, 0.5, 0.5 * (ν * y - x))
    return ratio - 0.5 * ν * log_square + 0.5 * math.log(y / (4.0 * math.pi)) - math.log(F)


@kernel
def student_sf_one(t, ν):
    """(4)"""
    if t == 0.0 or math.isinf(t):
        return 0.5 if t == 0.0 else 0.0 if t > 0.0 else 1.0
    tail = min(0.5, math.exp(log_student_sf(abs(t), ν, log_gamma_ratio_one(0.5 * ν, 0.5))))
    return tail if t > 0.0 else 1.0 - tail


@kernel
def log_student_density(t, ν, ratio):
    """The logarithm of the density, for t >= 0."""
    r = t / math.sqrt(ν)
    log_square = math.log1p(r * r) if r < 1e150 else 2.0 * math.log(r)
    return ratio - 0.5 * math.log(math.pi * ν) - 0.5 * (ν + 1.0) * log_square


@kernel
def student_isf_middle(p, ν, ratio):
    """The t <= 1 with P(0 < T < t) = p: Newton's method from the left, where the concave function cannot overshoot."""
    t = p / math.exp(log_student_density(0.0, ν, ratio))
    for _ in range(100):
        near = t * t * (ν + 2.0) <= 3.0 * ν
        below = student_middle(t, ν, ratio) if near else 0.5 - math.exp(log_student_sf(t, ν, ratio))
        step = (p - below) / math.exp(log_student_density(t, ν, ratio))
        t += step
        if abs(step) <= 1e-9 * t:                        # the error that is left is of the order of its square
            break
    return t


@kernel
def student_isf_from(log_t, q, ν, ratio):
    """The t > 0 with P(T > t) = q, by Newton's method in ln t, from a start; a neighbour's t is a good one."""
    for _ in range(100):
        if log_t > 709.7:
            return np.inf
        t = math.exp(log_t)
        log_q = log_student_sf(t, ν, ratio)
        step = (log_q - math.log(q)) * math.exp(log_q - log_t - log_student_density(t, ν, ratio))
        log_t += step
        if abs(step) < 1e-9:
            return t + t * step
    return math.exp(log_t)


@kernel
def student_isf_tail(q, ν, ratio):
    """The t >= 1 with P(T > t) = q, from the smaller of two starts.

    One is Wallace's: z² is about ν ln(1 + t²/ν) ((8ν + 1) / (8ν + 3))² for the normal z of the same q.  The other
    follows from the density without its 1, a power of t, and is too large.
    """
    z = math.sqrt(2.0) * erfc_inverse_one(2.0 * q) * (8.0 * ν + 3.0) / (8.0 * ν + 1.0)
    w = z / ν * z
    by_normal = 0.5 * (math.log(ν) + (math.log(math.expm1(w)) if 0.0 < w < 600.0 else w))
    by_power = (ratio - 0.5 * math.log(math.pi * ν) - math.log(q)) / ν + 0.5 * (1.0 - 1.0 / ν) * math.log(ν)
    return student_isf_from(max(0.0, min(by_normal, by_power)), q, ν, ratio)


@kernel
def student_isf_above(q, ν):
    """(6) for q <= ½."""
    if q == 0.0:
        return np.inf
    ratio = log_gamma_ratio_one(0.5 * ν, 0.5)
    if q > 0.158 and math.log(q) > log_student_sf(1.0, ν, ratio):        # P(T > 1) > 1 - Φ(1) = .1587
        return student_isf_middle(0.5 - q, ν, ratio) if q < 0.5 else 0.0
    return student_isf_tail(q, ν, ratio)


@kernel
def student_isf_one(q, ν):
    """(6); 1 - q and ½ - q are exact where they are used."""
    return -student_isf_above(1.0 - q, ν) if q > 0.5 else student_isf_above(q, ν)


# --- compiled: hypergeometric -------------------------------------------------------------------


@kernel
def log_hypergeometric_pmf_one(k, M, K, n):
    """ln of (7) for a k that can be.

    Of the table of k, K - k, n - k, M - K - n + k, whose expectations differ from them by ±Δ = ±(k - K n / M): by
    Stirling's formula, in which all that is large cancels, as in `beta_power`.
    """
    if K == 0 or n == 0 or K == M or n == M:
        return 0.0
    deviation = (k * M - K * n) / M
    total = 0.5 * math.log(K / M * (M - K) * n * (M - n) * (2.0 * math.pi) ** 3)
    total += stirling_error(double(K)) + stirling_error(double(M - K))
    total += stirling_error(double(n)) + stirling_error(double(M - n)) - stirling_error(double(M))
    for cell, expected, sign in ((k, K / M * n, -1.0), (K - k, K / M * (M - n), 1.0), (n - k, (M - K) / M * n, 1.0),
                                 (M - K - n + k, (M - K) / M * (M - n), -1.0)):
        if cell == 0:
            total -= expected
        else:
            m = double(cell)
            total += log_deviance(m, sign * deviation / m, expected / m)
            total -= stirling_error(m) + 0.5 * math.log(2.0 * math.pi * m)
    return total


@kernel
def hypergeometric_pmf_one(k, M, K, n):
    """(7)"""
    return math.exp(log_hypergeometric_pmf_one(k, M, K, n)) if max(0, n + K - M) <= k <= min(n, K) else 0.0


@kernel
def hypergeometric_tails_one(k, M, K, n):
    """(8) and (9): from k on downwards, or from k + 1 on upwards, whichever leads away from the most likely number."""
    least, most = max(0, n + K - M), min(n, K)
    if k < least or k >= most:
        return (0.0, 1.0) if k < least else (1.0, 0.0)
    total = term = 1.0
    if k < (n + 1) / (M + 2) * (K + 1):
        first = j = k
        while j > least and term > 1e-17 * total:
            term *= double(j) / (K - j + 1) * (M - K - n + j) / (n - j + 1)
            total += term
            j -= 1
    else:
        first = j = k + 1
        while j < most and term > 1e-17 * total:
            term *= double(K - j) / (j + 1) * (n - j) / (M - K - n + j + 1)
            total += term
            j += 1
    tail = math.exp(log_hypergeometric_pmf_one(first, M, K, n)) * total
    return (tail, 1.0 - tail) if first == k else (1.0 - tail, tail)


# --- compiled: a piece of an array --------------------------------------------------------------


@kernel
def _student_sf_chunk(c, start, stop, t, ν, out):
    for i in range(start, stop):
        out[i] = student_sf_one(double(t[i]), double(ν[i]))


@kernel
def _student_isf_chunk(c, start, stop, q, ν, out):
    for i in range(start, stop):
        out[i] = student_isf_one(double(q[i]), double(ν[i]))


@kernel
def _hypergeometric_pmf_chunk(c, start, stop, k, M, K, n, out):
    for i in range(start, stop):
        out[i] = hypergeometric_pmf_one(k[i], M[i], K[i], n[i])


@kernel
def _hypergeometric_cdf_chunk(c, start, stop, k, M, K, n, out):
    for i in range(start, stop):
        out[i] = hypergeometric_tails_one(k[i], M[i], K[i], n[i])[0]


@kernel
def _hypergeometric_sf_chunk(c, start, stop, k, M, K, n, out):
    for i in range(start, stop):
        out[i] = hypergeometric_tails_one(k[i], M[i], K[i], n[i])[1]
