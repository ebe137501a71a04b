"""The layer of the chapter attentive: an LSTM that looks at a source before each step, or after it, and step by step.

The look before the step is one operation over all steps; that after it is an LSTM, and then the attention of the
chapter additive for all steps at once.  A decoder that does not know its next input yet takes one step at a time, on
arrays: `source` is called once, and `step` for each symbol.

>>> layer, x, keys = AttentiveLSTM(3, 2, 4, random_state=0), np.ones((1, 5, 3)), np.ones((1, 6, 4))
>>> (h, k, P), last = layer(x, keys)
>>> h.shape, k.shape, P.shape
((1, 5, 2), (1, 5, 4), (1, 5, 6))
>>> source, states = layer.source(keys, [6]), (np.zeros((1, 2)), np.zeros((1, 2)))
>>> for t in range(5):
...     states, _, _ = layer.step(x[:, t], states, source, [0])
>>> bool(np.allclose(states[0], h.data[:, -1]))
True
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd.ops import where
from scratchml.core.checks import one_of, whole_number
from scratchml.core.random import generator
from scratchml.nn.additive import ADDITIVE, AdditiveAttention
from scratchml.nn.attentive import fused_attentive, looked, queries
from scratchml.nn.lstm import _step, fused_lstm
from scratchml.nn.masks import Mask
from scratchml.nn.module import Module, Parameter, as_input, float_type
from scratchml.nn.packing import pack
from scratchml.nn.padding import checked_lengths


class Source(NamedTuple):
    """What a decoder looks at, in arrays: what `AttentiveLSTM.source` makes for `step`."""
    K: np.ndarray                                        # (B, S, C)
    u: np.ndarray                                        # (B, S, A)
    n: np.ndarray                                        # (B,)


class AttentiveLSTM(Module):
    """An LSTM that reads, beside its inputs, what it looks at in a source; the look is before the step or after it.

    `weight_ih` (4H, D+C), or (4H, D) where the look comes after the step, `weight_hh`, `bias_ih` and `bias_hh` are
    those of an LSTMCell; `attention` is an AdditiveAttention.  Raises ValueError for sizes below 1, and another
    attention.

    Parameters
    ----------
    input_size, hidden_size, key_size : int
        D, H and C.
    attention_size : int or None, default=None
        A, how many units compare; None for H.
    attention : {"bahdanau", "luong"}, default="bahdanau"
        Whether it looks before a step, with the state before, and the cell reads what it sees; or after it, with the
        new state, and the cell never does.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    settings = ("input_size", "hidden_size", "key_size", "attention_size")

    def __init__(self, input_size, hidden_size, key_size, attention_size=None, *, attention="bahdanau", dtype="float32",
                 random_state=None):
        self.input_size = D = whole_number(input_size, "input_size")
        self.hidden_size = H = whole_number(hidden_size, "hidden_size")
        self.key_size = C = whole_number(key_size, "key_size")
        self.attention_size = H if attention_size is None else whole_number(attention_size, "attention_size")
        self.before = one_of(attention, "attention", ("bahdanau", "luong")) == "bahdanau"
        dtype, rng, bound = float_type(dtype), generator(random_state), H**-0.5
        for name, shape in (("weight_ih", (4 * H, D + C if self.before else D)), ("weight_hh", (4 * H, H)),
                            ("bias_ih", 4 * H), ("bias_hh", 4 * H)):
            setattr(self, name, Parameter(rng.uniform(-bound, bound, shape).astype(dtype)))
        self.attention = AdditiveAttention(H, self.attention_size, C, dtype=dtype, random_state=rng)

    def forward(self, input, keys, hx=None, lengths=None, key_lengths=None):
        """(h, k, P) of every step, (B, T, H), (B, T, C) and (B, T, S), and (h, c) after the last, (B, H) each.

        Zeros stand where there is no step.  Raises ValueError for shapes that do not fit, and lengths out of range.

        Parameters
        ----------
        input : Tensor or array (B, T, D)
            The inputs.
        keys : Tensor or array (B, S, C)
            What it looks at.
        hx : pair of Tensors (B, H) or None, default=None
            The first states (h, c); None for zeros.
        lengths : array (B,) of int or None, default=None
            How many steps of each sequence count; None for all.
        key_lengths : array (B,) of int or None, default=None
            How many places each source has; what stands behind them is not looked at.  None for all.
        """
        x, K = (as_input(part, self._words(), self.weight_hh._data.dtype) for part in (input, keys))
        if x.ndim != 3 or x.shape[2] != self.input_size or 0 in x.shape:
            raise ValueError(f"input: {self._words()} expected shape (B, T, {self.input_size}), with at least one "
                             f"sequence and one step, got {x.shape}")
        B, T = x.shape[:2]
        if K.ndim != 3 or K.shape[::2] != (B, self.key_size) or not K.shape[1]:
            raise ValueError(f"keys: {self._words()} expected shape ({B}, S, {self.key_size}) with at least one place, "
                             f"got {K.shape}")
        lengths, n = (None if given is None else checked_lengths(given, most, B, self._words(), name=name)
                      for given, most, name in ((lengths, T, "lengths"), (key_lengths, K.shape[1], "key_lengths")))
        n = np.full(B, K.shape[1]) if n is None else n
        packing, places = pack(lengths, T=T, B=B, batch_first=True), np.arange(K.shape[1]) < n[:, None]
        if not places.all():                             # 0 times what stands there would not be 0, were it infinite
            K = where(places[:, :, None], K, 0.0)
        states = self._first(hx, (B, self.hidden_size), x.dtype)
        cell = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        u, w = self.attention.key_proj(K), self.attention.score.weight.reshape(-1)
        if self.before:
            y, k, P, *last = fused_attentive(x, K, u, *states, *cell, self.attention.query_proj.weight, w, n=n,
                                             packing=packing)
            return (y, k, P), tuple(last)
        y, *last = fused_lstm(x, *states, *cell, packing=packing, input_gradient=x.requires_grad)
        there = places[:, None] if lengths is None else (np.arange(T) < lengths[:, None])[:, :, None] & places[:, None]
        mask = None if there.all() else Mask(there, (B,), T, K.shape[1], x.dtype)
        k, P = ADDITIVE(self.attention.query_proj(y), u, w, K, mask=mask, need_weights=True)
        return (y, k, P), tuple(last)

    def _first(self, hx, shape, dtype):
        if hx is None:
            return [np.zeros(shape, dtype)] * 2
        if not isinstance(hx, (tuple, list)) or len(hx) != 2:
            raise ValueError(f"hx: {self._words()} expected a pair (h, c) of first states, got {type(hx).__name__}")
        states = [as_input(state, self._words(), dtype) for state in hx]
        for name, state in zip("hc", states):
            if state.shape != shape:
                raise ValueError(f"hx: {self._words()} expected {name} of shape {shape}, got {state.shape}")
        return states

    def _words(self):
        return f"AttentiveLSTM({', '.join(f'{name}={getattr(self, name)}' for name in self.settings)})"

    # --- step by step, on arrays

    def source(self, keys, key_lengths):
        """The `Source` for `step`.

        Parameters
        ----------
        keys : array (B, S, C)
            What is looked at.
        key_lengths : array (B,) of int
            How many places each source has.
        """
        K, proj = np.ascontiguousarray(keys, self.weight_hh._data.dtype), self.attention.key_proj
        return Source(K, K @ proj.weight._data.T + proj.bias._data, np.asarray(key_lengths, np.int64))

    def step(self, x, states, source, which):
        """One step, on arrays and without a graph: (h, c) after it, (R, H) each, k (R, C) and P (R, S).

        Parameters
        ----------
        x : array (R, D)
            The inputs.
        states : pair of arrays (R, H)
            (h, c) before.
        source : Source
            What is looked at.
        which : array (R,) of int
            The source of each row.
        """
        W, U, b = self.weight_ih._data, self.weight_hh._data, self.bias_ih._data + self.bias_hh._data
        x, h, c = (np.asarray(part, W.dtype) for part in (x, *states))
        gates = x @ W[:, :self.input_size].T
        if self.before:
            k, P = self._looked(h, source, which)
            gates += k @ W[:, self.input_size:].T
        y, z = lstm_step(gates, h, c, U, b)
        if not self.before:
            k, P = self._looked(y, source, which)
        return (y, z), k, P

    def _looked(self, h, source, which):
        Q, w = self.attention.query_proj.weight._data, self.attention.score.weight._data.reshape(-1)
        return looked(queries(h, Q), source.K, source.u, w, source.n, np.asarray(which, np.int64))


def lstm_step(gates, h, c, U, b):
    """The states after a step of an LSTM, arrays (R, H); `gates` (R, 4H) hold W x, and are overwritten."""
    R, H = h.shape
    cells, y = np.empty((2 * R, H), gates.dtype), np.empty((R, H), gates.dtype)
    cells[:R] = c
    _step(gates, h @ U.T, b, cells, y, np.array([0, R, 2 * R]), 0)
    return y, cells[R:]
