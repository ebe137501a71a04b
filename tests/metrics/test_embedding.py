"""Trustworthiness against its definition, and against what must hold whatever the map."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.distances import cosine_distances, directions, manhattan, squared_euclidean
from scratchml.core.sparse import sparse_rows
from scratchml.metrics.embedding import neighbour_ranks, trustworthiness
from tests.reference import embedding as reference
from tests.strategies.distances import BAD_TABLES, layouts, seeds, table
from tests.strategies.embedding import data_and_maps


@given(data_and_maps())
def test_ranks_are_places_in_the_order_of_distance(drawn):
    np.testing.assert_array_equal(neighbour_ranks(drawn[0]), reference.neighbour_ranks(drawn[0]))


@given(data_and_maps())
def test_trustworthiness_is_one_less_all_lies(drawn):
    X, Y, n = drawn
    expected = reference.trustworthiness(X, Y, n)
    np.testing.assert_allclose(trustworthiness(X, Y, n_neighbors=n), expected, rtol=0, atol=1e-15)


@given(data_and_maps())
def test_it_lies_between_0_and_1_and_the_data_trust_themselves(drawn):
    X, Y, n = drawn
    assert 0 <= trustworthiness(X, Y, n_neighbors=n) <= 1 == trustworthiness(X, X, n_neighbors=n)


def test_the_worst_map_has_0():
    """On a circle of N = 2n + 1 points, n on either side, a map can show exactly the farther ones as near."""
    N = 5
    points = np.exp(2j * np.pi * np.arange(N) / N)
    X, Y = (np.stack([z.real, z.imag], axis=1) for z in (points, points ** 2))
    np.testing.assert_allclose(trustworthiness(X, Y, n_neighbors=2), 0, atol=1e-15)


@given(st.integers(20, 60), seeds)
def test_turning_scaling_and_renumbering_change_nothing(N, seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(N, 4)), rng.normal(size=(N, 2))
    order, (Q, _) = rng.permutation(N), np.linalg.qr(rng.normal(size=(2, 2)))
    T = trustworthiness(X, Y)
    assert trustworthiness(3 * X + 1, 0.1 * Y @ Q) == trustworthiness(X[order], Y[order]) == T


def test_by_hand():
    """Points 0, 1, 3 and 7 on a line; the map swaps the last two, and n = 1."""
    X, Y = np.array([[0.0], [1], [3], [7]]), np.array([[0.0], [1], [7], [3]])
    # nearest on the map, by number: 1, 0, 3, 1; their ranks in the data: 1, 1, 3, 2; so the lies: 0, 0, 2, 1
    np.testing.assert_allclose(trustworthiness(X, Y, n_neighbors=1), 1 - 2 / (4 * 1 * (8 - 3 - 1)) * 3, rtol=1e-15)


def test_any_number_of_threads_and_any_layout_give_the_same(monkeypatch):
    X, Y = table(90, 3, 0), table(90, 2, 1)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(trustworthiness(X, Y))
    found += [trustworthiness(x, y) for x, y in zip(layouts(X).values(), layouts(Y).values())]
    assert len(set(found)) == 1


@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    with pytest.raises(ValueError, match=message):
        trustworthiness(bad, table(3, 2, 0), n_neighbors=1)
    with pytest.raises(ValueError, match=message):
        trustworthiness(table(3, 2, 0), bad, n_neighbors=1)


@pytest.mark.parametrize("X, Y, n, message", [
    (table(9, 2, 0), table(8, 2, 0), 2, "same number of samples, got 9 and 8"),
    (table(9, 2, 0), table(9, 2, 0), 5, r"n_neighbors=5.*n_samples / 2 = 4.5"),
    (table(8, 2, 0), table(8, 2, 0), 4, r"n_neighbors=4.*less than n_samples / 2 = 4"),
    (table(9, 2, 0), table(9, 2, 0), 0, "n_neighbors=0"),
    (table(9, 2, 0) * 1e200, table(9, 2, 0), 2, "X.*scale"),
    (table(9, 2, 0), table(9, 2, 0) * 1e-200, 2, "Y.*scale"),
])
def test_bad_arguments(X, Y, n, message):
    with pytest.raises(ValueError, match=message):
        trustworthiness(X, Y, n_neighbors=n)


@given(data_and_maps())
def test_distances_are_taken_as_they_come(drawn):
    X, Y, n = drawn
    far = squared_euclidean(X, X)                        # in the same order as their roots
    T = trustworthiness(X, Y, n_neighbors=n)
    assert trustworthiness(far, Y, n_neighbors=n, metric="precomputed") == T
    np.fill_diagonal(far, 7)                             # is of no interest
    assert trustworthiness(far, Y, n_neighbors=n, metric="precomputed") == T


def test_cosine_sees_directions_alone():
    X, Y = table(40, 3, 0), table(40, 2, 1)
    lengths = np.random.default_rng(2).uniform(0.1, 9, size=(40, 1))
    T = trustworthiness(lengths * X, Y, metric="cosine")
    assert T == trustworthiness(directions(X), Y) != trustworthiness(lengths * X, Y)
    assert T == trustworthiness(cosine_distances(X, X), Y, metric="precomputed")


def test_manhattan_adds_up_magnitudes():
    X, Y = table(11, 3, 0), table(11, 2, 1)
    T = trustworthiness(X, Y, n_neighbors=3, metric="manhattan")
    assert T == trustworthiness(manhattan(X, X), Y, n_neighbors=3, metric="precomputed")
    assert T != trustworthiness(X, Y, n_neighbors=3)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_sparse_rows_are_trusted_as_what_they_stand_for(metric):
    X = table(15, 6, 0) * (table(15, 6, 1) > -0.5)
    Y = table(15, 2, 2)
    T = trustworthiness(sparse_rows(X), Y, n_neighbors=4, metric=metric)
    assert T == trustworthiness(X, Y, n_neighbors=4, metric=metric)


def test_what_are_no_distances():
    X, Y = table(9, 3, 0), table(9, 2, 1)
    with pytest.raises(ValueError, match="precomputed.*\\(9, 3\\)"):
        trustworthiness(X, Y, n_neighbors=2, metric="precomputed")
    with pytest.raises(ValueError, match="negative.*-1"):
        trustworthiness(np.full((9, 9), -1.0), Y, n_neighbors=2, metric="precomputed")
    with pytest.raises(ValueError, match="metric='taxi'"):
        trustworthiness(X, Y, n_neighbors=2, metric="taxi")
