"""Sums over pieces against products of columns written out."""
import numpy as np
from hypothesis import given, strategies as st

from scratchml.timeseries.trend_season_sums import (
    column_gram, column_products, column_pulls, column_sums, pieces, trend_products, weighted_products)
from tests.reference import trend_season_sums as reference
from tests.strategies.trend_season import cases

seeds = st.integers(0, 2**32 - 1)


@given(cases, seeds)
def test_products_are_their_definitions(drawn, seed):
    t, s, X = drawn["t"], drawn["s"], drawn["X"]
    p = np.random.default_rng(seed).normal(size=len(t))
    near = dict(rtol=1e-9, atol=1e-11 * len(t))
    np.testing.assert_allclose(trend_products(t, s, p), reference.trend_products(t, s, p), **near)
    if X.shape[1]:
        np.testing.assert_allclose(column_products(t, s, X), reference.column_products(t, s, X), **near)


@given(cases, seeds)
def test_columns_that_multiply_are_multiplied(drawn, seed):
    t, s, X, u, β, g = (drawn[name] for name in ("t", "s", "X", "u", "β", "g"))
    (places, starts), rng = pieces(t, s), np.random.default_rng(seed)
    a, b, r = rng.normal(size=(3, len(t)))
    scaled, near = X * np.where(u, g[:, None], 1), dict(rtol=1e-10, atol=1e-11 * len(t))
    np.testing.assert_allclose(column_gram(X, g, u), scaled.T @ scaled, **near)
    wide = np.tile(X, 14)[:, :66]
    np.testing.assert_allclose(column_gram(wide, g, np.ones(wide.shape[1])),
                               (wide * g[:, None]).T @ (wide * g[:, None]),
                               **near)
    pulls, times, plus = np.zeros(len(u)), np.empty(len(t)), np.empty(len(t))
    column_pulls(X, r, r * g, u, pulls)
    np.testing.assert_allclose(pulls, scaled.T @ r, **near)
    column_sums(X, u, β, times, plus)
    np.testing.assert_allclose(times, 1 + X @ (u * β), **near)
    np.testing.assert_allclose(plus, X @ ((1 - u) * β), **near)
    B = np.array(reference.columns_of_trend(t, s))
    np.testing.assert_allclose(weighted_products(t, starts, places, X, a, b, u),
                               B.T @ (X * np.where(u, b[:, None], a[:, None])), **near)


def test_products_lose_no_digits_where_bends_are_close():
    t = np.linspace(0, 1, 400)
    s = np.array([0.999, 0.9991, 0.9992])
    H = trend_products(t, s, np.ones(400))
    np.testing.assert_allclose(H, reference.trend_products(t, s, np.ones(400)), rtol=1e-12)


def test_many_bends():
    t = np.linspace(0, 1, 5000)
    s = np.linspace(0.001, 0.9, 500)
    H = trend_products(t, s, np.ones(5000))
    B = np.column_stack([np.ones(5000), t, *np.maximum(t - s[:, None], 0)])
    np.testing.assert_allclose(H, B.T @ B, rtol=1e-11)
