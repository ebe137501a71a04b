"""Lists and what is probed, against their definitions; centres that are worth the name."""
import numpy as np
from hypothesis import given, strategies as st

from scratchml.neighbors.inverted_lists import centres_of, list_of, nearest_in_lists, probed
from tests.reference import inverted_lists as reference
from tests.strategies.inverted_lists import points_and_centres


@given(points_and_centres())
def test_lists_are_their_definition(drawn):
    X, C, _ = drawn
    assert list_of(X, C).tolist() == reference.list_of(X.tolist(), C.tolist())


@given(points_and_centres(), st.integers(1, 6), st.integers(1, 5))
def test_what_is_probed_and_found_is_its_definition(drawn, P, n):
    X, C, q = drawn
    assert probed(q, C, P).tolist() == reference.probed(q.tolist(), C.tolist(), P)
    found = nearest_in_lists(q, X, C, P, n).tolist()
    assert found == reference.nearest_in_lists(q.tolist(), X.tolist(), C.tolist(), P, n)


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_there_are_as_many_centres_as_asked_for_and_as_many_points_as_centres_are_the_centres(N, seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, size=(N, 2)) * 1.0
    K = int(rng.integers(1, N + 1))
    assert centres_of(X, K, rng).shape == (K, 2)
    np.testing.assert_array_equal(np.sort(centres_of(X, N, rng), axis=0), np.sort(X, axis=0))


def test_centres_of_apart_clusters_end_in_their_means():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(60, 3)) / 100 + at for at in (0, 50)])
    C = np.sort(centres_of(X, 2, rng, 5), axis=0)
    np.testing.assert_allclose(C, [[0, 0, 0], [50, 50, 50]], atol=0.01)


def test_a_centre_without_points_takes_the_farthest():
    X = np.r_[np.zeros((50, 1)), [[10.0], [20]]]
    for seed in range(5):
        assert sorted(centres_of(X, 3, np.random.default_rng(seed)).ravel().tolist()) == [0, 10, 20]
