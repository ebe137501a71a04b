"""Gaussian mixtures against their definition, against what EM promises, and against every assignment there is."""
import os
import tracemalloc
import warnings
from itertools import takewhile

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.cluster import GaussianMixture, KMeans
from scratchml.cluster.gmm import (
    akaike_information, bayesian_information, covariances, free_parameters, log_densities, log_gaussians, log_weights,
    means, precision_factors, responsibilities, scatters, weights)
from scratchml.core.estimator import ConvergenceWarning
from scratchml.core.progress import Progress
from tests.reference import gmm as reference
from tests.strategies.distances import BAD_TABLES, layouts, seeds, table
from tests.strategies.gmm import TYPES, blobs, drawn_from, mixture, mixtures, shares

EPS = np.finfo(float).eps
each_type = pytest.mark.parametrize("covariance_type", TYPES)


def whole(model):
    """Covariances (K, D, D) of a fitted mixture."""
    K, D = model.means_.shape
    Σ = model.covariances_
    if model.covariance_type in ("full", "tied"):
        return np.broadcast_to(Σ, (K, D, D))
    return Σ.reshape(K, -1, 1) * np.eye(D)


def in_shape(P, covariance_type):
    """Whole matrices (K, D, D) in the shape that the type has."""
    return {"full": P, "tied": P[0], "diag": P.diagonal(axis1=1, axis2=2), "spherical": P[:, 0, 0]}[covariance_type]


def started(π, μ, Σ, covariance_type="full", **options):
    """An estimator that starts from a mixture."""
    return GaussianMixture(len(π), covariance_type=covariance_type, weights_init=π, means_init=μ,
                           precisions_init=in_shape(np.linalg.inv(Σ), covariance_type), init_params="random", **options)


def quiet_fit(model, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X)


def factors(Σ):
    return np.linalg.inv(np.linalg.cholesky(Σ)).swapaxes(1, 2)


def rounding(X, Σ):
    """A difference from a mean is off by eps max|x|, in standard deviations by that over the smallest of them."""
    narrow = np.sqrt(np.linalg.eigvalsh(Σ).min())
    return 200 * X.shape[1] * EPS * (1 + np.abs(X).max() / narrow) * (1 + np.ptp(X) / narrow) * np.linalg.cond(Σ).max()


# --- equal to the definition

@given(mixtures(8, 4))
def test_log_gaussians_are_those_of_the_covariances(drawn):
    X, π, μ, Σ = drawn
    U, atol = factors(Σ), rounding(X, Σ)
    np.testing.assert_allclose(log_gaussians(X, μ, U), reference.log_gaussians(X, μ, U), rtol=1e-10, atol=atol)


@given(mixtures(8, 4), st.sampled_from([0, 1e-3, 0.5]))
def test_densities_and_shares_follow_bayes_rule(drawn, ε):
    X, π, μ, Σ = drawn
    U, atol = factors(Σ), rounding(X, Σ)
    a = log_weights(π, U, ε)
    np.testing.assert_allclose(a, reference.log_weights(π, U, ε), rtol=1e-10)
    np.testing.assert_allclose(log_densities(X, μ, U, a), reference.log_densities(X, μ, U, a), rtol=1e-10, atol=atol)
    r = responsibilities(X, μ, U, a)
    np.testing.assert_allclose(r, reference.responsibilities(X, μ, U, a), rtol=0, atol=2 * atol + 1e-13)
    np.testing.assert_allclose(r.sum(axis=1), 1, rtol=1e-12)


@given(shares(12, 4))
def test_the_m_step_is_weighted_means_and_covariances(drawn):
    X, r = drawn
    assume((r.sum(axis=0) > 1e-3).all())
    size = np.abs(X).max()
    np.testing.assert_allclose(weights(r), reference.weights(r), rtol=1e-13)
    μ = means(X, r)
    np.testing.assert_allclose(μ, reference.means(X, r), rtol=0, atol=100 * EPS * size / r.sum(axis=0).min() ** 0.5)
    S = scatters(X, r, μ)
    np.testing.assert_allclose(S, reference.scatters(X, r, μ), rtol=0, atol=1e-13 * np.ptp(X, axis=0).max() ** 2)


@each_type
@given(mixtures(4, 4), st.sampled_from([0, 1e-3, 0.5]))
def test_covariances_have_the_shape_and_the_sharing_of_their_type(covariance_type, drawn, ε):
    _, π, _, S = drawn
    Σ = covariances(S, π, ε, covariance_type)
    expected = reference.covariances(S, π, ε, covariance_type)
    np.testing.assert_allclose(Σ, in_shape(expected, covariance_type), rtol=1e-12, atol=1e-15 * np.abs(S).max())
    if covariance_type in ("diag", "spherical"):
        np.testing.assert_array_equal(covariances(S.diagonal(axis1=1, axis2=2), π, ε, covariance_type), Σ)


@given(mixtures(4, 4))
def test_precision_factors_are_upper_triangular_roots_of_the_inverse(drawn):
    Σ = drawn[3]
    U = precision_factors(Σ)
    np.testing.assert_array_equal(U, np.triu(U))
    np.testing.assert_allclose(U, reference.precision_factors(Σ), rtol=0, atol=100 * EPS * np.linalg.cond(Σ).max()
                               * np.abs(U).max())


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from(TYPES))
def test_free_parameters_are_counted(K, D, covariance_type):
    assert free_parameters(K, D, covariance_type) == reference.free_parameters(K, D, covariance_type)


@pytest.mark.parametrize("covariance_type, p", [("full", 41), ("tied", 26), ("diag", 21), ("spherical", 13)])
def test_criteria_count_the_parameters_of_the_type(covariance_type, p):
    X = np.random.default_rng(0).normal(size=(50, 5))
    model = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    np.testing.assert_allclose([model.aic(X) / 2 + 50 * model.score(X),
                                (model.bic(X) + 100 * model.score(X)) / np.log(50)], p, rtol=1e-9)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=10), st.integers(1, 50))
def test_information_criteria_weigh_fit_against_parameters(ℓ, p):
    ℓ = np.array(ℓ)
    np.testing.assert_allclose(bayesian_information(ℓ, p), reference.bayesian_information(ℓ, p), rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(akaike_information(ℓ, p), reference.akaike_information(ℓ, p), rtol=1e-12, atol=1e-10)


@each_type
@given(data=st.data(), n_iter=st.integers(1, 4), ε=st.sampled_from([1e-3, 0.3]))
def test_fit_takes_the_steps_of_the_definition(covariance_type, data, n_iter, ε):
    X, π, μ, Σ = data.draw(mixtures(12, 5, covariance_type=covariance_type, offsets=(0.0, 1e3),
                                    each=True, least=lambda K, D: max(K, 2)))
    steps = list(takewhile(lambda step: step[1].min() > 1e-6, reference.em(X, π, μ, Σ, ε, n_iter, covariance_type)))
    assume(len(steps) > 1)
    model = quiet_fit(started(π, μ, Σ, covariance_type, reg_covar=ε, tol=0, max_iter=len(steps) - 1), X)
    made = model.n_iter_                                 # fewer, if J has come to rest
    J, π, μ, Σ = steps[made]
    np.testing.assert_allclose(model.lower_bounds_, [step[0] for step in steps][:made + 1], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(model.weights_, π, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.means_, μ, rtol=1e-6, atol=1e-6 * np.ptp(X))
    np.testing.assert_allclose(whole(model), Σ, rtol=1e-5, atol=1e-6 * np.ptp(X) ** 2)
    assert model.lower_bound_ == model.lower_bounds_[-1] == pytest.approx(J, rel=1e-7, abs=1e-7)


@each_type
def test_many_points_are_treated_as_few_are(covariance_type):
    """More than a tile and a chunk, and numbers of features that are no multiple of four."""
    for N, D in ((300, 8), (200, 3), (2100, 5)):
        π, μ, Σ = mixture(3, D, 5, covariance_type)
        X = drawn_from(N, π, μ, Σ, 6)
        model = quiet_fit(started(π, μ, Σ, covariance_type, tol=0, max_iter=1, reg_covar=0.1), X)
        U = factors(Σ)
        a = log_weights(π, U, 0.1)
        r = responsibilities(X, μ, U, a)
        after = covariances(scatters(X, r, means(X, r)), weights(r), 0.1, covariance_type)
        np.testing.assert_allclose(model.lower_bounds_[0], log_densities(X, μ, U, a).mean(), rtol=1e-12)
        np.testing.assert_allclose(model.weights_, weights(r), rtol=1e-11)
        np.testing.assert_allclose(model.means_, means(X, r), rtol=1e-10)
        np.testing.assert_allclose(model.covariances_, after, rtol=1e-10, atol=1e-10)
        U, a = factors(whole(model)), np.log(model.weights_)
        np.testing.assert_allclose(model.score_samples(X), log_densities(X, model.means_, U, a), rtol=1e-9)
        np.testing.assert_allclose(model.predict_proba(X), responsibilities(X, model.means_, U, a), rtol=0, atol=1e-9)


# --- what EM promises

@each_type
@given(data=st.data(), ε=st.sampled_from([0, 1e-6, 0.1, 3.0]), seed=seeds, init=st.sampled_from(["kmeans", "random"]))
def test_the_lower_bound_never_falls(covariance_type, data, ε, seed, init):
    X, π, _, _ = data.draw(mixtures(40, 3, max_components=3, least=lambda K, D: 4 * K * D + 1))
    try:
        model = GaussianMixture(len(π), covariance_type=covariance_type, reg_covar=ε, tol=0, max_iter=40,
                                init_params=init, random_state=seed)
        J = np.array(quiet_fit(model, X).lower_bounds_)
    except ValueError as error:
        assert ε == 0 and "collapsed" in str(error)
        return
    condition = np.linalg.cond(whole(model)).max()
    assert (np.diff(J) >= -1e-11 * condition * (1 + np.abs(J[1:]))).all()
    if ε == 0:
        np.testing.assert_allclose(model.score(X), model.lower_bound_, rtol=1e-9, atol=1e-9 * condition)


def test_the_price_of_regularisation_is_what_keeps_the_bound_from_falling():
    """The mean log-likelihood alone may fall while the lower bound rises."""
    π, μ, Σ = mixture(3, 2, 3)
    X = drawn_from(60, π, μ, Σ, 3)
    fell = False

    def look(progress):
        nonlocal fell
        scores.append(progress.estimator.score(X))
        fell |= len(scores) > 1 and scores[-1] < scores[-2] - 1e-6
    for seed in range(5):
        scores = []
        quiet_fit(GaussianMixture(3, reg_covar=2.0, tol=0, max_iter=40, init_params="random", random_state=seed,
                                  callback=look), X)
    assert fell


@given(mixtures(6, 2, max_components=3, offsets=(0.0,)))
def test_every_assignment_of_points_to_components_gives_the_same_answer(drawn):
    X, π, μ, Σ = drawn
    log_p, r = reference.by_enumeration(X, π, μ, Σ)
    U = factors(Σ)
    np.testing.assert_allclose(log_densities(X, μ, U, np.log(π)).sum(), log_p, rtol=1e-9)
    np.testing.assert_allclose(responsibilities(X, μ, U, np.log(π)), r, rtol=0, atol=1e-9)


@given(mixtures(12, 3, offsets=(0.0,)))
def test_spheres_that_shrink_become_k_means(drawn):
    X, _, μ, _ = drawn
    K, D = μ.shape
    d = ((X[:, None] - μ) ** 2).sum(axis=2)
    second = np.partition(d, 1, axis=1)[:, 1] if K > 1 else d[:, 0] + 1
    assume((second - d.min(axis=1) > 1e-6).all())
    U = np.array([np.eye(D) / 1e-5] * K)                 # a lead of 1e-6 is one of e^5000
    np.testing.assert_array_equal(responsibilities(X, μ, U, np.log(np.full(K, 1 / K))), np.eye(K)[d.argmin(axis=1)])


@each_type
@given(data=st.data())
def test_one_component_is_the_mean_and_the_covariance(covariance_type, data):
    X, *_ = data.draw(mixtures(20, 4))
    model = GaussianMixture(1, covariance_type=covariance_type, reg_covar=0.01).fit(X)
    S = np.atleast_2d(np.cov(X.T, bias=True))[None]
    np.testing.assert_allclose(model.means_[0], X.mean(axis=0), rtol=1e-13, atol=1e-13)
    Σ = reference.covariances(S, [1.0], 0.01, covariance_type)
    np.testing.assert_allclose(whole(model), Σ, rtol=1e-7, atol=1e-9)
    assert model.weights_ == pytest.approx(1, rel=1e-14) and model.converged_


@each_type
@pytest.mark.parametrize("seed", range(3))
def test_the_mixture_moves_along_with_the_data(covariance_type, seed):
    X, _ = blobs(seed)
    π, _, Σ = mixture(3, 2, seed, covariance_type)
    μ, options = X[[0, 60, 120]], dict(reg_covar=0, tol=0, max_iter=10)
    model = quiet_fit(started(π, μ, Σ, covariance_type, **options), X)
    s, shift, angle = 2.0 ** 7, np.array([2.0 ** 10, -2.0 ** 9]), 0.0 if covariance_type == "diag" else 0.7
    R = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    other = quiet_fit(started(π, s * μ @ R + shift, s * s * R.T @ Σ @ R, covariance_type, **options), s * X @ R + shift)
    np.testing.assert_allclose(other.weights_, model.weights_, rtol=1e-6)
    np.testing.assert_allclose(other.means_, s * model.means_ @ R + shift, rtol=1e-6)
    np.testing.assert_allclose(whole(other), s * s * R.T @ whole(model) @ R, rtol=1e-5, atol=1e-5 * s * s)
    np.testing.assert_allclose(other.lower_bound_, model.lower_bound_ - 2 * np.log(s), rtol=1e-7)


@each_type
def test_renaming_the_components_renames_the_result(covariance_type):
    X, _ = blobs()
    π, μ, Σ = mixture(3, 2, 1, covariance_type)
    order = [2, 0, 1]
    one = quiet_fit(started(π, μ, Σ, covariance_type, max_iter=5), X)
    other = quiet_fit(started(π[order], μ[order], Σ[order], covariance_type, max_iter=5), X)
    np.testing.assert_allclose(other.weights_, one.weights_[order], rtol=1e-9)
    np.testing.assert_allclose(other.means_, one.means_[order], rtol=1e-9)
    np.testing.assert_allclose(whole(other), whole(one)[order], rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(np.array(order)[other.predict(X)], one.predict(X))


@pytest.mark.parametrize("covariance_type, expected", [("full", True), ("spherical", False)])
def test_long_clusters_need_long_ellipses(covariance_type, expected):
    X, y = blobs()
    labels = GaussianMixture(3, covariance_type=covariance_type, random_state=0, n_init=3).fit_predict(X)
    pure = sum(np.bincount(y[labels == k]).max() for k in range(3))
    assert (pure >= 176) == expected


def test_single_precision_far_from_the_origin():
    X = np.random.default_rng(0).normal(size=(2000, 4))
    X[1000:] += 8
    single = (X + 1e4).astype(np.float32)
    for covariance_type in TYPES:
        for init in ("kmeans", "random"):
            options = dict(covariance_type=covariance_type, init_params=init, random_state=0)
            one, other = (quiet_fit(GaussianMixture(2, **options), data) for data in (single, single.astype(float)))
            assert one.means_.dtype == one.covariances_.dtype == one.weights_.dtype == np.float32
            np.testing.assert_allclose(whole(one), whole(other), rtol=1e-2, atol=1e-3)
            np.testing.assert_allclose(one.means_, other.means_, rtol=2e-7)
            assert one.score_samples(single).dtype == one.predict_proba(single).dtype == np.float32
            assert (one.predict(single) == other.predict(single.astype(float))).mean() > 0.998


@each_type
def test_samples_have_the_moments_of_the_mixture(covariance_type):
    X, _ = blobs()
    model = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(X)
    drawn, y = model.sample(4000)
    assert drawn.shape == (4000, 2) and (np.diff(y) >= 0).all()
    counts = np.bincount(y, minlength=3)
    np.testing.assert_allclose(counts / 4000, model.weights_, atol=5 * 0.5 / 4000 ** 0.5)
    for k in range(3):
        Σ, some = whole(model)[k], drawn[y == k]
        far = np.abs(some.mean(axis=0) - model.means_[k]) / np.sqrt(Σ.diagonal() / len(some))
        assert far.max() < 5
        np.testing.assert_allclose(np.cov(some.T), Σ, rtol=0, atol=5 * 1.5 * Σ.diagonal().max() / len(some) ** 0.5)


# --- where it starts

@pytest.mark.parametrize("init", ["kmeans", "k-means++", "random_from_data", "random"])
def test_starts_are_shares_of_the_points(init):
    X, _ = blobs()
    model = quiet_fit(GaussianMixture(3, init_params=init, max_iter=1, tol=0, random_state=4), X)
    np.testing.assert_allclose(model.weights_.sum(), 1)
    assert model.lower_bounds_[1] >= model.lower_bounds_[0]
    if init == "kmeans":
        y = KMeans(3, random_state=4).fit(X).labels_
        r = np.eye(3)[y]
        Σ = covariances(scatters(X, r, means(X, r)), weights(r), 1e-6)
        U = precision_factors(Σ)
        J = log_densities(X, means(X, r), U, log_weights(weights(r), U, 1e-6)).mean()
        np.testing.assert_allclose(model.lower_bounds_[0], J, rtol=1e-12)
    if init == "random":
        assert model.lower_bounds_[0] == pytest.approx(GaussianMixture(1).fit(X).score(X), abs=0.1)
    else:
        assert model.lower_bounds_[0] > GaussianMixture(1).fit(X).score(X) + 0.2


@each_type
def test_given_starts_override_the_shares(covariance_type):
    X, _ = blobs()
    π, μ, Σ = mixture(3, 2, 1, covariance_type)
    U = factors(Σ)
    everything = quiet_fit(started(π, μ, Σ, covariance_type, reg_covar=0, max_iter=1), X)
    np.testing.assert_allclose(everything.lower_bounds_[0], log_densities(X, μ, U, np.log(π)).mean(), rtol=1e-12)
    K = dict(n_components=3, covariance_type=covariance_type, random_state=0, max_iter=1, reg_covar=0)
    plain = quiet_fit(GaussianMixture(**K), X).lower_bounds_[0]
    given = dict(weights_init=π, means_init=μ, precisions_init=in_shape(np.linalg.inv(Σ), covariance_type))
    for name in given:
        assert quiet_fit(GaussianMixture(**K, **{name: given[name]}), X).lower_bounds_[0] != plain


@each_type
def test_a_mixture_given_whole_needs_no_start(covariance_type):
    X, _ = blobs()
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    quiet_fit(started(*mixture(3, 2, 1, covariance_type), covariance_type, random_state=rng, max_iter=1), X)
    assert rng.bit_generator.state == before


@each_type
def test_no_iteration_shows_the_start(covariance_type):
    X, _ = blobs()
    options = dict(n_components=3, covariance_type=covariance_type, random_state=0)
    start = GaussianMixture(**options, max_iter=0).fit(X)                # a warning would be an error
    once = quiet_fit(GaussianMixture(**options, max_iter=1, tol=0), X)
    assert start.n_iter_ == 0 and not start.converged_ and start.lower_bounds_ == once.lower_bounds_[:1]
    μ = X[[0, 50, 100]]
    np.testing.assert_array_equal(GaussianMixture(3, means_init=μ, max_iter=0).fit(X).means_, μ)


@each_type
def test_precisions_of_the_start_change_nothing_if_given(covariance_type):
    X, _ = blobs()
    options = dict(n_components=3, covariance_type=covariance_type, random_state=0)
    start, plain = (GaussianMixture(**options, max_iter=steps).fit(X) for steps in (0, 100))
    given = GaussianMixture(**options, precisions_init=start.precisions_).fit(X)
    assert given.n_iter_ == plain.n_iter_ > 1
    np.testing.assert_allclose(given.precisions_cholesky_, plain.precisions_cholesky_, rtol=1e-9)


def test_further_starts_help_and_the_best_is_kept_whole():
    X, _ = blobs()
    def fitted(seed, n_init=1):
        return quiet_fit(GaussianMixture(4, init_params="random_from_data", random_state=seed, n_init=n_init), X)
    single = [fitted(seed).lower_bound_ for seed in range(8)]
    model = fitted(0, 8)
    assert max(single) > min(single) + 1e-3 and model.lower_bound_ >= single[0]
    U = factors(model.covariances_)
    a = log_weights(model.weights_, U, 1e-6)
    np.testing.assert_allclose(log_densities(X, model.means_, U, a).mean(), model.lower_bound_, rtol=1e-10)


def test_warm_start_goes_on():
    X, _ = blobs()
    cold = quiet_fit(GaussianMixture(3, init_params="random", random_state=0, max_iter=7, tol=0), X)
    warm = GaussianMixture(3, init_params="random", random_state=0, max_iter=3, tol=0, warm_start=True)
    quiet_fit(warm, X)
    quiet_fit(warm.set_params(max_iter=4), X)
    np.testing.assert_allclose(warm.lower_bounds_[-1], cold.lower_bounds_[-1], rtol=1e-12)
    quiet_fit(warm.set_params(n_components=2), X)        # another shape starts anew
    assert warm.means_.shape == (2, 2)


# --- while it runs

def watched():
    return blobs()[0], GaussianMixture(3, init_params="random", random_state=0, tol=1e-8, max_iter=500)


def test_callback_sees_every_iteration_and_can_stop():
    X, model = watched()
    seen = []

    def look(progress):
        assert isinstance(progress, Progress) and progress.estimator is model
        assert progress.loss == -model.lower_bound_ == -model.lower_bounds_[-1] and model.n_iter_ == progress.iteration
        seen.append(progress.iteration)
        return len(seen) == 4
    model.set_params(callback=look).fit(X)
    assert seen == [1, 2, 3, 4] and model.n_iter_ == 4 and not model.converged_ and len(model.lower_bounds_) == 5


def test_interrupted_fit_keeps_the_last_iteration():
    def interrupt(progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt
    X, model = watched()
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callback=interrupt).fit(X)
    expected = quiet_fit(watched()[1].set_params(max_iter=2), X)
    np.testing.assert_array_equal(model.covariances_, expected.covariances_)
    assert model.n_iter_ == 2


def test_says_when_it_has_not_converged():
    X, model = watched()
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        model.set_params(max_iter=2).fit(X)
    assert model.n_iter_ == 2 and not model.converged_
    assert model.set_params(max_iter=500).fit(X).converged_
    rises = np.diff(model.lower_bounds_)
    assert rises[-1] <= 1e-8 < rises[:-1].min()


def test_is_silent_unless_asked(capfd):
    X, model = watched()
    model.fit(X)
    assert capfd.readouterr() == ("", "")
    model.set_params(verbose=1).fit(X)
    assert "iteration 1," in capfd.readouterr().err


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    X = np.concatenate([blobs(seed, 240)[0] for seed in range(3)])

    def results():
        model = quiet_fit(GaussianMixture(3, random_state=0, max_iter=2, init_params="k-means++"), X)
        return [model.means_, model.covariances_, model.lower_bound_, model.predict_proba(X), model.score_samples(X)]
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = results()
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    for one, two in zip(alone, results()):
        np.testing.assert_array_equal(one, two)


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="takes a minute in plain Python")
@pytest.mark.parametrize("init", ["kmeans", "random"])
def test_no_more_than_one_array_of_shares_is_held(init):
    X = table(2000, 1, 0)
    model = GaussianMixture(50, init_params=init, random_state=0, max_iter=1, covariance_type="diag")
    quiet_fit(model, X)                                  # compiles
    tracemalloc.start()
    quiet_fit(model, X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.7 * 2000 * 50 * 8


# --- what comes in

def test_every_layout_gives_the_same():
    X, _ = blobs(size=10)
    model = GaussianMixture(2, random_state=0).fit(X)
    for name, same in layouts(X).items():
        other = GaussianMixture(2, random_state=0).fit(same)
        np.testing.assert_array_equal(other.means_, model.means_, err_msg=name)
        np.testing.assert_array_equal(model.predict_proba(same), model.predict_proba(X), err_msg=name)


def test_scores_and_labels_agree():
    X, _ = blobs()
    model = GaussianMixture(3, random_state=0)
    y = model.fit_predict(X)
    np.testing.assert_array_equal(y, model.predict(X))
    np.testing.assert_array_equal(y, model.predict_proba(X).argmax(axis=1))
    assert model.score(X) == pytest.approx(model.score_samples(X).mean())
    assert model.bic(X) == pytest.approx(17 * np.log(180) - 360 * model.score(X))
    assert model.aic(X) == pytest.approx(34 - 360 * model.score(X))
    for k in range(3):
        np.testing.assert_allclose(model.precisions_[k] @ model.covariances_[k], np.eye(2), atol=1e-9)
        np.testing.assert_allclose(model.precisions_cholesky_[k], factors(model.covariances_)[k], rtol=1e-9, atol=1e-12)


def test_a_component_without_points_keeps_its_place():
    X = table(30, 2, 0)
    μ = np.array([[0.0, 0], [1e6, 1e6]])
    model = quiet_fit(GaussianMixture(2, means_init=μ, weights_init=[0.5, 0.5], precisions_init=[np.eye(2)] * 2), X)
    assert model.weights_.tolist() == [1, 0] and model.means_[1].tolist() == [1e6, 1e6]
    np.testing.assert_array_equal(model.covariances_[1], np.eye(2))
    assert not model.predict(X).any() and np.isfinite(model.score(X))


@each_type
@pytest.mark.parametrize("make", [lambda: np.full((8, 2), 0.1), lambda: np.repeat([[0.1, 1], [0.3, 2]], 4, axis=0),
                                  lambda: np.full((8, 2), 1e6 + 0.1)])
def test_a_component_that_collapses_says_what_to_do(covariance_type, make):
    X = make()
    K = len(np.unique(X, axis=0))
    with pytest.raises(ValueError, match="collapsed.*reg_covar.*n_components"):
        GaussianMixture(K, covariance_type=covariance_type, reg_covar=0).fit(X)
    model = GaussianMixture(K, covariance_type=covariance_type, reg_covar=1e-6).fit(X)
    np.testing.assert_allclose(whole(model), [1e-6 * np.eye(2)] * K, rtol=1e-3, atol=1e-9)


def test_points_on_a_line_have_no_full_covariance():
    X = np.outer(np.arange(10.0), [1, 2]) + 0.1
    with pytest.raises(ValueError, match="collapsed"):
        GaussianMixture(1, reg_covar=0).fit(X)
    assert GaussianMixture(1, covariance_type="diag", reg_covar=0).fit(X).converged_


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_fewer_distinct_points_than_components():
    X = np.repeat([[0.1, 1], [0.3, 2]], 4, axis=0)
    with pytest.raises(ValueError, match="collapsed.*lower n_components"):
        GaussianMixture(3, random_state=0).fit(X)


def test_rows_too_far_away_to_tell():
    model = GaussianMixture(1, reg_covar=0).fit(1e-10 * table(9, 2, 0))
    assert model.score_samples([[1e150, 0]])[0] == -np.inf
    for use in (model.predict, model.predict_proba):
        with pytest.raises(ValueError, match="row 1 is so far"):
            use([[0.0, 0], [1e150, 0]])


@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    model = GaussianMixture(2, random_state=0).fit(table(9, 2, 0))
    for use in (GaussianMixture(1).fit, model.predict, model.score_samples):
        with pytest.raises(ValueError, match=message):
            use(bad)


@pytest.mark.parametrize("options, message", [
    (dict(n_components=0), "n_components=0"),
    (dict(n_components=10), "n_components=10"),
    (dict(covariance_type="round"), "covariance_type='round'.*'full'"),
    (dict(init_params="best"), "init_params='best'.*'kmeans'"),
    (dict(tol=-1), "tol=-1"),
    (dict(reg_covar=-1e-6), "reg_covar=-1e-06"),
    (dict(max_iter=-1), "max_iter=-1"),
    (dict(n_init=0), "n_init=0"),
    (dict(random_state="seed"), "'seed'"),
    (dict(weights_init=[1.0]), r"weights_init.*\(2,\)"),
    (dict(weights_init=[0.7, 0.7]), "weights_init.*sum"),
    (dict(weights_init=[1.5, -0.5]), "weights_init.*at least 0"),
    (dict(means_init=[[0.0, 0]]), r"means_init.*\(2, 2\)"),
    (dict(means_init=[[0.0, np.nan], [0, 0]]), "means_init.*NaN"),
    (dict(precisions_init=np.eye(2)), r"precisions_init.*\(2, 2, 2\).*'full'"),
    (dict(precisions_init=[np.eye(2), -np.eye(2)]), "precisions_init: matrix 1.*positive definite"),
    (dict(precisions_init=[[1.0, 1], [1, 0]], covariance_type="diag"), "precisions_init.*positive"),
])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**{"n_components": 2, **options}).fit(table(9, 2, 0))


def test_squares_that_overflow():
    with pytest.raises(ValueError, match="X.*scale"):
        GaussianMixture(1).fit(1e200 * table(9, 2, 0))


def test_has_to_be_fitted_first():
    for use in ("predict", "predict_proba", "score_samples", "score", "bic", "aic"):
        with pytest.raises(ValueError, match="not fitted"):
            getattr(GaussianMixture(2), use)(table(5, 2, 0))
    with pytest.raises(ValueError, match="not fitted"):
        GaussianMixture(2).sample()


# --- features of very different units, and float32

def in_units(*columns):
    """The columns (offset, deviation) as points (500, D)."""
    rng = np.random.default_rng(0)
    return np.column_stack([offset + deviation * rng.normal(size=500) for offset, deviation in columns])


STAMPED = np.column_stack([1.7040672e15 + 6e7 * np.arange(500), 20 + np.random.default_rng(0).normal(size=500)])


@pytest.mark.parametrize("X", [STAMPED, in_units((0, 1e150), (0, 1), (0, 1e-130)), in_units((1e9, 3), (0, 1e-9)),
                               in_units((1e18, 1e6), (1e-3, 1e-8), (-1e12, 0.01)), in_units((1e9, 1e-6), (0, 1))])
@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_a_variance_is_judged_beside_its_own_feature(X, covariance_type):
    model = GaussianMixture(1, covariance_type=covariance_type, reg_covar=0).fit(X)
    variances = whole(model)[0].diagonal()
    np.testing.assert_allclose(variances, (X - X[0]).var(axis=0), rtol=1e-6)
    expected = -0.5 * (np.log(2 * np.pi) + 1) * X.shape[1] - 0.5 * np.log(variances).sum()
    if covariance_type == "diag":
        of_the_mean = ((np.finfo(float).eps * X[0]) ** 2 / variances).sum()        # which is rounded
        np.testing.assert_allclose(model.score(X), expected, rtol=1e-9, atol=of_the_mean)
    np.testing.assert_array_equal(model.predict(X), 0)


def test_two_groups_that_only_the_small_feature_shows():
    X = STAMPED + np.outer(np.arange(500) % 2, [0, 30])
    model = GaussianMixture(2, covariance_type="diag", means_init=[[X[:, 0].mean(), 20], [X[:, 0].mean(), 50]],
                            precisions_init=[[1e-20, 1]] * 2).fit(X)
    np.testing.assert_array_equal(model.predict(X), np.arange(500) % 2)
    np.testing.assert_allclose(model.covariances_[:, 1], [STAMPED[::2, 1].var(), STAMPED[1::2, 1].var()], rtol=1e-5)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_a_constant_feature_is_still_one_beside_small_ones(covariance_type):
    for constant in (1e15 + 0.1, 0.1, 1e-8):
        X = np.column_stack([np.full(500, constant), 1e-9 * STAMPED[:, 1]])
        with pytest.raises(ValueError, match="collapsed"):
            GaussianMixture(1, covariance_type=covariance_type, reg_covar=0).fit(X)


@each_type
def test_float32_is_fitted_and_judged_in_double_precision(covariance_type):
    rng = np.random.default_rng(0)
    seconds = (1.7e9 + np.arange(1000)).astype(np.float32)
    X = np.column_stack([seconds, rng.normal(20, 100, size=1000)]).astype(np.float32)
    single, double = (GaussianMixture(1, covariance_type=covariance_type).fit(rows) for rows in (X, X.astype(float)))
    assert single.means_.dtype == single.score_samples(X).dtype == single.predict_proba(X).dtype == np.float32
    np.testing.assert_allclose(single.score(X), double.score(X), rtol=1e-12)
    np.testing.assert_allclose(single.bic(X), double.bic(X.astype(float)), rtol=1e-12)
    np.testing.assert_allclose(single.score_samples(X), double.score_samples(X.astype(float)), rtol=1e-6)


@each_type
def test_an_attribute_that_is_set_counts(covariance_type):
    X = table(30, 2, 0).astype(np.float32)
    model = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    before = model.score(X)
    model.means_ = model.means_ + np.float32(1)
    other = GaussianMixture(2, covariance_type=covariance_type)
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        setattr(other, name, getattr(model, name))
    other.n_features_in_ = 2
    assert model.score(X) != before
    np.testing.assert_allclose(other.score(X), model.score(X), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tiny_row_alone(dtype):
    X, row = np.random.default_rng(0).random((50, 3)).astype(dtype), np.array([[1e-13, 0, 0]], dtype)
    model = GaussianMixture(2, random_state=0).fit(X)
    for tiny in (row, row * dtype(1e-31), 0 * row):
        np.testing.assert_array_equal(model.predict_proba(tiny), model.predict_proba(np.vstack([tiny, X]))[:1])
        assert model.predict(tiny) == model.predict(np.zeros((1, 3), dtype))


@pytest.mark.parametrize("scale", [1e-25, 1e-13, 1e19, 1e30])
def test_float32_of_any_size(scale):
    X = (scale * table(60, 2, 0)).astype(np.float32)
    single, double = (GaussianMixture(2, reg_covar=0, random_state=0, max_iter=5, tol=1e6).fit(rows)
                      for rows in (X, X.astype(float)))
    np.testing.assert_allclose(single.score(X), double.score(X.astype(float)), rtol=1e-9)
    np.testing.assert_array_equal(single.predict(X), double.predict(X.astype(float)))
    np.testing.assert_allclose(single.covariances_, double.covariances_, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("how", ["kmeans", "k-means++", "random_from_data"])
def test_more_components_than_distinct_points_is_told_what_helps(how):
    X = np.repeat(np.arange(5.0), 20)[:, None]           # ratings
    for options in (dict(), dict(reg_covar=10.0)):
        with pytest.raises(ValueError,
                           match="collapsed.*5 distinct.*n_components=6.*lower n_components to 5.*'random'"):
            GaussianMixture(6, init_params=how, random_state=0, **options).fit(X)
    with pytest.raises(ValueError, match="2 distinct.*n_components=3.*lower n_components to 2"):
        GaussianMixture(3, init_params=how, random_state=0).fit(np.repeat([[0.1, 1], [0.3, 2]], 4, axis=0))
    assert np.isfinite(GaussianMixture(6, init_params="random", random_state=0).fit(X).means_).all()   # it does help
    assert np.isfinite(GaussianMixture(5, random_state=0).fit(X).means_).all()


def test_a_start_from_duplicates_is_told_what_helps():
    X = np.repeat(np.arange(5.0), 20)[:, None]
    with pytest.raises(ValueError, match="collapsed.*duplicates.*'kmeans'.*random_state"):
        for seed in range(50):
            GaussianMixture(4, init_params="random_from_data", random_state=seed).fit(X)


def test_a_type_that_is_set_after_the_fit_waits_for_the_next():
    X = np.random.default_rng(0).normal(size=(90, 3)) + 5 * np.eye(3)[np.arange(90) % 3]     # K = D: shapes say nothing
    for fitted in TYPES:
        model = GaussianMixture(3, covariance_type=fitted, random_state=0).fit(X)
        said = model.score(X), model.bic(X), model.predict(X).tolist(), model.sample(5)[0].tolist()
        for other in TYPES:
            model.set_params(covariance_type=other)
            assert (model.score(X), model.bic(X), model.predict(X).tolist(), model.sample(5)[0].tolist()) == said
    for fitted in TYPES:
        for other in TYPES:
            model = GaussianMixture(3, covariance_type=fitted, random_state=0, warm_start=True).fit(X)
            again = model.set_params(covariance_type=other).fit(X)
            cold = GaussianMixture(3, covariance_type=other, random_state=0).fit(X)
            np.testing.assert_allclose(again.score(X), cold.score(X), rtol=1e-3)


# --- weights

@pytest.mark.parametrize("covariance_type", TYPES)
@given(st.integers(1, 3), seeds)
def test_a_whole_weight_is_so_many_points(covariance_type, K, seed):
    rng = np.random.default_rng(seed)
    X, w = table(30, 2, seed), rng.integers(0, 4, size=30)
    w[:2] = 1, 2
    π, μ, Σ = mixture(K, 2, seed)

    def after(steps):
        models = [started(π, μ, Σ, covariance_type, max_iter=steps, tol=0, reg_covar=0.1) for _ in range(3)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return [models[0].fit(np.repeat(X, w, axis=0)), models[1].fit(X, sample_weight=w),
                    models[2].fit(X, sample_weight=w * 1e-3)]
    steps = min(model.n_iter_ for model in after(3))     # rounding decides where J ceases to rise
    repeated, *weighted = after(steps)
    for model in weighted:
        for name in "weights_", "means_", "covariances_":
            np.testing.assert_allclose(getattr(model, name), getattr(repeated, name), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(model.lower_bounds_, repeated.lower_bounds_, rtol=1e-9)


@pytest.mark.parametrize("init", ["kmeans", "k-means++", "random", "random_from_data"])
def test_points_without_weight_do_not_count(init):
    X = np.concatenate([blobs(0, 20)[0][20:], np.full((1, 2), 1e3)])
    w = np.append(np.tile([1.0, 2.0], 20), 0.0)
    model = GaussianMixture(3, init_params=init, random_state=0, max_iter=300)
    with_it, without = model.fit(X, None, w).means_, model.fit(X[:40], None, w[:40]).means_
    np.testing.assert_array_equal(with_it, without)
    np.testing.assert_array_equal(model.fit(X[:40]).means_, model.fit(X[:40], None, 1).means_)
    assert model.fit_predict(X, None, w).shape == (41,)


def test_weights_are_looked_at():
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    model = GaussianMixture(2, random_state=0).fit(X, sample_weight=[3.0, 1.0, 1.0, 1.0])
    order = model.means_[:, 0].argsort()
    np.testing.assert_allclose(model.means_[order, 0], [0.25, 10.5])
    np.testing.assert_allclose(model.weights_[order], [4 / 6, 2 / 6])


@pytest.mark.parametrize("weights, message", [
    ([1.0, 1.0], "sample_weight: expected an array of shape"), ([1.0, -1, 1, 1], "no negative weight"),
    ([0.0, 0, 0, 0], "every weight is zero"), ([1.0, np.nan, 1, 1], "NaN"), ([0.0, 0, 1, 0], "at least 2"),
    ([1.0, 1, 0, 0], "n_components=3"),
])
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(3).fit(table(4, 2, 0), sample_weight=weights)


# --- units

@pytest.mark.parametrize("init", ["kmeans", "k-means++", "random_from_data"])
def test_a_start_does_not_depend_on_units(init):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(60, 2)) + middle for middle in ([0, 0], [0, 12], [12, 0])])
    units = np.array([2.0**30, 2.0**-10])
    labels = []
    for data in X, X * units, X * units + np.array([2.0**50, 0]), (X * units).astype(np.float32):
        labels.append(GaussianMixture(3, init_params=init, reg_covar=0, random_state=1).fit_predict(data))
    assert (np.bincount(labels[0]) == 60).all() or init != "kmeans"
    for other in labels[1:]:
        np.testing.assert_array_equal(other, labels[0])


def test_a_feature_in_nanoseconds_does_not_hide_the_clusters_of_another():
    rng = np.random.default_rng(1)
    truth = np.arange(200) % 2
    X = np.column_stack([1.7e18 + 1e15 * rng.random(200), 8.0 * truth + rng.normal(size=200)])
    found = GaussianMixture(2, covariance_type="diag", n_init=9, random_state=0).fit_predict(X)
    assert max((found == truth).mean(), (found != truth).mean()) == 1


@pytest.mark.parametrize("init", ["kmeans", "k-means++"])
def test_a_start_does_not_take_rounding_for_a_feature(init):
    constant = np.where(np.random.default_rng(0).random(90) < 0.5, 0.1 + 0.2, 0.3)
    X = np.column_stack([constant, np.repeat([0.0, 1, 5], 30)])
    X[:, 1] += 0.01 * np.random.default_rng(1).normal(size=90)
    labels = GaussianMixture(3, init_params=init, random_state=0).fit_predict(X)
    assert sorted(np.bincount(labels)) == [30, 30, 30]
