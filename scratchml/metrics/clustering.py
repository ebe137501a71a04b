"""How good is a clustering, compared with labels that are known?

The numbers of clusters mean nothing: a clustering that calls 1 what the truth calls 0 has made no mistake.  So nothing
here compares labels one by one.  Two views count what is the same in both: over pairs of points, which pairs are
together (3), (9); or over single points, how much one label tells about the other (4) to (8).  Many small clusters
agree with anything by chance, so (3) and (7) subtract what a random permutation would give.

Symbols
    a, b  (N,)    labels of N points: the truth and the clustering, of any sortable type
    y     (N,)    labels, where there is only one set of them
    n     (R, S)  contingency table: n_ij points have the i-th label in a and the j-th in b, in sorted order
    n_i, n_j      row and column sums of n;  n_k  size of cluster k
    π             a permutation of the N points
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

Choices
    Natural logarithms: entropies are in nats.  0 log 0 = 0.
    (3), (6) and (7) are 1 where both labelings have one cluster, or both have N; h is 1 where H(a) = 0, c where
    H(b) = 0; (8) is 0 where h = c = 0, (9) where P_ab = 0.

Cost
    (1) to (9) take O(N) time for whole numbers, O(N log N) for other labels, and O(N) memory: only cells of (1) that
    hold a point are kept.  (5) adds O(√n) terms for each pair of different cluster sizes.

>>> a, b = [0, 0, 1, 1, 1], ["x", "x", "y", "y", "x"]
>>> contingency(a, b).tolist()
[[2, 0], [1, 2]]
>>> round(adjusted_rand_score(a, b), 6), round(homogeneity_score(a, b), 6)
(0.166667, 0.432538)

Sources: L. Hubert and P. Arabie, "Comparing partitions", J. Classification 2 (1985), equation 5 for (3); N. Vinh,
J. Epps and J. Bailey, "Information theoretic measures for clusterings comparison", JMLR 11 (2010), for (5) and (7);
A. Rosenberg and J. Hirschberg, "V-measure", EMNLP-CoNLL 2007, for (8); E. Fowlkes and C. Mallows, "A method for
comparing two hierarchical clusterings", J. American Statistical Association 78 (1983), for (9).
"""
from collections.abc import Iterator, MappingView
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import is_missing, real_number, unmasked
from scratchml.core.jit import kernel

# --- what two labelings have in common -----------------------------------------------------------


def contingency(labels_true, labels_pred):
    """(1)  n_ij = Σ_s [a_s = i] [b_s = j]

    Raises ValueError if the labels are not two equally long lists (N,) of one sortable type, without NaN, or if they
    are empty; so do all below.

    Shapes: a (N), b (N) -> (R, S)

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
    """
    shared = _shared(labels_true, labels_pred)
    table = np.zeros((len(shared.rows), len(shared.columns)), np.int64)
    table[shared.i, shared.j] = shared.n
    return table


def entropy(labels):
    """(2)  H(y) = -Σ_k (n_k/N) log(n_k/N)

    Errors are those of `contingency`.

    Shapes: y (N) -> ()

    Parameters
    ----------
    labels : array (N,)
        Labels of the points.
    """
    return _entropy(_sizes(*_numbered(labels, "labels")))


def adjusted_rand_score(labels_true, labels_pred):
    """(3)  ARI = (P_ab - P_a P_b / P) / ((P_a + P_b) / 2 - P_a P_b / P)

    1 for the same clustering, 0 on average by chance, at least -1/2.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
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

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
    """
    return _mutual_info(_shared(labels_true, labels_pred))


def expected_mutual_info(labels_true, labels_pred):
    """(5)  E[I] = mean of I(a, π(b)) over all π

    It depends on the sizes of the clusters alone.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
    """
    return _expected_mutual_info(_shared(labels_true, labels_pred))


def normalized_mutual_info_score(labels_true, labels_pred):
    """(6)  NMI = I / ((H(a) + H(b)) / 2)

    From 0 to 1, the same clustering.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
    """
    shared = _shared(labels_true, labels_pred)
    return _share(_mutual_info(shared), (_entropy(shared.rows) + _entropy(shared.columns)) / 2)


def adjusted_mutual_info_score(labels_true, labels_pred):
    """(7)  AMI = (I - E[I]) / ((H(a) + H(b)) / 2 - E[I])

    1 for the same clustering, 0 on average by chance.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
    """
    shared = _shared(labels_true, labels_pred)
    if len(shared.rows) == len(shared.columns) and len(shared.rows) in (1, shared.n.sum()):
        return 1.0
    expected = _expected_mutual_info(shared)
    most = (_entropy(shared.rows) + _entropy(shared.columns)) / 2
    return (_mutual_info(shared) - expected) / (most - expected)


def homogeneity_score(labels_true, labels_pred):
    """The h of (8): 1 where each cluster has points of one class only.  Errors are those of `contingency`.

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
    """
    shared = _shared(labels_true, labels_pred)
    return _share(_mutual_info(shared), _entropy(shared.rows))


def completeness_score(labels_true, labels_pred):
    """The c of (8): 1 where each class lies in one cluster only.  Errors are those of `contingency`.

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
    """
    return homogeneity_score(labels_pred, labels_true)


def v_measure_score(labels_true, labels_pred, *, beta=1.0):
    """(8)  V_β = (1 + β) h c / (β h + c), with h = I / H(a), c = I / H(b)

    Errors are those of `contingency`, and for a `beta` below 0.

    Shapes: a (N), b (N) -> ()

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
    beta : float, default=1.0
        Weight of completeness; homogeneity has the weight 1.
    """
    beta = real_number(beta, "beta")
    h, c = homogeneity_score(labels_true, labels_pred), completeness_score(labels_true, labels_pred)
    return (1 + beta) * h * c / (beta * h + c) if h > 0 and c > 0 else 0.0


def fowlkes_mallows_score(labels_true, labels_pred):
    """(9)  FM = P_ab / √(P_a P_b)

    The geometric mean of precision and recall over pairs.  Errors are those of `contingency`.

    Shapes: a (N), b (N) -> ()

    Parameters
    ----------
    labels_true, labels_pred : array (N,)
        Labels of the points: the truth, and those to judge.
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
    labels = list(labels) if isinstance(labels, (Iterator, MappingView)) else unmasked(labels, name)
    try:
        labels = np.asarray(labels)
    except ValueError as error:
        raise ValueError(f"{name}: expected a list of labels, got rows of different lengths") from error
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"{name}: expected labels of shape (N,) with N at least 1, got shape {labels.shape}")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all() or \
            labels.dtype.kind in "mMO" and any(map(is_missing, labels)):
        raise ValueError(f"{name}: Input contains NaN or infinity; give each point a label, or leave it out")
    if labels.dtype.kind in "iu" and int(labels.max()) - int(labels.min()) <= 4 * labels.size + 1000:
        wide = labels.astype(np.uint64 if labels.dtype.kind == "u" else np.int64, copy=False)  # int8 has no 100 - -100
        number = (wide - wide.min()).astype(np.int64)
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
