"""Transformer layers on top of each other: an encoder, a decoder, and both, as PyTorch has them."""
import copy

import numpy as np

from scratchml.autograd.ops import as_tensor
from scratchml.core.checks import whole_number
from scratchml.core.random import generator
from scratchml.nn import initialisation as init
from scratchml.nn.containers import ModuleList
from scratchml.nn.module import Module
from scratchml.nn.norm_layers import LayerNorm
from scratchml.nn.transformer import TransformerDecoderLayer, TransformerEncoderLayer


class TransformerEncoder(Module):
    """Several layers, one after the other, and then a norm.

    All begin with the same weights, as in PyTorch.  Raises ValueError for a number below 1.

    Parameters
    ----------
    encoder_layer : TransformerEncoderLayer
        The layer that is copied.
    num_layers : int
        How many copies.
    norm : Module or None, default=None
        What comes last.
    enable_nested_tensor : bool, default=True
        For PyTorch's callers: what is padded is computed as the rest.
    mask_check : bool, default=True
        For PyTorch's callers, as before.
    """

    def __init__(self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True):
        self.layers, self.num_layers = _copies(encoder_layer, num_layers), num_layers
        self.norm = norm

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        """What `src` becomes; errors as in TransformerEncoderLayer.

        Parameters
        ----------
        src : Tensor or array (T, N, d_model)
            The sequences.
        mask : array, Tensor or None, default=None
            (T, T), the attn_mask of MultiheadAttention.
        src_key_padding_mask : array, Tensor or None, default=None
            (N, T), its key_padding_mask.
        is_causal : bool or None, default=None
            Whether a place sees itself and those before it alone; None for False.
        """
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Several layers, one after the other, and then a norm.

    All begin with the same weights, as in PyTorch.  Raises ValueError for a number below 1.

    Parameters
    ----------
    decoder_layer : TransformerDecoderLayer
        The layer that is copied.
    num_layers : int
        How many copies.
    norm : Module or None, default=None
        What comes last.
    """

    def __init__(self, decoder_layer, num_layers, norm=None):
        self.layers, self.num_layers = _copies(decoder_layer, num_layers), num_layers
        self.norm = norm

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
                memory_key_padding_mask=None, tgt_is_causal=None, memory_is_causal=False):
        """What `tgt` becomes, reading `memory`; errors as in TransformerDecoderLayer.

        Parameters
        ----------
        tgt : Tensor or array (T, N, d_model)
            The sequences.
        memory : Tensor or array (S, N, d_model)
            What they read.
        tgt_mask, memory_mask : array, Tensor or None, default=None
            (T, T) and (T, S), the attn_mask of each MultiheadAttention.
        tgt_key_padding_mask, memory_key_padding_mask : array, Tensor or None, default=None
            (N, T) and (N, S), their key_padding_mask.
        tgt_is_causal : bool or None, default=None
            Whether a place sees itself and those before it alone; None for False.
        memory_is_causal : bool, default=False
            The same of the memory.
        """
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
                        bool(tgt_is_causal), memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder that reads what it has written, each with a last norm.

    Errors as in TransformerEncoderLayer; matrices begin by Glorot, as in PyTorch.

    Parameters
    ----------
    d_model : int, default=512
        D, the width.
    nhead : int, default=8
        How many heads attention has.
    num_encoder_layers, num_decoder_layers : int, default=6
        How many layers.
    dim_feedforward : int, default=2048
        F, units of (2).
    dropout : float, default=0.1
        Probability of dropout in training.
    activation : {"relu", "gelu"} or callable, default="relu"
        a, one of two or a function of Tensors.
    layer_norm_eps : float, default=1e-5
        ε of the norms.
    batch_first : bool, default=False
        Whether N comes before T.
    norm_first : bool, default=False
        Whether norms stand before, (4), or after, (3).
    bias : bool, default=True
        Whether there are biases.
    dtype : {"float32", "float64"}, default="float32"
        The type of the weights.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first weights and of dropout.
    """

    def __init__(self, d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048,
                 dropout=0.1, activation="relu", *, layer_norm_eps=1e-5, batch_first=False, norm_first=False, bias=True,
                 dtype="float32", random_state=None):
        rng = generator(random_state)
        made = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        more = dict(dtype=dtype, random_state=rng)
        norms = [LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype) for _ in range(2)]
        self.encoder = TransformerEncoder(TransformerEncoderLayer(*made, **more), num_encoder_layers, norms[0])
        self.decoder = TransformerDecoder(TransformerDecoderLayer(*made, **more), num_decoder_layers, norms[1])
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter, random_state=rng)

    def forward(self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None,
                tgt_key_padding_mask=None, memory_key_padding_mask=None, src_is_causal=None, tgt_is_causal=None,
                memory_is_causal=False):
        """What `tgt` becomes, reading `src`.  Errors as in its two parts.

        Parameters
        ----------
        src : Tensor or array (S, N, d_model)
            What is read.
        tgt : Tensor or array (T, N, d_model)
            What reads it.
        src_mask, tgt_mask, memory_mask : array, Tensor or None, default=None
            (S, S), (T, T) and (T, S), the attn_mask of each MultiheadAttention.
        src_key_padding_mask, tgt_key_padding_mask, memory_key_padding_mask : array, Tensor or None, default=None
            (N, S), (N, T) and (N, S), their key_padding_mask.
        src_is_causal, tgt_is_causal : bool or None, default=None
            Whether a place sees itself and those before it alone; None for False.
        memory_is_causal : bool, default=False
            The same of the memory.
        """
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
                            tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz):
        """The mask (sz, sz): -inf where a place is behind the one that asks, else 0.  Raises ValueError for sz < 1.

        Parameters
        ----------
        sz : int
            T.
        """
        return as_tensor(np.triu(np.full((whole_number(sz, "sz"),) * 2, -np.inf, np.float32), 1))


def _copies(layer, count):
    """Copies of `layer` that share its generators, or all would drop the same entries."""
    shared = {id(value): value for part in layer.modules() for value in vars(part).values()
              if isinstance(value, np.random.Generator)}
    return ModuleList(copy.deepcopy(layer, {**shared}) for _ in range(whole_number(count, "num_layers")))
