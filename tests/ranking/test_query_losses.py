"""Losses of rankers on Tensors: values and gradients are those of the chapters, in whatever form queries come."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import Linear
from scratchml.optim import Adam
from scratchml.ranking import (lambdarank_gradients, lambdarank_loss, listmle_loss, listnet_loss, ranknet_gradients,
                               ranknet_loss, softmax_loss)
from scratchml.ranking.lists import listmle, shares, top_one, top_one_loss
from scratchml.ranking.pairs import (delta_ndcg, lambdas, normalised_lambdas, ranknet, ranknet_curvature,
                                     ranknet_gradient, ranks)
from tests.strategies.pairs import many

LOSSES = (ranknet_loss, lambdarank_loss, listnet_loss, softmax_loss, listmle_loss)
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
Y, S, QID = np.array([2.0, 0, 1, 0, 1, 3]), np.array([0.2, 1.0, -0.5, 3.0, 2.0, 2.5]), list("abbaba")


def own(loss, y, s):
    """The loss of one query."""
    if y.min() == y.max():
        return 0.0
    g, T = 2.0**y - 1, 2
    return {ranknet_loss: lambda: ranknet(s, y, 1.0), listnet_loss: lambda: top_one_loss(s, shares(y)),
            softmax_loss: lambda: top_one_loss(s, y),
            lambdarank_loss: lambda: (delta_ndcg(g, ranks(s), T)
                                      * np.logaddexp(0, s - s[:, None]))[g[:, None] > g].sum(),
            listmle_loss: lambda: listmle(s, np.argsort(-y), len(y))}[loss]()


@each_loss
@given(many())
def test_the_mean_is_over_queries_that_can_be_ranked(loss, drawn):
    y, s, qid = drawn
    # no ties
    y, s = (y + 1e-3 * np.arange(len(y)), s) if loss is listmle_loss else (y, s + 1e-3 * np.arange(len(s)))
    options = dict(truncation_level=2) if loss is lambdarank_loss else {}
    names = list(dict.fromkeys(qid))
    expected = [own(loss, y[qid == name], s[qid == name]) for name in names]
    count = sum(y[qid == name].min() < y[qid == name].max() for name in names)
    np.testing.assert_allclose(loss(s, y, qid=qid, reduction="none", **options).numpy(), expected, rtol=1e-10,
                               atol=1e-12)
    assert loss(s, y, qid=qid, reduction="sum", **options).item() == pytest.approx(sum(expected), rel=1e-10, abs=1e-12)
    assert loss(s, y, qid=qid, **options).item() == pytest.approx(sum(expected) / max(count, 1), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("loss", [ranknet_loss, listnet_loss, softmax_loss,
                                  lambda *a, **k: listmle_loss(*a, random_state=0, **k),
                                  lambda *a, **k: listnet_loss(*a, target="softmax", **k)])
def test_gradients_are_slopes(loss):
    weights = np.array([1.0, 3.0])
    gradcheck(lambda s: (loss(s, Y, qid=QID, reduction="none") * weights).sum() + loss(s, Y, qid=QID),
              Tensor(S, requires_grad=True))


@pytest.mark.parametrize("norm", [False, True])
def test_the_gradient_of_lambdarank_is_lambda(norm):
    s = Tensor(S, requires_grad=True)
    lambdarank_loss(s, Y, qid=QID, norm=norm, sigma=2.0, truncation_level=1, reduction="sum").backward()
    λ, h = lambdarank_gradients(S, Y, qid=QID, norm=norm, sigma=2.0, truncation_level=1)
    np.testing.assert_allclose(s.grad.numpy(), λ, rtol=1e-12)
    for name in "ab":
        mine = np.array(QID) == name
        g = 2**Y[mine] - 1
        expected = (normalised_lambdas if norm else lambdas)(S[mine], g, delta_ndcg(g, ranks(S[mine]), 1), 2.0)
        np.testing.assert_allclose((λ[mine], h[mine]), expected, rtol=1e-11)


def test_gradients_of_ranknet_are_those_of_the_chapter():
    λ, h = ranknet_gradients(S.reshape(2, 3), Y.reshape(2, 3), sigma=0.5)
    for q in range(2):
        part = slice(3 * q, 3 * q + 3)
        np.testing.assert_allclose(λ[q], ranknet_gradient(S[part], Y[part], 0.5), rtol=1e-12)
        np.testing.assert_allclose(h[q], ranknet_curvature(S[part], Y[part], 0.5), rtol=1e-12)


def test_linear_gains():
    λ, _ = lambdarank_gradients(S, Y, gains="linear", truncation_level=6)
    np.testing.assert_allclose(λ, lambdas(S, Y, delta_ndcg(Y, ranks(S), 6), 1.0)[0], rtol=1e-11)


@each_loss
def test_queries_come_in_any_form(loss):
    options = dict(random_state=0) if loss is listmle_loss else {}
    expected = loss(S, Y, group=[3, 3], **options).item()
    for s, y, of in ((S.reshape(2, 3), Y.reshape(2, 3), {}), (S, Y, dict(qid=np.array([7, 7, 7, 3, 3, 3]))),
                     (S.tolist(), Y.tolist(), dict(qid=iter("aaabbb"))), (S, Tensor(Y), dict(group=np.array([3, 3])))):
        assert loss(s, y, **of, **options).item() == pytest.approx(expected, rel=1e-12)
    assert loss(S.astype(np.float32), Y.astype(int), group=[3, 3], **options).dtype == np.float32
    S.setflags(write=False), Y.setflags(write=False)
    assert loss(S[::-1], np.asfortranarray(Y[::-1]), group=[3, 3]).item() > 0


@each_loss
def test_without_an_order_the_loss_is_0_and_so_is_its_slope(loss):
    for y, group in (([1.0, 1, 1, 0, 0, 2], [3, 2, 1]), (np.zeros(6), [6]), (np.ones(6), [1] * 6)):
        s = Tensor(S.copy(), requires_grad=True)
        value = loss(s, y, group=group)
        value.backward()
        assert value.item() == 0 and not s.grad.numpy().any()


@each_loss
def test_a_score_that_is_not_finite_is_seen_in_the_loss_of_its_query_alone(loss):
    for wrong in (np.nan, np.inf, -np.inf):
        s = Tensor([wrong, 0.5, 0.1, 1.0], requires_grad=True)
        losses = loss(s, [1, 0, 0, 1], group=[2, 2], reduction="none")
        losses.sum().backward()
        assert np.isnan(losses.detach().numpy()).tolist() == [True, False]
        assert np.isnan(s.grad.numpy()).tolist() == [True] * 2 + [False] * 2
        assert np.isnan(loss(s, [1, 0, 0, 1], group=[2, 2]).item())
    with pytest.raises(ValueError, match="scores: .*NaN"):
        ranknet_gradients([np.nan, 1], [0, 1])


@each_loss
def test_a_network_learns_an_order(loss):
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(60, 3)), np.array([1.0, -2, 0.5])
    y, network = np.digitize(X @ w, [-1, 1.5]), Linear(3, 1, random_state=0)
    optimizer, found = Adam(network.parameters(), lr=0.05), []
    for step in range(60):
        optimizer.zero_grad()
        options = dict(random_state=step) if loss in (listmle_loss, lambdarank_loss) else {}
        value = loss(network(X)[:, 0], y, group=np.full(6, 10), **options)
        value.backward()
        optimizer.step()
        found.append(value.item())
    learned = network.weight.detach().numpy()[0]
    assert found[-1] < 0.95 * found[0] and learned @ w / np.linalg.norm(learned) / np.linalg.norm(w) > 0.93


def test_equal_grades_stand_in_a_new_order_each_time_unless_seeded():
    y = np.array([1.0, 0, 0, 0, 0, 0])
    assert len({listmle_loss(S, y).item() for _ in range(20)}) > 5
    assert listmle_loss(S, y, random_state=3).item() == listmle_loss(S, y, random_state=3).item()
    assert len({round(listmle_loss(S, y, top_k="relevant").item(), 10) for _ in range(20)}) == 1
    assert listmle_loss(S, y, top_k=1).item() == pytest.approx(softmax_loss(S, y).item(), rel=1e-12)
    assert len({lambdarank_gradients(np.zeros(6), y)[0][0] for _ in range(20)}) > 2      # equal scores


def test_series_whose_index_begins_at_7():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(dict(s=S, y=Y, q=QID), index=range(7, 13))
    for loss in (ranknet_loss, listnet_loss):
        assert loss(frame.s, frame.y, qid=frame.q).item() == loss(S, Y, qid=QID).item()


@pytest.mark.parametrize("arguments, message", [
    (dict(y=[1, 2]), r"scores, y: expected two arrays of one shape.* shapes \(6,\) and \(2,\)"),
    (dict(scores=np.ones((6, 1)), y=np.ones((6, 1))),
     r"each row would be a query of one document; pass scores\[:, 0\]"),
    (dict(scores=np.ones((6, 1))), r"shapes \(6, 1\) and \(6,\)"),
    (dict(scores=[], y=[]), "at least one document"), (dict(scores=1.0, y=1.0), "one shape"),
    (dict(scores=["a"] * 6), "scores|data"), (dict(y=["a"] * 6), "y"), (dict(y=[np.nan] + [0] * 5), "y"),
    (dict(y=np.ma.array(Y, mask=[1, 0, 0, 0, 0, 0])), "masked"),
    (dict(group=[3, 2]), "add up to 6"), (dict(group=[3, 3, 0]), "group"),
    (dict(qid=["a"]), "qid: expected an id for each of the 6"), (dict(group=[6], qid=QID), "one of group and qid"),
    (dict(scores=S.reshape(2, 3), y=Y.reshape(2, 3), group=[3, 3]), "one of group, qid, and a matrix"),
    (dict(reduction="max"), "reduction='max'"),
])
@each_loss
def test_bad_input(loss, arguments, message):
    with pytest.raises(ValueError, match=message):
        loss(**dict(scores=S, y=Y) | arguments)


@pytest.mark.parametrize("loss, options, message", [
    (softmax_loss, dict(y=-Y), "y: expected grades of 0 or more, got -3"),
    (listnet_loss, dict(y=-Y), "y: expected grades of 0 or more"),
    (listnet_loss, dict(target="gains"), "target='gains'"),
    (lambdarank_loss, dict(y=-Y), "y: expected grades of 0 or more"),
    (lambdarank_loss, dict(y=1000 * Y), "the grade 3000 has a gain beyond float64"),
    (lambdarank_loss, dict(gains="cubic"), "gains='cubic'"), (lambdarank_loss, dict(sigma=0), "sigma=0"),
    (lambdarank_loss, dict(truncation_level=0), "truncation_level=0"),
    (lambdarank_loss, dict(norm="False"), "norm='False'"),
    (lambdarank_gradients, dict(scores=[np.inf] * 6), "scores"), (ranknet_loss, dict(sigma=-1), "sigma=-1"),
    (ranknet_loss, dict(sigma="1"), "sigma='1'"), (listmle_loss, dict(top_k=0), "top_k .*=0"),
    (listmle_loss, dict(top_k="all"), "top_k"),
    (listmle_loss, dict(top_k=1.5), "top_k"), (listmle_loss, dict(random_state="a"), "random_state"),
])
def test_bad_options(loss, options, message):
    with pytest.raises(ValueError, match=message):
        loss(**dict(scores=S, y=Y) | options)


def test_a_long_query():
    y, s = np.arange(100_000.0), np.zeros(100_000)
    with pytest.raises(ValueError,
                       match="y: 4,999,950,000 pairs of documents of unequal grades, and RankNet looks at each"):
        ranknet_loss(s, y)
    assert ranknet_loss(s, y > 99_997).item() == pytest.approx(2 * 99_998 * np.log(2))
    assert listnet_loss(s, y).item() == pytest.approx(np.log(100_000)) and listmle_loss(s, y).item() > 1e6
    λ, _ = lambdarank_gradients(s, y > 99_997, random_state=0)
    assert abs(λ.sum()) < 1e-12 and (λ[-2:] < 0).all()


def test_grades_of_any_kind():
    high = lambdarank_gradients(S, [40, 0, 72, 0, 1, 31])[0]         # none is too high for a table of gains
    assert np.isfinite(high).all() and high[2] < 0
    assert ranknet_loss(S, -Y).item() > 0 and ranknet_loss(S, Y > 1).item() > 0 and listmle_loss(S, Y - 7.5).item() > 0
    assert listnet_loss(S, 1e6 * Y).item() == pytest.approx(listnet_loss(S, Y).item())
    assert lambdarank_loss(S, 1e6 * Y, gains="linear", random_state=0).item() == \
        pytest.approx(lambdarank_loss(S, Y, gains="linear", random_state=0).item())
    assert np.isfinite(lambdarank_loss(S, Y + 900).item())


def test_swaps_with_the_first_thirty_count_unless_told_otherwise():
    rng = np.random.default_rng(0)
    s, y = rng.normal(size=40), rng.integers(0, 4, 40).astype(float)
    loss = lambdarank_loss(s, y).item()
    at_30, at_31 = (lambdarank_loss(s, y, truncation_level=level).item() for level in (30, 31))
    assert loss == at_30 != at_31
