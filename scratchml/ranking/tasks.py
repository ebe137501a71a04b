"""What trees are grown for: the slopes of a loss on the rows of a fit, and how good scores are, on these and on others.

A task knows labels, weights and queries; boosting knows none of them.  `start` is the score of all rows before the
first tree, `slopes(F)` are g and h, `judge` measures scores, and `others` makes such a judge for held-out rows.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_vector, sample_weights
from scratchml.metrics.graded import ndcg_score
from scratchml.ranking.boosting import (logistic_loss, logistic_slopes, logistic_start, squared_loss, squared_slopes,
                                        squared_start)
from scratchml.ranking.lambdas import RankingLoss
from scratchml.ranking.queries import read_queries, required_queries

MOST = 1000                                              # a greater grade has a gain beyond float64


class Gains(NamedTuple):
    """What a label is worth: 2^y - 1, or the label itself, or what the table says."""
    kind: str                                            # one of KINDS
    table: np.ndarray                                    # (labels,), empty for the other two

    KINDS = "exponential", "linear", "table"

    @classmethod
    def of(cls, y, label_gain):
        """The gains that `label_gain` stands for; None means 2^y - 1 for whole labels `y`, and else y."""
        if label_gain is None or isinstance(label_gain, str) and label_gain == "linear":
            whole = label_gain is None and (y == np.rint(y)).all()
            return cls("exponential" if whole else "linear", np.empty(0))
        if isinstance(label_gain, str):
            raise ValueError(f"label_gain={label_gain!r}: expected None, 'linear', or the gains of labels 0, 1, ...")
        table = as_vector(label_gain, name="label_gain").astype(np.float64)
        if not table.size or table[0] < 0 or (np.diff(table) < 0).any():
            raise ValueError(f"label_gain: expected gains of labels 0, 1, ..., none below 0 or below that before, got "
                             f"{label_gain!r:.60}")
        return cls("table", table)

    def at(self, y, name="y"):
        """The gains of labels (N,).  Raises ValueError for those that have none."""
        if y.min(initial=0) < 0:
            raise ValueError(f"{name}: expected labels of 0 or more, got {y.min():g} at {y.argmin()}; shift them, so "
                             "that 0 is of no use")
        if self.kind == "linear":
            return y
        if self.kind == "exponential":
            if y.max(initial=0) >= MOST:
                raise ValueError(f"{name}: the label {y.max():g} has a gain of 2^{y.max():g}, beyond float64; pass "
                                 "label_gain=\"linear\" for gains that are the labels, or a list of gains")
            return np.exp2(y) - 1
        odd = (y != np.rint(y)) | (y >= len(self.table))
        if odd.any():
            raise ValueError(f"{name}: expected whole labels below {len(self.table)}, of which label_gain has the "
                             f"gains, got {y[odd.argmax()]:g} at {odd.argmax()}")
        return self.table[y.astype(np.int64)]


class Ranking:
    """Queries, whose documents are to stand by their labels."""

    rising = True                                        # its measures are the better the greater

    def __init__(self, y, w, queries, gains, objective, settings, places):
        self.gains, self.places, self.start, self.w = gains, places, 0.0, w
        self.loss = RankingLoss(gains.at(y), queries, objective, settings)
        self.queries, self.weighted = queries, bool((w != 1).any())
        own = self.loss.documents.gains[queries.order]
        first = queries.starts[:-1]
        self.idle = not (np.maximum.reduceat(own, first) > np.minimum.reduceat(own, first)).any()

    def slopes(self, F):
        g, h = self.loss(F)
        return (self.w * g, self.w * h) if self.weighted else (g, h)

    @property
    def judge(self):
        return NDCG(self.loss.documents.gains, self.queries, self.places, "y")

    def others(self, y, N, group, qid, name):
        """A judge for N other rows; `name` says which."""
        y = labels(y, N, f"{name}: y")
        return NDCG(self.gains.at(y, f"{name}: y"), required_queries(N, group, qid, name, "eval_"), self.places, name)


class NDCG:
    """Measures of scores (N,), NDCG@k for some k.  Raises ValueError, with `name`, where no document has a gain."""

    def __init__(self, gains, queries, places, name):
        self.g, self.order = gains[queries.order], queries.order
        self.lengths, self.places = np.diff(queries.starts), places
        if not self.g.any():
            raise ValueError(f"{name}: no query has a document above label 0, so there is nothing to judge")

    def __call__(self, F):
        return {f"ndcg@{k}": ndcg_score(self.g, F[self.order], group=self.lengths, k=k, gains="linear")
                for k in self.places}


class Pointwise:
    """Rows, each of which has a number that its score should come near, or a yes or no."""

    rising = False

    def __init__(self, y, w, objective):
        start, self._slopes = {"squared": (squared_start, squared_slopes),
                               "logistic": (logistic_start, logistic_slopes)}[objective]
        self.gains, self.objective, self.y, self.w = None, objective, _outcomes(y, objective, "y"), w
        self.start, self.idle = start(y, w), bool((y == y[0]).all())

    def slopes(self, F):
        return self._slopes(self.y, self.w, F)

    @property
    def judge(self):
        return MeanLoss(self.y, self.w, self.objective, "y")

    def others(self, y, N, group, qid, name):
        """A judge for N other rows, which need no queries."""
        return MeanLoss(labels(y, N, f"{name}: y"), np.ones(N), self.objective, f"{name}: y")


class MeanLoss:
    """The measure of scores (N,) that is their loss.  Raises ValueError, with `name`, for labels that have none."""

    def __init__(self, y, w, objective, name):
        self.y, self.w = _outcomes(y, objective, name), w
        self.name, self.loss = {"squared": ("l2", squared_loss), "logistic": ("logloss", logistic_loss)}[objective]

    def __call__(self, F):
        return {self.name: self.loss(self.y, self.w, F)}


# --- reading -------------------------------------------------------------------------------------


def read_task(y, N, group, qid, sample_weight, label_gain, objective, settings, places):
    """The `Ranking` or `Pointwise` of N rows.  Raises ValueError for labels, weights and queries that do not fit."""
    y, w = labels(y, N, "y"), sample_weights(sample_weight, N, np.float64)
    if objective in ("squared", "logistic"):
        if group is not None or qid is not None:
            read_queries(N, group, qid)                  # wrong ones are wrong, needed or not
        return Pointwise(y, w, objective)
    queries = required_queries(N, group, qid, objective)
    return Ranking(y, w, queries, Gains.of(y, label_gain), objective, settings, places)


def labels(y, N, name):
    """Labels (N,) as float64."""
    if y is None:
        raise ValueError(f"{name}: requires y to be passed, but the target y is None")
    return as_vector(y, name=name, size=N).astype(np.float64)


def _outcomes(y, objective, name):
    if objective == "logistic" and not np.isin(y, (0, 1)).all():
        odd = ~np.isin(y, (0, 1))
        raise ValueError(f"{name}: objective=\"logistic\" expects labels 0 and 1, got {y[odd.argmax()]:g} at "
                         f"{odd.argmax()}")
    return y
