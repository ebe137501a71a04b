"""Activations against their definitions, elementary operations and central differences; the price on activity."""
import copy

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, grad, gradcheck, gradgradcheck
from scratchml.nn import (GLU, ActivityL2, LeakyReLU, Linear, LogSoftmax, PReLU, ReLU, Sequential, Sigmoid, Softmax,
                          Tanh, activations, penalty)
from scratchml.nn.activations import (ACTIVITY, activity, activity_by_input, glu, glu_by_input, leaky_relu,
                                      leaky_relu_by_input)
from tests.nn.test_layers import assert_same_gradients, leaf
from tests.reference import activations as reference
from tests.strategies.activations import entries, slopes

EPS = np.finfo(float).eps


# --- kinks

@given(entries(), slopes)
def test_leaky_relu_is_its_definition(drawn, s):
    g, u, _ = drawn
    np.testing.assert_array_equal(leaky_relu(u, s), reference.leaky_relu(u, s))
    np.testing.assert_array_equal(leaky_relu_by_input(g, u, s), reference.leaky_relu_by_input(g, u, s))


@given(entries(), slopes)
def test_leaky_relu_equals_elementary_operations(drawn, s):
    x = Tensor(drawn[0], requires_grad=True)
    assert_same_gradients(LeakyReLU(s)(x), x.leaky_relu(s), [x])


@pytest.mark.parametrize("s", [0.0, 0.3, -2.0])
def test_gradient_of_leaky_relu(s):
    x = leaf(3, 4)
    assert gradcheck(LeakyReLU(s), x)
    saved, _ = (y := LeakyReLU(s)(x))._node.saved
    assert (saved[0] is x.detach().numpy()) == (s < 0) and (saved[0] is y._data) == (s >= 0)


@pytest.mark.parametrize("s", [0.0, 0.5, -0.5])
def test_slopes_at_zero_and_where_the_result_underflows(s):
    x = Tensor([0.0, -0.0, -5e-324, 5e-324, -np.inf if s else -1.0, np.inf], requires_grad=True)
    LeakyReLU(s)(x).backward(np.ones(6))
    assert x.grad.data.tolist() == [s, s, s, 1, s, 1]


@given(entries(), st.sampled_from("12"))
def test_relu_is_the_operation_of_tensors(drawn, threads):
    g, u = Tensor(drawn[0]), Tensor(drawn[1], requires_grad=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activations, "CHUNK", 3)
        patch.setenv("SCRATCHML_NUM_THREADS", threads)
        ours, theirs = ReLU()(u), u.relu()
        assert (ours.data == theirs.data).all()
        expected = grad(theirs, u, g)[0].data
        for graph in (False, True):
            assert (grad(ours, u, g, retain_graph=True, create_graph=graph)[0].data == expected).all()


def test_relu_at_the_ends():
    u = Tensor(np.array([np.inf, -np.inf, 0.0, np.nan, 1.0, -1.0], np.float32), requires_grad=True)
    y = ReLU()(u)
    np.testing.assert_array_equal(y.data, np.array([np.inf, 0, 0, np.nan, 1, 0], np.float32))
    y.backward(np.full(6, np.inf, np.float32))
    assert u.grad.data.tolist() == [np.inf, 0, 0, 0, np.inf, 0] and u.grad.dtype == np.float32
    one = Tensor(2.0, requires_grad=True)
    ReLU()(one).backward()
    assert one.grad.item() == 1 and one.grad.shape == () and ReLU()(np.zeros((0, 2))).shape == (0, 2)


# --- gates

@given(entries())
def test_gates_are_their_definition(drawn):
    g, u, v = drawn
    rounding = dict(rtol=20 * EPS, atol=1e-300)
    np.testing.assert_allclose(glu(u, v), reference.glu(u, v), **rounding)
    by_u, by_v = reference.glu_by_input(g, u, v)
    np.testing.assert_allclose(glu_by_input(g, u, v)[0], by_u, **rounding)
    # 1 - σ(v) has an absolute error of one rounding of 1.
    np.testing.assert_allclose(glu_by_input(g, u, v)[1], by_v, rtol=20 * EPS, atol=4 * EPS * abs(g * u).max(initial=0))


@pytest.mark.parametrize("dim, shape", [(-1, (3, 4)), (0, (6,)), (1, (2, 6, 3))])
def test_glu_equals_elementary_operations(dim, shape):
    x = leaf(*shape)
    a, b = x.split(shape[dim] // 2, dim % len(shape))
    assert_same_gradients(GLU(dim)(x), a * b.sigmoid(), [x])
    assert gradcheck(GLU(dim), x)
    saved, _ = GLU(dim)(x)._node.saved
    assert saved[0] is x.detach().numpy() and len(saved) == 2


# --- the others

def test_the_others_are_operations_of_tensors():
    x = leaf(2, 3)
    for layer, y in ((ReLU(), x.relu()), (Tanh(), x.tanh()), (Sigmoid(), x.sigmoid()), (Softmax(1), x.softmax(1)),
                     (LogSoftmax(1), x.log_softmax(1))):
        assert_same_gradients(layer(x), y, [x])
    assert (Tanh()(x.data.tolist()).data == np.tanh(x.data)).all()


def test_float32_stays():
    x = leaf(4, 6, dtype=np.float32)
    for layer in (LeakyReLU(0.1), LeakyReLU(-0.1), GLU(), ReLU(), Tanh(), Sigmoid(), Softmax(0), ActivityL2()):
        y = layer(x)
        x.grad = None
        y.sum().backward()
        assert y.dtype == x.grad.dtype == np.float32


# --- a price on activity

@given(entries(), slopes)
def test_price_of_activity_is_its_definition(drawn, λ):
    u = drawn[0]
    if len(u):
        np.testing.assert_allclose(activity(u, λ), reference.activity(u, λ), rtol=2 * u.size * EPS)
        np.testing.assert_allclose(activity_by_input(u, λ), reference.activity_by_input(u, λ), rtol=4 * EPS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_of_a_price(dtype):
    """Once and twice, of what is scaled afterwards."""
    x = Tensor(np.random.default_rng(0).normal(size=(3, 2, 2)).astype(dtype), requires_grad=True)
    assert ACTIVITY(x, λ=0.7).dtype == dtype
    x = leaf(3, 2, 2)
    assert gradcheck(lambda x: 3 * ACTIVITY(x, λ=0.7), (x,)) and gradgradcheck(lambda x: ACTIVITY(x, λ=0.7) ** 2, (x,))


def test_prices_are_fetched_once_and_reach_the_weights():
    net = Sequential(Linear(3, 2, dtype="float64", random_state=0), ActivityL2(0.5), Tanh(), ActivityL2(0.1))
    x = leaf(4, 3)
    assert penalty(net) == 0
    h = net[0](x)
    expected = 0.5 / 4 * (h * h).sum() + 0.1 / 4 * (h.tanh() ** 2).sum()
    expected.backward()
    before = net[0].weight.grad.data
    net.zero_grad()
    assert (net(x).data == h.tanh().data).all()
    copy.deepcopy(net)                                   # although a price waits
    total = penalty(net)
    np.testing.assert_allclose(total.data, expected.data, rtol=1e-14)
    total.backward()
    np.testing.assert_allclose(net[0].weight.grad.data, before, rtol=1e-12)
    assert penalty(net) == 0
    net.eval()(x)
    assert penalty(net) == 0


@pytest.mark.parametrize("call, message", [
    (lambda: LeakyReLU(np.nan), "negative_slope=nan"), (lambda: ActivityL2(-1), "l2=-1"),
    (lambda: GLU()(np.ones((2, 3))), r"GLU\(dim=-1\) expected a dimension -1 of even length, got shape \(2, 3\)"),
    (lambda: GLU(2)(np.ones((2, 4))), r"got shape \(2, 4\)"), (lambda: GLU(0.5), "dim=0.5: .* at least -64"),
    (lambda: Softmax(2)(np.ones(3)), "dim=2: expected a whole number from -1 to 0"),
    (lambda: ActivityL2()(1.0), r"expected samples in the first dimension, got shape \(\)"),
    (lambda: ReLU()(["a"]), "expected real numbers"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_slopes_of_channels_need_as_many_channels():
    assert PReLU(2, 0.5, dtype="float64")([[-1.0, 2.0]]).tolist() == [[-0.5, 2.0]]
    with pytest.raises(ValueError, match=r"expected shape \(N, 3, ...\), got \(1, 2\)"):
        PReLU(3)([[1.0, 2.0]])
