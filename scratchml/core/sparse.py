"""Sparse rows: of a matrix that is almost all zeros, only the rest.

A word has a dozen attributes out of a million, a customer has bought thirty of ten thousand things.  Compressed rows
(CSR) hold, row after row, the columns that are not zero and the values there; `indptr` says where each row begins.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel


class Rows(NamedTuple):
    """A sparse matrix (N, M): row n has data[k] in column indices[k] for k = indptr[n] ... indptr[n+1]-1.

    A column may come more than once in a row: its values add up.  Kernels take it as it is.
    """
    indptr: np.ndarray                                   # (N+1,) int64
    indices: np.ndarray                                  # (nnz,) int32
    data: np.ndarray                                     # (nnz,) float64
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
    indices, data = np.empty(rows.indices.size, np.int32), np.empty(rows.indices.size)
    _scatter(rows.indptr, rows.indices, rows.data, indptr[:-1].copy(), indices, data)
    return Rows(indptr, indices, data, (M, N))


@kernel
def _scatter(indptr, columns, values, place, indices, data):
    """Every value to the next free `place` of its column; `place` (M,) is overwritten."""
    for n in range(indptr.size - 1):
        for k in range(indptr[n], indptr[n + 1]):
            m = columns[k]
            indices[place[m]], data[place[m]] = n, values[k]
            place[m] += 1
