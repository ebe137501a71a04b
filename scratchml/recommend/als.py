"""Alternating least squares: users and items in turn, until their products are the ratings.

The chapters before this one say what is to be lowered and how half of it is done.  Here the halves alternate: all users
with the items held fixed, all items with the users held fixed.  Each half is solved exactly (or, with conjugate
gradients, taken some way down), so the loss falls and falls less; where it stops falling, the factors are done.  What
people want of them is then quick: the rating of a pair is one product, the best items of a user are the largest of M
products, somebody new is one more half-step, and the reason for a recommendation can be read off the normal equations.

Symbols
    N, M, F            users, items, factors; n items that a user knows, or entries that are asked for
    R       (N, M)     what is known, sparse
    U, V    (N, F), (M, F)  factors of users and of items
    b, d    (N,), (M,)  biases
    μ                  the mean of all known entries, if there are biases, else 0
    L, K    (N,), (M,)  the penalties: λ, or λ times the number of ratings
    family             weights and targets of the entries, as in the chapter on losses
    i, j    (n,), (n,)  pairs of users and items
    v       (F,)       the factors of one item
    B       (n, F)     the factors of the items that one user knows
    c, t    (n,), (n,)  weights and targets of one user's entries
    A       (F, F)     its normal equations

Equations
    (1)  Â_ij = μ + b_i + d_j + U_i·V_j                                            predicted
    (2)  U ← argmin_U E + P, then V ← argmin_V E + P                               alternate
    (3)  e_k = c_k t_k B_k·A⁻¹ v, for each item k that the user knows              contributions
         Σ_k e_k = x·v, if x solves A x = Σ_k c_k t_k B_k

Choices
    The users come first; so only the items need a start, drawn from a normal distribution with a variance of 1 / F.
    Biases are one more factor in (2): (U_i, b_i) is fitted to (V_j, 1) and what (μ, d_j) leave of the rating, under the
    same penalty.  Users and items without entries have factors and biases of 0.
    In float32 the equations of a user are right to about 1e-7 of their largest eigenvalue: a λ below that is lost in
    rounding, and what it should hold back is not; raise it, or set dtype="float64".
    Signs and axes of the factors mean nothing: any rotation of both sides gives the same products.
    `loss_history_` holds E + P, which never rises but for rounding.

Cost
    An iteration: O(nnz F² + (N + M) F³) time with solver="cholesky", O(nnz F + (N + M) F²) with "cg".  Memory: the
    matrix once more, transposed, and the factors twice.  With regularization=0, a user with fewer than F items, or with
    a pivot that is nearly lost, is solved by eigenvectors, one after the other, which takes far longer.  Recommendations
    for N users take O(N M F) time, in blocks.

>>> R = [[5, 4, np.nan, 1], [4, np.nan, 1, 1], [1, 1, 5, np.nan], [np.nan, 1, 4, 5]]
>>> model = ALS(2, biases=True, iterations=50, random_state=0).fit(R)
>>> model.recommend(1, n=1)[0].tolist(), [round(float(r), 1) for r in model.predict([1, 2], [1, 3])]
([1], [3.0, 5.3])

Sources: R. Bell and Y. Koren, "Scalable collaborative filtering with jointly derived neighborhood interpolation
weights", ICDM 2007; Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM
2008, sections 4 for (2) and 5 for (3).
"""
import numpy as np

from scratchml.core import storage
from scratchml.core.checks import true_or_false, whole_number
from scratchml.core.estimator import Estimator, warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import Rows, is_one, numbers_in_range, transposed
from scratchml.recommend.best_items import best_of_all, directions, nothing
from scratchml.recommend.half_steps import equations_of, half_step, shared_gram, solve_least_norm
from scratchml.recommend.model_parts import (Explanation, NewUsers, Settings, alone, check_parameters, checked_arrays,
                                             checked_new_users, checked_progress, new_ratings, parts_of, ratings,
                                             starting_factors)
from scratchml.recommend.objectives import family_error, penalty, weight_and_target, with_biases

KIND = "scratchml.recommend.ALS"
STEPS = 4                                                # of conjugate gradients in a half-step
BLOCK = 16384                                            # pairs at a time

# --- the equations -------------------------------------------------------------------------------


def predicted(U, V, b, d, μ, i, j):
    """(1)  Â_ij = μ + b_i + d_j + U_i·V_j

    Shapes: U (N, F), V (M, F), b (N), d (M), μ, i (n) in N, j (n) in M -> (n)
    """
    return μ + b[i] + d[j] + np.einsum("nf,nf->n", U[i], V[j])


def alternate(R, U, V, L, K, family, *, columns=None, biased=False, S=0):
    """(2)  U ← argmin_U E + P, then V ← argmin_V E + P

    `columns` is R transposed, made here if it is not given.  If `biased`, the last columns of U and V are b and d.
    With S > 0, S steps of conjugate gradients go towards each minimum.

    Shapes: R (N, M), U (N, F), V (M, F), L (N), K (M), family -> (N, F), (M, F)
    """
    columns = transposed(R) if columns is None else columns
    U = half_step(R, *_held(V, biased, L, family), start=U, S=S)
    V = half_step(columns, *_held(U, biased, K, family), start=V, S=S)
    return U, V


def _held(V, biased, L, family):
    """The arguments V, L, family, d of a half-step that holds `V` fixed."""
    if not biased:
        return V, L, family, None
    return np.column_stack([V[:, :-1], np.ones_like(V[:, -1])]), L, family, V[:, -1]


def loss(R, U, V, L, K, family, biased=False):
    """E + P; U, V and `biased` as in (2)."""
    penalties = penalty(U, L, 1.0) + penalty(V, K, 1.0)
    if biased:
        U, V = with_biases(U[:, :-1], V[:, :-1], U[:, -1], V[:, -1])
    return family_error(R, U, V, family) + penalties


def contributions(B, v, c, t, A):
    """(3)  e_k = c_k t_k B_k·A⁻¹ v, for each item k that the user knows

    If A is singular, by the shortest solution.

    Shapes: B (n, F), v (F), c (n), t (n), A (F, F) -> (n)
    """
    return c * t * (B @ solve_least_norm(A, v))


# --- the estimator -------------------------------------------------------------------------------


class ALS(Estimator):
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

    _takes_a_table = False                               # but a matrix of which most is unknown

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
        L, K = settings.penalties(R), settings.penalties(columns)
        history = [loss(R, U, V, L, K, family, biased)]
        rounding = 100 * float(np.finfo(dtype).eps) * family_error(R, np.zeros_like(U), V, family)
        self._keep(R, U, V, μ, history, settings)
        for iteration in range(1, int(self.iterations) + 1):
            U, V = alternate(R, U, V, L, K, family, columns=columns, biased=biased, S=S)
            history = [*history, loss(R, U, V, L, K, family, biased)]
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

    # --- asking

    def predict(self, users, items):
        """Â of pairs, (n,).

        With `alpha` a preference, about 0 to 1, else in the units of the ratings.  Raises ValueError for users and
        items that the model does not know, and for new users that another model has folded in.

        Parameters
        ----------
        users : int, array (n,) of int or NewUsers
            The users of the pairs; `NewUsers`, each once, are what `fold_in` has returned.
        items : int or array (n,) of int
            Their items.  A single user goes with each of the items, and a single item with each of the users.
        """
        self._check_fitted()
        U, b, _, users = self._chosen(users)
        items = numbers_in_range(items, len(self.item_factors_), "items")
        if users.size != items.size and 1 not in (users.size, items.size):
            raise ValueError(f"users, items: expected as many of both, got {users.size} and {items.size}")
        users, items = np.broadcast_arrays(users, items)
        answers = np.empty(users.size, self.user_factors_.dtype)
        for start in range(0, users.size, BLOCK):
            here = slice(start, start + BLOCK)
            answers[here] = predicted(U, self.item_factors_, b, self.item_biases_, self.global_mean_, users[here],
                                      items[here])
        return answers

    def _chosen(self, users, name="users"):
        """Factors, biases and ratings among which `users` are, known or new, and their rows."""
        if isinstance(users, NewUsers):
            return *checked_new_users(users, self.item_factors_), np.arange(len(users.factors))
        rows = numbers_in_range(users, len(self.user_factors_), name)
        return self.user_factors_, self.user_biases_, self._ratings, rows

    def recommend(self, users, n=10, exclude_seen=True):
        """The n best items of one user, or of each of S: items (S, n) int32 and their scores (S, n).

        Where fewer are left, items end with -1 and scores with -inf: look up names[items[items >= 0]], as names[-1] is the
        last item's.  So there is nothing but -1 for a user without a known entry, unless the model has `biases`: show such
        users what is popular.  Of equal scores the lower item comes first.
        Raises ValueError for an n above the number of items, for users that the model does not know, and for new users
        that another model, with other items or factors, has folded in.

        Parameters
        ----------
        users : int, array (S,) of int or NewUsers
            Who gets recommendations; `NewUsers` are what `fold_in` has returned.
        n : int, default=10
            How many items.
        exclude_seen : bool, default=True
            Whether to leave out the items that a user knows.
        """
        self._check_fitted()
        n = self._at_most_all(n)
        U, b, R, rows = self._chosen(users)
        offsets = self.item_biases_ if self._settings.biases else None
        items, scores = best_of_all(U, self.item_factors_, rows, R if true_or_false(exclude_seen, "exclude_seen") else nothing(R.shape), n, offsets)
        if self._settings.biases:
            scores += b[rows, None] + scores.dtype.type(self.global_mean_)
        else:                                            # nobody's factors are 0, and so would be all scores
            cold = R.indptr[rows] == R.indptr[rows + 1]
            items[cold], scores[cold] = -1, -np.inf
        return (items[0], scores[0]) if is_one(users) else (items, scores)

    def similar_items(self, items, n=10):
        """The n items most like one item, or like each of S: items (S, n) int32 and their cosines (S, n).

        An item is not its own neighbour; with n the number of all items, the last is -1 with a cosine of -inf.  Raises
        ValueError for an n above the number of items, and for items that the model does not know.

        Parameters
        ----------
        items : int or array (S,) of int
            What the others shall be like.
        n : int, default=10
            How many items.
        """
        self._check_fitted()
        n = self._at_most_all(n)
        rows = numbers_in_range(items, len(self.item_factors_), "items")
        V, M = directions(self.item_factors_), len(self.item_factors_)
        itself = Rows(np.arange(M + 1), np.arange(M, dtype=np.int32), np.zeros(0, np.float32), (M, M))
        found, cosines = best_of_all(V, V, rows, itself, n)
        return (found[0], cosines[0]) if is_one(items) else (found, cosines)

    def _at_most_all(self, n):
        if whole_number(n, "n") > len(self.item_factors_):
            raise ValueError(f"n={n}: expected at most the number of items, {len(self.item_factors_)}")
        return int(n)

    # --- somebody new, and why

    def fold_in(self, X, values=None):
        """What a half-step makes of new users: `NewUsers`, whose `factors` are (S, F).

        Raises ValueError for what `fit` would refuse, and another number of items.

        Parameters
        ----------
        X : array (S, M), Rows, sparse matrix (S, M), or array (n,) of int
            Ratings of S users, as in `fit`; or the items that one user knows.
        values : array (n,) or None, default=None
            The ratings of these items, where X are items.
        """
        self._check_fitted()
        dtype, (M, F), settings = self.item_factors_.dtype, self.item_factors_.shape, self._settings
        R = new_ratings(X, values, M, dtype)
        if R.data.size:
            settings.check_entries(R)
        factors = half_step(R, *_held(self._items(), settings.biases, settings.penalties(R),
                                      settings.family(self.global_mean_)))
        biases = factors[:, F].copy() if settings.biases else np.zeros(len(factors), dtype)
        return NewUsers(np.ascontiguousarray(factors[:, :F]), biases, R)

    def explain(self, user, item, n=10):
        """Which of the items that a user knows speak for another: an `Explanation` with the n that contribute most.

        By (3), from the user's ratings and the item factors: all contributions and the offset add up to what `predict`
        would say after one more half-step.  Raises ValueError for a user or an item that the model does not know, and for
        several at once.

        Parameters
        ----------
        user : int or NewUsers
            For whom; `NewUsers`, of one user, are what `fold_in` has returned.
        item : int
            What is to be explained.
        n : int, default=10
            How many contributions.
        """
        self._check_fitted()
        _, _, R, rows = self._chosen(user, "user")
        user, item = alone(rows, "user"), alone(numbers_in_range(item, len(self.item_factors_), "item"), "item")
        settings = self._settings
        family = settings.family(self.global_mean_)
        V, L, _, d = _held(self._items().astype(np.float64), settings.biases, settings.penalties(R), family)
        d = np.zeros(len(V)) if d is None else d
        A, _ = equations_of(R, user, V, L, family, d, shared_gram(V, family.unobserved))
        known = R.indices[R.indptr[user]:R.indptr[user + 1]]
        c, t = weight_and_target(R.data[R.indptr[user]:R.indptr[user + 1]].astype(np.float64), family)
        parts = contributions(V[known], V[item], c, t - d[known], A)
        most = np.lexsort((known, -parts))[:whole_number(n, "n")]
        offset = self.global_mean_ + float(self.item_biases_[item])
        return Explanation(offset + float(parts.sum()), offset, known[most], parts[most])

    def _items(self):
        """V, with d as its last column if there are biases."""
        return np.column_stack([self.item_factors_, self.item_biases_]) if self._settings.biases else self.item_factors_

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
