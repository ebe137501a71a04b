"""Labels that mark chunks, by five schemes: which may follow which.

    BIO      B-X begins a chunk of type X, I-X continues it, O is outside of all chunks; also called IOB2
    IOB1     I-X is within a chunk of type X; B-X begins one only where another of type X ends right before it
    IOBES    BIO, but E-X ends a chunk, and S-X is a chunk of one token
    BILOU    IOBES with L (last) for E and U (unit) for S
    BMES     IOBES with M (middle) for I; words in Chinese are marked by B, M, E and S alone
"""
from collections.abc import Iterator

import numpy as np

from scratchml.metrics.tagging import split_tag
from scratchml.sequences.crf import log_partition
from scratchml.sequences.crf_training import Legal, agreeing

MARKS = {"BIO": "BIO", "IOB1": "IOB", "IOBES": "BIOES", "BILOU": "BILOU", "BMES": "BMESO"}
OPEN = {"BIO": "BI", "IOB1": "BI", "IOBES": "BI", "BILOU": "BI", "BMES": "BM"}         # a chunk may go on after these
INSIDE = {"BIO": "I", "IOB1": "B", "IOBES": "IE", "BILOU": "IL", "BMES": "ME"}         # these need such before them
UNFINISHED = {"BIO": "", "IOB1": "", "IOBES": "BI", "BILOU": "BI", "BMES": "BM"}       # a chunk must go on after these
NAMES = ", ".join(map(repr, MARKS))


def legal_transitions(classes, forbidden=None):
    """Which of the K `classes` may follow which, as a Legal: (K, K), (K,) and (K,) bool.

    `forbidden` is None for all, the name of a scheme for what that allows, or pairs of labels; those of a label that is
    none of the classes, as in a part of a corpus, say nothing.  Raises ValueError for labels that do not belong to the
    scheme, and for what are no pairs.
    """
    classes = list(classes)
    K = len(classes)
    pairs, first, last = np.ones((K, K), bool), np.ones(K, bool), np.ones(K, bool)
    if forbidden is None:
        return Legal(pairs, first, last)
    if not isinstance(forbidden, str):
        for before, label in forbidden_pairs(forbidden):
            if before in classes and label in classes:
                pairs[classes.index(before), classes.index(label)] = False
        return Legal(pairs, first, last)
    if forbidden not in MARKS:
        raise ValueError(f"forbidden={forbidden!r}: expected {NAMES} or a list of pairs of labels")
    tags = [split_tag(label) for label in classes]
    for label, (mark, _) in zip(classes, tags):
        if mark not in MARKS[forbidden]:
            raise ValueError(f"y: the label {label!r} is not of the scheme {forbidden}")
    for j, (mark, kind) in enumerate(tags):
        inside = mark in INSIDE[forbidden]
        first[j], last[j] = not inside, mark not in UNFINISHED[forbidden]
        for i, (before, its_kind) in enumerate(tags):
            same = before in OPEN[forbidden] and its_kind == kind
            pairs[i, j] = same if inside else before not in UNFINISHED[forbidden]
    return Legal(pairs, first, last)


def legal_numbers(K, forbidden):
    """The Legal of K labels that are numbers: `forbidden` is one already, None, or pairs of 0 ... K-1.

    Raises ValueError for pairs that are none, and for a Legal of another number of labels.
    """
    if isinstance(forbidden, Legal):
        parts = Legal(*(np.asarray(part) for part in forbidden))
        if [part.shape for part in parts] != [(K, K), (K,), (K,)] or any(part.dtype != bool for part in parts):
            raise ValueError(f"forbidden: expected a Legal of bools of shapes {(K, K)}, {(K,)}, {(K,)}, got shapes "
                             f"{', '.join(str(part.shape) for part in parts)}")
        return parts
    if isinstance(forbidden, str):
        raise ValueError(f"forbidden={forbidden!r}: labels are numbers here; pass legal_transitions(labels, "
                         f"{forbidden!r})")
    pairs = None if forbidden is None else forbidden_pairs(forbidden)
    for i, j in pairs or ():
        if not all(isinstance(k, (int, np.integer)) and not isinstance(k, bool) and 0 <= k < K for k in (i, j)):
            raise ValueError(f"forbidden: expected pairs of labels 0 ... {K - 1}, got {(i, j)}")
    return legal_transitions(range(K), pairs)


def forbidden_pairs(forbidden):
    """`forbidden` as a list of lists [label, next label], sorted if it is a set.  Raises ValueError for what is
    none."""
    if not hasattr(forbidden, "__iter__") or isinstance(forbidden, Iterator):
        raise ValueError(f"forbidden: expected {NAMES} or a list of pairs of labels, got {type(forbidden).__name__}")
    for pair in forbidden:
        if isinstance(pair, (str, bytes, set, frozenset)) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise ValueError(f"forbidden: expected pairs of labels such as ('O', 'I-PER'), got {pair!r}")
    pairs = [list(pair) for pair in forbidden]
    return sorted(pairs) if isinstance(forbidden, (set, frozenset)) else pairs


def check_legal(y, starts, legal, classes):
    """Raise a ValueError that names the first sequence whose known labels are forbidden."""
    if all(part.all() for part in legal):
        return
    A = np.where(legal.pairs, 0, -np.inf)
    for s, (first, last) in enumerate(zip(starts, starts[1:])):
        E = np.zeros((last - first, len(classes)))
        E[0] += np.where(legal.first, 0, -np.inf)
        E[-1] += np.where(legal.last, 0, -np.inf)
        if log_partition(agreeing(E, y[first:last]), A) == -np.inf:
            labels = [classes[k] if k >= 0 else None for k in y[first:last]]
            raise ValueError(f"y[{s}]: {labels} breaks what `forbidden` allows; correct the labels, or allow it")


def check_possible(score, starts=None):
    """Raise a ValueError that names the first sequence without a path; with `starts`, `score` is of those that are not
    empty."""
    if score.min(initial=0) == -np.inf:
        s = (score == -np.inf).argmax()
        s = s if starts is None else np.flatnonzero(np.diff(starts))[s]
        raise ValueError(f"X[{s}]: no path is left; the known labels, or the length, break what `forbidden` allows")
