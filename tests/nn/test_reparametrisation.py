"""Weight normalisation against its definition and central differences; weights as one vector and back."""
import copy

import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import Conv1d, Linear, ReLU, Sequential, utils
from scratchml.nn.reparametrisation import (
    of_lengths, parameters_to_vector, remove_weight_norm, vector_to_parameters, weight_norm,
)
from tests.reference import reparametrisation as reference
from tests.strategies.reparametrisation import lengths_and_directions

EPS = np.finfo(float).eps


@given(lengths_and_directions())
def test_definition(drawn):
    np.testing.assert_allclose(of_lengths(*drawn).data, reference.of_lengths(*drawn), rtol=16 * EPS)


@pytest.mark.parametrize("shape", [(3, 1), (1, 4), ()])
def test_gradients_and_lengths(shape):
    rng = np.random.default_rng(0)
    g, v = (Tensor(rng.uniform(0.5, 2, s), requires_grad=True) for s in (shape, (3, 4)))
    gradcheck(of_lengths, (g, v))
    over = 1 if shape == (3, 1) else 0 if shape else None
    np.testing.assert_allclose(np.linalg.norm(of_lengths(g, v).data, axis=over).ravel(), g.data.ravel())


@pytest.mark.parametrize("dim", [0, 1, -1, None])
@pytest.mark.parametrize("layer", [Linear(3, 3, dtype="float64", random_state=0),
                                   Conv1d(2, 2, 2, dtype="float64", random_state=0)], ids=["linear", "conv"])
def test_a_layer_computes_the_same_before_within_and_after(layer, dim):
    layer = copy.deepcopy(layer)
    x = np.random.default_rng(1).normal(size=(2, 3) if layer.weight.ndim == 2 else (2, 2, 5))
    before = layer(x).data
    assert weight_norm(layer, dim=dim) is layer and set(layer.state_dict()) == {"bias", "weight_g", "weight_v"}
    assert [name for name, _ in layer.named_parameters()] == ["bias", "weight_g", "weight_v"]
    np.testing.assert_allclose(layer(x).data, before, rtol=1e-13)
    twin = copy.deepcopy(layer)
    twin.weight_g.data = 2 * twin.weight_g.data
    np.testing.assert_allclose((twin(x) - twin.bias.reshape(-1, *[1] * (x.ndim - 2))).data,
                               2 * (layer(x) - layer.bias.reshape(-1, *[1] * (x.ndim - 2))).data, rtol=1e-13)
    layer(x).sum().backward()
    assert layer.weight_g.grad is not None and layer.weight_v.grad.shape == layer.weight_v.shape
    assert remove_weight_norm(layer) is layer and set(layer.state_dict()) == {"bias", "weight"}
    np.testing.assert_allclose(layer(x).data, before, rtol=1e-13)


def test_within_a_sequence_and_in_another_dtype():
    net = Sequential(weight_norm(Linear(3, 4, random_state=0)), ReLU(), Linear(4, 1, random_state=0)).double()
    x = np.ones((2, 3))
    net[0].weight_g.data = 3 * net[0].weight_g.data
    assert net(x).dtype == np.float64 and (net(x).data == net[2](net[1](net[0](x))).data).all()


def test_one_vector_and_back():
    net = Sequential(Linear(3, 2, random_state=0), Linear(2, 1, bias=False, random_state=0))
    vector = parameters_to_vector(net.parameters())
    assert vector.shape == (10,) and vector.requires_grad
    assert (vector.data[:6].reshape(2, 3) == net[0].weight.data).all()
    vector_to_parameters(np.arange(10.0), net.parameters())
    assert net[0].bias.tolist() == [6, 7] and net[1].weight.tolist() == [[8, 9]] and net[0].bias.dtype == np.float32
    utils.vector_to_parameters(vector, net.parameters())
    assert (utils.parameters_to_vector(net.parameters()).data == vector.data).all()


@pytest.mark.parametrize("call, message", [
    (lambda: weight_norm(Linear(2, 1), "wait"), "name='wait'"), (lambda: weight_norm(ReLU()), "a weight of the layer"),
    (lambda: weight_norm(weight_norm(Linear(2, 1))), "name='weight'"),
    (lambda: remove_weight_norm(Linear(2, 1)), "no weight of this name under weight_norm"),
    (lambda: weight_norm(zeros()), "a vector of zeros has no direction"),
    (lambda: parameters_to_vector([]), "at least one, got none"),
    (lambda: vector_to_parameters(np.ones(4), Linear(2, 1).parameters()), r"expected shape \(3,\), .* got \(4,\)"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def zeros():
    layer = Linear(2, 2)
    layer.weight.data[1] = 0
    return layer
