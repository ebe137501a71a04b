"""Loess: a curve through points, drawn place by place from a straight line through the nearest of them.

At each place a line is fitted to the q values around it, near ones counting more than far ones, and its value there is
the curve.  A small q follows every turn, a large one only the slow ones; no formula for the whole is needed.  A second
weight for each value lets some count less, as outliers do in the chapter stl, or not at all, as what is missing.

Symbols
    y  (n,)   values at the places 0 ... n-1: y_j
    n         their number
    ρ  (n,)   how much each of them counts, at least 0: ρ_j
    q         how many values a fit looks at, the window
    x         a place, also one before the first and one after the last
    a, b      the first and the last place of the window of x: the q nearest to x, all if there are no more
    d  (m,)   distances, m many
    h         the distance at which weights have fallen to 0, the reach
    c_j       weights together, w(|j - x|, h) ρ_j for a <= j <= b, divided by their sum
    g         degree: 1 for lines, 0 for constants
    r         jump: every r-th place is fitted

Equations
    (1)  w(d, h) = (1 - (d/h)³)³ for d <= 0.999 h, else 0                                             tricube
    (2)  h = max(x - a, b - x) + max(0, ⌊(q - n)/2⌋)                                                  reach
    (3)  f(x) = Σ_j c_j y_j + (x - t) Σ_j c_j (j - t) y_j / Σ_j c_j (j - t)², t = Σ_j c_j j           local_fit
    (4)  f(0), f(r), f(2r), ..., f(n-1), and straight lines between them                              loess

Choices
    (1) is 1 up to 0.001 h.  (3) has no slope for g = 0, and where √(Σ_j c_j (j - t)²) <= 0.001 (n - 1).  Where all
    weights are 0, the value itself is kept.  All three are so in the authors' program, and in R and statsmodels.
    The farthest place of a window has the weight 0, so inside an even q looks no further than q - 1.

Cost
    O(n q / r) time, on every core.  Without ρ all inner places share their weights, and the sums over these.

>>> loess([0, 1, 2, 3, 14, 5, 6], 5).round(2).tolist()
[0.0, 1.0, 2.0, 5.86, 8.27, 7.34, 5.64]
>>> loess([0, 1, 2, 3, 14, 5, 6], 5, weights=[1, 1, 1, 1, 0, 1, 1]).round(2).tolist()
[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]

Sources: W. Cleveland, "Robust locally weighted regression and smoothing scatterplots", JASA 74 (1979), section 2;
R. Cleveland, W. Cleveland, J. McRae and I. Terpenning, "STL: a seasonal-trend decomposition procedure based on loess",
Journal of Official Statistics 6 (1990), section 2.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_vector, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.timeseries.time_axis import read_series

EVERY = np.empty(0)                                      # in place of ρ: all count alike

# --- the equations -------------------------------------------------------------------------------


def tricube(d, h):
    """(1)  w(d, h) = (1 - (d/h)³)³ for d <= 0.999 h, else 0

    Shapes: d (m), h -> (m)
    """
    weights = (1 - (np.minimum(d, h) / max(h, 1e-300)) ** 3) ** 3
    return np.where(d <= 0.001 * h, 1.0, np.where(d <= 0.999 * h, weights, 0.0))


def window_of(x, n, q):
    """a and b."""
    size = min(q, n)
    a = min(max(x - (q - 1) // 2, 0), n - size)
    return a, a + size - 1


def reach(x, n, q):
    """(2)  h = max(x - a, b - x) + max(0, ⌊(q - n)/2⌋)

    Shapes: x, n, q -> ()
    """
    a, b = window_of(x, n, q)
    return max(x - a, b - x) + max(0, (q - n) // 2)


def local_fit(y, ρ, x, q, g):
    """(3)  f(x) = Σ_j c_j y_j + (x - t) Σ_j c_j (j - t) y_j / Σ_j c_j (j - t)², t = Σ_j c_j j

    NaN where all weights are 0.

    Shapes: y (n), ρ (n), x, q, g -> ()
    """
    a, b = window_of(x, len(y), q)
    j, y = np.arange(a, b + 1), y[a:b + 1]
    weights = tricube(np.abs(j - x), reach(x, len(ρ), q)) * ρ[a:b + 1]
    if weights.sum() <= 0:
        return np.nan
    c = weights / weights.sum()
    t = c @ j
    spread = c @ (j - t) ** 2
    if g == 0 or np.sqrt(spread) <= 0.001 * (len(ρ) - 1):
        return c @ y
    return c @ y + (x - t) * (c @ ((j - t) * y)) / spread


def loess(y, window, degree=1, jump=1, weights=None):
    """(4)  f(0), f(r), f(2r), ..., f(n-1), and straight lines between them

    Raises ValueError for NaN and inf, weights below 0, another degree than 0 and 1, and an index with gaps.

    Shapes: y (n), q, g, r, ρ (n) -> (n)

    Parameters
    ----------
    y : array (n,) or Series
        Values at equal steps.
    window : int
        q.
    degree : {0, 1}, default=1
        Whether constants or lines are fitted.
    jump : int, default=1
        Every which place is fitted.
    weights : array (n,) or None, default=None
        How much each value counts; all alike by default.
    """
    y, _ = read_series(y)
    if not y.size:
        raise ValueError("y: expected at least one value, got none")
    smoother = as_smoother("", window, degree, jump, least=1)
    ρ = EVERY if weights is None else as_vector(weights, name="weights", size=len(y)).astype(np.float64)
    if ρ.size and ρ.min() < 0:
        raise ValueError(f"weights: expected numbers of at least 0, got {ρ.min()} at [{ρ.argmin()}]")
    y, exponent = in_units(y)
    return np.ldexp(smoothed(y, ρ, smoother), exponent)


# --- settings and units --------------------------------------------------------------------------


class Smoother(NamedTuple):
    """What one pass of (4) looks at: q, g and r."""
    window: int
    degree: int
    jump: int


def as_smoother(name, window, degree, jump, least):
    """The three as a `Smoother`.  Raises ValueError, with `name` in front of each of their names."""
    q = whole_number(window, f"{name}window", least=least)
    g = whole_number(degree, f"{name}degree", least=0)
    if g > 1:
        raise ValueError(f"{name}degree={degree!r}: expected 0 for constants or 1 for lines")
    return Smoother(int(q), int(g), int(whole_number(jump, f"{name}jump")))


def in_units(y):
    """`y` in a power of two as unit, so that its largest value is about 1, and the exponent: no digit is lost."""
    exponent = int(np.frexp(np.abs(y).max())[1]) 
    return np.ldexp(y, -exponent), exponent


def smoothed(y, ρ, smoother):
    """(4) of finite `y` (n,) of about 1, with ρ (n,) or EVERY."""
    n, places = len(y), fitted_places(len(y), smoother.jump)
    values, out = np.empty(len(places)), np.empty(n)
    chunk = max(1, 100_000 // min(smoother.window, n))
    run_chunks(_fit_chunk, len(places), places, y * ρ if ρ.size else y, ρ, smoother, values, chunk=chunk)
    draw(y, places, values, out)
    return out


# --- compiled ------------------------------------------------------------------------------------


@kernel
def fitted_places(n, jump):
    """0, r, 2r, ..., n-1."""
    places = np.arange(0, n - 1 + jump, jump)
    places[-1] = n - 1
    return places


@kernel
def smooth(y, ρ, smoother, out):
    """Same result as (4), because one core fits all places in turn."""
    places = fitted_places(y.size, smoother.jump)
    values, tables = np.empty(places.size), np.empty((3, min(smoother.window, y.size)))
    fit_places(places, y * ρ if ρ.size else y, ρ, smoother, tables, values)
    draw(y, places, values, out)


@kernel
def draw(y, places, values, out):
    """Straight lines between the values at the places; where nothing counts, from y itself."""
    for i in range(places.size):
        if np.isnan(values[i]):
            values[i] = y[places[i]]
    for i in range(1, places.size):
        slope = (values[i] - values[i - 1]) / (places[i] - places[i - 1])
        for j in range(places[i - 1], places[i]):
            out[j] = values[i - 1] + slope * (j - places[i - 1])
    out[places[-1]] = values[-1]


@kernel
def _fit_chunk(c, start, stop, places, z, ρ, smoother, out):
    tables = np.empty((3, min(smoother.window, z.size)))
    fit_places(places[start:stop], z, ρ, smoother, tables, out[start:stop])


@kernel
def fit_places(places, z, ρ, smoother, tables, out):
    """Same result as (3), because it depends on no more than five sums over distances from x, and sums of c_j come out
    of them by dividing: Σ w, Σ w (j-x), Σ w (j-x)² with w = w(|j-x|, h) ρ_j, and Σ w y, Σ w (j-x) y.

    `z` is ρ y; `tables` has room for w, w (j-x) and w (j-x)² of a window without ρ, which inner places share.
    """
    n, q = z.size, smoother.window
    size, before = min(q, n), -2
    total = first = second = 0.0
    for i in range(places.size):
        x = places[i]
        a = min(max(x - (q - 1) // 2, 0), n - size)
        if x - a != before:
            before = x - a
            _fill(tables, before, max(before, size - 1 - before) + max(0, (q - n) // 2))
            total, first, second = _sums(tables[0]), _sums(tables[1]), _sums(tables[2])
        if ρ.size:
            total, first, second, level, tilt = _five_products(tables, ρ[a:a + size], z[a:a + size])
        else:
            level, tilt = _two_products(tables, z[a:a + size])
        if total <= 0.0:
            out[i] = np.nan
            continue
        mean, t = level / total, first / total           # t is t - x
        spread, tilt = second / total - t * t, tilt / total - t * mean
        if ρ.size and spread < 0.01 * t * t:                        # all that counts is far from x: digits were lost
            spread, tilt = _about(before + t, tables[0], ρ[a:a + size], z[a:a + size])
            spread, tilt = spread / total, tilt / total
        if smoother.degree == 0 or spread <= (0.001 * (n - 1)) ** 2:
            out[i] = mean
        else:
            out[i] = mean - t * tilt / spread


@kernel
def _fill(tables, left, h):
    """(1) of a window whose first place is `left` before x, times 1, j - x and (j - x)²."""
    scale = 1.0 / h if h > 0 else 0.0
    for k in range(tables.shape[1]):
        d = float(k - left)
        u = abs(d) * scale
        cube = 1.0 - u * u * u
        w = cube * cube * cube
        w = 1.0 if abs(d) <= 0.001 * h else w
        w = w if abs(d) <= 0.999 * h else 0.0
        tables[0, k] = w
        tables[1, k] = w * d
        tables[2, k] = w * d * d


@kernel(reassociate=True)
def _sums(w):
    total = 0.0
    for k in range(w.size):
        total += w[k]
    return total


@kernel(reassociate=True)
def _two_products(tables, z):
    w, wd = tables[0], tables[1]
    level = tilt = 0.0
    for k in range(z.size):
        level += w[k] * z[k]
        tilt += wd[k] * z[k]
    return level, tilt


@kernel(reassociate=True)
def _five_products(tables, ρ, z):
    w, wd, wdd = tables[0], tables[1], tables[2]
    total = first = second = level = tilt = 0.0
    for k in range(z.size):
        total += w[k] * ρ[k]
        first += wd[k] * ρ[k]
        second += wdd[k] * ρ[k]
        level += w[k] * z[k]
        tilt += wd[k] * z[k]
    return total, first, second, level, tilt


@kernel(reassociate=True)
def _about(middle, w, ρ, z):
    """Σ w (k - middle)² ρ and Σ w (k - middle) z."""
    second = tilt = 0.0
    for k in range(ρ.size):
        d = k - middle
        second += w[k] * d * d * ρ[k]
        tilt += w[k] * d * z[k]
    return second, tilt
