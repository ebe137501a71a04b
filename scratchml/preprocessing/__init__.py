"""Preprocessing: what a model sees of the data, and on what scale."""
from scratchml.preprocessing.quantiles import QuantileTransformer
from scratchml.preprocessing.scaling import MinMaxScaler, StandardScaler

CHAPTERS = ("scaling", "quantiles")

__all__ = ["MinMaxScaler", "QuantileTransformer", "StandardScaler"]
