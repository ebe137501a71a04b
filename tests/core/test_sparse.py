"""Sparse rows against the matrix that they stand for."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows, dense, entries_at, known_entries, sparse_rows, sparse_table, transposed


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


def test_transposing_keeps_float32():
    rows = Rows(np.array([0, 1]), np.array([1], np.int32), np.array([2], np.float32), (1, 2))
    assert transposed(rows).data.dtype == np.float32


# --- known entries

def triples(rows):
    return [(n, int(m), float(x)) for n in range(rows.shape[0])
            for m, x in zip(*(part[rows.indptr[n]:rows.indptr[n + 1]] for part in (rows.indices, rows.data)))]


@given(st.integers(1, 7), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_known_is_what_is_not_nan(N, M, seed):
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((N, M)) < 0.5, np.rint(rng.normal(size=(N, M))), np.nan)
    rows = known_entries(X)
    expected = [(n, m, X[n, m]) for n in range(N) for m in range(M) if not np.isnan(X[n, m])]
    assert triples(rows) == expected and rows.shape == (N, M)
    assert (rows.indptr.dtype, rows.indices.dtype, rows.data.dtype) == (np.int64, np.int32, np.float64)
    order = rng.permutation(len(expected))
    n, m, values = np.array(expected).reshape(-1, 3)[order].T
    again = entries_at(n.astype(int), m.astype(int), values, (N, M))
    assert triples(again) == expected and again.shape == (N, M)


def test_rows_of_the_right_types_are_not_copied():
    rows = known_entries(np.array([[1, np.nan], [np.nan, 0]], np.float32))
    again = known_entries(rows)
    assert again.data.dtype == np.float32 and np.shares_memory(again.data, rows.data)
    assert np.shares_memory(again.indices, rows.indices) and triples(again) == [(0, 0, 1.0), (1, 1, 0.0)]
    assert known_entries(rows, dtype=np.float64).data.dtype == np.float64


class Compressed:
    """What a sparse matrix of SciPy looks like."""
    indptr, indices = np.array([0, 1, 3], np.int32), np.array([2, 2, 0], np.int32)
    data, shape = np.array([1, 2, 0]), (2, 3)

    def tocsr(self):
        return self


class Coordinates(Compressed):
    row, col, data, shape = np.array([1, 0, 1], np.int32), np.array([2, 2, 0], np.int32), np.array([2, 1, 0]), (2, 3)


def test_sparse_matrices_of_others():
    assert sorted(triples(known_entries(Compressed()))) == triples(known_entries(Coordinates())) \
        == [(0, 2, 1.0), (1, 0, 0.0), (1, 2, 2.0)]
    assert known_entries(Compressed()).indptr.dtype == np.int64


def spoiled(**parts):
    return Rows(np.array([0, 1, 3]), np.array([2, 2, 0], np.int32), np.array([1.0, 2, 0]), (2, 3))._replace(**parts)


@pytest.mark.parametrize("X, message", [
    (np.zeros(3), r"X: expected a matrix \(N, M\) .* got shape \(3,\)"),
    (np.zeros((0, 3)), r"X: expected .* at least one row"),
    ([[np.nan, 1.0], [np.inf, 0]], r"X: Input contains infinity, first at \[1, 0\]"),
    (spoiled(shape=(2,)), r"X: expected the shape \(N, M\)"),
    (spoiled(shape=(2, 0)), r"X: expected .* one column, got shape \(2, 0\)"),
    (spoiled(indptr=np.array([0, 3])), r"X.indptr: expected 3 whole numbers for 2 rows"),
    (spoiled(indptr=np.array([1, 1, 3])), r"X.indptr: expected 3"),
    (spoiled(indptr=np.array([0, 4, 3])), r"X.indptr: expected 3"),
    (spoiled(indptr=np.array([0.0, 1, 3])), r"X.indptr: expected whole numbers"),
    (spoiled(indptr=np.array([0, 1, 2])), r"X.indices, X.data: expected 2"),
    (spoiled(indices=np.array([0, 1, 2.0])), r"X.indices, X.data: expected 3 whole numbers"),
    (spoiled(indices=np.array([0, 3, 2])), r"X.indices: expected 0 ... 2, got 3 at 1"),
    (spoiled(indices=np.array([0, -1, 2])), r"X.indices: expected 0 ... 2, got -1 at 1"),
    (spoiled(indices=np.array([0, 1, 1])), r"X: row 1 has column 1 twice"),
    (spoiled(data=np.array([0, 1, np.nan])), r"X.data: Input contains NaN, first at \[2\]"),
])
def test_what_is_no_matrix_of_known_entries(X, message):
    with pytest.raises(ValueError, match=message):
        known_entries(X)


def test_what_float32_cannot_hold_is_named_by_its_place_in_the_matrix():
    with pytest.raises(ValueError, match=r"X: Input contains infinity, first at \[1, 2\]"):
        known_entries([[1, np.nan, 2], [np.nan, 3, 1e300]], dtype=np.float32)


@pytest.mark.parametrize("arguments, message", [
    (([0, 1], [0], [1, 2]), r"rows, columns, values: expected arrays of one length, .* \(1,\) and \(2,\)"),
    (([0, 1.5], [0, 0], [1, 2]), r"rows: expected whole numbers"),
    (([0, 1], [[0, 0]], [1, 2]), r"columns: expected whole numbers"),
    (([0, -1], [0, 0], [1, 2]), r"rows: expected 0 ... 2147483646, got -1 at 1"),
    (([-1], [0], [1]), r"rows: expected 0 ... 2147483646, got -1 at 0"),
    (([0, 0], [3, 2**31], [1, 2]), r"columns: expected 0 ... 2147483646, got 2147483648 at 1"),
    ((np.array([0, 2**64 - 1], np.uint64), [0, 0], [1, 2]), r"rows: expected 0 ... \d+, got 18446744073709551615 at 1"),
    (([0], [0], [1], (np.inf, 3)), r"shape: expected the shape \(N, M\)"),
    (([0], [0], [1], (2.7, 3)), r"shape: expected the shape \(N, M\)"),
    (([0], [0], [1], "23"), r"shape: expected the shape \(N, M\) of a matrix, got '23'"),
    (([0, 1], [0, 5], [1, 2], (2, 5)), r"columns: expected 0 ... 4, got 5 at 1"),
    (([0, 1, 0, 1], [1, 0, 1, 0], [1, 2, 3, 4]), r"rows, columns: \(0, 1\) comes twice, at 0 and 2"),
    (([0, 1], [0, 0], [1, np.inf]), r"values: Input contains infinity, first at \[1\]"),
    (([], [], []), r"rows: expected at least one entry"),
    (([0], [0], [1e300], None), r"values: Input contains infinity"),
])
def test_what_are_no_entries(arguments, message):
    with pytest.raises(ValueError, match=message):
        entries_at(*arguments, dtype=np.float32)


def test_a_shape_makes_room_for_what_is_unknown():
    rows = entries_at([], [], [], (2, 3))
    assert rows.shape == (2, 3) and rows.indptr.tolist() == [0, 0, 0] and rows.data.size == 0


# --- tables

def sparse_and_dense(seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(50, 6)) * (rng.random((50, 6)) < 0.4)
    X[:, 2], X[:, 4] = 0, 3 + rng.normal(size=50) + offset
    return sparse_table(sparse_rows(X)), X


def test_a_table_has_the_statistics_of_its_array():
    S, X = sparse_and_dense()
    assert S.shape == X.shape and len(S) == 50 and S.size == X.size and S.dtype == X.dtype
    np.testing.assert_allclose(S.mean(), X.mean(axis=0), rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(S.var(axis=0), X.var(axis=0), rtol=1e-13)
    np.testing.assert_allclose(S.squares_about(np.arange(6.0)), ((X - np.arange(6.0))**2).sum(axis=0), rtol=1e-14)
    np.testing.assert_array_equal(S.ranges(), (X.min(axis=0), X.max(axis=0)))
    assert (S.max(initial=0), S.min(initial=0)) == (X.max(), X.min())


def test_an_offset_costs_a_table_no_digits():
    S, X = sparse_and_dense(offset=1e9)
    assert abs(S.mean()[4] - X[:, 4].mean()) <= 2e-7 and S.var()[4] == pytest.approx(X[:, 4].var(), rel=1e-12)


@pytest.mark.parametrize("which", [slice(3, 20), [4, 0, 4], np.arange(50) % 3 == 0, np.array([], int)])
def test_some_samples_of_a_table(which):
    S, X = sparse_and_dense()
    np.testing.assert_array_equal(S[which].written_out(), X[which])


def test_blocks_are_the_array_in_parts():
    S, X = sparse_and_dense()
    blocks = list(S.blocks(size=6 * 7))
    assert [len(block) for block in blocks] == [7] * 7 + [1]
    np.testing.assert_array_equal(np.concatenate(blocks), X)
    assert sparse_table(S.rows._replace(data=S.data.astype(np.float32))).written_out().dtype == np.float32


def test_what_is_no_table():
    S, _ = sparse_and_dense()
    for bad, message in ((S.rows._replace(data=S.data * np.nan), "NaN"), (S.rows._replace(shape=(49, 6)), "indptr"),
                         (S.rows._replace(shape=(0, 6), indptr=np.zeros(1, int)), "at least one row")):
        with pytest.raises(ValueError, match=message):
            sparse_table(bad)
