"""What words are made of."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.sequences.features import case, digits, sentence_features, shape, with_neighbours, word_features


@pytest.mark.parametrize("word, expected", [("MAIN", "upper"), ("main", "lower"), ("Main", "title"), ("McKay", "mixed"),
                                            ("12", "none"), ("12B", "upper"), ("-", "none")])
def test_case(word, expected):
    assert case(word) == expected


@pytest.mark.parametrize("word, expected", [("12", "all"), ("12b", "some"), ("b", "none")])
def test_digits(word, expected):
    assert digits(word) == expected


@pytest.mark.parametrize("word, expected",
                         [("Main", "Xx"), ("IBM", "X"), ("12-b", "0-x"), ("St.", "Xx."), ("...", ".")])
def test_shape(word, expected):
    assert shape(word) == expected


def test_a_word_has_affixes_no_longer_than_itself():
    assert {k: v for k, v in word_features("Oak").items() if "fix" in k} == {
        "prefix1": "O", "suffix1": "k", "prefix2": "Oa", "suffix2": "ak", "prefix3": "Oak", "suffix3": "Oak"}
    assert "prefix2" not in word_features("O") and "prefix1" not in word_features("Oak", affixes=0)
    assert word_features("Oak")["word"] == "oak" and word_features("x" * 40)["length"] == "40"


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6), st.sampled_from([(-1, 1), (-2, -1, 3), ()]))
def test_neighbours_lend_all_their_features(words, window):
    alone = [word_features(word) for word in words]
    before = [dict(token) for token in alone]
    together = with_neighbours(alone, window)
    assert alone == before
    for t, features in enumerate(together):
        expected = dict(alone[t])
        for d in window:
            outside = not 0 <= t + d < len(words)
            expected |= {f"{d:+d}:outside": True} if outside else {f"{d:+d}:{k}": v for k, v in alone[t + d].items()}
        assert features == expected
    assert sentence_features(words, window=window) == together


@pytest.mark.parametrize("word", ["", None, 3])
def test_what_is_no_word(word):
    with pytest.raises(ValueError, match="word: expected a str"):
        word_features(word)


def test_a_token_is_not_its_own_neighbour():
    with pytest.raises(ValueError, match="window: .* got 0"):
        with_neighbours([{}], (0,))


TOKENS = [{"a": 1}, {"a": 2}, {"a": 3}]


@pytest.mark.parametrize("window", [filter(None, range(-2, 3)), iter((-2, -1, 1, 2)), map(int, "-2 -1 1 2".split()),
                                    np.array([-2, -1, 1, 2]), (d for d in (-2, -1, 1, 2)),
                                    dict.fromkeys((-2, -1, 1, 2))])
def test_distances_are_read_once(window):
    expected = {"a": 2, "-2:outside": True, "-1:a": 1, "+1:a": 3, "+2:outside": True}
    assert with_neighbours(TOKENS, window)[1] == expected


def test_tokens_and_words_are_read_once():
    assert with_neighbours(iter(TOKENS), (-1,)) == with_neighbours(TOKENS, (-1,))
    words = ["Oak", "St"]
    assert sentence_features(iter(words), window=iter((1,))) == sentence_features(words, window=(1,))


@pytest.mark.parametrize("call, message", [
    (lambda: with_neighbours(TOKENS, iter((-1, 0))), "window: .* got 0"),
    (lambda: with_neighbours(TOKENS, 1), "window=1"),
    (lambda: with_neighbours(TOKENS, (1.0,)), "window: expected whole numbers .* got 1.0"),
    (lambda: with_neighbours(TOKENS, "12"), "window: expected whole numbers .* got '1'"),
    (lambda: with_neighbours(TOKENS, (True,)), "got True"),
    (lambda: with_neighbours(["Oak", "St"]), r"tokens\[0\]: expected a dict of features, got 'Oak'"),
    (lambda: with_neighbours({"a": 1}), "tokens: expected a list of dicts, got dict"),
    (lambda: with_neighbours(None), "tokens: expected a list of dicts, got NoneType"),
    (lambda: sentence_features("12 Oak St."),
     "words: expected a list of words, got '12 Oak St.'; split a sentence first"),
    (lambda: sentence_features(None), "words: expected a list of words"),
    (lambda: word_features("Oak", affixes=-1), "affixes=-1"),
    (lambda: word_features("Oak", affixes=2.5), "affixes=2.5"),
])
def test_what_are_no_sentences(call, message):
    with pytest.raises(ValueError, match=message):
        call()
