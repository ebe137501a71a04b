"""Principal components batch by batch: against the definition, and against those of all rows at once."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.reduction import PCA, IncrementalPCA
from scratchml.reduction.incremental_pca import mean_correction, merged_mean, merged_scatter_rows, truncate
from tests.reference import incremental_pca as reference
from tests.reference.pca import covariance, fix_signs
from tests.reference.pca import mean as mean_of
from tests.strategies.distances import BAD_TABLES, layouts, seeds, table, tables, with_number
from tests.strategies.incremental_pca import batches, seen_and_new
from tests.strategies.pca import axes, most_components, stretched

EPS = np.finfo(float).eps


def rounding_of_mean(X, μ=0.0):
    return 2 * (len(X) + 4) * EPS * max(np.abs(X).max(), np.abs(μ).max())


def rounding(X):
    """Of a variance: N + D products a row; and a correction by the difference of two means, which are off by δ each."""
    N, D = X.shape
    total, δ = np.var(X, axis=0).sum(), rounding_of_mean(X)
    return 20 * (N + D) * EPS * total + 8 * δ * np.sqrt(D * total) + 4 * D * δ**2


def partially(parts, *args, **options):
    model = IncrementalPCA(*args, **options)
    for X in parts:
        assert model.partial_fit(X) is model
    return model


# --- equal to the definition

@given(seen_and_new(8, 5))
def test_merged_mean(drawn):
    _, _, n, μ, X = drawn
    np.testing.assert_allclose(merged_mean(n, μ, X), reference.merged_mean(n, μ, X),
                               rtol=0, atol=rounding_of_mean(X, μ))


@given(seen_and_new(8, 5))
def test_mean_correction(drawn):
    _, _, n, μ, X = drawn
    np.testing.assert_allclose(mean_correction(n, μ, X), reference.mean_correction(n, μ, X),
                               rtol=0, atol=np.sqrt(len(X)) * rounding_of_mean(X, μ))


@given(seen_and_new(8, 5))
def test_merged_scatter_rows(drawn):
    σ, W, n, μ, X = drawn
    before = [values.copy() for values in (σ, W, μ, X)]
    got = merged_scatter_rows(σ, W, n, μ, X)
    assert got.shape == (len(σ) + len(X) + 1, X.shape[1])
    np.testing.assert_allclose(got, reference.merged_scatter_rows(σ, W, n, μ, X), rtol=0,
                               atol=np.sqrt(len(X)) * rounding_of_mean(X, μ) + 2 * EPS * σ.max(initial=0))
    for was, now in zip(before, (σ, W, μ, X)):
        np.testing.assert_array_equal(was, now)


@given(with_number(tables(9, 6, kinds=("normal", "constant column", "one direction", "integer grid")), 6,
                   most_components))
def test_truncate_keeps_the_directions_in_which_the_rows_are_longest(drawn):
    M, F = drawn
    before = M.copy()
    σ, W = truncate(M, F)
    bound = 20 * sum(M.shape) * EPS * np.linalg.norm(M)
    np.testing.assert_array_equal(M, before)
    assert σ.shape == (F,) and W.shape == (F, M.shape[1]) and (np.diff(σ) <= 0).all() and (σ >= 0).all()
    np.testing.assert_allclose(σ, reference.truncate(M, F)[0], rtol=0, atol=bound)
    np.testing.assert_allclose(W @ W.T, np.eye(F), rtol=0, atol=20 * sum(M.shape) * EPS)
    np.testing.assert_allclose(M.T @ (M @ W.T), W.T * σ**2, rtol=0, atol=4 * bound * np.linalg.norm(M))
    np.testing.assert_array_equal(W, fix_signs(W))


@given(seeds, st.integers(1, 5))
def test_truncate_where_the_axes_are_clear(seed, F):
    M = table(9, 5, seed) @ np.diag(0.3 ** np.arange(5)) @ axes(5, 5, seed + 1)
    σ, W = truncate(M, F)
    all_σ, all_W = reference.truncate(M, 5)
    gap = np.min(-np.diff(np.append(all_σ, 0)))
    np.testing.assert_allclose(W, all_W[:F], rtol=0, atol=100 * EPS * all_σ[0] / gap)


# --- laws of the steps

@given(seen_and_new(8, 5))
def test_rows_carry_the_scatter_of_all_samples(drawn):
    """MᵀM = Wᵀ diag(σ²) W + the batch's scatter + m mᵀ"""
    σ, W, n, μ, X = drawn
    M = merged_scatter_rows(σ, W, n, μ, X)
    m = reference.mean_correction(n, μ, X)
    deviations = X - mean_of(X)
    expected = W.T @ np.diag(σ**2) @ W + deviations.T @ deviations + np.outer(m, m)
    slack = np.sqrt(len(X)) * rounding_of_mean(X, μ)
    np.testing.assert_allclose(M.T @ M, expected, rtol=0, atol=20 * len(M) * EPS * np.linalg.norm(M)**2
                               + 4 * slack * np.linalg.norm(M) + len(M) * slack**2)


@given(tables(9, 4, min_rows=2), tables(9, 4))
def test_two_batches_scatter_as_one_table_does(A, B):
    D = min(A.shape[1], B.shape[1])
    A, B = A[:, :D], B[:, :D]
    both = np.vstack([A, B])
    σ, W = reference.truncate(A - mean_of(A), D)
    M = merged_scatter_rows(σ, W, len(A), mean_of(A), B)
    expected = (len(both) - 1) * covariance(both, mean_of(both))
    slack = 4 * np.sqrt(len(both)) * rounding_of_mean(both)
    np.testing.assert_allclose(M.T @ M, expected, rtol=0, atol=40 * len(both) * EPS * np.trace(expected)
                               + 4 * slack * np.sqrt(np.trace(expected)) + len(both) * slack**2)
    np.testing.assert_allclose(merged_mean(len(A), mean_of(A), B), mean_of(both), rtol=0, atol=rounding_of_mean(both))


def test_by_hand():
    X = np.array([[4.0, 0], [6, 2]])
    assert merged_mean(6, np.array([1.0, 1]), X).tolist() == [2, 1]
    np.testing.assert_allclose(mean_correction(6, np.array([1.0, 1]), X), [-4 * np.sqrt(1.5), 0], rtol=1e-15)
    M = merged_scatter_rows(np.array([3.0]), np.array([[0.0, 1]]), 6, np.array([1.0, 1]), X)
    np.testing.assert_allclose(M, [[0, 3], [-1, -1], [1, 1], [-4 * np.sqrt(1.5), 0]], rtol=1e-15)


# --- the estimator

def assert_is_the_pca_of(model, X, F=None):
    """Equal to rounding.  Where variances are close their axes are not determined: then by S W = λ W."""
    whole, bound = PCA(F).fit(X), rounding(X)
    F, S = whole.n_components_, covariance(X, mean_of(X))
    W, λ = model.components_, model.explained_variance_
    assert model.n_components_ == F and W.shape == (F, X.shape[1]) and model.n_samples_seen_ == len(X)
    np.testing.assert_allclose(model.mean_, whole.mean_, rtol=0, atol=rounding_of_mean(X))
    np.testing.assert_allclose(model.var_, X.var(axis=0), rtol=0, atol=bound)
    np.testing.assert_allclose(λ, whole.explained_variance_, rtol=0, atol=bound)
    np.testing.assert_allclose(S @ W.T, W.T * λ, rtol=0, atol=5 * bound)
    np.testing.assert_allclose(W @ W.T, np.eye(F), rtol=0, atol=50 * sum(X.shape) * EPS)
    np.testing.assert_array_equal(W, fix_signs(W))
    np.testing.assert_allclose(model.singular_values_, np.sqrt((len(X) - 1) * λ), rtol=4 * EPS)
    np.testing.assert_allclose(model.noise_variance_, whole.noise_variance_, rtol=0, atol=bound)
    total = np.trace(S)
    np.testing.assert_allclose(model.explained_variance_ratio_ * total, whole.explained_variance_ratio_ * total,
                               rtol=0, atol=4 * bound)


@given(batches(5))
def test_all_components_of_all_batches_are_those_of_the_whole(drawn):
    X, parts = drawn
    assert_is_the_pca_of(partially(parts), X)
    assert_is_the_pca_of(partially(parts, X.shape[1]), X)


@given(tables(30, 4, min_rows=8), st.integers(0, 3))
def test_fit_takes_the_rows_in_batches(X, more):
    size = X.shape[1] + more
    for options in (dict(batch_size=max(2, size)), dict()):
        model = IncrementalPCA(**options).fit(X)
        assert model.batch_size_ == options.get("batch_size", 5 * X.shape[1])
        assert_is_the_pca_of(model, X)


@given(batches(5))
def test_every_batch_is_as_good_as_the_whole_so_far(drawn):
    _, parts = drawn
    model = IncrementalPCA()
    for last in range(len(parts)):
        model.partial_fit(parts[last])
        if model.n_samples_seen_ > 1:
            assert_is_the_pca_of(model, np.vstack(parts[:last + 1]))


@given(with_number(tables(12, 6, min_rows=2, kinds=("normal",)), 6, most_components))
def test_one_batch_is_the_whole(drawn):
    X, F = drawn
    assert_is_the_pca_of(IncrementalPCA(F).partial_fit(X), X, F)
    assert_is_the_pca_of(IncrementalPCA(F, batch_size=len(X)).fit(X), X, F)


@given(seeds, st.integers(1, 5), st.integers(2, 4))
def test_truncation_follows_the_definition(seed, F, n_batches):
    X = stretched(10 * n_batches, 5, seed) + 0.1 * np.repeat(np.arange(n_batches), 10)[:, None]      # the mean drifts
    σ, W, n, μ, gap = np.zeros(0), np.zeros((0, 5)), 0, np.zeros(5), np.inf
    for part in np.split(X, n_batches):
        lengths, _ = reference.truncate(reference.merged_scatter_rows(σ, W, n, μ, part), 5)
        gap = min(gap, -np.diff(np.append(lengths, 0))[:F].max())        # an axis is as sure as it stands apart
        σ, W, n, μ = reference.merge(σ, W, n, μ, part, F)
    error = 100 * len(X) * EPS * σ[0]
    for model in (partially(np.split(X, n_batches), F), IncrementalPCA(F, batch_size=10).fit(X)):
        np.testing.assert_allclose(model.singular_values_, σ, rtol=0, atol=error)
        np.testing.assert_allclose(model.explained_variance_, σ**2 / (n - 1), rtol=0, atol=error * σ[0])
        np.testing.assert_allclose(model.explained_variance_ratio_, σ**2 / ((X - X.mean(axis=0)) ** 2).sum(),
                                   rtol=0, atol=error)
        np.testing.assert_allclose(model.components_, W, rtol=0, atol=error / gap)
        np.testing.assert_allclose(model.mean_, X.mean(axis=0), rtol=0, atol=rounding_of_mean(X))
        np.testing.assert_allclose(model.var_, X.var(axis=0), rtol=0, atol=rounding(X))
        assert model.n_samples_seen_ == len(X) and model.n_components_ == F and model.noise_variance_ >= 0


@given(seeds, st.integers(1, 3))
def test_truncation_loses_nothing_of_rows_that_have_no_more_directions(seed, F):
    X = table(24, F, seed) @ axes(F, 6, seed) + 5
    _, S, bound = mean_of(X), covariance(X, mean_of(X)), rounding(X)
    model = partially(np.split(X, 4), F)
    np.testing.assert_allclose(model.components_.T @ np.diag(model.explained_variance_) @ model.components_, S,
                               rtol=0, atol=5 * bound)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, rtol=0, atol=100 * EPS * np.abs(X).max())


@given(batches(4), st.permutations(range(4)))
def test_the_order_of_the_batches_does_not_matter(drawn, order):
    X, parts = drawn
    rest = [parts[1:][i] for i in order if i < len(parts) - 1]
    one, other = partially(parts), partially(parts[:1] + rest)
    np.testing.assert_allclose(other.explained_variance_, one.explained_variance_, rtol=0, atol=2 * rounding(X))
    np.testing.assert_allclose(other.mean_, one.mean_, rtol=0, atol=rounding_of_mean(X))


@given(batches(4), st.integers(-40, 40))
def test_powers_of_two_scale_exactly(drawn, exponent):
    _, parts = drawn
    s = 2.0 ** exponent
    one, other = partially(parts), partially([s * X for X in parts])
    np.testing.assert_array_equal(other.components_, one.components_)
    np.testing.assert_array_equal(other.singular_values_, s * one.singular_values_)
    np.testing.assert_array_equal(other.var_, s * s * one.var_)


@given(seeds, st.sampled_from([-2.0**20, 2.0**20]))
def test_an_offset_costs_no_digits(seed, offset):
    X = np.round(stretched(20, 4, seed) * 2**20) / 2**20 # so that adding the offset does not round
    one, other = partially(np.split(X, 4)), partially(np.split(X + offset, 4))
    np.testing.assert_allclose(other.explained_variance_, one.explained_variance_, rtol=0,
                               atol=2 * rounding(X + offset))
    np.testing.assert_allclose(other.var_, one.var_, rtol=0,
                               atol=2 * rounding(X + offset))


@pytest.mark.parametrize("F", [1, 3, 5])
def test_transforms_as_pca_does(F):
    X, new = stretched(40, 5, 0), stretched(6, 5, 1)
    plain = IncrementalPCA(F).fit(X)
    white = IncrementalPCA(F, whiten=True).fit(X)
    Z = (new - plain.mean_) @ plain.components_.T
    np.testing.assert_allclose(plain.transform(new), Z, rtol=0, atol=1e-14)
    np.testing.assert_allclose(white.transform(new), Z / np.sqrt(plain.explained_variance_), rtol=1e-12, atol=1e-13)
    for model in (plain, white):
        back = model.inverse_transform(model.transform(new))
        np.testing.assert_allclose(back, plain.mean_ + Z @ plain.components_, rtol=0, atol=1e-13)
    whole = IncrementalPCA(whiten=True, batch_size=10).fit(X)
    np.testing.assert_allclose(np.cov(whole.transform(X).T), np.eye(5), rtol=0,
                               atol=100 * rounding(X) / whole.explained_variance_[-1])


def test_fit_forgets_and_partial_fit_does_not():
    X = stretched(30, 3, 0)
    model = IncrementalPCA(batch_size=10).fit(100 * X).fit(X[:20])
    assert_is_the_pca_of(model, X[:20])
    assert_is_the_pca_of(model.partial_fit(X[20:]), X)


def test_no_row_is_lost_at_the_end():
    for N in (29, 30, 31, 32):
        X = stretched(N, 3, 0)
        for options in (dict(), dict(n_components=3), dict(batch_size=10), dict(n_components=3, batch_size=10)):
            assert_is_the_pca_of(IncrementalPCA(**options).fit(X), X)


# --- degenerate data

@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1])
def test_constant_data_have_no_variance(value):
    for whiten in (False, True):
        model = partially([np.full((3, 2), value), np.full((4, 2), value)], whiten=whiten)
        assert model.explained_variance_ratio_.tolist() == [0, 0]
        np.testing.assert_allclose(model.mean_, value, rtol=1e-15)
        np.testing.assert_allclose(model.explained_variance_, 0, atol=(10 * EPS * value) ** 2)
        assert np.isfinite(model.transform([[value + 1, value]])).all()


def test_one_row_has_no_variance_until_the_next_comes():
    X = stretched(7, 3, 0)
    model = IncrementalPCA().partial_fit(X[:1])
    assert model.components_.shape == (1, 3) and model.explained_variance_.tolist() == [0]
    assert model.explained_variance_ratio_.tolist() == [0] and model.var_.tolist() == [0, 0, 0]
    assert model.transform(X[:1]).tolist() == [[0]]
    for x in X[1:]:
        model.partial_fit(x[None])
    assert_is_the_pca_of(model, X)


@pytest.mark.parametrize("scale", [1e150, 1e-150, 1e200, 1e-200, 1e300, 1e-300])
def test_the_ends_of_the_range_give_the_scaled_answer_or_an_error_that_helps(scale):
    X = stretched(10, 3, 0)
    plain = partially(np.split(X, 2))
    try:
        model = partially(np.split(scale * X, 2))
    except ValueError as error:
        assert "X" in str(error) and "scale" in str(error)
        return
    np.testing.assert_allclose(model.components_, plain.components_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(model.explained_variance_ / scale / scale, plain.explained_variance_, rtol=1e-12)
    np.testing.assert_allclose(model.singular_values_ / scale, plain.singular_values_, rtol=1e-12)
    np.testing.assert_allclose(model.var_ / scale / scale, plain.var_, rtol=1e-12)


# --- what comes in

def test_every_layout_gives_the_same():
    X, new = stretched(20, 4, 0), stretched(5, 4, 1)
    model = IncrementalPCA(2, batch_size=8).fit(X)
    Z = model.transform(new)
    for name, same in layouts(X).items():
        np.testing.assert_array_equal(IncrementalPCA(2, batch_size=8).fit(same).components_, model.components_, name)
        np.testing.assert_array_equal(IncrementalPCA(2).partial_fit(same).components_,
                                      IncrementalPCA(2).partial_fit(X).components_, name)
    for name, same in layouts(new).items():
        np.testing.assert_array_equal(model.transform(same), Z, err_msg=name)
    for name, same in layouts(Z).items():
        np.testing.assert_array_equal(model.inverse_transform(same), model.inverse_transform(Z), err_msg=name)


def test_single_precision_stays_single():
    X, eps = stretched(40, 4, 0), np.finfo(np.float32).eps
    double, single = (IncrementalPCA(2, batch_size=10).fit(rows) for rows in (X, X.astype(np.float32)))
    Z = single.transform(X.astype(np.float32))
    for values in (single.components_, single.mean_, single.explained_variance_, Z, single.inverse_transform(Z)):
        assert values.dtype == np.float32
    np.testing.assert_allclose(single.components_, double.components_, rtol=0, atol=500 * eps)
    np.testing.assert_allclose(single.explained_variance_, double.explained_variance_, rtol=500 * eps)
    np.testing.assert_allclose(Z, double.transform(X), rtol=0, atol=500 * eps * np.abs(X).max())


# --- bad input

@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    model = IncrementalPCA(2).fit(table(5, 2, 0))
    for use in (IncrementalPCA().fit, IncrementalPCA().partial_fit, model.partial_fit, model.transform,
                model.inverse_transform):
        with pytest.raises(ValueError, match=message):
            use(bad)


def test_a_refused_batch_leaves_the_model_as_it_was():
    X = stretched(20, 3, 0)
    model = IncrementalPCA().fit(X)
    for bad in ([[1.0, 2, np.nan]], [[1.0, 2]]):
        with pytest.raises(ValueError):
            model.partial_fit(bad)
    assert_is_the_pca_of(model, X)


def test_one_row_has_no_variance():
    with pytest.raises(ValueError, match=r"(?i)1 sample|n_samples=1|two|at least 2"):
        IncrementalPCA().fit([[1.0, 2, 3]])


@pytest.mark.parametrize("options, message", [
    (dict(n_components=4), "n_components=4.*3"),
    (dict(n_components=0), "n_components=0"),
    (dict(n_components=-1), "n_components=-1"),
    (dict(n_components=0.5), "n_components=0.5"),
    (dict(n_components="all"), "n_components='all'"),
    (dict(batch_size=0), "batch_size=0"),
    (dict(batch_size=2.5), "batch_size=2.5"),
])
def test_bad_options(options, message):
    for use in (IncrementalPCA(**options).fit, IncrementalPCA(**options).partial_fit)[:1 + ("n_components" in options)]:
        with pytest.raises(ValueError, match=message):
            use(table(20, 3, 0))


def test_rows_of_another_length():
    model = IncrementalPCA(2).fit(table(9, 3, 0))
    for use in (model.transform, model.partial_fit):
        with pytest.raises(ValueError, match="4 features.*3 features"):
            use(table(5, 4, 0))


def test_has_to_be_fitted_first():
    for use in ("transform", "inverse_transform"):
        with pytest.raises(ValueError, match="not fitted"):
            getattr(IncrementalPCA(), use)(table(5, 2, 0))


# --- columns of very different units, float32, small batches

@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("deviations, offset", [((30_000, 12), 1000), ((5e11, 5, 0.02), 0), ((0.02, 5e9, 1e-8), 0),
                                                ((1e15, 1e-3, 1e6, 3, 1e-9), 0)])
def test_every_column_counts_in_its_own_units(dtype, deviations, offset):
    rng = np.random.default_rng(0)
    X = (offset + rng.normal(size=(400, len(deviations))) * deviations).astype(dtype)
    model, whole = IncrementalPCA(whiten=True).fit(X), PCA(whiten=True).fit(X.astype(float))
    np.testing.assert_allclose(model.explained_variance_, whole.explained_variance_, rtol=1e-6)
    np.testing.assert_allclose(model.transform(X).std(axis=0, ddof=1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.score(X), whole.score(X.astype(float)), rtol=1e-6)
    for F in range(1, len(deviations)):
        some = IncrementalPCA(F).fit(X)
        assert 0.5 < some.noise_variance_ / PCA(F).fit(X.astype(float)).noise_variance_ < 2


def test_a_batch_of_next_to_nothing_is_taken_like_any_other():
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        X = np.concatenate([rng.normal(size=(20, 3)), 1e-14 * rng.normal(size=(20, 3)), np.zeros((5, 3))]).astype(dtype)
        for order in (slice(None), slice(None, None, -1)):
            model = partially([X[order][:20], X[order][20:40], X[order][40:]])
            np.testing.assert_allclose(model.explained_variance_, PCA().fit(X).explained_variance_, rtol=1e-5)
            assert model.components_.dtype == dtype and np.isfinite(model.transform(X[20:21])).all()


def test_what_was_refused_first_is_no_start():
    model = IncrementalPCA(4)
    with pytest.raises(ValueError, match="n_components=4"):
        model.partial_fit(stretched(7, 3, 0))
    assert model.set_params(n_components=2).partial_fit(stretched(7, 3, 0)).n_samples_seen_ == 7
