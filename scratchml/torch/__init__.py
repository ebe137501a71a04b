"""PyTorch's names for what stands elsewhere in the book: a script runs after a change of its imports.

>>> import scratchml.torch as torch
>>> import scratchml.nn as nn
>>> import scratchml.nn.functional as F
>>> import scratchml.optim as optim

Nothing is computed here.  What a script may miss it finds by its name and an error: there is no GPU, no JIT, no number
of another type than float32 and float64 that has a gradient; whole numbers and truth values are NumPy's arrays, with
PyTorch's methods (scratchml.autograd.plain).  Tensor.data is NumPy's array too: methods that NumPy's arrays lack, such
as `zero_`, are PyTorch's, those of one name, such as `max`, are NumPy's.  Random numbers are NumPy's.

>>> x = torch.tensor([[1.0, 2.0], [4.0, 3.0]], requires_grad=True)
>>> values, indices = torch.max(x, dim=1)
>>> values.sum().backward()
>>> x.grad, (indices == torch.tensor([1, 1])).float().mean().item()
(Tensor([[0., 1.],
        [1., 0.]], dtype=float32), 0.5)
"""
import functools
import inspect as _inspect
import sys
import types
from math import e, inf, nan, pi
from os import environ as _environ

import numpy as _np

from scratchml import autograd, nn, optim
from scratchml.autograd import batches as _batches
from scratchml.autograd.combined import (
    addmm, baddbmm, bucketize, count_nonzero, diff, isclose, isin, lerp, logit, mode, nan_to_num, searchsorted,
    std_mean, take_along_dim, tril_indices, triu_indices, var_mean,
)
from scratchml.autograd.composed import (
    all, allclose, any, argsort, bincount, cdist, chunk, clone, cumprod, diag, dot, equal, flatten, floor_divide,
    hstack, index_add, index_fill, index_select, logaddexp, logical_and, logical_not, logical_or, masked_select,
    median, meshgrid, movedim, narrow, nonzero, norm, outer, pdist, prod, quantile, reciprocal, remainder, repeat,
    repeat_interleave, roll, rsqrt, scatter, scatter_add, sort, square, std, t, take, topk, tril, triu, unbind,
    unflatten, unique, vstack,
)
from scratchml.autograd.creation import (
    BoolTensor, DoubleTensor, FloatTensor, Generator, LongTensor, arange, as_tensor, bernoulli, empty, empty_like,
    eye, from_numpy, full, full_like, linspace, multinomial, normal, ones, ones_like, rand, rand_like, randint, randn,
    randn_like, randperm, tensor, zeros, zeros_like,
)
from scratchml.autograd.methods import under_other_names as _under_other_names
from scratchml.autograd.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from scratchml.autograd.ops import (
    abs, add, amax, amin, argmax, argmin, ceil, clamp, concatenate, cos, cumsum, div, einsum, eq, erf, exp, flip,
    floor, gather, ge, gt, le, log, log10, log1p, log2, log_softmax, logsumexp, lt, masked_fill, matmul, max, maximum,
    mean, min, minimum, mul, ne, neg, permute, pow, relu, reshape, round, sigmoid, sign, sin, softmax, softplus,
    split, sqrt, squeeze, stack, sub, sum, tanh, transpose, unsqueeze, var, where,
)
from scratchml.autograd.plain import Plain
from scratchml.autograd.storing import load, save
from scratchml.core.checks import whole_number as _whole_number
from scratchml.core.random import manual_seed

CHAPTERS = ()

float32 = float = _np.dtype("float32")
float64 = double = _np.dtype("float64")
int64, int32, int16, int8, uint8 = map(_np.dtype, ("int64", "int32", "int16", "int8", "uint8"))
long, int, bool = int64, int32, _np.dtype("bool")

ALIASES = {                                              # PyTorch's other names
    "cat": "concatenate", "concat": "concatenate", "mm": "matmul", "bmm": "matmul", "mv": "matmul", "clip": "clamp",
    "swapaxes": "transpose", "subtract": "sub", "multiply": "mul", "divide": "div", "inference_mode": "no_grad",
}
OF_EITHER = ("abs argmax argmin clamp clone cumprod cumsum flatten gather masked_fill max mean min permute repeat "
             "reshape squeeze sum t transpose unsqueeze").split()


def _of_either(name):
    """The function of Tensors `name`, which takes whole numbers and truth values to their own method of that name."""
    function = globals()[name]

    @functools.wraps(function)
    def either(x, *arguments, **named):
        return getattr(x, name)(*arguments, **named) if isinstance(x, Plain) else function(x, *arguments, **named)
    return either


globals().update({name: _of_either(name) for name in OF_EITHER})
globals().update({name: _under_other_names(function) for name, function in list(globals().items())
                  if name in dir(autograd.Tensor) + ["concatenate", "stack"] and callable(function)
                  and "dim" in _inspect.signature(function).parameters})
globals().update({name: globals()[other] for name, other in ALIASES.items()})


dtype, Size, finfo, iinfo = _np.dtype, tuple, _np.finfo, _np.iinfo


class _TensorType(type):
    """Knows Tensors and whole numbers, and makes what PyTorch's old constructor makes."""

    def __instancecheck__(cls, obj):
        return isinstance(obj, (autograd.Tensor, Plain))

    def __call__(cls, *data):
        return FloatTensor(*data)

    def __getattr__(cls, name):
        return getattr(autograd.Tensor, name)


class Tensor(metaclass=_TensorType):
    """PyTorch's old constructor: float32 of what a list or array holds, or zeros in sizes, Tensor(2, 3).

    Whatever has PyTorch's methods is an instance: Tensors, and arrays of whole numbers and truth values.
    """


class device(str):
    """Where numbers are: the CPU.  Raises ValueError for another place."""

    def __new__(cls, name="cpu"):
        if not str(name).startswith("cpu"):
            raise ValueError(f"device={name!r}: expected 'cpu', there is no other here")
        return str.__new__(cls, "cpu")

    type = "cpu"


def get_default_dtype():
    """What Tensors and layers are made of unless they are told: float32."""
    return float32


def set_default_dtype(d):
    """Nothing for float32.  Raises ValueError for another: what is made, is told."""
    if _np.dtype(d) != float32:
        raise ValueError(f"set_default_dtype({d}): Tensors and layers here are made of float32 unless each is told; "
                         f"write dtype={d} where a Tensor is made, and model.double()")


def compile(model=None, **options):
    """The model itself: its layers are compiled already."""
    return (lambda model: model) if model is None else model


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """How numbers are printed from now on, NumPy's arrays included.  Raises ValueError for a `profile`."""
    if profile is not None:
        raise ValueError(f"profile={profile!r}: expected None; give precision and threshold themselves")
    options = dict(precision=precision, threshold=threshold, edgeitems=edgeitems, linewidth=linewidth,
                   suppress=None if sci_mode is None else not sci_mode)
    _np.set_printoptions(**{name: value for name, value in options.items() if value is not None})


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Nothing: the same seed gives the same bits, always."""


def set_num_threads(threads):
    """How many threads the compiled loops may use, as SCRATCHML_NUM_THREADS says; BLAS has its own.  Raises ValueError
    for fewer than 1."""
    _environ["SCRATCHML_NUM_THREADS"] = str(_whole_number(threads, "threads"))


def is_tensor(obj):
    """Whether `obj` is a Tensor, or an array of whole numbers or truth values with PyTorch's methods."""
    return isinstance(obj, Tensor)


def numel(x):
    """How many entries there are."""
    return x.numel()


def is_floating_point(x):
    """Whether `x` has float entries, and so may have a gradient."""
    return x.dtype.kind == "f"


def isinf(x):
    """Where entries are infinite."""
    return x.isinf() if isinstance(x, autograd.Tensor) else _np.isinf(x)


def isnan(x):
    """Where entries are NaN."""
    return x.isnan() if isinstance(x, autograd.Tensor) else _np.isnan(x)


def isfinite(x):
    """Where entries are neither NaN nor infinite."""
    return x.isfinite() if isinstance(x, autograd.Tensor) else _np.isfinite(x)


def _module(name, **names):
    """A module of `names`, so that `from scratchml.torch.utils.data import DataLoader` finds it."""
    module = sys.modules[f"{__name__}.{name}"] = types.ModuleType(f"{__name__}.{name}")
    module.__dict__.update(names)
    return module


_DATA = ("ConcatDataset DataLoader Dataset IterableDataset Subset TensorDataset random_split BatchSampler "
         "RandomSampler Sampler SequentialSampler SubsetRandomSampler WeightedRandomSampler").split()
utils = _module("utils", data=_module("utils.data", default_collate=_batches.collated,
                                      **{name: getattr(autograd, name) for name in _DATA}))
for _path, _names in {"sampler": _DATA[7:], "dataset": _DATA[:1] + _DATA[2:7], "dataloader": _DATA[1:2]}.items():
    setattr(utils.data, _path, _module(f"utils.data.{_path}", **{name: getattr(autograd, name) for name in _names}))
backends = _module("backends", cudnn=_module("backends.cudnn"), mps=_module("backends.mps", is_available=lambda: False))
cuda = _module("cuda", is_available=lambda: False, device_count=lambda: 0, empty_cache=lambda: None,
               synchronize=lambda: None, manual_seed=lambda seed: None, manual_seed_all=lambda seed: None)
for _name, _package in {"nn": nn, "optim": optim, "autograd": autograd}.items():
    sys.modules[f"{__name__}.{_name}"] = _package
