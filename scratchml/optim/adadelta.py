"""Adadelta: steps whose length needs no unit, since it is that of the steps before.

The adaptive methods of the chapter first_order divide a gradient by how large gradients usually are.  The quotient has
no unit; the step length must supply one, and another for each scale of x.  Adadelta multiplies by how large the steps
have been instead: if x is measured in other units, so are its steps.

Symbols
    x        (D,)    a parameter, of any shape
    g        (D,)    its gradient
    s        (D,)    running mean of the squared gradients
    u        (D,)    running mean of the squared steps
    d        (D,)    direction in which it goes, downhill being -d
    ε                what the first steps grow from

Equations
    (1)  d = g √(u + ε) / √(s + ε)                                        adadelta_direction

Choices
    A step is s ← ρ s + (1 - ρ) g², (1), u ← ρ u + (1 - ρ) d², x ← x - η d; the paper has η = 1.  Weight decay adds λ x
    to g before.  u begins at 0, so the first step has the length √(ε / (1 - ρ)), whatever g is, and steps grow from
    there.  A gradient whose squares its type cannot hold counts as the largest whose squares it can.

Cost
    A step takes O(D) time, and 2 D numbers beside the parameters.

>>> from scratchml.autograd import Tensor
>>> x = Tensor([0.0, 0.0], requires_grad=True)
>>> optimizer = Adadelta([x])
>>> for _ in range(50):                                  # one slope is 400 times as steep as the other
...     optimizer.zero_grad()
...     (x * [1.0, 400.0]).sum().backward()
...     optimizer.step()
>>> bool(x.data[0] < -0.1), bool(abs(x.data[0] / x.data[1] - 1) < 1e-4)
(True, True)

Source: M. Zeiler, "Adadelta: an adaptive learning rate method", 2012, algorithm 1.
"""
import numpy as np

from scratchml.optim.first_order import descend, running_mean, squarable, with_decay
from scratchml.optim.optimizer import Optimizer, below_one


def adadelta_direction(g, s, u, ε):
    """(1)  d = g √(u + ε) / √(s + ε)

    Shapes: g (D), s (D), u (D), ε -> (D)
    """
    return g * (np.sqrt(u + ε) / np.sqrt(s + ε))


class Adadelta(Optimizer):
    """Adadelta: (1) between two running means.  Raises ValueError for settings out of range.

    Parameters
    ----------
    params : parameter, list of parameters, or list of dict
        What to move; each dict {"params": ..., "lr": ...} is a group with settings of its own.
    lr : float, default=1.0
        η, the factor of a step.
    rho : float, default=0.9
        ρ, how much of the past the running means keep, from 0 to below 1.
    eps : float, default=1e-6
        ε.
    weight_decay : float, default=0.0
        λ, at least 0.
    """

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0):
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)

    def _check(self, group):
        super()._check(group)
        below_one(group["rho"], "rho")

    def moved(self, x, g, state, group):
        g, zeros, ρ = squarable(with_decay(g, x, group["weight_decay"])), np.zeros_like(x), group["rho"]
        state["step"] = state.get("step", 0) + 1
        state["square_avg"] = s = running_mean(state.get("square_avg", zeros), g * g, ρ)
        d = adadelta_direction(g, s, u := state.get("acc_delta", zeros), group["eps"])
        state["acc_delta"] = running_mean(u, d * d, ρ)
        return descend(x, d, group["lr"])
