"""How fast measuring and writing go here: noise measured in the place of weights, and what units of the store took."""

from contextlib import suppress
from dataclasses import replace
from time import perf_counter

import numpy as np

from neuromfa.checkpoints import Checkpoint, SampledCheckpoint
from neuromfa.errors import AnalysisError
from neuromfa.graph import GraphStore
from neuromfa.network import SNIN
from neuromfa.options import AnalysisOptions
from neuromfa.summarise import Measures, summarise

TIMED_SEEDS = 2
NOISE = 0.1


def seconds_to_measure(checkpoint: Checkpoint, sampled: SampledCheckpoint, options: AnalysisOptions) -> float:
    """Measure noise in the shapes of the first seeds of a checkpoint; return what all of its seeds would take.

    Parameters
    ----------
    sampled : its networks, with any weights; of seeds, since a whole network would take too long
    """
    networks = tuple(_noisy(network, seed) for seed, network in enumerate(sampled.networks[:TIMED_SEEDS]))
    few, hashes = replace(sampled, networks=networks), [""] * len(networks)
    begun = perf_counter()
    with suppress(AnalysisError):
        summarise(checkpoint, few, hashes, Measures(networks, options, None), "")
    return (perf_counter() - begun) / len(networks) * len(sampled.networks)


def _noisy(network: SNIN, seed: int) -> SNIN:
    random = np.random.default_rng(seed)
    links = tuple(
        link
        if link.weights is None
        else replace(
            link, weights=(NOISE * random.standard_normal(link.weights.shape)).astype(link.weights.dtype)
        )
        for link in network.links
    )
    return replace(network, links=links)


def written_per_s(store: GraphStore) -> float | None:
    """Return relationships a second of the units this store has; None where none of them wrote any."""
    [row] = store.query("unit_rates", {})
    return row["edges"] / row["seconds"] if row["edges"] and row["seconds"] else None
