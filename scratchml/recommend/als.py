"""Alternating least squares: users and items in turn, until their products are the ratings.

The chapters before this one say what is to be lowered, how half of it is done, and what people ask of the result.  Here
the halves alternate: all users with the items held fixed, all items with the users held fixed.  Each half is solved
exactly (or, with conjugate gradients, taken some way down), so the loss falls and falls less; where it stops falling,
the factors are done.

Symbols
    N, M, F            users, items, factors
    R       (N, M)     what is known, sparse
    U, V    (N, F), (M, F)  factors of users and of items; with biases b, d as their last columns
    L, Q    (N,), (M,)  the penalties of users and of items: λ, or λ times the number of ratings
    E, P               what the products miss, weighted, and what the factors cost, as in the chapter on losses
    S                  steps of conjugate gradients
    family             weights and targets of the entries, as in the chapter on losses

Equations
    (1)  U ← argmin_U E + P, then V ← argmin_V E + P                               alternate

Choices
    The users come first; so only the items need a start, drawn from a normal distribution with a variance of 1 / F.
    Biases are one more factor in (1): (U_i, b_i) is fitted to (V_j, 1) and what (μ, d_j) leave of the rating, under the
    same penalty.  Users and items without entries have factors and biases of 0.
    In float32 the equations of a user are right to a few roundings of their largest eigenvalue: a λ below that is lost,
    and what it should hold back is not; raise it, or set dtype="float64".
    Signs and axes of the factors mean nothing: any rotation of both sides gives the same products.
    `loss_history_` holds E + P, which never rises but for rounding.

Cost
    An iteration: O(nnz F² + (N + M) F³) time with solver="cholesky", O(S (nnz F + (N + M) F²)) with "cg".  Memory: the
    matrix once more, transposed, and the factors twice.  With regularization=0, a user with fewer than F items, or with
    a pivot that is nearly lost, is solved by eigenvectors, one after the other, which takes far longer.

>>> R = [[5, 4, np.nan, 1], [4, np.nan, 1, 1], [1, 1, 5, np.nan], [np.nan, 1, 4, 5]]
>>> model = ALS(2, biases=True, iterations=50, random_state=0).fit(R)
>>> model.recommend(1, n=1)[0].tolist(), [round(float(r), 1) for r in model.predict([1, 2], [1, 3])]
([1], [3.0, 5.3])

Sources: R. Bell and Y. Koren, "Scalable collaborative filtering with jointly derived neighborhood interpolation
weights", ICDM 2007; Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM
2008, section 4.
"""
import numpy as np

from scratchml.core import storage
from scratchml.core.estimator import warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import transposed
from scratchml.recommend.factor_model import FactorModel, held
from scratchml.recommend.half_steps import half_step
from scratchml.recommend.model_parts import (Settings, check_parameters, checked_arrays, checked_progress, parts_of,
                                             ratings, starting_factors)
from scratchml.recommend.objectives import family_error, penalty, with_biases

KIND = "scratchml.recommend.ALS"
STEPS = 4                                                # of conjugate gradients in a half-step

# --- the equations -------------------------------------------------------------------------------


def alternate(R, U, V, L, Q, family, *, columns=None, biased=False, S=0):
    """(1)  U ← argmin_U E + P, then V ← argmin_V E + P

    `columns` is R transposed, made here if it is not given.  If `biased`, the last columns of U and V are b and d.
    With S > 0, S steps of conjugate gradients go towards each minimum.

    Shapes: R (N, M), U (N, F), V (M, F), L (N), Q (M), family -> (N, F), (M, F)
    """
    columns = transposed(R) if columns is None else columns
    U = half_step(R, *held(V, biased, L, family), start=U, S=S)
    V = half_step(columns, *held(U, biased, Q, family), start=V, S=S)
    return U, V


def loss(R, U, V, L, Q, family, biased=False):
    """E + P; U, V and `biased` as in (1)."""
    penalties = penalty(U, L, 1.0) + penalty(V, Q, 1.0)
    if biased:
        U, V = with_biases(U[:, :-1], V[:, :-1], U[:, -1], V[:, -1])
    return family_error(R, U, V, family) + penalties


# --- the estimator -------------------------------------------------------------------------------


class ALS(FactorModel):
    """Matrix factorisation by alternating least squares.

    With `alpha=None` the ratings themselves are fitted; each observed one has the weight 1, all others are taken for 0
    and have the weight `unobserved_weight`.  With `alpha` they are signs of liking, such as counts: what is observed is
    fitted to 1 with the confidence 1 + alpha r, all others to 0 with the confidence 1.  The implicit package, whose
    confidence is alpha r, does the same if it is handed 1 + alpha r with its own alpha at 1.

    Parameters
    ----------
    factors : int, default=32
        F.
    regularization : float, default=0.1
        λ, the penalty of a squared factor or bias; 0 for the solutions of least norm.
    unobserved_weight : float, default=0.0
        w, the weight of what is not observed, at most 1e3 in float32 and 1e7 in float64; needs alpha=None.
    alpha : float or None, default=None
        How fast the confidence grows with an entry.  A known 0 is liked, too, with the confidence 1: leave out of a
        matrix of counts, or make NaN, what nobody has taken.
    biases : bool, default=False
        Whether users and items have a bias each, beside the mean of all; for observed entries alone.
    weighted_regularization : bool, default=False
        Whether the penalty of a user or item is λ times the number of its entries.
    iterations : int, default=15
        Iterations at most; reaching it is a ConvergenceWarning if there is a `tol`.
    tol : float, default=0.0
        Stop when an iteration lowers the loss by at most `tol` of itself; 0 to do all iterations.
    solver : {"cholesky", "cg"}, default="cholesky"
        "cholesky", each half exactly; "cg", four steps of conjugate gradients from the last factors, in less time.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the start; an int gives the same bits on any number of threads.
    dtype : {"float32", "float64"}, default="float32"
        The type of the factors and of what is computed with them.
    verbose : int, default=0
        1 for a line to stderr after each iteration.
    callback : callable or None, default=None
        Called with a `Progress` after each iteration; returning True stops the fit.

    Attributes
    ----------
    user_factors_, item_factors_ : U (N, F) and V (M, F)
    user_biases_, item_biases_ : b (N,) and d (M,), 0 without biases
    global_mean_ : μ, 0 without biases
    loss_, loss_history_ : the loss with its penalty, at the end, and of the start and after each iteration
    n_iter_ : iterations done
    """

    def __init__(self, factors=32, *, regularization=0.1, unobserved_weight=0.0, alpha=None, biases=False,
                 weighted_regularization=False, iterations=15, tol=0.0, solver="cholesky", random_state=None,
                 dtype="float32", verbose=0, callback=None):
        self.factors = factors
        self.regularization = regularization
        self.unobserved_weight = unobserved_weight
        self.alpha = alpha
        self.biases = biases
        self.weighted_regularization = weighted_regularization
        self.iterations = iterations
        self.tol = tol
        self.solver = solver
        self.random_state = random_state
        self.dtype = dtype
        self.verbose = verbose
        self.callback = callback

    # --- learning

    def fit(self, X, items=None, values=None, *, shape=None, init=None):
        """Find the factors of a matrix, or of the entries values[k] of the users X[k] and items[k].  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the last finished iteration in the attributes.
        Raises ValueError for bad parameters, a matrix without entries, entries that come twice, are out of range, NaN
        or infinite, or whose squares over- or underflow, and negative confidence; it names the first.

        Parameters
        ----------
        X : array (N, M), Rows, sparse matrix (N, M), or array (nnz,) of int
            The matrix, in an array NaN where nothing is known (with `alpha` a 0 there counts as liked); or the
            users of entries.  Sparse rows in `dtype` are referred to, not copied: leave them as they are while the
            model is in use.
        items, values : array (nnz,) or None, default=None
            Items and values of the entries, where X are their users.
        shape : tuple (N, M) or None, default=None
            The shape of the matrix of such entries; None for the smallest that holds them.
        init : tuple (U, V) of arrays or None, default=None
            Factors (N, F) and (M, F) to start from; None to draw them.
        """
        dtype, S = check_parameters(self), STEPS if self.solver == "cg" else 0
        R = ratings(X, items, values, shape, dtype)
        settings = self._settings_now()
        settings.check_entries(R)
        F, biased = int(self.factors), bool(self.biases)
        μ = float(R.data.mean(dtype=np.float64)) if biased else 0.0
        family = settings.family(μ)
        U, V = self._start(R.shape, F, dtype, init)
        if biased:
            U, V = (np.column_stack([factors, np.zeros(len(factors), dtype)]) for factors in (U, V))
        columns = transposed(R)
        L, Q = settings.penalties(R), settings.penalties(columns)
        history = [loss(R, U, V, L, Q, family, biased)]
        rounding = 100 * float(np.finfo(dtype).eps) * family_error(R, np.zeros_like(U), V, family)
        self._keep(R, U, V, μ, history, settings)
        for iteration in range(1, int(self.iterations) + 1):
            U, V = alternate(R, U, V, L, Q, family, columns=columns, biased=biased, S=S)
            history = [*history, loss(R, U, V, L, Q, family, biased)]
            fell = history[-2] - history[-1]
            if not np.isfinite(history[-1]):
                raise ValueError(f"X: the factors have left the range of {dtype} in iteration {iteration}; scale the "
                                 "values towards 1, or raise regularization")
            if fell < -max(rounding, 100 * float(np.finfo(dtype).eps) * history[-2]):
                warn_not_converged(f"the loss rose in iteration {iteration}, by rounding, so the iteration before is "
                                   f"kept; raise regularization={self.regularization}, or set dtype='float64'")
                return self
            self._keep(R, U, V, μ, history, settings)
            if report(self, iteration, history[-1]) or self.tol > 0 and fell <= self.tol * history[-2]:
                return self
        if self.tol > 0:
            warn_not_converged(f"the loss still fell after iterations={self.iterations}; raise iterations or tol, or "
                               "leave tol at 0 if so many are wanted")
        return self

    def _settings_now(self):
        return Settings(*(getattr(self, name) for name in Settings._fields))

    def _start(self, shape, F, dtype, init):
        N, M = shape
        if init is None:
            V = generator(self.random_state).standard_normal((M, F), dtype) / dtype.type(F) ** dtype.type(0.5)
            return np.zeros((N, F), dtype), V
        return starting_factors(init, N, M, F, dtype)

    def _keep(self, R, U, V, μ, history, settings):
        """Take a finished iteration into the attributes, all at once."""
        biased = settings.biases
        F = U.shape[1] - biased
        vars(self).update(user_factors_=np.ascontiguousarray(U[:, :F]), item_factors_=np.ascontiguousarray(V[:, :F]),
                          user_biases_=U[:, F].copy() if biased else np.zeros(len(U), U.dtype),
                          item_biases_=V[:, F].copy() if biased else np.zeros(len(V), V.dtype),
                          global_mean_=μ, loss_=history[-1], loss_history_=history, n_iter_=len(history) - 1,
                          _ratings=R, _settings=settings)

    # --- keeping

    def save(self, path):
        """Write the model to a file.  Raises ValueError if it is not fitted, OSError if it cannot be written.

        callback, verbose and random_state are not kept; the ratings are, for what a user has seen.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        storage.save(path, KIND, *parts_of(self, self._ratings, self._settings))

    @classmethod
    def load(cls, path):
        """The model that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, KIND)
        try:
            return cls._from_parts(arrays, rest)
        except KeyError as error:
            raise ValueError(f"{path}: expected a fitted model, got one without {error}") from None
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"{path}: expected a fitted model, but {error}") from None

    @classmethod
    def _from_parts(cls, arrays, rest):
        """The model of what `storage.load` returned, if all of it fits together."""
        model = cls(**rest["parameters"])
        settings = model._settings_now()
        U, V, R = checked_arrays(arrays, model.factors, check_parameters(model), settings)
        model._keep(R, U, V, *checked_progress(rest, R, settings), settings)
        return model
