"""What the tests of the text fit the estimator from sequence to sequence to."""


def fit_arguments(size=40):
    return ["ab", "ba", "aab"] * 3, ["x", "yx", ""] * 3
