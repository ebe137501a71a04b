"""The truncated singular value decomposition agrees with scikit-learn's, of every kind of sparse matrix."""
import numpy as np
import pytest

from scratchml.recommend import TruncatedSVD

theirs = pytest.importorskip("sklearn.decomposition")
sparse = pytest.importorskip("scipy.sparse")


def documents(N=60, M=40):
    """Counts, most of them 0, with a spectrum that falls."""
    rng = np.random.default_rng(0)
    return rng.poisson(0.1 + 3 * rng.random((N, 3)) ** 6 @ rng.random((3, M)) ** 4).astype(float)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_array, sparse.coo_array, sparse.lil_matrix])
def test_the_terms_agree(kind):
    X = kind(documents())
    ours = TruncatedSVD(3, random_state=0).fit(X)
    peer = theirs.TruncatedSVD(3, algorithm="arpack", random_state=0).fit(X)
    signs = np.sign((ours.components_ * peer.components_).sum(axis=1))
    np.testing.assert_allclose(ours.singular_values_, peer.singular_values_, rtol=1e-9)
    np.testing.assert_allclose(ours.components_, signs[:, None] * peer.components_, atol=1e-7)
    np.testing.assert_allclose(ours.explained_variance_, peer.explained_variance_, rtol=1e-7)
    np.testing.assert_allclose(ours.explained_variance_ratio_, peer.explained_variance_ratio_, rtol=1e-7)
    np.testing.assert_allclose(ours.transform(X), signs * peer.transform(X), atol=1e-6)
