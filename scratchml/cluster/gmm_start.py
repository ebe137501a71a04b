"""Where the chapter on Gaussian mixtures starts: shares for a first M-step, or what the caller gives in place of it."""
import numpy as np

from scratchml.cluster.assignment import nearest_of_all
from scratchml.cluster.kmeans import KMeans, kmeans_plusplus
from scratchml.core.checks import as_floats, as_vector, finite
from scratchml.core.linalg import cholesky, solve_lower
from scratchml.preprocessing.scaling import of_matrix

STARTS = ("kmeans", "k-means++", "random", "random_from_data")


def starting_shares(X, w, K, how, rng):
    """Responsibilities (N, K) to start from, times the weights w (N,), which are positive."""
    if how == "random":
        r = rng.random((len(X), K))
        r *= (w / r.sum(axis=1))[:, None]                # in place: one N x K array
        return r
    Z = in_equal_units(X)
    if how == "kmeans":
        labels = KMeans(K, random_state=rng).fit(Z, sample_weight=w).labels_
    elif how == "k-means++":
        labels = nearest_of_all(Z, kmeans_plusplus(Z, K, sample_weight=w, random_state=rng)[0])
    else:
        chosen = rng.choice(len(X), K, replace=False, p=w / w.sum() if np.ptp(w) > 0 else None)
        labels = nearest_of_all(Z, Z[chosen])
    r = np.eye(K)[labels]
    r *= w[:, None]
    return r


def in_equal_units(X):
    """X, each column divided by its deviation, unless that is rounding: a start does not depend on units."""
    _, _, s, low, high = of_matrix(X)
    rounding = 4 * np.finfo(np.float64).eps * np.maximum(high, -low)
    return X / np.where(s > rounding, s, 1.0)


def starting_weights(given, K):
    π = as_vector(given, name="weights_init", size=K).astype(np.float64)
    if (π < 0).any() or abs(π.sum() - 1) > 1e-6:
        raise ValueError(f"weights_init: expected {K} numbers of at least 0 that sum to 1, got {π}, "
                         f"with the sum {π.sum()}")
    return π


def starting_covariances(given, K, D, covariance_type):
    """Σ and U from precisions in the shape that the type has."""
    P = finite(as_floats(given, "precisions_init"), "precisions_init").astype(np.float64)
    if P.shape != shape_of(K, D, covariance_type):
        raise ValueError(f"precisions_init: expected shape {shape_of(K, D, covariance_type)} for "
                         f"covariance_type={covariance_type!r}, got {P.shape}")
    if covariance_type in ("diag", "spherical"):
        if not (P > 0).all():
            raise ValueError(f"precisions_init: expected positive numbers, got {P.min()}")
        return 1 / P, np.sqrt(P)
    U, Σ = np.empty((2, *P.reshape(-1, D, D).shape))
    for k, one in enumerate(P.reshape(-1, D, D)):
        try:
            U[k] = cholesky(one[::-1, ::-1])[::-1, ::-1]
        except ValueError as error:
            raise ValueError(f"precisions_init: matrix {k} is not symmetric and positive definite") from error
        root = solve_lower(U[k].T, np.eye(D))            # Σ_k = U_k⁻ᵀ U_k⁻¹
        Σ[k] = root @ root.T
    return Σ.reshape(P.shape), U.reshape(P.shape)


def shape_of(K, D, covariance_type):
    return {"full": (K, D, D), "tied": (D, D), "diag": (K, D), "spherical": (K,)}[covariance_type]
