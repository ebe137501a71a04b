"""A step of training of a transformer encoder beside PyTorch, in float32.

Three layers with norms first and four heads; a step is forward, backward, the gradient's norm bounded, and Adam.  Both
have the same weights, and drop nothing; the steps are next to nothing, so that each of them finds the same loss.
"""
from functools import lru_cache

import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml import nn
from scratchml.optim import Adam

SIZES = [(64, 10, 128, 256), (64, 20, 128, 512), (32, 50, 256, 1024)]
LENGTH = 1e-9                                            # of a step


def encoder(library, D, F, **options):
    layer = library.TransformerEncoderLayer(D, 4, F, dropout=0.0, batch_first=True, norm_first=True)
    return library.TransformerEncoder(layer, 3, library.LayerNorm(D), **options)


@lru_cache(maxsize=1)
def data(B, T, D, F):
    """Ours and its optimiser, room for theirs, sequences, and what is wanted of them."""
    rng, net = np.random.default_rng(0), encoder(nn, D, F)
    x, wanted = (rng.normal(size=(B, T, D)).astype(np.float32) for _ in range(2))
    return net, Adam(net.parameters(), lr=LENGTH), {}, x, wanted


def step(net, optimizer, clip, x, wanted):
    optimizer.zero_grad()
    loss = ((net(x) - wanted) ** 2).mean()
    loss.backward()
    clip(net.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def scratchml(net, optimizer, theirs, x, wanted):
    return step(net, optimizer, nn.utils.clip_grad_norm_, x, wanted)


def pytorch(threads):
    @peer("torch")
    def run(net, optimizer, theirs, x, wanted):
        import torch
        torch.set_num_threads(threads)
        if not theirs:                                   # made once, as ours is
            made = encoder(torch.nn, x.shape[2], net.layers[0].dim_feedforward, enable_nested_tensor=False)
            made.load_state_dict({name: torch.from_numpy(array) for name, array in net.state_dict().items()})
            theirs.update(net=made, optimizer=torch.optim.Adam(made.parameters(), lr=LENGTH))
        clip = torch.nn.utils.clip_grad_norm_
        return step(theirs["net"], theirs["optimizer"], clip, torch.from_numpy(x), torch.from_numpy(wanted))
    return run


CASES = [Case(f"a step of training, {B} x {T} x {D}, {F} units", lambda sizes=(B, T, D, F): data(*sizes),
              {"scratchml": scratchml, "PyTorch, 2 threads": pytorch(2), "PyTorch, 1 thread": pytorch(1)},
              close(rtol=1e-5)) for B, T, D, F in SIZES]
