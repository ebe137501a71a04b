"""The long short-term memory: a layer that reads a sequence step by step, and its gradient through all the steps.

What a layer knows of the steps before is its state.  If every step multiplies the state, and so its gradient, by a
matrix, a hundred steps multiply it by a hundred matrices: it dies away or explodes.  The LSTM keeps a second state,
the cell c, that a step multiplies by a number between 0 and 1 for each unit and adds to.  Three such gates, each a
function of the input and of the state h, decide what is added (i), what is kept (f), and what is shown (o).

The gradient runs backwards over the same steps.  A step receives δy and δC, the derivatives of the loss by its new
states h and c, gets from (4) what reaches the cell by way of h, from (5) what reaches the arguments of the gates, and
hands (6) to the step before.  (5) is the chain rule on (2) and (3) with σ' = σ (1 - σ) and tanh' = 1 - tanh²: all that
it needs are values of gates, cells and y, which is o tanh C: so they are what the forward pass keeps.

Symbols
    T, B, D, H          steps, sequences, inputs and hidden units
    x, X  (B, D)        the inputs of one step; X (T, B, D) of all
    h, c  (B, H)        the states before a step, or before the first
    W, U  (4*H, D)      weights of the input, a block of rows for each of i, f, g, o; U (4*H, H) of the state h
    p, q  (4*H,)        their biases
    a, s  (B, 4*H)      the arguments of the four gates, a₁ ... a₄ being blocks of H columns; their values i, f, g, o
    C, y  (B, H)        the states after a step: the cell, and the new h
    δ                   the derivative of the loss by what follows
    v, e  (B, H)        δy; δC as far as it comes from the step after.  For all steps: those of the last states
    V     (T, B, H)     δy of every step, as far as it does not come from the step after
    S, A  (T, B, 4*H)   s and δa of every step
    Y, Z  (T, B, H)     the h before each step, the cell after it

Equations
    (1)  a = x Wᵀ + h Uᵀ + p + q                                                          arguments
    (2)  i, f, g, o = σ(a₁), σ(a₂), tanh a₃, σ(a₄) with σ(a) = 1 / (1 + exp(-a))          gates
    (3)  C = f c + i g, y = o tanh C                                                      states
    (4)  δC = e + v o (1 - tanh² C)                                                       cell_gradient
    (5)  δa = δC g i (1 - i), δC c f (1 - f), δC i (1 - g²), v tanh C o (1 - o)           argument_gradient
    (6)  δh = δa U, δc = f δC                                                             state_gradient
    (7)  h[t+1], c[t+1] = (3) of (2) of (1) of x[t], h[t], c[t], for t = 0 ... T-1        lstm
    (8)  δa[t], and δh, δc for the step before, by (4) to (6), for t = T-1 ... 0          argument_gradients
    (9)  δW = Σ_t δa[t]ᵀ x[t], δU = Σ_t δa[t]ᵀ h[t], δp = δq = Σ_t,b δa, δx = δa W        weight_gradients

Choices
    x Wᵀ of (1) for all steps is one matrix product, and so are the sums over steps in (9).  A step is left with the
    product h Uᵀ, one pass over its gates, and δa U on the way back.
    The forward pass keeps its operands, its result, s and c.  The way back writes δa over s, and so needs no memory; if
    the same graph is swept again, s is computed again.
    Gates come from exponentials of the precision of the arrays, within 4 units of the last place: core/elementary.py.
    Sequences of different lengths: packing.py.  For few units the whole sequence is one kernel, without a call a step.

Cost
    2 T B (D + H) 4H multiplications and additions forward, twice as many back; memory T B 5H.  Beside the products a
    step costs five exponentials a unit, and none on the way back.

>>> x, h, c = np.array([[[1.0]], [[-1.0]]]), np.zeros((1, 2)), np.zeros((1, 2))
>>> W, U, b = np.arange(8.0).reshape(8, 1) / 4, np.ones((8, 2)) / 2, np.zeros(8)
>>> y, last_h, last_c = lstm(x, h, c, W, U, b, b)
>>> y.round(4).tolist()
[[[0.2971, 0.3781]], [[-0.0386, -0.0362]]]

Sources: S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); F. Gers, J.
Schmidhuber and F. Cummins, "Learning to forget", Neural Computation 12 (2000), for f; the order of the gates, and two
biases where one would do, are PyTorch's.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.core.elementary import sigmoid_row, tanh_row
from scratchml.core.jit import kernel
from scratchml.core.products import laid_out, product
from scratchml.nn.packing import pack

# --- one step ------------------------------------------------------------------------------------


def arguments(x, h, W, U, p, q):
    """(1)  a = x Wᵀ + h Uᵀ + p + q

    Shapes: x (B, D), h (B, H), W (4*H, D), U (4*H, H), p (4*H), q (4*H) -> (B, 4*H)
    """
    return x @ W.T + h @ U.T + p + q


def gates(a):
    """(2)  i, f, g, o = σ(a₁), σ(a₂), tanh a₃, σ(a₄) with σ(a) = 1 / (1 + exp(-a))

    σ(a) is (1 + tanh(a / 2)) / 2, which does not overflow.

    Shapes: a (B, 4*H) -> (B, 4*H)
    """
    i, f, g, o = np.split(a, 4, axis=-1)
    return np.concatenate([0.5 + 0.5 * np.tanh(i / 2), 0.5 + 0.5 * np.tanh(f / 2), np.tanh(g),
                           0.5 + 0.5 * np.tanh(o / 2)], axis=-1)


def states(s, c):
    """(3)  C = f c + i g, y = o tanh C

    Shapes: s (B, 4*H), c (B, H) -> (B, H), (B, H)
    """
    i, f, g, o = np.split(s, 4, axis=-1)
    C = f * c + i * g
    return C, o * np.tanh(C)


# --- one step back -------------------------------------------------------------------------------


def cell_gradient(s, C, v, e):
    """(4)  δC = e + v o (1 - tanh² C)

    Shapes: s (B, 4*H), C (B, H), v (B, H), e (B, H) -> (B, H)
    """
    o = np.split(s, 4, axis=-1)[3]
    return e + v * o * (1 - np.tanh(C)**2)


def argument_gradient(s, c, C, v, e):
    """(5)  δa = δC g i (1 - i), δC c f (1 - f), δC i (1 - g²), v tanh C o (1 - o)

    Shapes: s (B, 4*H), c (B, H), C (B, H), v (B, H), e (B, H) -> (B, 4*H)
    """
    i, f, g, o = np.split(s, 4, axis=-1)
    dC = cell_gradient(s, C, v, e)
    return np.concatenate([dC * g * i * (1 - i), dC * c * f * (1 - f), dC * i * (1 - g * g),
                           v * np.tanh(C) * o * (1 - o)], axis=-1)


def state_gradient(s, c, C, v, e, U):
    """(6)  δh = δa U, δc = f δC

    Shapes: s (B, 4*H), c (B, H), C (B, H), v (B, H), e (B, H), U (4*H, H) -> (B, H), (B, H)
    """
    f = np.split(s, 4, axis=-1)[1]
    return argument_gradient(s, c, C, v, e) @ U, f * cell_gradient(s, C, v, e)


# --- all steps -----------------------------------------------------------------------------------


def lstm(X, h, c, W, U, p, q):
    """(7)  h[t+1], c[t+1] = (3) of (2) of (1) of x[t], h[t], c[t], for t = 0 ... T-1

    Returns h after every step, and both states after the last.

    Shapes: X (T, B, D), h (B, H), c (B, H), W (4*H, D), U (4*H, H), p (4*H), q (4*H) -> (T, B, H), (B, H), (B, H)
    """
    return lstm_forward(X, h, c, W, U, p, q)[0]


def argument_gradients(S, c, Z, V, v, e, U):
    """(8)  δa[t], and δh, δc for the step before, by (4) to (6), for t = T-1 ... 0

    Returns δa of every step, and δh and δc of the states before the first.

    Shapes: S (T, B, 4*H), c (B, H), Z (T, B, H), V (T, B, H), v (B, H), e (B, H), U (4*H, H) -> (T,B,4*H), (B,H), (B,H)
    """
    A, states = np.ascontiguousarray(S).copy(), np.stack([v, e])
    rows = (S[..., 3 * Z.shape[-1]:] * np.tanh(Z)).reshape(-1, Z.shape[-1])
    _sweep_back(A.reshape(-1, A.shape[-1]), np.concatenate([c, *Z]), rows, V, states, U, pack(T=len(S), B=len(c)))
    return A, states[0], states[1]


def weight_gradients(A, X, Y, W):
    """(9)  δW = Σ_t δa[t]ᵀ x[t], δU = Σ_t δa[t]ᵀ h[t], δp = δq = Σ_t,b δa, δx = δa W

    Returned in this order, the bias once.

    Shapes: A (T, B, 4*H), X (T, B, D), Y (T, B, H), W (4*H, D) -> (4*H, D), (4*H, H), (4*H), (T, B, D)
    """
    rows = A.reshape(-1, A.shape[-1])
    return (rows.T @ X.reshape(-1, X.shape[-1]), rows.T @ Y.reshape(-1, Y.shape[-1]), rows.sum(axis=0), A @ W)


# --- compiled: (7) to (9) over packed sequences ----------------------------------------------------

SMALL = 2**14                                            # B H² up to which a product costs less than the call of one


def lstm_forward(x, h, c, W, U, p, q, *, packing=None, input_gradient=True, state_gradient=True):
    """Results and what `lstm_backward` needs: (7) for `packing`, or for x (T, B, D) as it is if that is None.

    Results are h after each step, padded like x, and (B, H) the states after the last steps.  Without `input_gradient`
    the way back spares the product δx, without `state_gradient` that of δh before the first step.
    """
    dtype = np.result_type(x, h, c, W, U, p, q)
    x, h, c, W, U, p, q = (np.asarray(array, dtype) for array in (x, h, c, W, U, p, q))
    packing = packing or pack(T=x.shape[0], B=x.shape[1])
    y, rows = packing.room(h.shape[1], dtype)
    s, cells = _sweep(x, h, c, W, U, p + q, rows, packing)
    results = packing.fill(y, rows), packing.at_last(rows), packing.at_last(cells[len(h):])
    return results, (x, h, c, W, U, p + q, y, cells, [s], packing, (input_gradient, state_gradient))


def _sweep(x, h, c, W, U, b, rows, packing):
    """Gates (N, 4H) and cells (B+N, H), those before the first step first; `rows` (N, H) receives h after each step."""
    s, first = product(packing.packed(x), W.T), packing.first
    (B, H), before = h.shape, packing.sorted(h)
    cells, part = np.empty((B + len(s), H), s.dtype), np.empty((B, 4 * H), s.dtype)
    cells[:B] = packing.sorted(c)
    if B * H * H <= SMALL:
        _all_steps(s, part, np.ascontiguousarray(U.T), b, before, cells, rows, first)
        return s, cells
    by_state = laid_out(U.T, len(s))
    for t, (start, size) in enumerate(packing.steps()):
        product(before[:size], by_state, out=part[:size])
        _step(s, part, b, cells, rows, first, t)
        before = rows[start:start + size]
    return s, cells


def lstm_backward(saved, V, v, e):
    """(8) and (9): the gradients of the operands of `lstm_forward`, from those of its results."""
    x, h, c, W, U, b, y, cells, gates_once, packing, (input_gradient, state_gradient) = saved
    rows = packing.packed(y)
    A = gates_once.pop() if gates_once else _sweep(x, h, c, W, U, b, rows.copy(), packing)[0]
    states = np.empty((2, *h.shape), A.dtype)
    states[0], states[1] = packing.sorted(v), packing.sorted(e)
    db = _sweep_back(A, cells, rows, V, states, U, packing, state_gradient).astype(A.dtype)
    dx = None
    if input_gradient:
        dx, room = packing.room(x.shape[-1], A.dtype)
        packing.fill(dx, product(A, W, out=room))
    dh, dc = (packing.unsorted(state) for state in states) if state_gradient else (None, None)
    dW, dU = product(A.T, packing.packed(x)), recurrent_product(A, h, rows, packing)
    return dx, dh, dc, dW, dU, db, db.copy()


def _sweep_back(A, cells, rows, V, states, U, packing, to_first=True):
    """(8): A (N, 4H) holds the gates and receives δa, states (2, B, H) δh and δc; returns Σ δa, float64 (4H).

    δh before the first step is made only `to_first`.
    """
    (_, B, H), first, total = states.shape, packing.first, np.zeros(A.shape[1])
    V = np.ascontiguousarray(packing.packed(V), A.dtype)
    if B * H * H <= SMALL:
        _all_steps_back(A, cells, rows, V, states, total, first, np.ascontiguousarray(U))
        return total
    steps, by_state = packing.steps(), laid_out(U, len(A))
    for t in range(len(steps) - 1, -1, -1):
        start, size = steps[t]
        _step_back(A, cells, rows, V, states, total, first, t)
        if t or to_first:
            product(A[start:start + size], by_state, out=states[0, :size])
    return total


def recurrent_product(A, h, rows, packing):
    """Σ_t δa[t]ᵀ h[t] for packed A (N, K), where h (B, H) comes before the first step and `rows` (N, H) after each."""
    B = len(h)
    if packing.order is None:                            # all of a length: the h before a step lie B rows before it
        total = product(A[B:].T, rows[:len(A) - B])
        return total + product(A[:B].T, packing.sorted(h)) if h.any() else total
    steps = packing.steps()
    before = [rows[start:start + size] for (start, _), (_, size) in zip(steps, steps[1:])]
    return product(A.T, np.concatenate([packing.sorted(h), *before]))


fused_lstm = Fused(lstm_forward, lstm_backward, fresh=True)


@kernel(contract=True)
def _step(s, part, b, cells, rows, first, t):
    """Step t, same result as (2) and (3), because a row of gates is squashed in place and then combined.

    s (N, 4H) holds x Wᵀ and receives the gates, part (B, 4H) is h Uᵀ, b (4H) the biases; cells (B+N, H) and rows
    (N, H) receive c and h.  A loop has few arrays: the compiler checks that they do not overlap, but not for many.
    """
    B, H = first[1], rows.shape[1]
    before, now = first[t], first[t + 1]
    for k in range(first[t + 2] - now):
        gate, from_h = s[now - B + k], part[k]
        for j in range(4 * H):
            gate[j] += from_h[j] + b[j]
        i, f, g, o = gate[:H], gate[H:2 * H], gate[2 * H:3 * H], gate[3 * H:]
        sigmoid_row(gate[:2 * H])
        tanh_row(g)
        sigmoid_row(o)
        c, C, y = cells[before + k], cells[now + k], rows[now - B + k]
        for j in range(H):
            C[j] = f[j] * c[j] + i[j] * g[j]
        for j in range(H):
            y[j] = C[j]
        tanh_row(y)
        for j in range(H):
            y[j] *= o[j]


@kernel(contract=True)
def _step_back(s, cells, rows, V, states, b, first, t):
    """Step t back, same result as (4), (5) and δc of (6), because each block of δa is one loop over the units.

    s (N, 4H) holds the gates and receives δa, which b (4H) adds up, step by step in float64.  states (2, B, H) holds
    δh and δc from the step after and receives δc.  Each s (1 - s) stands as s - s s: a 1 would be in double precision.
    By (3), tanh C is y / o; where o is next to nothing, so is all that it is multiplied with.
    """
    B, H, least = first[1], V.shape[1], V.dtype.type(1e-37)
    before, now, sums = first[t], first[t + 1], np.zeros(4 * H, V.dtype)
    for k in range(first[t + 2] - now):
        row = s[now - B + k]
        i, f, g, o = row[:H], row[H:2 * H], row[2 * H:3 * H], row[3 * H:]
        dh, dC = states[0, k], states[1, k]
        c, y, v = cells[before + k], rows[now - B + k], V[now - B + k]
        for j in range(H):
            dy, tanh_C = dh[j] + v[j], y[j] / max(o[j], least)
            dC[j] += dy * (o[j] - y[j] * tanh_C)
            o[j] = dy * (y[j] - y[j] * o[j])
        for j in range(H):
            at_i = i[j]
            i[j] = dC[j] * g[j] * (at_i - at_i * at_i)
            g[j] = dC[j] * (at_i - at_i * g[j] * g[j])
        for j in range(H):
            at_f = f[j]
            f[j] = dC[j] * c[j] * (at_f - at_f * at_f)
            dC[j] *= at_f
        for j in range(4 * H):
            sums[j] += row[j]
    for j in range(4 * H):
        b[j] += sums[j]


@kernel(contract=True)
def row_times(x, M, y):
    """y (m,) = x M, for a row x (n,) and M (n, m)."""
    y[:] = 0
    for i in range(x.size):
        for j in range(y.size):
            y[j] += x[i] * M[i, j]


@kernel(contract=True)
def _all_steps(s, part, U, b, h, cells, rows, first):
    """Every step; U is (H, 4H), and h (B, H) the state before the first."""
    B = first[1]
    for t in range(first.size - 2):
        for k in range(first[t + 2] - first[t + 1]):
            row_times(h[k] if t == 0 else rows[first[t] - B + k], U, part[k])
        _step(s, part, b, cells, rows, first, t)


@kernel(contract=True)
def _all_steps_back(s, cells, rows, V, states, b, first, U):
    """Every step back, last to first, δh = δa U included."""
    B = first[1]
    for t in range(first.size - 3, -1, -1):
        _step_back(s, cells, rows, V, states, b, first, t)
        for k in range(first[t + 2] - first[t + 1]):
            row_times(s[first[t + 1] - B + k], U, states[0, k])
