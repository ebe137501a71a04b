"""Rosner's test against its definition, to the bit where it can be; its laws; a published example; bad input."""
import os

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.timeseries import generalized_esd
from scratchml.timeseries.outliers import (
    critical_value, esd_of, extremes, extremes_by_sorting, mean_and_deviation, median_and_mad, outlier_count)
from tests.reference import outliers as reference
from tests.strategies.outliers import KINDS, values, values_of, with_most

EPS = np.finfo(float).eps
SIDES = {"both": 0, "pos": 1, "neg": -1}
directions = st.sampled_from(list(SIDES))
compiled = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="a minute in plain Python")

# Rosner's, as NIST's handbook prints them (section 1.3.5.17.3).
ROSNER = [-0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65, 1.69, 1.70,
          1.76, 1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10, 2.14, 2.15, 2.23, 2.24, 2.26, 2.35, 2.37, 2.40,
          2.47, 2.54, 2.62, 2.64, 2.90, 2.92, 2.92, 2.93, 3.21, 3.26, 3.30, 3.59, 3.68, 4.30, 4.64, 5.34, 5.42, 6.01]


# --- against the definition

@given(values())
def test_centre_and_scale_are_their_definitions(x):
    assert median_and_mad(x) == reference.median_and_mad(x.tolist())
    c, s = mean_and_deviation(x)
    expected = reference.mean_and_deviation(x.tolist())
    largest = len(x) * EPS * np.abs(x).max()
    assert abs(c - expected[0]) <= largest and abs(s - expected[1]) <= 2 * (largest + len(x) * EPS * s)


@given(with_most(), directions)
def test_the_hybrid_is_the_literal_loop_to_the_bit(drawn, direction):
    x, K = drawn
    gone, R = reference.extremes(x.tolist(), K, direction=direction)
    found = extremes(x, K, side=SIDES[direction])
    assert (found[0].tolist(), found[1].tolist()) == (gone, R)
    esd = generalized_esd(x, K, hybrid=True, direction=direction)
    assert esd.statistics.tolist() == R
    assert esd.indices.tolist() == gone[:reference.outlier_count(R, esd.critical_values)]
    assert extremes_by_sorting(x, K, True, SIDES[direction])[0].tolist() == gone


@pytest.mark.parametrize("kind", ["swallowed below", "swallowed above"])
@pytest.mark.parametrize("direction", SIDES)
def test_of_values_whose_distances_round_to_one_number_the_first_leaves(kind, direction):
    for seed in range(8):
        x = values_of(30, kind, seed)
        gone = reference.extremes(x.tolist(), 25, direction=direction)[0]
        assert extremes_by_sorting(x, 25, True, SIDES[direction])[0].tolist() == gone


@given(with_most(most=25, kinds=("normal", "far", "masked", "skew", "offset", "whole", "few values")), directions)
def test_with_mean_and_deviation_it_is_the_literal_loop_but_for_rounding(drawn, direction):
    """Sums of n terms about the middle value lose the digits of n; an offset loses what it swallows of the values."""
    x, K = drawn
    gone, R = reference.extremes(x.tolist(), K, reference.mean_and_deviation, direction)
    found = extremes(x, K, mean_and_deviation, SIDES[direction])
    esd = generalized_esd(x, K, direction=direction)
    k = min(len(R), len(esd.statistics), len(found[1]))
    swallowed = len(x) * EPS * np.abs(x).max() / x[~np.isin(np.arange(len(x)), gone[:k - 1])].std() if k else 0
    for statistics in (found[1][:k], esd.statistics[:k]):
        np.testing.assert_allclose(statistics, R[:k], rtol=4 * len(x) ** 2 * EPS,
                                   atol=4 * swallowed * max(R[:k], default=1))
    if (x == np.rint(x)).all() and np.abs(x).max() < 1e3:                        # means that tie are exact
        assert k == len(R) and found[0].tolist() == gone
        assert extremes_by_sorting(x, K, False, SIDES[direction])[0].tolist() == gone


@given(st.integers(3, 300), st.floats(1e-6, 0.9), st.sampled_from([1, 2]), st.data())
def test_critical_values_are_their_definition(n, α, g, data):
    i = data.draw(st.integers(1, n - 2))
    expected = float(reference.critical_value(i, n, α, g))
    assert critical_value(i, n, α, g) == pytest.approx(expected, rel=4e-13)
    esd = esd_of(values_of(n, "normal", 0), i, α, False, 2 - g)
    assert esd.critical_values[i - 1] == pytest.approx(expected, rel=4e-13)


@compiled
@pytest.mark.parametrize("n, K, α", [(14_400, 1440, 0.05), (3000, 2998, 0.001), (700, 650, 0.9),
                                     (100_000, 300, 1e-200)])
def test_a_start_from_the_neighbours_is_as_good(n, K, α):
    for g in 1, 2:
        λ = esd_of(np.arange(n) ** 2.0, K, α, True, 2 - g).critical_values
        np.testing.assert_allclose(λ, critical_value(np.arange(1, len(λ) + 1), n, α, g), rtol=4e-13)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=9))
def test_the_last_that_is_too_far_decides(pairs):
    R, λ = np.array(pairs, float).reshape(-1, 2).T
    assert outlier_count(R, λ) == reference.outlier_count(R.tolist(), λ.tolist())


# --- the published example

def test_rosners_example():
    esd = generalized_esd(ROSNER, 10)
    assert esd.statistics.round(3).tolist() == [3.119, 2.943, 3.179, 2.81, 2.816, 2.848, 2.279, 2.31, 2.102, 2.067]
    assert esd.critical_values.round(3).tolist() == [3.159, 3.151, 3.144, 3.136, 3.128, 3.12, 3.112, 3.103, 3.094,
                                                     3.085]
    assert [ROSNER[j] for j in esd.indices] == [6.01, 5.42, 5.34]


def test_the_hybrid_of_rosners_example_depends_on_a_tie():
    """At the fifth step -0.25 and 4.30 are 2.275 from the median 2.025, both; which is first in time leaves."""
    esd = generalized_esd(ROSNER, 10, hybrid=True)
    assert esd.statistics[:6].round(3).tolist() == [4.845, 4.159, 4.116, 3.412, 3.1, 3.022] and len(esd.indices) == 4
    esd = generalized_esd(ROSNER[::-1], 10, hybrid=True)
    assert esd.statistics[:6].round(3).tolist() == [4.845, 4.159, 4.116, 3.412, 3.1, 3.148] and len(esd.indices) == 6


# --- laws

@given(with_most(), directions, st.booleans())
def test_outliers_for_fewer_are_the_first_of_those_for_more(drawn, direction, hybrid):
    x, K = drawn
    more = generalized_esd(x, K, 0.3, hybrid, direction)
    for fewer in range(1, K):
        esd = generalized_esd(x, fewer, 0.3, hybrid, direction)
        assert esd.indices.tolist() == more.indices.tolist()[:len(esd.indices)]
        assert esd.statistics.tolist() == more.statistics.tolist()[:fewer]


@given(with_most(kinds=("normal", "far", "masked", "whole", "skew", "mirrored")), st.integers(-900, 900), st.booleans())
def test_a_unit_does_not_matter(drawn, power, hybrid):
    """A power of 2 changes no digit, whether squares of the values can be held or not."""
    x, K = drawn
    assume(np.abs(x).min() > 1e-12)
    esd, scaled = generalized_esd(x, K, 0.3, hybrid), generalized_esd(np.ldexp(x, power), K, 0.3, hybrid)
    for ours, theirs in zip(esd, scaled):
        assert ours.tolist() == theirs.tolist()


@given(with_most(kinds=("whole", "few values")), st.integers(-5, 5), st.booleans())
def test_up_is_down_in_the_mirror_and_a_shift_does_not_matter(drawn, shift, hybrid):
    x, K = drawn
    up, down = generalized_esd(x, K, 0.3, hybrid, "pos"), generalized_esd(shift - x, K, 0.3, hybrid, "neg")
    assert up.indices.tolist() == down.indices.tolist()
    np.testing.assert_allclose(up.statistics, down.statistics, rtol=len(x) ** 2 * EPS, atol=len(x) * EPS)


@given(with_most(kinds=("far", "skew", "normal")), st.booleans(), st.randoms(use_true_random=False))
def test_without_ties_order_does_not_matter(drawn, hybrid, random):
    x, K = drawn
    permutation = np.array(random.sample(range(len(x)), len(x)))
    esd, permuted = generalized_esd(x, K, 0.3, hybrid), generalized_esd(x[permutation], K, 0.3, hybrid)
    assert permutation[permuted.indices].tolist() == esd.indices.tolist()
    assert permuted.statistics.tolist() == esd.statistics.tolist()


@given(with_most(least=12, kinds=("whole", "few values")), directions)
def test_equal_values_leave_by_time(drawn, direction):
    x, K = drawn
    found = generalized_esd(x, K, 0.9, True, direction).indices
    for value in np.unique(x[found]):
        same = found[x[found] == value]
        assert same.tolist() == np.flatnonzero(x == value)[:len(same)].tolist()


def test_two_that_mask_one_another_are_found_together():
    x = [0.3, -1.1, 9.0, 0.8, -0.4, 1.2, 9.0, -0.9, 0.1]
    esd = generalized_esd(x, 3)
    assert esd.indices.tolist() == [2, 6] and esd.statistics[0] < esd.critical_values[0]
    assert generalized_esd(x, 1).indices.tolist() == []


@pytest.mark.parametrize("far", [20.0, -1e5, 1e17, 1e300, -1.7e307])
@pytest.mark.parametrize("hybrid", [False, True])
def test_a_far_point_is_found_however_far(far, hybrid):
    x = np.insert(np.random.default_rng(3).uniform(-1, 1, 60), 17, far)
    esd = generalized_esd(x, 6, 0.01, hybrid)
    assert esd.indices.tolist() == [17] and np.isfinite(esd.statistics).all()


@compiled
def test_as_many_false_alarms_as_promised():
    """One in twenty samples, within three standard errors; the hybrid raises more, its λ being those of the mean."""
    rng = np.random.default_rng(0)
    alarms = np.mean([len(generalized_esd(rng.normal(size=100), 5).indices) > 0 for _ in range(1000)])
    assert abs(alarms - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 1000)


# --- degenerate values

@pytest.mark.parametrize("x", [np.zeros(9), np.full(9, 0.1), np.full(9, 1e300), [1e9, np.nextafter(1e9, 2e9)] * 5,
                               np.full(9, 5e-324)])
@pytest.mark.parametrize("hybrid", [False, True])
def test_rounding_is_no_outlier(x, hybrid):
    esd = generalized_esd(x, 3, hybrid=hybrid)
    assert [len(part) for part in esd] == [0, 0, 0]


def test_where_most_values_are_equal_the_hybrid_has_no_scale():
    x = [3.0] * 8 + [70.0]
    assert [len(part) for part in generalized_esd(x, 3, hybrid=True)] == [0, 0, 0]
    esd = generalized_esd(x, 3)
    assert esd.indices.tolist() == [8] and len(esd.statistics) == 1              # then only one value is left


def test_a_least_scale_keeps_what_is_small_from_being_far():
    x = 1e-12 * np.random.default_rng(1).standard_t(1, 50)
    assert len(esd_of(x, 9, 0.05, True, 0).indices) > 0
    x[7] = 5.0
    esd = esd_of(x, 9, 0.05, True, 0, least=1e-9)
    assert esd.indices.tolist() == [7] and esd.statistics[0] == (5 - np.median(x)) / 1e-9


def test_more_than_half_are_far():
    """The hybrid's breakdown point: beyond it the outliers are the centre."""
    x = np.concatenate([np.random.default_rng(0).normal(size=40), 1000 + np.random.default_rng(1).normal(size=60)])
    assert sorted(generalized_esd(x, 40, hybrid=True).indices) == list(range(40))


@pytest.mark.parametrize("as_they_come", [list, tuple, iter, lambda x: np.array(x, object), lambda x: np.array(x)[::1],
                                          lambda x: np.repeat(x, 2)[::2]])
def test_values_in_any_form(as_they_come):
    esd = generalized_esd(ROSNER, 5)
    assert generalized_esd(as_they_come(ROSNER), 5).indices.tolist() == esd.indices.tolist()


def test_values_stay_as_they_were():
    x = np.array(ROSNER)
    x.flags.writeable = False
    before = x.copy()
    generalized_esd(x, 5, hybrid=True)
    assert x.tolist() == before.tolist()
    assert generalized_esd(x.astype(np.float32), 5).indices.tolist() == [53, 52, 51]


@pytest.mark.parametrize("n, K", [(3, 1), (4, 2)])
def test_as_few_as_can_be(n, K):
    esd = generalized_esd(np.arange(n) ** 3.0, K)
    assert len(esd.statistics) == len(esd.critical_values) == K


@pytest.mark.parametrize("arguments, message", [
    (([1.0, 2, np.nan, 4], 1), r"x: Input contains NaN, first at \[2\]"),
    (([1, 2, np.inf], 1), "x: Input contains infinity"), (([1.0, 2], 1), "x: expected at least 3 values, got 2"),
    (([], 1), "x: expected at least 3 values, got 0"), (([1.0, 2, 3], 2), "max_outliers=2: expected at most 1"),
    (([1.0, 2, 3], 0), "max_outliers=0: expected a whole number"),
    (([1.0, 2, 3], 1.0), "max_outliers=1.0"), (([1.0, 2, 3], 1, 0), "alpha=0: expected a number, greater than 0"),
    (([1.0, 2, 3], 1, 1), "alpha=1: expected a probability below 1"), (([1.0, 2, 3], 1, np.nan), "alpha=nan"),
    (([1.0, 2, 3], 1, 0.05, "no"), "hybrid='no'"),
    (([1.0, 2, 3], 1, 0.05, True, "up"), "direction='up': expected one of 'both', 'pos', 'neg'"),
    ((np.ones((3, 2)), 1), r"x: expected an array of shape \(N,\), got shape \(3, 2\)"),
    ((7, 1), "x: expected an array"),
    ((["a", "b", "c"], 1), "x: expected numbers"),
])
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        generalized_esd(*arguments)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("direction", SIDES)
def test_every_step_until_two_are_left(kind, direction):
    x = values_of(41, kind, 5)
    for hybrid in False, True:
        esd = generalized_esd(x, 39, hybrid=hybrid, direction=direction)
        assert np.isfinite(esd.statistics).all() and (esd.statistics >= 0).all()
        assert np.isfinite(esd.critical_values).all() and (esd.critical_values > 0).all()
