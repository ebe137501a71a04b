"""Values and gradients of every operation equal PyTorch's, over the shapes, broadcasts and layouts that are drawn."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.autograd import Tensor, grad, ops
from tests.autograd.test_ops import Ours
from tests.strategies.autograd import AT_THE_EDGE, NAMES, cases

torch = pytest.importorskip("torch")

CLOSE = {np.float32: 1e-5, np.float64: 1e-12}


class Theirs:
    """PyTorch under the names that the cases use."""
    indices = staticmethod(torch.tensor)
    mask = staticmethod(torch.tensor)
    leaky_relu = staticmethod(torch.nn.functional.leaky_relu)
    pad = staticmethod(torch.nn.functional.pad)

    @staticmethod
    def softplus(x):
        return torch.nn.functional.softplus(x, threshold=1e3)

    @staticmethod
    def expand(x, *shape):
        return x.expand(*shape)

    def __getattr__(self, name):
        return getattr(torch, name)


def assert_close(ours, theirs, dtype, largest):
    """To the stated digits; where terms as large as the largest input squared cancel, to eight of their roundings."""
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype
    rounding = 8 * np.finfo(dtype).eps * max(1.0, float(largest) ** 2)
    assert abs(ours - theirs).max(initial=0) <= CLOSE[dtype] * abs(theirs).max(initial=0) + rounding


def as_torch(array):
    """A torch tensor of the same numbers, with the same strides where PyTorch can have them."""
    array = array if all(stride >= 0 for stride in array.strides) else array.copy()
    return torch.from_numpy(array).requires_grad_()


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(st.data())
def test_values_and_gradients(name, dtype, data):
    f, arrays = data.draw(cases(name, dtype=dtype))
    xs, theirs = [Tensor(array, requires_grad=True) for array in arrays], [as_torch(array) for array in arrays]
    y, their_y = f(Ours(), *xs), f(Theirs(), *theirs)
    largest = max(abs(array).max(initial=0) for array in arrays)
    assert_close(y.data, their_y, dtype, largest)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, y.shape).astype(dtype)
    gradients = grad(y, xs, grad_outputs=weights)
    for g, their_g in zip(gradients, torch.autograd.grad(their_y, theirs, torch.from_numpy(weights))):
        assert_close(g.data, their_g, dtype, largest)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", AT_THE_EDGE)
def test_at_infinities_kinks_and_ties(name):
    f, array = AT_THE_EDGE[name]
    x, their_x = Tensor(array, requires_grad=True), as_torch(array)
    y, their_y = f(Ours(), x), f(Theirs(), their_x)
    np.testing.assert_allclose(y.data, their_y.detach(), rtol=1e-12, atol=1e-300)
    g, = grad(y, x, grad_outputs=np.ones(y.shape))
    np.testing.assert_allclose(g.data, torch.autograd.grad(their_y, their_x, torch.ones_like(their_y))[0], rtol=1e-12,
                               atol=1e-300)
