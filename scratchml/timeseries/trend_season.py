"""Trend and season: a line that bends, waves of known length, and days that stand out (the model of Prophet).

Forecast by drawing the curve that the past would have wanted.  It has a trend, a line whose slope may change at many
places and changes at few; seasons, sums of waves whose lengths are known, a week or a year; holidays, each with a
height of its own; columns that are known in advance.  What is left over is noise.  No value depends on those before it:
so times may be missing or irregular, and all that is told of the future is what is drawn further.

Too many places to bend and too many waves would follow the noise.  What holds them back is a prior: each change of
slope is likely to be 0, each weight to be small.  Laplace's density has a kink at 0, and so the most probable changes
are 0 but for a few.

A logistic trend cannot exceed C, nor fall below 0.  Its offset is usually said to move at every change of slope, so
that the curve has no jump.  There is nothing to move: log(g / (C - g)) is then a line that bends, (3) with -k m for m.

Symbols
    d  (T,)       when: days since 1970, ascending
    y  (T,)       what was measured, in a unit that makes it about 1
    t  (T,)       when: 0 at the first, 1 at the last that was learned from
    q, n          which share of the rows the trend may bend in, and at how many places
    s  (S,)       these places, ascending: changepoints
    k, m          slope and offset of the trend before the first of them
    δ  (S,)       by how much the slope changes at each: δ_j
    C  (T,)       what a logistic trend cannot exceed
    g  (T,)       trend
    P, N          length of a season in days, and how many waves it is made of
    h  (H,)       the days of one holiday, since 1970
    o  (W,)       a window about it: 0 for the day itself, -1 for the day before
    X  (T, R)     columns of seasons, holidays and regressors: X_c
    u  (R,)       1 for a column that multiplies the trend, 0 for one that is added
    β  (R,)       their weights
    e  (T,)       expected values
    σ             standard deviation of the noise
    τ             scale of the prior of each δ_j
    b  (R,)       standard deviations of the priors of β

Equations
    (1)  t_i = (d_i - d_1) / (d_T - d_1)                                           unit_time
    (2)  s_j = t in row j (⌊q T⌋ - 1) / n, rounded, j = 1 ... n                    changepoints
    (3)  g = m + k t + Σ_j δ_j max(t - s_j, 0)                                     linear_trend
    (4)  g = C / (1 + exp(-z)), z = k (t - m) + Σ_j δ_j max(t - s_j, 0)            logistic_trend
    (5)  sin(2π n d / P), cos(2π n d / P), n = 1 ... N                             fourier
    (6)  1 where ⌊d⌋ = x + o_j for one of the days x in h, else 0                  holiday_columns
    (7)  e = g (1 + Σ_c u_c β_c X_c) + Σ_c (1 - u_c) β_c X_c                       mean
    (8)  F = T ln σ + Σ (y - e)² / 2σ² + (k² + m²) / 50 + Σ |δ_j| / τ + Σ (β_c / b_c)² / 2 + 2σ²  negative_log_posterior

Choices
    The priors are k, m ~ N(0, 5²), δ ~ Laplace(0, τ), β ~ N(0, b²), y ~ N(e, σ²), σ ~ |N(0, ½²)|; (8) leaves constants
    out.  These are Prophet's, so F compares with what its optimiser reaches.
    Rows are counted from 0 in (2), and a half is rounded to the even row, up to the rounding of (⌊q T⌋ - 1) / n.
    The phase of a season is counted from 1970, so it is the same whatever the data begin with.

Cost
    O(T) for a trend, O(T N) for a season: one sine and one cosine a row, the other waves by turning these on.

>>> t = np.array([0, 0.25, 0.5, 0.75, 1])
>>> linear_trend(t, np.array([0.5]), 2.0, 1.0, np.array([-4.0])).tolist()
[1.0, 1.5, 2.0, 1.5, 1.0]
>>> fourier(np.array([3.0, 4.0]), 8.0, 2).round(4).tolist()
[[0.7071, -0.7071, -1.0, -0.0], [0.0, -1.0, -0.0, 1.0]]

Source: S. Taylor and B. Letham, "Forecasting at scale", The American Statistician 72 (2018), section 3.
"""
import math

import numpy as np

from scratchml.core.jit import kernel

OFFSET_DEVIATION = 5.0                                   # of the priors of k and m
NOISE_DEVIATION = 0.5                                    # of the prior of σ

# --- when ----------------------------------------------------------------------------------------


def unit_time(d):
    """(1)  t_i = (d_i - d_1) / (d_T - d_1)

    Shapes: d (T) -> (T)
    """
    return (d - d[0]) / (d[-1] - d[0])


def changepoints(t, q, n):
    """(2)  s_j = t in row j (⌊q T⌋ - 1) / n, rounded, j = 1 ... n

    Shapes: t (T), q, n -> (n)
    """
    return t[changepoint_rows(len(t), q, n)]


def changepoint_rows(T, q, n):
    """The rows of (2), (n,)."""
    return np.rint(np.linspace(0, int(q * T) - 1, n + 1)).astype(np.int64)[1:]


# --- trend ---------------------------------------------------------------------------------------


def linear_trend(t, s, k, m, δ):
    """(3)  g = m + k t + Σ_j δ_j max(t - s_j, 0)

    Shapes: t (T), s (S), k, m, δ (S) -> (T)
    """
    g = m + k * t
    for s_j, δ_j in zip(s, δ):
        g += δ_j * np.maximum(t - s_j, 0)
    return g


def logistic_trend(t, s, k, m, δ, C):
    """(4)  g = C / (1 + exp(-z)), z = k (t - m) + Σ_j δ_j max(t - s_j, 0)

    Shapes: t (T), s (S), k, m, δ (S), C (T) -> (T)
    """
    return C * sigmoid(linear_trend(t, s, k, -k * m, δ))


def sigmoid(z):
    """1 / (1 + exp(-z)), where neither a large nor a small z overflows."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1 + small)


# --- columns -------------------------------------------------------------------------------------


def fourier(d, P, N):
    """(5)  sin(2π n d / P), cos(2π n d / P), n = 1 ... N

    Shapes: d (T), P, N -> (T, 2*N)
    """
    angle = 2 * math.pi * (np.fmod(d, P) / P)            # exact in fmod, so a long past costs no digits
    waves = np.empty((len(d), 2 * N))
    _turn_on(np.sin(angle), np.cos(angle), waves)
    return waves


def holiday_columns(d, h, o):
    """(6)  1 where ⌊d⌋ = x + o_j for one of the days x in h, else 0

    Shapes: d (T), h (H), o (W) -> (T, W)
    """
    day = np.floor(d)
    return np.column_stack([np.isin(day, h + offset) for offset in o]).astype(np.float64)


# --- all together --------------------------------------------------------------------------------


def mean(g, X, u, β):
    """(7)  e = g (1 + Σ_c u_c β_c X_c) + Σ_c (1 - u_c) β_c X_c

    Shapes: g (T), X (T, R), u (R), β (R) -> (T)
    """
    return g * (1 + X @ (u * β)) + X @ ((1 - u) * β)


def negative_log_posterior(y, e, k, m, δ, β, σ, τ, b):
    """(8)  F = T ln σ + Σ (y - e)² / 2σ² + (k² + m²) / 50 + Σ |δ_j| / τ + Σ (β_c / b_c)² / 2 + 2σ²

    Shapes: y (T), e (T), k, m, δ (S), β (R), σ, τ, b (R) -> ()
    """
    r = (y - e) / σ
    likelihood = len(y) * math.log(σ) + r @ r / 2
    priors = (k**2 + m**2) / (2 * OFFSET_DEVIATION**2) + np.abs(δ).sum() / τ + ((β / b)**2).sum() / 2
    return float(likelihood + priors + σ**2 / (2 * NOISE_DEVIATION**2))


# --- compiled ------------------------------------------------------------------------------------


@kernel(contract=True)
def bent_line(t, starts, s, slopes, level, g):
    """(3) for ascending `t`, into g (T,): from each bend on a line with a slope of its own.

    Same result as (3), because max(t - s_j, 0) adds δ_j to the slope from s_j on.  `s` and `slopes` (S+1,) begin with
    the place where g is `level`, and the slope there; the rows `starts[j]` ... `starts[j+1]` - 1 come after bend j.
    """
    for j in range(s.size):
        for i in range(starts[j], starts[j + 1]):
            g[i] = level + slopes[j] * (t[i] - s[j])
        if j + 1 < s.size:
            level += slopes[j] * (s[j + 1] - s[j])


@kernel
def _turn_on(sine, cosine, waves):
    """(5) from n = 1 (T,): each n turns the last one on by the same angle.

    Same result as sines and cosines of each angle, because sin(a + b) = sin a cos b + cos a sin b, and cos(a + b)
    alike; rounding grows with n alone.
    """
    for i in range(sine.size):
        p, q = 0.0, 1.0
        for n in range(waves.shape[1] // 2):
            p, q = p * cosine[i] + q * sine[i], q * cosine[i] - p * sine[i]
            waves[i, 2 * n], waves[i, 2 * n + 1] = p, q
