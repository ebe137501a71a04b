"""A step of training of a dual encoder, beside PyTorch, in float32: a GRU on each side that reads both ways.

A step is forward, the loss of the similarities, backward, the gradient's norm bounded, and Adam, on sequences of 4 to
12 symbols.  Both have the same weights; the steps are next to nothing, so that each of them finds the same loss.

    python -m benchmarks.bench_dual_encoder

prints the CPU time of a step of both on one thread each, taking turns.
"""
from functools import lru_cache
import time

import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.nn.contrastive import hardest_hinge, in_batch_hinge, in_batch_softmax
from scratchml.optim import Adam, clip_grad_norm_
from scratchml.sequences.dual_encoder import TwoEncoders, _Lessons
from scratchml.sequences.encoders import Numbered

SIZES = [("hardest hinge", 64, 64, 32, 64), ("all hinges", 64, 64, 32, 64), ("softmax", 64, 64, 32, 64),
         ("hardest hinge", 128, 128, 64, 64), ("hardest hinge", 256, 64, 32, 64)]
V, LENGTH, MARGIN, SCALE = 45, 1e-9, 0.2, 20.0
LOSSES = {"hardest hinge": hardest_hinge, "all hinges": in_batch_hinge, "softmax": in_batch_softmax}


@lru_cache(maxsize=1)
def data(loss, B, H, E, D):
    """What ours learns from and its optimiser, PyTorch's network with the same weights and its optimiser, the loss."""
    rng = np.random.default_rng(0)
    sides = []
    for _ in range(2):
        starts = np.append(0, rng.integers(4, 13, B).cumsum())
        sides.append(Numbered(rng.integers(4, V, starts[-1]), starts))
    network = TwoEncoders((V, V), E, H, D, "gru", False, rng)
    ours = _Lessons(network, sides, (np.arange(B), np.arange(B)), LOSSES[loss])
    return ours, Adam(network.parameters(), lr=LENGTH), in_pytorch(network, E, H, D), loss


def in_pytorch(network, E, H, D):
    """PyTorch's encoders with the weights of ours, and their optimiser; None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    theirs = torch.nn.ModuleDict({side: torch.nn.ModuleDict({
        "symbols": torch.nn.Embedding(V, E, padding_idx=0),
        "reader": torch.nn.ModuleDict({"gru": torch.nn.GRU(E, H, batch_first=True, bidirectional=True)}),
        "vector": torch.nn.Linear(2 * H, D)}) for side in ("contexts", "answers")})
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in network.state_dict().items()})
    return theirs, torch.optim.Adam(theirs.parameters(), lr=LENGTH)


def scratchml(ours, optimizer, theirs, loss):
    optimizer.zero_grad()
    total, count = ours(np.arange(len(ours.told[0])))
    mean = total / count
    mean.backward()
    clip_grad_norm_(ours.parameters(), 1.0)
    optimizer.step()
    return mean.item()


@peer("torch")
def pytorch(ours, optimizer, theirs, loss):
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence
    networks, steps = theirs
    steps.zero_grad()
    vectors = []
    for side, network in zip(ours.sides, networks.values()):
        numbers, lengths = side.batch(np.arange(len(side.lengths)))
        x = network["symbols"](torch.from_numpy(numbers))
        packed = pack_padded_sequence(x, torch.from_numpy(lengths), batch_first=True, enforce_sorted=False)
        _, last = network["reader"]["gru"](packed)
        y = network["vector"](last.transpose(0, 1).reshape(len(lengths), -1))
        vectors.append(torch.nn.functional.normalize(y))
    S = vectors[0] @ vectors[1].T
    mean = of_similarities(torch, S, loss)
    mean.backward()
    torch.nn.utils.clip_grad_norm_(networks.parameters(), 1.0)
    steps.step()
    return mean.item()


def of_similarities(torch, S, loss):
    own = torch.eye(len(S), dtype=torch.bool)
    if loss == "softmax":
        return torch.nn.functional.cross_entropy(SCALE * S, torch.arange(len(S)))
    each = (S - S.diagonal()[:, None] + MARGIN).clamp(min=0).masked_fill(own, 0)
    return each.max(dim=1)[0].mean() if loss == "hardest hinge" else each.sum() / (len(S) * (len(S) - 1))


CASES = [Case(f"a step, {size[0]}, (batch, hidden, vectors of symbols, result) = {size[1:]}",
              lambda size=size: data(*size), {"scratchml": scratchml, "PyTorch": pytorch}, close(rtol=1e-4))
         for size in SIZES]


def measure(rounds=40):
    """Print the medians of the CPU time of a step on one thread each, which take turns."""
    import torch
    torch.set_num_threads(1)
    for case in CASES:
        arguments, spent = case.data(), {"scratchml": [], "PyTorch": []}
        for _ in range(rounds):
            for name, contender in case.contenders.items():
                start = time.process_time()
                contender(*arguments)
                spent[name].append(time.process_time() - start)
        ours, theirs = (1e3 * np.median(seconds) for seconds in spent.values())
        print(f"{case.name}: {ours:.2f} ms, PyTorch {theirs:.2f} ms, ratio {theirs / ours:.2f}")


if __name__ == "__main__":
    measure()
