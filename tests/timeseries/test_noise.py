"""Noise on the inputs is a price on squared weights: exactly, in expectation, and for networks to the order of σ⁴."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, no_grad
from scratchml.nn import BatchNorm1d, Dropout, Linear, Module, ReLU, Sequential
from scratchml.timeseries import Ridge, noise_by_copies
from scratchml.timeseries.noise import noisy_least_squares, slopes, tikhonov
from tests.reference import noise as reference
from tests.strategies.distances import seeds
from tests.strategies.noise import as_function, curved, tables

EPS = np.finfo(float).eps


# --- weighted sums

@given(tables(most_rows=2, most_columns=3), seeds)
def test_noise_costs_the_squares_of_the_weights(drawn, seed):
    X, y, σ = drawn
    w = np.random.default_rng(seed).normal(size=X.shape[1])
    expected = reference.noisy_least_squares(X.tolist(), w.tolist(), y.tolist(), σ)
    assert noisy_least_squares(X, w, y, σ) == pytest.approx(expected, rel=1e-11)


@given(tables())
def test_copies(drawn):
    X, y, σ = drawn
    for found, expected in zip(noise_by_copies(X, y, σ), reference.noise_by_copies(X.tolist(), y.tolist(), σ)):
        np.testing.assert_allclose(found, expected, rtol=4 * EPS, atol=4 * EPS * σ)


@given(tables(), seeds)
def test_the_mean_over_the_copies_is_that_over_noise(drawn, seed):
    (X, y, σ), (N, D) = drawn, drawn[0].shape
    w = np.random.default_rng(seed).normal(size=D)
    Z, t = noise_by_copies(X, y, σ)
    assert np.square(Z @ w - t).sum() / (2 * D) == pytest.approx(noisy_least_squares(X, w, y, σ), rel=1e-11)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("N, D, σ", [(200, 8, 0.7), (5, 8, 0.3), (40, 1, 2.0)])
def test_least_squares_on_copies_is_ridge_regression(N, D, σ, fit_intercept):
    rng = np.random.default_rng(N)
    X = rng.normal(size=(N, D)) * np.linspace(0.5, 3, D)
    y = X @ rng.normal(size=D) + rng.normal(size=N) + 4
    plain, ridge = Ridge(0, fit_intercept).fit(*noise_by_copies(X, y, σ)), Ridge(N * σ**2, fit_intercept).fit(X, y)
    np.testing.assert_allclose(plain.coef_, ridge.coef_, rtol=0, atol=1e-12 * np.abs(ridge.coef_).max())
    assert plain.intercept_ == pytest.approx(ridge.intercept_, rel=1e-12, abs=1e-13)


def test_copies_with_noise_come_to_ridge_as_the_root_of_their_number():
    rng = np.random.default_rng(0)
    X, σ = rng.normal(size=(200, 8)), 0.7
    y = X @ rng.normal(size=8) + rng.normal(size=200)
    ridge = Ridge(200 * σ**2).fit(X, y).coef_
    off = []
    for M in (1, 16, 256):
        tried = [Ridge(0).fit(np.tile(X, (M, 1)) + σ * rng.normal(size=(200 * M, 8)), np.tile(y, M)).coef_ - ridge
                 for _ in range(8)]
        off.append(np.sqrt(np.mean(np.square(tried))))
    np.testing.assert_allclose(off[0] / off[1:], [4, 16], rtol=0.4)


def test_float32_stays_and_lists_are_read():
    X, y = np.ones((3, 2), np.float32), [1, 2, 3]
    assert noise_by_copies(X, y, 0.5)[0].dtype == np.float32
    expected = noise_by_copies(np.array([[1.0, 2]]), [3.0], 1.0)[0]
    np.testing.assert_array_equal(noise_by_copies([[1, 2]], [3], 1)[0], expected)


@pytest.mark.parametrize("X, y, σ, message", [
    ([1.0, 2], [1.0, 2], 1.0, "X: Expected 2D array"), ([[1.0, np.nan]], [1.0], 1.0, "X: Input contains NaN"),
    ([[1.0]], [1.0, 2], 1.0, "y: expected an array of shape"), ([[1.0]], [1.0], -1.0, "σ=-1.0: expected a number"),
    ([[1.7e308]], [1.0], 1e308, "X, σ: the copies"), ([[1.0]], [1.0], True, "σ=True"),
])
def test_bad_input_is_named(X, y, σ, message):
    with pytest.raises(ValueError, match=message):
        noise_by_copies(X, y, σ)


# --- networks

@given(st.integers(1, 3), seeds)
def test_slopes(D, seed):
    X = np.random.default_rng(seed).normal(size=(3, D))
    net = curved(D, seed % 100)
    for found, expected, atol in zip(slopes(net, X), reference.slopes(as_function(net), X), (0, 1e-10, 1e-7)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


@given(st.integers(1, 2), seeds)
def test_tikhonov_leaves_the_fourth_power(D, seed):
    rng = np.random.default_rng(seed)
    X, y, net = rng.normal(size=(4, D)), rng.normal(size=4), curved(D, seed % 100)
    f, G, Δ = slopes(net, X)
    off = [tikhonov(f, y, G, Δ, σ) - reference.tikhonov(as_function(net), X, y, σ) for σ in (0.05, 0.1)]
    np.testing.assert_allclose(off[1], 16 * off[0], rtol=0, atol=1e-4)    # of the sixth power, 48/64 is left


def test_for_a_weighted_sum_the_expansion_is_ridge_regression():
    rng = np.random.default_rng(0)
    net = Linear(3, 1, dtype="float64", random_state=0).eval()
    w, b = net.weight.data[0], net.bias.data[0]
    X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    f, G, Δ = slopes(net, X)
    np.testing.assert_array_equal(Δ, 0)
    assert tikhonov(f, y, G, Δ, 0.7).sum() == pytest.approx(noisy_least_squares(X, w, y - b, 0.7), rel=1e-12)


def test_of_relus_there_are_slopes_and_no_curvature():
    net = Sequential(Linear(2, 4, random_state=0), ReLU(), Linear(4, 1, random_state=1)).eval()
    f, G, Δ = slopes(net, [[0.3, -2.0], [1.0, 1.0]])
    assert f.dtype == G.dtype == np.float32 and G.any() and not Δ.any()


def test_an_answer_that_does_not_depend_on_the_inputs_has_no_slope():
    class Constant(Module):
        def forward(self, x):
            return Tensor(np.full(len(x), 3.0))
    f, G, Δ = slopes(Constant().eval(), np.ones((4, 2)))
    assert f.tolist() == [3.0] * 4 and G.shape == (4, 2) and not G.any() and not Δ.any()


def test_slopes_are_found_also_where_nothing_else_is_recorded():
    net = curved(2)
    with no_grad():
        found = slopes(net, np.ones((3, 2)))
    for one, other in zip(found, slopes(net, np.ones((3, 2)))):
        np.testing.assert_array_equal(one, other)
    assert all(p.grad is None for p in net.parameters())


def test_inputs_beyond_the_weights_type_are_named():
    with pytest.raises(ValueError, match="X: .*infinity"):
        slopes(Linear(2, 1).eval(), [[1.0, 1e300]])


@pytest.mark.parametrize("net, message", [
    (Linear(2, 1), "net: expected a Module outside of training, got Linear in training; call net.eval"),
    (lambda x: x, "net: expected a Module outside of training, got function"),
    (Linear(2, 3).eval(), r"net: expected a number for each of 4 samples, got shape \(4, 3\)"),
])
def test_a_network_that_will_not_do_is_named(net, message):
    with pytest.raises(ValueError, match=message):
        slopes(net, np.ones((4, 2)))


def test_normalisation_and_dropout_outside_of_training_leave_samples_alone():
    net = Sequential(Linear(2, 3, random_state=0), BatchNorm1d(3), Dropout(0.5), Linear(3, 1, random_state=1)).eval()
    X = np.random.default_rng(0).normal(size=(5, 2))
    alone = [slopes(net, X[n:n + 1])[1][0] for n in range(5)]
    np.testing.assert_allclose(slopes(net, X)[1], alone, rtol=1e-6)
