"""STL: a series as trend, season and remainder, each of them drawn by loess.

What returns with every period is the season, what changes slowly is the trend, and the rest is left over.  Who knew the
trend could take it away, and smooth all Januaries, all Februaries, ...: a season that may itself change slowly.  Who
knew the season could take that away, and smooth what is left: the trend.  So each is found from the last guess of the
other, in turn, which settles after a few rounds.

A smoothed Januaries' row still follows the trend, if only slowly: whatever of it varies more slowly than a period is
taken out again, by moving averages over whole periods, to which a season adds up to nothing.

What is left over shows which values are outliers.  The next rounds let these count less, and so on: then one wild value
is found in the remainder, and neither in trend nor season.

Symbols
    y  (T,)          the series: y_t
    T, P             its length, and that of a period
    k                a phase, 0 ... P-1
    ρ  (T,)          how much each value counts: ρ_t
    u  (T,)          the trend
    s  (T,)          the season
    e  (T,)          the remainder: e_t
    Q, U, B          window, degree and jump of the loess of a phase, of the trend, and of what is slower than a period
    X  (T+2*P,)       the rows of all phases, smoothed, each with one value more at both ends
    L  (T,)          what of it is slower than a period
    M_m              means of m neighbours, m - 1 fewer than there are numbers
    m                the median of |e_t|

Equations
    (1)  X_k, X_{k+P}, ... = loess of (y - u)_k, (y - u)_{k+P}, ..., from one before to one after     cycle_subseries
    (2)  L = loess(M_3(M_P(M_P(X))))                                                                  low_pass
    (3)  s = X[P : P+T] - L, then u = loess(y - s)                                                    inner_loop
    (4)  ρ_t = (1 - (|e_t| / 6m)²)² for |e_t| <= 5.994 m, else 0                                      robustness_weights
    (5)  s_t ← mean of all s_{t'} of the phase of t                                                   periodic_season

Choices
    e is y - s - u to the bit.  u begins at 0, and all ρ at 1.  (4) is 1 up to 0.006 m.  L is smoothed without ρ.
    What rounding leaves over, up to 100 eps of the largest |y_t|, is 0 in (4): no value of a line is an outlier.
    Missing values, NaN, have ρ = 0, and so no influence; season and trend go on over them, the remainder is NaN.  Every
    window needs one value that is known.
    seasonal="periodic" is a season that never changes, as in R: (3) with windows and jumps as there, and (5) at the
    end.  The trend is not changed any more by (5).
    Two periods are the least of which a season can be told.

Cost
    A round takes O(T (q_Q + q_U + q_B)) time for windows of q places and jumps of 1.

>>> y = [5, 1, 3, 6, 2, 4, 7, 3, 5, 8, 4, 66]            # rises by 1 each time; 60 too much at the end
>>> fit = STL(y, period=3, seasonal="periodic", robust=True).fit()
>>> fit.seasonal[:3].round(2).tolist(), fit.trend[[0, 11]].round(2).tolist(), fit.resid[11].round(1).item()
([2.33, -2.0, -0.33], [2.67, 6.33], 60.0)

Source: R. Cleveland, W. Cleveland, J. McRae and I. Terpenning, "STL: a seasonal-trend decomposition procedure based on
loess", Journal of Official Statistics 6 (1990), sections 2 and 3.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import true_or_false, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.timeseries.loess import EVERY, Smoother, as_smoother, fit_places, in_units, smooth, smoothed
from scratchml.timeseries.time_axis import read_series

SHORT = 400_000                                          # products in the fits of a round, below which one core does
ROUNDING = 100 * float(np.finfo(np.float64).eps)         # a remainder of this size, of a largest value of 1, is none

# --- the equations -------------------------------------------------------------------------------


def cycle_subseries(x, ρ, P, Q):
    """(1)  X_k, X_{k+P}, ... = loess of (y - u)_k, (y - u)_{k+P}, ..., from one before to one after

    Here x is y - u.

    Shapes: y (T), ρ (T), P, Q -> (T+2*P)
    """
    X, smoother = np.empty(len(x) + 2 * P), Smoother(*Q)
    n = -(-len(x) // P)                                  # values of a phase
    terms = n + (n // smoother.jump + 3) * min(smoother.window, n)
    run_chunks(_phases_chunk, P, x, ρ, P, smoother, X, chunk=max(1, 100_000 // terms))
    return X


def low_pass(X, P, B):
    """(2)  L = loess(M_3(M_P(M_P(X))))

    Shapes: X (T+2*P), P, B -> (T)
    """
    for m in (P, P, 3):
        means = np.empty(len(X) - m + 1)
        _running_means(X, m, means)
        X = means
    return smoothed(X, EVERY, B)


def inner_loop(y, u, ρ, P, Q, U, B):
    """(3)  s = X[P : P+T] - L, then u = loess(y - s)

    Shapes: y (T), u (T), ρ (T), P, Q, U, B -> (T), (T)
    """
    X = cycle_subseries(y - u, ρ, P, Q)
    s = X[P:P + len(y)] - low_pass(X, P, B)
    return s, smoothed(y - s, ρ, U)


def robustness_weights(e):
    """(4)  ρ_t = (1 - (|e_t| / 6m)²)² for |e_t| <= 5.994 m, else 0

    Shapes: e (T) -> (T)
    """
    size = np.abs(e)
    h = 6 * np.median(size)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = (1 - (size / h) ** 2) ** 2
    return np.where(size <= 0.001 * h, 1.0, np.where(size <= 0.999 * h, weights, 0.0))


def periodic_season(s, P):
    """(5)  s_t ← mean of all s_{t'} of the phase of t

    Shapes: s (T), P -> (T)
    """
    phase = np.arange(len(s)) % P
    return (np.bincount(phase, s, P) / np.bincount(phase, minlength=P))[phase]


# --- the decomposition ---------------------------------------------------------------------------


class Decomposition(NamedTuple):
    """A series in parts: resid is observed - seasonal - trend."""
    observed: np.ndarray                                 # (T,)
    seasonal: np.ndarray                                 # (T,)
    trend: np.ndarray                                    # (T,)
    resid: np.ndarray                                    # (T,)
    weights: np.ndarray                                  # (T,) in the last round, 0 for what is missing


class STL:
    """A series as trend, season and remainder.

    Parameters
    ----------
    endog : array (T,) or Series
        The series, at equal steps; NaN where a value is missing.
    period : int
        P, at least 2; two periods at least must have been seen.
    seasonal : int or {"periodic"}, default=7
        How many values of a phase a fit looks at, odd and at least 3; "periodic" for a season that never changes.
    trend : int or None, default=None
        How many values a fit of the trend looks at, odd; by default the least odd number of at least
        1.5 P / (1 - 1.5 / seasonal).
    low_pass : int or None, default=None
        The same for what is slower than a period; by default the least odd number above P, with seasonal="periodic" the
        least of at least P.
    seasonal_deg : int or None, default=None
        Degree of the fits of a phase, 0 or 1; by default 1, with seasonal="periodic" 0.
    trend_deg, low_pass_deg : int, default=1
        Degree of the others.
    robust : bool, default=False
        Whether outliers come to count less.
    seasonal_jump, trend_jump, low_pass_jump : int or None, default=None
        Every which place is fitted; by default each, with seasonal="periodic" as many as a tenth of the window.
    """

    def __init__(self, endog, period, seasonal=7, trend=None, low_pass=None, seasonal_deg=None, trend_deg=1,
                 low_pass_deg=1, robust=False, seasonal_jump=None, trend_jump=None, low_pass_jump=None):
        self._y, _ = read_series(endog, "endog", allow_nan=True)
        self.period, self.robust = int(whole_number(period, "period", least=2)), true_or_false(robust, "robust")
        T, P = len(self._y), self.period
        if T < 2 * P:
            raise ValueError(f"endog: expected at least two periods, {2 * P} values with period={P}, got {T}")
        self._is_periodic = isinstance(seasonal, str)
        if self._is_periodic and seasonal != "periodic":
            raise ValueError(f"seasonal={seasonal!r}: expected an odd number of at least 3, or 'periodic'")
        q = 10 * T + 1 if self._is_periodic else seasonal
        degree = (0 if self._is_periodic else 1) if seasonal_deg is None else seasonal_deg
        self._seasonal = self._smoother("seasonal", q, degree, seasonal_jump)
        q = _odd(np.ceil(1.5 * P / (1 - 1.5 / q))) if trend is None else trend
        self._trend = self._smoother("trend", q, trend_deg, trend_jump)
        q = _odd(P if self._is_periodic else P + 1) if low_pass is None else low_pass
        self._low_pass = self._smoother("low_pass", q, low_pass_deg, low_pass_jump)
        self._check_known()

    def _smoother(self, name, window, degree, jump):
        if not isinstance(window, str) and whole_number(window, name, least=3) % 2 == 0:
            raise ValueError(f"{name}={window}: expected an odd number, so that a window has a middle")
        if jump is None:
            jump = -(-window // 10) if self._is_periodic else 1
        found = as_smoother(f"{name}_", window, degree, jump, least=3)
        return found._replace(jump=min(found.jump, len(self._y)))

    def _check_known(self):
        """Raises ValueError where a window of a fit holds no known value."""
        known = ~np.isnan(self._y)
        if known.all():
            return
        if not known.any():
            raise ValueError("endog: expected at least one known value in each phase, got none but NaN")
        for k in range(self.period):
            _check_windows(known[k::self.period], self._seasonal.window, "seasonal", f"phase {k} of the period")
        _check_windows(known, self._trend.window, "trend", "the series")

    def fit(self, inner_iter=None, outer_iter=None):
        """The `Decomposition`, after some inner rounds of (3) in each of 1 + `outer_iter` outer rounds of (4).

        Parameters
        ----------
        inner_iter : int or None, default=None
            By default 2 where robust, else 5.
        outer_iter : int or None, default=None
            By default 15 where robust, else 0.
        """
        inner = (2 if self.robust else 5) if inner_iter is None else whole_number(inner_iter, "inner_iter")
        outer = (15 if self.robust else 0) if outer_iter is None else whole_number(outer_iter, "outer_iter", least=0)
        known = ~np.isnan(self._y)
        complete = known.all()
        y, exponent = in_units(self._y if complete else _bridged(self._y, known))
        ρ = EVERY if complete else known.astype(np.float64)
        smoothers = self._seasonal, self._trend, self._low_pass
        if sum(len(y) * min(part.window, len(y)) // part.jump for part in smoothers) <= SHORT:
            s, u, ρ = _rounds(y, known, ρ, (inner, outer), self.period, smoothers)
        else:
            s, u, ρ = self._rounds(y, known, ρ, inner, outer)
        s = periodic_season(s, self.period) if self._is_periodic else s
        s, u = np.ldexp(s, exponent), np.ldexp(u, exponent)
        weights = ρ if ρ.size else np.ones_like(y)
        return Decomposition(self._y.copy(), s, u, self._y - s - u, weights)

    def _rounds(self, y, known, ρ, inner, outer):
        """The season, the trend and ρ after all rounds."""
        s, u = np.zeros_like(y), np.zeros_like(y)
        for iteration in range(outer + 1):
            if iteration > 0:
                e = (y - s - u)[known]
                ρ = np.zeros_like(y)
                ρ[known] = robustness_weights(np.where(np.abs(e) > ROUNDING, e, 0.0))
            for _ in range(inner):
                s, u = inner_loop(y, u, ρ, self.period, self._seasonal, self._trend, self._low_pass)
        return s, u, ρ


def _odd(number):
    return int(number) + (int(number) + 1) % 2


def _bridged(y, known):
    """`y` with straight lines where it is missing; these values have no weight."""
    places = np.arange(len(y))
    return np.where(known, y, np.interp(places, places[known], y[known]))


def _check_windows(known, q, name, where):
    size = min(q, len(known))
    counts = np.convolve(known, np.ones(size), "valid")
    if not counts.all():
        raise ValueError(f"endog: expected a known value in every window of {name}={q}, but {where} has {size} missing "
                         f"ones in a row; raise {name}, or fill the gap")


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _phases_chunk(c, start, stop, x, ρ, P, smoother, X):
    """(1) for the phases start ... stop-1."""
    most = (x.size + P - 1) // P
    z, counts = np.empty(most), np.empty(most if ρ.size else 0)
    places, values = np.empty(most + 2, np.int64), np.empty(most + 2)
    for k in range(start, stop):
        n = (x.size - k + P - 1) // P
        for i in range(n):
            z[i] = x[k + i * P]
        if ρ.size:
            for i in range(n):
                counts[i] = ρ[k + i * P]
                z[i] *= counts[i]
        size = 0                                         # places: -1, then 0, jump, 2 jump, ..., n - 1, then n
        for i in range(-1, n + 1):
            if i <= 0 or i >= n - 1 or i % smoother.jump == 0:
                places[size] = i
                size += 1
        tables = np.empty((3, min(smoother.window, n)))
        fit_places(places[:size], z[:n], counts[:n] if ρ.size else counts, smoother, tables, values[:size])
        for i in range(1, size - 1):
            if np.isnan(values[i]):
                values[i] = x[k + places[i] * P]
        values[0] = values[1] if np.isnan(values[0]) else values[0]
        values[size - 1] = values[size - 2] if np.isnan(values[size - 1]) else values[size - 1]
        for i in range(1, size):                         # straight lines between what was fitted
            slope = (values[i] - values[i - 1]) / (places[i] - places[i - 1])
            for j in range(places[i - 1], places[i]):
                X[k + (j + 1) * P] = values[i - 1] + slope * (j - places[i - 1])
        X[k + (n + 1) * P] = values[size - 1]


@kernel
def _running_means(x, m, out):
    total = 0.0
    for i in range(m):
        total += x[i]
    out[0] = total / m
    for i in range(m, x.size):
        total += x[i] - x[i - m]
        out[i - m + 1] = total / m


# --- compiled: all rounds of a short series ------------------------------------------------------


@kernel
def _rounds(y, known, ρ, rounds, P, smoothers):
    """Same result as (3) and (4) in turn, because these are their steps, on one core; where they are short, calls of
    them cost more than they do.

    Returns s, u and ρ.
    """
    inner, outer = rounds
    Q, U, B = smoothers
    s, u, X, L = np.zeros(y.size), np.zeros(y.size), np.empty(y.size + 2 * P), np.empty(y.size)
    for iteration in range(outer + 1):
        if iteration > 0:
            ρ = _robustness_weights(y - s - u, known)
        for _ in range(inner):
            _phases_chunk(0, 0, P, y - u, ρ, P, Q, X)
            _low_pass(X, P, B, L)
            s[:] = X[P:P + y.size] - L
            smooth(y - s, ρ, U, u)
    return s, u, ρ


@kernel
def _low_pass(X, P, B, L):
    """(2)"""
    for m in (P, P, 3):
        means = np.empty(X.size - m + 1)
        _running_means(X, m, means)
        X = means
    smooth(X, np.empty(0), B, L)


@kernel
def _robustness_weights(e, known):
    """(4) of what is known, with what rounding leaves over as 0, and 0 for all else."""
    for t in range(e.size):
        e[t] = abs(e[t]) if abs(e[t]) > ROUNDING else 0.0
    h = 6 * np.median(e[known])
    for t in range(e.size):
        if not known[t] or e[t] > 0.999 * h:
            e[t] = 0.0
        elif e[t] <= 0.001 * h:
            e[t] = 1.0
        else:
            e[t] = (1.0 - (e[t] / h) ** 2) ** 2
    return e
