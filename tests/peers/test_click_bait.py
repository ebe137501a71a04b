"""Weights of the logistic regression on counts are scikit-learn's, whose C is 1 / λ and whose samples are weighted."""
import numpy as np
import pytest

from scratchml.recommend import ClickBait
from tests.strategies.click_bait import items

pytest.importorskip("sklearn")


@pytest.mark.parametrize("kind", ["real", "words"])
@pytest.mark.parametrize("λ", [0.2, 1, 40])
def test_weights_of_scikit_learn(kind, λ):
    from sklearn.linear_model import LogisticRegression
    X, k, n = items(40, 5, 0, kind)
    theirs = LogisticRegression(C=1 / λ, tol=1e-12, solver="newton-cholesky", max_iter=200)
    theirs.fit(np.concatenate([X, X]), np.repeat([1, 0], len(X)), sample_weight=np.concatenate([k, n - k]))
    ours = ClickBait(λ).fit(X, k, n)
    np.testing.assert_allclose(ours.coef_, theirs.coef_[0], rtol=0, atol=1e-6)
    assert ours.intercept_ == pytest.approx(theirs.intercept_[0], abs=1e-6)
