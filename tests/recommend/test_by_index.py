"""Candidates out of an index are those of the model, as far as the index finds them."""
import numpy as np
import pytest

from scratchml.neighbors import HNSW, IVF
from scratchml.recommend import ALS, ByIndex, ItemCosine, TwoTower
from tests.strategies.splits import entries

A, _ = entries(30, 25, 5)
TOWERS = TwoTower(factors=6, epochs=2, batch_size=64, random_state=0)


@pytest.mark.parametrize("model", [ALS(6, alpha=1.0, random_state=0), ALS(3, biases=True, random_state=0), TOWERS])
@pytest.mark.parametrize("index", [HNSW("ip", ef=200, random_state=0), IVF(4, nprobe=4, space="ip", random_state=0)])
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_an_index_that_finds_all_is_the_model(model, index, exclude_seen):
    ours = ByIndex(model, index).fit(A)
    has = np.flatnonzero(np.diff(A.indptr))
    items, scores = ours.recommend(has, 25, exclude_seen)
    expected, values = ours.model_.recommend(has, 25, exclude_seen)
    assert items.tolist() == expected.tolist() and items.dtype == np.int32
    there = items >= 0
    # biases and means of a user are the same for all
    off = np.where(there, scores, 0) - np.where(there, values, 0)
    np.testing.assert_allclose(off, np.where(there, off[:, :1], 0), atol=1e-5 * np.abs(values[there]).max())
    assert ours.recommend(int(has[0]), 3, exclude_seen)[0].tolist() == items[0, :3].tolist()


def test_nobody_is_shown_what_he_has_nor_anything_where_nothing_is_known():
    ours = ByIndex(ALS(6, alpha=1.0, random_state=0), HNSW("ip", M=2, ef_construction=4, ef=4, random_state=0)).fit(A)
    items, scores = ours.recommend(np.arange(30), 8)
    assert ((items < 0) == np.isinf(scores)).all()
    for u in range(30):
        its = items[u][items[u] >= 0]
        assert not set(its.tolist()) & set(A.indices[A.indptr[u]:A.indptr[u + 1]].tolist())
        assert len(set(its.tolist())) == its.size
    assert (items >= 0).any() and (np.diff(A.indptr) == 0).any() and (items[np.diff(A.indptr) == 0] == -1).all()


@pytest.mark.parametrize("ask, message", [
    (lambda: ByIndex(ItemCosine(), HNSW("ip")).fit(A), "model: expected one with vectors"),
    (lambda: ByIndex(ALS(2), HNSW()).fit(A), "index: expected one by products, .* got space='l2'"),
    (lambda: ByIndex(TOWERS, HNSW("ip")).fit(A).recommend([30]), "users: expected 0 ... 29"),
    (lambda: ByIndex(TOWERS, HNSW("ip")).fit(A).recommend([3], 26), "n=26: there are only 25"),
    (lambda: ByIndex(TOWERS, HNSW("ip")).fit(A).recommend([3], 5, "False"), "exclude_seen='False'"),
    (lambda: ByIndex(TOWERS, HNSW("ip")).recommend([3]), "not fitted")])
def test_what_does_not_go_together(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


class Told:
    """An index that finds what it is told, the same for every question."""

    def __init__(self, found):
        self.found = found

    def fit(self, items):
        return self

    def knn_query(self, vectors, k):
        return np.array([self.found[int(v[0])][:k] for v in vectors]), None


class Vectors:
    user_vectors_, item_vectors_ = np.array([[0.0, 1], [1, 1], [2, 1]]), np.arange(10.0).reshape(5, 2)

    def fit(self, matrix):
        return self


def test_what_the_index_does_not_find_for_a_user_is_not_recommended_to_him():
    bought = np.full((3, 5), np.nan)
    bought[0, 0] = bought[1, 3] = 1
    told = Told([[4, 0, -1, -1, -1], [3, 2, 1, -1, -1], [4, 3, 2, 1, 0]])
    model = ByIndex(Vectors(), told).fit(bought)
    items, scores = model.recommend([0, 1, 2], n=3)      # the last user has nothing, and gets nothing
    assert items.tolist() == [[4, -1, -1], [2, 1, -1], [-1, -1, -1]]
    assert scores.tolist() == [[9, -np.inf, -np.inf], [9, 5, -np.inf], [-np.inf] * 3]
    items, scores = model.recommend([0, 1], n=4, exclude_seen=False)
    assert items.tolist() == [[4, 0, -1, -1], [3, 2, 1, -1]]
    assert scores.tolist() == [[9, 1, -np.inf, -np.inf], [13, 9, 5, -np.inf]]
    nothing = ByIndex(Vectors(), Told([[-1] * 5] * 3)).fit(bought).recommend(0, n=2)
    assert nothing[0].tolist() == [-1, -1] and nothing[1].tolist() == [-np.inf] * 2
