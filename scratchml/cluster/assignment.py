"""Which centre is nearest?  Products instead of squared differences, and not one label changed.

This is where k-means spends its time.  `nearest` is the definition, (2) of the chapter on k-means, for one point;
`nearest_of_all` gives the same labels for many points in less time: it takes each from a cheaper score, wherever
rounding cannot have decided it.
"""
import numpy as np

from scratchml.core.distances import squared_distance
from scratchml.core.jit import kernel, run_chunks

TILE = 128      # points that are worked on together
RIM = 8         # unused columns that keep the rows of a tile from falling on the same lines of the cache


@kernel
def nearest(x, C):
    """argmin_k ‖x - c_k‖², the lowest such k, for one point x (D,) and the rows c_k of C (K, D)."""
    k, least = 0, np.inf
    for j in range(C.shape[0]):
        distance = squared_distance(x, C[j])
        if distance < least:
            k, least = j, distance
    return k


def nearest_of_all(X, C):
    """Same result as (2), because only labels that rounding cannot have decided are taken from products.

    ½‖x-c‖² - ½‖x‖² = ½‖c‖² - x·c takes half the arithmetic of a sum of squared differences, and loses digits.  The
    loss is bounded: with u = eps / 2, and x and c measured from an origin amidst the centres, at most
    (D + 4) u (½‖c‖² + ‖x‖‖c‖) for this score and (D + 2) u (‖x‖ + ‖c‖)² for the squares of (2).  So where the best
    score leads by 2 (D + 4) eps (‖x‖² + max_k ‖c_k‖²), (2) has the same answer; elsewhere (2) itself is asked.
    The kernel asks for twice that lead.
    """
    K, D = C.shape
    origin = C.mean(axis=0)
    table = np.zeros((_by_four(K) + 1, _by_four(D) + 1), X.dtype)
    table[:K, :D] = C - origin
    table[:, -1] = np.inf                                # what pads the centres is never the best
    table[:K, -1] = (table[:K, :D] ** 2).sum(axis=1) / 2
    table[-1, :D] = origin
    y = np.empty(len(X), np.int32)
    slack = X.dtype.type(4 * (D + 4) * np.finfo(X.dtype).eps)
    run_chunks(_nearest_chunk, len(X), X, C, table, slack, y, chunk=2048)
    return y


def _by_four(n):
    return -(-n // 4) * 4


@kernel(contract=True)
def _nearest_chunk(c, start, stop, X, C, table, slack, y):
    """(2) for the rows start ... stop-1 of X, TILE at a time, into `y`; `table` and `slack` are those of `nearest_of_all`.

    Transposed, so that the lanes of a vector are points; four centres by four features at a time, so that a
    number loaded is used four times.
    """
    D, columns, rows = X.shape[1], table.shape[1] - 1, table.shape[0] - 1
    origin, half = table[rows], table[:, columns]
    radius = 0.0
    for k in range(C.shape[0]):
        radius = max(radius, 2 * half[k])
    tile = np.zeros((columns, TILE + RIM), X.dtype)
    s = np.empty((4, TILE), X.dtype)                     # scores of four centres
    best, second, norm = np.empty(TILE, X.dtype), np.empty(TILE, X.dtype), np.empty(TILE, X.dtype)
    label = np.empty(TILE, np.int32)
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        norm[:] = 0
        for i in range(n):
            for j in range(D):
                tile[j, i] = X[first + i, j] - origin[j]
        for j in range(D):
            x = tile[j]
            for i in range(TILE):
                norm[i] += x[i] * x[i]
        best[:], second[:], label[:] = np.inf, np.inf, 0
        for k in range(0, rows, 4):
            s0[:], s1[:], s2[:], s3[:] = half[k], half[k + 1], half[k + 2], half[k + 3]
            for j in range(0, columns, 4):
                x0, x1, x2, x3 = tile[j], tile[j + 1], tile[j + 2], tile[j + 3]
                a0, a1, a2, a3 = table[k, j], table[k, j + 1], table[k, j + 2], table[k, j + 3]
                b0, b1, b2, b3 = table[k + 1, j], table[k + 1, j + 1], table[k + 1, j + 2], table[k + 1, j + 3]
                c0, c1, c2, c3 = table[k + 2, j], table[k + 2, j + 1], table[k + 2, j + 2], table[k + 2, j + 3]
                d0, d1, d2, d3 = table[k + 3, j], table[k + 3, j + 1], table[k + 3, j + 2], table[k + 3, j + 3]
                for i in range(TILE):
                    p, q, u, v = x0[i], x1[i], x2[i], x3[i]       # read once: a write to s0 might change x0
                    s0[i] = s0[i] - p * a0 - q * a1 - u * a2 - v * a3
                    s1[i] = s1[i] - p * b0 - q * b1 - u * b2 - v * b3
                    s2[i] = s2[i] - p * c0 - q * c1 - u * c2 - v * c3
                    s3[i] = s3[i] - p * d0 - q * d1 - u * d2 - v * d3
            for i in range(TILE):
                least, runner_up, name = best[i], second[i], label[i]
                for r in range(4):
                    runner_up = min(runner_up, max(least, s[r, i]))
                    name = np.int32(k + r) if s[r, i] < least else name
                    least = min(least, s[r, i])
                best[i], second[i], label[i] = least, runner_up, name
        for i in range(n):
            certain = second[i] - best[i] > slack * (norm[i] + radius)
            y[first + i] = label[i] if certain else nearest(X[first + i], C)
