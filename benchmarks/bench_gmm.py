"""Gaussian mixtures from the same start, iteration for iteration: the formula in NumPy, ours, and scikit-learn's."""
import warnings

import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender
from scratchml.cluster import GaussianMixture
from scratchml.cluster.gmm import covariances, log_gaussians, means, precision_factors, scatters, weights


def blobs(N, D, K):
    """Overlapping blobs, so that no fit is over early, and K of their points to start from."""
    rng = np.random.default_rng(0)
    X = 2 * rng.normal(size=(K, D))[rng.integers(K, size=N)] + rng.normal(size=(N, D))
    return X, X[:K].copy()


def start(centres, covariance_type):
    K, D = centres.shape
    P = {"full": np.array([np.eye(D)] * K), "diag": np.ones((K, D))}[covariance_type]
    return dict(n_components=K, covariance_type=covariance_type, weights_init=np.full(K, 1 / K), means_init=centres,
                precisions_init=P, init_params="random_from_data", random_state=0, reg_covar=0)


def em(iterations, covariance_type="full"):
    """Every contender for so many iterations from the start that it is given; the result is (means, covariances)."""

    def formula(X, centres):
        K, D = centres.shape
        π, μ, U = np.full(K, 1 / K), centres, np.array([np.eye(D)] * K)
        for _ in range(iterations):
            joint = np.log(π) + log_gaussians(X, μ, U)
            most = joint.max(axis=1, keepdims=True)
            r = np.exp(joint - most)
            r /= r.sum(axis=1, keepdims=True)
            π, μ = weights(r), means(X, r)
            Σ = covariances(scatters(X, r, μ), π, 0.0)
            U = precision_factors(Σ)
        return μ, Σ

    def ours(X, centres):
        with warnings.catch_warnings(action="ignore"):
            model = GaussianMixture(tol=0, max_iter=iterations, **start(centres, covariance_type)).fit(X)
        assert model.n_iter_ == iterations
        return model.means_, model.covariances_

    @peer("sklearn.mixture")
    def scikit_learn(X, centres):
        from sklearn.mixture import GaussianMixture
        with warnings.catch_warnings(action="ignore"):
            model = GaussianMixture(tol=0, max_iter=iterations, **start(centres, covariance_type)).fit(X)
        return model.means_, model.covariances_

    contenders = {"scratchml": ours, "scikit-learn": scikit_learn}
    return {"formula": formula, **contenders} if covariance_type == "full" else contenders


def fast(contenders):
    return {name: contender for name, contender in contenders.items() if name != "formula"}


agree = close(rtol=1e-6, atol=1e-6)
CASES = [
    Case("full, 50,000 x 16, K = 16, 20 iterations", lambda: blobs(50_000, 16, 16), fast(em(20)), agree),
    Case("full, 5,000 x 16, K = 16, 5 iterations", lambda: blobs(5_000, 16, 16), em(5), agree),
    Case("diag, 50,000 x 16, K = 16, 20 iterations", lambda: blobs(50_000, 16, 16), em(20, "diag"), agree),
    Growth("time against N; D = 8, K = 8, 3 iterations", lambda N: blobs(N, 8, 8), fast(em(3)),
           (10_000, 20_000, 40_000, 80_000), stated=1, agree=agree),
    Growth("time against K; N = 20,000, D = 8, 3 iterations", lambda K: blobs(20_000, 8, K), fast(em(3)),
           (4, 8, 16, 32), stated=1, agree=agree),
    Growth("time against D; N = 20,000, K = 4, 3 iterations", lambda D: blobs(20_000, D, 4), fast(em(3)),
           (16, 32, 64, 128), stated=2, agree=agree),
]
