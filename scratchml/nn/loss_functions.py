"""Losses under PyTorch's names: the equations of the chapter losses, meant here by their numbers, of batches.

>>> huber_loss([0.0, 5.0], [0.5, 2.0], reduction="none")
Tensor([0.125, 2.5  ])
"""
import numpy as np

from scratchml.autograd import Tensor, ops
from scratchml.autograd.ops import as_tensor
from scratchml.core.checks import finite, one_of, real_number, unmasked
from scratchml.nn.cross_entropy import REDUCTIONS, class_numbers, class_weights, counted
from scratchml.nn.losses import (
    BINARY_SURPRISE, SURPRISE, absolute, binary_surprise, cosine_embedding, cosines, divergence, hinge_embedding, huber,
    margin_ranking, negative_log_likelihood, squared, triplet_margin,
)
from scratchml.nn.similarity import as_order, norms_of_differences

COSINE_EPS = 1e-12                                       # PyTorch's


def mse_loss(input, target, reduction="mean"):
    """The mean of (1), or the sum, or none of both.

    Raises ValueError for shapes that differ, a target that is not finite, and a mean of nothing.

    Parameters
    ----------
    input, target : Tensor or array (N, D)
        What is compared, both (N, D) or both of another shape.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    """
    x, y = _pair(input, target, "mse_loss")
    return _reduced(squared(x, y), reduction, "mse_loss")


def l1_loss(input, target, reduction="mean"):
    """The mean of (2), or the sum, or none of both; raises ValueError as `mse_loss` does.

    Parameters
    ----------
    input, target : Tensor or array (N, D)
        What is compared, both (N, D) or both of another shape.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    """
    x, y = _pair(input, target, "l1_loss")
    return _reduced(absolute(x, y), reduction, "l1_loss")


def smooth_l1_loss(input, target, reduction="mean", beta=1.0):
    """The mean of (3) over δ, or (2) for δ = 0; or the sum, or none of both.

    Raises ValueError as `mse_loss` does, and for δ < 0.

    Parameters
    ----------
    input, target : Tensor or array (N, D)
        What is compared, both (N, D) or both of another shape.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    beta : float, default=1.0
        δ, the distance at which the parabola ends.
    """
    x, y = _pair(input, target, "smooth_l1_loss")
    δ = real_number(beta, "beta")
    return _reduced(huber(x, y, δ) / δ if δ else absolute(x, y), reduction, "smooth_l1_loss")


def huber_loss(input, target, reduction="mean", delta=1.0):
    """The mean of (3), or the sum, or none of both; raises ValueError as `mse_loss` does, and for δ <= 0.

    Parameters
    ----------
    input, target : Tensor or array (N, D)
        What is compared, both (N, D) or both of another shape.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    delta : float, default=1.0
        δ, the distance at which the parabola ends.
    """
    x, y = _pair(input, target, "huber_loss")
    return _reduced(huber(x, y, real_number(delta, "delta", above=0)), reduction, "huber_loss")


def binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None):
    """The mean of (4), or the sum, or none of both.

    Raises ValueError for shapes that differ, and for targets outside of [0, 1] or that are NaN.

    Parameters
    ----------
    input : Tensor or array (N, D)
        Logits.
    target : Tensor or array (N, D)
        Probabilities, of the same shape.
    weight : array or None, default=None
        Multiplies the losses; it is broadcast.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    pos_weight : array or None, default=None
        Multiplies the losses of what is there, y; it is broadcast.
    """
    name = "binary_cross_entropy_with_logits"
    x, y = _pair(input, target, name)
    _check_probabilities(y, "target", name)
    if pos_weight is None:
        losses = BINARY_SURPRISE(x, y, both=y.requires_grad) if x.dtype == y.dtype else binary_surprise(x, y)
    else:
        losses = (1 - y) * x.softplus() + _factor(pos_weight, "pos_weight", x) * y * (-x).softplus()
    return _reduced(losses if weight is None else losses * _factor(weight, "weight", x), reduction, name)


def binary_cross_entropy(input, target, weight=None, reduction="mean"):
    """The mean of (12), or the sum, or none of both.

    Raises ValueError for shapes that differ, and for what is outside of [0, 1] or NaN.

    Parameters
    ----------
    input, target : Tensor or array (N, D)
        Probabilities, of the same shape.
    weight : array or None, default=None
        Multiplies the losses; it is broadcast.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    """
    name = "binary_cross_entropy"
    x, y = _pair(input, target, name)
    _check_probabilities(x, "input", name)
    _check_probabilities(y, "target", name)
    losses = SURPRISE(x, y)
    return _reduced(losses if weight is None else losses * _factor(weight, "weight", x), reduction, name)


def kl_div(input, target, reduction="mean", log_target=False):
    """The mean of (5) over all entries, its sum, the sum over the number of samples, or none of these.

    Raises ValueError for shapes that differ, for targets that are negative or not finite, and with `log_target` for
    those that are NaN or +inf.

    Parameters
    ----------
    input : Tensor or array (N, D)
        Logarithms of probabilities.
    target : Tensor or array (N, D)
        Probabilities, of the same shape.
    reduction : {"mean", "batchmean", "sum", "none"}, default="mean"
        What to make of the losses; "batchmean" is the sum over N.
    log_target : bool, default=False
        Whether targets are logarithms, too.
    """
    one_of(reduction, "reduction", (*REDUCTIONS, "batchmean"))
    x, y = _pair(input, target, "kl_div", may_be_infinite=log_target)
    if log_target:
        if not (y._data < np.inf).all():
            raise ValueError("target: kl_div expected logarithms of probabilities, -inf or finite, got NaN or +inf")
        impossible = np.isneginf(y._data)
        y, x = y.masked_fill(impossible, 0.0), x.masked_fill(impossible, 0.0)
        losses = y.exp() * ~impossible * (y - x)
    elif y._data.size and y._data.min() < 0:
        raise ValueError(f"target: kl_div expected probabilities, got {y._data.min()}; logarithms need log_target=True")
    else:
        losses = divergence(x, y)
    if reduction == "batchmean":
        return losses.sum() / counted(len(x) if x.ndim else 1, "kl_div")
    return _reduced(losses, reduction, "kl_div")


def nll_loss(input, target, weight=None, *, ignore_index=-100, reduction="mean"):
    """The mean of (6), weighted by w, or the sum, or none of both.

    Raises ValueError as `cross_entropy` does, which is the same for scores.

    Parameters
    ----------
    input : Tensor or array (N, D)
        Logarithms of probabilities; or (D,), or (N, D, ...) with more samples behind.
    target : array (N,) of int
        Numbers of classes, of the same shape without D.
    weight : array (D,) or None, default=None
        w, how much each class counts; None for 1 each.
    ignore_index : int, default=-100
        A class whose samples do not count.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    """
    x = as_tensor(input)
    if not x.ndim or not x.shape[min(1, x.ndim - 1)]:
        raise ValueError(f"input: nll_loss expected shape (N, D), (D,) or (N, D, ...), got {x.shape}")
    one_of(reduction, "reduction", REDUCTIONS)
    w = class_weights(weight, x.shape[min(1, x.ndim - 1)])
    t = class_numbers(np.asarray(unmasked(ops.bare(target), "target")), x.shape, ignore_index, w, reduction, "nll_loss")
    if x.ndim > 2:
        x = x.permute(0, *range(2, x.ndim), 1)
    counts = (t.reshape(-1) >= 0) & (w[t.reshape(-1)] > 0)
    x = x.reshape(-1, len(w))
    if not counts.all():
        x = x.masked_fill(~counts[:, None], 0.0)
    losses = negative_log_likelihood(x, np.where(counts, t.reshape(-1), 0), w).reshape(t.shape)
    if reduction == "mean":
        return losses.sum() / w[t[t >= 0]].sum()
    return losses.sum() if reduction == "sum" else losses


def margin_ranking_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """The mean of (7), or the sum, or none of both: one number should be greater than the other.

    Raises ValueError for shapes that differ, and for targets other than 1 and -1.

    Parameters
    ----------
    input1, input2 : Tensor or array (N,)
        The numbers u and v.
    target : array (N,)
        1 where u should be greater, -1 where it should be less.
    margin : float, default=0.0
        m, by how much.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    """
    u, v = _pair(input1, input2, "margin_ranking_loss", second="input2")
    s = _signs(target, u, "margin_ranking_loss")
    return _reduced(margin_ranking(u, v, s, _margin(margin)), reduction, "margin_ranking_loss")


def hinge_embedding_loss(input, target, margin=1.0, reduction="mean"):
    """The mean of (8), or the sum, or none of both: some distances should be small, others not.

    Raises ValueError for shapes that differ, and for targets other than 1 and -1.

    Parameters
    ----------
    input : Tensor or array (N,)
        Distances.
    target : array (N,)
        1 where they should be small, -1 where not.
    margin : float, default=1.0
        m, how large the others should be.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    """
    u = as_tensor(input)
    s = _signs(target, u, "hinge_embedding_loss")
    return _reduced(hinge_embedding(u, s, _margin(margin)), reduction, "hinge_embedding_loss")


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction="mean"):
    """The mean of (9), or the sum, or none of both, by the distances (2) of the chapter similarity.

    Raises ValueError for shapes that differ, for eps <= 0, and for p < 0.

    Parameters
    ----------
    anchor, positive, negative : Tensor or array (N, D)
        `negative` should be further from `anchor` than `positive` is.
    margin : float, default=1.0
        m, by how much.
    p : float, default=2.0
        Which norm measures the distances.
    eps : float, default=1e-6
        What is added to a difference first.
    swap : bool, default=False
        Whether to take the distance from `positive` to `negative` where it is less.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    """
    name = "triplet_margin_loss"
    a, near = _pair(anchor, positive, name, second="positive")
    _, far = _pair(a, negative, name, second="negative")
    if not a.ndim:
        raise ValueError(f"anchor: {name} expected shape (N, D), got ()")
    ε, p = real_number(eps, "eps", above=0), as_order(p)
    to_far = norms_of_differences(a, far, ε, p)
    if swap:
        to_far = ops.minimum(to_far, norms_of_differences(near, far, ε, p))
    return _reduced(triplet_margin(norms_of_differences(a, near, ε, p), to_far, _margin(margin)), reduction, name)


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """The mean of (11), or the sum, or none of both, with the cosines (10).

    Raises ValueError for shapes that differ, and for targets other than 1 and -1.

    Parameters
    ----------
    input1, input2 : Tensor or array (N, D)
        The vectors.
    target : array (N,)
        1 where they should point the same way, -1 where not.
    margin : float, default=0.0
        m, what the other cosines should be at most.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    """
    a, p = _pair(input1, input2, "cosine_embedding_loss", second="input2")
    if not a.ndim:
        raise ValueError("input1: cosine_embedding_loss expected shape (N, D), got ()")
    u = cosines(a, p, COSINE_EPS)
    s = _signs(target, u, "cosine_embedding_loss")
    return _reduced(cosine_embedding(u, s, _margin(margin)), reduction, "cosine_embedding_loss")


# --- pieces --------------------------------------------------------------------------------------


def _pair(x, y, name, second="target", may_be_infinite=False):
    """Both as Tensors of one shape; what is no Tensor takes the dtype of the other, and must be finite."""
    x = as_tensor(x, y)
    y = y if type(y) is Tensor else Tensor(np.asarray(unmasked(y, second), x.dtype))
    if x.shape != y.shape:
        raise ValueError(f"{second}: {name} expected shape {x.shape}, as the first has, got {y.shape}")
    if second == "target" and not may_be_infinite:
        finite(y._data, second)
    return x, y


def _check_probabilities(y, name, loss):
    if y._data.size and not (y._data.min() >= 0 and y._data.max() <= 1):
        wrong = ~((y._data >= 0) & (y._data <= 1))
        raise ValueError(f"{name}: {loss} expected probabilities from 0 to 1, got {y._data[wrong][0]}")


def _signs(target, u, name):
    s = np.asarray(unmasked(ops.bare(target), "target"))
    if s.shape != u.shape:
        raise ValueError(f"target: {name} expected shape {u.shape}, got {s.shape}")
    wrong = (s != 1) & (s != -1)
    if wrong.any():
        raise ValueError(f"target: {name} expected 1 or -1, got {s[wrong][0]}")
    return s.astype(u.dtype)


def _margin(margin):
    return real_number(margin, "margin", least=-np.inf)


def _factor(weight, name, x):
    return finite(np.asarray(unmasked(ops.bare(weight), name), x.dtype), name)


def _reduced(losses, reduction, name):
    one_of(reduction, "reduction", REDUCTIONS)
    if reduction == "none":
        return losses
    return losses.sum() / counted(losses.numel(), name) if reduction == "mean" else losses.sum()
