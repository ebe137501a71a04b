"""Samplers: in which order the samples of a data set come, by their numbers.

A sampler is anything that can be iterated over and gives numbers of samples, or lists of them where it makes the
batches itself.  `DataLoader` takes either.

>>> list(BatchSampler(SequentialSampler("abcde"), 2, drop_last=False))
[[0, 1], [2, 3], [4]]
"""
import numpy as np

from scratchml.autograd.ops import bare
from scratchml.core.checks import true_or_false, unmasked, whole_number
from scratchml.core.random import generator as as_generator


class Sampler:
    """An order of samples: a subclass has `__iter__`, and `__len__` where it is known."""

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__} has no __iter__")


class SequentialSampler(Sampler):
    """One after the other.

    Parameters
    ----------
    data_source : Dataset, or anything with `__len__`
        The samples.
    """

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler):
    """At random, another order each time.

    Raises ValueError for a `num_samples` below 1, and for more than there are without `replacement`.

    Parameters
    ----------
    data_source : Dataset, or anything with `__len__`
        The samples.
    replacement : bool, default=False
        Whether one may come again.
    num_samples : int or None, default=None
        How many come; None for as many as there are.
    generator : int, numpy.random.Generator or None, default=None
        Source of the random order; None for that of `manual_seed`.
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source, self.replacement = data_source, true_or_false(replacement, "replacement")
        self.num_samples = None if num_samples is None else whole_number(num_samples, "num_samples")
        self.generator = generator
        there = len(data_source)
        if num_samples is not None and (not replacement and num_samples > there or there == 0):
            raise ValueError(f"num_samples={num_samples}: expected at most the {there} that there are, or, if there "
                             "are any, replacement=True")

    def __iter__(self):
        rng, n = as_generator(self.generator), len(self.data_source)
        order = rng.integers(n, size=len(self)) if self.replacement else rng.permutation(n)[:len(self)]
        return iter(order.tolist())

    def __len__(self):
        return len(self.data_source) if self.num_samples is None else self.num_samples


class SubsetRandomSampler(Sampler):
    """Some of the samples, in random order, another one each time.

    Parameters
    ----------
    indices : iterable of int
        Their numbers.
    generator : int, numpy.random.Generator or None, default=None
        Source of the random order; None for that of `manual_seed`.
    """

    def __init__(self, indices, generator=None):
        self.indices, self.generator = list(indices), generator

    def __iter__(self):
        return iter([self.indices[i] for i in as_generator(self.generator).permutation(len(self.indices)).tolist()])

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Drawn with chances in proportion to weights.

    Raises ValueError for weights that are negative, not finite or all 0, and for fewer than there are draws without
    `replacement`.

    Parameters
    ----------
    weights : Tensor, array or list (N,)
        One for each sample.
    num_samples : int
        How many are drawn.
    replacement : bool, default=True
        Whether one may come again.
    generator : int, numpy.random.Generator or None, default=None
        Source of the draws; None for that of `manual_seed`.
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        self.weights = np.array(bare(unmasked(weights, "weights")), np.float64)
        self.num_samples = whole_number(num_samples, "num_samples")
        self.replacement, self.generator = true_or_false(replacement, "replacement"), generator
        w = self.weights
        wrong = w[~(np.isfinite(w) & (w >= 0))]
        if w.ndim != 1 or wrong.size:
            raise ValueError(f"weights: expected finite numbers >= 0 of shape (N,), got shape {w.shape}"
                             f"{f' and {wrong[0]}' if wrong.size else ''}")
        if (w > 0).sum() < (1 if replacement else num_samples):
            raise ValueError(f"weights: expected at least {1 if replacement else num_samples} above 0, got "
                             f"{(w > 0).sum()}")

    def __iter__(self):
        share = self.weights / self.weights.max()                               # the sum of large ones may overflow
        drawn = as_generator(self.generator).choice(len(share), self.num_samples, self.replacement, share / share.sum())
        return iter(drawn.tolist())

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler):
    """What another sampler gives, in lists.  Raises ValueError for a `batch_size` below 1.

    Parameters
    ----------
    sampler : Sampler, or anything to iterate over
        The order.
    batch_size : int
        How many go into a list.
    drop_last : bool
        Whether a last list of fewer is left out.
    """

    def __init__(self, sampler, batch_size, drop_last):
        self.sampler, self.batch_size = sampler, whole_number(batch_size, "batch_size")
        self.drop_last = true_or_false(drop_last, "drop_last")

    def __iter__(self):
        batch = []
        for i in self.sampler:
            batch.append(i)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self):
        n = len(self.sampler)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
