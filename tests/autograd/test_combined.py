"""Functions made of others: against NumPy, with gradients by central differences."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck
from scratchml.autograd.combined import (addmm, baddbmm, bucketize, count_nonzero, diff, isclose, isin, lerp, logit,
                                         mode, nan_to_num, searchsorted, std_mean, take_along_dim, tril_indices,
                                         triu_indices, unfold, var_mean)
from scratchml.autograd.plain import Plain

RNG = np.random.default_rng(0)
A, B, C = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2)), RNG.normal(size=(3, 2))


def leaf(array):
    return Tensor(np.array(array), requires_grad=True)


@given(st.integers(0, 5), st.integers(1, 4), st.sampled_from([0, 1, -1, -2]), st.booleans())
def test_windows(size, step, dim, whole):
    x = np.arange(60).reshape(6, 10)
    size = min(size, x.shape[dim])
    windows = np.lib.stride_tricks.sliding_window_view(x, size, dim)
    expected = windows[::step] if dim in (0, -2) else windows[:, ::step]
    ours = unfold(Plain(x) if whole else Tensor(x * 1.0), dim, size, step)
    assert (np.asarray(ours if whole else ours.data) == expected).all() and type(ours) is (Plain if whole else Tensor)


@given(st.lists(st.lists(st.sampled_from([0, 1, 2, -1]), min_size=5, max_size=5), min_size=1, max_size=4))
def test_most_frequent(rows):
    values, at = mode(Plain(rows))
    for row, value, place in zip(rows, values, at):
        most = max(row.count(n) for n in row)
        least = min(n for n in row if row.count(n) == most)
        assert value == least and place == max(i for i, n in enumerate(row) if n == least)
    kept = mode(Tensor(np.float64(rows).T), 0, keepdim=True)
    assert (kept.values.data[0] == np.asarray(values)).all() and (np.asarray(kept.indices)[0] == np.asarray(at)).all()
    assert np.isnan(mode(Tensor([np.nan, np.nan])).values.item())


def test_as_numpy():
    at = RNG.integers(0, 4, (3, 2))
    assert (take_along_dim(Tensor(A), at, 1).data == np.take_along_axis(A, at, 1)).all()
    assert (take_along_dim(Tensor(A), at[:1], 1).data == np.take_along_axis(A, np.repeat(at[:1], 3, 0), 1)).all()
    assert take_along_dim(Plain([[5, 6]]), [[1], [0], [1]], 1).tolist() == [[6], [5], [6]]
    assert (np.asarray(triu_indices(3, 4, -1)) == np.triu_indices(3, -1, 4)).all()
    assert tril_indices(2, 2).tolist() == [[0, 1, 1], [0, 0, 1]]
    assert searchsorted([1.0, 2, 2], Tensor([2.0])).tolist() == [1]
    assert bucketize(Tensor([2.0]), [1.0, 2, 2], right=True).tolist() == [3]
    for n in range(4):
        np.testing.assert_allclose(diff(Tensor(A), n).data, np.diff(A, n))
    assert diff(Plain([[1, 5], [2, 9]]), dim=0).tolist() == [[1, 4]] and diff(Tensor([]), 2).shape == (0,)
    assert count_nonzero(Plain([[1, 0], [2, 3]]), 1).tolist() == [1, 2] and isin([1, 2], [2]).tolist() == [False, True]
    assert isclose(Tensor([1.0, np.nan]), Tensor([1.0 + 1e-9, np.nan]), equal_nan=True).tolist() == [True, True]
    variance, mean = var_mean(Tensor(A), 1, keepdim=True)
    np.testing.assert_allclose(variance.data, A.var(1, ddof=1, keepdims=True))
    np.testing.assert_allclose([std_mean(Tensor(A), correction=0)[0].item(), mean.data[2, 0]], [A.std(), A[2].mean()])
    worst = nan_to_num(Tensor(np.float32([np.nan, np.inf, -np.inf])))
    assert worst.tolist() == [0, np.finfo(np.float32).max, np.finfo(np.float32).min] and worst.dtype == np.float32


@pytest.mark.parametrize("function, arrays", [
    (lambda x: unfold(x, 1, 3, 1), [A]), (lambda x: take_along_dim(x, [[3, 0, 3]], 1), [A]),
    (lambda x: diff(x, 2), [A]),
    (lambda x, a, b: addmm(x, a, b, beta=0.5, alpha=-2), [C, A, B]),
    (lambda x: logit(x), [RNG.uniform(0.1, 0.9, (2, 3))]),
    (lambda x, a, b: baddbmm(x, a, b), [C[None], A[None], B[None]]),
    (lambda a, b, w: lerp(a, b, w), [A, A[:1], C[:, :1]]),
    (lambda x: mode(x * Tensor([[1.0], [2.0], [1.0]]), 0).values, [np.repeat(A[:1], 3, 0)]),
], ids=["unfold", "take_along_dim", "diff", "addmm", "logit", "baddbmm", "lerp", "mode"])
def test_gradients(function, arrays):
    leaves = [leaf(array) for array in arrays]
    if function(*leaves).shape == (4,):                  # mode changes its mind where entries that tie move
        function(*leaves).sum().backward()
        assert leaves[0].grad.tolist() == [[0] * 4, [0] * 4, [1] * 4]
    else:
        gradcheck(function, tuple(leaves))


def test_what_is_replaced_gets_no_gradient():
    x = leaf([np.nan, 3.0, -np.inf])
    nan_to_num(x).sum().backward()
    assert x.grad.tolist() == [0, 1, 0]


@pytest.mark.parametrize("call, message", [
    (lambda: unfold(Tensor(A), 1, 5, 1), "size up to 4"), (lambda: unfold(Tensor(A), 1, 2, 0), "step of at least 1"),
    (lambda: mode(Tensor(np.empty((2, 0)))), "at least one entry along dim=1"), (lambda: diff(Tensor(A), -1), "n=-1"),
    (lambda: searchsorted([[1.0]], 1.0), r"got \(1, 1\)"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
