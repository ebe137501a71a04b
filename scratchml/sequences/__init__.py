"""Sequences: labels, words and time, where what comes next depends on what came before."""
from scratchml.sequences.beam import Hypotheses, beam_search
from scratchml.sequences.bilstm_tagger import BiLSTMTagger
from scratchml.sequences.crf_layer import LinearChainCRF
from scratchml.sequences.dual_encoder import DualEncoder
from scratchml.sequences.encoder_decoder import AttentiveDecoder, Encoder, EncoderDecoder
from scratchml.sequences.gated_cnn import GatedConvLanguageModel
from scratchml.sequences.gated_tagger import GatedConvTagger
from scratchml.sequences.kneser_ney import KneserNey
from scratchml.sequences.seq2seq import Seq2Seq
from scratchml.sequences.tagger import CRF
from scratchml.sequences.vocabulary import Vocabulary, shifted

CHAPTERS = (
    "features", "crf", "crf_scaled", "corpus", "crf_training", "crf_online", "decoding", "schemes", "trainers",
    "one_sequence", "tagger",
    "field_rows", "crf_layer", "neural_tagger", "bilstm_tagger", "gated_tagger", "language_model", "kneser_ney",
    "vocabulary",
    "gated_cnn", "beam", "encoder_decoder", "lessons", "seq2seq", "encoders", "dual_encoder",
)

__all__ = ["AttentiveDecoder", "BiLSTMTagger", "CRF", "DualEncoder", "Encoder", "EncoderDecoder",
           "GatedConvLanguageModel",
           "GatedConvTagger", "Hypotheses", "KneserNey", "LinearChainCRF", "Seq2Seq", "Vocabulary", "beam_search",
           "shifted"]
