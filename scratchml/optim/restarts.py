"""Warm restarts: a step length that falls along a cosine, again and again, each time more slowly.

A long step after many short ones leaves the valley that has been found.  What has been learned is kept, only the step
length begins anew: so every fall ends in a valley, often in a better one than before, and training may stop at the end
of any of them.

Symbols
    t          steps of the schedule done so far; it need not be a whole number
    T0, M      steps of the first cycle, and how many times longer each next one is
    t_c, T     steps done in the present cycle, and its length
    c, n       where a cycle begins, and its length

Equations
    (1)  t_c, T = t - c, n with c the last beginning of a cycle up to t, n its length         in_cycle
         the lengths being T0, M T0, M M T0, ...

Choices
    The step length is the cosine of the chapter schedules of t_c and T.  `step(t)` with t = epoch + batch / batches
    moves it within an epoch.

Cost
    O(log t) a step, O(1) for M = 1.

>>> import numpy as np
>>> from types import SimpleNamespace
>>> from scratchml.optim import SGD
>>> optimizer = SGD([SimpleNamespace(data=np.zeros(3), grad=None)], lr=1.0)
>>> schedule, seen = CosineAnnealingWarmRestarts(optimizer, 2, T_mult=2), []
>>> for _ in range(7):
...     seen.append(round(schedule.get_last_lr()[0], 3))
...     schedule.step()
>>> seen
[1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]

Source: I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, section 3.
"""
from scratchml.core.checks import real_number, whole_number
from scratchml.optim.schedules import Schedule, cosine


def in_cycle(t, T0, M):
    """(1)  t_c, T = t - c, n with c the last beginning of a cycle up to t, n its length

    Shapes: t, T0, M -> (), ()
    """
    if M == 1:
        return t % T0, T0
    t_c, T = t, T0
    while t_c >= T:
        t_c, T = t_c - T, M * T
    return t_c, T


class CosineAnnealingWarmRestarts(Schedule):
    """Down to `eta_min` along a cosine in each cycle, (1).  Raises ValueError for settings out of range.

    Parameters
    ----------
    optimizer : optimiser
        Whose step lengths to set.
    T_0 : int
        T0, how many steps the first cycle has.
    T_mult : int, default=1
        M, how many times longer each next cycle is.
    eta_min : float, default=0.0
        The step length at the end of a cycle.
    last_epoch : int, default=-1
        For PyTorch's callers: where a schedule begins, its state says.
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        self.T_0, self.T_mult = whole_number(T_0, "T_0"), whole_number(T_mult, "T_mult")
        self.floor = self.eta_min = real_number(eta_min, "eta_min")
        super().__init__(optimizer, last_epoch)

    def at(self, base_lr, t):
        return cosine(base_lr, self.eta_min, *in_cycle(t, self.T_0, self.T_mult))

    def step(self, epoch=None):
        """One step further, or to t = `epoch`.  Raises ValueError for a number below 0.

        Parameters
        ----------
        epoch : float or None, default=None
            The new t; None for one more.
        """
        before = self.lengths(self.last_epoch)
        self.last_epoch = self.last_epoch + 1 if epoch is None else real_number(epoch, "epoch")
        self._apply(before)
