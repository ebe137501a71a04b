"""Embedding quality: are the neighbours on the map neighbours in the data?

A map in two dimensions cannot keep all distances, and one that is made for neighbours does not try.  So it is not its
distances that are asked, but its neighbourhoods.  A point that the map shows close by and that is far away in the data
is a lie, the worse the farther down the data's own list of neighbours it stands.  Trustworthiness is one less all such
lies, in proportion to the worst that there could be.

Symbols
    X  (N, D)  the data
    Y  (N, F)  the map, one point for each of X
    n          how many neighbours on the map are looked at
    r  (N, N)  ranks: r(i, j) = 1 if x_j is the nearest of the others to x_i, 2 if it is the second, ...; r(i, i) = 0

Equations
    (1)  r(i, j) = place of x_j among all but x_i, in order of distance from x_i                        neighbour_ranks
    (2)  T = 1 - 2 / (N n (2N - 3n - 1)) Σ_i Σ_j [y_j is of the n nearest to y_i] max(0, r(i, j) - n)   trustworthiness

Choices
    Of points that are equally far, on the map or in the data, the one with the lower number comes first.  So T of a
    data set against itself is 1, duplicates or not.
    Distances in the data may be other ones, as those that a map by t-SNE was made for; on the map they are Euclidean.
    n must be below N / 2: then T lies between 0 and 1, and 0 is what the worst map has.

Cost
    O(N² (D + F + n)) time, on every core, and O(N) memory, with another metric and for sparse rows O(N²):
    ranks are counted for the n neighbours alone, not sorted.

>>> X = np.array([[0.], [1], [2], [4], [8], [16]])
>>> swapped = X[[0, 1, 3, 2, 4, 5]]
>>> trustworthiness(X, X, n_neighbors=1), round(trustworthiness(X, swapped, n_neighbors=1), 9)
(1.0, 0.833333333)

Source: J. Venna and S. Kaski, "Neighborhood preservation in nonlinear projection methods: an experimental study",
ICANN 2001, section 2.
"""
import numpy as np

from scratchml.core.checks import as_matrix, one_of, safe_to_square, whole_number
from scratchml.core.distances import cosine_distances, directions, manhattan, squared_euclidean
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import SparseTable, is_sparse, sparse_table


def neighbour_ranks(X):
    """(1)  r(i, j) = place of x_j among all but x_i, in order of distance from x_i

    Shapes: X (N, D) -> (N, N)
    """
    Δ = squared_euclidean(X, X)
    np.fill_diagonal(Δ, -1)                              # each point is first in its own row, with rank 0
    return np.argsort(np.argsort(Δ, axis=1, kind="stable"), axis=1)


def trustworthiness(X, Y, *, n_neighbors=5, metric="euclidean"):
    """(2)  T = 1 - 2 / (N n (2N - 3n - 1)) Σ_i Σ_j [y_j is of the n nearest to y_i] max(0, r(i, j) - n)

    Raises ValueError if X or Y is not a matrix of finite numbers, if they differ in N, if n is not below N / 2, for
    another metric, and for distances that are negative or no square matrix.

    Shapes: X (N, D), Y (N, F) -> ()

    Parameters
    ----------
    X : array, Rows or sparse matrix (N, D), or array (N, N)
        The data, or if `metric` is "precomputed" their distances.
    Y : array (N, F)
        The map, a point for each of the data.
    n_neighbors : int, default=5
        n, how many neighbours on the map are looked at.
    metric : {"euclidean", "manhattan", "cosine", "precomputed"}, default="euclidean"
        What the distances in the data are; "manhattan" for Σ_d |x_id - x_jd|, "cosine" for 1 - cos(x_i, x_j).
    """
    one_of(metric, "metric", ("euclidean", "manhattan", "cosine", "precomputed"))
    X = sparse_table(X) if is_sparse(X) and metric != "precomputed" else as_matrix(X)
    X, Y = safe_to_square(X, work=np.float64), safe_to_square(as_matrix(Y, name="Y"), "Y", work=np.float64)
    N, n = len(X), whole_number(n_neighbors, "n_neighbors")
    if len(Y) != N:
        raise ValueError(f"X and Y: expected the same number of samples, got {N} and {len(Y)}")
    if n >= N / 2:
        raise ValueError(f"n_neighbors={n}: should be less than n_samples / 2 = {N / 2}; lower n_neighbors")
    if metric == "precomputed" and (X.shape != (N, N) or X.min() < 0):
        raise ValueError(f"X: with metric='precomputed' expected distances (N, N), none negative, got shape {X.shape} "
                         f"and the least {X.min()}; for points (N, D) use metric='euclidean'")
    lies, chunk = np.zeros(N), max(1, 2_000_000 // X.size)
    far = _far(X, metric).astype(np.float64, copy=False)
    columns = [np.ascontiguousarray(Z.T, np.float64) for Z in (Y if far.size else X, Y)]
    run_chunks(_lies, N, *columns, far, n, lies, chunk=chunk)
    return float(1 - 2 / (N * n * (2 * N - 3 * n - 1)) * lies.sum())


def _far(X, metric):
    """Distances in the data that put them in the order of `metric`, (N, N); empty where `_lies` finds them itself."""
    if metric == "precomputed":
        return X
    if metric == "manhattan":
        return manhattan(X, X)
    if not isinstance(X, SparseTable):
        return cosine_distances(X, X) if metric == "cosine" else np.empty((0, 0))
    X = directions(X) if metric == "cosine" else X       # of directions, 1 - cos is half the square of the distance
    return squared_euclidean(X, X)


# --- compiled: the ranks of a few ----------------------------------------------------------------


@kernel
def _lies(c, start, stop, XT, YT, far, n, lies):
    """lies[i] = Σ_j of (2) for the points start ... stop-1, from columns XT (D, N) and YT (F, N).

    `far` (N, N) are the distances in the data, or empty: then they are those of XT.
    Same result as from (1), because the rank of one j is the number of those that come before it, and itself.
    """
    N = XT.shape[1]
    d = np.empty(N)
    nearest = np.empty(n, np.int64)
    for i in range(start, stop):
        _distances_from(YT, i, d)
        for place in range(n):
            nearest[place] = d.argmin()
            d[nearest[place]] = np.inf
        if far.size > 0:
            d[:] = far[i]
        else:
            _distances_from(XT, i, d)
        d[i] = np.inf
        total = 0
        for j in nearest:
            total += max(0, 1 + _before(d, j) - n)
        lies[i] = total


@kernel(contract=True)
def _distances_from(columns, i, d):
    """d[j] = ‖x_i - x_j‖², the terms in the order of (1) of the chapter on distances; +inf for i itself."""
    d[:] = 0
    for k in range(columns.shape[0]):
        x, column = columns[k, i], columns[k]
        for j in range(d.size):
            d[j] += (x - column[j]) * (x - column[j])
    d[i] = np.inf


@kernel(reassociate=True)
def _before(d, j):
    """How many stand before j in the order of d, ties in order of number."""
    nearer = 0
    for k in range(d.size):
        nearer += d[k] < d[j] or (d[k] == d[j] and k < j)
    return nearer
