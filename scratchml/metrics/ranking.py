"""How good is a ranked list?  What was recommended, against what turned out to be wanted.

A recommender shows each user a short list.  Some of the user's choices, which the recommender has not seen, are kept
aside; an item of the list is a hit if it is among them.  Of a list one may ask how much of it is a hit (3), how much of
what was wanted it has (4), whether it has any (5), and whether the hits stand first: (6) to (8) give a hit the less,
the lower it stands.  A recommender that shows everybody the same few best-sellers can do well in all of these, so (9)
and (10) ask how much of the catalogue it ever shows, and how surprising that is.  (11) judges all scores at once: how
often is something wanted placed above something that is not?

Symbols
    S  (U, M)  scores: S_um of item m for user u
    R  (U, L)  recommended items, the best first, a list a user: R_ui; -1 where a list is over
    T  (U, M)  what turned out to be wanted, as sparse rows: T_u are the items that row u holds, t_um the value there
    A  (U, M)  what was known before, as sparse rows
    k          how many places of a list are looked at: i = 1 ... k; of several, each gives a number
    M          how many items there are
    h  (U, k)  hits
    g_ui       gain: h_ui; if graded, t_um of the item m = R_ui, 0 if it is not in T_u
    n_m        how many users have item m in A, of U
    mean_u     the mean over the users with at least one item in T_u
    [ ]        1 where the statement holds, else 0

Equations
    (1)  R_u = the k items with the greatest S_um, from the greatest down            top_k
    (2)  h_ui = [R_ui ∈ T_u]                                                         hits
    (3)  P = mean_u Σ_i h_ui / k                                                     precision_at_k
    (4)  recall = mean_u Σ_i h_ui / |T_u|                                            recall_at_k
    (5)  HR = mean_u max_i h_ui                                                      hit_rate_at_k
    (6)  MAP = mean_u Σ_i h_ui (Σ_{j≤i} h_uj / i) / min(|T_u|, k)                    average_precision_at_k
    (7)  MRR = mean_u max_i h_ui / i                                                 reciprocal_rank_at_k
    (8)  NDCG = mean_u DCG_u / (DCG_u of the best list), DCG_u = Σ_i g_ui / log2(i + 1)    ndcg_at_k
    (9)  coverage = |∪_u {R_ui}| / M                                                 catalogue_coverage
    (10)  novelty = mean of -log2(n_m / U) over all R_ui, m = R_ui                   novelty
    (11)  AUC = mean_u mean_{m ∈ T_u, n ∉ T_u ∪ A_u} ([S_um > S_un] + [S_um = S_un] / 2)    auc

Choices
    Ties: of items with equal scores, the one with the lower number comes first; -inf is never recommended.
    Users for whom nothing is wanted cannot be judged, and do not count in a mean; `per_user=True` gives the numbers
    that the mean is of, a user each, in order.  Nor do users count in (11) for whom all items are wanted or known.
    A list that is over before place k has no hits there: (3) divides by k all the same.  (6) divides by what the best
    list would reach.  (8) counts a hit as 1, and sums values as they are where graded; pass 2^t - 1 for steeper gains.
    (10) is in bits: 0 for an item that everybody has, +inf for one that nobody has.

Cost
    O(U (M + k log k log M)) time for (1), O(U M log M) for (11); O(U k + n) up to a logarithm for all others, with n
    entries in T, whatever the number of k.

>>> lists, wanted = [[4, 2, 0], [1, 3, 2]], [[2], [1, 2, 0]]
>>> precision_at_k(lists, wanted, 2), reciprocal_rank_at_k(lists, wanted)
(0.5, 0.75)
>>> round(average_precision_at_k(lists, wanted), 6), round(ndcg_at_k(lists, wanted), 6)
(0.527778, 0.667424)

Sources: C. Manning, P. Raghavan and H. Schütze, "Introduction to Information Retrieval" (2008), chapter 8, for (3),
(4) and (6); E. Voorhees, "The TREC-8 question answering track report", TREC 1999, for (7); K. Järvelin and
J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM Trans. Information Systems 20 (2002), for (8);
S. Vargas and P. Castells, "Rank and relevance in novelty and diversity metrics for recommender systems", RecSys 2011,
for (10).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_floats, in_order, true_or_false, whole_number
from scratchml.core.selection import largest
from scratchml.core.sparse import is_one
from scratchml.metrics.item_lists import (check_below, has_shape, is_flat, listed, places_in, read_lists, rows_of,
                                          sparse_if_matrix)

# --- lists, and which of their places are hits ---------------------------------------------------


def top_k(scores, k):
    """(1)  R_u = the k items with the greatest S_um, from the greatest down

    The lower number first among equals; -1 where fewer than k items score above -inf.
    Raises ValueError for scores that are no matrix (U, M), or NaN, and for k that is no whole number from 1 to M.

    Shapes: S (U, M), k -> (U, k)

    Parameters
    ----------
    scores : array (U, M)
        How much each user is expected to like each item; -inf for what must not be recommended.
    k : int
        How many items to take.
    """
    S = as_floats(scores, "scores")
    if S.ndim != 2:
        raise ValueError(f"scores: expected a matrix (U, M), got shape {S.shape}")
    if np.isnan(S).any():
        raise ValueError(f"scores: contains NaN, first for user {np.isnan(S).any(axis=1).argmax()}; "
                         "use -inf for what must not be recommended")
    k = places_in(k, S.shape[1], "items")
    return largest(S, k)[0]


def hits(recommended, relevant, k=None):
    """(2)  h_ui = [R_ui ∈ T_u]

    Raises ValueError if the two have different numbers of users, if k is no whole number from 1 to L, for items that
    are no whole numbers or out of range, and for a list that has an item twice; so do all below.

    Shapes: R (U, L), T (U, M), k -> (U, k)

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Item numbers of each user, the best first: an array with -1 after the end of a list, or lists of any lengths.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted: item numbers, or a row whose stored entries are wanted, in an array those that are
        neither 0 nor NaN.  An array of whole numbers is a matrix if it holds but 0 and 1 in three columns or more;
        where it may be both, it is an error.  For one user, both may be flat.
    k : int or None, default=None
        How many places of a list to look at; None for all L.
    """
    return _judged(recommended, relevant, k).hits


# --- means over users ----------------------------------------------------------------------------


def precision_at_k(recommended, relevant, k=None, *, per_user=False):
    """(3)  P = mean_u Σ_i h_ui / k

    Errors are those of `hits`; nothing to judge, no user with anything relevant, is an error too.

    Shapes: R (U, L), T (U, M), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Items of each user, the best first, as in `hits`.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted, as in `hits`.
    k : int, list of int or None, default=None
        How many places of a list to look at; None for all L.  For several there is a result each, in an array.
    per_user : bool, default=False
        Whether to return the numbers that the mean is of, one for each user with something relevant.
    """
    return mean_of_judged(lambda judged: judged.hits.mean(axis=1), recommended, relevant, k, per_user)


def recall_at_k(recommended, relevant, k=None, *, per_user=False):
    """(4)  recall = mean_u Σ_i h_ui / |T_u|

    Errors are those of `precision_at_k`.

    Shapes: R (U, L), T (U, M), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Items of each user, the best first, as in `hits`.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted, as in `hits`.
    k : int, list of int or None, default=None
        How many places of a list to look at; None for all L.  For several there is a result each, in an array.
    per_user : bool, default=False
        Whether to return the numbers that the mean is of, one for each user with something relevant.
    """
    return mean_of_judged(lambda judged: judged.hits.sum(axis=1) / np.maximum(judged.sizes, 1),
                          recommended, relevant, k, per_user)


def hit_rate_at_k(recommended, relevant, k=None, *, per_user=False):
    """(5)  HR = mean_u max_i h_ui

    Errors are those of `precision_at_k`.

    Shapes: R (U, L), T (U, M), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Items of each user, the best first, as in `hits`.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted, as in `hits`.
    k : int, list of int or None, default=None
        How many places of a list to look at; None for all L.  For several there is a result each, in an array.
    per_user : bool, default=False
        Whether to return the numbers that the mean is of, one for each user with something relevant.
    """
    return mean_of_judged(lambda judged: judged.hits.any(axis=1), recommended, relevant, k, per_user)


def average_precision_at_k(recommended, relevant, k=None, *, per_user=False):
    """(6)  MAP = mean_u Σ_i h_ui (Σ_{j≤i} h_uj / i) / min(|T_u|, k)

    Errors are those of `precision_at_k`.

    Shapes: R (U, L), T (U, M), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Items of each user, the best first, as in `hits`.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted, as in `hits`.
    k : int, list of int or None, default=None
        How many places of a list to look at; None for all L.  For several there is a result each, in an array.
    per_user : bool, default=False
        Whether to return the numbers that the mean is of, one for each user with something relevant.
    """
    def score(judged):
        h = judged.hits                                  # (U, k)
        places = np.arange(1, h.shape[1] + 1)
        best = np.clip(judged.sizes, 1, h.shape[1])      # (U,)
        return (h * h.cumsum(axis=1) / places).sum(axis=1) / best
    return mean_of_judged(score, recommended, relevant, k, per_user)


def reciprocal_rank_at_k(recommended, relevant, k=None, *, per_user=False):
    """(7)  MRR = mean_u max_i h_ui / i

    Errors are those of `precision_at_k`.

    Shapes: R (U, L), T (U, M), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Items of each user, the best first, as in `hits`.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted, as in `hits`.
    k : int, list of int or None, default=None
        How many places of a list to look at; None for all L.  For several there is a result each, in an array.
    per_user : bool, default=False
        Whether to return the numbers that the mean is of, one for each user with something relevant.
    """
    return mean_of_judged(lambda judged: (judged.hits / np.arange(1, judged.hits.shape[1] + 1)).max(axis=1),
                          recommended, relevant, k, per_user)


def ndcg_at_k(recommended, relevant, k=None, *, graded=False, per_user=False):
    """(8)  NDCG = mean_u DCG_u / (DCG_u of the best list), DCG_u = Σ_i g_ui / log2(i + 1)

    Errors are those of `precision_at_k`; if `graded`, also gains below 0 or not finite, and lists without any.

    Shapes: R (U, L), T (U, M), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Items of each user, the best first, as in `hits`.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted, as in `hits`.
    k : int, list of int or None, default=None
        How many places of a list to look at; None for all L.  For several there is a result each, in an array.
    graded : bool, default=False
        Whether the values of `relevant`, which then is a matrix, are gains; users whose gains are all 0 do not count.
    per_user : bool, default=False
        Whether to return the numbers that the mean is of, one for each user with something relevant.
    """
    if true_or_false(graded, "graded") and not (has_shape(relevant) or getattr(relevant, "ndim", 0) == 2):
        raise ValueError(f"graded: expected relevant to be Rows or a sparse matrix, or an array (U, M), whose values "
                         f"are the gains, got {type(relevant).__name__}")
    return mean_of_judged(_discounted if graded else lambda judged: _discounted(judged._replace(
        gains=np.ones_like(judged.gains))), recommended, relevant, k, per_user, graded)


def _discounted(judged):
    """(8) of each user, by the gains that are `judged`; NaN for a user whose gains are all 0."""
    users, gain = judged.users, judged.gains             # (n,), in order of users
    if (gain < 0).any():
        raise ValueError(f"relevant: expected gains of at least 0, got {gain.min()} for user {users[gain.argmin()]}")
    U, k = judged.hits.shape
    most = np.zeros(U)
    np.maximum.at(most, users, gain)
    gain = gain / np.where(most > 0, most, 1)[users]     # so that no sum of gains overflows
    discount = 1 / np.log2(np.arange(2, k + 2))
    g = np.where(judged.hits, np.append(gain, 0.0)[judged.entries], 0.0)           # (U, k)
    best = np.lexsort((-gain, users))
    place = np.arange(len(best)) - np.searchsorted(users, users)[best]             # in the best list, from 0
    first = place < k
    ideal = np.bincount(users[best][first], gain[best][first] * discount[place[first]], minlength=U)
    return np.where(most > 0, (g * discount).sum(axis=1) / np.where(ideal > 0, ideal, 1), np.nan)


# --- how much of the catalogue -------------------------------------------------------------------


def catalogue_coverage(recommended, n_items, k=None):
    """(9)  coverage = |∪_u {R_ui}| / M

    Errors are those of `hits`, and an item that is not below M.

    Shapes: R (U, L), M, k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Items of each user, the best first, as in `hits`.
    n_items : int
        M, how many items there are.
    k : int or None, default=None
        How many places of a list to look at; None for all L.
    """
    M = whole_number(n_items, "n_items")
    R = read_lists(recommended, k)
    check_below(R, M)
    return float(np.unique(R[R >= 0]).size / M)


def novelty(recommended, interactions, k=None):
    """(10)  novelty = mean of -log2(n_m / U) over all R_ui, m = R_ui

    Errors are those of `hits`; no recommendation at all is an error, too.

    Shapes: R (U, L), A (U, M), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Items of each user, the best first, as in `hits`.
    interactions : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What users have had, as `relevant` in `hits`; these may be others than the users of the lists.
    k : int or None, default=None
        How many places of a list to look at; None for all L.
    """
    R = read_lists(recommended, k)
    interactions = sparse_if_matrix(listed(interactions, "interactions"), "interactions", R)
    A = rows_of(interactions, "interactions")
    check_below(R, A.shape[1] if has_shape(interactions) else None)
    if not (R >= 0).any():
        raise ValueError("recommended: expected at least one item, got only empty lists")
    P, (_, item) = A.indices.size, np.unique(np.concatenate([A.indices, R[R >= 0]]), return_inverse=True)
    users_of = np.bincount(item[:P], minlength=item.max() + 1)
    with np.errstate(divide="ignore"):                   # an item that nobody has is infinitely new
        return float((np.log2(A.shape[0]) - np.log2(users_of[item[P:]])).mean())


# --- all scores ----------------------------------------------------------------------------------


def auc(scores, relevant, known=None, *, per_user=False):
    """(11)  AUC = mean_u mean_{m ∈ T_u, n ∉ T_u ∪ A_u} ([S_um > S_un] + [S_um = S_un] / 2)

    1/2 for scores that know nothing.
    Errors are those of `top_k` and `precision_at_k`.

    Shapes: S (U, M), T (U, M), A (U, M) -> ()

    Parameters
    ----------
    scores : array (U, M)
        How much each user is expected to like each item; -inf is below all others.  For one user, it may be flat.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted, as in `hits`.
    known : list of collections, Rows, sparse matrix (U, M) or array (U, M), or None, default=None
        What was known before, and is not to be placed; what is wanted is placed all the same.
    per_user : bool, default=False
        Whether to return the numbers that the mean is of, one for each user with items of both kinds.
    """
    S = _scores(scores)
    T = _of_users(relevant, "relevant", S, flat=S.ndim == 1)
    A = T if known is None else _of_users(known, "known", S, flat=S.ndim == 1)
    each, stands = np.full(T.shape[0], np.nan), np.ones(S.shape[-1], bool)
    for u, scores in enumerate(np.atleast_2d(S)):
        wanted, had = (rows.indices[rows.indptr[u]:rows.indptr[u + 1]] for rows in (T, A))
        stands[wanted], stands[had] = False, False
        others = np.sort(scores[stands])                 # once; each wanted one is looked up
        stands[wanted], stands[had] = True, True
        if others.size and wanted.size:
            below, not_above = (np.searchsorted(others, scores[wanted], side) for side in ("left", "right"))
            each[u] = (below + not_above).sum() / (2 * others.size * wanted.size)
    return _mean(each, per_user)


def _scores(scores):
    S = as_floats(scores, "scores")
    if S.ndim not in (1, 2) or not S.size or np.isnan(S).any():
        raise ValueError(f"scores: expected a matrix (U, M) without NaN, got shape {S.shape}")
    return S


def _of_users(collections, name, S, flat):
    """`collections` as Rows that have the items and users of the scores S."""
    M, places = S.shape[-1], np.arange(S.shape[-1])[None]
    rows = rows_of(sparse_if_matrix(listed(collections, name), name, places, flat=flat), name, flat=flat)
    U = 1 if flat else len(S)
    if rows.shape[0] != U:
        raise ValueError(f"scores and {name}: expected the same number of users, got {U} and {rows.shape[0]}")
    if rows.indices.max(initial=-1) >= M:
        raise ValueError(f"{name}: expected items below {M}, got {rows.indices.max()}")
    return rows


# --- lists and what is wanted, side by side -------------------------------------------------------


class _Judged(NamedTuple):
    hits: np.ndarray                                     # (U, k) bool
    entries: np.ndarray                                  # (U, k) which entry of T is hit
    sizes: np.ndarray                                    # (U,) |T_u|
    users: np.ndarray                                    # (n,) the user of each entry of T
    gains: np.ndarray                                    # (n,) and its value


def _judged(recommended, relevant, k, graded=False):
    recommended, relevant = listed(recommended, "recommended"), listed(relevant, "relevant")
    R, flat = read_lists(recommended, k), is_flat(recommended)
    relevant = sparse_if_matrix(relevant, "relevant", R, flat=flat, graded=graded)
    T = rows_of(relevant, "relevant", flat=flat)
    if len(R) != T.shape[0]:
        raise ValueError(f"recommended and relevant: expected the same number of users, got {len(R)} and {T.shape[0]}")
    check_below(R, T.shape[1] if has_shape(relevant) else None)
    users = np.repeat(np.arange(len(R), dtype=np.int64), np.diff(T.indptr))
    M = max(T.shape[1], int(R.max(initial=0)) + 1)
    wanted = users * M + T.indices                       # one number for a user and an item
    order = np.argsort(wanted, kind="stable")
    shown = np.arange(len(R), dtype=np.int64)[:, None] * M + R           # (U, k)
    at = np.searchsorted(wanted[order], shown)
    entries = np.append(order, -1)[at]
    found = (R >= 0) & (np.append(wanted, -1)[entries] == shown)
    return _Judged(found, entries, np.diff(T.indptr), users, T.data)


def mean_of_judged(score, recommended, relevant, k, per_user, graded=False):
    """The mean of `score`, a function of what is judged that gives a number (U,) for each user, or those numbers.

    k are one number of places, or several: then there is a row for each.  A number that is NaN counts for nothing, nor
    does that of a user who wants nothing.
    """
    if k is None or is_one(k):
        judged = _judged(recommended, relevant, k, graded)
        return _mean(np.where(judged.sizes > 0, score(judged), np.nan), per_user)
    if not (ks := [whole_number(one, "k") for one in k] if in_order(k) else []):
        raise ValueError(f"k={k!r}: expected at least one number of places, or a list of them")
    judged = _judged(recommended, relevant, max(ks), graded)
    return np.array([_mean(np.where(judged.sizes > 0, score(judged._replace(
        hits=judged.hits[:, :one], entries=judged.entries[:, :one])), np.nan), per_user) for one in ks])


def _mean(values, per_user):
    """The mean of the values (U,) that are not NaN, or those that it is of."""
    values = values[~np.isnan(values)]
    if not values.size:
        raise ValueError("relevant: nothing is relevant for any user, so there is nothing to judge")
    return values if true_or_false(per_user, "per_user") else float(values.mean())
