"""Hooks: they see the whole gradient, may change it, and go."""
import numpy as np
import pytest

from scratchml.autograd import Tensor


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
