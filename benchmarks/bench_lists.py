"""Losses of lists and their gradients as a network meets them: 4,000 queries of 100 documents, beside PyTorch."""
import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.ranking import listmle_loss, listnet_loss, lists


def judged(Q=4000, n=100):
    rng = np.random.default_rng(0)
    return rng.normal(size=(Q, n)), rng.permuted(np.tile(np.arange(1.0, n + 1), (Q, 1)), axis=1)


def top_one_formula(s, y):
    w = [lists.shares(grades) for grades in y]
    loss = np.mean([lists.top_one_loss(*query) for query in zip(s, w)])
    return loss, np.stack([lists.top_one_gradient(*query) for query in zip(s, w)]) / len(s)


def whole_order_formula(s, y):
    n = s.shape[1]
    down = np.argsort(-y, axis=1)
    loss = np.mean([lists.listmle(own, π, n) for own, π in zip(s, down)])
    return loss, np.stack([lists.listmle_gradient(own, π, n) for own, π in zip(s, down)]) / len(s)


def differentiated(loss):
    def ours(s, y):
        s = Tensor(s, requires_grad=True)
        value = loss(s, y)
        value.backward()
        return value.item(), s.grad.numpy()
    return ours


@peer("torch")
def top_one_torch(s, y):
    import torch
    s, y = torch.tensor(s, requires_grad=True), torch.tensor(y)
    loss = -(y / y.sum(dim=1, keepdim=True) * torch.log_softmax(s, dim=1)).sum() / len(s)
    loss.backward()
    return loss.item(), s.grad.numpy()


@peer("torch")
def whole_order_torch(s, y):
    import torch
    s = torch.tensor(s, requires_grad=True)
    down = s.gather(1, torch.tensor(-y).argsort(dim=1))
    loss = (torch.logcumsumexp(down.flip(1), dim=1).flip(1) - down).sum() / len(s)
    loss.backward()
    return loss.item(), s.grad.numpy()


CASES = [
    Case("ListNet: loss and gradient, 4,000 x 100", judged,
         {"formula": top_one_formula, "scratchml": differentiated(listnet_loss), "torch": top_one_torch},
         close(rtol=1e-9, atol=1e-12)),
    Case("ListMLE: loss and gradient, 4,000 x 100", judged,
         {"formula": whole_order_formula, "scratchml": differentiated(listmle_loss), "torch": whole_order_torch},
         close(rtol=1e-9, atol=1e-12)),
    Growth("ListMLE: one query", lambda n: judged(1, n), {"scratchml": differentiated(listmle_loss)},
           (10_000, 20_000, 40_000, 80_000), stated=1),
]
