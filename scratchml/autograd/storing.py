"""Saving what a script has at hand: dictionaries and lists of Tensors, arrays, numbers and texts, in one file.

A file is that of core.storage: it holds no code, and none runs when it is read.  So a Module is not saved itself; its
`state_dict` is.

>>> import os, tempfile
>>> path = os.path.join(tempfile.mkdtemp(), "checkpoint")
>>> save({"epoch": 3, "state": {0: np.ones(2)}}, path)
>>> load(path)
{'epoch': 3, 'state': {0: array([1., 1.])}}
"""
import numpy as np

from scratchml.autograd.plain import Plain
from scratchml.autograd.tensor import Tensor
from scratchml.core import storage

KIND = "scratchml.torch"                                 # what a file says that it holds
PLAIN_VALUES = (bool, int, float, str, type(None), np.generic)


def save(obj, f):
    """Write a Tensor, an array (N, D) or of any shape, a number, a text, None, or dictionaries and lists of such.

    Raises ValueError for anything else, OSError if the file cannot be written.

    Parameters
    ----------
    obj : Tensor, array, number, str, None, dict, list or tuple
        What to write.
    f : str or path
        The file.
    """
    arrays = {}
    storage.save(f, KIND, arrays, {"content": _packed(obj, arrays, "obj")})


def load(f, map_location=None, weights_only=True):
    """What `save` wrote, arrays (N, D) or of any shape with their types.

    Raises ValueError that names a file that is damaged or was not written by `save`.

    Parameters
    ----------
    f : str or path
        The file.
    map_location : str or None, default=None
        For PyTorch's callers: there is one device.
    weights_only : bool, default=True
        For PyTorch's callers: files hold no code.
    """
    arrays, rest = storage.load(f, KIND)
    return _unpacked(rest["content"], arrays)


def _packed(value, arrays, place):
    """`value` as lists that begin with their kind; arrays go into `arrays`."""
    if isinstance(value, (Tensor, np.ndarray)):
        kind = type(value).__name__ if isinstance(value, (Tensor, Plain)) else "array"
        array = value._data if isinstance(value, Tensor) else value
        arrays[name := f"a{len(arrays)}"] = np.array(array, order="C")
        return [kind, name, bool(getattr(value, "requires_grad", False)) and value.is_leaf]
    if isinstance(value, dict):
        return ["dict", [[_packed(k, arrays, place), _packed(v, arrays, f"{place}[{k!r}]")] for k, v in value.items()]]
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return [kind, [_packed(part, arrays, f"{place}[{i}]") for i, part in enumerate(value)]]
    if isinstance(value, PLAIN_VALUES):
        return ["value", value]
    hint = "; save its state_dict()" if hasattr(value, "state_dict") else ""
    raise ValueError(f"{place}: expected Tensors, arrays, numbers and texts, in dictionaries and lists, got "
                     f"{type(value).__name__}{hint}")


def _unpacked(packed, arrays):
    kind, content, *more = packed
    if kind in ("Tensor", "Plain", "array"):
        array = arrays[content]
        return Tensor(array, *more) if kind == "Tensor" else Plain(array) if kind == "Plain" else array
    if kind == "dict":
        return {_unpacked(k, arrays): _unpacked(v, arrays) for k, v in content}
    if kind in ("list", "tuple"):
        parts = [_unpacked(part, arrays) for part in content]
        return parts if kind == "list" else tuple(parts)
    return content
