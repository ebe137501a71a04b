"""Lists that are good together: MMR and DPP in NumPy, ours, and pyversity's; 50 of 1,000 candidates with 64 features.

A case is the lists of eight users for the same candidates.  pyversity weighs scores in its own way, so its lists are
others, and only their size is compared.
"""
import numpy as np

from benchmarks import Case, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.recommend import dpp, mmr

N, K, D, TRADE_OFF, QUALITY = 1000, 50, 64, 0.7, 2.0


def lists():
    """Scores of eight users, and features in clusters, of unit length."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, D))[rng.integers(30, size=N)] + 0.7 * rng.normal(size=(N, D))
    scores = rng.random((8, N))
    items = np.argsort(-scores, axis=1)                  # the best first, as they come
    return items, np.take_along_axis(scores, items, 1), X / np.linalg.norm(X, axis=1, keepdims=True)


def by_item(items, scores):
    found = np.empty(scores.shape)
    np.put_along_axis(found, items, scores, 1)
    return found


def ours_mmr(items, scores, X):
    return mmr(items, scores, X, K, trade_off=TRADE_OFF)[0]


def formula_mmr(items, scores, X):
    """(1) with a product of all candidates and the last chosen one in each step."""
    found = []
    for s in by_item(items, scores):
        chosen, most, left = [int(s.argmax())], np.full(N, -np.inf), np.ones(N, bool)
        left[chosen] = False
        while len(chosen) < K:
            most = np.maximum(most, X @ X[chosen[-1]])
            chosen.append(int(np.where(left, TRADE_OFF * s - (1 - TRADE_OFF) * most, -np.inf).argmax()))
            left[chosen[-1]] = False
        found.append(chosen)
    return np.array(found)


@peer("pyversity")
def pyversity_mmr(items, scores, X):
    from pyversity import Strategy, diversify
    return np.array([diversify(X, s, K, strategy=Strategy.MMR, diversity=1 - TRADE_OFF).indices
                     for s in by_item(items, scores)])


def ours_dpp(items, scores, X):
    return dpp(items, scores, X, K, quality=QUALITY)[0]


def formula_dpp(items, scores, X):
    """Algorithm 1 of Chen, Zhang and Zhou."""
    found = []
    for s in by_item(items, scores):
        quality = np.exp(QUALITY * s)
        c, d = np.zeros((K, N)), quality**2
        chosen = [int(d.argmax())]
        for k in range(K - 1):
            j = chosen[-1]
            e = (quality[j] * quality * (X @ X[j]) - c[:k, j] @ c[:k]) / np.sqrt(d[j])
            c[k] = e
            d = d - e * e
            d[chosen] = -np.inf
            chosen.append(int(d.argmax()))
        found.append(chosen)
    return np.array(found)


@peer("pyversity")
def pyversity_dpp(items, scores, X):
    from pyversity import Strategy, diversify
    return np.array([diversify(X, s, K, strategy=Strategy.DPP, diversity=0.5).indices for s in by_item(items, scores)])


def agree(theirs, ours):
    np.testing.assert_array_equal(theirs, ours)


def as_many(theirs, ours):
    assert theirs.shape == ours.shape


CASES = [
    Case("MMR, 50 of 1,000 for 8 users", lists, {"formula": formula_mmr, "scratchml": ours_mmr}, agree),
    Case("DPP, 50 of 1,000 for 8 users", lists, {"formula": formula_dpp, "scratchml": ours_dpp}, agree),
    Case("MMR, beside pyversity", lists, {"scratchml": ours_mmr, "pyversity": pyversity_mmr}, as_many),
    Case("DPP, beside pyversity", lists, {"scratchml": ours_dpp, "pyversity": pyversity_dpp}, as_many),
]
