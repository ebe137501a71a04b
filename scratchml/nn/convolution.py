"""Convolution: the same small affine map at every position of a sequence.

A window of K taps goes along a sequence of C channels; at every position a weighted sum of what it sees, over taps and
channels, is one entry of the result, for each of H filters.  What is recognised is so recognised anywhere, with K C H
weights for a sequence of any length.  A filter that may see only what has been makes a causal layer: its window ends at
the position itself.

Laid out in memory, all windows are a matrix, and the convolution is a product with it.  On the way back the product
gives the gradient of every window; an entry is in up to K windows, and its gradient is the sum over these.

Symbols
    x        (N, C, T)     inputs: N sequences, C channels, T positions
    W        (H, C, K)     weights of H filters
    b        (H,)          their biases
    s, d                   by how much the window moves on (`stride`), and what is between its taps (`dilation`)
    X        (N, C, K, S)  windows, at S positions
    g        (N, H, S)     gradient of the loss L by the result y
    G        (N, C, K, S)  gradient of the windows
    K, T                   numbers of taps and of positions

Equations
    (1)  X_nckt = x_n,c,st+dk                                                        windows
    (2)  y_nht = Σ_c Σ_k W_hck X_nckt + b_h                                          convolved
    (3)  ∂L/∂W_hck = Σ_n Σ_t g_nht X_nckt                                            convolved_by_weight
    (4)  G_nckt = Σ_h W_hck g_nht                                                    convolved_by_windows
    (5)  ∂L/∂x_ncu = Σ_k Σ_t [u = st + dk] G_nckt                                    windows_by_input
    (6)  S = ⌊(T - d (K - 1) - 1) / s⌋ + 1                                           positions

Choices
    Like everyone's, this convolution does not turn the filter around: it is a correlation.
    Padding is zeros, put around x before (1).  A causal layer pads d (K - 1) on the left alone: the result at t depends
    on x up to t.
    With `groups` the channels and filters fall into as many groups, each by itself a convolution.
    Kept for the gradient are W and x; the windows, K times as large, are laid out again.
    A product for each sequence would be small.  So the windows of several sequences stand side by side, as many as a
    core has in its cache from the first step to the last; for (3), where the sum is over all, those of a block.

Cost
    O(N S H C K).  Memory while it runs, beside the results: of each thread the windows of some sequences, at most NEAR
    bytes, or C K S numbers if one sequence has more; on the way back those of a block, too, at most BLOCK numbers or
    C K S; of each of these sequences C T and H S numbers, turned, the latter back in panels, too (chapter products).

>>> layer = CausalConv1d(1, 1, 2, bias=False, dtype="float64")
>>> layer.load_state_dict({"weight": [[[10.0, 1.0]]]})
Keys(missing_keys=[], unexpected_keys=[])
>>> layer([[[1.0, 2.0, 3.0]]]).data.tolist()
[[[1.0, 12.0, 23.0]]]

Sources: A. Waibel and others, "Phoneme recognition using time-delay neural networks", IEEE Transactions on Acoustics,
Speech, and Signal Processing 37 (1989); A. van den Oord and others, "WaveNet", 2016, section 2.1 for causal and dilated
ones; K. Chellapilla and others, "High performance convolutional neural networks for document processing", 2006, for the
matrix of windows; for names, arguments and first weights, PyTorch.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.core.checks import whole_number
from scratchml.core.jit import kernel, readable, run_chunks
from scratchml.core.products import Panels, add_product, laid_out, multiply_rows, pieces, product
from scratchml.core.random import generator
from scratchml.nn.initialisation import kaiming_bound
from scratchml.nn.module import Module, Parameter, as_input, float_type

# --- the equations -------------------------------------------------------------------------------


def windows(x, K, s, d):
    """(1)  X_nckt = x_n,c,st+dk

    Shapes: x (N, C, T), K, s, d -> (N, C, K, S)
    """
    S = positions(x.shape[2], K, s, d)
    X = np.empty((*x.shape[:2], K, S), x.dtype)
    for k in range(K):
        X[:, :, k] = x[:, :, _seen(k, S, s, d)]
    return X


def convolved(X, W, b):
    """(2)  y_nht = Σ_c Σ_k W_hck X_nckt + b_h

    Shapes: X (N, C, K, S), W (H, C, K), b (H) -> (N, H, S)
    """
    N, C, K, S = X.shape
    y = W.reshape(-1, C * K) @ X.reshape(N, C * K, S)
    y += b[:, None]
    return y


def convolved_by_weight(g, X):
    """(3)  ∂L/∂W_hck = Σ_n Σ_t g_nht X_nckt

    Shapes: g (N, H, S), X (N, C, K, S) -> (H, C, K)
    """
    N, C, K, S = X.shape
    return (g @ X.reshape(N, C * K, S).swapaxes(1, 2)).sum(axis=0).reshape(g.shape[1], C, K)


def convolved_by_windows(g, W):
    """(4)  G_nckt = Σ_h W_hck g_nht

    Shapes: g (N, H, S), W (H, C, K) -> (N, C, K, S)
    """
    H, C, K = W.shape
    return (W.reshape(H, C * K).T @ g).reshape(len(g), C, K, g.shape[2])


def windows_by_input(G, T, s, d):
    """(5)  ∂L/∂x_ncu = Σ_k Σ_t [u = st + dk] G_nckt

    Shapes: G (N, C, K, S), T, s, d -> (N, C, T)
    """
    N, C, K, S = G.shape
    x = np.zeros((N, C, T), G.dtype)
    for k in range(K):
        x[:, :, _seen(k, S, s, d)] += G[:, :, k]
    return x


def positions(T, K, s, d):
    """(6)  S = ⌊(T - d (K - 1) - 1) / s⌋ + 1

    Shapes: T, K, s, d -> ()
    """
    return (T - d * (K - 1) - 1) // s + 1


def _seen(k, S, s, d):
    """Where the windows have their tap k."""
    return slice(d * k, d * k + s * (S - 1) + 1, s)


# --- as an operation on Tensors ------------------------------------------------------------------


def _convolution(x, W, b=None, *, s, d, groups, around, of_input):
    b = np.zeros(len(W), W.dtype) if b is None else b
    parts = zip(*(_grouped(array, groups, axis) for array, axis in ((x, 1), (W, 0), (b, 0))))
    ys = [_convolved(*part, s, d, around) for part in parts]
    return ys[0] if groups == 1 else np.concatenate(ys, axis=1), (x, W, s, d, groups, around, of_input)


def _convolution_gradient(saved, g):
    x, W, s, d, groups, around, of_input = saved
    parts = zip(*(_grouped(array, groups, axis) for array, axis in ((g, 1), (x, 1), (W, 0))))
    gradients = [_convolved_back(*part, s, d, around, of_input) for part in parts]
    if groups == 1:
        return gradients[0]
    by_input, by_weight, by_bias = zip(*gradients)
    return np.concatenate(by_input, axis=1) if of_input else None, np.concatenate(by_weight), np.concatenate(by_bias)


def _grouped(array, groups, axis):
    """`array` in `groups` parts along `axis`, as views."""
    return np.split(array, groups, axis) if groups > 1 else [array]


CONVOLUTION = Fused(_convolution, _convolution_gradient, fresh=True)
CONVOLUTION_ALONE = Fused(_convolution, lambda saved, g: _convolution_gradient(saved, g)[:2], fresh=True)


# --- layers --------------------------------------------------------------------------------------


class Conv1d(Module):
    """(2) along sequences: from (N, in_channels, T) to (N, out_channels, S); or without N for a single sequence.

    `weight` is W, (out_channels, in_channels / groups, kernel_size), `bias` b, (out_channels,), or None without; both
    begin uniform over ±1/√n for n the entries of a filter.  Raises ValueError for settings that are no whole numbers or
    do not fit together, for inputs of another shape, and for sequences that are shorter than the window.

    Parameters
    ----------
    in_channels, out_channels : int
        C and H, how many channels come in and go out.
    kernel_size : int
        K, how many places a window has.
    stride : int, default=1
        s, how far it moves.
    padding : int or {"valid", "same"}, default=0
        Zeros on either side; "valid" for none, "same" for as many as keep T, which needs stride 1.
    dilation : int, default=1
        d, how far its places are apart.
    groups : int, default=1
        In how many groups channels are that see only their own.
    bias : bool, default=True
        Whether there is a b.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    settings = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, *,
                 dtype="float32", random_state=None):
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels), ("kernel_size", kernel_size),
                            ("stride", stride), ("dilation", dilation), ("groups", groups)):
            setattr(self, name, whole_number(single(value), name))
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(f"groups={groups}: expected a divisor of in_channels={in_channels} and of "
                             f"out_channels={out_channels}")
        self.padding = padding
        self._around = self._zeros_around(single(padding))
        shape = self.out_channels, self.in_channels // self.groups, self.kernel_size
        dtype, rng, bound = float_type(dtype), generator(random_state), kaiming_bound(shape[1] * shape[2], 3 ** -0.5)
        self.weight = Parameter(rng.uniform(-bound, bound, shape).astype(dtype))
        self.bias = Parameter(rng.uniform(-bound, bound, shape[0]).astype(dtype)) if bias else None

    def _zeros_around(self, padding):
        """How many zeros stand on the left and on the right."""
        if padding == "same":
            if self.stride != 1:
                raise ValueError(f"padding='same': expected stride 1, got {self.stride}")
            reach = self.dilation * (self.kernel_size - 1)
            return reach // 2, reach - reach // 2
        if isinstance(padding, str) and padding != "valid":
            raise ValueError(f"padding={padding!r}: expected 'valid', 'same' or a whole number")
        return (0 if padding == "valid" else whole_number(padding, "padding", least=0),) * 2

    def forward(self, input):
        W, b = self.weight, self.bias
        x = as_input(input, self, W._data.dtype)
        if x.ndim not in (2, 3) or x.shape[-2] != self.in_channels:
            C = self.in_channels
            raise ValueError(f"input: {self} expected shape (N, {C}, T) or ({C}, T), got {x.shape}")
        least = self.dilation * (self.kernel_size - 1) + 1
        if x.shape[-1] + sum(self._around) < least:
            raise ValueError(f"input: {self} expected at least {least} positions, padding included, got "
                             f"{x.shape[-1] + sum(self._around)}")
        single = x.ndim == 2
        x = x.unsqueeze(0) if single else x
        options = dict(s=self.stride, d=self.dilation, groups=self.groups, around=self._around,
                       of_input=x.requires_grad)
        y = CONVOLUTION_ALONE(x, W, **options) if b is None else CONVOLUTION(x, W, b, **options)
        return y.squeeze(0) if single else y


class CausalConv1d(Conv1d):
    """A Conv1d whose result at t depends on the input up to t and no further: from (N, in_channels, T) to the same T.

    With a stride the results are those at 0, stride, 2 stride, ....  Weights and errors otherwise as in Conv1d.

    Parameters
    ----------
    in_channels, out_channels : int
        C and H, how many channels come in and go out.
    kernel_size : int
        K, how many places a window has.
    stride : int, default=1
        s, how far it moves.
    dilation : int, default=1
        d, how far its places are apart.
    groups : int, default=1
        In how many groups channels are that see only their own.
    bias : bool, default=True
        Whether there is a b.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    settings = ("in_channels", "out_channels", "kernel_size", "stride", "dilation", "groups")

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, dilation=1, groups=1, bias=True, *,
                 dtype="float32", random_state=None):
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias, dtype=dtype,
                         random_state=random_state)

    def _zeros_around(self, padding):
        return self.dilation * (self.kernel_size - 1), 0


def single(value):
    """The number in a tuple of one, as PyTorch allows; anything else as it is."""
    return value[0] if isinstance(value, (tuple, list)) and len(value) == 1 else value


# --- compiled ------------------------------------------------------------------------------------
#
# A sequence is turned to (T, C), zeros included.  Then what a tap sees is a run of C numbers, a window K runs, one if
# d = 1, and the windows of many sequences are a matrix R (N S, K C): (2), (3) and (4) are products with it, or like it.

BLOCK, CHUNK = 2**22, 2**19                              # numbers in the windows of a block; of a chunk
NEAR = 2**19                                             # bytes of windows that stay in the cache of a core


def _convolved(x, W, b, s, d, around):
    """y (N, H, S) from x without its zeros.

    Same result as (1) and (2), because row n S + t of R is window t of sequence n, and each is multiplied by itself.
    """
    (N, _, T), (H, C, K), x, b = x.shape, W.shape, _as_given(x), _as_given(b)
    S, steps = positions(T + sum(around), K, s, d), _steps(C, K, s, d)
    y, taps = np.empty((N, H, S), x.dtype), laid_out(W.swapaxes(1, 2).reshape(H, K * C).T, N * S)
    if isinstance(taps, Panels):
        run_chunks(_convolve, N, x, (steps, around[0]), _sizes(x, K, S, around), (taps.P, b), y,
                   chunk=-(-N // pieces(N * S * W.nbytes)))
        return y
    for block in _blocks(N, K * C * S):                  # few windows, or small ones
        R, room = _room(x[block], K, S, around)
        _over_sequences(_lay_out, R, x[block], steps, around[0], room)
        products = product(R.reshape(-1, K * C), taps).reshape(-1, S, H)
        _over_sequences(_turn_back, products, b, y[block])
        del R, room, products                            # before those of the next block are made
    return y


def _convolved_back(g, x, W, s, d, around, of_input):
    """∂L/∂x (None unless `of_input`), ∂L/∂W and ∂L/∂b.

    Same result as (3), (4) and (5), because the sum over n and t in (3) is one over rows of R, and row n S + t of the
    product with W is G of window t of sequence n.
    """
    (N, _, T), (H, C, K), x, g = x.shape, W.shape, _as_given(x), _as_given(g)
    S, taps = g.shape[2], laid_out(W.swapaxes(1, 2).reshape(H, K * C), N * g.shape[2])
    steps, by_taps, by_bias = _steps(C, K, s, d), np.zeros((K * C, H), W.dtype), np.zeros(H, W.dtype)
    by_input = np.empty(x.shape, x.dtype) if of_input else None
    for block in _blocks(N, K * C * S):
        R, room = _room(x[block], K, S, around)
        turned = np.empty((len(R), S * H), x.dtype)
        _over_sequences(_lay_out_both, R, (x[block], g[block]), steps, around[0], (room, turned))
        rows, of_rows = R.reshape(-1, K * C), turned.reshape(-1, H)
        add_product(rows.T, of_rows, by_taps)
        by_bias += np.ones(len(rows), x.dtype) @ of_rows
        if of_input and isinstance(taps, Panels):
            run_chunks(_convolve_back, len(R), of_rows, taps.P, (steps, around[0]), _sizes(x, K, S, around),
                       by_input[block], chunk=-(-len(R) // pieces(len(R) * S * W.nbytes)))
        elif of_input:
            product(of_rows, taps, out=rows)             # G, where the windows were
            total = np.empty((len(R), (T + sum(around)) * C), x.dtype)
            _over_sequences(_add_back, R, steps, around[0], total, by_input[block])
            del total
        del R, rows, room, turned, of_rows               # before those of the next block are made
    return by_input, np.ascontiguousarray(by_taps.reshape(K, C, H).transpose(2, 1, 0)), by_bias


def _as_given(array):
    return readable(np.ascontiguousarray(array))


def _blocks(N, size):
    """Slices of as many sequences, of `size` numbers in their windows, as make up a block."""
    step = max(1, BLOCK // max(size, 1))
    return [slice(start, start + step) for start in range(0, N, step)]


def _room(x, K, S, around):
    """Room for R (N, S, K C), the windows of x (N, C, T), and for x turned."""
    N, C, T = x.shape
    return np.empty((N, S, K * C), x.dtype), np.empty((N, (T + sum(around)) * C), x.dtype)


def _sizes(x, K, S, around):
    """Numbers of a turned sequence, zeros included, and how many sequences have their windows in the cache at once."""
    _, C, T = x.shape
    return (T + sum(around)) * C, max(1, NEAR // max(S * K * C * x.itemsize, 1))


def _steps(C, K, s, d):
    return (s * C, d * C, 1, K * C) if d == 1 else (s * C, d * C, K, C)


def _over_sequences(chunk_kernel, array, *arguments):
    parts = max(1, -(-array.size // CHUNK))              # of one size
    run_chunks(chunk_kernel, len(array), array, *arguments, chunk=max(1, -(-len(array) // parts)))


@kernel
def _turn(c, start, stop, turned, x, left):
    """Sequences of x (N, C, T) as (T, C), one number after the other, with `left` rows of zeros before and more
    behind."""
    C = x.shape[1]
    for n in range(start, stop):
        row, inside = turned[n], turned[n, left * C:]
        row[:left * C] = 0
        inside[x.shape[2] * C:] = 0
        for t in range(x.shape[2]):
            for channel in range(C):
                inside[t * C + channel] = x[n, channel, t]


@kernel
def _lay_out(c, start, stop, R, x, steps, left, turned):
    """`steps` are s C and d C, numbers of a turned sequence, and K runs of C numbers, or one of K C, if d = 1."""
    s, d, runs, run = steps
    _turn(c, start, stop, turned, x, left)
    for n in range(start, stop):
        for t in range(R.shape[1]):
            for k in range(runs):
                window, seen = R[n, t, k * run:], turned[n, s * t + d * k:]
                for i in range(run):
                    window[i] = seen[i]


@kernel
def _lay_out_both(c, start, stop, R, given, steps, left, turned):
    """The windows of x, and g turned: `given` are x and g, `turned` room for both."""
    _lay_out(c, start, stop, R, given[0], steps, left, turned[0])
    _turn(c, start, stop, turned[1], given[1], 0)


@kernel
def _convolve(c, start, stop, x, steps, sizes, factors, y):
    """Same result as (1) and (2) in turn, because so many sequences at a time go through both as stay in the cache.

    `sizes` are those of `_sizes`; `factors` are panels of W, and b.
    """
    (steps, left), (length, together), (P, b) = steps, sizes, factors
    (_, H, S), width = y.shape, P.shape[1]
    together = min(together, stop - start)
    R, turned, products = (np.empty((together, S, width), x.dtype), np.empty((together, length), x.dtype),
                           np.empty((together, S, H), x.dtype))
    rows, sums = R.reshape((together * S, width)), products.reshape((together * S, H))
    for n in range(start, stop, together):
        size = min(together, stop - n)
        _lay_out(c, 0, size, R, x[n:n + size], steps, left, turned)
        multiply_rows(c, 0, size * S, rows, P, sums, False)
        _turn_back(c, 0, size, products, b, y[n:n + size])


@kernel
def _add_back(c, start, stop, G, steps, left, total, by_input):
    """Into `total` (N, T C), zeros included, and from there without them into `by_input` (N, C, T)."""
    (s, d, runs, run), (_, C, T) = steps, by_input.shape
    for n in range(start, stop):
        total[n] = 0
        for t in range(G.shape[1]):
            for k in range(runs):
                window, seen = G[n, t, k * run:], total[n, s * t + d * k:]
                for i in range(run):
                    seen[i] += window[i]
        inside = total[n, left * C:]
        for channel in range(C):
            for t in range(T):
                by_input[n, channel, t] = inside[t * C + channel]


@kernel
def _turn_back(c, start, stop, products, b, y):
    _, S, H = products.shape
    for n in range(start, stop):
        for h in range(H):
            for t in range(S):
                y[n, h, t] = products[n, t, h] + b[h]


@kernel
def _convolve_back(c, start, stop, of_rows, P, steps, sizes, by_input):
    """Same result as (4) and (5) in turn, as in `_convolve`; `of_rows` (N S, H) is g turned."""
    (steps, left), (length, together) = steps, sizes
    S, width, together = len(of_rows) // len(by_input), steps[2] * steps[3], min(together, stop - start)
    G, total = np.empty((together, S, width), of_rows.dtype), np.empty((together, length), of_rows.dtype)
    rows = G.reshape((together * S, width))
    for n in range(start, stop, together):
        size = min(together, stop - n)
        multiply_rows(c, 0, size * S, of_rows[n * S:(n + size) * S], P, rows, False)
        _add_back(c, 0, size, G, steps, left, total, by_input[n:n + size])
