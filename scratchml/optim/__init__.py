"""Optimisation: how to get from a gradient to a minimum, on plain arrays or on Tensors."""
from scratchml.optim.first_order import SGD, Adagrad, Adam, AdamW, RMSprop, clip_grad_norm_, clip_grad_value_
from scratchml.optim.lbfgs import Minimum, lbfgs
from scratchml.optim.schedules import CosineAnnealingLR, LinearLR, SequentialLR, StepLR

CHAPTERS = ("line_search", "lbfgs", "optimizer", "first_order", "schedules")

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "RMSprop", "clip_grad_norm_", "clip_grad_value_",
    "Minimum", "lbfgs",
    "CosineAnnealingLR", "LinearLR", "SequentialLR", "StepLR",
]
