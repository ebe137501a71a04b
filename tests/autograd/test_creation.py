"""Tensors from nothing: types, shapes, seeds.  Values are compared with PyTorch's in tests/peers."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.autograd.creation import (arange, as_tensor, empty, empty_like, eye, from_numpy, full, full_like, linspace,
                                         ones, ones_like, rand, rand_like, randint, randn, randn_like, randperm, tensor,
                                         zeros, zeros_like)
from scratchml.autograd.plain import Plain
from scratchml.core.random import manual_seed


@pytest.mark.parametrize("data, kind, dtype", [
    ([1.0, 2.0], Tensor, "f4"), (3.5, Tensor, "f4"), ([1, 2], Plain, "i8"), ([[True], [False]], Plain, "?"),
    (np.array([1.0]), Tensor, "f8"), (np.float32([1.0]), Tensor, "f4"), (np.arange(3, dtype="u1"), Plain, "u1"),
    ([np.float64(1.0), 2.0], Tensor, "f8"), ([np.ones(2), np.zeros(2)], Tensor, "f8"), (Tensor([1.0]), Tensor, "f8"),
    ([Tensor(np.float32(1)), Tensor(np.float32(2))], Tensor, "f4"), ([], Tensor, "f4"),
])
def test_types_of_what_there_is(data, kind, dtype):
    made = tensor(data)
    assert type(made) is kind and made.dtype == np.dtype(dtype)
    assert not made.requires_grad and tensor(data, dtype=np.float64).dtype == np.float64


def test_a_tensor_is_a_copy_and_the_others_share():
    array = np.ones(3)
    assert not np.shares_memory(tensor(array).data, array) and from_numpy(array).data is array
    assert as_tensor(array).data is array and as_tensor(t := Tensor(array)) is t and as_tensor([1]).dtype == np.int64
    assert as_tensor(array, dtype=np.float32).dtype == np.float32
    whole = np.arange(3)
    from_numpy(whole)[0] = 7
    assert whole[0] == 7


@pytest.mark.parametrize("make", [zeros, ones, empty, rand, randn])
def test_sizes_and_options(make):
    for size in ((2, 3), ((2, 3),), ([2, 3],)):
        assert make(*size).shape == (2, 3) and make(*size).dtype == np.float32
    assert make().shape == () and make(4, dtype=np.float64, device="cpu").dtype == np.float64
    assert make(2, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="there is no other here"):
        make(2, device="cuda")


def test_values():
    assert zeros(2).tolist() == [0, 0] and ones(2, dtype=np.int64).tolist() == [1, 1] and type(ones(1, dtype=bool)) is Plain
    assert full((2,), 7).dtype == np.int64 and full((2,), 7.0).dtype == np.float32 and full(2, True).tolist() == [True] * 2
    assert arange(3).tolist() == [0, 1, 2] and arange(1, 7, 2).tolist() == [1, 3, 5] and arange(2.0).dtype == np.float32
    assert arange(3, dtype=np.float64).dtype == np.float64 and linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert eye(2).tolist() == [[1, 0], [0, 1]] and eye(1, 2).shape == (1, 2)
    x = Tensor(np.ones((2, 3)))
    for like in (zeros_like, ones_like, empty_like, rand_like, randn_like):
        assert like(x).shape == (2, 3) and like(x).dtype == np.float64 and like(x, dtype=np.float32).dtype == np.float32
    assert full_like(x, 2.0).tolist() == [[2] * 3] * 2 and type(zeros_like(Plain([1, 2]))) is Plain


def test_random_numbers():
    for draw in (lambda: rand(50), lambda: randn(50), lambda: randint(5, (50,)), lambda: randperm(50)):
        manual_seed(3)
        first, second = draw().tolist(), draw().tolist()
        manual_seed(3)
        assert first == draw().tolist() != second
    whole = randint(2, 5, (200,))
    assert set(whole.tolist()) == {2, 3, 4} and set(randint(2, size=(50,)).tolist()) == {0, 1}
    assert sorted(randperm(5).tolist()) == [0, 1, 2, 3, 4] and type(whole) is Plain
    rng = np.random.default_rng(0)
    assert randn(3, generator=rng).tolist() == np.float32(np.random.default_rng(0).standard_normal(3)).tolist()


@pytest.mark.parametrize("make, message", [
    (lambda: tensor([1, 2], requires_grad=True), "expected floats, got int64, which have no gradient"),
    (lambda: zeros(2, dtype=np.int64, requires_grad=True), "which have no gradient"), (lambda: arange(0, 1, 0), "step=0"),
    (lambda: from_numpy([1.0]), "expected a numpy.ndarray, got list"), (lambda: tensor([1.0], "float99"), "dtype='float99'"),
])
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
