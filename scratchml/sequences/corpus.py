"""Reading labelled sequences into arrays: tokens as sparse rows of attributes, labels as numbers.

A token is a dict of features or a list of strings, and is read as CRFsuite reads it:

    {"word": "Main"}      the attribute "word:Main" with value 1
    {"length": 4}         the attribute "length" with value 4
    {"title": True}       the attribute "title" with value 1; with value 0 for False
    ["title", "Main"]     the attributes "title" and "Main" with value 1

Bytes in place of a string, as a name, a value or a label, are read as UTF-8.  A sequence may also be an array (T, D),
whose columns are the attributes "0", "1", ...  An attribute is a column of the matrix (N, M) of all N tokens; it gets
its number when it is first seen.

Sequences, and labels likewise, come in lists, tuples, arrays of objects, Series with any index, or iterators, which are
read once.
"""
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate, chain, compress, repeat
from numbers import Real
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import in_order, is_missing, unmasked
from scratchml.core.jit import kernel
from scratchml.core.sparse import Rows, sparse_rows

NUMBER, UNKNOWN = -1, 2**31 - 1                          # in place of an attribute's number


class Corpus(NamedTuple):
    """S sequences one after the other: sequence s is the tokens starts[s] ... starts[s+1]-1."""
    starts: np.ndarray                                   # (S+1,) int64
    rows: Rows                                           # (N, M) values of the attributes
    y: np.ndarray                                        # (N,) int32 labels, -1 where unknown


class Attributes(dict):
    """{name: number}.  Looking up a name that is not there gives it the next number."""

    def __missing__(self, name):
        if (text := as_text(name)) is not name:
            return self[text]
        self[name] = number = len(self)
        return number

    def known(self, name):
        """The number of a name, UNKNOWN if it has none."""
        return self.get(as_text(name), UNKNOWN)

    def asked(self):
        """What is remembered of the features of earlier questions."""
        memory = vars(self).get("memory")
        if memory is None or memory.size != len(self):
            memory = self.memory = _Items(self, grow=False)
        return memory

    def __reduce__(self):
        return Attributes, (dict(self),)                 # without the memory


class _Items(dict):
    """{(name, value): the number of the attribute whose value is then 1}; NUMBER where it is another, UNKNOWN if none.

    Strings and bools are remembered, so that most features cost one look-up; other numbers would fill the memory.  So
    would unknown strings that are asked about: there is room for as many as there are attributes.
    """

    def __init__(self, attributes, grow):
        super().__init__()
        self.size = len(attributes)
        self.number = attributes.__getitem__ if grow else attributes.known
        self.room = np.inf if grow else 2 * self.size + 1000

    def __missing__(self, item):
        name, value = item
        if isinstance(value, (str, bytes)):
            found = self.number(f"{as_text(name)}:{as_text(value)}")
        else:
            found = self.number(name)
            plain = type(value) is float and value - value == 0                  # neither infinite nor NaN
            if (value if plain else _number(name, value)) != 1:
                found = NUMBER
            if not isinstance(value, (bool, np.bool_)):
                return found
        if 0 <= found < UNKNOWN or len(self) < self.room:
            self[item] = found
        return found


def as_text(name):
    """A str, or bytes as one.  Raises TypeError for anything else."""
    if isinstance(name, str):
        return name
    if not isinstance(name, bytes):
        raise TypeError(f"{name!r} is not a string" +
                        ("; rows of numbers go into an array (T, D)" if isinstance(name, Real) else ""))
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise TypeError(f"{name!r} is not UTF-8; decode it first") from None


def _number(name, value):
    """The `value` of a feature as a float.  Raises TypeError if it is none, or not finite."""
    if not isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating)):
        raise TypeError(f"feature {name!r} is a {type(value).__name__}; expected a bool, a number or a string, so "
                        "give each of its parts a name of its own")
    try:
        number = float(value)
    except OverflowError:                                # a whole number beyond float64
        number = np.inf
    if not -np.inf < number < np.inf:
        raise TypeError(f"feature {name!r} is {number}; expected a finite number")
    return number


def as_sequences(X):
    """`X` as a list of sequences: arrays of numbers (T, D), or lists and tuples of tokens.  Raises ValueError."""
    if not in_order(X):
        raise ValueError(f"X: expected a list of sequences, got {type(X).__name__}")
    return [x if isinstance(x, (list, tuple)) else _sequence(x, s) for s, x in enumerate(X)]


def _sequence(x, s):
    if hasattr(x, "columns"):
        raise ValueError(f"X[{s}]: expected a list of tokens or an array, got {type(x).__name__}; pass its to_numpy(), "
                         "or its to_dict('records') for columns with names")
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
    lengths = list(map(len, X))
    starts = _added(lengths)
    if grow and 0 in lengths:
        raise ValueError(f"X[{lengths.index(0)}]: the sequence is empty; leave it out")
    if isinstance(next(filter(len, X), X[0]), np.ndarray):
        return starts, _read_arrays(X, attributes, grow)
    try:
        return starts, _read_features(X, int(starts[-1]), attributes, grow)
    except (TypeError, AttributeError) as error:
        raise ValueError(_first_wrong(X) or f"X: {error}") from error


def _added(lengths):
    """0 and the sums of the first one, two, ... `lengths`."""
    return np.fromiter(accumulate(lengths, initial=0), np.int64, len(lengths) + 1)


def _read_features(X, N, attributes, grow):
    tokens = list(chain.from_iterable(X))
    kinds = set(map(type, tokens))
    if not all(issubclass(kind, (dict, list, tuple)) for kind in kinds):
        raise TypeError("tokens of another kind")
    indptr = _added(list(map(len, tokens)))
    read = _read_items if any(issubclass(kind, dict) for kind in kinds) else _read_names
    indices, data = read(tokens, int(indptr[-1]), attributes, grow)
    if not grow:
        n = _keep_known(indptr, indices, data)
        indices, data = indices[:n], data[:n]
    return Rows(indptr, indices, data, (N, len(attributes)))


def _read_names(tokens, n, attributes, grow):
    """Numbers (n,) of the strings that tokens are lists of, and ones (n,)."""
    if grow:
        return np.fromiter(map(attributes.__getitem__, chain.from_iterable(tokens)), np.int32, n), np.ones(n)
    indices = np.fromiter(map(attributes.get, chain.from_iterable(tokens), repeat(UNKNOWN)), np.int32, n)
    new = indices == UNKNOWN                             # or bytes, or no strings at all
    if not {str}.issuperset(map(type, _those(chain.from_iterable(tokens), new))):
        indices[new] = [attributes.known(name) for name in _those(chain.from_iterable(tokens), new)]
    return indices, np.ones(n)


def _read_items(tokens, n, attributes, grow):
    """Numbers (n,) of the features that tokens are dicts of, and their values (n,)."""
    found = _Items(attributes, grow) if grow else attributes.asked()
    indices, data = np.fromiter(map(found.__getitem__, _all_items(tokens)), np.int32, n), np.ones(n)
    other = indices == NUMBER
    if other.any():
        names, values = zip(*_those(_all_items(tokens), other))
        indices[other], data[other] = [found.number(name) for name in names], [float(value) for value in values]
    return indices, data


def _all_items(tokens):
    """(name, value) of each feature."""
    return chain.from_iterable(map(dict.items if {dict}.issuperset(map(type, tokens)) else _items, tokens))


def _those(things, chosen):
    return compress(things, chosen.tolist())


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
                    _Items(Attributes(), grow=True).__missing__(item)
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
    """`edge_attributes` as a list of str, sorted if it is a set.  Raises ValueError for what is no collection of
    such."""
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
        return Rows(np.zeros(rows.indptr.size, np.int64), rows.indices[:0], rows.data[:0], rows.shape)
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


def read_labels(y, starts, numbers=None, *, others=False):
    """Labels as numbers (N,) int32, -1 for None, and the sorted classes; `numbers` {label: number} if known before.

    Labels are strings or whole numbers.  Raises ValueError that names the sequence where X and y differ in length,
    for other labels, and for those that `numbers` does not have; with `others` these are -2.
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
    if others:
        check_kind(found, list(numbers))
    code = defaultdict(lambda: -2, numbers)
    code[None] = -1
    coded = np.fromiter(map(code.__getitem__, chain.from_iterable(y)), np.int32, starts[-1])
    if (unseen := np.flatnonzero(coded == -2)).size and not others:
        s = int(np.searchsorted(starts, unseen[0], side="right")) - 1
        t = int(unseen[0] - starts[s])
        raise ValueError(f"y[{s}][{t}]: the label {y[s][t]!r} was not seen in training; seen were {list(numbers)[:20]}")
    return coded, list(numbers)


def label_lists(y, S):
    """`y` as a list of `S` lists or tuples of labels, bytes as str.  Raises ValueError."""
    if not in_order(y):
        raise ValueError(f"y: expected {S} sequences of labels to fit X, got {type(y).__name__}")
    y = list(y)
    if len(y) != S:
        raise ValueError(f"y: expected {S} sequences of labels to fit X, got {len(y)}")
    for s, labels in enumerate(y):
        if not in_order(labels) or getattr(labels, "ndim", 1) > 1:
            raise ValueError(f"y[{s}]: expected the labels of a sequence, got {labels!r:.40}; of one sequence alone "
                             "pass [X] and [y]")
    y = [labels if isinstance(labels, (list, tuple)) else
         labels.tolist() if isinstance(labels, np.ndarray) else list(labels) for labels in y]
    if bytes in set(map(type, chain.from_iterable(y))):
        try:
            y = [[as_text(label) if isinstance(label, bytes) else label for label in labels] for labels in y]
        except TypeError as error:
            raise ValueError(f"y: {error}") from None
    return y


def check_kind(found, classes):
    """ValueError if a label in the set `found` is missing, or text where `classes` are numbers, or the reverse."""
    if any(is_missing(label) or isinstance(label, str) != isinstance(classes[0], str) for label in found):
        raise ValueError(f"y: expected labels like {classes[:3]}, and None for what is not known, got "
                         f"{sorted(map(repr, found))[:5]}")


def share_right(found, y):
    """The share of tokens whose label in `found` is that in `y`, of those that have one there.  Raises ValueError."""
    y = label_lists(y, len(found))
    if any(len(a) != len(b) for a, b in zip(found, y)):
        raise ValueError("X and y: expected as many labels as tokens in every sequence")
    check_kind(_found(y), sorted(set(chain.from_iterable(found))) or [None])
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

    def __eq__(self, other):
        """Whether all labels are equal: a bool of NumPy, whose all() is itself, as it is asked of arrays.

        Beside the labels of one sequence alone it is an array, of each place, as of NumPy's array of this list.
        """
        if isinstance(other, list) and other and self and not any(map(in_order, other)):
            return np.asarray(self) == np.array(other, object)
        same = super().__eq__(other)
        return same if same is NotImplemented else np.bool_(same)

    def __ne__(self, other):
        same = self.__eq__(other)
        return same if same is NotImplemented else ~same

    __hash__ = None

    def of_lists(self):
        """The array (S,) of lists."""
        return np.fromiter(self, object, len(self))

    def __array_function__(self, function, types, args, kwargs):
        """Joined, as by cross_val_predict, they are one array of lists unless all of all parts are equally long."""
        if function is np.concatenate and len({len(labels) for part in args[0] for labels in part}) > 1:
            args = [part.of_lists() if isinstance(part, Labelled) else part for part in args[0]], *args[1:]
        return np.empty(0).__array_function__(function, (), args, kwargs)


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _keep_known(indptr, indices, data):
    """Leave out the entries of rows that are UNKNOWN, and count the others; all three arrays are overwritten."""
    n = first = 0
    for row in range(indptr.size - 1):
        for k in range(first, indptr[row + 1]):
            if indices[k] < UNKNOWN:
                indices[n], data[n] = indices[k], data[k]
                n += 1
        first, indptr[row + 1] = indptr[row + 1], n
    return n
