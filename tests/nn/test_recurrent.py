"""Recurrent layers: what they are made of, lengths, directions, states, and what they refuse."""
import copy
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck, no_grad
from scratchml.nn import GRU, LSTM, RNN, Module
from tests.strategies.lstm import lengths, seeds

LAYERS = [LSTM, GRU, RNN]
each_layer = pytest.mark.parametrize("layer_of", LAYERS, ids=lambda cls: cls.__name__)


def flat(results):
    """(y, h) or (y, (h, c)) as a list of arrays."""
    y, last = results
    return [t.data for t in (y, *(last if isinstance(last, tuple) else (last,)))]


def inputs(T=4, B=3, D=3, seed=0, batch_first=False):
    x = np.random.default_rng(seed).normal(size=(T, B, D))
    return x.swapaxes(0, 1).copy() if batch_first else x


@st.composite
def configurations(draw):
    return dict(num_layers=draw(st.integers(1, 2)), bias=draw(st.booleans()), batch_first=draw(st.booleans()),
                bidirectional=draw(st.booleans()), dtype="float64", random_state=draw(seeds))


# --- what it is made of

@each_layer
def test_its_weights_are_uniform_and_named_as_in_pytorch(layer_of):
    layer = layer_of(3, 20, num_layers=2, bidirectional=True, random_state=0)
    G, H = layer_of.blocks * 20, 20
    shapes = {name: array.shape for name, array in layer.state_dict().items()}
    assert list(shapes)[:5] == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse"]
    assert Counter(shapes.values()) == {(G, 3): 2, (G, H): 4, (G, 2 * H): 2, (G,): 8}
    every = np.concatenate([array.ravel() for array in layer.state_dict().values()])
    assert every.dtype == np.float32 and 0.99 / math.sqrt(H) < np.abs(every).max() <= 1 / math.sqrt(H)
    assert abs(every.mean()) < 5 / math.sqrt(3 * H * every.size)
    assert len(layer_of(3, 20, bias=False).state_dict()) == 2


@each_layer
def test_the_seed_decides(layer_of):
    first, again, other = (layer_of(2, 3, random_state=seed).state_dict() for seed in (1, 1, 2))
    assert all((first[name] == again[name]).all() and (first[name] != other[name]).any() for name in first)


@each_layer
def test_shapes(layer_of):
    layer = layer_of(3, 2, num_layers=2, bidirectional=True)
    assert [a.shape for a in flat(layer(inputs()))] == [(4, 3, 4), (4, 3, 2), (4, 3, 2)][:1 + len(layer.states)]
    assert [a.shape for a in flat(layer(inputs()[:, 0]))] == [(4, 4), (4, 2), (4, 2)][:1 + len(layer.states)]
    assert layer(inputs())[0].dtype == np.float32


@each_layer
@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int16])
def test_lengths_of_any_whole_numbers(layer_of, dtype):
    layer, x = layer_of(3, 2, dtype="float64", random_state=0), inputs()
    for got, expected in zip(flat(layer(x, lengths=np.array([1, 4, 2], dtype))), flat(layer(x, lengths=[1, 4, 2]))):
        np.testing.assert_array_equal(got, expected)


# --- laws

@each_layer
@given(data=st.data(), settings=configurations())
def test_a_batch_equals_its_members_one_by_one(layer_of, data, settings):
    layer, x = layer_of(3, 2, **settings), inputs(batch_first=settings["batch_first"])
    steps = data.draw(lengths(4, 3))
    y, *last = flat(layer(x, lengths=steps))
    for b, n in enumerate(steps):
        one = x[b, :n] if settings["batch_first"] else x[:n, b]
        alone, *ends = flat(layer(one))
        got = y[b] if settings["batch_first"] else y[:, b]
        np.testing.assert_allclose(got[:n], alone, rtol=0, atol=1e-14)
        assert not got[n:].any()
        for end, state in zip(ends, last):
            np.testing.assert_allclose(state[:, b], end, rtol=0, atol=1e-14)


@each_layer
@given(data=st.data(), settings=configurations())
def test_padding_changes_no_bit_and_gets_no_gradient(layer_of, data, settings):
    layer, x = layer_of(3, 2, **settings), inputs(batch_first=settings["batch_first"])
    steps = np.array(data.draw(lengths(4, 3)))
    padding = np.arange(4) >= steps[:, None]
    padding = padding if settings["batch_first"] else padding.T
    before = flat(layer(x, lengths=steps))
    other = x.copy()
    other[padding] = np.nan
    given = Tensor(other, requires_grad=True)
    y, last = layer(given, lengths=steps)
    for a, b in zip(before, flat((y, last))):
        np.testing.assert_array_equal(a, b)
    (y * y).sum().backward()
    assert not given.grad.data[padding].any() and given.grad.data[~padding].all()
    assert all(np.isfinite(p.grad.data).all() for p in layer.parameters())


@each_layer
@given(data=st.data(), settings=configurations())
def test_turned_round_in_time_the_directions_change_places(layer_of, data, settings):
    settings.update(bidirectional=True, num_layers=1, batch_first=False)
    layer, x = layer_of(3, 2, **settings), inputs()
    other, weights = layer_of(3, 2, **settings), layer.state_dict()
    other.load_state_dict({name.removesuffix("_reverse") if name.endswith("_reverse") else f"{name}_reverse": array
                           for name, array in weights.items()})
    steps = data.draw(lengths(4, 3))
    turned = x.copy()
    for b, n in enumerate(steps):
        turned[:n, b] = x[:n, b][::-1]
    y, *last = flat(layer(x, lengths=steps))
    there, *ends = flat(other(turned, lengths=steps))
    for b, n in enumerate(steps):
        np.testing.assert_array_equal(np.roll(there[:n, b][::-1], 2, axis=-1), y[:n, b])
    for end, state in zip(ends, last):
        np.testing.assert_array_equal(end[::-1], state)


@each_layer
@given(settings=configurations())
def test_going_on_where_one_stopped(layer_of, settings):
    settings.update(bidirectional=False, batch_first=False)
    layer, x = layer_of(3, 2, **settings), inputs()
    y, *last = flat(layer(x))
    head, state = layer(x[:1])
    tail, *ends = flat(layer(x[1:], state))
    np.testing.assert_allclose(np.concatenate([head.data, tail]), y, rtol=0, atol=1e-14)
    for end, expected in zip(ends, last):
        np.testing.assert_allclose(end, expected, rtol=0, atol=1e-14)


@each_layer
@given(settings=configurations())
def test_batch_first_is_a_matter_of_order(layer_of, settings):
    settings.update(batch_first=True)
    layer, x = layer_of(3, 2, **settings), inputs()
    y, *last = flat(layer(x.swapaxes(0, 1)))
    settings.update(batch_first=False)
    other = layer_of(3, 2, **settings)
    for a, b in zip((y.swapaxes(0, 1), *last), flat(other(x))):
        np.testing.assert_array_equal(a, b)


@each_layer
def test_gradients_of_the_whole_stack(layer_of):
    layer = layer_of(2, 2, num_layers=2, bidirectional=True, dtype="float64", random_state=1)
    states = [Tensor(np.random.default_rng(k).normal(size=(4, 2, 2)), requires_grad=True) for k in range(2)]
    states = states[:len(layer.states)]
    weights = list(layer.parameters())

    def f(x, *rest):
        hx = rest[0] if len(layer.states) == 1 else rest[:2]
        net = copy.copy(layer)
        for name, weight in zip(layer._parameters, rest[len(layer.states):]):
            net.__dict__[name] = weight
        y, last = net(x, hx, lengths=[3, 2])
        return (y, *(last if isinstance(last, tuple) else (last,)))
    x = Tensor(inputs(3, 2, 2), requires_grad=True)
    assert gradcheck(f, (x, *states, *weights), fast_mode=True)


# --- training

@each_layer
def test_dropout_stands_between_the_layers(layer_of):
    layer = layer_of(3, 4, num_layers=2, dropout=0.5, random_state=0)
    x = inputs()
    one, two = (layer(x)[0].data for _ in range(2))
    assert (one != two).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].data, layer(x)[0].data)
    alone = layer_of(3, 4, dropout=0.5, random_state=0)
    np.testing.assert_array_equal(alone(x)[0].data, alone(x)[0].data)
    nothing = layer_of(3, 4, num_layers=2, dropout=1.0, random_state=0)
    by_zero = layer_of(3, 4, num_layers=2, random_state=0)
    by_zero.load_state_dict({**nothing.state_dict(), "weight_ih_l1": np.zeros((layer.blocks * 4, 4))})
    np.testing.assert_array_equal(nothing(x)[0].data, by_zero(x)[0].data)


@each_layer
def test_as_part_of_a_network_saved_and_loaded(layer_of, tmp_path):
    class Reader(Module):
        def __init__(self, seed):
            self.reader = layer_of(3, 4, bidirectional=True, random_state=seed)

        def forward(self, x):
            return self.reader(x)[0]
    net, other, x = Reader(0), Reader(1), inputs()
    net.save(tmp_path / "net.npz")
    with no_grad():
        np.testing.assert_array_equal(other.load(tmp_path / "net.npz")(x).data, net(x).data)
    assert not net(x).detach().requires_grad


@each_layer
def test_a_frozen_layer_lets_the_gradient_through(layer_of):
    layer = layer_of(3, 4, random_state=0).requires_grad_(False)
    assert not layer(inputs())[0].requires_grad
    x = Tensor(inputs().astype(np.float32), requires_grad=True)
    layer(x)[0].sum().backward()
    assert x.grad.data.all() and all(p.grad is None for p in layer.parameters())


@each_layer
def test_no_gradient_shares_its_memory(layer_of):
    layer, x = layer_of(3, 4, bidirectional=True,
                        random_state=0), Tensor(inputs().astype(np.float32), requires_grad=True)
    layer(x)[0].sum().backward()
    gradients = [t.grad.data for t in (x, *layer.parameters())]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(gradients) for b in gradients[:k])


# --- what is refused

@each_layer
@pytest.mark.parametrize("x, named, message", [
    (np.zeros((4, 3, 2)), {}, r"input: \w+\(input_size=3, .*\) expected shape \(T, B, D\) or .*got \(4, 3, 2\)"),
    (np.zeros(3), {}, r"got \(3,\)"), (np.zeros((0, 2, 3)), {}, r"at least one step and one sequence, got \(0, 2, 3\)"),
    (np.zeros((2, 0, 3)), {}, r"got \(2, 0, 3\)"),
    (inputs(), dict(lengths=[4, 0, 2]), r"lengths: sequence 1 has length 0; .* expected 1 \.\.\. 4"),
    (inputs(), dict(lengths=[4, 3, 5]), "sequence 2 has length 5"),
    (inputs(), dict(lengths=[4, 3]), "lengths: .* expected 3 whole numbers"),
    (inputs(), dict(lengths=[4.0, 3, 2]), "whole numbers"), (inputs(), dict(lengths=[True] * 3), "whole numbers"),
    (Tensor(np.zeros((4, 3, 3))), {}, "computes in float32, got a Tensor of float64"),
])
def test_bad_input(layer_of, x, named, message):
    with pytest.raises(ValueError, match=message):
        layer_of(3, 2)(x, **named)


@each_layer
def test_bad_states(layer_of):
    layer, zeros = layer_of(3, 2), np.zeros((1, 3, 2))
    wrong = np.zeros((1, 4, 2))
    hx = wrong if len(layer.states) == 1 else (zeros, wrong)
    with pytest.raises(ValueError, match=rf"hx: .* expected {layer.states[-1]} of shape \(1, 3, 2\), got \(1, 4, 2\)"):
        layer(inputs(), hx)
    with pytest.raises(ValueError, match=r"expected h of shape \(1, 2\), got \(1, 3, 2\)"):
        layer(inputs()[:, 0], zeros if len(layer.states) == 1 else (zeros, zeros))


def test_an_lstm_wants_two_states():
    with pytest.raises(ValueError, match=r"hx: .* expected a tuple \(h, c\) of first states, got ndarray"):
        LSTM(3, 2)(inputs(), np.zeros((1, 3, 2)))


@each_layer
@pytest.mark.parametrize("arguments, message", [
    (dict(input_size=0), "input_size=0"), (dict(hidden_size=1.5), "size=1.5"), (dict(num_layers=0), "num_layers=0"),
    (dict(dropout=2), "p=2"), (dict(dropout=-1), "dropout=-1"), (dict(dtype="int32"), "dtype='int32'"),
])
def test_bad_arguments(layer_of, arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_of(**{**dict(input_size=3, hidden_size=2), **arguments})
