"""Training steps and single layers, forward and backward, against PyTorch, with the same weights."""
from functools import cache

import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.nn import (ELU, GELU, BatchNorm1d, Conv1d, Dropout, Embedding, LayerNorm, LeakyReLU, Linear, ReLU,
                          Sequential, SiLU, cross_entropy)
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
        "BatchNorm1d, 64 x 128 x 100": (rng.normal(size=(64, 128, 100)), (128,)),
        "GELU, 4,096 x 256": (rng.normal(size=(4096, 256)), ()),
        "SiLU, 4,096 x 256": (rng.normal(size=(4096, 256)), ()),
        "ELU, 4,096 x 256": (rng.normal(size=(4096, 256)), ()),
        "Conv1d, 32 x 64 x 100 to 64, 5 taps": (rng.normal(size=(32, 64, 100)), (64, 64, 5)),
        "Embedding, 32 x 128 of 10,000 x 64": (rng.integers(10_000, size=(32, 128)), (10_000, 64)),
        "cross_entropy, 4,096 x 1,000": (rng.normal(size=(4096, 1000)), ()),
    }[kind]


@cache
def layer_of(name, sizes):
    """Made once: what is timed is its use."""
    layers = BatchNorm1d, Conv1d, ELU, Embedding, GELU, LayerNorm, Linear, SiLU
    return {layer.__name__: layer for layer in layers}[name](*sizes)


@cache
def their_layer_of(name, sizes):
    """With the weights of ours."""
    import torch
    layer = getattr(torch.nn, name)(*sizes)
    state = layer_of(name, sizes).state_dict()
    layer.load_state_dict({key: torch.from_numpy(np.array(array)) for key, array in state.items()})
    return layer


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
        return layer.weight.grad.data if name == "Embedding" else x.grad.data

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
            return layer.weight.grad.numpy() if name == "Embedding" else x.grad.numpy()
        return theirs
    return Case(f"{kind}, float32, there and back", data, {"scratchml": scratchml, "PyTorch, 2 threads": pytorch(2),
                                                           "PyTorch, 1 thread": pytorch(1)}, near)


# --- six convolutions of 5 taps with relu in between, there and back

def convolutions(Conv1d, ReLU, Sequential, channels, **seed):
    return Sequential(*[layer for _ in range(6)
                        for layer in (Conv1d(channels, channels, 5, padding=2, **seed), ReLU())])


@cache
def stacks(channels):
    """Ours, and PyTorch's with the same weights where it is installed."""
    ours = convolutions(Conv1d, ReLU, Sequential, channels, random_state=0)
    try:
        import torch
    except ImportError:
        return ours, None
    theirs = convolutions(torch.nn.Conv1d, torch.nn.ReLU, torch.nn.Sequential, channels)
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    return ours, theirs


def stack_case(N, C, T):
    def scratchml(X):
        net, _ = stacks(C)
        net.zero_grad()
        net(Tensor(X)).backward(weights(X.shape))
        return tuple(p.grad.data for p in net.parameters())

    def pytorch(threads):
        @peer("torch")
        def theirs(X):
            import torch
            torch.set_num_threads(threads)
            _, net = stacks(C)
            net.zero_grad()
            net(torch.from_numpy(X)).backward(torch.from_numpy(weights(X.shape)))
            return tuple(p.grad.numpy() for p in net.parameters())
        return theirs

    def agree(theirs, ours):
        """By norm: of millions of values some are so near the kink of ReLU that rounding decides on which side."""
        for a, b in zip(theirs, ours, strict=True):
            assert np.linalg.norm(a - b) <= 5e-3 * np.linalg.norm(a)
    return Case(f"six Conv1d of 5 taps with ReLU, {N} x {C} x {T}, float32, there and back",
                lambda: (rng.normal(size=(N, C, T)).astype(np.float32),),
                {"scratchml": scratchml, "PyTorch, 2 threads": pytorch(2), "PyTorch, 1 thread": pytorch(1)}, agree)


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
    *map(layer_case, ("Linear, 4,096 x 256 to 256", "BatchNorm1d, 4,096 x 256", "BatchNorm1d, 64 x 128 x 100",
                      "LayerNorm, 4,096 x 256", "GELU, 4,096 x 256", "SiLU, 4,096 x 256", "ELU, 4,096 x 256",
                      "Conv1d, 32 x 64 x 100 to 64, 5 taps", "Embedding, 32 x 128 of 10,000 x 64",
                      "cross_entropy, 4,096 x 1,000")),
    stack_case(32, 64, 100), stack_case(64, 64, 20), stack_case(64, 256, 20),
]
