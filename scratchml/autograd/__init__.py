"""Gradients of programs: Tensors that remember how they were computed, and the sweep back through them."""
from scratchml.autograd import hooks, inplace, methods, ops     # which give Tensor its operators
from scratchml.autograd.batches import (
    ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset, random_split,
)
from scratchml.autograd.fused import Fused
from scratchml.autograd.function import Function
from scratchml.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from scratchml.autograd.graph import draw
from scratchml.autograd.modes import Variable, enable_grad, is_grad_enabled, set_grad_enabled
from scratchml.autograd.samplers import (
    BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler,
)
from scratchml.autograd.storing import load, save
from scratchml.autograd.tensor import Tensor, grad, no_grad

CHAPTERS = ("memory", "tensor", "fused", "table", "plain", "ops", "composed", "combined", "methods", "inplace", "hooks",
            "modes", "function", "creation", "storing", "samplers", "batches", "graph", "gradcheck")

__all__ = [
    "Function", "Fused", "GradcheckError", "Tensor", "draw", "grad", "gradcheck", "gradgradcheck", "ops",
    "Variable", "enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled",
    "ConcatDataset", "DataLoader", "Dataset", "IterableDataset", "Subset", "TensorDataset", "random_split",
    "BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler",
    "load", "save",
]
