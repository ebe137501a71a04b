"""The gated recurrent unit: a layer with one state, and its gradient through all the steps.

The GRU does with one state and three blocks of weights what the LSTM does with two and four.  A proposal n for the new
state is made from the input, and from the old state as far as r lets it through; the new state is a mean of proposal
and old state, weighted by z.  Where z is 1 the state stays what it was, and so does its gradient: that is the way that
does not fade.

The weights of h act before r does: r multiplies U h + q, not h.  So all three products with h are one, and the way back
needs m, the third of them, besides n, r and z.  The gates lie in memory in the order n, r, z, m: then what comes from
the input is the first three blocks, what comes from the state the last three, and each is one matrix for the products.

Symbols
    T, B, D, H          steps, sequences, inputs and hidden units
    x, X  (B, D)        the inputs of one step; X (T, B, D) of all
    h     (B, H)        the state before a step, or before the first
    W, U  (3*H, D)      weights of the input, a block of rows for each of r, z, n; U (3*H, H) of the state
    p, q  (3*H,)        their biases
    a, k  (B, 3*H)      what comes from the input, and from the state; a₁, a₂, a₃ are blocks of H columns
    s     (B, 4*H)      n, r, z, and m = k₃
    y                   the state after a step, (B, H)
    δ                   the derivative of the loss by what follows; for r, z and n by the argument of their σ or tanh
    v     (B, H)        δy; for all steps: that of the last state
    V     (T, B, H)     δy of every step, as far as it does not come from the step after
    S, A  (T, B, 4*H)   s, and δn, δr, δz, δm, of every step
    Y     (T, B, H)     the state before each step

Equations
    (1)  a = x Wᵀ + p, k = h Uᵀ + q                                                          arguments
    (2)  n = tanh(a₃ + r m), r = σ(a₁ + k₁), z = σ(a₂ + k₂), m = k₃                          gates
    (3)  y = (1 - z) n + z h                                                                 state
    (4)  δn = v (1 - z) (1 - n²), δr = δn m r (1 - r), δz = v (h - n) z (1 - z), δm = δn r   gate_gradient
    (5)  δh = z v + (δr, δz, δm) U                                                           state_gradient
    (6)  h[t+1] = (3) of (2) of (1) of x[t], h[t], for t = 0 ... T-1                         gru
    (7)  (4) of every step, and δh before the first, by (4) and (5) for t = T-1 ... 0        gate_gradients
    (8)  δW = Σ_t,b (δr, δz, δn)ᵀ x, δU = Σ_t,b (δr, δz, δm)ᵀ h, δx = (δr, δz, δn) W         weight_gradients

Choices
    x Wᵀ of (1) for all steps is one matrix product, and so are the sums over steps in (8); a step is left with the
    product h Uᵀ, one pass over its gates, and the product of (5) on the way back.
    The forward pass keeps its operands, its result and s.  The way back writes (4) over s; if the same graph is swept
    again, s is computed again.
    Sequences of different lengths: packing.py.  For few units the whole sequence is one kernel, without a call a step.

Cost
    2 T B (D + H) 3H multiplications and additions forward, twice as many back; memory T B 4H.  Beside the products a
    step costs three exponentials a unit.

>>> X, h = np.array([[[1.0]], [[-1.0]]]), np.zeros((1, 2))
>>> W, U, b = np.arange(6.0).reshape(6, 1) / 4, np.ones((6, 2)) / 2, np.zeros(6)
>>> y, last = gru(X, h, W, U, b, b)
>>> y.round(4).tolist()
[[[0.2875, 0.2721]], [[-0.2527, -0.3897]]]

Sources: K. Cho and others, "Learning phrase representations using RNN encoder-decoder for statistical machine
translation", EMNLP 2014, section 2.3; r after the product, the order of the weights, and two biases are PyTorch's.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.core.elementary import sigmoid_row, tanh_row
from scratchml.core.jit import kernel
from scratchml.core.products import laid_out, product
from scratchml.nn.lstm import SMALL, recurrent_product, row_times
from scratchml.nn.packing import pack

# --- one step ------------------------------------------------------------------------------------


def arguments(x, h, W, U, p, q):
    """(1)  a = x Wᵀ + p, k = h Uᵀ + q

    Shapes: x (B, D), h (B, H), W (3*H, D), U (3*H, H), p (3*H), q (3*H) -> (B, 3*H), (B, 3*H)
    """
    return x @ W.T + p, h @ U.T + q


def gates(a, k):
    """(2)  n = tanh(a₃ + r m), r = σ(a₁ + k₁), z = σ(a₂ + k₂), m = k₃

    Shapes: a (B, 3*H), k (B, 3*H) -> (B, 4*H)
    """
    (a1, a2, a3), (k1, k2, m) = np.split(a, 3, axis=-1), np.split(k, 3, axis=-1)
    r, z = 0.5 + 0.5 * np.tanh((a1 + k1) / 2), 0.5 + 0.5 * np.tanh((a2 + k2) / 2)
    return np.concatenate([np.tanh(a3 + r * m), r, z, m], axis=-1)


def state(s, h):
    """(3)  y = (1 - z) n + z h

    Shapes: s (B, 4*H), h (B, H) -> (B, H)
    """
    n, _, z, _ = np.split(s, 4, axis=-1)
    return (1 - z) * n + z * h


# --- one step back -------------------------------------------------------------------------------


def gate_gradient(s, h, v):
    """(4)  δn = v (1 - z) (1 - n²), δr = δn m r (1 - r), δz = v (h - n) z (1 - z), δm = δn r

    Shapes: s (B, 4*H), h (B, H), v (B, H) -> (B, 4*H)
    """
    n, r, z, m = np.split(s, 4, axis=-1)
    dn = v * (1 - z) * (1 - n * n)
    return np.concatenate([dn, dn * m * r * (1 - r), v * (h - n) * z * (1 - z), dn * r], axis=-1)


def state_gradient(s, h, v, U):
    """(5)  δh = z v + (δr, δz, δm) U

    Shapes: s (B, 4*H), h (B, H), v (B, H), U (3*H, H) -> (B, H)
    """
    _, _, z, _ = np.split(s, 4, axis=-1)
    return z * v + gate_gradient(s, h, v)[:, h.shape[1]:] @ U


# --- all steps -----------------------------------------------------------------------------------


def gru(X, h, W, U, p, q):
    """(6)  h[t+1] = (3) of (2) of (1) of x[t], h[t], for t = 0 ... T-1

    Returns h after every step, and after the last.

    Shapes: X (T, B, D), h (B, H), W (3*H, D), U (3*H, H), p (3*H), q (3*H) -> (T, B, H), (B, H)
    """
    return gru_forward(X, h, W, U, p, q)[0]


def gate_gradients(S, Y, V, v, U):
    """(7)  (4) of every step, and δh before the first, by (4) and (5) for t = T-1 ... 0

    Shapes: S (T, B, 4*H), Y (T, B, H), V (T, B, H), v (B, H), U (3*H, H) -> (T, B, 4*H), (B, H)
    """
    A = np.ascontiguousarray(S).copy()
    after = np.concatenate([Y[1:], Y[:1]]).reshape(-1, Y.shape[-1])                      # nobody reads the last
    dh, _ = _sweep_back(A.reshape(-1, A.shape[-1]), Y[0], after, V, v, U, pack(T=len(S), B=S.shape[1]))
    return A, dh


def weight_gradients(A, X, Y, W):
    """(8)  δW = Σ_t,b (δr, δz, δn)ᵀ x, δU = Σ_t,b (δr, δz, δm)ᵀ h, δx = (δr, δz, δn) W

    Returned as δW, δU, δp, δq, δx, where biases are weights of an input that is 1.

    Shapes: A (T, B, 4*H), X (T, B, D), Y (T, B, H), W (3*H, D) -> (3*H, D), (3*H, H), (3*H), (3*H), (T, B, D)
    """
    H = Y.shape[-1]
    rows = A.reshape(-1, A.shape[-1])
    by_input, by_state = np.concatenate([rows[:, H:3 * H], rows[:, :H]], axis=1), rows[:, H:]
    return (by_input.T @ X.reshape(-1, X.shape[-1]), by_state.T @ Y.reshape(-1, H), by_input.sum(axis=0),
            by_state.sum(axis=0), (by_input @ W).reshape(X.shape))


# --- compiled: (6) to (8) over packed sequences ----------------------------------------------------


def gru_forward(x, h, W, U, p, q, *, packing=None, input_gradient=True):
    """Results and what `gru_backward` needs: (6) for `packing`, or for x (T, B, D) as it is if that is None.

    Results are h after each step, padded like x, and (B, H) the states after the last steps.  Without `input_gradient`
    the way back spares the product δx.
    """
    dtype, H = np.result_type(x, h, W, U, p, q), h.shape[1]
    x, h, W, U, p, q = (np.asarray(array, dtype) for array in (x, h, W, U, p, q))
    packing = packing or pack(T=x.shape[0], B=x.shape[1])
    b = np.concatenate([p[2 * H:], p[:2 * H] + q[:2 * H], q[2 * H:]])
    y, rows = packing.room(H, dtype)
    s = _sweep(x, h, W, U, b, rows, packing)
    return (packing.fill(y, rows), packing.at_last(rows)), (x, h, W, U, b, y, [s], packing, input_gradient)


def _sweep(x, h, W, U, b, rows, packing):
    """s of all steps, (N, 4H); `rows` (N, H) receives the state after each step."""
    (B, H), before, first = h.shape, packing.sorted(h), packing.first
    s, part = np.empty((len(rows), 4 * H), rows.dtype), np.empty((B, 3 * H), rows.dtype)
    product(packing.packed(x), np.roll(W, H, axis=0).T, out=s[:, :3 * H])
    if B * H * H <= SMALL:
        _all_steps(s, part, np.ascontiguousarray(U.T), b, before, rows, first)
        return s
    states, by_state = before, laid_out(U.T, len(s))
    for t, (start, size) in enumerate(packing.steps()):
        product(states[:size], by_state, out=part[:size])
        _step(s, part, b, before, rows, first, t)
        states = rows[start:start + size]
    return s


def gru_backward(saved, V, v):
    """(7) and (8): the gradients of the operands of `gru_forward`, from those of its results."""
    x, h, W, U, b, y, gates_once, packing, input_gradient = saved
    H, rows = h.shape[1], packing.packed(y)
    A = gates_once.pop() if gates_once else _sweep(x, h, W, U, b, rows.copy(), packing)
    dh, total = _sweep_back(A, packing.sorted(h), rows, V, packing.sorted(v), U, packing)
    total, by_input, dx = total.astype(A.dtype), A[:, :3 * H], None
    if input_gradient:
        dx, room = packing.room(x.shape[-1], A.dtype)
        packing.fill(dx, product(by_input, np.roll(W, H, axis=0), out=room))
    dW = np.roll(product(by_input.T, packing.packed(x)), -H, axis=0)
    dU = recurrent_product(A[:, H:], h, rows, packing)
    return dx, packing.unsorted(dh), dW, dU, np.roll(total[:3 * H], -H), total[H:].copy()


def _sweep_back(A, h, rows, V, v, U, packing):
    """(7): A (N, 4H) holds the gates and receives (4); returns δh (B, H), and the sum of the rows of A, float64."""
    (B, H), first, total = h.shape, packing.first, np.zeros(A.shape[1])
    V, states = np.ascontiguousarray(packing.packed(V), A.dtype), np.zeros((2, B, H), A.dtype)
    states[0] = v
    if B * H * H <= SMALL:
        _all_steps_back(A, h, rows, V, states, total, first, np.ascontiguousarray(U))
    else:
        steps, by_state = packing.steps(), laid_out(U, len(A))
        for t in range(len(steps) - 1, -1, -1):
            start, size = steps[t]
            _step_back(A, h, rows, V, states, total, first, t)
            product(A[start:start + size, H:], by_state, out=states[1, :size])
    return states[0] + states[1], total


fused_gru = Fused(gru_forward, gru_backward, fresh=True)


@kernel(contract=True)
def _step(s, part, b, h, rows, first, t):
    """Step t, same result as (2) and (3), because a row of gates is squashed in place and then combined.

    s (N, 4H) holds x Wᵀ and receives the gates, part (B, 3H) is h Uᵀ, b (4H) the biases of n, r, z, m; h (B, H) is the
    state before the first step, and rows (N, H) receive those after each.
    """
    B, H = first[1], rows.shape[1]
    now = first[t + 1] - B
    for c in range(first[t + 2] - first[t + 1]):
        gate, from_h, old, y = s[now + c], part[c], h[c] if t == 0 else rows[first[t] - B + c], rows[now + c]
        n, r, z, m = gate[:H], gate[H:2 * H], gate[2 * H:3 * H], gate[3 * H:]
        both = gate[H:3 * H]
        for j in range(2 * H):
            both[j] += from_h[j] + b[H + j]
        sigmoid_row(both)
        for j in range(H):
            m[j] = from_h[2 * H + j] + b[3 * H + j]
        for j in range(H):
            n[j] += b[j] + r[j] * m[j]
        tanh_row(n)
        for j in range(H):
            y[j] = n[j] - z[j] * n[j] + z[j] * old[j]         # where z is 1, the old state exactly


@kernel(contract=True)
def _step_back(s, h, rows, V, states, total, first, t):
    """Step t back, same result as (4) and z v of (5), because each pair of gates is one loop over the units.

    s (N, 4H) holds the gates and receives (4), which total (4H) adds up.  states (2, B, H) holds the two parts of δh of
    (5) from the step after and receives the first.  Each s (1 - s) stands as s - s s: a 1 would be in double precision.
    """
    B, H = first[1], rows.shape[1]
    now = first[t + 1] - B
    for c in range(first[t + 2] - first[t + 1]):
        row, old, y = s[now + c], h[c] if t == 0 else rows[first[t] - B + c], V[now + c]
        direct, v = states[0, c], states[1, c]
        n, r, z, m = row[:H], row[H:2 * H], row[2 * H:3 * H], row[3 * H:]
        for j in range(H):
            v[j] += y[j] + direct[j]
        for j in range(H):
            direct[j] = z[j] * v[j]
        for j in range(H):
            at_n, at_z = n[j], z[j]
            w = v[j] - v[j] * at_z
            n[j] = w - w * at_n * at_n
            z[j] = v[j] * (old[j] - at_n) * (at_z - at_z * at_z)
        for j in range(H):
            at_r = r[j]
            r[j] = n[j] * m[j] * (at_r - at_r * at_r)
            m[j] = n[j] * at_r
        for j in range(4 * H):
            total[j] += row[j]


@kernel(contract=True)
def _all_steps(s, part, U, b, h, rows, first):
    """Every step; U is (H, 3H), and h (B, H) the state before the first."""
    B = first[1]
    for t in range(first.size - 2):
        for c in range(first[t + 2] - first[t + 1]):
            row_times(h[c] if t == 0 else rows[first[t] - B + c], U, part[c])
        _step(s, part, b, h, rows, first, t)


@kernel(contract=True)
def _all_steps_back(s, h, rows, V, states, total, first, U):
    """Every step back, last to first, both parts of (5) included."""
    B, H = first[1], rows.shape[1]
    for t in range(first.size - 3, -1, -1):
        _step_back(s, h, rows, V, states, total, first, t)
        for c in range(first[t + 2] - first[t + 1]):
            row_times(s[first[t + 1] - B + c, H:], U, states[1, c])
