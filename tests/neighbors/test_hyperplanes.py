"""The theorem by counting, and the tables by looking at who shares a key."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.neighbors import Hyperplanes, NearestNeighbors
from scratchml.neighbors.hyperplanes import collision_probability, found_probability, signature
from tests.reference import hyperplanes as reference


def cloud(N=50, D=4, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(N, D)).astype(dtype)


# --- equal to the definition

@given(st.integers(0, 2**32 - 1))
def test_signatures_are_their_definition(seed):
    X, W = cloud(5, 3, seed), cloud(4, 3, seed + 1)
    assert signature(X, W).tolist() == reference.signature(X.tolist(), W.tolist())


@given(st.integers(2, 5), st.integers(-9, 9), st.integers(0, 2**32 - 1))
def test_the_collision_probability_is_its_definition(D, scale, seed):
    x, y = cloud(2, D, seed)
    assert collision_probability(10.0**scale * x, y) == pytest.approx(reference.collision_probability(x, y), abs=1e-7)
    assert collision_probability(x, x) == 1 and collision_probability(x, -x) == pytest.approx(0, abs=1e-15)


@given(st.floats(0, 1), st.integers(1, 20), st.integers(1, 8))
def test_the_found_probability_is_its_definition(p, b, L):
    assert found_probability(p, b, L) == pytest.approx(reference.found_probability(p, b, L), abs=1e-12)


# --- laws

def test_planes_collide_as_the_theorem_says():
    """Within four standard errors, at three angles."""
    W, n = cloud(4000, 3, seed=5), 4000
    for degrees in (10, 60, 150):
        x, y = np.array([1.0, 0, 0]), np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0])
        p = collision_probability(x, y)
        assert p == pytest.approx(1 - degrees / 180)
        bits = signature(np.stack([x, y]), W)
        assert abs((bits[0] == bits[1]).mean() - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_tables_find_as_often_as_the_theorem_says():
    x = np.array([[1.0, 0, 0]])
    y = np.array([[np.cos(0.5), np.sin(0.5), 0]])
    found = [Hyperplanes(3, 4, random_state=seed).fit(x).knn_query(y)[0].item() == 0 for seed in range(300)]
    p = found_probability(collision_probability(x[0], y[0]), 4, 3)
    assert abs(np.mean(found) - p) < 4 * np.sqrt(p * (1 - p) / 300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_what_is_found_are_the_nearest_of_those_that_share_a_key(dtype, L, b, k, seed):
    X, Q = cloud(30, 3, seed, dtype), cloud(4, 3, seed + 1, dtype)
    index = Hyperplanes(L, b, random_state=seed).fit(X)
    numbers, distances = index.knn_query(Q, k)
    far, near = NearestNeighbors(30, metric="cosine").fit(X).kneighbors(Q)
    shared = (signature(Q, index.planes_).reshape(4, 1, L, b) == signature(X, index.planes_).reshape(1, 30, L, b))
    shared = shared.all(axis=3).any(axis=2)
    for i in range(4):
        expected = [n for n in near[i] if shared[i, n]][:k]
        assert numbers[i].tolist() == expected + [-1] * (k - len(expected))
        assert np.isinf(distances[i, len(expected):]).all()
        where = [near[i].tolist().index(n) for n in expected]
        np.testing.assert_allclose(distances[i, :len(expected)], far[i, where], rtol=1e-5, atol=1e-12)


def test_equal_vectors_are_found_at_distance_0_the_lowest_number_first():
    X = np.concatenate([cloud(20), np.ones((5, 4)), np.zeros((1, 4))])
    numbers, distances = Hyperplanes(2, 8, random_state=0).fit(X).knn_query(X, 5)
    assert numbers[22].tolist() == [20, 21, 22, 23, 24] and not distances[20:25].any()
    assert numbers[:20, 0].tolist() == list(range(20)) and distances[25, 0] == 1


def test_any_number_of_threads_gives_the_same(monkeypatch):
    X, found = cloud(200), []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(Hyperplanes(4, 3, random_state=0).fit(X).knn_query(X, 4))
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)
    assert all(len({*row[row >= 0]}) == (row >= 0).sum() for row in found[0][0])


@pytest.mark.parametrize("parameters, message", [
    (dict(n_tables=0), "n_tables=0"), (dict(n_bits=1.5), "n_bits=1.5"),
    (dict(n_bits=63), "n_bits=63: expected at most 62"),
])
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Hyperplanes(**parameters).fit(cloud())
