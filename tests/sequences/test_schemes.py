"""Legal labels are those that spell out chunks."""
from itertools import product

import numpy as np
import pytest

from scratchml.sequences.schemes import legal_transitions

BIO = ["O", "B-X", "I-X", "B-Y", "I-Y"]
IOBES = ["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "E-Y"]


def spelled(scheme, T):
    """Every tagging of T tokens that chunks of X and Y spell out."""
    if T == 0:
        return {()}
    found = {("O", *rest) for rest in spelled(scheme, T - 1)}
    for kind, n in product("XY", range(1, T + 1)):
        if scheme == "BIO":
            chunk = [f"B-{kind}", *[f"I-{kind}"] * (n - 1)]
        else:
            chunk = [f"S-{kind}"] if n == 1 else [f"B-{kind}", *[f"I-{kind}"] * (n - 2), f"E-{kind}"]
        found |= {(*chunk, *rest) for rest in spelled(scheme, T - n)}
    return found


@pytest.mark.parametrize("scheme, classes", [("BIO", BIO), ("IOBES", IOBES), ("BIO", sorted(BIO)[::-1])])
@pytest.mark.parametrize("T", [1, 2, 3, 4])
def test_what_is_legal_is_what_chunks_spell(scheme, classes, T):
    legal = legal_transitions(classes, scheme)
    number = {label: k for k, label in enumerate(classes)}
    paths = {y for y in product(classes, repeat=T) if legal.first[number[y[0]]] and legal.last[number[y[-1]]]
             and all(legal.pairs[number[a], number[b]] for a, b in zip(y, y[1:]))}
    assert paths == {y for y in spelled(scheme, T) if set(y) <= set(classes)}


def test_pairs_and_nothing():
    assert all(part.all() for part in legal_transitions(["a", "b"]))
    legal = legal_transitions(["a", "b"], [("a", "b")])
    assert legal.pairs.tolist() == [[True, False], [True, True]] and legal.first.all() and legal.last.all()


@pytest.mark.parametrize("forbidden, message", [
    ("BILOU", "expected 'BIO', 'IOBES' or a list"), ([("a",)], r"pairs of labels such as \('O', 'I-PER'\), got \('a',\)"),
    (["ab"], "such as .* got 'ab'"), (("a", "b"), "such as .* got 'a'"), ([{"a", "b"}], "pairs of labels"), ([3], "got 3"),
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
    with pytest.raises(ValueError, match="the label 'S-X' is not of the scheme BIO"):
        legal_transitions(["O", "S-X"], "BIO")
