"""Recurrent layers: stacks of LSTMs, GRUs or plain ones over batches of sequences, in one direction or both.

The arguments, the shapes of weights and results, and the keys of `state_dict` are those of PyTorch's layers: the
weights of layer k are weight_ih_lk, weight_hh_lk, bias_ih_lk and bias_hh_lk, and those of the direction that reads
backwards have _reverse behind it.  Each layer reads what both directions of the layer below have written.

Choices
    Sequences of different lengths come padded, with their `lengths`.  They are packed, so padding has no influence and
    costs no time; results are 0 there, and the last states are those of each sequence's own last step.  The direction
    that reads backwards begins at the last step of each sequence.
    Dropout stands between layers, on all that one hands to the next.
    First weights are uniform between -1/√H and 1/√H, as in PyTorch.

>>> from scratchml.nn import LSTM
>>> layer = LSTM(3, 2, bidirectional=True, random_state=0)
>>> y, (h, c) = layer(np.ones((4, 5, 3)), lengths=[4, 1, 3, 3, 2])
>>> y.shape, h.shape, bool(y.data[1:, 1].any())
((4, 5, 4), (2, 5, 2), False)
>>> sorted(layer.state_dict())[:2]
['bias_hh_l0', 'bias_hh_l0_reverse']
"""
import numpy as np

from scratchml.autograd import Tensor
from scratchml.autograd.ops import concatenate, stack
from scratchml.core.checks import one_of, real_number, whole_number
from scratchml.core.random import generator
from scratchml.nn.elman import fused_elman
from scratchml.nn.gru import fused_gru
from scratchml.nn.layers import Dropout
from scratchml.nn.lstm import fused_lstm
from scratchml.nn.module import Module, Parameter, as_input, float_type
from scratchml.nn.packing import pack
from scratchml.nn.padding import PackedSequence, checked_lengths


class Recurrent(Module):
    """What the recurrent layers share: weights, directions, layers, lengths.  A subclass has `blocks`, `states` and
    `_read`."""

    blocks = 0                                           # blocks of H rows in a weight
    states = ()                                          # names of the states that are handed from step to step
    settings = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")

    def __init__(self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
                 bidirectional=False, *, dtype="float32", random_state=None):
        self.input_size = D = whole_number(input_size, "input_size")
        self.hidden_size = H = whole_number(hidden_size, "hidden_size")
        self.num_layers = whole_number(num_layers, "num_layers")
        self.bias, self.batch_first, self.bidirectional = bool(bias), bool(batch_first), bool(bidirectional)
        self.dropout = real_number(dropout, "dropout")
        dtype, rng, bound = float_type(dtype), generator(random_state), H**-0.5
        between = Dropout(self.dropout, random_state=rng)                                # checks its argument
        self._between = between if self.dropout and self.num_layers > 1 else None
        G, directions = self.blocks * H, 2 if self.bidirectional else 1
        self._names = [[f"{name}_l{layer}{direction}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
                       for layer in range(self.num_layers) for direction in ("", "_reverse")[:directions]]
        for k, names in enumerate(self._names):
            inputs = D if k < directions else directions * H
            for name, shape in zip(names, ((G, inputs), (G, H), (G,), (G,)) if bias else ((G, inputs), (G, H))):
                setattr(self, name, Parameter(rng.uniform(-bound, bound, shape).astype(dtype)))

    def forward(self, input, hx=None, lengths=None):
        """h after every step, (T, B, H) or with `batch_first` (B, T, H), 2H if bidirectional; and the last states.

        The second result has the form of `hx`.  What pack_padded_sequence has made has lengths of its own, and the
        first result is then packed like it.
        Raises ValueError for shapes that do not fit, no step or no sequence, and lengths that are not in 1 ... T.

        Parameters
        ----------
        input : Tensor or array (T, B, D)
            The sequences; (B, T, D) with `batch_first`; one of them, (T, D), gives results without B.
        hx : Tensor (layers directions, B, H), pair of them or None, default=None
            The first states, a pair (h, c) for an LSTM, h for the others; None for zeros.
        lengths : array (B,) of int or None, default=None
            How many steps of each sequence count; None for all.
        """
        if isinstance(input, PackedSequence):
            y, last = self.forward(input.laid_out(self.batch_first), hx, input.lengths)
            return PackedSequence(y, input.lengths, self.batch_first), last
        dtype = self.weight_hh_l0._data.dtype
        x = as_input(input, self, dtype)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or 0 in x.shape:
            shape = "(B, T, D)" if self.batch_first else "(T, B, D)"
            raise ValueError(f"input: {self} expected shape {shape} or (T, D) with D = {self.input_size}, and at least "
                             f"one step and one sequence, got {x.shape}")
        single, batch_first = x.ndim == 2, self.batch_first and x.ndim == 3
        if single:
            x = x.reshape(x.shape[0], 1, x.shape[1])
        B, T = x.shape[:2] if batch_first else x.shape[1::-1]
        lengths = None if lengths is None else checked_lengths(lengths, T, B, self)
        first = self._first_states(hx, B, single, dtype)
        directions, no_biases = 2 if self.bidirectional else 1, [np.zeros(self.blocks * self.hidden_size, dtype)] * 2
        packings = [pack(lengths, T=T, B=B, batch_first=batch_first, reverse=d == 1) for d in range(directions)]
        last = []
        for k in range(self.num_layers):
            written = []
            for d, packing in enumerate(packings):
                place = k * directions + d
                weights = [getattr(self, name) for name in self._names[place][:4 if self.bias else 2]]
                weights += () if self.bias else no_biases
                y, *states = self._read(x, *[state[place] for state in first], *weights, packing=packing,
                                        input_gradient=x.requires_grad)
                written.append(y)
                last.append(states)
            x = written[0] if directions == 1 else concatenate(written, dim=-1)
            if self._between and k < self.num_layers - 1:
                x = self._between(x)
        last = [stack(states) if len(states) > 1 else states[0].reshape(1, B, self.hidden_size)
                for states in zip(*last)]
        if single:
            x, last = x.reshape(T, x.shape[-1]), [state.reshape(len(self._names), self.hidden_size) for state in last]
        return x, last[0] if len(last) == 1 else tuple(last)

    def _read(self, x, *operands, packing, input_gradient):
        raise NotImplementedError

    def _first_states(self, hx, B, single, dtype):
        """For each kind of state what can be indexed by layer and direction: Tensors or arrays (B, H)."""
        shape = len(self._names), B, self.hidden_size
        if hx is None:
            return [np.zeros(shape, dtype)] * len(self.states)
        if len(self.states) > 1 and (not isinstance(hx, (tuple, list)) or len(hx) != len(self.states)):
            raise ValueError(f"hx: {self} expected a tuple ({', '.join(self.states)}) of first states, "
                             f"got {type(hx).__name__}")
        first = []
        for name, state in zip(self.states, hx if len(self.states) > 1 else (hx,)):
            state, expected = as_input(state, self, dtype), (shape[0], shape[2]) if single else shape
            if state.shape != expected:
                raise ValueError(f"hx: {self} expected {name} of shape {expected}, got {state.shape}")
            first.append(state.reshape(shape))
        return first


class LSTM(Recurrent):
    """Layers of long short-term memory: the equations are those of the chapter lstm.

    LSTM(input_size, hidden_size)(x) returns (y, (h, c)); `Recurrent.forward` says which shapes.  Raises ValueError for
    sizes that are no whole numbers of at least 1, and a `dropout` that is not from 0 to 1.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, the lengths of an input and of a state.
    num_layers : int, default=1
        How many layers, one on the states of the other.
    bias : bool, default=True
        Whether there are biases.
    batch_first : bool, default=False
        Whether B comes before T.
    dropout : float, default=0.0
        Probability that an entry between layers becomes 0 in training.
    bidirectional : bool, default=False
        Whether every layer reads backwards, too.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    blocks, states = 4, ("h", "c")

    def _read(self, x, *operands, packing, input_gradient):
        state_gradient = any(isinstance(state, Tensor) and state.requires_grad for state in operands[:2])
        return fused_lstm(x, *operands, packing=packing, input_gradient=input_gradient, state_gradient=state_gradient)


class GRU(Recurrent):
    """Layers of gated recurrent units: the equations are those of the chapter gru.

    GRU(input_size, hidden_size)(x) returns (y, h); `Recurrent.forward` says which shapes.  Raises ValueError as LSTM.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, the lengths of an input and of a state.
    num_layers : int, default=1
        How many layers, one on the states of the other.
    bias : bool, default=True
        Whether there are biases.
    batch_first : bool, default=False
        Whether B comes before T.
    dropout : float, default=0.0
        Probability that an entry between layers becomes 0 in training.
    bidirectional : bool, default=False
        Whether every layer reads backwards, too.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    blocks, states = 3, ("h",)

    def _read(self, x, *operands, packing, input_gradient):
        return fused_gru(x, *operands, packing=packing, input_gradient=input_gradient)


class RNN(Recurrent):
    """Layers of plain recurrent units: the equations are those of the chapter elman.

    RNN(input_size, hidden_size)(x) returns (y, h); `Recurrent.forward` says which shapes.  Raises ValueError as LSTM,
    and for another nonlinearity.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, the lengths of an input and of a state.
    num_layers : int, default=1
        How many layers, one on the states of the other.
    nonlinearity : {"tanh", "relu"}, default="tanh"
        f, the function of the sum.
    bias : bool, default=True
        Whether there are biases.
    batch_first : bool, default=False
        Whether B comes before T.
    dropout : float, default=0.0
        Probability that an entry between layers becomes 0 in training.
    bidirectional : bool, default=False
        Whether every layer reads backwards, too.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    blocks, states = 1, ("h",)
    settings = ("input_size", "hidden_size", "num_layers", "nonlinearity", *Recurrent.settings[3:])

    def __init__(self, input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False,
                 dropout=0.0, bidirectional=False, *, dtype="float32", random_state=None):
        self.nonlinearity = one_of(nonlinearity, "nonlinearity", ("tanh", "relu"))
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype,
                         random_state=random_state)

    def _read(self, x, *operands, packing, input_gradient):
        return fused_elman(x, *operands, f=self.nonlinearity, packing=packing, input_gradient=input_gradient)
