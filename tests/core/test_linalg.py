"""Cholesky and Jacobi against exact determinants, against what defines them, and within proved error bounds.

The bounds are of Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition: theorem 8.5 for triangular
systems, 10.3 for Cholesky.  γ(n) below is his γ_n with u = eps / 2, rounded up to n eps.
"""
import math

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.core import linalg
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.linalg import (cholesky, cholesky_solve, factor_in_place, jacobi_eigh, log_determinant, rotate,
                                   solve_lower, solve_lower_in_place, solve_lower_transposed,
                                   solve_lower_transposed_in_place, tangent)
from tests.reference import linalg as reference
from tests.strategies.linalg import KINDS, build, lower_and_right_hand_side, positive_definite, symmetric

EPS = float(np.finfo(float).eps)


def gamma(n):
    return n * EPS


def norm(A):
    return float(np.sqrt((np.asarray(A, float) ** 2).sum()))


def spectral(A):
    """max |A|, or 0 for the empty matrix: what the errors of eigenvalues are measured by."""
    return float(np.abs(np.linalg.eigvalsh(A)).max(initial=0))


# --- Cholesky: equal to the definition

@given(positive_definite(4))
def test_factor_is_the_quotient_of_minors(A):
    # L is as uncertain as A scaled to a diagonal of ones is nearly singular (Higham, section 10.1.1 and theorem 10.8).
    D = np.sqrt(A.diagonal())
    condition = np.linalg.cond(A / np.outer(D, D)) if len(A) else 1
    error = np.abs(cholesky(A) - reference.cholesky(A)) / D[:, None]
    assert error.max(initial=0) <= 2 * gamma(len(A) + 1) * len(A) * condition


@given(positive_definite(30))
def test_factor_is_triangular_with_a_positive_diagonal_and_multiplies_to_the_matrix(A):
    L = cholesky(A)
    D = np.sqrt(A.diagonal())
    assert np.array_equal(L, np.tril(L)) and (L.diagonal() > 0).all()
    assert (np.abs(L @ L.T - A) <= 2 * gamma(len(A) + 1) * np.outer(D, D)).all()


@given(lower_and_right_hand_side(4))
def test_solutions_are_those_of_cramer(drawn):
    L, b = drawn
    T = np.tril(L)
    for x, definition, M, absolute in [
        (solve_lower(L, b), reference.solve_lower, T, np.abs(T)),
        (solve_lower_transposed(L, b), reference.solve_lower_transposed, T.T, np.abs(T.T)),
        (cholesky_solve(L, b), reference.cholesky_solve, T @ T.T, np.abs(T) @ np.abs(T.T)),
    ]:
        assert x.shape == b.shape and x.dtype == np.float64 and x.flags.c_contiguous
        for got, column in zip(np.atleast_2d(x.T), np.atleast_2d(b.T)):
            bound = 2 * gamma(len(b) + 1) * np.abs(np.linalg.inv(M)) @ absolute @ np.abs(got)
            assert (np.abs(got - definition(L, column)) <= bound).all()


@given(lower_and_right_hand_side(30))
def test_solutions_solve_their_systems(drawn):
    L, b = drawn
    T = np.tril(L)
    for x, M in [(solve_lower(L, b), T), (solve_lower_transposed(L, b), T.T)]:
        assert (np.abs(M @ x - b) <= 2 * gamma(len(b) + 1) * (np.abs(M) @ np.abs(x))).all()
    assert np.array_equal(cholesky_solve(L, b), solve_lower_transposed(L, solve_lower(L, b)))


@given(positive_definite(4))
def test_log_determinant(A):
    L = cholesky(A)
    expected = reference.log_determinant(L)
    magnitude = 2 * np.abs(np.log(L.diagonal())).sum()
    assert abs(log_determinant(L) - expected) <= gamma(len(A) + 2) * magnitude


# --- Cholesky: laws and examples

@given(positive_definite(12), st.integers(-250, 250))
def test_factor_follows_the_scale_to_the_last_bit(A, exponent):
    scale = 2.0**exponent                                # 1e±150 for A
    assert np.array_equal(cholesky(A * scale**2), cholesky(A) * scale)


@given(positive_definite(12))
def test_factor_reads_the_lower_triangle_and_leaves_its_argument_alone(A):
    noisy = np.tril(A) + np.triu(A * (1 + 1e-9), 1)      # within what counts as symmetric
    before = noisy.copy()
    assert np.array_equal(cholesky(noisy), cholesky(A)) and np.array_equal(noisy, before)


@given(positive_definite(12))
def test_in_place_writes_the_lower_triangle_only(A):
    given_, mirrored = np.tril(A) + np.triu(np.full_like(A, 7.0), 1), A.copy()
    assert factor_in_place(given_) == factor_in_place(mirrored) == len(A)
    assert np.array_equal(np.tril(given_), cholesky(A)) and (given_[np.triu_indices(len(A), 1)] == 7).all()


def test_small_examples():
    assert cholesky([[4.0]]).tolist() == [[2]]
    assert np.array_equal(cholesky(np.diag([1.0, 4, 9])), np.diag([1.0, 2, 3]))
    assert cholesky([[4, 2, 6], [2, 10, 0], [6, 0, 26]]).tolist() == [[2, 0, 0], [1, 3, 0], [3, -1, 4]]
    assert log_determinant([[2, 0], [5, 3]]) == pytest.approx(2 * math.log(6), rel=1e-15)
    assert solve_lower([[2, 0], [1, -3]], [4, 8]).tolist() == [2, -2]
    assert solve_lower_transposed([[2, 0], [1, -3]], [4, 6]).tolist() == [3, -2]


def test_empty_matrices():
    empty = np.empty((0, 0))
    values, vectors = jacobi_eigh(empty)
    assert cholesky(empty).shape == vectors.shape == (0, 0) and values.shape == (0,) and log_determinant(empty) == 0
    assert solve_lower(empty, []).shape == (0,) and cholesky_solve(empty, np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("A, pivot, value", [
    ([[-1.0]], 0, "-1"), ([[0.0]], 0, "0"), ([[1, 2], [2, 1]], 1, "-3"), (np.ones((3, 3)), 1, "0"),
    (np.diag([1.0, 1, -0.5]), 2, "-0.5"), ([[1e-200, 1e200], [1e200, 1]], 1, "-inf"),
    ([[1e-200, 1e200, 1], [1e200, 1e300, 1], [1, 1, 1]], 1, "-inf"),
])
def test_not_positive_definite_names_the_pivot(A, pivot, value):
    with pytest.raises(ValueError, match=f"A: not positive definite, pivot {pivot} of the factorisation is {value}; "):
        cholesky(A)
    L = np.array(A, float)
    with np.errstate(all="ignore"):
        assert factor_in_place(L) == pivot


# --- Jacobi: equal to the definition

@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(1e-9, 9) | st.floats(-9, -1e-9))
def test_tangent_is_the_smaller_root(a, d, h):
    t = tangent(a, d, h)
    assert abs(t - reference.tangent(a, d, h)) <= 8 * EPS * abs(t) and abs(t) <= 1


@pytest.mark.parametrize("a, d, h, t", [
    (1.0, 1.0, 3.0, 1), (1.0, 1.0, -3.0, 1), (0.0, 3.0, 2.0, 0.5), (3.0, 0.0, 2.0, -0.5), (0.0, 1e300, 1e-300, 0),
    (0.0, 2e200, 1.0, 5e-201), (0.0, 2.0, 1e-160, 5e-161),
])
def test_tangent_by_hand(a, d, h, t):
    with np.errstate(over="ignore"):
        assert tangent(a, d, h) == pytest.approx(t, rel=4 * EPS, abs=0)


def planes(n):
    return [(p, q) for p in range(n) for q in range(p + 1, n)]


@given(symmetric(6, least=2), st.data())
def test_a_turn_is_the_product_of_three_matrices(A, data):
    p, q = data.draw(st.sampled_from(planes(len(A))))
    A[p, q] = A[q, p] = A[p, q] or 0.7                   # an entry that is 0 is not turned to 0
    W = np.random.default_rng(0).normal(size=A.shape)
    expected_A, expected_W = reference.rotate(A, W, p, q)
    turned_A, turned_W = rotate(A.copy(), W.copy(), p, q)
    bound = 2 * gamma(len(A) + 8)                        # two products of N terms, and 8 units in J
    np.testing.assert_allclose(turned_A, expected_A, rtol=0, atol=bound * norm(A))
    np.testing.assert_allclose(turned_W, expected_W, rtol=0, atol=bound * norm(W))
    assert turned_A[p, q] == turned_A[q, p] == 0 and np.array_equal(turned_A, turned_A.T)


@given(symmetric(8))
def test_each_turn_lowers_what_is_off_the_diagonal_by_twice_the_square(A):
    def off(M):
        return ((M - np.diag(M.diagonal())) ** 2).sum()
    W = np.eye(len(A))
    for p, q in planes(len(A)):
        if abs(A[p, q]) > EPS * norm(A):
            before, h = A.copy(), A[p, q]
            rotate(A, W, p, q)
            assert abs(off(before) - 2 * h**2 - off(A)) <= 2 * gamma(len(A) + 6) * norm(A) ** 2


@given(symmetric(12))
def test_eigenvalues_are_those_of_lapack_and_the_vectors_turn_the_matrix_diagonal(A):
    values, V = jacobi_eigh(A)
    # At most 10 rounds, in each of which a row is turned N - 1 times, by at most 4 eps of rounding each time.
    bound = 40 * gamma(max(len(A), 1))
    np.testing.assert_allclose(values, reference.jacobi_eigh(A)[0], rtol=0, atol=2 * bound * spectral(A))
    assert (np.diff(values) >= 0).all()
    assert norm(A @ V - V * values) <= bound * norm(A) and norm(V.T @ V - np.eye(len(A))) <= bound * len(A) ** 0.5


def definite_with_unlike_scales(n, seed, decades):
    """D B D of (n, n): the largest off-diagonal row sum of B is 0.5, so cond(B) <= 3; D is powers of 2, hence exact."""
    rng = np.random.default_rng(seed)
    B = build("normal", n, seed)
    np.fill_diagonal(B, 0)
    B = B / (2 * np.abs(B).sum(0).max(initial=1e-9)) + np.eye(n)
    D = 2.0 ** np.round(rng.uniform(-decades, decades, n) / math.log10(2))
    return D[:, None] * B * D


@given(st.integers(1, 6), st.integers(0, 2**32 - 1), st.sampled_from([0, 4, 70]))
def test_each_eigenvalue_is_exact_relative_to_itself(n, seed, decades):
    """The law of Demmel and Veselić, against exact counts: the i-th eigenvalue is within a relative `error` of ours."""
    A = definite_with_unlike_scales(n, seed, decades)
    values, _ = jacobi_eigh(A)
    error = 20 * n * EPS * 3
    for i, value in enumerate(values):
        below, above = (reference.count_below(A, value * (1 + sign * error)) for sign in (-1, 1))
        assert below <= i < above


# --- Jacobi: laws and examples

@given(symmetric(8), st.randoms(use_true_random=False))
def test_eigenvalues_do_not_depend_on_the_order_of_the_coordinates(A, random):
    order = random.sample(range(len(A)), len(A))
    values, _ = jacobi_eigh(A)
    permuted, U = jacobi_eigh(A[np.ix_(order, order)])
    bound = 80 * gamma(max(len(A), 1)) * norm(A)
    np.testing.assert_allclose(permuted, values, rtol=0, atol=bound)
    assert norm(A[np.ix_(order, order)] @ U - U * permuted) <= bound


@given(symmetric(8), st.floats(-10, 10))
def test_a_multiple_of_the_identity_shifts_the_eigenvalues(A, shift):
    shifted, _ = jacobi_eigh(A + shift * np.eye(len(A)))
    bound = 80 * gamma(max(len(A), 1)) * (norm(A) + abs(shift))
    np.testing.assert_allclose(shifted, jacobi_eigh(A)[0] + shift, rtol=0, atol=bound)


@given(symmetric(8), st.integers(-250, 250))
def test_eigenvalues_follow_the_scale_to_the_last_bit(A, exponent):
    assume((np.abs(A[A != 0]) > 1e-30).all())            # or what is negligible turns subnormal
    scale = 4.0**exponent                                # 1e±150; roots of it are exact
    (values, V), (scaled, U) = jacobi_eigh(A), jacobi_eigh(A * scale)
    assert np.array_equal(scaled, values * scale) and np.array_equal(U, V)


@pytest.mark.parametrize("diagonal", [[3.0], [2, -1, 5, 0, -1], [1e300, 1e-300, -1e300, 0], [1e-320, 5e-324]])
def test_a_diagonal_matrix_is_only_sorted(diagonal):
    values, V = jacobi_eigh(np.diag(diagonal))
    order = np.argsort(diagonal, kind="stable")
    assert values.tolist() == np.sort(diagonal).tolist() and np.array_equal(V, np.eye(len(diagonal))[:, order])


@pytest.mark.parametrize("A, values", [
    ([[0, 1], [1, 0]], [-1, 1]), ([[2, 1], [1, 2]], [1, 3]), ([[1, -2], [-2, 4]], [0, 5]),
    (np.ones((4, 4)), [0, 0, 0, 4]), (5 * np.eye(3) - np.ones((3, 3)), [2, 5, 5]),
])
def test_eigenvalues_by_hand(A, values):
    np.testing.assert_allclose(jacobi_eigh(A)[0], values, rtol=0, atol=4 * EPS * values[-1])


@pytest.mark.parametrize("scale", [1e-290, 1e-150, 1, 1e150, 1e306])
def test_scales(scale):
    A = build("normal", 6, 1) * scale
    values, V = jacobi_eigh(A)
    np.testing.assert_allclose(values / scale, np.linalg.eigvalsh(build("normal", 6, 1)), rtol=1e-13)
    assert np.abs(V.T @ V - np.eye(6)).max() < 1e-14


def test_reads_the_lower_triangle_and_leaves_its_argument_alone():
    A = build("normal", 6, 3)
    noisy = np.tril(A) + np.triu(A * (1 + 1e-9), 1)
    before = noisy.copy()
    for got, expected in zip(jacobi_eigh(noisy), jacobi_eigh(A)):
        assert np.array_equal(got, expected)
    assert np.array_equal(noisy, before)


@pytest.mark.parametrize("h, left_alone", [(4e-16, True), (-4e-16, True), (5e-16, False), (-5e-16, False)])
def test_what_is_negligible_is_left_alone(h, left_alone):
    """Against eps √(1 * 4) = 4.44e-16; a subnormal entry is negligible against anything."""
    assert np.array_equal(jacobi_eigh([[1, h], [h, 4]])[1], np.eye(2)) == left_alone
    assert np.array_equal(jacobi_eigh([[0, h * 1e-300], [h * 1e-300, 0]])[1], np.eye(2))


@pytest.mark.parametrize("kind", KINDS)
def test_ten_rounds_are_enough(kind, monkeypatch):
    monkeypatch.setattr(linalg, "MOST_ROUNDS", 10)
    for n in (2, 7, 12):
        jacobi_eigh(build(kind, n, seed=n))


def test_says_when_it_does_not_come_to_an_end(monkeypatch):
    monkeypatch.setattr(linalg, "MOST_ROUNDS", 1)
    with pytest.raises(ArithmeticError, match="still turning after 1 rounds"):
        jacobi_eigh(build("normal", 6, 0))


# --- types, memory, kernels

@pytest.mark.parametrize("prepare", [
    np.asfortranarray, np.ndarray.tolist, lambda A: np.repeat(A, 2, axis=1)[:, ::2],
    lambda A: (A.setflags(write=False), A)[1], lambda A: A.astype(">f8"),
])
def test_any_memory_layout(prepare):
    A = example = build("normal", 5, 0) + 5 * np.eye(5)
    L, b = np.linalg.cholesky(A), np.arange(10.0).reshape(5, 2)
    expected = [cholesky(A), *jacobi_eigh(A), solve_lower(L, b), cholesky_solve(L, b)]
    A, L, b = (prepare(array.copy()) for array in (example, L, b))
    for got, want in zip([cholesky(A), *jacobi_eigh(A), solve_lower(L, b), cholesky_solve(L, b)], expected):
        assert np.array_equal(got, want)


def test_float32_is_computed_in_double_precision_and_rounded_once():
    A = (build("normal", 5, 0) + 5 * np.eye(5)).astype(np.float32)
    L, b = cholesky(A), np.arange(5, dtype=np.float32)
    wide_A, wide_L, wide_b = (array.astype(np.float64) for array in (A, L, b))
    for got, want in [(L, cholesky(wide_A)), *zip(jacobi_eigh(A), jacobi_eigh(wide_A)),
                      (solve_lower(L, b), solve_lower(wide_L, wide_b)),
                      (cholesky_solve(L, b), cholesky_solve(wide_L, wide_b))]:
        assert got.dtype == np.float32 and np.array_equal(got, want.astype(np.float32))
    assert solve_lower(L, wide_b).dtype == np.float64 and log_determinant(L) == log_determinant(wide_L)


@kernel
def _solve_each(c, start, stop, systems, solved):
    """`systems` (S, N, N+1), each A and beside it b; the solutions are written over b."""
    N = systems.shape[1]
    A, b = np.empty((N, N), systems.dtype), np.empty(N, systems.dtype)
    for s in range(start, stop):
        for i in range(N):
            b[i] = systems[s, i, N]
            for j in range(N):
                A[i, j] = systems[s, i, j]
        solved[s] = factor_in_place(A)
        if solved[s] == N:
            solve_lower_in_place(A, b)
            solve_lower_transposed_in_place(A, b)
            for i in range(N):
                systems[s, i, N] = b[i]


@pytest.mark.parametrize("type_", [np.float64, np.float32])
def test_kernels_solve_many_systems(type_):
    S, N = 7, 5
    rng = np.random.default_rng(0)
    G, x = rng.normal(size=(S, N, 2 * N)), rng.normal(size=(S, N))
    A = G @ G.transpose(0, 2, 1)
    A[3, 2, 2] = -1
    systems, solved = np.concatenate([A, A @ x[:, :, None]], axis=2).astype(type_), np.zeros(S, np.int64)
    run_chunks(_solve_each, S, systems, solved, chunk=2)
    assert solved.tolist() == [N, N, N, 2, N, N, N]
    good = solved == N
    bound = 10 * N**2 * float(np.finfo(type_).eps) * np.linalg.cond(A[good])[:, None] * np.abs(x[good]).max()
    assert (np.abs(systems[good, :, N] - x[good]) <= bound).all()


# --- bad input

@pytest.mark.parametrize("f", [cholesky, jacobi_eigh])
@pytest.mark.parametrize("A, message", [
    ([1.0, 2.0], r"A: expected a square matrix \(N, N\), got shape \(2,\)"),
    (np.ones((2, 3)), r"A: expected a square matrix \(N, N\), got shape \(2, 3\)"),
    (np.ones((2, 2, 2)), "A: expected a square matrix"),
    ([[1.0, np.nan], [np.nan, 1.0]], r"A: Input contains NaN, first at \[0, 1\]"),
    ([[np.inf]], r"A: Input contains infinity"),
    ([[2.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.51, 2.0]],
     r"A: expected a symmetric matrix, got A\[1,2\] = 0.5 and A\[2,1\] = 0.51; if that is rounding, pass"),
    ([[1.0, 1e308], [-1e308, 1.0]], "A: expected a symmetric matrix"),
    (np.float32([[1, 0.5], [0.501, 1]]), "A: expected a symmetric matrix"),
    ([[1j]], "A: Complex data not supported"),
    ([["a"]], "A: expected numbers"),
    ([[1.0], [1.0, 2.0]], "A: expected an array of numbers, got rows of different lengths"),
])
def test_bad_matrices(f, A, message):
    with pytest.raises(ValueError, match=message):
        f(A)


@pytest.mark.parametrize("type_, asymmetry", [(np.float64, 1e-8), (np.float32, 3e-4)])
def test_a_little_asymmetry_is_rounding(type_, asymmetry):
    A = np.array([[2, 1], [1 + asymmetry, 2]], type_) * type_(1e6)
    assert A[0, 1] != A[1, 0] and cholesky(A)[1, 0] > 0 and jacobi_eigh(A)[0][0] > 0


@pytest.mark.parametrize("A", [[[1.7e308]], np.full((4, 4), 2e307), np.full((3, 3), np.float32(1e38))])
def test_a_matrix_too_large_to_turn(A):
    with pytest.raises(ValueError, match="A: the largest magnitude is .* a turn might overflow; divide A by"):
        jacobi_eigh(A)


@pytest.mark.parametrize("solve", [solve_lower, solve_lower_transposed, cholesky_solve])
@pytest.mark.parametrize("L, b, message", [
    (np.ones((2, 3)), [1, 2], "L: expected a square matrix"),
    ([[1, 0], [np.inf, 1]], [1, 2], "L: Input contains infinity"),
    ([[1, 0], [1, 0]], [1, 2], r"L: expected no 0 on the diagonal, got L\[1,1\] = 0"),
    (np.eye(2), [1, 2, 3], r"b: expected shape \(2,\) or \(2, R\), as L is \(2, 2\); got shape \(3,\)"),
    (np.eye(2), 1.0, r"b: expected shape .* got shape \(\)"),
    (np.eye(2), np.ones((2, 2, 2)), "b: expected shape"),
    (np.eye(2), [1, np.nan], r"b: Input contains NaN, first at \[1\]"),
    ([[1e-300, 0], [1, 1e-200]], [1e300, 1e300], "L: singular or nearly so, the solution overflows float64.* 1e-300"),
    (np.float32([[1e-30]]), np.float32([1e30]), "L: singular or nearly so, the solution overflows float32"),
])
def test_bad_systems(solve, L, b, message):
    with pytest.raises(ValueError, match=message):
        solve(L, b)


@pytest.mark.parametrize("L, message", [
    ([[1, 0], [1, -2]], "L: expected a positive diagonal, got -2.0 at 1"), ([[0.0]], r"got L\[0,0\] = 0"),
    ([[1.0, 2.0]], "L: expected a square matrix"),
])
def test_bad_factor(L, message):
    with pytest.raises(ValueError, match=message):
        log_determinant(L)
