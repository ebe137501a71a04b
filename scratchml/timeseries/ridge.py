"""Ridge regression: weighted sums that predict, kept small so that what they learn from may be almost the same twice.

The next value of a series as a weighted sum of those before: least squares finds the weights.  But neighbouring values
are nearly equal, and then huge weights of opposite signs cost nothing on the data and much on what comes next.  A price
λ on the squares of the weights forbids that, and makes the answer unique.

Neither the mean of the inputs nor that of the target has a price: both are taken away before, and come back in (3).
All targets share one matrix: it is factorised once, whether the next hour is asked for or each hour of the next day.

On the windows of a series even the matrix costs next to nothing: see `fit_windows`.

Symbols
    X  (N, D)  inputs, a sample a row
    Y  (N, H)  targets, a column for each thing to predict
    μ  (D,)    means of the columns of X, or 0 without an intercept
    ν  (H,)    means of the columns of Y, or 0 without an intercept
    S  (D, D)  products of the inputs less their means
    C  (D, H)  the same of inputs and targets
    λ          the price of a squared weight
    B  (D, H)  weights: a column for each target
    b  (H,)    intercepts

Equations
    (1)  S = (X - μ)ᵀ (X - μ), C = (X - μ)ᵀ (Y - ν)                                products
    (2)  B = argmin ‖(Y - ν) - (X - μ) B‖² + λ ‖B‖² = (S + λ I)⁻¹ C                 ridge_weights
    (3)  b = ν - Bᵀ μ                                                               intercepts
    (4)  f = X B + b, in each row                                                   weighted_sums

Choices
    Columns are divided by powers of two near their length, and λ with them by the square: no result changes by that,
    and neither units nor values of 1e150 matter.  (2) by Cholesky's factorisation as long as each pivot keeps more than
    1e-7 of its diagonal; it loses twice the digits that X loses.  Else, and always for λ = 0, by an orthogonal
    factorisation of the rows, block by block, and the singular values of what is left: of all B that are equally good,
    that of least length, the columns at length one.  (4) adds up each row by itself: a sample gets the same bits alone
    and among others.

Cost
    O(N D (D + H) + D³) time for `fit`, O((T + m) m + D³) for the windows of a series of T with m = D + H.

>>> model = Ridge(alpha=2.0).fit([[0.0, 1], [1, 3], [2, 2]], [1.0, 4, 6])
>>> [round(float(w), 6) for w in (*model.coef_, model.intercept_)]
[1.133333, 0.466667, 1.6]
>>> fibonacci = Ridge(alpha=0, fit_intercept=False).fit_windows([1, 1, 2, 3, 5], lags=2)
>>> fibonacci.predict([[3.0, 5]]).tolist()
[[8.0]]

Source: A. Hoerl and R. Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12
(1970), equation 2.1, for (2).
"""
import numpy as np

from scratchml.core.checks import as_floats, finite, real_number, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.jit import kernel
from scratchml.core.linalg import (cholesky, cholesky_solve, factor_in_place, solve_lower_in_place,
                                   solve_lower_transposed_in_place)
from scratchml.timeseries.time_axis import read_series
from scratchml.timeseries.windows import as_lags, number_of_windows, window_moments

KEPT = 1e-7                                              # of a diagonal in its pivot: half of the digits
BLOCK = 1 << 19                                          # numbers in a block of rows

# --- the equations -------------------------------------------------------------------------------


def products(X, Y, μ, ν):
    """(1)  S = (X - μ)ᵀ (X - μ), C = (X - μ)ᵀ (Y - ν)

    Shapes: X (N, D), Y (N, H), μ (D), ν (H) -> (D, D), (D, H)
    """
    X = X - μ
    return X.T @ X, X.T @ (Y - ν)


def ridge_weights(S, C, λ):
    """(2)  B = argmin ‖(Y - ν) - (X - μ) B‖² + λ ‖B‖² = (S + λ I)⁻¹ C

    The gradient of the first form is 2 (S B - C) + 2 λ B; it is 0 at the second.
    Raises ValueError where S + λ I is not positive definite.

    Shapes: S (D, D), C (D, H), λ -> (D, H)
    """
    return cholesky_solve(cholesky(S + λ * np.eye(len(S))), C)


def intercepts(B, μ, ν):
    """(3)  b = ν - Bᵀ μ

    Shapes: B (D, H), μ (D), ν (H) -> (H)
    """
    return ν - B.T @ μ


def weighted_sums(X, B, b):
    """(4)  f = X B + b, in each row

    Shapes: X (N, D), B (D, H), b (H) -> (N, H)
    """
    f = np.empty((len(X), B.shape[1]))
    _sum_rows(np.ascontiguousarray(X, np.float64), np.ascontiguousarray(B.T, np.float64), np.asarray(b, np.float64), f)
    return f


@kernel(reassociate=True)
def _sum_rows(X, W, b, f):
    """(4) with W = Bᵀ: both factors of a sum lie in rows, and no sum depends on which others there are."""
    for i in range(X.shape[0]):
        for h in range(W.shape[0]):
            total = 0.0
            for j in range(X.shape[1]):
                total += X[i, j] * W[h, j]
            f[i, h] = total + b[h]


# --- (2) in any unit -----------------------------------------------------------------------------


def _solve(S, blocks, D, penalty):
    """B (D, H) in the units of `blocks()`, which gives the rows [X - μ, Y - ν] block by block; S (m, m) their products.

    `S` may be None where it has lost too many digits.
    """
    if S is not None and penalty.all():
        B = _by_cholesky(S[:D, :D], S[:D, D:], penalty)
        if B is not None:
            return B
    return _by_rows(blocks, D, penalty)


def _by_cholesky(S, C, penalty):
    """(2), or None if a pivot has lost half of its digits."""
    d = _power_of_two(np.sqrt(S.diagonal() + penalty))
    A = S / d[:, None] / d
    A[np.diag_indices(len(A))] += penalty / d / d
    diagonal = A.diagonal().copy()
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if factor_in_place(A) < len(A) or not (A.diagonal() ** 2 > KEPT * diagonal).all():
            return None
    columns = np.ascontiguousarray((C / d[:, None]).T)
    for column in columns:
        solve_lower_in_place(A, column)
        solve_lower_transposed_in_place(A, column)
    return columns.T / d[:, None]


def _by_rows(blocks, D, penalty):
    """(2), because an orthogonal Q changes no length: ‖Z w‖ = ‖Qᵀ Z w‖, and Qᵀ Z is a triangle R with zeros below."""
    lengths = np.sqrt(sum(np.square(block[:, :D]).sum(axis=0) for block in blocks()) + penalty)
    d = _power_of_two(lengths)
    R, n = None, D
    for block in blocks():
        Z = block.copy()
        Z[:, :D] /= d
        if R is None:
            R = np.zeros((D, Z.shape[1]))
            R[np.arange(D), np.arange(D)] = np.sqrt(penalty) / d
        R, n = np.linalg.qr(np.concatenate([R, Z]), mode="r"), n + len(Z)
    w = np.linalg.lstsq(R[:, :D], R[:, D:], rcond=n * np.finfo(float).eps)[0]
    return w / d[:, None]


def _power_of_two(x):
    """The power of two at or below each of `x`, and 1 for 0."""
    return np.where(x > 0, np.ldexp(1.0, np.frexp(x)[1] - 1), 1.0)


def _units(largest):
    """Powers of two by which values up to `largest` are divided, so that no sum overflows."""
    return _power_of_two(np.asarray(largest, np.float64))


# --- the estimator -------------------------------------------------------------------------------


class Ridge(Estimator):
    """Linear least squares with a price on squared weights.

    Parameters
    ----------
    alpha : float, default=1.0
        λ, the price of a squared weight; 0 for least squares without it.
    fit_intercept : bool, default=True
        Whether means are taken away before; without, an input of zeros gives 0.

    Attributes
    ----------
    coef_ : array (D,) or (H, D)
        Weights; a row for each target if there was more than one.
    intercept_ : float or array (H,)
        What is added.
    """

    _estimator_type = "regressor"

    def __init__(self, alpha=1.0, fit_intercept=True):
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def fit(self, X, y):
        """Find the weights by (2).  Returns itself.  Raises ValueError for bad input.

        Parameters
        ----------
        X : array (N, D)
            Inputs.
        y : array (N,) or (N, H)
            Targets.
        """
        λ = real_number(self.alpha, "alpha")
        X = self._fit_matrix(X)
        dtype, X = X.dtype, X.astype(np.float64)
        y = _targets(y, len(X))
        Y = y.reshape(len(X), -1).astype(np.float64)
        (X, ux, μ), (Y, uy, ν) = self._centred(X), self._centred(Y)
        Z, D = np.concatenate([X, Y], axis=1), X.shape[1]
        S = np.concatenate(products(X, Y, 0, 0), axis=1)
        B = _solve(S, lambda: _cut(Z), D, _penalty(λ, ux))
        return self._keep(B, ux, uy, μ, ν, dtype, flat=y.ndim == 1)

    def fit_windows(self, y, lags, horizon=1):
        """The same as `fit` on `lag_windows(y, lags, horizon)`, from sums along the series instead of that table.

        (1) of all inputs and targets is the Gram matrix of one frame, in which each entry is its neighbour plus and
        minus a product.  Returns itself.  Raises ValueError as `lag_windows` does.

        Parameters
        ----------
        y : array (T,) or Series
            The series, equally spaced.
        lags : int or list of int
            How far back the inputs lie; the newest is the last of the D inputs.
        horizon : int, default=1
            H, how many of the next values are targets.
        """
        λ, l, H = real_number(self.alpha, "alpha"), as_lags(lags), whole_number(horizon, "horizon")
        y, _ = read_series(y)
        n, m, D = number_of_windows(len(y), l, H), int(l[0]) + H, len(l)
        u = float(_units(np.abs(y).max()))
        y = y / u
        columns = np.concatenate([l[0] - l, np.arange(l[0], m)])
        dense = m <= (D + H) ** 2 // 4 + 8               # few gaps between the lags
        moments = window_moments(y, m, bool(self.fit_intercept)) if dense and λ else None
        if moments is not None:
            S, means = moments.scatter[np.ix_(columns, columns)], moments.means[columns]
        else:
            means = np.array([y[j:j + n].mean() for j in columns]) if self.fit_intercept else np.zeros(D + H)

        def blocks():
            frames = np.lib.stride_tricks.sliding_window_view(y, m)
            return (frame[:, columns] - means for frame in _cut(frames))

        if moments is None:
            S = None if dense or not λ else sum(block.T @ block for block in blocks())
        B = _solve(S, blocks, D, _penalty(λ, np.full(D, u)))
        self.n_features_in_ = D
        return self._keep(B, np.ones(D), np.ones(H), means[:D] * u, means[D:] * u, np.dtype(np.float64), flat=False)

    def fit_shifted_windows(self, y, lags, horizon):
        """The same as `fit` on a row for each window and each h, of the window and e_h, 1 at h, with target y h later.

        Each window meets each h, so less their means the columns of windows and those of e are orthogonal, and (2)
        falls apart.  For the windows, (H S + λ I) w = Σ_h C_h: the mean over h of weights at the price λ / H.  For e,
        with n windows and ν_h the mean of the targets of h, less the mean of all: (n + λ) b_h = n ν_h for its weight
        b_h.  Returns itself.  Raises ValueError as `lag_windows` does, and without an intercept, where nothing falls
        apart.

        Parameters
        ----------
        y : array (T,) or Series
            The series, equally spaced.
        lags : int or list of int
            How far back the inputs lie; the newest is the last of the p inputs, after which come H for e.
        horizon : int
            H, how many of the next values are targets.
        """
        if not self.fit_intercept:
            raise ValueError("fit_intercept=False: expected True; without it, fit the rows of with_shift")
        λ, l, H = real_number(self.alpha, "alpha"), as_lags(lags), whole_number(horizon, "horizon")
        y, _ = read_series(y)
        n = number_of_windows(len(y), l, H)
        w = type(self)(λ / H).fit_windows(y, l, H).coef_.mean(axis=0)
        u = float(_units(np.abs(y).max()))
        starts = np.concatenate([l[0] - l, np.arange(l[0], l[0] + H)])
        means = np.array([(y[start:start + n] / u).mean() for start in starts]) * u
        μ, ν = means[:len(l)], means[len(l):]
        e = (ν - ν.mean()) * (n / (n + λ))
        coef = np.concatenate([w, e])
        self.n_features_in_ = len(coef)
        self._keep_rounded(np.dtype(np.float64), {"coef_": coef, "intercept_": np.asarray(ν.mean() - w @ μ)})
        return self

    def one_a_target(self):
        """A fitted model for each target: its weights (D,) and its intercept.  Raises ValueError if not fitted."""
        self._check_fitted()
        W, b = np.atleast_2d(self._in_double("coef_")), np.atleast_1d(self._in_double("intercept_"))
        parameters, models = self.get_params(), []
        for w, intercept in zip(W, b):
            model = type(self)(**parameters)
            model.n_features_in_ = self.n_features_in_
            model._keep_rounded(self.coef_.dtype, {"coef_": w.copy(), "intercept_": np.asarray(intercept)})
            models.append(model)
        return models

    def _centred(self, X):
        """`X` (N, D) in units (D,), less its means (D,); the means as they were."""
        units = _units(np.abs(X).max(axis=0))
        X = X / units
        means = X.mean(axis=0) if self.fit_intercept else np.zeros(X.shape[1])
        return X - means, units, means * units

    def _keep(self, B, ux, uy, μ, ν, dtype, flat):
        with np.errstate(over="ignore", invalid="ignore"):
            B = B / ux[:, None] * uy
            b = intercepts(B, μ, ν)
        if not (np.isfinite(B).all() and np.isfinite(b).all()):
            raise ValueError("X: its units are so small beside those of y that a weight cannot be held in float64; "
                             "scale the data")
        coef, intercept = (B[:, 0].copy(), b[0]) if flat else (B.T.copy(), b)
        self._keep_rounded(dtype, {"coef_": coef, "intercept_": np.asarray(intercept)})
        return self

    def predict(self, X):
        """(4) of new inputs: (N,), or (N, H) if there was more than one target.

        Raises ValueError for bad input, and for inputs so large that a sum cannot be held.

        Parameters
        ----------
        X : array (N, D)
            Inputs.
        """
        X = self._more_matrix(X)
        W, b = np.atleast_2d(self._in_double("coef_")), np.atleast_1d(self._in_double("intercept_"))
        with np.errstate(over="ignore", invalid="ignore"):
            f = weighted_sums(X, W.T, b)
            f = (f if self.coef_.ndim == 2 else f[:, 0]).astype(np.result_type(X, self.coef_), copy=False)
        return finite(f, "X: the sum of weighted inputs")

    def score(self, X, y):
        """R²: 1 less the squared error in units of that of the mean; 1 at best.  Raises ValueError where y is constant.

        Parameters
        ----------
        X : array (N, D)
            Inputs.
        y : array (N,) or (N, H)
            Targets; of several, the mean is returned.
        """
        f = self.predict(X)
        y = _targets(y, len(f)).astype(np.float64).reshape(len(f), -1)
        total = np.square(y - y.mean(axis=0)).sum(axis=0)
        if not total.all():
            raise ValueError("y: is constant, and has no share that could be explained")
        return float((1 - np.square(y - f.reshape(y.shape)).sum(axis=0) / total).mean())

    def __sklearn_tags__(self):
        from sklearn.utils import RegressorTags
        tags = super().__sklearn_tags__()
        tags.regressor_tags, tags.target_tags.required, tags.target_tags.multi_output = RegressorTags(), True, True
        return tags


def _targets(y, n):
    if y is None:
        raise ValueError("y: This Ridge estimator requires y to be passed, but the target y is None.")
    y = finite(as_floats(y, "y"), "y")
    if y.ndim not in (1, 2) or len(y) != n or y.shape[1:] == (0,):
        raise ValueError(f"y: expected {n} targets, (N,) or (N, H), got shape {y.shape}; X and y have inconsistent "
                         "numbers of samples")
    return y


def _penalty(λ, units):
    """λ for columns that were divided by `units`; more than 1e300 is no weight at all."""
    with np.errstate(over="ignore"):
        return np.minimum(λ / units / units, 1e300)


def _cut(Z):
    """The rows of `Z` in blocks of about BLOCK numbers."""
    size = max(1, BLOCK // Z.shape[1])
    return (Z[start:start + size] for start in range(0, len(Z), size))
