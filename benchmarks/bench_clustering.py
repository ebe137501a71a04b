"""Scores of clusterings: the formula in NumPy, ours, and scikit-learn's, on the same points and labels."""
import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender
from scratchml.metrics import adjusted_mutual_info_score, silhouette_score


def points(N):
    """Eight overlapping blobs in 16 dimensions."""
    rng = np.random.default_rng(0)
    y = rng.integers(8, size=N)
    return 2 * rng.normal(size=(8, 16))[y] + rng.normal(size=(N, 16)), y


def labelings(N, K=50):
    """Two labelings that agree on half of the points."""
    rng = np.random.default_rng(0)
    a = rng.integers(K, size=N)
    return a, np.where(rng.random(N) < 0.5, a, rng.integers(K, size=N))


def silhouette_formula(X, y):
    """With all distances in one array: N² numbers."""
    squares = (X ** 2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] - 2 * X @ X.T + squares, 0))
    members = np.eye(y.max() + 1)[y]                     # (N, K)
    sums, sizes, own = distances @ members, members.sum(axis=0), (np.arange(len(X)), y)
    inside, others = sums[own] / (sizes[y] - 1), sums / sizes
    others[own] = np.inf
    outside = others.min(axis=1)
    return ((outside - inside) / np.maximum(inside, outside)).mean()


@peer("sklearn.metrics")
def silhouette_scikit_learn(X, y):
    from sklearn.metrics import silhouette_score
    return silhouette_score(X, y)


@peer("sklearn.metrics")
def information_scikit_learn(a, b):
    from sklearn.metrics import adjusted_mutual_info_score
    return adjusted_mutual_info_score(a, b)


silhouettes = {"scratchml": silhouette_score, "scikit-learn": silhouette_scikit_learn}
information = {"scratchml": adjusted_mutual_info_score, "scikit-learn": information_scikit_learn}
CASES = [
    Case("silhouette, 4,000 x 16", lambda: points(4_000), {"formula": silhouette_formula, **silhouettes}, close(1e-6)),
    Case("silhouette, 10,000 x 16", lambda: points(10_000), silhouettes, close(1e-6)),
    Case("adjusted mutual information, 100,000 points, 50 clusters", lambda: labelings(100_000), information,
         close(1e-9)),
    Growth("silhouette against N", points, silhouettes, (1_000, 2_000, 4_000, 8_000), stated=2, agree=close(1e-6)),
    Growth("adjusted mutual information against N", labelings, {"scratchml": adjusted_mutual_info_score},
           (100_000, 200_000, 400_000, 800_000), stated=1),
]
