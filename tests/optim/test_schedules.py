"""Schedules against the definition, and what they do to an optimiser."""
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given

from scratchml.optim import SGD, CosineAnnealingLR, LinearLR, SequentialLR, StepLR
from scratchml.optim.schedules import cosine, linear, step_decay
from tests.reference import schedules as reference
from tests.strategies.schedules import ends, factors, lengths, times


def optimiser(*lrs):
    return SGD([{"params": [SimpleNamespace(data=np.zeros(1), grad=None)], "lr": lr} for lr in lrs])


@given(lengths, lengths, factors, factors, times, ends)
def test_every_equation_is_its_definition(η0, ηmin, a, b, t, T):
    close = dict(rtol=1e-13, atol=1e-14 * max(η0, ηmin))                 # t roundings, or a few where terms cancel
    np.testing.assert_allclose(step_decay(η0, a, t, T), reference.step_decay(η0, a, t, T), **close)
    np.testing.assert_allclose(cosine(η0, ηmin, t, T), reference.cosine(η0, ηmin, t, T), **close)
    np.testing.assert_allclose(linear(η0, a, b, t, T), reference.linear(η0, a, b, t, T), **close)


def lengths_of(schedule, n):
    seen = []
    for _ in range(n):
        seen.append(schedule.get_last_lr()[0])
        schedule.step()
    return seen


def test_the_step_lengths_of_an_optimiser():
    np.testing.assert_allclose(lengths_of(StepLR(optimiser(8.0), 2, gamma=0.5), 5), [8, 8, 4, 4, 2])
    np.testing.assert_allclose(lengths_of(LinearLR(optimiser(8.0), 0.25, 0.5, 2), 4), [2, 3, 4, 4])
    np.testing.assert_allclose(lengths_of(CosineAnnealingLR(optimiser(8.0), 4, eta_min=2.0), 6)[::2], [8, 5, 2])


def test_groups_keep_their_own_lengths():
    model = optimiser(8.0, 4.0)
    schedule = StepLR(model, 1, 0.5)
    schedule.step()
    assert [group["lr"] for group in model.param_groups] == schedule.get_last_lr() == [4, 2]


def test_one_after_the_other():
    model = optimiser(8.0)
    parts = [LinearLR(model, 0.5, total_iters=2), CosineAnnealingLR(model, 2), StepLR(model, 1, 0.5)]
    np.testing.assert_allclose(lengths_of(SequentialLR(model, parts, [2, 4]), 7), [4, 6, 8, 4, 8, 4, 2], atol=1e-15)


def test_state_restored_goes_on():
    first = CosineAnnealingLR(optimiser(8.0), 5)
    whole = lengths_of(first, 9)
    half = CosineAnnealingLR(optimiser(8.0), 5)
    lengths_of(half, 4)
    restored = CosineAnnealingLR(optimiser(1.0), 5)
    restored.load_state_dict(half.state_dict())
    assert lengths_of(restored, 5) == whole[4:]
    with pytest.raises(ValueError, match=r"expected 1 group\(s\), got 2"):
        restored.load_state_dict(StepLR(optimiser(1.0, 2.0), 1).state_dict())


@pytest.mark.parametrize("make, message", [
    (lambda o: StepLR(o, 0), "step_size=0"), (lambda o: StepLR(o, 1, -1.0), "gamma=-1.0"),
    (lambda o: CosineAnnealingLR(o, 2.5), "T_max=2.5"),
    (lambda o: CosineAnnealingLR(o, 2, -1.0), "eta_min=-1.0"), (lambda o: LinearLR(o, -0.1), "start_factor=-0.1"),
    (lambda o: LinearLR(o, end_factor=np.inf), "end_factor=inf"),
    (lambda o: LinearLR(o, total_iters=0), "total_iters=0"),
    (lambda o: SequentialLR(o, [StepLR(o, 1)], [3]), r"milestones=\[3\]: expected 0 rising"),
    (lambda o: SequentialLR(o, [StepLR(o, 1)] * 3, [3, 2]), r"milestones=\[3, 2\]: expected 2 rising"),
])
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make(optimiser(1.0))


def test_pytorchs_path_leads_here():
    from scratchml import optim
    from scratchml.optim.lr_scheduler import StepLR as theirs
    assert theirs is StepLR and optim.lr_scheduler.CosineAnnealingLR is CosineAnnealingLR
