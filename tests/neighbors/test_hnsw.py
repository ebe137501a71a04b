"""HNSW's algorithms against their definitions, and the compiled graph against both and against what must hold."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.neighbors import hnsw
from scratchml.neighbors.hnsw import answer, distances_from, diverse_few, insert, levels, nearest_few, search_layer
from scratchml.neighbors.hnsw_build import batches, cut_back, join, prepare
from scratchml.neighbors.hnsw_graph import (Marks, check_graph, descend, distance_of, empty_graph, longer, node_of,
                                            place_of, put_in, widen, with_root)
from tests.reference import hnsw as reference
from tests.strategies.hnsw import grown, points, seeds, whole_points

EPS = np.finfo(np.float32).eps


# --- the equations

def as_reference(G):
    """A graph of the chapter as the reference has it."""
    return {"points": [x.tolist() for x in G.points], "inner": G.inner, "parents": list(G.parents), "entry": G.entry,
            "layers": [{n: list(links) for n, links in layer.items()} for layer in G.links]}


@given(st.integers(1, 9), st.integers(1, 5), seeds, st.booleans())
def test_distances_are_squares_or_products(N, D, seed, inner):
    X = points("normal", N + 1, D, seed).astype(float)
    expected = reference.distances_from(X[0].tolist(), X[1:].tolist(), inner)
    np.testing.assert_allclose(distances_from(X[0], X[1:], inner), expected, rtol=0, atol=1e-13)


@given(st.lists(st.floats(1e-300, 1), min_size=1, max_size=9), st.integers(2, 50))
def test_levels_are_rounded_down_logarithms(U, M):
    assert levels(np.array(U), M).tolist() == reference.levels(U, M)
    assert levels(np.array([1.0]), M).tolist() == [0]


@given(whole_points(), st.integers(1, 12), st.booleans(), seeds)
def test_walks_are_those_of_the_pseudocode(given_points, ef, inner, seed):
    X, heights, M = given_points
    rng = np.random.default_rng(seed)
    G = grown(X, heights, M, 5, inner)
    R, q = as_reference(G), rng.integers(-5, 6, X.shape[1]).astype(np.float32)
    W, C = [int(rng.integers(len(X)))], rng.permutation(len(X)).tolist()
    assert search_layer(q, G, W, ef, 0) == reference.search_layer(q.tolist(), R, W, ef, 0)
    assert nearest_few(q, G, C, ef) == reference.nearest_few(q.tolist(), R, C, ef)
    assert diverse_few(q, G, C, ef) == reference.diverse_few(q.tolist(), R, C, ef)
    always = C[:min(2, ef)]
    assert diverse_few(q, G, C, ef, always) == reference.diverse_few(q.tolist(), R, C, ef, always)
    k = min(ef, 3)
    assert answer(q, G, k, ef) == reference.answer(q.tolist(), R, k, ef)


@given(whole_points(25), st.integers(1, 9), st.booleans())
def test_a_graph_grows_as_in_the_pseudocode(given_points, ef, inner):
    X, heights, M = given_points
    G, R = hnsw.Layers(inner), as_reference(hnsw.Layers(inner))
    for x, l in zip(X, heights.tolist()):
        assert insert(x, l, G, M, ef) == reference.insert(x.tolist(), l, R, M, ef)
    assert as_reference(G) == R


# --- compiled: the same, a node after the other

def compiled(X, heights, M, ef, inner=False, one_by_one=True):
    graph = empty_graph(len(X), X.shape[1], M, inner)._replace(upper=np.full((int(heights.sum()), M), -1, np.int32))
    graph.vectors[:] = X
    prepare(graph, heights)
    bounds, marks = list(range(len(X) + 1)) if one_by_one else batches(0, len(X)), Marks()
    for first, stop in zip(bounds, bounds[1:]):
        join(graph, first, stop, ef, marks)
    return graph


def links_of(graph, n, layer):
    row = graph.links[n] if layer == 0 else graph.upper[graph.first[n] + layer - 1]
    return row[row >= 0].tolist()


@given(whole_points(), st.integers(2, 9), st.booleans())
def test_batches_of_one_are_the_papers_algorithm(given_points, ef, inner):
    X, heights, M = given_points
    G, graph = grown(X, heights, M, ef, inner), compiled(X, heights, M, ef, inner)
    assert graph.parents.tolist() == G.parents and graph.state[2] == G.entry and graph.state[3] == len(G.links) - 1
    for layer, links in enumerate(G.links):
        for n in links:
            assert sorted(links_of(graph, n, layer)) == sorted(links[n])


@given(whole_points(), st.integers(1, 50), st.booleans(), seeds)
def test_one_sorted_pool_gives_what_two_heaps_give(given_points, ef, inner, seed):
    X, heights, M = given_points
    q = np.random.default_rng(seed).integers(-5, 6, X.shape[1]).astype(np.float32)
    graph = compiled(X, heights, M, 6, inner)
    G = grown(X, heights, M, 6, inner)
    for n, layer in ((n, l) for n in range(len(X)) for l in range(heights[n] + 1)):
        G.links[layer][n] = links_of(graph, n, layer)
    pool, marks = np.empty(ef, np.int64), np.zeros(len(X) + 1, np.int32)
    descend(graph, q, 0, pool, marks)
    size = widen(graph, q, 0, pool, with_root(graph, q, pool, 1), marks)
    assert [int(node_of(place)) for place in pool[:size]] == answer(q, G, ef, ef)
    np.testing.assert_array_equal([distance_of(place) for place in pool[:size]],
                                  np.sort(distances_from(q, X, inner)[[node_of(place) for place in pool[:size]]]))


@given(st.lists(st.tuples(st.floats(-2.0**99, 2.0**99, width=32), st.integers(0, 2**31 - 1)), min_size=1, max_size=20))
def test_places_are_in_the_order_of_distance_and_number(pairs):
    places = [int(place_of(np.float32(d), n)) for d, n in pairs]
    assert [(float(distance_of(p)), int(node_of(p))) for p in places] == [(d if d else 0.0, n) for d, n in pairs]
    in_order = sorted(range(len(pairs)), key=lambda i: (pairs[i][0], not str(pairs[i][0]).startswith("-"), pairs[i][1]))
    assert [places[i] for i in in_order] == sorted(places)


@given(st.lists(st.integers(0, 99), max_size=30), st.integers(1, 8))
def test_a_pool_holds_the_least(numbers, ef):
    pool, size = np.empty(ef, np.int64), 0
    for i, value in enumerate(numbers):
        if size < ef or value < pool[size - 1]:
            at = put_in(pool, size, value)
            size = min(size + 1, ef)
            assert pool[at] == value
        assert pool[:size].tolist() == sorted(numbers[:i + 1])[:ef]


# --- laws of the graph, in batches

def reached(graph):
    seen, to_go = {0}, [0]
    while to_go:
        new = set(links_of(graph, to_go.pop(), 0)) - seen
        seen |= new
        to_go += new
    return seen


@given(st.sampled_from(("grid", "normal", "clusters", "hub", "line", "equal")), st.integers(1, 60), st.integers(2, 5),
       st.integers(1, 12), st.booleans(), seeds)
def test_every_node_can_be_reached_and_no_degree_is_too_high(kind, N, M, ef, inner, seed):
    X = points(kind, N, 3, seed)
    heights = levels(1 - np.random.default_rng(seed).random(len(X)), M)
    graph = compiled(X, heights, M, ef, inner, one_by_one=False)
    check_graph(graph)
    assert len(reached(graph)) == N
    for n in range(N):
        for layer in range(heights[n] + 1):
            links = links_of(graph, n, layer)
            assert len(links) == len(set(links)) <= (M if layer else 2 * M) and n not in links
            assert N == 1 or layer or links


@given(st.integers(2, 40), st.integers(2, 4), st.booleans(), seeds)
def test_a_walk_with_all_nodes_in_hand_is_exact(N, M, inner, seed):
    X, q = points("normal", N, 4, seed), points("normal", 1, 4, seed + 1)[0]
    graph = compiled(X, levels(1 - np.random.default_rng(seed).random(N), M), M, 4, inner, one_by_one=False)
    pool, marks = np.empty(N, np.int64), np.zeros(N + 1, np.int32)
    descend(graph, q, 0, pool, marks)
    assert widen(graph, q, 0, pool, with_root(graph, q, pool, 1), marks) == N
    expected = np.sort(distances_from(q.astype(float), X.astype(float), inner))
    slack = 80 * EPS * (X**2).sum(axis=1).max()
    np.testing.assert_allclose([distance_of(place) for place in pool], expected, rtol=0, atol=slack)


def test_a_hub_that_all_are_nearest_to_lets_others_adopt():
    """All but the first are √2 apart from each other, and 1 from the first, which has room for two children."""
    X = np.vstack([np.zeros(30), np.eye(30)]).astype(np.float32)
    graph = compiled(X, np.zeros(31, np.int32), 2, 10, one_by_one=False)
    check_graph(graph)
    assert len(reached(graph)) == 31 and (graph.parents == 0).sum() == 2


def test_a_batch_sees_itself():
    """Far clusters that come one after the other: without links inside a batch, a cluster would hang on few nodes."""
    rng = np.random.default_rng(0)
    X = (1000 * np.repeat(rng.normal(size=(4, 3)), 30, axis=0) + rng.normal(size=(120, 3))).astype(np.float32)
    graph = compiled(X, np.zeros(120, np.int32), 4, 20, one_by_one=False)
    within = [np.mean([links_of(graph, n, 0)[j] // 30 == n // 30 for j in range(len(links_of(graph, n, 0)))])
              for n in range(120)]
    assert np.mean(within) > 0.9


def test_layers_shrink_by_the_factor_that_the_law_says():
    U, M = 1 - np.random.default_rng(0).random(200_000), 4
    heights = levels(U, M)
    for l in range(1, 5):
        expected = len(U) * M**-l
        assert abs((heights >= l).sum() - expected) < 5 * expected**0.5
    assert abs(heights.mean() - 1 / (M - 1)) < 0.01


def test_links_to_what_is_cut_back_leave_no_gap():
    """New nodes come between the old ones, and so do their links, which are in the order of distance."""
    X = np.concatenate([np.arange(0, 40, 4), np.arange(1, 40, 2)])[:, None].astype(np.float32)
    assert_cut_back(X, np.zeros(30, np.int32), 2, 10)


@given(whole_points(), st.data())
def test_what_is_cut_back_is_a_graph_of_the_nodes_that_were_there(given_points, data):
    X, heights, M = given_points
    assert_cut_back(X, heights, M, data.draw(st.integers(1, len(X))))


def assert_cut_back(X, heights, M, N):
    graph = empty_graph(len(X), X.shape[1], M, False)._replace(upper=np.full((int(heights.sum()), M), -1, np.int32))
    graph.vectors[:] = X
    prepare(graph, heights[:N])
    marks = Marks()
    for n in range(N):
        join(graph, n, n + 1, 5, marks)
    before = graph.state.copy()
    prepare(graph, heights[N:])
    for n in range(N, len(X)):
        join(graph, n, n + 1, 5, marks)
    cut_back(graph, before)
    rows = int(heights[:N].sum())
    names = "vectors", "links", "first", "levels", "parents"
    whole = graph._replace(**{name: getattr(graph, name)[:N] for name in names}, upper=graph.upper[:rows])
    check_graph(whole)
    assert len(reached(whole)) == N


def test_what_is_longer_holds_the_same_and_a_filling():
    assert longer(np.arange(3), 5, -1).tolist() == [0, 1, 2, -1, -1]


@pytest.mark.parametrize("size, new", [(0, 0), (0, 1), (0, 999), (7, 100), (100_000, 10), (0, 100_000)])
def test_batches_are_at_most_a_quarter_of_what_is_there(size, new):
    bounds = batches(size, new)
    assert bounds[0] == size and bounds[-1] == size + new
    for first, stop in zip(bounds, bounds[1:]):
        assert 0 < stop - first <= max(1, first // 4) and stop - first <= max(500, (size + new) // 50)
