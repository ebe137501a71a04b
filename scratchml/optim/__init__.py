"""Optimisation: how to get from a gradient to a minimum, on plain arrays or on Tensors."""
import sys

from scratchml.optim import schedules as lr_scheduler
from scratchml.optim.first_order import SGD, Adagrad, Adam, AdamW, RMSprop, clip_grad_norm_, clip_grad_value_
from scratchml.optim.lbfgs import Minimum, lbfgs
from scratchml.optim.schedules import (
    CosineAnnealingLR, ExponentialLR, LinearLR, OneCycleLR, ReduceLROnPlateau, SequentialLR, StepLR,
)

CHAPTERS = ("line_search", "lbfgs", "optimizer", "first_order", "schedules")

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "RMSprop", "clip_grad_norm_", "clip_grad_value_",
    "Minimum", "lbfgs",
    "CosineAnnealingLR", "ExponentialLR", "LinearLR", "OneCycleLR", "ReduceLROnPlateau", "SequentialLR", "StepLR",
]

sys.modules[f"{__name__}.lr_scheduler"] = lr_scheduler   # PyTorch's name for it
