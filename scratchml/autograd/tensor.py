"""Reverse-mode automatic differentiation: the gradient of a program, for the price of running it a few times.

A program computes a number y from arrays.  How does y change with each of their entries?  Finite differences would run
the program once for every entry.  The chain rule needs one more run, backwards: while the program runs, every operation
leaves a `Node` that remembers where its operands came from; then a sweep from y back to the arrays carries along, for
each node v, the gradient g = ∂y/∂v.

Rules of the sweep
    1. It begins with ∂y/∂y = 1.
    2. A node v = f(a, b, ...) that has received its g hands on to each operand what the chain rule says: g ∂f/∂a to a,
       g ∂f/∂b to b.  These products are the rows of the derivative table, in ops.py.
    3. What arrives over several ways is added: a node that is used twice influences y twice.
    4. A node hands on only once all that it will receive has arrived.

Rule 4 is why the order of the sweep matters.  Four nodes show it:

    x = 3              x is used in a
    a = x²   =   9     a is used in b and in y
    b = 5a   =  45     b is used in y
    y = a b  = 405     and y = 5x⁴, so ∂y/∂x is 20x³ = 540

In the order y, b, a, x: y sends b = 45 to a, and a = 9 to b.  b sends 5 · 9 = 45 to a, which then holds 90.  a sends
2x · 90 = 540 to x: right.  In the order y, a, b, x the node a hands on too early: it sends 2x · 45 = 270 to x, and the
45 that comes from b later goes nowhere.  The answer would be 270, which is ∂y/∂x as if b were a constant.  And if a
handed on its sum whenever something arrives, x would get 270 + 540 = 810.

An order that is always right costs one counter.  Every node is numbered when it is made, and it is made after its
operands; so from the highest number to the lowest, every node comes after all that use it.

Gradients of gradients come from writing the table in operations on Tensors: with `create_graph` the sweep leaves nodes
like any other program, and can itself be swept.

Choices
    Gradients have the shape and dtype of what they belong to; broadcasting is undone in one place, `_fitted`.
    A node keeps the operands and results that its rules ask for, and no others.  The sweep drops them as it goes, so a
    graph can be swept once, unless it is told to retain it.
    What an operation has computed is read-only from outside.  Arrays that came from outside can be written to; what a
    node keeps of them is watched, and if it has changed when the sweep needs it, that is an error, not a wrong number.
    Nodes point to what they were made from and nothing points back, so a graph dies with the last name for its end.

Cost
    An operation costs a node, of less than a kilobyte beside the arrays that it keeps; `python -m benchmarks autograd`
    times small ones beside NumPy alone.  The sweep does about twice the arithmetic of the program: a product of
    matrices takes two for its gradients.  From the first sweep on, the process may keep 64 MB that it has freed for the
    next.

>>> from scratchml.autograd import Tensor, draw
>>> x = Tensor(3.0, requires_grad=True)
>>> a = x * x
>>> b = 5 * a
>>> y = a * b
>>> draw(y)
#3       mul   ()   from #1, #2
#2       mul   ()   from constant, #1
#1       mul   ()   from leaf 1, leaf 1
leaf 1         ()
>>> y.backward()
>>> x.grad
Tensor(540.)

Sources: S. Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16 (1976); A. Griewank and A. Walther,
"Evaluating Derivatives", 2nd edition (2008), chapter 3; for the conventions, PyTorch.
"""
import contextlib
import itertools
import threading
import weakref

import numpy as np

from scratchml.autograd.memory import _PRIVATE, Entries, Memory, keep_freed
from scratchml.core.checks import unmasked

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


class Tensor:
    """An array of float64 or float32 that remembers how it was computed.

    Raises ValueError for what is no array of numbers.

    Parameters
    ----------
    data : array, number or nested lists
        Real numbers; float32 stays float32, others become float64, and an array of either kind is shared, not copied.
    requires_grad : bool, default=False
        Whether it is a leaf, to whose `grad`, a Tensor of its shape, `backward` adds.
    """

    __slots__ = ("_data", "grad", "requires_grad", "_node", "_memory", "__weakref__")

    def __init__(self, data, requires_grad=False):
        self._data = as_array(data)
        self.grad = None
        self.requires_grad = bool(requires_grad)
        self._node = None                                # what computed it; None for a leaf
        self._memory = Memory(self._data)                # None: nobody outside can write to the array

    @property
    def data(self):
        """The numbers, in the same memory, as `Entries`; read-only where an operation has computed them."""
        return self._shared().view(Entries)

    def _shared(self):
        """The array itself; read-only if an operation has computed it, since its graph relies on it."""
        if self._node is None:
            self._memory = self._memory or Memory(self._data)
            return self._data
        view = self._data.view()
        view.flags.writeable = False
        return view

    @data.setter
    def data(self, array):
        if self._node is not None:
            raise RuntimeError(f"data: only a leaf can be given other data, not the result of {self._node.name}")
        if isinstance(array, Tensor):                    # its numbers, shared where they may be written to
            array = array._shared() if array._shared().flags.writeable else array._data.copy()
        array = as_array(array)
        if array.shape != self._data.shape or array.dtype != self._data.dtype:
            raise ValueError(f"data: expected shape {self.shape} and {self.dtype}, got {array.shape} and {array.dtype}")
        self._data, self._memory = array, Memory(array)

    @property
    def shape(self):
        return self._data.shape

    @property
    def dtype(self):
        return self._data.dtype

    def detach(self):
        """The same numbers, cut off from the graph."""
        detached = _result(self._shared(), self._memory)
        detached._memory = detached._memory or _PRIVATE
        return detached

    def numpy(self):
        """The array itself.  Raises RuntimeError where that would cut the graph in silence."""
        if self.requires_grad:
            raise RuntimeError("numpy: an array carries no gradient, and this Tensor requires one; t.detach().numpy()")
        return self._shared()

    def backward(self, gradient=None, retain_graph=None, create_graph=False):
        """Add ∂(this)/∂leaf to the `grad` of every leaf that this Tensor was computed from.

        Raises ValueError if `gradient` is needed and missing, or of a wrong shape; RuntimeError if nothing requires a
        gradient, if the graph has been swept before without `retain_graph`, or if an array that it needs has changed.

        Parameters
        ----------
        gradient : Tensor, array or None, default=None
            Weights of the entries, of this Tensor's shape; a Tensor with one entry needs none.
        retain_graph : bool or None, default=None
            Whether to keep the graph for another sweep; None for the same as `create_graph`.
        create_graph : bool, default=False
            Whether the gradients have a graph of their own and can be differentiated again.
        """
        arrived, owned = _sweep([(self, _seed(self, gradient))], None, retain_graph, create_graph)
        for leaf, g in arrived.items():
            if _hooked and id(leaf) in _hooked:
                g = through(_hooked[id(leaf)], g)
                owned.discard(leaf)
            if leaf.grad is not None:
                g = leaf.grad + g if create_graph else _result(leaf.grad._data + g._data, None)
            elif leaf not in owned and not create_graph:
                g = _result(g._data.copy(), None)        # others may hold the same array
            leaf.grad = g

    __hash__ = object.__hash__                           # by identity, although == compares entries

    def __reduce__(self):
        if self._node is not None:
            raise TypeError("only a leaf can be copied or pickled, not the result of an operation: detach it first")
        return Tensor, (self._data, self.requires_grad)


def as_array(data):
    """`data` as an array of float64 or float32, the same one if it is that already.  Raises ValueError."""
    if isinstance(data, Tensor):
        raise ValueError("data: expected an array, got a Tensor; use t.detach() for the same numbers without the graph")
    data = data if type(data) is ndarray else unmasked(data, "data")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError("data: expected an array of numbers, got rows of different lengths") from error
    if array.dtype not in FLOATS:
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise ValueError(f"data: expected real numbers, float64 or float32, got dtype {array.dtype}")
        array = array.astype(np.float64)
    return array


def _result(array, memory):
    """A Tensor without a history."""
    tensor = _new(Tensor)
    tensor._data, tensor._memory = array, memory
    tensor.grad = tensor._node = None
    tensor.requires_grad = False
    return tensor


_new, ndarray = object.__new__, np.ndarray
_hooked = {}                                             # {id of a leaf: the hooks of its gradient}
_changed = weakref.WeakValueDictionary()                 # results that are now those of another operation, by their id

# --- what is remembered --------------------------------------------------------------------------


class _Mode(threading.local):
    recording = True                                     # in every thread, to begin with


_mode = _Mode()
_number = itertools.count(1).__next__


class no_grad(contextlib.ContextDecorator):
    """`with no_grad():` or `@no_grad()`: operations in this thread leave no nodes."""

    def __enter__(self):
        self._before, _mode.recording = _mode.recording, False

    def __exit__(self, *exception):
        _mode.recording = self._before

    def _recreate_cm(self):                              # every call of a decorated function has a `_before` of its own
        return no_grad()


class Node:
    """One operation of the program that was run.

    `edges` has for each operand the node that made it, or the leaf that it is, or None where no gradient is needed.
    `shape` and `dtype` are those of the result, `saved` what the primitive wants to see again in the sweep.
    """

    __slots__ = ("number", "primitive", "edges", "saved", "watches", "shape", "dtype")

    def __init__(self, primitive, operands, saved, watches, array):
        self.number, self.primitive, self.saved, self.watches = _number(), primitive, saved, watches
        self.shape, self.dtype = array.shape, array.dtype
        self.edges = []
        for t in operands:
            self.edges.append((t._node or t) if t.requires_grad else None)

    @property
    def name(self):
        return self.primitive.name


class Primitive:
    """A row of the derivative table: how to compute, and the gradient that goes back to each operand.

    `head` names the operands and, behind a semicolon, parameters: "sum(x; dim, keepdim)".  `forward` takes their arrays
    and the parameters.  There is one rule for each operand: a function of g, the gradient of the result, and of what
    it asks for by name: operands, parameters, y (the result) or shape (that of its own operand), all as Tensors.  It
    may return the gradient before broadcasting is undone.  (`asks` says the same by number: operands from 0, shape -1.)
    """

    __slots__ = ("name", "forward", "rules", "asks", "arity", "room", "kept")
    fresh = True                                         # a rule returns g itself, a view, or an array of its own

    def __init__(self, head, forward, *rules, asks=None):
        self.name, _, names = head.rstrip(")").partition("(")
        operands, _, parameters = names.partition(";")
        names = [*operands.split(", "), "y", *parameters.strip().split(", ")]
        self.forward, self.rules, self.arity = forward, rules, len(rules)
        self.asks = asks or [[-1 if name == "shape" else names.index(name)
                              for name in rule.__code__.co_varnames[1:rule.__code__.co_argcount]] for rule in rules]
        self.room = self.arity + 1                       # the operands and the result
        self.kept = {}

    def __call__(self, *operands, params=()):
        """Apply to Tensors, and remember it if one of them requires a gradient."""
        if self.arity == 1:                              # written out, for speed: this is most of a small operation
            x, = operands
            array = self.forward(x._data, *params)
            mask = x.requires_grad
        elif self.arity == 2:
            a, b = operands
            array = self.forward(a._data, b._data, *params)
            mask = a.requires_grad + 2 * b.requires_grad
        else:
            array = self.forward(*[t._data for t in operands], *params)
            mask = sum(t.requires_grad << i for i, t in enumerate(operands))
        if type(array) is not ndarray:                   # NumPy makes scalars of results without dimensions, and
            array = np.asarray(array, np.result_type(*[t._data.dtype for t in operands]))    # NumPy 1 of float64
        result = _result(array, None)
        if array.base is not None:                       # perhaps a view of an operand's array
            for t in operands:
                result._memory = result._memory or t._memory
        if mask and _mode.recording:
            result._node, result.requires_grad = self._node(operands, params, mask, array), True
        return result

    def _node(self, operands, params, mask, array):
        kept = self.kept.get(mask)
        if kept is None:
            asked = {k for i, asks in enumerate(self.asks) if mask >> i & 1 for k in asks}
            kept = self.kept[mask] = sorted(k for k in asked if 0 <= k <= self.arity)
        saved, watches = [None] * self.room, ()
        for k in kept:
            if k == self.arity:
                saved[k] = array                         # not the Tensor: it will point to the node
            else:
                saved[k] = operand = operands[k]
                memory = operand._memory
                if memory is not _PRIVATE and (memory is not None or operand._node is None):
                    watches += (operand, _memory_of(operand).watch()),
        if params:
            saved += params
        return Node(self, operands, saved, watches, array)

    def pull(self, node, g, useful):
        """The gradients of the operands, one for each edge; None where there is no use for it."""
        saved = node.saved
        if saved[self.arity] is not None:
            saved = [*saved]
            saved[self.arity] = y = _result(saved[self.arity], None)
            y._node, y.requires_grad = node, True
        return [None if target is None or useful is not None and target not in useful else
                rule(g, *[saved[k] if k >= 0 else target.shape for k in asks])
                for rule, asks, target in zip(self.rules, self.asks, node.edges)]


# --- the sweep -----------------------------------------------------------------------------------


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True, *,
         allow_unused=False, materialize_grads=False):
    """The gradients of `outputs` with respect to each of `inputs`: a tuple of Tensors, (N, D) for an input (N, D).

    The `grad` of leaves is left alone.
    Raises ValueError for an input that no output depends on, unless `allow_unused` or `materialize_grads` is set; for
    the rest as `backward` does.

    Parameters
    ----------
    outputs : Tensor or tuple of Tensors
        What to differentiate; several are added up.
    inputs : Tensor or tuple of Tensors
        By what: leaves or results.
    grad_outputs : Tensor, array, tuple of these or None, default=None
        Weights of the entries of each output, as `gradient` in `backward`.
    retain_graph : bool or None, default=None
        Whether to keep the graph for another sweep; None for the same as `create_graph`.
    create_graph : bool, default=False
        Whether the gradients have a graph of their own and can be differentiated again.
    only_inputs : bool, default=True
        For PyTorch's callers: nothing else gets a gradient.
    allow_unused : bool, default=False
        Whether an input that no output depends on gets None.
    materialize_grads : bool, default=False
        Whether it gets zeros.
    """
    outputs, inputs = _as_tuple(outputs), _as_tuple(inputs)
    weights = (None,) * len(outputs) if grad_outputs is None else \
        tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
    if len(weights) != len(outputs):
        raise ValueError(f"grad_outputs: expected one for each of {len(outputs)} output(s), got {len(weights)}")
    places = []
    for i, t in enumerate(inputs):
        if not isinstance(t, Tensor) or not t.requires_grad:
            raise ValueError(f"inputs[{i}]: expected a Tensor with requires_grad=True, got {t!r}")
        places.append(_place(t))
    asked = [(y, _seed(y, w)) for y, w in zip(outputs, weights) if y.requires_grad or not materialize_grads]
    arrived, _ = _sweep(asked, set(places), retain_graph, create_graph)
    for i, (place, t) in enumerate(zip(places, inputs)):
        if place not in arrived:
            if not materialize_grads and not allow_unused:
                raise ValueError(f"inputs[{i}]: the output does not depend on this Tensor of shape {t.shape}; leave it "
                                 "out, or ask for None by allow_unused=True, for zeros by materialize_grads=True")
            arrived[place] = _result(np.zeros(t.shape, t.dtype), None) if materialize_grads else None
    return tuple(arrived[place] for place in places)


def _as_tuple(tensors):
    return (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)


def _place(t):
    """Where the gradient of `t` is collected: at its node, or at itself if it is a leaf."""
    return t if t._node is None else t._node


def _seed(output, gradient):
    """The gradient that a sweep begins with, as a Tensor of the shape of `output`."""
    if not output.requires_grad:
        raise RuntimeError("backward: this Tensor was not computed from any that requires a gradient, or under no_grad")
    if gradient is None:
        if output._data.size != 1:
            raise ValueError(f"gradient: an output of shape {output.shape} is not one number; reduce it, e.g. by "
                             "sum(), or give a gradient of its shape")
        return _result(np.ones(output.shape, output.dtype), None)
    if isinstance(gradient, bool):
        raise ValueError(f"gradient={gradient}: expected a gradient of shape {output.shape}; create_graph and "
                         "retain_graph go by their names")
    if not isinstance(gradient, Tensor):
        gradient = Tensor(gradient)
    if gradient.shape != output.shape:
        raise ValueError(f"gradient: expected the output's shape {output.shape}, got {gradient.shape}")
    return gradient


def _sweep(asked, wanted, retain_graph, create_graph):
    """Carry seeds back from outputs, both as pairs; ({place: gradient}, the places whose gradient nobody else holds).

    The places are `wanted`, or all leaves if that is None.
    """
    keep_freed()
    retain_graph = create_graph if retain_graph is None else retain_graph
    nodes = _newest_first(*[_place(output) for output, _ in asked])
    useful = None if wanted is None else _leading_to(wanted, nodes)
    arrived, owned, checked = {}, set(), set()
    for output, seed in asked:
        start = _place(output)
        seed = _fitted(seed, start)
        arrived[start] = arrived[start] + seed if start in arrived else seed
    before, _mode.recording = _mode.recording, create_graph
    try:
        for node in nodes:
            g = arrived.get(node) if wanted is not None and node in wanted else arrived.pop(node, None)
            if g is None or useful is not None and node not in useful:
                continue
            for operand, watch in node.watches:
                if operand._memory is not watch.memory or watch not in checked and not watch.intact():
                    raise RuntimeError(f"{node.name}: its operand of shape {operand.shape} has been changed in place "
                                       "since; the gradient needs it as it was. Change a copy, or change it after "
                                       "the sweep")
                checked.add(watch)
            if _changed:
                _as_they_were(node)
            for target, d in zip(node.edges, node.primitive.pull(node, g, useful)):
                if d is None:
                    continue
                d = _fitted(d, target)
                so_far = arrived.get(target)
                arrived[target] = d if so_far is None else so_far + d
                if so_far is not None or node.primitive.fresh and d is not g and d._data.base is None:
                    owned.add(target)
            if not retain_graph:
                node.edges = node.saved = node.watches = None
    finally:
        _mode.recording = before
    return arrived, owned


def through(hooks, g):
    """The gradient `g`, (N, D) or any, after all functions."""
    for key in sorted(hooks, key=lambda key: key is None):                      # what keeps the gradient comes last
        changed = hooks[key](g)
        g = g if changed is None else changed
    return g


def _as_they_were(node):
    """Raise RuntimeError if an operand that `node` keeps is by now the result of another operation than it was."""
    primitive = getattr(node.primitive, "primitive", node.primitive)            # behind hooks
    for operand, edge in zip(node.saved, node.edges) if type(primitive) is Primitive else ():
        if type(edge) is Node and type(operand) is Tensor and operand._node is not edge:
            raise RuntimeError(f"{node.name}: its operand of shape {operand.shape} has been changed in place since; "
                               "the gradient needs it as it was. Change a copy, or change it after the sweep")


def _newest_first(*starts):
    """All nodes that `starts` were computed from, themselves included, in the order of the sweep."""
    found, stack = set(), [*starts]
    while stack:
        place = stack.pop()
        if type(place) is not Node or place in found:
            continue
        if place.edges is None:
            raise RuntimeError(f"{place.name}: this part of the graph has been swept and freed; sweep it once, or pass "
                               "retain_graph=True the first time")
        found.add(place)
        stack += place.edges
    return sorted(found, key=lambda node: node.number, reverse=True)


def _leading_to(wanted, nodes):
    """The places of `wanted`, and the nodes that were computed from them."""
    useful = set(wanted)
    for node in reversed(nodes):
        if not useful.isdisjoint(node.edges):
            useful.add(node)
    return useful


def _fitted(g, target):
    """`g` with the shape and dtype of `target`: what was broadcast is summed, what was promoted is cast back."""
    if target.shape is None:                             # several results: `g` says of which it is the gradient
        return g
    if g._data.shape != target.shape:
        extra = g._data.ndim - len(target.shape)
        stretched = [extra + i for i, n in enumerate(target.shape) if n == 1 and g.shape[extra + i] != 1]
        g = g.sum((*range(extra), *stretched)).reshape(target.shape)
    return g if g._data.dtype is target.dtype else g.to(target.dtype)


# --- Tensors of a number, and of an array that others may write to -------------------------------


def fixed(number, dtype):
    """A number as a constant Tensor."""
    return _result(np.asarray(number, dtype), _PRIVATE)


def _memory_of(tensor):
    tensor._memory = tensor._memory or Memory(tensor._data)
    return tensor._memory
