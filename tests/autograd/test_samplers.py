"""Samplers: every number once, or as often as its weight says; lists of them; and what a loader makes of each."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor
from scratchml.autograd.batches import ConcatDataset, DataLoader, IterableDataset, TensorDataset
from scratchml.autograd.plain import Plain
from scratchml.autograd.samplers import (
    BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler,
)
from scratchml.core.random import manual_seed


@given(st.integers(1, 30), st.integers(0, 5))
def test_orders(n, seed):
    assert list(SequentialSampler(range(n))) == list(range(n))
    order = list(RandomSampler(range(n), generator=seed))
    assert sorted(order) == list(range(n)) and order == list(RandomSampler(range(n), generator=seed))
    some = list(SubsetRandomSampler([10 * i for i in range(n)], generator=seed))
    assert sorted(some) == [10 * i for i in range(n)] == sorted(10 * i for i in order)
    few = RandomSampler(range(n), num_samples=(n + 1) // 2, generator=seed)
    assert len(list(few)) == len(set(few)) == len(few) == (n + 1) // 2
    again = RandomSampler(range(n), replacement=True, num_samples=3 * n + 1, generator=seed)
    assert len(list(again)) == len(again) == 3 * n + 1 and set(again) <= set(range(n))


def test_draws_are_in_proportion_to_weights():
    for weights in ([1.0, 0.0, 3.0], Tensor([1.0, 0.0, 3.0]), np.float64([1e300, 0, 3e300]), Plain([1, 0, 3])):
        drawn = np.bincount(list(WeightedRandomSampler(weights, 4000, generator=1)), minlength=3)
        assert drawn[1] == 0 and abs(drawn[2] - 3000) < 120                     # four deviations of 27
    assert sorted(WeightedRandomSampler([1, 5, 0, 2], 3, replacement=False, generator=0)) == [0, 1, 3]


@given(st.integers(0, 20), st.integers(1, 7), st.booleans())
def test_lists_of_numbers(n, size, drop_last):
    sampler = BatchSampler(SequentialSampler(range(n)), size, drop_last)
    lists = list(sampler)
    assert len(lists) == len(sampler) and all(len(batch) == size for batch in lists[:-1])
    assert sum(lists, []) == list(range(n // size * size if drop_last else n))


def test_loaders_follow_samplers():
    data = TensorDataset(Tensor(np.arange(6) * 2.0), np.arange(6))
    backwards = DataLoader(data, batch_size=4, sampler=range(5, -1, -1))
    assert [y.tolist() for _, y in backwards] == [[5, 4, 3, 2], [1, 0]] and len(backwards) == 2
    given_lists = DataLoader(data, batch_sampler=[[0, 5], [2]])
    assert [x.tolist() for x, _ in given_lists] == [[0, 10], [4]] and len(given_lists) == 2
    assert [y.tolist() for _, y in DataLoader(data, sampler=BatchSampler(range(3), 2, False), batch_size=None)] == \
        [[0, 1], [2]]
    singles = DataLoader(data, batch_size=None, drop_last=False)
    assert [(x.item(), int(y)) for x, y in singles] == [(2.0 * i, i) for i in range(6)] and len(singles) == 6
    few = DataLoader(["a", "b", "c"], 2, sampler=SubsetRandomSampler([2, 0]), collate_fn="".join)
    assert sorted(*few) == ["a", "c"]
    manual_seed(3)
    shuffled = [x.tolist() for x, in DataLoader(TensorDataset(np.arange(9)), 4, shuffle=True)]
    manual_seed(3)
    assert shuffled == [x.tolist() for x, in DataLoader(TensorDataset(np.arange(9)), 4,
                                                        sampler=RandomSampler(range(9)))]


class Stream(IterableDataset):
    def __iter__(self):
        return iter([(i, 0.5 * i) for i in range(5)])


def test_samples_without_numbers():
    batches = list(DataLoader(Stream(), batch_size=2))
    assert [y.tolist() for _, y in batches] == [[0, 0.5], [1, 1.5], [2]] and type(batches[0][0]) is Plain
    assert len(list(DataLoader(Stream(), 2, drop_last=True))) == 2 and list(DataLoader(Stream(), None))[3] == [3, 1.5]
    with pytest.raises(TypeError):
        len(DataLoader(Stream()))


def test_one_data_set_behind_the_other():
    both = ConcatDataset([TensorDataset(np.arange(3)), TensorDataset(np.arange(0)), TensorDataset(np.arange(10, 12))])
    assert [int(both[i][0]) for i in range(len(both))] == [0, 1, 2, 10, 11] and int(both[-1][0]) == 11
    assert [x.tolist() for x, in DataLoader(both, 2)] == [[0, 1], [2, 10], [11]]
    with pytest.raises(IndexError):
        both[5]


@pytest.mark.parametrize("make, message", [
    (lambda: WeightedRandomSampler([1.0, -1.0], 2), "finite numbers >= 0"),
    (lambda: WeightedRandomSampler([0.0, 0.0], 2), "at least 1 above 0"),
    (lambda: WeightedRandomSampler([[1.0]], 2), r"got shape \(1, 1\)"),
    (lambda: WeightedRandomSampler([np.nan], 2), "finite"),
    (lambda: WeightedRandomSampler([1.0, 0.0], 2, replacement=False), "at least 2 above 0, got 1"),
    (lambda: RandomSampler(range(3), num_samples=4), "at most the 3 that there are"),
    (lambda: RandomSampler(range(3), num_samples=0), "num_samples=0"),
    (lambda: RandomSampler([], replacement=True, num_samples=2), "at most the 0 that there are"),
    (lambda: WeightedRandomSampler([1.0, -2.0], 1), "and -2.0"),
    (lambda: BatchSampler(range(3), 0, False), "batch_size=0"), (lambda: ConcatDataset([]), "at least one, got none"),
    (lambda: DataLoader(range(3), shuffle=True, sampler=range(3)), "shuffle and sampler: expected one of them alone"),
    (lambda: DataLoader(range(3), 2, batch_sampler=[[0]]), "makes the batches itself"),
    (lambda: DataLoader(range(3), drop_last=True, batch_sampler=[[0]]), "makes the batches itself"),
    (lambda: DataLoader(Stream(), shuffle=True), "no other order"),
])
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_subclass_says_its_order():
    with pytest.raises(NotImplementedError, match="Sampler has no __iter__"):
        iter(Sampler())
    with pytest.raises(NotImplementedError, match="IterableDataset has no __iter__"):
        iter(IterableDataset())


def test_numbers_of_samples_that_can_be_read_once():
    sampler = SubsetRandomSampler(3 * i for i in range(4))
    assert len(sampler) == 4 and sorted(sampler) == sorted(sampler) == [0, 3, 6, 9]
