"""Transformers: layers that read a whole sequence at once, by attention alone.

A recurrent layer needs as many steps as there are places; attention needs one, and every place is one step from every
other.  A layer is two thoughts one after the other: what do the other places say (attention), and what follows for
this one (a small network that is the same at every place).  Each only adds to what is there, so that a stack of layers
begins as the identity and its gradient passes; and each is normalised, since sums grow.

Attention sees a set: it does not know which place came first.  So a vector that belongs to the place is added to what
stands there, sines and cosines of many wavelengths.  The product of two such vectors depends on their distance alone.

Symbols
    N, T     sequences, and their places
    D, F     width of a vector (`d_model`), and of the network in between (`dim_feedforward`)
    x        (N, T, D)  what a layer reads
    W, b     (F, D)     first map of the network in between; its bias b (F,)
    U, c     (D, F)     second map; its bias c (D,)
    a                   the activation between both, a function
    f                   attention, or the network in between, a function from (N, T, D) to (N, T, D)
    n                   a layer norm, a function from (N, T, D) to (N, T, D)

Equations
    (1)  P[t,2i] = sin(t / 10000^(2i/D)), P[t,2i+1] = cos(t / 10000^(2i/D))          sinusoids
    (2)  f(x) = U a(W x + b) + c                                                     feed_forward
    (3)  y = n(x + f(x))                                                             post_norm
    (4)  y = x + f(n(x))                                                             pre_norm

Layers
    An encoder layer is (3), or with `norm_first` (4), of self-attention and then of (2).  A decoder layer is the same
    with a third f between both, attention to what the encoder has written (`memory`).  A stack is layers one after the
    other, and a last norm if it is given one, which after (4) nothing else would be.

Choices
    (3) is that of the paper, and needs a learning rate that begins small; (4) keeps the sum itself untouched, and
    trains without.
    Dropout is where PyTorch has it: on what f adds, on the weights of attention, and inside of (2).
    Masks are those of MultiheadAttention: True forbids, numbers are added.  A sequence of padding alone has weights 0,
    and reads 0 + c, where PyTorch's layers give NaN, which one step spreads to all weights.
    An odd D has one sine more than cosines.

Cost
    O(N T D (T + D + F)) a layer.

>>> layer = TransformerEncoderLayer(8, 2, 16, batch_first=True, random_state=0)
>>> x = PositionalEncoding(8, dropout=0.0, batch_first=True)(np.zeros((3, 5, 8), np.float32))
>>> layer(x, src_key_padding_mask=np.arange(5) >= [[5], [3], [0]]).shape
(3, 5, 8)

Sources: A. Vaswani and others, "Attention is all you need", NIPS 2017, sections 3.1, 3.3 and 3.5; R. Xiong and others,
"On layer normalization in the transformer architecture", ICML 2020, for (4); for names and arguments, PyTorch.
"""
import numpy as np

from scratchml.autograd.ops import as_tensor
from scratchml.core.checks import whole_number
from scratchml.core.random import generator
from scratchml.nn.activations import RELU
from scratchml.nn.layers import Dropout, Linear
from scratchml.nn.module import Module, as_input, float_type
from scratchml.nn.multihead import MultiheadAttention
from scratchml.nn.norm_layers import LayerNorm
from scratchml.nn.smooth import gelu

# --- the equations -------------------------------------------------------------------------------


def sinusoids(T, D):
    """(1)  P[t,2i] = sin(t / 10000^(2i/D)), P[t,2i+1] = cos(t / 10000^(2i/D))

    Shapes: T, D -> (T, D)
    """
    angles = np.arange(T)[:, None] / 10000 ** (np.arange(0, D, 2) / D)
    P = np.empty((T, D))
    P[:, 0::2], P[:, 1::2] = np.sin(angles), np.cos(angles[:, :D // 2])
    return P


def feed_forward(x, W, b, U, c, a):
    """(2)  f(x) = U a(W x + b) + c

    Shapes: x (N, T, D), W (F, D), b (F), U (D, F), c (D), a -> (N, T, D)
    """
    return a(as_tensor(x) @ W.T + b) @ U.T + c


def post_norm(x, f, n):
    """(3)  y = n(x + f(x))

    Shapes: x (N, T, D), f, n -> (N, T, D)
    """
    return n(x + f(x))


def pre_norm(x, f, n):
    """(4)  y = x + f(n(x))

    Shapes: x (N, T, D), f, n -> (N, T, D)
    """
    return x + f(n(x))


# --- layers --------------------------------------------------------------------------------------


class PositionalEncoding(Module):
    """Adds (1) to sequences (T, N, d_model), or (T, d_model); then dropout.

    The table (max_len, d_model) is `pe`, which no state holds.  Raises ValueError for sizes below 1, for inputs of
    another width, and for sequences longer than max_len.

    Parameters
    ----------
    d_model : int
        D, the width.
    dropout : float, default=0.1
        Probability that an entry becomes 0 in training.
    max_len : int, default=5000
        Places in the table.
    batch_first : bool, default=False
        Whether N comes before T.
    dtype : {"float32", "float64"}, default="float32"
        The type of the table.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of dropout.
    """

    settings = ("d_model", "max_len", "batch_first")

    def __init__(self, d_model, dropout=0.1, max_len=5000, batch_first=False, *, dtype="float32", random_state=None):
        self.d_model, self.max_len = whole_number(d_model, "d_model"), whole_number(max_len, "max_len")
        self.dropout, self.batch_first = Dropout(dropout, random_state=random_state), bool(batch_first)
        self.register_buffer("pe", sinusoids(self.max_len, self.d_model).astype(float_type(dtype)), persistent=False)

    def forward(self, input):
        x = as_input(input, self, self.pe.dtype)
        if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
            raise ValueError(f"input: {self} expected shape (T, N, {self.d_model}), or N in front with batch_first, "
                             f"got {x.shape}")
        T = x.shape[1 if self.batch_first and x.ndim == 3 else 0]
        if T > self.max_len:
            raise ValueError(f"input: {self} expected at most {self.max_len} places, got {T}")
        P = self.pe[:T]
        return self.dropout(x + (P if self.batch_first or x.ndim == 2 else P[:, None]))


class _Layer(Module):
    """What both kinds of layers share: (2), the norms, and which of (3) and (4) it is."""

    settings = ("d_model", "nhead", "dim_feedforward", "norm_first")

    def _make(self, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
              dtype, random_state, attentions):
        """Weights in the order of PyTorch's state; `attentions` are the names of the attention layers."""
        self.d_model, self.nhead = whole_number(d_model, "d_model"), nhead
        self.dim_feedforward = F = whole_number(dim_feedforward, "dim_feedforward")
        self.activation, self.norm_first, rng = _activation(activation), bool(norm_first), generator(random_state)
        made, D = dict(dtype=float_type(dtype), random_state=rng), self.d_model
        for name in attentions:
            setattr(self, name, MultiheadAttention(D, nhead, dropout, bias, batch_first=batch_first, **made))
        self.linear1, self.linear2 = Linear(D, F, bias, **made), Linear(F, D, bias, **made)
        self.dropout = Dropout(dropout, random_state=rng)
        for k in range(1, len(attentions) + 2):
            setattr(self, f"norm{k}", LayerNorm(D, layer_norm_eps, bias=bias, dtype=made["dtype"]))
            setattr(self, f"dropout{k}", Dropout(dropout, random_state=rng))

    def _through(self, x, *functions):
        """(3) or (4) of each function in turn, with its norm, and dropout on what it adds."""
        step = pre_norm if self.norm_first else post_norm
        for k, f in enumerate(functions, 1):
            norm, dropout = getattr(self, f"norm{k}"), getattr(self, f"dropout{k}")
            x = step(x, lambda x: dropout(f(x)), norm)
        return x

    def _feed_forward(self, x):
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _input(self, x):
        return as_input(x, self, self.linear1.weight._data.dtype)


class TransformerEncoderLayer(_Layer):
    """Self-attention and (2), each with (3) or (4): from (T, N, d_model) to the same shape.

    Inputs without N are taken, too.  Raises ValueError for sizes below 1, a d_model that nhead does not divide, a
    dropout outside 0 to 1, and another activation.

    Parameters
    ----------
    d_model : int
        D, the width.
    nhead : int
        How many heads attention has.
    dim_feedforward : int, default=2048
        F, units of (2).
    dropout : float, default=0.1
        Probability of dropout in training.
    activation : {"relu", "gelu"} or callable, default="relu"
        a, one of two or a function of Tensors.
    layer_norm_eps : float, default=1e-5
        ε of the norms.
    batch_first : bool, default=False
        Whether N comes before T.
    norm_first : bool, default=False
        Whether norms stand before, (4), or after, (3).
    bias : bool, default=True
        Whether there are biases.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu", layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, bias=True, *, dtype="float32", random_state=None):
        self._make(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
                   dtype, random_state, ("self_attn",))

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        """What `src` becomes.  Raises ValueError as MultiheadAttention does.

        Parameters
        ----------
        src : Tensor or array (T, N, d_model)
            The sequences.
        src_mask : array, Tensor or None, default=None
            (T, T), the attn_mask of MultiheadAttention.
        src_key_padding_mask : array, Tensor or None, default=None
            (N, T), its key_padding_mask.
        is_causal : bool, default=False
            Whether a place sees itself and those before it alone, with or without a mask.
        """
        def attention(x):
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]
        return self._through(self._input(src), attention, self._feed_forward)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to a memory, and (2): from (T, N, d_model) to the same shape.

    Errors as in TransformerEncoderLayer.

    Parameters
    ----------
    d_model : int
        D, the width.
    nhead : int
        How many heads attention has.
    dim_feedforward : int, default=2048
        F, units of (2).
    dropout : float, default=0.1
        Probability of dropout in training.
    activation : {"relu", "gelu"} or callable, default="relu"
        a, one of two or a function of Tensors.
    layer_norm_eps : float, default=1e-5
        ε of the norms.
    batch_first : bool, default=False
        Whether N comes before T.
    norm_first : bool, default=False
        Whether norms stand before, (4), or after, (3).
    bias : bool, default=True
        Whether there are biases.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu", layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, bias=True, *, dtype="float32", random_state=None):
        self._make(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
                   dtype, random_state, ("self_attn", "multihead_attn"))

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
                memory_key_padding_mask=None, tgt_is_causal=False, memory_is_causal=False):
        """What `tgt` becomes, reading `memory`.  Raises ValueError as MultiheadAttention does.

        Parameters
        ----------
        tgt : Tensor or array (T, N, d_model)
            The sequences.
        memory : Tensor or array (S, N, d_model)
            What they read.
        tgt_mask, memory_mask : array, Tensor or None, default=None
            (T, T) and (T, S), the attn_mask of each MultiheadAttention.
        tgt_key_padding_mask, memory_key_padding_mask : array, Tensor or None, default=None
            (N, T) and (N, S), their key_padding_mask.
        tgt_is_causal, memory_is_causal : bool, default=False
            Whether a place sees itself and those before it alone; the same of the memory.
        """
        memory = self._input(memory)

        def itself(x):
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def other(x):
            return self.multihead_attn(x, memory, memory, memory_key_padding_mask, False, memory_mask,
                                       is_causal=memory_is_causal)[0]
        return self._through(self._input(tgt), itself, other, self._feed_forward)


# --- pieces --------------------------------------------------------------------------------------


def _activation(activation):
    named = {"relu": RELU, "gelu": gelu}
    if activation not in named and not callable(activation):
        raise ValueError(f"activation={activation!r}: expected 'relu', 'gelu' or a function of Tensors")
    return named.get(activation, activation)
