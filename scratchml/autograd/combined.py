"""More functions made of others: windows, places, ends and products, each in a line or two.

They are what is left when a script has been written in the functions of `composed`: none has a gradient of its own.
What takes whole numbers or truth values as well gives back Plain for Plain.

Choices
    The number that stands most often is, of several, the least; its place is the last one where it stands, as in
    PyTorch.  NaN equals nothing, so each stands once.

>>> from scratchml.autograd import Tensor
>>> unfold(Tensor([1.0, 2.0, 3.0, 4.0]), 0, 3, 1), mode(Plain([3, 1, 3]))
(Tensor([[1., 2., 3.],
        [2., 3., 4.]]), Extreme(values=Plain(3), indices=Plain(2)))
"""
import numbers

import numpy as np

from scratchml.autograd import composed, ops
from scratchml.autograd.ops import Extreme, as_tensor
from scratchml.autograd.plain import Plain

# --- windows and places --------------------------------------------------------------------------


def unfold(x, dimension, size, step):
    """The windows of `size` entries along `dimension`, one begins every `step`: there how many, at the end the size.

    Raises ValueError for a size beyond the length, and for a step below 1.
    """
    dim = ops.one_dim(dimension, x.ndim)
    if not 0 <= size <= x.shape[dim] or step < 1:
        raise ValueError(f"size={size}, step={step}: expected a size up to {x.shape[dim]}, and a step of at least 1")
    starts = np.arange(0, x.shape[dim] - size + 1, step)
    return composed.movedim(x[(slice(None),) * dim + (starts[:, None] + np.arange(size),)], dim + 1, -1)


def take_along_dim(x, indices, dim=None):
    """The entries along `dim` that `indices` names, as NumPy's take_along_axis; None for all as one."""
    if dim is None:
        return composed.take(x, np.asarray(indices).reshape(-1))
    dim, at = ops.one_dim(dim, x.ndim), np.asarray(indices)
    shape = np.broadcast_shapes(*[(*s[:dim], 1, *s[dim + 1:]) for s in (x.shape, at.shape)])
    x, at = (part.expand(*shape[:dim], part.shape[dim], *shape[dim + 1:]) for part in (x, Plain(at)))
    return x.gather(dim, at)


def triu_indices(row, col, offset=0, dtype=None, device=None):
    """The places (2, K) of a matrix (`row`, `col`) that are on the diagonal `offset` or above it, row by row."""
    return Plain(np.stack(np.triu_indices(row, offset, col)), np.int64 if dtype is None else dtype)


def tril_indices(row, col, offset=0, dtype=None, device=None):
    """The places (2, K) of a matrix (`row`, `col`) that are on the diagonal `offset` or below it, row by row."""
    return Plain(np.stack(np.tril_indices(row, offset, col)), np.int64 if dtype is None else dtype)


def searchsorted(sorted_sequence, input, *, right=False):
    """How many numbers of an ascending vector (N) are less than each of `input`, with `right` not greater.

    Raises ValueError for more dimensions than one.
    """
    edges = np.asarray(ops.bare(sorted_sequence))
    if edges.ndim != 1:
        raise ValueError(f"sorted_sequence: expected shape (N,), got {edges.shape}")
    return Plain(np.searchsorted(edges, ops.bare(input), "right" if right else "left"))


def bucketize(input, boundaries, *, right=False):
    """In which of the intervals between ascending `boundaries` (N) each number lies: `searchsorted` of them."""
    return searchsorted(boundaries, input, right=right)


# --- sums and products ---------------------------------------------------------------------------


def addmm(x, mat1, mat2, *, beta=1, alpha=1):
    """beta x + alpha A B, for matrices A (N, D) and B (D, M)."""
    return beta * as_tensor(x) + alpha * ops.matmul(mat1, mat2)


def baddbmm(x, batch1, batch2, *, beta=1, alpha=1):
    """beta x + alpha A B, for batches of matrices A (B, N, D) and B (B, D, M)."""
    return addmm(x, batch1, batch2, beta=beta, alpha=alpha)


def var_mean(x, dim=None, *, correction=1, keepdim=False):
    """The variance and the mean over `dim`, as in `var`."""
    return ops.var(x, dim, correction, keepdim), ops.mean(x, dim, keepdim)


def std_mean(x, dim=None, *, correction=1, keepdim=False):
    """The standard deviation and the mean over `dim`, as in `var`."""
    return composed.std(x, dim, correction, keepdim), ops.mean(x, dim, keepdim)


def diff(x, n=1, dim=-1):
    """What each entry along `dim` has more than the one before; `n` times.  Raises ValueError for n below 0."""
    if not isinstance(n, numbers.Integral) or n < 0:
        raise ValueError(f"n={n!r}: expected a whole number >= 0")
    x = x if isinstance(x, Plain) else as_tensor(x)
    for _ in range(n):
        length = max(x.shape[ops.one_dim(dim, x.ndim)] - 1, 0)
        later = composed.narrow(x, dim, x.shape[dim] - length, length)
        x = later - composed.narrow(x, dim, 0, length)
    return x


def count_nonzero(x, dim=None):
    """How many entries are not 0, of all or along `dim`."""
    return Plain(np.count_nonzero(np.asarray(ops.bare(x)), axis=dim))


def mode(x, dim=-1, keepdim=False):
    """(values, indices) of what stands most often along `dim`.  Raises ValueError where there is nothing."""
    array = np.asarray(ops.bare(x))
    dim = ops.one_dim(dim, array.ndim)
    if not array.shape[dim]:
        raise ValueError(f"mode: expected at least one entry along dim={dim}, got shape {array.shape}")
    at = Plain(np.apply_along_axis(_last_of_the_most, dim, array))
    values = composed.take_along(x, at, dim)
    return Extreme(values, at) if keepdim else Extreme(values.squeeze(dim), at.squeeze(dim))


def _last_of_the_most(row):
    """[where in `row` its most frequent entry stands last]"""
    values, counts = np.unique(row, return_counts=True, equal_nan=False)
    most = values[counts.argmax()]
    return np.flatnonzero(row == most if most == most else row != row)[-1:]


# --- entry by entry ------------------------------------------------------------------------------


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """With numbers in the place of NaN, inf and -inf; None for the greatest and least that the dtype holds."""
    x = as_tensor(x)
    ends = np.finfo(x.dtype)
    for place, number in ((np.isnan(x._data), nan), (x._data == np.inf, ends.max if posinf is None else posinf),
                          (x._data == -np.inf, ends.min if neginf is None else neginf)):
        x = x.masked_fill(place, number) if place.any() else x
    return x


def logit(x, eps=None):
    """log(x / (1 - x)); with `eps` x is moved into eps to 1 - eps before."""
    x = as_tensor(x)
    x = x if eps is None else ops.clamp(x, eps, 1 - eps)
    return ops.log(x / (1 - x))


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where an entry differs from that of `b` by at most atol + rtol |b|."""
    return Plain(np.isclose(ops.bare(a), ops.bare(b), rtol, atol, equal_nan))


def isin(elements, test_elements, *, invert=False):
    """Where an entry is one of `test_elements`; with `invert` where it is none."""
    return Plain(np.isin(ops.bare(elements), ops.bare(test_elements), invert=invert))


def lerp(x, end, weight):
    """x + weight (end - x)"""
    x = as_tensor(x)
    return x + weight * (as_tensor(end, x) - x)

