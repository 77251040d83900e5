"""Neurons against chance: how often random networks have one, which planted ones are found, what trained ones have."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evidence.bundled import PLACES, SERIES
from neuromfa import mfa
from neuromfa.analysis import sample
from neuromfa.checkpoints import open_series
from neuromfa.mfa.neuron_tests import neuron_tests
from neuromfa.network import SNIN, Link, NeuronTests
from neuromfa.neuron_chance import MEASURES
from neuromfa.neurons import LEVEL
from neuromfa.options import AnalysisOptions

OPTIONS = AnalysisOptions(samples=3)
TRIALS, PLANTED_TRIALS = 150, 30
FACTORS = (1.3, 1.5)
PLANTED = 10
"""Neurons of a trial whose weights are multiplied."""


def found(trials: int = TRIALS, planted_trials: int = PLANTED_TRIALS) -> dict[str, Any]:
    """Return the rates of random networks, those of planted neurons, and the counts of the bundled series."""
    network = sample(open_series(str(SERIES / "stdlib-14m")).at(2000), OPTIONS).networks[0]
    return {
        "random": [random_networks(network, trials)],
        "planted": [planted(network, factor, planted_trials) for factor in FACTORS],
        "bundled": list(bundled()),
    }


def random_networks(network: SNIN, trials: int) -> dict[str, Any]:
    """Return in how many networks of shuffled weights any neuron departs, by measure."""
    counts = dict.fromkeys(MEASURES, 0)
    for trial in range(trials):
        tests = neuron_tests(shuffled_network(network, trial), OPTIONS)
        for measure in MEASURES:
            counts[measure] += departing(tests, measure) > 0
    return {"trials": trials, **{measure: count / trials for measure, count in counts.items()}}


def planted(network: SNIN, factor: float, trials: int) -> dict[str, Any]:
    """Return the share of planted neurons that are found, and that of others among the found, by measure."""
    hits, others = dict.fromkeys(MEASURES, 0), dict.fromkeys(MEASURES, 0)
    for trial in range(trials):
        made, places = with_planted(shuffled_network(network, trial), factor, trial)
        tests = neuron_tests(made, OPTIONS)
        for measure in MEASURES:
            columns = getattr(tests, measure).p_adjusted
            own = sum(bool(columns[layer][place] < LEVEL) for layer, place in places)
            hits[measure] += own
            others[measure] += departing(tests, measure) - own
    return {
        "factor": factor,
        "trials": trials,
        **{measure: hits[measure] / (trials * PLANTED) for measure in MEASURES},
        **{f"{name}_false": others[name] / max(hits[name] + others[name], 1) for name in MEASURES},
    }


def bundled(places: Sequence[tuple[str, int]] = PLACES) -> Iterator[dict[str, Any]]:
    """Yield how many neurons of the first samples of each checkpoint depart."""
    for series, step in places:
        networks = sample(open_series(str(SERIES / series)).at(step), OPTIONS).networks
        tests = [neuron_tests(network, OPTIONS) for network in networks]
        neurons = sum(int(np.count_nonzero(~np.isnan(column))) for one in tests for column in one.strength.p)
        counts = {name: sum(departing(one, name) for one in tests) for name in MEASURES}
        yield {"series": series, "step": step, "samples": len(networks), "tested": neurons, **counts}


def departing(tests: NeuronTests, measure: str) -> int:
    """Return how many neurons of a network depart by one measure."""
    return sum(int(np.count_nonzero(column < LEVEL)) for column in getattr(tests, measure).p_adjusted)


def shuffled_network(network: SNIN, trial: int) -> SNIN:
    """Return a network with the entries of every stored part in random order, of a stream the tests do not use."""
    null = mfa.null_network(network, "shuffled", number=10_000 + trial)
    return replace(null, links=tuple(null.links))


def with_planted(network: SNIN, factor: float, trial: int) -> tuple[SNIN, list[tuple[int, int]]]:
    """Return a network in which the weights of some neurons are multiplied, and where these stand."""
    draw = np.random.default_rng([trial, 7])
    places = [(k, place) for k in network.source_layers for place in range(network.layers[k].size)]
    chosen = [places[i] for i in draw.choice(len(places), PLANTED, replace=False)]
    links = list(network.links)
    for layer, place in chosen:
        links[layer] = _scaled(links[layer], place, factor)
    return replace(network, links=tuple(links)), chosen


def _scaled(link: Link, place: int, factor: float) -> Link:
    assert link.weights is not None
    weights = link.weights.copy()
    weights[:, place] *= weights.dtype.type(factor)
    return replace(link, weights=weights)
