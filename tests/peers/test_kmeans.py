"""k-means agrees with scikit-learn's, from the same start and on average over starts.

Both do Lloyd's steps in float64, so labels are equal and centres differ by rounding alone: 10 digits are asked for.
scikit-learn's distances come from ‖x‖² - 2 x·c + ‖c‖², which leaves `transform` 1e-6, and lets rounding decide where a
point is equally far from two centres.  Flowers measured to the millimetre often are: a little noise keeps them from it.
"""
import numpy as np
import pytest

from scratchml.cluster import KMeans, kmeans_plusplus
from scratchml.datasets import load_digits, load_iris, load_wine
from tests.strategies.kmeans import blobs

theirs = pytest.importorskip("sklearn.cluster")



def without_ties(X):
    return X + 1e-3 * np.random.default_rng(0).normal(size=X.shape)


IRIS, WINE, DIGITS = (without_ties(load().data) for load in (load_iris, load_wine, load_digits))
CASES = {"iris": (IRIS, 3), "iris, finely": (IRIS, 8), "wine": (WINE, 3), "digits": (DIGITS, 10),
         "blobs": (blobs(6, 30), 6)}
each = pytest.mark.parametrize("X, K", CASES.values(), ids=CASES.keys())


def pair(X, K, seed=0, **options):
    """The two libraries' models, of which each starts from the same rows of X."""
    C = X[np.random.default_rng(seed).permutation(len(X))[:K]]
    options = {"max_iter": 500, "tol": 0, **options}
    return KMeans(K, init=C, **options), theirs.KMeans(K, init=C, n_init=1, algorithm="lloyd", **options)


@each
@pytest.mark.parametrize("seed", range(3))
def test_the_same_start_leads_to_the_same_end(X, K, seed):
    ours, peer = (model.fit(X) for model in pair(X, K, seed))
    np.testing.assert_array_equal(ours.labels_, peer.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, peer.cluster_centers_, rtol=1e-10, atol=1e-10 * np.abs(X).max())
    np.testing.assert_allclose(ours.inertia_, peer.inertia_, rtol=1e-10)
    assert ours.n_iter_ == peer.n_iter_ - 1              # theirs counts the first assignment as an iteration


@each
def test_weights_lead_there_too(X, K):
    w = np.random.default_rng(1).integers(1, 5, size=len(X)) / 2
    ours, peer = (model.fit(X, sample_weight=w) for model in pair(X, K))
    np.testing.assert_array_equal(ours.labels_, peer.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, peer.cluster_centers_, rtol=1e-10, atol=1e-10 * np.abs(X).max())
    np.testing.assert_allclose(ours.inertia_, peer.inertia_, rtol=1e-10)
    np.testing.assert_allclose(ours.score(X, sample_weight=w), peer.score(X, sample_weight=w), rtol=1e-10)


@each
def test_predict_transform_and_score_agree(X, K):
    ours, peer = (model.fit(X[::2]) for model in pair(X[::2], K))
    np.testing.assert_array_equal(ours.predict(X), peer.predict(X))
    np.testing.assert_allclose(ours.transform(X), peer.transform(X), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours.score(X), peer.score(X), rtol=1e-10)
    assert ours.get_feature_names_out().tolist() == peer.get_feature_names_out().tolist()


@each
def test_single_precision_agrees_to_single_precision(X, K):
    single = X.astype(np.float32)
    ours, peer = (model.fit(single) for model in pair(single, K, tol=1e-4))
    assert ours.cluster_centers_.dtype == peer.cluster_centers_.dtype == np.float32
    np.testing.assert_allclose(ours.inertia_, peer.inertia_, rtol=1e-3)          # a point at a border may go elsewhere
    assert np.mean(ours.labels_ == peer.labels_) > 0.99


@pytest.mark.parametrize("options", [dict(tol=1e-2), dict(tol=0.5)])
def test_the_tolerance_means_the_same(options):
    X, K = CASES["digits"]
    ours, peer = (model.fit(X) for model in pair(X, K, **options))
    assert ours.n_iter_ == peer.n_iter_ < 20
    np.testing.assert_allclose(ours.inertia_, peer.inertia_, rtol=1e-10)
    np.testing.assert_array_equal(ours.labels_, peer.labels_)


@each
def test_seeds_are_as_good_on_average(X, K):
    """Of 60 seedings each, the means of the inertia that they leave differ by less than four standard errors."""
    def left(seed, seeding):
        C, _ = seeding(X, K, random_state=seed)
        return -KMeans(K, init=C).fit(C).score(X)        # fitted to the seeds themselves, it only measures
    mine, other = (np.array([left(seed, f) for seed in range(60)]) for f in (kmeans_plusplus, theirs.kmeans_plusplus))
    error = np.sqrt((mine.var() + other.var()) / 59)
    assert abs(mine.mean() - other.mean()) <= 4 * error + 1e-9 * other.mean()


def test_fits_are_as_good_on_average():
    X, K = load_digits().data, 10
    mine = np.array([KMeans(K, random_state=seed).fit(X).inertia_ for seed in range(15)])
    other = np.array([theirs.KMeans(K, n_init=1, random_state=seed).fit(X).inertia_ for seed in range(15)])
    assert abs(mine.mean() - other.mean()) <= 4 * np.sqrt((mine.var() + other.var()) / 14)
    assert mine.min() < 1.001 * 1165134.2                # the best that is known


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse_points_take_the_same_steps(dtype):
    sparse = pytest.importorskip("scipy.sparse")
    X = sparse.random(400, 50, density=0.1, format="csr", random_state=0, dtype=dtype)
    C = X[:5].toarray()
    ours, peer = KMeans(5, init=C, tol=0).fit(X), theirs.KMeans(5, init=C, n_init=1, tol=0).fit(X)
    np.testing.assert_array_equal(ours.labels_, peer.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, peer.cluster_centers_, rtol=0,
                               atol=1e-5 if dtype == np.float32 else 1e-12)
    for form in X.tocsc(), sparse.coo_array(X), X.tolil():
        np.testing.assert_array_equal(ours.predict(form), peer.labels_)
    with pytest.raises(ValueError, match="at least one row"):
        ours.predict(X[:0])


def test_what_comes_twice_in_a_matrix_of_scipy_adds_up():
    sparse = pytest.importorskip("scipy.sparse")
    X = sparse.csr_matrix((np.array([1.0, 2, 4]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 3))
    assert KMeans(2, init=X.toarray()).fit(X).cluster_centers_.tolist() == X.toarray().tolist()
    assert X.data.tolist() == [1, 2, 4], "the caller's matrix stays as it is"
