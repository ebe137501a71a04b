"""The estimator: what it learns, what it says of samples, and what it does with input of all kinds."""
import pickle

import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.core.estimator import NotFittedError
from scratchml.reduction import PCA, VariationalAutoencoder
from scratchml.reduction.variational import linear_elbo, linear_optimum
from tests.reduction.test_variational import linear_world, log_density
from tests.strategies.autoencoder import logistic, spread
from tests.strategies.distances import BAD_TABLES, layouts

each_likelihood = pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])


def small(n_components=2, **options):
    """A short fit of a small network, for what holds of every fit."""
    return VariationalAutoencoder(n_components,
                                  **{"hidden": (5,), "epochs": 3, "batch_size": 8, "random_state": 0, **options})


def shares(N=24, D=4, seed=0):
    """Numbers in [0, 1]."""
    return logistic(2 * spread(N, D, seed))


def as_linear_world():
    """A fitted model whose network is then made that of `linear_world`, and its samples."""
    X, V, W, v, s2 = linear_world()
    X = X - X.mean(axis=0)
    model = small(hidden=()).fit(X)
    unit = model._units.unit
    model.module_.load_state_dict({
        "encoder.0.weight": np.vstack([V * unit, np.zeros((2, 4))]),
        "encoder.0.bias": np.r_[0, 0, 20 * np.arctanh(v / 20)],
        "decoder.0.weight": W / unit, "decoder.0.bias": np.zeros(4), "log_noise": np.log([s2 / unit ** 2 - 1e-6])})
    return model, X, (V, W, v, s2)


# --- what it says of samples

def test_bounds_are_those_of_the_equations_in_the_units_of_the_data():
    model, X, (V, W, v, s2) = as_linear_world()
    np.testing.assert_allclose(model.elbo(X, 4000).mean(), -linear_elbo(X, V, W, v, s2).item(), atol=0.02)
    exact = log_density(X, W, s2)
    np.testing.assert_allclose(model.score_samples(X), exact, rtol=1e-9), "q is the posterior: one draw says it all"
    np.testing.assert_allclose(model.score_samples(X, 1), exact, rtol=1e-9)
    assert model.score(X) == model.score_samples(X).mean()
    np.testing.assert_allclose(model.transform(X), X @ V.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.reconstruction_error(X), np.square(X - X @ V.T @ W.T).mean(axis=1), rtol=1e-9)


def test_drawn_samples_have_the_covariance_of_the_model():
    model, X, (V, W, v, s2) = as_linear_world()
    drawn = model.sample(20_000)
    np.testing.assert_allclose(np.cov(drawn.T), W @ W.T + s2 * np.eye(4), atol=0.2)
    np.testing.assert_array_equal(drawn, model.sample(20_000))
    model = small(likelihood="bernoulli").fit(shares())
    drawn = model.sample(4000)
    assert set(np.unique(drawn)) == {0, 1} and drawn.shape == (4000, 4)
    means = model.inverse_transform(np.random.default_rng(0).normal(size=(4000, 2)))
    np.testing.assert_allclose(drawn.mean(axis=0), means.mean(axis=0), atol=0.05)


def test_a_linear_model_comes_near_to_probabilistic_pca():
    X = spread(200, 4)
    model = VariationalAutoencoder(2, hidden=(), epochs=150, batch_size=50, learning_rate=0.03, random_state=0).fit(X)
    c = PCA().fit(X).explained_variance_ * 199 / 200
    best = linear_optimum(c, 2)
    assert best - 0.1 < model.score(X) < best + 0.01
    assert abs(-model.loss_history_[-1] - best) < 0.15


@each_likelihood
def test_the_loss_is_the_negative_bound(likelihood):
    X = shares(40) if likelihood == "bernoulli" else 1000 * shares(40) + 1e5
    model = small(likelihood=likelihood, epochs=30, learning_rate=0.01).fit(X)
    assert abs(model.loss_history_[-1] + model.elbo(X).mean()) < 0.4 and len(model.loss_history_) == model.n_iter_ == 30
    np.testing.assert_allclose(model.loss_history_[-1], model.reconstruction_ + model.kl_, rtol=1e-9)
    assert model.kl_ > 0 and model.elbo(X, 200).mean() < model.score_samples(X, 200).mean() + 0.01


def test_the_divergence_against_a_mean_of_features_leaves_nothing_of_the_code():
    """A mean over D features in the place of the sum is a price D times as high."""
    X = spread(100, 6)
    options = dict(hidden=(8,), epochs=60, batch_size=25, learning_rate=0.02, random_state=0)
    summed, averaged = (VariationalAutoencoder(2, beta=β, **options).fit(X) for β in (1.0, 6.0))
    assert summed.kl_ > 0.5 and averaged.kl_ < 0.1 * summed.kl_
    assert averaged.transform(X).std() < 0.3 * summed.transform(X).std()


def test_without_a_price_it_is_an_autoencoder():
    X = spread(60, 4)
    free = small(hidden=(), beta=0.0, epochs=200, batch_size=30, learning_rate=0.03).fit(X)
    pca = PCA(2).fit(X)
    lost = np.square(X - pca.inverse_transform(pca.transform(X))).mean()
    assert free.kl_ > 5 and free.reconstruction_error(X).mean() < 1.3 * lost


def test_warmup_raises_the_price_by_equal_steps():
    X, seen = spread(24, 4), []

    def look(progress):
        model = progress.estimator
        seen.append((progress.loss - model.reconstruction_) / model.kl_)
    model = small(warmup=3, epochs=5, beta=2.0, callback=look).fit(X)
    np.testing.assert_allclose(seen, [0.5, 1.0, 1.5, 2.0, 2.0], rtol=1e-6)
    assert model.warmup == 3
    with pytest.raises(ValueError, match="warmup=3: while β grows the loss does"):
        small(warmup=3, patience=2).fit(X)
    small(warmup=2, patience=2, validation_split=0.3).fit(X)


def test_samples_kept_apart_pay_the_whole_price_from_the_start():
    """With a price of 1000 the divergence alone is thousands, unless the first of 10,000 steps of warmup counts."""
    X = 9 * spread(24, 4)
    model = small(warmup=9999, epochs=1, beta=1000.0, validation_split=0.3, learning_rate=1e-6).fit(X)
    assert model.loss_history_[0] > model.reconstruction_ + 100 * model.kl_ and model.kl_ > 0.01


def test_a_sample_has_the_same_bound_whatever_comes_with_it(monkeypatch):
    from scratchml.reduction import variational_training as chapter
    X = shares()
    model = small(likelihood="bernoulli").fit(X)
    whole = model.score_samples(X)
    np.testing.assert_allclose(model.score_samples(X[[5, 3]]), whole[[5, 3]], rtol=1e-12)
    monkeypatch.setattr(chapter, "BLOCK", 300)
    np.testing.assert_allclose(model.score_samples(X), whole, rtol=1e-12)


def test_level_data_have_a_finite_likelihood():
    for X in (np.full((9, 3), 0.1), np.tile([1e9, -3.0, 0.1], (9, 1))):
        model = small(epochs=60, batch_size=9, learning_rate=0.1).fit(X)
        assert np.isfinite(model.score(X)) and np.isfinite(model.elbo(X)).all()
    line = np.outer(np.arange(30.0), [1, 2])
    assert np.isfinite(small(hidden=(), epochs=200, batch_size=30, learning_rate=0.1).fit(line).score(line))


def test_the_unit_of_the_data_moves_the_density_and_nothing_else():
    X = spread(24, 4)
    plain = small().fit(X)
    for factor, shift in ((1e-100, 0.0), (1e100, 0.0), (1.0, 1e9)):
        moved = small().fit(X * factor + shift)
        np.testing.assert_allclose(moved.transform(X * factor + shift), plain.transform(X), atol=1e-5)
        np.testing.assert_allclose(moved.score(X * factor + shift), plain.score(X) - 4 * np.log(factor), rtol=1e-6)
        np.testing.assert_allclose(moved.loss_history_, np.subtract(plain.loss_history_, -4 * np.log(factor)),
                                   rtol=1e-6)


# --- the estimator

@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_likelihood
def test_the_type_of_the_data_stays(dtype, likelihood):
    X = shares().astype(dtype)
    model = small(likelihood=likelihood).fit(X)
    Z = model.transform(X)
    for made in (Z, model.inverse_transform(Z), model.reconstruction_error(X), model.score_samples(X, 3),
                 model.elbo(X, 3),
                 model.sample(2), model.transform(X.astype(np.float64)), *(p.data for p in model.module_.parameters())):
        assert made.dtype == dtype


@each_likelihood
def test_a_saved_model_is_the_same(tmp_path, likelihood):
    X = shares().astype(np.float32)
    model = small(likelihood=likelihood, hidden=[5, 4]).fit(X)
    model.set_params(n_components=3, likelihood="gaussian" if likelihood == "bernoulli" else "bernoulli")
    model.save(tmp_path / "model")
    for twin in (VariationalAutoencoder.load(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        for method in ("transform", "score_samples", "elbo", "reconstruction_error"):
            np.testing.assert_array_equal(getattr(twin, method)(X), getattr(model, method)(X))
        assert twin.kl_ == model.kl_ and twin.loss_history_ == model.loss_history_ and twin.n_features_in_ == 4
    with pytest.raises(NotFittedError):
        small().score_samples(X)


@pytest.mark.parametrize("X, message", BAD_TABLES)
def test_bad_tables_are_refused(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        small().fit(X)


@pytest.mark.parametrize("options, message", [
    (dict(n_components=0), "n_components=0"), (dict(likelihood="poisson"), "likelihood='poisson'"),
    (dict(beta=-1), "beta=-1"), (dict(beta=np.nan), "beta=nan"), (dict(warmup=-1), "warmup=-1"),
    (dict(warmup=1.5), "warmup=1.5"),
    (dict(hidden=(0,)), r"hidden\[0\]=0"), (dict(epochs=0), "epochs=0"), (dict(learning_rate=0), "learning_rate=0"),
])
def test_bad_parameters_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options).fit(spread(12, 4))


def test_numbers_that_are_no_shares_are_refused_for_bernoulli():
    X = shares()
    for wrong in (X - 0.5, X + 0.5, 255 * X):
        with pytest.raises(ValueError, match="X: with likelihood='bernoulli' expected numbers from 0 to 1"):
            small(likelihood="bernoulli").fit(wrong)
    model = small(likelihood="bernoulli").fit(X)
    with pytest.raises(ValueError, match="likelihood='bernoulli' expected numbers from 0 to 1, got -0."):
        model.score_samples(X - 0.9)
    for n in (0, 1.5, "3"):
        with pytest.raises(ValueError, match="n_draws="):
            model.elbo(X, n)
        with pytest.raises(ValueError, match="n_samples="):
            model.sample(n)


def test_a_loss_that_grows_beyond_all_numbers_ends_the_fit_in_words():
    with pytest.raises(ValueError, match="learning_rate: the loss became (nan|inf).*lower learning_rate"):
        small(learning_rate=1e25, epochs=20).fit(spread(40, 4).astype(np.float32))


def test_a_density_too_low_for_float32_is_minus_infinity():
    model = small().fit(spread(24, 4).astype(np.float32))
    assert model.score_samples(np.full((1, 4), 1e25, np.float32)).tolist() == [-np.inf]


def test_far_rows_have_a_bound_or_an_error_in_words():
    model = small().fit(spread(24, 4))
    far = model.score_samples(np.full((1, 4), 1e6))
    assert np.isfinite(far).all() and far < -1e6
    with pytest.raises(ValueError, match="the largest magnitude is|cannot be held"):
        model.score_samples(np.full((1, 4), 1e200))


def test_forms_in_memory_make_no_difference():
    X = shares()
    model = small(likelihood="bernoulli").fit(X)
    for name, form in layouts(X).items():
        again = small(likelihood="bernoulli").fit(form)
        np.testing.assert_array_equal(again.transform(form), model.transform(X), err_msg=name)
        np.testing.assert_array_equal(again.score_samples(form, 3), model.score_samples(X, 3), err_msg=name)
    assert model.get_feature_names_out().tolist() == ["variationalautoencoder0", "variationalautoencoder1"]
    μ, _ = model.module_.posterior(Tensor(model._units.apply(X, np.float64)))
    np.testing.assert_array_equal(model.transform(X), μ.data)
