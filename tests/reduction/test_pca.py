"""Principal components against their definition, and against what must hold whatever the rows."""
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.core.sparse import sparse_rows
from scratchml.reduction import PCA, IncrementalPCA
from scratchml.reduction.pca import (covariance, explained_ratio, fix_signs, log_density, mean, noise_variance,
                                     principal_axes, project, reconstruct)
from tests.reference import pca as reference
from tests.strategies.distances import BAD_TABLES, layouts, seeds, table, tables, with_number
from tests.strategies.pca import axes, components, covariances, most_components, stretched

EPS = np.finfo(float).eps
SOLVERS = ["covariance_eigh", "jacobi", "randomized", "full"]
FEW = ["arpack", "randomized"]
each_solver = pytest.mark.parametrize("solver", SOLVERS + ["auto"])
rows_and_columns = tables(12, 5, min_rows=2)


def truth(X):
    """The mean, the covariance, its eigenvalues, and how far rounding may take a computed covariance from it.

    Every entry of S is a sum of N products of two rounded factors, and an eigenvalue solver is right for a matrix
    within a small multiple of D eps ‖S‖; a mean that is off by δ adds δ² for each column.
    """
    N, D = X.shape
    μ = reference.mean(X)
    S = reference.covariance(X, μ)
    δ = 2 * N * EPS * np.abs(X).max()
    return μ, S, reference.principal_axes(S)[0], 10 * (N + D) * EPS * np.trace(S) + D * (2 * δ**2 + N * EPS**2 * δ**2)


# --- equal to the definition

@given(rows_and_columns)
def test_mean_of_each_column(X):
    np.testing.assert_allclose(mean(X), reference.mean(X), rtol=0, atol=len(X) * EPS * np.abs(X).mean(axis=0).max())


@given(rows_and_columns, seeds)
def test_covariance_about_any_point(X, seed):
    μ = X.mean(axis=0) + np.random.default_rng(seed).normal(size=X.shape[1]) * np.ptp(X)
    deviations = np.abs(X - μ)
    bound = (len(X) + 4) * EPS * (deviations.T @ deviations) / (len(X) - 1)
    assert (np.abs(covariance(X, μ) - reference.covariance(X, μ)) <= bound).all()


@given(rows_and_columns)
def test_covariance_is_symmetric(X):
    S = covariance(X, mean(X))
    np.testing.assert_array_equal(S, S.T)


@given(covariances(7))
def test_axes_are_orthonormal_eigenvectors_in_falling_order(S):
    D = len(S)
    before = S.copy()
    λ, V = principal_axes(S)
    bound = 20 * D * EPS * np.linalg.norm(S)             # of a backward stable eigenvalue solver
    np.testing.assert_array_equal(S, before)
    np.testing.assert_allclose(V @ V.T, np.eye(D), rtol=0, atol=20 * D * EPS)
    assert λ.shape == (D,) and (np.diff(λ) <= 0).all() and (λ >= 0).all()
    np.testing.assert_allclose(S @ V.T, V.T * λ, rtol=0, atol=bound)
    np.testing.assert_allclose(λ, reference.principal_axes(S)[0], rtol=0, atol=bound)


@given(st.integers(1, 7), seeds)
def test_axes_that_are_far_apart_are_those_of_the_definition(D, seed):
    V = axes(D, D, seed)
    S = V.T * 0.5 ** np.arange(D) @ V
    S = (S + S.T) / 2
    _, got = principal_axes(S)                           # the gap to the next eigenvalue is at least 2^-D
    np.testing.assert_allclose(fix_signs(got), reference.fix_signs(reference.principal_axes(S)[1]),
                               rtol=0, atol=40 * D * EPS * 2.0**D)


@given(st.one_of(tables(6, 6, kinds=("normal",)), tables(6, 6, kinds=("integer grid",))))
def test_the_largest_entry_of_a_row_is_made_positive(W):
    before = W.copy()
    np.testing.assert_array_equal(fix_signs(W), reference.fix_signs(W))
    np.testing.assert_array_equal(fix_signs(-fix_signs(W)), fix_signs(W))
    np.testing.assert_array_equal(W, before)


def test_the_first_of_several_largest_entries_decides():
    W = np.array([[-2.0, 2, 1], [2, -2, 1], [1, -2, 2]])
    assert fix_signs(W).tolist() == [[2, -2, -1], [2, -2, 1], [-1, 2, -2]]


@given(components(6), st.integers(1, 8), seeds)
def test_project_and_reconstruct(drawn, N, seed):
    μ, W, _, _ = drawn
    X, Z = table(N, len(μ), seed), table(N, len(W), seed)
    assert (np.abs(project(X, μ, W) - reference.project(X, μ, W))
            <= 2 * (len(μ) + 2) * EPS * (np.abs(X) + np.abs(μ)) @ np.abs(W).T).all()
    assert (np.abs(reconstruct(Z, μ, W) - reference.reconstruct(Z, μ, W))
            <= 2 * (len(W) + 2) * EPS * (np.abs(Z) @ np.abs(W) + np.abs(μ))).all()


@given(covariances(7))
def test_ratios_are_shares_of_the_whole(S):
    λ = np.sort(np.linalg.svd(S)[1])[::-1].copy()
    r = explained_ratio(λ)
    np.testing.assert_allclose(r, reference.explained_ratio(λ), rtol=(len(λ) + 2) * EPS)
    np.testing.assert_allclose(r.sum(), float(λ.any()), rtol=2 * len(λ) * EPS)


@given(with_number(covariances(7), 7))
def test_noise_is_the_mean_of_what_is_left_out(drawn):
    S, F = drawn
    λ = np.sort(np.linalg.svd(S)[1])[::-1].copy()
    np.testing.assert_allclose(noise_variance(λ, F), reference.noise_variance(λ, F), rtol=(len(λ) + 2) * EPS)


@given(components(6), st.integers(1, 8), seeds)
def test_density_is_that_of_the_whole_covariance(drawn, N, seed):
    μ, W, λ, σ2 = drawn
    X = μ + 2 * np.random.default_rng(seed).normal(size=(N, len(μ)))
    expected = reference.log_density(X, μ, W, λ, σ2)
    bound = 20 * len(μ) ** 2 * EPS * 20 * (10 + ((X - μ) ** 2).sum(axis=1) / 0.2)       # the condition is below 20
    assert (np.abs(log_density(X, μ, W, λ, σ2) - expected) <= bound).all()


def test_density_sums_to_one():
    grid = np.arange(-12, 12, 0.1)
    X = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    total = np.exp(log_density(X, np.array([0.5, -1]), axes(1, 2, 0), np.array([3.0]), 0.7)).sum() * 0.1**2
    np.testing.assert_allclose(total, 1, rtol=1e-8)      # the density is 1e-8 and less outside of the grid


# --- the fitted attributes

@each_solver
@given(rows_and_columns)
def test_fit_finds_the_axes_of_the_covariance(solver, X):
    μ, S, λ, bound = truth(X)
    R = min(X.shape)
    model = PCA(svd_solver=solver, random_state=0).fit(X)
    W = model.components_
    assert model.n_components_ == R and W.shape == (R, X.shape[1]) and model.explained_variance_.shape == (R,)
    np.testing.assert_allclose(model.mean_, μ, rtol=0, atol=len(X) * EPS * np.abs(X).max())
    np.testing.assert_allclose(model.explained_variance_, λ[:R], rtol=0, atol=bound)
    np.testing.assert_allclose(W @ W.T, np.eye(R), rtol=0, atol=50 * sum(X.shape) * EPS)
    np.testing.assert_allclose(S @ W.T, W.T * λ[:R], rtol=0, atol=5 * bound)
    np.testing.assert_array_equal(W, reference.fix_signs(W))
    np.testing.assert_allclose(model.singular_values_, np.sqrt((len(X) - 1) * model.explained_variance_), rtol=4 * EPS)
    assert model.noise_variance_ == 0


@each_solver
@given(with_number(st.builds(stretched, st.integers(2, 9), st.just(6), seeds), 5, most_components))
def test_fewer_components_are_the_first_of_all(solver, drawn):
    X, F = drawn
    _, _, λ, bound = truth(X)
    model = PCA(F, svd_solver=solver, random_state=0).fit(X)
    assert model.components_.shape == (F, 6) and model.n_components_ == F
    np.testing.assert_allclose(model.explained_variance_, λ[:F], rtol=0, atol=bound)
    np.testing.assert_allclose(model.explained_variance_ratio_, λ[:F] / λ.sum(), rtol=0, atol=2 * bound / λ.sum())
    left = reference.noise_variance(λ[:min(X.shape)], F)
    np.testing.assert_allclose(model.noise_variance_, left, rtol=0, atol=bound)


@pytest.mark.parametrize("N", [80, 15])
@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_agree(solver, N):
    X = stretched(N, 24, 1, ratio=0.6)                   # more columns than the randomised solver looks into
    one = PCA(4, svd_solver=solver, random_state=0).fit(X)
    _, _, λ, bound = truth(X)
    gap = -np.diff(λ[:5]).max()
    np.testing.assert_allclose(one.explained_variance_, λ[:4], rtol=1e-10)
    other = PCA(4, svd_solver="covariance_eigh").fit(X)
    np.testing.assert_allclose(one.components_, other.components_, rtol=0, atol=1e-10 + 4 * bound / gap)
    np.testing.assert_allclose(one.noise_variance_, other.noise_variance_, rtol=1e-6)
    np.testing.assert_allclose(one.transform(X), other.transform(X), rtol=0, atol=1e-8)


@given(rows_and_columns, st.floats(0.01, 0.99))
def test_a_fraction_keeps_the_fewest_components_that_explain_more(X, fraction):
    whole = PCA().fit(X)
    sums = np.cumsum(whole.explained_variance_ratio_)
    assume(np.abs(sums - fraction).min() > 1e-12)
    model = PCA(fraction).fit(X)
    F = min(int((sums <= fraction).sum()) + 1, len(sums))            # all, where there is no variance to explain
    assert model.n_components_ == len(model.components_) == F and model.n_components == fraction
    np.testing.assert_array_equal(model.components_, whole.components_[:F])


def test_a_fraction_that_is_met_exactly_is_not_exceeded():
    X = np.array([[3.0, 0], [-3, 0], [0, 1], [0, -1]])
    share = float(PCA().fit(X).explained_variance_ratio_[0])
    assert PCA(share).fit(X).n_components_ == 2 and PCA(np.nextafter(share, 0)).fit(X).n_components_ == 1


# --- laws

@each_solver
@given(seeds, st.integers(1, 4), st.booleans())
def test_a_rotation_turns_the_components(solver, seed, F, whiten):
    X, Q = stretched(20, 4, seed), axes(4, 4, seed + 2)
    one, other = (PCA(F, svd_solver=solver, whiten=whiten, random_state=0).fit(rows) for rows in (X, X @ Q))
    _, _, λ, bound = truth(X)
    gap = -np.diff(np.append(λ, 0)).max()
    np.testing.assert_allclose(other.explained_variance_, one.explained_variance_, rtol=0, atol=4 * bound)
    np.testing.assert_allclose(other.components_, reference.fix_signs(one.components_ @ Q),
                               rtol=0, atol=20 * bound / gap)


@given(rows_and_columns, seeds)
def test_the_order_of_the_rows_does_not_matter(X, seed):
    _, S, λ, bound = truth(X)
    model = PCA().fit(X[np.random.default_rng(seed).permutation(len(X))])
    np.testing.assert_allclose(model.explained_variance_, PCA().fit(X).explained_variance_, rtol=0, atol=2 * bound)
    np.testing.assert_allclose(S @ model.components_.T, model.components_.T * λ[:min(X.shape)], rtol=0, atol=5 * bound)


@given(rows_and_columns, st.integers(-40, 40))
def test_powers_of_two_scale_exactly(X, exponent):
    s = 2.0 ** exponent
    one, other = PCA().fit(X), PCA().fit(s * X)
    np.testing.assert_array_equal(other.components_, one.components_)
    np.testing.assert_array_equal(other.mean_, s * one.mean_)
    np.testing.assert_array_equal(other.explained_variance_, s * s * one.explained_variance_)
    np.testing.assert_array_equal(other.explained_variance_ratio_, one.explained_variance_ratio_)


@each_solver
@given(seeds, st.sampled_from([-2.0**20, 2.0**20]))
def test_an_offset_costs_no_digits(solver, seed, offset):
    X = np.round(stretched(15, 4, seed) * 2**20) / 2**20 # so that adding the offset does not round
    one, other = (PCA(svd_solver=solver, random_state=0).fit(rows) for rows in (X, X + offset))
    _, _, λ, bound = truth(X + offset)                   # the mean's own rounding enters as its square
    gap = -np.diff(np.append(λ, 0)).max()
    np.testing.assert_allclose(other.explained_variance_, one.explained_variance_, rtol=0, atol=2 * bound)
    np.testing.assert_allclose(other.components_, one.components_, rtol=0, atol=20 * bound / gap)


@each_solver
@given(with_number(rows_and_columns, 5, most_components))
def test_what_is_lost_is_the_variance_left_out(solver, drawn):
    X, F = drawn
    _, _, λ, bound = truth(X)
    model = PCA(F, svd_solver=solver, random_state=0).fit(X)
    lost = ((X - model.inverse_transform(model.transform(X))) ** 2).sum()
    size = np.abs(X).max() * EPS * sum(X.shape)          # of the rounding of one entry of a reconstruction
    slack = (len(X) - 1) * 10 * bound + 2 * size * np.sqrt(X.size * lost) + X.size * (4 * size) ** 2
    np.testing.assert_allclose(lost, (len(X) - 1) * λ[F:].sum(), rtol=0, atol=slack)


@given(with_number(rows_and_columns, 5, most_components), seeds)
def test_no_other_subspace_loses_less(drawn, seed):
    X, F = drawn
    model, Q = PCA(F).fit(X), axes(F, X.shape[1], seed)
    centred = X - reference.mean(X)
    lost = ((X - model.inverse_transform(model.transform(X))) ** 2).sum()
    size = np.abs(X).max() * EPS * sum(X.shape)
    slack = (len(X) - 1) * 10 * truth(X)[3] + 2 * size * np.sqrt(X.size * lost) + X.size * (4 * size) ** 2
    assert lost <= ((centred - centred @ Q.T @ Q) ** 2).sum() + slack


@each_solver
@given(rows_and_columns)
def test_projections_are_uncorrelated_and_have_the_variances(solver, X):
    model = PCA(svd_solver=solver, random_state=0).fit(X)
    Z = model.transform(X)
    _, _, _, bound = truth(X)
    np.testing.assert_allclose(np.atleast_2d(np.cov(Z.T)), np.diag(model.explained_variance_), rtol=0, atol=5 * bound)
    np.testing.assert_allclose(Z, reference.project(X, model.mean_, model.components_),
                               rtol=0, atol=2 * sum(X.shape) ** 2 * EPS * np.abs(X - model.mean_).max())


@each_solver
@given(seeds, st.integers(1, 4))
def test_whitened_columns_have_unit_covariance(solver, seed, F):
    X = stretched(20, 4, seed)
    plain = PCA(F, svd_solver=solver, random_state=0).fit(X)
    white = PCA(F, svd_solver=solver, whiten=True, random_state=0).fit(X)
    Z, λ = white.transform(X), white.explained_variance_
    np.testing.assert_allclose(np.atleast_2d(np.cov(Z.T)), np.eye(F), rtol=0, atol=20 * truth(X)[3] / λ[-1])
    np.testing.assert_allclose(Z * np.sqrt(λ), plain.transform(X), rtol=0, atol=100 * EPS * np.abs(X).max())
    np.testing.assert_allclose(white.inverse_transform(Z), plain.inverse_transform(plain.transform(X)),
                               rtol=0, atol=100 * EPS * np.abs(X).max())
    np.testing.assert_array_equal(white.components_, plain.components_)


@given(rows_and_columns)
def test_all_components_lose_nothing(X):
    for whiten in (False, True):
        model = PCA(whiten=whiten).fit(X)
        slack = np.sqrt(truth(X)[3] * len(X)) + 20 * sum(X.shape) * EPS * np.abs(X).max()
        np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, rtol=0, atol=slack)


@given(rows_and_columns, st.booleans())
def test_fit_transform_is_fit_and_transform(X, whiten):
    model = PCA(whiten=whiten)
    Z = model.fit_transform(X)
    λ = model.explained_variance_
    safe = λ > 1e-6 * λ.max()                            # what is divided by the root of nothing but rounding is noise
    largest = max(np.abs(Z).max(), np.abs(X).max() * (not whiten))
    np.testing.assert_allclose(Z[:, safe], model.transform(X)[:, safe], rtol=0, atol=1e3 * sum(X.shape) * EPS * largest)
    assert np.isfinite(Z).all()


@each_solver
@given(seeds, st.integers(1, 4), st.booleans())
def test_scores_are_the_density_of_the_model(solver, seed, F, whiten):
    X, new = stretched(20, 4, seed), stretched(7, 4, seed + 1)
    model = PCA(F, svd_solver=solver, whiten=whiten, random_state=0).fit(X)
    expected = reference.log_density(new, model.mean_, model.components_, model.explained_variance_,
                                     model.noise_variance_)
    np.testing.assert_allclose(model.score_samples(new), expected, rtol=1e-9, atol=1e-9)   # the condition is about 1e3
    np.testing.assert_allclose(model.score(new), expected.mean(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.score(new), model.score_samples(new).mean(), rtol=20 * EPS)


@given(seeds, st.integers(1, 4), st.booleans())
def test_covariance_of_the_model(seed, F, whiten):
    X = stretched(20, 4, seed)
    model = PCA(F, whiten=whiten).fit(X)
    W, λ, σ2 = model.components_, model.explained_variance_, model.noise_variance_
    S = model.get_covariance()
    np.testing.assert_allclose(S, W.T @ np.diag(λ - σ2) @ W + σ2 * np.eye(4), rtol=0, atol=20 * EPS * λ[0])
    np.testing.assert_allclose(np.trace(S), np.trace(reference.covariance(X, X.mean(axis=0))), rtol=100 * EPS)


@given(rows_and_columns)
def test_covariance_of_the_whole_model_is_that_of_the_data(X):
    _, S, _, bound = truth(X)
    np.testing.assert_allclose(PCA().fit(X).get_covariance(), S, rtol=0, atol=5 * bound)


# --- examples

@each_solver
def test_by_hand(solver):
    X = [[3.0, 2], [-3, 2], [0, 3], [0, 1]]
    model = PCA(1, svd_solver=solver, random_state=0).fit(X)
    np.testing.assert_allclose(model.components_, [[1, 0]], rtol=0, atol=1e-15)
    np.testing.assert_allclose([model.explained_variance_[0], model.explained_variance_ratio_[0], model.noise_variance_,
                                model.singular_values_[0]], [6, 0.9, 2 / 3, np.sqrt(18)], rtol=1e-14)
    assert model.mean_.tolist() == [0, 2]
    np.testing.assert_allclose(model.transform([[4.0, 7]]), [[4]], rtol=1e-14)
    np.testing.assert_allclose(model.inverse_transform([[4.0]]), [[4, 2]], rtol=1e-14)


# --- degenerate data

@each_solver
@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1e6 + 0.1])
def test_constant_data_have_no_variance(solver, value):
    for whiten in (False, True):
        X = np.full((3, 2), value)
        model = PCA(svd_solver=solver, whiten=whiten, random_state=0).fit(X)
        assert model.explained_variance_ratio_.tolist() == [0, 0] and model.noise_variance_ == 0
        np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(2), rtol=0, atol=1e-14)
        assert np.isfinite(model.transform(X)).all()
        np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, rtol=1e-15)


@each_solver
@given(tables(9, 5, min_rows=2, kinds=("constant column", "constant", "one direction", "duplicates")))
def test_columns_without_variance_do_no_harm(solver, X):
    for whiten in (False, True):
        model = PCA(svd_solver=solver, whiten=whiten, random_state=0).fit(X)
        for values in (model.components_, model.explained_variance_ratio_, model.transform(X), model.singular_values_,
                       model.inverse_transform(model.transform(X)), model.get_covariance()):
            assert np.isfinite(values).all()


@given(with_number(tables(9, 5, min_rows=2), 5, most_components))
def test_a_score_is_never_nan(drawn):
    X, F = drawn
    try:
        assert not np.isnan(PCA(F).fit(X).score_samples(X)).any()
    except ValueError as error:                          # a covariance without full rank has no density
        assert "noise_variance_" in str(error) or "singular" in str(error) or "rank" in str(error)


@each_solver
def test_more_columns_than_rows(solver):
    X = stretched(4, 9, 0)
    model = PCA(svd_solver=solver, random_state=0).fit(X)
    assert model.components_.shape == (4, 9) and model.explained_variance_[3] <= truth(X)[3]
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, rtol=0, atol=1e-14)
    np.testing.assert_allclose(model.explained_variance_ratio_.sum(), 1, rtol=1e-14)


@each_solver
@pytest.mark.parametrize("scale", [1e150, 1e-150, 1e200, 1e-200, 1e300, 1e-300])
def test_the_ends_of_the_range_give_the_scaled_answer_or_an_error_that_helps(solver, scale):
    X = stretched(10, 3, 0)
    plain = PCA(2, svd_solver=solver, random_state=0).fit(X)
    try:
        model = PCA(2, svd_solver=solver, random_state=0).fit(scale * X)
    except ValueError as error:
        assert "X" in str(error) and "scale" in str(error)
        return
    np.testing.assert_allclose(model.components_, plain.components_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(model.explained_variance_ / scale / scale, plain.explained_variance_, rtol=1e-12)
    np.testing.assert_allclose(model.explained_variance_ratio_, plain.explained_variance_ratio_, rtol=1e-12)
    np.testing.assert_allclose(model.singular_values_ / scale, plain.singular_values_, rtol=1e-12)
    np.testing.assert_allclose(model.transform(scale * X) / scale, plain.transform(X), rtol=0, atol=1e-12)


# --- the same again

def test_a_seed_repeats_the_randomised_solver_to_the_bit():
    X = stretched(40, 30, 0, ratio=0.95)
    W = [PCA(3, svd_solver="randomized", random_state=make()).fit(X).components_.tolist()
         for make in (lambda: 3, lambda: 3, lambda: np.random.default_rng(3), lambda: 4)]
    assert W[0] == W[1] == W[2] != W[3]


@pytest.mark.parametrize("solver", SOLVERS)
def test_any_number_of_threads_gives_the_same_bits(solver, monkeypatch):
    X = stretched(3000, 6, 0)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = PCA(3, svd_solver=solver, random_state=0).fit(X)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    other = PCA(3, svd_solver=solver, random_state=0).fit(X)
    np.testing.assert_array_equal(other.components_, alone.components_)
    np.testing.assert_array_equal(other.explained_variance_, alone.explained_variance_)
    np.testing.assert_array_equal(other.transform(X), alone.transform(X))


# --- what comes in

@each_solver
def test_every_layout_gives_the_same(solver):
    X, new = stretched(20, 4, 0), stretched(5, 4, 1)
    model = PCA(2, svd_solver=solver, random_state=0).fit(X)
    Z = model.transform(new)
    for name, same in layouts(X).items():
        other = PCA(2, svd_solver=solver, random_state=0).fit(same)
        np.testing.assert_array_equal(other.components_, model.components_, err_msg=name)
    for name, same in layouts(new).items():
        np.testing.assert_array_equal(model.transform(same), Z, err_msg=name)
        np.testing.assert_array_equal(model.score_samples(same), model.score_samples(new), err_msg=name)
    for name, same in layouts(Z).items():
        np.testing.assert_array_equal(model.inverse_transform(same), model.inverse_transform(Z), err_msg=name)


def test_whole_numbers_are_numbers():
    X = table(20, 3, 0, "integer grid")
    one, other = PCA(2).fit(X), PCA(2).fit(X.astype(np.int64))
    np.testing.assert_array_equal(one.components_, other.components_)
    assert other.components_.dtype == np.float64


@each_solver
def test_single_precision_stays_single(solver):
    X, eps = stretched(40, 4, 0), np.finfo(np.float32).eps
    double = PCA(2, svd_solver="covariance_eigh").fit(X)
    single = PCA(2, svd_solver=solver, random_state=0).fit(X.astype(np.float32))
    Z = single.transform(X.astype(np.float32))
    for values in (single.components_, single.mean_, single.explained_variance_, Z, single.inverse_transform(Z)):
        assert values.dtype == np.float32
    np.testing.assert_allclose(single.components_, double.components_, rtol=0, atol=500 * eps)
    np.testing.assert_allclose(single.explained_variance_, double.explained_variance_, rtol=500 * eps)
    np.testing.assert_allclose(Z, double.transform(X), rtol=0, atol=500 * eps * np.abs(X).max())


# --- bad input

@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    model = PCA(2).fit(table(5, 2, 0))
    for use in (PCA().fit, model.transform, model.inverse_transform, model.score_samples, model.score):
        with pytest.raises(ValueError, match=message):
            use(bad)


@each_solver
def test_one_row_has_no_variance(solver):
    with pytest.raises(ValueError, match=r"(?i)1 sample|n_samples=1|two|at least 2"):
        PCA(svd_solver=solver).fit([[1.0, 2, 3]])


@pytest.mark.parametrize("options, message", [
    (dict(n_components=4), "n_components=4.*3"),
    (dict(n_components=-1), "n_components=-1"),
    (dict(n_components=1.0), "n_components=1.0"),
    (dict(n_components=0.0), "n_components=0.0"),
    (dict(n_components=1.5), "n_components=1.5"),
    (dict(n_components=np.nan), "n_components=nan"),
    (dict(n_components="all"), "n_components='all'"),
    (dict(n_components="MLE"), "n_components='MLE': of words there is 'mle' alone; else expected a whole number of at "
                               "least 1, a share of the variance between 0 and 1, or None"),
    (dict(svd_solver="full_svd"), "svd_solver='full_svd'.*jacobi"),
    (dict(svd_solver="randomized", random_state="seed"), "'seed'"),
    (dict(n_components=1, svd_solver="randomized", iterated_power=-1), "iterated_power=-1: expected a whole number"),
    (dict(n_components=1, svd_solver="randomized", iterated_power="all"), "iterated_power='all': "),
    (dict(n_components=1, svd_solver="arpack", tol=-1.0), "tol=-1.0: "),
    (dict(n_components=1, svd_solver="arpack", random_state="seed"), "'seed'"),
])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        PCA(**options).fit(table(9, 3, 0))


def test_more_components_than_rows():
    with pytest.raises(ValueError, match="n_components=3.*2"):
        PCA(3).fit(table(2, 5, 0))


def test_rows_of_another_length():
    model = PCA(2).fit(table(9, 3, 0))
    for use in (model.transform, model.score, model.score_samples):
        with pytest.raises(ValueError, match="4 features.*3 features"):
            use(table(5, 4, 0))
    with pytest.raises(ValueError, match="3.*2"):
        model.inverse_transform(table(5, 3, 0))


def test_has_to_be_fitted_first():
    for use in ("transform", "inverse_transform", "score", "score_samples"):
        with pytest.raises(ValueError, match="not fitted"):
            getattr(PCA(), use)(table(5, 2, 0))
    with pytest.raises(ValueError, match="not fitted"):
        PCA().get_covariance()


# --- columns of very different units, float32, small rows

INCOME_AND_AGE = np.column_stack([np.random.default_rng(0).normal(50_000, 30_000, 2000),
                                  np.random.default_rng(1).normal(40, 12, 2000)])


def in_units(*deviations, N=400, offset=0.0, seed=0):
    """Columns that are correlated, but each with its own deviation."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(N, len(deviations))) @ (np.eye(len(deviations)) + 0.4)
    return offset + mixed * np.array(deviations)


def exact_variances(X):
    """The eigenvalues of the covariance to about 30 digits: by Jacobi's method in fractions of 200 bits."""
    from fractions import Fraction
    N, D = X.shape
    rows = [[Fraction(float(x)) for x in row] for row in X]
    μ = [sum(column) / N for column in zip(*rows)]
    S = [[sum((row[d] - μ[d]) * (row[e] - μ[e]) for row in rows) / (N - 1) for e in range(D)] for d in range(D)]
    result = []
    # the units are far apart: what is left of a column after the larger
    order = sorted(range(D), key=lambda d: -S[d][d])
    for n, d in enumerate(order):
        larger = order[:n]
        rest = S[d][d]
        A = [[S[i][j] for j in larger] + [S[i][d]] for i in larger]
        for i in range(n):                               # solves for the part that the larger columns explain
            for j in range(i + 1, n):
                f = A[j][i] / A[i][i]
                A[j] = [a - f * b for a, b in zip(A[j], A[i])]
        x = [Fraction(0)] * n
        for i in reversed(range(n)):
            x[i] = (A[i][n] - sum(A[i][j] * x[j] for j in range(i + 1, n))) / A[i][i]
        rest -= sum(x[i] * S[larger[i]][d] for i in range(n))
        result.append(float(rest))
    return np.array(result)


@each_solver
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_income_and_age_are_both_whitened(solver, dtype):
    X = INCOME_AND_AGE.astype(dtype)
    model = PCA(whiten=True, svd_solver=solver, random_state=0).fit(X)
    np.testing.assert_allclose(model.transform(X).std(axis=0, ddof=1), 1, rtol=1e-5)
    λ = np.linalg.eigvalsh(np.cov(X.astype(float).T))[::-1]
    np.testing.assert_allclose(model.explained_variance_, λ, rtol=1e-6)
    np.testing.assert_allclose(model.score(X), -np.log(2 * np.pi) - (np.log(λ).sum() + 2 * (1 - 1 / 2000)) / 2,
                               rtol=1e-9)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, rtol=1e-5, atol=0.02)


@each_solver
@pytest.mark.parametrize("deviations",
                         [(5e11, 5, 0.02), (0.02, 5e11, 5), (1e15, 1e-3, 1e6, 3, 1e-9), (1e150, 1, 1e-130),
                                        (1e9, 1e4, 1e-1, 1e-6, 1e-11), (1e12, 1), (1, 1e20)])
def test_every_column_counts_in_its_own_units(solver, deviations):
    X = in_units(*deviations, N=60)
    model = PCA(whiten=True, svd_solver=solver, random_state=0).fit(X)
    λ = exact_variances(X)
    np.testing.assert_allclose(model.explained_variance_, λ, rtol=1e-4)           # neighbours are 5000 apart at least
    Z = model.transform(X)
    np.testing.assert_allclose(np.cov(Z.T), np.eye(len(λ)), rtol=0, atol=1e-6)
    expected = -0.5 * (len(λ) * np.log(2 * np.pi) + np.log(λ).sum() + len(λ) * (1 - 1 / len(X)))
    np.testing.assert_allclose(model.score(X), expected, rtol=1e-4, atol=1e-4)
    apart = max(deviations) / min(deviations)
    if solver == "randomized" and apart > 1e14 or solver == "full" and apart > 1e200:
        return                                           # what it has left out of the axes is known to rounding of all
    for F in range(1, len(λ)):
        some = PCA(F, svd_solver=solver, random_state=0).fit(X)
        np.testing.assert_allclose(some.explained_variance_, λ[:F], rtol=1e-4)
        np.testing.assert_allclose(some.noise_variance_, λ[F:].mean(), rtol=1e-4)
        expected = -0.5 * (len(λ) * np.log(2 * np.pi) + np.log(λ[:F]).sum() + (len(λ) - F) * np.log(λ[F:].mean())
                           + len(λ) * (1 - 1 / len(X)))
        np.testing.assert_allclose(some.score(X), expected, rtol=1e-4, atol=1e-3)


def test_as_many_columns_of_as_many_units_as_you_like():
    deviations = 10.0 ** np.linspace(20, -20, 41)
    X = in_units(*deviations, N=500)
    model = PCA(whiten=True).fit(X)
    np.testing.assert_allclose(np.cov(model.transform(X).T), np.eye(41), rtol=0, atol=1e-5)
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(41), rtol=0, atol=1e-13)
    np.testing.assert_allclose(model.explained_variance_, PCA(svd_solver="jacobi").fit(X).explained_variance_,
                               rtol=1e-7)


@each_solver
@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
def test_what_depends_on_others_has_no_variance_whatever_its_units(solver, factor):
    x = table(50, 3, 0)
    X = np.column_stack([1e9 * x[:, 0], factor * x[:, 1:], factor * (x[:, 1] - 2 * x[:, 2])])
    model = PCA(whiten=True, svd_solver=solver, random_state=0).fit(X)
    stds = model.transform(X).std(axis=0, ddof=1)
    np.testing.assert_allclose(stds, [1, 1, 1, 0], rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="singular"):
        model.score(X)


def test_what_rounding_leaves_of_a_constant_column_has_no_variance():
    X = np.column_stack([1e-3 * table(40, 1, 0)[:, 0], np.where(np.arange(40) % 3, 0.1 + 0.2, 0.3),
                         np.full(40, 1e9 + 0.1)])
    assert len(set(X[:, 1])) == 2
    Z = PCA(whiten=True).fit_transform(X)
    np.testing.assert_allclose(Z.std(axis=0, ddof=1), [1, 0, 0], rtol=1e-12)


@pytest.mark.parametrize("X", [
    np.column_stack([1.7e9 + np.arange(1000), 20 + np.random.default_rng(0).normal(size=1000)]),
    np.column_stack([101325 + np.arange(1000) % 9 / 128, np.random.default_rng(0).normal(size=1000)]),
    np.column_stack([1e9 + 64 * (np.arange(999) % 5), 1e-9 * np.random.default_rng(0).normal(size=999)]),
    1e-25 * table(40, 3, 0), 1e25 * table(40, 3, 0), in_units(1e30, 1, 1e-30),
    1 + 1e-3 * np.random.default_rng(0).normal(size=(60, 3))])
def test_float32_gives_what_its_numbers_give_in_double_precision(X):
    X = X.astype(np.float32)
    single, double = (PCA(whiten=True).fit(rows) for rows in (X, X.astype(float)))
    np.testing.assert_allclose(single.transform(X), double.transform(X.astype(float)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(single.score(X), double.score(X.astype(float)), rtol=1e-9)
    np.testing.assert_allclose(single.explained_variance_, double.explained_variance_, rtol=1e-6)
    plain, Z = PCA().fit(X), PCA().fit(X.astype(float)).transform(X.astype(float))
    np.testing.assert_allclose(plain.transform(X), Z, rtol=1e-4, atol=1e-6 * np.abs(Z).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tiny_row_alone(dtype):
    X, row = np.random.default_rng(0).random((50, 3)).astype(dtype), np.array([[1e-13, 0, 0]], dtype)
    model = PCA(2).fit(X)
    for tiny in (row, row * dtype(1e-31), 0 * row):
        np.testing.assert_allclose(model.transform(tiny), model.transform(np.vstack([tiny, X]))[:1],
                                   rtol=0, atol=4 * np.finfo(dtype).eps)
        assert np.isfinite(model.score(tiny))


def test_an_attribute_that_is_turned_round_counts():
    X = table(30, 3, 0).astype(np.float32)
    for whiten in (False, True):
        model = PCA(2, whiten=whiten).fit(X)
        Z = model.transform(X)
        model.components_ = -model.components_
        np.testing.assert_allclose(model.transform(X), -Z, rtol=0, atol=1e-5)


def test_a_mean_of_many_rows_loses_no_digits_to_an_offset():
    noise = np.random.default_rng(0).normal(size=(1_000_000, 2))
    X = 4500000.123456 + 1e-4 * noise
    expected = np.linalg.eigvalsh(np.cov((X - X[0]).T))[::-1]
    np.testing.assert_allclose(PCA().fit(X).explained_variance_, expected, rtol=1e-9)
    np.testing.assert_allclose(mean(X), X[0] + (X - X[0]).mean(axis=0), rtol=2 * EPS)


# --- sparse points

def some_sparse(dtype=np.float64, offset=0.0):
    """Few numbers, one column of them all, one of none; the columns in very different units."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 9)) * (rng.random((80, 9)) < 0.3) * 10.0 ** np.arange(-4, 5)
    X[:, 2], X[:, 6] = offset + rng.normal(size=80), 0
    return X.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cls", [PCA, IncrementalPCA])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_sparse_points_are_as_good_as_written_out(cls, dtype, offset):
    X = some_sparse(dtype, offset)
    R = sparse_rows(X)._replace(data=X[X != 0])
    for options in dict(n_components=4), dict(n_components=4, whiten=True):
        dense, sparse = cls(**options).fit(X), cls(**options).fit(R)
        assert sparse.components_.dtype == dtype and sparse.n_features_in_ == 9
        close = 1e-6 if dtype == np.float32 else 1e-9
        np.testing.assert_allclose(sparse.components_, dense.components_, rtol=0, atol=close)
        np.testing.assert_allclose(sparse.explained_variance_, dense.explained_variance_, rtol=1e-6)
        np.testing.assert_allclose(sparse.mean_, dense.mean_, rtol=1e-6, atol=1e-12)
        np.testing.assert_array_equal(sparse.transform(R), sparse.transform(X))
        np.testing.assert_array_equal(dense.transform(R), dense.transform(X))


def test_sparse_points_have_densities_and_scores():
    X = some_sparse()[:, 3:6]
    model = PCA(2).fit(sparse_rows(X))
    np.testing.assert_allclose(model.score_samples(sparse_rows(X)), PCA(2).fit(X).score_samples(X), rtol=1e-10)
    assert model.score(sparse_rows(X)) == pytest.approx(model.score(X))


def test_sparse_points_come_in_blocks(monkeypatch):
    X = some_sparse()
    monkeypatch.setattr("scratchml.reduction.pca.BLOCK", 7)
    whole = PCA(3).fit(X)
    model = PCA(3).fit(sparse_rows(X))
    np.testing.assert_allclose(model.components_, whole.components_, rtol=0, atol=1e-12)
    monkeypatch.setattr("scratchml.core.sparse.SparseTable.blocks",
                        lambda self: (self[start:start + 9].written_out() for start in range(0, 80, 9)))
    np.testing.assert_allclose(model.transform(sparse_rows(X)), model.transform(X), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("solver", ["full"])
def test_a_solver_that_would_write_sparse_points_out_says_so(solver):
    with pytest.raises(TypeError, match="covariance_eigh.*X.toarray"):
        PCA(2, svd_solver=solver).fit(sparse_rows(some_sparse()))


@pytest.mark.parametrize("solver", FEW)
@pytest.mark.parametrize("N, D", [(60, 12), (12, 60)])
def test_few_axes_of_sparse_points_are_those_of_dense_ones(solver, N, D):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((N, D)) < 0.7, 0, rng.normal(size=(N, D)) + 3)
    X[:, 0] = rng.normal(size=N) + 1e6                   # a column without zeros, far off
    expected = PCA(svd_solver="full").fit(X)
    for Y in (X, sparse_rows(X)):
        model = PCA(4, svd_solver=solver, random_state=0).fit(Y)
        np.testing.assert_allclose(model.explained_variance_, expected.explained_variance_[:4], rtol=1e-9)
        np.testing.assert_allclose(model.components_, expected.components_[:4], atol=1e-7)
        np.testing.assert_allclose(model.noise_variance_, expected.explained_variance_[4:].sum() / 8, rtol=1e-8)
        np.testing.assert_allclose(model.mean_, X.mean(axis=0), rtol=1e-14)


@pytest.mark.parametrize("solver", FEW)
def test_sparse_points_without_noise_have_none(solver):
    rng = np.random.default_rng(0)
    X = np.zeros((50, 30))
    X[:, 3:12] = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 9))
    model = PCA(2, svd_solver=solver, random_state=0).fit(sparse_rows(X))
    assert 0 <= model.noise_variance_ < 1e-25 * model.explained_variance_[0]
    nothing = PCA(2, svd_solver=solver, random_state=0).fit(sparse_rows(np.zeros((9, 4))))
    assert not nothing.explained_variance_.any() and not nothing.explained_variance_ratio_.any()


def test_auto_is_exact_for_few_axes_of_many_sparse_columns():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((60, 1200)) < 0.99, 0, rng.normal(size=(60, 1200)))
    model, expected = PCA(2, random_state=0).fit(sparse_rows(X)), PCA(2, svd_solver="full").fit(X)
    np.testing.assert_allclose(model.explained_variance_, expected.explained_variance_, rtol=1e-12)
    assert PCA(2)._solver((60, 1200), True) == "arpack"
    assert PCA(2)._solver((1200, 60), True) == PCA()._solver((60, 1200), True) == "covariance_eigh"


@pytest.mark.parametrize("solver", FEW)
@pytest.mark.parametrize("sparse", [False, True])
def test_few_axes_in_float32(solver, sparse):
    X = some_sparse().astype(np.float32)
    given = sparse_rows(X)._replace(data=X[np.nonzero(X)]) if sparse else X
    model = PCA(2, svd_solver=solver, random_state=0).fit(given)
    expected = PCA(2, svd_solver="full").fit(X.astype(np.float64))
    assert model.components_.dtype == model.transform(given).dtype == np.float32
    np.testing.assert_allclose(model.explained_variance_, expected.explained_variance_, rtol=1e-5)


def test_arpack_leaves_one_component():
    X = table(9, 4, 0)
    assert PCA(svd_solver="arpack").fit(X).n_components_ == 3
    assert PCA(svd_solver="arpack").fit(X.T).n_components_ == 3
    rough = PCA(1, svd_solver="arpack", tol=0.2, random_state=0)
    assert rough.fit(table(90, 70, 0)).explained_variance_[0] > 0


@pytest.mark.parametrize("n_components, message", [
    (0, "n_components=0 must be between 1 and min"), (4, "n_components=4 must be strictly less than min"),
    (0.5, "n_components=0.5: svd_solver='arpack' needs an int or None"),
    ("mle", "n_components='mle' cannot be a string with svd_solver='arpack'"),
])
def test_arpack_refuses(n_components, message):
    with pytest.raises(ValueError, match=message):
        PCA(n_components, svd_solver="arpack").fit(table(9, 4, 0))


def test_more_rounds_come_nearer():
    X = table(300, 120, 0)
    exact = PCA(2, svd_solver="full").fit(X).explained_variance_
    lost = [np.abs(PCA(2, svd_solver="randomized", iterated_power=q, random_state=0).fit(X).explained_variance_ / exact
                   - 1).max() for q in (0, 2, 12)]
    assert lost[0] > 3 * lost[1] > 1e-6 and lost[2] < 1e-6


def test_more_columns_than_sparse_points():
    X = some_sparse()[:5]
    dense, sparse = PCA(2).fit(X), PCA(2).fit(sparse_rows(X))
    np.testing.assert_allclose(sparse.components_, dense.components_, rtol=0, atol=1e-10)
    with pytest.raises(ValueError, match="minimum of 2"):
        PCA().fit(sparse_rows(X[:1]))


# --- the inverse of the covariance

@given(components(6))
def test_precision_is_the_inverse_of_the_covariance(model):
    μ, W, λ, σ2 = model
    X = np.random.default_rng(0).normal(size=(40, len(μ))) * np.arange(1.0, 1 + len(μ)) + μ
    for F in range(1, len(μ) + 1):
        for cls in PCA, IncrementalPCA:
            fitted = cls(F).fit(X)
            product = fitted.get_precision() @ fitted.get_covariance()
            np.testing.assert_allclose(product, np.eye(len(μ)), rtol=0, atol=1e-11)


def test_a_singular_covariance_has_no_inverse():
    X = np.random.default_rng(0).normal(size=(20, 3))
    X[:, 2] = X[:, 0]
    with pytest.raises(ValueError, match="get_precision: .* singular"):
        PCA(1).fit(X[:, [0, 0]]).get_precision()
    with pytest.raises(ValueError, match="get_precision: .* singular"):
        PCA().fit(X).get_precision()
