"""The singular value decomposition of a sparse matrix, cut off after a few terms.

If what is unknown is taken for 0, and nothing is penalised, the best product of N x F and M x F factors needs no
alternating: by Eckart and Young it is the sum of the first F terms of the singular value decomposition.  A matrix of
ratings or of words in documents is almost all zeros, so it is never written out.  All that is asked of it are products
with a few vectors at a time (the chapter on block Lanczos), and they visit the entries that are there.

Unlike principal components, the axes go through the origin: to centre the data would fill the zeros.

Symbols
    N, M, F            rows, columns, terms that are kept
    R       (N, M)     the matrix A, sparse: Rows, of which what is not stored is 0
    W       (F, M)     the axes that are kept, one a row: v_1 ... v_F
    s       (F,)       the singular values, falling
    u_f                the left singular vectors
    Z       (N, F)     coordinates along the axes, z a row; Z_f a column
    total              Σ_j var A_:j, the variance of all columns

Equations
    (1)  A ≈ Σ_f s_f u_f v_fᵀ, the terms of the F largest s_f                      leading_terms
         with the entry of largest magnitude in each v_f positive
    (2)  z = W a, for a row a of A                                                 project
    (3)  Â = Z W                                                                   reconstruct
    (4)  r_f = var Z_f / Σ_j var A_:j                                              explained_ratio

Choices
    (1) is computed by block Lanczos: to all digits by "arpack"; by "randomized" with singular values that are somewhat
    too small, where they fall slowly.  Always s_f = ‖Z_f‖.  All is computed in float64, given out in the type of A.
    Of equal magnitudes in v_f the first counts.  Columns have means: the variance of Z_1 can be less than that of Z_2.
    (4) is 0 where all columns are constant.

Cost
    A product with L vectors takes O(nnz L) time.  "randomized" takes 2 n_iter + 2 with F vectors, or up to 7 more, and
    three with F; "arpack" as many as it needs.  Memory O((N + M) F) beside the transposed matrix.

>>> A = np.array([[1., 0, 2], [0, 0, 0], [2, 0, 4], [0, 3, 0]])
>>> svd = TruncatedSVD(2, random_state=0).fit(A)
>>> svd.singular_values_.round(6).tolist(), svd.inverse_transform(svd.transform(A)).round(6).tolist()[2]
([5.0, 3.0], [2.0, 0.0, 4.0])

Sources: C. Eckart and G. Young, "The approximation of one matrix by another of lower rank", Psychometrika 1 (1936);
C. Musco and C. Musco, "Randomized block Krylov methods for stronger and faster approximate singular value
decomposition", NeurIPS (2015), for (1).
"""
import numpy as np

from scratchml.core.checks import as_matrix, finite, one_of, real_number, safe_to_square, whole_number
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.lanczos import SparseMatrix, leading_axes, times
from scratchml.core.random import generator
from scratchml.core.sparse import Rows, known_entries

# --- the equations -------------------------------------------------------------------------------


def leading_terms(R, F, random_state=None, n_iter=4, tol=None):
    """(1)  A ≈ Σ_f s_f u_f v_fᵀ, the terms of the F largest s_f

    Returns s, the v_f as rows, and (2) for all rows.  `R` may be a dense array, too.  `tol` is None for a search that
    ends after `n_iter` rounds, else that of `leading_axes`.

    Shapes: R (N, M), F -> (F), (F, M), (N, F)
    """
    dtype = R.data.dtype if isinstance(R, Rows) else R.dtype
    A = SparseMatrix(R) if isinstance(R, Rows) else R.astype(np.float64, copy=False)
    Z, s, W = leading_axes(A, F, generator(random_state), further=n_iter, tol=tol)
    most = np.take_along_axis(W, np.abs(W).argmax(axis=1)[:, None], axis=1)        # (F, 1)
    signs = np.where(most < 0, -1.0, 1.0)
    return s.astype(dtype), (signs * W).astype(dtype), (signs.T * Z).astype(dtype)


def project(R, W):
    """(2)  z = W a, for a row a of A

    `R` may be a dense array, too.

    Shapes: R (N, M), W (F, M) -> (N, F)
    """
    return times(R, W.T) if isinstance(R, Rows) else R @ W.T


def reconstruct(Z, W):
    """(3)  Â = Z W

    Shapes: Z (N, F), W (F, M) -> (N, M)
    """
    return Z @ W


def explained_ratio(Z, total):
    """(4)  r_f = var Z_f / Σ_j var A_:j

    Shapes: Z (N, F), total -> (F)
    """
    variances = Z.var(axis=0, dtype=np.float64)
    return variances / total if total > 0 else np.zeros(len(variances))


def total_variance(R):
    """Σ_j var A_:j, of Rows or a dense array (N, M)."""
    if not isinstance(R, Rows):
        return float(R.var(axis=0, dtype=np.float64).sum())
    N, M = R.shape
    data = R.data.astype(np.float64, copy=False)
    means = np.bincount(R.indices, data, minlength=M) / N
    stored = np.bincount(R.indices, minlength=M)         # the others are 0, and as far from the mean as it is from 0
    return float((((data - means[R.indices])**2).sum() + ((N - stored) * means**2).sum()) / N)


# --- the estimator -------------------------------------------------------------------------------


class TruncatedSVD(Transformer, Estimator):
    """The first terms of the singular value decomposition, of a sparse or a dense matrix.

    Parameters
    ----------
    n_components : int, default=2
        F.
    algorithm : {"randomized", "arpack"}, default="randomized"
        "arpack", as scikit-learn names it after a library that is not needed here: (1) to all digits, for F less than
        both sides of the matrix; "randomized": as near as `n_iter` rounds come.
    n_iter : int, default=4
        How often the random vectors of "randomized" are sent through A and back after the first time.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the vectors that (1) starts from.
    tol : float, default=0.0
        Of "arpack": the search ends when each ‖AᵀA v_f - s_f² v_f‖ is at most tol s_f², or as small as rounding allows.

    Attributes
    ----------
    components_ : W (F, M)
    singular_values_ : s (F,), in the units of X
    explained_variance_ : (F,), the variance of each column of Z, in squared units of X
    explained_variance_ratio_ : r (F,), shares of the variance of all columns
    """

    def __init__(self, n_components=2, *, algorithm="randomized", n_iter=4, random_state=None, tol=0.0):
        self.n_components = n_components
        self.algorithm = algorithm
        self.n_iter = n_iter
        self.random_state = random_state
        self.tol = tol

    def fit(self, X, y=None):
        """Find the axes.  Returns itself.

        Raises ValueError for more components than rows or columns, NaN, inf, values whose squares over- or underflow,
        and entries that come twice.

        Parameters
        ----------
        X : array (N, M), Rows or sparse matrix (N, M)
            The matrix; what is not stored is 0.
        y : None, default=None
            Ignored.
        """
        R = self._matrix(X, fitting=True)
        safe_to_square(R.data if isinstance(R, Rows) else R)
        exact = one_of(self.algorithm, "algorithm", ("randomized", "arpack")) == "arpack"
        F, most = whole_number(self.n_components, "n_components"), min(R.shape) - exact
        if F > most:
            raise ValueError(f"n_components={F}: expected {'less than' if exact else 'at most'} min(n_samples, "
                             f"n_features) = {min(R.shape)}, as X has shape {R.shape}")
        n_iter, tol = whole_number(self.n_iter, "n_iter", least=0), real_number(self.tol, "tol")
        s, W, Z = leading_terms(R, F, self.random_state, n_iter, tol if exact else None)
        self.components_, self.singular_values_ = W, s
        self.explained_variance_ = Z.var(axis=0, dtype=np.float64).astype(W.dtype)
        self.explained_variance_ratio_ = explained_ratio(Z, total_variance(R)).astype(W.dtype)
        return self

    def transform(self, X):
        """Coordinates (N, F) of rows.

        Parameters
        ----------
        X : array (N, M), Rows or sparse matrix (N, M)
            The rows; what is not stored is 0.
        """
        self._check_fitted()
        return self._output(self._held(project, self._matrix(X), "X"), X)

    def inverse_transform(self, Z):
        """The matrix (N, M), dense, of the rows that have these coordinates.

        Parameters
        ----------
        Z : array (N, F)
            Coordinates, as `transform` returns them.
        """
        self._check_fitted()
        Z = self._in_its_type(as_matrix(Z, name="Z"), "Z")
        if Z.shape[1] != len(self.components_):
            raise ValueError(f"Z: has {Z.shape[1]} columns, but {len(self.components_)} components are kept")
        return self._held(reconstruct, Z, "Z")

    def _matrix(self, X, fitting=False):
        """`X` as Rows or as an array; its type is that of the fit."""
        if not isinstance(X, Rows) and not hasattr(X, "tocsr"):
            X = self._fit_matrix(X) if fitting else self._more_matrix(X)
            return X if fitting else self._in_its_type(X, "X")
        R = known_entries(X, dtype=None if fitting else self.components_.dtype)
        if fitting:
            self._takes_columns(R.shape[1], None)
        elif R.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {R.shape[1]} features, but {type(self).__name__} is expecting "
                             f"{self.n_features_in_} features as input")
        return R

    def _held(self, product, X, name):
        """The `product` of `X` and the axes.  Raises ValueError if their type cannot hold it."""
        with np.errstate(over="ignore", invalid="ignore"):
            answer = product(X, self.components_)
        if not np.isfinite(answer).all():
            raise ValueError(f"{name}: its products with the components cannot be held in {answer.dtype}; scale the "
                             "data")
        return answer

    def _in_its_type(self, X, name):
        """`X` in the type of the fit.  Raises ValueError for what it cannot hold."""
        with np.errstate(over="ignore"):                 # such a value becomes infinite, and is refused so
            return finite(X.astype(self.components_.dtype, copy=False), name)

    @property
    def _n_features_out(self):
        return len(self.components_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
