"""What a factor model is made of beside its factors, and whether parts that come from outside fit together.

Kernels follow the indices that they are given.  So what a file or a caller hands over is held against the shapes of the
model before it is used.
"""
from collections.abc import Iterator, MappingView
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import (as_floats, as_matrix, finite, in_order, one_of, real_number, safe_to_square,
                                   true_or_false, whole_number)
from scratchml.core.sparse import Rows, entries_at, known_entries, warn_of_zeros
from scratchml.recommend.objectives import Family


class NewUsers(NamedTuple):
    """What `ALS.fold_in` has found out about S users; `ALS.recommend` takes it in place of users."""
    factors: np.ndarray                                  # (S, F)
    biases: np.ndarray                                   # (S,)
    ratings: Rows                                        # (S, M), as they were given


class NewItems(NamedTuple):
    """What `ALS.fold_in_items` has found out about S items; `ALS.predict` and `similar_items` take it in place of
    items."""
    factors: np.ndarray                                  # (S, F)
    biases: np.ndarray                                   # (S,)
    ratings: Rows                                        # (S, N), as they were given, a row for each item


class Explanation(NamedTuple):
    """Why an item was recommended: `score` is the offset plus what all known items contribute; here are the most."""
    score: float
    offset: float                                        # μ + d_j, which is nobody's taste
    items: np.ndarray                                    # (n,)
    contributions: np.ndarray                            # (n,), falling


class Settings(NamedTuple):
    """The parameters that the loss depends on, as they were in `fit`: what a model answers is held against them."""
    regularization: float
    unobserved_weight: float
    alpha: float | None
    biases: bool
    weighted_regularization: bool

    def family(self, μ):
        if self.alpha is None:
            return Family(level=-μ, unobserved=float(self.unobserved_weight))
        return Family(float(self.alpha), 0.0, 1.0, 1.0)

    def penalties(self, R):
        """λ or λ times the number of entries of each row, (N,)."""
        counts = np.diff(R.indptr) if self.weighted_regularization else np.ones(R.shape[0])
        return float(self.regularization) * counts

    def check_entries(self, R):
        if not R.data.size:
            raise ValueError(f"X: expected a matrix with at least one known entry, got none in shape {R.shape}")
        safe_to_square(R.data, "X", weight=max(1.0, self.alpha or 0.0))
        if self.alpha is not None and float(R.data.min()) < 0:
            k = int((R.data < 0).argmax())
            n = int(np.searchsorted(R.indptr, k, side="right")) - 1
            raise ValueError(f"X: {R.data[k]} of user {n} and item {R.indices[k]} is no sign of liking, as which alpha "
                             "takes all that is known; leave out returns and dislikes (in an array make them NaN), or "
                             "set alpha=None for ratings of both kinds")


# --- what a fit is given -------------------------------------------------------------------------


def check_parameters(als):
    """The type of the factors of `als`.  Raises ValueError for parameters that are wrong or do not go together."""
    if whole_number(als.factors, "factors") >= 2**31:
        raise ValueError(f"factors={als.factors}: expected at most 2**31 - 1")
    whole_number(als.iterations, "iterations")
    real_number(als.tol, "tol")
    one_of(als.solver, "solver", ("cholesky", "cg"))
    one_of(als.dtype, "dtype", ("float32", "float64"))
    weights = {"regularization": als.regularization, "unobserved_weight": als.unobserved_weight}
    if als.alpha is not None:
        weights["alpha"] = als.alpha
    for name in ("biases", "weighted_regularization"):
        true_or_false(getattr(als, name), name)
    most = float(np.finfo(als.dtype).max) ** 0.5
    for name, weight in weights.items():
        if real_number(weight, name) > most:
            raise ValueError(f"{name}={weight!r}: expected at most {most:.1g}, whose square {als.dtype} can hold")
    rarest = 1e3 if als.dtype == "float32" else 1e7
    if als.unobserved_weight > rarest:
        raise ValueError(f"unobserved_weight={als.unobserved_weight!r}: expected at most {rarest:.0g} in "
                         f"{als.dtype}; a larger one drowns the observed, whose weight is 1, in rounding")
    if als.alpha is not None and als.unobserved_weight:
        raise ValueError(f"unobserved_weight={als.unobserved_weight!r}: with alpha, what is not observed has the "
                         "weight 1; leave unobserved_weight at 0, or set alpha=None")
    if als.biases and (als.unobserved_weight or als.alpha is not None):
        raise ValueError(f"biases={als.biases!r}: with alpha or unobserved_weight, unknown entries are pulled "
                         "towards 0, and biases, which stand for the mean of the observed, away from it; set "
                         "biases=False, or unobserved_weight=0 and alpha=None")
    if als.solver == "cg" and not als.regularization:
        raise ValueError("regularization=0: a few conjugate gradients do not reach the solution of least norm; set "
                         "solver='cholesky', or a regularization above 0")
    return np.dtype(als.dtype)


def ratings(X, items, values, shape, dtype):
    """What `ALS.fit` is given, a matrix or the places and values of its entries, as Rows."""
    if items is None and (values is not None or shape is not None):
        raise ValueError("items: expected the items of the users X, as values or shape are given, got none")
    if items is None:
        return _matrix(X, dtype)
    if values is None:
        raise ValueError("values: expected the entries of the users X and the items, got none; pass all three, or "
                         "X as a matrix")
    return entries_at(X, items, values, shape, dtype=dtype, names=("users", "items", "values"))


def new_ratings(X, values, M, dtype, one="user", others="items"):
    """What `ALS.fold_in` is given, a matrix (S, M) or the items and values of one user, as Rows; or the other way
    round."""
    if values is not None:
        values = list(values) if isinstance(values, (Iterator, MappingView)) else values
        alone = np.zeros(np.size(values), np.int64)
        return entries_at(alone, X, values, (1, M), dtype=dtype, names=(one, others, "values"))
    if not hasattr(X, "tocsr") and not isinstance(X, Rows) and in_order(X) and np.ndim(next(iter(X), [])) == 0:
        raise ValueError(f"values: expected the ratings of the {others} X, got none; pass both, or X as a matrix (S, "
                         f"{M})")
    R = _matrix(X, dtype)
    if R.shape[1] != M:
        raise ValueError(f"X: expected ratings of the {M} {others} of fit, got shape {R.shape}")
    return R


def _matrix(X, dtype):
    R = known_entries(X, dtype=dtype)
    warn_of_zeros(X, R, "X", stacklevel=5)          # of whoever calls fit or fold_in
    return R


def starting_factors(init, N, M, F, dtype):
    """`init` as factors U (N, F) and V (M, F).  Raises ValueError for anything else."""
    if not isinstance(init, (tuple, list)) or len(init) != 2:
        raise ValueError(f"init: expected (U, V), the factors of users and of items, got {type(init).__name__}")
    with np.errstate(over="ignore"):                     # what float32 cannot hold becomes infinite, and is refused so
        U, V = (safe_to_square(as_matrix(one, name="init").astype(dtype), "init") for one in init)
    if U.shape != (N, F) or V.shape != (M, F):
        raise ValueError(f"init: expected (U, V) of shapes {(N, F)} and {(M, F)}, got {U.shape} and {V.shape}")
    return U, V


def alone(rows, name):
    """The one number in `rows`.  Raises ValueError if there is another number of them."""
    if rows.size != 1:
        raise ValueError(f"{name}: expected one, got {rows.size}; ask for one after the other")
    return int(rows[0])


# --- parts that are kept -------------------------------------------------------------------------


def parts_of(als, R, settings):
    """Arrays by name and the rest of a fitted model, as `checked_arrays` and `checked_progress` take them."""
    arrays = dict(U=als.user_factors_, V=als.item_factors_, b=als.user_biases_, d=als.item_biases_,
                  indptr=R.indptr, indices=R.indices, data=R.data)
    parameters = {name: value for name, value in als.get_params().items()
                  if name not in ("callback", "verbose", "random_state")}
    parameters.update(settings._asdict(), factors=als.item_factors_.shape[1], dtype=str(als.item_factors_.dtype))
    return arrays, dict(parameters=parameters, history=als.loss_history_, mean=als.global_mean_)


# --- parts from outside --------------------------------------------------------------------------


def checked_new(new, V, name, others):
    """`new`, NewUsers or NewItems, in the type of `V` (M, F).  Raises ValueError if they are not of a model of that
    shape."""
    (M, F), dtype = V.shape, V.dtype
    R = known_entries(new.ratings, name=f"{name}.ratings", dtype=dtype)
    U, b = (as_floats(getattr(new, part), f"{name}.{part}") for part in ("factors", "biases"))
    S = R.shape[0]
    if R.shape[1] != M or U.shape != (S, F) or b.shape != (S,):
        raise ValueError(f"{name}: expected factors of shape {(S, F)}, biases {(S,)} and ratings of {M} {others}, got "
                         f"{U.shape}, {b.shape} and {R.shape}; use what this model has folded in")
    with np.errstate(over="ignore"):
        U, b = U.astype(dtype, copy=False), b.astype(dtype, copy=False)
    return type(new)(finite(U, f"{name}.factors"), finite(b, f"{name}.biases"), R)


def checked_arrays(arrays, F, dtype, settings):
    """U, V, with biases as a last column if there are any, and the ratings, of `arrays` by name.

    Raises ValueError for other shapes and types than `F` and `dtype` imply, and values that are not finite.
    """
    U, V, b, d = (np.asarray(arrays[name]) for name in "UVbd")
    N, M = (factors.shape[0] if factors.ndim else 0 for factors in (U, V))
    for name, array, shape in (("U", U, (N, F)), ("V", V, (M, F)), ("b", b, (N,)), ("d", d, (M,))):
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(f"{name}: expected {dtype} of shape {shape}, got {array.dtype} of {array.shape}")
        finite(array, name)
    R = known_entries(Rows(arrays["indptr"], arrays["indices"], arrays["data"], (N, M)), name="R", dtype=dtype)
    settings.check_entries(R)
    return (np.column_stack([U, b]), np.column_stack([V, d]), R) if settings.biases else (U, V, R)


def checked_progress(rest, R, settings):
    """The mean and the history of losses in `rest`.  Raises ValueError for what they cannot be."""
    μ = real_number(rest["mean"], "mean", least=-np.inf)
    if abs(μ) > (1.001 * float(np.abs(R.data).max()) if settings.biases else 0):
        raise ValueError(f"mean={μ}: expected the mean of the ratings, or 0 without biases")
    if not isinstance(rest["history"], list) or not rest["history"]:
        raise ValueError(f"history: expected a list of losses, got {rest['history']!r:.80}")
    return μ, [real_number(one, "history") for one in rest["history"]]
