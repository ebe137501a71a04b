"""A step of training of a bidirectional LSTM with a field on top, beside PyTorch with pytorch-crf, in float32.

A step is forward, backward, the gradient's norm bounded, and Adam, on sequences of words with eight attributes each;
the lengths are drawn from half the longest on.  Both have the same weights, and drop nothing; the steps are next to
nothing, so that each of them finds the same loss.
"""
from functools import lru_cache

import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.core.sparse import Rows
from scratchml.optim import Adam, clip_grad_norm_
from scratchml.sequences.bilstm_tagger import BothWays
from scratchml.sequences.crf_training import Legal
from scratchml.sequences.neural_tagger import TokenNetwork

SIZES = [(32, 20, 29, 64, 64), (32, 20, 29, 64, 128), (16, 12, 29, 64, 128), (64, 50, 29, 64, 128)]
M, ATTRIBUTES, LENGTH = 4000, 8, 1e-9                    # attributes in all and of a word; of a step


@lru_cache(maxsize=1)
def data(B, T, K, D, H):
    """Two networks with the same weights and their optimisers; attributes, labels and lengths of a batch."""
    rng = np.random.default_rng(0)
    legal = Legal(np.ones((K, K), bool), np.ones(K, bool), np.ones(K, bool))
    ours = TokenNetwork(BothWays(D, H, 1, 0.0, rng), M, D, 2 * H, K, crf=True, legal=legal, dropout=0.0,
                        attribute_dropout=0.0, rng=rng)
    n = rng.integers(T // 2, T + 1, B)
    n[0] = T
    N = n.sum()
    rows = Rows(np.arange(0, ATTRIBUTES * N + 1, ATTRIBUTES), rng.integers(M, size=ATTRIBUTES * N).astype(np.int32),
                np.ones(ATTRIBUTES * N, np.float32), (N, M))
    y = rng.integers(K, size=N).astype(np.int32)
    return ours, Adam(ours.parameters(), lr=LENGTH), in_pytorch(ours, D, H, K), rows, y, n


def in_pytorch(ours, D, H, K):
    """PyTorch's network with the weights of ours, and its optimiser; None where it is not installed."""
    try:
        import torch
        import torchcrf
    except ImportError:
        return None
    theirs = torch.nn.ModuleDict({
        "vectors": torch.nn.EmbeddingBag(M, D, mode="sum", include_last_offset=True),
        "reader": torch.nn.ModuleDict({"lstm": torch.nn.LSTM(D, H, batch_first=True, bidirectional=True)}),
        "scores": torch.nn.Linear(2 * H, K), "crf": torchcrf.CRF(K, batch_first=True)})
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    return theirs, torch.optim.Adam(theirs.parameters(), lr=LENGTH)


def scratchml(ours, optimizer, theirs, rows, y, n):
    optimizer.zero_grad()
    total, count = ours.loss(ours(rows, n), y, np.concatenate([[0], np.cumsum(n)]))
    loss = total / count
    loss.backward()
    clip_grad_norm_(ours.parameters(), 5.0)
    optimizer.step()
    return loss.item()


@peer("torchcrf")
def pytorch(ours, optimizer, theirs, rows, y, n):
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
    net, steps = theirs
    steps.zero_grad()
    x = net["vectors"](torch.from_numpy(rows.indices.astype(np.int64)), torch.from_numpy(rows.indptr))
    x = pad_sequence(torch.split(x, n.tolist()), batch_first=True)
    packed = pack_padded_sequence(x, torch.from_numpy(n), batch_first=True, enforce_sorted=False)
    states, _ = pad_packed_sequence(net["reader"]["lstm"](packed)[0], batch_first=True)
    mask = torch.arange(x.shape[1]) < torch.from_numpy(n)[:, None]
    labels = torch.zeros(mask.shape, dtype=torch.int64)
    labels[mask] = torch.from_numpy(y.astype(np.int64))
    loss = -net["crf"](net["scores"](states), labels, mask, "token_mean")
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    steps.step()
    return loss.item()


CASES = [Case(f"a step, (batch, time, labels, vectors, hidden) = {size}", lambda size=size: data(*size),
              {"scratchml": scratchml, "PyTorch and pytorch-crf": pytorch}, close(rtol=1e-4)) for size in SIZES]
