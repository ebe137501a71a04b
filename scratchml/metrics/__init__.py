"""Metrics: numbers for how good a result is."""
from scratchml.metrics.candidates import mean_reciprocal_rank, ranks, recall_at_k_of_n, rivals
from scratchml.metrics.clustering import (
    adjusted_mutual_info_score, adjusted_rand_score, completeness_score, contingency, entropy, expected_mutual_info,
    fowlkes_mallows_score, homogeneity_score, mutual_info_score, normalized_mutual_info_score, v_measure_score)
from scratchml.metrics.diversity import category_shares, intra_list_diversity, miscalibration, serendipity
from scratchml.metrics.edit import (
    edit_alignment, edit_alignments, edit_distance, edit_distances, error_rate, exact_match)
from scratchml.metrics.embedding import trustworthiness
from scratchml.metrics.forecasting import (
    calculate_coverage, direction_accuracy, mean_absolute_error, mean_absolute_percentage_error,
    mean_absolute_scaled_error, mean_pinball_loss, mean_squared_error, median_absolute_percentage_error,
    root_mean_squared_error, root_mean_squared_scaled_error, symmetric_mean_absolute_percentage_error)
from scratchml.metrics.graded import dcg_score, err_score, ndcg_score
from scratchml.metrics.ranking import (
    auc, average_precision_at_k, catalogue_coverage, hit_rate_at_k, hits, ndcg_at_k, novelty, precision_at_k,
    recall_at_k, reciprocal_rank_at_k, top_k)
from scratchml.metrics.separation import (
    calinski_harabasz_score, davies_bouldin_score, silhouette_samples, silhouette_score)
from scratchml.metrics.tagging import chunk_scores, chunks, label_scores, sequence_accuracy, token_accuracy

CHAPTERS = ("clustering", "separation", "embedding", "item_lists", "ranking", "graded", "candidates", "diversity",
            "forecasting", "edit")

__all__ = ["chunk_scores", "chunks", "label_scores", "sequence_accuracy", "token_accuracy",
           "adjusted_mutual_info_score", "adjusted_rand_score", "calinski_harabasz_score", "completeness_score",
           "contingency", "davies_bouldin_score", "entropy", "expected_mutual_info", "fowlkes_mallows_score",
           "homogeneity_score", "mutual_info_score", "normalized_mutual_info_score", "silhouette_samples",
           "silhouette_score", "trustworthiness", "v_measure_score",
           "edit_alignment", "edit_alignments", "edit_distance", "edit_distances", "error_rate", "exact_match",
           "category_shares", "intra_list_diversity", "miscalibration", "serendipity",
           "auc", "average_precision_at_k", "catalogue_coverage", "hit_rate_at_k", "hits", "ndcg_at_k", "novelty",
           "precision_at_k", "recall_at_k", "reciprocal_rank_at_k", "top_k",
           "dcg_score", "err_score", "ndcg_score",
           "mean_reciprocal_rank", "ranks", "recall_at_k_of_n", "rivals",
           "calculate_coverage", "direction_accuracy", "mean_absolute_error", "mean_absolute_percentage_error",
           "mean_absolute_scaled_error", "mean_pinball_loss", "mean_squared_error", "median_absolute_percentage_error",
           "root_mean_squared_error", "root_mean_squared_scaled_error", "symmetric_mean_absolute_percentage_error"]
