"""The estimator of the chapter on Gaussian mixtures, whose equations are meant here by their numbers."""
import numpy as np

from scratchml.cluster.gmm import (_collapsed, akaike_information, bayesian_information, covariances, free_parameters,
                                   log_weights, means, precision_factors, scatters, weights)
from scratchml.cluster.gmm_start import STARTS, starting_covariances, starting_shares, starting_weights
from scratchml.cluster.gmm_sums import Mixture, gathered, posteriors
from scratchml.core.checks import (as_matrix, one_of, real_number, safe_to_square, sample_weights, true_or_false,
                                   whole_number)
from scratchml.core.estimator import Estimator, warn_not_converged
from scratchml.core.linalg import solve_lower
from scratchml.core.progress import report
from scratchml.core.random import generator

EPS = float(np.finfo(np.float64).eps)
TYPES = ("full", "tied", "diag", "spherical")


class GaussianMixture(Estimator):
    """A mixture of Gaussians, fitted by EM: (4), then (5) to (8), until J stands still.

    Parameters
    ----------
    n_components : int, default=1
        K.
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        What covariances may be: any; one for all; with the axes of the ellipses along the features; of spheres.
    tol : float, default=1e-3
        Stop when J rises by no more than this in an iteration.
    reg_covar : float, default=1e-6
        ε, in squared units of X.
    max_iter : int, default=100
        Iterations of one start at most; reaching it is a ConvergenceWarning.  0 for a look at the start.
    n_init : int, default=1
        Starts to try; the one with the highest J is kept.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, default="kmeans"
        The shares to start from.  "kmeans": 1 for the cluster that `KMeans` puts a point in; "k-means++",
        "random_from_data": 1 for the nearest of K points chosen by `kmeans_plusplus`, or at random; "random": random.
    weights_init, means_init, precisions_init : array or None, default=None
        π, μ and Σ⁻¹ to start from in place of what the shares give, in the shapes of `weights_`, `means_` and
        `precisions_`.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the starts and of `sample`; an int gives the same bits on any number of threads.
    warm_start : bool, default=False
        Whether to start from what an earlier fit of this object has found, if there is one.
    verbose : int, default=0
        1 for a line to stderr after each iteration.
    callback : callable or None, default=None
        Called with a `Progress` after each iteration, its loss -J; returning True stops the fit.

    Attributes
    ----------
    weights_, means_ : π (K,), μ (K, D)
    covariances_, precisions_, precisions_cholesky_ : Σ, its inverse and U: full (K, D, D), tied (D, D), diag (K, D),
        spherical (K,)
    lower_bound_ : J, in nats a point
    lower_bounds_ : J of the start and after each iteration; it never falls
    converged_, n_iter_ : whether `tol` ended the fit; iterations done
    """

    _estimator_type = "density_estimator"

    def __init__(self, n_components=1, *, covariance_type="full", tol=1e-3, reg_covar=1e-6, max_iter=100, n_init=1,
                 init_params="kmeans", weights_init=None, means_init=None, precisions_init=None, random_state=None,
                 warm_start=False, verbose=0, callback=None):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.callback = callback

    def fit(self, X, y=None, sample_weight=None):
        """Find the mixture.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the last finished iteration in the attributes.
        Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow, K > N, and for a
        component that collapses.

        Parameters
        ----------
        X : array (N, D)
            Points, N at least 2.
        y : None, default=None
            Ignored.
        sample_weight : array (N,) or None, default=None
            Weights of the points; None for 1 each.
        """
        earlier = self._mixture() if true_or_false(self.warm_start,
                                                   "warm_start") and self.__sklearn_is_fitted__() else None
        X = safe_to_square(self._fit_matrix(X, min_samples=2), work=np.float64)
        X, w = _weighed(X, sample_weight)
        K = _components_among(self.n_components, len(X))
        one_of(self.covariance_type, "covariance_type", TYPES)
        one_of(self.init_params, "init_params", STARTS)
        whole_number(self.max_iter, "max_iter", least=0)
        n_init = whole_number(self.n_init, "n_init")
        ε, tol = real_number(self.reg_covar, "reg_covar"), real_number(self.tol, "tol")
        least = (4 * EPS * np.maximum(X.max(axis=0), -X.min(axis=0)).astype(np.float64)) ** 2      # (D,) rounding of 0
        rng = generator(self.random_state)
        best = -np.inf
        for _ in range(1 if earlier else n_init):
            mixture = _if_alike(earlier, K, X.shape[1], self.covariance_type) or self._start(X, w, K, ε, least, rng)
            if self._climb(X, w, mixture, ε, tol, least, best):
                return self
            best = self.lower_bound_
        if not self.converged_ and self.max_iter > 0:
            warn_not_converged(f"the lower bound still rose by more than tol={self.tol} after max_iter={self.max_iter} "
                               "iterations; raise max_iter or tol")
        return self

    def fit_predict(self, X, y=None, sample_weight=None):
        """The same as `fit(X)` and then `predict(X)`, (N,).

        Parameters
        ----------
        X : array (N, D)
            Points, N at least 2.
        y : None, default=None
            Ignored.
        sample_weight : array (N,) or None, default=None
            Weights of the points in the fit; None for 1 each.
        """
        return self.fit(X, y, sample_weight).predict(X)

    def predict(self, X):
        """The most likely component of each point, (N,).  Errors are those of `predict_proba`.

        Parameters
        ----------
        X : array (N, D)
            Points.
        """
        return self.predict_proba(X).argmax(axis=1)

    def predict_proba(self, X):
        """Responsibilities (N, K) for the points: (4), with ε = 0.

        Raises ValueError for points so far away that every density is 0.

        Parameters
        ----------
        X : array (N, D)
            Points.
        """
        X, ℓ, r = self._posteriors(X, shares=True)
        if np.isneginf(ℓ).any():
            raise ValueError(f"X: row {np.isneginf(ℓ).argmax()} is so far from every component that no density is "
                             "above 0; leave it out, or compare distances to means_")
        return r.astype(X.dtype, copy=False)

    def score_samples(self, X):
        """Log-density (N,) of the points, in nats: (3), with ε = 0.

        Parameters
        ----------
        X : array (N, D)
            Points.
        """
        X, ℓ, _ = self._posteriors(X, shares=False)
        with np.errstate(over="ignore"):                 # below what float32 can hold is -inf
            return ℓ.astype(X.dtype, copy=False)

    def score(self, X, y=None):
        """Mean log-density of the points, in nats; higher is better.

        Parameters
        ----------
        X : array (N, D)
            Points.
        y : None, default=None
            Ignored.
        """
        return float(self._posteriors(X, shares=False)[1].mean())

    def bic(self, X):
        """(11); lower is better.

        Parameters
        ----------
        X : array (N, D)
            Points.
        """
        return bayesian_information(self._posteriors(X, shares=False)[1], self._n_parameters())

    def aic(self, X):
        """(12); lower is better.

        Parameters
        ----------
        X : array (N, D)
            Points.
        """
        return akaike_information(self._posteriors(X, shares=False)[1], self._n_parameters())

    def sample(self, n_samples=1):
        """Draw points (n_samples, D), and the components (n_samples,) that they came from, in order of the latter.

        Parameters
        ----------
        n_samples : int, default=1
            How many points to draw.
        """
        self._check_fitted()
        n, rng, mixture = whole_number(n_samples, "n_samples"), generator(self.random_state), self._mixture()
        K, D = mixture.μ.shape
        labels = np.repeat(np.arange(K), rng.multinomial(n, mixture.π / mixture.π.sum()))
        X, U = rng.normal(size=(n, D)), np.broadcast_to(mixture.factors(), (K, *mixture.factors().shape[1:]))
        for k in range(K):
            X[labels == k] = X[labels == k] / U[k] if U.ndim == 2 else solve_lower(U[k].T, X[labels == k].T).T
        return (X + mixture.μ[labels]).astype(self.means_.dtype), labels

    def _n_parameters(self):
        return free_parameters(*self.means_.shape, self._type())

    def _mixture(self):
        names = "weights_", "means_", "covariances_", "precisions_cholesky_"
        return Mixture(*map(self._in_double, names), self._type())

    def _type(self):
        """The type of the fit; `covariance_type` may have been set anew since."""
        return vars(self).get("_fitted_type", self.covariance_type)

    def _posteriors(self, X, shares):
        """`X`, checked, and of the fitted mixture (3) and, if `shares`, (4), in one pass and in float64."""
        X = safe_to_square(self._more_matrix(X), work=np.float64, fitted=True)
        mixture = self._mixture()
        return X, *posteriors(X, mixture, log_weights(mixture.π, mixture.factors(), 0.0), shares)

    def _start(self, X, w, K, ε, least, rng):
        """(5) to (9) from shares to start from, overridden by what the caller has given."""
        given = self.weights_init is not None, self.means_init is not None, self.precisions_init is not None
        if not all(given):
            r = starting_shares(X, w, K, self.init_params, rng)
            if not r.any(axis=0).all():
                raise _without_points(int(r.any(axis=0).argmin()), len(np.unique(X, axis=0)), K)
        π = weights(r) if not given[0] else starting_weights(self.weights_init, K)
        μ = means(X, r) if not given[1] else as_matrix(self.means_init, name="means_init").astype(np.float64)
        if μ.shape != (K, X.shape[1]):
            raise ValueError(f"means_init: expected shape (n_components, n_features) = {(K, X.shape[1])}, "
                             f"got {μ.shape}")
        if given[2]:
            Σ, U = starting_covariances(self.precisions_init, K, X.shape[1], self.covariance_type)
            return Mixture(π, μ, Σ, U, self.covariance_type)
        Σ = covariances(scatters(X, r, means(X, r)), weights(r), ε, self.covariance_type)
        return Mixture(π, μ, Σ, precision_factors(Σ, self.covariance_type, least), self.covariance_type)

    def _climb(self, X, w, mixture, ε, tol, least, to_beat):
        """EM from `mixture`; True if the callback says that the whole fit shall stop.

        What has a higher J than `to_beat`, the best of earlier starts, goes into the attributes.
        """
        sums, J = gathered(X, w, mixture, log_weights(mixture.π, mixture.factors(), ε))
        history, converged = [J], False
        self._keep(X.dtype, mixture, history, converged, to_beat)
        for iteration in range(1, int(self.max_iter) + 1):
            mixture = _maximised(mixture, sums, len(X), ε, least)
            sums, J = gathered(X, w, mixture, log_weights(mixture.π, mixture.factors(), ε))
            converged = J - history[-1] <= tol
            history = history + [J]
            self._keep(X.dtype, mixture, history, converged, to_beat)
            if report(self, iteration, -J):
                return True
            if converged:
                return False
        return False

    def _keep(self, dtype, mixture, history, converged, to_beat):
        """Take a finished iteration into the attributes, all at once."""
        if max(history) > to_beat:                       # not only the last: near the end it may fall by rounding
            U = mixture.U
            P = U @ U.swapaxes(-1, -2) if self.covariance_type in TYPES[:2] else U ** 2
            if max(np.abs(mixture.Σ).max(), np.abs(P).max()) > np.finfo(dtype).max:
                dtype = np.float64                       # float32 cannot hold them
            exact = dict(weights_=mixture.π, means_=mixture.μ, covariances_=mixture.Σ, precisions_cholesky_=U,
                         precisions_=P)
            self._keep_rounded(dtype, exact, lower_bound_=history[-1], lower_bounds_=history, n_iter_=len(history) - 1,
                               converged_=converged, _fitted_type=self.covariance_type)


def _weighed(X, sample_weight):
    """The points that have weight, and the weights, float64, scaled to as large a sum as there are points."""
    w = sample_weights(sample_weight, len(X), np.float64)
    if not w.all():
        X, w = X[w > 0], w[w > 0]
        if len(X) < 2:
            raise ValueError("sample_weight: only one sample has weight, but at least 2 must")
    w = w / w.max()                                      # a sum of the smallest weights is not lost
    return X, w * (len(w) / w.sum())


def _without_points(k, distinct, K):
    """The error for a component k of K to which the start gives none of so many distinct points."""
    start = f"component {k} has collapsed: there is no point for it to start from, as "
    if distinct < K:
        return ValueError(f"{start}X has only {distinct} distinct points for n_components={K}. Please lower "
                          f"n_components to {distinct} or less, or set init_params='random', where every component "
                          "starts with a share of every point.")
    return ValueError(f"{start}among duplicates two components were to start from the same point. Set "
                      "init_params='kmeans' or 'random', another random_state, or lower n_components.")


def _components_among(n_components, n):
    K = whole_number(n_components, "n_components")
    if K > n:
        raise ValueError(f"n_samples={n} should be >= n_components={K}: lower n_components")
    return K


def _if_alike(earlier, K, D, covariance_type):
    alike = earlier and earlier.covariance_type == covariance_type and earlier.μ.shape == (K, D)
    return earlier if alike else None


def _maximised(mixture, sums, N, ε, least):
    """(5) to (9) from the sums about the means of `mixture`: n_k, Σ_i r_ik (x_i - μ_k), and the same squared.

    What the means move by, d, lowers the scatter about them by d dᵀ.
    """
    n, first, second = sums                              # (K,), (K, D), (K, D, D) or (K, D)
    left, covariance_type = n > 0, mixture.covariance_type
    moved = np.divide(first, n[:, None], out=np.zeros_like(first), where=left[:, None])
    squared = moved * moved if second.ndim == 2 else moved[:, :, None] * moved[:, None, :]
    divisor = np.where(left, n, 1).reshape(-1, *[1] * (second.ndim - 1))
    Σ = covariances(second / divisor - squared, n / N, ε, covariance_type)
    if covariance_type != "tied":
        Σ[~left] = mixture.Σ[~left]
    return Mixture(n / N, mixture.μ + moved, Σ, precision_factors(Σ, covariance_type, least), covariance_type)
