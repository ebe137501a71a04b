"""k-means on batches takes scikit-learn's steps."""
import numpy as np
import pytest

from scratchml.cluster import MiniBatchKMeans
from tests.strategies.kmeans import blobs

theirs = pytest.importorskip("sklearn.cluster")


def test_batches_move_the_centres_as_theirs_do():
    X = np.random.default_rng(0).permutation(blobs(4, 100))
    w = 0.5 + np.random.default_rng(1).random(400)
    ours = MiniBatchKMeans(4, init=X[:4])
    peer = theirs.MiniBatchKMeans(4, init=X[:4], n_init=1, reassignment_ratio=0)
    for batch in np.split(np.arange(400), 8):
        ours.partial_fit(X[batch], sample_weight=w[batch])
        peer.partial_fit(X[batch], sample_weight=w[batch])
        np.testing.assert_allclose(ours.cluster_centers_, peer.cluster_centers_, rtol=1e-9)
        np.testing.assert_array_equal(ours.predict(X), peer.predict(X))
