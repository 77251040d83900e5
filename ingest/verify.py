"""Verification: the numbers of a model measured again from the graph that is stored, and compared."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from neuromfa import mfa
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, SampleResult

TOLERANCE = 1e-12


@dataclass(frozen=True)
class Comparison:
    """One stored sample measured again.

    Attributes
    ----------
    step, seed, profile : which one
    edges : relationships read
    difference : largest difference of tau, of alpha0 and of width
    """

    step: int | None
    seed: int
    profile: str
    edges: int
    difference: float

    @property
    def agrees(self) -> bool:
        """True when no number differs by more than 1e-12."""
        return self.difference <= TOLERANCE


def verify(store: GraphStore, model: str) -> Iterator[Comparison]:
    """Yield a comparison for every stored sample of a model under every stored result it belongs to.

    Results in profile shape are left out: they need weights that a graph does not hold.

    Raises
    ------
    NotStored : no such model, or none of its samples has a graph and a spectrum to compare
    """
    store.model(model)
    compared = 0
    for record in store.analyses(model):
        if record.profile == "shape":
            continue
        for result in store.results(model, options=record.options_hash):
            for sample in store.samples(model, result.step):
                found = _sample_of(result, sample.graph_hash)
                if found is not None:
                    yield _compare(store, model, result, found, record.options)
                    compared += 1
    if not compared:
        raise NotStored(
            f"model {model} has no sample with both a graph and a spectrum in profile exact or paper: ingest it with "
            "graph-samples of 1 or more"
        )


def _sample_of(result: CheckpointResult, graph_hash: str) -> SampleResult | None:
    return next((sample for sample in result.samples if sample.graph_hash == graph_hash), None)


def _compare(
    store: GraphStore, model: str, result: CheckpointResult, sample: SampleResult, options: AnalysisOptions
) -> Comparison:
    graph = store.read_sample(model, result.step, sample.seed, graph_hash=sample.graph_hash)
    # the figures of a sample are those of its weights as they stand, also where a scaled reading stands beside them
    again = mfa.measure_graph(graph, replace(options, rms_scaled=False))
    differences = [
        np.max(np.abs(again.tau - np.asarray(sample.tau))),
        abs(again.alpha0 - sample.alpha0),
        abs(again.width - sample.width),
    ]
    return Comparison(result.step, sample.seed, options.profile, graph.n_edges, float(max(differences)))
