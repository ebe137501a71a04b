"""Trajectories of the optimisers, clipping and schedules equal PyTorch's."""
import inspect
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml import optim
from scratchml.autograd import Tensor, ops
from tests.strategies import adadelta
from tests.strategies.first_order import NAMES, seeds, trajectories
from tests.strategies.quasi_newton import regression

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(st.data())
def test_trajectories(name, dtype, data):
    options, x, gs = data.draw(trajectories(name))
    x, gs = x.astype(dtype), gs.astype(dtype)
    ours, theirs = Tensor(x.copy(), requires_grad=True), torch.tensor(x, requires_grad=True)
    cls = name.split()[0]
    model, their_model = getattr(optim, cls)([ours], **options), getattr(torch.optim, cls)([theirs], **options)
    for g in gs:
        ours.grad, theirs.grad = Tensor(g), torch.tensor(g)
        model.step()
        their_model.step()
    tolerance = 1e-11 if dtype == np.float64 else 2e-4   # 1 / (1 - β2) roundings of eps in s for eight steps
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours.data, theirs.detach(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=25)
@given(adadelta.trajectories())
def test_adadelta(dtype, drawn):
    options, x, gs = drawn
    x, gs = x.astype(dtype), gs.astype(dtype)
    ours, theirs = Tensor(x.copy(), requires_grad=True), torch.tensor(x, requires_grad=True)
    model, their_model = optim.Adadelta([ours], **options), torch.optim.Adadelta([theirs], **options)
    for g in gs:
        ours.grad, theirs.grad = Tensor(g), torch.tensor(g)
        model.step()
        their_model.step()
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours.data, theirs.detach(), rtol=1e-11 if dtype == np.float64 else 2e-4, atol=1e-6)
    again = optim.Adadelta([Tensor(ours.data.copy(), requires_grad=True)])
    again.load_state_dict(their_model.state_dict())
    assert again.state[0]["step"] == len(gs) and again.param_groups[0]["rho"] == options["rho"]


@given(st.tuples(st.integers(1, 9), st.integers(1, 3)), st.lists(st.none() | st.integers(0, 99), min_size=5))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_warm_restarts(cycle, moves):
    ours = optim.SGD([SimpleNamespace(data=np.zeros(1), grad=None)], lr=0.4)
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    schedule = optim.lr_scheduler.CosineAnnealingWarmRestarts(ours, *cycle, eta_min=0.01)
    their_schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, *cycle, eta_min=0.01)
    for move in moves:
        for one in (schedule, their_schedule):
            one.step() if move is None else one.step(move / 4)
        np.testing.assert_allclose(ours.param_groups[0]["lr"], theirs.param_groups[0]["lr"], rtol=1e-9)


SEARCH = dict(line_search_fn="strong_wolfe")


@pytest.mark.parametrize("options", [dict(lr=0.1, max_iter=5), dict(lr=0.5, history_size=3), SEARCH,
                                     dict(lr=5.0, max_iter=4, **SEARCH), dict(max_eval=3, **SEARCH)])
@settings(max_examples=3)
@given(seeds)
def test_lbfgs(options, seed):
    """The first losses are the same; later ones differ by rounding that every pair of steps magnifies."""
    found = []
    for lib, tensor, cls in ((ops, lambda a: Tensor(a, requires_grad=True), optim.LBFGS),
                             (torch, lambda a: torch.tensor(a, requires_grad=True), torch.optim.LBFGS)):
        W, loss_of = regression(seed, lib, tensor)
        optimizer, losses = cls(W, **options), []

        def closure():
            optimizer.zero_grad()
            loss = loss_of(*W)
            loss.backward()
            losses.append(loss.item())
            return loss
        for _ in range(3):
            optimizer.step(closure)
        found.append((losses, optimizer.state_dict(), closure))
    (ours, _, closure), (theirs, state, _) = found
    np.testing.assert_allclose(ours[:15], theirs[:15], rtol=1e-9)
    assert abs(len(ours) - len(theirs)) <= 3
    again = optim.LBFGS([Tensor(np.zeros(w.shape), requires_grad=True) for w in W])
    again.load_state_dict(state)
    assert again.param_groups[0]["max_iter"] == options.get("max_iter", 20)
    for name in ("n_iter", "func_evals"):
        assert again.state[0][name] == state["state"][0][name]
    steps = [s.numpy() for s in state["state"][0]["old_stps"]]
    np.testing.assert_array_equal(np.array(again.state[0]["old_stps"]), np.array(steps))


@given(seeds, st.floats(0.01, 20), st.sampled_from([1.0, 2.0, np.inf]))
def test_clipping(seed, limit, norm_type):
    gs = [np.random.default_rng(seed).normal(size=n) for n in (3, 1, 4)]
    ours, theirs = [Tensor(g, requires_grad=True) for g in gs], [torch.tensor(g, requires_grad=True) for g in gs]
    for p, q, g in zip(ours, theirs, gs):
        p.grad, q.grad = Tensor(g), torch.tensor(g)
    n = optim.clip_grad_norm_(ours, limit, norm_type)
    np.testing.assert_allclose(n, torch.nn.utils.clip_grad_norm_(theirs, limit, norm_type).item(), rtol=1e-13)
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.grad.data, q.grad, rtol=1e-13)
    optim.clip_grad_value_(ours, limit / 9)
    torch.nn.utils.clip_grad_value_(theirs, limit / 9)
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.grad.data, q.grad, rtol=1e-13)


@pytest.mark.parametrize("make", [
    lambda lib, o: lib.StepLR(o, 3, 0.5), lambda lib, o: lib.CosineAnnealingLR(o, 6, 0.01), lambda lib,
    o: lib.LinearLR(o),
    lambda lib, o: lib.LinearLR(o, 0.1, 0.8, 4), lambda lib, o: lib.ExponentialLR(o, 0.8),
    lambda lib, o: lib.MultiStepLR(o, [7, 2, 7]), lambda lib, o: lib.LambdaLR(o, lambda t: 1 / (1 + t)),
    lambda lib, o: lib.OneCycleLR(o, 0.5, 20), lambda lib, o: lib.OneCycleLR(o, 0.5, epochs=4, steps_per_epoch=5,
                                                                             anneal_strategy="linear", pct_start=0.4),
    lambda lib, o: lib.OneCycleLR(o, [0.5], 20, three_phase=True, div_factor=5.0, final_div_factor=7.0),
    lambda lib, o: lib.SequentialLR(o, [lib.LinearLR(o, 0.1, total_iters=4), lib.CosineAnnealingLR(o, 8)], [4]),
    lambda lib,
    o: lib.SequentialLR(o, [lib.LinearLR(o, 0.5, total_iters=2), lib.StepLR(o, 2), lib.StepLR(o, 1, 0.5)], [3, 7]),
])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_schedules(make):
    ours = optim.SGD([SimpleNamespace(data=np.zeros(1), grad=None)], lr=0.4)
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    schedule, their_schedule = make(optim, ours), make(torch.optim.lr_scheduler, theirs)
    for _ in range(12):
        np.testing.assert_allclose(schedule.get_last_lr(), their_schedule.get_last_lr(), rtol=1e-12, atol=1e-15)
        theirs.step()
        schedule.step()
        their_schedule.step()


@pytest.mark.parametrize("cls", "SGD Adam AdamW Adagrad Adadelta LBFGS RMSprop CosineAnnealingWarmRestarts StepLR "
                         "CosineAnnealingLR LinearLR ExponentialLR "
                         "OneCycleLR ReduceLROnPlateau".split())
def test_settings_have_the_same_names_and_defaults(cls):
    theirs = getattr(torch.optim.lr_scheduler if hasattr(torch.optim.lr_scheduler, cls) else torch.optim, cls)
    ours, theirs = (inspect.signature(one).parameters for one in (getattr(optim, cls), theirs))
    assert {name: setting.default for name, setting in ours.items()} == {name: theirs[name].default for name in ours}


@pytest.mark.parametrize("makes", [
    [lambda lib, o: lib.StepLR(o, 3, 0.5), lambda lib, o: lib.ExponentialLR(o, 0.9)],
    [lambda lib, o: lib.MultiStepLR(o, [3, 5], 0.5), lambda lib, o: lib.LinearLR(o, 0.5)],
    [lambda lib, o: lib.LinearLR(o, 0.25, total_iters=4), lambda lib, o: lib.CosineAnnealingLR(o, 20, 0.01)],
    [lambda lib, o: lib.CosineAnnealingLR(o, 5), lambda lib, o: lib.StepLR(o, 2, 0.7),
     lambda lib, o: lib.LinearLR(o, 0.5)],
])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_several_schedules_on_one_optimiser(makes):
    ours = optim.SGD([SimpleNamespace(data=np.zeros(1), grad=None)], lr=0.4)
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    schedules = [make(optim, ours) for make in makes]
    their_schedules = [make(torch.optim.lr_scheduler, theirs) for make in makes]
    for _ in range(12):
        np.testing.assert_allclose(ours.param_groups[0]["lr"], theirs.param_groups[0]["lr"], rtol=1e-10, atol=1e-14)
        for schedule in (*schedules, *their_schedules):
            schedule.step()


@given(seeds, st.sampled_from(["min", "max"]), st.sampled_from(["rel", "abs"]), st.integers(0, 3), st.integers(0, 2))
def test_a_plateau(seed, mode, threshold_mode, patience, cooldown):
    ours = optim.SGD([SimpleNamespace(data=np.zeros(1), grad=None)], lr=0.4)
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    settings = dict(mode=mode, factor=0.5, patience=patience, threshold=0.1, threshold_mode=threshold_mode,
                    cooldown=cooldown, min_lr=0.01)
    schedule = optim.ReduceLROnPlateau(ours, **settings)
    their_schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **settings)
    for value in np.random.default_rng(seed).exponential(size=30).cumsum() if mode == "min" else \
            np.random.default_rng(seed).exponential(size=30):
        schedule.step(value)
        their_schedule.step(value)
        assert ours.param_groups[0]["lr"] == theirs.param_groups[0]["lr"]


@pytest.mark.parametrize("name", [*NAMES, "Adam amsgrad", "AdamW amsgrad"])
def test_state_of_pytorchs_optimiser_goes_on(name):
    cls, options = name.split()[0], {"lr": 0.05}
    options |= {"amsgrad": True} if "amsgrad" in name else {"centered": True} if "centred" in name else {}
    options |= {"momentum": 0.5} if cls in ("SGD", "RMSprop") else {}
    rng = np.random.default_rng(0)
    theirs = [torch.tensor(rng.normal(size=shape), requires_grad=True) for shape in ((3, 2), (4,))]
    their_model = getattr(torch.optim, cls)(theirs, **options)

    def step(model, parameters, make, gradients):
        for p, g in zip(parameters, gradients):
            p.grad = make(g)
        model.step()
    for _ in range(3):
        step(their_model, theirs, torch.tensor, [rng.normal(size=(3, 2)), rng.normal(size=4)])
    ours = [Tensor(p.detach().numpy().copy(), requires_grad=True) for p in theirs]
    model = getattr(optim, cls)(ours, lr=9.0)
    model.load_state_dict(their_model.state_dict())
    for _ in range(3):
        gradients = [rng.normal(size=(3, 2)), rng.normal(size=4)]
        step(their_model, theirs, torch.tensor, gradients)
        step(model, ours, Tensor, gradients)
        for p, q in zip(ours, theirs):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("make", [lambda lib, p: lib.Adam([p], lr=0.1), lambda lib, p: lib.RMSprop([p], lr=0.1)])
def test_a_gradient_of_2e19_in_float32(make):
    p, q = Tensor(np.zeros(3, np.float32), requires_grad=True), torch.zeros(3, requires_grad=True)
    model, their_model = make(optim, p), make(torch.optim, q)
    for k in range(30):
        g = np.array([0.5 if k else 2e19, 1.0, -1.0], np.float32)
        p.grad, q.grad = Tensor(g), torch.tensor(g)
        model.step()
        their_model.step()
    assert make is not None and abs(p.data[0]) > 0.05
    if isinstance(model, optim.Adam):                    # of RMSprop's there the square is infinite
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-4)
