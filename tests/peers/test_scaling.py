"""Scaling agrees with scikit-learn's: 12 digits where it is moved and stretched, 9 after the normal distribution.

Not compared, because there scikit-learn does something else: columns whose variance is near rounding (it counts more of
them as constant), columns far smaller than 1e-7 (for it those are constant, or all at the ends).
Its quantiles are off by rounding where ours are samples, so that a sample may miss the tie that it belongs to: ranks
are compared on the same quantiles, and from beginning to end where there are no ties.
"""
import numpy as np
import pytest

from scratchml import preprocessing as ours
from scratchml.datasets import load_digits, load_iris, load_wine
from scratchml.preprocessing.quantiles import normal_levels, normal_quantiles

theirs = pytest.importorskip("sklearn.preprocessing")

CASES = {"iris": load_iris().data, "wine": load_wine().data, "digits": load_digits().data,
         "normal": np.random.default_rng(0).normal(size=(3000, 3)) * [1, 1e3, 1e-2] + [0, 1e4, 1]}
each = pytest.mark.parametrize("X", CASES.values(), ids=CASES.keys())


def pair(name, **options):
    return getattr(ours, name)(**options), getattr(theirs, name)(**options)


def assert_close(mine, other, digits, scale):
    np.testing.assert_allclose(mine, other, rtol=10.0**-digits, atol=10.0**-digits * scale)


@each
@pytest.mark.parametrize("options", [{}, dict(with_mean=False), dict(with_std=False),
                                     dict(with_mean=False, with_std=False)])
def test_standard_scores(X, options):
    scaler, peer = (model.fit(X[::2]) for model in pair("StandardScaler", **options))
    assert_close(scaler.transform(X), peer.transform(X), 12, 1e2)
    assert_close(scaler.inverse_transform(X), peer.inverse_transform(X), 12, np.abs(X).max())
    assert scaler.n_samples_seen_ == peer.n_samples_seen_ and (scaler.scale_ is None) == (peer.scale_ is None)
    for name in ("mean_", "var_", "scale_"):
        if getattr(peer, name) is not None:
            assert_close(getattr(scaler, name), getattr(peer, name), 12, 1)


@each
@pytest.mark.parametrize("options", [{}, dict(feature_range=(-1, 3)), dict(clip=True)])
def test_ranges(X, options):
    scaler, peer = (model.fit(X[::2]) for model in pair("MinMaxScaler", **options))
    assert_close(scaler.transform(X), peer.transform(X), 12, 1)
    assert_close(scaler.inverse_transform(X), peer.inverse_transform(X), 12, np.abs(X).max())
    for name in ("data_min_", "data_max_", "data_range_", "scale_", "min_", "n_samples_seen_"):
        assert_close(getattr(scaler, name), getattr(peer, name), 12, 1)


@each
@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler"])
def test_in_parts(X, name):
    scaler, peer = pair(name)
    for part in np.array_split(X, 4):
        scaler.partial_fit(part), peer.partial_fit(part)
    assert_close(scaler.transform(X), peer.transform(X), 11, 1e2)
    assert scaler.n_samples_seen_ == peer.n_samples_seen_ == len(X)


@each
@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler"])
def test_gaps(X, name):
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    scaler, peer = (model.fit(X[::2]).partial_fit(X[1::2]) for model in pair(name))
    assert_close(scaler.transform(X), peer.transform(X), 11, 1e2)
    np.testing.assert_array_equal(scaler.n_samples_seen_, peer.n_samples_seen_)


@each
def test_weights(X):
    w = np.random.default_rng(0).random(len(X))
    scaler, peer = (model.fit(X, sample_weight=w) for model in pair("StandardScaler"))
    assert_close(scaler.transform(X), peer.transform(X), 11, 1e2)
    assert_close(scaler.n_samples_seen_, peer.n_samples_seen_, 12, 1)


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "coo_array"])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_rows(kind, weighted):
    sparse = pytest.importorskip("scipy.sparse")
    X = CASES["digits"]
    w = np.random.default_rng(0).random(len(X)) if weighted else None
    scaler, peer = (model.fit(getattr(sparse, kind)(X), sample_weight=w)
                    for model in pair("StandardScaler", with_mean=False))
    for name in ("mean_", "var_", "scale_"):
        if name == "mean_" or getattr(peer, name) is not None:
            assert_close(getattr(scaler, name), getattr(peer, name), 11, 1e2)
    Z = scaler.transform(getattr(sparse, kind)(X))
    assert sparse.issparse(Z) and Z.format == "csr"
    assert_close(Z.toarray(), peer.transform(sparse.csr_matrix(X)).toarray(), 11, 1)
    assert_close(scaler.inverse_transform(Z).toarray(), X, 11, 1)


@each
@pytest.mark.filterwarnings("ignore:n_quantiles .* is greater")
def test_ranks_with_gaps(X):
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    scaler, peer = ours.QuantileTransformer().fit(X), theirs.QuantileTransformer(subsample=None).fit(X)
    assert_close(scaler.quantiles_, peer.quantiles_, 12, 1)
    scaler.quantiles_ = peer.quantiles_
    assert_close(scaler.transform(X), peer.transform(X), 12, 1)


@each
@pytest.mark.parametrize("n_quantiles", [2, 10, 61, 1000])
@pytest.mark.parametrize("distribution, digits", [("uniform", 12), ("normal", 9)])
@pytest.mark.filterwarnings("ignore:n_quantiles .* is greater")
def test_ranks(X, n_quantiles, distribution, digits):
    options = dict(n_quantiles=n_quantiles, output_distribution=distribution)
    scaler = ours.QuantileTransformer(**options).fit(X[::2])
    peer = theirs.QuantileTransformer(subsample=None, **options).fit(X[::2])
    assert_close(scaler.quantiles_, peer.quantiles_, 12, 1)
    assert_close(scaler.references_, peer.references_, 12, 0)
    assert scaler.n_quantiles_ == peer.n_quantiles_
    if X is not CASES["normal"]:
        scaler.quantiles_ = peer.quantiles_
    Z = peer.transform(X)
    within = np.abs(Z) < 5.19                            # where scikit-learn cuts off a little earlier
    assert_close(np.where(within, scaler.transform(X), 0), np.where(within, Z, 0), digits, 10)
    np.testing.assert_array_equal(scaler.transform(X)[~within] > 0, Z[~within] > 0)
    levels = np.random.default_rng(0).uniform(-0.1, 1.1, size=(50, X.shape[1]))
    levels = levels if distribution == "uniform" else 6 * levels - 3
    assert_close(scaler.inverse_transform(levels), peer.inverse_transform(levels), 12, np.abs(X).max())


@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler"])
def test_constant_columns(name):
    X = np.array([[0.1, 1.0, 0], [0.1, 2, 0], [0.1, 4, 0]])
    scaler, peer = (model.fit(X) for model in pair(name))
    new = X + [[1.0, 2, 3]]
    assert_close(scaler.transform(new), peer.transform(new), 12, 1)


@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler", "QuantileTransformer"])
def test_single_precision(name):
    X = CASES["normal"].astype(np.float32)
    scaler, peer = (model.fit(X) for model in pair(name))
    assert scaler.transform(X).dtype == peer.transform(X).dtype == np.float32
    assert_close(scaler.transform(X), peer.transform(X), 5, 1)


def test_the_normal_distribution():
    special = pytest.importorskip("scipy.special")
    P = np.concatenate([10.0 ** -np.linspace(0.001, 300, 20_000), np.linspace(0, 1, 20_001)[1:-1]])[:, None]
    exact = special.ndtri(P)
    assert (np.abs(normal_quantiles(P) - exact) <= 4 * np.finfo(float).eps * np.maximum(1, np.abs(exact))).all()
    np.testing.assert_allclose(normal_levels(exact), special.ndtr(exact), rtol=1e-12)
