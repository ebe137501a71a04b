"""Sparse rows: of a matrix that is almost all zeros, only the rest.

A word has a dozen attributes out of a million, a customer has bought thirty of ten thousand things.  Compressed rows
(CSR) hold, row after row, the columns that are not zero and the values there; `indptr` says where each row begins.
"""
import numbers
import warnings
from collections.abc import Iterator, MappingView
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_floats, finite, unmasked
from scratchml.core.jit import kernel


class Rows(NamedTuple):
    """A sparse matrix (N, M): row n has data[k] in column indices[k] for k = indptr[n] ... indptr[n+1]-1.

    A column may come more than once in a row: its values add up.  Kernels take it as it is.
    """
    indptr: np.ndarray                                   # (N+1,) int64
    indices: np.ndarray                                  # (nnz,) int32
    data: np.ndarray                                     # (nnz,) float64, or float32 where a chapter says so
    shape: tuple[int, int]


def sparse_rows(X):
    """A matrix (N, M) as Rows without its zeros.  Raises ValueError if it has not two dimensions."""
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"X: expected a matrix (N, M), got shape {X.shape}")
    n, indices = np.nonzero(X)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(n, minlength=len(X)))])
    return Rows(indptr.astype(np.int64), indices.astype(np.int32), X[n, indices].astype(np.float64), X.shape)


def dense(rows):
    """The matrix (N, M) that `rows` stands for.  Raises ValueError if there is no memory for it, as NumPy does."""
    X = np.zeros(rows.shape)
    np.add.at(X, (np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices), rows.data)
    return X


def transposed(rows):
    """The Rows of the transposed matrix (M, N); within a row, columns rise."""
    N, M = rows.shape
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows.indices, minlength=M))]).astype(np.int64)
    indices, data = np.empty(rows.indices.size, np.int32), np.empty(rows.indices.size, rows.data.dtype)
    _scatter(rows.indptr, rows.indices, rows.data, indptr[:-1].copy(), indices, data)
    return Rows(indptr, indices, data, (M, N))


def some_rows(rows, which):
    """The rows of the numbers `which` (n,), in that order, as Rows (n, M).  Raises no error: the caller knows them."""
    counts = np.diff(rows.indptr)[which]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    entries = np.arange(indptr[-1]) + np.repeat(rows.indptr[which] - indptr[:-1], counts)
    return Rows(indptr, rows.indices[entries], rows.data[entries], (len(counts), rows.shape[1]))


# --- tables of samples, sparse -------------------------------------------------------------------


class SparseTable:
    """Samples (N, D) as Rows whose columns come once each, in the clothes of an array, as far as estimators look."""

    def __init__(self, rows):
        self.rows, self.data = rows, rows.data
        self.shape, self.dtype, self.size = rows.shape, rows.data.dtype, rows.shape[0] * rows.shape[1]

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, which):
        """The samples that a slice, numbers or a mask name, as a table."""
        return SparseTable(some_rows(self.rows, np.arange(len(self))[which]))

    def holding(self, data):
        """The same places with other values."""
        return SparseTable(self.rows._replace(data=data))

    def max(self, initial):
        return self.data.max(initial=initial)

    def min(self, initial):
        return self.data.min(initial=initial)

    def mean(self):
        """The mean (D,) of each column.  The second pass gives back the digits that a long sum loses to an offset."""
        D, columns = self.shape[1], self.rows.indices
        μ = np.bincount(columns, self.data, minlength=D) / len(self)
        zeros = len(self) - np.bincount(columns, minlength=D)
        return μ + (np.bincount(columns, self.data - μ[columns], minlength=D) - zeros * μ) / len(self)

    def squares_about(self, μ):
        """Σ_i (x_id - μ_d)² of each column (D,), those among them that are not stored, and 0."""
        D, columns = self.shape[1], self.rows.indices
        apart = self.data.astype(np.float64) - μ[columns]
        return np.bincount(columns, apart * apart, minlength=D) + \
            (len(self) - np.bincount(columns, minlength=D)) * μ**2

    def var(self, axis=0, dtype=None):
        """The variance (D,) of each column, in float64."""
        return self.squares_about(self.mean()) / len(self)

    def ranges(self):
        """The least and the largest value of each column, (D,) each; what is not stored is 0."""
        D, columns = self.shape[1], self.rows.indices
        full = np.bincount(columns, minlength=D) == len(self)
        low, high = np.where(full, np.inf, 0.0), np.where(full, -np.inf, 0.0)
        np.minimum.at(low, columns, self.data)
        np.maximum.at(high, columns, self.data)
        return low, high

    def written_out(self):
        """The array (N, D)."""
        X, rows = np.zeros(self.shape, self.dtype), self.rows
        X[np.repeat(np.arange(len(self)), np.diff(rows.indptr)), rows.indices] = self.data
        return X

    def blocks(self, size=1 << 22):
        """The samples written out, about `size` numbers at a time: one array (n, D) after the other."""
        step = max(1, size // self.shape[1])
        for start in range(0, len(self), step):
            yield self[start:start + step].written_out()


def is_sparse(X):
    return isinstance(X, Rows) or hasattr(X, "tocsr")


def sparse_table(X, *, name="X"):
    """Rows or a sparse matrix of SciPy, in which what comes twice adds up, as a SparseTable; float32 stays float32.

    Raises ValueError for another number of dimensions, an empty matrix, values that are NaN or infinite, columns out of
    range, and entries of Rows that come twice.
    """
    if hasattr(X, "tocsr"):
        X = X.tocsr()
        if not getattr(X, "has_canonical_format", True):
            X = X.copy()
            X.sum_duplicates()
    return SparseTable(_checked(Rows(X.indptr, X.indices, X.data, X.shape), name, None))


# --- matrices of which some entries are known, and the others not ---------------------------------


def known_entries(X, *, name="X", dtype=None, allow_nan=False):
    """The entries of `X` (N, M) that are known, as Rows in which a column comes at most once in a row.

    `X` is an array in which NaN stands for what is not known, or Rows, or a sparse matrix of SciPy; of the last two
    every stored entry is known, zeros too.  float32 stays float32 and all else becomes float64, unless `dtype` says
    otherwise; what has the right types already is not copied.

    Raises ValueError for another number of dimensions, an empty matrix, values that are infinite or (stored) NaN, if
    that is not what `allow_nan` allows in Rows and matrices of SciPy, columns out of range and entries that come twice;
    it names the first.
    """
    if isinstance(X, Rows):
        return _checked(X, name, dtype, allow_nan)
    if hasattr(X, "row") and hasattr(X, "col"):          # coordinates: tocsr() would add up what comes twice
        names = f"{name}.row", f"{name}.col", f"{name}.data"
        return entries_at(X.row, X.col, X.data, X.shape, dtype=dtype, names=names)
    if hasattr(X, "tocsr"):
        X = X.tocsr()
        return _checked(Rows(X.indptr, X.indices, X.data, X.shape), name, dtype, allow_nan)
    X = as_floats(X, name)
    with np.errstate(over="ignore"):                     # what float32 cannot hold becomes infinite, and is refused so
        X = X.astype(dtype or X.dtype, copy=False)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"{name}: expected a matrix (N, M) with at least one row and one column, got shape {X.shape}")
    finite(X, name, allow_nan=True)
    known = ~np.isnan(X)
    indptr = np.concatenate([[0], np.cumsum(known.sum(axis=1))]).astype(np.int64)
    return Rows(indptr, np.nonzero(known)[1].astype(np.int32), X[known], X.shape)


def entries_at(rows, columns, values, shape=None, *, dtype=None, names=("rows", "columns", "values")):
    """Rows with values[k] in row rows[k] and column columns[k], each (nnz,); `shape` is by default as small as can be.

    Without a shape most rows and columns should have an entry: identifiers of nine digits would make a matrix of their
    size, so where the greatest number is beyond ten times as many as there are different ones, and 1,000, it is an
    error.  Raises ValueError for arrays of different lengths, places that are no whole numbers or out of range, entries
    that come twice, values that are NaN or infinite, and no entry where there is no shape; it calls the arrays `names`.
    """
    rows, columns = (whole_numbers(places, name) for places, name in zip((rows, columns), names))
    values = _values(list(values) if isinstance(values, (Iterator, MappingView)) else values, names[2], dtype)
    if not rows.shape == columns.shape == values.shape:
        raise ValueError(f"{', '.join(names)}: expected arrays of one length, got shapes {rows.shape}, {columns.shape} "
                         f"and {values.shape}")
    if shape is None:
        if not rows.size:
            raise ValueError(f"{names[0]}: expected at least one entry, got none; pass shape for an empty matrix")
        for places, name in zip((rows, columns), names):
            _no_identifiers(in_range(places, 2**31 - 1, name), name)
        shape = int(rows.max()) + 1, int(columns.max()) + 1
    N, M = shape = _shape(shape)
    for places, n, name in zip((rows, columns), shape, names):
        in_range(places, n, name)
    order = np.lexsort((columns, rows))
    again = np.flatnonzero((np.diff(rows[order]) == 0) & (np.diff(columns[order]) == 0))
    if again.size:
        second = order[again + 1].min()
        first = np.flatnonzero((rows == rows[second]) & (columns == columns[second]))[0]
        raise ValueError(f"{names[0]}, {names[1]}: ({rows[second]}, {columns[second]}) comes twice, at {first} and "
                         f"{second}; keep one of them, or their sum or mean")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=N))]).astype(np.int64)
    return Rows(indptr, columns[order].astype(np.int32), values[order], shape)


def _no_identifiers(places, name):
    """Raises ValueError if the numbers from 0 to the greatest of `places` (n,) would mostly stand for nothing."""
    most = int(places.max())
    if most < 1000:
        return
    different = np.unique(places).size if most > 10 * places.size + 1000 else np.count_nonzero(np.bincount(places))
    if most > 10 * different + 1000:
        raise ValueError(f"{name}: the greatest is {most}, but only {different} are different, as with identifiers; "
                         f"number them from 0, ids, {name} = np.unique({name}, return_inverse=True), or pass shape for "
                         "a matrix of that size")


def whole_numbers(places, name):
    """`places` (n,), which may be an iterator or hold Python's integers as objects, as an array.  Raises ValueError."""
    places = list(places) if isinstance(places, (Iterator, MappingView)) else unmasked(places, name)
    try:
        array = np.asarray(places)
        if array.dtype == object and all(isinstance(n, numbers.Integral) and not isinstance(n, bool)
                                         for n in array.flat):
            array = array.astype(np.int64)
    except (ValueError, OverflowError) as error:         # rows of different lengths, more than int64 holds
        raise ValueError(f"{name}: expected whole numbers (n,): {error}") from None
    if array.ndim != 1 or array.dtype.kind not in "iu" and array.size:
        remedy = f"; number such names from 0, e.g. by np.unique({name}, return_inverse=True)"
        raise ValueError(f"{name}: expected whole numbers (n,), got dtype {array.dtype} and shape {array.shape}"
                         + (remedy if array.dtype.kind in "OSUM" else ""))
    if array.dtype.kind == "u":
        in_range(array, 2**63, name)                     # as int64 they would be negative
    return array.astype(np.int64, copy=False)


def numbers_in_range(some, n, name):
    """One number or several, each 0 ... n-1, as an array.  Raises ValueError."""
    return in_range(whole_numbers([some] if is_one(some) else some, name), n, name)


def is_one(some):
    """Whether `some` is a single number, not several: no array of at least one dimension, list, view or iterator."""
    return not hasattr(some, "__iter__") or isinstance(some, str) or getattr(some, "ndim", 1) == 0


def warn_of_zeros(X, known, name, stacklevel=3):
    """Warn if all entries of the array `X` are `known`, and zeros among them may stand for what is not known."""
    sparse = isinstance(X, Rows) or hasattr(X, "tocsr")
    if sparse or known.data.size < known.shape[0] * known.shape[1]:
        return
    if _is_table(known.data.reshape(known.shape)):
        warnings.warn(f"{name}: this array of shape {known.shape} looks like a table with a row for each entry, and is "
                      "read as a matrix with a row for each user; scipy.sparse.coo_matrix((values, (users, items))) "
                      "makes a matrix of such a table", stacklevel=stacklevel)
        return
    if known.data.all() or not known.data.any():
        return
    warnings.warn(f"{name}: no entry is NaN, so all are known, each 0 too, and nothing is left to recommend; where 0 "
                  f"means not known, pass np.where({name} == 0, np.nan, {name}) or scipy.sparse.csr_matrix({name})",
                  stacklevel=stacklevel)


def _is_table(X):
    """Whether the rows of X (N, 3 or 4) may be users, items, values and times: whole numbers, and no pair twice."""
    if X.shape[1] not in (3, 4) or len(X) < 20:
        return False
    places = X[:, :2]
    return bool((places >= 0).all() and (places == np.floor(places)).all() and (places.max(axis=0) >= 10).any()
                and len(np.unique(places, axis=0)) == len(X))


def in_range(places, n, name):
    """`places` itself, if all of them are 0 ... n-1; else a ValueError that names the first that is not."""
    wrong = (places < 0) | (places >= n)
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(f"{name}: expected 0 ... {n - 1}, got {places[k]} at {k}")
    return places


def _checked(rows, name, dtype, allow_nan=False):
    """`rows` in the types that kernels take, if they stand for a matrix whose entries come once each."""
    N, M = shape = _shape(rows.shape, name)
    indptr = whole_numbers(rows.indptr, f"{name}.indptr")
    indices, values = np.asarray(rows.indices), _values(rows.data, f"{name}.data", dtype, allow_nan)
    if indptr.size != N + 1 or indptr[0] != 0 or (np.diff(indptr) < 0).any():
        raise ValueError(f"{name}.indptr: expected {N + 1} whole numbers for {N} rows, from 0 upwards, "
                         f"got {indptr.size}")
    if indices.dtype.kind not in "iu" and indices.size or not indices.shape == values.shape == (indptr[-1],):
        raise ValueError(f"{name}.indices, {name}.data: expected {indptr[-1]} whole numbers and as many values, "
                         f"as indptr says, got {indices.dtype} of shape {indices.shape} and values {values.shape}")
    in_range(indices, M, f"{name}.indices")
    indices = np.ascontiguousarray(indices, np.int32)
    k = _first_again(indptr, indices, np.full(M, -1, np.int64))
    if k >= 0:
        raise ValueError(f"{name}: row {np.searchsorted(indptr, k, side='right') - 1} has column {indices[k]} twice; "
                         "keep one of the two entries, or their sum or mean")
    return Rows(np.ascontiguousarray(indptr), indices, values, shape)


def _shape(shape, name="shape"):
    try:
        N, M = shape
        if not (isinstance(N, numbers.Integral) and isinstance(M, numbers.Integral)):
            raise TypeError
        N, M = int(N), int(M)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected the shape (N, M) of a matrix, got {shape!r}") from None
    if not 1 <= min(N, M) or max(N, M) >= 2**31:
        raise ValueError(f"{name}: expected a matrix (N, M) with at least one row and one column, got shape {(N, M)}")
    return N, M


def _values(values, name, dtype, allow_nan=False):
    values = as_floats(values, name)
    with np.errstate(over="ignore"):                     # what float32 cannot hold becomes infinite, and is refused so
        return finite(values.astype(dtype or values.dtype, copy=False), name, allow_nan=allow_nan)


@kernel
def _first_again(indptr, indices, seen):
    """The first k whose column came before in its row, -1 if there is none; `seen` (M,) begins as -1."""
    for n in range(indptr.size - 1):
        for k in range(indptr[n], indptr[n + 1]):
            if seen[indices[k]] == n:
                return k
            seen[indices[k]] = n
    return -1


# --- compiled -----------------------------------------------------------------------------------


@kernel
def _scatter(indptr, columns, values, place, indices, data):
    """Every value to the next free `place` of its column; `place` (M,) is overwritten."""
    for n in range(indptr.size - 1):
        for k in range(indptr[n], indptr[n + 1]):
            m = columns[k]
            indices[place[m]], data[place[m]] = n, values[k]
            place[m] += 1
