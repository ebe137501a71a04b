"""Recommending: what would somebody like whose taste is known from a few things?"""
from scratchml.recommend.als import ALS
from scratchml.recommend.item_neighbors import ItemCosine, Popularity, item_cosine, popularity
from scratchml.recommend.splits import Split, leave_last_out, random_split
from scratchml.recommend.truncated_svd import TruncatedSVD

CHAPTERS = ("objectives", "half_steps", "best_items", "als", "truncated_svd", "item_neighbors", "splits")

__all__ = [
    "ALS", "ItemCosine", "Popularity", "Split", "TruncatedSVD", "item_cosine", "leave_last_out", "popularity",
    "random_split",
]
