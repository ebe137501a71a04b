"""The pulls of a round against every order that equal scores leave open, and what must hold whatever the scores."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics import ndcg_score
from scratchml.metrics.graded import dcg
from scratchml.ranking import lambdas as chapter
from scratchml.ranking.lambdas import (RankingLoss, Settings, best_dcg, damping, mean_discounts, pair_curvatures,
                                       pair_slopes, pair_weights, softmax_slopes)
from scratchml.ranking.pairs import delta_ndcg, lambdas, normalised_lambdas, ranknet, ranks
from scratchml.ranking.queries import read_queries
from tests.reference import lambdas as reference
from tests.strategies.lambdas import queries

seeds = st.integers(0, 2**32 - 1)
objectives = st.sampled_from(["lambdarank", "ranknet", "softmax"])
close = dict(rtol=1e-9, atol=1e-12)


def pulls(s, g, objective="lambdarank", T=30, norm=True, σ=1.0, **which):
    """λ and h of all documents; several rounds may be asked for, a row of `s` each, of which the last counts."""
    loss = RankingLoss(np.asarray(g, float), read_queries(len(g), **which), objective,
                       Settings(objective == "ranknet", T, norm, σ))
    for scores in np.atleast_2d(s):
        λ, h = loss(np.ascontiguousarray(scores, dtype=float))
    return λ.copy(), h.copy()


# --- equal to the definition

@given(queries())
def test_each_step_of_one_query(drawn):
    s, g, T, ν, σ = drawn
    Z, W = best_dcg(g, T), mean_discounts(s, T)
    assert Z == pytest.approx(reference.best_dcg(g, T), rel=1e-12)
    np.testing.assert_allclose(W, reference.mean_discounts(s, T), **close)
    if not Z:
        return
    w = pair_weights(s, g, W, Z, ν)
    L, H = pair_slopes(s, g, w, σ), pair_curvatures(s, w, σ)
    np.testing.assert_allclose(w, reference.pair_weights(s, g, W, Z, ν), **close)
    np.testing.assert_allclose(L, reference.pair_slopes(s, g, w, σ), **close)
    np.testing.assert_allclose(H, reference.pair_curvatures(s, w, σ), **close)
    assert damping(L) == pytest.approx(reference.damping(L), rel=1e-12)
    for ours, theirs in zip(softmax_slopes(s, g), reference.softmax_slopes(s, g)):
        np.testing.assert_allclose(ours, theirs, **close)


@given(st.lists(queries(), min_size=1, max_size=4), objectives, seeds)
def test_all_queries_at_once_are_each_by_itself_in_whatever_order_rows_come(drawn, objective, seed):
    _, _, T, norm, σ = drawn[0]
    s, g = (np.concatenate([part[j] for part in drawn]) for j in range(2))
    qid, rng = np.repeat(np.arange(len(drawn)), [len(part[0]) for part in drawn]), np.random.default_rng(seed)
    rows = rng.permutation(len(s))
    before = rng.normal(size=len(s))                     # a round that leaves another order
    λ, h = pulls([before, s[rows]], g[rows], objective, T, norm, σ, qid=qid[rows])
    for q in range(len(drawn)):
        own = qid[rows] == q
        expected = reference.pulls(list(s[rows][own]), list(g[rows][own]), objective=objective, T=T, norm=norm, σ=σ)
        np.testing.assert_allclose(λ[own], expected[0], **close)
        np.testing.assert_allclose(h[own], expected[1], **close)


@given(queries(most=8), st.booleans())
def test_without_equal_scores_they_are_those_of_pairs(drawn, norm):
    s, g, T, _, σ = drawn
    if len(set(s)) < len(s):
        return
    expected = (normalised_lambdas if norm else lambdas)(s, g, delta_ndcg(g, ranks(s), T), σ)
    for ours, theirs in zip(pulls(s, g, "lambdarank", T, norm, σ), expected):
        np.testing.assert_allclose(ours, theirs, **close)


# --- laws

@given(queries(), st.integers(0, 4), st.integers(0, 4))
def test_a_swap_changes_ndcg_by_what_a_pair_weighs(drawn, i, j):
    """Without equal scores; weights of pairs that both stand behind place T would not count for NDCG@T either."""
    s, g, T, *_ = drawn
    if len(set(s)) < len(s) or not g.any() or max(i, j) >= len(s):
        return
    swapped = s.copy()
    swapped[[i, j]] = s[[j, i]]
    T = len(s)
    w = pair_weights(s, g, mean_discounts(s, T), best_dcg(g, T), 0)
    assert w[i, j] == pytest.approx(abs(dcg(g, s, T) - dcg(g, swapped, T)) / best_dcg(g, T), abs=1e-12)


@given(queries(), objectives, st.floats(-5, 5))
def test_pulls_add_up_to_nothing_and_a_shift_of_scores_does_not_matter(drawn, objective, shift):
    s, g, T, norm, σ = drawn
    s = np.round(s * 64) / 64                            # so that a shift by whole 64ths is exact
    λ, h = pulls(s, g, objective, T, norm, σ)
    assert abs(λ.sum()) < 1e-12 * (1 + np.abs(λ).sum()) * len(s) and (h >= 0).all()
    for ours, moved in zip((λ, h), pulls(s + round(shift * 64) / 64, g, objective, T, norm, σ)):
        np.testing.assert_array_equal(ours, moved) if objective != "softmax" else \
            np.testing.assert_allclose(ours, moved, **close)


@given(seeds)
def test_slopes_are_derivatives_and_curvatures_those_of_slopes(seed):
    rng = np.random.default_rng(seed)
    s, g = rng.normal(size=6), rng.integers(0, 3, 6).astype(float)
    W, Z = mean_discounts(s, 4), best_dcg(g, 4) or 1.0
    w = pair_weights(s, g, W, Z, 0)

    def held_fast(s):
        x = s[:, None] - s
        return float((w * np.logaddexp(0, -x))[g[:, None] > g].sum())
    losses = {"lambdarank": held_fast, "ranknet": lambda s: ranknet(s, g, 1.0),
              "softmax": lambda s: float(g @ (np.logaddexp.reduce(s) - s))}
    for objective, loss in losses.items():
        λ, h = pulls(s, g, objective, 4, False)
        for i, d in enumerate(np.eye(6)):
            assert λ[i] == pytest.approx((loss(s + 1e-4 * d) - loss(s - 1e-4 * d)) / 2e-4, abs=1e-7)
            around = loss(s + 1e-3 * d) - 2 * loss(s) + loss(s - 1e-3 * d)
            assert h[i] == pytest.approx(around / 1e-6, abs=1e-5)


def test_the_first_round_does_not_know_where_rows_stand():
    """In no order of rows, the worst of all included, do equal scores tell of the labels."""
    g, s = np.array([7.0, 3, 1, 0, 0, 0, 0, 0]), np.zeros(8)
    λ, h = pulls(s, g, T=2)
    for rows in (np.arange(8)[::-1], np.random.default_rng(0).permutation(8)):
        again = pulls(s, g[rows], T=2)
        np.testing.assert_array_equal(again, (λ[rows], h[rows]))
    np.testing.assert_allclose(λ / λ[0], (8 * g - 11) / (8 * 7 - 11), rtol=1e-12)      # a sum of g_i - g_j over j


@pytest.mark.parametrize("T", [2, 9])
def test_while_all_scores_are_equal_no_weight_is_divided_by_a_distance(T):
    g = np.array([3.0, 0, 1, 0, 0])
    expected = reference.pulls([0.5] * 5, list(g), objective="lambdarank", T=T, norm=True, σ=1.0)
    np.testing.assert_allclose(pulls(np.full(5, 0.5), g, T=T), expected, **close)


@pytest.mark.parametrize("objective", ["lambdarank", "ranknet", "softmax"])
def test_bits_do_not_depend_on_threads_nor_on_the_order_of_rows(objective, monkeypatch):
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 40, 12 if plain() else 500)
    qid = np.repeat(np.arange(len(sizes)), sizes)
    g, rounds = rng.integers(0, 3, len(qid)) * 1.5, np.cumsum(rng.normal(size=(3, len(qid))).round(1), axis=0)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = pulls(rounds, g, objective, 5, qid=qid)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    np.testing.assert_array_equal(pulls(rounds, g, objective, 5, qid=qid), alone)
    rows = rng.permutation(len(qid))
    shuffled = pulls(rounds[:, rows], g[rows], objective, 5, qid=qid[rows])
    if objective == "softmax":                           # a sum over documents in the order of rows
        np.testing.assert_allclose(shuffled, np.array(alone)[:, rows], **close)
    else:
        np.testing.assert_array_equal(shuffled, np.array(alone)[:, rows])


def plain():
    import os
    return bool(os.environ.get("NUMBA_DISABLE_JIT"))


# --- the kernels' own paths

def test_an_order_that_is_quite_another_is_merged_and_still_right():
    rng = np.random.default_rng(1)
    n = 60 if plain() else 400
    g, s = rng.integers(0, 4, n).astype(float), rng.normal(size=(2, n)).round(2)
    s[1] = -s[0]
    λ, h = pulls(s, g, T=7)
    w = pair_weights(s[1], g, mean_discounts(s[1], 7), best_dcg(g, 7), 1)
    L = pair_slopes(s[1], g, w, 1.0)
    np.testing.assert_allclose(λ, damping(L) * L.sum(axis=1), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(h, damping(L) * pair_curvatures(s[1], w, 1.0).sum(axis=1), rtol=1e-9, atol=1e-15)


def test_a_step_against_the_pulls_raises_ndcg():
    rng = np.random.default_rng(2)
    g, qid = rng.integers(0, 4, 300).astype(float), np.repeat(np.arange(15), 20)
    s = rng.normal(size=300)
    before = ndcg_score(g, s, qid=qid, k=5, gains="linear")
    λ, h = pulls(s, g, T=5, qid=qid)
    assert ndcg_score(g, s - 2 * λ, qid=qid, k=5, gains="linear") > before + 0.05


# --- hostile

@pytest.mark.parametrize("g", [[0.0], [3.0], [0.0, 0, 0], [2.0, 2, 2]])
@pytest.mark.parametrize("objective", ["lambdarank", "ranknet"])
def test_what_has_no_order_pulls_nothing(g, objective):
    np.testing.assert_array_equal(pulls(np.arange(len(g)), g, objective), np.zeros((2, len(g))))


@pytest.mark.parametrize("objective", ["lambdarank", "ranknet", "softmax"])
def test_scores_far_apart_and_gains_of_any_size_give_numbers(objective):
    for scale in (1e-300, 1.0, 2.0**1000):
        λ, h = pulls([1e6, -1e6, 0, 0, 1e-300], np.array([0, 1, 0.5, 0, 1]) * scale, objective)
        assert np.isfinite(λ).all() and np.isfinite(h).all() and λ.any() and (h >= 0).all()
    a, b = (pulls([1.0, 0, 0.5], np.array([0, 1, 3]) * scale, "lambdarank") for scale in (1.0, 2.0**900))
    np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_query_with_too_many_pairs_is_refused_with_their_number(monkeypatch):
    monkeypatch.setattr(chapter, "PAIRS", 1000)
    g = np.arange(40.0) % 2
    with pytest.raises(ValueError, match="a query of 40 documents has up to 1,600 pairs.*lambdarank"):
        pulls(np.zeros(40), g, "ranknet")
    pulls(np.zeros(40), g, "lambdarank", T=20)
    with pytest.raises(ValueError, match="up to 1,600 pairs, expected at most 1,000; lower truncation_level"):
        pulls(np.zeros(40), g, "lambdarank", T=50)
    pulls(np.zeros(40), g, "softmax")


@pytest.mark.skipif(plain(), reason="as plain Python it would take minutes")
def test_a_query_of_a_hundred_thousand_documents_with_equal_scores_takes_no_time():
    g = np.random.default_rng(0).integers(0, 5, 100_000).astype(float)
    rounds = np.stack([np.zeros(100_000), np.arange(100_000.0) % 31, np.arange(100_000.0)[::-1]])
    λ, h = pulls(rounds, g)
    assert np.isfinite(λ).all() and λ.any()
