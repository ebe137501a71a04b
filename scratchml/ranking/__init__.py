"""Ranking: which of these documents should stand first?  Learned from lists that somebody has graded."""
CHAPTERS = ("pairs",)

__all__ = []
