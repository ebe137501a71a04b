"""The plain recurrent layer against its definition, operations on Tensors, differences, and what must hold."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import gradcheck, ops
from scratchml.nn.elman import (argument, argument_gradient, argument_gradients, curve, elman, elman_backward,
                                elman_forward, fused_elman, weight_gradients)
from scratchml.nn.packing import pack
from tests.nn.test_gru import leaves, same
from tests.nn.test_layers import assert_same_gradients
from tests.reference import elman as reference
from tests.strategies.elman import values
from tests.strategies.lstm import lengths, seeds, sizes

WEIGHTS = ("X", "h", "W", "U", "p", "q")
each_curve = pytest.mark.parametrize("f", ["tanh", "relu"])


@each_curve
@given(sizes(), seeds)
def test_one_step(f, drawn, seed):
    x, h, W, U, p, q, a, v = values(("x", "h", "W", "U", "p", "q", "a", "v"), drawn, seed=seed)
    same(argument(x, h, W, U, p, q), reference.argument(x, h, W, U, p, q))
    same(curve(a, f), reference.curve(a, f))
    y = 0.9 * np.tanh(a)
    same(argument_gradient(v, y, f), reference.argument_gradient(v, y, f))


@each_curve
@given(sizes(), seeds)
def test_all_steps_and_all_steps_back(f, drawn, seed):
    same(elman(*values(WEIGHTS, drawn, seed=seed), f), reference.elman(*values(WEIGHTS, drawn, seed=seed), f), 100)
    Y, V, v, U = values(("Y", "V", "v", "U"), drawn, seed=seed)
    Y = 0.9 * np.tanh(Y)
    same(argument_gradients(Y, V, v, U, f), reference.argument_gradients(Y, V, v, U, f), scale=100)
    kept = values(("A", "X", "Z", "W"), drawn, seed=seed)
    same(weight_gradients(*kept), reference.weight_gradients(*kept))


@each_curve
@given(sizes(), seeds)
def test_composed(f, drawn, seed):
    X, h, W, U, p, q = operands = leaves(values(WEIGHTS, drawn, seed=seed))
    hidden = []
    for t in range(X.shape[0]):
        a = X[t] @ W.T + h @ U.T + p + q
        h = a.tanh() if f == "tanh" else a.relu()
        hidden.append(h)
    y, last = fused_elman(*operands, f=f)
    assert_same_gradients(ops.concatenate([y, last.unsqueeze(0)]), ops.stack([*hidden, h]), operands, 1e-11)


@pytest.mark.parametrize("steps", [None, [1, 3]])
def test_gradcheck(steps):
    operands = leaves(values(WEIGHTS, dict(T=3, B=2, D=2, H=2), seed=5))
    packing = steps and pack(steps, T=3, B=2)
    for k in range(2):
        assert gradcheck(lambda *given: fused_elman(*given, f="tanh", packing=packing)[k], operands)


@given(sizes(), seeds, st.data())
def test_a_batch_equals_its_members_one_by_one(drawn, seed, data):
    X, h, *weights = values(WEIGHTS, drawn, seed=seed)
    V, v = values(("V", "v"), drawn, seed=seed + 1)
    T, B = X.shape[:2]
    steps = data.draw(lengths(T, B))
    (y, last), saved = elman_forward(X, h, *weights, f="tanh", packing=pack(steps, T=T, B=B))
    dx, dh, *sums = elman_backward(saved, V, v)
    parts = []
    for b, n in enumerate(steps):
        by, bb = np.s_[:n, b:b + 1], np.s_[b:b + 1]
        results, saved = elman_forward(X[by], h[bb], *weights, f="tanh")
        same((y[by], last[bb]), results)
        one = elman_backward(saved, V[by], v[bb])
        same((dx[by], dh[bb]), one[:2], scale=100)
        assert not y[n:, b].any() and not dx[n:, b].any()
        parts.append(one[2:])
    same(tuple(sums), tuple(sum(part) for part in zip(*parts)), scale=100)


def test_a_small_matrix_forgets():
    """After a hundred steps the gradient by the first state is below the power of the matrix's norm."""
    X, h, W, U, p, q = values(WEIGHTS, dict(T=100, B=2, D=3, H=2))
    U = U / np.linalg.norm(U, 2) * 0.9
    (y, last), saved = elman_forward(X, h, W, U, p, q, f="tanh")
    assert abs(elman_backward(saved, 0 * y, np.ones_like(h))[1]).max() < 2 * 0.9 ** 100
