"""TF-IDF of the names of 3,253 items: ours, and scikit-learn's TfidfVectorizer."""
import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.datasets import load_online_retail
from scratchml.recommend import Tfidf


def names(last):
    return load_online_retail().item_names.tolist(), last


def ours(texts, last):
    return Tfidf(ngram_range=(1, last)).fit_transform(texts).data


@peer("sklearn.feature_extraction.text")
def scikit_learn(texts, last):
    from sklearn.feature_extraction.text import TfidfVectorizer
    found = TfidfVectorizer(ngram_range=(1, last)).fit_transform(texts)
    found.sort_indices()
    return np.asarray(found.data)


BOTH = {"scratchml": ours, "scikit-learn": scikit_learn}

CASES = [
    Case("words of 3,253 names", lambda: names(1), BOTH, close(rtol=1e-12)),
    Case("words and pairs of 3,253 names", lambda: names(2), BOTH, close(rtol=1e-12)),
]
