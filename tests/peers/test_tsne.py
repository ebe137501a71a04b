"""t-SNE agrees with scikit-learn's exact method, and its class passes for one of scikit-learn's."""
import numpy as np
import pytest

from scratchml.core.distances import squared_euclidean
from scratchml.datasets import load_digits
from scratchml.reduction import TSNE
from scratchml.reduction.affinities import packed_affinities, unpacked
from scratchml.reduction.sne import tsne_cost, tsne_gradient
from tests.strategies.distances import table

manifold = pytest.importorskip("sklearn.manifold")


@pytest.mark.parametrize("perplexity", [5.0, 30.0])
def test_affinities(perplexity):
    """scikit-learn's search ends where the entropy is right to 1e-5, in float32."""
    from scipy.spatial.distance import squareform
    from sklearn.manifold._t_sne import _joint_probabilities
    from sklearn.metrics import pairwise_distances
    X = table(200, 6, 0)
    theirs = squareform(_joint_probabilities(pairwise_distances(X, metric="sqeuclidean"), perplexity, 0))
    np.testing.assert_allclose(unpacked(packed_affinities(X, perplexity)[0]), theirs, rtol=2e-3, atol=1e-9)


def test_cost_and_gradient():
    """Of the same P; scikit-learn gives q no less than eps."""
    from scipy.spatial.distance import squareform
    from sklearn.manifold._t_sne import _kl_divergence
    rng = np.random.default_rng(0)
    P = rng.random((30, 30)) * (1 - np.eye(30))
    P = (P + P.T) / (P + P.T).sum()
    Y = 3 * rng.normal(size=(30, 2))
    cost, gradient = _kl_divergence(Y.ravel(), squareform(P), 1, 30, 2)
    np.testing.assert_allclose(tsne_cost(P, Y), cost, rtol=1e-10)
    np.testing.assert_allclose(tsne_gradient(P, Y), gradient.reshape(30, 2), rtol=0, atol=1e-14)


def test_a_whole_fit():
    """Rounding, which grows, leads the two to other maps, as good as each other.  scikit-learn's P is right to 1e-3."""
    X = load_digits().data[:300]
    options = dict(perplexity=20, max_iter=500, random_state=0)
    ours = TSNE(**options).fit(X)
    theirs = manifold.TSNE(method="exact", init="pca", **options).fit(X)
    assert ours.kl_divergence_ <= 1.03 * theirs.kl_divergence_
    np.testing.assert_allclose(tsne_cost(unpacked(packed_affinities(X, 20)[0]), theirs.embedding_.astype(float)),
                               theirs.kl_divergence_, rtol=1e-3)


@pytest.mark.parametrize("N, D, perplexity", [(30, 384, 10), (60, 384, 15), (8, 2, 2), (40, 6, 8)])
def test_few_points_are_no_worse_off(N, D, perplexity):
    """On the mean of eight sets: single ones end in other minima, sometimes in better, sometimes in worse."""
    options, costs = dict(perplexity=perplexity, init="pca", random_state=0), []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X = (2 * rng.normal(size=(3, D)))[rng.integers(3, size=N)] + rng.normal(size=(N, D))
        costs.append([model.fit(X).kl_divergence_
                      for model in (TSNE(**options), manifold.TSNE(method="exact", **options))])
    ours, theirs = np.mean(costs, axis=0)
    assert ours <= 1.01 * theirs


def test_new_digits_land_beside_their_class_as_often_as_on_a_map_of_opentsne():
    """400 of 1,797 that neither map has seen: those whose nearest point on the map shows the same digit.

    On the splits of three seeds these are 0.990, 0.978 and 0.985 of them here and 0.993, 0.978 and 0.975 there; in the
    data themselves, the nearest of 64 pixels has 0.990, 0.975 and 0.985.
    """
    opentsne = pytest.importorskip("openTSNE")
    digits, shares = load_digits(), []
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(len(digits.data))
        new, old = order[:400], order[400:]
        ours = TSNE(random_state=0).fit(digits.data[old])
        theirs = opentsne.TSNE(random_state=0, n_jobs=1).fit(digits.data[old])
        places = [(ours.transform(digits.data[new]), ours.embedding_),
                  (np.asarray(theirs.transform(digits.data[new])), np.asarray(theirs))]
        shares.append([(digits.target[old][squared_euclidean(Z, Y).argmin(axis=1)] == digits.target[new]).mean()
                       for Z, Y in places])
    ours, theirs = np.mean(shares, axis=0)
    assert ours > 0.975 and ours >= theirs - 0.005


@pytest.mark.parametrize("precomputed", [False, True])
def test_conformance(precomputed):
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    options = dict(metric="precomputed", init="random") if precomputed else {}
    with pytest.warns(UserWarning, match="does not inherit"):
        results = checks.check_estimator(TSNE(perplexity=2, max_iter=30, **options), on_fail=None, on_skip=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"
              and "SCIPY_ARRAY_API" not in str(result["exception"])}
    assert len(results) > 30 and not failed


def test_clones_and_pipelines_take_it():
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    X = table(20, 3, 0)
    model = TSNE(perplexity=3, max_iter=20)
    Y = make_pipeline(StandardScaler(), clone(model)).fit_transform(X)
    np.testing.assert_array_equal(Y, model.fit_transform(StandardScaler().fit_transform(X)))
    assert list(model.set_output(transform="pandas").fit_transform(X).columns) == ["tsne0", "tsne1"]
