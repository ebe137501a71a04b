"""Two plain recommenders: what most people have, and what goes with what one has.

Before anything is learned, two simple answers are to be beaten.  The first shows everybody the items that most users
have (1), except those that the user has already.  The second asks which items are bought by the same people: two items
are alike if their columns of the matrix point in the same direction (2).  Each item keeps its few nearest neighbours
(3), and an item is recommended for all that a user has near it (4).  Nothing is fitted, and it is hard to beat.

Symbols
    A    (U, M)  what is known, as sparse rows: a_um is how much user u has of item m; what is not known counts as 0
    p    (M,)    popularity
    c    (M, M)  cosines: c_lm of items l and m
    n            how many neighbours an item keeps
    C    (M, M)  c with the nearest neighbours alone, as sparse rows
    s    (U, M)  scores

Equations
    (1)  p_m = how many users u have a known a_um                                        popularity
    (2)  c_lm = Σ_u a_ul a_um / (√Σ_u a_ul² √Σ_u a_um²), c_mm = 0                        item_cosine
    (3)  C_lm = c_lm if m is among the n items with the greatest c_l. > 0, else 0        nearest_items
    (4)  s_um = Σ_l a_ul C_lm                                                            neighbor_scores

Choices
    Ties: of items with equal scores, and of neighbours equally near, the one with the lower number comes first.
    An item that nobody has is like no other: its cosines are 0.
    The rows count as they are, so a user with long rows has more say about what is alike.  Where some have bought
    nearly everything, hand over a matrix with 1 for each count and then every row divided by its length;
    `scratchml.tour.als` does so, and hits more.
    What no neighbour speaks for has the score 0, and comes in order of number, before what has a score below 0.  But
    for a user of whom nothing is known, `ItemCosine` has no recommendation at all; `Popularity` has.

Cost
    (1) O(P) for P known values.  (2) O(Σ_u P_u² + M²) time, P_u the values of user u, on every core; (3) O(Σ_u P_u²),
    however many items there are, and O(M n) memory.  (4) O(P_u n + M) a user.

>>> A = np.array([[2, 1, np.nan, np.nan], [1, 1, np.nan, 1], [np.nan, np.nan, 3, 1]])
>>> popularity(A).tolist(), item_cosine(A)[0].round(4).tolist()
([2, 2, 1, 2], [0.0, 0.9487, 0.0, 0.3162])
>>> items, scores = ItemCosine().fit(A).recommend([0, 2], n=2)
>>> items.tolist(), scores.round(4).tolist()
([[3, 2], [1, 0]], [[1.1325, 0.0], [0.5, 0.3162]])

Source: M. Deshpande and G. Karypis, "Item-based top-N recommendation algorithms", ACM Transactions on Information
Systems 22 (2004), section 4.
"""
import numpy as np

from scratchml.core.checks import safe_to_square, true_or_false, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.selection import empty_heaps, in_order, largest, sink
from scratchml.core.sparse import Rows, is_one, known_entries, numbers_in_range, transposed, warn_of_zeros

BLOCK = 4_000_000                                        # scores that are held at a time: 32 MB

# --- the equations -------------------------------------------------------------------------------


def popularity(matrix):
    """(1)  p_m = how many users u have a known a_um

    Raises ValueError for what is no such matrix, is empty, infinite, or has an entry twice; so do all below.

    Shapes: A (U, M) -> (M)

    Parameters
    ----------
    matrix : array (U, M), Rows or sparse matrix (U, M)
        What users have; in an array NaN stands for what is not known.
    """
    A = known_entries(matrix, name="matrix")
    return np.bincount(A.indices, minlength=A.shape[1])


def item_cosine(matrix):
    """(2)  c_lm = Σ_u a_ul a_um / (√Σ_u a_ul² √Σ_u a_um²), c_mm = 0

    All of them, as an array (M, M).  Errors are those of `popularity`.

    Shapes: A (U, M) -> (M, M)

    Parameters
    ----------
    matrix : array (U, M), Rows or sparse matrix (U, M)
        What users have, as in `popularity`.
    """
    B = _unit_columns(_values(matrix))
    M = B.shape[1]
    c = np.empty((M, M))
    run_chunks(_cosines, M, B, transposed(B), c, chunk=_chunk(B))
    np.fill_diagonal(c, 0)
    return c


def nearest_items(matrix, n):
    """(3)  C_lm = c_lm if m is among the n items with the greatest c_l. > 0, else 0

    Rows (M, M); the nearest come first in a row.  Errors are those of `popularity`, and for n that is no whole number
    of at least 1.

    Shapes: A (U, M), n -> (M, M)
    """
    return _nearest_items(_values(matrix), whole_number(n, "n"))


def neighbor_scores(A, C):
    """(4)  s_um = Σ_l a_ul C_lm

    Shapes: A (U, M), C (M, M) -> (U, M)
    """
    s = np.empty((A.shape[0], C.shape[1]))
    run_chunks(_add_up, len(s), np.arange(len(s)), A, C, s, chunk=max(1, 100_000 // C.shape[1]))
    return s


# --- the recommenders ----------------------------------------------------------------------------


class _Scorer(Estimator):
    """A recommender with `interactions_` and `_scores(users)`, an array (B, M) that may be overwritten."""

    _takes_a_table = False                               # but a matrix of which most is not known

    def recommend(self, users, n=10, exclude_seen=True):
        """Items, int32, and their scores, both (B, n), the best first; both (n,) for a single user.

        Where fewer than n items are left, items end with -1 and scores with -inf: look up names[items[items >= 0]], as
        names[-1] is the last item's.
        Raises ValueError for unknown users, and for n that is no whole number from 1 to the number of items.

        Parameters
        ----------
        users : int or array (B,) of int
            Numbers of rows of the matrix of `fit`.
        n : int, default=10
            How many items.
        exclude_seen : bool, default=True
            Whether to leave out what `fit` knew a user to have.
        """
        self._check_fitted()
        A = self.interactions_
        U, M = A.shape
        single = is_one(users)
        users = numbers_in_range(users, U, "users")
        if whole_number(n, "n") > M:
            raise ValueError(f"n={n}: there are only {M} items; lower n")
        items, scores = np.empty((len(users), n), np.int32), np.empty((len(users), n))
        step = max(1, BLOCK // M)
        for first in range(0, len(users), step):
            some = users[first:first + step]
            s = self._scores(some)
            if true_or_false(exclude_seen, "exclude_seen"):
                _exclude(some, A, s)
            items[first:first + step], scores[first:first + step] = largest(s, n)
        return (items[0], scores[0]) if single else (items, scores)


class Popularity(_Scorer):
    """Recommends what most users have, (1).

    Attributes
    ----------
    popularity_ : (M,), how many users have each item
    interactions_ : the matrix of `fit`, as Rows
    """

    def fit(self, matrix, y=None):
        """Count who has what.  Returns itself.  Errors are those of the function `popularity`.

        Parameters
        ----------
        matrix : array (U, M), Rows or sparse matrix (U, M)
            What users have; in an array NaN stands for what is not known.
        y : None, default=None
            Ignored.
        """
        A = known_entries(matrix, name="matrix", dtype=np.float64)
        warn_of_zeros(matrix, A, "matrix")
        self.popularity_, self.interactions_ = popularity(A), A
        return self

    def _scores(self, users):
        return np.repeat(self.popularity_[None].astype(np.float64), len(users), axis=0)


class ItemCosine(_Scorer):
    """Recommends what is near to the items that a user has: (4) with (3); nothing to a user who has none.

    Parameters
    ----------
    n_neighbors : int, default=20
        n, or the number of items if that is less.

    Attributes
    ----------
    item_similarity_ : C (M, M), as Rows, the nearest first in each row
    interactions_ : the matrix of `fit`, as Rows
    """

    def __init__(self, n_neighbors=20):
        self.n_neighbors = n_neighbors

    def fit(self, matrix, y=None):
        """Find the neighbours.  Returns itself.  Raises ValueError as `item_cosine` does, and for bad parameters.

        Parameters
        ----------
        matrix : array (U, M), Rows or sparse matrix (U, M)
            What users have; in an array NaN stands for what is not known.
        y : None, default=None
            Ignored.
        """
        n = whole_number(self.n_neighbors, "n_neighbors")
        A = _values(matrix)
        warn_of_zeros(matrix, A, "matrix")
        self.item_similarity_, self.interactions_ = _nearest_items(A, n), A
        return self

    def _scores(self, users):
        A, C = self.interactions_, self.item_similarity_
        s = np.empty((len(users), C.shape[1]))
        run_chunks(_add_up, len(users), users, A, C, s, chunk=max(1, 100_000 // C.shape[1]))
        s[A.indptr[users] == A.indptr[users + 1]] = -np.inf
        return s


# --- pieces, and what is compiled ----------------------------------------------------------------


def _values(matrix):
    """`matrix` as Rows of float64 whose values can be multiplied and added up."""
    A = known_entries(matrix, name="matrix", dtype=np.float64)
    safe_to_square(A.data, "matrix")
    return A


def _unit_columns(A):
    """a_um / √Σ_u a_um², so that (2) is a sum of products; through the largest, so that no square is lost."""
    most, squares = np.zeros(A.shape[1]), np.zeros(A.shape[1])
    np.maximum.at(most, A.indices, np.abs(A.data))
    data = A.data / np.where(most > 0, most, 1)[A.indices]
    np.add.at(squares, A.indices, data * data)
    return A._replace(data=data / np.sqrt(np.where(squares > 0, squares, 1))[A.indices])


def _chunk(A):
    """Items that are worth a thread together, by the mean cost of one, and more than a row of all items."""
    lengths = np.diff(A.indptr).astype(np.float64)
    return int(max(1, (300_000 + A.shape[1]) // (1 + (lengths @ lengths) / A.shape[1])))


def _nearest_items(A, n):
    """(3) from (2) row by row, never the whole of it."""
    B = _unit_columns(A)
    M = B.shape[1]
    columns, values = empty_heaps(M, min(n, M), np.float64)
    run_chunks(_nearest, M, B, transposed(B), columns, values, chunk=_chunk(B))
    in_order(columns, values)
    kept = columns >= 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return Rows(indptr, columns[kept].astype(np.int32), values[kept], (M, M))


@kernel
def _cosines(c, start, stop, B, BT, cosines):
    """Σ_u b_ul b_um for items l = start ... stop-1 of BT, into `cosines`; users come in order, whatever the chunks."""
    for l in range(start, stop):
        row = cosines[l]
        row[:] = 0
        for k in range(BT.indptr[l], BT.indptr[l + 1]):
            u, b = BT.indices[k], BT.data[k]
            for j in range(B.indptr[u], B.indptr[u + 1]):
                row[B.indices[j]] += b * B.data[j]


@kernel
def _nearest(c, start, stop, B, BT, columns, values):
    """(3) for items l = start ... stop-1 of BT, into their heaps.

    What is not 0 stands where the same entries lead again.  Only where these are more than M is the whole row looked
    at.
    """
    row, M = np.zeros(B.shape[1]), B.shape[1]
    for l in range(start, stop):
        best, place, entries = values[l], columns[l], 0
        for k in range(BT.indptr[l], BT.indptr[l + 1]):
            u, b = BT.indices[k], BT.data[k]
            entries += B.indptr[u + 1] - B.indptr[u]
            for j in range(B.indptr[u], B.indptr[u + 1]):
                row[B.indices[j]] += b * B.data[j]
        row[l] = 0
        if entries > M:
            for m in range(M):
                _offer(best, place, row[m], m)
            row[:] = 0
        else:
            for k in range(BT.indptr[l], BT.indptr[l + 1]):
                for j in range(B.indptr[BT.indices[k]], B.indptr[BT.indices[k] + 1]):
                    m = B.indices[j]
                    _offer(best, place, row[m], m)
                    row[m] = 0                           # so each is offered once


@kernel
def _offer(best, place, value, column):
    """Put a cosine above 0 into the heap, if it belongs there; columns come in any order."""
    if value > 0 and (value > best[0] or value == best[0] and column < place[0]):
        sink(best, place, best.size, value, column)


@kernel
def _add_up(c, start, stop, users, A, C, s):
    """(4) for users[start ... stop-1], into their rows of s (B, M)."""
    for i in range(start, stop):
        row = s[i]
        row[:] = 0
        for k in range(A.indptr[users[i]], A.indptr[users[i] + 1]):
            l, a = A.indices[k], A.data[k]
            for j in range(C.indptr[l], C.indptr[l + 1]):
                row[C.indices[j]] += a * C.data[j]


@kernel
def _exclude(users, A, s):
    """-inf for the items that the users have."""
    for i in range(users.size):
        for k in range(A.indptr[users[i]], A.indptr[users[i] + 1]):
            s[i, A.indices[k]] = -np.inf
