"""Neural networks: layers with PyTorch's names on the Tensors of autograd."""
import sys
import types

from scratchml.nn import functional, initialisation as init, padding
from scratchml.nn.activations import (
    GLU, ActivityL2, LeakyReLU, LogSoftmax, PReLU, ReLU, Sigmoid, Softmax, Tanh, penalty,
)
from scratchml.nn.additive import AdditiveAttention
from scratchml.nn.attention import scaled_dot_product_attention
from scratchml.nn.attentive_layer import AttentiveLSTM
from scratchml.nn.bags import EmbeddingBag
from scratchml.nn.bounded import Hardtanh, Mish, ReLU6, SELU, Softsign
from scratchml.nn.cells import GRUCell, LSTMCell, RNNCell
from scratchml.nn.containers import ModuleDict, ModuleList, ParameterList, Sequential
from scratchml.nn.contrastive import (
    both_directions, cosines_of_all, draw_wrong, hardest_hinge, in_batch_hinge, in_batch_softmax, semi_hard_hinge,
    single_hinge, wrong_pairs,
)
from scratchml.nn.convolution import CausalConv1d, Conv1d
from scratchml.nn.cross_entropy import cross_entropy
from scratchml.nn.gated_convolution import GatedConv1d, receptive_field
from scratchml.nn.kept_keys import TokenTransformer
from scratchml.nn.layers import Dropout, Embedding, Flatten, GaussianNoise, Identity, Linear, Unflatten
from scratchml.nn.loss_layers import (
    BCELoss, BCEWithLogitsLoss, CosineEmbeddingLoss, CosineSimilarity, CrossEntropyLoss, HingeEmbeddingLoss, HuberLoss,
    KLDivLoss, L1Loss, MarginRankingLoss, MSELoss, NLLLoss, PairwiseDistance, SmoothL1Loss, TripletMarginLoss,
)
from scratchml.nn.loss_functions import (
    binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, hinge_embedding_loss, huber_loss,
    kl_div, l1_loss, margin_ranking_loss, mse_loss, nll_loss, smooth_l1_loss, triplet_margin_loss,
)
from scratchml.nn.module import Module, Parameter
from scratchml.nn.multihead import MultiheadAttention
from scratchml.nn.norm_layers import BatchNorm1d, LayerNorm, RMSNorm
from scratchml.nn.pooling import AdaptiveAvgPool1d, AdaptiveMaxPool1d, AvgPool1d, MaxPool1d
from scratchml.nn.recurrent import GRU, LSTM, RNN
from scratchml.nn.reparametrisation import (
    parameters_to_vector, remove_weight_norm, vector_to_parameters, weight_norm,
)
from scratchml.nn.smooth import ELU, GELU, LogSigmoid, SiLU, Softplus
from scratchml.nn.training import History, evaluate, fit, predict
from scratchml.nn.transformer import PositionalEncoding, TransformerDecoderLayer, TransformerEncoderLayer
from scratchml.nn.transformer_stacks import Transformer, TransformerDecoder, TransformerEncoder
from scratchml.optim import clip_grad_norm_, clip_grad_value_

CHAPTERS = (
    "initialisation", "state", "module", "reparametrisation", "containers", "layers", "bags", "activations", "gates",
    "smooth", "bounded", "normalisation", "norm_layers", "similarity", "cross_entropy", "contrastive", "losses",
    "loss_functions", "loss_layers", "packing", "padding", "lstm", "gru", "elman", "recurrent", "cells",
    "convolution", "gated_convolution", "pooling", "masks", "attention", "multihead", "additive", "attentive",
    "attentive_layer", "transformer", "transformer_stacks", "kept_keys", "samples", "training",
)

__all__ = [
    "init", "functional", "Module", "ModuleDict", "ModuleList", "Parameter", "ParameterList", "Sequential",
    "Dropout", "Embedding", "EmbeddingBag", "Flatten", "GaussianNoise", "Identity", "Linear", "Unflatten",
    "GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell",
    "GLU", "ActivityL2", "LeakyReLU", "LogSoftmax", "PReLU", "ReLU", "Sigmoid", "Softmax", "Tanh", "penalty",
    "ELU", "GELU", "LogSigmoid", "SiLU", "Softplus", "Hardtanh", "Mish", "ReLU6", "SELU", "Softsign",
    "BatchNorm1d", "LayerNorm", "RMSNorm",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
    "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss", "nll_loss",
    "smooth_l1_loss", "triplet_margin_loss",
    "both_directions", "cosines_of_all", "draw_wrong", "hardest_hinge", "in_batch_hinge", "in_batch_softmax",
    "semi_hard_hinge", "single_hinge", "wrong_pairs",
    "BCELoss", "BCEWithLogitsLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "HingeEmbeddingLoss", "HuberLoss",
    "KLDivLoss", "L1Loss", "MarginRankingLoss", "MSELoss", "NLLLoss", "SmoothL1Loss", "TripletMarginLoss",
    "CosineSimilarity", "PairwiseDistance",
    "CausalConv1d", "Conv1d", "GatedConv1d", "receptive_field",
    "AdaptiveAvgPool1d", "AdaptiveMaxPool1d", "AvgPool1d", "MaxPool1d",
    "AdditiveAttention", "AttentiveLSTM", "MultiheadAttention", "scaled_dot_product_attention",
    "PositionalEncoding", "TokenTransformer", "Transformer", "TransformerDecoder", "TransformerDecoderLayer",
    "TransformerEncoder", "TransformerEncoderLayer",
    "History", "evaluate", "fit", "predict",
]


def _at(path, **names):
    """A module under PyTorch's `path` that holds these names, which are defined elsewhere."""
    module = sys.modules[f"{__name__}.{path}"] = types.ModuleType(f"{__name__}.{path}")
    module.__dict__.update(names)
    return module


_PACKED = ("PackedSequence", "pack_padded_sequence", "pad_packed_sequence", "pad_sequence")
utils = _at("utils", clip_grad_norm_=clip_grad_norm_, clip_grad_value_=clip_grad_value_,
            parameters_to_vector=parameters_to_vector, vector_to_parameters=vector_to_parameters,
            weight_norm=weight_norm, remove_weight_norm=remove_weight_norm,
            rnn=_at("utils.rnn", **{name: getattr(padding, name) for name in _PACKED}))
sys.modules[f"{__name__}.init"] = init
parameter = _at("parameter", Parameter=Parameter)
