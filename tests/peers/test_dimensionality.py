"""The evidence for a number of components agrees with scikit-learn's."""
import numpy as np
import pytest

from scratchml.datasets import load_iris
from scratchml.reduction import PCA
from scratchml.reduction.dimensionality import log_evidence

theirs = pytest.importorskip("sklearn.decomposition")


def test_the_evidence_is_theirs_where_no_curvature_is_bounded():
    assess = pytest.importorskip("sklearn.decomposition._pca")._assess_dimension
    for seed in range(30):
        rng = np.random.default_rng(seed)
        λ = 1.5 ** -np.arange(rng.integers(2, 12)) * rng.uniform(0.1, 100)
        for F in range(1, len(λ)):
            np.testing.assert_allclose(log_evidence(λ, F, 80), assess(λ, F, 80), rtol=1e-10, atol=1e-9)


def test_the_choice_is_theirs():
    clouds = [load_iris().data]
    for seed in range(40):
        rng = np.random.default_rng(seed)
        D = int(rng.integers(3, 10))
        spread = np.where(np.arange(D) < rng.integers(1, D), rng.uniform(2, 4, size=D), 1)
        clouds.append(rng.normal(size=(int(rng.integers(5 * D, 300)), D)) * spread)
    ours, peer = ([cls("mle").fit(X).n_components_ for X in clouds] for cls in (PCA, theirs.PCA))
    assert ours == peer and len(set(ours)) > 4
