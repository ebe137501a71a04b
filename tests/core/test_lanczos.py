"""Block Lanczos against its definitions, and against the exact decomposition."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core import lanczos
from scratchml.core.estimator import ConvergenceWarning
from scratchml.core.lanczos import (SparseMatrix, centred, leading_axes, next_block, project_and_decompose, residuals,
                                    ritz_pairs, shifted_times, split, times)
from scratchml.core.sparse import sparse_rows
from scratchml.datasets import load_digits, load_online_retail
from tests.reference import lanczos as reference
from tests.strategies.lanczos import matrices, spectra

seeds = st.integers(0, 2**32 - 1)
EPS = np.finfo(float).eps


def orthonormal(rng, M, D):
    return np.linalg.qr(rng.normal(size=(D, M)))[0].T


# --- equal to the definition

@given(matrices(9), st.integers(1, 5), seeds)
def test_products_are_their_definition(A, L, seed):
    rng = np.random.default_rng(seed)
    A = np.where(rng.random(A.shape) < 0.4, 0, A)
    B, g, h = rng.normal(size=(A.shape[1], L)), rng.normal(size=len(A)), rng.normal(size=A.shape[1])
    bound = 4 * A.shape[1] * EPS * (np.abs(A).sum() + np.abs(np.outer(g, h)).sum()) * np.abs(B).max()
    R = sparse_rows(A)
    np.testing.assert_allclose(times(R, B), reference.times(A, B), rtol=0, atol=bound)
    np.testing.assert_allclose(shifted_times(R, g, h, B), reference.shifted_times(A, g, h, B), rtol=0, atol=bound)
    np.testing.assert_allclose(SparseMatrix(R, shift=(g, h)).T @ np.eye(len(A)), (A - np.outer(g, h)).T, atol=bound)


@given(seeds, st.integers(0, 6), st.integers(1, 4))
def test_what_is_left_and_what_it_spans_are_their_definition(seed, M, L):
    rng = np.random.default_rng(seed)
    K, W = orthonormal(rng, M, 12), rng.normal(size=(12, L))
    H, E = split(K, W)
    expected, left = reference.split(K, W)
    np.testing.assert_allclose(H, expected, atol=1e-13)
    np.testing.assert_allclose(E, left, atol=1e-13)
    new, definition = next_block(K, E, rng), reference.next_block(K, W)
    np.testing.assert_allclose(new @ new.T, np.eye(L), atol=1e-14 * 12)
    np.testing.assert_allclose(K @ new.T, np.zeros((M, L)), atol=1e-14 * 12)
    np.testing.assert_allclose(new.T @ new, definition.T @ definition, atol=1e-11)


@given(seeds, st.integers(2, 6), st.data())
def test_pairs_and_their_residuals_are_their_definition(seed, M, data):
    rng = np.random.default_rng(seed)
    F, L = data.draw(st.integers(1, M)), data.draw(st.integers(1, M))
    A, K = rng.normal(size=(11, 9)), orthonormal(rng, M, 9)
    C = A.T @ A
    T = K @ C @ K.T
    θ, V, Y = ritz_pairs(K, T, F)
    expected, axes, _ = reference.ritz_pairs(K, T, F)
    np.testing.assert_allclose(θ, expected, rtol=0, atol=1e-12 * T.max())
    np.testing.assert_allclose(V.T * θ @ V, axes.T * expected @ axes, rtol=0, atol=1e-9 * T.max())
    np.testing.assert_allclose(Y.T @ T @ Y, np.diag(θ), rtol=0, atol=1e-12 * T.max())
    # As K spans no Krylov space, every product leaves something: here the block is the basis itself.
    np.testing.assert_allclose(residuals(split(K, C @ K.T)[1], Y), reference.residuals(C, θ, V), rtol=1e-8)
    # In a Krylov space all blocks but the last leave nothing.
    K = np.linalg.qr(np.concatenate([K[:1].T, C @ K[:1].T, C @ C @ K[:1].T], axis=1))[0].T
    θ, V, Y = ritz_pairs(K, K @ C @ K.T, 2)
    left = split(K, C @ K[-1:].T)[1]
    np.testing.assert_allclose(residuals(left, Y), reference.residuals(C, θ, V), rtol=1e-5, atol=1e-10 * θ[0])


@given(matrices(), seeds)
def test_the_small_decomposition_is_that_of_the_projection(A, seed):
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(A), min(A.shape))))[0]
    (U, S, Vt), (U2, S2, Vt2) = project_and_decompose(A, Q), reference.project_and_decompose(A, Q)
    bound = 50 * max(A.shape) * EPS * np.linalg.norm(A)
    np.testing.assert_allclose(S, S2, atol=bound, rtol=0)
    np.testing.assert_allclose(U * S @ Vt, U2 * S2 @ Vt2, atol=bound, rtol=0)


# --- the basis

@pytest.mark.parametrize("E", [np.zeros((9, 3)), np.ones((9, 3)), 1e-30 * np.eye(9, 3)])
def test_random_vectors_take_the_place_of_what_is_nothing(E):
    rng = np.random.default_rng(0)
    K = orthonormal(rng, 4, 9)
    new = next_block(K, split(K, E)[1], rng, size=1.0)
    both = np.concatenate([K, new])
    np.testing.assert_allclose(both @ both.T, np.eye(7), atol=1e-14)
    if E[0, 0] == 1:
        ones = split(K, np.ones((9, 1)))[1]
        np.testing.assert_allclose(split(both, ones)[1], 0, atol=1e-13)              # what was there is kept


def test_the_last_block_fills_the_space():
    rng = np.random.default_rng(0)
    K = orthonormal(rng, 7, 9)
    both = np.concatenate([K, next_block(K, rng.normal(size=(9, 4)), rng)])
    np.testing.assert_allclose(both @ both.T, np.eye(9), atol=1e-14)


# --- laws

@pytest.mark.parametrize("tol", [None, 0.0])
@given(data=st.data(), seed=seeds)
def test_it_finds_the_largest_singular_values(tol, seed, data):
    A, s = data.draw(spectra())
    F = data.draw(st.integers(1, len(s)))
    Z, S, V = leading_axes(A, F, np.random.default_rng(seed), tol=tol, further=8)
    bound = 100 * max(A.shape) * EPS * max(s[0], np.finfo(float).tiny)
    np.testing.assert_allclose(S, s[:F], atol=bound, rtol=0)
    np.testing.assert_allclose(V @ V.T, np.eye(F), atol=100 * EPS)
    np.testing.assert_allclose(Z, A @ V.T, atol=bound, rtol=0)
    scale = max(s[0], 1e-300)
    left, best = np.linalg.norm((A - Z @ V) / scale), np.linalg.norm(s[F:] / scale)  # Eckart and Young
    assert left <= best + 100 * max(A.shape) * EPS


@given(seeds, st.integers(1, 6), st.integers(0, 8))
def test_centred_rows_are_centred(seed, F, full):
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((25, 8)) < 0.5, 0, rng.normal(size=(25, 8)) + 3)
    X[:, :full] = rng.normal(size=(25, full)) + 1e9
    μ = X.mean(axis=0)
    expected = np.linalg.svd(X - μ)[1][:F]
    S = leading_axes(centred(sparse_rows(X), μ), F, rng, tol=0.0)[1]
    np.testing.assert_allclose(S, expected, rtol=1e-10)


@pytest.mark.parametrize("tol", [None, 0.0])
def test_a_value_that_comes_often_is_found_as_often(tol):
    """12 copies of each of 20 values: more than a block of 8 holds, and too many for the basis."""
    rng = np.random.default_rng(0)
    s = np.repeat(np.linspace(3, 1, 20), 12)
    A = np.linalg.qr(rng.normal(size=(240, 240)))[0] * s
    S = leading_axes(A, 24, rng, tol=tol, further=12)[1]
    np.testing.assert_allclose(S, s[:24], rtol=1e-12 if tol == 0.0 else 1e-3)


@pytest.mark.parametrize("largest", [1e-290, 1e-200, 1e200, 1e288])
def test_scales_up_to_the_ends_of_the_range(largest):
    A = np.random.default_rng(0).normal(size=(60, 40))
    A *= largest / np.abs(A).max()
    S = leading_axes(A, 5, np.random.default_rng(1), tol=0.0)[1]
    np.testing.assert_allclose(S / largest, np.linalg.svd(A / largest)[1][:5], rtol=1e-12)


@pytest.mark.parametrize("copies, F", [(12, 12), (20, 20), (16, 12)])
@pytest.mark.parametrize("tol", [1e-3, 1e-6])
def test_copies_that_a_block_does_not_hold_are_sought_in_what_is_left(copies, F, tol):
    s = np.concatenate([np.full(copies, 3.0), np.linspace(2.9, 0.01, 150)])
    S = leading_axes(np.diag(s), F, np.random.default_rng(0), tol=tol)[1]
    np.testing.assert_allclose(S, s[:F], rtol=tol)


@pytest.mark.parametrize("N, D", [(400, 90), (90, 400)])
def test_all_digits_of_a_spectrum_that_hardly_falls(N, D):
    A = np.random.default_rng(0).normal(size=(N, D))
    Z, S, V = leading_axes(A, 5, np.random.default_rng(1), tol=0.0)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    np.testing.assert_allclose(S, s[:5], rtol=1e-13)
    np.testing.assert_allclose(np.abs((V * Vt[:5]).sum(axis=1)), 1, rtol=1e-12)
    rough = leading_axes(A, 5, np.random.default_rng(1), tol=1e-2)[1]
    assert 1e-13 < np.abs(rough / s[:5] - 1).max() < 1e-2


def test_singular_values_are_too_small_by_little():
    X = load_digits().data
    bought = load_online_retail()
    some = bought.users < 500
    A = np.zeros((500, len(bought.item_names)))
    np.add.at(A, (bought.users[some], bought.items[some]), np.log1p(bought.counts[some]))
    for M, half, last in ((X - X.mean(axis=0), 1e-12, 1e-12), (A, 1e-5, 1e-3)):
        exact = np.sqrt(np.linalg.eigvalsh(M @ M.T if len(M) < M.shape[1] else M.T @ M)[::-1][:20])
        lost = 1 - leading_axes(M, 20, np.random.default_rng(0))[1] / exact
        assert lost.min() > -1e-12 and lost[:10].max() < half and lost.max() < last
    assert lost.max() > 1e-6                             # else more could be said


def test_each_further_block_is_two_products(monkeypatch):
    widths = []
    real = lanczos.times
    monkeypatch.setattr(lanczos, "times", lambda R, B: widths.append(B.shape[1]) or real(R, B))
    R = sparse_rows(np.random.default_rng(0).normal(size=(90, 80)))
    leading_axes(SparseMatrix(R), 10, np.random.default_rng(0), further=3)
    assert widths == [1] + [16] * 8 + [10] * 3           # the scale, four blocks, and three with the answer


def test_it_says_where_it_has_not_settled(monkeypatch):
    monkeypatch.setattr(lanczos, "MOST", 2)
    A = np.random.default_rng(0).normal(size=(300, 200))
    with pytest.warns(ConvergenceWarning, match="2 restarts ended before 3 axes were found to tol=0.0"):
        leading_axes(A, 3, np.random.default_rng(0), tol=0.0)
