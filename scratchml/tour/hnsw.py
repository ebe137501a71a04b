"""A walk through a graph beside a look at all: which words are spelled alike?

English words are vectors of what their letters are, alone, in pairs and in threes, brought down to 32 numbers, and
near by cosine.  A thousand words ask for their ten nearest among 22,000 others, once by looking at all and then by
walks with `ef` nodes in hand: the more, the more is found and the longer it takes.  Recall@10 is the share of the true
ten that is found, seconds are those of all queries together, the best of three times.
"""
import numpy as np

from scratchml.datasets import load_pronunciations
from scratchml.neighbors import HNSW, NearestNeighbors
from scratchml.recommend import Tfidf, TruncatedSVD
from scratchml.recommend.best_items import directions
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.neighbors.hnsw"
DATA = "23,000 English words"
K, ASKED, NUMBERS = 10, 1000, 32
EFS = (10, 20, 40, 80, 160)
SHOWN = "volcano", "photography", "believable", "neighbors"


def run(seed, pictures, full):
    """Rows of the table: recall of walks and of a look at all, and queries a second; words that are spelled alike."""
    words = np.random.default_rng(seed).permutation(load_pronunciations().words)
    letters = Tfidf(token_pattern=".", ngram_range=(1, 3)).fit_transform([f"<{word}>" for word in words.tolist()])
    X = directions(TruncatedSVD(NUMBERS, random_state=seed).fit_transform(letters)).astype(np.float32)
    asked, others = X[:ASKED], X[ASKED:]
    whole = NearestNeighbors(K, metric="cosine").fit(others)
    graph, seconds = timed(HNSW("cosine", random_state=seed).fit, others)
    yield Row("points in the graph", f"{graph.n_items_:,}", seconds=seconds)
    true, seconds = best_of_three(lambda: whole.kneighbors(asked, return_distance=False))
    found = {"look at all": (1.0, seconds)}
    for ef in EFS:
        graph.set_ef(ef)
        near, seconds = best_of_three(lambda: graph.knn_query(asked, K)[0])
        found[f"graph, ef = {ef}"] = recall(near, true), seconds
    for name, (share, seconds) in found.items():
        yield Row(f"recall@{K}, {name}", f"{share:.4f}", seconds=seconds)
    yield Example("Queries a second:", columns(
        [(name, f"{ASKED / seconds:>9,.0f}") for name, (_, seconds) in found.items()]))
    if pictures:
        draw_recall(pictures, found)
    queries = [int(np.flatnonzero(words == word)[0]) for word in SHOWN]
    graph.set_ef(EFS[-1])
    yield Example("What is spelled like them:", columns(
        [(words[q], *(words[ASKED + n] for n in near if words[ASKED + n] != words[q]))[:6]
         for q, near in zip(queries, graph.knn_query(X[queries], K)[0])]))


def best_of_three(query):
    """What `query` finds, and the least of three times; it is compiled before."""
    found = query()
    return found, min(timed(query)[1] for _ in range(3))


def recall(found, true):
    """The share of the true neighbours (B, K) that are among those found."""
    return float((found[:, :, None] == true[:, None, :]).any(axis=1).mean())


def draw_recall(pictures, found):
    """Recall against queries a second: a star for the look at all, a line for the graph."""
    figure = pictures.figure(5.5, 3.6)
    axes = figure.subplots()
    speeds, shares = zip(*((ASKED / seconds, share) for share, seconds in found.values()))
    axes.plot(speeds[:1], shares[:1], "*", markersize=12, label="look at all")
    axes.plot(speeds[1:], shares[1:], "o-", markersize=4, label="graph")
    for ef, speed, share in zip(EFS, speeds[1:], shares[1:]):
        axes.annotate(f"ef = {ef}", (speed, share), xytext=(4, 4), textcoords="offset points", fontsize=7)
    axes.set(xlabel="queries a second", ylabel=f"recall@{K}", xlim=(0, None))
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    pictures.save(figure, "hnsw-recall")
