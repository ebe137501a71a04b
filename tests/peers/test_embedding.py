"""Trustworthiness agrees with scikit-learn's."""
import numpy as np
import pytest

from scratchml.metrics import trustworthiness
from tests.strategies.distances import table

manifold = pytest.importorskip("sklearn.manifold")


@pytest.mark.parametrize("n_neighbors", [1, 5, 40])
@pytest.mark.parametrize("seed", range(3))
def test_trustworthiness(n_neighbors, seed):
    X = table(100, 6, seed)
    for Y in (X[:, :2], table(100, 2, seed + 10)):
        np.testing.assert_allclose(trustworthiness(X, Y, n_neighbors=n_neighbors),
                                   manifold.trustworthiness(X, Y, n_neighbors=n_neighbors), rtol=1e-12)
