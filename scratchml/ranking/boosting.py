"""Boosting: many small trees, each grown to what those before it leave over.

A tree that fits everything fits noise too.  Boosting adds up trees that are too small to: the first is grown to the
slopes of the loss where all scores are equal, and moves the scores a little against them.  There the loss has other
slopes, and the next tree is grown to those.  Small steps by many trees find a better score than large ones by few, and
a look at rows that were held back says when to stop.

The trees do not know what the loss is: they see a slope and a curvature of each row.  Those of squared and of logistic
loss stand here, those of ranking in the chapter `lambdas`.

Symbols
    y, w  (N,)   what each row should score, and its weight
    F     (N,)   scores so far
    p     (N,)   1 / (1 + e^{-F}), how likely the logistic loss takes y to be 1
    v     (K,)   values of a tree's nodes
    l     (N,)   the leaf of each row, a node's number
    η            how far a step goes

Equations
    (1)  F_0 = Σ_n w_n y_n / Σ_n w_n                                        squared_start
    (2)  g_n = w_n (F_n - y_n), h_n = w_n                                   squared_slopes
    (3)  J = Σ_n w_n (y_n - F_n)² / Σ_n w_n                                 squared_loss
    (4)  F_0 = log(q / (1 - q)), q = Σ_n w_n y_n / Σ_n w_n                  logistic_start
    (5)  g_n = w_n (p_n - y_n), h_n = w_n p_n (1 - p_n)                     logistic_slopes
    (6)  J = Σ_n w_n (log(1 + e^{F_n}) - y_n F_n) / Σ_n w_n                 logistic_loss
    (7)  F_n ← F_n + η v_{l_n}                                              step

Choices
    q in (4) is held within 1e-15 of 0 and 1: where all y are equal nothing is left to learn, and no score is infinite.
    Rows and features that a tree may see are drawn anew for every tree, or rows for every few; (7) moves all rows.
    A tree without a cut ends the fit, for the next would have none either; not where rows or features are drawn.

Cost
    That of the trees, and O(N) a round.

>>> y, w = np.array([0.0, 1, 1, 1]), np.array([1.0, 1, 1, 1])
>>> F = np.full(4, logistic_start(y, w))
>>> round(float(F[0]), 6), logistic_slopes(y, w, F)[0].round(6).tolist(), round(logistic_loss(y, w, F), 6)
(1.098612, [0.75, -0.25, -0.25, -0.25], 0.562335)

Sources: J. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29 (2001),
algorithms 1 and 5; J. Friedman, "Stochastic gradient boosting", Computational Statistics and Data Analysis 38 (2002),
for the draws.
"""
from typing import NamedTuple

import numpy as np

from scratchml.ranking.trees import grow

SURE = 1e-15                                             # how near to 0 and 1 q in (4) comes

# --- two losses ----------------------------------------------------------------------------------


def squared_start(y, w):
    """(1)  F_0 = Σ_n w_n y_n / Σ_n w_n

    Shapes: y (N), w (N) -> ()
    """
    return float(w @ y / w.sum())


def squared_slopes(y, w, F):
    """(2)  g_n = w_n (F_n - y_n), h_n = w_n

    Shapes: y (N), w (N), F (N) -> (N), (N)
    """
    return w * (F - y), w


def squared_loss(y, w, F):
    """(3)  J = Σ_n w_n (y_n - F_n)² / Σ_n w_n

    Shapes: y (N), w (N), F (N) -> ()
    """
    return float(w @ (y - F)**2 / w.sum())


def logistic_start(y, w):
    """(4)  F_0 = log(q / (1 - q)), q = Σ_n w_n y_n / Σ_n w_n

    Shapes: y (N), w (N) -> ()
    """
    q = min(max(squared_start(y, w), SURE), 1 - SURE)
    return float(np.log(q) - np.log1p(-q))


def logistic_slopes(y, w, F):
    """(5)  g_n = w_n (p_n - y_n), h_n = w_n p_n (1 - p_n)

    Shapes: y (N), w (N), F (N) -> (N), (N)
    """
    e = np.exp(-np.abs(F))
    p = np.where(F < 0, e, 1) / (1 + e)
    return w * (p - y), w * e / (1 + e)**2


def logistic_loss(y, w, F):
    """(6)  J = Σ_n w_n (log(1 + e^{F_n}) - y_n F_n) / Σ_n w_n

    Shapes: y (N), w (N), F (N) -> ()
    """
    return float(w @ (np.logaddexp(0, F) - y * F) / w.sum())


# --- round after round ---------------------------------------------------------------------------


def step(F, v, l, η):
    """(7)  F_n ← F_n + η v_{l_n}

    Shapes: F (N), v (K), l (N) in K, η -> (N)
    """
    return F + η * v[l]


class Draws(NamedTuple):
    """What a tree may see: shares of the rows, drawn anew every `every` trees (0 for never), and of the features."""
    rows: float
    every: int
    features: float

    @property
    def none(self):
        return (self.rows == 1 or not self.every) and self.features == 1


def boosted(binned, slopes, F, η, limits, draws, rng):
    """One `Tree` after the other without end, shrunk by η; `F` (N,) moves by (7) with each.

    `slopes(F)` are g and h of all rows; `limits` are the keywords of `trees.grow`.
    """
    (N, D), rows, features, m = binned.by_row.shape, None, None, 0
    while True:
        if draws.rows < 1 and draws.every and m % draws.every == 0:
            rows = rng.choice(N, max(1, round(draws.rows * N)), replace=False)
        if draws.features < 1:
            features = rng.choice(D, max(1, round(draws.features * D)), replace=False)
        tree, leaf_of = grow(binned, *slopes(F), rows=rows, features=features, **limits)
        F[:] = step(F, tree.value, leaf_of, η)
        m += 1
        yield tree.shrunk(η)
