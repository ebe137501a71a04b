"""Diversity, calibration and serendipity of lists against their definitions, and what must hold for any list."""
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.core.sparse import known_entries, sparse_rows
from scratchml.metrics import category_shares, intra_list_diversity, miscalibration, serendipity
from tests.reference import diversity as reference
from tests.strategies.diversity import KINDS, categories, features, seeds, shelves
from tests.strategies.ranking import judgements, lists, wanted


@given(judgements(), seeds, KINDS, st.integers(1, 5))
def test_diversity_is_the_mean_over_pairs(drawn, seed, kind, D):
    R, T, k = drawn
    assume(((R[:, :k] >= 0).sum(axis=1) > 1).any())
    X = features(T.shape[1], D, seed, kind)
    scale = np.abs(X).max(initial=0) or 1.0              # the literal sum of squares overflows
    expected = reference.intra_list_diversity(R.tolist(), (X / scale).tolist(), k)
    np.testing.assert_allclose(intra_list_diversity(R, X, k), expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(intra_list_diversity(R, sparse_rows(X), k), expected, rtol=0, atol=1e-14)


@given(shelves())
def test_shares_and_calibration_add_up_categories(drawn):
    R, T, G, k = drawn
    np.testing.assert_allclose(category_shares(known_entries(T), G), reference.category_shares(T, G), rtol=1e-13,
                               atol=0)
    np.testing.assert_allclose(miscalibration(R, known_entries(T), G, k), reference.miscalibration(R.tolist(), T, G, k),
                               rtol=1e-12, atol=1e-15)


@given(judgements(), seeds)
def test_serendipity_is_of_hits_that_popularity_puts_lower(drawn, seed):
    R, T, k = drawn
    A = wanted(9, T.shape[1], seed)
    expected = reference.serendipity(R.tolist(), T, A, k)
    np.testing.assert_allclose(serendipity(R, known_entries(T), known_entries(A), k), expected, rtol=1e-13, atol=0)


# --- what holds for any list

def test_by_hand():
    X = np.array([[1.0, 0], [1, 0], [0, 2], [0, 0], [3, 3]])
    assert intra_list_diversity([[0, 1]], X) == 0 and intra_list_diversity([[0, 2], [4, -1]], X) == 1
    assert intra_list_diversity([[0, 3]], X) == 1        # what has no features is like nothing
    assert intra_list_diversity([[0, 4]], X) == pytest.approx(1 - 0.5**0.5, rel=1e-14)
    G = np.array([[1.0, 0], [0, 1], [0, 1]])
    assert category_shares([[0, 1], []], G).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert miscalibration([[1, 0]], [[0, 2]], G) == 0    # one of each in both
    assert miscalibration([[0, 1]], [[2]], G, k=1) == pytest.approx(np.log(100), rel=1e-13)
    # 0 and 1 are popular; the hit on item 2 stands first, where popularity has it third
    assert serendipity([[2, 0, 1]], [[2, 0]], [[0, 1], [0, 1], [0, 2]]) == (3 - 1) / (3 * 3)
    assert serendipity([[0, 1, 2]], [[2, 0]], [[0, 1], [0, 1], [0, 2]]) == 0


@given(shelves())
def test_only_a_list_in_proportion_is_not_off(drawn):
    R, T, G, k = drawn
    rows, off = known_entries(T), miscalibration(R, known_entries(T), G, k)
    assert -1e-15 <= off <= np.log(100) + 1e-9
    T, units = np.where(np.isnan(T).all(axis=1)[:, None], 1, T), 2.0 ** np.arange(-3, len(R) - 3)[:, None]
    off = miscalibration(R, known_entries(T), G + 0.1, k)                # everybody has shares of his own
    assert miscalibration(R, known_entries(T * units), G + 0.1, k) == pytest.approx(off, rel=1e-12)
    everything = np.arange(T.shape[1])[None]
    assert abs(miscalibration(everything, np.ones((1, T.shape[1])) > 0, G)) < 1e-14
    assert (category_shares(rows, G) >= 0).all()
    np.testing.assert_allclose(category_shares(rows, G).sum(axis=1), 1, rtol=1e-13)


@given(seeds, st.integers(2, 6), st.integers(1, 4))
def test_the_order_of_a_list_and_the_length_of_features_mean_nothing_to_diversity(seed, M, D):
    rng = np.random.default_rng(seed)
    X, R = rng.normal(size=(M, D)), lists(4, M, M, seed, cut=False)
    found = intra_list_diversity(R, X)
    assert intra_list_diversity(R[:, ::-1].copy(), X * rng.uniform(0.5, 9, (M, 1))) == pytest.approx(found, abs=1e-14)
    assert -1e-14 <= found <= 2
    assert intra_list_diversity(R, np.eye(M)) == 1
    assert intra_list_diversity(R, np.ones((M, D))) == pytest.approx(0, abs=1e-14)


def test_many_lists_are_as_one_is(monkeypatch):
    R, X = lists(600, 40, 8, 0), features(40, 5, 1)
    R = R[(R >= 0).sum(axis=1) > 1]
    each = [intra_list_diversity([row[row >= 0].tolist()], X) for row in R]
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        assert intra_list_diversity(R, X) == pytest.approx(np.mean(each), rel=1e-13)


# --- bad input

@pytest.mark.parametrize("call, message", [
    (lambda: intra_list_diversity([[0]], np.eye(2)), "at least two items, got none"),
    (lambda: intra_list_diversity([[0, 2]], np.eye(2)), "items below 2, got 2"),
    (lambda: intra_list_diversity([[0, 1]], [[1.0], [np.nan]]), "features: Input contains NaN"),
    (lambda: intra_list_diversity([[0, 1]], ["a", "b"]), "features: "),
    (lambda: category_shares([[0, 3]], np.eye(3)), "interactions: expected items below 3, got 3"),
    (lambda: category_shares([[0]], [[-1.0, 2]]), "categories: expected numbers of at least 0, got -1.0 for item 0"),
    (lambda: category_shares([[0]], [[0.0, 0]]), "nothing that users have had has a category"),
    (lambda: category_shares(known_entries([[1.0, -2]]), np.eye(2)),
     "interactions: expected values of at least 0, got -2"),
    (lambda: miscalibration([[0]], [[0], [1]], np.eye(2)), "same number of users, got 1 and 2"),
    (lambda: miscalibration([[0]], [[0]], np.eye(2), alpha=0), "alpha=0: expected a number between 0 and 1"),
    (lambda: miscalibration([[-1]], [[0]], np.eye(2)), "at least one item with a category"),
    (lambda: serendipity([[3]], [[0]], [[0, 1]], n_items=3), "items below 3, got 3"),
    (lambda: serendipity([[0]], [[]], [[0, 1]]), "nothing is relevant for any user"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_values_at_the_ends_of_the_range():
    G = categories(5, 3, 0)
    A = known_entries([[1e308, np.nan, 1.7e308, np.nan, np.nan], [np.nan, 1e-300, 1e-300, np.nan, np.nan]])
    assert np.isfinite(category_shares(A, np.ones((5, 1)))).all() and np.isfinite(category_shares(A, G)).all()
    assert intra_list_diversity([[0, 1]],
                                np.float32([[1e30, 0], [1e30, 1e30]])) == pytest.approx(1 - 0.5**0.5, rel=1e-7)
