"""Metrics: numbers for how good a result is."""
from scratchml.metrics.clustering import (
    adjusted_mutual_info_score, adjusted_rand_score, calinski_harabasz_score, completeness_score, contingency,
    davies_bouldin_score, entropy, expected_mutual_info, fowlkes_mallows_score, homogeneity_score, mutual_info_score,
    normalized_mutual_info_score, silhouette_samples, silhouette_score, v_measure_score)
from scratchml.metrics.embedding import trustworthiness
from scratchml.metrics.tagging import chunk_scores, chunks, label_scores, sequence_accuracy, token_accuracy

CHAPTERS = ("clustering", "embedding")

__all__ = ["chunk_scores", "chunks", "label_scores", "sequence_accuracy", "token_accuracy",
           "adjusted_mutual_info_score", "adjusted_rand_score", "calinski_harabasz_score", "completeness_score",
           "contingency", "davies_bouldin_score", "entropy", "expected_mutual_info", "fowlkes_mallows_score",
           "homogeneity_score", "mutual_info_score", "normalized_mutual_info_score", "silhouette_samples",
           "silhouette_score", "trustworthiness", "v_measure_score"]
