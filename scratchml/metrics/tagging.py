"""How good are predicted labels of sequences: token by token, label by label, chunk by chunk?

Chunks are counted as the script conlleval of the CoNLL shared tasks counts them: a chunk is right if its first token,
its last token and its type are.  Labels are strings such as B-PER, I-PER, O, by any of these schemes: BIO, also called
IOB2; IOB1, where B stands only between chunks of one type; IOBES, where E-PER ends a chunk and S-PER is one; BILOU,
with L for E and U for S; BMES, with M for I.

>>> true = [["B-PER", "I-PER", "O", "B-LOC"]]
>>> found = [["B-PER", "I-PER", "O", "B-PER"]]
>>> token_accuracy(true, found), chunk_scores(true, found)["all"]
(0.75, Scores(precision=0.5, recall=0.5, f1=0.5, support=2))

Source: E. Tjong Kim Sang and S. Buchholz, "Introduction to the CoNLL-2000 shared task: chunking", CoNLL 2000, section
3, and its script conlleval; for E and S, and L, U and M in their places, the rules that follow from their meaning.
"""
from collections import Counter
from itertools import chain
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import in_order, is_missing

# A chunk ends between two labels, by the marks of the first and the second, or one begins there.
ENDS = {"BB", "BO", "IB", "IO", "BS", "IS", "EE", "EI", "EO", "EB", "ES", "SB", "SI", "SO", "SE", "SS"}
BEGINS = {"BB", "IB", "OB", "OI", "EB", "EE", "EI", "OE", "SB", "SI", "SE", "BS", "IS", "OS", "ES", "SS"}
MARKS = frozenset("BIOESLUM")
SAME = str.maketrans("LUM", "ESI")                       # other letters for the marks


class Scores(NamedTuple):
    """Of what was found, how much is right; of what is there, how much was found; their harmonic mean; how much is
    there."""
    precision: float
    recall: float
    f1: float
    support: int


def token_accuracy(y_true, y_pred):
    """The share of tokens whose label is right.

    Raises ValueError where the two differ in length, for labels that are not in sequences, for labels that are missing
    (None, NaN) or of several types, and if there is no token at all; so do the functions below.

    Parameters
    ----------
    y_true, y_pred : list (S,) of sequences of str
        Labels of S sequences: the right ones, and those to judge.
    """
    pairs = _pairs(y_true, y_pred)
    return sum(a == b for a, b in pairs) / len(pairs)


def sequence_accuracy(y_true, y_pred):
    """The share of sequences whose labels are all right.  Raises ValueError as `token_accuracy` does.

    Parameters
    ----------
    y_true, y_pred : list (S,) of sequences of str
        Labels of S sequences: the right ones, and those to judge.
    """
    y_true, y_pred = _sequences(y_true, y_pred)
    return sum(a == b for a, b in zip(y_true, y_pred)) / len(y_true)


def label_scores(y_true, y_pred):
    """{label: Scores} of each label that occurs, over all tokens.  Raises ValueError as `token_accuracy` does.

    Parameters
    ----------
    y_true, y_pred : list (S,) of sequences of str
        Labels of S sequences: the right ones, and those to judge.
    """
    pairs = _pairs(y_true, y_pred)
    right = Counter(a for a, b in pairs if a == b)
    there, found = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    return {label: _scores(right[label], found[label], there[label]) for label in sorted(there | found)}


def chunk_scores(y_true, y_pred):
    """{type: Scores} of the chunks of each type, and under "all" of all together.

    Raises ValueError as `token_accuracy` does, and for labels that are neither O nor like B-PER.

    Parameters
    ----------
    y_true, y_pred : list (S,) of sequences of str
        Labels of S sequences: the right ones, and those to judge.
    """
    y_true, y_pred = _sequences(y_true, y_pred)
    there = [(s, *chunk) for s, labels in enumerate(y_true) for chunk in chunks(labels)]
    found = [(s, *chunk) for s, labels in enumerate(y_pred) for chunk in chunks(labels)]
    right = set(there) & set(found)
    counts = [Counter(kind for *_, kind in some) for some in (right, found, there)]
    scores = {kind: _scores(*(count[kind] for count in counts)) for kind in sorted(counts[1] | counts[2])}
    return scores | {"all": _scores(len(right), len(found), len(there))}


def chunks(labels):
    """The chunks of one sequence: (first, last, type), places from 0.

    A label that does not fit to the one before begins a chunk: O I-PER, B-PER I-LOC.  Raises ValueError as `split_tag`.

    Parameters
    ----------
    labels : list (T,) of str
        Labels of the T tokens, each O, or B, I, E or S with a type, as in B-PER; or L, U, M for E, S, I.
    """
    if isinstance(labels, (str, bytes)):
        raise ValueError(f"labels: expected a list of labels, got the string {labels!r}")
    found, begin = [], None
    tags = [*map(split_tag, labels), ("O", "")]
    before, its_kind = "O", ""
    for t, (mark, kind) in enumerate(tags):
        mark = mark.translate(SAME)
        if begin is not None and (before + mark in ENDS or before != "O" and kind != its_kind):
            found.append((begin, t - 1, its_kind))
            begin = None
        if before + mark in BEGINS or mark != "O" and kind != its_kind:
            begin = t
        before, its_kind = mark, kind
    return found


def split_tag(label):
    """("B", "PER") for B-PER, ("B", "") for B, ("O", "") for O.  One label, of shape (); raises ValueError for
    others."""
    mark, _, kind = label.partition("-") if isinstance(label, str) else ("", "", "")
    if mark not in MARKS or mark == "O" and label != "O":
        raise ValueError(f"the label {label!r}: expected O, or B, I, E or S (or L, U, M) with a type, as in B-PER")
    return mark, kind


def _scores(right, found, there):
    precision, recall = right / found if found else 0.0, right / there if there else 0.0
    return Scores(precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0, there)


def _pairs(y_true, y_pred):
    """All tokens as (true label, predicted label)."""
    return [pair for a, b in zip(*_sequences(y_true, y_pred)) for pair in zip(a, b)]


def _sequences(y_true, y_pred):
    """Both as lists of lists of labels, of the same lengths."""
    y_true, y_pred = _listed(y_true, "y_true"), _listed(y_pred, "y_pred")
    if len(y_true) != len(y_pred):
        raise ValueError(f"y_true has {len(y_true)} sequences, y_pred {len(y_pred)}; expected the same number")
    for s, (a, b) in enumerate(zip(y_true, y_pred)):
        if len(a) != len(b):
            raise ValueError(f"y_true[{s}] has {len(a)} labels, y_pred[{s}] {len(b)}; expected the same number")
    try:
        labels = set(chain.from_iterable((*y_true, *y_pred)))
    except TypeError as error:
        raise ValueError(f"y_true and y_pred: expected labels that are strings or numbers: {error}") from None
    if not labels:
        raise ValueError("y_true: expected at least one label")
    if any(map(is_missing, labels)):
        raise ValueError("y_true and y_pred: a label is None or NaN, which is neither right nor wrong; leave such "
                         "tokens out of both")
    if len({isinstance(label, str) for label in labels}) > 1:
        raise ValueError(f"y_true and y_pred: expected labels of one type, got {sorted(map(repr, labels))[:5]}")
    return y_true, y_pred


def _listed(y, name):
    """`y` as a list of lists of labels, each read once.  Raises ValueError for what is no sequence of sequences."""
    if not in_order(y):
        raise ValueError(f"{name}: expected a list of sequences of labels, got {type(y).__name__}")
    sequences = list(y)
    for s, labels in enumerate(sequences):
        if not in_order(labels) or getattr(labels, "ndim", 1) > 1:
            raise ValueError(f"{name}[{s}]: expected a sequence of labels, got {labels!r:.40}; if {name} is one "
                             f"sequence, pass [{name}]")
    return [labels.tolist() if isinstance(labels, np.ndarray) else list(labels) for labels in sequences]
