"""Samples for training: arrays that belong together, parted, taken in batches, and cut behind the longest of a batch.

The arguments of a model come as one array or as a tuple of them, targets as one more; the first dimension of each
counts the samples.  Where samples are sequences, padded to the longest of all, their lengths come with them.
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Tensor
from scratchml.core.checks import finite, real_number, unmasked
from scratchml.nn.padding import checked_lengths


class Samples(NamedTuple):
    """The arguments of a model, its targets or None, and how many steps of each sample count, or None."""
    X: tuple
    y: np.ndarray | None
    lengths: np.ndarray | None

    def some(self, part):
        """The samples of the numbers `part`."""
        return Samples(tuple(x[part] for x in self.X), *(None if x is None else x[part] for x in self[1:]))

    def batch(self, part):
        """Arguments and targets of some samples, cut behind the longest of them."""
        X, y, lengths = self.some(part)
        if lengths is not None:
            most = lengths.max()
            X, y = tuple(_cut(x, most) for x in X), y if y is None else _cut(y, most)
        return X, y


def _cut(x, most):
    return x[:, :most] if x.ndim > 1 else x


def samples(X, y, lengths=None, within=""):
    """`X` as a tuple of arrays and `y` as an array, all of one length of at least 1, with their `lengths`."""
    name, target = (f"{within}[{i}]" if within else letter for i, letter in enumerate("Xy"))
    X = X if isinstance(X, tuple) else (X,)
    X = tuple(_array(x, f"{name}[{i}]" if len(X) > 1 else name) for i, x in enumerate(X))
    y = None if y is None else _array(y, target)
    if not X:
        raise ValueError(f"{name}: expected an array or a tuple of arrays, got an empty tuple")
    sizes = [len(array) for array in (*X, *(() if y is None else (y,)))]
    if len(set(sizes)) > 1:
        raise ValueError(f"{name}, {target}: expected arrays of one length, got {sizes}")
    if sizes[0] == 0:
        raise ValueError(f"{name}: expected at least one sample, got none")
    return Samples(X, y, None if lengths is None else _steps(X, y, lengths, f"{within}[2]" if within else "lengths"))


def _steps(X, y, lengths, name):
    """`lengths` (N,), of sequences whose arrays have T steps: whole numbers in 1 ... T."""
    shapes = [x.shape for x in (*X, y) if x is not None and x.ndim > 1]
    if len({shape[1] for shape in shapes}) > 1:
        raise ValueError("X, y: with lengths, expected arrays (N, T, ...) that all have the same number of steps T, "
                         f"got shapes {shapes}")
    return checked_lengths(lengths, shapes[0][1] if shapes else np.iinfo(np.int64).max, len(X[0]), "fit", name=name)


def _array(x, name):
    x = x.detach().data if isinstance(x, Tensor) else unmasked(x, name)
    try:
        x = np.asarray(x)
    except ValueError:
        raise ValueError(f"{name}: expected an array of numbers, got rows of different lengths") from None
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name}: expected numbers, got dtype {x.dtype}")
    if x.ndim == 0:
        raise ValueError(f"{name}: expected an array (N, ...), got a single number")
    return finite(x, name) if x.dtype.kind == "f" else x


def given_apart(given, data):
    """The samples of `validation_data`, which have what those for training have."""
    size = 2 if data.lengths is None else 3
    if not isinstance(given, tuple) or len(given) != size:
        raise ValueError(f"validation_data: expected a tuple ({', '.join(('X', 'y', 'lengths')[:size])})")
    apart = samples(*given, within="validation_data")
    if (apart.y is None) != (data.y is None):
        raise ValueError("validation_data: expected targets where y has them, and None where y is None")
    return apart


def split(share, data, N, rng):
    """The numbers of samples that are kept apart, and of those for training."""
    share = real_number(share, "validation_split")
    if share >= 1:
        raise ValueError(f"validation_split={share!r}: expected a number of at least 0 and below 1")
    if share and data is not None:
        raise ValueError("validation_split, validation_data: expected one of them, got both")
    n = round(share * N)
    if share and not 0 < n < N:
        raise ValueError(f"validation_split={share!r}: of {N} samples {n} would be kept apart and {N - n} left; "
                         "at least one of each is needed")
    order = rng.permutation(N) if share else np.arange(N)
    return order[:n], order[n:]
