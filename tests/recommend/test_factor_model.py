"""What people ask of factors beside the plain list: some items alone, users alike, users and items that are new."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import known_entries, transposed
from scratchml.recommend import ALS, Popularity
from scratchml.recommend.factor_model import contributions, predicted
from scratchml.recommend.half_steps import equations_of, half_step, shared_gram
from scratchml.recommend.model_parts import NewItems
from tests.reference import factor_model as reference
from tests.strategies.half_steps import half_steps
from tests.strategies.objectives import ratings, seeds

OPTIONS = {"observed": {}, "weighted": dict(unobserved_weight=0.2), "confidence": dict(alpha=5.0),
           "biases": dict(biases=True), "biases by count": dict(biases=True, weighted_regularization=True)}
each = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
N, M = 12, 9


def make(**options):
    return ALS(**{"factors": 2, "dtype": "float64", "random_state": 3, "iterations": 6, **options})


def counts():
    """Ratings with a user, 1, and an item, 8, that have no entries."""
    A = ratings(N, M, 0, 0.6)
    A[1], A[:, 8], A[3, 8] = np.nan, np.nan, np.nan
    return A


# --- equal to the definition

@given(half_steps(), st.integers(1, 4), seeds)
def test_predictions_are_their_definition(problem, n, seed):
    A, V, _, _, d = problem
    rng = np.random.default_rng(seed)
    U, b = rng.normal(size=(len(A), V.shape[1])), rng.normal(size=len(A))
    i, j = rng.integers(len(U), size=n), rng.integers(len(V), size=n)
    np.testing.assert_allclose(predicted(U, V, b, d, 3.5, i, j), reference.predicted(U, V, b, d, 3.5, i, j), atol=1e-13)


@given(half_steps(least=0.5), seeds)
def test_contributions_are_their_definition_and_add_up(problem, seed):
    A, V, L, family, d = problem
    R, rng = known_entries(A), np.random.default_rng(seed)
    U, v = half_step(R, V, L, family, d), rng.normal(size=V.shape[1])
    for n in range(len(A)):
        known = np.flatnonzero(~np.isnan(A[n]))
        c, t = 1 + family.growth * A[n, known], family.slope * A[n, known] + family.level - d[known]
        matrix, _ = equations_of(R, n, V, L, family, d, shared_gram(V, family.unobserved))
        parts = contributions(V[known], v, c, t, matrix)
        np.testing.assert_allclose(parts, reference.contributions(V[known], v, c, t, matrix), rtol=0, atol=1e-9)
        np.testing.assert_allclose(parts.sum(), U[n] @ v, rtol=0, atol=1e-9 * (1 + np.abs(parts).sum()))


def test_ten_are_given_where_nothing_is_said():
    rng = np.random.default_rng(0)
    model = make(iterations=1).fit(rng.random((14, 13)) + 1)
    assert model.recommend(0, exclude_seen=False)[0].shape == (10,) and len(model.explain(0, 1).items) == 10
    assert model.similar_items(0)[0].shape == (10,) and model.similar_users([0, 1])[0].shape == (2, 10)


# --- some items alone

@each
@given(data=st.data())
def test_some_items_alone_are_the_best_of_these(options, data):
    """In any order, with repeats; those that are filtered or known are left out."""
    A = counts()
    model = make(**options).fit(A)
    items = data.draw(st.none() | st.lists(st.integers(0, M - 1), max_size=12))
    without = data.draw(st.none() | st.lists(st.integers(0, M - 1), max_size=4))
    seen, n = data.draw(st.booleans()), data.draw(st.integers(1, M))
    users = [3, 1, 0, 3]
    found, scores = model.recommend(users, n, seen, items=items, filter_items=without)
    assert found.shape == scores.shape == (4, n) and found.dtype == np.int32
    for user, mine, theirs in zip(users, found, scores):
        y = model.predict(user, np.arange(M))
        left = [j for j in np.argsort(-y, kind="stable") if (items is None or j in items) and j not in (without or [])
                and not (seen and not np.isnan(A[user, j])) and (user != 1 or model.biases)][:n]
        assert sorted(mine[:len(left)].tolist()) == sorted(left) and (mine[len(left):] == -1).all()
        np.testing.assert_allclose(theirs[:len(left)], y[left], rtol=1e-12, atol=1e-12)
        assert (theirs[len(left):] == -np.inf).all()


def test_items_in_any_container():
    model = make().fit(counts())
    plain = model.recommend([0, 2], 3, items=[7, 2, 5], filter_items=[2])
    for read in (iter, np.array, tuple, lambda some: np.array(some, np.uint8), lambda some: dict.fromkeys(some).keys()):
        for mine, theirs in zip(model.recommend([0, 2], 3, items=read([7, 2, 5]), filter_items=read([2])), plain):
            np.testing.assert_array_equal(mine, theirs)
    one, _ = model.recommend(0, 3, exclude_seen=False, items=7)
    assert one.tolist() == [7, -1, -1]
    assert model.recommend(model.fold_in(counts()[[0, 2]]), 3, items=[7, 2, 5], filter_items=[2])[0].tolist() == \
        plain[0].tolist()


# --- users of whom nothing is known

@pytest.mark.parametrize("options", [{}, dict(alpha=5.0), dict(biases=True)])
def test_who_is_not_known_is_shown_what_is_popular_if_that_is_asked_for(options):
    A = counts()
    model, popular = make(**options).fit(A), Popularity().fit(A)
    found, scores = model.recommend([0, 1, 1], 4, cold="popular")
    expected = popular.recommend(1, 4)
    np.testing.assert_array_equal(found[1:], [expected[0]] * 2)
    np.testing.assert_array_equal(scores[1:], [expected[1]] * 2)
    items, plain = model.recommend(0, 4)
    np.testing.assert_array_equal(found[0], items)
    np.testing.assert_allclose(scores[0], plain, rtol=1e-12)
    nobody = model.fold_in([], [])
    assert model.recommend(nobody, 4, cold="popular")[0].tolist() == [expected[0].tolist()]
    some = model.recommend(1, 4, cold="popular", items=[8, 3, 5, 1], filter_items=[5])
    order = [j for j in popular.recommend(1, M)[0].tolist() if j in (1, 3, 8)]
    assert some[0].tolist() == [*order, -1] and some[1][:3].tolist() == popular.popularity_[order].tolist()


# --- alike

def test_similar_users_point_the_same_way():
    A = counts()
    model = make(factors=3).fit(A)
    U = model.user_factors_
    users, cosines = model.similar_users([4, 0, 1], n=N)
    for row, user in enumerate([4, 0]):
        expected = U @ U[user] / np.maximum(np.linalg.norm(U, axis=1), 1e-300) / np.linalg.norm(U[user])
        assert sorted(users[row][:N - 2]) == sorted(set(range(N)) - {user, 1})
        assert (np.diff(cosines[row][:N - 2]) <= 0).all()
        np.testing.assert_allclose(cosines[row][:N - 2], expected[users[row][:N - 2]], rtol=1e-12, atol=1e-12)
        assert users[row][N - 2:].tolist() == [-1, -1]
    assert (users[2] == -1).all() and (cosines[2] == -np.inf).all()
    one = model.similar_users(4, 3)
    assert one[0].tolist() == users[0][:3].tolist() and one[1].shape == (3,)
    new, near = model.similar_users(model.fold_in(A[[4]]), 2)
    assert new.shape == (1, 2) and near[0, 0] == pytest.approx(1, abs=0.1)
    new, near = model.similar_users(model.fold_in(A[[4, 0]]), N)                 # whose number 0 is not user 0
    assert sorted(new[0, :N - 1]) == sorted(new[1, :N - 1]) == sorted(set(range(N)) - {1})
    assert (model.similar_users(model.fold_in([], []), 2)[0] == -1).all()


def test_an_item_that_nobody_has_is_like_no_other():
    model = make().fit(counts())
    assert (model.similar_items(8, 3)[0] == -1).all() and 8 not in model.similar_items(0, M)[0]


# --- something new

@each
def test_folding_in_items_is_the_second_half_step(options):
    """So the items of the fit, folded in anew, have the factors that they have."""
    A = counts()
    model = make(**options).fit(A)
    new = model.fold_in_items(A.T)
    np.testing.assert_allclose(new.factors, model.item_factors_, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(new.biases, model.item_biases_, rtol=1e-9, atol=1e-10)
    assert not new.factors[8].any()
    for same in (known_entries(A.T), transposed(known_entries(A))):
        np.testing.assert_array_equal(model.fold_in_items(same).factors, new.factors)
    users = np.flatnonzero(~np.isnan(A[:, 4]))
    alone = model.fold_in_items(users[::-1], A[users[::-1], 4])
    np.testing.assert_allclose(alone.factors[0], new.factors[4], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.predict(3, alone), model.predict(3, 4), rtol=1e-9)
    np.testing.assert_allclose(model.predict(3, new), model.predict(3, np.arange(M)), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.predict(model.fold_in(A[[5]]), new),
                               model.predict(model.fold_in(A[[5]]), np.arange(M)), rtol=1e-9, atol=1e-9)
    found, cosines = model.similar_items(alone, 2)
    assert found[0, 0] == 4 and cosines[0, 0] == pytest.approx(1)


def test_a_new_item_by_the_definition():
    """x minimises Σ_i (r_i - x·U_i)² + λ ‖x‖² over the users who have rated it."""
    model = make(regularization=0.7).fit(counts())
    r, users = np.array([4.0, 1, 2.5]), [5, 0, 7]
    B = model.user_factors_[users]
    expected = np.linalg.solve(B.T @ B + 0.7 * np.eye(2), B.T @ r)
    np.testing.assert_allclose(model.fold_in_items(users, r).factors, [expected], rtol=1e-10)


# --- what cannot be answered

@pytest.mark.parametrize("ask, message", [
    (lambda m: m.recommend(0, 2, items=[9]), "items: expected 0 ... 8, got 9"),
    (lambda m: m.recommend(0, 2, items=[-1]), "items: expected 0 ... 8, got -1"),
    (lambda m: m.recommend(0, 2, items=["tea"]), "items: expected whole numbers"),
    (lambda m: m.recommend(0, 2, filter_items=[0.5]), "filter_items: expected whole numbers"),
    (lambda m: m.recommend(0, 2, filter_items=[9]), "filter_items: expected 0 ... 8, got 9"),
    (lambda m: m.recommend(0, 2, items=np.array([True, False])), "items: expected whole numbers"),
    (lambda m: m.recommend(0, 2, cold="latest"), "cold='latest': expected one of 'popular'"),
    (lambda m: m.recommend(0, 2, cold=True), "cold=True: expected one of"),
    (lambda m: m.similar_users(12, 2), "users: expected 0 ... 11, got 12"), (lambda m: m.similar_users(0, 13), "n=13"),
    (lambda m: m.similar_users("ann", 2), "users: expected whole numbers"),
    (lambda m: m.fold_in_items(np.ones((1, 9))), r"X: expected ratings of the 12 users of fit, got shape \(1, 9\)"),
    (lambda m: m.fold_in_items([0, 0], [1, 2]), r"item, users: \(0, 0\) comes twice"),
    (lambda m: m.fold_in_items([12], [1]), "users: expected 0 ... 11, got 12"),
    (lambda m: m.fold_in_items([0, 1]), "values: expected the ratings of the users X, got none"),
    (lambda m: m.fold_in_items([0], [np.nan]), "values: .*"),
    (lambda m: m.predict(0, NewItems(np.ones((1, 3)), np.zeros(1), known_entries(np.ones((1, 12))))),
     r"items: expected factors of shape \(1, 2\)"),
])
def test_bad_questions(ask, message):
    with pytest.raises(ValueError, match=message):
        ask(make(iterations=1).fit(counts()))


def test_a_new_item_that_is_disliked_is_refused_with_its_user():
    with pytest.raises(ValueError, match="-2.0 of user 5 and item 0 is no sign of liking"):
        make(alpha=1.0).fit(counts()).fold_in_items([5], [-2.0])


def test_float32_stays_and_agrees():
    A, rng = counts(), np.random.default_rng(0)
    start = rng.normal(size=(N, 2)), rng.normal(size=(M, 2))
    small, large = (make(dtype=dtype, iterations=1).fit(A, init=start) for dtype in ("float32", "float64"))
    assert small.recommend(0, 2, items=[1, 2])[1].dtype == small.similar_users(0, 2)[1].dtype == np.float32
    assert small.recommend(1, 2, cold="popular")[1].dtype == small.fold_in_items(A.T).factors.dtype == np.float32
    np.testing.assert_allclose(small.fold_in_items(A.T).factors, large.fold_in_items(A.T).factors, atol=1e-3)
