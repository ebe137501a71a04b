"""Affinities against their definition, and against what must hold whatever the points."""
import os

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.core.distances import squared_euclidean
from scratchml.reduction.affinities import conditional, joint, packed_affinities, perplexities, precisions, unpacked
from tests.reference import affinities as reference
from tests.strategies.affinities import clouds, crowds, points
from tests.strategies.distances import seeds
from tests.strategies.sne import random_affinities

EPS = np.finfo(float).eps
HALF_PLACE = 2.0**-24                                    # u of float32
slow_without_compiler = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="too many pairs")


def distances(X):
    return squared_euclidean(X, X)


def off_diagonal(R):
    return R[~np.eye(len(R), dtype=bool)]


# --- equal to the definition

@given(clouds(9, kinds=("normal", "constant column")), seeds)
def test_conditional_is_a_gaussian_that_sums_to_one(drawn, seed):
    Δ = distances(drawn[0])
    Δ /= Δ.max()                                         # so that no exponential of the definition underflows
    β = np.random.default_rng(seed).random(len(Δ)) * 20
    # exp(-x) is right to (x + 1) eps, x <= 20; N of them are summed.
    np.testing.assert_allclose(conditional(Δ, β), reference.conditional(Δ, β), rtol=(50 + len(Δ)) * EPS)


@given(st.integers(2, 9), seeds, st.booleans())
def test_perplexity_is_e_to_the_entropy_in_nats(N, seed, sparse):
    R = random_affinities(np.random.default_rng(seed), N, sparse)
    # An entropy below log N < 3 of N terms, each right to 2 eps.
    np.testing.assert_allclose(perplexities(R), reference.perplexities(R), rtol=10 * N * EPS)


@given(clouds(9))
def test_precision_is_what_bisection_finds(drawn):
    X, u = drawn
    Δ = distances(X)
    # Both attain u; by how much β differs then depends on how steep u is, so u is what is compared.
    ours, theirs = precisions(Δ, u), reference.precisions(Δ, u)
    np.testing.assert_allclose(perplexities(conditional(Δ, ours)), perplexities(conditional(Δ, theirs)), rtol=1e-9)


def test_precision_of_ordinary_points_is_what_bisection_finds():
    Δ = distances(points(12, 3, 0, "normal"))
    for u in (1.5, 4.0, 9.0):
        np.testing.assert_allclose(precisions(Δ, u), reference.precisions(Δ, u), rtol=1e-8)


@given(st.integers(2, 9), seeds)
def test_joint_is_the_mean_of_both_opinions(N, seed):
    R = random_affinities(np.random.default_rng(seed), N)
    np.testing.assert_allclose(joint(R), reference.joint(R), rtol=2 * EPS)


@given(clouds(9, kinds=("normal", "constant column", "one direction", "scaled 1e8")))
def test_packed_affinities_are_the_definition_in_single_precision(drawn):
    X, u = drawn
    P, reached = packed_affinities(X, u)
    assert P.dtype == np.float32 and P.shape == (len(X) * (len(X) + 1) // 2,)
    # Each perplexity is right to 1e-10; how much a p_ij then may differ grows where u hardly changes with β.
    np.testing.assert_allclose(unpacked(P), reference.affinities(X, u), rtol=2 * HALF_PLACE, atol=1e-7)
    np.testing.assert_allclose(reached, u, rtol=1e-9)


@pytest.mark.parametrize("N", [2, 3, 40, pytest.param(300, marks=slow_without_compiler)])    # 300: two blocks of rows
def test_packed_affinities_agree_with_the_four_steps(N):
    X = points(N, 5, N, "normal")
    u = min(N - 1, 12.0)
    Δ = distances(X)
    P, reached = packed_affinities(X, u)
    np.testing.assert_allclose(unpacked(P), joint(conditional(Δ, precisions(Δ, u))), rtol=2 * HALF_PLACE, atol=1e-29)
    np.testing.assert_allclose(reached, u, rtol=2e-10)


def test_packed_affinities_of_distances_are_those_of_the_points():
    X = points(60, 5, 0, "normal")
    P, _ = packed_affinities(X, 9.0)
    Q, _ = packed_affinities(np.sqrt(distances(X)), 9.0, metric="precomputed")
    np.testing.assert_allclose(Q, P, rtol=4 * HALF_PLACE)


# --- laws

@given(clouds(30))
def test_perplexities_are_true_wherever_attainable(drawn):
    X, u = drawn
    Δ = distances(X)
    distinct = Δ + np.diag([np.inf] * len(X))
    assume((np.sort(distinct, axis=1)[:, 1] > distinct.min(axis=1)).all())       # one nearest, not two
    np.testing.assert_allclose(perplexities(conditional(Δ, precisions(Δ, u))), u, rtol=1e-5)
    np.testing.assert_allclose(packed_affinities(X, u)[1], u, rtol=1e-5)


@given(crowds(15))
def test_more_points_at_the_least_distance_than_the_perplexity_share_it(drawn):
    X, u = drawn
    Δ = distances(X) + np.diag([np.inf] * len(X))
    ties = (Δ == Δ.min(axis=1, keepdims=True)).sum(axis=1)
    np.testing.assert_allclose(packed_affinities(X, u)[1], np.maximum(u, ties), rtol=1e-5)


@given(clouds(30))
def test_joint_affinities_are_a_distribution_in_which_every_point_has_its_share(drawn):
    X, u = drawn
    P = unpacked(packed_affinities(X, u)[0])
    N = len(X)
    assert (P >= 0).all() and not P.diagonal().any()
    np.testing.assert_array_equal(P, P.T)
    np.testing.assert_allclose(P.sum(), 1, rtol=2 * HALF_PLACE)
    assert (P.sum(axis=1) >= (1 - N * HALF_PLACE) / (2 * N)).all()


@given(clouds(20, kinds=("normal", "far outlier")), st.integers(-30, 30))
def test_powers_of_two_change_nothing(drawn, exponent):
    X, u = drawn
    np.testing.assert_array_equal(packed_affinities(X * 2.0**exponent, u)[0], packed_affinities(X, u)[0])


@given(clouds(20, kinds=("normal", "scales")), seeds)
def test_the_order_of_the_points_does_not_matter(drawn, seed):
    X, u = drawn
    order = np.random.default_rng(seed).permutation(len(X))
    P, Q = unpacked(packed_affinities(X, u)[0]), unpacked(packed_affinities(X[order], u)[0])
    np.testing.assert_allclose(Q, P[order][:, order], rtol=1e-5, atol=1e-9)      # the entropy's sum has another order


@given(clouds(15, kinds=("normal",), room=1.1), st.floats(0, 1))
def test_a_greater_perplexity_is_a_wider_gaussian(drawn, share):
    X, u = drawn
    factor = 1.1 + share * (min(2, (len(X) - 1.01) / u) - 1.1)
    Δ = distances(X)
    assert (precisions(Δ, u * factor) < precisions(Δ, u)).all()


def test_the_greatest_perplexity_picks_all_alike():
    X = points(9, 3, 0, "normal")
    P, reached = packed_affinities(X, 8.0)
    # u is flat there: log u is right to 1e-10, β to its root
    np.testing.assert_allclose(off_diagonal(unpacked(P)), 1 / 72, rtol=1e-4)
    np.testing.assert_allclose(reached, 8, rtol=1e-9)


def test_by_hand():
    """Of distances 1 and 2 from x_0, both picked with probabilities 0.8 and 0.2: β (4 - 1) = log 4."""
    Δ = np.array([[0.0, 1, 4], [1, 0, 9], [4, 9, 0]])
    u = np.exp(-0.8 * np.log(0.8) - 0.2 * np.log(0.2))
    β = precisions(Δ, u)
    np.testing.assert_allclose(β, [np.log(4) / 3, np.log(4) / 8, np.log(4) / 5], rtol=1e-8)
    np.testing.assert_allclose(off_diagonal(conditional(Δ, β)), [0.8, 0.2] * 3, rtol=1e-8)
    P, _ = packed_affinities(np.array([[0.0], [1], [-2]]), u)
    np.testing.assert_allclose(P, [0, 1.6 / 6, 1.0 / 6, 0, 0.4 / 6, 0], rtol=1e-6)


def test_negligible_affinities_are_zero():
    X = np.arange(40)[:, None] + 0.3 * np.sin(np.arange(40))[:, None]
    P, _ = packed_affinities(X, 3.0)
    Δ = distances(X)
    full = joint(conditional(Δ, precisions(Δ, 3.0)))[np.triu_indices(40)]
    assert ((full > 1e-40) & (full < 1e-31)).any()       # else there is nothing to see
    assert not P[full < 1e-31].any() and P[full > 1e-29].all()


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    X = points(90, 4, 0, "normal")
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    P, reached = packed_affinities(X, 12.0)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    Q, other = packed_affinities(X, 12.0)
    np.testing.assert_array_equal(P, Q)
    np.testing.assert_array_equal(reached, other)


def test_a_triangle_has_a_number_of_entries_of_its_own():
    with pytest.raises(ValueError, match=r"N \(N \+ 1\) / 2 entries.*\(4,\)"):
        unpacked(np.zeros(4, np.float32))
