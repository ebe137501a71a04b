"""Training steps and single layers, forward and backward, against PyTorch, with the same weights."""
from functools import cache

import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.nn import (BatchNorm1d, Dropout, Embedding, LayerNorm, LeakyReLU, Linear, Sequential, cross_entropy)
from scratchml.optim import SGD, Adam

STEPS = 50
rng = np.random.default_rng(0)


# --- training steps: Linear, BatchNorm1d, LeakyReLU, Dropout, Linear, cross-entropy

def digits_like(optimiser):
    X, y = rng.normal(size=(64, 64)).astype(np.float32), rng.integers(10, size=64)
    return X, y, network(Linear, BatchNorm1d, LeakyReLU, Dropout, Sequential, random_state=0).state_dict(), optimiser


def network(Linear, BatchNorm1d, LeakyReLU, Dropout, Sequential, **seed):
    return Sequential(Linear(64, 128, **seed), BatchNorm1d(128), LeakyReLU(0.01), Dropout(0.5, **seed),
                      Linear(128, 10, **seed))


def trained(net, optimiser, loss_of, X, y):
    """The mean loss of the last steps: dropout draws other entries everywhere."""
    losses = []
    for _ in range(STEPS):
        loss = loss_of(net(X), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss)
    return np.mean([loss.item() for loss in losses[-10:]])


def ours(X, y, state, optimiser):
    net = network(Linear, BatchNorm1d, LeakyReLU, Dropout, Sequential, random_state=0)
    net.load_state_dict(state)
    make = {"SGD": lambda p: SGD(p, lr=0.1, momentum=0.9), "Adam": lambda p: Adam(p, lr=3e-3)}[optimiser]
    return trained(net, make(net.parameters()), cross_entropy, Tensor(X), y)


def pytorch(threads):
    @peer("torch")
    def theirs(X, y, state, optimiser):
        import torch
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        nn = torch.nn
        net = network(nn.Linear, nn.BatchNorm1d, nn.LeakyReLU, nn.Dropout, nn.Sequential)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
        make = {"SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
                "Adam": lambda p: torch.optim.Adam(p, lr=3e-3)}[optimiser]
        return trained(net, make(net.parameters()), nn.functional.cross_entropy, torch.tensor(X), torch.tensor(y))
    return theirs


def learned_alike(theirs, ours):
    assert abs(theirs - ours) < 0.1 and 0 < theirs < 1.5, (theirs, ours)


# --- one layer, there and back

def layer_data(kind):
    return {
        "Linear, 4,096 x 256 to 256": (rng.normal(size=(4096, 256)), (256, 256)),
        "BatchNorm1d, 4,096 x 256": (rng.normal(size=(4096, 256)), (256,)),
        "LayerNorm, 4,096 x 256": (rng.normal(size=(4096, 256)), (256,)),
        "Embedding, 32 x 128 of 10,000 x 64": (rng.integers(10_000, size=(32, 128)), (10_000, 64)),
        "cross_entropy, 4,096 x 1,000": (rng.normal(size=(4096, 1000)), ()),
    }[kind]


@cache
def layer_of(name, sizes):
    """Made once: what is timed is its use."""
    return dict(Linear=Linear, BatchNorm1d=BatchNorm1d, LayerNorm=LayerNorm, Embedding=Embedding)[name](*sizes)


@cache
def their_layer_of(name, sizes):
    import torch
    return getattr(torch.nn, name)(*sizes)


def layer_case(kind):
    name = kind.split(",")[0]

    def data():
        X, sizes = layer_data(kind)
        return X if X.dtype.kind == "i" else X.astype(np.float32), sizes, rng.integers(1000, size=len(X))

    def scratchml(X, sizes, y):
        x = X if X.dtype.kind == "i" else Tensor(X, requires_grad=True)
        if name == "cross_entropy":
            cross_entropy(x, y).backward()
            return x.grad.data
        layer = layer_of(name, sizes)
        layer.zero_grad()
        result = layer(x)
        result.backward(weights(result.shape))
        return layer.weight.grad.data if name == "Embedding" else x.grad.data if name != "Linear" else np.zeros(1)

    def pytorch(threads):
        @peer("torch")
        def theirs(X, sizes, y):
            import torch
            torch.set_num_threads(threads)
            x = torch.from_numpy(X) if X.dtype.kind == "i" else torch.from_numpy(X).requires_grad_()
            x.grad = None
            if name == "cross_entropy":
                torch.nn.functional.cross_entropy(x, torch.from_numpy(y)).backward()
                return x.grad.numpy()
            layer = their_layer_of(name, sizes)
            layer.zero_grad()
            result = layer(x)
            result.backward(torch.from_numpy(weights(tuple(result.shape))))
            return (layer.weight.grad.numpy() if name == "Embedding" else x.grad.numpy() if name != "Linear" else
                    np.zeros(1))
        return theirs
    return Case(f"{kind}, float32, there and back", data, {"scratchml": scratchml, "PyTorch, 2 threads": pytorch(2),
                                                           "PyTorch, 1 thread": pytorch(1)}, near)


WEIGHTS = {}


def weights(shape):
    """Numbers by which a result is weighted, the same for everyone."""
    if shape not in WEIGHTS:
        WEIGHTS[shape] = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    return WEIGHTS[shape]


def near(theirs, ours):
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5 * max(abs(ours).max(), 1e-30))


def steps_case(optimiser):
    return Case(f"{STEPS} training steps, 64-128-10 with batch norm and dropout, batch 64, float32, {optimiser}",
                lambda: digits_like(optimiser), {"scratchml": ours, "PyTorch, 2 threads": pytorch(2),
                                                 "PyTorch, 1 thread": pytorch(1)}, learned_alike)


CASES = [
    steps_case("SGD"), steps_case("Adam"),
    *map(layer_case, ("Linear, 4,096 x 256 to 256", "BatchNorm1d, 4,096 x 256", "LayerNorm, 4,096 x 256",
                      "Embedding, 32 x 128 of 10,000 x 64", "cross_entropy, 4,096 x 1,000")),
]
