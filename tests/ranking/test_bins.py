"""Bins are shared out as the definition says, whatever the feature looks like."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.ranking import bins
from scratchml.ranking.bins import bin_edges, binned, bins_of, shares
from tests.reference import bins as reference
from tests.strategies.bins import KINDS, feature, feature_table, features
from tests.strategies.distances import seeds


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(2, 9))
def test_shares(counts, B):
    c = np.cumsum(counts)
    assert shares(c, B).tolist() == reference.shares(c.tolist(), B)


@given(features(), features())
def test_bins_of(x, other):
    e = np.unique(other[~np.isnan(other)])
    assert bins_of(x, e).tolist() == reference.bins_of(x.tolist(), e.tolist())


@given(features(), st.integers(2, 30))
def test_edges_and_bins_of_a_feature(x, B):
    e = bin_edges(x[:, None], B)
    assert e[0].tolist() == reference.edges(x.tolist(), B) and len(e[0]) < B
    table = binned(x[:, None], e)
    assert table.by_feature[0].tolist() == reference.bins_of(x.tolist(), e[0].tolist())
    np.testing.assert_array_equal(table.by_row, table.by_feature.T)


@given(seeds, st.sampled_from([np.float64, np.float32]))
def test_a_table_is_its_features(seed, dtype):
    assert_features(feature_table(40, 3, seed, kinds=("normal", "ties", "infinite")).astype(dtype))


def test_a_table_of_several_chunks_is_its_features():
    assert_features(feature_table(2 * bins.BLOCK * 8 + 3, 3, 0))


def assert_features(X):
    edges = bin_edges(X, 17)
    table = binned(X, edges)
    for f in range(3):
        np.testing.assert_array_equal(edges[f], bin_edges(X[:, f:f + 1], 17)[0])
        np.testing.assert_array_equal(table.by_feature[f], bins_of(X[:, f], edges[f]))
    np.testing.assert_array_equal(table.by_row, table.by_feature.T)
    assert table.by_row.flags.c_contiguous and table.by_feature.flags.c_contiguous


# --- laws

@given(seeds, st.sampled_from(KINDS), st.integers(2, 12))
def test_edges_are_values_and_every_bin_has_rows(seed, kind, B):
    x = feature(50, seed, kind)
    e = bin_edges(x[:, None], B)[0]
    assert np.isin(e, x).all() and (e[1:] > e[:-1]).all()
    b = bins_of(x, e)
    assert set(b[~np.isnan(x)]) == set(range(len(e) + 1)) and (b[np.isnan(x)] == 255).all()


@given(seeds, st.integers(2, 12))
def test_order_of_rows_and_monotone_scales_leave_the_bins(seed, B):
    x = feature(50, seed, "ties")[:, None]
    mixed = np.random.default_rng(seed).permutation(50)
    e = bin_edges(x, B)
    np.testing.assert_array_equal(bin_edges(x[mixed], B)[0], e[0])
    scaled = bin_edges(np.exp(x), B)
    np.testing.assert_array_equal(scaled[0], np.exp(e[0]))
    np.testing.assert_array_equal(binned(np.exp(x), scaled).by_row, binned(x, e).by_row)


def test_without_ties_bins_hold_equal_shares():
    x = np.random.default_rng(0).normal(size=1000)[:, None]
    sizes = np.bincount(binned(x, bin_edges(x, 32)).by_row[:, 0])
    assert len(sizes) == 32 and set(sizes) == {31, 32}


def test_few_values_have_a_bin_each_and_a_frequent_one_costs_no_others():
    x = np.repeat([3.0, 1, 7], [1, 500, 2])[:, None]
    assert bin_edges(x)[0].tolist() == [1, 3]
    x = np.repeat([1.0, 3, 7], [1, 1, 500])[:, None]
    assert bin_edges(x, 3)[0].tolist() == [1, 3] and bin_edges(x, 2)[0].tolist() == [3]
    x = np.append(np.zeros(900), np.arange(1, 101))[:, None]
    assert len(bin_edges(x, 50)[0]) > 45


# --- borders

def test_infinities_and_signed_zeros():
    x = np.array([np.inf, -np.inf, 1, np.nan, -0.0, 0.0])[:, None]
    e = bin_edges(x)
    assert e[0].tolist() == [-np.inf, 0, 1] and not np.signbit(e[0][1])
    assert binned(x, e).by_row[:, 0].tolist() == [3, 0, 2, 255, 1, 1]
    assert bin_edges(-x[4:])[0].tolist() == []
    assert not np.signbit(bin_edges([[-0.0], [1]])[0])


def test_features_of_one_value_or_none_have_no_edges():
    X = np.column_stack([np.full(5, np.nan), np.full(5, 7.0), [np.nan, 1, 1, 1, np.nan]])
    edges = bin_edges(X)
    assert [len(e) for e in edges] == [0, 0, 0]
    assert binned(X, edges).by_row.tolist() == [[255, 0, 255]] + 3 * [[255, 0, 0]] + [[255, 0, 255]]


def test_new_rows_fall_into_the_bins_of_the_old():
    edges = bin_edges([[1.0], [2], [4]])
    assert binned([[-9.0], [1], [1.5], [3], [4], [9], [np.inf]], edges).by_row[:, 0].tolist() == [0, 0, 1, 2, 2, 2, 2]


@pytest.mark.parametrize("change", [
    np.asfortranarray, lambda X: X.astype(np.float32), lambda X: X.astype(np.int8), lambda X: X.tolist(),
    lambda X: X.astype(object), lambda X: np.repeat(X, 2, 0)[::2]])
def test_containers(change):
    X = np.random.default_rng(0).integers(-5, 6, (40, 3)).astype(float)
    edges = bin_edges(change(X), 6)
    for f in range(3):
        np.testing.assert_array_equal(edges[f], bin_edges(X, 6)[f])
        assert edges[f].dtype == np.float64
    np.testing.assert_array_equal(binned(change(X), edges).by_row, binned(X, edges).by_row)


@pytest.mark.parametrize("call, message", [
    (lambda: bin_edges([[1.0]], 1), "max_bin=1"),
    (lambda: bin_edges([[1.0]], 256), "max_bin=256: expected at most 255"),
    (lambda: bin_edges([1.0, 2]), "Expected 2D"), (lambda: bin_edges([["a"]]), "expected numbers"),
    (lambda: bin_edges(np.empty((0, 2))), "minimum of 1"), (lambda: bin_edges([[1.0]], 7.0), "max_bin"),
    (lambda: binned([[1.0, 2]], bin_edges([[1.0]])),
     "expected 1 features, as many as there are arrays of edges, got 2"),
    (lambda: binned([[1.0]], [[3.0, 1]]), "rising, as bin_edges finds them, got .* for feature 0"),
    (lambda: binned([[1.0]], [[1.0, 1]]), "rising"), (lambda: binned([[1.0]], [np.arange(255)]), "at most 254 numbers"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
