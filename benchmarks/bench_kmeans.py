"""k-means from the same start, iteration for iteration: the formula in NumPy, ours, and scikit-learn's Lloyd."""
import warnings

import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender
from scratchml.cluster import KMeans
from scratchml.core.estimator import ConvergenceWarning


def blobs(N, D, K):
    """Overlapping blobs, so that no fit is over early, and K of their points to start from."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(K, D))[rng.integers(K, size=N)] + rng.normal(size=(N, D))
    return X, X[:K].copy()


def lloyd(iterations):
    """Every contender for so many iterations from the start that it is given; the result is (J, centres)."""

    def formula(X, start):
        """With ‖x - c‖² by a matrix product and the sums by another: the best that whole-array operations do."""
        C = start
        for _ in range(iterations):
            y = ((C**2).sum(axis=1) - 2 * X @ C.T).argmin(axis=1)
            members = (y == np.arange(len(C))[:, None]).astype(float)            # (K, N)
            C = members @ X / members.sum(axis=1, keepdims=True)
        return ((C**2).sum(axis=1) - 2 * X @ C.T).min(axis=1).sum() + (X**2).sum(), C

    def ours(X, start):
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            fitted = KMeans(len(start), init=start, max_iter=iterations, tol=0).fit(X)
        assert fitted.n_iter_ == iterations
        return fitted.inertia_, fitted.cluster_centers_

    @peer("sklearn.cluster")
    def scikit_learn(X, start):
        from sklearn.cluster import KMeans
        fitted = KMeans(len(start), init=start, n_init=1, max_iter=iterations, tol=0, algorithm="lloyd").fit(X)
        return fitted.inertia_, fitted.cluster_centers_

    return {"formula": formula, "scratchml": ours, "scikit-learn": scikit_learn}


def without_formula(contenders):
    return {name: contender for name, contender in contenders.items() if name != "formula"}


agree = close(rtol=1e-6, atol=1e-6)
CASES = [
    Case("20,000 x 16, K = 64, 30 iterations", lambda: blobs(20_000, 16, 64), lloyd(30), agree),
    Case("200,000 x 16, K = 64, 30 iterations", lambda: blobs(200_000, 16, 64), without_formula(lloyd(30)), agree),
    Case("20,000 x 256, K = 10, 20 iterations", lambda: blobs(20_000, 256, 10), lloyd(20), agree),
    Growth("time against N; D = 16, K = 16, 5 iterations", lambda N: blobs(N, 16, 16), without_formula(lloyd(5)),
           (20_000, 40_000, 80_000, 160_000, 320_000), stated=1, agree=agree),
    Growth("time against D; N = 20,000, K = 16, 5 iterations", lambda D: blobs(20_000, D, 16),
           without_formula(lloyd(5)), (16, 32, 64, 128, 256), stated=1, agree=agree),
]
