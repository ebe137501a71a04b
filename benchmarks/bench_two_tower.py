"""A step of training two towers, 64 factors, on the purchases of a shop: ours, and PyTorch's autograd with its Adam.

Adam of PyTorch is on all rows, as its users have it; ours is on those of the batch.  Losses of the first steps are
compared, which are from the same vectors on the same pairs.
"""
import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.datasets import load_online_retail
from scratchml.recommend import towers, two_tower
from scratchml.tour import als

F, TEMPERATURE, STEPS = 64, 0.1, 3


def batches(B):
    A, _ = als.matrix(load_online_retail())
    users = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    order = np.random.default_rng(1).permutation(A.indices.size)[:STEPS * B].reshape(STEPS, B)
    both = [towers.Tower(towers.side_of(n, None, "X"), F, np.random.default_rng(0)) for n in A.shape]
    return A, users[order], A.indices[order].astype(np.int64), [one.E for one in both]


def ours(A, users, items, tables):
    both = [towers.Tower(towers.side_of(n, None, "X"), F, np.random.default_rng(0)) for n in A.shape]
    step = two_tower._Step(both, A, TEMPERATURE, 1e-3, "softmax", True, 0)
    return np.array([step(*pairs, np.random.default_rng(0)) for pairs in zip(users, items)])


@peer("torch")
def pytorch(A, users, items, tables):
    import torch
    share = np.bincount(A.indices, minlength=A.shape[1]) / A.indices.size
    shift = torch.tensor(np.log(share), dtype=torch.float32)
    users_of, items_of = (torch.nn.Embedding.from_pretrained(torch.tensor(E), freeze=False) for E in tables)
    optimizer, losses = torch.optim.Adam([*users_of.parameters(), *items_of.parameters()], lr=1e-3), []
    for some, at in zip(torch.tensor(users), torch.tensor(items)):
        u, v = (torch.nn.functional.normalize(x) for x in (users_of(some), items_of(at)))
        hits = (at[:, None] == at).fill_diagonal_(False)
        s = (u @ v.T / TEMPERATURE - shift[at]).masked_fill(hits, -torch.inf)
        loss = torch.nn.functional.cross_entropy(s, torch.arange(len(at)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


BOTH = {"scratchml": ours, "PyTorch": pytorch}

CASES = [Case(f"{STEPS} steps of {B:,} pairs", lambda B=B: batches(B), BOTH, close(rtol=1e-3)) for B in (1024, 4096)]
