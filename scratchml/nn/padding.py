"""Padding: sequences of different lengths in one array, and back again.

A batch is one array, sequences are of any length; so the shorter ones are filled up.  How long each really is has to
travel along, or the filling would be read as data.  In this book that is the argument `lengths` of a recurrent layer.
PyTorch has an object for it, which a script makes, hands to the layer, and takes apart again; here the object is the
padded array with its lengths, and the layer reads both.

>>> from scratchml.nn import GRU
>>> x = pad_sequence([np.ones((2, 3)), np.ones((4, 3))], batch_first=True)
>>> packed = pack_padded_sequence(x, [2, 4], batch_first=True)
>>> y, h = GRU(3, 5, batch_first=True, random_state=0)(packed)
>>> y, lengths = pad_packed_sequence(y, batch_first=True)
>>> y.shape, lengths.tolist(), bool(y.data[0, 2:].any())
((2, 4, 5), [2, 4], False)
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Tensor, ops
from scratchml.core.checks import one_of, real_number, unmasked, whole_number


class PackedSequence(NamedTuple):
    """Padded sequences (B, T, D), or (T, B, D) unless `batch_first`, and how long each is, (B,)."""
    padded: Tensor | np.ndarray
    lengths: np.ndarray
    batch_first: bool

    def laid_out(self, batch_first):
        """`padded` with B in front, or T."""
        if batch_first == self.batch_first:
            return self.padded
        return self.padded.transpose(0, 1) if isinstance(self.padded, Tensor) else self.padded.swapaxes(0, 1)


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Sequences (T_b, D), or (T_b,), or longer shapes, in one array: (T, B, D), or with `batch_first` (B, T, D).

    Tensors give a Tensor, through which they get their gradients; arrays an array of their class, whole numbers too.
    Raises ValueError for no sequence at all, and for shapes that differ behind the first dimension.
    """
    one_of(padding_side, "padding_side", ("right", "left"))
    sequences = list(sequences)
    learned = any(isinstance(s, Tensor) for s in sequences)
    sequences = [s if isinstance(s, Tensor) else np.asanyarray(s) for s in sequences]
    if not sequences or any(not s.ndim or s.shape[1:] != sequences[0].shape[1:] for s in sequences):
        raise ValueError("sequences: pad_sequence expected at least one, all of a shape (T, ...) that differs in T "
                         f"alone, got {[s.shape for s in sequences]}")
    T, padded = max(s.shape[0] for s in sequences), []
    for s in sequences:
        n = T - s.shape[0]
        before, after = (n, 0) if padding_side == "left" else (0, n)
        if learned:
            padded.append(ops.pad(s, (0, 0) * (s.ndim - 1) + (before, after), value=padding_value))
        else:
            padded.append(np.pad(s, [(before, after)] + [(0, 0)] * (s.ndim - 1), constant_values=padding_value))
    dim = 0 if batch_first else 1
    return ops.stack(padded, dim) if learned else np.stack(padded, dim).view(type(sequences[0]))


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """`input` (T, B, ...), or with `batch_first` (B, T, ...), and its `lengths` (B,), for a recurrent layer.

    The sequences may come in any order: `enforce_sorted` is there for the scripts that name it.  Raises ValueError for
    lengths that are not B whole numbers from 1 to T.
    """
    x = input if isinstance(input, Tensor) else np.asarray(input)
    if x.ndim < 2:
        raise ValueError(f"input: pack_padded_sequence expected shape (T, B, ...) or (B, T, ...), got {x.shape}")
    B, T = x.shape[:2] if batch_first else x.shape[1::-1]
    return PackedSequence(x, checked_lengths(lengths, T, B, "pack_padded_sequence"), bool(batch_first))


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """(y, lengths): the Tensor (T, B, ...), or with `batch_first` (B, T, ...), and the lengths (B,) of what was packed.

    T is the greatest length, or `total_length`; what is padding holds `padding_value`.  Raises ValueError for what
    `pack_padded_sequence` or a recurrent layer has not made, and for a total_length below the greatest length.
    """
    if not isinstance(sequence, PackedSequence):
        raise ValueError("sequence: pad_packed_sequence expected what pack_padded_sequence has made, got "
                         f"{type(sequence).__name__}")
    x, n = ops.as_tensor(sequence.laid_out(True)), sequence.lengths
    longest = int(n.max())
    T = longest if total_length is None else whole_number(total_length, "total_length", least=longest)
    x = x[:, :T] if T < x.shape[1] else x
    if T > x.shape[1]:
        x = ops.pad(x, (0, 0) * (x.ndim - 2) + (0, T - x.shape[1]))
    padding = np.arange(T) >= n[:, None]
    if padding.any():
        mask = np.broadcast_to(padding.reshape(*padding.shape, *[1] * (x.ndim - 2)), x.shape)
        x = x.masked_fill(mask, real_number(padding_value, "padding_value", least=-np.inf))
    return x if batch_first else x.transpose(0, 1), n.copy()


def checked_lengths(lengths, T, B, layer, *, name="lengths"):
    """`lengths` as int64 (B,).  Raises ValueError unless they are B whole numbers from 1 to T, naming `layer`."""
    found = np.asarray(unmasked(lengths, name))
    if found.shape != (B,) or found.dtype.kind not in "iu":
        raise ValueError(f"{name}: {layer} expected {B} whole numbers, one for each sequence, got {lengths!r}")
    wrong = (found < 1) | (found > T)
    if wrong.any():
        b = int(wrong.argmax())
        raise ValueError(f"{name}: sequence {b} has length {found[b]}; {layer} expected 1 ... {T}, as input has")
    return found.astype(np.int64)                        # packing subtracts, which unsigned numbers do not survive
