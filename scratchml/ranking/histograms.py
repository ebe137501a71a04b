"""Histograms of gradients, in whole numbers: what a node knows of all its cuts.

A tree that is to lower a loss needs of a node, for every feature and bin, three sums over the rows that are there: of
the gradients of the loss, of its second derivatives, and of ones.  Most of the time of boosting goes into these sums.
Two things make them cheap.  They are additions into a small table, in whatever order the rows lie.  And a node's sums
are those of its two children together, so only the smaller child is added up, and the other is a difference.

In floating point that difference is not what addition would have given, nor do sums agree that were added in another
order: trees would depend on the order of rows, and on how threads share them out.  So gradients are rounded once, to
whole multiples of a power of two so small that no sum can leave 64 bits.  Whole numbers add up exactly: the tree is the
same for any number of threads and any order of rows, a difference is exact, and counts are counts.

Symbols
    g, h  (N,)        first and second derivative of the loss by the score of each row: g_n, h_n >= 0
    c                 ⌈log2 N⌉
    q, w  (N,)        the same in whole numbers; w has a count, 1, in its lower c bits
    k                 the power of two: q counts multiples of 2^-k
    b     (N, D)      bins, by row: b_nf
    rows  (R,)        numbers of the rows that are at a node
    S     (D, 256, 2) sums of q and w for each feature and bin: a node's histogram
    S_c   (D, 256, 2) that of one of its children

Equations
    (1)  q_n = round(2^k g_n), k = 61 - c - ⌈log2 max |g|⌉             whole_gradients
    (2)  w_n = 2^c round(2^k h_n) + 1, k = 62 - 2c - ⌈log2 max h⌉      whole_hessians
    (3)  S_fb = Σ_{n in rows: b_nf = b} (q_n, w_n)                     histogram
    (4)  of the other child: S - S_c                                   sibling

With N < 2^c the sums stay below 2^63: |Σ q| <= N (2^(61-c) + ½) < 2^62, and Σ w <= N (2^(62-c) + 2^(c-1) + 1), which is
below 2^62 + 2^2c.  Of 200,000 rows a gradient has 43 bits and a second derivative 26; of 16 million 37 and 14.

Choices
    Where all derivatives are 0, k is that of a maximum of 1.
    ⌈log2 x⌉ is the exponent of the next power of two above x, so that x is below it: 1 for x = 1.

Cost
    O(R D) additions for (3), O(D) for (4).  A node's histogram takes 4,096 D bytes.

>>> g, h = np.array([0.5, -0.25, 1.0]), np.array([1.0, 1.0, 0.5])
>>> (q, k), (w, l) = whole_gradients(g), whole_hessians(h)
>>> S = histogram(np.array([[7], [0], [7]], np.uint8), q, w, np.array([0, 2]))
>>> (S[0, 7, 0] * 2.0**-k).item(), ((S[0, 7, 1] >> 2) * 2.0**-l).item(), (S[0, 7, 1] & 3).item()
(1.5, 1.5, 2)

Source: (3) and (4) are those of G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS
2017, algorithm 1; whole numbers in their place are this book's.
"""
import math

import numpy as np

from scratchml.core.instructions import prefetch
from scratchml.core.jit import kernel, run_chunks
from scratchml.ranking.bins import PLACES

WORK = 65_536                                            # rows that are worth a thread
AHEAD = 16                                               # rows between what is fetched and what is added

# --- the equations -------------------------------------------------------------------------------


def whole_gradients(g):
    """(1)  q_n = round(2^k g_n), k = 61 - c - ⌈log2 max |g|⌉

    Shapes: g (N) -> (N), ()
    """
    k = 61 - exponent(len(g)) - exponent(np.abs(g).max(initial=0.0))
    return np.rint(np.ldexp(g, k)).astype(np.int64), k


def whole_hessians(h):
    """(2)  w_n = 2^c round(2^k h_n) + 1, k = 62 - 2c - ⌈log2 max h⌉

    Shapes: h (N) -> (N), ()
    """
    c = exponent(len(h))
    k = 62 - 2 * c - exponent(h.max(initial=0.0))
    return (np.rint(np.ldexp(h, k)).astype(np.int64) << c) + 1, k


def histogram(b, q, w, rows):
    """(3)  S_fb = Σ_{n in rows: b_nf = b} (q_n, w_n)

    Shapes: b (N, D), q (N), w (N), rows (R) in N -> (D, 256, 2)
    """
    S = np.zeros((b.shape[1], PLACES, 2), np.int64)
    for f in range(b.shape[1]):
        np.add.at(S[f], b[rows, f], np.column_stack([q[rows], w[rows]]))
    return S


def sibling(S, S_c):
    """(4)  of the other child: S - S_c

    Shapes: S (D, 256, 2), S_c (D, 256, 2) -> (D, 256, 2)
    """
    return S - S_c


def whole_rows(g, h):
    """q beside w, (N, 2): same result as (1) and (2), because a power of two times a number is exact.

    Unless it is beyond float64 itself; then (1) and (2) do it, each in several passes.
    """
    c = exponent(len(g))
    k = 61 - c - exponent(np.abs(g).max(initial=0.0)), 62 - 2 * c - exponent(h.max(initial=0.0))
    if min(k) < -1000 or max(k) > 1000:
        return np.column_stack([whole_gradients(g)[0], whole_hessians(h)[0]])
    qw = np.empty((len(g), 2), np.int64)
    run_chunks(_whole_chunk, len(g), (g, h), (2.0**k[0], 2.0**k[1], 1 << c), qw, chunk=WORK)
    return qw


def exponent(x):
    """⌈log2 x⌉ as the text has it: x < 2^exponent, and x >= 2^(exponent - 1); 1 for 0."""
    return math.frexp(float(x))[1] if x else 1


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _whole_chunk(c, start, stop, gh, powers, qw):
    """(1) and (2) of rows start ... stop-1; `powers` are 2^k for g, 2^k for h, and 2^c."""
    g, h = gh
    for_g, for_h, count = powers
    for n in range(start, stop):
        qw[n, 0] = np.int64(np.rint(for_g * g[n]))
        qw[n, 1] = np.int64(np.rint(for_h * h[n])) * count + 1


@kernel
def add_rows(b, qw, rows, features, S):
    """The histogram of `rows` into S, for some of the features: same result as (3), because whole numbers add exactly.

    qw (N, 2) holds q beside w.  `rows` rise, but with gaps that no processor guesses, so what is wanted AHEAD rows
    later is fetched now.  `features` are unsigned: an index that may be negative would cost a comparison each.  Both
    sums are read before either is written, so that they go through one register of two.
    """
    for f in features:
        S[f] = 0
    for i in range(len(rows)):
        if i + AHEAD < len(rows):
            prefetch(b, rows[i + AHEAD])
            prefetch(qw, rows[i + AHEAD])
        n = rows[i]
        bins, q, w = b[n], qw[n, 0], qw[n, 1]
        for f in features:
            sums = S[f, bins[f]]
            more_q, more_w = sums[0] + q, sums[1] + w
            sums[0] = more_q
            sums[1] = more_w


@kernel
def take_away(S, S_c, features):
    """(4) into S, for some of the features."""
    for f in features:
        S[f] -= S_c[f]


@kernel
def put_to(S, S_c, features):
    """The sum of both into S, for some of the features."""
    for f in features:
        S[f] += S_c[f]
