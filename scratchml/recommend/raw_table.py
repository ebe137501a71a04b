"""From a table of who had what, with ids as they come, to the matrix that recommenders take, and back to ids.

In a table of purchases or ratings users and items go by names, codes or numbers of nine digits; a matrix has rows and
columns from 0.  `Ids` numbers them, `read_table` makes the matrix, and what a model recommends goes back to ids.

>>> who, what = ["ann", "bob", "ann", "bob", "cleo"], ["tea", "tea", "rice", "milk", "rice"]
>>> table = read_table(who, what, times=["2024-05-01", "2024-05-01", "2024-05-02", "2024-05-07", "2024-05-03"])
>>> table.matrix.shape, table.users.names, table.items.names
((3, 3), ['ann', 'bob', 'cleo'], ['tea', 'rice', 'milk'])
>>> from scratchml.recommend import ItemCosine, leave_last_out
>>> items, scores = ItemCosine().fit(table.matrix).recommend(table.users.encode(["cleo", "ann"]), n=1)
>>> table.items.decode(items).tolist()
[['tea'], ['milk']]
>>> train, test = leave_last_out(table)
>>> table.items.decode(test.indices).tolist()
['rice', 'milk']
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_vector, in_order, keys_of, one_of, unmasked
from scratchml.core.sparse import Rows, entries_at
from scratchml.recommend.splits import ranks


class Ids:
    """Numbers from 0 for the ids of a column, in the order in which they are first met.  len() is how many there are.

    Parameters
    ----------
    column : iterable (P,) of hashable
        Strings, numbers, dates, or anything else that can be a key of a dict; "7" and 7 are two ids, 7 and 7.0 one.
        Raises ValueError for what is no column, and for an id that is missing or can be no key.
    name : str, default="column"
        What errors call the column.

    Attributes
    ----------
    names : list of the ids, each at the place of its number
    """

    def __init__(self, column, name="column"):
        self.names = keys_of(column, name)[1]
        self._number = {key: k for k, key in enumerate(self.names)}
        self._name = name

    def __len__(self):
        return len(self.names)

    def __contains__(self, key):
        return key in self._number

    def encode(self, column):
        """The numbers of ids, int64 (P,); of a single id, a string or what is no sequence, its number.

        Raises ValueError for an id that was not there.

        Parameters
        ----------
        column : iterable (P,) of hashable, or a single id
            The ids.
        """
        single = not in_order(column)
        keys = [column] if single else keys_of(column, self._name)[0]
        try:
            numbers = np.fromiter((self._number[key] for key in keys), np.int64, len(keys))
        except KeyError as error:
            raise ValueError(f"{self._name}: {error.args[0]!r} is none of the {len(self)} ids that were there; leave "
                             "it out, or make a new table with it") from None
        except TypeError as error:
            raise ValueError(f"{self._name}: expected ids that can be keys of a dict: {error}") from None
        return int(numbers[0]) if single else numbers

    def decode(self, numbers):
        """The ids of whole numbers, an array of objects of the same shape; None for -1, which stands for no item.

        Raises ValueError for other numbers.

        Parameters
        ----------
        numbers : array of int
            As a recommender returns them.
        """
        numbers = np.asarray(unmasked(numbers, "numbers"))
        if not numbers.size:
            return np.empty(numbers.shape, object)
        if numbers.dtype.kind not in "iu" or numbers.min() < -1 or numbers.max() >= len(self):
            raise ValueError(f"numbers: expected whole numbers from -1 to {len(self) - 1}, got {numbers!r:.80}")
        names = np.empty(len(self) + 1, object)
        for k, key in enumerate(self.names):             # one by one, else NumPy looks into ids that are tuples
            names[k] = key
        return names[numbers]


class Table(NamedTuple):
    """A table of ids as a matrix."""
    matrix: Rows                                         # (U, M) what each user has of each item
    times: np.ndarray | None                             # (P,) numbers in the order of the times of its entries
    rows: np.ndarray                                     # (P,) the place in the table where each entry came last
    users: Ids
    items: Ids


def read_table(users, items, values=None, times=None, *, repeated=None):
    """The matrix of a table of ids: a `Table`, whose `times` are in the order of the matrix, as `leave_last_out` wants
    them.

    Raises ValueError for columns of different lengths, ids that are missing, values that are not finite, times that
    cannot be compared, and pairs that come again where `repeated` is None and there are values.

    Parameters
    ----------
    users, items : iterable (P,) of hashable
        Ids of any kind, see `Ids`.
    values : array (P,) of numbers or None, default=None
        Counts or ratings; None for 1 each.
    times : array (P,) of numbers, dates, times, spans of time or ISO text, or None, default=None
        When each came about.
    repeated : {"sum", "last"} or None, default=None
        What a pair that comes again is worth: the sum of its values, or the last of them by time, without times by
        place.  None is "sum" without values, and an error with them, as counts are added and ratings are not.
    """
    if repeated is not None:
        one_of(repeated, "repeated", ("sum", "last"))
    users, items = (keys_of(column, name)[0] for column, name in ((users, "users"), (items, "items")))
    P, given = len(users), values is not None
    values = np.ones(P) if values is None else as_vector(values, name="values", size=P)
    if not len(items) == P > 0:
        raise ValueError(f"users, items: expected columns of one length with at least one row, got {P} and "
                         f"{len(items)}")
    of_users, of_items = Ids(users, "users"), Ids(items, "items")
    i, j = of_users.encode(users), of_items.encode(items)
    when = np.zeros(P, np.int64) if times is None else ranks(times, P)
    order = np.lexsort((np.arange(P), when, j, i))       # entry by entry, the last of each pair behind the others
    begins = np.append(True, (np.diff(i[order]) != 0) | (np.diff(j[order]) != 0))
    last = np.append(begins[1:], True)
    if repeated is None and given and not begins.all():
        again = order[~begins][0]
        raise ValueError(f"users, items: ({users[again]!r}, {items[again]!r}) comes again with another value, at "
                         f"{again}; pass repeated=\"sum\" for counts or repeated=\"last\" for ratings")
    rows = order[last]
    with np.errstate(over="ignore"):                     # a sum that cannot be held is infinite, and refused below
        data = values[rows] if repeated == "last" else np.add.reduceat(values[order], np.flatnonzero(begins))
    shape = len(of_users), len(of_items)
    return Table(entries_at(i[rows], j[rows], data, shape), None if times is None else when[rows], rows, of_users,
                 of_items)
