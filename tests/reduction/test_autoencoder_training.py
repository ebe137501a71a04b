"""The estimator: what spoilt, tied and sparse networks learn, and what it does with input of all kinds."""
import pickle

import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.core.estimator import ConvergenceWarning, NotFittedError
from scratchml.reduction import PCA, Autoencoder, VariationalAutoencoder
from scratchml.reduction.autoencoder import reconstruction_loss, sparsity, weight_penalty
from tests.strategies.autoencoder import linear, logistic, small, spread
from tests.strategies.distances import BAD_TABLES, layouts

# --- tied, denoising, sparse

def test_tied_weights_are_one_and_the_same():
    X = spread(20, 4)
    free, model = small().fit(X), small(tied=True).fit(X)
    names = set(model.module_.state_dict())
    assert names == {"encoder.0.weight", "encoder.0.bias", "encoder.1.weight", "encoder.1.bias", "decoder_bias.0",
                     "decoder_bias.1"}
    assert len(free.module_.state_dict()) == 8
    W, b, V, c, k0, k1 = model.module_.state_dict().values()
    np.testing.assert_allclose(model.inverse_transform([[1.0, -2]]),
                               model._units.undo(np.maximum([[1.0, -2]] @ V + k0, 0) @ W + k1), rtol=1e-12)


def test_without_noise_nothing_is_spoilt():
    X = spread(20, 4)
    plain = small().fit(X)
    for options in (dict(noise=0, noise_kind="gaussian"), dict(noise=0.0)):
        np.testing.assert_array_equal(small(**options).fit(X).transform(X), plain.transform(X))
    for kind in ("masking", "gaussian"):
        assert np.abs(small(noise=0.3, noise_kind=kind).fit(X).transform(X) - plain.transform(X)).max() > 1e-3


@pytest.mark.parametrize("kind", ["masking", "gaussian"])
def test_noise_is_of_the_kind_and_size_that_was_asked_for(kind):
    X = 5 * spread(300, 6) + 3
    model = small(noise=0.25, noise_kind=kind).fit(X)
    lessons = model._lessons(model.module_, model._units, np.random.default_rng(0))
    T = model._units.apply(X, np.float64)
    spoilt = lessons.spoilt(T)
    if kind == "masking":
        assert abs((spoilt == 0).mean() - 0.25) < 0.03 and (spoilt[spoilt != 0] == T[spoilt != 0]).all()
    else:
        added = model._units.undo(spoilt) - X
        assert abs(added.std() - 0.25) < 0.01 and abs(added.mean()) < 0.02
    assert lessons.eval()(Tensor(T)).item() == lessons(Tensor(T)).item(), "outside of training nothing is spoilt"


def test_denoising_learns_what_goes_with_what():
    """Two features are the same number, and a third is noise: masked, a feature is read off its twin."""
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(200, 1)), 2, axis=1)
    options = dict(hidden=(), epochs=60, learning_rate=0.02, random_state=0)
    gone = X - X.mean(axis=0)
    gone[:, 0] = 0
    errors = {}
    for p in (0.0, 0.4):
        model = Autoencoder(2, noise=p, **options).fit(X)
        errors[p] = np.square(model.inverse_transform(model.transform(gone + X.mean(axis=0))) - X)[:, 0].mean()
    assert errors[0.4] < 0.5 * errors[0.0]


def test_sparse_codes_are_between_0_and_1_and_as_seldom_active_as_asked_for():
    X = spread(80, 4)
    for ρ in (0.1, 0.3):
        Z = small(6, hidden=(), epochs=200, batch_size=80, learning_rate=0.1, sparsity=ρ,
                  sparsity_weight=30.0).fit(X).transform(X)
        assert Z.min() > 0 and Z.max() < 1 and np.abs(Z.mean(axis=0) - ρ).max() < 0.25 * ρ


# --- the estimator

def test_an_autoencoder_follows_a_curve_where_a_plane_cannot():
    t = np.linspace(-1.5, 1.5, 200)
    X = np.c_[t, t ** 2, np.sin(2 * t)]
    model = Autoencoder(1, hidden=(24, 12), activation="tanh", epochs=250, batch_size=200, learning_rate=0.03,
                        random_state=0).fit(X)
    assert -model.score(X) < 0.1 * PCA(1).fit(X).noise_variance_
    further = model.reconstruction_error([[0.0, 2.0, 1.0], [0.3, 0.09, np.sin(0.6)]])
    assert further[0] > 20 * further[1]


def test_history_is_the_loss_in_the_units_of_the_data():
    X = 100 * spread(64, 4) + 1e4
    model = Autoencoder(2, hidden=(8,), epochs=40, learning_rate=0.02, random_state=0).fit(X)
    assert len(model.loss_history_) == model.n_iter_ == 40 and model.n_components_ == 2
    np.testing.assert_allclose(model.loss_history_[-1], -4 * model.score(X), rtol=0.02)
    np.testing.assert_allclose(model.reconstruction_error(X),
                               np.square(model.inverse_transform(model.transform(X)) - X).mean(axis=1), rtol=1e-6)


def test_offset_and_unit_of_the_data_change_nothing():
    X = spread(24, 4)
    plain = small().fit(X)
    for factor, shift in ((1e-100, 0.0), (1e100, 0.0), (1.0, 1e9), (-3.0, 7.0)):
        moved = X * abs(factor) + shift
        model = small().fit(moved)
        np.testing.assert_allclose(model.transform(moved), plain.transform(X), atol=1e-5)
        np.testing.assert_allclose(np.sqrt(-model.score(moved)) / abs(factor), np.sqrt(-plain.score(X)), rtol=1e-5)
        np.testing.assert_allclose(model.inverse_transform(plain.transform(X)), moved, atol=9 * abs(factor))


def test_sigmoid_output_stays_in_0_1_and_asks_for_such_data():
    X = spread(30, 4)
    X = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    model = small(output="sigmoid", epochs=100, batch_size=30, learning_rate=0.05).fit(X)
    Y = model.inverse_transform(50 * model.transform(X))
    assert Y.min() >= 0 and Y.max() <= 1
    np.testing.assert_allclose(model.score(X), -np.square(model.inverse_transform(model.transform(X)) - X).mean())
    assert -model.score(X) < 0.7 * X.var(axis=0).mean()
    with pytest.raises(ValueError, match=r"X: with output='sigmoid' expected numbers from 0 to 1, got 1.5"):
        small(output="sigmoid").fit(1.5 * X / X.max())
    assert model.loss_history_[-1] < 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [dict(), dict(tied=True, noise=0.2), dict(output="sigmoid", sparsity=0.3),
                                     dict(solver="lbfgs", hidden=()), dict(noise=0.2, noise_kind="gaussian")])
def test_the_type_of_the_data_stays(dtype, options):
    X = logistic(spread(20, 4)).astype(dtype)
    model = small(**options, **({"epochs": 500} if "solver" in options else {})).fit(X)
    for made in (model.transform(X), model.inverse_transform(model.transform(X)), model.reconstruction_error(X),
                 model.transform(X.astype(np.float64)), *(p.data for p in model.module_.parameters())):
        assert made.dtype == dtype


def test_lbfgs_says_where_its_limit_ends_it_and_adam_does_not():
    X = spread(30, 4)
    with pytest.warns(ConvergenceWarning, match="the loss still fell after 3 iterations; raise epochs, or tol"):
        model = linear(2, epochs=3).fit(X)
    assert model.n_iter_ == 3 == len(model.loss_history_)
    small().fit(X)


def test_patience_ends_a_fit_and_validation_is_of_samples_kept_apart():
    X = spread(60, 4)
    model = small(epochs=60, patience=1, tol=1.0, validation_split=0.3).fit(X)
    assert model.n_iter_ == 2, "from one epoch to the next the loss falls by less than the variance of the data"
    assert small(validation_split=0.3).fit(X).n_iter_ == 3


def test_a_callback_sees_every_epoch_and_can_stop():
    seen, X = [], spread(20, 4)

    def stop(progress):
        seen.append((progress.iteration, progress.loss, progress.estimator.n_iter_))
        return progress.iteration == 2
    for options in (dict(epochs=9), dict(epochs=900, solver="lbfgs", hidden=())):
        seen.clear()
        model = small(callback=stop, **options).fit(X)
        assert [row[0] for row in seen] == [1, 2] == [row[2] for row in seen] and model.n_iter_ == 2
        assert [row[1] for row in seen] == model.loss_history_ and np.isfinite(model.transform(X)).all()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_interrupted_fit_keeps_its_last_epoch(solver):
    X = spread(20, 4).astype(np.float32)

    def interrupt(progress):
        if progress.iteration == 3:
            raise KeyboardInterrupt
    model = small(epochs=50, solver=solver, callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert model.transform(X).dtype == np.float32
    if solver == "lbfgs":
        np.testing.assert_allclose(-4 * model.score(X), model.loss_history_[-1], rtol=1e-4)


def test_an_interrupted_look_of_lbfgs_leaves_the_weights_of_the_last_iteration(monkeypatch):
    from scratchml.reduction import autoencoder_training as chapter
    X, looks = spread(20, 4), []

    def interrupted(*arguments):
        looks.append(0)
        if len(looks) == 9:
            raise KeyboardInterrupt
        return reconstruction_loss(*arguments)
    monkeypatch.setattr(chapter, "reconstruction_loss", interrupted)
    model = linear(2, hidden=(3,))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert 1 <= model.n_iter_ < 9
    np.testing.assert_allclose(-4 * model.score(X), model.loss_history_[-1], rtol=1e-9)


@pytest.mark.filterwarnings("ignore::scratchml.core.estimator.ConvergenceWarning")
@pytest.mark.parametrize("options", [dict(sparsity=0.1, sparsity_weight=3.0), dict(weight_decay=0.2, tied=True),
                                     dict(output="sigmoid", sparsity=0.2, weight_decay=0.01)])
def test_what_is_minimised_is_the_sum_of_the_equations_in_the_units_of_the_data(options):
    X = spread(20, 4)
    X = 7 * X if "output" not in options else (X - X.min()) / np.ptp(X)
    model = linear(2, hidden=(3,), epochs=60, tol=1e-4, **options).fit(X)
    network, z = model.module_, model.module_.before_code(Tensor(model._units.apply(X, np.float64)))
    total = reconstruction_loss(X, model.inverse_transform(model.transform(X))).item()
    if "sparsity" in options:
        total += sparsity(z, options["sparsity"], options.get("sparsity_weight", 1.0)).item()
    total += weight_penalty(network.e, network.d, options.get("weight_decay", 0.0)).item()
    np.testing.assert_allclose(model.loss_history_[-1], total, rtol=1e-9)


def test_adam_stops_a_little_above_the_minimum():
    X = spread(40, 5)
    least = linear().fit(X).loss_history_[-1]
    model = Autoencoder(2, hidden=(), epochs=150, batch_size=20, learning_rate=0.02, random_state=0).fit(X)
    assert 1e-6 < -5 * model.score(X) / least - 1 < 0.6


def test_a_file_of_another_kind_is_refused(tmp_path):
    X = spread(12, 4)
    VariationalAutoencoder(1, hidden=(), epochs=1, random_state=0).fit(X).save(tmp_path / "model")
    with pytest.raises(ValueError, match="expected a file holding scratchml.reduction.Autoencoder"):
        Autoencoder.load(tmp_path / "model")


def test_a_loss_that_grows_beyond_all_numbers_ends_the_fit_in_words():
    with pytest.raises(ValueError, match="learning_rate: the loss became (nan|inf).*lower learning_rate"):
        small(learning_rate=1e15, epochs=20).fit(spread(40, 4).astype(np.float32))


@pytest.mark.parametrize("options", [dict(), dict(tied=True, sparsity=0.2), dict(output="sigmoid", hidden=[4, 3]),
                                     dict(hidden=(), solver="lbfgs", epochs=500)])
def test_a_saved_model_is_the_same(tmp_path, options):
    X = logistic(spread(20, 4)).astype(np.float32)
    model = small(**options).fit(X)
    model.set_params(n_components=4, tied=not model.tied)                      # what was built counts
    model.save(tmp_path / "model")
    twin = Autoencoder.load(tmp_path / "model")
    for a, b in ((model, twin), (model, pickle.loads(pickle.dumps(model)))):
        np.testing.assert_array_equal(b.transform(X), a.transform(X))
        np.testing.assert_array_equal(b.inverse_transform(a.transform(X)), a.inverse_transform(a.transform(X)))
        assert b.loss_history_ == a.loss_history_ and b.n_iter_ == a.n_iter_ and b.n_features_in_ == 4
    assert {**twin.get_params(), "random_state": 0} == {**model.get_params(), "hidden": list(twin.hidden)}
    (tmp_path / "other").write_bytes((tmp_path / "model").read_bytes()[:-300])
    with pytest.raises(ValueError, match="other: damaged"):
        Autoencoder.load(tmp_path / "other")
    with pytest.raises(NotFittedError):
        small().save(tmp_path / "none")


def test_names_of_columns_are_kept(tmp_path):
    class Frame:
        columns, index = np.array(["a", "b", "c", "d"], object), range(7, 27)

        def __array__(self, dtype=None, copy=None):
            return spread(20, 4)
    model = small().fit(Frame())
    model.save(tmp_path / "model")
    twin = Autoencoder.load(tmp_path / "model")
    assert twin.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert twin.get_feature_names_out().tolist() == ["autoencoder0", "autoencoder1"]
    np.testing.assert_array_equal(twin.transform(Frame()), model.transform(Frame()))


# --- input of all kinds

@pytest.mark.parametrize("X, message", BAD_TABLES)
def test_bad_tables_are_refused(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        small().fit(X)


@pytest.mark.parametrize("options, message", [
    (dict(n_components=0), "n_components=0"), (dict(n_components=True), "n_components=True"),
    (dict(hidden=0), "hidden=0"), (dict(hidden=(3, -1)), r"hidden\[1\]=-1"), (dict(hidden="128"), "hidden='128'"),
    (dict(hidden=iter([3])), "hidden=.*expected a whole number or a tuple"), (dict(hidden=(2.5,)), r"hidden\[0\]=2.5"),
    (dict(activation="elu"), "activation='elu'"), (dict(output="relu"), "output='relu'"),
    (dict(tied="False"), "tied='False'"),
    (dict(noise=1.0), "noise=1.0: with noise_kind='masking' expected a share below 1"),
    (dict(noise=-0.1), "noise=-0.1"),
    (dict(noise_kind="salt"), "noise_kind='salt'"), (dict(sparsity=0), "sparsity=0"),
    (dict(sparsity=1.0), "sparsity=1.0"),
    (dict(sparsity=np.nan), "sparsity=nan"), (dict(sparsity_weight=-1), "sparsity_weight=-1"),
    (dict(weight_decay=np.inf), "weight_decay=inf"), (dict(epochs=0), "epochs=0"),
    (dict(batch_size=1.5), "batch_size=1.5"),
    (dict(learning_rate=0.0), "learning_rate=0.0"), (dict(solver="sgd"), "solver='sgd'"), (dict(tol=-1), "tol=-1"),
    (dict(validation_split=1.0), "validation_split=1.0"), (dict(validation_split=0.01), "validation_split=0.01"),
    (dict(patience=0), "patience=0"), (dict(callback=3), "callback=3"), (dict(random_state=-1), "random_state=-1"),
    (dict(solver="lbfgs", noise=0.1), "solver='lbfgs': takes neither noise"),
    (dict(solver="lbfgs", patience=3), "solver='lbfgs': takes neither noise"),
])
def test_bad_parameters_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options).fit(spread(12, 4))


@pytest.mark.parametrize("cls", [Autoencoder, VariationalAutoencoder])
def test_sparse_matrices_are_refused(cls):
    class Sparse:
        shape = (12, 4)

        def toarray(self):
            return spread(12, 4)
    with pytest.raises(TypeError, match="sparse data was passed, but dense data is required"):
        cls(hidden=(3,), epochs=1).fit(Sparse())


@pytest.mark.parametrize("cls", [Autoencoder, VariationalAutoencoder])
def test_a_model_with_a_callback_can_be_pickled(cls):
    X = spread(12, 4)
    model = pickle.loads(pickle.dumps(cls(hidden=(3,), epochs=5, random_state=0, callback=after_two).fit(X)))
    assert model.n_iter_ == 2 == model.fit(X).n_iter_


def after_two(progress):
    return progress.iteration == 2


def test_more_components_than_features_need_noise_or_sparsity():
    X = spread(12, 2)
    with pytest.warns(UserWarning, match="n_components=3: a code longer than the 2 features"):
        small(3).fit(X)
    for options in (dict(noise=0.2), dict(sparsity=0.2)):
        assert small(3, **options).fit(X).transform(X).shape == (12, 3)


def test_level_data_are_rebuilt():
    for X in (np.full((9, 3), 0.1), np.tile([1e9, -3.0, 0.1], (9, 1)), np.c_[np.full(9, 0.1), np.arange(9.0)]):
        for solver in ("adam", "lbfgs"):
            model = small(1, solver=solver, epochs=100, batch_size=9, learning_rate=0.05).fit(X)
            assert -model.score(X) <= 0.03 * X.var(axis=0).mean() + 1e-5


def test_rows_too_far_to_be_held_are_refused():
    model = small().fit(spread(12, 4).astype(np.float32))
    with pytest.raises(ValueError, match="X: the largest magnitude is 1e.300, beside data"):
        model.transform(np.full((1, 4), 1e300))
    with pytest.raises(ValueError, match="cannot be held in float32"):
        model.inverse_transform(np.full((1, 2), 3e38))
    model = small().fit((1e37 * spread(12, 4)).astype(np.float32))
    with pytest.raises(ValueError, match="Z: what these codes stand for cannot be held in float32"):
        model.inverse_transform(np.full((1, 2), 1e6))
    for wild in (1e200, 1e-160):
        with pytest.raises(ValueError, match="X: the largest magnitude is .*scale the data"):
            small().fit(spread(12, 4) * wild)


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_errors_that_float32_cannot_hold_are_told_in_float64(factor):
    X = (spread(12, 4) * factor).astype(np.float32)
    model = small().fit(X)
    errors = model.reconstruction_error(X)
    np.testing.assert_allclose(errors / factor ** 2, small().fit(X / np.float32(factor)).reconstruction_error(
        X / np.float32(factor)), rtol=1e-4)
    assert errors.dtype == np.float64 and model.score(X) == -errors.mean() and model.transform(X).dtype == np.float32
    near = small().fit(X / np.float32(factor))
    assert near.reconstruction_error(X / np.float32(factor)).dtype == np.float32
    far = near.reconstruction_error(np.full((1, 4), 1e25))
    assert far.dtype == np.float64 and 1e45 < far < 1e52


def test_forms_in_memory_and_subsets_make_no_difference():
    X = spread(20, 4)
    model = small().fit(X)
    for name, form in layouts(X).items():
        np.testing.assert_array_equal(small().fit(form).transform(form), model.transform(X), err_msg=name)
    np.testing.assert_allclose(model.transform(X[5:9]), model.transform(X)[5:9], atol=1e-12)
    with pytest.raises(ValueError, match="Z: has 3 columns, but codes have 2"):
        model.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="X has 3 features, but Autoencoder is expecting 4"):
        model.reconstruction_error(X[:, :3])


def test_a_fit_that_fails_leaves_the_model_of_before():
    X = spread(20, 4).astype(np.float32)
    model = small().fit(X)
    before = model.transform(X)
    with pytest.raises(ValueError, match="learning_rate"):
        model.set_params(learning_rate=1e15).fit(X)
    np.testing.assert_array_equal(model.transform(X), before)


def test_permuted_hidden_units_are_the_same_network():
    X = spread(20, 4)
    model = small().fit(X)
    before = model.inverse_transform(model.transform(X))
    order, state = np.array([3, 1, 4, 0, 2]), model.module_.state_dict()
    state.update({"encoder.0.weight": state["encoder.0.weight"][order],
                  "encoder.0.bias": state["encoder.0.bias"][order],
                  "encoder.1.weight": state["encoder.1.weight"][:, order]})
    model.module_.load_state_dict(state)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), before, rtol=1e-12)


def test_the_encoder_of_another_seed_is_another():
    X = spread(20, 4)
    assert np.abs(small(random_state=1).fit(X).transform(X) - small().fit(X).transform(X)).max() > 1e-3
