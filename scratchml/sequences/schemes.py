"""Labels that mark chunks, BIO and IOBES: which may follow which.

    BIO      B-X begins a chunk of type X, I-X continues it, O is outside of all chunks
    IOBES    E-X ends a chunk as well, S-X is a chunk of one token
"""
from collections.abc import Iterator

import numpy as np

from scratchml.metrics.tagging import split_tag
from scratchml.sequences.crf_training import Legal

OPEN = {"BIO": "BI", "IOBES": "BI"}                      # a chunk may go on after these
CONTINUE = {"BIO": "I", "IOBES": "IE"}                   # these continue one
MUST_GO_ON = {"BIO": "", "IOBES": "BI"}                  # a chunk must go on after these
MARKS = {"BIO": "BIO", "IOBES": "BIOES"}


def legal_transitions(classes, forbidden=None):
    """Which of the K `classes` may follow which, as a Legal: (K, K), (K,) and (K,) bool.

    `forbidden` is None for all, "BIO" or "IOBES" for what the scheme allows, or pairs of labels; those of a label that
    is none of the classes, as in a part of a corpus, say nothing.  Raises ValueError for labels that do not belong to
    the scheme, and for what are no pairs.
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
        raise ValueError(f"forbidden={forbidden!r}: expected 'BIO', 'IOBES' or a list of pairs of labels")
    tags = [split_tag(label) for label in classes]
    for label, (mark, _) in zip(classes, tags):
        if mark not in MARKS[forbidden]:
            raise ValueError(f"y: the label {label!r} is not of the scheme {forbidden}")
    for j, (mark, kind) in enumerate(tags):
        continues = mark in CONTINUE[forbidden]
        first[j], last[j] = not continues, mark not in MUST_GO_ON[forbidden]
        for i, (before, its_kind) in enumerate(tags):
            same = before in OPEN[forbidden] and its_kind == kind
            pairs[i, j] = same if continues else before not in MUST_GO_ON[forbidden]
    return Legal(pairs, first, last)


def forbidden_pairs(forbidden):
    """`forbidden` as a list of lists [label, next label], sorted if it is a set.  Raises ValueError for what is none."""
    if not hasattr(forbidden, "__iter__") or isinstance(forbidden, Iterator):
        raise ValueError(f"forbidden: expected 'BIO', 'IOBES' or a list of pairs of labels, got {type(forbidden).__name__}")
    for pair in forbidden:
        if isinstance(pair, (str, bytes, set, frozenset)) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise ValueError(f"forbidden: expected pairs of labels such as ('O', 'I-PER'), got {pair!r}")
    pairs = [list(pair) for pair in forbidden]
    return sorted(pairs) if isinstance(forbidden, (set, frozenset)) else pairs
