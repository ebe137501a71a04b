"""The estimator: what it takes, what it refuses, and what it says of points that are queries."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import dense
from scratchml.neighbors import NearestNeighbors
from tests.reference import exhaustive as reference
from tests.strategies.exhaustive import points_and_queries

DISTANCES = {"euclidean": reference.euclidean, "cosine": reference.cosine_gap,
             "inner_product": reference.negative_product}


def cloud(N=30, D=3, seed=0):
    return np.random.default_rng(seed).normal(size=(N, D))


@pytest.mark.parametrize("metric", DISTANCES)
def test_the_nearest_and_how_far(metric):
    X, Q = cloud(), cloud(4, seed=1)
    distances, numbers = NearestNeighbors(3, metric=metric).fit(X).kneighbors(Q)
    d = DISTANCES[metric](Q, X)
    assert numbers.tolist() == reference.nearest(d, 3) and numbers.dtype == np.int64
    np.testing.assert_allclose(distances, np.take_along_axis(np.array(d), numbers, 1), rtol=1e-13)


@given(points_and_queries())
def test_points_that_are_queries_are_not_their_own_neighbours(drawn):
    X = drawn[0]
    if len(X) < 2:
        return
    model = NearestNeighbors(min(3, len(X) - 1)).fit(X)
    distances, numbers = model.kneighbors()
    d = np.array(reference.euclidean(X, X))
    np.fill_diagonal(d, np.inf)
    np.testing.assert_allclose(distances, np.sort(d, axis=1)[:, :numbers.shape[1]], rtol=1e-14, atol=1e-300)
    assert not (numbers == np.arange(len(X))[:, None]).any()
    near, who = model.radius_neighbors(radius=float(np.median(np.linalg.norm(X - X[0], axis=1))))
    assert all(i not in row for i, row in enumerate(who))


@given(st.integers(2, 12), st.integers(1, 4))
def test_of_equal_points_the_lowest_numbers_come_first(N, n):
    model = NearestNeighbors(n).fit(np.full((N, 2), 0.1) + 1e9)
    distances, numbers = model.kneighbors([[0.1 + 1e9, 0.1 + 1e9]], min(n, N))
    assert numbers.tolist() == [list(range(min(n, N)))] and not distances.any()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0, 1e9])
def test_equal_points_are_at_distance_0_wherever_they_lie(metric, dtype, offset):
    X = (cloud(50, 4) * 1000 + offset).astype(dtype)
    distances, numbers = NearestNeighbors(1, metric=metric).fit(X).kneighbors(X)
    assert not distances.any() and (X[numbers[:, 0]] == X).all() and distances.dtype == dtype


def test_distances_at_an_offset_keep_their_digits():
    X = np.arange(8.0)[:, None] ** 2 + 1e9
    distances, numbers = NearestNeighbors(2).fit(X).kneighbors(X + 0.25)
    assert distances[3].tolist() == [0.25, 5.25] and numbers[3].tolist() == [3, 2]


def test_within_a_radius_which_counts():
    X = np.array([[0.0], [1], [2], [4], [1]])
    model = NearestNeighbors(radius=1).fit(X)
    distances, numbers = model.radius_neighbors([[1.0], [9]])
    assert numbers[0].tolist() == [0, 1, 2, 4] and distances[0].tolist() == [1, 0, 1, 0] and not len(numbers[1])
    distances, numbers = model.radius_neighbors([[1.0]], radius=2, sort_results=True)
    assert numbers[0].tolist() == [1, 4, 0, 2] and distances[0].tolist() == [0, 0, 1, 1]
    assert model.radius_neighbors(radius=0.5, return_distance=False)[1].tolist() == [4]
    assert not len(model.radius_neighbors([[0.0]], radius=-1.0, return_distance=False)[0])
    assert NearestNeighbors(metric="inner_product").fit(X).radius_neighbors([[1.0]], radius=-2)[1][0].tolist() == [2, 3]


def test_the_graph_says_the_same():
    X = cloud()
    model = NearestNeighbors(4).fit(X)
    distances, numbers = model.kneighbors()
    expected, at = np.zeros((30, 30)), (np.arange(30)[:, None], numbers)
    expected[at] = 1
    np.testing.assert_array_equal(dense(model.kneighbors_graph()), expected)
    expected[at] = distances
    graph = model.kneighbors_graph(mode="distance")
    np.testing.assert_array_equal(dense(graph), expected)
    assert graph.indptr.dtype == np.int64 and graph.indices.dtype == np.int32


def test_a_copy_of_the_points_is_kept():
    X = cloud()
    model, Q = NearestNeighbors(2).fit(X), X[:5].copy()
    before = model.kneighbors(Q)
    X[:] = 0
    for a, b in zip(before, model.kneighbors(Q)):
        np.testing.assert_array_equal(a, b)


def test_cosines_of_a_zero_vector_are_0():
    X = np.array([[0.0, 0], [1, 0], [-1, 0], [0, 0]])
    distances, numbers = NearestNeighbors(4, metric="cosine").fit(X).kneighbors([[2.0, 0], [0, 0]])
    assert distances.tolist() == [[0, 1, 1, 2], [1, 1, 1, 1]] and numbers.tolist() == [[1, 0, 3, 2], [0, 1, 2, 3]]


@pytest.mark.parametrize("parameters, ask, message", [
    (dict(n_neighbors=0), {}, "n_neighbors=0"),
    (dict(n_neighbors=True), {}, "n_neighbors=True"),
    (dict(metric="manhattan"), {}, "expected one of 'euclidean', 'cosine', 'inner_product'"),
    (dict(radius=np.nan), {}, "radius=nan"),
    ({}, dict(n_neighbors=31), "there are only 30 points; lower n_neighbors"),
    ({}, dict(X=None, n_neighbors=30), "only 30 points, each without itself"),
    ({}, dict(return_distance="False"), "expected True or False"),
    ({}, dict(X=[[1.0, 2.0]]), "2 features"),
    ({}, dict(X=[[1.0, np.nan, 0]]), r"NaN, first at \[0, 1\]"),
    ({}, dict(X=[1.0, 2.0, 3.0]), "Expected 2D array"),
    ({}, dict(X=[[1e200, 0, 0]]), "cannot be held in float64; scale the data"),
])
def test_what_is_refused(parameters, ask, message):
    with pytest.raises(ValueError, match=message):
        NearestNeighbors(**parameters).fit(cloud()).kneighbors(**{"X": cloud(2), **ask})


def test_squares_beyond_float64_are_refused_and_others_are_not():
    for scale in (1e-160, 1e160):
        with pytest.raises(ValueError, match="scale the data"):
            NearestNeighbors().fit(cloud() * scale)
    for scale in (np.float32(1e-35), np.float32(1e35)):
        X = cloud().astype(np.float32) * scale
        numbers = NearestNeighbors(2).fit(X).kneighbors(X, return_distance=False)
        assert numbers.tolist() == NearestNeighbors(2).fit(cloud().astype(np.float32)).kneighbors(
            cloud().astype(np.float32), return_distance=False).tolist()


def test_one_point_among_others_that_is_far_beyond_float32():
    X = cloud().astype(np.float32)
    X[7] = 1e37
    distances, numbers = NearestNeighbors(2).fit(X).kneighbors(X)
    assert not distances[:, 0].any() and numbers[:, 0].tolist() == list(range(30))


def test_any_number_of_threads_gives_the_same(monkeypatch):
    X, found = np.random.default_rng(0).integers(-2, 3, size=(300, 3)) * 1.0, []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(NearestNeighbors(20).fit(X).kneighbors(X))
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)
