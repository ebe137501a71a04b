"""Shorter steps where nothing gets better: when, how much, and what is refused."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.optim import ReduceLROnPlateau
from tests.optim.test_schedules import optimiser


def test_shorter_steps_on_a_plateau():
    model = optimiser(1.0, 0.01)
    schedule = ReduceLROnPlateau(model, factor=0.1, patience=1, cooldown=1, min_lr=[0.0, 0.005])
    seen = []
    for value in (3.0, 2.0, 2.0, Tensor(2.0), 1.0, 1.0, 1.0, 1.0, 1.0):
        schedule.step(value)
        seen.append(schedule.get_last_lr()[0])
    np.testing.assert_allclose(seen, [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01])
    assert schedule.get_last_lr()[1] == 0.005
    restored = ReduceLROnPlateau(model, factor=0.1, patience=1)
    restored.load_state_dict(schedule.state_dict())
    assert restored.best == 1 and restored.last_epoch == 9 and restored.num_bad_epochs == schedule.num_bad_epochs


def test_what_is_negative_or_should_rise():
    falling = ReduceLROnPlateau(optimiser(1.0), patience=0)
    for value in (-1.0, -1.00001, -0.99999):             # less than the threshold apart
        falling.step(value)
    assert falling.best == -1 and abs(falling.get_last_lr()[0] - 0.01) < 1e-15
    rising = ReduceLROnPlateau(optimiser(1.0), "max", patience=0, threshold=0.5, threshold_mode="abs")
    for value in (1.0, 1.6, 2.0):
        rising.step(value)
    assert rising.best == 1.6 and abs(rising.get_last_lr()[0] - 0.1) < 1e-15


@pytest.mark.parametrize("make, message", [
    (lambda o: ReduceLROnPlateau(o, "least"), "mode='least'"),
    (lambda o: ReduceLROnPlateau(o, factor=1.0), "factor=1.0"),
    (lambda o: ReduceLROnPlateau(o, patience=-1), "patience=-1"),
    (lambda o: ReduceLROnPlateau(o, min_lr=[0, 0]), "got 2"),
])
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make(optimiser(1.0))
