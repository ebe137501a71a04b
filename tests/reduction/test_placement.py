"""Placement against its definition, and what must hold of a new point's place whatever the map."""
import os

import numpy as np
import pytest
from hypothesis import given, settings

from scratchml.core.distances import squared_euclidean
from scratchml.reduction.affinities import perplexities
from scratchml.reduction.placement import (
    first_places, picks, picks_on_map, place, placing_costs, placing_gradients,
)
from tests.reference import placement as reference
from tests.strategies.placement import arrivals

EPS = np.finfo(float).eps
few = settings(max_examples=10)
slow_without_compiler = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="too many steps")


def new_places(Y, M=3, seed=0):
    near = Y[np.arange(M) % len(Y)]
    return near + np.random.default_rng(seed).normal(size=near.shape)


# --- equal to the definition

@few
@given(arrivals(12))
def test_picks_have_the_perplexity_that_was_asked_for(drawn):
    Δ, _, u = drawn
    R = picks(Δ, u)
    np.testing.assert_allclose(R, reference.picks(Δ, u), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(R.sum(axis=1), 1, rtol=4 * len(R[0]) * EPS)
    np.testing.assert_allclose(perplexities(R), u, rtol=1e-9)


@given(arrivals(12))
def test_picks_on_the_map_are_shares_of_the_heavy_tail(drawn):
    Z, Y = new_places(drawn[1]), drawn[1]
    np.testing.assert_allclose(picks_on_map(Z, Y), reference.picks_on_map(Z, Y), rtol=60 * EPS)


@few
@given(arrivals(12))
def test_costs_and_gradients(drawn):
    Δ, Y, u = drawn
    R, Z = picks(Δ, u), new_places(Y, len(Δ))
    np.testing.assert_allclose(placing_costs(R, Z, Y), reference.placing_costs(R, Z, Y), rtol=0, atol=1e-12)
    gradients = placing_gradients(R, Z, Y)
    np.testing.assert_allclose(gradients, reference.placing_gradients(R, Z, Y), rtol=0, atol=1e-13)
    h = 1e-5
    for k in range(Y.shape[1]):
        step = h * np.eye(Y.shape[1])[k]
        slope = (placing_costs(R, Z + step, Y) - placing_costs(R, Z - step, Y)) / (2 * h)
        np.testing.assert_allclose(slope, gradients[:, k], rtol=0, atol=1e-8)


@few
@given(arrivals())
def test_it_starts_at_the_best_place_of_a_neighbour(drawn):
    Δ, Y, u = drawn
    R = picks(Δ, u)
    np.testing.assert_array_equal(first_places(Δ, R, Y), reference.first_places(Δ, R, Y))


def test_a_neighbour_beyond_the_twenty_fifth_is_no_start():
    """The 26th has the best place, next to all the others' middle."""
    Y = np.vstack([20 * np.random.default_rng(0).normal(size=(25, 2)), [[0, 0]], [[0.1, 0]], [[0, 0.1]]])
    Δ = np.append(np.full(25, 1.0), [1.1, 1.2, 1.3])[None]
    R = np.append(np.full(25, 0.01), np.full(3, 0.25))[None]
    start = first_places(Δ, R, Y)
    assert (start == Y[:25]).all(axis=1).any() and placing_costs(R, Y[25:26], Y) < placing_costs(R, start, Y)


@slow_without_compiler
@few
@given(arrivals(30))
def test_steps_are_those_of_the_definition(drawn):
    Δ, Y, u = drawn
    R = picks(Δ, u)
    start = first_places(Δ, R, Y)
    end = reference.descend(R, start, Y)
    better = placing_costs(R, end, Y) <= placing_costs(R, start, Y)
    expected = np.where(better[:, None], end, start)
    # Rounding may choose another of two starts, or steps, that are as good.
    np.testing.assert_allclose(placing_costs(R, place(Δ, Y, u), Y), placing_costs(R, expected, Y), rtol=0, atol=1e-6)


@pytest.mark.parametrize("F", [1, 2, 3])
def test_steps_are_those_of_the_definition_one_by_one(F):
    """On a map of 20 points in three groups, where nothing is close to a tie."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(22, 5)) + 6 * np.eye(5)[rng.integers(3, size=22)]
    Δ, Y = squared_euclidean(X[:2], X[2:]), X[2:, :F] * 3
    R = picks(Δ, 5.0)
    expected = reference.descend(R, reference.first_places(Δ, R, Y), Y)
    np.testing.assert_allclose(place(Δ, Y, 5.0), expected, rtol=0, atol=1e-9)


# --- laws

@given(arrivals())
@few
def test_no_place_costs_more_than_that_of_a_near_neighbour(drawn):
    Δ, Y, u = drawn
    R, Z = picks(Δ, u), place(Δ, Y, u)
    assert np.isfinite(Z).all() and Z.shape == (len(Δ), Y.shape[1])
    assert (placing_costs(R, Z, Y) <= placing_costs(R, first_places(Δ, R, Y), Y) + 1e-12).all()


@given(arrivals())
@few
def test_points_do_not_see_each_other(drawn):
    Δ, Y, u = drawn
    alone = [place(Δ[i:i + 1], Y, u)[0] for i in range(len(Δ))]
    np.testing.assert_array_equal(place(Δ, Y, u), alone)


@slow_without_compiler
def test_it_ends_where_the_gradient_is_small():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(330, 5)) + 6 * np.eye(5)[rng.integers(5, size=330)]
    Δ, Y = squared_euclidean(X[:30], X[30:]), 4 * X[30:, :2]
    Z = place(Δ, Y, 10.0)
    assert np.abs(placing_gradients(picks(Δ, 10.0), Z, Y)).max() <= 1e-6


def test_the_gradient_is_at_most_two():
    rng = np.random.default_rng(0)
    for scale in (1e-3, 1.0, 1e3):
        Y, R = scale * rng.normal(size=(9, 2)), np.eye(9)
        assert (np.linalg.norm(placing_gradients(R, scale * rng.normal(size=(9, 2)), Y), axis=1) <= 2).all()


def test_the_map_may_be_moved_turned_and_mirrored():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(23, 4))
    Δ, Y = squared_euclidean(X[:3], X[3:]), 5 * rng.normal(size=(20, 2))
    turn = np.array([[0.0, 1], [1, 0]])
    np.testing.assert_allclose(place(Δ, Y @ turn + [3, -1], 4.0), place(Δ, Y, 4.0) @ turn + [3, -1], rtol=0, atol=1e-5)


def test_as_far_from_all_it_sees_all_alike():
    """Nothing can be told apart: the picks are even, and the place is that at which the map is most even, too."""
    Y = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    np.testing.assert_allclose(place(np.full((1, 4), 3.0), Y, 2.0), [[0.5, 0.5]], atol=1e-3)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_any_number_of_threads_gives_the_same_bits(threads, monkeypatch):
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
    rng = np.random.default_rng(2)
    Δ, Y = rng.random((9, 20)), rng.normal(size=(20, 2))
    together = place(Δ, Y, 3.0)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    assert together.tobytes() == place(Δ, Y, 3.0).tobytes()
