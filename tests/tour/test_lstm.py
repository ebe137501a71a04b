"""The rule by which stress is judged."""
from scratchml.tour.lstm import main_stress_right


def test_the_main_stress_is_the_first_vowel_that_is_labelled_so():
    found = [[0, 1, 0], [1, 1, 0], [0, 0, 2], [0, 1, 1], [2, 1]]
    truth = [[2, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0]]
    assert main_stress_right(found, truth).tolist() == [True, False, False, True, False]
