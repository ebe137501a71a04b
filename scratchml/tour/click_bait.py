"""Which things of a shop are sent back, and which had better not be shown?

The click-bait of a shop is what is bought and sent back: 13,048 of 453,770 pairs of a customer and an item.  Customers
of even numbers are learned from, and of each pair of the odd ones it is asked how likely a cancellation is.  A model
knows five numbers of an item: its price, how many take it, in how many orders, how many words its name has, whether it
has a digit; or the words, too.  An item's own past says as much, and both together say more: a share that is drawn to
what the model expects.  At last items are graded by a model that has seen others alone: which are of the worst tenth?

A shop that gains one pound by what stays and loses nine by what comes back should show what comes back in less than
one case of ten.
"""
import numpy as np

from scratchml.datasets import load_online_retail
from scratchml.metrics.ranking import auc
from scratchml.recommend.click_bait import ClickBait, smoothed_rate, worth_showing_below
from scratchml.recommend.content import beside
from scratchml.recommend.word_weights import WordCounts
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.recommend.click_bait"
DATA = "purchases and cancellations in an online shop, with names and prices of its items"
PEER = "scikit-learn 1.9.1"
STATED = {"five numbers": ("0.6458", "0.1277"), "numbers and words": ("0.7107", "0.1224")}
PENALTY, PAST, BOTH = 3.0, 20, 150                       # λ; what the share of all, and what the model is worth
GAIN, COST, FOLDS, GROUPS = 1, 9, 5, 10


def run(seed, pictures, full):
    """Rows of the table: AUC and log loss of each way to expect cancellations; calibration, words, what is filtered."""
    bought = load_online_retail(items=True)
    M, even = len(bought.item_names), bought.users % 2 == 0
    taken, bad = counts(bought, even, M)
    later = counts(bought, ~even, M)
    numbers, words, vocabulary = features(bought, taken, even)
    known = {"five numbers": numbers, "numbers and words": beside(numbers, words)}
    ClickBait(PENALTY).fit(numbers, bad, taken)                                      # compiles
    share = bad.sum() / taken.sum()
    found = {"the share of all": (np.full(M, share), 0.0)}
    for name, X in known.items():
        model, seconds = timed(ClickBait(PENALTY).fit, X, bad, taken)
        found[name] = model.predict(X), seconds
    found["an item's past"] = smoothed_rate(bad, taken, share, PAST), 0.0
    found["past and model"] = smoothed_rate(bad, taken, found["numbers and words"][0], BOTH), 0.0
    for name, (P, seconds) in found.items():
        stated = STATED.get(name, ("", ""))
        for measure, ours, theirs in zip(("AUC", "log loss"), scores(P, bought, ~even, *later), stated):
            yield Row(f"{measure} of {name}", f"{ours:.4f}", theirs, PEER if theirs else "", seconds)
    worst = smoothed_rate(bad + later[1], taken + later[0], share, PAST)
    for name, X in known.items():
        yield Row(f"AUC of {name}, other items' worst tenth", f"{worst_tenth(X, bad, taken, worst, seed):.3f}")
    groups = calibration(found["past and model"][0], *later)
    if pictures:
        draw_calibration(pictures, groups)
    yield Example("Items in ten groups of as many purchases, by past and model; what is expected and found:",
                  columns([("", "expected", "found"), *((f"{g + 1}", f"{one:.1%}", f"{other:.1%}")
                                                         for g, (one, other) in enumerate(groups))]))
    weights = model.coef_[numbers.shape[1]:]
    order = np.argsort(weights)
    yield Example("Words that speak most for a return, and most against it:", columns(
        [(vocabulary[up], f"{weights[up]:+.2f}", vocabulary[down], f"{weights[down]:+.2f}")
         for up, down in zip(order[::-1][:6], order[:6])]))
    yield Example(f"What is not shown where a return costs {COST} times what a sale brings:", columns(
        list(left_out(found["past and model"][0], bought.item_names, *later))))


def counts(bought, some, M):
    """How many of `some` customers took each item, and how many of them sent it back."""
    return tuple(np.bincount(bought.items[some], weights, M) for weights in (None, bought.cancelled[some]))


def features(bought, taken, some):
    """Five numbers of each item, standardised; its words; the vocabulary."""
    counter = WordCounts()
    words = counter.fit_transform(bought.item_names)
    words = words._replace(data=np.minimum(words.data, 1))
    orders = np.bincount(bought.items[some], bought.counts[some], len(taken)) / np.maximum(taken, 1)
    digits = [any(map(str.isdigit, name)) for name in bought.item_names]
    numbers = np.column_stack([np.log(bought.prices), np.log(np.maximum(orders, 1)), np.log(taken + 1),
                               np.diff(words.indptr), digits])
    return (numbers - numbers.mean(axis=0)) / numbers.std(axis=0), words, counter.get_feature_names_out()


def scores(P, bought, some, taken, bad):
    """AUC over the pairs of `some` customers, and the mean log loss."""
    returned = np.flatnonzero(bought.cancelled[some])
    return (auc(P[bought.items[some]][None], [returned]),
            -(bad * np.log(P) + (taken - bad) * np.log1p(-P)).sum() / taken.sum())


def worst_tenth(X, bad, taken, rates, seed):
    """AUC of telling the items of the greatest `rates` by models that were fitted to other items."""
    X, M = beside(X), len(rates)
    fold, P = np.random.default_rng(seed).permutation(M) % FOLDS, np.empty(M)
    for f in range(FOLDS):
        seen = np.where(fold == f, 0, taken)
        P[fold == f] = ClickBait(PENALTY).fit(X, np.where(fold == f, 0, bad), seen).predict(X)[fold == f]
    return auc(P[None], [np.argsort(-rates)[:M // 10]])


def calibration(P, taken, bad):
    """(expected, found) of groups of items of rising P, which were taken equally often."""
    order = np.argsort(P, kind="stable")
    group = np.minimum(GROUPS * (np.cumsum(taken[order]) - taken[order] / 2) / taken.sum(), GROUPS - 1).astype(int)
    whole, expected, found = (np.bincount(group, one[order], GROUPS) for one in (taken, P * taken, bad))
    return list(zip(expected / whole, found / whole))


def left_out(P, names, taken, bad):
    """How much is filtered by what it costs, and the worst of it."""
    gone = worth_showing_below(GAIN, COST) < P
    yield f"{gone.sum()} of {len(P)} items", f"{taken[gone].sum() / taken.sum():.1%} of purchases", \
        f"{bad[gone].sum() / bad.sum():.1%} of returns"
    for item in np.argsort(-P)[:4]:
        yield names[item].capitalize(), f"{P[item]:.0%} expected", f"{bad[item]:.0f} of {taken[item]:.0f} came back"


def draw_calibration(pictures, groups):
    """Found against expected, a point for each group."""
    figure = pictures.figure(4.2, 4.2)
    axes = figure.subplots()
    most = 1.05 * max(map(max, groups))
    axes.plot([0, most], [0, most], color="0.8", linewidth=1)
    axes.plot(*zip(*groups), "o-", markersize=4)
    axes.set(xlabel="expected share of returns", ylabel="found", xlim=(0, most), ylim=(0, most))
    axes.spines[["top", "right"]].set_visible(False)
    pictures.save(figure, "click_bait-calibration")
