"""The same lines under scratchml.torch and under PyTorch give the same numbers, types and shapes."""
import numpy as np
import pytest

import scratchml.torch
from scratchml.autograd import Tensor

torch = pytest.importorskip("torch")
BOTH = (scratchml.torch, torch)
A = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])

LINES = {
    "tensor of floats": lambda t: t.tensor([[1.0, 2.0]]), "tensor of whole numbers": lambda t: t.tensor([1, 2]),
    "tensor of truths": lambda t: t.tensor([True, False]), "tensor of mixed": lambda t: t.tensor([1, 2.5]),
    "tensor of an array": lambda t: t.tensor(A), "tensor of a number": lambda t: t.tensor(3),
    "tensor as": lambda t: t.tensor([1, 2], dtype=t.float64), "as_tensor": lambda t: t.as_tensor(A, dtype=t.float32),
    "zeros": lambda t: t.zeros(2, 3), "ones of a tuple": lambda t: t.ones((2, 3), dtype=t.long),
    "full": lambda t: t.full((2,), 7), "full of floats": lambda t: t.full((2,), 0.5), "eye": lambda t: t.eye(3),
    "arange": lambda t: t.arange(5), "arange from": lambda t: t.arange(1, 6, 2),
    "arange of floats": lambda t: t.arange(0, 1, 0.25),
    "linspace": lambda t: t.linspace(0, 1, 4), "zeros_like": lambda t: t.zeros_like(t.tensor(A)),
    "ones_like of whole": lambda t: t.ones_like(t.tensor([1, 2])), "full_like": lambda t: t.full_like(t.ones(2), 3.0),
    "long": lambda t: t.tensor([1.7, -1.7]).long(), "float": lambda t: t.tensor([1, 2]).float(),
    "bool": lambda t: t.tensor([0.0, 2.0]).bool(), "double": lambda t: t.ones(2).double(),
    "to": lambda t: t.ones(2).to(t.float64),
    "compared": lambda t: t.tensor(A) > 2, "equal": lambda t: (t.tensor([1, 2]) == t.tensor([1, 3])),
    "argmax": lambda t: t.tensor(A).argmax(1), "argmax of all": lambda t: t.tensor(A).argmax(),
    "argmax kept": lambda t: t.argmax(t.tensor(A), dim=1, keepdim=True), "argmin": lambda t: t.argmin(t.tensor(A), 0),
    "values": lambda t: t.max(t.tensor(A), 1)[0], "indices": lambda t: t.max(t.tensor(A), 1)[1],
    "max of two": lambda t: t.max(t.tensor(A), t.tensor(A).flip(1) if t is torch else t.flip(t.tensor(A), 1)),
    "accuracy": lambda t: (t.tensor(A).argmax(1) == t.tensor([0, 2])).float().mean(),
    "correct": lambda t: (t.tensor(A).argmax(1) == t.tensor([0, 2])).sum(),
    "argsort": lambda t: t.argsort(t.tensor(A), 1, True), "order": lambda t: t.sort(t.tensor(A), 0)[1],
    "best": lambda t: t.topk(t.tensor(A), 2)[1], "least": lambda t: t.tensor(A).topk(2, largest=False)[1],
    "order with NaN": lambda t: t.sort(t.tensor([3.0, float("nan"), -1.0, float("inf")]))[1],
    "causal": lambda t: t.triu(t.ones(3, 3), diagonal=1).bool(), "not": lambda t: ~t.tril(t.ones(3, 3)).bool(),
    "masked": lambda t: t.ones(3, 3).masked_fill(t.tril(t.ones(3, 3)) == 0, float("-inf")),
    "positions": lambda t: t.exp(t.arange(0, 4, 2) * (-2.5 / 4)),
    "angles": lambda t: t.sin(t.arange(3).unsqueeze(1) * t.ones(2)),
    "sum of whole": lambda t: t.tensor([[1, 2], [3, 4]]).sum(dim=1), "mean of halves": lambda t: t.tensor([1, 2]) / 2,
    "times half": lambda t: t.tensor([1, 2]) * 0.5, "whole plus whole": lambda t: t.tensor([1, 2]) + 1,
    "whole times float": lambda t: t.tensor([1, 2]) * t.ones(2),
    "float times truth": lambda t: t.ones(2) * t.tensor([True, False]),
    "cat of whole": lambda t: t.cat([t.tensor([1]), t.tensor([2, 3])]),
    "stack": lambda t: t.stack([t.ones(2), t.zeros(2)], dim=1),
    "where": lambda t: t.where(t.tensor([True, False]), t.tensor([1, 2]), t.tensor([3, 4])),
    "view": lambda t: t.arange(6).view(2, -1), "transpose": lambda t: t.arange(6).view(2, 3).transpose(0, 1),
    "t": lambda t: t.arange(6).view(2, 3).t(), "repeat": lambda t: t.tensor([1, 2]).repeat(2, 2),
    "expand": lambda t: t.tensor([[1], [2]]).expand(-1, 3), "flatten": lambda t: t.ones(2, 3, 4).flatten(1),
    "bmm": lambda t: t.bmm(t.ones(2, 3, 4), t.ones(2, 4, 1)), "mm": lambda t: t.mm(t.ones(2, 3), t.ones(3, 2)),
    "chunk": lambda t: t.chunk(t.arange(5.0), 2)[1], "unbind": lambda t: t.unbind(t.tensor(A), 1)[1],
    "gather": lambda t: t.gather(t.tensor(A), 1, t.tensor([[0], [2]])), "norm": lambda t: t.norm(t.tensor(A)),
    "assigned": lambda t: _assigned(t), "std": lambda t: t.std(t.tensor(A), 0),
    "var": lambda t: t.var(t.tensor(A), unbiased=False),
    "einsum": lambda t: t.einsum("ij,kj->ik", t.tensor(A), t.tensor(A)),
    "logsumexp": lambda t: t.logsumexp(t.tensor(A), 1),
    "where of numbers": lambda t: t.where(t.tensor(A) > 2, 1.0, 0.0),
    "where of whole": lambda t: t.where(t.tensor(A) > 2, 1, 0),
    "places apart": lambda t: t.where(t.tensor(A) > 2)[1],
    "old constructor": lambda t: t.Tensor([[1, 2]]) * t.Tensor(A)[0, :2],
    "where of mixed": lambda t: t.where(t.tensor(A) > 2, 1, 0.5),
    "any": lambda t: t.any(t.tensor(A) > 4, dim=1), "all of all": lambda t: (t.tensor(A) > -1).all(),
    "root of whole": lambda t: t.sqrt(t.tensor([4, 9])),
    "places": lambda t: t.nonzero(t.tensor(A) > 2), "counts": lambda t: t.bincount(t.tensor([1, 1, 3])),
    "flipped": lambda t: t.flip(t.tensor([[1, 2]]), [1]),
    "one number": lambda t: t.tensor([5, 6])[1].unsqueeze(0), "old name": lambda t: t.LongTensor([1, 2]),
    "old sizes": lambda t: t.zeros(2).new_zeros(3, 2),
    "one-hot": lambda t: t.zeros(2, 3).scatter_(1, t.tensor([[2], [0]]), 1),
    "filled": lambda t: t.zeros(1, 1, dtype=t.long).fill_(t.tensor([4])[0]),
    "to whole": lambda t: t.tensor(A).to(t.long), "typed": lambda t: t.tensor([1, 0]).type(t.FloatTensor),
    "halves": lambda t: t.round(t.tensor([0.5, 1.5, -2.5])),
    "diagonal": lambda t: t.diag(t.tensor(A), 1), "on a diagonal": lambda t: t.diag(t.tensor([1, 2])),
    "selected": lambda t: t.masked_select(t.tensor(A), t.tensor(A) > 2),
    "pieces of whole": lambda t: t.split(t.arange(5), 2)[2],
    "rolled": lambda t: t.roll(t.arange(6).view(2, 3), (1, 1), (0, 1)),
    "least": lambda t: t.tensor(t.finfo(t.float32).min),
    "remainder": lambda t: t.tensor(A) % -2, "quotient": lambda t: t.tensor(A) // 2,
    "of whole": lambda t: t.tensor([5, -7]) % 3,
    "different": lambda t: t.unique(t.tensor([3, 1, 3])),
    "how often": lambda t: t.unique(t.tensor(A > 2), return_counts=True)[1],
    "which of them": lambda t: t.unique(t.tensor([[3, 1], [3, 2]]), return_inverse=True)[1],
    "middle": lambda t: t.median(t.tensor(A), 1)[1],
    "middle of whole": lambda t: t.tensor([3, 1, 4, 2]).median(),
    "no middle": lambda t: t.median(t.tensor([1.0, t.nan, 0.0, t.nan]), 0)[1],
    "grid": lambda t: t.meshgrid(t.arange(2), t.arange(3), indexing="xy")[1],
    "rows": lambda t: t.vstack([t.arange(2), t.ones(3, 2).long()]),
    "moved": lambda t: t.movedim(t.zeros(2, 3, 4, 5), (0, -1), (1, 0)),
    "apart": lambda t: t.tensor(A).unflatten(1, (3, 1)),
    "power": lambda t: t.tensor([1, 4]) ** 0.5, "log of whole": lambda t: t.log2(t.tensor([1, 8])),
    "numbers": lambda t: t.tensor([t.tensor(A).numel()]),
    "turned by name": lambda t: t.tensor([[1, 2], [3, 4]]).flip(dims=(0, 1)),
    "turned twice": lambda t: t.tensor(A).flip(0, 1),
    "turned function": lambda t: t.flip(t.arange(3), dims=[0]),
    "permuted by name": lambda t: t.permute(t.arange(6).view(1, 2, 3), dims=(2, 0, 1)),
    "operands in a list": lambda t: t.einsum("ij,ij->i", [t.tensor(A), t.tensor(A)]),
    "whole in order": lambda t: t.tensor([[2, 3, 2], [1, 5, 4]]).sort(descending=True, stable=True)[0],
    "places of whole in order": lambda t: t.tensor([2, 3, 2]).sort(stable=True)[1],
    "order of whole": lambda t: t.tensor([3, 1, 2]).argsort(descending=True),
    "old new": lambda t: t.ones(2, dtype=t.float64).new(2, 3).zero_(),
    "new of numbers": lambda t: t.ones(2, dtype=t.float64).new([1, 2]),
    "one entry as an int": lambda t: t.arange(9)[int(t.tensor([4])):],
    "windows": lambda t: t.arange(24.0).view(2, 6, 2).unfold(1, 3, 2),
    "windows of whole": lambda t: t.arange(7).unfold(0, 3, 2),
    "taken along": lambda t: t.take_along_dim(t.tensor(A), t.tensor([[2, 0]]), dim=1),
    "taken of all": lambda t: t.take_along_dim(t.tensor(A), t.tensor([[5], [0]])),
    "upper places": lambda t: t.triu_indices(3, 4, 1),
    "lower places": lambda t: t.tril_indices(3, 4, offset=-1),
    "sought": lambda t: t.searchsorted(t.tensor([1.0, 2.0, 2.0]), t.tensor([[2.0, 0.5]])),
    "buckets": lambda t: t.bucketize(t.tensor(A), t.tensor([1.0, 3.0]), right=True),
    "times and plus": lambda t: t.addmm(t.ones(2), t.tensor(A).float(), t.ones(3, 2), beta=2, alpha=0.5),
    "batches and plus": lambda t: t.ones(1, 2, 2).baddbmm(t.ones(1, 2, 3), t.ones(1, 3, 2), beta=0.5),
    "spread": lambda t: t.std_mean(t.tensor(A), 1)[0],
    "spread and mean": lambda t: t.var_mean(t.tensor(A), dim=0, correction=0)[0],
    "mean beside": lambda t: t.var_mean(t.tensor(A))[1],
    "steps": lambda t: t.diff(t.tensor(A), n=2), "steps of whole": lambda t: t.tensor([[1, 4], [9, 3]]).diff(dim=0),
    "not zero": lambda t: t.count_nonzero(t.tensor(A), 1),
    "most often": lambda t: t.tensor([[3, 1, 3, 1], [2, 2, 5, 2]]).mode()[0],
    "where most often": lambda t: t.mode(t.tensor([[3.0, 1.0, 3.0, 1.0], [2.0, 2.0, 5.0, 2.0]]), 1)[1],
    "numbers for NaN": lambda t: t.nan_to_num(t.tensor([t.nan, t.inf, -t.inf, 1.0]), nan=2.0, neginf=-9.0),
    "log odds": lambda t: t.tensor([0.2, 0.0]).logit(eps=0.1),
    "near": lambda t: t.isclose(t.tensor(A), t.tensor(A) + 1e-7),
    "among": lambda t: t.isin(t.tensor([1, 2, 3]), t.tensor([3, 1])),
    "not among": lambda t: t.isin(t.tensor([1, 2]), 2, invert=True),
    "between": lambda t: t.lerp(t.tensor(A), t.tensor(A) * 2, 0.25),
    "scalar sum": lambda t: t.tensor(1.0).sum(0), "clamped": lambda t: t.clamp(t.tensor(A), max=2),
}


def _assigned(t):
    x = t.zeros(2, 4)
    x[:, 0::2] = t.tensor([[1.0, 2.0], [3.0, 4.0]])
    x[1] += 1
    x[x == 2] = -1
    return x


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line(line):
    ours, theirs = line(scratchml.torch), line(torch)
    numbers = ours.data if isinstance(ours, Tensor) else np.asarray(ours)
    assert numbers.dtype == theirs.numpy().dtype and ours.shape == tuple(theirs.shape) and ours.size() == theirs.size()
    np.testing.assert_allclose(numbers, theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("text", ["{:.4f}", "{:8.2e}", "{:+.1f}"])
def test_a_printed_loss(text):
    ours, theirs = (text.format((t.tensor([1.0, 2.5]) ** 2).mean()) for t in BOTH)
    assert ours == theirs


def test_names_are_pytorchs():
    """Whatever is offered in lower case is there under the same name, but for what says otherwise."""
    own = {"concatenate", "float", "e", "inf", "nan", "pi"}
    offered = [name for name in vars(scratchml.torch) if name[0] != "_" and name.islower()]
    assert not [name for name in offered if name not in own and not hasattr(torch, name)
                and name not in ("autograd", "functools", "types", "sys", "repeat", "softplus", "mean")]
    methods = [name for name in vars(Tensor) if name[0] != "_" and callable(getattr(Tensor, name))]
    assert not [name for name in methods if not hasattr(torch.Tensor, name) and name not in ("leaky_relu", "softplus")]


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_with_weights_and_without_use(create_graph):
    results = []
    for t in BOTH:
        x, w = t.tensor([1.0, 2.0], requires_grad=True), t.tensor(3.0, requires_grad=True)
        g, none = t.autograd.grad(x ** 3, [x, w], t.tensor([1.0, 0.5]), create_graph=create_graph, allow_unused=True)
        assert none is None and g.requires_grad == create_graph
        if create_graph:
            (g ** 2).sum().backward()
        results.append([g.detach().numpy(), x.grad is not None and x.grad.numpy()])
    np.testing.assert_allclose(results[0][0], results[1][0])
    np.testing.assert_allclose(results[0][1], results[1][1])
