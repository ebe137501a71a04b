"""How good is a clustering?  Compared with labels that are known, or judged by its points alone.

The numbers of clusters mean nothing: a clustering that calls 1 what the truth calls 0 has made no mistake.  So nothing
here compares labels one by one.  Where the truth is known, two views count what is the same in both: over pairs of
points, which pairs are together (3), (9); or over single points, how much one label tells about the other (4) to (8).
Many small clusters agree with anything by chance, so (3) and (7) subtract what a random permutation would give.
Without a truth, (10) to (14) ask whether points are nearer to their own cluster than to the others.

Symbols
    a, b  (N,)    labels of N points: the truth and the clustering, of any sortable type
    y     (N,)    labels, where there is only one set of them
    n     (R, S)  contingency table: n_ij points have the i-th label in a and the j-th in b, in sorted order
    X     (N, D)  points, one a row: x_i
    n_i, n_j      row and column sums of n;  n_k, c_k  size and mean of cluster k;  c  mean of all points
    π             a permutation of the N points
    u_i, v_i      mean distance of point i to the other points of its cluster, and the least to those of another
    s_k           mean distance of the points of cluster k to c_k
    [ ]           1 where the statement holds, else 0

Equations
    (1)  n_ij = Σ_s [a_s = i] [b_s = j]                                              contingency
    (2)  H(y) = -Σ_k (n_k/N) log(n_k/N)                                              entropy
    (3)  ARI = (P_ab - P_a P_b / P) / ((P_a + P_b) / 2 - P_a P_b / P)                adjusted_rand_score
         with P all pairs of points, P_a those together in a, P_ab those together in both
    (4)  I(a, b) = Σ_ij (n_ij/N) log(N n_ij / (n_i n_j))                             mutual_info_score
    (5)  E[I] = mean of I(a, π(b)) over all π                                        expected_mutual_info
    (6)  NMI = I / ((H(a) + H(b)) / 2)                                               normalized_mutual_info_score
    (7)  AMI = (I - E[I]) / ((H(a) + H(b)) / 2 - E[I])                               adjusted_mutual_info_score
    (8)  V_β = (1 + β) h c / (β h + c), with h = I / H(a), c = I / H(b)              v_measure_score
    (9)  FM = P_ab / √(P_a P_b)                                                      fowlkes_mallows_score
    (10)  Δ_ik = Σ_j [y_j = k] ‖x_i - x_j‖                                           distances_to_clusters
    (11)  s_i = (v_i - u_i) / max(u_i, v_i)                                          silhouette_samples
    (12)  S = (1/N) Σ_i s_i                                                          silhouette_score
    (13)  CH = (Σ_k n_k ‖c_k - c‖² / (K-1)) / (Σ_i ‖x_i - c_{y_i}‖² / (N-K))         calinski_harabasz_score
    (14)  DB = (1/K) Σ_k max_{l≠k} (s_k + s_l) / ‖c_k - c_l‖                         davies_bouldin_score

Choices
    Natural logarithms: entropies are in nats.  0 log 0 = 0.
    (3), (6) and (7) are 1 where both labelings have one cluster, or both have N; h is 1 where H(a) = 0, c where
    H(b) = 0; (8) is 0 where h = c = 0, (9) where P_ab = 0.
    s_i is 0 for a point alone in its cluster, and where u_i = v_i = 0.
    (13) is +inf where every point lies on its centre.  In (14) two clusters without width at one place count 0, two
    with width and the same centre +inf.  scikit-learn calls these 1 and 0.

Cost
    (1) to (9) take O(N) time for whole numbers, O(N log N) for other labels, and O(N) memory: only cells of (1) that
    hold a point are kept.  (5) adds O(√n) terms for each pair of different cluster sizes.
    (10) to (12) take O(N² D) time and O(N K) memory, (13) and (14) O(N D + K² D).

>>> a, b = [0, 0, 1, 1, 1], ["x", "x", "y", "y", "x"]
>>> contingency(a, b).tolist()
[[2, 0], [1, 2]]
>>> round(adjusted_rand_score(a, b), 6), round(homogeneity_score(a, b), 6)
(0.166667, 0.432538)

Sources: L. Hubert and P. Arabie, "Comparing partitions", J. Classification 2 (1985), equation 5 for (3); N. Vinh,
J. Epps and J. Bailey, "Information theoretic measures for clusterings comparison", JMLR 11 (2010), for (5) and (7);
A. Rosenberg and J. Hirschberg, "V-measure", EMNLP-CoNLL 2007; E. Fowlkes and C. Mallows, J. American Statistical
Association 78 (1983); P. Rousseeuw, "Silhouettes", J. Computational and Applied Mathematics 20 (1987); T. Calinski and
J. Harabasz, Communications in Statistics 3 (1974); D. Davies and D. Bouldin, IEEE Trans. PAMI 1 (1979).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_matrix, real_number, safe_to_square
from scratchml.core.jit import kernel, run_chunks

# --- what two labelings have in common -----------------------------------------------------------


def contingency(labels_true, labels_pred):
    """(1)  n_ij = Σ_s [a_s = i] [b_s = j]

    Raises ValueError if the labels are not two equally long lists (N,) of one sortable type, without NaN, or if they
    are empty; so do all below.

    Shapes: a (N), b (N) -> (R, S)
    """
    shared = _shared(labels_true, labels_pred)
    table = np.zeros((len(shared.rows), len(shared.columns)), np.int64)
    table[shared.i, shared.j] = shared.n
    return table


def entropy(labels):
    """(2)  H(y) = -Σ_k (n_k/N) log(n_k/N)

    Errors are those of `contingency`.

    Shapes: y (N) -> ()
    """
    return _entropy(_sizes(*_numbered(labels, "labels")))


def adjusted_rand_score(labels_true, labels_pred):
    """(3)  ARI = (P_ab - P_a P_b / P) / ((P_a + P_b) / 2 - P_a P_b / P)

    1 for the same clustering, 0 on average by chance, at least -1/2.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()
    """
    shared = _shared(labels_true, labels_pred)
    together, in_a, in_b = _pairs(shared.n), _pairs(shared.rows), _pairs(shared.columns)
    pairs = _pairs(shared.rows.sum(keepdims=True))
    if in_a == in_b and in_a in (0, pairs):
        return 1.0
    return 2 * (together * pairs - in_a * in_b) / ((in_a + in_b) * pairs - 2 * in_a * in_b)


def mutual_info_score(labels_true, labels_pred):
    """(4)  I(a, b) = Σ_ij (n_ij/N) log(N n_ij / (n_i n_j))

    In nats.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()
    """
    return _mutual_info(_shared(labels_true, labels_pred))


def expected_mutual_info(labels_true, labels_pred):
    """(5)  E[I] = mean of I(a, π(b)) over all π

    It depends on the sizes of the clusters alone.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()
    """
    return _expected_mutual_info(_shared(labels_true, labels_pred))


def normalized_mutual_info_score(labels_true, labels_pred):
    """(6)  NMI = I / ((H(a) + H(b)) / 2)

    From 0 to 1, the same clustering.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()
    """
    shared = _shared(labels_true, labels_pred)
    return _share(_mutual_info(shared), (_entropy(shared.rows) + _entropy(shared.columns)) / 2)


def adjusted_mutual_info_score(labels_true, labels_pred):
    """(7)  AMI = (I - E[I]) / ((H(a) + H(b)) / 2 - E[I])

    1 for the same clustering, 0 on average by chance.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()
    """
    shared = _shared(labels_true, labels_pred)
    if len(shared.rows) == len(shared.columns) and len(shared.rows) in (1, shared.n.sum()):
        return 1.0
    expected = _expected_mutual_info(shared)
    most = (_entropy(shared.rows) + _entropy(shared.columns)) / 2
    return (_mutual_info(shared) - expected) / (most - expected)


def homogeneity_score(labels_true, labels_pred):
    """The h of (8), of labels (N,): 1 where each cluster has points of one class only.  Errors as in `contingency`."""
    shared = _shared(labels_true, labels_pred)
    return _share(_mutual_info(shared), _entropy(shared.rows))


def completeness_score(labels_true, labels_pred):
    """The c of (8), of labels (N,): 1 where each class lies in one cluster only.  Errors are those of `contingency`."""
    return homogeneity_score(labels_pred, labels_true)


def v_measure_score(labels_true, labels_pred, *, beta=1.0):
    """(8)  V_β = (1 + β) h c / (β h + c), with h = I / H(a), c = I / H(b)

    `beta` above 1 gives completeness more weight.  Errors are those of `contingency`, and for a `beta` below 0.

    Shapes: a (N), b (N) -> ()
    """
    beta = real_number(beta, "beta")
    h, c = homogeneity_score(labels_true, labels_pred), completeness_score(labels_true, labels_pred)
    return (1 + beta) * h * c / (beta * h + c) if h > 0 and c > 0 else 0.0


def fowlkes_mallows_score(labels_true, labels_pred):
    """(9)  FM = P_ab / √(P_a P_b)

    The geometric mean of precision and recall over pairs.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()
    """
    shared = _shared(labels_true, labels_pred)
    together = _pairs(shared.n)
    return together / _pairs(shared.rows) ** 0.5 / _pairs(shared.columns) ** 0.5 if together else 0.0


class Shared(NamedTuple):
    """The cells of (1) that are not zero, n at (i, j), and its row and column sums."""
    i: np.ndarray                                        # (L,) L at most N
    j: np.ndarray                                        # (L,)
    n: np.ndarray                                        # (L,)
    rows: np.ndarray                                     # (R,)
    columns: np.ndarray                                  # (S,)


def _shared(labels_true, labels_pred):
    (a, R), (b, S) = _numbered(labels_true, "labels_true"), _numbered(labels_pred, "labels_pred")
    if a.size != b.size:
        raise ValueError(f"labels_true and labels_pred: expected the same length, got {a.size} and {b.size}")
    cell = a * S + b                                     # (N,)
    if R * S <= 4 * a.size + 1000:
        counts = np.bincount(cell, minlength=R * S)
        cell = np.flatnonzero(counts)
        counts = counts[cell]
    else:
        cell, counts = np.unique(cell, return_counts=True)
    return Shared(cell // S, cell % S, counts, _sizes(a, R), _sizes(b, S))


def _numbered(labels, name):
    """`labels` as the numbers 0 ... K-1 of their values in sorted order, int64 (N,), and K.  Raises ValueError."""
    try:
        labels = np.asarray(labels)
    except ValueError as error:
        raise ValueError(f"{name}: expected a list of labels, got rows of different lengths") from error
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"{name}: expected labels of shape (N,) with N at least 1, got shape {labels.shape}")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"{name}: Input contains NaN or infinity; give each point a label, or leave it out")
    if labels.dtype.kind in "iu" and int(labels.max()) - int(labels.min()) <= 4 * labels.size + 1000:
        number = (labels - labels.min()).astype(np.int64)
        present = np.bincount(number) > 0                # (largest - smallest + 1,)
        return (present.cumsum() - 1)[number], int(present.sum())
    try:
        values, number = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"{name}: expected labels of one sortable type, got several: {error}") from error
    return number.astype(np.int64).reshape(-1), len(values)


def _sizes(number, K):
    return np.bincount(number, minlength=K)


def _pairs(sizes):
    """How many pairs of points are together in groups of these sizes: an exact whole number."""
    return sum(n * (n - 1) // 2 for n in sizes.tolist())


def _entropy(sizes):
    share = sizes / sizes.sum()
    return max(0.0, -float((share * np.log(share)).sum()))


def _mutual_info(shared):
    N = shared.n.sum()
    ratio = shared.n / shared.rows[shared.i] * (N / shared.columns[shared.j])      # N n_ij may not fit
    return max(0.0, float((shared.n / N * np.log(ratio)).sum()))


def _share(information, whole):
    """information / whole, from 0 to 1 whatever the rounding; 1 where there is nothing to know."""
    return min(1.0, information / whole) if whole > 0 else 1.0


# --- what the points say -------------------------------------------------------------------------


def distances_to_clusters(X, labels):
    """(10)  Δ_ik = Σ_j [y_j = k] ‖x_i - x_j‖

    k counts the labels in sorted order.  Errors are those of `silhouette_samples`.

    Shapes: X (N, D), y (N) -> (N, K)
    """
    return _distances_to_clusters(*_clustered(X, labels))


def silhouette_samples(X, labels):
    """(11)  s_i = (v_i - u_i) / max(u_i, v_i)

    From -1, in the wrong cluster, to 1, far from every other.
    Raises ValueError if X (N, D) is not a matrix of finite numbers whose squares neither over- nor underflow, if the
    labels (N,) are not as `contingency` wants them, or if there are not 2 ... N-1 clusters; so do all below.

    Shapes: X (N, D), y (N) -> (N)
    """
    X, y, sizes = _clustered(X, labels)
    sums = _distances_to_clusters(X, y, sizes)           # (N, K)
    own = np.arange(len(X)), y
    inside = sums[own] / np.maximum(sizes[y] - 1, 1)     # u (N,)
    sums /= sizes
    sums[own] = np.inf
    outside = sums.min(axis=1)                           # v (N,)
    larger = np.maximum(inside, outside)
    return np.where((sizes[y] > 1) & (larger > 0), (outside - inside) / np.where(larger > 0, larger, 1), 0.0)


def silhouette_score(X, labels):
    """(12)  S = (1/N) Σ_i s_i

    Errors are those of `silhouette_samples`.

    Shapes: X (N, D), y (N) -> ()
    """
    return float(silhouette_samples(X, labels).mean())


def calinski_harabasz_score(X, labels):
    """(13)  CH = (Σ_k n_k ‖c_k - c‖² / (K-1)) / (Σ_i ‖x_i - c_{y_i}‖² / (N-K))

    The variance between clusters by that within: higher is better.  Errors are those of `silhouette_samples`.

    Shapes: X (N, D), y (N) -> ()
    """
    X, y, sizes = _clustered(X, labels)
    X, C = _centred(X, y, sizes)
    between = float((sizes * (C * C).sum(axis=1)).sum())
    within = float(((X - C[y]) ** 2).sum())
    return between / within * (len(X) - len(C)) / (len(C) - 1) if within > 0 else float("inf")


def davies_bouldin_score(X, labels):
    """(14)  DB = (1/K) Σ_k max_{l≠k} (s_k + s_l) / ‖c_k - c_l‖

    How much each cluster overlaps with the one that it overlaps with most: lower is better.
    Errors are those of `silhouette_samples`.

    Shapes: X (N, D), y (N) -> ()
    """
    X, y, sizes = _clustered(X, labels)
    X, C = _centred(X, y, sizes)
    width = np.bincount(y, np.sqrt(((X - C[y]) ** 2).sum(axis=1))) / sizes         # s (K,)
    worst = np.empty(len(C))
    for k in range(len(C)):
        both, apart = width + width[k], np.sqrt(((C - C[k]) ** 2).sum(axis=1))     # (K,)
        overlap = np.where(both > 0, np.inf, 0.0)
        np.divide(both, apart, out=overlap, where=apart > 0)
        worst[k] = np.delete(overlap, k).max()
    return float(worst.mean())


def _clustered(X, labels):
    """X (N, D), the labels as numbers (N,) and the clusters' sizes (K,), K from 2 to N-1.  Raises ValueError."""
    X = safe_to_square(as_matrix(X))
    y, K = _numbered(labels, "labels")
    if y.size != len(X):
        raise ValueError(f"labels: expected one for each of the {len(X)} rows of X, got {y.size}")
    if not 1 < K < len(X):
        raise ValueError(f"labels: Number of labels is {K}. Valid values are 2 to n_samples - 1 = {len(X) - 1} "
                         "(inclusive); a score compares clusters, some with several points")
    return X, y, _sizes(y, K)


def _centred(X, y, sizes):
    """X - c (N, D) in float64 and the means c_k - c (K, D) of its clusters."""
    X = X - X.mean(axis=0, dtype=np.float64)
    C = np.stack([np.bincount(y, column) for column in X.T], axis=1) / sizes[:, None]
    return X, C


# --- compiled ------------------------------------------------------------------------------------


def _expected_mutual_info(shared):
    """(5) from the sizes of the clusters: same result, because clusters of equal size have equal expectations.

    Over all π, n_ij is hypergeometric, and the terms of (4) depend on i only by n_i, on j only by n_j.
    """
    (n_i, of_i), (n_j, of_j) = (np.unique(sizes, return_counts=True) for sizes in (shared.rows, shared.columns))
    terms = np.empty((len(n_i), len(n_j)))
    _expected_terms(n_i.astype(np.float64), n_j.astype(np.float64), float(shared.n.sum()), terms)
    return float(of_i @ terms @ of_j)


@kernel
def _expected_terms(n_i, n_j, N, terms):
    """The expectation of (n/N) log(N n / (n_i n_j)) for n hypergeometric, for each pair of sizes, into `terms`.

    The probabilities are followed by their ratio from the largest, set to 1, to both sides until they are too small
    to count, and divided by their sum: no factorial is needed.
    """
    for i in range(n_i.size):
        for j in range(n_j.size):
            a, b = n_i[i], n_j[j]
            first, last = max(0.0, a + b - N), min(a, b)
            mode = min(last, max(first, np.floor((a + 1) * (b + 1) / (N + 2))))
            weight, total, sum_p = 1.0, 0.0, 0.0
            n = mode
            while n <= last and weight > 1e-20:
                if n > 0:
                    total += weight * n * np.log(n / a * (N / b))
                sum_p += weight
                weight *= (a - n) * (b - n) / ((n + 1) * (N - a - b + n + 1))
                n += 1
            n, weight = mode, 1.0
            while n > first and weight > 1e-20:
                weight *= n * (N - a - b + n) / ((a - n + 1) * (b - n + 1))
                n -= 1
                if n > 0:
                    total += weight * n * np.log(n / a * (N / b))
                sum_p += weight
            terms[i, j] = total / sum_p / N


def _distances_to_clusters(X, y, sizes):
    """(10) on every core, with the clusters side by side, so that the lanes of a vector are points of one cluster."""
    if X.shape[1] % 2:
        X = np.hstack([X, np.zeros_like(X[:, :1])])      # features are taken two at a time
    order = np.argsort(y, kind="stable")
    side_by_side = np.ascontiguousarray(X[order].T)      # (D, N)
    bounds = np.concatenate([[0], sizes.cumsum()])       # (K+1,) where each cluster begins
    sums = np.empty((len(X), len(sizes)))
    run_chunks(_distance_sums, len(X), X, side_by_side, bounds, sums, chunk=max(4, 400_000 // X.size * 4))
    return sums


@kernel(reassociate=True)
def _distance_sums(c, start, stop, X, side_by_side, bounds, sums):
    """(10) for the rows start ... stop-1 of X, into `sums` (N, K).

    Four rows by two features at a time, so that a number loaded is used eight times; where fewer than four rows are
    left, the last is worked on again.
    """
    tile = 256
    squares = np.empty((4, tile), X.dtype)
    s0, s1, s2, s3 = squares[0], squares[1], squares[2], squares[3]
    for i0 in range(start, stop, 4):
        i1, i2, i3 = min(i0 + 1, stop - 1), min(i0 + 2, stop - 1), min(i0 + 3, stop - 1)
        for k in range(bounds.size - 1):
            t0 = t1 = t2 = t3 = 0.0
            for first in range(bounds[k], bounds[k + 1], tile):
                n = min(tile, bounds[k + 1] - first)
                squares[:] = 0
                for d in range(0, X.shape[1], 2):
                    a0, a1, a2, a3 = X[i0, d], X[i1, d], X[i2, d], X[i3, d]
                    b0, b1, b2, b3 = X[i0, d + 1], X[i1, d + 1], X[i2, d + 1], X[i3, d + 1]
                    x, y = side_by_side[d, first:first + n], side_by_side[d + 1, first:first + n]
                    for j in range(n):
                        p, q = x[j], y[j]                # read once: a write to s0 might change x
                        s0[j] += (p - a0) * (p - a0) + (q - b0) * (q - b0)
                        s1[j] += (p - a1) * (p - a1) + (q - b1) * (q - b1)
                        s2[j] += (p - a2) * (p - a2) + (q - b2) * (q - b2)
                        s3[j] += (p - a3) * (p - a3) + (q - b3) * (q - b3)
                for j in range(n):
                    t0 += np.sqrt(s0[j])
                    t1 += np.sqrt(s1[j])
                    t2 += np.sqrt(s2[j])
                    t3 += np.sqrt(s3[j])
            sums[i0, k], sums[i1, k], sums[i2, k], sums[i3, k] = t0, t1, t2, t3
