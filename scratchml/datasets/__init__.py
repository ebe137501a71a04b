"""Real data, small and complete, in files that come with the package: one loader a data set."""
from scratchml.datasets.loaders import (
    Choices, Dataset, Pronunciations, Purchases, Tagged, load_addresses, load_digits, load_iris, load_mode_choice,
    load_online_retail, load_penguins, load_pronunciations, load_wine)
from scratchml.datasets.series import (
    Series, Traffic, load_co2, load_electrical_equipment, load_euro_rates, load_nile, load_peyton_manning,
    load_real_gdp, load_sunspots, load_traffic, load_water_flow)

__all__ = ["Choices", "Dataset", "Pronunciations", "Purchases", "Series", "Tagged", "Traffic", "load_addresses",
           "load_co2",
           "load_digits", "load_electrical_equipment", "load_euro_rates", "load_iris",
           "load_mode_choice", "load_nile", "load_online_retail", "load_penguins", "load_peyton_manning",
           "load_pronunciations", "load_real_gdp",
           "load_sunspots", "load_traffic", "load_water_flow", "load_wine"]
