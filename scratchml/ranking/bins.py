"""Bins: 255 places for each feature, so that a tree need not sort.

A tree asks of a row whether a feature is at most some value.  To find the best value it would have to see all rows in
the order of the feature, at every node and for every feature.  But the best cut among a few hundred is almost as good
as the best among all, and those few hundred can be chosen once, before the first tree: so that the rows are shared
out evenly among the bins between them.  From then on a value is a number of one byte, its bin, and sums over the bins
of a node tell all of its cuts.

An edge is a value that some row has, the greatest of its bin, and the test is `x <= edge`.  So a feature that is drawn
by another monotone scale has the same bins, and no rounding lies between a value and its side.

Symbols
    X  (N, D)   rows and their features, NaN where a value is missing
    x  (N,)     one of the features: x_n
    B           the most bins of a feature
    c  (V,)     how many rows have at most the 1st, 2nd, ... distinct value: counts, rising
    j  (E+1,)   which of them ends bin 0, 1, ..., E: j_b
    e  (E,)     edges, rising: the greatest values of all bins but the last

Equations
    (1)  j_b = the j > j_{b-1} whose c_j is nearest to c_{j_{b-1}} + (N - c_{j_{b-1}}) / (B - b)   shares
    (2)  bin of x_n = #{b: e_b < x_n}, 255 if x_n is NaN                                            bins_of

(1) asks of each bin an equal share of the rows that are left; of two counts as near the lower one is taken, and rows
whose value is missing are not counted in N.

Choices
    With at most B distinct values each has a bin for itself.
    ±inf are values like others: they end up in the first bin and the last.  -0.0 is 0.0.
    All rows are looked at, not a sample of them.

Cost
    O(N log N) for each feature to sort, then N times 8 comparisons; 2 N D bytes.

>>> x = np.array([[1.], [1], [1], [1], [2], [3], [4], [np.nan]])
>>> edges = bin_edges(x, max_bin=3)
>>> edges[0].tolist(), binned(x, edges).by_feature.tolist()
([1.0, 2.0], [[0, 0, 0, 0, 1, 2, 2, 255]])

Source: G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017, section 2.1.
LightGBM itself chooses other edges for features of many values, also by equal shares.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_matrix, whole_number
from scratchml.core.jit import kernel, run_chunks

MISSING = 255                                            # the bin of NaN
PLACES = 256                                             # bins that one byte tells apart
BLOCK = 512                                              # rows that are put into bins at a time


class Binned(NamedTuple):
    """The bins of a table: once by row, for sums over many features, and once by feature, to part rows by one."""
    by_row: np.ndarray                                   # (N, D) of uint8
    by_feature: np.ndarray                               # (D, N) of uint8
    edges: tuple                                         # D arrays


# --- the equations -------------------------------------------------------------------------------


@kernel
def shares(c, B):
    """(1)  j_b = the j > j_{b-1} whose c_j is nearest to c_{j_{b-1}} + (N - c_{j_{b-1}}) / (B - b)

    N is the last of c.

    Shapes: c (V), B -> (b)
    """
    ends, n_ends, j, before, N = np.empty(B, np.int64), 0, 0, 0, c[-1]
    for b in range(B):
        if j == len(c):
            break
        left = B - b
        share = before * left + N - before               # times `left`, to stay with whole numbers
        while j + 1 < len(c) and abs(c[j + 1] * left - share) < abs(c[j] * left - share):
            j += 1
        ends[b], n_ends, before = j, b + 1, c[j]
        j += 1
    return ends[:n_ends].copy()


def bins_of(x, e):
    """(2)  bin of x_n = #{b: e_b < x_n}, 255 if x_n is NaN

    Shapes: x (N), e (E) -> (N)
    """
    return np.where(np.isnan(x), MISSING, np.searchsorted(e, x)).astype(np.uint8)


# --- of a table ----------------------------------------------------------------------------------


def bin_edges(X, max_bin=255):
    """The edges (E,) of each feature of X, in a tuple; a bin holds what is above the edge before and at most its own.

    X (N, D) may hold NaN, which has no part in it, and ±inf.  `max_bin` is from 2 to 255.  Raises ValueError for what
    is no such table or number.
    """
    X = as_matrix(X, check_finite=False)
    B = whole_number(max_bin, "max_bin", least=2)
    if B > MISSING:
        raise ValueError(f"max_bin={max_bin!r}: expected at most {MISSING}, as a bin is kept in one byte and one "
                         "stands for missing values")
    edges = [None] * X.shape[1]

    def find(_, start, stop):
        for f in range(start, stop):
            edges[f] = _edges(X[:, f], B)
    run_chunks(find, X.shape[1], chunk=1)
    return tuple(edges)


def _edges(x, B):
    """The edges of one feature, float64."""
    x = np.sort(x)                                       # NaN last
    x = x[:np.searchsorted(x, np.nan)]
    c = np.append(np.flatnonzero(x[1:] != x[:-1]) + 1, len(x))         # each the end of a run of equal values
    if len(c) > B:
        c = c[shares(c, B)]
    return x[c[:-1] - 1].astype(np.float64) + 0.0        # -0.0 + 0.0 is 0.0


def binned(X, edges):
    """The `Binned` of X (N, D) by the edges that `bin_edges` found, of these rows or others.

    Raises ValueError if X is no table, or has another number of features, and for edges that do not rise.
    """
    X = as_matrix(X, check_finite=False)
    N, D = X.shape
    edges = tuple(np.asarray(e, np.float64) for e in edges)
    if len(edges) != D:
        raise ValueError(f"X: expected {len(edges)} features, as many as there are arrays of edges, got {D}")
    padded = np.full((D, PLACES), np.inf)
    for f, e in enumerate(edges):
        if e.ndim != 1 or len(e) >= MISSING or not (e[1:] > e[:-1]).all():
            raise ValueError(f"edges: expected at most {MISSING - 1} numbers for each feature, rising, as bin_edges "
                             f"finds them, got {e!r} for feature {f}")
        padded[f, :len(e)] = e
    table = Binned(np.empty((N, D), np.uint8), np.empty((D, N), np.uint8), edges)
    run_chunks(_bins_chunk, N, X, padded, table.by_row, table.by_feature, chunk=BLOCK * 8)
    return table


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _bins_chunk(c, start, stop, X, padded, by_row, by_feature):
    """Same result as (2), because no padding is below anything: 8 halvings of 256 places count the edges below x.

    No branch depends on the data.  A block of rows stays in the cache while feature after feature reads its column.
    """
    for low in range(start, stop, BLOCK):
        high = min(stop, low + BLOCK)
        for f in range(X.shape[1]):
            e, places = padded[f], by_feature[f]
            for n in range(low, high):
                x, b, step = X[n, f], np.uint64(0), np.uint64(128)
                for _ in range(8):
                    b += step * np.uint64(e[b + step - np.uint64(1)] < x)
                    step >>= np.uint64(1)
                b = np.uint64(MISSING) if x != x else b
                places[n] = b
                by_row[n, f] = b
