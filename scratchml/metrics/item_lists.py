"""Reading what a ranking is judged by: lists of items, one for each user, and collections or matrices of what is
wanted."""
from collections.abc import Iterator, Mapping
from numbers import Real

import numpy as np

from scratchml.core.checks import finite, unmasked, whole_number
from scratchml.core.sparse import Rows, entries_at, known_entries, sparse_rows, whole_numbers


def is_flat(lists):
    """Whether `lists` is one list of items, and not one for each user."""
    if hasattr(lists, "columns"):
        return False
    if hasattr(lists, "ndim") and getattr(lists, "dtype", None) != object:
        return lists.ndim == 1
    return not has_shape(lists) and len(lists) > 0 and not any(hasattr(item, "__len__") for item in lists)


def listed(collections, name):
    """`collections` itself, if it is something that has a length and an order or is a set, and no table of values.

    Iterators, and those in it, are read into lists.
    """
    if isinstance(collections, (Iterator, list)):
        return [list(items) if isinstance(items, Iterator) else items for items in collections]
    if isinstance(collections, (Mapping, str, bytes)) or not hasattr(collections, "__len__") or \
            not getattr(collections, "ndim", 1):
        raise ValueError(f"{name}: expected lists or arrays of item numbers, got {type(collections).__name__}")
    return collections


def sparse_if_matrix(collections, name, R, *, flat=False, graded=False):
    """A matrix (U, M), or the row of one user, in which what is not 0 is wanted, as Rows; all else as it is.

    Lists of items have no item twice, so three columns of 0 and 1 are a matrix.  Raises ValueError for an array that
    may be either.
    """
    table = None if has_shape(collections) else _table(collections, name, flat)
    if table is None or not (graded or _is_matrix(table, name, R, hasattr(collections, "ndim"))):
        return collections
    return sparse_rows(np.nan_to_num(finite(table.astype(np.float64), name, allow_nan=True)))


def _table(collections, name, flat):
    """`collections` as an array (U, W) of numbers, None if they are not one."""
    if hasattr(collections, "ndim"):
        array = np.asarray(unmasked(collections, name))
    elif flat or isinstance(collections, (list, tuple)) and all(isinstance(items, (list, tuple))
                                                                for items in collections):
        try:
            array = np.array(collections)
        except (ValueError, OverflowError):
            return None
    else:
        return None
    if array.dtype == object and all(isinstance(value, Real) for value in array.flat):
        array = np.array(array.tolist())
    array = array[None] if array.ndim == 1 and flat else array
    return array if array.ndim == 2 and array.size and array.dtype.kind in "biuf" else None


def _is_matrix(table, name, R, is_array):
    """Whether the numbers `table` (U, W) are a matrix, and not lists of items."""
    known, W = table[table == table], table.shape[1]
    binary = table.dtype.kind == "b" or ((known == 0) | (known == 1)).all()
    if table.dtype.kind in "bf" and (binary or (known != np.floor(known)).any()) or binary and W > 2:
        return True
    again = (np.diff(np.sort(table, axis=1), axis=1) == 0).any()
    if is_array and W > 1 and (table.dtype.kind == "f" or again or binary and R.max(initial=0) < 2):
        raise ValueError(f"{name}: this array of shape {table.shape} may be lists of item numbers or a matrix of what "
                         f"is wanted; pass {name}.tolist() for lists, scipy.sparse.csr_matrix({name}) for a matrix")
    return False


def has_shape(collections):
    return isinstance(collections, Rows) or hasattr(collections, "tocsr")


def read_lists(recommended, k):
    """The first k places of the lists as an array (U, k), -1 where a list is over."""
    recommended = listed(recommended, "recommended")
    if isinstance(recommended, tuple) and len(recommended) == 2 and _kinds(recommended) == "if":
        raise ValueError("recommended: got items and their scores, as recommend returns them; pass the first of the "
                         "two alone")
    if getattr(recommended, "ndim", 0) == 2:
        R = whole_numbers(np.asarray(unmasked(recommended, "recommended")).ravel(),
                          "recommended").reshape(recommended.shape)
    else:
        lists = [whole_numbers(items, "recommended") for items in
                 ([recommended] if is_flat(recommended) else recommended)]
        R = np.full((len(lists), max(map(len, lists), default=0)), -1)
        for u, items in enumerate(lists):
            R[u, :len(items)] = items
    if not len(R):
        raise ValueError("recommended: expected the list of at least one user, got none")
    if (R < -1).any():
        raise ValueError(f"recommended: expected items from 0, and -1 after the end of a list, got {R.min()} for user "
                         f"{(R < -1).any(axis=1).argmax()}")
    resumes = (R[:, :-1] < 0) & (R[:, 1:] >= 0)
    if resumes.any():
        raise ValueError("recommended: expected -1 only after the end of a list, got an item after it for user "
                         f"{resumes.any(axis=1).argmax()}")
    if R.max(initial=0) >= 2**31 - 1:
        raise ValueError(f"recommended: expected items below 2**31 - 1, got {R.max()}")
    if k is None and not R.shape[1]:
        raise ValueError("recommended: expected lists with at least one place, got only empty ones")
    R = R[:, :R.shape[1] if k is None else places_in(k, R.shape[1], "places in the lists")]
    ordered = np.sort(R, axis=1)
    again = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if again.any():
        u, i = np.argwhere(again)[0]
        raise ValueError(f"recommended: the list of user {u} has item {ordered[u, i]} twice; show an item once")
    return R


def _kinds(arrays):
    """The kinds of numbers in `arrays`, a letter each; a blank for what is no array."""
    return "".join(array.dtype.kind if hasattr(array, "dtype") else " " for array in arrays)


def rows_of(collections, name, flat=False):
    """`collections` as Rows with a column for each item up to the greatest; an item that comes twice counts once."""
    if has_shape(collections):
        return known_entries(collections, name=name)
    sets = [collections] if flat or is_flat(listed(collections, name)) else collections
    sets = [np.unique(whole_numbers(list(listed(items, name)), name)) for items in sets]
    users = np.repeat(np.arange(len(sets)), [len(items) for items in sets])
    items = np.concatenate([np.empty(0, np.int64), *sets])
    if items.size and items.min() < 0:
        raise ValueError(f"{name}: expected items from 0, got {items.min()} for user {users[items.argmin()]}")
    if items.max(initial=0) >= 2**31 - 1:
        raise ValueError(f"{name}: expected items below 2**31 - 1, got {items.max()} for user {users[items.argmax()]}")
    if not len(sets):
        raise ValueError(f"{name}: expected a collection of items for at least one user, got none")
    return entries_at(users, items, np.ones(len(items)), (len(sets), int(items.max(initial=0)) + 1))


def places_in(k, most, what):
    k = whole_number(k, "k")
    if k > most:
        raise ValueError(f"k={k}: there are only {most} {what}; lower k")
    return k


def check_below(R, n_items):
    """Raises ValueError if a list has an item that is not below `n_items`, if that is known."""
    if n_items is not None and R.max(initial=-1) >= n_items:
        raise ValueError(f"recommended: expected items below {n_items}, got {R.max()} for user "
                         f"{(R >= n_items).any(axis=1).argmax()}")
