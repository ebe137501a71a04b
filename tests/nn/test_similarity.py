"""Norms, distances and cosines against their definitions and central differences; zeros, ties, extreme sizes."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor, gradcheck, gradgradcheck
from scratchml.nn.similarity import (cosine_similarity, cosines_above, normalize, norms, norms_of_differences,
                                     pairwise_distance, unit_vectors)
from tests.nn.test_layers import leaf
from tests.reference import similarity as reference
from tests.strategies.similarity import orders, vectors

EPS = np.finfo(float).eps
ROUNDING = dict(rtol=60 * EPS, atol=1e-300)
ORDERS = [0.5, 1.0, 1.5, 2.0, 3.0, np.inf]


@given(vectors(), orders)
def test_definitions(drawn, p):
    a, b = drawn
    np.testing.assert_allclose(norms(a, p).data, reference.norms(a, p), **ROUNDING)
    np.testing.assert_allclose(norms_of_differences(a, b, 1e-6, p).data, reference.norms_of_differences(a, b, 1e-6, p),
                               rtol=1e-12)
    np.testing.assert_allclose(unit_vectors(a, p, 1e-12).data, reference.unit_vectors(a, p, 1e-12), **ROUNDING)
    np.testing.assert_allclose(cosines_above(a, b, 1e-8).data, reference.cosines_above(a, b, 1e-8), rtol=60 * EPS,
                               atol=60 * EPS)


@pytest.mark.parametrize("p", ORDERS)
def test_gradients(p):
    a, b = leaf(3, 4), leaf(3, 4, seed=1)
    assert gradcheck(lambda a: norms(a, p), a) and gradcheck(lambda a: normalize(a, p), a)
    assert gradcheck(lambda a, b: pairwise_distance(a, b, p), (a, b))
    if p != np.inf:
        assert gradgradcheck(lambda a: norms(a, p), a)


def test_gradients_of_cosines_along_any_dimension():
    a, b = leaf(2, 3, 4), leaf(3, 4, seed=1)
    for dim in (0, 1, -1):
        assert gradcheck(lambda a, b: cosine_similarity(a, b, dim), (a, b))
        expected = cosine_similarity(a.transpose(dim, -1), b.unsqueeze(0).transpose(dim, -1), -1)
        shape = cosine_similarity(a, b, dim).shape
        np.testing.assert_allclose(cosine_similarity(a, b, dim).data.ravel().sum(), expected.data.sum(), rtol=1e-12)
        assert shape == tuple(np.delete(a.shape, dim))


@pytest.mark.parametrize("p", ORDERS)
def test_nothing_has_slope_nothing(p):
    x = Tensor(np.zeros((2, 3)), requires_grad=True)
    y = norms(x, p)
    (y.sum() + normalize(x, p).sum() * 1e-12).backward()
    assert y.data.tolist() == [0, 0] and np.isfinite(x.grad.data).all()
    assert norms(np.zeros((2, 0)), 2).data.tolist() == [0, 0]


@pytest.mark.parametrize("p", [0.5, 1.5, 3.0, 50.0])
def test_powers_neither_overflow_nor_vanish(p):
    x = np.array([[3.0, 4.0, 0.0]])
    for scale in (1e-150, 1e150):
        np.testing.assert_allclose(norms(x * scale, p).data, norms(x, p).data * scale, rtol=1e-14)


def test_a_norm_is_homogeneous_and_its_vectors_have_length_one():
    x = leaf(5, 3)
    for p in ORDERS:
        np.testing.assert_allclose(norms(-3 * x, p).data, 3 * norms(x, p).data, rtol=1e-14)
        np.testing.assert_allclose(norms(normalize(x, p), p).data, 1, rtol=1e-14)
    np.testing.assert_allclose(cosine_similarity(x, -2 * x).data, -1, rtol=1e-14)


def test_largest_entries_that_tie_share_the_slope():
    x = Tensor([[2.0, -2.0, 1.0]], requires_grad=True)
    norms(x, np.inf).sum().backward()
    assert x.grad.data.tolist() == [[0.5, -0.5, 0]]


def test_shapes_and_dtypes():
    x = leaf(4, 6, dtype=np.float32)
    assert pairwise_distance(x, x.data[0], keepdim=True).shape == (4, 1) and pairwise_distance(x, x).shape == (4,)
    for y in (pairwise_distance(x, x.data + 1, 3), normalize(x), normalize(x, 3), cosine_similarity(x, x.data[:1])):
        assert y.dtype == np.float32
    assert normalize(x, dim=0).shape == (4, 6) and cosine_similarity(x[0], x[0], dim=0).shape == ()


@pytest.mark.parametrize("call, message", [
    (lambda: pairwise_distance(np.ones((2, 3)), np.ones((2, 2))), r"x2: pairwise_distance expected a shape that broad"),
    (lambda: pairwise_distance([1.0], [1.0], p=-1), "p=-1"),
    (lambda: pairwise_distance([1.0], [1.0], p=np.nan), "p=nan"),
    (lambda: pairwise_distance([1.0], [1.0], eps=-1), "eps=-1"),
    (lambda: pairwise_distance(1.0, 1.0), "expected vectors"),
    (lambda: cosine_similarity([1.0], [1.0]), "dim=1"), (lambda: cosine_similarity([1.0], [1.0], 0, 0), "eps=0"),
    (lambda: normalize([1.0]), "dim=1"), (lambda: normalize([[1.0]], eps=0), "eps=0"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
