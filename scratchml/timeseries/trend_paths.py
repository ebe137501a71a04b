"""Where a trend may go: as many bends to come as there were, of the size that they had, drawn again and again.

A trend that bent in the past will bend in the future, nobody knows where.  Assume it goes on as it was: bends come at
random, at the rate at which places for them were offered, and their sizes are those of the past on average.  Draw a few
hundred futures, add the noise, and see between which values eight of ten lie.

It is an assumption, and a bold one.  Nothing is said of how sure one is of what was fitted.

Symbols
    t  (T,)    when, ascending; the past ends at 1
    δ  (S,)    changes of slope in the past
    λ          mean size of a change to come
    n          how many changes come until the last t
    s, x  (n,) when they come, ascending, and their sizes
    p  (n,)    which path each belongs to
    P          number of paths
    D  (T, P)  how far each path is off the trend without them
    V  (T, P)  values, in columns of paths
    q  (K,)    which shares of them lie below

Equations
    (1)  λ = mean |δ_j| + 1e-8                                                  mean_size
    (2)  D_ij = Σ_l x_l max(t_i - s_l, 0) over those of path j                  deviations
    (3)  Q_ki = the q_k-quantile of V_i, between its neighbours on a line       quantiles

Choices
    Each path has a Poisson number of changes with mean S (t_T - 1), at uniform times, of Laplace sizes.  Prophet's own
    default draws at most one change a step instead, and half of it a step late.
    Where t <= 1 there is only noise, and no need to draw it: its quantiles are those of the normal distribution.
    One generator makes the changes, and seeds one for the noise of every 256 rows: so bits do not depend on threads.

Cost
    O(T P), for normal numbers and a selection above all.

>>> deviations(np.array([1.0, 1.5, 2.0]), np.array([1.0, 1.5]), np.array([2.0, -4.0]), np.array([0, 1]), 2).tolist()
[[0.0, 0.0], [1.0, 0.0], [2.0, -2.0]]

Source: S. Taylor and B. Letham, "Forecasting at scale", The American Statistician 72 (2018), section 3.1.4.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.jit import kernel, run_chunks

ROWS = 256                                               # of a chunk, fewer where there are many paths
CELLS = 2**18                                            # of a chunk, at most
MOST_CHANGES = 2 * 10**7                                 # of all paths together

# --- the equations -------------------------------------------------------------------------------


def mean_size(δ):
    """(1)  λ = mean |δ_j| + 1e-8

    Shapes: δ (S) -> ()
    """
    return float(np.abs(δ).mean()) + 1e-8


def deviations(t, s, x, p, P):
    """(2)  D_ij = Σ_l x_l max(t_i - s_l, 0) over those of path j

    Shapes: t (T), s (n), x (n), p (n) in P, P -> (T, P)
    """
    D = np.empty((len(t), P))
    run_chunks(_deviations_chunk, len(t), t, s, x, p, D, chunk=ROWS)
    return D


def quantiles(V, q):
    """(3)  Q_ki = the q_k-quantile of V_i, between its neighbours on a line

    Shapes: V (T, P), q (K) -> (K, T)
    """
    V, last = np.sort(V, axis=1), V.shape[1] - 1
    low, part = np.divmod(last * np.asarray(q)[:, None], 1)
    low = low.astype(np.int64)[:, 0]
    return V[:, low].T + part * (V[:, np.minimum(low + 1, last)] - V[:, low]).T


# --- drawing -------------------------------------------------------------------------------------


class Changes(NamedTuple):
    """Of all paths, in order of time."""
    s: np.ndarray                                        # (n,) when
    x: np.ndarray                                        # (n,) size
    p: np.ndarray                                        # (n,) path


def draw_changes(rng, end, δ, S, P):
    """The `Changes` of P paths from 1 to `end`.  Raises ValueError where there are too many to draw."""
    rate = S * max(end - 1, 0.0)
    if rate * P > MOST_CHANGES:
        raise ValueError(f"ds: the last time lies {end - 1:.0f} times as far after the history as the history is long, "
                         f"where {P} paths have {rate * P:.1e} changes of the trend; ask for nearer times, or set "
                         "uncertainty_samples=0")
    counts = rng.poisson(rate, P)
    n = int(counts.sum())
    s, x = 1 + (end - 1) * rng.random(n), rng.laplace(0, mean_size(δ), n)
    order = np.argsort(s)
    return Changes(s[order], x[order], np.repeat(np.arange(P), counts)[order])


def run_blocks(work, T, P, rng):
    """`work(rows, rng)` for slices of T rows of P paths, on every core; each has a generator of its own."""
    rows = max(1, min(ROWS, CELLS // P))
    seeds = rng.integers(2**63, size=-(-T // rows))

    def chunk(c, start, stop):
        work(slice(start, stop), np.random.default_rng(seeds[c]))
    if T:
        run_chunks(chunk, T, chunk=rows)


# --- compiled ------------------------------------------------------------------------------------


@kernel(reassociate=True)
def _deviations_chunk(c, start, stop, t, s, x, p, D):
    """(2) for the rows start ... stop-1: of each path, what its changes so far add to slope and offset."""
    slope, offset, l = np.zeros(D.shape[1]), np.zeros(D.shape[1]), 0
    for i in range(start, stop):
        while l < s.size and s[l] <= t[i]:
            slope[p[l]] += x[l]
            offset[p[l]] += x[l] * s[l]
            l += 1
        for j in range(D.shape[1]):
            D[i, j] = slope[j] * t[i] - offset[j]
