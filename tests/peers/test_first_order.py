"""Trajectories of the optimisers, clipping and schedules equal PyTorch's."""
import inspect
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml import optim
from scratchml.autograd import Tensor
from tests.strategies.first_order import NAMES, seeds, trajectories

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
    lambda lib, o: lib.LinearLR(o, 0.1, 0.8, 4),
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


@pytest.mark.parametrize("cls", "SGD Adam AdamW Adagrad RMSprop StepLR CosineAnnealingLR LinearLR".split())
def test_settings_have_the_same_names_and_defaults(cls):
    theirs = getattr(torch.optim.lr_scheduler if cls.endswith("LR") else torch.optim, cls)
    ours, theirs = (inspect.signature(one).parameters for one in (getattr(optim, cls), theirs))
    assert {name: setting.default for name, setting in ours.items()} == {name: theirs[name].default for name in ours}
