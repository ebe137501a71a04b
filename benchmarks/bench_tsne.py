"""Exact t-SNE of digits and of random points: the formula, ours, scikit-learn exact and Barnes-Hut, openTSNE."""
import os

import numpy as np

from benchmarks import Case, Growth, peer, test_contender
from scratchml.core.distances import squared_euclidean
from scratchml.datasets import load_digits
from scratchml.metrics import trustworthiness
from scratchml.reduction import PCA, TSNE
from scratchml.reduction.affinities import packed_affinities, unpacked
from scratchml.reduction.forces import StudentPairs
from scratchml.reduction.sne import tsne_gradient

PERPLEXITY = 30


def points(N, D=50):
    """Ten groups, which overlap."""
    rng = np.random.default_rng(0)
    return 2 * rng.normal(size=(10, D))[rng.integers(10, size=N)] + rng.normal(size=(N, D)),


# --- whole fits

def ours(X):
    model = TSNE(perplexity=PERPLEXITY).fit(X)
    return model.embedding_, model.kl_divergence_


@peer("sklearn.manifold")
def scikit_learn_exact(X):
    from sklearn.manifold import TSNE
    model = TSNE(method="exact", init="pca", perplexity=PERPLEXITY, random_state=0).fit(X)
    return model.embedding_, model.kl_divergence_


@peer("sklearn.manifold")
def scikit_learn_barnes_hut(X):
    from sklearn.manifold import TSNE
    model = TSNE(init="pca", perplexity=PERPLEXITY, random_state=0, n_jobs=os.cpu_count()).fit(X)
    return model.embedding_, model.kl_divergence_


@peer("openTSNE")
def opentsne(X):
    from openTSNE import TSNE
    map_ = TSNE(perplexity=PERPLEXITY, random_state=0, n_jobs=os.cpu_count()).fit(X)
    return np.asarray(map_), map_.kl_divergence


def digits():
    return load_digits().data,


def as_good_a_map(theirs, ours):
    """A KL alike: approximations report that of fewer p_ij, and openTSNE stops after 750 iterations."""
    assert theirs[0].shape == ours[0].shape
    np.testing.assert_allclose(theirs[1], ours[1], rtol=0.15)


# --- new points on a map

def on_a_map():
    """400 digits, what they show, and maps of the others by both, with what these show."""
    X, target = load_digits()[:2]
    order = np.random.default_rng(0).permutation(len(X))
    new, old = order[:400], order[400:]
    models = {"scratchml": TSNE(perplexity=PERPLEXITY, random_state=0).fit(X[old])}
    try:
        import openTSNE
        models["openTSNE"] = openTSNE.TSNE(perplexity=PERPLEXITY, random_state=0, n_jobs=1).fit(X[old])
    except ImportError:
        pass
    return models, X[new], target[new], target[old]


def beside_their_class(Z, Y, of_new, of_data):
    return float((of_data[squared_euclidean(Z, Y).argmin(axis=1)] == of_new).mean())


def our_places(models, X, *targets):
    model = models["scratchml"]
    return beside_their_class(model.transform(X), model.embedding_, *targets)


@peer("openTSNE")
def places_of_opentsne(models, X, *targets):
    map_ = models["openTSNE"]
    return beside_their_class(np.asarray(map_.transform(X)), np.asarray(map_), *targets)


def as_often(theirs, ours):
    """The share of new digits whose nearest point on the map shows the same digit."""
    np.testing.assert_allclose(theirs, ours, atol=0.01)


# --- parts of one

def gradient_data(N):
    X, = points(N)
    P = packed_affinities(X, PERPLEXITY)[0]
    return P, 20 * np.random.default_rng(0).normal(size=(N, 2)), unpacked(P)


def formula_gradient(P, Y, full):
    d = ((Y[:, None] - Y[None])**2).sum(axis=2)
    w = 1 / (1 + d)
    np.fill_diagonal(w, 0)
    A = (full - w / w.sum()) * w
    return 4 * (A.sum(axis=1)[:, None] * Y - A @ Y)


@peer("sklearn.manifold")
def scikit_learn_gradient(P, Y, full):
    from sklearn.manifold._t_sne import _kl_divergence
    return _kl_divergence(Y.ravel(), P.astype(np.float64), 1, len(Y), 2, compute_error=False)[1].reshape(Y.shape)


def same_direction(theirs, ours):
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5 * np.abs(ours).max())


@peer("sklearn.manifold")
def scikit_learn_trustworthiness(X, Y):
    from sklearn.manifold import trustworthiness
    return trustworthiness(X, Y)


GRADIENTS = {"formula": formula_gradient, "in float64": lambda P, Y, full: tsne_gradient(full, Y),
             "scratchml": lambda P, Y, full: StudentPairs(P, len(Y), 2).gradient(Y),
             "scikit-learn": scikit_learn_gradient}
FITS = {"scratchml": ours, "scikit-learn BH": scikit_learn_barnes_hut, "openTSNE": opentsne}
CASES = [
    Case("one gradient, N = 1,797", lambda: gradient_data(1797), GRADIENTS, same_direction),
    Case("trustworthiness, 1,797 x 64", lambda: (digits()[0], PCA(2).fit_transform(digits()[0])),
         {"scratchml": trustworthiness, "scikit-learn": scikit_learn_trustworthiness},
         lambda theirs, ours: np.testing.assert_allclose(theirs, ours, rtol=1e-4)),          # ties go by chance there
    Case("400 new digits on a map of 1,397", on_a_map, {"scratchml": our_places, "openTSNE": places_of_opentsne},
         as_often),
    Case("digits, 1,797 x 64, whole fit", digits, FITS, as_good_a_map),
    Case("digits, 1,797 x 64, whole fit (takes minutes)", digits,
         {"scratchml": ours, "scikit-learn exact": scikit_learn_exact}, as_good_a_map),
    Growth("whole fit, time against N, D = 50, few points", points, {**FITS, "scikit-learn exact": scikit_learn_exact},
           (500, 1_000, 2_000), stated=2, agree=as_good_a_map),
    Growth("whole fit, time against N, D = 50, many points", points, FITS, (1_250, 2_500, 5_000, 10_000), stated=2,
           agree=as_good_a_map),
]
