"""The parts of the fit against their definitions, and the laws of its optimum."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.core.estimator import ConvergenceWarning
from scratchml.datasets import load_peyton_manning
from scratchml.timeseries.trend_season import changepoints, fourier, unit_time
from scratchml.timeseries.trend_season_fit import Posterior, fit, lasso, noise_scale, slopes, start
from tests.reference import trend_season_fit as reference
from tests.reference.trend_season import negative_log_posterior
from tests.strategies.trend_season import cases
from tests.strategies.trend_season_fit import posterior, posteriors, quadratics


def page_views(multiplies=0.0, cap=None, τ=0.05):
    series = load_peyton_manning()
    d, y = series.times.astype("M8[D]").astype(float), series.values
    t, scale = unit_time(d), y.max()
    X = np.hstack([fourier(d, 365.25, 10), fourier(d, 7.0, 3)])
    return Posterior(y / scale, t, changepoints(t, 0.8, 25), None if cap is None else np.full(len(t), cap / scale),
                     X, np.full(26, multiplies), np.full(26, 10.0), τ)


def expected(P, found):
    a = found.m if P.C is None else -found.k * found.m
    θ = [a, found.k, *found.δ, *found.β]
    return reference.curve(P.t.tolist(), P.s.tolist(), P.C, P.X.tolist(), P.u.tolist(), θ), np.array(θ)


# --- the equations

@given(cases, st.integers(0, 2**32 - 1))
def test_slopes_are_differences(drawn, seed):
    t, s, X, u, C = (drawn[name] for name in "tsXuC")
    rng = np.random.default_rng(seed)
    θ = 0.5 * rng.normal(size=2 + len(s) + X.shape[1])
    for cap in (None, C):
        np.testing.assert_allclose(slopes(t, s, cap, X, u, θ), reference.slopes(t, s, cap, X, u, θ), rtol=1e-6,
                                   atol=1e-8)


@given(quadratics)
def test_the_lasso_is_the_best_of_all_signs(drawn):
    A, c, l = drawn
    x, best = lasso(A, c, l), reference.lasso(A, c, l)
    np.testing.assert_allclose(x, best, rtol=1e-6, atol=1e-9 * np.abs(best).max())
    assert ((x == 0) == (best == 0)).all()


@given(st.floats(1e-8, 1e6), st.integers(1, 10_000))
def test_the_noise_is_where_its_slope_is_0(E, T):
    σ = noise_scale(E, T)
    assert σ == pytest.approx(reference.noise_scale(E, T), rel=1e-12)
    assert noise_scale(0.0, T) == 1e-9 and noise_scale(E * 1.01, T) > σ > noise_scale(E, T + 1)


# --- the optimum

@given(posteriors)
@settings(max_examples=15)
def test_f_never_rises_and_the_end_is_an_optimum(P):
    found = fit(P)
    assert (np.diff(found.F) < 0).all() and np.isfinite(found.F).all()
    e, θ = expected(P, found)
    assert found.F[-1] == pytest.approx(negative_log_posterior(P.y, e, found.k, found.m, found.δ, found.β, found.σ, P.τ,
                                                               P.b), rel=1e-9, abs=1e-9)
    if found.σ < 1e-3:                                    # as good as no noise: the optimum is where rounding says
        return
    J = slopes(P.t, P.s, P.C, P.X, P.u, θ)
    pull = J.T @ (P.y - np.array(e)) / found.σ**2
    S, size = len(P.s), np.abs(J).sum(0).max() / found.σ
    δ_pull = pull[2:2 + S]
    off, tolerance = found.δ == 0, 3e-5 * size
    assert (np.abs(δ_pull[off]) <= 1 / P.τ + tolerance).all()
    np.testing.assert_allclose(δ_pull[~off], np.sign(found.δ[~off]) / P.τ, rtol=0, atol=tolerance)
    np.testing.assert_allclose(pull[2 + S:], found.β / P.b**2, rtol=0, atol=tolerance)


@pytest.mark.parametrize("options, F", [
    (dict(), -8005.159165), (dict(multiplies=1.0), -8014.061086), (dict(cap=14.0), -7907.317645),
    (dict(τ=0.5), -8159.529393), (dict(τ=0.001), -7646.842334)])
def test_page_views(options, F):
    P = page_views(**options)
    found = fit(P)
    assert found.F[-1] == pytest.approx(F, abs=1e-6) and len(found.F) < 15


def test_a_dear_bend_is_none_and_a_free_one_is_ridge():
    P = posterior(60, 5, 3, 1)
    assert (fit(P._replace(τ=1e-9)).δ == 0).all()
    found = fit(P._replace(τ=1e9))
    B = np.column_stack([np.ones(60), P.t, *np.maximum(P.t - P.s[:, None], 0), P.X])
    precisions = found.σ**2 * np.concatenate([[1 / 25] * 2, np.zeros(5), P.b**-2.0])
    ridge = np.linalg.solve(B.T @ B + np.diag(precisions), B.T @ P.y)
    np.testing.assert_allclose([found.m, found.k, *found.δ, *found.β], ridge, rtol=1e-5, atol=1e-7)


def test_more_bends_than_rows_and_the_same_bend_twice():
    P = posterior(12, 6, 2, 4)
    t = P.t
    for s in (np.sort(np.append(t[:-1], t[:-1])), np.array([0.0, 0.5, 0.5, 1.0]), np.array([0.3, 0.3 + 1e-15])):
        for τ in (0.05, 1e3):
            found = fit(P._replace(s=s, τ=τ))
            assert np.isfinite(found.δ).all() and np.isfinite(found.F).all() and np.abs(found.δ).max() < 1e3


def test_columns_that_are_alike_share_their_weight():
    P = posterior(50, 3, 2, 6)
    alike = P._replace(X=P.X[:, [0, 0, 1]], u=P.u[[0, 0, 1]], b=P.b[[0, 0, 1]])
    found = fit(alike)
    assert found.β[0] == pytest.approx(found.β[1], rel=1e-4)


def test_a_line_without_noise():
    t = np.linspace(0, 1, 20)
    P = Posterior(0.2 + 0.5 * t, t, t[4:12:2], None, np.zeros((20, 0)), np.zeros(0), np.zeros(0), 0.05)
    found = fit(P)
    assert found.σ == 1e-9
    np.testing.assert_allclose([found.k, found.m], [0.5, 0.2], rtol=1e-7)
    np.testing.assert_allclose(found.δ, 0, atol=1e-7)


def test_little_noise_far_from_zero_keeps_its_digits():
    rng, P = np.random.default_rng(0), posterior(400, 4, 3, 2)
    far = P._replace(y=1 - 1e-7 * rng.random(400))
    found = fit(far)
    e, _ = expected(far, found)
    assert np.std(far.y - e) == pytest.approx(found.σ, rel=0.02) and 2.5e-8 < found.σ < 3e-8


def test_a_report_may_end_it():
    P, seen = page_views(), []
    found = fit(P, report=lambda iteration, F: seen.append((iteration, F)) or iteration == 1)
    assert [iteration for iteration, _ in seen] == [0, 1] and found.F[-1] == seen[-1][1] and len(found.F) == 3


@pytest.mark.parametrize("first, last", [(0.2, 0.9), (0.9, 0.2), (0.5, 0.5), (-1.0, 3.0), (2.0, 2.0)])
def test_a_logistic_trend_starts_through_both_ends(first, last):
    P = posterior(20, 2, 0, 1, growth="logistic")
    P.y[[0, -1]] = 1.3 * np.array([first, last])
    k, m = start(P)
    ends = 1.3 / (1 + np.exp(-k * (np.array([0, 1]) - m)))
    np.testing.assert_allclose(ends, 1.3 * np.clip([first, last], 0.01, 0.99), atol=1.3 * 0.06)
    assert np.isfinite([k, m]).all() and k != 0


def test_a_fit_that_ends_too_early_says_so():
    P = page_views(multiplies=1.0)
    with pytest.warns(ConvergenceWarning, match="after 3 steps"):
        assert len(fit(P, max_iter=3).F) == 4
