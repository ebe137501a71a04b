"""IVF, an index of inverted lists: of the vectors themselves, or of their codes.

The names are faiss's (nlist, nprobe, m, nbits) and hnswlib's (space, add_items, knn_query).
"""
import numbers

import numpy as np

from scratchml.core import selection, storage
from scratchml.core.checks import held_in, one_of, safe_to_square, whole_number
from scratchml.core.distances import directions
from scratchml.core.estimator import Estimator
from scratchml.core.jit import run_chunks
from scratchml.core.random import generator
from scratchml.core.sparse import whole_numbers
from scratchml.neighbors.exhaustive import COSINE, EUCLIDEAN, PRODUCT, Points, as_rows
from scratchml.neighbors.inverted_lists import centres_of, list_of
from scratchml.neighbors.ivf_search import Coding, Lists, measure_codes, measure_vectors, scan_codes, scan_vectors
from scratchml.neighbors.product_quantisation import books_of, decode, encode

KIND = "scratchml.neighbors.IVF"
SPACES = {"l2": EUCLIDEAN, "ip": PRODUCT, "cosine": COSINE}
POINTS_A_LIST = 40                                       # so many at least, if it is not said how many lists there are
MOST_LABEL = 2**63 - 1
QUERIES = 4096                                           # whose probes are in memory together


class IVF(Estimator):
    """Approximate nearest neighbours from the lists of the centres that are nearest to the query.

    With m = None the lists hold the vectors, and with nprobe = nlist the answer is exhaustive.  Else they hold codes of
    m bytes each, and distances are those to what the codes stand for.  Points are chosen by sums in the type of the
    data, and measured in float64 once chosen: of float32, cosines that differ by less than 1e-7 may be taken for each
    other.  Beside its vector or code a point takes 16 to 24 bytes.

    Parameters
    ----------
    nlist : int or None, default=None
        How many lists; None for about 4 √N, and at most N / 40.
    nprobe : int, default=8
        How many of them are looked through for a query, or all if there are fewer.  May be changed at any time.
    m : int or None, default=None
        Bytes of a code, a divisor of D; None for no codes.
    nbits : int, default=8
        A code chooses among 2^nbits vectors in each of its m slices; at most 8.
    space : {"l2", "ip", "cosine"}, default="l2"
        The distance: ‖q - x‖², 1 - q·x, or 1 - cos(q, x).
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of where k-means begins.

    Attributes
    ----------
    centres_ : (L, D), those of the lists; for cosines, of vectors of length 1
    books_ : (m, K, D/m), the vectors that codes stand for, or None
    lists_ : the `Lists`
    labels_ : (N,), int64, the label of each number in the lists
    """

    def __init__(self, nlist=None, *, nprobe=8, m=None, nbits=8, space="l2", random_state=None):
        self.nlist = nlist
        self.nprobe = nprobe
        self.m = m
        self.nbits = nbits
        self.space = space
        self.random_state = random_state

    # --- what is in it

    def fit(self, X, y=None):
        """Find centres, and books if there are codes, and put the rows of `X` into lists under the labels 0, 1, ...

        Returns itself.  Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow in the
        type of the data, more lists than points, and an m that does not divide D.

        Parameters
        ----------
        X : array (N, D)
            Vectors; float32 stays float32, all else becomes float64.
        y : None, default=None
            Ignored.
        """
        X = safe_to_square(self._fit_matrix(X))
        N, D = X.shape
        space, rng = one_of(self.space, "space", tuple(SPACES)), generator(self.random_state)
        whole_number(self.nprobe, "nprobe")
        L = max(1, min(round(4 * N**0.5), N // POINTS_A_LIST)) if self.nlist is None else \
            whole_number(self.nlist, "nlist")
        if L > N:
            raise ValueError(f"nlist={L}: expected at most the number of points, {N}; lower nlist")
        m, K = self._code(D)
        rows = directions(X) if space == "cosine" else X
        centres, books = centres_of(rows, L, rng), None
        if m:
            K = min(K, N)
            some = rows if N <= 256 * K else rows[np.sort(rng.choice(N, 256 * K, replace=False))]
            books = books_of(some - centres[list_of(some, centres)], m, K, rng)
        fresh = IVF(**self.get_params())
        fresh._begin(centres, books, space)
        fresh._put(rows, np.arange(N))
        vars(self).update({name: value for name, value in vars(fresh).items() if name not in self.get_params()})
        return self

    def _code(self, D):
        """m or 0, and 2^nbits."""
        nbits = whole_number(self.nbits, "nbits")
        if nbits > 8:
            raise ValueError(f"nbits={nbits}: expected at most 8, a byte for each slice; raise m for longer codes")
        m = 0 if self.m is None else whole_number(self.m, "m")
        if m and D % m:
            divisors = [n for n in range(1, D + 1) if D % n == 0]
            raise ValueError(f"m={m}: slices of the {D} features must be of one length; m may be {divisors}")
        return m, 2**nbits

    def _begin(self, centres, books, space):
        """Empty lists of these centres (L, D), with books (m, K, D/m) or None for no codes."""
        vars(self).update(centres_=centres, books_=books, labels_=np.zeros(0, np.int64),
                          n_features_in_=centres.shape[1], _space=space,
                          _coarse=Points(centres, EUCLIDEAN if space == "l2" else PRODUCT))
        rows = np.zeros((0, centres.shape[1]), centres.dtype) if books is None else np.zeros((0, len(books)), np.uint8)
        self._keep(np.zeros(0, np.int64), np.zeros(0, np.int32), rows, self.labels_)

    def _put(self, rows, labels):
        """Put vectors, of length 1 for cosines, at the ends of their lists."""
        of, (starts, order, _, before) = list_of(rows, self.centres_), self.lists_
        if self.books_ is not None:
            rows = encode(rows - self.centres_[of], self.books_)
        of = np.concatenate([np.repeat(np.arange(len(starts) - 1), np.diff(starts)), of])
        order = np.concatenate([order, len(self.labels_) + np.arange(len(labels), dtype=np.int32)])
        self._keep(of, order, np.concatenate([before, rows]), np.concatenate([self.labels_, labels]))

    def _keep(self, of, given, rows, labels):
        """Make lists of rows (N, D) or codes (N, m) of the numbers `given` (N,), which are in the lists `of` (N,)."""
        order = np.argsort(of, kind="stable").astype(np.int32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(self.centres_)))])
        places = np.empty(len(order), np.int32)
        places[given[order]] = np.arange(len(order), dtype=np.int32)
        lists = Lists(starts, given[order], places, rows[order])
        vars(self).update(lists_=lists, labels_=labels, _coding=self._coding_of(lists))

    def _coding_of(self, lists):
        """What queries need of centres and books, from the origin of the centres; None if there are no codes."""
        if self.books_ is None:
            return None
        origin = self._coarse.origin
        terms = np.zeros(len(lists.numbers), self.centres_.dtype)
        if self._space == "l2":
            for rows in np.array_split(np.arange(len(terms)), 1 + len(terms) // QUERIES):
                x = self._stand_for(lists, rows) - origin
                terms[rows] = -0.5 * np.einsum("nd,nd->n", x, x)
        return Coding(self.centres_ - origin, self.books_, np.ascontiguousarray(self.books_.transpose(0, 2, 1)), terms)

    def _stand_for(self, lists, rows):
        """The vectors (n, D) of some rows of the lists, or what their codes stand for."""
        if self.books_ is None:
            return lists.rows[rows]
        of = np.searchsorted(lists.starts, rows, side="right") - 1
        return self.centres_[of] + decode(lists.rows[rows], self.books_)

    def add_items(self, data, ids=None):
        """Put more vectors into the lists, whose centres stay where they are.  Returns itself.

        The arrays are made anew: add many at once.  Raises ValueError as `fit` does, and for labels that are no whole
        numbers >= 0, or come twice.

        Parameters
        ----------
        data : array (N, D) or (D,)
            Vectors.
        ids : array (N,) of int or None, default=None
            Their labels; None for numbers from the greatest label so far on.
        """
        rows = self._further(data, "data")
        first = 1 + int(self.labels_.max(initial=-1))
        labels = first + np.arange(len(rows)) if ids is None else \
            whole_numbers([ids] if isinstance(ids, numbers.Integral) else ids, "ids")
        if labels.shape != (len(rows),):
            raise ValueError(f"ids: expected {len(rows)} labels, one for each row of data, got shape {labels.shape}")
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < MOST_LABEL:
            raise ValueError(f"ids: expected whole numbers >= 0, and below {MOST_LABEL}, got {labels.min()} to "
                             f"{labels.max()}; -1 says that nothing was found")
        labels = labels.astype(np.int64)
        known, counts = np.unique(np.concatenate([self.labels_, labels]), return_counts=True)
        if (counts > 1).any():
            raise ValueError(f"ids: the label {known[counts.argmax()]} comes twice, or is in the index already")
        self._put(rows, labels)
        return self

    def _further(self, X, name):
        """Vectors (B, D) or one (D,) in the type and form of those in the lists."""
        self._check_fitted()
        X = held_in(self._more_matrix(as_rows(X, name)), self.centres_.dtype, name)
        X = safe_to_square(X, name, fitted=True)
        return directions(X) if self._space == "cosine" else X

    # --- what is found in it

    def knn_query(self, data, k=1):
        """The labels of the nearest, int64, and their distances, both (B, k), the nearest first: hnswlib's order.

        Of equal distances what came into the index first comes first.  Where the lists hold fewer than k, more are
        looked through; where the index does, labels end with -1 and distances with inf.  Raises ValueError for bad
        queries and k.

        Parameters
        ----------
        data : array (B, D) or (D,)
            Queries.
        k : int, default=1
            How many.
        """
        Q = self._further(data, "data")
        k, P, L = whole_number(k, "k"), whole_number(self.nprobe, "nprobe"), len(self.centres_)
        found, keys = np.full((len(Q), k), -1, np.int32), np.full((len(Q), k), np.inf)
        left, P, enough = np.arange(len(Q)), min(P, L), min(k, len(self.labels_))
        while len(left):
            for start in range(0, len(left), QUERIES):
                some = left[start:start + QUERIES]
                found[some], keys[some] = self._look_through(Q[some], k, P)
            left = left[found[left, enough - 1] < 0] if P < L and enough else left[:0]
            P = min(4 * P, L)
        labels = np.where(found >= 0, self.labels_[found], -1) if enough else found.astype(np.int64)
        return labels, (keys if self._space == "l2" or self._measured_as() == COSINE else 1 + keys).astype(Q.dtype)

    def _look_through(self, Q, k, P):
        """The k best in the P nearest lists of each query: numbers and keys, in order."""
        probes, heaps = self._coarse.by_products(Q, P), selection.empty_heaps(len(Q), k, Q.dtype)
        keys, kind, B = np.empty((len(Q), k)), self._measured_as(), len(Q)
        if self.books_ is None:
            run_chunks(scan_vectors, B, Q, probes, self.lists_, kind != EUCLIDEAN, heaps, chunk=16)
            selection.in_order(*heaps)
            run_chunks(measure_vectors, B, Q, self.lists_, kind, heaps[0], keys, chunk=128)
        else:
            R = Q - self._coarse.origin
            run_chunks(scan_codes, B, R, probes, self.lists_, self._coding, heaps, chunk=16)
            selection.in_order(*heaps)
            run_chunks(measure_codes, B, R, self.lists_, self._coding, kind, (heaps[0], keys), chunk=128)
        return heaps[0], keys

    def _measured_as(self):
        """What kind of key is measured: codes of vectors of length 1 stand for vectors of not quite that length."""
        kind = SPACES[self._space]
        return PRODUCT if kind == COSINE and self.books_ is not None else kind

    def reconstruct(self):
        """What the index holds of each item, (N, D) in the order of `labels_`: vectors, or what their codes stand for.

        For cosines they have length 1, or nearly so.  Raises ValueError if the index is not fitted.
        """
        self._check_fitted()
        return self._stand_for(self.lists_, self.lists_.places)

    # --- on disk

    def save(self, path):
        """Write the index to a file.  Raises ValueError if it is not fitted, OSError if it cannot be written.

        random_state is not kept.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        arrays = dict(centres=self.centres_, labels=self.labels_, starts=self.lists_.starts,
                      numbers=self.lists_.numbers, rows=self.lists_.rows,
                      **({} if self.books_ is None else {"books": self.books_}))
        parameters = {name: value for name, value in self.get_params().items() if name != "random_state"}
        storage.save(path, KIND, arrays, {"parameters": parameters, "space": self._space})

    @classmethod
    def load(cls, path):
        """The index that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, KIND)
        try:
            one_of(rest["space"], "space", tuple(SPACES))
            _check_stored(arrays)
            index = cls(**rest["parameters"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: damaged, {error}; save the index again") from error
        index._begin(arrays["centres"], arrays.get("books"), rest["space"])
        of = np.repeat(np.arange(len(index.centres_)), np.diff(arrays["starts"]))
        index._keep(of, arrays["numbers"], arrays["rows"], arrays["labels"])
        return index


def _check_stored(arrays):
    """Raise ValueError unless every number in arrays of a file leads somewhere: kernels would follow it anywhere."""
    centres, books, starts, order, rows, labels = (arrays.get(name) for name in (
        "centres", "books", "starts", "numbers", "rows", "labels"))
    if centres.ndim != 2 or 0 in centres.shape or centres.dtype not in (np.float32, np.float64):
        raise ValueError(f"its centres have shape {centres.shape} and {centres.dtype}")
    (L, D), N = centres.shape, len(labels)
    if books is not None and (books.ndim != 3 or 0 in books.shape or books.shape[0] * books.shape[2] != D
                              or books.shape[1] > 256 or books.dtype != centres.dtype):
        raise ValueError(f"its books have shape {books.shape} and {books.dtype}")
    wide, dtype = (D, centres.dtype) if books is None else (len(books), np.dtype(np.uint8))
    expected = {"starts": ((L + 1,), np.int64), "numbers": ((N,), np.int32), "rows": ((N, wide), dtype),
                "labels": ((N,), np.int64)}
    for name, (shape, kind) in expected.items():
        if arrays[name].shape != shape or arrays[name].dtype != kind:
            raise ValueError(f"its {name} have shape {arrays[name].shape} and {arrays[name].dtype}, not {shape} and "
                             f"{np.dtype(kind)}")
    if starts[0] != 0 or starts[-1] != N or (np.diff(starts) < 0).any():
        raise ValueError("its lists do not begin where others end")
    if not np.array_equal(np.sort(order), np.arange(N)):
        raise ValueError("its numbers are not those of its points")
    if books is not None and N and rows.max() >= books.shape[1]:
        raise ValueError("it has codes that no book knows")
    if not all(np.isfinite(part).all() for part in (centres, rows, books if books is not None else 0.0)):
        raise ValueError("it holds NaN or infinity")
