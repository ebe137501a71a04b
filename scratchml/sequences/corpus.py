"""Reading labelled sequences into arrays: tokens as sparse rows of attributes, labels as numbers.

A token is a dict of features or a list of strings, and is read as CRFsuite reads it:

    {"word": "Main"}      the attribute "word:Main" with value 1
    {"length": 4}         the attribute "length" with value 4
    {"title": True}       the attribute "title" with value 1; with value 0 for False
    ["title", "Main"]     the attributes "title" and "Main" with value 1

A sequence may also be an array (T, D), whose columns are the attributes "0", "1", ...  An attribute is a column of the
matrix (N, M) of all N tokens; it gets its number when it is first seen.

Sequences, and labels likewise, come in lists, tuples, arrays of objects, Series with any index, or iterators, which are
read once.
"""
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, repeat
from numbers import Real
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import in_order, unmasked
from scratchml.core.sparse import Rows, sparse_rows

class Corpus(NamedTuple):
    """S sequences one after the other: sequence s is the tokens starts[s] ... starts[s+1]-1."""
    starts: np.ndarray                                   # (S+1,) int64
    rows: Rows                                           # (N, M) values of the attributes
    y: np.ndarray                                        # (N,) int32 labels, -1 where unknown


class Attributes(dict):
    """{name: number}.  Looking up a name that is not there gives it the next number."""

    def __missing__(self, name):
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not a string")
        self[name] = number = len(self)
        return number


class _Items(dict):
    """{(name, value): number of the attribute} of dict features whose value is then 1, else -1 - k for `others[k]`.

    Strings and bools are remembered, so that most features cost one look-up; other numbers would fill the memory.
    """

    def __init__(self, number):
        super().__init__()
        self.number = number                             # from an attribute's name to its number
        self.others = []                                 # (attribute, value)

    def __missing__(self, item):
        name, value = item
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not a string" +
                            ("; rows of numbers go into an array (T, D)" if isinstance(name, Real) else ""))
        if isinstance(value, str):
            self[item] = found = self.number(f"{name}:{value}")
            return found
        if not isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating)):
            raise TypeError(f"feature {name!r} is a {type(value).__name__}; expected a bool, a number or a string, so "
                            "give each of its parts a name of its own")
        try:
            number = float(value)
        except OverflowError:                            # a whole number beyond float64
            number = np.inf
        if not -np.inf < number < np.inf:
            raise TypeError(f"feature {name!r} is {number}; expected a finite number")
        self.others.append((self.number(name), number))
        if isinstance(value, (bool, np.bool_)):
            self[item] = -len(self.others)
        return -len(self.others)


def as_sequences(X):
    """`X` as a list of sequences: arrays of numbers (T, D), or lists and tuples of tokens.  Raises ValueError."""
    if not in_order(X):
        raise ValueError(f"X: expected a list of sequences, got {type(X).__name__}")
    return [x if isinstance(x, (list, tuple)) else _sequence(x, s) for s, x in enumerate(X)]


def _sequence(x, s):
    if hasattr(x, "columns"):
        raise ValueError(f"X[{s}]: expected a list of tokens or an array, got {type(x).__name__}; pass its to_numpy(), or "
                         "its to_dict('records') for columns with names")
    if not in_order(x):
        raise ValueError(f"X: expected a list of sequences, but X[{s}] is a {type(x).__name__}; of one sequence alone "
                         "pass [X]")
    if not isinstance(x, np.ndarray):
        return list(x)
    if x.dtype == object and x.ndim == 2 and all(isinstance(value, Real) for value in x.flat):
        return x.astype(np.float64)
    return x.tolist() if x.dtype.kind in "OUS" or not len(x) else x


def read_tokens(X, attributes, *, grow):
    """The sequences X as (starts, rows).  With `grow`, new attributes enter `attributes`; else they are ignored.

    Raises ValueError that names sequence and token: for an empty X, an empty sequence that is to `grow` attributes,
    tokens of another kind, NaN, inf.
    """
    X = as_sequences(X)
    if not X:
        raise ValueError("X: the corpus is empty; expected at least one sequence")
    starts = np.zeros(len(X) + 1, np.int64)
    starts[1:] = np.cumsum(np.fromiter(map(len, X), np.int64, len(X)))
    filled = np.diff(starts) > 0
    if grow and not filled.all():
        raise ValueError(f"X[{filled.argmin()}]: the sequence is empty; leave it out")
    if isinstance(X[filled.argmax()], np.ndarray):
        return starts, _read_arrays(X, attributes, grow)
    try:
        return starts, _read_features(X, int(starts[-1]), attributes, grow)
    except (TypeError, AttributeError) as error:
        raise ValueError(_first_wrong(X) or f"X: {error}") from error


def _read_features(X, N, attributes, grow):
    M = len(attributes)                                  # stands for what is unknown
    number = attributes.__getitem__ if grow else lambda name: attributes.get(name, M)
    kinds = set(map(type, chain.from_iterable(X)))
    if not all(issubclass(kind, (dict, list, tuple)) for kind in kinds):
        raise TypeError("tokens of another kind")
    counts = np.fromiter(map(len, chain.from_iterable(X)), np.int64, N)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    if not any(issubclass(kind, dict) for kind in kinds):
        names = chain.from_iterable(chain.from_iterable(X))
        found = map(number, names) if grow else map(attributes.get, names, repeat(M))
        indices = np.fromiter(found, np.int32, indptr[-1])
        data = np.ones(indices.size)
    else:
        found = _Items(number)
        items = chain.from_iterable(_items(token) for token in chain.from_iterable(X))
        indices = np.fromiter(map(found.__getitem__, items), np.int32, indptr[-1])
        data = np.ones(indices.size)
        if found.others:
            attribute, value = (np.array(column) for column in zip(*found.others))
            other = np.flatnonzero(indices < 0)
            which = -1 - indices[other]
            indices[other], data[other] = attribute[which], value[which]
    if not grow:
        known = indices < M
        if not known.all():
            indptr = np.concatenate([[0], np.cumsum(known)])[indptr]
            indices, data = indices[known], data[known]
    return Rows(indptr, indices, data, (N, len(attributes)))


def _items(token):
    return token.items() if isinstance(token, dict) else ((name, True) for name in token)


def _first_wrong(X):
    """What is wrong with the first token that cannot be read, and where it stands."""
    for s, sequence in enumerate(X):
        for t, token in enumerate(sequence):
            if not isinstance(token, (dict, list, tuple)):
                return (f"X[{s}][{t}]: expected a dict of features or a list of strings, got {type(token).__name__}"
                        + (" (an array must be a whole sequence)" if isinstance(token, np.ndarray) else
                           "; of one sequence alone pass [X]" if isinstance(token, str) else ""))
            for item in _items(token):
                try:
                    _Items(len).__missing__(item)        # which looks before it remembers
                except TypeError as error:
                    return f"X[{s}][{t}]: {error}"


def check_columns(X, names):
    """Raises ValueError if X are arrays, and the attributes `names` of the model are not their columns."""
    D = next((x.shape[-1] for x in X if isinstance(x, np.ndarray)), None)
    if D is not None and (len(names) != D or names != [str(d) for d in range(D)]):
        columns = names == [str(d) for d in range(len(names))]
        raise ValueError(f"X: arrays of {D} columns, but the model was fitted on " + (
            f"arrays of {len(names)}" if columns else f"attributes such as {names[:3]}; pass tokens that have them"))


def edge_names(edge_attributes):
    """`edge_attributes` as a list of str, sorted if it is a set.  Raises ValueError for what is no collection of such."""
    if isinstance(edge_attributes, (str, Iterator)) or not hasattr(edge_attributes, "__iter__"):
        raise ValueError(f"edge_attributes={edge_attributes!r}: expected a list of names, e.g. ['word']")
    names = sorted(edge_attributes) if isinstance(edge_attributes, (set, frozenset)) else list(edge_attributes)
    for name in names:
        if not isinstance(name, str):
            raise ValueError(f"edge_attributes: expected names of features or attributes, got {name!r}")
    return names


def chosen(names, edge_attributes):
    """Which of the attributes `names` (D,) have weights for pairs of labels, as bools."""
    wanted = set(edge_names(edge_attributes))
    found = np.array([name in wanted or name.split(":")[0] in wanted for name in names], bool)
    return found if wanted else np.zeros(len(names), bool)


def some_columns(rows, chosen):
    """`rows` without the columns that are not `chosen` (D,)."""
    if not chosen.any():
        return Rows(np.zeros_like(rows.indptr), rows.indices[:0], rows.data[:0], rows.shape)
    kept = chosen[rows.indices]
    indptr = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return Rows(indptr, rows.indices[kept], rows.data[kept], rows.shape)


def _read_arrays(X, attributes, grow):
    arrays = [(s, sequence) for s, sequence in enumerate(X) if len(sequence)]
    D = np.shape(arrays[0][1])[-1]
    for s, sequence in arrays:
        if np.ndim(sequence) != 2 or np.asarray(sequence).dtype.kind not in "fiub":
            raise ValueError(f"X[{s}]: expected an array of numbers (T, D) as in X[0], got shape {np.shape(sequence)}"
                             + ("; of one sequence alone pass [X]" if np.ndim(sequence) == 1 else ""))
        if sequence.shape[1] != D:
            raise ValueError(f"X[{s}]: {sequence.shape[1]} columns, but {D} in X[0]")
        if not np.isfinite(unmasked(sequence, f"X[{s}]")).all():
            t, d = np.argwhere(~np.isfinite(sequence))[0]
            raise ValueError(f"X[{s}][{t}, {d}]: {sequence[t, d]}; expected a finite number")
    number = [attributes[str(d)] if grow else attributes.get(str(d), -1) for d in range(D)]
    whole = np.concatenate([sequence for _, sequence in arrays]).astype(np.float64)
    known = np.array(number) >= 0
    rows = sparse_rows(whole[:, known])
    return rows._replace(indices=np.array(number, np.int32)[known][rows.indices], shape=(len(whole), len(attributes)))


# --- labels --------------------------------------------------------------------------------------


def read_labels(y, starts, numbers=None):
    """Labels as numbers (N,) int32, -1 for None, and the sorted classes; `numbers` {label: number} if known before.

    Labels are strings or whole numbers.  Raises ValueError that names the sequence where X and y differ in length,
    for other labels, and for those that `numbers` does not have.
    """
    y = label_lists(y, len(starts) - 1)
    lengths = np.fromiter(map(len, y), np.int64, len(y))
    if (wrong := np.flatnonzero(lengths != np.diff(starts))).size:
        s = wrong[0]
        raise ValueError(f"y[{s}]: {lengths[s]} labels for the {starts[s + 1] - starts[s]} tokens of X[{s}]")
    found = _found(y)
    if numbers is None:
        if not found:
            raise ValueError("y: no token has a label")
        if not all(isinstance(label, str) for label in found) and \
                not all(isinstance(label, (int, np.integer)) and not isinstance(label, bool) for label in found):
            raise ValueError(f"y: expected labels that are all strings or all whole numbers, and None for "
                             f"what is not known, got {sorted(map(repr, found))[:5]}")
        plain = (label.item() if isinstance(label, np.generic) else label for label in sorted(found))
        numbers = {label: k for k, label in enumerate(plain)}
    code = defaultdict(lambda: -2, numbers)
    code[None] = -1
    coded = np.fromiter(map(code.__getitem__, chain.from_iterable(y)), np.int32, starts[-1])
    if (unseen := np.flatnonzero(coded == -2)).size:
        s = int(np.searchsorted(starts, unseen[0], side="right")) - 1
        t = int(unseen[0] - starts[s])
        raise ValueError(f"y[{s}][{t}]: the label {y[s][t]!r} was not seen in training; seen were {list(numbers)[:20]}")
    return coded, list(numbers)


def label_lists(y, S):
    """`y` as a list of `S` lists or tuples of labels.  Raises ValueError."""
    if not in_order(y):
        raise ValueError(f"y: expected {S} sequences of labels to fit X, got {type(y).__name__}")
    y = list(y)
    if len(y) != S:
        raise ValueError(f"y: expected {S} sequences of labels to fit X, got {len(y)}")
    for s, labels in enumerate(y):
        if not in_order(labels) or getattr(labels, "ndim", 1) > 1:
            raise ValueError(f"y[{s}]: expected the labels of a sequence, got {labels!r:.40}; of one sequence alone pass "
                             "[X] and [y]")
    return [labels if isinstance(labels, (list, tuple)) else
            labels.tolist() if isinstance(labels, np.ndarray) else list(labels) for labels in y]


def share_right(found, y):
    """The share of tokens whose label in `found` is that in `y`, of those that have one there.  Raises ValueError."""
    y = label_lists(y, len(found))
    if any(len(a) != len(b) for a, b in zip(found, y)):
        raise ValueError("X and y: expected as many labels as tokens in every sequence")
    right = [a == b for mine, theirs in zip(found, y) for a, b in zip(mine, theirs) if b is not None]
    if not right:
        raise ValueError("y: no token has a label")
    return sum(right) / len(right)


def _found(y):
    """The labels that occur."""
    try:
        return set(chain.from_iterable(y)) - {None}
    except TypeError as error:
        raise ValueError(f"y: expected labels that are strings or whole numbers: {error}") from error


# --- answers --------------------------------------------------------------------------------------


class Labelled(list):
    """A list (S,) of lists, one for each sequence, that NumPy reads whether they are equally long or not."""

    @classmethod
    def cut(cls, tokens, starts):
        """What belongs to the tokens of all sequences, cut where these start."""
        starts = starts.tolist()
        return cls(tokens[first:last] for first, last in zip(starts, starts[1:]))

    def __array__(self, dtype=None, copy=None):
        return np.array(list(self), dtype) if len(set(map(len, self))) == 1 else self.of_lists()

    def of_lists(self):
        """The array (S,) of lists."""
        return np.fromiter(self, object, len(self))

    def __array_function__(self, function, types, args, kwargs):
        """Joined, as by cross_val_predict, they are one array of lists unless all of all parts are equally long."""
        if function is np.concatenate and len({len(labels) for part in args[0] for labels in part}) > 1:
            args = [part.of_lists() if isinstance(part, Labelled) else part for part in args[0]], *args[1:]
        return np.empty(0).__array_function__(function, (), args, kwargs)
