"""t-SNE: a map of the data on which neighbours stay together, found by descent.

The chapter affinities says who is whose neighbour in the data, the chapter sne how well a map keeps it so, and which
way each point has to go to keep it better.  This chapter goes that way.  The cost has many local minima and nearly flat
stretches, so plain gradient descent would take forever, or stop early in a poor map.  Three devices help.  Momentum
carries points over flat stretches.  Every coordinate has a gain of its own, which grows while it keeps going the same
way and shrinks when it turns: that is, when it has gone too far.  And in the beginning p is exaggerated: all attraction
counts more, so the clusters stay small and dense, and can pass each other on their way.

A gain looks at the last step v and the new gradient ∂.  The step went against the gradient of its time, so where v and
∂ differ in sign the coordinate still wants to go the same way, and there the gain grows.  With the sign turned round,
as a widely copied implementation had it for years, it grows on each overshooting.

Symbols
    G   (N, F)  the gains, g_ik
    V   (N, F)  the last step, v_ik
    dY  (N, F)  the gradient ∂C/∂Y of the cost C, ∂_ik
    Y   (N, F)  the map, y_i a row, its mean at the origin
    η           learning rate
    α           momentum

Equations
    (1)  g_ik ← g_ik + 0.2 where v_ik ∂_ik < 0, else max(0.8 g_ik, 0.01)             gains
    (2)  v_ik ← α v_ik - η g_ik ∂_ik                                                 step
    (3)  y_i ← y_i + v_i - (1/N) Σ_j (y_j + v_j)                                     move

Choices
    250 iterations with p exaggerated and α = 0.5, then α = 0.8.  Both phases begin at rest: V at 0, G at 1.
    The cost sees distances alone, and its gradient sums to zero over the points; gains would let the map drift all the
    same.  (3) holds it in the middle, where float32 is finest.  It takes the mean of the places, not of the steps
    alone: while p is exaggerated a map of few points may shrink to a 1e-20th, and beside the rest of an offset float32
    would see no differences any more, so that the map never left a line.
    η is "auto" max(N / 4 early_exaggeration, 50) for t-SNE: about the largest that the attraction of average points
    allows in the exaggerated phase.  A Gaussian map's springs do not yield with distance, so for the other costs it is
    N / 4 early_exaggeration alone.
    Few points do not allow 50.  Near each other, where w ≈ 1, the others pull at y_i like one spring of stiffness
    h = 4 e Σ_j p_ij, e being the exaggeration: 4 e / N on average, as all p_ij sum to 1.  On a spring (2) and (3) make
    the next place (1 + α - η h) times this one less α times the last, and that stays bounded only if η h < 2 (1 + α): 3
    in the first phase, 3.6 then.  Far beyond, the map is thrown about until the gains are down at 0.01, and gains that
    have grown again may throw it once more, at any time.  So "auto" is at most N / e in the first phase, η h = 4, which
    stirs the map a little before it settles, and N / 2 in the second, η h = 2: less than 50 below 600 and 100 points.
    The start from PCA is scaled to a standard deviation of 1e-4 in its first column: near one point, where all forces
    are linear, but with the global arrangement of the data in it.  Where the data have no extent at all, it is that
    point.
    For metric="cosine" all of this, the start too, sees the directions of the rows alone.
    Any other distance can be computed by the caller, and passed with metric="precomputed".
    Sparse rows stay as they are; but the start from PCA forms D² numbers, so for many columns init="random" is cheaper.
    The map is a list of places, not a function.  What `transform` gives new points, the chapter placement says.
    The heavy tail has one degree of freedom in one, two and three dimensions alike, as in the paper.
    The KL is computed, in float64, every 50 iterations: the maps of these are kept, reported and counted as progress.
    max_iter is the length of the schedule, not a failure, and reaching it is no warning.
    Positions, steps and gains are float64; where float32 is used and why it suffices, the module forces says.

Cost
    O(N² F) time an iteration; memory for N (N + 1) / 2 numbers in float32, and O(N) beyond, with a copy of the data.
    Approximations take O(N) or O(N log N), with a larger constant: on two cores openTSNE's overtook it at some 7,500
    points, Barnes and Hut's in scikit-learn at 16,000 (python -m benchmarks tsne).

>>> X = np.array([[0., 0], [0, 1], [1, 0], [9, 9], [9, 8], [8, 9]])          # two groups of three
>>> model = TSNE(perplexity=2, learning_rate=1.0).fit(X)
>>> model.embedding_.shape, (np.sign(model.embedding_[:, 0]) * np.sign(model.embedding_[0, 0])).tolist()
((6, 2), [1.0, 1.0, 1.0, -1.0, -1.0, -1.0])

Sources: L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9 (2008), algorithm 1 and section 3.4;
R. Jacobs, "Increased rates of convergence through learning rate adaptation", Neural Networks 1 (1988), for (1);
D. Kobak and P. Berens, "The art of using t-SNE for single-cell transcriptomics", Nature Communications 10 (2019), for
the start from PCA; A. Belkina et al., in the same volume, for η.
"""
import numpy as np

from scratchml.core.checks import as_matrix, held_in, one_of, real_number, safe_to_square, whole_number
from scratchml.core.distances import directions
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.jit import kernel
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import SparseTable, is_sparse, sparse_rows
from scratchml.reduction.affinities import BLOCK, in_double, packed_affinities, squared_distances
from scratchml.reduction.forces import GaussianPairs, StudentPairs
from scratchml.reduction.linear_projection import PCA
from scratchml.reduction.placement import place

COSTS = ("tsne", "symmetric", "sne")
METRICS = ("euclidean", "manhattan", "cosine", "precomputed")
EXPLORATION = 250           # iterations with P exaggerated
ROUND = 50                  # iterations from one look at the cost to the next
START = 1e-4                # standard deviation of the first coordinate of a map to start from

# --- one step of the descent ---------------------------------------------------------------------


@kernel
def gains(G, V, dY):
    """(1)  g_ik ← g_ik + 0.2 where v_ik ∂_ik < 0, else max(0.8 g_ik, 0.01)

    Shapes: G (N, F), V (N, F), dY (N, F) -> (N, F)
    """
    result = np.empty_like(G)
    for i in range(G.shape[0]):
        for k in range(G.shape[1]):
            result[i, k] = G[i, k] + 0.2 if V[i, k] * dY[i, k] < 0 else max(0.8 * G[i, k], 0.01)
    return result


@kernel
def step(V, G, dY, η, α):
    """(2)  v_ik ← α v_ik - η g_ik ∂_ik

    Shapes: V (N, F), G (N, F), dY (N, F), η, α -> (N, F)
    """
    return α * V - η * G * dY


@kernel
def move(Y, V):
    """(3)  y_i ← y_i + v_i - (1/N) Σ_j (y_j + v_j)

    Shapes: Y (N, F), V (N, F) -> (N, F)
    """
    result = Y + V
    for k in range(Y.shape[1]):
        middle = result[:, k].sum() / Y.shape[0]
        for i in range(Y.shape[0]):
            result[i, k] -= middle
    return result


# --- the estimator -------------------------------------------------------------------------------


class TSNE(Transformer, Estimator):
    """A map of the data by exact t-SNE, or by the two methods that it came from: (1) to (3) until the schedule ends.

    Parameters
    ----------
    n_components : int, default=2
        F, the dimension of the map: 1, 2 or 3.
    perplexity : float, default=30.0
        How many neighbours a point has, effectively: from 1 to N - 1.
    cost : {"tsne", "symmetric", "sne"}, default="tsne"
        Which divergence to lower, "symmetric" being that of symmetric SNE; see the chapter sne.
    early_exaggeration : float, default=12.0
        The factor of P in the first 250 iterations.
    learning_rate : float or {"auto"}, default="auto"
        η; "auto" is explained under Choices.
    max_iter : int, default=1000
        Iterations at most.
    n_iter_without_progress : int, default=300
        Stop if the KL has not fallen for so many iterations; looked at every 50, after the first 250.
    min_grad_norm : float, default=1e-7
        Stop if the gradient's norm is at most this; looked at likewise.
    init : {"pca", "random"} or array (N, F), default="pca"
        Where the points start; "random" is normal with a standard deviation of 1e-4.
    metric : {"euclidean", "manhattan", "cosine", "precomputed"}, default="euclidean"
        What the distances are: "manhattan" for Σ_d |x_id - x_jd|; "cosine" for 1 - cos(x_i, x_j), whatever the lengths;
        "precomputed" if X is a matrix (N, N) of them, symmetric, of points or of anything else.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the start; an int gives the same bits on any number of threads.
    verbose : int, default=0
        1 for a line to stderr after each 50 iterations.
    callback : callable or None, default=None
        Called with a `Progress` after each 50 iterations; returning True stops the fit.

    Attributes
    ----------
    embedding_ : (N, F), the map, its mean at the origin
    kl_divergence_ : the cost of the map, in nats, never with P exaggerated
    kl_history_ : the cost of the start, after every 50 iterations, and at the end
    n_iter_ : iterations done
    perplexities_ : (N,), the ones reached; more than asked for where a point has too many duplicates
    learning_rate_ : η, in the second phase
    """

    _takes_sparse = True

    def __init__(self, n_components=2, *, perplexity=30.0, cost="tsne", early_exaggeration=12.0, learning_rate="auto",
                 max_iter=1000, n_iter_without_progress=300, min_grad_norm=1e-7, init="pca", metric="euclidean",
                 random_state=None, verbose=0, callback=None):
        self.n_components = n_components
        self.perplexity = perplexity
        self.cost = cost
        self.early_exaggeration = early_exaggeration
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.n_iter_without_progress = n_iter_without_progress
        self.min_grad_norm = min_grad_norm
        self.init = init
        self.metric = metric
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, X, y=None):
        """Draw the map.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the map of the last full 50 iterations in the attributes.
        Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow, one sample.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D), or array (N, N)
            Samples, or if `metric` is "precomputed" their distances.
        y : None, default=None
            Ignored.
        """
        one_of(self.metric, "metric", METRICS)
        X = self._fit_matrix(_all_written(X) if self.metric == "precomputed" else X, min_samples=2)
        dtype, X = X.dtype, _points(_distances(X) if self.metric == "precomputed" else X, self.metric)
        F = whole_number(self.n_components, "n_components")
        if F > 3:
            raise ValueError(f"n_components={F}: expected 1, 2 or 3; for more dimensions use PCA")
        perplexity = _reachable(self.perplexity, len(X))
        one_of(self.cost, "cost", COSTS)
        for name in ("max_iter", "n_iter_without_progress"):
            whole_number(getattr(self, name), name)
        real_number(self.min_grad_norm, "min_grad_norm")
        rates = self._rates(len(X), real_number(self.early_exaggeration, "early_exaggeration", least=1.0))
        Y = self._start(X, F)
        Y = Y - Y.mean(axis=0)
        P, self.perplexities_ = packed_affinities(X, perplexity, metric=self.metric)
        self.learning_rate_ = rates[1]
        self._drawn = None if self.metric == "precomputed" else in_double(X), self.metric, self.cost, perplexity
        self._descend(self._pairs(P, F), np.ascontiguousarray(Y, np.float64), rates, dtype)
        return self

    def fit_transform(self, X, y=None):
        """The same as `fit(X)`, returning `embedding_` (N, F).

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D), or array (N, N)
            As in `fit`.
        y : None, default=None
            Ignored.
        """
        return self._output(self.fit(X).embedding_, X)

    def transform(self, X):
        """Places (M, F) of points on the map, which stays as it is; see the chapter placement.

        Each is placed by itself, by the metric and perplexity of `fit`; one at distance 0 of a point of the data is put
        where that is, or the first of such points.  Raises ValueError as `fit` does, and for a map by another cost than
        "tsne".

        Parameters
        ----------
        X : array, Rows or sparse matrix (M, D), or array (M, N)
            Samples, or if `metric` is "precomputed" their distances from the N samples of `fit`.
        """
        data, metric, cost, perplexity = getattr(self, "_drawn", (None,) * 4)
        checked = self._more_matrix(_all_written(X) if metric == "precomputed" else X)
        if cost != "tsne":
            raise ValueError(f"transform: this map was drawn with cost={cost!r}, and points are placed by the heavy "
                             "tail of t-SNE; fit with cost='tsne'")
        if metric == "precomputed":
            checked = _no_negative(checked)
        points = _of_one_kind(in_double(_points(checked, metric, fitted=True)), data)
        Y, Z = self.embedding_.astype(np.float64), []
        for start in range(0, len(points), BLOCK):
            Δ = squared_distances(points[start:start + BLOCK], data, metric)
            places, new = Y[Δ.argmin(axis=1)], Δ.min(axis=1) > 0
            if new.any():
                places[new] = place(Δ[new], Y, perplexity)
            Z.append(places)
        return self._output(np.concatenate(Z).astype(self.embedding_.dtype), X)

    @property
    def _n_features_out(self):
        return self.embedding_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = tags.input_tags.positive_only = self.metric == "precomputed"
        tags.input_tags.sparse = self.metric != "precomputed"
        return tags

    # --- before the first step

    def _rates(self, N, e):
        """η of both phases."""
        if isinstance(self.learning_rate, str):
            if self.learning_rate != "auto":
                raise ValueError(f"learning_rate={self.learning_rate!r}: expected 'auto' or a number greater than 0")
            rate = max(N / e / 4, 50.0) if self.cost == "tsne" else N / e / 4
            return min(rate, N / e), min(rate, N / 2)
        return (real_number(self.learning_rate, "learning_rate", above=0),) * 2

    def _start(self, X, F):
        """The map (N, F) to start from."""
        rng = generator(self.random_state)
        if not isinstance(self.init, str):
            Y = as_matrix(self.init, name="init")
            if Y.shape != (len(X), F):
                raise ValueError(f"init: expected shape (n_samples, n_components) = {(len(X), F)}, got {Y.shape}")
            safe_to_square(held_in(Y, np.float32, "init"), "init", fitted=True)
            return Y
        if one_of(self.init, "init", ("pca", "random")) == "random":
            return START * rng.standard_normal((len(X), F))
        if self.metric == "precomputed":
            raise ValueError("init='pca': cannot be used with metric='precomputed', as distances have no axes; "
                             "use init='random' or an array")
        if F > min(X.shape):
            raise ValueError(f"init='pca': n_components={F} is more than min(n_samples, n_features) = {min(X.shape)}; "
                             "use init='random' or an array")
        pca = PCA(F, random_state=rng).set_output(transform="default")
        Y = pca.fit_transform(X.rows if isinstance(X, SparseTable) else X).astype(np.float64)
        extent = Y[:, 0].std()
        return START / extent * Y if extent > 0 else np.zeros_like(Y)

    def _pairs(self, P, F):
        if self.cost == "tsne":
            return StudentPairs(P, len(self.perplexities_), F)
        return GaussianPairs(P, len(self.perplexities_), self.perplexities_ if self.cost == "sne" else None)

    # --- the descent

    def _descend(self, pairs, Y, rates, dtype):
        """(1) to (3) from the map `Y` (N, F), with a learning rate for each phase."""
        history = [pairs.cost(Y)]
        self._keep(Y, dtype, history, 0)
        best, best_iteration = np.inf, EXPLORATION
        for iteration in range(1, int(self.max_iter) + 1):
            early = iteration <= EXPLORATION
            if iteration in (1, EXPLORATION + 1):
                e, α, η = (self.early_exaggeration, 0.5, rates[0]) if early else (1.0, 0.8, rates[1])
                V, G = np.zeros_like(Y), np.ones_like(Y)
            dY = pairs.gradient(Y, e)
            G = gains(G, V, dY)
            V = step(V, G, dY, η, α)
            Y = move(Y, V)
            if iteration % ROUND and iteration < self.max_iter:
                continue
            if not np.isfinite(Y).all():
                raise ValueError(f"learning_rate={self.learning_rate!r}: the map grew beyond all numbers within "
                                 f"{iteration} iterations; lower learning_rate (it was {η:.3g}) or early_exaggeration")
            history = history + [pairs.cost(Y)]
            self._keep(Y, dtype, history, iteration)
            if report(self, iteration, history[-1]):
                return
            if early:
                continue
            if history[-1] < best:
                best, best_iteration = history[-1], iteration
            if iteration - best_iteration > self.n_iter_without_progress or np.linalg.norm(dY) <= self.min_grad_norm:
                return

    def _keep(self, Y, dtype, history, iteration):
        """Take a finished round into the attributes, all at once."""
        vars(self).update(embedding_=Y.astype(dtype), kl_history_=history, kl_divergence_=history[-1],
                          n_iter_=iteration)


def _reachable(perplexity, N):
    u = real_number(perplexity, "perplexity", least=1.0)
    if u > N - 1:
        raise ValueError(f"perplexity={perplexity!r}: must be less than n_samples ({N}), and at most {N - 1}, "
                         "the number of others that a point has; lower perplexity")
    return u


def _points(X, metric, fitted=False):
    """`X` in the form in which `squared_distances` takes it; `fitted` is for points that come to a map later."""
    if metric != "cosine":
        return safe_to_square(X, work=np.float64, fitted=fitted)
    nothing = ~_any_in_rows(X)
    if nothing.any():
        raise ValueError(f"X: row {nothing.argmax()} is all zeros, and has no direction for metric='cosine' to "
                         "compare; leave such rows out, or use metric='euclidean'")
    return directions(in_double(X))


def _any_in_rows(X):
    """Whether each row of `X`, an array or a sparse table, has something else than zeros, (N,)."""
    if isinstance(X, SparseTable):
        row = np.repeat(np.arange(len(X)), np.diff(X.rows.indptr))
        return np.bincount(row, X.data != 0, minlength=len(X)) > 0
    return X.any(axis=1)


def _of_one_kind(points, data):
    """`points`, an array or a sparse table, as what `data` is."""
    if isinstance(data, SparseTable):
        return points if isinstance(points, SparseTable) else SparseTable(sparse_rows(points))
    return points.written_out() if isinstance(points, SparseTable) else points


def _all_written(X):
    """`X`, unless it is sparse: of distances, what is not stored is no 0.  Raises TypeError."""
    if is_sparse(X):
        raise TypeError("X: sparse distances were passed, but with metric='precomputed' those of all pairs count; pass "
                        "an array (N, N), or the points themselves with metric='euclidean'")
    return X


def _no_negative(X):
    """Distances `X` with 0 for what is negative by no more than rounding, as where they come from a matrix product."""
    if X.min() < -1e-5 * max(X.max(), 0):
        raise ValueError(f"Negative values in data passed to TSNE: with metric='precomputed' X should contain positive "
                         f"distances, got {X.min()}; turn similarities into distances first")
    return X if X.min() >= 0 else np.maximum(X, 0)


def _distances(X):
    """`X` if it can be a matrix of distances; only what lies off its diagonal is looked at later."""
    if X.shape[0] != X.shape[1]:
        raise ValueError(f"X: with metric='precomputed' it should be a square distance matrix, got shape {X.shape}; "
                         "for points (N, D) use metric='euclidean'")
    X, tolerance = _no_negative(X), 1e-5 * max(X.max(), 0)
    for i in range(len(X)):
        apart = np.abs(X[i] - X[:, i])
        if apart.max() > tolerance:
            j = apart.argmax()
            raise ValueError(f"X: with metric='precomputed' it should be symmetric, but X[{i}, {j}] = {X[i, j]} and "
                             f"X[{j}, {i}] = {X[j, i]}; use (X + X.T) / 2")
    return X
