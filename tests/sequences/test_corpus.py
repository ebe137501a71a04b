"""Tokens and labels as arrays: what CRFsuite would read, and what cannot be read."""
import numpy as np
import pytest

from scratchml.core.sparse import dense
from scratchml.sequences.corpus import Attributes, read_labels, read_tokens


def read(X):
    """(starts, {attribute: value} a token)"""
    attributes = Attributes()
    starts, rows = read_tokens(X, attributes, grow=True)
    names, table = list(attributes), dense(rows)
    assert rows.shape == (starts[-1], len(names)) and list(attributes.values()) == list(range(len(names)))
    return starts.tolist(), [{names[d]: row[d] for d in np.flatnonzero(row)} for row in table]


def test_a_token_is_read_as_crfsuite_reads_it():
    X = [[{"word": "Main", "length": 4, "title": True, "upper": False}], [{"word": "St", "share": 0.5}, {}]]
    assert read(X) == ([0, 1, 3], [{"word:Main": 1, "length": 4, "title": 1}, {"word:St": 1, "share": 0.5}, {}])


@pytest.mark.parametrize("token", [["a", "b", "a"], ("a", "b", "a")])
def test_lists_of_strings_count_what_they_name(token):
    assert read([[token, []]]) == ([0, 2], [{"a": 2, "b": 1}, {}])


def test_dicts_and_lists_may_be_mixed():
    assert read([[["a"], {"a": 3, "b": "c"}]]) == ([0, 2], [{"a": 1}, {"a": 3, "b:c": 1}])


def test_every_value_is_a_value_of_its_own():
    tokens = [{"x": v} for v in (1, 1.0, True, 2.5, -2.5, np.float32(0.25), np.int64(7), np.bool_(True), "1", 2.5)]
    assert read([tokens])[1] == [{"x": 1}] * 3 + [{"x": 2.5}, {"x": -2.5}, {"x": 0.25}, {"x": 7}, {"x": 1}, {"x:1": 1},
                                                  {"x": 2.5}]


def test_arrays_are_columns():
    starts, tokens = read([np.array([[1.0, 0], [0, 2]]), np.array([[0.0, 0]], np.float32)])
    assert (starts, tokens) == ([0, 2, 3], [{"0": 1}, {"1": 2}, {}])


@pytest.mark.parametrize("X", [[[["a", "z", "b"], ["z"]], [["b", "z", "z"]]],
                               [[{"a": 1, "z": 3.5, "b": 1.0}, {"z": "q"}], [{"b": True, "z": False}]]])
def test_what_is_new_is_left_out_later(X):
    attributes = Attributes(a=0, b=1)
    starts, rows = read_tokens(X, attributes, grow=False)
    assert dense(rows).tolist() == [[1, 1], [0, 0], [0, 1]] and dict(attributes) == {"a": 0, "b": 1}
    assert starts.tolist() == [0, 2, 3] and rows.indptr.tolist() == [0, 2, 2, 3]


def test_new_columns_of_arrays_are_left_out_later():
    _, rows = read_tokens([np.array([[5.0, 6, 7]])], Attributes({"2": 0, "0": 1}), grow=False)
    assert dense(rows).tolist() == [[7, 5]]


@pytest.mark.parametrize("X, message", [
    ([], "X: the corpus is empty"), ("abc", "X: expected a list of sequences, got str"), (5, "got int"),
    ([["a"], []], r"X\[1\]: the sequence is empty"), ([["a"]], r"X\[0\]\[0\]: expected a dict of features or a list .* got str"),
    ([[["a"], [1]]], r"X\[0\]\[1\]: 1 is not a string"), ([[{"a": None}]], r"X\[0\]\[0\]: feature 'a' is a NoneType"),
    ([[{"a": 1}], [{"a": 1}, {"a": np.nan}]], r"X\[1\]\[1\]: feature 'a' is nan; expected a finite number"),
    ([[{"a": np.inf}]], "is inf"), ([[{3: 1}]], "3 is not a string"), ([[{"a": [1]}]], r"X\[0\]\[0\]"),
    ([3, 4], "X: expected a list of sequences"), ([[{"a": {"b": 1}}]], r"X\[0\]\[0\]"),
    ([np.zeros((2, 2)), np.zeros((2, 3))], r"X\[1\]: 3 columns, but 2 in X\[0\]"),
    ([np.zeros((2, 2)), [["a"]]], r"X\[1\]: expected an array"),
    ([np.array([[0, 1], [np.nan, 0]])], r"X\[0\]\[1, 0\]: nan"),
])
@pytest.mark.parametrize("grow", [True, False])
def test_what_cannot_be_read(X, message, grow):
    if grow is False and "is not a string" in message:
        pytest.skip("a name that is no string is a name that is not known")
    with pytest.raises(ValueError, match=message):
        read_tokens(X, Attributes(), grow=grow)


# --- labels

STARTS = np.array([0, 2, 3])


def test_labels_are_numbered_in_order():
    y, classes = read_labels([["b", None], ["a"]], STARTS)
    assert (y.tolist(), classes) == ([1, -1, 0], ["a", "b"])
    y, classes = read_labels([np.array([7, 5]), [5]], STARTS)
    assert (y.tolist(), classes) == ([1, 0, 0], [5, 7])
    assert read_labels([["b", None], ["b"]], STARTS, {"b": 3})[0].tolist() == [3, -1, 3]


@pytest.mark.parametrize("y, message", [
    ([["a", "b"]], "y: expected 2 sequences of labels to fit X, got 1"), (3, "got int"),
    ([["a", "b"], ["a", "b"]], r"y\[1\]: 2 labels for the 1 tokens of X\[1\]"),
    ([[None, None], [None]], "no token has a label"), ([["a", 1], ["a"]], "all strings or all whole numbers"),
    ([[1.5, 2.5], [1.5]], "all strings or all whole numbers"),
])
def test_bad_labels(y, message):
    with pytest.raises(ValueError, match=message):
        read_labels(y, STARTS)


def test_labels_that_were_not_seen():
    with pytest.raises(ValueError, match=r"y\[1\]\[0\]: the label 'z' was not seen in training; seen were \['a'\]"):
        read_labels([["a", None], ["z"]], STARTS, {"a": 0})
