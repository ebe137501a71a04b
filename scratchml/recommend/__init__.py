"""Recommending: what would somebody like whose taste is known from a few things?"""
from scratchml.recommend.als import ALS
from scratchml.recommend.by_index import ByIndex
from scratchml.recommend.candidate_lists import Pool, TwoStageSplit, pool_of, two_stage_split
from scratchml.recommend.click_bait import ClickBait, smoothed_rate, worth_showing_below
from scratchml.recommend.content import ContentBased, beside
from scratchml.recommend.diversify import dpp, mmr
from scratchml.recommend.item_neighbors import ItemCosine, Popularity, item_cosine, popularity
from scratchml.recommend.linear_scorer import LinearScorer
from scratchml.recommend.pair_features import Facts, facts, features_of_pairs
from scratchml.recommend.raw_table import Ids, Table, read_table
from scratchml.recommend.rerank import (blended, calibrated, capped, filtered, gravity, half_life_decay,
                                        length_preference, rescored, scaled)
from scratchml.recommend.splits import Split, leave_last_out, random_split
from scratchml.recommend.stages import Recommender
from scratchml.recommend.truncated_svd import TruncatedSVD
from scratchml.recommend.two_tower import TwoTower
from scratchml.recommend.word_weights import Tfidf, WordCounts, bm25, tf_idf

CHAPTERS = ("objectives", "half_steps", "best_items", "factor_model", "als", "truncated_svd", "item_neighbors",
            "splits",
            "word_weights", "content", "rerank", "diversify", "click_bait", "sampled_softmax", "towers", "two_tower",
            "candidate_lists", "pair_features", "linear_scorer", "stages")

__all__ = [
    "ALS", "ByIndex", "ClickBait", "ContentBased", "Facts", "Ids", "ItemCosine", "LinearScorer", "Pool",
    "Popularity", "Recommender", "Split", "Table", "Tfidf", "TruncatedSVD", "TwoStageSplit", "TwoTower",
    "WordCounts", "beside", "blended", "bm25", "calibrated", "capped", "dpp", "facts", "features_of_pairs",
    "filtered", "gravity", "half_life_decay", "item_cosine", "leave_last_out", "length_preference", "mmr",
    "pool_of", "popularity", "random_split", "read_table", "rescored", "scaled", "smoothed_rate", "tf_idf",
    "two_stage_split", "worth_showing_below",
]
