"""k-means that skips work: after a small move, most points keep their centre, and the triangle inequality proves it.

Lloyd's algorithm measures every distance anew in every iteration, although late in a fit the centres hardly move and
hardly a label changes.  Suppose we remember, for a point, that its own centre was at most u away and every other at
least l.  Now the centres move.  A detour by way of the old places shows that the own centre is at most u + (its move)
away, and the others at least l - (their move).  If the first is still below the second, the nearest centre is the same,
and no distance was needed.  Nor is one needed where the own centre is nearer than half the way to the next centre.

Elkan remembers an l for every centre, skips single distances, and pays with a table of bounds.  Hamerly remembers one l
for the nearest of all others, and skips points as a whole.

Symbols
    X     (N, D)  points, one a row: x_i
    C     (K, D)  centres, one a row: c_k
    B     (K, D)  the centres before they moved: b_k
    p     (K,)    how far each centre has moved
    q     (K,)    how far the one of the others that moved most has
    s     (K, K)  half of the way from each centre to each other, +inf to itself
    u             upper bound of the distance of a point to its own centre
    l             lower bound of its distance to one other centre, or to all others
    m             how far the centre that a bound is about has moved, or any of the others at most
    h             half of the way from its own centre to that other, or to the next

Equations
    (1)  p_k = ‖c_k - b_k‖                                                            moved
    (2)  q_k = max_{j≠k} p_j, 0 where there is no j                                   others_moved
    (3)  s_kj = ½ ‖c_k - c_j‖                                                         half_ways
    (4)  u' = u + m                                                                   raised
    (5)  l' = l - m                                                                   lowered
    (6)  skip = [u < max(l, h)]                                                       farther_for_sure

Choices
    Labels are those of Lloyd's algorithm in every iteration, ties included.  A distance that decides is the sum of
    squares of differences that (2) of the chapter on k-means takes; its relative error is below (D + 2) eps, at any
    offset.  A bound is widened by a factor of 1 ± 4 (D + 8) eps when it is measured, moves likewise, and rounded
    outwards when it is moved.  (6) is strict.  So what (6) skips is farther by more than rounding.
    Where Hamerly has to look at all centres, he does so as `nearest_of_all` does, many points at a time, with bounds
    from the same products, widened by their larger error.  He measures no distance to the own centre first in a chunk
    of points most of which were not spared in the iteration before.
    Distances are counted between points and centres, between centres, and from a centre to its last place.
    "auto" is Hamerly's, but measures all for 4, then 8, 16, ... iterations whenever less than half of the points were
    spared: there bounds cost more than they save.

Cost
    An iteration of Elkan's takes O(N K) time for the bounds and O(D) for each distance that is not skipped; his bounds
    are an N x K table.  One of Hamerly's takes O(N), and O(K D) for each point not spared; O(N) memory.  (3) takes O(K²
    D).

>>> X = np.array([[0.0], [1], [9], [10]])
>>> search = Hamerly(X)
>>> search.labels(np.array([[0.0], [9]])).tolist(), search.n_distances
([0, 0, 1, 1], 9)
>>> search.labels(np.array([[0.5], [9.5]])).tolist(), search.n_distances      # two moves, one half-way, no other
([0, 0, 1, 1], 12)

Sources: C. Elkan, "Using the triangle inequality to accelerate k-means", ICML 2003; G. Hamerly, "Making k-means even
faster", SDM 2010.
"""
from typing import NamedTuple

import numpy as np

from scratchml.cluster.assignment import FAR, RIM, TILE, nearest, screen, two_least
from scratchml.core.distances import euclidean, squared_distance
from scratchml.core.jit import APART, kernel, run_chunks

EPS = float(np.finfo(np.float64).eps)

# --- bounds, and how they move -------------------------------------------------------------------


def moved(B, C):
    """(1)  p_k = ‖c_k - b_k‖

    Shapes: B (K, D), C (K, D) -> (K)
    """
    return np.sqrt(((C.astype(np.float64) - B) ** 2).sum(axis=1))


def others_moved(p):
    """(2)  q_k = max_{j≠k} p_j, 0 where there is no j

    Shapes: p (K) -> (K)
    """
    first = int(p.argmax())
    q = np.full(len(p), p[first])
    q[first] = np.delete(p, first).max(initial=0)
    return q


def half_ways(C):
    """(3)  s_kj = ½ ‖c_k - c_j‖

    Shapes: C (K, D) -> (K, K)
    """
    C = C.astype(np.float64)
    s = euclidean(C, C) / 2
    np.fill_diagonal(s, np.inf)
    return s


@kernel
def raised(u, m):
    """(4)  u' = u + m

    Rounded up.

    Shapes: u, m -> ()
    """
    return (u + m) * (1 + 2 * EPS)


@kernel
def lowered(l, m):
    """(5)  l' = l - m

    Rounded down; where it is negative it says nothing anyway.

    Shapes: l, m -> ()
    """
    return (l - m) * (1 - 2 * EPS)


@kernel
def farther_for_sure(u, l, h):
    """(6)  skip = [u < max(l, h)]

    Shapes: u, l, h -> ()
    """
    return u < max(l, h)


# --- the searches --------------------------------------------------------------------------------


class Lloyd:
    """No bounds: every distance is measured each time, by `nearest_of_all` or what does as it does."""

    def __init__(self, X):
        self.n_distances = 0

    def bounds_pay(self):
        """Whether `labels` shall be asked for the next labels, or `nearest_of_all`."""
        return False


class Centres(NamedTuple):
    """What the kernels know of the centres: where they are, how they moved, how far they are from each other."""
    C: np.ndarray                                        # (K, D)
    table: np.ndarray                                    # as `screen` makes it
    frame: np.ndarray                                    # likewise
    ways: np.ndarray                                     # (K, K) s, narrowed
    next: np.ndarray                                     # (K,) the least of each row of s
    p: np.ndarray                                        # (K,) widened
    q: np.ndarray                                        # (K,) widened
    pad: float                                           # bounds are widened by 1 ± pad


class Bounded:
    """Searches that remember bounds (N, ..), the labels y (N,), and the centres B (K, D) that these belong to."""

    chunk_kernel = columns = None                        # the kernel, and how many bounds a point has

    def __init__(self, X):
        self.X, self.n_distances, self.B = X, 0, None

    def bounds_pay(self):
        return True

    def labels(self, C):
        """Same result as `nearest_of_all`, because (6) skips only what is farther by more than rounding."""
        X, K = self.X, len(C)
        chunk = max(2048, -(-len(X) // 32))
        if self.B is None:
            self.y, self.bounds = np.zeros(len(X), np.int32), np.zeros((len(X), self.columns(K)))
            self.bounds[:, -1] = np.inf
            self.counts = np.full((-(-len(X) // chunk), 2 + APART), chunk)  # distances, and points that were not spared
            self.B = C
        else:
            self.n_distances += K
        pad = 4 * (X.shape[1] + 8) * EPS
        s, p, (_, table, frame) = half_ways(C) * (1 - pad), moved(self.B, C), screen(C)[1]
        centres = Centres(C, table, frame, s, s.min(axis=1), p * (1 + pad), others_moved(p) * (1 + pad), pad)
        run_chunks(self.chunk_kernel, len(X), X, centres, self.bounds, self.y, self.counts, chunk=chunk)
        self.n_distances += K * (K - 1) // 2 + int(self.counts[:, 0].sum())
        self.B = C
        return self.y.copy()


# --- compiled ------------------------------------------------------------------------------------


@kernel(contract=True)
def _elkan(c, start, stop, X, centres, bounds, y, counts):
    """New labels of the rows start ... stop-1 into `y`; bounds (N, K+1): l for each centre, then u."""
    C, p, K, wide, narrow = centres.C, centres.p, len(centres.C), 1 + centres.pad, 1 - centres.pad
    counts[c, 0] = 0
    for i in range(start, stop):
        k, lower = y[i], bounds[i]
        u, measured = raised(lower[K], p[k]), False
        for j in range(K):
            lower[j] = lowered(lower[j], p[j])
        lower[K] = u
        if farther_for_sure(u, 0.0, centres.next[k]):
            continue
        least = squared_distance(X[i], C[k])
        for j in range(K):
            if j == k or farther_for_sure(u, lower[j], centres.ways[k, j]):
                continue
            if not measured:
                root = np.sqrt(least)
                u, lower[k], measured = root * wide, root * narrow, True
                counts[c, 0] += 1
                if farther_for_sure(u, lower[j], centres.ways[k, j]):
                    continue
            square = squared_distance(X[i], C[j])
            root = np.sqrt(square)
            lower[j] = root * narrow
            counts[c, 0] += 1
            if square < least or (square == least and j < k):
                k, least, u = np.int32(j), square, root * wide
        y[i], lower[K] = k, u


@kernel(contract=True)
def _hamerly(c, start, stop, X, centres, bounds, y, counts):
    """New labels of the rows start ... stop-1 into `y`; bounds (N, 2): l for all other centres, u for the own."""
    C, table, frame, wide, narrow = centres.C, centres.table, centres.frame, 1 + centres.pad, 1 - centres.pad
    left, n_left, n_measured = np.empty(stop - start, np.int64), 0, 0
    measure = 2 * counts[c, 1] <= stop - start
    for i in range(start, stop):
        k = y[i]
        l, u = lowered(bounds[i, 0], centres.q[k]), raised(bounds[i, 1], centres.p[k])
        if measure and not farther_for_sure(u, l, centres.next[k]):
            u = np.sqrt(squared_distance(X[i], C[k])) * wide
            n_measured += 1
        bounds[i, 0], bounds[i, 1] = l, u
        if not farther_for_sure(u, l, centres.next[k]):
            left[n_left] = i
            n_left += 1
    counts[c, 0], counts[c, 1] = n_measured + n_left * len(C), n_left
    columns, scale, e = table.shape[1] - 1, frame[-2], frame[-1]
    tile, s = np.zeros((columns, TILE + RIM), table.dtype), np.empty((4, TILE + RIM), table.dtype)
    best, second, norm = np.empty(TILE, table.dtype), np.empty(TILE, table.dtype), np.empty(TILE, table.dtype)
    label = np.empty(TILE, np.int32)
    for first in range(0, n_left, TILE):
        n = min(TILE, n_left - first)
        for i in range(n):
            for d in range(X.shape[1]):
                tile[d, i] = min(max(scale * (X[left[first + i], d] - frame[d]), -FAR), FAR)
        two_least(tile, table, s, norm, best, second, label)
        for i in range(n):
            row, error = left[first + i], 2 * e * (norm[i] + 2 * table[label[i], columns])
            if second[i] - best[i] > error:
                y[row] = label[i]
                own, others = 2.0 * best[i] + norm[i] + 2 * error, 2.0 * second[i] + norm[i] - 2 * error
                bounds[row, 0] = np.sqrt(max(others, 0.0)) / scale * narrow
                bounds[row, 1] = np.sqrt(max(own, 0.0)) / scale * wide
            else:
                y[row] = nearest(X[row], C)
                bounds[row, 0], bounds[row, 1] = 0.0, np.sqrt(squared_distance(X[row], C[y[row]])) * wide


class Elkan(Bounded):
    """A bound for each centre."""
    chunk_kernel, columns = staticmethod(_elkan), staticmethod(lambda K: K + 1)


class Hamerly(Bounded):
    """One bound for all other centres."""
    chunk_kernel, columns = staticmethod(_hamerly), staticmethod(lambda K: 2)


class Auto(Hamerly):
    """Hamerly's search, which rests for a while whenever it has spared less than half of the points."""

    def __init__(self, X):
        super().__init__(X)
        self.rest, self.next_rest = 0, 4

    def bounds_pay(self):
        self.rest -= 1
        return self.rest < 0

    def labels(self, C):
        first = self.B is None
        y = super().labels(C)
        if not first and 2 * self.counts[:, 1].sum() > len(y):
            self.rest, self.next_rest, self.B = self.next_rest, 2 * self.next_rest, None
        return y


SEARCHES = {"auto": Auto, "lloyd": Lloyd, "elkan": Elkan, "hamerly": Hamerly}
