"""Functions made of others: what PyTorch has a name for and the table needs no row for.

Their gradients, and those of the gradients, come from the operations that they are made of.  What takes whole numbers
or truth values as well, as a change of shape does, gives back Plain for Plain.

Choices
    Slopes that are not there are 0, as in PyTorch: that of a standard deviation or a norm of 0.
    A product is multiplied pair by pair, then pairs of pairs: so its gradient needs no quotient, and zeros no care.
    Order is that of a stable sort, NaN above all numbers; ties keep their places, also in descending order.

>>> from scratchml.autograd import Tensor
>>> x = Tensor([[3.0, 1.0], [2.0, 0.0]], requires_grad=True)
>>> topk(x, 1), prod(x, 1)
(Extreme(values=Tensor([[3.],
        [2.]], requires_grad=True), indices=Plain([[0],
       [0]])), Tensor([3., 0.], requires_grad=True))
>>> prod(x, 1).sum().backward()
>>> x.grad
Tensor([[1., 3.],
        [0., 2.]])
"""
import builtins
import math
import numbers

import numpy as np

from scratchml.autograd import ops, table
from scratchml.autograd.ops import Extreme, as_tensor
from scratchml.autograd.plain import Plain
from scratchml.autograd.tensor import Tensor
from scratchml.core import selection

# --- shapes --------------------------------------------------------------------------------------


def flatten(x, start_dim=0, end_dim=-1):
    """The dimensions from `start_dim` to `end_dim` as one."""
    x = as_tensor(x)
    if not x.ndim:
        return ops.reshape(x, 1)
    start, end = ops.one_dim(start_dim, x.ndim), ops.one_dim(end_dim, x.ndim)
    if start > end:
        raise ValueError(f"start_dim={start_dim}: expected a dimension not behind end_dim={end_dim}")
    return ops.reshape(x, (*x.shape[:start], math.prod(x.shape[start:end + 1]), *x.shape[end + 1:]))


def unflatten(x, dim, sizes):
    """The dimension `dim` as several of these sizes, of which one may be -1.  Raises ValueError for another product."""
    x = as_tensor(x)
    dim = ops.one_dim(dim, x.ndim)
    sizes = ops.reshape(np.empty(x.shape[dim]), tuple(sizes)).shape
    return ops.reshape(x, (*x.shape[:dim], *sizes, *x.shape[dim + 1:]))


def movedim(x, source, destination):
    """The dimension `source`, or several, at the place `destination`; the others keep their order."""
    source, destination = ([ops.one_dim(d, x.ndim) for d in (dims if isinstance(dims, (tuple, list)) else (dims,))]
                           for dims in (source, destination))
    order = [d for d in range(x.ndim) if d not in source]
    for place, dim in sorted(zip(destination, source, strict=True)):
        order.insert(place, dim)
    return x.permute(*order)


def hstack(tensors):
    """One beside the other: along dimension 1, or 0 for vectors."""
    tensors = _several(tensors)
    return ops.concatenate(tensors, 0 if np.ndim(ops.bare(tensors[0])) == 1 else 1)


def vstack(tensors):
    """One below the other: along dimension 0; a vector is a row."""
    return ops.concatenate([x.unsqueeze(0) if np.ndim(ops.bare(x)) == 1 else x for x in _several(tensors)], 0)


def _several(tensors):
    """A list of `tensors`.  Raises ValueError for one alone, and for none."""
    if isinstance(tensors, (Tensor, np.ndarray)):
        raise ValueError(f"tensors: expected a sequence of Tensors, got one, of shape {tensors.shape}")
    tensors = list(tensors)
    if not tensors:
        raise ValueError("tensors: expected at least one Tensor, got none")
    return tensors


def meshgrid(*tensors, indexing="ij"):
    """For vectors (N), (M), ... what each has at every place of a grid (N, M, ...); "xy" exchanges the first two."""
    if indexing not in ("ij", "xy"):
        raise ValueError(f"indexing={indexing!r}: expected 'ij' or 'xy'")
    if builtins.any(x.ndim != 1 for x in tensors):
        raise ValueError(f"tensors: expected vectors, got shapes {[tuple(x.shape) for x in tensors]}")
    shape, last = [len(x) for x in tensors], len(tensors) - 1
    grids = [x.reshape(-1, *[1] * (last - k)).expand(*shape) for k, x in enumerate(tensors)]
    return tuple(x.transpose(0, 1) for x in grids) if indexing == "xy" and last else tuple(grids)


def t(x):
    """A matrix (N, D) as (D, N); a vector or number as it is.  Raises ValueError for more dimensions."""
    x = as_tensor(x)
    if x.ndim > 2:
        raise ValueError(f"t: expected at most 2 dimensions, got shape {x.shape}; use transpose or mT")
    return x if x.ndim < 2 else x.mT


def chunk(x, chunks, dim=0):
    """At most `chunks` pieces of one length along `dim`, the last perhaps shorter."""
    if not isinstance(chunks, numbers.Integral) or chunks < 1:
        raise ValueError(f"chunks={chunks!r}: expected a whole number of at least 1")
    return ops.split(x, max(1, -(-x.shape[ops.one_dim(dim, x.ndim)] // int(chunks))), dim)


def unbind(x, dim=0):
    """What lies along `dim`, one by one, without that dimension."""
    dim = ops.one_dim(dim, x.ndim)
    return tuple(piece.squeeze(dim) for piece in ops.split(x, 1, dim)) if x.shape[dim] else ()


def repeat(x, *sizes):
    """So many copies along each dimension; there may be new ones in front.  Raises ValueError for fewer than it has."""
    x = as_tensor(x)
    sizes = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    if len(sizes) < x.ndim or builtins.any(not isinstance(n, numbers.Integral) or n < 0 for n in sizes):
        raise ValueError(f"sizes={sizes}: expected a whole number >= 0 for each of at least {x.ndim} dimension(s)")
    shape = (1,) * (len(sizes) - x.ndim) + x.shape
    apart = ops.reshape(x, tuple(m for n in shape for m in (1, n)))
    copies = ops.expand(apart, tuple(m for times, n in zip(sizes, shape) for m in (times, n)))
    return ops.reshape(copies, tuple(times * n for times, n in zip(sizes, shape)))


def reshape_as(x, other):
    """In the shape of `other`."""
    return x.reshape(other.shape)


def expand_as(x, other):
    """Repeated to the shape of `other`."""
    return x.expand(other.shape)


def clone(x):
    """A copy, with the gradient of the original."""
    return table.CLONE(as_tensor(x))


def tril(x, diagonal=0):
    """Of each matrix (N, D) what stands on `diagonal` or below it, and 0 above.  Raises ValueError for a vector."""
    return _masked(x, lambda N, D: np.tri(N, D, diagonal, bool))


def triu(x, diagonal=0):
    """Of each matrix (N, D) what stands on `diagonal` or above it, and 0 below.  Raises ValueError for a vector."""
    return _masked(x, lambda N, D: ~np.tri(N, D, diagonal - 1, bool))


def _masked(x, mask):
    """Each matrix (N, D) of `x` where mask(N, D) is true, 0 elsewhere."""
    if np.ndim(ops.bare(x)) < 2:
        raise ValueError(f"input: expected a matrix (N, D), got shape {np.shape(ops.bare(x))}")
    mask = np.broadcast_to(mask(*x.shape[-2:]), x.shape)
    return table.ONLY(x, params=(mask,)) if isinstance(x, Tensor) else x.masked_fill(~mask, 0)


def diag(x, diagonal=0):
    """The diagonal (N) of a matrix (N, D), or the matrix (N, N) of a diagonal.  Raises ValueError for other shapes."""
    if np.ndim(ops.bare(x)) not in (1, 2):
        raise ValueError(f"input: expected shape (N,) or (N, D), got {np.shape(ops.bare(x))}")
    if x.ndim == 1:
        n = len(x) + abs(diagonal)
        at = np.zeros((n, n), np.int64)
        on = np.eye(n, k=diagonal, dtype=bool)
        at[on] = np.arange(len(x))
        return x[at].masked_fill(~on, 0)
    rows, columns = np.nonzero(np.eye(*x.shape, k=diagonal))
    return x[rows, columns]


def index_select(x, dim, index):
    """The entries along `dim` at the places `index`, (K)."""
    return x[(slice(None),) * ops.one_dim(dim, x.ndim) + (np.asarray(index).reshape(-1),)]


def masked_select(x, mask):
    """The entries where `mask`, an array of bool, is true, (K); both are broadcast."""
    mask = ops.as_mask(mask)
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return x.expand(shape)[np.broadcast_to(mask, shape)]


def _places(x, dim, index):
    """Where in `x` the entries of `index`, whole numbers along `dim`, stand, for ops.index; and their shape."""
    positions = ops.whole_positions(index, x.ndim)
    return table.places_along(ops.one_dim(dim, x.ndim), positions), positions.shape


def _slices(x, dim, index):
    """Where in `x` the slices `index`, one whole number or (K), along `dim` stand, for ops.index."""
    return (slice(None),) * ops.one_dim(dim, x.ndim) + (ops.whole_positions(np.asanyarray(index).reshape(-1), 1),)


def _for_places(src, shape, x):
    """`src`, a number or a Tensor from whose corner (...) of this shape is taken, as a Tensor like `x`."""
    src = as_tensor(src, x)
    return src[tuple(map(slice, shape))] if src.ndim else src


def one_of_both(src, value):
    """The one that is given of what `scatter` puts down.  Raises ValueError for neither, and for both."""
    if (src is None) == (value is None):
        raise ValueError(f"scatter: expected one of src and value, got {'neither' if src is None else 'both'}")
    return value if src is None else src


def scatter(x, dim, index, src=None, *, value=None):
    """x with y[index[i, j], j] = src[i, j] for dim = 0, and so on; `src`, or `value`, may be a number for all."""
    x, src = as_tensor(x), one_of_both(src, value)
    at, shape = _places(x, dim, index)
    return table.ASSIGN(table.CLONE(x), _for_places(src, shape, x), params=(at,))


def scatter_add(x, dim, index, src):
    """x with src[i, j] added to y[index[i, j], j] for dim = 0, and so on; what comes more than once adds up."""
    x = as_tensor(x)
    at, shape = _places(x, dim, index)
    return x + table.SCATTER(_for_places(src, shape, x), params=(at, x.shape))


def index_add(x, dim, index, source, *, alpha=1):
    """x with the entries of `source` along `dim`, times `alpha`, added at the places `index`, (K)."""
    x = as_tensor(x)
    at = _slices(x, dim, index)
    return x + table.SCATTER(ops.mul(as_tensor(source, x), alpha), params=(at if len(at) > 1 else at[0], x.shape))


def index_fill(x, dim, index, value):
    """x with the number `value` along `dim` at the places `index`, (K)."""
    x = as_tensor(x)
    return table.ASSIGN(table.CLONE(x), as_tensor(value, x), params=(_slices(x, dim, index),))


def take(x, index):
    """The entries at the places `index`, (N, D) or of any shape, of all as one."""
    return x.reshape(-1)[np.asarray(index)]


def narrow(x, dim, start, length):
    """The `length` entries along `dim` that begin at `start`.  Raises ValueError if there are not so many."""
    dim = ops.one_dim(dim, x.ndim)
    if not 0 <= start <= start + length <= x.shape[dim]:
        raise ValueError(f"start={start}, length={length}: expected a part of {x.shape[dim]} entries")
    return x[(slice(None),) * dim + (slice(start, start + length),)]


def repeat_interleave(x, repeats, dim=None):
    """Every entry along `dim` so many times in a row, `repeats` a number or one for each; None for all as one."""
    if dim is None:
        return repeat_interleave(x.flatten(), repeats, 0)
    return index_select(x, dim, np.repeat(np.arange(x.shape[ops.one_dim(dim, x.ndim)]), repeats))


def roll(x, shifts, dims=None):
    """Moved on by `shifts` places along `dims`, what falls out at the end to the front; None for all as one."""
    if dims is None:
        return roll(x.flatten(), shifts, 0).reshape(x.shape)
    pairs = zip(shifts, dims, strict=True) if isinstance(dims, (tuple, list)) else [(shifts, dims)]
    for shift, dim in pairs:
        x = index_select(x, dim, (np.arange(x.shape[dim]) - shift) % max(x.shape[dim], 1))
    return x


# --- powers, sums, products, norms ---------------------------------------------------------------


def square(x):
    """x²"""
    return as_tensor(x) ** 2


def rsqrt(x):
    """1 / √x"""
    return 1 / ops.sqrt(x)


def reciprocal(x):
    """1 / x"""
    return 1 / as_tensor(x)


def dot(a, b):
    """The sum of the products of two vectors (N).  Raises ValueError for other shapes."""
    a, b = as_tensor(a), as_tensor(b)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"dot: expected two vectors of one length, got shapes {a.shape} and {b.shape}")
    return a @ b


def outer(a, b):
    """The products (N, M) of the entries of two vectors, (N) and (M)."""
    return ops.mul(a.reshape(-1, 1), b.reshape(1, -1))


def std(x, dim=None, correction=1, keepdim=False, *, unbiased=None):
    """The root of `var`, which takes the same; with a slope of 0 where it is 0."""
    return _root(ops.var(x, dim, correction, keepdim, unbiased=unbiased))


def _root(squares):
    nothing = squares._data == 0
    return squares.masked_fill(nothing, 1.0).sqrt().masked_fill(nothing, 0.0) if nothing.any() else squares.sqrt()


def norm(x, p=2, dim=None, keepdim=False):
    """(Σ |x|ᵖ)^(1/p) over `dim`, as in `sum`; "fro" for 2, inf for the largest.  Raises ValueError for p <= 0."""
    x = as_tensor(x)
    if p in ("fro", 2):
        return _root(ops.sum(x * x, dim, keepdim))
    if not isinstance(p, numbers.Real) or not p > 0:
        raise ValueError(f"p={p!r}: expected a number greater than 0, inf or 'fro'")
    if p == 1 or p == math.inf:
        return (ops.sum if p == 1 else ops.amax)(x.abs(), dim, keepdim)
    total = ops.sum(x.abs() ** p, dim, keepdim)
    nothing = total._data == 0
    return (total.masked_fill(nothing, 1.0) ** (1 / p)).masked_fill(nothing, 0.0)


def pdist(x, p=2.0):
    """The p-norm of the difference of each two rows of (N, D), a vector: first and second, first and third ..."""
    if np.ndim(ops.bare(x)) != 2:
        raise ValueError(f"pdist: expected shape (N, D), got {np.shape(ops.bare(x))}")
    i, j = np.triu_indices(len(x), 1)
    return norm(as_tensor(x)[i] - as_tensor(x)[j], p, -1)


def cdist(x1, x2, p=2.0):
    """The p-norm of each difference of a row of (..., N, D) and one of (..., M, D), (..., N, M)."""
    if np.shape(ops.bare(x1))[-1:] != np.shape(ops.bare(x2))[-1:]:
        raise ValueError(f"cdist: expected rows of one length, got shapes {np.shape(ops.bare(x1))} and "
                         f"{np.shape(ops.bare(x2))}")
    return norm(as_tensor(x1).unsqueeze(-2) - as_tensor(x2).unsqueeze(-3), p, -1)


def floor_divide(a, b):
    """⌊a / b⌋, a number without a gradient."""
    return Tensor(np.floor_divide(ops.bare(a), ops.bare(b)))


def remainder(a, b):
    """a - b ⌊a / b⌋, which has the sign of b."""
    return as_tensor(a, b) - as_tensor(b, a) * floor_divide(a, b)


def prod(x, dim=None, keepdim=False):
    """The product of all, or along `dim`; with `keepdim` that stays, with length 1."""
    x = as_tensor(x)
    if dim is None or not x.ndim:
        y = _product(ops.reshape(x, -1), 0)
        return ops.reshape(y, (1,) * x.ndim if keepdim else ())
    dim = ops.one_dim(dim, x.ndim)
    y = _product(x, dim)
    return y if keepdim else ops.squeeze(y, dim)


def _product(x, dim):
    n = x.shape[dim]
    if not n:
        return Tensor(np.ones([1 if d == dim else m for d, m in enumerate(x.shape)], x.dtype))
    while n > 1:
        first, second, *rest = ops.split(x, [n // 2, n // 2, *[1] * (n % 2)], dim)
        x = ops.concatenate([first * second, *rest], dim) if rest else first * second
        n = x.shape[dim]
    return x


def cumprod(x, dim):
    """Running products along `dim`: in each pass every one is multiplied by that of the places before it."""
    x = as_tensor(x)
    if not x.ndim:
        return cumprod(ops.reshape(x, 1), dim).reshape(())
    dim, done = ops.one_dim(dim, x.ndim), 1
    while done < x.shape[dim]:
        first, rest = ops.split(x, [done, x.shape[dim] - done], dim)
        x = ops.concatenate([first, rest * narrow(x, dim, 0, x.shape[dim] - done)], dim)
        done *= 2
    return x


def logaddexp(a, b):
    """log(eᵃ + eᵇ), without overflow; -inf where both are."""
    a, b = as_tensor(a, b), as_tensor(b, a)
    shape = np.broadcast_shapes(a.shape, b.shape)
    return ops.logsumexp(ops.stack([a.expand(shape), b.expand(shape)]), 0)


# --- truth ---------------------------------------------------------------------------------------


def logical_and(a, b):
    """Where neither is 0."""
    return Plain(np.logical_and(ops.bare(a), ops.bare(b)))


def logical_or(a, b):
    """Where not both are 0."""
    return Plain(np.logical_or(ops.bare(a), ops.bare(b)))


def logical_not(x):
    """Where it is 0."""
    return Plain(np.logical_not(ops.bare(x)))


def any(x, dim=None, keepdim=False):
    """Whether an entry is not 0: of all, or along `dim`."""
    return Plain(np.any(ops.bare(x), axis=dim, keepdims=keepdim))


def all(x, dim=None, keepdim=False):
    """Whether no entry is 0: of all, or along `dim`."""
    return Plain(np.all(ops.bare(x), axis=dim, keepdims=keepdim))


def nonzero(x, *, as_tuple=False):
    """The places of the entries that are not 0, (K, N) for N dimensions, or each dimension apart."""
    at = np.nonzero(np.asarray(ops.bare(x)))
    return tuple(map(Plain, at)) if as_tuple else Plain(np.stack(at, 1))


def bincount(input, weights=None, minlength=0):
    """How often each whole number >= 0 is in `input`, (N) -> (K) with K of at least `minlength`; or sums of `weights`.

    Raises ValueError for other numbers.
    """
    array = np.asarray(input)
    if array.dtype.kind not in "biu" or array.ndim != 1 or (array < 0).any():
        raise ValueError(f"input: expected whole numbers >= 0 of shape (N,), got {array.dtype} of shape {array.shape}")
    counts = np.bincount(array, None if weights is None else ops.bare(weights), minlength)
    return Plain(counts) if weights is None else Tensor(counts)


def equal(a, b):
    """Whether two have the same shape and entries."""
    return bool(np.array_equal(ops.bare(a), ops.bare(b)))


def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether no entry differs from that of `b` by more than atol + rtol |b|."""
    return bool(np.allclose(ops.bare(a), ops.bare(b), rtol, atol, equal_nan))


# --- order ---------------------------------------------------------------------------------------


def quantile(x, q, dim=None, keepdim=False, *, interpolation="linear"):
    """The value below which the share `q` of the entries lies, of all or along `dim`; between two in proportion.

    Several shares (Q) give a first dimension.  Raises ValueError for shares outside of 0 to 1, and where there are no
    entries.
    """
    if interpolation != "linear":
        raise ValueError(f"interpolation={interpolation!r}: expected 'linear', the only one here")
    x, shares = as_tensor(x), np.asarray(ops.bare(q), np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"q={q!r}: expected shares from 0 to 1")
    if shares.ndim:
        return ops.stack([quantile(x, share, dim, keepdim) for share in shares.tolist()])
    if dim is None or not x.ndim:
        y = quantile(x.flatten(), q, 0)
        return y.reshape((1,) * x.ndim) if keepdim else y
    values, last = sort(x, dim).values, x.shape[ops.one_dim(dim, x.ndim)] - 1
    if last < 0:
        raise ValueError(f"quantile: nothing to take it of, over dimension {dim} of shape {x.shape}")
    below = int(shares * last)
    low, high = (narrow(values, dim, min(k, last), 1) for k in (below, below + 1))
    y = low + (high - low) * float(shares * last - below)
    return y if keepdim else y.squeeze(dim)


def argsort(x, dim=-1, descending=False, stable=True):
    """Where the entries along `dim` stand in order, (N, D) for (N, D); Plain."""
    array = x._data if isinstance(x, Tensor) else np.asarray(x)
    if not array.ndim:
        return Plain(0)
    dim = ops.one_dim(dim, array.ndim)
    if not descending:
        return Plain(array.argsort(dim, kind="stable"))
    backwards = np.flip(array, dim).argsort(dim, kind="stable")                # ties keep their places
    return Plain(array.shape[dim] - 1 - np.flip(backwards, dim))


def sort(x, dim=-1, descending=False, stable=True):
    """(values, indices) of the entries along `dim` in order."""
    at = argsort(x, dim, descending)
    return Extreme(take_along(x, at, dim), at)


def median(x, dim=None, keepdim=False):
    """The value in the middle, the lower one of two: of all; along `dim` (values, indices).  NaN where one is NaN."""
    if dim is None:
        return median(x.flatten(), 0).values
    array = np.asarray(ops.bare(x))
    n = array.shape[ops.one_dim(dim, array.ndim)]
    if not n:
        raise ValueError(f"median: expected at least one entry along dim={dim}, got shape {array.shape}")
    at = np.take(argsort(array, dim), [(n - 1) // 2], dim)
    if array.dtype.kind == "f":
        at = np.where(np.isnan(array).any(dim, keepdims=True), np.isnan(array).argmax(dim, keepdims=True), at)
    at = Plain(at)
    values = take_along(x, at, dim)
    return Extreme(values, at) if keepdim else Extreme(values.squeeze(dim), at.squeeze(dim))


def unique(x, sorted=True, return_inverse=False, return_counts=False):
    """The different entries, in order; where each entry stands among them, and how often they are there, if asked
    for."""
    found = np.unique(np.asarray(ops.bare(x)), return_inverse=True, return_counts=True)
    values = Tensor(found[0]) if found[0].dtype.kind == "f" else Plain(found[0])
    inverse, counts = Plain(found[1].reshape(x.shape)), Plain(found[2])
    if not return_inverse and not return_counts:
        return values
    return (values, *[inverse] * return_inverse, *[counts] * return_counts)


def topk(x, k, dim=-1, largest=True, sorted=True):
    """(values, indices) of the `k` largest entries along `dim`, or smallest, in order whether `sorted` or not.

    Raises ValueError for more than there are.
    """
    array = np.asarray(ops.bare(x))
    length = array.shape[ops.one_dim(dim, array.ndim)] if array.ndim else 1
    if not isinstance(k, numbers.Integral) or not 0 <= k <= length:
        raise ValueError(f"k={k!r}: expected a whole number up to {length}, the length of dimension {dim}")
    at = _first_in_order(array, k, dim, largest) if array.ndim else Plain(0)
    return Extreme(take_along(x, at, dim), at)


def _first_in_order(array, k, dim, largest):
    """The first `k` of argsort: found without sorting the rest where they are few, and all are numbers."""
    rows = np.moveaxis(array, dim, -1)
    if array.dtype.kind == "f" and 0 < 4 * k <= rows.shape[-1] and rows.size:
        keys = np.ascontiguousarray((rows if largest else -rows).reshape(-1, rows.shape[-1]))
        at = selection.largest(keys, k)[0] if not np.isnan(keys).any() else np.array(-1)
        if at.min() >= 0:                                # it counts no -inf
            return Plain(np.moveaxis(at.reshape(*rows.shape[:-1], k), -1, dim).astype(np.int64))
    return np.take(argsort(array, dim, largest), np.arange(k), dim).view(Plain)


def take_along(x, at, dim):
    """The entries at the positions `at` along `dim`."""
    if not isinstance(x, Tensor):
        return np.take_along_axis(np.asarray(x), at, dim).view(Plain) if at.ndim else x
    return ops.gather(x, dim, at) if x.ndim else x
