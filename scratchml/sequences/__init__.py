"""Sequences: labels, words and time, where what comes next depends on what came before."""
from scratchml.sequences.bilstm_tagger import BiLSTMTagger
from scratchml.sequences.crf_layer import LinearChainCRF
from scratchml.sequences.tagger import CRF

CHAPTERS = ("features", "crf", "crf_scaled", "corpus", "crf_training", "crf_online", "schemes", "tagger", "field_rows", "crf_layer",
            "neural_tagger", "bilstm_tagger")

__all__ = ["BiLSTMTagger", "CRF", "LinearChainCRF"]
