"""Incremental PCA: the axes of data that come in batches, or never fit into memory.

What PCA needs of the samples seen so far is little: how many, their mean, and the axes with the singular values along
them.  A new batch adds its own scatter about its own mean, and one more direction: the line between the two means,
along which the merged data are spread although neither part was.  Stacked as rows, the three have the same
covariance as all the data together, so the singular vectors of this small matrix are the new axes.

Symbols
    n           samples seen so far
    F           how many axes are kept
    μ   (D,)    their mean
    W   (F, D)  their axes, one a row
    σ   (F,)    singular values along these
    X   (N, D)  the batch
    x̄   (D,)    its mean
    m   (D,)    the row that accounts for the distance between the means
    M   (P, D)  rows with the scatter of everything; P = F + N + 1

Equations
    (1)  μ' = (n μ + Σ_i x_i) / (n + N)                                               merged_mean
    (2)  m = √(n N / (n + N)) (μ - x̄)                                                 mean_correction
    (3)  M = [diag(σ) W; X - x̄; mᵀ]                                                   merged_scatter_rows
    (4)  σ', W' = the F largest singular values of M, and their right vectors         truncate

Choices
    The signs of (4) are those of the chapter on PCA.  With all components kept the result is that of PCA, up to
    rounding; with fewer, what a batch could not fit in F directions is lost for good, and the result depends on the
    order.  While fewer than F samples have come, all the directions there are are kept.

Cost
    O((F + N) D min(F + N, D)) time a batch, O((F + N) D) memory.

>>> from scratchml.reduction import PCA
>>> X = np.array([[1., 0], [3, 1], [5, 5], [0, 2], [2, 2]])
>>> whole, parts = PCA().fit(X), IncrementalPCA().partial_fit(X[:2]).partial_fit(X[2:])
>>> np.allclose(whole.components_, parts.components_), np.allclose(whole.mean_, parts.mean_)
(True, True)

Source: D. Ross, J. Lim, R.-S. Lin and M.-H. Yang, "Incremental learning for robust visual tracking", International
Journal of Computer Vision 77 (2008), section 3.1.
"""
import numpy as np

from scratchml.core.checks import safe_to_square, true_or_false, whole_number
from scratchml.core.sparse import SparseTable
from scratchml.reduction.linear_projection import LinearProjection
from scratchml.reduction.pca import SURE, fix_signs, mean, rounding_of_variance, settled

# --- one batch -----------------------------------------------------------------------------------


def merged_mean(n, μ, X):
    """(1)  μ' = (n μ + Σ_i x_i) / (n + N)

    Shapes: n, μ (D), X (N, D) -> (D)
    """
    x̄ = mean(X)
    return x̄ + n / (n + len(X)) * (μ - x̄)                # the same; offsets cost no digits


def mean_correction(n, μ, X):
    """(2)  m = √(n N / (n + N)) (μ - x̄)

    Shapes: n, μ (D), X (N, D) -> (D)
    """
    return np.sqrt(n * len(X) / (n + len(X))) * (μ - mean(X))


def merged_scatter_rows(σ, W, n, μ, X):
    """(3)  M = [diag(σ) W; X - x̄; mᵀ]

    Shapes: σ (F), W (F, D), n, μ (D), X (N, D) -> (P, D)
    """
    return np.vstack([σ[:, None] * W, X - mean(X), mean_correction(n, μ, X)])


def truncate(M, F):
    """(4)  σ', W' = the F largest singular values of M, and their right vectors

    Shapes: M (P, D), F -> (F), (F, D)
    """
    _, σ, W = np.linalg.svd(M, full_matrices=False)
    if σ[-1] ** 2 < SURE * σ[0] ** 2:
        lost = rounding_of_variance((M * M).sum(axis=0), np.zeros(M.shape[1]), len(M))
        λ, W = settled(σ**2, W, lambda v: M.T @ (M @ v.T), lost)
        σ = np.sqrt(λ)
    return σ[:F], fix_signs(W[:F])


# --- the estimator -------------------------------------------------------------------------------


class IncrementalPCA(LinearProjection):
    """PCA from batches: (1) to (4) for each.

    Parameters
    ----------
    n_components : int or None, default=None
        F; None for all that the data have.
    whiten : bool, default=False
        Whether `transform` divides each coordinate by its standard deviation.
    batch_size : int or None, default=None
        Rows that `fit` takes at a time; None for 5 D.

    Attributes
    ----------
    components_, mean_, explained_variance_, explained_variance_ratio_, singular_values_, noise_variance_,
    n_components_ : as in PCA
    var_ : (D,) variance of each feature, in squared units, over N
    n_samples_seen_ : samples so far
    batch_size_ : rows that `fit` took at a time
    """

    def __init__(self, n_components=None, *, whiten=False, batch_size=None):
        self.n_components = n_components
        self.whiten = whiten
        self.batch_size = batch_size

    def fit(self, X, y=None):
        """Find the axes batch by batch, forgetting what was seen before.  Returns itself.

        Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points, N at least 2.
        y : None, default=None
            Ignored.
        """
        X = safe_to_square(self._fit_matrix(X, min_samples=2), work=np.float64)
        size = 5 * X.shape[1] if self.batch_size is None else whole_number(self.batch_size, "batch_size")
        if self.n_components is not None and whole_number(self.n_components, "n_components") > min(X.shape):
            raise ValueError(f"n_components={self.n_components}: expected at most min(n_samples, n_features) = "
                             f"{min(X.shape)}")
        true_or_false(self.whiten, "whiten")
        self.n_samples_seen_, self.batch_size_, self._dtype = 0, size, X.dtype
        for start in range(0, len(X), size):
            self._take(_written_out(X[start:start + size]))
        return self

    def partial_fit(self, X, y=None):
        """Take one more batch into account.  Returns itself.  Errors are those of `fit`.

        Parameters
        ----------
        X : array, Rows or sparse matrix (N, D)
            Points, N at least 1.
        y : None, default=None
            Ignored.
        """
        first = not hasattr(self, "n_samples_seen_")
        X = self._fit_matrix(X) if first else self._further(X)
        if self.n_components is not None and whole_number(self.n_components, "n_components") > X.shape[1]:
            raise ValueError(f"n_components={self.n_components}: expected at most n_features = {X.shape[1]}")
        safe_to_square(X, work=np.float64, fitted=not first)
        true_or_false(self.whiten, "whiten")
        if first:
            self.n_samples_seen_, self._dtype = 0, X.dtype
        self._take(_written_out(X))
        return self

    def _take(self, X):
        D, n = X.shape[1], self.n_samples_seen_
        if n == 0:
            self._state = np.zeros(D), np.zeros(D), np.zeros(0), np.zeros((0, D)), 0.0
        μ, scatter, σ, W, left = self._state             # in float64, whatever the attributes are
        seen = n + len(X)
        scatter = scatter + ((X - mean(X)) ** 2).sum(axis=0) + mean_correction(n, μ, X) ** 2
        F = min(seen, D) if self.n_components is None else min(self.n_components, seen, D)
        σ, W = truncate(merged_scatter_rows(σ, W, n, μ, X), D)
        left += float((σ[F:] ** 2).sum())
        μ, freedom = merged_mean(n, μ, X), max(seen - 1, 1)
        lost = rounding_of_variance(scatter / freedom, μ, seen)
        others = float((W[F:] ** 2 @ lost).sum())
        σ, W = σ[:F], W[:F]
        self._state = μ, scatter, σ, W, left
        self._keep(self._dtype, μ, σ**2 / freedom, W, seen, float(scatter.sum() / freedom), left / freedom, lost,
                   others)
        self.n_samples_seen_, self.var_ = seen, (scatter / seen).astype(self.components_.dtype)


def _written_out(X):
    """A batch as an array."""
    return X.written_out() if isinstance(X, SparseTable) else X
