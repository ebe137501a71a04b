"""Layers against their definitions, against elementary operations, central differences, and what must always hold."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor, grad, gradcheck
from scratchml.nn import Linear
from scratchml.nn.layers import linear, linear_by_bias, linear_by_input, linear_by_weight
from tests.reference import layers as reference
from tests.strategies.layers import affine

EPS = np.finfo(float).eps


def products(a, b):
    """A bound of the rounding in the sums of the product a b."""
    return (a.shape[1] + 2) * EPS * (abs(a) @ abs(b))


def assert_within(ours, theirs, bound):
    assert ours.shape == theirs.shape and (abs(ours - theirs) <= bound + 1e-300).all()


def leaf(*shape, seed=0, dtype=np.float64):
    return Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype), requires_grad=True)


def assert_same_gradients(ours, theirs, inputs, tolerance=1e-12):
    """Values and gradients of two expressions that should be the same, weighted at random."""
    np.testing.assert_allclose(ours.data, theirs.data, rtol=tolerance, atol=tolerance)
    weights = np.random.default_rng(1).normal(size=ours.shape)
    for a, b in zip(grad(ours, inputs, gradient=weights), grad(theirs, inputs, gradient=weights)):
        np.testing.assert_allclose(a.data, b.data, rtol=tolerance, atol=tolerance)


# --- affine maps

@given(affine())
def test_affine_maps_are_their_definition(drawn):
    x, W, b, g = drawn
    assert_within(linear(x, W, b), reference.linear(x, W, b), products(x, W.T) + 4 * EPS * abs(b))
    assert_within(linear_by_input(g, W), reference.linear_by_input(g, W), products(g, W))
    assert_within(linear_by_weight(g, x), reference.linear_by_weight(g, x), products(g.T, x))
    assert_within(linear_by_bias(g), reference.linear_by_bias(g), (len(g) + 1) * EPS * abs(g).sum(0))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 4, 3), (0, 3)])
def test_linear_equals_elementary_operations(bias, shape):
    layer, x = Linear(3, 2, bias, dtype="float64", random_state=0), leaf(*shape)
    inputs = [x, *layer.parameters()]
    assert len(inputs) == 2 + bias
    assert_same_gradients(layer(x), x @ layer.weight.T + (layer.bias if bias else 0), inputs)
    if x.data.size:
        gradcheck(lambda x, *weights: layer(x), (x,))


def test_gradients_of_the_weights_of_linear():
    layer, x = Linear(3, 2, dtype="float64", random_state=0), leaf(2, 2, 3)

    def applied(x, W, b):
        layer.weight, layer.bias = W, b
        return layer(x)
    assert gradcheck(applied, (x, leaf(2, 3, seed=1), leaf(2, seed=2)))


def test_a_batch_is_its_members_one_by_one():
    layer, x = Linear(7, 5, dtype="float64", random_state=0), leaf(6, 7)
    for n in range(6):
        np.testing.assert_allclose(layer(x).data[n], layer(x[n]).data, rtol=0, atol=20 * EPS * 7)


def test_linear_begins_within_its_bound():
    layer = Linear(100, 200, random_state=0)
    for p in layer.parameters():
        assert p.dtype == np.float32 and 0.095 < abs(p.data).max() <= 0.1
    same = Linear(100, 200, random_state=0)
    assert (layer.weight.data == same.weight.data).all() and (Linear(100, 200).weight.data != same.weight.data).any()


def test_linear_keeps_no_more_than_the_gradient_needs():
    layer, x = Linear(3, 2, random_state=0), np.ones((4, 3), np.float32)

    def kept(y):
        saved, _ = y._node.edges[0].saved
        return [part.shape for part in saved if isinstance(part, np.ndarray)]
    assert kept(layer(x)) == [(4, 3)]                    # of data no gradient is asked: no need for the weight
    assert kept(layer(Tensor(x, requires_grad=True))) == [(4, 3), (2, 3)]
    layer.weight.requires_grad = False
    assert kept(layer(x)) == []
    y = layer(Tensor(x, requires_grad=True))
    layer.weight.data[0] = 7
    with pytest.raises(RuntimeError, match="has been changed in place"):
        y.sum().backward()


def test_strides_of_the_input_do_not_matter():
    layer, x = Linear(3, 2, random_state=0), np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32).T
    for other in (x.copy(), np.asfortranarray(x), np.stack([x, x], -1)[..., 0]):
        np.testing.assert_allclose(layer(x).data, layer(other).data, rtol=1e-6)


@pytest.mark.parametrize("call, message", [
    (lambda: Linear(0, 2), "in_features=0: expected a whole number of at least 1"),
    (lambda: Linear(2, 1.5), "out_features=1.5"), (lambda: Linear(2, 2, dtype="int32"), "dtype='int32'"),
    (lambda: Linear(3, 2)(np.ones((4, 2))),
     r"input: Linear\(in_features=3, out_features=2\) expected shape \(..., 3\), got \(4, 2\)"),
    (lambda: Linear(3, 2)(1.0), r"expected shape \(..., 3\), got \(\)"),
    (lambda: Linear(3, 2)(Tensor(np.ones((1, 3)))), "computes in float32, got a Tensor of float64"),
    (lambda: Linear(3, 2, random_state="x"), "random_state='x'"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
