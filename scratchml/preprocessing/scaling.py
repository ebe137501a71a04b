"""Scaling: what is far, when one column counts metres and the next one years?

Distances, penalties and gradients take every column at its face value, so the one with the largest numbers decides.
Scaling gives all columns a common measure, learned from one set of samples and used for later ones unchanged: how many
standard deviations above the mean, or how far along the way from the least value to the largest.  Both move and stretch
a column, and leave the shape of its distribution as it is.

Symbols
    X     (N, D)  samples, a feature in each column: x_id, or x if it does not matter which
    m, s  (D,)    mean and standard deviation of each column
    n₁, m₁, s₁, n₂, m₂, s₂   number of samples, mean and deviation of two sets; n = n₁ + n₂
    l, g  (D,)    least value of each column, and the largest minus the least
    a, b          the range to map to
    z             a scaled value

Equations
    (1)  m_d = Σ_i x_id / N                                                                  mean
    (2)  s_d = √ (Σ_i (x_id - m_d)² / N)                                                     deviation
    (3)  m = (n₁ m₁ + n₂ m₂) / n, s² = (n₁ s₁² + n₂ s₂²) / n + n₁ n₂ (m₁ - m₂)² / n²         merge
    (4)  z = (x - m_d) / s_d                                                                 standard_score
    (5)  z = a + (b - a) (x - l_d) / g_d                                                     min_max

Choices
    A column is constant if s_d <= 8 eps |m_d|, or g_d <= 8 eps max|x|: what is left when equal numbers come about in
    different ways.  It is divided by 1, that is, only moved.  That eps is of float64, in which all is computed, also for
    float32 columns: three values next to each other there, as seconds since 1970 are, are data.  Two are constant.
    (1) sums differences from the first sample and (2) from the mean, the latter in units of a power of two near the
    largest magnitude of the column: an offset costs no digits, and no square over- or underflows.  var_ alone may: s².
    All is computed in float64 and given out in the type that came in.  Values beyond 1e300, whose sums may overflow,
    are refused in `fit`.  So is NaN, everywhere: what to put in its place is a question of its own.

Cost
    O(N D) time.

>>> X = np.array([[1., 10], [2, 10], [6, 40]])
>>> StandardScaler().fit(X).mean_.tolist(), MinMaxScaler().fit_transform(X).tolist()
([3.0, 20.0], [[0.0, 0.0], [0.2, 0.0], [1.0, 1.0]])

Source: T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance: analysis and recommendations",
The American Statistician 37 (1983), equation 1.5 for (3).
"""
import numpy as np

from scratchml.core.checks import as_matrix, as_vector, true_or_false
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.jit import kernel, partial_sums, run_chunks

EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny

# --- mean and deviation --------------------------------------------------------------------------


def mean(X):
    """(1)  m_d = Σ_i x_id / N

    Shapes: X (N, D) -> (D)
    """
    return X[0] + _by_chunks(_differences_chunk, X, X[0]).sum(axis=0) / len(X)


def deviation(X, m):
    """(2)  s_d = √ (Σ_i (x_id - m_d)² / N)

    Shapes: X (N, D), m (D) -> (D)
    """
    low, high = _extremes(X)
    unit = np.ldexp(1.0, np.frexp(np.maximum(high, -low))[1].clip(-1000, None))
    return unit * np.sqrt(_by_chunks(_squares_chunk, X, m, 1 / unit).sum(axis=0) / len(X))


def merge(n1, m1, s1, n2, m2, s2):
    """(3)  m = (n₁ m₁ + n₂ m₂) / n, s² = (n₁ s₁² + n₂ s₂²) / n + n₁ n₂ (m₁ - m₂)² / n²

    Shapes: n₁, m₁ (D), s₁ (D), n₂, m₂ (D), s₂ (D) -> (D), (D)
    """
    f1, f2 = n1 / (n1 + n2), n2 / (n1 + n2)
    within = np.hypot(np.sqrt(f1) * s1, np.sqrt(f2) * s2)
    return m1 + f2 * (m2 - m1), np.hypot(within, np.sqrt(f1 * f2) * (m1 - m2))


def _extremes(X):
    """The least and the largest value of each column, (D,) and (D,).  Raises ValueError for values beyond 1e300."""
    low, high = _by_chunks(_least_chunk, X, 1.0).min(axis=0), -_by_chunks(_least_chunk, X, -1.0).min(axis=0)
    if (largest := max(high.max(), -low.min())) > 1e300:
        raise ValueError(f"X: the largest magnitude is {largest:.3g}, sums of which may overflow; divide X by 1e10")
    return low, high


def _by_chunks(chunk_kernel, X, *arguments):
    """What `chunk_kernel` makes of each column in each chunk of `X`, (chunks, D)."""
    chunk = max(2048, -(-len(X) // 16))
    partial = partial_sums(len(X), chunk, X.shape[1])
    run_chunks(chunk_kernel, len(X), X, *arguments, partial, chunk=chunk)
    return partial[:, :X.shape[1]]


def _divisor(spread, magnitude, low, high, dtype):
    """`spread` (D,), but 1 where it is no more than what rounding leaves of a constant column, or subnormal.

    `low` and `high` (D,) are the least and the largest value, which were given as `dtype`.
    """
    with np.errstate(over="ignore", under="ignore"):     # a batch before this one may have been of a wider type
        apart = np.nextafter(low.astype(dtype), dtype.type(np.inf)) < high
    return np.where(apart & (spread > np.maximum(8 * EPS * magnitude, TINY)), spread, 1.0)


# --- moved and stretched -------------------------------------------------------------------------


def standard_score(X, m, s):
    """(4)  z = (x - m_d) / s_d

    Shapes: X (N, D), m (D), s (D) -> (N, D)
    """
    return _moved(X, m, s, 1, 0)


def min_max(X, l, g, a, b):
    """(5)  z = a + (b - a) (x - l_d) / g_d

    Shapes: X (N, D), l (D), g (D), a, b -> (N, D)
    """
    return _moved(X, l, g, b - a, a)


def _moved(X, *terms):
    """(x - p) / q · f + r of the type of X, (N, D); `terms` are p, q, f, r, each a number or (D,)."""
    table = np.array([np.broadcast_to(term, X.shape[1]) for term in terms], dtype=np.float64)
    return _each(_moved_chunk, X, table, dtype=X.dtype)


def _each(chunk_kernel, X, *tables, dtype=np.float64):
    """What `chunk_kernel` makes of each number of `X` by help of the tables, (N, D)."""
    Z = np.empty(X.shape, dtype)
    run_chunks(chunk_kernel, len(X), X, *tables, Z, chunk=max(1, 100_000 // X.shape[1]))
    return Z


# --- the estimators ------------------------------------------------------------------------------


class _Scaler(Transformer, Estimator):
    """What scalers share: as many columns come out as went in, and there is a way back."""

    def get_feature_names_out(self, input_features=None):
        """The columns' names, which stay what they are.  Raises ValueError for others than those of `fit`.

        Parameters
        ----------
        input_features : array (D,) of str or None, default=None
            The names; None for those of `fit`, or x0, x1, ... if it got none.
        """
        return self._check_input_features(input_features)

    def _scaled_matrix(self, Z):
        """`Z` checked as something that `transform` may have returned."""
        self._check_fitted()
        Z = as_matrix(Z, owner=type(self).__name__)
        if Z.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {Z.shape[1]} columns, but {type(self).__name__} has scaled {self.n_features_in_}")
        return Z


class _Mover(_Scaler):
    """What (4) and (5) share: both are (x - p) / q · f + r, and learn from samples that come bit by bit."""

    def fit(self, X, y=None):
        """Learn from samples.  Returns itself.  Raises ValueError for bad parameters, NaN, inf, |x| > 1e300.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        y : None, default=None
            Ignored.
        """
        return self._learn(self._fit_matrix(X), first=True)

    def partial_fit(self, X, y=None):
        """Learn from further samples too, as if all had come at once.  Returns itself; raises as `fit` does.

        Parameters
        ----------
        X : array (N, D)
            Further samples; the first call decides how many columns there are.
        y : None, default=None
            Ignored.
        """
        first = not hasattr(self, "n_samples_seen_")
        return self._learn(self._fit_matrix(X) if first else self._more_matrix(X), first)

    def inverse_transform(self, X):
        """The samples (N, D) that `transform` makes into `X`.  Raises ValueError as it does.

        Parameters
        ----------
        X : array (N, D)
            Scaled samples.
        """
        X = self._scaled_matrix(X)
        p, q, f, r = self._terms()
        return _moved(X, r, f, q, p)


class StandardScaler(_Mover):
    """Mean 0 and variance 1 for every column: (4).

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation.

    Attributes
    ----------
    mean_, var_ : (D,), m and s²; the latter may be inf or 0 where s is not
    scale_ : (D,), what `transform` divides by: s, but 1 for a constant column; None if `with_std` is False
    n_samples_seen_ : samples that all this was learned from
    """

    def __init__(self, *, with_mean=True, with_std=True):
        self.with_mean = with_mean
        self.with_std = with_std

    def _learn(self, X, first):
        true_or_false(self.with_mean, "with_mean"), true_or_false(self.with_std, "with_std")
        low, high = _extremes(X)
        n, m = len(X), mean(X)
        s = deviation(X, m)
        if not first:
            m, s = merge(self.n_samples_seen_, self.mean_, self._deviation, n, m, s)
            n += self.n_samples_seen_
            low, high = np.minimum(low, self._low), np.maximum(high, self._high)
        with np.errstate(over="ignore", under="ignore"):
            self.var_ = s**2
        self.n_samples_seen_, self.mean_, self._deviation, self._low, self._high = n, m, s, low, high
        self.scale_ = _divisor(s, np.abs(m), low, high, X.dtype) if self.with_std else None
        return self

    def transform(self, X):
        """`X` scaled, (N, D).  Raises ValueError for NaN, inf and another number of columns.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        """
        checked = self._more_matrix(X)
        return self._output(standard_score(checked, *self._terms()[:2]), X)

    def _terms(self):
        return self.mean_ if self.with_mean else 0, 1 if self.scale_ is None else self.scale_, 1, 0


class MinMaxScaler(_Mover):
    """A given range for every column: (5).

    Parameters
    ----------
    feature_range : tuple (a, b), default=(0, 1)
        Where the least and the largest value go, a < b.
    clip : bool, default=False
        Whether `transform` moves what lies outside that range to its nearer end; there is no way back from there.

    Attributes
    ----------
    data_min_, data_max_, data_range_ : (D,), least and largest value, and their difference
    scale_, min_ : (D,), the same map in other words: x · scale_ + min_, less exact far from the origin
    n_samples_seen_ : samples that all this was learned from
    """

    def __init__(self, feature_range=(0, 1), *, clip=False):
        self.feature_range = feature_range
        self.clip = clip

    def _learn(self, X, first):
        true_or_false(self.clip, "clip")
        a, b = self._range()
        n, (low, high) = len(X), _extremes(X)
        if not first:
            n, low, high = n + self.n_samples_seen_, np.minimum(low, self.data_min_), np.maximum(high, self.data_max_)
        self.n_samples_seen_, self.data_min_, self.data_max_, self.data_range_ = n, low, high, high - low
        self._range_of_fit = a, b
        self._divisor = _divisor(high - low, np.maximum(high, -low), low, high, X.dtype)
        self.scale_ = (b - a) / self._divisor
        self.min_ = a - low * self.scale_
        return self

    def transform(self, X):
        """`X` scaled, (N, D).  Raises ValueError for NaN, inf and another number of columns.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        """
        checked = self._more_matrix(X)
        a, b = self._range_of_fit
        Z = min_max(checked, self.data_min_, self._divisor, a, b)
        return self._output(np.clip(Z, a, b, out=Z) if self.clip else Z, X)

    def _terms(self):
        a, b = self._range_of_fit
        return self.data_min_, self._divisor, b - a, a

    def _range(self):
        a, b = as_vector(self.feature_range, name="feature_range", size=2).tolist()
        if not a < b:
            raise ValueError(f"feature_range={self.feature_range!r}: expected (a, b) with a < b")
        return a, b


# --- compiled: rows start ... stop-1 of the first array, into the last ------------------------------


@kernel
def _least_chunk(c, start, stop, X, sign, partial):
    """min_i sign x_id, into partial[c]."""
    partial[c] = np.inf
    for i in range(start, stop):
        for j in range(X.shape[1]):
            partial[c, j] = min(partial[c, j], sign * X[i, j])


@kernel
def _differences_chunk(c, start, stop, X, origin, partial):
    """Σ_i (x_id - origin_d), added to partial[c]."""
    for i in range(start, stop):
        for j in range(X.shape[1]):
            partial[c, j] += np.float64(X[i, j]) - origin[j]


@kernel
def _squares_chunk(c, start, stop, X, origin, factor, partial):
    """Σ_i ((x_id - origin_d) factor_d)², added to partial[c]."""
    for i in range(start, stop):
        for j in range(X.shape[1]):
            x = (X[i, j] - origin[j]) * factor[j]
            partial[c, j] += x * x


@kernel
def _moved_chunk(c, start, stop, X, table, Z):
    """(x - p) / q · f + r, where p, q, f, r are the rows of `table`."""
    p, q, f, r = table[0], table[1], table[2], table[3]
    for i in range(start, stop):
        for j in range(X.shape[1]):
            Z[i, j] = (X[i, j] - p[j]) / q[j] * f[j] + r[j]
