"""Tensors from nothing: types, shapes, seeds.  Values are compared with PyTorch's in tests/peers."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.autograd.creation import (BoolTensor, DoubleTensor, FloatTensor, Generator, LongTensor, arange,
                                         as_tensor, bernoulli, empty, empty_like, eye, from_numpy, full, full_like,
                                         linspace, multinomial, normal, ones, ones_like, rand, rand_like, randint,
                                         randn, randn_like, randperm, tensor, zeros, zeros_like)
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
    assert tensor([0.1], dtype=np.float64).tolist() == [0.1]               # not by way of float32


def test_a_tensor_is_a_copy_and_the_others_share():
    array = np.ones(3)
    assert not np.shares_memory(tensor(array).data, array) and from_numpy(array).numpy() is array
    assert as_tensor(array).numpy() is array and as_tensor(t := Tensor(array)) is t and as_tensor([1]).dtype == np.int64
    assert as_tensor(array, dtype=np.float32).dtype == as_tensor(t, dtype=np.float32).dtype == np.float32
    whole = np.arange(3)
    from_numpy(whole)[0] = 7
    assert whole[0] == 7


@pytest.mark.parametrize("make", [zeros, ones, empty, rand, randn])
def test_sizes_and_options(make):
    for size in ((2, 3), ((2, 3),), ([2, 3],)):
        assert make(*size).shape == (2, 3) and make(*size).dtype == np.float32
    assert make().shape == () and make(4, dtype=np.float64, device="cpu").dtype == np.float64
    assert make(2, requires_grad=True).requires_grad and not make(2).requires_grad and make(size=(2, 3)).shape == (2, 3)
    with pytest.raises(ValueError, match="expected one shape"):
        make(2, size=(2, 3))
    with pytest.raises(ValueError, match="there is no other here"):
        make(2, device="cuda")


def test_values():
    assert zeros(2).tolist() == empty(2).tolist() == [0, 0] and full([1, 2], 3).tolist() == [[3, 3]]
    assert ones(2, dtype=np.int64).tolist() == [1, 1] and type(ones(1, dtype=bool)) is Plain
    assert full((2,), 7).dtype == np.int64 and full((2,), 7.0).dtype == np.float32
    assert full(2, True).tolist() == [True] * 2
    assert arange(5, step=2).tolist() == [0, 2, 4] and arange(1, 1).shape == (0,)
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
    assert randperm(5).dtype == np.int64 and randperm(5, dtype=np.int32).dtype == np.int32
    rng = np.random.default_rng(0)
    assert randn(3, generator=rng).tolist() == np.float32(np.random.default_rng(0).standard_normal(3)).tolist()


def test_normal_numbers_of_a_mean_and_deviation():
    manual_seed(0)
    mean, std = Tensor(np.array([[0.0], [100]])), Tensor(np.full(2000, 2.0))
    drawn = normal(mean, std)
    assert drawn.shape == (2, 2000) and drawn.dtype == np.float64
    np.testing.assert_allclose(drawn.mean(1).numpy(), [0, 100], atol=0.2)
    np.testing.assert_allclose(drawn.std(1).numpy(), 2, rtol=0.1)
    assert normal(3.0, 0.0, (2,)).tolist() == [3, 3] and normal(3.0, 0.0, (2,)).dtype == np.float32
    assert normal(mean, 1.0, dtype=np.float32).dtype == np.float32 and normal(0, 1, [2, 3]).shape == (2, 3)


def test_old_names_of_types():
    assert LongTensor([1.7, 2]).tolist() == [1, 2] and FloatTensor([[1]]).dtype == np.float32
    assert DoubleTensor(2, 3).tolist() == [[0] * 3] * 2 and BoolTensor([0, 2]).tolist() == [False, True]
    assert Tensor([1.5]).type(LongTensor).tolist() == [1] and LongTensor(np.array([3])).dtype == np.int64


def test_like_a_tensor_that_is_there():
    x = Tensor(np.float32([1, 2]))
    assert x.new_zeros(2, 3).shape == x.new_ones((2, 3)).shape == (2, 3) and x.new_full((1,), 7).tolist() == [7]
    assert x.new_zeros(1).dtype == x.new_tensor([1, 2]).dtype == np.float32
    assert x.new_ones(1, dtype=np.int64).dtype == np.int64


def test_draws():
    manual_seed(0)
    p = np.array([[0.0, 0.25, 0.75], [1.0, 0, 0]])
    drawn = multinomial(Tensor(p), 4000, replacement=True)
    shares = np.stack([np.bincount(row, minlength=3) for row in np.asarray(drawn)]) / 4000
    assert type(drawn) is Plain and abs(shares - p).max() < 0.03
    assert sorted(multinomial(Tensor([1.0, 5, 2]), 3).tolist()) == [0, 1, 2]
    coins = bernoulli(Tensor(np.full(4000, 0.3, np.float32)))
    assert coins.dtype == np.float32 and set(coins.tolist()) == {0, 1} and abs(coins.mean().item() - 0.3) < 0.03
    a, b = (rand(3, generator=Generator().manual_seed(4)).tolist() for _ in range(2))
    source = Generator().manual_seed(4)
    assert a == b == rand(3, generator=source).tolist() != rand(3, generator=source).tolist()


@pytest.mark.parametrize("make, message", [
    (lambda: multinomial(Tensor([1.0, 0.0]), 2), "at least 2 weight"),
    (lambda: multinomial(Tensor([-1.0, 2]), 1), "weights >= 0"),
    (lambda: multinomial(Tensor([0.0]), 1, True), "at least 1 weight"),
    (lambda: bernoulli(Tensor([1.5])), "from 0 to 1"), (lambda: bernoulli(Tensor([np.nan])), "from 0 to 1"),
    (lambda: tensor([1, 2], requires_grad=True), "expected floats, got int64, which have no gradient"),
    (lambda: zeros(2, dtype=np.int64, requires_grad=True), "which have no gradient"),
    (lambda: arange(0, 1, 0), "step=0"),
    (lambda: from_numpy([1.0]), "expected a numpy.ndarray, got list"),
    (lambda: tensor([1.0], "float99"), "dtype='float99'"),
])
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
