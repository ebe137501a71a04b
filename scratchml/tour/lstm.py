"""Recurrent layers: a bidirectional LSTM reads how a word is said and tells which of its vowels are stressed.

23,000 words of the CMU Pronouncing Dictionary, many of them names, are given as phones without stress; 3,000 of them,
drawn by the seed, are held out; of the rest it learns 5,000, and with --full all.  A word counts only if each of its
vowels is right: main stress, lesser, or none; or, in the second figure, if the first vowel that is labelled with the
main stress is the one that has it.

The figures to compare with were measured on these words with seed 0: `python -m scratchml.tour.lstm` does that again,
in some minutes.  Two are of this package's CRF.  One has every phone of a word as a place, with seven phones around,
pairs and triples of them, and the vowel's number from both ends.  The other has the vowels alone as places, so that
transitions lead from vowel to vowel, and features made for the task: also the vowels before and after, all vowels, and
all that follows.  The LSTM is told nothing of the kind.
"""
import numpy as np

from scratchml.autograd import no_grad
from scratchml.datasets import load_pronunciations
from scratchml.nn import LSTM, Dropout, Embedding, Linear, Module, MultiheadAttention, cross_entropy, fit, predict
from scratchml.optim import Adam
from scratchml.optim.schedules import CosineAnnealingLR
from scratchml.sequences import CRF
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.nn.lstm"
DATA = "stress in 23,000 English words, 3,000 of them held out"
FIELD, RULE = "a field (CRF) over the", "always the first vowel"
ALL_VOWELS = {f"{FIELD} vowels": "82.2 %", f"{FIELD} phones": "74.3 %", RULE: "49.9 %"}
MAIN_STRESS = {f"{FIELD} vowels": "91.6 %", f"{FIELD} phones": "85.9 %", RULE: "65.6 %"}
RECORDED = "2026-11-30", "81.4 %", "91.7 %"                # with --full: all words, and four epochs
EPOCHS, BATCH, UNITS, VECTORS, NO_STRESS = 4, 64, 48, 32, -100
FEW = 5000, 3                                            # words and epochs without it


def run(seed, pictures, full):
    """Rows of the table: words whose stress is right, of those held out; what is found in some of them."""
    said = load_pronunciations()
    numbers, lengths, stress, phones = as_arrays(said)
    order = np.random.default_rng(seed).permutation(len(lengths))
    train, test = order[:-3000], order[-3000:]
    n_words, epochs = (len(train), EPOCHS) if full else FEW
    some = train[:n_words]
    tagger = Tagger(len(phones), seed)
    _, seconds = timed(learn, tagger, (numbers[some], lengths[some]), stress[some], seed, epochs)
    scores = predict(tagger, (numbers[test], lengths[test]), batch_size=len(test))
    found, truth = scores.argmax(axis=-1), stress[test, :scores.shape[1]]
    all_right = share(((found == truth) | (truth == NO_STRESS)).all(axis=1))
    main_right = share(main_stress_right(*([y[n][truth[n] != NO_STRESS].tolist() for n in range(len(test))]
                                           for y in (found, truth))))
    for what, ours, recorded, known in (("all vowels", all_right, RECORDED[1], ALL_VOWELS),
                                        ("main stress", main_right, RECORDED[2], MAIN_STRESS)):
        if not full:
            yield Row(f"{what} right, {n_words:,} words learned", ours, "", "", seconds)
        row = Row(f"{what} right, {len(train):,} words learned", ours, seconds=seconds)
        if not full:
            row = row._replace(ours=recorded, seconds=None, recorded=RECORDED[0])
        for package, figure in known.items():
            yield row._replace(reference=figure, package=package)
            row = Row("", "")                            # the others stand below it
    shown = []
    for n in range(5):
        at = np.flatnonzero(truth[n] != NO_STRESS)
        ours, right = (" ".join(map(str, y[n, at])) for y in (found, truth))
        shown.append((said.words[test[n]], " ".join(said.phones[test[n]]), ours,
                      "" if ours == right else f"the dictionary: {right}"))
    yield Example("The stress of its vowels (1 main, 2 lesser, 0 none), in words that it has not seen:", columns(shown))
    if pictures:
        draw_attention(pictures, said, numbers, lengths, stress, phones, train, seed)


class Tagger(Module):
    """Vectors of phones, two layers of LSTMs that read both ways, and scores (N, T, 3) of the kinds of stress."""

    def __init__(self, n_phones, seed, attends=False):
        rng = np.random.default_rng(seed)
        self.vectors = Embedding(n_phones + 1, VECTORS, padding_idx=0, random_state=rng)
        self.reader = LSTM(VECTORS, UNITS, num_layers=2, batch_first=True, dropout=0.2, bidirectional=True,
                           random_state=rng)
        self.attention = MultiheadAttention(2 * UNITS, 1, batch_first=True, random_state=rng) if attends else None
        self.dropout = Dropout(0.2, random_state=rng)
        self.scores = Linear(2 * UNITS, 3, random_state=rng)

    def forward(self, numbers, lengths):
        read, _ = self.read(numbers, lengths)
        return self.scores(self.dropout(read))

    def read(self, numbers, lengths):
        """What both directions write at each phone, (N, T, 2H), and the weights of attention, (N, T, T), or None."""
        read, _ = self.reader(self.vectors(numbers[:, :lengths.max()]), lengths=lengths)
        if self.attention is None:
            return read, None
        padding = np.arange(lengths.max()) >= lengths[:, None]
        return self.attention(read, read, read, key_padding_mask=padding)


def as_arrays(said):
    """Phones as numbers from 1 on (N, T), 0 behind the last; lengths (N,); stress (N, T), NO_STRESS but for vowels."""
    phones = sorted({phone for word in said.phones for phone in word})
    number = {phone: k for k, phone in enumerate(phones, 1)}
    lengths = np.array([len(word) for word in said.phones])
    shape = len(lengths), lengths.max()
    numbers, stress = np.zeros(shape, np.int64), np.full(shape, NO_STRESS)
    there = np.arange(lengths.max()) < lengths[:, None]
    numbers[there] = [number[phone] for word in said.phones for phone in word]
    stress[there] = [s if s >= 0 else NO_STRESS for word in said.stress for s in word]
    return numbers, lengths, stress, phones


def learn(tagger, X, y, seed, epochs=EPOCHS):
    """Fit the tagger, with steps that become shorter epoch by epoch."""
    optimizer = Adam(tagger.parameters(), lr=0.006)
    schedule = CosineAnnealingLR(optimizer, epochs)

    def loss(scores, y):
        sums = cross_entropy(scores.reshape(-1, 3), y.reshape(-1), ignore_index=NO_STRESS, reduction="sum")
        return sums, (y != NO_STRESS).sum()              # a mean over vowels, whatever the words

    fit(tagger, optimizer, loss, X, y, lengths=X[1], batch_size=BATCH, epochs=epochs, random_state=seed,
        callback=lambda progress: bool(schedule.step()))


def main_stress_right(found, truth):
    """Whether each word's first 1 in the labels `found` of its vowels is there, and is where `truth` has it, (N,)."""
    return np.array([1 in ours and ours.index(1) == theirs.index(1) for ours, theirs in zip(found, truth)])


def share(right):
    return f"{100 * right.mean():.1f} %"


def draw_attention(pictures, said, numbers, lengths, stress, phones, train, seed):
    """Where the vowels of two words look, for a tagger with a layer of attention between the LSTMs and the scores."""
    few = train[:4000]
    tagger = Tagger(len(phones), seed, attends=True)
    learn(tagger, (numbers[few], lengths[few]), stress[few], seed, epochs=3)
    shown = [max(np.flatnonzero(lengths == size), key=lambda n: (stress[n] >= 0).sum()) for size in (9, 12)]
    with no_grad():
        _, weights = tagger.eval().read(numbers[shown], lengths[shown])
    figure = pictures.figure(9, 4.2)
    for axes, n, table in zip(figure.subplots(1, 2), shown, weights.data):
        names = [phone + "012"[s] if s >= 0 else phone for phone, s in zip(said.phones[n], said.stress[n])]
        places = range(lengths[n])
        axes.imshow(table[:lengths[n], :lengths[n]], cmap="Blues", vmin=0)
        axes.set_xticks(places, names, fontsize=8)
        axes.set_yticks(places, names, fontsize=8)
        axes.set(title=said.words[n], xlabel="looks at", ylabel="phone")
    figure.suptitle("What each phone looks at to find its stress", fontsize=11)
    pictures.save(figure, "lstm-attention")


# --- the figures to compare with -----------------------------------------------------------------


def measure(seed=0):
    """Print what the two fields and the rule get right, of the words that `run` holds out."""
    said = load_pronunciations()
    order = np.random.default_rng(seed).permutation(len(said.words))
    train, test = order[:-3000], order[-3000:]
    truth = [[s for s in word if s >= 0] for word in said.stress]
    found = {RULE: [[1] + [0] * (len(truth[n]) - 1) for n in test]}
    for name in ("phones", "vowels"):
        X, y = [], []
        for phones, stress in zip(said.phones, said.stress):
            at = vowels_of(stress) if name == "vowels" else range(len(phones))
            X.append([features(phones, vowels_of(stress), t, whole=name == "vowels") for t in at])
            y.append([str(stress[t]) for t in at])
        field = CRF(c1=0.0, c2=0.3, max_iterations=100).fit([X[n] for n in train], [y[n] for n in train])
        found[f"{FIELD} {name}"] = [[int(s) for s, known in zip(word, y[n]) if known != "-1"]
                                    for n, word in zip(test, field.predict([X[n] for n in test]))]
    for name, words in found.items():
        all_right = [word == truth[n] for n, word in zip(test, words)]
        main_right = main_stress_right(words, [truth[n] for n in test])
        print(f"{name}: all vowels {share(np.array(all_right))}, main stress {share(main_right)}")


def vowels_of(stress):
    return [t for t, s in enumerate(stress) if s >= 0]


def features(phones, vowels, t, whole):
    """Names of what is so at place t: the phones around it; of a vowel also its number; by `whole` also the rest."""
    p, c = ["<"] * 3 + phones + [">"] * 3, t + 3
    found = ["any"] + [f"{k}: {p[c + k]}" for k in range(-3, 4)]
    found += [f"{a} to {b}: {' '.join(p[c + a:c + b + 1])}" for a, b in ((-1, 0), (0, 1), (1, 2), (-1, 1), (0, 2))]
    if t in vowels:
        i, left = vowels.index(t), len(vowels) - vowels.index(t)
        found += [f"from start {i}", f"from end {left}", f"{i}, {left}", f"{i}, {left}: {phones[t]}",
                  f"ends {' '.join(phones[-3:])}"]
        if whole:
            found += [f"{a} to {b}: {' '.join(p[c + a:c + b + 1])}" for a, b in ((-2, 0), (1, 3))]
            found += [f"next {phones[vowels[i + 1]] if left > 1 else '>'}",
                      f"last {phones[vowels[i - 1]] if i else '<'}", f"rest {' '.join(phones[t:])}",
                      f"ends {' '.join(phones[-2:])}, {left}", f"{i} of {' '.join(phones[v] for v in vowels)}"]
    return dict.fromkeys(found, 1.0)


if __name__ == "__main__":
    measure()
