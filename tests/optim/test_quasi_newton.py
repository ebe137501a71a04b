"""L-BFGS in training: its search against the conditions, minima, and what a step may not do."""
import copy
import math

import numpy as np
import pytest
from hypothesis import assume, given

from scratchml.autograd import Tensor, ops
from scratchml.optim import LBFGS, lbfgs
from scratchml.optim.quasi_newton import bracketed_step, first_step
from tests.reference import quasi_newton as reference
from tests.strategies.lbfgs import rosenbrock
from tests.strategies.quasi_newton import lines, regression, seeds

SEARCH = dict(line_search_fn="strong_wolfe")


def problem(seed=0, **settings):
    """(weights, optimiser, closure, losses): the losses grow with each call of the closure."""
    W, loss_of = regression(seed, ops, lambda a: Tensor(a, requires_grad=True))
    optimizer, losses = LBFGS(W, **settings), []

    def closure():
        optimizer.zero_grad()
        loss = loss_of(*W)
        loss.backward()
        losses.append(loss.item())
        return loss
    return W, optimizer, closure, losses


# --- how far

@given(seeds)
def test_the_first_step(seed):
    g = np.random.default_rng(seed).normal(size=5) * 10.0 ** (seed % 5 - 3)
    assert first_step(g, 0.3) == pytest.approx(reference.first_step(g, 0.3), rel=1e-14)


@given(lines())
def test_the_search_finds_what_it_promises(line):
    phi, first = line
    (p0, u0), seen = phi(0.0), []
    assume(u0 < 0)
    step = bracketed_step(lambda a: seen.append(a) or phi(a), p0, u0, first, limit=60)
    assert step.evaluations == len(seen) <= 61 and step.size in seen and seen[0] == first
    assert step.found and reference.bracketed_step(step.size, phi) and (step.value, step.slope) == phi(step.size)


def test_a_search_that_ends_early_keeps_the_lower_end():
    def phi(a):
        return (a - 3.0) ** 4, 4 * (a - 3.0) ** 3
    step = bracketed_step(phi, 81.0, -108.0, 100.0, c2=1e-9, limit=8)
    assert not step.found and step.value == phi(step.size)[0] < 81 and step.evaluations == 9
    assert bracketed_step(phi, 81.0, -108.0, 100.0, limit=0).size == 0             # too high, and no other was allowed
    wide = bracketed_step(phi, 81.0, -108.0, 100.0, c2=1e-9, width=1e3)
    assert (wide.size, wide.evaluations) == (0, 1)


@pytest.mark.parametrize("hole", [math.inf, math.nan])
def test_a_search_comes_back_from_a_cliff(hole):
    def phi(a):
        return ((a - 1.0) ** 2, 2 * (a - 1.0)) if a < 2 else (hole, math.nan)
    step = bracketed_step(phi, 1.0, -2.0, 64.0)
    assert step.found and reference.bracketed_step(step.size, phi)


# --- the optimiser

def test_a_valley_like_that_of_the_chapter_lbfgs():
    x = Tensor(np.tile([-1.2, 1.0], 3), requires_grad=True)
    optimizer = LBFGS([x], max_iter=200, tolerance_grad=1e-9, tolerance_change=0.0, **SEARCH)

    def closure():
        loss, slope = rosenbrock(x.data)
        x.grad = Tensor(slope)
        return loss
    assert optimizer.step(closure) == rosenbrock(np.tile([-1.2, 1.0], 3))[0]       # what the closure said first
    np.testing.assert_allclose(x.data, lbfgs(rosenbrock, np.tile([-1.2, 1.0], 3), delta=0, epsilon=1e-9).x, rtol=1e-6)


@pytest.mark.parametrize("settings", [dict(lr=0.1), dict(lr=0.5, history_size=3), SEARCH, dict(lr=5.0, **SEARCH)])
def test_losses_fall_and_closures_are_counted(settings):
    W, optimizer, closure, losses = problem(**settings, max_iter=6, max_eval=9)
    before = 0
    for step in range(5):
        first = optimizer.step(closure)
        assert first.item() == losses[before] and 1 <= len(losses) - before <= 10
        before = len(losses)
    state = optimizer.state[0]
    assert closure().item() < 0.7 * losses[0] and state["func_evals"] == before and 5 <= state["n_iter"] <= 30
    assert len(state["old_dirs"]) == len(state["old_stps"]) <= settings.get("history_size", 100)


def test_many_arrays_are_one_vector():
    W, optimizer, closure, _ = problem(**SEARCH)
    x, at = np.concatenate([w.data.ravel() for w in W]), np.cumsum([w.data.size for w in W])[:-1]
    optimizer.step(closure)
    whole = Tensor(x.copy(), requires_grad=True)
    parts, other, inner, losses = problem(**SEARCH)
    of_whole = LBFGS([whole], **SEARCH)

    def closure_of_whole():
        for w, values in zip(parts, np.split(whole.data, at)):
            w.data[...] = values.reshape(w.shape)
        inner()
        whole.grad = Tensor(np.concatenate([w.grad.data.ravel() for w in parts]))
        return losses[-1]
    of_whole.step(closure_of_whole)
    np.testing.assert_allclose(np.concatenate([w.data.ravel() for w in W]), whole.data, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_and_parameters_without_a_gradient(dtype):
    x, unused = Tensor(np.array([3.0, -1.0], dtype), requires_grad=True), Tensor(np.ones(2, dtype), requires_grad=True)
    optimizer = LBFGS([unused, x], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (x * x * Tensor(np.array([1.0, 3.0], dtype))).sum()
        loss.backward()
        return loss
    for _ in range(5):
        optimizer.step(closure)
    assert x.dtype == dtype and abs(x.data).max() < 1e-3 and (unused.data == 1).all()


def test_it_goes_on_from_its_state():
    W, first, closure, _ = problem(**SEARCH, max_iter=4)
    first.step(closure)
    V, second, other, _ = problem(max_iter=9)
    for v, w in zip(V, W):
        v.data[...] = w.data
    kept = first.state_dict()
    second.load_state_dict(kept)
    first.step(closure)
    assert len(kept["state"][0]["old_stps"]) < len(first.state[0]["old_stps"])     # copies
    second.step(other)
    assert all((v.data == w.data).all() for v, w in zip(V, W)) and second.param_groups[0]["max_iter"] == 4
    broken = copy.deepcopy(kept)
    broken["state"][0]["d"] = np.ones(3)
    with pytest.raises(ValueError, match=r"d has shapes \[\(3,\)\], expected \(44,\) each"):
        second.load_state_dict(broken)


def test_it_stops_where_nothing_is_to_be_gained():
    x = Tensor([1.0, 2.0], requires_grad=True)
    optimizer, calls = LBFGS([x], max_iter=50, lr=0.7), []

    def closure():
        optimizer.zero_grad()
        calls.append(1)
        loss = (x * x).sum()
        loss.backward()
        return loss
    optimizer.step(closure)
    assert len(calls) < 40 and abs(x.data).max() < 1e-3
    x.data[:] = 0
    before = len(calls)
    assert optimizer.step(closure).item() == 0 and len(calls) == before + 1


# --- what is refused

def test_no_number_is_stepped_upon():
    x = Tensor([2.0], requires_grad=True)
    optimizer = LBFGS([x], lr=1e3)

    def closure():
        optimizer.zero_grad()
        loss = (x * 700).exp().sum() + (x * -700).exp().sum() - 0.5 * x.sum()
        loss.backward()
        return loss
    x.data[:] = 0.5
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ValueError, match="a loss of inf there; lower lr"):
        optimizer.step(closure)
    assert x.data.tolist() == [0.5]
    x.data[:] = np.nan
    with pytest.raises(ValueError, match="a loss of nan at the start"):
        optimizer.step(closure)


def test_closures_that_are_none():
    x = Tensor([2.0], requires_grad=True)
    optimizer = LBFGS([x])
    with pytest.raises(ValueError, match="closure=None: LBFGS evaluates the loss several times"):
        optimizer.step(None)
    with pytest.raises(ValueError, match=r"no parameter has a gradient afterwards; expected it to call loss.backward"):
        optimizer.step(lambda: (x * x).sum())
    x.grad = np.ones(2)
    with pytest.raises(ValueError, match=r"parameter 0 has shape \(1,\), its gradient \(2,\)"):
        optimizer.step(lambda: 1.0)


@pytest.mark.parametrize("options, message", [
    (dict(max_iter=0), "max_iter=0"), (dict(max_eval=0), "max_eval=0"), (dict(history_size=0), "history_size=0"),
    (dict(lr=-1), "lr=-1"), (dict(tolerance_grad=np.nan), "tolerance_grad=nan"),
    (dict(tolerance_change=-1), "tolerance_change=-1"),
    (dict(line_search_fn="armijo"), "line_search_fn='armijo': expected 'strong_wolfe' or None"),
])
def test_settings_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        LBFGS([Tensor([1.0], requires_grad=True)], **options)


def test_one_group():
    x, y = (Tensor([1.0], requires_grad=True) for _ in range(2))
    with pytest.raises(ValueError, match="LBFGS has one group"):
        LBFGS([{"params": [x]}, {"params": [y], "lr": 0.1}])
    assert len(LBFGS([{"params": [x], "lr": 0.1}]).param_groups) == 1


def steps_tried(answers, first=1.0, c2=0.1):
    """The steps that a search tries if each in turn is answered by a value and a slope; from φ(0) = 0 and slope -1."""
    tried = []

    def phi(a):
        tried.append(a)
        return answers[len(tried) - 1]
    found = bracketed_step(phi, 0.0, -1.0, first, c2=c2, limit=len(answers) - 1)
    assert found.size in (0.0, *tried)
    return tried


def test_a_step_that_is_no_lower_than_the_one_before_is_too_long():
    a = steps_tried([(-1, -1), (-0.9, -1), (-0.5, -1), (-0.95, 0)])
    assert a[0] < a[1] < a[3] < a[2]


def test_uphill_from_a_lower_step_the_way_leads_back_to_the_last():
    a = steps_tried([(5, 1), (-1, 1), (-1.2, 0)])
    assert 0 < a[2] < a[1] < a[0]
    a = steps_tried([(5, 1), (-1, -1), (-1.2, 0)])
    assert a[1] < a[2] < a[0]


def test_a_step_that_gains_too_little_is_not_taken():
    def phi(a):
        return (a - 1) ** 2, 2 * (a - 1)
    found = bracketed_step(phi, 1.0, -2.0, 1.9, c1=0.1, c2=0.95)
    assert found.size < 1.9 and found.value <= 1 + 0.1 * found.size * -2
