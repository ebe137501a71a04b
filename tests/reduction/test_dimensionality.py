"""The evidence for a number of components against its factors, and against data whose number is known."""
from math import lgamma

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.reduction import PCA
from scratchml.reduction.dimensionality import curvatures, log_evidence, log_prior, most_evident
from tests.reference import dimensionality as reference
from tests.strategies.dimensionality import cloud, spectra

EPS = np.finfo(float).eps
points = st.integers(3, 10**6)


# --- equal to the definition

@given(st.integers(1, 40), st.data())
def test_the_prior_is_one_over_the_area_of_all_frames(D, data):
    F = data.draw(st.integers(1, D))
    if F * D < 300:                                      # beyond, the product of the definition leaves the range
        np.testing.assert_allclose(log_prior(D, F), reference.log_prior(D, F), rtol=1e-12, atol=1e-12)
    if F < D:                                            # a further axis lies on a sphere in the D - F that are left
        half = (D - F) / 2
        area = 2 * np.pi**half / np.exp(lgamma(half))
        np.testing.assert_allclose(log_prior(D, F + 1) - log_prior(D, F), -np.log(area), rtol=1e-9, atol=1e-9)


def test_the_prior_of_a_line_in_the_plane():
    np.testing.assert_allclose(np.exp(log_prior(2, 1)), 1 / (2 * np.pi))


@given(spectra(), points, st.data())
def test_curvatures_are_their_definition(λ, N, data):
    F = data.draw(st.integers(1, len(λ) - 1))
    A, expected = curvatures(λ, F, N), reference.curvatures(λ, F, N)
    assert A.shape == (F, len(λ)) and np.isfinite(np.log(A)).all()
    for (i, j), value in expected.items():
        near = 8 * N * EPS * (λ[i - 1] / min(λ[j - 1], λ[F:].mean()) + 1)          # of the difference of reciprocals
        np.testing.assert_allclose(A[i - 1, j - 1], value, rtol=1e-9, atol=near)
    assert (A[np.tri(F, len(λ), dtype=bool)] == 1).all()


@given(spectra(), points)
def test_the_evidence_is_its_definition(λ, N):
    for F in range(1, len(λ)):
        expected = reference.log_evidence(λ, F, N)
        magnitude = N * (np.abs(np.log(λ)).sum() + 1)
        np.testing.assert_allclose(log_evidence(λ, F, N), expected, rtol=1e-9, atol=1e-6 + 1e-14 * magnitude)


@given(spectra(), points)
def test_the_choice_is_that_of_the_definition(λ, N):
    chosen, evidence = most_evident(λ, N), [reference.log_evidence(λ, F, N) for F in range(1, len(λ))]
    near = 1e-6 + 1e-14 * N * (np.abs(np.log(λ)).sum() + 1)
    assert chosen == reference.most_evident(λ, N) or evidence[chosen - 1] >= max(evidence) - near


@given(spectra(most=12), points, st.data())
def test_the_sum_in_one_loop_is_that_of_the_curvatures(λ, N, data):
    from scratchml.reduction.dimensionality import _sum_of_log_curvatures
    F = data.draw(st.integers(1, len(λ) - 1))
    np.testing.assert_allclose(_sum_of_log_curvatures(λ, F, float(N), λ[F:].mean()),
                               np.log(curvatures(λ, F, N)).sum(), rtol=1e-10, atol=1e-10)


def test_products_that_would_leave_the_range_do_not():
    λ = 10.0 ** np.linspace(130, -130, 40)
    for F in (1, 20, 39):
        np.testing.assert_allclose(log_evidence(λ, F, 10**6), reference.log_evidence(λ, F, 10**6), rtol=1e-11)
    flat = np.ones(60)                                   # 0.64 to the 1,700th power
    np.testing.assert_allclose(log_evidence(flat, 50, 10), reference.log_evidence(flat, 50, 10), rtol=1e-12)


# --- laws

@given(spectra(), points, st.sampled_from([1e-140, 1e-3, 7.0, 1e140]))
def test_to_scale_the_data_adds_one_number_to_all(λ, N, c):
    for F in range(1, len(λ)):
        shift = -N * len(λ) / 2 * np.log(c)
        np.testing.assert_allclose(log_evidence(c * λ, F, N) - log_evidence(λ, F, N), shift,
                                   rtol=1e-9, atol=1e-9 * N + 1e-3 * (np.ptp(λ) < 1e-8))


@pytest.mark.parametrize("F", range(1, 8))
def test_the_number_that_made_the_data_is_found(F):
    """But for a sample in a hundred, whose noise by chance has a direction: scikit-learn finds one more there, too."""
    deviations = np.append(np.linspace(5, 3, F), np.ones(9 - F))
    found = [PCA("mle").fit(cloud(500, deviations, seed)).n_components_ for seed in range(100)]
    assert found.count(F) >= 97 and set(found) <= {F, F + 1}


def test_more_points_see_a_weaker_direction():
    deviations = np.array([3, 3, 1.25, 1, 1, 1, 1, 1])
    assert [PCA("mle").fit(cloud(N, deviations, 1)).n_components_ for N in (40, 4000)] == [2, 3]


@pytest.mark.parametrize("λ", [[4.0, 4, 1, 1, 1], [4.0, 4, 4, 4, 1], [9.0, 9, 4, 4, 1]])
def test_equal_variances_are_the_limit_of_nearly_equal_ones(λ):
    λ = np.array(λ)
    nearly = λ * (1 + 1e-9 * np.arange(len(λ))[::-1])
    for F in range(1, len(λ)):
        assert np.isfinite(log_evidence(λ, F, 100))
        np.testing.assert_allclose(log_evidence(λ, F, 100), log_evidence(nearly, F, 100), rtol=0, atol=1e-5)


def test_a_pair_of_equal_axes_is_kept_or_left_as_a_whole():
    assert most_evident(np.array([4.0, 4, 1, 1, 1]), 100) == 2
    assert most_evident(np.array([9.0, 4, 4, 1, 1, 1]), 100) == 3
    assert most_evident(np.full(6, 2.0), 100) == 1


def test_data_in_a_plane_have_its_dimensions():
    X = cloud(60, np.array([5, 2, 1.0]), 0) @ np.random.default_rng(1).normal(size=(3, 7))
    for scale in 1e-100, 1.0, 1e100:
        model = PCA("mle").fit(scale * X + 10 * scale)
        assert model.n_components_ == 3 and model.components_.shape == (3, 7)
    assert most_evident(np.array([3.0, 0, 0]), 9) == 1 and most_evident(np.array([3.0]), 9) == 1


# --- PCA(n_components="mle")

@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh", "jacobi"])
def test_every_solver_that_finds_all_variances_can_choose(solver):
    X = cloud(200, np.array([4, 3, 1, 1, 1.0]), 0)
    model = PCA("mle", svd_solver=solver).fit(X)
    assert model.n_components_ == 2 and model.n_components == "mle" and model.transform(X).shape == (200, 2)
    np.testing.assert_allclose(model.noise_variance_, PCA(2).fit(X).noise_variance_, rtol=1e-12)
    single = PCA("mle", svd_solver=solver).fit(X.astype(np.float32))
    assert single.n_components_ == 2 and single.components_.dtype == np.float32


def test_columns_of_different_units_are_told_from_columns_of_rounding():
    X = np.column_stack([1e9 * np.random.default_rng(0).normal(size=50),
                         np.random.default_rng(1).normal(size=50) * 1e-6,
                         np.full(50, 0.1)])
    assert PCA("mle").fit(X).n_components_ == 2


@pytest.mark.parametrize("N", [3, 4, 5])
def test_too_few_points_are_refused(N):
    with pytest.raises(ValueError, match=rf"n_components='mle' is only supported if n_samples >= n_features \+ 1 = 6, "
                                         rf"got {N}: .* N - 1 dimensions.*; give a number"):
        PCA("mle").fit(np.random.default_rng(0).normal(size=(N, 5)))


def test_data_that_do_not_vary_are_refused():
    with pytest.raises(ValueError, match="n_components='mle': the points are all alike"):
        PCA("mle").fit(np.full((9, 3), 0.1))


def test_a_solver_that_finds_some_variances_is_refused():
    with pytest.raises(ValueError, match="n_components='mle' cannot be a string with svd_solver='randomized'"):
        PCA("mle", svd_solver="randomized").fit(np.ones((9, 3)))
