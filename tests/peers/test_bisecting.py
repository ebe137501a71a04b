"""Bisecting k-means finds what scikit-learn's finds where the cuts are plain."""
import numpy as np
import pytest

from scratchml.cluster import BisectingKMeans
from scratchml.metrics import adjusted_rand_score
from tests.strategies.kmeans import blobs

theirs = pytest.importorskip("sklearn.cluster")


@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
def test_clear_clusters(strategy):
    X = blobs(4, 50)
    ours = BisectingKMeans(4, random_state=0, n_init=5, bisecting_strategy=strategy).fit(X)
    peer = theirs.BisectingKMeans(4, random_state=0, n_init=5, bisecting_strategy=strategy).fit(X)
    assert adjusted_rand_score(ours.labels_, peer.labels_) == 1
    np.testing.assert_allclose(ours.inertia_, peer.inertia_, rtol=1e-9)
