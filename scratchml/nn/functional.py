"""Functions under PyTorch's names: import scratchml.nn.functional as F.

Most are defined in the chapters, and gathered here.  The others apply the operation of a layer to weights that are
given, or an operation of autograd.  `inplace` is there for the scripts that name it: nothing is changed in place.

>>> import scratchml.nn.functional as F
>>> F.relu([-1.0, 2.0]), F.linear([[1.0, 2.0]], np.array([[3.0, -1.0]])), F.one_hot([2, 0]).tolist()
(Tensor([0., 2.]), Tensor([[1.]]), [[0, 0, 1], [1, 0, 0]])
"""
import math

import numpy as np

from scratchml.autograd import Tensor, ops
from scratchml.autograd.ops import as_tensor
from scratchml.core.checks import one_of, real_number, whole_number
from scratchml.core.random import generator
from scratchml.nn import activations, pooling
from scratchml.nn.attention import as_probability, scaled_dot_product_attention
from scratchml.nn.bounded import hardtanh, mish, relu6, selu, softsign
from scratchml.nn.convolution import Conv1d, single
from scratchml.nn.cross_entropy import cross_entropy
from scratchml.nn.layers import AFFINE, DROPOUT, EMBEDDING, as_ids, kept_entries
from scratchml.nn.loss_functions import (
    binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, hinge_embedding_loss, huber_loss,
    kl_div, l1_loss, margin_ranking_loss, mse_loss, nll_loss, smooth_l1_loss, triplet_margin_loss,
)
from scratchml.nn.module import as_input
from scratchml.nn.norm_layers import as_shape, over_root_mean_square
from scratchml.nn.normalisation import ROWS
from scratchml.nn.similarity import cosine_similarity, normalize, pairwise_distance
from scratchml.nn.smooth import elu, gelu, silu, softplus

__all__ = [
    "adaptive_avg_pool1d", "avg_pool1d", "conv1d", "dropout", "embedding", "glu", "layer_norm", "leaky_relu",
    "linear", "log_softmax", "logsigmoid", "max_pool1d", "one_hot", "pad", "relu", "sigmoid", "softmax", "tanh",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cosine_similarity",
    "cross_entropy", "elu", "gelu", "hinge_embedding_loss", "interpolate", "huber_loss", "kl_div", "l1_loss",
    "margin_ranking_loss", "mse_loss", "nll_loss", "normalize", "pairwise_distance", "scaled_dot_product_attention",
    "silu", "smooth_l1_loss", "softplus", "triplet_margin_loss", "hardtanh", "mish", "relu6", "selu", "softsign",
    "adaptive_max_pool1d", "rms_norm",
]

# --- layers whose weights are given --------------------------------------------------------------


def linear(input, weight, bias=None):
    """W x + b, (..., H).  Raises ValueError for shapes that do not fit, and for Tensors of different dtypes.

    Parameters
    ----------
    input : Tensor or array (..., D)
        What comes in, x.
    weight : Tensor or array (H, D)
        The map, W.
    bias : Tensor, array (H,) or None, default=None
        What is added, b; None for nothing.
    """
    W = as_tensor(weight)
    x = as_input(input, "linear", W.dtype)
    b = None if bias is None else as_input(bias, "linear", W.dtype)
    if W.ndim != 2 or x.shape[-1:] != W.shape[1:] or b is not None and b.shape != W.shape[:1]:
        raise ValueError(f"linear: expected input (..., D), weight (H, D) and bias (H,), got {x.shape}, {W.shape} and "
                         f"{None if b is None else b.shape}")
    learned = x.requires_grad, W.requires_grad
    return AFFINE(x, W, learned=learned) if b is None else AFFINE(x, W, b, learned=learned)


def embedding(input, weight, padding_idx=None):
    """The rows that numbers name: (N, T, D).  Raises ValueError for a weight of another shape, and numbers without a
    row.

    Parameters
    ----------
    input : array (N, T) of int
        Numbers of rows, of this or another shape.
    weight : Tensor or array (V, D)
        The rows.
    padding_idx : int or None, default=None
        A row that gets no gradient.
    """
    E = as_tensor(weight)
    if E.ndim != 2:
        raise ValueError(f"weight: embedding expected shape (V, D), got {E.shape}")
    padding = None if padding_idx is None else whole_number(padding_idx, "padding_idx",
                                                            least=-len(E.data)) % len(E.data)
    return EMBEDDING(E, ids=as_ids(input, E.shape[0], "embedding"), padding=padding)


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Filters along sequences, as Conv1d: from (N, C, T) to (N, H, S), or without N.

    Raises ValueError for settings that are no whole numbers or do not fit together, and for other shapes.

    Parameters
    ----------
    input : Tensor or array (N, C, T)
        The sequences.
    weight : Tensor or array (H, C / groups, K)
        The filters.
    bias : Tensor, array (H,) or None, default=None
        What is added; None for nothing.
    stride : int, default=1
        How far the window moves.
    padding : int or {"valid", "same"}, default=0
        Zeros on either side.
    dilation : int, default=1
        How far its places are apart.
    groups : int, default=1
        In how many groups channels are that see only their own.
    """
    W = as_tensor(weight)
    if W.ndim != 3 or 0 in W.shape:
        raise ValueError(f"weight: conv1d expected shape (H, C / groups, K), got {W.shape}")
    H, C, K = W.shape
    groups = whole_number(single(groups), "groups")
    layer = Conv1d(groups, groups, K, stride, padding, dilation, groups, bias=False, dtype=str(W.dtype), random_state=0)
    layer.in_channels, layer.out_channels = C * groups, H
    if H % groups or bias is not None and np.shape(ops.bare(bias)) != (H,):
        raise ValueError(f"conv1d: expected as many filters as a multiple of groups={groups}, and a bias for each, got "
                         f"weight {W.shape} and bias {None if bias is None else np.shape(ops.bare(bias))}")
    layer.__dict__.update(weight=W, bias=None if bias is None else as_input(bias, "conv1d", W.dtype))
    return layer(input)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Every sample normalised over its last dimensions, as LayerNorm does.

    Raises ValueError for last dimensions, or weights, of another shape.

    Parameters
    ----------
    input : Tensor or array (N, ..., D)
        The samples.
    normalized_shape : int or tuple of int
        The last dimensions.
    weight, bias : Tensor, array or None, default=None
        The weights w and b, of these dimensions; None for 1 and 0.
    eps : float, default=1e-5
        ε, added to the variance.
    """
    shape = as_shape(normalized_shape)
    x, given = as_tensor(input), [weight, bias]
    if bias is not None and weight is None:
        given = [np.ones(shape, x.dtype), bias]
    given = [as_input(p, "layer_norm", x.dtype) for p in given if p is not None]
    if not shape or x.shape[-len(shape):] != shape or any(p.shape != shape for p in given):
        raise ValueError(f"layer_norm: expected input (..., {', '.join(map(str, shape))}), and weights of that shape, "
                         f"got {x.shape} and {[p.shape for p in given]}")
    return ROWS(x, *given, size=math.prod(shape), ε=real_number(eps, "eps", above=0))


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Every sample over its root mean square, as RMSNorm does.

    Raises ValueError for last dimensions, or a weight, of another shape.

    Parameters
    ----------
    input : Tensor or array (N, ..., D)
        The samples.
    normalized_shape : int or tuple of int
        The last dimensions.
    weight : Tensor, array or None, default=None
        The weight w, of these dimensions; None for 1.
    eps : float or None, default=None
        ε, added to the mean square; None for the distance from 1 to the next number of the type.
    """
    shape = as_shape(normalized_shape)
    x = as_tensor(input)
    w = None if weight is None else as_input(weight, "rms_norm", x.dtype)
    if not shape or x.shape[-len(shape):] != shape or w is not None and w.shape != shape:
        raise ValueError(f"rms_norm: expected input (..., {', '.join(map(str, shape))}), and a weight of that shape, "
                         f"got {x.shape} and {None if w is None else w.shape}")
    y = over_root_mean_square(x, len(shape), None if eps is None else real_number(eps, "eps", above=0))
    return y if w is None else y * w


def dropout(input, p=0.5, training=True, inplace=False):
    """An entry becomes 0 with a probability p, others grow by 1 / (1 - p).

    Which do comes from the generator of `manual_seed`.  Raises ValueError for a `p` that is no probability.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    p : float, default=0.5
        The probability.
    training : bool, default=True
        Whether anything happens.
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    x, p = as_tensor(input), as_probability(p, "p")
    if not training or not p:
        return x
    m, p = kept_entries(x.shape, p, generator(None))
    return DROPOUT(x, m=m, p=p)


def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """What MaxPool1d with these settings makes; raises ValueError as it does.

    Parameters
    ----------
    input : Tensor or array (N, C, T)
        Sequences.
    kernel_size : int
        K, how many places a window has.
    stride : int or None, default=None
        s, how far it moves; None for K.
    padding : int, default=0
        p, places on either side that hold nothing.
    dilation : int, default=1
        d, how far its places are apart.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the end.
    return_indices : bool, default=False
        Whether the result is (y, i), where i says where the largest numbers stand.
    """
    return pooling.MaxPool1d(kernel_size, stride, padding, dilation, return_indices, ceil_mode)(input)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """What AvgPool1d with these settings makes; raises ValueError as it does.

    Parameters
    ----------
    input : Tensor or array (N, C, T)
        Sequences.
    kernel_size : int
        K, how many places a window has.
    stride : int or None, default=None
        s, how far it moves; None for K.
    padding : int, default=0
        p, zeros on either side.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the end.
    count_include_pad : bool, default=True
        Whether these zeros count, or a mean is over the places in the sequence alone.
    """
    return pooling.AvgPool1d(kernel_size, stride, padding, ceil_mode, count_include_pad)(input)


def adaptive_avg_pool1d(input, output_size):
    """What AdaptiveAvgPool1d makes; raises ValueError as it does.

    Parameters
    ----------
    input : Tensor or array (N, C, T)
        Sequences.
    output_size : int
        S, how many windows.
    """
    return pooling.AdaptiveAvgPool1d(output_size)(input)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """What AdaptiveMaxPool1d makes; raises ValueError as it does.

    Parameters
    ----------
    input : Tensor or array (N, C, T)
        Sequences.
    output_size : int
        S, how many windows.
    return_indices : bool, default=False
        Whether the result is (y, i), where i says where the largest numbers stand.
    """
    return pooling.AdaptiveMaxPool1d(output_size, return_indices)(input)


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """Sequences at another number of places, read between their own: (N, C, S).

    Place i of the S lies at (i + ½) T / S - ½ in the sequence, or with `align_corners` at i (T - 1) / (S - 1).
    Raises ValueError unless one of `size` and `scale_factor` is given, and for other modes and shapes.

    Parameters
    ----------
    input : Tensor or array (N, C, T)
        The sequences.
    size : int or None, default=None
        S, how many places.
    scale_factor : float or None, default=None
        S / T, and S is rounded down.
    mode : {"nearest", "linear"}, default="nearest"
        The number at i T / S rounded down, or between two in proportion.
    align_corners : bool or None, default=None
        Whether first and last places stay, for "linear" alone.
    """
    x, linear = as_tensor(input), one_of(mode, "mode", ("nearest", "linear")) == "linear"
    if x.ndim != 3 or not x.shape[2]:
        raise ValueError(f"input: interpolate expected shape (N, C, T) with T > 0, got {x.shape}")
    if (size is None) == (scale_factor is None) or align_corners is not None and not linear:
        raise ValueError("interpolate: expected one of size and scale_factor, and align_corners for 'linear' alone, "
                         f"got size={size}, scale_factor={scale_factor}, mode={mode!r}, align_corners={align_corners}")
    T, factor = x.shape[2], None if scale_factor is None else real_number(single(scale_factor), "scale_factor", above=0)
    S = whole_number(single(size) if factor is None else int(T * factor), "size")
    places, step = np.arange(S), T / S if factor is None else 1 / factor
    if not linear:
        return x[:, :, places * T // S if factor is None else np.minimum((places * step).astype(int), T - 1)]
    at = places * ((T - 1) / max(S - 1, 1)) if align_corners else np.maximum((places + 0.5) * step - 0.5, 0)
    before = np.minimum(at.astype(int), T - 1)
    share = Tensor((at - before).astype(x.dtype))
    return x[:, :, before] * (1 - share) + x[:, :, np.minimum(before + 1, T - 1)] * share


# --- entry by entry, and along a dimension -------------------------------------------------------


def relu(input, inplace=False):
    """max(x, 0).  Raises ValueError for what are no numbers.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    return activations.RELU(as_tensor(input))


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where x > 0, a little of it elsewhere.  Raises ValueError as LeakyReLU.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    negative_slope : float, default=0.01
        s, the slope below 0.
    inplace : bool, default=False
        For scripts that say so; nothing is changed in place.
    """
    return activations.LeakyReLU(negative_slope)(input)


def tanh(input):
    """The hyperbolic tangent.  Raises ValueError for what are no numbers.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    """
    return as_tensor(input).tanh()


def sigmoid(input):
    """1 / (1 + e⁻ˣ).  Raises ValueError for what are no numbers.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    """
    return as_tensor(input).sigmoid()


def logsigmoid(input):
    """log(1 / (1 + e⁻ˣ)), exact for large x.  Raises ValueError as `sigmoid`.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, H).
    """
    return -(-as_tensor(input)).softplus()


def glu(input, dim=-1):
    """The first half of the input times the sigmoid of the second.  Raises ValueError as GLU.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, 2H).
    dim : int, default=-1
        The dimension that is halved.
    """
    return activations.GLU(dim)(input)


def softmax(input, dim):
    """eˣ / Σ eˣ along a dimension.  Raises ValueError for one that the input has not.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, K).
    dim : int
        Along which the results sum to 1.
    """
    return as_tensor(input).softmax(dim)


def log_softmax(input, dim):
    """log(eˣ / Σ eˣ) along a dimension.  Raises ValueError for one that the input has not.

    Parameters
    ----------
    input : Tensor or array
        Numbers, of any shape (N, K).
    dim : int
        Along which the quotients sum to 1.
    """
    return as_tensor(input).log_softmax(dim)


# --- shapes and numbers of classes ---------------------------------------------------------------


def one_hot(tensor, num_classes=-1):
    """An array of int (..., K), 1 at the class that a number names, else 0.  Raises ValueError for what is no class.

    Parameters
    ----------
    tensor : array (N,) of int
        Numbers of classes, of this or another shape.
    num_classes : int, default=-1
        K; -1 for one more than the largest.
    """
    t = np.asanyarray(tensor)
    if num_classes == -1:
        if not t.size:
            raise ValueError("num_classes=-1: one_hot cannot tell it from no classes at all; give it")
        num_classes = int(t.max()) + 1 if t.dtype.kind in "iu" else 1
    rows = np.eye(whole_number(num_classes, "num_classes"), dtype=np.int64)
    return rows[as_ids(t, num_classes, "one_hot")].view(type(t))


def pad(input, pad, mode="constant", value=None):
    """A value around the input.  Arrays of whole numbers stay such.

    Raises ValueError for another mode, and widths that are no pairs of whole numbers.

    Parameters
    ----------
    input : Tensor or array
        Of any shape (N, T).
    pad : tuple of int
        (left, right) for the last dimension, the same for that before, and so on; negative widths cut off.
    mode : {"constant"}, default="constant"
        The only one there is.
    value : float or None, default=None
        What stands around it; None for 0.
    """
    if mode != "constant":
        raise ValueError(f"mode={mode!r}: pad expected 'constant', the only one that is here")
    x = input if isinstance(input, Tensor) else np.asanyarray(input)
    whole = isinstance(x, np.ndarray) and x.dtype.kind in "iub"
    widths = [whole_number(n, "pad", least=-max(x.shape, default=0)) for n in pad]
    if len(widths) % 2 or len(widths) > 2 * x.ndim:
        raise ValueError(f"pad={pad}: expected a pair of whole numbers for each of up to {x.ndim} dimension(s)")
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + [*zip(widths[::2], widths[1::2])][::-1]
    if any(n < 0 for n in widths):
        x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape))]
    pairs = [(max(a, 0), max(b, 0)) for a, b in pairs]
    value = 0 if value is None else value
    if whole:
        return np.pad(x, pairs, constant_values=value).view(type(x))
    return ops.pad(x, [n for pair in pairs[::-1] for n in pair], value=value)
