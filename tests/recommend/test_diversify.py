"""Lists that are good together: each choice against all likenesses and whole determinants, for every draw."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import known_entries, sparse_rows
from scratchml.metrics import intra_list_diversity
from scratchml.recommend import dpp, mmr
from scratchml.recommend.diversify import SPENT, cholesky_update
from tests.reference import diversify as reference
from tests.strategies.diversity import KINDS, features, seeds
from tests.strategies.rerank import candidates, shelves

shares = st.sampled_from([0, 0.3, 0.7, 0.95, 1])


def each_choice(R, s, found, values):
    """(user, scores, places of the chosen) of what was found; scores go with items, and no item comes twice."""
    for u in range(len(R)):
        places = [list(R[u]).index(m) for m in found[u] if m >= 0]
        assert len(set(places)) == len(places) == min(found.shape[1], (R[u] >= 0).sum())
        assert values[u, :len(places)].tolist() == s[u, places].tolist() and (values[u, len(places):] == -np.inf).all()
        yield u, s[u], places


@given(shelves(), seeds, KINDS, st.integers(1, 4), st.integers(1, 9), shares)
def test_mmr_takes_the_best_beside_the_nearest(drawn, seed, kind, D, n, t):
    R, s, M = drawn
    X = features(M, D, seed, kind)
    S = reference.likeness(X / (np.abs(X).max() or 1))
    found, values = mmr(R, s, X, n, trade_off=t)
    for u, scores, places in each_choice(R, s, found, values):
        of = S[np.ix_(R[u], R[u])]
        for k, i in enumerate(places):
            left = [j for j in range(len(scores)) if R[u, j] >= 0 and j not in places[:k]]
            gains = [reference.mmr_gain(scores, of, places[:k], j, t) for j in left]
            assert gains[left.index(i)] >= max(gains) - 1e-13 * (1 + np.abs(scores[places]).max())
    np.testing.assert_array_equal(mmr(R, s, known_entries(X), n, trade_off=t)[1].shape, values.shape)


@given(shelves(), seeds, KINDS, st.integers(1, 6), st.integers(1, 9), st.sampled_from([0, 1, 5]))
def test_dpp_takes_the_greatest_determinant(drawn, seed, kind, D, n, q):
    R, s, M = drawn
    X = features(M, D, seed, kind)
    S = reference.likeness(X / (np.abs(X).max() or 1))
    found, values = dpp(R, s, X, n, quality=q)
    for u, scores, places in each_choice(R, s, found, values):
        of, before = S[np.ix_(R[u], R[u])], 0.0
        for k, i in enumerate(places):
            left = [j for j in range(len(scores)) if R[u, j] >= 0 and j not in places[:k]]
            gains = {j: reference.dpp_gain(scores, of, places[:k], j, q) - before for j in left}
            alive = [j for j in left if gains[j] - 2 * q * scores[j] > np.log(100 * SPENT)]
            if alive:                                    # else the rest add nothing, and come by score
                best = max(gains[j] for j in alive)
                assert gains[i] >= best - 1e-5
                before += gains[i]
            elif all(gains[j] - 2 * q * scores[j] < np.log(SPENT / 100) for j in left):
                assert scores[i] == max(scores[j] for j in left)
                break
            else:
                break


def test_the_definitions_choose_the_same_lists():
    for seed in range(5):
        R, s = candidates(3, 6, 9, seed)
        X = np.random.default_rng(seed).normal(size=(9, 12))
        for ours, theirs in ((mmr(R, s, X, 4), reference.mmr(R.tolist(), s.tolist(), X, 4)),
                             (dpp(R, s, X, 4), reference.dpp(R.tolist(), s.tolist(), X, 4))):
            for found, expected in zip(ours, theirs):
                np.testing.assert_array_equal(found, expected)
        for choose in (mmr, dpp):
            np.testing.assert_array_equal(choose(R, s, sparse_rows(X), 4)[0], choose(R, s, X, 4)[0])


@given(seeds, st.integers(2, 5), st.integers(1, 4))
def test_a_step_of_cholesky_is_one_of_the_factor(seed, N, k):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, N + 1))
    S = x @ x.T
    c, d = np.zeros((N, 0)), np.diag(S).copy()
    for j in range(min(k, N)):
        expected = reference.cholesky_update(S, c, d, j)
        c, d = cholesky_update(S, c, d, j)
        np.testing.assert_allclose(c, expected[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(d, expected[1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose((c @ c.T)[:k, :k], S[:k, :k], rtol=1e-8, atol=1e-8)


# --- limits

@given(shelves(), seeds)
def test_without_diversity_it_is_the_order_of_scores(drawn, seed):
    R, s, M = drawn
    X = np.random.default_rng(seed).normal(size=(M, 3))
    order = np.argsort(-s, axis=1, kind="stable")
    for found, _ in (mmr(R, s, X, R.shape[1], trade_off=1), dpp(R, s, np.eye(M), R.shape[1], quality=2)):
        np.testing.assert_array_equal(found, np.take_along_axis(R, order, 1))


@given(shelves(("real",)), seeds)
def test_without_scores_only_the_first_item_is_theirs(drawn, seed):
    R, s, M = drawn
    X = np.random.default_rng(seed).normal(size=(M, 4))
    again = np.where(R >= 0, np.random.default_rng(seed).random(s.shape), -np.inf)
    first = s.argmax(axis=1)[:, None]
    np.put_along_axis(again, first, 2.0, 1)              # other scores, the same first
    again = np.where(R >= 0, again, -np.inf)
    np.testing.assert_array_equal(mmr(R, s, X, M, trade_off=0)[0], mmr(R, again, X, M, trade_off=0)[0])


def test_a_copy_comes_only_where_nothing_else_is_left():
    X = np.array([[1.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 1]])
    items, scores = np.arange(5)[None], np.array([[0.9, 0.8, 0.7, 0.1, 0.05]])
    assert dpp(items, scores, X, 5)[0].tolist() == [[0, 3, 4, 1, 2]]
    assert mmr(items, scores, X, 3, trade_off=0.3)[0][0, :2].tolist() == [0, 3]


def test_what_differs_a_little_is_no_copy():
    X, scores = np.array([[1.0, 0], [1, 0.02], [1, 0.05], [1, 1e-6]]), np.array([[0.9, 0.5, 0.4, 0.8]])
    assert dpp(np.arange(4)[None], scores, X, 2, quality=0)[0].tolist() == [[0, 2]]
    # two dimensions, then by score
    assert dpp(np.arange(4)[None], scores, X, 4, quality=0)[0].tolist() == [[0, 2, 3, 1]]


def test_columns_may_come_in_any_order():
    X = known_entries(np.random.default_rng(0).normal(size=(6, 4)))
    places = np.arange(24).reshape(6, 4)
    places[::2] = places[::2, ::-1]                      # every other row backwards
    turned = X._replace(indices=X.indices[places.ravel()], data=X.data[places.ravel()])
    R, s = candidates(3, 6, 6, 1)
    for choose in (mmr, dpp):
        np.testing.assert_array_equal(choose(R, s, turned, 4)[0], choose(R, s, X, 4)[0])


def test_more_diversity_makes_lists_more_diverse():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 6))[rng.integers(8, size=60)] + 0.3 * rng.normal(size=(60, 6))
    R, s = np.array([rng.permutation(60)[:40] for _ in range(20)]), rng.random((20, 40))
    unlike = [intra_list_diversity(mmr(R, s, X, 8, trade_off=t)[0], X) for t in (1, 0.8, 0.4)]
    spans = [intra_list_diversity(dpp(R, s, X, 6, quality=q)[0], X) for q in (50, 2, 0)]
    assert unlike == sorted(unlike) and spans == sorted(spans) and unlike[2] > unlike[0] + 0.1
    assert spans[2] > spans[0] + 0.1


def test_lists_do_not_depend_on_threads_or_on_other_users(monkeypatch):
    R, s = candidates(40, 12, 30, 0)
    X = np.random.default_rng(0).normal(size=(30, 20))
    for choose in (mmr, dpp):
        found = {}
        for threads in "12":
            monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
            found[threads] = choose(R, s, X, 20)
        for ours, theirs in zip(found["1"], found["2"]):
            np.testing.assert_array_equal(ours, theirs)
        for u in (0, 7, 39):
            np.testing.assert_array_equal(choose(R[u], s[u], X, 20)[0], found["1"][0][u])


# --- bad input

@pytest.mark.parametrize("call, message", [
    (lambda: mmr([[0, 1]], [[1.0, 0]], [[1.0]]), "features: expected one for each item, there are 1, and item 1"),
    (lambda: dpp([[0]], [[1.0]], [[np.inf]]), "features: Input contains infinity"),
    (lambda: mmr([[0]], [[1.0]], [[1.0]], 0), "n=0"),
    (lambda: mmr([[0]], [[1.0]], [[1.0]], trade_off=1.5), "trade_off=1.5"),
    (lambda: mmr([[0]], [[1.0]], [[1.0]], trade_off=np.nan), "trade_off=nan"),
    (lambda: dpp([[0]], [[1.0]], [[1.0]], quality=-1), "quality=-1"),
    (lambda: dpp([[0, 1]], [[1000.0, 0]], np.eye(2)),
     "quality=1.0: times the range of a user's scores, 1e.03, expected at most 300"),
    (lambda: dpp([[0, 1]], [[1e308, -1e308]], np.eye(2)), "quality=1.0: times the range of a user's scores, inf"),
    (lambda: mmr([[0]], [[np.nan]], [[1.0]]), "scores: expected a finite score"),
    (lambda: dpp(["a"], [1.0], [[1.0]]), "items: "),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_scores_that_do_not_count_may_be_of_any_size():
    assert dpp([[0, 1, 2]], [[1e308, 0, -1e308]], np.eye(3), 3, quality=0)[0].tolist() == [[0, 1, 2]]


def test_all_that_comes_in_other_types():
    R, s = np.array([[2, 0, 1]], np.uint8), np.float32([[0.9, 0.5, 0.1]])
    for X in (np.eye(3), np.eye(3, dtype=np.float32), np.eye(3, dtype=int), np.eye(3).tolist(),
              np.asfortranarray(np.eye(3))):
        assert mmr(R, s, X, 2)[0].tolist() == dpp(R, s, X, 2)[0].tolist() == [[2, 0]]
