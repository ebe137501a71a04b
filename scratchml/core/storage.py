"""Saving a model without pickle: arrays and plain values in one file, and no code.

Unpickling a file runs whatever its author wrote, and breaks with the next version of a class.  The file written here
is an .npz, so `numpy.load` opens it too: one .npy member for each array, and before them a member `scratchml.json`

    {"format": 1, "kind": "scratchml.sequences.CRF", "arrays": [their names], "rest": {everything else}}

Same content, same bytes: no date is in it.  A file is replaced as a whole or not at all.  What is read is held against
its CRC-32, and whatever is wrong with a file is a ValueError that names it.
"""
import io
import json
import os
import secrets
import zipfile
from pathlib import Path

import numpy as np

FORMAT = 1                                               # raise it when an older `load` could not read the file
HEADER = "scratchml.json"


def save(path, kind, arrays, rest):
    """Write `arrays`, a dict of NumPy arrays, and `rest`, a dict of plain values, to exactly the file `path`.

    `kind` says what the file holds, e.g. "scratchml.sequences.CRF"; `load` asks for it.

    Arrays may have any shape and memory order and hold numbers, bools, dates, str or bytes of fixed width.  Plain
    values are None, bool, int, float, str, NumPy scalars of these types, and lists, tuples and str-keyed dicts of plain
    values.  They come back as Python's own; a tuple comes back as a list.  NaN and ±inf are kept (the JSON says NaN,
    Infinity, -Infinity, as Python's json module does), and floats to the last bit.

    The content is written to a temporary file in the same folder, flushed to the disk and then moved over `path`:
    whatever interrupts it, `path` holds either the old content or the new.

    Raises ValueError, before anything is written, for what cannot be stored; OSError if the file cannot be written.
    """
    content = _pack(kind, arrays, rest)
    path = Path(os.path.realpath(path))                  # a link stays a link
    temporary = path.with_name(f".scratchml-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:                                # Ctrl-C included
        temporary.unlink(missing_ok=True)
        raise


def load(path, kind):
    """The `(arrays, rest)` that `save` wrote to `path` under this `kind`.

    Raises ValueError if the file is damaged, truncated, not written by `save`, of another kind, or of a later format;
    FileNotFoundError if there is none.
    """
    if os.path.isdir(path):
        raise ValueError(f"{path}: expected a file holding {kind}, got a folder")
    content = Path(path).read_bytes()
    if not content:
        raise ValueError(f"{path}: expected a file holding {kind}, got an empty file")
    if not content.startswith(b"PK"):
        raise ValueError(f"{path}: expected a file holding {kind}, got one that scratchml did not write")
    try:
        found, arrays, rest = _unpack(content)
    except _Foreign as error:
        raise ValueError(f"{path}: expected a file holding {kind}, got {error}") from None
    except Exception as error:                           # zipfile alone raises a dozen types for damaged bytes
        raise ValueError(f"{path}: damaged or truncated, {error}; fetch or save it again") from error
    if found != kind:
        raise ValueError(f"{path}: expected a file holding {kind}, got {found}")
    return arrays, rest


class _Foreign(Exception):
    """An intact file, but not one that this version of `save` wrote."""


# --- content and bytes --------------------------------------------------------------------------


def _pack(kind, arrays, rest):
    if not isinstance(kind, str) or not kind:
        raise ValueError(f"kind={kind!r}: expected a name such as 'scratchml.sequences.CRF'")
    for name, value in (("arrays", arrays), ("rest", rest)):
        if not isinstance(value, dict):
            raise ValueError(f"{name}: expected a dict, got {type(value).__name__}")
    for name, array in arrays.items():
        _check_array(name, array)
    try:
        header = {"format": FORMAT, "kind": kind, "arrays": list(arrays), "rest": _plain(rest, "rest")}
        text = json.dumps(header)
    except RecursionError:
        raise ValueError("rest: nested too deeply, or holds itself") from None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(HEADER), text)
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue()


def _unpack(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if HEADER not in names:
            raise _Foreign("another zip or npz file")
        header = json.loads(archive.read(HEADER))
        if header["format"] > FORMAT:
            raise _Foreign(f"format {header['format']} of it, this scratchml reads up to {FORMAT}: install a newer one")
        if names != [HEADER] + [f"{name}.npy" for name in header["arrays"]]:
            raise ValueError("its arrays are not those that it lists")
        arrays = {name: _read_array(archive.read(f"{name}.npy")) for name in header["arrays"]}
        return header["kind"], arrays, header["rest"]


def _read_array(content):
    file = io.BytesIO(content)                           # read as a whole: only so is the CRC compared
    array = np.lib.format.read_array(file, allow_pickle=False)
    if file.read(1):
        raise ValueError("an array is followed by something else")
    return array


# --- what can be stored -------------------------------------------------------------------------


def _check_array(name, array):
    if not isinstance(name, str) or not 0 < len(name) < 1000 or not name.isprintable() or "\\" in name:
        raise ValueError(f"arrays: {name!r:.80} cannot name an array; expected up to 999 printable characters, "
                         "no backslash")
    if type(array) is not np.ndarray and not getattr(array, "of_an_array", False):          # a view with methods
        raise ValueError(f"arrays[{name!r}]: expected a numpy.ndarray, got {type(array).__name__}; "
                         "use numpy.asarray, or store it in rest")
    if array.dtype.kind not in "biufcSUmM":
        raise ValueError(f"arrays[{name!r}]: expected numbers, bools, dates, str or bytes of fixed width, "
                         f"got dtype {array.dtype}; what is not an array of such belongs in rest")


def _plain(value, place):
    """`value` in the types that JSON has; `place` says where it stands, for the message."""
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{place}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, dict):
        odd = [key for key in value if not isinstance(key, str)]
        if odd:
            raise ValueError(f"{place}: expected only str as keys, got {odd[0]!r}")
        return {key: _plain(item, f"{place}[{key!r}]") for key, item in value.items()}
    raise ValueError(f"{place}: expected a plain value (None, bool, number, str, list, dict), "
                     f"got {type(value).__name__}; an array belongs in arrays")
