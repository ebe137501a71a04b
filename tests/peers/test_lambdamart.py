"""LambdaMART beside LightGBM, and in the hands of scikit-learn."""
import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", minversion="1.9.1")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from scratchml.metrics import ndcg_score
from scratchml.ranking import LambdaMART
from tests.strategies.lambdamart import graded

X, Y, QID = graded(Q=60, n=8, D=4)
GROUP = np.bincount(QID)


def whole(N, seed=0):
    """Features of few values, so that bins are the values themselves, and something to learn."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 30, (N, 5)).astype(float)
    return X, np.sin(X[:, 0] / 5) + 0.1 * X[:, 1] * (X[:, 2] > 12) + 0.3 * rng.normal(size=N)


# --- LightGBM

@pytest.mark.parametrize("objective, theirs", [("squared", "regression"), ("logistic", "binary")])
@pytest.mark.parametrize("limits", [dict(num_leaves=31), dict(num_leaves=7, reg_lambda=3.0),
                                    dict(num_leaves=31, max_depth=3)])
def test_trees_for_rows_score_as_lightgbm_does(objective, theirs, limits):
    """All but some rows that part where cuts gain the same but for rounding.

    The limit is a weight: LightGBM does not count rows, but guesses their number from that.
    """
    lightgbm = pytest.importorskip("lightgbm")
    X, y = whole(2000)
    y = y if objective == "squared" else (y > y.mean()) * 1.0
    ours = LambdaMART(20, objective=objective, min_child_samples=1, min_child_weight=5.0, **limits).fit(X, y).predict(X)
    settings = {"objective": theirs, "learning_rate": 0.1, "verbose": -1, "num_threads": 1, "min_data_in_bin": 1,
                "min_data_in_leaf": 0, "min_sum_hessian_in_leaf": 5.0, **limits}
    expected = lightgbm.train(settings, lightgbm.Dataset(X, y), 20).predict(X, raw_score=True)
    assert np.mean(np.isclose(ours, expected, rtol=1e-3, atol=1e-3)) > 0.97


def test_rankings_are_as_good_as_lightgbms_on_held_out_queries():
    lightgbm = pytest.importorskip("lightgbm")
    found = []
    for seed in range(3):
        (A, a, q), (B, b, p) = (graded(Q=150, n=12, D=5, seed=10 * seed + k) for k in range(2))
        ours = LambdaMART(60, num_leaves=8).fit(A, a, qid=q).predict(B)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = lightgbm.LGBMRanker(n_estimators=60, num_leaves=8, verbose=-1, n_jobs=1).fit(
                A, a, group=np.bincount(q)).predict(B)
        found.append([ndcg_score(b, scores, qid=p, k=10) for scores in (ours, theirs)])
    ours, theirs = np.mean(found, axis=0)
    assert ours > theirs - 0.005 and ours > 0.9


# --- scikit-learn

@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_passes_scikit_learns_checks_where_it_needs_no_queries():
    estimator = LambdaMART(5, objective="squared", min_child_samples=2)
    for instance, check in estimator_checks_generator(estimator):
        check(instance)


def test_folds_of_queries_and_a_search_over_leaves(routing):
    model = LambdaMART(5, min_child_samples=4).set_fit_request(qid=True).set_score_request(qid=True)
    search = GridSearchCV(model, {"num_leaves": [2, 8]}, cv=GroupKFold(3), error_score="raise")
    order = np.random.default_rng(0).permutation(len(X))
    names = np.array([f"query {q}" for q in QID])[order]
    search.fit(X[order], Y[order], qid=names, groups=names)
    assert search.best_params_ == {"num_leaves": 8} and search.best_score_ > 0.8
    expected = []
    for train, test in GroupKFold(3).split(X[order], Y[order], names):
        one = LambdaMART(5, min_child_samples=4, num_leaves=8).fit(X[order][train], Y[order][train], qid=names[train])
        expected.append(one.score(X[order][test], Y[order][test], qid=names[test]))
    assert search.best_score_ == pytest.approx(np.mean(expected))
    scores = cross_val_score(clone(search.best_estimator_), X[order], Y[order], params=dict(qid=names, groups=names),
                             cv=GroupKFold(3))
    np.testing.assert_allclose(scores, expected)


def test_a_search_that_hands_on_no_queries_to_score_says_so():
    """Without routing, fit gets them and score does not: scores would be of one query made of all."""
    search = GridSearchCV(LambdaMART(2), {"num_leaves": [4]}, cv=GroupKFold(2), error_score="raise")
    with pytest.raises(ValueError, match="score: needs to know which rows belong to one query"):
        search.fit(X, Y, qid=QID, groups=QID)


def test_a_clone_keeps_parameters_and_requests(routing):
    from sklearn.utils.metadata_routing import get_routing_for_object
    model = LambdaMART(7, label_gain=[0, 1, 3, 7]).set_fit_request(qid="query")
    twin = clone(model)
    assert repr(twin) == repr(model) and not twin.__sklearn_is_fitted__()
    assert get_routing_for_object(twin).fit.requests["qid"] == "query"
    assert get_routing_for_object(clone(LambdaMART())).fit.requests == \
        {"group": None, "qid": None, "sample_weight": None}


# --- pandas

def test_frames_series_and_names():
    pandas = pytest.importorskip("pandas")
    index = range(1000, 1000 + len(X))
    frame = pandas.DataFrame(X, columns=["age", "price", "words", "sold"], index=index)
    y, qid = pandas.Series(Y, index=index), pandas.Series([f"q{q}" for q in QID], index=index, dtype="category")
    model = LambdaMART(3, min_child_samples=4).fit(frame, y, qid=qid, eval_set=(frame, y), eval_qid=qid)
    plain = LambdaMART(3, min_child_samples=4).fit(X, Y, GROUP)
    np.testing.assert_array_equal(model.predict(frame), plain.predict(X))
    assert model.feature_names_in_.tolist() == ["age", "price", "words", "sold"] and "price <= " in model.dump()
    assert model.score(frame, y, qid=qid) == plain.score(X, Y, GROUP)
    with pytest.raises(ValueError, match="same order"):
        model.predict(frame[["price", "age", "words", "sold"]])
    with pytest.raises(ValueError, match="same order"):
        LambdaMART(3).fit(frame, y, qid=qid, eval_set=(frame[["price", "age", "words", "sold"]], y), eval_qid=qid)
    unknown = frame.astype({"words": "Float64"})
    unknown.iloc[3, 2] = pandas.NA
    assert np.isfinite(LambdaMART(3, min_child_samples=4).fit(unknown, y, qid=qid).predict(unknown)).all()


def test_names_are_kept_in_a_file(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    LambdaMART(2).fit(frame, Y, GROUP).save(tmp_path / "model")
    again = LambdaMART.load(tmp_path / "model")
    assert again.feature_names_in_.tolist() == list("abcd") and "b <= " in again.dump() + again.dump(1)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame.rename(columns={"a": "z"}))
