"""Operations of one's own: a value, and the gradient that shall go back, whatever calculus says.

`Fused` makes an operation of two functions on arrays.  `Function` makes one in PyTorch's form, of two functions on
Tensors: `forward` gets a context and the arguments, `backward` the context and the gradients of the results.  What it
returns may be the derivative, or what is useful in its place: rounding that lets gradients through, a sign that turns
for an adversary, a bound on what comes.

Choices
    Nothing is remembered of what `forward` does.  What `backward` does is remembered where the gradients shall have a
    graph of their own, so that it can be differentiated again: by what `save_for_backward` has kept, arguments and, if
    there is one result, the result.

>>> from scratchml.autograd import Tensor
>>> class Reversed(Function):
...     @staticmethod
...     def forward(ctx, x, factor):
...         ctx.factor = factor
...         return x
...     @staticmethod
...     def backward(ctx, g):
...         return -ctx.factor * g, None
>>> x = Tensor([1.0, 2.0], requires_grad=True)
>>> Reversed.apply(x, 0.5).sum().backward()
>>> x.grad
Tensor([-0.5, -0.5])

Source: for the names, PyTorch.
"""
from scratchml.autograd.fused import parts_of, results_of
from scratchml.autograd.tensor import Tensor, _mode, _result, no_grad


class Context:
    """What `forward` leaves to `backward`: attributes, and Tensors by `save_for_backward`."""

    saved, results, node = (), (), None

    def __init__(self, arguments):
        self.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in arguments)

    def save_for_backward(self, *tensors):
        """Keep Tensors, arguments or results, for `backward`; a change of them in place is an error there."""
        self.saved = tensors

    def mark_non_differentiable(self, *results):
        """For PyTorch's callers: whole numbers and truth values have no gradient in any case."""

    @property
    def saved_tensors(self):
        """What was kept.  Raises RuntimeError for one of several results in a graph of gradients."""
        return tuple(self._in_graph(t) if any(t is r for r in self.results) else t for t in self.saved)

    def _in_graph(self, result):
        if self.node is None or not _mode.recording:
            return result
        if len(self.results) > 1:
            raise RuntimeError("saved_tensors: one of several results has no derivative of second order; save the "
                               "arguments, and compute it again in backward")
        again = _result(result._data, None)
        again._node, again.requires_grad = self.node, True
        return again


class Function:
    """An operation on Tensors: a subclass has the static methods `forward` and `backward`, and is called by `apply`.

    `forward` gets a context and the arguments, and returns a Tensor, an array of whole numbers or a tuple of them;
    `backward` gets the context and the gradient of each Tensor among the results, and returns one for each argument,
    None for what is no Tensor.
    """

    @classmethod
    def apply(cls, *arguments):
        """The results.  Raises RuntimeError, in the sweep, for gradients of a wrong number or shape.

        Parameters
        ----------
        *arguments : object
            What `forward` gets behind the context.
        """
        ctx = Context(arguments)
        with no_grad():
            if hasattr(cls, "setup_context"):
                results = cls.forward(*arguments)
                cls.setup_context(ctx, arguments, results)
            else:
                results = cls.forward(ctx, *arguments)
        several = isinstance(results, tuple)
        results = results if several else (results,)
        ctx.results = tuple(r for r in results if isinstance(r, Tensor))
        call, operands = _Call(cls, ctx, arguments), [a for a in arguments if isinstance(a, Tensor)]
        kept = [t._data for t in ctx.saved if isinstance(t, Tensor)]
        made = iter(results_of(call, operands, kept, tuple(r._data for r in ctx.results)))
        results = tuple(next(made) if isinstance(r, Tensor) else r for r in results)
        return results if several else results[0]


class _Call:
    """One call of a Function, as the operation of a node."""

    fresh = False

    def __init__(self, function, ctx, arguments):
        self.function, self.name, self.ctx = function, function.__name__, ctx
        self.places = [i for i, a in enumerate(arguments) if isinstance(a, Tensor)]
        self.count = len(arguments)

    def pull(self, node, g, useful):
        _, (shapes, _) = node.saved
        self.ctx.node = node
        try:
            gradients = self.function.backward(self.ctx, *parts_of(g).tensors(shapes))
        finally:
            self.ctx.node = None                         # a node that is its own context's would not die
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        if len(gradients) != self.count:
            raise RuntimeError(f"{self.name}: backward returned {len(gradients)} gradient(s) for {self.count} "
                               "argument(s); expected one for each, None for what is no Tensor")
        pulled = []
        for i, target in zip(self.places, node.edges):
            d = gradients[i]
            if d is None or target is None or useful is not None and target not in useful:
                pulled.append(None)
                continue
            d = d if isinstance(d, Tensor) else Tensor(d)
            if target.shape is not None and d.shape != target.shape:
                raise RuntimeError(f"{self.name}: backward returned a gradient of shape {d.shape} for argument {i} of "
                                   f"shape {target.shape}")
            pulled.append(d)
        return pulled
