"""A tower: what is known of a user or an item becomes a vector, and learns from what that vector did wrong.

Who or what it is and each of its features have a vector in a table, and a tower begins with their sum (1).  A user may
also be what he has: the bag of his items (2), so that someone who comes today needs no place in the table.  When the
tower is asked for an item that is in the bag, the item must be taken out first: who is told the answer learns nothing
else.  Above the sum there may be layers of a network (3), and errors find their way down by the chain rule (4).

Symbols
    N, K, F    users or items, or samples of them; what they may have; the length of a vector
    G  (N, K)  what each has, as sparse rows: 1 for itself, and values of features
    E  (K, F)  the table of vectors that is learned
    P, M       samples; items
    A  (P, M)  what the user of each sample has, as sparse rows, or a part of it
    t  (P,)    the item of each sample; -1 for none
    H  (P,)    the items of A_p other than t_p
    x, y  (N, F), (N, D)  what goes into a layer and what comes out
    W, c  (F, D), (D,)    its weights
    g  (N, D)  the gradient of the loss by y, but 0 where y is cut off at 0

Equations
    (1)  u_n = Σ_k G_nk E_k                                                              tower
    (2)  G_pj = 1 / √|H_p| for j in H_p, else 0                                          history
    (3)  y = max(0, x W + c)                                                             layer
    (4)  ∂L/∂x = g Wᵀ, ∂L/∂W = xᵀ g, ∂L/∂c = Σ_n g_n                                     layer_gradient

Choices
    A sum over |H| vectors of random directions has a length of √|H|, so (2) keeps that of one.  The last layer has no
    max.  The optimiser is Adam, but in the table only on rows that a batch has touched: the moments of the others stand
    still.  It is lazy Adam, and Adam itself where all rows are touched in each step.  Everything is float32.

Cost
    (1): F multiplications for each entry of G, and as many in the way back; (3): F D for each row, (4): twice that.

>>> from scratchml.core.sparse import dense, sparse_rows
>>> dense(history(sparse_rows([[1, 1, 0, 1, 1, 1], [0, 0, 1, 0, 0, 0]]), np.array([3, 2]))).tolist()
[[0.5, 0.5, 0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
>>> layer(np.array([[1.0, 2]]), np.array([[1.0, 1], [1, -1]]), np.array([0.5, 0])).tolist()
[[3.5, 0.0]]

Sources: P. Covington, J. Adams and E. Sargin, "Deep neural networks for YouTube recommendations", RecSys 2016, section
3, for (1) to (3); D. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import finite, safe_to_square
from scratchml.core.jit import kernel
from scratchml.core.sparse import Rows, some_rows
from scratchml.nn.bags import bag
from scratchml.recommend.content import _features, beside

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8                 # Adam's, as in its paper

# --- the equations -------------------------------------------------------------------------------


def tower(G, E):
    """(1)  u_n = Σ_k G_nk E_k

    Shapes: G (N, K), E (K, F) -> (N, F)
    """
    return bag(G, E)


def history(A, t):
    """(2)  G_pj = 1 / √|H_p| for j in H_p, else 0

    Rows of float32; values of A do not matter.

    Shapes: A (P, M), t (P) -> (P, M)
    """
    sample = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    return _kept(A, sample, A.indices != np.asarray(t)[sample])


def layer(x, W, c):
    """(3)  y = max(0, x W + c)

    Shapes: x (N, F), W (F, D), c (D) -> (N, D)
    """
    return np.maximum(x @ W + c, 0)


def layer_gradient(x, W, g):
    """(4)  ∂L/∂x = g Wᵀ, ∂L/∂W = xᵀ g, ∂L/∂c = Σ_n g_n

    Shapes: x (N, F), W (F, D), g (N, D) -> (N, F), (F, D), (D)
    """
    return g @ W.T, x.T @ g, g.sum(axis=0)


# --- what users and items have ----------------------------------------------------------------------


def thinned(A, share, rng):
    """Rows `A` without each entry with a probability of `share`."""
    sample = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    return _kept(A, sample, rng.random(A.indices.size) >= share) if share else A


def side_of(n, features, name, own=None):
    """G of n users or items: themselves, or what is their `own`, and their features beside."""
    if own is None:
        own = Rows(np.arange(n + 1, dtype=np.int64), np.arange(n, dtype=np.int32), np.ones(n, np.float32), (n, n))
    if features is None:
        return own
    X = in_float32(features, name)
    if X.shape[0] != n:
        raise ValueError(f"{name}: expected a row for each of {n}, got {X.shape[0]}")
    return side_by_side(own, X)


def side_by_side(own, X):
    both = beside(own, X)
    return both._replace(data=both.data.astype(np.float32))


def columns_from(G, first):
    """The columns of G from `first` on; None if there are none."""
    if G.shape[1] == first:
        return None
    row, keep = np.repeat(np.arange(G.shape[0]), np.diff(G.indptr)), G.indices >= first
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[keep], minlength=G.shape[0]))]).astype(np.int64)
    return Rows(indptr, G.indices[keep] - np.int32(first), G.data[keep], (G.shape[0], G.shape[1] - first))


def in_float32(features, name, fitted=False):
    """Features as Rows of numbers that float32 can hold and square.  Raises ValueError."""
    X = _features(features, name)
    safe_to_square(X.data, name, work=np.dtype(np.float32), fitted=fitted)
    return X._replace(data=X.data.astype(np.float32))


def _kept(A, sample, keep):
    """The entries of A that are kept, each 1 / √(how many there are in its row); `sample` is the row of each."""
    counts = np.bincount(sample[keep], minlength=A.shape[0])
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
    return Rows(indptr, A.indices[keep], values, A.shape)


# --- a tower that learns -------------------------------------------------------------------------


class Weights(NamedTuple):
    """What a tower knows: a table, and the weights of its layers; none for a tower that is a sum."""
    E: np.ndarray                                        # (K, F)
    Ws: list                                             # of (F, D), (D, D'), ..., (D'', F)
    cs: list                                             # of (D,), (D',), ..., (F,)

    def outputs(self, G):
        """The sum (N, F) and what each layer makes of it, from rows G (N, K)."""
        x = [tower(G, self.E)]
        for W, c in zip(self.Ws[:-1], self.cs):
            x.append(layer(x[-1], W, c))
        return [*x, x[-1] @ self.Ws[-1] + self.cs[-1]] if self.Ws else x

    @property
    def width(self):
        return (self.Ws[-1] if self.Ws else self.E).shape[1]

    def copy(self):
        return Weights(self.E.copy(), [W.copy() for W in self.Ws], [c.copy() for c in self.cs])


def first_weights(K, F, hidden, rng):
    """Random weights, so that vectors have a length of about one, whatever the sizes of the layers."""
    E = rng.standard_normal((K, F), np.float32) / np.float32(F) ** np.float32(0.5)
    sizes = [F, *hidden, F] if hidden else [F]
    Ws = [rng.standard_normal(shape, np.float32) * np.float32((2 / shape[0]) ** 0.5) for shape in zip(sizes, sizes[1:])]
    return Weights(E, Ws, [np.zeros(size, np.float32) for size in sizes[1:]])


def packed(weights, name):
    """`weights` as arrays by name, for a file."""
    layers = {f"{name}_{letter}{i}": array for letter, arrays in (("W", weights.Ws), ("c", weights.cs))
              for i, array in enumerate(arrays)}
    return {f"{name}_E": weights.E, **layers}


def unpacked(arrays, name):
    """The Weights that `packed` has made arrays of.  Raises ValueError where shapes and types do not fit."""
    depth = sum(key.startswith(f"{name}_W") for key in arrays)
    E = in_kind(arrays[f"{name}_E"], np.float32, 2)
    Ws = [in_kind(arrays[f"{name}_W{i}"], np.float32, 2) for i in range(depth)]
    cs = [in_kind(arrays[f"{name}_c{i}"], np.float32, 1) for i in range(depth)]
    widths = [E.shape[1], *(W.shape[1] for W in Ws)]
    if [W.shape[0] for W in Ws] != widths[:-1] or [c.size for c in cs] != widths[1:]:
        raise ValueError(f"layers of the {name} tower that do not fit on each other")
    for array in (E, *Ws, *cs):
        finite(array, name)
    return Weights(E, Ws, cs)


def in_kind(array, dtype, ndim):
    """`array`, if it has this type and so many dimensions.  Raises ValueError."""
    if array.dtype != dtype or array.ndim != ndim:
        raise ValueError(f"expected {np.dtype(dtype)} of {ndim} dimensions, got {array.dtype} of {array.shape}")
    return array


class Tower:
    """The rows G of all users or items, the weights, and what Adam knows of their gradients, 0 between steps."""

    def __init__(self, G, F, rng, hidden=()):
        self.G, self.weights = G, first_weights(G.shape[1], F, hidden, rng)
        self.E = self.weights.E
        self.m, self.s, self.gradient = (np.zeros_like(self.E) for _ in range(3))
        self.touched, self.when = np.empty(G.shape[1], np.int64), np.zeros(G.shape[1], np.int64)
        self.moments = [(np.zeros_like(w), np.zeros_like(w)) for w in (*self.weights.Ws, *self.weights.cs)]

    def vectors(self, rows):
        return self.weights.outputs(some_rows(self.G, rows))[-1]

    def descend(self, G, outputs, g, t, lr):
        """Step t, for the gradients g (n, F) of the vectors of rows G (n, K), of which these are the `outputs`."""
        by_weights = self._through_layers(outputs, g)
        g = by_weights.pop()
        length = np.float32(lr / (1 - BETA1 ** t) * (1 - BETA2 ** t) ** 0.5)
        least = np.float32(EPSILON * (1 - BETA2 ** t) ** 0.5)
        count = _spread(G, np.ascontiguousarray(g), self.gradient, self.touched, self.when, t)
        _lazy_adam(self.touched[:count], self.gradient, self.E, self.m, self.s, length, least)
        for w, (m, s), slope in zip((*self.weights.Ws, *self.weights.cs), self.moments, by_weights):
            m += np.float32(1 - BETA1) * (slope - m)
            s += np.float32(1 - BETA2) * (slope * slope - s)
            w -= length * m / (np.sqrt(s) + least)

    def _through_layers(self, outputs, g):
        """Gradients by all W, by all c, and by the sum: (4) from the last layer to the first."""
        by_W, by_c = [], []
        for i in reversed(range(len(self.weights.Ws))):
            if i + 1 < len(self.weights.Ws):
                g = g * (outputs[i + 1] > 0)
            g, W, c = layer_gradient(outputs[i], self.weights.Ws[i], g)
            by_W.insert(0, W)
            by_c.insert(0, c)
        return [*by_W, *by_c, g]


# --- compiled ------------------------------------------------------------------------------------


@kernel(contract=True)
def _spread(G, g, gradient, touched, when, t):
    """Σ_n G_nk g_n added to the rows of `gradient` (K, F), listed once each in `touched`; how many there are."""
    count = 0
    for n in range(G.indptr.size - 1):
        row = g[n]
        for e in range(G.indptr[n], G.indptr[n + 1]):
            k, value = G.indices[e], G.data[e]
            if when[k] != t:
                when[k], touched[count] = t, k
                count += 1
            out = gradient[k]
            for f in range(row.size):
                out[f] += value * row[f]
    return count


@kernel(contract=True)
def _lazy_adam(touched, gradient, E, m, s, length, least):
    """A step of Adam on the rows that are touched, corrected by `length` and `least`; their gradient becomes 0."""
    keep_m, keep_s, new_m, new_s = np.float32(BETA1), np.float32(BETA2), np.float32(1 - BETA1), np.float32(1 - BETA2)
    for i in range(touched.size):
        k = touched[i]
        for f in range(E.shape[1]):
            g = gradient[k, f]
            m[k, f] = keep_m * m[k, f] + new_m * g
            s[k, f] = keep_s * s[k, f] + new_s * g * g
            E[k, f] -= length * m[k, f] / (np.sqrt(s[k, f]) + least)
            gradient[k, f] = 0
