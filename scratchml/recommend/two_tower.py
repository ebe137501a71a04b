"""Two towers: a vector for each user and one for each item, trained to tell the item that was taken from others.

For a hundred million items there is no time to look at each.  But if users and items are vectors, the best items for a
user are his nearest, and those an index finds.  So each side is a tower of its own that ends in a vector: here the sum
of a vector for who or what it is, and of one for each of its features (1).  The score is the cosine, sharpened by a
temperature (2), and the loss that of `sampled_softmax`, over the items of a batch.  A user or an item that is new has no
vector of its own yet, but if it has features, it has a place.

Symbols
    N, K, F   users or items; what they may have: themselves, and features; the length of a vector
    G  (N, K)  what each has, as sparse rows: 1 for itself, and values of features
    E  (K, F)  the table of vectors that is learned
    u, v  (B, F), (C, F)  vectors of users and of items
    τ         temperature

Equations
    (1)  u_n = Σ_k G_nk E_k                                                              tower
    (2)  s_ij = u_i·v_j / (τ ‖u_i‖ ‖v_j‖), 0 where a length is                           scaled_cosine

Choices
    A pair of the matrix is a sample, whatever its value; an epoch reads each once, in random order.
    ln q is subtracted by default, q from how often an item is in the data.  Without, the popular items are pushed down
    for being popular: `log_q=False` is there to be looked at.  loss="bpr" has one wrong answer a pair, drawn uniformly.
    The optimiser is Adam, but only on rows that a batch has touched: the moments of the others stand still.  It is lazy
    Adam, and Adam itself where all rows are touched in each step.  Everything is float32.
    Users who have nothing keep the vector that they began with; `recommend` shows them nothing.

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
3; X. Yi et al., "Sampling-bias-corrected neural modeling for large corpus item recommendations", RecSys 2019, section 3.
"""
import numpy as np

from scratchml.core.checks import finite, held_in, one_of, real_number, safe_to_square, true_or_false, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.jit import kernel
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.sparse import Rows, is_one, known_entries, numbers_in_range, some_rows, warn_of_zeros
from scratchml.nn.bags import bag
from scratchml.recommend.best_items import best_of_all, directions, nothing
from scratchml.recommend.content import _features, beside
from scratchml.recommend.sampled_softmax import loss_into_gradient, mixed_frequency

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8                 # Adam's, as in its paper
FARTHEST = 1e15                                          # the greatest number in a vector; float32 holds squares up to 1e38
COLDEST = 1e-3                                           # the least temperature; e^(1/τ) is far beyond float32 below it


def tower(G, E):
    """(1)  u_n = Σ_k G_nk E_k

    Shapes: G (N, K), E (K, F) -> (N, F)
    """
    return bag(G, E)


def scaled_cosine(u, v, τ):
    """(2)  s_ij = u_i·v_j / (τ ‖u_i‖ ‖v_j‖), 0 where a length is

    Shapes: u (B, F), v (C, F), τ -> (B, C)
    """
    return directions(u) @ directions(v).T / τ


class TwoTower(Estimator):
    """Vectors of users and items whose cosines say what goes with whom: (1) and (2), trained by `sampled_softmax`.

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
                 log_q=True, mixed_negatives=0, random_state=None, verbose=0, callback=None):
        self.factors = factors
        self.temperature = temperature
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.loss = loss
        self.log_q = log_q
        self.mixed_negatives = mixed_negatives
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
        F, τ = self._checked()
        A = known_entries(matrix, name="matrix", dtype=np.float64)
        if not A.indices.size:
            raise ValueError(f"matrix: expected at least one known entry, got none in shape {A.shape}")
        sides = [_side(n, features, name) for n, features, name in (
            (A.shape[0], user_features, "user_features"), (A.shape[1], item_features, "item_features"))]
        warn_of_zeros(matrix, A, "matrix")
        rng = generator(self.random_state)
        towers = [_Tower(G, F, rng) for G in sides]
        users = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
        step = _Step(towers, A, τ, float(self.learning_rate), self.loss, bool(self.log_q), int(self.mixed_negatives))
        history = []
        for epoch in range(1, int(self.epochs) + 1):
            order, losses = rng.permutation(A.indices.size), []
            with np.errstate(over="ignore", invalid="ignore"):           # it is looked for below
                for start in range(0, len(order), int(self.batch_size)):
                    some = order[start:start + int(self.batch_size)]
                    losses.append(step(users[some], A.indices[some], rng) * len(some))
            history.append(float(sum(losses) / len(order)))
            if not (np.isfinite(history[-1]) and all(np.abs(one.E).max() < FARTHEST for one in towers)):
                raise ValueError(f"learning_rate={self.learning_rate!r}: the vectors have left the range of float32 in epoch "
                                 f"{epoch}; lower it")
            vectors = [directions(one.vectors(np.arange(one.G.shape[0]))) for one in towers]
            vars(self).update(user_vectors_=vectors[0], item_vectors_=vectors[1], loss_history_=list(history),
                              interactions_=A, _tables=[one.E.copy() for one in towers],
                              _widths=[one.G.shape for one in towers])
            if report(self, epoch, history[-1]):
                break
        return self

    def recommend(self, users, n=10, exclude_seen=True):
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
        """
        self._check_fitted()
        A = self.interactions_
        single, rows = is_one(users), numbers_in_range(users, A.shape[0], "users")
        known = some_rows(A, rows) if true_or_false(exclude_seen, "exclude_seen") else nothing((len(rows), A.shape[1]))
        items, scores = self._best(self.user_vectors_[rows], known, n)
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

    def new_users(self, user_features):
        """Vectors (S, F) of users who are known by features alone, for `recommend_for`.

        Raises ValueError for features that are not those of `fit`.

        Parameters
        ----------
        user_features : array, Rows or sparse matrix (S, W)
            What they are like, in the columns of `fit`.
        """
        return self._new(0, user_features, "user_features")

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

    # --- pieces

    def _best(self, vectors, known, n):
        M = len(self.item_vectors_)
        if whole_number(n, "n") > M:
            raise ValueError(f"n={n}: there are only {M} items; lower n")
        return best_of_all(vectors, self.item_vectors_, np.arange(len(vectors)), known, n)

    def _new(self, side, features, name):
        self._check_fitted()
        (n, width), E = self._widths[side], self._tables[side]
        if width == n:
            raise ValueError(f"{name}: this model was fitted without, so it has no place for what is known by features alone")
        X = _in_float32(features, name, fitted=True)
        if X.shape[1] != width - n:
            raise ValueError(f"{name}: expected the {width - n} columns of fit, got {X.shape[1]}")
        return directions(tower(X, E[n:]))

    def _checked(self):
        for name in ("epochs", "batch_size"):
            whole_number(getattr(self, name), name)
        whole_number(self.mixed_negatives, "mixed_negatives", least=0)
        true_or_false(self.log_q, "log_q")
        one_of(self.loss, "loss", ("softmax", "bpr"))
        real_number(self.learning_rate, "learning_rate", above=0)
        if self.loss == "bpr" and self.mixed_negatives:
            raise ValueError(f"mixed_negatives={self.mixed_negatives}: bpr draws one wrong answer a pair; set 0")
        return whole_number(self.factors, "factors"), real_number(self.temperature, "temperature", least=COLDEST)


# --- a step of training --------------------------------------------------------------------------


def _side(n, features, name):
    """G of n users or items: themselves, and their features beside."""
    own = Rows(np.arange(n + 1, dtype=np.int64), np.arange(n, dtype=np.int32), np.ones(n), (n, n))
    if features is not None:
        X = _in_float32(features, name)
        if X.shape[0] != n:
            raise ValueError(f"{name}: expected a row for each of {n}, got {X.shape[0]}")
        own = beside(own, X)
    return own._replace(data=own.data.astype(np.float32))


def _in_float32(features, name, fitted=False):
    """Features as Rows of numbers that float32 can hold and square.  Raises ValueError."""
    X = _features(features, name)
    safe_to_square(X.data, name, work=np.dtype(np.float32), fitted=fitted)
    return X._replace(data=X.data.astype(np.float32))


class _Tower:
    """G and the table E, with the moments of its gradients and the gradient of a step, 0 between steps."""

    def __init__(self, G, F, rng):
        self.G, self.E = G, rng.standard_normal((G.shape[1], F), np.float32) / np.float32(F) ** np.float32(0.5)
        self.m, self.s, self.gradient = (np.zeros_like(self.E) for _ in range(3))
        self.touched, self.when = np.empty(G.shape[1], np.int64), np.zeros(G.shape[1], np.int64)

    def vectors(self, rows):
        return tower(some_rows(self.G, rows), self.E)

    def descend(self, parts, t, lr):
        """Step t of lazy Adam, for `parts` of rows and the gradients (n, F) of their vectors."""
        count = 0
        for rows, g in parts:
            count = _spread(some_rows(self.G, rows), g, self.gradient, self.touched, self.when, count, t)
        length = lr / (1 - BETA1 ** t) * (1 - BETA2 ** t) ** 0.5
        _lazy_adam(self.touched[:count], self.gradient, self.E, self.m, self.s, np.float32(length),
                   np.float32(EPSILON * (1 - BETA2 ** t) ** 0.5))


class _Step:
    """A step of training on the pairs of a batch; returns the loss."""

    def __init__(self, towers, A, τ, lr, loss, log_q, more):
        self.towers, self.τ, self.lr, self.loss, self.more, self.t = towers, τ, lr, loss, more, 0
        self.M, self.log_q = A.shape[1], log_q
        self.share = np.bincount(A.indices, minlength=self.M) / A.indices.size
        self.scores = np.zeros(0, np.float32)

    def __call__(self, users, items, rng):
        self.t += 1
        by_user, by_item = self.towers
        if self.loss == "bpr":
            other = rng.integers(self.M, size=len(items))
        else:
            other = rng.integers(self.M, size=self.more)
        u, v = by_user.vectors(users), by_item.vectors(np.concatenate([items, other]))
        (û, over_u), (v̂, over_v) = _units(u), _units(v)
        loss, gu, gv = self.pairwise(û, v̂) if self.loss == "bpr" else self.softmax(û, v̂, items, other)
        by_user.descend([(users, _through(gu, û, over_u))], self.t, self.lr)
        by_item.descend([(np.concatenate([items, other]), _through(gv, v̂, over_v))], self.t, self.lr)
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
        return float(np.logaddexp(0, -x.astype(np.float64)).mean()), g * (v̂[:B] - v̂[B:]), np.concatenate([g * û, -g * û])


def _units(u):
    """û and 1 / ‖u‖, 0 for a zero vector."""
    lengths = np.sqrt(np.einsum("bf,bf->b", u, u))[:, None]
    over = np.where(lengths > 0, 1 / np.where(lengths > 0, lengths, 1), 0)
    return u * over, over


def _through(g, û, over):
    """`unit_gradient` from what `_units` returned."""
    return (g - np.einsum("bf,bf->b", g, û)[:, None] * û) * over


# --- compiled ------------------------------------------------------------------------------------


@kernel(contract=True)
def _spread(G, g, gradient, touched, when, count, t):
    """Σ_n G_nk g_n added to the rows of `gradient` (K, F), which are listed once each in `touched`; how many there are."""
    for n in range(G.indptr.size - 1):
        row = g[n]
        for e in range(G.indptr[n], G.indptr[n + 1]):
            k, value = G.indices[e], G.data[e]
            if when[k] != t:
                when[k], touched[count] = t, k
                count += 1
            out = gradient[k]
            for f in range(row.size):
                out[f] += value * row[f]
    return count


@kernel(contract=True)
def _lazy_adam(touched, gradient, E, m, s, length, least):
    """A step of Adam on the rows that are touched, with its corrections in `length` and `least`; their gradient becomes 0."""
    keep_m, keep_s, new_m, new_s = np.float32(BETA1), np.float32(BETA2), np.float32(1 - BETA1), np.float32(1 - BETA2)
    for i in range(touched.size):
        k = touched[i]
        for f in range(E.shape[1]):
            g = gradient[k, f]
            m[k, f] = keep_m * m[k, f] + new_m * g
            s[k, f] = keep_s * s[k, f] + new_s * g * g
            E[k, f] -= length * m[k, f] / (np.sqrt(s[k, f]) + least)
            gradient[k, f] = 0
