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
    Data are centred before they are squared, so an offset costs no digits.
    Columns may be in very different units: `settled` makes small eigenvalues sure, and each is judged beside the
    columns that it is made of.  It counts as 0 if it is at most `rounding_of_variance`: then `whiten` gives 0, and (9)
    is refused.  All is computed in float64.  Results for float32 data are given out in float32, if it can hold their
    squares, and kept in float64 too; with these are float32 points centred, whitened and scored where float32 would
    lose what it shows.

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

from scratchml.core.checks import as_matrix, finite, held_in, one_of, safe_to_square, true_or_false, whole_number
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.linalg import jacobi_eigh
from scratchml.core.random import generator
from scratchml.core.randomized import truncated_svd
from scratchml.preprocessing import scaling

BLOCK = 4096    # rows that are centred at a time
EPS = float(np.finfo(np.float64).eps)
WIDE = 1e-4     # of the largest variance: what is above, float32 can tell from the larger terms that it is left of
SURE = 1e-8     # of the largest eigenvalue: those above are right to EPS / SURE of themselves

# --- finding the axes ----------------------------------------------------------------------------


def mean(X):
    """(1)  μ = (1/N) Σ_i x_i

    By the mean of the chapter on scaling, which sums differences from the first row: a plain sum of many rows would
    lose digits to an offset.  Of a constant column it is the value exactly.

    Shapes: X (N, D) -> (D)
    """
    return scaling.mean(X)


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


def rounding_of_variance(variances, μ, N):
    """What rounding may make of a variance 0, for each column (D,) by itself; along an axis v, Σ_d v_d² times this.

    Sums of N terms in (2) and of D in (3) err by that share of the columns' `variances`, and the values of a constant
    column may differ in the last places, as 0.1 + 0.2 and 0.3 do.
    """
    return 4 * EPS * (len(μ) + N**0.5) * variances + (4 * EPS * μ) ** 2


def settled(λ, W, spread, lost):
    """The solution of (3) with its small eigenvalues as sure as its large ones.

    A solver is right to eps λ_1, which drowns a column in seconds beside one in nanoseconds.  So the axes with less
    than SURE λ_1 are solved for again, among themselves.  Before, each of them, v, is turned against each larger axis w
    by the small angle c = (w·S v) / λ_w, to v - c w and w + c v: then they are uncorrelated, as the solver's rounding
    left them not.  Again, until none is left that is so small beside the largest of its turn, or that is no more than
    rounding.

    `spread(W)` is S Wᵀ (D, R), `lost` (D,) the `rounding_of_variance`.

    Shapes: λ (R), W (R, D) -> (R), (R, D)
    """
    if λ[-1] >= SURE * λ[0]:
        return λ, W
    λ, W, first = λ.copy(), W.copy(), 0
    while λ[first] > W[first] ** 2 @ lost:
        small = first + int((λ[first:] >= SURE * λ[first]).sum())
        rounding = W[small:] ** 2 @ lost
        if (rounding >= np.maximum(λ[small:], EPS * λ[first])).all():
            break  # none is left, or they are 0 already by what the solver can tell
        larger = np.flatnonzero(λ[:small] > W[:small] ** 2 @ lost)
        w, v = W[larger], W[small:]
        c = w @ spread(v) / λ[larger, None]
        W[larger], v = w + c @ v, v - c.T @ w
        T = v @ spread(v)
        λ[small:], turned = _falling(*np.linalg.eigh((T + T.T) / 2))
        W[small:] = turned @ v
        first = small
    order = np.argsort(-λ, kind="stable")
    return λ[order], W[order]


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
    left = X - reconstruct(Z, μ, W)
    if σ2 < EPS * λ.max():
        left -= left @ W.T @ W                           # nothing but rounding, which may be large beside σ
    beyond = (left**2).sum(axis=1) / σ2 + (D - F) * np.log(σ2)
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
            Z = Z * np.sqrt(self._in_double("explained_variance_")).astype(Z.dtype)
        return reconstruct(Z, self.mean_, self.components_)

    def get_covariance(self):
        """The covariance (D, D) of the model, Wᵀ diag(λ - σ²) W + σ² I."""
        self._check_fitted()
        W, λ, σ2 = self._in_double("components_"), self._in_double("explained_variance_"), self.noise_variance_
        return ((W.T * (λ - σ2)) @ W + σ2 * np.eye(W.shape[1])).astype(self.components_.dtype)

    def score_samples(self, X):
        """Log-density (N,) under probabilistic PCA, in nats.

        Raises ValueError if the model's covariance has not full rank: no density exists.

        Parameters
        ----------
        X : array (N, D)
            Points.
        """
        X = self._further(X)
        with np.errstate(over="ignore"):                 # below what float32 can hold is -inf
            return self._log_density(X).astype(X.dtype, copy=False)

    def _log_density(self, X):
        """(9), in float64 unless float32 is as good."""
        names, σ2 = ("mean_", "components_", "explained_variance_"), self.noise_variance_
        μ, W, λ = [getattr(self, name) if self._plain else self._in_double(name) for name in names]
        if (λ <= self._lost[:-1]).any() or (len(W) < W.shape[1] and σ2 <= self._lost[-1]):
            raise ValueError("score_samples: the model's covariance is singular, so no density exists (constant or "
                             "dependent features, or too few samples); lower n_components or drop such features")
        return log_density(X, μ, W, λ, σ2)

    def score(self, X, y=None):
        """Mean log-density, in nats; the error is that of `score_samples`.

        Parameters
        ----------
        X : array (N, D)
            Points.
        y : None, default=None
            Ignored.
        """
        return float(self._log_density(self._further(X)).mean())

    def _further(self, X):
        X = self._more_matrix(X)
        return safe_to_square(held_in(X, self.components_.dtype), work=np.float64, fitted=True)

    def _coordinates(self, X):
        """(5), whitened if asked for."""
        if self.whiten and not self._plain:
            λ = self._in_double("explained_variance_")
            Z = project(X, self._in_double("mean_"), self._in_double("components_"))
            Z /= np.where(λ > self._lost[:-1], np.sqrt(λ), np.inf)       # what does not vary beyond rounding becomes 0
            return Z.astype(X.dtype, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            Z = project(X, self.mean_, self.components_)
        if not self._plain and self.mean_.dtype != np.float64:
            Z += ((self.mean_ - self._in_double("mean_")) @ self.components_.T).astype(Z.dtype)
        if self.whiten:
            Z /= np.sqrt(self.explained_variance_)
        if not np.isfinite(Z.sum(dtype=np.float64)):
            raise ValueError(f"X: its coordinates cannot be held in {Z.dtype}; scale the data, or fit them in float64")
        return Z

    @property
    def _n_features_out(self):
        return self.n_components_

    def _keep(self, dtype, μ, λ, W, n_samples, total, rest, lost, others):
        """Set the attributes from the F variances `λ` and axes `W` that are kept, and the variance in all and the rest.

        `lost` (D,) is the `rounding_of_variance`, `others` what it comes to along the other axes together; `_lost`
        (F+1,) will be that along each axis, and what it adds to σ².
        """
        F, R = len(W), min(n_samples, W.shape[1])
        limits = np.finfo(dtype)
        if λ[0] > limits.max or 0 < λ[0] < limits.tiny:
            dtype = np.float64
        self._keep_rounded(
            dtype, dict(mean_=μ, components_=W, explained_variance_=λ), n_components_=F,
            explained_variance_ratio_=(λ / total if total > 0 else np.zeros(F)).astype(dtype),
            singular_values_=np.sqrt((n_samples - 1) * λ).astype(dtype),
            noise_variance_=float(rest / (R - F)) if F < R else 0.0,
            _lost=np.append(W**2 @ lost, others / max(1, R - F)))
        self._plain = dtype == np.float32 and self._float32_suffices(μ, W, λ)

    def _float32_suffices(self, μ, W, λ):
        """Whether (9) and whitening are right to 1e-5 in float32.

        They are if no variance is so much smaller than another that it is left of larger terms, if their squares can be
        held, and if rounding moves the mean by no more than that share of a deviation.
        """
        spread = np.append(λ, self.noise_variance_) if len(W) < W.shape[1] else λ
        moved = (self.mean_ - μ) @ W.T
        return spread.min() > WIDE * λ[0] and 1e-25 < λ[0] < 1e25 and (np.abs(moved) <= 1e-5 * np.sqrt(λ)).all()


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
        the SVD of the centred data, or from 1,000 features on, if at most a tenth of the components is asked for and
        the samples are not so many that (2) is cheaper, "randomized".
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
        true_or_false(self.whiten, "whiten")
        with np.errstate(over="ignore", invalid="ignore"):
            μ = mean(X)
            if not np.isfinite(μ).all():                 # NaN and inf survive every mean
                finite(X, "X", columns=getattr(self, "feature_names_in_", None))
            if solver in ("randomized", "svd"):
                centred = X - μ
                variances = np.einsum("nd,nd->d", centred, centred) / (len(X) - 1)
            else:
                S = covariance(X, μ)
                variances = S.diagonal()
            total = float(variances.sum())
            safe_to_square(X, squares=(len(X) - 1) * total + len(X) * float(μ @ μ), work=np.float64)
        if solver == "randomized":
            _, singular, W = truncated_svd(centred, self._count(X.shape), generator(self.random_state))
            λ = singular**2 / (len(X) - 1)
        elif solver == "svd":
            _, singular, W = np.linalg.svd(centred, full_matrices=False)
            λ = singular**2 / (len(X) - 1)
        else:
            λ, W = principal_axes(S) if solver == "covariance_eigh" else _falling(*jacobi_eigh(S))
        lost = rounding_of_variance(variances, μ, len(X))
        λ, W = settled(λ, W, (lambda v: S @ v.T) if solver in ("covariance_eigh", "jacobi") else
                       lambda v: centred.T @ (centred @ v.T) / (len(X) - 1), lost)
        F = self._count(X.shape, λ)
        rest, others = float(λ[F:].sum()), float((W[F:] ** 2 @ lost).sum())
        if solver == "randomized":
            others = float((1 - (W**2).sum(axis=0)).clip(0) @ lost)
            rest = max(total - float(λ.sum()), 0.0)
            if rest < SURE * total:                      # most of its digits have gone
                left = centred - centred @ W.T @ W
                rest = float(((left - left @ W.T @ W) ** 2).sum() / (len(X) - 1))
        self.n_samples_ = len(X)
        self._keep(X.dtype, μ, λ[:F], fix_signs(W[:F]), len(X), total, rest, lost, others)
        return self

    def _solver(self, shape):
        solver = one_of(self.svd_solver, "svd_solver", ("auto", "covariance_eigh", "jacobi", "randomized"))
        whole = isinstance(self.n_components, numbers.Integral)
        if solver == "randomized" and not whole and self.n_components is not None:
            raise ValueError(f"n_components={self.n_components!r}: svd_solver='randomized' needs an int or None")
        if solver != "auto":
            return solver
        N, D = shape
        if whole and D >= 1000 and 10 * int(self.n_components) <= min(shape):
            products = 10 * N * (int(self.n_components) + 10)                  # against (2) and (3), both by the clock
            if D > N or products < D * (D + N / 6):
                return "randomized"
        return "covariance_eigh" if D <= N else "svd"

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
