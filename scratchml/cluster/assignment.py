"""Which centre is nearest?  Products in low precision, and not one label changed.

This is where k-means spends its time.  `nearest` is the definition, (2) of the chapter on k-means, for one point;
`nearest_of_all` gives the same labels for many points in a fraction of the time, because it computes each distance
as badly as it may: half of the arithmetic, few digits, and a bound that says when that was enough.

    ½‖x - c‖² - ½‖x‖² = ½‖c‖² - x·c =: s(c)

puts the centres in the same order as the distance does, at one multiplication and addition a feature.  It loses
digits by cancellation, but the loss is bounded.  Let x and c be measured from an origin amidst the centres, and let
u = eps / 2 of the precision used.  Rounding x, c and ½‖c‖² and adding up D products changes s(c) by at most
(D + 3) u (‖x‖² + ‖c‖²), and the squared differences of (2), in float64, err by no more.  So with e = 2 (D + 3) eps the
order of two centres a and b is certain if

    s(b) - e ‖b‖² - (s(a) - e ‖a‖²) > 2 e (‖x‖² + ‖a‖²)

and twice over: half of this e would do.  Where the best centre does not lead all others by that much, the point is
left to (2) itself.  Scaling by a power of two keeps the squares within float32; a point beyond its range fails the
test.
"""
import numpy as np

from scratchml.cluster.sparse_points import nearest_of_rows
from scratchml.core.distances import squared_distance
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import SparseTable

TILE = 128      # points that are worked on together
RIM = 16        # unused columns that keep the rows of a tile from falling on the same lines of the cache
FAR = 1e15      # in units of the farthest centre; beyond this the test fails, and squares still are finite
MANY = 32       # centres from which on products take most of the time, and float32 halves it
LONG = 64       # features from which on, with few centres, a point is not worth transposing


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
    """The labels (N,) of the rows of X, an array or a SparseTable: `nearest` for each."""
    if isinstance(X, SparseTable):
        return nearest_of_rows(X, C)
    y = np.empty(len(X), np.int32)
    label, arrays = screen(C)
    run_chunks(label, len(X), X, *arrays, y, chunk=2048)
    return y


def screen(C):
    """The kernel that labels rows fastest, and what it needs to know of the centres: Cᵀ (D, K), `table`, `frame`
    (D+2,).

    `table` (K', D'+1), with K' and D' the next multiples of four, has a centre c in a row, and (½ - e) ‖c‖² behind it;
    in the rows beyond K that is +inf, so they are never the best.  Its type is the precision of the products.
    `frame` is the origin, then the scale, then e.
    """
    K, D = C.shape
    origin = np.median(C.astype(np.float64), axis=0)
    centres = C - origin
    scale = 2.0 ** min(-int(np.frexp(np.abs(centres).max())[1]), 1000)
    precision = np.float32 if K >= MANY else np.float64
    e = 2 * (D + 3) * float(np.finfo(precision).eps)
    table = np.zeros((_by_four(K), _by_four(D) + 1), precision)
    table[:K, :D] = scale * centres
    table[:, -1] = np.inf
    table[:K, -1] = (0.5 - e) * ((scale * centres) ** 2).sum(axis=1)
    label = _label_by_features if K < MANY and D >= LONG else _label_by_points
    return label, (np.ascontiguousarray(C.T), table, np.concatenate([origin, [scale, e]]))


def _by_four(n):
    return -(-n // 4) * 4


@kernel(contract=True)
def _nearest_column(x, CT, squares):
    """`nearest` to the last bit: each square (K,) is summed in order of d, but those of all centres side by side."""
    squares[:] = 0
    for d in range(x.size):
        xd, row = np.float64(x[d]), CT[d]
        for k in range(row.size):
            squares[k] += (xd - row[k]) * (xd - row[k])
    return squares.argmin()


@kernel(contract=True)
def _label_by_points(chunk, start, stop, X, CT, table, frame, y):
    """`nearest` for the rows start ... stop-1 of X, TILE at a time, into `y`; the other arrays are those of
    `screen`."""
    D, columns, scale, e = X.shape[1], table.shape[1] - 1, frame[-2], frame[-1]
    tile, s = np.zeros((columns, TILE + RIM), table.dtype), np.empty((4, TILE + RIM), table.dtype)
    best, second, norm = np.empty(TILE, table.dtype), np.empty(TILE, table.dtype), np.empty(TILE, table.dtype)
    squares = np.empty(CT.shape[1])
    label = np.empty(TILE, np.int32)
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        for i in range(n):
            for j in range(D):
                tile[j, i] = min(max(scale * (X[first + i, j] - frame[j]), -FAR), FAR)
        two_least(tile, table, s, norm, best, second, label)
        for i in range(n):
            square = 2 * table[label[i], columns]  # (1 - 2 e) ‖a‖²; that e is twice what is needed makes up for it
            certain = second[i] - best[i] > 2 * e * (norm[i] + square)
            y[first + i] = label[i] if certain else _nearest_column(X[first + i], CT, squares)


@kernel(contract=True)
def two_least(tile, table, s, norm, best, second, label):
    """The least and the second of the scores of each point in a tile, the k of the least, and ‖x‖².

    `tile` (D', TILE + RIM) has the points in columns, in the frame of the table, so that the lanes of a vector are
    points; four centres by four features at a time, so that a number loaded is used four times.  `s` (4, TILE + RIM)
    is overwritten with the scores of four centres.
    """
    K, columns = table.shape[0], table.shape[1] - 1
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    norm[:], best[:], second[:], label[:] = 0, np.inf, np.inf, 0
    for j in range(columns):
        x = tile[j]
        for i in range(TILE):
            norm[i] += x[i] * x[i]
    for k in range(0, K, 4):
        s0[:], s1[:] = table[k, columns], table[k + 1, columns]
        s2[:], s3[:] = table[k + 2, columns], table[k + 3, columns]
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


@kernel(reassociate=True)
def _label_by_features(chunk, start, stop, X, CT, table, frame, y):
    """The same with features in the lanes, and four centres at a time: no point is transposed."""
    D, K, columns = X.shape[1], table.shape[0], table.shape[1] - 1
    scale, e = frame[D], frame[D + 1]
    x, s, squares = np.empty(D, table.dtype), np.empty(4, table.dtype), np.empty(CT.shape[1])
    for i in range(start, stop):
        norm, best, second, label = 0.0, np.inf, np.inf, 0
        for j in range(D):
            x[j] = min(max(scale * (X[i, j] - frame[j]), -FAR), FAR)
            norm += x[j] * x[j]
        for k in range(0, K, 4):
            a, b, c, d = table[k], table[k + 1], table[k + 2], table[k + 3]
            p, q, u, v = a[columns], b[columns], c[columns], d[columns]
            for j in range(D):
                p -= x[j] * a[j]
                q -= x[j] * b[j]
                u -= x[j] * c[j]
                v -= x[j] * d[j]
            s[0], s[1], s[2], s[3] = p, q, u, v
            for r in range(4):
                second = min(second, max(best, s[r]))
                if s[r] < best:
                    best, label = s[r], k + r
        certain = second - best > 2 * e * (norm + 2 * table[label, columns])
        y[i] = label if certain else _nearest_column(X[i], CT, squares)
