"""Gated convolution: a window on what is around, half of whose findings decide how much of the other half passes.

A convolution finds patterns of K neighbours, at all positions at once; a recurrent layer has to walk.  On top of each
other such layers see far: six with five taps see 25 positions.  So that many can be stacked, each has twice as many
filters as it needs.  One half, squeezed between 0 and 1, multiplies the other: a linear path that the gradient goes
back on undiminished where the gate is open.  And what came in is added to what goes out.

Sequences have different lengths.  In an array of the longest length most work may be on padding, and a window that
reaches into it sees what is no data.  Here the positions of all sequences, and they alone, are rows one below the
other: padding is in no row, so it can cost nothing and say nothing, and one product serves all rows.

Symbols
    S, R, C, K          sequences, rows, channels, taps
    X       (R, C)      inputs: the positions of all sequences, one after the other
    starts  (S+1,)      the row with which each sequence begins, and behind the last R
    d, o                rows between two taps (`dilation`); how far the last is ahead: 0, or in the middle d (K - 1) / 2
    W       (2C, C, K)  weights; W₂ (2C, K C) the same with taps before channels
    b       (2C,)       biases
    N       (R, K C)    neighbourhoods
    H       (R, 2C)     halves p and q, (R, C) each; σ(q) = 1 / (1 + e^-q)
    x, y    (R, C)      what a result is added to, and the results
    g       (R, C)      gradient of the loss L by y
    δ       (R, 2C)     gradient by the halves
    G       (R, K C)    gradient by the neighbourhoods
    sizes   (L,)        taps of each of L layers, one on top of the other
    gaps    (L,)        their dilations

Equations
    (1)  N[r] = X[r+o-d(K-1)], ..., X[r+o-d], X[r+o]; 0 for a row of another sequence    neighbourhoods
    (2)  (p ; q) = N W₂ᵀ + b                                                             halves
    (3)  y = p σ(q)                                                                      gated
    (4)  y = √½ (x + p σ(q))                                                             residual
    (5)  δ = (g σ(q) ; g p σ(q) (1 - σ(q)))                                              halves_gradient
    (6)  ∂L/∂W₂ = δᵀ N, ∂L/∂b = Σ_r δ[r], G = δ W₂                                       product_gradients
    (7)  ∂L/∂X[u] = Σ_k G[u-o+d(K-1-k)]_k over the rows of its sequence                  rows_gradient
    (8)  A = 1 + Σ_l gaps_l (sizes_l - 1)                                                receptive_field

Choices
    A causal layer has o = 0: the result at t depends on t and before, and on nothing else to the last bit.  A centred
    one with an odd d (K - 1) sees one position more ahead than behind, as padding="same" of Conv1d does.
    In (4) the sum of two terms of like variance would have twice that; √½ keeps it.  Its gradient is √½ g in (5), and
    √½ g on top in (7).
    First weights are normal with variance 3 (1 - p) / (K C), p the probability of dropout: inputs of variance 1 make
    halves of variance 3, of which the gate leaves a third, the mean of σ(q)².  Biases are 0.
    Kept for the gradient are the inputs, p and σ(q); neighbourhoods are laid out again.
    (8) counts layers with one convolution; in a block with two of them each counts.

Cost
    12 R K C² operations there and back, in three products of matrices.  Memory beside the results: 2 R C numbers that
    are kept, and K R C while it runs, on the way back 2 R C more.

>>> receptive_field([5] * 6), receptive_field([3] * 4, [1, 2, 4, 8])
(25, 31)
>>> layer = GatedConv1d(2, 3, residual=False, random_state=0)
>>> y = layer(np.ones((2, 4, 2)), lengths=[4, 1])
>>> y.shape, bool(y.data[1, 1:].any()), np.array_equal(y.data[0, 0], y.data[1, 0])
((2, 4, 2), False, True)

Sources: Y. Dauphin, A. Fan, M. Auli and D. Grangier, "Language modeling with gated convolutional networks", ICML 2017,
equation 1; J. Gehring and others, "Convolutional sequence to sequence learning", ICML 2017, sections 3.2 to 3.4,
for (4) and (8); A. van den Oord and others, "WaveNet", 2016, section 2.1, for dilation.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.core.checks import real_number, true_or_false, whole_number
from scratchml.core.elementary import sigmoid_row
from scratchml.core.jit import kernel, readable, run_chunks
from scratchml.core.products import product
from scratchml.core.random import generator
from scratchml.nn.layers import Dropout
from scratchml.nn.module import Module, Parameter, as_input, float_type
from scratchml.nn.padding import checked_lengths

# --- there ---------------------------------------------------------------------------------------


def neighbourhoods(X, starts, K, d, o):
    """(1)  N[r] = X[r+o-d(K-1)], ..., X[r+o-d], X[r+o]; 0 for a row of another sequence

    Shapes: X (R, C), starts (S+1), K, d, o -> (R, K*C)
    """
    N = np.zeros((len(X), K, X.shape[1]), X.dtype)
    for k in range(K):
        to, seen = _overlap(starts, o - d * (K - 1 - k))
        N[to, k] = X[seen]
    return N.reshape(len(X), -1)


def halves(N, W, b):
    """(2)  (p ; q) = N W₂ᵀ + b

    Shapes: N (R, K*C), W (2*C, C, K), b (2*C) -> (R, 2*C)
    """
    return N @ taps_first(W).T + b


def gated(H):
    """(3)  y = p σ(q)

    Shapes: H (R, 2*C) -> (R, C)
    """
    p, q = np.split(H, 2, axis=1)
    return p * (0.5 + 0.5 * np.tanh(q / 2))


def residual(H, x):
    """(4)  y = √½ (x + p σ(q))

    Shapes: H (R, 2*C), x (R, C) -> (R, C)
    """
    return 0.5**0.5 * (x + gated(H))


# --- and back ------------------------------------------------------------------------------------


def halves_gradient(g, H):
    """(5)  δ = (g σ(q) ; g p σ(q) (1 - σ(q)))

    Shapes: g (R, C), H (R, 2*C) -> (R, 2*C)
    """
    p, q = np.split(H, 2, axis=1)
    s = 0.5 + 0.5 * np.tanh(q / 2)
    return np.concatenate([g * s, g * p * s * (1 - s)], axis=1)


def product_gradients(δ, N, W):
    """(6)  ∂L/∂W₂ = δᵀ N, ∂L/∂b = Σ_r δ[r], G = δ W₂

    The first in the order of W.

    Shapes: δ (R, 2*C), N (R, K*C), W (2*C, C, K) -> (2*C, C, K), (2*C), (R, K*C)
    """
    return channels_first(δ.T @ N, W.shape[2]), δ.sum(axis=0), δ @ taps_first(W)


def rows_gradient(G, starts, K, d, o):
    """(7)  ∂L/∂X[u] = Σ_k G[u-o+d(K-1-k)]_k over the rows of its sequence

    Shapes: G (R, K*C), starts (S+1), K, d, o -> (R, C)
    """
    G = G.reshape(len(G), K, -1)
    by_X = np.zeros((len(G), G.shape[2]), G.dtype)
    for k in range(K):
        to, seen = _overlap(starts, o - d * (K - 1 - k))
        by_X[seen] += G[to, k]                           # no row is seen twice by the same tap
    return by_X


def _overlap(starts, shift):
    """Rows r, and r + shift, that are of one sequence."""
    of = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    r = np.arange(max(0, -shift), max(0, -shift, len(of) - max(0, shift)))
    r = r[of[r] == of[r + shift]]
    return r, r + shift


def taps_first(W):
    """W₂ (2C, K C) of W (2C, C, K)."""
    return np.ascontiguousarray(W.swapaxes(1, 2)).reshape(len(W), -1)


def channels_first(W2, K):
    """W (2C, C, K) of W₂ (2C, K C)."""
    return np.ascontiguousarray(W2.reshape(len(W2), K, -1).swapaxes(1, 2))


# --- what a stack sees ---------------------------------------------------------------------------


def receptive_field(sizes, gaps=None):
    """(8)  A = 1 + Σ_l gaps_l (sizes_l - 1)

    On how many positions a result depends.  Raises ValueError for what are no whole numbers of at least 1, and for
    lists of different lengths.

    Shapes: sizes (L), gaps (L) -> ()

    Parameters
    ----------
    sizes : list (L,) of int
        The kernel_size of each layer.
    gaps : list (L,) of int or None, default=None
        The dilation of each; None for 1.
    """
    sizes = [whole_number(size, "sizes") for size in sizes]
    gaps = [1] * len(sizes) if gaps is None else [whole_number(gap, "gaps") for gap in gaps]
    if len(gaps) != len(sizes):
        raise ValueError(f"gaps: expected one for each of {len(sizes)} layers, got {len(gaps)}")
    return 1 + sum(gap * (size - 1) for size, gap in zip(sizes, gaps))


# --- the layer -----------------------------------------------------------------------------------


class GatedConv1d(Module):
    """(4) along sequences, or (3): from (N, T, channels) to the same shape, 0 where a sequence has ended.

    `weight` is W, (2 channels, channels, kernel_size), and `bias` b, (2 channels,): those of the PyTorch layers
    Conv1d(channels, 2 channels, kernel_size) and GLU.  Raises ValueError for settings out of range, for inputs of
    another shape, and for `lengths` that are not whole numbers from 1 to T.

    Parameters
    ----------
    channels : int
        C, how many channels come in and go out.
    kernel_size : int
        K, how many positions a window has.
    dilation : int, default=1
        d, how far they are apart.
    causal : bool, default=True
        Whether a result depends on what came before alone, or on both sides alike.
    residual : bool, default=True
        Whether the input is added, (4).
    dropout : float, default=0.0
        Probability that an entry of what the window sees becomes 0 in training.
    channels_first : bool, default=False
        Whether sequences come, and go, as (N, channels, T).
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    settings = ("channels", "kernel_size", "dilation", "causal", "residual", "dropout", "channels_first")

    def __init__(self, channels, kernel_size, dilation=1, causal=True, residual=True, dropout=0.0, *,
                 channels_first=False, dtype="float32", random_state=None):
        self.channels = C = whole_number(channels, "channels")
        self.kernel_size = K = whole_number(kernel_size, "kernel_size")
        self.dilation = whole_number(dilation, "dilation")
        self.causal, self.residual = true_or_false(causal, "causal"), true_or_false(residual, "residual")
        self.channels_first = true_or_false(channels_first, "channels_first")
        self.dropout = real_number(dropout, "dropout")
        dtype, rng = float_type(dtype), generator(random_state)
        drop = Dropout(self.dropout, random_state=rng)                                   # checks its argument
        self._drop = drop if self.dropout else None
        spread = (3 * (1 - self.dropout) / (K * C)) ** 0.5
        self.weight = Parameter((spread * rng.normal(size=(2 * C, C, K))).astype(dtype))
        self.bias = Parameter(np.zeros(2 * C, dtype))

    @property
    def reach(self):
        """d (K - 1), how many positions a window has beside its own."""
        return self.dilation * (self.kernel_size - 1)

    def forward(self, input, lengths=None):
        """y like `input`: (N, T, C), or (T, C) for one sequence; (N, C, T) or (C, T) with `channels_first`.

        Without padding, sequences can come as rows (R, C) one after the other, if their lengths say where they end.

        Parameters
        ----------
        input : Tensor or array (N, T, C)
            The sequences.
        lengths : array (N,) of int or None, default=None
            How many positions of each count; None for all.
        """
        x = as_input(input, self, self.weight._data.dtype)
        if x.ndim not in (2, 3) or x.shape[-2 if self.channels_first else -1] != self.channels:
            shape = "(N, C, T) or (C, T)" if self.channels_first else "(N, T, C) or (T, C)"
            raise ValueError(f"input: {self} expected shape {shape} with C = {self.channels}, got {x.shape}")
        x = x.transpose(-1, -2) if self.channels_first else x
        rows = self._rows(x, lengths)
        o = 0 if self.causal else self.reach - self.reach // 2
        seen = self._drop(x) if self._drop and self.training else x
        inside = self.residual and seen is x             # (4) is of what came in, before dropout
        y = GATED(seen, self.weight, self.bias, rows=rows, d=self.dilation, o=o, residual=inside)
        if self.residual and not inside:
            y = (_without_padding(x, rows[1]) + y) * 0.5**0.5
        return y.transpose(-1, -2) if self.channels_first else y

    def _rows(self, x, lengths):
        """Where each sequence of x begins, as x holds them and in rows without padding."""
        S, T = x.shape[:2] if x.ndim == 3 else (1 if lengths is None else len(lengths), x.shape[0])
        lengths = np.full(S, T) if lengths is None else checked_lengths(lengths, T, S, self)
        starts = np.append(0, lengths.cumsum())
        if x.ndim == 3:
            return np.arange(S) * T, starts
        if starts[-1] != T:
            raise ValueError(f"lengths: {self} expected them to add up to the {T} rows of input, got {starts[-1]}")
        return starts[:-1], starts

    def step(self, past, x):
        """The result for one more position of each sequence, and the `past` for the next: arrays (B, C) and like
        `past`.

        In place of a pass over all that has been; what `past` begins with is zeros.  Without dropout, and for a causal
        layer alone, else it raises ValueError.

        Parameters
        ----------
        past : array (B, reach, C)
            The inputs at the last positions.
        x : array (B, C)
            Those at this one.
        """
        if not self.causal:
            raise ValueError("causal=False: expected a causal layer, as this one needs the positions that follow")
        window = np.concatenate([past, x[:, None]], axis=1)
        H = halves(window[:, ::self.dilation].reshape(len(x), -1), self.weight._data, self.bias._data)
        return (residual(H, x) if self.residual else gated(H)).astype(H.dtype), window[:, 1:]


def _without_padding(x, starts):
    """x (S, T, C), or rows, with zeros for padding, whatever is there."""
    if x.ndim == 2 or starts[-1] == x.shape[0] * x.shape[1]:
        return x
    return x.masked_fill((np.arange(x.shape[1]) >= np.diff(starts)[:, None])[:, :, None], 0.0)


# --- compiled ------------------------------------------------------------------------------------
#
# Sequences come padded, x (S, T, C), or as rows, and go so.  The kernels read and write rows where they are: sequence s
# begins in row first[s] of x as (S T, C), and in row starts[s] of N and H; `rows` are these two.

CHUNK = 2**19                                            # numbers in the rows of a chunk, which are worth a thread


def _gated_convolution(x, W, b, *, rows, d, o, residual):
    """y like x.  Same result as (1) to (4), because a row is gated as soon as it has its bias."""
    x, b, (_, C, K) = readable(np.ascontiguousarray(x)), readable(np.ascontiguousarray(b)), W.shape
    flat, H = x.reshape(-1, C), product(_laid_out(x, K, rows, d, o), taps_first(W).T)
    y = (np.empty if len(H) == len(flat) else np.zeros)(x.shape, x.dtype)
    _over_rows(_gate, H, b, flat, y.reshape(-1, C), (*rows, residual))
    return y, (x, W, H, rows, d, o, residual)


def _gated_convolution_gradient(saved, g):
    """∂L/∂x, ∂L/∂W and ∂L/∂b.  Same result as (5) to (7), because H holds p and σ(q)."""
    x, W, H, rows, d, o, residual = saved
    (_, C, K), x, g = W.shape, readable(np.ascontiguousarray(x)), readable(np.ascontiguousarray(g))
    N, δ, by_x = _laid_out(x, K, rows, d, o), np.empty_like(H), np.zeros(x.shape, x.dtype)
    _over_rows(_gate_back, δ, H, g.reshape(-1, C), (*rows, residual))
    by_W, by_b = channels_first(product(N.T, δ).T, K), np.ones(len(δ), x.dtype) @ δ
    G = product(δ, taps_first(W), out=N)
    _over_rows(_gather, G, g.reshape(-1, C), by_x.reshape(-1, C), (*rows, residual), (K, d, o))
    return by_x, by_W, by_b


GATED = Fused(_gated_convolution, _gated_convolution_gradient, fresh=True)


def _laid_out(x, K, rows, d, o):
    N = np.empty((rows[1][-1], K * x.shape[-1]), x.dtype)
    _over_rows(_lay_out, N, x.reshape(-1, x.shape[-1]), rows, (K, d, o))
    return N


def _over_rows(chunk_kernel, array, *arguments):
    run_chunks(chunk_kernel, len(array), array, *arguments, chunk=max(1, CHUNK // array.shape[1]))


@kernel
def _lay_out(c, start, stop, N, X, rows, window):
    """Same result as (1), because a tap sees row t + shift of its own sequence, if there is one; if d = 1, a run of
    them."""
    (first, starts), (K, d, o), C = rows, window, X.shape[1]
    runs, run = (1, K) if d == 1 else (K, 1)
    flat, s = X.reshape(-1), np.searchsorted(starts, start, side="right") - 1
    for r in range(start, stop):
        while r >= starts[s + 1]:
            s += 1
        T, u = starts[s + 1] - starts[s], r - starts[s] + o - d * (K - 1)
        for k in range(runs):
            before = min(max(0, -u), run)                # taps of this run that lie there, and behind the last
            behind = min(max(before, T - u), run)
            taps, at = N[r, k * run * C:(k + 1) * run * C], first[s] + u
            taps[:before * C] = 0
            taps[behind * C:] = 0
            inside, seen = taps[before * C:behind * C], flat[(at + before) * C:(at + behind) * C]
            for j in range(inside.size):
                inside[j] = seen[j]
            u += d


@kernel(contract=True)
def _gate(c, start, stop, H, b, X, y, rows):
    """A row of H, without its bias, becomes p and σ(q); y by (3), or by (4) if the last of `rows` says so."""
    (first, starts, residual), C, half = rows, X.shape[1], H.dtype.type(0.5**0.5)
    s = np.searchsorted(starts, start, side="right") - 1
    for r in range(start, stop):
        while r >= starts[s + 1]:
            s += 1
        row, at = H[r], first[s] + r - starts[s]
        for j in range(2 * C):
            row[j] += b[j]
        p, q, x, out = row[:C], row[C:], X[at], y[at]
        sigmoid_row(q)
        for j in range(C):
            out[j] = p[j] * q[j]
        if residual:
            for j in range(C):
                out[j] = half * (x[j] + out[j])


@kernel(contract=True)
def _gate_back(c, start, stop, δ, H, g, rows):
    """δ by (5) of the g that is (4)'s, if the last of `rows` says so; H holds p and σ(q)."""
    (first, starts, residual), C, factor = rows, g.shape[1], H.dtype.type(1)
    if residual:
        factor = H.dtype.type(0.5**0.5)
    s = np.searchsorted(starts, start, side="right") - 1
    for r in range(start, stop):
        while r >= starts[s + 1]:
            s += 1
        of, gate, by_p, by_q, by_y = H[r, :C], H[r, C:], δ[r, :C], δ[r, C:], g[first[s] + r - starts[s]]
        for j in range(C):
            by_p[j] = factor * by_y[j] * gate[j]
        for j in range(C):
            by_q[j] = by_p[j] * (of[j] - of[j] * gate[j])


@kernel(contract=True)
def _gather(c, start, stop, G, g, by_x, rows, window):
    """Same result as (7), because row u gets from each tap the row that has seen it; with √½ g on top for (4)."""
    (first, starts, residual), (K, d, o), C = rows, window, g.shape[1]
    half = G.dtype.type(0.5**0.5)
    s = np.searchsorted(starts, start, side="right") - 1
    for r in range(start, stop):
        while r >= starts[s + 1]:
            s += 1
        u, T = r - starts[s], starts[s + 1] - starts[s]
        total, by_y = by_x[first[s] + u], g[first[s] + u]
        if residual:
            for j in range(C):
                total[j] = half * by_y[j]
        for k in range(K):
            t = u - o + d * (K - 1 - k)
            if 0 <= t < T:
                part = G[starts[s] + t, k * C:(k + 1) * C]
                for j in range(C):
                    total[j] += part[j]
