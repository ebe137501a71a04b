"""Random hyperplanes: the plainest way to find neighbours without looking at all, and one with a theorem.

Throw a random plane through the origin.  Two vectors at an angle of θ lie on the same side of it unless it passes
between them, and of all planes a share of θ / π does (2).  The sides of b planes are b bits, a key under which the
vector is put into a table; vectors at a small angle often have the same key, others hardly ever.  Often is not always,
so there are L tables, each with planes of its own, and whoever shares the key of the query in one of them is measured
(3).

Nothing is learnt from the data.  That is the beauty of it, and why lists and graphs, which do learn, find more for
less.

Symbols
    X     (N, D)  vectors: x_n
    W     (b, D)  normals of b planes, w_j, each number drawn from a normal distribution
    x, y  (D,)    two vectors at an angle of θ
    p             the probability that one bit of theirs is the same
    b             bits of a key
    L             tables
    [ ]           1 where the statement holds, else 0

Equations
    (1)  h_nj = [w_j·x_n > 0]                                      signature
    (2)  P([w·x > 0] = [w·y > 0]) = 1 - θ / π                      collision_probability
    (3)  P(x is found) = 1 - (1 - p^b)^L                           found_probability

Why (2).  Only the part of w in the plane of x and y counts, and its direction there is uniform.  The bits differ where
the line across it passes between x and y: that is for directions in two arcs of θ each, of 2π.

Choices
    Distances are 1 - cos(q, x), and 1 where a vector is 0.  Vectors are taken as they are: where they all lie far to
    one side of the origin, their angles are small, nearly all share their keys, and all are measured; subtract the
    mean.  Fewer than k are found where fewer share a key with the query.

Cost
    A query takes O(L b D) for its keys and O(D) for each vector that shares one; memory L numbers of 12 bytes a vector.

>>> x, y = np.array([1., 0]), np.array([1., 1])
>>> float(round(collision_probability(x, y), 4)), round(found_probability(0.9, 10, 5), 4)
(0.75, 0.8828)

Source: M. Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002, section 3, after M. Goemans
and D. Williamson, JACM 42 (1995); P. Indyk and R. Motwani, STOC 1998, for (3).
"""
import numpy as np

from scratchml.core import selection
from scratchml.core.checks import held_in, safe_to_square, whole_number
from scratchml.core.distances import directions
from scratchml.core.estimator import Estimator
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.random import generator
from scratchml.neighbors.exhaustive import COSINE, as_rows
from scratchml.neighbors.ivf_search import Lists, measure_vectors, offer, product

BLOCK = 4096                                             # vectors whose bits are in memory at a time
MOST_BITS = 62

# --- the equations -------------------------------------------------------------------------------


def signature(X, W):
    """(1)  h_nj = [w_j·x_n > 0]

    Shapes: X (N, D), W (b, D) -> (N, b)
    """
    return X @ W.T > 0


def collision_probability(x, y):
    """(2)  P([w·x > 0] = [w·y > 0]) = 1 - θ / π

    The angle from the half-angle's tangent, ‖x̂ - ŷ‖ / ‖x̂ + ŷ‖, which has digits where a cosine has none.

    Shapes: x (D), y (D) -> ()
    """
    x, y = directions(np.stack([x, y]))
    return 1 - 2 * np.arctan2(np.linalg.norm(x - y), np.linalg.norm(x + y)) / np.pi


def found_probability(p, b, L):
    """(3)  P(x is found) = 1 - (1 - p^b)^L

    Shapes: p, b, L -> ()
    """
    return 1 - (1 - p**b) ** L


# --- the index -----------------------------------------------------------------------------------


class Hyperplanes(Estimator):
    """Approximate nearest neighbours by cosine, among vectors that share a key of random hyperplanes with the query.

    Parameters
    ----------
    n_tables : int, default=16
        L.
    n_bits : int, default=12
        b, at most 62: the more, the fewer vectors share a key.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the planes.

    Attributes
    ----------
    planes_ : (L b, D), the normals, those of a table one after the other
    keys_ : (L, N), int64, the keys of each table in rising order
    order_ : (L, N), int32, whose keys these are
    """

    def __init__(self, n_tables=16, n_bits=12, *, random_state=None):
        self.n_tables = n_tables
        self.n_bits = n_bits
        self.random_state = random_state

    def fit(self, X, y=None):
        """Put the rows of `X` into tables.  Returns itself.

        Raises ValueError for bad parameters, NaN, inf, and values whose squares over- or underflow.

        Parameters
        ----------
        X : array (N, D)
            Vectors.
        y : None, default=None
            Ignored.
        """
        X = safe_to_square(self._fit_matrix(X), work=np.float64)
        L, b = whole_number(self.n_tables, "n_tables"), whole_number(self.n_bits, "n_bits")
        if b > MOST_BITS:
            raise ValueError(f"n_bits={b}: expected at most {MOST_BITS}; no two vectors would share so long a key")
        planes = generator(self.random_state).normal(size=(L * b, X.shape[1])).astype(X.dtype)
        X, numbers = directions(X), np.arange(len(X), dtype=np.int32)
        keys = _keys(X, planes, b)
        order = np.argsort(keys, axis=1, kind="stable").astype(np.int32)
        vars(self).update(planes_=planes, order_=order, keys_=np.take_along_axis(keys, order, 1),
                          _vectors=Lists(np.array([0, len(X)]), numbers, numbers, X))
        return self

    def knn_query(self, data, k=1):
        """The numbers of the nearest that share a key, int64, and their distances, both (B, k), the nearest first.

        Numbers end with -1 and distances with inf where there are fewer.  Raises ValueError for bad queries and k.

        Parameters
        ----------
        data : array (B, D) or (D,)
            Queries.
        k : int, default=1
            How many.
        """
        self._check_fitted()
        X = self._vectors.rows
        Q = held_in(self._more_matrix(as_rows(data, "data")), X.dtype, "data")
        Q = directions(safe_to_square(Q, "data", work=np.float64, fitted=True))
        heaps = selection.empty_heaps(len(Q), whole_number(k, "k"), X.dtype)
        asked = _keys(Q, self.planes_, len(self.planes_) // len(self.keys_))
        spans = np.stack([[np.searchsorted(keys, some, side) for keys, some in zip(self.keys_, asked)]
                          for side in ("left", "right")])      # (2, L, B)
        run_chunks(_scan_tables, len(Q), Q, X, self.order_, spans, heaps, chunk=64)
        selection.in_order(*heaps)
        distances = np.empty((len(Q), k))
        run_chunks(measure_vectors, len(Q), Q, self._vectors, COSINE, heaps[0], distances, chunk=128)
        return heaps[0].astype(np.int64), distances.astype(X.dtype)


def _keys(X, planes, b):
    """The keys (L, N) of directions (N, D): (1), b bits each."""
    places = 1 << np.arange(b, dtype=np.int64)
    keys = np.empty((len(planes) // b, len(X)), np.int64)
    for start in range(0, len(X), BLOCK):
        bits = signature(X[start:start + BLOCK], planes).reshape(-1, len(keys), b)
        keys[:, start:start + BLOCK] = (bits @ places).T
    return keys


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _scan_tables(c, start, stop, Q, X, order, spans, heaps):
    """Offer q·x of the vectors at spans[0, t, i] ... spans[1, t, i]-1 of each table t to the heaps, each once."""
    seen = np.zeros(X.shape[0], np.int32)
    for i in range(start, stop):
        found, values = heaps[0][i], heaps[1][i]
        for t in range(order.shape[0]):
            for n in order[t, spans[0, t, i]:spans[1, t, i]]:
                if seen[n] <= i - start:
                    seen[n] = i - start + 1
                    value = product(Q[i], X[n])
                    if value >= values[0]:
                        offer(found, values, n, value)
