"""How the demonstration of the three stages weighs purchases and makes rows for ranking, and what the stages reach."""
import os

import numpy as np
import pytest

from scratchml.core.sparse import dense
from scratchml.metrics.ranking import ndcg_at_k, recall_at_k
from scratchml.ranking import LambdaMART
from scratchml.recommend import ItemCosine, LinearScorer
from scratchml.tour import als, shop_ranking, stages as tour
from tests.strategies.stages import purchases


def test_who_has_much_says_little():
    A, _ = purchases(6, 9, 1)
    counts, weights = dense(A), dense(tour.surprising(A))
    for u in range(6):
        n = np.count_nonzero(counts[u])
        np.testing.assert_allclose(weights[u], np.sqrt(counts[u]) * np.log(9 / (1 + n)))


def test_cosines_of_rows_of_length_one():
    A, _ = purchases(6, 9, 1)
    unit = (dense(A) > 0) / np.sqrt((dense(A) > 0).sum(axis=1, keepdims=True))
    expected = ItemCosine(3).fit(np.where(unit > 0, unit, np.nan)).recommend(np.arange(6), 4)[0]
    assert tour.CosinesOfUnitRows(3).fit(A).recommend(np.arange(6), 4)[0].tolist() == expected.tolist()


def test_rows_for_ranking(monkeypatch):
    monkeypatch.setattr(shop_ranking, "DEPTH", 12)
    monkeypatch.setattr(shop_ranking, "CANDIDATES", 7)
    A, t = purchases(20, 25, 2)
    parts = als.part(A, t, "the last five", 0)
    words, prices = np.random.default_rng(0).normal(size=(25, 4)), {"log price": np.arange(25.0)}
    rows = shop_ranking.judged(parts, words, prices, 0)
    there, wanted = rows.pool.items >= 0, dense(parts.test) > 0
    assert rows.X.shape == (there.sum(), 24) and len(set(rows.names)) == 24 and np.isfinite(rows.X).all()
    assert rows.qid.tolist() == np.nonzero(there)[0].tolist()
    assert rows.y.tolist() == wanted[rows.qid, rows.pool.items[there]].astype(int).tolist()
    assert not (dense(parts.train) > 0)[rows.qid, rows.pool.items[there]].any()
    other = shop_ranking.judged(parts._replace(test=als.part(A, t, "the last five", 1).test), words, prices, 0)
    assert other.X.tolist() == rows.X.tolist()           # no feature knows the labels


@pytest.mark.demonstration
@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="in plain Python the tour takes hours")
@pytest.mark.parametrize("scorer", [LinearScorer(), LambdaMART(random_state=0)])
def test_what_three_stages_reach(scorer):
    learning, testing = shop_ranking.ranking_rows()
    assert learning.X.shape == testing.X.shape == (430_300, 24)
    s = scorer.fit(learning.X, learning.y, qid=learning.qid).predict(testing.X).reshape(-1, 100)
    items = np.take_along_axis(testing.pool.items, np.argsort(-s, axis=1, kind="stable"), 1)[:, :10]
    assert recall_at_k(items, testing.wanted) >= 0.215 and ndcg_at_k(items, testing.wanted) >= 0.2
