"""Parameters of every estimator: numbers of NumPy's narrow types count in full, and only True and False are flags."""
import numpy as np
import pytest

from scratchml.cluster import BisectingKMeans, GaussianMixture, KMeans, MiniBatchKMeans
from scratchml.metrics import ndcg_at_k, precision_at_k
from scratchml.optim import SGD, Adam, RMSprop
from scratchml.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler
from scratchml.recommend import ALS, ItemCosine, Popularity, TruncatedSVD
from scratchml.reduction import PCA, TSNE, IncrementalPCA
from scratchml.sequences import CRF

X = np.random.default_rng(0).normal(size=(40, 3)) + 6 * np.eye(3)[np.arange(40) % 3]
RATINGS = np.where(np.arange(40).reshape(8, 5) % 3 > 0, 1.0 + np.arange(40).reshape(8, 5) % 5, np.nan)
SENTENCES = [[{"word": word} for word in sentence.split()] for sentence in ("a b b", "b a", "a a b a")]
LABELS = [["A" if token["word"] == "a" else "B" for token in sentence] for sentence in SENTENCES]

FLAGS = [(PCA(), "whiten", X), (IncrementalPCA(), "whiten", X), (GaussianMixture(), "warm_start", X),
         (StandardScaler(), "with_mean", X), (StandardScaler(), "with_std", X), (MinMaxScaler(), "clip", X),
         (ALS(2), "biases", RATINGS), (ALS(2), "weighted_regularization", RATINGS),
         (CRF(), "all_possible_states", (SENTENCES, LABELS)), (CRF(), "all_possible_transitions", (SENTENCES, LABELS))]


def fitted(model, data, **parameters):
    return model.set_params(**parameters).fit(*data if isinstance(data, tuple) else (data,))


@pytest.mark.parametrize("value", ["False", "no", 0, None, []])
@pytest.mark.parametrize("model, name, data", FLAGS, ids=lambda part: part if isinstance(part, str) else "")
def test_a_flag_is_true_or_false(model, name, data, value):
    with pytest.raises(ValueError, match=f"^{name}=.*: expected True or False$"):
        fitted(model, data, **{name: value})
    fitted(model, data, **{name: np.bool_(False)})
    if hasattr(model, "partial_fit"):
        with pytest.raises(ValueError, match=f"^{name}="):
            type(model)().set_params(**{name: value}).partial_fit(data)


def test_flags_of_functions_and_optimisers():
    for model in (ALS(2).fit(RATINGS), ItemCosine().fit(RATINGS), Popularity().fit(RATINGS)):
        with pytest.raises(ValueError, match="^exclude_seen='no': expected True or False"):
            model.recommend(0, 1, exclude_seen="no")
    for judge, flag in ((precision_at_k, "per_user"), (ndcg_at_k, "per_user"), (ndcg_at_k, "graded")):
        with pytest.raises(ValueError, match=f"^{flag}='no': expected True or False"):
            judge([[0, 1]], [[1]], **{flag: "no"})
    parameter = type("Parameter", (), {"data": np.zeros(2), "grad": None})()
    for optimiser, flag in ((SGD, "nesterov"), (Adam, "amsgrad"), (RMSprop, "centered")):
        with pytest.raises(ValueError, match=f"^{flag}='no': expected True or False"):
            optimiser([parameter], **{flag: "no"})
    for bad in ("no", np.nan):
        with pytest.raises(ValueError, match="^dampening="):
            SGD([parameter], momentum=0.9, dampening=bad)


@pytest.mark.filterwarnings("ignore::scratchml.core.estimator.ConvergenceWarning")
@pytest.mark.parametrize("model, names, data", [
    (KMeans(random_state=0), {"n_clusters": 3, "max_iter": 127, "n_init": 2}, X),
    (MiniBatchKMeans(random_state=0), {"n_clusters": 3, "max_iter": 127, "batch_size": 127, "max_no_improvement": 5},
     X),
    (BisectingKMeans(random_state=0), {"n_clusters": 3, "max_iter": 127, "n_init": 2}, X),
    (GaussianMixture(random_state=0), {"n_components": 2, "max_iter": 127, "n_init": 2}, X),
    (PCA(), {"n_components": 2}, X),
    (IncrementalPCA(), {"n_components": 2, "batch_size": 20}, X),
    (TSNE(perplexity=5, random_state=0), {"n_components": 1, "max_iter": 127, "n_iter_without_progress": 127}, X),
    (QuantileTransformer(), {"n_quantiles": 30}, X),
    (ALS(random_state=0), {"factors": 2, "iterations": 127}, RATINGS),
    (TruncatedSVD(random_state=0), {"n_components": 2}, X),
    (CRF(), {"max_iterations": 127, "period": 3}, (SENTENCES, LABELS)),
    (CRF("l2sgd", random_state=0), {"max_iterations": 127, "period": 3}, (SENTENCES, LABELS)),
    (CRF("ap", random_state=0), {"max_iterations": 127}, (SENTENCES, LABELS)),
], ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("narrow", [np.int8, np.uint8])
def test_narrow_numbers_count_in_full(model, names, data, narrow):
    wide, counts = learned(fitted(model, data, **names)), {name: narrow(n) for name, n in names.items()}
    narrow = learned(fitted(model, data, **counts))
    assert wide.keys() == narrow.keys()
    for name, value in wide.items():
        np.testing.assert_array_equal(narrow[name], value, err_msg=name)


def learned(model):
    """The numbers and arrays that a fit has left."""
    return {name: value for name, value in vars(model).items()
            if name.endswith("_") and isinstance(value, (int, float, np.ndarray))}


def test_many_components_in_a_narrow_type_are_no_few():
    wide = np.random.default_rng(0).normal(size=(60, 1000))
    exact = PCA(30).fit(wide)                            # more than a tenth of 60: by the SVD
    np.testing.assert_array_equal(PCA(np.uint8(30)).fit(wide).components_, exact.components_)
