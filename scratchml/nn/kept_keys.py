"""Transformers step by step: of what has been written, keys and values are kept, and one place a step is new.

In training all symbols of a target are known, and a decoder reads them in one pass: place t sees places 0 to t of the
layer below, and its scores say what comes at t + 1.  In use, symbol t + 1 must be known before place t + 1 can be read,
so there are as many passes as symbols.  But a pass over all of them computes most of it again: what a layer writes at
place s depends on the places up to s alone, so another symbol behind them changes nothing there, neither the keys nor
the values that the layer above makes of it.  They are kept, in what is called a KV cache.  Then a step has one new
place: its query meets the keys that are kept and its own, and by induction over layers and places its scores are those
of the whole pass.  Keys and values of the memory, which is the same for all steps, are made once.

Symbols
    N, S, T     sequences; places that are kept, or those of a source; places of a target
    D, V        width of a vector, symbols of a target
    H, A        heads, and the width of each: H A = D in a layer
    e    (N, T, D)      vectors of symbols, from a table
    P    (T, D)         vectors of places, chapter transformer (1)
    g    (N, T)         True where there is padding
    q    (N, H*A)       a query for each sequence; q[n,h] are its entries hA to hA + A - 1
    K    (N, S, 2*H*A)  keys that are kept, and behind each its value; K[n,s,h] and U[n,s,h] are those of head h
    k    (N, 2*H*A)     the new one of each sequence, and its value
    M    (N, S)         -inf where a key is padding, else 0
    z    (N, V)         scores of what comes next

Equations
    (1)  x[n,t] = √D e[n,t] + P[t], 0 where g[n,t]                                   embedded
    (2)  K'[n] = K[n,0], ..., K[n,S-1], k[n]                                         kept
    (3)  c[n,h] = Σ_s W[n,h,s] U[n,s,h], W[n,h,s] = softmax_s(q[n,h]·K[n,s,h] / √A + M[n,s])      read
    (4)  ln p[n,v] = z[n,v] - ln Σ_u exp(z[n,u])                                     log_probabilities

Choices
    Vectors of symbols begin with variance 1/D; √D makes them as long as those of places.  With `tied` the same table
    gives the scores: z[v] = e_v·y + b_v.
    Padding is a number of its own.  In a source no query sees it; in a target it stands behind all that counts, and
    what the network says there is for the loss to leave out.  (1) writes 0 over it, whatever vector it has.
    A source of padding alone is read as zeros.
    A step runs on arrays that belong to nobody's graph, and drops nothing, in training mode too.
    With the state goes a row for each sequence, so beams take rows from it by number; the memory's keys go with them.

Cost
    A step takes O(L D (D + F + S + t)) for L layers with networks of F units, where a pass over all places takes t
    times that.  Memory 2 L D (S + t) a sequence; beams copy it with their rows.

>>> network = TokenTransformer(6, 5, 8, 2, 1, 1, 16, dropout=0.0, random_state=0)
>>> source, targets = np.array([[3, 4, 5], [2, 0, 0]]), np.array([[1, 3], [1, 4]])
>>> z = network(source, targets).data
>>> state = network.start(source)
>>> for t in range(2):
...     log_p, state, alignments = network.step(state, targets[:, t])
...     print(np.allclose(log_p, log_probabilities(z[:, t]), atol=1e-5), alignments.round(2)[1].tolist())
True [1.0, 0.0, 0.0]
True [1.0, 0.0, 0.0]

Source: A. Vaswani and others, "Attention is all you need", NIPS 2017, sections 3.1, 3.2.3 and 3.4.
"""
import math

import numpy as np

from scratchml.autograd import Tensor, no_grad
from scratchml.autograd.ops import as_tensor
from scratchml.autograd.table import only
from scratchml.core.checks import true_or_false, whole_number
from scratchml.core.random import generator
from scratchml.nn import initialisation as init
from scratchml.nn.layers import Dropout, Embedding, Linear, as_ids, linear
from scratchml.nn.masks import Mask
from scratchml.nn.module import Module
from scratchml.nn.multihead import HEADS, mean_weights
from scratchml.nn.transformer import post_norm, pre_norm, sinusoids
from scratchml.nn.transformer_stacks import Transformer

# --- the equations -------------------------------------------------------------------------------


def embedded(e, P, g):
    """(1)  x[n,t] = √D e[n,t] + P[t], 0 where g[n,t]

    Shapes: e (N, T, D), P (T, D), g (N, T) -> (N, T, D)
    """
    x = as_tensor(e) * math.sqrt(P.shape[1]) + P
    return only(x, ~g[:, :, None]) if g.any() else x


def kept(K, k):
    """(2)  K'[n] = K[n,0], ..., K[n,S-1], k[n]

    Shapes: K (N, S, 2*H*A), k (N, 2*H*A) -> (N, S+1, 2*H*A)
    """
    return np.concatenate([K, k[:, None]], axis=1)


def read(q, K, M, H):
    """(3)  c[n,h] = Σ_s W[n,h,s] U[n,s,h], W[n,h,s] = softmax_s(q[n,h]·K[n,s,h] / √A + M[n,s])

    Returns c and W.  M is None where there is no padding.

    Shapes: q (N, H*A), K (N, S, 2*H*A), M (N, S), H -> (N, H*A), (N, H, S)
    """
    (N, E), S = q.shape, K.shape[1]
    mask = Mask(None if M is None else M[:, None, None], (N, H), 1, S, q.dtype)
    with no_grad():
        c, W = HEADS(Tensor(q[:, None]), Tensor(K), E=E, H=H, places=1, mask=mask, weights="each")
    return c.data[:, 0], W.data[:, :, 0]


def log_probabilities(z):
    """(4)  ln p[n,v] = z[n,v] - ln Σ_u exp(z[n,u])

    In float64.

    Shapes: z (N, V) -> (N, V)
    """
    z = z.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


# --- the network ---------------------------------------------------------------------------------


class TokenTransformer(Module):
    """From symbols to symbols: a Transformer between tables of vectors and scores of what comes next.

    `forward` reads targets that are known, in one pass; `start` and `step` are for `beam_search`, symbol by symbol.
    Symbols are numbers from 0.  Raises ValueError for sizes below 1, a d_model that nhead does not divide, a dropout
    outside 0 to 1, another activation, and a padding_idx that is no symbol of the source.

    Parameters
    ----------
    source_size : int
        How many symbols sources have.
    target_size : int
        V, how many targets have.
    d_model : int, default=128
        D, the width.
    nhead : int, default=4
        H, how many heads attention has.
    num_encoder_layers, num_decoder_layers : int, default=3
        How many layers.
    dim_feedforward : int, default=256
        F, units of the network in a layer.
    dropout : float, default=0.1
        Probability of dropout in training.
    activation : {"relu", "gelu"} or callable, default="relu"
        That of this network, one of two or a function of Tensors.
    norm_first : bool, default=True
        Whether norms stand before or after, (4) or (3) of the chapter transformer.
    tied : bool, default=True
        Whether the table of targets is the matrix of the scores, too.
    padding_idx : int, default=0
        The number of padding, in sources and targets.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    settings = ("source_size", "target_size", "tied", "padding_idx")

    def __init__(self, source_size, target_size, d_model=128, nhead=4, num_encoder_layers=3, num_decoder_layers=3,
                 dim_feedforward=256, dropout=0.1, activation="relu", *, norm_first=True, tied=True, padding_idx=0,
                 dtype="float32", random_state=None):
        self.source_size = whole_number(source_size, "source_size")
        self.target_size = whole_number(target_size, "target_size")
        self.tied, self.padding_idx = true_or_false(tied, "tied"), whole_number(padding_idx, "padding_idx", least=0)
        if self.padding_idx >= self.source_size:
            raise ValueError(f"padding_idx={padding_idx}: expected a symbol of the source, below {source_size}")
        rng = generator(random_state)
        made, D = dict(dtype=dtype, random_state=rng), whole_number(d_model, "d_model")
        self.source_vectors = Embedding(self.source_size, D, **made)
        self.target_vectors = Embedding(self.target_size, D, **made)
        for table in (self.source_vectors, self.target_vectors):
            init.normal_(table.weight, std=D**-0.5, random_state=rng)
        self.dropout = Dropout(dropout, random_state=rng)
        self.transformer = Transformer(D, nhead, num_encoder_layers, num_decoder_layers, dim_feedforward, dropout,
                                       activation, batch_first=True, norm_first=true_or_false(norm_first, "norm_first"),
                                       **made)
        self.scores = Linear(D, self.target_size, **made)
        if self.tied:
            self.scores.weight = self.target_vectors.weight
        self._places = np.empty((0, D))

    def forward(self, source, targets):
        """Scores (N, T, V) of what follows each of the targets, given those before it, a Tensor.

        Raises ValueError for other shapes, and for what are no symbols.

        Parameters
        ----------
        source : array (N, S) of int
            What is read, padded behind.
        targets : array (N, T) of int
            What has been written at each place, the first of them a mark of the beginning, padded behind.
        """
        source, targets = self._symbols(source, "source"), self._symbols(targets, "targets")
        if len(source) != len(targets):
            raise ValueError(f"targets: expected {len(source)} rows, as source has, got {len(targets)}")
        x, g = self._embedded(self.source_vectors, source)
        y, _ = self._embedded(self.target_vectors, targets)
        g = g if g.any() else None
        z = self.transformer(x, y, src_key_padding_mask=g, memory_key_padding_mask=g, tgt_is_causal=True)
        return self.scores(z)

    def start(self, source):
        """The state before the first step: arrays with a row for each source.

        These are M, then for each layer of the decoder K of the memory, then for each K of what has been written.
        Raises ValueError for another shape, and for what are no symbols.

        Parameters
        ----------
        source : array (N, S) of int
            What is read, padded behind.
        """
        source, modes = self._symbols(source, "source"), [(part, part.training) for part in self.modules()]
        self.eval()
        try:
            with no_grad():
                x, g = self._embedded(self.source_vectors, source)
                memory = self.transformer.encoder(x, None, g if g.any() else None).data
        finally:
            for part, mode in modes:
                part.training = mode
        M = np.where(g, -np.inf, 0.0).astype(memory.dtype)
        of_memory = [_projected(layer.multihead_attn, memory, slice(memory.shape[2], None)) for layer in self._layers]
        return (M, *of_memory, *(K[:, :0] for K in of_memory))

    def step(self, state, tokens):
        """(ln p (N, V) of what comes next, the state then, alignments (N, S)), all arrays.

        Alignments are the weights of the source in the last layer, the mean over heads.  Raises ValueError for another
        state, and for tokens that are no symbols, one for each row of it.

        Parameters
        ----------
        state : tuple of arrays (N, ...)
            What `start` or `step` has returned, or rows of it.
        tokens : array (N,) of int
            The symbols that were written last; at first marks of the beginning.
        """
        tokens, L = as_ids(tokens, self.target_size, "step"), len(self._layers)
        if not isinstance(state, tuple) or len(state) != 2 * L + 1:
            raise ValueError(f"state: expected a tuple of {2 * L + 1} arrays, as start returns it")
        M, *rest = state
        if tokens.shape != M.shape[:1]:
            raise ValueError(f"tokens: expected shape ({len(M)},), as the state has rows, got {tokens.shape}")
        memories, pasts, t = rest[:L], rest[L:], rest[L].shape[1]
        seen = M if M.any() else None
        with no_grad():
            x = embedded(self.target_vectors(tokens[:, None]), self._first_places(t + 1)[t:],
                         tokens[:, None] == self.padding_idx).squeeze(1)
            for k, (layer, memory) in enumerate(zip(self._layers, memories)):
                x, pasts[k], W = _next(layer, x, pasts[k], memory, seen)
            z = self.scores(self.transformer.decoder.norm(x)).data
        return log_probabilities(z), (M, *memories, *pasts), mean_weights(W)

    @property
    def _layers(self):
        return self.transformer.decoder.layers

    def _symbols(self, numbers, name):
        V = self.source_size if name == "source" else self.target_size
        numbers = as_ids(numbers, V, f"{name} of TokenTransformer({self.source_size}, {self.target_size})")
        if numbers.ndim != 2 or not numbers.shape[1]:
            raise ValueError(f"{name}: expected an array (N, T) of numbers of symbols, T at least 1, got shape "
                             f"{numbers.shape}")
        return numbers

    def _embedded(self, table, numbers):
        """(1) after dropout, and g."""
        g = numbers == self.padding_idx
        return self.dropout(embedded(table(numbers), self._first_places(numbers.shape[1]), g)), g

    def _first_places(self, T):
        if len(self._places) < T:
            self._places = sinusoids(2 * T, self._places.shape[1])
        return self._places[:T].astype(self.scores.weight.dtype)


# --- a step --------------------------------------------------------------------------------------


def _next(layer, x, past, memory, M):
    """What a decoder layer makes of the new place x (N, D), a Tensor; K then; W of the memory."""
    D, W = layer.d_model, None

    def itself(x):
        nonlocal past
        u = _projected(layer.self_attn, x.data)
        past = kept(past, u[:, D:])
        return layer.self_attn.out_proj(read(u[:, :D], past, None, layer.nhead)[0])

    def other(x):
        nonlocal W
        q = _projected(layer.multihead_attn, x.data, slice(D))
        c, W = read(q, memory, M, layer.nhead)
        return layer.multihead_attn.out_proj(c)

    def network(x):
        return layer.linear2(layer.activation(layer.linear1(x)))
    step = pre_norm if layer.norm_first else post_norm
    for f, norm in ((itself, layer.norm1), (other, layer.norm2), (network, layer.norm3)):
        x = step(x, f, norm)
    return x, past, W


def _projected(attention, x, which=slice(None)):
    """Queries, keys and values of x (..., D), side by side, or which of them."""
    rows = linear(x.reshape(-1, x.shape[-1]), attention.in_proj_weight.data[which], attention.in_proj_bias.data[which])
    return rows.reshape(*x.shape[:-1], rows.shape[1])
