"""Hooks: a function that sees a gradient on its way, and may change it.

`register_hook` of a result or a leaf calls the function with the gradient of it once all of that has arrived; what it
returns, unless None, goes on in its place.  `retain_grad` keeps the gradient of a result in its `grad`.

>>> from scratchml.autograd import Tensor
>>> x = Tensor([1.0, 2.0], requires_grad=True)
>>> y = x * x
>>> y.retain_grad()
>>> _ = y.register_hook(lambda g: g.clamp(max=5))
>>> (y * Tensor([3.0, 10.0])).sum().backward()
>>> y.grad, x.grad
(Tensor([3., 5.]), Tensor([ 6., 20.]))
"""
import weakref

from scratchml.autograd.tensor import Tensor, _hooked, through


class Hooked:
    """The primitive of a node, behind functions that see the gradient first: {number: function}."""

    fresh = False

    def __init__(self, primitive):
        self.primitive, self.name, self.hooks = primitive, primitive.name, {}

    def pull(self, node, g, useful):
        return self.primitive.pull(node, through(self.hooks, g), useful)


class Handle:
    """What a hook is known by: `remove` takes it away."""

    def __init__(self, hooks, hook):
        self.hooks = hooks
        hooks[self] = hook

    def remove(self):
        """Call the function no longer."""
        self.hooks.pop(self, None)


def register_hook(x, hook):
    """Call hook(g) with the gradient of `x`; what it returns, unless None, takes its place.  Returns a handle.

    Raises RuntimeError for a Tensor that requires no gradient.

    Parameters
    ----------
    hook : callable
        What is called.
    """
    if not x.requires_grad:
        raise RuntimeError("register_hook: this Tensor requires no gradient, so none will come")
    if x._node is None:
        if id(x) not in _hooked:
            _hooked[id(x)] = {}
            weakref.finalize(x, _hooked.pop, id(x), None)
        return Handle(_hooked[id(x)], hook)
    if type(x._node.primitive) is not Hooked:
        x._node.primitive = Hooked(x._node.primitive)
    return Handle(x._node.primitive.hooks, hook)


def retain_grad(x):
    """Keep the gradient of this result in its `grad`, as that of a leaf is.  Raises RuntimeError as `register_hook`."""
    if x._node is None and x.requires_grad:
        return
    there = weakref.ref(x)                               # a node points to nothing that was computed from it

    def keep(g):
        result = there()
        if result is not None:
            result.grad = g.detach() if result.grad is None else result.grad + g.detach()
    register_hook(x, keep)
    x._node.primitive.hooks[None] = x._node.primitive.hooks.popitem()[1]        # it comes last, as in PyTorch


Tensor.register_hook, Tensor.retain_grad = register_hook, retain_grad
