"""Three stages joined, beside each recommender alone: candidates, a scorer that learns to rank them, and a last look.

The shop and its two splits are those of `als`.  A hundred candidates of a customer come from words, ALS and two kinds
of item cosines; a scorer orders them by 24 numbers that are known of each pair; at last what is not sold any more
sinks, and of what is alike only a part stays.  The scorer learns from purchases that the recommenders before it have
not seen.  Below are an eighth of the customers; with --full all of them, in both splits, which takes some minutes.

Coverage is the share of the catalogue that is shown at all, novelty how rare that is, in bits, and diversity how unlike
the names within a list are.  TF-IDF of items weighs a purchase by √count ln(M / (1 + the customer's items)).
"""
import numpy as np

from scratchml.core.sparse import Rows, some_rows
from scratchml.datasets import load_online_retail
from scratchml.metrics.diversity import intra_list_diversity
from scratchml.metrics.ranking import catalogue_coverage, ndcg_at_k, novelty, recall_at_k
from scratchml.ranking import LambdaMART
from scratchml.recommend.als import ALS
from scratchml.recommend.content import ContentBased
from scratchml.recommend.diversify import mmr
from scratchml.recommend.item_neighbors import ItemCosine, Popularity
from scratchml.recommend.linear_scorer import LinearScorer
from scratchml.recommend.rerank import half_life_decay, rescored, scaled
from scratchml.recommend.stages import Recommender
from scratchml.recommend.two_tower import TwoTower
from scratchml.recommend.word_weights import Tfidf
from scratchml.tour import als, two_tower
from scratchml.tour.shop_ranking import ranking_rows
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.recommend.stages"
DATA = "purchases of the customers of an online shop, with names and prices of its items"
CUSTOMER = als.CUSTOMER
STEP = 8                                                 # every eighth customer, of whom CUSTOMER is one
MEASURES = "recall@10", "NDCG@10", "coverage", "novelty", "diversity"
IMPLICIT, TORCH, LIGHTGBM, SKLEARN = "implicit 0.7.3", "PyTorch 2.13.0", "LightGBM 4.7.0", "scikit-learn 1.9.1"
STATED = {
    ("the last five", "TF-IDF of items"): ("0.1782 / 0.1612", IMPLICIT),
    ("a random fifth", "TF-IDF of items"): ("0.1597 / 0.2898", IMPLICIT),
    ("the last five", "words"): ("0.1000 / 0.0933", SKLEARN), ("a random fifth", "words"): ("0.0899 / 0.1636", SKLEARN),
    ("the last five", "ALS"): ("0.1952 / 0.1867", IMPLICIT), ("a random fifth", "ALS"): ("0.1549 / 0.2933", IMPLICIT),
    ("the last five", "two towers with ln q"): ("0.1759 / 0.1613", TORCH),
    ("the last five", "three stages, trees"): ("0.2235 / 0.2093", LIGHTGBM),
    ("a random fifth", "three stages, trees"): ("0.1665 / 0.3078", LIGHTGBM),
}
RECORDED = "2026-11-30", {
    ("a random fifth", "popularity"): ("0.0327", "0.0709", "0.014", "2.51", "0.981"),
    ("a random fifth", "item cosines"): ("0.1621", "0.2902", "0.596", "4.28", "0.966"),
    ("a random fifth", "TF-IDF of items"): ("0.1592", "0.2945", "0.563", "4.06", "0.963"),
    ("a random fifth", "words"): ("0.0899", "0.1636", "0.651", "4.81", "0.791"),
    ("a random fifth", "ALS"): ("0.1572", "0.2944", "0.418", "3.76", "0.950"),
    ("a random fifth", "three stages, weights"): ("0.1669", "0.3084", "0.530", "3.89", "0.937"),
    ("a random fifth", "three stages, trees"): ("0.1705", "0.3132", "0.592", "3.97", "0.945"),
    ("a random fifth", "three stages, trees, a last look"): ("0.1692", "0.3107", "0.524", "3.89", "0.957"),
    ("the last five", "popularity"): ("0.0444", "0.0392", "0.028", "2.32", "0.971"),
    ("the last five", "item cosines"): ("0.1744", "0.1573", "0.587", "3.92", "0.953"),
    ("the last five", "TF-IDF of items"): ("0.1913", "0.1777", "0.575", "3.83", "0.965"),
    ("the last five", "words"): ("0.0999", "0.0931", "0.642", "4.60", "0.792"),
    ("the last five", "ALS"): ("0.1952", "0.1876", "0.387", "3.43", "0.946"),
    ("the last five", "two towers with ln q"): ("0.1765", "0.1636", "0.670", "3.66", "0.959"),
    ("the last five", "two towers without"): ("0.0903", "0.0810", "1.000", "5.69", "0.962"),
    ("the last five", "three stages, weights"): ("0.2166", "0.2010", "0.480", "3.55", "0.937"),
    ("the last five", "three stages, trees"): ("0.2303", "0.2156", "0.619", "3.76", "0.946"),
    ("the last five", "three stages, trees, a last look"): ("0.2284", "0.2139", "0.543", "3.69", "0.961"),
}


class CosinesOfUnitRows(ItemCosine):
    """Item cosines of a matrix in which each customer's row has length 1."""

    def fit(self, matrix):
        """Find the neighbours.  Returns itself.

        Parameters
        ----------
        matrix : Rows (U, M)
            Counts.
        """
        return super().fit(als.unit_rows(matrix))


def run(seed, pictures, full):
    """Rows of the table: each recommender alone and the stages joined; one customer's list, stage by stage."""
    bought = load_online_retail(items=True)
    words = Tfidf(ngram_range=(1, 2)).fit_transform(bought.item_names)
    yield from some_customers(bought, words, seed)
    found = {} if full else RECORDED[1]
    for split in als.CHOSEN if full else ():
        for name, lists, parts, seconds in everything(bought, words, split, seed):
            found[split, name] = measures(lists, parts, words)
            yield row(split, name, found[split, name], seconds)
    if not full:
        yield from (row(*what, figures)._replace(recorded=RECORDED[0]) for what, figures in found.items())
    when = "" if full else f" (recorded {RECORDED[0]})"
    for split in als.CHOSEN:
        yield Example(f"How good, wide, rare and diverse the lists are, {split} held out{when}:", columns(
            [("", *MEASURES), *((name, *figures) for (where, name), figures in found.items() if where == split)]))
    if pictures:
        draw_measures(pictures, found)


def row(split, name, figures, seconds=None):
    stated, peer = STATED.get((split, name), ("", ""))
    return Row(f"recall and NDCG of {name}, {split}", " / ".join(figures[:2]), stated, peer, seconds)


def measures(lists, parts, words):
    """Five figures of lists (U, 10)."""
    return (f"{recall_at_k(lists, parts.test):.4f}", f"{ndcg_at_k(lists, parts.test):.4f}",
            f"{catalogue_coverage(lists, parts.train.shape[1]):.3f}", f"{novelty(lists, parts.train):.2f}",
            f"{intra_list_diversity(lists, words):.3f}")


# --- an eighth of the customers, in one object ----------------------------------------------------


def some_customers(bought, words, seed):
    """Rows for every eighth customer, all of them in one `Recommender`, and the list of one."""
    A, days = als.matrix(bought)
    some = np.arange(0, A.shape[0], STEP)
    parts = als.part(some_rows(A, some), some_rows(A._replace(data=days.astype(float)), some).data, "the last five", 0)
    generators = {"words": (ContentBased(), {"item_features": words}),
                  "ALS": ALS(64, alpha=1.0, regularization=10.0, iterations=als.ITERATIONS, solver="cg",
                             random_state=seed),
                  "cosines of 20": CosinesOfUnitRows(20), "cosines of 5": CosinesOfUnitRows(5)}
    model = Recommender(generators, LambdaMART(reg_lambda=10.0, random_state=seed), random_state=seed)
    prices = {"log price": np.log(np.maximum(bought.prices, 0.01))}
    _, seconds = timed(model.fit(parts.train, parts.days, prices).precompute)
    users = np.arange(len(some))
    for name, one in {"popularity": Popularity().fit(parts.train), **model.generators_}.items():
        yield row("538 customers", name, measures(one.recommend(users, 10)[0], parts, words))
    yield row("538 customers", "three stages", measures(model.recommend(users, 10)[0], parts, words), seconds)
    model.rerankers = last_looks(parts, words)
    yield row("538 customers", "three stages, and a last look", measures(model.recommend(users, 10)[0], parts, words))
    yield from one_customer(bought, model, parts, CUSTOMER // STEP)


def last_looks(parts, words):
    """What is no longer sold sinks; of what is alike only a part stays."""
    last = np.zeros(parts.train.shape[1])
    np.maximum.at(last, parts.train.indices, parts.days)
    still = half_life_decay(last.max() - last, 180)
    return {"still sold": lambda items, scores: rescored(items, scaled(items, scores), still),
            "unlike each other": lambda items, scores: mmr(items, scaled(items, scores), words, 10, trade_off=0.9)}


def one_customer(bought, model, parts, user):
    """Where each stage has the items that are shown to one customer, or were first among the candidates."""
    stages = model.trace(user)
    counted = [(stage.name, str(len(stage.items)), str(len(stage.gone))) for stage in stages]
    yield Example(f"How many items each stage leaves customer {CUSTOMER}, and how many it takes out:", columns(counted))
    later = set(parts.test.indices[slice(*parts.test.indptr[user:user + 2])].tolist())
    at = [{int(item): str(k + 1) for k, item in enumerate(stage.items)} for stage in stages]
    before = [stage.name for stage in stages].index("candidates")
    items = list(dict.fromkeys([*stages[-1].items.tolist(), *stages[before].items[:10].tolist()]))
    lines = [("", "words", "ALS", "of 20", "of 5", "pooled", "scored", "sold", "shown", "bought")]
    places = [*at[:before + 2], at[before + 2], at[-1]]
    for item in items:
        name = bought.item_names[item].capitalize()[:32]
        lines.append((name, *(place.get(item, "-") for place in places), "later" if item in later else ""))
    yield Example("At which place each stage has the items that it is shown, or would be without a scorer:",
                  columns(lines))
    why = model.explain(user, stages[-1].items[0])
    known = columns([(f"{value:.2f}", name) for name, value in why.features.items() if ":" not in name])
    if "ALS" in why.because:
        speak = zip(why.because["ALS"].items, why.because["ALS"].contributions)
        known = columns([(f"{share:.2f}", f"by ALS for {bought.item_names[m].lower()}") for m, share in speak]) + known
    yield Example(f"Why {bought.item_names[why.item].lower()}: what speaks for it, and what the scorer knew:", known)


# --- all of them ---------------------------------------------------------------------------------


def everything(bought, words, split, seed):
    """Name, lists (U, 10), parts and seconds of each recommender."""
    parts = als.part(*als.matrix(bought), split, 0)
    train, (_, cosines, factors) = parts.train, als.CHOSEN[split]
    makers = {"popularity": lambda: Popularity().fit(train),
              "item cosines": lambda: CosinesOfUnitRows(**cosines).fit(train),
              "TF-IDF of items": lambda: ItemCosine(3).fit(surprising(train)),
              "words": lambda: ContentBased().fit(train, words),
              "ALS": lambda: ALS(**factors, iterations=als.ITERATIONS, solver="cg", random_state=seed).fit(train)}
    if split == "the last five":                         # each takes as long as all others together
        makers["two towers with ln q"] = lambda: TwoTower(**two_tower.WHOLE, random_state=seed).fit(train)
        makers["two towers without"] = lambda: TwoTower(**two_tower.WHOLE, log_q=False, random_state=seed).fit(train)
    users = np.arange(train.shape[0])
    for name, make in makers.items():
        (lists, _), seconds = timed(lambda: make().recommend(users, 10))
        yield name, lists, parts, seconds
    (learning, testing), making = timed(ranking_rows, split, seed)
    looks = last_looks(parts, words)
    for name, scorer in (("weights", LinearScorer()), ("trees", LambdaMART(reg_lambda=10.0, random_state=seed))):
        scores, seconds = timed(lambda: scorer.fit(learning.X, learning.y, qid=learning.qid).predict(testing.X))
        scores = scores.reshape(testing.pool.items.shape)
        order = np.argsort(-scores, axis=1, kind="stable")
        items, scores = (np.take_along_axis(one, order, 1) for one in (testing.pool.items, scores))
        yield f"three stages, {name}", items[:, :10], parts, making + seconds
    for look in looks.values():
        items, scores = look(items, scores)
    yield "three stages, trees, a last look", items[:, :10], parts, making + seconds


def surprising(A):
    """√count ln(M / (1 + n)) in place of each of a customer's n counts."""
    n = np.diff(A.indptr)
    weights = np.log(A.shape[1] / (1 + n))
    return Rows(A.indptr, A.indices, np.sqrt(A.data) * np.repeat(weights, n), A.shape)


def draw_measures(pictures, found):
    """A bar for the recall of each recommender, in each split."""
    splits = list(dict.fromkeys(split for split, _ in found))
    figure = pictures.figure(5 * max(1, len(splits)), 3.6)
    for axes, split in zip(figure.subplots(1, max(1, len(splits)), sharey=True, squeeze=False).flat, splits):
        recalls = {name: float(figures[0]) for (where, name), figures in found.items() if where == split}
        axes.barh(list(recalls), list(recalls.values()), color=["C1" if "stages" in name else "C0" for name in recalls])
        axes.invert_yaxis()
        axes.set_title(f"{split} held out", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("recall@10", fontsize=10)
    pictures.save(figure, "stages-recall")
