"""Whole numbers and truth values: NumPy's where NumPy asks, PyTorch's where a script does."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.autograd.plain import Plain, asked_dtype

A = np.array([[3, 1, 2], [0, 5, 4]])
X = Plain(A)


def same(ours, expected, dtype=None):
    expected = np.asarray(expected, dtype)
    got = ours.data if isinstance(ours, Tensor) else np.asarray(ours)
    assert got.dtype == expected.dtype and got.shape == expected.shape and (got == expected).all()


def test_it_is_the_array():
    assert isinstance(X, np.ndarray) and np.shares_memory(X, A) and not X.requires_grad and X.grad is None
    assert type(X.numpy()) is np.ndarray and np.shares_memory(X.numpy(), A) and type(np.asarray(X)) is np.ndarray


def test_comparisons_and_positions_of_tensors():
    x = Tensor([[1.0, 3.0], [4.0, 2.0]], requires_grad=True)
    y = Plain([1, 0])
    for got, expected in [(x > 2, [[False, True], [True, False]]), (x.argmax(1), [1, 0]), (x.argmax(), 2),
                          (x.argmin(0, keepdim=True), [[0, 1]]), (x.eq(3.0), [[False, True], [False, False]])]:
        assert type(got) is Plain
        same(got, expected)
    assert (x.argmax(1) == y).float().mean().item() == 1 and (x.argmax(1) == y).sum().item() == 2
    same(x.long(), [[1, 3], [4, 2]])
    same((x - 1).bool(), [[False, True], [True, True]])
    assert x.int().dtype == np.int32


def test_sizes():
    assert X.size() == (2, 3) and X.size(0) == 2 and X.size(-1) == 3 and X.size == 6 and X.numel() == 6 and X.dim() == 2
    assert np.size(X) == 6


def test_types():
    assert X.float().dtype == np.float32 and X.double().dtype == np.float64 and type(X.float()) is Tensor
    same(X.bool(), A != 0)
    same(X.int(), A.astype(np.int32))
    assert X.to("cpu") is X and X.to(torch_like := np.dtype("float64")).dtype == torch_like
    assert type(X.to(np.int32)) is Plain and X.type_as(Tensor(np.float32(1))).dtype == np.float32
    assert X.long().dtype == np.int64 and X.clone() is not X and X.detach().cpu().contiguous() is X


@pytest.mark.parametrize("got, expected", [
    (lambda x: x.view(-1), A.reshape(-1)), (lambda x: x.view(3, 2), A.reshape(3, 2)),
    (lambda x: x.view((3, 2)), A.reshape(3, 2)), (lambda x: x.transpose(0, 1), A.T), (lambda x: x.t(), A.T),
    (lambda x: x.permute(1, 0), A.T), (lambda x: x.unsqueeze(-1), A[..., None]), (lambda x: x[:1].squeeze(0), A[0]),
    (lambda x: x.squeeze(0), A), (lambda x: x[:1].squeeze(), A[0]), (lambda x: x.flatten(), A.ravel()),
    (lambda x: x[None].flatten(1), A.reshape(1, 6)), (lambda x: x[None].flatten(0, 1), A),
    (lambda x: x[None].flatten(start_dim=1), A.reshape(1, 6)), (lambda x: x[None].expand(2, -1, -1), np.stack([A, A])),
    (lambda x: x.expand(2, 2, 3), np.stack([A, A])), (lambda x: x.repeat(2, 1), np.tile(A, (2, 1))),
    (lambda x: x.repeat((1, 2)), np.tile(A, (1, 2))), (lambda x: x.masked_fill(x > 3, 9), np.where(A > 3, 9, A)),
    (lambda x: x.sum(dim=1), A.sum(1)), (lambda x: x.sum(1, True), A.sum(1, keepdims=True)), (lambda x: x.sum(), 15),
    (lambda x: (x > 3).any(dim=0), (A > 3).any(0)), (lambda x: (x > 3).all(1, keepdim=True), [[False], [False]]),
    (lambda x: x.argmax(dim=1), [0, 1]), (lambda x: x.cumsum(dim=1), A.cumsum(1)), (lambda x: x.max(), 5),
    (lambda x: x.max(1).values, [3, 5]), (lambda x: x.max(dim=1)[1], [0, 1]),
    (lambda x: x.min(0, True)[0], [[0, 1, 2]]),
    (lambda x: x + 1, A + 1), (lambda x: 2 * x - x, A), (lambda x: x.eq(3), A == 3), (lambda x: ~(x.ne(3)), A == 3),
    (lambda x: x.flip(1), A[:, ::-1]), (lambda x: x.split(2, 1)[1], A[:, 2:]), (lambda x: x.chunk(2, 1)[0], A[:, :2]),
    (lambda x: x.unbind(1)[2], A[:, 2]), (lambda x: x.tril(), np.tril(A)), (lambda x: x.roll(1, 1), A[:, [2, 0, 1]]),
    (lambda x: x.roll(-1), [[1, 2, 0], [5, 4, 3]]),
    (lambda x: x.topk(1, 1).values, [[3], [5]]), (lambda x: x.clamp(1, 4), A.clip(1, 4)), (lambda x: (-x).abs(), A),
    (lambda x: x.gather(1, [[0], [2]]), [[3], [4]]), (lambda x: x.index_select(1, [2, 2]), A[:, [2, 2]]),
    (lambda x: x.masked_select(x > 2), [3, 5, 4]), (lambda x: x.narrow(1, 1, 2), A[:, 1:]),
    (lambda x: x.diag(), [3, 5]),
    (lambda x: x[0].diag(1), np.diag(A[0], 1)), (lambda x: x.nonzero(), np.argwhere(A)),
    (lambda x: x.view_as(A.T), A.reshape(3, 2)),
    (lambda x: x.repeat_interleave(2, 0), np.repeat(A, 2, 0)), (lambda x: x.add(1).mul(2).sub(x), A + 2),
    (lambda x: x[1, 0], 0), (lambda x: x[0][0].view(1, 1), [[3]]),
    (lambda x: x.gt(2).logical_or(x.lt(1)), (A > 2) | (A < 1)),
    (lambda x: x.clone().fill_(7), A * 0 + 7), (lambda x: x.clone().add_(x, alpha=2), 3 * A),
    (lambda x: x.clone().zero_(), 0 * A),
    (lambda x: x.new_zeros(2, 4).scatter_(1, Plain([[3], [0]]), 1), [[0, 0, 0, 1], [1, 0, 0, 0]]),
    (lambda x: x.new_full((2,), 5), [5, 5]), (lambda x: x.new_tensor([1.0]), [1]),
    (lambda x: (x > 1).logical_not(), A <= 1), (lambda x: x % 2, A % 2), (lambda x: -x, -A), (lambda x: x // 2, A // 2),
])
def test_methods_of_pytorch(got, expected):
    result = got(X)
    assert type(result) is Plain
    same(result, expected)


@pytest.mark.parametrize("got, expected", [
    (lambda x: np.sum(x, axis=1), A.sum(1)), (lambda x: x.sum(axis=0, keepdims=True), A.sum(0, keepdims=True)),
    (lambda x: np.max(x, axis=1), A.max(1)), (lambda x: x.max(axis=0), A.max(0)), (lambda x: np.transpose(x), A.T),
    (lambda x: np.transpose(x, (1, 0)), A.T), (lambda x: np.repeat(x, 2, axis=0), np.repeat(A, 2, axis=0)),
    (lambda x: np.tile(x, 2), np.tile(A, 2)), (lambda x: np.mean(x, axis=0), A.mean(0)),
    (lambda x: x.flatten("F"), A.ravel("F")),
    (lambda x: np.argmax(x, 1), [0, 1]), (lambda x: np.cumsum(x, axis=0), A.cumsum(0)),
    (lambda x: x.std(axis=0), A.std(0)),
    (lambda x: np.squeeze(x[:1], axis=0), A[0]), (lambda x: np.unique(x), np.unique(A)),
    (lambda x: np.sort(x), np.sort(A)),
    (lambda x: np.repeat(x, 2), np.repeat(A, 2)), (lambda x: x.view(np.uint64), A.view(np.uint64)),
    (lambda x: np.median(x, axis=0), np.median(A, 0)), (lambda x: np.quantile(x, 0.5), np.quantile(A, 0.5)),
    (lambda x: x * np.array([0.5, 1.0, 2.0]), A * [0.5, 1, 2]), (lambda x: np.nonzero(x)[0], np.nonzero(A)[0]),
    (lambda x: np.concatenate([x, x], axis=1), np.concatenate([A, A], 1)),
    (lambda x: np.percentile(x, 30, axis=1), np.percentile(A, 30, 1)),
])
def test_functions_of_numpy(got, expected):
    same(got(X), expected)


def test_a_single_number_is_a_key():
    assert {3: "three"}[X[0, 0]] == "three" and list("abc")[X[0, 1]] == "b"
    assert [t.item() for t in X[0]] == A[0].tolist()
    with pytest.raises(TypeError, match="unhashable"):
        hash(X)


def test_arithmetic_with_floats_is_that_of_pytorch():
    for got, expected in [(X * 0.5, A * 0.5), (1.0 - X, 1.0 - A), (X / 2, A / 2), (X / Plain([1, 2, 4]), A / [1, 2, 4]),
                          (1 / Plain([2, 4]), [0.5, 0.25])]:
        assert type(got) is Tensor and got.dtype == np.float32
        np.testing.assert_array_equal(got.data, np.float32(expected))
    w = Tensor(np.ones(3), requires_grad=True)
    for product in (X * w, w * X):
        assert product.requires_grad and product.dtype == np.float64
        np.testing.assert_array_equal(product.data, A)
    assert (w.float() * X).dtype == np.float32


def test_what_to_asks_for():
    assert asked_dtype() is None and asked_dtype("cpu", None) is None and asked_dtype(device="cpu:0") is None
    assert asked_dtype("cpu", "float32") == asked_dtype(X.float()) == asked_dtype(dtype=np.float32) == np.float32
    for bad in ("cuda", "cuda:1", "mps"):
        with pytest.raises(ValueError, match="expected 'cpu', there is no other here"):
            asked_dtype(bad)
    with pytest.raises(ValueError, match="dtype='float99'"):
        asked_dtype("float99")


def test_different_numbers():
    x = Plain([[3, 1], [3, 2]])
    values, places, counts = x.unique(return_inverse=True, return_counts=True)
    assert values.tolist() == [1, 2, 3] and places.tolist() == [[2, 0], [2, 1]] and counts.tolist() == [1, 1, 2]
    assert type(values) is type(places) is Plain and x.median().item() == 2 and (x % 2).tolist() == [[1, 1], [1, 0]]


def test_floats_are_told_from_whole_numbers():
    for x, expected in ((Tensor([1.0]), True), (Tensor([1.0]).data, True), (Plain([1]), False), (Plain([True]), False)):
        assert x.is_floating_point() is expected


def test_order_in_pytorchs_form_and_in_numpys():
    p = Plain([[3, 1, 3], [0, 2, 1]])
    values, at = p.sort(descending=True)
    assert values.tolist() == [[3, 3, 1], [2, 1, 0]] and at.tolist() == [[0, 2, 1], [1, 2, 0]] and type(values) is Plain
    assert p.argsort(0).tolist() == [[1, 0, 1], [0, 1, 0]]
    assert p.argsort(axis=0, kind="stable").tolist() == p.argsort(0).tolist()
    assert p.sort(axis=1) is None and p.tolist() == [[1, 3, 3], [0, 1, 2]]      # NumPy's, in place
    assert np.sort(Plain([2, 1])).tolist() == [1, 2] and p.flip(dims=(1,)).tolist() == [[3, 3, 1], [2, 1, 0]]


def test_one_entry_as_a_number_whatever_the_shape():
    assert int(Plain([[7]])) == 7 and float(Plain([True])) == 1.0
    with pytest.raises(ValueError):
        int(Plain([1, 2]))
