"""The state of a Module: its arrays by name, handed out, taken over, kept in a file."""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Tensor
from scratchml.autograd.memory import Entries
from scratchml.autograd.plain import Plain
from scratchml.core import storage

KIND = "scratchml.nn.Module"                             # what a file of `save` says that it holds


class Keys(NamedTuple):
    """Which names of a state did not find each other."""
    missing_keys: list
    unexpected_keys: list


class WithState:
    """What Module does with its state, as the chapter on modules says."""

    def state_dict(self):
        """{name: array} of all weights and buffers.  Raises ValueError for a module within itself.

        They are the arrays themselves: the next step changes them, and `v.mul_(0.9)` changes the module.  A state that
        is to stay as it is needs copy.deepcopy.  They have PyTorch's methods where NumPy's have not: `v.cpu().clone()`.
        """
        return {name: array.view(Entries if array.dtype.kind == "f" else Plain)
                for name, (_, _, array) in self._state().items()}

    def _state(self):
        """{name: (module, its own name for it, array)}"""
        found = {}
        for prefix, module in self._every_name():
            saved = [item for item in module._buffers.items() if item[0] not in module._not_saved]
            for name, value in [*module._parameters.items(), *saved]:
                array = value if isinstance(value, np.ndarray) else value.data
                found[f"{prefix}.{name}" if prefix else name] = module, name, array
        return found

    def load_state_dict(self, state_dict, strict=True):
        """Take over the numbers of a `state_dict`, in the arrays and the dtype that are here.

        Returns the lists of missing and unexpected names.  Raises ValueError, before anything has changed, that lists
        every name that is missing or unexpected, and every array that is of another shape or holds no such numbers.

        Parameters
        ----------
        state_dict : dict
            {name: array}; anything that NumPy takes for an array will do, such as a tensor of PyTorch on the CPU.
        strict : bool, default=True
            Whether no name may be missing or unknown.
        """
        if not hasattr(state_dict, "items"):
            raise ValueError(f"state_dict: expected a dictionary of arrays, got {type(state_dict).__name__}")
        ours, theirs = self._state(), {name: np.asarray(value) for name, value in state_dict.items()}
        missing = [name for name in ours if name not in theirs]
        unexpected = [name for name in theirs if name not in ours]
        problems = [f"missing {name} {ours[name][2].shape}" for name in missing] if strict else []
        problems += [f"unexpected {name} {theirs[name].shape}" for name in unexpected] if strict else []
        new = {}
        for name in (name for name in theirs if name in ours):                 # of two names of one weight, the last
            new[name], problem = _as_such(theirs[name], ours[name][2])
            problems += [f"{name} {problem}"] if problem else []
        if problems:
            raise ValueError(f"state_dict: not that of this {type(self).__name__}: {'; '.join(sorted(problems))}")
        for name, array in new.items():
            module, own, _ = ours[name]
            value = module._parameters.get(own, module._buffers.get(own))
            here = value._data if isinstance(value, Tensor) else value
            if here.flags.writeable:
                here[...] = array
                array = here
            if isinstance(value, Tensor):
                value.data = array                       # says to the Tensor that its array has changed
            else:
                setattr(module, own, array)
        return Keys(missing, unexpected)

    def save(self, path):
        """Write `state_dict` to a file.  Raises OSError if it cannot be written.

        Parameters
        ----------
        path : str or path
            The file.
        """
        storage.save(path, KIND, self.state_dict(), {})

    def load(self, path):
        """Take over what `save` wrote.  Returns itself.

        Raises ValueError that names the file if it is damaged, was not written by `save`, or holds the state of another
        architecture; nothing has changed then.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, _ = storage.load(path, KIND)
        try:
            self.load_state_dict(arrays)
        except ValueError as error:
            raise ValueError(f"{path}: holds another architecture; {error}") from None
        return self


def _as_such(array, like):
    """(`array` in the dtype of `like`, None), or (None, what is wrong with it)."""
    if array.shape != like.shape:
        return None, f"has shape {array.shape}, expected {like.shape}"
    if not np.can_cast(array.dtype, like.dtype, "same_kind"):
        return None, f"is of {array.dtype}, expected {like.dtype}"
    with np.errstate(over="ignore"):
        cast = np.array(array, like.dtype, order="C")
    if like.dtype.kind == "f" and (np.isinf(cast) & ~np.isinf(array)).any():
        return None, f"holds numbers that are too large for {like.dtype}"
    return cast, None
