"""Attention equals PyTorch's, values and every gradient, over the shapes, masks and layouts that are drawn."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.autograd import Tensor
from scratchml.nn.attention import scaled_dot_product_attention
from tests.strategies.attention import additive, problems, seeds

torch = pytest.importorskip("torch")

CLOSE = {np.float32: 1e-5, np.float64: 1e-10}
each_dtype = pytest.mark.parametrize("dtype", CLOSE)


def assert_close(ours, theirs, dtype, largest=0.0):
    """To the stated digits of the largest entry; where terms as large as `largest` cancel, to eight of their roundings."""
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype
    rounding = 8 * np.finfo(dtype).eps * float(largest)
    assert abs(ours - theirs).max(initial=0) <= CLOSE[dtype] * abs(theirs).max(initial=0) + rounding


def as_torch(array):
    array = array if all(stride >= 0 for stride in array.strides) else array.copy()
    return torch.from_numpy(array).requires_grad_()


# --- the operation

@each_dtype
@settings(max_examples=60)
@given(st.data())
def test_values_and_gradients_of_the_operation(dtype, data):
    arrays, options = data.draw(problems(dtype=dtype, max_size=6))
    shape = (*arrays[0].shape[:-1], arrays[1].shape[-2])
    mask = torch.from_numpy(additive(options, shape).astype(dtype)) if \
        options.keys() & {"attn_mask", "is_causal"} else None
    ours, theirs = [Tensor(a, requires_grad=True) for a in arrays], [as_torch(a) for a in arrays]
    y = scaled_dot_product_attention(*ours, **options)
    their_y = torch.nn.functional.scaled_dot_product_attention(*theirs, mask, scale=options.get("scale"))
    g = np.random.default_rng(data.draw(seeds)).normal(size=y.shape).astype(dtype)
    y.backward(g)
    their_y.backward(torch.from_numpy(g))
    largest = max(1.0, *(abs(a).max() for a in arrays)) ** 3       # a product of three, some of which cancel
    assert_close(y.data, their_y, dtype, largest)
    for a, b in zip(ours, theirs):
        assert_close(a.grad.data, b.grad, dtype, largest)


@each_dtype
def test_causal_and_bool_masks_mean_the_same(dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 3, n, 4)).astype(dtype) for n in (5, 7, 7)]
    mask = rng.random((2, 1, 5, 7)) < 0.6
    theirs = torch.nn.functional.scaled_dot_product_attention
    tensors = [torch.from_numpy(a) for a in arrays]
    assert_close(scaled_dot_product_attention(*arrays, is_causal=True).data, theirs(*tensors, is_causal=True), dtype)
    assert_close(scaled_dot_product_attention(*arrays, mask).data, theirs(*tensors, torch.from_numpy(mask)), dtype)


@each_dtype
def test_a_learned_mask_has_the_same_gradient(dtype):
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 2), (3, 5, 7))]
    ours, theirs = [Tensor(a, requires_grad=True) for a in arrays], [as_torch(a) for a in arrays]
    (scaled_dot_product_attention(*ours) ** 2).sum().backward()
    (torch.nn.functional.scaled_dot_product_attention(*theirs) ** 2).sum().backward()
    for a, b in zip(ours, theirs):
        assert_close(a.grad.data, b.grad, dtype)
