"""Edit distances and alignments, against the table filled cell by cell, and laws that a distance keeps."""
import os

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics import (edit_alignment, edit_alignments, edit_distance, edit_distances, error_rate, exact_match)
from scratchml.metrics.edit import ROWS, distance_table
from tests.reference import edit as reference
from tests.strategies.edit import edited, pairs

COMPILED = not os.environ.get("NUMBA_DISABLE_JIT")
some_pairs = st.lists(pairs(), min_size=1, max_size=6).filter(lambda drawn: any(a for a, _ in drawn))


# --- the definition

@given(pairs())
def test_every_equation_of_a_pair_is_its_definition(drawn):
    a, b = drawn
    np.testing.assert_array_equal(distance_table(a, b), reference.distance_table(a, b))
    assert edit_distance(a, b) == reference.edit_distance(a, b)
    np.testing.assert_array_equal(edit_alignment(a, b), reference.edit_alignment(a, b))


@given(some_pairs)
def test_every_equation_of_lists_is_its_definition(drawn):
    A, B = map(list, zip(*drawn))
    assert error_rate(A, B) == pytest.approx(reference.error_rate(A, B), rel=1e-14)
    assert exact_match(A, B) == pytest.approx(reference.exact_match(A, B), rel=1e-14)
    assert edit_distances(A, B).tolist() == [reference.edit_distance(a, b) for a, b in drawn]
    for P, (a, b) in zip(edit_alignments(A, B), drawn, strict=True):
        np.testing.assert_array_equal(P, reference.edit_alignment(a, b))


@pytest.mark.parametrize("I", [1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS, 2 * ROWS + 1])
@pytest.mark.parametrize("V", [2, 20])
def test_columns_of_several_words(I, V):
    """Where a word ends, what it knows goes over into the next: as long as one, as two, one more and one less."""
    rng = np.random.default_rng([I, V])
    a = rng.integers(V, size=I).tolist()
    for b in (edited(a, 12, rng, V), rng.integers(V, size=I + 3).tolist(), rng.integers(V, size=I // 2).tolist(), []):
        for a, b in ((a, b), (b, a)):
            d = edit_distance(a, b)
            assert d == distance_table(a, b)[-1, -1] and d == reference.edit_distance(a, b)
            np.testing.assert_array_equal(edit_alignment(a, b), reference.edit_alignment(a, b))


def test_examples_counted_by_hand():
    assert edit_distance("kitten", "sitting") == 3 and edit_distance("", "abc") == 3 and edit_distance("", "") == 0
    np.testing.assert_array_equal(edit_alignment("abc", "xb"), [[0, 0], [1, 1], [2, -1]])
    assert edit_alignment("", "").shape == (0, 2) and edit_alignment("", "ab").tolist() == [[-1, 0], [-1, 1]]
    said, heard = "the cat sat on the mat", "the cats at on mat"
    assert error_rate([said.split()], [heard.split()]) == 3 / 6 and error_rate([said], [heard]) == 6 / 22
    assert error_rate(["a"], ["bcd"]) == 3                # more may be wrong than there is to find
    assert exact_match(["ab", "c", ""], ["ab", "d", ""]) == 2 / 3


# --- laws

@given(pairs(12), pairs(12))
def test_it_is_a_metric(first, second):
    a, b, c = *first, second[0]
    assert edit_distance(a, b) == edit_distance(b, a) == edit_distance(a[::-1], b[::-1])
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))
    assert edit_distance(c + a + c, c + b + c) == edit_distance(a, b)


@given(pairs(12))
def test_operations_make_one_of_the_other_at_the_cost_of_the_distance(drawn):
    a, b = drawn
    made, cost, P = [], 0, edit_alignment(a, b)
    for i, j in P:
        assert i >= 0 or j >= 0
        made += [b[j]] if i < 0 or j >= 0 and a[i] != b[j] else [a[i]] if j >= 0 else []
        cost += i < 0 or j < 0 or a[i] != b[j]
    assert made == b and cost == edit_distance(a, b)
    assert P[P[:, 0] >= 0, 0].tolist() == list(range(len(a))) and P[P[:, 1] >= 0, 1].tolist() == list(range(len(b)))


@given(st.lists(pairs(), min_size=1, max_size=6), st.integers(0, 5))
def test_a_pair_does_not_see_the_others(drawn, n):
    A, B = map(list, zip(*drawn))
    n %= len(A)
    assert edit_distances(A, B)[n] == edit_distance(A[n], B[n])
    np.testing.assert_array_equal(edit_alignments(A, B)[n], edit_alignment(A[n], B[n]))


@pytest.mark.skipif(not COMPILED, reason="several chunks are too much for plain Python")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_many_pairs_in_chunks(threads, monkeypatch):
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
    rng = np.random.default_rng(0)
    A = ["".join(rng.choice(list("abc"), size=n)) for n in rng.integers(0, 90, size=3000)]
    B = A[1:] + ["bca"]
    D, P = edit_distances(A, B), edit_alignments(A, B)
    for n in range(0, 3000, 7):
        assert D[n] == distance_table(A[n], B[n])[-1, -1]
        np.testing.assert_array_equal(P[n], edit_alignment(A[n], B[n]))


@pytest.mark.skipif(not COMPILED, reason="too much for plain Python")
def test_long_sequences():
    rng = np.random.default_rng(0)
    a = rng.integers(4, size=3000).tolist()
    b = edited(a, 500, rng, 4)
    assert edit_distance(a, b) == distance_table(a, b)[-1, -1]
    P = edit_alignment(a, b)
    assert sum(i < 0 or j < 0 or a[i] != b[j] for i, j in P) == edit_distance(a, b)


# --- symbols of any kind, and containers

def test_symbols_are_the_same_as_keys_of_a_dict_are():
    assert edit_distance([1, "1", None, ("a", 2)], [1.0, 1, None, ("a", 2)]) == 1
    assert edit_distance(["<s>", "<pad>", "</s>"], ["<s>", "</s>"]) == 1
    assert edit_distance("ab", ["a", "b"]) == 0 and edit_distance(["ab"], ["a", "b"]) == 2
    assert edit_distance("a\U0010ffff\ud800", "\U0010ffffb") == 2 and edit_distance("é", "e\u0301") == 2
    assert edit_distance(range(5), (0, 1, 3, 4)) == 1


def test_containers():
    A, B = ["ab", "cd"], ["ab", "ce"]
    for true, found in ((np.array(A), tuple(B)), (iter(A), (list(b) for b in B)), (np.array(A, object), map(iter, B)),
                        (np.array([[0, 1], [2, 3]]), [(0, 1), [2, 4]]), (np.array([[0.5, 1], [2, 3]], np.float32),
                                                                         np.array([[0.5, 1], [2, 9]]))):
        assert edit_distances(true, found).tolist() == [0, 1]
    assert edit_distances([], []).shape == (0,) and edit_alignments([], []) == []
    a = np.arange(6)[::2]
    a.flags.writeable = False
    assert edit_distance(a, [0, 2, 5]) == 1 and type(edit_distance(a, a)) is int
    days = np.array(["2020-01-01", "2020-01-02"], "M8[D]")
    assert edit_distance(days, days[1:]) == 1


def test_what_pandas_makes():
    pd = pytest.importorskip("pandas")
    A, B = pd.Series(["ab", "cd"], index=[7, 8]), pd.Series(["ab", "ce"], index=[8, 7])
    assert edit_distances(A, B).tolist() == [0, 1] and edit_distance(pd.Series([3, 4], index=[7, 8]), [3, 5]) == 1
    zoned = pd.Series(pd.date_range("2020", periods=3, tz="Europe/Berlin"))
    assert edit_distance(zoned, zoned[1:]) == 1
    for wrong in (A.to_frame(), pd.Series(["ab", None]), pd.Series(["ab", pd.NA])):
        with pytest.raises(ValueError, match="true.*: expected a"):
            edit_distances(wrong, B)
    for missing in (pd.NA, pd.NaT, np.nan):
        with pytest.raises(ValueError, match="is not equal to itself"):
            edit_distance([missing], ["a"])


@pytest.mark.parametrize("f", [edit_distances, edit_alignments, error_rate, exact_match])
@pytest.mark.parametrize("true, found, message", [
    ("abc", ["abc"], "true: expected a list of sequences, got 'abc'; put a single one into a list"),
    (["abc"], "abc", "found: expected a list of sequences"), (3, [], "true: expected a list"),
    (["a"], None, "found: exp"),
    ([3], ["a"], r"true\[0\]: expected a string or a list of symbols, got 3"),
    (["a"], [{"a"}], r"found\[0\]: expected"),
    (["a"], [b"a"], r"found\[0\]: .* got bytes; decode"), ({"a": 1}, ["a"], "true: expected a list"),
    (["a"], ["a", "b"], "true has 1 sequences, found 2"), ([["a"]], [[["a"]]], "keys of a dict: unhashable"),
    ([[float("nan")]], ["a"], "nan is not equal to itself"),
    ([np.ma.masked_equal([1, 2], 2)], [[1, 2]], "contains masked values"),
    (np.ma.masked_equal([[1, 2]], 2), [[1, 2]], "contains masked values"),
])
def test_what_is_refused(f, true, found, message):
    with pytest.raises(ValueError, match=message):
        f(true, found)


@pytest.mark.parametrize("a, message", [
    (3, "a: expected a string or a list"), (None, "a: exp"), (b"a", "a: .* bytes"), ({"a": 1}, "a: exp"),
    ([[1]], "unhashable"), ([np.float32("nan")], "not equal to itself"), (np.zeros((2, 2)), "unhashable")])
@pytest.mark.parametrize("f", [edit_distance, edit_alignment, distance_table])
def test_what_is_no_sequence(f, a, message):
    with pytest.raises(ValueError, match=message):
        f(a, "b")
    with pytest.raises(ValueError, match="b: expected a string"):
        f("a", 3)


def test_nothing_to_judge():
    with pytest.raises(ValueError, match="at least one symbol, got none"):
        error_rate([""], ["ab"])
    with pytest.raises(ValueError, match="at least one sequence, got none"):
        exact_match([], [])
