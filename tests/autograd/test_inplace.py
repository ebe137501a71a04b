"""Methods that change a leaf in place, and where they refuse.  Operators are tested with the engine."""
import numpy as np
import pytest

from scratchml.autograd import Tensor, no_grad
from scratchml.core.random import manual_seed

A = np.array([[1.0, -2.0], [3.0, 4.0]])
G = np.array([[0.5, 1.0], [-1.0, 2.0]])
CHANGES = {
    "zero_": (lambda x: x.zero_(), 0 * A), "fill_": (lambda x: x.fill_(3), 0 * A + 3),
    "copy_": (lambda x: x.copy_(Tensor(G)), G), "copy_ a row": (lambda x: x.copy_(G[0]), [G[0], G[0]]),
    "add_": (lambda x: x.add_(Tensor(G), alpha=-0.1), A - 0.1 * G), "add_ number": (lambda x: x.add_(1), A + 1),
    "sub_": (lambda x: x.sub_(G), A - G), "sub_ alpha": (lambda x: x.sub_(G, alpha=2), A - 2 * G),
    "mul_": (lambda x: x.mul_(0.9), A * 0.9), "div_": (lambda x: x.div_(Tensor(G)), A / G),
    "clamp_": (lambda x: x.clamp_(-1, 2), A.clip(-1, 2)), "clamp_ min": (lambda x: x.clamp_(min=0), A.clip(0)),
    "addcmul_": (lambda x: x.addcmul_(Tensor(G), Tensor(A), value=0.5), A + 0.5 * G * A),
    "addcdiv_": (lambda x: x.addcdiv_(Tensor(A), Tensor(G), value=-2), A - 2 * A / G),
    "lerp_": (lambda x: x.lerp_(Tensor(G), 0.25), A + 0.25 * (G - A)),
    "masked_fill_": (lambda x: x.masked_fill_(A > 2, 7.0), np.where(A > 2, 7, A)),
}


@pytest.mark.parametrize("change, expected", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_change(change, expected, dtype):
    array = A.astype(dtype)
    x = Tensor(array, requires_grad=True)
    with no_grad():
        assert change(x) is x
    assert x.detach().numpy() is array and x.requires_grad and x.dtype == dtype
    np.testing.assert_allclose(array, np.asarray(expected, dtype), rtol=1e-6 if dtype == np.float32 else 1e-14)
    with pytest.raises(RuntimeError, match="this leaf requires a gradient"):
        change(x)
    y = x * 1
    with no_grad(), pytest.raises(RuntimeError, match="what an operation has computed is not changed in place"):
        change(y)
    assert change(Tensor(A.copy())).shape == (2, 2)      # a constant may change at any time


SLOPES = {"zero_": 0 * A, "fill_": 0 * A, "copy_": 0 * A, "copy_ a row": 0 * A, "mul_": 0 * A + 0.9, "div_": 1 / G,
          "clamp_": [[1, 0], [0, 0]], "clamp_ min": [[1, 0], [1, 1]], "lerp_": 0 * A + 0.75,
          "masked_fill_": [[1, 1], [0, 0]]}


@pytest.mark.parametrize("name", CHANGES)
def test_a_result_changes_with_its_gradient(name):
    change, expected = CHANGES[name]
    x = Tensor(A / 2, requires_grad=True)
    y = x * 2
    assert change(y) is y
    np.testing.assert_allclose(y.detach().data, expected, rtol=1e-14)
    (y * Tensor(A)).sum().backward()
    slope = A * np.asarray(SLOPES.get(name, 1.0))
    np.testing.assert_allclose(x.grad.data, 2 * slope, rtol=1e-14)


def test_what_others_show_is_not_changed_under_them():
    x = Tensor(A, requires_grad=True)
    y = x * 2
    row = y[0]
    with pytest.raises(TypeError, match="this result of index is not changed in place: other Tensors"):
        row.zero_()
    with pytest.raises(TypeError, match="this result of mul is not changed in place: other Tensors"):
        y[1] = 0
    del row
    y[1] = 0
    y[0, 0] += 1
    y.clamp_(min=-9)
    y.sum().backward()
    assert y.data.tolist() == [[3, -4], [0, 0]] and x.grad.data.tolist() == [[2, 2], [0, 0]]
    z = (x * 2).tanh().reshape(4).unsqueeze(0)
    z.squeeze_(0)
    z[2:] = 0.5                                          # tanh keeps its result, and needs it as it was
    z.sum().backward()
    np.testing.assert_allclose(x.grad.data[0], 2 + 2 * (1 - np.tanh([2, -4.0]) ** 2), rtol=1e-13)


def test_what_was_needed_before_a_change_is_missed():
    x = Tensor(A, requires_grad=True)
    y = x * 2
    z = y * y
    y.mul_(3)
    with pytest.raises(RuntimeError, match="mul: its operand of shape .* has been changed in place since"):
        z.sum().backward()


TWINS = {"scatter_": lambda x: x.scatter_(1, [[1], [0]], 5.0), "value": lambda x: x.scatter_(1, [[1], [0]], value=5.0),
         "scatter_add_": lambda x: x.scatter_add_(0, [[1, 0], [1, 1]], Tensor(G)), "exp_": lambda x: x.exp_(),
         "index_add_": lambda x: x.index_add_(0, [1, 1], Tensor(G)), "index_fill_": lambda x: x.index_fill_(1, [0], -1),
         "fill_diagonal_": lambda x: x.fill_diagonal_(9), "pow_": lambda x: x.pow_(2)}
BY_HAND = {"scatter_": [[1, 5], [5, 4]], "value": [[1, 5], [5, 4]], "scatter_add_": [[1, -1], [2.5, 6]],
           "exp_": np.exp(A), "index_add_": [[1, -2], [2.5, 7]], "index_fill_": [[-1, -2], [-1, 4]],
           "fill_diagonal_": [[9, -2], [3, 9]], "pow_": A ** 2}


@pytest.mark.parametrize("name", TWINS)
def test_twins_of_functions(name):
    x = Tensor(A.copy())
    assert TWINS[name](x) is x
    np.testing.assert_allclose(x.data, BY_HAND[name], rtol=1e-14)
    y = Tensor(A, requires_grad=True) * 1
    np.testing.assert_allclose(TWINS[name](y).detach().data, BY_HAND[name], rtol=1e-14)


def test_random_numbers_follow_the_seed():
    x = Tensor(np.zeros((100, 100)))
    manual_seed(0)
    first = x.normal_(2.0, 0.5).data.copy()
    manual_seed(0)
    assert (x.normal_(2.0, 0.5).data == first).all() and abs(first.mean() - 2) < 0.02 and abs(first.std() - 0.5) < 0.02
    u = x.uniform_(-1, 3).data
    assert -1 <= u.min() < -0.9 and 2.9 < u.max() < 3


def test_what_would_be_lost():
    x, w = Tensor(A.copy()), Tensor(G, requires_grad=True)
    with pytest.raises(RuntimeError, match="add_: an argument requires a gradient"):
        x.add_(w)
    with pytest.raises(ValueError, match=r"copy_: expected what fits into shape \(2, 2\), got \(3, 2, 2\)"):
        x.copy_(np.ones((3, 2, 2)))


def test_the_loop_of_an_optimiser_by_hand():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    v = Tensor(np.zeros(2))
    for _ in range(3):
        (x * x).sum().backward()
        with no_grad():
            v.mul_(0.5).add_(x.grad)
            x.add_(v, alpha=-0.1)
        x.grad.zero_()
    a, u = np.array([1.0, 2.0]), np.zeros(2)
    for _ in range(3):
        u = 0.5 * u + 2 * a
        a = a - 0.1 * u
    np.testing.assert_allclose(x.data, a, rtol=1e-14)
