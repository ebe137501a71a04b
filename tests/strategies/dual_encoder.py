"""What the tests of the text fit the dual encoder to."""


def fit_arguments(size=40):
    return ["one", "two", "six", "ten", "two"], ["eins", "zwei", "sechs", "zehn", "deux"]
