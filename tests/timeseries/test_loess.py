"""Local regression against its definition, and what holds of any smoother."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.timeseries.loess import local_fit, loess, reach, tricube
from tests.reference import loess as reference
from tests.strategies.distances import seeds
from tests.strategies.loess import counts, rows, values

EPS = np.finfo(float).eps


def assert_near(ours, theirs, y):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11 * (np.abs(y).max() + 1e-300))


@given(st.lists(st.floats(0, 20), min_size=1, max_size=9), st.just(0.0) | st.floats(1e-3, 15))
def test_tricube(d, h):
    np.testing.assert_allclose(tricube(np.array(d), h), reference.tricube(d, h), rtol=1e-12, atol=1e-300)


@given(st.integers(1, 20), st.integers(1, 40), st.data())
def test_reach(n, q, data):
    x = data.draw(st.integers(-1, n))
    assert reach(x, n, q) == reference.reach(x, n, q)


@given(rows(), st.data())
def test_a_fit_is_its_definition(drawn, data):
    y, ρ, q, g, _ = drawn
    x = data.draw(st.integers(-1, len(y)))
    assert_near(local_fit(y, ρ, x, q, g), reference.local_fit(y.tolist(), ρ.tolist(), x, q, g), y)


@given(rows(), st.booleans())
def test_the_curve_is_its_definition(drawn, all_alike):
    y, ρ, q, g, r = drawn
    weights = np.ones(len(y)) if all_alike else ρ
    expected = reference.loess(y.tolist(), q, g, r, weights.tolist())
    assert_near(loess(y, q, g, r, None if all_alike else ρ), expected, y)
    if all_alike:
        assert_near(loess(y, q, g, r, weights), expected, y)             # ones are the same as none


# --- laws

@given(st.integers(3, 30), st.integers(3, 40), st.integers(1, 5), seeds)
def test_a_line_stays_a_line(n, q, r, seed):
    line = 3.0 - 0.25 * np.arange(n)
    assert_near(loess(line, q, 1, r), line, line)
    if q > 4:
        assert_near(loess(line, q, 1, r, 0.1 + np.random.default_rng(seed).random(n)), line, line)


@given(rows(), st.floats(-1e3, 1e3), st.integers(-900, 900))
def test_units_do_not_matter(drawn, b, k):
    y, ρ, q, g, r = drawn
    curve = loess(y, q, g, r, ρ)
    assert_near(loess(y + b, q, g, r, ρ), curve + b, np.abs(y) + abs(b))
    np.testing.assert_array_equal(loess(np.ldexp(y, k), q, g, r, ρ), np.ldexp(curve, k))      # to the last bit


@given(rows())
def test_time_may_run_backwards(drawn):
    y, ρ, q, g, _ = drawn
    q += 1 - q % 2                                       # an even window looks further to one side
    assert_near(loess(y[::-1], q, g, 1, ρ[::-1])[::-1], loess(y, q, g, 1, ρ), y)


def test_what_counts_for_nothing_does_not_matter():
    y, ρ = values(20, 0), counts(20, 1)
    ρ[[3, 11]] = 0
    other = y.copy()
    other[[3, 11]] = 1e6
    np.testing.assert_allclose(loess(other, 9, weights=ρ), loess(y, 9, weights=ρ), rtol=0, atol=1e-9)


def test_where_nothing_counts_the_value_is_kept():
    y = values(15, 0)
    ρ = np.where(np.arange(15) < 8, 0.0, 1.0)
    np.testing.assert_array_equal(loess(y, 5, weights=ρ)[:6], y[:6])
    np.testing.assert_array_equal(loess(y, 5, weights=np.zeros(15)), y)


@pytest.mark.parametrize("n, q, r", [(1, 1, 1), (1, 9, 4), (2, 1, 7), (2, 2, 1), (5, 5, 100), (9, 3, 8)])
def test_small_and_strange_sizes(n, q, r):
    y = values(n, 3)
    assert_near(loess(y, q, 1, r), reference.loess(y.tolist(), q, 1, r, [1.0] * n), y)


@pytest.mark.parametrize("n, q, x, wild",
                         [(5, 5001, 1, 4), (5, 5001, 4, 0), (2101, 2101, 1050, 1), (2101, 2099, 1050, 2)])
def test_the_ends_of_the_weights(n, q, x, wild):
    """1 up to a thousandth of the reach, and 0 in the last; 1e-10 of a weight moves the fit by 1e-4."""
    y = np.where(np.arange(n) == wild, 1e9, 0.0)
    expected = reference.local_fit(y.tolist(), [1.0] * n, x, q, 0)
    np.testing.assert_allclose(loess(y, q, 0)[x], expected, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(local_fit(y, np.ones(n), x, q, 0), expected, rtol=1e-12, atol=1e-9)


def test_containers():
    y = [5, 1, 4, 4, 8, 2, 7]
    expected = loess(np.array(y, float), 5)
    reading = np.array(y, ">i2")
    reading.flags.writeable = False
    for same in (y, tuple(y), iter(y), np.array(y, object), reading, np.array([y, y]).T[:, 0], np.array(y, np.float32)):
        np.testing.assert_array_equal(loess(same, 5), expected)


@pytest.mark.parametrize("arguments, message", [
    (([1.0, np.nan], 3), r"y: Input contains NaN, first at \[1\]"), (([], 3), "y: expected at least one value"),
    (([1.0, 2], 0), "window=0"),
    (([1.0, 2], 2.5), "window=2.5"), (([1.0, 2], 3, 2), "degree=2: expected 0 for constants or 1 for lines"),
    (([1.0, 2], 3, 1, 0), "jump=0"), (([1.0, 2], 3, 1, 1, [1.0]), r"weights: expected an array of shape \(2,\)"),
    (([1.0, 2], 3, 1, 1, [1.0, -1]), r"weights: expected numbers of at least 0, got -1.0 at \[1\]"),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        loess(*arguments)
