"""Activations: the kinks and curves between affine maps, gates, and a price on activity.

Affine maps one after the other are one affine map.  What makes a network more than that is a curve in between, applied
to each entry alone.  A gate is two of them: one half of the entries says how much of the other half goes on.

Symbols
    u        (N, H)  entries, which are treated one by one
    v        (N, H)  as many entries, the gates of u
    g        (N, H)  gradient of the loss L by the result y, (N, H)
    s                slope for u < 0
    λ                price of activity

Equations
    (1)  y = u if u > 0 else s u                                                     leaky_relu
    (2)  ∂L/∂u = g if u > 0 else s g                                                 leaky_relu_by_input
    (3)  y = u σ(v) with σ(v) = 1 / (1 + e⁻ᵛ)                                        glu
    (4)  ∂L/∂u, ∂L/∂v = g σ(v), g u σ(v) (1 - σ(v))                                  glu_by_input
    (5)  L = λ / N Σ u²                                                              activity
    (6)  ∂L/∂u = 2 λ / N u                                                           activity_by_input

Choices
    Kept for the gradient is, of (1), the result: the next layer keeps it anyway, and it is positive where u is, unless
    s < 0.  Of (3) u and v, and σ(v) is computed again.
    Where u is 0, (1) has the slope s.  ReLU is (1) with s = 0, and 0 also where u is -inf.
    (5) is divided by N, so that its weight against a loss that is a mean does not depend on the size of the batch.

Cost
    O(N H).

>>> LeakyReLU(0.1)([-1.0, 2.0]), GLU()([3.0, 0.0])
(Tensor([-0.1,  2. ]), Tensor([1.5]))

Sources: A. Maas and others, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013, for (1); Y.
Dauphin and others, "Language modeling with gated convolutional networks", ICML 2017, equation 1 for (3); for names and
arguments, PyTorch; for (5), Keras.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.autograd.ops import as_tensor, concatenate, where
from scratchml.autograd.table import only, sigmoid_of
from scratchml.core.checks import real_number, whole_number
from scratchml.core.jit import kernel, readable, run_chunks
from scratchml.nn.module import Module, Parameter, float_type

CHUNK = 2**17                                            # entries that are worth a thread

# --- kinks and gates -----------------------------------------------------------------------------


def leaky_relu(u, s):
    """(1)  y = u if u > 0 else s u

    Shapes: u (N, H), s -> (N, H)
    """
    return leaky_relu_by_input(u, u, s)


def leaky_relu_by_input(g, u, s):
    """(2)  ∂L/∂u = g if u > 0 else s g

    Shapes: g (N, H), u (N, H), s -> (N, H)
    """
    y = np.empty(u.shape, u.dtype)
    g, u = np.ascontiguousarray(g), np.ascontiguousarray(u)
    _leak(g.reshape(-1), u.reshape(-1), u.dtype.type(s), y.reshape(-1))
    return y


@kernel
def _leak(g, u, s, y):
    for k in range(u.size):
        y[k] = g[k] if u[k] > 0 else s * g[k]


def _leaky(u, *, s):
    y = leaky_relu(u, s)
    return y, (u if s < 0 else y, s)


def _leaky_composed(operands, saved, g):
    u, s = saved                                         # or the result, which has the same signs
    return where(u > 0, g, s * g)


LEAKY_RELU = Fused(_leaky, lambda saved, g: leaky_relu_by_input(g, *saved), fresh=True, composed=_leaky_composed)


def _relu(u):
    y = np.maximum(u, 0)
    return y, (y,)


def _relu_gradient(saved, g):
    y, = saved
    d = np.empty(y.shape, y.dtype)
    g, y = (readable(np.ascontiguousarray(array)).reshape(-1) for array in (g, y))
    run_chunks(_keep, y.size, g, y, d.reshape(-1), chunk=CHUNK)
    return d


@kernel
def _keep(c, start, stop, g, y, d):
    """g where y > 0, else 0: also where g is infinite, unlike (2) with s = 0."""
    g, y, d = g[start:stop], y[start:stop], d[start:stop]
    for k in range(d.size):
        d[k] = g[k] if y[k] > 0 else 0


RELU = Fused(_relu, _relu_gradient, fresh=True, composed=lambda operands, saved, g: only(g, saved[0] > 0))


def glu(u, v):
    """(3)  y = u σ(v) with σ(v) = 1 / (1 + e⁻ᵛ)

    Shapes: u (N, H), v (N, H) -> (N, H)
    """
    return u * sigmoid_of(v)


def glu_by_input(g, u, v):
    """(4)  ∂L/∂u, ∂L/∂v = g σ(v), g u σ(v) (1 - σ(v))

    Shapes: g (N, H), u (N, H), v (N, H) -> (N, H), (N, H)
    """
    gate = sigmoid_of(v)
    by_u = g * gate
    return by_u, by_u * u * (1 - gate)


def _glu(x, *, dim):
    return glu(*np.split(x, 2, dim)), (x, dim)


def _glu_gradient(saved, g):
    x, dim = saved
    return np.concatenate(glu_by_input(g, *np.split(x, 2, dim)), dim)


def _glu_composed(operands, saved, g):
    dim = saved[1]
    u, v = operands[0].split(operands[0].shape[dim] // 2, dim)
    gate = v.sigmoid()
    return concatenate([g * gate, g * u * gate * (1 - gate)], dim)


GLU_ROW = Fused(_glu, _glu_gradient, fresh=True, composed=_glu_composed)


class LeakyReLU(Module):
    """x where x > 0, a little of it elsewhere, (1).  Raises ValueError for a slope that is not finite.

    Parameters
    ----------
    negative_slope : float, default=0.01
        s, the slope below 0.
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """

    settings = ("negative_slope",)

    def __init__(self, negative_slope=0.01, inplace=False):
        self.negative_slope = real_number(negative_slope, "negative_slope", least=-np.inf)
        self.inplace = inplace

    def forward(self, input):
        return LEAKY_RELU(as_tensor(input), s=self.negative_slope)


class PReLU(Module):
    """x where x > 0, elsewhere times a slope that is learned.

    Raises ValueError for an input (N, C) or (N, C, T) with another C than there are slopes, if there are several.

    Parameters
    ----------
    num_parameters : int, default=1
        1, or C for a slope of each channel.
    init : float, default=0.25
        The slopes at first.
    dtype : {"float32", "float64"}, default="float32"
        The type of the slopes.
    """

    settings = ("num_parameters",)

    def __init__(self, num_parameters=1, init=0.25, *, dtype="float32"):
        self.num_parameters = whole_number(num_parameters, "num_parameters")
        self.weight = Parameter(np.full(num_parameters, real_number(init, "init", least=-np.inf), float_type(dtype)))

    def forward(self, input):
        x, slope = as_tensor(input), self.weight
        if self.num_parameters > 1:
            if x.ndim < 2 or x.shape[1] != self.num_parameters:
                raise ValueError(f"input: {self} expected shape (N, {self.num_parameters}, ...), got {x.shape}")
            slope = slope.reshape(-1, *[1] * (x.ndim - 2))
        return x.relu() - slope * (-x).relu()


class ReLU(Module):
    """max(x, 0), with derivative 0 at 0.

    Parameters
    ----------
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """

    def __init__(self, inplace=False):
        self.inplace = inplace

    def forward(self, input):
        return RELU(as_tensor(input))


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input):
        return as_tensor(input).tanh()


class Sigmoid(Module):
    """1 / (1 + e⁻ˣ)"""

    def forward(self, input):
        return as_tensor(input).sigmoid()


class Softmax(Module):
    """eˣ / Σ eˣ along a dimension.  Raises ValueError for one that the input has not.

    Parameters
    ----------
    dim : int
        Along which the results sum to 1.
    """

    settings = ("dim",)

    def __init__(self, dim):
        self.dim = dim

    def forward(self, input):
        return as_tensor(input).softmax(self.dim)


class LogSoftmax(Softmax):
    """log(eˣ / Σ eˣ) along a dimension, exact where the quotient underflows.  Raises ValueError as Softmax.

    Parameters
    ----------
    dim : int
        Along which the quotients sum to 1.
    """

    def forward(self, input):
        return as_tensor(input).log_softmax(self.dim)


class GLU(Module):
    """The first half of the input times the sigmoid of the second, (3).

    Raises ValueError for an odd length, and for a `dim` that the input has not.

    Parameters
    ----------
    dim : int, default=-1
        The dimension that is halved.
    """

    settings = ("dim",)

    def __init__(self, dim=-1):
        self.dim = whole_number(dim, "dim", least=-64)                     # NumPy has no more dimensions

    def forward(self, input):
        x = as_tensor(input)
        if not -x.ndim <= self.dim < x.ndim or x.shape[self.dim] % 2:
            raise ValueError(f"input: {self} expected a dimension {self.dim} of even length, got shape {x.shape}")
        return GLU_ROW(x, dim=self.dim)


# --- a price on activity -------------------------------------------------------------------------


def activity(u, λ):
    """(5)  L = λ / N Σ u²

    Shapes: u (N, H), λ -> ()
    """
    return (u * u).sum() * (λ / max(len(u), 1))


def activity_by_input(u, λ):
    """(6)  ∂L/∂u = 2 λ / N u

    Shapes: u (N, H), λ -> (N, H)
    """
    return u * (2 * λ / max(len(u), 1))


def _activity(u, *, λ):
    return np.asarray(activity(u, λ), u.dtype), (u, λ)


def _activity_gradient(saved, g):
    u, λ = saved
    return activity_by_input(u, λ * float(g))


ACTIVITY = Fused(_activity, _activity_gradient, fresh=True,
                 composed=lambda operands, saved, g: g * activity_by_input(operands[0], saved[1]))


class ActivityL2(Module):
    """Hands its input on as it is, and puts the price (5) on it, with the first dimension for N.

    The price of the last input in training waits in the layer; `penalty(network)` fetches those of all its layers, to
    be added to the loss.  Raises ValueError for a negative `l2`.

    Parameters
    ----------
    l2 : float, default=0.01
        λ, what a unit of Σ u² / N costs.
    """

    settings = ("l2",)

    def __init__(self, l2=0.01):
        self.l2 = real_number(l2, "l2")
        self.price = None

    def forward(self, input):
        x = as_tensor(input)
        if self.training:
            if not x.ndim:
                raise ValueError(f"input: {self} expected samples in the first dimension, got shape ()")
            self.price = ACTIVITY(x, λ=self.l2)
        return x


def penalty(module):
    """The sum of what the layers ActivityL2 in a Module ask for their last inputs (N, H): a Tensor, or 0.0 for nothing.

    What is fetched no longer waits.  Raises no error for any Module.

    Parameters
    ----------
    module : Module
        Whose layers.
    """
    total = 0.0
    for part in module.modules():
        if isinstance(part, ActivityL2) and part.price is not None:
            total, part.price = part.price if type(total) is float else total + part.price, None
    return total
