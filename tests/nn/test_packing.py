"""Packed rows: which are there, in what order, and that they find their way back."""
import numpy as np
from hypothesis import given, strategies as st

from scratchml.nn.packing import pack


@st.composite
def batches(draw):
    T, B = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    lengths = draw(st.none() | st.lists(st.integers(1, T), min_size=B, max_size=B))
    return T, B, lengths, draw(st.booleans()), draw(st.booleans())


def numbered(T, B, batch_first):
    """A padded array whose rows say their sequence and their step."""
    t, b = np.meshgrid(np.arange(T), np.arange(B), indexing="ij")
    x = np.stack([b, t], axis=-1).astype(float)
    return x.swapaxes(0, 1).copy() if batch_first else x


@given(batches())
def test_rows_come_step_by_step_and_the_longest_sequence_first(drawn):
    T, B, lengths, batch_first, reverse = drawn
    packing = pack(lengths, T=T, B=B, batch_first=batch_first, reverse=reverse)
    lengths = lengths or [T] * B
    order = sorted(range(B), key=lambda b: -lengths[b])
    expected = [(b, lengths[b] - 1 - t if reverse else t) for t in range(T) for b in order if t < lengths[b]]
    x = numbered(T, B, batch_first)
    rows = packing.packed(x)
    np.testing.assert_array_equal(rows, expected)
    assert [size for _, size in packing.steps()] == [sum(n > t for n in lengths) for t in range(max(lengths))]
    back, room = packing.room(2, float)
    room[:] = rows
    packing.fill(back, room)
    limit = np.array(lengths)
    there = numbered(T, B, batch_first)[..., 1] < (limit[:, None] if batch_first else limit)
    np.testing.assert_array_equal(back, np.where(there[..., None], x, 0))
    last = [(b, 0 if reverse else lengths[b] - 1) for b in range(B)]
    np.testing.assert_array_equal(packing.at_last(rows), last)


@given(batches())
def test_states_are_sorted_and_unsorted(drawn):
    T, B, lengths, batch_first, reverse = drawn
    packing = pack(lengths, T=T, B=B, batch_first=batch_first, reverse=reverse)
    state = np.arange(2.0 * B).reshape(B, 2)
    np.testing.assert_array_equal(packing.unsorted(packing.sorted(state)), state)
    if lengths:
        assert (np.diff(packing.sorted(np.array(lengths)[:, None]), axis=0) <= 0).all()


def test_nothing_is_moved_where_nothing_must():
    x = np.zeros((3, 2, 4))
    packing = pack(T=3, B=2)
    assert packing.rows is None and packing.packed(x).base is x
    back, rows = packing.room(4, float)
    assert back.base is None and rows.base is back
    assert pack(T=3, B=1, batch_first=True).rows is None and pack([3, 3], T=3, B=2).order is None
