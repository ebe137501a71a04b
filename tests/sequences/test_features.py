"""What words are made of."""
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


@pytest.mark.parametrize("word, expected", [("Main", "Xx"), ("IBM", "X"), ("12-b", "0-x"), ("St.", "Xx."), ("...", ".")])
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
