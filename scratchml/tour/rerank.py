"""The last look at a list: what a shop gains and loses by fresh, diverse and well-proportioned lists.

A hundred candidates a customer come from item cosines, and ten of them are shown, of which the five that were bought
last are to be found; the split is that of `als`.  Diversity is that of the names' words.  Off is how far the price
bands of a list are from those that the customer has bought in, and age is for how many days the items shown have not
been sold.  Freshness helps where it asks whether an item is still sold, and does not where it asks whether it is new.
Names that are like those of what a customer has add something where they count a fifth.  Diversity is nearly free at
first; proportions cost more.
"""
import numpy as np

from scratchml.datasets import load_online_retail
from scratchml.metrics.diversity import category_shares, intra_list_diversity, miscalibration
from scratchml.metrics.ranking import recall_at_k
from scratchml.recommend.content import ContentBased, content_scores
from scratchml.recommend.diversify import dpp, mmr
from scratchml.recommend.item_neighbors import ItemCosine
from scratchml.recommend.rerank import blended, calibrated, half_life_decay, rescored, scaled
from scratchml.recommend.word_weights import Tfidf
from scratchml.tour import als
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.recommend.rerank"
DATA = "purchases of the customers of an online shop, with names, prices and first days of its items"
BANDS = 5
CUSTOMER = als.CUSTOMER


def run(seed, pictures, full):
    """Rows of the table: recall of lists after each way to choose them, and all of their measures below; one customer's
    lists."""
    bought = load_online_retail(items=True)
    parts = als.part(*als.matrix(bought), "the last five", 0)
    X = Tfidf().fit_transform(bought.item_names)
    edges = np.quantile(bought.prices, np.arange(1, BANDS) / BANDS)
    bands = np.eye(BANDS)[np.searchsorted(edges, bought.prices, side="right")]
    had = parts.train._replace(data=np.ones_like(parts.train.data))
    last = np.zeros(len(bought.item_names))
    np.maximum.at(last, parts.train.indices, parts.days)
    unsold, known_for = last.max() - last, np.maximum(last.max() - bought.first_days, 0)
    items, scores = ItemCosine(5).fit(als.unit_rows(parts.train)).recommend(np.arange(had.shape[0]), 100)
    s, taste = scaled(items, scores), category_shares(had, bands)
    ways = {"as scored": lambda: (items[:, :10], scores),
            "still sold, half life 14 days": lambda: rescored(items, scores, half_life_decay(unsold, 14)),
            "new, half life 365 days": lambda: rescored(items, scores, half_life_decay(known_for, 365))}
    by_names = of_names(parts.train, X, items)
    ways.update({f"names too, {a} for scores": lambda a=a: blended(items, scores, by_names, a) for a in (0.8, 0.5)})
    ways.update({f"MMR, {t} for scores": lambda t=t: mmr(items, s, X, trade_off=t) for t in (0.9, 0.7, 0.5)})
    ways.update({f"DPP, quality {q}": lambda q=q: dpp(items, s, X, quality=q) for q in (8, 2, 0.5)})
    ways.update({f"calibrated, {t} for proportions": lambda t=t: calibrated(items, s, taste, bands, trade_off=t)
                 for t in (0.5, 0.9)})
    lines, shown, points = [("", "diversity", "off", "age")], {}, {}
    for name, way in ways.items():
        (lists, _), seconds = timed(way)
        shown[name] = lists[:, :10]
        recall, diversity = recall_at_k(shown[name], parts.test), intra_list_diversity(shown[name], X)
        points[name] = diversity, recall
        yield Row(f"recall@10, {name}", f"{recall:.4f}", seconds=seconds)
        lines.append((name, f"{diversity:.3f}", f"{miscalibration(shown[name], had, bands):.3f}",
                      f"{unsold[shown[name]].mean():.0f}"))
    if pictures:
        draw_trade(pictures, points)
    yield Example("How diverse those lists are, how far off in price bands, and how old:", columns(lines))
    first, other = (shown[name][CUSTOMER] for name in ("as scored", "MMR, 0.7 for scores"))
    yield Example(f"What customer {CUSTOMER} is shown as scored, and by MMR with 0.7 for scores:", columns(
        [(bought.item_names[a].capitalize(), bought.item_names[b].capitalize()) for a, b in zip(first, other)]))


def of_names(train, X, items):
    """Scores (U, N) of candidates by how like their names are to those of what a customer has."""
    model = ContentBased().fit(train, X)
    scores = content_scores(model.profiles(train), model.item_features_)
    return np.take_along_axis(scores, np.maximum(items, 0), 1)


def draw_trade(pictures, points):
    """What diversity costs: a point for each way to choose lists."""
    figure = pictures.figure(7.5, 4.2)
    axes = figure.subplots()
    for name, (diversity, recall) in points.items():
        axes.scatter(diversity, recall, color=f"C{['as', 'st', 'ne', 'na', 'MM', 'DP', 'ca'].index(name[:2])}")
        beside = (4, -10) if name.startswith("DPP") else (4, 4)
        axes.annotate(name, (diversity, recall), xytext=beside, textcoords="offset points", fontsize=7)
    axes.set(xlabel="diversity of a list", ylabel="recall@10")
    axes.margins(x=0.2, y=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    pictures.save(figure, "rerank-trade")
