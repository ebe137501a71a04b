"""Functions made of others: their laws, order and ties, bad arguments.  Gradients are tested with all operations."""
import numpy as np
import pytest

from scratchml.autograd import Tensor, composed, gradcheck
from scratchml.autograd.plain import Plain

A = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
X = Tensor(A)


@pytest.mark.parametrize("got, expected", [
    (lambda: X.cumprod(1), A.cumprod(1)), (lambda: X.cumprod(0), A.cumprod(0)), (lambda: Tensor(3.0).cumprod(0), 3.0),
    (lambda: Tensor(np.ones((2, 0))).cumprod(1), np.ones((2, 0))),
    (lambda: Plain([[1, 2], [3, 4]]).cumprod(1), [[1, 2], [3, 12]]),
    (lambda: Tensor(1.1 + np.arange(9) / 9).cumprod(-1), (1.1 + np.arange(9) / 9).cumprod()),
    (lambda: composed.logaddexp(X, [0.0, 800.0, -800.0]), np.logaddexp(A, [0.0, 800.0, -800.0])),
    (lambda: Tensor(-np.inf).logaddexp(-np.inf), -np.inf), (lambda: composed.logaddexp(1, X), np.logaddexp(1, A)),
    (lambda: X.flatten(), A.ravel()), (lambda: Tensor(2.0).flatten(), [2.0]), (lambda: X.t(), A.T),
    (lambda: Tensor([1.0]).t(), [1.0]), (lambda: X.repeat(2, 1, 2), np.tile(A, (2, 1, 2))), (lambda: X.clone(), A),
    (lambda: X.repeat((1, 0)), np.zeros((2, 0))), (lambda: X.tril(), np.tril(A)), (lambda: X.triu(1), np.triu(A, 1)),
    (lambda: X.std(), A.std(ddof=1)), (lambda: X.std(0, unbiased=False), A.std(0)), (lambda: X.prod(), 0.0),
    (lambda: X[:, 1:].prod(0), [5.0, 8.0]), (lambda: Tensor(np.ones((3, 0))).prod(1), [1.0, 1, 1]),
    (lambda: Tensor(3.0).prod(), 3.0), (lambda: Tensor(3.0).prod(0), 3.0), (lambda: X.norm(), np.linalg.norm(A)),
    (lambda: X.norm("fro"), np.linalg.norm(A)), (lambda: X.norm(1, 0), np.abs(A).sum(0)),
    (lambda: X.sort().values, np.sort(A)), (lambda: X.sort(0, True)[0], np.sort(A, 0)[::-1]),
    (lambda: X.topk(2).values, [[3, 2], [5, 4]]), (lambda: X.topk(1, 0, largest=False).values, [[0, 1, 2]]),
    (lambda: Tensor(2.0).sort().values, 2.0), (lambda: Tensor(2.0).topk(1).values, 2.0), (lambda: X.square(), A * A),
    (lambda: X.median(1).values, [2.0, 4]), (lambda: X.median(), 2.0), (lambda: X.median(0, True)[0], [[0.0, 1, 2]]),
    (lambda: Tensor([1, np.nan, 0.0]).median(), np.nan), (lambda: composed.unique(Tensor([3.0, 1, 3])), [1.0, 3]),
    (lambda: composed.hstack([X[0], X[1]]), np.hstack(A)), (lambda: composed.vstack([X[0], X]), np.vstack([A[0], A])),
    (lambda: composed.meshgrid(X[0], X[1])[1], np.meshgrid(*A, indexing="ij")[1]),
    (lambda: X.unflatten(1, (-1, 1)), A[..., None]),
    (lambda: composed.meshgrid(X[0], X[1], X[0], indexing="xy")[2], np.meshgrid(*A, A[0])[2]),
    (lambda: X.unsqueeze(0).movedim((0, -1), (1, 0)), np.moveaxis(A[None], (0, -1), (1, 0))), (lambda: X % -4, A % -4),
    (lambda: X // 2, A // 2), (lambda: 7 % (X + 1), 7 % (A + 1)), (lambda: 7 // (X + 1), 7 // (A + 1)),
    (lambda: composed.cdist(X, A[:1]), np.linalg.norm(A - A[0], axis=1)[:, None]),
    (lambda: composed.meshgrid(X[0], X[:, 0], indexing="xy")[0], np.meshgrid(A[0], A[:, 0])[0]),
    (lambda: composed.meshgrid(X[0], X[:, 0], indexing="xy")[1], np.meshgrid(A[0], A[:, 0])[1]),
    (lambda: X.triu(), np.triu(A)), (lambda: X.chunk(1)[0], A), (lambda: composed.rsqrt(X + 1), 1 / np.sqrt(A + 1)),
    (lambda: composed.outer(X[0], X[1]), np.outer(*A)), (lambda: X.norm(3), (A**3).sum() ** (1 / 3)),
    (lambda: (-X).norm(np.inf, 1), [3.0, 5]), (lambda: X.prod(1, True), [[6.0], [0]]),
    (lambda: X.index_add(0, [1], X[:1]), [A[0], A[0] + A[1]]),
    (lambda: composed.scatter(X, 0, [[1, 0, 1]], 7.0), [[3.0, 7, 2], [7, 5, 7]]),
    (lambda: composed.scatter(X, 1, [[2]], value=7.0), [[3.0, 1, 7], [0, 5, 4]]),
    (lambda: X.chunk(2, 1)[1], A[:, 2:]), (lambda: X.unbind(1)[2], A[:, 2]), (lambda: X[0].reciprocal(), 1 / A[0]),
])
def test_values(got, expected):
    np.testing.assert_allclose(got().data, expected, rtol=1e-15)
    assert got().shape == np.shape(expected)


@pytest.mark.parametrize("got, expected", [
    (lambda: composed.any(X, 0), [True, True, True]), (lambda: X.all(1, True), [[True], [False]]),
    (lambda: X.any(), True),
    (lambda: composed.logical_and(X, X - 1), (A != 0) & (A != 1)), (lambda: X.logical_or(X), A != 0),
    (lambda: X.logical_not(), A == 0), (lambda: X.nonzero(), np.argwhere(A)),
    (lambda: X.nonzero(as_tuple=True)[1], A.nonzero()[1]),
    (lambda: composed.bincount(Plain([0, 2, 2]), minlength=4), [1, 0, 2, 0]), (lambda: Tensor(2.0).argsort(), 0),
    (lambda: X.eq(X.flip(0)), A == A[::-1]),
])
def test_truth_and_places(got, expected):
    assert type(got()) is Plain and got().tolist() == np.asarray(expected).tolist()


def test_equal_and_close():
    assert X.equal(A) and not X.equal(A[0]) and composed.equal(Plain([1]), Plain([1])) and not X.equal(X + 1e-12)
    assert X.allclose(X + 1e-9) and not X.allclose(X + 1e-3) and composed.allclose(X, X + 0.1, atol=0.2)
    assert composed.bincount(Plain([0, 2, 2]), Tensor([0.5, 1, 2])).tolist() == [0.5, 0, 3]


def test_a_copy_is_an_array_of_its_own():
    assert not np.shares_memory(X.clone()._data, A)


def test_the_number_of_chunks_is_that_of_pytorch():
    for n, chunks, lengths in [(5, 2, [3, 2]), (5, 4, [2, 2, 1]), (2, 5, [1, 1]), (6, 3, [2, 2, 2]), (0, 3, [0])]:
        assert [len(piece) for piece in Tensor(np.zeros(n)).chunk(chunks)] == lengths


def test_ties_keep_their_places_and_nan_is_greatest():
    x = Tensor([2.0, np.nan, 1.0, 2.0, np.nan])
    assert x.argsort().tolist() == [2, 0, 3, 1, 4] and x.argsort(descending=True).tolist() == [1, 4, 0, 3, 2]
    assert type(x.sort().indices) is Plain and x.topk(3).indices.tolist() == [1, 4, 0]


@pytest.mark.parametrize("special", [0.0, -np.inf, np.inf, np.nan])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_of_many_are_the_first_in_order(special, dtype):
    a = np.random.default_rng(0).integers(-9, 9, size=(5, 40, 3)).astype(dtype)           # with many ties
    a[np.random.default_rng(1).uniform(size=a.shape) < 0.3] = special
    a[2, :, 1] = special
    for k, dim, largest in [(1, 1, True), (7, 1, True), (7, 1, False), (10, -2, False), (11, 1, True), (0, 1, True)]:
        values, indices = Tensor(a).topk(k, dim, largest)
        expected = Tensor(a).argsort(dim, descending=largest)[:, :k]
        assert type(indices) is Plain and indices.dtype == np.int64 and indices.tolist() == expected.tolist()
        np.testing.assert_array_equal(values.data, np.take_along_axis(a, np.asarray(expected), 1))


def test_whole_numbers_stay_such():
    i = Plain([[3, 1, 2]])
    assert composed.sort(i).values.tolist() == [[1, 2, 3]] and composed.topk(i, 1)[0].tolist() == [[3]]
    assert type(composed.tril(i)) is Plain and composed.triu(Plain([[True, True], [True, True]]), 1).tolist() == [
        [False, True], [False, False]]


@pytest.mark.parametrize("use, message", [
    (lambda: X.topk(4), "k=4: expected a whole number up to 3, the length of dimension -1"),
    (lambda: X.topk(-1), "k=-1"), (lambda: X.chunk(0), "chunks=0: expected a whole number of at least 1"),
    (lambda: X.repeat(2), r"sizes=\(2,\): expected a whole number >= 0 for each of at least 2 dimension"),
    (lambda: X.repeat(2, -1), "whole number >= 0"), (lambda: X.flatten(1, 0), "start_dim=1: expected a dimension not"),
    (lambda: X.unsqueeze(0).t(), r"at most 2 dimensions, got shape \(1, 2, 3\)"), (lambda: X.norm(0), "p=0"),
    (lambda: X.norm("nuc"), "p='nuc'"), (lambda: composed.tril(Tensor([1.0])), "expected a matrix"),
    (lambda: X.dot(X), "dot: expected two vectors"), (lambda: X.narrow(1, 2, 2), "a part of 3 entries"),
    (lambda: X.unflatten(1, (2, -1)), "cannot reshape|expected"),
    (lambda: composed.meshgrid(X, indexing="yx"), "'ij' or 'xy'"),
    (lambda: composed.vstack(X), "expected a sequence of Tensors, got one"),
    (lambda: composed.hstack(iter(())), "got none"), (lambda: composed.meshgrid(X, X), "expected vectors"),
    (lambda: composed.meshgrid(X[0], X), "expected vectors"),
    (lambda: Tensor(np.zeros((2, 0))).median(1), "at least one entry"),
    (lambda: composed.cdist(X, A.T), "rows of one length"),
    (lambda: X.unsqueeze(0).diag(), r"expected shape \(N,\) or \(N, D\)"),
    (lambda: X.masked_select(A), "array of bool"),
    (lambda: composed.bincount([-1]), "whole numbers >= 0"), (lambda: X.roll([1], [0, 1]), "shorter|longer"),
    (lambda: X.sort(2), "dim=2"), (lambda: X.prod(True), "dim=True"), (lambda: X.size(2), "dim=2"),
])
def test_bad_arguments(use, message):
    with pytest.raises(ValueError, match=message):
        use()


# --- names on a Tensor

def test_names_of_pytorch_on_a_tensor():
    assert X.size() == (2, 3) and X.size(-1) == 3 and X.dim() == 2 and X.device == "cpu" and X.tolist() == A.tolist()
    assert X.view(3, 2).shape == X.view_as(Tensor(np.ones((3, 2)))).shape == (3, 2) and X.contiguous() is X
    assert X.float().dtype == np.float32 and X.float().double().dtype == np.float64 and X.cpu() is X
    assert X.to("cpu") is X and X.to("cpu", np.float32).dtype == np.float32 and X.type_as(X.float()).dtype == np.float32
    assert X.mm(X.t()).shape == (2, 2) and X[None].bmm(X.t()[None]).shape == (1, 2, 2)
    assert X.expand_as(Tensor(np.ones((4, 2, 3)))).shape == (4, 2, 3)
    assert not X.isnan().any() and (X - np.inf).isinf().all() and X.isfinite().all()
    x = Tensor([1.0]).requires_grad_()
    assert x.requires_grad and not x.requires_grad_(False).requires_grad
    with pytest.raises(RuntimeError, match="only a leaf"):
        (x.requires_grad_() * 2).requires_grad_(False)
    values, indices = X.max(1)
    assert values.tolist() == [3, 5] and indices.tolist() == [0, 1] and X[:, :2].max(1)[1].tolist() == [0, 1]
    assert X.max().item() == 5 and X.max(Tensor([2.0, 2, 2])).tolist() == np.maximum(A, 2).tolist()
    assert X.amax((0, 1)).item() == 5 and X.min(dim=0, keepdim=True).values.shape == (1, 3)
    assert type(X.to(np.int64)) is Plain and X.to(np.int64).tolist() == A.tolist() and X.to(bool).dtype == bool
    for wrong in (np.float16, "complex128", object, "words"):
        with pytest.raises(ValueError, match="expected float32, float64, a type of whole numbers or bool"):
            X.to(wrong)


def test_slopes_of_running_products_and_of_sums_of_powers():
    x = Tensor(np.array([2.0, 0.0, 3.0, 0.0, 5.0]), requires_grad=True)
    w = np.array([1.0, -2.0, 0.5, 4.0, 3.0])
    (x.cumprod(0) * w).sum().backward()
    slopes = np.zeros(5)                                 # of Σ_k w_k x_0 ... x_k, with all but x_j of each product
    for k in range(5):
        for j in range(k + 1):
            slopes[j] += w[k] * np.prod(np.delete(x.detach().data[:k + 1], j))
    np.testing.assert_allclose(x.grad.data, slopes, rtol=1e-15)
    assert gradcheck(lambda x: (x.cumprod(0) * w).sum(), (Tensor(w, requires_grad=True),))
    a = Tensor([-np.inf, 1.0, 900.0], requires_grad=True)
    a.logaddexp(Tensor([-np.inf, 1.0, -900.0])).sum().backward()
    np.testing.assert_allclose(a.grad.data, [0, 0.5, 1], rtol=1e-15)
