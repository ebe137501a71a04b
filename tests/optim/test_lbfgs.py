"""L-BFGS against the matrix that it never forms, and on functions whose minimum is known."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.optim import lbfgs
from scratchml.optim.lbfgs import direction, downhill, into_orthant, pseudo_gradient
from tests.reference import lbfgs as reference
from tests.strategies.lbfgs import orthants, pairs, quadratic, quadratics, rosenbrock, seeds

# Where F is the least that rounding can tell, the slope is about √(2 curvature eps |F|): with a curvature of up to 100
# and an F of up to 100 that is 2e-6; divided by the least curvature, 1, it is what x may be off.
AT_REST = 2e-6


def bowl(Q, b):
    return lambda x: (x @ Q @ x / 2 - b @ x, Q @ x - b)


# --- equal to the definition

@given(pairs())
def test_the_direction_is_minus_H_times_g(drawn):
    """Each of L updates multiplies by two factors whose norm is at most the condition, 10, of the pairs."""
    g, S, Y = drawn
    d = direction(g, S, Y)
    scale = max([np.abs(s).sum() * np.abs(s).sum() / (s @ y) for s, y in zip(S, Y)], default=1)
    np.testing.assert_allclose(d, reference.direction(g, S, Y), rtol=1e-9, atol=1e-10 * (1 + scale) * np.abs(g).max())


@given(pairs())
def test_the_newest_pair_is_explained(drawn):
    g, S, Y = drawn
    if len(S):
        np.testing.assert_allclose(direction(Y[-1], S, Y), -S[-1], rtol=1e-9, atol=1e-9 * np.abs(S).max())


@given(orthants())
def test_slopes_and_orthants(drawn):
    x, g, z, d, x_new, c = drawn
    np.testing.assert_array_equal(pseudo_gradient(x, g, c), reference.pseudo_gradient(x, g, c))
    np.testing.assert_array_equal(downhill(d, z), reference.downhill(d, z))
    np.testing.assert_array_equal(into_orthant(x_new, x, z), reference.into_orthant(x_new, x, z))


@given(quadratics(), st.sampled_from([0.0, 0.3, 2.0, 50.0]))
def test_a_bowl_has_the_minimum_that_coordinate_descent_finds(drawn, c):
    Q, b = drawn
    found = lbfgs(bowl(Q, b), np.ones(len(b)), c=c, epsilon=1e-10, delta=0)
    expected = reference.lbfgs(Q, b, c)
    scale = max(1, np.abs(expected).max(), c)
    np.testing.assert_allclose(found.x, expected, rtol=0, atol=AT_REST * scale)
    clearly_zero = (expected == 0) & (np.abs(Q @ expected - b) < c - 100 * AT_REST * scale)
    assert not found.x[clearly_zero].any()


# --- functions that are known to be hard

@pytest.mark.parametrize("n", [2, 10])
def test_rosenbrock(n):
    start = np.tile([-1.2, 1.0], n // 2)
    found = lbfgs(rosenbrock, start, epsilon=1e-10, delta=0)
    assert found.reason == "gradient" and found.iterations < 80 and found.evaluations < 110
    np.testing.assert_allclose(found.x, 1, rtol=1e-8)


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6])
def test_ill_conditioned_bowls(condition):
    """It ends where the slope says so, or where F no longer falls: within 10,000 ν = 1e-8 |F| of the least."""
    Q, b = quadratic(20, condition, np.random.default_rng(0))
    found = lbfgs(bowl(Q, b), np.zeros(20), epsilon=1e-9, delta=0, memory=10, max_iterations=5000)
    least = bowl(Q, b)(np.linalg.solve(Q, b))[0]
    assert found.reason in ("gradient", "precision") and found.iterations < 4000
    assert found.value - least <= 1e-8 * abs(least)


def test_a_bowl_takes_few_steps():
    """With as many pairs as unknowns it is BFGS, which with exact searches would need n steps."""
    Q, b = quadratic(8, 50, np.random.default_rng(1))
    full, short = (lbfgs(bowl(Q, b), np.zeros(8), memory=L, epsilon=1e-8, delta=0).iterations for L in (8, 1))
    assert full <= 40 and full < 0.8 * short


@given(quadratics(max_n=5), st.floats(0.01, 3))
def test_subgradient_conditions_hold(drawn, c):
    Q, b = drawn
    found = lbfgs(bowl(Q, b), np.zeros(len(b)), c=c, epsilon=1e-9, delta=0)
    g = Q @ found.x - b
    slack = 10 * AT_REST * max(1, np.linalg.norm(found.x))
    assert (np.abs(g[found.x == 0]) <= c + slack).all()
    np.testing.assert_allclose(g[found.x != 0], -c * np.sign(found.x[found.x != 0]), rtol=0, atol=slack)
    np.testing.assert_allclose(found.value, found.x @ Q @ found.x / 2 - b @ found.x + c * np.abs(found.x).sum())


@pytest.mark.parametrize("c", [0.0, 0.5])
@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_function_with_walls_is_survived(c, bad):
    """Σ x - log x, infinite where x ≤ 0: the minimum is at 1 / (1 + c)."""
    def barrier(x):
        if (x <= 0).any():
            return bad, np.full(x.size, np.nan)
        return float((x - np.log(x)).sum()), 1 - 1 / x
    found = lbfgs(barrier, [0.01, 30.0, 2.0], c=c, epsilon=1e-9, delta=0)
    np.testing.assert_allclose(found.x, 1 / (1 + c), rtol=1e-7)


def test_the_lowest_step_is_kept_where_a_search_ends_elsewhere():
    """A slope that never flattens, up to a cliff: the last value tried may be beyond it."""
    def slide(x):
        return (-float(x[0]), np.array([-1.0])) if x[0] <= 0.7 else (np.inf, np.array([np.nan]))
    found = lbfgs(slide, [0.0], max_iterations=3)
    assert 0.6 < found.x[0] <= 0.7 and found.value == -found.x[0] and found.gradient.tolist() == [-1.0]


def test_with_a_sum_of_magnitudes_no_coordinate_moves_uphill():
    """The first move of each iteration goes only where the pseudo-gradient leads."""
    Q, b = quadratic(6, 100, np.random.default_rng(5))
    states, tried = [np.zeros(6)], []

    def fun(x):
        tried.append(x.copy())
        return bowl(Q, b)(x)

    def after(now):
        states.append(now.x)
    lbfgs(fun, states[0], c=0.5, epsilon=1e-6, delta=0, callback=after)
    for before, now in zip(states, states[1:]):
        z = reference.pseudo_gradient(before, Q @ before - b, 0.5)
        inside = (now != 0) & (before != 0)
        assert (((now - before) * z)[inside] <= 0).all()


def test_each_magnitude_may_have_a_weight_of_its_own():
    """Of ‖x - b‖² / 2 + Σ c_i |x_i| the minimum is b moved towards 0 by c; in units D_i of x it is the same."""
    b, c, units = np.array([3.0, -2, 0.5, -4]), np.array([1.0, 0.5, 1, 0]), 2.0 ** np.array([3, -2, 0, 1])
    expected = np.sign(b) * np.maximum(np.abs(b) - c, 0)
    found = lbfgs(lambda x: (((x - b) ** 2).sum() / 2, x - b), np.zeros(4), c=c, epsilon=1e-9, delta=0)
    np.testing.assert_allclose(found.x, expected, atol=1e-8)
    assert found.value == pytest.approx(((expected - b) ** 2).sum() / 2 + c @ np.abs(expected), rel=1e-12)
    scaled = lbfgs(lambda x: (((x * units - b) ** 2).sum() / 2, (x * units - b) * units), np.zeros(4), c=c * units,
                   epsilon=1e-9, delta=0)
    np.testing.assert_allclose(scaled.x * units, expected, atol=1e-7)
    Q = np.diag([1.0, 2, 3])
    same = [lbfgs(bowl(Q, np.array([2.0, -1, 0.3])), np.ones(3), c=w, epsilon=1e-9).x for w in (0.5, np.full(3, 0.5))]
    np.testing.assert_allclose(*same, atol=1e-8)
    for bad, message in ((np.ones(3), r"c: expected an array of shape \(4,\)"), ([1, 1, -1, 1], "c: .* got -1.0 at 2")):
        with pytest.raises(ValueError, match=message):
            lbfgs(lambda x: (x @ x, 2 * x), np.ones(4), c=bad)


# --- what it reports

@given(quadratics(max_n=4), st.sampled_from([0.0, 0.7]), seeds)
def test_F_never_rises_and_every_evaluation_is_counted(drawn, c, seed):
    Q, b = drawn
    calls, seen = [], []

    def fun(x):
        calls.append(x.copy())
        return bowl(Q, b)(x)
    start = np.random.default_rng(seed).normal(size=len(b)) * 5
    found = lbfgs(fun, start, c=c, callback=seen.append)
    assert found.evaluations == len(calls)
    assert [m.iterations for m in seen] == list(range(1, found.iterations + 1))
    values = [fun(start)[0] + c * np.abs(start).sum()] + [m.value for m in seen]
    assert (np.diff(values) <= 1.1e-12 * np.abs(values[:-1])).all()
    for m in seen:
        np.testing.assert_allclose(m.value, fun(m.x)[0] + c * np.abs(m.x).sum(), rtol=1e-13)
    g = fun(found.x)[1]
    np.testing.assert_array_equal(found.gradient, reference.pseudo_gradient(found.x, g, c) if c else g)


def test_the_reason_for_stopping():
    start = np.array([-1.2, 1.0])
    assert lbfgs(rosenbrock, [1.0, 1.0]).reason == "gradient"
    assert lbfgs(rosenbrock, [1.0, 1.0])[3:5] == (0, 1)
    short = lbfgs(rosenbrock, start, max_iterations=3)
    assert (short.reason, short.iterations) == ("max_iterations", 3)
    assert lbfgs(rosenbrock, start, max_iterations=0).x.tolist() == start.tolist()
    stopped = lbfgs(rosenbrock, start, callback=lambda m: m.iterations == 4)
    assert (stopped.reason, stopped.iterations) == ("callback", 4)
    flat = lbfgs(lambda x: (100 + float(np.hypot(x, 1).sum()), x / np.hypot(x, 1)), [9.0], epsilon=0, delta=0.5,
                 period=2)
    assert (flat.reason, flat.iterations) == ("delta", 2)


def test_delta_looks_back_a_whole_period():
    history = []
    found = lbfgs(rosenbrock, [-1.2, 1.0], epsilon=0, delta=0.9, period=5, callback=lambda m: history.append(m.value))
    values = [rosenbrock(np.array([-1.2, 1.0]))[0], *history]
    slow = [k for k in range(5, len(values)) if values[k - 5] - values[k] <= 0.9 * abs(values[k])]
    assert found.reason == "delta" and found.iterations == slow[0]


def test_a_wrong_gradient_ends_and_says_so():
    def uphill(x):
        return float(x @ x), -2 * x
    found = lbfgs(uphill, [1.0, 2.0])
    assert found.reason == "precision" and found.iterations == 0 and found.x.tolist() == [1.0, 2.0]


def test_a_gradient_that_is_written_over_is_no_harm():
    Q, b = quadratic(5, 10, np.random.default_rng(0))
    shared = np.empty(5)

    def fun(x):
        shared[:] = Q @ x - b
        return x @ Q @ x / 2 - b @ x, shared
    np.testing.assert_allclose(lbfgs(fun, np.zeros(5), epsilon=1e-10, delta=0).x, np.linalg.solve(Q, b), rtol=1e-7)


def test_the_start_is_left_alone():
    start = np.array([-1.2, 1.0])
    lbfgs(rosenbrock, start, c=0.1)
    assert start.tolist() == [-1.2, 1.0]


@pytest.mark.parametrize("options, message", [
    (dict(c=-1), "c=-1"), (dict(memory=0), "memory=0"), (dict(max_iterations=-1), "max_iterations=-1"),
    (dict(epsilon=np.nan), "epsilon=nan"), (dict(delta="a"), "delta='a'"), (dict(period=0), "period=0"),
    (dict(x0=[np.nan]), "x0: Input contains NaN"), (dict(x0=[[1.0]]), "x0: expected an array of shape"),
    (dict(fun=lambda x: (np.inf, x)), "fun: expected a finite value and gradient at x0, got inf"),
    (dict(fun=lambda x: (1.0, x * np.nan)), "fun: expected a finite value and gradient"),
    (dict(fun=lambda x: (1.0, [1.0])), r"fun: expected a gradient of shape \(2,\), got \(1,\)"),
])
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        lbfgs(**{"fun": rosenbrock, "x0": [0.0, 0.0], **options})


# --- what `fun` does with its argument, and what it returns

@pytest.mark.parametrize("f", [
    lambda x: (x.__isub__(3), (float((x ** 2).sum()), 2 * x))[1],
    lambda x: (np.subtract(x, 3, out=x), (float((x ** 2).sum()), np.multiply(x, 2, out=x)))[1],
    lambda x: (x.sort(), x.__isub__(3), (float((x ** 2).sum()), 2 * x))[2],
])
def test_a_function_that_changes_its_argument(f):
    start = np.array([0.0, 10.0])
    np.testing.assert_allclose(lbfgs(f, start).x, [3, 3], atol=1e-4)
    assert start.tolist() == [0, 10]


@pytest.mark.parametrize("shape", [(1, 1), (1,), ()])
def test_a_value_in_an_array_of_one(shape):
    found = lbfgs(lambda x: ((x @ x).reshape(shape), 2 * x), [1.0, 2.0])
    assert abs(found.x).max() < 1e-5 and isinstance(found.value, float)


@pytest.mark.parametrize("f, message", [
    (lambda x: (x * x, 2 * x), r"one real number as the value, got shape \(2,\)"),
    (lambda x: (None, 2 * x), "one real number as the value.*object"),
    (lambda x: float(x @ x), "a value and a gradient, got float"),
    (lambda x: (1j, 2 * x), "one real number as the value"),
])
def test_a_function_that_returns_something_else(f, message):
    with pytest.raises(ValueError, match=message):
        lbfgs(f, [1.0, 2.0])
