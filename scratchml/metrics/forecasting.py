"""How good is a forecast?  Errors in the unit of the series, in percent, or in units of a naive forecast's.

An error of 300 cars an hour says nothing to who does not know the road.  Divide by the values (4) to (6), and it is a
share, which has no meaning where the values pass through 0.  Divide by the mean error of "as a season ago" on the
series that was learned from, (7) and (8), and below 1 is better than that, whatever the unit.  A quantile is judged by
(9), which the true quantile makes smallest; an interval by how often it holds the value, (10).  And who only wants to
know whether it goes up or down counts how often that was right, (11).

Symbols
    y   (N,)  what came: y_i
    f   (N,)  what was forecast: f_i
    x   (L,)  the series that was learned from: x_t, t = 0 ... L-1
    l   (N,)  lower ends of intervals: l_i
    u   (N,)  upper ends: u_i
    o   (N,)  the values from which the series went up or down: o_i
    m         the season, 1 for the last value
    α         which quantile f is: a share α of all values should lie below it
    n         how many i have y_i ≠ o_i and f_i ≠ o_i: the sum in (11) is over these
    a, se     the share of right directions, and its standard error
    [ ]       1 where the statement holds, else 0

Equations
    (1)  MAE = (1/N) Σ_i |y_i - f_i|                                             mean_absolute_error
    (2)  MSE = (1/N) Σ_i (y_i - f_i)²                                            mean_squared_error
    (3)  RMSE = √((1/N) Σ_i (y_i - f_i)²)                                        root_mean_squared_error
    (4)  MAPE = (1/N) Σ_i |y_i - f_i| / |y_i|                                    mean_absolute_percentage_error
    (5)  MdAPE = median_i |y_i - f_i| / |y_i|                                    median_absolute_percentage_error
    (6)  sMAPE = (2/N) Σ_i |y_i - f_i| / (|y_i| + |f_i|)                        symmetric_mean_absolute_percentage_error
    (7)  MASE = MAE / ((1/(L-m)) Σ_{t≥m} |x_t - x_{t-m}|)                        mean_absolute_scaled_error
    (8)  RMSSE = RMSE / √((1/(L-m)) Σ_{t≥m} (x_t - x_{t-m})²)                    root_mean_squared_scaled_error
    (9)  pinball = (1/N) Σ_i max(α (y_i - f_i), (α - 1) (y_i - f_i))             mean_pinball_loss
    (10)  coverage = (1/N) Σ_i [l_i ≤ y_i ≤ u_i]                                 calculate_coverage
    (11)  a = (1/n) Σ_i [sign(f_i - o_i) = sign(y_i - o_i)], se = √(a (1 - a) / n)    direction_accuracy

Choices
    Arrays of any one shape, origins by horizons for example: every element counts once.
    (4) to (6) are shares, not percent.  (4) and (5) have no meaning where y_i = 0, and say so; in (6), 0 / 0 is 0.
    (11) leaves out ties: who forecasts no change has named no direction, and no change cannot be named right.  They are
    counted apart.  se takes the n for independent; overlapping forecasts are not, and then it is too small.
    Means are taken in units of the largest error, so no sum overflows; a result that cannot be held is an error.

Cost
    O(N) time and memory for each.

>>> y, f = [3.0, 5.0, 8.0], [2.0, 5.0, 12.0]
>>> round(mean_absolute_error(y, f), 6), round(mean_absolute_scaled_error(y, f, [1.0, 3.0, 2.0]), 6)
(1.666667, 1.111111)
>>> found = direction_accuracy(y, f, [4.0, 4.0, 9.0])   # down and down, up and up, but down and up
>>> round(found.accuracy, 6), round(found.standard_error, 6), found.n, found.ties
(0.666667, 0.272166, 3, 0)

Sources: R. Hyndman and A. Koehler, "Another look at measures of forecast accuracy", International Journal of
Forecasting 22 (2006), for (4) to (7); R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46 (1978), for
(9).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_floats, as_vector, finite, real_number, whole_number

# --- in the unit of the series -------------------------------------------------------------------


def mean_absolute_error(y_true, y_pred):
    """(1)  MAE = (1/N) Σ_i |y_i - f_i|

    Raises ValueError for arrays of different shapes, without elements, or with NaN or inf; so do all below.

    Shapes: y (N), f (N) -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    y_pred : array of the same shape
        What was forecast.
    """
    return _mean(np.abs(_errors(y_true, y_pred)))


def mean_squared_error(y_true, y_pred):
    """(2)  MSE = (1/N) Σ_i (y_i - f_i)²

    Errors are those of `mean_absolute_error`, and a result beyond float64.

    Shapes: y (N), f (N) -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    y_pred : array of the same shape
        What was forecast.
    """
    root = root_mean_squared_error(y_true, y_pred)
    square = root * root if root < 1e154 else np.inf
    if np.isinf(square) or square < np.finfo(float).tiny < root:
        raise ValueError(f"y_pred: the root of the mean squared error is {root:.3g}, whose square cannot be held in "
                         "float64; use root_mean_squared_error")
    return square


def root_mean_squared_error(y_true, y_pred):
    """(3)  RMSE = √((1/N) Σ_i (y_i - f_i)²)

    Errors are those of `mean_absolute_error`.

    Shapes: y (N), f (N) -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    y_pred : array of the same shape
        What was forecast.
    """
    return _root_mean_square(_errors(y_true, y_pred))


# --- shares of the values ------------------------------------------------------------------------


def mean_absolute_percentage_error(y_true, y_pred):
    """(4)  MAPE = (1/N) Σ_i |y_i - f_i| / |y_i|

    Errors are those of `mean_absolute_error`, and a value that is 0.

    Shapes: y (N), f (N) -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came, nowhere 0.
    y_pred : array of the same shape
        What was forecast.
    """
    return _mean(_shares(y_true, y_pred))


def median_absolute_percentage_error(y_true, y_pred):
    """(5)  MdAPE = median_i |y_i - f_i| / |y_i|

    Errors are those of `mean_absolute_percentage_error`.

    Shapes: y (N), f (N) -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came, nowhere 0.
    y_pred : array of the same shape
        What was forecast.
    """
    return float(np.median(_shares(y_true, y_pred)))


def symmetric_mean_absolute_percentage_error(y_true, y_pred):
    """(6)  sMAPE = (2/N) Σ_i |y_i - f_i| / (|y_i| + |f_i|)

    Between 0 and 2.  Errors are those of `mean_absolute_error`.

    Shapes: y (N), f (N) -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    y_pred : array of the same shape
        What was forecast.
    """
    y, f = _pair(y_true, y_pred)
    larger = np.maximum(np.abs(y), np.abs(f))
    larger[larger == 0] = 1.0
    y, f = y / larger, f / larger                        # so that neither sum nor difference overflows
    total = np.abs(y) + np.abs(f)
    return 2.0 * _mean(np.abs(y - f) / np.where(total > 0, total, 1.0))


# --- in units of a naive forecast's error --------------------------------------------------------


def mean_absolute_scaled_error(y_true, y_pred, y_train, seasonality=1):
    """(7)  MASE = MAE / ((1/(L-m)) Σ_{t≥m} |x_t - x_{t-m}|)

    Errors are those of `mean_absolute_error`, and a series that is not longer than a season, or repeats itself exactly.

    Shapes: y (N), f (N), x (L), m -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    y_pred : array of the same shape
        What was forecast.
    y_train : array (L,)
        The series that was learned from.
    seasonality : int, default=1
        m, how far back the naive forecast looks.
    """
    naive = _mean(np.abs(_naive_errors(y_train, seasonality)))
    return mean_absolute_error(y_true, y_pred) / naive


def root_mean_squared_scaled_error(y_true, y_pred, y_train, seasonality=1):
    """(8)  RMSSE = RMSE / √((1/(L-m)) Σ_{t≥m} (x_t - x_{t-m})²)

    Errors are those of `mean_absolute_scaled_error`.

    Shapes: y (N), f (N), x (L), m -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    y_pred : array of the same shape
        What was forecast.
    y_train : array (L,)
        The series that was learned from.
    seasonality : int, default=1
        m, how far back the naive forecast looks.
    """
    naive = _root_mean_square(_naive_errors(y_train, seasonality))
    return root_mean_squared_error(y_true, y_pred) / naive


def _naive_errors(y_train, seasonality):
    """x_t - x_{t-m} (L-m,), not all 0."""
    x, m = as_vector(y_train, name="y_train").astype(np.float64), whole_number(seasonality, "seasonality")
    if len(x) <= m:
        raise ValueError(f"y_train: expected more than seasonality={m} values, got {len(x)}")
    errors = _difference(x[m:], x[:-m], "y_train")
    if not errors.any():
        raise ValueError(f"y_train: repeats itself exactly every seasonality={m}, so that the naive forecast has no "
                         "error to measure by; use mean_absolute_error")
    return errors


# --- quantiles, intervals, directions ------------------------------------------------------------


def mean_pinball_loss(y_true, y_pred, alpha=0.5):
    """(9)  pinball = (1/N) Σ_i max(α (y_i - f_i), (α - 1) (y_i - f_i))

    Errors are those of `mean_absolute_error`, and α that is not from 0 to 1.

    Shapes: y (N), f (N), α -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    y_pred : array of the same shape
        The quantiles that were forecast.
    alpha : float, default=0.5
        Which quantile: the share of values that should lie below it.
    """
    α = real_number(alpha, "alpha")
    if α > 1:
        raise ValueError(f"alpha={alpha!r}: expected a share, from 0 to 1")
    errors = _errors(y_true, y_pred)
    return _mean(np.maximum(α * errors, (α - 1) * errors))


def calculate_coverage(y_true, lower_bound, upper_bound):
    """(10)  coverage = (1/N) Σ_i [l_i ≤ y_i ≤ u_i]

    Errors are those of `mean_absolute_error`, and an interval whose lower end is above its upper one; an end may be
    infinite.

    Shapes: y (N), l (N), u (N) -> ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    lower_bound, upper_bound : array of the same shape
        The ends of the intervals, which belong to them.
    """
    y, lower = _pair(y_true, lower_bound, "lower_bound", infinite=True)
    _, upper = _pair(y_true, upper_bound, "upper_bound", infinite=True)
    if (lower > upper).any():
        where = np.unravel_index((lower > upper).argmax(), lower.shape)
        raise ValueError(f"lower_bound: {lower[where]} at {list(map(int, where))} is above upper_bound {upper[where]}")
    return float(np.mean((lower <= y) & (y <= upper)))


class DirectionAccuracy(NamedTuple):
    """How often the direction was right, and how far chance may have moved that."""
    accuracy: float
    standard_error: float
    n: int                                               # how many directions were named and could be right
    ties: int                                            # how many were not


def direction_accuracy(y_true, y_pred, y_last):
    """(11)  a = (1/n) Σ_i [sign(f_i - o_i) = sign(y_i - o_i)], se = √(a (1 - a) / n)

    Returns a `DirectionAccuracy`.  Errors are those of `mean_absolute_error`, and nothing but ties.

    Shapes: y (N), f (N), o (N) -> (), (), (), ()

    Parameters
    ----------
    y_true : array (N,) or of any shape
        What came.
    y_pred : array of the same shape
        What was forecast.
    y_last : array of the same shape, or one that broadcasts to it
        The last value before the forecast.
    """
    y, f = _pair(y_true, y_pred)
    o = finite(as_floats(y_last, "y_last"), "y_last").astype(np.float64)
    try:
        o = np.broadcast_to(o, y.shape)
    except ValueError as error:
        raise ValueError(f"y_last: expected the shape {y.shape} of y_true, or (N, 1) beside (N, H), got "
                         f"{o.shape}") from error
    came, named = (y > o) * 1 - (y < o), (f > o) * 1 - (f < o)
    counts = (came != 0) & (named != 0)
    n = int(counts.sum())
    if n == 0:
        raise ValueError(f"y_pred: all {y.size} directions are ties: nothing moved, or no forecast differs from y_last")
    a = float((came == named)[counts].mean())
    return DirectionAccuracy(a, float(np.sqrt(a * (1 - a) / n)), n, y.size - n)


# --- what all begin with -------------------------------------------------------------------------


def _pair(y_true, other, name="y_pred", infinite=False):
    y, f = (as_floats(values, of) for values, of in ((y_true, "y_true"), (other, name)))
    if y.shape != f.shape:
        raise ValueError(f"{name}: expected the shape of y_true, {y.shape}, got {f.shape}")
    if not y.size:
        raise ValueError(f"y_true: expected at least one value, got shape {y.shape}")
    finite(y, "y_true")
    if not infinite:
        finite(f, name)
    elif np.isnan(f).any():
        raise ValueError(f"{name}: contains NaN, first at {np.argwhere(np.isnan(f))[0].tolist()}")
    return y.astype(np.float64), f.astype(np.float64)


def _errors(y_true, y_pred):
    return _difference(*_pair(y_true, y_pred), "y_pred")


def _difference(a, b, name):
    with np.errstate(over="ignore"):
        d = a - b
    if not np.isfinite(d).all():
        raise ValueError(f"{name}: differences of values up to {max(np.abs(a).max(), np.abs(b).max()):.3g} cannot be "
                         "held in float64; divide all by 1e10")
    return d


def _shares(y_true, y_pred):
    y, f = _pair(y_true, y_pred)
    if not y.all():
        raise ValueError(f"y_true: is 0 at {np.argwhere(y == 0)[0].tolist()}, and no error is a share of 0; use "
                         "mean_absolute_scaled_error or symmetric_mean_absolute_percentage_error")
    with np.errstate(over="ignore"):
        shares = np.abs(_difference(y, f, "y_pred")) / np.abs(y)
    if np.isinf(shares).any():
        where = tuple(np.argwhere(np.isinf(shares))[0])
        raise ValueError(f"y_true: {y[where]:.3g} is so near 0 that the share {f[where]:.3g} is of it cannot be held "
                         "in float64")
    return shares


def _unit(e):
    """A power of two near the largest of `e`, by which dividing loses nothing; 1 where all are 0."""
    largest = float(np.abs(e).max())
    return float(np.ldexp(1.0, int(np.frexp(largest)[1]) - 1)) if largest > 0 else 1.0


def _mean(e):
    unit = _unit(e)
    return float((e / unit).mean()) * unit


def _root_mean_square(e):
    unit = _unit(e)
    return float(np.sqrt(np.square(e / unit).mean())) * unit
