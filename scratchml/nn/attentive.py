"""An LSTM that looks at its source before each step, and the gradient through all of it in one operation.

A decoder writes a sequence while another one, the source, lies before it as one vector a place.  Before each step it
asks, with the state in which it is, which places matter now, and the mean of these is read by its cell together with
the symbol that was written last.  What it reads changes the state with which it asks next, so steps cannot be taken
side by side; and written with one layer for the step and one for the look, each step makes weight gradients of its
own, whose sum is most of the work.  Here all steps are one operation: a step is left with three products, and the sums
over steps are one product each.

To look after the step, with its new state, is simpler: the cell then never sees what was read, and the looks of all
steps can be taken at once.  That is Luong's place, and the layer has it too.

Symbols
    T, B, S             steps, sequences, places of the longest source
    D, H, A, C          numbers of an input, units, units that compare, numbers of a place
    x, X  (B, D), (T, B, D)  inputs of a step, and of all
    K     (B, S, C)     places of the sources, keys and values at once
    u     (B, S, A)     keys after their map, to which a bias belongs
    n     (B,)          places that each source has
    h, c  (B, H)        the states before a step, h and the cell; after it y and z
    W     (4*H, D+C)    weights of input and context, a block of rows for each gate; the last C columns are W₂
    U, b  (4*H, H), (4*H,)  of the state, and the biases
    Q, w  (A, H), (A,)  map of the queries, and weights of the comparison
    a     (B, A)        queries after their map
    P, L  (B, S), (T, B, S)  alignments, how much each place counts; of all steps
    k, O  (B, C), (T, B, C)  contexts; of all steps
    Y     (T, B, H)     the h before each step
    δ                   the derivative of the loss by what follows
    s, G  (B, 4*H), (T, B, 4*H)  δ of the arguments of the gates, in a step and in all
    v     (B, C)        δ of a context as far as it does not come from the gates
    V     (T, B, C)     δ of every context, all of it
    dP, da  (B, S), (B, A)  δP and δa of a step
    R     (T, B, A)     δa of every step

Equations
    (1)  a = h Qᵀ                                                                        queries
    (2)  P_j = exp Z_j / Σ_{l<n} exp Z_l for j < n, Z_j = Σ_m w_m tanh(a_m + u_jm)       alignments
    (3)  k = Σ_j P_j K_j                                                                 contexts
    (4)  y, z = the LSTM's states after a step with the input (x ; k)                    states_after
    (5)  δk = v + s W₂, δP_j = δk·K_j                                                    context_gradients
    (6)  δa_m = w_m Σ_j δZ_j (1 - tanh²(a_m + u_jm)), δZ_j = P_j (δP_j - Σ_l P_l δP_l)   query_gradients
    (7)  δh = s U + δa Q                                                                 state_gradients
    (8)  δW = Σ_t G[t]ᵀ (X[t] ; O[t]), δU = Σ_t G[t]ᵀ Y[t], δQ = Σ_t R[t]ᵀ Y[t]          weight_gradients
    (9)  δK_j = Σ_t L[t]_j V[t]                                                          key_gradients

Derivation
    The step is that of the chapter lstm, and s is its (5).  By (4) k enters as a part of the input, by (2) h as a
    query: (5) and (7) are the chain rule.  (6) is (7) of the chapter attention and (3) of the chapter additive, whose
    (4) and (5), with steps for queries, give δu and δw.

Choices
    W₁ x of all steps is one product, and so is each sum of (8); (U ; Q) h is one product a step.
    Steps that a sequence does not have are in no row, see the chapter packing, and places that a source does not have
    are never read: what stands there matters to nothing.
    Kept are the operands, results, gates and cells, and a.  t = tanh(a + u) is made once more on the way back.

Cost
    A step of a sequence takes (4H + A) H + 4 H C + S (A + C) multiplications and additions, and S A tanh; the way back
    twice that.

>>> K, u, n = np.array([[[1.0], [-1.0], [9.0]]]), np.array([[[0.5], [-0.5], [9.0]]]), [2]
>>> P = alignments(queries(np.ones((1, 2)), np.ones((1, 2))), u, np.array([2.0]), n)
>>> P.round(3).tolist(), contexts(P, K).round(3).tolist()          # the third place is not there
([[0.541, 0.459, 0.0]], [[0.081]])

Source: D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly learning to align and translate",
ICLR 2015, section 3 and appendix A.2, with an LSTM for its gated unit; M.-T. Luong, H. Pham and C. Manning, "Effective
approaches to attention-based neural machine translation", EMNLP 2015, section 3, for the look after the step.
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Fused
from scratchml.core.jit import APART, kernel, readable, run_chunks
from scratchml.core.products import laid_out, product
from scratchml.nn import lstm
from scratchml.nn.additive import CHUNK, _accumulate, _compare, _judge, _some_of_t
from scratchml.nn.attention import _largest, _softmax
from scratchml.nn.lstm import _step, _step_back, recurrent_product

# --- one step ------------------------------------------------------------------------------------


def queries(h, Q):
    """(1)  a = h Qᵀ

    Shapes: h (B, H), Q (A, H) -> (B, A)
    """
    return h @ Q.T


def alignments(a, u, w, n):
    """(2)  P_j = exp Z_j / Σ_{l<n} exp Z_l for j < n, Z_j = Σ_m w_m tanh(a_m + u_jm)

    The largest Z is taken out first, so no exponential overflows.

    Shapes: a (B, A), u (B, S, A), w (A), n (B) -> (B, S)
    """
    Z = np.where(np.arange(u.shape[1]) < np.asarray(n)[:, None], np.tanh(a[:, None] + u) @ w, -np.inf)
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def contexts(P, K):
    """(3)  k = Σ_j P_j K_j

    Shapes: P (B, S), K (B, S, C) -> (B, C)
    """
    return (P[:, None] @ K)[:, 0]


def states_after(x, k, h, c, W, U, b):
    """(4)  y, z = the LSTM's states after a step with the input (x ; k)

    Shapes: x (B, D), k (B, C), h (B, H), c (B, H), W (4*H, D+C), U (4*H, H), b (4*H) -> (B, H), (B, H)
    """
    z, y = lstm.states(lstm.gates(lstm.arguments(np.concatenate([x, k], axis=1), h, W, U, b, 0)), c)
    return y, z


# --- one step back -------------------------------------------------------------------------------


def context_gradients(s, v, W, K):
    """(5)  δk = v + s W₂, δP_j = δk·K_j

    Shapes: s (B, 4*H), v (B, C), W (4*H, D+C), K (B, S, C) -> (B, C), (B, S)
    """
    dk = v + s @ W[:, -K.shape[2]:]
    return dk, (K @ dk[:, :, None])[:, :, 0]


def query_gradients(P, dP, a, u, w):
    """(6)  δa_m = w_m Σ_j δZ_j (1 - tanh²(a_m + u_jm)), δZ_j = P_j (δP_j - Σ_l P_l δP_l)

    Shapes: P (B, S), dP (B, S), a (B, A), u (B, S, A), w (A) -> (B, A)
    """
    dZ = P * (dP - (P * dP).sum(axis=1, keepdims=True))
    return w * (dZ[:, None] @ (1 - np.tanh(a[:, None] + u)**2))[:, 0]


def state_gradients(s, U, da, Q):
    """(7)  δh = s U + δa Q

    Shapes: s (B, 4*H), U (4*H, H), da (B, A), Q (A, H) -> (B, H)
    """
    return s @ U + da @ Q


# --- sums over the steps ---------------------------------------------------------------------------


def weight_gradients(G, X, O, Y, R):
    """(8)  δW = Σ_t G[t]ᵀ (X[t] ; O[t]), δU = Σ_t G[t]ᵀ Y[t], δQ = Σ_t R[t]ᵀ Y[t]

    Shapes: G (T, B, 4*H), X (T, B, D), O (T, B, C), Y (T, B, H), R (T, B, A) -> (4*H, D+C), (4*H, H), (A, H)
    """
    G, X, O, Y, R = (rows.reshape(-1, rows.shape[-1]) for rows in (G, X, O, Y, R))
    return G.T @ np.concatenate([X, O], axis=1), G.T @ Y, R.T @ Y


def key_gradients(L, V):
    """(9)  δK_j = Σ_t L[t]_j V[t]

    Shapes: L (T, B, S), V (T, B, C) -> (B, S, C)
    """
    return L.transpose(1, 2, 0) @ V.swapaxes(0, 1)


# --- the operation: all steps of packed sequences ----------------------------------------------------


class _Rows(NamedTuple):
    """What a pass over the steps writes, packed: N rows."""
    gates: np.ndarray                                    # (N, 4H)
    cells: np.ndarray                                    # (B + N, H), those before the first step first
    h: np.ndarray                                        # (N, H)
    a: np.ndarray                                        # (N, A)
    P: np.ndarray                                        # (N, S)
    k: np.ndarray                                        # (N, C)


def attentive_forward(x, K, u, h, c, W, U, p, q, Q, w, *, n, packing):
    """Results and what `attentive_backward` needs; p and q are biases, b their sum, and x (B, T, D) is padded.

    Results are h (B, T, H), k (B, T, C) and P (B, T, S) of every step, 0 where there is none, and (B, H) the states
    after the last.
    """
    dtype = np.result_type(x, K, u, h, c, W, U, p, q, Q, w)
    x, K, u, h, c, W, U, p, q, Q, w = (np.ascontiguousarray(array, dtype)
                                       for array in (x, K, u, h, c, W, U, p, q, Q, w))
    given = x, readable(K), readable(u), h, c, W, U, p + q, Q, readable(w), n, packing
    rows = _sweep(*given)
    y, k, P = (_padded(packing, part) for part in (rows.h, rows.k, rows.P))
    return (y, k, P, packing.at_last(rows.h), packing.at_last(rows.cells[len(h):])), (*given, [rows])


def _padded(packing, rows):
    """Packed rows (N, D) as (B, T, D), zeros where there is no step."""
    if packing.rows is None:
        return rows.reshape(*packing.shape, rows.shape[1])
    return packing.fill(np.zeros((*packing.shape, rows.shape[1]), rows.dtype), rows)


def _sweep(x, K, u, h, c, W, U, b, Q, w, n, packing):
    """(1) to (4) step by step."""
    (B, H), D, N, dtype = h.shape, x.shape[2], int(packing.first[-1] - packing.first[1]), x.dtype
    which = _sequences(packing)
    rows = _Rows(product(packing.packed(x), W[:, :D].T), np.empty((B + N, H), dtype),
                 *(np.empty((N, size), dtype) for size in (H, len(w))), np.zeros((N, K.shape[1]), dtype),
                 np.empty((N, K.shape[2]), dtype))
    rows.cells[:B], before = packing.sorted(c), packing.sorted(h)
    by_state, by_context = laid_out(np.concatenate([U, Q]).T, N), laid_out(W[:, D:].T, N)
    part, read, chunk = np.empty((B, 4 * H + len(w)), dtype), np.empty((B, 4 * H), dtype), _chunk(K, u)
    for t, (start, size) in enumerate(packing.steps()):
        now = slice(start, start + size)
        product(before[:size], by_state, out=part[:size])
        rows.a[now] = part[:size, 4 * H:]
        run_chunks(_look, size, which, n, (K, u, w), (rows.a[now], rows.P[now], rows.k[now]), chunk=chunk)
        rows.gates[now] += product(rows.k[now], by_context, out=read[:size])
        _step(rows.gates, part, b, rows.cells, rows.h, packing.first, t)
        before = rows.h[now]
    return rows


def attentive_backward(saved, by_h, by_k, by_P, v, e):
    """The gradients of the operands of `attentive_forward`, from those of its results, by (5) to (9)."""
    x, K, u, h, c, W, U, b, Q, w, n, packing, once = saved
    rows = once.pop() if once else _sweep(x, K, u, h, c, W, U, b, Q, w, n, packing)      # the way back writes to it
    (B, H), D, dtype, which = h.shape, x.shape[2], x.dtype, _sequences(packing)
    by_h, dk, dP = (np.array(packing.packed(part), dtype, order="C") for part in (by_h, by_k, by_P))
    states, total, da = np.empty((2, B, H), dtype), np.zeros(4 * H), np.zeros_like(rows.a)
    states[0], states[1] = packing.sorted(v), packing.sorted(e)
    du, dw = np.zeros_like(u), np.zeros((B, len(w) + APART), dtype)
    by_context, to_states = (laid_out(array, len(rows.h)) for array in (W[:, D:], np.concatenate([U, Q])))
    joined, read, chunk = np.empty((B, 4 * H + len(w)), dtype), np.empty((B, K.shape[2]), dtype), _chunk(K, u)
    for t, (start, size) in reversed(list(enumerate(packing.steps()))):
        now = slice(start, start + size)
        _step_back(rows.gates, rows.cells, rows.h, by_h, states, total, packing.first, t)
        dk[now] += product(rows.gates[now], by_context, out=read[:size])
        run_chunks(_look_back, size, which, n, (K, u, w), (rows.a[now], rows.P[now], dk[now], dP[now]),
                   (da[now], du, dw), chunk=chunk)
        joined[:size, :4 * H], joined[:size, 4 * H:] = rows.gates[now], da[now]
        product(joined[:size], to_states, out=states[0, :size])
    P, V, G, db = _padded(packing, rows.P), _padded(packing, dk), rows.gates, total.astype(dtype)
    dW = np.concatenate([product(G.T, packing.packed(x)), product(G.T, rows.k)], axis=1)
    return (_padded(packing, product(G, W[:, :D])), P.swapaxes(1, 2) @ V, du * w, packing.unsorted(states[0]),
            packing.unsorted(states[1]), dW, recurrent_product(G, h, rows.h, packing), db, db.copy(),
            recurrent_product(da, h, rows.h, packing), dw[:, :len(w)].sum(axis=0))


def _sequences(packing):
    """The sequence of each row of a step; of later steps the first so many."""
    return np.arange(packing.first[1]) if packing.order is None else packing.order


def _chunk(K, u):
    """How many sequences a thread takes in a step."""
    return max(1, CHUNK // max(1, u.shape[1] * u.shape[2]))


fused_attentive = Fused(attentive_forward, attentive_backward, fresh=True)


def looked(a, K, u, w, n, which):
    """(2) and (3), where row r of a (R, A) looks at the source which[r]: k (R, C) and P (R, S)."""
    P, k = np.zeros((len(a), K.shape[1]), a.dtype), np.empty((len(a), K.shape[2]), a.dtype)
    run_chunks(_look, len(a), which, n, (K, u, readable(w)), (a, P, k), chunk=_chunk(K, u))
    return k, P


# --- compiled ------------------------------------------------------------------------------------


@kernel(contract=True)
def _look(chunk, start, stop, which, n, source, rows):
    """(2) and (3) for rows start ... stop-1, where row r looks at the source which[r].

    Same result, because each Z needs its own row of t alone.  `source` is K, u and w; `rows` are a, P, of which what is
    behind the n places stays 0, and k.
    """
    (K, u, w), (a, P, k) = source, rows
    t = _some_of_t(u)
    for r in range(start, stop):
        b, mean = which[r], k[r]
        query, keys, row = a[r], u[b], P[r, :n[b]]
        for first in range(0, row.size, len(t)):
            last = min(first + len(t), row.size)
            _compare(query, keys, first, last, t)
            _judge(w, t, first, last, row)
        _softmax(row, _largest(row))
        mean[:] = 0
        for j in range(row.size):
            _add_times(row[j], K[b, j], mean)


@kernel(contract=True)
def _look_back(chunk, start, stop, which, n, source, rows, results):
    """δP of (5), and (6), for rows start ... stop-1; what (4) and (5) of the chapter additive sum up, without its w.

    Same result, because each place of a row is compared by itself.  `rows` are a, P, δk, and δP as far as it comes from
    elsewhere, which is overwritten; `results` are δa of these rows, and of each source δu and δw.
    """
    (K, u, w), (a, P, dk, dP), (da, du, dw) = source, rows, results
    t = _some_of_t(u)
    for r in range(start, stop):
        b = which[r]
        query, keys, by_a, by_keys, by_w = a[r], u[b], da[r], du[b], dw[b]
        weights, dZ = P[r, :n[b]], dP[r, :n[b]]
        for j in range(dZ.size):
            dZ[j] += _product(dk[r], K[b, j])
        mean = _product(weights, dZ)
        for j in range(dZ.size):
            dZ[j] = weights[j] * (dZ[j] - mean)
        for first in range(0, dZ.size, len(t)):
            last = min(first + len(t), dZ.size)
            _compare(query, keys, first, last, t)
            _accumulate(dZ, first, last, t, by_a, by_keys, by_w)
        for m in range(w.size):
            by_a[m] *= w[m]


@kernel(contract=True)
def _add_times(p, x, total):
    for d in range(total.size):
        total[d] += p * x[d]


@kernel(reassociate=True)
def _product(x, y):
    total = x[0] - x[0]
    for d in range(x.size):
        total += x[d] * y[d]
    return total
