"""Keep something back: what a recommender is judged by, it must not have seen.

Every user's known entries are parted: most are for learning, some are kept for the test.  Which?  Any, drawn at
random, a share of each user's (1): that asks whether the recommender can fill gaps.  Or the last few (2): that asks
whether it can say what comes next, which is harder, and nearer to its use.  Nothing leaks as long as no entry is on
both sides, each entry comes once, and what is in the test is not earlier than what is learned from (3).

Symbols
    A  (U, M)  what is known, as sparse rows, P entries in all
    c  (U,)    how many entries each user has
    θ          the share to be held out
    n          the number to be held out
    h  (U,)    how many are held out of each user's
    t  (P,)    when each entry came about
    z  (P,)    random numbers, no two of them equal
    x  (P,)    whether an entry is held out
    [ ]        1 where the statement holds, else 0

Equations
    (1)  h_u = max(0, min(⌊θ c_u + 1/2⌋, c_u - 1))                                          share_of_each
    (2)  h_u = max(0, min(n, c_u - 1))                                                      number_of_each
    (3)  x_e = [Σ_f [t_f > t_e or t_f = t_e and z_f > z_e] < h_u], f and e of user u        held_out

Choices
    Every user keeps at least one entry to learn from; who has but one is not in the test, and metrics leave him out.
    Of entries with equal times, chance (z) says which is later: in the order of a file, or by the number of the item,
    those that are held out would be of a kind.  A random split is the case in which all times are equal.
    Order counts for each user alone: others may have gone on after his last entries.  That is how a recommender is
    trained in use, for users who come at different times.

Cost
    O(P log P) time, O(P) memory.

>>> from scratchml.core.sparse import dense
>>> bought = known_entries(np.array([[1, 2, np.nan, 4], [np.nan, 5, 6, np.nan]]))
>>> train, test = leave_last_out(bought, times=[30, 10, 20, 7, 8])
>>> dense(test).tolist()
[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 6.0, 0.0]]
>>> train.data.tolist()
[2.0, 4.0, 5.0]

Source: P. Cremonesi, Y. Koren and R. Turrin, "Performance of recommender algorithms on top-N recommendation tasks",
RecSys 2010, section 3, for held-out entries; S. Rendle, C. Freudenthaler and L. Schmidt-Thieme, "Factorizing
personalized Markov chains for next-basket recommendation", WWW 2010, section 6, for the last ones.
"""
import re
import warnings
from collections.abc import Iterator, MappingView
from datetime import datetime
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_vector, is_missing, real_number, unmasked, whole_number
from scratchml.core.random import generator
from scratchml.core.sparse import Rows, known_entries, warn_of_zeros


class Split(NamedTuple):
    """Two matrices of one shape (U, M), each entry in one of them."""
    train: Rows
    test: Rows


# --- how many, and which -------------------------------------------------------------------------


def share_of_each(c, share):
    """(1)  h_u = max(0, min(⌊θ c_u + 1/2⌋, c_u - 1))

    Shapes: c (U), θ -> (U)
    """
    return np.maximum(0, np.minimum(np.floor(share * c + 0.5).astype(np.int64), c - 1))


def number_of_each(c, number):
    """(2)  h_u = max(0, min(n, c_u - 1))

    Shapes: c (U), n -> (U)
    """
    return np.maximum(0, np.minimum(number, c - 1))


def held_out(A, h, t, z):
    """(3)  x_e = [Σ_f [t_f > t_e or t_f = t_e and z_f > z_e] < h_u], f and e of user u

    Shapes: A (U, M), h (U), t (P), z (P) -> (P)
    """
    users = np.repeat(np.arange(len(h)), np.diff(A.indptr))
    order = np.lexsort((z, t, users))
    later = np.empty(len(order), np.int64)
    later[order] = A.indptr[users + 1] - 1 - np.arange(len(order))      # users come in order before and after
    return later < h[users]


# --- splits --------------------------------------------------------------------------------------


def random_split(matrix, test_size=0.2, *, random_state=None):
    """Hold out a share of each user's known entries, drawn at random: a `Split`.

    Raises ValueError for other arguments, and for an entry that comes twice, which could be on both sides.

    >>> train, test = random_split(np.ones((3, 10)), 0.25, random_state=0)
    >>> np.diff(train.indptr).tolist(), np.diff(test.indptr).tolist()
    ([7, 7, 7], [3, 3, 3])

    Parameters
    ----------
    matrix : array (U, M), Rows, sparse matrix (U, M) or Table
        What users have; in an array NaN stands for what is not known.  A Table is what `read_table` makes of ids.
    test_size : float, default=0.2
        The share, between 0 and 1.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    matrix = matrix.matrix if _is_of_ids(matrix) else matrix
    A = known_entries(matrix, name="matrix")
    warn_of_zeros(matrix, A, "matrix")
    share = real_number(test_size, "test_size", above=0)
    if share >= 1:
        raise ValueError(f"test_size={test_size!r}: expected a share below 1, which leaves something to learn from")
    return _split(A, share_of_each(np.diff(A.indptr), share), np.zeros(len(A.data)), random_state)


def leave_last_out(matrix, times=None, n=1, *, random_state=None):
    """Hold out the last known entries of each user: a `Split`.

    From a table of users, items, values and times: leave_last_out(read_table(users, items, values, times)), whatever
    the ids are.  Or scipy.sparse.coo_matrix((values, (users, items))) is the matrix, and the times are in its own
    order, that of the table.  Times in another order cannot be told from right ones; but where all users seem to have
    taken all items in the order of their numbers, a warning says so.
    Raises ValueError as `random_split` does, if there are not as many times as entries, and for times that cannot be
    compared, as with and without a time zone.

    Parameters
    ----------
    matrix : array (U, M), Rows, CSR or COO matrix (U, M), or Table
        What users have; in an array NaN stands for what is not known.  A Table, of `read_table`, has its times.
    times : array (P,) of numbers, dates, times, spans of time or ISO text, or None, default=None
        When each entry came about, in any unit, in the order in which Rows, CSR and COO hold the entries, and a dense
        array row by row; whole numbers and dates count to the last digit.  None for those of a Table.
    n : int, default=1
        How many entries of a user.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of what is later among equal times.
    """
    of_ids = _is_of_ids(matrix)
    if of_ids:
        if times is not None or matrix.times is None:
            raise ValueError("times: expected those of the table, " + (
                "which read_table takes: pass them to it" if matrix.times is None else "and none beside them"))
        matrix, times = matrix.matrix, matrix.times
    if times is None:
        raise ValueError("times: expected when each entry came about, got None")
    if not hasattr(matrix, "row") and getattr(matrix, "format", "csr") != "csr":
        raise ValueError("matrix: expected Rows, COO, CSR or an array, in whose order times are, got format "
                         f"{matrix.format!r}; call tocsr() first, and sort times as it does")
    A = known_entries(matrix, name="matrix")
    warn_of_zeros(matrix, A, "matrix")
    n = min(whole_number(n, "n"), A.shape[1])            # so many are all, and int64 holds that
    t = ranks(times, len(A.data))
    if hasattr(matrix, "row"):
        t = t[np.lexsort((matrix.col, matrix.row))]      # as `known_entries` has sorted the entries
    elif not of_ids:
        _warn_of_a_table(A, t)
    return _split(A, number_of_each(np.diff(A.indptr), n), t, random_state)


def _is_of_ids(matrix):
    """Whether `matrix` is a Table, of the chapter after this one."""
    return isinstance(matrix, tuple) and hasattr(matrix, "matrix") and hasattr(matrix, "times")


def _warn_of_a_table(A, t):
    """Warn if all users seem to have had their items in the order of the items' numbers, or in its reverse."""
    within = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    within = within[1:] == within[:-1]                   # steps (P-1,) from an entry to the next of the same user
    rises = np.sign(np.diff(t)[within])
    if (rises != 0).sum() >= 20 and len(np.unique(rises[rises != 0])) == 1 and (np.diff(A.indices)[within] > 0).all():
        warnings.warn("times: for every user they rise, or for every user they fall, from entry to entry, as in a "
                      "table that is sorted by time; but these entries are in order of the items.  Sort times "
                      "likewise, times[np.lexsort((items, users))], or pass a COO matrix, in whose own order they may "
                      "be",
                      stacklevel=3)


def ranks(times, size):
    """Numbers in the order of `times` (size,), equal where these are; nanoseconds of our days are beyond float64."""
    times = list(times) if isinstance(times, (Iterator, MappingView)) else unmasked(times, "times")
    try:
        exact = np.asarray(times)
    except ValueError:                                   # rows of different lengths, which as_vector refuses
        return as_vector(times, name="times", size=size)
    if exact.dtype.kind not in "iumMOSU":
        return as_vector(exact, name="times", size=size)
    if exact.shape != (size,):
        raise ValueError(f"times: expected an array of shape ({size},), got shape {exact.shape}")
    if exact.dtype.kind in "OSU":
        exact = _moments(exact.tolist())
    missing = np.isnat(exact) if exact.dtype.kind in "mM" else np.zeros(size, bool)
    if missing.any():
        raise ValueError(f"times: expected dates, got NaT at {missing.argmax()}")
    try:
        return np.unique(exact, return_inverse=True)[1].reshape(-1)
    except TypeError as error:
        raise ValueError(f"times: expected moments of one kind, all with a time zone or all without: "
                         f"{error}") from error


def _moments(times):
    """The objects `times` as an array; in place of a text what it says, with nanoseconds, which `datetime` has not."""
    found = np.empty(len(times), object)
    for e, moment in enumerate(times):
        if is_missing(moment):
            raise ValueError(f"times: expected dates or numbers, got {moment} at {e}")
        try:
            moment = moment.decode() if isinstance(moment, bytes) else moment
            found[e] = _read(moment) if isinstance(moment, str) else moment
        except ValueError:
            raise ValueError(f"times: expected dates, numbers or ISO text such as 2024-01-31T12:00, got {moment!r} at "
                             f"{e}; parse it first, e.g. with pandas.to_datetime") from None
    return found


def _read(text):
    """The number or the moment that `text` stands for.  Raises ValueError."""
    try:
        number = int(text) if text.isdecimal() else float(text)            # nanoseconds of our days are beyond float64
    except ValueError:
        beyond = re.search(r"[.,]\d{6}(\d+)", text)
        return datetime.fromisoformat(text), float(f"0.{beyond[1]}") if beyond else 0.0
    if not np.isfinite(number):
        raise ValueError
    return number


def _split(A, h, t, random_state):
    x = held_out(A, h, t, generator(random_state).permutation(len(t)))
    return Split(_those(A, ~x), _those(A, x))


def _those(A, chosen):
    """The entries of `A` that are `chosen` (P,)."""
    before = np.concatenate([[0], np.cumsum(chosen)])
    return Rows(before[A.indptr], A.indices[chosen], A.data[chosen], A.shape)
