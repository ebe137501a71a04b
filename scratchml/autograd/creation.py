"""Tensors from nothing: zeros, ranges, random numbers, and from what Python and NumPy have.

The functions are PyTorch's.  Python's floats become float32, its whole numbers and truth values Plain arrays; an array
keeps its type.  `dtype` says otherwise, `device` can only be "cpu".  Random numbers come from the generator that
`manual_seed` sets, or else anew.

>>> tensor([1.0, 2.0]), tensor([1, 2]), zeros(1, 2, requires_grad=True), arange(0, 1, 0.25)
(Tensor([1., 2.], dtype=float32), Plain([1, 2]), Tensor([[0., 0.]], dtype=float32, requires_grad=True), \
Tensor([0.  , 0.25, 0.5 , 0.75], dtype=float32))
"""
import numpy as np

from scratchml.autograd.plain import Plain, as_dtype, asked_dtype
from scratchml.autograd.tensor import Tensor
from scratchml.core.checks import unmasked
from scratchml.core.random import generator


def tensor(data, dtype=None, device=None, requires_grad=False):
    """A copy of `data`, numbers in lists, arrays, Tensors, (N, D) or of any shape.  Raises ValueError for others."""
    array = np.array(_bare(unmasked(data, "data")))
    if dtype is None and array.dtype.kind == "f" and not _holds_arrays(data):
        dtype = np.float32
    return _made(array, dtype, device, requires_grad)


def as_tensor(data, dtype=None, device=None):
    """`data` itself where it is a Tensor or array of that type already, else as `tensor`."""
    wanted = asked_dtype(dtype=dtype, device=device)
    if isinstance(data, Tensor) and wanted in (None, data.dtype):
        return data
    if isinstance(data, np.ndarray) and wanted in (None, data.dtype):
        return from_numpy(data)
    return tensor(data, dtype)


def from_numpy(array):
    """The array (N, D), or of any shape, itself as a Tensor or Plain.  Raises ValueError for what is no array."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"array: expected a numpy.ndarray, got {type(array).__name__}")
    return as_dtype(array, array.dtype)


def _bare(data):
    """`data` with arrays in the place of Tensors."""
    if isinstance(data, (list, tuple)):
        return [_bare(part) for part in data]
    return data._data if isinstance(data, Tensor) else data


def _holds_arrays(data):
    return isinstance(data, (np.ndarray, np.generic, Tensor)) or \
        isinstance(data, (list, tuple)) and bool(data) and _holds_arrays(data[0])


def _made(array, dtype, device, requires_grad):
    wanted = asked_dtype(dtype=dtype, device=device)
    made = as_dtype(array, array.dtype if wanted is None else wanted)
    if requires_grad:
        if isinstance(made, Plain):
            raise ValueError(f"requires_grad=True: expected floats, got {made.dtype}, which have no gradient")
        made.requires_grad = True
    return made


def _filled(size, value, dtype, device, requires_grad):
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    return _made(np.full(shape, value), np.float32 if dtype is None else dtype, device, requires_grad)


class Generator(np.random.Generator):
    """A source of random numbers, begun anew by `manual_seed`."""

    def __init__(self, device="cpu"):
        super().__init__(np.random.PCG64())

    def manual_seed(self, seed):
        """Begin anew with `seed`; returns itself."""
        self.bit_generator.state = np.random.PCG64(seed).state
        return self


def _either(sizes, size):
    """The shape that was given by position or by name, as the functions below take it."""
    if sizes and size != ():
        raise ValueError(f"size: expected one shape, got {sizes} and size={size}")
    return sizes or (size,)


def zeros(*sizes, size=(), dtype=None, device=None, requires_grad=False):
    """Zeros of the shape `size`, numbers or one tuple, which may be named."""
    return _filled(_either(sizes, size), 0.0, dtype, device, requires_grad)


def ones(*sizes, size=(), dtype=None, device=None, requires_grad=False):
    """Ones of the shape `size`, numbers or one tuple, which may be named."""
    return _filled(_either(sizes, size), 1.0, dtype, device, requires_grad)


def empty(*sizes, size=(), dtype=None, device=None, requires_grad=False):
    """A Tensor of the shape `size` whose numbers do not count: zeros."""
    return _filled(_either(sizes, size), 0.0, dtype, device, requires_grad)


def full(size, fill_value, dtype=None, device=None, requires_grad=False):
    """`fill_value` in the shape `size`, (N, D) for instance; whole where that is.  Raises ValueError for no number."""
    dtype = np.float32 if dtype is None and isinstance(fill_value, float) else dtype
    return _made(np.full(size, fill_value), dtype, device, requires_grad)


def eye(n, m=None, dtype=None, device=None, requires_grad=False):
    """Ones on the diagonal of zeros (N, N), or (N, M).  Raises ValueError for sizes below 0."""
    return _made(np.eye(n, m), np.float32 if dtype is None else dtype, device, requires_grad)


def arange(start, end=None, step=1, dtype=None, device=None, requires_grad=False):
    """start, start + step, ... below `end`, or 0, 1, ... below `start`: (N,); whole numbers of such.  Raises ValueError
    for a step of 0."""
    if not step:
        raise ValueError("step=0: expected another number")
    array = np.arange(start, end, step)
    return _made(array, np.float32 if dtype is None and array.dtype.kind == "f" else dtype, device, requires_grad)


def linspace(start, end, steps, dtype=None, device=None, requires_grad=False):
    """`steps` numbers (N,) from `start` to `end`, both included.  Raises ValueError for fewer than 0."""
    return _made(np.linspace(start, end, steps), np.float32 if dtype is None else dtype, device, requires_grad)


def _of_type(name, dtype):
    """PyTorch's old name for a Tensor of one type: of what a list holds, or of zeros in the sizes that are given."""
    def made(*data):
        whole = all(isinstance(n, (int, np.integer)) for n in data)
        return zeros(*data, dtype=dtype) if whole else tensor(*data, dtype=dtype)
    made.__name__, made.dtype = name, np.dtype(dtype)
    made.__doc__ = f"`tensor` with dtype={dtype!r} of a list or array (N, D), or zeros of the shape that numbers give."
    return made


FloatTensor, DoubleTensor = _of_type("FloatTensor", "float32"), _of_type("DoubleTensor", "float64")
LongTensor, BoolTensor = _of_type("LongTensor", "int64"), _of_type("BoolTensor", "bool")


# --- random --------------------------------------------------------------------------------------


def _drawn(draw, size, dtype, device, requires_grad):
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    return _made(draw(shape), np.float32 if dtype is None else dtype, device, requires_grad)


def rand(*sizes, size=(), generator=None, dtype=None, device=None, requires_grad=False):
    """Uniform numbers from 0 to 1 of the shape `size`."""
    return _drawn(_rng(generator).random, _either(sizes, size), dtype, device, requires_grad)


def randn(*sizes, size=(), generator=None, dtype=None, device=None, requires_grad=False):
    """Normal numbers of mean 0 and variance 1 of the shape `size`."""
    return _drawn(_rng(generator).standard_normal, _either(sizes, size), dtype, device, requires_grad)


def normal(mean=0.0, std=1.0, size=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Normal numbers of this mean and deviation, numbers or Tensors (N, D), of the shape `size` or of theirs."""
    shape = np.broadcast_shapes(np.shape(_bare(mean)), np.shape(_bare(std))) if size is None else tuple(size)
    kind = next((x.dtype for x in (mean, std) if isinstance(x, Tensor)), np.float32) if dtype is None else dtype
    return _drawn(lambda shape: _rng(generator).normal(_bare(mean), _bare(std), shape), (shape,), kind, device,
                  requires_grad)


def randint(low, high=None, size=(), generator=None, dtype=None, device=None):
    """Whole numbers from `low` to below `high`, or from 0 to below `low`, of the shape `size`, (N, D) for instance.

    Raises ValueError for a range without numbers.
    """
    if isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    low, high = (0, low) if high is None else (low, high)
    return _made(_rng(generator).integers(low, high, tuple(size)), np.int64 if dtype is None else dtype, device, False)


def bernoulli(input, *, generator=None):
    """1 with the probabilities `input`, (N, D) or any, else 0; without a gradient.  Raises ValueError for others."""
    p = _bare(input)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("input: expected probabilities, from 0 to 1")
    return Tensor((_rng(generator).random(p.shape) < p).astype(p.dtype))


def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Places drawn in proportion to the weights `input`, (N) or (B, N): (K) or (B, K) for K of `num_samples`.

    Raises ValueError for weights that are negative or not finite, and for fewer than there are draws without
    `replacement`.
    """
    w = np.asarray(_bare(input), np.float64)
    if w.ndim not in (1, 2) or not np.isfinite(w).all() or (w < 0).any():
        raise ValueError(f"input: expected weights >= 0 of shape (N,) or (B, N), got shape {w.shape}")
    least = 1 if replacement else num_samples
    if ((w > 0).sum(-1) < least).any():
        raise ValueError(f"input: expected at least {least} weight(s) above 0")
    draws = [_rng(generator).choice(w.shape[-1], num_samples, replacement, row / row.sum())
             for row in w.reshape(-1, w.shape[-1])]
    return Plain(np.reshape(draws, (*w.shape[:-1], num_samples)))


def randperm(n, generator=None, dtype=None, device=None):
    """0 ... n - 1 in random order, (N,).  Raises ValueError for n below 0."""
    return _made(_rng(generator).permutation(n), np.int64 if dtype is None else dtype, device, False)


def _rng(given):
    return generator(given)


# --- like another --------------------------------------------------------------------------------


def _like(make, name):
    def like(input, dtype=None, device=None, requires_grad=False):
        return make(tuple(input.shape), input.dtype if dtype is None else dtype, device, requires_grad)
    like.__name__ = name
    like.__doc__ = f"{name.removesuffix('_like')}, in the shape and type of `input`, (N, D) or any."
    return like


zeros_like = _like(lambda shape, *how: _filled((shape,), 0.0, *how), "zeros_like")
ones_like = _like(lambda shape, *how: _filled((shape,), 1.0, *how), "ones_like")
empty_like = _like(lambda shape, *how: _filled((shape,), 0.0, *how), "empty_like")
rand_like = _like(lambda shape, *how: _drawn(_rng(None).random, (shape,), *how), "rand_like")
randn_like = _like(lambda shape, *how: _drawn(_rng(None).standard_normal, (shape,), *how), "randn_like")


def new_zeros(x, *size, dtype=None, device=None, requires_grad=False):
    """Zeros of the shape `size` in the dtype of this one, or another."""
    return _filled(size, 0.0, x.dtype if dtype is None else dtype, device, requires_grad)


def new_empty(x, *size, dtype=None, device=None, requires_grad=False):
    """As new_zeros: the numbers do not count."""
    return new_zeros(x, *size, dtype=dtype, device=device, requires_grad=requires_grad)


def new(x, *data):
    """PyTorch's old name: what a list or array holds, in the dtype of this one, or zeros in sizes, new(2, 3)."""
    whole = all(isinstance(n, (int, np.integer)) for n in data)
    return new_zeros(x, *data) if whole else tensor(*data, dtype=x.dtype)


def new_ones(x, *size, dtype=None, device=None, requires_grad=False):
    """Ones of the shape `size` in the dtype of this one, or another."""
    return _filled(size, 1.0, x.dtype if dtype is None else dtype, device, requires_grad)


def new_full(x, size, fill_value, dtype=None, device=None, requires_grad=False):
    """`fill_value` in the shape `size` and the dtype of this one, or another."""
    return _filled((size,), fill_value, x.dtype if dtype is None else dtype, device, requires_grad)


def new_tensor(x, data, dtype=None, device=None, requires_grad=False):
    """A copy of `data`, as `tensor`, in the dtype of this one, or another."""
    return tensor(data, x.dtype if dtype is None else dtype, device, requires_grad)


for _function in (new, new_empty, new_zeros, new_ones, new_full, new_tensor):
    setattr(Tensor, _function.__name__, _function)
    setattr(Plain, _function.__name__, _function)


def full_like(input, fill_value, dtype=None, device=None, requires_grad=False):
    """`fill_value` in the shape, (N, D) or any, and type of `input`.  Raises ValueError for no number."""
    return _filled((tuple(input.shape),), fill_value, input.dtype if dtype is None else dtype, device, requires_grad)
