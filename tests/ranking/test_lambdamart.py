"""LambdaMART from fit to file: what it promises, and what it refuses."""
import copy
import sys
import types
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.core.estimator import NotFittedError
from scratchml.metrics import ndcg_score
from scratchml.ranking.lambdamart import LambdaMART
from tests.strategies.lambdamart import graded

SMALL = dict(n_estimators=5, num_leaves=4, min_child_samples=2)
X, Y, QID = graded()
GROUP = np.bincount(QID)
seeds = st.integers(0, 2**32 - 1)


def small(**parameters):
    return LambdaMART(**{**SMALL, **parameters})


@pytest.fixture(scope="module")
def model():
    return small().fit(X, Y, GROUP)


def same_trees(a, b):
    assert len(a.trees_) == len(b.trees_) > 0
    for one, other in zip(a.trees_, b.trees_):
        for part in ("feature", "threshold", "missing_left", "left", "right", "value", "count", "gain"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


# --- it learns

@pytest.mark.parametrize("objective", ["lambdarank", "ranknet", "softmax", "squared", "logistic"])
def test_it_ranks_documents_that_it_has_not_seen(objective):
    X, y, qid = graded(Q=30, n=8, seed=1)
    X_new, y_new, qid_new = graded(Q=20, n=8, seed=2)
    if objective == "logistic":
        y, y_new = y > 1, y_new > 1
    model = small(objective=objective, n_estimators=20, learning_rate=0.3).fit(X, y, qid=qid)
    first = ndcg_score(y_new, -np.arange(len(y_new)), qid=qid_new, k=10)
    assert model.score(X_new, y_new, qid=qid_new) > first + 0.5 * (1 - first)
    assert model.score(X_new, y_new, qid=qid_new) == pytest.approx(
        ndcg_score(y_new, model.predict(X_new), qid=qid_new, k=10), rel=1e-12)


def test_trees_alone_need_no_queries():
    y = X[:, 1] ** 2
    squared = small(objective="squared", n_estimators=60, learning_rate=0.3).fit(X, y)
    assert squared.score(X, y) == pytest.approx(-np.mean((y - squared.predict(X))**2))
    assert squared.score(X, y) > -0.1 * y.var()
    logistic = small(objective="logistic").fit(X, Y > 1)
    assert -0.6 < logistic.score(X, Y > 1) < 0
    weighted = small(objective="squared", n_estimators=1).fit(X, y, sample_weight=np.arange(len(y)))
    assert weighted.start_ == pytest.approx(np.average(y, weights=np.arange(len(y))))


def test_stages_end_in_the_prediction_and_leaves_add_up_to_it(model):
    stages = list(model.staged_predict(X))
    assert len(stages) == 5
    np.testing.assert_allclose(stages[-1], model.predict(X), rtol=1e-12)
    leaves = model.apply(X)
    values = sum(tree.value[leaves[:, m]] for m, tree in enumerate(model.trees_))
    np.testing.assert_allclose(values + model.start_, model.predict(X), rtol=1e-12)
    assert leaves.shape == (len(X), 5)


def test_importances_count_and_weigh_cuts(model):
    features = np.concatenate([tree.feature[tree.feature >= 0] for tree in model.trees_])
    np.testing.assert_array_equal(model.feature_importances_, np.bincount(features, minlength=3))
    gains = copy.copy(model).set_params(importance_type="gain").feature_importances_
    assert gains[2] < gains[:2].min() and gains.sum() == pytest.approx(sum(tree.gain.sum() for tree in model.trees_))


def test_a_tree_in_words(model):
    text = model.dump(1).splitlines()
    assert "x1 <= " in text[0] and "48 rows" in text[0] and len(text) == 7
    with pytest.raises(ValueError, match="tree=5: there are 5, numbered from 0"):
        model.dump(5)


def test_an_unknown_keyword_is_an_error():
    with pytest.raises(TypeError, match="lambdarank_truncation_level"):
        LambdaMART(lambdarank_truncation_level=20)
    with pytest.raises(ValueError, match="Invalid parameter 'num_leafs'"):
        LambdaMART().set_params(num_leafs=3)


# --- the same whatever the form

@given(seeds, st.sampled_from(["lambdarank", "ranknet"]))
@settings(max_examples=10)
def test_the_order_of_queries_documents_and_features_does_not_matter(seed, objective):
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(X)), rng.permutation(3)
    model = small(objective=objective).fit(X, Y, GROUP)
    other = small(objective=objective).fit(X[rows], Y[rows], qid=QID[rows])
    same_trees(model, other)
    turned = small(objective=objective).fit(X[:, columns], Y, qid=QID)
    np.testing.assert_allclose(turned.predict(X[:, columns]), model.predict(X), rtol=1e-9, atol=1e-12)


def test_queries_in_another_order_and_any_number_of_threads_give_the_same_bits(monkeypatch):
    X, y, qid = graded(Q=12 if plain() else 600, n=10, D=4)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    models = {objective: small(objective=objective).fit(X, y, qid=qid) for objective in ("lambdarank", "softmax")}
    order = np.argsort(np.random.default_rng(0).permutation(qid.max() + 1)[qid], kind="stable")
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        for objective, model in models.items():
            again = small(objective=objective).fit(X[order], y[order], np.unique(qid, return_counts=True)[1])
            same_trees(model, again)
            np.testing.assert_array_equal(again.predict(X), model.predict(X))


def plain():
    import os
    return bool(os.environ.get("NUMBA_DISABLE_JIT"))


@pytest.mark.parametrize("form", [
    lambda X, y, qid: (X.tolist(), y.tolist(), qid.tolist()),
    lambda X, y, qid: (np.asfortranarray(X), y.astype(int), [f"query {q}" for q in qid]),
    lambda X, y, qid: (X[::1], y.astype(object), qid.astype(float)),
    lambda X, y, qid: (X, y.astype(np.float32), qid.astype("U3")),
])
def test_forms_of_input(form, model):
    A, y, qid = form(X, Y, QID)
    same_trees(small().fit(A, y, qid=qid), model)


def test_a_monotone_change_of_a_feature_leaves_the_trees(model):
    Z = np.column_stack([np.exp(X[:, 0]), X[:, 1]**3 * 1e200, np.arctan(X[:, 2])])
    np.testing.assert_array_equal(small().fit(Z, Y, GROUP).predict(Z), model.predict(X))


def test_fewer_digits_and_infinities_are_values_like_others():
    Z = X.astype(np.float32)
    Z[3, 1], Z[4, 1] = np.inf, -np.inf
    fitted = small().fit(Z, Y, GROUP)
    np.testing.assert_array_equal(fitted.predict(Z), fitted.predict(Z.astype(np.float64)))
    assert np.isfinite(fitted.predict(np.array([[np.inf, -np.inf, np.nan], [1e300, -1e-300, 5e-324]]))).all()


def test_missing_values_go_where_it_is_better():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(60, 1))
    Z[::3] = np.nan
    qid = np.arange(60) // 6
    for wanted in (0, 1):
        y = np.where(np.isnan(Z[:, 0]), wanted, 1 - wanted)
        scores = small(min_child_samples=1).fit(Z, y, qid=qid).predict([[np.nan], [0.0]])
        assert (scores[0] > scores[1]) == wanted


# --- held-out rows

def test_early_stopping_keeps_the_best_number_of_trees():
    X_new, y_new, qid_new = graded(Q=12, seed=3)
    many = small(n_estimators=80, num_leaves=8, learning_rate=0.5, early_stopping_rounds=6).fit(
        X, Y, GROUP, eval_set=(X_new, y_new), eval_qid=qid_new, eval_at=(1, 3))
    history = many.evals_result_["valid_0"]["ndcg@3"]
    assert len(history) == len(many.trees_) == many.best_iteration_ + 6 < 80
    assert many.best_iteration_ == np.argmax(history) + 1 and many.stopped_by_ == ("early_stopping_rounds",)
    assert many.best_score_ == {"valid_0": {"ndcg@1": many.evals_result_["valid_0"]["ndcg@1"][many.best_iteration_ - 1],
                                            "ndcg@3": max(history)}}
    assert max(history) == pytest.approx(ndcg_score(y_new, many.predict(X_new), qid=qid_new, k=3), rel=1e-12)
    assert many.apply(X).shape[1] == len(list(many.staged_predict(X))) == many.best_iteration_


def test_several_held_out_sets_have_names():
    model = small(objective="squared").fit(X, Y, eval_set=[(X, Y), (X[:9], Y[:9])], eval_names=["all", "some"])
    assert {name: set(values) for name, values in model.evals_result_.items()} == {"all": {"l2"}, "some": {"l2"}}
    assert model.evals_result_["all"]["l2"][-1] == pytest.approx(-model.score(X, Y))
    assert model.best_iteration_ == 5


@pytest.mark.parametrize("arguments, words", [
    (dict(eval_qid=QID), "eval_qid: there is no eval_set"),
    (dict(eval_set=(X, Y)),
     r"eval_set\[0\]: needs to know which rows belong to one query; pass eval_qid, .*, or eval_group"),
    (dict(eval_set=[(X, Y)], eval_qid=QID), "eval_qid: expected a list with one for each of the 1 pairs"),
    (dict(eval_set=[X, Y]), r"eval_set\[0\]: expected a pair"),
    (dict(eval_set=(X[:, :2], Y), eval_qid=QID), r"eval_set\[0\]: X has 2 features.* 3 features"),
    (dict(eval_set=(X, Y[:4]), eval_qid=QID), r"eval_set\[0\]: y: expected an array of shape \(48,\)"),
    (dict(eval_set=(X, Y * 0), eval_qid=QID), r"eval_set\[0\]: no query has a document above label 0"),
    (dict(eval_set=[(X, Y)] * 2, eval_qid=[QID] * 2, eval_names=["a", "a"]), "eval_names: .* got 'a'"),
    (dict(eval_set=(X, Y), eval_qid=QID, eval_at=()), "eval_at: expected at least one"),
    (dict(eval_set=(X, Y), eval_qid=QID, eval_at=(0,)), "eval_at=0"),
])
def test_held_out_rows_that_do_not_fit(arguments, words):
    with pytest.raises(ValueError, match=words):
        small().fit(X, Y, GROUP, **arguments)


def test_early_stopping_without_anything_to_watch_is_an_error():
    with pytest.raises(ValueError, match="early_stopping_rounds=3: expected held-out rows"):
        small(early_stopping_rounds=3).fit(X, Y, GROUP)


# --- while it runs

def test_callbacks_hear_of_every_tree_and_may_stop(capsys):
    heard = []
    model = small(verbose=1).fit(X, Y, GROUP, callback=lambda told: heard.append(told) or told.iteration == 3)
    assert [told.iteration for told in heard] == [1, 2, 3] and heard[0].estimator is model
    assert len(model.trees_) == 3 and model.stopped_by_ == ("callback",)
    assert heard[-1].loss == pytest.approx(1 - ndcg_score(Y, model.predict(X), qid=QID, k=5))
    assert "LambdaMART: iteration 3, loss" in capsys.readouterr().err
    with pytest.raises(ValueError, match="callback='no'"):
        small().fit(X, Y, GROUP, callback="no")


def test_an_interrupted_fit_keeps_its_trees():
    def interrupt(told):
        if told.iteration == 2:
            raise KeyboardInterrupt
    model = small()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, GROUP, callback=interrupt)
    assert len(model.trees_) == model.best_iteration_ == 2
    np.testing.assert_array_equal(model.predict(X), small(n_estimators=2).fit(X, Y, GROUP).predict(X))


def test_a_failed_fit_leaves_the_model_of_before(model):
    again = copy.deepcopy(model)
    for arguments in ((X, Y - 1, GROUP), (X, Y, GROUP + 1), (X, Y)):
        with pytest.raises(ValueError):
            again.fit(*arguments)
    same_trees(again, model)
    again.num_leaves = "many"                            # after the fit it is nobody's business
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


# --- files

@pytest.mark.parametrize("parameters", [{}, dict(objective="squared"), dict(label_gain=[0, 1, 5, 6]),
                                        dict(label_gain="linear", importance_type="gain")])
def test_what_is_loaded_is_what_was_saved(tmp_path, parameters):
    model = small(**parameters).fit(X, Y, GROUP, eval_set=(X, Y), eval_qid=QID)
    model.save(tmp_path / "model")
    again = LambdaMART.load(tmp_path / "model")
    same_trees(again, model)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.score(X, Y, qid=QID) == model.score(X, Y, qid=QID) and again.dump() == model.dump()
    for name in ("best_iteration_", "best_score_", "evals_result_", "stopped_by_", "start_", "n_features_in_"):
        assert getattr(again, name) == getattr(model, name)
    assert [tree.stopped_by for tree in again.trees_] == [tree.stopped_by for tree in model.trees_]
    assert repr(again) == repr(model)


@pytest.mark.parametrize("damage, words", [
    (lambda arrays, rest: arrays["left"].__setitem__(0, 0), "child"),
    (lambda arrays, rest: arrays["right"].__setitem__(0, 99), "child"),
    (lambda arrays, rest: arrays["feature"].__setitem__(0, 7), "feature"),
    (lambda arrays, rest: arrays["value"].__setitem__(0, np.nan), "finite"),
    (lambda arrays, rest: arrays["sizes"].__setitem__(0, 2), "shapes"),
    (lambda arrays, rest: arrays.pop("gain"), "gain"),
    (lambda arrays, rest: rest.update(best_iteration_=9), "9, of 5 trees"),
    (lambda arrays, rest: rest.update(n_features_in_=1), "feature"),
    (lambda arrays, rest: rest["parameters"].update(num_leaves=0), "num_leaves=0"),
    (lambda arrays, rest: rest["parameters"].update(unheard_of=0), "unheard_of"),
    (lambda arrays, rest: rest.update(gains="odd"), "gains"),
    (lambda arrays, rest: rest.update(feature_names=["a"]), "feature_names"),
])
def test_a_damaged_file_is_refused(tmp_path, model, damage, words):
    from scratchml.core import storage
    from scratchml.ranking.lambdamart import KIND
    model.save(tmp_path / "model")
    arrays, rest = storage.load(tmp_path / "model", KIND)
    damage(arrays, rest)
    storage.save(tmp_path / "model", KIND, arrays, rest)
    with pytest.raises(ValueError, match=f"model: expected a fitted model.*{words}"):
        LambdaMART.load(tmp_path / "model")


# --- complaints that users of other packages have

def test_labels_may_be_large_broken_or_true():
    """Others stop at label 30, refuse what is not whole, or grow no tree without a word."""
    big = small().fit(X, np.where(Y > 2, 72, Y), qid=QID)
    assert big.score(X, np.where(Y > 2, 72, Y), qid=QID) > 0.8
    same_trees(small().fit(X, Y / 2, qid=QID), small(label_gain="linear").fit(X, Y * 2, qid=QID))
    same_trees(small().fit(X, Y > 1, qid=QID), small().fit(X, (Y > 1) * 1.0, qid=QID))
    same_trees(small(label_gain=[0, 1, 3, 7]).fit(X, Y, qid=QID), small().fit(X, Y, qid=QID))
    million = small(label_gain="linear").fit(X, Y * 2**20, qid=QID)
    same_trees(million, small(label_gain="linear").fit(X, Y, qid=QID))


@pytest.mark.parametrize("y, parameters, words", [
    (Y - 1, {}, "y: expected labels of 0 or more, got -1"),
    (Y * 1000, {}, "y: the label 3000 has a gain of 2\\^3000, beyond float64; pass label_gain=\"linear\""),
    (np.where(Y == 2, np.nan, Y), {}, "y: Input contains NaN"),
    (np.where(Y == 2, np.inf, Y), {}, "y: Input contains infinity"),
    (Y, dict(label_gain=[0, 1, 2]), f"y: expected whole labels below 3.* got 3 at {(Y == 3).argmax()}$"),
    (Y / 2, dict(label_gain=[0, 1, 2]), "y: expected whole labels below 3"),
    (Y, dict(label_gain=[0, 2, 1, 4]), "label_gain: expected gains"),
    (Y, dict(label_gain="exponential"), "label_gain='exponential'"),
    (Y[:, None], {}, "y: expected an array of shape"),
    (Y[:9], {}, "y: expected an array of shape"),
    (None, {}, "requires y"),
    (Y, dict(objective="logistic"), f"objective=\"logistic\" expects labels 0 and 1, got {Y[Y > 1][0]:g} at "
                                    f"{(Y > 1).argmax()}$"),
    (np.array(["good", "bad"] * 24), {}, "y: expected numbers"),
])
def test_labels_that_mean_nothing(y, parameters, words):
    with pytest.raises(ValueError, match=words):
        small(**parameters).fit(X, y, qid=QID)


@pytest.mark.parametrize("which, words", [
    (dict(), "lambdarank: needs to know which rows belong to one query; pass qid, .*, or group"),
    (dict(group=GROUP + 1), "group: .* add up to 48"),
    (dict(group=np.append(GROUP, 0)), "group: .* whole numbers from 1"),
    (dict(group=QID), "group: .*for an id of each document pass qid"),
    (dict(group=GROUP * 1.0), "group"),
    (dict(qid=QID[:5]), "qid: expected an id for each of the 48"),
    (dict(qid=[None] * 48), "qid: the id at 0 is missing"),
    (dict(qid=np.where(QID == 3, np.nan, QID)), "qid: the id at 18 is missing"),
    (dict(qid=QID, group=GROUP), "expected one of group and qid, got both"),
])
def test_queries_that_do_not_fit(which, words):
    with pytest.raises(ValueError, match=words):
        small().fit(X, Y, **which)


def test_a_score_asks_for_queries_too(model):
    with pytest.raises(ValueError, match="score: needs to know which rows belong to one query"):
        model.score(X, Y)


def test_too_few_rows_are_no_riddle():
    """Where a limit forbids every cut, the warning names it, and all scores are equal."""
    with pytest.warns(UserWarning,
                      match="grown no tree, so all scores are 0: every cut comes up against min_child_samples=30"):
        few = small(min_child_samples=30).fit(X, Y, GROUP)
    assert few.stopped_by_ == ("min_child_samples",) and not few.predict(X).any() and few.best_iteration_ == 0
    with pytest.warns(UserWarning, match="min_child_weight=1000000.0; lower it"):
        small(min_child_weight=1e6).fit(X, Y, GROUP)
    with pytest.warns(UserWarning, match="no cut of any feature lowers the loss"):
        small().fit(np.ones((48, 2)), Y, GROUP)
    assert few.apply(X).shape == (48, 0) and list(few.staged_predict(X)) == [] and not few.feature_importances_.any()


@pytest.mark.parametrize("y", [np.zeros(48), np.full(48, 2.0), QID * 1.0])
def test_labels_without_an_order_end_in_a_warning(y):
    with pytest.warns(UserWarning, match="in no query do labels differ"):
        model = small().fit(X, y, GROUP)
    assert model.stopped_by_ == ("equal labels",) and not model.predict(X).any()


def test_a_model_that_scores_all_alike_gains_nothing_from_the_order_of_rows():
    order = np.lexsort((-Y, QID))                        # each query from its best document on
    constant = np.zeros((48, 1))
    with pytest.warns(UserWarning, match="no tree"):
        model = small().fit(constant, Y[order], GROUP)
    chance = np.mean([ndcg_score(Y, np.random.default_rng(s).random(48), qid=QID, k=10) for s in range(300)])
    assert model.score(constant, Y[order], GROUP) == pytest.approx(chance, abs=0.01)
    for direction in (1, -1):                            # nor do the trees
        rows = order[::direction]
        same_trees(small().fit(X[rows], Y[rows], qid=QID[rows]), small().fit(X, Y, GROUP))


def test_queries_without_a_relevant_document_and_of_one_document_change_nothing():
    """Others count them as perfect.  Here they are left out of the measure, and pull nothing."""
    Z, y = np.concatenate([X, X[:9]]), np.concatenate([Y, np.zeros(8), [3.0]])
    qid = np.concatenate([QID, np.full(8, 100), [101]])
    model = small(objective="ranknet", min_child_samples=1).fit(Z, y, qid=qid)
    judged = y > -1
    judged[48:56] = False
    assert model.score(Z, y, qid=qid) == pytest.approx(model.score(Z[judged], y[judged], qid=qid[judged]))
    λ, h = pulls_of(Z, y, qid)
    assert not λ[48:].any() and not h[48:].any() and λ[:48].all()


def pulls_of(X, y, qid):
    from scratchml.ranking.lambdas import RankingLoss, Settings
    from scratchml.ranking.queries import read_queries
    return RankingLoss(np.exp2(y) - 1, read_queries(len(y), None, qid), "lambdarank", Settings(False, 30, True, 1.0))(
        np.zeros(len(y)))


def test_weights_pull_and_those_of_0_do_not():
    w = np.ones(48)
    w[:24] = 0
    half = small(min_child_samples=1, num_leaves=3, n_estimators=1)
    by_weight = half.fit(X, Y, GROUP, sample_weight=w).trees_[0]
    assert by_weight.gain[0] == pytest.approx(half.fit(X[24:], Y[24:], GROUP[4:]).trees_[0].gain[0])
    same_trees(small().fit(X, Y, GROUP, sample_weight=np.ones(48)), small().fit(X, Y, GROUP))
    with pytest.raises(ValueError, match="sample_weight"):
        small().fit(X, Y, GROUP, sample_weight=-w)


# --- parameters, and what else is hostile

@pytest.mark.parametrize("parameters, words", [
    (dict(n_estimators=0), "n_estimators=0"), (dict(num_leaves=1), "num_leaves=1"), (dict(max_depth=0), "max_depth=0"),
    (dict(learning_rate=0), "learning_rate=0"), (dict(min_child_samples=-1), "min_child_samples=-1"),
    (dict(min_child_weight=np.nan), "min_child_weight=nan"), (dict(reg_lambda=-1), "reg_lambda=-1"),
    (dict(subsample=0.5), "subsample=0.5: rows are drawn every subsample_freq trees, and that is 0; set 1"),
    (dict(subsample=1.5, subsample_freq=1), "subsample=1.5"), (dict(colsample_bytree=0), "colsample_bytree=0"),
    (dict(max_bin=1), "max_bin=1"), (dict(max_bin=256), "max_bin=256: expected at most 255"),
    (dict(objective="rank:ndcg"), "objective='rank:ndcg': expected one of 'lambdarank', 'ranknet'"),
    (dict(truncation_level=0), "truncation_level=0"), (dict(norm="False"), "norm='False'"),
    (dict(sigmoid=0), "sigmoid=0"),
    (dict(early_stopping_rounds=0), "early_stopping_rounds=0"),
    (dict(importance_type="weight"), "importance_type='weight'"),
    (dict(random_state="seed"), "random_state='seed'"), (dict(n_estimators=True), "n_estimators=True"),
])
def test_parameters_that_mean_nothing(parameters, words):
    with pytest.raises(ValueError, match=words):
        small(**parameters).fit(X, Y, GROUP)


@pytest.mark.parametrize("Z", [X * 1e300, X * 1e-300, X + 1e9, np.round(X), X[:, :1],
                               np.column_stack([X, np.full((48, 2), np.nan)]),
                               np.sign(X), np.column_stack([X, np.zeros(48)])])
@pytest.mark.parametrize("parameters", [dict(num_leaves=200, min_child_samples=1), dict(max_bin=2), dict(max_depth=1)])
def test_odd_features_and_limits_give_numbers(Z, parameters):
    model = small(**parameters).fit(Z, Y, GROUP)
    F = model.predict(Z)
    assert np.isfinite(F).all() and F.std() > 0


def test_rounds_in_which_nothing_is_left_to_do_end_the_fit():
    model = small(n_estimators=3000, learning_rate=1.0, min_child_samples=1, objective="squared").fit(X[:6], Y[:6])
    assert len(model.trees_) < 100 and model.stopped_by_ == ("no gain",)
    np.testing.assert_allclose(model.predict(X[:6]), Y[:6], atol=1e-9)


def test_twice_the_same_document_with_other_labels_is_no_trouble():
    Z = np.repeat(X[:24], 2, axis=0)
    y = np.tile([0.0, 3.0], 24)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)     # there may be nothing to cut
        model = small().fit(Z, y, qid=np.repeat(np.arange(4), 12))
    assert np.isfinite(model.predict(Z)).all()


def test_draws_come_from_the_seed():
    drawn = dict(subsample=0.6, subsample_freq=1, colsample_bytree=0.67)
    a, b, c = (small(random_state=seed, **drawn).fit(X, Y, GROUP) for seed in (1, 1, 2))
    same_trees(a, b)
    assert (a.predict(X) != c.predict(X)).any()


def test_unfitted_and_foreign_columns():
    with pytest.raises(NotFittedError):
        LambdaMART().predict(X)
    with pytest.raises(NotFittedError):
        LambdaMART().feature_importances_
    with pytest.raises(ValueError, match="X has 2 features, but LambdaMART is expecting 3"):
        small().fit(X, Y, GROUP).predict(X[:, :2])
    with pytest.raises(ValueError, match="not fitted"):
        LambdaMART().save("nowhere")


def test_requests_of_what_fit_does_not_take():
    with pytest.raises(ValueError, match="set_fit_request: 'ids' is nothing that fit takes"):
        LambdaMART().set_fit_request(ids=True)


class Requests:
    """Stands in for scikit-learn's MetadataRequest: notes what is asked for."""

    def __init__(self, owner):
        self.owner, self.fit, self.score = owner, Asked(), Asked()


class Asked(dict):
    def add_request(self, *, param, alias):
        self[param] = alias


def test_requests_are_kept_and_add_up(monkeypatch):
    routing = types.ModuleType("metadata_routing")
    routing.MetadataRequest = Requests
    monkeypatch.setitem(sys.modules, "sklearn.utils.metadata_routing", routing)
    for package in ("sklearn", "sklearn.utils"):
        monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    model = LambdaMART()
    asked = model.get_metadata_routing()
    assert asked.owner is model and asked.score == dict(group=None, qid=None)
    assert asked.fit == dict(group=None, qid=None, sample_weight=None)
    assert model.set_fit_request(qid=True, group=False) is model and model.set_score_request(qid="queries") is model
    asked = model.get_metadata_routing()
    assert asked is model.get_metadata_routing()
    assert (asked.fit, asked.score) == (dict(group=False, qid=True, sample_weight=None),
                                        dict(group=None, qid="queries"))
    assert not any(LambdaMART().get_metadata_routing().fit.values())
