"""Numbers of symbols, there and back, and the shift of targets."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.sequences.vocabulary import BEGIN, END, MARKS, PAD, UNKNOWN, Vocabulary, shifted

words = st.lists(st.text("abcd", max_size=6), min_size=1, max_size=5)


@given(words)
def test_there_and_back(X):
    vocabulary = Vocabulary.of(X)
    assert len(vocabulary) == MARKS + len(set("".join(X)))
    for x in X:
        numbers = vocabulary.encode(x)
        assert "".join(vocabulary.decode(numbers)) == x and min(numbers, default=MARKS) >= MARKS
        assert vocabulary.decode([BEGIN, *numbers, UNKNOWN, END, *numbers]) == list(x)
    assert Vocabulary(vocabulary.symbols).encode(X[0]) == vocabulary.encode(X[0])


@given(words)
def test_what_is_given_is_what_was_answered_one_step_before(X):
    numbers = [Vocabulary.of(X).encode(x) for x in X]
    before, after = shifted(numbers)
    assert before.shape == after.shape == (len(X), 1 + max(map(len, X)))
    for target, given, answer in zip(numbers, before, after):
        T = len(target)
        assert given[0] == BEGIN and answer[T] == END
        assert given[1:T + 1].tolist() == target == answer[:T].tolist()
        assert (given[T + 1:] == PAD).all() and (answer[T + 1:] == PAD).all()
    assert shifted(iter([np.array([4]), (5, 6)]))[1].tolist() == [[4, END, PAD], [5, 6, END]]
    assert shifted([])[0].shape == (0, 1)


def test_marks_of_other_packages_are_symbols():
    symbols = ["<pad>", "<s>", "</s>", "<unk>", None, 2, ("a", 1), ""]
    vocabulary = Vocabulary.of([symbols])
    assert vocabulary.encode(symbols) == list(range(MARKS, MARKS + 8)) and vocabulary.decode(range(4, 12)) == symbols
    assert vocabulary.encode(["2", 2.0, "<S>"]) == [UNKNOWN, MARKS + 5, UNKNOWN]
    assert Vocabulary.of([]).symbols == [] and len(Vocabulary([])) == MARKS
    assert Vocabulary.of(iter(["ab", iter("bc")])).symbols == list("abc")
    assert Vocabulary.of(np.array(["ab"])).decode(np.array([5, 4])) == ["b", "a"]


@pytest.mark.parametrize("call, message", [
    (lambda: Vocabulary("aba"), "each symbol once, got 'a' twice"),
    (lambda: Vocabulary([[1]]), "keys of a dict: unhashable"),
    (lambda: Vocabulary([float("nan")]), "nan is not equal to itself"), (lambda: Vocabulary.of([[[1]]]), "unhashable"),
    (lambda: Vocabulary.of([3]), "expected strings, or lists"),
    (lambda: Vocabulary.of(3), "a list of sequences, got 3"),
    (lambda: Vocabulary("ab").decode([6]), "from 0 to 5, got 6"),
    (lambda: Vocabulary("ab").decode([4.0]), "got 4.0"), (lambda: Vocabulary("ab").encode([["a"]]), "list of hashable"),
    (lambda: Vocabulary("ab").encode(3), "expected a string"),
    (lambda: Vocabulary.of("ab"), "put a single one into a list"),
    (lambda: shifted([[4], [4, END]]), r"numbers\[1\]: expected whole numbers of at least 3"),
    (lambda: shifted([["a"]]), "whole numbers"), (lambda: shifted([[4.5]]), "whole numbers"),
    (lambda: Vocabulary("ab").decode([-1]), "got -1"),
])
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_pandas_misses_is_no_symbol():
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="symbols: expected symbols|not equal to itself"):
        Vocabulary([pd.NA])
