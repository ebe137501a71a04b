"""A tagger that reads both ways: an LSTM learns from the words around what a field alone must be told of by hand.

Every fifth address is held out, as for the field of the chapter crf.  That field is given each word's attributes and,
made by hand, those of its neighbours; the LSTM is given the word's own alone, and has a field on top or a softmax a
word.  With --full both learn from all other addresses, the LSTM with three seeds, whose mean is shown; without it from
a quarter of them.  An address is right if all of its words are; F1 is of its parts, which are words of one label in a
row, as the CoNLL shared tasks count chunks.

The figures to compare with are those of the same networks in PyTorch with pytorch-crf: `python -m
scratchml.tour.bilstm_tagger` measures them, and takes some minutes.
"""
import warnings
from collections import Counter
from itertools import chain
from typing import NamedTuple

import numpy as np

from scratchml.core.estimator import ConvergenceWarning
from scratchml.datasets import load_addresses
from scratchml.metrics.tagging import chunk_scores, sequence_accuracy, token_accuracy
from scratchml.sequences.bilstm_tagger import BiLSTMTagger
from scratchml.sequences.features import sentence_features, word_features
from scratchml.sequences.tagger import CRF
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.sequences.bilstm_tagger"
DATA = "addresses in the United States, every fifth held out"
PEER = "torch 2.13.0"
HAND, WORDS, BOTH, SOFTMAX, ALL = MODELS = (
    "field, neighbours by hand", "field, own words", "LSTM and field, own words", "LSTM and softmax, own words",
    "LSTM and field, neighbours by hand")
MEASURES = "tokens right, of {:,}", "addresses right, of {}", "F1 of their parts"
RECORDED = "2026-11-30", (("2,042", "223", "0.920"), ("2,004", "213", "0.903"), ("2,044.3", "228.3", "0.923"),
                          ("2,015.7", "209", "0.897"), ("2,027", "209", "0.905"))
STATED = {"LSTM and field, own words": ("2,035", "224.3", "0.917"),
          "LSTM and softmax, own words": ("2,024.3", "207.3", "0.900")}
FEW = 4, 16                                              # without --full: every fourth address, and epochs
SEEDS = 3


def run(seed, pictures, full):
    """Rows of the table: tokens, addresses and parts that are right, by five taggers; what three of them get wrong."""
    data = addresses(1 if full else FEW[0])
    tagger("LSTM and field", 0, 1).fit(data.words[:2], data.y[:2])             # compiles
    found, models = {}, {}
    for name in MODELS if full else (HAND, BOTH, SOFTMAX):
        seeds = range(seed, seed + SEEDS) if full and name.startswith("LSTM") else [seed]
        learned, seconds = timed(lambda: [learn(name, data, seed, full) for seed in seeds])
        models[name], answers = learned[0]
        found[name] = answers
        figures = shown(np.mean([scores(labels, data.y_test) for _, labels in learned], axis=0))
        for measure, ours, theirs in zip(MEASURES, figures, STATED.get(name, ("",) * 3) if full else ("",) * 3):
            few = "" if full else f", {len(data.y)} learned"
            yield Row(f"{name}: {measure.format(*sizes(data, measure))}{few}", ours, theirs, PEER if theirs else "",
                      seconds)
            seconds = None
    for name, figures in zip(MODELS, () if full else RECORDED[1]):
        for measure, ours, theirs in zip(MEASURES, figures, STATED.get(name, ("",) * 3)):
            yield Row(f"{name}: {measure.format(*sizes(data, measure))}", ours, theirs, PEER if theirs else "",
                      recorded=RECORDED[0])
    for name in (HAND, BOTH, SOFTMAX):
        yield Example(f"What it gets wrong most often, {name}:", columns(confusions(found[name], data.y_test)))
    yield from one_address(data, found)
    if pictures:
        draw_marginals(pictures, data, models, found)


class Addresses(NamedTuple):
    """Attributes of words, alone and with those of their neighbours, and labels, to learn from; what is held out."""
    words: list
    neighbours: list
    y: list
    tokens_test: list
    words_test: list
    neighbours_test: list
    y_test: list


def addresses(every=1):
    """Addresses, parted; of those to learn from all, or every second, ..."""
    loaded = load_addresses()
    train = [n for n in range(len(loaded.tokens)) if n % 5][::every]
    test = range(0, len(loaded.tokens), 5)
    words = [[word_features(word) for word in tokens] for tokens in loaded.tokens]
    neighbours = [sentence_features(tokens) for tokens in loaded.tokens]
    return Addresses(*([some[n] for n in train] for some in (words, neighbours, loaded.labels)),
                     *([some[n] for n in test] for some in (loaded.tokens, words, neighbours, loaded.labels)))


def tagger(name, seed, epochs=30):
    """The tagger of a name."""
    if name.startswith("LSTM"):
        return BiLSTMTagger(crf="softmax" not in name, epochs=epochs, random_state=seed)
    return CRF(c1=0.1, c2=0.1, max_iterations=100, all_possible_transitions=True)


def attributes(name, data):
    """What the tagger of a name is given of the addresses to learn from, and of those held out."""
    return (data.neighbours, data.neighbours_test) if name in (HAND, ALL) else (data.words, data.words_test)


def learn(name, data, seed, full):
    """The fitted tagger of a name, and the labels that it finds in what is held out."""
    X, X_test = attributes(name, data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)          # 100 iterations, as in the tour of the field
        model = tagger(name, seed, 30 if full else FEW[1]).fit(X, data.y)
    return model, model.predict(X_test)


# --- what is right, and what is wrong --------------------------------------------------------------


def scores(found, y):
    """Tokens and addresses that are right, and the F1 of parts."""
    tokens = token_accuracy(y, found) * sum(map(len, y))
    f1 = chunk_scores(*(list(map(parts, some)) for some in (y, found)))["all"].f1
    return tokens, sequence_accuracy(y, found) * len(y), f1


def shown(figures):
    """The three as text: counts without decimals if they are whole."""
    tokens, whole, f1 = figures
    counts = (f"{count:,.0f}" if abs(count - round(count)) < 1e-6 else f"{count:,.1f}" for count in (tokens, whole))
    return *counts, f"{f1:.3f}"


def sizes(data, measure):
    return [sum(map(len, data.y_test))] if measure.startswith("tokens") else [len(data.y_test)]


def parts(labels):
    """Labels with marks: B- where a run of one label begins, I- where it goes on."""
    return [f"{'I' if t and labels[t - 1] == label else 'B'}-{label}" for t, label in enumerate(labels)]


def confusions(found, y, n=4):
    """Lines of the n pairs of labels that are taken for each other most often."""
    wrong = Counter((b, a) for a, b in zip(chain.from_iterable(found), chain.from_iterable(y)) if a != b)
    return [(f"{count}", f"{right}", f"taken for {label}") for (right, label), count in wrong.most_common(n)]


def one_address(data, found):
    """The first address that the field on the LSTM reads and the softmax does not, word by word."""
    for tokens, ours, softmax, right in zip(data.tokens_test, found[BOTH], found[SOFTMAX], data.y_test):
        if ours == right != softmax:
            yield Example("An address that it reads with the field, and not with a softmax a word:", columns(
                [(word, label, "" if label == other else f"softmax: {other}")
                 for word, label, other in zip(tokens, right, softmax)]))
            return


def draw_marginals(pictures, data, models, found):
    """How sure both are of the labels of one address, with the field and without."""
    n = next((n for n, right in enumerate(data.y_test) if found[BOTH][n] == right != found[SOFTMAX][n]), 0)
    figure = pictures.figure(10, 4)
    all_axes = figure.subplots(1, 2, sharey=True)
    tables = [models[name].predict_marginals([data.words_test[n]])[0] for name in (BOTH, SOFTMAX)]
    likely = [label for label in tables[0][0] if max(p[label] for table in tables for p in table) > 0.05]
    for axes, table, name in zip(all_axes, tables, ("with a field", "a softmax a word")):
        image = axes.imshow([[p[label] for p in table] for label in likely], cmap="Blues", vmin=0, vmax=1,
                            aspect="auto")
        axes.set_xticks(range(len(table)), data.tokens_test[n], rotation=30, ha="right", fontsize=8)
        axes.set_yticks(range(len(likely)), likely, fontsize=8)
        axes.set_title(name, fontsize=10)
    figure.colorbar(image, ax=all_axes, label="probability")
    pictures.save(figure, "bilstm-marginals")


# --- the figures to compare with -------------------------------------------------------------------


def measure():
    """Print what the same networks in PyTorch get right, the means of the seeds 0, 1 and 2, and what each of them
    gets."""
    data = addresses()
    for name in STATED:
        each = [scores(in_pytorch(name, data, seed), data.y_test) for seed in range(SEEDS)]
        print(f"{name}: {shown(np.mean(each, axis=0))} {[shown(one) for one in each]}", flush=True)


def in_pytorch(name, data, seed):
    """The labels that PyTorch finds: the settings of `BiLSTMTagger`, batches in random order, and one softmax or
    field."""
    import torch
    import torchcrf
    from torch import nn

    from scratchml.sequences.corpus import Attributes, Corpus, read_labels, read_tokens
    from scratchml.sequences.neural_tagger import batch
    torch.manual_seed(seed)
    numbers, (X, X_test) = Attributes(), attributes(name, data)
    starts, rows = read_tokens(X, numbers, grow=True)
    y, classes = read_labels(data.y, starts)
    rng, K, softmax = np.random.default_rng(seed), len(classes), "softmax" in name
    net = nn.ModuleDict({"vectors": nn.EmbeddingBag(len(numbers), 64, mode="sum", include_last_offset=True),
                         "lstm": nn.LSTM(64, 64, batch_first=True, bidirectional=True), "drop": nn.Dropout(0.4),
                         "scores": nn.Linear(128, K), "field": torchcrf.CRF(K, batch_first=True)})

    def emissions(rows, lengths, keep=1.0):
        values = torch.from_numpy((rng.random(rows.data.size) < keep) / keep).float()
        x = net["vectors"](torch.from_numpy(rows.indices.astype(np.int64)), torch.from_numpy(rows.indptr),
                           per_sample_weights=values)
        x = nn.utils.rnn.pad_sequence(torch.split(net["drop"](x), lengths.tolist()), batch_first=True)
        packed = nn.utils.rnn.pack_padded_sequence(x, torch.from_numpy(lengths), True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(net["lstm"](packed)[0], batch_first=True)
        return net["scores"](net["drop"](states)), torch.from_numpy(np.arange(lengths.max()) < lengths[:, None])

    corpus, steps = Corpus(starts, rows, y), torch.optim.Adam(net.parameters(), lr=0.003)
    for _ in range(30):
        order = rng.permutation(len(X))
        for first in range(0, len(X), 16):
            some, labels, at = batch(corpus, order[first:first + 16])
            E, there = emissions(some, np.diff(at), keep=0.8)
            target = torch.zeros(there.shape, dtype=torch.int64)
            target[there] = torch.from_numpy(labels.astype(np.int64))
            loss = nn.functional.cross_entropy(E[there], target[there]) if softmax else \
                -net["field"](E, target, there, "token_mean")
            steps.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            steps.step()
    net.eval()
    starts, rows = read_tokens(X_test, numbers, grow=False)
    with torch.no_grad():
        E, there = emissions(rows, np.diff(starts))
        found = [row[own].argmax(-1).tolist() for row,
                 own in zip(E, there)] if softmax else net["field"].decode(E, there)
    return [[classes[k] for k in labels] for labels in found]


if __name__ == "__main__":
    measure()
