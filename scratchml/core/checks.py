"""Reject bad input at the door, in words that say what came, what was expected and what to do.

Where scikit-learn's tools look for certain words in a message, these are the words used.
"""
import numbers

import numpy as np

from scratchml.core.jit import readable

FLOATS = (np.float64, np.float32)
NO_NUMBERS = (bool, np.bool_, np.timedelta64)            # the last is one to NumPy, and means nothing without its unit


def as_matrix(X, *, name="X", min_samples=1, owner=None, allow_nan=False, check_finite=True):
    """`X` as a C-contiguous array (N, D) of finite floats; no copy if it is one already.

    float32 stays float32, every other kind of number becomes float64.  `owner` is named in the message.  A caller whose
    first step would show NaN and inf can spare the pass over X by check_finite=False, and calls `finite` if it does.

    Raises ValueError for another number of dimensions, fewer than `min_samples` rows, no column, values that are
    NaN (unless `allow_nan`), infinite, complex or no numbers at all; TypeError for sparse matrices.
    """
    by = f" by {owner}" if owner else ""
    if hasattr(X, "toarray"):
        raise TypeError(f"{name}: sparse data was passed, but dense data is required{by}. Use X.toarray() to convert "
                        "to a dense numpy array.")
    columns = getattr(X, "columns", None)                # of a data frame
    X = as_floats(X, name)
    if X.ndim < 2:
        what = "scalar array" if X.ndim == 0 else "1D array"
        raise ValueError(f"{name}: Expected 2D array, got {what} instead, of shape {X.shape}. Reshape your data using "
                         "array.reshape(-1, 1) if it has a single feature, or array.reshape(1, -1) if it is a single "
                         "sample.")
    if X.ndim > 2:
        raise ValueError(f"{name}: Found array with dim {X.ndim}, expected 2, (N, D){by}")
    if X.shape[0] < min_samples:
        raise ValueError(f"{name}: Found array with {X.shape[0]} sample(s) (shape={X.shape}) while a minimum of "
                         f"{min_samples} is required{by}.")
    if X.shape[1] < 1:
        raise ValueError(f"{name}: Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is "
                         f"required{by}.")
    return finite(X, name, allow_nan=allow_nan, columns=columns) if check_finite else X


def as_vector(x, *, name, size=None, allow_nan=False):
    """`x` as a C-contiguous array (N,) of finite floats; `size` is the N that is expected.  Raises ValueError."""
    x = as_floats(x, name)
    if x.ndim != 1 or size is not None and x.size != size:
        raise ValueError(f"{name}: expected an array of shape ({'N' if size is None else size},), got shape {x.shape}")
    return finite(x, name, allow_nan=allow_nan)


def as_floats(X, name):
    """`X` as a C-contiguous array of float64, or of float32 if it is that already; what is missing becomes NaN."""
    frame = X if hasattr(X, "columns") and hasattr(X, "dtypes") else None
    given = unmasked(X, name)
    try:
        X = np.asarray(given)
    except ValueError as error:
        raise ValueError(f"{name}: expected an array of numbers, got rows of different lengths") from error
    if X.dtype.kind == "O" and not X.ndim and X is not given:
        raise TypeError(f"{name}: expected numbers, got {_no_array(given)}")
    if frame is not None and X.dtype.kind in "OmM" and X.shape[1]:
        X = np.column_stack([_column(part, f"{name}: column {column!r}") for column, part in _columns(frame)])
    elif X.dtype.kind == "O":
        X = _without_missing(X)
    if X.dtype.kind == "c":
        raise ValueError(f"{name}: Complex data not supported, got dtype {X.dtype}")
    if X.dtype.kind in "mMV":
        raise ValueError(f"{name}: expected numbers, got dtype {X.dtype}")
    try:
        with np.errstate(over="ignore"):                 # what float64 cannot hold becomes infinite, and is refused so
            return readable(np.ascontiguousarray(X,
                                                 dtype=X.dtype if X.dtype in FLOATS else np.float64).reshape(X.shape))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name}: expected numbers, got dtype {X.dtype}: {error}") from error
    except TypeError as error:
        raise TypeError(f"{name}: expected numbers, got an object; argument must be a string or a number") from error


def unmasked(X, name):
    """`X` itself, if it is no array with masked values, nor a list of such; else a ValueError.

    NumPy reads what is under a mask as if it were known.
    """
    if type(X) is np.ndarray:
        return X
    parts = isinstance(X, (list, tuple)) and any(issubclass(kind, np.ma.MaskedArray) for kind in set(map(type, X)))
    if np.ma.is_masked(X) or parts and any(map(np.ma.is_masked, X)):
        raise ValueError(f"{name}: contains masked values. Remove such values or fill them in.")
    return X


def _no_array(thing):
    """What `thing` is, which NumPy takes for a single object, and what to pass in its place."""
    if isinstance(thing, (set, frozenset)):
        return f"a {type(thing).__name__}, which has no order; pass a list"
    if isinstance(thing, dict):
        return "a dict; pass its values as columns, np.column_stack(list(d.values())), or as rows, list(d.values())"
    remedy = "; pass a list of what it holds" if hasattr(thing, "__iter__") else ""
    return f"an object of type {type(thing).__name__}{remedy}"


def _columns(frame):
    """The columns of a data frame with their names, of which two may be alike."""
    return frame.items() if hasattr(frame, "items") else zip(frame.columns, frame)


def _column(column, what):
    """A column of a data frame as float64.  Raises ValueError, in which `what` says which it is."""
    dtype, values = column.dtype, np.asarray(column)
    if values.dtype.kind in "mM" or values.dtype.kind == "O" and any(hasattr(value, "isoformat") for value in values):
        raise ValueError(f"{what} holds dates or times ({dtype}), expected numbers; turn it into numbers, such as days "
                         "since the first, or leave it out")
    try:
        return (_without_missing(values) if values.dtype.kind == "O" else values).astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{what} has the type {dtype}, expected numbers: {error}") from error


def _without_missing(values):
    """An array of objects with NaN for each `pandas.NA`, which no float can be made of."""
    missing = np.array([type(value).__name__ == "NAType" for value in values.flat], bool).reshape(values.shape)
    return np.where(missing, np.nan, values) if missing.any() else values


def finite(X, name, *, allow_nan=False, columns=None):
    """`X` itself, if all its values are finite (or NaN, if `allow_nan`); else a ValueError that says where not.

    `columns` are the names of the columns of X (N, D), if they have any.
    """
    with np.errstate(all="ignore"):
        if np.isfinite(X.sum()):                         # one cheap pass: NaN and inf survive every sum
            return X
    bad = np.isinf(X) if allow_nan else ~np.isfinite(X)
    if bad.any():
        where = np.unravel_index(bad.argmax(), X.shape)
        what = "NaN" if np.isnan(X[where]) else "infinity"
        place = f"first at [{', '.join(map(str, where))}]" if X.ndim else "as its value"
        if columns is not None and X.ndim == 2:
            place += f", column {list(columns)[where[1]]!r}"
        raise ValueError(f"{name}: Input contains {what}, {place}. Remove such values or fill them in.")
    return X


def safe_to_square(X, name="X", *, weight=1.0, squares=None, work=None, fitted=False):
    """`X` itself, if squares of its values, and sums of them, are neither infinite nor lost in the subnormals.

    The largest magnitude must lie between √tiny / eps and √(max / 4 size), or be 0; else a ValueError that names the
    remedy.  In float64 that is about 1e-138 to 1e153 / √size, in float32 1e-12 to 1e18 / √size.  The type is that in
    which the squares are computed, `work`, by default that of X: in float64 every float32 is safe.  The squares times
    `weight`, the largest weight of a sample, must be safe too.  `squares` is Σ x² from a caller who has it anyway:
    where it is far from both limits it proves that all is well, and the pass over X is saved.

    `fitted` is for rows that come to a model later.  What is small in its data is 0 beside them, not an error, and a
    batch is not to be judged by its own largest number: so only what is too large is refused.
    """
    limits, weight = np.finfo(work or X.dtype), float(weight)
    floor, ceiling = float(limits.tiny) / float(limits.eps)**2, float(limits.max) / 4      # of squares
    floor, ceiling = 0.0 if fitted else floor / min(weight, 1), ceiling / max(weight, 1)
    if squares is not None and floor * X.size <= squares <= ceiling:
        return X
    least, most = float(np.finfo(X.dtype).smallest_subnormal), float(np.finfo(X.dtype).max)
    if least**2 >= floor and most < 1e100 and most**2 * X.size <= ceiling:
        return X                                         # float32 that is squared in float64
    largest = float(max(X.max(initial=0), -X.min(initial=0)))
    if largest > 0 and not floor**0.5 <= largest <= (ceiling / max(X.size, 1)) ** 0.5:
        weighted = f" times the weight {weight:.3g}" if weight != 1 else ""
        raise ValueError(f"{name}: the largest magnitude is {largest:.3g}, whose square{weighted} cannot be held in "
                         f"{limits.dtype}; scale the data, e.g. divide {name} by {largest:.1g}")
    return X


def held_in(X, dtype, name="X"):
    """`X` as an array of `dtype`, the type that a model was fitted in.  Raises ValueError for numbers beyond its
    range."""
    with np.errstate(over="ignore"):                     # what it cannot hold becomes infinite
        held = X.astype(dtype, copy=False)
    if held is not X and not np.isfinite(held).all():
        raise ValueError(f"{name}: the largest magnitude is {np.abs(X).max():.3g}, which cannot be held in "
                         f"{np.dtype(dtype)}, the type of the data that were fitted; scale the data, or fit float64")
    return held


def sample_weights(sample_weight, n, dtype):
    """Weights (N,) >= 0, not all zero, with a sum that can be held; None means one for each.  Raises ValueError."""
    if sample_weight is None:
        return np.ones(n, dtype)
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(n, sample_weight)
    weights, limits = as_vector(sample_weight, name="sample_weight", size=n), np.finfo(dtype)
    if (weights < 0).any():
        raise ValueError(f"sample_weight: expected no negative weight, got {weights.min()} at {weights.argmin()}")
    if not weights.any():
        raise ValueError("sample_weight: every weight is zero; at least one sample must count")
    largest = float(weights.max())
    if not float(limits.tiny) / float(limits.eps) <= largest <= float(limits.max) / n:
        raise ValueError(f"sample_weight: the largest is {largest:.3g}, and sums of such weights cannot be held in "
                         f"{limits.dtype}; divide all weights by it")
    return weights.astype(dtype, copy=False)


def whole_number(value, name, *, least=1):
    """`value` as an int of at least `least`.  Raises ValueError."""
    if not isinstance(value, numbers.Integral) or isinstance(value, NO_NUMBERS) or value < least:
        raise ValueError(f"{name}={value!r}: expected a whole number of at least {least}")
    return int(value)


def real_number(value, name, *, least=0.0, above=None):
    """`value` as a finite float of at least `least`, or greater than `above` if that is given.  Raises ValueError."""
    wanted = f"at least {least}" if above is None else f"greater than {above}"
    try:
        number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, NO_NUMBERS) else np.nan
    except OverflowError:                                # a whole number beyond float64
        number = np.inf
    if not np.isfinite(number) or (number < least if above is None else number <= above):
        raise ValueError(f"{name}={value!r}: expected a number, {wanted}")
    return number


def true_or_false(value, name):
    """`value` as a bool.  Raises ValueError for all else: the string "False" would count as true."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={value!r}: expected True or False")
    return bool(value)


def one_of(value, name, choices):
    """`value`, if it is one of the strings `choices`.  Raises ValueError."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(repr, choices))}")
    return value


def in_order(things):
    """Whether `things` hold one thing after the other, to be read at least once: no text, table, set or single
    value."""
    return hasattr(things, "__iter__") and not isinstance(things, (str, bytes, dict, set, frozenset)) and \
        not hasattr(things, "columns") and getattr(things, "ndim", 1) > 0


def is_missing(value):
    """Whether one `value` is None, or NaN, NaT or pandas.NA: what does not equal itself."""
    try:
        return value is None or bool(value != value)
    except TypeError:                                    # pandas.NA says of itself that it does not know
        return True


def keys_of(column, name):
    """The ids of a column as a list, and the different ones in the order in which they are first met.

    Raises ValueError for what is no column, and for an id that is missing or can be no key.
    """
    if not in_order(column) or getattr(column, "ndim", 1) > 1:
        raise ValueError(f"{name}: expected a column of ids, got {column!r:.60}; put a single one into a list")
    column = unmasked(column, name)
    dated = isinstance(column, np.ndarray) and column.dtype.kind in "mM"        # whose tolist() makes numbers
    keys = column.tolist() if hasattr(column, "tolist") and not dated else list(column)
    try:
        different = list(dict.fromkeys(keys))
    except TypeError as error:
        raise ValueError(f"{name}: expected ids that can be keys of a dict: {error}") from None
    if any(map(is_missing, different)):
        at = next(k for k, key in enumerate(keys) if is_missing(key))
        raise ValueError(f"{name}: the id at {at} is missing ({keys[at]!r}); leave such rows out")
    return keys, different
