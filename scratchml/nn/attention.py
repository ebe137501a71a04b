"""Attention: every query takes a mean of the values, weighted by how well its key fits.

A recurrent network hands on what it has read in a state of fixed size.  Attention keeps all of it: each place j offers
a key and a value, each place i asks with a query, and what i reads is a weighted mean of the values.  The weights are
the softmax of the products of the query with the keys, so they are positive and sum to one, and all of it has a
gradient.  A mask says which keys a query may see; in a causal layer these are the keys up to its own place.

Symbols
    N               problems that are solved side by side: the pairs of a sequence of a batch and a head
    L, S            queries, and keys with their values
    D, C            width of a query and a key, of a value
    q     (N, L, D)     queries
    k     (N, S, D)     keys
    v     (N, S, C)     values
    s               scale, 1/√D: the product of two vectors of D numbers of variance 1 has variance D
    M     (N, L, S)     mask, added to the scores: -inf forbids, a finite number favours
    Z     (N, L, S)     scores
    P     (N, L, S)     weights, the softmax of the scores
    p               probability that a weight is dropped in training
    X     (N, L, S)     1 where a weight is kept, 0 where it is dropped
    W     (N, L, S)     the weights that are used: P itself without dropout
    dy    (N, L, C)     ∂loss/∂y, the gradient that arrives; so dW, dP, dZ, dq, dk and dv
    dP    (N, L, S)     ∂loss/∂P
    dZ    (N, L, S)     ∂loss/∂Z, which is also that of M

Equations
    (1)  Z[n,i,j] = s q[n,i]·k[n,j] + M[n,i,j]                                          scores
    (2)  P[n,i,j] = exp(Z[n,i,j]) / Σ_l exp(Z[n,i,l])                                   attention_weights
    (3)  W[n,i,j] = P[n,i,j] X[n,i,j] / (1 - p)                                         dropped
    (4)  y[n,i] = Σ_j W[n,i,j] v[n,j]                                                   weighted_values
    (5)  dv[n,j] = Σ_i W[n,i,j] dy[n,i]                                                 value_gradient
    (6)  dW[n,i,j] = dy[n,i]·v[n,j]                                                     weight_gradient
    (7)  dZ[n,i,j] = P[n,i,j] (dP[n,i,j] - Σ_l P[n,i,l] dP[n,i,l])                      score_gradient
    (8)  dq[n,i] = s Σ_j dZ[n,i,j] k[n,j], dk[n,j] = s Σ_i dZ[n,i,j] q[n,i]             query_key_gradients

Derivation
    (4) is linear in W and in v, (1) in q and in k: (5), (6) and (8) are the chain rule for products.  (3) is linear in
    P, so dP is (3) of dW.  For (7), ∂P[i,j]/∂Z[i,l] = P[i,j] ([j = l] - P[i,l]); times dP[i,j] and summed over j.

Choices
    (2) subtracts the largest score of a row first, which changes nothing but that no exponential overflows.
    A row in which every key is forbidden has no softmax: its weights are 0, and so are y and all gradients there.
    That is what PyTorch's scaled_dot_product_attention gives; its MultiheadAttention gives NaN, which one padded
    sequence would spread to all weights of a network in a single step.
    A forbidden key has weight 0 whatever its score, and what it would add to dZ is skipped, so not even an overflow
    there matters.  But q, k, v and dy must be finite there too: in the products (4), (5) and (8) 0 times inf is NaN.
    Scores that are NaN, +inf, or all -inf without being forbidden give NaN.
    Kept for the sweep back: the operands, P, and X if there is dropout.  Z, W, dW, dP and dZ live in one block.

Cost
    O(N L S (D + C)) time; memory N L S for P, with dropout as much for W and a byte an entry for X, and a block of at
    most BLOCK entries or one index of the first dimension.  Six matrix products, and one pass over the block after the
    first product of each direction.

>>> from scratchml.autograd import Tensor
>>> q, k = np.array([[2.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
>>> y, P = scaled_dot_product_attention(q, k, Tensor([[1.0], [2.0], [4.0]]), scale=1.0, need_weights=True)
>>> P.data.round(3).tolist(), y.data.round(3).tolist()
([[0.867, 0.117, 0.016]], [[1.165]])

Source: A. Vaswani and others, "Attention is all you need", NIPS 2017, section 3.2.1; for dropout and masks PyTorch's
scaled_dot_product_attention.
"""
import math
import numbers

import numpy as np

from scratchml.autograd import Fused, Tensor
from scratchml.core.elementary import exp, exp32
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.products import product_of_each
from scratchml.core.random import generator
from scratchml.nn.masks import Mask

BLOCK = 2**20                                            # entries of scores that are worked on at a time
CHUNK = 2**17                                            # entries that a thread takes

# --- from scores to values -----------------------------------------------------------------------


def scores(q, k, s, M):
    """(1)  Z[n,i,j] = s q[n,i]·k[n,j] + M[n,i,j]

    Shapes: q (N, L, D), k (N, S, D), s, M (N, L, S) -> (N, L, S)
    """
    return s * (q @ k.swapaxes(-1, -2)) + M


def attention_weights(Z):
    """(2)  P[n,i,j] = exp(Z[n,i,j]) / Σ_l exp(Z[n,i,l])

    Zeros in a row that is -inf throughout.

    Shapes: Z (N, L, S) -> (N, L, S)
    """
    largest = Z.max(axis=-1, keepdims=True, initial=-np.inf)
    e = np.exp(Z - np.where(largest > -np.inf, largest, 0))
    return e / np.maximum(e.sum(axis=-1, keepdims=True), np.finfo(e.dtype).tiny)       # 1 or more, or 0


def dropped(P, X, p):
    """(3)  W[n,i,j] = P[n,i,j] X[n,i,j] / (1 - p)

    The mean over X is P.  With p = 1 nothing is left.

    Shapes: P (N, L, S), X (N, L, S), p -> (N, L, S)
    """
    W = P * X
    W *= 1 / (1 - p) if p < 1 else 0.0
    return W


def weighted_values(W, v, out=None):
    """(4)  y[n,i] = Σ_j W[n,i,j] v[n,j]

    Shapes: W (N, L, S), v (N, S, C) -> (N, L, C)
    """
    return product_of_each(W, v, out)


# --- and back ------------------------------------------------------------------------------------


def value_gradient(W, dy, out=None):
    """(5)  dv[n,j] = Σ_i W[n,i,j] dy[n,i]

    Shapes: W (N, L, S), dy (N, L, C) -> (N, S, C)
    """
    return product_of_each(W.swapaxes(-1, -2), dy, out)


def weight_gradient(dy, v, out=None):
    """(6)  dW[n,i,j] = dy[n,i]·v[n,j]

    Shapes: dy (N, L, C), v (N, S, C) -> (N, L, S)
    """
    return product_of_each(dy, v.swapaxes(-1, -2), out)


def score_gradient(P, dP):
    """(7)  dZ[n,i,j] = P[n,i,j] (dP[n,i,j] - Σ_l P[n,i,l] dP[n,i,l])

    Shapes: P (N, L, S), dP (N, L, S) -> (N, L, S)
    """
    dP = np.where(P > 0, dP, 0)                          # what no query sees adds nothing, not even if it is infinite
    return P * (dP - (P * dP).sum(axis=-1, keepdims=True))


def query_key_gradients(dZ, q, k, s, out=(None, None)):
    """(8)  dq[n,i] = s Σ_j dZ[n,i,j] k[n,j], dk[n,j] = s Σ_i dZ[n,i,j] q[n,i]

    Shapes: dZ (N, L, S), q (N, L, D), k (N, S, D), s -> (N, L, D), (N, S, D)
    """
    sdZ = dZ if s == 1 else s * dZ
    return product_of_each(sdZ, k, out[0]), product_of_each(sdZ.swapaxes(-1, -2), q, out[1])


# --- the operation on Tensors --------------------------------------------------------------------


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, *,
                                 need_weights=False, random_state=None):
    """What each query reads, y (..., L, C) of (4); or (y, W), W (..., L, S) as used, after dropout.

    All three are of one dtype.  Raises ValueError for shapes that do not fit, a mask of another shape or dtype or with
    NaN or +inf, a dropout_p outside 0 to 1, and a scale that is not finite.

    Parameters
    ----------
    query : Tensor or array (..., L, D)
        What is asked.
    key : Tensor or array (..., S, D)
        What it is compared with.
    value : Tensor or array (..., S, C)
        What is read.
    attn_mask : array, Tensor or None, default=None
        Broadcasts to (..., L, S): of bool, True where a query may see a key, or of numbers, which are added to the
        scores; a Tensor gets a gradient.
    dropout_p : float, default=0.0
        Probability that a weight is dropped, whenever it is not 0, as in PyTorch.
    is_causal : bool, default=False
        Whether query i sees the keys 0 to i alone; with a mask, both hold.
    scale : float or None, default=None
        s, the factor of the scores; None for 1/√D.
    need_weights : bool, default=False
        Whether to return W, too.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of which weights are dropped.
    """
    q, k, v = (t if type(t) is Tensor else Tensor(t) for t in (query, key, value))
    lead = _check_shapes(q, k, v)
    L, S = q.shape[-2], k.shape[-2]
    mask = Mask(attn_mask, lead, L, S, q.dtype, is_causal)
    settings = dict(mask=mask, scale=as_scale(scale, q.shape[-1]), p=as_probability(dropout_p),
                    need_weights=need_weights, random_state=random_state)
    given = (q, k, v, attn_mask) if mask.learned else (q, k, v)
    return _ATTENTION(*given, keep=any(t.requires_grad for t in given), **settings)


def _attention(q, k, v, M=None, *, mask, scale, p, need_weights, random_state, keep):
    y = np.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
    P, X, W = attend(q, k, v, y, mask, scale, p, random_state, keep or need_weights)
    results = (y, W.reshape(*q.shape[:-1], k.shape[-2])) if need_weights else y
    return results, (q, k, v, P, X, mask, scale, p)


def _attention_gradient(saved, dy, dW=None):
    q, k, v, P, X, mask, scale, p = saved
    gradients = np.empty(q.shape, q.dtype), np.empty(k.shape, q.dtype), np.empty(v.shape, q.dtype)
    dM = attend_back(saved, dy, dW, *gradients)
    return (*gradients, dM) if mask.learned else gradients


_ATTENTION = Fused(_attention, _attention_gradient)


def _check_shapes(q, k, v):
    """The shape before the last two dimensions."""
    for name, t in (("query", q), ("key", k), ("value", v)):
        if t.ndim < 2:
            raise ValueError(f"{name}: expected at least 2 dimensions, (..., L, D), got shape {t.shape}")
        if t.dtype != q.dtype:
            raise ValueError(f"{name}: expected the dtype of query, {q.dtype}, got {t.dtype}; convert by t.to(dtype)")
    lead = q.shape[:-2]
    if k.shape[:-2] != lead or k.shape[-1] != q.shape[-1] or not q.shape[-1]:
        raise ValueError(f"key: expected shape (..., S, D) with the leading dimensions and the D >= 1 of query "
                         f"{q.shape}, got {k.shape}")
    if v.shape[:-2] != lead or v.shape[-2] != k.shape[-2]:
        raise ValueError(f"value: expected shape (..., S, C) with the leading dimensions and the S of key {k.shape}, "
                         f"got {v.shape}")
    return lead


def as_scale(scale, D):
    """`scale` as a float, 1/√D for None.  Raises ValueError unless it is finite."""
    if scale is None:
        return 1 / math.sqrt(D)
    if not isinstance(scale, numbers.Real) or not math.isfinite(scale):
        raise ValueError(f"scale={scale!r}: expected a finite number, or None for 1/√D")
    return float(scale)


def as_probability(p, name="dropout_p"):
    """`p` as a float from 0 to 1.  Raises ValueError."""
    if not isinstance(p, numbers.Real) or not 0 <= p <= 1:
        raise ValueError(f"{name}={p!r}: expected a number from 0 to 1")
    return float(p)


# --- in blocks -----------------------------------------------------------------------------------


def attend(q, k, v, y, mask, scale, p, random_state, keep):
    """(1) to (4) into `y` (..., L, C); returns P, X and W, with None for P and W unless `keep`, for X without dropout.

    Same result as one after the other, because the first dimension is independent: a block of it passes through all
    four while it is in the processor's cache.  All four arrays may be strided views.  P, X and W have at least three
    dimensions.
    """
    q, k, v, y = map(_at_least_3d, (q, k, v, y))
    n = _block_length(q, k)
    P = np.empty((len(q) if keep else n, *q.shape[1:-1], k.shape[-2]), q.dtype)
    X, W = None, P
    if p:
        X, W, rng = np.empty((len(q), *P.shape[1:]), bool), np.empty_like(P), generator(random_state)
    with np.errstate(all="ignore"):                      # of forbidden keys, whose products nobody looks at
        for first in range(0, len(q), n):
            block = slice(first, first + n)
            place = block if keep else slice(0, len(q[block]))
            product_of_each(q[block], k[block].swapaxes(-1, -2), P[place])
            to_weights(P[place], scale, mask, block)
            if p:
                X[block] = rng.random(P[place].shape, np.float32) >= p
                W[place] = dropped(P[place], X[block], p)
            weighted_values(W[place], v[block], y[block])
    return (P, X, W) if keep else (None, X, None)


def attend_back(saved, dy, dW, dq, dk, dv):
    """(5) to (8) into `dq`, `dk` and `dv`, block by block; returns the gradient of the mask, None where it is fixed.

    `saved` is (q, k, v, P, X, mask, scale, p); `dW` is the gradient of the weights as used, or None.
    """
    q, k, v, P, X, mask, scale, p = saved
    q, k, v, dy, dq, dk, dv = map(_at_least_3d, (q, k, v, dy, dq, dk, dv))
    dW = None if dW is None or not dW.any() else _at_least_3d(dW)                # often nobody asks about the weights
    n = _block_length(q, k)
    room = np.empty((n, *P.shape[1:]), q.dtype)
    dM = np.zeros(mask.aligned, q.dtype) if mask.learned else None
    with np.errstate(all="ignore"):
        for first in range(0, len(q), n):
            block = slice(first, first + n)
            weights, dZ = P[block], room[:len(q[block])]
            value_gradient(weights if X is None else dropped(weights, X[block], p), dy[block], dv[block])
            weight_gradient(dy[block], v[block], dZ)
            if dW is not None:
                dZ += dW[block]
            if X is not None:
                dZ[...] = dropped(dZ, X[block], p)
            to_score_gradient(weights, dZ, 1.0 if mask.learned else scale)
            if mask.learned:
                mask.add_sums(dZ, first, dM)
            query_key_gradients(dZ, q[block], k[block], scale if mask.learned else 1, (dq[block], dk[block]))
    return None if dM is None else dM.reshape(mask.shape)


def _at_least_3d(a):
    return a if a.ndim > 2 else a[None]


def _block_length(q, k):
    """How many indices of the first dimension make a block."""
    return min(len(q), max(1, BLOCK // max(1, math.prod(q.shape[1:-1]) * k.shape[-2]))) or 1


# --- compiled ------------------------------------------------------------------------------------


def to_weights(Z, scale, mask=None, block=slice(None)):
    """Products q·k in `Z` (n, ..., L, S), C-contiguous, become the P of (2), in place.

    Same result as (1) and (2), because each row is scaled, masked and normalised by itself while it is in the cache.
    """
    S = Z.shape[-1]
    if not Z.size:
        return
    which = np.empty(0, np.int32) if mask is None or mask.which is None else mask.which[block].ravel()
    rows = np.empty((0, S), Z.dtype) if mask is None else mask.rows
    Z = Z.reshape(-1, S)
    run_chunks(_weight_rows, len(Z), Z, Z.dtype.type(scale), rows, which, mask.causal if mask else 0,
               chunk=max(1, CHUNK // S))


@kernel(reassociate=True)
def _weight_rows(c, start, stop, Z, scale, M, which, causal):
    """(1) and (2) for rows start ... stop-1 of the products `Z` (R, S), in place.

    Row r adds M[which[r]], unless M is empty, and sees the first r % causal + 1 columns alone, unless causal is 0.
    """
    S = Z.shape[1]
    for r in range(start, stop):
        row = Z[r]
        seen = min(S, r % causal + 1) if causal else S
        row[seen:] = 0
        row = row[:seen]
        if M.shape[0]:
            _scale_and_mask(row, scale, M[which[r]])
        else:
            _scale(row, scale)
        largest = _largest(row)
        if largest > -np.inf:
            _softmax(row, largest)
        else:                                            # nothing but -inf and NaN
            row[:] = 0 if M.shape[0] and _all_forbidden(M[which[r], :seen]) else np.nan


@kernel
def _scale(row, scale):
    for j in range(row.size):
        row[j] *= scale


@kernel(contract=True)
def _scale_and_mask(row, scale, M):
    for j in range(row.size):
        z = row[j] * scale + M[j]
        row[j] = z if M[j] > -np.inf else M[j]           # -inf even where the product has overflowed


@kernel
def _largest(row):
    """The largest number; -inf if there is none that is larger, and NaN is no number."""
    m = np.full(1, -np.inf, row.dtype)[0]
    for j in range(row.size):
        m = max(m, row[j])
    return m


@kernel
def _all_forbidden(M):
    for j in range(M.size):
        if M[j] > -np.inf:
            return False
    return True


@kernel(reassociate=True)
def _softmax(row, m):
    """e^row / Σ e^row in place, with m, the largest, taken out; NaN throughout if there is one."""
    total = m - m
    if row.itemsize == 4:
        for j in range(row.size):
            row[j] = exp32(row[j] - m)
            total += row[j]
    else:
        for j in range(row.size):
            row[j] = exp(row[j] - m)
            total += row[j]
    inverse = 1 / total
    for j in range(row.size):
        row[j] *= inverse


def to_score_gradient(P, dP, scale):
    """`dP` becomes scale times the dZ of (7), in place; both are C-contiguous."""
    S = P.shape[-1]
    if P.size:
        dP = dP.reshape(-1, S)
        run_chunks(_score_gradient_rows, len(dP), P.reshape(-1, S), dP, P.dtype.type(scale), chunk=max(1, CHUNK // S))


@kernel(reassociate=True)
def _score_gradient_rows(c, start, stop, P, dP, scale):
    """(7) times scale for rows start ... stop-1, in place; where P is 0, dP does not matter, be it infinite."""
    for r in range(start, stop):
        weights, row = P[r], dP[r]
        mean = scale - scale
        for j in range(row.size):
            mean += weights[j] * row[j] if weights[j] != 0 else 0
        for j in range(row.size):
            row[j] = scale * weights[j] * (row[j] - mean) if weights[j] != 0 else 0
