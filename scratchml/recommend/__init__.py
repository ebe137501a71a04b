"""Recommending: what would somebody like whose taste is known from a few things?"""

CHAPTERS = ("objectives", "half_steps")

__all__ = []
