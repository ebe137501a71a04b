"""Cells are the layers, one step at a time."""
import numpy as np
import pytest

from scratchml.autograd import Tensor, gradcheck, ops
from scratchml.nn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from tests.nn.test_layers import assert_same_gradients, leaf

PAIRS = [(LSTMCell, LSTM, {}), (GRUCell, GRU, {}), (RNNCell, RNN, {}), (RNNCell, RNN, dict(nonlinearity="relu"))]
each_cell = pytest.mark.parametrize("cell_of, layer_of, options", PAIRS)
MADE = dict(dtype="float64", random_state=0)


@each_cell
@pytest.mark.parametrize("bias", [True, False])
def test_a_loop_of_cells_is_the_layer(cell_of, layer_of, options, bias):
    cell, layer = cell_of(3, 2, bias, **options, **MADE), layer_of(3, 2, bias=bias, **options, **MADE)
    layer.load_state_dict({f"{name}_l0": array for name, array in cell.state_dict().items()})
    x, state, hidden = leaf(4, 5, 3), None, []
    for t in range(4):
        state = cell(x[t], state)
        hidden.append(state[0] if isinstance(state, tuple) else state)
    y, last = layer(x)
    assert_same_gradients(ops.stack(hidden), y, [x], 1e-11)
    ours, theirs = (s if isinstance(s, tuple) else (s,) for s in (state, last))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.data, b.data[0], rtol=1e-12)


@each_cell
def test_gradients_of_the_states_and_of_one_sequence(cell_of, layer_of, options):
    cell = cell_of(3, 2, **options, **MADE)
    states = [leaf(4, 2, seed=k + 1) for k in range(len(cell.states))]
    pack = (lambda given: tuple(given)) if len(states) > 1 else (lambda given: given[0])
    assert gradcheck(lambda x, *given: cell(x, pack(given)), (leaf(4, 3), *states))
    one = cell(np.ones(3), pack([s[0] for s in states]))
    many = cell(np.ones((4, 3)), pack(states))
    for a, b in zip(*[s if isinstance(s, tuple) else (s,) for s in (one, many)]):
        assert a.shape == (2,)
        np.testing.assert_allclose(a.data, b.data[0], rtol=1e-14)


@each_cell
def test_first_weights_and_dtypes(cell_of, layer_of, options):
    cell = cell_of(3, 20, **options, random_state=1)
    shapes = {name: array.shape for name, array in cell.state_dict().items()}
    G = cell.blocks * 20
    assert shapes == {"weight_ih": (G, 3), "weight_hh": (G, 20), "bias_ih": (G,), "bias_hh": (G,)}
    largest = max(abs(array).max() for array in cell.state_dict().values())
    assert 0.95 / 20 ** 0.5 < largest <= 1 / 20 ** 0.5
    every = np.concatenate([array.ravel() for array in cell.state_dict().values()])
    assert abs(every.mean()) < 5 / (3 * 20 * every.size) ** 0.5
    assert list(cell_of(3, 2, False, **options).state_dict()) == ["weight_ih", "weight_hh"]
    state = cell.double()(Tensor(np.ones((1, 3))))
    assert (state[0] if isinstance(state, tuple) else state).dtype == np.float64


@pytest.mark.parametrize("call, message", [
    (lambda: LSTMCell(0, 2), "input_size=0"), (lambda: GRUCell(2, 1.5), "hidden_size=1.5"),
    (lambda: RNNCell(2, 2, nonlinearity="gelu"), "nonlinearity='gelu'"),
    (lambda: LSTMCell(3, 2)(np.ones((2, 4))), r"LSTMCell\(input_size=3, hidden_size=2, bias=True\) expected shape"),
    (lambda: LSTMCell(3, 2)(np.ones((2, 3)), np.ones((2, 2))), r"expected a tuple \(h, c\) of states, got ndarray"),
    (lambda: GRUCell(3, 2)(np.ones((2, 3)), np.ones((1, 2))), r"expected h of shape \(2, 2\), got \(1, 2\)"),
    (lambda: GRUCell(3, 2)(np.ones(3), np.ones((1, 2))), r"expected h of shape \(2,\), got \(1, 2\)"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
