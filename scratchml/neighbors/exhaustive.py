"""The nearest of all, by looking at all: as fast as a product of matrices, and exact to the last tie.

Which points are nearest to a query?  The sure way is to measure all distances.  That is a product of matrices in
disguise, since ‖q - x‖² = ‖q‖² - 2 q·x + ‖x‖²: for a given query the nearest point is the one with the greatest q·x - ½
‖x‖² (6).  Products come from BLAS, far faster than differences, a tile of queries and points at a time, and each tile
goes into a heap per query while it lies in the cache.

The disguise loses digits where points are far from the origin, and then the wrong neighbour wins.  So products only
choose who is measured.  Each comes with a bound of its rounding error; the few best by products are measured by the
definition, and where what was left out may, by its bound, be nearer than the last of them, all points that may be are
measured.  The answer is that of the definition, equal distances included.

Lists of the nearest can also be made beforehand, for all who may ask.  Then an answer is a look-up, and stale as soon
as new points come (7).

Symbols
    Q      (B, D)  queries: q_i
    X      (N, D)  points: x_j
    d      (B, N)  distances: d_ij
    n              how many of the nearest are wanted
    r              a radius
    L, M   (B, n)  lists of the nearest, made before and now: L_i, M_i

Equations
    (1)  d_ij = ‖q_i - x_j‖                                                              euclidean
    (2)  d_ij = ½ ‖q_i/‖q_i‖ - x_j/‖x_j‖‖² = 1 - cos(q_i, x_j)                           cosine_gap
    (3)  d_ij = -q_i·x_j                                                                 negative_product
    (4)  the n numbers j of least d_ij, the least first, of equals the lowest j first    nearest
    (5)  all j with d_ij ≤ r                                                             within
    (6)  s_ij = q_i·x_j - ½ ‖x_j‖² = ½ ‖q_i‖² - ½ ‖q_i - x_j‖²                           closeness
    (7)  Σ_i |M_i without L_i| / Σ_i |M_i|                                               stale_share

The bound.  Let points and queries be measured from an origin amidst the points, u = eps / 2.  Adding up D products
changes q·x by at most D u Σ_d |q_d x_d| ≤ ½ D u (‖q‖² + ‖x‖²), as many squares ½ ‖x‖² by ½ D u ‖x‖²; shifting, halving
and subtracting add 5 u (‖q‖² + ‖x‖²).  Two measured distances may err by 2 (D + 2) u (‖q‖² + ‖x‖²).  So with e = 2 (D +
10) eps, more than all of it, a point that is measured as near as ½ ‖q‖² - s has a computed product of at least s - e
‖x‖² - e ‖q‖².

Choices
    In (2) a vector of length 0 is at distance 1 from all.  The left-hand side is what is computed: it is 0 for equal
    vectors, and has digits where the angle is small.
    (3) is no distance; it is negative where the product is positive, so that less is nearer.
    Sums are in float64, also of float32 data.  (1) is compared before its root is taken.  What is returned has the type
    of the data.

Cost
    O(B N D) time, nearly all of it BLAS; a tile of 4 MB and O(B n) memory beside the points, which are copied once, and
    again if they are shifted.  Measured are n and a few per query, or all that tie.

>>> X, Q = np.array([[0., 0], [3, 4], [0, 1]]), np.array([[0., 0.5]])
>>> euclidean(Q, X).round(3).tolist(), nearest(euclidean(Q, X), 2).tolist()
([[0.5, 4.61, 0.5]], [[0, 2]])

Source: D. Knuth, "The Art of Computer Programming" 3 (1998), section 5.2.3, for the heap; N. Higham, "Accuracy and
Stability of Numerical Algorithms" (2002), section 3.1, for the bound.
"""
import numpy as np

from scratchml.core import distances, selection
from scratchml.core.checks import as_floats
from scratchml.core.distances import squared_distance
from scratchml.core.jit import kernel, run_chunks

EUCLIDEAN, COSINE, PRODUCT = 0, 1, 2
BLOCK = 256                                              # queries whose heaps are filled together
PAIRS = 4_000_000                                        # pairs that may be measured together where many tie
FAR = 1e15                                               # farther than that from the points, a query has no products
SAMPLE = 1000                                            # points whose median is the origin

# --- the equations -------------------------------------------------------------------------------


def euclidean(Q, X):
    """(1)  d_ij = ‖q_i - x_j‖

    Shapes: Q (B, D), X (N, D) -> (B, N)
    """
    return distances.euclidean(Q, X)


def cosine_gap(Q, X):
    """(2)  d_ij = ½ ‖q_i/‖q_i‖ - x_j/‖x_j‖‖² = 1 - cos(q_i, x_j)

    Shapes: Q (B, D), X (N, D) -> (B, N)
    """
    Q, X = distances.directions(Q), distances.directions(X)
    nowhere = ~(Q.any(axis=1)[:, None] & X.any(axis=1))
    return np.where(nowhere, 1, distances.squared_euclidean(Q, X) / 2)


def negative_product(Q, X):
    """(3)  d_ij = -q_i·x_j

    Shapes: Q (B, D), X (N, D) -> (B, N)
    """
    return -(Q @ X.T)


def nearest(d, n):
    """(4)  the n numbers j of least d_ij, the least first, of equals the lowest j first

    Shapes: d (B, N), n -> (B, n) in N
    """
    return np.argsort(d, axis=1, kind="stable")[:, :n]


def within(d, r):
    """(5)  all j with d_ij ≤ r

    Shapes: d (B, N), r -> (B)
    """
    found = np.empty(len(d), object)
    found[:] = [np.flatnonzero(row <= r) for row in d]
    return found


def closeness(Q, X):
    """(6)  s_ij = q_i·x_j - ½ ‖x_j‖² = ½ ‖q_i‖² - ½ ‖q_i - x_j‖²

    Shapes: Q (B, D), X (N, D) -> (B, N)
    """
    return Q @ X.T - (X * X).sum(axis=1) / 2


def stale_share(L, M):
    """(7)  Σ_i |M_i without L_i| / Σ_i |M_i|

    Shapes: L (B, n), M (B, n) -> ()
    """
    return float(1 - (M[:, :, None] == L[:, None, :]).any(axis=2).mean())


# --- the search ----------------------------------------------------------------------------------


class Points:
    """Points (N, D) that queries are compared with, by one of (1) to (3); both are finite and safe to square.

    Attributes: `X`, the points, as directions for (2); `P` the same as products are taken of them, shifted by `origin`
    and times `scale`, a power of two, so that no square over- or underflows; `halves` (N,), what is added to the
    products for (6), and `offsets`, the same with the bound.
    """

    def __init__(self, X, kind):
        self.kind = kind
        self.X = distances.directions(X) if kind == COSINE else X.copy()
        self.e = 2 * (X.shape[1] + 10) * float(np.finfo(X.dtype).eps)
        self.origin, self.scale = self._frame()
        unmoved = self.scale == 1 and not self.origin.any()
        self.P = self.X if unmoved else self._framed(self.X, self.scale)
        squares = np.einsum("nd,nd->n", self.P, self.P)
        self.halves = squares * squares.dtype.type(-0.5 if kind == EUCLIDEAN else 0)
        self.offsets = self.halves + squares * squares.dtype.type(self.e)

    def _frame(self):
        """An origin amidst the points, 0 if that is as good, and a power of two that makes the largest about 1."""
        X, origin = self.X, np.zeros(self.X.shape[1], self.X.dtype)
        if self.kind == EUCLIDEAN:
            some = X[::-(-len(X) // SAMPLE)].astype(np.float64)
            middle = np.median(some, axis=0)
            if (middle**2).sum() > ((some - middle) ** 2).sum(axis=1).mean():
                origin = middle.astype(X.dtype)
        most = max((X.max(axis=0) - origin.astype(np.float64)).max(), (origin - X.min(axis=0).astype(np.float64)).max())
        return origin, 1.0 if self.kind == COSINE or 1e-3 < most < 1e3 else float(power_below(most))

    def _framed(self, X, scale):
        return ((X - self.origin.astype(np.float64)) * scale).astype(X.dtype)

    def _asked(self, Q):
        """Queries as products are taken of them, their squares (B,), the slack of their bounds, and their scales.

        What is too far away has an infinite slack: all points are measured.
        """
        with np.errstate(over="ignore"):
            scale = power_below(np.abs(Q).max(axis=1, keepdims=True)) if self.kind == PRODUCT else self.scale
            framed = self._framed(Q, scale)
        near = np.abs(framed).max(axis=1) < FAR
        framed = np.where(near[:, None], framed, 0).astype(Q.dtype)
        squares = np.einsum("bd,bd->b", framed, framed, dtype=np.float64)
        lost = 4 * Q.shape[1] * float(np.finfo(Q.dtype).tiny)              # of products below what can be held
        return framed, squares, np.where(near, self.e * squares + lost, np.inf), np.ravel(scale)

    def _as_closeness(self, keys, squares, scales):
        """What measured `keys` (B,) are in terms of products: (6), or a cosine, or a product, times the scales."""
        if self.kind == EUCLIDEAN:
            return (squares - keys * self.scale**2) / 2
        return 1 - keys if self.kind == COSINE else -keys * self.scale * scales

    def asked(self, Q):
        """Queries in the form that they are measured in."""
        return distances.directions(Q) if self.kind == COSINE else Q

    def distances(self, keys):
        """Distances in the type of the data from `keys`, by which they are compared: squares for (1)."""
        return self._rooted(keys).astype(self.X.dtype)

    def _rooted(self, keys):
        return np.sqrt(keys) if self.kind == EUCLIDEAN else keys

    def nearest(self, Q, n):
        """(4) for each query in the form of `asked`: numbers of points and keys, (B, n) each.  n is at most N."""
        numbers, keys = np.empty((len(Q), n), np.int64), np.empty((len(Q), n))
        for start in range(0, len(Q), BLOCK):
            some = slice(start, start + BLOCK)
            numbers[some], keys[some], certain = self._nearest_by_products(Q[some], n)
            rest = start + np.flatnonzero(~certain)
            step = max(1, PAIRS // len(self.X))
            for first in range(0, len(rest), step):
                left = rest[first:first + step]
                i, j, key = self.within(Q[left], keys[left, -1])
                order = np.lexsort((key, i))             # stable: of equals the lower j stays first
                begins = np.searchsorted(i[order], np.arange(len(left)))
                chosen = order[begins[:, None] + np.arange(n)]
                numbers[left], keys[left] = j[chosen], key[chosen]
        return numbers, keys

    def _nearest_by_products(self, Q, n):
        """The nearest of the few that are best by products, their keys, and whether no other can be among them."""
        few = min(len(self.X), n + 4 + n // 4)
        framed, squares, slack, scales = self._asked(Q)
        columns, bounds = self._largest(framed, few, self.offsets)
        keys = np.empty(columns.shape)
        run_chunks(_measure, len(Q), Q, self.X, columns, self.kind, keys, chunk=max(1, 20_000 // few))
        order = np.lexsort((columns, keys), axis=1)[:, :n]
        numbers, keys = np.take_along_axis(columns, order, 1), np.take_along_axis(keys, order, 1)
        certain = self._as_closeness(keys[:, -1], squares, scales) > bounds[:, -1] + slack
        return numbers, keys, certain | (few == len(self.X))

    def all_within(self, Q, r):
        """(5) for each query in the form of `asked`: (i, numbers of points, distances), a query after the other."""
        most = r * r if self.kind == EUCLIDEAN and r >= 0 else -1.0 if self.kind == EUCLIDEAN else r
        step = max(1, min(BLOCK, PAIRS // len(self.X)))
        for start in range(0, len(Q), step):
            some = Q[start:start + step]
            i, j, keys = self.within(some, np.full(len(some), most + 4 * np.finfo(float).eps * abs(most)))
            near = self._rooted(keys) <= r
            i, j, d = i[near], j[near], self.distances(keys[near])
            ends = np.searchsorted(i, np.arange(len(some) + 1))
            for k in range(len(some)):
                yield start + k, j[ends[k]:ends[k + 1]], d[ends[k]:ends[k + 1]]

    def within(self, Q, most):
        """(5): i, j and key of all pairs with a key of at most most_i, i rising, and j for each i.  Q is as `asked`."""
        framed, squares, slack, scales = self._asked(Q)
        least = self._as_closeness(most, squares, scales) - slack          # (B,): what may be that near
        found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
        for first, S in self._tiles(framed):
            i, j = pairs = np.array(np.nonzero(S + self.offsets[first:first + S.shape[1]] >= least[:, None]))
            j += first
            keys = np.empty(len(i))
            run_chunks(_measure_pairs, len(i), Q, self.X, pairs, self.kind, keys, chunk=20_000)
            near = keys <= most[i]
            found.append((i[near], j[near], keys[near]))
        i, j, keys = map(np.concatenate, zip(*found))
        order = np.argsort(i, kind="stable")
        return i[order], j[order], keys[order]

    def by_products(self, Q, n):
        """The n points of greatest (6), or product, for each query: the nearest but for rounding, (B, n)."""
        return self._largest(self._asked(Q)[0], n, self.halves)[0]

    def _largest(self, framed, n, offsets):
        heaps = selection.empty_heaps(len(framed), n, framed.dtype)
        for first, S in self._tiles(framed):
            selection.feed(S, offsets[first:first + S.shape[1]], first, *heaps)
        return selection.in_order(*heaps)

    def _tiles(self, framed):
        """(the first point, products) of the queries with a tile of points after the other."""
        width = min(len(self.P), selection.tile_width(len(framed)))
        scores = np.empty(len(framed) * width, self.P.dtype)
        for first in range(0, len(self.P), width):
            tile = self.P[first:first + width]
            S = scores[:len(framed) * len(tile)].reshape(len(framed), len(tile))
            yield first, np.matmul(framed, tile.T, out=S)


def as_rows(X, name):
    """One vector (D,), an array, a list or a column of a data frame, as a matrix (1, D); all else as it is."""
    flat = isinstance(X, (list, tuple)) and len(X) > 0 and all(np.ndim(value) == 0 for value in X)
    if flat or getattr(X, "ndim", None) == 1 and not hasattr(X, "columns"):
        return as_floats(X, name)[None]
    return X


def power_below(magnitude):
    """A power of two that makes `magnitude` about 1."""
    return np.ldexp(1.0, -np.clip(np.frexp(magnitude)[1], -1000, 1000))


# --- compiled ------------------------------------------------------------------------------------


@kernel(contract=True)
def key(q, x, kind):
    """By what a distance is compared: the square of (1), (2), or (3), in float64, the terms added in order."""
    if kind == PRODUCT:
        total = 0.0
        for d in range(x.size):
            total -= np.float64(q[d]) * x[d]
        return total
    square = squared_distance(q, x)
    if kind == EUCLIDEAN:
        return square
    a = b = 0.0
    for d in range(x.size):
        a, b = max(a, abs(q[d])), max(b, abs(x[d]))
    return square / 2 if a > 0 and b > 0 else 1.0


@kernel
def _measure(c, start, stop, Q, X, columns, kind, keys):
    """`key` of the queries start ... stop-1 and the points in their rows of `columns`."""
    for i in range(start, stop):
        for k in range(columns.shape[1]):
            keys[i, k] = key(Q[i], X[columns[i, k]], kind)


@kernel
def _measure_pairs(c, start, stop, Q, X, pairs, kind, keys):
    """`key` of the pairs start ... stop-1: a query and a point in each column of `pairs` (2, n)."""
    for k in range(start, stop):
        keys[k] = key(Q[pairs[0, k]], X[pairs[1, k]], kind)
