"""Ranking: which of these documents should stand first?  Learned from lists that somebody has graded."""
from scratchml.ranking.linear import LinearRanker
from scratchml.ranking.query_losses import (lambdarank_gradients, lambdarank_loss, listmle_loss, listnet_loss,
                                            ranknet_gradients, ranknet_loss, softmax_loss)

CHAPTERS = ("pairs", "lists", "linear", "bins", "histograms", "cuts", "growing", "trees")

__all__ = ["LinearRanker", "lambdarank_gradients", "lambdarank_loss", "listmle_loss", "listnet_loss", "ranknet_gradients",
           "ranknet_loss", "softmax_loss"]
