"""Sequence to sequence: how English words are said, by LSTMs with attention and without, and by a transformer.

20,000 of 23,000 words, many of them names, are learnt: letters go in, phones without stress come out.  3,000, drawn by
the seed, are held out.  A word is wrong if any of its phones is; phones that are wrong are counted by the edit
distance.  The LSTMs have 128 units and learn for twelve epochs; a transformer of two layers to read and two to write
has vectors of 128 numbers and learns for 22.  Greedy is a beam of one.

Phonetisaurus, a model of n-grams over pairs of letters and phones, has learnt the same 20,000 words; so have networks
of these sizes in PyTorch.  Figures that are published for this dictionary are of systems that learnt 106,000 words:
they are of another task.
"""
import numpy as np

from scratchml.datasets import load_pronunciations
from scratchml.metrics.edit import error_rate, exact_match
from scratchml.sequences import Seq2Seq
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.sequences.seq2seq"
DATA = "how 23,000 English words are said, 3,000 of them held out"
HELD_OUT, FEW, SHOWN = 3000, 2000, 300                   # of the few: words that are learnt, and asked for
INSIDE, AFTER, NONE, WITHIN = "attention in the cell", "attention after the cell", "no attention", "a transformer"
MODELS = {INSIDE: {}, AFTER: dict(attention="luong"), NONE: dict(attention=None),
          WITHIN: dict(architecture="transformer", num_layers=2, batch_size=128, epochs=22, dropout=0.1, max_norm=1.0)}
WRONG = "words wrong, greedy", "phones wrong, greedy", "words wrong, beam 5", "phones wrong, beam 5"
SPEED = "words a second, beam 5"
KNOWN = {(INSIDE, WRONG[0]): ("43.5 %", "phonetisaurus 0.3.0"), (INSIDE, WRONG[1]): ("10.40 %", "phonetisaurus 0.3.0"),
         (INSIDE, WRONG[2]): ("44.3 %", "torch 2.13.0"), (NONE, WRONG[2]): ("56.0 %", "torch 2.13.0")}
WORDS = "philanthropists", "knickerbockered", "theodor", "phoenix", "wrightsman"
LOOKED_AT = "philanthropists", "wrightsman"
PENALTIES = -4.0, -2.0, 0.0, 4.0, 8.0
RECORDED = (                                             # with --full and seed 0
    "2026-12-01",
    {INSIDE: ("46.0 %", "11.24 %", "45.3 %", "10.78 %", "2,695"),
     AFTER: ("46.2 %", "11.17 %", "45.4 %", "10.87 %", "4,451"),
     NONE: ("58.0 %", "18.38 %", "56.5 %", "16.88 %", "6,096"),
     WITHIN: ("48.2 %", "11.77 %", "47.4 %", "11.35 %", "1,690")},
    [("philanthropists", "F IH L AH N TH R AH P IH S T S", "0.20"), ("", "F IH L AH N TH R AA P IH S T S", "0.16"),
     ("", "F IH L AH N TH R AA P AH S T S", "0.08"), ("knickerbockered", "N IH K ER B AA K ER D", "0.74"),
     ("", "N IH K ER B AO K ER D", "0.05"), ("", "N IH K ER B AA K IH D", "0.04"),
     ("theodor", "TH IY AH D ER", "0.42"), ("", "TH IY OW D ER", "0.28"), ("", "TH IY AH D AO R", "0.07"),
     ("phoenix", "F OW EH N IH K S", "0.57"), ("", "F OW N IH K S", "0.12"), ("", "F OW IH N IH K S", "0.12"),
     ("wrightsman", "R AY T S M AH N", "0.92"), ("", "R IH T S M AH N", "0.03"), ("", "R AY T S M AE N", "0.02")],
    [("F IH L AH N TH R AH P IH S T S end",
      ["810000000000000", "008100000000000", "000800000000000", "000260000000000", "000035000000000",
       "000000801000000", "000000007000000", "000000001610000", "000000000080000", "000000000008000",
       "000000000000710", "000000000000062", "000000000000018", "000000000000018"]),
     ("R AY T S M AH N end",
      ["2700000000", "0080000000", "0001070000", "0000035100", "0000001700", "0000000540", "0000000009",
       "0000000018"])],
    [("-4", "3.54 phones a word", "57.6 % of words wrong"), ("-2", "6.40 phones a word", "45.6 % of words wrong"),
     ("0", "6.72 phones a word", "45.3 % of words wrong"), ("4", "6.76 phones a word", "45.4 % of words wrong"),
     ("8", "22.32 phones a word", "87.1 % of words wrong")])


def run(seed, pictures, full):
    """Rows of the table: words and phones that are wrong; readings of some words, and what the decoder looks at."""
    train, test = words(seed)
    if full:
        models = {}
        for name, options in MODELS.items():
            models[name] = Seq2Seq(**options, random_state=seed)
            _, seconds = timed(models[name].fit, *train)
            yield from rows(name, figures(models[name], *test), seconds)
        readings, looks, penalties = examples(models[INSIDE], *test)
    else:
        few = [some[:FEW] for some in train], [some[:SHOWN] for some in test]
        model = Seq2Seq(48, embedding_dim=32, epochs=6, learning_rate=0.01, batch_size=32, random_state=seed)
        _, seconds = timed(model.fit, *few[0])
        yield Row(f"{WRONG[1]}, {INSIDE}, 48 units, {FEW:,} words learnt", figures(model, *few[1])[1], seconds=seconds)
        for name, found in RECORDED[1].items():
            yield from rows(name, found, recorded=RECORDED[0])
        readings, looks, penalties = RECORDED[2:]
    when = ":" if full else f", recorded on {RECORDED[0]}:"
    yield Example("Its three best readings, and their probabilities" + when, columns(readings))
    yield Example(f"What a length penalty does to the {HELD_OUT:,} words, with a beam of 5" + when, columns(penalties))
    for word, (phones, tenths) in zip(LOOKED_AT, looks):
        yield Example(f"What each phone of {word} looks at, in tenths" + when, heat_map(word, phones, tenths))
    if pictures:
        draw(pictures, looks)


def words(seed):
    """Spellings and phones, to learn from and held out."""
    said = load_pronunciations()
    order = np.random.default_rng(seed).permutation(len(said.words))
    return [([said.words[n] for n in some], [said.phones[n] for n in some])
            for some in (order[:-HELD_OUT], order[-HELD_OUT:])]


def figures(model, X, y):
    """Shares of words and phones that are wrong, greedy and with a beam of 5; words a second with this."""
    (greedy, _), (best, seconds) = (timed(model.predict, X, size) for size in (1, 5))
    wrong = [text for some in (greedy, best)
             for text in (share(1 - exact_match(y, some), 1), share(error_rate(y, some), 2))]
    return [*wrong, f"{len(X) / seconds:,.0f}"]


def share(part, digits):
    return f"{100 * part:.{digits}f} %"


def rows(name, found, seconds=None, recorded=""):
    for measure, ours in zip((*WRONG, SPEED), found):
        theirs, package = KNOWN.get((name, measure), ("", ""))
        yield Row(f"{measure}, {name}", ours, theirs, package, seconds, recorded)
        seconds = None


# --- what a person looks at -------------------------------------------------------------------------


def examples(model, X, y):
    """Lines of readings; of `LOOKED_AT` the phones and the alignments in tenths; lines of penalties."""
    readings = []
    for word, (found, likelihoods) in zip(WORDS, model.predict_n_best(WORDS, 3)):
        for phones, likelihood in zip(found, likelihoods):
            readings.append((word, " ".join(phones), f"{np.exp(likelihood):.2f}"))
            word = ""
    looks = [(" ".join([*phones, "end"]), ["".join(str(min(9, int(10 * p))) for p in row) for row in table])
             for phones, table in zip(model.predict(LOOKED_AT), model.alignments(LOOKED_AT))]
    penalties = []
    for penalty in PENALTIES:
        found = model.set_params(length_penalty=penalty).predict(X)
        penalties.append((f"{penalty:g}", f"{np.mean(list(map(len, found))):.2f} phones a word",
                          share(1 - exact_match(y, found), 1) + " of words wrong"))
    model.set_params(length_penalty=0.0)
    return readings, looks, penalties


def heat_map(word, phones, tenths):
    """Letters across, phones down; nothing where less than a tenth is looked at."""
    return [" " * 5 + " ".join(word)] + [f"{phone:<5}" + " ".join(row.replace("0", "."))
                                         for phone, row in zip(phones.split(), tenths)]


def draw(pictures, looks):
    """The same as pictures: th and ph are one phone, and what is silent nobody looks at."""
    figure = pictures.figure(10, 4.5)
    for axes, word, (phones, tenths) in zip(figure.subplots(1, len(looks)), LOOKED_AT, looks):
        axes.imshow([[int(digit) for digit in row] for row in tenths], cmap="Blues", vmin=0, vmax=9)
        axes.set_xticks(range(len(word)), word)
        axes.set_yticks(range(len(tenths)), phones.split(), fontsize=8)
        axes.set(xlabel="letter", ylabel="phone")
    figure.suptitle("What each phone looks at", fontsize=11)
    pictures.save(figure, "seq2seq-alignments")
