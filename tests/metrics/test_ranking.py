"""Scores of ranked lists against their definitions, place by place, and against what must hold for any list."""
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.core.sparse import Rows, known_entries
from scratchml.metrics import (
    auc, average_precision_at_k, catalogue_coverage, hit_rate_at_k, hits, ndcg_at_k, novelty, precision_at_k,
    recall_at_k, reciprocal_rank_at_k, top_k)
from tests.reference import ranking as reference
from tests.strategies.ranking import judgements, lists, seeds, wanted

EPS = np.finfo(float).eps
MEANS = [precision_at_k, recall_at_k, hit_rate_at_k, average_precision_at_k, reciprocal_rank_at_k, ndcg_at_k]
each_mean = pytest.mark.parametrize("f", MEANS)
CLOSE = dict(rtol=40 * EPS, atol=0)                      # sums of at most 7 terms, a mean of 6 users, all of one sign


def as_sets(T):
    return [np.flatnonzero(~np.isnan(row)) for row in T]


# --- against the definitions

@given(seeds, st.integers(1, 5), st.integers(1, 7), st.data())
def test_top_k_is_the_order_of_scores_and_then_of_numbers(seed, U, M, data):
    S = np.random.default_rng(seed).choice([-np.inf, -1.0, 0.0, 0.5, 1e300, np.inf], size=(U, M))
    k = data.draw(st.integers(1, M))
    assert top_k(S, k).tolist() == reference.top_k(S, k)


@given(judgements())
def test_hits_are_items_that_are_wanted(drawn):
    R, T, k = drawn
    assert hits(R, known_entries(T), k).tolist() == reference.hits(R.tolist(), T, k)


@given(judgements())
def test_precision_recall_and_hit_rate_count_hits(drawn):
    R, T, k = drawn
    given_as = known_entries(T), k
    np.testing.assert_allclose(precision_at_k(R, *given_as), reference.precision_at_k(R.tolist(), T, k), **CLOSE)
    np.testing.assert_allclose(recall_at_k(R, *given_as), reference.recall_at_k(R.tolist(), T, k), **CLOSE)
    np.testing.assert_allclose(hit_rate_at_k(R, *given_as), reference.hit_rate_at_k(R.tolist(), T, k), **CLOSE)


@given(judgements())
def test_average_precision_and_reciprocal_rank_look_at_places(drawn):
    R, T, k = drawn
    expected = reference.average_precision_at_k(R.tolist(), T, k)
    np.testing.assert_allclose(average_precision_at_k(R, known_entries(T), k), expected, **CLOSE)
    expected = reference.reciprocal_rank_at_k(R.tolist(), T, k)
    np.testing.assert_allclose(reciprocal_rank_at_k(R, known_entries(T), k), expected, **CLOSE)


@given(judgements())
def test_ndcg_compares_with_the_best_of_all_orders(drawn):
    R, T, k = drawn
    T[np.cumsum(~np.isnan(T), axis=1) > 5] = np.nan      # at most 120 permutations
    rows = known_entries(T)
    np.testing.assert_allclose(ndcg_at_k(R, rows, k), reference.ndcg_at_k(R.tolist(), T, k), **CLOSE)
    np.testing.assert_allclose(ndcg_at_k(R, rows, k, graded=True), reference.ndcg_at_k(R.tolist(), T, k, True), **CLOSE)


@given(judgements(), seeds)
def test_coverage_and_novelty_look_at_the_catalogue(drawn, seed):
    R, T, k = drawn
    assert catalogue_coverage(R, T.shape[1], k) == reference.catalogue_coverage(R.tolist(), T.shape[1], k)
    assume((R[:, :k] >= 0).any())
    A = wanted(9, T.shape[1], seed)
    expected = reference.novelty(R.tolist(), A, k)
    np.testing.assert_allclose(novelty(R, known_entries(A), k), expected, rtol=1e-13, atol=1e-15)


@given(judgements(), seeds, st.integers(0, 3))
def test_auc_is_how_often_the_wanted_is_placed_above(drawn, seed, more):
    _, T, _ = drawn
    T = np.column_stack([T, np.full((len(T), more), np.nan)])
    rng = np.random.default_rng(seed)
    S, A = rng.choice([-np.inf, -1.0, 0.0, 0.5, 1e300], size=T.shape), wanted(*T.shape, seed)
    rows = known_entries(T)
    for known, their in ((np.full_like(T, np.nan), None), (A, known_entries(A))):
        assume((np.isnan(T) & np.isnan(known) & ~np.isnan(T).all(axis=1)[:, None]).any())
        found = auc(S, rows, their)
        np.testing.assert_allclose(found, reference.auc(S.tolist(), T, known), **CLOSE)
        np.testing.assert_allclose(auc(-S, rows, their), 1 - found, atol=1e-14)
        assert auc(np.where(np.isnan(T), S, np.inf), rows, their) == 1 and auc(np.zeros_like(S), rows, their) == 0.5
        np.testing.assert_allclose(auc(np.arctan(S / 2), rows, their), found, **CLOSE)


def test_auc_of_one_user():
    assert auc([0.9, 0.1, 0.5, 0.5], [0, 2]) == (2 + 1.5) / 4 and auc([0.9, 0.1, 0.5], [0], [1]) == 1
    assert auc(np.float32([[1, 2], [3, 3]]), [[0], [1]], per_user=True).tolist() == [0, 0.5]
    # who wants all cannot be judged
    assert auc([[1, 2], [3, 4]], [[0], [0, 1]], per_user=True).tolist() == [0]


@each_mean
@given(judgements(), st.data())
def test_several_places_at_once(f, drawn, data):
    R, T, _ = drawn
    ks, rows = data.draw(st.lists(st.integers(1, R.shape[1]), min_size=1, max_size=3)), known_entries(T)
    for several in (ks, np.array(ks), iter(ks)):
        assert f(R, rows, several).tolist() == [f(R, rows, k) for k in ks]
    each = f(iter(R.tolist()), rows, ks, per_user=True)
    np.testing.assert_array_equal(each, [f(R, rows, k, per_user=True) for k in ks])


# --- by hand

LISTS, WANTED = [[4, 2, 0, 5], [1, 3, 2, 6], [0, 1, 2, 3]], [[0, 2], [1], []]


@pytest.mark.parametrize("f, k, each", [
    (precision_at_k, 1, [0, 1]), (precision_at_k, 3, [2 / 3, 1 / 3]), (recall_at_k, 2, [1 / 2, 1]),
    (hit_rate_at_k, 1, [0, 1]), (hit_rate_at_k, 2, [1, 1]), (reciprocal_rank_at_k, 4, [1 / 2, 1]),
    (reciprocal_rank_at_k, 1, [0, 1]), (average_precision_at_k, 1, [0, 1]),
    (average_precision_at_k, 4, [(1 / 2 + 2 / 3) / 2, 1]),
    (ndcg_at_k, 3, [(1 / np.log2(3) + 1 / 2) / (1 + 1 / np.log2(3)), 1]),
])
def test_by_hand(f, k, each):
    np.testing.assert_allclose(f(LISTS, WANTED, k, per_user=True), each, rtol=4 * EPS)
    np.testing.assert_allclose(f(LISTS, WANTED, k), np.mean(each), rtol=4 * EPS)
    for u in (0, 1):
        np.testing.assert_allclose(f(LISTS[u], set(WANTED[u]), k), each[u], rtol=4 * EPS)


def test_graded_by_hand():
    T = known_entries([[3.0, np.nan, 1, 2]])
    found = ndcg_at_k([2, 1, 0], T, graded=True)
    np.testing.assert_allclose(found, (1 + 3 / 2) / (3 + 2 / np.log2(3) + 1 / 2), rtol=4 * EPS)
    assert ndcg_at_k([[0, 3, 2]], T, graded=True) == 1 and ndcg_at_k([[3, 0, 2]], T) == 1


def test_novelty_and_coverage_by_hand():
    have = [[0, 1], [0, 2], [0], [0]]
    assert novelty([[0, 1], [0, -1]], have) == (0 + 2 + 0) / 3
    assert novelty([0], have) == 0 and novelty([3], have) == np.inf
    assert catalogue_coverage([[0, 1], [0, -1], [5, 0]], 8) == 3 / 8 and catalogue_coverage([[-1]], 8) == 0
    assert catalogue_coverage([[0, 1], [2, 3]], 8, k=1) == 2 / 8


def test_of_equal_scores_the_lower_number_comes_first():
    assert top_k([[1, 2, 2, 0, 2], [0, 0, 0, 0, 0]], 3).tolist() == [[1, 2, 4], [0, 1, 2]]
    assert top_k(np.float32([[-np.inf, 3, -np.inf]]), 2).tolist() == [[1, -1]]
    assert top_k(np.array([[0, 255]], np.uint8), 2).tolist() == [[1, 0]]


# --- what holds for any list

@each_mean
@given(judgements())
def test_from_nothing_to_one(f, drawn):
    R, T, k = drawn
    each = f(R, known_entries(T), k, per_user=True)
    assert each.shape == (sum(map(bool, reference.wanted(T))),)
    assert (0 <= each).all() and (each <= 1 + 4 * EPS).all()
    best = np.argsort(np.isnan(T), axis=1, kind="stable")[:, :k]
    if f not in (precision_at_k, recall_at_k):
        np.testing.assert_allclose(f(best, known_entries(T), k), 1, rtol=4 * EPS)
    assert f(best, known_entries(T), k) >= f(R, known_entries(T), k) * (1 - 40 * EPS)
    assert f(np.full_like(R, -1), known_entries(T), k) == 0


@each_mean
@given(judgements())
def test_collections_of_every_kind_say_the_same(f, drawn):
    R, T, k = drawn
    expected = f(R, known_entries(T), k)
    ragged = [row[row >= 0].tolist() for row in R]
    longest = max(map(len, ragged))
    for found in (f(R, as_sets(T), k), f(R, [set(items.tolist()) for items in as_sets(T)], k),
                  f(R, [np.repeat(items, 2) for items in as_sets(T)], k), f(np.asfortranarray(R), as_sets(T), k),
                  *([f(ragged, as_sets(T), k)] if longest >= k else [])):
        assert found == expected


@each_mean
@given(judgements(), seeds)
def test_numbers_of_items_and_the_order_of_users_mean_nothing(f, drawn, seed):
    R, T, k = drawn
    rng = np.random.default_rng(seed)
    number, order = rng.permutation(T.shape[1]), rng.permutation(len(R))
    renumbered = np.full_like(T, np.nan)
    renumbered[:, number] = T
    again = f(np.where(R >= 0, number[R], -1)[order], known_entries(renumbered[order]), k)
    np.testing.assert_allclose(again, f(R, known_entries(T), k), **CLOSE)


@given(st.integers(2, 9), seeds)
def test_a_hit_that_moves_up_helps_where_places_count(L, seed):
    rng = np.random.default_rng(seed)
    R, place = rng.permutation(L), rng.integers(L - 1)
    relevant = set(rng.permutation(L)[:L // 2].tolist()) - {int(R[place])} | {int(R[place + 1])}
    better = R.copy()
    better[[place, place + 1]] = R[[place + 1, place]]
    for f in (average_precision_at_k, ndcg_at_k):
        assert f(better, relevant) > f(R, relevant)
    for f in (precision_at_k, recall_at_k, hit_rate_at_k):
        assert f(better, relevant) == f(R, relevant)
    first = reciprocal_rank_at_k(R, relevant)
    assert reciprocal_rank_at_k(better, relevant) == (1 / (place + 1) if first == 1 / (place + 2) else first)


@given(judgements(), st.sampled_from([1e-300, 1e-8, 1e300]))
def test_the_unit_of_gains_does_not_matter(drawn, unit):
    R, T, k = drawn
    expected = ndcg_at_k(R, known_entries(T), k, graded=True)
    np.testing.assert_allclose(ndcg_at_k(R, known_entries(T * unit), k, graded=True), expected, rtol=1e-13)


def test_users_without_gains_do_not_count():
    T = known_entries([[0.0, np.nan], [2, 1]])
    assert ndcg_at_k([[0, 1], [1, 0]], T, graded=True, per_user=True).shape == (1,)
    assert recall_at_k([[0, 1], [1, 0]], T, per_user=True).tolist() == [1, 1]


def test_many_users_are_judged_as_one_is():
    R, T = lists(300, 50, 10, 0), wanted(300, 50, 1)
    for f in MEANS:
        alone = [f(r, items, 7) for r, items in zip(R, as_sets(T)) if items.size]
        np.testing.assert_allclose(f(R, known_entries(T), 7, per_user=True), alone, **CLOSE)


# --- bad input

@each_mean
@pytest.mark.parametrize("R, T, k, message", [
    ([[0, 1]], [[0], [1]], None, "same number of users, got 1 and 2"),
    ([[0, 1]], [[]], None, "nothing is relevant for any user"),
    ([[0, 1]], [[0]], 3, "k=3: there are only 2 places in the lists"),
    ([[0, 1]], [[0]], 0, "k=0"),
    ([[0, 1], [2, 2]], [[0], [0]], None, "the list of user 1 has item 2 twice"),
    ([[0, 1], [-2, 2]], [[0], [0]], None, "got -2 for user 1"),
    ([[0, 1], [2, -1], [3, -1, 4]], [[0]] * 3, None, "-1 only after the end .* an item after it for user 2"),
    ({0: [1]}, [[0]], None, "recommended: expected lists or arrays of item numbers, got dict"),
    (None, [[0]], None, "recommended: expected lists or arrays of item numbers, got NoneType"),
    (np.array(3), [[0]], None, "recommended: expected lists or arrays of item numbers, got ndarray"),
    ([[0]], {0: [1]}, None, "relevant: expected lists or arrays of item numbers, got dict"),
    ([[0]], [{0: 1.0}], None, "relevant: expected lists or arrays of item numbers, got dict"),
    ([[0]], None, None, "relevant: expected lists or arrays of item numbers, got NoneType"),
    ([[0], [1]], [[0], None], None, "relevant: expected lists or arrays of item numbers, got NoneType"),
    ([0], np.array(3), None, "relevant: expected lists or arrays of item numbers, got ndarray"),
    ([[0, 1], [2, 3]], [[0], [-1]], None, "relevant: expected items from 0, got -1 for user 1"),
    ([[0.5, 1]], [[0]], None, "recommended: expected whole numbers"),
    ([[0, 1]], [["a"]], None, "relevant: expected whole numbers"),
    ([], [[0]], None, "recommended: expected the list of at least one user"),
    ([[0, 1]], [], None, "relevant: expected a collection"),
    ([[0, 9]], Rows(np.array([0, 1]), np.array([0]), np.ones(1), (1, 9)), None, "items below 9, got 9 for user 0"),
    ([[0, 2**31]], [[0]], None, r"below 2\*\*31"),
    ([[]], [[0]], 1, "k=1: there are only 0 places"),
    ([[]], [[0]], None, "at least one place"),
])
def test_bad_lists(f, R, T, k, message):
    with pytest.raises(ValueError, match=message):
        f(R, T, k)


# --- dense matrices of what is wanted, and other containers

BINARY = np.array([[0, 1, 1, 0], [1, 0, 0, 0]])
SHOWN = top_k([[.1, .9, .8, .2], [.7, .1, .2, .3]], 2)


@pytest.mark.parametrize("f, right", [(precision_at_k, 0.75), (recall_at_k, 1.0), (ndcg_at_k, 1.0),
                                      (hit_rate_at_k, 1.0), (average_precision_at_k, 1.0), (reciprocal_rank_at_k, 1.0)])
@pytest.mark.parametrize("kind", [np.asarray, np.float32, bool, np.uint8, np.asfortranarray, np.ndarray.tolist,
                                  lambda T: T.astype(object), lambda T: np.where(T, 1.0, np.nan),
                                  lambda T: tuple(T.tolist()),
                                  lambda T: T.astype(bool).tolist(), lambda T: iter(T.tolist())])
def test_a_matrix_of_0_and_1_is_a_matrix(f, right, kind):
    T = BINARY.astype(kind) if isinstance(kind, type) else kind(BINARY)
    assert f(SHOWN, T) == pytest.approx(right, rel=1e-15)


@given(judgements())
def test_dense_and_sparse_say_the_same(drawn):
    R, T, k = drawn
    given = ~np.isnan(T)
    expected = hits(R, known_entries(T), k)
    np.testing.assert_array_equal(hits(R, given, k), expected)
    if T.shape[1] > 2:
        np.testing.assert_array_equal(hits(R, given.astype(int), k), expected)
        np.testing.assert_array_equal(hits(R, given.astype(float).tolist(), k), expected)
    values = np.nan_to_num(T)
    assert ndcg_at_k(R, T, k, graded=True) == ndcg_at_k(R, values, k, graded=True) == \
        ndcg_at_k(R, known_entries(T), k, graded=True)
    np.testing.assert_array_equal(hits(R, T + 0.5, k), expected)         # ratings that no item number can be


def test_novelty_reads_a_matrix_too():
    assert novelty([[0], [1]], BINARY) == novelty([[0], [1]], known_entries(np.where(BINARY, 1.0, np.nan))) == 1.0
    assert novelty([[2**31 - 2]], [[2**31 - 2], [5]]) == 1.0              # no array of that length is made


@pytest.mark.parametrize("f", MEANS)
@pytest.mark.parametrize("T", [np.array([[0, 1], [1, 0]]), np.array([[3, 0, 0], [0, 2, 5]]), np.array([[3, 3], [1, 2]]),
                               np.array([[3.0, 5.0], [1.0, 2.0]]), np.array([[2.0, np.nan], [1.0, 0.0]])])
def test_what_may_be_lists_or_a_matrix_is_refused(f, T):
    with pytest.raises(ValueError,
                       match=r"relevant: this array of shape .* pass relevant.tolist\(\) for lists, scipy.sparse"):
        f([[0, 1], [1, 0]], T)


def test_arrays_of_item_numbers_are_lists_still():
    assert recall_at_k([[2, 3], [0, 1]], np.array([[2, 1], [3, 0]])) == 0.5
    assert recall_at_k([[2, 3], [0, 1]], np.array([[1], [1]])) == 0.5    # one each: held out, say
    assert recall_at_k([[0, 2], [2, 1]], np.array([[0, 1], [1, 0]])) == 0.5     # item 2 is beyond two columns
    assert recall_at_k([[0, 1], [1, 0]], [[0, 1], [1, 0]]) == 1.0
    assert recall_at_k([[2, 3]], [np.array([0, 0, 1, 1])]) == 0.0


def test_one_user_may_have_a_row():
    for row in ([0, 1, 1, 0], np.array([0, 1, 1, 0]), np.array([0, 1, 1, 0], bool), [False, True, True, False]):
        assert recall_at_k([1, 3], row) == 0.5
    assert recall_at_k([1, 3], [1, 0]) == 0.5 and recall_at_k([1, 3], np.array([1, 2, 5])) == pytest.approx(1 / 3)


class Series:
    """Values that are found by labels, as a Series of pandas has them."""

    def __init__(self, values, index):
        self.array, self.index = np.asarray(values), list(index)
        self.ndim, self.dtype, self.size, self.shape = 1, self.array.dtype, self.array.size, self.array.shape

    def __array__(self, dtype=None, copy=None):
        return self.array

    def __len__(self):
        return self.size

    def __iter__(self):
        return iter(self.array.tolist())

    def __getitem__(self, label):
        return self.array[self.index.index(label)]


def objects(parts):
    return np.fromiter(parts, object, len(parts))


@each_mean
def test_lists_come_in_any_container(f):
    R, T = [[4, 2, 0], [1, 3, 2]], [[2, 7], [1, 2, 0]]
    expected = f(R, T)
    for lists in (iter(R), np.array(R, object), objects(R), Series(objects(R), [7, 3]), [Series(r, "cab") for r in R],
                  map(iter, R), tuple(map(tuple, R))):
        assert f(lists, T) == expected
    for wanted in (iter(T), objects(T), Series(objects(T), [7, 3]), map(iter, T),
                   [Series(t, range(5, 5 + len(t))) for t in T],
                   objects([np.array(t, object) for t in T]), {0: T[0], 1: T[1]}.values(), [frozenset(t) for t in T]):
        assert f(R, wanted) == expected
    one = f(R[:1], T[:1])
    assert one == f(R[0], T[0]) == f(Series(R[0], "xyz"), Series(T[0], "xy")) == f(objects(R[0]), objects(T[0])) == \
        f(iter(R[0]), iter(T[0]))


@each_mean
@pytest.mark.parametrize("R, T, name", [
    ([["tea", "milk"]], [["tea"]], "recommended"), (["tea", "milk"], ["tea"], "recommended"),
    ([[0, 1]], [["tea"]], "relevant"),
    (np.array([["tea", "milk"]]), [["tea"]], "recommended"), ([[0, 1]], np.array([["tea", "jam"]], object), "relevant"),
    ([[0, 1]], [[0, None]], "relevant"), (np.array([[0, None]], object), [[0]], "recommended"),
])
def test_names_are_to_be_numbered(f, R, T, name):
    with pytest.raises(ValueError, match=rf"{name}: expected whole numbers .* from 0, e.g. by np.unique\({name}"):
        f(R, T)


@pytest.mark.parametrize("S, k, message", [
    ([1.0, 2], 1, r"scores: expected a matrix \(U, M\), got shape \(2,\)"),
    ([[1, 2], [np.nan, 0]], 1, "scores: contains NaN, first for user 1"),
    ([[1, 2]], 3, "k=3: there are only 2 items"), ([[1, 2]], 1.5, "k=1.5"),
])
def test_bad_scores(S, k, message):
    with pytest.raises(ValueError, match=message):
        top_k(S, k)


@pytest.mark.parametrize("call, message", [
    (lambda: auc([[1, np.nan]], [[0]]), "without NaN"), (lambda: auc([], []), r"expected a matrix \(U, M\)"),
    (lambda: auc([[1, 2]], [[0], [1]]), "scores and relevant: expected the same number of users, got 1 and 2"),
    (lambda: auc([[1, 2]], [[2]]), "relevant: expected items below 2, got 2"),
    (lambda: auc([[1, 2]], [[0]], [[1, 5]]), "known: expected items below 2, got 5"),
    (lambda: auc([[1, 2]], [[0, 1]]), "nothing is relevant for any user"),
    (lambda: recall_at_k([[0, 1]], [[0]], []), r"k=\[\]: expected at least one number of places"),
    (lambda: recall_at_k([[0, 1]], [[0]], {1, 2}), "k={1, 2}: expected at least one number of places, or a list"),
    (lambda: recall_at_k([[0, 1]], [[0]], [1, 3]), "k=3: there are only 2 places"),
    (lambda: recall_at_k([[0, 1]], [[0]], "10"), "k='10': expected a whole number"),
    (lambda: recall_at_k([[0, 1]], [[0]], [1, 0]), "k=0: expected a whole number"),
])
def test_bad_scores_and_places(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bad_gains_and_catalogues():
    with pytest.raises(ValueError, match="graded: expected relevant to be Rows or a sparse matrix"):
        ndcg_at_k([[0]], [[0]], graded=True)
    with pytest.raises(ValueError, match="gains of at least 0, got -1.0 for user 1"):
        ndcg_at_k([[0], [1]], known_entries([[1.0, 2], [3, -1]]), graded=True)
    with pytest.raises(ValueError, match="nothing is relevant"):
        ndcg_at_k([[0]], known_entries([[0.0]]), graded=True)
    with pytest.raises(ValueError, match="items below 3, got 3 for user 1"):
        catalogue_coverage([[0], [3]], 3)
    with pytest.raises(ValueError, match="only empty lists"):
        novelty([[-1]], [[0]])
    with pytest.raises(ValueError, match="items below 1, got 1"):
        novelty([[1]], known_entries([[0.0]]))


def test_what_is_masked_is_neither_shown_nor_wanted():
    hidden, shown = np.ma.masked_array([[0, 1, 1, 0]], mask=[[0, 0, 1, 0]]), [[2, 1]]
    for pair in ((shown, hidden), (np.ma.masked_array([[2, 1]], mask=[[1, 0]]), [[1]]), (shown, [hidden[0]])):
        with pytest.raises(ValueError, match="contains masked values"):
            recall_at_k(*pair)


def test_items_with_their_scores_are_taken_apart_first():
    items, scores = np.array([[2, 1], [0, 3]], np.int32), np.array([[0.5, 0.25], [0.5, -np.inf]])
    for both in ((items, scores), (items[0], scores[0].astype(np.float32))):
        with pytest.raises(ValueError,
                           match="recommended: got items and their scores, as recommend returns them; pass the first"):
            recall_at_k(both, [[1], [0]])
    assert recall_at_k((items[0], items[1]), [[1], [0]]) == recall_at_k(memoryview(items), [[1], [0]]) == 1.0


@pytest.mark.parametrize("flat", [False, True])
def test_items_that_no_index_can_hold_are_named(flat):
    shown, wanted = ([1, 2], [0, 2**31 - 1]) if flat else ([[1, 2]], [[0, 2**31 - 1]])
    with pytest.raises(ValueError, match=r"^relevant: expected items below 2\*\*31 - 1, got 2147483647 for user 0"):
        recall_at_k(shown, wanted)
    with pytest.raises(ValueError, match=r"^recommended: expected items below 2\*\*31 - 1, got 2147483647"):
        recall_at_k(wanted, shown)


def test_the_first_item_of_all_comes_once_like_any_other():
    with pytest.raises(ValueError, match="recommended: the list of user 1 has item 0 twice"):
        recall_at_k([[1, 2, 3], [0, 4, 0]], [[1], [0]])


def test_one_user_who_wants_nothing_and_one_who_has_had_some():
    with pytest.raises(ValueError, match="relevant: nothing is relevant for any user"):
        recall_at_k([1, 2], [])
    assert hits([1, 2], []).tolist() == [[False, False]]
    assert novelty([[1, 2]], [1, 2, 5]) == 0 and novelty([[1, 2]], [[1, 2], [1, 2, 5]]) == 0
    assert novelty([[0]], np.array([0, 5])) == 0         # the items of one user, and not what he has of each
