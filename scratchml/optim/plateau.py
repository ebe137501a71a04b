"""Shorter steps where nothing gets better: the step length as a function of what is measured.

A schedule knows beforehand how long training takes.  Without that knowledge one looks at a measure of each pass, such
as the loss of samples that are kept back: as long as it gets better the steps are right; where it has not for a while,
they are too long to get closer to the bottom, and are made shorter by a factor.

Choices
    Better than the best so far means: by a share of it, or by an amount.  NaN is never better.

>>> import numpy as np
>>> from types import SimpleNamespace
>>> from scratchml.optim import SGD
>>> optimizer = SGD([SimpleNamespace(data=np.zeros(3), grad=None)], lr=1.0)
>>> schedule, seen = ReduceLROnPlateau(optimizer, patience=1), []
>>> for loss in (3.0, 2.0, 2.0, 2.1, 1.0):
...     schedule.step(loss)
...     seen.append(optimizer.param_groups[0]["lr"])
>>> seen
[1.0, 1.0, 1.0, 0.1, 0.1]

Source: for names, arguments and what is counted, PyTorch.
"""
import math

from scratchml.core.checks import one_of, real_number, whole_number


class ReduceLROnPlateau:
    """Shorter steps where what is measured gets no better: `step(metrics)` after each pass.

    Raises ValueError for settings out of range.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    mode : {"min", "max"}, default="min"
        Whether what is measured should fall or rise.
    factor : float, default=0.1
        What a step length is multiplied by, below 1.
    patience : int, default=10
        How many passes in a row may be no better.
    threshold : float, default=1e-4
        What counts as better: by that share of the best, or by that much.
    threshold_mode : {"rel", "abs"}, default="rel"
        Which of the two.
    cooldown : int, default=0
        How many passes do not count after steps have become shorter.
    min_lr : float or list of float, default=0
        The least step length, of all groups or of each.
    eps : float, default=1e-8
        A step length that would change by no more is left.
    """

    def __init__(self, optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0,
                 min_lr=0, eps=1e-8):
        self.optimizer, self.mode = optimizer, one_of(mode, "mode", ("min", "max"))
        self.factor, self.eps = real_number(factor, "factor"), real_number(eps, "eps")
        if self.factor >= 1:
            raise ValueError(f"factor={factor!r}: expected a number of at least 0 and below 1")
        self.patience = whole_number(patience, "patience", least=0)
        self.threshold = real_number(threshold, "threshold")
        self.threshold_mode = one_of(threshold_mode, "threshold_mode", ("rel", "abs"))
        self.cooldown = whole_number(cooldown, "cooldown", least=0)
        least = list(min_lr) if hasattr(min_lr, "__iter__") else [min_lr] * len(optimizer.param_groups)
        if len(least) != len(optimizer.param_groups):
            raise ValueError(f"min_lr: expected {len(optimizer.param_groups)} number(s), got {len(least)}")
        self.min_lrs = [real_number(lr, "min_lr") for lr in least]
        self.best, self.last_epoch = math.inf if mode == "min" else -math.inf, 0
        self.num_bad_epochs = self.cooldown_counter = 0

    def step(self, metrics):
        """Take note of a pass.

        Parameters
        ----------
        metrics : float
            What is measured: a number, or a Tensor or array of one.
        """
        value, self.last_epoch = float(metrics), self.last_epoch + 1
        if self._is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            for group, least in zip(self.optimizer.param_groups, self.min_lrs):
                shorter = max(group["lr"] * self.factor, least)
                group["lr"] = shorter if group["lr"] - shorter > self.eps else group["lr"]

    def _is_better(self, value):
        sign = 1 if self.mode == "min" else -1
        asked = self.threshold * (abs(self.best) if self.threshold_mode == "rel" else 1)
        return sign * value < sign * self.best - asked if math.isfinite(self.best) else sign * value < sign * self.best

    def get_last_lr(self):
        """The step lengths of the groups now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self):
        """What was measured, and how long it has been no better."""
        return {name: getattr(self, name) for name in ("best", "last_epoch", "num_bad_epochs", "cooldown_counter")}

    def load_state_dict(self, state_dict):
        """Go on from what `state_dict` returned; the step lengths are in the state of the optimiser.

        Parameters
        ----------
        state_dict : dict
            What was measured.
        """
        self.__dict__.update({name: state_dict[name] for name in self.state_dict()})
