"""Whole numbers and truth values: arrays that have no gradient, with PyTorch's methods.

A class number, a position, a comparison cannot be moved a little, so it has no derivative and needs no Tensor: it is an
array.  `Plain` is NumPy's array, to be used wherever one is, and knows besides what scripts written for PyTorch ask of
their integer and boolean tensors: `.float()` of a comparison, `.size(0)`, `.view(-1)`, `sum(dim=1)`.

Choices
    Where a method means one thing in NumPy and another in PyTorch, PyTorch's form of call decides: transpose(0, 1)
    exchanges two dimensions, repeat(2, 3) tiles; named by `axis`, or with a tuple, they are NumPy's.
    Arithmetic with a Python float, and a quotient, gives a Tensor of float32, PyTorch's default.

>>> p, y = Plain([1, 0, 2]), Plain([1, 1, 2])
>>> (p == y).float().mean(), (p == y).sum().item(), y.size(0), y.view(3, 1).size()
(Tensor(0.6666667, dtype=float32), 2, 3, (3, 1))
"""
import numbers
from typing import NamedTuple

import numpy as np

from scratchml.autograd.tensor import FLOATS, Tensor


class Size(int):
    """The number of entries, as NumPy has it; called, the shape or the length of one dimension, as in PyTorch."""

    def __new__(cls, shape, count):
        size = int.__new__(cls, count)
        size.shape = shape
        return size

    def __call__(self, dim=None):
        return self.shape if dim is None else self.shape[dim]


class Plain(np.ndarray):
    """An array of whole numbers or truth values, of any shape, shared if it is an array already."""

    of_an_array = True                                   # nothing is lost where it is stored as one
    grad, requires_grad, is_leaf, device = None, False, True, "cpu"

    def __new__(cls, data, dtype=None):
        return np.asarray(data, dtype).view(cls)

    def __getitem__(self, at):
        part = super().__getitem__(at)
        return part if isinstance(part, Plain) else Plain(part)

    def __hash__(self):
        """That of the number, for the sake of dictionaries; an array has none."""
        if self.ndim:
            raise TypeError(f"unhashable: an array of shape {self.shape}; a single number, or .item(), can be a key")
        return hash(self.item())

    def __int__(self):
        """That of the one entry, whatever the shape."""
        return int(self.item())

    def __float__(self):
        """That of the one entry, whatever the shape."""
        return float(self.item())

    def __array_function__(self, function, types, arguments, named):
        """NumPy's functions see NumPy's arrays; whole numbers and truth values that they return are Plain again."""
        if any(not issubclass(kind, Plain) and kind is not np.ndarray for kind in types):
            return NotImplemented
        result = function(*_of_numpy(arguments), **_of_numpy(named))
        return result.view(Plain) if isinstance(result, np.ndarray) and result.dtype.kind in "biu" else result

    # --- types

    def float(self):
        """As a Tensor of float32."""
        return Tensor(self.numpy().astype(np.float32))

    def double(self):
        """As a Tensor of float64."""
        return Tensor(self.numpy().astype(np.float64))

    def long(self):
        """As int64."""
        return self.astype(np.int64, copy=False)

    def int(self):
        """As int32."""
        return self.astype(np.int32, copy=False)

    def bool(self):
        """As truth values: whether an entry is not 0."""
        return self.astype(bool, copy=False)

    def to(self, *what, **named):
        """As another dtype; a device, which can only be the CPU, changes nothing."""
        dtype = asked_dtype(*what, **named)
        return self if dtype is None else as_dtype(self.numpy(), dtype)

    def type(self, dtype):
        """As another dtype."""
        return self.to(dtype)

    def type_as(self, other):
        """In the dtype of `other`."""
        return self.to(other.dtype)

    def numpy(self):
        """As NumPy's own array, with the same memory."""
        return self.view(np.ndarray)

    def detach(self):
        return self

    def requires_grad_(self, requires_grad=True):
        """Itself.  Raises ValueError where a gradient is asked for: whole numbers have none."""
        if requires_grad:
            raise ValueError(f"requires_grad=True: expected floats, got {self.dtype}, which have no gradient")
        return self

    def cpu(self):
        return self

    def contiguous(self):
        return self

    def clone(self):
        """A copy."""
        return self.copy()

    # --- shapes

    @property
    def data(self):
        """Itself, which has no graph."""
        return self

    @property
    def size(self):
        return Size(self.shape, np.ndarray.size.__get__(self))

    def numel(self):
        return np.ndarray.size.__get__(self)

    def dim(self):
        return self.ndim

    def view(self, *shape):
        """In another shape; NumPy's view for a dtype or class."""
        if shape and (isinstance(shape[0], numbers.Integral) or isinstance(shape[0], (tuple, list))):
            return self.reshape(*shape)
        return super().view(*shape)

    def transpose(self, *dims):
        """Two dimensions exchanged; NumPy's order for a tuple, or none."""
        if len(dims) == 2:
            return self.swapaxes(*dims)
        return super().transpose(*dims)

    def t(self):
        return self.T

    def permute(self, *order, dims=()):
        return super().transpose(*(order or dims))

    def unsqueeze(self, dim):
        return np.expand_dims(self, dim)

    def squeeze(self, dim=None, axis=None):
        """Without the dimensions of length 1, or that of `dim` if it has it."""
        if dim is not None and self.shape[dim] != 1:
            return self
        return super().squeeze(axis if dim is None else dim)

    def flatten(self, *order, start_dim=0, end_dim=-1):
        """All dimensions as one, or those from `start_dim` to `end_dim`."""
        if not order and (start_dim, end_dim) == (0, -1) or order and isinstance(order[0], str):
            return super().flatten(*order)               # a copy: NumPy's functions work in it
        start, end = (np.arange(self.ndim)[d] for d in (*order, *(start_dim, end_dim)[len(order):]))
        return self.reshape(*self.shape[:start], -1, *self.shape[end + 1:])

    def expand(self, *shape):
        """Repeated along dimensions of length 1 and new ones in front; -1 leaves one as it is."""
        shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        new = len(shape) - self.ndim
        return np.broadcast_to(self, [self.shape[d - new] if n == -1 else n for d, n in enumerate(shape)], subok=True)

    def repeat(self, *times, **axis):
        """So many copies along each dimension; NumPy's repetition of entries if `axis` is named, or 0 as it does."""
        if axis or times[1:] == (0,):
            return super().repeat(*times, **axis)
        times = tuple(times[0]) if isinstance(times[0], (tuple, list)) else times
        return np.tile(self.numpy(), times).view(Plain)

    # --- extremes and logic

    def max(self, dim=None, keepdim=False, **named):
        """The greatest of all; along `dim` the values and where they are; NumPy's if its arguments are named."""
        return super().max(**named) if dim is None else self._extreme("max", dim, keepdim)

    def min(self, dim=None, keepdim=False, **named):
        """The least of all; along `dim` the values and where they are; NumPy's if its arguments are named."""
        return super().min(**named) if dim is None else self._extreme("min", dim, keepdim)

    def _extreme(self, name, dim, keepdim):
        values = getattr(np.ndarray, name)(self, axis=dim, keepdims=keepdim)
        return Extreme(values, getattr(np.ndarray, f"arg{name}")(self, axis=dim, keepdims=keepdim))

    def masked_fill(self, mask, value):
        """With `value` where `mask` is true."""
        return np.where(mask, np.asarray(value, self.dtype), self).view(Plain)

    def clamp(self, min=None, max=None):
        """The nearest numbers from `min` to `max`."""
        return np.clip(self, min, max)

    def abs(self):
        return np.abs(self)

    def gather(self, dim, index):
        """As that of a Tensor: the entries along `dim` that `index` names."""
        return np.take_along_axis(self.numpy(), np.asarray(index), dim).view(Plain)


def _of_numpy(value):
    """`value` with NumPy's arrays in the place of Plain, also in lists, tuples and dictionaries."""
    if isinstance(value, (list, tuple)):
        return type(value)([_of_numpy(part) for part in value]) if type(value) in (list, tuple) else value
    if isinstance(value, dict):
        return {key: _of_numpy(part) for key, part in value.items()}
    return value.numpy() if isinstance(value, Plain) else value


class Extreme(NamedTuple):
    """Values, and the positions along a dimension where they are."""
    values: Tensor | Plain
    indices: Plain


def asked_dtype(*what, dtype=None, device=None, non_blocking=False, copy=False):
    """The dtype that arguments as those of PyTorch's `to` name, None for none.  Raises ValueError for other devices."""
    for part in (*what, device):
        if isinstance(getattr(part, "dtype", None), np.dtype):
            dtype = part.dtype
        elif isinstance(part, str) and part.split(":")[0] in ("cpu", "cuda", "mps", "xpu", "meta"):
            if not part.startswith("cpu"):
                raise ValueError(f"device={part!r}: expected 'cpu', there is no other here")
        elif part is not None and not isinstance(part, bool):
            dtype = part
    if dtype is None:
        return None
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        wanted = np.dtype(object)
    if wanted not in FLOATS and wanted.kind not in "biu":
        raise ValueError(f"dtype={dtype!r}: expected float32, float64, a type of whole numbers or bool")
    return wanted


def as_dtype(array, dtype):
    """`array` in `dtype`: a Tensor of floats, or whole numbers and truth values as Plain."""
    dtype = np.dtype(dtype)
    return Tensor(array.astype(dtype, copy=False)) if dtype.kind == "f" else Plain(array.astype(dtype, copy=False))


def _reduction(name):
    inherited = getattr(np.ndarray, name)

    def reduction(self, dim=None, *rest, keepdim=False, **named):
        if keepdim or rest and isinstance(rest[0], bool):
            named, rest = {**named, "keepdims": keepdim or rest[0]}, rest[1:]
        named.setdefault("axis", dim)
        return inherited(self, *rest, **named)
    reduction.__name__, reduction.__doc__ = name, f"NumPy's {name}; `dim` and `keepdim` are axis and keepdims."
    return reduction


for _name in ("sum", "mean", "any", "all", "argmax", "argmin", "cumsum", "cumprod"):
    setattr(Plain, _name, _reduction(_name))


def _arithmetic(ufunc, reflected=False):
    def operator(a, b):
        if type(b) is not Plain and not isinstance(b, numbers.Real):
            return NotImplemented if isinstance(b, Tensor) else \
                ufunc(b, a.numpy()) if reflected else ufunc(a.numpy(), b)
        b = b.numpy() if type(b) is Plain else b
        result = np.asarray(ufunc(b, a.numpy()) if reflected else ufunc(a.numpy(), b))
        return Tensor(result.astype(np.float32)) if result.dtype.kind == "f" else result.view(Plain)
    return operator


for _name, _ufunc in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide,
                       "pow": np.power}.items():
    setattr(Plain, f"__{_name}__", _arithmetic(_ufunc))
    setattr(Plain, f"__r{_name}__", _arithmetic(_ufunc, reflected=True))
