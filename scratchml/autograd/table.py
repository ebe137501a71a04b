"""The derivative table: for every primitive, how NumPy computes it and what it hands back to its operands.

A row has a name with operands (and parameters behind a semicolon), the computation on arrays, and one rule for each
operand: from g, the gradient of the result y, the gradient of the operand.  For an entry-wise y = f(a) that is g f'(a).
For the others it is the transpose of the linear map that f is near a, applied to g: of a sum it is a copy to all, of a
selection a scattering, of a product by B a product by Bᵀ.  Broadcasting need not be undone here: the sweep does it.

The rules are written in operations on Tensors.  So each can be differentiated itself, and there is no second table for
second derivatives.

The choices at kinks and ties are stated in ops.py, with the functions.
"""
import functools
import math

import numpy as np

from scratchml.autograd.fused import parts_of, results_of
from scratchml.autograd.tensor import Primitive, Tensor, fixed
from scratchml.core.instructions import prefetch
from scratchml.core.jit import kernel, readable
from scratchml.core.products import product, product_of_each
from scratchml.core.special import erf

AHEAD = 8                                                # rows: how early the next ones are fetched

# --- what rules share ----------------------------------------------------------------------------


def where(mask, a, b):
    """Entries of `a` where the array `mask` is true, of `b` elsewhere."""
    return WHERE(a, b, params=(mask,))


def only(x, mask):
    """`x` where the array `mask` is true, 0 elsewhere, even for an `x` that is infinite there."""
    return ONLY(x, params=(mask,))


def bits_where(x, mask):
    """What `only` says, for arrays, by `and` with every bit or none: no branch for an entry, which np.where has."""
    ones = -np.asarray(mask).view(np.int8)               # -1 has every bit
    return (x.view(f"i{x.itemsize}") & ones).view(x.dtype)


def spread(g, dims, keepdim, shape):
    """Copy `g`, a value for each group of entries, to all entries of its group in an array of `shape`."""
    if not keepdim:
        g = g.reshape(tuple(1 if i in dims else n for i, n in enumerate(shape)))
    return EXPAND(g, params=(shape,))


def sigmoid_of(x):
    e = np.exp(-np.abs(x))                               # never overflows
    return np.where(x >= 0, 1, e) / (1 + e)


def softmax_of(x, dim):
    e = np.exp(x - x.max(dim, keepdims=True, initial=-np.inf))
    e /= e.sum(dim, keepdims=True)
    return e


def log_softmax_of(x, dim):
    if not x.size:
        return x.copy()
    y = x - x.max(dim, keepdims=True)
    y -= np.log(np.exp(y).sum(dim, keepdims=True))
    return y


def mean_of(x, dims, keepdim):
    total = x.sum(dims, keepdims=keepdim)
    return total / x.dtype.type(x.size // max(total.size, 1))          # 0 / 0, which is NaN, for the mean of nothing


def share_mean(g, dims, keepdim, shape):
    return spread(g / math.prod([shape[d] for d in dims]), dims, keepdim, shape)


def logsumexp_of(x, dims, keepdim):
    top = np.asarray(x.max(dims, keepdims=True, initial=-np.inf))
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    with np.errstate(divide="ignore"):                   # the logarithm of an empty sum is -inf
        y = np.log(np.exp(x - top).sum(dims, keepdims=True)) + top
    return y if keepdim else y.squeeze(dims)


def share_logsumexp(g, x, y, dims, keepdim, shape):
    y = where(np.isfinite(y._data), y, fixed(0, y.dtype))
    return spread(g, dims, keepdim, shape) * (x - spread(y, dims, keepdim, shape)).exp()


def share_extreme(g, x, y, dims, keepdim, shape):
    """The entries that attain the extreme, or that are the NaN that it is, share the gradient evenly."""
    top = spread(y.detach(), dims, keepdim, shape)._data
    attained = (x._data == top) | (x._data != x._data) & (top != top)
    count = attained.sum(axis=dims, keepdims=keepdim)
    return only(spread(g / count, dims, keepdim, shape), attained)


def preference(a, b):
    """1 where a > b, ½ where they are equal, else 0; an array."""
    return np.float32(0.5) * (a._data > b._data) + np.float32(0.5) * (a._data >= b._data)


def power_by_base(g, a, b):
    at_zero = b._data == 0
    return only(g * b * a ** where(at_zero, b, b - 1), ~at_zero)


def power_by_exponent(g, a, b, y):
    return g * y * where(a._data == 0, fixed(1, a.dtype), a).log()


def erf_of(x):
    numbers = x == x                                     # NaN stays NaN
    return np.where(numbers, erf(np.where(numbers, x, 0)), x).astype(x.dtype)


def assigned(x, value, at):
    """`x` with `value` at the places `at`: x itself, which is changed, unless it is read-only."""
    x = x if x.flags.writeable else x.copy()
    x[at] = value
    return x


def elsewhere(shape, at):
    """Where the places `at` are not."""
    mask = np.ones(shape, bool)
    mask[at] = False
    return mask


def scattered(x, at, to):
    """Zeros of shape `to`, to whose part `at` the entries of `x` are added; what comes more than once adds up."""
    z = np.zeros(to, x.dtype)
    parts = at if isinstance(at, tuple) else (at,)
    if not any(isinstance(part, np.ndarray) and part.dtype.kind != "b" for part in parts):
        z[at] = x                                        # slices and masks take nothing twice
    elif len(parts) == 1 and z.size:
        rows = (parts[0].reshape(-1) % len(z)).astype(np.int64, copy=False)
        add_rows(z.reshape(len(z), -1), rows, np.ascontiguousarray(x).reshape(rows.size, z.size // len(z)))
    else:
        np.add.at(z, at, x)
    return z


@kernel
def add_rows(z, rows, x):
    """Add x[i] to z[rows[i]], in order; a row that is far away is fetched while others are added."""
    for i in range(rows.size):
        prefetch(z, rows[min(i + AHEAD, rows.size - 1)])
        row, own = z[rows[i]], x[i]
        for d in range(row.size):
            row[d] += own[d]


def entries(x, at):
    """x[at], by np.take where `at` is one array of whole numbers, which is faster for rows."""
    rows = type(at) is np.ndarray and at.dtype.kind in "iu" and at.ndim and x.ndim and x.flags.c_contiguous
    return np.take(x, at, 0) if rows else x[at]


def gathered(x, dim, at):
    """y[i, j, ...] = x[at[i, j, ...], j, ...] for dim = 0, and so on."""
    if not _fits(x.shape, dim, at):
        return x[places_along(dim, at)]
    y = np.empty(at.shape, x.dtype)
    gather_along(*_in_three(dim, readable(np.ascontiguousarray(x)), readable(at), y))
    return y


def scattered_along(g, dim, at, to):
    """Zeros of shape `to`, to which the entries of `g` are added where `gathered` takes them."""
    if not _fits(to, dim, at):
        return scattered(g, places_along(dim, at), to)
    z = np.zeros(to, g.dtype)
    add_along(*_in_three(dim, z, readable(at), readable(np.ascontiguousarray(g))))
    return z


def _fits(shape, dim, at):
    """Whether `at` is contiguous, names entries from 0 on, and has the lengths of `shape` but for `dim`."""
    return at.size and at.flags.c_contiguous and at.shape[:dim] == shape[:dim] and \
        at.shape[dim + 1:] == shape[dim + 1:] and \
        np.maximum.reduce(at.view(np.uint64), None) < shape[dim]               # one below 0 is beyond 2^63


def places_along(dim, at):
    """Where entry (i, j, ...) of `gathered` is taken from: the arrays of an index, `at` itself for `dim`."""
    places = list(np.ogrid[tuple(slice(n) for n in at.shape)])
    places[dim] = at
    return tuple(places)


def _in_three(dim, *arrays):
    """The arrays, of one shape but for `dim`, with one dimension before that, and one behind."""
    shape = arrays[0].shape
    before, behind = math.prod(shape[:dim]), math.prod(shape[dim + 1:])
    return [a.reshape(before, a.shape[dim], behind) for a in arrays]


@kernel
def gather_along(x, at, y):
    """y[a, i, b] = x[a, at[a, i, b], b]."""
    for a in range(at.shape[0]):
        table, places, own = x[a], at[a], y[a]
        if places.shape[1] == 1:                         # the last dimension: no loop of length 1
            for i in range(places.shape[0]):
                own[i, 0] = table[places[i, 0], 0]
            continue
        for i in range(places.shape[0]):
            for b in range(places.shape[1]):
                own[i, b] = table[places[i, b], b]


@kernel
def add_along(z, at, g):
    """Add g[a, i, b] to z[a, at[a, i, b], b], in order."""
    for a in range(at.shape[0]):
        table, places, own = z[a], at[a], g[a]
        if places.shape[1] == 1:
            for i in range(places.shape[0]):
                table[places[i, 0], 0] += own[i, 0]
            continue
        for i in range(places.shape[0]):
            for b in range(places.shape[1]):
                table[places[i, b], b] += own[i, b]


def matrix_product(a, b):
    if a.ndim == b.ndim == 2:
        return product(a, b)
    if a.ndim > b.ndim == 2:                             # one matrix for all: the rows of all in one product
        return product(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[1])
    return product_of_each(a, b) if a.ndim > 2 else np.matmul(a, b)


# --- the rows ------------------------------------------------------------------------------------

ADD = Primitive("add(a, b)", np.add, lambda g: g, lambda g: g)
SUB = Primitive("sub(a, b)", np.subtract, lambda g: g, lambda g: -g)
MUL = Primitive("mul(a, b)", np.multiply, lambda g, b: g * b, lambda g, a: g * a)
DIV = Primitive("div(a, b)", np.divide, lambda g, b: g / b, lambda g, b, y: -g * y / b)
POW = Primitive("pow(a, b)", np.power, power_by_base, power_by_exponent)
POW_NUMBER = Primitive("pow(x; p)", lambda x, p: x * x * x if p == 3 else (x ** p).astype(x.dtype, copy=False),
                       lambda g, x, p: g * (p * x ** (p - 1)) if p else g * 0)
MATMUL = Primitive("matmul(a, b)", matrix_product, lambda g, b: MATMUL(g, b.mT), lambda g, a: MATMUL(a.mT, g))
MT = Primitive("mT(x)", lambda x: x.swapaxes(-2, -1), lambda g: g.mT)

NEG = Primitive("neg(x)", np.negative, lambda g: -g)
EXP = Primitive("exp(x)", np.exp, lambda g, y: g * y)
LOG = Primitive("log(x)", np.log, lambda g, x: g / x)
LOG1P = Primitive("log1p(x)", np.log1p, lambda g, x: g / (1 + x))
SQRT = Primitive("sqrt(x)", np.sqrt, lambda g, y: 0.5 * g / y)
ABS = Primitive("abs(x)", np.abs, lambda g, x: g * np.sign(x._data))
SIN = Primitive("sin(x)", np.sin, lambda g, x: g * x.cos())
COS = Primitive("cos(x)", np.cos, lambda g, x: -g * x.sin())
ERF = Primitive("erf(x)", erf_of, lambda g, x: g * (2 / math.sqrt(math.pi)) * (-x * x).exp())
TANH = Primitive("tanh(x)", np.tanh, lambda g, y: g * (1 - y * y))
SIGMOID = Primitive("sigmoid(x)", sigmoid_of, lambda g, y: g * (y * (1 - y)))
RELU = Primitive("relu(x)", lambda x: np.maximum(x, 0), lambda g, y: only(g, y._data > 0))
LEAKY_RELU = Primitive("leaky_relu(x; slope)", lambda x, slope: np.where(x > 0, x, x.dtype.type(slope) * x),
                       lambda g, x, slope: where(x._data > 0, g, slope * g))
SOFTPLUS = Primitive("softplus(x)", lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
                     lambda g, x: g * x.sigmoid())
CLAMP = Primitive("clamp(x; low, high)", lambda x, low, high: np.clip(x, low, high),
                  lambda g, x, low, high: only(g, (x._data >= low) & (x._data <= high)))
SOFTMAX = Primitive("softmax(x; dim)", softmax_of, lambda g, y, dim: y * (g - (g * y).sum(dim, True)))
LOG_SOFTMAX = Primitive("log_softmax(x; dim)", log_softmax_of, lambda g, y, dim: g - y.exp() * g.sum(dim, True))

SUM = Primitive("sum(x; dims, keepdim)", lambda x, dims, keepdim: x.sum(dims, keepdims=keepdim), spread)
MEAN = Primitive("mean(x; dims, keepdim)", mean_of, share_mean)
LOGSUMEXP = Primitive("logsumexp(x; dims, keepdim)", logsumexp_of, share_logsumexp)
MAX = Primitive("max(x; dims, keepdim)", lambda x, dims, keepdim: x.max(dims, keepdims=keepdim), share_extreme)
MIN = Primitive("min(x; dims, keepdim)", lambda x, dims, keepdim: x.min(dims, keepdims=keepdim), share_extreme)
MAXIMUM = Primitive("maximum(a, b)", np.maximum,
                    lambda g, a, b: g * preference(a, b), lambda g, a, b: g * preference(b, a))
MINIMUM = Primitive("minimum(a, b)", np.minimum,
                    lambda g, a, b: g * preference(b, a), lambda g, a, b: g * preference(a, b))
CUMSUM = Primitive("cumsum(x; dim)", lambda x, dim: x.cumsum(dim), lambda g, dim: g.flip(dim).cumsum(dim).flip(dim))

WHERE = Primitive("where(a, b; mask)", lambda a, b, mask: np.where(mask, a, b),
                  lambda g, mask: only(g, mask), lambda g, mask: only(g, ~mask))
ONLY = Primitive("only(x; mask)", bits_where, lambda g, mask: only(g, mask))
ASSIGN = Primitive("assign(x, value; at)", assigned, lambda g, at: only(g, elsewhere(g.shape, at)),
                   lambda g, at: INDEX(g, params=(at,)))
CLONE = Primitive("clone(x)", np.copy, lambda g: g)
TO = Primitive("to(x; dtype)", lambda x, dtype: x.astype(dtype), lambda g: g)
RESHAPE = Primitive("reshape(x; to)", lambda x, to: x.reshape(to), lambda g, shape: g.reshape(shape))
PERMUTE = Primitive("permute(x; dims)", lambda x, dims: x.transpose(dims),
                    lambda g, dims: g.permute(tuple(np.argsort(dims))))
EXPAND = Primitive("expand(x; to)", lambda x, to: np.broadcast_to(x, to), lambda g: g)
INDEX = Primitive("index(x; at)", entries, lambda g, at, shape: SCATTER(g, params=(at, shape)))
SCATTER = Primitive("scatter(x; at, to)", lambda x, at, to: scattered(x, at, to), lambda g, at: INDEX(g, params=(at,)))
GATHER = Primitive("gather(x; dim, at)", gathered, lambda g, dim, at, shape: SCATTER_ALONG(g, params=(dim, at, shape)))
SCATTER_ALONG = Primitive("scatter_along(x; dim, at, to)", scattered_along,
                          lambda g, dim, at: GATHER(g, params=(dim, at)))
PAD = Primitive("pad(x; widths, value)", lambda x, widths, value: np.pad(x, widths, constant_values=value),
                lambda g, widths, shape: INDEX(g, params=(tuple(slice(w, w + n) for (w, _), n in zip(widths, shape)),)))

# --- rows that depend on the number of operands, or on an equation -------------------------------


@functools.cache
def concatenation(n):
    """The row for n operands; `starts` says where each of them begins in the result."""
    def rule(i):
        return lambda g, dim, starts, shape: INDEX(g, params=((slice(None),) * dim + (
            slice(starts[i], starts[i] + shape[dim]),),))
    operands = ", ".join(f"x{i}" for i in range(n))
    return Primitive(f"concatenate({operands}; dim, starts)", lambda *given: np.concatenate(given[:n], given[n]),
                     *map(rule, range(n)))


@functools.cache
def contraction(operands, result):
    """The row of an einsum over letters, no letter twice in one operand: contraction(("ij", "jk"), "ik").

    The gradient of an operand contracts g with the other operands.  A letter that no other has was summed away here
    alone; along it the gradient does not vary, and is spread.
    """
    def rule(i):
        own, others = operands[i], operands[:i] + operands[i + 1:]
        known = "".join(letter for letter in own if letter in result + "".join(others))
        alone = tuple(k for k, letter in enumerate(own) if letter not in known)

        def gradient(g, shape, *factors):
            g = contraction((result, *others), known)(g, *factors)
            lengths = iter(g.shape)                      # where a letter is broadcast, not that of `shape`
            full = [shape[k] if k in alone else next(lengths) for k in range(len(own))]
            return spread(g, alone, False, full)
        return gradient
    n, equation = len(operands), f"{','.join(operands)}->{result}"

    def value(*given):
        found = _as_matrix_product(*operands, result, *given) if n == 2 else None
        return np.einsum(equation, *given, optimize=n > 2) if found is None else found
    return Primitive(f"einsum({', '.join(operands)})", value,
                     *map(rule, range(n)), asks=[[-1, *(k for k in range(n) if k != i)] for i in range(n)])


def _as_matrix_product(a, b, result, x, y):
    """The einsum of `x` and `y`, whose letters are `a` and `b`, as products of matrices; None where it is none.

    Letters of both are summed, if the result has them not, and count the products, if it has; those of one alone are
    rows and columns.  They are brought together, so that each kind is one dimension.
    """
    summed = [c for c in a if c in b and c not in result]
    several, rows, columns = ([c for c in result if (c in a, c in b) == there]
                              for there in ((True, True), (True, False), (False, True)))
    lengths, others = dict(zip(a, x.shape)), dict(zip(b, y.shape))
    alike = x.dtype == y.dtype in (np.float32, np.float64) and all(lengths[c] == others[c] for c in summed + several)
    if not (alike and summed and rows and columns and len(a + b) == 2 * len(summed + several) + len(rows + columns)):
        return None                                      # a letter is broadcast, or summed of one alone
    lengths |= others

    def brought(array, own, *kinds):
        sizes = [math.prod(lengths[c] for c in kind) for kind in kinds]
        array = array.transpose([own.index(c) for kind in kinds for c in kind])
        return np.ascontiguousarray(array).reshape(sizes if several else sizes[1:])

    C = matrix_product(brought(x, a, several, rows, summed), brought(y, b, several, summed, columns))
    order = several + rows + columns
    return np.ascontiguousarray(C.reshape([lengths[c] for c in order]).transpose([order.index(c) for c in result]))


class Split:
    """Several results, the pieces of one operand; their gradients are put together again."""

    name, fresh = "split", False

    def pull(self, node, g, useful):
        (dim, starts), (shapes, _) = node.saved
        pieces = parts_of(g).tensors(shapes)
        return [concatenation(len(pieces))(*pieces, params=(dim, starts))]


SPLIT = Split()


def split(x, sizes, dim):
    """Pieces of the lengths `sizes` along `dim`."""
    starts = np.cumsum([0, *sizes]).tolist()
    pieces = np.split(x._data, starts[1:-1], dim)
    return results_of(SPLIT, [x], (dim, starts), pieces)
