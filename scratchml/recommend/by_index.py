"""Candidates out of an index: the vectors of any model, and anything that finds what is near to a vector.

>>> from scratchml.neighbors import HNSW
>>> from scratchml.recommend import ALS
>>> bought = np.where(np.random.default_rng(0).random((30, 20)) < 0.4, 1, np.nan)
>>> model = ByIndex(ALS(4, alpha=1.0, random_state=0), HNSW("ip", random_state=0)).fit(bought)
>>> items, scores = model.recommend(0, n=3)
>>> items.tolist() == model.model_.recommend(0, n=3)[0].tolist()
True
"""
import copy

import numpy as np

from scratchml.core.checks import true_or_false, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.sparse import is_one, known_entries, numbers_in_range, some_rows
from scratchml.recommend.best_items import nothing

BLOCK = 1024                                             # users whose neighbours are in memory at a time


class ByIndex(Estimator):
    """Recommends what an index finds near to a user's vector, where the model itself would look at all items.

    As good as the index: what it does not find is not recommended.  Users of whom nothing is known get nothing.

    Parameters
    ----------
    model : estimator
        With `user_vectors_` and `item_vectors_`, or `user_factors_` and `item_factors_`, after its fit.
    index : estimator
        With `fit` and `knn_query`, by products (space "ip"), or by cosines if the model goes by them.

    Attributes
    ----------
    model_, index_ : as fitted
    interactions_ : the matrix of `fit`, as Rows
    """

    _takes_a_table = False                               # but a matrix of which most is not known

    def __init__(self, model, index):
        self.model = model
        self.index = index

    def fit(self, matrix, *features, **named):
        """Fit the model, and put its items into the index.  Returns itself.

        Raises ValueError for what model or index refuse, for a model without vectors, and an index by distance.

        Parameters
        ----------
        matrix : array (U, M), Rows or sparse matrix (U, M)
            What users have; in an array NaN stands for what is not known.
        *features : object
            What the model's fit takes besides.
        **named : object
            The same by name.
        """
        if getattr(self.index, "space", "ip") not in ("ip", "cosine"):
            raise ValueError(f"index: expected one by products, space='ip', or cosines, got space={self.index.space!r}")
        A = known_entries(matrix, name="matrix", dtype=np.float64)
        model = copy.deepcopy(self.model).fit(matrix, *features, **named)
        users, items = _vectors(model)
        index = copy.deepcopy(self.index).fit(items)
        vars(self).update(model_=model, index_=index, interactions_=A, _users=users, _items=items)
        return self

    def recommend(self, users, n=10, exclude_seen=True):
        """Items, int32, and their products with the user, (B, n) each, the best first; (n,) for a single user.

        Where the index finds fewer, items end with -1 and scores with -inf.  Raises ValueError for unknown users, and
        for n that is no whole number from 1 to the number of items.

        Parameters
        ----------
        users : int or array (B,) of int
            Numbers of rows of the matrix of `fit`.
        n : int, default=10
            How many items.
        exclude_seen : bool, default=True
            Whether to leave out what `fit` knew a user to have.
        """
        self._check_fitted()
        A, M = self.interactions_, len(self._items)
        single, rows = is_one(users), numbers_in_range(users, self.interactions_.shape[0], "users")
        if whole_number(n, "n") > M:
            raise ValueError(f"n={n}: there are only {M} items; lower n")
        items, scores = np.full((len(rows), n), -1, np.int32), np.full((len(rows), n), -np.inf)
        for first in range(0, len(rows), BLOCK):
            some = rows[first:first + BLOCK]
            known = some_rows(A, some) if true_or_false(exclude_seen, "exclude_seen") else nothing((len(some), M))
            here = slice(first, first + len(some))
            items[here], scores[here] = self._best(some, known, n)
        none = A.indptr[rows] == A.indptr[rows + 1]
        items[none], scores[none] = -1, -np.inf
        return (items[0], scores[0]) if single else (items, scores)

    def _best(self, rows, known, n):
        """The n best of what the index finds, if what is known is left out."""
        k = min(len(self._items), n + int(np.diff(known.indptr).max(initial=0)))
        found = np.asarray(self.index_.knn_query(self._users[rows], k)[0])
        places = np.unique(found[found >= 0])
        # of the items that any of them is near to, each user's best among his own neighbours
        s = np.full((len(rows), len(places)), -np.inf)
        u, at = np.nonzero(found >= 0)
        m = found[u, at]
        s[u, np.searchsorted(places, m)] = np.einsum("kf,kf->k", self._users[rows[u]], self._items[m], dtype=np.float64)
        taken = np.repeat(np.arange(len(rows)), np.diff(known.indptr)), known.indices
        here = np.isin(taken[1], places)
        s[taken[0][here], np.searchsorted(places, taken[1][here])] = -np.inf
        order = np.argsort(-s, axis=1, kind="stable")[:, :n]
        best = np.take_along_axis(s, order, 1)
        items = np.where(best > -np.inf, places[order] if len(places) else -1, -1)
        short = (0, 0), (0, n - items.shape[1])
        return np.pad(items, short, constant_values=-1), np.pad(best, short, constant_values=-np.inf)


def _vectors(model):
    """Vectors of users and items whose products are the scores, up to what is the same for all items of a user."""
    for users, items in (("user_vectors_", "item_vectors_"), ("user_factors_", "item_factors_")):
        if hasattr(model, users) and hasattr(model, items):
            U, V, d = getattr(model, users), getattr(model, items), getattr(model, "item_biases_", None)
            if d is None or not d.any():
                return U, V
            return np.column_stack([U, np.ones(len(U), U.dtype)]), np.column_stack([V, d])
    raise ValueError(f"model: expected one with vectors of users and items after its fit, got {type(model).__name__}")
