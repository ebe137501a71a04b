"""Scalers where not all is known, where samples count differently, and where most of a matrix is zeros."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows, dense, sparse_rows
from scratchml.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler
from scratchml.preprocessing.scaling import deviation, extremes, known, mean, merged, of_sparse
from tests.reference import scaling as reference
from tests.strategies.distances import seeds, table
from tests.strategies.scaling import columns

EPS = np.finfo(float).eps
SCALERS = [StandardScaler(), MinMaxScaler((-1, 3)), QuantileTransformer(),
           QuantileTransformer(output_distribution="normal")]
each = pytest.mark.parametrize("scaler", SCALERS, ids=["standard", "min-max", "uniform", "normal"])
each_mover = pytest.mark.parametrize("scaler", SCALERS[:2], ids=["standard", "min-max"])


def fresh(scaler):
    return type(scaler)(**scaler.get_params())


def with_gaps(X, seed, share=0.3):
    """`X` with NaN here and there, but something known in each column."""
    rng = np.random.default_rng(seed)
    gaps = rng.random(X.shape) < share
    gaps[rng.integers(len(X), size=X.shape[1]), np.arange(X.shape[1])] = False
    return np.where(gaps, np.nan, X)


# --- moments by definition, with gaps and weights

@given(columns(12, 4), seeds, st.booleans())
def test_moments_of_what_is_known_as_it_counts(X, seed, weighted):
    X = with_gaps(X, seed)
    w = np.random.default_rng(seed).choice([0.5, 1.0, 3.0], size=len(X)) if weighted else None
    m = reference.mean(X, w)
    largest, spread = np.nanmax(np.abs(X), axis=0), np.nanmax(X, axis=0) - np.nanmin(X, axis=0)
    np.testing.assert_array_equal(known(X, w), reference.known(X, w))
    assert (np.abs(mean(X, w) - m) <= EPS * largest + (2 * len(X) + 4) * EPS * spread).all()
    s = reference.deviation(X, m, w)
    assert (np.abs(deviation(X, m, w) - s) <= (len(X) + 6) * EPS * s).all()


@given(columns(9, 3), seeds)
def test_a_weight_is_as_many_copies(X, seed):
    w = np.random.default_rng(seed).integers(0, 4, size=len(X))
    w[0] += 1
    one, other = StandardScaler().fit(X, sample_weight=w), StandardScaler().fit(np.repeat(X, w, axis=0))
    assert one.n_samples_seen_ == other.n_samples_seen_ == w.sum()
    bound = 60 * EPS * np.abs(X).max(axis=0)
    assert (np.abs(one.mean_ - other.mean_) <= bound).all()
    assert (np.abs(one._deviation - other._deviation) <= bound).all()


def test_weights_of_all_alike_change_nothing():
    X = table(20, 3, 0)
    np.testing.assert_array_equal(StandardScaler().fit(X, sample_weight=np.full(20, 4.0)).transform(X),
                                  StandardScaler().fit(X).transform(X))


@pytest.mark.parametrize("bad, message", [
    ([1.0, 2], r"sample_weight.*\(5,\)"), ([1, 1, 1, 1, -1.0], "negative"), (np.zeros(5), "every weight is zero"),
    ([1, 1, 1, 1, np.nan], "NaN"),
])
def test_bad_weights(bad, message):
    with pytest.raises(ValueError, match=message):
        StandardScaler().fit(table(5, 2, 0), sample_weight=bad)


def test_a_sample_without_weight_may_be_anything():
    X = np.vstack([table(6, 2, 0), [[1e290, -1e290]]])
    w = np.append(np.ones(6), 0)
    np.testing.assert_array_equal(StandardScaler().fit(X, sample_weight=w).scale_, StandardScaler().fit(X[:6]).scale_)


# --- what is not known

@given(columns(12, 4), seeds)
@each
def test_gaps_stay_gaps_and_the_rest_is_scaled_as_without_them(scaler, X, seed):
    X = with_gaps(X, seed)
    scaler = fresh(scaler).fit(X)
    Z = scaler.transform(X)
    np.testing.assert_array_equal(np.isnan(Z), np.isnan(X))
    np.testing.assert_array_equal(np.isnan(scaler.inverse_transform(Z)), np.isnan(X))
    for d in range(X.shape[1]):
        there = ~np.isnan(X[:, d])
        alone = fresh(scaler)
        if isinstance(scaler, QuantileTransformer):      # as many quantiles as samples
            alone.n_quantiles = len(X)
            if there.sum() < len(X):
                continue
        np.testing.assert_allclose(Z[there, d], alone.fit_transform(X[there, d:d + 1])[:, 0], rtol=1e-9, atol=1e-9)


def test_quantiles_of_what_is_known():
    X = np.array([[3.0, np.nan], [np.nan, 7], [1, np.nan], [2, np.nan]])
    scaler = QuantileTransformer(n_quantiles=3).fit(X)
    assert scaler.quantiles_.tolist() == [[1, 7], [2, 7], [3, 7]]
    np.testing.assert_array_equal(scaler.transform([[2.5, np.nan], [np.nan, 8]]), [[0.75, np.nan], [np.nan, 1]])


@each
def test_of_a_column_of_which_nothing_is_known_nothing_is(scaler):
    X = table(6, 2, 0)
    X[:, 1] = np.nan
    scaler = fresh(scaler).fit(X)
    Z = scaler.transform(table(4, 2, 1))
    assert np.isfinite(Z[:, 0]).all() and np.isnan(Z[:, 1]).all() and np.isnan(scaler.inverse_transform(Z)[:, 1]).all()
    np.testing.assert_allclose(Z[:, 0], fresh(scaler).fit(X[:, :1]).transform(table(4, 2, 1)[:, :1])[:, 0], rtol=1e-12)


def test_how_many_were_seen_is_said_by_column_where_they_differ():
    X = np.array([[1.0, np.nan], [3, 5], [8, 7]])
    scaler = StandardScaler().fit(X)
    assert scaler.n_samples_seen_.tolist() == [3, 2] and scaler.mean_.tolist() == [4, 6]
    assert StandardScaler().fit(X[1:]).n_samples_seen_ == 2
    assert MinMaxScaler().fit(X).n_samples_seen_ == 3


@given(columns(14, 3, min_rows=4), seeds)
@each_mover
def test_in_parts_with_gaps_is_the_same_as_at_once(scaler, X, seed):
    X = with_gaps(X, seed, 0.6)
    at_once, in_parts = fresh(scaler).fit(X), fresh(scaler)
    for part in np.array_split(X, 3):                    # of some columns a part may know nothing
        in_parts.partial_fit(part)
    Z = at_once.transform(X)
    varied = at_once.scale_ != 1
    np.testing.assert_allclose(in_parts.transform(X)[:, varied], Z[:, varied], rtol=0, atol=1e-6)


def test_what_one_part_knows_nothing_of_is_as_in_the_other():
    n, m, s = merged(np.array([0.0, 3, 0]), np.array([np.nan, 1, np.nan]), np.array([np.nan, 2, np.nan]),
                     np.array([4.0, 0, 0]), np.array([5, np.nan, np.nan]), np.array([6, np.nan, np.nan]))
    np.testing.assert_array_equal(n, [4, 3, 0])
    np.testing.assert_array_equal(m, [5, 1, np.nan])
    np.testing.assert_array_equal(s, [6, 2, np.nan])


def test_clipping_leaves_gaps():
    scaler = MinMaxScaler(clip=True).fit([[0.0], [2]])
    np.testing.assert_array_equal(scaler.transform([[np.nan], [9]]), [[np.nan], [1]])


# --- sparse rows

@st.composite
def mostly_zeros(draw):
    X = draw(columns(12, 4))
    return np.where(np.random.default_rng(draw(seeds)).random(X.shape) < 0.6, 0, X)


@given(mostly_zeros(), seeds, st.booleans(), st.booleans())
def test_moments_of_sparse_rows_are_those_of_the_matrix(X, seed, weighted, gaps):
    X = with_gaps(X, seed) if gaps else X
    w = np.random.default_rng(seed).choice([0.5, 1.0, 3.0], size=len(X)) if weighted else None
    n, m, s, low, high = of_sparse(sparse_rows(X), w)
    largest = np.nanmax(np.abs(X), axis=0)
    expected = reference.mean(X, w)
    np.testing.assert_allclose(n, reference.known(X, w), rtol=4 * EPS)
    assert (np.abs(m - expected) <= (len(X) + 8) * EPS * largest).all()
    assert (np.abs(s - reference.deviation(X, expected, w)) <= (len(X) + 20) * EPS * largest).all()
    np.testing.assert_array_equal([low, high], extremes(X))


@given(mostly_zeros())
def test_sparse_rows_are_scaled_as_the_matrix(X):
    rows = sparse_rows(X)
    one, other = StandardScaler(with_mean=False).fit(rows), StandardScaler(with_mean=False).fit(X)
    np.testing.assert_allclose(one.scale_, other.scale_, rtol=1e-10)
    Z = one.transform(rows)
    assert isinstance(Z, Rows) and Z.indices is rows.indices
    np.testing.assert_allclose(dense(Z), one.transform(X), rtol=4 * EPS)
    np.testing.assert_allclose(dense(one.inverse_transform(Z)), X, rtol=8 * EPS)
    assert one.n_samples_seen_ == len(X)


def test_sparse_rows_in_parts_with_weights_and_without_deviation():
    X = np.array([[0.0, 2, 0], [0, 0, 3], [5, 0, 0], [0, 4, 9]])
    parts = StandardScaler(with_mean=False)
    for some in (X[:2], X[2:]):
        parts.partial_fit(sparse_rows(some), sample_weight=[1, 0])
    whole = StandardScaler(with_mean=False).fit(X[[0, 2]])
    np.testing.assert_allclose(parts.scale_, whole.scale_, rtol=1e-12)
    left = StandardScaler(with_mean=False, with_std=False).fit(sparse_rows(X))
    np.testing.assert_array_equal(left.transform(sparse_rows(X)).data, sparse_rows(X).data)


def test_bad_sparse_rows():
    rows = sparse_rows(np.eye(3))
    with pytest.raises(ValueError, match="with_mean=True.*with_mean=False"):
        StandardScaler().fit(rows)
    scaler = StandardScaler(with_mean=False)
    with pytest.raises(ValueError, match="not fitted"):
        scaler.transform(rows)
    scaler.fit(rows)
    with pytest.raises(ValueError, match="X has 2 features.*3"):
        scaler.transform(sparse_rows(np.eye(2)))
    with pytest.raises(ValueError, match="inf"):
        scaler.fit(rows._replace(data=np.array([1, np.inf, 2])))
    with pytest.raises(ValueError, match="1e\\+301.*divide"):
        scaler.fit(rows._replace(data=np.array([1, 1e301, 2])))
    np.testing.assert_array_equal(scaler.transform(rows).data, np.full(3, 3 / np.sqrt(2)))


def test_a_column_of_gaps_in_sparse_rows_is_not_known():
    rows = sparse_rows(np.array([[1.0, 2], [1, 0], [1, 4]]))
    rows = rows._replace(data=np.where(rows.indices == 0, np.nan, rows.data))
    scaler = StandardScaler(with_mean=False).fit(rows)
    np.testing.assert_array_equal(np.isnan(scaler.scale_), [True, False])
    np.testing.assert_allclose(scaler.mean_[1], 2)
    np.testing.assert_array_equal(np.isnan(scaler.transform(rows).data), rows.indices == 0)


def test_float32_rows_stay_so():
    rows = sparse_rows(np.array([[0.0, 3], [7, 1]]))
    rows = rows._replace(data=rows.data.astype(np.float32))
    assert StandardScaler(with_mean=False).fit(rows).transform(rows).data.dtype == np.float32


def test_rows_without_an_entry_are_zeros():
    rows = sparse_rows(np.zeros((3, 2)))
    scaler = StandardScaler(with_mean=False).fit(rows)
    assert scaler.scale_.tolist() == [1, 1] and scaler.mean_.tolist() == [0, 0]
    assert scaler.transform(rows).data.size == 0
