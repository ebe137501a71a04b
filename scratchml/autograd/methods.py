"""Tensors in Python's and NumPy's terms: methods, operators, and NumPy's functions, all by way of the derivative table.

What NumPy can do with a Tensor and the table has no row for is refused in words.  Nothing turns a Tensor that
requires a gradient into an array in silence: the graph would end there, and the gradient would be wrong.  A number,
by `item`, `float` or in a text, is asked for in so many words.

What an operation has computed is never changed, since its graph relies on it.  A leaf is: x -= y writes to its array,
also under its other names, as long as no gradient can go wrong by it: the leaf requires none, or it stands under
`no_grad`.  Of what was computed, x -= y makes a new Tensor.

>>> from scratchml.autograd import Tensor
>>> x = Tensor([0.0, 1.0], requires_grad=True)
>>> np.tanh(2 * x)[1]
Tensor(0.96402758, requires_grad=True)
>>> np.sinh(x)
Traceback (most recent call last):
    ...
TypeError: numpy.sinh of a Tensor: it has no row in the derivative table. Use scratchml.autograd.ops, or \
t.detach().numpy() to leave the graph
"""
import numpy as np

from scratchml.autograd import ops, table
from scratchml.autograd.memory import _PRIVATE
from scratchml.autograd.tensor import Tensor, _mode

# --- methods -------------------------------------------------------------------------------------

for _name in ("add sub mul div pow neg exp log log1p sqrt abs tanh sigmoid relu leaky_relu softplus clamp maximum "
              "minimum masked_fill sum mean var max min amax amin argmax argmin cumsum logsumexp softmax log_softmax "
              "matmul reshape permute transpose squeeze unsqueeze expand flip gather split to").split():
    setattr(Tensor, _name, getattr(ops, _name))


def _item(x):
    """The value of a Tensor with one entry, as a Python float.  Raises ValueError for any other."""
    if x._data.size != 1:
        raise ValueError(f"item: expected a Tensor with one entry, got shape {x.shape}")
    return x._data.item()


def _repr(x):
    text = np.array2string(x._data, separator=", ", prefix="Tensor(", threshold=100)
    kind = "" if x.dtype == np.float64 else f", dtype={x.dtype}"
    return f"Tensor({text}{kind}{', requires_grad=True' if x.requires_grad else ''})"


def _len(x):
    if not x.ndim:
        raise TypeError("len() of a Tensor without dimensions")
    return len(x._data)


def _format(x, form):
    """f"{loss:.3f}" of a Tensor with one entry, as of its value; without a form as its repr."""
    return format(x.item(), form) if form else repr(x)


Tensor.item, Tensor.__repr__, Tensor.__len__, Tensor.__float__ = _item, _repr, _len, _item
Tensor.__format__ = _format
Tensor.__bool__ = lambda x: bool(x.item())
Tensor.__iter__ = lambda x: (x[i] for i in range(len(x)))
Tensor.numel = lambda x: x._data.size
Tensor.ndim = property(lambda x: x._data.ndim, doc="The number of dimensions.")
Tensor.is_leaf = property(lambda x: x._node is None, doc="Whether no remembered operation has computed it.")
Tensor.T = property(lambda x: table.PERMUTE(x, params=(tuple(range(x.ndim))[::-1],)), doc="All dimensions in reverse.")
Tensor.mT = property(lambda x: table.MT(x), doc="Every matrix transposed.")

# --- operators -----------------------------------------------------------------------------------

Tensor.__getitem__ = ops.index
Tensor.__neg__, Tensor.__abs__, Tensor.__matmul__, Tensor.__pow__ = ops.neg, ops.abs, ops.matmul, ops.pow
Tensor.__rmatmul__ = lambda b, a: ops.matmul(a, b)
Tensor.__rpow__ = lambda b, a: table.POW(*ops._pair(a, b))


def _operators(row):
    """a ∘ b and its reflection, without detour for two Tensors."""
    def operator(a, b):
        return row(a, b if type(b) is Tensor else ops.as_tensor(b, a))

    def reflected(b, a):
        return row(ops.as_tensor(a, b), b)
    return operator, reflected


Tensor.__add__, Tensor.__radd__ = _operators(table.ADD)
Tensor.__sub__, Tensor.__rsub__ = _operators(table.SUB)
Tensor.__mul__, Tensor.__rmul__ = _operators(table.MUL)
Tensor.__truediv__, Tensor.__rtruediv__ = _operators(table.DIV)


def _comparison(ufunc):
    def comparison(a, b):
        if b is None:                                    # which nothing is equal to
            return ufunc is np.not_equal if ufunc in (np.equal, np.not_equal) else NotImplemented
        return ufunc(a._data, ops.as_tensor(b, a)._data)
    return comparison


Tensor.__lt__, Tensor.__le__, Tensor.__eq__ = map(_comparison, (np.less, np.less_equal, np.equal))
Tensor.__gt__, Tensor.__ge__, Tensor.__ne__ = map(_comparison, (np.greater, np.greater_equal, np.not_equal))

# --- changes in place ----------------------------------------------------------------------------


def _changeable(x, what):
    """Whether the array of `x` may be written to.  Raises RuntimeError for a leaf whose gradient would be wrong then."""
    if x.is_leaf and x.requires_grad and _mode.recording:
        raise RuntimeError(f"{what}: this leaf requires a gradient, and is not changed in place while operations are "
                           "remembered; write `with no_grad():` around a step, or x = x + ... for a new Tensor")
    return x.is_leaf and x._memory is not _PRIVATE


def _write(x, array):
    """Put `array`, broadcast and in the dtype of `x`, into the array of `x`, or in its place if that is read-only."""
    if x._data.flags.writeable:
        x.data[...] = array
    else:
        x.data = np.array(np.broadcast_to(array, x.shape), x.dtype)
    return x


def _assignment(symbol, function):
    """x ∘= b.  It changes the array of `x`; what an operation has computed, or now depends on b, is a new Tensor."""
    def assignment(x, b):
        if not _changeable(x, f"x {symbol} ...") or getattr(b, "requires_grad", False) and _mode.recording:
            return function(x, b)
        shape = np.shape(_bare(b))
        if len(shape) > x.ndim or any(n not in (1, m) for n, m in zip(shape[::-1], x.shape[::-1])):
            raise ValueError(f"x {symbol} ...: expected a shape that fits into {x.shape}, got {shape}")
        return _write(x, function(x, b)._data)
    return assignment


Tensor.__iadd__, Tensor.__isub__ = _assignment("+=", ops.add), _assignment("-=", ops.sub)
Tensor.__imul__, Tensor.__itruediv__ = _assignment("*=", ops.mul), _assignment("/=", ops.div)
Tensor.__ipow__ = _assignment("**=", ops.pow)


def _setitem(x, index, value):
    """x[index] = value, for a leaf."""
    if not _changeable(x, "x[...] = ..."):
        raise TypeError("x[...] = ...: what an operation has computed is not changed in place: use where, masked_fill "
                        "or concatenate for a new Tensor")
    value = ops.as_tensor(value, x)
    if value.requires_grad and _mode.recording:
        raise TypeError("x[...] = ...: the value requires a gradient, which an assignment would lose; use where, "
                        "masked_fill or concatenate for a new Tensor, or value.detach()")
    array = x._data if x._data.flags.writeable else x._data.copy()
    array[ops.as_index(index)] = value._data
    x.data = array


Tensor.__setitem__ = _setitem

# --- NumPy's functions ---------------------------------------------------------------------------

UFUNCS = {
    np.add: ops.add, np.subtract: ops.sub, np.multiply: ops.mul, np.divide: ops.div, np.power: ops.pow,
    np.matmul: ops.matmul, np.maximum: ops.maximum, np.minimum: ops.minimum, np.negative: ops.neg, np.abs: ops.abs,
    np.exp: ops.exp, np.log: ops.log, np.log1p: ops.log1p, np.sqrt: ops.sqrt, np.tanh: ops.tanh,
    np.square: lambda x: x * x, np.positive: lambda x: x,
}
WITHOUT_DERIVATIVE = {np.less, np.less_equal, np.equal, np.greater, np.greater_equal, np.not_equal, np.isnan, np.isinf,
                      np.isfinite, np.signbit, np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort,
                      np.array_equal, np.allclose, np.isclose, np.count_nonzero, np.array2string}
FUNCTIONS = {
    np.sum: lambda a, axis=None, keepdims=False: ops.sum(a, axis, keepdims),
    np.mean: lambda a, axis=None, keepdims=False: ops.mean(a, axis, keepdims),
    np.var: lambda a, axis=None, ddof=0, keepdims=False: ops.var(a, axis, ddof, keepdims),
    np.max: lambda a, axis=None, keepdims=False: ops.max(a, axis, keepdims),
    np.min: lambda a, axis=None, keepdims=False: ops.min(a, axis, keepdims),
    np.cumsum: lambda a, axis=None: ops.cumsum(ops.reshape(a, -1), 0) if axis is None else ops.cumsum(a, axis),
    np.clip: lambda a, a_min=None, a_max=None: ops.clamp(a, a_min, a_max),
    np.where: lambda condition, x, y: ops.where(condition, x, y),
    np.reshape: lambda a, shape: ops.reshape(a, shape),
    np.ravel: lambda a: ops.reshape(a, -1),
    np.transpose: lambda a, axes=None: a.T if axes is None else ops.permute(a, axes),
    np.swapaxes: lambda a, axis1, axis2: ops.transpose(a, axis1, axis2),
    np.squeeze: lambda a, axis=None: ops.squeeze(a, axis),
    np.expand_dims: lambda a, axis: ops.unsqueeze(a, axis),
    np.broadcast_to: lambda array, shape: ops.expand(array, shape),
    np.flip: lambda m, axis=None: ops.flip(m, axis),
    np.concatenate: lambda arrays, axis=0: ops.concatenate(arrays, axis),
    np.stack: lambda arrays, axis=0: ops.stack(arrays, axis),
    np.dot: lambda a, b: ops.matmul(a, b) if a.ndim and b.ndim and b.ndim <= 2 else _refuse(np.dot, "matmul"),
    np.einsum: lambda equation, *operands: ops.einsum(equation, *operands),
}


def _refuse(function, why):
    raise TypeError(f"numpy.{function.__name__} of a Tensor: {why}. Use scratchml.autograd.ops, or "
                    "t.detach().numpy() to leave the graph")


def _bare(x):
    """`x` with the arrays in place of Tensors."""
    return x._data if isinstance(x, Tensor) else x


def _array_ufunc(self, ufunc, method, *inputs, **options):
    if method != "__call__" or options:
        _refuse(ufunc, "only a plain call has a derivative here" if method != "__call__" else
                f"{', '.join(options)} is not supported")
    if ufunc in WITHOUT_DERIVATIVE:
        return ufunc(*map(_bare, inputs))
    return UFUNCS[ufunc](*inputs) if ufunc in UFUNCS else _refuse(ufunc, "it has no row in the derivative table")


def _array_function(self, function, types, arguments, options):
    if function in WITHOUT_DERIVATIVE:
        return function(*map(_bare, arguments), **options)
    if function not in FUNCTIONS:
        _refuse(function, "it has no row in the derivative table")
    try:
        return FUNCTIONS[function](*arguments, **options)
    except TypeError as error:
        _refuse(function, f"these arguments are not supported ({error})")


def _array(self, dtype=None, copy=None):
    if self.requires_grad:
        raise TypeError("a Tensor that requires a gradient is not turned into an array in silence: write "
                        "t.detach().numpy(), or use the functions of scratchml.autograd.ops")
    return np.asarray(self._data, dtype) if copy is None else np.array(self._data, dtype, copy=copy)


Tensor.__array_ufunc__, Tensor.__array_function__, Tensor.__array__ = _array_ufunc, _array_function, _array
