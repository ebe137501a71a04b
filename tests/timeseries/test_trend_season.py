"""The model's parts against their definitions, and their laws."""
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries.trend_season import (
    bent_line, changepoint_rows, changepoints, fourier, holiday_columns, linear_trend, logistic_trend, mean,
    negative_log_posterior, sigmoid, unit_time)
from tests.reference import trend_season as reference
from tests.strategies.trend_season import cases


def of(drawn, symbols):
    return [drawn[symbol] for symbol in symbols]


@given(cases)
def test_every_part_is_its_definition(drawn):
    t, s, k, m, δ = of(drawn, "tskmδ")
    near = dict(rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(unit_time(drawn["d"]), reference.unit_time(drawn["d"].tolist()), **near)
    np.testing.assert_allclose(linear_trend(t, s, k, m, δ), reference.linear_trend(t, s, k, m, δ), **near)
    np.testing.assert_allclose(logistic_trend(t, s, k, m, δ, drawn["C"]),
                               reference.logistic_trend(t, s, k, m, δ, drawn["C"]), rtol=1e-6)
    np.testing.assert_allclose(mean(*of(drawn, "gXuβ")), reference.mean(*of(drawn, "gXuβ")), **near)
    arguments = of(drawn, "yekmδβστb")
    np.testing.assert_allclose(negative_log_posterior(*arguments), reference.negative_log_posterior(*arguments), **near)


@given(cases, st.sampled_from([(7.0, 3), (365.25, 10), (1.0, 4), (30.5, 25)]))
def test_waves_and_holidays_are_their_definitions(drawn, season):
    d, (P, N) = drawn["d"], season
    np.testing.assert_allclose(fourier(d, P, N), reference.fourier(d, P, N), rtol=0, atol=1e-9 * N)
    np.testing.assert_array_equal(holiday_columns(d, drawn["h"], drawn["o"]),
                                  reference.holiday_columns(d, drawn["h"], drawn["o"]))


@given(st.integers(2, 300), st.floats(0.1, 1), st.integers(1, 30))
def test_changepoints(T, q, n):
    t = np.linspace(0, 1, T)
    n = min(n, int(q * T) - 1)
    if n > 0:
        np.testing.assert_array_equal(changepoints(t, q, n), reference.changepoints(t, q, n))


def test_a_half_is_rounded_to_the_even_row():
    assert changepoint_rows(10, 0.6, 2).tolist() == [2, 5]                # 2.5 and 5
    assert changepoint_rows(10, 0.8, 2).tolist() == [4, 7]                # 3.5 and 7


@given(cases)
def test_a_line_piece_by_piece_is_the_sum_of_bends(drawn):
    t, s, k, m, δ = of(drawn, "tskmδ")
    g = np.empty(len(t))
    starts = np.concatenate([[0], np.searchsorted(t, s), [len(t)]])
    bent_line(t, starts, np.append(0, s), np.cumsum(np.append(k, δ)), m, g)
    np.testing.assert_allclose(g, linear_trend(t, s, k, m, δ), rtol=0, atol=1e-12)


@given(cases)
def test_a_bend_changes_nothing_before_it_and_nothing_at_once(drawn):
    t, s, k, m, δ, C = of(drawn, "tskmδC")
    if len(s):
        before = t <= s[-1]
        for trend in (linear_trend, lambda *a: logistic_trend(*a, C)):
            np.testing.assert_array_equal(trend(t, s, k, m, δ)[before], trend(t, s[:-1], k, m, δ[:-1])[before])


def test_a_logistic_trend_stays_within_its_limits_and_has_no_holes():
    t, far = np.linspace(0, 1, 7), np.array([-1e300, -1e5, 0.0, 1e5, 1e300])
    C = np.full(5, 3.0)
    g = logistic_trend(far, t[2:4], 5.0, 0.2, np.array([-2.0, 1.0]), C)
    assert ((g >= 0) & (g <= 3)).all() and g[0] == 0 and g[-1] == 3
    stands = logistic_trend(t, np.array([0.5]), 2.0, 0.0, np.array([-2.0]), np.full(7, 3.0))     # κ is 0 after it
    np.testing.assert_allclose(stands[3:], 3 / (1 + math.exp(-1)), rtol=1e-15)


@pytest.mark.parametrize("z", [0.0, 1.5, 40.0, 800.0])
def test_sigmoid(z):
    assert sigmoid(np.array([z]))[0] == pytest.approx(1 / (1 + math.exp(-z)), rel=1e-15)
    assert sigmoid(np.array([-z]))[0] == pytest.approx(math.exp(-z) / (1 + math.exp(-z)), rel=1e-14)


def test_a_season_returns():
    d = np.array([0.0, 13_000.25, 20_000.5])
    for P in (1.0, 7.0, 30.5):
        np.testing.assert_allclose(fourier(d + 8 * P, P, 5), fourier(d, P, 5), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(fourier(np.zeros(1), 7.0, 2), [[0, 1, 0, 1]])


def test_a_holiday_is_the_whole_day():
    d = np.array([99.99, 100.0, 100.5, 100.999, 101.0])
    np.testing.assert_array_equal(holiday_columns(d, np.array([100.0]), np.array([-1, 0])).T,
                                  [[1, 0, 0, 0, 0], [0, 1, 1, 1, 0]])
