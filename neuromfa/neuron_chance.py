"""Neurons against chance: tests of samples put into records, and since when over the steps of a series."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from neuromfa.mfa.neuron_tests import DRAWS, neuron_tests
from neuromfa.network import SNIN, Layer, NeuronTests
from neuromfa.neurons import (
    LEVEL,
    MEASURES,
    NeuronChance,
    NeuronDeparture,
    NeuronSince,
    SampleDepartures,
    values_at,
)
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointNumbers


def tests_of(networks: Sequence[SNIN], options: AnalysisOptions) -> list[NeuronTests]:
    """Test the neurons of the first samples, as many as the options ask for."""
    plain = replace(options, rms_scaled=False)
    return [neuron_tests(network, plain) for network in networks[: options.neurons]]


def chance_of(networks: Sequence[SNIN], tests: Sequence[NeuronTests]) -> NeuronChance:
    """Return the record of some tests; `networks` are those tested."""
    samples = [
        _departures(one.layers, test, seed=one.provenance.seed)
        for one, test in zip(networks, tests, strict=True)
    ]
    return NeuronChance(draws=DRAWS, level=LEVEL, samples=samples, sentence=_sentence(samples))


def _departures(layers: Sequence[Layer], tests: NeuronTests, *, seed: int) -> SampleDepartures:
    found = sorted(_departing(layers, tests), key=_smallest_p)
    tested = sum(
        int(np.count_nonzero(~(np.isnan(a) & np.isnan(b))))
        for a, b in zip(tests.nfd.p, tests.strength.p, strict=True)
    )
    by_nfd, by_strength = (
        sum(int(np.count_nonzero(column < LEVEL)) for column in getattr(tests, name).p_adjusted)
        for name in MEASURES
    )
    return SampleDepartures(seed=seed, tested=tested, by_nfd=by_nfd, by_strength=by_strength, neurons=found)


def _departing(layers: Sequence[Layer], tests: NeuronTests) -> Iterator[NeuronDeparture]:
    for k, layer in enumerate(layers):
        departs = (tests.nfd.p_adjusted[k] < LEVEL) | (tests.strength.p_adjusted[k] < LEVEL)
        names = layer.names() if departs.any() else []
        for place in np.flatnonzero(departs).tolist():
            yield NeuronDeparture(name=names[place], **values_at(tests, k, place))


def _smallest_p(one: NeuronDeparture) -> tuple[float, str]:
    known = [p for p in (one.nfd_p_adjusted, one.strength_p_adjusted) if p is not None]
    return min(known), one.name


def _sentence(samples: Sequence[SampleDepartures]) -> str:
    tested = sum(one.tested for one in samples)
    found = sum(len(one.neurons) for one in samples)
    where = f"{tested:,} tested in {len(samples)} sample{'s' if len(samples) != 1 else ''}"
    if not found:
        return f"No neuron of {where} departs from chance, as in weights that are not trained."
    by = (sum(getattr(one, f"by_{name}") for one in samples) for name in MEASURES)
    told = "{:,} by dimension, {:,} by strength".format(*by)
    neurons, depart = ("neuron", "departs") if found == 1 else ("neurons", "depart")
    return f"{found:,} {neurons} of {where} {depart} from chance ({told})."


def since_when(checkpoints: Sequence[CheckpointNumbers]) -> list[NeuronSince]:
    """Return since when each neuron that departs at the last tested step has done so at every step.

    The adjusted p is multiplied by the number of tested steps (Bonferroni), so that testing more of them finds no more.
    Curves hold no neurons: take whole results, by step.
    """
    tested = [
        (one.step, one.neurons) for one in checkpoints if one.neurons is not None and one.step is not None
    ]
    if not tested:
        return []
    by_step = [(step, _found(chance, steps=len(tested))) for step, chance in tested]
    return sorted(
        (
            NeuronSince(seed=seed, name=name, measure=measure, since=_bracket(by_step, (seed, name, measure)))
            for seed, name, measure in by_step[-1][1]
        ),
        key=lambda one: (one.since[1], one.seed, one.name, one.measure),
    )


Key = tuple[int, str, str]


def _found(chance: NeuronChance, *, steps: int) -> Mapping[Key, float]:
    """Return what departs with p controlled over the steps, by seed, name and measure."""
    found: dict[Key, float] = {}
    for sample in chance.samples:
        for one in sample.neurons:
            for measure in MEASURES:
                p: float | None = getattr(one, f"{measure}_p_adjusted")
                if p is not None and p * steps < LEVEL:
                    found[sample.seed, one.name, measure] = p
    return found


def _bracket(by_step: Sequence[tuple[int, Mapping[Key, float]]], key: Key) -> tuple[int | None, int]:
    before, first = None, by_step[-1][0]
    for step, found in reversed(by_step):
        if key not in found:
            before = step
            break
        first = step
    return before, first
