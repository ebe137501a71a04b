"""Masks of attention: which keys a query may see, or what is added to its scores, and the gradient of the latter."""
import math

import numpy as np

from scratchml.autograd import Tensor
from scratchml.core.jit import readable


class Mask:
    """Which keys each query may see, as the kernels take it: rows of numbers to add, and which row each query uses.

    `rows` (R, S) holds each row of the mask as given once, however often it is broadcast; `which` (len(q), queries of
    one index of the first dimension) says which of them a query takes, and is None for no mask.  `causal` is L if
    query i may see keys 0 to i alone, else 0.  Raises ValueError for a mask that does not broadcast to (*lead, L, S),
    is neither of bool nor of numbers, or holds NaN or +inf.
    """

    def __init__(self, given, lead, L, S, dtype, is_causal=False, name="attn_mask"):
        self.causal = L if is_causal else 0
        self.learned = isinstance(given, Tensor) and given.requires_grad
        self.rows, self.which = np.empty((0, S), dtype), None
        if given is None:
            return
        M = given.detach().numpy() if isinstance(given, Tensor) else np.asarray(given)
        self.shape, target = M.shape, (*lead, L, S)
        M = as_additive(M, dtype, name)
        M = M.reshape((1,) * (len(target) - M.ndim) + M.shape) if M.ndim < len(target) else M
        if M.ndim > len(target) or any(m not in (1, n) for m, n in zip(M.shape, target)):
            raise ValueError(f"{name}: expected a shape that broadcasts to {target}, got {self.shape}")
        self.aligned = M.shape if lead else (1, *M.shape)    # the first dimension is that of the blocks
        M = np.broadcast_to(M, (*M.shape[:-1], S))
        self.rows = readable(np.ascontiguousarray(M.reshape(math.prod(M.shape[:-1]), S)))
        which = np.arange(len(self.rows), dtype=np.int32).reshape(M.shape[:-1])
        n = lead[0] if lead else 1
        which = np.ascontiguousarray(np.broadcast_to(which, target[:-1])).reshape(n, math.prod((*lead[1:], L)))
        self.which = readable(which)

    def add_sums(self, dZ, first, total):
        """Add to `total`, of the mask's shape with as many dimensions as dZ, what `dZ` (n, ..., L, S) brings."""
        over = tuple(d for d, size in enumerate(total.shape) if size == 1)
        part = dZ.sum(over, keepdims=True)
        if total.shape[0] == 1:
            total += part
        else:
            total[first:first + len(dZ)] += part


def as_additive(M, dtype, name):
    """A mask of bool (True: may see) or of numbers as numbers to add.  Raises ValueError."""
    if M.dtype == bool:
        return np.where(M, dtype.type(0), dtype.type(-np.inf))
    if M.dtype.kind != "f":
        raise ValueError(f"{name}: expected an array of bool or of floats, got dtype {M.dtype}")
    with np.errstate(over="ignore"):
        M = M.astype(dtype, copy=False)
    if not (M < np.inf).all():
        raise ValueError(f"{name}: contains NaN or +inf; expected finite numbers, or -inf for what is forbidden")
    return M
