"""The data sets against what is published about them, and the files against the script that made them."""
import gzip
import hashlib
import io
import lzma
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from scratchml.datasets import (load_addresses, load_digits, load_iris, load_mode_choice, load_online_retail,
                                load_penguins, load_pronunciations, load_wine, loaders, rebuild)

FILES = {load_digits: "digits.npz", load_iris: "iris.tsv", load_penguins: "penguins.tsv", load_wine: "wine.tsv"}
PACKED = {load_mode_choice: "mode_choice.tsv", load_online_retail: "online_retail.npz",
          load_pronunciations: "pronunciations.npz"}
ROOT = Path(__file__).parents[2]

each_loader = pytest.mark.parametrize("load", FILES)


def means(dataset):
    """The mean of every feature in every class, (K, D); missing values do not count."""
    return [np.nanmean(dataset.data[dataset.target == k], axis=0) for k in range(len(dataset.target_names))]


# --- what every loader promises

@each_loader
def test_shapes_and_dtypes(load):
    data, target, feature_names, target_names = load()
    assert data.dtype == np.float64 and data.flags.c_contiguous and target.dtype == np.int64
    assert data.shape == (len(target), len(feature_names)) and len(set(feature_names)) == len(feature_names)
    assert np.unique(target).tolist() == list(range(len(target_names)))
    assert target_names.dtype.kind == "U" and target_names.tolist() == sorted(target_names)


@each_loader
def test_the_docstring_states_its_shapes_and_where_it_comes_from(load):
    data, target, _, target_names = load()
    assert f"\n    data {data.shape}, target ({len(target)}), {len(target_names)} classes.\n" in load.__doc__
    assert re.search(r"^    Source: .*https://doi\.org/.*^    Licence: CC", load.__doc__, re.DOTALL | re.MULTILINE)


@each_loader
def test_a_caller_may_change_what_it_gets(load):
    first, before = load(), load()
    first.data[:], first.target[:], first.target_names[:], first.feature_names[:] = -1, -1, "", []
    for again, value in zip(load(), before):
        np.testing.assert_array_equal(again, value)


def test_importing_the_loaders_is_light():
    code = "import sys, scratchml.datasets; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "scratchml.datasets.loaders" in loaded.split()
    assert not {"numba", "scipy", "scratchml.core", "scratchml.datasets.rebuild"} & set(loaded.split())


# --- digits

def test_digits_has_the_class_counts_of_uci():
    digits = load_digits()
    assert np.bincount(digits.target).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert digits.target_names.tolist() == [str(k) for k in range(10)]
    assert digits.data.sum() == 561718


def test_digits_counts_the_points_of_blocks_of_16():
    data = load_digits().data
    assert data.min() == 0 and data.max() == 16 and (data == np.rint(data)).all()


def test_the_first_digit_is_a_zero_row_by_row():
    digits = load_digits()
    assert digits.target[:3].tolist() == [0, 1, 2]
    assert digits.data[0].reshape(8, 8)[:2].tolist() == [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0]]
    assert digits.data[0].reshape(8, 8)[2:6, 3:5].max() <= 2           # the hole
    assert digits.feature_names[10] == "pixel_1_2" and digits.data[0, 10] == 13


# --- iris

def test_iris_is_fishers_and_not_the_version_with_three_wrong_values():
    iris = load_iris()
    assert iris.data[34].tolist() == [4.9, 3.1, 1.5, 0.2] and iris.data[37].tolist() == [4.9, 3.6, 1.4, 0.1]
    assert iris.target_names.tolist() == ["setosa", "versicolor", "virginica"]
    np.testing.assert_allclose(means(iris), [[5.006, 3.428, 1.462, 0.246],          # Fisher's means of 50, exact
                                             [5.936, 2.770, 4.260, 1.326],
                                             [6.588, 2.974, 5.552, 2.026]], rtol=1e-14)


def test_iris_has_the_principal_axes_that_everybody_finds():
    variances = np.linalg.eigvalsh(np.cov(load_iris().data.T))[::-1]
    np.testing.assert_allclose(variances / variances.sum(), [0.92462, 0.05307, 0.01710, 0.00521], atol=5e-6)


def test_iris_is_fifty_of_each_in_order():
    iris = load_iris()
    assert iris.target.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    assert iris.feature_names == [f"{part} {size} (cm)" for part in ("sepal", "petal") for size in ("length", "width")]
    assert iris.data[0].tolist() == [5.1, 3.5, 1.4, 0.2] and iris.data[-1].tolist() == [5.9, 3.0, 5.1, 1.8]


# --- wine

def test_wine_has_the_class_counts_and_ranges_of_uci():
    wine = load_wine()
    assert np.bincount(wine.target).tolist() == [59, 71, 48]
    assert wine.target_names.tolist() == ["class_0", "class_1", "class_2"]
    published = {"alcohol": (11.03, 14.83), "malic_acid": (0.74, 5.8), "ash": (1.36, 3.23),
                 "alcalinity_of_ash": (10.6, 30), "magnesium": (70, 162), "total_phenols": (0.98, 3.88),
                 "flavanoids": (0.34, 5.08), "nonflavanoid_phenols": (0.13, 0.66), "proanthocyanins": (0.41, 3.58),
                 "color_intensity": (1.28, 13), "hue": (0.48, 1.71), "od280/od315_of_diluted_wines": (1.27, 4),
                 "proline": (278, 1680)}
    assert wine.feature_names == list(published)
    assert list(zip(wine.data.min(axis=0), wine.data.max(axis=0))) == list(published.values())


def test_wine_has_the_scales_that_its_docstring_states():
    deviations = load_wine().data.std(axis=0, ddof=1)
    assert round(deviations.min(), 2) == 0.12 and round(deviations.max()) == 315
    assert "0.12" in load_wine.__doc__ and "315" in load_wine.__doc__


def test_wine_first_and_last():
    data = load_wine().data
    assert data[0].tolist() == [14.23, 1.71, 2.43, 15.6, 127, 2.8, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065]
    assert data[-1].tolist() == [14.13, 4.1, 2.74, 24.5, 96, 2.05, 0.76, 0.56, 1.35, 9.2, 0.61, 1.6, 560]


# --- how people travelled

def test_mode_choice_has_greenes_shares_and_means():
    trips = load_mode_choice()
    assert trips.data.shape == (840, 6) and trips.data.dtype == np.float64 and trips.data.flags.c_contiguous
    assert trips.feature_names == ["terminal_time", "cost", "travel_time", "generalised_cost", "income", "party_size"]
    assert trips.chooser.tolist() == np.repeat(np.arange(210), 4).tolist()
    assert trips.alternatives.tolist() == ["air", "train", "bus", "car"] * 210
    taken = trips.chosen == 1
    assert (np.bincount(trips.chooser, trips.chosen) == 1).all() and trips.chosen.sum() == 210
    assert {mode: int((trips.alternatives[taken] == mode).sum()) for mode in trips.alternatives[:4].tolist()} == \
        dict(air=58, train=63, bus=30, car=59)
    assert not trips.data[trips.alternatives == "car", 0].any()          # nobody waits for the own car
    same = trips.data.reshape(210, 4, 6)[:, :, 4:]
    assert (same == same[:, :1]).all() and trips.data[::4, 4].mean() == pytest.approx(34.548, abs=5e-4)


# --- penguins

def test_penguins_has_the_published_counts_and_means():
    penguins = load_penguins()
    assert dict(zip(penguins.target_names.tolist(), np.bincount(penguins.target).tolist())) \
        == {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}
    assert penguins.feature_names == ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    published = [[38.8, 18.3, 190.0, 3701], [48.8, 18.4, 195.8, 3733], [47.5, 15.0, 217.2, 5076]]
    assert (np.abs(np.subtract(means(penguins), published)) <= [0.05, 0.05, 0.05, 0.5]).all()      # as rounded there


def test_two_penguins_were_not_measured():
    penguins = load_penguins()
    missing = np.isnan(penguins.data)
    assert np.flatnonzero(missing.any(axis=1)).tolist() == [3, 271] and missing.all(axis=1).sum() == 2
    assert penguins.target_names[penguins.target[[3, 271]]].tolist() == ["Adelie", "Gentoo"]


# --- addresses

@pytest.mark.parametrize("messy, addresses, tokens, labels", [(False, 1513, 10722, 29), (True, 63, 404, 11)])
def test_addresses_have_as_many_tokens_and_labels_as_stated(messy, addresses, tokens, labels):
    data = load_addresses(messy=messy)
    assert len(data.tokens) == len(data.labels) == addresses and f"{addresses:,} " in load_addresses.__doc__
    assert [len(x) for x in data.tokens] == [len(y) for y in data.labels] and min(map(len, data.tokens)) > 0
    assert sum(map(len, data.tokens)) == tokens and len({label for y in data.labels for label in y}) == labels
    assert all(token and token == token.strip() for x in data.tokens for token in x)


def test_the_first_addresses():
    data = load_addresses()
    assert " ".join(data.tokens[0]) == "8128 S. DR MARTIN LUTHER KING JR Drive"
    assert data.labels[0] == ["AddressNumber", "StreetNamePreDirectional", *["StreetName"] * 5, "StreetNamePostType"]
    assert load_addresses(messy=True).tokens[0][3:5] == ["Road#", "1,"]


@pytest.mark.parametrize("messy", [False, True])
def test_a_caller_may_change_addresses(messy):
    first, before = load_addresses(messy=messy), load_addresses(messy=messy)
    first.tokens[0][0], first.labels[0][:] = "", []
    assert load_addresses(messy=messy) == before


def test_addresses_are_what_is_in_the_xml():
    xml = (b"<A><AddressString><AddressNumber>12 </AddressNumber> <StreetName>Oak\n</StreetName>, "
           b"<PlaceName>Rome</PlaceName>"
           b"</AddressString>\n<AddressString><ZipCode>1</ZipCode>\n</AddressString></A>")
    assert rebuild.addresses(xml) == b"12\tAddressNumber\nOak,\tStreetName\nRome\tPlaceName\n\n1\tZipCode\n\n"


def test_damaged_addresses_are_named(copy_of_data):
    file = copy_of_data / "addresses.tsv"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="addresses.tsv: damaged"):
        load_addresses()
    assert load_addresses(messy=True)


# --- online retail

def test_purchases_are_as_many_as_stated():
    bought = load_online_retail()
    assert all(part.shape == (453_770,) and part.dtype == np.int64 for part in bought[:4])
    assert bought.item_names.shape == (3253,) and bought.item_names.dtype.kind == "U"
    assert bought.users.max() + 1 == 4303
    assert "453,770 pairs of 4,303 customers and 3,253 items" in load_online_retail.__doc__
    assert np.bincount(bought.users).min() >= 20 and np.bincount(bought.items, minlength=3253).min() >= 20
    assert bought.counts.min() == 1 and bought.counts.max() == 112
    assert bought.days.min() >= 0 and loaders.FIRST_DAY.toordinal() + bought.days.max() == 734_480     # 9 December 2011


def test_purchases_are_in_order_and_no_pair_comes_twice():
    users, items, _, days, names = load_online_retail()
    order = (users * 1000 + days) * 4096 + items
    assert (np.diff(order) > 0).all() and len(set((users * 4096 + items).tolist())) == len(users)
    assert all(name and name == name.strip() for name in names.tolist())


def test_the_most_popular_items():
    bought = load_online_retail()
    most = np.argsort(-np.bincount(bought.items), kind="stable")[:2]
    assert bought.item_names[most].tolist() == ["WHITE HANGING HEART T-LIGHT HOLDER", "REGENCY CAKESTAND 3 TIER"]


def test_a_caller_may_change_purchases():
    first, before = load_online_retail(), load_online_retail()
    for part in first:
        part[:] = part[0]
    for again, value in zip(load_online_retail(), before):
        np.testing.assert_array_equal(again, value)


INVOICES = """Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country
1,22222B,TIN CUP,3,12/1/2009 7:45,1.0,77.0,France
1,11111,OLD NAME ,2,12/1/2009 7:45,1.0,77.0,France
1,11111,OLD NAME ,1,12/1/2009 7:45,1.0,77.0,France
2,11111,"LAMP, ""RED\"" ",2,1/31/2010 10:01,1.0,77.0,France
3,22222B,TIN CUP,1,1/2/2010 9:00,1.0,5.0,France
C4,11111,OLD NAME,-2,2/1/2010 9:00,1.0,77.0,France
C4,33333,BOX,2,2/1/2010 9:00,1.0,77.0,France
5,11111,OLD NAME,-2,2/1/2010 9:00,1.0,77.0,France
6,11111,A GUEST,2,2/1/2010 9:00,1.0,,France
7,POST,POSTAGE,1,2/1/2010 9:00,1.0,77.0,France
8,11111,OLD NAME,1,2/2/2010 9:00,1.0,5.0,France
9,44444,RARE,1,2/2/2010 9:00,1.0,5.0,France
9,44444,RARE,1,2/2/2010 9:00,1.0,6.0,France
""" + "".join(f"{n},22222B,TIN CUP,1,3/{n}/2010 9:00,1.0,5.0,France\n" for n in range(10, 27))


def test_purchases_are_what_the_invoices_say(copy_of_data):
    stored = rebuild.online_retail(lzma.compress(INVOICES.encode()), least=2)
    (copy_of_data / "online_retail.npz").write_bytes(stored)
    (copy_of_data / "SHA256SUMS").write_bytes(rebuild.checksums({"online_retail.npz": stored}))
    users, items, counts, days, names = load_online_retail()
    assert names.tolist() == ["OLD NAME", "TIN CUP"]     # customer 6 has one item, then RARE has one customer
    assert users.tolist() == [0, 0, 1, 1] and items.tolist() == [0, 1, 1, 0]
    assert counts.tolist() == [1, 18, 1, 2] and days.tolist() == [63, 115, 0, 61]


def test_items_are_what_the_same_invoices_say(copy_of_data):
    more = INVOICES.replace("3/10/2010 9:00,1.0",
                            "3/10/2010 9:00,0.0").replace("3/11/2010 9:00,1.0", "3/11/2010 9:00,0.29")
    more += "C30,11111,OLD NAME,-1,3/1/2010 9:00,1.0,5.0,France\nC31,22222B,TIN CUP,-1,3/1/2010 9:00,1.0,6.0,France\n" \
            "C32,22222B,TIN CUP,-1,3/1/2010 9:00,9.0,77.0,France\n" \
            "C33,11111,OLD NAME,-1,3/1/2010 9:00,1.0,77.0,France\n" \
            "C34,11111,OLD NAME,-1,3/1/2010 9:00,1.0,,France\n"
    for name, convert in (("online_retail.npz", rebuild.online_retail),
                          ("online_retail_items.npz", rebuild.online_retail_items)):
        (copy_of_data / name).write_bytes(convert(lzma.compress(more.encode()), least=2))
    stored = {name: (copy_of_data / name).read_bytes() for name in ("online_retail.npz", "online_retail_items.npz")}
    (copy_of_data / "SHA256SUMS").write_bytes(rebuild.checksums(stored))
    found = load_online_retail(items=True)
    for part, alone in zip(found, load_online_retail()):
        np.testing.assert_array_equal(part, alone)
    assert found.lines.tolist() == [4, 19] and found.cancelled_lines.tolist() == [3, 1]
    assert found.prices.tolist() == [1, 1] and found.first_days.tolist() == [0, 0]
    assert list(zip(found.users.tolist(), found.items.tolist(), found.cancelled.tolist())) == [
        (0, 0, True), (0, 1, False), (1, 1, True), (1, 0, True)]


def test_the_price_of_an_item_is_the_lower_median_of_those_above_0():
    header, more = INVOICES.split("\n")[0], ""
    for n, (customer, price) in enumerate(((5, 0.0), (5, 0.29), (6, 3.1), (6, 4.0), (6, 9.0))):
        for code in ("11111", "22222B"):
            more += f"{n},{code},CUP,1,3/{n + 1}/2010 9:00,{price},{customer}.0,France\n"
    with np.load(io.BytesIO(rebuild.online_retail_items(lzma.compress(f"{header}\n{more}".encode()),
                                                        least=2))) as arrays:
        assert arrays["prices"].tolist() == [310, 310] and arrays["first_days"].tolist() == [90, 90]


def test_items_and_cancellations_are_as_many_as_stated():
    found = load_online_retail(items=True)
    assert "770,420 lines" in load_online_retail.__doc__ and found.lines.sum() == 770_420
    assert "16,564 of cancellations" in load_online_retail.__doc__ and found.cancelled_lines.sum() == 16_564
    assert "of 13,048 of the pairs" in load_online_retail.__doc__ and found.cancelled.sum() == 13_048
    bought = np.bincount(found.items, found.counts)
    assert (found.lines >= bought).all()                 # an invoice may list an item twice
    last = np.zeros(3253, int)
    np.maximum.at(last, found.items, found.days)
    assert (0 <= found.first_days).all() and (found.first_days <= last).all() and (found.prices > 0).all()
    cherry = found.item_names.tolist().index("BLACK CHERRY LIGHTS")
    assert (found.lines[cherry], found.cancelled_lines[cherry]) == (46, 48)      # more is sent back than was bought


def test_what_is_rare_goes_until_nothing_is():
    chain = [("a", 1), ("b", 1), ("b", 2), ("c", 2), ("c", 3), ("d", 3), ("d", 4), ("e", 3), ("e", 4)]
    assert rebuild._core(chain, 2) == [("d", 3), ("d", 4), ("e", 3), ("e", 4)] and rebuild._core(chain, 1) == chain


# --- pronunciations

def test_pronunciations_are_as_many_as_stated():
    words, phones, stress = load_pronunciations()
    assert len(words) == len(phones) == len(stress) == 23_000 and sum(map(len, phones)) == 154_400
    assert words == sorted(set(words)) and [len(x) for x in phones] == [len(s) for s in stress]
    vowels = {phone for x, s in zip(phones, stress) for phone, at in zip(x, s) if at >= 0}
    consonants = {phone for x, s in zip(phones, stress) for phone, at in zip(x, s) if at < 0}
    assert len(vowels) == 15 and len(consonants) == 24 and not vowels & consonants
    assert all(s.count(1) == 1 and len(s) - s.count(-1) > 1 and set(s) <= {-1, 0, 1, 2} for s in stress)
    for stated in ("23,000 words, 154,400 phones, 39 of them", "15 of these vowels"):
        assert stated in load_pronunciations.__doc__


def test_a_caller_may_change_pronunciations():
    first, before = load_pronunciations(), load_pronunciations()
    first.words[0], first.phones[0][:], first.stress[0][0] = "", [], 7
    assert load_pronunciations() == before


DICTIONARY = b"""'bout B AW1 T
abbey AE1 B IY0
abbey(2) AE1 B EY2
alto AE1 L T OW0 # voice, high
cat K AE1 T
jos\xe9 HH OW0 S EY1
no-one N OW1 W AH2 N
onto AA0 N T UW0
twofold T UW1 F OW1 L D
"""


def test_pronunciations_are_what_the_dictionary_says(copy_of_data):
    stored = rebuild.pronunciations(DICTIONARY)
    (copy_of_data / "pronunciations.npz").write_bytes(stored)
    (copy_of_data / "SHA256SUMS").write_bytes(rebuild.checksums({"pronunciations.npz": stored}))
    assert load_pronunciations() == (["abbey", "alto"], [["AE", "B", "IY"], ["AE", "L", "T", "OW"]],
                                     [[1, -1, 0], [1, -1, -1, 0]])
    with np.load(io.BytesIO(rebuild.pronunciations(DICTIONARY, kept=1))) as arrays:
        assert arrays["words"].item() == min(b"abbey", b"alto", key=lambda word: hashlib.sha256(word).digest())


# --- missing and damaged files

@pytest.fixture
def copy_of_data(tmp_path, monkeypatch):
    for file in loaders.DATA.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(loaders, "DATA", tmp_path)
    monkeypatch.setattr(rebuild, "DATA", tmp_path)
    return tmp_path


DAMAGE = {
    "emptied": lambda content: b"",
    "cut": lambda content: content[:-7],
    "one bit": lambda content: content[:900] + bytes([content[900] ^ 1]) + content[901:],
    "one line less": lambda content: content[:content.rindex(b"\n", 0, -1) + 1],
    "lengthened": lambda content: content + b"\n",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@each_loader
def test_a_damaged_file_is_named(copy_of_data, load, damage):
    file = copy_of_data / FILES[load]
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=f"^{re.escape(str(file))}: damaged.*; install scratchml again, or run python"):
        load()


@each_loader
def test_a_missing_file_is_named(copy_of_data, load):
    file = copy_of_data / FILES[load]
    file.unlink()
    with pytest.raises(ValueError, match=f"^{re.escape(str(file))}: cannot be read .*; install scratchml again"):
        load()


def test_without_checksums_nothing_is_trusted(copy_of_data):
    sums = copy_of_data / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("iris.tsv", "lily.tsv"))
    with pytest.raises(ValueError, match="iris.tsv: damaged"):
        load_iris()
    sums.unlink()
    with pytest.raises(ValueError, match="SHA256SUMS: cannot be read"):
        load_wine()


# --- the files, and what is written about them

def test_every_file_has_a_source_and_every_source_a_file():
    assert {file.name for file in loaders.DATA.iterdir()} == {*rebuild.SOURCES, "SHA256SUMS", "README.md"}


def readme_sections():
    text = (loaders.DATA / "README.md").read_text(encoding="utf-8")
    return dict(section.split("\n", 1) for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:])


def test_the_readme_tells_of_every_file_where_it_comes_from():
    told = readme_sections()
    assert list(told) == sorted(rebuild.SOURCES)
    for name, (package, member, _) in rebuild.SOURCES.items():
        assert f"- Size: {(loaders.DATA / name).stat().st_size:,} bytes\n" in told[name]
        assert f"- Taken from: `{package}`, `{member}`\n" in told[name]
        for item in ("Source: ", "Attribution: ", "Licence: ", "Changes: "):
            assert f"\n- {item}" in told[name]


@pytest.mark.parametrize("load", [*FILES, *PACKED])
def test_readme_and_docstring_name_the_same_licence(load):
    licence = re.search(r"^    (Licence: .*)\.$", load.__doc__, re.MULTILINE)[1]
    assert f"\n- {licence}\n" in readme_sections()[{**FILES, **PACKED}[load]]


# --- rebuilding, without a network

def written_anew(load, last_column):
    data, target, feature_names, target_names = load()
    return rebuild.tsv([*feature_names, last_column], data, target_names[target])


def digits_written_anew():
    digits = load_digits()
    return rebuild.npz(data=digits.data.astype(np.uint8), target=digits.target.astype(np.uint8))


def test_writing_what_was_loaded_gives_the_stored_bytes():
    files = {"digits.npz": digits_written_anew(), "iris.tsv": written_anew(load_iris, "species"),
             "penguins.tsv": written_anew(load_penguins, "species"), "wine.tsv": written_anew(load_wine, "cultivar")}
    assert files == {name: (loaders.DATA / name).read_bytes() for name in files}


def test_the_checksums_are_those_of_the_files():
    files = {name: (loaders.DATA / name).read_bytes() for name in rebuild.SOURCES}
    assert rebuild.checksums(files) == (loaders.DATA / "SHA256SUMS").read_bytes()
    assert rebuild.checksums({"b": b"abc", "a": b""}).decode().splitlines() == [       # FIPS 180-2, and of nothing
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b"]


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_npz_depends_on_neither_day_nor_machine(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    with zipfile.ZipFile(io.BytesIO(rebuild.npz(a=np.arange(3), b=np.eye(2)))) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.create_system == 3 and entry.compress_type == zipfile.ZIP_STORED
    with np.load(io.BytesIO(rebuild.npz(a=np.arange(3), b=np.eye(2)))) as arrays:
        assert {name: arrays[name].tolist() for name in arrays} == {"a": [0, 1, 2], "b": [[1, 0], [0, 1]]}


def test_tsv_writes_numbers_that_read_back_exactly():
    values = [0.1, 1 / 3, 12.0, -2.5e-7, 1e20, np.nan]
    header, line, end = rebuild.tsv(list("abcdefg"), [values], ["label"]).decode().split("\n")
    assert header == "a\tb\tc\td\te\tf\tg" and end == ""
    assert line.startswith("0.1\t") and "\t12\t" in line and line.endswith("\tnan\tlabel")
    np.testing.assert_array_equal([float(number) for number in line.split("\t")[:-1]], values)


def test_tsv_wants_a_label_for_every_sample():
    with pytest.raises(ValueError):
        rebuild.tsv(["x", "label"], [[1], [2]], ["a"])


# Two samples of each source, as the packages store them.
EXCERPTS = {
    "sklearn/datasets/data/digits.csv.gz": gzip.compress(
        b"".join(b",".join(b"%d" % ((i + 2 * k) % 17) for i in range(64)) + b",%d\n" % k for k in (3, 9))),
    "sklearn/datasets/data/iris.csv": b"2,4,setosa,versicolor,virginica\n4.9,3.0,1.4,0.2,0\n7.0,3.2,4.7,1.4,2\n",
    "sklearn/datasets/data/wine_data.csv": b"2,13,class_0,class_1,class_2\n"
                                           b"14.23,1.71,2.43,15.6,127,2.8,3.06,0.28,2.29,5.64,1.04,3.92,1065,1\n"
                                           b"13.2,1.78,2.14,11.2,100,2.65,2.76,0.26,1.28,4.38,1.05,3.40,1050,0\n",
    "palmerpenguins/data/penguins.csv":
        b"species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\n"
        b"Gentoo,Biscoe,46.1,13.2,211,4500,NA,2007\nAdelie,Torgersen,NA,NA,NA,NA,NA,2007\n",
}


def wheel(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def source_archive(path, files, top):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def pretend_pip(command, check):
    """What pip does with the command of `download`: scikit-learn comes as a wheel, the other as source."""
    python, *arguments, folder, package = command
    assert check and python == sys.executable
    assert arguments == ["-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    if package == "scikit-learn==1.9.1":
        wheel(Path(folder, "scikit_learn-1.9.1-cp311.whl"), EXCERPTS)
    else:
        assert package == "palmerpenguins==0.1.6"
        source_archive(Path(folder, "palmerpenguins-0.1.6.tar.gz"), EXCERPTS, "palmerpenguins-0.1.6")


def test_rebuilding_writes_and_checking_compares(copy_of_data, monkeypatch, capsys):
    monkeypatch.setattr(rebuild.subprocess, "run", pretend_pip)
    monkeypatch.setattr(rebuild, "SOURCES", {name: rebuild.SOURCES[name] for name in sorted(FILES.values())})
    stored = {file.name: file.read_bytes() for file in copy_of_data.iterdir()}
    feature_names = [load().feature_names for load in FILES]
    assert rebuild.main(["--check"]) == 1
    said = capsys.readouterr().out.split()
    assert said[::2] == [*rebuild.SOURCES, "SHA256SUMS"] and said[1::2] == ["differs"] * 5
    assert stored == {file.name: file.read_bytes() for file in copy_of_data.iterdir()}

    assert rebuild.main([]) == 0
    assert capsys.readouterr().out.split()[1::2] == ["written"] * 5
    assert rebuild.main(["--check"]) == 0
    assert capsys.readouterr().out.split()[1::2] == ["same"] * 5
    (copy_of_data / "wine.tsv").unlink()
    assert rebuild.main(["--check"]) == 1 and not (copy_of_data / "wine.tsv").exists()
    assert capsys.readouterr().out.split()[1::2] == ["same", "same", "same", "differs", "same"]
    assert rebuild.main([]) == 0
    assert capsys.readouterr().out.split()[1::2] == ["same", "same", "same", "written", "same"]

    assert feature_names == [load().feature_names for load in FILES]
    digits, iris, wine, penguins = load_digits(), load_iris(), load_wine(), load_penguins()
    with np.load(copy_of_data / "digits.npz") as arrays:
        assert arrays["data"].dtype == arrays["target"].dtype == np.uint8
    assert digits.data.tolist() == [[(i + 2 * k) % 17 for i in range(64)] for k in (3, 9)]
    assert digits.target.tolist() == [3, 9]
    assert iris.data.tolist() == [[4.9, 3.0, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4]]
    assert iris.target_names[iris.target].tolist() == ["setosa", "virginica"]
    assert wine.data[:, [0, 11, 12]].tolist() == [[14.23, 3.92, 1065], [13.2, 3.4, 1050]]
    assert wine.target_names[wine.target].tolist() == ["class_1", "class_0"]
    np.testing.assert_array_equal(penguins.data, [[46.1, 13.2, 211, 4500], [np.nan] * 4])
    assert penguins.target_names[penguins.target].tolist() == ["Gentoo", "Adelie"]


def test_a_member_is_found_in_a_wheel_and_in_a_source_archive(tmp_path):
    files = {"setup.py": b"first", "training/setup.py": b"second"}
    for archive in (wheel(tmp_path / "a.whl", files), source_archive(tmp_path / "a.tar.gz", files, "a-1.0")):
        assert rebuild.member(archive, "training/setup.py") == b"second"
        with pytest.raises(KeyError, match="nowhere"):
            rebuild.member(archive, "nowhere")


def test_options_travel_to_pip_with_the_package(tmp_path, monkeypatch):
    def run(command, check):
        assert command[-3:] == ["thing==1.0", "--no-binary", "thing"]
        (tmp_path / "thing-1.0.tar.gz").touch()
    monkeypatch.setattr(rebuild.subprocess, "run", run)
    assert rebuild.download("thing==1.0 --no-binary thing", tmp_path) == tmp_path / "thing-1.0.tar.gz"
