"""A model of what disappoints against its definition, and what must hold for any counts."""
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.estimator import ConvergenceWarning
from scratchml.core.sparse import sparse_rows
from scratchml.recommend import ClickBait, click_bait, filtered, smoothed_rate, worth_showing_below
from tests.reference import click_bait as reference
from tests.strategies.click_bait import items, seeds, shops

settings = st.sampled_from([0.1, 1, 30])


def gradient_of(model, X, k, n):
    z = X @ model.coef_ + model.intercept_
    return click_bait.loss_gradient(sparse_rows(X), z, k, n, model.coef_, model.regularization)


# --- the equations

@given(shops(("real", "words")), seeds, settings)
def test_the_loss_and_its_gradient(drawn, seed, λ):
    (X, k, n), rng = drawn, np.random.default_rng(seed)
    w, b = rng.normal(size=X.shape[1]), rng.normal()
    z = X @ w + b
    np.testing.assert_allclose(click_bait.probabilities(z), reference.probabilities(z), rtol=1e-12)
    np.testing.assert_allclose(click_bait.loss(z, k, n, w, λ), reference.loss(z, k, n, w, λ), rtol=1e-12)
    by_w, by_b = click_bait.loss_gradient(sparse_rows(X), z, k, n, w, λ)
    for ours, theirs in zip((by_w, by_b), reference.loss_gradient(X, z, k, n, w, λ)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
    d, by_d, h = rng.normal(size=w.size), rng.normal(), 1e-5
    ends = [click_bait.loss(X @ (w + t * d) + b + t * by_d, k, n, w + t * d, λ) for t in (-h, h)]
    np.testing.assert_allclose((ends[1] - ends[0]) / (2 * h), by_w @ d + by_b * by_d, rtol=1e-6, atol=1e-5)


def test_far_out_the_loss_is_what_is_left():
    z = np.array([-1e4, -800.0, 800.0, 1e4])
    assert click_bait.probabilities(z).tolist() == [0, 0, 1, 1]
    assert click_bait.loss(z, np.array([0, 1, 1, 0]), np.ones(4), np.zeros(1), 0) == 800 + 1e4


@given(shops(), seeds, st.sampled_from([0.1, 7, 1e6]))
def test_a_share_is_drawn_to_what_was_expected(drawn, seed, m):
    (_, k, n), P = drawn, np.random.default_rng(seed).random(len(drawn[1]))
    found = smoothed_rate(k, n, P, m)
    np.testing.assert_allclose(found, reference.smoothed_rate(k, n, P, m), rtol=1e-13)
    assert (found[n == 0] == pytest.approx(P[n == 0])) and (0 <= found).all() and (found <= 1).all()
    own = np.where(n > 0, k / np.maximum(n, 1), P)
    assert (np.minimum(own, P) - 1e-12 <= found).all() and (found <= np.maximum(own, P) + 1e-12).all()
    np.testing.assert_array_equal(smoothed_rate(k, n, 0.25, m), smoothed_rate(k, n, np.full(len(k), 0.25), m))


@given(st.sampled_from([1e-9, 0.5, 3, 1e150]), st.sampled_from([0, 1e-9, 2, 1e150]))
def test_below_the_threshold_an_item_gains_more_than_it_costs(g, c):
    θ = worth_showing_below(g, c)
    with np.errstate(over="ignore"):
        if np.isfinite(g + c):
            np.testing.assert_allclose(θ, reference.worth_showing_below(g, c), rtol=1e-14)
    for P in θ * np.array([0.99, 1.01]):
        assert ((1 - P) * g > P * c) == (P < θ) or P > 1


# --- the model

@given(shops(), settings)
def test_no_weights_are_better(drawn, λ):
    X, k, n = drawn
    model = ClickBait(λ).fit(X, k, n)
    by_w, by_b = gradient_of(model, X, k, n)
    size = np.abs(n[:, None] * X).sum(axis=0) + n.sum()
    assert (np.abs(by_w) <= 2e-8 * size).all() and abs(by_b) <= 1e-8 * n.sum()
    P = model.predict(X)
    assert (n * P).sum() == pytest.approx(k.sum(), rel=1e-7)             # b is free
    np.testing.assert_allclose(model.predict(sparse_rows(X)), P, rtol=1e-12)


@given(shops(("real", "words")), seeds)
def test_items_count_as_often_as_they_were_taken(drawn, seed):
    X, k, n = drawn
    order = np.random.default_rng(seed).permutation(2 * len(X))
    halves = [np.concatenate([part // 2, part - part // 2])[order] for part in (k, n - k)]
    parted = ClickBait().fit(np.concatenate([X, X])[order], halves[0], halves[0] + halves[1])
    np.testing.assert_allclose(parted.predict(X), ClickBait().fit(X, k, n).predict(X), atol=1e-7)
    other = ClickBait().fit(X, n - k, n)                                 # what is good in place of what is bad
    np.testing.assert_allclose(other.predict(X), 1 - ClickBait().fit(X, k, n).predict(X), atol=1e-7)


def test_items_that_nobody_has_taken_change_nothing():
    X, k, n = items(6, 2, 3)
    more = np.concatenate([X, [[50.0, -80]]])
    with_it, without = ClickBait().fit(more, [*k, 0], [*n, 0]), ClickBait().fit(X, k, n)
    np.testing.assert_allclose(with_it.coef_, without.coef_, rtol=1e-6)
    assert with_it.predict(more).shape == (7,)


def test_units_of_features_do_not_matter_where_weights_are_free():
    X, k, n = items(9, 3, 5)
    k, n = np.clip(k, 1, None), n + 3                    # nobody is told apart for certain
    plain, other = ClickBait(0).fit(X, k, n), ClickBait(0).fit(X * [1e-9, 1, 1e9] + [0, 1e9, 0], k, n)
    np.testing.assert_allclose(other.predict(X * [1e-9, 1, 1e9] + [0, 1e9, 0]), plain.predict(X), rtol=1e-6)


@pytest.mark.parametrize("value", [0.1, -636.96, 1e9 / 7, 0])
@pytest.mark.parametrize("unknown", [0, 5])
def test_a_feature_that_does_not_vary_gets_no_weight(value, unknown):
    X, k, n = items(200, 2, 5)
    k, n = np.clip(k, 1, None), n + 3
    X[:, 1] = value
    X[8, 1], k[8], n[8] = unknown, 0, 0                  # among what was taken it does not vary
    model = ClickBait(0).fit(X, k, n)
    assert model.coef_[1] == 0
    np.testing.assert_allclose(model.predict(X), ClickBait(0).fit(X[:, :1], k, n).predict(X[:, :1]), rtol=1e-7)


def test_what_disappoints_is_filtered():
    words = np.repeat(np.eye(2), 5, axis=0)              # five items of the one word, five of the other
    taken, bad = np.full(10, 20), np.repeat([1, 9], 5)
    model = ClickBait().fit(words, bad, taken)
    allowed = model.predict(words) <= worth_showing_below(1, 4)
    assert allowed.tolist() == [True] * 5 + [False] * 5
    assert filtered([[9, 1, 7, 2]], [[4.0, 3, 2, 1]], allowed)[0].tolist() == [[1, 2, -1, -1]]


def test_threads_change_nothing(monkeypatch):
    X, k, n = items(500, 6, 0)
    found = []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(ClickBait().fit(X, k, n).coef_)
    np.testing.assert_array_equal(*found)


# --- where there is no minimum

@pytest.mark.parametrize("X, k, n, message", [
    ([[1, 0], [1, 0], [0, 1]], [1, 2, 0], [4, 4, 4], "feature 1 is of items alone that never were a disappointment"),
    ([[1, 0], [1, 0], [0, 1]], [1, 2, 4], [4, 4, 4], "feature 1 is of items alone that always were a disappointment"),
    ([[-3.0], [-1], [2], [4]], [0, 0, 7, 2], [5, 6, 7, 2], "is told apart from others for certain"),
])
def test_a_warning_where_weights_grow_for_ever(X, k, n, message):
    with pytest.warns(ConvergenceWarning, match=f"regularization=0: .*{message}"):
        model = ClickBait(0).fit(X, k, n)
    assert np.isfinite(model.coef_).all() and np.isfinite(model.predict(X)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ClickBait(0.01).fit(X, k, n)
        ClickBait(0).fit(*items(9, 2, 5)[:1], np.full(9, 2), np.full(9, 7))


def test_a_warning_where_iterations_do_not_suffice():
    with pytest.warns(ConvergenceWarning, match="max_iterations=1: the weights still change"):
        ClickBait(max_iterations=1).fit(*items(9, 4, 0))


# --- bad input

@pytest.mark.parametrize("call, message", [
    (lambda X, k, n: ClickBait().fit(X, 0 * k, n), "bad: 0 of .* times of taking were a disappointment"),
    (lambda X, k, n: ClickBait().fit(X, n, n), "bad: (.*) of \\1 times of taking"),
    (lambda X, k, n: ClickBait().fit(X, 0 * k, 0 * n), "bad: 0 of 0 times"),
    (lambda X, k, n: ClickBait().fit(X, k, 0 * n + 4 - (np.arange(6) == 2) * 4), "bad: expected 0 ... 0 for item 2"),
    (lambda X, k, n: ClickBait().fit(X, n + 2, n),
     r"bad: expected 0 ... 9 for item 0, which was taken so often, got 11; .* np.minimum"),
    (lambda X, k, n: ClickBait().fit(X, -k, n), "bad: expected 0 ... 9 for item 0"),
    (lambda X, k, n: ClickBait().fit(X, k, n[:-1]), "bad, taken: expected a number for each of 6 items, got 6 and 5"),
    (lambda X, k, n: ClickBait().fit(X[:3], k, n), "bad, taken: expected a number for each of 3 items, got 6 and 6"),
    (lambda X, k, n: ClickBait().fit(X, k * np.nan, n), "bad: Input contains NaN"),
    (lambda X, k, n: ClickBait().fit(X * np.nan, k, n), "features: Input contains NaN"),
    (lambda X, k, n: ClickBait().fit(X * [1, 1e200, 1], k, n), "features: the largest magnitude in column 1 is"),
    (lambda X, k, n: ClickBait().fit(X * [1, 1e-200, 1], k, n), "features: the largest magnitude in column 1 is"),
    (lambda X, k, n: ClickBait(-1).fit(X, k, n), "regularization=-1"),
    (lambda X, k, n: ClickBait("1").fit(X, k, n), "regularization='1'"),
    (lambda X, k, n: ClickBait(max_iterations=0).fit(X, k, n), "max_iterations=0"),
    (lambda X, k, n: ClickBait().fit(X, k, n).predict(X[:, :2]), "features: expected the 3 columns of fit, got 2"),
    (lambda X, k, n: ClickBait().predict(X), "not fitted"),
    (lambda X, k, n: smoothed_rate(k, n, 1.5, 1), "expected: expected probabilities, got 1.5"),
    (lambda X, k, n: smoothed_rate(k, n, [0.5], 1), "expected: expected an array of shape"),
    (lambda X, k, n: smoothed_rate(k, n, 0.5, 0), "strength=0"),
    (lambda X, k, n: smoothed_rate(n + 1, n, 0.5, 1), "bad: expected 0"),
    (lambda X, k, n: worth_showing_below(0, 1), "gain=0"), (lambda X, k, n: worth_showing_below(1, -1), "cost=-1"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(*items(6, 3, 0))
