"""Samples in batches: what PyTorch has in torch.utils.data.

A data set is anything with `__len__` and `__getitem__`; `TensorDataset` is one of Tensors and arrays that have their
samples in the first dimension.  `DataLoader` goes through it in batches, in order or in random order, a new one each
time.  It starts no other processes: what is in memory is handed out faster than it could be sent.

>>> data = TensorDataset(np.arange(10.0).reshape(5, 2), np.arange(5))
>>> for x, y in DataLoader(data, batch_size=3):
...     print(x.shape, y)
(3, 2) [0 1 2]
(2, 2) [3 4]
"""
import numbers

import numpy as np

from scratchml.autograd import ops
from scratchml.autograd.creation import from_numpy, tensor
from scratchml.autograd.plain import Plain
from scratchml.autograd.tensor import Tensor
from scratchml.core.checks import unmasked, whole_number
from scratchml.core.random import generator as as_generator


class Dataset:
    """Samples by their number: a subclass has `__getitem__` and `__len__`."""

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__")


class TensorDataset(Dataset):
    """Samples that lie in Tensors and arrays: sample i is the tuple of rows i.

    Raises ValueError if their numbers of samples differ.

    Parameters
    ----------
    *tensors : Tensors and arrays (N, ...)
        The samples, one part of each in every one of them.
    """

    def __init__(self, *tensors):
        self.tensors = tuple(t if isinstance(t, Tensor) else from_numpy(np.asarray(unmasked(t, "tensors")))
                             for t in tensors)
        if not tensors or not all(t.ndim for t in self.tensors) or len({len(t) for t in self.tensors}) > 1:
            raise ValueError(f"tensors: expected arrays with one number of samples in front, got shapes "
                             f"{[t.shape for t in self.tensors]}")

    def __getitem__(self, index):
        return tuple(t[index] for t in self.tensors)

    def __len__(self):
        return len(self.tensors[0])


class DataLoader:
    """Batches of a data set, of `batch_size` samples, the last perhaps of fewer.

    Raises ValueError for a `batch_size` below 1.

    Parameters
    ----------
    dataset : Dataset, or anything with `__len__` and `__getitem__`
        The samples.
    batch_size : int, default=1
        How many go into a batch.
    shuffle : bool, default=False
        Whether their order is random, another one each time.
    num_workers : int, default=0
        For PyTorch's callers: all is done in this process.
    collate_fn : callable or None, default=None
        Makes a batch of a list of samples; with None numbers, arrays and Tensors are stacked, also those in tuples and
        dictionaries.
    pin_memory : bool, default=False
        For PyTorch's callers: there is one memory.
    drop_last : bool, default=False
        Whether a last batch of fewer samples is left out.
    generator : int, numpy.random.Generator or None, default=None
        Source of the random order; None for that of `manual_seed`.
    """

    def __init__(self, dataset, batch_size=1, shuffle=False, *, num_workers=0, collate_fn=None, pin_memory=False,
                 drop_last=False, generator=None):
        self.dataset, self.batch_size = dataset, whole_number(batch_size, "batch_size")
        self.shuffle, self.collate_fn, self.drop_last = shuffle, collate_fn, drop_last
        self.generator = generator

    def __len__(self):
        n = len(self.dataset)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self):
        n = len(self.dataset)
        order = as_generator(self.generator).permutation(n) if self.shuffle else np.arange(n)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield self._batch(order[start:start + self.batch_size])

    def _batch(self, at):
        if type(self.dataset) is TensorDataset and self.collate_fn is None:    # all rows at once
            return list(self.dataset[at])
        return (self.collate_fn or collated)([self.dataset[int(i)] for i in at])


def collated(samples):
    """One batch of a list of samples: of tuples a list of batches, of dictionaries a dictionary of them."""
    first = samples[0]
    if isinstance(first, (tuple, list)):
        return [collated(list(parts)) for parts in zip(*samples, strict=True)]
    if isinstance(first, dict):
        return {key: collated([sample[key] for sample in samples]) for key in first}
    if isinstance(first, Tensor):
        return ops.stack(samples)
    if isinstance(first, np.ndarray):
        return from_numpy(np.stack(samples))
    if isinstance(first, numbers.Real):
        return Plain(samples) if isinstance(first, numbers.Integral) else tensor(samples)
    return samples


def random_split(dataset, lengths, generator=None):
    """A data set in parts drawn at random, each a Dataset.

    Raises ValueError if the lengths do not add up to that of `dataset`.

    Parameters
    ----------
    dataset : Dataset, or anything with `__len__` and `__getitem__`
        The samples.
    lengths : list (P,) of int or float
        How many samples each part has, or its share of them.
    generator : int, numpy.random.Generator or None, default=None
        Source of the random choice; None for that of `manual_seed`.
    """
    n, lengths = len(dataset), list(lengths)
    if abs(sum(lengths) - 1) < 1e-9 and n != 1:
        lengths = [int(n * share) for share in lengths]
        for i in range(n - sum(lengths)):
            lengths[i % len(lengths)] += 1
    if sum(lengths) != n:
        raise ValueError(f"lengths: expected numbers that add up to {n}, got {lengths}")
    pieces = np.split(as_generator(generator).permutation(n), np.cumsum(lengths)[:-1])
    return [Subset(dataset, piece.tolist()) for piece in pieces]


class Subset(Dataset):
    """Some samples of a data set.

    Parameters
    ----------
    dataset : Dataset, or anything with `__len__` and `__getitem__`
        All samples.
    indices : sequence of int
        The numbers of those that are taken.
    """

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, list(indices)

    def __getitem__(self, index):
        return self.dataset[self.indices[index]]

    def __len__(self):
        return len(self.indices)
