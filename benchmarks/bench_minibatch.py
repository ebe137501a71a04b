"""k-means on batches from the same start: ours and scikit-learn's, which find about the same inertia."""
import numpy as np

from benchmarks import Case, close, peer, test_contender
from scratchml.cluster import MiniBatchKMeans, kmeans_plusplus


def blobs(N, D=16, K=64):
    """Overlapping blobs, and K points to start from, far from each other."""
    rng = np.random.default_rng(0)
    X = 2 * rng.normal(size=(K, D))[rng.integers(K, size=N)] + rng.normal(size=(N, D))
    return X, kmeans_plusplus(X[:5000], K, random_state=0)[0]


def ours(X, start):
    return MiniBatchKMeans(len(start), init=start, random_state=0).fit(X).inertia_


@peer("sklearn.cluster")
def scikit_learn(X, start):
    from sklearn.cluster import MiniBatchKMeans
    return MiniBatchKMeans(len(start), init=start, n_init=1, random_state=0).fit(X).inertia_


CASES = [Case("200,000 x 16, K = 64", lambda: blobs(200_000), {"scratchml": ours, "scikit-learn": scikit_learn},
              close(rtol=0.02))]
