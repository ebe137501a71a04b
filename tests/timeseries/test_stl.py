"""The decomposition against its definition, its laws, and series that break others."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.datasets import load_co2, load_electrical_equipment
from scratchml.timeseries import STL, stl
from scratchml.timeseries.loess import EVERY
from scratchml.timeseries.stl import cycle_subseries, inner_loop, low_pass, periodic_season, robustness_weights
from tests.reference import stl as reference
from tests.strategies.distances import seeds
from tests.strategies.loess import counts
from tests.strategies.stl import decompositions, seasonal_series


def assert_near(ours, theirs, y, rtol=1e-11):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=rtol * np.abs(y).max())


def settings(Q, U, B):
    return {f"{name}{what}": value for name, part in (("seasonal", Q), ("trend", U), ("low_pass", B))
            for what, value in (("", part.window), ("_deg", part.degree), ("_jump", part.jump))}


# --- the equations

@given(decompositions(), st.booleans(), seeds)
def test_every_step_is_its_definition(drawn, all_alike, seed):
    y, P, Q, U, B = drawn
    ρ = np.ones(len(y)) if all_alike else counts(len(y), seed)
    u = np.linspace(-1, 1, len(y)) * np.abs(y).max()
    given_ρ = EVERY if all_alike else ρ
    X = cycle_subseries(y, given_ρ, P, Q)
    assert_near(X, reference.cycle_subseries(y.tolist(), ρ.tolist(), P, Q), X)
    assert_near(low_pass(X, P, B), reference.low_pass(X.tolist(), P, B), X)
    for ours, theirs in zip(inner_loop(y, u, given_ρ, P, Q, U, B),
                            reference.inner_loop(y.tolist(), u.tolist(), ρ.tolist(), P, Q, U, B)):
        assert_near(ours, theirs, np.append(X, y))
    assert_near(periodic_season(y, P), reference.periodic_season(y.tolist(), P), y)


def test_where_nothing_counts_a_phase_keeps_its_values():
    y, ρ = seasonal_series(60, 4, 0), np.ones(60)
    for nothing in (slice(None), slice(0, 30), slice(30, 60), slice(12, 48)):
        ρ[:] = 1
        ρ[nothing] = 0
        X = cycle_subseries(y, ρ, 4, (5, 1, 2))
        assert_near(X, reference.cycle_subseries(y.tolist(), ρ.tolist(), 4, (5, 1, 2)), y)


@given(st.integers(1, 30), seeds, st.sampled_from([1e-300, 1e-9, 1.0, 1e150]))
def test_robustness_weights(T, seed, scale):
    e = scale * np.random.default_rng(seed).normal(size=T) ** 3
    weights = robustness_weights(e)
    np.testing.assert_allclose(weights, reference.robustness_weights(e.tolist()), rtol=1e-12, atol=1e-14)
    assert ((weights >= 0) & (weights <= 1)).all()


def test_no_remainder_has_full_weight():
    assert robustness_weights(np.zeros(5)).tolist() == [1] * 5
    assert robustness_weights(np.array([0, 0, 3.0, 0, 0])).tolist() == [1, 1, 0, 1, 1]


@given(decompositions(), st.integers(1, 3), st.integers(0, 2))
def test_a_fit_is_its_rounds(drawn, inner, outer):
    y, P, Q, U, B = drawn
    fit = STL(y, P, **settings(Q, U, B)).fit(inner, outer)
    s, u, ρ = reference.decompose(y.tolist(), P, Q, U, B, inner, outer)
    assert_near(fit.seasonal, s, y, 1e-9)
    assert_near(fit.trend, u, y, 1e-9)
    np.testing.assert_allclose(fit.weights, ρ, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(fit.resid, y - fit.seasonal - fit.trend)


@given(decompositions(), st.booleans(), st.booleans(), st.integers(0, 3))
def test_one_core_finds_the_same(drawn, robust, has_gap, outer):
    y, P, Q, U, B = drawn
    y = np.where(np.arange(len(y)) == len(y) // 2, np.nan, y) if has_gap else y
    with pytest.MonkeyPatch.context() as patch:
        fits = []
        for least in (stl.SHORT, 0):
            patch.setattr(stl, "SHORT", least)
            fits.append(STL(y, P, **settings(Q, U, B), robust=robust).fit(outer_iter=outer))
    for alone, shared in zip(*fits):
        np.testing.assert_array_equal(alone, shared)


def test_a_periodic_season_as_in_r():
    """By the settings that its help page names."""
    y = seasonal_series(40, 6, 0, "wild")
    n = 10 * 40 + 1
    Q, U, B = (n, 0, -(-n // 10)), (11, 1, 2), (7, 1, 1)
    fit = STL(y, 6, seasonal="periodic", robust=True).fit(1, 15)
    s, u, ρ = reference.decompose(y.tolist(), 6, Q, U, B, 1, 15)
    assert_near(fit.seasonal, reference.periodic_season(s, 6), y, 1e-9)
    assert_near(fit.trend, u, y, 1e-9)
    assert np.ptp(fit.seasonal[::6]) == 0 and abs(fit.seasonal[:6].sum()) < 0.2
    np.testing.assert_array_equal(fit.resid, y - fit.seasonal - fit.trend)


@pytest.mark.parametrize("P, seasonal, windows",
                         [(12, 7, (23, 13)), (7, 7, (15, 9)), (4, 13, (7, 5)), (12, "periodic", (19, 13)),
                                                  (7, "periodic", (11, 7)), (24, 35, (39, 25))])
def test_windows_by_default(P, seasonal, windows):
    """statsmodels' and, for a periodic season, R's."""
    y = seasonal_series(5 * P, P, 1)
    trend, low_pass = windows
    for ours, same in zip(STL(y, P, seasonal).fit(), STL(y, P, seasonal, trend=trend, low_pass=low_pass).fit()):
        np.testing.assert_array_equal(ours, same)


# --- figures of statsmodels and R

def test_carbon_dioxide():
    y = load_co2().values
    fit = STL(y, 12).fit()
    np.testing.assert_allclose(fit.trend[[0, 250, -1]], [315.119077, 336.188345, 371.475753], rtol=0, atol=5e-7)
    np.testing.assert_allclose(fit.seasonal[:3], [.905052, 1.970471, 2.332101], rtol=0, atol=5e-7)
    assert round(fit.resid.std(), 6) == .194753 and (fit.weights == 1).all()
    robust = STL(y, 12, robust=True).fit()
    np.testing.assert_allclose(robust.trend[[0, 250, -1]], [315.273401, 336.187852, 371.505884], rtol=0, atol=5e-7)
    np.testing.assert_allclose(robust.seasonal[:3], [.837575, 1.826592, 2.180799], rtol=0, atol=5e-7)
    assert round(robust.resid.std(), 6) == .254643 and robust.weights.min() == 0


def test_electrical_equipment():
    fit = STL(load_electrical_equipment().values, 12, robust=True).fit()
    np.testing.assert_allclose(fit.trend[[0, 100, -1]], [73.631208, 102.382473, 103.159972], rtol=0, atol=5e-7)
    np.testing.assert_allclose(fit.seasonal[:3], [-7.311339, -8.649707, .876779], rtol=0, atol=5e-7)
    assert (fit.weights < 0.5).sum() == 47


# --- laws

@given(decompositions(), st.sampled_from([-3.0, 0.01]), st.floats(-10, 10))
def test_units_do_not_matter(drawn, a, b):
    y, P, Q, U, B = drawn
    one, other = STL(y, P, **settings(Q, U, B)).fit(), STL(a * y + b, P, **settings(Q, U, B)).fit()
    size = np.abs(a * y) + abs(b)
    assert_near(other.seasonal, a * one.seasonal, size, 1e-10)
    assert_near(other.trend, a * one.trend + b, size, 1e-10)
    tiny = STL(np.ldexp(y, -900), P, **settings(Q, U, B)).fit()
    np.testing.assert_array_equal(tiny.seasonal, np.ldexp(one.seasonal, -900))       # to the last bit


@given(decompositions())
def test_the_parts_add_up(drawn):
    y, P, Q, U, B = drawn
    fit = STL(y, P, **settings(Q, U, B)).fit()
    np.testing.assert_array_equal(fit.resid, fit.observed - fit.seasonal - fit.trend)
    largest = np.max(np.abs([fit.seasonal, fit.trend, fit.resid]), axis=0)
    assert (np.abs(fit.seasonal + fit.trend + fit.resid - y) <= 4 * np.spacing(largest)).all()


@given(st.integers(2, 8), st.booleans())
def test_a_line_has_no_season(P, robust):
    line = 5 - 0.5 * np.arange(6.0 * P)
    fit = STL(line, P, robust=robust).fit()
    assert_near(fit.trend, line, line, 1e-9)
    assert_near(fit.seasonal, 0 * line, line, 1e-9)


def test_time_may_run_backwards():
    y = seasonal_series(40, 4, 0)
    one, other = STL(y, 4).fit(), STL(y[::-1], 4).fit()
    assert_near(other.trend[::-1], one.trend, y)
    assert_near(other.seasonal[::-1], one.seasonal, y)


def test_a_season_and_a_line_are_found_again():
    season = np.array([2.0, -1, -4, 3])
    t = np.arange(48)
    fit = STL(season[t % 4] + 0.1 * t, 4, seasonal="periodic").fit()
    np.testing.assert_allclose(fit.seasonal, season[t % 4], rtol=0, atol=0.02)


# --- outliers and gaps

def test_outliers_stay_in_the_remainder():
    y = seasonal_series(60, 6, 0)
    wild = y.copy()
    wild[[7, 30, 31]] += 100
    one, other = STL(y, 6, robust=True).fit(), STL(wild, 6, robust=True).fit()
    assert (other.weights[[7, 30, 31]] == 0).all()
    assert np.abs(other.trend - one.trend).max() < 1 and np.abs(STL(wild, 6).fit().trend - one.trend).max() > 10


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("seasonal", [7, "periodic"])
def test_a_missing_value_has_no_influence(robust, seasonal):
    y = seasonal_series(60, 5, 0)
    gone = [0, 13, 14, 31, 59]
    parts = []
    for stand_in in (np.nan, 7.0, 1e9):
        z = y.copy()
        z[gone] = np.nan
        fit = STL(z, 5, seasonal, robust=robust).fit()
        parts.append(fit)
    for fit in parts:
        assert np.isfinite(fit.seasonal).all() and np.isfinite(fit.trend).all()
        assert np.isnan(fit.resid).nonzero()[0].tolist() == gone and (fit.weights[gone] == 0).all()
    full = STL(y, 5, seasonal, robust=robust).fit()
    assert np.abs(fit.trend - full.trend).max() < 0.5 and np.abs(fit.seasonal - full.seasonal).max() < 1.5


def test_a_line_with_gaps_is_still_that_line():
    line = 5 - 0.5 * np.arange(30.0)
    gaps = line.copy()
    gaps[[3, 4, 17, 29]] = np.nan
    fit = STL(gaps, 5).fit()
    assert_near(fit.trend, line, line, 1e-9)
    assert_near(fit.seasonal, 0 * line, line, 1e-9)


@pytest.mark.parametrize("gone, message", [
    (slice(None), "at least one known value"),
    (slice(2, None, 4), "seasonal=7, but phase 2 of the period has 7 missing"),
    (slice(3, 16), "trend=9, but the series has 9 missing ones in a row; raise trend, or fill the gap"),
])
def test_a_window_needs_a_known_value(gone, message):
    y = seasonal_series(44, 4, 0)
    y[gone] = np.nan
    with pytest.raises(ValueError, match=message):
        STL(y, 4)


# --- hostile series

@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("y", [np.full(20, 3.7), np.zeros(20), np.where(np.arange(20) == 9, 1.0, 0.0),
                               np.where(np.arange(20) % 3 > 0, 1e9, 1.0), np.arange(20) * 1e300 / 20,
                               np.full(20, 5e-324)])
def test_what_is_finite_stays_so(y, robust):
    for seasonal in (7, "periodic"):
        fit = STL(y, 5, seasonal, robust=robust).fit()
        assert all(np.isfinite(part).all() for part in fit)
        assert_near(fit.seasonal + fit.trend + fit.resid, y, np.append(y, 1e-300))


def test_jumps_beyond_the_series():
    y = seasonal_series(20, 4, 0)
    fit = STL(y, 4, seasonal_jump=100, trend_jump=100, low_pass_jump=100).fit()
    assert all(np.isfinite(part).all() for part in fit) and np.ptp(np.diff(fit.trend)) < 1e-9     # one line


def test_containers():
    y = np.round(10 * seasonal_series(24, 4, 0)).astype(int)
    expected = STL(y.astype(float), 4).fit()
    for same in (y.tolist(), iter(y.tolist()), y.astype(object), y.astype(np.int16), y.astype(">f8"),
                 np.repeat(y, 2)[::2]):
        np.testing.assert_array_equal(STL(same, np.int64(4)).fit().seasonal, expected.seasonal)
    single = STL(y.astype(np.float32), 4).fit()
    np.testing.assert_array_equal(single.seasonal, expected.seasonal)


@pytest.mark.parametrize("change, message", [
    (dict(period=1), "period=1: expected"), (dict(period=11), "at least two periods, 22 values with period=11, got 20"),
    (dict(seasonal=8), "seasonal=8: expected an odd number, so that a window has a middle"), (dict(trend=6), "trend=6"),
    (dict(low_pass=4), "low_pass=4"), (dict(seasonal=1), "seasonal=1"), (dict(seasonal="weekly"), "seasonal='weekly'"),
    (dict(trend_deg=2), "trend_degree=2"), (dict(trend_jump=0), "trend_jump=0"), (dict(period=4.5), "period=4.5"),
    (dict(trend="auto"), "trend"), (dict(seasonal=7.0), "seasonal"),
    (dict(robust="no"), "robust='no': expected True or False"),
    (dict(endog=[1, np.inf] * 10), "endog: Input contains infinity"), (dict(endog=np.ones((20, 2))), "endog"),
    (dict(endog=5), "endog"), (dict(endog=["a"] * 20), "endog"),
])
def test_bad_arguments(change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        STL(**{"endog": seasonal_series(20, 4, 0), "period": 4, **change})


def test_bad_rounds():
    model = STL(seasonal_series(20, 4, 0), 4)
    for rounds, message in (((0, 1), "inner_iter=0"), ((1, -1), "outer_iter=-1")):
        with pytest.raises(ValueError, match=message):
            model.fit(*rounds)
