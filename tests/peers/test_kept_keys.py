"""A transformer of symbols equals PyTorch's Transformer between tables: the pass, its gradients, what beams read."""
import numpy as np
import pytest

from scratchml.nn import TokenTransformer
from scratchml.nn.kept_keys import log_probabilities
from scratchml.nn.transformer import sinusoids

torch = pytest.importorskip("torch")

CLOSE = dict(rtol=1e-8, atol=1e-10)


class Theirs(torch.nn.Module):
    def __init__(self, V, W, D, *sizes, norm_first):
        super().__init__()
        self.source_vectors, self.target_vectors = torch.nn.Embedding(V, D), torch.nn.Embedding(W, D)
        self.transformer = torch.nn.Transformer(D, *sizes, 0.0, batch_first=True, norm_first=norm_first)
        self.scores = torch.nn.Linear(D, W)
        self.scores.weight = self.target_vectors.weight

    def forward(self, source, targets):
        P, D = torch.from_numpy(sinusoids(9, self.scores.in_features)), self.scores.in_features
        x, y = (D**0.5 * table(torch.from_numpy(numbers)) + P[:numbers.shape[1]] for table, numbers in (
            (self.source_vectors, source), (self.target_vectors, targets)))
        mask = torch.ones(targets.shape[1], targets.shape[1], dtype=torch.bool).triu(1)
        padding = torch.from_numpy(source == 0)
        return self.scores(self.transformer(x, y, tgt_mask=mask, src_key_padding_mask=padding,
                                            memory_key_padding_mask=padding))


@pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("norm_first", [False, True])
def test_a_transformer_of_symbols(norm_first):
    sizes = 7, 6, 8, 2, 2, 1, 12
    ours = TokenTransformer(*sizes, dropout=0.0, norm_first=norm_first, dtype="float64", random_state=0)
    theirs = Theirs(*sizes, norm_first=norm_first).double()
    theirs.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in ours.state_dict().items()})
    source, targets = np.array([[3, 6, 1, 2], [5, 4, 0, 0]]), np.array([[1, 4, 2], [1, 5, 3]])
    z, expected = ours(source, targets), theirs(source, targets)
    np.testing.assert_allclose(z.data, expected.detach(), **CLOSE)
    weights = np.random.default_rng(0).normal(size=z.shape)
    (z * weights).sum().backward()
    (expected * torch.from_numpy(weights)).sum().backward()
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.data, q.grad, err_msg=name, **CLOSE)
    state = ours.start(source)
    for t in range(3):
        log_p, state, _ = ours.step(state, targets[:, t])
        np.testing.assert_allclose(log_p, log_probabilities(expected[:, t].detach().numpy()), **CLOSE)
