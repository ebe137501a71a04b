"""Scores of clusterings agree with scikit-learn's."""
import numpy as np
import pytest

from scratchml import metrics as ours
from tests.strategies.clustering import labels
from tests.strategies.distances import table

theirs = pytest.importorskip("sklearn.metrics")

BETWEEN = ["adjusted_rand_score", "mutual_info_score", "normalized_mutual_info_score", "adjusted_mutual_info_score",
           "homogeneity_score", "completeness_score", "v_measure_score", "fowlkes_mallows_score"]


@pytest.mark.parametrize("name", BETWEEN)
@pytest.mark.parametrize("seed", range(3))
def test_labels_against_labels(name, seed):
    a, b = labels(500, 7, seed), labels(500, 9, seed + 10)
    b = np.where(np.random.default_rng(seed).random(500) < 0.5, a, b)
    np.testing.assert_allclose(getattr(ours, name)(a, b), getattr(theirs, name)(a, b), rtol=1e-10)


@pytest.mark.parametrize("name", ["silhouette_samples", "silhouette_score", "calinski_harabasz_score",
                                  "davies_bouldin_score"])
@pytest.mark.parametrize("seed", range(3))
def test_points(name, seed):
    X, y = table(300, 5, seed), labels(300, 6, seed)
    np.testing.assert_allclose(getattr(ours, name)(X, y), getattr(theirs, name)(X, y), rtol=1e-9, atol=1e-12)
