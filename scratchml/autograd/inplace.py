"""Changes in place: by Python's operators, to entries, and by the methods whose names end in an underscore.

A leaf is changed in its array, also under its other names, as long as no gradient can go wrong by it: the leaf requires
none, or it stands under `no_grad`.

The array of what an operation has computed is never changed, since its graph relies on it.  Of it, x -= y makes a new
Tensor; x.sub_(y) and x[i] = y compute one as well, which takes the place of x: x is then the result of that operation.
Whoever else shows the same numbers, as x does those of y after x = y[0], would not see it, so that is refused.  And an
operation that has needed x as it was before has an error in the sweep.

A Tensor of zeros that is filled piece by piece, y[t] = h, is computed by its assignments once an h requires a gradient:
each is an operation, (y, h) -> y, whose gradient by y is 0 where h stands.  It writes to the array of y itself.

>>> from scratchml.autograd import Tensor, no_grad
>>> x = Tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> with no_grad():
...     x -= 0.25 * x.grad
...     _ = x.grad.zero_()
>>> x, x.grad
(Tensor([0.5, 1. ], requires_grad=True), Tensor([0., 0.]))
"""
import functools
import sys

import numpy as np

from scratchml.autograd import composed, ops, table
from scratchml.autograd.fused import _arrays_in
from scratchml.autograd.memory import _PRIVATE, Memory
from scratchml.autograd.plain import Plain
from scratchml.autograd.tensor import Tensor, _changed, _mode
from scratchml.core.random import generator as as_generator


def _changeable(x, what):
    """Whether the array of `x` may be written to.  Raises RuntimeError for a leaf whose gradient would be wrong
    then."""
    if x.is_leaf and x.requires_grad and _mode.recording:
        raise RuntimeError(f"{what}: this leaf requires a gradient, and is not changed in place while operations are "
                           "remembered; write `with no_grad():` around a step, or x = x + ... for a new Tensor")
    return x.is_leaf and x._memory is not _PRIVATE


def _write(x, array):
    """Put `array`, broadcast and in the dtype of `x`, into the array of `x`, or in its place if that is read-only."""
    if x._data.flags.writeable:
        x._shared()[...] = array
    else:
        x.data = np.array(np.broadcast_to(array, x.shape), x.dtype)
    return x


def _assignment(symbol, function):
    """x ∘= b.  It changes the array of `x`; what an operation has computed, or now depends on b, is a new Tensor."""
    def assignment(x, b):
        if not _changeable(x, f"x {symbol} ...") or getattr(b, "requires_grad", False) and _mode.recording:
            return function(x, b)
        shape = np.shape(ops.bare(b))
        if len(shape) > x.ndim or any(n not in (1, m) for n, m in zip(shape[::-1], x.shape[::-1])):
            raise ValueError(f"x {symbol} ...: expected a shape that fits into {x.shape}, got {shape}")
        return _write(x, function(x, b)._data)
    return assignment


Tensor.__iadd__, Tensor.__isub__ = _assignment("+=", ops.add), _assignment("-=", ops.sub)
Tensor.__imul__, Tensor.__itruediv__ = _assignment("*=", ops.mul), _assignment("/=", ops.div)
Tensor.__ipow__ = _assignment("**=", ops.pow)


def _setitem(x, index, value):
    """x[index] = value.  Once x was computed, or a value requires a gradient, x is the result of the assignment."""
    assigned = x._node is not None and x._node.primitive is table.ASSIGN and _mode.recording
    if not assigned and not _changeable(x, "x[...] = ..."):
        if not _mode.recording or x._node is None:
            raise TypeError("x[...] = ...: what an operation has computed is not changed in place where operations are "
                            "not remembered: assign to its clone().detach()")
        _take_place(x, table.CLONE, "x[...] = ...")
        assigned = True
    value, at = ops.as_tensor(value, x), ops.as_index(index)
    if assigned or value.requires_grad and _mode.recording:
        y = table.ASSIGN(x, value, params=(at,))
        x._node, x.requires_grad, array = y._node, True, y._data
    else:
        array = table.assigned(x._data, value._data, at)
    x._data, x._memory = array, Memory(array)            # who has kept x as it was before finds another memory


Tensor.__setitem__ = _setitem


def _take_place(x, compute, what):
    """Make x, which was computed, the result of compute(x).  Raises TypeError where others show what x shows."""
    if _shown_elsewhere(x):
        raise TypeError(f"{what}: this result of {x._node.name} is not changed in place: other Tensors show the same "
                        "numbers, and would not change with it; change its clone(), or the Tensor that it is a part of")
    before = x.detach()                                  # what the operation may keep: x as it was
    before._node, before.requires_grad = x._node, True
    y = compute(before)
    x._data, x._node, x._memory = y._data, y._node, y._memory
    _changed[id(x)] = x
    return x


def _shown_elsewhere(x):
    """Whether another Tensor lies in the memory of x, a result.  What the operations that led to it keep does not
    count."""
    owner = x._data if x._data.base is None else x._data.base
    node, kept = x._node, int(x._memory is not None and x._memory.array is owner)
    for _ in range(8):                                   # the operation itself, and what it has made views of
        saved = _arrays_in(node.saved)
        kept += sum(array is owner for array in saved)
        kept += len({id(array) for array in saved if array.base is owner and array is not x._data})
        del saved                                        # an array in it is held by that list alone
        node = node.edges[0] if node.edges and hasattr(node.edges[0], "edges") else None
        if node is None:
            break
    return sys.getrefcount(owner) - kept > 3             # here by its name and as an argument, and in x


# --- methods: what takes the place of x ----------------------------------------------------------

OVERWRITE = {"zero_", "fill_", "copy_", "normal_", "uniform_"}                   # what is there does not count for them
TWINS = "exp tanh sigmoid relu sqrt pow neg index_fill scatter_add index_add"         # name_ is that in place


def _in_place(compute):
    """The method of that name, which puts compute(array of x, arguments) in the place of x and returns x."""
    name = compute.__name__

    def computed(x, *arguments, **named):
        """The same as an operation on Tensors: that of the name without its underscore, or an assignment."""
        if name in OVERWRITE:
            value = ops.as_tensor(compute(x._data, *arguments, **named), x)
            return table.ASSIGN(table.CLONE(x), value, params=(...,))
        return getattr(Tensor, name[:-1], compute)(x, *arguments, **named)

    @functools.wraps(compute)
    def method(x, *arguments, **named):
        if not _changeable(x, name):
            if x._node is None or not _mode.recording:
                raise RuntimeError(f"{name}: what an operation has computed is not changed in place where operations "
                                   f"are not remembered; use {name.rstrip('_')} or another operation for a new Tensor")
            return _take_place(x, lambda x: computed(x, *arguments, **named), name)
        if any(getattr(a, "requires_grad", False) for a in (*arguments, *named.values())) and _mode.recording:
            raise RuntimeError(f"{name}: an argument requires a gradient, which the change would lose; detach it first")
        array = np.asarray(compute(x._data, *map(ops.bare, arguments), **{k: ops.bare(a) for k, a in named.items()}))
        if np.broadcast_shapes(array.shape, x.shape) != x.shape:
            raise ValueError(f"{name}: expected what fits into shape {x.shape}, got {array.shape}")
        return _write(x, array)
    setattr(Tensor, name, method)
    setattr(Plain, name, _written(compute))
    return method


def _written(compute):
    """The same of whole numbers and truth values, which no graph relies on."""
    @functools.wraps(compute)
    def method(x, *arguments, **named):
        x[...] = compute(x.numpy(), *map(ops.bare, arguments), **named)
        return x
    return method


@_in_place
def zero_(x):
    """Zeros."""
    return np.zeros((), x.dtype)


@_in_place
def fill_(x, value):
    """One number, everywhere."""
    return value


@_in_place
def copy_(x, src, non_blocking=False):
    """The numbers of another."""
    return src


@_in_place
def add_(x, other, *, alpha=1):
    """x + alpha other"""
    return x + alpha * other


@_in_place
def sub_(x, other, *, alpha=1):
    """x - alpha other"""
    return x - alpha * other


@_in_place
def mul_(x, other):
    """x other"""
    return x * other


@_in_place
def div_(x, other):
    """x / other"""
    return x / other


@_in_place
def clamp_(x, min=None, max=None):
    """The nearest values from `min` to `max`."""
    return np.clip(x, min, max)


@_in_place
def addcmul_(x, tensor1, tensor2, *, value=1):
    """x + value tensor1 tensor2"""
    return x + value * tensor1 * tensor2


@_in_place
def addcdiv_(x, tensor1, tensor2, *, value=1):
    """x + value tensor1 / tensor2"""
    return x + value * tensor1 / tensor2


@_in_place
def lerp_(x, end, weight):
    """x + weight (end - x)"""
    return x + weight * (end - x)


@_in_place
def masked_fill_(x, mask, value):
    """`value` where `mask` is true."""
    return np.where(mask, value, x)


@_in_place
def scatter_(x, dim, index, src=None, *, value=None):
    """`src`, a number or an array of the shape of `index`, at the places along `dim` that `index` names."""
    return composed.scatter(Tensor(x), dim, index, src, value=value)._data if x.dtype.kind == "f" else \
        _scattered(x.copy(), dim, index, composed.one_of_both(src, value))


@_in_place
def fill_diagonal_(x, value):
    """A matrix (N, D) with `value` on its diagonal.  Raises ValueError for other shapes."""
    if x.ndim != 2:
        raise ValueError(f"fill_diagonal_: expected a matrix, got shape {x.shape}")
    diagonal = np.eye(*x.shape, dtype=bool)
    return x.masked_fill(diagonal, value) if isinstance(x, Tensor) else np.where(diagonal, value, x)


def _scattered(y, dim, index, src):
    np.put_along_axis(y, np.asarray(index), src, dim)
    return y


@_in_place
def normal_(x, mean=0.0, std=1.0, *, generator=None):
    """Normal numbers, from the generator of `manual_seed`."""
    return as_generator(generator).normal(mean, std, x.shape)


@_in_place
def uniform_(x, low=0.0, high=1.0, *, generator=None):
    """Uniform numbers, from the generator of `manual_seed`."""
    return as_generator(generator).uniform(low, high, x.shape)


def _twin(name):
    """The method `name`_, which puts what the method `name` computes in the place of x."""
    def twin(x, *arguments, **named):
        return getattr(Tensor, name)(Tensor(x) if isinstance(x, np.ndarray) else x, *arguments, **named)._data
    twin.__qualname__ = twin.__name__ = f"{name}_"
    twin.__doc__ = f"What `{name}` computes, in the place of x."
    return _in_place(twin)


for _name in TWINS.split():
    _twin(_name)


def _other_shape(name):
    """The method `name`_, after which x has the shape that the method `name` gives it."""
    def method(x, *arguments):
        if x._node is not None:
            return _take_place(x, lambda x: getattr(x, name)(*arguments), f"{name}_")
        x._data = getattr(ops, name)(x.detach(), *arguments)._data
        x._memory = Memory(x._data)
        return x
    method.__qualname__ = method.__name__ = f"{name}_"
    method.__doc__ = f"In the shape that `{name}` gives it."
    setattr(Tensor, method.__name__, method)


for _name in ("squeeze", "unsqueeze"):
    _other_shape(_name)


def _detach(x):
    """Cut off from the graph from now on.  Returns itself."""
    if x._node is not None:
        x._memory = x._memory or _PRIVATE
        x._node = None
    x.requires_grad = False
    return x


Tensor.detach_ = _detach
