"""The two kinds of files in data/: the same bytes for the same content, on every machine and every day."""
import io
import zipfile

import numpy as np


def tsv(header, data, labels):
    """Tab-separated text: `header` (D + 1 names), then each sample of `data` (N, D), its label last.

    A number is written with as few digits as give it back exactly, a missing one as nan.
    """
    numbers = ([np.format_float_positional(float(value), trim="-") for value in sample] for sample in data)
    lines = [header, *([*sample, label] for sample, label in zip(numbers, labels, strict=True))]
    return "".join("\t".join(line) + "\n" for line in lines).encode()


def npz(**arrays):
    """What numpy.savez writes, but dated 1980 and marked as from Unix whatever the day and the machine.

    Not compressed: the output of deflate depends on the version of zlib, and git and wheels compress anyway.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")       # its date is 1980-01-01 unless one is given
            entry.create_system = 3
            archive.writestr(entry, content.getvalue())
    return file.getvalue()
