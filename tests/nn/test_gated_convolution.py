"""Gated convolution against its definition and elementary operations; what a stack sees; padding; step by step."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck, ops
from scratchml.nn import GatedConv1d, LayerNorm, gated_convolution, receptive_field
from scratchml.nn.gated_convolution import (GATED, gated, halves, halves_gradient, neighbourhoods, product_gradients,
                                            residual, rows_gradient)
from tests.nn.test_layers import assert_same_gradients, leaf
from tests.reference import gated_convolution as reference
from tests.strategies.gated_convolution import ragged, stacks

EPS = np.finfo(float).eps
ROUNDING = dict(rtol=0, atol=1e3 * EPS)                  # sums of at most 18 products of normal numbers


# --- equal to the definition

@given(ragged())
def test_every_equation_is_its_definition(drawn):
    X, starts, W, b, d, o = drawn
    K = W.shape[2]
    N = neighbourhoods(X, starts, K, d, o)
    np.testing.assert_array_equal(N, reference.neighbourhoods(X, starts, K, d, o))
    H = halves(N, W, b)
    np.testing.assert_allclose(H, reference.halves(N, W, b), **ROUNDING)
    np.testing.assert_allclose(gated(H), reference.gated(H), **ROUNDING)
    np.testing.assert_allclose(residual(H, X), reference.residual(H, X), **ROUNDING)
    g = np.cos(np.arange(X.size)).reshape(X.shape)
    δ = halves_gradient(g, H)
    np.testing.assert_allclose(δ, reference.halves_gradient(g, H), **ROUNDING)
    found = product_gradients(δ, N, W)
    for ours, theirs in zip(found, reference.product_gradients(δ, N, W), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e4 * EPS)
    np.testing.assert_allclose(rows_gradient(found[2], starts, K, d, o),
                               reference.rows_gradient(found[2], starts, K, d, o), **ROUNDING)


@given(ragged(), st.booleans(), st.sampled_from(["float64", "float32"]), st.sampled_from([1, 2**18]))
def test_compiled_passes_are_the_equations(drawn, adds, dtype, chunk):
    X, W, b = (array.astype(dtype) for array in (drawn.X, drawn.W, drawn.b))
    K, T = W.shape[2], drawn.lengths.max()
    N = neighbourhoods(X, drawn.starts, K, drawn.d, drawn.o)
    H = halves(N, W, b)
    y = residual(H, X) if adds else gated(H)
    g = np.cos(np.arange(y.size)).reshape(y.shape).astype(dtype)
    by_W, by_b, G = product_gradients(halves_gradient(0.5**0.5 * g if adds else g, H), N, W)
    by_X = rows_gradient(G, drawn.starts, K, drawn.d, drawn.o) + (0.5**0.5 * g if adds else 0)
    there = np.arange(T) < drawn.lengths[:, None]
    x, weight, bias = (Tensor(array, requires_grad=True) for array in (drawn._replace(X=X).padded(), W, b))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gated_convolution, "CHUNK", chunk)
        result = GATED(x, weight, bias, rows=(np.arange(len(there)) * T, drawn.starts), d=drawn.d, o=drawn.o,
                       residual=adds)
        result.backward(drawn._replace(X=g).padded())
    assert result.dtype == x.grad.dtype == weight.grad.dtype == bias.grad.dtype == dtype
    bound = dict(rtol=0, atol=1e4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(result.data[there], y, **bound)
    np.testing.assert_allclose(x.grad.data[there], by_X, **bound)
    np.testing.assert_allclose(weight.grad.data, by_W, **bound)
    np.testing.assert_allclose(bias.grad.data, by_b, **bound)
    assert not result.data[~there].any() and not x.grad.data[~there].any()


def composed(layer, x):
    """Zeros around, a product for each tap, and the gate, in operations on Tensors."""
    K, d, C, T = layer.kernel_size, layer.dilation, layer.channels, x.shape[1]
    ahead = 0 if layer.causal else layer.reach - layer.reach // 2
    wide = ops.pad(x, (0, 0, layer.reach - ahead, ahead))
    H = sum(wide[:, d * k:d * k + T] @ layer.weight[:, :, k].T for k in range(K)) + layer.bias
    y = H[:, :, :C] * H[:, :, C:].sigmoid()
    return (x + y) * 0.5**0.5 if layer.residual else y


@pytest.mark.parametrize("options", [
    {}, dict(dilation=2), dict(causal=False), dict(causal=False, dilation=3), dict(residual=False),
    dict(kernel_size=2, causal=False, residual=False), dict(kernel_size=1), dict(kernel_size=9), dict(dilation=9)])
def test_layers_equal_elementary_operations(options):
    layer, x = GatedConv1d(2, **{"kernel_size": 3, **options}, dtype="float64", random_state=0), leaf(2, 5, 2)
    assert_same_gradients(layer(x), composed(layer, x), [x, *layer.parameters()])


@pytest.mark.parametrize("options", [dict(), dict(causal=False, dilation=2, residual=False)])
def test_gradients(options):
    layer = GatedConv1d(2, 3, **options, dtype="float64", random_state=0)

    def applied(x, W, b):
        layer.weight, layer.bias = W, b
        return layer(x, lengths=[4, 2])
    assert gradcheck(applied, (leaf(2, 4, 2), leaf(4, 2, 3, seed=1), leaf(4, seed=2)))


# --- what a stack sees

@given(stacks(), st.booleans(), st.integers(0, 2**32 - 1))
def test_the_field_is_as_stated_and_lies_where_stated(drawn, causal, seed):
    """The places of x by which the gradient of y_t is not 0."""
    sizes, gaps = drawn
    A = receptive_field(sizes, gaps)
    assert A == reference.receptive_field(sizes, gaps)
    layers = [GatedConv1d(2, size, gap, causal, dtype="float64", random_state=seed) for size, gap in zip(sizes, gaps)]
    T, t = 2 * A + 1, A
    x = y = leaf(1, T, 2, seed=seed)
    for layer in layers:
        y = layer(y)
    y[0, t].sum().backward()
    found = set(np.flatnonzero(x.grad.data[0].any(axis=1)))
    expected = {t}
    for layer in layers:
        ahead = 0 if causal else layer.reach - layer.reach // 2
        taps = {ahead - layer.dilation * k for k in range(layer.kernel_size)} | {0}   # 0: what is added
        expected = {u + tap for u in expected for tap in taps}
    assert found == expected and max(found) - min(found) + 1 <= A
    if causal or all(layer.reach % 2 == 0 for layer in layers):
        assert max(found) - min(found) + 1 == A
    if causal:
        assert max(found) == t
    if set(gaps) == {1}:
        assert len(found) == max(found) - min(found) + 1


@pytest.mark.parametrize("sizes, gaps, A", [([5] * 6, None, 25), ([3] * 4, [1, 2, 4, 8], 31), ([2] * 3, [1, 2, 4], 8),
                                            ([], None, 1), ([1, 1], [7, 9], 1)])
def test_fields_by_hand(sizes, gaps, A):
    assert receptive_field(sizes, gaps) == A


def test_a_block_of_two_convolutions_counts_both():
    """A temporal convolutional network of such blocks sees 1 + 2 Σ d (K - 1)."""
    for K in (2, 3):
        assert receptive_field([K, K] * 3, np.repeat([1, 2, 4], 2)) == 1 + 2 * sum(d * (K - 1) for d in (1, 2, 4))


# --- laws

@given(ragged(), st.booleans())
def test_padding_changes_no_bit(drawn, adds):
    layer = layer_of(drawn, residual=adds)
    found = set()
    for fill in (0.0, np.nan, np.inf, 1e300):
        x = Tensor(drawn.padded(fill), requires_grad=True)
        layer.zero_grad()
        y = layer(x, lengths=drawn.lengths)
        g = np.cos(np.arange(y.numel())).reshape(y.shape)
        g[np.arange(g.shape[1]) >= drawn.lengths[:, None]] = fill
        y.backward(g)
        found.add(b"".join(part.data.tobytes() for part in (y, x.grad, layer.weight.grad, layer.bias.grad)))
    assert len(found) == 1


def test_padding_changes_no_bit_with_dropout():
    found = set()
    for fill in (0.0, np.nan):
        layer = GatedConv1d(2, 3, dropout=0.5, dtype="float64", random_state=0)
        x = np.ones((2, 5, 2))
        x[1, 2:] = fill
        x = Tensor(x, requires_grad=True)
        y = layer(x, lengths=[5, 2])
        assert not y.data[1, 2:].any()
        y.sum().backward()
        assert not x.grad.data[1, 2:].any()
        found.add(b"".join(part.data.tobytes() for part in (y, x.grad, layer.weight.grad)))
    assert len(found) == 1


def layer_of(drawn, **options):
    _, C, K = drawn.W.shape
    layer = GatedConv1d(C, K, drawn.d, causal=drawn.o == 0, dtype="float64", **options)
    layer.load_state_dict({"weight": drawn.W, "bias": drawn.b})
    return layer


@given(ragged())
def test_a_sequence_is_the_same_in_any_batch(drawn):
    layer, x = layer_of(drawn), drawn.padded(7.0)
    y = layer(x, lengths=drawn.lengths).data
    for n, T in enumerate(drawn.lengths):
        np.testing.assert_allclose(y[n, :T], layer(x[n, :T]).data, rtol=0, atol=1e4 * EPS)


@given(ragged(), st.integers(0, 5))
def test_the_past_does_not_move_by_a_bit(drawn, t):
    layer, x = layer_of(drawn._replace(o=0)), drawn.padded(0.0)
    y = layer(x, lengths=drawn.lengths).data
    x[:, t + 1:] = 1e9
    np.testing.assert_array_equal(layer(x, lengths=drawn.lengths).data[:, :t + 1], y[:, :t + 1])


@given(ragged(), st.booleans())
def test_step_by_step_is_the_full_pass(drawn, adds):
    layer, x = layer_of(drawn._replace(o=0), residual=adds), drawn.padded(0.0)
    y, past = layer(x).data, np.zeros((len(x), layer.reach, x.shape[2]))
    for t in range(x.shape[1]):
        now, past = layer.step(past, x[:, t])
        np.testing.assert_allclose(now, y[:, t], rtol=0, atol=1e4 * EPS)
    assert past.shape == (len(x), layer.reach, x.shape[2])


@given(ragged(), st.sampled_from([0.0, 0.5]))
def test_rows_one_after_the_other_are_sequences_without_padding(drawn, p):
    found = []
    for x in (drawn.padded(), drawn.X):
        layer = layer_of(drawn, dropout=p, random_state=0)
        # else dropout draws other places
        layer.eval() if drawn.lengths.min() < drawn.lengths.max() else layer.train()
        x = Tensor(x, requires_grad=True)
        y = layer(x, lengths=drawn.lengths)
        y.backward(np.cos(y.data))
        found.append((x, y, layer))
    (x, y, layer), (X, Y, other) = found
    there = np.arange(x.shape[1]) < drawn.lengths[:, None]
    np.testing.assert_array_equal(Y.data, y.data[there])
    np.testing.assert_array_equal(X.grad.data, x.grad.data[there])
    np.testing.assert_array_equal(other.weight.grad.data, layer.weight.grad.data)


def test_an_open_gate_is_a_linear_convolution():
    layer, x = GatedConv1d(2, 3, residual=False, dtype="float64", random_state=0), leaf(1, 6, 2).data
    layer.bias.data[2:] = 1e3
    np.testing.assert_allclose(layer(2 * x).data, 2 * layer(x).data, rtol=1e-14)
    layer.bias.data[2:] = -1e3
    assert not layer(x).data.any()


def test_channels_first_is_the_transpose():
    layer, x = GatedConv1d(3, 2, dtype="float64", random_state=0), leaf(2, 4, 3)
    turned = GatedConv1d(3, 2, channels_first=True, dtype="float64", random_state=0)
    assert_same_gradients(turned(x.transpose(1, 2), lengths=[4, 2]), layer(x, lengths=[4, 2]).transpose(1, 2), [x])
    np.testing.assert_array_equal(turned(x.data[0].T).data, layer(x.data[0]).data.T)


def test_layout_permission_and_threads_do_not_matter(monkeypatch):
    monkeypatch.setattr(gated_convolution, "CHUNK", 1)
    layer, x = GatedConv1d(3, 3, dilation=2, random_state=0), np.random.default_rng(0).normal(size=(4, 5, 3))
    x = x.astype(np.float32)
    only_read, wide = x.copy(), np.zeros((4, 10, 6), np.float32)
    only_read.flags.writeable = False
    wide[:, ::2, ::2] = x
    found = set()
    for threads, same in zip("12121", (x, only_read, np.asfortranarray(x), wide[:, ::2, ::2], x[::-1].copy()[::-1])):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        layer.zero_grad()
        given = Tensor(same, requires_grad=True)
        y = layer(given, lengths=[5, 1, 3, 2])
        y.backward(np.asfortranarray(np.cos(np.arange(y.numel())).reshape(y.shape).astype(np.float32)))
        found.add(b"".join(part.data.tobytes() for part in (y, given.grad, layer.weight.grad, layer.bias.grad)))
    assert len(found) == 1


def test_a_second_way_back_is_the_first():
    layer, x = GatedConv1d(2, 3, dtype="float64", random_state=0), leaf(1, 4, 2)
    y = layer(x).sum()
    y.backward(retain_graph=True)
    first = layer.weight.grad.data.copy()
    layer.zero_grad()
    y.backward()
    np.testing.assert_array_equal(layer.weight.grad.data, first)


def test_neighbourhoods_are_not_kept():
    layer, x = GatedConv1d(2, 3, dtype="float64"), leaf(1, 6, 2)
    saved, _ = layer(x)._node.saved
    assert sum(part.size for part in saved if isinstance(part, np.ndarray)) == x.numel() + layer.weight.numel() + 6 * 4


def test_the_gate_keeps_the_variance():
    """Through ten layers: first weights, and the factor √½ of what is added, see to it; back it grows, not by much."""
    x = y = Tensor(np.random.default_rng(0).normal(size=(5, 20, 20)), requires_grad=True)
    for k in range(10):
        y = GatedConv1d(20, 2, causal=False, dtype="float64", random_state=k)(y)
    assert 0.7 < y.data.var() < 1.4
    y.backward(np.random.default_rng(1).normal(size=y.shape))
    assert 1 < x.grad.data.var() < 1.2**10


def test_dropout_is_of_what_the_window_sees_and_not_of_what_is_added():
    layer, x = GatedConv1d(1, 1, dropout=1.0, dtype="float64", random_state=0), leaf(1, 3, 1)
    layer.load_state_dict({"weight": np.ones((2, 1, 1)), "bias": np.zeros(2)})
    np.testing.assert_allclose(layer(x).data, 0.5**0.5 * x.data, rtol=1e-15)
    np.testing.assert_allclose(layer.eval()(x).data, composed(layer, x).data, rtol=1e-14)
    assert GatedConv1d(40, 5, dropout=0.75,
                       random_state=0).weight.data.std() == pytest.approx((0.75 / 200)**0.5, rel=0.02)


def test_settings_dtype_and_empty_batches():
    layer = GatedConv1d(4, 3, random_state=0)
    assert layer.weight.shape == (8, 4, 3) and layer.bias.shape == (8,)
    assert list(layer.state_dict()) == ["weight", "bias"]
    y = layer(np.ones((2, 3, 4)))
    y.sum().backward()
    assert y.dtype == layer.weight.grad.dtype == np.float32
    assert layer(np.ones((0, 3, 4))).shape == (0, 3, 4) and layer(np.ones((5, 4))).shape == (5, 4)
    assert layer(np.ones((2, 0, 4))).shape == (2, 0, 4)
    assert "kernel_size=3" in repr(layer)
    stacked = LayerNorm(4)(layer(layer(np.zeros((1, 2, 4)))))
    assert np.isfinite(stacked.data).all()


def test_far_from_one_in_float32():
    layer = GatedConv1d(2, 3, random_state=0)
    for scale in (1e30, 1e-30):
        x = Tensor((np.random.default_rng(0).normal(size=(3, 6, 2)) * scale).astype(np.float32), requires_grad=True)
        y = layer(x)
        y.backward(np.ones(y.shape, np.float32))
        assert np.isfinite(y.data).all() and np.isfinite(x.grad.data).all()
        assert np.isfinite(layer.weight.grad.data).all()


# --- bad arguments

@pytest.mark.parametrize("call, message", [
    (lambda: GatedConv1d(0, 3), "channels=0"), (lambda: GatedConv1d(2, 0), "kernel_size=0"),
    (lambda: GatedConv1d(2, 3, 0), "dilation=0"), (lambda: GatedConv1d(2, 3, causal="False"), "causal='False'"),
    (lambda: GatedConv1d(2, 3, residual=None), "residual=None"), (lambda: GatedConv1d(2, 3, dropout=1.5), "1.5"),
    (lambda: GatedConv1d(2, 3, channels_first=1), "channels_first=1"),
    (lambda: GatedConv1d(2, 3, dtype="int"), "dtype='int'"),
    (lambda: GatedConv1d(2, 3)(np.ones((1, 4, 3))),
     r"expected shape \(N, T, C\) or \(T, C\) with C = 2, got \(1, 4, 3\)"),
    (lambda: GatedConv1d(2, 3, channels_first=True)(np.ones((1, 3, 2))), r"\(N, C, T\).* got \(1, 3, 2\)"),
    (lambda: GatedConv1d(2, 3)(np.ones(2)), r"got \(2,\)"),
    (lambda: GatedConv1d(2, 3)(Tensor(np.ones((1, 4, 2)))), "computes in float32, got a Tensor of float64"),
    (lambda: GatedConv1d(2, 3)(np.ones((2, 4, 2)), lengths=[4]), "expected 2 whole numbers"),
    (lambda: GatedConv1d(2, 3)(np.ones((2, 4, 2)), lengths=[4, 5]), "sequence 1 has length 5; .* expected 1 ... 4"),
    (lambda: GatedConv1d(2, 3)(np.ones((2, 4, 2)), lengths=[4, 0]), "sequence 1 has length 0"),
    (lambda: GatedConv1d(2, 3)(np.ones((5, 2)), lengths=[3, 3]), "to add up to the 5 rows of input, got 6"),
    (lambda: GatedConv1d(2, 3, causal=False).step(np.zeros((1, 2, 2)), np.zeros((1, 2))), "expected a causal layer"),
    (lambda: receptive_field([3, 0]), "sizes=0"), (lambda: receptive_field([3], [0]), "gaps=0"),
    (lambda: receptive_field([3, 3], [1]), "expected one for each of 2 layers, got 1"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
