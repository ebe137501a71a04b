"""Bisecting k-means: begin with one cluster, and cut the worst in two until there are K.

k-means with many centres has many bad local minima: two centres share one heap while another heap is cut short.  With
two centres it is easily right.  So cut all points in two, then again and again the cluster that leaves most squared
distance.  What comes out is a tree; a new point goes down it, from cut to cut, two distances each.

Symbols
    X     (N, D)  points, one a row: x_i
    w     (N,)    their weights, not negative
    C     (K, D)  centres, one a row: c_k
    y     (N,)    label of each point
    J     (K,)    what each cluster leaves
    T     (L, 2, D)  the two centres of each cut, in order
    t     (L,)    the cluster that each cut has cut
    [ ]           1 where the statement holds, else 0

Equations
    (1)  J_k = Σ_i [y_i = k] w_i ‖x_i - c_k‖²                                         left_over
    (2)  k = argmax_k J_k, the lowest such k                                          worst
    (3)  y_i ← l + 1 where y_i = t_l and ‖x_i - T_l2‖² < ‖x_i - T_l1‖², for l = 0, 1, ...    replay
         from y_i = 0

Choices
    The cut is a fit of `KMeans` with two clusters.  The half near its first centre keeps the number of the cluster, the
    other gets the next free one.  A cluster is cut no further if its points coincide: then there may be fewer than K,
    with a ConvergenceWarning.
    (1) is the larger J of k-means only where a cluster is worth cutting; "largest_cluster" counts weight instead, and
    gives clusters of more equal size.

Cost
    A cut of n points takes O(n D) an iteration: all of them O(N D log K) where cuts are even, O(N D K) at worst.
    A new point takes O(D) for each cut that it meets.

>>> X = np.array([[0.0], [1], [10], [11], [30], [32]])
>>> model = BisectingKMeans(3, random_state=0).fit(X)
>>> sorted(model.cluster_centers_.ravel().tolist()), model.inertia_
([0.5, 10.5, 31.0], 3.0)

Source: M. Steinbach, G. Karypis and V. Kumar, "A comparison of document clustering techniques", KDD workshop on text
mining (2000), section 3.
"""
import numpy as np

from scratchml.cluster.assignment import nearest_of_all
from scratchml.cluster.kmeans import KMeans, _clusters_among
from scratchml.cluster.kmeans_bounds import SEARCHES
from scratchml.cluster.kmeans_sums import cluster_sums
from scratchml.core.checks import one_of, real_number, safe_to_square, sample_weights, whole_number
from scratchml.core.estimator import warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import SparseTable

LOST = float(np.finfo(np.float64).tiny) / float(np.finfo(np.float64).eps) ** 2      # squares below may lose digits

# --- cutting -------------------------------------------------------------------------------------


def left_over(X, w, C, y):
    """(1)  J_k = Σ_i [y_i = k] w_i ‖x_i - c_k‖²

    Shapes: X (N, D), w (N), C (K, D), y (N) -> (K)
    """
    return cluster_sums(X, w, C, y)[:, -1]


def worst(J):
    """(2)  k = argmax_k J_k, the lowest such k

    Shapes: J (K) -> ()
    """
    return int(J.argmax())


def replay(X, T, t):
    """(3)  y_i ← l + 1 where y_i = t_l and ‖x_i - T_l2‖² < ‖x_i - T_l1‖², for l = 0, 1, ...

    Shapes: X (N, D), T (L, 2, D), t (L) -> (N)
    """
    y = np.zeros(len(X), np.int32)
    for l in range(len(t)):
        met = np.flatnonzero(y == t[l])
        y[met[nearest_of_all(X[met], T[l]) == 1]] = l + 1
    return y


# --- the estimator -------------------------------------------------------------------------------


class BisectingKMeans(KMeans):
    """K-means clusters found by cutting: (2), then `KMeans` with two clusters on the points of the worst.

    Parameters
    ----------
    n_clusters : int, default=8
        K.
    init : {"k-means++", "random"} or callable, default="k-means++"
        How a cut starts, as in `KMeans`.
    n_init : int or "auto", default=1
        Starts of each cut to try, as in `KMeans`.
    max_iter : int, default=300
        Iterations of one start of a cut at most.
    tol : float, default=1e-4
        Stop a cut when both centres move no more than this, measured as by `KMeans`.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the starts; an int gives the same bits on any number of threads.
    algorithm : {"auto", "lloyd", "elkan", "hamerly"}, default="auto"
        How a cut looks for the nearer of its two centres, as in `KMeans`.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default="biggest_inertia"
        Whether to cut the cluster with the largest (1) or with the most weight.
    verbose : int, default=0
        1 for a line to stderr after each cut.
    callback : callable or None, default=None
        Called with a `Progress` after each cut; returning True stops the fit.

    Attributes
    ----------
    cluster_centers_ : (K, D), in the units of X
    labels_ : (N,), where (3) leads each sample
    inertia_ : Σ_k J_k, in squared units of X
    cuts_, cut_clusters_ : T (K-1, 2, D) and t (K-1,)
    """

    def __init__(self, n_clusters=8, *, init="k-means++", n_init=1, max_iter=300, tol=1e-4, random_state=None,
                 algorithm="auto", bisecting_strategy="biggest_inertia", verbose=0, callback=None):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.algorithm = algorithm
        self.bisecting_strategy = bisecting_strategy
        self.verbose = verbose
        self.callback = callback

    def fit(self, X, y=None, sample_weight=None):
        """Cut the points into K clusters.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the clusters of the last finished cut.
        Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow, K > N.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points.
        y : None, default=None
            Ignored.
        sample_weight : array (N,) or None, default=None
            Weights of the points; None for 1 each.
        """
        X = self._fit_matrix(X)
        w = sample_weights(sample_weight, len(X), X.dtype)
        safe_to_square(X, weight=w.max(), work=np.float64)
        K = _clusters_among(self.n_clusters, len(X))
        if not callable(self.init):
            one_of(self.init, "init", ("k-means++", "random"))
        one_of(self.algorithm, "algorithm", tuple(SEARCHES))
        one_of(self.bisecting_strategy, "bisecting_strategy", ("biggest_inertia", "largest_cluster"))
        self._n_init = self._count_starts(several=10)
        whole_number(self.max_iter, "max_iter")
        real_number(self.tol, "tol")
        rng, D = generator(self.random_state), X.shape[1]
        C = _weighted_mean(X, w).astype(X.dtype)[None]
        labels, T, t = np.zeros(len(X), np.int32), np.empty((0, 2, D), X.dtype), np.empty(0, np.int64)
        self._keep_cut(X, w, C, labels, T, t)
        wide = np.array([_is_wide(X, w)])                # (K,) of each cluster
        while len(C) < K:
            k = self._next(X, w, C, labels, wide)
            if k < 0:
                warn_not_converged(f"Number of distinct clusters ({len(C)}) found smaller than n_clusters ({K}): "
                                   "X has too few distinct points, as far as squares can tell; lower n_clusters")
                break
            members = np.flatnonzero(labels == k)
            halves, side = self._cut(X[members], w[members], rng)
            labels = labels.copy()
            labels[members[side == 1]] = len(C)
            C = np.concatenate([C, halves[1:]])
            C[k] = halves[0]
            wide[k], other = (_is_wide(X[members[side == half]], w[members[side == half]]) for half in (0, 1))
            wide = np.append(wide, other)
            T, t = np.concatenate([T, halves[None]]), np.append(t, k)
            self._keep_cut(X, w, C, labels, T, t)
            if report(self, len(t), self.inertia_):
                break
        return self

    def predict(self, X):
        """The cluster that (3) leads each point to, int32 (N,).

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points.
        """
        return replay(self._further(X), self.cuts_, self.cut_clusters_)

    def score(self, X, y=None, sample_weight=None):
        """Minus the inertia: higher is better.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points.
        y : None, default=None
            Ignored.
        sample_weight : array (N,) or None, default=None
            Weights of the points; None for 1 each.
        """
        X = self._further(X)
        w = sample_weights(sample_weight, len(X), X.dtype)
        return -float(left_over(X, w, self.cluster_centers_, replay(X, self.cuts_, self.cut_clusters_)).sum())

    def _next(self, X, w, C, labels, wide):
        """The cluster to cut, of those that are `wide` (K,); -1 if none is."""
        J = left_over(X, w, C, labels)
        size = np.bincount(labels, w, minlength=len(C)) if self.bisecting_strategy == "largest_cluster" else J
        return worst(np.where(wide, size, -1.0)) if wide.any() else -1

    def _cut(self, X, w, rng):
        """Two centres (2, D) and the side of each point; (3) finds the same sides."""
        model = KMeans(2, init=self.init, max_iter=self.max_iter, algorithm=self.algorithm)
        model._best_of(self._n_init, X, w / w.max(), 2, self.tol, rng)
        if not model._converged:
            warn_not_converged(f"the centres of a cut still moved after max_iter={self.max_iter} iterations; raise "
                               "max_iter or tol")
        return model.cluster_centers_, model.labels_

    def _keep_cut(self, X, w, C, labels, T, t):
        """Take a finished cut into the attributes, all at once."""
        vars(self).update(cluster_centers_=C, labels_=labels, inertia_=float(left_over(X, w, C, labels).sum()),
                          cuts_=T, cut_clusters_=t)


def _weighted_mean(X, w):
    w = w.astype(np.float64)
    if isinstance(X, SparseTable):
        return np.bincount(X.rows.indices, np.repeat(w, np.diff(X.rows.indptr)) * X.data, X.shape[1]) / w.sum()
    return np.average(X, axis=0, weights=w)


def _is_wide(X, w):
    """Whether points that count differ, and by more than what is lost when it is squared."""
    counts = w > 0
    if not counts.any():
        return False
    X = X if counts.all() else X[counts]
    if isinstance(X, SparseTable):
        low, high = X.ranges()
        return bool(((high.astype(np.float64) - low) ** 2 > LOST).any())
    return bool(((X.max(axis=0).astype(np.float64) - X.min(axis=0)) ** 2 > LOST).any())
