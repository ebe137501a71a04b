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
    rounding does not add up.  PyTorch multiplies from step to step and differs in the last digits.
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
(2); P. Goyal and others, "Accurate, large minibatch SGD", 2017, section 2.2, for (3); for names and conventions,
PyTorch.
"""
import math


from scratchml.core.checks import real_number, whole_number


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

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.base_lrs = [group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups]
        self.last_epoch = 0
        self._apply()

    def step(self):
        """One step further."""
        self.last_epoch += 1
        self._apply()

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
        """How far the schedule is."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

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
        self._apply()

    def _apply(self):
        for group, base_lr in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = self.at(base_lr, self.last_epoch)


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
    """

    def __init__(self, optimizer, step_size, gamma=0.1):
        self.step_size, self.gamma = whole_number(step_size, "step_size"), real_number(gamma, "gamma")
        super().__init__(optimizer)

    def at(self, base_lr, t):
        return step_decay(base_lr, self.gamma, t, self.step_size)


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
    """

    def __init__(self, optimizer, T_max, eta_min=0.0):
        self.T_max, self.eta_min = whole_number(T_max, "T_max"), real_number(eta_min, "eta_min")
        super().__init__(optimizer)

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
    """

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5):
        self.start_factor = real_number(start_factor, "start_factor")
        self.end_factor = real_number(end_factor, "end_factor")
        self.total_iters = whole_number(total_iters, "total_iters")
        super().__init__(optimizer)

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
        self.schedulers, self.milestones = list(schedulers), [whole_number(m, "milestones") for m in milestones]
        if len(self.schedulers) != len(self.milestones) + 1 or self.milestones != sorted(set(self.milestones)):
            raise ValueError(f"milestones={milestones}: expected {len(self.schedulers) - 1} rising number(s), one for "
                             "each schedule but the first")
        super().__init__(optimizer)

    def at(self, base_lr, t):
        k = sum(m <= t for m in self.milestones)
        return self.schedulers[k].at(base_lr, t - ([0] + self.milestones)[k])
