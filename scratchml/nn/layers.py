"""Layers: affine maps, tables of vectors, activations, and noise.

A network is a chain of simple maps.  Each layer here is one of them, with its gradient derived by hand.  With g = ∂L/∂y
for the gradient of the loss L by the layer's result, the chain rule says ∂L/∂x = Σ g ∂y/∂x, and for maps this simple
the sum can be written down: of a product the other factor, of a table the rows that were looked up.

Symbols
    x        (N, D)  inputs, a row for each sample
    W        (H, D)  weights of an affine map
    b        (H,)    its bias
    g        (N, H)  gradient of the loss by the result y, (N, H)

Equations
    (1)  y_n = W x_n + b                                                             linear
    (2)  ∂L/∂x_n = Wᵀ g_n                                                            linear_by_input
    (3)  ∂L/∂W = Σ_n g_n x_nᵀ                                                        linear_by_weight
    (4)  ∂L/∂b = Σ_n g_n                                                             linear_by_bias

Choices
    An affine map takes inputs of any shape (..., D) and regards what stands in front as samples: one product for all.

Cost
    (1), (2) and (3) take O(N D H), in BLAS.

>>> layer = Linear(2, 1, random_state=0)
>>> layer.load_state_dict({"weight": [[3.0, -1.0]], "bias": [0.5]})
([], [])
>>> layer([[1.0, 2.0]])
Tensor([[1.5]], dtype=float32, requires_grad=True)

Sources: for names, arguments and first weights, PyTorch.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.core.checks import whole_number
from scratchml.core.random import generator
from scratchml.nn.initialisation import kaiming_bound
from scratchml.nn.module import Module, Parameter, as_input, float_type

# --- affine maps ---------------------------------------------------------------------------------


def linear(x, W, b):
    """(1)  y_n = W x_n + b

    Shapes: x (N, D), W (H, D), b (H) -> (N, H)
    """
    y = x @ W.T
    y += b
    return y


def linear_by_input(g, W):
    """(2)  ∂L/∂x_n = Wᵀ g_n

    Shapes: g (N, H), W (H, D) -> (N, D)
    """
    return g @ W


def linear_by_weight(g, x):
    """(3)  ∂L/∂W = Σ_n g_n x_nᵀ

    Shapes: g (N, H), x (N, D) -> (H, D)
    """
    return g.T @ x


def linear_by_bias(g):
    """(4)  ∂L/∂b = Σ_n g_n

    Shapes: g (N, H) -> (H)
    """
    return g.sum(axis=0)


def _affine(x, W, b=None, *, learned):
    y = linear(x.reshape(-1, x.shape[-1]), W, 0 if b is None else b)
    of_input, of_weight = learned                        # does anyone want these gradients?
    return y.reshape(*x.shape[:-1], len(W)), (x if of_weight else None, W if of_input else None, x.shape, b is not None)


def _affine_gradient(saved, g):
    x, W, shape, with_bias = saved
    g = g.reshape(-1, g.shape[-1])
    by_input = None if W is None else linear_by_input(g, W).reshape(shape)
    by_weight = None if x is None else linear_by_weight(g, x.reshape(-1, shape[-1]))
    return (by_input, by_weight, linear_by_bias(g)) if with_bias else (by_input, by_weight)


AFFINE = Fused(_affine, _affine_gradient)


class Linear(Module):
    """y = W x + b, (1): from (..., in_features) to (..., out_features).

    `weight` is W (out_features, in_features), `bias` b (out_features,), or None without; both begin uniform over
    ±1/√in_features.  Raises ValueError for sizes below 1, and for inputs whose last dimension is another.
    """

    settings = ("in_features", "out_features")

    def __init__(self, in_features, out_features, bias=True, *, dtype="float32", random_state=None):
        self.in_features = D = whole_number(in_features, "in_features")
        self.out_features = H = whole_number(out_features, "out_features")
        dtype, rng, bound = float_type(dtype), generator(random_state), kaiming_bound(D, 3 ** -0.5)
        self.weight = Parameter(rng.uniform(-bound, bound, (H, D)).astype(dtype))
        self.bias = Parameter(rng.uniform(-bound, bound, H).astype(dtype)) if bias else None

    def forward(self, input):
        W, b = self.weight, self.bias
        x = as_input(input, self, W._data.dtype)
        if x._data.shape[-1:] != W._data.shape[1:]:
            raise ValueError(f"input: {self} expected shape (..., {self.in_features}), got {x.shape}")
        learned = x.requires_grad, W.requires_grad
        return AFFINE(x, W, learned=learned) if b is None else AFFINE(x, W, b, learned=learned)
