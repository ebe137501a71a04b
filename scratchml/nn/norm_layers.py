"""Layers that normalise: the equations are those of the chapter normalisation, meant here by their numbers."""
import math

import numpy as np

from scratchml.autograd import Tensor
from scratchml.core.checks import real_number, whole_number
from scratchml.nn.module import Module, Parameter, as_input, float_type
from scratchml.nn.normalisation import CHANNELS, ROWS, inverse, moments_of_channels, moved_towards


class BatchNorm1d(Module):
    """Every channel of (N, C) or (N, C, L) normalised over the batch, by (1) and (2); in use by running means, (5).

    `weight` and `bias` (C,) are w and b, `running_mean` and `running_var` (C,) the means.  Raises ValueError for inputs
    of another shape, and for a batch in training with one number a channel, which has no variance, or with a variance
    that `running_var` cannot hold.

    Parameters
    ----------
    num_features : int
        C, how many channels.
    eps : float, default=1e-5
        ε, added to the variance.
    momentum : float or None, default=0.1
        α; None makes the running means plain means over all batches.
    affine : bool, default=True
        Whether there are w and b.
    track_running_stats : bool, default=True
        Whether there are running means; else batches normalise themselves also outside of training.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    """

    settings = ("num_features", "eps", "momentum", "affine", "track_running_stats")

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, *,
                 dtype="float32"):
        self.num_features = C = whole_number(num_features, "num_features")
        self.eps = real_number(eps, "eps", above=0)
        self.momentum = None if momentum is None else real_number(momentum, "momentum")
        self.affine, self.track_running_stats, self.dtype = bool(affine), bool(track_running_stats), float_type(dtype)
        self.weight = Parameter(np.ones(C, self.dtype)) if affine else None
        self.bias = Parameter(np.zeros(C, self.dtype)) if affine else None
        self.running_mean = self.running_var = self.num_batches_tracked = None
        if track_running_stats:
            self.register_buffer("running_mean", np.zeros(C, self.dtype))
            self.register_buffer("running_var", np.ones(C, self.dtype))
            self.register_buffer("num_batches_tracked", np.array(0))

    def forward(self, input):
        x = as_input(input, self, self.dtype)
        shape = x._data.shape
        if len(shape) not in (2, 3) or shape[1] != self.num_features:
            C = self.num_features
            raise ValueError(f"input: BatchNorm1d({C}) expected shape (N, {C}) or (N, {C}, L), got {shape}")
        of_batch = self.training or self.running_mean is None
        if of_batch:
            count = x._data.size // self.num_features
            if count < 2:
                raise ValueError(f"input: BatchNorm1d({self.num_features}) expected at least 2 numbers a channel in "
                                 f"training, got shape {shape}; use a larger batch, or eval()")
            mean, V = moments_of_channels(x._data)
            if self.training and self.running_mean is not None:
                self._track(mean, V * (count / (count - 1)))
        else:
            mean, V = self.running_mean.astype(np.float64), self.running_var.astype(np.float64)
        of_channels = dict(mean=mean, quotient=inverse(V, self.eps), of_batch=of_batch)
        return CHANNELS(x, self.weight, self.bias, **of_channels) if self.affine else CHANNELS(x, **of_channels)

    def _track(self, mean, V):
        α = 1 / (1.0 + self.num_batches_tracked) if self.momentum is None else self.momentum
        try:
            with np.errstate(over="raise"):
                mean, V = (moved_towards(running, new, α).astype(running.dtype)
                           for running, new in ((self.running_mean, mean), (self.running_var, V)))
        except FloatingPointError:
            raise ValueError(f"input: the variance of a channel is {V.max():.3g}, more than running_var holds in "
                             f"{self.running_var.dtype}; scale the inputs, or take a layer of "
                             "dtype='float64'") from None
        count = self.num_batches_tracked
        count += 1                                       # in place, as the two below
        self.running_mean[...], self.running_var[...] = mean, V


class LayerNorm(Module):
    """Every sample normalised over its last dimensions, by (6) and (7).

    `weight` and `bias` have the shape of these, and are w and b.  Raises ValueError for inputs whose last dimensions
    are others.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The last dimensions.
    eps : float, default=1e-5
        ε, added to the variance.
    elementwise_affine : bool, default=True
        Whether there are w and b.
    bias : bool, default=True
        Whether there is a b, where there is a w.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    """

    settings = ("normalized_shape", "eps", "elementwise_affine")

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, *, dtype="float32"):
        self.normalized_shape = shape = _lengths(normalized_shape)
        self.eps, self.dtype = real_number(eps, "eps", above=0), float_type(dtype)
        self.elementwise_affine = bool(elementwise_affine)
        self.weight = Parameter(np.ones(shape, self.dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(shape, self.dtype)) if elementwise_affine and bias else None

    def forward(self, input):
        x, shape = as_input(input, self, self.dtype), self.normalized_shape
        _check_last(x, self)
        weights = [p for p in (self.weight, self.bias) if p is not None]
        return ROWS(x, *weights, size=math.prod(shape), ε=self.eps)


class RMSNorm(Module):
    """Every sample over its root mean square, taken over its last C entries: y = w x / √(Σ x² / C + ε).

    A LayerNorm without the mean, and without a shift.  `weight` has the shape of the last dimensions, and is w.  Raises
    ValueError for inputs whose last dimensions are others.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The last dimensions.
    eps : float or None, default=None
        ε, added to the mean square; None for the distance from 1 to the next number of the type.
    elementwise_affine : bool, default=True
        Whether there is a w.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    """

    settings = ("normalized_shape", "eps", "elementwise_affine")

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, *, dtype="float32"):
        self.normalized_shape = shape = _lengths(normalized_shape)
        self.eps = None if eps is None else real_number(eps, "eps", above=0)
        self.dtype, self.elementwise_affine = float_type(dtype), bool(elementwise_affine)
        self.weight = Parameter(np.ones(shape, self.dtype)) if elementwise_affine else None

    def forward(self, x):                                # PyTorch calls it x, here alone
        x = as_input(x, self, self.dtype)
        _check_last(x, self)
        y = over_root_mean_square(x, len(self.normalized_shape), self.eps)
        return y if self.weight is None else y * self.weight


def over_root_mean_square(x, dims, ε):
    """x / √(Σ x² / C + ε) over the last `dims` dimensions of `x` (N, C); ε None is the eps of the type."""
    dims, ε = tuple(range(x.ndim - dims, x.ndim)), np.finfo(x.dtype).eps if ε is None else ε
    largest = np.abs(x._data).max(axis=dims, keepdims=True, initial=1.0)          # no square of x over it overflows
    u = x / Tensor(largest)
    return u / ((u * u).mean(dims, keepdim=True) + Tensor((ε / largest / largest).astype(x.dtype))).sqrt()


def as_shape(normalized_shape):
    """The last dimensions as a tuple, also of a single one."""
    return tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)


def _lengths(normalized_shape):
    """The lengths of the last dimensions.  Raises ValueError for none."""
    shape = as_shape(normalized_shape)
    if not shape:
        raise ValueError("normalized_shape=(): expected at least one dimension")
    return tuple(whole_number(n, "normalized_shape") for n in shape)


def _check_last(x, layer):
    shape = layer.normalized_shape
    if x._data.shape[-len(shape):] != shape:
        raise ValueError(f"input: {type(layer).__name__} expected shape (..., {', '.join(map(str, shape))}), got "
                         f"{x.shape}")
