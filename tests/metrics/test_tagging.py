"""Counts of labels and chunks, against the script that the shared tasks count with."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics.tagging import (Scores, chunk_scores, chunks, label_scores, sequence_accuracy, split_tag,
                                       token_accuracy)
from tests.reference import tagging as reference

BIO = ["O", "B-X", "I-X", "B-Y", "I-Y"]
IOBES = [*BIO, "E-X", "S-X", "E-Y", "S-Y"]


@st.composite
def pairs_of_taggings(draw, labels):
    """Two taggings of the same sentences that agree often, so that chunks are right."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    true = [rng.choice(labels, size=rng.integers(1, 9)).tolist() for _ in range(rng.integers(1, 5))]
    changed = draw(st.sampled_from([0.0, 0.2, 0.6]))
    return true, [[str(rng.choice(labels)) if rng.random() < changed else label for label in s] for s in true]


@pytest.mark.parametrize("labels", [BIO, IOBES], ids=["BIO", "IOBES"])
@given(data=st.data())
def test_chunks_are_counted_as_conlleval_counts_them(labels, data):
    true, found = data.draw(pairs_of_taggings(labels))
    right, guessed, there = reference.conlleval(true, found)
    scores = chunk_scores(true, found)
    kinds = set(guessed) | set(there)
    assert set(scores) == kinds | {"all"}
    for kind in kinds | {"all"}:
        r, g, n = (sum(c.values()) if kind == "all" else c.get(kind, 0) for c in (right, guessed, there))
        p, q = r / g if g else 0, r / n if n else 0
        assert scores[kind] == Scores(p, q, 2 * p * q / (p + q) if r else 0, n)


@given(pairs_of_taggings(IOBES))
def test_other_letters_are_the_same_marks(drawn):
    """BILOU has L and U for E and S, BMES has M for I."""
    plain = chunk_scores(*drawn)
    for letters in ({"E": "L", "S": "U"}, {"I": "M"}):
        other = [[[letters.get(label[0], label[0]) + label[1:] for label in s] for s in y] for y in drawn]
        assert chunk_scores(*other) == plain


@pytest.mark.parametrize("labels, expected", [
    ("O O", []), ("B-X I-X O B-X", [(0, 1, "X"), (3, 3, "X")]), ("B-X B-X", [(0, 0, "X"), (1, 1, "X")]),
    ("I-X I-X", [(0, 1, "X")]), ("O I-X I-Y", [(1, 1, "X"), (2, 2, "Y")]), ("B-X I-Y", [(0, 0, "X"), (1, 1, "Y")]),
    ("B-X I-X E-X S-X", [(0, 2, "X"), (3, 3, "X")]), ("S-X S-X", [(0, 0, "X"), (1, 1, "X")]),
    ("E-X E-X", [(0, 0, "X"), (1, 1, "X")]), ("B-X E-X I-X", [(0, 1, "X"), (2, 2, "X")]), ("B I O", [(0, 1, "")]),
    ("B-X E-Y", [(0, 0, "X"), (1, 1, "Y")]), ("B-X O I-X", [(0, 0, "X"), (2, 2, "X")]),
    ("I-X B-X I-X O I-Y", [(0, 0, "X"), (1, 2, "X"), (4, 4, "Y")]),
    ("B M E S B E", [(0, 2, ""), (3, 3, ""), (4, 5, "")]),
    ("B-X I-X L-X U-X L-Y", [(0, 2, "X"), (3, 3, "X"), (4, 4, "Y")]), ("B-A-B I-A-B", [(0, 1, "A-B")]),
])
def test_chunks(labels, expected):
    assert chunks(labels.split()) == expected


def test_the_example_of_the_shared_task():
    """Counted by hand: 2 of 3 found chunks are right, of 4 that are there."""
    true = [["B-NP", "I-NP", "B-VP", "B-NP", "O", "B-PP"]]
    found = [["B-NP", "I-NP", "B-VP", "B-VP", "O", "O"]]
    assert chunk_scores(true, found)["all"] == Scores(2 / 3, 2 / 4, 2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2), 4)


@given(pairs_of_taggings(BIO))
def test_tokens_and_labels(drawn):
    true, found = drawn
    a, b = sum(true, []), sum(found, [])
    assert token_accuracy(true, found) == np.mean(np.array(a) == np.array(b))
    assert sequence_accuracy(true, found) == np.mean([x == y for x, y in zip(true, found)])
    scores = label_scores(true, found)
    assert set(scores) == set(a) | set(b)
    for label, score in scores.items():
        right = sum(x == y == label for x, y in zip(a, b))
        assert score.precision == (right / b.count(label) if label in b else 0)
        assert score.recall == (right / a.count(label) if label in a else 0)
        assert score.support == a.count(label)
        expected = 2 * right / (a.count(label) + b.count(label))
        assert score.f1 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("label", ["X-PER", "b-PER", "O-PER", "", None, "PER"])
def test_labels_of_no_scheme(label):
    with pytest.raises(ValueError, match="expected O, or B, I, E or S"):
        split_tag(label)


@pytest.mark.parametrize("f", [token_accuracy, sequence_accuracy, label_scores, chunk_scores])
@pytest.mark.parametrize("true, found, message", [
    ([["O"]], [["O"], ["O"]], "y_true has 1 sequences, y_pred 2"),
    ([["O"], ["O"]], [["O"], ["O", "O"]], r"y_true\[1\] has 1 labels, y_pred\[1\] 2"),
    ([], [], "at least one label"), ([[]], [[]], "at least one label"),
])
def test_lengths_that_do_not_fit(f, true, found, message):
    with pytest.raises(ValueError, match=message):
        f(true, found)


# --- containers

class Frame:
    """What iterates over the names of its columns, as a data frame does."""
    columns = ["a", "b"]

    def __iter__(self):
        return iter(self.columns)


TRUE, FOUND = [["B-X", "I-X"], ["O"], ["B-Y", "O"]], [["B-X", "I-X"], ["O"], ["O", "O"]]
each_score = pytest.mark.parametrize("f", [token_accuracy, sequence_accuracy, label_scores, chunk_scores])


@each_score
def test_any_sequence_of_sequences_is_read_once(f):
    expected = f(TRUE, FOUND)
    arrays = np.empty(3, object)
    arrays[:] = [np.array(labels) for labels in FOUND]
    for true, found in ((tuple(map(tuple, TRUE)), arrays), (iter(TRUE), map(iter, FOUND)),
                        ((labels for labels in TRUE), [np.array(labels, object) for labels in FOUND])):
        assert f(true, found) == expected
    assert f(np.array([["O", "B-X"]]), np.array([["O", "O"]], object)) == f([["O", "B-X"]], [["O", "O"]])


@each_score
@pytest.mark.parametrize("flat", [["B-PER", "O", "B-LOC"], np.array(["B", "I", "O"]), ("BIO", "O"), [1, 0, 2], [b"O"],
                                  [["O"], "O"], [{"O": 1}], [{"O"}], [None], np.array([1, 2])])
def test_flat_lists_are_no_sequences(f, flat):
    """Letter by letter, B-PER O B-LOC against B-PER O B-PER would score 8 of 11."""
    with pytest.raises(ValueError, match=r"y_true\[\d\]: expected a sequence of labels, got .* pass \[y_true\]"):
        f(flat, flat)
    with pytest.raises(ValueError, match=r"y_pred\[\d\]: expected a sequence of labels"):
        f([["O"]] * len(flat), flat)


@each_score
@pytest.mark.parametrize("y, kind", [("BIO", "str"), ({"O": ["O"]}, "dict"), (5, "int"), (None, "NoneType"),
                                     (Frame(), "Frame")])
def test_what_is_no_list_of_sequences(f, y, kind):
    with pytest.raises(ValueError, match=f"y_true: expected a list of sequences of labels, got {kind}"):
        f(y, y)


@each_score
@pytest.mark.parametrize("missing", [None, float("nan"), np.float32("nan")])
def test_labels_that_are_missing(f, missing):
    for true, found in (([[missing, "O"]], [["O", "O"]]), ([["O", "O"]], [["O", missing]])):
        with pytest.raises(ValueError, match="a label is None or NaN, .* leave such tokens out of both"):
            f(true, found)


@each_score
def test_labels_of_several_types(f):
    with pytest.raises(ValueError, match=r"labels of one type, got \[\"'1'\", '1'\]"):
        f([[1]], [["1"]])
    with pytest.raises(ValueError, match="labels that are strings or numbers: unhashable"):
        f([[["O"]]], [[["O"]]])


def test_the_labels_of_one_sentence_alone():
    assert chunk_scores([["B", "I", "O"]], [["B", "I", "B"]])["all"] == Scores(0.5, 1.0, 2 / 3, 1)
    assert token_accuracy([["B-PER", "O", "B-LOC"]], [["B-PER", "O", "B-PER"]]) == 2 / 3
    with pytest.raises(ValueError, match="labels: expected a list of labels, got the string 'BIO'"):
        chunks("BIO")
