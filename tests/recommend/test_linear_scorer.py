"""The linear scorer against its definition, its gradient, and what must hold of any fit."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.core.estimator import ConvergenceWarning
from scratchml.recommend import LinearScorer
from scratchml.recommend.linear_scorer import linear_scores, softmax_gradient, softmax_loss
from tests.reference import linear_scorer as reference
from tests.strategies.linear_scorer import queries, seeds, some_queries


@given(some_queries(), seeds)
def test_it_is_as_defined(drawn, seed):
    (Z, y, g), w = drawn, np.random.default_rng(seed).normal(size=drawn[0].shape[1])
    s = linear_scores(Z, w)
    np.testing.assert_allclose(s, reference.linear_scores(Z, w), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(softmax_loss(s, y, g), reference.softmax_loss(s, y, g.tolist()), rtol=1e-12, atol=1e-14)
    slope = softmax_gradient(s, y, g)
    np.testing.assert_allclose(slope, reference.softmax_gradient(s, y, g.tolist()), rtol=1e-11, atol=1e-14)
    along = np.random.default_rng(seed + 1).normal(size=s.size)
    ahead, behind = (softmax_loss(s + h * along, y, g) for h in (1e-6, -1e-6))
    assert (ahead - behind) / 2e-6 == pytest.approx(slope @ along, rel=1e-6, abs=1e-9)


@given(some_queries(), seeds)
def test_a_constant_of_a_query_changes_nothing(drawn, seed):
    _, y, g = drawn
    rng = np.random.default_rng(seed)
    s, c = rng.normal(size=y.size), 1000 * rng.normal(size=g.max() + 1)
    np.testing.assert_allclose(softmax_loss(s + c[g], y, g), softmax_loss(s, y, g), rtol=1e-9, atol=1e-11)


def fitted(X, y, g, **settings):
    return LinearScorer(**{"reg_lambda": 1e-2, **settings}).fit(X, y, g)


def test_a_fit_has_no_slope_left():
    Z, y, g = queries(200, 12, 3, 4)
    model = fitted(Z, y, g)
    kept = np.bincount(g, y)[g] > 0
    S = model.scaler_.transform(Z[kept])
    g = np.unique(g[kept], return_inverse=True)[1]
    slope = S.T @ np.array(reference.softmax_gradient(S @ model.coef_, y[kept], g.tolist())) + 1e-2 * model.coef_
    assert np.abs(slope).max() < 1e-5
    assert model.loss_ == pytest.approx(reference.softmax_loss(S @ model.coef_, y[kept], g.tolist()) + 5e-3
                                        * (model.coef_ ** 2).sum())


def test_order_names_and_units_do_not_matter():
    Z, y, g = queries(150, 9, 3, 2)
    scores = fitted(Z, y, g).predict(Z)
    order = np.random.default_rng(0).permutation(150)
    np.testing.assert_allclose(fitted(Z[order], y[order], 10**12 - 7 * g[order]).predict(Z), scores, atol=1e-4)
    for scale, offset in ((1e-150, 0), (1e150, 0), (1, 1e9), (1e3, -1e9)):
        moved = Z * scale + offset
        found = fitted(moved, y, g).predict(moved)
        np.testing.assert_allclose(found - found.mean(), scores - scores.mean(), atol=1e-4)
    np.testing.assert_allclose(fitted(Z, 1e200 * y, g).predict(Z), scores, atol=1e-12)
    constant = np.column_stack([Z, np.full(150, 3.3)])
    np.testing.assert_allclose(fitted(constant, y, g).predict(constant + [0, 0, 0, 9]), scores, atol=1e-12)


def test_it_finds_what_is_right():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    g = np.repeat(np.arange(30), 10)
    y = (X[:, 1] == X[:, 1].reshape(30, 10).max(axis=1)[g]).astype(int)
    model = LinearScorer().fit(X.astype(np.float32), y, g)
    best = model.predict(X).reshape(30, 10).argmax(axis=1)
    assert (best == X[:, 1].reshape(30, 10).argmax(axis=1)).mean() > 0.95


def test_queries_that_say_nothing_have_no_say():
    Z, y, g = queries(60, 6, 3, 2)
    more = np.concatenate([Z, 100 + Z[:5]]), np.concatenate([y, np.zeros(4), [1]]), np.concatenate([g, [90] * 4, [91]])
    np.testing.assert_allclose(fitted(*more).predict(Z), fitted(Z, y, g).predict(Z), atol=1e-12)


@pytest.mark.parametrize("change, message", [
    (dict(y=[1, 0, 0]), "y: expected an array of shape"),
    (dict(y=[1, 0, -1, 0]), "y: expected labels of at least 0, got -1"),
    (dict(y=[0, 0, 0, 0]), "nothing to rank"), (dict(qid=[0, 1, 2, 3]), "nothing to rank"),
    (dict(qid=[0, 0, 1]), "qid: expected the query"),
    (dict(qid=[0.5, 0, 1, 1]), "qid: expected whole numbers"),
    (dict(qid=["a", "b", "a", "b"]), "qid: expected whole numbers"),
    (dict(X=[[np.nan], [1], [2], [3]]), "X: Input contains NaN"), (dict(X=[1, 2, 3, 4]), "Expected 2D array"),
    (dict(y=[np.inf, 0, 0, 0]), "y: Input contains infinity"), (dict(qid=None), "qid")])
def test_what_cannot_be_learned(change, message):
    with pytest.raises(ValueError, match=message):
        LinearScorer().fit(**{**dict(X=[[1.0], [2], [4], [3]], y=[1, 0, 1, 0], qid=[0, 0, 1, 1]), **change})


def test_bad_parameters_and_other_features():
    arguments = [[1.0], [2], [4], [3]], [1, 0, 1, 0], [0, 0, 1, 1]
    for settings in (dict(reg_lambda=-1), dict(reg_lambda="1"), dict(max_iter=0), dict(max_iter=2.5)):
        with pytest.raises(ValueError, match="expected a"):
            LinearScorer(**settings).fit(*arguments)
    with pytest.raises(ValueError, match="features"):
        LinearScorer().fit(*arguments).predict([[1.0, 2]])
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        LinearScorer(max_iter=1).fit(*queries(80, 5, 3, 1))
