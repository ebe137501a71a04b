"""Smooth activations against their definitions, central differences of first and second order, and their limits."""
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, grad, gradcheck, gradgradcheck
from scratchml.nn import ELU, GELU, LogSigmoid, SiLU, Softplus, gates, smooth
from scratchml.nn.smooth import (EXPONENTIAL_BELOW, NORMAL_GATE, SIGMOID_GATE, TANH_GATE, elu, exponential_below, gelu,
                                 normal_cdf, normal_density, normal_gate, sigmoid_gate, silu, soft_hinge, softplus,
                                 tanh_gate)
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


GATES = {"exact": (NORMAL_GATE, normal_gate, {}), "tanh": (TANH_GATE, tanh_gate, {}),
         "sigmoid": (SIGMOID_GATE, sigmoid_gate, {}), "elu": (EXPONENTIAL_BELOW, exponential_below, {"a": 0.7}),
         "elu that falls": (EXPONENTIAL_BELOW, exponential_below, {"a": -2.0})}
each_gate = pytest.mark.parametrize("gate, equation, options", GATES.values(), ids=GATES)


@each_gate
@given(drawn=entries(count=2), threads=st.sampled_from("12"))
def test_compiled_gates_are_the_equations(gate, equation, options, drawn, threads):
    """Value, and gradient: by the kernel, by operations of a gradient with a graph, and by those of the equation."""
    u, g = (Tensor(part, requires_grad=True) for part in drawn)
    expected = equation(u, *options.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smooth, "CHUNK", 3)
        patch.setenv("SCRATCHML_NUM_THREADS", threads)
        y = gate(u, **options)
        slope, = grad(y, u, g, retain_graph=True)
    np.testing.assert_allclose(y.data, expected.data, rtol=4000 * EPS, atol=1e-190)
    theirs, = grad(expected, u, g)
    composed, = grad(y, u, g, create_graph=True)
    size = abs(g.data).max(initial=0) * (1 + abs(u.data).max(initial=0))
    for one in (slope, composed):
        np.testing.assert_allclose(one.data, theirs.data, rtol=4000 * EPS, atol=8 * EPS * size)


@each_gate
def test_float32_against_float64(gate, equation, options):
    """The square of u is rounded before its exponential is taken; products with u³ are, too."""
    u = np.concatenate([np.linspace(-13, 13, 40001), np.geomspace(1e-30, 1, 400), -np.geomspace(1e-30, 1, 400)])
    u = u.astype(np.float32)
    given, exact = Tensor(u, requires_grad=True), Tensor(u.astype(float), requires_grad=True)
    y, expected = gate(given, **options), equation(exact, *options.values())
    g = np.cos(np.arange(u.size)).astype(np.float32)
    y.backward(g)
    expected.backward(g.astype(float))
    near = abs(expected.data) > 1e-36                    # more and it is no subnormal number
    share = (2e-7 + 1e-7 * u.astype(float) ** 2 + (2e-8 * abs(u.astype(float)) ** 3 if gate is TANH_GATE else 0))
    assert (abs(y.data / np.where(near, expected.data, 1) - 1)[near] < 2 * share[near]).all()
    np.testing.assert_allclose(y.data[~near], expected.data[~near], atol=1e-36)
    largest = max(map(abs, options.values()), default=2 if gate is TANH_GATE else 1)
    np.testing.assert_allclose(given.grad.data, exact.grad.data, rtol=0, atol=1.5e-6 * largest)
    small = abs(exact.grad.data) > 1e-30
    close = abs(given.grad.data / np.where(small, exact.grad.data, 1) - 1)[small & (abs(u) > 3)]
    assert (close < 1e-4).all()


@each_gate
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gates_at_the_ends(gate, equation, options, dtype):
    a = options.get("a")
    u = Tensor(np.array([1e30, -1e30, 1e-30, -1e-30, 0.0, np.nan, np.inf], dtype), requires_grad=True)
    with np.errstate(invalid="ignore"):                  # inf · 0, told where kernels are plain Python
        y = gate(u, **options)
        y.backward(np.ones(7, dtype))
    half, low = (a, -a) if a else (0.5, 0.0)
    np.testing.assert_allclose(y.data, [1e30, low, 1e-30 if a else 5e-31, -1e-30 * half, 0, np.nan, np.inf], rtol=1e-6,
                               atol=1e-45)
    np.testing.assert_allclose(u.grad.data[:6], [1, 0, 1 if a else 0.5, half, half, np.nan], rtol=1e-6)


def test_gates_of_nothing_of_one_number_and_of_other_layouts(monkeypatch):
    monkeypatch.setattr(smooth, "CHUNK", 2)
    for gate, _, options in GATES.values():
        assert gate(Tensor(np.zeros((0, 3))), **options).shape == (0, 3)
        one = Tensor(2.0, requires_grad=True)
        gate(one, **options).backward()
        assert one.grad.shape == ()
        u = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
        only_read, wide = u.copy(), np.zeros((8, 12), np.float32)
        only_read.flags.writeable, wide[::2, ::2] = False, u
        found = []
        for same in (u, only_read, np.asfortranarray(u), wide[::2, ::2]):
            given = Tensor(same, requires_grad=True)
            y = gate(given, **options)
            y.backward(np.asfortranarray(u))
            found.append(y.data.tobytes() + given.grad.data.tobytes())
        assert len(set(found)) == 1


def test_the_polynomial_of_the_tail():
    z = np.linspace(0, gates.REACH, 3001)
    t, c = 1 / (1 + gates.SCALE * z), gates.tail_coefficients(9)
    tail = [math.exp(-x * x) * s * sum(c[i] * s ** i for i in range(10)) for x, s in zip(z, t)]
    np.testing.assert_allclose(tail, [math.erfc(x) for x in z], rtol=2e-8)


def test_what_gates_keep():
    u = leaf(3, 4) * 2.0
    for gate, _, options in GATES.values():
        saved = gate(u, **options)._node.saved[0]
        assert saved[0] is u._data and not any(isinstance(part, np.ndarray) for part in saved[1:])


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


def test_the_logarithm_of_a_sigmoid():
    x = np.array([-1e3, -2.0, 0.0, 3.0, 1e3])
    expected = [-1e3, -2.0 - np.log1p(np.exp(-2.0)), -np.log(2), -np.log1p(np.exp(-3.0)), 0.0]
    np.testing.assert_allclose(LogSigmoid()(x).data, expected, rtol=1e-15)
    inputs = Tensor([-2.0, 0.5, 4.0], requires_grad=True),
    assert gradcheck(lambda x: (LogSigmoid()(x) * [1.0, 2.0, 3.0]).sum(), inputs)
