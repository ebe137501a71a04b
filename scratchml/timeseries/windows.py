"""Windows on a series: from one long row of numbers to a table that any regression can learn from.

Lay a frame of a few values on a series, note them and the values that follow, move the frame by one, and so on: each
position is a row, the frame its inputs, what follows its targets.  Whoever predicts targets from inputs can predict the
next value of the series.

Neighbouring rows are almost the same numbers, and so are neighbouring columns: column j + 1 is column j without its
first value and with one more at its end.  All that least squares asks of the table are sums over its columns, and
products of two columns summed; (2) and (3) get each from its neighbour by taking a term away and adding one.  The table
itself, whose size is that of the series times that of the frame, need not be made at all.

Time has an order.  What is tested must lie after what was learned from: (5).

Symbols
    y  (T,)      the series: y_t, t = 0 ... T-1
    T            its length
    l  (p,)      lags, how far back each input lies, the farthest first and the newest last: l_j
    p            their number; p alone for l means p, p-1, ..., 1
    H            how many of the next values are targets, the horizon
    n            rows: T - l_0 - H + 1
    X  (n, p)    inputs: X_ij
    Y  (n, H)    targets: Y_ih, h = 1 ... H
    m            how many columns the frame has with its targets, p + H
    s  (m,)      sums of the columns of a frame of m: s_j
    G  (m, m)    their products, X ᵀ X for a frame of m
    S  (m, m)    the same of columns less their means
    o            where a fold ends what is learned from: its origin
    r            the stride from one origin to the next
    g            how many values after the origin are left out

Equations
    (1)  X_ij = y_{i+l_0-l_j}, Y_ih = y_{i+l_0-1+h}                                       lag_windows
    (2)  s_{j+1} = s_j - y_j + y_{j+n}, s_0 = Σ_{i<n} y_i, n = T-m+1                      hankel_sums
    (3)  G_{i+1,j+1} = G_ij - y_i y_j + y_{i+n} y_{j+n}, G_0j = Σ_{k<n} y_k y_{k+j}       hankel_gram
    (4)  S = G - s sᵀ / n                                                                 hankel_scatter
    (5)  o, o + r, o + 2r, ... < T - g; learned from y[..o), tested on y[o+g .. o+g+H)    folds

Choices
    All targets of a row exist: the rows are those common to all horizons.  A table for each h alone would have up to
    H - 1 rows more, and other sums.
    (3) takes away what it added, and loses digits where a term is much larger than what stays.  The compiled twin never
    subtracts.  (4) subtracts, so the series is taken less its mean before.
    The last folds of (5) may be tested on fewer than H values, where the series ends.
    Times with a zone become UTC.  Months, quarters and years are steps like others.

Cost
    (1) takes O(T (p + H)) time and memory.  (2) to (4) take O(T m + m²) time and O(T + m²) memory, a matrix product
    O(T m²).

>>> X, Y = lag_windows([0, 1, 2, 3, 4, 5], 3, horizon=2)
>>> X.tolist(), Y.tolist()
([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]], [[3.0, 4.0], [4.0, 5.0]])
>>> lag_windows([0, 1, 2, 3, 4, 5], [1, 4])[0].tolist()
[[0.0, 3.0], [1.0, 4.0]]

Source: G. Bontempi, S. Ben Taieb and Y.-A. Le Borgne, "Machine learning strategies for time series forecasting",
Business Intelligence (2013), section 3, for (1); L. Tashman, "Out-of-sample tests of forecasting accuracy",
International Journal of Forecasting 16 (2000), for (5).
"""
import numbers
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import NO_NUMBERS, as_floats, as_vector, in_order, real_number, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.timeseries.time_axis import as_axis, items, places, read_series, step_in_words, times_at, usual_step

# --- windows -------------------------------------------------------------------------------------


def lag_windows(y, lags, horizon=1):
    """(1)  X_ij = y_{i+l_0-l_j}, Y_ih = y_{i+l_0-1+h}

    Returns X (n, p) and Y (n, H).  Raises ValueError for NaN and inf, an index with gaps, lags that are not whole,
    below 1 or twice the same, and a series shorter than l_0 + H.

    Shapes: y (T), l (p), H -> (n, p), (n, H)

    Parameters
    ----------
    y : array (T,) or Series
        The series, equally spaced.
    lags : int or list of int
        How far back the inputs lie; a number for 1 to that number.  Whatever their order, the newest comes last.
    horizon : int, default=1
        How many of the next values are targets.
    """
    l, H = as_lags(lags), whole_number(horizon, "horizon")
    y, _ = read_series(y)
    number_of_windows(len(y), l, H)                      # at least one
    frames = np.lib.stride_tricks.sliding_window_view(y, l[0] + H)
    return frames[:, l[0] - l], frames[:, l[0]:].copy()


def as_lags(lags):
    """Lags (p,) as int64, the farthest first.  Raises ValueError."""
    if isinstance(lags, numbers.Integral) and not isinstance(lags, NO_NUMBERS):
        return np.arange(whole_number(lags, "lags"), 0, -1)
    if not in_order(lags):
        raise ValueError(f"lags={lags!r}: expected a whole number of at least 1, or a list of them")
    l = np.array([whole_number(lag, f"lags[{k}]") for k, lag in enumerate(lags)], np.int64)
    if not l.size:
        raise ValueError("lags: expected at least one, got none")
    l = np.sort(l)[::-1]
    if (l[1:] == l[:-1]).any():
        raise ValueError(f"lags: {l[:-1][l[1:] == l[:-1]][0]} comes twice; name each lag once")
    return l


def number_of_windows(T, l, H, name="y"):
    """n of (1).  Raises ValueError where it is below 1."""
    if T < l[0] + H:
        raise ValueError(f"{name}: expected at least {l[0] + H} values, the farthest lag {l[0]} and {H} to forecast; "
                         f"got {T}")
    return int(T - (l[0] + H)) + 1


# --- sums of all windows, each from its neighbour ------------------------------------------------


def hankel_sums(y, m):
    """(2)  s_{j+1} = s_j - y_j + y_{j+n}, s_0 = Σ_{i<n} y_i, n = T-m+1

    Shapes: y (T), m -> (m)
    """
    n = len(y) - m + 1
    return np.cumsum(np.concatenate([[y[:n].sum()], y[n:] - y[:m - 1]]))


def hankel_gram(y, m):
    """(3)  G_{i+1,j+1} = G_ij - y_i y_j + y_{i+n} y_{j+n}, G_0j = Σ_{k<n} y_k y_{k+j}

    Shapes: y (T), m -> (m, m)
    """
    n = len(y) - m + 1
    G = np.empty((m, m))
    G[0] = G[:, 0] = np.correlate(y, y[:n], "valid")
    for i in range(m - 1):
        G[i + 1, 1:] = G[i, :-1] - y[i] * y[:m - 1] + y[i + n] * y[n:]
    return G


def hankel_scatter(G, s, n):
    """(4)  S = G - s sᵀ / n

    Shapes: G (m, m), s (m), n -> (m, m)
    """
    return G - np.outer(s, s / n)


class Moments(NamedTuple):
    """What least squares asks of a frame of m: S, and the means of its columns."""
    scatter: np.ndarray                                  # (m, m), about the means, or about 0 if these are not taken
    means: np.ndarray                                    # (m,)


def window_moments(y, m, centred=True):
    """`Moments` of a frame of m on the finite series `y` (T,), or None where a column loses more than half its digits.

    A column does so if it is nearly constant beside its distance from the mean of the series.
    """
    n = len(y) - m + 1
    middle = y.mean() if centred else 0.0
    y = y - middle
    if m > n:                                            # the ends overlap, and the table is small
        X = np.lib.stride_tricks.sliding_window_view(y, m)
        G, s = X.T @ X, X.sum(axis=0)
    else:
        G, s = np.empty((m, m)), np.empty(m)
        run_chunks(_hankel_diagonals, m, y, n, G, chunk=max(1, 4_000_000 // n))
        _hankel_column_sums(y, n, s)
    if not centred:
        return Moments(G, np.zeros(m))
    S = hankel_scatter(G, s, n)
    lost = S.diagonal() < 1e-7 * G.diagonal()
    return None if lost.any() else Moments(S, s / n + middle)


# --- folds ---------------------------------------------------------------------------------------


def folds(size, origin, stride, horizon, gap=0):
    """(5)  o, o + r, o + 2r, ... < T - g; learned from y[..o), tested on y[o+g .. o+g+H)

    A row for each fold: the origin, and the first and one past the last index of what is tested.
    Raises ValueError for numbers that are not whole, and a series that is over before the first test; shapes (K, 3).

    Shapes: T, o, r, H, g -> (K, 3)

    Parameters
    ----------
    size : int
        T, the length of the series.
    origin : int
        o, how many values the first fold learns from.
    stride : int
        How far the next origin lies; where it is a multiple of a season, all origins stand at one time of it.
    horizon : int
        How many values are tested.
    gap : int, default=0
        How many values after the origin are left out.
    """
    T, o, r, H = (whole_number(value, name) for value, name in (
        (size, "size"), (origin, "origin"), (stride, "stride"), (horizon, "horizon")))
    g = whole_number(gap, "gap", least=0)
    if o + g >= T:
        raise ValueError(f"origin={o}: with a gap of {g}, expected more than {o + g} values, got {T}: nothing to test "
                         "on")
    origins = np.arange(o, T - g, r)
    return np.stack([origins, origins + g, np.minimum(origins + g + H, T)], axis=1)


# --- a regular grid ------------------------------------------------------------------------------


class RegularGrid(NamedTuple):
    """Times at equal steps and their values; where nothing was filled, both are those that came."""
    times: np.ndarray
    values: np.ndarray
    step: object                                         # as the times count it: a timedelta64, or a number
    missing: int                                         # times of the grid without a value


def regular_grid(times, values, step=None, fill=None):
    """Is a series equally spaced, and what is missing?  Fill it only if asked.

    The grid goes from the first time to the last.  A value that is NaN is missing, as a time that is not there.
    Returns a `RegularGrid`.  Raises ValueError for times that do not increase, naming the first pair, times between two
    steps, another number of values (T,) or (T, D), and a first or last value that is missing where gaps are
    interpolated.

    >>> times = np.array(["2024-01-31", "2024-02-29", "2024-04-30"], "M8[D]")
    >>> regular_grid(times, [1.0, 2, 4], fill="interpolate").values
    array([1., 2., 3., 4.])

    Parameters
    ----------
    times : array (T,) of datetime64 or numbers
        When each value was measured; zones become UTC.
    values : array (T,) or (T, D)
        What was measured.
    step : timedelta64, int, float or None, default=None
        The step of the grid, in months for firsts or last days of months; None for the median of the differences.
    fill : {"interpolate", "nan"}, float or None, default=None
        What stands where nothing was measured: on the straight line between the neighbours, NaN, or this number.
    """
    axis = as_axis(times)
    values = as_floats(items(values, "values"), "values").astype(np.float64, copy=False)
    if values.ndim not in (1, 2) or len(values) != len(axis.ticks):
        raise ValueError(f"values: expected {len(axis.ticks)} rows, one for each time, got shape {values.shape}")
    if np.isinf(values).any():
        raise ValueError(f"values: contains infinity, first at {np.argwhere(np.isinf(values))[0].tolist()}")
    step = _as_step(step, axis)
    at = places(axis, step)
    size = int(at[-1]) + 1
    if size > 1000 * len(at) + 10**6:
        raise ValueError(f"step: {step_in_words(axis, step)} would make a grid of {size} times out of {len(at)}; pass "
                         "a larger step")
    grid = np.full((size, *values.shape[1:]), np.nan)
    grid[at] = values
    missing = np.isnan(grid).reshape(size, -1).any(axis=1)
    if fill is None:
        return RegularGrid(times_at(axis, axis.ticks), values, _shown_step(axis, step), int(missing.sum()))
    _fill(grid, fill)
    ticks = axis.ticks[0] + step * np.arange(size)
    return RegularGrid(times_at(axis, ticks), grid, _shown_step(axis, step), int(missing.sum()))


def _as_step(step, axis):
    """The step in ticks."""
    if step is None:
        if len(axis.ticks) < 2:
            raise ValueError(f"times: expected at least 2, whose difference is the step, got {len(axis.ticks)}")
        return usual_step(axis)
    unit = "M" if axis.kind.startswith("month") else np.datetime_data(axis.unit)[0] if axis.kind == "date" else None
    if isinstance(step, np.timedelta64) and unit:
        try:
            exact = step.astype(f"m8[{unit}]", casting="same_kind")
        except TypeError:
            exact = None
        if exact is None or exact != step or exact.astype(np.int64) < 1:
            raise ValueError(f"step={step!r}: expected a whole number, at least 1, of the unit {unit} of the times")
        return exact.astype(np.int64)
    if axis.ticks.dtype.kind == "i":
        return np.int64(whole_number(step, "step"))
    return real_number(step, "step", above=0)


def _shown_step(axis, step):
    """The step in the unit of the times."""
    if axis.kind == "number":
        return step
    return np.timedelta64(int(step), "M" if axis.kind.startswith("month") else np.datetime_data(axis.unit)[0])


def _fill(grid, fill):
    """Fill the NaN of `grid`, in place."""
    if isinstance(fill, str) and fill == "nan":
        return
    gaps = np.isnan(grid)
    if not isinstance(fill, str):
        grid[gaps] = real_number(fill, "fill", least=-np.inf)
        return
    if fill != "interpolate":
        raise ValueError(f"fill={fill!r}: expected 'interpolate', 'nan', a number or None")
    for column, gap in zip(grid.reshape(len(grid), -1).T, gaps.reshape(len(grid), -1).T):
        if gap[0] or gap[-1]:
            raise ValueError(f"values: the {'first' if gap[0] else 'last'} is missing, with no neighbour on one side "
                             "to interpolate from; leave it out")
        column[gap] = np.interp(gap.nonzero()[0], (~gap).nonzero()[0], column[~gap])


# --- compiled ------------------------------------------------------------------------------------


@kernel(reassociate=True)
def _hankel_diagonals(c, start, stop, y, n, G):
    """Same result as (3), because along the diagonal j - i = d each entry is a sum over n neighbouring products.

    What all of them share is summed once, what comes before it from behind, what comes after it from the front: only
    additions, where (3) takes away.  Needs n of at least m.
    """
    m = G.shape[0]
    for d in range(start, stop):
        last = m - 1 - d
        left, right = y[last:n], y[last + d:n + d]       # counted from 0, the loop is compiled to vectors
        shared = 0.0
        for t in range(left.size):
            shared += left[t] * right[t]
        G[last, m - 1] = shared
        before = 0.0
        for i in range(last - 1, -1, -1):
            before += y[i] * y[i + d]
            G[i, i + d] = shared + before
        after = 0.0
        for i in range(1, last + 1):
            after += y[i + n - 1] * y[i + n - 1 + d]
            G[i, i + d] += after
        for i in range(last + 1):
            G[i + d, i] = G[i, i + d]


@kernel(reassociate=True)
def _hankel_column_sums(y, n, s):
    """Same result as (2), because each sum is what all columns share, and what lies before and after that."""
    m = s.size
    shared = 0.0
    for t in range(m - 1, n):
        shared += y[t]
    s[m - 1] = shared
    before = 0.0
    for j in range(m - 2, -1, -1):
        before += y[j]
        s[j] = shared + before
    after = 0.0
    for j in range(1, m):
        after += y[j + n - 1]
        s[j] += after
