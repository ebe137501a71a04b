"""Both half-steps of the chapter on k-means in one pass over the points: (2), and the sums that (3) and (1) are made
of.

Same results as there, but for rounding, because they are the same sums in another order: each thread adds up its rows,
and a block of rows is assigned and summed while it lies in the cache.  What k-means asks of points besides, their
distances to one centre, is here too: for arrays, and for a SparseTable.
"""
import numpy as np

from scratchml.cluster.assignment import nearest_of_all, screen
from scratchml.cluster.sparse_points import (add_sparse_rows, keep_nearer_sparse, known, own_sparse_distances,
                                             sparse_potentials)
from scratchml.core.jit import kernel, partial_sums, run_chunks
from scratchml.core.sparse import SparseTable


def rows_a_chunk(n):
    """Rows a chunk, where each chunk has an array of sums of its own: at most 16 of them."""
    return max(2048, -(-n // 16))


def assign_and_sum(X, w, C, search):
    """(2) and then `cluster_sums`; if no bounds spare a row, by blocks of rows, which come from memory once."""
    if search.bounds_pay():
        y = search.labels(C)
        return y, cluster_sums(X, w, C, y)
    search.n_distances += len(X) * len(C)
    if isinstance(X, SparseTable):
        y = nearest_of_all(X, C)
        return y, cluster_sums(X, w, C, y)
    chunk, block = rows_a_chunk(len(X)), max(128, 50_000 // X.shape[1])
    y, (label, arrays) = np.empty(len(X), np.int32), screen(C)
    partial = partial_sums(len(X), chunk, len(C), X.shape[1] + 2)

    def sweep(c, start, stop):
        for first in range(start, stop, block):
            last = min(first + block, stop)
            label(c, first, last, X, *arrays, y)
            _add_rows(c, first, last, X, w, C, y, partial)

    run_chunks(sweep, len(X), chunk=chunk)
    return y, partial[:, :len(C)].sum(axis=0)


def cluster_sums(X, w, C, y):
    """Per cluster Σ w x, Σ w and Σ w ‖x - c‖², (K, D+2): the sums of (3) and (1), in one pass on every core."""
    chunk = rows_a_chunk(len(X))
    partial = partial_sums(len(X), chunk, len(C), X.shape[1] + 2)
    if isinstance(X, SparseTable):
        run_chunks(add_sparse_rows, len(X), X.rows, w, known(C), y, partial, chunk=chunk)
    else:
        run_chunks(_add_rows, len(X), X, w, C, y, partial, chunk=chunk)
    return partial[:, :len(C)].sum(axis=0)


def own_distances(X, C, y):
    """‖x_i - c_{y_i}‖² of each point, (N,)."""
    distance = np.zeros(len(X))
    if isinstance(X, SparseTable):
        run_chunks(own_sparse_distances, len(X), X.rows, known(C), y, distance, chunk=4096)
    else:
        run_chunks(_own_distances, len(X), X, C, y, distance, chunk=4096)
    return distance


def keep_nearer(X, c, d):
    """d_i = min(d_i, ‖x_i - c‖²) for a centre c (D,), in place."""
    if isinstance(X, SparseTable):
        run_chunks(keep_nearer_sparse, len(X), X.rows, known(c[None]), d, chunk=4096)
    else:
        run_chunks(_keep_nearer, len(X), X, c, d, chunk=max(4096, 500_000 // X.shape[1]))


def potentials(X, w, d, Y):
    """Σ_i w_i min(d_i, ‖x_i - c‖²) for each c of Y (L, D), (L,)."""
    chunk = rows_a_chunk(len(X))
    partial = partial_sums(len(X), chunk, len(Y))
    if isinstance(X, SparseTable):
        run_chunks(sparse_potentials, len(X), X.rows, w, d, known(Y), partial, chunk=chunk)
    else:
        run_chunks(_potentials, len(X), X, w, d, Y, partial, chunk=chunk)
    return partial[:, :len(Y)].sum(axis=0)


@kernel(reassociate=True)
def _add_rows(c, start, stop, X, w, C, y, partial):
    """The sums of `cluster_sums` over the rows start ... stop-1, added to partial[c]."""
    D = X.shape[1]
    for i in range(start, stop):
        sums, centre = partial[c, y[i]], C[y[i]]
        weight, square = np.float64(w[i]), 0.0
        for j in range(D):
            x = np.float64(X[i, j])
            sums[j] += weight * x
            square += (x - centre[j]) * (x - centre[j])
        sums[D] += weight
        sums[D + 1] += weight * square


def means_of(moments, C):
    """(3) from the sums of `cluster_sums`; a cluster without weight keeps its row of `C`."""
    weight = moments[:, -2, None]                        # (K, 1)
    return np.where(weight > 0, moments[:, :-2] / np.where(weight > 0, weight, 1), C).astype(C.dtype)


@kernel(reassociate=True)
def _squared(x, y):
    """(1) of the chapter on distances, its terms in any order: faster, and not the same to the last bit."""
    total = 0.0
    for j in range(x.size):
        difference = np.float64(x[j]) - y[j]             # of float32 the square may be beyond its range
        total += difference * difference
    return total


@kernel
def _own_distances(c, start, stop, X, C, y, distance):
    """‖x_i - c_{y_i}‖² for the rows start ... stop-1."""
    for i in range(start, stop):
        distance[i] = _squared(X[i], C[y[i]])


@kernel
def _keep_nearer(c, start, stop, X, centre, d):
    """d_i = min(d_i, ‖x_i - centre‖²) for the rows start ... stop-1."""
    for i in range(start, stop):
        d[i] = min(d[i], _squared(X[i], centre))


@kernel
def _potentials(c, start, stop, X, w, d, Y, partial):
    """(6) over the rows start ... stop-1, added to partial[c]."""
    for i in range(start, stop):
        for candidate in range(Y.shape[0]):
            partial[c, candidate] += w[i] * min(d[i], _squared(X[i], Y[candidate]))
