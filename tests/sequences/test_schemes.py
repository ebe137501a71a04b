"""Legal labels are those that spell out chunks."""
from itertools import accumulate, product

import numpy as np
import pytest

from scratchml.metrics.tagging import chunks
from scratchml.sequences.schemes import legal_transitions

BIO = ["O", "B-X", "I-X", "B-Y", "I-Y"]
IOBES = ["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "E-Y"]
BILOU = ["O", "B-X", "I-X", "L-X", "U-X", "B-Y", "L-Y", "U-Y"]
BMES = ["B", "M", "E", "S"]
TYPED = ["O", "B-X", "M-X", "E-X", "S-X", "S-Y", "B-Y", "E-Y"]
LETTERS = {"IOBES": "BIES", "BILOU": "BILU", "BMES": "BMES"}                 # first, middle, last, alone


def chunk(scheme, kind, n, before):
    """The labels of n tokens that are a chunk; `before` is the type of one that ends right before it."""
    if scheme in ("BIO", "IOB1"):
        marks = ("B" if scheme == "BIO" or before == kind else "I") + "I" * (n - 1)
    else:
        first, middle, last, single = LETTERS[scheme]
        marks = single if n == 1 else first + middle * (n - 2) + last
    return [f"{mark}-{kind}" if kind else mark for mark in marks]


def spelled(scheme, T, kinds="XY", before=None):
    """Every tagging of T tokens that chunks spell out, each with its chunks: {labels: ((n, type) or O, ...)}."""
    if T == 0:
        return {(): ()}
    found = {("O", *rest): ("O", *how) for rest, how in spelled(scheme, T - 1, kinds).items()}
    for kind, n in product(kinds, range(1, T + 1)):
        for rest, how in spelled(scheme, T - n, kinds, kind).items():
            found[*chunk(scheme, kind, n, before), *rest] = ((n, kind), *how)
    return found


@pytest.mark.parametrize("scheme, classes", [
    ("BIO", BIO), ("IOBES", IOBES), ("BIO", sorted(BIO)[::-1]), ("IOB1", BIO), ("BILOU", BILOU), ("BMES", BMES),
    ("BMES", TYPED),
])
@pytest.mark.parametrize("T", [1, 2, 3, 4])
def test_what_is_legal_is_what_chunks_spell(scheme, classes, T):
    legal = legal_transitions(classes, scheme)
    number = {label: k for k, label in enumerate(classes)}
    paths = {y for y in product(classes, repeat=T) if legal.first[number[y[0]]] and legal.last[number[y[-1]]]
             and all(legal.pairs[number[a], number[b]] for a, b in zip(y, y[1:]))}
    kinds = [""] if classes is BMES else "XY"
    assert paths == {y for y in spelled(scheme, T, kinds) if set(y) <= set(classes)}


@pytest.mark.parametrize("scheme", ["BIO", "IOB1", "IOBES", "BILOU", "BMES"])
def test_what_chunks_spell_is_read_as_these_chunks(scheme):
    for labels, parts in spelled(scheme, 4).items():
        ends = list(accumulate(1 if part == "O" else part[0] for part in parts))
        expected = [(end - part[0], end - 1, part[1]) for end, part in zip(ends, parts) if part != "O"]
        assert chunks(list(labels)) == expected, labels


def test_pairs_and_nothing():
    assert all(part.all() for part in legal_transitions(["a", "b"]))
    legal = legal_transitions(["a", "b"], [("a", "b")])
    assert legal.pairs.tolist() == [[True, False], [True, True]] and legal.first.all() and legal.last.all()


@pytest.mark.parametrize("forbidden, message", [
    ("IOB", "expected 'BIO', 'IOB1', 'IOBES', 'BILOU', 'BMES' or a list"),
    ([("a",)], r"pairs of labels such as \('O', 'I-PER'\), got \('a',\)"),
    (["ab"], "such as .* got 'ab'"), (("a", "b"), "such as .* got 'a'"), ([{"a", "b"}], "pairs of labels"),
    ([3], "got 3"),
    (3, "got int"), (iter([("a", "b")]), "a list of pairs of labels, got list_iterator"), ("BIO", "the label 'a'"),
])
def test_bad_schemes(forbidden, message):
    with pytest.raises(ValueError, match=message):
        legal_transitions(["a", "b"], forbidden)


@pytest.mark.parametrize("forbidden", [
    {("a", "b"), ("z", "b")}, np.array([["a", "b"], ["a", "z"]]), (["a", "b"], ("y", "z")), {("a", "b"): True},
    frozenset([("a", "b")]),
])
def test_pairs_in_any_collection_and_of_labels_that_a_part_lacks(forbidden):
    legal = legal_transitions(iter(["a", "b"]), forbidden)
    assert legal.pairs.tolist() == [[True, False], [True, True]] and legal.first.all() and legal.last.all()


def test_a_label_of_another_scheme():
    for scheme, label in [("IOBES", "L-X"), ("BILOU", "E-X"), ("BMES", "I-X"), ("IOB1", "S-X")]:
        with pytest.raises(ValueError, match=f"the label '{label}' is not of the scheme {scheme}"):
            legal_transitions(["O", label], scheme)
    with pytest.raises(ValueError, match="the label 'S-X' is not of the scheme BIO"):
        legal_transitions(["O", "S-X"], "BIO")
