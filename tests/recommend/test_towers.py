"""Towers against their definitions, and what the answer must not tell."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import dense, known_entries, some_rows, sparse_rows
from scratchml.recommend import two_tower
from scratchml.recommend.towers import (Tower, Weights, columns_from, history, in_kind, layer, layer_gradient, side_of,
                                        thinned, tower)
from tests.reference import towers as reference
from tests.strategies.towers import example

seeds = st.integers(0, 2**32 - 1)


# --- the equations

def test_a_tower_adds_up_vectors():
    G, E = example("G"), example("E")
    np.testing.assert_allclose(tower(G, E), reference.tower(dense(G), E), rtol=1e-13)


@given(seeds, st.integers(1, 5), st.integers(1, 6))
def test_a_history_is_all_but_what_is_asked_for(seed, P, M):
    rng = np.random.default_rng(seed)
    A, t = rng.random((P, M)) < 0.6, rng.integers(-1, M, size=P)
    G = history(sparse_rows(A * rng.normal(size=(P, M))), t)
    np.testing.assert_allclose(dense(G), reference.history(A, t), rtol=1e-6)
    assert G.data.dtype == np.float32
    asked = t >= 0
    with_it, without = A.copy(), A.copy()
    with_it[asked, t[asked]], without[asked, t[asked]] = True, False     # whether it was there is not to be seen
    np.testing.assert_array_equal(dense(history(sparse_rows(with_it), t)), dense(history(sparse_rows(without), t)))


@given(seeds)
def test_a_layer_and_its_gradient(seed):
    rng = np.random.default_rng(seed)
    x, W, c, g = (rng.normal(size=shape) for shape in ((4, 3), (3, 5), 5, (4, 5)))
    y = layer(x, W, c)
    np.testing.assert_allclose(y, reference.layer(x, W, c), rtol=1e-12, atol=1e-13)
    g[y == 0] = 0
    found = layer_gradient(x, W, g)
    for ours, theirs in zip(found, reference.layer_gradient(x, W, g)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    h, ds = 1e-7, [rng.normal(size=part.shape) for part in (x, W, c)]
    up, down = (layer(x + s * ds[0], W + s * ds[1], c + s * ds[2]) for s in (h, -h))
    slope = sum((part * d).sum() for part, d in zip(found, ds))
    np.testing.assert_allclose(((up - down) * g).sum() / (2 * h), slope, rtol=1e-4, atol=1e-4)


# --- histories in training

def test_a_query_never_knows_its_own_answer():
    rng = np.random.default_rng(0)
    A = known_entries(np.where(rng.random((20, 15)) < 0.5, 1, np.nan))
    users, items = np.repeat(np.arange(20), np.diff(A.indptr)), A.indices
    for dropout in (0, 0.5):
        G = dense(two_tower._Histories(A, None, dropout).queries(users, items, rng))
        assert not G[np.arange(len(items)), items].any()
        np.testing.assert_allclose((G**2).sum(axis=1)[G.any(axis=1)], 1, rtol=1e-5)
        left, whole = np.count_nonzero(G), (np.diff(A.indptr)[users] - 1).sum()
        assert left == whole if dropout == 0 else 0.4 * whole < left < 0.6 * whole
    X = sparse_rows(np.eye(20)[:, :3] + 2)
    G = dense(two_tower._Histories(A, X, 0.0).queries(users, items, rng))
    np.testing.assert_array_equal(G[:, 15:], dense(X)[users])


def test_what_is_left_out_is_a_share():
    A = sparse_rows(np.ones((50, 40)))
    left = np.diff(thinned(A, 0.25, np.random.default_rng(0)).indptr)
    assert 0.7 < left.sum() / 2000 < 0.8 and left.min() < left.max() and thinned(A, 0, None) is A


def test_features_stand_beside():
    X = np.array([[1.0, 0, 2], [0, 3, 0]])
    G = side_of(2, X, "X")
    np.testing.assert_array_equal(dense(G), np.concatenate([np.eye(2), X], axis=1))
    np.testing.assert_array_equal(dense(columns_from(G, 2)), X)
    assert columns_from(side_of(2, None, "X"), 2) is None and G.data.dtype == np.float32


# --- a tower that learns

def forward(G, E, Ws, cs):
    x = G @ E
    for W, c in zip(Ws[:-1], cs):
        x = np.maximum(x @ W + c, 0)
    return x @ Ws[-1] + cs[-1] if Ws else x


@pytest.mark.parametrize("hidden", [(), (6,), (5, 7)])
def test_a_step_is_adam_on_the_gradient(hidden):
    rng = np.random.default_rng(0)
    G = sparse_rows(rng.normal(size=(9, 4)))
    one = Tower(G._replace(data=G.data.astype(np.float32)), 3, rng, hidden)
    g = rng.normal(size=(9, 3)).astype(np.float32)
    before = [w.astype(float) for w in (one.E, *one.weights.Ws, *one.weights.cs)]
    shapes = len(hidden) + 1 if hidden else 0

    def loss(parts):
        return (forward(dense(G), parts[0], parts[1:1 + shapes], parts[1 + shapes:]) * g).sum()

    outputs = one.weights.outputs(one.G)
    np.testing.assert_allclose(outputs[-1], forward(dense(G), before[0], before[1:1 + shapes], before[1 + shapes:]),
                               rtol=1e-4, atol=1e-5)
    one.descend(one.G, outputs, g, 1, 0.01)
    moments = [(one.m, one.s), *one.moments]
    for part, (m, s), now in zip(range(len(before)), moments, (one.E, *one.weights.Ws, *one.weights.cs)):
        slopes = np.zeros_like(before[part])
        for place in np.ndindex(*slopes.shape):
            ends = []
            for h in (1e-6, -1e-6):
                parts = [x.copy() for x in before]
                parts[part][place] += h
                ends.append(loss(parts))
            slopes[place] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(m, 0.1 * slopes, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(s, 1e-3 * slopes**2, rtol=1e-2, atol=1e-5)
        steep = np.abs(slopes) > 1e-3                    # the first step of Adam is against the sign
        np.testing.assert_allclose((now - before[part])[steep], -0.01 * np.sign(slopes[steep]), rtol=1e-3)
    assert not one.gradient.any()


@pytest.mark.parametrize("hidden", [(), (64,), (16, 32)])
def test_first_vectors_have_a_length_of_about_one(hidden):
    one = Tower(side_of(200, None, "X"), 32, np.random.default_rng(0), hidden)
    lengths = np.linalg.norm(one.vectors(np.arange(200)), axis=1)
    assert 0.6 < np.sqrt((lengths**2).mean()) < 1.7
    assert isinstance(one.weights, Weights) and one.weights.width == 32
    np.testing.assert_array_equal(one.weights.outputs(some_rows(one.G, [7]))[-1], one.vectors(np.array([7])))


@pytest.mark.parametrize("array", [np.zeros((2, 3)), np.zeros(3, np.float32), np.zeros((1, 2, 3), np.float32)])
def test_arrays_of_another_kind_are_no_weights(array):
    good = np.ones((2, 3), np.float32)
    assert in_kind(good, np.float32, 2) is good
    with pytest.raises(ValueError, match="expected float32 of 2 dimensions, got"):
        in_kind(array, np.float32, 2)
