"""Does the series come back?  The test of Dickey and Fuller for a unit root.

A series that stands still is pulled back to its level: the farther it is above, the more it tends to fall.  A random
walk is not; each step starts from where the last has ended, as if the series had no level.  So regress the step on the
value before it, and look at the coefficient γ.  Below 0 the series comes back; at 0 it is a walk, also said to have a
unit root, and its differences should be studied instead.  Lags of the step take up what steps have in common with those
before them.

The t of γ is not Student's.  Its law, and what p-values are worth in short series, is chapter `unit_root_law`.

Symbols
    y  (T,)      the series: y_t, t = 0 ... T-1; Δy_t = y_t - y_{t-1}
    T            its length
    d            which terms D_t stand beside y_{t-1}: "n" none, "c" a constant, "ct" also t, "ctt" also t²
    p            lags of the step; P at most
    n            rows of the regression, T - 1 - p; t is counted in them, from 1/n to 1
    k            its columns, |D| + 1 + p
    X  (n, k)    the columns: D, y_{t-1}, Δy_{t-1} ... Δy_{t-p}
    dy  (n,)     what they are to explain, Δy_t
    g            the place of the column y_{t-1}, |D|
    a, φ, e      coefficients of D and of the lags, and what is left
    SSR  (m,)    the sum of squares of e for p = 0 ... P, m = P + 1; k (m,) the columns of each
    t  (m,)      the t of the last column of each
    w            what a parameter costs: 2 in Akaike's criterion, ln n in Schwarz's
    τ            the t of γ

Equations
    (1)  Δy_t = D_tᵀ a + γ y_{t-1} + Σ_{l=1}^p φ_l Δy_{t-l} + e_t, t = p+1 ... T-1           design
    (2)  τ = γ / √(SSR / (n - k) · [(XᵀX)⁻¹]_gg)                                             tau
    (3)  P = min(⌊T/2⌋ - |D| - 1, ⌈12 (T / 100)^{1/4}⌉)                                      most_lags
    (4)  SSR_p = ‖Δy‖² - Σ_{j <= g+p} z_j², z = QᵀΔy, t_p = ±z_{g+p} / √(SSR_p / (n - k_p))  all_lags
    (5)  I_p = n (ln(2π SSR_p / n) + 1) + w k_p                                              information
    (6)  p = the largest with |t_p| >= 1.645, or 0                                           last_significant

Choices
    The lag of least (5), of equal ones the smaller, or (6), is chosen on the rows that P lags leave, the same for all;
    then (1) and (2) are computed again on all rows that p lags leave.  A candidate needs n > k.  A lag that the columns
    before it explain exactly is no parameter.
    The QR factorisation takes columns in order, so one serves all p: column g+p is one more, and those before it stay.
    With y_{t-1} as the last column, τ is its t.  The columns of the triangle may change places, and the few rows that
    fewer lags add may be put below it: so it serves (2) as well.
    Before, y is multiplied by a power of two, and but for "n" its first value is subtracted: τ is the same, and is that
    of y + 10⁹ and of 10¹⁵⁰ y.
    Where SSR is below what rounding leaves, a linear recurrence holds exactly, and there is no noise to test against:
    ValueError.  So is it for a constant, for an exact trend with "ct", NaN and a series too short.

Cost
    (4) takes n k² operations, once for all lags.  `python -m benchmarks unit_root` times it beside a regression a lag.

>>> y = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3]
>>> test = adfuller(y, maxlag=1)
>>> round(test.statistic, 6), round(test.pvalue, 6), test.lags, test.nobs
(-2.988402, 0.035992, 0, 15)

Sources: D. Dickey and W. Fuller, JASA 74 (1979), for (2); S. Said and D. Dickey, Biometrika 71 (1984), for (1) with
lags; G. Schwert, J. Business & Economic Statistics 7 (1989), for (3); W. Greene, "Econometric Analysis",
5th edition (2003), section 20.3, for (6) and the order of the choice.
"""
import math
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import one_of, whole_number
from scratchml.core.jit import kernel
from scratchml.timeseries.time_axis import read_series, rounding_of
from scratchml.timeseries.unit_root_law import TERMS, asymptotic_p_value, critical_values, simulated_p_value, trend

LEVELS = ("1%", "5%", "10%")
SIGNIFICANT = 1.6448536269514722                         # exceeded by a normal number with 5 %
ROUNDING = 16                                            # times eps: of the values, what rounding may leave of them
NOTHING = 1e-200                                         # a square beside those of numbers up to 1
BLOCK = 256                                              # rows: with 30 columns they fit into the second cache


class DickeyFuller(NamedTuple):
    """What `adfuller` finds, in statsmodels' order; `icbest` is None where no lag was chosen."""
    statistic: float                                     # τ
    pvalue: float
    lags: int                                            # p
    nobs: int                                            # n
    critical_values: dict                                # of τ at "1%", "5%" and "10%"
    icbest: float | None                                 # the least (5), or |t_p| of (6)


# --- the regression ------------------------------------------------------------------------------


def design(y, p, d):
    """(1)  Δy_t = D_tᵀ a + γ y_{t-1} + Σ_{l=1}^p φ_l Δy_{t-l} + e_t, t = p+1 ... T-1

    Returns X and dy.

    Shapes: y (T), p, d -> (n, k), (n)
    """
    Δ = np.diff(y)
    lags = [Δ[p - l:len(Δ) - l] for l in range(1, p + 1)]
    return np.column_stack([*trend(len(Δ) - p, d).T, y[p:-1], *lags]), Δ[p:]


def tau(X, dy, g):
    """(2)  τ = γ / √(SSR / (n - k) · [(XᵀX)⁻¹]_gg)

    With column g as the last, γ is z_k / R_kk, and the last of the diagonal of (XᵀX)⁻¹ = R⁻¹R⁻ᵀ is 1 / R_kk².

    Shapes: X (n, k), dy (n), g -> ()
    """
    n, k = X.shape
    Q, R = np.linalg.qr(np.column_stack([np.delete(X, g, axis=1), X[:, g]]))
    z = Q.T @ dy                                         # (k,)
    e = dy - Q @ z
    return z[-1] * np.sign(R[-1, -1]) / np.sqrt(e @ e / (n - k))


def most_lags(T, d):
    """(3)  P = min(⌊T/2⌋ - |D| - 1, ⌈12 (T / 100)^{1/4}⌉)

    Below 0 where T is too short for any.

    Shapes: T, d -> ()
    """
    return min(T // 2 - TERMS[d] - 1, math.ceil(12 * (T / 100) ** 0.25))


def all_lags(X, dy, g):
    """(4)  SSR_p = ‖Δy‖² - Σ_{j <= g+p} z_j², z = QᵀΔy, t_p = ±z_{g+p} / √(SSR_p / (n - k_p))

    The sign is that of R's diagonal.  The squares are added up from the last, so that nothing is subtracted.

    Shapes: X (n, k), dy (n), g -> (m), (m)
    """
    n, k = X.shape
    Q, R = np.linalg.qr(X)
    z = Q.T @ dy                                         # (k,)
    e = dy - Q @ z
    SSR = (e @ e + np.append(np.cumsum(z[:0:-1]**2)[::-1], 0))[g:]
    return SSR, (z * np.sign(np.diag(R)))[g:] / np.sqrt(SSR / (n - np.arange(g, k) - 1))


# --- how many lags -------------------------------------------------------------------------------


def information(SSR, n, k, w):
    """(5)  I_p = n (ln(2π SSR_p / n) + 1) + w k_p

    Shapes: SSR (m), n, k (m), w -> (m)
    """
    return n * (np.log(2 * math.pi * SSR / n) + 1) + w * k


def last_significant(t):
    """(6)  p = the largest with |t_p| >= 1.645, or 0

    t_0 is that of y_{t-1}, and is not asked.

    Shapes: t (m) -> ()
    """
    found = np.flatnonzero(np.abs(t[1:]) >= SIGNIFICANT)
    return int(found[-1]) + 1 if found.size else 0


# --- the test ------------------------------------------------------------------------------------


def adfuller(x, maxlag=None, regression="c", autolag="AIC", pvalue="mackinnon", draws=100_000, random_state=None):
    """The augmented Dickey-Fuller test, whose null hypothesis is a unit root: a small p says that x comes back.

    Equal to statsmodels' function of this name, whose first arguments and whose order of results it has.

    Returns
    -------
    DickeyFuller
        statistic, pvalue, lags, nobs, critical_values and icbest.

    Raises
    ------
    ValueError
        For NaN and inf, an index with gaps, a series that is constant, too short, or without noise, and a maxlag that
        is too large.

    Parameters
    ----------
    x : array (T,) or Series
        The series, equally spaced.
    maxlag : int or None, default=None
        P, at most ⌊T/2⌋ - |D| - 1; None for (3).
    regression : {"n", "c", "ct", "ctt"}, default="c"
        What the series would come back to: 0, a level, a trend, a parabola.
    autolag : {"AIC", "BIC", "t-stat"} or None, default="AIC"
        How p is chosen; None takes P.
    pvalue : {"mackinnon", "simulated"}, default="mackinnon"
        By formula for an endless series, or by drawing walks of as many rows as there are.
    draws : int, default=100_000
        How many walks are simulated.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the walks; an int gives the same bits on any number of threads.
    """
    one_of(regression, "regression", TERMS)
    criterion = None if autolag is None else one_of(str(autolag).lower(), "autolag", ("aic", "bic", "t-stat"))
    one_of(pvalue, "pvalue", ("mackinnon", "simulated"))
    draws = whole_number(draws, "draws")
    y, noise, scale = _prepared(x, regression)
    p, best = _lags_wanted(maxlag, len(y), regression), None
    R = _triangle(y, TERMS[regression], p)
    if criterion is not None:
        p, best = _choose(R, len(y) - 1 - p, regression, criterion, noise, scale)
    τ, n = _tau_with(R, y, regression, p, noise), len(y) - 1 - p
    if pvalue == "mackinnon":
        probability = asymptotic_p_value(τ, regression)
    else:
        probability = simulated_p_value(τ, n, regression, draws, random_state)
    return DickeyFuller(τ, probability, p, n, dict(zip(LEVELS, critical_values(n, regression).tolist())), best)


def _prepared(x, d):
    """x scaled, and from its first value; what rounding may leave of it, as a standard deviation; ln of the scale."""
    values, _ = read_series(x, "x")
    least = max(2 * TERMS[d] + 2, TERMS[d] + 3)
    if len(values) < least:
        raise ValueError(f'x: expected at least {least} values for regression="{d}", got {len(values)}')
    y = np.empty(len(values))
    largest, exponent = _scale(values, d != "n", y)
    if largest == 0 or (y == y[0]).all():
        raise ValueError(f"x: all {len(y)} values are {values[0]}; a series that does not move has no unit root to "
                         "test")
    return y, ROUNDING * rounding_of(x) * largest, exponent * math.log(2)


def _lags_wanted(maxlag, T, d):
    """P, checked."""
    if maxlag is None:
        return most_lags(T, d)
    P, most = whole_number(maxlag, "maxlag", least=0), T // 2 - TERMS[d] - 1
    if P > most:
        raise ValueError(f'maxlag={P}: {T} values and regression="{d}" allow at most {most}')
    return P


def _choose(R, n, d, criterion, noise, scale):
    """The best p of 0 ... P on the n rows of P, and its `icbest` in units of x: SSR is larger by twice ln `scale`."""
    m = len(R) - 1 - TERMS[d]
    SSR, t, k = np.empty(m), np.empty(m), np.empty(m)
    _each_lag(R, TERMS[d], n, noise * math.sqrt(n), SSR, t, k)
    if n < len(R):                                       # as many columns as rows: nothing is left
        SSR, t, k = SSR[:-1], t[:-1], k[:-1]
    if not SSR[-1] > n * noise**2:
        raise _no_noise(int(np.argmin(SSR > n * noise**2)), n)
    if criterion == "t-stat":
        p = last_significant(t)
        return p, float(abs(t[p]))
    I = information(SSR, n, k, 2 if criterion == "aic" else math.log(n))
    p = int(I.argmin())
    return p, float(I[p]) + 2 * n * scale


def _tau_with(R, y, d, p, noise):
    """(2) with p lags on all rows that they leave."""
    n, k = len(y) - 1 - p, TERMS[d] + 1 + p
    if n <= k:
        raise ValueError(f"x: {p} lags leave {n} rows for {k} coefficients; take fewer lags or a longer series")
    z, SSR, dependent = _tau(R, y, TERMS[d], p, noise * math.sqrt(n))
    if not SSR > n * noise**2:
        raise _no_noise(p, n)
    if dependent >= 0:
        what = "the value" if dependent == k - 1 else f"lag {dependent - TERMS[d] + 1} of the step"
        raise ValueError(f"x: {what} before each of the last {n} steps follows exactly from the other {dependent} "
                         "columns; take fewer lags or a simpler regression")
    return float(z / math.sqrt(SSR / (n - k)))


def _no_noise(p, n):
    return ValueError(f"x: satisfies a linear recurrence of {p} lag(s) exactly on its last {n} steps, to the digits "
                      "that it has: there is no noise to test against. If it lies far from 0, subtract a level before "
                      "rounding")


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _scale(x, centred, y):
    """y = x less its first value, if `centred`, times a power of two, which is exact: |y| < 1, and no square overflows.

    Returns the largest |x| times the same power, and the exponent.
    """
    largest, spread = 0.0, 0.0
    for i in range(x.size):
        largest = max(largest, abs(x[i]))
    first = math.frexp(largest)[1]
    for i in range(x.size):
        y[i] = math.ldexp(x[i], -first)
        if centred:
            y[i] -= math.ldexp(x[0], -first)
        spread = max(spread, abs(y[i]))
    more = math.frexp(spread)[1]
    for i in range(x.size):
        y[i] = math.ldexp(y[i], -more)
    return math.ldexp(math.ldexp(largest, -first), -more), first + more


@kernel
def _rows(y, terms, p, start, B):
    """Of (1) the columns and Δy_t, as rows of B (k + 1, b), for b values of t; D counts t from 0 to 1."""
    for i in range(B.shape[1]):
        t, power = start + i, 1.0
        for j in range(terms):
            B[j, i] = power
            power *= t / y.size
        B[terms, i] = y[t - 1]
        B[terms + p + 1, i] = y[t] - y[t - 1]
    for l in range(1, p + 1):
        for i in range(B.shape[1]):
            B[terms + l, i] = y[start + i - l] - y[start + i - l - 1]


@kernel(reassociate=True)
def _absorb(R, B):
    """R (m, m) of a table becomes that of the table with B (m, b) below it, a column a row, which is overwritten.

    Column by column: Householder's reflection takes (R_jj, B_j) to a multiple of its first, v is what it takes away.
    """
    for j in range(R.shape[0]):
        square = 0.0
        for i in range(B.shape[1]):
            square += B[j, i] * B[j, i]
        if square > NOTHING:
            norm = math.sqrt(square + R[j, j] * R[j, j])
            v = abs(R[j, j]) + norm
            scale = 1.0 / (norm * v)                     # 2 / ‖v‖²
            v = math.copysign(v, R[j, j])
            R[j, j] -= v
            for l in range(j + 1, R.shape[0]):
                along = v * R[j, l]
                for i in range(B.shape[1]):
                    along += B[j, i] * B[l, i]
                along *= scale
                R[j, l] -= along * v
                for i in range(B.shape[1]):
                    B[l, i] -= along * B[j, i]


@kernel
def _triangle(y, terms, P):
    """R (k + 1, k + 1) of the columns of (1) and Δy; rows are absorbed in blocks that stay in the cache."""
    m = terms + P + 2
    R = np.zeros((m, m))
    for start in range(P + 1, y.size, BLOCK):
        B = np.empty((m, min(BLOCK, y.size - start)))
        _rows(y, terms, P, start, B)
        _absorb(R, B)
    return R


@kernel
def _factor(A, terms, tolerance, z, rank):
    """z (k,), each with the sign of R_jj, and `rank` (k,) of the first columns; returns SSR of all columns.

    A (k + 1, k + 1) is a triangle, a column a row, or was one before its columns changed places; it is overwritten.  A
    column of y whose rest is not longer than `tolerance` depends on those before it: its z is 0, and it is passed over.
    """
    m, r = A.shape[0], 0
    for j in range(m):
        norm = 0.0
        for i in range(r, m):
            norm += A[j, i] * A[j, i]
        norm = math.sqrt(norm)
        if j == m - 1:
            return norm * norm
        if norm <= tolerance * (j >= terms):
            z[j] = 0.0
        else:
            sign = -math.copysign(1.0, A[j, r])
            A[j, r] -= sign * norm
            for l in range(j + 1, m):
                along = 0.0
                for i in range(r, m):
                    along += A[j, i] * A[l, i]
                along /= norm * abs(A[j, r])
                for i in range(r, m):
                    A[l, i] -= along * A[j, i]
            z[j] = sign * A[m - 1, r]
            r += 1
        rank[j] = r
    return 0.0


@kernel
def _each_lag(R, terms, n, tolerance, SSR, t, k):
    """Same result as (4), because the first g + p columns of the triangle are that of the first g + p columns of X.

    k (m,) becomes the number of columns that are independent; t is 0 for one that is not.
    """
    z, rank = np.empty(R.shape[0] - 1), np.empty(R.shape[0] - 1, np.int64)
    rest = _factor(R.T.copy(), terms, tolerance, z, rank)
    for j in range(R.shape[0] - 2, terms - 1, -1):
        p = j - terms
        SSR[p], k[p] = rest, rank[j]
        t[p] = z[j] / math.sqrt(rest / (n - rank[j])) if z[j] != 0.0 and n > rank[j] and rest > 0.0 else 0.0
        rest += z[j] * z[j]


@kernel
def _level_last(B, terms, p):
    """Of the columns, a row each, those that p lags need, with y_{t-1} after the lags: (k + 1, b)."""
    chosen = np.empty((terms + p + 2, B.shape[1]))
    for j in range(terms):
        chosen[j] = B[j]
    for l in range(1, p + 1):
        chosen[terms + l - 1] = B[terms + l]
    chosen[terms + p] = B[terms]
    chosen[terms + p + 1] = B[B.shape[0] - 1]
    return chosen


@kernel
def _tau(R, y, terms, p, tolerance):
    """Same result as (2), because R stands for the rows of P lags, and the few rows more that p lags have are absorbed.

    Returns τ times the standard deviation of e, SSR, and a column that depends on those before, or -1.
    """
    k, P = terms + p + 1, R.shape[0] - terms - 2
    triangle = np.zeros((k + 1, k + 1))
    _absorb(triangle, _level_last(R.T.copy(), terms, p))
    if p < P:
        B = np.empty((k + 1, P - p))
        _rows(y, terms, p, p + 1, B)
        _absorb(triangle, _level_last(B, terms, p))
    z, rank = np.empty(k), np.empty(k, np.int64)
    SSR = _factor(triangle.T.copy(), terms, tolerance, z, rank)
    dependent = -1
    for j in range(k - 1, -1, -1):
        if rank[j] == (rank[j - 1] if j else 0):
            dependent = j
    return z[k - 1], SSR, dependent
