"""Gradients of programs: Tensors that remember how they were computed, and the sweep back through them."""
from scratchml.autograd import ops
from scratchml.autograd.fused import Fused
from scratchml.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from scratchml.autograd.tensor import Tensor, draw, grad, no_grad

CHAPTERS = ("tensor", "fused", "table", "ops", "gradcheck")

__all__ = ["Fused", "GradcheckError", "Tensor", "draw", "grad", "gradcheck", "gradgradcheck", "no_grad", "ops"]
