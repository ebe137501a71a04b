"""Which of the features matter: one test for each, and a price for having asked so often.

Of a hundred features that know nothing of the target, five have a p below 0.05.  Whoever keeps all that are below a
level keeps them.  To ask for a level so low that not one slips through loses too many that do know something.  Between
the two lies the false discovery rate: of those that are kept, the share q that may be there by chance.  Benjamini and
Hochberg sort the p; if the i smallest are kept, about m p_(i) of all m are expected below that by chance, so the most
are kept for which this is at most i q.  That holds for features that are independent.  Features of one series are
anything but; with a price of Σ 1/i, about ln m, it holds however they depend (Benjamini and Yekutieli).

A test looks at one feature: two that matter only together are missed, and ten that say the same are all kept.  And it
must not see what a model is tested on later: `RelevanceSelector` in a pipeline learns from the training part alone.

Symbols
    p  (m,)  the p of each feature that was tested: p_(i), in ascending order from i = 1
    m        how many
    q        the share of those that are kept that may be there by chance
    k        how many are kept
    t        the largest p that is kept, or might have been

Equations
    (1)  t = max(1, k) q / m, k = the largest i with p_(i) <= i q / m                   benjamini_hochberg
    (2)  (1) with q / Σ_{i<=m} 1/i in place of q                                        benjamini_yekutieli

Kept is what has p <= t: the first k, since p_(i) > i q / m > t after them.

Choices
    Which test is whose: see the chapter `relevance_tests`.  A constant feature has nothing to be tested, nor has one
    with NaN: they are out, with NaN for p, and do not count in m.
    Of more than two classes each is tested against the rest, with a t of its own; a feature that is kept for one of
    them is kept.  Its p is the smallest.  The share q holds for each class by itself, not for all together.
    What a target is: whole numbers, words and truths are classes, and other numbers are numbers, unless there are just
    two of them.  More classes than half of the samples are taken for a mistake.

Cost
    O(N log N) a feature; with tests of Kolmogorov and Smirnov O(N²) at worst, for N up to 20,000.  On every core.

>>> p = np.array([0.001, 0.021, 0.011, 0.9, 0.045])
>>> round(benjamini_hochberg(p, 0.05), 4), round(benjamini_yekutieli(p, 0.05), 4)
(0.03, 0.0044)
>>> X = np.column_stack([[0, 0, 1, 0, 1, 1, 1, 0], [2.1, 1.9, 2.5, 3.5, 3.1, 4.0, 3.3, 4.4], np.full(8, 5)])
>>> for row in relevance_table(X, ["low", "low", "low", "high", "high", "high", "high", "high"], names=["a", "b", "c"]):
...     print(row.feature, row.type, round(row.p_value, 4), row.relevant, row.reason, sep=", ")
b, real, 0.0357, False, p = 0.0357 is above 0.0167
a, binary, 1.0, False, p = 1 is above 0.0167
c, constant, nan, False, constant

Sources: Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society
B 57 (1995); Y. Benjamini and D. Yekutieli, "The control of the false discovery rate in multiple testing under
dependency", Annals of Statistics 29 (2001), theorem 1.3; M. Christ and others, Neurocomputing 307 (2018), for both in
the service of features.
"""
import warnings
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import (
    as_matrix, as_vector, finite, in_order, is_missing, one_of, real_number, true_or_false, unmasked)
from scratchml.core.estimator import Estimator, Transformer
from scratchml.core.jit import run_chunks
from scratchml.timeseries.relevance_tests import by_class, by_class_in_any_way, by_value
from scratchml.timeseries.time_axis import items

# --- the price of asking often -------------------------------------------------------------------


def benjamini_hochberg(p, q):
    """(1)  t = max(1, k) q / m, k = the largest i with p_(i) <= i q / m

    Shapes: p (m), q -> ()
    """
    levels = np.arange(1, len(p) + 1) * (q / len(p))
    return float(levels[(np.sort(p) <= levels).nonzero()[0].max(initial=0)])


def benjamini_yekutieli(p, q):
    """(2)  (1) with q / Σ_{i<=m} 1/i in place of q

    Shapes: p (m), q -> ()
    """
    return benjamini_hochberg(p, q / (1 / np.arange(1, len(p) + 1)).sum())


# --- which features are relevant, and why ----------------------------------------------------------


class Relevance(NamedTuple):
    """What is known of one feature."""
    feature: str
    type: str                                            # "real", "binary", "constant" or "missing", with NaN in it
    p_value: float
    relevant: bool
    reason: str


def relevance_table(X, y, fdr_level=0.05, ml_task="auto", hypotheses_independent=False,
                    test_for_binary_target_real_feature="mann", names=None):
    """Of each feature, whether it is relevant for the target, and why or why not: a list of `Relevance`, by p.

    Raises ValueError for inf, another number of targets (N,), missing targets, a target of one value, or of more
    classes than half of the samples, and settings that there are not.

    Parameters
    ----------
    X : array (N, D) or data frame
        Features; NaN are allowed, and put a feature out.
    y : array (N,)
        Targets: classes, or numbers.
    fdr_level : float, default=0.05
        q, which share of the relevant ones may be there by chance.
    ml_task : {"auto", "classification", "regression"}, default='auto'
        What the targets are.
    hypotheses_independent : bool, default=False
        Whether the features may be taken for independent: (1) in place of (2).
    test_for_binary_target_real_feature : {"mann", "smir"}, default='mann'
        Whether numbers of two classes are asked which are larger, or whether they differ in any way.
    names : list of str or None, default=None
        The features' names; None for those of the data frame, or x0, x1, ...
    """
    found = _judge(X, y, (fdr_level, ml_task, hypotheses_independent, test_for_binary_target_real_feature), names)
    return _by_p(found)


def select_features(X, y, fdr_level=0.05, ml_task="auto", hypotheses_independent=False,
                    test_for_binary_target_real_feature="mann"):
    """The relevant columns of X (N, D): an array, or a data frame if X is one.

    Warns where none is.  Raises ValueError as `relevance_table` does.

    Parameters
    ----------
    X : array (N, D) or data frame
        Features; NaN are allowed, and put a feature out.
    y : array (N,)
        Targets: classes, or numbers.
    fdr_level : float, default=0.05
        q, which share of the relevant ones may be there by chance.
    ml_task : {"auto", "classification", "regression"}, default='auto'
        What the targets are.
    hypotheses_independent : bool, default=False
        Whether the features may be taken for independent: (1) in place of (2).
    test_for_binary_target_real_feature : {"mann", "smir"}, default='mann'
        Whether numbers of two classes are asked which are larger, or whether they differ in any way.
    """
    found = _judge(X, y, (fdr_level, ml_task, hypotheses_independent, test_for_binary_target_real_feature), None)
    _warn_if_none(found)
    relevant = np.array([row.relevant for row in found])
    return X.loc[:, relevant] if hasattr(X, "loc") else np.asarray(X)[:, relevant]


def _by_p(found):
    """Rows by ascending p, those without one last."""
    return sorted(found, key=lambda row: (np.isnan(row.p_value), row.p_value))


def _judge(X, y, settings, names):
    """`Relevance` of each column, in their order.  Raises ValueError."""
    level, task, independent, test = settings
    q = real_number(level, "fdr_level", above=0)
    if q >= 1:
        raise ValueError(f"fdr_level={level!r}: expected a share below 1, such as 0.05")
    one_of(task, "ml_task", ("auto", "classification", "regression"))
    threshold = benjamini_hochberg if true_or_false(independent, "hypotheses_independent") else benjamini_yekutieli
    one_of(test, "test_for_binary_target_real_feature", ("mann", "smir"))
    _same_index(X, y)
    columns = _names(X, names)
    X = as_matrix(X, min_samples=2, allow_nan=True).astype(np.float64, copy=False)
    columns = [f"x{f}" for f in range(X.shape[1])] if columns is None else columns
    if len(columns) != X.shape[1]:
        raise ValueError(f"names: expected {X.shape[1]}, one for each column of X, got {len(columns)}")
    target, classes = _as_target(y, len(X), task)
    S, orders, kinds, missing = _sorted(X, target if classes is None else None)
    tested = np.array([kind in ("real", "binary") for kind in kinds])
    P = _p_values(S[tested], orders[tested], target, classes, test)
    limits = [threshold(p, q) for p in P.T] if tested.any() else []
    asked = iter(P)
    return [_with_reason(*about, len(X), limits, classes, asked) for about in zip(columns, kinds, missing)]


def _with_reason(name, kind, missing, N, limits, classes, asked):
    """`Relevance` of one feature; the p of the next that was tested come from `asked`, one for each class."""
    if kind == "constant":
        return Relevance(name, kind, np.nan, False, "constant")
    if kind == "missing":
        return Relevance(name, kind, np.nan, False, f"NaN in {missing} of {N} samples")
    p = next(asked)
    k = int(np.argmin(p / limits))                       # for which class there is most to be said for it
    where = f" for {classes[k]!s} against the rest" if len(p) > 1 else ""
    relevant = bool(p[k] <= limits[k])
    return Relevance(name, kind, float(p.min()), relevant,
                     f"p = {p[k]:.3g}{where} is {'at most' if relevant else 'above'} {limits[k]:.3g}")


def _warn_if_none(found):
    """With the one that came nearest."""
    if not any(row.relevant for row in found):
        best = _by_p(found)[0]
        warnings.warn(f"none of the {len(found)} features is relevant; the smallest p is that of {best.feature}: "
                      f"{best.reason}. relevance_table says why of each", UserWarning, stacklevel=3)


# --- what is given -------------------------------------------------------------------------------


def _same_index(X, y):
    """Raises ValueError where X and y both have an index of pandas, but not the same."""
    one, other = getattr(X, "index", None), getattr(y, "index", None)
    if hasattr(one, "equals") and hasattr(other, "equals") and not one.equals(other):
        raise ValueError("X and y have not the same index; bring them into one order, y.loc[X.index], or pass "
                         "y.to_numpy() if they are in one order already")


def _names(X, names):
    """The columns' names, or None."""
    if names is None:
        return [str(name) for name in X.columns] if hasattr(X, "columns") else None
    if not in_order(names):
        raise ValueError(f"names={names!r}: expected a list of names")
    return [str(name) for name in names]


def _as_target(y, N, task):
    """Codes (N,) and the classes that they stand for, or numbers (N,) and None.  Raises ValueError."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    y = np.asarray(unmasked(items(y, "y"), "y"))
    if y.shape != (N,):
        raise ValueError(f"y: expected an array of shape ({N},), one target for each sample, got shape {y.shape}")
    if y.dtype.kind == "O" and any(is_missing(value) for value in y) or y.dtype.kind in "mM" and np.isnat(y).any():
        raise ValueError("y: contains missing values; leave these samples out")
    if y.dtype.kind == "f":
        finite(y, "y")
    numbers = task == "regression" or task == "auto" and y.dtype.kind == "f" and len(np.unique(y)) > 2
    y = as_vector(y, name="y").astype(np.float64) if numbers else y
    try:
        classes, codes = np.unique(y, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"y: expected classes that can be sorted, {error}") from error
    if len(classes) < 2:
        raise ValueError(f"y: expected at least two different targets, got 1 class, {classes[0]!s}, alone")
    if numbers:
        return y, None
    if task == "auto" and 2 * len(classes) > N and len(classes) > 2:
        raise ValueError(f'y: {len(classes)} classes for {N} samples; pass ml_task="regression" if they are numbers, '
                         'ml_task="classification" if they are classes indeed')
    return codes.astype(np.int64), classes


def _sorted(X, target):
    """Columns (D, N) of X (N, D), each ascending, the rows that they had, and what kind each is, with its NaN counted.

    Where the target is numbers, rows are counted in its order, and of equal values of a column the first comes first.
    """
    columns = np.ascontiguousarray(X.T if target is None else X[np.argsort(target, kind="stable")].T)
    orders = np.argsort(columns, axis=1, kind="stable")
    S = np.take_along_axis(columns, orders, axis=1)
    missing, values = np.isnan(S).sum(axis=1), 1 + (S[:, 1:] != S[:, :-1]).sum(axis=1)
    kinds = ["missing" if nan else "constant" if count == 1 else "binary" if count == 2 else "real"
             for nan, count in zip(missing, values)]
    return S, orders, kinds, missing


def _p_values(S, orders, target, classes, test):
    """p (m, K) of each column against each class, of two against the second alone, or (m, 1) against numbers."""
    D, N = S.shape
    chunk = max(1, 20_000 // N)
    if classes is None:
        P = np.empty((D, 1))
        run_chunks(by_value, D, S, orders, np.sort(target), P, chunk=chunk)
        return P
    P = np.empty((D, len(classes)))
    run_chunks(by_class if test == "mann" else by_class_in_any_way, D, S, orders, target, np.bincount(target), P,
               chunk=chunk)
    return P[:, 1:] if len(classes) == 2 else P


# --- as an estimator -----------------------------------------------------------------------------


class RelevanceSelector(Transformer, Estimator):
    """Keeps the features that are relevant for the target.

    Parameters
    ----------
    fdr_level : float, default=0.05
        q, which share of the relevant ones may be there by chance.
    ml_task : {"auto", "classification", "regression"}, default='auto'
        What the targets are.
    hypotheses_independent : bool, default=False
        Whether the features may be taken for independent: (1) in place of (2).
    test_for_binary_target_real_feature : {"mann", "smir"}, default='mann'
        Whether numbers of two classes are asked which are larger, or whether they differ in any way.

    Attributes
    ----------
    p_values_ : array (D,)
        p of each feature, NaN where it was not tested.
    support_ : array (D,) of bool
        Which are kept.
    relevance_table_ : list of Relevance
        Why, by ascending p.
    """

    def __init__(self, fdr_level=0.05, ml_task="auto", hypotheses_independent=False,
                 test_for_binary_target_real_feature="mann"):
        self.fdr_level = fdr_level
        self.ml_task = ml_task
        self.hypotheses_independent = hypotheses_independent
        self.test_for_binary_target_real_feature = test_for_binary_target_real_feature

    def fit(self, X, y=None):
        """Test each feature.  Returns itself; warns where none is relevant, raises as `relevance_table` does.

        Parameters
        ----------
        X : array (N, D) or data frame
            Features; NaN are allowed, and put a feature out.
        y : array (N,) or None, default=None
            Targets: classes, or numbers; None is refused.
        """
        given = X
        X = self._fit_matrix(X, allow_nan=True, min_samples=2)
        _same_index(given, y)
        found = _judge(X, y, (self.fdr_level, self.ml_task, self.hypotheses_independent,
                              self.test_for_binary_target_real_feature), getattr(self, "feature_names_in_", None))
        _warn_if_none(found)
        self.p_values_ = np.array([row.p_value for row in found])
        self.support_ = np.array([row.relevant for row in found])
        self.relevance_table_ = _by_p(found)
        return self

    def transform(self, X):
        """The columns that are kept, (N, F).

        Parameters
        ----------
        X : array (N, D) or data frame
            Features as in `fit`.
        """
        return self._output(self._more_matrix(X, allow_nan=True)[:, self.support_], X)

    def get_support(self, indices=False):
        """Which features are kept: truths (D,), or their places (F,).

        Parameters
        ----------
        indices : bool, default=False
            Whether places are asked for.
        """
        self._check_fitted()
        return self.support_.nonzero()[0] if indices else self.support_

    def get_feature_names_out(self, input_features=None):
        """The names of the features that are kept, (F,).

        Parameters
        ----------
        input_features : array (D,) of str or None, default=None
            Names of all features; None for those of `fit`.
        """
        return self._check_input_features(input_features)[self.support_]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.target_tags.required = True
        return tags
