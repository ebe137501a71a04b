"""Autoencoders: each equation against its definition, and what a linear one must find."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.autograd import Tensor, gradcheck
from scratchml.reduction import PCA
from scratchml.reduction.autoencoder import (
    decode, encode, linear_minimum, linear_singular_values, masked, principal_directions, reconstruction_loss,
    reconstruction_slope, sparsity, tied_decode, weight_penalty, with_noise)
from tests.reference import autoencoder as reference
from tests.strategies.autoencoder import curve, linear, logistic, networks, small, spread
from tests.strategies.distances import seeds

few = settings(max_examples=10)


def variances(X):
    return PCA().fit(X).explained_variance_ * (len(X) - 1) / len(X)


def angle(U, V):
    """The sine of the largest angle between the planes that the rows of U and V span."""
    Q, R = np.linalg.qr(U.T)[0], np.linalg.qr(V.T)[0]
    return np.linalg.norm(Q - R @ (R.T @ Q), 2)


# --- equal to the definition

@given(networks())
def test_encoding_and_decoding_are_the_definition(drawn):
    X, e, d, k, rng = drawn
    Z = encode(X, e, curve).data
    np.testing.assert_allclose(Z, reference.encode(X, e, logistic), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(decode(Z, d, curve, curve).data, reference.decode(Z, d, logistic, logistic), rtol=1e-9,
                               atol=1e-12)
    tied = [(Tensor(W), Tensor(b)) for W, b in e]
    np.testing.assert_allclose(tied_decode(Z, tied, k, curve, curve).data,
                               reference.tied_decode(Z, e, k, logistic, logistic), rtol=1e-9, atol=1e-12)


@given(networks())
def test_losses_are_the_definition(drawn):
    X, e, d, _, rng = drawn
    Y, m, ε = rng.normal(size=X.shape), rng.integers(2, size=X.shape), rng.normal(size=X.shape)
    np.testing.assert_allclose(reconstruction_loss(X, Y).item(), reference.reconstruction_loss(X, Y))
    np.testing.assert_allclose(reconstruction_slope(X, Y), reference.reconstruction_slope(X, Y), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(masked(X, m), reference.masked(X, m))
    np.testing.assert_allclose(with_noise(X, ε, 0.3), reference.with_noise(X, ε, 0.3))
    np.testing.assert_allclose(sparsity(3 * Y, 0.1, 2.0).item(), reference.sparsity(3 * Y, 0.1, 2.0), rtol=1e-9)
    np.testing.assert_allclose(weight_penalty(e, d, 0.3).item(), reference.weight_penalty(e, d, 0.3))


@given(seeds, st.integers(1, 4), st.sampled_from([0.0, 0.05, 0.5, 2.0]))
@few
def test_the_linear_minimum_is_the_definition(seed, F, λ):
    c = np.sort(np.random.default_rng(seed).random(5))[::-1]
    np.testing.assert_allclose(linear_minimum(c, F, λ), reference.linear_minimum(c, F, λ), rtol=1e-7)
    np.testing.assert_allclose(linear_singular_values(c, F, λ), reference.linear_singular_values(c, F, λ), atol=1e-3)


@given(seeds)
@few
def test_principal_directions_are_the_definition(seed):
    W = np.random.default_rng(seed).normal(size=(5, 3)) * [1, 3, 0.2]
    np.testing.assert_allclose(principal_directions(W), reference.principal_directions(W), atol=1e-6)


# --- slopes

@given(networks())
@few
def test_the_slope_of_the_loss_is_that_of_finite_differences(drawn):
    X, _, _, _, rng = drawn
    Y = Tensor(rng.normal(size=X.shape), requires_grad=True)
    gradcheck(lambda y: reconstruction_loss(X, y), [Y])
    (3 * reconstruction_loss(X, Y)).backward()
    np.testing.assert_allclose(Y.grad.data, 3 * reconstruction_slope(X, Y.data), rtol=1e-12)
    gradcheck(lambda z: sparsity(z, 0.2, 1.5), [Y])


@pytest.mark.parametrize("options", [dict(), dict(tied=True), dict(sparsity=0.2), dict(output="sigmoid"),
                                     dict(weight_decay=0.1, tied=True), dict(activation="sigmoid", weight_decay=0.1)])
def test_what_lbfgs_descends_has_the_slope_that_it_says(options):
    X = logistic(spread(6, 3))
    model = small(hidden=(4,), **{"activation": "tanh", **options}).fit(X)
    objective, place = model._objective(model.module_, model._data(X, model._units), model._units)
    x = np.concatenate([p.data.ravel() for p in model.module_.parameters()])
    g = objective(x)[1]
    for k in range(len(x)):
        step = 1e-5 * (np.arange(len(x)) == k)
        np.testing.assert_allclose(g[k], (objective(x + step)[0] - objective(x - step)[0]) / 2e-5, rtol=1e-5, atol=1e-7)


def test_units_that_are_always_on_or_off_have_a_finite_price():
    Z = Tensor(np.array([[100.0, -100.0, 0.0]] * 3, np.float32), requires_grad=True)
    price = sparsity(Z, 0.05, 1.0)
    price.backward()
    assert np.isfinite(price.item()) and price.item() > 50 and np.isfinite(Z.grad.data).all() and Z.grad.data[0, 0] > 0
    assert sparsity(np.full((4, 2), np.log(0.05 / 0.95)), 0.05, 1.0).item() < 1e-12


# --- the linear autoencoder

@pytest.mark.parametrize("F", [1, 2, 3])
def test_a_linear_autoencoder_finds_the_principal_plane(F):
    X = spread(40, 5)
    model, pca = linear(F).fit(X), PCA(F).fit(X)
    least = linear_minimum(variances(X), F, 0)
    assert abs(model.loss_history_[-1] / least - 1) < 1e-6
    assert angle(model.components_, pca.components_) < 1e-4
    np.testing.assert_allclose(-model.score(X) * 5, least, rtol=1e-6)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), pca.inverse_transform(pca.transform(X)),
                               atol=1e-4)


def test_it_finds_no_more_than_the_plane_but_with_a_price_the_components():
    X, found = spread(40, 5), {}
    axes = PCA(3).fit(X).components_
    for λ in (0.0, 0.002):
        found[λ] = [np.abs((linear(3, weight_decay=λ, random_state=seed).fit(X).components_ * axes).sum(axis=1)).min()
                    for seed in range(3)]
    assert max(found[0.0]) < 0.97, "some basis of the plane"
    assert min(found[0.002]) > 1 - 1e-6


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("λ", [0.003, 0.05, 10.0])
def test_a_price_on_weights_shrinks_them_as_stated(λ, tied):
    X = spread(40, 4)
    model, c = linear(2, weight_decay=λ, tied=tied).fit(X), variances(X)
    np.testing.assert_allclose(model.loss_history_[-1], linear_minimum(c, 2, λ), rtol=1e-8)
    for layers in (model.module_.e, model.module_.d):
        singular = np.linalg.svd(layers[0][0].data, compute_uv=False)
        np.testing.assert_allclose(singular, linear_singular_values(c, 2, λ), atol=2e-4)


def test_there_is_no_bad_minimum():
    X = spread(30, 4)
    least = linear_minimum(variances(X), 2, 0)
    for seed in range(20):
        np.testing.assert_allclose(linear(2, random_state=seed, tol=1e-8).fit(X).loss_history_[-1], least, rtol=1e-5)


def test_other_components_are_a_saddle():
    """Components 1 and 3 in the place of 1 and 2: no slope, but a way down."""
    X = spread(30, 4)
    model, axes = linear(2).fit(X), PCA().fit(X).components_
    objective, place = model._objective(model.module_, model._data(X, model._units), model._units)

    def weights(second):
        return np.concatenate([np.r_[axes[:1], second].ravel(), np.zeros(2), np.r_[axes[:1], second].T.ravel(),
                               np.zeros(4)])
    value, g = objective(weights(axes[2:3]))
    c = variances(X)
    np.testing.assert_allclose(model._told(value, model._units), c[1] + c[3], rtol=1e-9)
    assert np.abs(g).max() < 1e-12
    turned = np.cos(0.1) * axes[2:3] + np.sin(0.1) * axes[1:2]
    assert objective(weights(turned))[0] < value - 1e-3 * value


def test_no_other_decoder_rebuilds_better_from_the_same_codes():
    X = spread(40, 5)
    model = linear(2).fit(X)
    Z = np.c_[model.transform(X), np.ones(40)]
    fitted = Z @ np.linalg.lstsq(Z, X, rcond=None)[0]
    np.testing.assert_allclose(np.square(X - fitted).mean(), -model.score(X), rtol=1e-6)


def test_a_tied_linear_decoder_turns_and_does_not_stretch():
    model = linear(2, tied=True).fit(spread(40, 4))
    W = model.module_.encoder[0].weight.data
    np.testing.assert_allclose(W @ W.T, np.eye(2), atol=1e-4)


def test_only_a_linear_network_has_components():
    X = spread(12, 4)
    assert small(activation="identity").fit(X).components_.shape == (2, 4)
    for options in (dict(), dict(activation="identity", output="sigmoid")):
        with pytest.raises(AttributeError, match="components_: only a linear network"):
            small(**options).fit(logistic(X)).components_
