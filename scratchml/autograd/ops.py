"""What one does with Tensors: functions with PyTorch's names.

Most of them are rows of the derivative table behind arguments put in order; some are made of others, and need no row.
All take Tensors, arrays and numbers; each function of one Tensor is a method too, and so are the operators of Python.

Choices
    Kinks: relu, leaky_relu and abs have derivative 0, `negative_slope` and 0 at 0; clamp has 1 at its bounds.
    Ties: max and min, over whatever dimensions, share the gradient evenly among all entries that attain them, and
    maximum and minimum by halves.  max(x, dim) along one dimension is a pair as in PyTorch, (values, indices), whose
    gradient goes to the entries that it names; `amax` is the values alone.
    Comparisons give Plain arrays of bool, argmax and argmin of int: they have no derivative.
    0 ** 0 is 1, with derivative 0 by the base.
    A Python number takes the dtype of the Tensor that it meets, as do bool and int; float32 meets float64 as float64.
    Plain that meets none becomes float32.

>>> from scratchml.autograd import Tensor, grad
>>> x = Tensor([1.0, 2.0], requires_grad=True)
>>> first, = grad((x ** 3).sum(), x, create_graph=True)
>>> second, = grad(first.sum(), x)
>>> first, second
(Tensor([ 3., 12.], requires_grad=True), Tensor([ 6., 12.]))
"""
import builtins
import math
import numbers
import string

import numpy as np

from scratchml.autograd import table
from scratchml.autograd.plain import Extreme, Plain, asked_dtype
from scratchml.autograd.tensor import Tensor, fixed
from scratchml.core.checks import unmasked

# --- arguments put in order ----------------------------------------------------------------------


def as_tensor(x, like=None):
    """`x` as a Tensor; a number, and an array of bool or int, takes the dtype of the Tensor `like`."""
    if type(x) is Tensor:
        return x
    dtype = like._data.dtype if type(like) is Tensor else np.float32 if isinstance(x, Plain) else np.float64
    if type(x) is float or type(x) is int or isinstance(x, numbers.Real):
        return fixed(x, dtype)
    array = np.asarray(unmasked(x, "data"))
    return Tensor(array.astype(dtype) if array.dtype.kind in "biu" else array)


def bare(x):
    """`x` with the array in the place of a Tensor."""
    return x._data if isinstance(x, Tensor) else x


def _pair(a, b):
    return as_tensor(a, b), as_tensor(b, a)


def one_dim(dim, ndim):
    """`dim` as a number from 0 on."""
    if type(dim) is not int and (isinstance(dim, bool) or not isinstance(dim, numbers.Integral)) or \
            not -ndim <= dim < ndim:
        wanted = f"a whole number from {-ndim} to {ndim - 1}, for {ndim} dimension(s)" if ndim else \
            "a Tensor with dimensions, got one number"
        raise ValueError(f"dim={dim!r}: expected {wanted}")
    return int(dim) % ndim


def _dims(dim, ndim):
    """A dimension, several, or None for all, as a sorted tuple; one number has, as in PyTorch, a dimension 0."""
    if dim is None:
        return tuple(range(ndim))
    if not ndim and dim in (0, -1, (0,), (-1,)) and not isinstance(dim, bool):
        return ()
    if type(dim) is int and -ndim <= dim < ndim:
        return dim % ndim,
    dims = sorted(one_dim(d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(dims)) < len(dims):
        raise ValueError(f"dim={dim!r}: names a dimension twice")
    return tuple(dims)


def as_mask(mask):
    """An array of bool.  Raises ValueError for another."""
    mask = np.array(unmasked(mask, "mask"))                                # a copy: the caller may change theirs
    if mask.dtype != bool:
        raise ValueError(f"mask: expected an array of bool, got dtype {mask.dtype}; compare, e.g. mask != 0")
    return mask


# --- entry by entry ------------------------------------------------------------------------------


def add(a, b, *, alpha=1):
    """a + alpha b"""
    return table.ADD(*_pair(a, b if alpha == 1 else mul(b, alpha)))


def sub(a, b, *, alpha=1):
    """a - alpha b"""
    return table.SUB(*_pair(a, b if alpha == 1 else mul(b, alpha)))


def mul(a, b):
    """a b"""
    return table.MUL(*_pair(a, b))


def div(a, b):
    """a / b"""
    return table.DIV(*_pair(a, b))


def pow(a, b):
    """aᵇ"""
    if type(b) is int or type(b) is float or isinstance(b, numbers.Real):
        return table.POW_NUMBER(as_tensor(a), params=(float(b),))
    return table.POW(*_pair(a, b))


def neg(x):
    """-x"""
    return table.NEG(as_tensor(x))


def exp(x):
    """eˣ"""
    return table.EXP(as_tensor(x))


def log(x):
    """The natural logarithm."""
    return table.LOG(as_tensor(x))


def log1p(x):
    """log(1 + x), exact for small x."""
    return table.LOG1P(as_tensor(x))


def log2(x):
    """The logarithm to the base of 2."""
    return log(x) * (1 / math.log(2))


def log10(x):
    """The logarithm to the base of 10."""
    return log(x) * (1 / math.log(10))


def sqrt(x):
    """√x"""
    return table.SQRT(as_tensor(x))


def abs(x):
    """|x|"""
    return table.ABS(as_tensor(x))


def sin(x):
    """The sine."""
    return table.SIN(as_tensor(x))


def cos(x):
    """The cosine."""
    return table.COS(as_tensor(x))


def erf(x):
    """2/√π ∫_0^x e^{-t²} dt"""
    return table.ERF(as_tensor(x))


def tanh(x):
    """The hyperbolic tangent."""
    return table.TANH(as_tensor(x))


def sigmoid(x):
    """1 / (1 + e⁻ˣ)"""
    return table.SIGMOID(as_tensor(x))


def relu(x):
    """max(x, 0)"""
    return table.RELU(as_tensor(x))


def leaky_relu(x, negative_slope=0.01):
    """x where x > 0, negative_slope x elsewhere."""
    return table.LEAKY_RELU(as_tensor(x), params=(negative_slope,))


def softplus(x):
    """log(1 + eˣ), without PyTorch's switch to x above 20."""
    return table.SOFTPLUS(as_tensor(x))


def clamp(x, min=None, max=None):
    """x moved to the nearest value from `min` to `max`; None for no bound.  Raises ValueError where both are None.

    Bounds that are Tensors or arrays are broadcast, and Tensors get a gradient where they are the result.
    """
    if min is None and max is None:
        raise ValueError("clamp: expected min, max or both")
    if np.ndim(min) or np.ndim(max) or isinstance(min, Tensor) or isinstance(max, Tensor):
        x = as_tensor(x)
        x = x if min is None else where(x < min, min, x)
        return x if max is None else where(x > max, max, x)
    return table.CLAMP(as_tensor(x), params=(-np.inf if min is None else min, np.inf if max is None else max))


def maximum(a, b):
    """The greater of a and b."""
    return table.MAXIMUM(*_pair(a, b))


def minimum(a, b):
    """The lesser of a and b."""
    return table.MINIMUM(*_pair(a, b))


def where(condition, a=None, b=None):
    """Entries of `a` where `condition`, an array of bool, is true, of `b` elsewhere.  Raises ValueError for others.

    Without `a` and `b` the places where it is true, each dimension apart.
    """
    if a is None and b is None:
        return tuple(map(Plain, np.nonzero(as_mask(condition))))
    if isinstance(condition, Plain) and isinstance(a, numbers.Real) and isinstance(b, numbers.Real):
        whole = isinstance(a, numbers.Integral) and isinstance(b, numbers.Integral)
        a = Plain(a) if whole else fixed(a, np.float32)
    if not any(isinstance(x, (Tensor, float)) for x in (a, b)) and any(isinstance(x, Plain) for x in (a, b)):
        return np.where(as_mask(condition), a, b).view(Plain)
    return table.WHERE(*_pair(a, b), params=(as_mask(condition),))


def masked_fill(x, mask, value):
    """The number `value` where `mask`, an array of bool, is true, `x` elsewhere.  Raises ValueError for others."""
    x = as_tensor(x)
    return table.WHERE(fixed(value, x.dtype), x, params=(as_mask(mask),))


def clamp_min(x, min):
    """The greater of x and `min`."""
    return clamp(x, min=min)


def clamp_max(x, max):
    """The lesser of x and `max`."""
    return clamp(x, max=max)


def sign(x):
    """-1, 0 or 1, without a gradient: its slope is 0, where it has one."""
    return Tensor(np.sign(as_tensor(x)._data))


def round(x):
    """The nearest whole number, of two the even one, as a float without a gradient: its slope is 0."""
    return Tensor(np.round(as_tensor(x)._data))


def floor(x):
    """The greatest whole number up to x, as a float without a gradient: its slope is 0."""
    return Tensor(np.floor(as_tensor(x)._data))


def ceil(x):
    """The least whole number from x on, as a float without a gradient: its slope is 0."""
    return Tensor(np.ceil(as_tensor(x)._data))


def eq(a, b):
    """Where a = b."""
    return _compared(np.equal, a, b)


def ne(a, b):
    """Where a ≠ b."""
    return _compared(np.not_equal, a, b)


def lt(a, b):
    """Where a < b."""
    return _compared(np.less, a, b)


def le(a, b):
    """Where a ≤ b."""
    return _compared(np.less_equal, a, b)


def gt(a, b):
    """Where a > b."""
    return _compared(np.greater, a, b)


def ge(a, b):
    """Where a ≥ b."""
    return _compared(np.greater_equal, a, b)


def _compared(ufunc, a, b):
    a, b = _pair(a, b)
    return Plain(ufunc(a._data, b._data))


# --- sums and extremes ---------------------------------------------------------------------------


def sum(x, dim=None, keepdim=False):
    """The sum over `dim`: one dimension, several, or all; with `keepdim` they stay, with length 1."""
    x = as_tensor(x)
    return table.SUM(x, params=(_dims(dim, x.ndim), keepdim))


def mean(x, dim=None, keepdim=False):
    """The mean over `dim`, as in `sum`."""
    x = as_tensor(x)
    return table.MEAN(x, params=(_dims(dim, x.ndim), keepdim))


def var(x, dim=None, correction=1, keepdim=False, *, unbiased=None):
    """The variance over `dim`, as in `sum`: squared deviations from the mean, over their number less `correction`.

    `unbiased`, True or False, is PyTorch's other name for a correction of 1 or 0, and may stand in the place of `dim`.
    """
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = correction if unbiased is None else int(unbiased)
    x = as_tensor(x)
    total = sum((x - mean(x, dim, True)) ** 2, dim, keepdim)
    return total / (_count(x, total) - correction)


def _count(x, total):
    """How many entries of `x` went into each of `total`; none at all give 0 / 0, which is NaN."""
    return x._data.size // builtins.max(total._data.size, 1)


def max(x, dim=None, keepdim=False):
    """The greatest value of all; along one `dim` the values and where they are, with another Tensor `maximum`."""
    if isinstance(dim, Tensor):
        return maximum(x, dim)
    if isinstance(dim, numbers.Integral):
        return _taken_at(as_tensor(x), argmax(x, dim, True), dim, keepdim)
    return amax(x, dim, keepdim)


def min(x, dim=None, keepdim=False):
    """The least value of all; along one `dim` the values and where they are, with another Tensor `minimum`."""
    if isinstance(dim, Tensor):
        return minimum(x, dim)
    if isinstance(dim, numbers.Integral):
        return _taken_at(as_tensor(x), argmin(x, dim, True), dim, keepdim)
    return amin(x, dim, keepdim)


def _taken_at(x, at, dim, keepdim):
    values = gather(x, dim, at) if x.ndim else x
    return Extreme(values, at) if keepdim or not x.ndim else Extreme(squeeze(values, dim), at.squeeze(dim))


def amax(x, dim=None, keepdim=False):
    """The greatest value over `dim`, as in `sum`.  Entries that tie share the gradient evenly."""
    x = as_tensor(x)
    dims = _dims(dim, x.ndim)
    _not_empty(x, dims, "amax")
    return table.MAX(x, params=(dims, keepdim))


def amin(x, dim=None, keepdim=False):
    """The least value over `dim`, as in `sum`.  Entries that tie share the gradient evenly."""
    x = as_tensor(x)
    dims = _dims(dim, x.ndim)
    _not_empty(x, dims, "amin")
    return table.MIN(x, params=(dims, keepdim))


def argmax(x, dim=None, keepdim=False):
    """Where the greatest value is, the first of equals; a Plain array of int."""
    return _place_of("argmax", x, dim, keepdim)


def argmin(x, dim=None, keepdim=False):
    """Where the least value is, the first of equals; a Plain array of int."""
    return _place_of("argmin", x, dim, keepdim)


def _place_of(name, x, dim, keepdim):
    x = as_tensor(x)
    dims = _dims(dim, x.ndim)
    _not_empty(x, dims, name)
    dim = None if dim is None or not x.ndim else one_dim(dim, x.ndim)
    return Plain(getattr(x._data, name)(dim, keepdims=keepdim))


def _not_empty(x, dims, name):
    if not x._data.size and any(not x.shape[d] for d in dims):
        raise ValueError(f"{name}: nothing to take it of, over dimension(s) {dims} of shape {x.shape}")


def cumsum(x, dim):
    """Running sums along `dim`."""
    return _along(table.CUMSUM, x, dim)


def _along(row, x, dim):
    """`row` along one dimension; one number is treated as one entry."""
    x = as_tensor(x)
    if not x.ndim:
        return _along(row, reshape(x, 1), dim).reshape(())
    return row(x, params=(one_dim(dim, x.ndim),))


def logsumexp(x, dim=None, keepdim=False):
    """log Σ eˣ over `dim`, as in `sum`, without overflow; -inf where every x is."""
    x = as_tensor(x)
    return table.LOGSUMEXP(x, params=(_dims(dim, x.ndim), keepdim))


def softmax(x, dim):
    """eˣ / Σ eˣ along `dim`."""
    return _along(table.SOFTMAX, x, dim)


def log_softmax(x, dim):
    """log(eˣ / Σ eˣ) along `dim`, exact where the quotient underflows."""
    return _along(table.LOG_SOFTMAX, x, dim)


# --- products ------------------------------------------------------------------------------------


def matmul(a, b):
    """a b as matrices: the last two dimensions multiply, those before are broadcast, a vector is a row or a column."""
    a, b = _pair(a, b)
    if not a.ndim or not b.ndim or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not fit; expected (..., N, D) and (..., D, M)")
    if a.ndim > 1 and b.ndim > 1:
        return table.MATMUL(a, b)
    y = table.MATMUL(a if a.ndim > 1 else unsqueeze(a, 0), b if b.ndim > 1 else unsqueeze(b, 1))
    y = y if b.ndim > 1 else squeeze(y, -1)
    return y if a.ndim > 1 else squeeze(y, -1 if b.ndim == 1 else -2)


def einsum(equation, *operands):
    """Products summed over letters, as NumPy's einsum: einsum("bij,bjk->bik", a, b).  Raises ValueError as it does."""
    several = operands[0] if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else operands
    operands = [as_tensor(x) for x in several]
    inputs, arrow, result = equation.replace(" ", "").partition("->")
    inputs = inputs.split(",")
    if len(inputs) != len(operands):
        raise ValueError(f"einsum: {equation!r} has {len(inputs)} operand(s), {len(operands)} came")
    spare = [letter for letter in string.ascii_letters if letter not in equation]
    extra = builtins.max([x.ndim - len(term) + 3 for x, term in zip(operands, inputs) if "..." in term], default=0)
    inputs = [term.replace("...", "".join(spare[:extra][len(term) - 3 + extra - x.ndim:])) if "..." in term else term
              for x, term in zip(operands, inputs)]
    if not arrow:
        letters = "".join(inputs)
        result = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in spare[:extra]))
    result = result.replace("...", "".join(spare[:extra]))
    for i, (x, term) in enumerate(zip(operands, inputs)):
        if x.ndim != len(term):
            raise ValueError(f"einsum: operand {i} has shape {x.shape}, {equation!r} gives it {len(term)} dimension(s)")
        operands[i], inputs[i] = _diagonals(x, term)
    return table.contraction(tuple(inputs), result)(*operands)


def _diagonals(x, term):
    """`x` and its letters with every letter once: of dimensions that share a letter only the diagonal is taken."""
    for letter in term:
        while term.count(letter) > 1:
            i, j = [k for k, c in enumerate(term) if c == letter][:2]
            if x.shape[i] != x.shape[j]:
                raise ValueError(f"einsum: {letter!r} stands for {x.shape[i]} and for {x.shape[j]}")
            rest = [k for k in range(x.ndim) if k not in (i, j)]
            n = np.arange(x.shape[i])
            x = index(permute(x, (i, j, *rest)), (n, n))
            term = letter + "".join(term[k] for k in rest)
    return x, term


# --- shapes and places ---------------------------------------------------------------------------


def reshape(x, *shape):
    """The same entries in another shape; -1 once for what remains.  Raises ValueError if their number differs."""
    x = as_tensor(x)
    shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return x if shape == x.shape else table.RESHAPE(x, params=(shape,))


def permute(x, *order, dims=()):
    """Dimension dims[k] becomes dimension k.  Raises ValueError unless each is named once."""
    x = as_tensor(x)
    dims = order or dims
    dims = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    order = tuple(one_dim(d, x.ndim) for d in dims)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"dims={dims}: expected each of {x.ndim} dimensions once")
    return table.PERMUTE(x, params=(order,))


def transpose(x, dim0, dim1):
    """Two dimensions change places."""
    x = as_tensor(x)
    order = list(range(x.ndim))
    i, j = one_dim(dim0, x.ndim), one_dim(dim1, x.ndim)
    order[i], order[j] = j, i
    return table.PERMUTE(x, params=(tuple(order),))


def squeeze(x, dim=None):
    """Without the dimensions of length 1, or those of `dim` that have it."""
    x = as_tensor(x)
    gone = [d for d in _dims(dim, x.ndim) if x.shape[d] == 1]
    return reshape(x, tuple(n for d, n in enumerate(x.shape) if d not in gone))


def unsqueeze(x, dim):
    """With a dimension of length 1 at `dim`."""
    x = as_tensor(x)
    dim = one_dim(dim, x.ndim + 1)
    return reshape(x, (*x.shape[:dim], 1, *x.shape[dim:]))


def expand(x, *shape):
    """Repeated along dimensions of length 1, and along new ones in front, without a copy; -1 leaves one as it is."""
    x = as_tensor(x)
    shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    new = len(shape) - x.ndim
    shape = tuple(x.shape[d - new] if n == -1 and d >= new else n for d, n in enumerate(shape))
    return table.EXPAND(x, params=(shape,))


def flip(x, dim, *more):
    """In reverse along `dim`, one dimension or several."""
    x = x if isinstance(x, Plain) else as_tensor(x)
    dims = _dims((dim, *more) if more else dim, x.ndim)
    return x[tuple(slice(None, None, -1 if d in dims else None) for d in range(x.ndim))]


def index(x, at):
    """x[at], for whatever NumPy can index with; an entry that is taken twice adds up both gradients."""
    return table.INDEX(as_tensor(x), params=(as_index(at),))


def as_index(at):
    """`at` with arrays of its own, those of whole numbers as int64: narrow types cannot hold every place."""
    return tuple(map(_index_part, at)) if type(at) is tuple else _index_part(at)


def _index_part(part):
    if type(part) is not np.ndarray and (part is None or part is Ellipsis or
                                         isinstance(part, (slice, numbers.Integral))):
        return part
    if isinstance(part, Tensor):
        raise ValueError("index: expected whole numbers, slices or arrays of int or bool, got a Tensor of floats")
    part = np.array(unmasked(part, "index"))                                # a copy: the caller may change theirs
    if part.dtype.kind in "iu" or part.size == 0 and part.dtype.kind == "f":
        return (np.minimum(part, 2**63 - 1) if part.dtype == np.uint64 else part).astype(np.int64, copy=False)
    return part


def gather(x, dim, index):
    """y[i, j, ...] = x[index[i, j, ...], j, ...] for dim = 0, and so on; `index` is an array of int, of x's ndim."""
    x = as_tensor(x)
    return table.GATHER(x, params=(one_dim(dim, x.ndim), whole_positions(index, x.ndim)))


def whole_positions(index, ndim):
    """`index` as an array of whole numbers.  Raises ValueError for others, and if it has not `ndim` dimensions."""
    positions = as_index(np.asarray(unmasked(index, "index")))
    if positions.ndim != ndim or positions.dtype.kind not in "iu":
        raise ValueError(f"index: expected an array of int with {ndim} dimension(s), got {positions.dtype} with "
                         f"{positions.ndim}")
    return positions


def concatenate(tensors, dim=0):
    """One behind the other along `dim`.  Raises ValueError for none, or for shapes that differ elsewhere."""
    tensors = _several(tensors)
    if isinstance(tensors[0], Plain):
        return np.concatenate(tensors, one_dim(dim, tensors[0].ndim)).view(Plain)
    dim = one_dim(dim, tensors[0].ndim)
    starts = np.cumsum([0, *(t.shape[dim] for t in tensors if t.ndim > dim)]).tolist()
    return table.concatenation(len(tensors))(*tensors, params=(dim, starts))


def stack(tensors, dim=0):
    """One behind the other along a new dimension.  Raises ValueError for none, or for shapes that differ."""
    tensors = _several(tensors)
    if len({t.shape for t in tensors}) > 1:
        raise ValueError(f"tensors: expected one shape, got {[t.shape for t in tensors]}")
    if isinstance(tensors[0], Plain):
        return np.stack(tensors, dim).view(Plain)
    return concatenate([unsqueeze(t, dim) for t in tensors], one_dim(dim, tensors[0].ndim + 1))


def _several(tensors):
    if isinstance(tensors, Tensor):
        raise ValueError(f"tensors: expected a sequence of Tensors, got one, of shape {tensors.shape}")
    tensors = list(tensors)
    if not tensors:
        raise ValueError("tensors: expected at least one, got none")
    if all(isinstance(t, Plain) for t in tensors):
        return tensors
    first = next((t for t in tensors if type(t) is Tensor), None)
    return [as_tensor(t, first) for t in tensors]


def split(x, split_size, dim=0):
    """Pieces along `dim`, of length `split_size`, the last perhaps shorter, or of the lengths in a list."""
    x = x if isinstance(x, Plain) else as_tensor(x)
    dim = one_dim(dim, x.ndim)
    n = x.shape[dim]
    if isinstance(split_size, numbers.Integral):
        if split_size < 1:
            raise ValueError(f"split_size={split_size}: expected a whole number of at least 1, or a list")
        split_size = [builtins.min(split_size, n - start) for start in range(0, n, split_size)] or [n]
    split_size = [int(length) for length in split_size]
    if builtins.sum(split_size) != n or builtins.min(split_size, default=0) < 0:
        raise ValueError(f"split_size={split_size}: sums to {builtins.sum(split_size)}, dimension {dim} has length {n}")
    if isinstance(x, Plain):
        return tuple(map(Plain, np.split(x, np.cumsum(split_size)[:-1], dim)))
    return table.split(x, split_size, dim)


def pad(x, pad, value=0.0):
    """With `value` around it: `pad` is (left, right) for the last dimension, the same for that before, and so on."""
    x, pad = as_tensor(x), tuple(pad)
    if len(pad) % 2 or len(pad) > 2 * x.ndim or builtins.min(pad, default=0) < 0:
        raise ValueError(f"pad={pad}: expected a pair of whole numbers >= 0 for each of up to {x.ndim} dimension(s)")
    pairs = [(pad[k], pad[k + 1]) for k in range(0, len(pad), 2)][::-1]
    return table.PAD(x, params=([(0, 0)] * (x.ndim - len(pairs)) + pairs, value))


def to(x, *what, **named):
    """As another dtype; whole numbers and truth values are Plain, and have no gradient.  Devices can only be the CPU.

    Raises ValueError for other types and devices.
    """
    x, dtype = as_tensor(x), asked_dtype(*what, **named)
    if dtype is None or dtype == x.dtype:
        return x
    return table.TO(x, params=(dtype,)) if dtype.kind == "f" else Plain(x._data.astype(dtype))
