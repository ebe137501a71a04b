"""Sparse rows against the matrix that they stand for."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows, dense, sparse_rows, transposed


@given(st.integers(0, 7), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_there_and_back(N, M, seed):
    rng = np.random.default_rng(seed)
    X = np.rint(rng.normal(size=(N, M)))
    rows = sparse_rows(X)
    assert rows.data.all() and rows.indices.dtype == np.int32 and rows.indptr.dtype == np.int64
    np.testing.assert_array_equal(dense(rows), X)
    turned = transposed(rows)
    np.testing.assert_array_equal(dense(turned), X.T)
    for m in range(M):
        assert (np.diff(turned.indices[turned.indptr[m]:turned.indptr[m + 1]]) > 0).all()


def test_a_column_that_comes_twice_adds_up():
    rows = Rows(np.array([0, 3]), np.array([1, 0, 1], np.int32), np.array([1.0, 2, 4]), (1, 2))
    assert dense(rows).tolist() == [[2, 5]] and dense(transposed(rows)).tolist() == [[2], [5]]


def test_only_matrices():
    with pytest.raises(ValueError, match=r"X: expected a matrix \(N, M\), got shape \(3,\)"):
        sparse_rows(np.zeros(3))
