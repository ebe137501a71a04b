"""A running mean of weights by state_dict, the best state so far, a state loaded in part, freezing by its names."""
import copy

import torch
import torch.nn as nn
import torch.optim as optim
from torch.nn import functional as F


class MLP(nn.Module):
    def __init__(self, vectors=None):
        super().__init__()
        self.emb = nn.Embedding.from_pretrained(torch.ones(9, 6), freeze=False)
        self.body = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 3))

    def forward(self, x):
        return self.body(self.emb(x).mean(1))


def build():
    return MLP()


def make_data(rng):
    x = rng.integers(9, size=(20, 32, 4))
    return x, x[:, :, :2].sum(2) % 3


@torch.no_grad()
def update(ema, model, decay=0.9):
    msd = model.state_dict()
    for k, v in ema.state_dict().items():
        if v.is_floating_point():
            v *= decay
            v += (1.0 - decay) * msd[k].detach()
        else:
            v.copy_(msd[k])


def train(model, data, dtype):
    optimizer = optim.SGD(model.parameters(), lr=0.3, momentum=0.5)
    ema, teacher, live = copy.deepcopy(model).eval(), copy.deepcopy(model), model.state_dict()
    for p in ema.parameters():
        p.requires_grad_(False)
    losses, best, best_state, evaluated = [], float("inf"), None, []
    for x, y in zip(*data):
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        update(ema, model)
        for name, v in teacher.state_dict().items():
            if "emb" in name:
                v.mul_(0.5).add_(live[name], alpha=0.5)
        losses.append(loss.item())
        if loss.item() < best:
            best, best_state = loss.item(), copy.deepcopy(model.state_dict())
    with torch.no_grad():
        for net in (ema, model.eval(), teacher.eval()):
            evaluated.append(net(x).sum().item())
        model.state_dict()["body.3.bias"].zero_()
        evaluated.append(model(x).sum().item())
    found = model.load_state_dict({k: v for k, v in best_state.items() if "body" in k}, strict=False)
    evaluated += [len(found.missing_keys), len(found.unexpected_keys), live["body.1.num_batches_tracked"].item()]
    return losses + evaluated + [v.double().sum().item() for v in live.values()]
