"""Alternating least squares agrees with implicit's, from the same start, and so do recommendations and explanations.

What is 1 + alpha r here is handed to it as the entries themselves; it holds them in float32, so they are whole numbers.
An iteration is exact on both sides, and after three of them only the rounding of well-conditioned systems is left.
"""
import numpy as np
import pytest

from scratchml.core.sparse import known_entries
from scratchml.recommend import ALS
from tests.strategies.als import tastes

implicit = pytest.importorskip("implicit.cpu.als")
sparse = pytest.importorskip("scipy.sparse")
threadpoolctl = pytest.importorskip("threadpoolctl")

ALPHA, N, M, F = 4.0, 40, 18, 5


def pair(iterations=3, dtype="float64", use_cg=False, regularization=0.3):
    """Our model and theirs, fitted to the same likes from the same start."""
    A, rng = np.rint(np.abs(tastes(N, M))), np.random.default_rng(0)
    R = known_entries(A)
    U, V = rng.normal(size=(N, F)), rng.normal(size=(M, F))
    ours = ALS(F, alpha=ALPHA, regularization=regularization, iterations=iterations, tol=0, dtype=dtype,
               solver="cg" if use_cg else "cholesky").fit(R, init=(U, V))
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        theirs = implicit.AlternatingLeastSquares(F, regularization=regularization, alpha=1.0, iterations=iterations,
                                                  dtype=np.dtype(dtype).type, use_cg=use_cg, num_threads=1)
        theirs.user_factors, theirs.item_factors = U.astype(dtype), V.astype(dtype)
        theirs.fit(sparse.csr_matrix((1 + ALPHA * R.data, R.indices, R.indptr), shape=R.shape), show_progress=False)
    return ours, theirs, R


@pytest.mark.parametrize("dtype, rtol", [("float64", 1e-9), ("float32", 2e-3)])
def test_the_same_start_leads_to_the_same_factors(dtype, rtol):
    ours, theirs, _ = pair(dtype=dtype)
    for mine, other in [(ours.user_factors_, theirs.user_factors), (ours.item_factors_, theirs.item_factors)]:
        assert mine.dtype == other.dtype == dtype
        np.testing.assert_allclose(mine, other, rtol=0, atol=rtol * np.abs(mine).max())


def test_conjugate_gradients_end_where_theirs_do():
    ours, theirs, _ = pair(iterations=300, use_cg=True, regularization=3.0)
    np.testing.assert_allclose(ours.user_factors_ @ ours.item_factors_.T, theirs.user_factors @ theirs.item_factors.T,
                               atol=1e-4)


def test_recommendations_agree():
    ours, theirs, R = pair()
    likes = sparse.csr_matrix((R.data, R.indices, R.indptr), shape=R.shape)
    items, scores = ours.recommend(np.arange(N), n=3)
    others, theirs = theirs.recommend(np.arange(N), likes, N=3)
    enough = np.diff(R.indptr) <= M - 3
    assert enough.sum() > 20
    np.testing.assert_allclose(scores[enough], theirs[enough], rtol=1e-8)
    np.testing.assert_array_equal(items[enough], others[enough])


def test_some_items_alone_agree():
    ours, theirs, R = pair()
    likes = sparse.csr_matrix((1 + R.data, R.indices, R.indptr), shape=R.shape)
    some, users = np.array([2, 3, 5, 8, 11, 13, 16]), np.arange(N)
    for options in (dict(items=some), dict(filter_items=some)):
        items, scores = ours.recommend(users, n=4, exclude_seen=False, **options)
        others, peers = theirs.recommend(users, likes, N=4, filter_already_liked_items=False, **options)
        np.testing.assert_array_equal(items, others)
        np.testing.assert_allclose(scores, peers, rtol=1e-8)
    items, scores = ours.recommend(users, n=2, items=some)
    others, peers = theirs.recommend(users, likes, N=2, items=some)
    enough = (likes[:, some].toarray() == 0).sum(axis=1) >= 2
    assert enough.sum() > 10
    np.testing.assert_array_equal(items[enough], others[enough])


def test_similar_users_and_new_items_agree():
    """implicit counts a user as his own neighbour."""
    ours, theirs, R = pair()
    users, cosines = ours.similar_users(np.arange(N), n=3)
    others, peers = theirs.similar_users(np.arange(N), N=4)
    assert (others[:, 0] == np.arange(N)).all()
    np.testing.assert_array_equal(users, others[:, 1:])
    np.testing.assert_allclose(cosines, peers[:, 1:], rtol=1e-8)
    new = sparse.csr_matrix(([5.0, 9.0], ([0, 0], [3, 30])), shape=(1, N))
    expected = theirs.recalculate_item(np.array([0]), new)
    np.testing.assert_allclose(ours.fold_in_items([3, 30], [1.0, 2.0]).factors, expected, rtol=1e-6)


def test_explanations_agree():
    ours, theirs, R = pair()
    likes = sparse.csr_matrix((1 + ALPHA * R.data, R.indices, R.indptr), shape=R.shape)
    for user, item in [(0, 3), (7, 17)]:
        why = ours.explain(user, item, n=4)
        score, parts, _ = theirs.explain(user, likes, item, N=4)
        np.testing.assert_allclose(why.score, score, rtol=1e-8)
        np.testing.assert_allclose(why.contributions, [part for _, part in parts], rtol=1e-7, atol=1e-10)
        assert why.items.tolist() == [j for j, _ in parts]


def test_scipys_matrices_are_ratings():
    A = tastes(N, M)
    R, (rows, columns) = known_entries(A), np.nonzero(~np.isnan(A))
    expected = ALS(2, tol=0, random_state=0).fit(R).item_factors_
    coordinates = sparse.coo_array((A[rows, columns], (rows, columns)), shape=A.shape)
    rows = coordinates.tocsr()
    for X in [coordinates, rows, rows.tocsc(), rows.tolil(), sparse.csr_matrix(rows)]:
        np.testing.assert_array_equal(ALS(2, tol=0, random_state=0).fit(X).item_factors_, expected)
    twice = sparse.coo_matrix(([1.0, 2, 3], ([0, 1, 0], [2, 0, 2])), shape=(2, 3))
    with pytest.raises(ValueError, match=r"\(0, 2\) comes twice, at 0 and 2"):
        ALS(2).fit(twice)
