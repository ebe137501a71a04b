"""Cells: one step of a recurrent layer, for loops that are written by hand.

A decoder whose next input depends on what it has just written cannot be one call over all steps.  A cell is the step:
the layers of the chapter recurrent, for a sequence of one step, with weights that have no number behind their names.

>>> cell = GRUCell(3, 2, random_state=0)
>>> h = None
>>> for x in np.ones((4, 5, 3), np.float32):
...     h = cell(x, h)
>>> h.shape, list(cell.state_dict())
((5, 2), ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'])
"""
import numpy as np

from scratchml.core.checks import one_of, whole_number
from scratchml.core.random import generator
from scratchml.nn.elman import fused_elman
from scratchml.nn.gru import fused_gru
from scratchml.nn.lstm import fused_lstm
from scratchml.nn.module import Module, Parameter, as_input, float_type


class Cell(Module):
    """What the cells share: weights and states.  A subclass has `blocks`, `states` and `_step`."""

    blocks = 0                                           # blocks of H rows in a weight
    states = ("h",)                                      # names of the states that are handed from step to step
    settings = ("input_size", "hidden_size", "bias")

    def __init__(self, input_size, hidden_size, bias=True, *, dtype="float32", random_state=None):
        self.input_size = D = whole_number(input_size, "input_size")
        self.hidden_size = H = whole_number(hidden_size, "hidden_size")
        self.bias, dtype, rng, bound = bool(bias), float_type(dtype), generator(random_state), H**-0.5
        G = self.blocks * H
        for name, shape in (("weight_ih", (G, D)), ("weight_hh", (G, H)), ("bias_ih", (G,)), ("bias_hh", (G,))):
            first = None if len(shape) == 1 and not bias else Parameter(rng.uniform(-bound, bound, shape).astype(dtype))
            setattr(self, name, first)

    def forward(self, input, hx=None):
        """The states after a step, (B, H): a pair (h, c) of an LSTMCell, h of the others.

        Raises ValueError for other shapes.

        Parameters
        ----------
        input : Tensor or array (B, D)
            What is read; (D,) gives states (H,).
        hx : Tensor (B, H), pair of them or None, default=None
            The states before; None for zeros.
        """
        dtype = self.weight_hh._data.dtype
        x = as_input(input, self, dtype)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(f"input: {self} expected shape (B, {self.input_size}) or ({self.input_size},), got "
                             f"{x.shape}")
        single = x.ndim == 1
        shape = (1 if single else x.shape[0], self.hidden_size)
        biases = (self.bias_ih, self.bias_hh) if self.bias else [np.zeros(self.blocks * self.hidden_size, dtype)] * 2
        _, *after = self._step(x.reshape(1, shape[0], self.input_size), *self._before(hx, shape, single, dtype),
                               self.weight_ih, self.weight_hh, *biases, input_gradient=x.requires_grad)
        after = [state.reshape(self.hidden_size) for state in after] if single else after
        return after[0] if len(after) == 1 else tuple(after)

    def _before(self, hx, shape, single, dtype):
        if hx is None:
            return [np.zeros(shape, dtype)] * len(self.states)
        if len(self.states) > 1 and (not isinstance(hx, (tuple, list)) or len(hx) != len(self.states)):
            raise ValueError(f"hx: {self} expected a tuple ({', '.join(self.states)}) of states, got "
                             f"{type(hx).__name__}")
        before, expected = [], shape[1:] if single else shape
        for name, state in zip(self.states, hx if len(self.states) > 1 else (hx,)):
            state = as_input(state, self, dtype)
            if state.shape != expected:
                raise ValueError(f"hx: {self} expected {name} of shape {expected}, got {state.shape}")
            before.append(state.reshape(shape))
        return before

    def _step(self, x, *operands, input_gradient):
        raise NotImplementedError


class LSTMCell(Cell):
    """One step of a long short-term memory: LSTMCell(input_size, hidden_size)(x, (h, c)) returns the next (h, c).

    Its equations are those of the chapter lstm.  Raises ValueError for sizes that are no whole numbers of at least 1.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, the lengths of an input and of a state.
    bias : bool, default=True
        Whether there are biases.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    blocks, states = 4, ("h", "c")

    def _step(self, x, *operands, input_gradient):
        return fused_lstm(x, *operands, input_gradient=input_gradient)


class GRUCell(Cell):
    """One step of a gated recurrent unit: GRUCell(input_size, hidden_size)(x, h) returns the next h.

    Its equations are those of the chapter gru.  Raises ValueError as LSTMCell.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, the lengths of an input and of a state.
    bias : bool, default=True
        Whether there are biases.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    blocks = 3

    def _step(self, x, *operands, input_gradient):
        return fused_gru(x, *operands, input_gradient=input_gradient)


class RNNCell(Cell):
    """One step of a plain recurrent layer: RNNCell(input_size, hidden_size)(x, h) returns the next h.

    Its equations are those of the chapter elman.  Raises ValueError as LSTMCell, and for another nonlinearity.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, the lengths of an input and of a state.
    bias : bool, default=True
        Whether there are biases.
    nonlinearity : {"tanh", "relu"}, default="tanh"
        f, the function of the sum.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights.
    """

    blocks, settings = 1, ("input_size", "hidden_size", "bias", "nonlinearity")

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", *, dtype="float32", random_state=None):
        self.nonlinearity = one_of(nonlinearity, "nonlinearity", ("tanh", "relu"))
        super().__init__(input_size, hidden_size, bias, dtype=dtype, random_state=random_state)

    def _step(self, x, *operands, input_gradient):
        return fused_elman(x, *operands, f=self.nonlinearity, input_gradient=input_gradient)
