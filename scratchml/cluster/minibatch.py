"""k-means from handfuls: move the centres a little for each batch of points, and never look at all of them at once.

Lloyd's algorithm reads the whole of the data before it moves a centre.  Where there are a million points, or where they
keep coming, that is late: a few hundred would have shown the way.  So take a small batch, assign its points, and move
each centre towards those that it got.  The step shrinks with the number of points that the centre has seen; so it
stands, at any time, at the mean of all the points ever assigned to it.

Symbols
    X     (N, D)  a batch of points, one a row: x_i
    w     (N,)    their weights, not negative
    C     (K, D)  centres, one a row: c_k
    y     (N,)    label of each point of the batch, its nearest centre before the step
    v     (K,)    the weight that each centre has seen so far
    m             running mean of the inertia of a point
    j             mean inertia of a point in the batch
    a             how fast m forgets
    [ ]           1 where the statement holds, else 0

Equations
    (1)  v_k ← v_k + Σ_i [y_i = k] w_i                                                seen
    (2)  c_k ← c_k + Σ_i [y_i = k] w_i (x_i - c_k) / v_k                              step
    (3)  m ← m + a (j - m)                                                            smoothed

Choices
    A centre that has seen nothing stays where it is.  Batches are drawn with replacement, of the points with weight.
    a = 2 B / (N + 1) for batches of B among N points, at most 1: m remembers about half of the data.
    A fit ends when m has found no new low for `max_no_improvement` batches in a row, or after `max_iter` N / B batches;
    its start comes from a random sample of the data.  Then all points are labelled once.
    Between batches centres are held in float64, also of float32 data: after many batches a step is less than the
    distance from one number of float32 to the next, and would be lost.
    As the mean of all points ever assigned, a centre also remembers those that it would no longer get: J ends a little
    above that of `KMeans`.

Cost
    A batch takes O(B K D) time, whatever N.  O(B + K D) memory beyond the data.

>>> model = MiniBatchKMeans(2, init=np.array([[0.0], [10]]))
>>> model.partial_fit([[1.0], [8]]).cluster_centers_.ravel().tolist()
[1.0, 8.0]
>>> model.partial_fit([[2.0], [3], [9]]).cluster_centers_.ravel().tolist()
[2.0, 8.5]

Source: D. Sculley, "Web-scale k-means clustering", WWW 2010, algorithm 1.
"""
import warnings

import numpy as np

from scratchml.cluster.assignment import nearest_of_all
from scratchml.cluster.kmeans import KMeans, _clusters_among, _squared_shift
from scratchml.cluster.kmeans_sums import cluster_sums
from scratchml.core.checks import real_number, safe_to_square, sample_weights, whole_number
from scratchml.core.estimator import warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator

# --- one batch -----------------------------------------------------------------------------------


def seen(w, y, v):
    """(1)  v_k ← v_k + Σ_i [y_i = k] w_i

    Shapes: w (N), y (N), v (K) -> (K)
    """
    return v + np.bincount(y, w, minlength=len(v))


def step(X, w, y, C, v):
    """(2)  c_k ← c_k + Σ_i [y_i = k] w_i (x_i - c_k) / v_k

    `v` is what (1) has made of it.

    Shapes: X (N, D), w (N), y (N), C (K, D), v (K) -> (K, D)
    """
    moments = cluster_sums(X, w, C, y)                       # (K, D+2): Σ w x, Σ w
    pull = moments[:, :-2] - moments[:, -2, None] * C
    return C + (pull / np.where(v > 0, v, 1)[:, None]).astype(C.dtype)


def smoothed(m, j, a):
    """(3)  m ← m + a (j - m)

    Shapes: m, j, a -> ()
    """
    return m + a * (j - m)


# --- the estimator -------------------------------------------------------------------------------


class MiniBatchKMeans(KMeans):
    """K-means on random batches, or on a stream by `partial_fit`: nearest centres, then (1) and (2).

    Parameters
    ----------
    n_clusters : int, default=8
        K.
    init : {"k-means++", "random"}, array (K, D) or callable, default="k-means++"
        The first centres; "random" draws rows of X without replacement; a callable is asked for them as
        init(X, n_clusters, random_state=...).
    n_init : int or "auto", default=1
        Starts to draw; `fit` takes the one with the least inertia on the sample that it is drawn from, `partial_fit`
        the first.  "auto": 3 for "random" and a callable, else 1.
    init_size : int or None, default=None
        Points of the sample that the start of `fit` is drawn from, at least K; None for 3 batches, and at least 3 K.
    max_iter : int, default=100
        How often to go through the data at most, N / batch_size batches each time.
    batch_size : int, default=1024
        B.
    tol : float, default=0.0
        Stop when the squared shifts of all centres in a batch sum to at most `tol` times the mean variance of the
        features; 0 for never.
    max_no_improvement : int or None, default=10
        Stop after so many batches in a row without a new low of (3); None for never.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the start and the batches; an int gives the same bits on any number of threads.
    verbose : int, default=0
        1 for a line to stderr after each batch.
    callback : callable or None, default=None
        Called with a `Progress` after each batch, its loss (3); returning True stops the fit.

    Attributes
    ----------
    cluster_centers_ : (K, D), in the units of X
    counts_ : v (K,)
    labels_, inertia_ : (N,) and J, of the data, or of the last batch of `partial_fit`
    n_steps_, n_iter_ : batches done, and how often that went through the data, rounded up
    """

    def __init__(self, n_clusters=8, *, init="k-means++", n_init=1, init_size=None, max_iter=100, batch_size=1024,
                 tol=0.0, max_no_improvement=10, random_state=None, verbose=0, callback=None):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.init_size = init_size
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, X, y=None, sample_weight=None):
        """Find the centres.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the last finished batch in `cluster_centers_` and `counts_`.
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
        K, tol = _clusters_among(self.n_clusters, len(X)), real_number(self.tol, "tol")
        every, all_weights = X, w
        if K <= np.count_nonzero(w) < len(X):
            X, w = X[w > 0], w[w > 0]                    # a batch without weight would pass for one without inertia
        B = min(whole_number(self.batch_size, "batch_size"), len(X))
        n_steps = max(1, whole_number(self.max_iter, "max_iter") * len(X) // B)
        patience = n_steps if self.max_no_improvement is None else \
            whole_number(self.max_no_improvement, "max_no_improvement")
        if tol > 0:
            tol *= float(X.var(axis=0, dtype=np.float64).mean())
        rng = generator(self.random_state)
        sample = rng.choice(len(X), self._size_of_sample(len(X), B, K), replace=False)
        if not w[sample].any():
            sample = slice(None)
        self._begin(self._best_start(X[sample], w[sample], K, rng))
        m = lowest = np.inf
        waited, a, done = 0, min(1.0, 2 * B / (len(X) + 1)), False
        for self.n_steps_ in range(1, n_steps + 1):
            batch = rng.integers(len(X), size=B)
            j, shift = self._learn(X[batch], w[batch])[1:]
            m = j if self.n_steps_ == 1 else smoothed(m, j, a)
            waited = 0 if m < lowest else waited + 1
            lowest = min(lowest, m)
            done = waited >= patience or tol > 0 and shift <= tol
            if report(self, self.n_steps_, m) or done:
                break
        self.labels_ = nearest_of_all(every, self.cluster_centers_)
        self.inertia_ = float(cluster_sums(every, all_weights, self.cluster_centers_, self.labels_)[:, -1].sum())
        self.n_iter_ = -(-self.n_steps_ * B // len(X))
        found = len(np.unique(self.labels_))
        if found < K:
            warn_not_converged(f"Number of distinct clusters ({found}) found smaller than n_clusters ({K}): "
                               "lower n_clusters, or fit all points with KMeans")
        return self

    def partial_fit(self, X, y=None, sample_weight=None):
        """Learn from one batch.  Returns itself.

        Raises ValueError as `fit` does, and for another number of features than before.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points of the batch; the first chooses the start, so it has at least K.
        y : None, default=None
            Ignored.
        sample_weight : array (N,) or None, default=None
            Weights of the points; None for 1 each.
        """
        first = not hasattr(self, "counts_")
        X = self._fit_matrix(X) if first else self._further(X)
        w = sample_weights(sample_weight, len(X), X.dtype)
        safe_to_square(X, weight=w.max(), work=np.float64, fitted=not first)
        if first:
            K = _clusters_among(self.n_clusters, len(X))
            self._count_starts(several=3)
            self._begin(self._start(X, w, K, generator(self.random_state)))
        self.labels_, j, _ = self._learn(X, w)
        self.inertia_ = j * float(w.sum(dtype=np.float64))
        self.n_steps_ += 1
        return self

    def _size_of_sample(self, N, B, K):
        size = max(3 * B, 3 * K) if self.init_size is None else whole_number(self.init_size, "init_size")
        if size < K:
            warnings.warn(f"init_size={size} should be larger than n_clusters={K}: a start of so many centres is drawn "
                          f"from {3 * K} points", RuntimeWarning, stacklevel=3)
            size = 3 * K
        return min(N, size)

    def _best_start(self, X, w, K, rng):
        """Of so many starts from the sample `X` the one that leaves the least inertia there."""
        self._n_init = self._count_starts(several=3)
        starts = [self._start(X, w, K, rng) for _ in range(self._n_init)]
        return starts[0] if len(starts) == 1 else \
            min(starts, key=lambda C: cluster_sums(X, w, C, nearest_of_all(X, C))[:, -1].sum())

    def _begin(self, C):
        self._keep_rounded(C.dtype, dict(cluster_centers_=C.astype(np.float64)), counts_=np.zeros(len(C)), n_steps_=0)

    def _learn(self, X, w):
        """(1) and (2) for a batch: its labels, the mean inertia of a point before the step, and the squared shift."""
        C = self._in_double("cluster_centers_")
        labels = nearest_of_all(X, C)
        j = float(cluster_sums(X, w, C, labels)[:, -1].sum()) / max(float(w.sum(dtype=np.float64)), 1e-300)
        v = seen(w, labels, self.counts_)
        moved = step(X, w, labels, C, v)
        self._keep_rounded(self.cluster_centers_.dtype, dict(cluster_centers_=moved), counts_=v)
        return labels, j, _squared_shift(moved, C)
