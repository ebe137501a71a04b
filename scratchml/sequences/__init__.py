"""Sequences: labels, words and time, where what comes next depends on what came before."""
from scratchml.sequences.tagger import CRF

CHAPTERS = ("features", "crf", "crf_scaled", "corpus", "crf_training", "crf_online", "schemes", "tagger")

__all__ = ["CRF"]
