"""Gradients of programs: Tensors that remember how they were computed, and the sweep back through them."""
from scratchml.autograd import methods, ops              # methods gives Tensor its operators
from scratchml.autograd.fused import Fused
from scratchml.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from scratchml.autograd.graph import draw
from scratchml.autograd.tensor import Tensor, grad, no_grad

CHAPTERS = ("memory", "tensor", "fused", "table", "ops", "methods", "graph", "gradcheck")

__all__ = ["Fused", "GradcheckError", "Tensor", "draw", "grad", "gradcheck", "gradgradcheck", "no_grad", "ops"]
