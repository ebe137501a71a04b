"""What is sent back, by the words of its name: a logistic regression on counts of 3,253 items, scikit-learn's and ours.

scikit-learn has no counts, so each item comes twice, with weights.
"""
import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.datasets import load_online_retail
from scratchml.recommend import ClickBait, WordCounts

PENALTY = 3.0


def shop():
    bought = load_online_retail(items=True)
    taken, bad = (np.bincount(bought.items, weights, len(bought.item_names)) for weights in (None, bought.cancelled))
    return WordCounts().fit_transform(bought.item_names), bad, taken


def ours(X, bad, taken):
    return ClickBait(PENALTY).fit(X, bad, taken).predict(X)


@peer("sklearn")
def scikit_learn(X, bad, taken):
    from scipy.sparse import csr_matrix, vstack
    from sklearn.linear_model import LogisticRegression
    X = csr_matrix((X.data, X.indices, X.indptr), X.shape)
    model = LogisticRegression(C=1 / PENALTY, tol=1e-9, max_iter=5000)
    model.fit(vstack([X, X]), np.repeat([1, 0], len(bad)), sample_weight=np.concatenate([bad, taken - bad]))
    return model.predict_proba(X)[:, 1]


CASES = [Case("what is sent back, 3,253 items and their words", shop, {"scratchml": ours, "scikit-learn": scikit_learn},
              close(rtol=1e-2))]
