"""Gradients of gradients through layers whose gradient is derived by hand, and the refusal where there are none."""
import numpy as np
import pytest

from scratchml import nn
from scratchml.autograd import Tensor, grad, gradgradcheck

IDS = np.array([[0, 2, 2], [1, 0, 3]])


def x(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def with_weights(layer):
    """(f, weights): the layer as a function of its input and its weights."""
    names = [name for name, _ in layer.named_parameters()]

    def f(*arguments):
        for name, weight in zip(names, arguments[len(arguments) - len(names):]):
            layer.__dict__[name] = layer._parameters[name] = weight
        return layer(*arguments[:len(arguments) - len(names)])
    weights = [Tensor(0.5 + w.data.astype(np.float64), requires_grad=True) for _, w in layer.named_parameters()]
    return f, weights


LAYERS = {
    "Linear": (lambda: nn.Linear(3, 2, dtype="float64"), (4, 3)),
    "Linear of sequences": (lambda: nn.Linear(3, 2, dtype="float64"), (2, 2, 3)),
    "Linear of a vector": (lambda: nn.Linear(3, 2, bias=False, dtype="float64"), (3,)),
    "LayerNorm": (lambda: nn.LayerNorm(4, dtype="float64"), (3, 4)),
    "LayerNorm of two dimensions": (lambda: nn.LayerNorm((2, 3), dtype="float64"), (2, 2, 3)),
    "LayerNorm without weights": (lambda: nn.LayerNorm(4, elementwise_affine=False, dtype="float64"), (2, 4)),
    "LayerNorm without a shift": (lambda: nn.LayerNorm(4, bias=False, dtype="float64"), (2, 4)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3, dtype="float64"), (5, 3)),
    "BatchNorm1d of sequences": (lambda: nn.BatchNorm1d(2, dtype="float64"), (3, 2, 4)),
    "BatchNorm1d without weights": (lambda: nn.BatchNorm1d(3, affine=False, dtype="float64"), (4, 3)),
    "BatchNorm1d outside of training": (lambda: nn.BatchNorm1d(3, dtype="float64").eval(), (4, 3)),
    "LeakyReLU": (lambda: nn.LeakyReLU(0.1), (3, 4)), "LeakyReLU that falls": (lambda: nn.LeakyReLU(-0.5), (3, 4)),
    "GLU": (lambda: nn.GLU(), (2, 4)), "GLU along": (lambda: nn.GLU(dim=0), (4, 2)),
    "GELU": (lambda: nn.GELU(), (2, 3)),
    "SiLU": (lambda: nn.SiLU(), (2, 3)), "ELU": (lambda: nn.ELU(0.7), (2, 3)),
    "Softplus": (lambda: nn.Softplus(), (2, 3)),
    "Tanh": (lambda: nn.Tanh(), (2, 3)), "Softmax": (lambda: nn.Softmax(1), (2, 3)),
    "ReLU": (lambda: nn.ReLU(), (2, 3)),
}


@pytest.mark.parametrize("make, shape", LAYERS.values(), ids=LAYERS)
def test_layers(make, shape):
    f, weights = with_weights(make())
    assert gradgradcheck(lambda *given: f(given[0], *given[1:]), (x(*shape), *weights))


@pytest.mark.parametrize("padding", [None, 2])
def test_vectors_of_words(padding):
    f, weights = with_weights(nn.Embedding(4, 2, padding, dtype="float64"))
    assert gradgradcheck(lambda E: f(IDS, E) ** 3, weights[0])


LOSSES = {
    "mean": lambda z: nn.cross_entropy(z, [2, 0, 1]), "sum": lambda z: nn.cross_entropy(z, [2, 0, 1], reduction="sum"),
    "each": lambda z: nn.cross_entropy(z, [2, 0, 1], reduction="none"),
    "weighted and smoothed": lambda z: nn.cross_entropy(z, [2, 0, 1], [1.0, 2.0, 0.5], label_smoothing=0.2),
    "ignored": lambda z: nn.cross_entropy(z, [2, 0, 9], ignore_index=9), "a weight of 0": lambda z: nn.cross_entropy(
        z, [2, 0, 1], [1.0, 0.0, 2.0]), "one sample": lambda z: nn.cross_entropy(z[0], 2),
    "positions": lambda z: nn.cross_entropy(z.reshape(3, 3, 1).expand(3, 3, 2), [[0, 1], [2, 2], [1, 0]]),
    "probabilities": lambda z: nn.cross_entropy(z, [[0.2, 0.8, 0.0]] * 3), "nll": lambda z: nn.nll_loss(
        z.log_softmax(1), [0, 1, 2]), "binary": lambda z: nn.binary_cross_entropy_with_logits(z, np.eye(3)),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_losses(loss):
    assert gradgradcheck(loss, x(3, 3))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_gradient_is_the_same_either_way(loss):
    z = x(3, 3)
    y = loss(z)
    w = np.random.default_rng(1).normal(size=y.shape)
    by_hand, = grad(y, z, w, retain_graph=True)
    composed, = grad(y, z, w, create_graph=True)
    np.testing.assert_allclose(composed.data, by_hand.data, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("make, shape", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_layers_are_the_same_either_way(make, shape, dtype):
    layer = make().to(dtype)
    given = Tensor(x(*shape).data.astype(dtype), requires_grad=True)
    y = layer(given)
    wanted = [given, *layer.parameters()]
    w = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    by_hand = grad(y, wanted, w, retain_graph=True)
    composed = grad(y, wanted, w, create_graph=True)
    for a, b in zip(composed, by_hand):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a.data, b.data, rtol=0, atol=(1e-4 if dtype == "float32" else 1e-12))


def test_a_gradient_penalty_trains():
    """‖∂y/∂x‖² of a small network, by its weights, against central differences."""
    net = nn.Sequential(nn.Linear(3, 4, dtype="float64"), nn.LayerNorm(4, dtype="float64"), nn.SiLU(),
                        nn.Dropout(0.5, random_state=0).eval(), nn.Linear(4, 1, dtype="float64"))
    given = x(5, 3)

    def price():
        g, = grad(net(given).sum(), given, create_graph=True)
        return (g * g).sum()
    price().backward()
    for w in net.parameters():
        if w.grad is None:                               # the last bias: no slope depends on it
            continue
        at = (0,) * w.ndim
        sides = []
        for h in (1e-5, -1e-5):
            w.data[at] += h
            sides.append(price().item())
            w.data[at] -= h
        np.testing.assert_allclose(w.grad.data[at], (sides[0] - sides[1]) / 2e-5, rtol=1e-5, atol=1e-7)
    assert sum(w.grad is None for w in net.parameters()) <= 1


def test_dropout_in_training():
    layer, given = nn.Dropout(0.5, random_state=0), x(4, 4)
    y = (layer(given) ** 3).sum()
    g, = grad(y, given, create_graph=True)
    second, = grad(g.sum(), given)
    kept = g.data != 0
    np.testing.assert_allclose(second.data, np.where(kept, 6 * 8 * given.data, 0))


@pytest.mark.parametrize("layer", [nn.LSTM(3, 2, dtype="float64"), nn.GRU(3, 2, dtype="float64")])
def test_layers_that_refuse(layer):
    given = x(4, 2, 3)
    g, = grad(layer(given)[0].sum(), given, create_graph=True)
    with pytest.raises(RuntimeError, match="derived by hand and has no derivative itself"):
        g.sum().backward()
