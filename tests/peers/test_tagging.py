"""Chunks beside seqeval: by conlleval's rules where labels are in any order, by each scheme where they are legal."""
import warnings

import numpy as np
import pytest

from scratchml.metrics.tagging import chunk_scores
from scratchml.sequences.schemes import legal_transitions

seqeval = pytest.importorskip("seqeval.metrics")
schemes = pytest.importorskip("seqeval.scheme")
LABELS = {"IOB2": ("BIO", "BI"), "IOB1": ("IOB1", "BI"), "IOBES": ("IOBES", "BIES"), "BILOU": ("BILOU", "BILU")}


def labels(marks):
    return ["O", *(f"{mark}-{kind}" for kind in ("LOC", "PER") for mark in marks)]


def walk(rng, classes, legal):
    """A legal tagging, drawn label by label; one that cannot end is drawn anew."""
    while True:
        path = [rng.choice(np.flatnonzero(legal.first))]
        while len(path) < 12:
            path.append(rng.choice(np.flatnonzero(legal.pairs[path[-1]])))
        if legal.last[path[-1]]:
            return [classes[k] for k in path]


def same_scores(true, found, **options):
    ours = chunk_scores(true, found)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = seqeval.classification_report(true, found, output_dict=True, zero_division=0, **options)
    for kind, name in [(kind, kind) for kind in ours if kind != "all"] + [("all", "micro avg")]:
        np.testing.assert_allclose(ours[kind],
                                   [theirs[name][key] for key in ("precision", "recall", "f1-score", "support")],
                                   rtol=1e-12, err_msg=kind)
    assert ours["all"].f1 > 0


@pytest.mark.parametrize("name", LABELS)
def test_legal_labels_of_each_scheme(name):
    scheme, marks = LABELS[name]
    rng, classes = np.random.default_rng(0), labels(marks)
    legal = legal_transitions(classes, scheme)
    true, other = ([walk(rng, classes, legal) for _ in range(60)] for _ in range(2))
    found = [a if rng.random() < 0.5 else b for a, b in zip(true, other)]
    same_scores(true, found, mode="strict", scheme=getattr(schemes, name))


@pytest.mark.parametrize("marks", ["BI", "BIES"])
def test_labels_in_any_order(marks):
    rng, classes = np.random.default_rng(1), labels(marks)
    true = [rng.choice(classes, 8).tolist() for _ in range(80)]
    same_scores(true, [[label if rng.random() < 0.7 else str(rng.choice(classes)) for label in y] for y in true])
