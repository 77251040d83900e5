"""What the tabs of a series say: each reads only what it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from neuromfa.app.pages import layers
from neuromfa.app.pages.series import StoredSeries, Tab
from neuromfa.app.pages.words import step_name
from neuromfa.correlations import correlate
from neuromfa.graph import GraphStore
from neuromfa.matrices import MatrixFigure, MatrixFigures
from neuromfa.neurons import SampleDepartures
from neuromfa.questions import Explorer, Neuron, NeuronList, ask
from neuromfa.results import CheckpointResult

Context = dict[str, Any]
MOST_NEURONS = 40


def context_of(
    tab: Tab,
    store: GraphStore,
    explorer: Explorer,
    series: StoredSeries,
    result: CheckpointResult,
    *,
    seed: int | None,
    spread: Sequence[CheckpointResult],
) -> Context:
    """Return what a tab says of the chosen step; `spread` are about eight steps, whole."""
    graphs = [one.seed for one in store.samples(series.model.id, result.step)]
    context: Context = {"graph_step": step_name(result.step) if graphs and result.step is not None else "-"}
    context["graph_step"] = context["graph_step"] if graphs else None
    if tab == "layers":
        return context | layers.context_of(explorer, series, result, spread, next(iter(graphs), 0))
    if tab == "neurons":
        found = _neurons(explorer, series, result, graphs, seed)
        return context | {"neurons": found, "departures": departures_of(result, seed), "most": MOST_NEURONS}
    if tab == "matrices":
        return context | {"matrices": matrices_of(result)}
    if tab == "benchmarks":
        return context | {"correlations": correlate(series.points, series.scores)}
    if tab == "provenance":
        return context | {"lowest_fit": lowest_fit(result)}
    return context


def lowest_fit(result: CheckpointResult) -> float | None:
    """Return the lowest R² of the log-log fits."""
    return min((one for one in result.r_squared.values() if one is not None), default=None)


@dataclass(frozen=True)
class Neurons:
    """The neurons of one stored sample, the highest dimensions first."""

    seed: int
    seeds: list[int]
    items: Sequence[Neuron]


def _neurons(
    explorer: Explorer, series: StoredSeries, result: CheckpointResult, graphs: list[int], seed: int | None
) -> Neurons | None:
    if not graphs and seed is None:
        return None
    chosen = graphs[0] if seed is None else seed
    sample = explorer.sample(series.model.id, result.step, chosen)
    answer = ask(sample, NeuronList(order="dimension", limit=MOST_NEURONS))
    return Neurons(chosen, sorted(set(graphs)), answer.items)


def departures_of(result: CheckpointResult, seed: int | None) -> SampleDepartures | None:
    """Return the neurons of a sample that depart from chance, of the first that was tested without a seed."""
    tested = result.neurons.samples if result.neurons else []
    return next((one for one in tested if seed in (None, one.seed)), None)


def matrices_of(result: CheckpointResult) -> Mapping[str, Mapping[str, MatrixFigure]]:
    """Return the plain measures by matrix kind and name, none where they were not asked for."""
    by_kind = result.matrices.by_kind if result.matrices else {}
    names = [each.name for each in fields(MatrixFigures)]
    return {kind: {name: getattr(one, name) for name in names} for kind, one in by_kind.items()}
