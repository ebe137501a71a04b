"""Two towers: a vector for each user and one for each item, trained to tell the item that was taken from others.

For a hundred million items there is no time to look at each.  But if users and items are vectors, the best items for a
user are his nearest, and those an index finds.  So each side is a tower of its own that ends in a vector: `towers` has
what it begins with, who or what it is, its features, what a user has, and the layers above.  The score is the cosine,
sharpened by a temperature (1), and the loss that of `sampled_softmax`, over the items of a batch.  A user or an item
that is new has no vector of its own yet, but if it has features or a history, it has a place.

Symbols
    B, C, F   users, items; the length of a vector
    u, v  (B, F), (C, F)  vectors of users and of items
    τ         temperature

Equations
    (1)  s_ij = u_i·v_j / (τ ‖u_i‖ ‖v_j‖), 0 where a length is                           scaled_cosine

Choices
    A pair of the matrix is a sample, whatever its value; an epoch reads each once, in random order.
    ln q is subtracted by default, q from how often an item is in the data.  Without, the popular items are pushed down
    for being popular: `log_q=False` is there to be looked at.  loss="bpr" has one wrong answer a pair, drawn uniformly.
    With history=True a user is what he has, and nothing else but his features: in training the item that is asked for
    is taken out, and of the others each is left out with the probability `dropout`, so that no single one decides.
    Users who have nothing keep the vector that they began with; `recommend` shows them nothing.
    An `index` of `neighbors` over `item_vectors_` spares looking at all items, at the price of some that it misses; it
    is asked for as many more as a user has, and what it finds is scored again.

Cost
    A step of B pairs: three products of B × B × F, and a pass over B² scores.  An epoch has P / B steps for P pairs.

>>> rng = np.random.default_rng(0)
>>> A = np.where(rng.random((60, 40)) < 0.6, 1, np.nan)
>>> A[:30, :20], A[30:, 20:] = np.nan, np.nan                # two kinds of users
>>> model = TwoTower(factors=8, epochs=20, batch_size=64, random_state=0).fit(A)
>>> items, _ = model.recommend([0, 59], n=5)
>>> bool((items[0] >= 20).all()), bool((items[1] < 20).all())
(True, True)

Sources: P. Covington, J. Adams and E. Sargin, "Deep neural networks for YouTube recommendations", RecSys 2016, section
3; X. Yi et al., "Sampling-bias-corrected neural modeling for large corpus item recommendations", RecSys 2019, section
3.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core import storage
from scratchml.core.checks import finite, held_in, one_of, real_number, true_or_false, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import Rows, is_one, known_entries, numbers_in_range, some_rows, warn_of_zeros
from scratchml.recommend.best_items import best_by_index, best_of_all, directions, nothing
from scratchml.recommend.sampled_softmax import loss_into_gradient, mixed_frequency
from scratchml.recommend.towers import (Tower, columns_from, history, in_float32, in_kind, packed, side_by_side,
                                        side_of, thinned, unpacked)

KIND = "scratchml.recommend.TwoTower"
FARTHEST = 1e15  # the greatest number in a vector; float32 holds squares up to 1e38
COLDEST = 1e-3                                           # the least temperature; e^(1/τ) is far beyond float32 below it


def scaled_cosine(u, v, τ):
    """(1)  s_ij = u_i·v_j / (τ ‖u_i‖ ‖v_j‖), 0 where a length is

    Shapes: u (B, F), v (C, F), τ -> (B, C)
    """
    return directions(u) @ directions(v).T / τ


class TwoTower(Estimator):
    """Vectors of users and items whose cosines say what goes with whom: (1), trained by `sampled_softmax`.

    Parameters
    ----------
    factors : int, default=128
        F, the length of a vector.
    temperature : float, default=0.1
        τ, at least 0.001: the lower, the more the best wrong answers count.
    epochs : int, default=10
        How often each pair is read.
    batch_size : int, default=1024
        How many pairs are held against each other.
    learning_rate : float, default=0.01
        Adam's step length.
    loss : {"softmax", "bpr"}, default="softmax"
        Against all items of the batch, or against one drawn uniformly.
    log_q : bool, default=True
        Whether the logarithm of how often an item is drawn is subtracted from its score.
    mixed_negatives : int, default=0
        How many items are drawn uniformly for each batch, to be wrong answers beside those of the batch.
    hidden : tuple of int, default=()
        Sizes of hidden layers in each tower; none for a tower that is a sum.
    history : bool, default=False
        Whether a user is the bag of his items, in place of a vector of his own.
    dropout : float, default=0.5
        With which probability each item of a history is left out in training.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of first vectors, order and draws.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch; if it returns True, the fit ends.

    Attributes
    ----------
    user_vectors_ : (U, F), of length 1
    item_vectors_ : (M, F), of length 1
    loss_history_ : the mean loss of each epoch
    interactions_ : the matrix of `fit`, as Rows
    """

    _takes_a_table = False                               # but a matrix of which most is not known

    def __init__(self, factors=128, *, temperature=0.1, epochs=10, batch_size=1024, learning_rate=0.01, loss="softmax",
                 log_q=True, mixed_negatives=0, hidden=(), history=False, dropout=0.5, random_state=None, verbose=0,
                 callback=None):
        self.factors = factors
        self.temperature = temperature
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.loss = loss
        self.log_q = log_q
        self.mixed_negatives = mixed_negatives
        self.hidden = hidden
        self.history = history
        self.dropout = dropout
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, matrix, item_features=None, user_features=None):
        """Learn the vectors.  Returns itself.

        Raises ValueError for what is no such matrix, a matrix without entries, features that do not fit it, and bad
        parameters.

        Parameters
        ----------
        matrix : array (U, M), Rows or sparse matrix (U, M)
            What users have; in an array NaN stands for what is not known.
        item_features : array, Rows or sparse matrix (M, V) or None, default=None
            What items are like.
        user_features : array, Rows or sparse matrix (U, W) or None, default=None
            What users are like.
        """
        F, τ, hidden = self._checked()
        A = known_entries(matrix, name="matrix", dtype=np.float64)
        if not A.indices.size:
            raise ValueError(f"matrix: expected at least one known entry, got none in shape {A.shape}")
        own = history(A, np.full(A.shape[0], -1)) if self.history else None
        sides = [side_of(A.shape[0], user_features, "user_features", own),
                 side_of(A.shape[1], item_features, "item_features")]
        warn_of_zeros(matrix, A, "matrix")
        rng = generator(self.random_state)
        towers = [Tower(G, F, rng, hidden) for G in sides]
        users = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
        step = _Step(towers, A, τ, float(self.learning_rate), self.loss, bool(self.log_q), int(self.mixed_negatives),
                     _Histories(A, columns_from(sides[0], A.shape[1]), float(self.dropout)) if self.history else None)
        means = []
        for epoch in range(1, int(self.epochs) + 1):
            order, losses = rng.permutation(A.indices.size), []
            with np.errstate(over="ignore", invalid="ignore"):           # it is looked for below
                for start in range(0, len(order), int(self.batch_size)):
                    some = order[start:start + int(self.batch_size)]
                    losses.append(step(users[some], A.indices[some], rng) * len(some))
            means.append(float(sum(losses) / len(order)))
            if not (np.isfinite(means[-1]) and all(np.abs(w).max() < FARTHEST for one in towers
                                                         for w in (one.E, *one.weights.Ws))):
                raise ValueError(f"learning_rate={self.learning_rate!r}: the vectors have left the range of float32 in "
                                 f"epoch {epoch}; lower it")
            vectors = [directions(one.vectors(np.arange(one.G.shape[0]))) for one in towers]
            vars(self).update(user_vectors_=vectors[0], item_vectors_=vectors[1], loss_history_=list(means),
                              interactions_=A, _weights=[one.weights.copy() for one in towers],
                              _own=[A.shape[1] if self.history else A.shape[0], A.shape[1]],
                              _by_history=bool(self.history))
            if report(self, epoch, means[-1]):
                break
        return self

    def recommend(self, users, n=10, exclude_seen=True, index=None):
        """Items, int32, and their cosines, (B, n) each, the best first; (n,) for a single user.

        Where fewer than n items are left, items end with -1 and scores with -inf.
        Raises ValueError for unknown users, and for n that is no whole number from 1 to the number of items.

        Parameters
        ----------
        users : int or array (B,) of int
            Numbers of rows of the matrix of `fit`.
        n : int, default=10
            How many items.
        exclude_seen : bool, default=True
            Whether to leave out what `fit` knew a user to have.
        index : index of `neighbors` or None, default=None
            One that was fitted to `item_vectors_`, to be asked in place of all items.
        """
        self._check_fitted()
        A = self.interactions_
        single, rows = is_one(users), numbers_in_range(users, A.shape[0], "users")
        known = some_rows(A, rows) if true_or_false(exclude_seen, "exclude_seen") else nothing((len(rows), A.shape[1]))
        items, scores = self._best(self.user_vectors_[rows], known, n, index)
        unknown = A.indptr[rows] == A.indptr[rows + 1]
        items[unknown], scores[unknown] = -1, -np.inf
        return (items[0], scores[0]) if single else (items, scores)

    def recommend_for(self, vectors, n=10):
        """Items and their cosines, (B, n) each, for vectors such as those of `new_users`; (n,) for a single one.

        Raises ValueError for vectors of another length, and a bad n.

        Parameters
        ----------
        vectors : array (B, F) or (F,)
            Where to look from.
        n : int, default=10
            How many items.
        """
        self._check_fitted()
        single, F = np.ndim(vectors) == 1, self.item_vectors_.shape[1]
        V = np.asarray(vectors)[None] if single else np.asarray(vectors)
        if V.ndim != 2 or V.shape[1] != F or V.dtype.kind not in "fiu":
            raise ValueError(f"vectors: expected numbers (B, {F}), got {V.dtype} of shape {V.shape}")
        V = np.ascontiguousarray(directions(held_in(finite(V, "vectors"), np.float32, "vectors")))
        items, scores = self._best(V, nothing((len(V), len(self.item_vectors_))), n)
        return (items[0], scores[0]) if single else (items, scores)

    def similar_items(self, items, n=10):
        """Other items and their cosines, (B, n) each; (n,) for a single one.

        Where fewer than n are left, items end with -1.  Raises ValueError for unknown items, and a bad n.

        Parameters
        ----------
        items : int or array (B,) of int
            Numbers of items.
        n : int, default=10
            How many items.
        """
        self._check_fitted()
        M = len(self.item_vectors_)
        single, rows = is_one(items), numbers_in_range(items, M, "items")
        own = Rows(np.arange(len(rows) + 1), rows.astype(np.int32), np.ones(len(rows), np.float32), (len(rows), M))
        found, scores = self._best(self.item_vectors_[rows], own, n)
        return (found[0], scores[0]) if single else (found, scores)

    def new_users(self, user_features=None, matrix=None):
        """Vectors (S, F) of users who are known by features, by what they have, or by both, for `recommend_for`.

        Raises ValueError for features that are not those of `fit`, and a matrix without history=True or of other items.

        Parameters
        ----------
        user_features : array, Rows or sparse matrix (S, W) or None, default=None
            What they are like, in the columns of `fit`; None for a model without, and for nothing known.
        matrix : array (S, M), Rows or sparse matrix (S, M) or None, default=None
            What they have; in an array NaN stands for what is not known.
        """
        self._check_fitted()
        if matrix is None:
            return self._new(0, user_features, "user_features")
        A, M = known_entries(matrix, name="matrix", dtype=np.float64), self._own[0]
        if not self._by_history:
            raise ValueError("matrix: this model has a vector for each user of fit; set history=True, and fit again")
        if A.shape[1] != M:
            raise ValueError(f"matrix: expected the {M} items of fit, got shape {A.shape}")
        G = history(A, np.full(A.shape[0], -1))
        if user_features is not None:
            X = self._features(0, user_features, "user_features")
            if X.shape[0] != A.shape[0]:
                raise ValueError(f"user_features: expected a row for each of {A.shape[0]}, got {X.shape[0]}")
            G = side_by_side(G, X)
        return directions(self._weights[0].outputs(G)[-1])

    def add_items(self, item_features):
        """Take items that are known by features alone, and return their numbers (n,): they can be recommended at once.

        Raises ValueError for features that are not those of `fit`.

        Parameters
        ----------
        item_features : array, Rows or sparse matrix (n, V)
            What they are like, in the columns of `fit`.
        """
        vectors, A = self._new(1, item_features, "item_features"), self.interactions_
        M = len(self.item_vectors_)
        self.item_vectors_ = np.concatenate([self.item_vectors_, vectors])
        self.interactions_ = A._replace(shape=(A.shape[0], M + len(vectors)))
        return np.arange(M, M + len(vectors))

    def save(self, path):
        """Write the model to a file.  Raises ValueError if it is not fitted, OSError if it cannot be written.

        callback, verbose and random_state are not kept; the matrix is, for what a user has seen.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        parameters = {name: value for name, value in self.get_params().items()
                      if name not in ("callback", "verbose", "random_state")}
        A = self.interactions_
        arrays = dict(indptr=A.indptr, indices=A.indices, data=A.data, users=self.user_vectors_,
                      items=self.item_vectors_)
        arrays.update(packed(self._weights[0], "user"), **packed(self._weights[1], "item"))
        storage.save(path, KIND, arrays, dict(parameters=parameters, history=self.loss_history_, own=self._own,
                                              by_history=self._by_history))

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
            model = cls(**rest["parameters"])
            model._checked()
            return model._restored(arrays, rest)
        except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"{path}: expected a fitted model, but {error!r}") from None

    # --- pieces

    def _restored(self, arrays, rest):
        u, v = (finite(in_kind(arrays[name], np.float32, 2), name) for name in ("users", "items"))
        A = known_entries(Rows(arrays["indptr"], arrays["indices"], arrays["data"], (len(u), len(v))), name="matrix")
        weights = [unpacked(arrays, side) for side in ("user", "item")]
        own = [whole_number(n, "own") for n in rest["own"]]
        if len(own) != 2 or {u.shape[1], v.shape[1]} != {one.width for one in weights} or \
                any(len(one.E) < n for one, n in zip(weights, own)) or own[1] > len(v) or \
                own[0] != (own[1] if true_or_false(rest["by_history"], "by_history") else len(u)):
            raise ValueError("vectors, tables and numbers of users and items that do not fit together")
        history = [real_number(one, "history") for one in rest["history"]]
        vars(self).update(user_vectors_=u, item_vectors_=v, interactions_=A, loss_history_=history, _weights=weights,
                          _own=own, _by_history=rest["by_history"])
        return self

    def _best(self, vectors, known, n, index=None):
        M = len(self.item_vectors_)
        if whole_number(n, "n") > M:
            raise ValueError(f"n={n}: there are only {M} items; lower n")
        if index is not None:
            return best_by_index(index, vectors, self.item_vectors_, known, n)
        return best_of_all(vectors, self.item_vectors_, np.arange(len(vectors)), known, n)

    def _new(self, side, features, name):
        self._check_fitted()
        X = self._features(side, features, name)
        first = self._own[side]
        return directions(self._weights[side].outputs(X._replace(indices=X.indices + np.int32(first)))[-1])

    def _features(self, side, features, name):
        width = len(self._weights[side].E) - self._own[side]
        if not width:
            raise ValueError(f"{name}: this model was fitted without, so it has no place for what is known by features "
                             "alone")
        if features is None:
            raise ValueError(f"{name}: expected what they are like, in the {width} columns of fit, got None")
        X = in_float32(features, name, fitted=True)
        if X.shape[1] != width:
            raise ValueError(f"{name}: expected the {width} columns of fit, got {X.shape[1]}")
        return X

    def _checked(self):
        for name in ("epochs", "batch_size"):
            whole_number(getattr(self, name), name)
        whole_number(self.mixed_negatives, "mixed_negatives", least=0)
        true_or_false(self.log_q, "log_q")
        true_or_false(self.history, "history")
        if not 0 <= real_number(self.dropout, "dropout") < 1:
            raise ValueError(f"dropout={self.dropout!r}: expected a number of at least 0 and below 1")
        if not isinstance(self.hidden, (tuple, list)):
            raise ValueError(f"hidden={self.hidden!r}: expected the sizes of layers, such as (64,), or ()")
        hidden = tuple(whole_number(size, "hidden") for size in self.hidden)
        one_of(self.loss, "loss", ("softmax", "bpr"))
        real_number(self.learning_rate, "learning_rate", above=0)
        if self.loss == "bpr" and self.mixed_negatives:
            raise ValueError(f"mixed_negatives={self.mixed_negatives}: bpr draws one wrong answer a pair; set 0")
        τ = real_number(self.temperature, "temperature", least=COLDEST)
        return whole_number(self.factors, "factors"), τ, hidden


# --- a step of training --------------------------------------------------------------------------


class _Histories(NamedTuple):
    """What users have, their features, if any, and how much of a history is left out."""
    A: Rows
    features: Rows | None
    dropout: float

    def queries(self, users, items, rng):
        """G of users, each without the item that is asked for, and with a part of the others."""
        G = history(thinned(some_rows(self.A, users), self.dropout, rng), items)
        return G if self.features is None else side_by_side(G, some_rows(self.features, users))


class _Step:
    """A step of training on the pairs of a batch; returns the loss."""

    def __init__(self, towers, A, τ, lr, loss, log_q, more, histories=None):
        self.towers, self.τ, self.lr, self.loss, self.more, self.t = towers, τ, lr, loss, more, 0
        self.M, self.log_q, self.histories = A.shape[1], log_q, histories
        self.share = np.bincount(A.indices, minlength=self.M) / A.indices.size
        self.scores = np.zeros(0, np.float32)

    def __call__(self, users, items, rng):
        self.t += 1
        by_user, by_item = self.towers
        if self.loss == "bpr":
            other = rng.integers(self.M, size=len(items))
        else:
            other = rng.integers(self.M, size=self.more)
        Gu = self.histories.queries(users, items, rng) if self.histories else some_rows(by_user.G, users)
        Gv = some_rows(by_item.G, np.concatenate([items, other]))
        u, v = by_user.weights.outputs(Gu), by_item.weights.outputs(Gv)
        (û, over_u), (v̂, over_v) = _units(u[-1]), _units(v[-1])
        loss, gu, gv = self.pairwise(û, v̂) if self.loss == "bpr" else self.softmax(û, v̂, items, other)
        by_user.descend(Gu, u, _through(gu, û, over_u), self.t, self.lr)
        by_item.descend(Gv, v, _through(gv, v̂, over_v), self.t, self.lr)
        return loss

    def softmax(self, û, v̂, items, other):
        B, C = len(û), len(v̂)
        if self.scores.size < B * C:
            self.scores = np.empty(B * C, np.float32)
        S = np.matmul(û, v̂.T, out=self.scores[:B * C].reshape(B, C))
        candidates = np.concatenate([items, other]).astype(np.int64)
        shift = np.zeros(C)
        if self.log_q:
            shift = np.log(mixed_frequency(self.share, B, len(other))[candidates])
        loss = loss_into_gradient(S, 1 / self.τ, shift, items.astype(np.int64), candidates)
        return loss, S @ v̂, S.T @ û

    def pairwise(self, û, v̂):
        B = len(û)
        x = np.einsum("bf,bf->b", û, v̂[:B] - v̂[B:]) / np.float32(self.τ)
        g = (-1 / (1 + np.exp(x)) / (B * self.τ)).astype(np.float32)[:, None]
        return float(np.logaddexp(0,
                                  -x.astype(np.float64)).mean()), g * (v̂[:B] - v̂[B:]), np.concatenate([g * û, -g * û])


def _units(u):
    """û and 1 / ‖u‖, 0 for a zero vector."""
    lengths = np.sqrt(np.einsum("bf,bf->b", u, u))[:, None]
    over = np.where(lengths > 0, 1 / np.where(lengths > 0, lengths, 1), 0)
    return u * over, over


def _through(g, û, over):
    """`unit_gradient` from what `_units` returned."""
    return (g - np.einsum("bf,bf->b", g, û)[:, None] * û) * over
