"""Vectors rounded to codes, with an adversary who must not tell the domain: operations with gradients of their own."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Function
from torch.nn.utils import weight_norm


class GradReverse(Function):
    @staticmethod
    def forward(ctx, x, lambd):
        ctx.lambd = lambd
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.neg() * ctx.lambd, None


class ClippedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0, max=4)

    @staticmethod
    def backward(ctx, grad_output):
        input, = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[(input < 0) | (input > 4)] = 0
        return grad_input


class RoundSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.round(x)

    @staticmethod
    def backward(ctx, g):
        return g


def quantize(z, codebook):
    d = z.pow(2).sum(1, keepdim=True) + codebook.pow(2).sum(1) - 2 * z @ codebook.t()
    idx = d.argmin(1)
    q = F.embedding(idx, codebook)
    commit = F.mse_loss(z, q.detach()) * 0.25 + F.mse_loss(q, z.detach())
    return z + (q - z).detach(), commit, idx


class Coder(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(weight_norm(nn.Linear(5, 12)), nn.Mish(), weight_norm(nn.Linear(12, 6), dim=None))
        self.label, self.domain = nn.Linear(6, 3), nn.Linear(6, 2)
        self.codes = nn.Parameter(torch.randn(8, 6))

    def forward(self, x, lambd):
        f = self.features(x)
        f = ClippedReLU.apply(f) + 0.01 * RoundSTE.apply(f)
        q, commit, idx = quantize(f, self.codes)
        return self.label(q), self.domain(GradReverse.apply(f, lambd)), commit, idx


def build():
    return Coder()


def make_data(rng):
    return rng.normal(size=(24, 5)), rng.integers(0, 3, 24), rng.integers(0, 2, 24)


def train(model, data, dtype, steps=20):
    x, y, d = (torch.from_numpy(array) for array in data)
    x = x.to(dtype)
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for i in range(steps):
        lambd = 2. / (1. + math.exp(-10. * i / steps)) - 1
        label, domain, commit, idx = model(x, lambd)
        loss = F.cross_entropy(label, y) + F.cross_entropy(domain, d) + commit
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    share = F.one_hot(idx, 8).to(dtype).mean(0)
    perplexity = torch.exp(-torch.sum(share * torch.log(share + 1e-10)))
    values, counts = torch.unique(idx, return_counts=True)
    return losses + [perplexity.item(), counts.sum().item()] + values.tolist() + torch.mode(idx)[0].flatten().tolist()
