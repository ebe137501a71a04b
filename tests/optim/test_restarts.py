"""Warm restarts against their definition."""
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given

from scratchml.optim import SGD, CosineAnnealingWarmRestarts
from scratchml.optim.restarts import in_cycle
from tests.reference import restarts as reference
from tests.strategies.restarts import cycles, times


def optimizer(lr=2.0):
    return SGD([SimpleNamespace(data=np.zeros(3), grad=None)], lr=lr)


@given(times, cycles)
def test_where_in_a_cycle(t, cycle):
    assert in_cycle(t, *cycle) == reference.in_cycle(t, *cycle)


@given(times, cycles)
def test_the_length_of_a_step(t, cycle):
    schedule = CosineAnnealingWarmRestarts(optimizer(), *cycle, eta_min=0.5)
    schedule.step(t)
    t_c, T = reference.in_cycle(t, *cycle)
    expected = 0.5 + 1.5 * (1 + math.cos(math.pi * t_c / T)) / 2
    assert schedule.get_last_lr() == [pytest.approx(expected, rel=1e-14)]
    again = CosineAnnealingWarmRestarts(optimizer(), *cycle, eta_min=0.5)
    again.load_state_dict(schedule.state_dict())
    schedule.step()
    again.step()
    assert again.get_last_lr() == schedule.get_last_lr() and again.last_epoch == t + 1


def test_what_cannot_be():
    for arguments, message in [((0,), "T_0=0"), ((3, 0), "T_mult=0"), ((3, 1, -1.0), "eta_min=-1.0"),
                               ((2.5,), "T_0=2.5")]:
        with pytest.raises(ValueError, match=message):
            CosineAnnealingWarmRestarts(optimizer(), *arguments)
    with pytest.raises(ValueError, match="epoch=-1"):
        CosineAnnealingWarmRestarts(optimizer(), 3).step(-1)
