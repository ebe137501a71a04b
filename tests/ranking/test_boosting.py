"""Boosting's losses against their definition, and that steps go down."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.ranking.bins import bin_edges, binned
from scratchml.ranking.boosting import (Draws, boosted, logistic_loss, logistic_slopes, logistic_start, squared_loss,
                                        squared_slopes, squared_start, step)
from scratchml.ranking.trees import predict_trees
from tests.reference import boosting as reference
from tests.strategies.boosting import rows

seeds = st.integers(0, 2**32 - 1)
ALL = Draws(1.0, 0, 1.0)


@given(rows(), st.floats(-50, 50))
def test_losses_of_rows(drawn, offset):
    y, w, F = drawn
    assert squared_start(y + offset, w) == pytest.approx(reference.squared_start(y + offset, w), rel=1e-12)
    assert logistic_start(y, w) == pytest.approx(reference.logistic_start(y, w), rel=1e-10, abs=1e-12)
    for ours, theirs in ((squared_slopes, reference.squared_slopes), (logistic_slopes, reference.logistic_slopes)):
        for a, b in zip(ours(y, w, F), theirs(y, w, F)):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-12)
    assert squared_loss(y, w, F) == pytest.approx(reference.squared_loss(y, w, F), rel=1e-12)
    if np.abs(F).max() < 20:
        assert logistic_loss(y, w, F) == pytest.approx(reference.logistic_loss(y, w, F), rel=1e-7)
    l = np.arange(len(y)) % 2
    np.testing.assert_allclose(step(F, np.array([2.0, -1]), l, 0.3), reference.step(F, [2.0, -1], l, 0.3), rtol=1e-12)


@given(rows())
def test_slopes_are_derivatives_and_the_start_is_where_they_add_up_to_nothing(drawn):
    y, w, F = drawn
    F = np.clip(F, -5, 5)
    for start, slopes, loss, half in ((squared_start, squared_slopes, squared_loss, 0.5),
                                      (logistic_start, logistic_slopes, logistic_loss, 1.0)):
        g, h = slopes(y, w, F)
        for i, d in enumerate(np.eye(len(y)) * 1e-4):
            down, up = (half * w.sum() * loss(y, w, F + x) for x in (-d, d))
            assert g[i] == pytest.approx((up - down) / 2e-4, abs=1e-6)
            assert h[i] == pytest.approx((slopes(y, w, F + d)[0][i] - slopes(y, w, F - d)[0][i]) / 2e-4, abs=1e-6)
        assert slopes(y, w, np.full(len(y), start(y, w)))[0].sum() == pytest.approx(0, abs=1e-12)


def test_scores_far_out_give_numbers():
    y, w, F = np.array([0.0, 1, 0, 1]), np.ones(4), np.array([1e308, 1e308, -1e5, -1e5])
    g, h = logistic_slopes(y, w, F)
    np.testing.assert_array_equal(g, [1, 0, 0, -1])
    np.testing.assert_array_equal(h, 0)
    assert logistic_loss(y, w, F[2:].repeat(2)) == 5e4
    assert abs(logistic_start(np.ones(3), np.ones(3))) < 40 and abs(logistic_start(np.zeros(3), np.ones(3))) < 40


@given(seeds, st.sampled_from([0.1, 1.0]))
def test_no_step_raises_the_squared_loss(seed, η):
    """With λ = 0 a leaf moves to the mean of what is left, or a part of the way to it."""
    rng = np.random.default_rng(seed)
    X, y, w = rng.integers(0, 9, (40, 3)), rng.normal(size=40), rng.uniform(0.5, 2, 40)
    F = np.full(40, squared_start(y, w))
    losses = [squared_loss(y, w, F)]
    trees = boosted(binned(X, bin_edges(X)), lambda F: squared_slopes(y, w, F), F, η,
                    dict(num_leaves=4, min_child_samples=1), ALL, None)
    grown = []
    for _ in range(6):
        grown.append(next(trees))
        losses.append(squared_loss(y, w, F))
    np.testing.assert_allclose(squared_start(y, w) + predict_trees(grown, X), F, rtol=1e-9, atol=1e-12)
    assert (np.diff(losses) <= 1e-12 * losses[0]).all() and losses[-1] < losses[0]


def test_trees_see_no_more_than_their_draw():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), rng.normal(size=60)
    table, F = binned(X, bin_edges(X)), np.zeros(60)

    def grown(draws, n=6):
        trees = boosted(table, lambda F: (F - y, np.ones(60)), F, 0.1, dict(num_leaves=5, min_child_samples=1), draws,
                        np.random.default_rng(1))
        return [next(trees) for _ in range(n)]
    assert {int(tree.count[0]) for tree in grown(Draws(0.5, 2, 1.0))} == {30}
    asked = [set(tree.feature[tree.feature >= 0].tolist()) for tree in grown(Draws(1.0, 0, 0.25))]
    assert {len(some) for some in asked} == {1} and len(set.union(*asked)) > 1
    F[:] = 0
    first, second, third = grown(Draws(0.5, 2, 1.0), 3)
    assert not Draws(0.5, 2, 1.0).none and Draws(0.5, 0, 1.0).none and ALL.none
