"""Smooth activations: curves that leave the line gradually, where a kink leaves it at once.

A unit that is relu has no slope where its argument is negative, and cannot learn its way back.  These curves are close
to 0 and to the line far from 0, as relu is, but have a slope nearly everywhere.  GELU multiplies the argument by the
probability that a standard normal number lies below it, SiLU by a sigmoid; ELU goes over into an exponential, and
softplus is the integral of a sigmoid.

Symbols
    u        (N, H)  entries, which are treated one by one
    a                what ELU comes down to, -a
    β                how sharply softplus bends
    τ                from where on softplus is the line itself

Equations
    (1)  Φ(u) = ½ erfc(-u/√2)                                                        normal_cdf
    (2)  φ(u) = e^(-u²/2) / √(2π)                                                    normal_density
    (3)  y = u Φ(u)                                                                  normal_gate
    (4)  y = u σ(2v) with v = √(2/π) (u + 0.044715 u³)                               tanh_gate
    (5)  y = u σ(u)                                                                  sigmoid_gate
    (6)  y = u if u > 0 else a (eᵘ - 1)                                              exponential_below
    (7)  y = log(1 + e^(βu)) / β if βu <= τ else u                                   soft_hinge

Choices
    (1) by erfc keeps its digits where Φ is next to 0, which 1 + erf would cancel.  (2) is its slope.
    (4) is the ½ u (1 + tanh v) of the paper, by which the first models with GELU were made; it differs from (3) by
    less than 5 · 10⁻⁴.
    At 0 the slope of (6) is a, as below.  Where (7) turns into the line it steps up by less than e^-τ / β: it could go
    on without, but then would differ from PyTorch's there.
    All are made of rows of the derivative table, and so can be differentiated twice; (1) and (6) add two rows.
    The layers take (3) to (6) and their slopes in one loop each, and the rows only where a gradient is differentiated.
    Where u is -inf, (3), (4) and (5) are NaN, as the product of -inf and 0.
    In float32, (3) is right to 4 · 10⁻⁷ + 2 · 10⁻⁷ u² of itself: u² is rounded before its exponential is taken.

Cost
    O(N H) there and back; in float64 (3) takes longest, which has no polynomial.  What is kept is u.

>>> GELU()([-1.0, 0.0, 2.0]), ELU()([-1.0, 2.0])
(Tensor([-0.15865525,  0.        ,  1.95449974]), Tensor([-0.63212056,  2.        ]))

Sources: D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", 2016, for (3), (4) and (5); D.-A. Clevert
and others, "Fast and accurate deep network learning by exponential linear units", ICLR 2016, equation 15 for (6); for
names and arguments, PyTorch.
"""
import math

import numpy as np

from scratchml.autograd import Fused
from scratchml.autograd.ops import as_tensor
from scratchml.autograd.table import where
from scratchml.autograd.tensor import Primitive
from scratchml.core.checks import one_of, real_number
from scratchml.core.jit import kernel, readable, run_chunks
from scratchml.nn import gates
from scratchml.nn.module import Module

CHUNK = 2**13                                            # entries that are worth a thread, where each calls a library

# --- two rows of the derivative table ------------------------------------------------------------


def _cdf_of(u):
    flat = np.ascontiguousarray(u).reshape(-1)
    y = np.empty(flat.shape, u.dtype)
    run_chunks(_cdf, len(flat), flat, u.dtype.type(-0.5**0.5), y, chunk=CHUNK)
    return y.reshape(u.shape)


@kernel
def _cdf(c, start, stop, u, factor, y):
    for k in range(start, stop):
        y[k] = 0.5 * math.erfc(factor * u[k])


def _elu_of(u, a):
    return np.where(u > 0, u, u.dtype.type(a) * np.expm1(np.minimum(u, 0)))


NORMAL_CDF = Primitive("normal_cdf(u)", _cdf_of, lambda g, u: g * normal_density(u))
ELU_ROW = Primitive("elu(u; a)", _elu_of, lambda g, u, y, a: where(u._data > 0, g, g * (y + a)))

# --- the equations -------------------------------------------------------------------------------


def normal_cdf(u):
    """(1)  Φ(u) = ½ erfc(-u/√2)

    Shapes: u (N, H) -> (N, H)
    """
    return NORMAL_CDF(as_tensor(u))


def normal_density(u):
    """(2)  φ(u) = e^(-u²/2) / √(2π)

    Shapes: u (N, H) -> (N, H)
    """
    u = as_tensor(u)
    return (u * u * -0.5).exp() * (2 * math.pi) ** -0.5


def normal_gate(u):
    """(3)  y = u Φ(u)

    Shapes: u (N, H) -> (N, H)
    """
    return as_tensor(u) * normal_cdf(u)


def tanh_gate(u):
    """(4)  y = u σ(2v) with v = √(2/π) (u + 0.044715 u³)

    Shapes: u (N, H) -> (N, H)
    """
    u = as_tensor(u)
    return u * (u * (u * u * 0.044715 + 1) * (8 / math.pi) ** 0.5).sigmoid()


def sigmoid_gate(u):
    """(5)  y = u σ(u)

    Shapes: u (N, H) -> (N, H)
    """
    u = as_tensor(u)
    return u * u.sigmoid()


def exponential_below(u, a):
    """(6)  y = u if u > 0 else a (eᵘ - 1)

    Shapes: u (N, H), a -> (N, H)
    """
    return ELU_ROW(as_tensor(u), params=(a,))


def soft_hinge(u, β, τ):
    """(7)  y = log(1 + e^(βu)) / β if βu <= τ else u

    Shapes: u (N, H), β, τ -> (N, H)
    """
    u = as_tensor(u)
    line = u._data * β > τ
    curve = (u * β).softplus() / β
    return where(line, u, curve) if line.any() else curve


# --- (3) to (6) as one operation each ------------------------------------------------------------
#
# Where a gradient shall be differentiated again, it is made of rows of the table.


def _entry_by_entry(name, value, slope, composed):
    """An operation on entries: kernels of its value and of its slope, and what the gradient is in operations."""
    def gate(u, a=0.0):
        return _over_entries(value, u, u, a), (u, a)

    def gradient(saved, g):
        u, a = saved
        return _over_entries(slope, u, g, a)
    gate.__name__ = name
    return Fused(gate, gradient, fresh=True, composed=lambda operands, saved, g: composed(g, operands[0], saved[1]))


def _over_entries(chunk_kernel, u, g, a):
    y = np.empty(u.shape, u.dtype)
    u, g = (readable(np.ascontiguousarray(array)).reshape(-1) for array in (u, g))
    chunk = CHUNK if u.itemsize == 8 else 8 * CHUNK
    run_chunks(chunk_kernel, u.size, u, g, u.dtype.type(a), y.reshape(-1), chunk=chunk)
    return y


def _normal_gate_by_input(g, u, a):
    return g * (normal_cdf(u) + u * normal_density(u))


def _tanh_gate_by_input(g, u, a):
    gate = (u * (u * u * 0.044715 + 1) * (8 / math.pi) ** 0.5).sigmoid()
    return g * gate * (1 + u * (1 - gate) * (u * u * (3 * 0.044715) + 1) * (8 / math.pi) ** 0.5)


def _sigmoid_gate_by_input(g, u, a):
    gate = u.sigmoid()
    return g * gate * (1 + u * (1 - gate))


def _exponential_below_by_input(g, u, a):
    return where(u._data > 0, g, g * (exponential_below(u, a) + a))


NORMAL_GATE = _entry_by_entry("normal_gate", gates.normal_gate, gates.normal_gate_slope,
                              _normal_gate_by_input)
TANH_GATE = _entry_by_entry("tanh_gate", gates.tanh_gate, gates.tanh_gate_slope,
                            _tanh_gate_by_input)
SIGMOID_GATE = _entry_by_entry("sigmoid_gate", gates.sigmoid_gate, gates.sigmoid_gate_slope,
                               _sigmoid_gate_by_input)
EXPONENTIAL_BELOW = _entry_by_entry("exponential_below", gates.exponential_below, gates.exponential_below_slope,
                                    _exponential_below_by_input)

# --- PyTorch's functions and layers --------------------------------------------------------------


def gelu(input, *, approximate="none"):
    """(3), or with approximate="tanh" (4).  Raises ValueError for another.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    approximate : {"none", "tanh"}, default="none"
        Which of them.
    """
    exact = one_of(approximate, "approximate", ("none", "tanh")) == "none"
    return NORMAL_GATE(as_tensor(input)) if exact else TANH_GATE(as_tensor(input))


def silu(input, inplace=False):
    """(5).  Raises ValueError for what are no numbers.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    return SIGMOID_GATE(as_tensor(input))


def elu(input, alpha=1.0, inplace=False):
    """(6).  Raises ValueError for an `alpha` that is not finite.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    alpha : float, default=1.0
        a, the limit far below 0, but for its sign.
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    return EXPONENTIAL_BELOW(as_tensor(input), a=real_number(alpha, "alpha", least=-np.inf))


def softplus(input, beta=1.0, threshold=20.0):
    """(7).  Raises ValueError for β <= 0.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    beta : float, default=1.0
        β, how steep the bend is.
    threshold : float, default=20.0
        τ, the βu beyond which the line stands.
    """
    return soft_hinge(input, real_number(beta, "beta", above=0), real_number(threshold, "threshold", least=-np.inf))


class GELU(Module):
    """u Φ(u), (3), or with approximate="tanh" (4).  Raises ValueError for another.

    Parameters
    ----------
    approximate : {"none", "tanh"}, default="none"
        Which of them.
    """

    settings = ("approximate",)

    def __init__(self, approximate="none"):
        self.approximate = one_of(approximate, "approximate", ("none", "tanh"))

    def forward(self, input):
        return gelu(input, approximate=self.approximate)


class SiLU(Module):
    """u σ(u), (5).

    Parameters
    ----------
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """

    def __init__(self, inplace=False):
        self.inplace = inplace

    def forward(self, input):
        return silu(input)


class ELU(Module):
    """u where u > 0, a (eᵘ - 1) elsewhere, (6).  Raises ValueError for an `alpha` that is not finite.

    Parameters
    ----------
    alpha : float, default=1.0
        a, the limit far below 0, but for its sign.
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """

    settings = ("alpha",)

    def __init__(self, alpha=1.0, inplace=False):
        self.alpha, self.inplace = real_number(alpha, "alpha", least=-np.inf), inplace

    def forward(self, input):
        return elu(input, self.alpha)


class LogSigmoid(Module):
    """log(1 / (1 + e⁻ˣ)) for inputs of any shape, (N, H), exact for large x."""

    def forward(self, input):
        return -(-as_tensor(input)).softplus()


class Softplus(Module):
    """log(1 + e^(βu)) / β, (7).  Raises ValueError for β <= 0.

    Parameters
    ----------
    beta : float, default=1.0
        β, how steep the bend is.
    threshold : float, default=20.0
        τ, the βu beyond which the line stands.
    """

    settings = ("beta", "threshold")

    def __init__(self, beta=1.0, threshold=20.0):
        self.beta = real_number(beta, "beta", above=0)
        self.threshold = real_number(threshold, "threshold", least=-np.inf)

    def forward(self, input):
        return softplus(input, self.beta, self.threshold)
