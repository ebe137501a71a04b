"""Labels that mark chunks, BIO and IOBES: which may follow which.

    BIO      B-X begins a chunk of type X, I-X continues it, O is outside of all chunks
    IOBES    E-X ends a chunk as well, S-X is a chunk of one token
"""
import numpy as np

from scratchml.metrics.tagging import split_tag
from scratchml.sequences.crf_training import Legal

OPEN = {"BIO": "BI", "IOBES": "BI"}                      # a chunk may go on after these
CONTINUE = {"BIO": "I", "IOBES": "IE"}                   # these continue one
MUST_GO_ON = {"BIO": "", "IOBES": "BI"}                  # a chunk must go on after these
MARKS = {"BIO": "BIO", "IOBES": "BIOES"}


def legal_transitions(classes, forbidden=None):
    """Which of the K `classes` may follow which, as a Legal: (K, K), (K,) and (K,) bool.

    `forbidden` is None for all, "BIO" or "IOBES" for what the scheme allows, or a list of pairs of labels.
    Raises ValueError for labels that do not belong to the scheme, and pairs that are not of two classes.
    """
    K = len(classes)
    pairs, first, last = np.ones((K, K), bool), np.ones(K, bool), np.ones(K, bool)
    if forbidden is None:
        return Legal(pairs, first, last)
    if not isinstance(forbidden, str):
        for pair in forbidden:
            if len(pair) != 2 or not set(pair) <= set(classes):
                raise ValueError(f"forbidden: expected pairs of labels that occur in y, got {pair!r}")
            pairs[classes.index(pair[0]), classes.index(pair[1])] = False
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
