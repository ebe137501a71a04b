"""Optimisers in general: parameters in groups, settings for each group, state for each parameter.

How far to go is the matter of the chapters: an optimiser here is a subclass with `moved`.

A single Tensor counts as one parameter; it could be taken apart into rows, which would be moved instead.  What is no
parameter is refused, since nothing would move: the result of an operation, a dictionary, a Module, an array.

>>> import numpy as np
>>> from scratchml.autograd import Tensor
>>> class Downhill(Optimizer):
...     def moved(self, x, g, state, group):
...         return x - group["lr"] * g
>>> x = Tensor([3.0, 4.0], requires_grad=True)
>>> optimizer = Downhill(x, lr=0.25)
>>> (x * x).sum().backward()
>>> optimizer.step()
>>> x
Tensor([1.5, 2. ], requires_grad=True)

Source: PyTorch, for names and conventions.
"""
import math

import numpy as np

from scratchml.core.checks import FLOATS, real_number, true_or_false
from scratchml.core.elementary import double
from scratchml.core.jit import kernel, readable

OPTIONAL = {"initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "amsgrad"}     # schedules add most
PYTORCHS = {"maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"}


class Optimizer:
    """What the optimisers share: groups of parameters with settings of their own, and state for each parameter.

    `params` is a parameter, a sequence of them, or of dictionaries {"params": [...], "lr": ...} that override the
    settings.  A parameter is anything with `data`, an array that is changed in place, and `grad`: None, an array, or
    something with `data` itself.
    """

    def __init__(self, params, **settings):
        self.defaults, self.param_groups = settings, []
        self.state = {}                                  # {number of the parameter: {name: array or int}}
        parts = list(params) if _is_sequence(params) else [{"params": params}]
        if not parts:
            raise ValueError("params: expected at least one parameter, got none")
        for group in parts if any(isinstance(part, dict) for part in parts) else [{"params": parts}]:
            self.add_param_group(group)

    def add_param_group(self, param_group):
        """Move more parameters from now on as well.

        Raises ValueError for what is no such dictionary, for unknown settings, and for a parameter that is there.

        Parameters
        ----------
        param_group : dict
            {"params": ..., "lr": ...}, with settings of its own.
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise ValueError(f"param_group: expected a dictionary with the key 'params', got {param_group!r:.60}")
        if unknown := set(param_group) - {"params", *self.defaults}:
            raise ValueError(f"params: {type(self).__name__} has no setting {', '.join(sorted(map(str, unknown)))}; "
                             f"it has {', '.join(self.defaults)}")
        group = {**self.defaults, **param_group, "params": parameters_in(param_group["params"], "params")}
        for p in group["params"]:
            if not getattr(p, "is_leaf", True):
                raise ValueError(f"params: expected leaves, got the result of an operation, of shape {p.data.shape}, "
                                 "whose change would be lost; give what it was computed from")
        self._check(group)
        every = [id(p) for p in [*self._parameters(), *group["params"]]]
        if len(set(every)) < len(every):
            raise ValueError("params: a parameter comes twice; it would be moved twice a step")
        self.param_groups.append(group)

    def _parameters(self):
        return [p for group in self.param_groups for p in group["params"]]

    def _check(self, group):
        for name, value in group.items():
            if name == "betas":
                if not isinstance(value, (tuple, list)) or len(value) != 2:
                    raise ValueError(f"betas={value!r}: expected two numbers, (β1, β2)")
                for k, β in enumerate(value):
                    below_one(β, f"betas[{k}]")
            elif name in ("momentum", "alpha"):
                below_one(value, name)
            elif name in ("nesterov", "centered", "amsgrad"):
                true_or_false(value, name)
            elif name != "params":
                real_number(value, name, least=-np.inf if name == "dampening" else 0.0)

    def zero_grad(self, set_to_none=True):
        """Forget the gradients.

        Parameters
        ----------
        set_to_none : bool, default=True
            Whether `grad` becomes None, or else zero.
        """
        for p in self._parameters():
            if set_to_none or p.grad is None:
                p.grad = None
            else:
                set_gradient(p, np.zeros_like(gradient(p)))

    def step(self, closure=None):
        """Move every parameter that has a gradient.  Raises ValueError for a gradient of another shape.

        Parameters
        ----------
        closure : callable or None, default=None
            Computes loss and gradients anew before, and what it returns is returned.
        """
        loss = closure() if closure is not None else None
        number = -1
        for group in self.param_groups:
            for p in group["params"]:
                number += 1
                if p.grad is None:
                    continue
                g, array = np.asarray(gradient(p)), np.asarray(p.data)
                if g.shape != array.shape:
                    raise ValueError(f"params: parameter {number} has shape {array.shape}, its gradient {g.shape}")
                moved = self.moved(array, g, self.state.setdefault(number, {}), group)
                if moved is not array:
                    array[...] = moved
                p.data = array                           # says to a Tensor that its array has changed
        return loss

    def moved(self, x, g, state, group):
        """What a parameter becomes; `x` itself if that has been changed.

        Parameters
        ----------
        x : array
            The parameter.
        g : array
            Its gradient, of the same shape.
        state : dict
            What is remembered of this parameter; it may be changed.
        group : dict
            The settings.
        """
        raise NotImplementedError

    def state_dict(self):
        """Settings and state as dictionaries, lists, numbers and copies of arrays; parameters go by their number."""
        numbers = iter(range(len(self._parameters())))
        groups = [{**group, "params": [next(numbers) for _ in group["params"]]} for group in self.param_groups]
        return {"state": {i: _copied(state) for i, state in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` returned, here or of PyTorch's optimiser of the same name.

        Raises ValueError if it has another optimiser, other groups or shapes, or a setting that is not here.

        Parameters
        ----------
        state_dict : dict
            Settings and state.
        """
        if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= set(state_dict):
            raise ValueError("state_dict: expected a dictionary with the keys 'state' and 'param_groups'")
        groups = state_dict["param_groups"]
        ours, theirs = ([len(group["params"]) for group in some] for some in (self.param_groups, groups))
        if ours != theirs:
            raise ValueError(f"state_dict: expected groups of {ours} parameter(s), got {theirs}")
        for group, loaded in zip(self.param_groups, groups):
            if differing := (set(group) ^ set(loaded)) - OPTIONAL - PYTORCHS:
                raise ValueError(f"state_dict: the settings differ in {', '.join(sorted(differing))}; it is of another "
                                 f"optimiser than {type(self).__name__}")
            if loaded.get("maximize"):
                raise ValueError("state_dict: maximize=True: expected False; minimise the negative instead")
        parameters = self._parameters()
        state = {int(i): _loaded(one) for i, one in state_dict["state"].items()}
        for i, one in state.items():
            if not 0 <= i < len(parameters):
                raise ValueError(f"state_dict: state of parameter {i}, of {len(parameters)}")
            for name, value in one.items():
                if isinstance(value, np.ndarray):
                    if value.shape != parameters[i].data.shape:
                        raise ValueError(f"state_dict: {name} of parameter {i} has shape {value.shape}, "
                                         f"the parameter {parameters[i].data.shape}")
                    one[name] = value.astype(parameters[i].data.dtype)
        for group, loaded in zip(self.param_groups, groups):
            group.update({name: value for name, value in loaded.items() if name not in {"params", *PYTORCHS}})
        self.state = state


def gradient(p):
    """The gradient of a parameter as an array."""
    return p.grad if isinstance(p.grad, np.ndarray) else p.grad.data


def is_parameter(thing):
    """Whether `thing` can be moved: it has `data`, an array, and `grad`."""
    return hasattr(thing, "grad") and isinstance(getattr(thing, "data", None), np.ndarray)


def parameters_in(given, name):
    """The parameters that are `given`, one or a sequence of them, as a list.  Raises ValueError for anything else."""
    if is_parameter(given):
        return [given]
    if _is_sequence(given):
        return [_checked(p, i, name) for i, p in enumerate(given)]
    wanted = f"{name}: expected a parameter or a sequence of them"
    if hasattr(given, "parameters"):
        raise ValueError(f"{wanted}, got {type(given).__name__}; give its .parameters()")
    if isinstance(given, dict):
        raise ValueError(f"{wanted}, got a dictionary with the keys {list(given)!r:.60}; give list(d.values()), or for "
                         "a group with settings of its own a list of dictionaries, [{'params': ..., 'lr': ...}]")
    no_order = ", which has no order" if isinstance(given, (set, frozenset)) else ""
    raise ValueError(f"{wanted}, got {type(given).__name__}{no_order}")


def _is_sequence(given):
    return hasattr(given, "__iter__") and not is_parameter(given) and \
        not isinstance(given, (dict, str, set, frozenset, np.ndarray))


def _checked(p, i, name):
    if not is_parameter(p):
        hint = "; give parameters(), not named_parameters()" if isinstance(p, tuple) else ""
        raise ValueError(f"{name}[{i}]: expected a parameter, which has data, an array, and grad, got "
                         f"{type(p).__name__}{hint}")
    return p


def set_gradient(p, g):
    """Make the array `g` the gradient of a parameter that has one."""
    if isinstance(p.grad, np.ndarray):
        p.grad = g
    elif getattr(p.grad, "is_leaf", True):
        p.grad.data = g
    else:
        p.grad = type(p.grad)(g)


def _loaded(state):
    """The state of one parameter in our types: PyTorch has tensors, also for the number of steps, and None for none."""
    ours = {name: value if isinstance(value, (int, float)) else np.asarray(value).copy()
            for name, value in state.items() if value is not None}
    return {name: int(value) if name == "step" else value for name, value in ours.items()}


def _copied(state):
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in state.items()}


def below_one(value, name):
    """Raises ValueError unless `value` is a number of at least 0 and below 1."""
    if real_number(value, name) >= 1:
        raise ValueError(f"{name}={value!r}: expected a number of at least 0 and below 1")


def norm(x, order):
    """The norm of an array `x` of any shape, in float64, also where powers of its entries leave that range."""
    if order == 2 and x.dtype in FLOATS:
        n = math.sqrt(sum_of_squares(readable(np.ascontiguousarray(x)).reshape(-1)))
    else:
        with np.errstate(over="ignore", under="ignore"):
            n = float(np.linalg.norm(x.ravel().astype(np.float64), order))
    if 1e-150 < n < np.inf or not (0 < (largest := float(np.abs(x).max(initial=0))) < np.inf):
        return n
    return float(largest * np.linalg.norm(x.ravel().astype(np.float64) / largest, order))


@kernel(reassociate=True)
def sum_of_squares(x):
    """Σ x_k² in float64, without a copy in that type."""
    total = 0.0
    for k in range(x.size):
        total += double(x[k]) * double(x[k])
    return total
