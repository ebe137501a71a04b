"""Ranking: which of these documents should stand first?  Learned from lists that somebody has graded."""
from scratchml.ranking.lambdamart import LambdaMART
from scratchml.ranking.linear import LinearRanker
from scratchml.ranking.query_losses import (lambdarank_gradients, lambdarank_loss, listmle_loss, listnet_loss,
                                            ranknet_gradients, ranknet_loss, softmax_loss)

CHAPTERS = ("pairs", "lists", "linear", "bins", "histograms", "cuts", "growing", "trees", "lambdas", "boosting")

__all__ = ["LambdaMART", "LinearRanker", "lambdarank_gradients", "lambdarank_loss", "listmle_loss", "listnet_loss",
           "ranknet_gradients", "ranknet_loss", "softmax_loss"]
