"""Initialisation against its definition, the variances that it promises, and bad arguments."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor
from scratchml.nn import initialisation as init
from scratchml.nn.initialisation import (fans, kaiming_bound, kaiming_deviation, leaky_gain, orthogonal_columns,
                                         xavier_bound, xavier_deviation)
from tests.reference import initialisation as reference
from tests.strategies.initialisation import counts, gains, seeds, shapes, slopes, tall

EPS = np.finfo(float).eps
DRAWS = [init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_, init.orthogonal_]


def zeros(*shape, dtype=np.float64):
    return Tensor(np.zeros(shape, dtype), requires_grad=True)


# --- equal to the definition

@given(shapes)
def test_fans_are_counted(shape):
    assert fans(shape) == reference.fans(shape)


@given(counts, counts, slopes, gains)
def test_bounds_and_deviations(n, m, s, γ):
    for ours, theirs in [(leaky_gain(s), reference.leaky_gain(s)),
                         (xavier_bound(n, m, γ), reference.xavier_bound(n, m, γ)),
                         (xavier_deviation(n, m, γ), reference.xavier_deviation(n, m, γ)),
                         (kaiming_bound(n, γ), reference.kaiming_bound(n, γ)),
                         (kaiming_deviation(n, γ), reference.kaiming_deviation(n, γ))]:
        np.testing.assert_allclose(ours, theirs, rtol=10 * EPS)


@given(tall())
def test_orthogonal_columns_are_those_of_gram_and_schmidt(G):
    W = orthogonal_columns(G)
    condition = np.linalg.cond(G)
    np.testing.assert_allclose(W, reference.orthogonal_columns(G), atol=20 * G.size * EPS * condition)
    np.testing.assert_allclose(W.T @ W, np.eye(G.shape[1]), atol=20 * G.size * EPS)


# --- what is drawn

@pytest.mark.parametrize("draw", DRAWS)
def test_variance_is_as_stated(draw):
    """Of 40,000 numbers the sample variance is within 5 % by more than four of its deviations."""
    n, m, r = 50, 400, 2
    weight = draw(zeros(m, n, r), random_state=0).data
    variance = {"xavier": 2 / (r * (n + m)), "kaiming": 2 / (r * n), "orthogonal": 1 / m}[draw.__name__.split("_")[0]]
    assert abs(weight.mean()) < 5 * np.sqrt(variance / weight.size)
    np.testing.assert_allclose(weight.var(), variance, rtol=0.05)
    if "uniform" in draw.__name__:
        assert 0.99 * np.sqrt(3 * variance) < abs(weight).max() <= np.sqrt(3 * variance)


def test_a_deep_network_of_relu_keeps_its_mean_square():
    rng, x = np.random.default_rng(0), np.random.default_rng(1).normal(size=(100, 200))
    for _ in range(20):
        x = np.maximum(x @ init.kaiming_normal_(zeros(200, 200), nonlinearity="relu", random_state=rng).data.T, 0)
    assert 0.2 < (x * x).mean() < 5                      # a variance of 1/n instead of 2/n would leave 1e-6


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (4, 2, 3), (2, 9)])
def test_orthogonal_weights_keep_lengths(shape):
    W = init.orthogonal_(zeros(*shape), gain=2.0, random_state=0).data.reshape(shape[0], -1)
    gram = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-13)


def test_fan_out_is_the_other_one():
    for draw in (init.kaiming_uniform_, init.kaiming_normal_):
        forwards, backwards = (draw(zeros(8, 2), mode=mode, random_state=3).data for mode in ("fan_in", "fan_out"))
        np.testing.assert_allclose(forwards, 2 * backwards, rtol=10 * EPS)


@given(seeds)
def test_a_seed_gives_the_same_in_float32(seed):
    for draw in [*DRAWS, init.uniform_, init.normal_]:
        tensor = zeros(3, 4, dtype=np.float32)
        assert draw(tensor, random_state=seed) is tensor and tensor.requires_grad
        wide = draw(zeros(3, 4), random_state=seed).data
        assert tensor.dtype == np.float32 and (tensor.data == wide.astype(np.float32)).all()


def test_a_shared_generator_goes_on():
    rng = np.random.default_rng(0)
    assert (init.normal_(zeros(3), random_state=rng).data != init.normal_(zeros(3), random_state=rng).data).all()


def test_gains():
    assert init.calculate_gain("tanh") == 5 / 3 and init.calculate_gain("linear") == 1
    assert init.calculate_gain("relu") == init.calculate_gain("leaky_relu", 0.0) == leaky_gain(0.0)


def test_constants():
    for draw, value in ((init.zeros_, 0), (init.ones_, 1), (lambda t: init.constant_(t, -2.5), -2.5)):
        for tensor in (zeros(2, 3, dtype=np.float32), np.full((2, 3), 7.0)):
            assert draw(tensor) is tensor
            array = tensor if isinstance(tensor, np.ndarray) else tensor.data
            assert (array == value).all() and array.shape == (2, 3)


def test_arrays_are_written_to_in_place():
    weight = zeros(3, 4)
    array = weight.detach().numpy()
    assert init.xavier_uniform_(array, random_state=0) is array and weight.detach().numpy() is array and array.any()


@given(seeds)
def test_a_truncated_normal_stays_within_its_bounds(seed):
    drawn = init.trunc_normal_(zeros(50, 40), 1.0, 2.0, 0.0, 3.0, random_state=seed).data
    assert 0 <= drawn.min() and drawn.max() <= 3
    # Its mean is 1 + 2 (φ(-½) - φ(1)) / (Φ(1) - Φ(-½)) = 1.4137, its deviation 0.83.
    assert abs(drawn.mean() - 1.4137) < 5 * 0.83 / 2000 ** 0.5


# --- bad arguments

@pytest.mark.parametrize("call, message", [
    (lambda: init.xavier_uniform_(zeros(3)), r"expected a weight of shape \(m, n, ...\).*got shape \(3,\)"),
    (lambda: init.kaiming_normal_(zeros(3, 0)), r"got shape \(3, 0\)"), (lambda: init.orthogonal_(zeros()), "shape"),
    (lambda: init.kaiming_uniform_(zeros(2, 2), mode="in"), "mode='in': expected one of 'fan_in', 'fan_out'"),
    (lambda: init.calculate_gain("swish"), "nonlinearity='swish': expected one of 'linear'"),
    (lambda: init.kaiming_uniform_(zeros(2, 2), a=np.nan), "param=nan"),
    (lambda: init.uniform_(zeros(2), 1.0, 0.0), "expected a <= b"), (lambda: init.normal_(zeros(2), std=-1), "std=-1"),
    (lambda: init.trunc_normal_(zeros(2), a=2, b=1), "a=2, b=1: expected a < b"),
    (lambda: init.trunc_normal_(zeros(2), a=5, b=np.inf), "a thousandth of the normal distribution.*got 2.9e-07"),
    (lambda: init.trunc_normal_(zeros(2), std=0), "std=0"), (lambda: init.constant_(zeros(2), np.nan), "val=nan"),
    (lambda: init.uniform_(zeros(2), 0, np.inf), "b=inf"),
    (lambda: init.normal_(zeros(2), random_state="a"), "random_state='a'"),
    (lambda: init.xavier_normal_(zeros(2, 2), gain=None), "gain=None"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
