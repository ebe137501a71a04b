"""Batches: every sample once, in order or shuffled; what is made of samples that are tuples, arrays, numbers."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor
from scratchml.autograd.batches import DataLoader, Dataset, Subset, TensorDataset, collated, random_split
from scratchml.autograd.plain import Plain
from scratchml.core.random import manual_seed


@given(st.integers(1, 30), st.integers(1, 12), st.booleans(), st.booleans())
def test_every_sample_once(n, size, shuffle, drop_last):
    loader = DataLoader(TensorDataset(Tensor(np.arange(n) * 2.0), np.arange(n)), size, shuffle, drop_last=drop_last)
    batches = list(loader)
    assert len(loader) == len(batches) == (n // size if drop_last else -(-n // size))
    seen = [i for _, y in batches for i in y.tolist()]
    assert len(seen) == len(set(seen)) == (n // size * size if drop_last else n)
    assert all(len(y) == size for _, y in batches[:-1]) and (shuffle or seen == sorted(seen))
    assert all((x.data == 2 * np.asarray(y)).all() and type(x) is Tensor and type(y) is Plain for x, y in batches)


def test_an_order_of_its_own_each_time_and_the_same_for_a_seed():
    loader = DataLoader(TensorDataset(np.arange(100)), 100, shuffle=True)
    manual_seed(1)
    orders = [next(iter(loader))[0].tolist() for _ in range(2)]
    manual_seed(1)
    assert orders[0] == next(iter(loader))[0].tolist() != orders[1]
    seeded = [DataLoader(range(100), 100, True, generator=np.random.default_rng(0)) for _ in range(2)]
    assert list(map(list, seeded[0])) == list(map(list, seeded[1]))


class Squares(Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, i):
        return {"x": np.float32([i, i * i]), "y": i, "z": (float(i), Tensor([i * 1.0])), "name": str(i)}


def test_samples_of_another_kind():
    batch = list(DataLoader(Squares(), batch_size=2))[1]
    assert batch["x"].tolist() == [[2, 4], [3, 9]] and batch["x"].dtype == np.float32 and type(batch["y"]) is Plain
    assert batch["z"][0].dtype == np.float32 and batch["z"][1].shape == (2, 1) and batch["name"] == ["2", "3"]
    assert [len(b["y"]) for b in DataLoader(Squares(), 2)] == [2, 2, 1]
    longest = DataLoader([[1], [2, 3]], 2, collate_fn=lambda samples: max(map(len, samples)))
    assert list(longest) == [2] and collated([(1, 2), (3, 4)])[0].tolist() == [1, 3]


def test_parts():
    a, b = random_split(range(10), [7, 3], generator=np.random.default_rng(0))
    assert len(a) == 7 and sorted([*map(a.__getitem__, range(7)), *map(b.__getitem__, range(3))]) == list(range(10))
    assert [len(part) for part in random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    assert Subset("abc", [2, 0])[0] == "c" and TensorDataset(np.arange(3))[1] == (1,)


@pytest.mark.parametrize("make, message", [
    (lambda: TensorDataset(np.ones(3), np.ones(2)), r"one number of samples in front, got shapes \[\(3,\), \(2,\)\]"),
    (lambda: TensorDataset(), "one number of samples"), (lambda: TensorDataset(np.array(1.0)), "one number of samples"),
    (lambda: DataLoader(range(3), 0), "batch_size=0"),
    (lambda: random_split(range(3), [2, 2]), r"add up to 3, got \[2, 2\]"),
])
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
