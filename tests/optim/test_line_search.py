"""The line search against its conditions, on lines with several valleys, cliffs and holes."""
import math

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.optim.line_search import cubic_minimum, decreases, flattens, strong_wolfe
from tests.reference import line_search as reference
from tests.strategies.line_search import lines, valley

numbers = st.floats(-10, 10).map(lambda x: round(x, 3))


# --- equal to the definition

@given(st.floats(0, 10), numbers | st.sampled_from([math.inf, math.nan]), numbers, numbers)
def test_the_decrease_that_is_asked_for(a, p, p0, u0):
    assert decreases(a, p, p0, u0) == reference.decreases(a, p, p0, u0)
    assert decreases(a, p, p0, u0, 0.3) == reference.decreases(a, p, p0, u0, 0.3)


@pytest.mark.parametrize("p0", [1.0, -3.0])
def test_a_decrease_allows_for_rounding(p0):
    assert decreases(1.0, p0 + 0.9e-12 * abs(p0), p0, -1e-30)
    assert not decreases(1.0, p0 + 1.1e-12 * abs(p0), p0, -1e-30)


@given(numbers, numbers)
def test_the_flatness_that_is_asked_for(u, u0):
    assert flattens(u, u0) == reference.flattens(u, u0)
    assert flattens(u, u0, 0.1) == reference.flattens(u, u0, 0.1)


@given(st.floats(0, 3), st.floats(0.2, 3), numbers, numbers, numbers,
       st.floats(0.01, 1e4) | st.floats(-1e4, -0.01), st.booleans())
def test_the_minimum_of_the_cubic(a, length, q, u, v, third, turned):
    b = a + length                                       # with a smaller third derivative it is a parabola, to rounding
    p = q + (third * length - 6 * (u + v) / length) * length ** 2 / 12
    expected = reference.cubic_minimum(a, p, u, b, q, v)
    found = cubic_minimum(b, q, v, a, p, u) if turned else cubic_minimum(a, p, u, b, q, v)
    discriminant = (u + v - 3 * (p - q) / (a - b)) ** 2 - u * v
    assume(abs(discriminant) > 1e-3)
    if expected:
        np.testing.assert_allclose(found, expected[0], rtol=1e-6, atol=1e-6 * (1 + abs(expected[0])))
    else:
        assert math.isnan(found)


def test_the_minimum_of_a_parabola():
    assert cubic_minimum(0.0, 9.0, -6.0, 1.0, 4.0, -4.0) == pytest.approx(3.0, rel=1e-14)
    assert cubic_minimum(5.0, 4.0, 4.0, 1.0, 4.0, -4.0) == pytest.approx(3.0, rel=1e-14)


@pytest.mark.parametrize("p, u, q, v",
                         [(1.0, -1.0, math.inf, 1.0), (1.0, -1.0, 2.0, math.nan), (0.0, -1.0, -1.0, -1.0)])
def test_a_cubic_without_a_minimum_gives_nan(p, u, q, v):
    assert math.isnan(cubic_minimum(0.0, p, u, 1.0, q, v))


@given(lines(), st.sampled_from([0.1, 0.5, 0.9]))
def test_a_found_step_meets_both_conditions(drawn, c2):
    phi, first = drawn
    p0, u0 = phi(0.0)
    step = strong_wolfe(phi, p0, u0, first, c2=c2, max_evaluations=60)
    assert step.found and step.size > 0
    assert reference.strong_wolfe(step.size, phi, c2=c2)
    assert (step.value, step.slope) == phi(step.size)


# --- laws

def counted(phi):
    steps = []

    def wrapped(a):
        steps.append(a)
        return phi(a)
    return wrapped, steps


@given(lines())
def test_it_counts_what_it_evaluates_and_stays_within_its_means(drawn):
    phi, first = drawn
    wrapped, steps = counted(phi)
    step = strong_wolfe(wrapped, *phi(0.0), first, c2=1e-3, max_evaluations=3)
    assert step.evaluations == len(steps) <= 3 and steps[0] == first
    assert all(a > 0 for a in steps)
    if step.size:
        assert step.size in steps and reference.decreases(step.size, step.value, *phi(0.0))


def test_a_good_first_step_costs_one_evaluation():
    wrapped, steps = counted(valley)
    assert strong_wolfe(wrapped, *valley(0.0), 2.5).evaluations == len(steps) == 1


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_a_cliff_is_survived(bad):
    def phi(a):
        return (bad, bad) if a > 0.7 else ((a - 3) ** 2, 2 * (a - 3))
    step = strong_wolfe(phi, 9.0, -6.0, 1.0, c2=0.9)
    assert step.found and step.size <= 0.7


def test_a_slope_without_an_end_is_given_up():
    step = strong_wolfe(lambda a: (-a, -1.0), 0.0, -1.0, max_evaluations=8)
    assert not step.found and step.evaluations == 8 and step.size >= 2.0 ** 7 and step.value == -step.size


def test_where_nothing_decreases_it_stays():
    step = strong_wolfe(lambda a: (1.0 + a, 1.0), 1.0, -1.0, max_evaluations=6)
    assert not step.found and step.size == 0 and step.value == 1.0


@pytest.mark.parametrize("slope", [0.0, 1.0, math.nan])
def test_uphill_is_refused(slope):
    with pytest.raises(ValueError, match="u0=.*downhill"):
        strong_wolfe(valley, 9.0, slope)
