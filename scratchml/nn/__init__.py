"""Neural networks: layers with PyTorch's names on the Tensors of autograd."""
from scratchml.nn import initialisation as init
from scratchml.nn.layers import Linear
from scratchml.nn.module import Module, ModuleList, Parameter, Sequential

CHAPTERS = ("initialisation", "module", "layers")

__all__ = [
    "init", "Module", "ModuleList", "Parameter", "Sequential",
    "Linear",
]
