"""Cross-entropy: how surprised a classifier is by the right answer.

A network gives each of K classes a score z.  The softmax makes probabilities of them, p_k = exp(z_k) / Σ_j exp(z_j),
and the loss is the surprise at the class t that it was, -log p_t.  It is never computed through p: a probability that
underflows would have an infinite logarithm.  In the logarithm the quotient is a difference, lse - z_t, where lse is the
logarithm of the sum, and exact where p is not.

The gradient is as plain as it gets, p - q, where q is what was wanted: 1 at t and 0 elsewhere.  Proof: lse has the
derivative exp(z_k) / Σ_j exp(z_j) = p_k by z_k, and the second term takes 1 away at t.  A target that is smoothed gives
a share α away to all classes evenly, so that no score has to go to infinity.

Symbols
    z        (N, K)  scores of K classes (logits)
    t        (N,)    the right classes, in K
    w        (K,)    weight of each class
    α                what is given away to all classes (`label_smoothing`)
    K                number of classes
    q        (N, K)  what is wanted
    l        (N,)    lse: logarithms of the sums of exponentials
    g        (N,)    gradient of the loss by the result
    ℓ        (N,)    losses of the samples

Equations
    (1)  l_n = m + log Σ_k exp(z_nk - m) with m = max_k z_nk                         log_sums
    (2)  q_nk = (1 - α) [k = t_n] + α / K                                            smoothed
    (3)  ℓ_n = Σ_k w_k q_nk (l_n - z_nk)                                             surprises
    (4)  ∂L/∂z_nk = g_n (W_n exp(z_nk - l_n) - w_k q_nk) with W_n = Σ_k w_k q_nk     surprises_by_scores
    (5)  L = Σ_n ℓ_n / Σ_n w_t_n                                                     weighted_mean

Choices
    `ignore_index` marks samples that do not count: their loss and gradient are 0, and (5) leaves them out.  If none
    counts, (5) would be 0 / 0 and is an error.
    A score of -inf is a class that is impossible; its p and gradient are 0.  If it was the right one the loss is inf.
    Scores that are NaN, inf, or all -inf have no softmax and are an error, unless the sample does not count, as none
    does that has no weight: W_n = 0.
    Exponentials of float32 are float32; their sums, and all else that is one number a sample, are float64.
    Kept for the gradient are z and four numbers a sample; p is computed again.

Cost
    O(N K), K exponentials a sample on the way there, and as many on the way back.

>>> from scratchml.autograd import Tensor
>>> z = Tensor([[0.0, 0.0, np.log(2)], [1000.0, 0.0, -np.inf]], requires_grad=True)
>>> loss = cross_entropy(z, [2, 0])
>>> loss.backward()
>>> round(loss.item(), 4), z.grad.data.round(4).tolist()
(0.3466, [[0.125, 0.125, -0.25], [0.0, 0.0, 0.0]])

Sources: C. Bishop, "Pattern Recognition and Machine Learning" (2006), section 4.3.4; C. Szegedy and others, "Rethinking
the inception architecture", CVPR 2016, section 7, for (2); for the weights and names, PyTorch.
"""
import math

import numpy as np

from scratchml.autograd import Fused, ops
from scratchml.autograd.ops import as_tensor
from scratchml.core.checks import as_vector, finite, one_of, real_number, unmasked
from scratchml.core.elementary import exp, exp32
from scratchml.core.jit import kernel, run_chunks

# --- the equations -------------------------------------------------------------------------------


def log_sums(z):
    """(1)  l_n = m + log Σ_k exp(z_nk - m) with m = max_k z_nk

    Shapes: z (N, K) -> (N)
    """
    return _forwards(z, np.zeros(len(z), np.int64), np.ones(z.shape[1]), 0.0)[1]


def smoothed(t, α, K):
    """(2)  q_nk = (1 - α) [k = t_n] + α / K

    Shapes: t (N) in K, α, K -> (N, K)
    """
    return (1 - α) * (t[:, None] == np.arange(K)) + α / K


def surprises(z, t, w, α):
    """(3)  ℓ_n = Σ_k w_k q_nk (l_n - z_nk)

    Shapes: z (N, K), t (N) in K, w (K), α -> (N)
    """
    return _forwards(z, t, w, α)[0]


def surprises_by_scores(z, t, w, α, g):
    """(4)  ∂L/∂z_nk = g_n (W_n exp(z_nk - l_n) - w_k q_nk) with W_n = Σ_k w_k q_nk

    Shapes: z (N, K), t (N) in K, w (K), α, g (N) -> (N, K)
    """
    return _backwards(z, t, w, α, _forwards(z, t, w, α)[1:], g)


def weighted_mean(ℓ, t, w):
    """(5)  L = Σ_n ℓ_n / Σ_n w_t_n

    Shapes: ℓ (N), t (N) in K, w (K) -> ()
    """
    return ℓ.sum() / w[t[t >= 0]].sum()


# --- compiled ------------------------------------------------------------------------------------

CHUNK = 2**17                                            # exponentials that are worth a thread


def _over_rows(chunk_kernel, z, *arguments):
    run_chunks(chunk_kernel, len(z), z, *arguments, chunk=max(1, CHUNK // max(z.shape[1], 1)))


def _shares(w, α, dtype):
    """(2, K): w_k q_nk at the right class beyond, and at every class, what is given away."""
    shares = np.empty((2, len(w)), dtype)
    np.multiply(w, 1 - α, out=shares[0], casting="same_kind")
    np.multiply(w, α / len(w), out=shares[1], casting="same_kind")
    return shares


def _forwards(z, t, w, α):
    """(4, N): losses, l, m and W; of a sample with t < 0, zeros in the first and last."""
    rows = np.empty((4, len(z)))
    z.max(axis=1, out=rows[2])
    _over_rows(_surprises, np.ascontiguousarray(z), t, _shares(w, α, np.float64), α > 0, rows)
    return rows


def _backwards(z, t, w, α, sums, g):
    """(N, K), for l, m and W as `sums` (3, N), and g (N,)."""
    l, m, W = sums
    t = np.where(W > 0, t, -1)                           # a class of weight 0 does not count either
    d, factors = np.empty(z.shape, z.dtype), np.empty((3, len(z)), z.dtype)
    with np.errstate(invalid="ignore"):                  # scores of a sample that does not count may be anything
        factors[0], factors[1], factors[2] = m, W * g * np.exp(m - l), g
    _over_rows(_scores, np.ascontiguousarray(z), t, _shares(w, α, z.dtype), factors, d)
    return d


@kernel(reassociate=True)
def _surprises(c, start, stop, z, t, shares, smooth, rows):
    K = z.shape[1]
    for n in range(start, stop):
        row, total = z[n], 0.0
        m = rows[2, n] if np.isfinite(rows[2, n]) else 0.0
        if z.itemsize == 4:                              # twice the lanes; the sums of 128 terms are float64
            level = np.float32(m)
            for first in range(0, K, 128):
                part = np.float32(0.0)
                for k in range(first, min(first + 128, K)):
                    part += exp32(row[k] - level)
                total += float(part)
        else:
            for k in range(K):
                total += exp(row[k] - m)
        l = m + (math.log(total) if total != 0.0 else -np.inf)
        loss, weight = 0.0, 0.0
        if t[n] >= 0:
            weight = shares[0, t[n]]
            loss = weight * (l - float(row[t[n]])) if weight != 0.0 else 0.0
            for k in range(K if smooth else 0):
                if shares[1, k] != 0.0:                  # 0 times the infinite surprise at a class of weight 0 is 0
                    weight += shares[1, k]
                    loss += shares[1, k] * (l - float(row[k]))
        rows[0, n], rows[1, n], rows[2, n], rows[3, n] = loss, l, m, weight


@kernel(contract=True)
def _scores(c, start, stop, z, t, shares, factors, d):
    """exp(z - l) as exp(z - m) exp(m - l): z - m has no rounding of l in it."""
    for n in range(start, stop):
        row, out, given = z[n], d[n], shares[1]
        if t[n] < 0:
            out[:] = 0
            continue
        m, whole, g = factors[0, n], factors[1, n], factors[2, n]
        if z.itemsize == 4:
            for k in range(row.size):
                out[k] = whole * exp32(row[k] - m) - g * given[k]
        else:
            for k in range(row.size):
                out[k] = whole * exp(row[k] - m) - g * given[k]
        out[t[n]] -= g * shares[0, t[n]]


# --- the function --------------------------------------------------------------------------------


def _cross_entropy(z, *, t, w, α, reduction):
    rows = _as_rows(z)
    losses, *sums = _forwards(rows, t.reshape(-1), w, α)
    total = losses.sum()
    if total != total or not sums[0].max(initial=0) < np.inf:
        _check_scores(np.isnan(losses) | ~(sums[0] < np.inf), sums[2] > 0)
    scale = 1.0
    if reduction == "none":
        result = losses.reshape(t.shape)
    else:
        scale = 1 / w[t[t >= 0]].sum() if reduction == "mean" else 1.0
        result = total * scale
    return result.astype(z.dtype), (z, t, w, α, sums, scale)


def _check_scores(bad, counts):
    """Raise a ValueError that says whose scores cannot be a softmax's: NaN, inf, or all of them -inf."""
    bad = bad & counts
    if bad.any():
        raise ValueError(f"input: cross_entropy expected finite scores, or some -inf for classes that are impossible; "
                         f"those of sample {bad.argmax()} are NaN, inf, or all -inf")


def _cross_entropy_gradient(saved, g):
    z, t, w, α, sums, scale = saved
    g = np.broadcast_to(g * scale, t.shape).reshape(-1).astype(np.float64)
    d = _backwards(_as_rows(z), t.reshape(-1), w, α, sums, g)
    return d if z.ndim <= 2 and d.shape == z.shape else \
        np.moveaxis(d.reshape(*t.shape, -1), -1, min(1, z.ndim - 1)).reshape(z.shape)


def _as_rows(z):
    """Scores with the classes in dimension 1, or in the only one, as (N, K)."""
    return z if z.ndim == 2 else np.moveaxis(z, min(1, z.ndim - 1), -1).reshape(-1, z.shape[min(1, z.ndim - 1)])


def _cross_entropy_composed(operands, saved, g):
    """(4) with softmax(z) for exp(z - l)."""
    z, (_, t, w, α, _, scale), axis = operands[0], saved, min(1, saved[0].ndim - 1)
    shares = w * ((1 - α) * (t[..., None] == np.arange(len(w))) + α / len(w))
    shares = np.where((t >= 0)[..., None], shares, 0)
    counts = np.broadcast_to(np.expand_dims(shares.any(-1), axis), z.shape)    # other scores may be anything
    shares = np.moveaxis(shares, -1, axis).astype(z.dtype)
    p = z.masked_fill(~counts, 0.0).softmax(axis)
    g = (g * scale if not g.ndim else g.unsqueeze(axis)) * (shares.sum(axis, keepdims=True) * p - shares)
    return g


CROSS_ENTROPY = Fused(_cross_entropy, _cross_entropy_gradient, fresh=True, composed=_cross_entropy_composed)
REDUCTIONS = ("mean", "sum", "none")


def cross_entropy(input, target, weight=None, *, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """The loss (5), or the sum of (3), or (3) itself.

    Raises ValueError for shapes that do not fit, for targets that are no classes, saying which, or are not finite, for
    probabilities that require a gradient, for negative weights, and for a mean of no sample at all.

    Parameters
    ----------
    input : Tensor or array (N, K)
        Scores; or (K,), or (N, K, ...) with more samples behind.
    target : array (N,) of int or array (N, K)
        The right classes, of the same shape without K.  Or probabilities q of the shape of `input`, which then stand
        for [k = t_n] in (2); they are not checked to sum to one, and the mean is over N.
    weight : array (K,) or None, default=None
        w, how much each class counts; None for 1 each.
    ignore_index : int, default=-100
        A class whose samples do not count.
    reduction : {"mean", "sum", "none"}, default="mean"
        What to make of the losses.
    label_smoothing : float, default=0.0
        α, the share of the targets that is spread over all classes.
    """
    z = as_tensor(input)
    if not z.ndim or not z.shape[min(1, z.ndim - 1)]:
        raise ValueError(f"input: cross_entropy expected scores of shape (N, K), got {z.shape}")
    K = z.shape[min(1, z.ndim - 1)]
    one_of(reduction, "reduction", REDUCTIONS)
    α = real_number(label_smoothing, "label_smoothing")
    if α > 1:
        raise ValueError(f"label_smoothing={label_smoothing!r}: expected a number from 0 to 1")
    w = class_weights(weight, K)
    learned = getattr(target, "requires_grad", False)
    target = np.asarray(unmasked(ops.bare(target), "target"))
    if target.dtype.kind == "f" and target.shape == z.shape:
        if learned:
            raise ValueError("target: cross_entropy gives no gradient to probabilities, and this Tensor requires one; "
                             "use target.detach(), or kl_div, which does")
        return _of_probabilities(z, target, w, α, reduction)
    t = class_numbers(target, z.shape, ignore_index, w, reduction, "cross_entropy")
    return CROSS_ENTROPY(z, t=t, w=w, α=α, reduction=reduction)


def _of_probabilities(z, target, w, α, reduction):
    axis, K = min(1, z.ndim - 1), len(w)
    q = (1 - α) * finite(np.array(target, np.float64), "target") + α / K
    q *= w.reshape(-1, *[1] * (z.ndim - axis - 1))
    q = q.astype(z.dtype)
    nothing, highest = q == 0, z._data.max(axis, keepdims=True)
    counts = ~nothing.all(axis, keepdims=True)
    _check_scores(~np.isfinite(highest).reshape(-1), counts.reshape(-1))
    if not counts.all():
        z = z.masked_fill(~np.broadcast_to(counts, z.shape), 0.0)
    losses = -(z.log_softmax(axis).masked_fill(nothing, 0.0) * q).sum(axis)
    if reduction == "none":
        return losses
    return losses.sum() / (counted(losses.numel(), "cross_entropy") if reduction == "mean" else 1)


def class_weights(weight, K):
    """`weight` as float64 of shape (K,), ones for None.  Raises ValueError for others, and for negative ones."""
    if weight is None:
        return np.ones(K)
    w = as_vector(ops.bare(weight), name="weight", size=K).astype(np.float64)
    if (w < 0).any():
        raise ValueError(f"weight: expected no negative weight, got {w.min()} at {w.argmin()}")
    return w


def class_numbers(target, shape, ignore_index, w, reduction, name):
    """`target` as int64 of its own, -1 where it is `ignore_index`, for scores of `shape` (N, K, ...).

    Raises ValueError for another shape or dtype, a number that is no class, and a mean of nothing.
    """
    K, expected = len(w), shape[:1] + shape[2:] if len(shape) > 1 else ()
    if target.shape != expected:
        raise ValueError(f"target: {name} expected shape {expected} for scores of shape {shape}, got {target.shape}")
    if target.dtype.kind not in "iu" and target.size:
        raise ValueError(f"target: {name} expected class numbers, whole numbers from 0 to {K - 1}, got dtype "
                         f"{target.dtype}")
    t = np.array(target if target.dtype != np.uint64 else np.minimum(target, 2**63 - 1), np.int64, order="C")
    if t.size and not 0 <= ignore_index < K and t.min() >= 0 and t.max() < K:
        ignored = wrong = np.zeros(0, bool)              # as nearly always
    else:
        ignored = t == ignore_index
        wrong = ((t < 0) | (t >= K)) & ~ignored
    if wrong.any():
        at = np.unravel_index(wrong.argmax(), wrong.shape)
        place = f" at [{', '.join(map(str, at))}]" if t.ndim else ""
        raise ValueError(f"target: {name} expected class numbers from 0 to {K - 1}, or {ignore_index} to ignore, got "
                         f"{t[at]}{place}")
    if ignored.any():
        t[ignored] = -1
    if reduction == "mean":
        counted(w[t[t >= 0]].sum(), name)
    return t


def counted(total, name):
    """`total`, the sum of N weights.  Raises ValueError if it is 0."""
    if not total:
        raise ValueError(f"target: {name} cannot take the mean, since no sample counts: there is none, or all are "
                         "ignored or have weight 0; use reduction='sum'")
    return total
