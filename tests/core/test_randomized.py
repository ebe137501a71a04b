"""The randomised range finder against powers written out, and against the exact decomposition."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.randomized import project_and_decompose, range_basis, truncated_svd
from scratchml.datasets import load_digits, load_online_retail
from tests.reference import randomized as reference
from tests.strategies.randomized import matrices

seeds = st.integers(0, 2**32 - 1)
EPS = np.finfo(float).eps


# --- equal to the definition

@given(seeds, st.integers(0, 3))
def test_the_basis_spans_what_the_powers_span(seed, q):
    rng = np.random.default_rng(seed)
    U, V = np.linalg.qr(rng.normal(size=(9, 4)))[0], np.linalg.qr(rng.normal(size=(6, 4)))[0]
    A, B = U * [2.0, 1.7, 1.4, 1.2] @ V.T, rng.normal(size=(6, 2))
    Q, expected = range_basis(A, B, q), reference.range_basis(A, B, q)
    assert Q.shape == expected.shape == (9, 2)
    np.testing.assert_allclose(Q.T @ Q, np.eye(2), atol=50 * EPS)
    # (2 / 1.2)^(2q+1) < 36 is what the powers add to the condition of A B; that of B alone is below 1e4 in practice.
    np.testing.assert_allclose(Q @ Q.T, expected @ expected.T, atol=1e-8)


@given(matrices(), seeds)
def test_the_small_decomposition_is_that_of_the_projection(A, seed):
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(A), min(A.shape))))[0]
    (U, S, Vt), (U2, S2, Vt2) = project_and_decompose(A, Q), reference.project_and_decompose(A, Q)
    bound = 50 * max(A.shape) * EPS * np.linalg.norm(A)
    np.testing.assert_allclose(S, S2, atol=bound, rtol=0)
    np.testing.assert_allclose(U * S @ Vt, U2 * S2 @ Vt2, atol=bound, rtol=0)


# --- laws

@given(matrices(), seeds, st.data())
def test_it_finds_the_largest_singular_values(A, seed, data):
    F = data.draw(st.integers(1, min(A.shape)))
    U, S, Vt = truncated_svd(A, F, np.random.default_rng(seed))
    exact = np.linalg.svd(A, compute_uv=False)[:F]
    np.testing.assert_allclose(S, exact, atol=100 * max(A.shape) * EPS * exact[0], rtol=0)
    np.testing.assert_allclose(U.T @ U, np.eye(F), atol=100 * EPS)
    np.testing.assert_allclose(Vt @ Vt.T, np.eye(F), atol=100 * EPS)
    best = np.sqrt((np.linalg.svd(A, compute_uv=False)[F:] ** 2).sum())              # Eckart and Young
    assert np.linalg.norm(A - U * S @ Vt) <= best + 100 * max(A.shape) * EPS * exact[0]


def test_it_is_close_where_the_matrix_is_larger_than_the_sample():
    rng = np.random.default_rng(0)
    U, V = np.linalg.qr(rng.normal(size=(300, 120)))[0], np.linalg.qr(rng.normal(size=(200, 120)))[0]
    A = U * 1.1 ** -np.arange(120) @ V.T
    S = truncated_svd(A, 5, rng)[1]
    np.testing.assert_allclose(S, 1.1 ** -np.arange(5), rtol=1e-6)


def test_singular_values_are_too_small_by_as_much_as_is_said():
    X = load_digits().data
    bought = load_online_retail()
    some = bought.users < 500
    A = np.zeros((500, len(bought.item_names)))
    np.add.at(A, (bought.users[some], bought.items[some]), np.log1p(bought.counts[some]))
    for M, half, last in ((X - X.mean(axis=0), 1e-6, 1e-6), (A, 1e-5, 1e-3)):
        exact = np.sqrt(np.linalg.eigvalsh(M @ M.T if len(M) < M.shape[1] else M.T @ M)[::-1][:20])
        lost = 1 - truncated_svd(M, 20, np.random.default_rng(0))[1] / exact
        assert lost.min() > -1e-12 and lost[:10].max() < half and lost.max() < last
    assert lost.max() > 1e-6                             # else more could be said


def test_float32_stays_float32():
    A = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
    assert {part.dtype for part in truncated_svd(A, 2, np.random.default_rng(1))} == {np.dtype(np.float32)}


@pytest.mark.parametrize("q, power", [(0, 1), (1, 3), (2, 5)])
def test_each_round_trip_counts_twice(q, power):
    A, B = np.diag([1.0, 0.5]), np.array([[1.0], [1.0]])
    Q = range_basis(A, B, q)[:, 0]
    np.testing.assert_allclose(Q[1] / Q[0], 0.5**power)
