"""The estimators of the chapter on principal components, whose equations are meant here by their numbers."""
import numbers

import numpy as np

from scratchml.core.checks import (as_matrix, finite, held_in, one_of, real_number, safe_to_square, true_or_false,
                                   whole_number)
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.lanczos import centred as centred_rows, leading_axes
from scratchml.core.linalg import jacobi_eigh
from scratchml.core.random import generator
from scratchml.core.sparse import SparseTable
from scratchml.reduction.dimensionality import most_evident
from scratchml.reduction.pca import (EPS, SURE, covariance, explained_ratio, falling, fix_signs, log_density, mean,
                                     principal_axes, project, reconstruct, rounding_of_variance, settled)

WIDE = 1e-4     # of the largest variance: what is above, float32 can tell from the larger terms that it is left of


class LinearProjection(Transformer, Estimator):
    """What PCA and IncrementalPCA do once their axes are found.  Sparse points are written out some rows at a time."""

    _takes_sparse = True

    def transform(self, X):
        """Coordinates (N, F) along the components; of variance 1 each if `whiten`.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points.
        """
        blocks = self._blocks(self._further(X))
        return self._output(np.concatenate([self._coordinates(block) for block in blocks]), X)

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

    def get_precision(self):
        """The inverse (D, D) of `get_covariance`, Wᵀ diag(1/λ - 1/σ²) W + I/σ².

        Raises ValueError as `score_samples` does.
        """
        self._check_fitted()
        self._refuse_singular("get_precision")
        W, λ, σ2 = self._in_double("components_"), self._in_double("explained_variance_"), self.noise_variance_
        if len(W) == W.shape[1]:
            return ((W.T / λ) @ W).astype(self.components_.dtype)
        return ((W.T * (1 / λ - 1 / σ2)) @ W + np.eye(W.shape[1]) / σ2).astype(self.components_.dtype)

    def score_samples(self, X):
        """Log-density (N,) under probabilistic PCA, in nats.

        Raises ValueError if the model's covariance has not full rank: no density exists.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points.
        """
        X = self._further(X)
        with np.errstate(over="ignore"):                 # below what float32 can hold is -inf
            return self._log_density(X).astype(X.dtype, copy=False)

    def _log_density(self, X):
        """(9), in float64 unless float32 is as good."""
        names = "mean_", "components_", "explained_variance_"
        μ, W, λ = [getattr(self, name) if self._plain else self._in_double(name) for name in names]
        self._refuse_singular("score_samples")
        return np.concatenate([log_density(block, μ, W, λ, self.noise_variance_) for block in self._blocks(X)])

    def _refuse_singular(self, what):
        λ, (F, D) = self._in_double("explained_variance_"), self.components_.shape
        if (λ <= self._lost[:-1]).any() or (F < D and self.noise_variance_ <= self._lost[-1]):
            raise ValueError(f"{what}: the model's covariance is singular, so no density exists (constant or dependent "
                             "features, or too few samples); lower n_components or drop such features")

    def score(self, X, y=None):
        """Mean log-density, in nats; the error is that of `score_samples`.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points.
        y : None, default=None
            Ignored.
        """
        return float(self._log_density(self._further(X)).mean())

    def _further(self, X):
        X, dtype = self._more_matrix(X), self.components_.dtype
        X = X.holding(held_in(X.data, dtype)) if isinstance(X, SparseTable) else held_in(X, dtype)
        return safe_to_square(X, work=np.float64, fitted=True)

    def _blocks(self, X):
        return X.blocks() if isinstance(X, SparseTable) else [X]

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
    n_components : int, float, "mle" or None, default=None
        F; a fraction in (0, 1) for the fewest components that explain more than this share of the variance; "mle" for
        the number of the largest evidence (the chapter on dimensionality), which needs more samples than features;
        None for min(N, D).
    whiten : bool, default=False
        Whether `transform` divides each coordinate by its standard deviation.
    svd_solver : {"auto", "full", "covariance_eigh", "jacobi", "arpack", "randomized"}, default="auto"
        "covariance_eigh": (2) and LAPACK's eigenvalues; "jacobi": (2) and eigenvalues by hand, slower; "full": the SVD
        of the centred data; "arpack" and "randomized": block Lanczos, for few components of a large matrix, the first
        to all digits and for fewer components than samples and features, the other as near as a few products come;
        "auto": the first, or with more features than samples "full", or from 1,000 features on, if at most a tenth of
        the components is asked for and the samples are not so many that (2) is cheaper, "randomized".  Sparse points
        are never written out as a whole: for them "auto" is the first, or "arpack" where it would be "randomized", and
        "full" is refused.
    tol : float, default=0.0
        Of "arpack": the search ends when each ‖S v_f - λ_f v_f‖ is at most tol λ_f, or as small as rounding allows.
    iterated_power : int or {"auto"}, default="auto"
        Of "randomized": how often its random vectors are sent through the data and back after the first time; "auto"
        is 7 for less than a tenth of all components, else 4.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the random vectors of "arpack" and "randomized".

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

    def __init__(self, n_components=None, *, whiten=False, svd_solver="auto", tol=0.0, iterated_power="auto",
                 random_state=None):
        self.n_components = n_components
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.random_state = random_state

    def fit(self, X, y=None):
        """Find the axes.  Returns itself.

        Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow, and sparse points where
        the solver would write them out.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points, N at least 2.
        y : None, default=None
            Ignored.
        """
        X = self._fit_matrix(X, min_samples=2, check_finite=False)
        sparse = isinstance(X, SparseTable)
        solver = self._solver(X.shape, sparse)
        few = solver in ("arpack", "randomized")
        true_or_false(self.whiten, "whiten")
        tol, further = real_number(self.tol, "tol"), self._rounds(X.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            μ = mean(X)
            if few and sparse:
                variances = X.squares_about(μ) / (len(X) - 1)
            elif few or solver == "full":
                centred = X - μ
                variances = np.einsum("nd,nd->d", centred, centred) / (len(X) - 1)
            else:
                S = covariance(X, μ)
                variances = S.diagonal()
            total = float(variances.sum())
            if not (np.isfinite(μ).all() and np.isfinite(total)):        # NaN and inf survive every sum of squares
                finite(X.data if sparse else X, "X", columns=getattr(self, "feature_names_in_", None))
            safe_to_square(X, squares=(len(X) - 1) * total + len(X) * float(μ @ μ), work=np.float64)
        if few:
            centred = centred_rows(X.rows, μ) if sparse else centred
            _, singular, W = leading_axes(centred, self._count(X.shape), generator(self.random_state), further=further,
                                          tol=tol if solver == "arpack" else None)
            λ = singular**2 / (len(X) - 1)
        elif solver == "full":
            _, singular, W = np.linalg.svd(centred, full_matrices=False)
            λ = singular**2 / (len(X) - 1)
        else:
            λ, W = principal_axes(S) if solver == "covariance_eigh" else falling(*jacobi_eigh(S))
        lost = rounding_of_variance(variances, μ, len(X))
        λ, W = settled(λ, W, (lambda v: S @ v.T) if solver in ("covariance_eigh", "jacobi") else
                       lambda v: centred.T @ (centred @ v.T) / (len(X) - 1), lost)
        F = self._count(X.shape, np.where(λ > W**2 @ lost, λ, 0))
        rest, others = float(λ[F:].sum()), float((W[F:] ** 2 @ lost).sum())
        if few:
            others = float((1 - (W**2).sum(axis=0)).clip(0) @ lost)
            rest = max(total - float(λ.sum()), 0.0)
            if rest < SURE * total:                      # most of its digits have gone
                rest = sum(_beyond(block - μ, W) for block in self._blocks(X)) / (len(X) - 1)
        self.n_samples_ = len(X)
        self._keep(X.dtype, μ, λ[:F], fix_signs(W[:F]), len(X), total, rest, lost, others)
        return self

    def _solver(self, shape, sparse):
        solver = one_of(self.svd_solver, "svd_solver", ("auto", "full", "covariance_eigh", "jacobi", "arpack",
                                                        "randomized"))
        if sparse and solver == "full":
            raise TypeError("svd_solver='full' would write the sparse points out; choose 'covariance_eigh' or "
                            "'arpack', or pass X.toarray()")
        whole = isinstance(self.n_components, numbers.Integral)
        if isinstance(self.n_components, str) and self.n_components == "mle":
            if solver in ("arpack", "randomized"):
                raise ValueError(f"n_components='mle' cannot be a string with svd_solver={solver!r}, which finds some "
                                 "variances, where the evidence needs all; choose 'full' or 'covariance_eigh'")
            if shape[0] <= shape[1]:
                raise ValueError("n_components='mle' is only supported if n_samples >= n_features + 1 = "
                                 f"{shape[1] + 1}, got {shape[0]}: fewer points always lie in N - 1 dimensions, "
                                 "whatever they came from; give a number of components, or a share of the variance")
        elif solver in ("arpack", "randomized") and not whole and self.n_components is not None:
            raise ValueError(f"n_components={self.n_components!r}: svd_solver={solver!r} needs an int or None")
        if solver == "arpack" and self.n_components is None and min(shape) == 1 or \
                solver == "arpack" and whole and not 1 <= self.n_components < min(shape):
            few = "between 1 and" if whole and self.n_components < 1 else "strictly less than"
            raise ValueError(f"n_components={self.n_components} must be {few} min(n_samples, n_features)={min(shape)} "
                             "with svd_solver='arpack'; choose 'covariance_eigh' or 'full' for all components")
        if solver != "auto":
            return solver
        N, D = shape
        if whole and D >= 1000 and 10 * int(self.n_components) <= min(shape):
            products = 10 * N * (int(self.n_components) + 10)                  # against (2) and (3), both by the clock
            if D > N or products < D * (D + N / 6):
                return "arpack" if sparse else "randomized"
        return "covariance_eigh" if D <= N or sparse else "full"

    def _rounds(self, shape):
        if isinstance(self.iterated_power, str) and self.iterated_power == "auto":
            fewest = min(shape) if self.n_components is None else self.n_components
            return 7 if isinstance(fewest, numbers.Real) and fewest < 0.1 * min(shape) else 4
        if isinstance(self.iterated_power, str):
            raise ValueError(f"iterated_power={self.iterated_power!r}: expected a whole number, or 'auto'")
        return whole_number(self.iterated_power, "iterated_power", least=0)

    def _count(self, shape, λ=None):
        """F from `n_components`, by way of (7) if it is a fraction; in `λ` (R,) what is only rounding is 0."""
        R = min(shape)
        if self.n_components is None:
            return R - (self.svd_solver == "arpack")
        if isinstance(self.n_components, str) and self.n_components == "mle":
            if not λ.any():
                raise ValueError("n_components='mle': the points are all alike, so no direction is evident")
            return most_evident(λ, shape[0])
        if isinstance(self.n_components, numbers.Real) and not isinstance(self.n_components, numbers.Integral):
            if not 0 < self.n_components < 1:
                raise ValueError(f"n_components={self.n_components!r}: a fraction of variance lies between 0 and 1")
            return min(int((explained_ratio(λ).cumsum() <= self.n_components).sum()) + 1, R)
        if isinstance(self.n_components, (str, bytes)):
            raise ValueError(f"n_components={self.n_components!r}: of words there is 'mle' alone; else expected a "
                             "whole number of at least 1, a share of the variance between 0 and 1, or None")
        F = whole_number(self.n_components, "n_components")
        if F > R:
            raise ValueError(f"n_components={F}: expected at most min(n_samples, n_features) = {R}")
        return F


def _beyond(X, W):
    """Σ_i ‖x_i - Wᵀ W x_i‖² of centred points (N, D); what rounding left along W is taken off again."""
    left = X - X @ W.T @ W
    left -= left @ W.T @ W
    return float((left**2).sum())
