"""Arrays that others may write to: did one change between the sweep forward, which has kept it, and the sweep back?

And memory that is freed: a step of training frees what the next one asks for again.
"""
import functools
import weakref

import numpy as np

from scratchml.core.fingerprint import fingerprint


class Entries(np.ndarray):
    """The numbers of a Tensor: NumPy's array, with the methods of Tensors under the names that NumPy has not.

    So `w.data.normal_()` and `y.data.cpu()` are what they are in PyTorch, and what both have is NumPy's.  Where the two
    mean different things, the call is PyTorch's unless its form is NumPy's: std() divides by one less and std(ddof=0)
    by all, max(1) is values and indices and max(axis=1) an array, transpose(0, 1) turns two dimensions and
    transpose((0, 1)) puts them in this order; `view` of lengths is a change of shape.  But `sort`, `repeat` and
    `nonzero` are NumPy's, whose own functions call them.  What is computed is an array.
    """

    of_an_array = True                                   # nothing is lost where it is stored as one

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return np.asarray(array) if array.ndim else array[()]

    def view(self, *shape):
        if shape and isinstance(shape[0], (int, np.integer, tuple, list)):
            return self.reshape(*shape)
        return super().view(*shape)

    def __repr__(self):
        return repr(np.asarray(self))


class Memory:
    """An array that can be written to from outside, shared by a leaf and the views of it."""

    __slots__ = ("array", "_watch")

    def __init__(self, array):
        self.array, self._watch = array, _no_watch

    def watch(self):
        """The `Watch` over it; all the nodes that keep the array share one, which dies with them."""
        watch = self._watch()
        if watch is None:
            watch = Watch()
            watch.memory, watch.before = self, _content(self.array)
            self._watch = weakref.ref(watch)
        return watch


def _no_watch():
    return None


class Watch:
    """Knows whether an array still holds what it held when the watch began."""

    __slots__ = ("memory", "before", "__weakref__")

    def intact(self):
        return _content(self.memory.array) == self.before


def _content(array):
    """All bytes of a small array, the fingerprint of one above 64 kB."""
    return array.tobytes() if array.nbytes <= 65536 else fingerprint(array)


_PRIVATE = Memory(np.empty(0))                           # stands for arrays that nobody outside can write to


@functools.cache
def keep_freed():
    """Let the process keep up to 64 MB that it frees, from now on; given back, each page of it would be cleared anew.

    The C library of Linux keeps twice the largest block that has ever been freed, up to 32 MB.  So one of that size is
    freed here, of which no page is touched.  Other libraries do what they do.
    """
    np.empty(2**25 - 2**16, np.uint8)
