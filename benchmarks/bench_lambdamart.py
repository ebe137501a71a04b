"""LambdaMART on made and on real queries: fits of 100 trees of 31 leaves, and predictions, beside LightGBM's.

Ours runs on as many threads as SCRATCHML_NUM_THREADS says; LightGBM, whose threads wait in circles for each other, is
timed with one and with two.
"""
import functools

import numpy as np

from benchmarks import Case, Growth, peer, test_contender
from scratchml.metrics import ndcg_score
from scratchml.ranking import LambdaMART

TREES, LEAVES, BINS = 100, 31, 255


@functools.lru_cache(maxsize=1)
def made(N=200_000, D=40, n=100):
    """Documents whose labels 0 to 4 are a sum of random trees of their features, and noise; n of them a query."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D))
    score = np.zeros(N)
    for _ in range(30):                                  # trees of depth 4
        leaf = np.zeros(N, np.int64)
        for _ in range(4):
            leaf = 2 * leaf + (X[:, rng.integers(D)] > rng.normal())
        score += rng.normal(size=16)[leaf]
    score += rng.normal(size=N) * score.std() / 2
    return X, np.digitize(score, np.quantile(score, [0.5, 0.75, 0.9, 0.97])), np.full(N // n, n)


@functools.lru_cache(maxsize=1)
def shop():
    """The candidates of the shop, 430,300 x 24."""
    from scratchml.tour.shop_ranking import ranking_rows
    rows = ranking_rows("the last five").learning
    return rows.X, rows.y, np.unique(rows.qid, return_counts=True)[1]


def ours(X, y, group):
    return ndcg(LambdaMART(TREES, num_leaves=LEAVES, max_bin=BINS).fit(X, y, group).predict(X), y, group)


def ndcg(F, y, group):
    return ndcg_score(y, F, group=group, k=10)


def theirs(threads):
    @peer("lightgbm")
    def lightgbm(X, y, group):
        return ndcg(their_model(X, y, group, threads).predict(X, num_threads=threads), y, group)
    return lightgbm


def their_model(X, y, group, threads=1):
    from lightgbm import LGBMRanker
    return LGBMRanker(n_estimators=TREES, num_leaves=LEAVES, max_bin=BINS, n_jobs=threads,
                      verbose=-1).fit(X, y, group=group)


def alike(theirs, ours):
    """The fits are no better by more than the luck of bins and ties."""
    assert abs(theirs - ours) < 0.02, f"NDCG@10 {theirs:.4f}, ours {ours:.4f}"


# --- predictions


@functools.lru_cache(maxsize=1)
def fitted():
    X, y, group = made()
    model = LambdaMART(TREES, num_leaves=LEAVES).fit(X[:40_000], y[:40_000], group[:400])
    try:
        other = their_model(X[:40_000], y[:40_000], group[:400])
    except ImportError:
        other = None
    return model, other, X[:40_000]


def our_prediction(model, other, X):
    return model.predict(X)


def their_prediction(threads):
    @peer("lightgbm")
    def lightgbm(model, other, X):
        return other.predict(X, num_threads=threads)
    return lightgbm


def correlated(theirs, ours):
    """Each predicts by trees of its own, grown on the same rows."""
    r = np.corrcoef(theirs, ours)[0, 1]
    assert r > 0.95, f"correlation {r:.4f}"


FITS = {"scratchml": ours, "LightGBM, 1 thread": theirs(1), "LightGBM, 2 threads": theirs(2)}

CASES = [
    Case("fit, 200,000 x 40, labels 0 to 4, 100 trees", made, FITS, alike),
    Case("fit, the shop, 430,300 x 24, labels 0 and 1, 100 trees", shop, FITS, alike),
    Case("predict, 40,000 x 40, 100 trees", fitted,
         {"scratchml": our_prediction, "LightGBM, 1 thread": their_prediction(1),
          "LightGBM, 2 threads": their_prediction(2)}, correlated),
    Growth("fit of 100 trees against rows",
           lambda N: tuple(part[:N // (1 if k < 2 else 100)] for k, part in enumerate(made())),
           {"scratchml": ours}, (10_000, 20_000, 50_000, 100_000, 200_000), stated=1),
]
