"""Scalers: what the chapter scaling computes, learned from one set of samples and used for later ones.

A scaler is fitted to the data that a model learns from, and then applied unchanged to whatever that model is shown: the
mean of new data is none of its business, and that of data held out for a test would tell the model about them.  What
comes bit by bit, too large for the memory or day after day, is learned by `partial_fit`, which merges (3) what it knows
with what is new.

NaN stands for what is not known.  It is passed over in `fit`, and passed on by `transform`.  A column of nothing else
has the mean NaN, and what is scaled by that is NaN, too.

>>> import numpy as np
>>> X = np.array([[1., 10], [2, 10], [6, 40]])
>>> StandardScaler().fit(X, sample_weight=[2, 2, 1]).mean_.tolist(), MinMaxScaler().fit_transform(X).tolist()
([2.4, 16.0], [[0.0, 0.0], [0.2, 0.0], [1.0, 1.0]])
>>> StandardScaler().fit_transform([[1.], [np.nan], [3]]).ravel().tolist()
[-1.0, nan, 1.0]
"""
import numpy as np

from scratchml.core.checks import as_vector, sample_weights, true_or_false
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.sparse import Rows, known_entries, some_rows
from scratchml.preprocessing.scaling import (
    divisor, extremes, merged, min_max, moved, moved_entries, of_matrix, of_sparse, standard_score,
)


class Scaler(Transformer, Estimator):
    """What scalers share: as many columns come out as went in, NaN stays NaN, and there is a way back."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _samples(self, X, first=True):
        """`X` checked as samples to learn from, the first ones or further ones."""
        return self._fit_matrix(X, allow_nan=True) if first else self._more_matrix(X, allow_nan=True)

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
        return self._same_columns(Z, allow_nan=True)


class _Mover(Scaler):
    """What (4) and (5) of the chapter scaling share: both are (x - p) / q · f + r."""

    def inverse_transform(self, X):
        """The samples (N, D) that `transform` makes into `X`.  Raises ValueError as it does.

        Parameters
        ----------
        X : array (N, D)
            Scaled samples.
        """
        X = self._scaled_matrix(X)
        p, q, f, r = self._terms()
        return moved(X, r, f, q, p)


class StandardScaler(_Mover):
    """Mean 0 and variance 1 for every column: (4) of the chapter scaling.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to subtract the mean; of sparse rows it cannot be, as all that are zeros would be stored then.
    with_std : bool, default=True
        Whether to divide by the standard deviation.

    Attributes
    ----------
    mean_, var_ : (D,), m and s²; the latter may be inf or 0 where s is not; NaN where nothing is known
    scale_ : (D,), what `transform` divides by: s, but 1 for a constant column; None if `with_std` is False
    n_samples_seen_ : samples, or the sum of their weights, that all this was learned from; (D,) where NaN makes columns
        differ in it
    """

    def __init__(self, *, with_mean=True, with_std=True):
        self.with_mean = with_mean
        self.with_std = with_std

    def fit(self, X, y=None, sample_weight=None):
        """Learn from samples.  Returns itself.  Raises ValueError for bad parameters, inf, |x| > 1e300, bad weights.

        Parameters
        ----------
        X : array (N, D), Rows or sparse matrix (N, D)
            Samples, NaN for what is not known.
        y : None, default=None
            Ignored.
        sample_weight : array (N,) or None, default=None
            How much each sample counts; None for 1 each.
        """
        return self._learn(X, sample_weight, first=True)

    def partial_fit(self, X, y=None, sample_weight=None):
        """Learn from further samples too, as if all had come at once.  Returns itself; raises as `fit` does.

        Parameters
        ----------
        X : array (N, D), Rows or sparse matrix (N, D)
            Further samples; the first call decides how many columns there are.
        y : None, default=None
            Ignored.
        sample_weight : array (N,) or None, default=None
            How much each of these counts; None for 1 each.
        """
        return self._learn(X, sample_weight, first=not hasattr(self, "n_samples_seen_"))

    def _learn(self, X, sample_weight, first):
        true_or_false(self.with_mean, "with_mean"), true_or_false(self.with_std, "with_std")
        rows = self._rows(X, first) if _is_sparse(X) else self._samples(X, first)
        w = None if sample_weight is None else sample_weights(sample_weight, rows.shape[0], np.float64)
        if w is not None and not w.all():                # a sample without weight is none
            some = np.flatnonzero(w)
            rows, w = some_rows(rows, some) if isinstance(rows, Rows) else rows[some], w[some]
        sparse = isinstance(rows, Rows)
        dtype = rows.data.dtype if sparse else rows.dtype
        n, m, s, low, high = of_sparse(rows, w) if sparse else of_matrix(rows, w)
        if not first:
            n, m, s = merged(self._n, self.mean_, self._deviation, n, m, s)
            low, high = np.minimum(low, self._low), np.maximum(high, self._high)
        with np.errstate(over="ignore", under="ignore"):
            self.var_ = s**2
        self._n, self.mean_, self._deviation, self._low, self._high = n, m, s, low, high
        self.n_samples_seen_ = _one_or_all(n)
        self.scale_ = divisor(s, np.abs(m), low, high, dtype) if self.with_std else None
        return self

    def transform(self, X):
        """`X` scaled, (N, D); sparse rows as such.  Raises ValueError for inf and another number of columns.

        Parameters
        ----------
        X : array (N, D), Rows or sparse matrix (N, D)
            Samples; sparse ones if `with_mean` is False.
        """
        if _is_sparse(X):
            return self._stretched(X, back=False)
        checked = self._more_matrix(X, allow_nan=True)
        return self._output(standard_score(checked, *self._terms()[:2]), X)

    def inverse_transform(self, X):
        """The samples (N, D) that `transform` makes into `X`.  Raises ValueError as it does.

        Parameters
        ----------
        X : array (N, D), Rows or sparse matrix (N, D)
            Scaled samples.
        """
        return self._stretched(X, back=True) if _is_sparse(X) else super().inverse_transform(X)

    def _rows(self, X, first):
        """Sparse `X`, checked as `_samples` does with arrays, as Rows."""
        if self.with_mean:
            raise ValueError(f"with_mean=True: Cannot center sparse matrices, of {type(self).__name__}'s rows every "
                             "zero would become a number; pass `with_mean=False`, or an array")
        rows = known_entries(X if isinstance(X, Rows) else X.tocsr(), allow_nan=True)
        if first:
            self._takes_columns(rows.shape[1], None)
            return rows
        self._check_fitted()
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {rows.shape[1]} features, but {type(self).__name__} is expecting "
                             f"{self.n_features_in_} features as input")
        return rows

    def _stretched(self, X, back):
        """Sparse `X`, of its own kind, with each value divided by the scale of its column, or, `back`, times that."""
        self._check_fitted()
        rows = self._rows(X, first=False)
        data = rows.data if self.scale_ is None else \
            moved_entries(rows, *((1, self.scale_) if back else (self.scale_, 1)))
        if isinstance(X, Rows):
            return rows._replace(data=data)
        X = X.tocsr()
        return type(X)((data, X.indices, X.indptr), shape=X.shape)

    def _terms(self):
        return self.mean_ if self.with_mean else 0, 1 if self.scale_ is None else self.scale_, 1, 0


class MinMaxScaler(_Mover):
    """A given range for every column: (5) of the chapter scaling.

    Parameters
    ----------
    feature_range : tuple (a, b), default=(0, 1)
        Where the least and the largest value go, a < b.
    clip : bool, default=False
        Whether `transform` moves what lies outside that range to its nearer end; there is no way back from there.

    Attributes
    ----------
    data_min_, data_max_, data_range_ : (D,), least and largest value, and their difference; NaN where nothing is known
    scale_, min_ : (D,), the same map in other words: x · scale_ + min_, less exact far from the origin
    n_samples_seen_ : samples that all this was learned from
    """

    def __init__(self, feature_range=(0, 1), *, clip=False):
        self.feature_range = feature_range
        self.clip = clip

    def fit(self, X, y=None):
        """Learn from samples.  Returns itself.  Raises ValueError for bad parameters, inf, |x| > 1e300.

        Parameters
        ----------
        X : array (N, D)
            Samples, NaN for what is not known.
        y : None, default=None
            Ignored.
        """
        return self._learn(X, first=True)

    def partial_fit(self, X, y=None):
        """Learn from further samples too, as if all had come at once.  Returns itself; raises as `fit` does.

        Parameters
        ----------
        X : array (N, D)
            Further samples; the first call decides how many columns there are.
        y : None, default=None
            Ignored.
        """
        return self._learn(X, first=not hasattr(self, "n_samples_seen_"))

    def _learn(self, X, first):
        true_or_false(self.clip, "clip")
        (a, b), X = self._range(), self._samples(X, first)
        n, (low, high) = len(X), extremes(X)
        if not first:
            n, low, high = n + self.n_samples_seen_, np.fmin(low, self.data_min_), np.fmax(high, self.data_max_)
        unknown = low > high
        low, high = np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)
        self.n_samples_seen_, self.data_min_, self.data_max_, self.data_range_ = n, low, high, high - low
        self._range_of_fit = a, b
        self._divisor = divisor(high - low, np.maximum(high, -low), low, high, X.dtype)
        self.scale_ = (b - a) / self._divisor
        self.min_ = a - low * self.scale_
        return self

    def transform(self, X):
        """`X` scaled, (N, D).  Raises ValueError for inf and another number of columns.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        """
        checked = self._more_matrix(X, allow_nan=True)
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


def _is_sparse(X):
    return isinstance(X, Rows) or hasattr(X, "tocsr")


def _one_or_all(n):
    """The counts `n` (D,), or if they are all the same that number, an int if it is whole."""
    if (n != n[0]).any():
        return n
    return int(n[0]) if n[0].is_integer() else float(n[0])
