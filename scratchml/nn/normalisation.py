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
    g        (N, C)  gradient of the loss ℓ by the result y
    X, G     (C,)    the two sums of (3)
    r, m     (C,)    a running mean, and what it moves towards
    α                how far it moves (`momentum`)

Equations
    (1)  μ_c = 1/N Σ_n x_nc, V_c = 1/N Σ_n (x_nc - μ_c)²                             channel_moments
    (2)  y_nc = w_c x̂_nc + b_c with x̂_nc = (x_nc - μ_c) / √(V_c + ε)                 normalised_channels
    (3)  ∂ℓ/∂w_c, ∂ℓ/∂b_c = Σ_n g_nc x̂_nc, Σ_n g_nc                                  channels_by_weight
    (4)  ∂ℓ/∂x_nc = w_c / √(V_c + ε) (g_nc - G_c/N - x̂_nc X_c/N)                     channels_by_input
         with X_c, G_c from (3)
    (5)  r ← (1 - α) r + α m                                                         moved_towards
    (6)  μ_n = 1/C Σ_c x_nc, V_n = 1/C Σ_c (x_nc - μ_n)²                             row_moments
    (7)  y_nc = w_c x̂_nc + b_c with x̂_nc = (x_nc - μ_n) / √(V_n + ε)                 normalised_rows
    (8)  ∂ℓ/∂w_c, ∂ℓ/∂b_c = Σ_n g_nc x̂_nc, Σ_n g_nc                                  rows_by_weight
    (9)  ∂ℓ/∂x_nc = (h_nc - Σ_d h_nd/C - x̂_nc Σ_d h_nd x̂_nd/C) / √(V_n + ε)          rows_by_input
         with h_nc = w_c g_nc

Choices
    BatchNorm1d of (N, C, L) takes every position for a sample: N L numbers a channel.
    (5) goes towards the unbiased variance, N/(N-1) V, as in PyTorch, while (2) divides by the biased one.
    Outside of training μ and V are constants, and of (4) the first term is left.
    All is computed in float64, also for float32, and rounded once, at the end.  Variances are of deviations, from the
    mean or from one of the numbers, never differences of squares of the numbers themselves.
    Kept for the gradient are x, and a mean and a quotient 1 / √(V + ε) for each group; x̂ is computed again.

Cost
    O(N C).  Rows are read once on the way there and once on the way back; channels twice, since a mean is known only
    at their end.  Memory beside the results: two numbers for each row, or for each channel (and position) of a chunk.

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
from scratchml.core.jit import kernel, partial_sums, readable, run_chunks

# --- channels ------------------------------------------------------------------------------------


def channel_moments(x):
    """(1)  μ_c = 1/N Σ_n x_nc, V_c = 1/N Σ_n (x_nc - μ_c)²

    Shapes: x (N, C) -> (C), (C)
    """
    μ = x.mean(axis=0, dtype=np.float64)
    return μ, ((x - μ) ** 2).mean(axis=0)


def normalised_channels(x, μ, V, w, b, ε):
    """(2)  y_nc = w_c x̂_nc + b_c with x̂_nc = (x_nc - μ_c) / √(V_c + ε)

    Shapes: x (N, C), μ (C), V (C), w (C), b (C), ε -> (N, C)
    """
    x̂ = (x - μ) / np.sqrt(V + ε)
    return w * x̂ + b


def channels_by_weight(g, x, μ, V, ε):
    """(3)  ∂ℓ/∂w_c, ∂ℓ/∂b_c = Σ_n g_nc x̂_nc, Σ_n g_nc

    Shapes: g (N, C), x (N, C), μ (C), V (C), ε -> (C), (C)
    """
    x̂ = (x - μ) / np.sqrt(V + ε)
    return (g * x̂).sum(axis=0), g.sum(axis=0, dtype=np.float64)


def channels_by_input(g, x, μ, V, w, ε):
    """(4)  ∂ℓ/∂x_nc = w_c / √(V_c + ε) (g_nc - G_c/N - x̂_nc X_c/N)

    Shapes: g (N, C), x (N, C), μ (C), V (C), w (C), ε -> (N, C)
    """
    s, N = np.sqrt(V + ε), len(x)
    X, G = channels_by_weight(g, x, μ, V, ε)
    return w / s * (g - G / N - (x - μ) / s * X / N)


def moved_towards(r, m, α):
    """(5)  r ← (1 - α) r + α m

    Shapes: r (C), m (C), α -> (C)
    """
    return (1 - α) * r + α * m


# --- rows ----------------------------------------------------------------------------------------


def row_moments(x):
    """(6)  μ_n = 1/C Σ_c x_nc, V_n = 1/C Σ_c (x_nc - μ_n)²

    Shapes: x (N, C) -> (N), (N)
    """
    μ = x.mean(axis=1, dtype=np.float64)
    return μ, ((x - μ[:, None]) ** 2).mean(axis=1)


def normalised_rows(x, w, b, ε):
    """(7)  y_nc = w_c x̂_nc + b_c with x̂_nc = (x_nc - μ_n) / √(V_n + ε)

    Shapes: x (N, C), w (C), b (C), ε -> (N, C)
    """
    x̂, _ = _standardised_rows(x, ε)
    return w * x̂ + b


def rows_by_weight(g, x, ε):
    """(8)  ∂ℓ/∂w_c, ∂ℓ/∂b_c = Σ_n g_nc x̂_nc, Σ_n g_nc

    Shapes: g (N, C), x (N, C), ε -> (C), (C)
    """
    x̂, _ = _standardised_rows(x, ε)
    return (g * x̂).sum(axis=0), g.sum(axis=0, dtype=np.float64)


def rows_by_input(g, x, w, ε):
    """(9)  ∂ℓ/∂x_nc = (h_nc - Σ_d h_nd/C - x̂_nc Σ_d h_nd x̂_nd/C) / √(V_n + ε)

    Shapes: g (N, C), x (N, C), w (C), ε -> (N, C)
    """
    (x̂, s), h = _standardised_rows(x, ε), w * g
    return (h - h.mean(axis=1, keepdims=True) - x̂ * (h * x̂).mean(axis=1, keepdims=True)) / s


def _standardised_rows(x, ε):
    """x̂ of (7) and what it is divided by, (N, 1)."""
    μ, V = row_moments(x)
    s = np.sqrt(V + ε)[:, None]
    return (x - μ[:, None]) / s, s


# --- as operations on Tensors --------------------------------------------------------------------


def _channels(x, w=None, b=None, *, mean, quotient, of_batch):
    y = _normalised_channels(x, mean, quotient, *((1.0, 0.0) if w is None else (w, b)))
    return y, (x, mean, quotient, w, of_batch)


def _channels_gradient(saved, g):
    x, mean, quotient, w, of_batch = saved
    by_weight, by_bias = _channels_by_weight(g, x, mean, quotient)
    scale = quotient if w is None else w * quotient
    by_input = _channels_by_input(g, x, mean, quotient, scale, *(by_weight, by_bias) if of_batch else (0.0, 0.0))
    return by_input if w is None else (by_input, by_weight.astype(w.dtype), by_bias.astype(w.dtype))


def _rows(x, w=None, b=None, *, size, ε):
    y, quotients = _normalised_rows(x, w, b, size, ε)
    return y, (x, quotients, w, b is not None, size)


def _rows_gradient(saved, g):
    x, quotients, w, with_bias, size = saved
    by_input, sums = _rows_back(g, x, quotients, w, size)
    if w is None:
        return by_input
    by_weight, by_bias = (total.reshape(w.shape).astype(w.dtype) for total in sums)
    return (by_input, by_weight, by_bias) if with_bias else (by_input, by_weight)


# The gradients again, for where they are differentiated themselves.


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
ROWS = Fused(_rows, _rows_gradient, fresh=True, composed=_rows_composed)

# --- compiled: in chunks of rows -----------------------------------------------------------------

CHUNK, LEAST = 2**18, 16                                 # entries of a chunk; rows: the sums of a chunk are smaller


def _over_rows(chunk_kernel, x, *arguments):
    run_chunks(chunk_kernel, len(x), x, *arguments, chunk=_rows_a_chunk(x))


def _rows_a_chunk(x):
    return max(LEAST, CHUNK // max(x.shape[1], 1))


def _sums_of(chunk_kernel, x, *arguments):
    """Two sums over each column of `x` (N, C), (2, C), that each chunk has written to a place of its own."""
    sums = partial_sums(len(x), _rows_a_chunk(x), 2, x.shape[1])
    _over_rows(chunk_kernel, x, *arguments, sums)
    return sums[:, :2].sum(axis=0) if len(sums) != 1 else sums[0, :2]


# --- compiled: channels --------------------------------------------------------------------------
#
# The same for (N, C, L) as for (N, C L): the L numbers of a channel are L columns, side by side, until sums are added.


def moments_of_channels(x):
    """Mean and variance, (C,) each, of x (N, C) or (N, C, L).

    Same result as (1), because Σ_n (x_n - μ)² = Σ_n (x_n - a)² - N (μ - a)² for any a, and so x is read once.  For a
    one of the x_n, (μ - a)² <= N V: no more digits cancel than N has.
    """
    columns = _columns(x)
    first = columns[0].astype(np.float64)
    sums = _sums_of(_add_deviations, columns, first)
    sums /= len(x)
    means, squares = sums
    squares -= means * means
    means += first
    if x.ndim == 2:
        return means, squares
    means, squares = (array.reshape(x.shape[1:]) for array in (means, squares))          # (C, L)
    mean = means.mean(axis=1)
    return mean, (squares + (means - mean[:, None]) ** 2).mean(axis=1)


def inverse(V, ε):
    """The quotient 1 / √(V + ε)."""
    return 1 / np.sqrt(V + ε)


def _normalised_channels(x, mean, quotient, w, b):
    """Same result as (2), because y = (x - μ) (w / √(V + ε)) + b."""
    y = np.empty(x.shape, x.dtype)
    _over_rows(_shift_columns, _columns(x), _for_columns(_length(x), mean, w * quotient, b), _columns(y))
    return y


def _channels_by_weight(g, x, mean, quotient):
    """Same result as (3), because Σ_n g_n x̂_n = Σ_n g_n (x_n - μ) / √(V + ε)."""
    sums = _sums_of(_add_products, _columns(x), _columns(g), _for_columns(_length(x), mean)[0])
    by_weight, by_bias = sums if x.ndim == 2 else sums.reshape(2, *x.shape[1:]).sum(axis=2)
    return by_weight * quotient, by_bias


def _channels_by_input(g, x, mean, quotient, scale, by_weight, by_bias):
    """Same result as (4), because its factors of x - μ are one number for each channel; `scale` is w / √(V + ε)."""
    d, count = np.empty(x.shape, x.dtype), max(len(x) * _length(x), 1)
    of_columns = _for_columns(_length(x), mean, scale, by_bias / count, quotient * by_weight / count)
    _over_rows(_centre_columns, _columns(x), _columns(g), of_columns, _columns(d))
    return d


def _length(x):
    return x.shape[2] if x.ndim > 2 else 1


def _columns(x):
    """x (N, C) or (N, C, L) as (N, C L), C-contiguous."""
    return readable(np.ascontiguousarray(x)).reshape(len(x), math.prod(x.shape[1:]))


def _for_columns(L, mean, *arrays):
    """Numbers of each channel, or one for all, as float64 for each of the C L columns: a row for `mean` and each
    array."""
    rows = np.empty((1 + len(arrays), len(mean), L))
    for row, array in zip(rows, (mean, *arrays)):
        row[...] = array[:, None] if np.ndim(array) else array
    return rows.reshape(1 + len(arrays), -1)


# Four rows at a time are added up before they are added to the sums; up to three are left.


@kernel(contract=True)
def _add_deviations(c, start, stop, x, first, sums):
    total, squares, whole = sums[c, 0], sums[c, 1], stop - (stop - start) % 4
    for n in range(start, whole, 4):
        for k in range(x.shape[1]):
            of_four = squares_of_four = 0.0
            for i in range(n, n + 4):
                deviation = x[i, k] - first[k]
                of_four += deviation
                squares_of_four += deviation * deviation
            total[k] += of_four
            squares[k] += squares_of_four
    for n in range(whole, stop):
        for k in range(x.shape[1]):
            deviation = x[n, k] - first[k]
            total[k] += deviation
            squares[k] += deviation * deviation


@kernel(contract=True)
def _add_products(c, start, stop, x, g, mean, sums):
    by_weight, by_bias, whole = sums[c, 0], sums[c, 1], stop - (stop - start) % 4
    for n in range(start, whole, 4):
        for k in range(x.shape[1]):
            product_of_four = of_four = 0.0
            for i in range(n, n + 4):
                product_of_four += g[i, k] * (x[i, k] - mean[k])
                of_four += g[i, k]
            by_weight[k] += product_of_four
            by_bias[k] += of_four
    for n in range(whole, stop):
        for k in range(x.shape[1]):
            by_weight[k] += g[n, k] * (x[n, k] - mean[k])
            by_bias[k] += g[n, k]


@kernel(contract=True)
def _shift_columns(c, start, stop, x, of_columns, y):
    mean, scale, shift = of_columns[0], of_columns[1], of_columns[2]
    for n in range(start, stop):
        for k in range(x.shape[1]):
            y[n, k] = (x[n, k] - mean[k]) * scale[k] + shift[k]


@kernel(contract=True)
def _centre_columns(c, start, stop, x, g, of_columns, d):
    mean, scale, level, slope = of_columns[0], of_columns[1], of_columns[2], of_columns[3]
    for n in range(start, stop):
        for k in range(x.shape[1]):
            d[n, k] = scale[k] * (g[n, k] - level[k] - (x[n, k] - mean[k]) * slope[k])


# --- compiled: rows, the last dimensions of x, of `size` entries -----------------------------------


def _normalised_rows(x, w, b, size, ε):
    """y, and of each row the mean and 1 / √(V + ε), (2, N).  None for w is 1, for b 0.

    Same result as (6) and (7), because V is the mean of (x_c - a)² less (μ - a)² also for a = x_1, as in
    `moments_of_channels`, and a row is still in the cache when it is read again.
    """
    y, rows = np.empty(x.shape, x.dtype), _as_rows(x, size)
    quotients = np.empty((2, len(rows)))
    of_columns = np.stack([_flat(w, size, 1.0), _flat(b, size, 0.0)])
    _over_rows(_normalise_rows, rows, of_columns, ε, quotients, _as_rows(y, size))
    return y, quotients


def _rows_back(g, x, quotients, w, size):
    """∂ℓ/∂x, and (2, C): ∂ℓ/∂w and ∂ℓ/∂b.

    Same result as (8) and (9), because a row's share in (8) is added while the row is in the cache for (9).
    """
    d, saved = np.empty(x.shape, x.dtype), (_as_rows(x, size), quotients, _flat(w, size, 1.0))
    return d, _sums_of(_centre_rows, _as_rows(g, size), saved, _as_rows(d, size))


def _as_rows(x, size):
    return readable(np.ascontiguousarray(x)).reshape(-1, size)


def _flat(weights, size, default):
    return np.full(size, default) if weights is None else weights.reshape(-1).astype(np.float64)


@kernel(reassociate=True)
def _normalise_rows(c, start, stop, x, of_columns, ε, quotients, y):
    w, b, C = of_columns[0], of_columns[1], x.shape[1]
    for n in range(start, stop):
        first, total, squares = np.float64(x[n, 0]), 0.0, 0.0
        for k in range(C):
            deviation = x[n, k] - first
            total += deviation
            squares += deviation * deviation
        total /= C
        mean, quotient = first + total, 1 / math.sqrt(squares / C - total * total + ε)
        for k in range(C):
            y[n, k] = (x[n, k] - mean) * quotient * w[k] + b[k]
        quotients[0, n], quotients[1, n] = mean, quotient


@kernel(reassociate=True)
def _centre_rows(c, start, stop, g, saved, d, sums):
    (x, quotients, w), by_weight, by_bias, C = saved, sums[c, 0], sums[c, 1], g.shape[1]
    for n in range(start, stop):
        mean, quotient, level, slope = quotients[0, n], quotients[1, n], 0.0, 0.0
        for k in range(C):
            h = w[k] * g[n, k]
            level += h
            slope += h * (x[n, k] - mean)
        level, slope = level / C, slope * quotient / C
        for k in range(C):
            normalised = (x[n, k] - mean) * quotient
            d[n, k] = quotient * (w[k] * g[n, k] - level - normalised * slope)
            by_weight[k] += g[n, k] * normalised
            by_bias[k] += g[n, k]
