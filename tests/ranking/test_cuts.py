"""Gains and values are those of the second-order loss, and the best cut is the best of all."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.ranking import cuts
from scratchml.ranking.cuts import best_cut, leaf_value, split_gain
from tests.reference import cuts as reference
from tests.strategies.cuts import N_BINS, node_histogram
from tests.strategies.distances import seeds

G = st.floats(-100, 100)
H = st.floats(0.01, 100)
prices = st.sampled_from([0.0, 0.5, 10.0])


@given(G, H, prices, prices)
def test_leaf_value(G, H, α, λ):
    assert leaf_value(G, H, α, λ) == pytest.approx(reference.leaf_value(G, H, α, λ), rel=1e-14, abs=1e-300)


@given(G, H, prices, prices, st.floats(-2, 2))
def test_a_leaf_value_minimises_the_second_order_loss(G, H, α, λ, step):
    def loss(v):
        return G * v + 0.5 * (H + λ) * v**2 + α * abs(v)
    v = leaf_value(G, H, α, λ)
    assert loss(v) <= loss(v + step) + 1e-12 * (abs(G * v) + abs(loss(v + step)))
    assert loss(v) == pytest.approx(-0.5 * reference.T(G, α) ** 2 / (H + λ), rel=1e-9, abs=1e-12)


def test_a_leaf_without_curvature_stays():
    assert leaf_value(3.0, 0.0, 0.0, 0.0) == 0 and leaf_value(0.0, 0.0, 0.0, 0.0) == 0
    assert leaf_value(3.0, 0.0, 1.0, 4.0) == -0.5


@given(G, H, G, H, prices, prices)
def test_split_gain(G_L, H_L, G_R, H_R, α, λ):
    gain = split_gain(G_L, H_L, G_R, H_R, α, λ)
    apart = reference.T(G_L, α) ** 2 / (H_L + λ) + reference.T(G_R, α) ** 2 / (H_R + λ)
    assert gain == pytest.approx(reference.split_gain(G_L, H_L, G_R, H_R, α, λ), abs=17 * 2.0**-52 * apart)


@given(G, H, G, H)
def test_without_prices_nothing_is_lost_and_like_children_win_nothing(G_L, H_L, G_R, H_R):
    assert split_gain(G_L, H_L, G_R, H_R, 0.0, 0.0) >= 0
    for ratio in (1.0, 0.1, 7.0):
        assert split_gain(G_L, H_L, ratio * G_L, ratio * H_L, 0.0, 0.0) == 0


@settings(max_examples=15)
@given(st.integers(2, 60), seeds, st.sampled_from([0, 0.1, 0.5, 1]), st.booleans(), st.sampled_from([0, 1, 5]),
       st.sampled_from([0.0, 2.0]), st.sampled_from([0.0, 0.5]), prices, prices)
def test_best_cut(N, seed, missing, ties, samples, weight, least, α, λ):
    S, c = node_histogram(N, seed, missing, ties)
    limits = np.array([samples, weight, least, α, λ])
    f, b, m, gain = best_cut(S, np.array(N_BINS), c, limits)
    assert (f, b, m, gain) == pytest.approx(reference.best_cut(S.tolist(), N_BINS, c, limits.tolist()), rel=1e-13)


def refused(N, seed=0, samples=0, weight=0.0, least=0.0):
    S, c = node_histogram(N, seed, 0)
    found, limits = np.empty((3, 4)), np.array([samples, weight, least, 0, 0.0])
    cuts.best_of_each(S, np.array(N_BINS), np.arange(3, dtype=np.uint64), c, limits, found)
    return cuts.best_of(found, np.arange(3))


def test_it_says_which_limits_refused_cuts():
    assert refused(40).refused == 0 and refused(40).feature >= 0
    assert refused(40, samples=21).refused == cuts.SAMPLES and refused(40, samples=21).feature == -1
    assert refused(40, weight=1e9).refused == cuts.WEIGHT
    assert refused(40, least=1e9).refused == cuts.GAIN
    assert refused(1)[:4] == (0, -1, 0, False)


def test_a_gain_equal_to_the_least_is_none():
    best = refused(40)
    same = refused(40, least=best.gain)
    assert same.feature == -1 and same.refused == cuts.GAIN
    assert refused(40, least=np.nextafter(best.gain, 0))[:4] == best[:4]
