"""Scores of ranked lists agree with scikit-learn's, on scores without ties; of graded documents with ties too."""
import numpy as np
import pytest

from scratchml.core.sparse import known_entries
from scratchml.metrics import (average_precision_at_k, dcg_score, ndcg_at_k, ndcg_score, precision_at_k, recall_at_k,
                               reciprocal_rank_at_k, top_k)
from tests.strategies.ranking import wanted

theirs = pytest.importorskip("sklearn.metrics")

U, M = 60, 25


@pytest.fixture(params=range(3))
def judged(request):
    S = np.random.default_rng(request.param).normal(size=(U, M))
    T = wanted(U, M, request.param + 10)
    some = (~np.isnan(T)).any(axis=1)
    return S[some], T[some]


@pytest.mark.parametrize("k", [1, 4, M])
def test_ndcg(judged, k):
    S, T = judged
    R, rows, gains = top_k(S, k), known_entries(T), np.nan_to_num(T)
    np.testing.assert_allclose(ndcg_at_k(R, rows, graded=True), theirs.ndcg_score(gains, S, k=k), rtol=1e-12)
    np.testing.assert_allclose(ndcg_at_k(R, rows), theirs.ndcg_score(gains > 0, S, k=k), rtol=1e-12)


def test_average_precision_and_reciprocal_rank_of_whole_lists(judged):
    S, T = judged
    R = top_k(S, M)
    expected = [theirs.average_precision_score(~np.isnan(t), s) for t, s in zip(T, S)]
    np.testing.assert_allclose(average_precision_at_k(R, known_entries(T), per_user=True), expected, rtol=1e-12)
    best = np.where(np.isnan(T), -np.inf, S).max(axis=1, keepdims=True)
    np.testing.assert_allclose(reciprocal_rank_at_k(R, known_entries(T)),
                               theirs.label_ranking_average_precision_score(S == best, S), rtol=1e-12)


@pytest.mark.parametrize("k", [1, 4])
def test_precision_and_recall(judged, k):
    S, T = judged
    R, rows, true = top_k(S, k), known_entries(T), ~np.isnan(T)
    shown = np.zeros_like(true)
    np.put_along_axis(shown, R, True, axis=1)
    np.testing.assert_allclose(precision_at_k(R, rows), theirs.precision_score(true, shown, average="samples"))
    np.testing.assert_allclose(recall_at_k(R, rows), theirs.recall_score(true, shown, average="samples"))


@pytest.mark.parametrize("k", [None, 1, 3, 40])
@pytest.mark.parametrize("seed", range(3))
def test_graded_documents_with_ties(k, seed):
    rng = np.random.default_rng(seed)
    y, s = rng.integers(0, 5, (7, 30)), rng.integers(0, 6, (7, 30))
    assert ndcg_score(y, s, k=k, gains="linear") == pytest.approx(theirs.ndcg_score(y, s, k=k), rel=1e-12)
    assert dcg_score(2**y - 1, s, k=k, gains="linear") == pytest.approx(theirs.dcg_score(2**y - 1, s, k=k), rel=1e-12)
    assert dcg_score(y, s, k=k) == pytest.approx(theirs.dcg_score(2**y - 1, s, k=k), rel=1e-12)
