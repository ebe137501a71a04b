"""Outliers, when nobody knows how many: the generalised extreme Studentized deviate test.

The value farthest from the mean, in standard deviations, is an outlier if a sample of a normal distribution would
hardly have one so far.  Two outliers defeat this test: each enlarges the deviation that the other is measured by, so
both pass.  Rosner takes the farthest away, then the farthest of what is left, and so on, K times, and asks only then.
The last step whose extreme was too far decides: it is an outlier, and so are all that were taken before it, even those
that masked one another.  K is what is tried, not what is found.

Mean and deviation are still those of data with outliers in them.  The hybrid measures from the median, in medians of
the absolute deviations, which do not move before half of the data do.

The farthest from a centre, wherever it is, is the least or the greatest.  So what is left is always a slice of the
sorted values: its median is one index away, and its absolute deviations are two sorted rows, one to either side, of
which a bisection finds the middle.  Sort once; a step then costs O(log n) instead of O(n).

Symbols
    x  (n,)    values: x_j, those that are left
    n          how many
    K          how many may be outliers, at most
    i  (K,)    steps, from 1 to K, or less where the rest is of one value
    m          how many values are left at step i: n - i + 1
    c, s       centre and scale of these
    R  (K,)    how far the extreme of each step lies: R_i
    λ  (K,)    how far it may: λ_i
    α          the probability of finding an outlier where there is none
    g          2 sides or 1
    T_ν        Student's t with ν degrees of freedom
    r          how many outliers there are

Equations
    (1)  c = Σ_j x_j / m, s = √(Σ_j (x_j - c)² / (m - 1))                              mean_and_deviation
    (2)  c = median_j x_j, s = 1.4826 median_j |x_j - c|                               median_and_mad
    (3)  R_i = max_j |x_j - c| / s of what is left, from which this x_j then goes      extremes
    (4)  λ_i = (m - 1) t / √((m - 2 + t²) m), P(T_{m-2} > t) = α / (g m)               critical_value
    (5)  r = the largest i with R_i > λ_i                                              outlier_count

Why (4).  If x_j is the farthest of m normal values, its t statistic against the other m - 1 has Student's distribution
with m - 2 degrees of freedom, and (4) is that statistic's threshold in terms of R.  There are g m candidates, so each
has α / (g m).  For (2) the same λ serve, though they are those of (1).

Choices
    Of values at equal distances the first in time leaves.  Where only one side counts, g = 1.
    1.4826 MAD is about the deviation of normal values; R has these digits, and others may tip a value over the border.
    A scale of at most 4 eps |c| is what rounding makes of equal values: the steps end there, and nothing that is left
    is an outlier.  So where more than half of the values are equal, the hybrid finds nothing.
    The outliers for K are the first of those for any larger K.  Where r = K, more may be out there.

Cost
    O(n log n) to sort, and O(log n) a step; O(1) for (1), whose sums are taken outwards from the middle, once.  Where
    distances of different values round to the same number, a step walks through these.  The literal loop takes O(n) a
    step.  `python -m benchmarks outliers` times both.

>>> x = [2.1, 2.6, 2.4, 9.0, 2.2, 2.5, 8.7, 2.3]
>>> esd = generalized_esd(x, 3)
>>> esd.indices.tolist(), esd.statistics.round(3), esd.critical_values.round(3)
([3, 6], array([1.667, 2.262, 1.336]), array([2.127, 2.02 , 1.887]))

Sources: B. Rosner, "Percentage points for a generalized ESD many-outlier procedure", Technometrics 25 (1983);
O. Vallis, J. Hochenbaum and A. Kejariwal, "A novel technique for long-term anomaly detection in the cloud", HotCloud
(2014), section 3, for the hybrid.
"""
import math
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_vector, one_of, real_number, true_or_false, whole_number
from scratchml.core.distributions import student_isf, student_isf_from, student_isf_one
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.special import log_gamma_ratio_one
from scratchml.timeseries.time_axis import items

MAD_TO_DEVIATION = 1.4826
ROUNDING = 4 * np.finfo(float).eps
SIDES = {"both": 0, "pos": 1, "neg": -1}

# --- the equations -------------------------------------------------------------------------------


def mean_and_deviation(x):
    """(1)  c = Σ_j x_j / m, s = √(Σ_j (x_j - c)² / (m - 1))

    Shapes: x (n) -> (), ()
    """
    return x.mean(), x.std(ddof=1)


def median_and_mad(x):
    """(2)  c = median_j x_j, s = 1.4826 median_j |x_j - c|

    Shapes: x (n) -> (), ()
    """
    c = np.median(x)
    return c, MAD_TO_DEVIATION * np.median(np.abs(x - c))


def extremes(x, K, centre_and_scale=median_and_mad, side=0):
    """(3)  R_i = max_j |x_j - c| / s of what is left, from which this x_j then goes

    Which values go, and R.  `side` is 1 for the distance above c alone, -1 for that below.

    Shapes: x (n), K -> (K), (K)
    """
    left, gone, R = np.arange(len(x)), [], []
    for _ in range(K):
        c, s = centre_and_scale(x[left])
        if s <= ROUNDING * abs(c):
            break
        distances = side * (x[left] - c) if side else np.abs(x[left] - c)
        j = distances.argmax()
        gone.append(left[j])
        R.append(distances[j] / s)
        left = np.delete(left, j)
    return np.array(gone, np.int64), np.array(R)


def critical_value(i, n, α, g=2):
    """(4)  λ_i = (m - 1) t / √((m - 2 + t²) m), P(T_{m-2} > t) = α / (g m)

    Shapes: i (K), n, α -> (K)
    """
    m = n - i + 1
    t = student_isf(α / (g * m), m - 2)
    return (m - 1) / np.sqrt(((m - 2) / t / t + 1) * m)


def outlier_count(R, λ):
    """(5)  r = the largest i with R_i > λ_i

    Not the first with R_i ≤ λ_i less one; 0 where there is none.

    Shapes: R (K), λ (K) -> ()
    """
    above = np.flatnonzero(R > λ)
    return int(above[-1]) + 1 if above.size else 0


# --- the test ------------------------------------------------------------------------------------


class ESD(NamedTuple):
    """What a test has found in n values."""
    indices: np.ndarray                                  # (r,) int64: where the outliers are, the farthest first
    statistics: np.ndarray                               # (K,): R, or fewer where the rest is of one value
    critical_values: np.ndarray                          # (K,): λ, as many


def generalized_esd(x, max_outliers, alpha=0.05, hybrid=False, direction="both"):
    """Which of the values (n,) are outliers, by Rosner's test or its hybrid with median and MAD.

    Returns an `ESD`.  Raises ValueError for NaN and inf, fewer than 3 values, `max_outliers` above n - 2, where no
    degree of freedom would be left, and an alpha outside (0, 1).

    Parameters
    ----------
    x : array (n,)
        Values, in the order of time if they have one.
    max_outliers : int
        K, how many outliers are looked for; there may be fewer.
    alpha : float, default=0.05
        The probability of finding outliers in a normal sample.
    hybrid : bool, default=False
        Whether centre and scale are (2), which outliers hardly move, instead of (1).
    direction : {"both", "pos", "neg"}, default="both"
        Whether outliers are far from the centre, far above it, or far below it.
    """
    x = as_vector(items(x, "x"), name="x").astype(np.float64, copy=False)
    if len(x) < 3:
        raise ValueError(f"x: expected at least 3 values, got {len(x)}")
    K = whole_number(max_outliers, "max_outliers")
    if K > len(x) - 2:
        raise ValueError(f"max_outliers={K}: expected at most {len(x) - 2}, two less than there are values")
    return esd_of(x, K, level(alpha), true_or_false(hybrid, "hybrid"), SIDES[one_of(direction, "direction", SIDES)])


def level(alpha):
    """α as a float.  Raises ValueError unless it lies in (0, 1)."""
    α = real_number(alpha, "alpha", above=0)
    if α >= 1:
        raise ValueError(f"alpha={alpha!r}: expected a probability below 1, such as 0.05")
    return α


def esd_of(x, K, α, hybrid, side, least=0.0):
    """The test on checked arguments, with a scale of at least `least`."""
    gone, R = extremes_by_sorting(x, K, hybrid, side, least)
    λ = np.empty(len(R))
    run_chunks(_critical_values, len(R), len(x), α / (1 if side else 2), λ, chunk=200)
    return ESD(gone[:outlier_count(R, λ)], R, λ)


def extremes_by_sorting(x, K, hybrid, side, least=0.0):
    """Same result as (3), because what is left of sorted values is a slice: see the kernels."""
    largest = math.frexp(np.abs(x).max())[1]
    if abs(largest) > 500:                               # squares and differences of what is left stay finite
        power = (500 if largest > 0 else 0) - largest
        x, least = np.ldexp(x, power), math.ldexp(least, power)
    order = np.argsort(x, kind="stable")
    gone, R = np.empty(K, np.int64), np.empty(K)
    take = _extremes_by_median if hybrid else _extremes_by_mean
    k = take(x[order], order, side, float(least), gone, R)
    return gone[:k], R[:k]


# --- compiled: the middle of a slice of sorted values -------------------------------------------


@kernel
def _median(x, a, b):
    """The median of x[a:b], which ascends."""
    h = (a + b) // 2
    return x[h] if (b - a) % 2 else 0.5 * (x[h - 1] + x[h])


@kernel
def _deviation(x, a, b, c, k):
    """The k-th smallest, from 0, of |x[a:b] - c|, where c is the median.

    Two rows ascend from the middle h: c - x[h-1], c - x[h-2], ... and x[h] - c, x[h+1] - c, ...  Of the k + 1 smallest
    j come from the first.
    """
    h = (a + b) // 2
    j, most = max(0, k + 1 - (b - h)), min(k + 1, h - a)
    while j < most:
        middle = (j + most) // 2
        if c - x[h - 1 - middle] < x[h + k - middle] - c:
            j = middle + 1
        else:
            most = middle
    left = c - x[h - j] if j > 0 else 0.0
    return max(left, x[h + k - j] - c) if j <= k else left


@kernel
def _mad(x, a, b, c):
    """The median of |x[a:b] - c|, where c is the median."""
    half = (b - a) // 2
    upper = _deviation(x, a, b, c, half)
    return upper if (b - a) % 2 else 0.5 * (_deviation(x, a, b, c, half - 1) + upper)


# --- compiled: who leaves -----------------------------------------------------------------------


@kernel
def _first_to_the_end(x, order, a, b, c):
    """Of the values of x[a:b] that are as far above c as the last, let the first in time be the last.

    Equal values are turned around once, when the end reaches them; then each next is the first of the rest.
    """
    far, low, high = x[b - 1] - c, a, b - 1
    while low < high:
        middle = (low + high) // 2
        if x[middle] - c < far:
            low = middle + 1
        else:
            high = middle
    if x[low] == x[b - 1]:
        if order[low] < order[b - 1]:
            order[low:b] = order[low:b][::-1].copy()
        return
    j = low + np.argmin(order[low:b])                    # different values whose distances round to one number
    value, time = x[j], order[j]
    for l in range(j, b - 1):
        x[l], order[l] = x[l + 1], order[l + 1]
    x[b - 1], order[b - 1] = value, time


@kernel
def _first_to_the_start(x, order, a, b, c):
    """The same of the values that are as far below c as the first."""
    far, low, high = c - x[a], a, b - 1
    while low < high:
        middle = (low + high + 1) // 2
        if c - x[middle] < far:
            high = middle - 1
        else:
            low = middle
    if x[low] == x[a]:
        if order[low] < order[a]:
            order[a:low + 1] = order[a:low + 1][::-1].copy()
        return
    j = a + np.argmin(order[a:low + 1])
    value, time = x[j], order[j]
    for l in range(j, a, -1):
        x[l], order[l] = x[l - 1], order[l - 1]
    x[a], order[a] = value, time


@kernel
def _last_leaves(x, order, a, b, c, side):
    """Whether the value that is farthest from c is the last of x[a:b], and not the first; it is brought there."""
    below, above = c - x[a], x[b - 1] - c
    if side > 0 or side == 0 and above >= below:
        _first_to_the_end(x, order, a, b, c)
    if side < 0 or side == 0 and below >= above:
        _first_to_the_start(x, order, a, b, c)
    return side > 0 or side == 0 and (above > below or above == below and order[b - 1] < order[a])


@kernel
def _extremes_by_median(x, order, side, least, gone, R):
    """Same result as (3) with (2), because the extreme of a slice of sorted values is at one of its ends.

    x ascends, order[j] is the place in time of x[j]; both are rearranged.  Fills gone and R, and returns how many.
    """
    a, b = 0, x.size
    for i in range(R.size):
        c = _median(x, a, b)
        s = max(least, MAD_TO_DEVIATION * _mad(x, a, b, c))
        if s <= ROUNDING * abs(c):
            return i
        if _last_leaves(x, order, a, b, c, side):
            b -= 1
            gone[i], R[i] = order[b], (x[b] - c) / s
        else:
            gone[i], R[i] = order[a], (c - x[a]) / s
            a += 1
    return R.size


@kernel
def _sums_from_the_middle(x, a, b, h, sums, squares):
    """Σ (x_j - x_h) and Σ (x_j - x_h)² over j = h ... l-1 for l from h to b, and over j = l ... h-1 for l below."""
    sums[h] = squares[h] = 0.0
    for l in range(h, b):
        d = x[l] - x[h]
        sums[l + 1], squares[l + 1] = sums[l] + d, squares[l] + d * d
    for l in range(h - 1, a - 1, -1):
        d = x[l] - x[h]
        sums[l], squares[l] = sums[l + 1] + d, squares[l + 1] + d * d


@kernel
def _extremes_by_mean(x, order, side, least, gone, R):
    """Same result as (3) with (1) but for rounding, because Σ (x_j - c)² is Σ (x_j - x_h)² - m (c - x_h)².

    About a value in the middle the difference loses few digits.  Where the middle itself leaves, another is taken.
    """
    a, b = 0, x.size
    h = b // 2
    sums, squares = np.empty(b + 1), np.empty(b + 1)
    _sums_from_the_middle(x, a, b, h, sums, squares)
    for i in range(R.size):
        if not a <= h < b:
            h = (a + b) // 2
            _sums_from_the_middle(x, a, b, h, sums, squares)
        m, S = b - a, sums[a] + sums[b]
        c = x[h] + S / m
        s = max(least, math.sqrt(max(0.0, squares[a] + squares[b] - S * S / m) / (m - 1)))
        if s <= ROUNDING * abs(c):
            return i
        if _last_leaves(x, order, a, b, c, side):
            b -= 1
            gone[i], R[i] = order[b], (x[b] - c) / s
        else:
            gone[i], R[i] = order[a], (c - x[a]) / s
            a += 1
    return R.size


# --- compiled: critical values ------------------------------------------------------------------


@kernel
def _critical_values(chunk, start, stop, n, tail, λ):
    """Same result as (4), because Newton's method may start anywhere: where the last two t point; tail is α / g."""
    before, last = 0.0, 0.0                              # the last two ln t
    for k in range(start, stop):
        m = float(n - k)
        q, ν = tail / m, m - 2.0
        if k < start + 2 or ν < 50.0 or q < 1e-300:      # they do not point well
            t = student_isf_one(q, ν)
        else:
            t = student_isf_from(2.0 * last - before, q, ν, log_gamma_ratio_one(0.5 * ν, 0.5))
        before, last = last, math.log(t)
        λ[k] = (m - 1.0) / math.sqrt((ν / t / t + 1.0) * m)
