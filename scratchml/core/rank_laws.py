"""How unlikely are these ranks?  What chance makes of two samples whose values are no more than an order.

Two samples of one distribution, put in one row by size: if there are no ties, every one of the C(n+m, m) ways in which
they can be mixed is as likely as any other, whatever the distribution.  So the laws of what depends on the order alone
can be counted, and hold for small samples as for large ones.

An order is a path: from (0, 0), one step to the right for a value of the first sample, one upwards for one of the
second, to (n, m).  Mann and Whitney's U is the area below it.  Smirnov's D is how far it strays from the diagonal, in
either direction: at (i, j) a share i/n of the first sample has been passed, and j/m of the second.

Symbols
    n, m       sizes of the samples, at least 1
    u  (N,)    areas: how many of the n m pairs have the value of the second sample first; from 0 to n m
    N(u; n, m) how many paths have the area u; C(n+m, m) is how many there are
    d  (N,)    distances from the diagonal, D times the least common multiple of n and m; from 0 to that
    A_ij       the probability that a path through (i, j) was at least d from the diagonal, by then
    g          the greatest common divisor of n and m
    z  (N,)    D √(n m / (n + m)), at least 0

Equations
    (1)  P(U <= u) = Σ_{v<=u} N(v; n, m) / C(n+m, m), N = N(v-m; n-1, m) + N(v; n, m-1)  mann_whitney_cdf
    (2)  P(D >= d) = A_nm, A_ij = i/(i+j) A_{i-1,j} + j/(i+j) A_{i,j-1}, 1 where |i m - j n| >= d g  smirnov_tail
    (3)  P(D >= z) = 2 Σ_{k>0} (-1)^{k-1} exp(-2 k² z²), for n and m without end                     kolmogorov_sf

Why (2).  All paths to (i, j) are equally likely, and i of i + j such have a step to the right as their last.  A path
that was away once stays one that was: at such places A is 1, and only the places nearer to the diagonal are computed.
Nothing is subtracted, so a tail of 1e-60 has all its digits.

Choices
    Scalars are one number, arrays of u, d and z give arrays; n and m are single numbers.  ValueError for what is not
    whole in (1) and (2), below 0, or NaN.
    (3) has another form for z below 1, where its terms cancel: 1 - √(2π)/z Σ_{k>0} exp(-(2k-1)² π² / (8 z²)).
    Relative errors: (1) 1e-12 for min(n, m) up to 8, (2) 1e-12, (3) 1e-13.

Cost
    (1) takes O(min(n, m)² max(n, m)) time and O(n m) memory, (2) O(n m D) and O(n), (3) O(1).

>>> mann_whitney_cdf(3, 3, 5), round(smirnov_tail(3, 3, 5), 12), round(kolmogorov_sf(1.0), 12)
(0.125, 1.0, 0.269999671677)

Sources: H. Mann and D. Whitney, "On a test of whether one of two random variables is stochastically larger than the
other", Annals of Mathematical Statistics 18 (1947), for (1); J. Hodges, "The significance probability of the Smirnov
two-sample test", Arkiv för Matematik 3 (1958), for (2); N. Smirnov, "Table for estimating the goodness of fit of
empirical distributions", Annals of Mathematical Statistics 19 (1948), for (3).
"""
import math

import numpy as np

from scratchml.core.checks import whole_number
from scratchml.core.jit import kernel
from scratchml.core.special import elementwise, numbers_between

HALF_PI_SQUARED = math.pi * math.pi / 8

# --- the laws ------------------------------------------------------------------------------------


def mann_whitney_cdf(u, n, m):
    """(1)  P(U <= u) = Σ_{v<=u} N(v; n, m) / C(n+m, m), N = N(v-m; n-1, m) + N(v; n, m-1)

    P(U >= u) is mann_whitney_cdf(n m - u, n, m).  Raises ValueError for what is no whole number and u below 0.

    Shapes: u (N), n, m -> (N)
    """
    n, m = whole_number(n, "n"), whole_number(m, "m")
    return elementwise(_mann_whitney_chunk, _whole(u, "u"), n, m)


def smirnov_tail(d, n, m):
    """(2)  P(D >= d) = A_nm, A_ij = i/(i+j) A_{i-1,j} + j/(i+j) A_{i,j-1}, 1 where |i m - j n| >= d g

    Raises ValueError for what is no whole number and d below 0.

    Shapes: d (N), n, m -> (N)
    """
    n, m = whole_number(n, "n"), whole_number(m, "m")
    return elementwise(_smirnov_chunk, _whole(d, "d"), n, m)


def kolmogorov_sf(z):
    """(3)  P(D >= z) = 2 Σ_{k>0} (-1)^{k-1} exp(-2 k² z²), for n and m without end

    Raises ValueError for z below 0 and NaN.

    Shapes: z (N) -> (N)
    """
    return elementwise(_kolmogorov_chunk, numbers_between(z, "z", 0, np.inf))


def _whole(values, name):
    """As int64.  Raises ValueError."""
    values = numbers_between(values, name, 0, 2.0**53)
    if (wrong := values != np.floor(values)).any():
        raise ValueError(f"{name}: got {values[wrong].flat[0]}, expected whole numbers")
    return values.astype(np.int64)


# --- compiled: one number ------------------------------------------------------------------------


@kernel
def mann_whitney_cdf_one(u, n, m):
    """Same result as (1), because Σ_v N(v; n, m) x^v is the product of (1 - x^{m+i}) / (1 - x^i) over i = 1 ... n.

    Each factor is multiplied in up to x^u: the denominator by adding, from the front, the numerator by taking away,
    from behind.  Only the lower half of the law is computed so, where what is taken away is the smaller part.
    """
    n, m = min(n, m), max(n, m)
    if u >= n * m:
        return 1.0
    lower = u if 2 * u < n * m else n * m - 1 - u        # P(U > u) = P(U < n m - u)
    ways = np.zeros(lower + 1)
    ways[0] = 1.0
    for i in range(1, n + 1):
        factor = i / (m + i)                             # so that all of them add up to 1
        for v in range(lower, m + i - 1, -1):
            ways[v] -= ways[v - m - i]
        for v in range(lower + 1):
            ways[v] = ways[v] * factor + (ways[v - i] if v >= i else 0.0)
    total = ways.sum()
    return total if lower == u else 1.0 - total


@kernel
def smirnov_tail_one(d, n, m):
    """(2), one diagonal i + j = s after the other: places of one do not depend on each other, and go into vectors.

    Of the places i of a diagonal those from `first` to `last` are nearer than d; beside them stands 1, after them from
    the beginning.  All are one place further on in the arrays, so that there is one before the first.
    """
    a, b = n, m
    while b > 0:
        a, b = b, a % b
    right, up = m // a, n // a                           # what a step adds to the distance, and takes away
    steps, before, after = np.arange(n + 3) - 1.0, np.ones(n + 3), np.ones(n + 3)
    before[1] = 0.0                                      # (0, 0)
    for s in range(1, n + m + 1):
        first = max(0, s - m, (s * up - d) // (right + up) + 1)
        last = min(n, s, (s * up + d - 1) // (right + up))
        for i in range(first + 1, last + 2):
            after[i] = (steps[i] * before[i - 1] + (s - steps[i]) * before[i]) / s
        after[first] = 1.0
        before, after = after, before
    return before[n + 1]


@kernel
def kolmogorov_sf_one(z):
    """(3)"""
    if z < 0.04:                                         # 1 - 1e-300
        return 1.0
    total = 0.0
    if z < 1.0:
        for k in range(1, 8, 2):
            total += math.exp(-k * k * HALF_PI_SQUARED / (z * z))
        return 1.0 - math.sqrt(2.0 * math.pi) / z * total
    for k in range(5, 0, -1):
        term = math.exp(-2.0 * k * k * z * z)
        total += term if k % 2 else -term
    return 2.0 * total


# --- compiled: a piece of an array ---------------------------------------------------------------


@kernel
def _mann_whitney_chunk(c, start, stop, u, n, m, out):
    for i in range(start, stop):
        out[i] = mann_whitney_cdf_one(u[i], n[i], m[i])


@kernel
def _smirnov_chunk(c, start, stop, d, n, m, out):
    for i in range(start, stop):
        out[i] = smirnov_tail_one(d[i], n[i], m[i])


@kernel
def _kolmogorov_chunk(c, start, stop, z, out):
    for i in range(start, stop):
        out[i] = kolmogorov_sf_one(z[i])
