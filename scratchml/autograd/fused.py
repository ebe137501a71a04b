"""Primitives with a gradient derived by hand, and primitives with several results.

A layer that is one loop in a kernel runs faster than the same layer in forty operations on Tensors, and keeps less.
Its gradient is then written by hand as well, as a vector-Jacobian product: from the gradients of its results those of
its operands.  `Fused` makes the two functions one operation of the graph.

The sweep hands arrays to it, not Tensors, so nothing is remembered of what it does, and there is no second derivative:
asking for one is an error, unless `composed` says the gradient again, in operations on Tensors.  That is what is
computed where a gradient shall have a graph of its own.  Check what you derive with `gradcheck` and `gradgradcheck`.

>>> from scratchml.autograd import Fused, Tensor
>>> def cube(x):
...     return x ** 3, (x,)                              # the result, and what the gradient needs
>>> def cube_gradient(saved, g):
...     x, = saved
...     return 3 * x ** 2 * g
>>> x = Tensor([1.0, 2.0], requires_grad=True)
>>> Fused(cube, cube_gradient)(x).sum().backward()
>>> x.grad
Tensor([ 3., 12.])
"""
import numpy as np

from scratchml.autograd.tensor import Node, Tensor, _memory_of, _mode, _result


class Fused:
    """An operation on Tensors made of two functions on arrays.

    Called with Tensors, and options that are handed to `forward`, it returns a Tensor or a tuple of them.  Whole
    numbers and masks belong into the options.  Raises ValueError if `backward` returns gradients of a wrong number or
    shape.

    Parameters
    ----------
    forward : callable
        Gets the arrays and the options, and returns (results, saved): an array or a tuple of arrays, and anything.
        Operands that `saved` is, or holds as they are or as a view, in tuples, lists and dictionaries, are watched
        for changes in place.
    backward : callable
        Gets `saved` and a gradient for each result, and returns one for each operand: an array of the operand's
        shape, or None where there is none to give; a tuple where there are several operands.
    fresh : bool, default=False
        Whether every array that `backward` returns is new and nobody else's: it becomes the `grad` of a leaf without a
        copy.
    composed : callable or None, default=None
        The same as `backward` in operations on Tensors: gets the operands, Tensors where `saved` holds them and else
        None, `saved`, and the gradients as Tensors.
    """

    __slots__ = ("name", "forward", "backward", "fresh", "composed")

    def __init__(self, forward, backward, *, fresh=False, composed=None):
        self.name, self.forward, self.backward, self.fresh = forward.__name__, forward, backward, fresh
        self.composed = composed

    def __call__(self, *operands, **options):
        operands = [t if type(t) is Tensor else Tensor(t) for t in operands]
        arrays, saved = self.forward(*[t._data for t in operands], **options)
        several = isinstance(arrays, tuple)
        results = results_of(self, operands, saved, arrays if several else (np.asarray(arrays),))
        return results if several else results[0]

    def pull(self, node, g, useful):
        """What the sweep calls: the gradients of the operands, None where there is no use for one.

        Parameters
        ----------
        node : Node
            This operation in the graph.
        g : Tensor or Parts
            The gradient of its result, or of its results.
        useful : set or None
            Operands whose gradients are wanted; None for all.
        """
        (saved, (shapes, operands)), parts = node.saved, parts_of(g)
        if _mode.recording and self.composed is not None:
            gradients = self.composed(operands, saved, *parts.tensors(shapes))
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            return [None if target is None or useful is not None and target not in useful else d
                    for d, target in zip(gradients, node.edges, strict=True)]
        gradients = self.backward(saved, *parts.arrays(shapes))
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        if len(gradients) != len(node.edges):
            raise ValueError(f"{self.name}: backward returned {len(gradients)} gradient(s) "
                             f"for {len(node.edges)} operand(s)")
        pulled = []
        for i, (array, target) in enumerate(zip(gradients, node.edges)):
            if array is None or target is None or useful is not None and target not in useful:
                pulled.append(None)
                continue
            array = np.asarray(array)
            if array.shape != target.shape:
                raise ValueError(f"{self.name}: backward returned a gradient of shape {array.shape} "
                                 f"for operand {i} of shape {target.shape}")
            pulled.append(d := _result(array, None))
            if _mode.recording:                          # a second sweep shall meet an error, not a constant
                d._node, d.requires_grad = Node(_ONCE, [*parts.given.values()], self.name, (), d._data), True
                d._node.edges += node.edges
        return pulled


class _Once:
    name, fresh = "gradient", False

    def pull(self, node, g, useful):
        raise RuntimeError(f"{node.saved}: its gradient was derived by hand and has no derivative itself; write it in "
                           "operations on Tensors to differentiate twice")


class _Result:
    """One of several results: its gradient goes to the operation labelled with its number."""

    name, fresh = "result", False

    def pull(self, node, g, useful):
        return [Parts({node.saved: g})]


class Parts:
    """Gradients of some of the results of one operation."""

    __slots__ = ("given",)

    def __init__(self, given):
        self.given = given                               # {number of the result: its gradient}

    def __add__(self, other):
        return Parts({**self.given, **other.given})      # each result hands on once: no number is in both

    def arrays(self, shapes):
        """The gradient of every result as an array, zeros where none has come."""
        return [self.given[k]._data if k in self.given else np.zeros(*shape) for k, shape in enumerate(shapes)]

    def tensors(self, shapes):
        """The same as Tensors."""
        return [self.given[k] if k in self.given else Tensor(np.zeros(*shape)) for k, shape in enumerate(shapes)]


def parts_of(g):
    """What the sweep brings to an operation as `Parts`: a gradient is that of its one result."""
    return g if type(g) is Parts else Parts({0: g})


_ONCE, _RESULT = _Once(), _Result()


def results_of(primitive, operands, saved, arrays):
    """The `arrays` that `primitive` made of `operands`, as Tensors that remember it."""
    results = tuple(_result(array, _shared_memory(array, operands)) for array in arrays)
    if not _mode.recording or not any(t.requires_grad for t in operands):
        return results
    held = _held(operands, saved)
    watches = tuple((t, _memory_of(t).watch()) for t in held
                    if t is not None and (t._memory is not None or t._node is None))
    whole = Node(primitive, operands, (saved, ([(a.shape, a.dtype) for a in arrays], held)), watches, arrays[0])
    if len(results) == 1:
        results[0]._node, results[0].requires_grad = whole, True
        return results
    whole.shape = whole.dtype = None
    for k, result in enumerate(results):
        result._node, result.requires_grad = Node(_RESULT, (), k, (), result._data), True
        result._node.edges.append(whole)
    return results


def _shared_memory(array, operands):
    """The `Memory` of the operand whose array this is or is a view of; None if it is new."""
    for t in operands:
        if array is t._data or array.base is not None and np.may_share_memory(array, t._data):
            return _memory_of(t) if t._node is None else t._memory
    return None


def _held(operands, saved):
    """The operands whose array `saved` is or has in it, or a view of it; None in the place of the others."""
    kept = _arrays_in(saved)
    whole, views = {id(array) for array in kept}, [array for array in kept if array.base is not None]
    return tuple([t if id(t._data) in whole or any(np.may_share_memory(array, t._data) for array in views) else None
                  for t in operands])


def _arrays_in(saved):
    """The arrays in tuples, lists and dictionaries, however deep."""
    found, parts = [], [saved]
    while parts:
        part = parts.pop()
        if isinstance(part, np.ndarray):
            found.append(part)
        elif isinstance(part, (tuple, list)):
            parts += part
        elif isinstance(part, dict):
            parts += part.values()
    return found
