"""The picture on README's first screen: a map of digits, and the lattice in which a field labels an address.

`python -m scratchml.tour.cover` draws it again, into scratchml/tour/pictures.
"""
from pathlib import Path

import numpy as np

from scratchml.datasets import load_addresses, load_digits
from scratchml.reduction import TSNE
from scratchml.sequences import CRF
from scratchml.sequences.crf import edge_marginals, node_marginals, viterbi
from scratchml.sequences.features import sentence_features
from scratchml.tour.drawing import Pictures, bare

FOLDER = Path(__file__).with_name("pictures")
ADDRESS = 970                                            # is ST a kind of street, or the beginning of a city?
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#ee8866", "#44bb99", "#222255")


def draw(pictures):
    """Draw cover.png."""
    figure = pictures.figure(11, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    draw_map(bare(left))
    draw_lattice(bare(right))
    pictures.save(figure, "cover", dpi=90)


def draw_map(axes):
    digits = load_digits()
    Y = TSNE(random_state=0).fit_transform(digits.data)
    for k, colour in enumerate(COLOURS):
        axes.scatter(*Y[digits.target == k].T, s=6, color=colour, alpha=0.8, linewidths=0)
        axes.text(*np.median(Y[digits.target == k], axis=0), str(k), fontsize=17, weight="bold", ha="center",
                  va="center")
    axes.set_title("t-SNE: 1,797 images of digits, labels unseen", fontsize=12)


def draw_lattice(axes):
    """Labels of each word by their probability, pairs of them by theirs, and the best path."""
    words, labels, E, A = field_of_an_address()
    gamma, xi, path = node_marginals(E, A), edge_marginals(E, A), viterbi(E, A)[0]
    likely = [k for k in range(len(labels)) if gamma[:, k].max() > 0.03]
    likely.sort(key=lambda k: -(gamma[:, k] @ np.arange(len(words))) / gamma[:, k].sum())        # by where they stand
    row = {k: y for y, k in enumerate(likely)}
    for t in range(len(words) - 1):
        for a in likely:
            for b in likely:
                if xi[t, a, b] > 0.004:
                    axes.plot([t, t + 1], [row[a], row[b]], color=COLOURS[0], lw=0.5 + 4 * xi[t, a, b] ** 0.5,
                              alpha=0.15 + 0.6 * xi[t, a, b], solid_capstyle="round", zorder=1)
    for t in range(len(words)):
        for k in likely:
            axes.scatter(t, row[k], s=12 + 330 * gamma[t, k], zorder=2, linewidths=1.2,
                         color=COLOURS[1] if path[t] == k else "white",
                         edgecolors=COLOURS[1] if path[t] == k else "0.6")
    axes.set_xticks(range(len(words)), [word.rstrip(",").title() for word in words], fontsize=9, rotation=25)
    axes.set_yticks(range(len(likely)), [spaced(labels[k]) for k in likely], fontsize=9)
    axes.tick_params(length=0)
    axes.margins(x=0.08, y=0.09)
    axes.set_title("A conditional random field reads an address", fontsize=12)


def field_of_an_address():
    """The words, the labels, and the scores E (T, K) and A (K, K) that a field has learned from the other addresses."""
    addresses = load_addresses()
    X = [sentence_features(words) for words in addresses.tokens]
    train = [i for i in range(len(X)) if i % 5]
    model = CRF(c1=0.1, c2=0.1, max_iterations=100, all_possible_transitions=True)
    model.fit([X[i] for i in train], [addresses.labels[i] for i in train])
    labels, state, transition = model.classes_, model.state_features_, model.transition_features_
    names = [[name if value is True else f"{name}:{value}" for name, value in x.items()] for x in X[ADDRESS]]
    E = [[sum(state.get((name, label), 0.0) for name in those) for label in labels] for those in names]
    A = [[transition.get((before, after), 0.0) for after in labels] for before in labels]
    return addresses.tokens[ADDRESS], list(labels), np.array(E), np.array(A)


def spaced(label):
    """StreetName as Street Name, broken where it is long."""
    return "".join(" " + letter if letter.isupper() else letter for letter in label).strip()


if __name__ == "__main__":
    draw(Pictures(FOLDER))
