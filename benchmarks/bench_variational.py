"""A step of training of autoencoders, plain and variational, beside PyTorch, in float32.

A step is forward, loss, backward and Adam.  Both have the same weights and see the same numbers; the steps are next to
nothing, so that each of them finds the same loss.  PyTorch's variational loss is as it is commonly written, of its own
functions.
"""
import itertools
from functools import lru_cache

import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.autograd import Tensor
from scratchml.optim import Adam
from scratchml.reduction.autoencoder import Bottleneck, reconstruction_loss
from scratchml.reduction.variational import DRAWN, VariationalNetwork, negative_elbo

LENGTH = 1e-9                                            # of a step
PLAIN = [(64, (64, 128, 32, 2)), (64, (64, 256, 128, 64, 2))]
VARIATIONAL = [(64, (64, 128, 2)), (128, (64, 256, 10)), (512, (64, 256, 10))]


@lru_cache(maxsize=1)
def plain(B, sizes):
    network = Bottleneck(list(sizes), "relu", "identity", False, False, "float32", np.random.default_rng(0))
    return made(network, B, sizes, 1)


@lru_cache(maxsize=1)
def variational(B, sizes):
    return made(VariationalNetwork(list(sizes), "relu", "bernoulli", "float32", np.random.default_rng(0)), B, sizes, 2)


def made(ours, B, sizes, heads):
    """Our network and its optimiser, PyTorch's or None, samples, and draws for codes."""
    rng = np.random.default_rng(1)
    X, ε = rng.random((B, sizes[0]), np.float32), rng.standard_normal((B, sizes[-1]), np.float32)
    return ours, Adam(ours.parameters(), lr=LENGTH), in_pytorch(ours, sizes, heads), X, ε


def in_pytorch(ours, sizes, heads):
    try:
        import torch
    except ImportError:
        return None
    nn = torch.nn
    both = nn.ModuleDict({"encoder": chain(nn, [*sizes[:-1], heads * sizes[-1]]), "decoder": chain(nn, sizes[::-1])})
    state = ours.state_dict()
    with torch.no_grad():
        for name, weight in both.named_parameters():
            part, number, kind = name.split(".")
            weight.copy_(torch.from_numpy(state[f"{part}.{int(number) // 2}.{kind}"]))
    return both, torch.optim.Adam(both.parameters(), lr=LENGTH)


def chain(nn, sizes):
    layers = [layer for ends in itertools.pairwise(sizes) for layer in (nn.Linear(*ends), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def scratchml(ours, optimizer, theirs, X, ε):
    optimizer.zero_grad()
    x = Tensor(X)
    if isinstance(ours, Bottleneck):
        loss = reconstruction_loss(X, ours(x))
    else:
        z, kl = DRAWN(ours.heads(x), ε=ε)
        loss = negative_elbo(ours.surprises(X, ours.says(z)), kl, 1.0)
    loss.backward()
    optimizer.step()
    return loss.item()


@peer("torch")
def pytorch(ours, optimizer, theirs, X, ε):
    import torch
    net, steps = theirs
    steps.zero_grad()
    x = torch.from_numpy(X)
    h = net["encoder"](x)
    if isinstance(ours, Bottleneck):
        loss = ((net["decoder"](h) - x) ** 2).sum() / len(x)
    else:
        μ, l = h.chunk(2, dim=1)
        y = net["decoder"](μ + torch.exp(0.5 * l) * torch.from_numpy(ε))
        surprise = torch.nn.functional.binary_cross_entropy_with_logits(y, x, reduction="sum")
        loss = (surprise - 0.5 * torch.sum(1 + l - μ ** 2 - l.exp())) / len(x)
    loss.backward()
    steps.step()
    return loss.item()


BOTH = {"scratchml": scratchml, "PyTorch": pytorch}

CASES = [Case(f"{name}, batch {B}, {'-'.join(map(str, sizes))}", lambda make=make, B=B, sizes=sizes: make(B, sizes),
              BOTH, close(rtol=1e-4))
         for name, make, cases in (("autoencoder", plain, PLAIN), ("variational", variational, VARIATIONAL))
         for B, sizes in cases]
