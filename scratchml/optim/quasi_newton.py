"""L-BFGS as an optimiser: the chapter lbfgs, a few iterations at a time, for weights that a closure gives a gradient.

lbfgs minimises a function of one vector to the end.  Training asks for something else: weights in many arrays, a loss
that a closure computes anew as often as the method wants it, a few iterations a step, and the pairs kept from step to
step.  The direction is that of the chapter lbfgs.  How far to go is either fixed, as for the other optimisers, or found
by a search between two ends, as its users know it from PyTorch, so that losses are the same as there.

Symbols
    n            all entries of all parameters
    g   (n,)     the gradient where we are
    d   (n,)     the direction in which to go
    η            step length (`lr`)
    a            a step: from x to x + a d
    φ, phi       the loss along the line, φ(a) = f(x + a d)
    p0, u0       its value φ(0) and slope φ'(0) < 0 at the start
    c₁, c₂       0 < c₁ < c₂ < 1; here 1e-4 and 0.9

Equations
    (1)  a = η min(1, 1 / Σ_i |g_i|)                                               first_step
    (2)  some a with φ(a) ≤ φ(0) + c₁ a φ'(0) and |φ'(a)| ≤ c₂ |φ'(0)|             bracketed_step

Choices
    (1) is for the first iteration of all, where d = -g has no scale; later ones try a = η.
    (2) goes out, by 1.01 to 10 times, until a step is too long: too high, no lower than the one before, or uphill.
    Then a good one lies between the two last; the least of the cubic through both ends takes the place of one.  Twice
    in a row near an end, it is moved a tenth of the way in.  The search ends with the lower end where the two are
    closer than `tolerance_change` or the evaluations are used up.  A loss of inf or NaN is too high.
    Without a search a loss or gradient that is not finite is a ValueError, and the parameters go back to where it was.
    A pair counts if s·y > 1e-10.  A parameter without a gradient has one of 0; if no parameter has one, the closure
    has not called backward, and that is a ValueError.

Cost
    An iteration takes 4 L n multiplications for L pairs, at most `history_size`, and one evaluation of the closure,
    with a search often one or two.  Memory: (2 L + 4) n numbers.

>>> from scratchml.autograd import Tensor
>>> x = Tensor([-1.2, 1.0], requires_grad=True)
>>> optimizer = LBFGS([x], max_iter=40, line_search_fn="strong_wolfe")
>>> def closure():
...     optimizer.zero_grad()
...     loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
...     loss.backward()
...     return loss
>>> optimizer.step(closure).item().__round__(1), x.data.round(4).tolist()
(24.2, [1.0, 1.0])

Sources: J. Nocedal and S. Wright, "Numerical Optimization", 2nd edition (2006), sections 3.5 and 7.2; M. Schmidt,
"minFunc", 2005, and PyTorch, for (1), the numbers in (2), when to stop, and names.
"""
import math
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import real_number, whole_number
from scratchml.optim.lbfgs import direction, dot
from scratchml.optim.line_search import Step, cubic_minimum, flattens, within
from scratchml.optim.optimizer import Optimizer, gradient

# --- how far -------------------------------------------------------------------------------------


def first_step(g, η):
    """(1)  a = η min(1, 1 / Σ_i |g_i|)

    Shapes: g (n), η -> ()
    """
    return η * min(1.0, 1.0 / float(np.abs(g).sum()))


class End(NamedTuple):
    """A step that was tried, φ and its slope there."""
    step: float
    value: float
    slope: float


def bracketed_step(phi, p0, u0, first=1.0, *, c1=1e-4, c2=0.9, width=0.0, limit=25):
    """(2)  some a with φ(a) ≤ φ(0) + c₁ a φ'(0) and |φ'(a)| ≤ c₂ |φ'(0)|

    phi(a) returns φ(a) and φ'(a), `first` is tried first, and up to `limit` others; ends closer than `width` are not
    told apart.  Returns a Step.

    Shapes: phi, p0, u0 -> (), (), (), (), ()
    """
    def tried(a):
        p, u = phi(a)
        return End(a, math.inf if math.isnan(p) else p, u)

    def falls(end):
        return end.value <= p0 + c1 * end.step * u0

    start = End(0.0, p0, u0)
    before, now, others = start, tried(first), 0
    while True:
        if others == limit:
            before = start
            break
        if not falls(now) or others > 1 and now.value >= before.value:
            break
        if flattens(now.slope, u0, c2):
            return Step(*now, others + 1, True)
        if now.slope >= 0:
            break
        farther = _least(before, now, now.step + 0.01 * (now.step - before.step), 10 * now.step)
        before, now, others = now, tried(farther), others + 1
    ends, near = [before, now], False
    while others < limit and abs(ends[1].step - ends[0].step) >= width:
        low = _lower(ends)
        a, near = _inside(*sorted(ends), near)
        new, others = tried(a), others + 1
        if not falls(new) or new.value >= ends[low].value:
            ends[1 - low] = new
            continue
        found = flattens(new.slope, u0, c2)
        if not found and new.slope * (ends[1 - low].step - ends[low].step) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = new
        if found:
            return Step(*new, others + 1, True)
    return Step(*ends[_lower(ends)], others + 1, False)


def _lower(ends):
    """Which of two ends is lower, the first if neither is."""
    return int(ends[1].value < ends[0].value)


def _least(left, right, low, high):
    """Where the cubic through two ends is least, moved between two bounds; the middle of these if it is nowhere."""
    return within(cubic_minimum(*left, *right), low, high, otherwise=(low + high) / 2)


def _inside(left, right, near):
    """The next step between two ends, and whether it is near one of them: twice in a row it is not."""
    a, tenth = _least(left, right, left.step, right.step), (right.step - left.step) / 10
    if min(right.step - a, a - left.step) >= tenth:
        return a, False
    if not near and left.step < a < right.step:
        return a, True
    return (right.step - tenth if right.step - a < a - left.step else left.step + tenth), False


# --- the optimiser -------------------------------------------------------------------------------


class LBFGS(Optimizer):
    """L-BFGS: up to `max_iter` iterations a step, each along the direction of the chapter lbfgs, by (1) or (2).

    `step` needs a closure, which computes the loss and its gradients anew.  All parameters are in one group.  Raises
    ValueError for settings out of range, and for a second group.

    Parameters
    ----------
    params : parameter or list of parameters
        What to move.
    lr : float, default=1.0
        η, the step length; with a search the first that is tried.
    max_iter : int, default=20
        How many iterations a step has at most.
    max_eval : int or None, default=None
        How often a step may call the closure, a search at its end once more; None for 1.25 max_iter.
    tolerance_grad : float, default=1e-7
        A step ends where no entry of the gradient is larger.
    tolerance_change : float, default=1e-9
        A step ends where neither the loss nor an entry of x changes by more.
    history_size : int, default=100
        How many pairs are remembered.
    line_search_fn : {"strong_wolfe"} or None, default=None
        Whether to search by (2).
    """

    def __init__(self, params, lr=1.0, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9,
                 history_size=100, line_search_fn=None):
        max_eval = whole_number(max_iter, "max_iter") * 5 // 4 if max_eval is None else max_eval
        super().__init__(params, lr=lr, max_iter=max_iter, max_eval=max_eval, tolerance_grad=tolerance_grad,
                         tolerance_change=tolerance_change, history_size=history_size, line_search_fn=line_search_fn)

    def _check(self, group):
        if self.param_groups:
            raise ValueError("params: LBFGS has one group; give all parameters as one list")
        for name in ("max_iter", "max_eval", "history_size"):
            whole_number(group[name], name)
        for name in ("lr", "tolerance_grad", "tolerance_change"):
            real_number(group[name], name)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"line_search_fn={group['line_search_fn']!r}: expected 'strong_wolfe' or None")

    def step(self, closure):
        """Up to `max_iter` iterations.  Returns what the closure returned first.

        Raises ValueError without a closure, where it gives no gradient, and where the loss or gradient is not finite.

        Parameters
        ----------
        closure : callable
            Computes loss and gradients anew, and returns the loss.
        """
        if not callable(closure):
            raise ValueError(f"closure={closure!r}: LBFGS evaluates the loss several times a step; expected a function "
                             "that calls zero_grad and backward and returns the loss")
        group, state = self.param_groups[0], self.state.setdefault(0, {"func_evals": 0, "n_iter": 0})
        evaluations, first = state["func_evals"], closure()
        state["func_evals"] += 1
        value, g = self._finite(first, self._gradient(), "at the start")
        for iteration in range(1, group["max_iter"] + 1):
            if np.abs(g).max() <= group["tolerance_grad"]:
                break
            d = self._direction(g, state)
            slope = dot(g, d)
            if slope > -group["tolerance_change"]:
                break
            a = group["lr"] if state["n_iter"] > 1 else first_step(g, group["lr"])
            left = group["max_eval"] - (state["func_evals"] - evaluations)
            last = iteration == group["max_iter"] and not group["line_search_fn"]
            a, new, g = self._moved(closure, d, a, (value, slope, g), left, last)
            state["t"] = a
            small = np.abs(a * d).max() <= group["tolerance_change"] or \
                abs(new - value) < group["tolerance_change"]
            value = new
            if last or small or state["func_evals"] - evaluations >= group["max_eval"]:
                break
        return first

    def _direction(self, g, state):
        """The direction at a point with the gradient `g`, after the pair that leads there is remembered."""
        state["n_iter"] += 1
        if state["n_iter"] == 1:
            state["old_stps"], state["old_dirs"] = [], []
        else:
            s, y = state["d"] * g.dtype.type(state["t"]), g - state["prev_flat_grad"]
            if dot(s, y) > 1e-10:
                for pairs, one in ((state["old_stps"], s), (state["old_dirs"], y)):
                    pairs.append(one)
                    del pairs[:-self.param_groups[0]["history_size"]]
        state["prev_flat_grad"] = g
        state["d"] = d = direction(g, state["old_stps"], state["old_dirs"])
        return d

    def _moved(self, closure, d, a, now, left, last):
        """Go along `d`: by how much, and the loss and gradient there, or those of before if this is the last time."""
        group, state = self.param_groups[0], self.state[0]
        arrays = [p.data.copy() for p in group["params"]]
        (value, slope, g), found = now, {0.0: now[2]}

        def phi(a):
            self._place(arrays, d, a)
            state["func_evals"] += 1
            loss = float(closure())
            found[a] = self._gradient()
            return loss, dot(found[a], d)

        if group["line_search_fn"]:
            step = bracketed_step(phi, value, slope, a, width=group["tolerance_change"] / np.abs(d).max(), limit=left)
            self._place(arrays, d, step.size)
            return step.size, step.value, found[step.size]
        if last:
            self._place(arrays, d, a)
            return a, value, g
        try:
            return a, *self._finite(phi(a)[0], found[a], "there; lower lr, or ask for line_search_fn='strong_wolfe'")
        except ValueError:
            self._place(arrays, d, 0.0)
            raise

    def _place(self, arrays, d, a):
        """The parameters at x + a d, for the `arrays` of x."""
        done = 0
        for p, x in zip(self.param_groups[0]["params"], arrays):
            array = np.asarray(p.data)
            array[...] = x + x.dtype.type(a) * d[done:done + x.size].reshape(x.shape) if a else x
            p.data = array                               # says to a Tensor that its array has changed
            done += x.size

    def _gradient(self):
        parameters = self.param_groups[0]["params"]
        if all(p.grad is None for p in parameters):
            raise ValueError("closure: no parameter has a gradient afterwards; expected it to call loss.backward()")
        for k, p in enumerate(parameters):
            if p.grad is not None and gradient(p).shape != p.data.shape:
                raise ValueError(f"params: parameter {k} has shape {p.data.shape}, its gradient {gradient(p).shape}")
        parts = [np.zeros(p.data.size, p.data.dtype) if p.grad is None else np.ravel(gradient(p)) for p in parameters]
        return np.concatenate([np.asarray(part) for part in parts])

    def _finite(self, loss, g, where):
        value = float(loss)
        if not (math.isfinite(value) and np.isfinite(g).all()):
            raise ValueError(f"closure: expected a finite loss and gradient, got a loss of {value} {where}")
        return value, g

    def state_dict(self):
        """Settings and state as dictionaries, lists, numbers and copies of arrays."""
        state = super().state_dict()
        for one in state["state"].values():
            one.update({name: [x.copy() for x in value] for name, value in one.items() if isinstance(value, list)})
        return state

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` returned, here or of PyTorch's LBFGS.

        Raises ValueError if it has another optimiser or other sizes.

        Parameters
        ----------
        state_dict : dict
            Settings and state.
        """
        n = sum(p.data.size for p in self.param_groups[0]["params"])
        taken = {}
        for i, one in (state_dict.get("state", {}) if isinstance(state_dict, dict) else {}).items():
            vectors = {name: [np.asarray(x).copy() for x in one[name]]
                       for name in ("old_stps", "old_dirs") if name in one}
            alone = {name: np.asarray(one[name]).copy()
                     for name in ("d", "prev_flat_grad") if one.get(name) is not None}
            for name, found in (*vectors.items(), *((name, [x]) for name, x in alone.items())):
                if any(x.shape != (n,) for x in found):
                    raise ValueError(f"state_dict: {name} has shapes {[x.shape for x in found]}, expected ({n},) each")
            counts = {name: int(one.get(name, 0)) for name in ("func_evals", "n_iter")}
            taken[int(i)] = {**counts, **vectors, **alone, **({"t": float(one["t"])} if "t" in one else {})}
        super().load_state_dict({**state_dict, "state": {}} if isinstance(state_dict, dict) else state_dict)
        self.state = taken
