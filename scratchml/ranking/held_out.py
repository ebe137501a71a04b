"""Held-out rows that are judged after each tree, and when to stop because they no longer gain."""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import whole_number
from scratchml.ranking.trees import predict_trees


class HeldOut(NamedTuple):
    """Rows, their scores so far, and what judges these."""
    name: str
    X: np.ndarray                                        # (N, D)
    F: np.ndarray                                        # (N,), changed in place
    judge: object                                        # of F: {measure: value}


def read_held_out(eval_set, eval_group, eval_qid, eval_names, task, as_table):
    """A list of `HeldOut`; `as_table(X, name)` checks features.  Raises ValueError for what does not fit together."""
    if eval_set is None:
        for name, given in (("eval_group", eval_group), ("eval_qid", eval_qid), ("eval_names", eval_names)):
            if given is not None:
                raise ValueError(f"{name}: there is no eval_set that it could belong to")
        return []
    alone = isinstance(eval_set, tuple)
    pairs = [eval_set] if alone else list(eval_set)
    groups, qids, names = (_one_for_each(given, name, len(pairs), alone) for given, name in (
        (eval_group, "eval_group"), (eval_qid, "eval_qid"), (eval_names, "eval_names")))
    found = []
    for n, (pair, group, qid, name) in enumerate(zip(pairs, groups, qids, names)):
        name, what = f"valid_{n}" if name is None else name, f"eval_set[{n}]"
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(f"{what}: expected a pair (X, y), got {type(pair).__name__}; pass one tuple, or a list of "
                             "them")
        if not isinstance(name, str) or name in [one.name for one in found]:
            raise ValueError(f"eval_names: expected a name of its own for each of the eval_set, got {name!r}")
        X = as_table(pair[0], f"{what}: X")
        found.append(HeldOut(name, X, np.full(len(X), task.start), task.others(pair[1], len(X), group, qid, what)))
    return found


def _one_for_each(given, name, n, alone):
    """A list of n, from what stands for one alone or is a list."""
    if given is None:
        return [None] * n
    if alone:
        return [given]
    if isinstance(given, str) or not isinstance(given, (list, tuple)) or len(given) != n:
        raise ValueError(f"{name}: expected a list with one for each of the {n} pairs of eval_set, got {given!r:.60}")
    return list(given)


class Watch:
    """Judges held-out rows after each tree; the last measure of the last of them decides which number of trees is best.

    Parameters
    ----------
    held_out : list of HeldOut
        Whom.
    patience : int or None
        After how many trees without a new best `stalled` is true.
    rising : bool
        Whether the greatest value is the best.
    """

    def __init__(self, held_out, patience, rising):
        if patience is not None and not held_out:
            raise ValueError(f"early_stopping_rounds={whole_number(patience, 'early_stopping_rounds')}: expected "
                             "held-out rows to watch; pass eval_set to fit, or set None")
        self.held_out, self.patience, self.rising = held_out, patience, rising
        self.history = {one.name: {} for one in held_out}
        self.best, self.seen, self.best_loss, self.loss = 0, 0, np.inf, np.nan

    def see(self, tree):
        """Add the tree to the scores of all rows and judge them."""
        self.seen += 1
        for one in self.held_out:
            one.F[:] += predict_trees([tree], one.X)
            values = one.judge(one.F)
            for measure, value in values.items():
                self.history[one.name].setdefault(measure, []).append(value)
            self.loss = self.loss_of(values)
        if self.loss < self.best_loss:
            self.best, self.best_loss = self.seen, self.loss

    def loss_of(self, values):
        """The last of the values, as a loss."""
        *_, value = values.values()
        return 1 - value if self.rising else value

    @property
    def stalled(self):
        return self.patience is not None and self.seen - self.best >= self.patience
