"""The test for a level against its sums, the published values of six series, and the law of Cramér and von Mises."""
import math
import os

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.core.weighted_squares import chi_square_mixture_sf
from scratchml.datasets import (load_co2, load_euro_rates, load_nile, load_peyton_manning, load_real_gdp,
                                load_sunspots)
from scratchml.timeseries import kpss
from scratchml.timeseries.level import (CRITICAL, MEAN, bandwidth, long_run_variance, null_weights, p_value,
                                        partial_sums, statistic)
from tests.reference import level as reference
from tests.strategies.level import regressions, series

EPS = np.finfo(float).eps
each_regression = pytest.mark.parametrize("d", MEAN)
compiled = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="minutes in plain Python")


# --- equal to the definition

@given(series(least=4), regressions)
def test_partial_sums_are_their_definition(x, d):
    """T sums of T terms up to the largest value, and a line, whose slope has as many roundings."""
    e, η = partial_sums(x, d)
    expected, theirs = reference.partial_sums(x, d)
    bound = 20 * len(x) * EPS * np.abs(x).max()
    np.testing.assert_allclose(e, expected, rtol=0, atol=bound)
    assert abs(η - theirs) <= 2 * len(x) * bound * (math.sqrt(theirs) + len(x) * bound)


@given(series(least=4), st.integers(0, 12), st.booleans())
def test_the_long_run_variance_is_its_definition(x, l, centred):
    """Sums of up to T terms, squared; without a mean of 0 the last ones are large, too."""
    e, l = x - x.mean() * centred, min(l, len(x) - 1)
    bound = 40 * len(x) * EPS * len(x) * (e @ e)
    assert abs(long_run_variance(e, l) - reference.long_run_variance(e, l)) <= bound


def test_neighbours_by_the_thousand_take_no_longer():
    """Differences of differences of noise, of which nothing is left in the long run: l becomes T - 1 or nearly so."""
    e = np.diff(np.random.default_rng(0).normal(size=200_002), 2)
    found = kpss(e)
    assert found.lags > 1000 and 0 < found.pvalue <= 1


@given(series(least=4), regressions, st.integers(0, 3))
def test_the_statistic_is_its_definition(x, d, l):
    expected = reference.statistic(x, d, l)
    e, _ = partial_sums(x, d)
    assume(long_run_variance(e, l) > 1e-3 * (e @ e) / len(e) and e @ e > 1e-6 * (x @ x))
    assert math.isclose(statistic(x, d, l), expected, rel_tol=1e-9)
    assert math.isclose(kpss(x, d, l).statistic, expected, rel_tol=1e-9)


@given(series(least=4, most=60))
def test_the_bandwidth_is_its_definition(x):
    e = x - x.mean()
    assume(abs(e).max() > 0)
    assert abs(bandwidth(e) - reference.bandwidth(e.tolist())) <= 0


@pytest.mark.parametrize("seed, l", list(enumerate([55, 53, 46, 234])))
def test_the_bandwidth_of_much_differenced_noise(seed, l):
    """So large that one part in a hundred of its factor shows."""
    e = np.diff(np.random.default_rng(seed).normal(size=402), 2)
    e -= e.mean()
    assert bandwidth(e) == reference.bandwidth(e.tolist()) == l


@pytest.mark.parametrize("x", [(-2, -2, -1, -2), (-2, -2, -1, -2, -1), (-2, -2, -1, -2, -1, -2), (0, 1)])
def test_there_are_no_more_neighbours_than_others(x):
    """The formula asks for 5 of 4, 11 of 5, 7 of 6, and divides by 0."""
    assert bandwidth(np.array(x) - np.mean(x)) == len(x) - 1
    assert math.isfinite(kpss(x).statistic)


@each_regression
def test_weights_are_their_definition(d):
    np.testing.assert_allclose(null_weights(d), reference.null_weights(d), rtol=1e-13)
    assert 0 < MEAN[d] - null_weights(d).sum() < 5e-4
    if d == "ct":
        z = 0.5 / np.sqrt(null_weights(d)[200:])
        assert round(z[0], 6) == 4.493409 and (np.diff(z) > 0).all()
    with pytest.raises(ValueError, match="read-only"):
        null_weights(d)[0] = 1


@pytest.mark.parametrize("r", [.02, .05, .119, .3, .5, .9])
@each_regression
def test_p_values_are_imhofs_integral(r, d):
    assert abs(p_value(r, d) - reference.p_value(r, d)) < 1e-7


# --- published

@pytest.mark.parametrize("d, r, p", [("c", .347, .10019), ("c", .463, .04952), ("c", .574, .02596), ("c", .739, .01025),
                                     ("ct", .119, .10054), ("ct", .146, .05230), ("ct", .176, .02586),
                                     ("ct", .216, .01040)])
def test_the_table_of_1992_was_drawn(d, r, p):
    assert round(p_value(r, d), 5) == p


@pytest.mark.parametrize("p, point", [(.1, .34730), (.05, .46136), (.025, .58061), (.01, .74346), (.001, 1.16786)])
def test_the_law_of_cramer_and_von_mises(p, point):
    """Anderson and Darling's points, to half a unit of the last digit; the density there is at most 1."""
    assert abs(p_value(point, "c") - p) < 5e-6


@each_regression
def test_critical_values_are_where_p_is(d):
    for level, critical in CRITICAL[d].items():
        assert abs(p_value(critical, d) - float(level[:-1]) / 100) < 1e-6


@pytest.mark.parametrize("r", [.1, .3, .5, 1, 2])
def test_four_hundred_weights_are_enough(r):
    more = 1 / (np.arange(1, 1001) * math.pi) ** 2
    assert abs(p_value(r, "c") - chi_square_mixture_sf(r - (1 / 6 - more.sum()), more)) < 1e-8


SERIES = {"sunspots": load_sunspots, "nile": load_nile, "gdp": load_real_gdp, "co2": load_co2,
          "views": load_peyton_manning, "dollar": load_euro_rates}


@pytest.mark.parametrize("name, d, nlags, r, l", [  # statsmodels 0.15.0; the dollar to the end of 2024
    ("sunspots", "c", "auto", .669866, 7), ("sunspots", "c", "legacy", .446646, 16),
    ("sunspots", "ct", "auto", .115831, 7),
    ("sunspots", "ct", "legacy", .083112, 16), ("nile", "c", "auto", .869121, 5), ("nile", "c", "legacy", .549720, 12),
    ("nile", "ct", "auto", .237587, 4), ("nile", "ct", "legacy", .168988, 12), ("gdp", "c", "auto", 2.068515, 9),
    ("gdp", "c", "legacy", 1.336216, 15), ("gdp", "ct", "auto", .496269, 9), ("gdp", "ct", "legacy", .327523, 15),
    ("co2", "c", "auto", 3.369352, 15), ("views", "c", "auto", .480072, 30), ("views", "c", "legacy", .507492, 28),
    ("dollar", "c", "auto", 2.196890, 51), ("dollar", "ct", "auto", 2.213197, 51),
])
def test_six_series_have_their_published_values(name, d, nlags, r, l):
    found = kpss(SERIES[name]().values, d, nlags)
    assert (round(found.statistic, 6), found.lags) == (r, l)
    assert found.pvalue == p_value(found.statistic, d) and found.critical_values == CRITICAL[d]


def test_the_p_of_sunspots_is_exact_where_a_table_interpolates():
    found = kpss(load_sunspots().values)
    assert abs(found.pvalue - .015079) < 1e-6
    returns = kpss(np.diff(np.log(load_euro_rates().values)))
    assert (round(returns.statistic, 6), returns.lags) == (.103057, 7) and round(returns.pvalue, 4) == .5701


def test_results_unpack_in_the_order_of_statsmodels():
    r, p, l, critical_values = kpss(load_nile().values)
    assert (round(r, 6), round(p, 6), l) == (.869121, .005007, 5)
    assert list(critical_values) == ["10%", "5%", "2.5%", "1%"]
    assert type(r) is type(p) is float and type(l) is int
    critical_values.clear()
    assert kpss(load_nile().values).critical_values


# --- laws

@given(series(least=6), regressions, st.integers(-900, 900), st.sampled_from([-1, 1]), st.integers(-10**9, 10**9))
def test_units_and_level_change_no_bit(x, d, power, sign, level):
    """x is a multiple of 1/1024, so that all of this is exact."""
    assume(np.ptp(x - np.polyval(np.polyfit(np.arange(len(x)), x, 1), np.arange(len(x)))) > 1e-3)
    found = kpss(x, d)
    assert kpss(sign * np.ldexp(x, power), d) == found == kpss(x + level, d)


@given(series(least=6), st.integers(-99, 99))
def test_a_line_changes_nothing_where_one_is_fitted(x, slope):
    t = np.arange(len(x))
    assume(np.ptp(x - np.polyval(np.polyfit(t, x, 1), t)) > 1e-2)
    assert math.isclose(kpss(x, "ct", 2).statistic, kpss(x + slope * t, "ct", 2).statistic, rel_tol=1e-8)


@given(series(least=6), regressions)
def test_time_may_run_backwards(x, d):
    assume(np.ptp(x - np.polyval(np.polyfit(np.arange(len(x)), x, 1), np.arange(len(x)))) > 1e-2)
    assert math.isclose(kpss(x, d, 2).statistic, kpss(x[::-1], d, 2).statistic, rel_tol=1e-8)


@compiled
@each_regression
def test_p_falls_from_1_to_0(d):
    p = [p_value(r, d) for r in np.linspace(0, 4, 200)]
    assert p[0] == 1 and p[-1] < 1e-8 and (np.diff(p) <= 1e-14).all()


@compiled
@each_regression
def test_noise_is_found_wandering_as_often_as_stated(d):
    """4,000 series of 200 values, l = 0: within three standard errors, and what 200 values lack of endless ones."""
    rng = np.random.default_rng(6)
    p = np.array([kpss(rng.normal(size=200), d, 0).pvalue for _ in range(4000)])
    for level in (.1, .05):
        assert abs((p < level).mean() - level) < 3 * math.sqrt(level * (1 - level) / 4000) + 0.005


# --- the border

def test_what_a_series_may_come_in():
    x = load_nile().values
    found = kpss(x)
    locked = x.copy()
    locked.setflags(write=False)
    for one in (x.tolist(), x.astype(int), x.astype(object), locked, np.repeat(x, 2)[::2], x.astype(np.float32),
                iter(x.tolist()), x.astype(np.int16)):
        assert kpss(one) == found


TIME = np.arange(60.0)


@pytest.mark.parametrize("x, d, words", [
    ([2.0] * 9, "c", r"x: all 9 values are 2\.0"), ([2.0] * 9, "ct", "x: all 9 values are 2"),
    (2 + 3 * TIME, "ct", "all 60 values lie on a line"), (1e9 + 0.1 * TIME, "ct", "all 60 values lie on a line"),
    ((0.1 * TIME).astype(np.float32), "ct", "all 60 values lie on a line"),
    ((0.1 * TIME).astype(np.float16), "ct", "all 60 values lie on a line"), ([1, 2, 3], "ct", "3 values lie on a line"),
    (1e9 + 1e-7 * (TIME % 2), "c", "all 60 values lie on a level"),
    ([1.0], "c", 'expected at least 2 values for regression="c", got 1'), ([1, 2], "ct", "expected at least 3 values"),
    ([], "c", "x: expected at least 2"), ([1, np.nan, 3], "c", r"x: Input contains NaN, first at \[1\]"),
    ([1, -np.inf, 3], "c", "infinity"), (np.eye(4), "c", "x: expected an array of shape"), (7, "c", "x"),
    ("abc", "c", "x"),
])
def test_a_series_that_is_none_is_refused_with_numbers(x, d, words):
    with pytest.raises((ValueError, TypeError), match=words):
        kpss(x, d)


@pytest.mark.parametrize("arguments, words", [
    (dict(regression="n"), "regression='n': expected one of 'c', 'ct'"), (dict(nlags=None), "nlags=None"),
    (dict(nlags="schwert"), "nlags='schwert'"), (dict(nlags=-1), "nlags=-1"), (dict(nlags=2.0), "nlags=2.0"),
    (dict(nlags=60), "nlags=60: expected at most 59"), (dict(nlags=True), "nlags"),
])
def test_arguments_that_make_no_sense(arguments, words):
    with pytest.raises(ValueError, match=words):
        kpss(np.sin(TIME), **arguments)


def test_the_shortest_and_the_strangest_series():
    assert kpss([0, 1], nlags=0).statistic == 0.25 and math.isfinite(kpss([0, 1]).statistic)
    assert math.isfinite(kpss([0, 1, 3], "ct").pvalue)
    assert 0 < kpss((-1.0)**TIME).pvalue <= 1 and 0 < kpss(np.append(np.zeros(99), 1)).pvalue <= 1
    assert kpss(np.arange(3000.0)).pvalue < 1e-9
    for unit in (1e-300, 1e150, 1.7e308):
        assert math.isclose(kpss(np.sin(TIME) * unit).statistic, kpss(np.sin(TIME)).statistic, rel_tol=1e-12)
