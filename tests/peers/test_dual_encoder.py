"""Dual encoders equal PyTorch's, weights moved by name: vectors, losses and gradients."""
import numpy as np
import pytest

from scratchml.core.random import generator
from scratchml.nn import both_directions, hardest_hinge, in_batch_hinge, in_batch_softmax
from scratchml.sequences.dual_encoder import TwoEncoders, _Lessons
from scratchml.sequences.encoders import Numbered, told_apart

torch = pytest.importorskip("torch")
F = torch.nn.functional
V, E, H, D = 9, 3, 4, 5


def theirs(network):
    other = torch.nn.ModuleDict({side: torch.nn.ModuleDict({
        "symbols": torch.nn.Embedding(V, E, padding_idx=0),
        "reader": torch.nn.ModuleDict({"gru": torch.nn.GRU(E, H, batch_first=True, bidirectional=True)}),
        "vector": torch.nn.Linear(2 * H, D)}) for side in ("contexts", "answers")}).double()
    other.load_state_dict({name: torch.from_numpy(array) for name, array in network.state_dict().items()})
    return other


def vectors(network, side):
    """One sequence after the other, without padding."""
    rows = []
    for start, stop in zip(side.starts, side.starts[1:]):
        _, last = network["reader"]["gru"](network["symbols"](torch.from_numpy(side.numbers[None, start:stop])))
        rows.append(network["vector"](last[:, 0].reshape(-1)))
    return F.normalize(torch.stack(rows))


def losses(S, wrong):
    each = (S - S.diagonal()[:, None] + 0.2).clamp(min=0) * wrong
    logits = (20 * S).masked_fill(~wrong & ~torch.eye(len(S), dtype=torch.bool), -torch.inf)
    return {in_batch_hinge: each.sum() / wrong.sum(), hardest_hinge: each.max(dim=1)[0].mean(),
            in_batch_softmax: F.cross_entropy(logits, torch.arange(len(S)))}


@pytest.mark.parametrize("loss", [in_batch_hinge, hardest_hinge, in_batch_softmax], ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("symmetric", [False, True])
def test_losses_and_gradients(loss, symmetric):
    rng = np.random.default_rng(0)
    sides = [Numbered(rng.integers(4, V, 20), np.array([0, 3, 4, 9, 13, 18, 20])) for _ in range(2)]
    told = np.arange(6), told_apart(["x", "y", "x", "z", "y", "w"])[0]
    network = TwoEncoders((V, V), E, H, D, "gru", False, generator(0)).double()
    other = theirs(network)
    ours = _Lessons(network, sides, told, (lambda S, wrong: both_directions(loss, S, wrong)) if symmetric else loss)
    total, count = ours(np.arange(6))
    (total / count).backward()
    S = vectors(other["contexts"], sides[0]) @ vectors(other["answers"], sides[1]).T
    wrong = torch.from_numpy(told[1][:, None] != told[1])
    expected = (losses(S, wrong)[loss] + losses(S.T, wrong.T)[loss]) / 2 if symmetric else losses(S, wrong)[loss]
    expected.backward()
    assert total.item() / count == pytest.approx(expected.item(), rel=1e-12)
    for name, parameter in network.named_parameters():
        grad = dict(other.named_parameters())[name].grad.numpy()
        np.testing.assert_allclose(parameter.grad.data, grad, rtol=0, atol=1e-12, err_msg=name)
