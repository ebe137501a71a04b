"""Quantiles against their definitions in exact arithmetic; what all scalers have in common is tested with scaling."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.preprocessing import QuantileTransformer
from scratchml.preprocessing.quantiles import (END, empirical_levels, empirical_quantiles, normal_levels,
                                               normal_quantiles, quantiles)
from tests.preprocessing.test_scaling import assert_close
from tests.reference import quantiles as reference
from tests.strategies.distances import seeds, table, tables
from tests.strategies.quantiles import distributions, levels
from tests.strategies.scaling import columns

EPS = np.finfo(float).eps

# --- equal to the definition

@given(columns(12, 4), st.integers(1, 15))
def test_quantiles_lie_between_the_samples_in_order(X, K):
    expected = reference.quantiles(X, K)
    Q = quantiles(X, K)
    assert_close(Q, expected, 2 * EPS * np.abs(X).max(axis=0))
    assert (np.diff(Q, axis=0) >= 0).all()
    np.testing.assert_array_equal(Q[0], X.min(axis=0))
    if K > 1:
        np.testing.assert_array_equal(Q[-1], X.max(axis=0))


@given(columns(12, 4))
def test_as_many_quantiles_as_samples_are_the_samples(X):
    np.testing.assert_array_equal(quantiles(X, len(X)), np.sort(X, axis=0))
    np.testing.assert_array_equal(quantiles(X, 3 * len(X) - 2)[::3], np.sort(X, axis=0))


@given(distributions(8, 3, 9))
def test_empirical_levels_are_exact_to_rounding(drawn):
    X, Q = drawn
    expected = reference.empirical_levels(X, Q)
    assert_close(empirical_levels(X, Q), expected, 4 * EPS * expected)


@given(distributions(8, 3, 9), seeds)
def test_empirical_quantiles_are_exact_to_rounding(drawn, seed):
    X, Q = drawn
    P = levels(*X.shape, seed)
    bound = 4 * EPS * np.abs(Q).max(axis=0) + 2 * len(Q) * EPS * np.ptp(Q, axis=0)
    assert_close(empirical_quantiles(P, Q), reference.empirical_quantiles(P, Q), bound)
    assert_close(empirical_quantiles(3 * P - 1, Q), reference.empirical_quantiles((3 * P - 1).clip(0, 1), Q), 3 * bound)


def test_normal_levels_are_as_exact_as_stated():
    Z = np.concatenate([np.random.default_rng(0).uniform(-8, 8, size=60), [0, 1e-9, -1e-9, 5.2, -5.2, 8.2, -12]])[None]
    expected = reference.normal_levels(Z)
    assert_close(normal_levels(Z), expected, (2 + Z * Z) * EPS * expected)


def test_normal_quantiles_are_as_exact_as_stated():
    P = np.concatenate([levels(60, 1, 0)[:, 0], [0.5, 0.25, 0.075, 0.9, 1e-7, 1e-30, 0.5 + EPS, 1 - EPS / 2]])[None]
    P = P[(P > 0) & (P < 1)][None]
    expected = reference.normal_quantiles(P)
    assert_close(normal_quantiles(P), expected, 4 * EPS * np.maximum(1, np.abs(expected)))


def test_the_ends_of_the_normal_distribution():
    assert normal_quantiles(np.array([[0.0, 1.0]])).tolist() == [[-np.inf, np.inf]]
    assert normal_levels(np.array([[-np.inf, np.inf, 0.0]])).tolist() == [[0, 1, 0.5]]
    smallest = normal_quantiles(np.array([[5e-324, 1e-300]]))
    assert_close(smallest, [[-38.467405617144344, -37.0471]], [[1e-2, 1e-4]])
    np.testing.assert_allclose(END, normal_quantiles(np.array([[1 - 1e-7]])), rtol=1e-9)


# --- ranks

@given(columns(14, 3), st.integers(1, 20), st.sampled_from(["uniform", "normal"]), seeds)
def test_levels_rise_with_the_values_and_lead_back(X, K, distribution, seed):
    scaler = QuantileTransformer(n_quantiles=K, output_distribution=distribution).fit(X)
    new = np.vstack([X, X.mean(axis=0), X.min(axis=0), X.max(axis=0)])
    new += np.ptp(X, axis=0) * np.random.default_rng(seed).normal(size=new.shape)
    Z = scaler.transform(new)
    assert (np.diff(np.take_along_axis(Z, new.argsort(axis=0), axis=0), axis=0) >= -4 * EPS * END).all()
    low, high = (-END, END) if distribution == "normal" else (0, 1)
    Q = scaler.quantiles_
    assert ((Z >= low) & (Z <= high)).all()
    np.testing.assert_array_equal(Z[new <= Q[0]], low)
    np.testing.assert_array_equal(Z[(new >= Q[-1]) & (new > Q[0])], high)
    back = scaler.inverse_transform(Z)
    off = 1e-7 * len(Q) if distribution == "normal" else 8 * len(Q) * EPS        # what is cut off comes back as an end
    assert_close(back, new.clip(Q[0], Q[-1]), off * np.ptp(Q, axis=0) + 8 * EPS * np.abs(Q).max(axis=0))


@given(tables(14, 3, min_rows=2, kinds=("normal", "scaled 1e8")), st.sampled_from(["uniform", "normal"]))
def test_with_a_quantile_a_sample_only_ranks_count(X, distribution):
    scaler = QuantileTransformer(output_distribution=distribution)
    ranks = X.argsort(axis=0).argsort(axis=0)
    Z = scaler.fit_transform(X)
    np.testing.assert_array_equal(scaler.fit_transform(ranks), Z)
    np.testing.assert_array_equal(scaler.fit_transform(np.exp(-ranks / 3.0)), scaler.fit_transform(-ranks))
    if distribution == "uniform":
        assert_close(Z, ranks / (len(X) - 1), EPS)


@given(tables(14, 3, min_rows=2, kinds=("integer grid", "normal", "duplicates")))
def test_a_mirrored_column_has_mirrored_normal_scores(X):
    X[0, np.ptp(X, axis=0) == 0] += 1                    # a constant column has no middle
    scaler = QuantileTransformer(output_distribution="normal")
    assert_close(scaler.fit_transform(-X), -scaler.fit_transform(X), 40 * len(X) * EPS * END)


@given(tables(14, 3))
def test_ties_go_to_the_middle_of_their_levels(X):
    scaler = QuantileTransformer().fit(X)
    last = max(1, len(X) - 1)
    Z, ordered = scaler.transform(X), np.sort(X, axis=0)
    for (i, d), x in np.ndenumerate(X):
        first, end = np.searchsorted(ordered[:, d], x), np.searchsorted(ordered[:, d], x, side="right") - 1
        middle = 0 if x == ordered[0, d] else 1 if x == ordered[-1, d] else (first + end) / 2 / last
        assert_close(Z[i, d], middle, EPS)


def test_by_hand():
    X = np.array([[5.0], [1], [2], [2], [9]])            # in order 1 2 2 5 9, of levels 0 .25 .5 .75 1
    scaler = QuantileTransformer().fit(X)
    assert scaler.quantiles_.ravel().tolist() == [1, 2, 2, 5, 9] and scaler.n_quantiles_ == 5
    assert scaler.references_.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert scaler.transform([[0.0], [1], [1.5], [2], [3.5], [5], [7], [9], [10]]).ravel().tolist() == \
        [0, 0, 0.125, 0.375, 0.625, 0.75, 0.875, 1, 1]
    assert scaler.inverse_transform([[-1.0], [0.125], [0.3], [0.625], [1], [2]]).ravel().tolist() == \
        [1, 1.5, 2, 3.5, 9, 9]
    assert QuantileTransformer(n_quantiles=3).fit(X).quantiles_.ravel().tolist() == [1, 2, 9]
    assert QuantileTransformer(n_quantiles=1).fit(X).transform(X).ravel().tolist() == [1, 0, 1, 1, 1]


def test_a_column_can_be_made_normal():
    X = np.random.default_rng(0).exponential(size=(1001, 1))
    Z = QuantileTransformer(n_quantiles=1001, output_distribution="normal").fit_transform(X)
    some = np.arange(20, 1000, 98)
    assert_close(np.sort(Z, axis=0)[some], reference.normal_quantiles(some[:, None] / 1000), 40 * EPS * END)
    assert Z.min() == -END and Z.max() == END


def test_no_more_quantiles_than_samples():
    X = table(30, 2, 0)
    assert QuantileTransformer().fit(X).quantiles_.shape == (30, 2)
    assert QuantileTransformer(n_quantiles=7).fit(X).quantiles_.shape == (7, 2)
    for K, levels_of_them in [(1, [0]), (2, [0, 1]), (3, [0, 0.5, 1])]:
        scaler = QuantileTransformer(n_quantiles=K).fit(X)
        assert scaler.references_.tolist() == levels_of_them and scaler.n_quantiles_ == K


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_of_the_normal_scores_lead_back_to_the_ends(dtype):
    X = np.linspace(3, 11, 50, dtype=dtype)[:, None]
    scaler = QuantileTransformer(output_distribution="normal").fit(X)
    Z = scaler.transform(X)
    assert scaler.inverse_transform(Z)[[0, -1]].ravel().tolist() == [3, 11]
    assert scaler.inverse_transform([[-40.0], [40]]).ravel().tolist() == [3, 11]
    assert scaler.inverse_transform([[0.0]]).ravel().tolist() == [7]
