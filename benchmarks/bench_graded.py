"""NDCG where scores tie: 4,000 queries of 100 documents, the first ten places and all, beside scikit-learn's."""
import numpy as np

from benchmarks import Case, close, peer, test_contender
from scratchml.metrics import ndcg_score


def judged(k, ties):
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 9, (4000, 100)) if ties else rng.normal(size=(4000, 100))
    return rng.integers(0, 5, (4000, 100)), scores, k


def ours(y, s, k):
    return ndcg_score(y, s, k=k, gains="linear")


@peer("sklearn")
def theirs(y, s, k):
    from sklearn.metrics import ndcg_score as of_scikit_learn
    return of_scikit_learn(y, s, k=k)


CASES = [Case(f"{'tied' if ties else 'different'} scores, {k or 'all'} places", lambda k=k, ties=ties: judged(k, ties),
              {"scratchml": ours, "scikit-learn": theirs}, close(rtol=1e-12))
         for k in (10, None) for ties in (False, True)]
