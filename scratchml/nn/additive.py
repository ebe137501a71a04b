"""Additive attention: a small network judges how well each key fits a query.

The first attention, made for translation: while a decoder writes, it looks back at the states that the encoder left
at each word of the source, and asks a perceptron with one hidden layer how much each of them matters now.  A product
of a query with a key needs both in one space; the perceptron maps them there, each by a matrix of its own, and adds.

Symbols
    B               sequences of a batch
    L, S            queries, and keys with their values
    H               hidden units
    C               width of a value
    a     (B, L, H)     queries, after their map
    u     (B, S, H)     keys, after theirs, to which a bias belongs
    w     (H,)          weights of the output
    M     (B, L, S)     mask, added to the scores: -inf forbids
    v     (B, S, C)     values
    t                   t[b,i,j,h] = tanh(a[b,i,h] + u[b,j,h]), the hidden layer for query i and key j
    dZ    (B, L, S)     ∂loss/∂Z; so da, du and dw

Equations
    (1)  Z[b,i,j] = Σ_h w[h] tanh(a[b,i,h] + u[b,j,h])                              energies
    (2)  y[b,i] = Σ_j softmax_j(Z[b,i,j] + M[b,i,j]) v[b,j]                         additive_context
    (3)  da[b,i,h] = w[h] Σ_j dZ[b,i,j] (1 - t[b,i,j,h]²)                           energies_by_query
    (4)  du[b,j,h] = w[h] Σ_i dZ[b,i,j] (1 - t[b,i,j,h]²)                           energies_by_key
    (5)  dw[h] = Σ_b,i,j dZ[b,i,j] t[b,i,j,h]                                       energies_by_weight

Derivation
    tanh' = 1 - tanh², and a[b,i] takes part in row i of Z, u[b,j] in column j, w in all of it.  From y to Z the way
    back is that of the chapter `attention`, its (5) to (7).

Choices
    t is by far the largest of these arrays, and it is never held: a loop computes some rows of it at a time, as many as
    the nearest cache holds, once on the way forward and again on the way back.
    A mask, a row in which all is forbidden, and what is not finite are treated as in the chapter `attention`.
    A bias of the output would be the same for all keys, and the softmax would take it out; there is none.

Cost
    B L S H tanh each way; B L S weights are kept for the sweep, and a, u and v.

>>> a, u, w = np.zeros((1, 1, 2)), np.array([[[0.0, 1.0], [3.0, -1.0]]]), np.array([1.0, 0.5])
>>> energies(a, u, w).round(3).tolist()
[[[0.381, 0.614]]]

Source: D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly learning to align and translate",
ICLR 2015, section 3.1 and appendix A.1.2.
"""
import numpy as np

from scratchml.autograd import Fused, Tensor
from scratchml.core.checks import whole_number
from scratchml.core.elementary import tanh_row
from scratchml.core.jit import APART, kernel, readable, run_chunks
from scratchml.core.random import generator
from scratchml.nn.attention import to_weights
from scratchml.nn.layers import Linear
from scratchml.nn.masks import Mask, as_additive
from scratchml.nn.module import Module, as_input, float_type

CHUNK = 2**17                                            # numbers of t that a thread takes
BLOCK = 2**13                                            # and of those that it holds at a time

# --- energies, and what is read by them ----------------------------------------------------------


def energies(a, u, w):
    """(1)  Z[b,i,j] = Σ_h w[h] tanh(a[b,i,h] + u[b,j,h])

    Shapes: a (B, L, H), u (B, S, H), w (H) -> (B, L, S)
    """
    a, u, w = map(np.ascontiguousarray, (a, u, w))
    Z = np.empty((*a.shape[:2], u.shape[1]), a.dtype)
    run_chunks(_energy_rows, len(Z), a, u, w, Z, chunk=_chunk(a, u))
    return Z


def additive_context(a, u, w, M, v):
    """(2)  y[b,i] = Σ_j softmax_j(Z[b,i,j] + M[b,i,j]) v[b,j]

    Shapes: a (B, L, H), u (B, S, H), w (H), M (B, L, S), v (B, S, C) -> (B, L, C)
    """
    mask = Mask(M, (len(a),), a.shape[1], u.shape[1], a.dtype)
    return _additive(a, u, w, v, mask=mask, need_weights=False)[0]


def energies_by_query(dZ, a, u, w):
    """(3)  da[b,i,h] = w[h] Σ_j dZ[b,i,j] (1 - t[b,i,j,h]²)

    Shapes: dZ (B, L, S), a (B, L, H), u (B, S, H), w (H) -> (B, L, H)
    """
    return w * np.einsum("bij,bijh->bih", dZ, 1 - _hidden(a, u) ** 2)


def energies_by_key(dZ, a, u, w):
    """(4)  du[b,j,h] = w[h] Σ_i dZ[b,i,j] (1 - t[b,i,j,h]²)

    Shapes: dZ (B, L, S), a (B, L, H), u (B, S, H), w (H) -> (B, S, H)
    """
    return w * np.einsum("bij,bijh->bjh", dZ, 1 - _hidden(a, u) ** 2)


def energies_by_weight(dZ, a, u):
    """(5)  dw[h] = Σ_b,i,j dZ[b,i,j] t[b,i,j,h]

    Shapes: dZ (B, L, S), a (B, L, H), u (B, S, H) -> (H)
    """
    return np.einsum("bij,bijh->h", dZ, _hidden(a, u))


def _hidden(a, u):
    """t, (B, L, S, H)."""
    return np.tanh(a[:, :, None] + u[:, None])


# --- the operation and the layer -----------------------------------------------------------------


def _additive(a, u, w, v, *, mask, need_weights):
    with np.errstate(all="ignore"):                      # of what is not finite, the result tells
        P = energies(a, u, w)
        to_weights(P, 1.0, mask)
        y = np.zeros((*P.shape[:2], v.shape[2]), np.result_type(P, v))
        run_chunks(_context_rows, len(P), P, readable(np.ascontiguousarray(v)), y, chunk=_chunk(y, v))
    return ((y, P) if need_weights else y), (a, u, w, v, P)


def _additive_gradient(saved, dy, dP=None):
    a, u, w, v, P = saved
    dZ = np.zeros_like(P) if dP is None else np.array(dP, P.dtype, order="C")
    dv = np.zeros(v.shape, v.dtype)
    with np.errstate(all="ignore"):                      # of forbidden keys, whose values nobody looks at
        run_chunks(_score_gradient_rows, len(P), P, *(readable(np.ascontiguousarray(x)) for x in (v, dy)), dZ, dv,
                   chunk=_chunk(dy, v))
        return *energy_gradients(dZ, a, u, w), dv


ADDITIVE = Fused(_additive, _additive_gradient)


class AdditiveAttention(Module):
    """Additive attention of queries (B, L, query_dim) to keys (B, S, key_dim).

    `query_proj` (hidden_dim, query_dim) and `key_proj` (hidden_dim, key_dim), which has the bias, are the maps to a and
    u, and `score` (1, hidden_dim) is w; all three are Linear layers.  Raises ValueError for sizes below 1.

    Parameters
    ----------
    query_dim : int
        Length of a query.
    hidden_dim : int
        H, how many units compare it with a key.
    key_dim : int or None, default=None
        Length of a key; None for query_dim.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    settings = ("query_dim", "key_dim", "hidden_dim")

    def __init__(self, query_dim, hidden_dim, key_dim=None, *, dtype="float32", random_state=None):
        self.query_dim, self.hidden_dim = whole_number(query_dim, "query_dim"), whole_number(hidden_dim, "hidden_dim")
        self.key_dim = self.query_dim if key_dim is None else whole_number(key_dim, "key_dim")
        self.dtype, rng = float_type(dtype), generator(random_state)
        made = dict(dtype=self.dtype, random_state=rng)
        self.query_proj = Linear(self.query_dim, self.hidden_dim, bias=False, **made)
        self.key_proj = Linear(self.key_dim, self.hidden_dim, **made)
        self.score = Linear(self.hidden_dim, 1, bias=False, **made)

    def forward(self, query, keys, values=None, key_padding_mask=None, need_weights=True, *, projected=None):
        """(y, P): what each query reads, (B, L, C), and the weights (B, L, S), None unless `need_weights`.

        Raises ValueError for inputs and masks of other shapes or dtypes.

        Parameters
        ----------
        query : Tensor or array (B, L, query_dim)
            What is asked; (B, query_dim), the one that a decoder has at a time, gives (B, C) and (B, S).
        keys : Tensor or array (B, S, key_dim)
            What it is compared with.
        values : Tensor, array (B, S, C) or None, default=None
            What is read; None for the keys.
        key_padding_mask : array (B, S) or None, default=None
            True forbids a key, or numbers are added to the scores.
        need_weights : bool, default=True
            Whether to return P.
        projected : Tensor or None, default=None
            What key_proj(keys) is, of a decoder that asks the same keys many times.
        """
        query, keys = as_input(query, self, self.dtype), as_input(keys, self, self.dtype)
        v = keys if values is None else as_input(values, self, self.dtype)
        self._check(query, keys, v)
        (B, S), single = keys.shape[:2], query.ndim == 2
        a = self.query_proj(query.unsqueeze(1) if single else query)
        u = self.key_proj(keys) if projected is None else as_input(projected, self, self.dtype)
        if u.shape != (B, S, self.hidden_dim):
            raise ValueError(f"projected: {self._words()} expected shape {(B, S, self.hidden_dim)}, got {u.shape}")
        mask = self._mask(key_padding_mask, B, a.shape[1], S)
        made = ADDITIVE(a, u, self.score.weight.reshape(-1), v, mask=mask, need_weights=need_weights)
        y, P = made if need_weights else (made, None)
        return (y.squeeze(1), P if P is None else P.squeeze(1)) if single else (y, P)

    def _check(self, query, keys, values):
        if query.ndim not in (2, 3) or query.shape[-1] != self.query_dim:
            raise ValueError(f"query: {self._words()} expected shape (B, L, {self.query_dim}) or "
                             f"(B, {self.query_dim}), got {query.shape}")
        if keys.ndim != 3 or keys.shape[-1] != self.key_dim or len(keys.data) != len(query.data):
            raise ValueError(f"keys: {self._words()} expected shape (B, S, {self.key_dim}) with the B of query "
                             f"{query.shape}, got {keys.shape}")
        if values.ndim != 3 or values.shape[:2] != keys.shape[:2]:
            raise ValueError(f"values: {self._words()} expected shape (B, S, C) with the B and S of keys {keys.shape}, "
                             f"got {values.shape}")

    def _mask(self, G, B, L, S):
        if G is None:
            return None
        G = np.asarray(G.detach().numpy() if isinstance(G, Tensor) else G)
        if G.shape != (B, S):
            raise ValueError(f"key_padding_mask: {self._words()} expected shape {(B, S)}, got {G.shape}")
        G = as_additive(~G if G.dtype == bool else G, self.dtype, "key_padding_mask")
        return Mask(G[:, None, :], (B,), L, S, self.dtype, name="key_padding_mask")

    def _words(self):
        return f"AdditiveAttention(query_dim={self.query_dim}, hidden_dim={self.hidden_dim}, key_dim={self.key_dim})"


# --- compiled ------------------------------------------------------------------------------------


def energy_gradients(dZ, a, u, w):
    """da, du and dw, same result as (3), (4) and (5), because one loop over i and j serves all three sums.

    A pair whose dZ is 0, as that of a forbidden key, is passed over.
    """
    dZ, a, u, w = map(np.ascontiguousarray, (dZ, a, u, w))
    da, du, sums = np.zeros_like(a), np.zeros_like(u), np.zeros((len(a), w.size + APART), a.dtype)
    run_chunks(_gradient_rows, len(a), dZ, a, u, w, (da, du, sums), chunk=_chunk(a, u))
    return da * w, du * w, sums[:, :w.size].sum(0)


def _chunk(a, u):
    return max(1, CHUNK // max(1, a.shape[1] * u.shape[1] * a.shape[2]))


@kernel
def _energy_rows(c, start, stop, a, u, w, Z):
    """(1) for the sequences start ... stop-1."""
    t = _some_of_t(u)
    for b in range(start, stop):
        keys = u[b]
        for first in range(0, len(keys), len(t)):
            last = min(first + len(t), len(keys))
            for i in range(Z.shape[1]):
                _compare(a[b, i], keys, first, last, t)
                _judge(w, t, first, last, Z[b, i])


@kernel
def _context_rows(c, start, stop, P, v, y):
    """(2) for the sequences start ... stop-1, from the weights P; y holds zeros."""
    for b in range(start, stop):
        values = v[b]
        for i in range(P.shape[1]):
            _add_mean(P[b, i], values, y[b, i])


@kernel
def _score_gradient_rows(c, start, stop, P, v, dy, dZ, dv):
    """Same result as (5) to (7) of the chapter attention, because each query of the sequences start ... stop-1 adds to
    dv what is its own; dZ holds ∂loss/∂P as far as it comes from elsewhere, dv zeros."""
    for b in range(start, stop):
        values, by_values = v[b], dv[b]
        for i in range(P.shape[1]):
            weights, g, row = P[b, i], dy[b, i], dZ[b, i]
            _add_products(values, g, row)
            _to_score_gradient(weights, row)
            _add_outer(weights, g, by_values)


@kernel
def _gradient_rows(c, start, stop, dZ, a, u, w, results):
    """The sums of (3), (4) and, for each sequence by itself, (5), the first two without w; `results` hold zeros."""
    da, du, dw = results
    t = _some_of_t(u)
    for b in range(start, stop):
        keys, by_keys, by_w = u[b], du[b], dw[b]
        for first in range(0, len(keys), len(t)):
            last = min(first + len(t), len(keys))
            for i in range(dZ.shape[1]):
                row = dZ[b, i]
                if _any(row, first, last):
                    _compare(a[b, i], keys, first, last, t)
                    _accumulate(row, first, last, t, da[b, i], by_keys, by_w)


@kernel
def _some_of_t(u):
    """Room for the rows t[b,i,j] of as many keys j as the nearest cache holds; one row is too little for a loop."""
    S, H = u.shape[1:]
    return np.empty((max(1, min(S, BLOCK // max(1, H))), H), u.dtype)


@kernel
def _compare(query, keys, start, stop, t):
    """Row t[b,i,j] for the keys j = start ... stop-1, from row 0 of `t` on."""
    for j in range(start, stop):
        for h in range(query.size):
            t[j - start, h] = query[h] + keys[j, h]
    tanh_row(t[:stop - start].reshape(-1))


@kernel(reassociate=True)
def _judge(w, t, start, stop, Z):
    """Z of these keys."""
    for j in range(start, stop):
        total = w[0] - w[0]
        for h in range(w.size):
            total += w[h] * t[j - start, h]
        Z[j] = total


@kernel(contract=True)
def _accumulate(dZ, start, stop, t, da, du, dw):
    """What these keys add to the sums of (3), (4) and (5); where dZ is 0, t does not matter, be it NaN."""
    for j in range(start, stop):
        g = dZ[j]
        if g != 0:
            for h in range(da.size):
                by_w = g * t[j - start, h]
                d = g - by_w * t[j - start, h]
                da[h] += d
                du[j, h] += d
                dw[h] += by_w


@kernel
def _any(row, start, stop):
    for j in range(start, stop):
        if row[j] != 0:
            return True
    return False


@kernel(reassociate=True)
def _add_products(v, g, row):
    """Add v_j·g to row_j."""
    for j in range(row.size):
        total = row[j]
        for d in range(g.size):
            total += v[j, d] * g[d]
        row[j] = total


@kernel(reassociate=True)
def _to_score_gradient(P, row):
    """`row` becomes P_j (row_j - Σ_l P_l row_l); where P is 0, it does not matter, be it infinite."""
    mean = row.dtype.type(0)
    for j in range(row.size):
        mean += P[j] * row[j] if P[j] != 0 else 0
    for j in range(row.size):
        row[j] = P[j] * (row[j] - mean) if P[j] != 0 else 0


@kernel(contract=True)
def _add_outer(P, g, dv):
    for j in range(P.size):
        for d in range(g.size):
            dv[j, d] += P[j] * g[d]


@kernel(contract=True)
def _add_mean(P, v, y):
    for j in range(P.size):
        for d in range(y.size):
            y[d] += P[j] * v[j, d]
