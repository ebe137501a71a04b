"""Three stages: what holds of the lists whatever the models are, and what is refused."""
import warnings
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.core import storage
from scratchml.core.sparse import dense, entries_at, known_entries
from scratchml.neighbors import HNSW
from scratchml.recommend import (ALS, ByIndex, ContentBased, ItemCosine, LinearScorer, Popularity, Recommender,
                                 TwoTower, capped, features_of_pairs, filtered, mmr, pool_of, read_table,
                                 two_stage_split)
from scratchml.recommend.candidate_lists import held_back
from scratchml.recommend.pair_features import facts
from scratchml.recommend.stage_parts import popular_lists, reranked
from tests.recommend.test_splits import users_of
from tests.strategies.stages import purchases

GENERATORS = {"cosines": ItemCosine(3), "popularity": Popularity()}
PRICES = {"price": np.arange(9) % 4 + 0.5}


class Lists(NamedTuple):
    items: np.ndarray
    scores: np.ndarray


class Listed:
    """A generator that recommends what it is told, and remembers what it was fitted to."""

    def __init__(self, answer):
        self.answer, self.seen = answer, []

    def fit(self, matrix):
        self.seen = [*self.seen, matrix]
        return self

    def recommend(self, users, n):
        return self.answer(np.asarray(users), n, self.seen[-1])


class Weighed:
    """A scorer by hand: a weight for each feature."""

    def fit(self, X, y, qid):
        self.X, self.y, self.qid = X, y, qid
        self.w = np.random.default_rng(0).normal(size=X.shape[1])
        return self

    def predict(self, X):
        return np.einsum("kd,d->k", X, self.w)           # the same bits whatever rows stand beside


def made(seed=0, cold=(), **changes):
    A, t = purchases(seed=seed, cold=cold)
    model = Recommender(GENERATORS, Weighed(), **{**dict(held_out=1, candidates=6, depth=7, random_state=0), **changes})
    return model.fit(A, t, PRICES), A, t


# --- the three stages by hand

@pytest.mark.parametrize("timed", [True, False])
def test_it_is_its_parts_put_together(timed):
    A, t = purchases(seed=3)
    model = Recommender(GENERATORS, Weighed(), held_out=1, share=0.3, candidates=6, depth=7, random_state=5)
    model.fit(A, t if timed else None, PRICES)
    inner, times = held_back(A, t - t.min() if timed else None, 1, 0.3, np.random.default_rng(5))

    def candidates(train, when, users):
        answers = [one.fit(train).recommend(users, 7) for one in (ItemCosine(3), Popularity())]
        pool = pool_of([items for items, _ in answers], [scores for _, scores in answers], 9, 6)
        return pool, *features_of_pairs(facts(train, when, PRICES), users, pool, GENERATORS)

    asked = np.flatnonzero(np.diff(inner.test.indptr))
    pool, X, names = candidates(inner.train, times, asked)
    there = pool.items >= 0
    np.testing.assert_allclose(model.scorer_.X, X, rtol=1e-12)
    wanted = dense(inner.test)[asked] > 0
    assert model.scorer_.y.tolist() == [int(wanted[u, m]) for u, m in zip(np.nonzero(there)[0], pool.items[there])]
    assert model.scorer_.qid.tolist() == np.repeat(asked, there.sum(axis=1)).tolist() and model.feature_names_ == names
    assert model.learned_from_ == (len(X), len(asked), model.scorer_.y.sum())
    pool, X, _ = candidates(A, t - t.min() if timed else None, np.arange(12))
    scores = np.full(pool.items.shape, -np.inf)
    scores[pool.items >= 0] = X @ model.scorer_.w
    order = np.argsort(-scores, axis=1, kind="stable")[:, :4]
    items, values = model.recommend(np.arange(12), 4)
    assert items.tolist() == np.take_along_axis(pool.items, order, 1).tolist()
    np.testing.assert_allclose(values, np.take_along_axis(scores, order, 1), rtol=1e-12)
    for u in (0, 7):
        for item in items[u][items[u] >= 0]:
            places = pool.places[:, u, pool.items[u].tolist().index(item)]
            assert model.explain(u, int(item)).places == {name: p for name, p in zip(GENERATORS, places) if p <= 7}


# --- laws

@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_what_a_user_has_and_what_is_filtered_never_appears(seed):
    ok = np.random.default_rng(seed).random(9) < 0.6
    model, A, _ = made(seed, rerankers={"in stock": lambda items, scores: filtered(items, scores, ok)})
    items, scores = model.recommend(np.arange(12), 6)
    assert ok[items[items >= 0]].all() and ((items >= 0) == np.isfinite(scores)).all()
    has = dense(A) > 0
    for u, row in enumerate(items):
        assert not has[u, row[row >= 0]].any()
        gone = [stage for stage in model.trace(u, 6) if stage.name == "in stock"][0].gone
        before = [stage for stage in model.trace(u, 6) if stage.name == "scorer"][0].items
        assert set(gone.tolist()) == set(before[~ok[before]].tolist())


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_computed_beforehand_is_computed_live(seed):
    model, A, _ = made(seed, rerankers=[lambda items, scores: capped(items, scores, np.arange(9) % 3, 2)])
    live = model.recommend(np.arange(12), 6)
    model.precompute()
    one = [model.recommend(u, 6, live=True) for u in range(12)]
    for k in range(2):
        assert live[k].tolist() == model.recommend(np.arange(12),
                                                   6)[k].tolist() == [answer[k].tolist() for answer in one]


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_users_in_another_order_have_the_same_lists(seed):
    A, t = purchases(seed=seed)
    t = t + np.arange(len(t)) / 1000                     # no two are equal, so that chance has no say
    order = np.random.default_rng(seed).permutation(12)
    back = np.argsort(order)
    B, when = (entries_at(back[users_of(A)], A.indices, x, A.shape) for x in (A.data, t))
    of = [Recommender(GENERATORS, LinearScorer(1e-2), held_out=1, random_state=0).fit(*arguments, PRICES)
          for arguments in ((A, t), (B, when.data))]
    np.testing.assert_allclose(of[0].scorer_.coef_, of[1].scorer_.coef_, atol=1e-3)
    weights = [model.scorer_ for model in of]
    of[1].scorer_ = weights[0]
    (items, scores), (again, values) = of[0].recommend(order, 5), of[1].recommend(np.arange(12), 5)
    np.testing.assert_allclose(scores, values, atol=1e-9)
    assert (items == again).mean() > 0.9                 # of equals by rounding, either


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_nothing_of_the_labels_or_the_test_is_in_a_feature(seed):
    A, t = purchases(seed=seed)
    two = two_stage_split(A, t, 1, random_state=0)
    rng = np.random.default_rng(seed)

    def changed(split):
        """The entries of the train, and others in place of those that were held back, later still."""
        train, M = split.train, A.shape[1]
        free = [np.setdiff1d(np.arange(M), train.indices[train.indptr[u]:train.indptr[u + 1]])
                for u in range(A.shape[0])]
        users = np.concatenate([users_of(train), np.arange(A.shape[0])])
        return users, np.concatenate([train.indices, [rng.choice(f) for f in free]])

    users, items = changed(two.inner)
    when = np.concatenate([two.inner_times, np.full(A.shape[0], 99.0)])
    B = entries_at(users, items, np.ones(len(users)), A.shape)
    C = entries_at(users, items, when, A.shape)
    kept = entries_at(users_of(two.inner.train), two.inner.train.indices, np.ones(len(two.inner_times)), A.shape)
    first = Recommender(GENERATORS, Weighed(), held_out=1).fit(B, C.data)
    plain = [one.fit(kept).recommend(np.arange(12), 9) for one in (ItemCosine(3), Popularity())]
    pool = pool_of([x for x, _ in plain], [s for _, s in plain], 9, 100)
    X, _ = features_of_pairs(facts(kept, two.inner_times), np.arange(12), pool, GENERATORS)
    for k in (1, 3):                                     # places, one beyond the depth where a list does not have it
        X[:, k] = np.where(X[:, k] > 9, 201, X[:, k])
    np.testing.assert_allclose(first.scorer_.X, X, rtol=1e-12, atol=1e-12)


def test_generators_never_see_the_labels():
    A, t = purchases(seed=1)
    spy = Listed(lambda users, n, matrix: Popularity().fit(matrix).recommend(users, n))
    model = Recommender({"spy": spy}, Weighed(), held_out=1, random_state=0).fit(A, t)
    assert spy.seen == []                                # it is a copy that is fitted
    inner = held_back(A, t - t.min(), 1, 0.2, np.random.default_rng(0))[0]
    assert model.generators_["spy"].seen[0].indices.tolist() == A.indices.tolist()
    assert not (dense(inner.train) * dense(inner.test)).any() and model.learned_from_[2] > 0


def test_what_a_user_has_is_not_shown_even_if_a_generator_says_so():
    A, t = purchases(seed=1)
    every = Listed(lambda users, n, _: (np.tile(np.arange(n), (len(users), 1)),
                                        np.tile(-np.arange(n), (len(users), 1))))
    items, _ = Recommender({"every": every}, Weighed(), held_out=1,
                           random_state=0).fit(A, t).recommend(np.arange(12), 9)
    has = dense(A) > 0
    for u in range(12):
        assert sorted(items[u][items[u] >= 0].tolist()) == np.flatnonzero(~has[u]).tolist()


def test_two_fits_are_the_same_and_a_failed_one_changes_nothing():
    model, A, t = made(2)
    expected = model.recommend(np.arange(12), 6)
    again, _, _ = made(2)
    assert again.recommend(np.arange(12), 6)[1].tolist() == expected[1].tolist()
    with pytest.raises(ValueError):
        model.fit(A, t[:-1])
    model.candidates = 1                                 # what is fitted stays what it was
    assert model.recommend(np.arange(12), 6)[0].tolist() == expected[0].tolist()


def test_any_model_any_index_any_scorer():
    A, t = purchases(20, 15, 4)
    X = np.random.default_rng(0).normal(size=(15, 4))
    generators = [ALS(3, alpha=1.0, random_state=0),
                  ByIndex(ALS(3, alpha=1.0, random_state=1), HNSW("ip", random_state=0)),
                  (ContentBased(), {"item_features": X}), TwoTower(4, epochs=1, batch_size=32, random_state=0),
                  ItemCosine(2), ItemCosine(4)]
    model = Recommender(generators, rerankers=[lambda items, scores: mmr(items, scores, X, 5)], held_out=2,
                        random_state=0).fit(A, t)
    assert list(model.generators_) == ["ALS", "ByIndex", "ContentBased", "TwoTower", "ItemCosine", "ItemCosine #2"]
    items, _ = model.recommend(np.arange(20), 5)
    assert items.shape == (20, 5) and len(model.feature_names_) == 1 + 12 + 5 + 1 + 5
    why = model.explain(3, int(items[3, 0]))
    assert set(why.because) <= {"ALS", "ContentBased"} and set(why.features) == set(model.feature_names_)
    assert [stage.name for stage in model.trace(3)][-4:] == ["candidates", "scorer", "<lambda>", "shown"]
    assert len(model.trace(3)) > 4 and all((stage.items >= 0).any() for stage in model.trace(3)[:-4])


# --- users without history

@pytest.mark.parametrize("beforehand", [True, False])
def test_for_nobody_there_are_no_lists(beforehand):
    model, _, _ = made(rerankers=[lambda items, scores: capped(items, scores, np.arange(9), 1)])
    model = model.precompute() if beforehand else model
    items, scores = model.recommend([], 4)
    assert items.shape == scores.shape == (0, 4)


def test_users_without_history_are_shown_what_is_popular():
    ok = np.arange(9) != 4
    model, A, _ = made(1, cold=[2, 7], rerankers={"in stock": lambda items, scores: filtered(items, scores, ok)})
    popular = np.argsort(-np.bincount(A.indices, minlength=9), kind="stable")
    with pytest.warns(UserWarning, match="of 2 of 12 nothing is known"):
        items, scores = model.recommend(np.arange(12), 4)
    assert items[2].tolist() == items[7].tolist() == popular[popular != 4][:4].tolist()
    assert scores[2].tolist() == (np.bincount(A.indices, minlength=9)[items[2]] / 12).tolist()
    assert np.flatnonzero(model.without_candidates(np.arange(12))).tolist() == [2, 7]
    assert model.without_candidates(2) is True
    assert [stage.name for stage in model.trace(2, 4)] == \
        ["popularity, as nothing leads to a candidate", "in stock", "shown"]
    assert model.explain(2, int(items[2, 0])).because == {"popularity": "the share of users who have it"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.recommend([0, 1], 4)


def test_a_user_who_has_everything_gets_nothing():
    A = np.ones((6, 5))
    A[1:, 0] = np.nan
    A[3:, 1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Recommender(GENERATORS, held_out=1, share=0.4, random_state=0).fit(A)
        items, scores = model.recommend(0, 3)
    assert items.tolist() == [-1, -1, -1] and np.isinf(scores).all()


# --- ids

def test_ids_go_in_and_out():
    A, t = purchases(seed=6)
    who, what = [f"u{u}" for u in users_of(A)], [10**9 + 7 * int(m) for m in A.indices]
    table = read_table(who, what, A.data, t)
    by_number = Recommender(GENERATORS, Weighed(), held_out=1, random_state=0).fit(table.matrix, table.times)
    by_id = Recommender(GENERATORS, Weighed(), held_out=1, random_state=0).fit(table)
    rows = table.users.encode(["u3", "u0"])
    items, scores = by_id.recommend(["u3", "u0"], 5)
    numbers, values = by_number.recommend(rows, 5)
    assert items.tolist() == table.items.decode(numbers).tolist() and scores.tolist() == values.tolist()
    assert by_id.recommend("u3", 5)[0].tolist() == items[0].tolist()
    stages = by_id.trace("u3", 5)
    assert stages[-1].items.tolist() == [item for item in items[0] if item is not None]
    why = by_id.explain("u3", items[0, 0])
    assert why.item == items[0, 0] and 1 <= min(why.places.values())
    for ask in (lambda: by_id.recommend("nobody"), lambda: by_id.recommend(3), lambda: by_id.explain("u3", "no item")):
        with pytest.raises(ValueError, match="none of the"):
            ask()


def test_ids_of_what_a_generator_says():
    A, t = purchases(seed=6)
    table = read_table([f"u{u}" for u in users_of(A)], [f"m{m}" for m in A.indices], A.data, t)
    model = Recommender([ALS(3, alpha=1.0, random_state=0)], held_out=1, random_state=0).fit(table)
    items, _ = model.recommend("u1", 1)
    because = model.explain("u1", items[0]).because["ALS"].items
    has = {f"m{m}" for m in A.indices[A.indptr[1]:A.indptr[2]]}
    assert because.size and set(because.tolist()) <= has


# --- kept in a file

@pytest.mark.parametrize("ids", [True, False])
def test_what_is_saved_answers_as_before(ids, tmp_path):
    A, t = purchases(seed=3, cold=[5])
    table = read_table([f"u{u}" for u in users_of(A)], A.indices.tolist(), A.data, t)
    cap = {"cap": lambda items, scores: capped(items, scores, np.arange(9) % 3, 2)}
    model = Recommender(GENERATORS, Weighed(), rerankers=cap, held_out=1, candidates=6, depth=7, random_state=0)
    model.fit(*((table,) if ids else (A, t)), item_numbers=PRICES)
    path = tmp_path / "model"
    model.save(path)
    loaded = Recommender.load(path, rerankers=cap)
    users = table.users.names if ids else [u for u in range(12) if u != 5]
    for one, other in zip(model.recommend(users, 4), loaded.recommend(users, 4)):
        assert one.tolist() == other.tolist()
    assert [stage.name for stage in loaded.trace(users[0], 4)] == ["candidates", "scorer", "cap", "shown"]
    for one, other in zip(model.trace(users[0], 4)[-4:], loaded.trace(users[0], 4)):
        assert (one.name, one.items.tolist(),
                one.scores.tolist()) == (other.name, other.items.tolist(), other.scores.tolist())
    item = model.recommend(users[0], 1)[0][0]
    assert loaded.explain(users[0], item).places == model.explain(users[0], item).places
    assert not loaded.explain(users[0], item).features
    if not ids:
        assert loaded.without_candidates(5)
    for ask in (lambda: loaded.recommend(users[0], live=True), loaded.precompute):
        with pytest.raises(ValueError, match="was loaded from a file"):
            ask()
    with pytest.raises(ValueError, match=r"rerankers: the model in .* had \['cap'\], got \[\]"):
        Recommender.load(path)
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_a_file_that_does_not_fit_together(tmp_path):
    model, _, _ = made(3)
    path = tmp_path / "model"
    model.save(path)
    arrays, rest = storage.load(path, "scratchml.recommend.Recommender")
    for change in (dict(items=np.where(arrays["items"] >= 0, arrays["items"] + 5, -1)),
                   dict(scores=arrays["scores"][:, :-1]),
                   dict(places=arrays["places"][:1]), dict(indptr=arrays["indptr"][:-1]),
                   dict(fused=arrays["fused"] * np.nan),
                   dict(places=0 * arrays["places"]), dict(items=arrays["items"] * 1.5)):
        storage.save(path, "scratchml.recommend.Recommender", {**arrays, **change}, rest)
        with pytest.raises(ValueError, match="expected a fitted model, but"):
            Recommender.load(path)
    for change in (dict(items=4), dict(generators=["one"]), dict(ids=[["a"], ["b"]]), dict(sizes=[6]),
                   dict(sizes=[6, 2])):
        storage.save(path, "scratchml.recommend.Recommender", arrays, {**rest, **change})
        with pytest.raises(ValueError, match="expected a fitted model, but"):
            Recommender.load(path)
    storage.save(path, "scratchml.recommend.Recommender", {k: v for k, v in arrays.items() if k != "fused"}, rest)
    with pytest.raises(ValueError, match="one without 'fused'"):
        Recommender.load(path)


def test_ids_that_no_file_holds(tmp_path):
    A, t = purchases(seed=3)
    table = read_table([("u", int(u)) for u in users_of(A)], A.indices.tolist(), A.data, t)
    model = Recommender(GENERATORS, Weighed(), held_out=1).fit(table)
    with pytest.raises(ValueError, match=r"ids: expected strings or numbers, .* got \('u', 0\)"):
        model.save(tmp_path / "model")


# --- what is refused

def lists(items, scores=None):
    return Listed(lambda users, n, _: (np.tile(items, (len(users), 1)),
                                       np.zeros((len(users), len(items))) if scores is None else scores))


@pytest.mark.parametrize("settings, message", [
    (dict(generators={}), "generators: expected at least one"),
    (dict(generators=ItemCosine()), "generators: expected a dict by name or a list"),
    (dict(generators=[ItemCosine]), "expected a model with fit and recommend"),
    (dict(generators=[LinearScorer()]), "expected a model with fit and recommend"),
    (dict(generators={3: ItemCosine()}), r"generators\[3\]"),
    (dict(generators=[(ItemCosine(), 3)]), "a dict of what its fit takes"),
    (dict(generators={"c": (ContentBased(), {"item_features": np.ones((3, 2))})}),
     r"generators\['c'\]: item_features: expected a row"),
    (dict(generators={"c": ContentBased()}), r"generators\['c'\]: .*item_features"),
    (dict(generators={"n": ItemCosine(0)}), r"generators\['n'\]: n_neighbors=0"),
    (dict(generators={"l": lists([1, 1])}), r"generators\['l'\]: recommend returned no lists, .* an item twice"),
    (dict(generators={"l": lists([1, 9])}), "item 9 is none of 9"),
    (dict(generators={"l": lists([-1, 1])}), "-1 only after the end"),
    (dict(generators={"l": lists([0.5, 1])}), "whole numbers"),
    (dict(generators={"l": lists(np.arange(9), np.full(9, np.nan))}), "expected items and"),
    (dict(generators={"l": Listed(lambda users, n, _: None)}), "recommend returned no lists"),
    (dict(generators={"l": Listed(lambda users, n, _: (np.full((len(users), n), -1),
                                                       np.full((len(users), n), -np.inf)))}), "none is among the cand"),
    (dict(scorer=Popularity()), "expected a model with fit and predict"),
    (dict(scorer="trees"), "expected a model with fit and predict"),
    (dict(rerankers=capped), "rerankers: expected a dict"), (dict(rerankers=["capped"]), "expected functions"),
    (dict(candidates=0), "candidates=0"), (dict(depth=2.5), "depth=2.5"), (dict(held_out=0), "held_out=0"),
    (dict(share="a"), "share='a'"),
    (dict(candidates="100"), "candidates='100'"), (dict(random_state="a"), "random_state"),
])
def test_bad_parameters(settings, message):
    with pytest.raises(ValueError, match=message):
        Recommender(**settings).fit(*purchases(seed=3))


@pytest.mark.parametrize("arguments, message", [
    ((np.eye(4),), "nothing to rank|none is among"), ((np.where(np.eye(4) > 0, 1, np.nan),), "nothing can be held out"),
    (("abc",), "matrix"),
    ((np.full((3, 3), np.nan),), "nothing can be held out of 0"), ((np.ones(3),), "matrix"),
    ((purchases()[0], [1, 2]), "times"),
    ((*purchases(), np.ones((4, 1))), "item_numbers"),
    ((purchases()[0], np.full(len(purchases()[1]), np.nan)), "times: Input contains NaN"),
])
@pytest.mark.filterwarnings("ignore:matrix")
def test_data_that_cannot_be_used(arguments, message):
    with pytest.raises(ValueError, match=message):
        Recommender().fit(*arguments)


class Broken(Weighed):
    def __init__(self, answer):
        self.answer = answer

    def predict(self, X):
        return self.answer(X)


@pytest.mark.parametrize("answer", [lambda X: X, lambda X: np.full(len(X), np.nan), lambda X: np.zeros(len(X) - 1),
                                    lambda X: "scores"])
def test_a_scorer_that_returns_no_scores(answer):
    model = Recommender(GENERATORS, Broken(answer), held_out=1).fit(*purchases())
    with pytest.raises(ValueError, match="scorer.predict"):
        model.recommend(0)


@pytest.mark.parametrize("function, message", [
    (lambda items, scores: items, "expected items and scores"),
    (lambda items, scores: None, "expected items and scores"),
    (lambda items, scores: (items[:1], scores[:1]), "expected lists of 12 users, got 1"),
    (lambda items, scores: (np.tile(np.arange(9), (12, 1)), np.zeros((12, 9))), "was not among what it was given"),
    (lambda items, scores: (np.zeros_like(items), np.zeros(scores.shape)), "has an item twice"),
    (lambda items, scores: (items, scores * np.nan), "NaN or infinity")])
def test_a_re_ranker_that_returns_no_lists(function, message):
    model, _, _ = made(rerankers={"odd": function})
    with pytest.raises(ValueError, match=rf"rerankers\['odd'\]: .*{message}"):
        model.recommend(np.arange(12), 3)


def test_a_re_ranker_cannot_swap_the_lists_of_users():
    items, scores = np.array([[1, 0], [7, 6]]), np.array([[2.0, 1], [2, 1]])
    for wrong in (items[::-1], np.array([[1, 7], [7, 6]]), np.array([[1, 0], [0, 6]]), np.array([[1, 16], [7, 6]])):
        with pytest.raises(ValueError, match="was not among what it was given"):
            reranked("odd", lambda items, scores: (wrong, scores), items, scores, np.array([3, 4]))
    short = np.array([[0, -1], [6, -1]]), np.array([[1.0, -np.inf], [1, -np.inf]])
    np.testing.assert_array_equal(reranked("even", lambda items, scores: short, items, scores, np.array([3, 4]))[0],
                                  short[0])


def test_popularity_stands_in_for_no_candidate_alone():
    A = known_entries(np.array([[1, np.nan, 1, np.nan], [np.nan, 1, 1, np.nan], [np.nan, np.nan, 1, 1]]))
    found = Lists(np.array([[0, 3], [-1, -1]]), np.array([[2.0, 1], [-np.inf, -np.inf]]))
    filled = popular_lists(found, A, np.array([1, 0]))
    np.testing.assert_array_equal(filled.items, [[0, 3], [1, 3]])      # user 0 has items 0 and 2
    np.testing.assert_allclose(filled.scores, [[2, 1], [1 / 3, 1 / 3]])


def test_a_re_ranker_cannot_bring_in_items_by_writing_into_what_it_gets():
    def smuggles(items, scores):
        items[:, 0] = [next(m for m in range(9) if m not in row) for row in items]
        return items, scores

    model, _, _ = made(rerankers={"odd": smuggles})
    with pytest.raises(ValueError, match="was not among what it was given"):
        model.recommend([0, 1], 3)


def test_a_re_ranker_may_ask_whose_list_it_is_and_cannot_spoil_the_lists():
    asked = []

    def shown(items, scores, users):
        asked.append(users.tolist())
        items[:], scores[:] = -1, -np.inf
        return items, scores

    model, _, _ = made(rerankers={"nothing": shown})
    model.precompute()
    assert (model.recommend([3, 1], 4)[0] == -1).all() and asked == [[3, 1]]
    model.rerankers = None
    assert (model.recommend([3, 1], 2)[0] >= 0).all()


@pytest.mark.parametrize("ask, message", [
    (lambda m: m.recommend([12]), "users: expected 0 ... 11"),
    (lambda m: m.recommend([0], 7), "n=7: there are 6 candidates"),
    (lambda m: m.recommend([0], 0), "n=0"), (lambda m: m.recommend("u1"), "users"),
    (lambda m: m.trace([0, 1]), "user: expected one"),
    (lambda m: m.explain(0, [1]), "item: expected one"), (lambda m: m.explain(0, 9), "item: expected 0 ... 8"),
    (lambda m: m.recommend([0.5]), "users"),
    (lambda m: Recommender().recommend(0), "not fitted"), (lambda m: Recommender().save("x"), "not fitted")])
def test_questions_without_an_answer(ask, message):
    model, _, _ = made()
    with pytest.raises(ValueError, match=message):
        ask(model)


def test_an_item_that_is_no_candidate_is_not_explained():
    model, A, _ = made()
    with pytest.raises(ValueError, match="is none of the .* candidates of user 0; trace"):
        model.explain(0, int(A.indices[0]))
