"""The best labelling of a whole sequence: a field learns from labelled addresses which part each word is of.

Every fifth address is kept for the test; then a model of all of them is asked about addresses that are written worse.
Where python-crfsuite is installed it is trained here on the same features, otherwise its figures are those of 0.9.12.
"""
import os
import tempfile
import warnings

import numpy as np

from scratchml.core.estimator import ConvergenceWarning
from scratchml.datasets import load_addresses
from scratchml.metrics.tagging import sequence_accuracy, token_accuracy
from scratchml.sequences.features import sentence_features
from scratchml.sequences.tagger import CRF
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.sequences.crf"
DATA = "addresses in the United States"
PEER = "python-crfsuite 0.9.12"
SETTINGS = dict(c1=0.1, c2=0.1, max_iterations=100)
STATED = {"addresses": ("2042", "223"), "messy addresses": ("353", "29")}


def run(seed, pictures, full):
    """Rows of the table: tokens and whole addresses that are right; the heaviest transitions, two tagged addresses."""
    clean, messy = load_addresses(), load_addresses(messy=True)
    X = [sentence_features(words) for words in clean.tokens]
    train, test = [i for i in range(len(X)) if i % 5], range(0, len(X), 5)
    tasks = {"addresses": ([X[i] for i in train], [clean.labels[i] for i in train],
                           [X[i] for i in test], [clean.labels[i] for i in test]),
             "messy addresses": (X, clean.labels, [sentence_features(words) for words in messy.tokens], messy.labels)}
    _ours(X[:2], clean.labels[:2], X[:2])                # compiles
    models = {}
    for name, (X_train, y_train, X_test, y_test) in tasks.items():
        (models[name], found), seconds = timed(_ours, X_train, y_train, X_test)
        theirs = _crfsuite(X_train, y_train, X_test)
        tokens, whole = STATED[name] if theirs is None else counts(theirs, y_test)
        right = counts(found, y_test)
        yield Row(f"{name}: tokens right, of {sum(map(len, y_test)):,}", right[0], tokens, PEER, seconds)
        yield Row(f"{name}: all tokens right, of {len(y_test)}", right[1], whole, PEER, seconds)
    model = models["addresses"]
    heaviest = sorted(model.transition_features_.items(), key=lambda item: -abs(item[1]))[:5]
    yield Example("What follows what, by the five heaviest transitions:", columns(
        [(f"{weight:+.2f}", f"{before}, then {after}") for (before, after), weight in heaviest]))
    for i in (10, 45):
        found, truth = model.predict_single(X[i]), clean.labels[i]
        yield Example(f"Address {i}, which it has not seen, and what it takes each word for:", columns(
            [(word, label, "" if label == right else f"by hand: {right}")
             for word, label, right in zip(clean.tokens[i], found, truth)]))
    if pictures:
        draw_transitions(pictures, model)
        draw_marginals(pictures, model, clean.tokens[10], X[10])


def counts(found, y):
    """How many tokens and how many sequences are right, as text."""
    tokens = token_accuracy(y, found) * sum(map(len, y))
    return f"{tokens:.0f}", f"{sequence_accuracy(y, found) * len(y):.0f}"


def _ours(X, y, X_test):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)          # 100 iterations are what both are given
        model = CRF(**SETTINGS, all_possible_transitions=True).fit(X, y)
    return model, model.predict(X_test)


def _crfsuite(X, y, X_test):
    """What CRFsuite finds; None where it is not installed."""
    try:
        import pycrfsuite
    except ImportError:
        return None
    trainer = pycrfsuite.Trainer(verbose=False)
    for x, labels in zip(X, y):
        trainer.append(x, labels)
    trainer.set_params({**SETTINGS, "feature.possible_transitions": True})
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(os.path.join(folder, "model"))
        tagger = pycrfsuite.Tagger()
        tagger.open(os.path.join(folder, "model"))
        found = [tagger.tag(x) for x in X_test]
        tagger.close()
    return found


# --- pictures ------------------------------------------------------------------------------------


def draw_transitions(pictures, model):
    """The weight of each pair of labels, as a map."""
    K = len(model.classes_)
    weights = np.zeros((K, K))
    for (before, after), weight in model.transition_features_.items():
        weights[model.classes_.index(before), model.classes_.index(after)] = weight
    figure = pictures.figure(8, 7)
    axes = figure.subplots()
    most = np.abs(weights).max()
    figure.colorbar(axes.imshow(weights, cmap="RdBu", vmin=-most, vmax=most), label="weight", shrink=0.6)
    axes.set_xticks(range(K), model.classes_, rotation=90, fontsize=6)
    axes.set_yticks(range(K), model.classes_, fontsize=6)
    axes.set(xlabel="label", ylabel="label before", title="What may follow what in an address")
    pictures.save(figure, "crf-transitions")


def draw_marginals(pictures, model, words, x):
    """The probability of each label at each word of one address, of labels that are likely anywhere."""
    tokens = model.predict_marginals([x])[0]
    likely = [label for label in model.classes_ if max(token[label] for token in tokens) > 0.02]
    figure = pictures.figure(8, 4)
    axes = figure.subplots()
    table = np.array([[token[label] for token in tokens] for label in likely])
    figure.colorbar(axes.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto"), label="probability")
    axes.set_xticks(range(len(words)), words, rotation=30, ha="right", fontsize=8)
    axes.set_yticks(range(len(likely)), likely, fontsize=8)
    axes.set_title("How sure the field is of one address")
    pictures.save(figure, "crf-marginals")
