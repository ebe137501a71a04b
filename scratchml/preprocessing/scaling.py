"""Scaling: what is far, when one column counts metres and the next one years?

Distances, penalties and gradients take every column at its face value, so the one with the largest numbers decides.
Scaling gives all columns a common measure, learned from one set of samples and used for later ones unchanged: how many
standard deviations above the mean; how far along the way from the least value to the largest; or what share of the
samples lies below.  The first two move and stretch a column.  The third looks at ranks alone, so outliers do not
disturb it, and it can give any column any distribution, also the normal one.

Symbols
    X     (N, D)  samples, a feature in each column: x_id, or x if it does not matter which
    m, s  (D,)    mean and standard deviation of each column
    n₁, m₁, s₁, n₂, m₂, s₂   number of samples, mean and deviation of two sets; n = n₁ + n₂
    l, g  (D,)    least value of each column, and the largest minus the least
    a, b          the range to map to
    K             how many quantiles, q_k being the one of level k / (K - 1)
    Q     (K, D)  the quantiles of each column, from the least value to the largest
    P     (N, D)  levels p, from 0 to 1
    Z     (N, D)  scaled values z

Equations
    (1)  m_d = Σ_i x_id / N                                                                  mean
    (2)  s_d = √ (Σ_i (x_id - m_d)² / N)                                                     deviation
    (3)  m = (n₁ m₁ + n₂ m₂) / n, s² = (n₁ s₁² + n₂ s₂²) / n + n₁ n₂ (m₁ - m₂)² / n²         merge
    (4)  z = (x - m_d) / s_d                                                                 standard_score
    (5)  z = a + (b - a) (x - l_d) / g_d                                                     min_max
    (6)  q_k = x_(j) + f (x_(j+1) - x_(j)), j + f = k (N - 1) / (K - 1)                      quantiles
         with x_(0) <= ... <= x_(N-1) a column in order, j a whole number and 0 <= f < 1
    (7)  F(x) = (k + (x - q_k) / (q_{k+1} - q_k)) / (K - 1) for q_k < x < q_{k+1}            empirical_levels
         and (i + j) / 2 / (K - 1) where q_i ... q_j are all x; but 0 for x <= q_0, else 1 for x >= q_{K-1}
    (8)  F⁻¹(p) = q_k + (p (K - 1) - k) (q_{k+1} - q_k), k = ⌊p (K - 1)⌋                     empirical_quantiles
    (9)  Φ(z) = ½ erfc(-z / √2)                                                              normal_levels
    (10)  Φ⁻¹(p) = the z for which Φ(z) = p                                                  normal_quantiles

Choices
    A column is constant if s_d <= 8 eps |m_d|, or g_d <= 8 eps max|x|: what is left when equal numbers come about in
    different ways.  It is divided by 1, that is, only moved.
    (1) sums differences from the first sample and (2) from the mean, the latter in units of a power of two near the
    largest magnitude of the column: an offset costs no digits, and no square over- or underflows.  var_ alone may: s².
    All is computed in float64 and given out in the type that came in.  Values beyond 1e300, whose sums may overflow,
    are refused in `fit`.  So is NaN, everywhere: what to put in its place is a question of its own.
    (9) is off by up to (2 + z²) eps of its value.  (10) starts within 4.5e-4 of the solution and takes two steps of
    Halley's method, which cube the error: 4 eps max(1, |z|) of rounding remain, for p >= 1e-300.  Normal scores are cut
    off at ±5.1993, the levels 1e-7 and 1 - 1e-7: otherwise the least and the largest value would be at infinity.

Cost
    O(N D) time, and O(N D log N) for (6), which sorts.  A value takes O(log K) in (7).

>>> X = np.array([[1., 10], [2, 10], [6, 40]])
>>> StandardScaler().fit(X).mean_.tolist(), MinMaxScaler().fit_transform(X).tolist()
([3.0, 20.0], [[0.0, 0.0], [0.2, 0.0], [1.0, 1.0]])
>>> QuantileTransformer(n_quantiles=3).fit(X).transform([[4., 25]]).tolist()
[[0.75, 0.75]]

Sources: T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance: analysis and recommendations",
The American Statistician 37 (1983), equation 1.5 for (3); R. Hyndman, Y. Fan, "Sample quantiles in statistical
packages", The American Statistician 50 (1996), definition 7 for (6); M. Abramowitz, I. Stegun, "Handbook of
mathematical functions" (1964), 26.2.23 for the start of (10).
"""
import math

import numpy as np

from scratchml.core.checks import as_matrix, as_vector, one_of, whole_number
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.jit import kernel, run_chunks

END = 5.199337582192816      # (10) is cut off here: Φ⁻¹(1 - 1e-7)

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
    partial = np.zeros((-(-len(X) // chunk), X.shape[1]))
    run_chunks(chunk_kernel, len(X), X, *arguments, partial, chunk=chunk)
    return partial


def _divisor(spread, magnitude, dtype):
    """`spread` (D,), but 1 where it is no more than what rounding leaves of a constant column, or subnormal."""
    return np.where(spread > np.maximum(8 * np.finfo(dtype).eps * magnitude, np.finfo(dtype).tiny), spread, 1.0)


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


# --- by rank -------------------------------------------------------------------------------------


def quantiles(X, K):
    """(6)  q_k = x_(j) + f (x_(j+1) - x_(j)), j + f = k (N - 1) / (K - 1)

    Shapes: X (N, D), K -> (K, D)
    """
    ordered = np.array(X.T, dtype=np.float64, order="C")
    ordered.sort(axis=1)                                 # (D, N)
    j, rest = np.divmod(np.arange(K) * (len(X) - 1), max(1, K - 1))        # whole numbers: nothing is rounded
    low, high = ordered[:, j], ordered[:, np.minimum(j + 1, len(X) - 1)]   # (D, K)
    return np.ascontiguousarray(np.minimum(low + rest / max(1, K - 1) * (high - low), high).T)


def empirical_levels(X, Q):
    """(7)  F(x) = (k + (x - q_k) / (q_{k+1} - q_k)) / (K - 1) for q_k < x < q_{k+1}

    Shapes: X (N, D), Q (K, D) -> (N, D)
    """
    return _each(_levels_chunk, X, np.ascontiguousarray(Q.T))


def empirical_quantiles(P, Q):
    """(8)  F⁻¹(p) = q_k + (p (K - 1) - k) (q_{k+1} - q_k), k = ⌊p (K - 1)⌋

    Levels below 0 count as 0, levels above 1 as 1.

    Shapes: P (N, D), Q (K, D) -> (N, D)
    """
    levels = np.arange(len(Q)) / max(1, len(Q) - 1)
    return np.stack([np.interp(p, levels, q) for p, q in zip(P.T, Q.T)], axis=1)


def normal_levels(Z):
    """(9)  Φ(z) = ½ erfc(-z / √2)

    Shapes: Z (N, D) -> (N, D)
    """
    return _each(_normal_levels_chunk, Z)


def normal_quantiles(P):
    """(10)  Φ⁻¹(p) = the z for which Φ(z) = p

    -inf for p = 0 and inf for p = 1.

    Shapes: P (N, D) -> (N, D)
    """
    return _each(_normal_quantiles_chunk, P)


def _each(chunk_kernel, X, *tables, dtype=np.float64):
    """What `chunk_kernel` makes of each number of `X` by help of the tables, (N, D)."""
    Z = np.empty(X.shape, dtype)
    run_chunks(chunk_kernel, len(X), X, *tables, Z, chunk=max(1, 100_000 // X.shape[1]))
    return Z


# --- the estimators ------------------------------------------------------------------------------


class _Scaler(Transformer, Estimator):
    """What scalers share: as many columns come out as went in, and there is a way back."""

    def get_feature_names_out(self, input_features=None):
        """The columns' names, which stay what they are.  Raises ValueError for others than those of `fit`."""
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
        """Learn from `X` (N, D); `y` is ignored.  Raises ValueError for bad parameters, NaN, inf, |x| > 1e300."""
        return self._learn(self._fit_matrix(X), first=True)

    def partial_fit(self, X, y=None):
        """Learn from further samples `X` (N, D) too, as if all had come at once.  Raises ValueError as `fit` does."""
        first = not hasattr(self, "n_samples_seen_")
        return self._learn(self._fit_matrix(X) if first else self._more_matrix(X), first)

    def inverse_transform(self, X):
        """The samples (N, D) that `transform` makes into `X` (N, D).  Raises ValueError as it does."""
        X = self._scaled_matrix(X)
        p, q, f, r = self._terms()
        return _moved(X, r, f, q, p)


class StandardScaler(_Mover):
    """Mean 0 and variance 1 for every column: (4).

    Parameters
    ----------
    with_mean : whether to subtract the mean.
    with_std : whether to divide by the standard deviation.

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
        _extremes(X)
        n, m = len(X), mean(X)
        s = deviation(X, m)
        if not first:
            m, s = merge(self.n_samples_seen_, self.mean_, self._deviation, n, m, s)
            n += self.n_samples_seen_
        with np.errstate(over="ignore", under="ignore"):
            self.var_ = s**2
        self.n_samples_seen_, self.mean_, self._deviation = n, m, s
        self.scale_ = _divisor(s, np.abs(m), X.dtype) if self.with_std else None
        return self

    def transform(self, X):
        """`X` (N, D), scaled.  Raises ValueError for NaN, inf and another number of columns."""
        checked = self._more_matrix(X)
        return self._output(standard_score(checked, *self._terms()[:2]), X)

    def _terms(self):
        return self.mean_ if self.with_mean else 0, 1 if self.scale_ is None else self.scale_, 1, 0


class MinMaxScaler(_Mover):
    """A given range for every column: (5).

    Parameters
    ----------
    feature_range : (a, b), where the least and the largest value go.
    clip : whether `transform` moves what lies outside that range to its nearer end; there is no way back from there.

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
        a, b = self._range()
        n, (low, high) = len(X), _extremes(X)
        if not first:
            n, low, high = n + self.n_samples_seen_, np.minimum(low, self.data_min_), np.maximum(high, self.data_max_)
        self.n_samples_seen_, self.data_min_, self.data_max_, self.data_range_ = n, low, high, high - low
        self._divisor = _divisor(high - low, np.maximum(high, -low), X.dtype)
        self.scale_ = (b - a) / self._divisor
        self.min_ = a - low * self.scale_
        return self

    def transform(self, X):
        """`X` (N, D), scaled.  Raises ValueError for NaN, inf and another number of columns."""
        checked = self._more_matrix(X)
        a, b = self._range()
        Z = min_max(checked, self.data_min_, self._divisor, a, b)
        return self._output(np.clip(Z, a, b, out=Z) if self.clip else Z, X)

    def _terms(self):
        a, b = self._range()
        return self.data_min_, self._divisor, b - a, a

    def _range(self):
        a, b = as_vector(self.feature_range, name="feature_range", size=2).tolist()
        if not a < b:
            raise ValueError(f"feature_range={self.feature_range!r}: expected (a, b) with a < b")
        return a, b


class QuantileTransformer(_Scaler):
    """A uniform or a normal distribution for every column: (7), and then for the normal one (10).

    Parameters
    ----------
    n_quantiles : K, how finely the distribution of each column is known; of N samples, N at most.
    output_distribution : "uniform", from 0 to 1, or "normal".

    Attributes
    ----------
    quantiles_ : (K, D), by (6)
    references_, n_quantiles_ : their levels, (K,), and K
    """

    def __init__(self, *, n_quantiles=1000, output_distribution="uniform"):
        self.n_quantiles = n_quantiles
        self.output_distribution = output_distribution

    def fit(self, X, y=None):
        """Learn the quantiles of `X` (N, D); `y` is ignored.  Raises ValueError for wrong options, NaN, |x| > 1e300."""
        K = whole_number(self.n_quantiles, "n_quantiles")
        self._normal()
        X = self._fit_matrix(X)
        _extremes(X)
        self.n_quantiles_ = K = min(K, len(X))
        self.quantiles_, self.references_ = quantiles(X, K), np.arange(K) / max(1, K - 1)
        return self

    def transform(self, X):
        """`X` (N, D), scaled.  Raises ValueError for NaN, inf and another number of columns."""
        checked = self._more_matrix(X)
        Z = empirical_levels(checked, self.quantiles_)
        if self._normal():
            Z = normal_quantiles(Z).clip(-END, END)
        return self._output(Z.astype(checked.dtype, copy=False), X)

    def inverse_transform(self, X):
        """The samples (N, D) that `transform` makes into `X` (N, D).  Raises ValueError as it does."""
        Z = P = self._scaled_matrix(X)
        if self._normal():
            P = np.where(np.abs(Z) < Z.dtype.type(END), normal_levels(Z), Z > 0)       # the ends are the ends
        return empirical_quantiles(P, self.quantiles_).astype(Z.dtype, copy=False)

    def _normal(self):
        return one_of(self.output_distribution, "output_distribution", ("uniform", "normal")) == "normal"


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


@kernel
def _levels_chunk(c, start, stop, X, QT, P):
    """(7) with quantiles QT (D, K); a column at a time, so that QT[j] stays in the nearest cache."""
    last = QT.shape[1] - 1
    for j in range(X.shape[1]):
        q = QT[j]
        for i in range(start, stop):
            x = np.float64(X[i, j])
            k = np.searchsorted(q, x)                    # q[k-1] < x <= q[k]
            if k == 0:
                P[i, j] = 0.0
            elif x >= q[last]:
                P[i, j] = 1.0
            elif x < q[k]:
                P[i, j] = (k - 1 + (x - q[k - 1]) / (q[k] - q[k - 1])) / last
            else:
                P[i, j] = 0.5 * (k + np.searchsorted(q, x, side="right") - 1) / last


@kernel
def _normal_levels_chunk(c, start, stop, Z, P):
    """(9)."""
    for i in range(start, stop):
        for j in range(Z.shape[1]):
            P[i, j] = 0.5 * math.erfc(-Z[i, j] * math.sqrt(0.5))


@kernel
def _normal_quantiles_chunk(c, start, stop, P, Z):
    """(10), for the lower half; the upper half is its mirror image."""
    for i in range(start, stop):
        for j in range(P.shape[1]):
            p, z = min(P[i, j], 1 - P[i, j]), -np.inf
            if p > 0:
                t = math.sqrt(-2 * math.log(p))
                z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
                z -= t
                for _ in range(2):
                    density = math.exp(-0.5 * z * z) * math.sqrt(0.5 / math.pi)
                    step = (0.5 * math.erfc(-z * math.sqrt(0.5)) - p) / density
                    z -= step / (1 + 0.5 * z * step)
            Z[i, j] = z if P[i, j] < 0.5 else -z
