"""The checker fails where a gradient is wrong.  Each planted fault was found in a published teaching repository."""
import numpy as np
import pytest

from scratchml.autograd import Fused, GradcheckError, Tensor, gradcheck, gradgradcheck, ops


def tensor(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


# --- a recurrent network, h_t = tanh(x_t W + h_{t-1} U), by hand

def recurrent(x, W, U):
    h = [np.zeros(U.shape[0])]
    for row in x:
        h.append(np.tanh(row @ W + h[-1] @ U))
    return np.array(h[1:]), (x, W, U, np.array(h))


def recurrent_gradient(saved, g, *, path=True, assign=False, input_gradient=True):
    x, W, U, h = saved
    dx, dW, dU, dh = np.zeros(x.shape), np.zeros(W.shape), np.zeros(U.shape), np.zeros(U.shape[0])
    for t in reversed(range(len(x))):
        dz = (g[t] + dh) * (1 - h[t + 1] ** 2)
        dW = np.outer(x[t], dz) + (0 if assign else dW)
        dU += np.outer(h[t], dz)
        dx[t] = W @ dz if input_gradient else 0
        dh = U @ dz if path else 0
    return dx, dW, dU


def sigmoid(z):
    y = 1 / (1 + np.exp(-z))
    return y, y


def mean_square(y):
    return np.array((y ** 2).mean()), y


def softmax(z):
    y = np.exp(z) / np.exp(z).sum()
    return y, y


RIGHT = {
    "recurrent": (recurrent, recurrent_gradient, [(4, 2), (2, 3), (3, 3)]),
    "sigmoid": (sigmoid, lambda y, g: g * y * (1 - y), [(3,)]),
    "mean_square": (mean_square, lambda y, g: g * 2 * y / y.size, [(2, 3)]),
    "softmax": (softmax, lambda y, g: y * (g - g @ y), [(4,)]),
}
WRONG = {
    "a recurrent path is missing":
        (recurrent, lambda s, g: recurrent_gradient(s, g, path=False), [(4, 2), (2, 3), (3, 3)], "input 0"),
    "a gradient is assigned where it should add up":
        (recurrent, lambda s, g: recurrent_gradient(s, g, assign=True), [(4, 2), (2, 3), (3, 3)], "input 1"),
    "the gradient of an input is zero":
        (recurrent, lambda s, g: recurrent_gradient(s, g, input_gradient=False), [(4, 2), (2, 3), (3, 3)], "input 0"),
    "σ' is applied to σ(z)": (sigmoid, lambda y, g: g * sigmoid(y)[0] * (1 - sigmoid(y)[0]), [(3,)], "input 0"),
    "a mean has the gradient of a sum": (mean_square, lambda y, g: g * 2 * y, [(2, 3)], "input 0"),
    "a softmax has a diagonal Jacobian": (softmax, lambda y, g: g * y * (1 - y), [(4,)], "input 0"),
}


@pytest.mark.parametrize("forward, backward, shapes", RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("fast_mode", [False, True])
def test_right_gradients_pass(forward, backward, shapes, fast_mode):
    assert gradcheck(Fused(forward, backward), tuple(tensor(*s) for s in shapes), fast_mode=fast_mode)


@pytest.mark.parametrize("forward, backward, shapes, where", WRONG.values(), ids=WRONG)
def test_planted_faults_are_found_by_coordinates(forward, backward, shapes, where):
    with pytest.raises(GradcheckError, match=f"^{forward.__name__}: derivative of output 0 at .* by {where} at "):
        gradcheck(Fused(forward, backward), tuple(tensor(*s) for s in shapes))


@pytest.mark.parametrize("forward, backward, shapes, where", WRONG.values(), ids=WRONG)
def test_planted_faults_are_found_by_directions(forward, backward, shapes, where):
    with pytest.raises(GradcheckError, match=f"^{forward.__name__}: derivative along a random direction: expected"):
        gradcheck(Fused(forward, backward), tuple(tensor(*s) for s in shapes), fast_mode=True)


def test_the_message_names_function_input_index_and_both_values():
    def tripled(a, b):
        return a * b[1], (a, b)
    wrong = Fused(tripled, lambda saved, g: (g * saved[1][1], np.array([0, (g * saved[0]).sum() + 1])))
    inputs = tuple(Tensor(v, requires_grad=True) for v in ([1.0, 2.0], [3.0, 4.0]))
    with pytest.raises(GradcheckError) as caught:
        gradcheck(wrong, inputs)
    assert str(caught.value) == "tripled: derivative of output 0 at [0] by input 1 at [1]: expected 1, got 2"


def test_second_derivatives_that_are_wrong():
    """x² with the gradient 2x for a constant x: right once, wrong twice."""
    def square(x):
        return x.detach() * x * 2 - x.detach() ** 2
    x = tensor(3)
    assert gradcheck(lambda x: x * x, x) and gradgradcheck(lambda x: x * x, x)
    assert gradcheck_of_value(square, x)
    with pytest.raises(GradcheckError, match="gradient of square"):
        gradgradcheck(square, x)


def gradcheck_of_value(square, x):
    y = square(x)
    y.sum().backward()
    return np.allclose(y.data, x.data ** 2) and np.allclose(x.grad.data, 2 * x.data)


def test_nan_is_an_error():
    with pytest.raises(GradcheckError, match="got nan"):
        gradcheck(Fused(lambda x: (x, ()), lambda saved, g: g * np.nan), tensor(2))


def test_several_outputs_and_inputs_without_gradients():
    def f(x, constant, y):
        return x * constant, (x * y).sum()
    assert gradcheck(f, (tensor(2), Tensor([3.0, 4.0]), tensor(2, seed=1)))
    assert gradgradcheck(f, (tensor(2), Tensor([3.0, 4.0]), tensor(2, seed=1)))


def test_linear_functions_have_second_derivatives_of_zero():
    assert gradgradcheck(lambda x: 3 * x, tensor(2)) and gradgradcheck(ops.sum, tensor(2, 2))


def test_inputs_are_left_as_they_were():
    x = tensor(3)
    before = x.data.copy()
    gradcheck(lambda x: x ** 3, x)
    np.testing.assert_array_equal(x.data, before)
    assert x.grad is None


@pytest.mark.parametrize("inputs, message", [
    (Tensor(1.0), "at least one Tensor with requires_grad=True"),
    (Tensor(np.float32([1]), requires_grad=True), r"inputs\[0\]: expected float64, got float32"),
])
def test_inputs_that_cannot_be_checked(inputs, message):
    with pytest.raises(ValueError, match=message):
        gradcheck(ops.exp, inputs)
