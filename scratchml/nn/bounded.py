"""Activations with bounds: curves that stop, or that keep what goes through them near mean 0 and variance 1.

What multiplies many maps grows or dies unless something holds it.  A clipped line is the cheapest bound.  SELU holds
it without one: its two constants are those with which standard normal numbers come out with mean 0 and variance 1.

Symbols
    u        (N, H)  entries, which are treated one by one
    a, b             the least and the greatest result
    λ, α             two constants, see Choices

Equations
    (1)  y = min(max(u, a), b)                                                       clipped_line
    (2)  y = λ (u if u > 0 else α (eᵘ - 1))                                          self_normalising
    (3)  y = u tanh(log(1 + eᵘ))                                                     soft_gate
    (4)  y = u / (1 + |u|)                                                           soft_sign

Choices
    The slope of (1) is 0 at its bounds, as in PyTorch.  λ = 1.0507009873554805 and α = 1.6732632423543772 solve
    equations 4 and 5 of the paper for mean 0 and variance 1.
    All are made of operations on Tensors, and so can be differentiated twice.

Cost
    O(N H), in a handful of passes.

>>> ReLU6()([-1.0, 2.0, 9.0]), Softsign()([-1.0, 3.0])
(Tensor([0., 2., 6.]), Tensor([-0.5 ,  0.75]))

Sources: G. Klambauer and others, "Self-normalizing neural networks", NeurIPS 2017, equation 2 for (2); D. Misra, "Mish:
a self regularized non-monotonic activation function", BMVC 2020, equation 1 for (3); for names and arguments, PyTorch.
"""
import numpy as np

from scratchml.autograd.ops import as_tensor, where
from scratchml.core.checks import real_number
from scratchml.nn.module import Module
from scratchml.nn.smooth import EXPONENTIAL_BELOW

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772

# --- the equations -------------------------------------------------------------------------------


def clipped_line(u, a, b):
    """(1)  y = min(max(u, a), b)

    Shapes: u (N, H), a, b -> (N, H)
    """
    u = as_tensor(u)
    return where((u._data > a) & (u._data < b), u, as_tensor(np.clip(u._data, a, b)))


def self_normalising(u):
    """(2)  y = λ (u if u > 0 else α (eᵘ - 1))

    Shapes: u (N, H) -> (N, H)
    """
    return SCALE * EXPONENTIAL_BELOW(as_tensor(u), a=ALPHA)


def soft_gate(u):
    """(3)  y = u tanh(log(1 + eᵘ))

    Shapes: u (N, H) -> (N, H)
    """
    u = as_tensor(u)
    return u * u.softplus().tanh()


def soft_sign(u):
    """(4)  y = u / (1 + |u|)

    Shapes: u (N, H) -> (N, H)
    """
    u = as_tensor(u)
    return u / (1 + u.abs())


# --- PyTorch's functions and layers --------------------------------------------------------------


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """(1).  Raises ValueError for bounds that are not finite, or not one below the other.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    min_val : float, default=-1.0
        The least result, a.
    max_val : float, default=1.0
        The greatest, b.
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    return clipped_line(input, *_bounds(min_val, max_val))


def _bounds(low, high):
    low, high = (real_number(bound, name, least=-np.inf) for bound, name in ((low, "min_val"), (high, "max_val")))
    if not low < high:
        raise ValueError(f"min_val={low}, max_val={high}: expected the least below the greatest")
    return low, high


def relu6(input, inplace=False):
    """(1) from 0 to 6.  Raises ValueError for what are no numbers.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    return clipped_line(input, 0.0, 6.0)


def selu(input, inplace=False):
    """(2).  Raises ValueError for what are no numbers.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    return self_normalising(input)


def mish(input, inplace=False):
    """(3).  Raises ValueError for what are no numbers.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    return soft_gate(input)


def softsign(input):
    """(4).  Raises ValueError for what are no numbers.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    """
    return soft_sign(input)


class Hardtanh(Module):
    """min(max(u, a), b), (1).  Raises ValueError as `hardtanh`.

    Parameters
    ----------
    min_val : float, default=-1.0
        The least result, a.
    max_val : float, default=1.0
        The greatest, b.
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """

    settings = ("min_val", "max_val")

    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False):
        self.min_val, self.max_val = _bounds(min_val, max_val)
        self.inplace = inplace

    def forward(self, input):
        return clipped_line(input, self.min_val, self.max_val)


class ReLU6(Hardtanh):
    """min(max(u, 0), 6), (1).

    Parameters
    ----------
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """

    settings = ()

    def __init__(self, inplace=False):
        super().__init__(0.0, 6.0, inplace)


class SELU(Module):
    """λ u where u > 0, λ α (eᵘ - 1) elsewhere, (2).

    Parameters
    ----------
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """

    def __init__(self, inplace=False):
        self.inplace = inplace

    def forward(self, input):
        return self_normalising(input)


class Mish(Module):
    """u tanh(log(1 + eᵘ)), (3).

    Parameters
    ----------
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """

    def __init__(self, inplace=False):
        self.inplace = inplace

    def forward(self, input):
        return soft_gate(input)


class Softsign(Module):
    """u / (1 + |u|), (4)."""

    def forward(self, input):
        return soft_sign(input)
