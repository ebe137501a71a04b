"""Tokens and labels as arrays: what CRFsuite would read, and what cannot be read."""
import pickle

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
    ([["a"]], r"X\[0\]\[0\]: expected a dict of features or a list .* got str"),
    ([[["a"], [1]]], r"X\[0\]\[1\]: 1 is not a string"), ([[{"a": None}]], r"X\[0\]\[0\]: feature 'a' is a NoneType"),
    ([[{"a": 1}], [{"a": 1}, {"a": np.nan}]], r"X\[1\]\[1\]: feature 'a' is nan; expected a finite number"),
    ([[{"a": np.inf}]], "is inf"), ([[{3: 1}]], "3 is not a string"),
    ([[{"a": [1]}]], r"X\[0\]\[0\]: feature 'a' is a list; expected a bool, a number or a string, so give each of its"),
    ([[{"b": 1}], [{"b": 1}, {"a": {1}}]], r"X\[1\]\[1\]: feature 'a' is a set"),
    ([[{"a": np.zeros(2)}]], r"X\[0\]\[0\]: feature 'a' is a ndarray"), ([[{"a": 10**400}]], "feature 'a' is inf"),
    ([3, 4], "X: expected a list of sequences"), ([[{"a": {"b": 1}}]], r"X\[0\]\[0\]: feature 'a' is a dict"),
    ([{"a": 1}, {"a": 2}], r"X: expected a list of sequences, but X\[0\] is a dict; of one sequence alone pass \[X\]"),
    (["a b", "c"], r"but X\[0\] is a str"), (np.array(["a", "b"]), r"but X\[0\] is a str"), ({"a"}, "got set"),
    ([["a", "b"], ["c"]], r"X\[0\]\[0\]: .* got str; of one sequence alone pass \[X\]"), (np.array(3), "X"),
    (np.zeros((4, 3)), r"X\[0\]: expected an array .* got shape \(3,\); of one sequence alone pass \[X\]"),
    ([[[0.5, 1.0]]], "0.5 is not a string; rows of numbers go into an array"),
    ([np.zeros((2, 2)), np.zeros((2, 3))], r"X\[1\]: 3 columns, but 2 in X\[0\]"),
    ([np.zeros((2, 2)), [["a"]]], r"X\[1\]: expected an array"),
    ([np.array([[0, 1], [np.nan, 0]])], r"X\[0\]\[1, 0\]: nan"), ([[[b"\xff"]]], r"X\[0\]\[0\]: b'\\xff' is not UTF-8"),
    ([[{"a": 1}], [{"a": b"\xe4"}]], r"X\[1\]\[0\]: b'\\xe4' is not UTF-8; decode it first"),
])
@pytest.mark.parametrize("grow", [True, False])
def test_what_cannot_be_read(X, message, grow):
    with pytest.raises(ValueError, match=message):
        read_tokens(X, Attributes(), grow=grow)


@pytest.mark.parametrize("plain", [
    [[{"größe": "groß", "名": True, "x": 2.5}, {}], [{"größe": "klein"}]], [[["größe", "名"], []], [["x", "größe"]]],
])
@pytest.mark.parametrize("grow", [True, False])
def test_bytes_are_utf8(plain, grow):
    def as_bytes(value):
        return value.encode() if isinstance(value, str) else value
    given = [[{as_bytes(name): as_bytes(value) for name, value in token.items()} if isinstance(token, dict) else
              [as_bytes(name) for name in token] for token in x] for x in plain]
    assert given != plain
    numbers = [Attributes() if grow else Attributes({"größe:groß": 0, "größe": 1, "名": 2}) for _ in range(2)]
    (starts, rows), (same, those) = (read_tokens(X, names, grow=grow) for X, names in zip((plain, given), numbers))
    assert numbers[0] == numbers[1] and all(isinstance(name, str) for name in numbers[1])
    assert starts.tolist() == same.tolist() and dense(rows).tolist() == dense(those).tolist() and dense(rows).any()


def test_what_is_remembered_of_questions_is_right_and_does_not_grow():
    attributes = Attributes({"w:a": 0, "n": 1, "w:b": 2})
    tokens = [{"w": "a", "n": True}, {"w": "b", "n": 1}, {"w": "c", "n": 2.5}, {"w": "a", "n": False, "m": True}]
    expected = [[1, 1, 0], [0, 1, 1], [0, 2.5, 0], [1, 0, 0]]
    for _ in range(3):
        assert dense(read_tokens([tokens], attributes, grow=False)[1]).tolist() == expected
    for k in range(5000):
        read_tokens([[{"w": str(k), "n": k + 0.5, f"f{k}": False}]], attributes, grow=False)
    assert len(attributes.memory) < 1100 and list(attributes) == ["w:a", "n", "w:b"]
    assert dense(read_tokens([tokens], attributes, grow=False)[1]).tolist() == expected
    copy = pickle.loads(pickle.dumps(attributes))
    assert copy == attributes and not vars(copy) and copy.known("w:b") == 2
    attributes["w:c"] += 0                               # what has a number now is no longer unknown
    assert dense(read_tokens([tokens], attributes, grow=False)[1])[:, 3].tolist() == [0, 0, 1, 0]


def test_an_empty_sequence_is_no_example_but_a_question():
    with pytest.raises(ValueError, match=r"X\[1\]: the sequence is empty; leave it out"):
        read_tokens([[["a"]], []], Attributes(), grow=True)
    for X in ([[], [["a"]], []], [np.zeros((0, 2)), np.ones((1, 1)), []], [[], np.ones((1, 1)), np.array([])]):
        starts, rows = read_tokens(X, Attributes({"a": 0, "0": 1}), grow=False)
        assert starts.tolist() == [0, 0, 1, 1] and dense(rows).sum() == 1
    starts, rows = read_tokens([[], ()], Attributes(a=0), grow=False)
    assert starts.tolist() == [0, 0, 0] and rows.shape == (0, 1)


# --- containers

class Column:
    """Values with labels, as a Series has them: x[0] is the value that is labelled 0."""

    def __init__(self, values, index):
        self.values, self.index = list(values), list(index)

    def __getitem__(self, label):
        return self.values[self.index.index(label)]

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)


def objects(parts):
    return np.fromiter(parts, object, len(parts))


WORDS = [[{"w": "a"}, {"w": "b"}], [{"w": "b"}, {"v": 2.0}]]
NAMES = [[["a", "c"], ["b", "a"]], [["b", "b"], ["c", "a"]]]


@pytest.mark.parametrize("X", [WORDS, NAMES])
@pytest.mark.parametrize("held", [
    lambda X: Column(X, [5, 6]), lambda X: Column(X, "ab"), lambda X: (x for x in X), lambda X: map(iter, X),
    lambda X: np.array(X, dtype=object), lambda X: objects(X), lambda X: [objects(x) for x in X],
    lambda X: [Column(x, [3, 1]) for x in X], lambda X: tuple(map(tuple, X)), lambda X: dict(enumerate(X)).values(),
    lambda X: np.array(X) if isinstance(X[0][0], list) else X,
])
def test_sequences_come_in_any_container(X, held):
    assert read(held(X)) == read(X)


@pytest.mark.parametrize("held", [
    lambda X: np.array(X), lambda X: np.array(X, dtype=object), lambda X: objects(X), iter, lambda X: Column(X, [7, 9]),
    lambda X: [x.astype(object) for x in X],
])
def test_arrays_come_in_any_container(held):
    X = [np.array([[1.0, 0], [0, 2]]), np.array([[3.0, 0], [5, 4]])]
    assert read(held(X)) == ([0, 2, 4], [{"0": 1}, {"1": 2}, {"0": 3}, {"0": 5, "1": 4}])


class Frame:
    columns = ["x"]

    def __iter__(self):
        return iter(self.columns)


def test_a_data_frame_is_no_list_of_sequences():
    with pytest.raises(ValueError, match="X: expected a list of sequences, got Frame"):
        read(Frame())
    with pytest.raises(ValueError, match=r"X\[0\]: .* got Frame; pass its to_numpy\(\), or its to_dict"):
        read([Frame()])
    with pytest.raises(ValueError, match="y: expected 2 sequences of labels to fit X, got Frame"):
        read_labels(Frame(), STARTS)


# --- labels

STARTS = np.array([0, 2, 3])


def test_labels_are_numbered_in_order():
    y, classes = read_labels([["b", None], ["a"]], STARTS)
    assert (y.tolist(), classes) == ([1, -1, 0], ["a", "b"])
    y, classes = read_labels([np.array([7, 5]), [5]], STARTS)
    assert (y.tolist(), classes) == ([1, 0, 0], [5, 7])
    assert read_labels([["b", None], ["b"]], STARTS, {"b": 3})[0].tolist() == [3, -1, 3]


@pytest.mark.parametrize("y", [
    Column([["b", "a"], ["b"]], [8, 3]), iter([["b", "a"], ["b"]]), map(iter, [["b", "a"], ["b"]]),
    [Column(["b", "a"], [2, 5]), Column("b", [9])], objects([np.array(["b", "a"]), np.array(["b"], object)]),
])
def test_labels_come_in_any_container(y):
    found, classes = read_labels(y, STARTS)
    assert (found.tolist(), classes) == ([1, 0, 1], ["a", "b"])


def test_labels_in_bytes():
    y, classes = read_labels([[b"b", None], ["\u00e4".encode()]], STARTS)
    assert (y.tolist(), classes) == ([0, -1, 1], ["b", "\u00e4"])
    assert read_labels([np.array([b"b", b"a"]), ["a"]], STARTS, {"a": 0, "b": 1})[0].tolist() == [1, 0, 0]
    with pytest.raises(ValueError, match=r"y: b'\\xff' is not UTF-8"):
        read_labels([[b"\xff", "a"], ["a"]], STARTS)


def test_labels_in_a_table():
    for y in (np.array([["b", "a"], ["a", "a"]]), np.array([["b", "a"], ["a", "a"]], object)):
        assert read_labels(y, np.array([0, 2, 4]))[0].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("y, message", [
    ([["a", "b"]], "y: expected 2 sequences of labels to fit X, got 1"), (3, "got int"),
    ([["a", "b"], ["a", "b"]], r"y\[1\]: 2 labels for the 1 tokens of X\[1\]"),
    ([[None, None], [None]], "no token has a label"), ([["a", 1], ["a"]], "all strings or all whole numbers"),
    ([[1.5, 2.5], [1.5]], "all strings or all whole numbers"),
    (["BI", "O"], r"y\[0\]: expected the labels of a sequence, got 'BI'; of one sequence alone pass \[X\] and \[y\]"),
    ([0, 1], r"y\[0\]: expected the labels of a sequence, got 0"), (np.array([0, 1]), r"y\[0\]: .* sequence, got"),
    (np.array(["BI", "O"]), r"y\[0\]: expected the labels"), ([["a", "b"], None], r"y\[1\]: .* got None"),
    ([["a", "b"], {"c": 1}], r"y\[1\]: expected the labels"), ("ab", "y: expected 2 .* got str"),
    ([["a", ["b"]], ["a"]], "y: expected labels that are strings or whole numbers: unhashable"),
    ([["a", np.nan], ["a"]], "None for what is not known, got"),
])
def test_bad_labels(y, message):
    with pytest.raises(ValueError, match=message):
        read_labels(y, STARTS)


def test_labels_that_were_not_seen():
    with pytest.raises(ValueError, match=r"y\[1\]\[0\]: the label 'z' was not seen in training; seen were \['a'\]"):
        read_labels([["a", None], ["z"]], STARTS, {"a": 0})


def test_what_is_masked_is_no_feature():
    hidden = np.ma.masked_array([[1.0, 2], [3, 4]], mask=[[0, 1], [0, 0]])
    with pytest.raises(ValueError, match=r"^X\[1\]: contains masked values"):
        read_tokens([np.ones((1, 2)), hidden], Attributes(), grow=True)
