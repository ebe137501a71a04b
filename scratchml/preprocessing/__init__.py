"""Preprocessing: what a model sees of the data, and on what scale."""
from scratchml.preprocessing.quantiles import QuantileTransformer
from scratchml.preprocessing.scalers import MinMaxScaler, StandardScaler

CHAPTERS = ("scaling", "scalers", "quantiles")

__all__ = ["MinMaxScaler", "QuantileTransformer", "StandardScaler"]
