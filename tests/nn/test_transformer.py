"""Transformers: equations against their definitions, the laws of masks and places, state as PyTorch names it."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import (LayerNorm, PositionalEncoding, Transformer, TransformerDecoder, TransformerDecoderLayer,
                          TransformerEncoder, TransformerEncoderLayer)
from scratchml.nn.smooth import gelu
from scratchml.nn.transformer import feed_forward, post_norm, pre_norm, sinusoids
from tests.nn.test_layers import leaf
from tests.reference import transformer as reference
from tests.strategies.transformer import of_neighbours, seeds, sizes, square, values

MADE = dict(dropout=0.0, dtype="float64", random_state=0)
norm_first = pytest.mark.parametrize("norm_first", [False, True])


def encoder(norm_first=False, layers=2, **options):
    made = {**MADE, "batch_first": True, "norm_first": norm_first, **options}
    return TransformerEncoder(TransformerEncoderLayer(8, 2, 12, **made), layers, LayerNorm(8, dtype="float64"))


def decoder(norm_first=False, layers=2, **options):
    made = {**MADE, "batch_first": True, "norm_first": norm_first, **options}
    return TransformerDecoder(TransformerDecoderLayer(8, 2, 12, **made), layers, LayerNorm(8, dtype="float64"))


# --- equal to the definition

@given(sizes(), seeds)
def test_definitions(drawn, seed):
    x, W, b, U, c = values("xWbUc", drawn, seed)
    close = dict(rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(sinusoids(drawn["T"], drawn["D"]), reference.sinusoids(drawn["T"], drawn["D"]), **close)
    np.testing.assert_allclose(feed_forward(x, W, b, U, c, square).data,
                               reference.feed_forward(x, W, b, U, c, square), **close)
    for ours, theirs in ((post_norm, reference.post_norm), (pre_norm, reference.pre_norm)):
        np.testing.assert_allclose(ours(x, of_neighbours, square), theirs(x, of_neighbours, square), rtol=1e-9)


@norm_first
def test_layers_are_the_equations(norm_first):
    step = pre_norm if norm_first else post_norm
    layer = TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=norm_first, activation="gelu", **MADE)
    x = leaf(2, 3, 8)

    def network(x):
        return feed_forward(x, layer.linear1.weight, layer.linear1.bias, layer.linear2.weight, layer.linear2.bias, gelu)
    y = step(step(x, lambda x: layer.self_attn(x, x, x)[0], layer.norm1), network, layer.norm2)
    np.testing.assert_allclose(layer(x).data, y.data, rtol=1e-12, atol=1e-13)
    layer, memory = TransformerDecoderLayer(8, 2, 12, batch_first=True, norm_first=norm_first, **MADE), leaf(2, 4, 8)

    def network(x):
        return feed_forward(x, layer.linear1.weight, layer.linear1.bias, layer.linear2.weight, layer.linear2.bias,
                            lambda u: u.relu())
    y = step(x, lambda x: layer.self_attn(x, x, x)[0], layer.norm1)
    y = step(y, lambda x: layer.multihead_attn(x, memory, memory)[0], layer.norm2)
    np.testing.assert_allclose(layer(x, memory).data, step(y, network, layer.norm3).data, rtol=1e-12, atol=1e-13)


# --- gradients

@norm_first
def test_gradients(norm_first):
    writer, reader = encoder(norm_first, 1), decoder(norm_first, 1)
    mask = np.arange(3) >= np.array([[2], [3]])
    assert gradcheck(lambda src, tgt: reader(tgt, writer(src, None, mask), memory_key_padding_mask=mask,
                                             tgt_is_causal=True), (leaf(2, 3, 8), leaf(2, 4, 8, seed=1)),
                     fast_mode=True)


def test_every_weight_gets_a_gradient():
    net = Transformer(8, 2, 1, 1, 12, **MADE)
    net(np.random.default_rng(0).normal(size=(3, 2, 8)),
        np.random.default_rng(1).normal(size=(4, 2, 8))).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


# --- laws

@norm_first
def test_a_causal_decoder_does_not_see_what_is_to_come(norm_first):
    reader, memory = decoder(norm_first), np.random.default_rng(0).normal(size=(1, 3, 8))
    mask = Transformer.generate_square_subsequent_mask(5)
    for options in (dict(tgt_is_causal=True), dict(tgt_mask=mask), dict(tgt_mask=np.triu(np.ones((5, 5), bool), 1))):
        x = leaf(1, 5, 8)
        y = reader(x, memory, **options)
        (y[0, 2] * np.arange(8.0)).sum().backward()
        assert not x.grad.data[0, 3:].any() and x.grad.data[0, :3].all(axis=1).all()
        np.testing.assert_allclose(reader(x[:, :3], memory, tgt_is_causal=True).data, y.data[:, :3], rtol=1e-10)


def test_without_places_a_memory_is_a_set():
    writer, reader, order = encoder(), decoder(), [2, 0, 3, 1]
    src, tgt = np.random.default_rng(0).normal(size=(2, 4, 8)), np.random.default_rng(1).normal(size=(2, 3, 8))
    np.testing.assert_allclose(writer(src[:, order]).data, writer(src).data[:, order], rtol=1e-9)
    np.testing.assert_allclose(reader(tgt, writer(src[:, order])).data, reader(tgt, writer(src)).data, rtol=1e-9)
    places = PositionalEncoding(8, 0.0, batch_first=True, dtype="float64")
    assert abs(writer(places(src[:, order])).data - writer(places(src)).data[:, order]).max() > 0.01


def test_what_padding_holds_changes_nothing():
    writer, mask = encoder(), np.arange(4) >= np.array([[2], [4]])
    x = np.random.default_rng(0).normal(size=(2, 4, 8))
    expected = writer(x, src_key_padding_mask=mask).data[~mask]
    np.testing.assert_allclose(writer(x[:1, :2]).data[0], expected[:2], rtol=1e-9)
    x[mask] = 1e6
    np.testing.assert_allclose(writer(x, src_key_padding_mask=mask).data[~mask], expected, rtol=1e-9)


@norm_first
def test_a_sequence_of_padding_alone_is_finite(norm_first):
    writer, mask = encoder(norm_first), np.ones((2, 3), bool)
    mask[1, 0] = False
    x = leaf(2, 3, 8)
    y = writer(x, src_key_padding_mask=mask)
    y.sum().backward()
    assert np.isfinite(y.data).all() and all(np.isfinite(p.grad.data).all() for p in (x, *writer.parameters()))


def test_products_of_places_depend_on_their_distance():
    P = sinusoids(40, 16)
    products = P @ P.T
    for apart in range(20):
        np.testing.assert_allclose(np.diag(products, apart), products[0, apart], rtol=1e-12)
    np.testing.assert_allclose(np.diag(products), 8, rtol=1e-12)


@pytest.mark.parametrize("batch_first", [True, False])
def test_places_are_added_along_the_right_dimension(batch_first):
    layer = PositionalEncoding(5, 0.0, max_len=7, batch_first=batch_first, dtype="float64")
    y = layer(np.zeros((3, 2, 5))).data
    y = y if batch_first else y.swapaxes(0, 1)
    assert all((row == sinusoids(len(row), 5)).all() for row in y)
    assert (layer(np.zeros((3, 5))).data == sinusoids(3, 5)).all() and not layer.state_dict()


# --- state, copies, dropout

def test_names_of_weights():
    names = list(TransformerDecoderLayer(8, 2, 12).state_dict())
    assert names[:2] == ["self_attn.in_proj_weight", "self_attn.in_proj_bias"] and names[-2:] == ["norm3.weight",
                                                                                              "norm3.bias"]
    assert "multihead_attn.out_proj.bias" in names and "linear2.weight" in names
    net = encoder()
    assert {name.split(".")[0] for name in net.state_dict()} == {"layers", "norm"}
    first, second = net.layers
    assert (first.linear1.weight.data == second.linear1.weight.data).all() and first.linear1 is not second.linear1
    bare = TransformerEncoderLayer(8, 2, 12, bias=False).state_dict()
    assert not [name for name in bare if "bias" in name]


def test_the_seed_decides_and_dropout_is_for_training():
    x = np.random.default_rng(0).normal(size=(3, 2, 8))
    one, same = (TransformerEncoderLayer(8, 2, 12, 0.5, dtype="float64", random_state=3) for _ in range(2))
    first = one(x).data
    assert (first == same(x).data).all() and (first != one(x).data).any()
    one.eval()
    assert (one(x).data == one(x).data).all()


def test_layers_of_a_stack_drop_different_entries():
    first, second = TransformerEncoder(TransformerEncoderLayer(8, 2, 12, 0.5, random_state=0), 2).layers
    x = np.ones((50, 8), np.float32)
    assert (first.dropout(x).data != second.dropout(x).data).any() and first.dropout is not second.dropout
    assert (first.self_attn(x, x, x)[0].data != second.self_attn(x, x, x)[0].data).any()


def test_dtypes_and_shapes():
    layer = TransformerEncoderLayer(8, 2, 12)
    assert layer(np.ones((3, 2, 8))).dtype == np.float32 and layer(np.ones((3, 8))).shape == (3, 8)
    assert layer.double()(Tensor(np.ones((3, 2, 8)))).dtype == np.float64
    mask = Transformer.generate_square_subsequent_mask(3)
    assert mask.dtype == np.float32 and mask.data.tolist() == [[0, -np.inf, -np.inf], [0, 0, -np.inf], [0, 0, 0]]


@pytest.mark.parametrize("call, message", [
    (lambda: TransformerEncoderLayer(8, 3), "embed_dim=8: expected a multiple of num_heads=3"),
    (lambda: TransformerEncoderLayer(8, 2, 0), "dim_feedforward=0"),
    (lambda: TransformerEncoderLayer(8, 2, activation="swish"), "activation='swish': expected 'relu', 'gelu' or"),
    (lambda: TransformerEncoderLayer(8, 2, dropout=2.0), "dropout=2.0"),
    (lambda: TransformerEncoder(TransformerEncoderLayer(8, 2), 0), "num_layers=0"),
    (lambda: TransformerEncoderLayer(8, 2)(np.ones((3, 2, 7))), r"expected shape \(places, B, 8\)"),
    (lambda: PositionalEncoding(8, max_len=2)(np.ones((3, 1, 8))), "expected at most 2 places, got 3"),
    (lambda: PositionalEncoding(8)(np.ones((3, 7))), r"expected shape \(T, N, 8\)"),
    (lambda: Transformer.generate_square_subsequent_mask(0), "sz=0"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
