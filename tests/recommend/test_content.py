"""Recommending by what items are like: against the definitions, and what must hold whatever the shop."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows, dense, known_entries, sparse_rows
from scratchml.metrics.ranking import top_k
from scratchml.recommend import ContentBased, beside, bm25
from scratchml.recommend.content import content_scores, contributions, profiles, query_scores
from tests.reference import content as reference
from tests.strategies.content import seeds, shops
from tests.strategies.item_neighbors import known

EPS = np.finfo(float).eps
all_known = pytest.mark.filterwarnings("ignore:matrix. no entry is NaN")
weights = st.sampled_from(["log1p", "binary", "linear"])


# --- the equations

@given(shops(), weights)
def test_a_profile_adds_up_what_a_user_has(drawn, weight):
    A, X = drawn
    expected = reference.profiles(A.tolist(), X.tolist(), weight)
    np.testing.assert_allclose(profiles(known_entries(A), sparse_rows(X), weight), expected, rtol=0, atol=1e-13)


@given(shops(), seeds)
def test_scores_are_cosines_or_answers(drawn, seed):
    A, X = drawn
    P = np.random.default_rng(seed).normal(size=(3, X.shape[1])) * [[1], [0], [1e3]]
    np.testing.assert_allclose(content_scores(P, sparse_rows(X)), reference.content_scores(P, X), rtol=0, atol=1e-14)
    np.testing.assert_allclose(query_scores(P, sparse_rows(X)), reference.query_scores(P, X), rtol=1e-13, atol=1e-10)


@given(seeds, st.integers(1, 6))
def test_contributions_add_up_to_the_score(seed, V):
    p, x = np.random.default_rng(seed).normal(size=(2, V))
    np.testing.assert_allclose(contributions(p, x), reference.contributions(p, x), rtol=1e-13)
    np.testing.assert_allclose(contributions(p, x).sum(), content_scores(p[None], sparse_rows(x[None]))[0, 0],
                               atol=1e-15)
    assert not contributions(np.zeros(V), x).any()


# --- the recommender

def literal(A, X, model):
    """Scores (U, M) by the equations."""
    if model.metric == "bm25":
        P = reference.profiles(A.tolist(), X.tolist(), model.weight)
        s = np.array(reference.query_scores(P, dense(bm25(X, model.k1, model.b))))
    else:
        lengths = np.sqrt((X * X).sum(axis=1, keepdims=True))
        unit = X / np.where(lengths > 0, lengths, 1)
        P = reference.profiles(A.tolist(), unit.tolist(), model.weight)
        s = np.array(reference.content_scores(P, unit))
    s[~np.array(P).any(axis=1)] = -np.inf
    return s


@all_known
@given(shops(), weights, st.sampled_from(["cosine", "bm25"]), st.booleans(), st.data())
def test_the_best_come_first_and_what_is_seen_not_at_all(drawn, weight, metric, exclude, data):
    A, X = drawn
    X = np.abs(X) if metric == "bm25" else X
    n, model = data.draw(st.integers(1, A.shape[1])), ContentBased(weight, metric).fit(A, X)
    items, scores = model.recommend(np.arange(len(A)), n, exclude)
    expected = literal(A, X, model)
    if exclude:
        expected[~np.isnan(A)] = -np.inf
    sizes = np.abs(np.where(np.isinf(expected), 0, expected)).max() + 1
    for u in range(len(A)):
        best = np.sort(expected[u])[::-1][:n]
        assert ((items[u] < 0) == (best == -np.inf)).all()
        shown = items[u][items[u] >= 0]
        np.testing.assert_allclose(scores[u][:len(shown)], best[:len(shown)], rtol=0, atol=1e-13 * sizes)
        np.testing.assert_allclose(expected[u][shown], best[:len(shown)], rtol=0, atol=1e-13 * sizes)
        assert model.recommend(u, n, exclude)[0].tolist() == items[u].tolist()


@all_known
@given(shops(), weights, st.sampled_from(["cosine", "bm25"]), st.data())
def test_a_score_is_explained_by_its_words(drawn, weight, metric, data):
    A, X = drawn
    X = np.abs(X) if metric == "bm25" else X
    model = ContentBased(weight, metric).fit(A, X)
    user, item = data.draw(st.integers(0, len(A) - 1)), data.draw(st.integers(0, len(X) - 1))
    why, V = model.explain(user, item, X.shape[1]), X.shape[1]
    expected = literal(A, X, model)[user, item]
    np.testing.assert_allclose(why.contributions.sum(), why.score, rtol=0,
                               atol=V * EPS * np.abs(why.contributions).sum())
    np.testing.assert_allclose(why.score, 0 if expected == -np.inf else expected, rtol=1e-12, atol=1e-14)
    assert (np.diff(why.contributions) <= 0).all() and (X[item, why.features] != 0).all()
    few = model.explain(user, item, 1)
    assert few.features.tolist() == why.features[:1].tolist() and few.score == why.score


@all_known
@given(shops(), st.sampled_from(["cosine", "bm25"]), st.data())
def test_items_that_come_later_are_as_if_they_had_been_there(drawn, metric, data):
    A, X = drawn
    X, k = np.abs(X) if metric == "bm25" else X, data.draw(st.integers(1, len(X)))
    model = ContentBased(metric=metric).fit(A[:, :k], X[:k])
    if k < len(X):
        assert model.add_items(X[k:]).tolist() == list(range(k, len(X)))
    alone = np.where(np.arange(len(X)) < k, A, np.nan)
    P = model.profiles(alone)
    something = P.any(axis=1) & np.isnan(alone).any(axis=1)
    np.testing.assert_array_equal(model.recommend(np.arange(len(A)), len(X))[0][:, 0] >= 0, something)
    if metric == "cosine":                               # in bm25 the rareness of words stays that of fit
        whole = ContentBased().fit(Rows(*known_entries(alone)[:3], A.shape), X)
        for ours, theirs in zip(model.recommend(np.arange(len(A)), len(X), False),
                                whole.recommend(np.arange(len(A)), len(X), False)):
            np.testing.assert_array_equal(ours, theirs)
    items, scores = model.recommend_for(P, len(X))
    for u in range(len(A)):
        if P[u].any():
            np.testing.assert_array_equal(items[u], model.recommend(u, len(X), exclude_seen=False)[0])


def test_similar_items_are_as_if_the_item_were_a_user():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 3))
    model = ContentBased("binary").fit(known_entries(np.eye(8)), X)
    items, scores = model.similar_items([5, 2], 7)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    for item, found, s in zip((5, 2), items, scores):
        order = [m for m in np.argsort(-(unit @ unit[item])) if m != item]
        assert found.tolist() == order
        np.testing.assert_allclose(s, (unit @ unit[item])[order], rtol=1e-12)
    assert model.similar_items(5, 8)[0].tolist() == [*items[0].tolist(), -1]
    with pytest.raises(ValueError, match="n=10"):
        model.similar_items(5)


def test_features_beside_each_other():
    X, one_hot = np.array([[1.0, 0], [0, 2], [3, 3]]), sparse_rows([[1.0, 0, 0], [0, 0, 1], [0, 0, 1]])
    np.testing.assert_array_equal(dense(beside(X, one_hot, weights=[2, 0.5])), np.hstack([2 * X, 0.5 * dense(one_hot)]))
    np.testing.assert_array_equal(dense(beside(X)), X)
    for call, message in ((lambda: beside(), "blocks: expected at least one"), (lambda: beside(X, X[:2]), "got 3, 2"),
                          (lambda: beside(X, weights=[1, 2]), "one for each of 1 blocks, got 2"),
                          (lambda: beside(X, weights=[0]), r"weights\[0\]=0"),
                          (lambda: beside([[np.nan]]), r"blocks\[0\]: Input")):
        with pytest.raises(ValueError, match=message):
            call()


def test_lists_do_not_depend_on_threads_and_blocks(monkeypatch):
    A, X = known(300, 40, 0), np.random.default_rng(1).normal(size=(40, 9))
    expected = ContentBased().fit(A, X).recommend(np.arange(300), 5)
    for threads, block in (("1", 40), ("2", 4000)):
        monkeypatch.setattr("scratchml.recommend.item_neighbors.BLOCK", block)
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        for ours, theirs in zip(ContentBased().fit(A, X).recommend(np.arange(300), 5), expected):
            np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(top_k(literal(A, X, ContentBased()), 3), ContentBased().fit(A, X).recommend(
        np.arange(300), 3, exclude_seen=False)[0])


def test_features_at_the_ends_of_the_range():
    A = known_entries([[1.0, np.nan, np.nan]])
    for scale in (1e-200, 1e200):
        items, scores = ContentBased().fit(A, scale * np.array([[1.0, 0], [1, 1], [0, 1]])).recommend(0, 2)
        assert items.tolist() == [1, 2] and scores.tolist() == pytest.approx([0.5**0.5, 0])
    assert ContentBased().fit(A, np.float32([[1, 0], [1, 1], [0, 1]])).recommend(0, 1)[0].tolist() == [1]


@pytest.mark.parametrize("call, message", [
    (lambda: ContentBased().fit([[1, np.nan]], [[1.0]]),
     "item_features: expected a row for each of 2 items of the matrix, got 1"),
    (lambda: ContentBased().fit([[1, np.nan]], [[1.0], [np.nan]]), "item_features: Input contains NaN"),
    (lambda: ContentBased().fit([[-0.5, np.nan]], [[1.0], [1]]), "matrix: -0.5 has no ln"),
    (lambda: ContentBased("log").fit([[1, np.nan]], [[1.0], [1]]), "weight='log'"),
    (lambda: ContentBased(metric="l2").fit([[1, np.nan]], [[1.0], [1]]), "metric='l2'"),
    (lambda: ContentBased(metric="bm25").fit([[1, np.nan]], [[1.0], [-1]]),
     "expected counts of words, at least 0, got -1.0"),
    (lambda: ContentBased(metric="bm25", b=2).fit([[1, np.nan]], [[1.0], [1]]), "b=2"),
    (lambda: ContentBased().recommend(0), "not fitted"),
    (lambda: fitted().add_items([[1.0]]), "the 2 columns of fit, got 1"),
    (lambda: fitted().recommend(3), "users: expected 0 ... 1, got 3"),
    (lambda: fitted().recommend(0, 3), "only 2 items"),
    (lambda: fitted().recommend_for([[1.0]]), "profiles: expected the 2 features of fit"),
    (lambda: fitted().recommend_for([1.0, 2], 0), "n=0"), (lambda: fitted().recommend_for([1.0, 2], 3), "only 2 items"),
    (lambda: fitted().explain([0, 1], 0), "expected one of each"),
    (lambda: fitted().explain(0, 2), "item: expected 0 ... 1, got 2"),
    (lambda: fitted().similar_items(2), "items: expected 0 ... 1, got 2"),
    (lambda: fitted().similar_items(0, 3), "only 2 items"),
    (lambda: fitted().profiles([[1.0]]), "matrix: expected the 2 items of fit"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def fitted():
    return ContentBased().fit([[1, np.nan], [np.nan, 2]], [[1.0, 2], [2, 0]])


def test_parameters_that_change_after_the_fit_change_nothing():
    for metric, other in (("cosine", "bm25"), ("bm25", "cosine")):
        model = ContentBased("linear", metric).fit([[3, 1, np.nan], [np.nan, 2, 1]], [[1.0, 2], [2, 0], [1, 1]])
        before = [*model.recommend(0, 3, False), *model.similar_items(0, 2), model.profiles([[1, 2, 3]])]
        model.set_params(weight="binary", metric=other, k1=0)
        for ours, theirs in zip([*model.recommend(0, 3, False), *model.similar_items(0, 2),
                                 model.profiles([[1, 2, 3]])], before):
            np.testing.assert_array_equal(ours, theirs)


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    model = fitted()
    before = model.recommend(0, 2)
    with pytest.raises(ValueError):
        model.fit([[1, np.nan]], [[1.0]])
    for ours, theirs in zip(model.recommend(0, 2), before):
        np.testing.assert_array_equal(ours, theirs)
