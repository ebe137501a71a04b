"""What a thing is, in place of who has it: recommend what is like the things that somebody has, by their descriptions.

Who has bought three red tins may like a red lamp, even if nobody has bought that lamp yet.  Items are vectors of words,
or of anything else that describes them.  A user is the sum of what he has (1), and is shown the items that point in the
same direction (2), or those that answer him as a query (3).  Each score is a sum over words, so it can be said which of
them speak for an item (4).  And an item that came in today, and that no count of purchases knows, has a place at once.

Symbols
    X    (M, V)  what items are like, as sparse rows: x_mw is the weight of word w, or of another feature
    A    (U, M)  what users have, as sparse rows: a_um; what is not known counts as 0
    g            the weight of a value: ln(1 + a), 1, or a itself
    P    (U, V)  profiles
    Y    (M, V)  what items answer to a query, such as weights of BM25, as sparse rows
    p, x  (V,)   one profile and one item

Equations
    (1)  P_uw = Σ_m g(a_um) x_mw                                                         profiles
    (2)  s_um = Σ_w P_uw x_mw / (‖P_u‖ ‖X_m‖), 0 where a length is                       content_scores
    (3)  s_um = Σ_w P_uw y_mw                                                            query_scores
    (4)  c_w = p_w x_w / (‖p‖ ‖x‖), of which the sum is the score                        contributions

Choices
    `ContentBased` gives items the length 1 before (1): a long description has no more say than a short one.  With
    metric="bm25" it takes counts of words; these are what (1) adds up, and their `bm25` is Y in (3).
    Somebody of whom nothing is known is shown nothing, nor is somebody whose items have no features.  Items that no
    word speaks for have the score 0, and come in order of number.
    Several kinds of features can stand `beside` each other, each with a weight: with rows of length 1 in each, a block
    counts by the square of its weight.

Cost
    (1): O(Σ_m d_m) for the items m of a user, d_m features of an item.  (2) and (3): for each word of the profile, the
    items that have it.  A block of users at a time is in memory, 8 (V + M) bytes a user.

>>> from scratchml.recommend.word_weights import Tfidf
>>> names = ["red tin", "red lamp", "blue tin", "green box", "red box"]
>>> words = Tfidf().fit(names)
>>> model = ContentBased().fit(known_entries([[3, 1, np.nan, np.nan, np.nan]]), words.transform(names))
>>> items, scores = model.recommend(0, n=3)
>>> items.tolist(), scores.round(3).tolist()
([4, 2, 3], [0.462, 0.381, 0.0])
>>> why = model.explain(0, 4)
>>> words.get_feature_names_out()[why.features].tolist(), why.contributions.round(3).tolist()
(['red'], [0.462])
>>> model.add_items(words.transform(["red tin box"])).tolist(), model.recommend(0, n=1)[0].tolist()
([5], [5])

Sources: J. Rocchio, "Relevance feedback in information retrieval" (1971), for (1); M. Pazzani and D. Billsus,
"Content-based recommendation systems", The Adaptive Web, LNCS 4321 (2007); S. Robertson and H. Zaragoza, as in
`word_weights`, for (3).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_matrix, one_of, real_number, safe_to_square, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.selection import largest
from scratchml.core.sparse import (
    Rows, is_one, known_entries, numbers_in_range, some_rows, sparse_rows, transposed, warn_of_zeros,
)
from scratchml.metrics.diversity import unit_rows
from scratchml.recommend.best_items import directions
from scratchml.recommend.item_neighbors import _Scorer
from scratchml.recommend.word_weights import check_bm25, odds, saturated

WEIGHTS = {"log1p": np.log1p, "binary": np.ones_like, "linear": np.positive}


class Reasons(NamedTuple):
    """Why an item has its score: the features that speak most for it, and how much of the score is theirs."""
    score: float
    features: np.ndarray                                 # (n,) numbers of columns
    contributions: np.ndarray                            # (n,), falling; those of all features sum up to the score


# --- the equations -------------------------------------------------------------------------------


def profiles(A, X, weight="log1p"):
    """(1)  P_uw = Σ_m g(a_um) x_mw

    `weight` names g: "log1p", "binary" or "linear".

    Shapes: A (U, M), X (M, V) -> (U, V)
    """
    P = np.zeros((A.shape[0], X.shape[1]))
    run_chunks(_add_up_features, len(P), A._replace(data=WEIGHTS[weight](A.data)), X, P, chunk=64)
    return P


def content_scores(P, X):
    """(2)  s_um = Σ_w P_uw x_mw / (‖P_u‖ ‖X_m‖), 0 where a length is

    Shapes: P (U, V), X (M, V) -> (U, M)
    """
    return query_scores(directions(P), unit_rows(X))


def query_scores(P, Y):
    """(3)  s_um = Σ_w P_uw y_mw

    Shapes: P (U, V), Y (M, V) -> (U, M)
    """
    return _products(P, transposed(Y))


def contributions(p, x):
    """(4)  c_w = p_w x_w / (‖p‖ ‖x‖), of which the sum is the score

    Shapes: p (V), x (V) -> (V)
    """
    return directions(p[None])[0] * directions(x[None])[0]


def beside(*blocks, weights=None):
    """Features (M, V) of several kinds side by side, each block (M, V_k) times its weight, as Rows.

    Raises ValueError for blocks of different numbers of items, NaN and infinity, and weights that are no numbers above
    0.

    Parameters
    ----------
    *blocks : array, Rows or sparse matrix (M, V_k)
        One-hot categories, standardised numbers, words.
    weights : list of float or None, default=None
        One for each block; None for 1 each.
    """
    if not blocks:
        raise ValueError("blocks: expected at least one, got none")
    weights = [1.0] * len(blocks) if weights is None else list(weights)
    blocks = [_features(block, f"blocks[{k}]") for k, block in enumerate(blocks)]
    if len(weights) != len(blocks):
        raise ValueError(f"weights: expected one for each of {len(blocks)} blocks, got {len(weights)}")
    M = blocks[0].shape[0]
    if any(block.shape[0] != M for block in blocks):
        raise ValueError(f"blocks: expected the same items in all, got "
                         f"{', '.join(str(block.shape[0]) for block in blocks)}")
    before = np.concatenate([[0], np.cumsum([block.shape[1] for block in blocks])]).tolist()
    items = np.concatenate([np.repeat(np.arange(M), np.diff(block.indptr)) for block in blocks])
    columns = np.concatenate([block.indices + first for block, first in zip(blocks, before)])
    data = np.concatenate([block.data * real_number(weight, f"weights[{k}]", above=0)
                           for k, (block, weight) in enumerate(zip(blocks, weights))])
    order = np.argsort(items, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(items, minlength=M))]).astype(np.int64)
    return Rows(indptr, columns[order].astype(np.int32), data[order], (M, before[-1]))


# --- the recommender -----------------------------------------------------------------------------


class ContentBased(_Scorer):
    """Recommends items like those that a user has, by what is known of the items: (2) with (1), or (3).

    Parameters
    ----------
    weight : {"log1p", "binary", "linear"}, default="log1p"
        g, how much a value of the matrix counts.
    metric : {"cosine", "bm25"}, default="cosine"
        (2) with features of any kind, or (3) with counts of words.
    k1 : float, default=1.2
        The k of `bm25`, if that is the metric.
    b : float, default=0.75
        The b of `bm25`, if that is the metric.

    Attributes
    ----------
    item_features_ : X (M, V), as Rows, of length 1 or counts
    item_answers_ : Y (M, V), as Rows; X itself with metric="cosine"
    interactions_ : the matrix of `fit`, as Rows, with empty columns for items that were added
    """

    def __init__(self, weight="log1p", metric="cosine", k1=1.2, b=0.75):
        self.weight = weight
        self.metric = metric
        self.k1 = k1
        self.b = b

    def fit(self, matrix, item_features):
        """Take what users have and what items are like.  Returns itself.

        Raises ValueError for matrices that are none or do not fit together, counts below 0 with metric="bm25", values
        of the matrix of which g cannot be taken, and bad parameters.

        Parameters
        ----------
        matrix : array (U, M), Rows or sparse matrix (U, M)
            What users have; in an array NaN stands for what is not known.
        item_features : array (M, V), Rows or sparse matrix (M, V)
            What items are like, such as `Tfidf` gives it.
        """
        A = known_entries(matrix, name="matrix", dtype=np.float64)
        one_of(self.weight, "weight", tuple(WEIGHTS))
        one_of(self.metric, "metric", ("cosine", "bm25"))
        _check_values(A, self.weight)
        X = _features(item_features, "item_features")
        if X.shape[0] != A.shape[1]:
            raise ValueError(f"item_features: expected a row for each of {A.shape[1]} items of the matrix, got "
                             f"{X.shape[0]}")
        settings = self.weight, self.metric, self.k1, self.b
        asked, answers, statistics = _answers(X, None, *settings[1:])
        warn_of_zeros(matrix, A, "matrix")
        self.item_features_, self.item_answers_, self.interactions_ = asked, answers, A
        self._settings, self._statistics, self._by_word = settings, statistics, transposed(answers)
        return self

    def add_items(self, item_features):
        """Take items that nobody has yet, and return their numbers (n,): they can be recommended at once.

        Raises ValueError for other features than those of `fit`, and before `fit`.

        Parameters
        ----------
        item_features : array (n, V), Rows or sparse matrix (n, V)
            What they are like, in the columns of `fit`.
        """
        self._check_fitted()
        X, (M, V) = _features(item_features, "item_features"), self.item_features_.shape
        if X.shape[1] != V:
            raise ValueError(f"item_features: expected the {V} columns of fit, got {X.shape[1]}")
        asked, answers, _ = _answers(X, self._statistics, *self._settings[1:])
        A, n = self.interactions_, X.shape[0]
        self.item_features_, self.item_answers_ = (_below(*pair) for pair in ((self.item_features_, asked),
                                                                              (self.item_answers_, answers)))
        self._by_word, self.interactions_ = transposed(self.item_answers_), A._replace(shape=(A.shape[0], M + n))
        return np.arange(M, M + n)

    def profiles(self, matrix):
        """(1) of other users, (S, V), to be handed to `recommend_for`.  Raises ValueError for what is no such matrix.

        Parameters
        ----------
        matrix : array (S, M), Rows or sparse matrix (S, M)
            What they have; in an array NaN stands for what is not known.
        """
        self._check_fitted()
        A, M = known_entries(matrix, name="matrix", dtype=np.float64), self.item_features_.shape[0]
        _check_values(A, self._settings[0])
        if A.shape[1] != M:
            raise ValueError(f"matrix: expected the {M} items of fit and add_items, got shape {A.shape}")
        return profiles(A, self.item_features_, self._settings[0])

    def recommend_for(self, profiles, n=10):
        """Items, int32, and scores, (S, n) each, for anybody or anything that has a profile; (n,) for a single one.

        Raises ValueError for profiles of other features than those of `fit`, and a bad n.

        Parameters
        ----------
        profiles : array (S, V) or (V,)
            What is looked for: of users, of an item, or made by hand.
        n : int, default=10
            How many items.
        """
        self._check_fitted()
        M, V = self.item_features_.shape
        single = np.ndim(profiles) == 1
        P = safe_to_square(as_matrix(np.asarray(profiles)[None] if single else profiles, name="profiles"), "profiles")
        if P.shape[1] != V:
            raise ValueError(f"profiles: expected the {V} features of fit, got shape {P.shape}")
        if whole_number(n, "n") > M:
            raise ValueError(f"n={n}: there are only {M} items; lower n")
        items, scores = largest(self._scores_of(P.astype(np.float64)), n)
        return (items[0], scores[0]) if single else (items, scores)

    def similar_items(self, items, n=10):
        """Other items and their scores, (B, n) each, as if the items were users; (n,) for a single one.

        Where fewer than n are left, items end with -1.  Raises ValueError for unknown items, and a bad n.

        Parameters
        ----------
        items : int or array (B,) of int
            Numbers of items.
        n : int, default=10
            How many items.
        """
        self._check_fitted()
        single, M = is_one(items), self.item_features_.shape[0]
        items = numbers_in_range(items, M, "items")
        if whole_number(n, "n") > M:
            raise ValueError(f"n={n}: there are only {M} items; lower n")
        own = Rows(np.arange(len(items) + 1), items.astype(np.int32), np.ones(len(items)), (len(items), M))
        scores = self._scores_of(profiles(own, self.item_features_, "binary"))
        scores[np.arange(len(items)), items] = -np.inf
        found, scores = largest(scores, n)
        return (found[0], scores[0]) if single else (found, scores)

    def explain(self, user, item, n=10):
        """The features that speak most for an item, `Reasons`; there are fewer than n if the item has fewer.

        Raises ValueError for unknown users and items, and a bad n.

        Parameters
        ----------
        user : int
            Number of a row of the matrix of `fit`.
        item : int
            Number of an item.
        n : int, default=10
            How many features.
        """
        self._check_fitted()
        whole_number(n, "n")
        A, Y = self.interactions_, self.item_answers_
        if not is_one(user) or not is_one(item):
            raise ValueError("user, item: expected one of each; ask for one after the other")
        user, item = numbers_in_range(user, A.shape[0], "user"), numbers_in_range(item, A.shape[1], "item")
        p = self._turned(profiles(some_rows(A, user), self.item_features_, self._settings[0]))[0]
        here = slice(Y.indptr[item[0]], Y.indptr[item[0] + 1])
        features, c = Y.indices[here], p[Y.indices[here]] * Y.data[here]
        order = np.argsort(-c, kind="stable")
        order = order[c[order] != 0][:n]
        return Reasons(float(c.sum()), features[order].astype(np.int64), c[order])

    # --- pieces

    def _scores(self, users):
        A = some_rows(self.interactions_, users)
        P = profiles(A, self.item_features_, self._settings[0])
        s = self._scores_of(P)
        s[~P.any(axis=1)] = -np.inf
        return s

    def _scores_of(self, P):
        return _products(self._turned(P), self._by_word)

    def _turned(self, P):
        return directions(P) if self._settings[1] == "cosine" else P


def _check_values(A, weight):
    safe_to_square(A.data, "matrix")
    if weight == "log1p" and A.data.min(initial=0) < 0:
        raise ValueError(f"matrix: {A.data.min()} has no ln(1 + a) that is a weight; leave out what is below 0, or set "
                         "weight='linear', by which it speaks against an item")


def _answers(X, statistics, metric, k1, b):
    """X and Y of items, and the weights of words and the mean length that Y is made with; None for those of X
    itself."""
    if metric == "cosine":
        unit = unit_rows(X)
        return unit, unit, None
    k, b = check_bm25(k1, b)
    if X.data.min(initial=0) < 0 or X.data.max(initial=0) > 1e100:
        raise ValueError(f"item_features: expected counts of words, at least 0, got {X.data.min()}; metric='cosine' "
                         "takes features of any kind")
    weights, mean = statistics or (odds(X), X.data.sum() / X.shape[0])
    return X, saturated(X, weights, mean, k, b), (weights, mean)


def _features(X, name):
    if isinstance(X, Rows) or hasattr(X, "tocsr"):
        return known_entries(X, name=name, dtype=np.float64)
    return sparse_rows(as_matrix(X, name=name))


def _below(X, more):
    """The rows of `more` (n, V) below those of X (M, V)."""
    return Rows(np.concatenate([X.indptr, X.indptr[-1] + more.indptr[1:]]), np.concatenate([X.indices, more.indices]),
                np.concatenate([X.data, more.data]), (X.shape[0] + more.shape[0], X.shape[1]))


def _products(P, by_word):
    s = np.zeros((len(P), by_word.shape[1]))
    run_chunks(_add_up_items, len(P), np.ascontiguousarray(P, np.float64), by_word, s,
               chunk=max(1, 100_000 // s.shape[1]))
    return s


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _add_up_features(c, start, stop, A, X, P):
    """(1) for the users start ... stop-1, whose rows of P are 0."""
    for u in range(start, stop):
        row = P[u]
        for k in range(A.indptr[u], A.indptr[u + 1]):
            m, a = A.indices[k], A.data[k]
            for j in range(X.indptr[m], X.indptr[m + 1]):
                row[X.indices[j]] += a * X.data[j]


@kernel
def _add_up_items(c, start, stop, P, by_word, s):
    """(3) for the profiles start ... stop-1, word by word of those that they have, in `by_word` (V, M)."""
    for u in range(start, stop):
        row = s[u]
        for w in range(P.shape[1]):
            p = P[u, w]
            if p != 0:
                for j in range(by_word.indptr[w], by_word.indptr[w + 1]):
                    row[by_word.indices[j]] += p * by_word.data[j]
