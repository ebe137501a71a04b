"""How far apart are two points?  The measures of similarity on which clustering stands.

Everything that groups points starts from a number for each pair of them.  The straight line between two points, the
way along the streets of a grid, the angle between two directions: each calls other pairs close.

Symbols
    X  (N, D)  points, one a row: x is a row of it, x_d a coordinate
    Y  (M, D)  further points, y a row

Equations
    (1)  δ²(x, y) = Σ_d (x_d - y_d)²                                       squared_euclidean
    (2)  δ(x, y) = √ Σ_d (x_d - y_d)²                                      euclidean
    (3)  δ₁(x, y) = Σ_d |x_d - y_d|                                        manhattan
    (4)  cos(x, y) = Σ_d x_d y_d / (‖x‖ ‖y‖)                               cosine_similarity
    (5)  1 - cos(x, y)                                                     cosine_distances

Choices
    (1) adds up squares of differences.  The expansion ‖x‖² - 2 x·y + ‖y‖², a matrix product, is faster and wrong where
    points are far from the origin: at an offset of 1e8 no digit of a distance of 1 is left.  Differences lose
    nothing, whatever the offset: the relative error stays below (D + 2) eps.
    (4) is 0 where x or y is the zero vector, which has no direction.  Each vector is first divided by its largest
    magnitude, so no square over- or underflows; rounding is kept from leading beyond ±1.
    (2) is right wherever the distance itself can be held, whatever the others are: where the square of one is beyond
    the range of its type, or so small that terms of it are lost, the differences of that pair are scaled by a power of
    two before they are squared.  (1) is +inf or 0 there.
    float32 gives float32 and is computed in it, everything else float64.
    (1) and (3) take sparse tables too, and give float64.  For two rows they add up the terms of the columns that either
    has, none of which is missed and none made up: equal rows are at distance 0.

Cost
    O(N M D) time, O(N M) memory for the result.  Between sparse rows a distance takes as many steps as the two have
    entries.

>>> X, Y = np.array([[0., 0], [3, 4]]), np.array([[3., 0]])
>>> squared_euclidean(X, Y).tolist(), manhattan(X, Y).tolist(), cosine_similarity(X, Y).tolist()
([[9.0], [16.0]], [[3.0], [4.0]], [[0.0], [0.6]])

Source: N. Higham, "Accuracy and Stability of Numerical Algorithms" (2002), sections 1.7 and 3.1, for the errors.
"""
import math

import numpy as np

from scratchml.core.checks import as_matrix
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import SparseTable

# --- between two points --------------------------------------------------------------------------


@kernel(contract=True)
def squared_distance(x, y):
    """(1) of two points x, y (D,), for use in other kernels: in float64, the terms added in order of d."""
    total = 0.0
    for d in range(x.size):
        difference = np.float64(x[d]) - y[d]
        total += difference * difference
    return total


# --- between all pairs ---------------------------------------------------------------------------


def squared_euclidean(X, Y, *, out=None):
    """(1)  δ²(x, y) = Σ_d (x_d - y_d)²

    Written to `out`, if that is given: a C-contiguous array (N, M) of the result's type, whatever it holds.
    Raises ValueError if X or Y is not a matrix of finite numbers, or if they differ in D; so do all below.

    Shapes: X (N, D), Y (M, D) -> (N, M)
    """
    if isinstance(X, SparseTable):
        return _between_rows(X, Y, True, out)
    X, Y = _pair(X, Y)
    if out is not None and (out.shape != (len(X), len(Y)) or out.dtype != X.dtype or not out.flags.c_contiguous):
        raise ValueError(f"out: expected a C-contiguous array of shape {(len(X), len(Y))} and {X.dtype}, got "
                         f"{out.shape} and {out.dtype}")
    return _all_pairs(_squares, X, Y, out=out)


def euclidean(X, Y):
    """(2)  δ(x, y) = √ Σ_d (x_d - y_d)²

    Shapes: X (N, D), Y (M, D) -> (N, M)
    """
    X, Y = _pair(X, Y)
    limits, D = np.finfo(X.dtype), X.shape[1]
    least = math.sqrt(D * float(limits.tiny)) / float(limits.eps)  # D squares lost below tiny are less than eps of it
    with np.errstate(over="ignore"):                     # a square, which is not the result
        return _all_pairs(_lengths, X, Y, np.array([least, limits.max, 2.0 ** (limits.maxexp - 20)], X.dtype))


def manhattan(X, Y):
    """(3)  δ₁(x, y) = Σ_d |x_d - y_d|

    Shapes: X (N, D), Y (M, D) -> (N, M)
    """
    return _between_rows(X, Y, False) if isinstance(X, SparseTable) else _all_pairs(_magnitudes, *_pair(X, Y))


def cosine_similarity(X, Y):
    """(4)  cos(x, y) = Σ_d x_d y_d / (‖x‖ ‖y‖)

    Shapes: X (N, D), Y (M, D) -> (N, M)
    """
    X, Y = _pair(X, Y)
    return np.clip(directions(X) @ directions(Y).T, -1, 1)


def cosine_distances(X, Y):
    """(5)  1 - cos(x, y)

    Shapes: X (N, D), Y (M, D) -> (N, M)
    """
    return 1 - cosine_similarity(X, Y)


def directions(X):
    """The rows of `X` (N, D), also of a sparse table, each divided by its length; a zero row stays zero."""
    if isinstance(X, SparseTable):
        return X.holding(_unit_entries(X))
    largest = np.abs(X).max(axis=1, keepdims=True)       # (N, 1)
    X = X / np.where(largest > 0, largest, 1)
    lengths = np.sqrt((X * X).sum(axis=1, keepdims=True))
    return X / np.where(lengths > 0, lengths, 1)


def _unit_entries(X):
    """The entries of the `directions` of a sparse table."""
    row = np.repeat(np.arange(len(X)), np.diff(X.rows.indptr))
    largest = np.zeros(len(X))
    np.maximum.at(largest, row, np.abs(X.data))
    data = X.data / np.where(largest > 0, largest, 1)[row]
    lengths = np.sqrt(np.bincount(row, data * data, minlength=len(X)))
    return data / np.where(lengths > 0, lengths, 1)[row]


def _between_rows(X, Y, squares, out=None):
    """(1), or if not `squares` (3), of sparse tables."""
    if not isinstance(Y, SparseTable) or X.shape[1] != Y.shape[1]:
        raise ValueError(f"X and Y: expected sparse tables with the same number of features, got {type(X).__name__} "
                         f"and {type(Y).__name__} of shapes {X.shape} and {Y.shape}")
    result = np.empty((len(X), len(Y))) if out is None else out
    run_chunks(_sparse_rows, len(X), X.rows, Y.rows, squares, result, chunk=8)
    return result


def _pair(X, Y):
    X, Y = as_matrix(X, name="X"), as_matrix(Y, name="Y")
    if X.shape[1] != Y.shape[1]:
        raise ValueError(f"X and Y: expected the same number of features, got shapes {X.shape} and {Y.shape}")
    dtype = np.result_type(X, Y)
    return X.astype(dtype, copy=False), Y.astype(dtype, copy=False)


def _all_pairs(rows, X, Y, *more, out=None):
    result = np.empty((len(X), len(Y)), X.dtype) if out is None else out
    run_chunks(rows, len(X), X, np.ascontiguousarray(Y.T), *more, result, chunk=max(1, 100_000 // Y.size))
    return result


# --- compiled: the long axis, M, innermost --------------------------------------------------------


@kernel(contract=True)
def _squares(c, start, stop, X, YT, result):
    """(1) for the rows start ... stop-1 of X and all columns of YT (D, M), into `result` (N, M).

    Four terms at a time, in order, so that a sum is fetched and stored a quarter as often.
    """
    D = X.shape[1]
    for i in range(start, stop):
        row = result[i]
        row[:] = 0
        for d in range(0, D - 3, 4):
            x0, x1, x2, x3 = X[i, d], X[i, d + 1], X[i, d + 2], X[i, d + 3]
            y0, y1, y2, y3 = YT[d], YT[d + 1], YT[d + 2], YT[d + 3]
            for j in range(row.size):
                total = row[j] + (x0 - y0[j]) * (x0 - y0[j])
                total += (x1 - y1[j]) * (x1 - y1[j])
                total += (x2 - y2[j]) * (x2 - y2[j])
                row[j] = total + (x3 - y3[j]) * (x3 - y3[j])
        for d in range(D - D % 4, D):
            x, y = X[i, d], YT[d]
            for j in range(row.size):
                row[j] += (x - y[j]) * (x - y[j])


@kernel(contract=True)
def _lengths(c, start, stop, X, YT, limits, result):
    """(2), likewise; but what is below `limits[0]` or above `limits[1]` once more, by `_length` with limits[2]."""
    _squares(c, start, stop, X, YT, result)
    least, most = limits[0], limits[1]
    for i in range(start, stop):
        row, outside = result[i], 0
        for j in range(row.size):
            row[j] = np.sqrt(row[j])
            outside += not least <= row[j] <= most
        if outside > 0:
            for j in range(row.size):
                if not least <= row[j] <= most:
                    row[j] = _length(X[i], YT, j, limits[2])


@kernel(contract=True)
def _length(x, YT, j, widest):
    """(2) of x (D,) and column j of YT (D, M), the differences scaled by a power of two, 1 / `widest` to `widest`."""
    total = largest = x[0] - x[0]                        # 0 of the type of x
    for d in range(x.size):
        largest = max(largest, abs(x[d] - YT[d, j]))
    if largest == 0 or largest == np.inf:
        return largest
    scale = np.empty_like(x[:1])
    scale[0] = min(max(2.0 ** min(-math.frexp(largest)[1], 1000), 1 / widest), widest)
    for d in range(x.size):
        difference = (x[d] - YT[d, j]) * scale[0]
        total += difference * difference
    return np.sqrt(total) / scale[0]


@kernel
def _magnitudes(c, start, stop, X, YT, result):
    """(3), likewise."""
    for i in range(start, stop):
        row = result[i]
        row[:] = 0
        for d in range(X.shape[1]):
            x, y = X[i, d], YT[d]
            for j in range(row.size):
                row[j] += abs(x - y[j])


@kernel
def _sparse_rows(c, start, stop, X, Y, squares, result):
    """(1), or if not `squares` (3), for the rows start ... stop-1 of X and all rows of Y, in float64.

    x_i is written out, so that row j of Y finds its columns there; `last` says which columns it has.  What x_i has in
    other columns is added: all of it where no column is shared, as between most rows.
    """
    x, last = np.zeros(X.shape[1]), np.full(X.shape[1], -1, np.int32)
    for i in range(start, stop):
        own, alone = X.indices[X.indptr[i]:X.indptr[i + 1]], 0.0
        for e in range(own.size):
            value = np.float64(X.data[X.indptr[i] + e])
            x[own[e]] = value
            alone += value * value if squares else abs(value)
        last[:] = -1
        for j in range(result.shape[1]):
            total, shared = 0.0, 0
            for e in range(Y.indptr[j], Y.indptr[j + 1]):
                d = Y.indices[e]
                difference = x[d] - Y.data[e]
                total += difference * difference if squares else abs(difference)
                shared += x[d] != 0
                last[d] = j
            if shared == 0:
                total += alone
            elif shared < own.size:
                for d in own:
                    if last[d] != j:
                        total += x[d] * x[d] if squares else abs(x[d])
            result[i, j] = total
        for d in own:
            x[d] = 0
