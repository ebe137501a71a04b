"""Operations of one's own: what goes back is what backward says, once and twice, and mistakes are errors."""
import gc
import weakref

import numpy as np
import pytest

from scratchml.autograd import Function, Tensor, grad, gradcheck, gradgradcheck, no_grad
from scratchml.autograd.plain import Plain


def leaf(*numbers):
    return Tensor(np.array(numbers), requires_grad=True)


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        y, = ctx.saved_tensors
        return g * y


class Scaled(Function):
    """c x y, and the larger of x and y by place, whose gradient by c is not wanted."""
    @staticmethod
    def forward(ctx, x, c, y):
        assert ctx.needs_input_grad == (True, False, y.requires_grad)
        ctx.save_for_backward(x, y)
        ctx.c = c
        return c * x * y, x > y, x + y

    @staticmethod
    def backward(ctx, g, h):
        x, y = ctx.saved_tensors
        return ctx.c * y * g + h, None, ctx.c * x * g + h


class Straight(Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        g = g.clone()
        g[g < 0] = 0
        return g


class Cube(Function):
    """In the form without a context in `forward`."""
    @staticmethod
    def forward(x):
        return x ** 3

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x * x * g


@pytest.mark.parametrize("function, arguments", [
    (Exp.apply, (leaf(0.3, -1.0),)), (Cube.apply, (leaf([1.0, -2.0], [0.5, 3.0]),)),
    (lambda x, y: Scaled.apply(x, 0.7, y)[0], (leaf(1.0, 2.0), leaf(3.0, -1.0))),
    (lambda x, y: Scaled.apply(x, 0.7, y)[0] * Scaled.apply(x, 0.2, y)[2], (leaf(1.0, 2.0), leaf(3.0, -1.0))),
], ids=["result kept", "old form", "two arguments", "two results"])
def test_first_and_second_derivatives(function, arguments):
    gradcheck(function, arguments)
    gradgradcheck(function, arguments)


def test_results_of_several_kinds():
    x = leaf(1.0, 2.0)
    product, larger, total = Scaled.apply(x, 2.0, Tensor([3.0, -1.0]))
    assert type(larger) is Plain and larger.tolist() == [False, True] and product.requires_grad
    assert total.tolist() == [4, 1]
    total.sum().backward()
    assert x.grad.tolist() == [1, 1]
    with no_grad():
        assert not Exp.apply(x).requires_grad
    assert not Exp.apply(Tensor([1.0])).requires_grad


def test_whatever_backward_says_goes_back():
    x = leaf(0.4, 1.6)
    (Straight.apply(x) * Tensor([5.0, -5.0])).sum().backward()
    assert x.grad.tolist() == [5, 0]
    g, = grad(Straight.apply(2 * x).sum(), x)
    assert g.tolist() == [2, 2]


def test_a_change_in_place_is_an_error_and_graphs_die():
    x, kept = leaf(1.0, 2.0), []
    y = Cube.apply(x)
    with no_grad():
        x += 1
    with pytest.raises(RuntimeError, match="Cube: its operand .* changed in place"):
        y.sum().backward()
    gc.disable()
    try:
        y = Exp.apply(leaf(1.0))
        kept.append(weakref.ref(y))
        grad(y, _first_leaf(y), create_graph=True)
        del y
        assert kept[0]() is None
    finally:
        gc.enable()


def _first_leaf(y):
    return next(edge for edge in y._node.edges)


class Wrong(Function):
    @staticmethod
    def forward(ctx, x, what):
        ctx.what = what
        return 2 * x

    @staticmethod
    def backward(ctx, g):
        return ctx.what(g)


@pytest.mark.parametrize("what, message", [
    (lambda g: g, "returned 1 gradient.* for 2 argument"),
    (lambda g: (g.sum(), None), r"shape \(\) for argument 0 of shape \(2,\)"),
])
def test_wrong_gradients(what, message):
    with pytest.raises(RuntimeError, match=f"Wrong: backward .*{message}"):
        Wrong.apply(leaf(1.0, 2.0), what).sum().backward()


class Both(Function):
    @staticmethod
    def forward(ctx, x):
        y, z = x.exp(), -x
        ctx.save_for_backward(y)
        return y, z

    @staticmethod
    def backward(ctx, g, h):
        return g * ctx.saved_tensors[0] - h


def test_one_of_several_results_has_no_second_derivative():
    x = leaf(1.0)
    y, z = Both.apply(x)
    with pytest.raises(RuntimeError, match="compute it again in backward"):
        grad(y, x, create_graph=True)
    np.testing.assert_allclose(grad(Both.apply(x)[0], x)[0].data, np.exp([1.0]))


def test_a_graph_dies_with_its_last_name():
    """Without Python's search for circles, which would come late."""
    contexts = []

    class Squared(Function):
        @staticmethod
        def forward(ctx, x):
            contexts.append(weakref.ref(ctx))
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    gc.disable()
    try:
        y = Squared.apply(Tensor([3.0], requires_grad=True))
        y.sum().backward()
        del y
        assert contexts[0]() is None
    finally:
        gc.enable()
