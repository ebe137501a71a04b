"""A training step from sequence to sequence with attention, against the same in PyTorch: in the cell, and after it."""
from functools import cache

import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.autograd.ops import concatenate
from scratchml.nn import LSTM, AttentiveLSTM, Embedding, Linear, Module, cross_entropy
from scratchml.optim import Adam, clip_grad_norm_

SYMBOLS, D, H, STEP = 44, 64, 128, 1e-9                  # with a step of nearly nothing all steps are the same


class Network(Module):
    """Vectors, an LSTM both ways, the decoder, and scores."""

    def __init__(self, attention):
        rng = np.random.default_rng(0)
        self.source, self.target = (Embedding(SYMBOLS, D, random_state=rng) for _ in range(2))
        self.reader = LSTM(D, H, batch_first=True, bidirectional=True, random_state=rng)
        self.first = Linear(2 * H, H, random_state=rng)
        self.writer = AttentiveLSTM(D, H, 2 * H, attention=attention, random_state=rng)
        self.mixed, self.scores = Linear(H + 2 * H + D, D, random_state=rng), Linear(D, SYMBOLS, random_state=rng)

    def forward(self, x, y, lengths):
        keys, (last, _) = self.reader(self.source(x))
        h, e = self.first(last.swapaxes(0, 1).reshape(len(x), 2 * H)).tanh(), self.target(y)
        (states, read, _), _ = self.writer(e, keys, (h, h * 0), lengths)
        return self.scores(self.mixed(concatenate([states, read, e], dim=2)).tanh())


@cache
def network(attention):
    made = Network(attention)
    return made, Adam(made.parameters(), lr=STEP)


def data(attention, B, T, shortest):
    """Sources, targets before and after the shift, where -100 does not count, and how long each target is."""
    rng = np.random.default_rng(1)
    x, y, target = (rng.integers(SYMBOLS, size=(B, T)) for _ in range(3))
    lengths = rng.integers(shortest, T + 1, size=B)
    lengths[0] = T
    return attention, x, y, np.where(np.arange(T) < lengths[:, None], target, -100), lengths


def scratchml(attention, x, y, target, lengths):
    model, optimizer = network(attention)
    optimizer.zero_grad()
    loss = cross_entropy(model(x, y, lengths).reshape(-1, SYMBOLS), target.reshape(-1), ignore_index=-100)
    loss.backward()
    clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()
    return loss.item(), *(p.grad.data for p in (model.writer.weight_ih, model.target.weight, model.source.weight))


@cache
def their_network(attention):
    """With the weights of ours."""
    import torch
    from torch import nn
    C = 2 * H if attention == "bahdanau" else 0
    modules = nn.ModuleDict({
        "source": nn.Embedding(SYMBOLS, D), "target": nn.Embedding(SYMBOLS, D),
        "reader": nn.LSTM(D, H, batch_first=True, bidirectional=True), "first": nn.Linear(2 * H, H),
        "writer": nn.LSTMCell(D + C, H) if C else nn.LSTM(D, H, batch_first=True),
        "query": nn.Linear(H, H, bias=False), "key": nn.Linear(2 * H, H), "score": nn.Linear(H, 1, bias=False),
        "mixed": nn.Linear(3 * H + D, D), "scores": nn.Linear(D, SYMBOLS)})
    names = {"attention.query_proj": "query", "attention.key_proj": "key", "attention.score": "score"}
    state = {}
    for name, array in network(attention)[0].state_dict().items():
        if name.startswith("writer."):
            owner, _, own = name.removeprefix("writer.").rpartition(".")
            name = f"{names[owner]}.{own}" if owner else f"writer.{own}" + ("" if C else "_l0")
        state[name] = torch.from_numpy(array.copy())
    modules.load_state_dict(state)
    return modules, torch.optim.Adam(modules.parameters(), lr=STEP)


def their_scores(modules, attention, x, y):
    import torch
    keys, (last, _) = modules["reader"](modules["source"](x))
    h, e = torch.tanh(modules["first"](torch.cat([last[0], last[1]], 1))), modules["target"](y)
    c, u = torch.zeros_like(h), modules["key"](keys)
    if attention == "luong":
        states, _ = modules["writer"](e, (h[None], c[None]))
        hidden = torch.tanh(modules["query"](states)[:, :, None] + u[:, None])
        read = torch.softmax(modules["score"](hidden)[..., 0], 2) @ keys
    else:
        both = []
        for t in range(e.shape[1]):
            weights = torch.softmax(modules["score"](torch.tanh(modules["query"](h)[:, None] + u)), 1)
            k = torch.bmm(weights.transpose(1, 2), keys)[:, 0]
            h, c = modules["writer"](torch.cat([e[:, t], k], 1), (h, c))
            both.append((h, k))
        states, read = (torch.stack(part, 1) for part in zip(*both))
    return modules["scores"](torch.tanh(modules["mixed"](torch.cat([states, read, e], 2))))


def pytorch(threads):
    @peer("torch")
    def theirs(attention, x, y, target, lengths):
        import torch
        torch.set_num_threads(threads)
        modules, optimizer = their_network(attention)
        optimizer.zero_grad()
        scores = their_scores(modules, attention, torch.from_numpy(x), torch.from_numpy(y))
        loss = torch.nn.functional.cross_entropy(scores.reshape(-1, SYMBOLS), torch.from_numpy(target.reshape(-1)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(modules.parameters(), 2.0)
        optimizer.step()
        weights = modules["writer"].weight_ih if attention == "bahdanau" else modules["writer"].weight_ih_l0
        return loss.item(), *(p.grad.numpy() for p in (weights, modules["target"].weight, modules["source"].weight))
    return theirs


def near(theirs, ours):
    for a, b in zip(theirs, ours, strict=True):
        assert np.linalg.norm(a - b) <= 1e-4 * np.linalg.norm(a)


def case(attention, T, shortest):
    told = f"targets of {shortest} to {T}" if shortest < T else "targets as long"
    return Case(f"{attention}, 64 sources of {T} places, {told}, {H} units, float32, a training step",
                lambda: data(attention, 64, T, shortest),
                {"scratchml": scratchml, "PyTorch, 2 threads": pytorch(2), "PyTorch, 1 thread": pytorch(1)}, near)


CASES = [case(attention, *sizes) for attention in ("bahdanau", "luong") for sizes in ((10, 10), (20, 20), (20, 8))]
