"""Preprocessing: what a model sees of the data, and on what scale."""
from scratchml.preprocessing.scaling import MinMaxScaler, QuantileTransformer, StandardScaler

CHAPTERS = ("scaling",)

__all__ = ["MinMaxScaler", "QuantileTransformer", "StandardScaler"]
