"""Are the lists of a recommender of many kinds, of the kinds that a user likes, and no matter of course?

A list can be right and dull: ten lamps for who has bought a lamp.  How unlike each other its items are is (1), by any
features that items have.  Diversity for its own sake is not the aim, though.  Who buys seven cheap things in ten should
be shown about seven in ten, and (3) is how far a list is from the shares (2) of what the user has had.  And a hit that
everybody could have foretold is worth little: (4) counts a hit by how much higher it stands than popularity puts it.

Symbols
    R  (U, L)  recommended items, the best first, a list a user: R_ui; -1 where a list is over
    X  (M, D)  features of items, of any kind that has directions: words, factors
    A  (U, M)  what users have had, as sparse rows: a_um
    G  (M, C)  how much of an item is of each category, at least 0
    T  (U, M)  what turned out to be wanted, as sparse rows
    p  (U, C)  shares of categories in what a user has had; q those in the list
    w          how much of p is mixed into q
    k          how many places of a list are looked at: i, j = 1 ... k
    M          how many items there are
    h_ui       1 if R_ui is in T_u, else 0
    r_m        the rank of item m by how many users have it in A, from 1

Equations
    (1)  ILD = mean_u mean_{i<j} (1 - x_i·x_j / ‖x_i‖ ‖x_j‖), x_i = X_m of m = R_ui      intra_list_diversity
    (2)  p_uc = Σ_m a_um G_mc / Σ_mc a_um G_mc                                           category_shares
    (3)  C = mean_u Σ_c p_uc ln(p_uc / ((1 - w) q_uc + w p_uc))                          miscalibration
    (4)  serendipity = mean_u Σ_i h_ui max(r_m - i, 0) / (k M), m = R_ui                 serendipity

Choices
    (1) is of lists with two items or more.  An item without features is unlike all others: its cosines are 0.
    (2) of a user who has had nothing are the shares of all users together; so they are where the categories of all that
    he has had are 0.  (3) is of lists with at least one item that has a category, and is 0 only where q = p.  Without w
    a category that the list lacks would make it infinite; with it, a list is at most ln(1 / w) off.
    (4) is of users who want something.  Of items that equally many have, the one with the lower number ranks first.

Cost
    (1): O(U k d) time, d features an item on average: Σ_{i<j} x_i·x_j = (‖Σ_i x_i‖² - Σ_i ‖x_i‖²) / 2 for x of length
    1, so that no pair is ever looked at.  The others: O(U k C + n) for n entries in A.

>>> bands = np.array([[1., 0], [1, 0], [0, 1], [0, 1]])
>>> intra_list_diversity([[0, 1], [0, 2]], bands), category_shares([[0, 1, 2]], bands).round(3).tolist()
(0.5, [[0.667, 0.333]])
>>> round(miscalibration([[0, 1], [0, 2]], [[2, 3], [1, 3]], bands), 6)
2.302585

Sources: B. Smyth and P. McClave, "Similarity vs. diversity", ICCBR 2001, for (1); H. Steck, "Calibrated
recommendations", RecSys 2018, section 3, for (2) and (3); T. Murakami, K. Mori and R. Orihara, "Metrics for evaluating
the serendipity of recommendation lists", JSAI 2007, for (4).
"""
import numpy as np

from scratchml.core.checks import as_matrix, real_number, safe_to_square
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import Rows, known_entries, sparse_rows
from scratchml.metrics.item_lists import check_below, has_shape, listed, read_lists, rows_of, sparse_if_matrix
from scratchml.metrics.ranking import hits, mean_of_judged

CHUNK = 256                                              # lists at a time


def intra_list_diversity(recommended, features, k=None):
    """(1)  ILD = mean_u mean_{i<j} (1 - x_i·x_j / ‖x_i‖ ‖x_j‖), x_i = X_m of m = R_ui

    Raises ValueError for lists as `hits` does, for items that X has not, and where no list has two items.

    Shapes: R (U, L), X (M, D), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Item numbers of each user, the best first, as in `hits`.
    features : array, Rows or sparse matrix (M, D)
        What items are like.
    k : int or None, default=None
        How many places of a list to look at; None for all L.
    """
    R, X = read_lists(recommended, k), unit_rows(features)
    check_below(R, X.shape[0])
    counts = (R >= 0).sum(axis=1)
    if counts.max() < 2:
        raise ValueError("recommended: expected a list with at least two items, got none")
    unlike = np.zeros(len(R))
    run_chunks(_unlike, len(R), R.astype(np.int64), X, unlike, chunk=CHUNK)
    return float(unlike[counts > 1].mean())


def category_shares(interactions, categories):
    """(2)  p_uc = Σ_m a_um G_mc / Σ_mc a_um G_mc

    Raises ValueError for numbers below 0, for items that G has not, and where there is no share at all.

    Shapes: A (U, M), G (M, C) -> (U, C)

    Parameters
    ----------
    interactions : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What users have had, as `relevant` in `hits`; the values are how much of it.
    categories : array (M, C)
        How much of each item is of each category: a 1 in a row, or shares.
    """
    A, G = _taken(interactions, None), check_categories(categories)
    _check_items(A, len(G))
    return _shares(A, G)


def miscalibration(recommended, interactions, categories, k=None, *, alpha=0.01):
    """(3)  C = mean_u Σ_c p_uc ln(p_uc / ((1 - w) q_uc + w p_uc))

    Raises ValueError as `hits` and `category_shares` do, and if alpha is not between 0 and 1.

    Shapes: R (U, L), A (U, M), G (M, C), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Item numbers of each user, the best first, as in `hits`.
    interactions : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What the same users have had, as in `category_shares`.
    categories : array (M, C)
        How much of each item is of each category.
    k : int or None, default=None
        How many places of a list to look at; None for all L.
    alpha : float, default=0.01
        w, how much of a user's own shares is mixed into those of the list.
    """
    if not 0 < real_number(alpha, "alpha") < 1:
        raise ValueError(f"alpha={alpha!r}: expected a number between 0 and 1")
    R, G = read_lists(recommended, k), check_categories(categories)
    check_below(R, len(G))
    A = _taken(interactions, R)
    _check_items(A, len(G))
    if A.shape[0] != len(R):
        raise ValueError(f"recommended and interactions: expected the same number of users, got {len(R)} and "
                         f"{A.shape[0]}")
    of_list = np.where(R[:, :, None] >= 0, G[np.maximum(R, 0)], 0).sum(axis=1)           # (U, C)
    some = of_list.any(axis=1)
    if not some.any():
        raise ValueError("recommended: expected at least one item with a category, got none")
    p, q = _shares(A, G)[some], of_list[some] / of_list[some].sum(axis=1, keepdims=True)
    return float(divergence(p, q, float(alpha)).mean())


def divergence(p, q, w):
    """Σ_c p_c ln(p_c / ((1 - w) q_c + w p_c)) of shares p and q (..., C); a share of 0 adds nothing."""
    mixed = np.where(p > 0, (1 - w) * q + w * p, 1)
    return (p * np.log(np.where(p > 0, p, 1) / mixed)).sum(axis=-1)


def serendipity(recommended, relevant, interactions, k=None, *, n_items=None, per_user=False):
    """(4)  serendipity = mean_u Σ_i h_ui max(r_m - i, 0) / (k M), m = R_ui

    Errors are those of `precision_at_k`, and items that are not below M.

    Shapes: R (U, L), T (U, M), A (U, M), k -> ()

    Parameters
    ----------
    recommended : array (U, L) or list of list
        Item numbers of each user, the best first, as in `hits`.
    relevant : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What each user wanted, as in `hits`.
    interactions : list of collections, Rows, sparse matrix (U, M) or array (U, M)
        What users have had, which may be others; it says what is popular.
    k : int or None, default=None
        How many places of a list to look at; None for all L.
    n_items : int or None, default=None
        M; None for the number of columns of `interactions`.
    per_user : bool, default=False
        Whether to return the numbers that the mean is of, one for each user with something relevant.
    """
    R = read_lists(recommended, k)
    A = _taken(interactions, R)
    M = A.shape[1] if n_items is None else n_items
    _check_items(A, M)
    check_below(R, M)
    order = np.argsort(-np.bincount(A.indices, minlength=M), kind="stable")
    rank = np.empty(M)
    rank[order] = np.arange(1, M + 1)
    ahead = np.maximum(rank[R] - np.arange(1, R.shape[1] + 1), 0) / (R.shape[1] * M)     # (U, k)
    return mean_of_judged(lambda judged: (judged.hits * ahead).sum(axis=1), R, relevant, None, per_user)


# --- reading what is given ------------------------------------------------------------------------


def unit_rows(features):
    """`features` (M, D) as Rows of length 1; what has no length stays 0.  Raises ValueError for NaN and infinity."""
    sparse = has_shape(features)
    X = known_entries(features, name="features", dtype=np.float64) if sparse else \
        sparse_rows(as_matrix(features, name="features"))
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    most = np.zeros(X.shape[0])
    np.maximum.at(most, rows, np.abs(X.data))
    data = X.data / np.where(most > 0, most, 1)[rows]    # by the largest first, so that no square is lost
    lengths = np.sqrt(np.bincount(rows, data * data, minlength=X.shape[0]))
    return X._replace(data=data / np.where(lengths > 0, lengths, 1)[rows])


def check_categories(categories):
    """`categories` as an array (M, C) of numbers of at least 0.  Raises ValueError."""
    G = safe_to_square(as_matrix(categories, name="categories"), "categories").astype(np.float64)
    if (G < 0).any():
        raise ValueError(f"categories: expected numbers of at least 0, got {G.min()} for item {G.min(axis=1).argmin()}")
    return G


def _taken(interactions, R):
    """What users have had as Rows, all values at least 0.  R are the lists that they belong to, if there are any."""
    R = np.zeros((1, 1), np.int64) if R is None else R
    interactions = listed(interactions, "interactions")
    A = rows_of(sparse_if_matrix(interactions, "interactions", R), "interactions")
    if A.data.min(initial=0) < 0:
        raise ValueError(f"interactions: expected values of at least 0, got {A.data.min()}")
    return A


def _check_items(A, M):
    if A.indices.max(initial=-1) >= M:
        raise ValueError(f"interactions: expected items below {M}, got {A.indices.max()}")


def _shares(A, G):
    """(2)"""
    users, most = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr)), A.data.max(initial=0)
    a = A.data / (most if most > 0 else 1)               # so that no sum is too large
    p = np.stack([np.bincount(users, a * g[A.indices], minlength=A.shape[0]) for g in G.T], axis=1)
    total = p.sum(axis=1, keepdims=True)
    if not total.any():
        raise ValueError("interactions: nothing that users have had has a category, so there are no shares")
    everybody = p.sum(axis=0) / total.sum()
    return np.where(total > 0, p / np.where(total > 0, total, 1), everybody)


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _unlike(c, start, stop, R, X, unlike):
    """(1) of the lists start ... stop-1, from ‖Σ_i x_i‖², of which a new item adds ‖x‖² + 2 x·Σ.

    The sum of a list is kept in one array (D,), and wiped where its items have been.
    """
    total = np.zeros(X.shape[1])
    for u in range(start, stop):
        products, n = 0.0, 0
        for i in range(R.shape[1]):
            if R[u, i] < 0:
                break
            for e in range(X.indptr[R[u, i]], X.indptr[R[u, i] + 1]):
                products += X.data[e] * total[X.indices[e]]
            for e in range(X.indptr[R[u, i]], X.indptr[R[u, i] + 1]):
                total[X.indices[e]] += X.data[e]
            n += 1
        for i in range(n):
            for e in range(X.indptr[R[u, i]], X.indptr[R[u, i] + 1]):
                total[X.indices[e]] = 0
        if n > 1:
            unlike[u] = 1 - products / (n * (n - 1) / 2)
