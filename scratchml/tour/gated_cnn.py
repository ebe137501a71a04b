"""Gated convolutions: a language model of spellings, beside Kneser-Ney, an LSTM and a transformer; stress of words.

20,000 of 23,000 English words, letters alone and many of them names, are learnt; 3,000, drawn by the seed, are held
out.  The figure is bits a letter, the end of a word counted as one: two to this power is from how many letters a die
would have to choose.  Kneser-Ney is in its strongest form, with three discounts a level.  The networks are told nothing
but the letters; all are trained by the same loop for eight epochs, the LSTM with longer steps, as it learns too slowly
by those of the others.

Two more tasks are those of other chapters: which vowels of a word are stressed, given its phones (lstm), and what the
words of an address are, given the attributes of each alone (bilstm_tagger); the latter is a mean of three seeds.
"""
import textwrap

import numpy as np

from scratchml.autograd import Tensor
from scratchml.datasets import load_pronunciations
from scratchml.nn import (LSTM, Dropout, Embedding, Linear, Module, PositionalEncoding, TransformerEncoder,
                          TransformerEncoderLayer)
from scratchml.sequences import GatedConvLanguageModel, GatedConvTagger, KneserNey
from scratchml.sequences.gated_cnn import NeuralLanguageModel
from scratchml.tour.bilstm_tagger import MEASURES, SEEDS, addresses, scores, shown, sizes
from scratchml.tour.lstm import main_stress_right, share
from scratchml.tour.table import Example, Row, timed

CHAPTER = "scratchml.sequences.gated_cnn"
DATA = "the spelling of 23,000 English words, 3,000 of them held out"
HELD_OUT, FEW, CHANNELS, WORDS = 3000, 2000, 96, 12
MEASURE = "bits a letter"
ORDERS = (3, 4, 5, 6, 7)
RECORDED = (                                             # with --full and seed 0
    "2026-11-30",
    {"bits a letter, gated convolutions, 96 channels": "3.063", "bits a letter, the same without residuals": "3.324",
     "bits a letter, an LSTM, 128 units": "3.078", "bits a letter, a transformer, 3 layers of 96": "3.264",
     "stress: all vowels right": "80.7 %", "stress: main stress right": "91.8 %",
     "addresses: tokens right, of 2,209": "2,062", "addresses: addresses right, of 303": "226",
     "addresses: F1 of their parts": "0.926"},
    ("gandourise", "rorman", "by", "osker", "pandachte", "finebi", "grance", "merco", "hotter", "vullate", "pizer",
     "omenban"))


class Reader(Module):
    """Vectors of letters, a network that reads them, and scores of the next letter."""

    def __init__(self, V, reader, width, rng):
        self.vectors = Embedding(V, CHANNELS, random_state=rng)
        self.reader, self.dropout = reader, Dropout(0.2, random_state=rng)
        self.scores = Linear(width, V, random_state=rng)

    def forward(self, numbers, lengths):
        return self.scores(self.dropout(self.reader(self.dropout(self.vectors(numbers)), lengths)))


class Recurrent(Module):
    """An LSTM, without the states that it ends in."""

    def __init__(self, rng):
        self.lstm = LSTM(CHANNELS, 128, batch_first=True, random_state=rng)

    def forward(self, x, lengths):
        return self.lstm(x, lengths=lengths)[0]


class Attentive(Module):
    """Positions, and three layers of attention to what has been before."""

    def __init__(self, rng):
        self.places = PositionalEncoding(CHANNELS, batch_first=True, random_state=rng)
        layer = TransformerEncoderLayer(CHANNELS, 4, 256, 0.2, batch_first=True, norm_first=True, random_state=rng)
        self.layers = TransformerEncoder(layer, 3)

    def forward(self, x, lengths):
        T = x.shape[1]
        return self.layers(self.places(x), mask=np.triu(np.ones((T, T), bool), 1))


class NetworkOf(NeuralLanguageModel):
    """A language model with the reader that `make(rng)` gives, trained as that of gated convolutions is."""

    def __init__(self, make, width, learning_rate, random_state=None):
        self.make, self.width, self.learning_rate, self.random_state = make, width, learning_rate, random_state
        trained = GatedConvLanguageModel()
        self.epochs, self.batch_size, self.max_norm = trained.epochs, trained.batch_size, trained.max_norm
        self.verbose, self.callback = 0, None

    def _network(self, V, rng):
        return Reader(V, self.make(rng), self.width, rng)


def networks(seed):
    """{what it is called: a language model}, of which the first makes up words."""
    return {f"gated convolutions, {CHANNELS} channels": GatedConvLanguageModel(CHANNELS, random_state=seed),
            "the same without residuals": GatedConvLanguageModel(CHANNELS, residual=False, random_state=seed),
            "an LSTM, 128 units": NetworkOf(Recurrent, 128, 0.01, seed),
            f"a transformer, 3 layers of {CHANNELS}": NetworkOf(Attentive, CHANNELS, 0.003, seed)}


def run(seed, pictures, full):
    """Rows of the table: bits a letter of each model, stress of words; words that two of them make up; the field
    drawn."""
    said = load_pronunciations()
    order = np.random.default_rng(seed).permutation(len(said.words))
    train, test = ([said.words[n] for n in some] for some in (order[:-HELD_OUT], order[-HELD_OUT:]))
    for n in ORDERS:
        counts, seconds = timed(KneserNey(n).fit, train)
        yield Row(f"{MEASURE}, Kneser-Ney of order {n}", f"{counts.bits(test):.3f}", seconds=seconds)
    few = GatedConvLanguageModel(48, 2, 3, dropout=0.1, epochs=10, learning_rate=0.01, random_state=seed)
    _, seconds = timed(few.fit, train[:FEW])
    yield Row(f"{MEASURE}, {FEW:,} words, two small layers", f"{few.bits(test):.3f}",
              f"{KneserNey(5).fit(train[:FEW]).bits(test):.3f}", "Kneser-Ney of order 5", seconds)
    made = RECORDED[2]
    if full:
        for k, (name, model) in enumerate(networks(seed).items()):
            _, seconds = timed(model.fit, train)
            made = model.sample(WORDS, random_state=seed) if k == 0 else made
            yield Row(f"{MEASURE}, {name}", f"{model.bits(test):.3f}", seconds=seconds)
        yield from stress(said, order, seed)
        yield from read_addresses(seed)
    else:
        for measure, figure in RECORDED[1].items():
            yield Row(measure, figure, recorded=RECORDED[0])
    yield Example("Words that gated convolutions make up" + (":" if full else f", recorded on {RECORDED[0]}:"),
                  textwrap.wrap(", ".join(made), 92))
    yield Example("Words that Kneser-Ney of order 7 makes up:",
                  textwrap.wrap(", ".join(counts.sample(WORDS, random_state=seed)), 92))
    if pictures:
        draw_field(pictures, seed)


def stress(said, order, seed):
    """Rows: words whose stress a tagger finds, where consonants have no label."""
    X = [[[phone] for phone in phones] for phones in said.phones]
    y = [[str(s) if s >= 0 else None for s in word] for word in said.stress]
    train, test = order[:-HELD_OUT], order[-HELD_OUT:]
    tagger = GatedConvTagger(CHANNELS, attribute_dropout=0.0, dropout=0.2, epochs=6, batch_size=64,
                             random_state=seed)
    _, seconds = timed(tagger.fit, [X[n] for n in train], [y[n] for n in train])
    found = [[int(a) for a, b in zip(labels, y[n]) if b] for labels,
             n in zip(tagger.predict([X[n] for n in test]), test)]
    truth = [[s for s in said.stress[n] if s >= 0] for n in test]
    all_right = np.array([a == b for a, b in zip(found, truth)])
    yield Row("stress: all vowels right", share(all_right), seconds=seconds)
    yield Row("stress: main stress right", share(main_stress_right(found, truth)))


def read_addresses(seed):
    """Rows: what three layers of three taps, with a field on top, find in addresses."""
    data = addresses()

    def found(seed):
        tagger = GatedConvTagger(CHANNELS, 3, 3, crf=True, random_state=seed)
        return scores(tagger.fit(data.words, data.y).predict(data.words_test), data.y_test)
    each, seconds = timed(lambda: [found(seed + k) for k in range(SEEDS)])
    for measure, figure in zip(MEASURES, shown(np.mean(each, axis=0))):
        yield Row(f"addresses: {measure.format(*sizes(data, measure))}", figure, seconds=seconds)
        seconds = None


# --- what a stack sees ---------------------------------------------------------------------------


def seen(network, T):
    """|∂ of the result at the last of T places by the input of each layer|, and by the result, (L+1, T)."""
    x, rows = np.random.default_rng(0).normal(size=(1, T, network.vectors.weight.shape[1])).astype(np.float32), []
    for k in range(len(network.layers) + 1):
        y = given = Tensor(x, requires_grad=True)
        for layer in list(network.layers)[k:]:
            y = layer(y)
        y[0, -1].sum().backward()
        rows.append(np.abs(given.grad.data[0]).sum(axis=1))
        x = network.layers[k](x).data if k < len(network.layers) else x
    return np.array(rows)


def draw_field(pictures, seed):
    """Which inputs of each layer count for the last letter: a triangle that is 25 wide at the bottom."""
    model = GatedConvLanguageModel(16, 6, epochs=1, random_state=seed).fit(["a"])
    network, A = model.module_, model.receptive_field_
    table = seen(network, A + 5)
    figure = pictures.figure(8, 3)
    axes = figure.subplots()
    places = range(-A - 4, 1)
    for height, row in enumerate(table):
        dark = np.where(row > 0, 0.25 + 0.75 * row / row.max(), 0)
        axes.scatter(places, [height] * len(row), s=90, c=1 - dark, cmap="gray", vmin=0, vmax=1, edgecolors="0.8")
    axes.set(xlabel="letters before the last", yticks=range(len(table)),
             yticklabels=["letters", *(f"layer {k}" for k in range(1, len(table)))],
             title=f"What the last result of six layers of five taps depends on: {A} letters")
    pictures.save(figure, "gated-cnn-field")
