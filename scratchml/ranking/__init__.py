"""Ranking: which of these documents should stand first?  Learned from lists that somebody has graded."""
CHAPTERS = ("pairs", "bins", "histograms", "cuts", "growing", "trees")

__all__ = []
