"""Primitives with gradients by hand: one result and several, what is kept, and what is refused."""
import numpy as np
import pytest

from scratchml.autograd import Fused, Tensor, draw, grad, gradcheck, no_grad, ops


def tensor(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def polar(x, y, *, scale=1.0):
    r = scale * np.hypot(x, y)
    return (r, np.arctan2(y, x)), (x, y, scale)


def polar_gradient(saved, dr, dangle):
    x, y, scale = saved
    r = np.hypot(x, y)
    return scale * dr * x / r - dangle * y / r ** 2, scale * dr * y / r + dangle * x / r ** 2


to_polar = Fused(polar, polar_gradient)


@pytest.mark.parametrize("f", [
    to_polar, lambda x, y: to_polar(x, y, scale=3.0), lambda x, y: to_polar(x, y)[0], lambda x, y: to_polar(x, y)[1],
    lambda x, y: to_polar(x, y)[0] * to_polar(y, x)[1], lambda x, y: to_polar(x * y, y)[0] ** 2,
    lambda x, y: (lambda r, angle: r * angle + r * r)(*to_polar(x, y)), lambda x, y: to_polar(x, x * x)[1],
])
def test_several_results(f):
    assert gradcheck(f, (tensor(3), tensor(3, seed=1)))


def test_an_operation_with_one_result_is_one_node(capsys):
    cube = Fused(lambda x: (x ** 3, (x,)), lambda saved, g: 3 * saved[0] ** 2 * g)
    x = tensor(3)
    y = cube(x)
    assert y._node.edges == [x] and y._node.saved[0][0] is x._data
    draw(y + to_polar(y, x)[0])
    nodes = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line[0] == "#"]
    assert nodes == ["add", "result", "polar", "<lambda>"]


def test_gradients_are_promised_no_more_than_once():
    x, y = tensor(3), tensor(3, seed=1)
    g, = grad(to_polar(x, y)[0].sum() + (x ** 3).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="polar: its gradient was derived by hand and has no derivative itself"):
        g.sum().backward()
    r, _ = to_polar(x, y)
    by_r, = grad((r ** 3).sum(), r, create_graph=True)   # through what comes behind it, twice is no problem
    assert grad(by_r.sum(), r, retain_graph=True)[0].shape == (3,)


def test_a_change_of_what_it_keeps():
    x, y = tensor(3), tensor(3, seed=1)
    r, _ = to_polar(x, y)
    x.data[1] = 7
    with pytest.raises(RuntimeError, match="polar: its operand of shape .3,. has been changed in place"):
        r.sum().backward()


def test_a_change_of_what_its_operand_was_computed_from():
    x, w = Tensor(np.ones(3)) * 2, tensor(3)
    r, _ = to_polar(x, w)
    x.data[1] = 7
    with pytest.raises(RuntimeError, match="polar: its operand"):
        r.sum().backward()


def test_results_that_are_views_are_watched_and_others_are_not():
    x = tensor(4)
    first, _ = ops.split(x, 2)
    y = (first * first).sum()
    x.data[0] = 7
    with pytest.raises(RuntimeError, match="mul: its operand"):
        y.backward()
    doubled = Fused(lambda x: (2 * x, ()), lambda saved, g: 2 * g)(x)
    y, before = (doubled * doubled).sum(), x.data.copy()
    x.data[0] = 5                                        # nothing keeps x, and `doubled` is an array of its own
    y.backward()
    np.testing.assert_allclose(x.grad.data, 8 * before)


def test_a_result_shares_the_memory_of_the_operand_that_it_views_and_of_no_other():
    b = np.ones(3)
    reshaped = Fused(lambda b, x: ((b[0] * x).reshape(3, 1), (b.copy(),)), lambda saved, g: (None, g.ravel()))
    y = reshaped(Tensor(b), x := tensor(3))
    z = (y * y).sum()
    b[...] = 0                                           # y has a base, but it is not this
    z.backward()
    np.testing.assert_allclose(x.grad.data, 2 * x.data)


@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[::-1], lambda a: np.broadcast_to(a, (2, 3))])
@pytest.mark.parametrize("make", [Tensor, lambda a: Tensor(a) * 2])
def test_a_result_that_is_or_views_an_operand_is_watched(view, make):
    operand = make(np.ones(3))
    same = Fused(lambda w, a: ((a * w, view(a)), ()), lambda saved, g, h: (g, None))
    _, y = same(w := tensor(3), operand)
    z = (y * w).sum()
    operand.data[1] = 7
    with pytest.raises(RuntimeError, match="mul: its operand of shape .* has been changed in place"):
        z.backward()


def test_only_what_it_keeps_is_watched():
    scaled = Fused(lambda x, s: (x * s, s), lambda s, g: (g * s, None))
    x, s = tensor(3), tensor(3, seed=1)
    y, z = scaled(x, s).sum(), scaled(x, s).sum()
    x.data[0] = 7
    y.backward()
    s.data[0] = 7
    with pytest.raises(RuntimeError, match="has been changed in place"):
        z.backward()


def test_an_operand_that_needs_no_gradient():
    x = tensor(3)
    r, angle = to_polar(x, np.ones(3))
    r.sum().backward()
    np.testing.assert_allclose(x.grad.data, x.data / r.data)
    assert not to_polar(Tensor([1.0]), [2.0])[0].requires_grad
    with no_grad():
        assert not to_polar(x, x)[0].requires_grad


def test_none_stands_for_no_gradient():
    first = Fused(lambda x, y: (x * 1, ()), lambda saved, g: (g, None))
    x, y = tensor(3), tensor(3, seed=1)
    first(x, y).sum().backward()
    assert x.grad.data.tolist() == [1, 1, 1] and y.grad is None


def test_gradients_that_share_memory_are_taken_apart():
    both = Fused(lambda x, y: (x + y, ()), lambda saved, g: (g, g))
    x, y = tensor(3), tensor(3, seed=1)
    (both(x, y) * 2).sum().backward()
    x.grad.data[:] = 5
    assert y.grad.data.tolist() == [2, 2, 2] and not x.grad.requires_grad


@pytest.mark.parametrize("fresh", [True, False])
def test_new_arrays_become_gradients_without_a_copy(fresh):
    made = []

    def backward(saved, g):
        made.append(3 * g)
        return made[-1]
    x = tensor(3)
    tripled = Fused(lambda x: (3 * x, ()), backward, fresh=fresh)
    y = tripled(x).sum()
    y.backward(retain_graph=True)
    assert (x.grad.numpy() is made[0]) == fresh
    y.backward()                                         # adds to it, but not in place
    assert made[0].tolist() == [3, 3, 3] and x.grad.data.tolist() == [6, 6, 6]
    x.grad = None
    (tripled(x) + tripled(x) * 2).sum().backward()
    assert x.grad.data.tolist() == [9, 9, 9]


@pytest.mark.parametrize("backward, message", [
    (lambda saved, g: g, r"polar: backward returned 1 gradient\(s\) for 2 operand\(s\)"),
    (lambda saved, g: (g, g[1:]), r"backward returned a gradient of shape \(2,\) for operand 1 of shape \(3,\)"),
])
def test_gradients_of_a_wrong_number_or_shape(backward, message):
    f = Fused(lambda x, y: (x + y, ()), backward)
    f.name = "polar"
    with pytest.raises(ValueError, match=message):
        f(tensor(3), tensor(3, seed=1)).sum().backward()


def test_float32():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    r, _ = to_polar(x, x)
    (r * np.float64(2)).sum().backward()
    assert r.dtype == x.grad.dtype == np.float32


def test_pieces_of_a_split_are_put_together_once():
    x = tensor(5)
    pieces = ops.split(x, 2)
    assert [p.shape for p in pieces] == [(2,), (2,), (1,)]
    (pieces[0].sum() + 2 * pieces[2].sum() + (pieces[2] ** 2).sum()).backward()
    np.testing.assert_allclose(x.grad.data, [1, 1, 0, 0, 2 + 2 * x.data[4]])


@pytest.mark.parametrize("keep", [lambda x: x, lambda x: [None, {"x": x}], lambda x: ((), (x.reshape(-1),)),
                                  lambda x: [[x[::2]]], lambda x: x.T])
def test_a_change_of_what_it_keeps_inside_or_in_another_shape(keep):
    x = tensor(4, 3)
    y = Fused(lambda x: (x * 2, keep(x)), lambda saved, g: 2 * g)(x).sum()
    x.data *= -1
    with pytest.raises(RuntimeError, match="has been changed in place"):
        y.backward()
