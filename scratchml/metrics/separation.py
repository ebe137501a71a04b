"""How good is a clustering, when nobody knows the truth?

All that can be asked then is whether points are nearer to their own cluster than to the others.  The silhouette asks it
of every point, by its distances to all the others.  Two older answers make do with the clusters' means: one compares
how far these lie apart with how widely the points scatter about them, the other looks at the pairs that overlap most.

Symbols
    X     (N, D)  points, one a row: x_i
    y     (N,)    their labels, of any sortable type
    K             how many labels there are, in sorted order
    n_k, c_k      size and mean of cluster k;  c  mean of all points
    u_i, v_i      mean distance of point i to the other points of its cluster, and the least to those of another
    s_k           mean distance of the points of cluster k to c_k
    [ ]           1 where the statement holds, else 0

Equations
    (1)  Δ_ik = Σ_j [y_j = k] ‖x_i - x_j‖                                           distances_to_clusters
    (2)  s_i = (v_i - u_i) / max(u_i, v_i)                                          silhouette_samples
    (3)  S = (1/N) Σ_i s_i                                                          silhouette_score
    (4)  CH = (Σ_k n_k ‖c_k - c‖² / (K-1)) / (Σ_i ‖x_i - c_{y_i}‖² / (N-K))         calinski_harabasz_score
    (5)  DB = (1/K) Σ_k max_{l≠k} (s_k + s_l) / ‖c_k - c_l‖                         davies_bouldin_score

Choices
    s_i is 0 for a point alone in its cluster, and where u_i = v_i = 0.
    (4) is +inf where every point lies on its centre.  In (5) two clusters without width at one place count 0, two
    with width and the same centre +inf.  scikit-learn calls these 1 and 0.

Cost
    (1) to (3) take O(N² D) time and O(N K) memory, (4) and (5) O(N D + K² D) time.

>>> X, y = [[0.0], [1], [5], [9]], ["a", "a", "b", "b"]
>>> silhouette_samples(X, y).round(3).tolist(), round(davies_bouldin_score(X, y), 6)
([0.857, 0.833, 0.111, 0.529], 0.384615)

Sources: P. Rousseeuw, "Silhouettes", J. Computational and Applied Mathematics 20 (1987), for (2); T. Calinski and
J. Harabasz, "A dendrite method for cluster analysis", Communications in Statistics 3 (1974), for (4); D. Davies and
D. Bouldin, "A cluster separation measure", IEEE Trans. PAMI 1 (1979), for (5).
"""
import numpy as np

from scratchml.core.checks import as_matrix, safe_to_square
from scratchml.core.jit import kernel, run_chunks
from scratchml.metrics.clustering import _numbered, _sizes

# --- near and far --------------------------------------------------------------------------------


def distances_to_clusters(X, labels):
    """(1)  Δ_ik = Σ_j [y_j = k] ‖x_i - x_j‖

    k counts the labels in sorted order.  Errors are those of `silhouette_samples`.

    Shapes: X (N, D), y (N) -> (N, K)
    """
    return _distances_to_clusters(*_clustered(X, labels))


def silhouette_samples(X, labels):
    """(2)  s_i = (v_i - u_i) / max(u_i, v_i)

    From -1, in the wrong cluster, to 1, far from every other.
    Raises ValueError if X (N, D) is not a matrix of finite numbers whose squares neither over- nor underflow, if the
    labels (N,) are not as `contingency` wants them, or if there are not 2 ... N-1 clusters; so do all below.

    Shapes: X (N, D), y (N) -> (N)

    Parameters
    ----------
    X : array (N, D)
        Points.
    labels : array (N,)
        Their clusters.
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
    """(3)  S = (1/N) Σ_i s_i

    Errors are those of `silhouette_samples`.

    Shapes: X (N, D), y (N) -> ()

    Parameters
    ----------
    X : array (N, D)
        Points.
    labels : array (N,)
        Their clusters.
    """
    return float(silhouette_samples(X, labels).mean())


def calinski_harabasz_score(X, labels):
    """(4)  CH = (Σ_k n_k ‖c_k - c‖² / (K-1)) / (Σ_i ‖x_i - c_{y_i}‖² / (N-K))

    The variance between clusters by that within: higher is better.  Errors are those of `silhouette_samples`.

    Shapes: X (N, D), y (N) -> ()

    Parameters
    ----------
    X : array (N, D)
        Points.
    labels : array (N,)
        Their clusters.
    """
    X, y, sizes = _clustered(X, labels)
    X, C = _centred(X, y, sizes)
    off = C - sizes @ C / len(X)  # (K, D) from the mean, of which at an offset rounding has moved c
    between = float((sizes * (off * off).sum(axis=1)).sum())
    within = float(((X - C[y]) ** 2).sum())
    return between / within * (len(X) - len(C)) / (len(C) - 1) if within > 0 else float("inf")


def davies_bouldin_score(X, labels):
    """(5)  DB = (1/K) Σ_k max_{l≠k} (s_k + s_l) / ‖c_k - c_l‖

    How much each cluster overlaps with the one that it overlaps with most: lower is better.
    Errors are those of `silhouette_samples`.

    Shapes: X (N, D), y (N) -> ()

    Parameters
    ----------
    X : array (N, D)
        Points.
    labels : array (N,)
        Their clusters.
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
    X = safe_to_square(as_matrix(X), work=np.float64)
    if X.dtype == np.float32 and not 1e-12 < max(X.max(), -X.min()) < 1e15:
        X = X.astype(np.float64)                         # float32 could not hold the squares
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


def _distances_to_clusters(X, y, sizes):
    """(1) on every core, with the clusters side by side, so that the lanes of a vector are points of one cluster."""
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
    """(1) for the rows start ... stop-1 of X, into `sums` (N, K).

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
