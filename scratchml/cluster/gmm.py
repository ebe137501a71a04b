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
    U     (K, D, D)  upper triangular, U_k U_kᵀ the inverse of Σ_k; L is Cholesky's factor of Σ_k
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

What rises
    log Σ_k exp(f_k) = max over shares r of Σ_k r_k (f_k - log r_k), attained at (4). With f_k = a_k + log N_ik the
    E-step is that maximum over r, and the M-step the maximum of the same sum over π, μ and Σ. So neither lowers J =
    (1/N) Σ_i ℓ_i, the `lower_bound_`, but for rounding. With ε = 0 J is the mean log-likelihood. With ε > 0, (8)
    maximises Σ_ik r_ik (log N_ik - (ε/2) tr Σ_k⁻¹), the expected log-density of points with noise of variance ε; to
    keep J from falling, (2) has the same term. ‖U_k‖² = tr Σ_k⁻¹. Once fitted, all but `lower_bound_` is of the
    mixture itself.

Choices
    Weights of points, scaled to the sum N, multiply what comes of each: r_ik once (4) has given it, and ℓ_i in J.
    A start looks at the points in units in which every feature has the deviation 1: but for ε, EM does not see units.
    A component that is left with no share of any point keeps its place, with weight 0.
    A covariance that is singular to working precision is an error: the likelihood of a component that has collapsed
    onto a point is infinite.  Working precision is that of each feature: a variance is 0 if it is at most (4 eps
    max|x|)², what rounding makes of a feature that is constant, whatever units the others have.
    All is computed in float64, about the means; so an offset costs no digits, in float32 none that the data still have:
    what is given out in float32 is kept in float64 too, and used so.

Cost
    An iteration takes O(N K D²) time, with diag and spherical O(N K D).  It goes through the points once and keeps sums
    only: O(K D²) memory beyond the data.  Only the start holds the points in other units, and then one N x K array of
    responsibilities.

>>> from scratchml.cluster import GaussianMixture
>>> X = np.array([[0.0], [1], [2], [10], [12]])
>>> model = GaussianMixture(2, random_state=0, tol=1e-9).fit(X)
>>> sorted(model.means_[:, 0].round(3).tolist()), model.predict_proba([[5.5]]).max(axis=1).round(3).tolist()
([1.0, 11.0], [0.633])

Sources: A. Dempster, N. Laird and D. Rubin, "Maximum likelihood from incomplete data via the EM algorithm", J. Royal
Statistical Society B 39 (1977); R. Neal and G. Hinton, "A view of the EM algorithm" (1998), for what rises.
"""
import numpy as np

from scratchml.core.linalg import cholesky, solve_lower

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

    In the shape that the type has.  Raises ValueError for a variance of at most `least`, a number or one for each
    feature (D,), or one that is lost in the rounding of what the other features explain of it.

    Shapes: Σ (K, D, D) -> (K, D, D)
    """
    if covariance_type in ("diag", "spherical"):
        thin = np.argwhere(~(Σ > (least if covariance_type == "diag" else np.mean(least))))
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
