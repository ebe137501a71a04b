"""Additive attention against PyTorch, whose hidden layer is an array: a layer, forward and back, and what it holds."""
import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.nn import AdditiveAttention

rng = np.random.default_rng(0)


def close(theirs, ours):
    """To 1e-5 of the largest entry of each array."""
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * abs(b).max())


def data(B, L, S, D, H):
    layer = AdditiveAttention(D, H, random_state=0)
    return layer, *(rng.normal(size=(B, places, D)).astype(np.float32) for places in (L, S, L))


def ours(layer, query, keys, g):
    layer.zero_grad()
    query, keys = Tensor(query, requires_grad=True), Tensor(keys, requires_grad=True)
    y, _ = layer(query, keys)
    y.backward(g)
    return y.data, query.grad.data, keys.grad.data, *(p.grad.data for p in layer.parameters())


def pytorch(threads):
    @peer("torch")
    def theirs(layer, query, keys, g):
        import torch
        torch.set_num_threads(threads)
        query, keys, *weights = (torch.from_numpy(a).requires_grad_()
                                 for a in (query, keys, *(p.data for p in layer.parameters())))
        W, U, b, w = weights
        hidden = torch.tanh((query @ W.T).unsqueeze(2) + (keys @ U.T + b).unsqueeze(1))
        y = (hidden @ w[0]).softmax(-1) @ keys
        y.backward(torch.from_numpy(g))
        return y.detach().numpy(), *(t.grad.numpy() for t in (query, keys, *weights))
    return theirs


def case(*sizes):
    B, L, S, D, H = sizes
    return Case(f"batch {B}, {L} queries, {S} keys, {D} wide, {H} units, float32", lambda: data(*sizes),
                {"scratchml": ours, "PyTorch, 2 threads": pytorch(2), "PyTorch, 1 thread": pytorch(1)}, close)


CASES = [case(32, 20, 25, 128, 128), case(64, 1, 20, 256, 256)]
