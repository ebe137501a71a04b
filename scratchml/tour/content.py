"""What would a customer buy, by the names of things alone?  And what of things that nobody has bought yet?

The shop and its two splits are those of `als`, where ten items a customer are recommended by what all have bought.
Here nobody's purchases count but one's own: items are the words of their names, and pairs of words that stand side by
side.  That finds little more than half of what item cosines find.  But where a tenth of the items is hidden with all
its purchases, as if it came in today, names are all there is: of the hidden items, ten are chosen for each customer.
To compare with, popularity is shown as it will turn out to be, which nobody knows that day.
"""
import numpy as np

from scratchml.core.sparse import some_rows, transposed
from scratchml.datasets import load_online_retail
from scratchml.metrics.ranking import ndcg_at_k, recall_at_k, top_k
from scratchml.recommend.content import ContentBased
from scratchml.recommend.word_weights import Tfidf, WordCounts
from scratchml.tour import als
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.recommend.content"
DATA = "purchases of the customers of an online shop, and the names of its items"
PEER = "scikit-learn 1.9.1"
STATED = {("the last five", "words"): ("0.0876", "0.0818"), ("the last five", "words and pairs"): ("0.1000", "0.0933"),
          ("a random fifth", "words"): ("0.0783", "0.1432"),
          ("a random fifth", "words and pairs"): ("0.0899", "0.1636")}
COLD = {"words": "0.2644", "words and pairs": "0.3031"}
CUSTOMER = als.CUSTOMER


def run(seed, pictures, full):
    """Rows of the table: hits by words, by pairs and by BM25, in both splits and among hidden items; one customer's
    list."""
    bought = load_online_retail()
    names = bought.item_names.tolist()
    pairs = Tfidf(ngram_range=(1, 2))
    features = {"words": Tfidf().fit_transform(names), "words and pairs": pairs.fit_transform(names)}
    kinds = {**{name: (ContentBased(), X) for name, X in features.items()},
             "BM25": (ContentBased(metric="bm25"), WordCounts().fit_transform(names))}
    ContentBased().fit(als.matrix(bought)[0], features["words"]).recommend(0, n=1)               # compiles
    for split in als.CHOSEN:
        parts = als.part(*als.matrix(bought), split, 0)
        for name, (model, X) in kinds.items():
            (items, _), seconds = timed(lambda: model.fit(parts.train,
                                                          X).recommend(np.arange(parts.train.shape[0]), 10))
            scores, stated = (recall_at_k(items, parts.test), ndcg_at_k(items, parts.test)), STATED.get((split, name))
            for measure, score, theirs in zip(("recall", "NDCG"), scores, stated or ("", "")):
                yield Row(f"{measure}@10 of {name}, {split} held out", f"{score:.4f}", theirs, PEER if stated else "",
                          seconds)
    hidden = list(cold_items(bought, features))
    yield from hidden
    if pictures:
        draw_hidden(pictures, hidden)
    yield from one_customer(bought, als.part(*als.matrix(bought), "the last five", 0), pairs,
                            features["words and pairs"])


def hidden_items(bought):
    """Numbers of the items that stay and of the 325 that are hidden, and what customers have of either."""
    A, M = als.matrix(bought)[0], len(bought.item_names)
    cold = np.sort(np.random.default_rng(0).choice(M, 325, replace=False))
    by_item, warm = transposed(A), np.setdiff1d(np.arange(M), cold)
    return warm, cold, *(transposed(some_rows(by_item, some)) for some in (warm, cold))


def cold_items(bought, features):
    """Recall among 325 items that are hidden with all their purchases, by their names, by chance and by what is to
    come."""
    warm, cold, train, test = hidden_items(bought)
    guess = np.random.default_rng(1).random(test.shape)
    popular = np.tile(np.bincount(test.indices, minlength=len(cold)).astype(float), (len(guess), 1))
    for name, scores in (("chance", guess), ("the popularity to come", popular)):
        yield Row(f"hidden items, recall@10 of {name}", f"{recall_at_k(top_k(scores, 10), test):.4f}")
    for name, X in features.items():
        profiles = ContentBased().fit(train, some_rows(X, warm)).profiles(train)
        alone = ContentBased().fit(test, some_rows(X, cold))             # it is asked of the hidden alone
        items, _ = alone.recommend_for(profiles, 10)
        yield Row(f"hidden items, recall@10 of {name}", f"{recall_at_k(items, test):.4f}", COLD[name], PEER)


def one_customer(bought, parts, vectoriser, X):
    """What one customer is shown by names, and the words that speak most for it."""
    names, words = bought.item_names, vectoriser.get_feature_names_out()
    model = ContentBased().fit(parts.train, X)
    later = set(parts.test.indices[slice(*parts.test.indptr[CUSTOMER:CUSTOMER + 2])].tolist())
    lines = []
    for item, score in zip(*model.recommend(CUSTOMER, 8)):
        why = model.explain(CUSTOMER, int(item), 3)
        speaks = ", ".join(f"{words[w]} {c:.2f}" for w, c in zip(why.features, why.contributions))
        lines.append((f"{score:.2f}", names[item].capitalize(), speaks, "held out" if int(item) in later else ""))
    yield Example(f"What customer {CUSTOMER} is shown by names, and the words that speak most for it:", columns(lines))


def draw_hidden(pictures, rows):
    """A bar for each way to choose among the hidden items."""
    figure = pictures.figure(6, 2.6)
    axes = figure.subplots()
    names, recalls = [row.measure.split(" of ")[1] for row in rows], [float(row.ours) for row in rows]
    axes.barh(names, recalls, color=["C7", "C7", "C0", "C0"])
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("recall@10 among 325 items that nobody has bought yet", fontsize=9)
    pictures.save(figure, "content-hidden")
