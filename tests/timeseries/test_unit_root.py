"""The Dickey-Fuller test against regressions in fractions, published values of six series, what must not move it."""
import math
import os

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.datasets import (load_co2, load_euro_rates, load_nile, load_peyton_manning, load_real_gdp,
                                load_sunspots)
from scratchml.timeseries import adfuller
from scratchml.timeseries.unit_root import (_each_lag, _triangle, all_lags, design, information, last_significant,
                                            most_lags, tau)
from scratchml.timeseries.unit_root_law import TERMS, asymptotic_p_value
from tests.reference import unit_root as reference
from tests.strategies.unit_root import regressions, series

EPS = np.finfo(float).eps
each_regression = pytest.mark.parametrize("d", TERMS)
compiled = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="minutes in plain Python")


def bound(X, dy, t, SSR):
    """Of the error of a t: X and dy are right to some k eps, columns of X being of length 1.

    A relative change δ of them turns the coefficient, in units of its standard error, by up to δ κ ‖dy‖ / s, and s by δ
    κ t.
    """
    n, k = X.shape
    κ = np.linalg.cond(X / np.linalg.norm(X, axis=0))
    assume(κ < 1e5 and n > k)
    return 20 * k * EPS * κ * (1 + abs(t) + np.linalg.norm(dy) / math.sqrt(SSR / (n - k)))


def most(y, d):
    """Lags that leave some rows more than columns."""
    return min(4, len(y) // 2 - TERMS[d] - 1, (len(y) - 4 - TERMS[d]) // 2)


# --- equal to the definition

@given(series(), regressions, st.integers(0, 4))
def test_the_regression_is_its_definition(y, d, p):
    X, dy = design(y, p, d)
    expected = reference.design(y.tolist(), p, d)
    np.testing.assert_allclose(X, expected[0], rtol=2 * EPS, atol=0)
    assert dy.tolist() == expected[1]


def test_an_index_series_shows_what_stands_where():
    X, dy = design(np.array([0.0, 1, 3, 6, 10, 15]), 2, "ct")
    assert X.tolist() == [[1, 1 / 3, 3, 2, 1], [1, 2 / 3, 6, 3, 2], [1, 1, 10, 4, 3]] and dy.tolist() == [3, 4, 5]


@given(series(), regressions, st.integers(0, 4))
def test_tau_is_its_definition(y, d, p):
    X, dy = design(y, min(p, most(y, d)), d)
    _, SSR, _ = reference.least_squares(X, dy)
    assume(SSR)
    expected = reference.tau(X, dy, TERMS[d])
    tolerance = bound(X, dy, expected, SSR)
    assert abs(tau(X, dy, TERMS[d]) - expected) <= tolerance
    found = adfuller(y, maxlag=min(p, most(y, d)), regression=d, autolag=None)
    assert abs(found.statistic - expected) <= tolerance and found.nobs == len(X) and found.icbest is None


@given(series(), regressions)
def test_one_factorisation_is_a_regression_for_each_number_of_lags(y, d):
    P, g = most(y, d), TERMS[d]
    X, dy = design(y, P, d)
    expected, ts = reference.all_lags(X.tolist(), dy.tolist(), g)
    SSR, t = all_lags(X, dy, g)
    scaled = np.ldexp(y - (d != "n") * y[0], -40)        # the units of the series do not matter
    theirs, t_theirs, k = np.empty(P + 1), np.empty(P + 1), np.empty(P + 1)
    _each_lag(_triangle(scaled, g, P), g, len(X), 0.0, theirs, t_theirs, k)
    for p in range(P + 1):
        tolerance = bound(X[:, :g + p + 1], dy, ts[p], expected[p])
        for one_SSR, one_t in ((SSR[p], t[p]), (np.ldexp(theirs[p], 80), t_theirs[p])):
            assert abs(one_t - ts[p]) <= tolerance
            assert abs(one_SSR / expected[p] - 1) <= tolerance
    assert k.tolist() == list(range(g + 1, g + P + 2))


@given(st.integers(4, 100_000), regressions)
def test_most_lags_is_its_definition(T, d):
    assert most_lags(T, d) == reference.most_lags(T, d)


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=5), st.integers(9, 99), st.floats(0, 9))
def test_information_is_its_definition(SSR, n, w):
    k = np.arange(2.0, 2 + len(SSR))
    found, expected = information(np.array(SSR), n, k, w), reference.information(SSR, n, k, w)
    np.testing.assert_allclose(found, expected, rtol=0, atol=200 * n * EPS * 40)


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=7))
def test_last_significant_is_its_definition(t):
    assert last_significant(np.array(t)) == reference.last_significant(t)


@given(series(), regressions, st.sampled_from(["AIC", "BIC", "t-stat"]))
def test_the_choice_is_the_best_on_the_rows_of_the_most_lags(y, d, autolag):
    P, g = most(y, d), TERMS[d]
    found = adfuller(y, maxlag=P, regression=d, autolag=autolag)
    X, dy = design(y, P, d)
    SSR, t = reference.all_lags(X.tolist(), dy.tolist(), g)
    if autolag == "t-stat":
        assume(min(abs(abs(one) - 1.6448536269514722) for one in t) > 1e-6)
        best = reference.last_significant(t)
        value = abs(t[best])
    else:
        I = reference.information(SSR, len(X), np.arange(P + 1) + g + 1, 2 if autolag == "AIC" else math.log(len(X)))
        assume(P == 0 or np.diff(np.sort(I))[0] > 1e-6)
        best = int(np.argmin(I))
        value = I[best]
    assert found.lags == best and found.nobs == len(y) - 1 - best
    np.testing.assert_allclose(found.icbest, value, rtol=1e-6, atol=1e-6)
    again = adfuller(y, maxlag=best, regression=d, autolag=None)
    np.testing.assert_allclose(found.statistic, again.statistic, rtol=1e-7, atol=1e-9)


# --- published

SERIES = {"sunspots": load_sunspots, "nile": load_nile, "gdp": load_real_gdp, "co2": load_co2,
          "views": load_peyton_manning, "dollar": load_euro_rates}
FOUND = [  # statsmodels 0.15.0; the dollar to the end of 2024
    ("sunspots", "c", "AIC", -2.837781, .053076, 8, 300), ("sunspots", "c", "BIC", -2.837781, .053076, 8, 300),
    ("sunspots", "c", "t-stat", -3.353534, None, 16, 292), ("sunspots", "ct", "AIC", -2.924375, .154465, 8, 300),
    ("sunspots", "n", "AIC", -.752220, None, 8, 300), ("sunspots", "ctt", "AIC", -3.004904, None, 8, 300),
    ("nile", "c", "AIC", -4.048705, .001176, 1, 98), ("nile", "c", "BIC", -5.664610, None, 0, 99),
    ("nile", "c", "t-stat", -1.944756, None, 10, 89), ("nile", "ct", "AIC", -4.790766, None, 1, 98),
    ("nile", "n", "AIC", -1.032012, None, 10, 89), ("nile", "ctt", "AIC", -7.323733, None, 0, 99),
    ("gdp", "c", "AIC", 1.750463, .998246, 12, 190), ("gdp", "c", "BIC", .989619, None, 2, 200),
    ("gdp", "c", "t-stat", 1.750463, None, 12, 190), ("gdp", "ct", "AIC", -1.231772, None, 12, 190),
    ("gdp", "n", "AIC", 3.287961, None, 12, 190), ("gdp", "ctt", "AIC", -2.231626, None, 12, 190),
    ("co2", "c", "AIC", 2.232835, .998908, 14, 511), ("co2", "c", "BIC", 2.422618, None, 13, 512),
    ("co2", "c", "t-stat", 2.232835, None, 14, 511), ("co2", "ct", "AIC", -2.256484, .458153, 14, 511),
    ("co2", "n", "AIC", 4.550165, None, 14, 511), ("co2", "ctt", "AIC", -3.426776, None, 15, 510),
    ("views", "c", "AIC", -4.483387, .000211, 28, 2876), ("views", "c", "BIC", -4.734889, None, 21, 2883),
    ("views", "c", "t-stat", -4.483387, None, 28, 2876), ("views", "ct", "AIC", -4.515245, None, 28, 2876),
    ("views", "n", "AIC", -.316977, None, 28, 2876), ("views", "ctt", "AIC", -4.862363, None, 28, 2876),
    ("dollar", "c", "AIC", -1.734670, .413344, 12, 6645), ("dollar", "ct", "AIC", -1.713423, .744936, 12, 6645),
    ("dollar", "n", "AIC", -.428964, .525071, 12, 6645), ("dollar", "ctt", "AIC", -3.076419, None, 12, 6645),
]


@compiled
@pytest.mark.parametrize("name, d, autolag, statistic, pvalue, lags, nobs", FOUND)
def test_six_series_have_their_published_values(name, d, autolag, statistic, pvalue, lags, nobs):
    found = adfuller(SERIES[name]().values, regression=d, autolag=autolag)
    assert (round(found.statistic, 6), found.lags, found.nobs) == (statistic, lags, nobs)
    assert pvalue is None or round(found.pvalue, 6) == pvalue
    assert found.pvalue == asymptotic_p_value(found.statistic, d)


@compiled
def test_returns_of_the_dollar_are_no_walk():
    found = adfuller(np.diff(np.log(load_euro_rates().values)))
    assert (round(found.statistic, 6), found.lags) == (-23.456315, 11) and found.pvalue == 0


def test_results_unpack_in_the_order_of_statsmodels():
    statistic, pvalue, lags, nobs, critical_values, icbest = adfuller(load_nile().values)
    assert (round(statistic, 6), round(pvalue, 6), lags, nobs) == (-4.048705, .001176, 1, 98)
    assert {level: round(value, 6) for level, value in critical_values.items()} \
        == {"1%": -3.49891, "5%": -2.891516, "10%": -2.58276}
    assert round(icbest, 5) == 1105.11385
    assert all(type(value) is float for value in (statistic, pvalue, icbest, *critical_values.values()))


# --- what must not move it

@given(series(), regressions, st.integers(-900, 900), st.sampled_from([-1, 1]))
def test_a_power_of_two_changes_no_bit(y, d, power, sign):
    found, moved = adfuller(y, regression=d), adfuller(sign * np.ldexp(y, power), regression=d)
    assert found[:4] == moved[:4]


@given(series(), regressions.filter(lambda d: d != "n"), st.integers(-10**9, 10**9))
def test_a_level_changes_no_bit(y, d, level):
    """y is a multiple of 1/1024, so that y + level is exact."""
    assert adfuller(y, regression=d) == adfuller(y + level, regression=d)


@given(series(least=20), st.sampled_from(["ct", "ctt"]), st.integers(-99, 99))
def test_a_trend_changes_nothing_where_one_is_fitted(y, d, slope):
    X, dy = design(y, 2, d)
    _, SSR, _ = reference.least_squares(X, dy)
    first = adfuller(y, 2, d, None).statistic
    second = adfuller(y + slope * np.arange(len(y)), 2, d, None).statistic
    assert abs(first - second) <= (100 + abs(slope) * len(y)) * bound(X, dy, first, SSR)


@given(series(), regressions, st.floats(0.1, 10), st.sampled_from([1e-300, 1e-170, 1, 1e150, 1e300]))
def test_units_change_nothing(y, d, factor, unit):
    found, moved = adfuller(y, 2, d, None), adfuller(y * factor * unit, 2, d, None)
    X, dy = design(y, 2, d)
    _, SSR, _ = reference.least_squares(X, dy)
    assert abs(found.statistic - moved.statistic) <= 100 * bound(X, dy, found.statistic, SSR)


@given(series(least=18), regressions, st.integers(0, 99))
def test_the_order_of_the_lags_changes_nothing(y, d, seed):
    X, dy = design(y, 3, d)
    g = TERMS[d]
    order = np.concatenate([np.arange(g + 1), g + 1 + np.random.default_rng(seed).permutation(3)])
    _, SSR, _ = reference.least_squares(X, dy)
    first = tau(X, dy, g)
    assert abs(tau(X[:, order], dy, g) - first) <= 2 * bound(X, dy, first, SSR)


def test_walks_far_from_zero_and_of_any_size():
    """A walk for which float64 at 10⁹ keeps 23 bits after the point; statsmodels 0.15 gives .21, -.98 for another."""
    y = np.rint(np.random.default_rng(7).normal(size=300).cumsum() * 2**20) / 2**20
    found = adfuller(y)
    assert adfuller(y + 1e9)[:4] == found[:4]
    for unit in (1e150, 1e-170, -1e300, 1e-290):
        assert math.isclose(adfuller(y * unit).statistic, found.statistic, rel_tol=1e-12)


# --- p-values drawn

@compiled
def test_a_drawn_p_value_is_that_of_the_samples_size():
    y = np.random.default_rng(3).normal(size=26).cumsum() * 2 + 5
    asymptotic = adfuller(y, 0, autolag=None)
    drawn = adfuller(y, 0, autolag=None, pvalue="simulated", random_state=0)
    assert drawn._replace(pvalue=0) == asymptotic._replace(pvalue=0) and drawn.nobs == 25
    assert drawn.pvalue != asymptotic.pvalue and abs(drawn.pvalue - asymptotic.pvalue) < 0.05
    assert drawn == adfuller(y, 0, autolag=None, pvalue="simulated", random_state=0)
    assert drawn.pvalue != adfuller(y, 0, autolag=None, pvalue="simulated", random_state=1).pvalue
    few = adfuller(y, 0, autolag=None, pvalue="simulated", draws=9, random_state=1).pvalue
    assert few * 10 == round(few * 10) and few >= 0.1


@compiled
@pytest.mark.parametrize("T, by_p, by_value", [(26, .15, .124), (101, .069, .064)])
def test_choosing_lags_makes_short_walks_look_as_if_they_came_back(T, by_p, by_value):
    """Shares of 20,000 walks; 4,000 here, within three standard errors of both."""
    rng = np.random.default_rng(1)
    found = [adfuller(rng.normal(size=T).cumsum()) for _ in range(4000)]
    for stated, share in ((by_p, np.mean([test.pvalue < 0.05 for test in found])),
                          (by_value, np.mean([test.statistic < test.critical_values["5%"] for test in found]))):
        assert abs(share - stated) < 3 * math.sqrt(stated * (1 - stated) * (1 / 4000 + 1 / 20_000))


# --- the border

def test_what_a_series_may_come_in():
    pandas_like = np.rint(load_nile().values)
    found = adfuller(pandas_like)
    locked = pandas_like.copy()
    locked.setflags(write=False)
    for x in (pandas_like.tolist(), pandas_like.astype(int), pandas_like.astype(object), locked, tuple(pandas_like),
              np.repeat(pandas_like, 2)[::2], pandas_like.astype(np.float32), pandas_like.astype(np.int16)):
        before = np.array(x, float)
        assert adfuller(x) == found
        np.testing.assert_array_equal(np.array(x, float), before)
    assert adfuller(iter(pandas_like.tolist())) == found


NOISE = np.random.default_rng(0).normal(size=60)
TIME = np.arange(60.0)
EXACT = {
    "a line": 2 + 3 * TIME, "a line far away": 1e9 + 0.1 * TIME, "a wave": np.sin(TIME),
    "a wave far away": np.sin(TIME) + 1e9,
    "two waves": np.sin(TIME) + np.cos(0.3 * TIME), "decay": 5 + 0.9**TIME, "growth": 1.3**TIME, "a parabola": TIME**2,
    "a cubic": TIME**3, "back and forth": (-1.0)**TIME, "three in turn": np.tile([0, 1, 5.0], 20),
    "a wave in float32": np.sin(TIME).astype(np.float32), "a wave in float16": np.sin(TIME).astype(np.float16),
    "a wave far away in float32": (np.sin(TIME) + 1000).astype(np.float32),
}


@pytest.mark.parametrize("x", EXACT.values(), ids=EXACT)
@each_regression
def test_without_noise_there_is_nothing_to_test(x, d):
    with pytest.raises(ValueError,
                       match=r"^x: satisfies a linear recurrence of \d lag\(s\) exactly on its last \d+ steps"):
        adfuller(x, regression=d)


def test_the_recurrence_of_which_no_noise_is_left_has_its_number_of_lags():
    for x, d, lags in ((np.sin(TIME), "c", 1), (5 + 0.9**TIME, "c", 0), (5 + 0.9**TIME, "n", 1), (TIME**3, "ct", 1)):
        for arguments in ({}, dict(maxlag=lags, autolag=None)):
            with pytest.raises(ValueError, match=rf"recurrence of {lags} lag"):
                adfuller(x, regression=d, **arguments)


@pytest.mark.parametrize("x", [np.sin(TIME) + 1e-6 * NOISE, 1e6 + 1e-3 * NOISE, NOISE.astype(np.float32) + 100,
                               np.append(np.zeros(40), [1, 0, 0, 0, 2, 0]), np.append(np.zeros(50), [5, 3, 7])],
                         ids=["a noisy wave", "small beside its level", "float32", "rare events", "events at the end"])
@each_regression
def test_little_noise_is_enough(x, d):
    found = adfuller(x, regression=d)
    X, dy = design(x.astype(float) - (d != "n") * float(x[0]), found.lags, d)
    expected = reference.tau(X, dy, TERMS[d])
    assert math.isclose(found.statistic, expected, rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize("x, words", [
    ([3.0] * 20, r"x: all 20 values are 3\.0"), ([0] * 9, r"x: all 9 values are 0\.0"), ([], "x: expected at least 4"),
    ([1.0], "x: expected at least 4 values"), ([1, 2, 4], 'at least 4 values for regression="c", got 3'),
    ([1, np.nan, 3, 4, 5], r"x: Input contains NaN, first at \[1\]"),
    ([1, 2, np.inf, 3, 5], r"infinity, first at \[2\]"),
    (np.ones((9, 2)), "x: expected an array of shape"), ("abcdef", "x"), (5, "x"), (None, "x"), ([1 + 1j] * 9, "x"),
    ([1, 2, "a", 4, 5], "x"),
])
def test_a_series_that_is_none_is_refused_with_numbers(x, words):
    with pytest.raises((ValueError, TypeError), match=words):
        adfuller(x)


@pytest.mark.parametrize("d, least", [("n", 3), ("c", 4), ("ct", 6), ("ctt", 8)])
def test_the_shortest_series(d, least):
    x = np.array([0.0, 5, 1, 3, 2, 9, -4, 6])
    assert math.isfinite(adfuller(x[:least], regression=d).statistic)
    with pytest.raises(ValueError, match=f"expected at least {least} values"):
        adfuller(x[:least - 1], regression=d)


def test_as_many_columns_as_rows_are_no_candidate():
    """20 values without a constant: 9 lags leave 10 rows for 10 columns, which they would fit exactly."""
    x = np.random.default_rng(5).normal(size=20)
    assert most_lags(20, "n") == 9 and adfuller(x, regression="n").lags < 9
    with pytest.raises(ValueError, match="9 lags leave 10 rows for 10 coefficients"):
        adfuller(x, regression="n", autolag=None)


def test_a_lag_that_says_nothing_new_is_named():
    x = np.append(np.zeros(40), [1.0, 3])
    with pytest.raises(ValueError, match="x: lag 2 of the step before each of the last 38 steps follows exactly"):
        adfuller(x, maxlag=3, autolag=None)


@pytest.mark.parametrize("slope", [1.0, 0.1])
def test_a_level_that_says_nothing_new_is_named(slope):
    """Only the last value is off the line: y_{t-1} is a trend, exactly or but for rounding, and steps are not."""
    x = np.append(0.3 + slope * np.arange(40.0), 50)
    with pytest.raises(ValueError,
                       match="x: the value before each of the last 40 steps follows exactly from the other 2"):
        adfuller(x, maxlag=0, regression="ct", autolag=None)
    assert math.isfinite(adfuller(x, maxlag=0, regression="c", autolag=None).statistic)


@pytest.mark.parametrize("arguments, words", [
    (dict(regression="t"), "regression='t': expected one of"), (dict(autolag="HQ"), "autolag='hq'"),
    (dict(autolag=True), "autolag"), (dict(pvalue="exact"), "pvalue='exact'"), (dict(maxlag=-1), "maxlag=-1"),
    (dict(maxlag=1.5), "maxlag=1.5"), (dict(maxlag=29), "maxlag=29: 60 values and regression=\"c\" allow at most 28"),
    (dict(draws=0), "draws=0"), (dict(pvalue="simulated", random_state="x"), "random_state='x'"),
])
def test_arguments_that_make_no_sense(arguments, words):
    with pytest.raises(ValueError, match=words):
        adfuller(NOISE, **arguments)


def test_names_of_criteria_in_any_case():
    assert adfuller(NOISE, autolag="aic") == adfuller(NOISE, autolag="AIC") != adfuller(NOISE, autolag=None)
