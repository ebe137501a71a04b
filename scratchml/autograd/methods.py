"""Tensors in Python's and NumPy's terms: methods, operators, and NumPy's functions, all by way of the derivative table.

What NumPy can do with a Tensor and the table has no row for is refused in words.  Nothing turns a Tensor that
requires a gradient into an array in silence: the graph would end there, and the gradient would be wrong.  A number,
by `item`, `float` or in a text, is asked for in so many words.

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
import functools
import inspect
import itertools

import numpy as np

from scratchml.autograd import combined, composed, ops, table
from scratchml.autograd.memory import Entries
from scratchml.autograd.plain import Plain
from scratchml.autograd.tensor import FLOATS, Tensor, _mode

# --- methods -------------------------------------------------------------------------------------

OF_TENSORS = {
    ops: """add sub mul div pow neg exp log log1p log2 log10 sqrt abs sin cos tanh erf sigmoid relu leaky_relu softplus
        clamp clamp_min clamp_max maximum minimum masked_fill sign round floor ceil eq ne lt le gt ge sum mean var
        max min amax amin argmax argmin cumsum logsumexp softmax log_softmax matmul reshape permute transpose
        squeeze unsqueeze expand gather to""",
    composed: """flatten unflatten t repeat clone square rsqrt reciprocal std norm prod cumprod logaddexp dot outer any
        all argsort sort remainder floor_divide scatter scatter_add index_add index_fill quantile""",
    combined: "addmm baddbmm nan_to_num logit lerp",
}
OF_BOTH = {                                              # of whole numbers and truth values as well
    ops: "flip split",
    composed: """reshape_as expand_as chunk unbind tril triu diag index_select masked_select narrow nonzero
        repeat_interleave roll take movedim median unique logical_and logical_or logical_not equal allclose topk""",
    combined: "mode take_along_dim unfold diff count_nonzero isclose",
}
ALIASES = {                                              # other names of PyTorch's for a method
    "view": "reshape", "view_as": "reshape_as", "mm": "matmul", "bmm": "matmul", "mv": "matmul", "clip": "clamp",
    "swapaxes": "transpose", "multiply": "mul", "subtract": "sub", "divide": "div", "type": "to", "type_as": "to",
    "cpu": "to", "contiguous": "to", "nelement": "numel", "ndimension": "dim",
}
OPERATORS = "eq ne lt le gt ge add sub mul"              # methods of whole numbers that are Python's operators

for _classes, _names in (((Tensor,), OF_TENSORS), ((Tensor, Plain), OF_BOTH)):
    for _class, (_chapter, _listed) in itertools.product(_classes, _names.items()):
        for _name in _listed.split():
            setattr(_class, _name, getattr(_chapter, _name))
for _name in OPERATORS.split():
    setattr(Plain, _name, getattr(Plain, f"__{_name}__"))


def _item(x):
    """The value of a Tensor with one entry, as a Python float.  Raises ValueError for any other."""
    if x._data.size != 1:
        raise ValueError(f"item: expected a Tensor with one entry, got shape {x.shape}")
    return x._data.item()


def _repr(x):
    text = np.array2string(x._data, separator=", ", prefix="Tensor(", threshold=100)
    kind = "" if x.dtype == np.float64 else f", dtype={x.dtype}"
    return f"Tensor({text}{kind}{', requires_grad=True' if x.requires_grad else ''})"


def _format(x, form):
    """f"{loss:.3f}" of a Tensor with one entry, as of its value; without a form as its repr."""
    return format(x.item(), form) if form else repr(x)


def _len(x):
    if not x.ndim:
        raise TypeError("len() of a Tensor without dimensions")
    return len(x._data)


def _size(x, dim=None):
    """The shape, or the length of one dimension.

    Parameters
    ----------
    dim : int or None, default=None
        Which dimension; None for the shape.
    """
    return x.shape if dim is None else x.shape[ops.one_dim(dim, x.ndim)]


def _requires_grad(x, requires_grad=True):
    """Learn this leaf from now on, or no longer.  Returns it.  Raises RuntimeError for what was computed.

    Parameters
    ----------
    requires_grad : bool, default=True
        Whether it shall have a gradient.
    """
    if not x.is_leaf and not requires_grad:
        raise RuntimeError("requires_grad_: only a leaf can do without a gradient; use t.detach()")
    x.requires_grad = bool(requires_grad)
    return x


Tensor.item, Tensor.__float__ = _item, _item
Tensor.__int__, Tensor.__bool__ = lambda x: int(x.item()), lambda x: bool(x.item())
Tensor.where = lambda x, condition, other: ops.where(condition, x, other)
Tensor.__repr__, Tensor.__format__, Tensor.tolist = _repr, _format, lambda x: x._data.tolist()
Tensor.__len__, Tensor.__iter__ = _len, lambda x: (x[i] for i in range(len(x)))
Tensor.size, Tensor.dim, Tensor.numel = _size, lambda x: x._data.ndim, lambda x: x._data.size
Tensor.ndim = property(Tensor.dim, doc="The number of dimensions.")
Tensor.T = property(lambda x: table.PERMUTE(x, params=(tuple(range(x.ndim))[::-1],)), doc="All dimensions in reverse.")
Tensor.mT = property(lambda x: table.MT(x), doc="Every matrix transposed.")
Tensor.requires_grad_, Tensor.is_leaf = _requires_grad, property(
    lambda x: x._node is None, doc="Whether no remembered operation has computed it.")
Tensor.device = property(lambda x: "cpu", doc="Where the numbers are.")
Tensor.float, Tensor.double = lambda x: ops.to(x, np.float32), lambda x: ops.to(x, np.float64)
Tensor.long, Tensor.int = lambda x: ops.to(x, np.int64), lambda x: ops.to(x, np.int32)
Tensor.bool = lambda x: ops.to(x, bool)
Tensor.is_floating_point = lambda x: True                # there are no others
Tensor.isnan, Tensor.isinf, Tensor.isfinite = (
    lambda x: Plain(np.isnan(x._data)), lambda x: Plain(np.isinf(x._data)), lambda x: Plain(np.isfinite(x._data)))



def _of_tensor(entries, name):
    """A method of Tensors that NumPy's arrays lack, of the Tensor with these entries: it shares their memory."""
    if name[0] == "_" or not hasattr(Tensor, name) or entries.dtype not in FLOATS:
        raise AttributeError(f"an array has no attribute {name!r}, nor has a Tensor")
    if name[-1] == "_" and not entries.flags.writeable:
        raise ValueError(f"{name}: this array is read-only, as what an operation has computed is; change a copy")
    return getattr(Tensor(entries), name)


Entries.__getattr__ = _of_tensor


def _by_form(name, alike):
    """The method `name` of arrays and of Tensors alike: PyTorch's, unless the form of the call is NumPy's.

    If both mean the same by it, PyTorch's names of arguments alone are.
    """
    of_array = getattr(np.ndarray, name)

    @functools.wraps(of_array)
    def method(entries, *arguments, **named):
        numpys = named.keys() - PYTORCHS or any(isinstance(a, tuple) or a is None for a in arguments)
        few = name == "transpose" and len(arguments) + len(named) != 2
        if numpys or few or alike and not named:
            return of_array(entries, *arguments, **named)
        result = getattr(Tensor(np.asarray(entries)), name)(*arguments, **named)
        if isinstance(result, tuple):
            return ops.Extreme(result.values.data, result.indices)
        if isinstance(result, Plain):
            return result
        return result.data if result.ndim else result._data[()]
    return method


PYTORCHS = {"dim", "keepdim", "correction", "unbiased", "dim0", "dim1", "descending"}
for _name in ("std", "var", "max", "min", "transpose"):
    setattr(Entries, _name, _by_form(_name, False))
for _name in ("sum", "mean", "prod", "any", "all", "argmax", "argmin", "argsort", "cumsum", "cumprod", "squeeze"):
    setattr(Entries, _name, _by_form(_name, True))

# --- operators -----------------------------------------------------------------------------------

Tensor.__getitem__ = ops.index
Tensor.__neg__, Tensor.__abs__, Tensor.__matmul__, Tensor.__pow__ = ops.neg, ops.abs, ops.matmul, ops.pow
Tensor.__rmatmul__ = lambda b, a: ops.matmul(a, b)
Tensor.__mod__, Tensor.__rmod__ = composed.remainder, lambda b, a: composed.remainder(a, b)
Tensor.__floordiv__, Tensor.__rfloordiv__ = composed.floor_divide, lambda b, a: composed.floor_divide(a, b)
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


def _comparison(function, with_none=NotImplemented):
    return lambda a, b: with_none if b is None else function(a, b)


Tensor.__eq__, Tensor.__ne__ = _comparison(ops.eq, False), _comparison(ops.ne, True)       # nothing equals None
Tensor.__lt__, Tensor.__le__, Tensor.__gt__, Tensor.__ge__ = map(_comparison, (ops.lt, ops.le, ops.gt, ops.ge))



def under_other_names(function):
    """`function` with NumPy's names for its arguments as well, and PyTorch's `input` for the first one."""
    named_here = inspect.signature(function).parameters

    @functools.wraps(function)
    def renamed(*arguments, **named):
        if named:
            for other in named.keys() & OTHER_NAMES.keys() - named_here.keys():
                named[OTHER_NAMES[other]] = named.pop(other)
            if "input" in named and "input" not in named_here:
                arguments = (named.pop("input"), *arguments)
        return function(*arguments, **named)
    return renamed


OTHER_NAMES = {"axis": "dim", "keepdims": "keepdim", "dims": "dim"}
for _classes, _names in (((Tensor,), OF_TENSORS), ((Tensor, Plain), OF_BOTH)):
    for _class, _name in itertools.product(_classes, " ".join(_names.values()).split()):
        if "dim" in inspect.signature(_function := getattr(_class, _name)).parameters:
            setattr(_class, _name, under_other_names(_function))

def _in_order(name):
    """A method of Plain: PyTorch's, or NumPy's if an argument of that is named."""
    def method(x, *arguments, **named):
        ours = not named.keys() & {"axis", "kind", "order"}
        return getattr(composed if ours else np.ndarray, name)(x, *arguments, **named)
    method.__name__, method.__doc__ = name, getattr(composed, name).__doc__
    return method


Plain.sort, Plain.argsort = _in_order("sort"), _in_order("argsort")
for _name, _other in ALIASES.items():
    setattr(Tensor, _name, getattr(Tensor, _other))
Plain.view_as, Plain.is_floating_point = Plain.reshape_as, lambda x: False

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
    np.max: lambda a, axis=None, keepdims=False: ops.amax(a, axis, keepdims),
    np.min: lambda a, axis=None, keepdims=False: ops.amin(a, axis, keepdims),
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


def _array_ufunc(self, ufunc, method, *inputs, **options):
    out, = options.get("out", (None,)) if ufunc.nout == 1 else (None,)
    if method == "__call__" and set(options) == {"out"} and isinstance(out, np.ndarray):
        if not any(getattr(x, "requires_grad", False) for x in inputs) or not _mode.recording:
            return ufunc(*map(ops.bare, inputs), out=out)                       # p.data -= lr * p.grad
    if method != "__call__" or options:
        _refuse(ufunc, "only a plain call has a derivative here" if method != "__call__" else
                f"{', '.join(options)} is not supported")
    if ufunc in WITHOUT_DERIVATIVE:
        return ufunc(*map(ops.bare, inputs))
    return UFUNCS[ufunc](*inputs) if ufunc in UFUNCS else _refuse(ufunc, "it has no row in the derivative table")


def _array_function(self, function, types, arguments, options):
    if function in WITHOUT_DERIVATIVE:
        return function(*map(ops.bare, arguments), **options)
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
