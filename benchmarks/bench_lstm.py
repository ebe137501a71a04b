"""LSTM layers forward and backward in float32: ours, PyTorch's, and nothing but the matrix products of both."""
import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.nn import GRU, LSTM

SIZES = [(1, 50, 32, 32), (32, 50, 64, 128), (64, 100, 256, 256)]


def data(name, B, T, D, H):
    """A layer of ours and one of PyTorch's with the same weights, inputs, and the gradients of the results."""
    rng = np.random.default_rng(0)
    ours, theirs = {"LSTM": LSTM, "GRU": GRU}[name](D, H, random_state=0), None
    x, g = (rng.normal(size=(T, B, size)).astype(np.float32) for size in (D, H))
    try:
        import torch
        theirs = getattr(torch.nn, name)(D, H)
        theirs.load_state_dict({key: torch.tensor(value) for key, value in ours.state_dict().items()})
    except ImportError:
        pass
    return ours, theirs, x, g


def scratchml(ours, theirs, x, g):
    ours.zero_grad()
    x = Tensor(x, requires_grad=True)
    y, _ = ours(x)
    y.backward(Tensor(g))
    return y.data, x.grad.data, *(p.grad.data for p in ours.parameters())


@peer("torch")
def pytorch(ours, theirs, x, g):
    import torch
    theirs.zero_grad()
    x = torch.tensor(x, requires_grad=True)
    y, _ = theirs(x)
    y.backward(torch.from_numpy(g))
    return y.detach().numpy(), x.grad.numpy(), *(p.grad.numpy() for p in theirs.parameters())


def products(ours, theirs, x, g):
    """The products of one pass and of its way back, step after step, on arrays of the same sizes in the same places."""
    W, U = ours.weight_ih_l0.data, ours.weight_hh_l0.data
    (T, B, D), (G, H) = x.shape, U.shape
    rows, hidden = x.reshape(-1, D), g.reshape(-1, H)
    gates = rows @ W.T
    part, back = np.empty((B, G), np.float32), np.empty((B, H), np.float32)
    for start in range(0, T * B, B):
        np.matmul(hidden[start:start + B], U.T, out=part)
    for start in range(T * B - B, -1, -B):
        np.matmul(gates[start:start + B], U, out=back)
    return gates @ W, gates.T @ rows, gates[B:].T @ hidden[:-B]


def agree(theirs, ours):
    if len(theirs) == 3:                                 # the products alone have no results to compare
        return
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.abs(b).max())


CASES = [Case(f"{name}, (batch, time, input, hidden) = {size}", lambda name=name, size=size: data(name, *size),
              {"products alone": products, "scratchml": scratchml, "PyTorch": pytorch}, agree)
         for name in ("LSTM", "GRU") for size in SIZES]
