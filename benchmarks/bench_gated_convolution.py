"""Six gated convolutions with residuals, there and back, against PyTorch; sequences of one length, and of many."""
from functools import cache

import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.nn import GatedConv1d, gated_convolution

LAYERS, TAPS = 6, 5


@cache
def layers(channels):
    return [GatedConv1d(channels, TAPS, random_state=k) for k in range(LAYERS)]


@cache
def their_layers(channels):
    """With the weights of ours."""
    import torch
    convolutions = [torch.nn.Conv1d(channels, 2 * channels, TAPS) for _ in range(LAYERS)]
    for layer, convolution in zip(layers(channels), convolutions):
        convolution.load_state_dict({name: torch.from_numpy(array) for name, array in layer.state_dict().items()})
    return convolutions


def data(S, T, C, shortest):
    """Sequences, weights of the result, and lengths; behind the end of a sequence all is 0."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(shortest, T + 1, size=S)
    lengths[0] = T
    there = (np.arange(T) < lengths[:, None])[:, :, None]
    return (*(np.where(there, rng.normal(size=(S, T, C)), 0).astype(np.float32) for _ in range(2)), lengths)


def formula(x, g, lengths):
    """The equations in NumPy, on the rows that there are."""
    there = np.arange(x.shape[1]) < lengths[:, None]
    X, by_y, starts = x[there], g[there], np.append(0, lengths.cumsum())
    weights, seen = [(layer.weight.data, layer.bias.data) for layer in layers(x.shape[2])], []
    for W, b in weights:
        N = gated_convolution.neighbourhoods(X, starts, TAPS, 1, 0)
        H = gated_convolution.halves(N, W, b)
        X = gated_convolution.residual(H, X)
        seen.append((N, H))
    for (W, _), (N, H) in zip(reversed(weights), reversed(seen)):
        by_y = 0.5**0.5 * by_y
        by_W, _, G = gated_convolution.product_gradients(gated_convolution.halves_gradient(by_y, H), N, W)
        by_y = by_y + gated_convolution.rows_gradient(G, starts, TAPS, 1, 0)
    return X, by_y, by_W


def scratchml(x, g, lengths):
    y = x = Tensor(x, requires_grad=True)
    for layer in layers(x.shape[2]):
        layer.zero_grad()
        y = layer(y, lengths)
    y.backward(g)
    there = np.arange(x.shape[1]) < lengths[:, None]
    return y.data[there], x.grad.data[there], layers(x.shape[2])[0].weight.grad.data


def pytorch(threads):
    @peer("torch")
    def theirs(x, g, lengths):
        import torch
        torch.set_num_threads(threads)
        there = np.arange(x.shape[1]) < lengths[:, None]
        y = x = torch.from_numpy(x.swapaxes(1, 2)).contiguous().requires_grad_()
        for convolution in their_layers(x.shape[1]):
            convolution.zero_grad()
            inside = torch.nn.functional.pad(y, (TAPS - 1, 0))
            y = 0.5**0.5 * (y + torch.nn.functional.glu(convolution(inside), 1))
        y.backward(torch.from_numpy(g.swapaxes(1, 2)))
        results = [array.detach().numpy().swapaxes(1, 2)[there] for array in (y, x.grad)]
        return *results, their_layers(x.shape[1])[0].weight.grad.numpy()
    return theirs


def near(theirs, ours):
    for a, b in zip(theirs, ours, strict=True):
        assert np.linalg.norm(a - b) <= 1e-5 * np.linalg.norm(a)


def case(S, T, C, shortest, told):
    return Case(f"six layers of 5 taps, {S} x {T} x {C}, {told}, float32, there and back",
                lambda: data(S, T, C, shortest),
                {"formula": formula, "scratchml": scratchml, "PyTorch, 2 threads": pytorch(2),
                 "PyTorch, 1 thread": pytorch(1)}, near)


CASES = [case(64, 20, C, shortest, told) for C in (64, 128, 256)
         for shortest, told in ((20, "all of that length"), (5, "lengths 5 to 20"))]
CASES += [case(16, 200, 128, 100, "lengths 100 to 200")]
