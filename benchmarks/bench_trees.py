"""Boosting trees by squared loss, and predicting with them, beside LightGBM on one thread and on two; growth with rows.

LightGBM's threads wait by spinning: on a busy machine it is several times slower with two than with one.
"""
from functools import lru_cache, partial

import numpy as np

from benchmarks import Case, Growth, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.ranking.bins import bin_edges, binned
from scratchml.ranking.trees import grow, predict_trees, tree_leaves

ROUNDS, LEAVES, RATE = 10, 31, 0.1


@lru_cache(maxsize=1)
def table(N, D=40):
    """Features (N, D), and a target of products, waves and steps of some of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D))
    y = X[:, 0] * X[:, 1] + np.sin(3 * X[:, 2]) + (X[:, 3] > 0) * X[:, 4] + X[:, 5:12].sum(axis=1) / 3
    return X, y + 0.3 * rng.normal(size=N)


def boosted(X, y, rounds=ROUNDS):
    """The trees, and the scores of the rows that they were grown on."""
    parts, F, h, trees = binned(X, bin_edges(X)), np.full(len(y), y.mean()), np.ones(len(y)), []
    for _ in range(rounds):
        tree, leaf_of = grow(parts, F - y, h, num_leaves=LEAVES)
        trees.append(tree.shrunk(RATE))
        F += trees[-1].value[leaf_of]
    return trees, F


def ours(X, y):
    return np.mean((boosted(X, y)[1] - y) ** 2)


def lightgbm_model(X, y, threads, rounds=ROUNDS):
    from lightgbm import LGBMRegressor
    return LGBMRegressor(n_estimators=rounds, num_leaves=LEAVES, learning_rate=RATE, n_jobs=threads,
                         verbose=-1).fit(X, y)


def fitted(threads):
    @peer("lightgbm")
    def lightgbm(X, y):
        model = lightgbm_model(X, y, threads)            # predict would warn of features without names
        return np.mean((model.booster_.predict(X[:5000], num_threads=threads) - y[:5000]) ** 2)
    return lightgbm


# --- prediction


@lru_cache(maxsize=1)
def models():
    X, y = table(40_000)
    return boosted(X, y, 100)[0]


@lru_cache(maxsize=1)
def lightgbm_models():
    return lightgbm_model(*table(40_000), 1, 100).booster_


def rows():
    models()
    return table(40_000)[:1]


def predicted(threads):
    @peer("lightgbm")
    def lightgbm(X):
        return lightgbm_models().predict(X, num_threads=threads).std()
    return lightgbm


CASES = [
    Case(f"200,000 rows, 40 features, {ROUNDS} trees of {LEAVES} leaves: the mean squared error",
         partial(table, 200_000),
         {"scratchml": ours, "LightGBM, 1 thread": fitted(1), "LightGBM, 2 threads": fitted(2)}, close(rtol=0.05)),
    Case("40,000 rows through 100 trees: the spread of predictions", rows,
         {"scratchml": lambda X: predict_trees(models(), X).std(), "LightGBM, 1 thread": predicted(1),
          "LightGBM, 2 threads": predicted(2)}, close(rtol=0.01)),
    Case("40,000 rows, leaves of 100 trees", rows, {"scratchml": lambda X: tree_leaves(models(), X).shape}),
    Growth(f"bins and {ROUNDS} trees, 10 features", partial(table, D=10), {"scratchml": ours},
           (25_000, 100_000, 400_000), stated=1),
]
