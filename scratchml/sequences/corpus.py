"""Reading labelled sequences into arrays: tokens as sparse rows of attributes, labels as numbers.

A token is a dict of features or a list of strings, and is read as CRFsuite reads it:

    {"word": "Main"}      the attribute "word:Main" with value 1
    {"length": 4}         the attribute "length" with value 4
    {"title": True}       the attribute "title" with value 1; with value 0 for False
    ["title", "Main"]     the attributes "title" and "Main" with value 1

A sequence may also be an array (T, D), whose columns are the attributes "0", "1", ...  An attribute is a column of the
matrix (N, M) of all N tokens; it gets its number when it is first seen.
"""
from collections import defaultdict
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np

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
            raise TypeError(f"{name!r} is not a string")
        if isinstance(value, str):
            self[item] = found = self.number(f"{name}:{value}")
            return found
        if not isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating)):
            raise TypeError(f"feature {name!r} is a {type(value).__name__}; expected a bool, a number or a string")
        if not -np.inf < value < np.inf:
            raise TypeError(f"feature {name!r} is {value}; expected a finite number")
        self.others.append((self.number(name), float(value)))
        if isinstance(value, (bool, np.bool_)):
            self[item] = -len(self.others)
        return -len(self.others)


def read_tokens(X, attributes, *, grow):
    """The sequences X as (starts, rows).  With `grow`, new attributes enter `attributes`; else they are ignored.

    Raises ValueError that names sequence and token: for an empty X or sequence, tokens of another kind, NaN, inf.
    """
    if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__"):
        raise ValueError(f"X: expected a list of sequences, got {type(X).__name__}")
    if len(X) == 0:
        raise ValueError("X: the corpus is empty; expected at least one sequence")
    starts = np.zeros(len(X) + 1, np.int64)
    try:
        starts[1:] = np.cumsum(np.fromiter(map(len, X), np.int64, len(X)))
    except TypeError as error:
        raise ValueError(f"X: expected a list of sequences: {error}") from error
    if (empty := np.flatnonzero(np.diff(starts) == 0)).size:
        raise ValueError(f"X[{empty[0]}]: the sequence is empty; leave it out")
    if isinstance(X[0], np.ndarray):
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
                        + (" (an array must be a whole sequence)" if isinstance(token, np.ndarray) else ""))
            for item in _items(token):
                try:
                    _Items(len)[item]
                except TypeError as error:
                    return f"X[{s}][{t}]: {error}"


def _read_arrays(X, attributes, grow):
    D = None
    for s, sequence in enumerate(X):
        if np.ndim(sequence) != 2 or np.asarray(sequence).dtype.kind not in "fiub":
            raise ValueError(f"X[{s}]: expected an array of numbers (T, D) as in X[0], got shape {np.shape(sequence)}")
        D = sequence.shape[1] if D is None else D
        if sequence.shape[1] != D:
            raise ValueError(f"X[{s}]: {sequence.shape[1]} columns, but {D} in X[0]")
        if not np.isfinite(sequence).all():
            t, d = np.argwhere(~np.isfinite(sequence))[0]
            raise ValueError(f"X[{s}][{t}, {d}]: {sequence[t, d]}; expected a finite number")
    number = [attributes[str(d)] if grow else attributes.get(str(d), -1) for d in range(D)]
    whole = np.concatenate(X).astype(np.float64)
    known = np.array(number) >= 0
    rows = sparse_rows(whole[:, known])
    return rows._replace(indices=np.array(number, np.int32)[known][rows.indices], shape=(len(whole), len(attributes)))


# --- labels --------------------------------------------------------------------------------------


def read_labels(y, starts, numbers=None):
    """Labels as numbers (N,) int32, -1 for None, and the sorted classes; `numbers` {label: number} if known before.

    Labels are strings or whole numbers.  Raises ValueError that names the sequence where X and y differ in length,
    for other labels, and for those that `numbers` does not have.
    """
    if not hasattr(y, "__len__") or len(y) != len(starts) - 1:
        raise ValueError(f"y: expected {len(starts) - 1} sequences of labels to fit X, got "
                         f"{len(y) if hasattr(y, '__len__') else type(y).__name__}")
    y = [labels.tolist() if isinstance(labels, np.ndarray) else labels for labels in y]
    lengths = np.fromiter(map(len, y), np.int64, len(y))
    if (wrong := np.flatnonzero(lengths != np.diff(starts))).size:
        s = wrong[0]
        raise ValueError(f"y[{s}]: {lengths[s]} labels for the {starts[s + 1] - starts[s]} tokens of X[{s}]")
    if numbers is None:
        found = set(chain.from_iterable(y)) - {None}
        if not found:
            raise ValueError("y: no token has a label")
        if not all(isinstance(label, str) for label in found) and \
                not all(isinstance(label, (int, np.integer)) and not isinstance(label, bool) for label in found):
            raise ValueError(f"y: expected labels that are all strings or all whole numbers, got {sorted(map(repr, found))[:5]}")
        numbers = {label: k for k, label in enumerate(sorted(found))}
    code = defaultdict(lambda: -2, numbers)
    code[None] = -1
    coded = np.fromiter(map(code.__getitem__, chain.from_iterable(y)), np.int32, starts[-1])
    if (unseen := np.flatnonzero(coded == -2)).size:
        s = int(np.searchsorted(starts, unseen[0], side="right")) - 1
        t = int(unseen[0] - starts[s])
        raise ValueError(f"y[{s}][{t}]: the label {y[s][t]!r} was not seen in training; seen were {list(numbers)[:20]}")
    return coded, list(numbers)
