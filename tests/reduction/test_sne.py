"""The three costs and their gradients: against the definition, finite differences, and what must hold for any map."""
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.reduction.sne import (
    sne_cost, sne_gradient, sne_similarities, symmetric_cost, symmetric_gradient, symmetric_similarities, tsne_cost,
    tsne_gradient, tsne_similarities)
from tests.reference import sne as reference
from tests.strategies.distances import seeds
from tests.strategies.sne import maps

EPS = np.finfo(float).eps
METHODS = {"sne": (sne_similarities, sne_cost, sne_gradient),
           "symmetric": (symmetric_similarities, symmetric_cost, symmetric_gradient),
           "tsne": (tsne_similarities, tsne_cost, tsne_gradient)}
each_method = pytest.mark.parametrize("method", METHODS)


def affinities(method, R, P):
    """What a method compares its similarities with."""
    return R if method == "sne" else P


def rounding(Y):
    """Of a logarithm of q: a square of D terms at most max_ij d_ij, from differences right to eps."""
    return 8 * (len(Y) + 4) * EPS * (1 + 4 * Y.shape[1] * np.abs(Y).max() ** 2)


def rounding_of_force(Y):
    """Of a gradient: at most 4 in all p and q, right to `rounding`, times the largest difference."""
    return 8 * rounding(Y) * np.abs(Y).max()


# --- equal to the definition

@given(maps(8))
def test_similarities_are_the_definition(drawn):
    Y, _, _ = drawn
    np.testing.assert_allclose(sne_similarities(Y), reference.sne_similarities(Y), rtol=rounding(Y))
    np.testing.assert_allclose(symmetric_similarities(Y), reference.symmetric_similarities(Y), rtol=rounding(Y))
    np.testing.assert_allclose(tsne_similarities(Y), reference.tsne_similarities(Y), rtol=rounding(Y))


@given(maps(8))
def test_costs_are_the_definition(drawn):
    Y, R, P = drawn
    for got, expected in [(sne_cost(R, Y), reference.sne_cost(R, Y)),
                          (symmetric_cost(P, Y), reference.symmetric_cost(P, Y)),
                          (tsne_cost(P, Y), reference.tsne_cost(P, Y))]:
        assert abs(got - expected) <= rounding(Y) + len(Y) ** 2 * EPS * max(1, abs(expected))


@given(maps(8))
def test_gradients_are_the_definition(drawn):
    Y, R, P = drawn
    for got, expected in [(sne_gradient(R, Y), reference.sne_gradient(R, Y)),
                          (symmetric_gradient(P, Y), reference.symmetric_gradient(P, Y)),
                          (tsne_gradient(P, Y), reference.tsne_gradient(P, Y))]:
        np.testing.assert_allclose(got, expected, rtol=0, atol=rounding_of_force(Y))


# --- the gradient is the slope

@each_method
@pytest.mark.parametrize("F", [1, 2, 3])
@given(seed=seeds)
def test_gradient_is_what_finite_differences_say(method, F, seed):
    """The five-point formula with h = 1e-3: its error is h⁴/30 times a fifth derivative, and eps C / h."""
    rng = np.random.default_rng(seed)
    Y = rng.normal(size=(6, F))
    R = rng.random((6, 6)) * (1 - np.eye(6))
    R /= R.sum(axis=1, keepdims=True)
    A = affinities(method, R, (R + R.T) / 12)
    _, cost, gradient = METHODS[method]
    D, h = gradient(A, Y), 1e-3
    for place in [*np.ndindex(*Y.shape), None]:          # each coordinate, then a random direction
        direction = rng.normal(size=Y.shape) if place is None else np.zeros(Y.shape)
        if place is not None:
            direction[place] = 1
        ahead, back, ahead2, back2 = (cost(A, Y + s * h * direction) for s in (1, -1, 2, -2))
        slope = (8 * (ahead - back) - (ahead2 - back2)) / (12 * h)
        np.testing.assert_allclose((D * direction).sum(), slope, rtol=1e-7, atol=1e-8)


# --- laws

@each_method
@given(maps(12))
def test_similarities_sum_to_one_and_nobody_is_like_himself(method, drawn):
    Y, _, _ = drawn
    Q = METHODS[method][0](Y)
    assert (Q >= 0).all() and not Q.diagonal().any()
    np.testing.assert_allclose(Q.sum(axis=1) if method == "sne" else Q.sum(), 1, rtol=rounding(Y))
    if method != "sne":
        np.testing.assert_array_equal(Q, Q.T)


@each_method
@given(maps(12))
def test_forces_add_up_to_nothing(method, drawn):
    Y, R, P = drawn
    D = METHODS[method][2](affinities(method, R, P), Y)
    np.testing.assert_allclose(D.sum(axis=0), 0, atol=len(Y) * rounding_of_force(Y))


@each_method
@given(maps(12, min_points=3, spreads=(0.3, 1.0)), seeds)
def test_turning_and_shifting_the_map_changes_nothing(method, drawn, seed):
    Y, R, P = drawn
    A, (_, cost, gradient) = affinities(method, R, P), METHODS[method]
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(Y.shape[1],) * 2))
    turned = Y @ Q + rng.normal(size=Y.shape[1])
    bound = rounding(np.abs(turned) + np.abs(Y))
    np.testing.assert_allclose(cost(A, turned), cost(A, Y), rtol=0, atol=4 * bound)
    np.testing.assert_allclose(gradient(A, turned), gradient(A, Y) @ Q, rtol=0, atol=64 * bound * np.abs(turned).max())


@each_method
@given(maps(12), seeds)
def test_renumbering_the_points_renumbers_the_gradient(method, drawn, seed):
    Y, R, P = drawn
    A, (_, cost, gradient) = affinities(method, R, P), METHODS[method]
    order = np.random.default_rng(seed).permutation(len(Y))
    np.testing.assert_allclose(cost(A[order][:, order], Y[order]), cost(A, Y), rtol=0, atol=rounding(Y))
    np.testing.assert_allclose(gradient(A[order][:, order], Y[order]), gradient(A, Y)[order], rtol=0,
                               atol=rounding_of_force(Y))


@each_method
@given(maps(12))
def test_no_map_costs_less_than_nothing(method, drawn):
    Y, R, P = drawn
    assert METHODS[method][1](affinities(method, R, P), Y) >= -rounding(Y)


@each_method
@given(maps(12))
def test_a_map_with_the_same_similarities_is_perfect(method, drawn):
    Y, _, _ = drawn
    similarities, cost, gradient = METHODS[method]
    Q = similarities(Y)
    assert abs(cost(Q, Y)) <= rounding(Y)
    np.testing.assert_allclose(gradient(Q, Y), 0, atol=rounding_of_force(Y))


@given(maps(12))
def test_sne_sees_no_more_of_the_data_than_the_joint_affinities(drawn):
    """(7) is (8) with the joint affinities on both sides."""
    Y, R, P = drawn
    Q = sne_similarities(Y)
    symmetric = P - (Q + Q.T) / (2 * len(Y))
    expected = 4 * (symmetric[:, :, None] * (Y[:, None] - Y[None])).sum(axis=1)
    np.testing.assert_allclose(sne_gradient(R, Y), expected, rtol=0, atol=rounding_of_force(Y))


@each_method
def test_costs_are_finite_where_similarities_underflow(method):
    Y = np.array([[0.0, 0], [1, 0], [1e3, 0], [1e3, 1e3]])
    R = np.full((4, 4), 1 / 3) * (1 - np.eye(4))
    _, cost, gradient = METHODS[method]
    A = affinities(method, R, R / 4)
    assert np.isfinite(cost(A, Y)) and np.isfinite(gradient(A, Y)).all() and cost(A, Y) > 1


@given(st.floats(0.01, 20, exclude_max=True))
def test_two_points_attract_until_they_touch_if_all_p_is_theirs(distance):
    """N = 2: p = q = 1/2 whatever the map, so every map is perfect."""
    Y, P = np.array([[0.0], [distance]]), np.array([[0, 0.5], [0.5, 0]])
    for method in METHODS:
        np.testing.assert_allclose(METHODS[method][2](affinities(method, 2 * P, P), Y), 0, atol=rounding_of_force(Y))


def test_the_heavy_tail_makes_room():
    """What the text says of e⁻⁹, and that beyond some distance t-SNE lets go where a Gaussian pulls ever harder."""
    np.testing.assert_allclose(-np.log(1 + 90.0**2), -9, atol=1e-3)
    P = np.array([[0, 0.4, 0.05], [0.4, 0, 0.05], [0.05, 0.05, 0]])

    def force(gradient, distance):
        return -gradient(P, np.array([[0.0], [0.1], [-distance]]))[2, 0]
    assert force(symmetric_gradient, 60) > 2.9 * force(symmetric_gradient, 20) > 0
    assert 0 < force(tsne_gradient, 60) < 0.4 * force(tsne_gradient, 20)
