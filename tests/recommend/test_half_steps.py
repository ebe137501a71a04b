"""Half-steps against their definitions and dense least squares; the fast loops against the readable functions."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows, known_entries
from scratchml.recommend import half_steps as chapter
from scratchml.recommend.half_steps import (conjugate_gradients, equations_of, half_step, normal_equations, shared_gram,
                                            solve, solve_least_norm)
from scratchml.recommend.objectives import Family, family_error, gradient, penalty
from tests.reference import half_steps as reference
from tests.strategies.half_steps import equations, half_steps
from tests.strategies.objectives import FAMILIES, ratings, seeds

EPS = np.finfo(float).eps


# --- equal to the definition

@given(st.integers(1, 7), st.integers(1, 5), st.floats(0, 3), st.floats(0, 9), st.data(), seeds)
def test_the_equations_are_their_definition(M, F, w, λ, data, seed):
    rng = np.random.default_rng(seed)
    V, j = rng.normal(size=(M, F)), rng.permutation(M)[:data.draw(st.integers(0, M))]
    c, t = rng.uniform(0, 5, size=len(j)), rng.normal(size=len(j))
    G = shared_gram(V, w)
    np.testing.assert_allclose(G, reference.shared_gram(V, w), rtol=0, atol=1e-13 * (1 + w) * (V**2).sum())
    for ours, theirs in zip(normal_equations(V, j, c, t, w, λ, G), reference.normal_equations(V, j, c, t, w, λ, G)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * (1 + w + λ) * (1 + (V**2).sum()) * 10)


@given(equations())
def test_the_solution_is_its_definition(problem):
    A, b = problem
    expected = reference.solve(A, b)
    np.testing.assert_allclose(solve(A, b), expected, rtol=0, atol=1e4 * EPS * np.abs(expected).max())


@given(equations(ranks=True))
def test_the_shortest_solution_is_its_definition(problem):
    A, b = problem
    expected = reference.solve_least_norm(A, b)
    np.testing.assert_allclose(solve_least_norm(A, b), expected, rtol=0, atol=1e4 * EPS * np.abs(expected).max())


@given(equations(), seeds, st.integers(0, 6))
def test_conjugate_gradients_are_the_best_of_the_krylov_space(problem, seed, S):
    A, b = problem
    x = np.random.default_rng(seed).normal(size=len(b))
    S = min(S, len(b))
    expected = reference.conjugate_gradients(A, b, x, S)
    reached = conjugate_gradients(A, b, x, S)
    np.testing.assert_allclose(reached, expected, rtol=0, atol=1e-8 * (np.abs(x).max() + np.abs(expected).max()))


@given(half_steps())
def test_a_half_step_is_a_least_squares_problem_for_each_user(problem):
    A, V, L, family, d = problem
    expected = reference.half_step(A, V, L, family, d)
    X = half_step(known_entries(A), V, L, family, d)
    np.testing.assert_allclose(X, expected, rtol=0, atol=1e-9 * (1 + np.abs(expected).max()))


@given(half_steps(least=0.0))
def test_without_a_penalty_it_is_the_shortest_of_them(problem):
    A, V, L, family, d = problem
    expected = reference.half_step(A, V, 0 * L, family, d)
    X = half_step(known_entries(A), V, 0 * L, family, d)
    assert np.isfinite(X).all()
    np.testing.assert_allclose(X, expected, rtol=0, atol=1e-6 * (1 + np.abs(expected).max()) ** 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(10))
def test_a_pivot_that_should_be_zero_is_seen_after_a_small_one(dtype, seed):
    """Two columns that are nearly the same, and fewer items than factors: rounding in the last pivot is 1e6 eps."""
    V = np.random.default_rng(seed).normal(size=(2, 3))
    V[:, 1] = V[:, 0] + 1e-3 * V[:, 1]
    V = V.astype(dtype)
    X = half_step(known_entries([[3.0, 2.0]], dtype=dtype), V, np.zeros(1), Family())
    shortest = np.linalg.lstsq(V.astype(float), [3.0, 2.0], rcond=1e-6)[0]
    np.testing.assert_allclose(X[0], shortest, rtol=0, atol=1e-5 * (1 + np.abs(shortest).max()) ** 2)


# --- laws

@given(half_steps())
def test_the_gradient_is_zero_after_a_half_step(problem):
    A, V, L, family, d = problem
    R = known_entries(A)
    if d.any():
        V, X = np.column_stack([V, d]), half_step(R, V, L, family, d)
        U = np.column_stack([X, np.ones(len(X))])        # a column that is not fitted
    else:
        U = X = half_step(R, V, L, family)
    slopes = gradient(R, U, V, L, family)[:, :X.shape[1]]
    known = np.diff(R.indptr) > 0
    assert not X[~known].any()
    np.testing.assert_allclose(slopes[known], 0, atol=1e-10 * (1 + np.abs(V).max()) ** 3 * 100)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("S", [0, 12])
def test_no_step_away_from_it_lowers_the_loss(family, S):
    rng = np.random.default_rng(2)
    R, V, L = known_entries(ratings(6, 5, 3)), rng.normal(size=(5, 2)), rng.uniform(0.1, 1, size=6)

    def loss(U):
        return family_error(R, U, V, family) + penalty(U, L, 1.0)
    U, h = half_step(R, V, L, family, S=S), 1e-4
    for n in range(6):
        for f in range(2):
            step = np.zeros_like(U)
            step[n, f] = h
            assert abs(loss(U + step) - loss(U - step)) / (2 * h) < 1e-8


@given(half_steps(), st.integers(1, 4), seeds)
def test_steps_without_the_matrix_are_steps_with_it(problem, S, seed):
    A, V, L, family, d = problem
    R, start = known_entries(A), np.random.default_rng(seed).normal(size=(len(A), V.shape[1]))
    X = half_step(R, V, L, family, d, start=start, S=S)
    G = shared_gram(V, family.unobserved)
    for n in range(len(A)):
        expected = np.zeros(V.shape[1]) if np.isnan(A[n]).all() else \
            conjugate_gradients(*equations_of(R, n, V, L, family, d, G), start[n], S)
        np.testing.assert_allclose(X[n], expected, rtol=0, atol=1e-6 * (1 + np.abs(expected).max()))


@given(half_steps(), seeds)
def test_every_step_lowers_the_loss(problem, seed):
    A, V, L, family, _ = problem
    R = known_entries(A)
    start = np.random.default_rng(seed).normal(size=(len(A), V.shape[1]))
    start[np.diff(R.indptr) == 0] = 0
    reached = [half_step(R, V, L, family, start=start, S=S) for S in range(1, 5)]
    losses = [family_error(R, U, V, family) + penalty(U, L, 1.0) for U in [start, *reached, half_step(R, V, L, family)]]
    assert all(later <= before + 1e-9 * losses[0] for before, later in zip(losses, losses[1:]))


@pytest.mark.parametrize("F", [1, 2, 3, 4, 5, 7, 8, 11])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 40])
def test_blocks_of_entries_and_of_factors_of_every_size(F, n, monkeypatch):
    rng = np.random.default_rng(F + n)
    V, L, family = rng.normal(size=(40, F)), np.array([0.3, 2.0]), Family(0.5, 0.7, -0.2, 0.4)
    indices = np.append(rng.permutation(40)[:n], 5).astype(np.int32)
    R = Rows(np.array([0, n, n + 1]), indices, rng.uniform(0, 5, n + 1), (2, 40))
    monkeypatch.setattr(chapter, "solve_least_norm", None)                      # no pivot is lost: none needs mending
    X, G = half_step(R, V, L, family), shared_gram(V, 0.4)
    for i in range(2):
        expected = solve(*equations_of(R, i, V, L, family, np.zeros(40), G))
        np.testing.assert_allclose(X[i], expected, rtol=1e-9, atol=1e-11)


def test_more_entries_than_one_block_holds():
    n = chapter.BLOCK * 2 + 3
    rng = np.random.default_rng(0)
    V, r = rng.normal(size=(n, 2)), rng.normal(size=n)
    R = Rows(np.array([0, n]), np.arange(n, dtype=np.int32), r, (1, n))
    for S in (0, 2):                                     # two steps are exact in two dimensions
        x = half_step(R, V, np.array([1e-9]), Family(), S=S)[0]
        np.testing.assert_allclose(x, np.linalg.lstsq(V, r, rcond=None)[0], rtol=1e-8)


def test_float32_stays_float32_and_is_nearly_as_good():
    rng = np.random.default_rng(5)
    A, V, L = ratings(9, 8, 4), rng.normal(size=(8, 4)), np.full(9, 0.1)
    exact = half_step(known_entries(A), V, L, FAMILIES["confidence"])
    single = half_step(known_entries(A, dtype=np.float32), V.astype(np.float32), L, FAMILIES["confidence"])
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_lost_pivot_is_found_and_mended(dtype):
    """Two items that are alike, and no penalty or next to none: what they share is split evenly."""
    V = np.array([[1, 1, 0], [0, 0, 3]], dtype)
    R = known_entries(np.array([[4.0, 6.0]]), dtype=dtype)
    for λ in (0.0, 1e-30):
        np.testing.assert_allclose(half_step(R, V, np.array([λ]), Family()), [[2, 2, 2]], rtol=1e-6)


def test_the_order_of_the_entries_does_not_matter():
    rng = np.random.default_rng(6)
    A, V, L = ratings(6, 9, 8), rng.normal(size=(9, 3)), np.full(6, 0.2)
    order = rng.permutation(9)
    ours = half_step(known_entries(A), V, L, FAMILIES["weighted"])
    shuffled = half_step(known_entries(A[:, order]), V[order], L, FAMILIES["weighted"])
    np.testing.assert_allclose(shuffled, ours, rtol=1e-10, atol=1e-12)
