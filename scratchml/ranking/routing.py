"""Queries on their way through scikit-learn's tools: what `set_fit_request(qid=True)` asks for.

GridSearchCV cuts what it is given into folds.  With `sklearn.set_config(enable_metadata_routing=True)` it cuts ids of
queries too, and hands them to `fit` and to `score` of those who ask for them.
"""


class TakesQueries:
    """For estimators whose `fit` and `score` take `group` or `qid` beside X and y."""

    _handed_on = {"fit": ("group", "qid", "sample_weight"), "score": ("group", "qid")}

    def set_fit_request(self, **requests):
        """Say which arguments of `fit` scikit-learn's tools hand on.  Returns itself.

        Raises ValueError for what `fit` does not take.

        Parameters
        ----------
        **requests : bool, str or None
            By name: True to hand it on, False not to, None to refuse it, a str for the name under which it comes.
        """
        return self._request("fit", requests)

    def set_score_request(self, **requests):
        """The same for `score`.

        Parameters
        ----------
        **requests : bool, str or None
            By name: True to hand it on, False not to, None to refuse it, a str for the name under which it comes.
        """
        return self._request("score", requests)

    def get_metadata_routing(self):
        """What scikit-learn's tools ask; a `MetadataRequest` of theirs."""
        from sklearn.utils.metadata_routing import MetadataRequest
        if "_metadata_request" in vars(self):
            return self._metadata_request
        request = MetadataRequest(owner=self)
        for method, names in self._handed_on.items():
            for name in names:
                getattr(request, method).add_request(param=name, alias=None)
        return request

    def _request(self, method, requests):
        unknown = sorted(set(requests) - set(self._handed_on[method]))
        if unknown:
            raise ValueError(f"set_{method}_request: {unknown[0]!r} is nothing that {method} takes beside X and y; "
                             f"expected some of {', '.join(self._handed_on[method])}")
        routing = self.get_metadata_routing()
        for name, alias in requests.items():
            getattr(routing, method).add_request(param=name, alias=alias)
        self._metadata_request = routing
        return self
