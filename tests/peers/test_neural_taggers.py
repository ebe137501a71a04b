"""The field as a layer against pytorch-crf, and the tagger that reads both ways against the same network in PyTorch."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor
from scratchml.sequences import BiLSTMTagger, LinearChainCRF
from scratchml.sequences.neural_tagger import batch
from scratchml.sequences.corpus import Corpus, read_labels, read_tokens
from tests.strategies.crf import seeds
from tests.strategies.tagger import sentences

torch = pytest.importorskip("torch")
torchcrf = pytest.importorskip("torchcrf")

CLOSE = {"float32": 1e-6, "float64": 1e-10}
each_dtype = pytest.mark.parametrize("dtype", CLOSE)
REDUCTIONS = {"mean": "token_mean", "sum": "sum", "none": "none"}


def assert_close(ours, theirs, dtype):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype
    assert abs(ours - theirs).max(initial=0) <= 4 * CLOSE[dtype] * max(1, abs(theirs).max(initial=0))


def moved(layer):
    """pytorch-crf's layer with the weights of ours, by name."""
    theirs = torchcrf.CRF(layer.num_tags, batch_first=True).to(getattr(torch, str(layer.transitions.dtype)))
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in layer.state_dict().items()})
    return theirs


@each_dtype
@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 5), st.sampled_from(sorted(REDUCTIONS)), seeds)
def test_the_layer_is_the_negative_of_theirs(dtype, B, T, K, reduction, seed):
    rng = np.random.default_rng(seed)
    layer = LinearChainCRF(K, dtype=dtype, random_state=rng)
    theirs = moved(layer)
    n, y, E = rng.integers(1, T + 1, B), rng.integers(K, size=(B, T)), rng.normal(size=(B, T, K)).astype(dtype) * 3
    mask, g = torch.from_numpy(np.arange(T) < n[:, None]), rng.normal(size=B).astype(dtype)
    ours_E, theirs_E = Tensor(E, requires_grad=True), torch.tensor(E, requires_grad=True)
    loss, their_loss = layer(ours_E, y, n,
                             reduction), -theirs(theirs_E, torch.from_numpy(y), mask, REDUCTIONS[reduction])
    assert_close(loss.data, their_loss, dtype)
    (loss if reduction != "none" else (loss * g).sum()).backward()
    (their_loss if reduction != "none" else (their_loss * torch.from_numpy(g)).sum()).backward()
    assert_close(ours_E.grad.data, theirs_E.grad, dtype)
    for name, parameter in theirs.named_parameters():
        found = getattr(layer, name).grad.data           # where no step is taken theirs is None
        assert_close(found, torch.zeros_like(parameter) if parameter.grad is None else parameter.grad, dtype)
    assert [labels.tolist() for labels in layer.decode(E, n)] == theirs.decode(theirs_E, mask)


class Network(torch.nn.Module):
    """The tagger's network in PyTorch, with its names."""

    def __init__(self, M, D, H, K, layers, crf):
        super().__init__()
        self.vectors = torch.nn.EmbeddingBag(M, D, mode="sum", include_last_offset=True)
        self.reader = torch.nn.ModuleDict({"lstm": torch.nn.LSTM(D, H, layers, batch_first=True, bidirectional=True)})
        self.scores = torch.nn.Linear(2 * H, K)
        if crf:
            self.crf = torchcrf.CRF(K, batch_first=True)

    def forward(self, rows, lengths):
        """Emissions (B, T, K)."""
        ids, starts = torch.from_numpy(rows.indices.astype(np.int64)), torch.from_numpy(rows.indptr)
        x = self.vectors(ids, starts, torch.from_numpy(rows.data).to(self.scores.weight.dtype))
        x = torch.nn.utils.rnn.pad_sequence(torch.split(x, lengths.tolist()), batch_first=True)
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.from_numpy(lengths), True, enforce_sorted=False)
        states, _ = torch.nn.utils.rnn.pad_packed_sequence(self.reader["lstm"](packed)[0], batch_first=True)
        return self.scores(states)


@each_dtype
@pytest.mark.parametrize("crf", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
def test_the_network_is_theirs_with_the_weights_moved(dtype, crf, layers):
    X, y = sentences(30, seed=3)
    tagger = BiLSTMTagger(9, layers, embedding_dim=7, crf=crf, epochs=2, random_state=0).fit(X, y)
    ours = tagger.module_.to(dtype)
    theirs = Network(len(tagger.attributes_), 7, 9, 5, layers, crf).to(getattr(torch, dtype))
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    starts, rows = read_tokens(X, tagger._numbers, grow=False)
    rows = rows._replace(data=rows.data * tagger._units[rows.indices])
    labels, _ = read_labels(y, starts, {label: k for k, label in enumerate(tagger.classes_)})
    some, labels, starts = batch(Corpus(starts, rows, labels), np.array([4, 9, 2, 17]))
    lengths = np.diff(starts)
    there = torch.from_numpy(np.arange(lengths.max()) < lengths[:, None])
    emissions, padded = ours(some, lengths), theirs(some, lengths)
    assert_close(emissions.data, padded[there], dtype)
    total, count = ours.loss(emissions, labels, starts)
    t = torch.zeros(there.shape, dtype=torch.int64)
    t[there] = torch.from_numpy(labels.astype(np.int64))
    expected = -theirs.crf(padded, t, there, "sum") if crf else \
        torch.nn.functional.cross_entropy(padded[there], t[there], reduction="sum")
    assert count == len(labels)
    assert_close(total.data, expected, dtype)
    total.backward()
    expected.backward()
    for name, parameter in theirs.named_parameters():
        assert_close(dict(ours.named_parameters())[name].grad.data, parameter.grad, dtype)
