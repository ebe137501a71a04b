"""What a factor model is made of beside its factors, and whether parts that come from outside fit together.

Kernels follow the indices that they are given.  So what a file or a caller hands over is held against the shapes of the
model before it is used.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_floats, finite, real_number, safe_to_square
from scratchml.core.sparse import Rows, known_entries
from scratchml.recommend.objectives import Family


class NewUsers(NamedTuple):
    """What `ALS.fold_in` has found out about S users; `ALS.recommend` takes it in place of users."""
    factors: np.ndarray                                  # (S, F)
    biases: np.ndarray                                   # (S,)
    ratings: Rows                                        # (S, M), as they were given


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
        if self.alpha is not None and self.alpha * float(R.data.min()) < -1:
            k = int((self.alpha * R.data.astype(np.float64) < -1).argmax())
            n = int(np.searchsorted(R.indptr, k, side="right")) - 1
            raise ValueError(f"X: {R.data[k]} of user {n} and item {R.indices[k]} has a negative confidence, 1 + "
                             f"{self.alpha} r; expected signs of liking >= 0, such as counts")


# --- parts from outside --------------------------------------------------------------------------


def checked_new_users(users, V):
    """`users`, NewUsers, in the type of `V` (M, F).  Raises ValueError if they are not of a model of that shape."""
    (M, F), dtype = V.shape, V.dtype
    R = known_entries(users.ratings, name="users.ratings", dtype=dtype)
    U, b = (as_floats(getattr(users, name), f"users.{name}") for name in ("factors", "biases"))
    S = R.shape[0]
    if R.shape[1] != M or U.shape != (S, F) or b.shape != (S,):
        raise ValueError(f"users: expected factors of shape {(S, F)}, biases {(S,)} and ratings of {M} items, got "
                         f"{U.shape}, {b.shape} and {R.shape}; use what fold_in of this model returned")
    with np.errstate(over="ignore"):
        U, b = U.astype(dtype, copy=False), b.astype(dtype, copy=False)
    return NewUsers(finite(U, "users.factors"), finite(b, "users.biases"), R)


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
