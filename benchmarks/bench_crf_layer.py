"""The loss of a conditional random field as a layer, and its gradient, beside pytorch-crf: padded batches in
float32."""
import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.autograd import Tensor
from scratchml.sequences import LinearChainCRF

SIZES = [(32, 20, 9), (32, 20, 29), (16, 12, 29), (64, 50, 29)]


def data(B, T, K):
    """Two layers with the same weights, emissions, labels, and lengths of which the first is T."""
    rng = np.random.default_rng(0)
    ours, theirs = LinearChainCRF(K, random_state=0), None
    n = rng.integers(T // 2, T + 1, B)
    n[0] = T
    try:
        import torch
        import torchcrf
        theirs = torchcrf.CRF(K, batch_first=True)
        theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    except ImportError:
        pass
    return ours, theirs, rng.normal(size=(B, T, K)).astype(np.float32), rng.integers(K, size=(B, T)), n


def scratchml(ours, theirs, E, y, n):
    ours.zero_grad()
    E = Tensor(E, requires_grad=True)
    loss = ours(E, y, n)
    loss.backward()
    return loss.data, E.grad.data, ours.transitions.grad.data


@peer("torchcrf")
def pytorch_crf(ours, theirs, E, y, n):
    import torch
    theirs.zero_grad()
    E = torch.tensor(E, requires_grad=True)
    mask = torch.arange(E.shape[1]) < torch.from_numpy(n)[:, None]
    loss = -theirs(E, torch.from_numpy(y), mask, "token_mean")
    loss.backward()
    return loss.detach().numpy(), E.grad.numpy(), theirs.transitions.grad.numpy()


CASES = [Case(f"loss and gradient, (batch, time, labels) = {size}", lambda size=size: data(*size),
              {"scratchml": scratchml, "pytorch-crf": pytorch_crf}, close(rtol=1e-4, atol=1e-6)) for size in SIZES]
