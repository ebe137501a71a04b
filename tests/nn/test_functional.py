"""Functions are what the layers and chapters compute, and refuse the same."""
import numpy as np
import pytest

import scratchml.nn.functional as F
from scratchml import nn
from scratchml.autograd import Tensor, gradcheck
from scratchml.core import random as seeding
from tests.nn.test_layers import assert_same_gradients, leaf

MADE = dict(dtype="float64", random_state=0)


def test_layers_with_their_weights():
    x, layer, norm = leaf(2, 4, 3), nn.Linear(3, 2, **MADE), nn.LayerNorm((4, 3), dtype="float64")
    norm.load_state_dict({"weight": leaf(4, 3).data, "bias": leaf(4, 3, seed=1).data})
    assert_same_gradients(F.linear(x, layer.weight, layer.bias), layer(x), [x, *layer.parameters()])
    assert_same_gradients(F.linear(x, layer.weight), x @ layer.weight.T, [x, layer.weight])
    assert_same_gradients(F.layer_norm(x, (4, 3), norm.weight, norm.bias), norm(x), [x, *norm.parameters()])
    bare = nn.LayerNorm(3, elementwise_affine=False, dtype="float64")
    assert_same_gradients(F.layer_norm(x, [3]), bare(x), [x])
    assert_same_gradients(F.layer_norm(x, 3, bias=np.ones(3)), bare(x) + 1, [x])
    table = nn.Embedding(5, 3, padding_idx=-1, **MADE)
    assert_same_gradients(F.embedding([[0, 4], [1, 1]], table.weight, -1), table([[0, 4], [1, 1]]), [table.weight])


@pytest.mark.parametrize("settings", [{}, dict(stride=2, padding=1), dict(padding="same", dilation=2), dict(groups=2)])
def test_filters_with_their_weights(settings):
    x, layer = leaf(2, 4, 7), nn.Conv1d(4, 6, 3, **settings, **MADE)
    for W, b in [(layer.weight, layer.bias), (2 * layer.weight, None)]:
        ours = F.conv1d(x, W, b, **settings)
        theirs = layer(x) if b is not None else 2 * (layer(x) - layer.bias.unsqueeze(1))
        np.testing.assert_allclose(ours.data, theirs.data, atol=1e-12)
        assert_same_gradients(ours, theirs, [x, layer.weight])
    for bad in [lambda: F.conv1d(x, layer.weight[0]), lambda: F.conv1d(x, layer.weight, np.ones(5)),
                lambda: F.conv1d(x, layer.weight, groups=4), lambda: F.conv1d(x[:, :3], layer.weight)]:
        with pytest.raises(ValueError, match="conv1d|expected shape"):
            bad()


def test_activations_and_pools():
    x = leaf(2, 3, 8)
    for ours, theirs in [
        (F.relu(x, True), nn.ReLU()(x)), (F.leaky_relu(x, 0.2), nn.LeakyReLU(0.2)(x)), (F.tanh(x), x.tanh()),
        (F.sigmoid(x), x.sigmoid()), (F.logsigmoid(x), x.sigmoid().log()), (F.glu(x), nn.GLU()(x)),
        (F.softmax(x, 1), x.softmax(1)), (F.log_softmax(x, dim=-1), x.log_softmax(2)),
        (F.max_pool1d(x, 3, 2, 1), nn.MaxPool1d(3, 2, 1)(x)), (F.adaptive_avg_pool1d(x, 3), nn.AdaptiveAvgPool1d(3)(x)),
        (F.avg_pool1d(x, 3, 2, 1, True, False), nn.AvgPool1d(3, 2, 1, True, False)(x)),
    ]:
        assert_same_gradients(ours, theirs, [x])
    assert F.max_pool1d(x, 2, return_indices=True)[1].shape == (2, 3, 4)
    assert F.logsigmoid([-800.0]).item() == -800


def test_dropout_draws_from_the_seed_of_all(monkeypatch):
    monkeypatch.setattr(seeding, "_shared", None)
    x = Tensor(np.ones((20, 30)), requires_grad=True)
    seeding.manual_seed(3)
    first = F.dropout(x, 0.25)
    seeding.manual_seed(3)
    assert (F.dropout(x, 0.25).data == first.data).all() and set(np.unique(first.data)) == {0, 1 / 0.75}
    first.sum().backward()
    assert (x.grad.data == first.data).all()
    assert F.dropout(x, training=False) is x and F.dropout(x, 0.0) is x


def test_one_hot():
    assert F.one_hot([[0, 2]], 4).tolist() == [[[1, 0, 0, 0], [0, 0, 1, 0]]]
    assert F.one_hot(np.array([1])).tolist() == [[0, 1]] and F.one_hot([], 3).shape == (0, 3)


class Known(np.ndarray):
    """Arrays with methods of their own, as a script may have them."""


def test_arrays_keep_their_class():
    ids = np.array([1, 2]).view(Known)
    for made in (F.one_hot(ids), F.pad(ids, (0, 1)), nn.utils.rnn.pad_sequence([ids, ids[:1]])):
        assert type(made) is Known
    assert type(F.one_hot([1])) is type(nn.utils.rnn.pad_sequence([[1], [2, 3]])) is np.ndarray


def test_pad():
    x = leaf(2, 3)
    assert gradcheck(lambda x: F.pad(x, (1, 2, 0, 1), value=3.0), x)
    assert F.pad(x, (1, 2, 0, 1), value=3.0).data[2].tolist() == [3.0] * 6
    np.testing.assert_array_equal(F.pad(x, (-1, 2)).data, np.pad(x.data[:, 1:], ((0, 0), (0, 2))))
    np.testing.assert_array_equal(F.pad(x, (0, -2)).data, x.data[:, :1])
    ids = F.pad(np.array([[3, 4]]), (0, 2), value=9)
    assert ids.tolist() == [[3, 4, 9, 9]] and ids.dtype.kind == "i"


@pytest.mark.parametrize("call, message", [
    (lambda: F.linear(np.ones((2, 3)), np.ones((2, 2))),
     r"linear: expected input \(..., D\).*got \(2, 3\), \(2, 2\) and N"),
    (lambda: F.linear(np.ones((2, 2)), np.ones((2, 2)), np.ones(3)), r"and \(3,\)"),
    (lambda: F.linear(Tensor(np.ones((2, 3))), np.ones((2, 3), np.float32)), "linear computes in float32"),
    (lambda: F.embedding([3], np.ones((3, 2))), "embedding expected whole numbers from 0 to 2, got 3"),
    (lambda: F.embedding([0], np.ones(3)), r"weight: embedding expected shape \(V, D\)"),
    (lambda: F.layer_norm(np.ones((2, 3)), 2), r"layer_norm: expected input \(..., 2\)"),
    (lambda: F.dropout([1.0], 1.5), "p=1.5"), (lambda: F.one_hot([], -1), "num_classes=-1: one_hot cannot tell"),
    (lambda: F.one_hot([3], 3), "one_hot expected whole numbers from 0 to 2, got 3"),
    (lambda: F.one_hot([0.5]), "got dtype float64"), (lambda: F.pad([1.0], (1, 1), "reflect"), "mode='reflect'"),
    (lambda: F.pad([1.0], (1,)), r"pad=\(1,\): expected a pair"), (lambda: F.softmax([1.0], 1), "dim=1"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sequences_between_their_places():
    x = Tensor(np.array([[[0.0, 4.0, 2.0]]]), requires_grad=True)
    assert F.interpolate(x, size=6).tolist() == [[[0, 0, 4, 4, 2, 2]]]
    assert F.interpolate(x, scale_factor=0.7).tolist() == [[[0, 4]]]
    assert F.interpolate(x, 5, mode="linear", align_corners=True).tolist() == [[[0, 2, 4, 3, 2]]]
    assert F.interpolate(x, 6, mode="linear").tolist() == [[[0, 1, 3, 3.5, 2.5, 2]]]
    gradcheck(lambda x: F.interpolate(x, 7, mode="linear"), x)


@pytest.mark.parametrize("options, message", [
    ({}, "expected one of size and scale_factor"), ({"size": 2, "scale_factor": 2.0}, "expected one of"),
    ({"size": 2, "align_corners": False}, "for 'linear' alone"),
    ({"size": 2, "mode": "cubic"}, "mode='cubic'"), ({"scale_factor": 0.1}, "size=0"),
    ({"scale_factor": -1.0}, "scale_factor=-1.0"),
])
def test_interpolations_that_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        F.interpolate(np.ones((1, 1, 3)), **options)
    with pytest.raises(ValueError, match=r"expected shape \(N, C, T\)"):
        F.interpolate(np.ones((1, 3)), 2)


def test_every_name_is_there():
    assert all(callable(getattr(F, name)) for name in F.__all__) and len(set(F.__all__)) == len(F.__all__)


def test_pytorchs_other_paths_lead_here():
    from scratchml.nn.init import zeros_
    from scratchml.nn.utils import clip_grad_norm_
    from scratchml.nn.utils.rnn import pad_sequence
    assert zeros_ is nn.init.zeros_ and clip_grad_norm_ is nn.utils.clip_grad_norm_
    assert pad_sequence is nn.utils.rnn.pad_sequence and nn.functional is F
