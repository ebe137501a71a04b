"""A linear ranker against its definition, at the minimum, on choices with a known answer, and at the border."""
import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.estimator import ConvergenceWarning
from scratchml.datasets import load_mode_choice
from scratchml.metrics import ndcg_score
from scratchml.ranking import LinearRanker, lists, listnet_loss, pairs, ranknet_loss, softmax_loss
from scratchml.ranking.linear import linear_scores, objective, objective_gradient
from tests.reference import linear as reference
from tests.strategies.linear import graded

LOSSES = ("listnet", "softmax", "listmle", "ranknet")
each_loss = pytest.mark.parametrize("loss", LOSSES)
VALUE = {"listnet": listnet_loss, "softmax": softmax_loss, "ranknet": ranknet_loss}


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4))
def test_each_equation_is_its_definition(seed, N, D):
    rng = np.random.default_rng(seed)
    Z, v, L, u = rng.normal(size=(N, D)), rng.normal(size=D), rng.random(N), rng.normal(size=N)
    close = dict(rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(linear_scores(Z, v), reference.linear_scores(Z, v), **close)
    assert objective(L, v, 3, 0.2) == pytest.approx(reference.objective(L, v, 3, 0.2), rel=1e-12)
    np.testing.assert_allclose(objective_gradient(Z, u, v, 3, 0.2), reference.objective_gradient(Z, u, v, 3, 0.2),
                               **close)


# --- the minimum

@pytest.mark.parametrize("loss", VALUE)
def test_no_other_weights_are_better(loss):
    X, y, qid = graded()
    model = LinearRanker(loss, reg_lambda=0.01).fit(X, y, qid=qid)

    def F(v):
        scores = (X - model.mean_) / model.scale_ @ v
        return VALUE[loss](scores, y, qid=qid).item() + 0.005 * (v * v).sum()
    least = F(model.weights_)
    assert model.loss_ == pytest.approx(VALUE[loss](model.predict(X), y, qid=qid).item(), rel=1e-10)
    for step in 1e-3 * np.concatenate([np.eye(3), -np.eye(3)]):
        assert F(model.weights_ + step) > least
    np.testing.assert_allclose([(F(model.weights_ + e) - F(model.weights_ - e)) / 2e-5 for e in 1e-5 * np.eye(3)], 0,
                               atol=1e-6)


def mode_choice():
    trips = load_mode_choice()
    mode = trips.alternatives[:, None] == ["air", "train", "bus"]
    return np.column_stack([trips.data[:, [3, 0]], trips.data[:, 4] * mode[:, 0], mode]), trips.chosen, trips.chooser


@pytest.mark.parametrize("loss, options", [("listnet", {}), ("softmax", {}), ("listmle", dict(top_k=1)),
                                           ("listmle", dict(top_k="relevant"))])
def test_one_choice_of_four_is_the_conditional_logit(loss, options):
    X, y, qid = mode_choice()
    model = LinearRanker(loss, reg_lambda=0, **options).fit(X, y, qid=qid)
    assert -210 * model.loss_ == pytest.approx(-199.12837, abs=5e-6)
    np.testing.assert_allclose(model.coef_, [-0.01550153, -0.0961248, 0.01328703, 5.2074433, 3.8690427, 3.1631942],
                               rtol=1e-6)


@each_loss
def test_it_finds_an_order_that_there_is(loss):
    X, y, qid = graded(noise=0.1)
    options = dict(random_state=0, top_k="relevant") if loss == "listmle" else {}
    model = LinearRanker(loss, **options).fit(X, y, qid=qid)
    assert model.score(X, y, qid=qid) > 0.97
    assert model.score(X, y, qid=qid) == ndcg_score(y, model.predict(X), qid=qid, k=10)
    assert (np.sign(model.coef_) == [1, -1, 1]).all()


def test_a_whole_permutation_of_equal_grades_is_noise():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1500, 8)), np.zeros((25, 60))
    y[np.arange(25), (X[:, 0].reshape(25, 60) + 0.5 * rng.normal(size=(25, 60))).argmax(axis=1)] = 1
    y, group = y.ravel(), [60] * 25
    off = {top_k: np.mean([np.linalg.norm(LinearRanker("listmle", reg_lambda=0.01, top_k=top_k, random_state=seed,
                                                       tol=1e-3)
                                          .fit(X, y, group=group).weights_[1:]) for seed in range(2)])
           / LinearRanker("listmle", reg_lambda=0.01, top_k=top_k, random_state=0,
                          tol=1e-3).fit(X, y, group=group).weights_[0]
           for top_k in (None, "relevant")}
    # of what should be 0, by what should not
    assert off["relevant"] < 0.5 and off[None] > 2 * off["relevant"], off


# --- what changes nothing

@each_loss
def test_order_of_documents_and_queries(loss):
    X, y, qid = graded(seed=3)
    y = y + 1e-3 * np.arange(len(y)) if loss == "listmle" else y
    model = LinearRanker(loss, reg_lambda=0.01).fit(X, y, qid=qid)
    mixed = np.random.default_rng(0).permutation(len(y))
    again = LinearRanker(loss, reg_lambda=0.01).fit(X[mixed], y[mixed], qid=[f"id {q}" for q in qid[mixed]])
    np.testing.assert_allclose(again.weights_, model.weights_, rtol=1e-5, atol=1e-7)
    together = np.argsort(qid, kind="stable")
    again = LinearRanker(loss, reg_lambda=0.01).fit(X[together], y[together], group=np.bincount(qid))
    np.testing.assert_allclose(again.weights_, model.weights_, rtol=1e-5, atol=1e-7)


def test_units_and_offsets_of_features():
    X, y, qid = graded()
    model = LinearRanker().fit(X, y, qid=qid)
    for scaled in (X * [1e150, 1e-150, -1], X + 1e6, np.asfortranarray(X), X.tolist()):
        again = LinearRanker().fit(scaled, y, qid=qid)
        np.testing.assert_allclose(again.predict(scaled), model.predict(X), rtol=1e-5, atol=1e-6)
    far = LinearRanker().fit(X + 1e9, y, qid=qid)
    np.testing.assert_allclose(far.predict(X + 1e9), model.predict(X), atol=1e-4)


def test_features_that_say_nothing_of_order():
    X, y, qid = graded()
    model = LinearRanker().fit(X, y, qid=qid)
    more = LinearRanker().fit(np.column_stack([X, np.full(len(X), 7.7), qid]), y, qid=qid)
    np.testing.assert_allclose(more.weights_, [*model.weights_, 0, 0], rtol=1e-5, atol=1e-7)


def test_float32_integers_and_read_only():
    X, y, qid = graded()
    model, single = LinearRanker().fit(X, y, qid=qid), X.astype(np.float32)
    single.setflags(write=False)
    narrow = LinearRanker().fit(single, y.astype(np.uint8), qid=qid.astype(np.int16))
    assert narrow.weights_.dtype == narrow.coef_.dtype == narrow.predict(single).dtype == np.float32
    np.testing.assert_allclose(narrow.predict(single), model.predict(X), rtol=1e-4, atol=1e-5)
    whole = LinearRanker().fit(np.rint(X).astype(int), y > 0, qid=qid)
    assert np.isfinite(whole.predict(np.rint(X))).all()
    one = model.predict(X[5:6])                          # alone as among others
    assert one[0] == model.predict(X)[5]


# --- the border

@each_loss
def test_nothing_to_rank_is_said(loss):
    X, y, qid = graded()
    for grades, of in ((np.ones(len(y)), qid), (np.zeros(len(y)), qid), (y, np.arange(len(y)))):
        with pytest.warns(UserWarning, match="y: nothing to rank"):
            model = LinearRanker(loss).fit(X, grades, qid=of)
        assert not model.weights_.any() and not model.predict(X).any()


def test_an_order_learned_perfectly_ends():
    X, y = np.arange(6.0)[:, None], np.arange(6)
    for loss in LOSSES:
        model = LinearRanker(loss, reg_lambda=0, random_state=0).fit(X, y, [6])
        assert np.isfinite(model.weights_).all() and (model.score(X, y, [6]) == 1 or loss in ("listnet", "softmax"))
        assert (np.diff(model.predict(X)) > 0).all()


def test_a_limit_of_iterations_is_said_and_a_callback_stops():
    X, y, qid = graded()
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        LinearRanker(max_iter=2).fit(X, y, qid=qid)
    with pytest.warns(ConvergenceWarning, match="max_iter=0"):
        model = LinearRanker(max_iter=0).fit(X, y, qid=qid)
    assert model.n_iter_ == 0 and not model.weights_.any()
    assert model.loss_ == pytest.approx(listnet_loss(np.zeros(len(y)), y, qid=qid).item())
    losses = []
    model = LinearRanker(callback=lambda now: losses.append(now.loss) or len(losses) == 3).fit(X, y, qid=qid)
    assert model.n_iter_ == 3 == len(losses) and losses == sorted(losses, reverse=True)
    with pytest.raises(ValueError, match="callback=3"):
        LinearRanker(callback=3).fit(X, y, qid=qid)


def test_listmle_draws_the_order_of_equal_grades():
    X, y, qid = graded()
    fits = [LinearRanker("listmle", random_state=seed).fit(X, y, qid=qid).weights_ for seed in (0, 0, 1)]
    assert (fits[0] == fits[1]).all() and (fits[0] != fits[2]).any()


def test_queries_are_to_be_named():
    X, y, qid = graded()
    with pytest.raises(ValueError, match="fit: needs to know which rows belong to one query; pass qid"):
        LinearRanker().fit(X, y)
    model = LinearRanker().fit(X, y, qid=qid)
    with pytest.raises(ValueError, match="score: needs to know which rows belong to one query"):
        model.score(X, y)
    for ids in (iter(qid), qid.astype(object), [f"query {q}" for q in qid]):
        assert model.score(X, y, qid=ids) == ndcg_score(y, model.predict(X), qid=qid, k=10)
    with pytest.raises(ValueError, match="y: expected a grade for each"):
        model.score(X, y[:-1], qid=qid)
    assert model.score(X, y, [len(y)]) == ndcg_score(y, model.predict(X), k=10)


@pytest.mark.parametrize("options, arguments, message", [
    (dict(loss="lambdarank"), {}, "loss='lambdarank'"), (dict(reg_lambda=-1), {}, "reg_lambda=-1"),
    (dict(reg_lambda="1"), {}, "reg_lambda"), (dict(top_k=0), {}, "top_k"), (dict(max_iter=-1), {}, "max_iter"),
    (dict(tol=np.nan), {}, "tol"), (dict(loss="listmle", random_state="a"), {}, "random_state"),
    ({}, dict(X=[[np.nan, 1]] * 4), "X"), ({}, dict(X=[[np.inf, 1]] * 4), "X"), ({}, dict(X=[1, 2, 3, 4]), "X|2D"),
    ({}, dict(X=[["a", 1]] * 4), "X|convert"), ({}, dict(y=[1, 0]), r"y: expected a grade for each of the 4"),
    ({}, dict(y=None), "y"), ({}, dict(y=[1, 0, np.nan, 0]), "y"),
    ({}, dict(y=[1, 0, -1, 0]), "y: expected grades of 0 or more"),
    ({}, dict(y=["a"] * 4), "y"), ({}, dict(group=[2, 3]), "add up to 4"), ({}, dict(group=[2, 0, 2]), "group"),
    ({}, dict(qid=[1, 1, 2]), "qid: expected an id for each of the 4"),
    ({}, dict(qid=[1, None, 1, 2]), "qid: the id at 1 is missing"),
    ({}, dict(group=[4], qid=[1] * 4), "expected one of group and qid, got both"),
])
def test_bad_input(options, arguments, message):
    model = LinearRanker(**options)
    with pytest.raises(ValueError, match=message):
        of = {} if arguments.keys() & {"group", "qid"} else dict(group=[4])
        model.fit(**dict(X=[[0.0, 1], [1, 0], [2, 2], [3, 1]], y=[0, 1, 2, 0]) | of | arguments)
    with pytest.raises(ValueError, match="not fitted"):
        model.predict([[0.0, 1]])


def test_grades_below_0_have_an_order():
    X, y, qid = graded()
    np.testing.assert_allclose(LinearRanker("ranknet").fit(X, y - 5, qid=qid).weights_,
                               LinearRanker("ranknet").fit(X, y, qid=qid).weights_, rtol=1e-9)


def test_a_failed_fit_leaves_the_model_that_there_was():
    X, y, qid = graded()
    model = LinearRanker().fit(X, y, qid=qid)
    before = model.predict(X)
    with pytest.raises(ValueError, match="y"):
        model.fit(X, y[:-1], qid=qid)
    assert (model.predict(X) == before).all()
    with pytest.raises(ValueError, match="sum of weighted features"):
        LinearRanker().fit(X / 1e300, y, qid=qid).predict(np.full((1, 3), 1e300))


def test_the_same_bits_on_any_number_of_threads(monkeypatch):
    X, y, qid = graded(queries=20)
    fits = []
    monkeypatch.setattr(lists, "WORK", 30), monkeypatch.setattr(pairs, "WORK", 30)
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        fits.append([LinearRanker(loss, random_state=0, max_iter=5, tol=1).fit(X, y, qid=qid).weights_
                     for loss in LOSSES])
    np.testing.assert_array_equal(*fits)


# --- keeping

def test_a_saved_model_says_the_same(tmp_path):
    X, y, qid = graded()
    for X in (X, X.astype(np.float32)):
        model = LinearRanker("listmle", top_k="relevant", random_state=0).fit(X, y, qid=qid)
        model.save(tmp_path / "model")
        loaded = LinearRanker.load(tmp_path / "model")
        assert (loaded.predict(X) == model.predict(X)).all() and loaded.predict(X).dtype == X.dtype
        assert loaded.get_params() | {"random_state": 0} == model.get_params() and loaded.n_iter_ == model.n_iter_
    with pytest.raises(ValueError, match="not fitted"):
        LinearRanker().save(tmp_path / "none")


def test_files_that_are_no_model(tmp_path):
    from scratchml.core import storage
    X, y, qid = graded()
    model = LinearRanker().fit(X, y, qid=qid)
    model.save(tmp_path / "model")
    arrays, rest = storage.load(tmp_path / "model", "scratchml.ranking.LinearRanker")
    for changed, left in ((arrays | {"mean_": np.zeros(2)}, rest), (arrays | {"weights_": np.full(3, np.nan)}, rest),
                          ({"mean_": arrays["mean_"]}, rest), (arrays, {"parameters": {"loss": 1, "depth": 2}}),
                          (arrays, rest | {"dtype": "complex"}), (arrays, rest | {"n_iter_": "many"})):
        storage.save(tmp_path / "other", "scratchml.ranking.LinearRanker", changed, left)
        with pytest.raises(ValueError, match="other: expected a fitted model"):
            LinearRanker.load(tmp_path / "other")
    content = (tmp_path / "model").read_bytes()
    for cut in itertools.islice(range(1, len(content)), 0, None, 400):
        (tmp_path / "cut").write_bytes(content[:cut])
        with pytest.raises(ValueError, match="cut"):
            LinearRanker.load(tmp_path / "cut")


def test_names_of_columns():
    pandas = pytest.importorskip("pandas")
    X, y, qid = graded()
    frame = pandas.DataFrame(X, columns=["age", "price", "visits"], index=range(7, 7 + len(X)))
    model = LinearRanker().fit(frame, pandas.Series(y, index=frame.index), qid=pandas.Series(qid, index=frame.index))
    assert model.feature_names_in_.tolist() == ["age", "price", "visits"]
    np.testing.assert_array_equal(model.predict(frame), LinearRanker().fit(X, y, qid=qid).predict(X))
    with pytest.raises(ValueError, match="same order"):
        model.predict(frame[["price", "age", "visits"]])
