"""Normalisation: every channel, or every sample, gets mean 0 and variance 1, and then the mean and scale it wants.

While a network learns, the inputs of each layer change with all the layers below it, in size and in place.  Batch
normalisation takes a channel's mean and variance over the batch out, and puts a learned scale and shift in; in use,
where a batch may be a single sample, running means of both stand in.  Layer normalisation does the same within each
sample, over its features, and so is the same in training and in use.

The gradient has three terms, since x_n moves not only its own result, but also the mean and the deviation of all.  With
x̂ = (x - μ) / s and s = √(σ² + ε),

    ∂μ/∂x_n = 1/N,  ∂s/∂x_n = x̂_n / N,  so  ∂x̂_m/∂x_n = ([m = n] - 1/N - x̂_m x̂_n / N) / s

and the sum over m of w g_m times that is (4).  Along a row instead of a column it is (9), where the weights differ
within the group and stay with g.

Symbols
    x        (N, C)  inputs: N samples, C channels or features
    μ        (C,)    means
    V        (C,)    variances σ²
    w, b     (C,)    learned scale and shift
    ε                keeps the quotient finite where all x are equal
    g        (N, C)  gradient of the loss L by the result y
    r, m     (C,)    a running mean, and what it moves towards
    α                how far it moves (`momentum`)

Equations
    (1)  μ_c = 1/N Σ_n x_nc, V_c = 1/N Σ_n (x_nc - μ_c)²                             channel_moments
    (2)  y_nc = w_c x̂_nc + b_c with x̂_nc = (x_nc - μ_c) / √(V_c + ε)                 normalised_channels
    (3)  ∂L/∂w_c, ∂L/∂b_c = Σ_n g_nc x̂_nc, Σ_n g_nc                                  channels_by_weight
    (4)  ∂L/∂x_nc = w_c / √(V_c + ε) (g_nc - G_c/N - x̂_nc X_c/N)                     channels_by_input
         with X_c, G_c from (3)
    (5)  r ← (1 - α) r + α m                                                         moved_towards
    (6)  μ_n = 1/C Σ_c x_nc, V_n = 1/C Σ_c (x_nc - μ_n)²                             row_moments
    (7)  y_nc = w_c x̂_nc + b_c with x̂_nc = (x_nc - μ_n) / √(V_n + ε)                 normalised_rows
    (8)  ∂L/∂w_c, ∂L/∂b_c = Σ_n g_nc x̂_nc, Σ_n g_nc                                  rows_by_weight
    (9)  ∂L/∂x_nc = (h_nc - Σ_d h_nd/C - x̂_nc Σ_d h_nd x̂_nd/C) / √(V_n + ε)          rows_by_input
         with h_nc = w_c g_nc

Choices
    BatchNorm1d of (N, C, L) takes every position for a sample: N L numbers a channel.
    (5) goes towards the unbiased variance, N/(N-1) V, as in PyTorch, while (2) divides by the biased one.
    Outside of training μ and V are constants, and of (4) the first term is left.
    All sums are in float64, also for float32.  Variances are of deviations from the mean, not differences of squares.
    Kept for the gradient are x, and a mean and a quotient for each group; x̂ is computed again.

Cost
    O(N C); two passes over x and one for the result, and two on the way back.

>>> from scratchml.nn import BatchNorm1d
>>> layer = BatchNorm1d(1, dtype="float64")
>>> layer([[1.0], [3.0]]).data.round(4).tolist(), layer.running_mean.tolist(), layer.running_var.tolist()
([[-1.0], [1.0]], [0.2], [1.1])

Sources: S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015, Algorithm 1 for (1) and (2), section 3 for the
gradient; J. L. Ba and others, "Layer normalization", 2016, equations 3 and 4 for (6) and (7); for names, PyTorch.
"""
import math

import numpy as np

from scratchml.autograd import Fused
from scratchml.core.jit import kernel, run_chunks

# --- in chunks of rows ---------------------------------------------------------------------------

CHUNK = 2**19                                            # entries, 100 to 200 µs of work


def _over_rows(chunk_kernel, x, *arguments):
    chunk = _rows_a_chunk(x)
    if len(x) <= chunk:                                  # no threads to ask
        chunk_kernel(0, 0, len(x), x, *arguments)
    else:
        run_chunks(chunk_kernel, len(x), x, *arguments, chunk=chunk)


def _rows_a_chunk(x):
    return max(1, CHUNK // max(x.shape[1], 1))


# --- channels ------------------------------------------------------------------------------------


def channel_moments(x):
    """(1)  μ_c = 1/N Σ_n x_nc, V_c = 1/N Σ_n (x_nc - μ_c)²

    Shapes: x (N, C) -> (C), (C)
    """
    return _moments(_columns(x), 1)


def normalised_channels(x, μ, V, w, b, ε):
    """(2)  y_nc = w_c x̂_nc + b_c with x̂_nc = (x_nc - μ_c) / √(V_c + ε)

    Shapes: x (N, C), μ (C), V (C), w (C), b (C), ε -> (N, C)
    """
    return _normalised(_columns(x), 1, μ, _inverse(V, ε), w, b)


def channels_by_weight(g, x, μ, V, ε):
    """(3)  ∂L/∂w_c, ∂L/∂b_c = Σ_n g_nc x̂_nc, Σ_n g_nc

    Shapes: g (N, C), x (N, C), μ (C), V (C), ε -> (C), (C)
    """
    return _sums(_columns(g), _columns(x), 1, μ, _inverse(V, ε))


def channels_by_input(g, x, μ, V, w, ε):
    """(4)  ∂L/∂x_nc = w_c / √(V_c + ε) (g_nc - G_c/N - x̂_nc X_c/N)

    Shapes: g (N, C), x (N, C), μ (C), V (C), w (C), ε -> (N, C)
    """
    g, x, quotient = _columns(g), _columns(x), _inverse(V, ε)
    return _by_input(g, x, 1, μ, quotient, w, *_sums(g, x, 1, μ, quotient))


def moved_towards(r, m, α):
    """(5)  r ← (1 - α) r + α m

    Shapes: r (C), m (C), α -> (C)
    """
    return (1 - α) * r + α * m


# The same for (N, C, L) as (N, C L): the L numbers of a channel side by side are L columns until the sums are added.


def _inverse(V, ε):
    return 1 / np.sqrt(V + ε)


def _columns(x):
    return np.ascontiguousarray(x.reshape(len(x), math.prod(x.shape[1:])) if x.ndim > 2 else x)


def _for_columns(L, C, *arrays):
    """Numbers of each channel, or one for all, as float64 for each of the C L columns, a row for each of `arrays`."""
    rows = np.empty((len(arrays), C, L))
    for row, array in zip(rows, arrays):
        row[...] = array[:, None] if np.ndim(array) else array
    return rows.reshape(len(arrays), C * L)


def _sums_of(chunk_kernel, x, L, count, *arguments):
    """`count` sums over each channel, that the chunks have written to places of their own."""
    places = np.zeros((-(-len(x) // _rows_a_chunk(x)), count, x.shape[1]))
    _over_rows(chunk_kernel, x, *arguments, places)
    sums = places[0] if len(places) == 1 else places.sum(axis=0)
    return sums.reshape(count, -1, L).sum(axis=2) if L > 1 else sums


def _moments(x, L):
    count, C = len(x) * L, x.shape[1] // L
    mean = _sums_of(_add_columns, x, L, 1)[0] / count
    return mean, _sums_of(_add_squares, x, L, 1, _for_columns(L, C, mean))[0] / count


def _normalised(x, L, mean, quotient, w, b):
    y = np.empty(x.shape, x.dtype)
    _over_rows(_shift_columns, x, _for_columns(L, len(mean), mean, w * quotient, b), y)
    return y


def _sums(g, x, L, mean, quotient):
    return tuple(_sums_of(_add_products, x, L, 2, g, _for_columns(L, len(mean), mean, quotient)))


def _by_input(g, x, L, mean, quotient, w, by_weight, by_bias):
    d, count = np.empty(x.shape, x.dtype), len(x) * L
    _over_rows(_centre_columns, x, g,
               _for_columns(L, len(mean), mean, w * quotient, by_bias / count, quotient * by_weight / count), d)
    return d


@kernel
def _add_columns(c, start, stop, x, sums):
    total = sums[c, 0]
    for n in range(start, stop):
        for k in range(x.shape[1]):
            total[k] += x[n, k]


@kernel(contract=True)
def _add_squares(c, start, stop, x, of_columns, sums):
    mean, total = of_columns[0], sums[c, 0]
    for n in range(start, stop):
        for k in range(x.shape[1]):
            deviation = x[n, k] - mean[k]
            total[k] += deviation * deviation


@kernel(contract=True)
def _shift_columns(c, start, stop, x, of_columns, y):
    mean, scale, shift = of_columns[0], of_columns[1], of_columns[2]
    for n in range(start, stop):
        for k in range(x.shape[1]):
            y[n, k] = (x[n, k] - mean[k]) * scale[k] + shift[k]


@kernel(contract=True)
def _add_products(c, start, stop, x, g, of_columns, sums):
    mean, quotient, by_weight, by_bias = of_columns[0], of_columns[1], sums[c, 0], sums[c, 1]
    for n in range(start, stop):
        for k in range(x.shape[1]):
            by_weight[k] += g[n, k] * (x[n, k] - mean[k]) * quotient[k]
            by_bias[k] += g[n, k]


@kernel(contract=True)
def _centre_columns(c, start, stop, x, g, of_columns, d):
    mean, scale, level, slope = of_columns[0], of_columns[1], of_columns[2], of_columns[3]
    for n in range(start, stop):
        for k in range(x.shape[1]):
            d[n, k] = scale[k] * (g[n, k] - level[k] - (x[n, k] - mean[k]) * slope[k])


def _channels(x, w=None, b=None, *, mean, quotient, of_batch):
    y = _normalised(_columns(x), _length(x), mean, quotient, *((1.0, 0.0) if w is None else (w, b)))
    return y.reshape(x.shape), (x, mean, quotient, w, of_batch)


def _channels_gradient(saved, g):
    x, mean, quotient, w, of_batch = saved
    if not x.size:
        return np.zeros_like(x) if w is None else (np.zeros_like(x), np.zeros_like(w), np.zeros_like(w))
    columns, g, L = _columns(x), _columns(g), _length(x)
    sums = by_weight, by_bias = _sums(g, columns, L, mean, quotient)
    if not of_batch:
        sums = np.zeros((2, len(mean)))
    by_input = _by_input(g, columns, L, mean, quotient, 1.0 if w is None else w, *sums).reshape(x.shape)
    return by_input if w is None else (by_input, by_weight.astype(w.dtype), by_bias.astype(w.dtype))


def _length(x):
    return x.shape[2] if x.ndim > 2 else 1


def _channels_composed(operands, saved, g):
    x, w = [*operands, None][:2]
    _, mean, quotient, _, of_batch = saved
    dims = (0, *range(2, x.ndim))
    along = (1, -1, *[1] * (x.ndim - 2))                 # the channels' places
    mean, quotient = (array.astype(x.dtype).reshape(along) for array in (mean, quotient))
    normalised, quotient = _standardised(x, dims, quotient) if of_batch else ((x - mean) * quotient, quotient)
    h = g if w is None else g * w.reshape(along)
    by_input = _unshifted(h, normalised, dims) * quotient if of_batch else h * quotient
    return by_input if w is None else (by_input, (g * normalised).sum(dims), g.sum(dims))


def _standardised(x, dims, quotient):
    """x̂ over `dims` and 1 / √(V + ε), both as functions of the Tensor x; the latter has the value `quotient`."""
    d = x - x.mean(dims, True)
    V = (d * d).mean(dims, True)
    quotient = (V - V.detach() + quotient ** -2) ** -0.5
    return d * quotient, quotient


def _unshifted(h, normalised, dims):
    """`h` less what a shift and a stretch of all x of a group undo: the bracket of (4) and (9)."""
    return h - h.mean(dims, True) - normalised * (h * normalised).mean(dims, True)


CHANNELS = Fused(_channels, _channels_gradient, fresh=True, composed=_channels_composed)


# --- rows ----------------------------------------------------------------------------------------

def row_moments(x):
    """(6)  μ_n = 1/C Σ_c x_nc, V_n = 1/C Σ_c (x_nc - μ_n)²

    Shapes: x (N, C) -> (N), (N)
    """
    x = np.ascontiguousarray(x)
    moments = np.empty((2, len(x)))
    _over_rows(_row_moments, x, moments)
    return moments[0], moments[1]


def normalised_rows(x, w, b, ε):
    """(7)  y_nc = w_c x̂_nc + b_c with x̂_nc = (x_nc - μ_n) / √(V_n + ε)

    Shapes: x (N, C), w (C), b (C), ε -> (N, C)
    """
    return _rows_normalised(np.ascontiguousarray(x), _quotients(x, ε), w, b)


def rows_by_weight(g, x, ε):
    """(8)  ∂L/∂w_c, ∂L/∂b_c = Σ_n g_nc x̂_nc, Σ_n g_nc

    Shapes: g (N, C), x (N, C), ε -> (C), (C)
    """
    return _rows_by_weight(np.ascontiguousarray(g), np.ascontiguousarray(x), _quotients(x, ε))


def rows_by_input(g, x, w, ε):
    """(9)  ∂L/∂x_nc = (h_nc - Σ_d h_nd/C - x̂_nc Σ_d h_nd x̂_nd/C) / √(V_n + ε)

    Shapes: g (N, C), x (N, C), w (C), ε -> (N, C)
    """
    return _rows_by_input(np.ascontiguousarray(g), np.ascontiguousarray(x), _quotients(x, ε), w)


def _quotients(x, ε):
    """(2, N): mean and 1 / √(V + ε) of each row."""
    mean, V = row_moments(x)
    return np.stack([mean, _inverse(V, ε)])


def _rows_normalised(x, quotients, w, b):
    y = np.empty(x.shape, x.dtype)
    _over_rows(_shift_rows, x, quotients, w.astype(np.float64), b.astype(np.float64), y)
    return y


def _rows_by_weight(g, x, quotients):
    sums = np.zeros((-(-len(x) // _rows_a_chunk(x)), 2, x.shape[1]))      # a place for each chunk
    _over_rows(_add_rows, x, g, quotients, sums)
    return tuple(sums.sum(axis=0))


def _rows_by_input(g, x, quotients, w):
    d = np.empty(x.shape, x.dtype)
    _over_rows(_centre_rows, x, g, quotients, w.astype(np.float64), d)
    return d


@kernel(reassociate=True)
def _row_moments(c, start, stop, x, moments):
    for n in range(start, stop):
        row, total = x[n], 0.0
        for d in range(row.size):
            total += float(row[d])
        mean, total = total / row.size, 0.0
        for d in range(row.size):
            total += (float(row[d]) - mean) ** 2
        moments[0, n], moments[1, n] = mean, total / row.size


@kernel(contract=True)
def _shift_rows(c, start, stop, x, quotients, w, b, y):
    for n in range(start, stop):
        mean, quotient = quotients[0, n], quotients[1, n]
        for d in range(x.shape[1]):
            y[n, d] = (x[n, d] - mean) * quotient * w[d] + b[d]


@kernel(contract=True)
def _add_rows(c, start, stop, x, g, quotients, sums):
    for n in range(start, stop):
        mean, quotient = quotients[0, n], quotients[1, n]
        for d in range(x.shape[1]):
            sums[c, 0, d] += g[n, d] * ((x[n, d] - mean) * quotient)
            sums[c, 1, d] += g[n, d]


@kernel(reassociate=True)
def _centre_rows(c, start, stop, x, g, quotients, w, result):
    for n in range(start, stop):
        mean, quotient, level, slope = quotients[0, n], quotients[1, n], 0.0, 0.0
        for d in range(x.shape[1]):
            h = w[d] * g[n, d]
            level += h
            slope += h * ((x[n, d] - mean) * quotient)
        level, slope = level / x.shape[1], slope / x.shape[1]
        for d in range(x.shape[1]):
            result[n, d] = quotient * (w[d] * g[n, d] - level - (x[n, d] - mean) * quotient * slope)


def _rows(x, w=None, b=None, *, size, ε):
    rows = np.ascontiguousarray(x).reshape(-1, size)
    quotients = _quotients(rows, ε)
    y = _rows_normalised(rows, quotients, _flat(w, size), np.zeros(size) if b is None else b.reshape(-1))
    return y.reshape(x.shape), (x, quotients, w, b is not None, size)


def _rows_gradient(saved, g):
    x, quotients, w, with_bias, size = saved
    rows, g = (np.ascontiguousarray(array).reshape(-1, size) for array in (x, g))
    by_input = _rows_by_input(g, rows, quotients, _flat(w, size)).reshape(x.shape)
    if w is None:
        return by_input
    by_weight, by_bias = (array.reshape(w.shape).astype(w.dtype) for array in _rows_by_weight(g, rows, quotients))
    return (by_input, by_weight, by_bias) if with_bias else (by_input, by_weight)


def _flat(w, size):
    return np.ones(size) if w is None else w.reshape(-1)


def _rows_composed(operands, saved, g):
    x, w = [*operands, None][:2]
    _, quotients, _, with_bias, size = saved
    g, quotient = g.reshape(-1, size), quotients[1].astype(x.dtype)[:, None]
    normalised, quotient = _standardised(x.reshape(-1, size), 1, quotient)
    h = g if w is None else g * w.reshape(-1)
    by_input = (_unshifted(h, normalised, 1) * quotient).reshape(x.shape)
    if w is None:
        return by_input
    by_weight, by_bias = ((g * normalised).sum(0).reshape(w.shape), g.sum(0).reshape(w.shape))
    return (by_input, by_weight, by_bias) if with_bias else (by_input, by_weight)


ROWS = Fused(_rows, _rows_gradient, fresh=True, composed=_rows_composed)
