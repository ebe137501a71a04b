"""Schedules: the step length as a function of time.

Long steps get out of the wrong valley, short ones to the bottom of the right one; so a step length usually falls.  It
often rises first: the running means of an adaptive method know little after a few steps, and a long step on their
word leads astray.

Symbols
    t          steps of the schedule done so far
    η0         the step length that the optimiser was made with
    γ, s       factor, and the number of steps after which it applies
    T, ηmin    steps until the end, and the step length there
    a, b       factors at the beginning and at the end

Equations
    (1)  η = η0 γ^⌊t / s⌋                                   step_decay
    (2)  η = ηmin + ½ (η0 - ηmin) (1 + cos(π t / T))        cosine
    (3)  η = η0 (a + (b - a) min(t, T) / T)                 linear

Choices
    Everything is computed from t, not from the step length before, so a schedule can be restored from t alone, and
    rounding does not add up.  PyTorch multiplies from step to step and differs in the last digits.  Where a step length
    is not what its schedule has made it, another schedule or the caller has had a hand in it: from then on it goes on
    from the length that there is, by the factors of its own curve, as in PyTorch.  So several schedules multiply, a
    LambdaLR as well, where PyTorch's undoes what the others have done.
    (2) goes on beyond T: it rises again, with period 2 T.  (3) with a < b is warm-up; then it stays at b η0.

Cost
    O(1) a step.

>>> import numpy as np
>>> from types import SimpleNamespace
>>> from scratchml.optim import SGD
>>> p = SimpleNamespace(data=np.zeros(3), grad=None)
>>> optimizer = SGD([p], lr=1.0)
>>> warm, fall = LinearLR(optimizer, 0.25, total_iters=3), CosineAnnealingLR(optimizer, 4)
>>> schedule, seen = SequentialLR(optimizer, [warm, fall], [3]), []
>>> for _ in range(8):
...     seen.append(round(schedule.get_last_lr()[0], 3))
...     schedule.step()
>>> seen
[0.25, 0.5, 0.75, 1.0, 0.854, 0.5, 0.146, 0.0]

Sources: I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, equation 5, for
(2); P. Goyal and others, "Accurate, large minibatch SGD", 2017, section 2.2, for (3); L. Smith and N. Topin,
"Super-convergence", 2017, for one cycle; for names and conventions,
PyTorch.
"""
import math

from scratchml.core.checks import one_of, real_number, whole_number


def step_decay(η0, γ, t, s):
    """(1)  η = η0 γ^⌊t / s⌋

    Shapes: η0, γ, t, s -> ()
    """
    return η0 * γ ** (t // s)


def cosine(η0, ηmin, t, T):
    """(2)  η = ηmin + ½ (η0 - ηmin) (1 + cos(π t / T))

    Shapes: η0, ηmin, t, T -> ()
    """
    return ηmin + (η0 - ηmin) * (1 + math.cos(math.pi * t / T)) / 2


def linear(η0, a, b, t, T):
    """(3)  η = η0 (a + (b - a) min(t, T) / T)

    Shapes: η0, a, b, t, T -> ()
    """
    return η0 * (a + (b - a) * min(t, T) / T)


class Schedule:
    """Sets the `lr` of every group of an optimiser, at once and at each `step`, to be called after the optimiser's."""

    floor = 0.0                                          # what the curve falls to: the factors are of the part above

    def __init__(self, optimizer, last_epoch=-1):
        if last_epoch != -1:
            raise ValueError(f"last_epoch={last_epoch!r}: expected -1; load_state_dict goes on from a schedule")
        self.optimizer = optimizer
        self.base_lrs = [group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups]
        self.last_epoch, self.shared, self._made = 0, False, self.base_lrs
        self._apply(self.base_lrs)

    def step(self):
        """One step further."""
        before = self.lengths(self.last_epoch)
        self.last_epoch += 1
        self._apply(before)

    def lengths(self, t):
        """The step lengths of the groups after t steps.

        Parameters
        ----------
        t : int
            How many steps.
        """
        return [self.at(base_lr, t) for base_lr in self.base_lrs]

    def at(self, base_lr, t):
        """The step length after t steps.

        Parameters
        ----------
        base_lr : float
            The step length that the group began with.
        t : int
            How many steps.
        """
        raise NotImplementedError

    def get_last_lr(self):
        """The step lengths of the groups now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self):
        """How far the schedule is, and the step lengths of the groups where it has not made them alone."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs),
                "lrs": self.get_last_lr() if self._interfered() else None}

    def load_state_dict(self, state_dict):
        """Go on from what `state_dict` returned.  Raises ValueError if it belongs to other groups.

        Parameters
        ----------
        state_dict : dict
            How far the schedule was.
        """
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(f"state_dict: expected {len(self.base_lrs)} group(s), got {len(state_dict['base_lrs'])}")
        self.last_epoch, self.base_lrs = state_dict["last_epoch"], list(state_dict["base_lrs"])
        lrs = state_dict.get("lrs")
        self.shared = lrs is not None
        self._made = lrs or self.lengths(self.last_epoch)
        self._set(self._made)

    def _interfered(self):
        self.shared = self.shared or self.get_last_lr()[:len(self._made)] != self._made
        return self.shared

    def _apply(self, before):
        """Set the step lengths of now, where the curves were at `before` a step ago."""
        made = self.lengths(self.last_epoch)
        if self._interfered():
            made = [new if old == self.floor else
                    self.floor + (lr - self.floor) * (new - self.floor) / (old - self.floor)
                    for lr, old, new in zip(self.get_last_lr(), before, made)]
        self._set(made)

    def _set(self, lrs):
        self._made = lrs
        for group, lr in zip(self.optimizer.param_groups, lrs):
            group["lr"] = lr


class StepLR(Schedule):
    """(1): times `gamma` every `step_size` steps.  Raises ValueError for settings out of range.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    step_size : int
        How many steps have the same length.
    gamma : float, default=0.1
        The factor, at least 0.
    last_epoch : int, default=-1
        For PyTorch's callers: where a schedule begins, its state says.
    """

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size, self.gamma = whole_number(step_size, "step_size"), real_number(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def at(self, base_lr, t):
        return step_decay(base_lr, self.gamma, t, self.step_size)


class ExponentialLR(Schedule):
    """(1) with s = 1: times `gamma` every step.  Raises ValueError for settings out of range.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    gamma : float
        The factor, at least 0.
    last_epoch : int, default=-1
        For PyTorch's callers: where a schedule begins, its state says.
    """

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = real_number(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def at(self, base_lr, t):
        return step_decay(base_lr, self.gamma, t, 1)


class MultiStepLR(Schedule):
    """Times `gamma` at each of some steps.  Raises ValueError for settings out of range.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    milestones : list of int
        At which steps, in any order; one that stands there twice counts twice.
    gamma : float, default=0.1
        The factor, at least 0.
    last_epoch : int, default=-1
        For PyTorch's callers: where a schedule begins, its state says.
    """

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        if not hasattr(milestones, "__iter__"):
            raise ValueError(f"milestones={milestones!r}: expected a list")
        self.milestones = [whole_number(m, "milestones", least=0) for m in milestones]
        self.gamma = real_number(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def at(self, base_lr, t):
        return step_decay(base_lr, self.gamma, sum(m <= t for m in self.milestones), 1)


class LambdaLR(Schedule):
    """Times a factor that a function of the number of steps gives.  Raises ValueError for what is no function.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    lr_lambda : callable or list of callables
        The function, of all groups or of each.
    last_epoch : int, default=-1
        For PyTorch's callers: where a schedule begins, its state says.
    """

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        groups = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups or not all(map(callable, self.lr_lambdas)):
            raise ValueError(f"lr_lambda={lr_lambda!r}: expected a function, or one for each of {groups} group(s)")
        super().__init__(optimizer, last_epoch)

    def lengths(self, t):
        return [base_lr * factor(t) for base_lr, factor in zip(self.base_lrs, self.lr_lambdas)]


class CosineAnnealingLR(Schedule):
    """(2): down to `eta_min` in `T_max` steps.  Raises ValueError for settings out of range.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    T_max : int
        How many steps the way down takes.
    eta_min : float, default=0.0
        The last step length.
    last_epoch : int, default=-1
        For PyTorch's callers: where a schedule begins, its state says.
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max, self.eta_min = whole_number(T_max, "T_max"), real_number(eta_min, "eta_min")
        self.floor = self.eta_min
        super().__init__(optimizer, last_epoch)

    def at(self, base_lr, t):
        return cosine(base_lr, self.eta_min, t, self.T_max)


class LinearLR(Schedule):
    """(3): from one factor to another in `total_iters` steps.  Raises ValueError for settings out of range.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    start_factor : float, default=1 / 3
        What the step length is multiplied by at first.
    end_factor : float, default=1.0
        What it is multiplied by in the end.
    total_iters : int, default=5
        How many steps the way takes.
    last_epoch : int, default=-1
        For PyTorch's callers: where a schedule begins, its state says.
    """

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        self.start_factor = real_number(start_factor, "start_factor")
        self.end_factor = real_number(end_factor, "end_factor")
        self.total_iters = whole_number(total_iters, "total_iters")
        super().__init__(optimizer, last_epoch)

    def at(self, base_lr, t):
        return linear(base_lr, self.start_factor, self.end_factor, t, self.total_iters)


class SequentialLR(Schedule):
    """One schedule after the other.  Raises ValueError for milestones that do not rise, or are too few or too many.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    schedulers : list of schedules
        What to do, in order.
    milestones : list of int
        Schedule number k, from 0, begins with t = 0 at step milestones[k - 1].
    """

    def __init__(self, optimizer, schedulers, milestones):
        for name, given in {"schedulers": schedulers, "milestones": milestones}.items():
            if not hasattr(given, "__iter__"):
                raise ValueError(f"{name}={given!r}: expected a list")
        self.schedulers, self.milestones = list(schedulers), [whole_number(m, "milestones") for m in milestones]
        if len(self.schedulers) != len(self.milestones) + 1 or self.milestones != sorted(set(self.milestones)):
            raise ValueError(f"milestones={self.milestones}: expected {len(self.schedulers) - 1} rising number(s), one "
                             "for each schedule but the first")
        for group in optimizer.param_groups:             # the parts have set step lengths when they were made
            group["lr"] = group.setdefault("initial_lr", group["lr"])
        super().__init__(optimizer)

    def at(self, base_lr, t):
        k = sum(m <= t for m in self.milestones)
        return self.schedulers[k].at(base_lr, t - ([0] + self.milestones)[k])


class OneCycleLR(Schedule):
    """Up to `max_lr` and down again, by (2) or (3), within a number of steps that is known before.

    The step length begins at max_lr / div_factor and ends at that over `final_div_factor`; momentum, or β1, falls from
    `max_momentum` to `base_momentum` while it rises, and rises again.  A step beyond the last is a ValueError, as are
    settings out of range.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    max_lr : float or list of float
        The greatest step length, of all groups or of each.
    total_steps : int or None, default=None
        How many steps there are; None for `epochs` times `steps_per_epoch`.
    epochs : int or None, default=None
        How many passes through the data.
    steps_per_epoch : int or None, default=None
        How many steps in each.
    pct_start : float, default=0.3
        The share of the steps on the way up.
    anneal_strategy : {"cos", "linear"}, default="cos"
        By (2) or by (3).
    cycle_momentum : bool, default=True
        Whether to set momentum, or β1, too.
    base_momentum : float, default=0.85
        Its least value.
    max_momentum : float, default=0.95
        Its greatest value.
    div_factor : float, default=25.0
        How many times less than the greatest the first step length is.
    final_div_factor : float, default=10000.0
        How many times less than the first the last one is.
    three_phase : bool, default=False
        Down as fast as up, and then the rest of the way below the first step length.
    last_epoch : int, default=-1
        For PyTorch's callers: where a schedule begins, its state says.
    """

    def __init__(self, optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3,
                 anneal_strategy="cos", cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0,
                 final_div_factor=10000.0, three_phase=False, last_epoch=-1):
        if total_steps is None:
            total_steps = whole_number(epochs, "epochs") * whole_number(steps_per_epoch, "steps_per_epoch")
        self.total_steps = whole_number(total_steps, "total_steps", least=2)
        self.pct_start = real_number(pct_start, "pct_start")
        if self.pct_start > 1:
            raise ValueError(f"pct_start={pct_start!r}: expected a number from 0 to 1")
        one_of(anneal_strategy, "anneal_strategy", ("cos", "linear"))
        groups, self.between = optimizer.param_groups, cosine if anneal_strategy == "cos" else _straight
        most = list(max_lr) if hasattr(max_lr, "__iter__") else [max_lr] * len(groups)
        if len(most) != len(groups):
            raise ValueError(f"max_lr: expected {len(groups)} number(s), one for each group, got {len(most)}")
        self.div_factor = real_number(div_factor, "div_factor", above=0)
        self.final_div_factor = real_number(final_div_factor, "final_div_factor", above=0)
        self.three_phase, self.momenta = three_phase, None
        if cycle_momentum:
            if not {"momentum", "betas"} & set(optimizer.defaults):
                raise ValueError(f"cycle_momentum=True: {type(optimizer).__name__} has no momentum; expected False")
            self.momenta = real_number(base_momentum, "base_momentum"), real_number(max_momentum, "max_momentum")
        for group, top in zip(groups, most):
            group["lr"] = group["initial_lr"] = real_number(top, "max_lr") / self.div_factor
        super().__init__(optimizer, last_epoch)

    def _on_the_way(self, t, low, high, last):
        """The value at step t of a curve that goes from `low` to `high`, and to `last`."""
        if t > self.total_steps:                         # the step after the last one goes on along the curve
            raise ValueError(f"step {t}: this schedule has {self.total_steps} steps; make it longer, or stop")
        top, end = self.pct_start * self.total_steps - 1, self.total_steps - 1
        points = [(0, low), (top, high), *([(2 * top, low)] if self.three_phase else []), (end, last)]
        for (start, a), (stop, b) in zip(points, points[1:]):
            if t <= stop or stop == end:
                return self.between(a, b, t - start, stop - start)

    def at(self, base_lr, t):
        return self._on_the_way(t, base_lr, base_lr * self.div_factor, base_lr / self.final_div_factor)

    def _set(self, lrs):
        super()._set(lrs)
        if self.momenta is not None:
            low, high = self.momenta
            μ = self._on_the_way(self.last_epoch, high, low, high)
            for group in self.optimizer.param_groups:
                group.update({"betas": (μ, group["betas"][1])} if "betas" in group else {"momentum": μ})


def _straight(a, b, t, T):
    return a + (b - a) * t / T
