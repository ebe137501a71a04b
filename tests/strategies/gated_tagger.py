"""What the tests of the text fit the tagger of gated convolutions to."""
from tests.strategies.tagger import sentences


def fit_arguments(size=40):
    return sentences(6)
