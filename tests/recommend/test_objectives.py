"""The losses against their definitions, their limits, and their gradient against differences."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import known_entries, transposed
from scratchml.recommend.objectives import (Family, biased_error, confidence_error, family_error, gradient, gram,
                                            observed_error, penalty, squared_error, weighted_error)
from tests.reference import objectives as reference
from tests.strategies.objectives import FAMILIES, families, problems, ratings, seeds

EPS = np.finfo(float).eps


def bound(A, U, V, weight=1.0):
    """What rounding can do to a sum of weighted squares: each counts with |a| + |u|·|v| in place of its root."""
    largest = np.nan_to_num(np.abs(A)) + 3 + np.abs(U) @ np.abs(V).T
    return 4 * (A.size + U.shape[1]) * EPS * max(1.0, weight) * float((largest**2).sum())


# --- equal to the definition

@given(problems(), st.floats(0, 3), st.floats(0, 20))
def test_the_losses_are_their_definitions(problem, w, a):
    A, U, V = problem
    R = known_entries(A)
    for ours, theirs, weight in [
        (observed_error(R, U, V), reference.observed_error(A, U, V), 1),
        (weighted_error(R, U, V, w), reference.weighted_error(A, U, V, w), w),
        (squared_error(R, U, V), reference.squared_error(A, U, V), 1),
        (confidence_error(R, U, V, a), reference.confidence_error(A, U, V, a), 1 + 5 * a),
    ]:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=bound(A, U, V, weight))


@given(problems(), seeds)
def test_biases_and_penalty_are_their_definitions(problem, seed):
    A, U, V = problem
    rng = np.random.default_rng(seed)
    b, d, μ = rng.normal(size=len(U)), rng.normal(size=len(V)), 3.3
    ours, theirs = biased_error(known_entries(A), U, V, b, d, μ), reference.biased_error(A, U, V, b, d, μ)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=4 * bound(A, U, V))
    k = rng.integers(0, 9, size=len(U))
    np.testing.assert_allclose(penalty(U, k, 0.3), reference.penalty(U, k, 0.3), rtol=1e-13)


@given(problems(), families)
def test_the_family_is_its_definition(problem, family):
    A, U, V = problem
    np.testing.assert_allclose(family_error(known_entries(A), U, V, family), reference.family_error(A, U, V, family),
                               rtol=0, atol=bound(A, U, V, 1 + 5 * family.growth + family.unobserved))


@given(problems(), families, seeds)
def test_the_gradient_is_its_definition(problem, family, seed):
    A, U, V = problem
    L = np.random.default_rng(seed).uniform(0, 2, size=len(U))
    ours, theirs = gradient(known_entries(A), U, V, L, family), reference.gradient(A, U, V, L, family)
    scale = (1 + np.nan_to_num(np.abs(A)).max() + np.abs(U) @ np.abs(V).T).sum() * (1 + np.abs(V)).max()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e3 * EPS * scale * (1 + np.abs(U)).max())


# --- laws

@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_gradient_is_what_differences_say(family):
    rng = np.random.default_rng(1)
    R, U, V, L = known_entries(ratings(6, 5)), rng.normal(size=(6, 3)), rng.normal(size=(5, 3)), rng.uniform(size=6)

    def loss(U):
        return family_error(R, U, V, family) + penalty(U, L, 1.0)
    slopes, h = gradient(R, U, V, L, family), 1e-3
    for n in range(6):
        for f in range(3):
            step = np.zeros_like(U)
            step[n, f] = h                               # the loss is quadratic in U: central differences are exact
            np.testing.assert_allclose((loss(U + step) - loss(U - step)) / (2 * h), slopes[n, f], atol=1e-8)
    along = rng.normal(size=U.shape)
    np.testing.assert_allclose((loss(U + h * along) - loss(U - h * along)) / (2 * h), (slopes * along).sum(), rtol=1e-8)


@given(problems(), families)
def test_users_and_items_may_change_places(problem, family):
    A, U, V = problem
    R = known_entries(A)
    np.testing.assert_allclose(family_error(transposed(R), V, U, family), family_error(R, U, V, family), rtol=1e-9,
                               atol=bound(A, U, V, 1 + 5 * family.growth))


@given(problems())
def test_the_weight_of_the_unknown_joins_the_observed_to_the_whole(problem):
    A, U, V = problem
    R = known_entries(A)
    ends = observed_error(R, U, V), squared_error(R, U, V)
    assert weighted_error(R, U, V, 0.0) == ends[0] and weighted_error(R, U, V, 1.0) == ends[1]
    np.testing.assert_allclose(weighted_error(R, U, V, 0.25), 0.75 * ends[0] + 0.25 * ends[1], rtol=1e-12,
                               atol=bound(A, U, V))


def test_float32_is_added_up_in_float64():
    R, ones = known_entries(np.full((300, 70), 1.0001), dtype=np.float32), np.ones((300, 1), np.float32)
    expected = 21_000 * (float(np.float32(1.0001)) - 1) ** 2
    np.testing.assert_allclose(observed_error(R, ones, ones[:70]), expected, rtol=1e-9)
    assert gram(ones).dtype == np.float64


def test_a_family_begins_with_the_observed():
    assert Family() == (0, 1, 0, 0)
