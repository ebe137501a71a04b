"""Pooling against its definitions, central differences, and what must hold."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import AdaptiveAvgPool1d, AdaptiveMaxPool1d, AvgPool1d, MaxPool1d
from scratchml.nn.pooling import largest_by_input, largest_of_windows, means_by_input, means_of_windows, shares
from tests.nn.test_layers import leaf
from tests.reference import pooling as reference
from tests.strategies.pooling import windows


@given(windows())
def test_definitions(drawn):
    x, options, d = drawn
    layer = MaxPool1d(**options, dilation=d, return_indices=True)
    y, i = layer(x)
    S = y.shape[2]
    K, s, p = options["kernel_size"], options["stride"], options["padding"]
    expected, places = reference.largest_of_windows(x, K, s, d, p, S)
    for ours in ((y.data, i), largest_of_windows(x, K, s, d, p, S)):
        np.testing.assert_array_equal(ours[0], expected)
        np.testing.assert_array_equal(ours[1], places)
    g = np.random.default_rng(0).normal(size=y.shape)
    np.testing.assert_allclose(largest_by_input(g, i, x.shape[2]), reference.largest_by_input(g, i, x.shape[2]))


@given(st.data(), st.integers(1, 9), st.integers(1, 6))
def test_definitions_of_means(data, T, S):
    x = np.random.default_rng(0).normal(size=(2, 3, T))
    b = np.array(data.draw(st.lists(st.integers(0, T - 1), min_size=S, max_size=S)))
    e = np.array([data.draw(st.integers(low, T)) for low in b])
    n, g = np.arange(1, S + 1), np.random.default_rng(1).normal(size=(2, 3, S))
    np.testing.assert_allclose(means_of_windows(x, b, e, n), reference.means_of_windows(x, b, e, n), atol=1e-14)
    np.testing.assert_allclose(means_by_input(g, b, e, n, T), reference.means_by_input(g, b, e, n, T), atol=1e-14)
    for ours, theirs in zip(shares(T, S), reference.shares(T, S)):
        np.testing.assert_array_equal(ours, theirs)
    b, e = shares(T, S)
    assert set(np.concatenate([np.arange(*ends) for ends in zip(b, e)])) == set(range(T))
    assert np.ptp(e - b) <= 1 + (T % S > 0)


@given(windows(), st.booleans())
def test_a_mean_counts_what_it_should(drawn, include):
    x, options, _ = drawn
    y = AvgPool1d(**options, count_include_pad=include)(x)
    K, s, p, T = options["kernel_size"], options["stride"], options["padding"], x.shape[2]
    for t in range(y.shape[2]):
        places = [u for u in range(s * t - p, s * t - p + K) if -p <= u < T + p]
        inside = [u for u in places if 0 <= u < T]
        expected = x[:, :, inside].sum(2) / len(places if include else inside)
        np.testing.assert_allclose(y.data[:, :, t], expected, rtol=1e-13)


@pytest.mark.parametrize("layer", [MaxPool1d(2), MaxPool1d(3, 1, 1, 2, ceil_mode=True), AvgPool1d(3, 2, 1),
                                   AvgPool1d(2, 1, 1, True, False), AdaptiveAvgPool1d(3), AdaptiveAvgPool1d(9)],
                         ids=repr)
def test_gradients(layer):
    x = leaf(2, 3, 7)
    assert gradcheck(layer, x)
    single = leaf(3, 7, dtype=np.float32)
    y = layer(single)
    y.sum().backward()
    assert y.ndim == 2 and y.dtype == single.grad.dtype == np.float32
    np.testing.assert_allclose(y.data, layer(single.data[None].astype(float)).data[0], rtol=1e-5, atol=1e-7)


def test_of_equal_numbers_the_first_gets_the_gradient_and_nan_is_seen():
    x = Tensor([[[2.0, 2.0, 1.0, 2.0]]], requires_grad=True)
    MaxPool1d(4)(x).sum().backward()
    assert x.grad.data.tolist() == [[[1, 0, 0, 0]]]
    y, i = MaxPool1d(2, return_indices=True)([[1.0, np.nan, np.nan, 5.0, -np.inf, -np.inf]])
    np.testing.assert_array_equal(y.data, [[np.nan, np.nan, -np.inf]])
    assert i.tolist() == [[1, 2, 4]]


def test_one_window_is_the_mean_of_all():
    x = leaf(2, 3, 7)
    np.testing.assert_allclose(AdaptiveAvgPool1d(1)(x).data[..., 0], x.data.mean(2), rtol=1e-14)
    np.testing.assert_array_equal(AdaptiveAvgPool1d(7)(x).data, x.data)


@pytest.mark.parametrize("call, message", [
    (lambda: MaxPool1d(0), "kernel_size=0"), (lambda: AvgPool1d(2, 0), "stride=0"),
    (lambda: MaxPool1d(2, dilation=0), "dilation=0"), (lambda: AvgPool1d(3, padding=-1), "padding=-1"),
    (lambda: AvgPool1d(3, padding=2), "padding=2: expected at most half of what a window spans, 3"),
    (lambda: AdaptiveAvgPool1d(0), "output_size=0"),
    (lambda: AdaptiveAvgPool1d(2)([1.0]), r"expected shape \(N, C, T\)"),
    (lambda: MaxPool1d(2)([1.0, 2.0]), r"expected shape \(N, C, T\) or \(C, T\), got \(2,\)"),
    (lambda: MaxPool1d(4)(np.ones((1, 3))), "expected at least 4 positions, padding included, got 3"),
    (lambda: MaxPool1d(2, padding=1, dilation=2)(np.ones((1, 1))), "sees nothing but padding"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(st.integers(1, 9), st.integers(1, 11), st.integers(0, 99))
def test_the_largest_of_windows_that_are_as_equal_as_can_be(T, S, seed):
    x = np.random.default_rng(seed).integers(-3, 4, size=(2, 3, T)).astype(float)
    y, i = AdaptiveMaxPool1d(S, return_indices=True)(x)
    for t in range(S):
        b, e = int(np.floor(t * T / S)), int(np.ceil((t + 1) * T / S))
        np.testing.assert_array_equal(y.data[..., t], x[..., b:e].max(-1))
        np.testing.assert_array_equal(i[..., t], b + x[..., b:e].argmax(-1))
    np.testing.assert_array_equal(AdaptiveMaxPool1d(S)(x[0]).data, y.data[0])


def test_the_largest_gets_the_gradient():
    assert gradcheck(lambda x: (AdaptiveMaxPool1d(3)(x) ** 2).sum(), (leaf(2, 3, 7),))
    assert np.isnan(AdaptiveMaxPool1d(1)([[1.0, np.nan, 3.0]]).data).all()
    for call, message in [(lambda: AdaptiveMaxPool1d(0), "output_size=0"),
                          (lambda: AdaptiveMaxPool1d(2)([1.0]), r"expected shape \(N, C, T\)"),
                          (lambda: AdaptiveMaxPool1d(2)(np.ones((2, 0))), r"with T of at least 1, got \(2, 0\)")]:
        with pytest.raises(ValueError, match=message):
            call()
