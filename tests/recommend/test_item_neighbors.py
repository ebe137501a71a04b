"""Popularity and item-item cosines against their definitions, and what a recommender of either kind must do."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows, dense, known_entries, sparse_rows
from scratchml.recommend import ItemCosine, Popularity, item_cosine, item_neighbors, popularity
from scratchml.recommend.item_neighbors import nearest_items, neighbor_scores
from tests.reference import item_neighbors as reference
from tests.strategies.item_neighbors import known, matrices, seeds

EPS = np.finfo(float).eps
RECOMMENDERS = [Popularity(), ItemCosine(), ItemCosine(n_neighbors=2)]
all_known = pytest.mark.filterwarnings("ignore:matrix. no entry is NaN")
each_recommender = pytest.mark.parametrize("model", RECOMMENDERS, ids=str)


# --- the equations

@given(matrices())
def test_popularity_counts_users(A):
    assert popularity(A).tolist() == reference.popularity(A)


@given(matrices())
def test_cosines_are_those_of_columns(A):
    c = item_cosine(A)
    np.testing.assert_allclose(c, reference.item_cosine(A.tolist()), rtol=0, atol=20 * EPS)      # 7 products below 1
    np.testing.assert_array_equal(c, c.T)
    assert (np.abs(c) <= 1 + 20 * EPS).all()


@given(matrices(), st.integers(1, 7))
def test_neighbours_are_the_nearest(A, n):
    C = nearest_items(A, n)
    np.testing.assert_array_equal(dense(C), reference.nearest_items(item_cosine(A).tolist(), n))
    assert C.indptr[-1] == np.count_nonzero(C.data) and (np.diff(C.indptr) <= n).all()
    for first, last in zip(C.indptr, C.indptr[1:]):
        assert (np.diff(C.data[first:last]) <= 0).all()


@pytest.mark.parametrize("M", [30, 200])                 # entries of item 0 are 80: all of a row is looked at, or these
def test_of_equals_the_lowest_are_kept_in_whatever_order_they_come(M):
    A = np.zeros((40, M))
    A[:, 0] = 1
    A[np.arange(40), 1 + (39 - np.arange(40)) % (M - 1)] = 1
    C = nearest_items(sparse_rows(A), 3)
    expected = reference.nearest_items(item_cosine(sparse_rows(A)).tolist(), 3)
    np.testing.assert_array_equal(dense(C), expected)
    assert M < 200 or C.indices[:3].tolist() == [1, 2, 3]


@given(matrices(), seeds)
def test_scores_add_up_what_is_near(A, seed):
    C = known(A.shape[1], A.shape[1], seed, "real")
    expected = np.array(reference.neighbor_scores(A.tolist(), np.nan_to_num(C)))
    size = np.abs(np.nan_to_num(A)) @ np.abs(np.nan_to_num(C))
    assert (np.abs(neighbor_scores(known_entries(A), known_entries(C)) - expected) <= 14 * EPS * size).all()


# --- recommending

@all_known
@each_recommender
@given(matrices(), st.data())
def test_the_best_items_come_first_and_what_is_seen_not_at_all(model, A, data):
    U, M = A.shape
    users = np.array(data.draw(st.lists(st.integers(0, U - 1), max_size=4)), int)
    n, exclude = data.draw(st.integers(1, M)), data.draw(st.booleans())
    model.fit(A)
    scores = np.tile(popularity(A).astype(float), (U, 1)) if isinstance(model, Popularity) else \
        neighbor_scores(known_entries(A), nearest_items(A, model.n_neighbors))
    if isinstance(model, ItemCosine):
        scores[np.isnan(A).all(axis=1)] = -np.inf        # of whom nothing is known, nothing is said
    if exclude:
        scores[~np.isnan(A)] = -np.inf
    items, found = model.recommend(users, n, exclude)
    assert items.shape == found.shape == (len(users), n)
    for u, row, values in zip(users, items.tolist(), found.tolist()):
        order = [m for m in sorted(range(M), key=lambda m: (-scores[u, m], m)) if scores[u, m] > -np.inf][:n]
        assert row == order + [-1] * (n - len(order)) and values[:len(order)] == scores[u, order].tolist()
        one, its = model.recommend(int(u), n, exclude)
        assert one.shape == (n,) and one.tolist() == row and its.tolist() == values


@all_known
@each_recommender
@given(matrices())
def test_every_kind_of_matrix_says_the_same(model, A):
    expected = model.fit(A).recommend(np.arange(len(A)), 1)
    rows = known_entries(A)
    as_scipy_has_them = Rows(rows.indptr.astype(np.int32), rows.indices.astype(np.int64), rows.data, list(A.shape))
    for same in (rows, A.tolist(), as_scipy_has_them):
        np.testing.assert_array_equal(model.fit(same).recommend(np.arange(len(A)), 1), expected)


@given(matrices(), seeds)
def test_neighbours_keep_their_likeness_whatever_they_are_called(A, seed):
    rng = np.random.default_rng(seed)
    users, items = rng.permutation(A.shape[0]), rng.permutation(A.shape[1])
    np.testing.assert_allclose(item_cosine(A[users][:, items]), item_cosine(A)[items][:, items], rtol=0, atol=20 * EPS)
    np.testing.assert_array_equal(popularity(A[users][:, items]), popularity(A)[items])


@given(matrices(), seeds)
def test_the_unit_of_an_item_does_not_matter_to_its_cosines(A, seed):
    units = 2.0 ** np.random.default_rng(seed).integers(-20, 20, size=A.shape[1])
    np.testing.assert_array_equal(item_cosine(A * units), item_cosine(A))


@each_recommender
def test_zeros_that_may_be_unknown_are_asked_about(model):
    """A table with its gaps filled, as pivot(...).fillna(0) gives it: all is known, so nothing can be recommended."""
    D = (np.random.default_rng(0).random((30, 20)) < 0.2) * 1.0
    for zeros in (D, D.astype(int), D.astype(bool), D.tolist()):
        with pytest.warns(UserWarning,
                          match=r"matrix: no entry is NaN, .* pass np.where\(matrix == 0, np.nan, matrix\)"):
            found = model.fit(zeros).recommend(0, 3)[0]
        assert found.tolist() == [-1, -1, -1]
    unknown = np.where(D == 0, np.nan, D)
    assert (model.fit(unknown).recommend(0, 3)[0] >= 0).all()
    assert (model.fit(np.ones((3, 4))).recommend(0, 3)[0] == -1).all()
    assert model.fit(known_entries(D)).recommend(0, 1)[0] == -1          # rows say what they hold


def test_who_has_nothing_is_shown_nothing_but_what_is_popular():
    A = np.array([[np.nan] * 4, [1, 1, np.nan, np.nan], [np.nan, 1, 1, np.nan]])
    items, scores = ItemCosine().fit(A).recommend([0, 1], 2)
    assert items.tolist() == [[-1, -1], [2, 3]] and (scores[0] == -np.inf).all()
    assert ItemCosine().fit(A).recommend(0, 3, exclude_seen=False)[0].tolist() == [-1] * 3
    assert Popularity().fit(A).recommend(0, 2)[0].tolist() == [1, 0]


@each_recommender
def test_users_come_in_any_container(model):
    expected = model.fit(known(6, 5, 0)).recommend([4, 1], 2)
    for users in (iter([4, 1]), np.array([4, 1], object), (u for u in (4, 1)), np.array([4, 1], np.uint8), (4, 1)):
        np.testing.assert_array_equal(model.recommend(users, 2), expected)
    for users in (np.int64(4), np.array(4)):
        assert model.recommend(users, 2)[0].tolist() == expected[0][0].tolist()
    for users in ("anna", ["anna"], np.array(["anna"], object), [None]):
        with pytest.raises(ValueError, match="users: expected whole numbers .* number such names from 0, e.g. by np.u"):
            model.recommend(users)


def test_by_hand():
    A = [[1, 1, np.nan, np.nan], [2, np.nan, 2, np.nan], [np.nan, 0, np.nan, np.nan]]
    expected = np.array([[0, 1, 2, 0], [1, 0, 0, 0], [2, 0, 0, 0], [0] * 4]) / 5**0.5
    np.testing.assert_allclose(item_cosine(A), expected, rtol=4 * EPS)
    model = ItemCosine().fit(A)
    assert model.recommend([0, 1, 2], n=2)[0].tolist() == [[2, 3], [1, 3], [0, 2]]
    assert model.recommend(0, n=3)[0].tolist() == [2, 3, -1] and model.recommend(0, n=3)[0].dtype == np.int32
    assert Popularity().fit(A).recommend([0, 2], n=3, exclude_seen=False)[0].tolist() == [[0, 1, 2], [0, 1, 2]]


@each_recommender
def test_blocks_and_threads_change_nothing(model, monkeypatch):
    A = known(23, 19, 0)
    expected = model.fit(A).recommend(np.arange(23), 5)
    for block, threads in ((40, "1"), (10**6, "2"), (1, "2")):
        monkeypatch.setattr(item_neighbors, "BLOCK", block)
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        np.testing.assert_array_equal(model.fit(A).recommend(np.arange(23), 5), expected)


# --- bad input

BAD = [
    (np.zeros(3), r"matrix: expected a matrix"), ([[1, np.inf]], "matrix: .*infinity"), (np.zeros((0, 3)), "matrix"),
    (Rows(np.array([0, 2]), np.array([1, 1]), np.ones(2), (1, 3)), "row 0 has column 1 twice"),
    (Rows(np.array([0, 1]), np.array([3]), np.ones(1), (1, 3)), "expected 0 ... 2, got 3"),
]


@pytest.mark.parametrize("bad, message", BAD)
@pytest.mark.parametrize("f", [popularity, item_cosine, lambda A: nearest_items(A, 1), *(m.fit for m in RECOMMENDERS)])
def test_bad_matrices(f, bad, message):
    with pytest.raises(ValueError, match=message):
        f(bad)


@pytest.mark.parametrize("f", [item_cosine, ItemCosine().fit])
def test_products_that_overflow(f):
    with pytest.raises(ValueError, match="matrix.*scale the data"):
        f([[1e200, 1e200]])


@each_recommender
@pytest.mark.parametrize("users, n, message", [
    ([0, 3], 1, "users: expected 0 ... 2, got 3 at 1"), (-1, 1, "users: expected 0 ... 2, got -1"),
    ([0.5], 1, "users: expected whole numbers"), (0, 5, "n=5: there are only 4 items"), (0, 0, "n=0"),
    (0, 1.5, "n=1.5"),
])
def test_bad_questions(model, users, n, message):
    model.fit(known(3, 4, 0))
    with pytest.raises(ValueError, match=message):
        model.recommend(users, n)


def test_before_fit_and_bad_parameters():
    with pytest.raises(ValueError, match="not fitted yet"):
        ItemCosine().recommend(0)
    with pytest.raises(ValueError, match="n_neighbors=0"):
        ItemCosine(0).fit(known(3, 4, 0))
    with pytest.raises(ValueError, match="n=0"):
        nearest_items(known(3, 4, 0), 0)
