"""k-means: K centres such that every point is near one of them.

Which points belong together, when nobody says so?  k-means calls a cluster what lies nearest to the same centre, and
looks for the centres that leave the least squared distance.  Two half-steps take turns, each the best answer to the
other: given the centres, every point goes to the nearest; given the points of a cluster, the best centre is their
mean.  Neither half-step can raise J, and there are finitely many assignments, so it ends: in a local minimum, which
depends on the start.  Hence (5) and (6), which choose a start with the points spread far.

Symbols
    X    (N, D)  points, one a row: x_i
    w    (N,)    their weights, not negative
    C    (K, D)  centres, one a row: c_k
    y    (N,)    label of each point, the number of its cluster
    d    (N,)    squared distance of each point to the nearest of the centres chosen so far
    Y    (L, D)  candidates for the next centre, c one of them
    [ ]          1 where the statement holds, else 0

Equations
    (1)  J = Σ_i w_i ‖x_i - c_{y_i}‖²                                                inertia
    (2)  y_i = argmin_k ‖x_i - c_k‖², the lowest such k                              assign
    (3)  c_k = Σ_i [y_i = k] w_i x_i / Σ_i [y_i = k] w_i                             recentre
    (4)  for k without weight: y_i = k for the x_i farthest from its centre          fill_empty
    (5)  p_i = w_i d_i / Σ_j w_j d_j                                                 seeding_probabilities
    (6)  φ(c) = Σ_i w_i min(d_i, ‖x_i - c‖²)                                         potential

Choices
    (3) leaves a centre without weight where it is; (4) has given it a point before, if there was one to give: not the
    last of another cluster, not one without weight.  Ties go to the lowest index, in (2) and (4).
    (5) is w_i / Σ_j w_j where every d_i is zero.  Greedy k-means++ draws L = 2 + ⌊log K⌋ candidates a centre from (5)
    and keeps the one with the least (6).
    Distances are sums of squared differences, right at any offset.  All squares and sums are in float64, also of
    float32 data, which is so safe to square.  Other data are refused where the largest square over- or underflows; of
    rows that come after the fit, only those that are too large.

Cost
    An iteration computes N K distances of D terms each: O(N K D) time.  The O(N K) that one often reads counts a
    distance as one step, and hides that the step grows with D.  Memory O(N + K D) beyond the data.
    Sparse points take O(K nnz) an iteration, nnz the entries that they have, and are never all written out.

>>> X = np.array([[0., 0], [0, 1], [5, 5], [6, 5], [5, 6]])
>>> model = KMeans(2, init=X[[0, 2]]).fit(X)
>>> model.labels_.tolist(), model.inertia_history_
([0, 0, 1, 1, 1], [3.0, 1.8333333333333335])

Sources: S. Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 28 (1982), for (2) and (3);
D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007, section 2.2 for (5),
section 5 for the greedy choice (6).
"""
import warnings

import numpy as np

from scratchml.cluster.assignment import nearest, nearest_of_all
from scratchml.cluster.kmeans_bounds import SEARCHES
from scratchml.cluster.kmeans_sums import (assign_and_sum, cluster_sums, keep_nearer, means_of, own_distances,
                                           potentials)
from scratchml.core.checks import as_matrix, held_in, one_of, real_number, safe_to_square, sample_weights, whole_number
from scratchml.core.distances import euclidean, squared_distance
from scratchml.core.estimator import Clusterer, Estimator, Transformer, warn_not_converged
from scratchml.core.jit import kernel
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import SparseTable, is_sparse, sparse_table

# --- the two half-steps --------------------------------------------------------------------------


@kernel
def inertia(X, w, C, y):
    """(1)  J = Σ_i w_i ‖x_i - c_{y_i}‖²

    Shapes: X (N, D), w (N), C (K, D), y (N) -> ()
    """
    J = 0.0
    for i in range(X.shape[0]):
        J += w[i] * squared_distance(X[i], C[y[i]])
    return J


@kernel
def assign(X, C):
    """(2)  y_i = argmin_k ‖x_i - c_k‖², the lowest such k

    Shapes: X (N, D), C (K, D) -> (N)
    """
    y = np.empty(X.shape[0], np.int32)
    for i in range(X.shape[0]):
        y[i] = nearest(X[i], C)
    return y


@kernel
def recentre(X, w, y, C):
    """(3)  c_k = Σ_i [y_i = k] w_i x_i / Σ_i [y_i = k] w_i

    Shapes: X (N, D), w (N), y (N), C (K, D) -> (K, D)
    """
    sums, weight = np.zeros(C.shape), np.zeros(C.shape[0])
    for i in range(X.shape[0]):
        sums[y[i]] += w[i] * X[i]
        weight[y[i]] += w[i]
    centres = C.copy()
    for k in range(C.shape[0]):
        if weight[k] > 0:
            centres[k] = sums[k] / weight[k]
    return centres


def fill_empty(X, w, C, y):
    """(4)  for k without weight: y_i = k for the x_i farthest from its centre

    Shapes: X (N, D), w (N), C (K, D), y (N) -> (N)
    """
    y = y.copy()
    weight = np.bincount(y, w, minlength=len(C))         # (K,)
    empty = np.flatnonzero(weight == 0)
    if empty.size == 0:
        return y
    members = np.bincount(y[w > 0], minlength=len(C))    # (K,) points that count
    farthest_first = iter(np.argsort(-own_distances(X, C, y), kind="stable"))
    for k in empty:
        for i in farthest_first:
            if w[i] > 0 and members[y[i]] > 1:
                members[y[i]] -= 1
                y[i] = k
                break
    return y


# --- where to start ------------------------------------------------------------------------------


def seeding_probabilities(w, d):
    """(5)  p_i = w_i d_i / Σ_j w_j d_j

    Shapes: w (N), d (N) -> (N)
    """
    p = w.astype(np.float64) * d
    if not p.any():
        p = w.astype(np.float64)                         # every point coincides with a centre
    return p / p.sum()


def potential(X, w, d, Y):
    """(6)  φ(c) = Σ_i w_i min(d_i, ‖x_i - c‖²)

    Shapes: X (N, D), w (N), d (N), Y (L, D) -> (L)
    """
    return potentials(X, w, d, Y)


def kmeans_plusplus(X, n_clusters, *, sample_weight=None, n_local_trials=None, random_state=None):
    """Choose rows of `X` as centres, far from each other, by greedy k-means++: (5) and (6).

    Returns the centres (K, D) and their indices (K,).
    Raises ValueError for more clusters than samples, and for data that `KMeans` refuses.

    Parameters
    ----------
    X : array, Rows or sparse matrix (N, D)
        Points.
    n_clusters : int
        K.
    sample_weight : array (N,) or None, default=None
        Weights of the points; None for 1 each.
    n_local_trials : int or None, default=None
        L, how many candidates a centre has; None for 2 + ⌊log K⌋.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draws.
    """
    X = sparse_table(X) if is_sparse(X) else as_matrix(X, owner="kmeans_plusplus")
    w = sample_weights(sample_weight, len(X), X.dtype)
    safe_to_square(X, weight=w.max(), work=np.float64)
    K = _clusters_among(n_clusters, len(X))
    L = 2 + int(np.log(K)) if n_local_trials is None else whole_number(n_local_trials, "n_local_trials")
    return _seed(X, w, K, L, generator(random_state))


def _seed(X, w, K, L, rng):
    chosen = np.empty(K, np.int64)
    chosen[0] = _draw(seeding_probabilities(w, np.zeros(len(X))), 1, rng)[0]
    d = np.full(len(X), np.inf)
    for k in range(1, K):
        keep_nearer(X, _points(X, chosen[k - 1:k])[0], d)
        candidates = _draw(seeding_probabilities(w, d), L, rng)
        chosen[k] = candidates[potential(X, w, d, _points(X, candidates)).argmin()]
    return _points(X, chosen), chosen


def _points(X, which):
    """The points of these numbers, as an array."""
    return X[which].written_out() if isinstance(X, SparseTable) else X[which]


def _draw(p, n, rng):
    """`n` indices drawn with the probabilities `p`, none of probability zero."""
    cumulated = p.cumsum()
    return np.searchsorted(cumulated, rng.random(n) * cumulated[-1], side="right").clip(max=np.flatnonzero(p)[-1])


# --- the estimator -------------------------------------------------------------------------------


class KMeans(Transformer, Clusterer, Estimator):
    """K-means clustering by Lloyd's algorithm: (3) and (2) in turn until nothing moves.

    Parameters
    ----------
    n_clusters : int, default=8
        K.
    init : {"k-means++", "random"}, array (K, D) or callable, default="k-means++"
        The first centres; "random" draws rows of X without replacement; a callable is asked for them as
        init(X, n_clusters, random_state=...).
    n_init : int or "auto", default=1
        Starts to try; the one with the least inertia is kept.  "auto": 10 for "random" and a callable, else 1.
    max_iter : int, default=300
        Iterations of one start at most; reaching it is a ConvergenceWarning.
    tol : float, default=1e-4
        Stop when the squared shifts of all centres sum to at most `tol` times the mean variance of the features.
        Whatever `tol`, labels that repeat end it.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the starts; an int gives the same bits on any number of threads.
    algorithm : {"auto", "lloyd", "elkan", "hamerly"}, default="auto"
        "lloyd" measures every distance, "elkan" and "hamerly" skip those that bounds rule out, "auto" is the last while
        that pays.  The labels of every iteration are the same.  For sparse points all are "lloyd".
    verbose : int, default=0
        1 for a line to stderr after each iteration.
    callback : callable or None, default=None
        Called with a `Progress` after each iteration; returning True stops the fit.

    Attributes
    ----------
    cluster_centers_ : (K, D), in the units of X
    labels_ : (N,), the nearest centre of each sample
    inertia_ : J, in squared units of X
    inertia_history_ : J of the start and after each iteration; it never rises
    n_iter_ : iterations done
    n_distances_ : distances that they took, from points to centres and between centres
    """

    _takes_sparse = True

    def __init__(self, n_clusters=8, *, init="k-means++", n_init=1, max_iter=300, tol=1e-4, random_state=None,
                 algorithm="auto", verbose=0, callback=None):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.algorithm = algorithm
        self.verbose = verbose
        self.callback = callback

    def fit(self, X, y=None, sample_weight=None):
        """Find the centres.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the last finished iteration in the attributes.
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
        self._n_init = self._count_starts(several=10)
        whole_number(self.max_iter, "max_iter")
        one_of(self.algorithm, "algorithm", tuple(SEARCHES))
        tol = real_number(self.tol, "tol")
        if self._best_of(self._n_init, X, w, K, tol, generator(self.random_state)):
            return self
        found = len(np.unique(self.labels_))
        if not self._converged:
            warn_not_converged(f"the centres still moved after max_iter={self.max_iter} iterations; "
                               "raise max_iter or tol")
        elif found < K:
            warn_not_converged(f"Number of distinct clusters ({found}) found smaller than n_clusters ({K}). "
                               "Possibly due to duplicate points in X; lower n_clusters")
        return self

    def predict(self, X):
        """The label of the nearest centre for each point, int32 (N,).

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points.
        """
        return nearest_of_all(self._further(X), self.cluster_centers_)

    def transform(self, X):
        """The distance of each point to each centre, (N, K), in the units of X.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points.
        """
        points = self._further(X)
        blocks = points.blocks() if isinstance(points, SparseTable) else [points]
        return self._output(np.concatenate([euclidean(block, self.cluster_centers_) for block in blocks]), X)

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
        safe_to_square(X, weight=w.max(), work=np.float64, fitted=True)
        labels = nearest_of_all(X, self.cluster_centers_)
        if isinstance(X, SparseTable):
            return -float(cluster_sums(X, w, self.cluster_centers_, labels)[:, -1].sum())
        return -inertia(X, w, self.cluster_centers_, labels)

    def _further(self, X):
        X = self._more_matrix(X)
        dtype = self.cluster_centers_.dtype
        X = X.holding(held_in(X.data, dtype)) if isinstance(X, SparseTable) else held_in(X, dtype)
        return safe_to_square(X, work=np.float64, fitted=True)

    @property
    def _n_features_out(self):
        return len(self.cluster_centers_)

    def _count_starts(self, several):
        """`n_init` as a number, `several` where "auto" meets starts that need luck; one where the centres are given."""
        by_chance = callable(self.init) or isinstance(self.init, str) and self.init == "random"
        if isinstance(self.n_init, str) and one_of(self.n_init, "n_init", ("auto",)):
            return several if by_chance else 1
        n_init = whole_number(self.n_init, "n_init")
        if n_init > 1 and not by_chance and not isinstance(self.init, str):
            warnings.warn("Explicit initial center position passed: performing only one init in place of "
                          f"n_init={n_init}", RuntimeWarning, stacklevel=3)
            return 1
        return n_init

    def _start(self, X, w, K, rng):
        if isinstance(self.init, str):
            if one_of(self.init, "init", ("k-means++", "random")) == "random":
                p = w.astype(np.float64) / w.sum(dtype=np.float64)
                return _points(X, rng.choice(len(X), K, replace=False, p=p if np.count_nonzero(p) >= K else None))
            return _seed(X, w, K, 2 + int(np.log(K)), rng)[0]
        C = self.init(X, K, random_state=rng) if callable(self.init) else self.init
        C = held_in(as_matrix(C, name="init"), X.dtype, "init")
        for got, expected, what in zip(C.shape, (K, X.shape[1]), ("clusters", "features of the data")):
            if got != expected:
                raise ValueError(f"init: The shape of the initial centers {C.shape} does not match the number of "
                                 f"{what} {expected}; expected shape (n_clusters, n_features) = {(K, X.shape[1])}")
        return safe_to_square(C, "init", weight=w.sum(dtype=np.float64), work=np.float64, fitted=True)

    def _best_of(self, n_init, X, w, K, tol, rng):
        """Take the best of so many starts into the attributes; True if the callback says that the fit shall stop."""
        if tol > 0:
            tol *= float(X.var(axis=0, dtype=np.float64).mean())
        best = np.inf
        for _ in range(n_init):
            if self._lloyd(X, w, self._start(X, w, K, rng), tol, best):
                return True
            best = self.inertia_
        return False

    def _lloyd(self, X, w, C, tol, to_beat):
        """(3) and (2) in turn from the centres `C`; True if the callback says that the whole fit shall stop.

        What has less inertia than `to_beat`, the best of earlier starts, goes into the attributes.
        """
        search = SEARCHES["lloyd" if isinstance(X, SparseTable) else self.algorithm](X)
        labels, moments = assign_and_sum(X, w, C, search)
        history, converged = [float(moments[:, -1].sum())], False
        self._keep(C, labels, history, converged, search.n_distances, to_beat)
        for iteration in range(1, int(self.max_iter) + 1):
            before, C_before = labels, C
            if not moments[:, -2].all():
                before = fill_empty(X, w, C, labels)
                moments = cluster_sums(X, w, C, before)
            C = means_of(moments, C)
            labels, moments = assign_and_sum(X, w, C, search)
            history = history + [float(moments[:, -1].sum())]
            converged = np.array_equal(labels, before) or _squared_shift(C, C_before) <= tol
            self._keep(C, labels, history, converged, search.n_distances, to_beat)
            if report(self, iteration, history[-1]):
                return True
            if converged:
                return False
        return False

    def _keep(self, C, labels, history, converged, n_distances, to_beat):
        """Take a finished iteration into the attributes, all at once."""
        if min(history) < to_beat:
            vars(self).update(cluster_centers_=C, labels_=labels, inertia_=history[-1], inertia_history_=history,
                              n_iter_=len(history) - 1, n_distances_=n_distances, _converged=converged)


def _squared_shift(C, before):
    """Σ_k ‖c_k - b_k‖², in float64."""
    return float(((C.astype(np.float64) - before) ** 2).sum())


def _clusters_among(n_clusters, n):
    K = whole_number(n_clusters, "n_clusters")
    if K > n:
        raise ValueError(f"n_samples={n} should be >= n_clusters={K}: lower n_clusters")
    return K
