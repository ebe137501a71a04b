"""Losses of lists against their definitions, as slopes, over all permutations, and what holds whatever the scores."""
import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.ranking.lists import (TopOne, WholeOrder, listmle, listmle_gradient, permutation_probability, shares,
                                     top_one, top_one_gradient, top_one_loss)
from scratchml.ranking.pairs import EveryPair
from scratchml.ranking.queries import read_queries, shuffled
from tests.reference import lists as reference
from tests.strategies.lists import many, queries, seeds

CLOSE = dict(rtol=1e-11, atol=1e-13)
kinds = st.sampled_from(["shares", "softmax", "grades"])


def weights(y, kind):
    return {"shares": shares, "softmax": top_one, "grades": np.asarray}[kind](y)


# --- equal to the definition

@given(queries(), seeds)
def test_one_list_is_its_definition(drawn, seed):
    y, s = drawn
    n, rng = len(y), np.random.default_rng(seed)
    π, k, w = rng.permutation(n), int(rng.integers(1, n + 1)), rng.random(n)
    np.testing.assert_allclose(top_one(s), reference.top_one(s), **CLOSE)
    np.testing.assert_allclose(shares(y + 1), reference.shares(y + 1), **CLOSE)
    assert top_one_loss(s, w) == pytest.approx(reference.top_one_loss(s, w), rel=1e-11, abs=1e-13)
    np.testing.assert_allclose(top_one_gradient(s, w), reference.top_one_gradient(s, w), **CLOSE)
    assert permutation_probability(s, π) == pytest.approx(reference.permutation_probability(s, π), rel=1e-10)
    assert listmle(s, π, k) == pytest.approx(reference.listmle(s, π, k), rel=1e-11, abs=1e-13)
    np.testing.assert_allclose(listmle_gradient(s, π, k), reference.listmle_gradient(s, π, k), rtol=1e-9, atol=1e-12)


@given(many(), kinds)
def test_many_first_places_are_each_by_itself(drawn, kind):
    y, s, qid = drawn
    losses, slopes = TopOne(y, read_queries(len(y), qid=qid), kind)(s)
    for loss, name in zip(losses, dict.fromkeys(qid), strict=True):
        own = qid == name
        if y[own].min() == y[own].max():
            assert loss == 0 and not slopes[own].any()
            continue
        w = weights(y[own], kind)
        assert loss == pytest.approx(top_one_loss(s[own], w), rel=1e-11, abs=1e-13)
        np.testing.assert_allclose(slopes[own], top_one_gradient(s[own], w), **CLOSE)


@given(many(), st.sampled_from([None, 1, 3, "relevant"]), seeds)
def test_many_orders_are_each_by_itself(drawn, top_k, seed):
    y, s, qid = drawn
    queries = shuffled(read_queries(len(y), qid=qid), np.random.default_rng(seed))
    losses, slopes = WholeOrder(y, queries, top_k)(s)
    for q, loss in enumerate(losses):
        own = queries.order[queries.starts[q]:queries.starts[q + 1]]         # in the order that was drawn
        π, n = np.argsort(-y[own], kind="stable"), len(own)
        k = {None: n, "relevant": int((y[own] > y[own].min()).sum())}.get(top_k, top_k)
        if y[own].min() == y[own].max():
            assert loss == 0 and not slopes[own].any()
            continue
        assert loss == pytest.approx(listmle(s[own], π, min(k, n)), rel=1e-11, abs=1e-13)
        np.testing.assert_allclose(slopes[own], listmle_gradient(s[own], π, min(k, n)), rtol=1e-9, atol=1e-12)


# --- laws

@given(queries(), kinds, st.sampled_from([None, 2]))
def test_gradients_are_slopes_that_sum_to_0(drawn, kind, top_k):
    y, s = drawn
    for make in (TopOne(y, read_queries(len(y)), kind), WholeOrder(y, read_queries(len(y)), top_k)):
        _, slopes = make(s)
        assert abs(slopes.sum()) <= 1e-12 * (1 + np.abs(slopes).sum())
        for i, e in enumerate(1e-5 * np.eye(len(s))):
            assert slopes[i] == pytest.approx((make(s + e)[0] - make(s - e)[0])[0] / 2e-5, rel=1e-6, abs=1e-7)
        for found, before in zip(make(s - 3.0), make(s)):
            np.testing.assert_allclose(found, before, rtol=1e-9, atol=1e-12)


@given(st.integers(1, 5), seeds)
def test_probabilities_of_all_orders_sum_to_1(n, seed):
    s = 3 * np.random.default_rng(seed).normal(size=n)
    orders = [list(order) for order in itertools.permutations(range(n))]
    p = [permutation_probability(s, order) for order in orders]
    assert sum(p) == pytest.approx(1, rel=1e-12)
    assert orders[int(np.argmax(p))] == np.argsort(-s).tolist()
    for i in range(n):                                   # the first place has the distribution (1)
        assert sum(one for one, order in zip(p, orders) if order[0] == i) == pytest.approx(top_one(s)[i], rel=1e-12)


@given(seeds)
def test_one_document_of_each_list_makes_all_losses_one(seed):
    rng = np.random.default_rng(seed)
    y, s, queries = np.zeros(12), rng.normal(size=12), read_queries(12, group=[4, 5, 3])
    y[[1, 6, 9]] = 1
    expected = TopOne(y, queries)(s)
    for make in (TopOne(y, queries, "grades"), WholeOrder(y, queries, 1), WholeOrder(y, queries, "relevant")):
        for found, wanted in zip(make(s), expected):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


def test_two_documents_make_lists_and_pairs_one():
    y, s, queries = np.array([0.0, 1]), np.array([0.3, -1.0]), read_queries(2)
    loss, slopes, _ = EveryPair(y, queries)(s)
    for make in (TopOne(y, queries), WholeOrder(y, queries)):
        np.testing.assert_allclose(make(s)[0], loss, rtol=1e-14)
        np.testing.assert_allclose(make(s)[1], slopes, rtol=1e-14)


@given(many(), seeds)
def test_documents_in_another_order(drawn, seed):
    y, s, qid = drawn
    y = y + 1e-3 * np.arange(len(y))                     # no ties
    mixed = np.random.default_rng(seed).permutation(len(y))
    for make in (TopOne, WholeOrder):
        _, slopes = make(y, read_queries(len(y), qid=qid))(s)
        np.testing.assert_allclose(make(y[mixed], read_queries(len(y), qid=qid[mixed]))(s[mixed])[1], slopes[mixed],
                                   **CLOSE)


# --- the border

def test_scores_and_grades_far_apart():
    y, s = np.array([0.0, 1, 2]), np.array([1e5, 0, -1e5])
    for make in (TopOne(y, read_queries(3)), TopOne(y, read_queries(3), "grades"), WholeOrder(y, read_queries(3))):
        loss, slopes = make(s)
        assert np.isfinite(loss).all() and loss[0] > 1e5 and np.isfinite(slopes).all()
        loss, slopes = make(-s)
        assert np.isfinite(loss).all() and np.isfinite(slopes).all()
    for y in ([1e308, 1e308, 0], [1e-320, 0, 0]):
        np.testing.assert_allclose(TopOne(np.array(y), read_queries(3))(np.zeros(3))[1],
                                   1 / 3 - np.array(y) / max(y) / np.count_nonzero(y))
    np.testing.assert_allclose(TopOne(np.array([1e6, 0.0]), read_queries(2), "softmax")(np.zeros(2))[1], [-0.5, 0.5])


def test_whole_orders_of_long_lists_with_scores_that_rise_and_fall():
    for s in (np.linspace(-400, 400, 90), np.linspace(400, -400, 90), 300 * np.sin(np.arange(90.0))):
        y = np.arange(90.0)[::-1]
        loss, slopes = WholeOrder(y, read_queries(90))(s)
        assert loss[0] == pytest.approx(listmle(s, np.arange(90), 90), rel=1e-12)
        np.testing.assert_allclose(slopes, listmle_gradient(s, np.arange(90), 90), rtol=1e-9, atol=1e-11)


def test_the_same_bits_on_any_number_of_threads(monkeypatch):
    rng, found = np.random.default_rng(0), []
    y, s, queries = rng.integers(0, 3,
                                 24_000).astype(float), rng.normal(size=24_000), read_queries(24_000, group=[60] * 400)
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append([*TopOne(y, queries)(s), *WholeOrder(y, queries)(s)])
    for one, other in zip(*found):
        np.testing.assert_array_equal(one, other)
