"""k-means to the end from the same start: ours by each algorithm, and scikit-learn's."""
import warnings

import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender
from scratchml.cluster import KMeans


def blobs(N, D=16, K=64):
    """Clear blobs, and K points to start from."""
    rng = np.random.default_rng(0)
    X = 5 * rng.normal(size=(K, D))[rng.integers(K, size=N)] + rng.normal(size=(N, D))
    return X, X[:K].copy()


def noise(N, D=16, K=64):
    """Points without any cluster: most lie as near to one centre as to another."""
    X = np.random.default_rng(0).random((N, D))
    return X, X[:K].copy()


def ours(algorithm, iterations):
    def fit(X, start):
        with warnings.catch_warnings(action="ignore"):
            return KMeans(len(start), init=start, max_iter=iterations, tol=0, algorithm=algorithm).fit(X).inertia_
    return fit


def theirs(algorithm, iterations):
    @peer("sklearn.cluster")
    def fit(X, start):
        from sklearn.cluster import KMeans
        with warnings.catch_warnings(action="ignore"):
            model = KMeans(len(start), init=start, n_init=1, max_iter=iterations, tol=0, algorithm=algorithm)
            return model.fit(X).inertia_
    return fit


def contenders(iterations):
    return {"scratchml": ours("auto", iterations), "hamerly": ours("hamerly", iterations),
            "lloyd": ours("lloyd", iterations), "elkan": ours("elkan", iterations),
            "scikit-learn lloyd": theirs("lloyd", iterations), "scikit-learn elkan": theirs("elkan", iterations)}


agree = close(rtol=1e-6)
CASES = [
    Case("clear blobs, 200,000 x 16, K = 64, 30 iterations", lambda: blobs(200_000), contenders(30), agree),
    Case("uniform noise, 200,000 x 16, K = 64, 30 iterations", lambda: noise(200_000), contenders(30), agree),
    Growth("time against N; clear blobs, 10 iterations", blobs, {"scratchml": ours("auto", 10)},
           (50_000, 100_000, 200_000, 400_000), stated=1, agree=agree),
]
