"""Schedules against the definition, and what they do to an optimiser."""
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor
from scratchml.optim import (SGD, Adagrad, Adam, CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR,
                             OneCycleLR, SequentialLR, StepLR)
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


# --- several on one optimiser

def test_two_schedules_multiply():
    model = optimiser(8.0)
    a, b = StepLR(model, 2, 0.5), ExponentialLR(model, 0.9)
    for t in range(1, 9):
        a.step()
        b.step()
        np.testing.assert_allclose(model.param_groups[0]["lr"], 8 * 0.5 ** (t // 2) * 0.9 ** t, rtol=1e-14)


def test_a_function_of_time_leaves_others_their_factors():
    model = optimiser(8.0)
    warm, fall = LambdaLR(model, lambda t: min(1, (t + 1) / 4)), MultiStepLR(model, [2], 0.5)
    for t in range(1, 6):
        warm.step()
        fall.step()
        np.testing.assert_allclose(model.param_groups[0]["lr"], 8 * min(1, (t + 1) / 4) * 0.5 ** (t >= 2), rtol=1e-14)


def test_a_warm_up_beside_a_fall_to_a_floor():
    model = optimiser(8.0)
    warm, fall = LinearLR(model, 0.25, total_iters=3), CosineAnnealingLR(model, 6, 2.0)
    assert model.param_groups[0]["lr"] == 2.0            # 8 · 0.25; the floor is below
    for _ in range(3):
        warm.step()
    assert abs(model.param_groups[0]["lr"] - 8) < 1e-12
    for _ in range(6):
        fall.step()
    assert abs(model.param_groups[0]["lr"] - 2) < 1e-12


def test_a_length_set_by_hand_is_gone_on_from():
    model = optimiser(8.0)
    schedule = ExponentialLR(model, 0.5)
    schedule.step()
    model.param_groups[0]["lr"] = 1.0
    schedule.step()
    assert schedule.get_last_lr() == [0.5]


def test_two_schedules_restored_go_on():
    def made():
        model = optimiser(8.0)
        return model, [StepLR(model, 2, 0.5), ExponentialLR(model, 0.9)]
    model, schedules = made()
    for _ in range(3):
        for schedule in schedules:
            schedule.step()
    other, restored = made()
    for schedule, one in zip(restored, schedules):
        schedule.load_state_dict(one.state_dict())
    for _ in range(4):
        assert [g["lr"] for g in other.param_groups] == [g["lr"] for g in model.param_groups]
        for schedule in (*schedules, *restored):
            schedule.step()


def test_factors_of_each_group():
    model = optimiser(8.0, 1.0)
    schedule = LambdaLR(model, [lambda t: 0.5 ** t, lambda t: t + 1])
    seen = [schedule.get_last_lr()]
    for _ in range(2):
        schedule.step()
        seen.append(schedule.get_last_lr())
    assert seen == [[8, 1], [4, 2], [2, 3]]


def test_a_factor_at_each_milestone():
    schedule, seen = MultiStepLR(optimiser(8.0), [4, 1, 4], 0.5), []
    for _ in range(6):
        seen.append(schedule.get_last_lr()[0])
        schedule.step()
    assert seen == [8, 4, 4, 4, 1, 1]


# --- one cycle

@pytest.mark.parametrize("make, name", [(SGD, "momentum"), (Adam, "betas")])
def test_one_cycle(make, name):
    p = Tensor([1.0], requires_grad=True)
    model = make(p, lr=9.0, **({"momentum": 0.5} if make is SGD else {}))
    schedule = OneCycleLR(model, 1.0, 11, pct_start=6 / 11, div_factor=10, final_div_factor=5, anneal_strategy="linear")
    seen, momenta = [], []
    for t in range(11):
        seen.append(model.param_groups[0]["lr"])
        momenta.append(np.ravel(model.param_groups[0][name])[0])
        if t < 10:
            schedule.step()
    np.testing.assert_allclose(seen[:6], np.linspace(0.1, 1, 6))
    np.testing.assert_allclose(seen[5:], np.linspace(1, 0.02, 6))
    np.testing.assert_allclose([momenta[0], momenta[5], momenta[-1]], [0.95, 0.85, 0.95])
    schedule.step()                                      # scripts step after each of the 11; it goes on along the line
    np.testing.assert_allclose(model.param_groups[0]["lr"], 0.02 - 0.98 / 5)
    with pytest.raises(ValueError, match="step 12: this schedule has 11 steps"):
        schedule.step()


@pytest.mark.parametrize("make, message", [
    (lambda o: LambdaLR(o, 0.5), "lr_lambda=0.5: expected a function"),
    (lambda o: LambdaLR(o, [abs, abs]), "each of 1 group"),
    (lambda o: MultiStepLR(o, 3), "milestones=3: expected a list"), (lambda o: MultiStepLR(o, [0.5]), "milestones=0.5"),
    (lambda o: ExponentialLR(o, -1), "gamma=-1"), (lambda o: OneCycleLR(o, 1.0), "epochs=None"),
    (lambda o: OneCycleLR(o, 1.0, 1), "total_steps=1"),
    (lambda o: OneCycleLR(o, [1.0, 2.0], 5), "one for each group, got 2"),
    (lambda o: OneCycleLR(o, 1.0, 5, pct_start=1.5), "pct_start=1.5"),
    (lambda o: OneCycleLR(o, 1.0, 5, anneal_strategy="x"),
                                                                       "anneal_strategy='x'"),
    (lambda o: OneCycleLR(Adagrad([SimpleNamespace(data=np.zeros(1), grad=None)]), 1.0, 5), "Adagrad has no momentum"),
    (lambda o: SequentialLR(o, StepLR(o, 1), [1]), "schedulers=.*expected a list"),
    (lambda o: SequentialLR(o, [StepLR(o, 1)], 1), "milestones=1: expected a list"),
])
def test_bad_settings_of_the_others(make, message):
    with pytest.raises(ValueError, match=message):
        make(optimiser(1.0))
