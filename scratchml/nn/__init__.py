"""Neural networks: layers with PyTorch's names on the Tensors of autograd."""
from scratchml.nn import initialisation as init
from scratchml.nn.activations import GLU, ActivityL2, LeakyReLU, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh, penalty
from scratchml.nn.additive import AdditiveAttention
from scratchml.nn.attention import scaled_dot_product_attention
from scratchml.nn.convolution import CausalConv1d, Conv1d
from scratchml.nn.cross_entropy import cross_entropy
from scratchml.nn.layers import Dropout, Embedding, Flatten, GaussianNoise, Identity, Linear
from scratchml.nn.loss_layers import (
    BCELoss, BCEWithLogitsLoss, CosineEmbeddingLoss, CrossEntropyLoss, HingeEmbeddingLoss, HuberLoss, KLDivLoss, L1Loss,
    MarginRankingLoss, MSELoss, NLLLoss, SmoothL1Loss, TripletMarginLoss,
)
from scratchml.nn.losses import (
    binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, hinge_embedding_loss, huber_loss,
    kl_div, l1_loss, margin_ranking_loss, mse_loss, nll_loss, smooth_l1_loss, triplet_margin_loss,
)
from scratchml.nn.cells import GRUCell, LSTMCell, RNNCell
from scratchml.nn.containers import ModuleDict, ModuleList, ParameterList, Sequential
from scratchml.nn.module import Module, Parameter
from scratchml.nn.multihead import MultiheadAttention
from scratchml.nn.normalisation import BatchNorm1d, LayerNorm
from scratchml.nn.pooling import AdaptiveAvgPool1d, AvgPool1d, MaxPool1d
from scratchml.nn.recurrent import GRU, LSTM, RNN
from scratchml.nn.smooth import ELU, GELU, SiLU, Softplus
from scratchml.nn.training import History, evaluate, fit, predict
from scratchml.nn.transformer import (
    PositionalEncoding, Transformer, TransformerDecoder, TransformerDecoderLayer, TransformerEncoder,
    TransformerEncoderLayer,
)

CHAPTERS = ("initialisation", "module", "containers", "layers", "activations", "smooth", "normalisation", "similarity", "cross_entropy", "losses", "loss_layers", "packing", "padding",
            "lstm", "gru", "elman", "recurrent", "cells", "convolution", "pooling", "attention", "multihead", "additive", "transformer", "training")

__all__ = [
    "init", "Module", "ModuleDict", "ModuleList", "Parameter", "ParameterList", "Sequential",
    "Dropout", "Embedding", "Flatten", "GaussianNoise", "Identity", "Linear",
    "GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell",
    "GLU", "ActivityL2", "LeakyReLU", "LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Tanh", "penalty",
    "scaled_dot_product_attention",
    "BatchNorm1d", "LayerNorm", "cross_entropy",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "hinge_embedding_loss",
    "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss", "nll_loss", "smooth_l1_loss",
    "triplet_margin_loss",
    "BCELoss", "BCEWithLogitsLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "HingeEmbeddingLoss", "HuberLoss",
    "KLDivLoss", "L1Loss", "MarginRankingLoss", "MSELoss", "NLLLoss", "SmoothL1Loss", "TripletMarginLoss",
    "ELU", "GELU", "SiLU", "Softplus",
    "CausalConv1d", "Conv1d", "AdaptiveAvgPool1d", "AvgPool1d", "MaxPool1d",
    "AdditiveAttention", "MultiheadAttention",
    "PositionalEncoding", "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer",
    "History", "evaluate", "fit", "predict",
]
