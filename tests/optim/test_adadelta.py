"""Adadelta against its definition, and what no other method has: steps in the unit of x."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor
from scratchml.optim import Adadelta
from scratchml.optim.adadelta import adadelta_direction
from tests.reference import adadelta as reference
from tests.strategies.adadelta import example, trajectories


def moved(x, gs, **settings):
    p = Tensor(np.array(x), requires_grad=True)
    optimizer = Adadelta([p], **settings)
    for g in gs:
        p.grad = Tensor(np.asarray(g, p.dtype))
        optimizer.step()
    return p.data


def test_the_direction():
    g, s, u = map(example, "gsu")
    expected = reference.adadelta_direction(g, s, u, 1e-3)
    np.testing.assert_allclose(adadelta_direction(g, s, u, 1e-3), expected, rtol=1e-15)


@given(trajectories())
def test_trajectories(drawn):
    settings, x, gs = drawn
    expected = reference.trajectory(x, gs, **settings)
    np.testing.assert_allclose(moved(x, gs, **settings), expected, rtol=1e-11, atol=1e-12)


def test_steps_have_the_unit_of_x():
    gs = np.random.default_rng(0).normal(size=(20, 3))
    plain = moved(np.zeros(3), gs, eps=1e-6)
    np.testing.assert_allclose(moved(np.zeros(3), 1e3 * gs, eps=1e-6), plain, rtol=1e-3)     # steeper is no farther
    first = moved([0.0, 0.0], [[1e-2, -1e4]], rho=0.9, eps=1e-12)
    np.testing.assert_allclose(first, [-(1e-12 / 0.1) ** 0.5, (1e-12 / 0.1) ** 0.5], rtol=1e-6)


def test_it_goes_on_from_its_state():
    gs = np.random.default_rng(0).normal(size=(6, 2))
    one, other = (Tensor(np.array([1.0, -1.0]), requires_grad=True) for _ in range(2))
    first, second = Adadelta([one]), Adadelta([other], lr=0.5)
    for k, g in enumerate(gs):
        if k == 3:
            other.data[:] = one.data
            second.load_state_dict(first.state_dict())
        one.grad = other.grad = Tensor(g)
        first.step()
        if k >= 3:
            second.step()
    assert (one.data == other.data).all() and first.state_dict()["state"][0]["step"] == 6


def test_what_cannot_be():
    p = Tensor(np.ones(2), requires_grad=True)
    for options, message in [(dict(rho=1.0), "rho=1.0"), (dict(eps=-1.0), "eps=-1.0"), (dict(lr=np.nan), "lr=nan")]:
        with pytest.raises(ValueError, match=message):
            Adadelta([p], **options)
    x = moved(np.zeros(2, np.float32), np.float32([[1e30, -1e30], [1e30, 1e-30]]))
    assert np.isfinite(x).all() and x[0] < 0 < x[1]
