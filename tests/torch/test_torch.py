"""The face: names are there, whole numbers go through, and nothing is computed here."""
import ast
import importlib
import inspect
import os

import numpy as np
import pytest

import scratchml.torch as torch
from scratchml import autograd, nn, optim


def test_other_packages_by_their_names():
    assert torch.nn is nn and torch.optim is optim and torch.autograd is autograd
    assert importlib.import_module("scratchml.torch.utils.data").DataLoader is torch.utils.data.DataLoader
    assert importlib.import_module("scratchml.torch.nn") is nn and not torch.cuda.is_available()
    assert torch.float32 == np.float32 and torch.long == np.int64 and torch.bool == np.bool_ and torch.pi == np.pi
    assert torch.device("cpu").type == "cpu" and torch.zeros(1, device=torch.device("cpu")).device == "cpu"
    with pytest.raises(ValueError, match="device='cuda'"):
        torch.device("cuda")


def test_aliases_are_what_they_stand_for():
    assert all(getattr(torch, name) is getattr(torch, other) for name, other in torch.ALIASES.items())


def test_whole_numbers_stay_whole():
    i = torch.tensor([[3, 1], [2, 5]])
    for got, expected in [
        (torch.cat([i, i], 1), [[3, 1, 3, 1], [2, 5, 2, 5]]), (torch.stack([i[0], i[1]], dim=1), [[3, 2], [1, 5]]),
        (torch.where(i > 2, i, 0), [[3, 0], [0, 5]]), (torch.sum(i, dim=1), [4, 7]), (torch.max(i, 1)[0], [3, 5]),
        (torch.max(i), 5), (torch.argmax(i, dim=1), [0, 1]), (torch.reshape(i, (4,)), [3, 1, 2, 5]),
        (torch.transpose(i, 0, 1), [[3, 2], [1, 5]]), (torch.unsqueeze(i, 0), [[[3, 1], [2, 5]]]),
        (torch.flatten(i), [3, 1, 2, 5]), (torch.cumsum(i, dim=0), [[3, 1], [5, 6]]), (torch.tril(i), [[3, 0], [2, 5]]),
        (torch.sort(i, 1)[0], [[1, 3], [2, 5]]), (torch.topk(i, 1, dim=1).indices, [[0], [1]]),
        (torch.masked_fill(i, i > 2, 0), [[0, 1], [2, 0]]), (torch.repeat(i, 1, 2), [[3, 1, 3, 1], [2, 5, 2, 5]]),
    ]:
        assert isinstance(got, autograd.plain.Plain) and got.dtype == np.int64 and got.tolist() == expected
    x = torch.ones(2, 2)
    for mixed in (torch.where(i > 2, x, 0.0), torch.cat([x, i]), torch.where(i > 2, i, 0.5)):
        assert type(mixed) is autograd.Tensor
    assert torch.is_tensor(i) and torch.is_tensor(x) and torch.isnan(x).sum() == 0 and torch.isfinite(i).all()


def test_the_old_constructor():
    assert torch.Tensor(2, 3).shape == (2, 3) and torch.Tensor([1, 2]).dtype == np.float32
    assert torch.Tensor(np.array([0.5])).dtype == np.float32 and torch.Tensor.add is autograd.Tensor.add
    weight = nn.Parameter(torch.Tensor(2, 3))
    assert weight.shape == (2, 3) and weight.requires_grad and isinstance(weight, torch.Tensor)
    assert isinstance(torch.tensor([1]), torch.Tensor) and not isinstance(np.ones(2), torch.Tensor)
    assert not torch.is_tensor([1.0]) and not torch.is_tensor(np.ones(2))


def test_it_defines_next_to_nothing():
    tree = ast.parse(inspect.getsource(torch))
    lines = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While, ast.BinOp))]
    assert len(lines) <= 4


def test_what_a_script_sets_at_its_beginning():
    assert torch.get_default_dtype() == torch.float32 and torch.set_default_dtype(torch.float32) is None
    with pytest.raises(ValueError, match=r"write dtype=float64 where a Tensor is made, and model.double\(\)"):
        torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    model = nn.Linear(2, 1)
    assert torch.compile(model) is model and torch.compile(mode="reduce-overhead")(model) is model
    assert torch.cuda.device_count() == 0 and torch.cuda.empty_cache() is None


def test_threads(monkeypatch):
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    torch.set_num_threads(1)
    assert os.environ["SCRATCHML_NUM_THREADS"] == "1"
    with pytest.raises(ValueError, match="threads=0"):
        torch.set_num_threads(0)


def test_how_numbers_are_printed():
    before = np.get_printoptions()
    try:
        torch.set_printoptions(precision=2, sci_mode=False)
        assert repr(torch.tensor([1.23456, 1e-6], dtype=torch.float64)) == "Tensor([1.23, 0.  ])"
    finally:
        np.set_printoptions(**before)
    with pytest.raises(ValueError, match="profile='short'"):
        torch.set_printoptions(profile="short")


def test_samplers_by_their_paths():
    sampler = importlib.import_module("scratchml.torch.utils.data.sampler")
    assert sampler.WeightedRandomSampler is torch.utils.data.WeightedRandomSampler is autograd.WeightedRandomSampler
    assert torch.utils.data.dataset.Dataset is autograd.Dataset
    assert torch.utils.data.dataloader.DataLoader is autograd.DataLoader
    assert importlib.import_module("scratchml.nn.parameter").Parameter is nn.Parameter
    assert importlib.import_module("scratchml.torch.autograd").Function is autograd.Function
