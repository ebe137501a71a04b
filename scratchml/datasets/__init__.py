"""Real data, small and complete, in files that come with the package: one loader a data set."""
from scratchml.datasets.loaders import (
    Dataset, Pronunciations, Purchases, Tagged, load_addresses, load_digits, load_iris, load_online_retail,
    load_penguins, load_pronunciations, load_wine)

__all__ = ["Dataset", "Pronunciations", "Purchases", "Tagged", "load_addresses", "load_digits", "load_iris",
           "load_online_retail", "load_penguins", "load_pronunciations", "load_wine"]
