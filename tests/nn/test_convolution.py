"""Convolution against its definition, elementary operations and central differences; what causal means; bad input."""
import weakref

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck, ops
from scratchml.core import products
from scratchml.core.products import Panels, laid_out
from scratchml.nn import CausalConv1d, Conv1d, Linear, convolution
from scratchml.nn.convolution import (CONVOLUTION, convolved, convolved_by_weight, convolved_by_windows, positions,
                                      windows, windows_by_input)
from tests.nn.test_layers import assert_same_gradients, leaf
from tests.reference import convolution as reference
from tests.strategies.convolution import convolutions

EPS = np.finfo(float).eps
ROUNDING = dict(rtol=0, atol=1e3 * EPS)                  # sums of at most 24 products of normal numbers


# --- equal to the definition

@given(convolutions())
def test_every_equation_is_its_definition(drawn):
    x, W, b, s, d = drawn
    K, T = W.shape[2], x.shape[2]
    X = windows(x, K, s, d)
    assert positions(T, K, s, d) == reference.positions(T, K, s, d) == X.shape[3]
    np.testing.assert_array_equal(X, reference.windows(x, K, s, d))
    y = convolved(X, W, b)
    np.testing.assert_allclose(y, reference.convolved(X, W, b), **ROUNDING)
    g = np.cos(np.arange(y.size)).reshape(y.shape)
    np.testing.assert_allclose(convolved_by_weight(g, X), reference.convolved_by_weight(g, X), **ROUNDING)
    G = convolved_by_windows(g, W)
    np.testing.assert_allclose(G, reference.convolved_by_windows(g, W), **ROUNDING)
    np.testing.assert_allclose(windows_by_input(G, T, s, d), reference.windows_by_input(G, T, s, d), **ROUNDING)


@given(convolutions(), st.tuples(st.integers(0, 4), st.integers(0, 4)), st.sampled_from([1, 20, 10**6]),
       st.sampled_from(["float64", "float32"]), st.sampled_from([laid_out, lambda B, M: Panels(B)]))
def test_compiled_products_are_the_equations(drawn, around, block, dtype, laid):
    """With few or many sequences in a block and in a cache, with zeros around that the equations are given and the
    kernels add, and in one pass over panels or step by step."""
    x, W, b, s, d = (part.astype(dtype) if isinstance(part, np.ndarray) else part for part in drawn)
    padded, left, T = np.pad(x, ((0, 0), (0, 0), around)), around[0], x.shape[2]
    X = windows(padded, W.shape[2], s, d)
    y = convolved(X, W, b)
    g = np.cos(np.arange(y.size)).reshape(y.shape).astype(dtype)
    G = windows_by_input(convolved_by_windows(g, W), padded.shape[2], s, d)
    expected = y, G[:, :, left:left + T], convolved_by_weight(g, X), g.sum((0, 2))
    given, weight, bias = (Tensor(array, requires_grad=True) for array in (x, W, b))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "BLOCK", block)
        patch.setattr(convolution, "CHUNK", 1)           # a sequence each
        patch.setattr(convolution, "NEAR", 40 * block)
        patch.setattr(products, "LEAST", 1000)
        patch.setattr(convolution, "laid_out", laid)
        result = CONVOLUTION(given, weight, bias, s=s, d=d, groups=1, around=around, of_input=True)
        result.backward(g)
    for ours, theirs in zip((result, given.grad, weight.grad, bias.grad), expected):
        assert ours.dtype == dtype and ours.data.flags.c_contiguous
        np.testing.assert_allclose(ours.data, theirs, rtol=0, atol=1e3 * np.finfo(dtype).eps)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_sequences_that_go_through_by_twos(monkeypatch, threads):
    rng = np.random.default_rng(0)
    x, W, b, g = (rng.normal(size=shape) for shape in ((7, 2, 6), (3, 2, 3), 3, (7, 3, 6)))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
    monkeypatch.setattr(products, "LEAST", 1)
    monkeypatch.setattr(convolution, "laid_out", lambda B, M: Panels(B))
    monkeypatch.setattr(convolution, "NEAR", 2 * 6 * 2 * 3 * 8)
    expected = convolved(windows(padded, 3, 1, 1), W, b)
    np.testing.assert_allclose(convolution._convolved(x, W, b, 1, 1, (1, 1)), expected, **ROUNDING)
    by_input = windows_by_input(convolved_by_windows(g, W), 8, 1, 1)[:, :, 1:7]
    np.testing.assert_allclose(convolution._convolved_back(g, x, W, 1, 1, (1, 1), True)[0], by_input, **ROUNDING)


def composed(layer, x):
    """The sum over taps of a product with the slice that the tap sees, group by group."""
    left, right = layer._around
    s, d, K, groups = layer.stride, layer.dilation, layer.kernel_size, layer.groups
    x = ops.pad(x, (left, right))
    S = (x.shape[2] - d * (K - 1) - 1) // s + 1
    results = []
    parts = ops.split(x, layer.in_channels // groups, 1)
    for part, W in zip(parts, ops.split(layer.weight, layer.out_channels // groups)):
        results.append(sum(W[:, :, k] @ part[:, :, d * k:d * k + s * (S - 1) + 1:s] for k in range(K)))
    y = ops.concatenate(results, 1)
    return y if layer.bias is None else y + layer.bias.unsqueeze(1)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("options", [
    {}, dict(stride=2), dict(padding=2), dict(dilation=2), dict(groups=2), dict(padding="same", dilation=3),
    dict(stride=3, padding=1, dilation=2, groups=2), dict(padding="valid"),
])
def test_layers_equal_elementary_operations(options, bias):
    layer = Conv1d(4, 6, 2, **options, bias=bias, dtype="float64", random_state=0)
    x = leaf(2, 4, 7)
    assert_same_gradients(layer(x), composed(layer, x), [x, *layer.parameters()])
    options = {name: value for name, value in options.items() if name != "padding"}
    layer = CausalConv1d(4, 6, 3, **options, bias=bias, dtype="float64", random_state=0)
    assert_same_gradients(layer(x), composed(layer, x), [x, *layer.parameters()])


@pytest.mark.parametrize("layer", [
    lambda: Conv1d(2, 4, 3, stride=2, padding=1, groups=2, dtype="float64", random_state=0),
    lambda: CausalConv1d(2, 3, 2, dilation=2, dtype="float64", random_state=0)])
def test_gradients(layer):
    layer = layer()

    def applied(x, W, b):
        layer.weight, layer.bias = W, b
        return layer(x)
    assert gradcheck(applied, (leaf(2, 2, 5), leaf(*layer.weight.shape, seed=1), leaf(*layer.bias.shape, seed=2)))


# --- laws

@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 7))
def test_a_causal_layer_does_not_see_the_future(K, dilation, t):
    layer = CausalConv1d(2, 3, K, dilation=dilation, dtype="float64", random_state=0)
    x = leaf(2, 2, 8)
    y = layer(x)
    assert y.shape == (2, 3, 8)
    other = x.data.copy()
    other[:, :, t + 1:] = 1e9
    np.testing.assert_array_equal(layer(other).data[:, :, :t + 1], y.data[:, :, :t + 1])
    y[:, :, t].sum().backward()
    assert not x.grad.data[:, :, t + 1:].any()
    seen = [t - dilation * k for k in range(K) if t >= dilation * k]
    assert x.grad.data[0, 0].nonzero()[0].tolist() == sorted(seen)


def test_one_tap_is_a_linear_layer_at_every_position():
    layer, linear = Conv1d(3, 4, 1, dtype="float64"), Linear(3, 4, dtype="float64")
    linear.load_state_dict({"weight": layer.weight.data[:, :, 0], "bias": layer.bias.data})
    x = leaf(2, 3, 5)
    assert_same_gradients(layer(x), linear(x.transpose(1, 2)).transpose(1, 2), [x])


def test_a_shifted_sequence_gives_a_shifted_result():
    layer, x = Conv1d(2, 3, 3, dtype="float64", random_state=0), leaf(1, 2, 9)
    np.testing.assert_allclose(layer(x[:, :, 2:]).data, layer(x).data[:, :, 2:], **ROUNDING)


def test_a_batch_is_its_members_one_by_one():
    layer, x = Conv1d(2, 3, 3, padding=1, dtype="float64", random_state=0), leaf(4, 2, 6)
    for n in range(4):
        np.testing.assert_allclose(layer(x).data[n], layer(x[n]).data, **ROUNDING)
    nothing = Tensor(x.data[:0], requires_grad=True)
    layer(nothing).sum().backward()
    assert layer(nothing).shape == (0, 3, 6) and nothing.grad.shape == (0, 2, 6)
    assert not layer.weight.grad.data.any() and not layer.bias.grad.data.any()


@pytest.mark.parametrize("laid", [laid_out, lambda B, M: Panels(B)])
@pytest.mark.parametrize("options", [{}, dict(stride=2, dilation=2, padding=1), dict(groups=2, padding=2)])
def test_layout_permission_and_threads_do_not_matter(monkeypatch, options, laid):
    monkeypatch.setattr(convolution, "CHUNK", 1)
    monkeypatch.setattr(convolution, "laid_out", laid)
    monkeypatch.setattr(products, "LEAST", 1)
    layer, x = Conv1d(4, 6, 2, **options, random_state=0), np.random.default_rng(0).normal(size=(5, 4, 7))
    x = x.astype(np.float32)
    only_read, wide = x.copy(), np.zeros((5, 8, 14), np.float32)
    only_read.flags.writeable = False
    wide[:, ::2, ::2] = x
    found = set()
    for threads, same in zip("12121", (x, only_read, np.asfortranarray(x), wide[:, ::2, ::2], x[::-1].copy()[::-1])):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        layer.zero_grad()
        given = Tensor(same, requires_grad=True)
        y = layer(given)
        y.backward(np.asfortranarray(np.cos(np.arange(y.numel())).reshape(y.shape).astype(np.float32)))
        found.add(b"".join(part.data.tobytes() for part in (y, given.grad, layer.weight.grad, layer.bias.grad)))
    assert len(found) == 1


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_far_from_one_in_float32(scale):
    layer = Conv1d(2, 3, 3, padding=1, bias=False, random_state=0)
    x = Tensor((np.random.default_rng(0).normal(size=(3, 2, 6)) * scale).astype(np.float32), requires_grad=True)
    y = layer(x)
    y.backward(np.ones(y.shape, np.float32))
    exact = convolved(windows(np.pad(x.data.astype(float), ((0, 0), (0, 0), (1, 1))), 3, 1, 1),
                      layer.weight.data.astype(float), np.zeros(3))
    np.testing.assert_allclose(y.data, exact, rtol=0, atol=1e-6 * scale)
    assert np.isfinite(x.grad.data).all()


def test_zeros_around_do_not_spread_what_is_not_finite():
    x = np.ones((1, 1, 5), np.float32)
    x[0, 0, 0] = np.inf
    y = Conv1d(1, 1, 3, padding=4, random_state=0)(x).data[0, 0]
    assert np.isfinite(y[:2]).all() and np.isfinite(y[5:]).all() and not np.isfinite(y[2:5]).any()


def test_zeros_are_written_wherever_there_are_no_numbers():
    x, turned = np.random.default_rng(0).normal(size=(2, 3, 4)), np.full((2, 27), np.nan)
    convolution._turn(0, 0, 2, turned, x, 2)
    np.testing.assert_array_equal(turned.reshape(2, 9, 3), np.pad(x.swapaxes(1, 2), ((0, 0), (2, 3), (0, 0))))


def test_more_zeros_than_numbers():
    layer, x = Conv1d(1, 1, 2, stride=3, padding=7, dtype="float64", random_state=0), leaf(2, 1, 1)
    assert_same_gradients(layer(x), composed(layer, x), [x, *layer.parameters()])


def test_same_padding_keeps_the_length():
    for K in (1, 2, 3, 4):
        assert Conv1d(1, 1, K, padding="same", dilation=2)(np.ones((1, 1, 5))).shape == (1, 1, 5)


def test_first_weights_and_dtype():
    layer = Conv1d(10, 200, 10, groups=2, random_state=0)
    assert layer.weight.shape == (200, 5, 10) and layer.weight.dtype == np.float32
    assert 0.99 / 50 ** 0.5 < abs(layer.weight.data).max() <= 1 / 50 ** 0.5
    y = layer(np.ones((1, 10, 12)))
    y.sum().backward()
    assert y.dtype == layer.weight.grad.dtype == layer.bias.grad.dtype == np.float32
    assert Conv1d(1, 1, (2,), stride=[2])(np.ones((1, 1, 4))).shape == (1, 1, 2)


def test_the_windows_are_not_kept():
    layer, x = Conv1d(2, 3, 3, dtype="float64"), leaf(1, 2, 6)
    saved, _ = layer(x)._node.saved
    arrays = [part for part in saved if isinstance(part, np.ndarray)]
    assert len(arrays) == 2 and arrays[0] is x.detach().numpy() and arrays[1] is layer.weight.detach().numpy()
    assert isinstance(layer(Tensor(x.data)), Tensor)


@pytest.mark.parametrize("of_input", [False, True])
def test_one_block_of_windows_is_in_memory(monkeypatch, of_input):
    room, sizes, last = convolution._room, [], [lambda: None]

    def watched(x, *arguments):
        assert last[-1]() is None                        # the windows of the block before are gone
        R, turned = room(x, *arguments)
        sizes.append(R.size)
        last.append(weakref.ref(R))
        return R, turned
    monkeypatch.setattr(convolution, "_room", watched)
    monkeypatch.setattr(convolution, "BLOCK", 50)
    x, W, g = np.ones((5, 2, 6)), np.ones((3, 2, 3)), np.ones((5, 3, 4))
    convolution._convolved(x, W, np.ones(3), 1, 1, (0, 0))
    convolution._convolved_back(g, x, W, 1, 1, (0, 0), of_input)
    assert sizes == [48, 48, 24] * 2


def test_so_many_sequences_go_through_in_one_pass_as_have_their_windows_in_the_cache():
    for N, C, T, K in (3, 64, 100, 5), (9, 1, 4, 2), (2, 500, 400, 3):
        x = np.empty((N, C, T), np.float32)
        length, together = convolution._sizes(x, K, T - K + 1, (3, 2))
        size = (T - K + 1) * C * K * 4
        assert length == (T + 5) * C and (together == 1 or together * size <= convolution.NEAR)
        assert (together + 1) * size > convolution.NEAR


# --- bad arguments

@pytest.mark.parametrize("call, message", [
    (lambda: Conv1d(2, 3, 0), "kernel_size=0"), (lambda: Conv1d(2, 3, 1, stride=0), "stride=0"),
    (lambda: Conv1d(3, 4, 1, groups=2), "groups=2: expected a divisor of in_channels=3 and of out_channels=4"),
    (lambda: Conv1d(2, 3, 2, padding=-1), "padding=-1"),
    (lambda: Conv1d(2, 3, 2, padding="full"), "padding='full': expected 'valid', 'same' or a whole number"),
    (lambda: Conv1d(2, 3, 2, 2, padding="same"), "padding='same': expected stride 1, got 2"),
    (lambda: Conv1d(2, 3, 2)(np.ones((1, 3, 4))), r"Conv1d.* expected shape \(N, 2, T\) or \(2, T\), got \(1, 3, 4\)"),
    (lambda: Conv1d(2, 3, 2)(np.ones(2)), r"got \(2,\)"),
    (lambda: Conv1d(2, 3, 3, dilation=2)(np.ones((1, 2, 4))), "expected at least 5 positions, padding included, got 4"),
    (lambda: CausalConv1d(2, 3, 2)(np.ones((1, 2, 0))), "expected at least 2 positions, padding included, got 1"),
    (lambda: Conv1d(2, 3, 2)(Tensor(np.ones((1, 2, 4)))), "computes in float32, got a Tensor of float64"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
