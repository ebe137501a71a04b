"""Slopes of pairs, of 2,000 queries of 100 documents, and RankNet's loss as a network meets it, beside PyTorch."""
import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.ranking import lambdarank_gradients, ranknet_gradients, ranknet_loss
from scratchml.ranking import pairs


def judged(Q, n=100, grades=5):
    rng = np.random.default_rng(0)
    return rng.normal(size=(Q, n)), rng.integers(0, grades, (Q, n)).astype(float)


def every_pair_formula(s, y):
    return np.stack([pairs.ranknet_gradient(*query, 1.0) for query in zip(s, y)]), \
        np.stack([pairs.ranknet_curvature(*query, 1.0) for query in zip(s, y)])


def swaps_formula(s, y):
    found = [pairs.normalised_lambdas(own, 2.0**grade - 1, pairs.delta_ndcg(2.0**grade - 1, pairs.ranks(own), 30), 1.0)
             for own, grade in zip(s, y)]
    return np.stack([λ for λ, _ in found]), np.stack([h for _, h in found])


def swaps(s, y):
    return lambdarank_gradients(s, y, norm=True)


def ours(s, y):
    s = Tensor(s, requires_grad=True)
    loss = ranknet_loss(s, y)
    loss.backward()
    return loss.item(), s.grad.numpy()


@peer("torch")
def theirs(s, y):
    import torch
    s, y = torch.tensor(s, requires_grad=True), torch.tensor(y)
    apart = s[:, :, None] - s[:, None, :]
    loss = torch.nn.functional.softplus(-apart)[y[:, :, None] > y[:, None, :]].sum() / len(s)
    loss.backward()
    return loss.item(), s.grad.numpy()


def one_query(n):
    return judged(1, n)


CASES = [
    Case("RankNet: λ and h, 2,000 x 100", lambda: judged(2000),
         {"formula": every_pair_formula, "scratchml": ranknet_gradients},
         close(rtol=1e-9, atol=1e-12)),
    Case("LambdaRank, normalised: λ and h, 2,000 x 100", lambda: judged(2000),
         {"formula": swaps_formula, "scratchml": swaps},
         close(rtol=1e-9, atol=1e-12)),
    Case("RankNet: loss and gradient, 2,000 x 100", lambda: judged(2000), {"scratchml": ours, "torch": theirs},
         close(rtol=1e-9, atol=1e-12)),
    Growth("RankNet: λ and h of one query", one_query, {"scratchml": ranknet_gradients}, (1000, 2000, 4000, 8000),
           stated=2),
]
