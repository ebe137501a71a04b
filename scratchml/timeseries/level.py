"""Does the series keep its level?  The test of Kwiatkowski, Phillips, Schmidt and Shin.

The test of chapter `unit_root` takes for granted that a series wanders, and asks whether the data speak against it.
This one takes for granted that it stands still.  Add up what the values are above and below their mean.  If they stand
still, the sum goes up and down around 0, and comes back to it at the end; if they wander, they are for long on one
side, and the sum goes far.  The mean square of that sum, in units of what a series of such variance may do, is the
statistic.

Neighbours in a series are alike, so the variance of their sum is more than the sum of their variances.  (2) adds what
neighbours up to l steps apart have in common, the farther the less; (4) chooses l by how slowly that falls.

Under the null hypothesis the sum becomes a Brownian bridge, and the statistic the integral of its square: a sum of
squares of independent normal numbers with known weights, whose tail is exact in chapter `weighted_squares`.  Tables
stop at 1 and at 10 %; here every statistic has its p.  Where neither test contradicts, the data do not decide; where
both do, the series neither wanders nor keeps one level.

Symbols
    x  (T,)      the series: x_t
    T            its length
    d            what it may stand still around: "c" a level, "ct" a line
    e  (T,)      what is left without that: e_t
    S  (T,)      its partial sums: S_t
    η            their mean square, over T
    l            how many neighbours to either side belong together
    γ_j          Σ_t e_t e_{t-j} / T
    r            the statistic, η in units of what l neighbours make of it
    Z_k          independent normal numbers of mean 0 and variance 1
    λ  (W,)      their weights, the largest 400: λ_k
    z_k          the positive roots of tan z = z

Equations
    (1)  η = Σ_t S_t² / T², S_t = Σ_{s<=t} e_s                                               partial_sums
    (2)  s² = γ_0 + 2 Σ_{j=1}^l (1 - j / (l + 1)) γ_j                                        long_run_variance
    (3)  r = η / s²                                                                          statistic
    (4)  l = ⌊1.1447 ((s_1 / s_0)² T)^{1/3}⌋, s_0 = γ_0 + 2 Σ_{j<=m} γ_j, s_1 = 2 Σ j γ_j    bandwidth
    (5)  λ_k = 1 / (kπ)² for a level; 1 / (2kπ)² and 1 / (2 z_k)² for a line                 null_weights
    (6)  P(r) = P(Σ_k λ_k Z_k² > r)                                                          p_value

Choices
    In (4) m = ⌊T^{2/9}⌋, and l is at most T - 1; "legacy" is ⌈12 (T / 100)^{1/4}⌉.
    In (6) the weights beyond 400 are replaced by their sum, 1/6 or 1/15 less that of the others: they are so many and
    so small that together they hardly vary.  p is within 1e-8 of the exact one, and the law is that of a long series.
    x is multiplied by a power of two and taken from its first value, which changes no ratio.  If all that is left is
    what rounding leaves, the series is constant, or a line: ValueError.

Cost
    O(T), whatever l, and O(1) for (6).  `python -m benchmarks unit_root` times both.

>>> test = kpss([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3])
>>> round(test.statistic, 6), round(test.pvalue, 6), test.lags
(0.443431, 0.055623, 1)

Sources: D. Kwiatkowski, P. Phillips, P. Schmidt and Y. Shin, J. Econometrics 54 (1992), equations 10, 11 and 13; B.
Hobijn, P. Franses and M. Ooms, Statistica Neerlandica 58 (2004), for (4); I. MacNeill, Annals of Statistics 6 (1978),
for (5).
"""
import functools
import math
import numbers
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import one_of, whole_number
from scratchml.core.weighted_squares import chi_square_mixture_sf
from scratchml.timeseries.time_axis import read_series, rounding_of

MEAN = {"c": 1 / 6, "ct": 1 / 15}                        # of the law: the sum of all weights
WEIGHTS = 400
ROUNDING = 16                                            # times eps: of the values, what rounding may leave of them
CRITICAL = {                                             # where (6) is 10, 5, 2.5 and 1 %
    "c": {"10%": 0.347305, "5%": 0.461361, "2.5%": 0.580614, "1%": 0.743459},
    "ct": {"10%": 0.119220, "5%": 0.147890, "2.5%": 0.177468, "1%": 0.217747},
}


class LevelTest(NamedTuple):
    """What `kpss` finds, in statsmodels' order."""
    statistic: float                                     # r
    pvalue: float
    lags: int                                            # l
    critical_values: dict                                # of r at "10%", "5%", "2.5%" and "1%"


# --- the statistic -------------------------------------------------------------------------------


def partial_sums(x, d):
    """(1)  η = Σ_t S_t² / T², S_t = Σ_{s<=t} e_s

    Returns e and η.  A line is fitted with t counted from the middle, so that level and slope are found apart.

    Shapes: x (T), d -> (T), ()
    """
    T = len(x)
    e = x - x.mean()
    if d == "ct":
        t = np.arange(T) - (T - 1) / 2
        e = e - t * (t @ e / (t @ t))
    S = np.cumsum(e)                                     # (T,)
    return e, S @ S / T**2


def long_run_variance(e, l):
    """(2)  s² = γ_0 + 2 Σ_{j=1}^l (1 - j / (l + 1)) γ_j

    Of all windows of l + 1 values, also those that stick out at an end, l + 1 - j have both e_t and e_{t-j}.  So it is
    the sum of the squares of their sums, over T (l + 1): never negative, and as quick for many neighbours as for few.

    Shapes: e (T), l -> ()
    """
    S = np.cumsum(e)                                     # (T,)
    within = np.concatenate([S, np.full(l, S[-1])])      # (T + l,): up to the end of the window
    within[l + 1:] -= S[:-1]                             # less what is before its start
    return within @ within / (len(e) * (l + 1))


def statistic(x, d, l):
    """(3)  r = η / s²

    Shapes: x (T), d, l -> ()
    """
    e, η = partial_sums(x, d)
    return η / long_run_variance(e, l)


def bandwidth(e):
    """(4)  l = ⌊1.1447 ((s_1 / s_0)² T)^{1/3}⌋, s_0 = γ_0 + 2 Σ_{j<=m} γ_j, s_1 = 2 Σ j γ_j

    Shapes: e (T) -> ()
    """
    T = len(e)
    m = min(int(T ** (2 / 9)), T - 1)
    γ, j = np.array([e[j:] @ e[:T - j] for j in range(m + 1)]) / T, np.arange(1, m + 1)
    s_0, s_1 = γ[0] + 2 * γ[1:].sum(), 2 * j @ γ[1:]
    if s_0 == 0:                                         # then l is as large as can be
        return T - 1
    return min(T - 1, int(1.1447 * ((s_1 / s_0) ** 2) ** (1 / 3) * T ** (1 / 3)))


# --- how unlikely it is --------------------------------------------------------------------------


@functools.cache
def null_weights(d):
    """(5)  λ_k = 1 / (kπ)² for a level; 1 / (2kπ)² and 1 / (2 z_k)² for a line

    z_k is where tan z = z, near (k + ½)π.  Newton's method on z - kπ - arctan z, whose slope is nearly 1.

    Shapes: d -> (W)
    """
    if d == "c":
        λ = 1 / (np.arange(1, WEIGHTS + 1) * math.pi) ** 2
    else:
        k = np.arange(1, WEIGHTS // 2 + 1)
        z = (k + 0.5) * math.pi
        for _ in range(6):
            z -= (z - k * math.pi - np.arctan(z)) * (1 + 1 / z**2)
        λ = np.concatenate([1 / (2 * math.pi * k) ** 2, 1 / (2 * z) ** 2])
    λ.setflags(write=False)                              # every caller gets the same
    return λ


def p_value(r, d):
    """(6)  P(r) = P(Σ_k λ_k Z_k² > r)

    Shapes: r, d -> ()
    """
    λ = null_weights(d)
    return chi_square_mixture_sf(r - (MEAN[d] - λ.sum()), λ)


# --- the test ------------------------------------------------------------------------------------


def kpss(x, regression="c", nlags="auto"):
    """The test of Kwiatkowski and others, whose null hypothesis is a series that stands still: a small p contradicts.

    The statistic and the lags are those of statsmodels' function of this name, whose arguments and order of results it
    has; the p-value and the critical values are exact for a long series, where that interpolates in a table and stops
    at its ends.

    Returns
    -------
    LevelTest
        statistic, pvalue, lags and critical_values.

    Raises
    ------
    ValueError
        For NaN and inf, an index with gaps, a series that is constant, a line with "ct", or too short, and more lags
        than T - 1.

    Parameters
    ----------
    x : array (T,) or Series
        The series, equally spaced.
    regression : {"c", "ct"}, default="c"
        Whether it stands still around a level or a line.
    nlags : {"auto", "legacy"} or int, default="auto"
        l, or how it is chosen.
    """
    one_of(regression, "regression", MEAN)
    y, noise = _prepared(x, regression)
    e, η = partial_sums(y, regression)
    if np.sqrt(e @ e / len(e)) <= noise:
        raise ValueError(f"x: but for the rounding of its digits, all {len(y)} values lie on "
                         f"{'a line' if regression == 'ct' else 'a level'}; there is nothing to test")
    l = _neighbours(nlags, e)
    r = float(η / long_run_variance(e, l))
    return LevelTest(r, p_value(r, regression), l, dict(CRITICAL[regression]))


def _prepared(x, d):
    """x from its first value, scaled; and what rounding may leave of it, as a standard deviation."""
    values, _ = read_series(x, "x")
    least = 3 if d == "ct" else 2
    if len(values) < least:
        raise ValueError(f'x: expected at least {least} values for regression="{d}", got {len(values)}')
    if (values == values[0]).all():
        raise ValueError(f"x: all {len(values)} values are {values[0]}; there is nothing to test")
    y = np.ldexp(values, -math.frexp(np.abs(values).max())[1])       # exact, and no difference overflows
    largest, y = np.abs(y).max(), y - y[0]
    exponent = math.frexp(np.abs(y).max())[1]
    return np.ldexp(y, -exponent), ROUNDING * rounding_of(x) * math.ldexp(largest, -exponent)


def _neighbours(nlags, e):
    """l, chosen or checked."""
    T = len(e)
    if isinstance(nlags, str):
        if one_of(nlags, "nlags", ("auto", "legacy")) == "auto":
            return bandwidth(e)
        return min(T - 1, math.ceil(12 * (T / 100) ** 0.25))
    if not isinstance(nlags, numbers.Integral):
        raise ValueError(f"nlags={nlags!r}: expected 'auto', 'legacy' or a whole number")
    l = whole_number(nlags, "nlags", least=0)
    if l >= T:
        raise ValueError(f"nlags={l}: expected at most {T - 1}, one less than there are values")
    return l
