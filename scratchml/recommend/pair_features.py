"""Pairs in numbers: what a ranker is told about a user and a candidate.

A recommender that made a candidate has looked at one thing: factors, neighbours or words.  Whether somebody takes an
item depends on more.  Is it sold just now?  Is it of the price that he pays?  Does he buy what everybody buys?  Each of
these is a number that is counted out of what is known, and a ranker finds out which of them matter together.

None may know what came later.  What is learned from ends at another time for each user, at his last entry (2), so that
is the present of his pairs: an item is as old as it was then (3), and sales are counted up to then (4).

Symbols
    A     (U, M)  what is known, as sparse rows: P entries a_um
    t     (P,)    when each entry came about, in their order; t_um
    x     (M,)    a number of each item, such as the logarithm of its price
    C     (U, N)  candidates of users; -1 where there are none
    now   (U,)    the last time of each user
    w             a span of time

Equations
    (1)  x̄_u = mean of x_m over the items m of user u, 0 if there are none               user_means
    (2)  now_u = max_m t_um, 0 if there are none                                          last_times
    (3)  a_un = now_u - min_v t_vm, m = C_un                                              ages
    (4)  n_un = how many users v have item m = C_un with now_u - w < t_vm ≤ now_u         sold_before

Choices
    An age below 0 is that of an item which others had after the user's last entry alone; what nobody has is 0 old.
    Windows w are shares of the time from the first entry to the last, so the unit of t does not matter.
    The popularity of an item counts all of its users, as the recommenders do that are fitted to A.

Cost
    (1) and (2) O(P).  (3) O(P + U N), (4) O((P + U N) log P).

>>> A = known_entries([[1, 1, np.nan], [np.nan, 2, 1], [1, np.nan, np.nan]])
>>> user_means(A, np.array([1., 5, 9])).tolist(), last_times(A, np.array([1., 4, 3, 8, 9])).tolist()
([3.0, 7.0, 1.0], [4.0, 8.0, 9.0])
>>> sold_before(A, np.array([1., 4, 3, 8, 9]), np.array([[2, -1], [0, 1], [1, 2]]), w=6).tolist()
[[0, 0], [0, 2], [1, 1]]

Source: H. Steck, L. Baltrunas, E. Elahi, D. Liang, Y. Raimond and J. Basilico, "Deep learning for recommender systems:
a Netflix case study", AI Magazine 42 (2021), for what features beside the pairs themselves are worth.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_matrix, as_vector, real_number, safe_to_square
from scratchml.core.sparse import known_entries, numbers_in_range

WINDOWS = (0.02, 0.04, 0.08)                             # of two years, two weeks to two months


# --- the equations -------------------------------------------------------------------------------


def user_means(A, x):
    """(1)  x̄_u = mean of x_m over the items m of user u, 0 if there are none

    Shapes: A (U, M), x (M) -> (U)
    """
    return np.bincount(_users(A), x[A.indices], A.shape[0]) / np.maximum(np.diff(A.indptr), 1)


def last_times(A, t):
    """(2)  now_u = max_m t_um, 0 if there are none

    Shapes: A (U, M), t (P) -> (U)
    """
    return _extreme(np.maximum, _users(A), t, A.shape[0])


def ages(A, t, C):
    """(3)  a_un = now_u - min_v t_vm, m = C_un

    0 where there is no candidate, or nobody has it.

    Shapes: A (U, M), t (P), C (U, N) -> (U, N)
    """
    return _ages(_extreme(np.minimum, A.indices, t, A.shape[1], fill=np.nan), C, last_times(A, t))


def sold_before(A, t, C, w):
    """(4)  n_un = how many users v have item m = C_un with now_u - w < t_vm ≤ now_u

    Shapes: A (U, M), t (P), C (U, N), w -> (U, N)
    """
    return _sold(*_calendar(A, t), C, last_times(A, t), w)


# --- all together --------------------------------------------------------------------------------


class Facts(NamedTuple):
    """What `features_of_pairs` reads off, counted once: by item, by user, and the times of each item."""
    of_items: dict                                       # (M,) by name
    of_users: dict                                       # (U,) by name
    means: dict                                          # (U,) of the numbers of items, by name
    first: np.ndarray | None                             # (M,) the first time of each item; None without times
    calendar: tuple                                      # as `_calendar` makes it
    windows: tuple                                       # spans of time
    shape: tuple                                         # (U, M)


def facts(matrix, times=None, item_numbers=None, *, names=None, windows=WINDOWS):
    """What is to be known of users and items for their pairs: `Facts`.

    Raises ValueError for what is no such matrix, times or numbers that do not fit it, and windows that are no shares.

    Parameters
    ----------
    matrix : array (U, M), Rows or sparse matrix (U, M)
        What users have; in an array NaN stands for what is not known.
    times : array (P,) or None, default=None
        When each entry came about, as numbers, in the order of the entries.
    item_numbers : array (M, D), dict of arrays (M,) or None, default=None
        Numbers of items that users may have a taste for, such as logarithms of prices.
    names : list of str or None, default=None
        What the columns of item_numbers are called; None for those of a data frame or dict, else "number 0", ....
    windows : tuple of float, default=(0.02, 0.04, 0.08)
        Which spans of time sales are counted in, as shares of the time from the first entry to the last.
    """
    A = known_entries(matrix, name="matrix", dtype=np.float64)
    safe_to_square(A.data, "matrix", fitted=True)
    numbers = _item_numbers(item_numbers, names, A.shape[1])
    users, (U, M) = _users(A), A.shape
    has, had = np.diff(A.indptr), np.bincount(A.indices, minlength=M)
    popular = np.log1p(had)
    of_items = {"users of the item": popular,
                "mean value of the item": np.bincount(A.indices, A.data, M) / np.maximum(had, 1)}
    of_users = {"items of the user": np.log1p(has),
                "mean value of the user": np.bincount(users, A.data, U) / np.maximum(has, 1),
                "mean users of the user's items": user_means(A, popular)}
    means = {}
    for name, x in numbers.items():
        means[name] = user_means(A, x)
        off = x[A.indices] - means[name][users]
        of_items[name] = x
        of_users[f"{name}, mean of the user"] = means[name]
        of_users[f"{name}, spread of the user"] = np.sqrt(np.bincount(users, off * off, U) / np.maximum(has, 1))
    if times is None:
        return Facts(of_items, of_users, means, None, (), (), A.shape)
    t = as_vector(times, name="times", size=A.indices.size).astype(np.float64, copy=False)
    whole = float(np.ptp(t)) if t.size else 0.0
    windows = tuple(whole * real_number(share, "windows", above=0) for share in windows)
    now = last_times(A, t)
    of_users["time from the user's first entry to the last"] = now - _extreme(np.minimum, users, t, U)
    return Facts(of_items, of_users, means, _extreme(np.minimum, A.indices, t, M, fill=np.nan),
                 (*_calendar(A, t), now), windows, A.shape)


def features_of_pairs(facts, users, pool, generators):
    """Features X (K, D) of the K candidates of a pool, user by user, and their names, a list of D.

    Raises ValueError for users that the facts do not have, and a pool that is not of these users, items and generators.

    Parameters
    ----------
    facts : Facts
        As the function of that name makes them.
    users : array (S,) of int
        Whose candidates the pool holds.
    pool : Pool
        Candidates, as `pool_of` makes them.
    generators : list of str
        What the generators are called.
    """
    C, users, generators = pool.items, numbers_in_range(users, facts.shape[0], "users"), list(generators)
    if len(C) != users.size or C.max(initial=-1) >= facts.shape[1] or len(pool.places) != len(generators):
        raise ValueError(f"pool: expected candidates of {users.size} users below item {facts.shape[1]} by "
                         f"{len(generators)} generators, got {len(C)} users, item {C.max(initial=-1)} and "
                         f"{len(pool.places)} generators")
    columns = {"all lists": pool.fused}
    for g, name in enumerate(generators):
        columns[f"{name}: place"], columns[f"{name}: score"] = pool.places[g], pool.scores[g]
    columns.update({name: x[C] for name, x in facts.of_items.items()})
    columns.update({name: np.broadcast_to(x[users, None], C.shape) for name, x in facts.of_users.items()})
    columns.update({f"{name}, off the user's mean": facts.of_items[name][C] - mean[users, None]
                    for name, mean in facts.means.items()})
    if facts.first is not None:
        *calendar, now = facts.calendar
        now = now[users]
        columns["age of the item"] = _ages(facts.first, C, now)
        columns["sold up to now"] = _sold(*calendar, C, now, np.inf)
        for k, w in enumerate(facts.windows):
            columns[f"sold in window {k}"] = _sold(*calendar, C, now, w)
    there = C >= 0
    X = np.empty((int(there.sum()), len(columns)))
    for k, column in enumerate(columns.values()):
        X[:, k] = column[there]
    return X, list(columns)


# --- pieces --------------------------------------------------------------------------------------


def _users(A):
    return np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))


def _extreme(which, groups, t, n, fill=0.0):
    """The least or greatest of t (P,) in each of n groups; `fill` in those that are empty."""
    found = np.full(n, np.inf if which is np.minimum else -np.inf)
    which.at(found, groups, t)
    return np.where(np.isinf(found), fill, found)


def _ages(first, C, now):
    return np.where((C >= 0) & ~np.isnan(first[C]), now[:, None] - first[C], 0)


def _calendar(A, t):
    """The different times in order (D,), and item · (D + 1) + place of its time for each entry, sorted (P,)."""
    different, place = np.unique(t, return_inverse=True)
    return different, np.sort(A.indices.astype(np.int64) * (different.size + 1) + place.reshape(-1))


def _sold(different, entries, C, now, w):
    """How many entries items C (S, N) have in the time w up to now (S,): a difference of places in `entries`."""
    upto, after = (np.searchsorted(different, times, side="right")[:, None] for times in (now, now - w))
    begin = np.maximum(C, 0).astype(np.int64) * (different.size + 1)
    n = np.searchsorted(entries, begin + upto) - np.searchsorted(entries, begin + after)
    return np.where(C >= 0, n, 0)


def _item_numbers(numbers, names, M):
    """Columns (M,) by name."""
    if numbers is None:
        return {}
    if isinstance(numbers, dict):
        return {str(name): safe_to_square(as_vector(x, name=f"item_numbers[{name!r}]", size=M).astype(np.float64),
                                          f"item_numbers[{name!r}]", fitted=True) for name, x in numbers.items()}
    if names is None and hasattr(numbers, "columns"):
        names = list(numbers.columns)
    X = as_matrix(numbers, name="item_numbers").astype(np.float64, copy=False)
    safe_to_square(X, "item_numbers", fitted=True)
    names = [f"number {k}" for k in range(X.shape[1])] if names is None else [str(name) for name in names]
    if X.shape[0] != M or len(set(names)) != X.shape[1]:
        raise ValueError(f"item_numbers: expected a row for each of {M} items and a name for each column, got shape "
                         f"{X.shape} and names {names!r:.60}")
    return dict(zip(names, X.T))
