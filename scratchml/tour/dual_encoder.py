"""Dual encoders: which of 3,000 pronunciations is that of a spelling, and which reply that of what was said.

20,000 of 23,000 English words, many of them names, are learnt with their phones; 3,000, drawn by the seed, are held
out, and for each spelling all their pronunciations are the pool.  Among ten or a hundred the right one is easily found,
so the figure is how often it is the first of all; with --full it is the mean of three seeds.

The lecture's hinge looks at one wrong answer, which chance has drawn.  Soon nearly all that it draws are beaten by the
margin, and then nothing is learned; but among thousands some are not.  The other losses look at all 63 that are in the
batch, for hardly any more time.  Their mean still shrinks with the share that is not beaten; the hardest alone, or a
softmax, goes on.  How much is left to learn after training is shown for one wrong answer and for the hardest of 63.

The figures to compare with were measured with the same network, batches and steps in PyTorch, with seed 0:
`python -m scratchml.tour.dual_encoder` does that again, in some minutes.  Where chitchat-dataset is installed, the full
form also learns which turn of a conversation follows on another, from bags of words, and is compared with TF-IDF, for
which alike is what has words in common.
"""
import itertools
import re
from collections import Counter

import numpy as np

from scratchml.core.sparse import dense
from scratchml.datasets import load_pronunciations
from scratchml.metrics import recall_at_k_of_n
from scratchml.nn import wrong_pairs
from scratchml.recommend.word_weights import Tfidf
from scratchml.reduction import TSNE
from scratchml.sequences import DualEncoder
from scratchml.sequences.encoders import told_apart
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.sequences.dual_encoder"
DATA = "spelling and sound of 23,000 English words, 3,000 of them held out"
HELD_OUT, SEEDS, FEW, EPOCHS, SHOWN = 3000, 3, (3000, 2), 6, 8           # FEW words and epochs without --full
HARDEST = "the hardest hinge"
LOSSES = {"one hinge, drawn": dict(negatives="random"), "all hinges": dict(), HARDEST: dict(negatives="hard"),
          "the semi-hard hinge": dict(negatives="semi_hard"), "a softmax": dict(loss="softmax")}
OF_ALL, OF_100 = "first of 3,000", "first of 100"
PEER = "torch 2.13.0"
STATED = {                                               # with seed 0
    (OF_ALL, "one hinge, drawn"): "0.821", (OF_100, "one hinge, drawn"): "0.984",
    (OF_ALL, "all hinges"): "0.958", (OF_100, "all hinges"): "0.997",
    (OF_ALL, HARDEST): "0.980", (OF_100, HARDEST): "0.998",
    (OF_ALL, "the semi-hard hinge"): "0.977", (OF_100, "the semi-hard hinge"): "0.998",
    (OF_ALL, "a softmax"): "0.975", (OF_100, "a softmax"): "0.998"}
RECORDED = (                                             # with --full and seed 0
    "2026-11-30",
    {(OF_ALL, "one hinge, drawn"): "0.828", (OF_100, "one hinge, drawn"): "0.985",
     (OF_ALL, "all hinges"): "0.958", (OF_100, "all hinges"): "0.997",
     (OF_ALL, HARDEST): "0.979", (OF_100, HARDEST): "0.998",
     (OF_ALL, "the semi-hard hinge"): "0.979", (OF_100, "the semi-hard hinge"): "0.999",
     (OF_ALL, "a softmax"): "0.979", (OF_100, "a softmax"): "0.999"},
    [("one hinge, drawn", "0.52 %", "24.0 %"), ("all hinges", "0.15 %", "7.5 %"),
     (HARDEST, "0.07 %", "3.5 %"), ("the semi-hard hinge", "0.07 %", "3.6 %"),
     ("a softmax", "0.07 %", "3.8 %")],
    [("paolo", "P AW L OW", "taken for", "P AE L OW", "palo"),
     ("disown", "D IH S OW N", "taken for", "D IH S AH N", "dison"),
     ("ensure", "EH N SH UH R", "taken for", "EH N Z ER", "enzor"),
     ("abided", "AH B AY D IH D", "taken for", "AH B AY D", "abide"),
     ("abrahamson", "AH B R AE HH AH M S AH N", "taken for", "AE B R AH HH AE M S AH N", "abrahamsen"),
     ("recited", "R AH S AY T IH D", "taken for", "R IH S P EH K T IH D", "respected"),
     ("simon", "S AY M AH N", "taken for", "S IH M AH N", "simmon"),
     ("gautreau", "G OW T R OW", "taken for", "G UW R UW", "guru")],
    [("first of 10 replies, bags of words", "0.407", "0.323", "TF-IDF"),
     ("first of 100 replies, bags of words", "0.143", "0.169", "TF-IDF")])
REPLIES = dict(dim=128, encoder="bag", shared=True, embedding_dim=128, hidden_size=128, batch_size=256, loss="softmax",
               scale=10.0, epochs=4)


def run(seed, pictures, full):
    """Rows of the table: how often the right one is the first; what is left to learn and what is mistaken; the map."""
    said, left, models = load_pronunciations(), [], {}
    few, day = ("", "") if full else (f", {FEW[0]:,} words learned", f", recorded on {RECORDED[0]}")
    for name in LOSSES if full else ("one hinge, drawn", HARDEST):
        models[name], shares, seconds = learned(said, name, seed, full)
        left.append((name, f"{100 * shares[2]:.2f} %", f"{100 * shares[3]:.1f} %"))
        for what, share in zip((OF_ALL, OF_100), shares):
            row = Row(f"{what}: {name}{few}", f"{share:.3f}", seconds=seconds)
            yield beside(row, what, name) if full else row
            seconds = None
    if not full:
        for (what, name), share in RECORDED[1].items():
            yield beside(Row(f"{what}: {name}", share, recorded=RECORDED[0]), what, name)
        yield from (Row(*row, recorded=RECORDED[0]) for row in RECORDED[4])
    elif (talks := conversations()) is not None:
        yield from replies(talks, seed)
    model, test = models[HARDEST], parts(said, seed)[1]
    yield Example(f"Not yet beaten by the margin, one wrong answer and the hardest of 63{day}:",
                  columns(left if full else RECORDED[2]))
    yield Example(f"Words whose right sound is not the nearest, and whose it is{day}:",
                  columns(mistaken(model, *test) if full else RECORDED[3]))
    yield Example(f"Words whose sounds are the nearest wrong ones to the spelling of another{few}:",
                  columns(nearest_wrong(model, *test)))
    if pictures:
        draw_words(pictures, model, *test, seed)


def learned(said, name, seed, full):
    """A model, the means of the seeds of its `figures`, and of the seconds that it took."""
    words, epochs, seeds = (None, EPOCHS, SEEDS) if full else (*FEW, 1)
    models, shares, seconds = [], [], []
    for k in range(seed, seed + seeds):
        (spelt, sounds), test = parts(said, k)
        model = DualEncoder(**LOSSES[name], symmetric=False, epochs=epochs, random_state=k)
        models.append(model)
        seconds.append(timed(model.fit, spelt[:words], sounds[:words])[1])
        shares.append(figures(model.similarity(*test), wrong_of(*test)))
    return models[0], np.mean(shares, axis=0), np.mean(seconds)


def beside(row, what, name):
    """The row with what PyTorch finds."""
    return row._replace(reference=STATED[what, name], package=PEER)


def parts(said, seed):
    """Spellings and sounds of the words for training, and of those held out."""
    order = np.random.default_rng(seed).permutation(len(said.words))
    return [([said.words[n] for n in some], [said.phones[n] for n in some])
            for some in (order[:-HELD_OUT], order[-HELD_OUT:])]


def wrong_of(contexts, answers):
    return wrong_pairs(told_apart(contexts)[0], told_apart(answers)[0])


def figures(S, wrong, margin=0.2):
    """How often the right one is the first of all, and of 100; how often one wrong one, and the hardest of 63, is not
    beaten by the margin."""
    ahead = S - margin * np.eye(len(S), dtype=S.dtype)
    return [recall_at_k_of_n(S, wrong=wrong), recall_at_k_of_n(S, wrong=wrong, n=100),
            *(1 - recall_at_k_of_n(ahead, wrong=wrong, n=n) for n in (2, 64))]


def mistaken(model, words, sounds):
    """Lines: a word, its sound, the sound that is nearest instead, and the word that has it."""
    S = model.similarity(words, sounds)
    nearest = np.where(wrong_of(words, sounds), S, -np.inf).argmax(axis=1)
    missed = np.flatnonzero(S[np.arange(len(S)), nearest] > S.diagonal())
    return [(words[n], " ".join(sounds[n]), "taken for", " ".join(sounds[nearest[n]]), words[nearest[n]])
            for n in missed[:SHOWN]]


def nearest_wrong(model, words, sounds):
    """Lines: words, each with the three whose sounds are the nearest to its spelling after the right one."""
    S = np.where(wrong_of(words, sounds), model.similarity(words, sounds), -np.inf)
    return [(words[n], ", ".join(words[k] for k in np.argsort(-S[n], kind="stable")[:3])) for n in range(SHOWN)]


def draw_words(pictures, model, words, sounds, seed):
    """The vectors of 1,200 sounds on a map of t-SNE, coloured by the most frequent endings, with a few of the words."""
    from scratchml.tour.drawing import bare, scatter_classes
    words, sounds = words[:1200], sounds[:1200]
    Y = TSNE(random_state=seed).fit_transform(model.encode_answers(sounds))
    endings = [" ".join(sound[-2:]) for sound in sounds]
    frequent = [ending for ending, _ in Counter(endings).most_common(9)]
    target = np.array([frequent.index(ending) if ending in frequent else 9 for ending in endings])
    figure = pictures.figure(11, 8)
    axes = bare(figure.subplots())
    axes.scatter(*Y[target == 9].T, s=6, color="0.8")
    scatter_classes(axes, Y, target, frequent)
    for n in range(0, len(words), 8):
        axes.annotate(words[n], Y[n], fontsize=5.5)
    axes.set_title("Sounds of words, by the encoder of a dual encoder and t-SNE; colours are how they end")
    pictures.save(figure, "dual-encoder-words")


# --- replies --------------------------------------------------------------------------------------


def conversations():
    """Turns of two speakers, a list of texts a conversation; None where chitchat-dataset is not installed."""
    try:
        from chitchat_dataset import ConversationDataset
    except ImportError:
        return None
    return [list(turns) for turns in ConversationDataset()]


def replies(talks, seed):
    """Rows: how often the right reply is the first of 10 and of 100, by a dual encoder and by TF-IDF.

    1,000 turns of a tenth of the conversations, which is held out, and the turns that follow them.  Words that are met
    less than five times are one symbol.
    """
    order = np.random.default_rng(seed).permutation(len(talks))
    train, test = ([pair for n in some for pair in itertools.pairwise(talks[n]) if all(map(words_of, pair))]
                   for some in (order[len(talks) // 10:], order[:len(talks) // 10]))
    test = [test[n] for n in np.random.default_rng(seed).permutation(len(test))[:1000]]
    counts = Counter(word for pair in train for turn in pair for word in words_of(turn))

    def symbols(turns):
        return [[word if counts[word] > 4 else 0 for word in words_of(turn)] for turn in turns]
    said, answers = zip(*test)
    model, seconds = timed(DualEncoder(**REPLIES, random_state=seed).fit, *map(symbols, zip(*train)))
    weights = Tfidf(min_df=5).fit([turn for pair in train for turn in pair])
    by_words = dense(weights.transform(said)) @ dense(weights.transform(answers)).T
    by_vectors, wrong = model.similarity(symbols(said), symbols(answers)), wrong_of(said, answers)
    for n in (10, 100):
        ours, theirs = (recall_at_k_of_n(S, wrong=wrong, n=n) for S in (by_vectors, by_words))
        yield Row(f"first of {n} replies, bags of words", f"{ours:.3f}", f"{theirs:.3f}", "TF-IDF", seconds)
        seconds = None


def words_of(text):
    return re.findall(r"[a-z0-9']+|[?!]", text.lower())


# --- the figures to compare with -----------------------------------------------------------------


def measure(seed=0):
    """Print what the same networks find that PyTorch trains, in batches and steps like ours."""
    import torch
    torch.set_num_threads(1)
    said = load_pronunciations()
    train, test = parts(said, seed)
    for name, loss in LOSSES.items():
        found = figures(in_pytorch(torch, train, test, loss, seed), wrong_of(*test))
        print(f"{name}: {OF_ALL} {found[0]:.3f}, {OF_100} {found[1]:.3f}", flush=True)


def in_pytorch(torch, train, test, loss, seed):
    """The similarities of held-out words, by encoders that PyTorch trains."""
    torch.manual_seed(seed)
    numbers = [{symbol: k for k, symbol in enumerate(sorted({symbol for one in side for symbol in one}), 1)}
               for side in train]
    train, test = ([[torch.tensor([number[symbol] for symbol in one]) for one in side]
                    for side, number in zip(part, numbers)] for part in (train, test))
    sounds = told_apart([tuple(sound.tolist()) for sound in train[1]])[0]
    encoders = torch.nn.ModuleList(torch.nn.ModuleList([
        torch.nn.Embedding(len(number) + 1, 32, padding_idx=0),
        torch.nn.GRU(32, 64, batch_first=True, bidirectional=True), torch.nn.Linear(128, 64)]) for number in numbers)
    steps = EPOCHS * -(-len(train[0]) // 64)
    optimizer = torch.optim.Adam(encoders.parameters(), lr=0.006)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.006, total_steps=steps + 1)

    def vectors(encoder, sequences):
        symbols, gru, vector = encoder
        packed = torch.nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False)
        _, last = gru(packed._replace(data=symbols(packed.data)))
        return torch.nn.functional.normalize(vector(last.transpose(0, 1).reshape(len(sequences), -1)))

    for _ in range(EPOCHS):
        for some in np.array_split(torch.randperm(len(train[0])).numpy(), steps // EPOCHS):
            u, v = (vectors(encoder, [side[n] for n in some]) for encoder, side in zip(encoders, train))
            optimizer.zero_grad()
            their_loss(torch, u @ v.T, torch.from_numpy(sounds[some][:, None] != sounds[some]), loss).backward()
            torch.nn.utils.clip_grad_norm_(encoders.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        u, v = (vectors(encoder, side) for encoder, side in zip(encoders, test))
    return (u @ v.T).numpy()


def their_loss(torch, S, wrong, loss):
    """The losses once more, in PyTorch."""
    if loss.get("loss") == "softmax":
        other = ~wrong & ~torch.eye(len(S), dtype=torch.bool)
        return torch.nn.functional.cross_entropy((20 * S).masked_fill(other, -torch.inf), torch.arange(len(S)))
    right = S.diagonal()[:, None]
    each = (S - right + 0.2).clamp(min=0)
    kind = loss.get("negatives")
    if kind is None:
        return each[wrong].mean()
    if kind == "random":
        at = torch.multinomial(wrong.float(), 1)
    else:
        beaten = wrong & (S < right)
        among = torch.where(beaten.any(1, keepdim=True), beaten, wrong) if kind == "semi_hard" else wrong
        at = S.masked_fill(~among, -torch.inf).argmax(1, keepdim=True)
    return each.gather(1, at).mean()


if __name__ == "__main__":
    measure()
