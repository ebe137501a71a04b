"""The variational bound: each equation against its definition, its slopes, and what a linear network must reach."""
import numpy as np
import pytest
from hypothesis import given, settings

from scratchml.autograd import Tensor, gradcheck
from scratchml.optim.lbfgs import lbfgs
from scratchml.reduction import PCA
from scratchml.reduction.variational import (
    DRAWN, bernoulli_surprise, gaussian_kl, gaussian_surprise, importance_bound, kl_slopes, linear_elbo, linear_optimum,
    negative_elbo, pathwise_gradient, posterior, reparameterised, score_gradient)
from tests.reference import variational as reference
from tests.strategies.autoencoder import curve, layers, logistic, spread
from tests.strategies.variational import posteriors

few = settings(max_examples=10)


# --- equal to the definition

@given(posteriors())
@few
def test_posteriors_and_draws_are_the_definition(drawn):
    μ, l, ε, rng = drawn
    e = layers(rng, [3, 4, 2 * μ.shape[1]])
    X = 9 * rng.normal(size=(len(μ), 3))
    for ours, theirs in zip(posterior(X, e, curve), reference.posterior(X, e, logistic)):
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(reparameterised(μ, l, ε).data, reference.reparameterised(μ, l, ε), rtol=1e-12)


@given(posteriors())
@few
def test_the_divergence_is_its_integral(drawn):
    μ, l, _, _ = drawn
    np.testing.assert_allclose(gaussian_kl(μ, l).data, reference.gaussian_kl(μ, l), rtol=1e-8, atol=1e-10)
    for ours, theirs in zip(kl_slopes(μ, l), reference.kl_slopes(μ, l)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


@given(posteriors())
@few
def test_surprises_are_the_definition(drawn):
    Y, _, _, rng = drawn
    X = rng.random(Y.shape) * (rng.random(Y.shape) < 0.8)
    np.testing.assert_allclose(bernoulli_surprise(X, Y).data, reference.bernoulli_surprise(X, Y), rtol=1e-9)
    np.testing.assert_allclose(gaussian_surprise(X, Y, 0.3).data, reference.gaussian_surprise(X, Y, 0.3), rtol=1e-9)


@given(posteriors())
@few
def test_bounds_are_the_definition(drawn):
    μ, l, ε, rng = drawn
    K = 3
    Z, A, R = μ + np.exp(l / 2) * rng.normal(size=(K, 1, μ.shape[1])), rng.normal(size=(K, len(μ))), \
        rng.normal(size=len(μ))
    np.testing.assert_allclose(importance_bound(A, Z, μ, l), reference.importance_bound(A, Z, μ, l), rtol=1e-9,
                               atol=1e-9)
    np.testing.assert_allclose(negative_elbo(R, R ** 2, 0.7).item(), reference.negative_elbo(R, R ** 2, 0.7),
                               atol=1e-12)
    f, G, v = rng.normal(size=len(ε)), ε, l[0]
    np.testing.assert_allclose(pathwise_gradient(G), reference.pathwise_gradient(G), atol=1e-12)
    np.testing.assert_allclose(score_gradient(f, ε, v), reference.score_gradient(f, ε, v), rtol=1e-9, atol=1e-12)


def test_the_linear_bound_is_the_definition():
    rng = np.random.default_rng(0)
    X, V, W, v = rng.normal(size=(6, 4)), rng.normal(size=(2, 4)), rng.normal(size=(4, 2)), np.array([0.3, -0.7])
    np.testing.assert_allclose(linear_elbo(X, V, W, v, 0.6).item(), reference.linear_elbo(X, V, W, v, 0.6))
    c = np.array([3.0, 1, 0.4, 0.2])
    np.testing.assert_allclose(linear_optimum(c, 2), reference.linear_optimum(c, 2))


def test_certain_answers_have_a_finite_surprise():
    Y = Tensor(np.array([[800.0, -800, 800, 0]]), requires_grad=True)
    for y in (Y, Y.float()):
        surprise = bernoulli_surprise(np.array([[1.0, 0, 0.25, 1]]), y)
        np.testing.assert_allclose(surprise.data, [600 + np.log(2)], rtol=1e-6)
    bernoulli_surprise(np.array([[1.0, 0, 0.25, 1]]), Y).sum().backward()
    np.testing.assert_allclose(Y.grad.data, [[0, 0, 0.75, -0.5]], atol=1e-12)


def test_single_precision_says_the_same():
    rng = np.random.default_rng(0)
    X, Y, found = rng.random((5, 4)), 4 * rng.normal(size=(5, 4)), []
    for dtype in (np.float64, np.float32):
        y = Tensor(Y.astype(dtype), requires_grad=True)
        surprise = bernoulli_surprise(X.astype(dtype), y)
        surprise.sum().backward()
        found.append((surprise.data, y.grad.data))
        assert surprise.dtype == y.grad.dtype == dtype
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-6)
    np.testing.assert_allclose(found[1][1], found[0][1], atol=1e-6)


# --- slopes

@given(posteriors())
@few
def test_slopes_are_those_of_finite_differences(drawn):
    μ, l, ε, rng = drawn
    X = rng.random(μ.shape)
    Y, s2 = Tensor(μ, requires_grad=True), Tensor(np.array(0.4), requires_grad=True)
    gradcheck(lambda y: bernoulli_surprise(X, y), [Y])
    gradcheck(lambda y, s: gaussian_surprise(X, y, s), [Y, s2])
    h = Tensor(np.concatenate([μ, 2 * np.clip(l, -3, 3)], axis=1), requires_grad=True)
    gradcheck(lambda h: DRAWN(h, ε=ε), [h])


@given(posteriors())
@few
def test_heads_that_are_drawn_from_at_once_are_those_of_the_equations(drawn):
    μ, l, ε, rng = drawn
    h = Tensor(np.concatenate([μ, 9 * l], axis=1), requires_grad=True)
    F = μ.shape[1]
    z, kl = DRAWN(h, ε=ε)
    mean, log = posterior(h.data, [(np.eye(2 * F), np.zeros(2 * F))], curve)
    np.testing.assert_allclose(z.data, reparameterised(mean, log, ε).data, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(kl.data, gaussian_kl(mean, log).data, rtol=1e-12, atol=1e-12)
    kl.sum().backward()
    by_μ, by_l = kl_slopes(mean.data, log.data)
    np.testing.assert_allclose(h.grad.data[:, :F], by_μ, rtol=1e-9)
    np.testing.assert_allclose(h.grad.data[:, F:], by_l * (1 - np.tanh(h.data[:, F:] / 20) ** 2), rtol=1e-6, atol=1e-12)


def test_the_path_has_the_slope_of_the_score_with_a_far_smaller_variance():
    """f(z) = ½ ‖x - W z‖² has the mean slope Wᵀ (W μ - x), which both estimate."""
    rng = np.random.default_rng(0)
    W, x, μ, v = rng.normal(size=(64, 2)), rng.normal(size=64), np.array([0.5, -1.0]), np.array([-2.0, -1.0])
    exact, K = W.T @ (W @ μ - x), 20_000
    u = rng.normal(size=(K, 2))
    apart = (μ + np.exp(v / 2) * u) @ W.T - x            # (K, D)
    f, G = 0.5 * (apart ** 2).sum(axis=1), apart @ W
    by_score = np.array([score_gradient(f[k:k + 1], u[k:k + 1], v) for k in range(2000)])
    ours, theirs = G.std(axis=0), by_score.std(axis=0)
    assert (np.abs(pathwise_gradient(G) - exact) < 5 * ours / np.sqrt(K)).all()
    assert (np.abs(score_gradient(f, u, v) - exact) < 5 * theirs / np.sqrt(K)).all()
    assert (theirs ** 2 > 9 * ours ** 2).all()


# --- laws

def test_no_divergence_is_that_of_the_prior_from_itself_alone():
    assert gaussian_kl(np.zeros((2, 3)), np.zeros((2, 3))).data.tolist() == [0, 0]
    rng = np.random.default_rng(0)
    assert (gaussian_kl(*rng.normal(size=(2, 50, 2))).data > 0).all()


def linear_world(seed=0):
    """Samples of a linear Gaussian model, with the posterior of its codes: X, V, W, v of (11), and s²."""
    rng = np.random.default_rng(seed)
    W, s2 = rng.normal(size=(4, 2)), 0.5
    W[:, 1] -= W[:, 0] * (W[:, 0] @ W[:, 1]) / (W[:, 0] @ W[:, 0])             # then codes are independent given x
    precision = np.eye(2) + W.T @ W / s2
    X = rng.normal(size=(300, 2)) @ W.T + np.sqrt(s2) * rng.normal(size=(300, 4))
    return X, np.linalg.solve(precision, W.T) / s2, W, -np.log(precision.diagonal()), s2


def log_density(X, W, s2):
    C = W @ W.T + s2 * np.eye(len(W))
    return -0.5 * (np.einsum("nd,nd->n", X @ np.linalg.inv(C), X) + np.linalg.slogdet(2 * np.pi * C)[1])


def test_the_bound_is_the_likelihood_where_q_is_the_posterior_and_less_elsewhere():
    X, V, W, v, s2 = linear_world()
    exact = log_density(X, W, s2).mean()
    np.testing.assert_allclose(-linear_elbo(X, V, W, v, s2).item(), exact, rtol=1e-10)
    for other in ((0.9 * V, v), (V, v + 0.1), (V[::-1], v)):
        assert -linear_elbo(X, other[0], W, other[1], s2).item() < exact - 1e-3


def test_the_importance_bound_rises_with_the_draws_from_the_elbo_to_the_likelihood():
    X, V, W, v, s2 = linear_world()
    rng, μ, l = np.random.default_rng(1), X @ V.T + 0.4, np.tile(v + 1.0, (300, 1))        # a proposal that is off

    def bound(K):
        Z = μ + np.exp(l / 2) * rng.normal(size=(K, 300, 2))
        return importance_bound(-np.stack([gaussian_surprise(X, z @ W.T, s2).data for z in Z]), Z, μ, l).mean()
    elbo = -negative_elbo(np.mean([gaussian_surprise(X, z @ W.T, s2).data for z in μ + np.exp(l / 2) * rng.normal(
        size=(400, 300, 2))], axis=0), gaussian_kl(μ, l).data, 1.0).item()
    exact = log_density(X, W, s2).mean()
    one = np.mean([bound(1) for _ in range(60)])
    assert abs(one - elbo) < 0.1 and elbo < exact - 0.5
    five, many = np.mean([bound(5) for _ in range(12)]), bound(300)
    assert one + 0.2 < five < many - 0.05 and abs(many - exact) < 0.03


@pytest.mark.parametrize("F", [1, 2, 3])
def test_the_best_bound_of_a_linear_network_is_the_likelihood_of_probabilistic_pca(F):
    X = spread(40, 4)
    X = X - X.mean(axis=0)
    shapes = [(F, 4), (4, F), (F,), ()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def objective(x):
        V, W, v, log_s2 = [Tensor(part.reshape(shape), requires_grad=True)
                           for part, shape in zip(np.split(x, ends), shapes)]
        loss = linear_elbo(X, V, W, v, log_s2.exp())
        loss.backward()
        return loss.item(), np.concatenate([part.grad.data.ravel() for part in (V, W, v, log_s2)])
    found = lbfgs(objective, 0.3 * np.random.default_rng(F).normal(size=ends[-1] + 1), memory=20, max_iterations=3000,
                  epsilon=1e-9, delta=0)
    pca = PCA(F).fit(X)
    c = PCA().fit(X).explained_variance_ * 39 / 40
    np.testing.assert_allclose(-found.value, linear_optimum(c, F), rtol=1e-8)
    assert abs(pca.score(X) - linear_optimum(c, F)) > 1e-6, "which has N - 1 in its variances"
