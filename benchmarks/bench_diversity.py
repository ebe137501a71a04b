"""How unlike the items of 4,303 lists of ten are, by the words of their names: pairs in NumPy, and ours."""
import numpy as np

from benchmarks import Case, close, test_contender          # noqa: F401  pytest runs it
from scratchml.core.sparse import Rows, dense
from scratchml.datasets import load_online_retail
from scratchml.metrics import auc, intra_list_diversity
from scratchml.metrics.ranking import top_k

M = 3253


def shown():
    """Ten items at random for each customer, and the words of all items."""
    rng = np.random.default_rng(0)
    words = [name.lower().split() for name in load_online_retail().item_names.tolist()]
    number = {word: n for n, word in enumerate(sorted({word for name in words for word in name}))}
    places = [sorted({number[word] for word in name}) for name in words]
    indptr = np.concatenate([[0], np.cumsum([len(some) for some in places])])
    X = Rows(indptr, np.concatenate(places).astype(np.int32), np.ones(indptr[-1]), (M, len(number)))
    return np.array([rng.choice(M, 10, replace=False) for _ in range(4303)]), X


def formula(R, X):
    V = dense(X)
    V /= np.maximum(np.sqrt((V * V).sum(axis=1, keepdims=True)), 1e-300)
    c, above = V @ V.T, np.triu_indices(R.shape[1], 1)
    return np.mean([1 - c[np.ix_(items, items)][above].mean() for items in R])


def scored():
    rng = np.random.default_rng(0)
    S = rng.normal(size=(1000, M))
    return S, top_k(S + rng.normal(size=S.shape), 20)


def pairs(S, T):
    each = []
    for scores, wanted in zip(S, T):
        others = np.delete(scores, wanted)
        more = scores[wanted][:, None]
        each.append(((more > others) + (more == others) / 2).mean())
    return np.mean(each)


CASES = [
    Case("diversity of 4,303 lists of ten", shown, {"formula": formula, "scratchml": intra_list_diversity},
         close(rtol=1e-12)),
    Case("AUC of 1,000 users, 20 of 3,253 items wanted", scored,
         {"formula": pairs, "scratchml": lambda S, T: auc(S, list(T))},
         close(rtol=1e-12)),
]
