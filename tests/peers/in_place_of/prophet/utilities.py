"""prophet.utilities."""
from scratchml.timeseries import regressor_coefficients  # noqa: F401


def warm_start_params(m):
    return {name: values[0] for name, values in m.params.items()}
