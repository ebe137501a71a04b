"""What factors answer: ratings, the best items, who and what is alike, somebody or something new, and why.

A factor model has a vector for each user and each item, and the rating of a pair is their product (1).  However the
factors were found, what people want of them is quick: the best items of a user are the largest of M products, what is
alike points the same way.  Somebody new, who has told what a few items are worth, is one half-step with all items held
fixed, and a new item that some users have rated is one with all users held fixed.  The reason for a recommendation can
be read off the normal equations of that half-step (2).

Symbols
    N, M, F            users, items, factors
    U, V    (N, F), (M, F)  factors of users and of items
    b, d    (N,), (M,)  biases
    μ                  the mean of all known entries, if there are biases, else 0
    i, j    (P,), (P,)  pairs of users and items
    v       (F,)       the factors of one item
    B       (n, F)     the factors of the n items that one user knows
    c, t    (n,), (n,)  weights and targets of this user's entries
    A       (F, F)     the matrix of its normal equations
    x       (F,)       its factors

Equations
    (1)  Â_ij = μ + b_i + d_j + U_i·V_j                                            predicted
    (2)  e_k = c_k t_k B_k·A⁻¹ v, for each item k that the user knows              contributions
         Σ_k e_k = x·v, if x solves A x = Σ_k c_k t_k B_k

Choices
    Without biases a user or an item that nothing is known of has factors of 0, and is like no other; so such a user is
    shown nothing, or what most users have, if that is asked for.
    Of equal scores the lower number comes first.

Cost
    Recommendations for N users take O(N m F) time, in blocks, for m items to choose from.  Folding in is a half-step.

>>> V = np.array([[2.0, 0], [1, 1]])
>>> predicted(np.array([[1.0, 2]]), V, np.array([0.5]), np.array([0.0, 1]), 3.0, [0], [1]).tolist()
[7.5]
>>> contributions(V, np.array([0.0, 1]), np.ones(2), np.array([4.0, 2]), V.T @ V).round(6).tolist()
[-2.0, 2.0]

Source: Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, section 5,
for (2).
"""
import numpy as np

from scratchml.core.checks import one_of, true_or_false, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.sparse import Rows, is_one, numbers_in_range, some_rows, transposed
from scratchml.recommend.best_items import best_of_all, directions, nothing
from scratchml.recommend.half_steps import equations_of, half_step, shared_gram, solve_least_norm
from scratchml.recommend.model_parts import Explanation, NewItems, NewUsers, alone, checked_new, new_ratings
from scratchml.recommend.objectives import weight_and_target

BLOCK = 16384                                            # pairs at a time

# --- the equations -------------------------------------------------------------------------------


def predicted(U, V, b, d, μ, i, j):
    """(1)  Â_ij = μ + b_i + d_j + U_i·V_j

    Shapes: U (N, F), V (M, F), b (N), d (M), μ, i (P) in N, j (P) in M -> (P)
    """
    return μ + b[i] + d[j] + np.einsum("nf,nf->n", U[i], V[j])


def contributions(B, v, c, t, A):
    """(2)  e_k = c_k t_k B_k·A⁻¹ v, for each item k that the user knows

    If A is singular, by the shortest solution.

    Shapes: B (n, F), v (F), c (n), t (n), A (F, F) -> (n)
    """
    return c * t * (B @ solve_least_norm(A, v))


def held(V, biased, L, family):
    """The arguments V, L, family, d of a half-step that holds `V` (M, F) fixed; if `biased`, its last column is d."""
    if not biased:
        return V, L, family, None
    return np.column_stack([V[:, :-1], np.ones_like(V[:, -1])]), L, family, V[:, -1]


# --- what is asked -------------------------------------------------------------------------------


class FactorModel(Estimator):
    """A model with `user_factors_`, `item_factors_`, their biases and `global_mean_`, and the ratings that it is of."""

    _takes_a_table = False                               # but a matrix of which most is unknown

    # --- of pairs, and the best

    def predict(self, users, items):
        """Â of pairs, (n,).

        With `alpha` a preference, about 0 to 1, else in the units of the ratings.  Raises ValueError for users and
        items that the model does not know, and for new ones that another model has folded in.

        Parameters
        ----------
        users : int, array (n,) of int or NewUsers
            The users of the pairs; `NewUsers`, each once, are what `fold_in` has returned.
        items : int, array (n,) of int or NewItems
            Their items.  A single user goes with each of the items, and a single item with each of the users;
            `NewItems`, each once, are what `fold_in_items` has returned.
        """
        self._check_fitted()
        U, b, _, users = self._chosen(users)
        V, d, items = self._chosen_items(items)
        if users.size != items.size and 1 not in (users.size, items.size):
            raise ValueError(f"users, items: expected as many of both, got {users.size} and {items.size}")
        users, items = np.broadcast_arrays(users, items)
        answers = np.empty(users.size, self.user_factors_.dtype)
        for start in range(0, users.size, BLOCK):
            here = slice(start, start + BLOCK)
            answers[here] = predicted(U, V, b, d, self.global_mean_, users[here], items[here])
        return answers

    def _chosen(self, users, name="users"):
        """Factors, biases and ratings among which `users` are, known or new, and their rows."""
        if isinstance(users, NewUsers):
            return *checked_new(users, self.item_factors_, "users", "items"), np.arange(len(users.factors))
        rows = numbers_in_range(users, len(self.user_factors_), name)
        return self.user_factors_, self.user_biases_, self._ratings, rows

    def _chosen_items(self, items):
        """Factors and biases among which `items` are, known or new, and their rows."""
        if isinstance(items, NewItems):
            V, d, _ = checked_new(items, self.user_factors_, "items", "users")
            return V, d, np.arange(len(V))
        return self.item_factors_, self.item_biases_, numbers_in_range(items, len(self.item_factors_), "items")

    def recommend(self, users, n=10, exclude_seen=True, *, items=None, filter_items=None, cold=None):
        """The n best items of one user, or of each of S: items (S, n) int32 and their scores (S, n).

        Where fewer are left, items end with -1 and scores with -inf: look up names[items[items >= 0]], as names[-1] is
        the last item's.  So there is nothing but -1 for a user without a known entry, unless the model has `biases`, or
        `cold` says what else.  Of equal scores the lower item comes first.
        Raises ValueError for an n above the number of items, for users and items that the model does not know, and for
        new users that another model, with other items or factors, has folded in.

        Parameters
        ----------
        users : int, array (S,) of int or NewUsers
            Who gets recommendations; `NewUsers` are what `fold_in` has returned.
        n : int, default=10
            How many items.
        exclude_seen : bool, default=True
            Whether to leave out the items that a user knows.
        items : array (m,) of int or None, default=None
            The only items to choose from, such as those in stock; None for all.
        filter_items : array (m,) of int or None, default=None
            Items that nobody shall be shown.
        cold : {"popular"} or None, default=None
            "popular" to show users without a known entry what most users have; the scores are how many these are.
        """
        self._check_fitted()
        n = self._at_most_all(n)
        if cold is not None:
            one_of(cold, "cold", ("popular",))
        U, b, R, rows = self._chosen(users)
        known = R if true_or_false(exclude_seen, "exclude_seen") else nothing(R.shape)
        offsets = np.zeros(R.shape[1], U.dtype)
        offsets[self._items_of(filter_items, "filter_items")] = -np.inf
        among = None if items is None else np.unique(self._items_of(items, "items"))
        found, scores = _best_among(among, U, self.item_factors_, rows, known, n, offsets + self.item_biases_)
        unknown = R.indptr[rows] == R.indptr[rows + 1]
        if self._settings.biases:
            scores += b[rows, None] + scores.dtype.type(self.global_mean_)
        else:                                            # nobody's factors are 0, and so would be all scores
            found[unknown], scores[unknown] = -1, -np.inf
        if cold is not None and unknown.any():
            counts = np.bincount(self._ratings.indices, minlength=R.shape[1]).astype(U.dtype)
            found[unknown], scores[unknown] = _best_among(among, np.ones((1, 1), U.dtype), counts[:, None],
                                                          np.zeros(1, np.int64), nothing((1, R.shape[1])), n, offsets)
        return (found[0], scores[0]) if is_one(users) else (found, scores)

    def _items_of(self, some, name):
        """Known items, as an array; none for None."""
        return np.zeros(0, np.int64) if some is None else numbers_in_range(some, len(self.item_factors_), name)

    def similar_items(self, items, n=10):
        """The n items most like one item, or like each of S: items (S, n) int32 and their cosines (S, n).

        An item is not its own neighbour; with n the number of all items, the last is -1 with a cosine of -inf.  Raises
        ValueError for an n above the number of items, and for items that the model does not know.

        Parameters
        ----------
        items : int, array (S,) of int or NewItems
            What the others shall be like; `NewItems` are what `fold_in_items` has returned.
        n : int, default=10
            How many items.
        """
        self._check_fitted()
        V, _, rows = self._chosen_items(items)
        return _alike(V, self.item_factors_, rows, self._at_most_all(n), items)

    def similar_users(self, users, n=10):
        """The n users most like one user, or like each of S: users (S, n) int32 and their cosines (S, n).

        A user is not his own neighbour; nobody is like a user of whom nothing is known, and such rows are -1 with
        cosines of -inf, with which all rows end where fewer than n are left.  Raises ValueError for an n above the
        number of users, and for users that the model does not know.

        Parameters
        ----------
        users : int, array (S,) of int or NewUsers
            Whom the others shall be like; `NewUsers` are what `fold_in` has returned.
        n : int, default=10
            How many users.
        """
        self._check_fitted()
        U, _, _, rows = self._chosen(users)
        if whole_number(n, "n") > len(self.user_factors_):
            raise ValueError(f"n={n}: expected at most the number of users, {len(self.user_factors_)}")
        return _alike(U, self.user_factors_, rows, int(n), users)

    def _at_most_all(self, n):
        if whole_number(n, "n") > len(self.item_factors_):
            raise ValueError(f"n={n}: expected at most the number of items, {len(self.item_factors_)}")
        return int(n)

    # --- somebody or something new, and why

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
        R = new_ratings(X, values, len(self.item_factors_), self.item_factors_.dtype)
        if R.data.size:
            self._settings.check_entries(R)
        return NewUsers(*self._half_step(R, self._items()), R)

    def fold_in_items(self, X, values=None):
        """What a half-step makes of new items: `NewItems`, whose `factors` are (S, F).

        `predict` says what users would make of them, `similar_items` what they are like.  Raises ValueError for what
        `fit` would refuse, and another number of users.

        Parameters
        ----------
        X : array (S, N), Rows, sparse matrix (S, N), or array (n,) of int
            Ratings of S items by all users, a row for each item; or the users who know one item.
        values : array (n,) or None, default=None
            The ratings by these users, where X are users.
        """
        self._check_fitted()
        R = new_ratings(X, values, len(self.user_factors_), self.user_factors_.dtype, "item", "users")
        if R.data.size:
            self._settings.check_entries(transposed(R))
        return NewItems(*self._half_step(R, self._users()), R)

    def _half_step(self, R, V):
        """Factors and biases of new rows R, with `V` held fixed."""
        settings, F = self._settings, self.item_factors_.shape[1]
        factors = half_step(R, *held(V, settings.biases, settings.penalties(R), settings.family(self.global_mean_)))
        biases = factors[:, F].copy() if settings.biases else np.zeros(len(factors), V.dtype)
        return np.ascontiguousarray(factors[:, :F]), biases

    def explain(self, user, item, n=10):
        """Which of the items that a user knows speak for another: an `Explanation` with the n that contribute most.

        By (2), from the user's ratings and the item factors: all contributions and the offset add up to what `predict`
        would say after one more half-step.  Raises ValueError for a user or an item that the model does not know, and
        for several at once.

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
        V, L, _, d = held(self._items().astype(np.float64), settings.biases, settings.penalties(R), family)
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

    def _users(self):
        """U, with b as its last column if there are biases."""
        return np.column_stack([self.user_factors_, self.user_biases_]) if self._settings.biases else self.user_factors_


# --- pieces --------------------------------------------------------------------------------------


def _best_among(among, U, V, rows, known, n, offsets):
    """`best_of_all` of the items `among` (m,), rising, or of all for None."""
    if among is None:
        return best_of_all(U, V, rows, known, n, offsets)
    if not among.size:                                   # and so no column of a product
        return np.full((len(rows), n), -1, np.int32), np.full((len(rows), n), -np.inf, V.dtype)
    number = np.full(len(V), -1)
    number[among] = np.arange(among.size)
    known = some_rows(known, rows)
    kept = number[known.indices] >= 0
    known = Rows(np.append(0, np.cumsum(kept))[known.indptr], number[known.indices[kept]].astype(np.int32),
                 known.data[kept], (len(rows), among.size))
    found, scores = best_of_all(U[rows], V[among], np.arange(len(rows)), known, n, offsets[among])
    return np.where(found >= 0, among[found], -1).astype(np.int32), scores


def _alike(queries, V, rows, n, asked):
    """The n rows of `V` (M, F) nearest by angle to each of `queries`[rows], which is not its own neighbour.

    What has no direction is like nothing: its rows are -1, and it is in no other's.
    """
    new, directed = isinstance(asked, (NewUsers, NewItems)), V.any(axis=1)
    known = nothing((len(queries), len(V)))
    if not new:
        known = Rows(np.arange(len(V) + 1), np.arange(len(V), dtype=np.int32), np.zeros(0, np.float32), (len(V),) * 2)
    offsets = np.where(directed, 0, -np.inf)
    found, cosines = best_of_all(directions(queries), directions(V), rows, known, n, offsets)
    without = ~queries[rows].any(axis=1)
    found[without], cosines[without] = -1, -np.inf
    return (found[0], cosines[0]) if is_one(asked) else (found, cosines)
