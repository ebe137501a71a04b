"""Looking at all against the definition, to the last tie, wherever the points lie."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.distances import directions, squared_distance
from scratchml.neighbors import exhaustive
from scratchml.neighbors.exhaustive import (COSINE, EUCLIDEAN, PRODUCT, Points, closeness, cosine_gap, euclidean, key,
                                            nearest, negative_product, stale_share, within)
from tests.reference import exhaustive as reference
from tests.strategies.exhaustive import points_and_queries

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
kinds = pytest.mark.parametrize("kind", [EUCLIDEAN, COSINE, PRODUCT], ids=["euclidean", "cosine", "product"])


# --- equal to the definition

@given(points_and_queries())
def test_distances_are_their_definitions(drawn):
    X, Q = drawn
    size = max(np.abs(X).max(), np.abs(Q).max())
    np.testing.assert_allclose(euclidean(Q, X), reference.euclidean(Q, X), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(cosine_gap(Q, X), reference.cosine_gap(Q, X), rtol=0, atol=4e-15)
    np.testing.assert_allclose(negative_product(Q, X), reference.negative_product(Q, X), rtol=0, atol=1e-14 * size**2)


@given(points_and_queries(), st.integers(1, 50))
def test_neighbours_are_their_definitions(drawn, n):
    d = euclidean(*drawn[::-1])
    assert nearest(d, n).tolist() == reference.nearest(d.tolist(), n)
    r = float(np.median(d))
    assert [row.tolist() for row in within(d, r)] == reference.within(d, r)


@given(points_and_queries())
def test_closeness_is_its_definition_and_orders_as_the_distance_does(drawn):
    X, Q = drawn
    size = max(np.abs(X).max(), np.abs(Q).max())
    np.testing.assert_allclose(closeness(Q, X), reference.closeness(Q, X), rtol=0, atol=1e-14 * size**2)
    np.testing.assert_allclose(closeness(Q, X), ((Q * Q).sum(axis=1)[:, None] - euclidean(Q, X) ** 2) / 2, rtol=0,
                               atol=1e-14 * size**2)


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_stale_share_is_its_definition(B, n, seed):
    rng = np.random.default_rng(seed)
    L, M = (np.array([rng.permutation(8)[:n] for _ in range(B)]) for _ in range(2))
    assert stale_share(L, M) == pytest.approx(reference.stale_share(L.tolist(), M.tolist()), abs=1e-15)


# --- the search is exact

def literal(Q, X, kind):
    """The keys of all pairs, and the order of each row."""
    Q, X = (directions(Q), directions(X)) if kind == COSINE else (Q, X)
    keys = np.array([[key(q, x, kind) for x in X] for q in Q])
    return keys, np.argsort(keys, axis=1, kind="stable")


@dtypes
@kinds
@given(points_and_queries(), st.data())
def test_the_search_finds_what_measuring_all_finds(dtype, kind, drawn, data):
    with np.errstate(over="ignore"):
        X, Q = (part.astype(dtype) for part in drawn)
    if not (np.isfinite(X).all() and np.isfinite(Q).all()):
        return
    n = data.draw(st.integers(1, len(X)))
    points = Points(X, kind)
    keys, order = literal(Q, X, kind)
    numbers, found = points.nearest(points.asked(Q), n)
    np.testing.assert_array_equal(numbers, order[:, :n])
    np.testing.assert_array_equal(found, np.take_along_axis(keys, order[:, :n], 1))
    r = float(np.median(points._rooted(keys)))
    for i, j, d in points.all_within(points.asked(Q), r):
        near = points._rooted(keys[i]) <= r
        assert j.tolist() == np.flatnonzero(near).tolist()
        np.testing.assert_array_equal(d, points.distances(keys[i, near]))


@dtypes
@kinds
def test_many_tiles_and_blocks_find_the_same(dtype, kind, monkeypatch):
    rng = np.random.default_rng(0)
    X, Q = rng.integers(-2, 3, size=(700, 4)).astype(dtype), rng.integers(-2, 3, size=(40, 4)).astype(dtype)
    points = Points(X, kind)
    monkeypatch.setattr(exhaustive, "BLOCK", 7)
    monkeypatch.setattr(exhaustive, "PAIRS", 2100)
    monkeypatch.setattr(exhaustive.selection, "tile_width", lambda queries: 256)
    numbers, keys = points.nearest(points.asked(Q), 9)
    all_keys, order = literal(Q, X, kind)
    np.testing.assert_array_equal(numbers, order[:, :9])
    r = float(np.sqrt(2)) if kind == EUCLIDEAN else 0.3
    found = [j.tolist() for _, j, _ in points.all_within(points.asked(Q), r)]
    assert found == [np.flatnonzero(points._rooted(row) <= r).tolist() for row in all_keys]


@dtypes
def test_products_alone_answer_where_no_distances_are_equal(dtype, monkeypatch):
    """Else all would be measured, and the answer come late."""
    rng = np.random.default_rng(0)
    X, Q = (rng.normal(size=(n, 8)).astype(dtype) for n in (300, 20))
    shifted = [points + dtype(2**12) for points in (X, Q)]
    monkeypatch.setattr(Points, "within", None)
    for X, Q in ((X, Q), shifted):
        for kind in (EUCLIDEAN, COSINE, PRODUCT) if X[0, 0] < 100 else (EUCLIDEAN,):
            points = Points(X, kind)
            np.testing.assert_array_equal(points.nearest(points.asked(Q), 3)[0], literal(Q, X, kind)[1][:, :3])


def test_where_float32_products_would_choose_wrongly():
    """Rounded products of points at 1,000 cannot tell distances of 0.001; from an origin amidst them they can."""
    rng = np.random.default_rng(0)
    X = (1000 + rng.normal(size=(200, 3)) * 1e-2).astype(np.float32)
    numbers, keys = Points(X, EUCLIDEAN).nearest(X, 2)
    assert numbers[:, 0].tolist() == literal(X, X, EUCLIDEAN)[1][:, 0].tolist() and not keys[:, 0].any()
    s = X @ X.T - (X * X).sum(axis=1) / 2
    assert (s.argmax(axis=1) != np.arange(200)).mean() > 0.5


def test_where_only_the_bound_of_the_points_can_say_that_products_are_not_enough():
    """All points are at about 1 from the query, which is the origin, and so has no rounding of its own."""
    X = np.random.default_rng(0).normal(size=(400, 16))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    numbers, _ = Points(X, EUCLIDEAN).nearest(np.zeros((1, 16), np.float32), 5)
    np.testing.assert_array_equal(numbers, literal(np.zeros((1, 16), np.float32), X, EUCLIDEAN)[1][:, :5])


def test_the_key_of_euclid_is_the_squared_distance():
    rng = np.random.default_rng(0)
    q, x = rng.normal(size=(2, 5))
    assert key(q, x, EUCLIDEAN) == squared_distance(q, x)
