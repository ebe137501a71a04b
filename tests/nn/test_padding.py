"""Padding: sequences in one array and back, gradients through both, and recurrent layers that read the lengths."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import GRU, LSTM, RNN
from scratchml.nn.padding import PackedSequence, pack_padded_sequence, pad_packed_sequence, pad_sequence
from tests.nn.test_layers import leaf
from tests.strategies.lstm import lengths


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.booleans(), st.sampled_from(["right", "left"]))
def test_every_entry_stands_where_it_should(steps, batch_first, side):
    parts = [np.arange(n * 2.0).reshape(n, 2) + 100 * b for b, n in enumerate(steps)]
    x = pad_sequence(parts, batch_first, -1.0, side)
    same = pad_sequence([Tensor(part) for part in parts], batch_first, -1.0, side)
    assert type(same) is Tensor and (same.data == x).all()
    x = x if batch_first else x.swapaxes(0, 1)
    assert x.shape == (len(steps), max(steps), 2)
    for row, part in zip(x, parts):
        n = len(part)
        kept, filled = (row[-n:], row[:-n]) if side == "left" else (row[:n], row[n:])
        assert (kept == part).all() and (filled == -1).all()


def test_whole_numbers_stay_whole():
    ids = pad_sequence([np.array([3, 4]), np.array([5])], True, 9)
    assert ids.tolist() == [[3, 4], [5, 9]] and ids.dtype.kind == "i"


def test_gradients_pass():
    a, b = leaf(2, 3), leaf(4, 3, seed=1)
    assert gradcheck(lambda a, b: pad_sequence([a, b]), (a, b))
    x = leaf(4, 2, 3)
    assert gradcheck(lambda x: pad_packed_sequence(pack_padded_sequence(x, [4, 2]), True, 7.0, 6)[0], x)


@given(st.data())
def test_what_is_packed_comes_back(data):
    T, B, first, then = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3)), *data.draw(
        st.tuples(st.booleans(), st.booleans()))
    n = np.array(data.draw(lengths(T, B)))
    x = np.random.default_rng(0).normal(size=(B, T, 2))
    packed = pack_padded_sequence(x if first else x.swapaxes(0, 1), n, first, enforce_sorted=False)
    more = data.draw(st.none() | st.integers(int(n.max()), 6))
    y, steps = pad_packed_sequence(packed, then, 5.0, more)
    y = y.data if then else y.data.swapaxes(0, 1)
    assert steps.tolist() == n.tolist() and y.shape == (B, more or n.max(), 2)
    for b in range(B):
        assert (y[b, :n[b]] == x[b, :n[b]]).all() and (y[b, n[b]:] == 5).all()


@pytest.mark.parametrize("layer_of", [LSTM, GRU, RNN])
@pytest.mark.parametrize("first", [True, False])
def test_a_layer_reads_the_lengths(layer_of, first):
    layer = layer_of(3, 2, batch_first=True, bidirectional=True, dtype="float64", random_state=0)
    x, n = np.random.default_rng(0).normal(size=(3, 4, 3)), [2, 4, 1]
    expected, last = layer(x, lengths=n)
    packed, states = layer(pack_padded_sequence(x if first else x.swapaxes(0, 1), n, first))
    assert isinstance(packed, PackedSequence)
    y, steps = pad_packed_sequence(packed, batch_first=True)
    assert (y.data == expected.data).all() and steps.tolist() == n
    for one, other in zip(states if isinstance(states, tuple) else [states],
                          last if isinstance(last, tuple) else [last]):
        assert (one.data == other.data).all()


X = np.ones((4, 2, 3))


@pytest.mark.parametrize("call, message", [
    (lambda: pad_sequence([]), "sequences: pad_sequence expected at least one"),
    (lambda: pad_sequence([np.ones((2, 3)), np.ones((2, 4))]), r"got \[\(2, 3\), \(2, 4\)\]"),
    (lambda: pad_sequence([1.0]), "at least one, all of a shape"),
    (lambda: pad_sequence([np.ones(2)], padding_side="top"), "padding_side='top'"),
    (lambda: pack_padded_sequence(X, [4]), r"lengths: pack_padded_sequence expected 2 whole numbers.*got \[4\]"),
    (lambda: pack_padded_sequence(X, [4, 0]), "sequence 1 has length 0; pack_padded_sequence expected 1 ... 4"),
    (lambda: pack_padded_sequence(X, [4, 5]), "sequence 1 has length 5"),
    (lambda: pack_padded_sequence(np.ones(3), [1]), r"expected shape \(T, B, ...\)"),
    (lambda: pad_packed_sequence(X), "expected what pack_padded_sequence has made, got ndarray"),
    (lambda: pad_packed_sequence(pack_padded_sequence(X, [4, 2]), total_length=3), "total_length=3"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
