"""How the demonstration of dual encoders counts what is first, and what it shows of words and replies."""
import numpy as np

from scratchml.tour import dual_encoder as tour


class Nearest:
    """Cosines that are given."""

    def __init__(self, S):
        self.S = np.array(S)

    def similarity(self, contexts, answers):
        return self.S


def test_figures_of_a_model_that_errs_once():
    """Question 0 has one of 119 wrong answers ahead, question 1 one that is beaten, but not by the margin."""
    S = np.eye(120)
    S[0, 5], S[1, 7] = 1.5, 0.9
    one, hundred, single, hardest = tour.figures(S, ~np.eye(120, dtype=bool))
    assert one == 119 / 120 and abs(hundred - (1 - 99 / 119 / 120)) < 1e-12
    assert abs(single - 2 / 119 / 120) < 1e-12 and abs(hardest - 2 * 63 / 119 / 120) < 1e-12


def test_what_is_mistaken_is_wrong_and_nearer():
    words, sounds = ["a", "b", "c", "d"], [["X"], ["Y"], ["X"], ["Z", "Y"]]
    S = [[0.5, 0.2, 0.9, 0.1], [0.1, 0.6, 0.2, 0.7], [0.3, 0.1, 0.8, 0.0], [0.1, 0.2, 0.1, 0.3]]
    assert tour.mistaken(Nearest(S), words, sounds) == [("b", "Y", "taken for", "Z Y", "d")]


def test_the_nearest_wrong_ones_leave_out_what_sounds_the_same(monkeypatch):
    monkeypatch.setattr(tour, "SHOWN", 2)
    words, sounds = ["a", "b", "c", "d", "e"], [["X"], ["Y"], ["X"], ["Z"], ["V"]]
    S = [[0.9, 0.1, 0.9, 0.3, 0.2], [0.4, 0.2, 0.3, 0.1, 0.2], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert tour.nearest_wrong(Nearest(S), words, sounds) == [("a", "d, e, b"), ("b", "a, c, e")]


def test_words_for_training_are_none_of_those_held_out():
    said = tour.load_pronunciations()
    train, test = tour.parts(said, 1)
    assert len(test[0]) == len(test[1]) == 3000 and len(train[0]) == 20_000 and not set(train[0]) & set(test[0])
    n = said.words.index(test[0][7])
    assert test[1][7] == said.phones[n]


def test_words_of_a_turn():
    assert tour.words_of("Don't you? No.  42!") == ["don't", "you", "?", "no", "42", "!"]
    assert tour.words_of("...") == []
