"""Errors of forecasts against their definition, laws, and what cannot be judged."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics import forecasting as ours
from tests.reference import forecasting as reference
from tests.strategies.forecasting import forecasts

EPS = np.finfo(float).eps
y, f, x = [3.0, 5.0, 8.0], [2.0, 5.0, 12.0], [1.0, 4.0, 2.0, 2.0]


def close(found, expected, n):
    """Each of n terms is rounded a few times, and all are at least 0: so is their sum, relative to itself."""
    assert found == pytest.approx(expected, rel=(n + 8) * EPS, abs=0)


@given(forecasts())
def test_mean_errors(drawn):
    y, f, _, _ = drawn
    close(ours.mean_absolute_error(y, f), reference.mean_absolute_error(y.tolist(), f.tolist()), len(y))
    close(ours.mean_squared_error(y, f), reference.mean_squared_error(y.tolist(), f.tolist()), len(y))
    close(ours.root_mean_squared_error(y, f), reference.root_mean_squared_error(y.tolist(), f.tolist()), len(y))


@given(forecasts())
def test_shares(drawn):
    y, f, _, _ = (values.tolist() for values in drawn)
    close(ours.mean_absolute_percentage_error(y, f), reference.mean_absolute_percentage_error(y, f), len(y))
    close(ours.median_absolute_percentage_error(y, f), reference.median_absolute_percentage_error(y, f), len(y))
    assert ours.symmetric_mean_absolute_percentage_error(y, f) == \
        pytest.approx(reference.symmetric_mean_absolute_percentage_error(y, f), rel=0, abs=(len(y) + 8) * EPS)


@given(forecasts(), st.integers(1, 5))
def test_scaled_errors(drawn, m):
    y, f, _, x = (values.tolist() for values in drawn)
    close(ours.mean_absolute_scaled_error(y, f, x, m), reference.mean_absolute_scaled_error(y, f, x, m),
          len(y) + len(x))
    close(ours.root_mean_squared_scaled_error(y, f, x, m), reference.root_mean_squared_scaled_error(y, f, x, m),
          len(y) + len(x))


@given(forecasts(), st.floats(0, 1))
def test_pinball(drawn, α):
    y, f, _, _ = (values.tolist() for values in drawn)
    close(ours.mean_pinball_loss(y, f, α), reference.mean_pinball_loss(y, f, α), len(y))


@given(forecasts())
def test_intervals_and_directions(drawn):
    y, f, o, _ = drawn
    lower, upper = np.minimum(f, o), np.maximum(f, o)
    assert ours.calculate_coverage(y, lower, upper) == reference.calculate_coverage(y, lower, upper)
    if ((y != o) & (f != o)).any():
        assert tuple(ours.direction_accuracy(y, f, o)) == \
            pytest.approx(reference.direction_accuracy(y.tolist(), f.tolist(), o.tolist()), rel=4 * EPS)


# --- laws

@given(forecasts())
def test_a_unit_that_is_a_power_of_two_changes_nothing_but_the_unit(drawn):
    y, f, _, x = drawn
    assert ours.mean_absolute_error(8 * y, 8 * f) == 8 * ours.mean_absolute_error(y, f)
    assert ours.root_mean_squared_error(8 * y, 8 * f) == 8 * ours.root_mean_squared_error(y, f)
    for metric in (ours.mean_absolute_percentage_error, ours.symmetric_mean_absolute_percentage_error):
        assert metric(8 * y, 8 * f) == metric(y, f)
    assert ours.mean_absolute_scaled_error(8 * y, 8 * f, 8 * x) == ours.mean_absolute_scaled_error(y, f, x)


@given(forecasts())
def test_half_the_absolute_error_is_the_loss_of_the_median(drawn):
    y, f, _, _ = drawn
    close(2 * ours.mean_pinball_loss(y, f), ours.mean_absolute_error(y, f), len(y))
    assert ours.mean_absolute_error(y, f) <= ours.root_mean_squared_error(y, f) * (1 + len(y) * EPS)


def test_the_quantile_has_the_smallest_loss():
    values = np.random.default_rng(0).exponential(size=999)
    for α in (0.1, 0.5, 0.9):
        best, others = np.quantile(values, α), np.quantile(values, [α - 0.05, α + 0.05])
        losses = [ours.mean_pinball_loss(values, np.full(999, q), α) for q in (best, *others)]
        assert losses[0] == min(losses)


def test_a_naive_forecast_of_its_own_training_series_has_scaled_error_one():
    x = np.array([3.0, 8.0, 4.0, 9.0, 6.0])
    for m in (1, 2):
        assert ours.mean_absolute_scaled_error(x[m:], x[:-m], x, m) == 1 == \
            ours.root_mean_squared_scaled_error(x[m:], x[:-m], x, m)


def test_by_hand():
    assert ours.mean_squared_error(y, f) == pytest.approx(17 / 3)
    assert ours.mean_absolute_percentage_error(y, f) == pytest.approx((1 / 3 + 0 + 1 / 2) / 3)
    assert ours.median_absolute_percentage_error(y, f) == pytest.approx(1 / 3)
    assert ours.symmetric_mean_absolute_percentage_error([3, 0, 0], [1, 0, 2]) == pytest.approx((1 + 0 + 2) / 3)
    assert ours.mean_absolute_scaled_error(y, f, x, 2) == pytest.approx((5 / 3) / (3 / 2))
    assert ours.root_mean_squared_scaled_error(y, f, x, 2) == pytest.approx(np.sqrt(17 / 3) / np.sqrt(5 / 2))
    assert ours.mean_pinball_loss([1, 5], [3, 1], 0.25) == pytest.approx((2 * 0.75 + 4 * 0.25) / 2)
    assert ours.calculate_coverage([1, 2, 3], [1, 3, -np.inf], [1, 4, np.inf]) == pytest.approx(2 / 3)


def test_ties_are_counted_apart():
    # right, right, tie, tie, wrong
    found = ours.direction_accuracy([1, 5, 3, 3, 2], [2, 4, 4, 3, 9], [3, 3, 3, 3, 3])
    assert found == (pytest.approx(2 / 3), pytest.approx(np.sqrt(2 / 27)), 3, 2)
    assert ours.direction_accuracy([[1, 5], [3, 2]], [[2, 4], [4, 4]], [[3], [1]]).n == 4


def test_huge_and_small_values():
    assert ours.root_mean_squared_error([1e200, 0], [0, 1e200]) == 1e200
    assert ours.mean_absolute_error(np.full(3, 1.5e308), np.zeros(3)) == pytest.approx(1.5e308)
    assert ours.symmetric_mean_absolute_percentage_error([1.5e308], [-1.5e308]) == 2
    assert ours.mean_absolute_error(np.array([100, -100], np.int8), np.array([-100, 100], np.int8)) == 200


# --- what cannot be judged

@pytest.mark.parametrize("metric", [ours.mean_absolute_error, ours.symmetric_mean_absolute_percentage_error,
                                    ours.mean_pinball_loss, ours.mean_absolute_percentage_error])
@pytest.mark.parametrize("y, f, message", [
    ([1, 2], [1, 2, 3], r"y_pred: expected the shape of y_true, \(2,\), got \(3,\)"),
    ([[1], [2]], [1, 2], "y_pred: expected the shape"), ([], [], "y_true: expected at least one value"),
    ([1, np.nan], [1, 2], r"y_true: Input contains NaN, first at \[1\]"), ([1, 2], [np.inf, 2], "y_pred: .*infinity"),
])
def test_no_pairs(metric, y, f, message):
    with pytest.raises(ValueError, match=message):
        metric(y, f)


@pytest.mark.parametrize("call, message", [
    (lambda: ours.mean_absolute_percentage_error([1, 0], [1, 1]), r"y_true: is 0 at \[1\]"),
    (lambda: ours.median_absolute_percentage_error([0], [1]), r"y_true: is 0 at \[0\]"),
    (lambda: ours.mean_absolute_percentage_error([1e-300], [1e300]), "y_true: 1e-300 is so near 0"),
    (lambda: ours.mean_absolute_scaled_error(y, f, [1, 2], 2), "y_train: .* more than seasonality=2 values, got 2"),
    (lambda: ours.mean_absolute_scaled_error(y, f, [1, 2, 1, 2], 2), "y_train: repeats itself exactly"),
    (lambda: ours.root_mean_squared_scaled_error(y, f, [1, 1]), "y_train: repeats itself exactly"),
    (lambda: ours.mean_absolute_scaled_error(y, f, x, 0), "seasonality=0"),
    (lambda: ours.mean_squared_error([1e200], [0]), "1e[+]200, whose square cannot be held"),
    (lambda: ours.mean_squared_error([1e-170], [0]), "1e-170, whose square cannot be held"),
    (lambda: ours.mean_absolute_error([1.5e308], [-1.5e308]), "y_pred: differences of values up to 1.5e[+]308"),
    (lambda: ours.mean_pinball_loss(y, f, 1.5), "alpha=1.5"),
    (lambda: ours.calculate_coverage([1.0, 2], [0, 3], [1, 2]), r"lower_bound: 3.0 at \[1\] is above upper_bound 2.0"),
    (lambda: ours.calculate_coverage([1.0], [np.nan], [1]), r"lower_bound: contains NaN, first at \[0\]"),
    (lambda: ours.direction_accuracy([1, 2], [3, 3], [3, 3]), "y_pred: all 2 directions are ties"),
    (lambda: ours.direction_accuracy([1, 2], [3, 4], [3, 3, 3]), r"y_last: expected the shape \(2,\)"),
])
def test_what_has_no_meaning(call, message):
    with pytest.raises(ValueError, match=message):
        call()
