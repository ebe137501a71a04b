"""Optimisation: how to get from a gradient to a minimum, on plain arrays or on Tensors."""
import sys
import types

from scratchml.optim.adadelta import Adadelta
from scratchml.optim.first_order import SGD, Adagrad, Adam, AdamW, RMSprop, clip_grad_norm_, clip_grad_value_
from scratchml.optim.lbfgs import Minimum, lbfgs
from scratchml.optim.plateau import ReduceLROnPlateau
from scratchml.optim.quasi_newton import LBFGS
from scratchml.optim.restarts import CosineAnnealingWarmRestarts
from scratchml.optim.schedules import (
    CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, OneCycleLR, SequentialLR, StepLR,
)

CHAPTERS = ("line_search", "lbfgs", "optimizer", "first_order", "adadelta", "quasi_newton", "schedules", "restarts",
            "plateau")

__all__ = [
    "LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "RMSprop", "clip_grad_norm_", "clip_grad_value_",
    "Minimum", "lbfgs",
    "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR",
    "OneCycleLR", "ReduceLROnPlateau", "SequentialLR", "StepLR",
]

SCHEDULES = [name for name in __all__ if "LR" in name or "Cosine" in name]

lr_scheduler = sys.modules[f"{__name__}.lr_scheduler"] = types.ModuleType(f"{__name__}.lr_scheduler")
lr_scheduler.__dict__.update({name: globals()[name] for name in SCHEDULES})               # PyTorch's name for these
