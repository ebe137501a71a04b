"""Layers: affine maps, tables of vectors, noise, and changes of shape.

A network is a chain of simple maps.  Each layer here is one of them, with its gradient derived by hand.  With g = ∂L/∂y
for the gradient of the loss L by the layer's result, the chain rule says ∂L/∂x = Σ g ∂y/∂x, and for maps this simple
the sum can be written down: of a product the other factor, of a table the rows that were looked up.

Noise is a layer too.  Dropout sets entries to 0 at random, so that no unit can rely on another one; those that stay are
made larger, so that the mean stays, and outside of training nothing has to be put right.

Symbols
    x        (N, D)  inputs, a row for each sample
    W        (H, D)  weights of an affine map
    b        (H,)    its bias
    g        (N, H)  gradient of the loss by the result y, (N, H)
    E        (V, D)  a table of vectors, one for each of V words
    i        (N,)    numbers of words, in V
    e        (N, D)  gradient of the loss by the vectors that were looked up
    V                number of words
    u        (N, H)  entries of which some are dropped
    m        (N, H)  which of them stay: 1 or 0
    p                probability that an entry is dropped

Equations
    (1)  y_n = W x_n + b                                                             linear
    (2)  ∂L/∂x_n = Wᵀ g_n                                                            linear_by_input
    (3)  ∂L/∂W = Σ_n g_n x_nᵀ                                                        linear_by_weight
    (4)  ∂L/∂b = Σ_n g_n                                                             linear_by_bias
    (5)  y_n = E_i_n                                                                 embed
    (6)  ∂L/∂E_v = Σ_n [i_n = v] e_n                                                 embed_by_table
    (7)  y = u m / (1 - p), and ∂L/∂u = g m / (1 - p)                                drop

Choices
    An affine map takes inputs of any shape (..., D) and regards what stands in front as samples: one product for all.
    Kept for the gradient are x for (3), and W for (2) if x has a gradient; i; and m, a byte an entry.
    The vector of `padding_idx` gets no gradient, so that it stays what it was at first, which is 0.
    (7) takes from the generator 32 bits an entry and compares them with 2³² p, rounded; its p is that number / 2³².

Cost
    (1), (2) and (3) take O(N D H), in one product of matrices each; (6) O(N D + V D); (7) O(N H).

>>> layer = Linear(2, 1, random_state=0)
>>> layer.load_state_dict({"weight": [[3.0, -1.0]], "bias": [0.5]})
Keys(missing_keys=[], unexpected_keys=[])
>>> layer([[1.0, 2.0]])
Tensor([[1.5]], dtype=float32, requires_grad=True)
>>> Embedding(3, 2, padding_idx=1, random_state=0)([[2, 1]]).shape, Dropout(0.5).eval()([1.0, 2.0])
((1, 2, 2), Tensor([1., 2.]))

Sources: N. Srivastava and others, "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014),
section 10 for the factor 1 / (1 - p) in training; for names, arguments and first weights, PyTorch.
"""
import math

import numpy as np

from scratchml.autograd import Fused, Tensor
from scratchml.autograd.composed import unflatten
from scratchml.autograd.ops import as_tensor
from scratchml.autograd.table import SCATTER, add_rows, only
from scratchml.core.checks import real_number, unmasked, whole_number
from scratchml.core.jit import kernel
from scratchml.core.products import FEW, product
from scratchml.core.random import generator
from scratchml.nn.initialisation import kaiming_bound
from scratchml.nn.module import Module, Parameter, as_input, float_type

# --- affine maps ---------------------------------------------------------------------------------


def linear(x, W, b):
    """(1)  y_n = W x_n + b

    Shapes: x (N, D), W (H, D), b (H) -> (N, H)
    """
    y = product(x, W.T)
    y += b
    return y


def linear_by_input(g, W):
    """(2)  ∂L/∂x_n = Wᵀ g_n

    Shapes: g (N, H), W (H, D) -> (N, D)
    """
    return product(g, W)


def linear_by_weight(g, x):
    """(3)  ∂L/∂W = Σ_n g_n x_nᵀ

    The second factor of a product is copied into panels: so where there are panels, it is the narrower one.

    Shapes: g (N, H), x (N, D) -> (H, D)
    """
    return np.ascontiguousarray(product(x.T, g).T) if x.shape[1] > g.shape[1] >= FEW else product(g.T, x)


def linear_by_bias(g):
    """(4)  ∂L/∂b = Σ_n g_n

    Shapes: g (N, H) -> (H)
    """
    return g.sum(axis=0)


def _affine(x, W, b=None, *, learned):
    y = linear(x if x.ndim == 2 else x.reshape(-1, x.shape[-1]), W, 0 if b is None else b)
    of_input, of_weight = learned                        # does anyone want these gradients?
    kept = x if of_weight else None, W if of_input else None, x.shape, b is not None
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], len(W)), kept


def _affine_gradient(saved, g):
    x, W, shape, with_bias = saved
    g = g.reshape(-1, g.shape[-1])
    by_input = None if W is None else linear_by_input(g, W).reshape(shape)
    by_weight = None if x is None else linear_by_weight(g, x.reshape(-1, shape[-1]))
    return (by_input, by_weight, linear_by_bias(g)) if with_bias else (by_input, by_weight)


def _affine_composed(operands, saved, g):
    x, W = operands[:2]
    rows = g.reshape(-1, g.shape[-1])
    by_input = None if saved[1] is None else g @ W
    by_weight = None if saved[0] is None else rows.mT @ x.reshape(-1, x.shape[-1])
    return (by_input, by_weight, rows.sum(0))[:len(operands)]


AFFINE = Fused(_affine, _affine_gradient, fresh=True, composed=_affine_composed)


class Linear(Module):
    """y = W x + b, (1): from (..., in_features) to (..., out_features).

    `weight` is W (out_features, in_features), `bias` b (out_features,), or None without; both begin uniform over
    ±1/√in_features.  Raises ValueError for sizes below 1, and for inputs whose last dimension is another.

    Parameters
    ----------
    in_features, out_features : int
        Lengths of x and y.
    bias : bool, default=True
        Whether there is a b.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
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


# --- tables of vectors ---------------------------------------------------------------------------


def embed(E, i):
    """(5)  y_n = E_i_n

    Shapes: E (V, D), i (N) in V -> (N, D)
    """
    return np.take(E, i, 0)


def embed_by_table(e, i, V):
    """(6)  ∂L/∂E_v = Σ_n [i_n = v] e_n

    Shapes: e (N, D), i (N) in V, V -> (V, D)
    """
    table = np.zeros((V, e.shape[1]), e.dtype)
    add_rows(table, i, np.ascontiguousarray(e))
    return table


def _embedding(E, *, ids, padding):
    return embed(E, ids), (ids, len(E), padding)


def _embedding_gradient(saved, g):
    ids, V, padding = saved
    by_table = embed_by_table(g.reshape(ids.size, g.shape[-1]), ids.reshape(-1), V)
    if padding is not None:
        by_table[padding] = 0
    return by_table


def _embedding_composed(operands, saved, g):
    ids, V, padding = saved
    by_table = SCATTER(g, params=(ids, (V, g.shape[-1])))
    return by_table if padding is None else only(by_table, (np.arange(V) != padding)[:, None])


EMBEDDING = Fused(_embedding, _embedding_gradient, fresh=True, composed=_embedding_composed)


class Embedding(Module):
    """A vector for each word, (5): from whole numbers of shape (...) to (..., embedding_dim).

    `weight` is E, (num_embeddings, embedding_dim), and begins standard normal.  Raises ValueError for sizes below 1, a
    `padding_idx` that is no row, and for inputs that are no whole numbers from 0 to num_embeddings - 1.

    Parameters
    ----------
    num_embeddings : int
        V, how many words there are.
    embedding_dim : int
        D, the length of a vector.
    padding_idx : int or None, default=None
        A row that begins with 0 and gets no gradient.
    sparse : bool, default=False
        For PyTorch's callers: the gradient is an array either way.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    settings = ("num_embeddings", "embedding_dim", "padding_idx")

    def __init__(self, num_embeddings, embedding_dim, padding_idx=None, *, sparse=False, dtype="float32",
                 random_state=None):
        self._take_sizes(num_embeddings, embedding_dim, padding_idx)
        shape = self.num_embeddings, self.embedding_dim
        E = generator(random_state).normal(size=shape).astype(float_type(dtype))
        if padding_idx is not None:
            E[padding_idx] = 0
        self.weight = Parameter(E)

    def _take_sizes(self, num_embeddings, embedding_dim, padding_idx):
        self.num_embeddings = V = whole_number(num_embeddings, "num_embeddings")
        self.embedding_dim = whole_number(embedding_dim, "embedding_dim")
        if padding_idx is not None:
            padding_idx = whole_number(padding_idx, "padding_idx", least=-V)
            if padding_idx >= V:
                raise ValueError(f"padding_idx={padding_idx}: expected a row of {V}")
            padding_idx %= V
        self.padding_idx = padding_idx

    @classmethod
    def from_pretrained(cls, embeddings, freeze=True, padding_idx=None):
        """A layer with given vectors.  Its dtype is theirs, and an array is shared.

        Raises ValueError for another shape, and a `padding_idx` that is no row.

        Parameters
        ----------
        embeddings : array (V, D)
            The `weight`.
        freeze : bool, default=True
            Whether they are not learned.
        padding_idx : int or None, default=None
            A row that gets no gradient.
        """
        weight = Parameter(embeddings, requires_grad=not freeze)
        if weight.ndim != 2:
            raise ValueError(f"embeddings: expected shape (num_embeddings, embedding_dim), got {weight.shape}")
        layer = cls.__new__(cls)
        layer._take_sizes(*weight.shape, padding_idx)
        layer.weight = weight
        return layer

    def forward(self, input):
        ids = as_ids(input, self.num_embeddings, self)
        return EMBEDDING(self.weight, ids=ids, padding=self.padding_idx)


def as_ids(ids, V, layer):
    """`ids` as an array of int64 of its own, of any shape (N, T).  Raises ValueError that says which is not below V."""
    if isinstance(ids, Tensor):
        raise ValueError(f"input: {layer} expected an array of whole numbers, got a Tensor, which holds floats")
    ids = np.asarray(unmasked(ids, "input"))
    if ids.dtype.kind not in "iu" and ids.size:
        raise ValueError(f"input: {layer} expected whole numbers from 0 to {V - 1}, got dtype {ids.dtype}")
    if ids.size and (ids.min() < 0 or ids.max() >= V):
        wrong = (ids < 0) | (ids >= V)
        at = np.unravel_index(wrong.argmax(), wrong.shape)
        place = f" at [{', '.join(map(str, at))}]" if ids.ndim else ""
        raise ValueError(f"input: {layer} expected whole numbers from 0 to {V - 1}, got {ids[at]}{place}")
    return np.array(ids, np.int64, order="C")


# --- noise ---------------------------------------------------------------------------------------


def drop(u, m, p):
    """(7)  y = u m / (1 - p), and ∂L/∂u = g m / (1 - p)

    Shapes: u (N, H), m (N, H), p -> (N, H)
    """
    y = np.empty(u.shape, u.dtype)
    _drop(np.ascontiguousarray(u).reshape(-1), m.reshape(-1), u.dtype.type(1 / (1 - p) if p < 1 else 0), y.reshape(-1))
    return y


@kernel
def _drop(u, m, factor, y):
    for k in range(u.size):
        if m[k]:                                         # not times 0: what is dropped may be infinite
            y[k] = u[k] * factor
        else:
            y[k] = 0


def _dropout(u, *, m, p):
    return drop(u, m, p), (m, p)


DROPOUT = Fused(_dropout, lambda saved, g: drop(g, *saved), fresh=True,
                composed=lambda operands, saved, g: DROPOUT(g, m=saved[0], p=saved[1]))


class Dropout(Module):
    """In training an entry becomes 0 with probability p, and the others are divided by 1 - p, (7).

    Inputs may have any shape; outside of training they pass as they are.  Raises ValueError for a `p` that is no
    probability.

    Parameters
    ----------
    p : float, default=0.5
        The probability.
    inplace : bool, default=False
        For scripts that say so, here as in all layers that have it; nothing is changed in place.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of what becomes 0.
    """

    settings = ("p",)

    def __init__(self, p=0.5, inplace=False, *, random_state=None):
        self.p, self.inplace = real_number(p, "p"), inplace
        if self.p > 1:
            raise ValueError(f"p={p!r}: expected a probability, from 0 to 1")
        self.random_state = generator(random_state)

    def forward(self, input):
        x = as_tensor(input)
        if not self.training or not self.p:
            return x
        m, p = kept_entries(x.shape, self.p, self.random_state)
        return DROPOUT(x, m=m, p=p)


def kept_entries(shape, p, rng):
    """(m, p): which entries of an array of `shape` (N, H) stay, as bools, and the probability that one does not."""
    n, least = math.prod(shape), round(p * 2 ** 32)
    bits = rng.integers(0, 2 ** 64 - 1, (n + 1) // 2, np.uint64, endpoint=True).view(np.uint32)[:n]
    return (bits >= least).reshape(shape), least / 2 ** 32


class GaussianNoise(Module):
    """In training a normal number of mean 0 is added to each entry.

    Inputs may have any shape; outside of training they pass as they are.  Raises ValueError for a negative `stddev`.

    Parameters
    ----------
    stddev : float
        Standard deviation of the numbers.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the numbers.
    """

    settings = ("stddev",)

    def __init__(self, stddev, *, random_state=None):
        self.stddev = real_number(stddev, "stddev")
        self.random_state = generator(random_state)

    def forward(self, input):
        x = as_tensor(input)
        if not self.training or not self.stddev:
            return x
        return x + (self.stddev * self.random_state.standard_normal(x.shape)).astype(x.dtype)


# --- shapes --------------------------------------------------------------------------------------


class Identity(Module):
    """Hands its input on as it is, in the place of a layer.

    Parameters
    ----------
    *args : object
        Not used.
    **kwargs : object
        Not used.
    """

    def __init__(self, *args, **kwargs):
        pass

    def forward(self, input):
        return input


class Unflatten(Module):
    """One dimension as several: from (N, C T) to (N, C, T).  Raises ValueError where their product is another.

    Parameters
    ----------
    dim : int
        Which dimension.
    unflattened_size : tuple of int
        Its new sizes, of which one may be -1.
    """

    settings = ("dim", "unflattened_size")

    def __init__(self, dim, unflattened_size):
        self.dim = whole_number(dim, "dim", least=-64)
        self.unflattened_size = tuple(whole_number(n, "unflattened_size", least=-1) for n in unflattened_size)

    def forward(self, input):
        return unflatten(as_tensor(input), self.dim, self.unflattened_size)


class Flatten(Module):
    """Several dimensions as one: from (N, C, T) to (N, C T).

    Raises ValueError for dimensions that the input has not, or that come in the wrong order.

    Parameters
    ----------
    start_dim : int, default=1
        The first of them.
    end_dim : int, default=-1
        The last of them.
    """

    settings = ("start_dim", "end_dim")

    def __init__(self, start_dim=1, end_dim=-1):
        self.start_dim, self.end_dim = (whole_number(value, name, least=-64) for value, name in
                                        ((start_dim, "start_dim"), (end_dim, "end_dim")))

    def forward(self, input):
        x = as_tensor(input)
        start, end = (dim + x.ndim if dim < 0 else dim for dim in (self.start_dim, self.end_dim))
        if not 0 <= start <= end < x.ndim:
            raise ValueError(f"input: {self} expected these dimensions, in this order, got shape {x.shape}")
        return x.reshape(*x.shape[:start], math.prod(x.shape[start:end + 1]), *x.shape[end + 1:])
