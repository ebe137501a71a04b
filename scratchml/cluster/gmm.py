"""Gaussian mixtures: every point came from one of K Gaussians, and nobody says from which.

Two Gaussians, and a heap of points.  Were it known which point came from which, each Gaussian would be the mean and
the covariance of its points.  Were the Gaussians known, Bayes' rule would say how likely each point came from which.
Chicken and egg: so begin with a guess and take turns.  The E-step (4) gives every point to all Gaussians in shares,
its responsibilities; the M-step (5) to (8) is means and covariances with these shares as weights.  k-means is the
special case in which all are spheres of one size that shrinks to nothing: then a share is 0 or 1.

Symbols
    X     (N, D)     points, one a row: x_i
    π     (K,)       weights of the components, summing to 1
    μ     (K, D)     their means
    Σ     (K, D, D)  their covariances
    U     (K, D, D)  upper triangular, U_k U_kᵀ the inverse of Σ_k
    a     (K,)       what each component adds to its log-density in (3) and (4)
    r     (N, K)     responsibilities: the share of point i that is component k's; n_k is what k has of all points
    S     (K, D, D)  scatter of the points of each component about its mean
    ℓ     (N,)       log-density of the points under the mixture
    ε                `reg_covar`, added to every variance
    K, D, p          numbers of components, features and free parameters

Equations
    (1)  log N_ik = log|U_k| - ½ ‖U_kᵀ (x_i - μ_k)‖² - (D/2) log 2π                   log_gaussians
    (2)  a_k = log π_k - (ε/2) ‖U_k‖²                                                 log_weights
    (3)  ℓ_i = log Σ_k exp(a_k + log N_ik)                                            log_densities
    (4)  r_ik = exp(a_k + log N_ik - ℓ_i)                                             responsibilities
    (5)  π_k = n_k / N, with n_k = Σ_i r_ik                                           weights
    (6)  μ_k = Σ_i r_ik x_i / n_k                                                     means
    (7)  S_k = Σ_i r_ik (x_i - μ_k)(x_i - μ_k)ᵀ / n_k                                 scatters
    (8)  Σ_k = S_k + ε I                                                              covariances
         tied: Σ_l π_l S_l + ε I for all k; diag: diag(S_k) + ε I; spherical: (tr S_k / D + ε) I
    (9)  U_k U_kᵀ = Σ_k⁻¹, from Σ_k = L Lᵀ as U_k = L⁻ᵀ                               precision_factors
    (10)  p = K - 1 + K D + K D (D+1) / 2                                              free_parameters
         tied: D (D+1) / 2 in place of the last term; diag: K D; spherical: K
    (11)  BIC = p log N - 2 Σ_i ℓ_i                                                    bayesian_information
    (12)  AIC = 2 p - 2 Σ_i ℓ_i                                                        akaike_information

Choices
    What rises: log Σ_k exp(f_k) = max over shares r of Σ_k r_k (f_k - log r_k), attained at (4).  With f_k = a_k +
    log N_ik the E-step is that maximum over r, and the M-step the maximum of the same sum over π, μ and Σ.  So neither
    lowers J = (1/N) Σ_i ℓ_i, the `lower_bound_`.  With ε = 0 J is the mean log-likelihood.  With ε > 0, (8) maximises
    Σ_ik r_ik (log N_ik - (ε/2) tr Σ_k⁻¹), the expected log-density of points with noise of variance ε; to keep J from
    falling, (2) has the same term.  ‖U_k‖² = tr Σ_k⁻¹.  Once fitted, all but `lower_bound_` is of the mixture itself.
    A component that is left with no share of any point keeps its place, with weight 0.
    A covariance that is singular to working precision is an error: the likelihood of a component that has collapsed
    onto a point is infinite.
    All is computed in float64, about the means; so an offset costs no digits, in float32 none that the data still have.

Cost
    An iteration takes O(N K D²) time, with diag and spherical O(N K D).  It goes through the points once and keeps sums
    only: O(K D²) memory beyond the data.  Only the start holds one N x K array of responsibilities.

>>> X = np.array([[0.0], [1], [2], [10], [12]])
>>> model = GaussianMixture(2, random_state=0, tol=1e-9).fit(X)
>>> sorted(model.means_[:, 0].round(3).tolist()), model.predict_proba([[5.5]]).max(axis=1).round(3).tolist()
([1.0, 11.0], [0.633])

Sources: A. Dempster, N. Laird and D. Rubin, "Maximum likelihood from incomplete data via the EM algorithm", J. Royal
Statistical Society B 39 (1977); R. Neal and G. Hinton, "A view of the EM algorithm" (1998), for what rises.
"""
import numpy as np

from scratchml.cluster.gmm_start import STARTS, shape_of, starting_covariances, starting_shares, starting_weights
from scratchml.cluster.gmm_sums import Mixture, gathered, posteriors
from scratchml.core.checks import as_matrix, one_of, real_number, safe_to_square, whole_number
from scratchml.core.estimator import Estimator, warn_not_converged
from scratchml.core.linalg import cholesky, solve_lower
from scratchml.core.progress import report
from scratchml.core.random import generator

TYPES = ("full", "tied", "diag", "spherical")

# --- E-step: which component did a point come from? ----------------------------------------------


def log_gaussians(X, μ, U):
    """(1)  log N_ik = log|U_k| - ½ ‖U_kᵀ (x_i - μ_k)‖² - (D/2) log 2π

    Shapes: X (N, D), μ (K, D), U (K, D, D) -> (N, K)
    """
    N, D = X.shape
    result = np.empty((N, len(μ)))
    for k in range(len(μ)):
        z = (X - μ[k]) @ U[k]                            # (N, D) of variance 1 under component k
        result[:, k] = np.log(U[k].diagonal()).sum() - 0.5 * (z * z).sum(axis=1)
    return result - 0.5 * D * np.log(2 * np.pi)


def log_weights(π, U, ε):
    """(2)  a_k = log π_k - (ε/2) ‖U_k‖²

    Shapes: π (K), U (K, D, D), ε -> (K)
    """
    with np.errstate(divide="ignore"):                   # the logarithm of 0 is -inf
        return np.log(π) - 0.5 * ε * (U * U).reshape(len(U), -1).sum(axis=1)


def log_densities(X, μ, U, a):
    """(3)  ℓ_i = log Σ_k exp(a_k + log N_ik)

    Shapes: X (N, D), μ (K, D), U (K, D, D), a (K) -> (N)
    """
    joint = a + log_gaussians(X, μ, U)                   # (N, K)
    most = joint.max(axis=1)
    return most + np.log(np.exp(joint - most[:, None]).sum(axis=1))


def responsibilities(X, μ, U, a):
    """(4)  r_ik = exp(a_k + log N_ik - ℓ_i)

    Shapes: X (N, D), μ (K, D), U (K, D, D), a (K) -> (N, K)
    """
    return np.exp(a + log_gaussians(X, μ, U) - log_densities(X, μ, U, a)[:, None])


# --- M-step: means and covariances, with the shares as weights -----------------------------------


def weights(r):
    """(5)  π_k = n_k / N, with n_k = Σ_i r_ik

    Shapes: r (N, K) -> (K)
    """
    return r.sum(axis=0) / len(r)


def means(X, r):
    """(6)  μ_k = Σ_i r_ik x_i / n_k

    Shapes: X (N, D), r (N, K) -> (K, D)
    """
    centre = X.mean(axis=0, dtype=np.float64)
    return centre + (r.T @ (X - centre)) / r.sum(axis=0)[:, None]


def scatters(X, r, μ):
    """(7)  S_k = Σ_i r_ik (x_i - μ_k)(x_i - μ_k)ᵀ / n_k

    Shapes: X (N, D), r (N, K), μ (K, D) -> (K, D, D)
    """
    S = np.empty((len(μ), X.shape[1], X.shape[1]))
    for k in range(len(μ)):
        some = r[:, k] > 0
        Y = (X[some] - μ[k]) * np.sqrt(r[some, k, None])
        S[k] = Y.T @ Y / r[:, k].sum()
    return S


def covariances(S, π, ε, covariance_type="full"):
    """(8)  Σ_k = S_k + ε I

    In the shape that the type has: full (K, D, D), tied (D, D), diag (K, D), spherical (K,).  For the last two the
    diagonals of the S_k (K, D) are enough.

    Shapes: S (K, D, D), π (K), ε -> (K, D, D)
    """
    if covariance_type in ("diag", "spherical"):
        variances = S if S.ndim == 2 else S.diagonal(axis1=1, axis2=2)             # (K, D)
        return (variances if covariance_type == "diag" else variances.mean(axis=1)) + ε
    if covariance_type == "tied":
        S = np.tensordot(π, S, axes=1)                   # (D, D)
    return S + ε * np.eye(S.shape[-1])


def precision_factors(Σ, covariance_type="full", least=0.0):
    """(9)  U_k U_kᵀ = Σ_k⁻¹, from Σ_k = L Lᵀ as U_k = L⁻ᵀ

    In the shape that the type has.  Raises ValueError for a variance of at most `least`, along whatever direction, or
    one that is lost in the rounding of the others.

    Shapes: Σ (K, D, D) -> (K, D, D)
    """
    if covariance_type in ("diag", "spherical"):
        thin = np.argwhere(~(Σ > least))
        if thin.size:
            raise _collapsed(thin[0, 0])
        return 1 / np.sqrt(Σ)
    return np.stack([_factor(one, k, least) for k, one in enumerate(Σ.reshape(-1, *Σ.shape[-2:]))]).reshape(Σ.shape)


def _factor(Σ_k, k, least):
    try:
        L = cholesky(Σ_k)
    except ValueError as error:
        raise _collapsed(k) from error
    if (L.diagonal() ** 2 <= np.maximum(least, 4 * len(L) * np.finfo(L.dtype).eps * Σ_k.diagonal())).any():
        raise _collapsed(k)
    return np.ascontiguousarray(solve_lower(L, np.eye(len(L))).T)


def _collapsed(k):
    return ValueError(f"component {k} has collapsed onto too few distinct points, or onto a plane: its covariance is "
                      "singular. Raise reg_covar, lower n_components, choose a simpler covariance_type, or remove "
                      "duplicated points and features that depend on others.")


# --- how many components? ------------------------------------------------------------------------


def free_parameters(K, D, covariance_type="full"):
    """(10)  p = K - 1 + K D + K D (D+1) / 2

    Shapes: K, D -> ()
    """
    return K - 1 + K * D + {"full": K * D * (D + 1) // 2, "tied": D * (D + 1) // 2, "diag": K * D,
                            "spherical": K}[covariance_type]


def bayesian_information(ℓ, p):
    """(11)  BIC = p log N - 2 Σ_i ℓ_i

    Shapes: ℓ (N), p -> ()
    """
    return float(p * np.log(len(ℓ)) - 2 * ℓ.sum())


def akaike_information(ℓ, p):
    """(12)  AIC = 2 p - 2 Σ_i ℓ_i

    Shapes: ℓ (N), p -> ()
    """
    return float(2 * p - 2 * ℓ.sum())


# --- the estimator -------------------------------------------------------------------------------


class GaussianMixture(Estimator):
    """A mixture of Gaussians, fitted by EM: (4), then (5) to (8), until J stands still.

    Parameters
    ----------
    n_components : K.
    covariance_type : "full", "tied" (one covariance for all), "diag" (axes of the ellipses along the features) or
        "spherical".
    tol : stop when J rises by no more than this in an iteration.
    reg_covar : ε, in squared units of X.
    max_iter : iterations of one start at most; reaching it is a ConvergenceWarning.
    n_init : starts to try; the one with the highest J is kept.
    init_params : the shares to start from.  "kmeans": 1 for the cluster that `KMeans` puts a point in; "k-means++",
        "random_from_data": 1 for the nearest of K points chosen by `kmeans_plusplus`, or at random; "random": random.
    weights_init, means_init, precisions_init : π, μ and Σ⁻¹ to start from in place of what the shares give, in the
        shapes of `weights_`, `means_` and `precisions_`.
    random_state : None, int or numpy.random.Generator; the same seed gives the same bits on any number of threads.
    warm_start : start from what an earlier fit of this object has found, if there is one.
    verbose : 1 for a line to stderr after each iteration.
    callback : called with a `Progress` after each iteration, its loss -J; returning True stops the fit.

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

    def fit(self, X, y=None):
        """Find the mixture for `X` (N, D), N at least 2; `y` is ignored.

        Ctrl-C, like a callback that says stop, leaves the last finished iteration in the attributes.
        Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow, K > N, and for a
        component that collapses.
        """
        earlier = self._mixture() if self.warm_start and self.__sklearn_is_fitted__() else None
        X = safe_to_square(self._fit_matrix(X, min_samples=2))
        K = _components_among(self.n_components, len(X))
        one_of(self.covariance_type, "covariance_type", TYPES)
        one_of(self.init_params, "init_params", STARTS)
        whole_number(self.max_iter, "max_iter")
        n_init = whole_number(self.n_init, "n_init")
        ε, tol = real_number(self.reg_covar, "reg_covar"), real_number(self.tol, "tol")
        least = (16 * np.finfo(np.float64).eps * float(np.abs(X).max())) ** 2      # what rounding makes of a variance 0
        rng = generator(self.random_state)
        best = -np.inf
        for _ in range(1 if earlier else n_init):
            mixture = _if_alike(earlier, K, X.shape[1], self.covariance_type) or self._start(X, K, ε, least, rng)
            if self._climb(X, mixture, ε, tol, least, best):
                return self
            best = self.lower_bound_
        if not self.converged_:
            warn_not_converged(f"the lower bound still rose by more than tol={self.tol} after max_iter={self.max_iter} "
                               "iterations; raise max_iter or tol")
        return self

    def fit_predict(self, X, y=None):
        """The same as `fit(X)` and then `predict(X)`, (N,)."""
        return self.fit(X, y).predict(X)

    def predict(self, X):
        """The most likely component for each row of `X` (N, D), (N,).  Errors are those of `predict_proba`."""
        return self.predict_proba(X).argmax(axis=1)

    def predict_proba(self, X):
        """Responsibilities (N, K) for the rows of `X` (N, D): (4), with ε = 0.

        Raises ValueError for rows so far away that every density is 0.
        """
        ℓ, r = self._posteriors(X, shares=True)
        if np.isneginf(ℓ).any():
            raise ValueError(f"X: row {np.isneginf(ℓ).argmax()} is so far from every component that no density is "
                             "above 0; leave it out, or compare distances to means_")
        return r

    def score_samples(self, X):
        """Log-density (N,) of the rows of `X` (N, D), in nats: (3), with ε = 0."""
        return self._posteriors(X, shares=False)[0]

    def score(self, X, y=None):
        """Mean log-density of `X` (N, D), in nats; higher is better."""
        return float(self.score_samples(X).mean())

    def bic(self, X):
        """(11) on `X` (N, D); lower is better."""
        return bayesian_information(self.score_samples(X), self._free_parameters())

    def aic(self, X):
        """(12) on `X` (N, D); lower is better."""
        return akaike_information(self.score_samples(X), self._free_parameters())

    def sample(self, n_samples=1):
        """Draw points (n_samples, D), and the components (n_samples,) that they came from, in order of the latter."""
        self._check_fitted()
        n, rng, mixture = whole_number(n_samples, "n_samples"), generator(self.random_state), self._mixture()
        K, D = mixture.μ.shape
        labels = np.repeat(np.arange(K), rng.multinomial(n, mixture.π / mixture.π.sum()))
        X, U = rng.normal(size=(n, D)), np.broadcast_to(mixture.factors(), (K, *mixture.factors().shape[1:]))
        for k in range(K):
            X[labels == k] = X[labels == k] / U[k] if U.ndim == 2 else solve_lower(U[k].T, X[labels == k].T).T
        return (X + mixture.μ[labels]).astype(self.means_.dtype), labels

    def _free_parameters(self):
        return free_parameters(*self.means_.shape, self.covariance_type)

    def _mixture(self):
        arrays = self.weights_, self.means_, self.covariances_, self.precisions_cholesky_
        return Mixture(*(array.astype(np.float64) for array in arrays), self.covariance_type)

    def _posteriors(self, X, shares):
        """(3) and, if `shares`, (4) of the fitted mixture, in one pass."""
        X = safe_to_square(self._more_matrix(X))
        mixture = self._mixture()
        ℓ, r = posteriors(X, mixture, log_weights(mixture.π, mixture.factors(), 0.0), shares)
        return ℓ.astype(X.dtype, copy=False), r.astype(X.dtype, copy=False)

    def _start(self, X, K, ε, least, rng):
        """(5) to (9) from shares to start from, overridden by what the caller has given."""
        r = starting_shares(X, K, self.init_params, rng)
        given = self.weights_init is not None, self.means_init is not None, self.precisions_init is not None
        if not all(given) and not r.any(axis=0).all():
            raise _collapsed(int(r.any(axis=0).argmin()))
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

    def _climb(self, X, mixture, ε, tol, least, to_beat):
        """EM from `mixture`; True if the callback says that the whole fit shall stop.

        What has a higher J than `to_beat`, the best of earlier starts, goes into the attributes.
        """
        sums, J = gathered(X, mixture, log_weights(mixture.π, mixture.factors(), ε))
        history, converged = [J], False
        self._keep(X.dtype, mixture, history, converged, to_beat)
        for iteration in range(1, self.max_iter + 1):
            mixture = _maximised(mixture, sums, len(X), ε, least)
            sums, J = gathered(X, mixture, log_weights(mixture.π, mixture.factors(), ε))
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
            vars(self).update(weights_=mixture.π.astype(dtype), means_=mixture.μ.astype(dtype),
                              covariances_=mixture.Σ.astype(dtype), precisions_cholesky_=U.astype(dtype),
                              precisions_=(U @ U.swapaxes(-1, -2) if self.covariance_type in TYPES[:2]
                                           else U ** 2).astype(dtype),
                              lower_bound_=history[-1], lower_bounds_=history, n_iter_=len(history) - 1,
                              converged_=converged)


def _components_among(n_components, n):
    K = whole_number(n_components, "n_components")
    if K > n:
        raise ValueError(f"n_samples={n} should be >= n_components={K}: lower n_components")
    return K


def _if_alike(earlier, K, D, covariance_type):
    alike = earlier and earlier.μ.shape == (K, D) and earlier.U.shape == shape_of(K, D, covariance_type)
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
