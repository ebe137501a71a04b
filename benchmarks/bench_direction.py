"""A fit of each rung of the ladder on page views, 50 epochs: ours and PyTorch's, from one start, batch for batch."""
import itertools

import numpy as np

from benchmarks import Case, peer, test_contender
from scratchml.datasets import load_peyton_manning
from scratchml.nn import ActivityL2, cross_entropy, fit
from scratchml.nn.training import bounds
from scratchml.optim import Adam
from scratchml.timeseries import direction_windows, ladder, purged_split, regular_grid

WINDOW, EPOCHS, BATCH, STEP = 30, 50, 128, 0.002


def page_views(step):
    """The rung, its first weights, and what is learned from: (N, 30) and (N,)."""
    series = load_peyton_manning()
    X, up, _ = direction_windows(regular_grid(series.times, series.values, fill="interpolate").values, WINDOW)
    learn, _ = purged_split(len(X), WINDOW, (0.8, 0.2))
    return step, ladder(step, WINDOW, random_state=0).state_dict(), X[learn].astype(np.float32), up[learn]


def scratchml(step, state, X, up):
    """The loss of each epoch."""
    net = ladder(step, WINDOW, random_state=0)
    net.load_state_dict(state)
    return fit(net, Adam(net.parameters(), lr=STEP), cross_entropy, X, up, batch_size=BATCH, epochs=EPOCHS,
               random_state=0).loss


def pytorch(threads):
    @peer("torch")
    def theirs(step, state, X, up):
        import torch
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        net, prices = translated(ladder(step, WINDOW))
        net.load_state_dict({name: torch.tensor(np.array(value)) for name, value in state.items()})
        optimizer, loss_of = torch.optim.Adam(net.parameters(), lr=STEP), torch.nn.CrossEntropyLoss()
        X, up, rng, losses = torch.from_numpy(X), torch.from_numpy(up), np.random.default_rng(0), []
        for _ in range(EPOCHS):
            order, total = torch.from_numpy(rng.permutation(len(X))), 0.0
            for start, stop in itertools.pairwise(bounds(len(X), BATCH)):
                part = order[start:stop]
                optimizer.zero_grad()
                loss = loss_of(net(X[part]), up[part]) + sum(layer.price for layer in prices)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(part)
            losses.append(total / len(X))
        return losses
    return theirs


def translated(net):
    """The same layers of PyTorch, and those among them that ask a price."""
    import torch

    class Activity(torch.nn.Module):
        def __init__(self, l2):
            super().__init__()
            self.l2 = l2

        def forward(self, x):
            self.price = self.l2 * (x * x).sum() / len(x)
            return x

    layers = [Activity(layer.l2) if isinstance(layer, ActivityL2) else
              getattr(torch.nn, type(layer).__name__)(*[getattr(layer, name) for name in layer.settings])
              for layer in net]
    return torch.nn.Sequential(*layers), [layer for layer in layers if isinstance(layer, Activity)]


def learned_alike(theirs, ours):
    """The first epochs; later roundings have grown, and dropout draws other entries."""
    np.testing.assert_allclose(theirs[:5], ours[:5], rtol=0.05)
    assert abs(theirs[-1] - ours[-1]) < 0.05


CASES = [Case(f"rung {step} of the ladder, 2,317 windows of 30 days, 50 epochs", lambda step=step: page_views(step),
              {"scratchml": scratchml, "PyTorch, 1 thread": pytorch(1), "PyTorch, 2 threads": pytorch(2)},
              learned_alike)
         for step in (1, 2, 3, 4)]
