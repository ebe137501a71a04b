"""A change anywhere, of any kind, changes the fingerprint; the definition in whole numbers of Python."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.fingerprint import fingerprint


def definition(content):
    """F of bytes, and the bytes behind the last word."""
    total = 0
    for i in range(len(content) // 8):
        count = (i + 1) * 0x9E3779B97F4A7C15 % 2**64
        mixed = int.from_bytes(content[8 * i:8 * i + 8], "little") ^ count ^ count // 2**29
        total += (mixed % 2**32) * (mixed >> 32)
    return (total % 2**64).to_bytes(8, "little") + content[len(content) // 8 * 8:]


@given(st.binary(max_size=200))
def test_it_is_its_definition(content):
    assert fingerprint(np.frombuffer(content, np.uint8)) == definition(content)


@pytest.mark.parametrize("words", [1, 7, 8, 9, 23, 24])
@pytest.mark.parametrize("behind", [0, 5])
def test_it_is_its_definition_in_chunks_too(words, behind, monkeypatch):
    content = np.random.default_rng(words).bytes(8 * words + behind)
    monkeypatch.setattr("scratchml.core.fingerprint.CHUNK", 8)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")     # as plain Python other threads would warn of 2^64
    assert fingerprint(np.frombuffer(content, np.uint8)) == definition(content)


def sample(dtype, size=501):
    return np.random.default_rng(0).normal(size=(size, 3)).astype(dtype)


CHANGES = {
    "all signs": lambda a: np.negative(a, out=a), "halved": lambda a: np.multiply(a, 0.5, out=a),
    "sorted": lambda a: a.sort(axis=-1), "reversed": lambda a: np.copyto(a, a[::-1].copy()),
    "two places": lambda a: np.copyto(a[:2], a[1::-1].copy()),
    "one sign": lambda a: a.__setitem__((-1, -1), -a[-1, -1]),
    "one to zero": lambda a: a.__setitem__((5, 1), 0), "all to zero": lambda a: a.fill(0),
    "the last bit": lambda a: a.__setitem__((7, 2), np.nextafter(a[7, 2], a.dtype.type(9))),
    "shifted": lambda a: np.copyto(a, np.roll(a, 8, axis=0)), "a constant more": lambda a: np.add(a, 1, out=a),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("order", "CF")
def test_it_sees_a_change(change, dtype, order):
    a = np.array(sample(dtype), order=order)
    before = fingerprint(a)
    assert fingerprint(a) == before
    change(a)
    assert fingerprint(a) != before


def test_it_sees_every_bit():
    a = np.zeros(257, np.uint64)
    seen = {fingerprint(a)}
    for i in (0, 1, 100, 256):
        for bit in range(64):
            a[i] = np.uint64(1 << bit)
            seen.add(fingerprint(a))
        a[i] = 0
    assert len(seen) == 1 + 4 * 64


def test_an_array_with_gaps_and_one_that_may_not_be_written_to():
    a = sample("f4")
    wide = np.repeat(a, 2, axis=1)[:, ::2]
    wide.flags.writeable = False
    assert fingerprint(wide) == fingerprint(a)
    assert fingerprint(a[:0]) == bytes(8)
