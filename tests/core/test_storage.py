"""What is saved comes back exactly, or the file is refused by name; and an interrupted save loses nothing."""
import io
import json
import math
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from scratchml.core import storage
from scratchml.core.storage import load, save

KIND = "scratchml.tests.Model"
ARRAYS = {"weights": np.arange(6.0).reshape(2, 3), "naïve/λ.bias": np.float32([1, -0.0, np.nan])}
REST = {"name": "Ünïcode \ud800 \0", "sizes": [3, 10**30, -0.0], "nested": {"": None, "flag": True}}

names = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\\"), min_size=1, max_size=8)
plain = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                     lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
                     max_leaves=12)
some_array = hnp.arrays(
    st.sampled_from(["?", "i1", ">i4", "u8", "f2", "f4", ">f8", "c8", "S3", "U2", "m8[s]", "M8[D]"]).map(np.dtype),
    hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
contents = st.dictionaries(names, some_array, max_size=3), st.dictionaries(st.text(), plain, max_size=4)


def same(got, expected):
    """Equal in value and in type; NaN equals NaN, and -0.0 is not 0.0."""
    if isinstance(expected, np.ndarray):
        return got.dtype == expected.dtype and got.shape == expected.shape and got.tobytes() == expected.tobytes()
    if isinstance(expected, dict):
        return list(got) == list(expected) and all(same(got[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(got) == len(expected) and all(map(same, got, expected))
    return type(got) is type(expected) and repr(got) == repr(expected)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def whole(folder):
    """The bytes of a file that is in order."""
    save(folder / "whole", KIND, ARRAYS, REST)
    return (folder / "whole").read_bytes()


def intact_or_refused(folder, content):
    """True if the file says what was saved, False if it is refused by name; anything else is an error."""
    path = folder / "damaged"
    path.write_bytes(content)
    try:
        arrays, rest = load(path, KIND)
    except ValueError as error:
        assert str(error).startswith(f"{path}: ")
        return False
    assert same(arrays, ARRAYS) and same(rest, REST)
    return True


# --- the way there and back

@given(*contents)
def test_everything_comes_back_exactly(folder, arrays, rest):
    save(folder / "model.npz", KIND, arrays, rest)
    got = load(str(folder / "model.npz"), KIND)
    assert same(got[0], arrays) and same(got[1], rest)


def test_a_name_of_any_printable_characters(folder):
    arrays = {name: np.ones(2) for name in ("/a/../b", " ", "scratchml.json", "λ" * 999, "a.npy")}
    save(folder / "names", KIND, arrays, {})
    assert same(load(folder / "names", KIND)[0], arrays)


@given(*contents)
def test_same_content_same_bytes(folder, arrays, rest):
    for name in ("one", "two"):
        save(folder / name, KIND, arrays, rest)
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
    with zipfile.ZipFile(folder / "one") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_order_in_memory_comes_back_and_the_arrays_are_the_callers_to_write(folder):
    C, F, view = np.ones((2, 3)), np.ones((2, 3), order="F"), np.arange(9)[::-2]
    save(folder / "orders", KIND, {"C": C, "F": F, "view": view}, {})
    arrays, _ = load(folder / "orders", KIND)
    assert arrays["C"].flags.c_contiguous and arrays["F"].flags.f_contiguous and not arrays["F"].flags.c_contiguous
    assert arrays["view"].tolist() == [8, 6, 4, 2, 0] and all(array.flags.writeable for array in arrays.values())


def test_tuples_become_lists_and_numpy_scalars_python_numbers(folder):
    save(folder / "plain", KIND, {}, {"t": (1, (2,)), "i": np.int8(-3), "f": np.float32(0.5), "b": np.bool_(True)})
    assert same(load(folder / "plain", KIND)[1], {"t": [1, [2]], "i": -3, "f": 0.5, "b": True})


def test_nan_and_infinity_are_kept(folder):
    save(folder / "extremes", KIND, {}, {"x": [math.nan, math.inf, -math.inf, 5e-324, 0.1 + 0.2]})
    assert same(load(folder / "extremes", KIND)[1], {"x": [math.nan, math.inf, -math.inf, 5e-324, 0.1 + 0.2]})


def test_numpy_reads_the_arrays_without_pickle(whole, folder):
    with np.load(folder / "whole", allow_pickle=False) as archive:
        assert same({name: archive[name] for name in ARRAYS}, ARRAYS)
        assert json.loads(archive[storage.HEADER])["kind"] == KIND


# --- damage

@given(st.data())
def test_a_truncated_file_is_refused(whole, folder, data):
    assert not intact_or_refused(folder, whole[:data.draw(st.integers(0, len(whole) - 1))])


@given(st.data())
def test_a_file_without_its_beginning_is_refused(whole, folder, data):
    assert not intact_or_refused(folder, whole[data.draw(st.integers(1, len(whole))):])


@given(st.data())
def test_a_file_with_a_hole_is_refused(whole, folder, data):
    start = data.draw(st.integers(0, len(whole) - 1))
    stop = data.draw(st.integers(start + 1, len(whole)))
    assert not intact_or_refused(folder, whole[:start] + whole[stop:])


def test_no_flipped_byte_anywhere_gives_other_data(whole, folder):
    """Each byte in turn, headers and table of contents included; a few, such as dates, mean nothing to us."""
    harmless = 0
    for position in range(len(whole)):
        for mask in (0x01, 0x80, 0xFF):
            damaged = bytearray(whole)
            damaged[position] ^= mask
            harmless += intact_or_refused(folder, bytes(damaged))
    assert 0 < harmless < 0.5 * 3 * len(whole)


def test_every_byte_of_an_array_and_of_the_rest_counts(whole, folder):
    for data in (ARRAYS["weights"].tobytes(), ARRAYS["naïve/λ.bias"].tobytes(), json.dumps(REST).encode()):
        start = whole.index(data)
        for position in range(start, start + len(data)):
            damaged = bytearray(whole)
            damaged[position] ^= 0x10
            assert not intact_or_refused(folder, bytes(damaged))


@given(st.data(), st.binary(min_size=1, max_size=40))
def test_overwritten_bytes_give_no_other_data(whole, folder, data, patch):
    start = data.draw(st.integers(0, len(whole) - len(patch)))
    intact_or_refused(folder, whole[:start] + patch + whole[start + len(patch):])


# --- other files

def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def header(**changes):
    return json.dumps({"format": 1, "kind": KIND, "arrays": [], "rest": {}} | changes)


class Trap:
    """Unpickling it would fail the test."""

    def __reduce__(self):
        return pytest.fail, ("the pickle was loaded",)


@pytest.mark.parametrize("content, message", [
    (b"", "got an empty file"),
    (b"P", "got one that scratchml did not write"),
    ("# notes\n".encode(), "got one that scratchml did not write"),
    (b"PK is no magic\n", "damaged or truncated"),
    (pickle.dumps(Trap()), "got one that scratchml did not write"),
    (npz(weights=np.ones(3)), "got another zip or npz file"),
    (zipped(), "got another zip or npz file"),
    (zipped(scratchml__json=header(format=2)), "format 2 of it, this scratchml reads up to 1: install a newer one"),
    (zipped(scratchml__json=header(arrays=["w"])), "damaged or truncated, its arrays are not those that it lists"),
    (zipped(scratchml__json=header(), w__npy=b""), "damaged or truncated, its arrays are not those that it lists"),
    (zipped(scratchml__json="[1]"), "damaged or truncated"),
    (zipped(scratchml__json="{}"), "damaged or truncated"),
    (zipped(scratchml__json=header(arrays=["w"]), w__npy=b"not an array"), "damaged or truncated"),
    (zipped(scratchml__json=header(kind="scratchml.tests.Other")), "got scratchml.tests.Other$"),
])
def test_another_file_is_refused_and_named(folder, content, message):
    path = folder / "foreign"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        load(path, KIND)
    assert str(caught.value).startswith(f"{path}: ") and (KIND in str(caught.value) or "damaged" in str(caught.value))


def npy(array, **how):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **how)
    return buffer.getvalue()


@pytest.mark.parametrize("content, message", [
    (npy(np.array([Trap()], object), allow_pickle=True), "allow_pickle=False"),
    (npy(np.ones(3)) + b"\0", "followed by something else"),
    (npy(np.ones(3))[:-1], "EOF"),
])
def test_a_member_that_is_no_plain_array_is_refused(folder, content, message):
    (folder / "crafted").write_bytes(zipped(scratchml__json=header(arrays=["w"]), w__npy=content))
    with pytest.raises(ValueError, match=message):
        load(folder / "crafted", KIND)


def test_a_folder_is_refused_and_a_missing_file_is_missing(folder):
    with pytest.raises(ValueError, match="got a folder"):
        load(folder, KIND)
    with pytest.raises(FileNotFoundError):
        load(folder / "nowhere", KIND)


# --- interrupted

@pytest.mark.parametrize("exception", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interrupted_save_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step, exception):
    save(tmp_path / "model", KIND, ARRAYS, REST)

    def interrupt(*_):
        assert len(list(tmp_path.iterdir())) == 2        # the temporary file is in the same folder
        raise exception
    with monkeypatch.context() as patch:
        patch.setattr(os, step, interrupt)
        with pytest.raises(exception):
            save(tmp_path / "model", KIND, {}, {"new": True})
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
    assert same(load(tmp_path / "model", KIND)[1], REST)


def test_the_content_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    calls, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: calls.append(os.fstat(file).st_size) or fsync(file))
    monkeypatch.setattr(os, "replace", lambda old, new: calls.append("replace") or replace(old, new))
    save(tmp_path / "model", KIND, ARRAYS, REST)
    assert calls == [(tmp_path / "model").stat().st_size, "replace"]


def test_what_cannot_be_stored_leaves_the_old_file_alone(tmp_path):
    save(tmp_path / "model", KIND, ARRAYS, REST)
    with pytest.raises(ValueError):
        save(tmp_path / "model", KIND, {"good": np.ones(3), "bad": np.array([{}])}, {})
    assert [file.name for file in tmp_path.iterdir()] == ["model"] and same(load(tmp_path / "model", KIND)[0], ARRAYS)


def test_a_new_file_replaces_the_old_one_and_a_link_stays_a_link(tmp_path):
    save(tmp_path / "model", KIND, ARRAYS, REST)
    (tmp_path / "link").symlink_to(tmp_path / "model")
    save(tmp_path / "link", KIND, {}, {"new": True})
    assert (tmp_path / "link").is_symlink() and load(tmp_path / "model", KIND) == ({}, {"new": True})
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link", "model"]


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        save(tmp_path / "folder", KIND, {}, {})
    with pytest.raises(FileNotFoundError):
        save(tmp_path / "nowhere" / "model", KIND, {}, {})
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


# --- what cannot be stored

LOOP = []
LOOP.append(LOOP)


@pytest.mark.parametrize("arrays, message", [
    ([], "arrays: expected a dict, got list"),
    ({"w": [1.0]}, r"arrays\['w'\]: expected a numpy.ndarray, got list"),
    ({"w": np.ma.array([1.0], mask=[True])}, r"arrays\['w'\]: expected a numpy.ndarray, got MaskedArray"),
    ({"w": np.array([None])}, r"arrays\['w'\]: expected numbers.*got dtype object"),
    ({"w": np.zeros(2, [("a", "f8"), ("b", "O")])}, r"arrays\['w'\]: expected numbers.*got dtype \[\('a'"),
    ({1: np.ones(2)}, "arrays: 1 cannot name an array"),
    ({"": np.ones(2)}, "arrays: '' cannot name an array"),
    ({"a\0b": np.ones(2)}, r"arrays: 'a\\x00b' cannot name"),
    ({"a\ud800": np.ones(2)}, "cannot name an array"),
    ({"a\\b": np.ones(2)}, "cannot name an array"),
    ({"a" * 1000: np.ones(2)}, "expected up to 999 printable characters, no backslash"),
])
def test_bad_arrays(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        save(tmp_path / "model", KIND, arrays, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rest, message", [
    (None, "rest: expected a dict, got NoneType"),
    ({"a": [{"b": (1, {2})}]}, r"rest\['a'\]\[0\]\['b'\]\[1\]: expected a plain value .* got set"),
    ({"a": {1: 2}}, r"rest\['a'\]: expected only str as keys, got 1"),
    ({None: 2}, "rest: expected only str as keys, got None"),
    ({"a": np.ones(2)}, r"rest\['a'\]: expected a plain value .* got ndarray; an array belongs in arrays"),
    ({"a": 1j}, "got complex"),
    ({"a": b"bytes"}, "got bytes"),
    ({"a": LOOP}, "rest: nested too deeply, or holds itself"),
])
def test_bad_rest(tmp_path, rest, message):
    with pytest.raises(ValueError, match=message):
        save(tmp_path / "model", KIND, {}, rest)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["", None, 3])
def test_bad_kind(tmp_path, kind):
    with pytest.raises(ValueError, match=f"kind={kind!r}: expected a name"):
        save(tmp_path / "model", kind, {}, {})
