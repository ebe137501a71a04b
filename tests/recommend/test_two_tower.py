"""Two towers against their definitions: equations, a step of training, and what a recommender must do."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core import storage
from scratchml.core.sparse import dense, known_entries, sparse_rows
from scratchml.neighbors import HNSW, IVF, NearestNeighbors
from scratchml.recommend import TwoTower, towers, two_tower
from scratchml.recommend.sampled_softmax import (batch_softmax, log_q_corrected, mixed_frequency, softmax_gradient,
                                                 unit_gradient, without_accidental_hits)
from scratchml.recommend.two_tower import scaled_cosine
from tests.reference import two_tower as reference
from tests.strategies.item_neighbors import known, seeds
from tests.strategies.two_tower import example

SMALL = dict(factors=4, batch_size=16, epochs=3, random_state=0)


# --- the equations

@given(seeds, st.sampled_from([0.05, 1]))
def test_scores_are_cosines_over_a_temperature(seed, τ):
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=(3, 4)) * [[1], [0], [9]], rng.normal(size=(2, 4))
    np.testing.assert_allclose(scaled_cosine(u, v, τ), reference.scaled_cosine(u, v, τ), rtol=1e-12, atol=1e-14)


# --- a step of training

def gradients(G, E, users, items, other, share, τ, log_q):
    """The loss of a batch, and its gradients by both tables, by the equations in float64."""
    candidates = np.concatenate([items, other])
    Gu, Gv = G[0][users], G[1][candidates]
    u, v = Gu @ E[0], Gv @ E[1]
    û, v̂ = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (u, v))
    s = scaled_cosine(u, v, τ)
    if log_q:
        s = log_q_corrected(s, mixed_frequency(share, len(users), len(other))[candidates])
    s = without_accidental_hits(s, items, candidates)
    g = softmax_gradient(s, np.ones(len(users))) / τ
    return batch_softmax(s, np.ones(len(users))), [Gu.T @ unit_gradient(g @ v̂, u), Gv.T @ unit_gradient(g.T @ û, v)]


@pytest.mark.parametrize("log_q, more, features", [(True, 0, False), (False, 0, True), (True, 5, True)])
def test_steps_are_those_of_adam_on_the_loss_where_all_rows_are_touched(log_q, more, features):
    rng = np.random.default_rng(0)
    A = known_entries(np.where(rng.random((5, 4)) < 0.7, 1, np.nan))
    X = rng.normal(size=(4, 3)) if features else None
    both = [towers.Tower(towers.side_of(n, f, "X"), 6, rng) for n, f in ((5, None), (4, X))]
    step = two_tower._Step(both, A, 0.5, 0.05, "softmax", log_q, more)
    users, items = np.repeat(np.arange(5), np.diff(A.indptr)), A.indices
    assert set(users.tolist()) == set(range(5)) and set(items.tolist()) == set(range(4))
    E, G = [one.E.astype(float) for one in both], [dense(one.G) for one in both]
    first, all_of = [x.copy() for x in E], [[], []]
    for seed in range(3):
        other = np.random.default_rng(seed).integers(4, size=more)
        expected, found = gradients(G, E, users, items, other, step.share, 0.5, log_q)
        assert step(users, items, np.random.default_rng(seed)) == pytest.approx(expected, rel=1e-5)
        for side in (0, 1):
            all_of[side].append(found[side])
            E[side] = reference.adam(first[side], all_of[side], 0.05)
            np.testing.assert_allclose(both[side].E, E[side], rtol=0, atol=2e-4)
            assert not both[side].gradient.any()


def test_a_step_of_bpr_goes_down_the_slope():
    rng = np.random.default_rng(0)
    A = known_entries(np.where(rng.random((5, 4)) < 0.7, 1, np.nan))
    both = [towers.Tower(towers.side_of(n, None, "X"), 6, rng) for n in (5, 4)]
    step = two_tower._Step(both, A, 0.5, 1e-3, "bpr", False, 0)
    users, items = np.repeat(np.arange(5), np.diff(A.indptr)), A.indices
    other = np.random.default_rng(7).integers(4, size=len(items))

    def loss(E):
        u, v = E[0][users], E[1]
        s = scaled_cosine(u, v, 0.5)
        places = np.arange(len(users))
        return np.logaddexp(0, -(s[places, items] - s[places, other])).mean()

    before, E = [one.E.astype(float) for one in both], None
    assert step(users, items, np.random.default_rng(7)) == pytest.approx(loss(before), rel=1e-5)
    h = 1e-5
    for side in (0, 1):                                  # the first step of Adam is against the sign of each slope
        slopes = np.zeros_like(before[side])
        for place in np.ndindex(*slopes.shape):
            E = [x.copy() for x in before]
            E[side][place] += h
            up = loss(E)
            E[side][place] -= 2 * h
            slopes[place] = (up - loss(E)) / (2 * h)
        steep = np.abs(slopes) > 1e-5
        np.testing.assert_allclose((both[side].E - before[side])[steep], -1e-3 * np.sign(slopes[steep]), rtol=2e-2)


def test_rows_that_no_batch_touches_stay():
    A = np.full((4, 5), np.nan)
    A[0, 1] = A[1, 2] = A[3, 1] = 1
    first = towers.Tower(towers.side_of(4, None, "X"), 4, np.random.default_rng(0)).E
    model = TwoTower(**SMALL).fit(A)
    np.testing.assert_allclose(model.user_vectors_[2], first[2] / np.linalg.norm(first[2]), rtol=1e-6)
    assert model.recommend([2, 0], 2)[0][0].tolist() == [-1, -1] and model.recommend(0, 5)[0].tolist()[-1] == -1


# --- the recommender

def blocks(U=24, M=20):
    """Two kinds of users with their items, a part of which each has."""
    A = np.where(np.random.default_rng(0).random((U, M)) < 0.5, 1.0, np.nan)
    A[:U // 2, :M // 2], A[U // 2:, M // 2:] = np.nan, np.nan
    return A


KINDS = dict(factors=4, temperature=0.3, batch_size=16, epochs=12, learning_rate=0.1, random_state=0)


@pytest.mark.parametrize("parameters", [
    {}, dict(loss="bpr"), dict(mixed_negatives=6), dict(log_q=False), dict(history=True, epochs=30), dict(hidden=(8,)),
    dict(history=True, hidden=[8, 6], dropout=0)])
def test_each_kind_of_user_gets_items_of_its_kind(parameters):
    A = blocks()
    model = TwoTower(**{**KINDS, **parameters}).fit(A)
    items, scores = model.recommend(np.arange(24), 2)
    assert (items[:12] >= 10).mean() > 0.9 and (items[12:] < 10).mean() > 0.9
    assert (np.diff(scores, axis=1) <= 0).all() and model.loss_history_[-1] < model.loss_history_[0]
    assert np.isnan(A[np.arange(24)[:, None], items]).all()
    for u in (0, 20):
        cosines = model.item_vectors_ @ model.user_vectors_[u]
        cosines[~np.isnan(A[u])] = -np.inf
        assert model.recommend(u, 2)[0].tolist() == items[u].tolist()
        np.testing.assert_allclose(scores[u], np.sort(cosines)[::-1][:2], rtol=1e-5)
    assert model.similar_items(2)[0].shape == (10,)
    similar, _ = model.similar_items([2, 15], 5)
    assert (similar[0] < 10).mean() > 0.7 and (similar[1] >= 10).mean() > 0.7 and 2 not in similar[0]


def test_who_and_what_is_new_has_a_place_by_features():
    A, kinds = blocks(), np.eye(2)
    of_items, of_users = kinds[np.repeat([0, 1], 10)], kinds[np.repeat([1, 0], 12)]
    model = TwoTower(**KINDS).fit(A, sparse_rows(of_items), of_users)
    items, _ = model.recommend_for(model.new_users(kinds), 6)
    assert (items[0] < 10).all() and (items[1] >= 10).all()
    assert model.add_items(kinds).tolist() == [20, 21]
    ranks = [model.recommend(u, 22, exclude_seen=False)[0].tolist() for u in (0, 23)]
    assert ranks[0].index(21) < ranks[0].index(20) and ranks[1].index(20) < ranks[1].index(21)
    assert model.recommend_for(model.user_vectors_[0], 5)[0].shape == (5,)


def test_who_is_new_has_a_place_by_what_he_has():
    A, kinds = blocks(), np.eye(2)
    model = TwoTower(**KINDS, history=True).fit(A)
    items, _ = model.recommend_for(model.new_users(matrix=A), 6)
    assert (items[:12] >= 10).mean() > 0.9 and (items[12:] < 10).mean() > 0.9
    np.testing.assert_allclose(model.new_users(matrix=A), model.user_vectors_, rtol=1e-5, atol=1e-6)
    assert not model.new_users(matrix=np.full((1, 20), np.nan)).any()
    both = TwoTower(**KINDS, history=True).fit(A, None, kinds[np.repeat([1, 0], 12)])
    again = both.new_users(kinds[np.repeat([1, 0], 12)], A)
    np.testing.assert_allclose(again, both.user_vectors_, rtol=1e-5, atol=1e-6)
    known_by = [both.new_users(kinds), both.new_users(matrix=A[[20, 0]])]            # by features, and by items
    for vectors in known_by:
        items, _ = both.recommend_for(vectors, 6)
        assert (items[0] < 10).mean() > 0.6 and (items[1] >= 10).mean() > 0.6


@pytest.mark.parametrize("index", [HNSW("ip", random_state=0), IVF(4, nprobe=4, space="ip", random_state=0),
                                   NearestNeighbors(metric="cosine")])
def test_an_index_finds_what_looking_at_all_finds(index):
    model = TwoTower(**SMALL).fit(known(30, 25, 0))
    index.fit(model.item_vectors_)
    for users, n, seen in ((np.arange(30), 4, True), (3, 25, True), ([5, 5], 3, False)):
        expected, scores = model.recommend(users, n, seen)
        found, cosines = model.recommend(users, n, seen, index=index)
        np.testing.assert_allclose(cosines, scores, rtol=1e-5, atol=1e-6)
        assert found.shape == expected.shape and found.dtype == expected.dtype and (found == expected).mean() > 0.95
        assert ((found >= 0) == (expected >= 0)).all()


@pytest.mark.parametrize("parameters", [{}, dict(hidden=(6,)), dict(history=True)])
def test_a_model_comes_back_from_a_file(tmp_path, parameters):
    A, X = known(12, 8, 0), np.eye(8)[:, :3]
    model = TwoTower(**SMALL, **parameters).fit(A, X)
    model.add_items(np.eye(3))
    model.save(tmp_path / "model")
    other = TwoTower.load(tmp_path / "model")
    for ours, theirs in zip(model.recommend(np.arange(12), 5), other.recommend(np.arange(12), 5)):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(model.add_items(np.eye(3)), other.add_items(np.eye(3)))
    np.testing.assert_array_equal(model.item_vectors_, other.item_vectors_)
    assert other.loss_history_ == model.loss_history_ and other.hidden == list(model.hidden)
    if parameters.get("history"):
        np.testing.assert_array_equal(model.new_users(matrix=A), other.new_users(matrix=A))


@pytest.mark.parametrize("change, message", [
    (lambda arrays, rest: arrays.pop("user_E"), "user_E"),
    (lambda arrays, rest: arrays.update(user_E=arrays["user_E"][:-1]), "that do not fit together"),
    (lambda arrays, rest: arrays.update(items=arrays["items"][:, :-1]), "that do not fit together"),
    (lambda arrays, rest: arrays.update(items=arrays["items"].astype(float)), "expected float32"),
    (lambda arrays, rest: arrays.update(item_c0=arrays["item_c0"][:-1]), "layers of the item tower"),
    (lambda arrays, rest: arrays.update(item_W0=arrays["item_W0"] * np.nan), "Input contains NaN"),
    (lambda arrays, rest: arrays.update(indices=arrays["indices"] + 99), "99"),
    (lambda arrays, rest: rest.update(own=[99, 8]), "that do not fit together"),
    (lambda arrays, rest: rest.update(by_history=True), "that do not fit together"),
    (lambda arrays, rest: rest["parameters"].update(factors=-1), "factors=-1"),
    (lambda arrays, rest: rest["parameters"].update(colour=1), "colour"),
])
def test_files_that_do_not_hold_a_model(tmp_path, change, message):
    TwoTower(**SMALL, hidden=(6,)).fit(known(12, 8, 0)).save(tmp_path / "model")
    arrays, rest = storage.load(tmp_path / "model", two_tower.KIND)
    change(arrays, rest)
    storage.save(tmp_path / "model", two_tower.KIND, arrays, rest)
    with pytest.raises(ValueError, match=f"model: expected a fitted model, but .*{message}"):
        TwoTower.load(tmp_path / "model")


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(monkeypatch):
    found = []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(TwoTower(**SMALL, hidden=(5,), history=True).fit(known(30, 12, 0)))
    np.testing.assert_array_equal(found[0].item_vectors_, found[1].item_vectors_)
    assert found[0].loss_history_ == found[1].loss_history_
    other = TwoTower(**{**SMALL, "random_state": 1}, hidden=(5,), history=True).fit(known(30, 12, 0))
    assert found[0].loss_history_ != other.loss_history_


def test_a_callback_ends_the_fit_and_keeps_what_it_has(capsys):
    seen = []
    model = TwoTower(**SMALL, verbose=1, callback=lambda progress: seen.append(progress) or progress.iteration == 2)
    model.fit(known(12, 8, 0))
    assert [p.iteration for p in seen] == [1, 2] and model.loss_history_ == [p.loss for p in seen]
    assert capsys.readouterr().err.count("TwoTower: iteration") == 2


@pytest.mark.parametrize("A", [[[1.0]], [[1.0, np.nan]], np.where(np.eye(3), 1.0, np.nan),
                               [[np.nan, np.nan, 2], [np.nan, 1, 1]]])
@pytest.mark.parametrize("parameters", [{}, dict(history=True, hidden=(3,))])
def test_tables_with_next_to_nothing(A, parameters):
    model = TwoTower(**SMALL, **parameters).fit(A)
    assert np.isfinite(model.item_vectors_).all() and np.isfinite(model.loss_history_).all()
    items, _ = model.recommend(np.arange(len(A)), len(A[0]))
    assert items.shape == np.shape(A)


# --- bad input

@pytest.mark.parametrize("parameters, message", [
    (dict(factors=0), "factors=0"), (dict(temperature=0), "temperature=0: expected a number, at least 0.001"),
    (dict(temperature=-1), "temperature=-1"), (dict(epochs=0), "epochs=0"), (dict(batch_size=0.5), "batch_size=0.5"),
    (dict(learning_rate=0), "learning_rate=0"), (dict(loss="nce"), "loss='nce'"),
    (dict(log_q="False"), "log_q='False'"),
    (dict(learning_rate=1e38), "learning_rate=1e.38: the vectors have left the range of float32 in epoch 1; lower it"),
    (dict(hidden=64), r"hidden=64: expected the sizes of layers, such as \(64,\)"), (dict(hidden=(0,)), "hidden=0"),
    (dict(history="False"), "history='False'"),
    (dict(dropout=1), "dropout=1: expected a number of at least 0 and below 1"),
    (dict(learning_rate=1e38, hidden=(3,)), "the vectors have left the range of float32 in epoch 1"),
    (dict(mixed_negatives=-1), "mixed_negatives=-1"),
    (dict(loss="bpr", mixed_negatives=3), "bpr draws one wrong answer"),
])
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        TwoTower(**{**SMALL, **parameters}).fit(known(6, 5, 0))


@pytest.mark.parametrize("call, message", [
    (lambda m: m.fit([[np.nan]]), "at least one known entry"), (lambda m: m.fit([1.0]), "expected a matrix"),
    (lambda m: m.fit(known(6, 5, 0), [[1.0]]), "item_features: expected a row for each of 5, got 1"),
    (lambda m: m.fit(known(6, 5, 0), None, [[np.nan]] * 6), "Input contains NaN"),
    (lambda m: m.fit(known(6, 5, 0), np.full((5, 1), 1e30)), "item_features: the largest magnitude is 1e.30"),
    (lambda m: m.add_items([[1e300, 0]]), "item_features: the largest magnitude is 1e.300"),
    (lambda m: m.recommend(6), "users: expected 0 ... 5, got 6"), (lambda m: m.recommend(0, 6), "only 5 items"),
    (lambda m: m.recommend("anna"), "users: expected whole numbers"), (lambda m: m.recommend(0, 0), "n=0"),
    (lambda m: m.recommend(0, 1, "False"), "exclude_seen='False'"),
    (lambda m: m.similar_items(5), "items: expected 0 ... 4, got 5"),
    (lambda m: m.recommend_for([1.0, 2]), r"vectors: expected numbers \(B, 4\), got float64 of shape \(1, 2\)"),
    (lambda m: m.recommend_for([1.0, 2, np.nan, 1]), "vectors: Input contains NaN"),
    (lambda m: m.recommend_for([1e300, 2, 3, 4]), "vectors: the largest magnitude is 1e.300"),
    (lambda m: m.fit(known(6, 5, 0), [["a"]] * 5), "item_features: expected numbers"),
    (lambda m: m.new_users([[1.0]]), "user_features: this model was fitted without"),
    (lambda m: m.add_items([[1.0]]), "item_features: expected the 2 columns of fit, got 1"),
    (lambda m: m.new_users(matrix=known(2, 5, 0)), "matrix: this model has a vector for each user of fit; set history"),
    (lambda m: TwoTower(**SMALL).fit(known(6, 5, 0), None, np.eye(6)).new_users(),
     "expected what they are like, .* got None"),
    (lambda m: m.new_users(), "user_features: this model was fitted without"),
    (lambda m: TwoTower(**SMALL, history=True).fit(known(6, 5, 0)).new_users(matrix=known(2, 4, 0)),
     "expected the 5 items of fit"),
    (lambda m: TwoTower(**SMALL, history=True).fit(known(6, 5, 0), None,
                                                   np.eye(6)).new_users(np.eye(6), known(2, 5, 0)),
     "user_features: expected a row for each of 2, got 6"),
    (lambda m: m.recommend(0, 1, index=3), "index: expected one with knn_query or kneighbors, .*, got int"),
    (lambda m: m.recommend(0, 1, index=NearestNeighbors().fit(np.arange(48.0).reshape(12, 4)[::-1])),
     "index: expected"),
    (lambda m: m.recommend(0, 1, index=NearestNeighbors().fit(np.zeros((12, 3)))), "feature"),
    (lambda m: TwoTower().recommend(0), "not fitted"),
])
def test_bad_calls(call, message):
    model = TwoTower(**SMALL).fit(known(6, 5, 0), np.eye(5)[:, :2])
    before = model.item_vectors_.copy()
    with pytest.raises(ValueError, match=message):
        call(model)
    np.testing.assert_array_equal(model.item_vectors_, before)
