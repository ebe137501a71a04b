"""k-means on sparse points: the same labels as for the points written out, by the entries that are there.

A document has a hundred words out of ten thousand.  With x·c over the entries of x, and ‖c‖² known,

    ½‖x - c‖² - ½‖x‖² = ½‖c‖² - x·c =: s(c)

puts the centres in order at one multiplication and addition an entry.  The chapter on assignment bounds what rounding
does to it: the order of a and b is certain if s(b) - e ‖b‖² - (s(a) - e ‖a‖²) > 2 e (‖x‖² + ‖a‖²), e = 2 (D + 3) eps.
Where it is not, the point is written out and measured by (2) of the chapter on k-means.

The distance to one centre is Σ_d (x_d - c_d)² over the entries of x, and Σ_d c_d² over the rest.  The latter is what
the entries leave of ‖c‖²: right to (D + nnz) eps / LEFT of itself while they leave more than LEFT of it, else it is
summed.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.distances import squared_distance
from scratchml.core.jit import kernel, run_chunks

LEFT = 1e-2


class Centres(NamedTuple):
    """What the kernels know of the centres."""
    C: np.ndarray                                        # (K, D)
    squares: np.ndarray                                  # (K,) ‖c‖²
    e: float


def known(C):
    exact = C.astype(np.float64, copy=False)
    return Centres(C, np.einsum("kd,kd->k", exact, exact), 2 * (C.shape[1] + 3) * float(np.finfo(np.float64).eps))


def nearest_of_rows(X, C):
    """The labels (N,) of a SparseTable: same result as `nearest_of_all` of the array, because of the bound above."""
    y, CT = np.empty(len(X), np.int32), np.ascontiguousarray(C.T, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):   # what is beyond float64 is measured
        run_chunks(_label, len(X), X.rows, CT, known(C), y, chunk=1024)
    return y


# --- compiled ------------------------------------------------------------------------------------


@kernel
def write_out(R, i, x):
    """Row i of R into x (D,), which is 0."""
    for e in range(R.indptr[i], R.indptr[i + 1]):
        x[R.indices[e]] = R.data[e]


@kernel
def clear(R, i, x):
    """What `write_out` has written becomes 0."""
    for e in range(R.indptr[i], R.indptr[i + 1]):
        x[R.indices[e]] = 0


@kernel
def square_to(R, i, c, square, x):
    """‖x_i - c‖² for a centre c (D,) with ‖c‖² = square; x (D,) is 0, and is again."""
    apart, left = 0.0, square
    for e in range(R.indptr[i], R.indptr[i + 1]):
        there = np.float64(c[R.indices[e]])
        difference = R.data[e] - there
        apart += difference * difference
        left -= there * there
    if left > LEFT * square:
        return apart + left
    write_out(R, i, x)
    exact = squared_distance(x, c)
    clear(R, i, x)
    return exact


@kernel
def _label(chunk, start, stop, R, CT, centres, y):
    """The nearest centre, the lowest such, of the rows start ... stop-1, into y."""
    K, D, e, squares = centres.C.shape[0], centres.C.shape[1], centres.e, centres.squares
    s, x = np.empty(K), np.zeros(D, R.data.dtype)
    for i in range(start, stop):
        norm = 0.0
        for k in range(K):
            s[k] = (0.5 - e) * squares[k]
        for entry in range(R.indptr[i], R.indptr[i + 1]):
            value, row = np.float64(R.data[entry]), CT[R.indices[entry]]
            norm += value * value
            for k in range(K):
                s[k] -= value * row[k]
        best, second, label = np.inf, np.inf, 0
        for k in range(K):
            second = min(second, max(best, s[k]))
            if s[k] < best:
                best, label = s[k], k
        if not second - best > 2 * e * (norm + squares[label]):
            write_out(R, i, x)
            label, least = 0, np.inf
            for k in range(K):
                square = squared_distance(x, centres.C[k])
                if square < least:
                    label, least = k, square
            clear(R, i, x)
        y[i] = label


@kernel
def add_sparse_rows(chunk, start, stop, R, w, centres, y, partial):
    """Per cluster Σ w x, Σ w and Σ w ‖x - c‖² over the rows start ... stop-1, added to partial[chunk] (K, D+2)."""
    D = centres.C.shape[1]
    x = np.zeros(D, R.data.dtype)
    for i in range(start, stop):
        k, weight = y[i], np.float64(w[i])
        sums = partial[chunk, k]
        for e in range(R.indptr[i], R.indptr[i + 1]):
            sums[R.indices[e]] += weight * R.data[e]
        sums[D] += weight
        sums[D + 1] += weight * square_to(R, i, centres.C[k], centres.squares[k], x)


@kernel
def own_sparse_distances(chunk, start, stop, R, centres, y, distance):
    """‖x_i - c_{y_i}‖² for the rows start ... stop-1."""
    x = np.zeros(centres.C.shape[1], R.data.dtype)
    for i in range(start, stop):
        distance[i] = square_to(R, i, centres.C[y[i]], centres.squares[y[i]], x)


@kernel
def keep_nearer_sparse(chunk, start, stop, R, centres, d):
    """d_i = min(d_i, ‖x_i - c‖²) for the rows start ... stop-1 and the only centre c."""
    x = np.zeros(centres.C.shape[1], R.data.dtype)
    for i in range(start, stop):
        d[i] = min(d[i], square_to(R, i, centres.C[0], centres.squares[0], x))


@kernel
def sparse_potentials(chunk, start, stop, R, w, d, centres, partial):
    """(6) of the chapter on k-means over the rows start ... stop-1, added to partial[chunk]."""
    x = np.zeros(centres.C.shape[1], R.data.dtype)
    for i in range(start, stop):
        for candidate in range(centres.C.shape[0]):
            square = square_to(R, i, centres.C[candidate], centres.squares[candidate], x)
            partial[chunk, candidate] += w[i] * min(d[i], square)
