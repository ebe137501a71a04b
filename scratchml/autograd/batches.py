"""Samples in batches: what PyTorch has in torch.utils.data.

A data set is anything with `__len__` and `__getitem__`; `TensorDataset` is one of Tensors and arrays that have their
samples in the first dimension.  `DataLoader` goes through it in batches, in order or in random order, a new one each
time, or in that of a sampler.  It starts no other processes: what is in memory is
handed out faster than it could be sent.

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
from scratchml.autograd.samplers import BatchSampler, RandomSampler, SequentialSampler
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


class IterableDataset(Dataset):
    """Samples that come one after the other and have no numbers: a subclass has `__iter__`."""

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__} has no __iter__")


class ConcatDataset(Dataset):
    """Several data sets, one behind the other.  Raises ValueError for none.

    Parameters
    ----------
    datasets : iterable of Datasets, or of what has `__len__` and `__getitem__`
        The data sets.
    """

    def __init__(self, datasets):
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("datasets: expected at least one, got none")

    def __getitem__(self, index):
        ends = np.cumsum([len(part) for part in self.datasets])
        index = range(ends[-1])[index]
        which = int(np.searchsorted(ends, index, side="right"))
        return self.datasets[which][index - int(ends[which]) + len(self.datasets[which])]

    def __len__(self):
        return sum(len(part) for part in self.datasets)


class DataLoader:
    """Batches of a data set, of `batch_size` samples, the last perhaps of fewer.

    Raises ValueError for a `batch_size` below 1, and for more than one of `shuffle`, `sampler` and `batch_sampler`.

    Parameters
    ----------
    dataset : Dataset, or anything with `__len__` and `__getitem__`
        The samples; an IterableDataset, or what has `__iter__` alone, comes in its own order.
    batch_size : int or None, default=1
        How many go into a batch; None for single samples, which are no batches of one.
    shuffle : bool or None, default=None
        Whether their order is random, another one each time.
    sampler : Sampler, another iterable or None, default=None
        The order, by numbers of samples.
    batch_sampler : Sampler, another iterable or None, default=None
        The batches, by lists of numbers; `batch_size` and `drop_last` are not given then.
    num_workers : int, default=0
        For PyTorch's callers, as all that speaks of workers: all is done in this process.
    collate_fn : callable or None, default=None
        Makes a batch of a list of samples; with None numbers, arrays and Tensors are stacked, also those in tuples and
        dictionaries.
    pin_memory : bool, default=False
        For PyTorch's callers: there is one memory.
    drop_last : bool, default=False
        Whether a last batch of fewer samples is left out.
    timeout : float, default=0
        As `num_workers`.
    worker_init_fn : callable or None, default=None
        As `num_workers`.
    generator : int, numpy.random.Generator or None, default=None
        Source of the random order; None for that of `manual_seed`.
    prefetch_factor : int or None, default=None
        As `num_workers`.
    persistent_workers : bool, default=False
        As `num_workers`.
    """

    def __init__(self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0,
                 collate_fn=None, pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None, *, generator=None,
                 prefetch_factor=None, persistent_workers=False):
        self.dataset, self.drop_last, self.generator = dataset, drop_last, generator
        self.collate_fn, self.num_workers, self.pin_memory = collate_fn, num_workers, pin_memory
        self.numbered = not isinstance(dataset, IterableDataset) and hasattr(dataset, "__getitem__")
        self._check(batch_size, shuffle, sampler, batch_sampler)
        self.sampler, self.batch_sampler, self.batch_size = sampler, batch_sampler, batch_size
        if self.numbered and sampler is None and batch_sampler is None:
            self.sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is not None:
            self.batch_size = None
        elif batch_size is not None:
            whole_number(batch_size, "batch_size")
            self.batch_sampler = BatchSampler(self.sampler if self.numbered else dataset, batch_size, bool(drop_last))

    def _check(self, batch_size, shuffle, sampler, batch_sampler):
        given = [name for name, value in (("shuffle", shuffle or None), ("sampler", sampler),
                                          ("batch_sampler", batch_sampler)) if value is not None]
        if len(given) > 1 or given and not self.numbered:
            raise ValueError(f"{' and '.join(given)}: expected one of them alone" if self.numbered else
                             f"{given[0]}: samples that come one after the other have no other order; leave it out")
        if batch_sampler is not None and (batch_size != 1 or self.drop_last):
            raise ValueError("batch_sampler: makes the batches itself; leave out batch_size and drop_last")

    def __len__(self):
        return len((self.sampler if self.numbered else self.dataset) if self.batch_sampler is None else
                   self.batch_sampler)

    def __iter__(self):
        if self.batch_sampler is None:
            one = self.collate_fn or _converted
            return (one(self._sample(i)) for i in (self.sampler if self.numbered else self.dataset))
        return map(self._batch, self.batch_sampler)

    def _sample(self, at):
        if not self.numbered:                            # it is the sample itself
            return at
        return self.dataset[int(at) if np.ndim(at) == 0 else at]

    def _batch(self, at):
        if type(self.dataset) is TensorDataset and self.collate_fn is None:    # all rows at once
            return list(self.dataset[np.asarray(at, np.int64)])
        return (self.collate_fn or collated)([self._sample(i) for i in at])


def _converted(sample):
    """A sample with arrays as Tensors, also those in tuples, lists and dictionaries."""
    if isinstance(sample, (tuple, list)):
        return [_converted(part) for part in sample]
    if isinstance(sample, dict):
        return {key: _converted(part) for key, part in sample.items()}
    return from_numpy(sample) if type(sample) is np.ndarray else sample


def collated(batch):
    """One batch of a list `batch` of samples: of tuples a list of batches, of dictionaries a dictionary of them."""
    first = batch[0]
    if isinstance(first, (tuple, list)):
        return [collated(list(parts)) for parts in zip(*batch, strict=True)]
    if isinstance(first, dict):
        return {key: collated([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Tensor):
        return ops.stack(batch)
    if isinstance(first, np.ndarray):
        return from_numpy(np.stack(batch))
    if isinstance(first, numbers.Real):
        return Plain(batch) if isinstance(first, numbers.Integral) else tensor(batch)
    return batch


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
