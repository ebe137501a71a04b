"""The last look at a list against its definition, item by item, and what must hold for any list."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics import category_shares, miscalibration
from scratchml.metrics.diversity import divergence
from scratchml.recommend import (blended, calibrated, capped, filtered, gravity, half_life_decay, length_preference,
                                 rerank, rescored, scaled)
from tests.reference import rerank as reference
from tests.strategies.diversity import categories
from tests.strategies.rerank import candidates, seeds, shelves, taste


def equal(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


@given(seeds, st.sampled_from([0.1, 3, 1e4]))
def test_an_item_counts_half_at_its_half_life(seed, h):
    a = np.random.default_rng(seed).exponential(5, size=6)
    np.testing.assert_allclose(half_life_decay(a, h), reference.half_life_decay(a, h), rtol=1e-12)
    assert half_life_decay([0, h, 2 * h], h).tolist() == [1, 0.5, 0.25]


@given(seeds, st.sampled_from([0, 1, 1.8]))
def test_votes_are_outweighed_by_age(seed, γ):
    rng = np.random.default_rng(seed)
    v, a = rng.integers(1, 50, size=6), rng.exponential(20, size=6)
    found = gravity(v, a, γ)
    np.testing.assert_allclose(found, reference.gravity(v.tolist(), a.tolist(), γ), rtol=1e-12)
    assert (gravity(v, a + 1, γ) <= found).all() and (gravity(v + 1, a, γ) > found).all()
    assert gravity([1, 5], [0, 0]).tolist() == [0, 4 / 2 ** 1.8] == gravity([1, 5], [0, 0], 1.8).tolist()
    assert gravity([9], [1e300], 1e3).tolist() == [0]


@given(seeds, st.sampled_from([0.1, 30, 1e5]), st.sampled_from([0.2, 1]))
def test_a_length_counts_the_less_the_farther_it_is_from_the_best(seed, b, σ):
    l = b * np.exp(np.random.default_rng(seed).normal(size=6))
    np.testing.assert_allclose(length_preference(l, b, σ), reference.length_preference(l.tolist(), b, σ), rtol=1e-10)
    at_best, longer, shorter = length_preference([b, 3 * b, b / 3], b, σ)
    assert at_best == 1 and longer == pytest.approx(shorter)
    assert length_preference(b * np.array([1, 2, 4, 1e300]), b, 1e-3).tolist() == [1, 0, 0, 0]
    assert length_preference([b], b, 1e-300) == 1


@given(shelves(), seeds, st.sampled_from([0, 0.3, 1]), st.sampled_from(["range", "rank"]))
def test_two_recommenders_are_blended(drawn, seed, α, by):
    R, s, _ = drawn
    y = np.random.default_rng(seed).normal(size=R.shape) * 1e3
    found, values = blended(R, s, y, α, by=by)
    scale = {"range": reference.to_one, "rank": reference.ranked}[by]
    expected = reference.blended(R.tolist(), s.tolist(), y.tolist(), α, scale)
    np.testing.assert_allclose(values, expected[1], rtol=1e-11, atol=1e-12)
    for u in range(len(R)):
        assert sorted(found[u]) == sorted(R[u])
        if len(set(np.round(values[u], 9))) == R.shape[1]:               # of equals by rounding, either
            assert found[u].tolist() == expected[0][u]
    equal(blended(R, s, s, α, by=by)[:1], rerank.in_order_of(R, s)[:1])
    equal(blended(R, 7 * s + 2, y, α, by=by)[:1], (found,)) if by == "rank" and α else None


@given(shelves(("real", "ties", "equal")), seeds, st.sampled_from([0, 0.5, 2]))
def test_factors_change_scores_and_their_order(drawn, seed, w):
    (R, s, M), f = drawn, np.random.default_rng(seed).random(drawn[2])
    found, values = rescored(R, s, f, w)
    equal((found, values), reference.rescored(R.tolist(), s.tolist(), f, w))
    found, _ = rescored(R, s + 0.1, f, w)
    # s = e^z: the order of z + w ln f
    logarithms = np.where(R >= 0, np.log(np.maximum(s, 0) + 0.1) + w * np.log(f)[R], -np.inf)
    for u in range(len(R)):
        shown = [list(R[u]).index(m) for m in found[u] if m >= 0]
        assert (np.diff(logarithms[u, shown]) <= 1e-9).all()


@given(shelves(), seeds)
def test_what_is_filtered_never_appears(drawn, seed):
    (R, s, M), ok = drawn, np.random.default_rng(seed).random(drawn[2]) < 0.5
    found, values = filtered(R, s, ok)
    equal((found, values), reference.filtered(R.tolist(), s.tolist(), ok))
    assert ok[found[found >= 0]].all() and (found >= 0).sum() == ok[R[R >= 0]].sum()
    equal(filtered(R, s, np.ones(M, bool)), (R, s))


@given(shelves(), seeds, st.integers(1, 3))
def test_no_group_has_more_than_its_places(drawn, seed, m):
    (R, s, M), g = drawn, np.random.default_rng(seed).integers(3, size=drawn[2])
    found, values = capped(R, s, g, m)
    equal((found, values), reference.capped(R.tolist(), s.tolist(), g, m))
    for row in found:
        assert np.bincount(g[row[row >= 0]], minlength=3).max() <= m
    equal(capped(R, s, np.arange(M), 1), (R, s))


@given(shelves(), seeds, st.integers(1, 4), st.integers(1, 9), st.sampled_from([0, 0.3, 0.9, 1]))
def test_lists_in_proportion_are_the_best_item_by_item(drawn, seed, C, n, t):
    R, s, M = drawn
    p, G = taste(len(R), C, seed), categories(M, C, seed)
    found, values = calibrated(R, s, p, G, n, trade_off=t)
    expected, _ = reference.calibrated(R.tolist(), s.tolist(), p, G, n, t)
    assert ((found >= 0) == (np.array(expected) >= 0)).all()
    for u in range(len(R)):                              # of equals by rounding, either
        places = [list(R[u]).index(m) for m in found[u] if m >= 0]
        assert values[u, :len(places)].tolist() == s[u, places].tolist()
        for k, i in enumerate(places):
            left = [j for j in range(R.shape[1]) if R[u, j] >= 0 and j not in places[:k]]
            gains = [reference.gain(R[u], s[u], places[:k], j, p[u], G, t) for j in left]
            assert gains[left.index(i)] >= max(gains) - 1e-12
    if t == 0:
        for u in range(len(R)):
            assert (np.diff(values[u][values[u] > -np.inf]) <= 0).all()


@given(seeds, st.integers(1, 4), st.booleans())
def test_how_far_off_a_list_is_as_the_metric_says(seed, C, first):
    p, (total, more) = taste(1, C, seed)[0], np.random.default_rng(seed).integers(3, size=(2, C)).astype(float)
    total = total * (not first)
    q = (total + more) / max((total + more).sum(), 1)
    np.testing.assert_allclose(rerank._divergence(p, total, more), divergence(p, q, 0.01), rtol=1e-12, atol=1e-15)


def test_proportions_are_kept_where_scores_would_not():
    G = np.eye(2)[[0] * 8 + [1] * 8]
    items, scores = np.arange(16)[None], np.linspace(1, 0, 16)[None]
    p = category_shares([[0, 1, 2, 8]], G)
    found, _ = calibrated(items, scores, p, G, 8, trade_off=0.99)
    assert (found[0] < 8).sum() == 6 and miscalibration(found, [[0, 1, 2, 8]], G) < 1e-12
    assert miscalibration(items[:, :8], [[0, 1, 2, 8]], G) > 0.1


@given(shelves())
def test_scores_of_each_user_go_from_nothing_to_one(drawn):
    R, s, _ = drawn
    found = scaled(R, s)
    for row, given, items in zip(found, s, R):
        row, given = row[items >= 0], given[items >= 0]
        assert ((0 <= row) & (row <= 1)).all() and (not row.size or row.max() == 1)
        assert (np.argsort(row, kind="stable") == np.argsort(given, kind="stable")).all()
    np.testing.assert_array_equal(scaled([[0, 1]], [[-1e308, 1e308]]), [[0, 1]])


def test_one_user_may_be_flat():
    R, s = candidates(2, 5, 7, 0)
    f, ok, g, G = np.linspace(0.2, 1, 7), np.arange(7) % 2 > 0, np.arange(7) % 3, np.eye(2)[np.arange(7) % 2]
    p = taste(2, 2, 0)
    for call in (lambda R, s, p: rescored(R, s, f), lambda R, s, p: filtered(R, s, ok),
                 lambda R, s, p: capped(R, s, g, 1), lambda R, s, p: blended(R, s, -s * (R >= 0), by="rank"),
                 lambda R, s, p: blended(R, s, np.where(R >= 0, s, 0)),
                 lambda R, s, p: calibrated(R, s, p, G, 3)):
        both, alone = call(R, s, p), call(R[1], s[1], p[1])
        assert alone[0].shape == alone[1].shape == both[0].shape[1:] and both[0].dtype == np.int32
        equal(alone, (both[0][1], both[1][1]))
    equal([scaled(R[1], s[1])], [scaled(R, s)[1]])


def test_lists_do_not_depend_on_threads(monkeypatch):
    R, s = candidates(100, 9, 20, 0)
    p, G = taste(100, 3, 0), categories(20, 3, 1)
    found = []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(calibrated(R, s, p, G, 4))
    equal(*found)


@pytest.mark.parametrize("call, message", [
    (lambda: filtered([[0, 1]], [[1.0]], [True, True]), r"expected candidates \(U, N\) and as many scores, got shapes"),
    (lambda: filtered([[0, -1, 1]], [[1.0, 0, 1]], [True, True]), "-1 only after the end"),
    (lambda: filtered([[0, 0]], [[1.0, 1]], [True]), "the list of user 0 has an item twice"),
    (lambda: filtered([[0, 1]], [[1.0, np.nan]], [True, True]), "scores: expected a finite score"),
    (lambda: filtered([[0, 1]], [[1.0, -np.inf]], [True, True]), "scores: expected a finite score"),
    (lambda: filtered([["a"]], [[1.0]], [True]), "items: expected whole numbers"),
    (lambda: filtered([[0.0]], [[1.0]], [True]), "items: expected whole numbers"),
    (lambda: filtered([], [], [True]), "expected candidates"),
    (lambda: filtered([[0, 2]], [[1.0, 1]], [True, True]),
     "allowed: expected one for each item, there are 2, and item 2"),
    (lambda: filtered([[0]], [[1.0]], ["False"]), "allowed: expected an array"),
    (lambda: filtered([[0]], [[1.0]], [1]), "allowed"),
    (lambda: rescored([[0]], [[-1.0]], [1.0]), "scores: -1.0 is below 0, and a small factor would lift it"),
    (lambda: rescored([[0]], [[1.0]], [-1.0]), "factors: expected numbers of at least 0, got -1.0 for item 0"),
    (lambda: rescored([[0]], [[1.0]], [1.0], -1), "weight=-1"),
    (lambda: rescored([[0]], [[1.0]], [np.nan]), "factors: Input"),
    (lambda: rescored([[0, 1]], [[1.0, 0.5]], [10.0, 1], 400), "factors: the greatest is 10, and scores times"),
    (lambda: rescored([[0]], [[1e300]], [1e300]), "factors: the greatest is 1e.300"),
    (lambda: half_life_decay([-1.0], 2), "ages: expected ages of at least 0, got -1.0 at 0"),
    (lambda: gravity([0.0], [1.0]), "votes: expected votes of at least 1, got 0.0 at 0"),
    (lambda: gravity([1.0], [-1.0]), "ages: expected ages of at least 0, got -1.0 at 0"),
    (lambda: gravity([1.0], [1.0, 2]), "ages: expected an array of shape"),
    (lambda: gravity([1.0], [1.0], -1), "exponent=-1"),
    (lambda: length_preference([1.0, 0], 1), "lengths: expected lengths above 0, got 0.0 at 1"),
    (lambda: length_preference([1.0], 0), "best=0"), (lambda: length_preference([1.0], 1, 0), "spread=0"),
    (lambda: length_preference([np.inf], 1), "lengths: Input contains infinity"),
    (lambda: blended([[0]], [[1.0]], [[1.0, 2]]), "items, others: expected candidates"),
    (lambda: blended([[0]], [[1.0]], [[1.0]], 2), "weight=2"),
    (lambda: blended([[0]], [[1.0]], [[np.nan]]), "others: expected a finite score"),
    (lambda: blended([[0]], [[1.0]], [[1.0]], by="z"), "by='z'"),
    (lambda: half_life_decay([1.0], 0), "half_life=0"), (lambda: capped([[0]], [[1.0]], [0], 0), "most=0"),
    (lambda: capped([[0]], [[1.0]], [-1], 1), "groups: expected numbers from 0, got -1 for item 0"),
    (lambda: capped([[0]], [[1.0]], ["a"], 1), "groups: expected whole numbers"),
    (lambda: calibrated([[0]], [[1.0]], [[0.5]], [[1.0]]), "taste: expected shares"),
    (lambda: calibrated([[0]], [[1.0]], [[1.0, 0]], [[1.0]]), "taste: expected shares"),
    (lambda: calibrated([[0]], [[1.0]], [[np.nan]], [[1.0]]), "taste: expected shares"),
    (lambda: calibrated([[0]], [[1.0]], [[1.0]], [[1.0]], trade_off=2), "trade_off=2"),
    (lambda: calibrated([[0]], [[1.0]], [[1.0]], [[1.0]], 0), "n=0"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
