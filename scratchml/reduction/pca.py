"""Principal component analysis: the few directions in which the data vary most.

A thousand measurements of a thing seldom vary in a thousand ways.  PCA turns the axes so that the first one points
along the largest variance of the data, the second along the largest that is left at right angles to it, and so on.
The first F coordinates are then the best F numbers from which to rebuild a point linearly, and the rest can go.

The steps that one often reads, "form the covariance matrix, take its eigenvectors, project", forget the first: the
data are centred.  Uncentred, the first axis points from the origin to the data, and says nothing of their shape.

Symbols
    X   (N, D)  points, one a row: x_i
    μ   (D,)    their mean
    S   (D, D)  their covariance
    λ   (R,)    variances along the axes, falling; R = min(N, D), or D where S is all that is known
    W   (F, D)  the axes that are kept, one a row: v_1 ... v_F
    Z   (N, F)  coordinates along them, z a row
    σ², σ2      variance along each axis that is not kept
    F           how many axes are kept

Equations
    (1)  μ = (1/N) Σ_i x_i                                                            mean
    (2)  S = (1/(N-1)) Σ_i (x_i - μ)(x_i - μ)ᵀ                                        covariance
    (3)  S v_f = λ_f v_f, λ_1 ≥ λ_2 ≥ ... ≥ 0, the v_f orthonormal                    principal_axes
    (4)  v_f ← ±v_f, such that its entry of largest magnitude is positive             fix_signs
    (5)  z = W (x - μ)                                                                project
    (6)  x̂ = Wᵀ z + μ                                                                 reconstruct
    (7)  r_f = λ_f / Σ_g λ_g                                                          explained_ratio
    (8)  σ² = (1/(R-F)) Σ_{f>F} λ_f                                                   noise_variance
    (9)  log p(x) = log N(x; μ, Wᵀ diag(λ_1 - σ² ... λ_F - σ²) W + σ² I)              log_density

Choices
    (4) decides what (3) leaves open, so that every solver gives the same signs; of equal entries the first counts.
    (7) is 0 where all λ are.  (8) is 0 where F = R.
    (9) needs a covariance of full rank.  It is computed without one D x D matrix: within the axes each coordinate has
    variance λ_f, and what is left of x - μ after (6) has variance σ².
    Data are centred before they are squared, so an offset costs no digits.  An eigenvalue below eps λ_1 is rounding.

Cost
    (2) takes O(N D²) time and O(D²) memory, (3) O(D³); with more features than samples the SVD of the centred data
    takes their place, O(N² D).

>>> X = np.array([[1., 2], [3, 6], [5, 10]])            # all on one line
>>> pca = PCA(1).fit(X)
>>> pca.explained_variance_ratio_.round(6).tolist(), pca.transform(X).round(6).ravel().tolist()
([1.0], [-4.472136, 0.0, 4.472136])

Sources: I. Jolliffe, "Principal Component Analysis" (2002), chapters 1 to 3; M. Tipping and C. Bishop, "Probabilistic
principal component analysis", J. Royal Statistical Society B 61 (1999), sections 3.1 and 3.2, for (8) and (9).
"""
import numbers

import numpy as np

from scratchml.core.checks import as_matrix, finite, one_of, safe_to_square, whole_number
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.linalg import jacobi_eigh
from scratchml.core.random import generator
from scratchml.core.randomized import truncated_svd

BLOCK = 4096    # rows that are centred at a time

# --- finding the axes ----------------------------------------------------------------------------


def mean(X):
    """(1)  μ = (1/N) Σ_i x_i

    Of a constant column it is the value exactly: what rounding leaves over would count as variance.

    Shapes: X (N, D) -> (D)
    """
    μ = X.mean(axis=0, dtype=np.float64)
    alike = np.flatnonzero((X[::max(1, len(X) // 16)] == X[0]).all(axis=0))        # in a few rows
    constant = alike[(X[:, alike] == X[0, alike]).all(axis=0)]                     # in all
    μ[constant] = X[0, constant]
    return μ


def covariance(X, μ):
    """(2)  S = (1/(N-1)) Σ_i (x_i - μ)(x_i - μ)ᵀ

    In blocks of rows, each one product of a matrix with its own transpose.

    Shapes: X (N, D), μ (D) -> (D, D)
    """
    S = np.zeros((X.shape[1], X.shape[1]))
    block = np.empty((BLOCK, X.shape[1]))
    for start in range(0, len(X), BLOCK):
        rows = X[start:start + BLOCK]
        centred = np.subtract(rows, μ, out=block[:len(rows)])
        S += centred.T @ centred
    return S / (len(X) - 1)


def principal_axes(S):
    """(3)  S v_f = λ_f v_f, λ_1 ≥ λ_2 ≥ ... ≥ 0, the v_f orthonormal

    Returns λ and the v_f as rows.

    Shapes: S (D, D) -> (D), (D, D)
    """
    return _falling(*np.linalg.eigh(S))


def _falling(λ, V):
    """Eigenvalues in ascending order and vectors in columns, as the λ and v_f of (3)."""
    return np.maximum(λ[::-1], 0), V.T[::-1]


def fix_signs(W):
    """(4)  v_f ← ±v_f, such that its entry of largest magnitude is positive

    Shapes: W (F, D) -> (F, D)
    """
    largest = np.take_along_axis(W, np.abs(W).argmax(axis=1)[:, None], axis=1)     # (F, 1)
    return np.where(largest < 0, -W, W)


# --- using them ----------------------------------------------------------------------------------


def project(X, μ, W):
    """(5)  z = W (x - μ)

    Shapes: X (N, D), μ (D), W (F, D) -> (N, F)
    """
    return (X - μ) @ W.T


def reconstruct(Z, μ, W):
    """(6)  x̂ = Wᵀ z + μ

    Shapes: Z (N, F), μ (D), W (F, D) -> (N, D)
    """
    return Z @ W + μ


def explained_ratio(λ):
    """(7)  r_f = λ_f / Σ_g λ_g

    Shapes: λ (R) -> (R)
    """
    total = λ.sum()
    return λ / total if total > 0 else np.zeros_like(λ)


def noise_variance(λ, F):
    """(8)  σ² = (1/(R-F)) Σ_{f>F} λ_f

    Shapes: λ (R), F -> ()
    """
    return float(λ[F:].mean()) if F < len(λ) else 0.0


def log_density(X, μ, W, λ, σ2):
    """(9)  log p(x) = log N(x; μ, Wᵀ diag(λ_1 - σ² ... λ_F - σ²) W + σ² I)

    `λ` (F,) are the variances along the axes that are kept.

    Shapes: X (N, D), μ (D), W (F, D), λ (F), σ2 -> (N)
    """
    F, D = W.shape
    Z = project(X, μ, W)
    within = (Z**2 / λ).sum(axis=1) + np.log(λ).sum()                              # (N,)
    if F == D:
        return -0.5 * (D * np.log(2 * np.pi) + within)
    beyond = ((X - reconstruct(Z, μ, W))**2).sum(axis=1) / σ2 + (D - F) * np.log(σ2)
    return -0.5 * (D * np.log(2 * np.pi) + within + beyond)


# --- the estimators ------------------------------------------------------------------------------


class LinearProjection(Transformer, Estimator):
    """What PCA and IncrementalPCA do once their axes are found."""

    def transform(self, X):
        """Coordinates (N, F) along the components; of variance 1 each if `whiten`.

        Parameters
        ----------
        X : array (N, D)
            Points.
        """
        return self._output(self._coordinates(self._further(X)), X)

    def inverse_transform(self, Z):
        """The points (N, D) that have these coordinates: exact if all components are kept.

        Parameters
        ----------
        Z : array (N, F)
            Coordinates, as `transform` returns them.
        """
        self._check_fitted()
        Z = as_matrix(Z, name="Z").astype(self.components_.dtype, copy=False)
        if Z.shape[1] != self.n_components_:
            raise ValueError(f"Z: has {Z.shape[1]} columns, but {self.n_components_} components are kept")
        if self.whiten:
            Z = Z * np.sqrt(self.explained_variance_)
        return reconstruct(Z, self.mean_, self.components_)

    def get_covariance(self):
        """The covariance (D, D) of the model, Wᵀ diag(λ - σ²) W + σ² I."""
        self._check_fitted()
        W, σ2 = self.components_, self.noise_variance_
        return (W.T * (self.explained_variance_ - σ2)) @ W + σ2 * np.eye(W.shape[1], dtype=W.dtype)

    def score_samples(self, X):
        """Log-density (N,) under probabilistic PCA, in nats.

        Raises ValueError if the model's covariance has not full rank: no density exists.

        Parameters
        ----------
        X : array (N, D)
            Points.
        """
        X = self._further(X)
        W, λ, σ2 = self.components_, self.explained_variance_, self.noise_variance_
        floor = λ[0] * len(λ) * np.finfo(λ.dtype).eps
        if λ[-1] <= floor or (len(W) < W.shape[1] and σ2 <= floor):
            raise ValueError("score_samples: the model's covariance is singular, so no density exists (constant or "
                             "dependent features, or too few samples); lower n_components or drop such features")
        return log_density(X, self.mean_, W, λ, σ2)

    def score(self, X, y=None):
        """Mean log-density, in nats; the error is that of `score_samples`.

        Parameters
        ----------
        X : array (N, D)
            Points.
        y : None, default=None
            Ignored.
        """
        return float(self.score_samples(X).mean())

    def _further(self, X):
        X = self._more_matrix(X)
        return safe_to_square(X.astype(self.components_.dtype, copy=False))

    def _coordinates(self, X):
        Z = project(X, self.mean_, self.components_)
        if self.whiten:
            scale = np.sqrt(self.explained_variance_)
            floor = scale[0] * np.sqrt(len(scale) * np.finfo(scale.dtype).eps)
            Z /= np.where(scale > floor, scale, np.inf)  # what does not vary beyond rounding becomes 0
        return Z

    @property
    def _n_features_out(self):
        return self.n_components_

    def _keep(self, dtype, μ, λ, W, n_samples, total):
        """Set the attributes from the F variances `λ` and axes `W` that are kept, and the variance in `total`."""
        F, R = len(W), min(n_samples, W.shape[1])
        rest = max(total - λ.sum(), 0.0)
        self.mean_, self.components_, self.explained_variance_ = μ.astype(dtype), W.astype(dtype), λ.astype(dtype)
        self.explained_variance_ratio_ = (λ / total if total > 0 else np.zeros(F)).astype(dtype)
        self.singular_values_ = np.sqrt((n_samples - 1) * λ).astype(dtype)
        self.noise_variance_ = float(rest / (R - F)) if F < R else 0.0
        self.n_components_ = F


class PCA(LinearProjection):
    """Principal component analysis by (1) to (4).

    Parameters
    ----------
    n_components : int, float or None, default=None
        F; a fraction in (0, 1) for the fewest components that explain more than this share of the variance; None for
        min(N, D).
    whiten : bool, default=False
        Whether `transform` divides each coordinate by its standard deviation.
    svd_solver : {"auto", "covariance_eigh", "jacobi", "randomized"}, default="auto"
        "covariance_eigh": (2) and LAPACK's eigenvalues; "jacobi": (2) and eigenvalues by hand, slower; "randomized": a
        few random products, for few components of a large matrix; "auto": the first, or with more features than samples
        the SVD of the centred data, or from 1,000 features on, if at most a tenth of the components is asked for,
        "randomized".
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the random products of "randomized".

    Attributes
    ----------
    components_ : W (F, D)
    mean_ : μ (D,)
    explained_variance_ : λ (F,), in squared units of X
    explained_variance_ratio_ : (F,), shares of the whole variance
    singular_values_ : (F,), √((N-1) λ)
    noise_variance_ : σ²
    n_components_, n_samples_ : F and N
    """

    def __init__(self, n_components=None, *, whiten=False, svd_solver="auto", random_state=None):
        self.n_components = n_components
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.random_state = random_state

    def fit(self, X, y=None):
        """Find the axes.  Returns itself.

        Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow.

        Parameters
        ----------
        X : array (N, D)
            Points, N at least 2.
        y : None, default=None
            Ignored.
        """
        X = self._fit_matrix(X, min_samples=2, check_finite=False)
        solver = self._solver(X.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            μ = mean(X)
            if not np.isfinite(μ).all():                 # NaN and inf survive every mean
                finite(X, "X")
            if solver in ("randomized", "svd"):
                centred = X - μ
                total = float((centred**2).sum() / (len(X) - 1))
            else:
                S = covariance(X, μ)
                total = float(S.trace())
            safe_to_square(X, squares=(len(X) - 1) * total + len(X) * float(μ @ μ))
        if solver == "randomized":
            _, singular, W = truncated_svd(centred, self._count(X.shape), generator(self.random_state))
            λ = singular**2 / (len(X) - 1)
        elif solver == "svd":
            _, singular, W = np.linalg.svd(centred, full_matrices=False)
            λ = singular**2 / (len(X) - 1)
        else:
            λ, W = principal_axes(S) if solver == "covariance_eigh" else _falling(*jacobi_eigh(S))
        F = self._count(X.shape, λ)
        self.n_samples_ = len(X)
        self._keep(X.dtype, μ, λ[:F], fix_signs(W[:F]), len(X), total)
        return self

    def _solver(self, shape):
        solver = one_of(self.svd_solver, "svd_solver", ("auto", "covariance_eigh", "jacobi", "randomized"))
        whole = isinstance(self.n_components, numbers.Integral)
        if solver == "randomized" and not whole and self.n_components is not None:
            raise ValueError(f"n_components={self.n_components!r}: svd_solver='randomized' needs a whole number or None")
        if solver != "auto":
            return solver
        if whole and shape[1] >= 1000 and 10 * self.n_components <= min(shape):
            return "randomized"
        return "covariance_eigh" if shape[1] <= shape[0] else "svd"

    def _count(self, shape, λ=None):
        """F from `n_components`, by way of (7) if it is a fraction."""
        R = min(shape)
        if self.n_components is None:
            return R
        if isinstance(self.n_components, numbers.Real) and not isinstance(self.n_components, numbers.Integral):
            if not 0 < self.n_components < 1:
                raise ValueError(f"n_components={self.n_components!r}: a fraction of variance lies between 0 and 1")
            return min(int((explained_ratio(λ).cumsum() <= self.n_components).sum()) + 1, R)
        F = whole_number(self.n_components, "n_components")
        if F > R:
            raise ValueError(f"n_components={F}: expected at most min(n_samples, n_features) = {R}")
        return F
