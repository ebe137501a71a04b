"""The LSTM against its definition, against itself in operations on Tensors, and against what must hold."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, grad, gradcheck, ops
from scratchml.nn import lstm as chapter
from scratchml.nn.lstm import (argument_gradient, argument_gradients, arguments, cell_gradient, fused_lstm, gates, lstm,
                               lstm_backward, lstm_forward, state_gradient, states, weight_gradients)
from scratchml.nn.packing import pack
from tests.reference import lstm as reference
from tests.strategies.lstm import lengths, seeds, sizes, values

WEIGHTS = ("X", "h", "c", "W", "U", "p", "q")
GRADIENTS = ("V", "v", "e")


@pytest.fixture(params=["one kernel", "products"], autouse=True)
def route(request, monkeypatch):
    """Both ways over the steps: one kernel for all, and a matrix product for each."""
    monkeypatch.setattr(chapter, "SMALL", 2**14 if request.param == "one kernel" else 0)


def same(got, expected, scale=1.0):
    """Sums of fewer than 100 terms of about 1, each with a few roundings: below 1e-13 of the largest."""
    got, expected = (x if isinstance(x, tuple) else (x,) for x in (got, expected))
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13 * scale * max(1, np.abs(theirs).max(initial=0)))


def every_gradient(X, h, c, W, U, p, q, V, v, e):
    return lstm_backward(lstm_forward(X, h, c, W, U, p, q)[1], V, v, e)


# --- equal to the definition

@given(sizes(), seeds)
def test_one_step(drawn, seed):
    x, h, c, W, U, p, q, a, s = values(("x", "h", "c", "W", "U", "p", "q", "a", "s"), drawn, seed=seed)
    same(arguments(x, h, W, U, p, q), reference.arguments(x, h, W, U, p, q))
    same(gates(a), reference.gates(a))
    same(states(s, c), reference.states(s, c))


@given(sizes(), seeds)
def test_one_step_back(drawn, seed):
    c, C, s, v, e, U = values(("c", "C", "s", "v", "e", "U"), drawn, seed=seed)
    same(cell_gradient(s, C, v, e), reference.cell_gradient(s, C, v, e))
    same(argument_gradient(s, c, C, v, e), reference.argument_gradient(s, c, C, v, e))
    same(state_gradient(s, c, C, v, e, U), reference.state_gradient(s, c, C, v, e, U))


@given(sizes(), seeds)
def test_the_sums_over_steps(drawn, seed):
    A, X, Y, W = values(("A", "X", "Y", "W"), drawn, seed=seed)
    same(weight_gradients(A, X, Y, W), reference.weight_gradients(A, X, Y, W))


@given(sizes(), seeds)
def test_all_steps_and_all_steps_back(drawn, seed):
    given, derivatives = values(WEIGHTS, drawn, seed=seed), values(GRADIENTS, drawn, seed=seed + 1)
    same(lstm(*given), reference.lstm(*given))
    kept = values(("S", "c", "Z", "V", "v", "e", "U"), drawn, seed=seed)
    same(argument_gradients(*kept), reference.argument_gradients(*kept), scale=100)
    same(every_gradient(*given, *derivatives), reference.every_gradient(*given, *derivatives), scale=100)


# --- equal to the same in operations on Tensors

def composed(X, h, c, W, U, p, q):
    """(8) with a graph of a dozen nodes a step."""
    hidden = []
    for t in range(X.shape[0]):
        i, f, g, o = ops.split(X[t] @ W.T + h @ U.T + p + q, U.shape[1], dim=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        hidden.append(h)
    return ops.stack(hidden), h, c


def leaves(arrays):
    return [Tensor(array, requires_grad=True) for array in arrays]


def weighted(results, weights):
    return sum((result * weight).sum() for result, weight in zip(results, weights))


@given(sizes(), seeds)
def test_composed(drawn, seed):
    operands, weights = leaves(values(WEIGHTS, drawn, seed=seed)), values(GRADIENTS, drawn, seed=seed + 1)
    ours, theirs = fused_lstm(*operands), composed(*operands)
    same(tuple(y.data for y in ours), tuple(y.data for y in theirs))
    ours, theirs = (grad(weighted(y, weights), operands) for y in (ours, theirs))
    same(tuple(g.data for g in ours), tuple(g.data for g in theirs), scale=100)


# --- equal to differences

@pytest.mark.parametrize("steps", [None, [1, 3]])
def test_gradcheck(steps):
    operands = leaves(values(WEIGHTS, dict(T=3, B=2, D=2, H=2), seed=5))
    packing = steps and pack(steps, T=3, B=2)
    assert gradcheck(lambda *given: fused_lstm(*given, packing=packing), operands)


def test_every_result_hands_back_its_own_gradient():
    operands = leaves(values(WEIGHTS, seed=5))
    for k in range(3):
        assert gradcheck(lambda *given: fused_lstm(*given)[k], operands, fast_mode=True)


# --- laws

@given(sizes(), seeds, st.data())
def test_a_batch_equals_its_members_one_by_one(drawn, seed, data):
    X, h, c, *weights = values(WEIGHTS, drawn, seed=seed)
    T, B = X.shape[:2]
    steps = data.draw(lengths(T, B))
    y, last_h, last_c = lstm_forward(X, h, c, *weights, packing=pack(steps, T=T, B=B))[0]
    for b, n in enumerate(steps):
        alone = lstm(X[:n, b:b + 1], h[b:b + 1], c[b:b + 1], *weights)
        same((y[:n, b:b + 1], last_h[b:b + 1], last_c[b:b + 1]), alone)
        assert not y[n:, b].any()


@given(sizes(), seeds, st.data())
def test_gradients_of_a_batch_are_those_of_its_members(drawn, seed, data):
    X, h, c, *weights = values(WEIGHTS, drawn, seed=seed)
    V, v, e = values(GRADIENTS, drawn, seed=seed + 1)
    T, B = X.shape[:2]
    steps = data.draw(lengths(T, B))
    dx, dh, dc, *sums = lstm_backward(lstm_forward(X, h, c, *weights, packing=pack(steps, T=T, B=B))[1], V, v, e)
    parts = []
    for b, n in enumerate(steps):
        by, bb = np.s_[:n, b:b + 1], np.s_[b:b + 1]
        one = every_gradient(X[by], h[bb], c[bb], *weights, V[by], v[bb], e[bb])
        same((dx[by], dh[bb], dc[bb]), one[:3], scale=100)
        assert not dx[n:, b].any()
        parts.append(one[3:])
    same(tuple(sums), tuple(sum(part) for part in zip(*parts)), scale=100)


@given(sizes(), seeds, st.data())
def test_what_the_padding_holds_changes_no_bit(drawn, seed, data):
    X, *rest = values(WEIGHTS, drawn, seed=seed)
    V, v, e = values(GRADIENTS, drawn, seed=seed + 1)
    T, B = X.shape[:2]
    steps = data.draw(lengths(T, B))
    padding = np.arange(T)[:, None] >= np.array(steps)
    packing = pack(steps, T=T, B=B, reverse=data.draw(st.booleans()))
    results, saved = lstm_forward(X, *rest, packing=packing)
    gradients = lstm_backward(saved, V, v, e)
    X, V = X.copy(), V.copy()
    X[padding], V[padding] = np.nan, np.inf
    again, saved = lstm_forward(X, *rest, packing=packing)
    for before, after in zip((*results, *gradients), (*again, *lstm_backward(saved, V, v, e))):
        np.testing.assert_array_equal(before, after)


@given(sizes(), seeds, st.data())
def test_reading_backwards_is_reading_what_was_turned_round(drawn, seed, data):
    X, *rest = values(WEIGHTS, drawn, seed=seed)
    T, B = X.shape[:2]
    steps = data.draw(lengths(T, B))
    turned = X.copy()
    for b, n in enumerate(steps):
        turned[:n, b] = X[:n, b][::-1]
    backwards = lstm_forward(X, *rest, packing=pack(steps, T=T, B=B, reverse=True))[0]
    forwards = lstm_forward(turned, *rest, packing=pack(steps, T=T, B=B))[0]
    for b, n in enumerate(steps):
        np.testing.assert_array_equal(backwards[0][:n, b], forwards[0][:n, b][::-1])
    np.testing.assert_array_equal(backwards[1], forwards[1])
    np.testing.assert_array_equal(backwards[2], forwards[2])


@given(sizes(), seeds)
def test_going_on_where_one_stopped(drawn, seed):
    X, h, c, *weights = values(WEIGHTS, drawn, seed=seed)
    y, last_h, last_c = lstm(X, h, c, *weights)
    for t in range(len(X)):
        part, h, c = lstm(X[t:t + 1], h, c, *weights)
        same(part[0], y[t])
    same((h, c), (last_h, last_c))


def test_gates_shut_and_open_keep_the_cell():
    """Where f is 1 and i is 0 the cell stays what it was, for ever, and its gradient is 1."""
    X, h, c, W, U, p, q = values(WEIGHTS, dict(T=50, B=2, D=3, H=2))
    p[:2], p[2:4] = -1e4, 1e4
    y, _, last = lstm(X, h, c, W, U, p, q)
    np.testing.assert_array_equal(last, c)
    gradient = every_gradient(X, h, c, W, U, p, q, 0 * y, 0 * h, np.ones_like(c))
    np.testing.assert_array_equal(gradient[2], np.ones_like(c))


# --- twice, and what is kept

def test_a_graph_can_be_swept_twice():
    operands = leaves(values(WEIGHTS))
    y, _, _ = fused_lstm(*operands)
    first = grad(y.sum(), operands, retain_graph=True)
    for one, two in zip(first, grad(y.sum(), operands, retain_graph=True)):
        np.testing.assert_array_equal(one.data, two.data)


def test_nothing_is_kept_that_the_gradient_does_not_need():
    sizes = dict(T=40, B=3, D=5, H=4)
    given = values(WEIGHTS, sizes)
    results, saved = lstm_forward(*given)
    kept = {id(array): array.nbytes for array in [*saved[:-3], *saved[-3]] if array is not None}
    for array in (*given, results[0]):
        kept.pop(id(array), None)
    of_steps = sizes["T"] * sizes["B"] * sizes["H"] * 8
    assert sum(kept.values()) <= 5 * of_steps + 1000     # four gates and a cell, and what does not grow with T


def test_the_product_for_inputs_can_be_spared():
    given, derivatives = values(WEIGHTS), values(GRADIENTS)
    spared = lstm_backward(lstm_forward(*given, input_gradient=False)[1], *derivatives)
    assert spared[0] is None
    same(spared[1:], every_gradient(*given, *derivatives)[1:])


def test_the_gradients_of_the_first_states_can_be_spared():
    given, derivatives = values(WEIGHTS), values(GRADIENTS)
    spared = lstm_backward(lstm_forward(*given, state_gradient=False)[1], *derivatives)
    assert spared[1] is None and spared[2] is None
    for one, other in zip(spared[:1] + spared[3:], [g for k, g in enumerate(every_gradient(*given, *derivatives))
                                                    if k not in (1, 2)], strict=True):
        np.testing.assert_array_equal(one, other)


# --- float32, and the extremes

@given(sizes(), seeds)
def test_float32(drawn, seed):
    given, derivatives = values(WEIGHTS, drawn, seed=seed), values(GRADIENTS, drawn, seed=seed + 1)
    single, by = ([array.astype(np.float32) for array in arrays] for arrays in (given, derivatives))
    exact = *lstm(*given), *every_gradient(*given, *derivatives)
    for ours, theirs in zip((*lstm(*single), *every_gradient(*single, *by)), exact):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize("dtype, size", [(np.float32, 1e30), (np.float64, 1e200)])
def test_huge_inputs_saturate(dtype, size):
    given = values(WEIGHTS, dtype=dtype)
    given[0] = given[0] * dtype(size)
    for array in (*lstm(*given), *every_gradient(*given, *values(GRADIENTS, dtype=dtype))):
        assert np.isfinite(array).all()
    assert np.abs(lstm(*given)[0]).max() <= 1
