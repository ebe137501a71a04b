"""Initialisation: how large the first weights must be, so that a deep network neither fades nor explodes.

A unit adds up n products of inputs and weights.  If the inputs have variance 1 and the weights variance v, all of them
independent with mean 0, the sum has variance n v.  A layer multiplies the variance by n v, twenty layers by (n v)²⁰:
unless v is near 1/n, the signal vanishes or overflows.  On the way back the gradient meets the same weights, but a unit
now adds up over the outputs, so there the number that counts is the number of outputs.  Glorot and Bengio take the
mean of both numbers; He and others take one of them, and put right what the activation takes away: relu sets half of
the inputs to 0, and so halves the mean square, which twice the variance makes up for.

Orthogonal weights keep lengths themselves, not their means alone: a product of orthogonal matrices is orthogonal.

Symbols
    shape            the shape of a weight: outputs, inputs, and what comes behind, such as the taps of a convolution
    n, m             inputs and outputs of a unit (`fan_in`, `fan_out`)
    s                slope of the activation for x < 0
    γ                gain: what the activation takes away, by which the weights are multiplied
    a                bound of a uniform distribution over [-a, a], whose variance is a²/3
    σ                standard deviation
    G        (N, D)  independent normal numbers, N >= D
    Q, R             its factors, Q of orthonormal columns, R upper triangular

Equations
    (1)  n, m = r · shape[1], r · shape[0] with r = Π shape[2:]                      fans
    (2)  γ = √(2 / (1 + s²))                                                         leaky_gain
    (3)  a = γ √(6 / (n + m))                                                        xavier_bound
    (4)  σ = γ √(2 / (n + m))                                                        xavier_deviation
    (5)  a = γ √(3 / n)                                                              kaiming_bound
    (6)  σ = γ / √n                                                                  kaiming_deviation
    (7)  W = Q diag(sign R_dd) with Q R = G, QᵀQ = I                                 orthogonal_columns

Choices
    The functions with PyTorch's names, which end in _, write to the leaf Tensor that they are given, or to an array
    such as its `data`, and return it.
    (2) is E[x²] / E[f(x)²] of a symmetric x and f = leaky relu, under the root; relu has s = 0.  The gain of tanh, 5/3,
    is no such quotient but PyTorch's convention.  The layers of this book begin as PyTorch's do: with (5) for s = √5,
    which is the uniform distribution over ±1/√n.
    (7) without the signs would not be uniform over all orthogonal matrices, since the QR algorithm fixes them.
    `random_state` is None for a different draw every time, a seed, or a numpy.random.Generator that calls share.
    Numbers are drawn in float64 and rounded, so a seed gives the same network in float32.

Cost
    One draw a weight; (7) takes O(N D²).

>>> from scratchml.autograd import Tensor
>>> weight = kaiming_uniform_(Tensor(np.zeros((300, 50))), nonlinearity="relu", random_state=0)
>>> round(kaiming_bound(50, leaky_gain(0.0)), 4), round(float(abs(weight.data).max()), 4)
(0.3464, 0.3464)

Sources: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
2010, equation 16 for (3); K. He and others, "Delving deep into rectifiers", ICCV 2015, equations 10 and 15 for (2) and
(6); A. Saxe and others, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR
2014, for orthogonal weights; F. Mezzadri, "How to generate random matrices from the classical compact groups", Notices
of the AMS 54 (2007), for the signs in (7).
"""
import math

import numpy as np

from scratchml.core.checks import one_of, real_number
from scratchml.core.random import generator

__all__ = [
    "calculate_gain", "constant_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "orthogonal_",
    "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]

# --- the equations -------------------------------------------------------------------------------


def fans(shape):
    """(1)  n, m = r · shape[1], r · shape[0] with r = Π shape[2:]

    Shapes: shape (R) -> (), ()
    """
    r = math.prod(shape[2:])
    return r * shape[1], r * shape[0]


def leaky_gain(s):
    """(2)  γ = √(2 / (1 + s²))

    Shapes: s -> ()
    """
    return math.sqrt(2 / (1 + s ** 2))


def xavier_bound(n, m, γ):
    """(3)  a = γ √(6 / (n + m))

    Shapes: n, m, γ -> ()
    """
    return γ * math.sqrt(6 / (n + m))


def xavier_deviation(n, m, γ):
    """(4)  σ = γ √(2 / (n + m))

    Shapes: n, m, γ -> ()
    """
    return γ * math.sqrt(2 / (n + m))


def kaiming_bound(n, γ):
    """(5)  a = γ √(3 / n)

    Shapes: n, γ -> ()
    """
    return γ * math.sqrt(3 / n)


def kaiming_deviation(n, γ):
    """(6)  σ = γ / √n

    Shapes: n, γ -> ()
    """
    return γ / math.sqrt(n)


def orthogonal_columns(G):
    """(7)  W = Q diag(sign R_dd) with Q R = G, QᵀQ = I

    Shapes: G (N, D) -> (N, D)
    """
    Q, R = np.linalg.qr(G)
    return Q * np.where(np.diag(R) < 0, -1, 1)


# --- PyTorch's functions -------------------------------------------------------------------------

GAINS = {"linear": 1.0, "conv1d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}


def calculate_gain(nonlinearity, param=None):
    """γ, of shape (), for an activation.  Raises ValueError for another name, and a slope that is no finite number.

    Parameters
    ----------
    nonlinearity : {"linear", "conv1d", "sigmoid", "tanh", "relu", "leaky_relu"}
        The activation.
    param : float or None, default=None
        Slope of "leaky_relu"; None for 0.01.
    """
    one_of(nonlinearity, "nonlinearity", [*GAINS, "leaky_relu"])
    if nonlinearity == "leaky_relu":
        return leaky_gain(real_number(0.01 if param is None else param, "param", least=-np.inf))
    return GAINS[nonlinearity]


def uniform_(tensor, a=0.0, b=1.0, *, random_state=None):
    """Draw the entries from the uniform distribution over [a, b).

    Raises ValueError if a > b, or for bounds that are not finite.

    Parameters
    ----------
    tensor : Tensor
        The weight, of any shape (N, D); it is changed in place and returned.
    a : float, default=0.0
        The lower bound.
    b : float, default=1.0
        The upper bound.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    a, b = real_number(a, "a", least=-np.inf), real_number(b, "b", least=-np.inf)
    if a > b:
        raise ValueError(f"a={a}, b={b}: expected a <= b")
    return _write(tensor, generator(random_state).uniform(a, b, tensor.shape))


def normal_(tensor, mean=0.0, std=1.0, *, random_state=None):
    """Draw the entries from a normal distribution.  Raises ValueError for std < 0.

    Parameters
    ----------
    tensor : Tensor
        The weight, of any shape (N, D); it is changed in place and returned.
    mean : float, default=0.0
        Its mean.
    std : float, default=1.0
        Its standard deviation.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    mean, std = real_number(mean, "mean", least=-np.inf), real_number(std, "std")
    return _write(tensor, generator(random_state).normal(mean, std, tensor.shape))


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, *, random_state=None):
    """Draw the entries from a normal distribution, again where they leave [a, b].

    Raises ValueError for std <= 0, a >= b, and where less than a thousandth of the distribution lies in [a, b].

    Parameters
    ----------
    tensor : Tensor
        The weight, of any shape (N, D); it is changed in place and returned.
    mean : float, default=0.0
        Its mean.
    std : float, default=1.0
        Its standard deviation.
    a : float, default=-2.0
        The lower bound.
    b : float, default=2.0
        The upper bound.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    mean, std = real_number(mean, "mean", least=-np.inf), real_number(std, "std", above=0)
    below = [math.erf((bound - mean) / (std * math.sqrt(2))) / 2 for bound in (a, b)]
    if not below[1] - below[0] >= 1e-3:
        raise ValueError(f"a={a!r}, b={b!r}: expected a < b, and a thousandth of the normal distribution of mean "
                         f"{mean} and deviation {std} between them, got {below[1] - below[0]:.2g}")
    rng = generator(random_state)
    drawn = rng.normal(mean, std, tensor.shape)
    while (outside := (drawn < a) | (drawn > b)).any():
        drawn[outside] = rng.normal(mean, std, outside.sum())
    return _write(tensor, drawn)


def constant_(tensor, val):
    """Make every entry the same.  Raises ValueError for what is no finite number.

    Parameters
    ----------
    tensor : Tensor
        The weight, of any shape (N, D); it is changed in place and returned.
    val : float
        The number.
    """
    return _write(tensor, np.full(tensor.shape, real_number(val, "val", least=-np.inf)))


def zeros_(tensor):
    """Make every entry 0.  Raises no error for any leaf Tensor.

    Parameters
    ----------
    tensor : Tensor
        The weight, of any shape (N, D); it is changed in place and returned.
    """
    return constant_(tensor, 0.0)


def ones_(tensor):
    """Make every entry 1.  Raises no error for any leaf Tensor.

    Parameters
    ----------
    tensor : Tensor
        The weight, of any shape (N, D); it is changed in place and returned.
    """
    return constant_(tensor, 1.0)


def xavier_uniform_(tensor, gain=1.0, *, random_state=None):
    """Draw from [-a, a] with (3).  Raises ValueError for fewer than two dimensions.

    Parameters
    ----------
    tensor : Tensor (m, n, ...)
        The weight; it is changed in place and returned.
    gain : float, default=1.0
        γ, a factor.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    a = xavier_bound(*_fans(tensor), real_number(gain, "gain"))
    return uniform_(tensor, -a, a, random_state=random_state)


def xavier_normal_(tensor, gain=1.0, *, random_state=None):
    """Draw with the deviation (4).  Raises ValueError for fewer than two dimensions.

    Parameters
    ----------
    tensor : Tensor (m, n, ...)
        The weight; it is changed in place and returned.
    gain : float, default=1.0
        γ, a factor.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    return normal_(tensor, 0, xavier_deviation(*_fans(tensor), real_number(gain, "gain")), random_state=random_state)


def kaiming_uniform_(tensor, a=0.0, mode="fan_in", nonlinearity="leaky_relu", *, random_state=None):
    """Draw from [-bound, bound] with (5).

    Raises ValueError for another mode or nonlinearity, and for fewer than two dimensions.

    Parameters
    ----------
    tensor : Tensor (m, n, ...)
        The weight; it is changed in place and returned.
    a : float, default=0.0
        s, the slope of a leaky ReLU.
    mode : {"fan_in", "fan_out"}, default="fan_in"
        Whether to keep the variance on the way forward or on the way back.
    nonlinearity : str, default="leaky_relu"
        The activation behind it, as in `calculate_gain`.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    bound = kaiming_bound(_fan(tensor, mode), calculate_gain(nonlinearity, a))
    return uniform_(tensor, -bound, bound, random_state=random_state)


def kaiming_normal_(tensor, a=0.0, mode="fan_in", nonlinearity="leaky_relu", *, random_state=None):
    """Draw with the deviation (6); errors are those of `kaiming_uniform_`.

    Parameters
    ----------
    tensor : Tensor (m, n, ...)
        The weight; it is changed in place and returned.
    a : float, default=0.0
        s, the slope of a leaky ReLU.
    mode : {"fan_in", "fan_out"}, default="fan_in"
        Whether to keep the variance on the way forward or on the way back.
    nonlinearity : str, default="leaky_relu"
        The activation behind it, as in `calculate_gain`.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    std = kaiming_deviation(_fan(tensor, mode), calculate_gain(nonlinearity, a))
    return normal_(tensor, 0, std, random_state=random_state)


def orthogonal_(tensor, gain=1.0, *, random_state=None):
    """Make `gain` times a weight, seen as (m, rest), with orthonormal rows, or columns if m > rest.

    Raises ValueError for fewer than two dimensions.

    Parameters
    ----------
    tensor : Tensor (m, n, ...)
        The weight; it is changed in place and returned.
    gain : float, default=1.0
        γ, a factor.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the draw.
    """
    _fans(tensor)
    m, rest = tensor.shape[0], math.prod(tensor.shape[1:])
    G = generator(random_state).normal(size=(max(m, rest), min(m, rest)))
    W = orthogonal_columns(G)
    return _write(tensor, real_number(gain, "gain") * (W if m > rest else W.T).reshape(tensor.shape))


def _fans(tensor):
    if len(tensor.shape) < 2 or 0 in tensor.shape:
        raise ValueError(f"tensor: expected a weight of shape (m, n, ...), none of them 0, got shape {tensor.shape}; "
                         "use uniform_ or normal_ for a bias")
    return fans(tensor.shape)


def _fan(tensor, mode):
    return _fans(tensor)[one_of(mode, "mode", ("fan_in", "fan_out")) == "fan_out"]


def _write(tensor, array):
    if isinstance(tensor, np.ndarray):
        tensor[...] = array
    else:
        here = tensor.data
        if here.flags.writeable:
            here[...] = array                            # others may have this array, as a state has
        tensor.data = here if here.flags.writeable else array.astype(tensor.dtype)
    return tensor
