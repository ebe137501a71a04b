"""Quantiles: a measure that looks at ranks alone, and makes of any column whatever distribution one likes.

Moved and stretched, a column keeps its shape: if one value is a thousand times the others, they still sit together at
one end.  What share of the samples lies below a value does not care how far away the others are.  This share, the
level, is uniform from 0 to 1 whatever the column was; and what maps uniform numbers to normal ones is known, too.

Symbols
    X     (N, D)  samples, a feature in each column, x a value
    K             how many quantiles, q_k being the one of level k / (K - 1)
    Q     (K, D)  the quantiles of each column, from the least value to the largest
    P     (N, D)  levels p, from 0 to 1
    Z     (N, D)  normal scores z

Equations
    (1)  q_k = x_(j) + f (x_(j+1) - x_(j)), j + f = k (N - 1) / (K - 1)                      quantiles
         with x_(0) <= ... <= x_(N-1) a column in order, j a whole number and 0 <= f < 1
    (2)  F(x) = (k + (x - q_k) / (q_{k+1} - q_k)) / (K - 1) for q_k < x < q_{k+1}            empirical_levels
         and (i + j) / 2 / (K - 1) where q_i ... q_j are all x; but 0 for x <= q_0, else 1 for x >= q_{K-1}
    (3)  F⁻¹(p) = q_k + (p (K - 1) - k) (q_{k+1} - q_k), k = ⌊p (K - 1)⌋                     empirical_quantiles
    (4)  Φ(z) = ½ erfc(-z / √2)                                                              normal_levels
    (5)  Φ⁻¹(p) = the z for which Φ(z) = p                                                   normal_quantiles

Choices
    All is computed in float64 and given out in the type that came in.  In `fit` values beyond 1e300 are refused, as in
    the chapter on scaling, and NaN is not known: N in (1) is how many values of the column are; with none, all is NaN.
    (4) and (5) are those of the chapter on distributions.  Normal scores are cut off at ±5.1993, the levels 1e-7 and
    1 - 1e-7: otherwise the least and the largest value would be at infinity.

Cost
    O(N D log N) time for (1), which sorts.  A value takes O(log K) in (2), O(1) in (3) to (5).

>>> X = np.array([[1., 10], [2, 10], [6, 40]])
>>> QuantileTransformer(n_quantiles=3).fit(X).transform([[4., 25]]).tolist()
[[0.75, 0.75]]

Source: R. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996),
definition 7 for (1).
"""
import numpy as np

from scratchml.core.checks import one_of, whole_number
from scratchml.core.distributions import normal_cdf, normal_isf
from scratchml.core.jit import kernel
from scratchml.preprocessing.scalers import Scaler
from scratchml.preprocessing.scaling import each, extremes

END = 5.199337582192816      # (5) is cut off here: Φ⁻¹(1 - 1e-7)

# --- of the samples ------------------------------------------------------------------------------


def quantiles(X, K):
    """(1)  q_k = x_(j) + f (x_(j+1) - x_(j)), j + f = k (N - 1) / (K - 1)

    Shapes: X (N, D), K -> (K, D)
    """
    ordered = np.array(X.T, dtype=np.float64, order="C")
    ordered.sort(axis=1)                                 # (D, N)
    last = len(X) - 1 - np.isnan(ordered).sum(axis=1)[:, None]             # (D, 1); NaN comes behind all numbers
    j, rest = np.divmod(np.arange(K) * last, max(1, K - 1))                # whole numbers: nothing is rounded
    low, high = (np.take_along_axis(ordered, np.clip(at, 0, np.maximum(last, 0)), axis=1)      # (D, K)
                 for at in (j, j + 1))
    return np.ascontiguousarray(np.minimum(low + rest / max(1, K - 1) * (high - low), high).T)


def empirical_levels(X, Q):
    """(2)  F(x) = (k + (x - q_k) / (q_{k+1} - q_k)) / (K - 1) for q_k < x < q_{k+1}

    Shapes: X (N, D), Q (K, D) -> (N, D)
    """
    return each(_levels_chunk, X, np.ascontiguousarray(Q.T))


def empirical_quantiles(P, Q):
    """(3)  F⁻¹(p) = q_k + (p (K - 1) - k) (q_{k+1} - q_k), k = ⌊p (K - 1)⌋

    Levels below 0 count as 0, levels above 1 as 1.

    Shapes: P (N, D), Q (K, D) -> (N, D)
    """
    levels = np.arange(len(Q)) / max(1, len(Q) - 1)
    return np.stack([np.interp(p, levels, q) for p, q in zip(P.T, Q.T)], axis=1)


# --- of the normal distribution ------------------------------------------------------------------


def normal_levels(Z):
    """(4)  Φ(z) = ½ erfc(-z / √2)

    Shapes: Z (N, D) -> (N, D)
    """
    return normal_cdf(Z)


def normal_quantiles(P):
    """(5)  Φ⁻¹(p) = the z for which Φ(z) = p

    -inf for p = 0 and inf for p = 1.

    Shapes: P (N, D) -> (N, D)
    """
    return -normal_isf(P)                                # by symmetry: what is exceeded with 1 - p is minus that


# --- the estimator -------------------------------------------------------------------------------


class QuantileTransformer(Scaler):
    """A uniform or a normal distribution for every column: (2), and then for the normal one (5).

    Parameters
    ----------
    n_quantiles : int, default=1000
        K, how finely the distribution of each column is known; of N samples, N at most.
    output_distribution : {"uniform", "normal"}, default="uniform"
        What to make of each column: levels from 0 to 1, or normal scores.

    Attributes
    ----------
    quantiles_ : (K, D), by (1)
    references_, n_quantiles_ : their levels, (K,), and K
    """

    def __init__(self, *, n_quantiles=1000, output_distribution="uniform"):
        self.n_quantiles = n_quantiles
        self.output_distribution = output_distribution

    def fit(self, X, y=None):
        """Learn the quantiles of each column.  Returns itself.  Raises ValueError for wrong options, inf, |x| > 1e300.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        y : None, default=None
            Ignored.
        """
        K = whole_number(self.n_quantiles, "n_quantiles")
        self._normal()
        X = self._samples(X)
        extremes(X)
        self.n_quantiles_ = K = min(K, len(X))
        self.quantiles_, self.references_ = quantiles(X, K), np.arange(K) / max(1, K - 1)
        return self

    def transform(self, X):
        """`X` as levels or normal scores, (N, D).  Raises ValueError for inf and another number of columns.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        """
        checked = self._more_matrix(X, allow_nan=True)
        Z = empirical_levels(checked, self.quantiles_)
        if self._normal():
            Z = _of_numbers(normal_quantiles, Z).clip(-END, END)
        return self._output(Z.astype(checked.dtype, copy=False), X)

    def inverse_transform(self, X):
        """The samples (N, D) that `transform` makes into `X`.  Raises ValueError as it does.

        Parameters
        ----------
        X : array (N, D)
            Levels or normal scores; what lies beyond their ends counts as the end.
        """
        Z = P = self._scaled_matrix(X)
        if self._normal():
            P = np.where(np.abs(Z) >= Z.dtype.type(END), Z > 0, _of_numbers(normal_levels, Z))  # the ends are the ends
        return empirical_quantiles(P, self.quantiles_).astype(Z.dtype, copy=False)

    def _normal(self):
        return one_of(self.output_distribution, "output_distribution", ("uniform", "normal")) == "normal"


def _of_numbers(f, Z):
    """f(Z), with NaN where Z is NaN."""
    gaps = np.isnan(Z)
    return np.where(gaps, np.nan, f(np.where(gaps, 0.5, Z))) if gaps.any() else f(Z)


# --- compiled: rows start ... stop-1 of the first array, into the last ------------------------------


@kernel
def _levels_chunk(c, start, stop, X, QT, P):
    """(2) with quantiles QT (D, K); a column at a time, so that QT[j] stays in the nearest cache."""
    last = QT.shape[1] - 1
    for j in range(X.shape[1]):
        q = QT[j]
        for i in range(start, stop):
            x = np.float64(X[i, j])
            k = np.searchsorted(q, x)                    # q[k-1] < x <= q[k]
            if x != x or q[0] != q[0]:
                P[i, j] = np.nan
            elif k == 0:
                P[i, j] = 0.0
            elif x >= q[last]:
                P[i, j] = 1.0
            elif x < q[k]:
                P[i, j] = (k - 1 + (x - q[k - 1]) / (q[k] - q[k - 1])) / last
            else:
                P[i, j] = 0.5 * (k + np.searchsorted(q, x, side="right") - 1) / last
