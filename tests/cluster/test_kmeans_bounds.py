"""Searches that skip distances find the labels of the search that does not, and their bounds hold."""
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.cluster import KMeans
from scratchml.cluster.kmeans import assign
from scratchml.cluster.kmeans_bounds import (
    Auto, Elkan, Hamerly, farther_for_sure, half_ways, lowered, moved, others_moved, raised)
from scratchml.core.estimator import ConvergenceWarning
from tests.reference import kmeans_bounds as reference
from tests.strategies.distances import seeds, table
from tests.strategies.kmeans_bounds import HOSTILE, centres_twice, hostile, points

EPS = np.finfo(float).eps
each_search = pytest.mark.parametrize("search", [Elkan, Hamerly])
positive = st.floats(0, 1e6, allow_subnormal=False)


# --- equal to the definition

@given(centres_twice(6, 5))
def test_moves_are_distances_between_old_and_new(drawn):
    B, C = drawn
    p = moved(B, C)
    np.testing.assert_allclose(p, reference.moved(B, C), rtol=(B.shape[1] + 3) * EPS)
    np.testing.assert_array_equal(others_moved(p), reference.others_moved(p))


@given(centres_twice(6, 5))
def test_half_ways_lie_between_centres(drawn):
    np.testing.assert_allclose(half_ways(drawn[1]), reference.half_ways(drawn[1]), rtol=(drawn[1].shape[1] + 3) * EPS)


@given(positive, positive)
def test_bounds_move_outwards_and_no_farther_than_rounding(b, p):
    assert reference.raised(b, p) <= raised(b, p) <= reference.raised(b, p) * (1 + 4 * EPS)
    l = reference.lowered(b, p)
    assert abs(lowered(b, p) - l) <= 4 * EPS * abs(l) and (l < 0 or lowered(b, p) <= l)


@given(*[st.sampled_from([0.0, 1.0, 1 + EPS, 2.0, np.inf])] * 3)
def test_only_what_is_strictly_farther_is_skipped(u, l, h):
    assert farther_for_sure(u, l, h) == reference.farther_for_sure(u, l, h)


# --- the same labels

@pytest.mark.parametrize("search", [Elkan, Hamerly, Auto])
@given(hostile(30, 5), seeds, st.sampled_from([0.0, 1e-12, 1e-3, 1.0]))
def test_labels_are_those_of_the_definition_wherever_the_centres_go(search, drawn, seed, step):
    X, K = drawn
    rng = np.random.default_rng(seed)
    C = X[rng.integers(len(X), size=K)]
    searching = search(X)
    for _ in range(6):
        labels = searching.labels(C)
        np.testing.assert_array_equal(labels, assign(X, C))
        moving = rng.random((K, 1)) < 0.5                # and sometimes onto a point: a tie among copies
        C = np.where(moving, C + step * rng.normal(size=C.shape), C).astype(X.dtype)
        if rng.random() < 0.3:
            C[rng.integers(K)] = X[rng.integers(len(X))]


@pytest.mark.parametrize("kind", HOSTILE)
@given(N=st.integers(2, 40), D=st.integers(1, 4), seed=seeds, few=st.booleans())
def test_every_algorithm_takes_the_same_steps(kind, N, D, seed, few):
    X = points(kind, N, D, seed)
    K = min(N, 3) if few else max(1, N - 2)
    seen = {}

    def look(progress):
        model = progress.estimator
        seen.setdefault(model.algorithm, []).append((model.labels_.tolist(), model.cluster_centers_.tolist()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = [KMeans(K, init="random", random_state=seed, tol=0, algorithm=algorithm, callback=look).fit(X)
                  for algorithm in ("lloyd", "elkan", "hamerly", "auto")]
    assert seen["lloyd"] == seen["elkan"] == seen["hamerly"] == seen["auto"]
    assert len({model.inertia_ for model in models}) == 1


@each_search
def test_many_points_in_many_clusters(search):
    """Several tiles in a chunk, and chunks of both kinds: most points spared, and few."""
    X = table(2300, 3, 0)
    rng = np.random.default_rng(0)
    C = X[:37]
    searching = search(X)
    for step in (0.5, 0.01, 0.001, 0.3, 0.001, 0.0):
        np.testing.assert_array_equal(searching.labels(C), assign(X, C))
        C = C + step * rng.normal(size=C.shape)


# --- and fewer distances

@each_search
def test_distances_are_counted(search):
    X = np.array([[0.0], [1], [9], [10], [11]])
    searching = search(X)
    searching.labels(np.array([[0.0], [9]]))
    first = {Elkan: 1 + 8, Hamerly: 1 + 10}[search]           # the way between the centres; Elkan spares two
    assert searching.n_distances == first
    searching.labels(np.array([[0.1], [9]]))
    assert searching.n_distances == first + 3                     # and two moves


def test_a_point_that_changes_costs_what_it_must():
    """Of 5 points one is not spared: two moves, one way between the centres, and its distances to both."""
    X = np.array([[0.0], [4], [9], [10], [11]])
    for search in (Elkan, Hamerly):
        searching = search(X)
        searching.labels(np.array([[0.0], [9]]))
        before = searching.n_distances
        assert searching.labels(np.array([[-2.0], [9]])).tolist() == [0, 1, 1, 1, 1]
        assert searching.n_distances - before == 3 + 2


def test_auto_rests_where_bounds_spare_little_and_works_where_they_spare_much():
    X = table(400, 8, 0)
    searching, rng = Auto(X), np.random.default_rng(0)
    asked = []
    for i in range(24):
        asked.append(searching.bounds_pay())
        if asked[-1]:
            C = X[rng.integers(400, size=20)] if i < 14 else X[:20] + 1e-9 * i
            np.testing.assert_array_equal(searching.labels(C), assign(X, C))
    assert asked == [True] * 2 + [False] * 4 + [True] * 2 + [False] * 8 + [True] * 8


def test_bounds_skip_most_distances_on_clustered_points():
    rng = np.random.default_rng(0)
    X = np.repeat(20 * rng.normal(size=(8, 3)), 100, axis=0) + rng.normal(size=(800, 3))
    counts = {}
    for algorithm in ("lloyd", "elkan", "hamerly"):
        model = KMeans(8, random_state=0, tol=0, algorithm=algorithm).fit(X)
        counts[algorithm] = model.n_distances_
        if algorithm == "lloyd":
            assert model.n_distances_ == (model.n_iter_ + 1) * 800 * 8
    assert counts["elkan"] < counts["hamerly"] < 0.6 * counts["lloyd"]


@each_search
def test_bounds_hold(search):
    X = table(300, 2, 0)
    rng = np.random.default_rng(1)
    C = X[:9]
    searching = search(X)
    for _ in range(5):
        y = searching.labels(C)
        d = np.sqrt(((X[:, None] - C) ** 2).sum(axis=2))
        own, others = d[np.arange(300), y], d.copy()
        others[np.arange(300), y] = np.inf
        assert (searching.bounds[:, -1] >= own).all()
        lower = searching.bounds[:, :-1]
        assert (lower <= (d if search is Elkan else others.min(axis=1)[:, None])).all()
        C = C + 0.05 * rng.normal(size=C.shape)


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan", "hamerly"])
def test_any_number_of_threads_gives_the_same_bits(algorithm, monkeypatch):
    X = table(2300, 2, 0)
    results = []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        model = KMeans(4, random_state=0, algorithm=algorithm, callback=lambda p: p.iteration == 3).fit(X)
        results.append((model.cluster_centers_.tolist(), model.labels_.tolist(), model.n_distances_))
    assert results[0] == results[1]


def test_unknown_algorithm():
    with pytest.raises(ValueError, match="algorithm='fast'.*'elkan'"):
        KMeans(2, algorithm="fast").fit(table(5, 2, 0))
