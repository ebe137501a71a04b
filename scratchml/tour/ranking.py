"""Which of these should stand first?  Choices of travellers, made lists, and a hundred candidates of a shop.

One choice of four is a list with one document wanted: ListNet is a conditional logit then, and its minimum is known to
all digits.  In the made lists two of forty are wanted, and documents stand in the file by falling price, of which
nobody cares.  All losses find out what counts but one: ListMLE over all places asks for an order of the 38 that are not
wanted.  Drawn at random, that is noise which costs something; taken from the file, the ranker learns the file.

With --full the same is done with the shop of `als`, the last five held out: a query is a customer, a document one of a
hundred candidates of four recommenders, and 24 features tell of the pair; wanted is what is bought later.  Rankers
learn from candidates of recommenders that knew less.  Behind ± is 1.96 times the standard error over the customers with
something wanted among their candidates.  The figures to compare with are LightGBM's, with the same leaves, bins and
rounds, the mean of three seeds: `python -m scratchml.tour.ranking` measures them again, if it is installed.
"""
from typing import NamedTuple

import numpy as np

from scratchml.datasets import load_mode_choice
from scratchml.metrics import ndcg_score
from scratchml.ranking import LambdaMART, LinearRanker
from scratchml.tour.table import Example, Row, columns, timed

CHAPTER = "scratchml.ranking.linear"
DATA = "210 choices of four ways to travel; with --full 8,606 lists of a hundred candidates of a shop"
LOGIT = -199.12837, (-0.015502, -0.096125, 0.013287, 5.207443, 3.869043, 3.163194)        # of statsmodels, by Newton
NAMES = "generalised cost", "minutes at terminals", "income, if by air", "by air", "by train", "by bus"
LINEAR = {                                               # a loss, and whether equal grades stand as in the file
    "ListNet": (dict(loss="listnet"), False),
    "softmax": (dict(loss="softmax"), False),
    "RankNet": (dict(loss="ranknet"), False),
    "ListMLE, places of the wanted": (dict(loss="listmle", top_k="relevant"), False),
    "ListMLE, all places, drawn": (dict(loss="listmle"), False),
    "ListMLE, all places, by price": (dict(loss="listmle"), True),
}


class Lists(NamedTuple):
    """Documents, a row each, and what is wanted of each query; rows of a query stand together."""
    X: np.ndarray                                        # (N, D)
    y: np.ndarray                                        # (N,)
    qid: np.ndarray                                      # (N,)


def run(seed, pictures, full):
    """Rows of the table: the conditional logit, and NDCG of rankers in the made example and in the shop."""
    yield from logit()
    scores = {}
    for name, (model, seconds) in linear_rankers(made(2 * seed), seed, price=5).items():
        test = made(2 * seed + 1)
        scores[name] = model.score(test.X, test.y, qid=test.qid)
        yield Row(f"made lists, NDCG@10: {name}", f"{scores[name]:.3f}", seconds=seconds)
    yield from shop(seed) if full else recorded()
    if pictures:
        draw_scores(pictures, scores)


def logit():
    """The log-likelihood of the choices, and what counts."""
    trips = load_mode_choice()
    mode = trips.alternatives[:, None] == ["air", "train", "bus"]
    X = np.column_stack([trips.data[:, [3, 0]], trips.data[:, 4] * mode[:, 0], mode])
    model, seconds = timed(LinearRanker(reg_lambda=0).fit, X, trips.chosen, qid=trips.chooser)
    yield Row("choices of 210 travellers: log-likelihood by ListNet", f"{-210 * model.loss_:.5f}", f"{LOGIT[0]:.5f}",
              "statsmodels 0.15.0", seconds)
    lines = [(name, f"{ours:.6f}", f"{theirs:.6f}") for name, ours, theirs in zip(NAMES, model.coef_, LOGIT[1])]
    yield Example("What a way to travel gains by each of these, and the same by statsmodels:", columns(lines))


def made(seed, Q=300, n=40):
    """Lists in which the first three of six features count, and the last falls from row to row."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(Q, n, 6))
    X[:, :, 5] = -np.sort(-X[:, :, 5], axis=1)
    worth = X[:, :, :3] @ [1, 0.6, -0.5] + 0.8 * rng.gumbel(size=(Q, n))
    y = (worth >= np.sort(worth, axis=1)[:, -2:-1]).astype(float)
    return Lists(X.reshape(-1, 6), y.ravel(), np.repeat(np.arange(Q), n))


def linear_rankers(lists, seed, price):
    """{name: (a fitted ranker, seconds)} of each loss; `price` is the column that the file may be ordered by."""
    found = {}
    for name, (options, as_filed) in LINEAR.items():
        y = lists.y
        if as_filed:                                     # a little less for each place down
            place = np.empty(len(y))
            place[np.lexsort((-lists.X[:, price], lists.qid))] = np.arange(len(y))
            y = y - 1e-9 * place
        found[name] = timed(LinearRanker(random_state=seed, **options).fit, lists.X, y, qid=lists.qid)
    return found


# --- the shop ------------------------------------------------------------------------------------

LIGHTGBM = {"LambdaMART": "0.3016", "LambdaMART, reg_lambda=10": "0.3102"}
RECORDED = "2026-11-30", (
    ("the shop, NDCG@10: as the candidates come", "0.2482 ±0.0081"),
    ("the shop, NDCG@10: linear, ListNet", "0.2890 ±0.0085"),
    ("the shop, NDCG@10: linear, softmax", "0.2898 ±0.0085"),
    ("the shop, NDCG@10: linear, RankNet", "0.2865 ±0.0084"),
    ("the shop, NDCG@10: linear, ListMLE, places of the wanted", "0.2904 ±0.0085"),
    ("the shop, NDCG@10: linear, ListMLE, all places, drawn", "0.2822 ±0.0084"),
    ("the shop, NDCG@10: linear, ListMLE, all places, by price", "0.0692 ±0.0044"),
    ("the shop, NDCG@10: LambdaMART", "0.3022 ±0.0085", "0.3016", "LightGBM 4.7.0"),
    ("the shop, NDCG@10: LambdaMART, reg_lambda=10", "0.3120 ±0.0087", "0.3102", "LightGBM 4.7.0"),
), ("NDCG@5 in the shop", [
    ("as the candidates come", "0.1964 ±0.0079"),
    ("linear, ListNet", "0.2314 ±0.0083"),
    ("linear, softmax", "0.2324 ±0.0084"),
    ("linear, RankNet", "0.2288 ±0.0082"),
    ("linear, ListMLE, places of the wanted", "0.2328 ±0.0084"),
    ("linear, ListMLE, all places, drawn", "0.2257 ±0.0082"),
    ("linear, ListMLE, all places, by price", "0.0457 ±0.0040"),
    ("LambdaMART", "0.2427 ±0.0084"),
    ("LambdaMART, reg_lambda=10", "0.2524 ±0.0087"),
]), ("What a standard deviation of a feature adds to the score, ListNet", [
    ("ALS: score", "+0.58"), ("all lists", "+0.28"), ("sold in window 1", "+0.24"), ("sold in window 0", "+0.24"),
    ("sold up to now", "-0.23"), ("cosines of 5: place", "-0.13"),
]), ("What share of all that cuts have gained a feature has, LambdaMART", [
    ("all lists", "0.164"), ("ALS: place", "0.107"), ("cosines of 5: score", "0.106"), ("sold in window 0", "0.089"),
    ("ALS: score", "0.052"), ("sold in window 1", "0.052"),
])


def recorded():
    """Rows and what else `shop` has found."""
    day, rows, *examples = RECORDED
    yield from (Row(*row, recorded=day) for row in rows)
    for heading, lines in examples:
        yield Example(f"{heading}, as recorded:", columns(lines))


def shop(seed):
    """Rows of the order that candidates come in, of linear rankers, and of trees; the features that count most."""
    from scratchml.tour.shop_ranking import ranking_rows
    rows = ranking_rows()
    names, (learning, test) = rows.testing.names, (Lists(*part[:3]) for part in rows)
    linear = linear_rankers(learning, seed, names.index("log price"))
    models = {f"linear, {name}": found for name, found in linear.items()}
    for name, price in (("LambdaMART", 0), ("LambdaMART, reg_lambda=10", 10)):
        models[name] = timed(LambdaMART(reg_lambda=price, importance_type="gain", random_state=seed).fit,
                             learning.X, learning.y, qid=learning.qid)
    scores = {"as the candidates come": (-np.arange(len(test.y)), None)}
    scores.update({name: (model.predict(test.X), seconds) for name, (model, seconds) in models.items()})
    at_5 = []
    for name, (s, seconds) in scores.items():
        theirs = (LIGHTGBM[name], "LightGBM 4.7.0") if name in LIGHTGBM else ("", "")
        yield Row(f"the shop, NDCG@10: {name}", mean_ndcg(s, test, 10), *theirs, seconds)
        at_5.append((name, mean_ndcg(s, test, 5)))
    yield Example("NDCG@5 in the shop:", columns(at_5))
    weights, gains = linear["ListNet"][0].weights_, models["LambdaMART"][0].feature_importances_
    for heading, worth, form in (
            ("What a standard deviation of a feature adds to the score, ListNet:", weights, "+.2f"),
            ("What share of all that cuts have gained a feature has, LambdaMART:", gains / gains.sum(), ".3f")):
        yield Example(heading, columns([(names[j], f"{worth[j]:{form}}") for j in np.argsort(-np.abs(worth))[:6]]))


def mean_ndcg(scores, test, k):
    """The mean over queries in which something is wanted, and how sure it is, as text."""
    found = ndcg_score(test.y, scores, qid=test.qid, k=k, per_query=True)
    return f"{found.mean():.4f} ±{1.96 * found.std(ddof=1) / np.sqrt(len(found)):.4f}"


def compare():
    """Print NDCG@5 and @10 of LightGBM with three seeds."""
    from lightgbm import LGBMRanker

    from scratchml.tour.shop_ranking import ranking_rows
    learning, test = (Lists(*part[:3]) for part in ranking_rows())
    for options in ({}, dict(reg_lambda=10)):
        for seed in range(3):
            model = LGBMRanker(random_state=seed, num_threads=1, verbose=-1, **options)
            model.fit(learning.X, learning.y, group=np.unique(learning.qid, return_counts=True)[1])
            print(options, seed, *(mean_ndcg(model.predict(test.X), test, k) for k in (5, 10)), flush=True)


# --- a picture -----------------------------------------------------------------------------------


def draw_scores(pictures, made_scores):
    """Bars of NDCG@10: in the made lists as found now, in the shop as recorded, with what they are sure to."""
    figure = pictures.figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    left.barh(list(made_scores), list(made_scores.values()), color="C0")
    left.set_title("made lists", fontsize=10)
    found = {row[0].split(": ", 1)[1]: [float(word.lstrip("±")) for word in row[1].split()] for row in RECORDED[1]}
    right.barh(list(found), [mean for mean, _ in found.values()], xerr=[sure for _, sure in found.values()],
               color=[{"l": "C0", "L": "C1"}.get(name[0], "C7") for name in found])
    right.set_title(f"the shop, recorded on {RECORDED[0]}", fontsize=10)
    for axes in (left, right):
        axes.invert_yaxis()
        axes.tick_params(labelsize=8)
        axes.set_xlabel("NDCG@10", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    pictures.save(figure, "ranking-scores")


if __name__ == "__main__":
    compare()
