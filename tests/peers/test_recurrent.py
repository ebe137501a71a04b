"""LSTM and GRU against PyTorch: values and every gradient, with the weights moved by state_dict."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml import nn
from scratchml.autograd import Tensor
from tests.strategies.lstm import lengths, seeds

torch = pytest.importorskip("torch")
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def drawn_case(data):
    draw = data.draw
    case = {letter: draw(st.integers(1, most)) for letter, most in dict(T=6, B=4, D=5, H=5).items()}
    case.update(dtype=draw(st.sampled_from(["float32", "float64"])), states=draw(st.booleans()), seed=draw(seeds))
    case["lengths"] = draw(st.none() | lengths(case["T"], case["B"]))
    settings = dict(num_layers=draw(st.integers(1, 3)), bias=draw(st.booleans()), batch_first=draw(st.booleans()),
                    bidirectional=draw(st.booleans()))
    return case, settings


def theirs_of(module, x, hx, steps, T, batch_first):
    if steps is None:
        return module(x, hx)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(steps), batch_first, enforce_sorted=False)
    y, last = module(packed, hx)
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first, total_length=T)
    return y, last


def as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


@pytest.mark.parametrize("name, n_states", [("LSTM", 2), ("GRU", 1)])
@given(data=st.data())
def test_same_values_and_gradients(name, n_states, data):
    case, settings = drawn_case(data)
    rng, dtype = np.random.default_rng(case["seed"]), case["dtype"]
    T, B, D, H = (case[letter] for letter in "TBDH")
    ours = getattr(nn, name)(D, H, dtype=dtype, random_state=case["seed"], **settings)
    theirs = getattr(torch.nn, name)(D, H, dtype=getattr(torch, dtype), **settings)
    theirs.load_state_dict({key: torch.tensor(value) for key, value in ours.state_dict().items()})
    assert list(theirs.state_dict()) == list(ours.state_dict())
    directions = 2 if settings["bidirectional"] else 1
    x = rng.normal(size=(B, T, D) if settings["batch_first"] else (T, B, D)).astype(dtype)
    states = [rng.normal(size=(settings["num_layers"] * directions, B, H)).astype(dtype) for _ in range(n_states)]
    states = states if case["states"] else []

    given = [Tensor(array, requires_grad=True) for array in (x, *states)]
    hx = None if not states else given[1] if n_states == 1 else tuple(given[1:])
    y, last = ours(given[0], hx, lengths=case["lengths"])
    results = y, *as_tuple(last)
    weights = [rng.normal(size=result.shape).astype(dtype) for result in results]
    sum((result * weight).sum() for result, weight in zip(results, weights)).backward()

    others = [torch.tensor(array, requires_grad=True) for array in (x, *states)]
    hx = None if not states else others[1] if n_states == 1 else tuple(others[1:])
    y, last = theirs_of(theirs, others[0], hx, case["lengths"], T, settings["batch_first"])
    expected = y, *as_tuple(last)
    sum((result * torch.tensor(weight)).sum() for result, weight in zip(expected, weights)).backward()

    pairs = [(a.data, b.detach().numpy()) for a, b in zip(results, expected, strict=True)]
    pairs += [(a.grad.data, b.grad.numpy()) for a, b in zip(given, others)]
    pairs += [(a.grad.data, b.grad.numpy()) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)]
    for a, b in pairs:
        assert a.dtype == b.dtype and np.abs(a - b).max() <= TOLERANCE[dtype] * np.abs(b).max()


def test_weights_come_from_pytorch_by_state_dict():
    theirs = torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True)
    ours = nn.LSTM(3, 2, num_layers=2, bidirectional=True)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    x = np.random.default_rng(0).normal(size=(4, 3, 3)).astype(np.float32)
    np.testing.assert_allclose(ours(x)[0].data, theirs(torch.tensor(x))[0].detach().numpy(), rtol=0, atol=1e-6)
