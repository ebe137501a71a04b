"""Every operation against NumPy and against finite differences, once and twice; ties, kinks, bad arguments."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.autograd import Tensor, grad, gradcheck, gradgradcheck, ops
from tests.strategies.autograd import NAMES, cases

each_operation = pytest.mark.parametrize("name", NAMES)


class Ours:
    """The operations, and how they take arrays of int and bool."""
    indices = staticmethod(np.array)
    mask = staticmethod(np.asarray)

    def __getattr__(self, name):
        return getattr(ops, name)


def tensors(arrays):
    return tuple(Tensor(array, requires_grad=True) for array in arrays)


# --- all operations

@each_operation
@settings(max_examples=15)
@given(st.data())
def test_derivatives_agree_with_finite_differences(name, data):
    f, arrays = data.draw(cases(name))
    assert gradcheck(lambda *xs: f(Ours(), *xs), tensors(arrays), rtol=1e-6)


@each_operation
@settings(max_examples=8)
@given(st.data())
def test_second_derivatives_agree_with_finite_differences(name, data):
    f, arrays = data.draw(cases(name))
    assert gradgradcheck(lambda *xs: f(Ours(), *xs), tensors(arrays), rtol=1e-6, fast_mode=sum(a.size for a in arrays) > 12)


@each_operation
@settings(max_examples=15)
@given(st.data())
def test_float32_stays_float32(name, data):
    f, arrays = data.draw(cases(name, dtype=np.float32))
    xs = tensors(arrays)
    y = f(Ours(), *xs)
    assert type(y.data) is np.ndarray and y.dtype == np.float32
    for x, g in zip(xs, grad(y, xs, gradient=np.ones(y.shape))):
        assert g.dtype == np.float32 and g.shape == x.shape


@each_operation
@settings(max_examples=10)
@given(st.data())
def test_values_and_arrays_are_those_without_a_graph(name, data):
    f, arrays = data.draw(cases(name))
    before = [array.copy() for array in arrays]
    watched = f(Ours(), *tensors(arrays))
    np.testing.assert_array_equal(f(Ours(), *map(Tensor, arrays)).numpy(), watched.data)
    watched.sum().backward()
    for array, kept in zip(arrays, before):
        np.testing.assert_array_equal(array, kept)
