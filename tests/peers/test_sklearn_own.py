"""scikit-learn's own tests, with our classes in the place of theirs: what does not pass is known, and why.

The test files lie in scikit-learn's package.  They run unchanged in a process of their own, where the plugin
in_place_of/scikit_learn.py has put our classes where they import theirs from.  LEFT says which tests fail, by file and
reason: one that fails and is not listed is a fault, and so is one that is listed and passes, but for BY_ROUNDING.

An entry is the name of a test, and stands for all its cases, or name[text, text] for those cases in whose name each
text comes.  Cases that scikit-learn skips count neither way.
"""
import os
import subprocess
import sys
from pathlib import Path

import pytest

sklearn = pytest.importorskip("sklearn")
if sklearn.__version__ != "1.9.1":
    pytest.skip("the lists are those of scikit-learn 1.9.1", allow_module_level=True)

PRIVATE = "asks for a function or an attribute that is private to scikit-learn"
WORDS = "asks for the words of a message, and passes with any"
PRINTED = "reads what is printed: here it is other words, on stderr"
OTHERS = "is of a class or function that this book does not have, or needs one for its last lines"
BY_ROUNDING = "asks that of two numbers that are equal one is larger: passes or fails by rounding"

LEFT = {
    "cluster.tests.test_k_means": {
        PRIVATE: ["test_relocate_empty_clusters", "test_minibatch_update_consistency", "test_minibatch_reassign",
                  "test_euclidean_distance", "test_inertia",
                  "test_is_same_clustering", "test_sample_weight_init", "test_sample_weight_zero"],
        PRINTED: ["test_kmeans_verbose", "test_minibatch_declared_convergence"],
        "asks for a warning that 'elkan' gains nothing with one cluster: it costs nothing either":
            ["test_warning_elkan_1_cluster"],
        "counts as an iteration the last look too, after which nothing moves; all else of these is right":
            ["test_kmeans_results", "test_kmeans_relocated_clusters"],
        "asks how large the sample for a start is, by an attribute that is private to scikit-learn":
            ["test_minibatch_kmeans_init_size"],
        "asks for copy_x=False, which lets a fit change the caller's data": ["test_kmeans_copyx"],
        "asks for k_means(X, K), which is KMeans(K).fit(X)": ["test_k_means_function"],
        "asks for x_squared_norms, which would save a pass over X":
            ["test_kmeans_plusplus_wrong_params", "test_kmeans_plusplus_norms"]},
    "cluster.tests.test_bisect_k_means": {},
    "mixture.tests.test_gaussian_mixture": {
        PRIVATE: ["test_suffstat_sk_full", "test_suffstat_sk_tied", "test_suffstat_sk_diag",
                  "test_gaussian_suffstat_sk_spherical", "test_compute_log_det_cholesky",
                  "test_gaussian_mixture_log_probabilities",
                  "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters"],
        "computes the precisions that it gives by private functions of theirs; of those of our own start the same "
        "holds (tests/cluster/test_gmm.py)":
            ["test_gaussian_mixture_precisions_init_diag", "test_gaussian_mixture_precisions_init"],
        WORDS: ["test_check_weights", "test_check_means", "test_check_precisions", "test_sample",
                "test_gaussian_mixture_fit_convergence_warning"],
        "a component that collapses, or that no point starts, is an error here":
            ["test_gaussian_mixture_setting_best_params", "test_regularisation"]},
    "decomposition.tests.test_pca": {
        PRIVATE: ["test_infer_dim_1", "test_infer_dim_2", "test_infer_dim_3", "test_assess_dimension_bad_rank",
                  "test_small_eigenvalues_mle", "test_assess_dimension_rank_one", "test_pca_svd_solver_auto"],
        WORDS: ["test_pca_validation[randomized]", "test_pca_validation[auto]", "test_sparse_pca_solver_error[full]"],
        "asks that 'randomized' refuses sparse rows": ["test_sparse_pca_solver_error[randomized]"],
        "asks for copy=False or n_oversamples: data stay as they are, and blocks are as wide as they need to be":
            ["test_whitening", "test_pca_randomized_svd_n_oversamples"],
        "asks for no component at all": ["test_pca_score3"],
        "asks for a density where the covariance is singular: there is none":
            ["test_pca_zero_noise_variance_edge_cases"],
        BY_ROUNDING: ["test_pca_score"],
        "gives arrays of other libraries": ["test_pca_array_api_compliance"]},
    "decomposition.tests.test_incremental_pca": {
        "asks that a first batch of fewer rows than components is refused; ours keeps all the directions there are":
            ["test_incremental_pca_validation"],
        "asks that partial_fit refuses sparse rows, in its last line; ours takes them": ["test_incremental_pca_sparse"],
        "asks that a stream with another number of components than before is refused; ours keeps so many from then on":
            ["test_incremental_pca_set_params"]},
    "manifold.tests.test_t_sne": {
        PRIVATE: ["test_gradient_descent_stops", "test_binary_search", "test_binary_search_underflow",
                  "test_binary_search_neighbors", "test_binary_perplexity_stability", "test_gradient",
                  "test_answer_gradient_two_points", "test_answer_gradient_four_points",
                  "test_skip_num_points_gradient",
                  "test_barnes_hut_angle", "test_gradient_bh_multithread_match_sequential"],
        WORDS: ["test_trustworthiness_n_neighbors_error", "test_tsne_perplexity_validation", "test_n_components_range",
                "test_pca_initialization_not_compatible_with_precomputed_kernel"],
        PRINTED: ["test_verbose", "test_accessible_kl_divergence"],
        "asks for -1 iterations without progress, and reads what is printed": ["test_n_iter_without_progress"],
        "passes the distances of some pairs, sparse; here those of all pairs count":
            ["test_bad_precomputed_distances[csr]", "test_high_perplexity_precomputed_sparse_distances",
             "test_sparse_precomputed_distance"],
        "asks for another metric: its distances can be passed, by metric='precomputed'":
            ["test_non_positive_computed_distances", "test_chebyshev_metric", "test_tsne_with_mahalanobis_distance"],
        "asks for the bits of distances in float32; here they are of float64":
            ["test_tsne_with_different_distance_metrics[cosine]"],
        "counts iterations from 0": ["test_max_iter_used"],
        "asks for float32 whatever came in, or compares the bits of a map in float32 with one in float64":
            ["test_64bit[float64]", "test_tsne_with_different_distance_metrics[manhattan, exact]"],
        "asks for a perplexity that no map of so few points can have": ["test_bh_match_exact"]},
    "preprocessing.tests.test_data": {
        OTHERS: ["test_standard_scaler_constant_features[RobustScaler]",
                 "test_standard_scaler_constant_features[False]",
                 "test_scaler_2d_arrays", "test_min_max_scaler_1d", "test_min_max_scaler_zero_variance_features",
                 "test_scale_sparse_with_mean_raise_exception", "test_center_kernel",
                 "test_kernelcenterer_non_linear_kernel", "test_fit_transform", "test_fit_cold_start",
                 *(f"test_one_to_one_features{kind}[{name}]" for kind in ("", "_pandas")
                   for name in ("MaxAbsScaler", "RobustScaler", "PowerTransformer")),
                 "test_one_to_one_features_pandas[Normalizer]", "test_one_to_one_features_pandas[Binarizer]",
                 "test_transformer_inverse_transform_feature_names_warning[PowerTransformer]",
                 "test_transformer_inverse_transform_shape_error[PowerTransformer]"],
        "asks for transform(X, copy=...): data stay as they are":
            ["test_standard_scaler_1d", "test_scaler_without_centering", "test_scaler_int"],
        "asks for set_callbacks, which are objects of scikit-learn": ["test_standard_scaler_callback_support"],
        "asks for float16 out where float16 came in; here it becomes float64":
            ["test_standard_scaler_dtype[None]"],
        "calls a column constant where its deviation is below N eps of its mean; here sums are right to 8 eps":
            [f"test_standard_scaler_near_constant_features[float64-{average}-100]"
             for average in ("1e-10", "1", "10000000000.0")],
        "asks that mean_ and var_ are None where options do not need them; here they are told all the same":
            ["test_standard_scaler_partial_fit", "test_scaler_return_identity"],
        "asks for quantiles of sparse rows, most of which would be 0": [
            "test_quantile_transform_check_error", "test_quantile_transform_sparse_ignore_zeros",
            "test_quantile_transform_iris", "test_quantile_transform_sparse_toy", "test_quantile_transform_bounds",
            "test_quantile_transformer_sorted_quantiles[sparse]", "test_quantile_transformer_sparse_subsampling"],
        "asks that quantiles of some samples differ from seed to seed; here all samples count":
            ["test_quantile_transform_subsampling"]},
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """{(file, test): outcome} of all the files, in one process: imports take seconds.

    An outcome is "passed", "failed", "skipped", or "reworded": failed by the words of a message alone.
    """
    folder = tmp_path_factory.mktemp("sklearn")
    (folder / "empty.ini").write_text("[pytest]\n")
    root = Path(__file__).parents[2]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SKLEARN_", "PYTEST_"))}
    environment |= {"SCRATCHML_OUTCOMES": str(folder / "outcomes"), "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1",
                    "OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run([sys.executable, "-m", "pytest", "--quiet", "-c", "empty.ini", f"--rootdir={folder}",
                          "--tb=line", "-p", "no:cacheprovider", "-p", "tests.peers.in_place_of.scikit_learn",
                          "--pyargs", *(f"sklearn.{file}" for file in LEFT)],
                         cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert run.returncode in (0, 1), run.stdout + run.stderr         # 1: some fail
    lines = (folder / "outcomes").read_text(encoding="utf-8").splitlines()
    found = [line.split("\t") for line in lines]
    return {(file, test): outcome for outcome, file, test in found}


def covers(entry, test):
    name, _, texts = entry.removesuffix("]").partition("[")
    own, _, case = test.removesuffix("]").partition("[")
    return own == name and all(text in case for text in texts.split(", "))


@pytest.mark.parametrize("file", LEFT)
def test_what_fails_is_what_is_listed(file, outcomes):
    ran = {test: outcome for (stem, test), outcome in outcomes.items() if stem == file.rpartition(".")[2]}
    listed = [entry for entries in LEFT[file].values() for entry in entries]
    unlisted = [test for test, outcome in ran.items()
                if outcome in ("failed", "reworded") and not any(covers(entry, test) for entry in listed)]
    sure = [entry for reason, entries in LEFT[file].items() if reason != BY_ROUNDING for entry in entries]
    mended = [test for test, outcome in ran.items()
              if outcome == "passed" and any(covers(entry, test) for entry in sure)]
    idle = [entry for entry in listed if not any(covers(entry, test) for test in ran)]
    graver = [test for test, outcome in ran.items()
              if outcome == "failed" and any(covers(entry, test) for entry in LEFT[file].get(WORDS, ()))]
    assert not unlisted and not mended and not idle and not graver, \
        f"not listed: {unlisted}\nlisted, passes: {mended}\nno test: {idle}\nfails with any words: {graver}"
    assert list(ran.values()).count("passed") > 10


def test_entries():
    assert covers("test_a", "test_a") and covers("test_a", "test_a[1-x]") and not covers("test_a", "test_ab[1]")
    assert covers("test_a[x, 1]", "test_a[1-x]") and not covers("test_a[x, 2]", "test_a[1-x]")
