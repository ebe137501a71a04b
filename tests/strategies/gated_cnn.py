"""What the tests of the text fit the language model of gated convolutions to."""


def fit_arguments(size=40):
    return (["abc", "abd", "ba"] * 3,)
