"""Optimisation: how to get from a gradient to a minimum."""
from scratchml.optim.first_order import SGD, Adagrad, Adam, AdamW, RMSprop, clip_grad_norm_, clip_grad_value_
from scratchml.optim.schedules import CosineAnnealingLR, LinearLR, SequentialLR, StepLR

CHAPTERS = (
    "first_order",
    "schedules",
)

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "RMSprop", "clip_grad_norm_", "clip_grad_value_",
    "CosineAnnealingLR", "LinearLR", "SequentialLR", "StepLR",
]
