"""Items that are good together: a list whose items are unlike each other, by how like the nearest is, or by a
determinant.

The ten items of the greatest scores are often ten times the same.  A list is better chosen item by item: of all that
are left the one that is good and unlike those that were chosen (1).  Or a list is given a volume: items are vectors,
long if they are good, and the more they point into different directions, the larger is what they span.  Its square is a
determinant, and the list that spans the most is the most likely one of a determinantal point process.  To find it is
hard, so it is chosen item by item, too (2); each item's share in the determinant is its pivot in a Cholesky factor,
which grows by a column when an item is chosen (3).

Symbols
    R, s  (U, N), (U, N)  candidates of each user, the best first, and their scores; -1 and -inf where a list is over
    X     (M, D)   features of items; x_i those of R_ui divided by their length
    S     (N, N)   S_ij = x_i·x_j, S_ii = 1
    t              how much scores count against likeness, from 0 to 1
    q              how much scores count against the determinant, at least 0
    n              how many items are chosen; k of them so far
    c     (N, k)   rows of the Cholesky factor of S, a column for each chosen item
    d     (N,)     d_i², what is left of S_ii
    e              the new entry of c_i
    j              the item that was chosen last

Equations
    (1)  next = argmax_i t s_ui - (1 - t) max_{j chosen} S_ij, the first by s alone       mmr
    (2)  next = argmax_i det L_{chosen + i}, L_ij = e^{q s_ui} S_ij e^{q s_uj}            dpp
    (3)  e = (S_ij - c_i·c_j) / d_j, d_i² ← d_i² - e²                                     cholesky_update

Choices
    An item comes once in a list; of equals the one that stands first is taken.  An item without features is like no
    other.  Scores and likeness are weighed against each other, so they must be of one scale, and scores of most
    recommenders are not: `scaled` takes those of each user to 0 ... 1.  With t = 1, (1) is the order of scores.
    The determinant of (2) is the product of e^{2 q s_i} d_i² over the chosen: scores never enter (3).  Where every d²
    is below 1e-10, the candidates that are left add nothing, as copies do not; the list goes on with the best scores.

Cost
    (1) and (2): O(N n D) time a list at most.  Gains only fall as a list grows, so an item whose last known gain is not
    above the best of this round is not looked at: mostly a small part is.

>>> items, scores = np.array([[0, 1, 2, 3]]), np.array([[0.9, 0.8, 0.7, 0.1]])
>>> X = np.array([[1., 0], [1, 0.1], [0, 1], [1, 1]])
>>> mmr(items, scores, X, n=3, trade_off=0.5)[0].tolist(), dpp(items, scores, X, n=2)[0].tolist()
([[0, 2, 1]], [[0, 2]])

Sources: J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking", SIGIR 1998, for (1); L. Chen,
G. Zhang and E. Zhou, "Fast greedy MAP inference for determinantal point process to improve recommendation diversity",
NeurIPS 2018, Algorithm 1, for (2) and (3); M. Minoux, "Accelerated greedy algorithms for maximizing submodular set
functions" (1978), for what need not be looked at.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_matrix, real_number, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import Rows
from scratchml.metrics.diversity import unit_rows
from scratchml.recommend.best_items import directions
from scratchml.recommend.rerank import as_given, at_places, check_items, read_candidates, share_of

SPENT = 1e-10  # d² below which an item is taken to lie in the span of the chosen
WIDEST = 300.0                                           # q times the range of scores whose e^2 float64 can hold


def mmr(items, scores, features, n=10, *, trade_off=0.7):
    """(1)  next = argmax_i t s_ui - (1 - t) max_{j chosen} S_ij, the first by s alone

    Items and their scores, (U, n) each; where there are fewer candidates, lists end with -1 and -inf.
    Raises ValueError for lists that are none, features that are not finite or too few, and parameters out of range.

    Shapes: R (U, N), s (U, N), X (M, D), n -> (U, n), (U, n)

    Parameters
    ----------
    items : array (U, N) or (N,) of int
        Candidates, the best first.
    scores : array (U, N) or (N,)
        And their scores, of a scale that goes with cosines.
    features : array, Rows or sparse matrix (M, D)
        What items are like.
    n : int, default=10
        How many are chosen.
    trade_off : float, default=0.7
        t, from 0 to 1: how much scores count.
    """
    R, s, flat = read_candidates(items, scores)
    t = share_of(trade_off, "trade_off")
    chosen = np.full((len(R), whole_number(n, "n")), -1)
    run_chunks(_mmr, len(R), R, np.where(R >= 0, s, 0.0), _vectors(features, R), t, chosen, chunk=8)
    return as_given(*at_places(R, s, chosen), flat)


def dpp(items, scores, features, n=10, *, quality=1.0):
    """(2)  next = argmax_i det L_{chosen + i}, L_ij = e^{q s_ui} S_ij e^{q s_uj}

    Items and their scores, (U, n) each; where there are fewer candidates, lists end with -1 and -inf.
    Raises ValueError as `mmr` does, and where q times the range of a user's scores is too large for e.

    Shapes: R (U, N), s (U, N), X (M, D), n -> (U, n), (U, n)

    Parameters
    ----------
    items : array (U, N) or (N,) of int
        Candidates, the best first.
    scores : array (U, N) or (N,)
        And their scores.
    features : array, Rows or sparse matrix (M, D)
        What items are like.
    n : int, default=10
        How many are chosen.
    quality : float, default=1.0
        q, at least 0: how much scores count; 0 asks for diversity alone.
    """
    R, s, flat = read_candidates(items, scores)
    q, n = real_number(quality, "quality"), whole_number(n, "n")
    with np.errstate(over="ignore"):                     # what float64 cannot hold is refused below
        below = s.max(axis=1, keepdims=True, where=R >= 0, initial=-np.inf) - np.where(R >= 0, s, np.inf)
    widest = below.max(where=R >= 0, initial=0) if q else 0.0
    if q * widest > WIDEST:
        raise ValueError(f"quality={quality!r}: times the range of a user's scores, {widest:.3g}, expected at most "
                         f"{WIDEST:.0f}; lower quality, or scale the scores, scaled(items, scores)")
    weights = np.exp(-2 * q * np.where(R >= 0, below, 0)) if q else np.ones(s.shape)
    chosen = np.full((len(R), n), -1)
    run_chunks(_dpp, len(R), R, weights, _vectors(features, R), chosen, chunk=4)
    return as_given(*at_places(R, s, _filled_up(R, s, chosen)), flat)


def cholesky_update(S, c, d, j):
    """(3)  e = (S_ij - c_i·c_j) / d_j, d_i² ← d_i² - e²

    Rows c (N, k+1) and squares d² (N,) after choosing j, from those before it; S (N, N), d the squares d_i².

    Shapes: S (N, N), c (N, k), d (N), j -> (N, k+1), (N)
    """
    e = (S[:, j] - c @ c[j]) / np.sqrt(d[j])
    return np.column_stack([c, e]), d - e * e


# --- features and lists --------------------------------------------------------------------------


class _Vectors(NamedTuple):
    """Features, dense (M, D) or (0, D) and the three arrays of Rows, and what each row is multiplied by to have length
    1."""
    dense: np.ndarray
    scale: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray


def _vectors(features, R):
    if isinstance(features, Rows) or hasattr(features, "tocsr"):
        X = _in_order(unit_rows(features))
        check_items(R, X.shape[0], "features")
        return _Vectors(np.zeros((0, X.shape[1])), np.ones(X.shape[0]), X.indptr, X.indices, X.data)
    X = as_matrix(features, name="features").astype(np.float64, copy=False)
    check_items(R, len(X), "features")
    squares = np.einsum("md,md->m", X, X)
    if squares.size and not 1e-200 < squares.min() <= squares.max() < 1e200:
        X = directions(X)                                # some square is lost, or a row is 0
        squares = np.ones(len(X))
    return _Vectors(X, 1 / np.sqrt(squares), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0))


def _in_order(X):
    """Rows whose columns rise."""
    order = np.lexsort((X.indices, np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))))
    return X._replace(indices=X.indices[order], data=X.data[order])


def _filled_up(R, s, chosen):
    """Places (U, n), those chosen and then, where they end with -1, the best scores of the others."""
    n, N = chosen.shape[1], R.shape[1]
    for u in np.flatnonzero(chosen[:, -1] < 0):
        taken = chosen[u][chosen[u] >= 0]
        left = np.setdiff1d(np.flatnonzero(R[u] >= 0), taken)
        more = left[np.argsort(-s[u, left], kind="stable")][:n - taken.size]
        chosen[u, taken.size:taken.size + more.size] = more
    return chosen


# --- compiled ------------------------------------------------------------------------------------


@kernel(reassociate=True)
def _dot(x, y):
    total = 0.0
    for d in range(x.size):
        total += x[d] * y[d]
    return total


@kernel
def _alike(X, i, j):
    """S_ij of two items: a product of dense rows, or of the columns that both have."""
    if X.dense.shape[0]:
        return _dot(X.dense[i], X.dense[j]) * X.scale[i] * X.scale[j]
    total, a, b = 0.0, X.indptr[i], X.indptr[j]
    while a < X.indptr[i + 1] and b < X.indptr[j + 1]:
        if X.indices[a] == X.indices[b]:
            total += X.data[a] * X.data[b]
            a += 1
            b += 1
        elif X.indices[a] < X.indices[b]:
            a += 1
        else:
            b += 1
    return total


@kernel
def _mmr(c, start, stop, R, s, X, t, chosen):
    """(1) for the users start ... stop-1; same result as if all were compared, because max S_ij only grows.

    most[i] is the greatest likeness to the first seen[i] of the chosen, and bound[i] the gain by that: no less than the
    gain itself, which is looked for only where the bound is above the best gain of the round.
    """
    N, n = R.shape[1], chosen.shape[1]
    most, bound, seen = np.empty(N), np.empty(N), np.empty(N, np.int64)
    for u in range(start, stop):
        most[:], seen[:], bound[:], count = -1, 0, -np.inf, 0
        while count < N and R[u, count] >= 0:
            bound[count] = t * s[u, count] + 2 * (1 - t)
            count += 1
        best = 0
        for i in range(count):
            if s[u, i] > s[u, best]:
                best = i
        for k in range(1, min(n, count) + 1):
            chosen[u, k - 1], bound[best] = best, -np.inf
            best, gain = -1, -np.inf
            for i in range(count):
                if bound[i] > gain:
                    while seen[i] < k and bound[i] > gain:
                        most[i] = max(most[i], _alike(X, R[u, i], R[u, chosen[u, seen[i]]]))
                        seen[i] += 1
                        bound[i] = t * s[u, i] - (1 - t) * most[i]
                    if bound[i] > gain:
                        best, gain = i, bound[i]


@kernel
def _dpp(c, start, stop, R, weights, X, chosen):
    """(2) for the users start ... stop-1; same result as by (3) for all, because d² only falls, and S = X Xᵀ.

    A Cholesky factor of X Xᵀ is the R of a QR factorisation: c_ih = x_i·w_h, where w_h is what the h-th chosen item has
    beside those before it, of length 1.  So e takes D multiplications, however many are chosen.
    weights are e^{2 q s}; left[i] is d_i² by the first seen[i] of the chosen; bound[i] is the gain by that, -inf for
    what is chosen or spent.
    """
    N, n = R.shape[1], chosen.shape[1]
    dense, scale, is_dense = X.dense, X.scale, X.dense.shape[0] > 0  # a call with all of X costs more than a product
    W = np.empty((min(n, N), dense.shape[1]))
    left, bound, seen = np.empty(N), np.empty(N), np.empty(N, np.int64)
    for u in range(start, stop):
        left[:], seen[:], bound[:], count = 1, 0, -np.inf, 0
        while count < N and R[u, count] >= 0:
            bound[count] = weights[u, count]
            count += 1
        for k in range(min(n, count)):
            best, gain = -1, -np.inf
            for i in range(count):
                if bound[i] > gain:
                    while seen[i] < k and bound[i] > gain:
                        if is_dense:
                            e = _dot(dense[R[u, i]], W[seen[i]]) * scale[R[u, i]]
                        else:
                            e = _gathered(X, R[u, i], W[seen[i]])
                        left[i] -= e * e
                        seen[i] += 1
                        bound[i] = weights[u, i] * left[i] if left[i] > SPENT else -np.inf
                    if bound[i] > gain:
                        best, gain = i, bound[i]
            if best < 0:
                break
            chosen[u, k], bound[best] = best, -np.inf
            _beside_those_before(X, R[u, best], W, k)


@kernel
def _gathered(X, i, w):
    """x_i·w of an item whose features are sparse."""
    total = 0.0
    for a in range(X.indptr[i], X.indptr[i + 1]):
        total += X.data[a] * w[X.indices[a]]
    return total


@kernel
def _beside_those_before(X, j, W, k):
    """Into W[k]: x_j without its parts along W[0] ... W[k-1], divided by its length; 0 for an item without features."""
    w = W[k]
    w[:] = 0
    if X.dense.shape[0]:
        for d in range(w.size):
            w[d] = X.dense[j, d] * X.scale[j]
    else:
        for a in range(X.indptr[j], X.indptr[j + 1]):
            w[X.indices[a]] = X.data[a]
    for h in range(k):
        part = _dot(w, W[h])
        for d in range(w.size):
            w[d] -= part * W[h, d]
    length = np.sqrt(_dot(w, w))
    for d in range(w.size):
        w[d] /= length if length > 0 else 1.0
