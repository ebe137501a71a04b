"""Neural networks: layers with PyTorch's names on the Tensors of autograd."""
from scratchml.nn import initialisation as init
from scratchml.nn.activations import GLU, ActivityL2, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh, penalty
from scratchml.nn.attention import scaled_dot_product_attention
from scratchml.nn.layers import Dropout, Embedding, GaussianNoise, Linear
from scratchml.nn.module import Module, ModuleList, Parameter, Sequential

CHAPTERS = ("initialisation", "module", "layers", "activations", "packing", "lstm", "attention")

__all__ = [
    "init", "Module", "ModuleList", "Parameter", "Sequential",
    "Dropout", "Embedding", "GaussianNoise", "Linear",
    "GLU", "ActivityL2", "LeakyReLU", "ReLU", "Sigmoid", "Softmax", "Tanh", "penalty",
    "scaled_dot_product_attention",
]
