"""Losses of pairs against the double loop, as slopes, and what must hold whatever the scores."""
import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics.graded import ndcg
from scratchml.ranking import pairs
from scratchml.ranking.pairs import (EveryPair, SwappedPairs, delta_ndcg, lambdas, normalised_lambdas, pair_probability,
                                     ranknet, ranknet_curvature, ranknet_gradient, ranks)
from scratchml.ranking.queries import rankable, read_queries, shuffled
from tests.reference import pairs as reference
from tests.strategies.pairs import many, queries

CLOSE = dict(rtol=1e-11, atol=1e-13)
steep, truncations = st.sampled_from([0.5, 1.0, 2.0]), st.integers(1, 9)


def gains(y):
    return 2.0**y - 1


# --- equal to the definition

@given(queries(), steep)
def test_every_pair_is_the_double_loop(drawn, σ):
    y, s = drawn
    np.testing.assert_allclose(pair_probability(s, σ), reference.pair_probability(s, σ), **CLOSE)
    assert ranknet(s, y, σ) == pytest.approx(reference.ranknet(s, y, σ), rel=1e-11, abs=1e-13)
    np.testing.assert_allclose(ranknet_gradient(s, y, σ), reference.ranknet_gradient(s, y, σ), **CLOSE)
    np.testing.assert_allclose(ranknet_curvature(s, y, σ), reference.ranknet_curvature(s, y, σ), **CLOSE)


@given(queries(), steep, truncations)
def test_swapped_pairs_are_the_double_loop(drawn, σ, T):
    y, s = drawn
    g, r = gains(y), ranks(s)
    assert r.tolist() == reference.ranks(s)
    Z = delta_ndcg(g, r, T)
    np.testing.assert_allclose(Z, reference.delta_ndcg(g, r, T), **CLOSE)
    np.testing.assert_allclose(lambdas(s, g, Z, σ), reference.lambdas(s, g, Z, σ), **CLOSE)
    np.testing.assert_allclose(normalised_lambdas(s, g, Z, σ), reference.normalised_lambdas(s, g, Z, σ), **CLOSE)


@given(many(), steep)
def test_many_queries_are_each_by_itself(drawn, σ):
    y, s, qid = drawn
    losses, slopes, curves = EveryPair(y, read_queries(len(y), qid=qid), σ)(s)
    for loss, name in zip(losses, dict.fromkeys(qid), strict=True):
        own = qid == name
        assert loss == pytest.approx(ranknet(s[own], y[own], σ), rel=1e-11, abs=1e-13)
        np.testing.assert_allclose(slopes[own], ranknet_gradient(s[own], y[own], σ), **CLOSE)
        np.testing.assert_allclose(curves[own], ranknet_curvature(s[own], y[own], σ), **CLOSE)


@given(many(), steep, truncations, st.booleans())
def test_many_queries_with_swaps_are_each_by_itself(drawn, σ, T, norm):
    y, s, qid = drawn
    losses, slopes, curves = SwappedPairs(gains(y), read_queries(len(y), qid=qid), σ, T, norm)(s)
    for loss, name in zip(losses, dict.fromkeys(qid), strict=True):
        own = qid == name
        g, Z = gains(y[own]), delta_ndcg(gains(y[own]), ranks(s[own]), T)
        λ, h = (normalised_lambdas if norm else lambdas)(s[own], g, Z, σ)
        np.testing.assert_allclose(slopes[own], λ, **CLOSE)
        np.testing.assert_allclose(curves[own], h, **CLOSE)
        if not norm:
            surprise = np.logaddexp(0, -σ * (s[own][:, None] - s[own]))
            assert loss == pytest.approx((Z * surprise)[g[:, None] > g].sum(), rel=1e-11, abs=1e-13)


# --- laws

@given(queries(), steep)
def test_lambdas_of_ranknet_are_slopes_and_curvatures(drawn, σ):
    y, s = drawn
    pairs, h = EveryPair(y, read_queries(len(y)), σ), 1e-5
    _, slopes, curves = pairs(s)
    for i, e in enumerate(np.eye(len(s))):
        (up, more, _), (down, less, _) = pairs(s + h * e), pairs(s - h * e)
        assert slopes[i] == pytest.approx((up[0] - down[0]) / (2 * h), rel=1e-6, abs=1e-7)
        assert curves[i] == pytest.approx((more[i] - less[i]) / (2 * h), rel=1e-6, abs=1e-7)


@given(queries(), steep, truncations, st.booleans())
def test_lambdas_with_swaps_are_slopes_while_places_stay(drawn, σ, T, norm):
    y, s = drawn
    g, h = gains(y), 1e-6
    Z = delta_ndcg(g, ranks(s), T)
    _, slopes, _ = SwappedPairs(g, read_queries(len(y)), σ, T)(s)

    def loss(s):
        return (Z * np.logaddexp(0, -σ * (s[:, None] - s)))[g[:, None] > g].sum()
    for i, e in enumerate(np.eye(len(s))):
        assert slopes[i] == pytest.approx((loss(s + h * e) - loss(s - h * e)) / (2 * h), rel=1e-6, abs=1e-7)


@given(queries(), st.booleans(), truncations)
def test_what_a_pair_gains_it_loses_and_a_shift_changes_nothing(drawn, norm, T):
    y, s = drawn
    for make in (EveryPair(y, read_queries(len(y))), SwappedPairs(gains(y), read_queries(len(y)), 1.0, T, norm)):
        loss, slopes, curves = make(s)
        assert abs(slopes.sum()) <= 1e-12 * (1 + np.abs(slopes).sum()) and (curves >= 0).all()
        for found, before in zip(make(s + 4.0), (loss, slopes, curves)):
            np.testing.assert_allclose(found, before, rtol=1e-9, atol=1e-12)


@given(queries())
def test_delta_is_the_change_of_ndcg_by_the_swap(drawn):
    y, s = drawn
    g, n = gains(y), len(y)
    r = ranks(s)
    Z = delta_ndcg(g, r, n)
    if not g.any():
        assert not Z.any()
        return
    for i, j in itertools.combinations(range(n), 2):
        swapped = r.copy()
        swapped[[i, j]] = r[[j, i]]
        assert Z[i, j] == pytest.approx(abs(ndcg(g, -r, n) - ndcg(g, -swapped, n)), abs=1e-12)


def test_two_documents_are_a_logistic_regression():
    x, P = np.array([0.7, -1.1]), 1 / (1 + np.exp(-1.8))
    loss, slopes, curves = EveryPair(np.array([1.0, 0]), read_queries(2))(x)
    assert loss[0] == pytest.approx(-np.log(P)) and slopes[0] == pytest.approx(P - 1)
    assert curves[1] == pytest.approx(P - P * P)


@given(many(), st.integers(0, 2**32 - 1), st.booleans())
def test_documents_and_queries_in_another_order(drawn, seed, norm):
    y, s, qid = drawn
    s = s + 1e-3 * np.arange(len(s))                     # no ties
    mixed = np.random.default_rng(seed).permutation(len(y))
    for make in (lambda y, queries: EveryPair(y, queries),
                 lambda y, queries: SwappedPairs(gains(y), queries, 1.0, 3, norm)):
        _, slopes, curves = make(y, read_queries(len(y), qid=qid))(s)
        _, again, bent = make(y[mixed], read_queries(len(y), qid=qid[mixed]))(s[mixed])
        np.testing.assert_allclose(again, slopes[mixed], **CLOSE)
        np.testing.assert_allclose(bent, curves[mixed], **CLOSE)


def test_a_random_order_keeps_documents_in_their_queries():
    queries, rng = read_queries(300, qid=np.arange(300) % 7), np.random.default_rng(0)
    for mixed in (shuffled(queries, rng) for _ in range(5)):
        for q, start in enumerate(queries.starts[:-1]):
            own = slice(start, queries.starts[q + 1])
            assert set(mixed.order[own]) == set(queries.order[own]) and (mixed.order[own] != queries.order[own]).any()


def test_queries_without_an_order_count_nowhere():
    y, s = np.array([2.0, 1, 1, 0, 0, 0, 1]), np.array([5.0, 1, 2, 3, 1, 2, 2])
    queries = read_queries(7, group=[1, 2, 3, 1])
    assert not rankable(y, queries).any()
    for found in (EveryPair(y, queries)(s), SwappedPairs(gains(y), queries)(s),
                  SwappedPairs(gains(y), queries, norm=True)(s)):
        assert all(not part.any() for part in found)


def test_scores_far_apart_and_steep_slopes():
    y, s = np.array([1.0, 0, 2]), np.array([-1e200, 1e200, 0])
    for make in (EveryPair(y, read_queries(3)), SwappedPairs(gains(y), read_queries(3))):
        loss, slopes, curves = make(s)
        assert np.isfinite(loss).all() and np.isfinite(slopes).all() and not curves.any()


def test_where_all_scores_are_equal_pairs_count_as_they_are():
    y, s = np.array([1.0, 0, 2]), np.full(3, 0.4)
    Z = delta_ndcg(gains(y), ranks(s), 3)
    expected = reference.normalised_lambdas(s, gains(y), Z, 1.0)
    np.testing.assert_allclose(normalised_lambdas(s, gains(y), Z, 1.0), expected, **CLOSE)
    np.testing.assert_allclose(SwappedPairs(gains(y), read_queries(3), 1.0, 3, True)(s)[1:], expected, **CLOSE)


def test_equal_scores_stand_in_the_order_that_was_drawn():
    y, s = np.array([1.0, 0, 0, 0, 0]), np.zeros(5)
    queries = read_queries(5)
    first = SwappedPairs(gains(y), queries, 1.0, 5)(s)[1]
    drawn = [SwappedPairs(gains(y), shuffled(queries, np.random.default_rng(seed)), 1.0, 5)(s)[1]
             for seed in range(200)]
    assert np.mean([one[0] for one in drawn]) > first[0] + 0.02          # less pull: it does not stand first every time
    assert sorted(shuffled(queries, np.random.default_rng(0)).order.tolist()) == list(range(5))


def test_the_same_bits_on_any_number_of_threads(monkeypatch):
    rng, found = np.random.default_rng(0), []
    y, s, queries = rng.integers(0, 3, 3000).astype(float), rng.normal(size=3000), read_queries(3000, group=[60] * 50)
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append([*EveryPair(y, queries)(s), *SwappedPairs(gains(y), queries, norm=True)(s)])
    for one, other in zip(*found):
        np.testing.assert_array_equal(one, other)


def test_too_many_pairs_are_refused(monkeypatch):
    monkeypatch.setattr(pairs, "PAIRS", 11)
    y, queries = np.array([0.0, 1, 2, 0, 1, 2]), read_queries(6)
    with pytest.raises(ValueError, match="y: 12 pairs of documents of unequal grades"):
        EveryPair(y, queries)
    EveryPair(np.minimum(y, 1), queries)                 # 8 pairs
    with pytest.raises(ValueError, match="truncation_level: 12 pairs"):
        SwappedPairs(y, queries, truncation_level=2)
    SwappedPairs(y, queries, truncation_level=1)
