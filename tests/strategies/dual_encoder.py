"""What the tests of the text fit the dual encoder to."""


def fit_arguments(size=40):
    return ["a", "bc", "d"], ["x", "y", "zx"]
