"""The four tests against their definitions, numbers of others, and laws; and all columns of a table at once."""
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.jit import run_chunks
from scratchml.core.rank_laws import kolmogorov_sf
from scratchml.timeseries import relevance_tests as ours
from scratchml.timeseries.relevance_tests import fisher_exact, kendall_tau, kolmogorov_smirnov, mann_whitney
from tests.reference import relevance_tests as reference
from tests.strategies.distances import seeds
from tests.strategies.relevance_tests import columns, samples, tables, values_of


def same(found, expected, digits=1e-11):
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=digits, abs=1e-300, nan_ok=True)


# --- against the definition

@given(samples())
def test_mann_whitney_is_its_definition(drawn):
    same(mann_whitney(*drawn), reference.mann_whitney(*drawn))


@given(samples())
def test_kolmogorov_smirnov_is_its_definition(drawn):
    same(kolmogorov_smirnov(*drawn), reference.kolmogorov_smirnov(*drawn))


@given(columns())
def test_kendall_tau_is_its_definition(drawn):
    same(kendall_tau(*drawn), reference.kendall_tau(*drawn))


@given(tables)
def test_fisher_exact_is_its_definition(table):
    same(fisher_exact(*table), reference.fisher_exact(*table))


# --- numbers

def test_published_and_computed_numbers():
    """Fisher's tea and twins are in his papers; the others were computed with SciPy 1.17.1."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=40).round(1)
    y = (0.4 * x + rng.normal(size=40)).round(1)
    b = rng.random(40) < 0.4
    same(mann_whitney(x[b], x[~b]), (240.5, 0.2786413699), 1e-9)
    same(kolmogorov_smirnov(x[b], x[~b]), (0.25, 0.571336004934), 1e-11)
    same(kendall_tau(x, y), (0.290218241608, 0.009806308859), 1e-9)
    same(mann_whitney(np.array([1.1, 2.2, 3.3]), np.array([0.5, 4, 5, 6, 7])), (3, 0.25))
    same(fisher_exact(8, 2, 1, 5), (20, 0.034965034965), 1e-11)
    same(fisher_exact(3, 1, 1, 3), (9, 34 / 70))
    assert fisher_exact(10, 3, 2, 15)[1] == pytest.approx(0.0005367, rel=1e-4)


# --- laws

@given(samples())
def test_the_samples_can_change_places(drawn):
    x, y = drawn
    same(mann_whitney(x, y)[1:], mann_whitney(y, x)[1:])
    assert mann_whitney(x, y)[0] + mann_whitney(y, x)[0] == len(x) * len(y)
    same(kolmogorov_smirnov(x, y), kolmogorov_smirnov(y, x))


@given(samples())
def test_only_the_order_counts(drawn):
    x, y = drawn
    assert mann_whitney(np.exp(x), np.exp(y)) == mann_whitney(x, y)
    assert kolmogorov_smirnov(-x**3, -y**3) == kolmogorov_smirnov(-x, -y)


@given(columns())
def test_tau_changes_its_sign_with_the_order(drawn):
    x, y = drawn
    τ, p = kendall_tau(x, y)
    assert kendall_tau(y, x) == (τ, p) and kendall_tau(-x, y) == (-τ, p)
    assert abs(τ) <= 1 + 1e-12 and 0 <= p <= 1


@given(tables)
def test_rows_and_columns_of_a_table_can_change_places(table):
    a, b, c, d = table
    p = fisher_exact(*table)[1]
    for turned in (a, c, b, d), (c, d, a, b), (b, a, d, c):
        assert fisher_exact(*turned)[1] == pytest.approx(p, rel=1e-11)
    assert 0 < p <= 1


def test_p_is_as_often_below_a_level_as_the_level_says():
    """Where nothing is there: not more often, and Mann and Whitney's and Kendall's nearly as often."""
    rng = np.random.default_rng(0)
    p = np.array([(mann_whitney(x[:30], x[30:])[1], kolmogorov_smirnov(x[:30], x[30:])[1], kendall_tau(x, z)[1])
                  for x, z in rng.normal(size=(400, 2, 50))])
    for level in 0.05, 0.2:
        shares, error = (p <= level).mean(axis=0), math.sqrt(level * (1 - level) / 400)
        assert (shares < level + 3 * error).all() and (shares[[0, 2]] > level - 3 * error).all()


def test_the_exact_law_and_the_limit_join():
    """The largest sample of few, and the smallest of many, far from one another and near."""
    for shift in 0.0, 0.5, 1.5:
        p = [mann_whitney(values_of(n, "normal", 3) + shift, values_of(20, "normal", 4))[1] for n in (8, 9)]
        x = np.sort(values_of(8, "normal", 3) + shift)
        U = sum((x[:, None] > values_of(20, "normal", 4)).ravel())
        z = (abs(U - 80) - 0.5) / math.sqrt(160 / 12 * 29)
        assert p[0] == pytest.approx(min(1, math.erfc(z / math.sqrt(2))), rel=0.1, abs=1e-3)


def test_beyond_ten_thousand_values_the_limit_serves():
    assert ours.kolmogorov_smirnov_p(300, 10_001, 7) == kolmogorov_sf(300 / 70_007 * math.sqrt(70_007 / 10_008))


# --- all columns at once

def sorted_columns(X):
    orders = np.argsort(X, axis=1, kind="stable")
    return np.take_along_axis(X, orders, axis=1), orders


def drawn_columns(N, seed):
    kinds = ("normal", "rounded", "two values", "shifted", "rounded", "two values", "apart")
    X = np.stack([values_of(N, kind, seed + k) for k, kind in enumerate(kinds)])
    X[:, 0], X[:, -1] = 3.0, -1.0                        # no column is constant
    return X


@given(st.integers(3, 30), st.integers(2, 4), seeds)
def test_columns_against_classes_are_the_tests_one_by_one(N, K, seed):
    X, codes = drawn_columns(N, seed), np.random.default_rng(seed).integers(0, K, N)
    codes[:2] = 0, 1
    codes = np.unique(codes, return_inverse=True)[1]
    sizes = np.bincount(codes)
    for kernel, test in (ours.by_class, mann_whitney), (ours.by_class_in_any_way, kolmogorov_smirnov):
        P = np.empty((len(X), len(sizes)))
        kernel(0, 0, len(X), *sorted_columns(X), codes, sizes, P)
        for f, x in enumerate(X):
            for k in range(len(sizes)):
                inside, high = codes == k, x > x.min()
                p = test(x[inside], x[~inside])[1] if len(set(x)) > 2 else fisher_exact(
                    *(int((a & b).sum()) for a in (high, ~high) for b in (inside, ~inside)))[1]
                assert P[f, k] == pytest.approx(p, rel=1e-11)


@given(st.integers(2, 40), seeds, st.sampled_from(["normal", "rounded", "two values"]))
def test_columns_against_numbers_are_the_tests_one_by_one(N, seed, kind):
    X, y = drawn_columns(N, seed), values_of(N, kind, seed + 99)
    y[0] = y[-1] + 2
    by_y = np.argsort(y, kind="stable")
    P = np.empty((len(X), 1))
    ours.by_value(0, 0, len(X), *sorted_columns(X[:, by_y]), y[by_y], P)
    for x, (found,) in zip(X, P):
        low = x == x.min()
        p = kendall_tau(x, y)[1] if len(set(x)) > 2 else kolmogorov_smirnov(y[low], y[~low])[1]
        assert found == pytest.approx(p, rel=1e-11)


@given(st.lists(st.integers(0, 5), max_size=40))
def test_inversions_are_counted_and_values_sorted(values):
    y = np.array(values, float)
    expected = sum(values[i] > values[j] for j in range(len(values)) for i in range(j))
    assert ours.inversions(y, np.empty_like(y)) == expected and y.tolist() == sorted(values)
