"""Smooth activations against their definitions, central differences of first and second order, and their limits."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck, gradgradcheck
from scratchml.nn import ELU, GELU, SiLU, Softplus
from scratchml.nn.smooth import (elu, exponential_below, gelu, normal_cdf, normal_density, normal_gate, sigmoid_gate,
                                 silu, soft_hinge, softplus, tanh_gate)
from tests.nn.test_layers import assert_same_gradients, leaf
from tests.reference import smooth as reference
from tests.strategies.smooth import entries

EPS = np.finfo(float).eps
# An argument of up to 30 that is rounded once moves an exponential of its square by 1000 roundings.
ROUNDING = dict(rtol=4000 * EPS, atol=1e-190)
LAYERS = [GELU(), GELU("tanh"), SiLU(), ELU(0.7), ELU(-2.0), Softplus(), Softplus(3.0, 1.5)]
each_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)


@given(entries(count=1), st.sampled_from([1.0, 0.3, -2.0]), st.sampled_from([1.0, 0.3, 4.0]))
def test_definitions(drawn, a, β):
    u, = drawn
    for ours, theirs in [(normal_cdf(u), reference.normal_cdf(u)), (normal_density(u), reference.normal_density(u)),
                         (normal_gate(u), reference.normal_gate(u)), (tanh_gate(u), reference.tanh_gate(u)),
                         (sigmoid_gate(u), reference.sigmoid_gate(u)),
                         (exponential_below(u, a), reference.exponential_below(u, a)),
                         (soft_hinge(u, β, 20.0), reference.soft_hinge(u, β, 20.0))]:
        near = abs(u) < 30
        np.testing.assert_allclose(ours.data[near], theirs[near], **ROUNDING)
        np.testing.assert_allclose(ours.data[~near], theirs[~near], rtol=4 * EPS, atol=1e-90)


@each_layer
def test_gradients_and_their_gradients(layer):
    x = leaf(3, 4)
    assert gradcheck(layer, x) and gradgradcheck(layer, x)


@each_layer
def test_float32_stays(layer):
    x = leaf(4, 6, dtype=np.float32)
    y = layer(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float32
    np.testing.assert_allclose(y.data, layer(x.data.astype(np.float64)).data, rtol=1e-5, atol=1e-6)


@each_layer
def test_far_from_zero_they_are_lines(layer):
    x = Tensor([-500.0, 500.0], requires_grad=True)
    y = layer(x)
    y.backward(np.ones(2))
    low = -layer.alpha if isinstance(layer, ELU) else 0.0
    np.testing.assert_allclose(y.data, [low, 500.0], atol=1e-100)
    np.testing.assert_allclose(x.grad.data, [0, 1], atol=1e-100)


def test_what_each_is_at_the_places_that_one_knows():
    x = Tensor([0.0], requires_grad=True)
    for layer, value, slope in [(GELU(), 0, 0.5), (GELU("tanh"), 0, 0.5), (SiLU(), 0, 0.5), (ELU(0.7), 0, 0.7),
                                (Softplus(2.0), np.log(2) / 2, 0.5)]:
        x.grad = None
        y = layer(x)
        y.backward()
        assert y.item() == pytest.approx(value, abs=1e-300) and x.grad.item() == pytest.approx(slope, rel=1e-15)
    wide = np.linspace(-6, 6, 1001)
    assert abs(gelu(wide).data - gelu(wide, approximate="tanh").data).max() < 5e-4
    np.testing.assert_allclose(normal_cdf(wide).data + normal_cdf(-wide).data, 1, rtol=1e-15)
    np.testing.assert_allclose(normal_cdf([-37.0]).data, 5.7255712225245e-300, rtol=1e-12)


def test_functions_are_the_layers():
    x = leaf(3, 4)
    for layer, y in [(GELU(), gelu(x)), (GELU("tanh"), gelu(x, approximate="tanh")), (SiLU(True), silu(x, True)),
                     (ELU(0.3), elu(x, 0.3)), (Softplus(3.0, 1.5), softplus(x, 3.0, 1.5))]:
        assert_same_gradients(layer(x), y, [x])


@pytest.mark.parametrize("call, message", [
    (lambda: GELU("erf"), "approximate='erf'"), (lambda: gelu([1.0], approximate=None), "approximate=None"),
    (lambda: ELU(np.inf), "alpha=inf"), (lambda: Softplus(0), "beta=0"), (lambda: Softplus(1, np.nan), "threshold=nan"),
    (lambda: SiLU()(["a"]), "expected real numbers"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
