"""Recommending: what would somebody like whose taste is known from a few things?"""

CHAPTERS = ()

__all__ = []
