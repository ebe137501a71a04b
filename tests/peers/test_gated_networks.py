"""Networks of gated convolutions equal PyTorch's, weights moved by name: scores, losses and gradients."""
import numpy as np
import pytest

from scratchml.core.random import generator
from scratchml.sequences.gated_cnn import GatedConvNetwork, _surprise, padded
from scratchml.sequences.gated_tagger import Around

torch = pytest.importorskip("torch")
F = torch.nn.functional
TYPES = {"float32": 1e-6, "float64": 1e-10}


class Theirs(torch.nn.Module):
    """Vectors, Conv1d to twice the channels with GLU and the input on top, scores."""

    def __init__(self, V, C, sizes, gaps):
        super().__init__()
        self.vectors, self.scores = torch.nn.Embedding(V, C), torch.nn.Linear(C, V)
        self.layers = torch.nn.ModuleList([torch.nn.Conv1d(C, 2 * C, K, dilation=d) for K, d in zip(sizes, gaps)])

    def forward(self, numbers):
        x = self.vectors(numbers).transpose(1, 2)
        for layer in self.layers:
            reach = layer.dilation[0] * (layer.kernel_size[0] - 1)
            x = 0.5**0.5 * (x + F.glu(layer(F.pad(x, (reach, 0))), 1))
        return self.scores(x.transpose(1, 2))


@pytest.mark.parametrize("dtype, bound", TYPES.items())
def test_the_language_model(dtype, bound):
    ours = GatedConvNetwork(6, 8, (5, 3, 2), (1, 2, 3), True, 0.0, generator(0)).to(dtype=dtype)
    theirs = Theirs(6, 8, (5, 3, 2), (1, 2, 3)).to(getattr(torch, dtype))
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    rng, lengths = np.random.default_rng(0), np.array([7, 1, 12])
    inputs, targets = padded(rng.integers(6, size=20), np.append(0, lengths.cumsum()), 5)
    scores, their_scores = ours(inputs, lengths), theirs(torch.from_numpy(inputs))
    there = targets >= 0
    np.testing.assert_allclose(scores.data[there], their_scores.detach().numpy()[there], rtol=0, atol=10 * bound)
    total, count = _surprise(scores, targets)
    expected = F.cross_entropy(their_scores.reshape(-1, 6), torch.from_numpy(targets).reshape(-1), ignore_index=-100)
    assert count == 20 and total.item() / count == pytest.approx(expected.item(), rel=bound)
    (total * (1 / count)).backward()
    expected.backward()
    for (name, parameter), other in zip(ours.named_parameters(), theirs.parameters()):
        other = dict(theirs.named_parameters())[name].grad.numpy()
        np.testing.assert_allclose(parameter.grad.data, other, rtol=0, atol=bound * max(abs(other).max(), 1),
                                   err_msg=name)


@pytest.mark.parametrize("dtype, bound", TYPES.items())
def test_what_reads_for_the_tagger(dtype, bound):
    around = Around(6, 4, (1, 2), 0.0, np.random.default_rng(0)).to(dtype=dtype)
    x, lengths = np.random.default_rng(1).normal(size=(10, 6)).astype(dtype), np.array([4, 1, 5])
    y = around(x, lengths).data
    for part in np.split(np.arange(10), [4, 5]):
        h = torch.from_numpy(x[part] / 4).T[None]
        for layer in around.layers:
            W, b = (torch.from_numpy(layer.state_dict()[name]) for name in ("weight", "bias"))
            left = layer.reach // 2
            inside = F.pad(h, (left, layer.reach - left))
            h = 0.5**0.5 * (h + F.glu(F.conv1d(inside, W, b, dilation=layer.dilation), 1))
        np.testing.assert_allclose(y[part], h[0].numpy().T, rtol=0, atol=10 * bound)
