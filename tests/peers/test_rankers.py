"""Rankers against the conditional logit of statsmodels, torch's own formulas, and what scikit-learn's tools ask."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.datasets import load_mode_choice
from scratchml.ranking import LinearRanker, lambdarank_gradients, listmle_loss, listnet_loss, ranknet_loss, softmax_loss
from tests.strategies.linear import graded


def test_the_top_one_loss_is_the_conditional_logit_of_statsmodels():
    models = pytest.importorskip("statsmodels.discrete.conditional_models")
    trips = load_mode_choice()
    mode = trips.alternatives[:, None] == ["air", "train", "bus"]
    X = np.column_stack([trips.data[:, [3, 0]], trips.data[:, 4] * mode[:, 0], mode])
    theirs = models.ConditionalLogit(trips.chosen, X, groups=trips.chooser).fit(method="newton", maxiter=50, disp=0)
    ours = LinearRanker(reg_lambda=0).fit(X, trips.chosen, qid=trips.chooser)
    assert -210 * ours.loss_ == pytest.approx(theirs.llf, abs=1e-9)
    np.testing.assert_allclose(ours.coef_, theirs.params, rtol=1e-6)


def test_losses_and_gradients_are_those_that_torch_derives():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    s, y = rng.normal(size=(8, 20)), rng.permuted(np.tile(np.arange(20.0), (8, 1)), axis=1)

    def ranknet(t):
        apart = t[:, :, None] - t[:, None, :]
        return torch.nn.functional.softplus(-apart)[torch.tensor(y[:, :, None] > y[:, None, :])].sum() / 8

    def listmle(t):
        down = t.gather(1, torch.tensor(-y).argsort(dim=1))
        return (torch.logcumsumexp(down.flip(1), dim=1).flip(1) - down).sum() / 8
    top_one = {kind: lambda t, w=w: -(torch.tensor(w) * torch.log_softmax(t, dim=1)).sum() / 8 for kind, w in
               (("shares", y / y.sum(axis=1, keepdims=True)), ("grades", y),
                ("softmax", np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)))}
    for ours, theirs in ((ranknet_loss, ranknet), (listmle_loss, listmle), (listnet_loss, top_one["shares"]),
                         (softmax_loss, top_one["grades"]),
                         (lambda s, y: listnet_loss(s, y, target="softmax"), top_one["softmax"])):
        mine, other = Tensor(s, requires_grad=True), torch.tensor(s, requires_grad=True)
        value, wanted = ours(mine, y), theirs(other)
        value.backward(), wanted.backward()
        assert value.item() == pytest.approx(wanted.item(), rel=1e-12)
        np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_lambdas_are_those_of_lightgbm():
    """Of a model of which all scores are known, given as init_score: the gradients as the first tree meets them.

    With one leaf-wise split on a feature that tells all documents apart, leaf values are -Σλ / Σh of their documents.
    """
    lightgbm = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    s, y, n = rng.normal(size=40), rng.integers(0, 4, 40), 40
    X = np.arange(n)[:, None].astype(float)
    for norm in (True, False):
        data = lightgbm.Dataset(X, y, group=[20, 20], init_score=s,
                                params=dict(min_data_in_bin=1, max_bin=255, verbose=-1))
        booster = lightgbm.train(dict(objective="lambdarank", num_leaves=n, min_data_in_leaf=1,
                                      min_sum_hessian_in_leaf=0,
                                      learning_rate=1.0, lambdarank_norm=norm, verbose=-1,
                                      lambdarank_truncation_level=5, num_threads=1), data, 1)
        λ, h = lambdarank_gradients(s, y, group=[20, 20], norm=norm, truncation_level=5)
        leaf = booster.predict(X, pred_leaf=True).ravel()
        value = booster.predict(X, raw_score=True)
        for one in np.unique(leaf):
            own = leaf == one
            # its table of the sigmoid
            assert value[own][0] == pytest.approx(-λ[own].sum() / h[own].sum(), rel=1e-3, abs=1e-6)


def test_tools_of_scikit_learn_hand_queries_on():
    sklearn = pytest.importorskip("sklearn", minversion="1.6")
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
    X, y, qid = graded(queries=12)
    assert clone(LinearRanker("ranknet", top_k=3)).get_params() == LinearRanker("ranknet", top_k=3).get_params()
    with sklearn.config_context(enable_metadata_routing=True):
        folds = GroupKFold(3)
        asking = LinearRanker().set_fit_request(qid=True).set_score_request(qid=True)
        search = GridSearchCV(asking, {"reg_lambda": [1e-4, 1e-1], "loss": ["listnet", "ranknet"]}, cv=folds,
                              error_score="raise").fit(X, y, qid=qid, groups=qid)
        assert search.best_score_ > 0.8 and search.score(X, y, qid=qid) == search.best_estimator_.score(X, y, qid=qid)
        expected = []
        for train, test in folds.split(X, y, qid):
            model = LinearRanker().fit(X[train], y[train], qid=qid[train])
            expected.append(model.score(X[test], y[test], qid=qid[test]))
        found = cross_validate(asking, X, y, cv=folds, params=dict(qid=qid, groups=qid), error_score="raise")
        np.testing.assert_allclose(found["test_score"], expected, rtol=1e-12)
        other = clone(LinearRanker().set_fit_request(qid="queries").set_score_request(qid="queries"))
        found = cross_validate(other, X, y, cv=folds, params=dict(queries=qid, groups=qid), error_score="raise")
        np.testing.assert_allclose(found["test_score"], expected, rtol=1e-12)
    with pytest.raises(ValueError, match="set_fit_request: 'queries' is nothing that fit takes"):
        LinearRanker().set_fit_request(queries=True)
    # without it, not a score of one large query
    with pytest.raises(ValueError, match="score: needs to know which rows belong to one query"):
        cross_val_score(LinearRanker(), X, y, cv=folds, groups=qid, params=dict(qid=qid), error_score="raise")
