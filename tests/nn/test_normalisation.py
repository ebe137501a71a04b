"""Normalisation against its definition, elementary operations and central differences, and what it promises."""
import copy

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck, no_grad
from scratchml.nn import BatchNorm1d, LayerNorm, RMSNorm, functional, normalisation
from scratchml.nn.normalisation import (CHANNELS, ROWS, channel_moments, channels_by_input, channels_by_weight, inverse,
                                        moments_of_channels, moved_towards, normalised_channels, normalised_rows,
                                        row_moments, rows_by_input, rows_by_weight)
from tests.nn.test_layers import assert_same_gradients, leaf
from tests.reference import normalisation as reference
from tests.strategies.normalisation import batches

EPS = np.finfo(float).eps


def rounding(drawn, axis):
    """Of x̂: sums of N numbers round N times; a deviation inherits the rounding of the numbers that it is made of."""
    x = drawn.x if axis == 0 else drawn.x.T
    worst = (abs(x).max(0) / np.sqrt(x.var(0) + drawn.eps)).max()
    size = 1 + abs(drawn.w).max() + abs(drawn.b).max() + abs(drawn.g).max()
    return 40 * x.size * EPS * (1 + worst) * size ** 2


def deviations(drawn, axis):
    return float((1 / np.sqrt(drawn.x.var(axis) + drawn.eps)).max())


def assert_moments(ours, theirs, x):
    """A mean errs by its terms, however small they leave it, and a variance by itself and the square of that."""
    largest = abs(x).max()
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=x.size * EPS * largest)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=40 * x.size * EPS, atol=x.size * EPS ** 2 * largest ** 2)


# --- equal to the definition

@given(batches())
def test_channels_are_their_definition(drawn):
    g, x, w, b, ε = drawn
    μ, V = reference.channel_moments(x)
    tolerance = rounding(drawn, 0)
    assert_moments(channel_moments(x), (μ, V), x)
    np.testing.assert_allclose(normalised_channels(x, μ, V, w, b, ε), reference.normalised_channels(x, μ, V, w, b, ε),
                               rtol=0, atol=tolerance)
    for ours, theirs in zip(channels_by_weight(g, x, μ, V, ε), reference.channels_by_weight(g, x, μ, V, ε)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=len(x) * tolerance)
    np.testing.assert_allclose(channels_by_input(g, x, μ, V, w, ε), reference.channels_by_input(g, x, μ, V, w, ε),
                               rtol=0, atol=tolerance * (1 + deviations(drawn, 0)))


@given(batches())
def test_rows_are_their_definition(drawn):
    g, x, w, b, ε = drawn
    tolerance = rounding(drawn, 1)
    assert_moments(row_moments(x), reference.row_moments(x), x)
    np.testing.assert_allclose(normalised_rows(x, w, b, ε), reference.normalised_rows(x, w, b, ε), rtol=0,
                               atol=tolerance)
    for ours, theirs in zip(rows_by_weight(g, x, ε), reference.rows_by_weight(g, x, ε)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=len(x) * tolerance)
    np.testing.assert_allclose(rows_by_input(g, x, w, ε), reference.rows_by_input(g, x, w, ε), rtol=0,
                               atol=tolerance * (1 + deviations(drawn, 1)))


@given(batches(), st.integers(1, 3), st.sampled_from([np.float64, np.float32]), st.booleans())
def test_compiled_channels_are_the_equations(drawn, rows, dtype, sequences):
    """In chunks of one, two or three rows; as (N, C) or as (N, C, L)."""
    w, b, ε = drawn.w, drawn.b, drawn.eps
    g, x = (array.astype(dtype) for array in (drawn.g, drawn.x))
    drawn = drawn._replace(x=x.astype(float))
    if sequences:                                        # N L numbers a channel
        g3, x3 = (np.ascontiguousarray(np.stack([array, array[::-1]], 2)) for array in (g, x))
        g, x = (np.concatenate([array, array[::-1]]) for array in (g, x))
    else:
        g3, x3 = g, x
    tolerance = 2 * rounding(drawn, 0) + np.finfo(dtype).eps * (abs(w).max() * len(x) ** 0.5 + abs(b).max())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalisation, "CHUNK", 1)
        patch.setattr(normalisation, "LEAST", rows)
        mean, V = moments_of_channels(x3)
        μ, variance = channel_moments(x)
        size = abs(x).max().astype(float)
        np.testing.assert_allclose(mean, μ, rtol=0, atol=x.size * EPS * size)
        np.testing.assert_allclose(V, variance, rtol=40 * x.size * EPS, atol=x.size * EPS ** 2 * size ** 2)
        layer, quotient = BatchNorm1d(len(w), ε, dtype=np.dtype(dtype).name), inverse(variance, ε)
        layer.weight.data, layer.bias.data = w.astype(dtype), b.astype(dtype)
        given = Tensor(x3, requires_grad=True)
        y = CHANNELS(given, layer.weight, layer.bias, mean=μ, quotient=quotient, of_batch=True)
        y.backward(g3)
        layer.train(False)
        alone = Tensor(x3, requires_grad=True)
        CHANNELS(alone, mean=μ, quotient=quotient, of_batch=False).backward(g3)

    def stacked(array):
        return np.concatenate([array[:, :, 0], array[:, :, 1]]) if sequences else array
    np.testing.assert_allclose(stacked(y.data), normalised_channels(x, μ, variance, w, b, ε), rtol=0, atol=tolerance)
    for ours, equation in zip((layer.weight.grad, layer.bias.grad), channels_by_weight(g, x, μ, variance, ε)):
        np.testing.assert_allclose(ours.data, equation, rtol=2 * np.finfo(dtype).eps, atol=2 * len(x) * tolerance)
    atol = tolerance * (1 + float(quotient.max())) * 4
    np.testing.assert_allclose(stacked(given.grad.data), channels_by_input(g, x, μ, variance, w, ε), rtol=0, atol=atol)
    np.testing.assert_allclose(stacked(alone.grad.data), g * quotient, rtol=2 * np.finfo(dtype).eps)


@given(batches(), st.integers(1, 3), st.sampled_from([np.float64, np.float32]), st.sampled_from(["w, b", "w", ""]))
def test_compiled_rows_are_the_equations(drawn, rows, dtype, weights):
    w, b, ε = (drawn.w if weights else np.ones(len(drawn.w)), drawn.b if "b" in weights else np.zeros(len(drawn.w)),
               drawn.eps)
    g, x = (array.astype(dtype) for array in (drawn.g, drawn.x))
    drawn = drawn._replace(x=x.astype(float))
    tolerance = 2 * rounding(drawn, 1) + np.finfo(dtype).eps * (abs(w).max() * x.shape[1] ** 0.5 + abs(b).max())
    given = Tensor(x, requires_grad=True)
    leaves = [Tensor(array.astype(dtype), requires_grad=True) for array in (w, b)][:len(weights.split(", ")) if weights
                                                                                   else 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalisation, "CHUNK", 1)
        patch.setattr(normalisation, "LEAST", rows)
        y = ROWS(given, *leaves, size=x.shape[1], ε=ε)
        y.backward(g)
    np.testing.assert_allclose(y.data, normalised_rows(x, w, b, ε), rtol=0, atol=tolerance)
    for ours, equation in zip(leaves, rows_by_weight(g, x, ε)):
        np.testing.assert_allclose(ours.grad.data, equation, rtol=2 * np.finfo(dtype).eps,
                                   atol=len(x) * tolerance)
    atol = tolerance * (1 + deviations(drawn, 1)) * 4
    np.testing.assert_allclose(given.grad.data, rows_by_input(g, x, w, ε), rtol=0, atol=atol)


@given(st.floats(0, 1), st.integers(1, 4))
def test_running_means_are_their_definition(α, C):
    r, m = np.arange(1.0, C + 1), np.arange(C, 0.0, -1) ** 2
    np.testing.assert_allclose(moved_towards(r, m, α), reference.moved_towards(r, m, α), rtol=8 * EPS)


# --- equal to elementary operations

def composed(x, w, b, dims, ε):
    deviation = x - x.mean(dims, True)
    y = deviation / ((deviation ** 2).mean(dims, True) + ε).sqrt()
    return y if w is None else y * w + b


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (2, 3, 1), (1, 3, 4)])
def test_batch_norm_equals_elementary_operations(affine, shape):
    layer, x = BatchNorm1d(3, eps=1e-3, affine=affine, dtype="float64"), leaf(*shape)
    if affine:
        layer.weight, layer.bias = leaf(3, seed=1), leaf(3, seed=2)

    def by_channel(p):
        return p.reshape(3, *[1] * (len(shape) - 2)) if affine or type(p) is np.ndarray else p
    w, b = by_channel(layer.weight), by_channel(layer.bias)
    expected = composed(x, w, b, (0, *range(2, len(shape))), 1e-3)
    assert_same_gradients(layer(x), expected, [x, *layer.parameters()], 1e-11)
    layer.eval()
    layer.running_mean, layer.running_var = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 4.0])
    expected = (x - by_channel(layer.running_mean)) / np.sqrt(by_channel(layer.running_var) + 1e-3)
    if affine:
        expected = expected * by_channel(layer.weight) + by_channel(layer.bias)
    assert_same_gradients(layer(x), expected, [x, *layer.parameters()], 1e-11)


@pytest.mark.parametrize("affine, bias", [(True, True), (True, False), (False, False)])
@pytest.mark.parametrize("size, shape", [(3, (5, 3)), ((2, 3), (4, 2, 3)), (4, (2, 3, 4)), ([3], (3,)), (2, (0, 2))])
def test_layer_norm_equals_elementary_operations(affine, bias, size, shape):
    layer, x = LayerNorm(size, 1e-3, affine, bias, dtype="float64"), leaf(*shape)
    if affine:
        layer.weight = leaf(*layer.normalized_shape, seed=1)
    if bias:
        layer.bias = leaf(*layer.normalized_shape, seed=2)
    dims = tuple(range(len(shape) - len(layer.normalized_shape), len(shape)))
    expected = composed(x, layer.weight, layer.bias if bias else 0.0, dims, 1e-3)
    assert len(list(layer.parameters())) == affine + bias
    assert_same_gradients(layer(x), expected, [x, *layer.parameters()], 1e-11)


@pytest.mark.parametrize("layer, shape", [(lambda: BatchNorm1d(3, dtype="float64"), (4, 3)),
                                          (lambda: BatchNorm1d(2, dtype="float64"), (2, 2, 3)),
                                          (lambda: BatchNorm1d(3, dtype="float64").eval(), (2, 3)),
                                          (lambda: LayerNorm(4, dtype="float64"), (2, 4)),
                                          (lambda: LayerNorm((2, 3), dtype="float64"), (2, 2, 3))])
def test_gradients(layer, shape):
    layer = layer()

    def applied(x, w, b):
        layer.weight, layer.bias = w, b
        return layer(x)
    size = layer.weight.shape
    assert gradcheck(applied, (leaf(*shape), leaf(*size, seed=1), leaf(*size, seed=2)))


# --- laws

@given(batches(), st.floats(0.1, 10), st.floats(-10, 10))
def test_scale_and_shift_of_the_input_do_not_matter(drawn, scale, shift):
    x = np.random.default_rng(0).normal(size=drawn.x.shape)
    for layer in (BatchNorm1d(x.shape[1], eps=1e-20, dtype="float64"), LayerNorm(x.shape[1], 1e-20, dtype="float64")):
        y = layer(x).data
        np.testing.assert_allclose(layer(scale * x + shift).data, y, rtol=0, atol=1e-9)
        axis = 0 if isinstance(layer, BatchNorm1d) else 1
        np.testing.assert_allclose(y.mean(axis), 0, atol=1e-9)
        np.testing.assert_allclose(np.var(y, axis), 1, rtol=1e-9)


def test_layer_norm_of_a_batch_is_that_of_its_members(monkeypatch):
    layer, x = LayerNorm(5), leaf(7, 5, dtype=np.float32)
    whole = layer(x)
    assert all((layer(x.data[n]).data == whole.data[n]).all() for n in range(7))
    whole.backward(x.data ** 2)
    before = [x.grad.data, layer.weight.grad.data]
    x.grad = layer.weight.grad = None
    monkeypatch.setattr(normalisation, "CHUNK", 1)
    monkeypatch.setattr(normalisation, "LEAST", 2)       # two rows a chunk: the sums are added in another order
    again = layer(x)
    again.backward(x.data ** 2)
    assert (again.data == whole.data).all() and (x.grad.data == before[0]).all()
    np.testing.assert_allclose(layer.weight.grad.data, before[1], rtol=1e-6)


@pytest.mark.parametrize("layer, shape", [(LayerNorm(5, dtype="float64"), (7, 5)),
                                          (BatchNorm1d(5, dtype="float64"), (7, 5)),
                                          (BatchNorm1d(5, dtype="float64"), (7, 5, 3))])
def test_the_number_of_threads_does_not_matter(monkeypatch, layer, shape):
    monkeypatch.setattr(normalisation, "CHUNK", 1)
    monkeypatch.setattr(normalisation, "LEAST", 2)
    x, found = leaf(*shape), []
    for threads in ("1", "2"):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        x.grad = layer.weight.grad = None
        y = layer(x)
        y.backward(x.data ** 2)
        found.append([array.tobytes() for array in (y.data, x.grad.data, layer.weight.grad.data)])
    assert found[0] == found[1]


def test_running_moments_are_those_of_all_batches():
    layer, rng = BatchNorm1d(3, momentum=None, dtype="float64"), np.random.default_rng(0)
    batches = [rng.normal(size=(4, 3)) * 2 + 1 for _ in range(5)]
    for batch in batches:
        layer(batch)
    np.testing.assert_allclose(layer.running_mean, np.mean([b.mean(0) for b in batches], 0), rtol=1e-13)
    np.testing.assert_allclose(layer.running_var, np.mean([b.var(0, ddof=1) for b in batches], 0), rtol=1e-13)
    assert layer.num_batches_tracked == 5
    before = copy.deepcopy(layer.state_dict())
    layer.eval()(batches[0])
    copied = copy.deepcopy(layer).train()
    copied(batches[1])
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert copied.num_batches_tracked == 6


def test_without_running_moments_a_batch_normalises_itself():
    layer = BatchNorm1d(2, track_running_stats=False, dtype="float64").eval()
    assert set(layer.state_dict()) == {"weight", "bias"}
    np.testing.assert_allclose(layer([[1.0, 5.0], [3.0, 5.0]]).data, [[-1, 0], [1, 0]], atol=1e-5)


def test_float32_far_from_zero_keeps_its_digits():
    x = (np.random.default_rng(0).normal(size=(50, 2)) + 1e4).astype(np.float32)
    exact = (x - x.mean(0, dtype=np.float64)) / x.std(0, dtype=np.float64)
    for y in (BatchNorm1d(2, 1e-12)(x).data, LayerNorm(50, 1e-12)(np.ascontiguousarray(x.T)).data.T):
        np.testing.assert_allclose(y, exact, rtol=0, atol=1e-6)
        assert y.dtype == np.float32


def far(kind):
    """(N, D) float32 whose numbers, squares or spacing leave the middle of float32."""
    x = np.random.default_rng(0).normal(size=(7, 5))
    return {"large": x * 1e30, "small": x * 1e-30, "largest": np.sign(x) * 3e38, "offset": x + 1e6,
            "an outlier in front": x * [1, 1, 1, 1, 1] + (np.arange(7)[:, None] + np.arange(5) == 0) * 1e6,
            "subnormal": x * 1e-40}[kind].astype(np.float32)


@pytest.mark.parametrize("kind", ["large", "small", "largest", "offset", "an outlier in front", "subnormal"])
@pytest.mark.parametrize("eps", [1e-5, 1e-120])
def test_far_from_the_middle_of_float32(kind, eps):
    x, g = far(kind), np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    exact, ones, ε = x.astype(float), np.ones(5), eps
    μ, V = reference.channel_moments(exact)
    for layer, y, d in (
            (BatchNorm1d(5, eps, track_running_stats=False),
             reference.normalised_channels(exact, μ, V, ones, 0 * ones, ε),
             reference.channels_by_input(g, exact, μ, V, ones, ε)),
            (LayerNorm(5, eps), reference.normalised_rows(exact, ones, 0 * ones, ε),
             reference.rows_by_input(g, exact, ones, ε))):
        given = Tensor(x, requires_grad=True)
        result = layer(given)
        np.testing.assert_allclose(result.data, y, rtol=1e-6, atol=1e-7)
        if abs(d).max() < 3e38:
            result.backward(g)
            np.testing.assert_allclose(given.grad.data, d, rtol=1e-5, atol=1e-6 * abs(d).max())


@pytest.mark.parametrize("layer", [BatchNorm1d(5), LayerNorm(5)])
def test_layout_and_permission_do_not_matter(layer):
    x = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    expected = layer(x).data
    only_read = x.copy()
    only_read.flags.writeable = False
    wide = np.zeros((12, 10), np.float32)
    wide[::2, ::2] = x
    for same in (only_read, np.asfortranarray(x), wide[::2, ::2], x[::-1].copy()[::-1]):
        given = Tensor(same, requires_grad=True)
        y = layer(given)
        assert (y.data == expected).all()
        y.backward(np.asfortranarray(x))
        reference_grad = Tensor(x, requires_grad=True)
        layer(reference_grad).backward(x)
        assert (given.grad.data == reference_grad.grad.data).all()


def test_one_row_and_one_column():
    x = Tensor(np.array([[3.0], [5.0]], np.float32), requires_grad=True)
    LayerNorm(1)(x).backward(np.ones((2, 1), np.float32))
    assert not x.grad.data.any()                         # of one number nothing is left
    assert LayerNorm(1)(x).data.tolist() == [[0.0], [0.0]]
    np.testing.assert_allclose(LayerNorm(2)([[1.0, 3.0]]).data, [[-1, 1]], rtol=1e-5)
    np.testing.assert_allclose(BatchNorm1d(1)(x).data, [[-1], [1]], rtol=1e-5)


def test_constant_channels_are_zero():
    for layer in (BatchNorm1d(3), LayerNorm(3)):
        x = Tensor(np.full((3, 3), 7, np.float32), requires_grad=True)
        y = layer(x)
        assert not y.data.any()
        y.sum().backward()
        assert np.isfinite(x.grad.data).all()


def test_what_is_kept():
    x = leaf(4, 3) * 2.0
    for layer, most in ((BatchNorm1d(3, dtype="float64"), 3), (LayerNorm(3, dtype="float64"), 8)):
        saved, _ = layer(x)._node.saved
        arrays = [part for part in saved if isinstance(part, np.ndarray)]
        assert arrays[0] is x._data and all(array.size <= most for array in arrays[1:])
    with no_grad():
        assert layer(x)._node is None


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 4), (2, 3, 0)])
def test_nothing_to_normalise(shape, affine):
    layer, x = BatchNorm1d(3, affine=affine, dtype="float64").eval(), leaf(*shape)
    y = layer(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == shape and not any(p.grad.data.any() for p in layer.parameters())


# --- bad arguments

@pytest.mark.parametrize("call, message", [
    (lambda: BatchNorm1d(0), "num_features=0"), (lambda: BatchNorm1d(2, eps=0), "eps=0: expected a number, greater"),
    (lambda: BatchNorm1d(2, momentum=-1), "momentum=-1"), (lambda: BatchNorm1d(2, dtype="int8"), "dtype='int8'"),
    (lambda: BatchNorm1d(2)(np.ones((4, 3))), r"BatchNorm1d\(2\) expected shape \(N, 2\) or \(N, 2, L\), got \(4, 3\)"),
    (lambda: BatchNorm1d(2)(np.ones(2)), r"got \(2,\)"),
    (lambda: BatchNorm1d(2)(np.ones((1, 2, 1, 1))), "expected shape"),
    (lambda: BatchNorm1d(2)(np.ones((1, 2))), r"expected at least 2 numbers a channel in training, got shape \(1, 2\)"),
    (lambda: BatchNorm1d(2)(np.ones((0, 2))), "at least 2 numbers"), (lambda: LayerNorm(()), r"normalized_shape=\(\)"),
    (lambda: LayerNorm((2, 0)), "normalized_shape=0"), (lambda: LayerNorm(2, -1.0), "eps=-1.0"),
    (lambda: LayerNorm((2, 3))(np.ones((4, 3, 2))), r"LayerNorm expected shape \(..., 2, 3\), got \(4, 3, 2\)"),
    (lambda: LayerNorm(2)(Tensor(np.ones((3, 2)))), "computes in float32, got a Tensor of float64"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_variance_that_does_not_fit_is_refused_and_not_remembered():
    layer, before = BatchNorm1d(2), BatchNorm1d(2).state_dict()
    with pytest.raises(ValueError, match=r"variance of a channel is 2e\+60, more than running_var holds in float32"):
        layer(np.array([[1e30, 1], [-1e30, 2]], np.float32))
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_one_number_a_channel_is_enough_in_use():
    assert BatchNorm1d(2).eval()(np.ones((1, 2))).shape == (1, 2)


def test_over_the_root_mean_square():
    x, w = np.random.default_rng(0).normal(size=(4, 2, 3)), np.array([[1.0, -2.0, 0.5], [3.0, 1.5, -1.0]])
    layer = RMSNorm((2, 3), eps=0.01, dtype="float64")
    layer.load_state_dict({"weight": w})
    expected = [w * row / np.sqrt(sum(v * v for v in row.ravel()) / 6 + 0.01) for row in x]
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-14)
    np.testing.assert_allclose(functional.rms_norm(x, (2, 3), w, 0.01).data, expected, rtol=1e-14)
    bare = RMSNorm(3, elementwise_affine=False, dtype="float64")
    assert bare.weight is None and not bare.state_dict()
    np.testing.assert_allclose((bare(x).data ** 2).mean(-1), 1, rtol=1e-14)
    assert gradcheck(lambda x: (layer(x) ** 3).sum(), (Tensor(x, requires_grad=True),))


@pytest.mark.parametrize("scale, expected", [(1e30, 1.0), (1e-30, 1e-30 / np.finfo(np.float32).eps ** 0.5), (0.0, 0.0)])
def test_a_root_mean_square_of_any_scale(scale, expected):
    y = RMSNorm(4)(np.full((2, 4), scale, np.float32)).data
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_root_mean_squares_of_other_shapes():
    for call, message in [(lambda: RMSNorm(()), r"normalized_shape=\(\)"), (lambda: RMSNorm(0), "normalized_shape=0"),
                          (lambda: RMSNorm(2, eps=0.0), "eps=0.0"),
                          (lambda: RMSNorm(2)(np.ones((2, 3))), r"RMSNorm expected shape \(..., 2\), got \(2, 3\)"),
                          (lambda: functional.rms_norm(np.ones((2, 3)), 3, np.ones(2)), r"got \(2, 3\) and \(2,\)"),
                          (lambda: functional.rms_norm(np.ones((2, 3)), ()), "rms_norm: expected input")]:
        with pytest.raises(ValueError, match=message):
            call()
