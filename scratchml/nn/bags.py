"""Bags of vectors: a token that is described by many attributes is the sum of their vectors.

A table of vectors has one for each word, and a word that it has not seen has none.  But a word has an ending, a shape,
a length: attributes, a dozen out of many thousands, each with a value, and most of them are those of other words, too.
So each attribute gets a vector, and a token the sum of the vectors of its attributes, weighted with their values.  That
is the product of a matrix that is almost all zeros with the table, and costs as much as it has entries that are not.

The sum over v in (1) contains E_v with the factor G_nv; so by the chain rule (2) is the product with the transposed
matrix.  Vectors of attributes that do not occur get the gradient 0.

Symbols
    N, V, D         bags, rows of the table, length of a vector
    G     (N, V)    value of each attribute in each bag, as sparse Rows; an entry may come twice and then counts twice
    E     (V, D)    the table
    g     (N, D)    gradient of the loss L by the result y, (N, D)

Equations
    (1)  y_n = Σ_v G_nv E_v                                                          bag
    (2)  ∂L/∂E_v = Σ_n G_nv g_n                                                      bag_by_table

Choices
    A bag of nothing is 0.  Values come in any precision and are rounded to that of the table before all else; they get
    no gradient.  Terms are added in the order in which they stand in the row, whatever the number of threads.

Cost
    nnz D multiplications and additions for nnz entries, forward and back, and V D on the way back for the zeros.

>>> from scratchml.core.sparse import sparse_rows
>>> layer = EmbeddingBag(3, 2, random_state=0)
>>> layer.load_state_dict({"weight": [[1.0, 0.0], [0.0, 1.0], [5.0, 7.0]]})
Keys(missing_keys=[], unexpected_keys=[])
>>> layer(sparse_rows([[1, 2, 0], [0, 0, 0]])).data.tolist()
[[1.0, 2.0], [0.0, 0.0]]

Source: for the name of the layer and its weights, PyTorch.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.core.checks import finite, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.random import generator
from scratchml.core.sparse import Rows
from scratchml.nn.module import Module, Parameter, float_type

# --- the equations -------------------------------------------------------------------------------


def bag(G, E):
    """(1)  y_n = Σ_v G_nv E_v

    Shapes: G (N, V), E (V, D) -> (N, D)
    """
    E, y = np.ascontiguousarray(E), np.zeros((len(G.indptr) - 1, E.shape[1]), E.dtype)
    chunk = max(1, CHUNK // (1 + G.indices.size * E.shape[1] // max(1, len(y))))
    if len(y):
        run_chunks(_add_vectors, len(y), G.indptr, G.indices, G.data.astype(E.dtype, copy=False), E, y, chunk=chunk)
    return y


def bag_by_table(G, g):
    """(2)  ∂L/∂E_v = Σ_n G_nv g_n

    Shapes: G (N, V), g (N, D) -> (V, D)
    """
    g, table = np.ascontiguousarray(g), np.zeros((G.shape[1], g.shape[1]), g.dtype)
    _add_gradients(G.indptr, G.indices, G.data.astype(g.dtype, copy=False), g, table)
    return table


BAG = Fused(lambda E, *, G: (bag(G, E), G), lambda G, g: bag_by_table(G, g), fresh=True,
            composed=lambda operands, G, g: BAG_BY_TABLE(g, G=G))
BAG_BY_TABLE = Fused(lambda g, *, G: (bag_by_table(G, g), G), lambda G, d: bag(G, d), fresh=True)


# --- the layer -----------------------------------------------------------------------------------


class EmbeddingBag(Module):
    """The sum of the vectors of what is in a bag, (1): from sparse Rows (N, num_embeddings) to (N, embedding_dim).

    `weight` is E, (num_embeddings, embedding_dim), and begins standard normal.  Raises ValueError for sizes below 1,
    and for inputs that are no Rows of this many columns.

    Parameters
    ----------
    num_embeddings : int
        V, how many things may be in a bag.
    embedding_dim : int
        D, the length of a vector.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    settings = ("num_embeddings", "embedding_dim")

    def __init__(self, num_embeddings, embedding_dim, *, dtype="float32", random_state=None):
        self.num_embeddings = V = whole_number(num_embeddings, "num_embeddings")
        self.embedding_dim = D = whole_number(embedding_dim, "embedding_dim")
        self.weight = Parameter(generator(random_state).normal(size=(V, D)).astype(float_type(dtype)))

    def forward(self, input):
        return BAG(self.weight, G=self._rows(input))

    def _rows(self, rows):
        """`rows` as the kernels take them."""
        if not isinstance(rows, Rows):
            raise ValueError(f"input: {self} expected Rows of core.sparse, got {type(rows).__name__}; sparse_rows "
                             "makes them of a matrix (N, num_embeddings)")
        indptr, indices, data = (np.asarray(part) for part in rows[:3])
        if indptr.ndim != 1 or not indptr.size or indptr[0] != 0 or indptr[-1] != indices.size or \
                (np.diff(indptr) < 0).any() or indices.shape != data.shape:
            raise ValueError(f"input: {self} expected indptr that rises from 0 to the {indices.size} entries of "
                             f"indices and data, got {indptr.size} numbers for {indices.size} and {data.size} entries")
        if indices.size and not 0 <= indices.min() <= indices.max() < self.num_embeddings:
            raise ValueError(f"input: {self} expected columns 0 ... {self.num_embeddings - 1}, got {indices.min()} "
                             f"... {indices.max()}")
        with np.errstate(over="ignore"):                 # what float32 cannot hold becomes infinite, and is refused so
            data = finite(data.astype(self.weight.dtype, copy=False), "input")
        return Rows(np.ascontiguousarray(indptr, np.int64), np.ascontiguousarray(indices, np.int32),
                    np.ascontiguousarray(data), (len(indptr) - 1, self.num_embeddings))


# --- compiled ------------------------------------------------------------------------------------

CHUNK = 2**18                                            # multiplications that are worth a thread


@kernel(contract=True)
def _add_vectors(c, start, stop, indptr, indices, values, E, y):
    """(1) for the bags start ... stop-1; `y` is 0 before."""
    for n in range(start, stop):
        out = y[n]
        for k in range(indptr[n], indptr[n + 1]):
            value, row = values[k], E[indices[k]]
            for d in range(out.size):
                out[d] += value * row[d]


@kernel(contract=True)
def _add_gradients(indptr, indices, values, g, table):
    """(2), which is 0 before."""
    for n in range(indptr.size - 1):
        row = g[n]
        for k in range(indptr[n], indptr[n + 1]):
            value, out = values[k], table[indices[k]]
            for d in range(row.size):
                out[d] += value * row[d]
