"""The truncated singular value decomposition against its definition, and where alternating least squares end."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core import lanczos
from scratchml.core.sparse import Rows, sparse_rows
from scratchml.recommend import ALS, TruncatedSVD
from scratchml.recommend.truncated_svd import explained_ratio, leading_terms, project, reconstruct, total_variance
from tests.reference import truncated_svd as reference
from tests.strategies.truncated_svd import matrices

seeds = st.integers(0, 2**32 - 1)
EPS = np.finfo(float).eps


# --- equal to the definition

@given(matrices(), st.integers(1, 4), seeds)
def test_coordinates_are_their_definition(A, L, seed):
    B = np.random.default_rng(seed).normal(size=(A.shape[1], L))
    bound = 4 * A.shape[1] * EPS * np.abs(A).sum() * np.abs(B).max()
    np.testing.assert_allclose(project(sparse_rows(A), B.T), reference.project(A, B.T), rtol=0, atol=bound)
    np.testing.assert_allclose(project(A, B.T), reference.project(A, B.T), rtol=0, atol=bound)


@given(matrices(), seeds, st.data())
def test_the_leading_terms_are_their_definition(A, seed, data):
    F = data.draw(st.integers(1, min(A.shape)))
    s, W, Z = leading_terms(sparse_rows(A), F, seed)
    expected, _, _ = reference.leading_terms(A, F)
    largest = np.linalg.norm(A)
    np.testing.assert_allclose(s, expected, rtol=0, atol=1e-7 * largest)             # AᵀA has lost half of the digits
    np.testing.assert_allclose(W @ W.T, np.eye(F), atol=100 * EPS)
    assert (W[np.arange(F), np.abs(W).argmax(axis=1)] > 0).all()
    np.testing.assert_allclose(Z, A @ W.T, rtol=0, atol=100 * EPS * largest)


@pytest.mark.parametrize("seed", range(5))
def test_axes_are_their_definition_where_singular_values_stand_apart(seed):
    rng = np.random.default_rng(seed)
    U, V = np.linalg.qr(rng.normal(size=(9, 6)))[0], np.linalg.qr(rng.normal(size=(7, 6)))[0]
    A = U * [5.0, 4, 3, 2, 1.5, 1] @ V.T
    for F in (1, 3):
        s, W, Z = leading_terms(sparse_rows(A), F, seed)
        expected, axes, coordinates = reference.leading_terms(A, F)
        np.testing.assert_allclose(s, expected, rtol=1e-12)
        np.testing.assert_allclose(W, axes, atol=1e-12)
        np.testing.assert_allclose(Z, coordinates, atol=1e-11)


@given(matrices(), seeds)
def test_reconstruction_and_ratio_are_their_definition(A, seed):
    Z = np.random.default_rng(seed).normal(size=(4, len(A)))
    np.testing.assert_allclose(reconstruct(Z, A), reference.reconstruct(Z, A), rtol=0,
                               atol=4 * len(A) * EPS * np.abs(A).sum() * np.abs(Z).max())
    np.testing.assert_allclose(explained_ratio(Z, 2.5), reference.explained_ratio(Z, 2.5), rtol=1e-10)
    assert not explained_ratio(Z, 0.0).any()


# --- laws

@given(matrices(), seeds, st.data())
def test_no_matrix_of_that_rank_is_closer(A, seed, data):
    F = data.draw(st.integers(1, min(A.shape)))
    model = TruncatedSVD(F, random_state=seed).fit(sparse_rows(A))
    error = np.linalg.norm(A - model.inverse_transform(model.transform(A)))
    rest = np.sqrt((np.linalg.svd(A, compute_uv=False)[F:] ** 2).sum())
    np.testing.assert_allclose(error, rest, rtol=0, atol=1e-13 * len(A) * np.linalg.norm(A))


@given(matrices(), seeds)
def test_sparse_is_dense(A, seed):
    sparse, full = (TruncatedSVD(1, random_state=seed).fit(X) for X in (sparse_rows(A), A))
    np.testing.assert_allclose(sparse.singular_values_, full.singular_values_, rtol=1e-9, atol=0)
    np.testing.assert_allclose(sparse.explained_variance_ratio_, full.explained_variance_ratio_, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(sparse.transform(A), full.transform(sparse_rows(A)), rtol=0, atol=1e-7 * np.abs(A).sum())


@given(matrices())
def test_the_variance_of_all_columns(A):
    expected = A.var(axis=0).sum()
    for X in (A, sparse_rows(A)):
        np.testing.assert_allclose(total_variance(X), expected, rtol=1e-12, atol=0)


def test_all_components_explain_everything():
    A = np.rint(np.random.default_rng(0).normal(size=(9, 5)))
    model = TruncatedSVD(5, random_state=0).fit(A)
    np.testing.assert_allclose(model.explained_variance_ratio_.sum(), 1, rtol=1e-12)
    np.testing.assert_allclose(model.explained_variance_, model.transform(A).var(axis=0), rtol=1e-12)


def test_it_is_where_alternating_least_squares_end_without_a_penalty():
    A = np.rint(2 * np.random.default_rng(0).normal(size=(9, 7))) * 2.0 ** -np.arange(7)
    R = sparse_rows(A)
    als = ALS(2, unobserved_weight=1.0, regularization=0.0, iterations=60, tol=0, dtype="float64", random_state=0)
    als.fit(R)
    svd = TruncatedSVD(2, random_state=0).fit(R)
    ours = svd.inverse_transform(svd.transform(R))
    np.testing.assert_allclose(als.user_factors_ @ als.item_factors_.T, ours, atol=1e-6)


@pytest.mark.parametrize("sparse", [False, True])
def test_float32_stays_float32(sparse):
    A = np.rint(np.random.default_rng(0).normal(size=(9, 5))).astype(np.float32)
    X = sparse_rows(A)._replace(data=A[np.nonzero(A)]) if sparse else A
    model = TruncatedSVD(2, random_state=0).fit(X)
    parts = model.components_, model.singular_values_, model.explained_variance_, model.explained_variance_ratio_
    assert {part.dtype for part in (*parts, model.transform(X))} == {np.dtype(np.float32)}


@pytest.mark.parametrize("F, n_iter, width", [(3, 4, 8), (9, 2, 16)])
def test_how_many_products_it_takes(monkeypatch, F, n_iter, width):
    """The matrix is larger than that on both sides; one product with one vector gives its scale."""
    widths = []
    real = lanczos.times
    monkeypatch.setattr(lanczos, "times", lambda R, B: widths.append(B.shape[1]) or real(R, B))
    TruncatedSVD(F, n_iter=n_iter, random_state=0).fit(sparse_rows(np.random.default_rng(0).normal(size=(90, 80))))
    assert widths == [1] + [width] * (2 * n_iter + 2) + [F] * 3


def test_all_digits_are_found_where_rounds_do_not_suffice():
    A = np.random.default_rng(0).normal(size=(150, 100))
    A[np.random.default_rng(1).random(A.shape) < 0.8] = 0
    exact = np.linalg.svd(A, compute_uv=False)[:4]
    lost = {name: 1 - TruncatedSVD(4, algorithm=name, n_iter=1, random_state=0).fit(sparse_rows(A)).singular_values_
            / exact for name in ("arpack", "randomized")}
    assert np.abs(lost["arpack"]).max() < 1e-13 < 1e-3 < lost["randomized"].max()
    rough = TruncatedSVD(4, algorithm="arpack", tol=0.1, random_state=0).fit(sparse_rows(A))
    assert 1e-13 < np.abs(1 - rough.singular_values_ / exact).max() < 0.1


@pytest.mark.parametrize("algorithm", ["arpack", "randomized"])
def test_any_scale_that_has_squares_will_do(algorithm):
    A = np.rint(np.random.default_rng(0).normal(size=(30, 20)))
    plain, large, small = (TruncatedSVD(3, algorithm=algorithm, random_state=0).fit(A * scale)
                           for scale in (1, 2.0**480, 2.0**-440))
    np.testing.assert_allclose(large.singular_values_, plain.singular_values_ * 2.0**480, rtol=1e-13)
    np.testing.assert_allclose(small.components_, plain.components_, atol=1e-12)


def test_nothing_at_all():
    model = TruncatedSVD(2, random_state=0).fit(np.zeros((4, 3)))
    assert not model.singular_values_.any() and not model.explained_variance_ratio_.any()
    assert not model.transform(np.zeros((4, 3))).any()


# --- what is refused

@pytest.mark.parametrize("X, F, message", [
    (np.ones((3, 2)), 3, r"n_components=3: expected at most min\(n_samples, n_features\) = 2"),
    (np.ones((3, 2)), 0, "n_components=0: expected a whole number"),
    ([[1.0, np.nan]], 1, r"X: Input contains NaN, first at \[0, 1\]"),
    ([[1e200, 1.0]], 1, "X: the largest magnitude is 1e[+]200"),
    (np.ones((3, 2)), dict(algorithm="arpack", n_components=2), r"n_components=2: expected less than min\(n_samples"),
    (np.ones((3, 2)), dict(algorithm="exact"), "algorithm='exact': "),
    (np.ones((3, 2)), dict(n_iter=-1), "n_iter=-1: expected a whole number of at least 0"),
    (np.ones((3, 2)), dict(algorithm="arpack", n_components=1, tol=-1), "tol=-1: "),
    (Rows(np.array([0, 2]), np.array([1, 1]), np.array([1.0, 2]), (1, 2)), 1, "X: row 0 has column 1 twice"),
    (Rows(np.array([0, 1]), np.array([2]), np.array([1.0]), (1, 2)), 1, "X.indices: expected 0 ... 1, got 2 at 0"),
])
def test_bad_input(X, F, message):
    with pytest.raises(ValueError, match=message):
        TruncatedSVD(**(F if isinstance(F, dict) else dict(n_components=F))).fit(X)


def test_bad_further_input():
    model = TruncatedSVD(1).fit(np.ones((3, 2)))
    for X in (np.ones((3, 3)), sparse_rows(np.ones((3, 3)))):
        with pytest.raises(ValueError, match="X has 3 features, but TruncatedSVD is expecting 2"):
            model.transform(X)
    single = TruncatedSVD(1).fit(np.ones((3, 2), np.float32))
    with pytest.raises(ValueError, match=r"X: Input contains infinity, first at \[0, 1\]"):
        single.transform([[1.0, 1e300]])
    with pytest.raises(ValueError, match="X: its products with the components cannot be held in float32"):
        single.transform([[3e38, 3e38]])
    with pytest.raises(ValueError, match=r"Z: Input contains infinity, first at \[0, 0\]"):
        single.inverse_transform([[1e300]])
    with pytest.raises(ValueError, match="Z: has 2 columns, but 1 components are kept"):
        model.inverse_transform(np.ones((3, 2)))
