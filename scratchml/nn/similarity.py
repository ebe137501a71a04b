"""Similarity: how long vectors are, how far apart, and whether they point the same way.

What a network has learned is often used by way of distances: what is near is alike.  How a distance counts differences
is a choice.  The p-norm raises them to a power before it adds them up: with p = 1 all count alike, with p = 2 it is the
distance of geometry, and the greater p, the more the largest of them counts alone.  The cosine looks at the direction
and forgets the length.

Symbols
    u        (N, D)  vectors
    a, b     (N, D)  pairs of vectors
    p                which norm, from 0 to ∞
    ε                keeps roots and quotients away from 0

Equations
    (1)  ‖u_n‖_p = (Σ_d |u_nd|ᵖ)^{1/p}                                               norms
    (2)  d_n = ‖a_n - b_n + ε‖_p                                                     norms_of_differences
    (3)  c_n = Σ_d a_nd b_nd / (max(‖a_n‖₂, ε) max(‖b_n‖₂, ε))                       cosines_above
    (4)  y_n = u_n / max(‖u_n‖_p, ε)                                                 unit_vectors

Choices
    (1) is the largest |u_nd| for p = ∞, and the number of entries that are not 0 for p = 0, which has no slope.
    For other p than 1, 2 and ∞ the entries are divided by the largest of them first, so that no power overflows.
    Where (1) is 0 its slope is 0, and so is that of |u_nd|ᵖ where u_nd is 0.  Largest entries that tie share the slope.
    (2) adds ε to every difference, as PyTorch does, so that the root has a slope where a = b.
    What is at its bound ε in (3) and (4) is a constant there.
    All are made of operations on Tensors, and so can be differentiated twice.

Cost
    O(N D), in a handful of passes.

>>> pairwise_distance([[3.0, 0.0]], [[0.0, 4.0]], eps=0.0), cosine_similarity([[1.0, 1.0]], [[2.0, 0.0]])
(Tensor([5.]), Tensor([0.70710678]))
>>> normalize([[3.0, -4.0]]), normalize([[3.0, -4.0]], p=float("inf"))
(Tensor([[ 0.6, -0.8]]), Tensor([[ 0.75, -1.  ]]))

Source: for names, ε and what is done where vectors are 0, PyTorch.
"""
import numbers

import numpy as np

from scratchml.autograd import ops
from scratchml.autograd.ops import as_tensor
from scratchml.core.checks import real_number

# --- the equations -------------------------------------------------------------------------------


def norms(u, p, dim=-1, keepdim=False):
    """(1)  ‖u_n‖_p = (Σ_d |u_nd|ᵖ)^{1/p}

    Shapes: u (N, D), p -> (N)
    """
    u = as_tensor(u)
    if p == 2:
        return root((u * u).sum(dim, keepdim), 2)
    sizes = u.abs()
    if p == 1:
        return sizes.sum(dim, keepdim)
    if p == np.inf:
        return ops.amax(sizes, dim, keepdim)
    if p == 0:
        return as_tensor((u._data != 0).astype(u.dtype)).sum(dim, keepdim)
    scale = sizes._data.max(dim, keepdims=True, initial=0)
    scale = np.where((scale > 0) & (scale < np.inf), scale, scale.dtype.type(1))
    nothing = sizes._data == 0
    powers = ((sizes / scale).masked_fill(nothing, 1.0) ** p).masked_fill(nothing, 0.0)
    return root(powers.sum(dim, keepdim), p) * (scale if keepdim else scale.squeeze(dim))


def root(s, p):
    """The p-th root of `s`, with slope 0 where that is 0."""
    nothing = s._data == 0
    s = s.masked_fill(nothing, 1.0) if nothing.any() else s
    y = s.sqrt() if p == 2 else s ** (1 / p)
    return y.masked_fill(nothing, 0.0) if nothing.any() else y


def norms_of_differences(a, b, ε, p, keepdim=False):
    """(2)  d_n = ‖a_n - b_n + ε‖_p

    Shapes: a (N, D), b (N, D), ε, p -> (N)
    """
    return norms(as_tensor(a) - b + ε, p, -1, keepdim)


def cosines_above(a, b, ε, dim=-1):
    """(3)  c_n = Σ_d a_nd b_nd / (max(‖a_n‖₂, ε) max(‖b_n‖₂, ε))

    Shapes: a (N, D), b (N, D), ε -> (N)
    """
    return (unit_vectors(a, 2, ε, dim) * unit_vectors(b, 2, ε, dim)).sum(dim)


def unit_vectors(u, p, ε, dim=-1):
    """(4)  y_n = u_n / max(‖u_n‖_p, ε)

    Shapes: u (N, D), p, ε -> (N, D)
    """
    return as_tensor(u) / norms(u, p, dim, True).clamp(min=ε)


# --- PyTorch's functions -------------------------------------------------------------------------


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """(2), (N,), or (N, 1) with `keepdim`.  Raises ValueError for shapes that do not broadcast, p < 0, and eps < 0.

    Parameters
    ----------
    x1, x2 : Tensor or array (N, D)
        The vectors; or of other shapes that broadcast.
    p : float, default=2.0
        Which norm measures the distances.
    eps : float, default=1e-6
        ε, added to a difference first.
    keepdim : bool, default=False
        Whether the last dimension stays, with length 1.
    """
    x1, x2 = _alike(x1, x2, "pairwise_distance")
    return norms_of_differences(x1, x2, real_number(eps, "eps"), as_order(p), keepdim)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """(3), (N,).  Raises ValueError for shapes that do not broadcast, a `dim` that they have not, and eps <= 0.

    Parameters
    ----------
    x1, x2 : Tensor or array (N, D)
        The vectors; or of other shapes that broadcast.
    dim : int, default=1
        The dimension of a vector.
    eps : float, default=1e-8
        ε, the least that a norm counts.
    """
    x1, x2 = _alike(x1, x2, "cosine_similarity")
    ndim = max(x1.ndim, x2.ndim)
    x1, x2 = (x.reshape((1,) * (ndim - x.ndim) + x.shape) for x in (x1, x2))
    return cosines_above(x1, x2, real_number(eps, "eps", above=0), _dimension(dim, ndim))


def normalize(input, p=2.0, dim=1, eps=1e-12):
    """(4), of the same shape (N, D).  Raises ValueError for a `dim` that the input has not, p < 0, and eps <= 0.

    Parameters
    ----------
    input : Tensor or array (N, D)
        The vectors; or of another shape.
    p : float, default=2.0
        Which norm becomes 1.
    dim : int, default=1
        The dimension of a vector.
    eps : float, default=1e-12
        ε, the least that a norm counts.
    """
    u = as_tensor(input)
    return unit_vectors(u, as_order(p), real_number(eps, "eps", above=0), _dimension(dim, u.ndim))


def as_order(p):
    """`p` as the order of a norm, from 0 to ∞.  Raises ValueError for anything else."""
    return np.inf if isinstance(p, (int, float)) and p == np.inf else real_number(p, "p")


def _dimension(dim, ndim):
    """`dim` as a number from 0 on."""
    if not isinstance(dim, numbers.Integral) or not -ndim <= dim < ndim:
        raise ValueError(f"dim={dim!r}: expected a whole number from {-ndim} to {ndim - 1}")
    return int(dim) % ndim


def _alike(x1, x2, name):
    x1 = as_tensor(x1, x2)
    x2 = as_tensor(x2, x1)
    try:
        np.broadcast_shapes(x1.shape, x2.shape)
    except ValueError:
        raise ValueError(f"x2: {name} expected a shape that broadcasts with {x1.shape}, got {x2.shape}") from None
    if not x1.ndim or not x2.ndim:
        raise ValueError(f"x1, x2: {name} expected vectors in the last dimension, got {x1.shape} and {x2.shape}")
    return x1, x2
