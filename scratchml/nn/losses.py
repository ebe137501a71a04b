"""Losses: what a network is told about its answers.

Each is a function of an answer x and what was wanted, y, for one sample or one entry, made of operations on Tensors;
the mean over all entries is what is learned from.  They differ in what they forgive.  Squares punish one large error
more than many small ones, absolute values all alike, Huber's function the small like the first and the large like the
second.  For probabilities the loss is the surprise at what came; for pairs and triples it is how far a distance is on
the wrong side of a margin.

Symbols
    x        (N, D)  answers
    y        (N, D)  what was wanted
    δ                where squares turn into lines
    t        (N,)    right classes, in D
    w        (D,)    weights of the classes
    s        (N,)    which way it should be: 1 or -1
    u, v     (N,)    scores or distances of pairs
    m                margin
    a, p     (N, D)  anchors, and what should point the same way
    ε                keeps roots and quotients away from 0

Equations
    (1)  ℓ = (x - y)²                                                                squared
    (2)  ℓ = |x - y|                                                                 absolute
    (3)  ℓ = d²/2 if d < δ else δ (d - δ/2) with d = |x - y|                         huber
    (4)  ℓ = log(1 + eˣ) - x y                                                       binary_surprise
    (5)  ℓ = y (log y - x)                                                           divergence
    (6)  ℓ_n = -w_t_n x_n,t_n                                                        negative_log_likelihood
    (7)  ℓ = max(0, m - s (u - v))                                                   margin_ranking
    (8)  ℓ = u if s = 1 else max(0, m - u)                                           hinge_embedding
    (9)  ℓ = max(0, u - v + m)                                                       triplet_margin
    (10)  c_n = Σ_d a_nd p_nd / √((Σ_d a_nd² + ε) (Σ_d p_nd² + ε))                   cosines
    (11)  ℓ = 1 - u if s = 1 else max(0, u - m)                                      cosine_embedding
    (12)  ℓ = -y max(log x, -100) - (1 - y) max(log(1 - x), -100)                    surprise
    (13)  ∂ℓ/∂x = (x - y) / max(x (1 - x), 10⁻¹²), ∂ℓ/∂y = log(1 - x) - log x        surprise_gradients

Choices
    The functions with PyTorch's names check, call one of these, and take the mean, the sum, or neither (`reduction`).
    Shapes must be equal: nothing is broadcast, since a column against a row would give a plausible, wrong number.
    (4) takes logits, and is the surprise -y log σ(x) - (1 - y) log(1 - σ(x)) without a probability that could be 0.
    (5) takes x as logarithms; 0 log 0 is 0.  Its "mean" is over all entries, "batchmean" over samples, which is the one
    of the definition.
    (12) takes probabilities, of which one can be 0 where y is not: its logarithms end at -100, and (13) stays finite,
    so that what is certain and wrong still learns.  Logits and (4) are better: they lose no digit on the way.
    Distances of triples are those of the chapter similarity.  Smooth L1 is (3) over δ.
    The slope of (2) is 0 where x = y; where a margin is just kept, it is that of the side where it is not, as in
    PyTorch: scores that all begin at 0 then move, also for m = 0.
    Targets get a gradient if they are Tensors that require one.  Those that are not finite are an error.

Cost
    O(N D), in a handful of passes.

>>> from scratchml.nn import binary_cross_entropy_with_logits, mse_loss
>>> mse_loss([1.0, 4.0], [1.0, 2.0]), binary_cross_entropy_with_logits([0.0], [1.0])
(Tensor(2.), Tensor(0.69314718))

Sources: P. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35 (1964), for (3); F.
Schroff and others, "FaceNet", CVPR 2015, equation 3 for (9); for names, ε and what is divided by what, PyTorch.
"""
import numpy as np

from scratchml.autograd import Fused, ops
from scratchml.autograd.ops import as_tensor
from scratchml.autograd.table import only
from scratchml.core.elementary import double, exp, exp32, log
from scratchml.core.jit import kernel, readable

# --- the equations -------------------------------------------------------------------------------


def squared(x, y):
    """(1)  ℓ = (x - y)²

    Shapes: x (N, D), y (N, D) -> (N, D)
    """
    return (as_tensor(x) - y) ** 2


def absolute(x, y):
    """(2)  ℓ = |x - y|

    Shapes: x (N, D), y (N, D) -> (N, D)
    """
    return (as_tensor(x) - y).abs()


def huber(x, y, δ):
    """(3)  ℓ = d²/2 if d < δ else δ (d - δ/2) with d = |x - y|

    As c (d - c/2) with c the lesser of d and δ it is one formula, whose slope by c is 0 where c is d.

    Shapes: x (N, D), y (N, D), δ -> (N, D)
    """
    d = absolute(x, y)
    c = d.clamp(max=δ)
    return c * (d - 0.5 * c)


def binary_surprise(x, y):
    """(4)  ℓ = log(1 + eˣ) - x y

    As (m - y) x + log(1 + e^-|x|) with m = [x > 0] it is small without being a difference of large numbers.

    Shapes: x (N, D), y (N, D) -> (N, D)
    """
    x, y = as_tensor(x), as_tensor(y, x)
    m = (x._data > 0).astype(x.dtype)
    small = (x * (1 - 2 * m)).softplus()
    if np.isinf(x._data).any():                          # 0 times inf, for an answer that is certain and right
        x = x.masked_fill(np.isinf(x._data) & (y._data == m), 0.0)
    return (m - y) * x + small


def divergence(x, y):
    """(5)  ℓ = y (log y - x)

    Shapes: x (N, D), y (N, D) -> (N, D)
    """
    x, y = as_tensor(x), as_tensor(y)
    nothing = y._data == 0                               # does not count, also where x is -inf
    return y * (y.masked_fill(nothing, 1.0).log() - x.masked_fill(nothing, 0.0))


def negative_log_likelihood(x, t, w):
    """(6)  ℓ_n = -w_t_n x_n,t_n

    Shapes: x (N, D), t (N) in D, w (D) -> (N)
    """
    x = as_tensor(x)
    return -x[np.arange(len(t)), t] * w[t].astype(x.dtype)


def margin_ranking(u, v, s, m):
    """(7)  ℓ = max(0, m - s (u - v))

    Shapes: u (N), v (N), s (N), m -> (N)
    """
    return (m - (as_tensor(u) - v) * s).clamp(min=0)


def hinge_embedding(u, s, m):
    """(8)  ℓ = u if s = 1 else max(0, m - u)

    Shapes: u (N), s (N), m -> (N)
    """
    u = as_tensor(u)
    return ops.where(s == 1, u, (m - u).clamp(min=0))


def triplet_margin(u, v, m):
    """(9)  ℓ = max(0, u - v + m)

    Shapes: u (N), v (N), m -> (N)
    """
    return (as_tensor(u) - v + m).clamp(min=0)


def cosines(a, p, ε):
    """(10)  c_n = Σ_d a_nd p_nd / √((Σ_d a_nd² + ε) (Σ_d p_nd² + ε))

    Shapes: a (N, D), p (N, D), ε -> (N)
    """
    a, p = as_tensor(a), as_tensor(p)
    return (a * p).sum(-1) / (((a * a).sum(-1) + ε) * ((p * p).sum(-1) + ε)).sqrt()


def cosine_embedding(u, s, m):
    """(11)  ℓ = 1 - u if s = 1 else max(0, u - m)

    Shapes: u (N), s (N), m -> (N)
    """
    u = as_tensor(u)
    return ops.where(s == 1, 1 - u, (u - m).clamp(min=0))


def surprise(x, y):
    """(12)  ℓ = -y max(log x, -100) - (1 - y) max(log(1 - x), -100)

    Shapes: x (N, D), y (N, D) -> (N, D)
    """
    with np.errstate(divide="ignore"):
        return -y * np.maximum(np.log(x), -100) - (1 - y) * np.maximum(np.log1p(-x), -100)


def surprise_gradients(x, y):
    """(13)  ∂ℓ/∂x = (x - y) / max(x (1 - x), 10⁻¹²), ∂ℓ/∂y = log(1 - x) - log x

    The logarithms end at -100 as in (12).

    Shapes: x (N, D), y (N, D) -> (N, D), (N, D)
    """
    with np.errstate(divide="ignore"):
        by_y = np.maximum(np.log1p(-x), -100) - np.maximum(np.log(x), -100)
    return (x - y) / np.maximum(x * (1 - x), x.dtype.type(1e-12)), by_y


def _surprise(x, y):
    return surprise(x, y), (x, y)


SURPRISE = Fused(_surprise, lambda saved, g: tuple(g * slope for slope in surprise_gradients(*saved)), fresh=True)

# --- compiled: (4) with its slope ----------------------------------------------------------------


def binary_surprise_and_slope(x, y):
    """Same result as (4), because it adds the same two terms, and its slope σ(x) - y: arrays of the type of x (N, D).

    In one loop, where Tensors take a dozen passes.
    """
    a, b = (readable(np.ascontiguousarray(array, x.dtype)).reshape(-1) for array in (x, y))
    surprise, slope = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    _logistic(a, b, surprise.reshape(-1), slope.reshape(-1))
    return surprise, slope


@kernel(contract=True)
def _logistic(x, y, surprise, slope):
    """(m - y) x + log(1 + e) with m = [x > 0] and e = e^-|x|, and m + (1 - 2 m) e / (1 + e) - y, entry by entry.

    The first term is 0 where m = y, also for an x that is infinite; log(1 + e) is e where 1 + e is rounded to 1.
    """
    for k in range(x.size):
        e = double(exp32(-abs(x[k]))) if x.itemsize == 4 else exp(-abs(x[k]))
        m = 1.0 if x[k] > 0 else 0.0
        u = 1.0 + e
        apart = m - y[k]
        surprise[k] = (apart * x[k] if apart != 0 else 0.0) + (log(u) * (e / (u - 1.0)) if u > 1.0 else e)
        slope[k] = apart + (1.0 - 2.0 * m) * (e / u)


def _binary(x, y, *, both):
    surprise, slope = binary_surprise_and_slope(x, y)
    return surprise, (x, y, slope, both)                 # does anyone want both gradients?


def _binary_gradient(saved, g):
    x, _, slope, both = saved
    return g * slope, np.where(np.isinf(x), 0, -g * x) if both else None


def _binary_composed(operands, saved, g):
    x, y = operands
    return g * (x.sigmoid() - y), only(-g * x, ~np.isinf(x._data))


BINARY_SURPRISE = Fused(_binary, _binary_gradient, fresh=True, composed=_binary_composed)
