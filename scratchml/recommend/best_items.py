"""The best few of many: which items have the largest scores, and which are most like another.

Once users and items are vectors, a recommendation is a look for the largest of M products.  Sorting all of them would
be a waste: ten of a hundred thousand are wanted, and a heap of ten finds them.

Symbols
    U, V    (N, F), (M, F)  vectors of users and of items
    v       (F,)       the vector of one item
    y       (M,)       scores
    M, N, F            items, users, the length of a vector
    T                  how many items are wanted

Equations
    (1)  the T items of largest y_j, largest first, of equals the lowest first     largest
    (2)  y_j = V_j·v / ‖V_j‖ ‖v‖, 0 where a length is                              cosine

Choices
    What is to be left out has a score of -inf.  Where fewer than T are left, the rest are items -1 with scores -inf.
    Scores of many users are a product of matrices, whose sums may be made in another order for another place in it: the
    scores of two items with equal factors can differ in the last bit, and then either may come first.

Cost
    (1): O(M + k log T) time, if k items come among the best so far: about T (1 + log(M / T)) in a random order.
    For N users the scores themselves take O(N M F), a product of matrices, of which a tile is in memory.

>>> largest(np.array([1., 5, 2, 5]), 3).tolist()
[1, 3, 2]
>>> cosine(np.array([[1., 0], [3, 3], [0, 0]]), np.array([0., 2])).round(3).tolist()
[0.0, 0.707, 0.0]

Source: D. Knuth, "The Art of Computer Programming" 3 (1998), section 5.2.3, for (1); core/selection.py has the heap.
"""
import numpy as np

from scratchml.core import selection
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import Rows, some_rows

BLOCK = 256                                              # users whose scores are in memory at a time


def largest(y, T):
    """(1)  the T items of largest y_j, largest first, of equals the lowest first

    Shapes: y (M), T -> (T) in M
    """
    return selection.largest(y[None], T)[0][0]


def cosine(V, v):
    """(2)  y_j = V_j·v / ‖V_j‖ ‖v‖, 0 where a length is

    Shapes: V (M, F), v (F) -> (M)
    """
    return directions(V) @ directions(v[None])[0]


def directions(V):
    """The rows of `V` (M, F) divided by their lengths, 0 where that is; by the largest first, for their squares."""
    most = np.abs(V).max(axis=1, keepdims=True, initial=0)
    V = V / np.where(most > 0, most, 1)
    lengths = np.sqrt(np.einsum("mf,mf->m", V, V))[:, None]
    return V / np.where(lengths > 0, lengths, 1)


def nothing(shape):
    """Rows of this shape without an entry."""
    return Rows(np.zeros(shape[0] + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), shape)


def best_of_all(U, V, rows, known, T, offsets=None):
    """(1) of the scores U_i·V_j + offsets_j of each user i in `rows` (S,): items int32 and their scores, (S, T) each.

    Items in row i of `known`, Rows (N, M), are left out.  Scores are made a tile of users and items at a time, which
    goes into the heaps while it lies in the cache.
    """
    items, best = selection.empty_heaps(len(rows), T, V.dtype)
    offsets = np.zeros(len(V), V.dtype) if offsets is None else offsets.astype(V.dtype, copy=False)
    width = min(len(V), selection.tile_width(min(BLOCK, len(rows))))
    scores = np.empty((min(BLOCK, len(rows)), width), V.dtype)
    for start in range(0, len(rows), BLOCK):
        some = rows[start:start + BLOCK]
        vectors, heaps = U[some], (items[start:start + BLOCK], best[start:start + BLOCK])
        for first in range(0, len(V), width):
            tile = slice(first, first + width)
            here = len(V[tile])
            y = np.matmul(vectors, V[tile].T, out=scores.ravel()[:len(some) * here].reshape(len(some), here))
            run_chunks(_leave_out, len(some), y, first, known, some, chunk=BLOCK)
            selection.feed(y, offsets[tile], first, *heaps)
    return selection.in_order(items, best)


def best_by_index(index, U, V, known, T):
    """The same as `best_of_all` for all rows of U, but of the items alone that an index of V finds for each.

    It is asked for as many more as are to be left out.  Raises ValueError for what is no such index.
    """
    counts, M = np.diff(known.indptr), len(V)
    items, best = np.full((len(U), T), -1, np.int32), np.full((len(U), T), -np.inf, U.dtype)
    alike = np.argsort(counts, kind="stable")            # users for whom as many are asked for
    for start in range(0, len(U), BLOCK // 4):
        some = alike[start:start + BLOCK // 4]
        found = _found_by(index, U[some], min(M, T + int(counts[some].max())), M)
        scores = np.einsum("bkf,bf->bk", V[found], U[some])
        here = some_rows(known, some)
        seen = M * np.repeat(np.arange(len(some)), np.diff(here.indptr)) + here.indices
        scores[np.isin(M * np.arange(len(some))[:, None] + found, seen) | (found < 0)] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :T]
        best[some] = np.take_along_axis(scores, order, 1)
        items[some] = np.where(best[some] > -np.inf, np.take_along_axis(found, order, 1), -1)
    return items, best


def _found_by(index, Q, k, M):
    """The numbers (B, k) that an index finds, -1 for none.  Raises ValueError for what is none, and for another's."""
    if hasattr(index, "knn_query"):
        found = index.knn_query(Q, k)[0]
    elif hasattr(index, "kneighbors"):
        found = index.kneighbors(Q, k, return_distance=False)
    else:
        raise ValueError(f"index: expected one with knn_query or kneighbors, such as those of neighbors, got "
                         f"{type(index).__name__}")
    if found.shape != (len(Q), k) or not -1 <= found.min() <= found.max() < M:
        raise ValueError(f"index: expected {k} of the numbers 0 ... {M - 1} for each query; fit it to the vectors of "
                         "all items")
    return found


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _leave_out(c, start, stop, scores, first, known, rows):
    """-inf into the rows start ... stop-1 of `scores` (S, M) where row rows[s] of `known` has an entry first + m."""
    for s in range(start, stop):
        y = scores[s]
        for k in range(known.indptr[rows[s]], known.indptr[rows[s] + 1]):
            m = known.indices[k] - first
            if 0 <= m < y.size:
                y[m] = -np.inf
