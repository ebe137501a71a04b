"""Alternating least squares against its definition, its laws and limits, and what people do with the factors."""
import copy
import itertools
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given

from scratchml.core import storage
from scratchml.core.estimator import ConvergenceWarning, NotFittedError
from scratchml.core.sparse import Rows, known_entries, transposed
from scratchml.datasets import load_online_retail
from scratchml.recommend import ALS, ItemCosine, als
from scratchml.recommend.als import KIND, alternate, loss
from scratchml.recommend.half_steps import half_step
from scratchml.recommend.objectives import (Family, biased_error, confidence_error, gradient, observed_error, penalty,
                                            squared_error, weighted_error)
from tests.reference import als as reference
from tests.strategies.als import tastes
from tests.strategies.half_steps import half_steps
from tests.strategies.objectives import ratings, seeds

OPTIONS = {"observed": {}, "weighted": dict(unobserved_weight=0.2), "squared": dict(unobserved_weight=1.0),
           "confidence": dict(alpha=5.0), "biases": dict(biases=True), "by count": dict(weighted_regularization=True),
           "biases by count": dict(biases=True, weighted_regularization=True)}
each = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def make(**options):
    return ALS(**{"factors": 2, "tol": 0, "dtype": "float64", "random_state": 3, **options})


def counts(N=12, M=9, seed=0):
    """Like `ratings`, with a user and an item that have no entries."""
    return ratings(N, M, seed, 0.6)


# --- equal to the definition

@given(half_steps(least=0.5, F=2), seeds)
def test_an_iteration_is_its_definition(problem, seed):
    A, V, L, family, _ = problem
    rng = np.random.default_rng(seed)
    Q = rng.uniform(0.5, 2, size=len(V))
    U, R = np.zeros((len(A), 2)), known_entries(A)
    for ours, theirs in zip(alternate(R, U, V, L, Q, family), reference.alternate(A, U, V, L, Q, family)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * (1 + np.abs(theirs).max()))


# --- the loss

@each
@pytest.mark.parametrize("solver", ["cholesky", "cg"])
@pytest.mark.parametrize("seed", range(3))
def test_the_loss_never_rises(options, solver, seed):
    model = make(factors=3, solver=solver, random_state=seed, **options).fit(counts(seed=seed))
    history = model.loss_history_
    assert len(history) == model.n_iter_ + 1 == 16 and model.loss_ == history[-1] < history[0]
    assert (np.diff(history) <= 1e-12 * history[0]).all()


@each
def test_the_loss_is_the_one_that_is_stated(options):
    A = counts()
    model = make(iterations=2, regularization=0.3, **options).fit(A)
    R, U, V = known_entries(A), model.user_factors_, model.item_factors_
    b, d, μ = model.user_biases_, model.item_biases_, model.global_mean_
    error = biased_error(R, U, V, b, d, np.nanmean(A)) if "biases" in options else \
        confidence_error(R, U, V, 5.0) if "alpha" in options else \
        weighted_error(R, U, V, options.get("unobserved_weight", 0.0))
    known = ~np.isnan(A)
    k, m = (known.sum(axis=1), known.sum(axis=0)) if "weighted_regularization" in options else (np.ones(12), np.ones(9))
    penalties = [penalty(X, n, 0.3) for X, n in ((U, k), (V, m), (b[:, None], k), (d[:, None], m))]
    np.testing.assert_allclose(model.loss_, error + sum(penalties), rtol=1e-12)
    assert μ == (np.nanmean(A) if "biases" in options else 0)


@each
def test_its_gradient_is_zero_in_the_half_that_was_last(options):
    A = counts()
    model = make(iterations=2, **options).fit(A)
    columns, family = transposed(known_entries(A)), model._settings.family(model.global_mean_)
    K = model._settings.penalties(columns)
    held, fitted = model.user_factors_, model.item_factors_
    if model.biases:
        held = np.column_stack([held, np.ones(12), model.user_biases_])
        fitted = np.column_stack([fitted, model.item_biases_, np.ones(9)])
    slopes = gradient(columns, fitted, held, K, family)[:, :3 if model.biases else 2]
    np.testing.assert_allclose(slopes, 0, atol=1e-9)


@each
def test_no_small_change_of_the_items_lowers_it(options):
    R = known_entries(counts())
    model = make(iterations=2, **options).fit(R)
    family, biased = model._settings.family(model.global_mean_), bool(model.biases)
    U, V = model.user_factors_, model._items()
    if biased:
        U = np.column_stack([U, model.user_biases_])
    L, K = model._settings.penalties(R), model._settings.penalties(transposed(R))
    for m, f in itertools.product(range(len(V)), range(V.shape[1])):
        h = np.zeros_like(V)
        h[m, f] = 1e-3                                   # quadratic in V: central differences are exact
        slope = (loss(R, U, V + h, L, K, family, biased) - loss(R, U, V - h, L, K, family, biased)) / 2e-3
        assert abs(slope) < 1e-8


# --- limits

def test_conjugate_gradients_reach_what_cholesky_reaches():
    A = tastes()
    exact, steps = (make(iterations=400, regularization=1.0, solver=solver).fit(A) for solver in ("cholesky", "cg"))
    np.testing.assert_allclose(steps.loss_, exact.loss_, rtol=1e-9)


@pytest.mark.parametrize("w", [1e-4, 1e-8])
def test_a_vanishing_weight_of_the_unknown_is_observed_only(w):
    A, init = counts(), (np.ones((12, 2)), np.random.default_rng(0).normal(size=(9, 2)))
    limit, near = (make(unobserved_weight=weight, iterations=3).fit(A, init=init) for weight in (0.0, w))
    np.testing.assert_allclose(near.item_factors_, limit.item_factors_, rtol=0, atol=1e3 * w)


@pytest.mark.parametrize("F", [1, 2, 4])
def test_the_whole_without_a_penalty_is_the_truncated_svd(F):
    A = counts(10, 8, 5)
    model = make(factors=F, unobserved_weight=1.0, regularization=0.0, iterations=300).fit(A)
    rest = (np.linalg.svd(np.nan_to_num(A), compute_uv=False)[F:] ** 2).sum()
    np.testing.assert_allclose(model.loss_, rest, rtol=1e-6)
    error = squared_error(known_entries(A), model.user_factors_, model.item_factors_)
    np.testing.assert_allclose(error, rest, rtol=1e-6)


def test_without_a_penalty_and_with_enough_factors_everything_observed_is_met():
    A = counts(6, 5)
    for dtype, atol in (("float64", 1e-8), ("float32", 1e-3)):
        model = make(factors=5, regularization=0.0, dtype=dtype, iterations=20).fit(A)
        i, j = np.nonzero(~np.isnan(A))
        np.testing.assert_allclose(model.predict(i, j), A[i, j], atol=atol)


def test_biases_alone_fit_what_is_a_sum():
    rng = np.random.default_rng(0)
    A = 3 + rng.normal(size=(15, 1)) + rng.normal(size=9)
    known = np.where(rng.random(A.shape) < 0.8, A, np.nan)
    init = np.zeros((15, 1)), np.zeros((9, 1))           # products of 0 stay 0
    model = make(factors=1, biases=True, regularization=1e-9, iterations=200).fit(known, init=init)
    i, j = np.indices(A.shape).reshape(2, -1)
    assert not model.item_factors_.any()
    np.testing.assert_allclose(model.predict(i, j).reshape(A.shape), A, atol=1e-6)


def test_a_penalty_by_count_is_a_penalty_times_the_count():
    """Where every user knows n items and every item m users, λ n and λ m; with n = m, one is the other."""
    A = np.where(np.add.outer(np.arange(6), np.arange(6)) % 2, 1.0 + np.arange(6), np.nan)
    init = np.ones((6, 2)), np.random.default_rng(0).normal(size=(6, 2))
    by_count = make(weighted_regularization=True, regularization=0.2, iterations=2).fit(A, init=init)
    plain = make(regularization=0.6, iterations=2).fit(A, init=init)
    np.testing.assert_allclose(by_count.item_factors_, plain.item_factors_, rtol=1e-12)


# --- symmetry, input

@each
@pytest.mark.parametrize("solver", ["cholesky", "cg"])
def test_permuting_users_or_items_permutes_the_result(options, solver):
    rng = np.random.default_rng(0)
    A, U, V = counts(), rng.normal(size=(12, 2)), rng.normal(size=(9, 2))
    rows, columns = rng.permutation(12), rng.permutation(9)
    plain = make(solver=solver, iterations=3, **options).fit(A, init=(U, V))
    turned = make(solver=solver, iterations=3, **options).fit(A[rows][:, columns], init=(U[rows], V[columns]))
    for name, order in [("user_factors_", rows), ("user_biases_", rows), ("item_factors_", columns),
                        ("item_biases_", columns)]:
        np.testing.assert_allclose(getattr(turned, name), getattr(plain, name)[order], rtol=1e-7, atol=1e-9)


@each
def test_however_the_matrix_is_handed_in(options):
    A = counts()
    R = known_entries(A)
    n, m = np.nonzero(~np.isnan(A))
    expected = make(iterations=2, **options).fit(A)
    order = np.random.default_rng(0).permutation(len(n))
    for model in [make(iterations=2, **options).fit(R), make(iterations=2, **options).fit(A.astype(np.float32)),
                  make(iterations=2, **options).fit(n[order], m[order], A[n, m][order], shape=A.shape)]:
        np.testing.assert_array_equal(model.item_factors_, expected.item_factors_)


@each
def test_who_has_rated_nothing_gets_the_mean(options):
    model = make(**options).fit(counts())
    assert np.isnan(counts()[1]).all() and not model.user_factors_[1].any() and model.user_biases_[1] == 0
    assert np.isnan(counts()[:, 2]).all() and not model.item_factors_[2].any() and model.item_biases_[2] == 0
    assert model.predict(1, 2)[0] == model.global_mean_
    np.testing.assert_array_equal(model.predict(1, np.arange(9)), model.global_mean_ + model.item_biases_)


def test_float32_is_the_default_and_close():
    A = tastes()
    init = np.zeros((12, 2)), np.random.default_rng(0).normal(size=(9, 2))
    single, double = (ALS(2, tol=0, **dtype).fit(A, init=init) for dtype in ({}, dict(dtype="float64")))
    np.testing.assert_allclose(single.loss_, double.loss_, rtol=1e-4)
    answers = single.user_factors_, single.item_biases_, single.predict(0, 0), single.recommend(0, n=2)[1]
    assert {answer.dtype for answer in answers} == {np.dtype(np.float32)}


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
@each
def test_the_smallest_matrices(options, shape):
    A = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    for solver in ("cholesky", "cg"):
        model = make(factors=3, solver=solver, **options).fit(A)
        assert np.isfinite(model.predict(0, np.arange(shape[1]))).all() and np.isfinite(model.loss_)


@pytest.mark.parametrize("scale", [1e-10, 1e-3, 1e3, 1e7])
@pytest.mark.parametrize("solver", ["cholesky", "cg"])
def test_badly_scaled_ratings(scale, solver):
    model = ALS(2, tol=0, solver=solver, random_state=0).fit(scale * tastes())
    assert np.isfinite(model.user_factors_).all()
    assert (np.diff(model.loss_history_) <= 1e-5 * model.loss_history_[0]).all()


@pytest.mark.parametrize("biases", [False, True])
def test_conjugate_gradients_stop_where_a_small_penalty_is_lost_in_rounding(biases):
    rng = np.random.default_rng(0)
    A = np.where(rng.random((17, 13)) < 0.9, np.nan, rng.integers(1, 6, (17, 13)))
    model = ALS(8, regularization=1e-8, biases=biases, tol=0, solver="cg", random_state=0).fit(A)
    history = np.array(model.loss_history_)
    assert len(history) == 16 and (np.diff(history) <= 1e-6 * history[0]).all() and history[-1] < 1e-6 * history[0]


def test_a_loss_that_rises_is_a_warning_and_the_iteration_before_is_kept(monkeypatch):
    rising = iter([5.0, 4.0, 4.5])
    monkeypatch.setattr(als, "loss", lambda *arguments: next(rising))
    with pytest.warns(ConvergenceWarning, match="the loss rose in iteration 2, by rounding"):
        model = ALS(2, random_state=0).fit(tastes())
    assert model.loss_history_ == [5, 4] and model.n_iter_ == 1


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="too large for loops in plain Python")
@pytest.mark.parametrize("solver", ["cholesky", "cg"])
def test_a_fit_holds_less_than_twice_the_matrix_and_the_factors(solver):
    rng = np.random.default_rng(0)
    N, M, F, each = 4000, 2000, 16, 80
    indices = np.concatenate([np.sort(rng.choice(M, each, replace=False)) for _ in range(N)]).astype(np.int32)
    R = Rows(np.arange(0, N * each + 1, each), indices, rng.uniform(1, 5, N * each).astype(np.float32), (N, M))
    model = ALS(F, iterations=2, tol=0, solver=solver).fit(R)
    tracemalloc.start()
    try:
        model.fit(R)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    held = sum(part.nbytes for part in (*R[:3], model.user_factors_, model.item_factors_))
    assert peak < 2 * held


# --- recommending

@each
def test_recommendations_are_the_largest_predictions(options):
    A = counts()
    model = make(**options).fit(A)
    for exclude in (False, True):
        items, scores = model.recommend(np.array([3, 1, 3, 0]), n=4, exclude_seen=exclude)
        for row, user in enumerate([3, 1, 3, 0]):
            y = model.predict(user, np.arange(9))
            left = [j for j in np.argsort(-y, kind="stable") if not exclude or np.isnan(A[user, j])][:4]
            left = [] if np.isnan(A[user]).all() and not model.biases else left
            np.testing.assert_allclose(scores[row][:len(left)], y[left], rtol=1e-12, atol=1e-12)
            assert set(items[row][:len(left)]) <= {j for j in range(9) if not exclude or np.isnan(A[user, j])}
            assert (items[row][len(left):] == -1).all() and (scores[row][len(left):] == -np.inf).all()
    one, score = model.recommend(3, n=4)
    assert one.shape == score.shape == (4,) and one.dtype == np.int32


def test_who_is_not_known_is_shown_nothing_at_random():
    A = np.array([[5, np.nan, 4, np.nan], [np.nan] * 4, [4, 1, np.nan, 2], [np.nan, 1, 4, np.nan]])
    for options in ({}, dict(alpha=1.0), dict(unobserved_weight=0.1)):
        model = make(**options).fit(A)
        items, scores = model.recommend([1, 0], n=3, exclude_seen=False)
        assert (items[0] == -1).all() and (scores[0] == -np.inf).all() and (items[1] >= 0).all()
        assert model.recommend(model.fold_in([], []), n=2)[0].tolist() == [[-1, -1]]
    biased = make(biases=True).fit(A)
    assert biased.recommend(1, n=4)[0].tolist() == np.argsort(-biased.item_biases_, kind="stable").tolist()


def test_zeros_that_may_be_unknown_are_asked_about():
    D = (np.random.default_rng(0).random((30, 20)) < 0.2) * 1.0
    for options in (dict(alpha=1.0), {}):
        with pytest.warns(UserWarning, match=r"X: no entry is NaN, .* pass np.where\(X == 0, np.nan, X\)"):
            assert (make(**options).fit(D).recommend(0, 3)[0] == -1).all()
        model = make(**options).fit(np.where(D == 0, np.nan, D))
        assert (model.recommend(0, 3)[0] >= 0).all()
        with pytest.warns(UserWarning, match="X: no entry is NaN"):
            model.fold_in(D[:1])
        assert make(**options).fit(known_entries(D)) and make(**options).fit(D + 1)


def test_a_table_of_entries_is_no_matrix_of_ratings():
    users, items = np.argwhere(np.random.default_rng(0).random((12, 9)) < 0.4).T + 1
    table = np.column_stack([users, items, np.full(len(users), 4.5)])
    for same in (table, np.column_stack([table, np.arange(len(users))])):
        with pytest.warns(UserWarning,
                          match=r"X: this array of shape \(\d+, \d\) looks like a table with a row for each entry"):
            make().fit(same)
    make().fit(table[:, [2, 2, 2]])                      # ratings of three items
    make().fit(table / 2)
    make().fit(np.minimum(table, 9))


def test_one_user_is_one_however_he_comes():
    model = make().fit(counts())
    one = model.recommend(2, 3)[0].tolist()
    for user in (np.int8(2), np.array(2)):
        assert model.recommend(user, 3)[0].tolist() == one == model.recommend(user, 3)[0].tolist()
    for users in ([2], np.array([2], np.uint8), iter([2]), {2: "Ann"}.keys(), {"Ann": 2}.values()):
        assert model.recommend(users, 3)[0].tolist() == [one]
    assert model.similar_items({2: 0}.keys(), 3)[0].shape == (1, 3) and model.predict({2: 0}.keys(), 1).shape == (1,)
    assert ItemCosine().fit(counts()).recommend({2: 0}.keys(), 3)[0].shape == (1, 3)
    for bad in ({2}, None):
        with pytest.raises(ValueError, match="users: expected whole numbers"):
            model.recommend(bad, 3)


def test_entries_come_in_any_container():
    users, items = np.argwhere(~np.isnan(counts())).T
    values = counts()[users, items]
    model = make().fit(users, items, values)
    for read in (iter, lambda column: dict(enumerate(column)).values(), np.array):
        same = make().fit(*(read(column.tolist()) for column in (users, items, values)))
        np.testing.assert_array_equal(same.item_factors_, model.item_factors_)
    folded = model.fold_in([1, 2], [5.0, 3.0]).factors
    np.testing.assert_array_equal(model.fold_in(iter([1, 2]), iter([5.0, 3.0])).factors, folded)
    for k in range(3):
        columns = [users, items, values]
        columns[k] = np.ma.masked_array(columns[k], mask=np.arange(len(users)) == 1)
        with pytest.raises(ValueError, match=f"^{('users', 'items', 'values')[k]}: contains masked values"):
            make().fit(*columns)


def test_new_users_are_asked_about_as_others_are():
    A = counts()
    for options in ({}, dict(alpha=1.0), dict(biases=True)):
        model = make(iterations=100, tol=0, **options).fit(A)
        some = [u for u in range(len(A)) if not np.isnan(A[u]).all()][:3]
        new = model.fold_in(A[some])
        products = new.factors @ model.item_factors_.T + new.biases[:, None] + model.item_biases_ + model.global_mean_
        for item in range(9):
            np.testing.assert_allclose(model.predict(new, item), products[:, item], rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(model.predict(new, item), model.predict(some, item), atol=0.01)
        np.testing.assert_allclose(model.predict(new, [0, 1, 2]), np.diag([model.predict(new, j) for j in range(3)]))
        alone = model.fold_in(A[some[:1]])
        assert model.predict(alone, np.arange(9)).shape == (9,)
        ours, theirs = model.explain(alone, 4), model.explain(some[0], 4)
        assert ours.items.tolist() == theirs.items.tolist() and ours.score == pytest.approx(theirs.score, rel=1e-9)
        assert ours.score == pytest.approx(float(model.predict(alone, 4)[0]), rel=1e-6)
        np.testing.assert_allclose(ours.contributions, theirs.contributions, rtol=1e-9)
        with pytest.raises(ValueError, match="user: expected one, got 3"):
            model.explain(new, 4)
        with pytest.raises(ValueError, match="users, items: expected as many of both, got 3 and 2"):
            model.predict(new, [0, 1])


def test_similar_items_point_the_same_way():
    model = make().fit(tastes())
    V = model.item_factors_
    items, cosines = model.similar_items([4, 0], n=8)
    for row, item in enumerate([4, 0]):
        expected = V @ V[item] / np.linalg.norm(V, axis=1) / np.linalg.norm(V[item])
        assert sorted(items[row]) == sorted(set(range(9)) - {item}) and (np.diff(cosines[row]) <= 0).all()
        np.testing.assert_allclose(cosines[row], expected[items[row]], rtol=1e-12)
    alone, _ = model.similar_items(4, n=9)
    assert alone[-1] == -1 and alone[:8].tolist() == items[0].tolist()


# --- somebody new, and why

@each
def test_folding_in_is_a_half_step(options):
    A = counts()
    model = make(**options).fit(A)
    folded, (V, L, family) = model.fold_in(A), (model.item_factors_, model._settings.penalties(known_entries(A)),
                                                model._settings.family(model.global_mean_))
    if model.biases:
        X = half_step(known_entries(A), np.column_stack([V, np.ones(9)]), L, family, model.item_biases_)
        np.testing.assert_array_equal(folded.biases, X[:, 2])
        np.testing.assert_array_equal(folded.factors, X[:, :2])
    else:
        np.testing.assert_array_equal(folded.factors, half_step(known_entries(A), V, L, family))
    items = np.flatnonzero(~np.isnan(A[4]))
    alone = model.fold_in(items[::-1], A[4, items][::-1])
    np.testing.assert_allclose(alone.factors[0], folded.factors[4], rtol=1e-9, atol=1e-12)
    assert not folded.factors[1].any() and folded.biases[1] == 0
    more = copy.deepcopy(model)                          # with the same factors as users of its own
    more.user_factors_, more.user_biases_ = folded.factors, folded.biases
    for ours, theirs in zip(model.recommend(folded, n=3), more.recommend(np.arange(12), n=3)):
        np.testing.assert_array_equal(ours, theirs)


def test_nobody_new_is_nothing_new():
    folded = make(biases=True).fit(counts()).fold_in([], [])
    assert folded.factors.tolist() == [[0, 0]] and folded.biases.tolist() == [0]


@each
def test_an_explanation_adds_up(options):
    A = counts()
    model = make(**options).fit(A)
    folded = model.fold_in(A)
    for user, item in [(0, 3), (5, 8), (1, 0)]:
        why = model.explain(user, item, n=9)
        score = folded.factors[user] @ model.item_factors_[item] + folded.biases[user] + model.item_biases_[item] \
            + model.global_mean_
        np.testing.assert_allclose(why.score, score, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(why.offset + why.contributions.sum(), why.score, rtol=1e-9, atol=1e-9)
        assert sorted(why.items) == np.flatnonzero(~np.isnan(A[user])).tolist()
        assert (np.diff(why.contributions) <= 0).all()
        assert model.explain(user, item, n=2).items.tolist() == why.items[:2].tolist()


# --- progress

def test_reaching_the_limit_is_a_warning():
    with pytest.warns(ConvergenceWarning, match="iterations=2; raise iterations"):
        ALS(2, iterations=2, tol=1e-4, random_state=0).fit(tastes())


def test_all_iterations_are_done_by_default():
    """Of purchases the loss still falls after 15, so a tolerance would mean a warning at every fit."""
    purchases = load_online_retail()
    model = ALS(4, iterations=3, random_state=0).fit(purchases.users, purchases.items, purchases.counts)
    assert model.n_iter_ == 3
    long = ALS(2, iterations=80, random_state=0, dtype="float64").fit(tastes())
    assert long.n_iter_ == 80 and long.loss_history_[-2] - long.loss_ < 1e-4 * long.loss_


@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_it_stops_where_the_loss_falls_by_a_small_share(scale):
    history = np.array(make(iterations=100, tol=0.01).fit(scale * tastes()).loss_history_)
    shares = 1 - history[1:] / history[:-1]
    assert len(shares) < 100 and shares[-1] <= 0.01 and (shares[:-1] > 0.01).all()


def test_a_callback_sees_each_iteration_and_may_stop(capsys):
    seen = []

    def stop(progress):
        seen.append((progress.iteration, progress.loss, progress.estimator.n_iter_))
        return progress.iteration == 3
    model = make(callback=stop, verbose=1).fit(tastes())
    assert seen == [(n, model.loss_history_[n], n) for n in (1, 2, 3)] and model.n_iter_ == 3
    assert capsys.readouterr().err.splitlines()[2].startswith("ALS: iteration 3, loss ")
    np.testing.assert_array_equal(model.item_factors_, make(iterations=3).fit(tastes()).item_factors_)


def test_interrupting_leaves_the_last_iteration():
    def interrupt(progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt
    model = make(callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(tastes())
    assert model.n_iter_ == 2 and np.isfinite(model.predict(0, 0)).all()


# --- keeping

@each
def test_a_saved_model_is_the_same(options, tmp_path):
    model = make(**options).fit(counts())
    model.save(tmp_path / "model")
    again = ALS.load(tmp_path / "model")
    for ours, theirs in zip(again.recommend([0, 1, 5], n=4), model.recommend([0, 1, 5], n=4)):
        np.testing.assert_array_equal(ours, theirs)
    assert again.loss_history_ == model.loss_history_ and again.explain(0, 3).score == model.explain(0, 3).score
    assert again.get_params() == {**model.get_params(), "random_state": None}


def test_a_damaged_file_is_refused(tmp_path):
    make().fit(counts()).save(tmp_path / "model")
    content = (tmp_path / "model").read_bytes()
    (tmp_path / "model").write_bytes(content[:-100])
    with pytest.raises(ValueError, match="model: damaged"):
        ALS.load(tmp_path / "model")


@pytest.mark.parametrize("part, wrong, message", [
    ("indices", lambda a: a + 100, "R.indices: expected 0 ... 8"),
    ("indptr", lambda a: a[:-1], "R.indptr: expected 13 whole numbers"),
    ("data", lambda a: a[1:], "R.indices, R.data"),
    ("U", lambda a: np.full_like(a, np.nan), "U: Input contains NaN"),
    ("U", lambda a: a[0, 0], "U: expected float64 of shape"),
    ("V", lambda a: a[:, :1], r"V: expected float64 of shape \(9, 2\), got float64 of \(9, 1\)"),
    ("V", lambda a: a.astype(np.float32), "V: expected float64"),
    ("b", lambda a: a[1:], "b: expected"),
    ("d", lambda a: None, "one without 'd'"),
    ("mean", lambda a: np.inf, "mean=inf"),
    ("mean", lambda a: 1e9, "mean=1000000000.0"),
    ("mean", lambda a: "3", "mean='3'"),
    ("history", lambda a: [], "history: expected a list of losses"),
    ("history", lambda a: ["1"], "history='1'"),
    ("parameters", lambda a: {**a, "factors": "2"}, "factors='2'"),
    ("parameters", lambda a: {**a, "factors": 3}, r"U: expected float64 of shape \(12, 3\)"),
    ("parameters", lambda a: {**a, "biases": "no"}, "biases='no': expected True or False"),
    ("parameters", lambda a: {**a, "other": 1}, "unexpected keyword"),
    ("parameters", lambda a: 3, "mapping"),
])
def test_a_file_whose_parts_do_not_fit_is_refused(part, wrong, message, tmp_path):
    make(biases=True, iterations=1).fit(counts()).save(tmp_path / "model")
    arrays, rest = storage.load(tmp_path / "model", KIND)
    held = arrays if part in arrays else rest
    held[part] = wrong(held[part])
    storage.save(tmp_path / "model", KIND, {name: np.asarray(a) for name, a in arrays.items() if a is not None}, rest)
    with pytest.raises(ValueError, match=f"model: expected a fitted model.*({message})"):
        ALS.load(tmp_path / "model")


def test_parameters_set_after_the_fit_change_no_answer(tmp_path):
    model = make(biases=True).fit(counts())
    before = model.recommend([0, 3], n=3), model.explain(0, 3), model.fold_in(counts()).factors
    model.set_params(biases=False, factors=5, regularization=9, alpha=2.0, dtype="float32")
    model.save(tmp_path / "model")
    for one in (model, ALS.load(tmp_path / "model")):
        after = one.recommend([0, 3], n=3), one.explain(0, 3), one.fold_in(counts()).factors
        for ours, theirs in zip((*after[0], *after[1], after[2]), (*before[0], *before[1], before[2])):
            np.testing.assert_array_equal(ours, theirs)


# --- what is refused

def test_new_users_of_another_model_are_refused():
    model, A = make(iterations=1).fit(counts()), counts()
    wide = make(iterations=1).fit(np.hstack([A, A])).fold_in(np.hstack([A, A]))
    folded = model.fold_in(A)
    for users in (wide, make(factors=3, iterations=1).fit(A).fold_in(A), folded._replace(biases=np.zeros(3))):
        with pytest.raises(ValueError, match=r"users: expected factors of shape \(12, 2\), biases"):
            model.recommend(users, n=2)
    beyond = folded.ratings._replace(indices=folded.ratings.indices + 5)
    with pytest.raises(ValueError, match="users.ratings.indices: expected 0 ... 8"):
        model.recommend(folded._replace(ratings=beyond), n=2)
    with pytest.raises(ValueError, match="users.factors: Input contains NaN"):
        model.recommend(folded._replace(factors=np.full((12, 2), np.nan)), n=2)


@pytest.mark.parametrize("options, message", [
    (dict(factors=0), "factors=0: expected a whole number of at least 1"),
    (dict(factors=2.5), "factors=2.5"),
    (dict(factors=2**70), "factors=1180591620717411303424: expected at most"),
    (dict(iterations=0), "iterations=0"),
    (dict(tol=-1), "tol=-1"),
    (dict(solver="lu"), "solver='lu': expected one of 'cholesky', 'cg'"),
    (dict(dtype="float16"), "dtype='float16'"),
    (dict(regularization=-0.1), "regularization=-0.1: expected a number, at least 0.0"),
    (dict(regularization=np.nan), "regularization=nan"),
    (dict(regularization=1e200), "regularization=1e[+]200: expected at most"),
    (dict(unobserved_weight=-1), "unobserved_weight=-1"),
    (dict(unobserved_weight=1e8), "unobserved_weight=100000000.0: expected at most 1e[+]07 in float64; a larger one"),
    (dict(unobserved_weight=2000, dtype="float32"), "unobserved_weight=2000: expected at most 1e[+]03 in float32"),
    (dict(alpha=-2), "alpha=-2"),
    (dict(alpha=np.inf), "alpha=inf"),
    (dict(alpha=1.0, unobserved_weight=0.5), "unobserved_weight=0.5: with alpha, what is not observed"),
    (dict(biases=True, unobserved_weight=0.5), "biases=True: with alpha or unobserved_weight, unknown"),
    (dict(biases=True, alpha=1.0), "biases=True: with alpha"),
    (dict(regularization=0, solver="cg"), "regularization=0: a few conjugate gradients do not reach"),
])
def test_bad_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options).fit(counts())


@pytest.mark.parametrize("arguments, message", [
    ((np.full((3, 2), np.nan),), "X: expected a matrix with at least one known entry"),
    ((np.zeros((0, 2)),), "X: expected a matrix"),
    (([[1.0, np.inf]],), r"X: Input contains infinity, first at \[0, 1\]"),
    (([[1e30, 1]],), "X: the largest magnitude is 1e[+]30"),
    (([[1e300, 1]],), "X: Input contains infinity"),
    ((Rows(np.array([0, 2]), np.array([1, 1]), np.array([1.0, 2]), (1, 2)),), "X: row 0 has column 1 twice"),
    (([0, 1, 0], [2, 0, 2], [1, 2, 3]), r"users, items: \(0, 2\) comes twice, at 0 and 2"),
    (([0, 1], [2, 0], [1, np.nan]), r"values: Input contains NaN, first at \[1\]"),
    (([0, -1], [2, 0], [1, 2]), "users: expected 0 ... 2147483646, got -1 at 1"),
    (([0, 1], [2, 0], [1, 2], (2, 2)), "items: expected 0 ... 1, got 2 at 0"),
    (([0, 1], [2, 0]), "values: expected the entries of the users X and the items, got none"),
    (([0, 1], [2, 0], [1]), "users, items, values: expected arrays of one length"),
])
def test_bad_ratings(arguments, message):
    arguments, shape = arguments[:3], dict(shape=arguments[3]) if len(arguments) > 3 else {}
    with pytest.raises(ValueError, match=message):
        ALS(2).fit(*arguments, **shape)


@pytest.mark.parametrize("alpha", [4.0, 1.0, 0.5, 1e-3])
def test_what_is_no_sign_of_liking(alpha):
    """With confidence 1 + alpha r, a dislike of -1 and alpha = 0.5 would be liked, if with little confidence."""
    A = np.array([[np.nan, 2.0, 1], [3, np.nan, -0.5], [np.nan, -0.9, 1]])
    message = "X: -0.5 of user 1 and item 2 is no sign of liking.* leave out returns and dislikes .* or set alpha=None"
    for R in (A, known_entries(A), A.astype(np.float32)):
        with pytest.raises(ValueError, match=message):
            make(alpha=alpha).fit(R)
    with pytest.raises(ValueError, match="X: -1.0 of user 0 and item 1 is no sign of liking"):
        make(alpha=alpha).fit([0, 1, 0], [1, 0, 0], [-1, 2, 3])
    model = make(alpha=alpha).fit(np.abs(A))
    with pytest.raises(ValueError, match="X: -2.0 of user 0 and item 0 is no sign of liking"):
        model.fold_in([0], [-2.0])
    assert np.isfinite(make().fit(A).loss_) and np.isfinite(make(alpha=alpha).fit(np.where(A == 2, 0, np.abs(A))).loss_)


@pytest.mark.parametrize("init, message", [
    (np.ones((9, 2)), r"init: expected \(U, V\)"),
    ((np.ones((12, 2)), np.full((9, 2), 1e300)), "init: the largest magnitude is inf"),
    ((np.ones((12, 2)), np.ones((9, 3))), r"init: expected \(U, V\) of shapes \(12, 2\) and \(9, 2\), got .*\(9, 3\)"),
    ((np.ones((12, 2)), np.full((9, 2), np.nan)), "init: Input contains NaN"),
])
def test_bad_starts(init, message):
    with pytest.raises(ValueError, match=message):
        make(dtype="float32").fit(counts(), init=init)


@pytest.mark.parametrize("users, items, name, most, different", [
    ([175219573, 101985756], [0, 1], "users", 175219573, 2), ([12346, 18287], [85048, 22423], "users", 18287, 2),
    ([0, 1, 2], [85048, 22423, 85048], "items", 85048, 2),
    (list(range(3000)), [10**6 + k for k in range(3000)], "items",
                                                            1002999, 3000),
])
def test_identifiers_make_no_model_of_their_size(users, items, name, most, different):
    values = np.ones(len(users))
    with pytest.raises(ValueError, match=f"{name}: the greatest is {most}, but only {different} are different, .*"
                                         rf"ids, {name} = np.unique\({name}, return_inverse=True\), or pass shape"):
        make().fit(users, items, values)
    ids, users = np.unique(users, return_inverse=True)
    names, items = np.unique(items, return_inverse=True)
    model = make(alpha=1.0, iterations=1).fit(users, items, values)
    assert model.user_factors_.shape == (len(ids), 2) and model.item_factors_.shape == (len(names), 2)


def test_numbers_with_gaps_and_a_shape_are_no_identifiers():
    gaps = np.arange(0, 2000, 9)
    assert make(iterations=1).fit(gaps, gaps, np.ones(gaps.size)).user_factors_.shape == (1999, 2)
    assert make(iterations=1).fit([5000], [0], [1.0], shape=(5001, 1)).user_factors_.shape == (5001, 2)


def test_entries_come_in_any_container():
    users, items, values = [0, 1, 1], [1, 0, 2], [1.0, 2, 3]
    expected = make(iterations=2).fit(users, items, values).item_factors_
    for kind in (iter, lambda x: np.array(x, object), lambda x: (one for one in x), tuple):
        np.testing.assert_array_equal(make(iterations=2).fit(kind(users), kind(items), values).item_factors_, expected)
    with pytest.raises(ValueError, match="users: expected whole numbers .* e.g. by np.unique"):
        make().fit(["anna", "bo", "bo"], items, values)
    with pytest.raises(ValueError, match="items: expected whole numbers"):
        make().fit(users, np.array(["a", "b", "c"], object), values)
    with pytest.raises(ValueError, match="users: expected whole numbers"):
        make().fit(np.array([0, None, 1], object), items, values)


def test_entries_need_their_items():
    for options in (dict(values=[1.0, 2]), dict(shape=(2, 3))):
        with pytest.raises(ValueError, match="items: expected the items of the users X"):
            make().fit(counts(), **options)


@pytest.mark.parametrize("ask, message", [
    (lambda m: m.predict([0, 12], [0, 0]), "users: expected 0 ... 11, got 12 at 1"),
    (lambda m: m.predict(0, -1), "items: expected 0 ... 8, got -1 at 0"),
    (lambda m: m.predict([0, 1], [0, 1, 2]), "users, items: expected as many of both, got 2 and 3"),
    (lambda m: m.predict(0.5, 0), "users: expected whole numbers"),
    (lambda m: m.recommend(12, n=2), "users: expected 0 ... 11, got 12"),
    (lambda m: m.recommend(0, n=10), "n=10: expected at most the number of items, 9"),
    (lambda m: m.recommend(0, n=0), "n=0"),
    (lambda m: m.similar_items(9, n=2), "items: expected 0 ... 8, got 9"),
    (lambda m: m.similar_items(0, n=10), "n=10"),
    (lambda m: m.fold_in(np.ones((1, 8))), r"X: expected ratings of the 9 items of fit, got shape \(1, 8\)"),
    (lambda m: m.fold_in([0, 0], [1, 2]), r"user, items: \(0, 0\) comes twice"),
    (lambda m: m.fold_in([9], [1]), "items: expected 0 ... 8, got 9"),
    (lambda m: m.explain(12, 0), "user: expected 0 ... 11"),
    (lambda m: m.explain(0, 9), "item: expected 0 ... 8"),
    (lambda m: m.explain([0, 1], 2), "user: expected one, got 2"),
    (lambda m: m.explain(0, [2, 3]), "item: expected one, got 2"),
    (lambda m: m.fold_in([0, 1]), r"values: expected the ratings of the items X, got none; pass both"),
    (lambda m: m.fold_in(np.array([0, 1])), "values: expected the ratings"), (lambda m: m.fold_in(range(2)), "values"),
    (lambda m: m.predict("anna", 0), "users: expected whole numbers .* e.g. by np.unique"),
    (lambda m: m.recommend(["anna", "bo"], 2), "users: expected whole numbers .* e.g. by np.unique"),
    (lambda m: m.predict(0, ["tea"]), "items: expected whole"),
    (lambda m: m.similar_items("tea", 2), "items: expected"),
    (lambda m: m.predict([[0], [1, 2]], 0), "users: expected whole"),
    (lambda m: m.predict([2**70], 0), "users: expected"),
    (lambda m: m.fold_in(["tea"], [1]), "items: expected whole numbers"),
])
def test_bad_questions(ask, message):
    with pytest.raises(ValueError, match=message):
        ask(make(iterations=1).fit(counts()))


@pytest.mark.parametrize("ask", [lambda m: m.predict(0, 0), lambda m: m.recommend(0), lambda m: m.similar_items(0),
                                 lambda m: m.fold_in([0], [1]), lambda m: m.explain(0, 0), lambda m: m.save("x")])
def test_questions_before_the_fit(ask):
    with pytest.raises(NotFittedError):
        ask(ALS())
