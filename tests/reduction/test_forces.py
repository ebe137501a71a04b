"""The packed costs and gradients against the chapter sne, within the rounding that the module states."""
import os

import numpy as np
import pytest
from hypothesis import given

from scratchml.reduction.forces import TERMS, GaussianPairs, StudentPairs
from scratchml.reduction.sne import (
    sne_cost, sne_gradient, symmetric_cost, symmetric_gradient, tsne_cost, tsne_gradient)
from tests.strategies.distances import seeds
from tests.strategies.sne import maps, packed, random_affinities

HALF_PLACE = 2.0**-24


def force_bound(P, Y):
    """4 Σ_j (p_ij w_ij + w_ij² / Z) times (TERMS + 10) u |y_i - y_j|, and u (|y_i| + |y_j|) of the coordinates."""
    y = np.abs(Y)
    d = np.abs(Y[:, None] - Y[None])                     # (N, N, F)
    w = 1 / (1 + (d ** 2).sum(axis=2))
    np.fill_diagonal(w, 0)
    strength = (P * w + w * w / w.sum())[:, :, None]
    moved = (y[:, None] + y[None]).sum(axis=2, keepdims=True)                    # changes d, and with it w
    terms = min(TERMS, len(Y)) + 10
    return 4 * HALF_PLACE * (strength * (terms * d + 4 * moved * (1 + d))).sum(axis=1)


def whole(R):
    P = (R + R.T) / (2 * len(R))
    return packed(P)


@given(maps(12, spreads=(1e-3, 1.0, 30.0)))
def test_single_precision_forces_are_within_the_stated_bound(drawn):
    Y, _, P = drawn
    triangle, P = packed(P)
    pairs = StudentPairs(triangle, len(Y), Y.shape[1])
    assert (np.abs(pairs.gradient(Y) - tsne_gradient(P, Y)) <= force_bound(P, Y)).all()


@pytest.mark.parametrize("F", [1, 2, 3])
def test_so_are_those_of_several_chunks_and_of_an_exaggerated_p(F):
    rng = np.random.default_rng(F)
    N = 130
    R = random_affinities(rng, N)
    triangle, P = whole(R)
    Y = rng.normal(size=(N, F)) * 5
    pairs = StudentPairs(triangle, N, F)
    for exaggeration in (1.0, 12.0):
        # 12 P is no distribution, but the gradient is linear in P.
        expected = tsne_gradient(P, Y) + 4 * (exaggeration - 1) * attraction(P, Y)
        assert (np.abs(pairs.gradient(Y, exaggeration) - expected) <= exaggeration * force_bound(P, Y)).all()
    fresh = StudentPairs(triangle, N, F).gradient(Y)
    np.testing.assert_array_equal(pairs.gradient(Y), fresh)                      # nothing is left behind


def attraction(P, Y):
    d = Y[:, None] - Y[None]
    return ((P / (1 + (d ** 2).sum(axis=2)))[:, :, None] * d).sum(axis=1)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="millions of pairs in plain Python")
@pytest.mark.parametrize("F", [2, 3])
def test_more_points_than_are_summed_in_single_precision(F):
    rng = np.random.default_rng(0)
    N = TERMS + 60
    R = random_affinities(rng, N)
    triangle, P = whole(R)
    Y = rng.normal(size=(N, F)) * 10
    assert (np.abs(StudentPairs(triangle, N, F).gradient(Y) - tsne_gradient(P, Y)) <= force_bound(P, Y)).all()
    np.testing.assert_allclose(StudentPairs(triangle, N, F).cost(Y), tsne_cost(P / P.sum(), Y), rtol=1e-6)
    np.testing.assert_allclose(GaussianPairs(triangle, N).gradient(Y), symmetric_gradient(P, Y), rtol=0, atol=1e-10)


@given(maps(12, spreads=(1e-3, 1.0, 30.0)))
def test_costs_are_those_of_the_chapter(drawn):
    """Σ p differs from 1 by u: so does the cost, by u times its largest logarithm."""
    Y, R, P = drawn
    triangle, _ = packed(P)
    largest = 4 * (Y ** 2).sum(axis=1).max() + 2 * np.log(len(Y)) + 10
    bound = 4 * HALF_PLACE * largest
    perplexities = np.exp(-(R * np.log(np.where(R > 0, R, 1))).sum(axis=1))
    N, F = Y.shape
    assert abs(StudentPairs(triangle, N, F).cost(Y) - max(0, tsne_cost(P, Y))) <= bound
    assert abs(GaussianPairs(triangle, N).cost(Y) - max(0, symmetric_cost(P, Y))) <= bound
    assert abs(GaussianPairs(triangle, N, perplexities).cost(Y) - max(0, sne_cost(R, Y))) <= bound


@given(maps(12, spreads=(1e-3, 1.0, 30.0)), seeds)
def test_gaussian_forces_are_those_of_the_chapter(drawn, seed):
    """All in double precision but P: so each p_ij, rounded here to begin with, counts alike on both sides."""
    Y, _, P = drawn
    N = len(P)
    triangle, P = packed(P)
    bound = dict(rtol=0, atol=1e-13 * (N + np.abs(Y).max() ** 3))
    np.testing.assert_allclose(GaussianPairs(triangle, N).gradient(Y), symmetric_gradient(P, Y), **bound)
    doubled = GaussianPairs(triangle, N).gradient(Y, 2.0) - GaussianPairs(triangle, N).gradient(Y)
    np.testing.assert_allclose(doubled, 4 * (P[:, :, None] * (Y[:, None] - Y[None])).sum(axis=1), **bound)
    R = N * P                                            # rows need not sum to one for the gradient: R + Rᵀ is 2 N P
    np.testing.assert_allclose(GaussianPairs(triangle, N, np.ones(N)).gradient(Y), sne_gradient(R, Y), **bound)


@pytest.mark.parametrize("F", [1, 2, 3])
def test_any_number_of_threads_gives_the_same_bits(F, monkeypatch):
    rng = np.random.default_rng(0)
    triangle, _ = whole(random_affinities(rng, 130))
    Y = rng.normal(size=(130, F))

    def results():
        for pairs in (StudentPairs(triangle, 130, F), GaussianPairs(triangle, 130),
                      GaussianPairs(triangle, 130, np.ones(130))):
            yield pairs.gradient(Y, 3.0)
            yield pairs.cost(Y)

    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = list(results())
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    for one, two in zip(alone, results()):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("spread", [1e-150, 1e3, 1e15])
def test_tiny_and_huge_maps_stay_finite(spread):
    rng = np.random.default_rng(0)
    triangle, _ = whole(random_affinities(rng, 10))
    Y = spread * rng.normal(size=(10, 2))
    for pairs in (StudentPairs(triangle, 10, 2), GaussianPairs(triangle, 10), GaussianPairs(triangle, 10, np.ones(10))):
        assert np.isfinite(pairs.gradient(Y)).all() and np.isfinite(pairs.cost(Y))
