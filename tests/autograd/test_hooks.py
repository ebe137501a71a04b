"""Hooks: they see the whole gradient, may change it, and go."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.autograd.tensor import _hooked


def test_a_leaf():
    x, seen = Tensor([1.0, 2.0], requires_grad=True), []
    handle = x.register_hook(lambda g: seen.append(g.data.tolist()))
    double = x.register_hook(lambda g: 2 * g)
    (x * 3 + x * x).sum().backward()
    assert seen == [[5, 7]] and x.grad.data.tolist() == [10, 14]
    handle.remove()
    double.remove()
    (x * 3).sum().backward()
    assert len(seen) == 1 and x.grad.data.tolist() == [13, 17]


def test_a_leaf_that_is_gone_leaves_no_hook_to_the_next_at_its_place():
    x = Tensor([1.0], requires_grad=True)
    x.register_hook(lambda g: 2 * g)
    place = id(x)
    assert place in _hooked
    del x
    assert place not in _hooked


def test_what_a_hook_returns_stays_its_own():
    x, kept = Tensor([1.0, 2.0], requires_grad=True), Tensor([5.0, 7.0])
    y = x + 1                                            # whose rule returns the gradient itself
    y.register_hook(lambda g: kept)
    y.sum().backward()
    assert x.grad.data.tolist() == [5, 7] and not np.shares_memory(x.grad.data, kept.data)


def test_a_result_keeps_the_sum_of_its_gradients():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.retain_grad()
    for _ in range(2):
        (y * Tensor([3.0, 4.0])).sum().backward(retain_graph=True)
    assert y.grad.data.tolist() == [6, 8]
    with pytest.raises(RuntimeError, match="requires no gradient"):
        Tensor([1.0]).retain_grad()


def test_a_result():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.retain_grad()
    y.register_hook(lambda g: -g)
    (y * y + y).sum().backward()
    assert y.grad.data.tolist() == [-3, -9] and x.grad.data.tolist() == [-6, -36]
    x.retain_grad()                                      # a leaf keeps it as it is
    with pytest.raises(RuntimeError, match="requires no gradient"):
        Tensor(np.ones(2)).register_hook(print)
