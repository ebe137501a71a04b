"""How unlikely is a sum of weighted squares?

Tests that look at a whole curve, such as the partial sums of a series, end with Σ_j λ_j Z_j², squares of independent
normal numbers with unequal weights.  Its density has no formula, but its transform is a product, one factor a weight,
and a tail is an integral of that along a path in the complex plane.

Imhof takes the path along the imaginary axis.  There the integrand swings, and the digits of a small tail cancel.  But
the path may be moved, as long as it meets neither the pole at 0 nor the cut from 1 / (2 max λ) to ∞.  Here it is a
parabola around the cut, through the saddle between cut and pole, where the integrand is largest along the path and
least across it: nothing swings, and the trapezoidal rule doubles its digits whenever its step is halved.

Symbols
    x     (N,)  thresholds
    λ     (W,)  weights, at least 0, not all 0; r (W,) the same, the largest first and made 1
    Z_j         independent normal numbers of mean 0 and variance 1
    s           a complex number; c where the path meets the real axis, i² = -1
    z           √(1 - 2 s), for r: the cut becomes the imaginary axis, and the parabola a line beside it

Equations
    (1)  P(Σ_j λ_j Z_j² > x) = 1/2πi ∫ e^{-s x} Π_j (1 - 2 λ_j s)^{-1/2} ds / s, with c > 0       chi_square_mixture_sf
    (2)  P(Σ_j λ_j Z_j² <= x) = the same integral with c < 0, times -1                         chi_square_mixture_cdf

Choices
    Of (1) and (2) the one is integrated whose x is on its side of the mean; the other is 1 minus that.  The integrated
    one has a relative error of 1e-12, for up to 1,000 weights and however far in the tail.
    x may have any shape, all of λ belongs to each; the result is float64, a Python float for a scalar x.  Weights 0 add
    nothing; negative ones, and such below 1e-100 of the largest, raise ValueError.  So do NaN and infinite weights.

Cost
    O(W) time for each of the 40 steps to the saddle, and for each point of the line at which the integrand is taken.

>>> round(chi_square_mixture_sf(9.0, [2.0, 1.0, 1.0]), 12), chi_square_mixture_sf([1e-3, 1e3], [2.0, 1.0, 1.0])
(0.084826639409, array([9.99994054e-001, 1.90488952e-110]))

Sources: J. Imhof, "Computing the distribution of quadratic forms in normal variables", Biometrika 48 (1961), equation
3.2, for c = 0; S. Rice, "Distribution of quadratic forms in normal random variables", SIAM J. Sci. Stat. Computing 1
(1980), for a path through the saddle.
"""
import cmath
import math

import numpy as np

from scratchml.core.checks import as_vector
from scratchml.core.elementary import double
from scratchml.core.jit import kernel
from scratchml.core.special import numbers_between

LEAST_RATIO = 1e-100                                     # of a weight to the largest
SMALL = 1e-280                                           # below it (2) is a power of x


def chi_square_mixture_sf(x, λ):
    """(1)  P(Σ_j λ_j Z_j² > x) = 1/2πi ∫ e^{-s x} Π_j (1 - 2 λ_j s)^{-1/2} ds / s, with c > 0

    The path goes upwards, and between the pole and the cut: c < 1 / (2 max λ).  Weights 1, ..., 1 give the
    chi-square distribution.
    Raises ValueError for NaN, weights (W,) that are negative, infinite or all zero, and no weight.

    Shapes: x (N), λ (W) -> (N)
    """
    return _chi_square_mixture(x, λ)[0]


def chi_square_mixture_cdf(x, λ):
    """(2)  P(Σ_j λ_j Z_j² <= x) = the same integral with c < 0, times -1

    On its way from c > 0 to c < 0 the path crosses the pole at 0, whose residue is 1.
    Raises ValueError as (1) does.

    Shapes: x (N), λ (W) -> (N)
    """
    return _chi_square_mixture(x, λ)[1]


def _chi_square_mixture(x, λ):
    """Both (1) and (2)."""
    x, weights = numbers_between(x, "x", -np.inf, np.inf), as_vector(λ, name="λ").astype(np.float64, copy=False)
    if not weights.size or weights.min() < 0 or not weights.any():
        raise ValueError(f"λ: expected weights of at least 0, one of them above 0, got {λ!r}")
    weights = -np.sort(-weights[weights > 0])
    if weights[-1] < LEAST_RATIO * weights[0]:
        raise ValueError(f"λ: the smallest weight {weights[-1]:.3g} is below 1e-100 of the largest; leave it out")
    upper, lower = np.empty(x.shape), np.empty(x.shape)
    _chi_square_mixtures(np.ascontiguousarray(x).reshape(-1), weights, upper.reshape(-1), lower.reshape(-1))
    return (upper, lower) if x.ndim else (float(upper), float(lower))


# --- compiled -----------------------------------------------------------------------------------


@kernel
def log_moments(square, r):
    """-½ Σ_j ln(1 - r_j (1 - z²)) with square = z², Im z² <= 0: ln of the product in (1), for weights r <= 1.

    Every factor has its argument in (-π, 0].  While two have it in [-π/2, 0] they are multiplied: one logarithm serves
    many.
    """
    total, product = 0j, 1.0 + 0j
    for j in range(r.size):
        factor = 1.0 + r[j] * (square - 1.0)
        if factor.real < 0.0 or not 1e-100 < abs(factor.real) + abs(factor.imag) < 1e100:
            total += cmath.log(factor)
        else:
            product *= factor
            if product.real < 0.0 or not 1e-100 < abs(product.real) + abs(product.imag) < 1e100:
                total += cmath.log(product)
                product = 1.0 + 0j
    return -0.5 * (total + cmath.log(product))


@kernel
def saddle(x, r, upper):
    """The z > 0 whose s = (1 - z²) / 2 makes the integrand least between cut and pole, or left of the pole."""
    low, high = (0.0, 1.0) if upper else (1.0, 2.0)
    while not upper and _slope(high, x, r) > 0.0:
        low, high = high, 2.0 * high
    for _ in range(40):
        z = 0.5 * (low + high)
        if _slope(z, x, r) > 0.0:
            low = z
        else:
            high = z
    return 0.5 * (low + high)


@kernel
def _slope(z, x, r):
    """d/ds of ln of the integrand of (1) at s = (1 - z²) / 2."""
    s = 0.5 * (1.0 - z) * (1.0 + z)
    total = -x - 1.0 / s
    for j in range(r.size):
        total += r[j] / (1.0 - 2.0 * r[j] * s)
    return total


@kernel
def chi_square_mixture_tail(x, r, upper):
    """(1) if `upper`, else (2), for x > 0 and falling weights r with r_0 = 1.

    With z = √(1 - 2s) the parabola is the line z = c - i v, and 1/2πi ds/s is z / 2πs dv.
    """
    c = saddle(x, r, upper)
    s = 0.5 * (1.0 - c) * (1.0 + c)
    curvature = 1.0                                      # s² times the second derivative of the logarithm
    for j in range(r.size):
        curvature += 2.0 * (r[j] * s / (1.0 - 2.0 * r[j] * s)) ** 2
    height = log_moments(c * c + 0j, r).real - s * x
    h = 0.5 * abs(s) / (c * math.sqrt(curvature))    # half the width of the hill
    total, first, estimate = 0.5 * c / s, h, 0.0
    step = h
    for _ in range(12):
        v, size = first, 1.0
        while size > 1e-18 * abs(c / s):
            z = complex(c, -v)
            s_v = 0.5 * (1.0 - z) * (1.0 + z)
            g = cmath.exp(log_moments(z * z, r) - s_v * x - height) * z / s_v
            size = abs(g)
            total += g.real
            v += step
        before, estimate = estimate, h * total
        if abs(estimate - before) <= 1e-11 * abs(estimate):
            break
        first, step, h = 0.5 * h, h, 0.5 * h             # then only the points between
    return abs(estimate) / math.pi * math.exp(height)


@kernel
def _chi_square_mixtures(x, weights, upper, lower):
    """(1) and (2), the smaller of them integrated: above the mean the upper tail."""
    r = weights / weights[0]
    for i in range(x.size):
        scaled = double(x[i]) / double(weights[0])
        if x[i] <= 0.0 or math.isinf(scaled):
            lower[i] = 0.0 if x[i] <= 0.0 else 1.0
            upper[i] = 1.0 - lower[i]
        elif scaled > r.sum():
            upper[i] = chi_square_mixture_tail(scaled, r, True)
            lower[i] = 1.0 - upper[i]
        else:
            lower[i] = chi_square_mixture_tail(max(scaled, SMALL), r, False)
            lower[i] *= min(1.0, scaled / SMALL) ** (0.5 * r.size)
            upper[i] = 1.0 - lower[i]
