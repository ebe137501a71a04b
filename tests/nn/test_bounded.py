"""Activations with bounds against their definitions, central differences of first and second order, and limits."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck, gradgradcheck
from scratchml.nn import Hardtanh, Mish, ReLU6, SELU, Softsign
from scratchml.nn import functional as F
from scratchml.nn.bounded import clipped_line, self_normalising, soft_gate, soft_sign
from tests.reference import bounded as reference
from tests.strategies.bounded import entries

EPS = np.finfo(float).eps
LAYERS = [Hardtanh(), Hardtanh(-0.3, 2.0), ReLU6(), SELU(), Mish(), Softsign()]


@given(entries(count=1), st.sampled_from([(-1.0, 1.0), (-0.25, 3.0)]))
def test_definitions(drawn, bounds):
    u, = drawn
    u = u[abs(u) < 700]                                  # beyond, the definition's own powers overflow
    for ours, theirs in [(clipped_line(u, *bounds), reference.clipped_line(u, *bounds)),
                         (soft_sign(u), reference.soft_sign(u)),
                         (self_normalising(u), reference.self_normalising(u)), (soft_gate(u), reference.soft_gate(u))]:
        np.testing.assert_allclose(ours.data, theirs, rtol=16 * EPS, atol=1e-300)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_gradients(layer):
    x = Tensor(np.array([[-1.7, -0.8, 0.31], [0.7, 2.9, 7.4]]), requires_grad=True)
    gradcheck(layer, x)
    gradgradcheck(layer, x)


def test_slopes_at_the_bounds_and_far_away():
    x = Tensor([0.0, 6.0, -1e300, 1e300, np.nan], requires_grad=True)
    y = ReLU6()(x)
    y.sum().backward()
    assert y.tolist()[:4] == [0, 6, 0, 6] and np.isnan(y.data[4]) and x.grad.tolist() == [0, 0, 0, 0, 0]
    assert Mish()([-1e3, 1e3]).tolist() == [0, 1e3] and Softsign()([-1e300, 1e300]).tolist() == [-1, 1]


def test_standard_normal_numbers_stay_so():
    y = F.selu(np.random.default_rng(0).normal(size=10**6)).data
    assert abs(y.mean()) < 0.004 and abs(y.var() - 1) < 0.01


def test_functions_are_the_layers():
    u = np.random.default_rng(0).normal(size=(3, 4)) * 5
    for function, layer in [(F.hardtanh, Hardtanh()), (F.relu6, ReLU6()), (F.selu, SELU()), (F.mish, Mish()),
                            (F.softsign, Softsign())]:
        assert (function(u).data == layer(u).data).all()
    assert (F.hardtanh(u, -2, 0.5).data == np.clip(u, -2, 0.5)).all() and repr(ReLU6()) == "ReLU6()"


def test_bad_bounds():
    with pytest.raises(ValueError, match="expected the least below the greatest"):
        Hardtanh(1.0, 1.0)
    with pytest.raises(ValueError, match="max_val=inf"):
        F.hardtanh([1.0], 0.0, np.inf)
