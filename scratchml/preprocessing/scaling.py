"""Scaling: what is far, when one column counts metres and the next one years?

Distances, penalties and gradients take every column at its face value, so the one with the largest numbers decides.
Scaling gives all columns a common measure, learned from one set of samples and used for later ones unchanged: how many
standard deviations above the mean, or how far along the way from the least value to the largest.  Both move and stretch
a column, and leave the shape of its distribution as it is.

Symbols
    X     (N, D)  samples, a feature in each column: x_id, or x if it does not matter which
    w     (N,)    how much each sample counts, w_i >= 0
    n     (D,)    how much there is of each column: Σ_i w_i over the i whose x_id is known
    m, s  (D,)    mean and standard deviation of each column
    n₁, m₁, s₁, n₂, m₂, s₂   the same of two sets; n = n₁ + n₂
    l, g  (D,)    least value of each column, and the largest minus the least
    a, b          the range to map to
    z             a scaled value

Equations
    (1)  m_d = Σ_i w_i x_id / n_d                                                            mean
    (2)  s_d = √ (Σ_i w_i (x_id - m_d)² / n_d)                                               deviation
    (3)  m = (n₁ m₁ + n₂ m₂) / n, s² = (n₁ s₁² + n₂ s₂²) / n + n₁ n₂ (m₁ - m₂)² / n²         merge
    (4)  z = (x - m_d) / s_d                                                                 standard_score
    (5)  z = a + (b - a) (x - l_d) / g_d                                                     min_max

Choices
    A column is constant if s_d <= 8 eps |m_d|, or g_d <= 8 eps max|x|: what is left when equal numbers come about in
    different ways.  It is divided by 1, that is, only moved.  That eps is of float64, in which all is computed, also
    for float32 columns: three values next to each other there, as seconds since 1970 are, are data.  Two are constant.
    (1) sums differences from the first sample and (2) from the mean, the latter in units of a power of two near the
    largest magnitude of the column: an offset costs no digits, and no square over- or underflows.  var_ alone may: s².
    All is computed in float64 and given out in the type that came in.  Values beyond 1e300, whose sums may overflow,
    are refused in `fit`.
    NaN stands for what is not known: sums pass over it, and scaled it is NaN still, as what to put in its place is a
    question of its own.  Where n_d = 0, m_d and s_d are NaN.
    Of sparse rows (2) and (3) make the same of what is stored and of the zeros, two sets, of which one has m = s = 0.

Cost
    O(N D) time.

>>> X = np.array([[1., 10], [2, 10], [6, 40]])
>>> mean(X).tolist(), min_max(X, X.min(axis=0), np.ptp(X, axis=0), 0, 1).tolist()
([3.0, 20.0], [[0.0, 0.0], [0.2, 0.0], [1.0, 1.0]])

Source: T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance: analysis and recommendations",
The American Statistician 37 (1983), equation 1.5 for (3).
"""
import numpy as np

from scratchml.core.jit import kernel, partial_sums, run_chunks

EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny

# --- mean and deviation --------------------------------------------------------------------------


def known(X, w=None):
    """n (D,): the weights `w` (N,), by default 1 each, of the samples of which a column of `X` (N, D) is not NaN."""
    with np.errstate(all="ignore"):
        complete = not np.isnan(X.sum())
    if complete:
        return np.full(X.shape[1], len(X) if w is None else w.sum(), np.float64)
    return _by_chunks(_known_chunk, X, _weights(X, w)).sum(axis=0)


def mean(X, w=None):
    """(1)  m_d = Σ_i w_i x_id / n_d

    Each sample counts once, if no weights are given; so in (2).

    Shapes: X (N, D), w (N) -> (D)
    """
    return _mean(X, _weights(X, w), known(X, w))


def deviation(X, m, w=None):
    """(2)  s_d = √ (Σ_i w_i (x_id - m_d)² / n_d)

    Shapes: X (N, D), m (D), w (N) -> (D)
    """
    return _deviation(X, m, _weights(X, w), known(X, w), _unit(*extremes(X)))


def merge(n1, m1, s1, n2, m2, s2):
    """(3)  m = (n₁ m₁ + n₂ m₂) / n, s² = (n₁ s₁² + n₂ s₂²) / n + n₁ n₂ (m₁ - m₂)² / n²

    Shapes: n₁, m₁ (D), s₁ (D), n₂, m₂ (D), s₂ (D) -> (D), (D)
    """
    f1, f2 = n1 / (n1 + n2), n2 / (n1 + n2)
    within = np.hypot(np.sqrt(f1) * s1, np.sqrt(f2) * s2)
    return m1 + f2 * (m2 - m1), np.hypot(within, np.sqrt(f1 * f2) * (m1 - m2))


def merged(n1, m1, s1, n2, m2, s2):
    """n, m and s of two sets by (3); a column of which one set knows nothing is as in the other."""
    with np.errstate(invalid="ignore"):                  # 0 / 0, where neither knows anything
        both = merge(n1, m1, s1, n2, m2, s2)
    m, s = (np.where(n1 > 0, np.where(n2 > 0, of_both, one), other)
            for of_both, one, other in zip(both, (m1, s1), (m2, s2)))
    return n1 + n2, m, s


def of_matrix(X, w=None):
    """n, m, s, and the least and largest value, (D,) each, of the columns of `X` (N, D)."""
    (low, high), n, w = extremes(X), known(X, w), _weights(X, w)
    m = _mean(X, w, n)
    return n, m, _deviation(X, m, w, n, _unit(low, high)), low, high


def of_sparse(rows, w=None):
    """n, m, s, and the least and largest value, (D,) each, of the columns of sparse `rows` (N, D), whose zeros
    count."""
    (N, D), w = rows.shape, np.ones(rows.shape[0]) if w is None else w
    seen = np.zeros((D, 7))
    seen[:, 5:] = np.inf, -np.inf
    with np.errstate(over="ignore", invalid="ignore"):   # of values that are refused
        _see_entries(rows.indptr, rows.indices, rows.data, w, seen)
    entries, lost, stored, origin, sums, low, high = seen.T
    low, high = (np.where(entries == N, end, with_zero) for end, with_zero in ((low, np.minimum(low, 0)),
                                                                               (high, np.maximum(high, 0))))
    unit = _unit(low, _in_range(low, high))
    m = origin + np.nan_to_num(_shares(sums, stored))
    about = np.column_stack([m, 1 / unit, np.zeros(D)])
    _add_squares(rows.indptr, rows.indices, rows.data, w, about)
    s = unit * np.sqrt(np.nan_to_num(_shares(about[:, 2], stored)))
    zeros = np.where(entries == N, 0, np.maximum(w.sum() - lost - stored, 0))
    zero = np.where(zeros > 0, 0.0, np.nan)              # mean and deviation of the zeros, if there are any
    return *merged(stored, m, s, zeros, zero, zero), low, high


def extremes(X):
    """The least and the largest value of each column, (D,) and (D,).  Raises ValueError for values beyond 1e300.

    Of a column of NaN the least is inf and the largest -inf.
    """
    if X.shape[1] == 1:
        low = np.fmin.reduce(X, initial=np.inf).astype(np.float64)
        return low, _in_range(low, np.fmax.reduce(X, initial=-np.inf).astype(np.float64))
    D, chunk = X.shape[1], _chunk(len(X))
    partial = partial_sums(len(X), chunk, 2 * D)
    run_chunks(_extremes_chunk, len(X), X, partial, chunk=chunk)
    low, high = partial[:, :D].min(axis=0), partial[:, D:2 * D].max(axis=0)
    return low, _in_range(low, high)


def _in_range(low, high):
    if (largest := max(high.max(), -low.min())) > 1e300:
        raise ValueError(f"X: the largest magnitude is {largest:.3g}, sums of which may overflow; divide X by 1e10")
    return high


def _mean(X, w, n):
    first = (~np.isnan(X)).argmax(axis=0) if np.isnan(X[0]).any() else 0
    origin = np.nan_to_num(X[first, np.arange(X.shape[1])].astype(np.float64), nan=0.0)
    return origin + _shares(_by_chunks(_differences_chunk, X, w, origin).sum(axis=0), n)


def _deviation(X, m, w, n, unit):
    return unit * np.sqrt(_shares(_by_chunks(_squares_chunk, X, w, m, 1 / unit).sum(axis=0), n))


def _unit(low, high):
    """A power of two near the largest magnitude of each column, (D,)."""
    return np.ldexp(1.0, np.frexp(np.maximum(high, -low))[1].clip(-1000, None))


def _weights(X, w):
    return np.ones(len(X)) if w is None else w


def _shares(sums, n):
    """sums / n, NaN where n is 0, (D,)."""
    return np.divide(sums, n, out=np.full(len(n), np.nan), where=n > 0)


def _by_chunks(chunk_kernel, X, *arguments):
    """What `chunk_kernel` makes of each column in each chunk of `X`, (chunks, D)."""
    X, chunk = np.ascontiguousarray(X), _chunk(len(X))
    partial = partial_sums(len(X), chunk, X.shape[1])
    run_chunks(chunk_kernel, len(X), X, *arguments, partial, chunk=chunk)
    return partial[:, :X.shape[1]]


def _chunk(N):
    return max(2048, -(-N // 16))


def divisor(spread, magnitude, low, high, dtype):
    """`spread` (D,), but 1 where it is no more than what rounding leaves of a constant column, or subnormal.

    NaN, where nothing is known, stays NaN.  `low` and `high` (D,) are the least and the largest value, which were given
    as `dtype`.
    """
    with np.errstate(over="ignore", under="ignore"):     # a batch before this one may have been of a wider type
        apart = np.nextafter(low.astype(dtype), dtype.type(np.inf)) < high
    spreads = apart & (spread > np.maximum(8 * EPS * magnitude, TINY)) | np.isnan(spread)
    return np.where(spreads, spread, 1.0)


# --- moved and stretched -------------------------------------------------------------------------


def standard_score(X, m, s):
    """(4)  z = (x - m_d) / s_d

    Shapes: X (N, D), m (D), s (D) -> (N, D)
    """
    return moved(X, m, s, 1, 0)


def min_max(X, l, g, a, b):
    """(5)  z = a + (b - a) (x - l_d) / g_d

    Shapes: X (N, D), l (D), g (D), a, b -> (N, D)
    """
    return moved(X, l, g, b - a, a)


def moved(X, *terms):
    """(x - p) / q · f + r of the type of X, (N, D); `terms` are p, q, f, r, each a number or (D,)."""
    table = np.array([np.broadcast_to(term, X.shape[1]) for term in terms], dtype=np.float64)
    return each(_moved_chunk, X, table, dtype=X.dtype)


def moved_entries(rows, q, f):
    """The values x / q · f, of their type, of the stored entries x of `rows` (N, D); q and f are numbers or (D,)."""
    table = np.array([np.broadcast_to(term, rows.shape[1]) for term in (q, f)], dtype=np.float64)
    values = np.empty_like(rows.data)
    run_chunks(_moved_entries, values.size, rows.indices, rows.data, table, values, chunk=100_000)
    return values


def each(chunk_kernel, X, *tables, dtype=np.float64):
    """What `chunk_kernel` makes of each number of `X` by help of the tables, (N, D)."""
    Z = np.empty(X.shape, dtype)
    run_chunks(chunk_kernel, len(X), np.ascontiguousarray(X), *tables, Z, chunk=max(1, 100_000 // X.shape[1]))
    return Z


# --- compiled: rows, or entries, start ... stop-1 of the first array, into the last --------------


@kernel
def _extremes_chunk(c, start, stop, X, partial):
    """min_i x_id and then max_i x_id into partial[c] (2 D,), past NaN."""
    low, high = np.full(X.shape[1], np.inf), np.full(X.shape[1], -np.inf)
    for i in range(start, stop):
        for j in range(X.shape[1]):
            x = np.float64(X[i, j])
            low[j] = x if x < low[j] else low[j]         # not if x is NaN
            high[j] = x if x > high[j] else high[j]
    partial[c, :low.size], partial[c, low.size:2 * low.size] = low, high


@kernel
def _known_chunk(c, start, stop, X, w, partial):
    """Σ_i w_i over what is no NaN, added to partial[c]."""
    for i in range(start, stop):
        for j in range(X.shape[1]):
            partial[c, j] += w[i] if X[i, j] == X[i, j] else 0.0


@kernel(reassociate=True)
def _differences_chunk(c, start, stop, X, w, origin, partial):
    """Σ_i w_i (x_id - origin_d) over what is no NaN, added to partial[c].

    A lone column has its sum in registers, of several terms at a time: one in memory would wait for itself.
    """
    if X.shape[1] == 1:
        column, weights, first, total = X.reshape(X.size)[start:stop], w[start:stop], origin[0], 0.0
        for i in range(column.size):
            x = weights[i] * (np.float64(column[i]) - first)
            total += x if x == x else 0.0
        partial[c, 0] += total
        return
    for i in range(start, stop):
        for j in range(X.shape[1]):
            x = w[i] * (np.float64(X[i, j]) - origin[j])
            partial[c, j] += x if x == x else 0.0


@kernel(reassociate=True)
def _squares_chunk(c, start, stop, X, w, origin, factor, partial):
    """Σ_i w_i ((x_id - origin_d) factor_d)² over what is no NaN, added to partial[c]; a lone column as above."""
    if X.shape[1] == 1:
        column, weights, first, unit, total = X.reshape(X.size)[start:stop], w[start:stop], origin[0], factor[0], 0.0
        for i in range(column.size):
            x = (column[i] - first) * unit
            total += weights[i] * (x * x) if x == x else 0.0
        partial[c, 0] += total
        return
    for i in range(start, stop):
        for j in range(X.shape[1]):
            x = (X[i, j] - origin[j]) * factor[j]
            partial[c, j] += w[i] * (x * x) if x == x else 0.0


@kernel
def _see_entries(indptr, indices, data, w, seen):
    """What of_sparse needs of the stored entries of each column, into its row of `seen` (D, 7): one line of the cache.

    How many there are; Σ_i w_i of those that are NaN, and of the others; the first of these, and Σ_i w_i (x_id - it);
    the least, at first inf, and the largest, at first -inf.
    """
    for i in range(w.size):
        for k in range(indptr[i], indptr[i + 1]):
            x, column = np.float64(data[k]), seen[indices[k]]
            column[0] += 1
            if x != x:
                column[1] += w[i]
                continue
            if column[2] == 0:
                column[3] = x
            column[2] += w[i]
            column[4] += w[i] * (x - column[3])
            column[5], column[6] = min(column[5], x), max(column[6], x)


@kernel
def _add_squares(indptr, indices, data, w, about):
    """Σ_i w_i ((x_id - m_d) f_d)² over the stored entries that are no NaN, added to the third of the numbers `about`
    (D, 3) of each column, the others being m_d and f_d."""
    for i in range(w.size):
        for k in range(indptr[i], indptr[i + 1]):
            column = about[indices[k]]
            x = (data[k] - column[0]) * column[1]
            column[2] += w[i] * (x * x) if x == x else 0.0


@kernel
def _moved_chunk(c, start, stop, X, table, Z):
    """(x - p) / q · f + r, where p, q, f, r are the rows of `table`."""
    p, q, f, r = table[0], table[1], table[2], table[3]
    if X.shape[1] == 1:                                  # several numbers at a time, though no row has them
        column, moved, p, q, f, r = X.reshape(X.size)[start:stop], Z.reshape(Z.size)[start:stop], p[0], q[0], f[0], r[0]
        for i in range(column.size):
            moved[i] = (column[i] - p) / q * f + r
        return
    for i in range(start, stop):
        for j in range(X.shape[1]):
            Z[i, j] = (X[i, j] - p[j]) / q[j] * f[j] + r[j]


@kernel
def _moved_entries(c, start, stop, indices, data, table, values):
    """x / q · f for stored entries, where q and f are the rows of `table`."""
    q, f = table[0], table[1]
    for k in range(start, stop):
        values[k] = data[k] / q[indices[k]] * f[indices[k]]
