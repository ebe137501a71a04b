"""Attention by hand with masks and results that are changed in place, and a step that is written out."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self, dim=16, classes=3):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(dim, dim) for _ in range(3))
        self.out = nn.Linear(dim, classes)
        self.alpha = nn.Parameter(torch.tensor([0.5]))

    def forward(self, x, pad):
        scores = torch.matmul(self.q(x), self.k(x).transpose(-1, -2)) / math.sqrt(x.size(-1))
        scores.masked_fill_(pad.unsqueeze(1), -1e9)
        h = torch.matmul(nn.Softmax(dim=-1)(scores), self.v(x))
        h[pad] = 0
        pooled = h.sum(axis=1, keepdims=True).squeeze(1)
        pooled /= (~pad).sum(1, keepdim=True)
        pooled.mul_(self.alpha)
        z = (h[:, 0] + pooled).tanh().clone()
        z[:, :4] = torch.sigmoid(z[:, :4])
        z[:, 4:8] *= 2
        z.clamp_(-1.5, 1.5).add_(0.1)
        logits = self.out(z)
        logits[:, 2] += 0.5
        return logits


class LabelSmoothing(nn.KLDivLoss):
    """A loss of the script's own, made of one that is there."""
    def forward(self, logp, target):
        true_dist = torch.full_like(logp, 0.1 / (logp.size(1) - 1))
        true_dist.scatter_(1, target.unsqueeze(1), 0.9)
        return super().forward(logp, true_dist)


def build():
    return Net()


def make_data(rng):
    return [(rng.normal(size=(12, 8, 16)), rng.integers(2, 9, 12), rng.integers(0, 3, 12)) for _ in range(20)]


def train(model, data, dtype):
    criterion, losses = LabelSmoothing(reduction="batchmean"), []
    data = [data[0]] * 20
    for x, lengths, y in data:
        x, lengths, y = torch.tensor(x, dtype=dtype), torch.tensor(lengths), torch.tensor(y)
        pad = torch.arange(x.size(1))[None, :] >= lengths[:, None]
        logits = model(x, pad)
        logits.retain_grad()
        loss = criterion(F.log_softmax(logits, dim=1), y)
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
            p.grad = None
        losses.append(loss.item())
    return losses + [logits.grad.abs().sum().item(), torch.quantile(logits.detach(), 0.3).item()]
