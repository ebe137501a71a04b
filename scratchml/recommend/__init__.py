"""Recommending: what would somebody like whose taste is known from a few things?"""
from scratchml.recommend.splits import Split, leave_last_out, random_split

CHAPTERS = ("objectives", "half_steps", "splits")

__all__ = ["Split", "leave_last_out", "random_split"]
