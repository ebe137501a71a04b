"""Pooling: a sequence made shorter, by the largest or the mean of what a window sees.

Whether a pattern occurs matters more than where exactly.  Pooling keeps, for every channel, one number of each window:
the largest, which says that something was there, or the mean.  With windows that move on by their own length the
sequence becomes so many times shorter, and a layer behind sees so much further.

On the way back a largest number sends its gradient to the place that it came from; a mean sends equal shares.

Symbols
    x        (N, C, T)   inputs: N sequences, C channels, T positions
    K, s, d              taps of a window, by how much it moves on (`stride`), what is between taps (`dilation`)
    p                    places of padding on either side
    y        (N, C, S)   the result, at S positions
    i        (N, C, S)   where the largest number of each window stands, in T
    g        (N, C, S)   gradient of the loss L by y
    b, e     (S,)        where a window begins, in T, and where it has ended
    n        (S,)        what its sum is divided by
    T, S                 numbers of positions

Equations
    (1)  y_nct = max_k x_n,c,st+dk-p where it exists, i_nct = the first such place    largest_of_windows
    (2)  ∂L/∂x_ncu = Σ_t [u = i_nct] g_nct                                           largest_by_input
    (3)  y_nct = 1/n_t Σ_u [b_t <= u < e_t] x_ncu                                    means_of_windows
    (4)  ∂L/∂x_ncu = Σ_t [b_t <= u < e_t] g_nct / n_t                                means_by_input
    (5)  b_t = ⌊t T / S⌋, e_t = ⌈(t + 1) T / S⌉                                      shares

Choices
    Padding never is the largest: in (1) it does not exist.  NaN is the largest of any window that holds it.
    In (3) windows end at the padding of length p, and n is the number of their places, with `count_include_pad` those
    in the padding among them; padding adds 0.
    With `ceil_mode` a last window may reach beyond the end, as long as it begins before it; it ends there.
    (5) is the adaptive mean: S windows, as equal as can be, that together see every position.

Cost
    O(N C S K); on the way back as much.

>>> x = [[[1.0, 5.0, 2.0, 4.0]]]
>>> MaxPool1d(2)(x).data.tolist(), AvgPool1d(2, stride=1)(x).data.tolist(), AdaptiveAvgPool1d(1)(x).data.tolist()
([[[5.0, 4.0]]], [[[3.0, 3.5, 3.0]]], [[[3.0]]])

Sources: Y. LeCun and others, "Gradient-based learning applied to document recognition", Proceedings of the IEEE 86
(1998), section II; for names, arguments and what is counted, PyTorch.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.autograd.ops import as_tensor, stack
from scratchml.core.checks import whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.nn.convolution import single
from scratchml.nn.module import Module

CHUNK = 2**16                                            # entries that a thread takes

# --- the equations -------------------------------------------------------------------------------


def largest_of_windows(x, K, s, d, p, S):
    """(1)  y_nct = max_k x_n,c,st+dk-p where it exists, i_nct = the first such place

    A window that sees nothing but padding has -inf, and -1 for its place.

    Shapes: x (N, C, T), K, s, d, p, S -> (N, C, S), (N, C, S)
    """
    rows = _rows(x)
    y, i = np.empty((len(rows), S), x.dtype), np.empty((len(rows), S), np.int64)
    run_chunks(_largest, len(rows), rows, (K, s, d, p), y, i, chunk=_chunk(rows))
    return y.reshape(*x.shape[:-1], S), i.reshape(*x.shape[:-1], S)


def largest_by_input(g, i, T):
    """(2)  ∂L/∂x_ncu = Σ_t [u = i_nct] g_nct

    Shapes: g (N, C, S), i (N, C, S) in T, T -> (N, C, T)
    """
    shape, g, i = g.shape[:-1], _rows(g), _rows(i)
    dx = np.zeros((len(g), T), g.dtype)
    run_chunks(_back_to_largest, len(g), g, i, dx, chunk=_chunk(dx))
    return dx.reshape(*shape, T)


def means_of_windows(x, b, e, n):
    """(3)  y_nct = 1/n_t Σ_u [b_t <= u < e_t] x_ncu

    Shapes: x (N, C, T), b (S), e (S), n (S) -> (N, C, S)
    """
    rows = _rows(x)
    y = np.empty((len(rows), len(b)), x.dtype)
    run_chunks(_means, len(rows), rows, b, e, (1 / n).astype(x.dtype), y, chunk=_chunk(rows))
    return y.reshape(*x.shape[:-1], len(b))


def means_by_input(g, b, e, n, T):
    """(4)  ∂L/∂x_ncu = Σ_t [b_t <= u < e_t] g_nct / n_t

    Shapes: g (N, C, S), b (S), e (S), n (S), T -> (N, C, T)
    """
    rows = _rows(g)
    dx = np.zeros((len(rows), T), g.dtype)
    run_chunks(_back_to_shares, len(rows), rows, b, e, (1 / n).astype(g.dtype), dx, chunk=_chunk(dx))
    return dx.reshape(*g.shape[:-1], T)


def shares(T, S):
    """(5)  b_t = ⌊t T / S⌋, e_t = ⌈(t + 1) T / S⌉

    Shapes: T, S -> (S), (S)
    """
    t = np.arange(S)
    return t * T // S, -(-(t + 1) * T // S)


# --- layers --------------------------------------------------------------------------------------


def _max_pool(x, *, window, S):
    y, i = largest_of_windows(x, *window, S)
    if i.size and i.min() < 0:
        raise ValueError(f"input: a window sees nothing but padding; expected more positions than {x.shape[-1]}, or "
                         "less padding")
    return y, (i, x.shape[-1])


MAX_POOL = Fused(_max_pool, lambda saved, g: largest_by_input(g, *saved), fresh=True)


def _mean_pool(x, *, b, e, n):
    return means_of_windows(x, b, e, n), (b, e, n, x.shape[-1])


MEAN_POOL = Fused(_mean_pool, lambda saved, g: means_by_input(g, *saved), fresh=True)


class _Pool1d(Module):
    """What the two pools share: windows, and how many of them there are."""

    def _set(self, kernel_size, stride, padding, ceil_mode, dilation=1):
        self.kernel_size = K = whole_number(single(kernel_size), "kernel_size")
        self.stride = K if stride is None else whole_number(single(stride), "stride")
        self.padding = whole_number(single(padding), "padding", least=0)
        self.dilation, self.ceil_mode = whole_number(single(dilation), "dilation"), bool(ceil_mode)
        if self.padding > (self.dilation * (K - 1) + 1) // 2:
            raise ValueError(f"padding={padding!r}: expected at most half of what a window spans, "
                             f"{self.dilation * (K - 1) + 1}")

    def _positions(self, x):
        """S for the Tensor `x`.  Raises ValueError for its shape."""
        if x.ndim not in (2, 3):
            raise ValueError(f"input: {self} expected shape (N, C, T) or (C, T), got {x.shape}")
        T, p, s = x.shape[-1], self.padding, self.stride
        spare = T + 2 * p - self.dilation * (self.kernel_size - 1) - 1
        if spare < 0 or not T:
            raise ValueError(f"input: {self} expected at least {self.dilation * (self.kernel_size - 1) + 1} positions, "
                             f"padding included, got {T + 2 * p}")
        S = (-(-spare // s) if self.ceil_mode else spare // s) + 1
        return S - 1 if (S - 1) * s >= T + p else S      # a window may begin in x or before it, not behind


class MaxPool1d(_Pool1d):
    """The largest of each window, (1): from (N, C, T) to (N, C, S); or without N for a single sequence.

    Raises ValueError for settings that are no whole numbers, a padding above half a window, inputs of another shape,
    and too few positions.

    Parameters
    ----------
    kernel_size : int
        K, how many places a window has.
    stride : int or None, default=None
        s, how far it moves; None for K.
    padding : int, default=0
        p, places on either side that hold nothing.
    dilation : int, default=1
        d, how far its places are apart.
    return_indices : bool, default=False
        Whether the result is (y, i), where i says where the largest numbers stand.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the end.
    """

    settings = ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode")

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        self._set(kernel_size, stride, padding, ceil_mode, dilation)
        self.return_indices = bool(return_indices)

    def forward(self, input):
        x = as_tensor(input)
        S, window = self._positions(x), (self.kernel_size, self.stride, self.dilation, self.padding)
        y = MAX_POOL(x, window=window, S=S)
        return (y, largest_of_windows(x._data, *window, S)[1]) if self.return_indices else y


class AvgPool1d(_Pool1d):
    """The mean of each window, (3): from (N, C, T) to (N, C, S); or without N for a single sequence.

    Raises ValueError as MaxPool1d.

    Parameters
    ----------
    kernel_size : int
        K, how many places a window has.
    stride : int or None, default=None
        s, how far it moves; None for K.
    padding : int, default=0
        p, zeros on either side.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the end.
    count_include_pad : bool, default=True
        Whether these zeros count, or a mean is over the places in the sequence alone.
    """

    settings = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        self._set(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = bool(count_include_pad)

    def forward(self, input):
        x = as_tensor(input)
        S, T = self._positions(x), x.shape[-1]
        begin = np.arange(S) * self.stride - self.padding
        end = np.minimum(begin + self.kernel_size, T + self.padding)
        b, e = np.maximum(begin, 0), np.minimum(end, T)
        return MEAN_POOL(x, b=b, e=e, n=end - begin if self.count_include_pad else e - b)


class AdaptiveAvgPool1d(Module):
    """The means (3) of windows that are as equal as can be, (5): from (N, C, T) to (N, C, output_size).

    Without N for a single sequence.  Raises ValueError for a size below 1, and for inputs of another shape.

    Parameters
    ----------
    output_size : int
        S, how many windows.
    """

    settings = ("output_size",)

    def __init__(self, output_size):
        self.output_size = whole_number(single(output_size), "output_size")

    def forward(self, input):
        x = as_tensor(input)
        if x.ndim not in (2, 3) or not x.shape[-1]:
            raise ValueError(f"input: {self} expected shape (N, C, T) or (C, T), with T of at least 1, got {x.shape}")
        b, e = shares(x.shape[-1], self.output_size)
        return MEAN_POOL(x, b=b, e=e, n=e - b)


class AdaptiveMaxPool1d(Module):
    """The largest of each of the windows (5): from (N, C, T) to (N, C, output_size).

    Without N for a single sequence.  Raises ValueError for a size below 1, and for inputs of another shape.

    Parameters
    ----------
    output_size : int
        S, how many windows.
    return_indices : bool, default=False
        Whether the result is (y, i), where i says where the largest numbers stand.
    """

    settings = ("output_size", "return_indices")

    def __init__(self, output_size, return_indices=False):
        self.output_size, self.return_indices = whole_number(single(output_size), "output_size"), bool(return_indices)

    def forward(self, input):
        x = as_tensor(input)
        if x.ndim not in (2, 3) or not x.shape[-1]:
            raise ValueError(f"input: {self} expected shape (N, C, T) or (C, T), with T of at least 1, got {x.shape}")
        windows = list(zip(*shares(x.shape[-1], self.output_size)))
        parts = [x[..., b:e].max(-1) for b, e in windows]
        y = stack([part.values for part in parts], -1)
        return (y, np.stack([part.indices + int(b) for part, (b, _) in zip(parts, windows)], -1)) \
            if self.return_indices else y


# --- compiled ------------------------------------------------------------------------------------


def _rows(x):
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def _chunk(rows):
    return max(1, CHUNK // max(1, rows.shape[1]))


@kernel
def _largest(c, start, stop, x, window, y, i):
    """(1) for the rows start ... stop-1; `window` is (K, s, d, p)."""
    K, s, d, p = window
    for r in range(start, stop):
        for t in range(y.shape[1]):
            at = -1
            for k in range(K):
                u = s * t + d * k - p
                if 0 <= u < x.shape[1] and (at < 0 or x[r, u] > x[r, at] or x[r, u] != x[r, u]
                                            and x[r, at] == x[r, at]):
                    at = u
            y[r, t], i[r, t] = x[r, at] if at >= 0 else -np.inf, at


@kernel
def _back_to_largest(c, start, stop, g, i, dx):
    for r in range(start, stop):
        for t in range(g.shape[1]):
            dx[r, i[r, t]] += g[r, t]


@kernel
def _means(c, start, stop, x, b, e, inverse, y):
    for r in range(start, stop):
        for t in range(y.shape[1]):
            y[r, t] = 0
            for u in range(b[t], e[t]):
                y[r, t] += x[r, u]
            y[r, t] *= inverse[t]


@kernel
def _back_to_shares(c, start, stop, g, b, e, inverse, dx):
    for r in range(start, stop):
        for t in range(g.shape[1]):
            share = g[r, t] * inverse[t]
            for u in range(b[t], e[t]):
                dx[r, u] += share
