"""Weights that are computed from others, and all weights as one vector.

A step of gradient descent turns a weight vector and changes its length at once, and the longer the vector, the less the
same step turns it.  Weight normalisation learns the two apart: a length g, and a vector v of which only the direction
counts.

Symbols
    v        (N, D)  directions, one vector in each row
    g        (N, 1)  lengths

Equations
    (1)  w_n = g_n v_n / ‖v_n‖                                                       of_lengths

Choices
    `weight_norm` replaces the weight of a layer by g and v, under the names of PyTorch's; before each `forward` (1)
    makes the weight of them, in operations on Tensors.  A vector of zeros has no direction, and is refused.

Cost
    O(N D) for each weight at every step, beside what the layer costs.

>>> from scratchml.nn import Linear
>>> layer = weight_norm(Linear(2, 1, bias=False, random_state=0))
>>> _ = layer.load_state_dict({"weight_g": [[10.0]], "weight_v": [[3.0, 4.0]]})
>>> layer([[1.0, 0.0]]).tolist()
[[6.0]]

Source: T. Salimans and D. Kingma, "Weight normalization: a simple reparameterization to accelerate training of deep
neural networks", NeurIPS 2016, equation 2; for names, PyTorch.
"""
import numpy as np

from scratchml.autograd.ops import as_tensor, concatenate, one_dim
from scratchml.nn.module import Module, Parameter

# --- the equation --------------------------------------------------------------------------------


def of_lengths(g, v):
    """(1)  w_n = g_n v_n / ‖v_n‖

    Shapes: g (N, 1), v (N, D) -> (N, D)
    """
    g, v = as_tensor(g), as_tensor(v)
    shape = (1,) * (v.ndim - g.ndim) + g.shape           # one length of all is a number
    return v * (g / (v * v).sum(tuple(d for d, n in enumerate(shape) if n == 1), True).sqrt())


class WeightNorm:
    """What `weight_norm` has done to the weight `name` of a layer; called before each `forward`."""

    def __init__(self, name):
        self.name = name

    def __call__(self, module, arguments=()):
        g, v = (getattr(module, f"{self.name}_{part}") for part in "gv")
        setattr(module, self.name, of_lengths(g, v))


def weight_norm(module, name="weight", dim=0):
    """Learn the lengths and directions of a weight (N, D) apart, by (1).  Returns the layer.

    Raises ValueError where there is no such weight, and for vectors of zeros.

    Parameters
    ----------
    module : Module
        The layer.
    name : str, default="weight"
        Its weight.
    dim : int or None, default=0
        The dimension along which the vectors stand; None for one length of all.
    """
    w = module._parameters.get(name) if isinstance(module, Module) else None
    if w is None:
        raise ValueError(f"name={name!r}: expected a weight of the layer, got {module!r} without; it is told once")
    over = tuple(d for d in range(w.ndim) if dim is None or d != one_dim(dim, w.ndim))
    lengths = np.sqrt((w.data.astype(np.float64) ** 2).sum(over, keepdims=True)).astype(w.dtype)
    if dim is None:
        lengths = lengths.reshape(())
    if not np.all(lengths > 0):
        raise ValueError(f"{name}: a vector of zeros has no direction; expected others")
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(np.array(lengths)))
    module.register_parameter(f"{name}_v", Parameter(np.array(w.data)))
    hook = WeightNorm(name)
    hook(module)
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module, name="weight"):
    """Learn a weight (N, D) itself again, after `weight_norm`.  Returns the layer.

    Raises ValueError where `weight_norm` has not been.

    Parameters
    ----------
    module : Module
        The layer.
    name : str, default="weight"
        Its weight.
    """
    for handle, hook in list(module._pre_hooks.items() if module._pre_hooks else ()):
        if isinstance(hook, WeightNorm) and hook.name == name:
            handle.remove()
            hook(module)
            w = Parameter(getattr(module, name).detach().numpy().copy())
            for gone in (name, f"{name}_g", f"{name}_v"):
                delattr(module, gone)
            module.register_parameter(name, w)
            return module
    raise ValueError(f"name={name!r}: {module!r} has no weight of this name under weight_norm")


# --- all weights as one vector -------------------------------------------------------------------


def parameters_to_vector(parameters):
    """All entries of weights, one after the other, (N,).  Raises ValueError for no weights.

    Parameters
    ----------
    parameters : iterable of Tensors
        The weights.
    """
    return concatenate([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec, parameters):
    """Give weights the entries of a vector (N,), one after the other.

    Raises ValueError, and changes nothing, for a vector of another length than they have entries.

    Parameters
    ----------
    vec : Tensor or array (N,)
        The entries.
    parameters : iterable of Tensors
        The weights.
    """
    parameters, array = list(parameters), as_tensor(vec).detach().numpy()
    sizes = [p.numel() for p in parameters]
    if array.shape != (sum(sizes),):
        raise ValueError(f"vec: expected shape ({sum(sizes)},), one for each entry of the weights, got {array.shape}")
    for p, part in zip(parameters, np.split(array, np.cumsum(sizes)[:-1])):
        p.data = part.reshape(p.shape).astype(p.dtype)
